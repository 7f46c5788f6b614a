"""Diagnostics of a fit: how well the points determine it, and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.anomalies import exponents
from errsrc.fitting.noise import Noise
from errsrc.fitting.optima import Optimum, agreeing
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array, Law
from errsrc.results import Interval

MISFIT = 2.0
"""Residuals larger than this many times the noise between seeds show that the law lacks a systematic part."""

LARGEST_CONDITION = 1e6
"""Above this condition number, the points determine only combinations of some parameters."""


class Undetermined(str):
    """A warning that the points do not determine a parameter, or only a combination of parameters."""


class Identifiability(NamedTuple):
    """How well the points determine the parameters of a fit.

    Attributes
    ----------
    condition : float
        Condition number of the weighted Jacobian in scaled coordinates; inf where it is singular.
    entangled : tuple of str
        Names of the parameters whose joint change raises the sum of squares least.
    agreement : float
        Share of the starts that ended at the best optimum.
    ties : tuple of Law
        Laws at other local optima that fit equally well within the noise.
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
    """Return `Identifiability.condition` and `Identifiability.entangled` at z, (free,)."""
    _, jac = problem.residuals(z[None, :], problem.error)
    _, singular, right = np.linalg.svd(np.sqrt(problem.weights)[:, None] * jac[0])
    flattest = tuple(p.name for p, v in zip(problem.free, right[-1], strict=True) if abs(v) > 0.2)
    if len(singular) < len(z) or singular[-1] <= 0:
        return math.inf, flattest
    return float(singular[0] / singular[-1]), flattest


def _ties(found: Optimum) -> tuple[Law, ...]:
    """Return the laws at other local optima that fit equally well within the noise, 5 at most."""
    return tuple(found.problem.law_at(other) for other in tied_optima(found)[1:6])


def tied_optima(found: Optimum) -> Array:
    """Return the best optimum and all optima that fit equally well within the noise, (optima, free).

    The coordinates of any two of these optima differ by more than 0.2.

    Parameters
    ----------
    found : Optimum
        Where the search ended.
    """
    problem, solution = found.problem, found.solution
    degrees = len(problem.error) - len(problem.free)
    threshold = found.cost * (1 + 1.0 / max(degrees, 1)) + 1e-20
    chosen: list[Array] = [found.z]
    for i in np.argsort(solution.cost):
        as_good = solution.converged[i] and solution.cost[i] <= threshold
        if as_good and min(np.abs(solution.z[i] - c).max() for c in chosen) > 0.2:
            chosen.append(solution.z[i])
    return np.array(chosen)


def unexplained(problem: Problem, residual: Array, far: NDArray[np.bool_]) -> float:
    """Return the root mean square residual divided by the standard deviation of ln error, without far rows.

    Parameters
    ----------
    problem : Problem
        The points.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).
    far : ndarray of bool, shape (points,)
        Rows to leave out.

    Returns
    -------
    float
        1 for a law that fits no better than a constant; 0 where all measured errors are equal.
    """
    logs, weights = np.log(problem.error[~far]), problem.weights[~far]
    spread = np.average((logs - np.average(logs, weights=weights)) ** 2, weights=weights)
    square = np.average(residual[~far] ** 2, weights=weights)
    return float(np.sqrt(square / spread)) if spread > 1e-12 else 0.0


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
        The result of `unexplained`.
    facts : Identifiability
        How well the points determine the parameters.
    """
    out: list[str] = [*_undetermined(intervals, facts)]
    if facts.agreement < 0.1:
        out.append(f"Only {facts.agreement:.0%} of the starts reached the optimum; a better one may exist.")
    if facts.ties:
        some = "1 other optimum" if len(facts.ties) == 1 else f"{len(facts.ties)} other optima"
        out.append(f"Other parameters fit as well within the noise: the search found {some}.")
    lower, upper = found.problem.bounds()
    for p, value, low, high in zip(found.problem.free, found.z, lower, upper, strict=True):
        if intervals[p.name].determined and (value <= low or value >= high):
            out.append(f"{p.name} ended at the bound of its search.")
    if found.flat:
        out.append("The optimum lies in a flat valley: far along it the fit is as good.")
    if unexplained_share > 0.7:
        out.append("The law explains less than half of how the error varies." + rises_with(found.problem))
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


def rises_with(problem: Problem) -> str:
    """Return a sentence on inputs with which the error rises by more than its noise; "" if it never rises.

    Parameters
    ----------
    problem : Problem
        The points.
    """
    names = problem.law.inputs
    if set(names) != {"n", "m"}:
        return ""
    found = exponents(problem.error, {name: problem.inputs[name] for name in names}, 0.95)
    rising = [f"{name}: exponent {one}" for name, one in found.items() if one.high < 0]
    return f" The error rises with {' and '.join(rising)}. This law can only fall." if rising else ""


def _undetermined(intervals: Mapping[str, Interval], facts: Identifiability) -> list[Undetermined]:
    """Return a sentence for each parameter, or combination of parameters, that the points leave open."""
    out = []
    open_ = [name for name, interval in intervals.items() if not interval.determined]
    for name in open_:
        shown = str(intervals[name])
        bound = "" if shown == "not determined" else f" ({intervals[name].level:.0%}): {shown}"
        out.append(Undetermined(f"{name} is not determined by these points{bound}."))
    entangled = facts.entangled
    if facts.condition > LARGEST_CONDITION and len(entangled) == 1 and entangled[0] not in open_:
        out.append(Undetermined(f"{entangled[0]} is not determined by these points."))
    elif len(entangled) > 1 and (facts.condition > LARGEST_CONDITION or len(set(entangled) & set(open_)) > 1):
        combination = " and ".join(filter(None, [", ".join(entangled[:-1]), entangled[-1]]))
        out.append(Undetermined(f"Only a combination of {combination} is determined, not each alone."))
    return out
