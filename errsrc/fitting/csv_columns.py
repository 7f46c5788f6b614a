"""From the columns of a CSV file to the points of a fit, and to the inputs of a prediction.

Files of pruned networks need more than a choice of columns.  The law takes the error of each network before
its pruning as an input, but many such files lack it.  This error is then estimated from the rows of the
network near density 1, and kept in the notes of the fit, so that later predictions of the same networks use
the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from errsrc.fitting.csv_table import CsvTable
from errsrc.fitting.forecasts import Forecast
from errsrc.laws import ALL
from errsrc.laws.joint_pruning import JointPruning, plateau
from errsrc.laws.law import Array, Law

SIZES = ("n", "m", "depth", "width", "density")
"""Sizes of a training run that a column may hold, each under its own name by default."""


class CsvPoints(NamedTuple):
    """The points of a fit, from the columns of a CSV file.

    Attributes
    ----------
    law : type of Law or None
        The law to fit, or None for the average of several.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs of the law by name.
    error : ndarray of float64, shape (points,)
        Measured errors.
    weights : ndarray of float64, shape (points,), or None
        Relative weights of the points, or None for equal weights.
    fixed : dict of str to float
        Parameters that are not fitted because their input never varies.
    notes : dict
        What `csv_inputs` needs again: "columns", the columns by input, and, for pruned networks, "networks",
        their sizes and errors before pruning.
    warnings : tuple of str
        Sentences on what the reader must know.
    """

    law: type[Law] | None
    inputs: dict[str, Array]
    error: Array
    weights: Array | None
    fixed: dict[str, float]
    notes: dict[str, Any]
    warnings: tuple[str, ...]


class _Choice(NamedTuple):
    """The law that a file is fitted to, with the column of each of its inputs and of "error"."""

    law: type[Law] | None
    columns: dict[str, str]
    several_networks: bool
    warnings: tuple[str, ...]


def csv_points(
    table: CsvTable, law: str | type[Law], columns: Mapping[str, str], weights: str | None = None
) -> CsvPoints:
    """Return the points that a fit takes from a CSV file.

    Parameters
    ----------
    table : CsvTable
        The file.
    law : str or type of Law
        A name in `errsrc.laws.ALL`, a law of your own, or "auto".  "auto" is "pruning" if the density varies,
        and the average of several laws otherwise.  "pruning" is the joint law of pruning if the file has
        several networks.
    columns : dict of str to str
        {input or "error": name of its column}, for each column whose name is not that of its input.
    weights : str, optional
        Column of the relative weights.

    Raises
    ------
    ValueError
        If a column is missing or holds anything but finite numbers > 0, or if `columns` names an input that
        the law does not have.
    """
    choice = _chosen(table, law, columns)
    used = choice.columns | ({} if weights is None else {"weights": weights})
    values = {name: table.positive_numbers(column) for name, column in used.items()}
    error, relative = values.pop("error"), values.pop("weights", None)
    if choice.several_networks:
        return _pruned_points(choice, values, error, relative)
    notes = {"columns": choice.columns}
    return CsvPoints(choice.law, values, error, relative, {}, notes, choice.warnings)


def _chosen(table: CsvTable, law: str | type[Law], asked: Mapping[str, str]) -> _Choice:
    """Choose the law and the columns; a column in `asked` is used for no other input."""
    own = {name: name for name in (*SIZES, "error", "eps_np") if name not in asked}
    here = dict(asked) | {k: v for k, v in own.items() if v in table.header and v not in asked.values()}
    if law == "auto" and ("density" in asked or here.get("density") in table.varying):
        law = "pruning"
    several = not here.keys().isdisjoint({"depth", "width", "eps_np"}) or here.get("n") in table.varying
    if law == "pruning" and several:
        names: tuple[str, ...] = ("density", "depth", "width", "n", "eps_np")
    elif law == "auto":
        names = ("n", "m") if "m" in here else ("n",)
    else:
        names = (ALL[law] if isinstance(law, str) else law).inputs
    shown = law if isinstance(law, str) else law.__name__
    for name in asked:
        if name not in (*names, "error"):
            raise ValueError(f"The {shown} law takes {', '.join(names)}: leave the column of {name} out.")
    if law == "pruning" and several:
        taken = {k: here[k] for k in names if k in here}
        needed = {"error": here.get("error", "error"), "density": here.get("density", "density")}
        return _Choice(JointPruning, needed | taken, True, ())
    unseen = [here[name] for name in ("m", "density") if name in here and name not in names]
    warnings = [
        f"The column {column!r} varies, but the {shown} law does not depend on it."
        for column in unseen
        if column in table.varying
    ]
    chosen = ALL.get(law) if isinstance(law, str) else law
    return _Choice(chosen, {k: here.get(k, k) for k in (*names, "error")}, False, tuple(warnings))


def _pruned_points(
    choice: _Choice, values: dict[str, Array], error: Array, weights: Array | None
) -> CsvPoints:
    """Return the points of several pruned networks; their errors before pruning may be in no column."""
    inputs = _network_inputs(values, len(error))
    keys = _networks(values, len(error))
    measured = values["eps_np"] if "eps_np" in values else _plateaus(keys, inputs["density"], error)
    held = {name: power for name, power in (("depth", "phi"), ("width", "psi")) if np.ptp(inputs[name]) == 0}
    networks = {key: [*key, e] for key, e in zip(keys, measured.tolist(), strict=True)}
    return CsvPoints(
        law=JointPruning,
        inputs={**inputs, "eps_np": measured},
        error=error,
        weights=weights,
        fixed=dict.fromkeys(held.values(), 0.0),
        notes={"columns": choice.columns, "networks": list(networks.values())},
        warnings=tuple(f"{power} is held at 0: the {name} never varies." for name, power in held.items()),
    )


def csv_inputs(table: CsvTable, forecast: Forecast) -> dict[str, Array]:
    """Return the inputs at which a forecast predicts the rows of a CSV file.

    The notes of the fit name its columns.  A pruned network's error before pruning comes from the column
    eps_np.  If there is no such column, it is the value that the fit used for this network.  For a new
    network it is estimated from the rows of this network that have an error.

    Parameters
    ----------
    table : CsvTable
        The file.
    forecast : Forecast
        A fit, of a CSV file or any other: without notes the columns have the names of the inputs.

    Returns
    -------
    dict of str to ndarray of float64, shape (rows,)
        One for each of ``forecast.input_names``.

    Raises
    ------
    ValueError
        If a column is missing or holds anything but finite numbers > 0, or if the error of a network before
        its pruning is unknown.
    """
    columns, known = _columns_and_networks(forecast)
    names = forecast.input_names
    if "eps_np" not in names:
        return {name: table.positive_numbers(columns[name]) for name in names}
    before = columns.get("eps_np", "eps_np")
    used = {"density": "density"} | {
        k: v for k, v in columns.items() if k in ("density", "depth", "width", "n")
    }
    used |= {"eps_np": before} if before in table.header else {}
    values = {name: table.positive_numbers(column) for name, column in used.items()}
    count = len(table.lines)
    inputs = _network_inputs(values, count)
    if "eps_np" in values:
        return {**inputs, "eps_np": values["eps_np"]}
    keys = _networks(values, count)
    error = table.numbers(columns["error"]) if columns["error"] in table.header else np.full(count, np.nan)
    new = np.array([key not in known for key in keys])
    usable = new & np.isfinite(error) & (error > 0)
    own = [key for key, has in zip(keys, usable, strict=True) if has]
    known.update(zip(own, _plateaus(own, inputs["density"][usable], error[usable]).tolist(), strict=True))
    for key, line in zip(keys, table.lines, strict=True):
        if key not in known:
            which = "a network that was not fitted and has no rows with an error"
            raise ValueError(f"{table.path}, line {line}: {which}; add a column 'eps_np'.")
    return {**inputs, "eps_np": np.array([known[key] for key in keys])}


def _columns_and_networks(forecast: Forecast) -> tuple[dict[str, str], dict[tuple[float, ...], float]]:
    """Return {input: column} and {network: error before pruning} of a fit's notes."""
    notes = forecast.notes
    columns = notes.get("columns", {name: name for name in (*forecast.input_names, "error")})
    try:
        needed = {"error", *forecast.input_names} - {"depth", "width", "eps_np"}
        if not needed <= set(columns) or not all(isinstance(columns[name], str) for name in columns):
            raise ValueError(columns)
        known = {tuple(map(float, key)): float(e) for *key, e in notes.get("networks", [])}
    except (TypeError, ValueError, OverflowError):
        raise ValueError("The notes of the fit are not those that errsrc writes for a CSV file.") from None
    return columns, known


def _network_inputs(sizes: Mapping[str, Array], count: int) -> dict[str, Array]:
    """Return density, depth and width, (count,) each; 1 where there is no column of depth or width."""
    return {name: sizes.get(name, np.ones(count)) for name in ("density", "depth", "width")}


def _networks(sizes: Mapping[str, Array], count: int) -> list[tuple[float, ...]]:
    """Return the network of each row as (depth, width, n), 1 where there is no column."""
    one = np.ones(count)
    return list(zip(*(sizes.get(name, one).tolist() for name in ("depth", "width", "n")), strict=True))


def _plateaus(keys: list[tuple[float, ...]], density: Array, error: Array) -> Array:
    """Return the error of each row's network before pruning, (rows,), from all rows of the network."""
    out = np.empty(len(keys))
    for key in set(keys):
        rows = np.array([other == key for other in keys])
        out[rows] = plateau(density[rows], error[rows])
    return out
