"""The outcome of runs that a design chose until the interval of an answer was narrow enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc.fitting.designs import width_text
from errsrc.fitting.forecasts import Forecast
from errsrc.laws.law import Array
from errsrc.results import Interval, TabularResult, TextTable, json_value


@dataclass(frozen=True)
class Step:
    """The state of a study after some of its cells were computed.

    Attributes
    ----------
    cells : int
        Number of finished cells.
    share : float
        Cost of the finished cells, as a share of the cost of all cells.
    answer : Interval or None
        The answer of a fit to the finished cells; None if these cells do not determine a law.
    half_width : float
        Half the width of the answer's interval; inf if there is no answer.
    """

    cells: int
    share: float
    answer: Interval | None
    half_width: float


@dataclass(frozen=True, eq=False, repr=False)
class TargetedRun(TabularResult):
    """The outcome of `errsrc.run_until`: an answer, and the cells of the study that were computed for it.

    Attributes
    ----------
    question : str
        The question that the run answers, in words.
    until : float
        The goal: the interval is narrow enough if its half-width is at most this number.
    relative : bool
        Whether half widths are given as shares of the answer.
    steps : tuple of Step
        The state at the start and after each step.
    reached : bool
        Whether the interval is narrow enough.
    reason : str
        One sentence on why the run stopped.
    cells : int
        Number of cells of the study.
    kept : int
        Number of cells that were finished before the run.
    skipped : dict of str to ndarray of float64, shape (skipped,)
        The sizes of the cells that were not computed because the run stopped, by name.
    failed : dict of str to str
        The error message of each cell that failed or was refused, by the key of the cell.
    forecast : Forecast or None
        The last fit; None if the cells do not determine a law.
    seconds : float
        Wall time of the run.
    """

    question: str
    until: float
    relative: bool
    steps: tuple[Step, ...]
    reached: bool
    reason: str
    cells: int
    kept: int
    skipped: Mapping[str, Array]
    failed: Mapping[str, str]
    forecast: Forecast | None
    seconds: float

    @property
    def answer(self) -> Interval | None:
        """The answer after the last step; None if the cells do not determine a law."""
        return self.steps[-1].answer

    @property
    def share(self) -> float:
        """Cost of the finished cells, as a share of the cost of all cells."""
        return self.steps[-1].share

    def headline(self) -> str:
        """Return the answer, its interval and the number of finished cells as one line."""
        last = self.steps[-1]
        said = f"{self.question}: " + ("no answer" if last.answer is None else f"{last.answer}")
        width = "" if last.answer is None else f", {width_text(last.half_width, self.relative)}"
        spent = f"{last.cells:,} of {self.cells:,} cells, {_percent(last.share)} of the cost"
        return f"{said}{width} after {spent}"

    def content(self) -> list[str | TextTable]:
        """Return the answer, why the run stopped, which cells were skipped or failed, and the steps."""
        lines: list[str | TextTable] = [self.headline(), self.reason]
        count = len(self.skipped["n"])
        if count:
            ranges = " and ".join(f"{name} {_range(x)}" for name, x in self.skipped.items())
            cells = "1 cell" if count == 1 else f"{count:,} cells"
            lines.append(f"Not computed: {cells}, {_percent(1 - self.share)} of the cost, with {ranges}.")
        if self.failed:
            first = next(iter(self.failed.values()))
            lines.append(f"Failed or refused: {len(self.failed):,}, the first of them with: {first}")
        return [*lines, TextTable(self.rows(), "r", header=True)]

    def rows(self) -> list[list[str]]:
        """Return the table of the steps as texts: a header, then one row for each step."""
        rows = [["cells", "share of cost", "answer", "interval"]]
        for step in self.steps:
            width = "none" if step.answer is None else width_text(step.half_width, self.relative)
            estimate = "none" if step.answer is None else f"{step.answer.estimate:.4g}"
            rows.append([f"{step.cells:,}", _percent(step.share), estimate, width])
        return rows

    def columns(self) -> dict[str, Array]:
        """Return the steps as a dict of arrays.

        Returns
        -------
        dict of str to ndarray of float64, shape (steps,)
            The keys are "cells", "share", "answer", "low", "high" and "half_width".  An entry is nan if there
            is no answer.
        """
        none = Interval(math.nan, math.nan, math.nan, 0.9)
        answers = [step.answer or none for step in self.steps]
        ends = {"answer": "estimate", "low": "low", "high": "high"}
        return {
            **{name: np.array([float(getattr(s, name)) for s in self.steps]) for name in ("cells", "share")},
            **{name: np.array([getattr(one, end) for one in answers]) for name, end in ends.items()},
            "half_width": np.array([step.half_width for step in self.steps]),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the answer, the steps, why the run stopped, and the skipped sizes, as JSON values."""
        last = self.steps[-1]
        shown = {
            "question": self.question,
            "answer": last.answer,
            "half_width": last.half_width,
            "relative": self.relative,
            "until": self.until,
            "reached": self.reached,
            "reason": self.reason,
            "cells": self.cells,
            "kept": self.kept,
            "finished": last.cells,
            "share_of_cost": last.share,
            "failed": dict(self.failed),
            "skipped": self.skipped,
            "steps": self.columns(),
        }
        return {name: json_value(value) for name, value in shown.items()}


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.995 else "100%"


def _range(sizes: Array) -> str:
    """Return the range of some sizes as text, such as "from 1000 to 8000" or "= 1000"."""
    low, high = f"{sizes.min():.4g}", f"{sizes.max():.4g}"
    return f"= {low}" if low == high else f"from {low} to {high}"
