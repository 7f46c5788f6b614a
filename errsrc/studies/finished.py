"""Finished studies: the finished cells of a study as one object, for analysis."""

from __future__ import annotations

import collections
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import records
from errsrc.errors import ChangedFiles
from errsrc.results import Result, TextTable, json_value
from errsrc.studies.changes import changes
from errsrc.sweeps import Store, Study
from errsrc.sweeps.store import columns_of


@dataclass(frozen=True, eq=False, repr=False)
class FinishedStudy(Result):
    """The finished cells of a study, with their results, the failures, and the versions that were used.

    A cell is one independent computation, such as one training.

    `errsrc.load_study` and `errsrc.run_study` return such an object.

    Attributes
    ----------
    study
        The grid of all cells of the study, finished or not.
    cells
        The finished cells, in the order of the study.
    rows
        A row for each finished cell: the cell's configuration, its results, and "seconds", "device" and
        "finished".
    curves
        A learning curve for each finished cell, {name: float64 (evaluations,)}; an empty dict if a cell has
        no curve.
    failures
        Number of cells that failed, for each error message.
    versions
        Pairs of a number of cells and the versions of Python and packages with which these cells were
        computed.
    store
        The file of finished cells.
    spec
        The TOML file that describes the study; None for a study without such a file.
    changes
        Warnings about finished cells whose module or images have changed since.

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
    changes: tuple[str, ...] = ()

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
        """Return how many cells are finished, and each failure with the number of its cells."""
        rows = [("store", str(self.store)), ("kind", self.study.kind.name)]
        rows += [("finished", f"{len(self.cells):,} of {len(self.study):,} cells")]
        rows += [("failed", f"{count:,} cells: {error}") for error, count in self.failures.items()]
        rows += [("changed", said) for said in self.changes]
        return [TextTable(rows, "l")]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers of cells, the failures and the rows as JSON values."""
        counts = {"finished": len(self.cells), "missing": self.missing, "failures": self.failures}
        shown = {"kind": self.study.kind.name, "store": self.store, **counts, "rows": self.rows}
        return json_value(shown)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return `rows` as a dict of columns; ``pandas.DataFrame(finished.columns())`` makes a table of it.

        Returns
        -------
        dict of str to (rows,) arrays
            Arrays of float64, int64, bool or objects.  If a row has no value for a column, the entry is nan,
            or None in an array of objects.
        """
        return columns_of(self.rows)

    def groups(self, sizes: Sequence[str], apart: Sequence[str] = ()) -> dict[str, list[int]]:
        """Divide the finished cells into groups of cells that differ only in sizes.

        A factor of the study is a list of fields that vary together.  Two cells are in the same group if they
        agree in the fields `apart`, and in the fields of every factor that contains no field of `sizes`.

        Parameters
        ----------
        sizes : sequence of str
            Names of fields in which the cells of a group may differ.
        apart : sequence of str
            Names of fields in which the cells of a group must agree.

        Returns
        -------
        dict of str to list of int
            For each group, by its label, the indices of its cells in `cells`.  The label has the values of
            the fields that differ between groups.  The label is empty if there is only one group.
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
    """Read the finished cells of a study from a store, the file of finished cells.

    Parameters
    ----------
    study : Study
        The grid of cells.
    store : Store
        The open store.
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

    Warns
    -----
    ChangedFiles
        If a module of the user or a folder of images has changed since cells were computed.
    """
    keys, missing = study.cell_keys(), set(store.missing(study))
    if len(missing) == len(study):
        raise ValueError(f"No cell of this study is finished in {store.path}: 'errsrc run' computes them.")
    errors = store.failures()
    cells, rows = [study[place] for place in range(len(study)) if place not in missing], store.rows(study)
    changed = changes(study, store, cells, rows)
    for said in changed:
        warnings.warn(said, ChangedFiles, stacklevel=3)
    return FinishedStudy(
        study,
        cells,
        rows,
        store.curves(study),
        collections.Counter(errors[keys[place]] for place in sorted(missing) if keys[place] in errors),
        store.versions(),
        store.path,
        spec,
        changed,
    )
