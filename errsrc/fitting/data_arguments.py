"""The arguments of functions that take arrays, or names of columns with `data=`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.checks import ERROR, PositiveArray
from errsrc.fitting.directions import check_falls
from errsrc.laws.law import Array
from errsrc.tables import DataTable, read_table, table_of
from errsrc.tables.measurements import NEGATIVE_LOSSES, errors_of


def as_table(data: Any) -> DataTable:
    """Return the table of a file, a dict or a data frame.

    Parameters
    ----------
    data : str, Path, dict, data frame or DataTable
        The path of a file, or a frame.
    """
    return read_table(data) if isinstance(data, (str, os.PathLike)) else table_of(data)


def columns_of(where: str, error: Any, inputs: Mapping[str, Any], weights: Any = None) -> dict[str, str]:
    """Return {input, "error" or "weights": name of its column} from the arguments of a function with `data`.

    Parameters
    ----------
    where : str
        Name of the calling function, for messages.
    error : str or None
        The argument of the function with this name; None if it is not given.
    inputs : dict of str to str
        The other arguments.
    weights : str or None
        The argument of the function with this name; None if it is not given.

    Raises
    ------
    TypeError
        If one of the arguments is not a string.
    """
    given = {"error": error, **inputs, "weights": weights}
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(checks.refusal(name, where, "the name of a column of data", value))
    return {name: value for name, value in given.items() if value is not None}


def check_no_columns(where: str, error: Any, inputs: Mapping[str, Any], weights: Any = None) -> None:
    """Raise TypeError if names of columns are given without `data`, or if the error is missing.

    Parameters
    ----------
    where : str
        Name of the calling function, for messages.
    error : array_like or None
        The argument of the calling function with this name.
    inputs : dict
        The other arguments.
    weights : array_like or None
        The argument of the calling function with this name.
    """
    for name, value in {"error": error, **inputs, "weights": weights}.items():
        if isinstance(value, str):
            message = checks.refusal(name, where, "an array of numbers", value)
            raise TypeError(f"{message} Names of columns need data=, a data frame or the path of a file.")
    if error is None:
        raise TypeError(checks.refusal("error", where, "an array of numbers, or data= must be given", None))


def cluster_columns(clusters: Any, where: str) -> tuple[str, ...]:
    """Return the columns that tell clusters apart, from the argument `clusters` of a function with `data`.

    Parameters
    ----------
    clusters : str, sequence of str, or None
        The argument.
    where : str
        Name of the calling function, for messages.

    Raises
    ------
    TypeError
        If `clusters` has another type.
    """
    names = (clusters,) if isinstance(clusters, str) else () if clusters is None else clusters
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise TypeError(checks.refusal("clusters", where, "a column of data, or several", clusters))
    return tuple(names)


def measured_error(
    error: ArrayLike | None, inputs: Mapping[str, ArrayLike], accuracy: bool, where: str, falls: bool = True
) -> Array:
    """Return measured errors, converted from accuracies if `accuracy`; raise ValueError if they rise with n.

    Parameters
    ----------
    error : array_like, shape (points,)
        Errors or accuracies.
    inputs : dict of str to array_like
        Inputs by name.
    accuracy : bool
        Whether `error` holds accuracies.
    where : str
        Name of the calling function, for messages.
    falls : bool
        Whether the law of the fit falls with n.
    """
    shares = errors_of(checks.NonNegativeArray()(error, "error", where)) if accuracy else error
    measured = positive_errors(shares, where)
    try:
        sizes = {name: PositiveArray()(inputs[name], name, where) for name in ("n", "m") if name in inputs}
    except (TypeError, ValueError):
        return measured  # refused with the other inputs
    if falls and all(x.shape == measured.shape and x.ndim == 1 for x in sizes.values()):
        check_falls(measured, sizes, accuracy)
    return measured


def positive_errors(error: ArrayLike | None, where: str) -> Array:
    """Return errors as an array, or raise ValueError if an error is not > 0.

    Parameters
    ----------
    error : array_like, shape (points,)
        The errors.
    where : str
        Name of the calling function, for messages.
    """
    try:
        return ERROR(error, "error", where)
    except ValueError as refused:
        below = bool((np.asarray(error, dtype=np.float64) < 0).any())
        raise ValueError(f"{refused} {NEGATIVE_LOSSES}" if below else str(refused)) from None
