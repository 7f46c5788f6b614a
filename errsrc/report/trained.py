"""What a page says of trained networks: the law in data and model size, and what it foretells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc.errors import NoFit
from errsrc.fitting.holdouts import DIVERGENCE_LIMITS, Holdout, judge, small_cells
from errsrc.fitting.one_law import Fit, fit
from errsrc.laws import Dense, Power
from errsrc.laws.law import Array
from errsrc.report import holdout
from errsrc.report.finished import Finished, cells_table
from errsrc.report.page import Content, Figure, paragraph
from errsrc.tasks import LanguageCell, vision

SIZES = ("n", "width", "depth", "heads", "seed", "steps")
"""Fields by which cells of one law differ."""

TEXT = ("training tokens", "test loss, nats a token", "m leaves the table of token embeddings out.")
"""What n, the error and m are of language models, where they are not what they are of image classifiers."""


@dataclass(frozen=True, eq=False)
class Sized:
    """Networks of one family on one data set, and the law of their sizes.

    Attributes
    ----------
    label
        What tells them from the others; empty of the only ones.
    inputs, error
        The runs that the law is of: {"n": (runs,), "m": (runs,)} or what of it varies, and (runs,).
    result
        The law fitted to the small cells and compared with the others; fitted to all cells where the
        small ones do not tell it; None where all do not.  Small are those of n and m at most a quarter of the
        largest, or of such n where that leaves too few.
    notes
        What was left out, and why the result is not a comparison, a sentence each.
    """

    label: str
    inputs: dict[str, Array]
    error: Array
    result: Holdout | Fit | None
    notes: tuple[str, ...]


def laws(found: Finished) -> list[Sized]:
    """Return the law of each family of networks in a study of trained ones.

    It is the joint law of n and m, with eps0 the error of random guess, or a power law in n where m does
    not vary.  Errors are of classes, of language models nats a token.
    """
    text = issubclass(found.study.kind.cell, LanguageCell)
    apart = ("corpus", "vocabulary", "family") if text else ("dataset", "family")
    out = []
    for label, places in found.groups(SIZES, *apart).items():
        cells, rows = [found.cells[k] for k in places], [found.rows[k] for k in places]
        if isinstance(cells[0], LanguageCell):
            name, size, guess = "loss", "non_embedding", math.log(cells[0].vocabulary)
        else:
            name, size, guess = "error", "m", 1 - 1 / vision.network(cells[0]).outputs
        fine = usable(rows, guess, name)
        every = {
            "n": np.array([row["n"] for row in rows], dtype=np.float64)[fine],
            "m": np.array([row[size] for row in rows], dtype=np.float64)[fine],
        }
        error = np.array([row[name] for row in rows], dtype=np.float64)[fine]
        notes = left_out(cells, rows, fine, name)
        inputs = {name: x for name, x in every.items() if len(np.unique(x)) > 1}
        result, why = _law(inputs, error, guess)
        out.append(Sized(label, inputs, error, result, (*notes, *why)))
    return out


def usable(rows: Sequence[Mapping[str, Any]], guess: float, name: str = "error") -> NDArray[np.bool_]:
    """Return which runs a law can use, (runs,): not diverged, above zero and below random guess.

    The ``rows`` of runs say "diverged" and, by ``name``, an error or a loss; ``guess`` is in its unit.

    Examples
    --------
    >>> usable([{"diverged": False, "error": 0.2}, {"diverged": False, "error": 0.9}], guess=0.9)
    array([ True, False])
    """
    return np.array([not row["diverged"] and 0 < row[name] < guess for row in rows], dtype=bool)


def left_out(
    cells: Sequence[Any],
    rows: Sequence[Mapping[str, Any]],
    used: NDArray[np.bool_],
    name: str = "error",
) -> list[str]:
    """Return a sentence for each run that no law was fitted to or compared with.

    Parameters
    ----------
    cells, rows
        The runs, and what the store has of each.
    used
        bool (runs,): False of those to name.
    name
        Of the error in a row.
    """
    out = []
    for cell, row, fine in zip(cells, rows, used, strict=True):
        if not fine:
            why = "its training diverged" if row["diverged"] else f"its {name} is {row[name]}"
            depth = f", depth {cell.depth}" if cell.depth != 1 else ""
            out.append(f"Left out: n = {cell.n:,}, width {cell.width}{depth}, seed {cell.seed}: {why}.")
    return out


def _law(inputs: dict[str, Any], error: Array, guess: float) -> tuple[Holdout | Fit | None, tuple[str, ...]]:
    """Return the law of some runs, judged on the large cells where that can be, and why not where not."""
    law, fixed = (Dense, {"eps0": guess}) if "m" in inputs else (Power, {})
    if "n" not in inputs:
        return None, ("No law was fitted: n does not vary.",)
    few = f"of {' and '.join(inputs)} at most a quarter of the largest do not tell the law: it is fitted to"
    for sizes, why in ((tuple(inputs), ()), (("n",), (f"Cells {few} those of n at most a quarter.",))):
        try:
            chosen: dict[str, Any] = {name: inputs[name] for name in sizes}
            seen = small_cells(**chosen)
            some: dict[str, Any] = {name: x[seen] for name, x in inputs.items()}
            return judge(fit(law, error[seen], fixed=fixed, **some), error, seen, **inputs), why
        except (NoFit, ValueError):
            continue
    try:
        return fit(law, error, fixed=fixed, **inputs), (f"Cells {few} all, and foretells nothing.",)
    except (NoFit, ValueError) as problem:
        return None, (f"No law was fitted: {problem}",)


def content(found: Finished) -> Content:
    """Return what a page says of a study of trained networks."""
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[str | Figure]]] = []
    warnings: list[str] = []
    language = issubclass(found.study.kind.cell, LanguageCell)
    every = laws(found)
    for k, one in enumerate(every):
        name = f"{one.label}: " if one.label else ""
        warnings += [f"{name}{note}" for note in one.notes]
        if isinstance(one.result, Holdout):
            verdicts += [(name + said, yes) for said, yes in holdout.verdicts(one.result)]
            own = holdout.sections(one.result, f"laws[{k}].result", *(TEXT if language else ()))
            sections += [(name + title, blocks) for title, blocks in own]
            warnings += [name + said for said in one.result.forecast.warnings]
        elif one.result is not None:
            verdicts.append(_described(one.result, name))
            units = paragraph(f"n: {TEXT[0]}; error: {TEXT[1]}; {TEXT[2]}")
            law = [*([units] if language else []), *holdout.law(one.result)]
            sections.append((f"{name}The law, fitted to all cells", [*law]))
            warnings += [name + said for said in one.result.warnings]
        else:
            verdicts.append((f"{name}{one.notes[-1]}", False))
    if not all(isinstance(one.result, Holdout) for one in every):
        sections.append(("Finished cells", [*cells_table(found)]))
    return Content(verdicts, sections, warnings, "laws = report.trained.laws(found)")


def _described(found: Fit, name: str) -> tuple[str, bool]:
    """Return how well a law describes the points that it was fitted to, against the limits for those."""
    mean, std = DIVERGENCE_LIMITS["fitted"]
    met = abs(found.divergence_mean) <= mean and found.divergence_std <= std
    limits = f"{'within' if met else 'not within'} the limits of {mean:.0%} and {std:.0%}"
    law = type(found.law).__name__
    return (
        f"{name}The {law} law describes the cells, divergence {holdout.divergence(found)}, {limits}.",
        met,
    )
