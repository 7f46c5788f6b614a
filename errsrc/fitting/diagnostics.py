"""Diagnostics of a fit: how well the points determine it, and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from errsrc.fitting.noise import Noise, robust_scale
from errsrc.fitting.optima import Optimum, agreeing
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array, Law
from errsrc.results import Interval

MISFIT = 2.0
"""Residuals larger than this many times the noise between seeds show that the law lacks a systematic part."""


FAR_OFF = 10.0
"""A Huber fit names the points that lie more than this many robust standard deviations from the law."""
FEW = 0.5
"""A Huber fit with outliers stands if its `unexplained_by_most` is less than this."""


class Undetermined(str):
    """A warning that the points do not determine a parameter, or determine only a combination of some."""


class Identifiability(NamedTuple):
    """How well the points determine the parameters of a fit.

    Attributes
    ----------
    condition : float
        Condition number of the weighted Jacobian in scaled coordinates; inf where it is singular.
    entangled : tuple of str
        Parameters along which the sum of squares is flattest.
    agreement : float
        Share of the starts that ended at the best optimum.
    ties : tuple of Law
        Laws at other local optima that fit as well within the noise.
    """

    condition: float
    entangled: tuple[str, ...]
    agreement: float
    ties: tuple[Law, ...]


def identifiability(found: Optimum) -> Identifiability:
    """Return how well the points determine the parameters of a fit.

    Parameters
    ----------
    found : Optimum
        Where the search ended.
    """
    condition, entangled = _condition(found.problem, found.z)
    agreement = float(np.mean(agreeing(found.solution.cost)))
    return Identifiability(condition, entangled, agreement, _ties(found))


def _condition(problem: Problem, z: Array) -> tuple[float, tuple[str, ...]]:
    """Return the condition number of the weighted Jacobian at z, (free,), and the flattest parameters."""
    _, jac = problem.residuals(z[None, :], problem.error)
    _, singular, right = np.linalg.svd(np.sqrt(problem.weights)[:, None] * jac[0])
    flattest = tuple(p.name for p, v in zip(problem.free, right[-1], strict=True) if abs(v) > 0.2)
    if len(singular) < len(z) or singular[-1] <= 0:
        return math.inf, flattest
    return float(singular[0] / singular[-1]), flattest


def _ties(found: Optimum) -> tuple[Law, ...]:
    """Return the laws of other local optima whose sum of losses is as small within the noise, 5 at most."""
    problem, solution = found.problem, found.solution
    degrees = len(problem.error) - len(problem.free)
    threshold = found.cost * (1 + 1.0 / max(degrees, 1)) + 1e-20
    chosen: list[Array] = [found.z]
    for i in np.argsort(solution.cost):
        as_good = solution.converged[i] and solution.cost[i] <= threshold
        if as_good and min(np.abs(solution.z[i] - c).max() for c in chosen) > 0.2:
            chosen.append(solution.z[i])
    return tuple(problem.law_at(other) for other in chosen[1:6])


def unexplained(problem: Problem, residual: Array) -> float:
    """Return the root mean square residual over the standard deviation of ln error.

    Parameters
    ----------
    problem : Problem
        The points.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).

    Returns
    -------
    float
        1 for a law that fits no better than a constant; 0 where all measured errors are equal.
    """
    logs = np.log(problem.error)
    spread = np.average((logs - np.average(logs, weights=problem.weights)) ** 2, weights=problem.weights)
    square = np.average(residual**2, weights=problem.weights)
    return float(np.sqrt(square / spread)) if spread > 1e-12 else 0.0


def unexplained_by_most(problem: Problem, residual: Array) -> float:
    """Return the median absolute residual over the median absolute deviation of ln error from its median.

    Unlike `unexplained`, the ratio does not depend on a few points far from the law.

    Parameters
    ----------
    problem : Problem
        The points.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).
    """
    logs, weights = np.log(problem.error), problem.weights
    order = np.argsort(logs)
    share = np.cumsum(weights[order])
    median = logs[order][np.searchsorted(share, share[-1] / 2)]
    spread = robust_scale(logs - median, weights)
    return robust_scale(residual, weights) / spread if spread > 0 else math.inf


def discounted(problem: Problem, residual: Array) -> str | None:
    """Return a sentence on the points that lie far from the law of a Huber fit; None if there are none.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).
    """
    scale = robust_scale(residual, problem.weights)
    far = np.flatnonzero(np.abs(residual) > max(FAR_OFF * scale, 0.1))
    if problem.objective != "huber" or not far.size:
        return None
    names = (*problem.law.inputs, "error")
    shown = [", ".join(f"{name} = {problem.measured[name][k]:g}" for name in names) for k in far[:5]]
    more = f"; and {far.size - 5} more" if far.size > 5 else ""
    some = "1 point lies" if far.size == 1 else f"{far.size} points lie"
    return f"{some} far from the law and count little: {'; '.join(shown)}{more}."


def warnings_of(
    found: Optimum,
    intervals: Mapping[str, Interval],
    noise: Noise,
    unexplained_share: float,
    facts: Identifiability,
) -> tuple[str, ...]:
    """Return the warnings of a fit, one sentence each.

    Parameters
    ----------
    found : Optimum
        Where the search ended.
    intervals : dict of str to Interval
        Intervals of the fitted parameters.
    noise : Noise
        The noise around the law.
    unexplained_share : float
        What `unexplained` returns.
    facts : Identifiability
        How well the points determine the parameters.
    """
    out: list[str] = [*_undetermined(intervals, facts)]
    if facts.agreement < 0.1:
        out.append(f"Only {facts.agreement:.0%} of the starts reached the optimum; a better one may exist.")
    if facts.ties:
        ties = len(facts.ties)
        out.append(f"Other parameters fit as well within the noise: {ties} such optima, see ties.")
    lower, upper = found.problem.bounds()
    for p, value, low, high in zip(found.problem.free, found.z, lower, upper, strict=True):
        if intervals[p.name].determined and (value <= low or value >= high):
            out.append(f"{p.name} ended at the bound of its search.")
    if found.flat:
        out.append("The optimum lies in a flat valley: far along it the fit is as good.")
    if unexplained_share > 0.7:
        out.append("The law explains less than half of how the error varies.")
    if noise.seeds > 0 and noise.residual > MISFIT * noise.seeds:
        out.append(
            f"The residuals ({noise.residual:.2g}) are {noise.residual / noise.seeds:.1f} times the noise "
            "between seeds: the points have a systematic part that this law lacks."
        )
    if noise.run > 1.5 * noise.residual:
        out.append(
            "The errors never rise, as noise would make them: they look like a running best, and the noise "
            "of a new run is taken to be twice that of the residuals."
        )
    return tuple(out)


def _undetermined(intervals: Mapping[str, Interval], facts: Identifiability) -> list[Undetermined]:
    """Return a sentence for each parameter, or combination of parameters, that the points leave open."""
    out = []
    open_ = [name for name, interval in intervals.items() if not interval.determined]
    for name in open_:
        shown = str(intervals[name])
        bound = "" if shown == "not determined" else f" ({intervals[name].level:.0%}): {shown}"
        out.append(Undetermined(f"{name} is not determined by these points{bound}."))
    entangled = facts.entangled
    if facts.condition > 1e6 and len(entangled) == 1 and entangled[0] not in open_:
        out.append(Undetermined(f"{entangled[0]} is not determined by these points."))
    elif len(entangled) > 1 and (facts.condition > 1e6 or len(set(entangled) & set(open_)) > 1):
        combination = " and ".join(entangled)
        out.append(Undetermined(f"Only a combination of {combination} is determined, not each alone."))
    return out
