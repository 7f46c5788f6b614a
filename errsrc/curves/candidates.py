"""The laws that a learning curve may follow, compared by cells that their fits have not seen."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from errsrc.curves.statistics import CurveCells
from errsrc.errors import NoFit
from errsrc.fitting.one_law import fit
from errsrc.fitting.points import pose
from errsrc.laws.broken import Broken
from errsrc.laws.cliff import Cliff
from errsrc.laws.law import Array, Law
from errsrc.laws.power import Power
from errsrc.results import Interval

BEND_WIDTH = 0.4
"""Width of a bend in ln n; short curves do not determine it."""
LARGEST_BEND = 3.0
"""The most by which the exponent of a bend may grow; a steeper fall is a cliff's."""
STARTS_PER_CANDIDATE = 16

CANDIDATES: dict[str, tuple[type[Law], dict[str, float]]] = {
    "power law": (Power, {"c_inf": 0.0}),
    "power law, floor": (Power, {}),
    "bend": (Broken, {"a": 0.0, "f1": BEND_WIDTH}),
    "bend, floor": (Broken, {"f1": BEND_WIDTH}),
    "cliff": (Cliff, {"c_inf": 0.0}),
    "cliff, floor": (Cliff, {}),
}
"""The laws compared, and what is fixed in them."""


class Compared(NamedTuple):
    """What the held-out cells say of each candidate, by its name.

    Attributes
    ----------
    scores, misses
        Log likelihood of the held-out cells, in nats; median of abs ln(predicted / measured) over them.
    laws
        Fitted to all cells.
    tangent
        Derivatives of ln error (cells, parameters) and residual (cells,) of the power law with a floor; None
        where that is 0.
    """

    scores: dict[str, float]
    misses: dict[str, float]
    laws: dict[str, Law]
    tangent: tuple[Array, Array] | None


def _student_log_density(t: Array) -> Array:
    """Return the log density of Student's t distribution with 4 degrees of freedom."""
    scale = np.log(special.poch(2.0, 0.5)) - 0.5 * (np.log(4.0) + np.log(np.pi))
    return scale - 2.5 * np.log1p(t * t / 4.0)


def _bounds(law: type[Law]) -> dict[str, tuple[float, float]]:
    return {"c1": (-4.0, LARGEST_BEND)} if law is Broken else {}


def compare(cells: CurveCells, seed: int) -> Compared:
    """Fit every candidate without each cell in turn and without the largest, and score what it misses.

    Fits start at points drawn from ``seed``.
    """
    size = len(cells.x)
    masks = [np.arange(size) != k for k in range(size)]
    masks += [np.arange(size) < size - held for held in range(2, 1 + size // 4) if size - held >= 6]
    kept = np.array(masks)
    scores: dict[str, float] = {}
    misses: dict[str, float] = {}
    laws: dict[str, Law] = {}
    tangent = None
    for name, (law, fixed) in CANDIDATES.items():
        if size < len(law.parameters()) - len(fixed) + 2:
            continue
        problem = pose(
            law, np.exp(cells.y), {"n": np.exp(cells.x)}, fixed, None, 1 / cells.noise, _bounds(law), "log"
        )
        whole = problem.solve(problem.starts(STARTS_PER_CANDIDATE, seed), iterations=50, tolerance=1e-6)
        order = np.argsort(whole.cost)
        best = whole.z[order[0]]
        if not np.isfinite(whole.cost[order[0]]):
            continue
        laws[name] = problem.law_at(best)
        if name == "power law, floor" and laws[name].params["c_inf"] > 0:
            miss, jac = problem.residuals(best[None, :], problem.error)
            tangent = (jac[0], -miss[0])
        if len(problem.free) == 2:  # one optimum
            order = order[:1]
        starts = whole.z[order[:4]]
        many = len(starts)
        fold = np.repeat(np.arange(len(kept)), many)
        weights = problem.weights * kept[fold]
        refits = problem.solve(
            np.tile(starts, (len(kept), 1)), weights=weights, iterations=25, tolerance=1e-5
        )
        chosen = refits.cost.reshape(-1, many).argmin(1) + many * np.arange(len(kept))
        predicted, _ = problem.error_at(refits.z[chosen], problem.inputs)
        miss = np.log(np.maximum(predicted / problem.error, 1e-300))[~kept]
        noise = np.broadcast_to(np.sqrt(cells.noise), kept.shape)[~kept]
        scores[name] = float(_student_log_density(miss / noise).sum())
        misses[name] = float(np.median(np.abs(miss)))
    return Compared(scores, misses, laws, tangent)


def described(
    name: str, first: str, where: str, n: Array, error: Array, weights: Array | None, level: float, seed: int
) -> tuple[Interval, Interval, Interval | None]:
    """Return the intervals of a candidate's exponent, of its place, and of its exponent after a bend.

    Parameters
    ----------
    name
        One of `CANDIDATES`.
    first, where
        The law's parameters that are its exponent, and n at its bend or cliff.
    n, error, weights, level, seed
        The cells, (cells,) each, and how they are fitted: see `errsrc.fitting.fit`.
    """
    law, fixed = CANDIDATES[name]
    try:
        found = fit(
            law,
            error,
            n=n,
            fixed=fixed,
            weights=weights,
            objective="log",
            level=level,
            seed=seed,
            bounds=_bounds(law),
        )
    except NoFit:
        open_ = Interval(math.nan, -math.inf, math.inf, level)
        return open_, open_, None
    after = None
    if law is Broken:
        total = found.draws["c0"] + found.draws["c1"]
        ends = np.quantile(total, [(1 - level) / 2, (1 + level) / 2])
        middle = found.law.params["c0"] + found.law.params["c1"]
        after = Interval(middle, min(float(ends[0]), middle), max(float(ends[1]), middle), level)
    return found.intervals[first], found.intervals[where], after
