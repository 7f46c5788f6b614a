"""What the points do not determine, and what else the reader of a fit must know."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from errsrc.fitting.minimiser import BatchSolution
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array, Law
from errsrc.results import Interval


def condition(problem: Problem, z: Array) -> tuple[float, tuple[str, ...]]:
    """Return the condition number of a problem's Jacobian at z (free,), and which parameters are flattest."""
    _, jac = problem.residuals(z[None, :], problem.error)
    _, singular, right = np.linalg.svd(np.sqrt(problem.weights)[:, None] * jac[0])
    if len(singular) < len(z) or singular[-1] <= 0:
        return math.inf, tuple(p.name for p, v in zip(problem.free, right[-1], strict=True) if abs(v) > 0.2)
    names = tuple(p.name for p, v in zip(problem.free, right[-1], strict=True) if abs(v) > 0.2)
    return float(singular[0] / singular[-1]), names


def ties(problem: Problem, solution: BatchSolution, z: Array, cost: float, degrees: int) -> tuple[Law, ...]:
    """Return the laws of other local optima whose fit is as good within the noise.

    Parameters
    ----------
    problem, solution
        What was solved, and where every start ended.
    z, cost
        The best coordinates, (free,), and the sum of losses there.
    degrees
        Of freedom: points less free parameters.
    """
    threshold = cost * (1 + 1.0 / max(degrees, 1)) + 1e-20
    chosen: list[Array] = [z]
    for i in np.argsort(solution.cost):
        near = solution.converged[i] and solution.cost[i] <= threshold
        if near and min(np.abs(solution.z[i] - c).max() for c in chosen) > 0.2:
            chosen.append(solution.z[i])
    return tuple(problem.law_at(other) for other in chosen[1:6])


def beside_a_constant(problem: Problem, residual: Array) -> float:
    """Return the root mean square residual over the spread of ln error; 0 where that is nothing."""
    logs = np.log(problem.error)
    spread = np.average((logs - np.average(logs, weights=problem.weights)) ** 2, weights=problem.weights)
    square = np.average(residual**2, weights=problem.weights)
    return float(np.sqrt(square / spread)) if spread > 1e-12 else 0.0


def warnings_of(
    problem: Problem,
    z: Array,
    intervals: Mapping[str, Interval],
    condition: float,
    entangled: tuple[str, ...],
    agreement: float,
    ties: int,
) -> tuple[str, ...]:
    """Return what the reader of a fit must know, a sentence each."""
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
