"""Intervals of the exponents and of the floor of an average of laws, and of the parameters of its laws.

The members of an average are Huber fits in which large sizes have larger weights, and exponents have weak
priors.  These weights and priors suit extrapolations, but the intervals of such fits are too narrow.
Therefore the intervals come from fits by least squares of ln error without priors, with the weights of the
user.  The printed estimates of parameters come from the same fits, and lie in their intervals.  Two steps
follow:

1. The residuals say how probable it is that the noise falls or rises with an input or with the error
   (`uneven_noise`).  Each law is fitted again with the precisions that the residuals suggest
   (`noise_precisions`).
2. Each law has a profile-likelihood interval.  The intervals of the laws are mixed, weighted by how probable
   the points make each law.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from errsrc.fitting.clusters import widths
from errsrc.fitting.intervals import best_starts, named_intervals, open_coordinates, profile
from errsrc.fitting.optima import Optimum
from errsrc.fitting.problem import Problem
from errsrc.fitting.uneven_noise import log_variances, quantiles
from errsrc.laws.law import Array
from errsrc.results import Interval

FAR_AWAY = 1e120
"""The scaled size at which a law is evaluated as the limit of large sizes."""
EXACT = 1e-9
"""A law whose residuals have a smaller standard deviation has no noise, only rounding errors."""
PLAUSIBLE = 0.01
"""A law counts if the points make it at least this probable, relative to the most probable law."""
CLEAR = 0.1
"""Laws that don't determine a quantity are left out if the other laws have this share of the evidence."""
ITERATIONS = 40
"""Largest number of steps of a refit of a profile."""
RUNGS = np.array([0.35, 0.7, 1.0, 1.3, 1.7, 2.5, 4.0, 8.0])
"""Where a profile is computed, in units of the expected half width of the interval."""


class LawEvidence(NamedTuple):
    """Intervals and evidence from the least-squares fit of one law of an average.

    Attributes
    ----------
    parameters : dict of str to Interval
        Intervals of the fitted parameters, in the units of the given points.
    limits : dict of str to Interval
        Intervals of the exponents (keys "n" and "m") and of the floor (key "floor") of the law.
    criterion : float
        The corrected Akaike information criterion.  A law with a smaller value is more probable.
    degrees : int
        Points minus free parameters.
    """

    parameters: dict[str, Interval]
    limits: dict[str, Interval]
    criterion: float
    degrees: int


class LeastSquares(NamedTuple):
    """The least-squares fit of ln error for one law of an average.

    Attributes
    ----------
    problem : Problem
        The problem, with the weights of the user.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    scale : float
        Standard deviation of the residuals.
    criterion : float
        The corrected Akaike information criterion.  A law with a smaller value is more probable.
    tilt : ndarray of float64, shape (points,)
        Logarithms of the factors by which the user's weights were multiplied because the residuals suggest
        uneven noise (`noise_precisions`); 0 if a weight was not changed.
    """

    problem: Problem
    z: Array
    scale: float
    criterion: float
    tilt: Array


def least_squares(
    found: Optimum, weights: Array, before: LeastSquares | None = None, tilt: Array | None = None
) -> LeastSquares:
    """Fit a law by least squares of ln error, from the optimum of its Huber fit.

    Weak priors are left out.  With a prior, the interval would be narrower, and would contain a true value
    far from the prior too rarely.

    Parameters
    ----------
    found : Optimum
        The optimum of the Huber fit.
    weights : ndarray of float64, shape (points,)
        Weights of the user, inverse variances in any unit.
    before : LeastSquares, optional
        A fit of the same law with other weights; its solution is an additional start of the search.
    tilt : ndarray of float64, shape (points,), optional
        Logarithms of further precisions (`noise_precisions`); 0 by default.
    """
    tilt = np.zeros(len(weights)) if tilt is None else tilt
    weights = weights * np.exp(tilt - tilt.max())
    problem = dataclasses.replace(found.problem, objective="log", weights=weights / weights.mean(), prior=0.0)
    starts = _starts(found) if before is None else np.concatenate([_starts(found), before.z[None, :]])
    solved = problem.solve(starts, iterations=100)
    z = solved.z[int(solved.cost.argmin())]
    points, free = len(problem.error), len(problem.free)
    residual = problem.residuals(z[None, :], problem.error)[0][0]
    square = max(float(problem.weights @ residual**2), 1e-300)
    rest = points - free - 2
    penalty = 2 * (free + 1) * points / rest if rest > 0 else 1e3
    return LeastSquares(
        problem, z, math.sqrt(square / (points - free)), points * math.log(square) + penalty, tilt
    )


def noise_precisions(laws: Sequence[LeastSquares]) -> Array:
    """Return ln of the precision (inverse variance) of each point, estimated from the residuals, (points,).

    Parameters
    ----------
    laws : sequence of LeastSquares
        Fits of all laws, with the weights of the user alone.

    Notes
    -----
    If the noise differs between the points, a fit with equal weights follows the noisiest points.  A law with
    more parameters then seems to fit better, although its exponents are more wrong.
    """
    total = np.zeros(len(laws[0].problem.error))
    for share, law in zip(_probabilities(laws), laws, strict=True):
        if law.scale < EXACT or law.problem.clusters is not None:
            continue
        problem, root = law.problem, np.sqrt(law.problem.weights)
        residual, jac = (part[0] for part in problem.residuals(law.z[None, :], problem.error))
        columns = [*map(np.log, problem.inputs.values()), np.log(problem.error)]
        total = total - share * log_variances(root * residual, root[:, None] * jac, columns)
    return np.asarray(total)


def _probabilities(laws: Sequence[LeastSquares | LawEvidence]) -> Array:
    """Return how probable each law is, of sum 1."""
    criteria = np.array([law.criterion for law in laws])
    share = np.exp((criteria.min() - criteria) / 2)
    return np.asarray(share / share.sum())


def law_evidence(one: LeastSquares, level: float) -> LawEvidence:
    """Return the intervals of a law, and its information criterion, which says how probable the law is.

    Parameters
    ----------
    one : LeastSquares
        The least-squares fit of the law.
    level : float
        Coverage of the intervals, in (0, 1).
    """
    problem, z = one.problem, one.z
    law, degrees = problem.law_at(z), len(problem.error) - len(problem.free)
    unit = problem.error_unit
    natural, centres = problem.natural(unit), problem.shift(z[None, :], unit)[0]
    ends = _within_limits(natural, profile(problem, z, degrees, level, ITERATIONS, one.tilt))
    ends[open_coordinates(natural, centres, one.scale)] = [-np.inf, np.inf]
    parameters = named_intervals(problem, natural, centres, ends, law.params, level)
    limits = {}
    for size, name in (("n", law.data_exponent_name), ("m", law.model_exponent_name)):
        if size in law.inputs and name in law.params:
            value = law.params[name]
            limits[size] = parameters.get(name, Interval(value, value, value, level))
    floor = limit_interval(problem, z, level, one.tilt)
    if floor is not None:
        limits["floor"] = floor
    return LawEvidence(parameters, limits, one.criterion, degrees)


def _starts(found: Optimum) -> Array:
    """Return the best optima that the search has found, at most 4, (starts, free)."""
    best = np.argsort(found.solution.cost)[:3]
    return np.concatenate([found.z[None, :], found.solution.z[best]])


def _within_limits(natural: Problem, ends: Array) -> Array:
    """Clip intervals of bounded exponents to the bounds of the search; open both ends if both are reached."""
    lower, upper = natural.bounds()
    out = ends.copy()
    for j, p in enumerate(natural.free):
        if p.name in natural.exponents and p.name in natural.limits:
            clipped = np.clip(ends[j], lower[j], upper[j])
            both = clipped[0] <= lower[j] and clipped[1] >= upper[j]
            out[j] = [-np.inf, np.inf] if both else clipped
    return out


def limit_interval(problem: Problem, z: Array, level: float, tilt: Array | None = None) -> Interval | None:
    """Return the limit of the error as the sizes grow, with its profile-likelihood interval.

    Parameters
    ----------
    problem : Problem
        A least-squares problem of ln error, in scaled units.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    level : float
        Coverage of the interval, in (0, 1).
    tilt : ndarray of float64, shape (points,), optional
        See `uneven_noise.quantiles`.

    Returns
    -------
    Interval or None
        The limit, in the units of the given errors.  The lower end is 0 if the points allow a limit of 0.
        The result is None if the limit is not a finite number.

    Notes
    -----
    The profile is computed with one additional point at very large sizes.  This point has a large weight, and
    its error is the trial value of the limit.
    """
    far = {name: np.array([FAR_AWAY]) for name in problem.inputs}
    value, slope = (part[0] for part in problem.error_at(z[None, :], far))
    centre, slope = float(value[0]), slope[0]
    root, unit = np.sqrt(problem.weights), problem.scales["error"]
    residual, jac = (part[0] for part in problem.residuals(z[None, :], problem.error))
    rows, prior = root[:, None] * jac, problem.prior_strengths()
    square, degrees = float(np.sum((root * residual) ** 2)), len(residual) - len(z)
    if not (math.isfinite(centre) and np.isfinite(slope).all() and np.isfinite(rows).all()):
        return None
    negligible = 1e-9 * float(problem.error.min())
    centre = centre if centre > negligible else 0.0
    if np.abs(slope).max() <= negligible:  # the floor is held
        return Interval(centre * unit, centre * unit, centre * unit, level)
    _, singular, right = np.linalg.svd(np.concatenate([rows, np.diag(np.sqrt(prior))]), full_matrices=False)
    inverse = right.T / np.maximum(singular, singular[0] * 1e-10)
    direction = inverse @ (inverse.T @ slope)
    scale = math.sqrt(square / degrees)
    reach = math.sqrt(float(slope @ direction))
    columns = [*map(np.log, problem.inputs.values()), np.log(problem.error)]
    if problem.clusters is None:
        quantile = float(quantiles(root * residual, rows, columns, level, slope[None, :], prior, tilt)[0])
    else:
        quantile = float(widths(root * residual, rows, problem.clusters, level, slope[None, :], prior)[0])
    step = min(scale * reach, float(problem.error.min()))
    if scale < EXACT:
        return Interval(
            centre * unit, max(centre - quantile * step, 0) * unit, (centre + quantile * step) * unit, level
        )
    least = 1e-6 * step
    targets = np.concatenate(
        [np.maximum(centre - quantile * step * RUNGS, least), centre + quantile * step * RUNGS]
    )
    starts = np.stack(
        [
            z + np.clip((targets - centre)[:, None] * direction / reach**2, -4.0, 4.0),
            _other_floors(problem, z, targets / centre if centre > 0 else np.ones(len(targets))),
        ]
    )
    stiffness = 1e4 * scale**2 * max(centre / step, 1.0) ** 2
    bent = dataclasses.replace(
        problem,
        inputs={name: np.append(x, FAR_AWAY) for name, x in problem.inputs.items()},
        error=np.append(problem.error, problem.error.min()),
        weights=np.append(problem.weights, stiffness),
    )
    errors = np.column_stack([np.tile(problem.error, (len(targets), 1)), targets])
    solved = bent.solve(best_starts(bent, starts, errors), error=errors, iterations=ITERATIONS)
    reached = bent.error_at(solved.z, far)[0][:, 0]
    cost = float(problem.solve(z[None, :], iterations=0).cost[0])
    rise = np.sqrt(np.maximum(solved.cost - stiffness * np.log(reached / targets) ** 2 - cost, 0)) / scale
    low, high = (
        _end(centre, reached[part], rise[part], quantile)
        for part in (slice(0, len(RUNGS)), slice(len(RUNGS), None))
    )
    low = 0.0 if low is None or low <= 2 * least else low
    return Interval(centre * unit, low * unit, math.inf if high is None else high * unit, level)


def _other_floors(problem: Problem, z: Array, factors: Array) -> Array:
    """Return solutions whose parameters of the floor are multiplied by factors, (factors, free)."""
    floors = np.array([not p.log and not p.signed for p in problem.free])
    return np.asarray(np.where(floors, z * factors[:, None], z))


def _end(centre: float, reached: Array, rise: Array, quantile: float) -> float | None:
    """Return where the rise crosses a quantile along a side of a profile; None where it does not."""
    x = np.concatenate([[centre], reached])
    y = np.maximum.accumulate(np.concatenate([[0.0], np.where(np.isfinite(rise), rise, 0.0)]))
    over = np.flatnonzero(y >= quantile)
    if not len(over):
        return None
    k = int(over[0])
    return float(x[k - 1] + (quantile - y[k - 1]) / (y[k] - y[k - 1]) * (x[k] - x[k - 1]))


def average_intervals(laws: Sequence[LawEvidence]) -> dict[str, Interval]:
    """Combine the intervals of the exponents and of the floor of several laws, weighted by their evidence.

    Parameters
    ----------
    laws : sequence of LawEvidence
        The laws, fitted to the same points.

    Returns
    -------
    dict of str to Interval
        The exponents (keys "n" and "m") and the floor (key "floor").  A key is left out if one of the laws
        lacks it.
    """
    if not laws:
        return {}
    evidence = _probabilities(laws)
    names = [name for name in laws[0].limits if all(name in law.limits for law in laws)]
    return {
        name: _mixed([law.limits[name] for law in laws], evidence, [w.degrees for w in laws])
        for name in names
    }


def _mixed(own: Sequence[Interval], evidence: Array, degrees: Sequence[int]) -> Interval:
    """Return the interval of a mixture of split t distributions, of the laws that determine the value."""
    if all(one.low == one.high == own[0].estimate for one in own):
        return own[0]  # all laws hold the quantity at one value
    clear = np.array([math.isfinite(one.high) and math.isfinite(one.low) for one in own])
    share = evidence / evidence.sum()
    if share[clear].sum() >= CLEAR:
        own = [one for one, yes in zip(own, clear, strict=True) if yes]
        degrees = [one for one, yes in zip(degrees, clear, strict=True) if yes]
        share = share[clear] / share[clear].sum()
    level = own[0].level
    estimate = float(sum(w * one.estimate for w, one in zip(share, own, strict=True)))
    counted = share > 1e-4
    ends = np.array([[one.low, one.high] for one in own])[counted]
    finite = ends[np.isfinite(ends)]
    if not len(finite):
        return Interval(estimate, -math.inf, math.inf, level)
    margin = np.ptp(finite) / 2
    x = np.linspace(finite.min() - margin, finite.max() + margin, 4001)
    below = sum(w * _distribution(x, one, int(d)) for w, one, d in zip(share, own, degrees, strict=True))
    tail = (1 - level) / 2
    low = float(np.interp(tail, below, x)) if below[0] <= tail else -math.inf
    high = float(np.interp(1 - tail, below, x)) if below[-1] >= 1 - tail else math.inf
    if (ends[:, 0] == 0).any() and low <= 2 * (x[1] - x[0]):
        low = 0.0
    low = max(low, 0.0)  # exponents and floors are positive
    return Interval(estimate, min(low, estimate), max(high, estimate), level)


def _distribution(x: Array, own: Interval, degrees: int) -> Array:
    """Return the distribution function of a split t distribution with the ends of an interval."""
    quantile = float(special.stdtrit(degrees, (1 + own.level) / 2))
    below, above = max(own.estimate - own.low, 1e-300), max(own.high - own.estimate, 1e-300)
    distance = np.where(x < own.estimate, (x - own.estimate) / below, (x - own.estimate) / above)
    return np.asarray(special.stdtr(degrees, quantile * np.clip(distance, -1e6, 1e6)))


def user_weights(problem: Problem, powers: Mapping[str, float]) -> Array:
    """Return the user's weights: the weights of a problem, without the powers of inputs that they contain.

    Parameters
    ----------
    problem : Problem
        The problem.
    powers : dict of str to float
        {input: k} if the weights were multiplied by the power k of this input.
    """
    weights = problem.weights.copy()
    for name, power in powers.items():
        weights = weights / (problem.inputs[name] / problem.inputs[name].max()) ** power
    return weights
