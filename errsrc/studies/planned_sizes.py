"""Facts on cells before they are computed: m of each width, too few small sizes, and refused cells."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from errsrc import records
from errsrc.studies.finished import FinishedStudy
from errsrc.studies.trained import (
    QUANTITIES,
    SIZES,
    Quantities,
    few_sizes_of,
    planned_quantities,
    sizes_of,
)
from errsrc.sweeps import Study
from errsrc.sweeps.runner import refusals_text, refused_cells

MOST_CELLS = 20_000
"""Largest number of cells, not counting seeds, of a study whose sizes are computed in advance.

Also the largest number of cells that are checked in advance."""
SHOWN = 12
"""Largest number of values of m that are listed."""


class PlannedSizes(NamedTuple):
    """The model sizes of a study, which are known before any cell is computed.

    Attributes
    ----------
    m : dict of str to float
        The number of parameters, by the fields that determine it, such as "width 4".
    few : tuple of str
        A sentence for each input that has too few small values, see `errsrc.fitting.few_small_sizes`.
    """

    m: dict[str, float]
    few: tuple[str, ...]

    def line(self) -> str:
        """Return the values of m as one line, such as "159 (width 2), 459 (width 4)"."""
        texts = [f"{value:,.6g} ({text})" if text else f"{value:,.6g}" for text, value in self.m.items()]
        if len(texts) > SHOWN:
            texts = [*texts[: SHOWN - 1], "...", texts[-1]]
        return ", ".join(texts)


def planned_sizes(study: Study) -> PlannedSizes:
    """Return the model sizes of a study, whether or not its cells are computed.

    Parameters
    ----------
    study : Study
        The grid of cells.

    Returns
    -------
    PlannedSizes
        The sizes; empty for kinds of studies that have no law in n, and for very large studies.
    """
    about = planned_quantities(study)
    factors = tuple(factor for factor in study.factors if factor.fields != ("seed",))
    if about is None or math.prod(len(factor.values) for factor in factors) > MOST_CELLS:
        return PlannedSizes({}, ())
    unseeded = Study(study.kind, study.base, factors)
    cells = list(_accepted(unseeded))
    rows = [{about.m: m} for m in _sizes(unseeded, cells, about)]
    if not cells or any(row[about.m] is None for row in rows):
        return PlannedSizes({}, ())
    every = FinishedStudy(unseeded, cells, rows, (), {}, (), Path())
    few: list[str] = []
    for label, places in every.groups(sizes_of(every, about), about.apart).items():
        columns = {"n": [cells[k].n for k in places], "m": [rows[k][about.m] for k in places]}
        prefix = f"{label}: " if label else ""
        few += [prefix + said for said in few_sizes_of(columns)]
    return PlannedSizes(_listed(unseeded, cells, [row[about.m] for row in rows], about), tuple(few))


def planned_refusals(study: Study, places: Sequence[int]) -> tuple[str, ...]:
    """Return a sentence if `errsrc.sweeps.run` would refuse cells before it computes anything.

    Only cells of errsrc's kinds of trainings are checked, because the check of another kind may take long.

    Parameters
    ----------
    study : Study
        The grid of cells.
    places : sequence of int
        The indices of the cells to check.  If there are more than 20,000, none is checked.

    Returns
    -------
    tuple of str
        One sentence or none: the number of refused cells and the first error, or the error that would end a
        run before its first cell, such as missing images.
    """
    if study.kind.name not in (*QUANTITIES, "pruning") or len(places) > MOST_CELLS:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # `errsrc run` warns of files that are not read
            refused = refused_cells(study, places)
    except (OSError, ImportError) as error:  # the data or a package is not on this machine
        return (" ".join(str(error).split()),)
    return (refusals_text(refused, len(study)),) if refused else ()


def _accepted(study: Study) -> Iterable[Any]:
    """Yield the cells of a study whose values their class accepts."""
    for place in range(len(study)):
        try:
            yield study[place]
        except (TypeError, ValueError):  # `errsrc run` says so
            continue


def _sizes(study: Study, cells: list[Any], about: Quantities) -> list[float | None]:
    """Return m of each cell; None if m is not known before the cell is computed."""
    fields = [field for factor in study.factors for field in factor.fields if field not in ("n", "steps")]
    known: dict[str, float | None] = {}
    out = []
    for cell in cells:
        key = records.text([attrgetter(field)(cell) for field in fields])
        if key not in known:
            try:
                known[key] = about.m_of(cell)
            except (TypeError, ValueError, OSError, AttributeError):  # no images, or a module with an error
                known[key] = None
        out.append(known[key])
    return out


def _listed(study: Study, cells: list[Any], sizes: list[Any], about: Quantities) -> dict[str, float]:
    """Return the different values of m, ascending, by the fields that determine m."""
    varied = [field for factor in study.factors for field in factor.fields if field not in ("n", "seed")]
    fields = [field for field in varied if about.guess is None or field in {*SIZES, *about.apart}]
    fields = [field for field in fields if field != "steps"]
    found: dict[str, float] = {}
    for cell, m in sorted(zip(cells, sizes, strict=True), key=lambda pair: pair[1]):
        text = ", ".join(f"{field} {records.text(attrgetter(field)(cell))}" for field in fields)
        found.setdefault(text.replace("'", ""), m)
    return found
