"""The one fitter: any law, from many scaled starts, with intervals and honest warnings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from errsrc import checks
from errsrc.errors import NoFit
from errsrc.fitting import intervals
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.minimiser import Solution
from errsrc.fitting.problem import Problem, pose
from errsrc.laws.law import Array, Law, compiled_error
from errsrc.results import Interval

DRAWS = 256
HUBER = 1.0
"""Default threshold of the Huber loss, in robust standard deviations of the residuals."""
FAR = 100.0
"""A positive parameter is determined on a side where its interval ends within this factor."""
MISFIT = 2.0
"""Residuals this many times the noise between seeds are not noise: the fit says so."""
OUTLIER = 3.0
"""Residuals beyond this many robust standard deviations count as no larger in a Huber fit's noise."""


@dataclass(frozen=True, eq=False)
class Fit(Forecast):
    """A fitted law with what the data says, and does not say, about it.

    Attributes
    ----------
    law
        The law at the optimum, in natural units.
    intervals
        {name: Interval} of the fitted parameters: profile-likelihood intervals, or
        bootstrap ones under a Huber loss.
    divergence_mean, divergence_std
        Mean and standard deviation of (e^ - e) / e over the points, as in R20.
    objective, value
        What was minimised, and its minimum (a weighted sum over the points).
    noise, run_noise
        Residual standard deviation of ln error; that of a new run around the mean curve,
        which is larger where the points look like a running best.
    seed_noise
        Standard deviation of ln error between rows of equal inputs; nan without repeats.
    starts, agreement
        Starts tried, and the share of them that ended at the optimum.
    ties
        Laws with clearly different parameters that fit as well within the noise.
    condition
        Condition number of the Jacobian in scaled coordinates at the optimum.
    draws
        {name: (runs,) float64}: parameters of bootstrap refits, in natural units.
    inputs, error, weights
        The points fitted, in natural units.
    warnings
        What the reader must know, a sentence each.
    """

    law: Law
    intervals: dict[str, Interval]
    divergence_mean: float
    divergence_std: float
    objective: str
    value: float
    noise: float
    run_noise: float
    seed_noise: float
    starts: int
    agreement: float
    ties: tuple[Law, ...]
    condition: float
    draws: dict[str, Array]
    inputs: dict[str, Array]
    error: Array
    weights: Array
    warnings: tuple[str, ...]

    @property
    def input_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The law's inputs."""
        return self.law.inputs

    @property
    def at_most(self) -> Mapping[str, float]:  # type: ignore[override]
        """The largest values of inputs that have one."""
        return self.law.at_most

    @property
    def runs(self) -> int:  # type: ignore[override]
        """How many draws of the parameters there are."""
        return len(next(iter(self.draws.values())))

    def paired(self, inputs: dict[str, Array]) -> Array:
        """Return ln error at inputs (1 + runs, points): the law's in row 0, a draw's in each other."""
        code = compiled_error(type(self.law))  # type: ignore[arg-type]
        points = [inputs[name] / self.law.reference(name) for name in self.law.inputs]
        values = [np.concatenate([[v], self.draws[name]])[:, None] for name, v in self.law.params.items()]
        return np.log(np.broadcast_to(code(*points, *values), points[0].shape))


@np.errstate(all="ignore")
def fit(
    law: type[Law],
    error: ArrayLike,
    *,
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    weights: ArrayLike | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    objective: str = "divergence",
    huber_delta: float | None = None,
    starts: int = 32,
    level: float = 0.9,
    seed: int = 0,
    **inputs: ArrayLike,
) -> Fit:
    """Fit a law to measured errors.

    Parameters
    ----------
    law
        The class to fit, one of `errsrc.laws.ALL` or your own.
    error
        (points,) measured errors, > 0.  Rows of equal inputs are repeated seeds.
    fixed
        {parameter: value in natural units} not to fit, such as ``{"eps0": 0.9}``.
    constants
        {field: value} of the law's unit fields; by default the largest input.
    weights
        (points,) relative weights, for instance inverse variances (`seed_weights`).
    bounds
        {parameter: (low, high)} to search in, for parameters whose unit has no free exponent.
    objective
        "divergence": squares of (e^ - e) / e, as in R20; "log": squares of ln(e^ / e);
        "huber": Huber losses of ln(e^ / e), as in Hoffmann et al. 2022; "absolute":
        squares of e^ - e.
    huber_delta
        Threshold of the Huber loss in ln error (1e-3 in Hoffmann et al.); None takes one
        robust standard deviation of the residuals of the "log" fit.
    starts
        Random starts; four times as many are tried where fewer than two agree.
    level
        Coverage of the parameters' intervals.
    seed
        Of the starts' design and of the bootstrap: the same seed gives the same fit.
    **inputs
        (points,) arrays, > 0, one for each of ``law.inputs``.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError, TypeError
        For data that no fit can use: not positive, no more points than free parameters, an input
        that does not vary, or only together with another.
    NoFit
        If no start converged, or the optimum makes no sense (`Law.complaint`) or fits worse than
        a constant; the exception carries the best law seen.

    Notes
    -----
    A fit of 5 parameters to 240 points from 32 starts takes about 0.1 s of one core.
    Profile intervals: Bates and Watts 1988, "Nonlinear regression analysis", section 6.1.
    """
    checks.integer(starts, "starts", "fit", 1)
    checks.number(level, "level", "fit", 0.0, 1.0, open_low=True, open_high=True)
    delta = 1.0 if huber_delta is None else huber_delta
    problem = pose(law, error, inputs, fixed, constants, weights, bounds, objective, delta)
    first = problem.starts(starts, seed)
    if objective == "huber" and huber_delta is None:
        plain = dataclasses.replace(problem, objective="log")
        found = search(plain, first)
        first = found.z
        residual = plain.residuals(first[[found.cost.argmin()]], plain.error)[0][0]
        delta = max(HUBER * robust_scale(residual, problem.weights), 1e-9)
        problem = dataclasses.replace(problem, huber_delta=delta)
    return describe(optimum(problem, first, seed), level, DRAWS, seed)


class Optimum(NamedTuple):
    """A solved problem: where every start ended, and the best of them.

    Attributes
    ----------
    problem, solution
        What was solved, and where every start ended.
    z, cost
        The best coordinates, (free,), and the sum of losses there.
    flat
        Whether they lie in a valley along which the cost hardly changes.
    """

    problem: Problem
    solution: Solution
    z: Array
    cost: float
    flat: bool


def optimum(problem: Problem, starts: Array, seed: int) -> Optimum:
    """Minimise from `starts`, and from four times as many others where fewer than two agree.

    Parameters
    ----------
    problem
        What to minimise.
    starts
        Scaled coordinates, (starts, free).
    seed
        Of those; others are drawn from the next one.

    Raises
    ------
    NoFit
        If the best start neither converged nor lies in a valley that is flat.
    """
    solution = search(problem, starts)
    if _agreeing(solution.cost).sum() < 2:
        more = search(problem, problem.starts(4 * len(starts), seed + 1))
        solution = Solution(*(np.concatenate(pair) for pair in zip(solution, more, strict=True)))
    best = int(solution.cost.argmin())
    z, cost = solution.z[best], float(solution.cost[best])
    if solution.converged[best]:
        return Optimum(problem, solution, z, cost, False)
    again = problem.solve(z[None, :], iterations=5000)
    exact = again.cost[0] < 1e-14 * len(problem.error)  # rounding is near, and so is the optimum
    if np.isfinite(cost) and (again.converged[0] or exact or again.cost[0] > cost * (1 - 1e-3)):
        return Optimum(problem, solution, again.z[0], float(again.cost[0]), not again.converged[0])
    message = f"The fit of {problem.law.__name__} did not converge from any of {len(solution.cost)} starts."
    raise NoFit(message, problem.law_at(again.z[0]) if np.isfinite(again.cost[0]) else None)


def describe(found: Optimum, level: float, draws: int, seed: int) -> Fit:
    """Return the `Fit` of a solved problem: intervals of coverage `level`, bootstrap refits, warnings.

    Parameters
    ----------
    found
        Where the search ended.
    level
        Coverage of the intervals, in (0, 1).
    draws, seed
        How many refits, and the seed of their resampling.

    Raises
    ------
    NoFit
        For a law that its own `Law.complaint` forbids, and one that fits worse than a constant.
    """
    problem, solution, z, cost, flat = found
    law = problem.law_at(z)
    if (complaint := law.complaint()) is not None:
        raise NoFit(complaint, law)
    predicted = problem.error_at(z[None, :], problem.inputs)[0][0]
    divergence = predicted / problem.error - 1
    jac = problem.residuals(z[None, :], problem.error)[1][0]
    residual = np.log1p(divergence)
    flatness = _beside_a_constant(problem, residual)
    if flatness > 1:
        raise NoFit(f"The {type(law).__name__} law fits these points worse than a constant does.", law)
    if problem.objective == "huber":  # outliers must not widen every interval
        limit = OUTLIER * max(robust_scale(residual, problem.weights), 1e-12)
        residual = np.clip(residual, -limit, limit)
    seed_noise = intervals.seed_noise(problem)
    noise = intervals.noise_scale(problem, residual, jac)
    if problem.objective == "huber":  # the weights of near points hide noise that the others show
        scatter = local_scale(problem.inputs["n"], problem.error) if law.inputs == ("n",) else 0.0
        noise = max(noise, scatter, 0.0 if math.isnan(seed_noise) else seed_noise)
    excess = _running_best(problem, np.log(predicted), noise)

    refits = intervals.bootstrap(problem, z, draws, seed)
    natural, centres = problem.natural(), problem.shift(z[None, :])[0]
    if problem.objective == "huber":
        ends = intervals.percentiles(natural, centres, problem.shift(refits), noise, level)
    else:
        ends = intervals.profile(natural, centres, len(problem.error) - len(problem.free), level)
    found_intervals = {}
    for p, centre, (low, high) in zip(problem.free, centres, ends, strict=True):
        if p.log:  # an end farther away than `FAR` bounds nothing
            low = np.exp(low) if centre - low < np.log(FAR) else 0.0
            high = np.exp(high) if high - centre < np.log(FAR) else np.inf
        low = low if p.signed else max(low, 0.0)
        found_intervals[p.name] = Interval(law.params[p.name], float(low), float(high), level)
    condition, entangled = intervals.condition(problem, z)
    ties = intervals.ties(problem, solution, z, cost, len(problem.error) - len(problem.free))
    agreement = float(np.mean(_agreeing(solution.cost)))

    warnings = list(_warnings(problem, z, found_intervals, condition, entangled, agreement, len(ties)))
    if flat:
        warnings.append("The optimum lies in a flat valley: far along it the fit is as good.")
    if flatness > 0.7:
        warnings.append("The law explains less than half of how the error varies.")
    if seed_noise > 0 and noise > MISFIT * seed_noise:
        warnings.append(
            f"The residuals ({noise:.2g}) are {noise / seed_noise:.1f} times the noise between seeds: "
            "this law misses something that is there."
        )
    if excess > 1.5:
        warnings.append(
            "The errors never rise, as noise would make them: they look like a running best, and the noise "
            "of a new run is taken to be twice that of the residuals."
        )
    return Fit(
        law=law,
        intervals=found_intervals,
        divergence_mean=float(divergence.mean()),
        divergence_std=float(divergence.std()),
        objective=problem.objective,
        value=cost,
        noise=noise,
        run_noise=excess * noise,
        seed_noise=seed_noise,
        starts=len(solution.cost),
        agreement=agreement,
        ties=ties,
        condition=condition,
        draws={name: v[:, 0] for name, v in problem.natural().values(problem.shift(refits)).items()},
        inputs={name: problem.measured[name] for name in law.inputs},
        error=problem.measured["error"],
        weights=problem.weights,
        warnings=tuple(warnings),
    )


def _beside_a_constant(problem: Problem, residual: Array) -> float:
    """Return the root mean square residual over the spread of ln error; 0 where that is nothing."""
    logs = np.log(problem.error)
    spread = np.average((logs - np.average(logs, weights=problem.weights)) ** 2, weights=problem.weights)
    square = np.average(residual**2, weights=problem.weights)
    return float(np.sqrt(square / spread)) if spread > 1e-12 else 0.0


def _running_best(problem: Problem, logs: Array, noise: float) -> float:
    """Return by how much the noise of a new run exceeds the residuals': between 1 and 2.

    A curve whose errors fall at every point, though its noise and its small steps should
    have made some of them rise, is the running best of a noisier one.  The factor is
    2 - P, with P the chance that noise leaves no rise (steps taken as independent, an upper
    bound), and 1 after any rise or where sizes repeat.
    """
    if len(problem.law.inputs) > 1 or noise <= 0:
        return 1.0
    repeated = np.any(np.diff(problem.inputs[problem.law.inputs[0]]) == 0)  # rows are sorted
    if repeated or np.any(np.diff(problem.error) > 0):
        return 1.0
    fall = -np.diff(logs) / (math.sqrt(2) * noise)
    return float(2 - np.prod(special.ndtr(fall)))


def search(problem: Problem, starts: Array) -> Solution:
    """Minimise a problem from starts (starts, free) for a while, then only the best quarter to the end."""
    first = problem.solve(starts, iterations=60)
    leaders = np.argsort(first.cost)[: max(len(starts) // 4, 1)]
    leaders = leaders[~first.converged[leaders]]
    if leaders.size:
        rest = problem.solve(first.z[leaders])
        for old, new in zip(first, rest, strict=True):
            old[leaders] = new
    return first


def robust_scale(residual: Array, weights: Array) -> float:
    """Return the standard deviation that the weighted median absolute residual tells of a normal sample.

    Residual and weights are (points,).
    """
    order = np.argsort(np.abs(residual))
    share = np.cumsum(weights[order])
    middle = np.searchsorted(share, share[-1] / 2)
    return float(np.abs(residual)[order][middle] / 0.6745)


def local_scale(n: Array, error: Array) -> float:
    """Return the scale of the scatter of ln error between neighbours in ln n, without any law.

    Both are (points,).  Each size (mean over its runs) is compared with the line through its two
    neighbours; the median absolute difference, in units of its own standard deviation, is read as that of a
    normal sample.  0 for fewer than four sizes.
    """
    x, group, runs = np.unique(np.log(n), return_inverse=True, return_counts=True)
    y = np.bincount(group.ravel(), np.log(error)) / runs
    if len(x) < 4:
        return 0.0
    share = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])
    bend = y[1:-1] - share * y[:-2] - (1 - share) * y[2:]
    bend /= np.sqrt(1 / runs[1:-1] + share**2 / runs[:-2] + (1 - share) ** 2 / runs[2:])
    return robust_scale(bend, np.ones(len(bend)))


def _agreeing(cost: Array) -> Array:
    """Return which costs equal the least one, up to what the iteration can tell apart."""
    return cost <= cost.min() * (1 + 1e-6) + 1e-20


def _warnings(
    problem: Problem,
    z: Array,
    intervals: Mapping[str, Interval],
    condition: float,
    entangled: tuple[str, ...],
    agreement: float,
    ties: int,
) -> tuple[str, ...]:
    out = []
    loose = [name for name, interval in intervals.items() if not interval.determined]
    for name in loose:
        shown = str(intervals[name])
        bound = "" if shown == "not determined" else f" ({intervals[name].level:.0%}): {shown}"
        out.append(f"{name} is not determined by these points{bound}.")
    if condition > 1e6 and len(entangled) == 1 and entangled[0] not in loose:
        out.append(f"{entangled[0]} is not determined by these points.")
    elif len(entangled) > 1 and (condition > 1e6 or len(set(entangled) & set(loose)) > 1):
        out.append(f"Only a combination of {' and '.join(entangled)} is determined, not each alone.")
    if agreement < 0.1:
        out.append(f"Only {agreement:.0%} of the starts reached the optimum; a better one may exist.")
    if ties:
        out.append(f"Other parameters fit as well within the noise: {ties} such optima, see ties.")
    lower, upper = problem.bounds()
    for p, value, low, high in zip(problem.free, z, lower, upper, strict=True):
        if p.name not in loose and (value <= low or value >= high):
            out.append(f"{p.name} ended at the bound of its search.")
    return tuple(out)


def seed_weights(error: ArrayLike, **inputs: ArrayLike) -> Array:
    """Return weights from repeated seeds: inverse variances of ln error, shrunk to the pooled one.

    Parameters
    ----------
    error
        (points,) errors, > 0.
    **inputs
        (points,) arrays; rows of equal inputs are repeats of one cell.

    Returns
    -------
    (points,) float64 with mean 1.  A cell's variance counts with its k - 1 degrees of freedom
    beside 4 of the pooled variance (an inverse-gamma prior), so that two seeds that
    happen to agree do not take the fit over.

    Raises
    ------
    ValueError
        If no cell is repeated.
    """
    e = checks.positive_array(error, "error", "seed_weights")
    keys = np.column_stack(
        [np.broadcast_to(checks.positive_array(x, k, "seed_weights"), e.shape) for k, x in inputs.items()]
    )
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    if count.max() < 2:
        raise ValueError(
            checks.refusal("error", "seed_weights", "repeated in at least one cell", "<no repeats>")
        )
    logs = np.log(e)
    mean = np.bincount(group, logs) / count
    squares = np.bincount(group, (logs - mean[group]) ** 2)
    pooled = squares.sum() / (len(e) - len(count))
    variance = (squares + 4 * pooled) / (count - 1 + 4)
    weights = 1 / variance[group] if pooled > 0 else np.ones(len(e))
    return weights / weights.mean()
