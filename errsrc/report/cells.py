"""A table of the finished cells of a study; a cell is one computation."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any

from errsrc import records
from errsrc.report.page import Block, Paragraph, Table
from errsrc.studies import FinishedStudy

ROWS = 200
"""Largest number of cells that are listed one by one."""

WORD = 12
"""Values with at least this many letters are aligned left, as text."""

LETTERS = 80
"""Largest number of letters of a value that are shown."""


def cells_table(finished: FinishedStudy) -> list[Block]:
    """Return a table with a row for each finished cell: the fields that vary, and the results.

    Parameters
    ----------
    finished : FinishedStudy
        The study.

    Returns
    -------
    list of Block
        The table.  If the study has more than `ROWS` cells, the table has only the first `ROWS` cells, and a
        sentence says so.
    """
    varied = [field for factor in finished.study.factors for field in factor.fields]
    of_cells = {field.name for field in fields(finished.study.base)}  # no result has the name of a field
    names = dict.fromkeys(name for row in finished.rows for name in row)
    results = [name for name in names if name.partition(".")[0] not in of_cells]
    rows = []
    for cell, row in zip(finished.cells[:ROWS], finished.rows[:ROWS], strict=True):
        values = [attrgetter(field)(cell) for field in varied]
        rows.append([*map(_configured, values), *(_measured(row.get(name)) for name in results)])
    words = [k for k in range(len(varied)) if max(len(row[k]) for row in rows) > WORD]
    blocks: list[Block] = [Table((*varied, *results), rows, words)]
    if len(finished.cells) > ROWS:
        said = f"These are the first {ROWS} of {len(finished.cells):,}; 'errsrc export' has all."
        blocks.append(Paragraph(said))
    return blocks


def _measured(value: Any) -> str:
    """Return a result as text."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else _shortened(str(value))


def _configured(value: Any) -> str:
    """Return the value of a field as text."""
    return _shortened(records.text(value))


def _shortened(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
