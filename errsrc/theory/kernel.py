"""The average learning curve of kernel and ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.checks import NonNegativeArray, Number, PositiveArray
from errsrc.theory.spectrum import Array, checked_spectrum, learned, ratio


@dataclass(frozen=True, eq=False)
class KernelCurve:
    """A predicted learning curve of kernel regression, see `kernel_regression`.

    Attributes
    ----------
    n : ndarray of float64, shape S
        Numbers of examples.
    excess : ndarray of float64, shape S
        Expected excess risk, in the units of ``target``; inf where it is not finite.
    learnability : ndarray of float64, shape S + (M,)
        Learned share L_i of each eigenfunction.  The sum of the shares is at most n.
    kappa : ndarray of float64, shape S
        Effective ridge, the sum of ``ridge`` and the contribution of the eigenvalues that are too small to be
        learned.
    gamma : ndarray of float64, shape S
        Sum of L_i^2, divided by n; at most 1.  The unlearned part of the target acts as noise on the learned
        part.  This effect multiplies the excess risk by 1 / (1 - gamma).
    """

    n: Array
    excess: Array
    learnability: Array
    kappa: Array
    gamma: Array


@checks.arguments(
    n=PositiveArray(),
    eigenvalues=NonNegativeArray(),
    target=NonNegativeArray(),
    ridge=Number(at_least=0),
    noise=Number(at_least=0),
)
def kernel_regression(
    n: ArrayLike, eigenvalues: ArrayLike, target: ArrayLike, *, ridge: float = 0.0, noise: float = 0.0
) -> KernelCurve:
    """Return the expected excess risk of kernel ridge regression.

    The learner's prediction at x is k(x, X) (K + ridge I)^-1 y, where X are the inputs of the examples, y are
    the labels, and K = k(X, X).

    Parameters
    ----------
    n : array_like
        Numbers of examples, > 0, of any shape S.
    eigenvalues : array_like, shape (M,)
        Eigenvalues e_i >= 0 of the kernel under the distribution of the inputs.  For ridge regression, give
        the variances of the inputs in their principal axes.  Eigenvalues that are not given count as 0.
    target : array_like, shape (M,)
        Squared coefficients c_i^2 >= 0 of the target in the orthonormal eigenfunctions.  For random teachers,
        give the means of c_i^2.  For normal weights of variances v_i on inputs of variances e_i, the mean of
        c_i^2 is v_i e_i.
    ridge : float
        The ridge, >= 0, not divided by n.  If your library adds n lambda to the diagonal of K, give n lambda.
        With ridge 0, the learner is the interpolator of minimum norm.
    noise : float
        Variance of the label noise, >= 0.

    Returns
    -------
    KernelCurve
        The excess risk and the learned shares at each n.

    Raises
    ------
    TypeError, ValueError
        If an array has another shape, or if a number is negative or not finite.

    Notes
    -----
    The formulas are those of Bordelon, Canatar and Pehlevan 2020 (arXiv 2002.02561), in the form of Simon et
    al. 2023 (arXiv 2110.03922).  The kappa below is n times the kappa of Simon et al.:

        kappa = ridge + sum_i kappa e_i / (n e_i + kappa),    L_i = n e_i / (n e_i + kappa),
        excess = (sum_i (1 - L_i)^2 c_i^2 + noise gamma) / (1 - gamma),    gamma = sum_i L_i^2 / n.

    Suppose that the ridge is 0, that J eigenvalues are > 0, and that the target is a combination of their
    eigenfunctions.  At n >= J, the excess risk is then noise * J / (n - J), which is infinite at n = J. For
    normal inputs, the exact mean is infinite for n = J - 1, J and J + 1, see `least_squares`.  If the target
    has normal weights of variance v, then c_i^2 = v e_i, and the best ridge is noise / v.  With this ridge,
    the excess risk is the uncertainty of the error budget.

    The formulas are exact in the limit of large n and M, if the eigenfunctions at the inputs behave as if
    they were independent.  ``benchmarks/theory.py`` measures the ratio of the measured to the predicted risk.
    The ratio is 1.00 to 1.03 for normal inputs at n >= 30.  On the sphere, the ratio is 1.00 in 10
    dimensions, 1.01 in 6 dimensions, and 1.01 to 1.06 in 4 and 3 dimensions.  On the circle, the ratio is
    1.02 to 1.9, because gaps between random points increase the risk there.  The formulas ignore this effect.

    Examples
    --------
    Ten equal eigenvalues without ridge: each example determines a tenth of the target.

    >>> kernel_regression([5, 10, 20], np.ones(10), np.full(10, 0.1)).excess.round(3)
    array([0.5, 0. , 0. ])
    >>> kernel_regression([20], np.ones(10), np.full(10, 0.1), noise=0.3).excess.round(3)
    array([0.3])
    """
    sizes = np.asarray(n)
    e, c = checked_spectrum(eigenvalues, target, "kernel_regression")
    excess, kappa, gamma = (np.empty(sizes.shape) for _ in range(3))
    learnability = np.empty((*sizes.shape, len(e)))
    for place in np.ndindex(sizes.shape):
        size = float(sizes[place])
        found = learned(size, np.inf, e, ridge)
        learnability[place], kappa[place] = found.learnability, size * found.scale
        squares = float((found.learnability**2).sum())
        gamma[place] = squares / size
        missed = float(_missed(e, found.scale) ** 2 @ c)
        # 1 - gamma = (n - z + sum of L (1 - L)) / n, without a difference of nearly equal numbers
        excess[place] = ratio(missed * size + noise * squares, found.spare_data + found.kept)
    return KernelCurve(sizes, excess, learnability, kappa, gamma)


def _missed(eigenvalues: Array, scale: float) -> Array:
    """Return 1 - L_i, (M,), without a difference of nearly equal numbers."""
    if scale == 0:
        return (eigenvalues == 0).astype(np.float64)
    return scale / (eigenvalues + scale)
