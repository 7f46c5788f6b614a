"""The exact expected risk of least squares with normal inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.checks import Integer, Number, PositiveArray
from errsrc.theory.spectrum import Array

VARIANCE = Number(at_least=0)
"""Validation rule for parameters that are variances."""


@checks.arguments(
    n=PositiveArray(), dim=Integer(at_least=1), target=VARIANCE, noise=VARIANCE, outside=VARIANCE
)
def least_squares(
    n: ArrayLike, dim: int, *, target: float = 1.0, noise: float = 0.0, outside: float = 0.0
) -> Array:
    """Return the expected excess risk of least squares with normal inputs.

    For n < dim, the learner is the least-squares solution of minimum norm.  The risk is exact at every n and
    dim.  For a ridge, and for inputs of unequal variances at n < dim, see `kernel_regression`.

    Parameters
    ----------
    n : array_like of int
        Numbers of examples, >= 1, of any shape S.
    dim : int
        Number of inputs, >= 1.  The inputs are independent and normal, with equal variances.  For n >= dim,
        the result also holds for any other covariance of the inputs.
    target : float
        Variance of the part of the target that is linear in the inputs, >= 0.
    noise : float
        Variance of the label noise, >= 0.
    outside : float
        Variance of the rest of the target, >= 0.  This rest is linear in further independent normal inputs
        that the learner does not see.  Its variance is the realizability term of the error budget.

    Returns
    -------
    ndarray of float64, shape S
        Excess risk, in the units of ``target``.  If ``noise + outside`` is > 0, the mean risk is infinite for
        n = dim - 1, dim and dim + 1.  The result is then inf.

    Raises
    ------
    TypeError, ValueError
        If a number of examples is not an integer >= 1, if dim < 1, or if a variance is negative or not
        finite.

    Notes
    -----
    The risk follows from the mean trace of an inverse Wishart matrix (Breiman and Freedman 1983; Belkin, Hsu
    and Xu 2020, arXiv 1903.07571, theorem 1).  With t = noise + outside, the risk is:

        outside + t dim / (n - dim - 1)                              n > dim + 1
        outside + target (1 - n / dim) + t n / (dim - n - 1)         n < dim - 1

    Examples
    --------
    >>> least_squares([5, 10, 21], 10, noise=0.5)
    array([1.125,   inf, 0.5  ])
    """
    sizes = np.asarray(n)
    if (sizes != np.round(sizes)).any():
        fraction = float(sizes[sizes != np.round(sizes)].flat[0])
        raise ValueError(checks.refusal("n", "least_squares", "integers >= 1", fraction))
    unlearnable = noise + outside
    rank, spare = np.minimum(sizes, dim), np.abs(sizes - dim) - 1
    spread = np.full(sizes.shape, np.inf if unlearnable else 0.0)
    np.divide(unlearnable * rank, spare, out=spread, where=spare > 0)
    return np.asarray(outside + target * np.maximum(1 - sizes / dim, 0.0) + spread)
