"""Finished studies: the contents of a study's store, as one object to analyse."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import records
from errsrc.results import Result, TextTable, json_value
from errsrc.sweeps import Store, Study
from errsrc.sweeps.store import columns_of


@dataclass(frozen=True, eq=False, repr=False)
class FinishedStudy(Result):
    """The finished cells of a study, and what else its store says about it.

    `errsrc.load_study` reads one; `errsrc.run_study` computes the missing cells first.

    Attributes
    ----------
    study
        The study: the grid of all its cells, finished or not.
    cells
        The finished cells, in the study's order.
    rows
        A row for each finished cell: its configuration, its results, "seconds", "device" and "finished".
    curves
        A learning curve for each finished cell, {name: float64 (evaluations,)}; empty where there is none.
    failures
        How many of the missing cells failed, by error message.
    versions
        How many rows of the store were computed with which versions of Python and packages.
    store
        The file of finished cells.
    spec
        The TOML file that describes the study; None for a study without one.

    Examples
    --------
    >>> from errsrc.studies import load_study
    >>> finished = load_study("sims/digits_grid.toml")  # doctest: +SKIP
    >>> pandas.DataFrame(finished.columns())            # doctest: +SKIP
    """

    study: Study
    cells: Sequence[Any]
    rows: Sequence[Mapping[str, Any]]
    curves: Sequence[Mapping[str, NDArray[np.float64]]]
    failures: Mapping[str, int]
    versions: Sequence[tuple[int, Mapping[str, str]]]
    store: Path
    spec: Path | None = None

    @property
    def missing(self) -> int:
        """Number of cells that are not finished."""
        return len(self.study) - len(self.cells)

    def headline(self) -> str:
        """Return the kind of the study and the numbers of cells as one line."""
        return (
            f"{self.study.kind.name}, {len(self.cells):,} of {len(self.study):,} cells finished: {self.store}"
        )

    def content(self) -> list[str | TextTable]:
        """Return the numbers of cells, and the failures with their number."""
        rows = [("store", str(self.store)), ("kind", self.study.kind.name)]
        rows += [("finished", f"{len(self.cells):,} of {len(self.study):,} cells")]
        rows += [("failed", f"{count:,} cells: {error}") for error, count in self.failures.items()]
        return [TextTable(rows, "l")]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers of cells, the failures and the rows as JSON values."""
        counts = {"finished": len(self.cells), "missing": self.missing, "failures": self.failures}
        shown = {"kind": self.study.kind.name, "store": self.store, **counts, "rows": self.rows}
        return json_value(shown)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return `rows` as arrays, so that ``pandas.DataFrame(finished.columns())`` is a table.

        Returns
        -------
        dict of str to (rows,) arrays
            float64, int64, bool or objects.  A value that a row lacks is nan, or None in an array of objects.
        """
        return columns_of(self.rows)

    def groups(self, sizes: Sequence[str], apart: Sequence[str] = ()) -> dict[str, list[int]]:
        """Return the finished cells in groups whose cells differ only in sizes.

        Two cells are in one group if they agree in the fields `apart` and in the fields of some factors:
        those factors that do not vary any of the fields `sizes`.

        Parameters
        ----------
        sizes : sequence of str
            Fields in which cells of one group may differ.
        apart : sequence of str
            Fields in which cells of one group agree.

        Returns
        -------
        dict of str to list of int
            {label of a group: indices of its cells in `cells`}.  The label has the values of the fields that
            differ between groups; it is empty if there is only one group.
        """
        fixed = [
            field
            for factor in self.study.factors
            if set(sizes).isdisjoint(factor.fields)
            for field in factor.fields
        ]
        names = list(dict.fromkeys([*apart, *fixed]))
        values = [tuple(records.text(attrgetter(name)(cell)) for name in names) for cell in self.cells]
        varied = [k for k in range(len(names)) if len({value[k] for value in values}) > 1]
        out: dict[str, list[int]] = {}
        for index, value in enumerate(values):
            label = ", ".join(f"{names[k]} {value[k]}".replace("'", "") for k in varied)
            out.setdefault(label, []).append(index)
        return out


def read_store(study: Study, store: Store, spec: Path | None = None) -> FinishedStudy:
    """Return the finished cells of a study that a store has.

    Parameters
    ----------
    study : Study
        The grid of cells.
    store : Store
        The open file of finished cells.
    spec : Path, optional
        The TOML file that describes the study.

    Returns
    -------
    FinishedStudy
        The finished cells.

    Raises
    ------
    ValueError
        If no cell of the study is finished.
    """
    keys, missing = study.cell_keys(), set(store.missing(study))
    if len(missing) == len(study):
        raise ValueError(f"No cell of this study is finished in {store.path}: 'errsrc run' computes them.")
    errors = store.failures()
    return FinishedStudy(
        study,
        [study[place] for place in range(len(study)) if place not in missing],
        store.rows(study),
        store.curves(study),
        collections.Counter(errors[keys[place]] for place in sorted(missing) if keys[place] in errors),
        store.versions(),
        store.path,
        spec,
    )
