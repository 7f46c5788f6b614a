"""The best optimum of a least-squares problem, from many starts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc.errors import NoFit
from errsrc.fitting.minimiser import BatchSolution
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array


class Optimum(NamedTuple):
    """The best optimum of a problem that was solved from many starts.

    Attributes
    ----------
    problem : Problem
        The problem.
    solution : BatchSolution
        Where every start ended.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the best optimum.
    cost : float
        Sum of losses at these coordinates.
    flat : bool
        Whether these coordinates lie in a valley along which the cost hardly changes.
    """

    problem: Problem
    solution: BatchSolution
    z: Array
    cost: float
    flat: bool


def optimum(problem: Problem, starts: Array, seed: int) -> Optimum:
    """Minimise from all starts; if fewer than two starts agree, try four times as many other starts.

    Parameters
    ----------
    problem : Problem
        The problem.
    starts : ndarray of float64, shape (starts, free)
        Scaled coordinates.
    seed : int
        Seed of the starts; the other starts have this seed plus 1.

    Returns
    -------
    Optimum
        The best optimum.

    Raises
    ------
    NoFit
        If the best start neither converged nor lies in a flat valley.
    """
    solution = from_starts(problem, starts)
    if agreeing(solution.cost).sum() < 2:
        more = from_starts(problem, problem.starts(4 * len(starts), seed + 1))
        solution = BatchSolution(*(np.concatenate(pair) for pair in zip(solution, more, strict=True)))
    best = int(solution.cost.argmin())
    z, cost = solution.z[best], float(solution.cost[best])
    if solution.converged[best]:
        return Optimum(problem, solution, z, cost, False)
    again = problem.solve(z[None, :], iterations=5000)
    exact = again.cost[0] < 1e-14 * len(problem.error)  # only rounding errors are left
    if np.isfinite(cost) and (again.converged[0] or exact or again.cost[0] > cost * (1 - 1e-3)):
        return Optimum(problem, solution, again.z[0], float(again.cost[0]), not again.converged[0])
    message = f"The fit of {problem.law.__name__} did not converge from any of {len(solution.cost)} starts."
    raise NoFit(message, problem.law_at(again.z[0]) if np.isfinite(again.cost[0]) else None)


def from_starts(problem: Problem, starts: Array) -> BatchSolution:
    """Minimise from all starts for some steps, and then only from the best quarter until convergence.

    Parameters
    ----------
    problem : Problem
        The problem.
    starts : ndarray of float64, shape (starts, free)
        Scaled coordinates.

    Returns
    -------
    BatchSolution
        Where every start ended.
    """
    first = problem.solve(starts, iterations=60)
    leaders = np.argsort(first.cost)[: max(len(starts) // 4, 1)]
    leaders = leaders[~first.converged[leaders]]
    if leaders.size:
        rest = problem.solve(first.z[leaders])
        for old, new in zip(first, rest, strict=True):
            old[leaders] = new
    return first


def agreeing(cost: Array) -> NDArray[np.bool_]:
    """Return which costs equal the smallest cost, up to the precision of the iteration.

    Parameters
    ----------
    cost : ndarray of float64, shape (starts,)
        Sums of losses, >= 0.

    Returns
    -------
    ndarray of bool, shape (starts,)
        True for costs that equal the smallest cost.
    """
    agree: NDArray[np.bool_] = cost <= cost.min() * (1 + 1e-6) + 1e-20
    return agree
