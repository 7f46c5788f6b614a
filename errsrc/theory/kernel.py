"""Kernel and ridge regression in the average case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.theory.spectrum import Array, learned, ratio, spectrum


@dataclass(frozen=True, eq=False)
class KernelCurve:
    """A predicted learning curve, see `kernel_regression`.

    Attributes
    ----------
    n
        Numbers of examples, float64 of any shape S.
    excess
        Expected excess risk at each, float64 S, in the units of ``target``; inf where it has no bound.
    learnability
        L_i, the share of eigenfunction i that is learned, float64 S + (M,); they sum to n, or less.
    kappa
        The effective ridge, float64 S: that of ``ridge`` and of the eigenvalues too small to be learned.
    gamma
        Sum of L_i^2 over n, float64 S, at most 1: excess risk is 1 / (1 - gamma) times what it would be if
        the unlearned part of the target were no noise to the learned one.
    """

    n: Array
    excess: Array
    learnability: Array
    kappa: Array
    gamma: Array


def kernel_regression(
    n: ArrayLike, eigenvalues: ArrayLike, target: ArrayLike, *, ridge: float = 0.0, noise: float = 0.0
) -> KernelCurve:
    """Return the expected excess risk of kernel ridge regression, k(x, X) (K + ridge I)^-1 y.

    Parameters
    ----------
    n
        Examples, numbers > 0, of any shape.
    eigenvalues : (M,)
        e_i >= 0 of the kernel under the inputs' distribution; for ridge regression the variances of the
        inputs in their principal axes.  Those left out count as 0.
    target : (M,)
        c_i^2, the target's squared coefficients in the orthonormal eigenfunctions, or their mean over
        teachers: for normal weights of variances v_i on inputs of variances e_i, v_i e_i.
    ridge
        >= 0, not divided by n: for penalties of n lam give n lam.  At 0 the least-norm interpolator.
    noise
        Variance of the label noise.

    Returns
    -------
    KernelCurve

    Raises
    ------
    ValueError, TypeError
        For arrays of another shape, and numbers that are negative or not finite.

    Notes
    -----
    Bordelon, Canatar and Pehlevan 2020 (arXiv 2002.02561), in the form of Simon et al. 2023
    (arXiv 2110.03922), with kappa n times theirs:

        kappa = ridge + sum_i kappa e_i / (n e_i + kappa),    L_i = n e_i / (n e_i + kappa),
        excess = (sum_i (1 - L_i)^2 c_i^2 + noise gamma) / (1 - gamma),    gamma = sum_i L_i^2 / n.

    With ridge 0 and K eigenvalues > 0 it is 0 at n >= K for a target among their eigenfunctions, plus
    noise K / (n - K), which has no bound at n = K (the mean over normal data has none from n = K - 1 to
    K + 1, see `least_squares`).  For normal weights of variance v, c_i^2 = v e_i, the ridge noise / v is the
    best one, and excess is the budget's uncertainty.

    Exact as n and M grow together, where eigenfunctions are as good as independent at the inputs.  Measured
    over theory (``benchmarks/theory.py``): 1.00 to 1.03 for normal inputs at n >= 30; 1.00 on the sphere in
    10 dimensions, 1.01 in 6, and 1.01 to 1.06 in 4 and 3; on the circle 1.02 to 1.9, since gaps between
    random points cost more there than it has them cost.

    Examples
    --------
    Ten equal eigenvalues without ridge: each example settles a tenth.

    >>> kernel_regression([5, 10, 20], np.ones(10), np.full(10, 0.1)).excess.round(3)
    array([0.5, 0. , 0. ])
    >>> kernel_regression([20], np.ones(10), np.full(10, 0.1), noise=0.3).excess.round(3)
    array([0.3])
    """
    where = "kernel_regression"
    sizes = checks.positive_array(n, "n", where)
    e, c = spectrum(eigenvalues, target, where)
    checks.number(ridge, "ridge", where, 0)
    checks.number(noise, "noise", where, 0)
    excess, kappa, gamma = (np.empty(sizes.shape) for _ in range(3))
    learnability = np.empty((*sizes.shape, len(e)))
    for place in np.ndindex(sizes.shape):
        size = float(sizes[place])
        found = learned(size, np.inf, e, ridge)
        learnability[place], kappa[place] = found.learnability, size * found.scale
        squares = float((found.learnability**2).sum())
        gamma[place] = squares / size
        missed = float(_missed(e, found.scale) ** 2 @ c)
        # 1 - gamma = (n - z + sum of L (1 - L)) / n, without a difference
        excess[place] = ratio(missed * size + noise * squares, found.spare_data + found.kept)
    return KernelCurve(sizes, excess, learnability, kappa, gamma)


def _missed(eigenvalues: Array, scale: float) -> Array:
    """Return 1 - L_i, without a difference."""
    if scale == 0:
        return (eigenvalues == 0).astype(np.float64)
    return scale / (eigenvalues + scale)
