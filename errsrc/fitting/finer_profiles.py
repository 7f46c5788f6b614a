"""Finer profiles, for parameters whose profile is flat at first and then rises steeply.

With two model sizes, many pairs of a floor and an exponent of m fit equally well: the smaller the floor, the
smaller the exponent.  The profile of the exponent is flat down to the exponent at which the floor is 0, and
rises steeply from there.  The values at which `intervals.profile` refits the other parameters are too far
apart to show where such a profile rises.
"""

from __future__ import annotations

import numpy as np

from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array

ROUNDS, STEPS = 2, 9
"""How often a step of a profile is divided, and the number of its parts."""


def has_two_sizes(problem: Problem) -> bool:
    """Return whether an input of a law in several inputs, such as m, has only two different sizes.

    Parameters
    ----------
    problem : Problem
        The problem.
    """
    sizes = [problem.measured[name] for name in problem.law.inputs]
    return len(sizes) > 1 and any(len(np.unique(x)) == 2 for x in sizes)


def finer(
    natural: Problem,
    z: Array,
    cost: float,
    scale: float,
    profiles: tuple[Array, Array, Array],
    quantile: Array,
    iterations: int,
) -> dict[tuple[int, int], tuple[Array, Array]]:
    """Return the profile on each side of each parameter, with more values where it rises steeply.

    A step between two values of a profile is divided if the rise crosses the quantile in this step and grows
    by more than the quantile.  Values that the bounds of the search exclude are left out.

    Parameters
    ----------
    natural : Problem
        The problem in natural units.
    z : ndarray of float64, shape (free,)
        The solution of the problem.
    cost : float
        The smallest sum of squares.
    scale : float
        Standard deviation of the residuals.
    profiles : tuple of ndarray
        Offsets of the held parameter, (free, 2, values); the coordinates of all parameters there, (free, 2,
        values, free); and the rises of the square root of the sum of squares, in units of the scale, (free,
        2, values).
    quantile : ndarray of float64, shape (free,)
        The rise at which an interval ends.
    iterations : int
        Largest number of steps of each refit.

    Returns
    -------
    dict of (int, int) to (ndarray, ndarray)
        Offsets in the order of their distance, and rises, for each parameter and side.
    """
    lower, upper = natural.bounds()
    found = {}
    for j, side in np.ndindex(len(z), 2):
        offset, places, rise = (part[j, side] for part in profiles)
        inside = (z[j] + offset >= lower[j]) & (z[j] + offset <= upper[j])
        found[j, side] = (offset[inside], places[inside], rise[inside])
    for _ in range(ROUNDS):
        steps = {key: step for key, one in found.items() if (step := _step(z, *one, float(quantile[key[0]])))}
        if not steps:
            break
        starts, held = [], []
        for (j, _), (offsets, ends) in steps.items():
            start = np.repeat(np.stack(ends)[:, None, :], len(offsets), axis=1)
            start[:, :, j] = z[j] + offsets
            starts.append(start)
            held.append(np.tile(np.arange(len(z)) == j, (len(offsets), 1)))
        frozen = np.concatenate(held)
        both = [
            natural.solve(one, frozen=frozen, iterations=iterations) for one in np.concatenate(starts, axis=1)
        ]
        costs = np.stack([one.cost for one in both])
        best = np.where(np.isfinite(costs), costs, np.inf).argmin(axis=0)
        rows = np.arange(len(best))
        places = np.stack([one.z for one in both])[best, rows]
        rises = np.sqrt(np.maximum(costs[best, rows] - cost, 0.0)) / scale
        count = STEPS - 1
        for k, (key, (offsets, _)) in enumerate(steps.items()):
            part = slice(k * count, (k + 1) * count)
            found[key] = _merged(found[key], (offsets, places[part], rises[part]))
    return {key: (offset, rise) for key, (offset, _, rise) in found.items()}


def _step(
    z: Array, offset: Array, places: Array, rise: Array, quantile: float
) -> tuple[Array, tuple[Array, Array]] | None:
    """Return offsets inside the step that crosses the quantile, and its ends; None if the step is small."""
    offset, rise = np.concatenate([[0.0], offset]), np.concatenate([[0.0], rise])
    reached = np.flatnonzero(rise >= quantile)
    if not len(reached):
        return None
    k = int(reached[0])
    if not rise[k] - rise[k - 1] > quantile:
        return None
    inside = np.linspace(offset[k - 1], offset[k], STEPS + 1)[1:-1]
    return inside, (z if k == 1 else places[k - 2], places[k - 1])


def _merged(one: tuple[Array, Array, Array], other: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    """Return two profiles as one, in which the rise never falls."""
    offset, places, rise = (np.concatenate(parts) for parts in zip(one, other, strict=True))
    order = np.argsort(np.abs(offset))
    rise = np.where(np.isfinite(rise), rise, 0.0)[order]
    return offset[order], places[order], np.maximum.accumulate(rise)
