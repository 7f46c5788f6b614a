"""Kinds of cells: which function computes them, and what makes two of them the same."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errsrc import checks, records
from errsrc.records import Leaves

RESERVED = frozenset({"key", "kind", "version", "curve", "seconds", "device", "finished"})
"""Columns of the sweep's own, beside the fields of a cell and the names of its result."""


@dataclass(frozen=True)
class Kind:
    """A kind of cell, known to a sweep as functions alone.

    Attributes
    ----------
    name
        What specs call it; part of every cell's key.
    cell
        The class of its cells: a frozen dataclass of plain values (and of such dataclasses) that says
        all that a result depends on, with an integer field ``seed`` and none named as in `RESERVED`.
    compute
        Maps the cells of one batch to their outcomes, in order.  An outcome maps names to numbers,
        strings and booleans.  Three names are the sweep's own: "curve", the learning curve, a mapping
        of names to one-dimensional arrays; "seconds", the cell's share of the wall time (an equal one
        where it is not given); and "device".  Runs in other processes: it must be a module's function.
    version
        Version of what a cell means, >= 1.  Raise it when the same configuration gives other results
        than before: rows of older versions are then left alone and not used.
    group
        Cells of equal ``group(cell)`` may be computed in one batch; without it each is its own.
    largest
        The most cells in a batch.
    cost
        Relative work of a cell: the most expensive batches start first, and the time left is judged
        by it.  All equal without it.
    ready
        Refuses cells that this machine has no data for, with an OSError or ValueError that says what to
        install or where to put it: called with all that are missing, before any is computed.
    packages
        Installed packages whose versions are recorded with each row, beside Python's and errsrc's.
    """

    name: str
    cell: type
    compute: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]
    version: int = 1
    group: Callable[[Any], Hashable] | None = None
    largest: int = 64
    cost: Callable[[Any], float] | None = None
    ready: Callable[[Iterable[Any]], None] | None = None
    packages: tuple[str, ...] = ("numpy",)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise ValueError(checks.refusal("name", "Kind", "a name such as 'vision'", self.name))
        if not (isinstance(self.cell, type) and dataclasses.is_dataclass(self.cell)):
            raise TypeError(checks.refusal("cell", "Kind", "a frozen dataclass", self.cell))
        types = records.types_of(self.cell)
        if types.get("seed") is not int:
            accepted = "a dataclass with an integer field 'seed'"
            raise TypeError(checks.refusal("cell", "Kind", accepted, f"<{self.cell.__name__}>"))
        taken = RESERVED.intersection(types)
        if taken:
            accepted = f"a dataclass without fields named {', '.join(sorted(RESERVED))}"
            raise ValueError(checks.refusal("cell", "Kind", accepted, f"<{min(taken)!r}>"))
        checks.integer(self.version, "version", "Kind", 1)
        checks.integer(self.largest, "largest", "Kind", 1)

    @property
    def stored_name(self) -> str:
        """The name that stores have for this kind: the name that it was first given."""
        return records.stored_study(self.name)

    @property
    def head(self) -> str:
        """What precedes the configuration in the text of a key, see `errsrc.records.digest`."""
        return f"{self.stored_name} {self.version}\n"

    def flatten(self, cell: Any, fields: Container[str] | None = None) -> tuple[Leaves, Leaves]:
        """Return a cell as two flat tables with the names that stores have, see `errsrc.records.flatten`.

        Parameters
        ----------
        cell
            A cell of this kind.
        fields
            Names of the fields to return; all by default.
        """
        given, defaults = records.flatten(cell, fields)
        kinds = defaults | given
        return self.stored(given, kinds), self.stored(defaults, kinds)

    def stored(self, leaves: Leaves, kinds: Mapping[str, Any]) -> Leaves:
        """Return a part of a cell's flat table with the names that stores have.

        Parameters
        ----------
        leaves : dict
            The part.
        kinds : mapping
            The whole table, or as much of it as says the kinds of nested records.
        """
        return records.stored_names(leaves, cell_name(self.name), kinds)

    def key(self, cell: Any) -> str:
        """Return the key of a cell: 32 hexadecimal digits, see `errsrc.records.digest`.

        Parameters
        ----------
        cell
            A cell of this kind.
        """
        return records.digest(self.flatten(cell)[0], self.head)


def cell_name(kind: str) -> str:
    """Return what the table of old names calls the cells of a kind.

    Parameters
    ----------
    kind : str
        Name of the kind.

    Examples
    --------
    >>> cell_name("vision")
    'vision-cell'
    """
    return f"{kind}-cell"
