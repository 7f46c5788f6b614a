"""Compute-optimal sizes from training curves: the lowest error of all runs at each compute.

This is approach 1 of Hoffmann et al. 2022 (arXiv 2203.15556).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import LEVEL, PositiveArray
from errsrc.errors import NoAnswer
from errsrc.fitting.frontiers import Frontier, exponent_texts
from errsrc.fitting.lines import Line, fitted_line
from errsrc.fitting.ranges import MeasuredRange
from errsrc.laws.law import Array
from errsrc.results import Interval, TabularResult, TextTable

POINTS = 1500
"""Number of values of compute at which the runs are compared, evenly spaced in ln C, as in Hoffmann et al."""


@dataclass(frozen=True, repr=False)
class TrainingEnvelope(TabularResult):
    """The runs that have the lowest error of all runs at some compute, and how their sizes grow with compute.

    Attributes
    ----------
    budgets : ndarray of float64, shape (best,)
        A compute in flops for each of these runs, ascending.  It is the geometric middle of the range of
        compute in which the run has the lowest error.
    m, n : ndarray of float64, shape (best,)
        Model size of each run, and the data size that the run has used at this compute.
    error : ndarray of float64, shape (best,)
        Error of each run at this compute.
    used : ndarray of bool, shape (best,)
        False for the first and the last of these runs.  The ranges of compute in which these two runs are the
        best are cut off, because smaller and larger models were not trained.
    a, b : Interval
        Exponents of the optimal model size and of the optimal data size.
    warnings : tuple of str
        Warnings about the result, one sentence each.
    lines : tuple of Line
        The lines of ln m and of ln n over ln C.
    """

    budgets: Array
    m: Array
    n: Array
    error: Array
    used: NDArray[np.bool_]
    a: Interval
    b: Interval
    warnings: tuple[str, ...]
    lines: tuple[Line, Line] = field(repr=False, compare=False)

    def headline(self) -> str:
        """Return the number of runs and the exponents as one line."""
        exponents = "; ".join(exponent_texts(self.a, self.b, ", "))
        return f"{int(self.used.sum())} runs: {exponents}"

    def content(self) -> list[str | TextTable]:
        """Return the exponents, the best run at each compute as a table, and the warnings."""
        rows = [["C", "m", "n", "error", ""]]
        for *numbers, used in zip(self.budgets, self.m, self.n, self.error, self.used, strict=True):
            rows.append([*(f"{x:.3g}" for x in numbers), "" if used else "left out: at an end"])
        return [
            f"envelope of training curves; {100 * self.a.level:.6g}% intervals",
            *exponent_texts(self.a, self.b, "   "),
            TextTable(rows, "l", header=True),
            *(f"warning    {sentence}" for sentence in self.warnings),
        ]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the best runs as arrays by name: "budget", "m", "n", "error" and "used"."""
        return {"budget": self.budgets, **{name: getattr(self, name) for name in ("m", "n", "error", "used")}}

    def frontier(self, budgets: ArrayLike) -> Frontier:
        """Return the optimal sizes at budgets, from the lines through the best runs.

        Parameters
        ----------
        budgets : array_like
            Budgets in flops, > 0: one number, or several in any order.

        Returns
        -------
        Frontier
            The sizes, without errors: this approach does not predict errors.

        Raises
        ------
        TypeError, ValueError
            If a budget is not a finite number > 0.
        """
        wanted = np.atleast_1d(PositiveArray()(budgets, "budgets", "TrainingEnvelope.frontier"))
        m_line, n_line = self.lines
        ends = self.budgets[self.used]
        return Frontier(
            method="envelope of training curves",
            budgets=tuple(wanted.tolist()),
            m=tuple(m_line.at(budget) for budget in wanted),
            n=tuple(n_line.at(budget) for budget in wanted),
            ratio=tuple(m_line.ratio(n_line, budget) for budget in wanted),
            error=None,
            a=self.a,
            b=self.b,
            scope=f"a line through the best runs from {ends.min():.3g} to {ends.max():.3g}",
            cost="C = 6 n m",
            warnings=self.warnings,
            measured={"budget": MeasuredRange.of(ends, wanted)},
        )


@checks.arguments(error=PositiveArray(), m=PositiveArray(), n=PositiveArray(), level=LEVEL)
def training_envelope(
    error: ArrayLike, *, m: ArrayLike, n: ArrayLike, run: Sequence[Any] | NDArray[Any], level: float = 0.9
) -> TrainingEnvelope:
    """Return the runs with the lowest error at some compute, and the exponents of their sizes.

    This is approach 1 of Hoffmann et al. 2022 (arXiv 2203.15556).  Each row is an evaluation during a
    training.  ln error is interpolated between the rows of a run, as a function of ln C with C = 6 * n * m.
    At each C one run has the lowest error.  The exponents are the slopes of lines through the logarithms of
    the sizes of these runs over ln C.

    Parameters
    ----------
    error : array_like, shape (rows,)
        Errors during the trainings, > 0.
    m : array_like, shape (rows,)
        Model size of the run of each row, > 0.
    n : array_like, shape (rows,)
        Data that the run has used so far, > 0.
    run : sequence, shape (rows,)
        Name or number of the run of each row.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    TrainingEnvelope
        The best runs and the exponents.

    Raises
    ------
    NoAnswer
        If the envelope has fewer than two runs besides its first and its last run.
    TypeError, ValueError
        If arrays have different lengths, or if a value is not finite and > 0.

    Notes
    -----
    Each run counts as one point of the line, at the geometric middle of the range of compute in which the run
    is the best.  The intervals come from the scatter of these points around the line.

    If the learning rate decays, the errors before the end of a run are too high: a run that was planned to
    end earlier would have a lower error there.  Approach 1 is then biased.  Approaches 2 and 3 use only the
    ends of runs.

    Examples
    --------
    >>> from errsrc.laws import Chinchilla
    >>> law = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    >>> m, n = (x.ravel() for x in np.meshgrid(1e8 * 2.0 ** np.arange(6), np.geomspace(1e8, 1e12, 80)))
    >>> found = training_envelope(law.error(n=n, m=m), m=m, n=n, run=m)
    >>> round(found.a.estimate, 2)
    0.51
    """
    columns = {"error": np.asarray(error), "m": np.asarray(m), "n": np.asarray(n), "run": np.asarray(run)}
    for name, x in columns.items():
        if x.shape != columns["error"].shape or x.ndim != 1 or not x.size:
            accepted = "a one-dimensional array, not empty and as long as the others"
            raise ValueError(checks.refusal(name, "training_envelope", accepted, f"<shape {x.shape}>"))
    flops = np.log(6 * columns["n"] * columns["m"])
    grid = np.linspace(flops.min(), flops.max(), POINTS)
    _, which = np.unique(columns["run"], return_inverse=True)
    curves = _curves(which.ravel(), flops, np.log(columns["error"]), grid)
    best = curves.argmin(axis=0)
    reached = np.isfinite(curves.min(axis=0))
    winners = np.unique(best[reached])
    middles = np.array([grid[reached & (best == k)].mean() for k in winners])
    sizes = np.array([np.exp(np.log(columns["m"][which.ravel() == k]).mean()) for k in winners])
    order = np.argsort(middles)
    middles, sizes, winners = middles[order], sizes[order], winners[order]
    ends = best[np.flatnonzero(reached)[[0, -1]]]
    used = ~np.isin(winners, ends)
    if used.sum() < 2:
        raise NoAnswer("Fewer than two runs, not counting those at the ends, are the best at some compute.")
    lowest = [np.interp(x, grid, curves[k]) for x, k in zip(middles, winners, strict=True)]
    data = np.exp(middles) / (6 * sizes)
    m_line, n_line = (
        fitted_line(middles[used], np.log(x[used]), np.ones(int(used.sum())), 0, level) for x in (sizes, data)
    )
    return TrainingEnvelope(
        budgets=np.exp(middles),
        m=sizes,
        n=data,
        error=np.exp(lowest),
        used=used,
        a=m_line.exponent,
        b=n_line.exponent,
        warnings=(
            "Errors before the end of a run are too high if the learning rate was still to decay.",
            *(["Only two runs are on the line: no intervals."] if used.sum() == 2 else []),
        ),
        lines=(m_line, n_line),
    )


def _curves(run: NDArray[np.intp], flops: Array, error: Array, grid: Array) -> Array:
    """Return ln error of each run on a grid of ln C, (runs, grid); inf outside the rows of a run."""
    out = np.full((int(run.max()) + 1, len(grid)), math.inf)
    for k in range(len(out)):
        rows = np.flatnonzero(run == k)
        rows = rows[np.argsort(flops[rows], kind="stable")]
        out[k] = np.interp(grid, flops[rows], error[rows], left=math.inf, right=math.inf)
    return out
