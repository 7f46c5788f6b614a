"""Kinds of cells.  A kind has the function that computes its cells, and gives each cell its key."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errsrc import checks, records
from errsrc.fields import Checked, integer
from errsrc.records import Leaves

RESERVED = frozenset({"key", "kind", "version", "curve", "seconds", "device", "finished"})
"""Columns of every store; no field of a cell may have one of these names."""


@dataclass(frozen=True)
class Kind(Checked):
    """A kind of cell: the class of the cells, and the function that computes them.

    Attributes
    ----------
    name
        The name of the kind in TOML files of studies, in lower case with hyphens.  The name is part of every
        cell's key.
    cell
        The class of the cells: a frozen dataclass.  Its fields are plain values or frozen dataclasses of
        plain values, and include everything that a result depends on.  It has an integer field ``seed``, and
        no field whose name is in `RESERVED`.
    compute
        Function that maps the cells of one batch to a sequence of outcomes, one for each cell in order.  An
        outcome maps names to numbers, strings and booleans.  Three names have special meanings.  "curve" is
        the learning curve, a mapping of names to one-dimensional arrays.  "seconds" is the cell's share of
        the wall time (by default an equal share).  "device" is the name of the device.  The function must be
        defined in a module, because it runs in other processes.
    version
        Version of the computation, >= 1.  Increase the version if a cell gives other results than before.
        Rows of older versions then stay in the store, but are not used.
    group
        Function of a cell.  Cells with equal ``group(cell)`` may be computed in one batch.  By default every
        cell is a batch of its own.
    max_batch
        Largest number of cells in a batch.
    cost
        Function that returns the relative cost of a cell.  The most expensive batches start first, and the
        remaining time is estimated from the costs.  By default all cells have equal costs.
    require_data
        Function that is called once with all cells that are not finished, before any cell is computed.  The
        function raises OSError or ValueError if this machine lacks data of the cells.  The message says what
        to install or where to put the data.
    packages
        Installed packages whose versions are recorded with each row, in addition to Python's and errsrc's.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Cell:
    ...     n: int
    ...     seed: int = 0
    >>> kind = Kind("example", Cell, compute=lambda cells: [{"error": 1 / cell.n} for cell in cells])
    >>> kind.key(Cell(10))
    '53fbed4dfa34b1f58c7d98facd3362be'
    """

    name: str
    cell: type
    compute: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]
    version: int = integer(1, at_least=1)
    group: Callable[[Any], Hashable] | None = None
    max_batch: int = integer(64, at_least=1)
    cost: Callable[[Any], float] | None = None
    require_data: Callable[[Iterable[Any]], None] | None = None
    packages: tuple[str, ...] = ("numpy",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise ValueError(checks.refusal("name", "Kind", "a name such as 'vision'", self.name))
        if not (isinstance(self.cell, type) and dataclasses.is_dataclass(self.cell)):
            raise TypeError(checks.refusal("cell", "Kind", "a frozen dataclass", self.cell))
        if not getattr(self.cell, "__dataclass_params__").frozen:  # noqa: B009  # mypy does not know it
            raise TypeError(checks.refusal("cell", "Kind", "a frozen dataclass", f"<{self.cell.__name__}>"))
        types = records.types_of(self.cell)
        if types.get("seed") is not int:
            accepted = "a dataclass with an integer field 'seed'"
            raise TypeError(checks.refusal("cell", "Kind", accepted, f"<{self.cell.__name__}>"))
        taken = RESERVED.intersection(types)
        if taken:
            accepted = f"a dataclass without fields named {', '.join(sorted(RESERVED))}"
            raise ValueError(checks.refusal("cell", "Kind", accepted, f"<{min(taken)!r}>"))

    @property
    def stored_name(self) -> str:
        """The name of this kind in stores; a kind that was renamed keeps its first name there."""
        return records.stored_study(self.name)

    @property
    def head(self) -> str:
        """The beginning of the text from which keys are computed, see `errsrc.records.digest`."""
        return f"{self.stored_name} {self.version}\n"

    def flatten(self, cell: Any, fields: Container[str] | None = None) -> tuple[Leaves, Leaves]:
        """Return the fields of a cell as two flat dicts, with the names that stores (files of cells) use.

        Parameters
        ----------
        cell
            A cell of this kind.
        fields : container of str, optional
            Names of the fields to return; by default all fields.

        Returns
        -------
        given, defaults : dict
            The values that differ from the defaults, and all defaults, see `errsrc.records.flatten`.
        """
        given, defaults = records.flatten(cell, fields)
        kinds = defaults | given
        return self.stored(given, kinds), self.stored(defaults, kinds)

    def stored(self, leaves: Leaves, kinds: Mapping[str, Any]) -> Leaves:
        """Return some of a cell's flat fields, with the names that stores (files of finished cells) use.

        Parameters
        ----------
        leaves : dict
            The fields to return; the keys are dotted paths.
        kinds : mapping
            All flat fields of the cell.  Only the fields named "kind" are used: each gives the class of a
            nested record.

        Returns
        -------
        dict
            The same fields under the names that stores use.
        """
        return records.stored_names(leaves, cell_name(self.name), kinds)

    def key(self, cell: Any) -> str:
        """Return the key of a cell, which identifies the row of the cell in a store.

        Parameters
        ----------
        cell
            A cell of this kind.

        Returns
        -------
        str
            32 hexadecimal digits, see `errsrc.records.digest`.
        """
        return records.digest(self.flatten(cell)[0], self.head)


def cell_name(kind: str) -> str:
    """Return the name under which the table of old names lists the cells of a kind.

    Parameters
    ----------
    kind : str
        Name of the kind.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> cell_name("vision")
    'vision-cell'
    """
    return f"{kind}-cell"
