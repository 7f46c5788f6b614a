"""From a file's columns to a law's inputs, for the commands that read a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from errsrc.fitting.csv_table import Table, number
from errsrc.fitting.forecasts import Forecast
from errsrc.laws import ALL, plateau
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Array, Law

SIZES = ("n", "m", "depth", "width", "density")
"""Inputs with a column option of their own; the option's default is the input's own name."""


class Points(NamedTuple):
    """What a fit takes from a file.

    Attributes
    ----------
    law
        The class to fit, or None for the default estimator.
    inputs
        {input: (rows,) float64}.
    fixed
        Parameters held because their input never varies.
    notes
        What `to_predict` needs again: {"columns": {input: column}} and, for pruned networks,
        "networks": their sizes and plateaus.
    warnings
        What the reader must know, a sentence each.
    """

    law: type[Law] | None
    inputs: dict[str, Array]
    fixed: dict[str, float]
    notes: dict[str, Any]
    warnings: tuple[str, ...]


def to_fit(table: Table, law: str, asked: Mapping[str, str]) -> Points:
    """Return a file's points for a law, or "auto".

    Parameters
    ----------
    table
        The file.
    law
        A name in `errsrc.laws.ALL`, or "auto": the default estimator, or "pruning" where the density varies.
        "pruning" is the joint law where the file tells networks apart.
    asked
        {input or "error": column} of the options given; the others' columns have the inputs' own names.

    Raises
    ------
    ValueError
        If a column is missing or bad, or an option is given for an input that the law does not take.
    """
    columns = {name: asked.get(name, name) for name in (*SIZES, "error", "eps_np")}
    taken = {asked[name] for name in asked}  # a column that an option names is nothing else besides
    here = {
        name: column
        for name, column in columns.items()
        if name in asked or (column in table and column not in taken)
    }
    if law == "auto" and ("density" in asked or table.varies(columns["density"])):
        law = "pruning"
    several = not here.keys().isdisjoint({"depth", "width", "eps_np"}) or table.varies(columns["n"])
    if law == "pruning" and several:
        wanted: tuple[str, ...] = ("density", "depth", "width", "n")
    elif law == "auto":
        wanted = ("n", "m") if "m" in here else ("n",)
    else:
        wanted = ALL[law].inputs
    for name in asked:
        if name not in (*wanted, "error"):
            raise ValueError(f"The {law} law takes {', '.join(wanted)}: leave --{name} out.")
    if "depth" in wanted:
        return _pruned(table, {name: column for name, column in here.items() if name != "m"})
    others = [columns[name] for name in ("m", "density") if name not in wanted and columns[name] not in taken]
    return Points(
        law=None if law == "auto" else ALL[law],
        inputs={name: table.numbers(columns[name]) for name in wanted},
        fixed={},
        notes={"columns": {name: columns[name] for name in (*wanted, "error")}},
        warnings=tuple(
            f"The column {column!r} varies, and the {law} law does not see it."
            for column in others
            if table.varies(column)
        ),
    )


def _pruned(table: Table, columns: dict[str, str]) -> Points:
    """Return the points of several pruned networks, each with its column's plateau or its rows' own."""
    error = table.numbers(columns.setdefault("error", "error"))
    inputs = _network_inputs(table, columns)
    keys = _networks(table, columns)
    if "eps_np" in columns:
        inputs["eps_np"] = table.numbers(columns["eps_np"])
    else:
        inputs["eps_np"] = _plateaus(keys, inputs["density"], error)
    held = {name: power for name, power in (("depth", "phi"), ("width", "psi")) if np.ptp(inputs[name]) == 0}
    networks = {key: [*key, e] for key, e in zip(keys, inputs["eps_np"].tolist(), strict=True)}
    return Points(
        law=JointPruning,
        inputs=inputs,
        fixed=dict.fromkeys(held.values(), 0.0),
        notes={"columns": columns, "networks": list(networks.values())},
        warnings=tuple(f"{power} is held at 0: the {name} never varies." for name, power in held.items()),
    )


def to_predict(table: Table, forecast: Forecast, notes: Mapping[str, Any]) -> dict[str, Array]:
    """Return the inputs of `forecast`, (rows,) each, from the columns of a table that its fit was made from.

    Which these are is in `notes`, kept beside the fit (`errsrc.fitting.files.fit_notes`).

    A pruned network's plateau is its column eps_np; else the one its fit saw, for a network of
    the fit; else it is measured on the network's own rows that have an error.

    Raises
    ------
    ValueError
        If a column is missing or bad, or a network's plateau is nowhere to be found.
    """
    columns, known = _remembered(forecast, notes)
    if "eps_np" not in forecast.input_names:
        return {name: table.numbers(columns[name]) for name in forecast.input_names}
    inputs = _network_inputs(table, columns)
    if columns.get("eps_np", "eps_np") in table:
        return {**inputs, "eps_np": table.numbers(columns.get("eps_np", "eps_np"))}
    keys = _networks(table, columns)
    cells = table.strings(columns["error"]) if columns["error"] in table else [""] * len(keys)
    error = np.array([number(cell) for cell in cells])
    new = np.array([key not in known for key in keys])
    measured = new & np.isfinite(error) & (error > 0)
    own = [key for key, has in zip(keys, measured, strict=True) if has]
    known.update(zip(own, _plateaus(own, inputs["density"][measured], error[measured]), strict=True))
    for key, line in zip(keys, table.lines, strict=True):
        if key not in known:
            which = "a network that was not fitted and has no errors to measure its plateau from"
            raise ValueError(f"{table.path}, line {line}: {which}; add a column 'eps_np'.")
    return {**inputs, "eps_np": np.array([known[key] for key in keys])}


def _remembered(
    forecast: Forecast, notes: Mapping[str, Any]
) -> tuple[dict[str, str], dict[tuple[float, ...], float]]:
    """Return {input: column} and {network: plateau} of a fit's notes; the inputs' own names without notes."""
    columns = notes.get("columns", {name: name for name in (*forecast.input_names, "error")})
    try:
        needed = {"error", *forecast.input_names} - {"depth", "width", "eps_np"}
        if not needed <= set(columns) or not all(isinstance(columns[name], str) for name in columns):
            raise ValueError(columns)
        known = {tuple(map(float, key)): float(e) for *key, e in notes.get("networks", [])}
    except (TypeError, ValueError, OverflowError):
        raise ValueError("The notes beside the fit are not those that errsrc fit writes.") from None
    return columns, known


def _network_inputs(table: Table, columns: Mapping[str, str]) -> dict[str, Array]:
    """Return density, depth and width; 1 where there is no column of a size."""
    one = np.ones(len(table.lines))
    sizes = {name: table.numbers(columns[name]) if name in columns else one for name in ("depth", "width")}
    return {"density": table.numbers(columns.get("density", "density")), **sizes}


def _networks(table: Table, columns: Mapping[str, str]) -> list[tuple[float, ...]]:
    """Return each row's network as (depth, width, n), 1 where there is no column."""
    one = [1.0] * len(table.lines)
    sizes = [table.numbers(columns[k]).tolist() if k in columns else one for k in ("depth", "width", "n")]
    return list(zip(*sizes, strict=True))


def _plateaus(keys: list[tuple[float, ...]], density: Array, error: Array) -> Array:
    """Return each row's plateau, (rows,) float64, measured on all rows of its network."""
    out = np.empty(len(keys))
    for key in set(keys):
        rows = np.array([other == key for other in keys])
        out[rows] = plateau(density[rows], error[rows])
    return out
