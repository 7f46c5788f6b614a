"""Intervals of parameters: by profile likelihood for least squares, otherwise by a bootstrap.

- `profile`: an interval ends where the sum of squares, minimised over all other parameters, has risen by an
  amount given by Student's t distribution (Bates and Watts 1988, "Nonlinear regression analysis", sec. 6.1),
  and by how uneven the noise seems to be (`uneven_noise`).
- `bootstrap` and `percentiles`: under a Huber loss, the ends of an interval are quantiles of refits to
  resampled data.  If every refit ends at the same bound of a parameter, such as a floor of 0, these quantiles
  have no width.  The profile then gives the interval.

The refits of the bootstrap are also the draws of a fit, which give the intervals of predictions and plans.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.fitting.anomalies import far_rows
from errsrc.fitting.clusters import degrees_of_freedom, design_effect, random_weights, widths, wild_noise
from errsrc.fitting.few_sizes import drawn_centres, random_errors
from errsrc.fitting.finer_profiles import finer, has_two_sizes
from errsrc.fitting.noise import noise_scale
from errsrc.fitting.problem import OPEN_MEDIAN, OPEN_WIDTH, Problem
from errsrc.fitting.uneven_noise import quantiles
from errsrc.laws.law import Array
from errsrc.laws.parameters import Parameter
from errsrc.results import Interval

FAR = 100.0
"""An end of the interval of a positive parameter that is farther away than this factor counts as no bound."""
OPEN = 10.0
"""A positive parameter counts as not determined if its standard error is larger than this factor."""
CEILING = 10.0
"""Upper end of the range of an upper plateau that no point has reached, in units of the largest error."""
PLACES, MOVES = 3, 4
"""Number of starts of each refit of `plausible_refits`, and of places that are tried for each refit."""
OPEN_STARTS = 24
"""Number of random starts of the fit around which `open_refits` resamples."""
LARGEST_SCALE = 3.0
"""Largest factor by which `open_refits` multiplies the noise."""
MOST_MOVED = 3.0
"""Largest change of ln of a place in `plausible_refits`."""


def parameter_intervals(
    problem: Problem, z: Array, refits: Array, noise: float, level: float
) -> dict[str, Interval]:
    """Return the interval of every free parameter of a fit.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    refits : ndarray of float64, shape (draws, free)
        Coordinates of the refits, as `bootstrap` returns them.
    noise : float
        Standard deviation of ln error around the law.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Interval
        Intervals in the units of the given points.  If the points do not bound an end, the end is -inf or
        inf, or 0 for the lower end of a positive parameter.
    """
    unit = problem.error_unit
    natural, centres = problem.natural(unit), problem.shift(z[None, :], unit)[0]
    if problem.objective == "huber":
        ends = percentiles(natural, centres, problem.shift(refits, unit), noise, level)
        pinned = ends[:, 1] <= ends[:, 0]
        if pinned.any():
            degrees = max(len(problem.error) - len(problem.free), 1)
            ends[pinned] = profile(problem, z, degrees, level, 30)[pinned]
    else:
        ends = profile(problem, z, len(problem.error) - len(problem.free), level)
    return named_intervals(problem, natural, centres, ends, problem.law_at(z).params, level)


def named_intervals(
    problem: Problem, natural: Problem, centres: Array, ends: Array, params: Mapping[str, float], level: float
) -> dict[str, Interval]:
    """Return the interval of each parameter, in the units of the values of `params`.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    natural : Problem
        The problem in natural units, as `Problem.natural` returns it.
    centres : ndarray of float64, shape (free,)
        The fitted coordinates in natural units.
    ends : ndarray of float64, shape (free, 2)
        Lower and upper ends of the intervals of these coordinates.
    params : dict of str to float
        The estimates, in the units of the given points.
    level : float
        Coverage of the intervals, in (0, 1).
    """
    intervals = {}
    for p, centre, (low, high) in zip(problem.free, centres, ends, strict=True):
        if p.log:
            low = np.exp(low) if centre - low < np.log(FAR) else 0.0
            high = np.exp(high) if high - centre < np.log(FAR) else np.inf
        low = low if p.signed else max(low, 0.0)
        low, high = (natural.in_given_units(p, end) for end in (low, high))
        intervals[p.name] = Interval(params[p.name], float(low), float(high), level)
    return intervals


def bootstrap(problem: Problem, z: Array, draws: int, seed: int, tied: Array | None = None) -> Array:
    """Return the solutions of refits to resampled data.

    Errors are redrawn around the fitted law with the standard deviation of the residuals, corrected for the
    number of parameters.  Along a single input, neighbouring residuals may be correlated, for example if the
    points are evaluations of one training run.  Therefore the noise of a law in one input is autoregressive,
    with the correlation of neighbouring residuals.  Huber fits in several inputs are instead refitted under
    exponential weights (Rubin 1981), which need no model of the noise.  Fits with priors to few different
    sizes are an exception (`errsrc.fitting.few_sizes`).  If the points come in clusters, whole clusters are
    resampled (`errsrc.fitting.clusters`).

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        The solution of the problem, at which the refits start.
    draws : int
        Number of refits.
    seed : int
        Seed of the resampling.
    tied : ndarray of float64, shape (optima, free), optional
        All optima that fit equally well within the noise (`diagnostics.tied_optima`).  An equal share of the
        refits starts at each of these optima.  The draws then show all alternatives that the points allow.

    Returns
    -------
    ndarray of float64, shape (draws, free)
        Scaled coordinates of the solution of each refit.
    """
    starts = np.repeat(z[None, :], draws, axis=0)
    if tied is not None:
        starts = tied[np.arange(draws) % len(tied)]
    return problem.solve(starts, **_resampled(problem, z, draws, seed), iterations=30, tolerance=1e-6).z


def plausible_refits(problem: Problem, z: Array, draws: int, seed: int, open_: Collection[str]) -> Array:
    """Return refits to points that do not show how the error leaves a plateau or falls off a cliff.

    The best fit to such points follows their noise, and so do refits to resampled data.  Here the parameters
    in `open_` are drawn evenly from ranges of plausible values: the ranges in which fits start
    (`errsrc.laws.parameters`).  A ceiling is between the largest error and `CEILING` times this error, and a
    floor between 0 and the smallest error.  All other parameters are refitted with random weights of the
    points or clusters.  In half of the refits, the place where the error leaves its plateau is then moved by
    a random factor, because this place may be far beyond the points.  The other parameters are refitted once
    more.

    Refits are chosen with probabilities in proportion to exp(-rise / 2), where rise is how far the sum of
    squares exceeds its smallest value, in units of the variance of the noise.  Points of one cluster count as
    fewer points (`clusters.design_effect`).

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        The solution of the problem.
    draws : int
        Number of refits.
    seed : int
        Seed of the resampling.
    open_ : collection of str
        Names of the parameters that the points do not determine.

    Returns
    -------
    ndarray of float64, shape (draws, free)
        Scaled coordinates of the refits.
    """
    rng = np.random.default_rng([seed, 2])
    ranges = [_plausible_range(problem, p) for p in problem.free]
    held = np.array([p.name in open_ and r is not None for p, r in zip(problem.free, ranges, strict=True)])
    starts = np.empty((PLACES, draws, len(z)))
    starts[:] = z
    for j, (p, found_range) in enumerate(zip(problem.free, ranges, strict=True)):
        share = rng.permutation((np.arange(draws) + 0.5) / draws)
        if p.name in open_:
            each = share if held[j] else rng.random((PLACES, draws))
            low, high = (math.log(x) if p.log else x for x in found_range or p.start)
            starts[:, :, j] = low + (high - low) * each
    weights = _random_weights(problem, draws, rng)
    found = problem.solve(
        starts.reshape(-1, len(z)),
        weights=np.tile(weights, (PLACES, 1)),
        frozen=np.tile(held, (PLACES * draws, 1)),
        iterations=60,
        tolerance=1e-6,
    )
    cost = np.where(np.isfinite(found.cost), found.cost, np.inf).reshape(PLACES, draws)
    refits = found.z.reshape(starts.shape)[cost.argmin(axis=0), np.arange(draws)]
    refits = np.repeat(refits, MOVES, axis=0)
    place = np.array([p.name in problem.law.places for p in problem.free])
    stays = np.arange(len(refits)) % MOVES == 0
    moved = rng.permutation((np.arange(len(refits)) + 0.5) / len(refits)) * 2 - 1
    refits[:, place] += MOST_MOVED * np.where(stays, 0.0, moved)[:, None]
    frozen = np.tile(held | place, (len(refits), 1))
    weights = np.repeat(weights, MOVES, axis=0)
    refits = problem.solve(refits, weights=weights, frozen=frozen, iterations=20, tolerance=1e-4).z
    cost = problem.solve(refits, iterations=0).cost
    cost = np.where(np.isfinite(cost), cost, np.inf)
    degrees = max(len(problem.error) - len(problem.free), 1)
    variance = float(cost.min()) / degrees
    if problem.clusters is not None:
        residual = problem.residuals(refits[[cost.argmin()]], problem.error)[0][0]
        variance *= design_effect(np.sqrt(problem.weights) * residual, problem.clusters)
    chances = np.exp(-(cost - cost.min()) / (2 * max(variance, 1e-300)))
    shares = [np.where(rows, chances, 0.0) for rows in (stays, ~stays)]
    halves = [draws // 2, draws - draws // 2]
    chosen = [
        rng.choice(len(refits), count, p=share / share.sum())
        for count, share in zip(halves, shares, strict=True)
        if count
    ]
    return np.asarray(refits[rng.permutation(np.concatenate(chosen))])


def open_refits(problem: Problem, z: Array, draws: int, seed: int) -> Array:
    """Return refits of a law in several sizes, such as n and m, to points that may leave its exponents open.

    The best fit to such points follows their noise, and refits from this fit stay near it: with two model
    sizes, all of them may have the same steep exponent.  Here the exponents have a weak prior (`OPEN_MEDIAN`,
    `OPEN_WIDTH`), whose centre is drawn from the prior in each refit.  Where the points leave an exponent
    open, the refits have the exponents of the prior.  Elsewhere the refits follow the points
    (randomize-then-optimize, Bardsley et al. 2014).  Few points also leave the noise open: it has another
    scale in each refit (`_with_drawn_scale`).

    Parameters
    ----------
    problem : Problem
        The problem that was solved, without priors.
    z : ndarray of float64, shape (free,)
        The solution of the problem.
    draws : int
        Number of refits.
    seed : int
        Seed of the resampling.

    Returns
    -------
    ndarray of float64, shape (draws, free)
        Scaled coordinates of the refits.
    """
    residual, jac = (part[0] for part in problem.residuals(z[None, :], problem.error))
    prior = max(noise_scale(problem, residual, jac), 1e-9)
    weak = dataclasses.replace(problem, prior=prior, exponent_prior=(OPEN_MEDIAN, OPEN_WIDTH))
    first = weak.solve(np.concatenate([z[None, :], problem.starts(OPEN_STARTS, seed)]))
    centre = first.z[int(np.where(np.isfinite(first.cost), first.cost, np.inf).argmin())]
    rng = np.random.default_rng([seed, 3])
    resampled = _resampled(weak, centre, draws, seed)
    resampled["centres"] = drawn_centres(weak, np.ones(len(z), dtype=bool), draws, rng)
    if "error" in resampled and problem.clusters is None:
        resampled["error"] = _with_drawn_scale(weak, centre, resampled["error"], rng)
    starts = np.repeat(centre[None, :], draws, axis=0)
    return weak.solve(starts, **resampled, iterations=30, tolerance=1e-6).z


def _with_drawn_scale(problem: Problem, z: Array, error: Array, rng: np.random.Generator) -> Array:
    """Return resampled errors, (draws, points), with noise of a random scale in each draw.

    The residuals estimate the variance of normal noise with d degrees of freedom, the number of points minus
    the number of free parameters.  The noise of each draw is multiplied by sqrt(d / x), where x has the
    chi-squared distribution with d degrees of freedom.  The deviations then have Student's t distribution.
    The factor is at most `LARGEST_SCALE`.
    """
    degrees = max(len(problem.error) - len(problem.free), 1)
    share = rng.chisquare(degrees, size=(len(error), 1)) / degrees
    factor = 1 / np.sqrt(np.maximum(share, LARGEST_SCALE**-2))
    predicted = problem.error_at(z[None, :], problem.inputs)[0][0]
    if problem.objective == "absolute":
        return np.asarray(np.maximum(predicted + factor * (error - predicted), predicted / 10))
    return np.asarray(predicted * (error / predicted) ** factor)


def _plausible_range(problem: Problem, parameter: Parameter) -> tuple[float, float] | None:
    """Return the plausible values of a parameter in scaled units; None for an amplitude or a place."""
    if parameter.name in problem.law.ceilings:
        largest = float(problem.error.max())
        return largest, CEILING * largest
    if parameter.unit == (("error", 1),) and not parameter.log:  # a floor
        return 0.0, float(problem.error.min())
    return None if parameter.unit else parameter.start


def _random_weights(problem: Problem, draws: int, rng: np.random.Generator) -> Array:
    """Return random weights of the points, or of whole clusters, (draws, points)."""
    if problem.clusters is None:
        return np.asarray(problem.weights * rng.exponential(size=(draws, len(problem.error))))
    count = int(problem.clusters.max()) + 1
    return np.asarray(problem.weights * rng.exponential(size=(draws, count))[:, problem.clusters])


def _resampled(problem: Problem, z: Array, draws: int, seed: int) -> dict[str, Any]:
    """Return the errors, or the weights and the centres of priors, of resampled data, for `Problem.solve`."""
    rng = np.random.default_rng([seed, 1])
    points = len(problem.error)
    if problem.clusters is not None:
        return _clustered(problem, problem.clusters, z, draws, rng)
    far = far_rows(problem, z) if problem.objective == "huber" else np.zeros(points, dtype=bool)
    if problem.objective == "huber" and problem.prior > 0 and problem.few_sizes:
        return random_errors(problem, z, far, draws, rng)
    if problem.objective == "huber" and len(problem.law.inputs) > 1:
        weights = _random_weights(problem, draws, rng)
        weights[:, far] = problem.weights[far]  # a wrong row of a large weight would pull its refit away
        return {"weights": weights, "centres": _drawn_centres(problem, draws, rng)}
    predicted = problem.error_at(z[None, :], problem.inputs)[0][0]
    residual, jac = (part[0] for part in problem.residuals(z[None, :], problem.error))
    residual = np.where(far, np.median(residual[~far]), residual)  # wrong rows are not noise
    noise = rng.standard_normal((draws, points))
    scale = noise_scale(problem, residual, jac)
    if problem.objective != "huber":  # where weights are precisions
        noise /= np.sqrt(problem.weights)
    if len(problem.law.inputs) == 1:
        noise = _autoregressive(problem, residual, noise)
    if problem.objective == "absolute":
        return {"error": np.maximum(predicted + scale * noise, predicted / 10)}
    return {"error": predicted * np.exp(scale * noise)}


def _drawn_centres(problem: Problem, draws: int, rng: np.random.Generator) -> Array | None:
    """Return the centres of the priors of each refit, (draws, free); None for the same centres in all.

    Two sizes do not determine both an exponent and a floor: the prior of the exponent decides.  Therefore
    each refit draws the centre of this prior from the prior (randomize-then-optimize, Bardsley et al. 2014).
    """
    law, names = problem.law, [p.name for p in problem.free]
    exponents = {"n": law.data_exponent_name, "m": law.model_exponent_name}
    two = np.zeros(len(names), dtype=bool)
    for size, name in exponents.items():
        if name in names and size in law.inputs:
            two[names.index(name)] = len(np.unique(problem.inputs[size])) == 2
    return drawn_centres(problem, two, draws, rng)


def _clustered(
    problem: Problem, clusters: NDArray[np.intp], z: Array, draws: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the errors or the weights of resampled clusters, for `Problem.solve`."""
    residual, jac = (part[0] for part in problem.residuals(z[None, :], problem.error))
    root, prior = np.sqrt(problem.weights), problem.prior_strengths()
    rows = root[:, None] * jac
    if problem.objective == "huber":
        degrees = degrees_of_freedom(rows, clusters, prior)
        weights = problem.weights * random_weights(clusters, degrees, draws, rng)
        open_ = np.full(len(z), problem.few_sizes)  # with few sizes, priors decide the exponents
        return {"weights": weights, "centres": drawn_centres(problem, open_, draws, rng)}
    noise = wild_noise(root * residual, rows, clusters, prior, draws, rng) / root
    predicted = problem.error_at(z[None, :], problem.inputs)[0][0]
    if problem.objective == "absolute":
        return {"error": np.maximum(predicted + noise, predicted / 10)}
    return {"error": predicted * np.exp(np.clip(noise, -5.0, 5.0))}


def _autoregressive(problem: Problem, residual: Array, noise: Array) -> Array:
    """Return noise, (draws, points), whose neighbouring points are correlated as the residuals are."""
    order = np.argsort(problem.inputs[problem.law.inputs[0]], kind="stable")
    along: Array = (np.sqrt(problem.weights) * residual)[order]
    correlation = float(np.clip(along[1:] @ along[:-1] / max(float(along @ along), 1e-300), 0.0, 0.9))
    for before, now in itertools.pairwise(order):
        noise[:, now] = correlation * noise[:, before] + math.sqrt(1 - correlation**2) * noise[:, now]
    return noise


def percentiles(natural: Problem, z: Array, draws: Array, scale: float, level: float) -> Array:
    """Return the ends of the percentile intervals of bootstrap draws.

    If the points do not determine a coordinate, the ends of its interval are infinite.  The draws of such a
    coordinate only show where the search stopped, or where the prior lies.

    Parameters
    ----------
    natural : Problem
        The problem in natural units, as `Problem.natural` returns it.
    z : ndarray of float64, shape (free,)
        The fitted coordinates.
    draws : ndarray of float64, shape (draws, free)
        The coordinates of the refits.
    scale : float
        Standard deviation of the noise.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    ndarray of float64, shape (free, 2)
        Lower and upper ends.
    """
    ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0).T
    ends[:, 0], ends[:, 1] = np.minimum(ends[:, 0], z), np.maximum(ends[:, 1], z)
    ends[open_coordinates(natural, z, scale)] = [-np.inf, np.inf]
    return ends


def open_coordinates(natural: Problem, z: Array, scale: float) -> NDArray[np.bool_]:
    """Return a mask of the positive parameters that the points do not determine, bool (free,).

    The criterion is the curvature of the sum of squares, without any prior.

    Parameters
    ----------
    natural : Problem
        The problem in natural units, as `Problem.natural` returns it.
    z : ndarray of float64, shape (free,)
        The fitted coordinates.
    scale : float
        Standard deviation of the noise.
    """
    _, jac = natural.residuals(z[None, :], natural.error)
    standard_errors = scale * np.sqrt(np.diag(_covariance(np.sqrt(natural.weights)[:, None] * jac[0])))
    pairs = zip(natural.free, standard_errors, strict=True)
    return np.array([p.log and s > math.log(OPEN) for p, s in pairs])


def _covariance(jac: Array) -> Array:
    """Return the inverse of J'J for a Jacobian J, with its flattest directions kept finite."""
    if not np.isfinite(jac).all():  # LAPACK may never return
        return np.full((jac.shape[1], jac.shape[1]), np.inf)
    _, singular, right = np.linalg.svd(jac, full_matrices=False)
    inverse = right.T / np.maximum(singular, singular[0] * 1e-13)
    return inverse @ inverse.T


def profile(
    problem: Problem,
    z: Array,
    degrees: int,
    level: float,
    iterations: int = 80,
    tilt: Array | None = None,
) -> Array:
    """Return the ends of the profile-likelihood intervals, in natural units (`Problem.natural`).

    Each coordinate is held at a sequence of values on each side of the solution, while all other coordinates
    are refitted.  The interval ends where the square root of the rise of the sum of squares, in units of the
    residual standard deviation, reaches a quantile.  The quantile comes from Student's t distribution, from
    `uneven_noise.quantiles` if the noise is uneven, or from `clusters.widths` if there are clusters.

    A refit starts with the other coordinates either moved by their linear response or unchanged in scaled
    units, whichever gives the smaller sum of squares.  The linear response is useless if the points hardly
    determine one of the other coordinates.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        The solution of the problem.
    degrees : int
        Degrees of freedom: points minus free parameters.
    level : float
        Coverage, in (0, 1).
    iterations : int
        Largest number of steps of each refit.
    tilt : ndarray of float64, shape (points,), optional
        See `uneven_noise.quantiles`.

    Returns
    -------
    ndarray of float64, shape (free, 2)
        Lower and upper ends, as coordinates of ``problem.natural(problem.error_unit)``; infinite where no
        value of the sequence reaches the quantile.
    """
    natural, scaled = problem.natural(problem.error_unit), z
    z = problem.shift(z[None, :], problem.error_unit)[0]
    size = len(natural.free)
    residual, jac = natural.residuals(z[None, :], natural.error)
    root = np.sqrt(natural.weights)
    square = float(np.sum((root * residual) ** 2))
    prior = natural.prior_strengths()
    cost = float(natural.solve(z[None, :], iterations=0).cost[0]) if prior.any() else square
    scale = math.sqrt(square / degrees)
    rows = root[:, None] * jac[0]
    covariance = _covariance(np.concatenate([rows, np.diag(np.sqrt(prior))]) if prior.any() else rows)
    wald = np.sqrt(np.diag(covariance))
    sides = np.array([-1.0, 1.0])
    if scale < 1e-9:  # without noise the profile would trace rounding errors
        plain = float(special.stdtrit(degrees, (1 + level) / 2))
        return z[:, None] + plain * scale * wald[:, None] * sides
    columns = [*map(np.log, natural.inputs.values()), np.log(natural.error)]
    if natural.clusters is None:
        quantile = quantiles(root * residual[0], rows, columns, level, prior=prior, tilt=tilt)
    else:
        quantile = widths(root * residual[0], rows, natural.clusters, level, prior=prior)
    ladder = quantile[:, None, None] * np.array([0.35, 0.7, 1.0, 1.3, 1.7, 2.5, 4.0, 8.0])
    far = np.array([2.0 if p.log else max(2.0 * abs(v), 1.0) for p, v in zip(natural.free, z, strict=True)])
    step = np.minimum(scale * wald, far)
    offset = step[:, None, None] * sides[:, None] * ladder  # (free, 2, rungs)
    path = covariance / np.diag(covariance)[:, None]  # linear response of the others to a unit offset
    others = np.clip(offset[..., None] * path[:, None, None, :], -6.0, 6.0)
    held = np.broadcast_to(np.eye(size, dtype=bool)[:, None, None, :], others.shape)
    linear = z + np.where(held, offset[..., None], others)
    rate = np.diag(problem.shift(scaled + np.eye(size), problem.error_unit) - z)
    moved = scaled + np.where(held, (offset / rate[:, None, None])[..., None], 0.0)
    unchanged = problem.shift(moved.reshape(-1, size), problem.error_unit).reshape(held.shape)
    starts = np.stack([linear, np.where(held, linear, unchanged)]).reshape(2, -1, size)
    solved = natural.solve(best_starts(natural, starts), frozen=held.reshape(-1, size), iterations=iterations)
    rise = np.sqrt(np.maximum(solved.cost - cost, 0.0)) / scale
    rise = np.maximum.accumulate(rise.reshape(offset.shape), axis=2)
    found = {key: (offset[key], rise[key]) for key in np.ndindex(size, 2)}
    if has_two_sizes(natural):
        profiles = (offset, solved.z.reshape(*offset.shape, size), rise)
        found = finer(natural, z, cost, scale, profiles, quantile, iterations)
    ends = np.empty((size, 2))
    for j, side in np.ndindex(size, 2):
        end = _crossing(float(z[j]), *found[j, side], float(quantile[j]))
        ends[j, side] = sides[side] * np.inf if end is None else end
    return ends


def best_starts(problem: Problem, starts: Array, error: Array | None = None) -> Array:
    """Return the best start of each member, (members, free); a member is one of several refits.

    Parameters
    ----------
    problem : Problem
        The problem.
    starts : ndarray of float64, shape (choices, members, free)
        Several starts for each member.  The best start has the smallest objective.
    error : ndarray of float64, shape (members, points), optional
        Errors of each member; by default the errors of the problem.
    """
    costs = np.stack([problem.solve(one, error=error, iterations=0).cost for one in starts])
    best = np.where(np.isfinite(costs), costs, np.inf).argmin(axis=0)
    return np.asarray(starts[best, np.arange(len(best))])


def _crossing(z: float, offset: Array, rise: Array, quantile: float) -> float | None:
    """Return where the rise, (rungs,), at the rungs z + offset reaches a quantile; None where it does not."""
    offset, rise = np.concatenate([[0.0], offset]), np.concatenate([[0.0], rise])
    reached = np.isfinite(rise) & (rise >= quantile)
    if not reached.any():
        return None
    k = int(np.argmax(reached))
    share = (quantile - rise[k - 1]) / (rise[k] - rise[k - 1])
    return float(z + offset[k - 1] + share * (offset[k] - offset[k - 1]))


def interval_of(rows: Array, level: float) -> Interval:
    """Return an interval from an estimate and its draws.

    Parameters
    ----------
    rows : ndarray of float64, shape (1 + draws,)
        The estimate, then its draws.  A draw that is nan counts as inf.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        The estimate, between quantiles of the draws.
    """
    filled = np.where(np.isnan(rows[1:]), np.inf, rows[1:])
    low, high = np.quantile(filled, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    centre = float(rows[0])
    return Interval(centre, min(float(low), centre), max(float(high), centre), level)
