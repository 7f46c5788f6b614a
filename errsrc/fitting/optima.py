"""The best optimum of a least-squares problem, from many starts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from errsrc.errors import NoFit
from errsrc.fitting.minimiser import BatchSolution
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array


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
    solution: BatchSolution
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
    if agreeing(solution.cost).sum() < 2:
        more = search(problem, problem.starts(4 * len(starts), seed + 1))
        solution = BatchSolution(*(np.concatenate(pair) for pair in zip(solution, more, strict=True)))
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


def search(problem: Problem, starts: Array) -> BatchSolution:
    """Minimise a problem from starts (starts, free) for a while, then only the best quarter to the end."""
    first = problem.solve(starts, iterations=60)
    leaders = np.argsort(first.cost)[: max(len(starts) // 4, 1)]
    leaders = leaders[~first.converged[leaders]]
    if leaders.size:
        rest = problem.solve(first.z[leaders])
        for old, new in zip(first, rest, strict=True):
            old[leaders] = new
    return first


def agreeing(cost: Array) -> Array:
    """Return which costs equal the least one, up to what the iteration can tell apart."""
    return cost <= cost.min() * (1 + 1e-6) + 1e-20
