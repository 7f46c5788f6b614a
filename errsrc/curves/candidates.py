"""The laws that a learning curve may follow, compared on held-out cells."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.curves.cells import CurveCells
from errsrc.errors import NoFit
from errsrc.fitting.directions import RisingValues
from errsrc.fitting.one_law import fit
from errsrc.fitting.points import pose
from errsrc.fitting.problem import Problem
from errsrc.laws.broken import Broken
from errsrc.laws.cliff import Cliff
from errsrc.laws.law import Array, Law
from errsrc.laws.power import Power
from errsrc.results import Interval

BEND_WIDTH = 0.4
"""Width of a bend in ln n.  It is fixed, because short curves do not determine it."""
LARGEST_BEND = 3.0
"""Largest increase of the exponent at a bend.  A curve whose exponent increases more has a cliff."""
STARTS_PER_CANDIDATE = 16
"""Number of random starts of the fit of each law."""

CANDIDATES: dict[str, tuple[type[Law], dict[str, float]]] = {
    "power law": (Power, {"c_inf": 0.0}),
    "power law, floor": (Power, {}),
    "bend": (Broken, {"a": 0.0, "f1": BEND_WIDTH}),
    "bend, floor": (Broken, {"f1": BEND_WIDTH}),
    "cliff": (Cliff, {"c_inf": 0.0}),
    "cliff, floor": (Cliff, {}),
}
"""The laws that are compared, by name, each with the values of its fixed parameters."""
BOUNDS: dict[type[Law], dict[str, tuple[float, float]]] = {Broken: {"c1": (-4.0, LARGEST_BEND)}}
"""Bounds of parameters in the fits, by law."""


class CandidateComparison(NamedTuple):
    """Scores of the candidate laws of a learning curve on held-out cells.

    A cell is the set of all runs with the same n.

    Attributes
    ----------
    scores : dict of str to float
        Log likelihood of the held-out cells for each candidate, in nats.
    misses : dict of str to float
        Median of |ln (predicted / measured error)| over the held-out cells, for each candidate.
    laws : dict of str to Law
        Each candidate, fitted to all cells.
    tangent : tuple of ndarray of float64, shapes (cells, parameters) and (cells,), or None
        Derivatives of ln error, and residuals of ln error, for the power law with a floor that was fitted to
        all cells.  None if the fitted floor is 0.
    """

    scores: dict[str, float]
    misses: dict[str, float]
    laws: dict[str, Law]
    tangent: tuple[Array, Array] | None


def compare_candidates(cells: CurveCells, seed: int) -> CandidateComparison:
    """Score each candidate law by its predictions for cells that were left out of its fit.

    A cell is the set of all runs with the same n.  Each candidate is fitted several times: without each cell
    in turn, and without the cells with the largest n.  The predictions for the left-out cells are scored by
    the density of Student's t distribution with 4 degrees of freedom.

    Parameters
    ----------
    cells : CurveCells
        The cells of the learning curve.
    seed : int
        Seed of the starts of the fits.

    Returns
    -------
    CandidateComparison
        The scores.  A candidate is left out if its fit is not finite, or if it has more free parameters than
        the number of cells minus two.
    """
    kept = _folds(len(cells.x))
    noise = np.broadcast_to(np.sqrt(cells.noise), kept.shape)[~kept]
    scores: dict[str, float] = {}
    misses: dict[str, float] = {}
    laws: dict[str, Law] = {}
    tangent = None
    for name, (law, fixed) in CANDIDATES.items():
        if len(cells.x) < len(law.parameters()) - len(fixed) + 2:
            continue
        error, sizes = np.exp(cells.y), {"n": np.exp(cells.x)}
        problem = pose(law, error, sizes, fixed, None, 1 / cells.noise, BOUNDS.get(law), "log")
        whole = problem.solve(problem.starts(STARTS_PER_CANDIDATE, seed), iterations=50, tolerance=1e-6)
        order = np.argsort(whole.cost)
        best = whole.z[order[0]]
        if not np.isfinite(whole.cost[order[0]]):
            continue
        laws[name] = problem.law_at(best)
        if name == "power law, floor" and laws[name].params["c_inf"] > 0:
            residual, jac = problem.residuals(best[None, :], problem.error)
            tangent = (jac[0], -residual[0])
        starts = whole.z[order[: 1 if len(problem.free) == 2 else 4]]  # two parameters have one optimum
        miss = _misses(problem, starts, kept)
        scores[name] = float(_student_log_density(miss / noise).sum())
        misses[name] = float(np.median(np.abs(miss)))
    return CandidateComparison(scores, misses, laws, tangent)


def _folds(size: int) -> NDArray[np.bool_]:
    """Return which cells each refit keeps, (folds, cells): all but one, or all but the largest few."""
    masks = [np.arange(size) != k for k in range(size)]
    masks += [np.arange(size) < size - held for held in range(2, 1 + size // 4) if size - held >= 6]
    return np.array(masks)


def _misses(problem: Problem, starts: Array, kept: NDArray[np.bool_]) -> Array:
    """Return ln (predicted / measured error) of the cells that each refit left out.

    Parameters
    ----------
    problem : Problem
        The candidate and all cells.
    starts : ndarray of float64, shape (starts, free)
        Where each refit starts; the best of its optima is taken.
    kept : ndarray of bool, shape (folds, cells)
        The cells of each refit.

    Returns
    -------
    ndarray of float64, shape (cells left out,)
        The values of all refits, one refit after another.
    """
    many = len(starts)
    fold = np.repeat(np.arange(len(kept)), many)
    weights = problem.weights * kept[fold]
    refits = problem.solve(np.tile(starts, (len(kept), 1)), weights=weights, iterations=25, tolerance=1e-5)
    chosen = refits.cost.reshape(-1, many).argmin(1) + many * np.arange(len(kept))
    predicted, _ = problem.error_at(refits.z[chosen], problem.inputs)
    miss: Array = np.log(np.maximum(predicted / problem.error, 1e-300))[~kept]
    return miss


def _student_log_density(t: Array) -> Array:
    """Return the log density of Student's t distribution with 4 degrees of freedom."""
    scale = np.log(special.poch(2.0, 0.5)) - 0.5 * (np.log(4.0) + np.log(np.pi))
    return scale - 2.5 * np.log1p(t * t / 4.0)


class Description(NamedTuple):
    """Intervals of the chosen candidate's exponents and threshold.

    Attributes
    ----------
    exponent : Interval
        Exponent of the candidate.  If the candidate has a bend or a cliff, it is the exponent before the bend
        or cliff.
    threshold : Interval
        The n at the bend or the cliff.  For a power law, this interval is the interval of the floor instead.
    exponent_after : Interval or None
        Exponent after the bend; None for candidates without a bend.
    """

    exponent: Interval
    threshold: Interval
    exponent_after: Interval | None


PARAMETERS = {"power law": ("alpha", "c_inf"), "bend": ("c0", "d1"), "cliff": ("alpha", "n_cliff")}
"""Names of the parameters `exponent` and `threshold` of `Description`, for each family of candidates."""


def describe_candidate(
    name: str, n: Array, error: Array, weights: Array | None, level: float, seed: int
) -> Description:
    """Return the intervals of the exponents and the threshold of a candidate law, fitted to all runs.

    Parameters
    ----------
    name : str
        Name of the candidate in `CANDIDATES`.
    n, error : ndarray of float64, shape (runs,)
        Sizes and errors, > 0.
    weights : ndarray of float64, shape (runs,), optional
        Weights of the runs.  By default, all weights are equal.
    level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Seed of the fit.

    Returns
    -------
    Description
        The intervals.  If the fit fails, all intervals reach from -inf to inf.
    """
    law, fixed = CANDIDATES[name]
    options = {
        "weights": weights,
        "bounds": BOUNDS.get(law),
        "objective": "log",
        "keep_far": True,  # all candidates are compared on the same points
        "level": level,
        "seed": seed,
    }
    try:
        found = fit(law, error, n=n, fixed=fixed, **options)  # type: ignore[arg-type]
    except (NoFit, RisingValues):
        open_ = Interval(math.nan, -math.inf, math.inf, level)
        return Description(open_, open_, None)
    after = None
    if law is Broken:
        total = found.draws["c0"] + found.draws["c1"]
        ends = np.quantile(total, [(1 - level) / 2, (1 + level) / 2])
        middle = found.law.params["c0"] + found.law.params["c1"]
        after = Interval(middle, min(float(ends[0]), middle), max(float(ends[1]), middle), level)
    exponent, threshold = (found.intervals[key] for key in PARAMETERS[name.partition(",")[0]])
    return Description(exponent, threshold, after)
