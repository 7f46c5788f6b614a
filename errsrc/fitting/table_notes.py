"""What the notes of a fit say about its table: the rows that were left out, and the library of the frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from errsrc.tables import LeftOut, left_out_sentence


def left_out_notes(left_out: Sequence[LeftOut], total: int) -> dict[str, Any]:
    """Return the notes of a fit on rows that were left out, as JSON values; {} if there are none.

    Parameters
    ----------
    left_out : sequence of LeftOut
        The rows.
    total : int
        Number of rows of the table.
    """
    if not left_out:
        return {}
    groups = [
        {
            "reason": one.reason,
            "rows": [r if isinstance(r, int) else str(r) for r in one.rows],
            "unit": one.unit,
        }
        for one in left_out
    ]
    return {"left_out": {"total": total, "groups": groups}}


def noted_left_out(notes: Mapping[str, Any]) -> tuple[tuple[LeftOut, ...], str]:
    """Return the rows that were left out according to the notes of a fit, and one sentence about these rows.

    Parameters
    ----------
    notes : dict
        Notes of a fit, which may come from a file that errsrc did not write.
    """
    try:
        noted = notes["left_out"]
        groups = tuple(LeftOut(str(g["reason"]), tuple(g["rows"]), str(g["unit"])) for g in noted["groups"])
        return groups, left_out_sentence(groups, int(noted["total"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return (), ""


def noted_library(notes: Mapping[str, Any]) -> str:
    """Return the library of the data frame that a fit was made from, "" if it was made from something else.

    Parameters
    ----------
    notes : dict
        Notes of a fit.
    """
    library = notes.get("library", "")
    return library if isinstance(library, str) else ""
