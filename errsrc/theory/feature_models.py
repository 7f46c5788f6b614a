"""The error of ridge regression on random features, as a function of n examples and m features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.checks import NonNegativeArray, Number, PositiveArray
from errsrc.theory.spectrum import Array, broadcast_sizes, checked_spectrum, learned, ratio


@checks.arguments(
    n=PositiveArray(),
    m=PositiveArray(),
    eigenvalues=NonNegativeArray(),
    target=NonNegativeArray(),
    ridge=Number(at_least=0),
    noise=Number(at_least=0),
)
def random_features(
    n: ArrayLike,
    m: ArrayLike,
    eigenvalues: ArrayLike,
    target: ArrayLike,
    *,
    ridge: float = 0.0,
    noise: float = 0.0,
) -> Array:
    """Return the expected excess risk of ridge regression on m random linear features of the inputs.

    The inputs have variances e_i in their principal axes.  Feature j is the sum over i of F_ji x_i, where the
    F_ji are independent normal numbers of variance 1 / m.  The learner has the weights w that minimise |y -
    features w|^2 + ridge |w|^2.

    Parameters
    ----------
    n, m : array_like
        Numbers of examples and of features, > 0.  Their shapes must broadcast to one shape S.
    eigenvalues : array_like, shape (M,)
        Variances e_i >= 0.  M is the number of latent features.
    target : array_like, shape (M,)
        Squares c_i^2 >= 0 of the target's coefficients.  The target is the sum over i of c_i x_i / sqrt(e_i).
        Therefore input i contributes the variance c_i^2.  For random teachers, give the means of c_i^2.
    ridge : float
        The ridge, >= 0, not divided by n.  With ridge 0, the learner is least squares of minimum norm.
    noise : float
        Variance of the label noise, >= 0.

    Returns
    -------
    ndarray of float64, shape S
        Excess risk, in the units of ``target``; inf where it is not finite.

    Raises
    ------
    TypeError, ValueError
        If an array has another shape, or if a number is negative or not finite.

    Notes
    -----
    Let L_i = e_i / (e_i + g).  Let z be the sum of L_i, q the sum of L_i^2, s = z - q, a = n - z, and b = m -
    z.  The number g is the solution of a b g = m * ridge for which z <= min(n, m).  Then

        excess + noise = (sum_i (1 - L_i) (1 - L_i b / (b + s)) c_i^2 + noise) n (b + s) / (a b + s (a + b)).

    This is the omniscient estimate of Simon, Karkada, Ghosh and Belkin 2023 (arXiv 2311.14646), in a form
    without differences of nearly equal terms.  Suppose that the ridge and the noise are 0, and that the
    teacher's weights are independent with variance s_w^2, which means that c_i^2 = s_w^2 e_i.  The estimate
    is then equal to the estimate of Maloney, Roberts and Sully 2022 (arXiv 2210.16859): s_w^2 g min(n, m) /
    (1 - min(n, m) / max(n, m)).  This expression is symmetric in n and m.  As m grows, the estimate
    approaches the result of `kernel_regression`.

    Examples
    --------
    >>> e = np.arange(1.0, 1001) ** -2
    >>> random_features([10, 40], [40, 10], e, e).round(4)
    array([0.2959, 0.2959])
    """
    sizes, models = broadcast_sizes("random_features", n=n, m=m)
    e, c = checked_spectrum(eigenvalues, target, "random_features")
    excess = np.empty(sizes.shape)
    for place in np.ndindex(sizes.shape):
        size, model = float(sizes[place]), float(models[place])
        found = learned(size, model, e, ridge)
        missed = found.scale / (e + found.scale) if found.scale else (e == 0).astype(np.float64)
        a, b, s = found.spare_data, model * found.spare_model, found.kept
        share = missed + found.learnability * ratio(s, b + s)  # 1 - L b / (b + s)
        squares = float((found.learnability**2).sum())
        # noise (q (b + s) + s^2) is what the noise adds to the excess risk, without the noise itself
        above = float((missed * share) @ c) * size * (b + s) + noise * (squares * (b + s) + s**2)
        excess[place] = ratio(above, a * b + s * (a + b))
    return excess
