"""Least squares with normal inputs, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.theory.spectrum import Array


def least_squares(
    n: ArrayLike, dim: int, *, target: float = 1.0, noise: float = 0.0, outside: float = 0.0
) -> Array:
    """Return the expected excess risk of least squares, of minimum norm for n < dim, with normal inputs.

    Exact at every n and dim; for a ridge, and for inputs of unequal variances at n < dim, see
    `kernel_regression`.

    Parameters
    ----------
    n
        Examples, integers >= 1, of any shape S.
    dim
        Inputs, independent and normal, of equal variances (of any covariance at n >= dim).
    target
        Variance of the target's part that is linear in the inputs.
    noise
        Variance of the label noise.
    outside
        Variance of the rest of the target, linear in further normal inputs, independent of these, that the
        learner is not given: its realizability.

    Returns
    -------
    float64 S
        In the units of ``target``; inf where the mean has no bound, from n = dim - 1 to dim + 1 with noise.

    Raises
    ------
    ValueError, TypeError
        For n that are no integers >= 1, dim < 1, and variances that are negative or not finite.

    Notes
    -----
    With t = noise + outside, from the mean trace of an inverse Wishart matrix (Breiman and Freedman 1983;
    Belkin, Hsu and Xu 2020, arXiv 1903.07571, theorem 1):

        outside + t dim / (n - dim - 1)                              n > dim + 1
        outside + target (1 - n / dim) + t n / (dim - n - 1)         n < dim - 1

    Examples
    --------
    >>> least_squares([5, 10, 21], 10, noise=0.5)
    array([1.125,   inf, 0.5  ])
    """
    where = "least_squares"
    sizes = checks.positive_array(n, "n", where)
    if (sizes != np.round(sizes)).any():
        fraction = float(sizes[sizes != np.round(sizes)].flat[0])
        raise ValueError(checks.refusal("n", where, "integers >= 1", fraction))
    checks.integer(dim, "dim", where, 1)
    for name, value in (("target", target), ("noise", noise), ("outside", outside)):
        checks.number(value, name, where, 0)
    heard = noise + outside
    rank, spare = np.minimum(sizes, dim), np.abs(sizes - dim) - 1
    spread = np.full(sizes.shape, np.inf if heard else 0.0)
    np.divide(heard * rank, spare, out=spread, where=spare > 0)
    return np.asarray(outside + target * np.maximum(1 - sizes / dim, 0.0) + spread)
