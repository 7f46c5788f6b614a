"""How much wider the intervals of a least-squares fit become if the noise differs between the points.

A fit of equal weights is right on average whatever the noise, but its intervals assume equal noise.  Here the
standard deviation of the noise is a power of an input, or of the error itself, with an unknown exponent.  The
residuals determine how probable each exponent is.  Each exponent determines how far the estimates scatter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from errsrc.laws.law import Array

EQUAL = 0.3
"""Prior probability that the noise is the same at all points."""
POWERS = np.concatenate([-np.geomspace(1.6, 0.1, 9), np.geomspace(0.1, 1.6, 9)])
"""Exponents of the standard deviation."""
TYPICAL_POWER = 0.4
"""Scale of the prior of the exponents, a Cauchy distribution."""
FEWEST = 5
"""Degrees of freedom from which on the residuals are asked: fewer say next to nothing about the noise."""


def quantiles(residual: Array, jac: Array, columns: Sequence[Array], level: float) -> Array:
    """Return half the width of each parameter's interval, in standard errors, if the noise may be uneven.

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

    Returns
    -------
    ndarray of float64, shape (free,)
        Half the width for each parameter, in units of its standard error for equal noise.  If all exponents
        were 0, it would be the quantile of Student's t distribution.

    Notes
    -----
    With residuals r, Jacobian J and variances s^2 D, the estimates have the covariance s^2 G D G', where G is
    the pseudo-inverse of J.  The probability of an exponent is its prior times the restricted likelihood of r
    (Patterson and Thompson 1971), in which s is integrated out.  The result is a quantile of a mixture of
    Student's t distributions, one for each exponent.
    """
    left, singular, right = np.linalg.svd(jac, full_matrices=False)
    used = singular > singular[0] * 1e-10
    left, pull = left[:, used], (right[used].T / singular[used])  # jac = left pull^-1
    degrees = len(residual) - left.shape[1]
    equal = np.sum(pull**2, axis=1)
    plain = float(special.stdtrit(max(degrees, 1), (1 + level) / 2))
    varied = [x - x.mean() for x in columns if np.ptp(x) > 1e-9]
    square = float(residual @ residual)
    if degrees < FEWEST or not varied or not square > 0:
        return np.full(jac.shape[1], plain)
    logs = np.stack([np.zeros(len(residual)), *(power * x for x in varied for power in POWERS)])
    logs = np.clip(2 * logs, -60, 60)  # ln of the variances, (models, points)
    step = np.gradient(POWERS) / (TYPICAL_POWER * (1 + (POWERS / TYPICAL_POWER) ** 2))
    prior = np.concatenate([[EQUAL], *[(1 - EQUAL) / len(varied) * step / step.sum() for _ in varied]])
    precision = np.exp(-logs)
    inside = np.einsum("pi,kp,pj->kij", left, precision, left)
    toward = np.einsum("pi,kp,p->ki", left, precision, residual)
    solved = np.linalg.solve(inside, toward[..., None])[..., 0]
    rest = precision @ residual**2 - np.einsum("ki,ki->k", toward, solved)
    rest = np.maximum(rest, 1e-300)
    _, determinant = np.linalg.slogdet(inside)
    evidence = np.log(prior) - 0.5 * (logs.sum(axis=1) + determinant + degrees * np.log(rest))
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    middle = np.einsum("pi,kp,pj->kij", left, np.exp(logs), left)
    variance = np.einsum("fi,kij,fj->kf", pull, middle, pull) * (rest / square)[:, None]
    ratio = np.sqrt(variance / equal)  # of standard errors, (models, free)
    grid = np.geomspace(0.05, 20, 200)  # of the plain quantile
    tail = 2 * special.stdtr(degrees, -plain * grid)
    found = np.empty(jac.shape[1])
    for j, own in enumerate(ratio.T):
        outside = share @ np.interp(np.log(grid) - np.log(own)[:, None], np.log(grid), tail)
        found[j] = plain * np.exp(np.interp(level - 1, -outside, np.log(grid)))
    return found
