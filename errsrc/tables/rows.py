"""Rows that are left out of a table, each group with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SHOWN_ROWS = 8
"""Largest number of rows that a sentence lists."""


@dataclass(frozen=True)
class LeftOut:
    """Rows of a table that were left out for one reason.

    Attributes
    ----------
    reason : str
        The reason, as the end of a sentence such as "2 rows are left out: without an error".
    rows : tuple
        The rows: line numbers of a file, or labels of the index of a data frame.
    unit : str
        "line" or "row", the word before a label of `rows` in messages.
    """

    reason: str
    rows: tuple[Any, ...]
    unit: str = "row"

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return f"{len(self)} {self.reason} ({self.listed})"

    @property
    def listed(self) -> str:
        """The rows as text, such as "lines 5, 9"."""
        return listed_rows(self.rows, self.unit)


def listed_rows(rows: Sequence[Any], unit: str) -> str:
    """Return the labels of rows as text, such as "lines 5, 9" or "row 3"; a long list is shortened.

    Parameters
    ----------
    rows : sequence
        The labels: line numbers, or labels of the index of a data frame.
    unit : str
        "line" or "row".
    """
    shown = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    return f"{unit}{'s' if len(rows) > 1 else ''} {shown}{more}"


def left_out_sentence(left_out: Sequence[LeftOut], total: int) -> str:
    """Return one sentence that counts the rows that were left out, with the reasons.

    Parameters
    ----------
    left_out : sequence of LeftOut
        The rows, in groups by reason; at least one group.
    total : int
        Number of rows of the table.

    Examples
    --------
    >>> left_out = [LeftOut("without an error", (5, 9), "line"), LeftOut("diverged", (12,), "line")]
    >>> left_out_sentence(left_out, 24)
    '3 of 24 rows are left out: 2 without an error (lines 5, 9), 1 diverged (line 12).'
    """
    count = sum(len(one) for one in left_out)
    verb = "is" if count == 1 else "are"
    return f"{count} of {total} rows {verb} left out: {', '.join(map(str, left_out))}."
