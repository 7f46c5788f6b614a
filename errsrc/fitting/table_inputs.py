"""The inputs at which a fit predicts the rows of a table, read from its columns.

The notes of the fit contain the names of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.flops import with_data_sizes
from errsrc.fitting.pruned_networks import network_inputs, network_keys, plateaus
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Array
from errsrc.tables import DataTable, LeftOut, left_out_sentence


class TableInputs(NamedTuple):
    """The inputs at which the rows of a table are predicted.

    Attributes
    ----------
    inputs : dict of str to ndarray of float64, shape (usable rows,)
        Inputs of the law by name.
    usable : ndarray of bool, shape (rows,)
        True for the rows that can be predicted.
    left_out : tuple of LeftOut
        The other rows.
    """

    inputs: dict[str, Array]
    usable: NDArray[np.bool_]
    left_out: tuple[LeftOut, ...]


def table_inputs(
    table: DataTable,
    names: Sequence[str],
    notes: Mapping[str, Any],
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
) -> TableInputs:
    """Return the inputs at which a fit predicts the rows of a table.

    The notes of the fit contain the names of its columns.  For pruned networks, the error before pruning is
    read from the column eps_np.  If there is no such column, the value that the fit used for the same network
    is taken.  For a network that was not fitted, the error before pruning is estimated from its rows that
    have an error.

    Parameters
    ----------
    table : DataTable
        The table.
    names : sequence of str
        Names of the inputs of the fit.
    notes : dict
        Notes of the fit; without notes the columns have the names of the inputs.
    columns : dict of str to str, optional
        {input: name of its column in `table`}, for inputs whose column has another name than in the notes.
    strict : bool
        Whether to raise ValueError for rows that cannot be predicted.

    Raises
    ------
    ValueError
        If a column is missing, if a cell is text that is no number, if no row can be predicted, or if the
        error of a network before its pruning is unknown.
    """
    own, known = _columns_and_networks(names, notes)
    flops, columns = notes.get("flops"), dict(columns or {})
    if isinstance(flops, str):
        flops = columns.pop("flops", flops)
    m = columns.get("m", own.get("m", "m"))
    if isinstance(flops, str) and flops in table.columns and "n" not in columns and m in table.columns:
        table, _ = with_data_sizes(
            table, {**{k: v for k, v in own.items() if k != "n"}, **(columns or {})}, flops
        )
    for name in columns:
        if name not in names:
            raise TypeError(f"The fit takes {', '.join(names)}: leave the column of {name} out.")
    needs = _needed_columns(names, own, flops)
    own |= columns
    of_networks = _are_joint_pruning(names)
    if of_networks:
        before = own.get("eps_np", "eps_np")
        used = {"density": "density"} | {
            k: v for k, v in own.items() if k in ("density", "depth", "width", "n")
        }
        used |= {"eps_np": before} if before in table.header else {}
    else:
        used = {name: own[name] for name in names}
    used = {role: name if role in columns else table.found(name) or name for role, name in used.items()}
    table.require_all({name: role for role, name in used.items()}, needs)
    usable, left_out = table.usable(used, strict=strict, predicting=True)
    usable, left_out = _of_constant(table, notes, usable, left_out)
    if not usable.any():
        raise ValueError(
            f"{table.source}: no row can be predicted: {left_out_sentence(left_out, len(table))}"
        )
    values = {name: table.numbers(column).values[usable] for name, column in used.items()}
    if not of_networks:
        return TableInputs(values, usable, left_out)
    inputs = network_inputs(values, int(usable.sum()))
    if "eps_np" in values:
        return TableInputs({**inputs, "eps_np": values["eps_np"]}, usable, left_out)
    rows = table.taken(usable)
    keys = network_keys(values, len(rows))
    error = rows.numbers(own["error"]).values if own["error"] in rows.header else np.full(len(rows), np.nan)
    new = np.array([key not in known for key in keys])
    with_error = new & np.isfinite(error) & (error > 0)
    measured = [key for key, has in zip(keys, with_error, strict=True) if has]
    before_pruning = plateaus(measured, inputs["density"][with_error], error[with_error])
    known.update(zip(measured, before_pruning.tolist(), strict=True))
    for key, row in zip(keys, rows.rows, strict=True):
        if key not in known:
            which = "a network that was not fitted and has no rows with an error"
            raise ValueError(f"{table.source}, {table.unit} {row}: {which}; add a column 'eps_np'.")
    return TableInputs({**inputs, "eps_np": np.array([known[key] for key in keys])}, usable, left_out)


def _are_joint_pruning(names: Sequence[str]) -> bool:
    """Return whether the inputs are those of `JointPruning`; a table needs only the density."""
    return set(names) == set(JointPruning.inputs)


def _needed_columns(names: Sequence[str], columns: Mapping[str, str], flops: object) -> str:
    """Return a sentence on the columns that a fit takes its inputs from."""
    needed = [columns[name] for name in names if name in columns and not (name == "n" and flops)]
    listed = ", ".join(map(repr, needed)) + (f", and {flops!r} or 'n'" if isinstance(flops, str) else "")
    first = "m" if flops and "m" in names else names[0]
    many = "columns" if len(needed) > 1 or flops else "column"
    return (
        f"The fit needs the {many} {listed}; columns={{'{first}': COL}} (--column {first}=COL) names another."
    )


def _of_constant(
    table: DataTable, notes: Mapping[str, Any], usable: NDArray[np.bool_], left_out: tuple[LeftOut, ...]
) -> tuple[NDArray[np.bool_], tuple[LeftOut, ...]]:
    """Leave out rows whose m differs from the constant m of the fit."""
    constant = notes.get("constant", {})
    for name, value in constant.items() if isinstance(constant, Mapping) else ():
        known = isinstance(value, float) and name in table.header and name not in table.repeated
        if not known:
            continue
        values = table.numbers(name).values
        other = usable & np.isfinite(values) & (np.abs(values - value) > 1e-9 * abs(value))
        if other.any():
            rows = tuple(row for row, is_other in zip(table.rows, other, strict=True) if is_other)
            left_out = (*left_out, LeftOut(f"with another {name} than the fit's {value:g}", rows, table.unit))
            usable = usable & ~other
    return usable, left_out


def _columns_and_networks(
    names: Sequence[str], notes: Mapping[str, Any]
) -> tuple[dict[str, str], dict[tuple[float, ...], float]]:
    """Return {input: column} and {network: error before pruning} of a fit's notes."""
    columns = notes.get("columns", {name: name for name in (*names, "error")})
    try:
        optional = {"depth", "width", "eps_np"} if _are_joint_pruning(names) else set()
        needed = {"error", *names} - optional
        if not needed <= set(columns) or not all(isinstance(columns[name], str) for name in columns):
            raise ValueError(columns)
        known = {tuple(map(float, key)): float(e) for *key, e in notes.get("networks", [])}
    except (TypeError, ValueError, OverflowError):
        raise ValueError("The notes of the fit are not those that errsrc writes for a CSV file.") from None
    return dict(columns), known
