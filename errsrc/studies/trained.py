"""Analysis of finished studies of trained networks: the law of each family in data size and model size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc.errors import NoFit
from errsrc.fitting.holdouts import Holdout, judge, small_cells
from errsrc.fitting.one_law import Fit, fit
from errsrc.laws import Dense, Power
from errsrc.laws.law import Array
from errsrc.results import Result, TextTable
from errsrc.studies.finished import FinishedStudy

SIZES = ("n", "width", "depth", "heads", "seed", "steps")
"""Fields in which the cells of one law differ."""


@dataclass(frozen=True)
class Quantities:
    """Names and texts for the laws of one kind of study, such as "vision" or "language".

    Attributes
    ----------
    error, m
        Names of the columns that have the error and the model size.
    apart
        Names of the fields of a cell in which families of networks differ.
    guess
        A function that maps a cell to the error of a random guess on the cell's data.
    examples, error_text, m_text
        Texts for pages and figures: words for what n counts, words for what the error is, and a sentence
        about m.
    """

    error: str
    m: str
    apart: tuple[str, ...]
    guess: Callable[[Any], float]
    examples: str
    error_text: str
    m_text: str = ""


def _guess_of_classes(cell: Any) -> float:
    return 1 - 1 / cell.network().outputs


def _guess_of_tokens(cell: Any) -> float:
    return math.log(cell.vocabulary)


QUANTITIES: dict[str, Quantities] = {
    "vision": Quantities(
        "error", "m", ("dataset", "family"), _guess_of_classes, "training examples", "test error"
    ),
    "language": Quantities(
        "loss",
        "non_embedding",
        ("corpus", "vocabulary", "family"),
        _guess_of_tokens,
        "training tokens",
        "test loss, nats a token",
        "m does not count the table of token embeddings.",
    ),
}
"""Names and texts for the laws, by kind of study."""


@dataclass(frozen=True, eq=False, repr=False)
class TrainedFamily(Result):
    """Networks of one family that were trained on one data set, and the law of their sizes.

    Attributes
    ----------
    label
        The fields in which the family differs from other families, as text; empty if there is only one
        family.
    inputs
        The sizes of the runs: {"n": (runs,), "m": (runs,)}.  If n or m does not vary, it is left out.
    error
        The error of each run, (runs,).
    result
        The law fitted to the small cells (runs with equal sizes are one cell) and compared with the large
        cells.  A cell is small if its n and m are at most a quarter of the largest n and m.  If these cells
        are too few for a fit, a cell is small if its n is at most a quarter of the largest n.  If these cells
        are too few as well, the law is fitted to all cells, without a comparison.  None if no law can be
        fitted.
    notes
        Sentences that say which runs were left out, and why there is no comparison.
    """

    label: str
    inputs: dict[str, Array]
    error: Array
    result: Holdout | Fit | None
    notes: tuple[str, ...]

    def headline(self) -> str:
        """Return the label, the number of runs and the law as one line."""
        law = "no law" if self.result is None else self.result.headline()
        return ", ".join(text for text in (self.label, f"{len(self.error)} runs", law) if text)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the law, see `errsrc.plots.draw`.

        Raises
        ------
        ValueError
            If no law was fitted.
        """
        if self.result is None:
            why = self.notes[-1] if self.notes else "No law was fitted."
            raise ValueError(f"This family has no figure: {why}")
        return self.result.plot(ax, **options)

    def content(self) -> list[str | TextTable]:
        """Return the label, the number of runs, the law, and the `notes`."""
        law = ["no law"] if self.result is None else self.result.content()
        return [*([self.label] if self.label else []), f"{len(self.error)} runs", *law, *self.notes]


def families(finished: FinishedStudy) -> list[TrainedFamily]:
    """Return the families of networks in a finished study, and fit a law to each family.

    The law is the joint law in n and m, with its parameter eps0 fixed at the error of a random guess.  If m
    does not vary, the law is a power law in n.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "vision" or "language".

    Returns
    -------
    list of TrainedFamily
        The families.
    """
    about = QUANTITIES[finished.study.kind.name]
    out = []
    for label, places in finished.groups(SIZES, about.apart).items():
        cells, rows = [finished.cells[k] for k in places], [finished.rows[k] for k in places]
        guess = about.guess(cells[0])
        usable = is_usable(rows, guess, about.error)
        every = {
            "n": np.array([row["n"] for row in rows], dtype=np.float64)[usable],
            "m": np.array([row[about.m] for row in rows], dtype=np.float64)[usable],
        }
        error = np.array([row[about.error] for row in rows], dtype=np.float64)[usable]
        inputs = {name: x for name, x in every.items() if len(np.unique(x)) > 1}
        result, why = _law(inputs, error, guess)
        notes = left_out(cells, rows, usable, about.error)
        out.append(TrainedFamily(label, inputs, error, result, (*notes, *why)))
    return out


def is_usable(rows: Sequence[Mapping[str, Any]], guess: float, name: str = "error") -> NDArray[np.bool_]:
    """Return a mask of the runs that can be used to fit a law.

    A run can be used if it did not diverge and if its error is above 0 and below the error of a random guess.

    Parameters
    ----------
    rows : sequence of mappings
        The rows of the runs, with "diverged" and the error.
    guess : float
        The error of a random guess.
    name : str
        Name of the column that has the error.

    Returns
    -------
    bool array (runs,)
        True for the runs that can be used.

    Examples
    --------
    >>> is_usable([{"diverged": False, "error": 0.2}, {"diverged": False, "error": 0.9}], guess=0.9)
    array([ True, False])
    """
    return np.array([not row["diverged"] and 0 < row[name] < guess for row in rows], dtype=bool)


def left_out(
    cells: Sequence[Any],
    rows: Sequence[Mapping[str, Any]],
    used: NDArray[np.bool_],
    name: str = "error",
) -> list[str]:
    """Return sentences that say which runs were left out, and why.

    Parameters
    ----------
    cells : sequence of cells
        The cell of each run: its arguments.
    rows : sequence of mappings
        The row of each cell.
    used : bool array (runs,)
        False for the runs that were left out.
    name : str
        Name of the column that has the error.

    Returns
    -------
    list of str
        A sentence for each run that was left out.
    """
    out = []
    for cell, row, in_law in zip(cells, rows, used, strict=True):
        if not in_law:
            why = "its training diverged" if row["diverged"] else f"its {name} is {row[name]}"
            out.append(f"Left out: {cell_text(cell)}: {why}.")
    return out


def cell_text(cell: Any) -> str:
    """Return the sizes and the seed of a trained network as text.

    Parameters
    ----------
    cell
        The arguments with which the network was trained.
    """
    depth = f", depth {cell.depth}" if cell.depth != 1 else ""
    return f"n = {cell.n:,}, width {cell.width}{depth}, seed {cell.seed}"


def _law(inputs: dict[str, Any], error: Array, guess: float) -> tuple[Holdout | Fit | None, tuple[str, ...]]:
    """Return the law of some runs, compared with the large cells where possible, and why where not."""
    if "n" not in inputs:
        return None, ("No law was fitted: n does not vary.",)
    law, fixed = (Dense, {"eps0": guess}) if "m" in inputs else (Power, {})
    too_few = f"of {' and '.join(inputs)} at most a quarter of the largest do not determine the law"
    for sizes, why in (
        (tuple(inputs), ()),
        (("n",), (f"Cells {too_few}: it is fitted to those of n at most a quarter.",)),
    ):
        try:
            chosen: dict[str, Any] = {name: inputs[name] for name in sizes}
            seen = small_cells(**chosen)
            small: dict[str, Any] = {name: x[seen] for name, x in inputs.items()}
            return judge(fit(law, error[seen], fixed=fixed, **small), error, seen, **inputs), why
        except (NoFit, ValueError):
            continue
    try:
        found = fit(law, error, fixed=fixed, **inputs)
        return found, (f"Cells {too_few}: it is fitted to all cells, and predicts none of them.",)
    except (NoFit, ValueError) as problem:
        return None, (f"No law was fitted: {problem}",)
