"""Regression on random features: an error of n and m."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.theory.spectrum import Array, learned, ratio, spectrum


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

    Inputs have variances e_i in their principal axes; a feature is a sum over i of F_ji x_i with F_ji
    normal of variance 1 / m, and the learner has weights w of min |y - features w|^2 + ridge |w|^2.

    Parameters
    ----------
    n, m
        Examples and features, numbers > 0, of shapes that broadcast to S.
    eigenvalues : (M,)
        e_i >= 0; M is the number of latent features.
    target : (M,)
        c_i^2, the target's squared coefficients in inputs scaled to unit variance, or their mean over
        teachers.
    ridge
        >= 0, not divided by n; at 0 least squares of minimum norm.
    noise
        Variance of the label noise.

    Returns
    -------
    float64 S
        In the units of ``target``; inf where it has no bound.

    Raises
    ------
    ValueError, TypeError
        For arrays of other shapes, and numbers that are negative or not finite.

    Notes
    -----
    With L_i = e_i / (e_i + g), z and q the sums of L_i and of L_i^2, s = z - q, a = n - z, b = m - z, and g
    the solution of a b g = m ridge with z <= min(n, m),

        excess + noise = (sum_i (1 - L_i) (1 - L_i b / (b + s)) c_i^2 + noise) n (b + s) / (a b + s (a + b)),

    the omniscient estimate of Simon, Karkada, Ghosh and Belkin 2023 (arXiv 2311.14646), here
    without differences of nearly equal terms.  At ridge 0, without noise, for independent weights of variance
    s_w^2 (c_i^2 = s_w^2 e_i) it is that of Maloney, Roberts and Sully 2022 (arXiv 2210.16859), symmetric in
    n and m: s_w^2 g min(n, m) / (1 - min(n, m) / max(n, m)).  As m grows it becomes `kernel_regression`.

    Examples
    --------
    >>> e = np.arange(1.0, 1001) ** -2
    >>> random_features([10, 40], [40, 10], e, e).round(4)
    array([0.2959, 0.2959])
    """
    where = "random_features"
    sizes = checks.positive_array(n, "n", where)
    models = checks.positive_array(m, "m", where)
    try:
        sizes, models = np.broadcast_arrays(sizes, models)
    except ValueError:
        accepted = f"of a shape that broadcasts with n's {sizes.shape}"
        raise ValueError(checks.refusal("m", where, accepted, f"<shape {models.shape}>")) from None
    e, c = spectrum(eigenvalues, target, where)
    checks.number(ridge, "ridge", where, 0)
    checks.number(noise, "noise", where, 0)
    excess = np.empty(sizes.shape)
    for place in np.ndindex(sizes.shape):
        size, model = float(sizes[place]), float(models[place])
        found = learned(size, model, e, ridge)
        missed = found.scale / (e + found.scale) if found.scale else (e == 0).astype(np.float64)
        share = missed + found.learnability * ratio(found.kept, model * found.spare_model + found.kept)
        a, b, s = found.spare_data, model * found.spare_model, found.kept
        squares = float((found.learnability**2).sum())
        # noise (q (b + s) + s^2) is the noise's share of excess, the noise itself taken off
        above = float((missed * share) @ c) * size * (b + s) + noise * (squares * (b + s) + s**2)
        excess[place] = ratio(above, a * b + s * (a + b))
    return excess
