"""The runs of a table that a fit uses, with warnings about rows that are suspicious."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from errsrc.fitting.anomalies import SHAPE
from errsrc.fitting.doubtful_units import wrong_units
from errsrc.fitting.mixtures import mixed_rows, unfinished_rows
from errsrc.fitting.repeats import best_of_cells, equal_repeats
from errsrc.tables import DataTable, LeftOut
from errsrc.tables.data_table import UsableColumns
from errsrc.tables.measurements import READ_AS_IS, TableRules

COPIES = (
    "Rows that are equal in all columns count once: if they are different runs, add a column with the seed."
)
BEST = "Only the best row of each size is used: predictions are for the best of as many trials."


def table_runs(
    table: DataTable,
    columns: Mapping[str, str],
    rules: TableRules = READ_AS_IS,
    zero: Container[str] = (),
    clusters: Sequence[str] = (),
) -> UsableColumns:
    """Return the usable columns of a table, with warnings about suspicious rows.

    If ``rules.best_of`` is True, only the best row of each size is kept.

    Parameters
    ----------
    table : DataTable
        The table.
    columns : dict of str to str
        {input, "error" or "weights": name of its column}; "error" is required.
    rules : TableRules
        How the values are read.
    zero : container of str
        Columns that may be 0.
    clusters : sequence of str
        Columns that tell clusters of rows apart.

    Returns
    -------
    UsableColumns
        The columns.  Their warnings are about copied rows, errors of 0, sizes in other units, runs that have
        not finished, and rows of several experiments.

    Raises
    ------
    ValueError
        If the columns cannot be used, see `DataTable.usable_columns`.
    """
    found = table.usable_columns(columns, rules, zero=zero, clusters=clusters)
    error = found.values["error"]
    sizes = {name: x for name, x in found.values.items() if name not in ("error", "weights")}
    warnings = (
        *([COPIES] if found.has_copies else []),
        *found.warnings,
        *equal_repeats(error, sizes),
        *wrong_units(found.table, sizes, found.usable),
        *unfinished_rows(found.table, found.usable),
        *_zeros_at_the_end(found, columns),
    )
    if not rules.best_of:
        used = {*columns.values(), *clusters}
        mixed = mixed_rows(found.table, found.usable, found.values, used)
        return found._replace(warnings=(*warnings, *mixed))
    best = best_of_cells(error, sizes)
    others = tuple(row for row, kept in zip(found.rows, best, strict=True) if not kept)
    worse = [LeftOut("not the best of their size", others, table.unit)] if others else []
    return found._replace(
        values={name: x[best] for name, x in found.values.items()},
        clusters=None if found.clusters is None else found.clusters[best],
        rows=tuple(row for row, kept in zip(found.rows, best, strict=True) if kept),
        left_out=(*found.left_out, *worse),
        warnings=(*warnings, BEST),
    )


def _zeros_at_the_end(found: UsableColumns, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence if a curve has errors of 0 at larger n than all rows that are used; otherwise ()."""
    if columns.keys() - {"weights"} != {"n", "error"}:
        return ()
    n, error = (found.table.numbers(columns[name]).values for name in ("n", "error"))
    zero = (error == 0) & ~found.usable
    if not zero.any() or n[zero].min() <= n[found.usable].max():
        return ()
    count = int(zero.sum())
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return (
        f"A fit leaves out {rows} whose error is 0, from n = {n[zero].min():g} on. The law of the other rows "
        f"does not describe this fall: {SHAPE} shows whether it is a cliff. If the test set is "
        "small, pass test_size=N (--test-size N).",
    )
