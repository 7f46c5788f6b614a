"""The search for tables that mix several experiments, such as runs on two data sets."""

from __future__ import annotations

import math
import shlex
from collections.abc import Container, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.laws.law import Array
from errsrc.tables import DataTable

MOST_GROUPS = 8
"""Largest number of values of a column that separates experiments."""
FALSE_ALARM = 1e-4
"""Probability of a false alarm for a table, under normal noise that is the same in all rows."""
SMALLEST_FACTOR = 1.05
"""Smallest factor between the errors of two experiments that a warning states."""
OTHER_SIZES = frozenset({"u", "depth", "width", "density", "eps_np"})
"""Inputs of laws that a polynomial in n and m does not describe."""
EXPLAINED = 0.5
"""Smallest share of the scatter around a smooth law that the column explains."""
STATE_COLUMNS = ("state", "status")
"""Columns, in lower case, that say whether a run has finished; Weights & Biases calls it State."""
UNFINISHED = frozenset({"crashed", "failed", "killed", "preempted", "preempting", "running"})
"""Cells, in lower case, of a run that has not finished."""


class MixedRows(str):
    """A warning that a table mixes several experiments."""


def unfinished_rows(table: DataTable, keep: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return at most one warning, in a tuple: a column says that some rows are runs that have not finished.

    Parameters
    ----------
    table : DataTable
        The table.
    keep : ndarray of bool, shape (rows,)
        The rows that are used.
    """
    for name in table.columns:
        if name.strip().lower() not in STATE_COLUMNS or name in table.repeated:
            continue
        cells = [cell.strip() for cell, kept in zip(table.text(name), keep, strict=True) if kept]
        states = [cell for cell in cells if cell.lower() in UNFINISHED]
        if states:
            finished = next((cell for cell in cells if cell.lower() == "finished"), None)
            fix = (
                f" Keep only finished runs with --where {shlex.quote(f'{name}={finished}')}."
                if finished
                else ""
            )
            listed = ", ".join(sorted(set(states)))
            verb = "has" if len(states) == 1 else "have"
            where = f"not finished (column {name}: {listed})"
            return (f"{len(states)} of the {len(cells)} runs with usable numbers {verb} {where}.{fix}",)
    return ()


def mixed_rows(
    table: DataTable, keep: NDArray[np.bool_], values: Mapping[str, Array], used: Container[str]
) -> tuple[MixedRows, ...]:
    """Return at most one warning, in a tuple: a column that is no input explains differences of the errors.

    ln error is fitted by a polynomial of degree 2 in the logarithms of the sizes, with and without an offset
    for each value of the column.  An F test compares the two fits.  Columns of text, and columns of numbers
    that vary between rows of equal sizes, are tested.  The column that explains most of the scatter is named.

    Parameters
    ----------
    table : DataTable
        The table.
    keep : ndarray of bool, shape (rows,)
        The rows that are used.
    values : dict of str to ndarray of float64, shape (used rows,)
        "error", and "n" or "m" or both, of these rows.
    used : container of str
        Names of the columns that hold sizes or errors.
    """
    sizes = {name: np.log(x) for name, x in values.items() if name in ("n", "m") and np.ptp(x) > 0}
    if not sizes or not OTHER_SIZES.isdisjoint(values) or not (values["error"] > 0).all():
        return ()
    logs = np.log(values["error"])
    found: list[tuple[float, str, dict[str, float]]] = []
    tests = [name for name in table.columns if name not in used and name not in table.repeated]
    for name in tests:
        labels = np.array([cell.strip() for cell in table.text(name)])[keep]
        groups = _groups(labels, sizes, isinstance(table.columns[name], tuple) and name not in table.varying)
        if groups is None:
            continue
        explained, chance, offsets = _offsets(logs, sizes, groups)
        factor = math.exp(offsets.max() - offsets.min())
        if explained >= EXPLAINED and chance < FALSE_ALARM / len(tests) and factor >= SMALLEST_FACTOR:
            shown = dict(zip(np.unique(labels).tolist(), offsets.tolist(), strict=True))
            found.append((explained, name, shown))
    if not found:
        return ()
    _, name, offsets_by_value = max(found)
    low, high = (f(offsets_by_value, key=lambda v: offsets_by_value[v]) for f in (min, max))
    factor = math.exp(offsets_by_value[high] - offsets_by_value[low])
    where = f"where={{{name!r}: {low!r}}} (--where {shlex.quote(f'{name}={low}')})"
    said = (
        f"The rows mix {len(offsets_by_value)} experiments: at equal sizes, rows with {name} = {high} have "
        f"{factor:.2g} times the error of rows with {name} = {low}."
    )
    return (MixedRows(f"{said} Use one value of {name!r} at a time, such as {where}."),)


def _groups(labels: NDArray[np.str_], sizes: Mapping[str, Array], is_text: bool) -> NDArray[np.intp] | None:
    """Return the group of each row, (rows,), or None if a column cannot separate experiments."""
    unique, group, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not 2 <= len(unique) <= MOST_GROUPS or counts.min() < 3:
        return None
    group = group.ravel()
    if not is_text:  # a column such as the depth may only repeat the sizes
        _, cell = np.unique(np.column_stack(list(sizes.values())), axis=0, return_inverse=True)
        pairs = np.unique(np.column_stack([cell.ravel(), group]), axis=0)
        crossed = np.bincount(pairs[:, 0]) > 1
        if crossed[cell.ravel()].mean() < 0.5:
            return None
    return group


def _offsets(logs: Array, sizes: Mapping[str, Array], group: NDArray[np.intp]) -> tuple[float, float, Array]:
    """Return the explained share of the scatter, its probability by chance, and the offset of each group."""
    x = [one - one.mean() for one in sizes.values()]
    basis = np.column_stack([np.ones(len(logs)), *x, *(one**2 for one in x)])
    dummies = (group[:, None] == np.arange(1, group.max() + 1)).astype(np.float64)
    both = np.hstack([basis, dummies])
    coefficients, _, rank, _ = np.linalg.lstsq(both, logs, rcond=None)
    smooth, _, less, _ = np.linalg.lstsq(basis, logs, rcond=None)
    after = float(np.sum((logs - both @ coefficients) ** 2))
    before = float(np.sum((logs - basis @ smooth) ** 2))
    more, degrees = int(rank - less), len(logs) - int(rank)
    offsets = np.append(0.0, coefficients[basis.shape[1] :])
    if more < 1 or degrees < 3 or before <= 0:
        return 0.0, 1.0, offsets
    ratio = (before - after) / more / max(after / degrees, 1e-300)
    return 1 - after / before, float(special.fdtrc(more, degrees, ratio)), offsets
