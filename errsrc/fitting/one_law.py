"""The one fitter: any law, from many scaled starts, with intervals and honest warnings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.errors import NoFit
from errsrc.fitting import intervals
from errsrc.fitting.diagnostics import beside_a_constant, condition, ties, warnings_of
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.noise import local_scale, noise_scale, robust_scale, running_best, seed_noise
from errsrc.fitting.optima import Optimum, agreeing, optimum, search
from errsrc.fitting.points import pose
from errsrc.laws.derivatives import compiled_error
from errsrc.laws.law import Array, Law
from errsrc.results import Interval

BOOTSTRAP_DRAWS = 256
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
    def draw_count(self) -> int:  # type: ignore[override]
        """How many draws of the parameters there are."""
        return len(next(iter(self.draws.values())))

    def log_errors(self, inputs: dict[str, Array]) -> Array:
        """Return ln error at inputs (1 + draw_count, points): the law's in row 0, a draw's in each other."""
        code = compiled_error(type(self.law))
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
    return describe(optimum(problem, first, seed), level, BOOTSTRAP_DRAWS, seed)


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
    flatness = beside_a_constant(problem, residual)
    if flatness > 1:
        raise NoFit(f"The {type(law).__name__} law fits these points worse than a constant does.", law)
    if problem.objective == "huber":  # outliers must not widen every interval
        limit = OUTLIER * max(robust_scale(residual, problem.weights), 1e-12)
        residual = np.clip(residual, -limit, limit)
    between_seeds = seed_noise(problem)
    noise = noise_scale(problem, residual, jac)
    if problem.objective == "huber":  # the weights of near points hide noise that the others show
        scatter = local_scale(problem.inputs["n"], problem.error) if law.inputs == ("n",) else 0.0
        noise = max(noise, scatter, 0.0 if math.isnan(between_seeds) else between_seeds)
    excess = running_best(problem, np.log(predicted), noise)

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
    conditioning, entangled = condition(problem, z)
    others = ties(problem, solution, z, cost, len(problem.error) - len(problem.free))
    agreement = float(np.mean(agreeing(solution.cost)))

    warnings = list(warnings_of(problem, z, found_intervals, conditioning, entangled, agreement, len(others)))
    if flat:
        warnings.append("The optimum lies in a flat valley: far along it the fit is as good.")
    if flatness > 0.7:
        warnings.append("The law explains less than half of how the error varies.")
    if between_seeds > 0 and noise > MISFIT * between_seeds:
        warnings.append(
            f"The residuals ({noise:.2g}) are {noise / between_seeds:.1f} times the noise between seeds: "
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
        seed_noise=between_seeds,
        starts=len(solution.cost),
        agreement=agreement,
        ties=others,
        condition=conditioning,
        draws={name: v[:, 0] for name, v in problem.natural().values(problem.shift(refits)).items()},
        inputs={name: problem.measured[name] for name in law.inputs},
        error=problem.measured["error"],
        weights=problem.weights,
        warnings=tuple(warnings),
    )
