"""Columns of words for true and false that say which runs diverged."""

from __future__ import annotations

import re

from errsrc.tables.cells import is_missing

TRUE = frozenset(
    {
        *("true", "t", "yes", "y", "1", "1.0", "1,0", "diverged"),
        *("wahr", "ja", "j", "vrai", "oui", "verdadero", "cierto", "s\u00ed", "si", "vero", "s\u00ec"),
        *("verdadeiro", "sim", "waar", "sant", "sand"),
    }
)
"""Cells, in lower case, that say that a run diverged."""
FALSE = frozenset(
    {
        *("false", "f", "no", "n", "0", "0.0", "0,0"),
        *("falsch", "nein", "faux", "non", "falso", "n\u00e3o", "nao", "onwaar", "nee", "nej", "nei"),
        *("falskt", "falsk"),
    }
)
"""Cells, in lower case, that say that a run did not diverge."""
DIVERGED = frozenset({"diverged", "isdiverged", "hasdiverged", "diddiverge", "rundiverged"})
"""Names of columns that say whether a run diverged: only the letters of the name, in lower case."""


def says_diverged(column: str) -> bool:
    """Return whether a column of this name says which runs diverged.

    Parameters
    ----------
    column : str
        Name of the column.
    """
    return re.sub("[^a-z]", "", column.lower()) in DIVERGED


def flag(cell: str) -> bool | None:
    """Return True for a word for true, False for a word for false or an empty cell, and None for other cells.

    Parameters
    ----------
    cell : str
        The cell.
    """
    word = cell.strip().lower()
    if word in TRUE:
        return True
    return False if word in FALSE or is_missing(word) else None
