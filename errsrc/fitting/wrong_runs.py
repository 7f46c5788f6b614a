"""The search for wrong runs of isoFLOP tables, such as diverged runs, also if a budget has several of them.

Several wrong runs of one budget hide each other: the parabola of the budget follows them, and right runs lie
far off the parabola.  A law in n and m, fitted to all budgets at once, has many more runs than parameters.
The law is fitted to the half of the runs that agree best, by least trimmed squares (Rousseeuw 1984), so that
the other runs may have any errors.

`python benchmarks/wrong_runs.py` measures the search on tables of a known law.  Of 600 tables without wrong
runs, 0 have a run that is called wrong under normal noise, and 22 under noise with Student's t distribution
of 3 degrees of freedom.  At a noise of 0.3%, exactly the wrong runs are found in 143 of 144 tables with two
wrong runs in each budget, and in 85 of 96 tables with three.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.points import pose
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array, Law

OFF_LAW = 10.0
"""A wrong run lies farther off the law than this many standard deviations, times 1 + 4 / D with D degrees of
freedom."""
OFF_PARABOLA = 3.0
"""A wrong run lies farther off the parabola of the others than this many standard deviations of the noise."""
LEAST_DEGREES = 8
"""Fewest degrees of freedom of the other runs around the law at which a run can be called wrong."""
SMALLEST = 0.03
"""Smallest distance of a wrong run from the law, in ln error."""
LARGEST_SHARE = 0.45
"""Largest share of the runs that can be wrong: if more are far from the law, the law is wrong."""
TRIMMED = 0.55
"""Share of the runs that the fit by least trimmed squares uses."""
NEAREST = 0.42
"""Standard deviation of the nearest 55% of normal residuals, relative to that of all."""
STARTS = 12
"""Number of random starts of the law."""
STEPS = 8
"""Number of steps of least trimmed squares, and then of the weighted fits."""
MOST_SUBSETS = 800
"""Largest number of subsets of the runs of a budget that are tried."""


def wrong_runs(
    columns: Mapping[str, Array],
    groups: Sequence[NDArray[np.intp]],
    laws: Sequence[type[Law]],
    fixed: Mapping[str, float] | None = None,
) -> NDArray[np.bool_]:
    """Return a mask of the runs that are far from all laws and from the parabola of their budget, (runs,).

    The limits are `OFF_LAW` * (1 + 4 / D) standard deviations around the law with D degrees of freedom, and
    `OFF_PARABOLA` standard deviations around the parabolas.  Both standard deviations are estimated from the
    other runs.  No run is marked if the other runs have fewer than `LEAST_DEGREES` degrees of freedom around
    a law, or if more than `LARGEST_SHARE` of the runs are far.

    Parameters
    ----------
    columns : dict of str to ndarray of float64, shape (runs,)
        "error", "m" and "n".
    groups : sequence of ndarray of int
        The rows of each budget.
    laws : sequence of type of Law
        Laws in n and m.
    fixed : dict of str to float, optional
        Values of parameters that are not fitted.  A value applies to every law that has the parameter.
    """
    none = np.zeros(len(columns["error"]), dtype=bool)
    parabolas = [_Budget.of(rows, columns) for rows in groups]
    far = ~none
    for law in laws:
        known = {p.name for p in law.parameters()}
        own = {name: value for name, value in (fixed or {}).items() if name in known}
        try:
            far &= _far_from_law(law, columns, parabolas, own)
        except (TypeError, ValueError):  # the fit of this law reports the reason
            return none
    if not far.any() or far.mean() > LARGEST_SHARE:
        return none
    return far & _off_parabolas(parabolas, far)


class _Budget(NamedTuple):
    """The runs of one budget: rows of the table, the basis 1, x, x^2 with x = ln m, and relative errors."""

    rows: NDArray[np.intp]
    basis: Array
    error: Array

    @classmethod
    def of(cls, rows: NDArray[np.intp], columns: Mapping[str, Array]) -> _Budget:
        x = np.log(columns["m"][rows])
        x = (x - x.mean()) / max(float(x.std()), 1e-9)
        error = columns["error"][rows]
        return cls(rows, np.stack([np.ones_like(x), x, x**2], axis=1), error / np.median(error))

    def agreeing(self, count: int) -> NDArray[np.intp]:
        """Return the places of the `count` runs that lie nearest to a parabola."""
        size = len(self.rows)
        if count >= size or count < 4:
            return np.arange(size)
        if math.comb(size, count) <= MOST_SUBSETS:
            subsets = np.array(list(itertools.combinations(range(size), count)))
        else:
            rng = np.random.default_rng(0)
            subsets = np.array([rng.permutation(size)[:count] for _ in range(MOST_SUBSETS)])
        basis, error = self.basis[subsets], self.error[subsets]
        found = np.einsum("sij,sj->si", np.linalg.pinv(basis), error)
        squares = np.sum((error - np.einsum("sij,sj->si", basis, found)) ** 2, axis=1)
        return np.asarray(subsets[int(squares.argmin())])


def _far_from_law(
    law: type[Law], columns: Mapping[str, Array], budgets: Sequence[_Budget], fixed: Mapping[str, float]
) -> NDArray[np.bool_]:
    """Return which runs are far from a law fitted by least trimmed squares, bool (runs,)."""
    sizes: dict[str, Any] = {name: columns[name] for name in law.inputs}
    problem = pose(law, columns["error"], sizes, fixed, objective="log")
    order = np.lexsort([columns["error"], *(columns[name] for name in reversed(law.inputs))])
    count, free = len(order), len(problem.free)
    none = np.zeros(count, dtype=bool)
    kept = max(math.ceil(TRIMMED * count), free + 3)
    if kept >= count:
        return none
    masks = [np.ones(count)]
    for share in (3, 2):
        mask = none.copy()
        for one in budgets:
            size = len(one.rows)
            mask[one.rows[one.agreeing(max(size - size // share, 4))]] = True
        masks.append(mask[order].astype(np.float64))
    with np.errstate(all="ignore"):
        z = _trimmed(problem, [mask for mask in masks if mask.sum() >= free + 3], kept)
        far = _far(problem, z, kept)
    out = none.copy()
    out[order] = far
    return out


def _trimmed(problem: Problem, masks: Sequence[Array], kept: int) -> Array:
    """Return the scaled coordinates, (free,), of least trimmed squares; the masks give the first subsets."""
    first = problem.starts(STARTS, 0)
    z = []
    for mask in masks:
        solved = problem.solve(first, weights=np.tile(mask, (len(first), 1)), iterations=60)
        z.append(solved.z[np.argsort(solved.cost)[:2]])
    ends = np.concatenate(z)
    for _ in range(STEPS):
        residual = problem.residuals(ends, problem.error)[0] ** 2
        nearest = np.argsort(np.where(np.isfinite(residual), residual, np.inf), axis=1)[:, :kept]
        weights = np.zeros_like(residual)
        np.put_along_axis(weights, nearest, 1.0, axis=1)
        ends = problem.solve(ends, weights=weights, iterations=40).z
    squares = np.sort(problem.residuals(ends, problem.error)[0] ** 2, axis=1)[:, :kept].sum(axis=1)
    return np.asarray(ends[int(np.nanargmin(squares))])


def _far(problem: Problem, z: Array, kept: int) -> NDArray[np.bool_]:
    """Return which rows are far from the law, in the order of the problem.

    The law is fitted again, from the solution of least trimmed squares, to the rows within 4 standard
    deviations.
    """
    free = len(problem.free)
    size = np.abs(problem.residuals(z[None, :], problem.error)[0][0])
    scale = math.sqrt(float(np.sum(np.sort(size)[:kept] ** 2)) / (kept - free)) / NEAREST
    degrees = kept - free
    for _ in range(STEPS):
        near = size <= 4 * max(scale, 1e-9)
        degrees = int(near.sum()) - free
        if degrees < LEAST_DEGREES:
            return np.zeros(len(size), dtype=bool)
        z = problem.solve(z[None, :], weights=near[None, :].astype(np.float64), iterations=60).z[0]
        size = np.abs(problem.residuals(z[None, :], problem.error)[0][0])
        scale = math.sqrt(float(np.sum(size[near] ** 2)) / degrees)
    return np.asarray((size > OFF_LAW * (1 + 4 / degrees) * scale) & (size > SMALLEST))


def _off_parabolas(budgets: Sequence[_Budget], far: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the far runs lie far off the parabolas of the other runs of their budgets, (runs,).

    If a budget has too few other runs for a parabola, all its far runs count as far off.
    """
    out = far.copy()
    squares, degrees, distances = 0.0, 0, []
    for one in budgets:
        near = ~far[one.rows]
        if near.sum() < 4 or len(np.unique(one.basis[near, 1])) < 3:
            continue
        basis, error = one.basis[near], one.error[near]
        inverse = np.linalg.pinv(basis)
        found = inverse @ error
        squares, degrees = (
            squares + float(np.sum((error - basis @ found) ** 2)),
            degrees + int(near.sum()) - 3,
        )
        away = one.basis[~near]
        own = np.sqrt(1 + np.sum((away @ inverse) ** 2, axis=1))
        distances.append((one.rows[~near], np.abs(one.error[~near] - away @ found) / own))
    noise = math.sqrt(squares / degrees) if degrees >= 3 else 0.0
    for rows, distance in distances:
        out[rows] = distance > OFF_PARABOLA * noise
    return out
