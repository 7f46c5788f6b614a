"""Texts that distinguish the cells of a study, for pages and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from errsrc import records


def learners_and_settings(cells: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the learner and the setting of each cell as text.

    Cells with the same learner and setting may differ in other fields, for example in the seed.  The
    learner's text then ends with the values of these fields.

    Parameters
    ----------
    cells : sequence of cells
        Cells with a ``learner`` and a ``setting``.

    Returns
    -------
    list of (str, str)
        Pairs of the learner's and the setting's text, see `errsrc.records.text`.
    """
    texts = [(records.text(cell.learner), records.text(cell.setting)) for cell in cells]
    out = []
    for cell, (learner, setting) in zip(cells, texts, strict=True):
        alike = [other for other, text in zip(cells, texts, strict=True) if text == (learner, setting)]
        own = {field.name: getattr(cell, field.name) for field in fields(cell)}
        apart = [
            f", {name}={value!r}"
            for name, value in own.items()
            if any(getattr(other, name) != value for other in alike)
        ]
        out.append((learner + "".join(apart), setting))
    return out
