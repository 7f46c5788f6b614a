"""How much wider the intervals of a least-squares fit become if the noise differs between the points.

A fit with equal weights is unbiased even if the noise is not equal at all points, but its intervals assume
equal noise.  Here the standard deviation of the noise is a power of an input, or of the error itself, with an
unknown exponent.  The residuals determine how probable each exponent is.  Each exponent determines how far
the estimates scatter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from errsrc.fitting.singular_values import determined_directions
from errsrc.laws.law import Array

EQUAL = 0.3
"""Prior probability that the noise is the same at all points."""
POWERS = np.concatenate([-np.arange(32, 0, -1), np.arange(1, 33)]) / 20
"""Exponents of the standard deviation.

The step is small, because 60 points over five decades of n determine the exponent to 0.03."""
TYPICAL_POWER = 0.4
"""Scale of the prior of the exponents, a Cauchy distribution."""
FEWEST = 5
"""Smallest number of degrees of freedom: with fewer, the residuals say almost nothing about the noise."""


def quantiles(
    residual: Array,
    jac: Array,
    columns: Sequence[Array],
    level: float,
    directions: Array | None = None,
    prior: Array | None = None,
    tilt: Array | None = None,
) -> Array:
    """Return half the width of each interval, in standard errors, for noise that may differ between points.

    Parameters
    ----------
    residual : ndarray of float64, shape (points,)
        Residuals of a least-squares fit, times the square roots of the weights.
    jac : ndarray of float64, shape (points, free)
        Jacobian of the residuals, times the same square roots.
    columns : sequence of ndarray of float64, shape (points,)
        Logarithms of the inputs and of the error.  The noise may be a power of each of these quantities.
    level : float
        Coverage of the intervals, in (0, 1).
    directions : ndarray of float64, shape (quantities, free), optional
        Gradients of the quantities whose intervals are wanted; by default these are the parameters.
    prior : ndarray of float64, shape (free,), optional
        Strengths of quadratic priors of the parameters, in units of the squared residuals; 0 by default.
    tilt : ndarray of float64, shape (points,), optional
        If the weights are corrected for uneven noise, the logarithm of the correction of each weight, such as
        minus `log_variances`; 0 by default.

    Returns
    -------
    ndarray of float64, shape (quantities,)
        Half the width for each quantity, in units of its standard error for equal noise.  For noise that
        is equal at all points, this is the quantile of Student's t distribution.

    Notes
    -----
    With residuals r, Jacobian J and variances s^2 D, the estimates have the covariance s^2 G D G', where G is
    the pseudo-inverse of J. D is a power of an input or of the error, with an unknown exponent.  The
    probability of an exponent is its prior times the restricted likelihood of r (Patterson and Thompson
    1971), in which s is integrated out.  The result is a quantile of a mixture of Student's t distributions,
    one for each exponent.
    """
    size = jac.shape[1]
    gradients = np.eye(size) if directions is None else directions
    left, singular, _ = np.linalg.svd(jac, full_matrices=False)
    left = left[:, singular > singular[0] * 1e-10]
    degrees = len(residual) - left.shape[1]
    plain = float(special.stdtrit(max(degrees, 1), (1 + level) / 2))
    square = float(residual @ residual)
    found = _posterior(residual, left, columns, degrees, tilt)
    if found is None:
        return np.full(len(gradients), plain)
    logs, share, rest = found
    response, fixed = _response(jac, np.zeros(size) if prior is None else prior, gradients)
    variance = np.exp(logs) @ (response**2).T * (rest / square)[:, None] + fixed
    ratio = np.sqrt(variance / (np.sum(response**2, axis=1) + fixed))  # (models, quantities)
    grid = np.geomspace(0.05, 20, 200)  # of the plain quantile
    tail = 2 * special.stdtr(degrees, -plain * grid)
    out = np.empty(len(gradients))
    for j, own in enumerate(ratio.T):
        outside = share @ np.interp(np.log(grid) - np.log(own)[:, None], np.log(grid), tail)
        out[j] = plain * np.exp(np.interp(level - 1, -outside, np.log(grid)))
    return out


def log_variances(residual: Array, jac: Array, columns: Sequence[Array]) -> Array:
    """Return the expected logarithm of the variance of the noise at each point, up to a constant.

    Parameters
    ----------
    residual, jac, columns
        As for `quantiles`.
    """
    left, singular, _ = np.linalg.svd(jac, full_matrices=False)
    left = left[:, singular > singular[0] * 1e-10]
    found = _posterior(residual, left, columns, len(residual) - left.shape[1])
    if found is None:
        return np.zeros(len(residual))
    logs, share, _ = found
    return np.asarray(share @ logs)


def _posterior(
    residual: Array, left: Array, columns: Sequence[Array], degrees: int, tilt: Array | None = None
) -> tuple[Array, Array, Array] | None:
    """Return the models of the noise, their probabilities, and their sums of squares.

    The result is None if there are too few points, if nothing varies, or if the residuals are 0.
    """
    varied = [x - x.mean() for x in columns if np.ptp(x) > 1e-9]
    if degrees < FEWEST or not varied or not float(residual @ residual) > 0:
        return None
    logs, prior = _models(varied)
    logs = logs if tilt is None else logs + (tilt - tilt.mean())
    rest, evidence = _restricted(residual, left, logs, degrees)
    if not np.isfinite(evidence.max()):
        return None
    share = prior * np.exp(evidence - evidence.max())
    return logs, share / share.sum(), rest


def _models(varied: Sequence[Array]) -> tuple[Array, Array]:
    """Return ln of the variances of each model of the noise, (models, points), and the prior, (models,)."""
    logs = np.stack([np.zeros(len(varied[0])), *(power * x for x in varied for power in POWERS)])
    step = np.gradient(POWERS) / (TYPICAL_POWER * (1 + (POWERS / TYPICAL_POWER) ** 2))
    own = (1 - EQUAL) / len(varied) * step / step.sum()
    return np.clip(2 * logs, -60, 60), np.concatenate([[EQUAL], *[own for _ in varied]])


def _restricted(residual: Array, left: Array, logs: Array, degrees: int) -> tuple[Array, Array]:
    """Return the sum of squares of each model, and its restricted log-likelihood, (models,) each.

    The likelihood of a model is 0 if the points to which it gives any weight do not determine the parameters.
    """
    precision = np.exp(-logs)
    inside = np.stack([left.T @ (p[:, None] * left) for p in precision])
    toward = (precision * residual) @ left
    sign, determinant = np.linalg.slogdet(inside)
    inside[sign == 0] = np.eye(left.shape[1])
    solved = np.linalg.solve(inside, toward[..., None])[..., 0]
    rest = np.maximum(precision @ residual**2 - np.sum(toward * solved, axis=1), 1e-300)
    evidence = -0.5 * (logs.sum(axis=1) + determinant + degrees * np.log(rest))
    return rest, np.where(sign == 0, -np.inf, evidence)


def _response(jac: Array, prior: Array, gradients: Array) -> tuple[Array, Array]:
    """Return the response of each quantity to each residual, and the variance that the priors add.

    The response has the shape (quantities, points).  The variance of each quantity, (quantities,), is in
    units of the variance of the noise.
    """
    left, half = determined_directions(jac, prior)
    pull = gradients @ half @ left.T
    points = len(jac)
    return pull[:, :points], np.sum(pull[:, points:] ** 2, axis=1)
