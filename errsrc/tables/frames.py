"""Data frames of pandas, polars, pyarrow and other libraries (through narwhals), and dicts of columns."""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.tables.cells import Array, number_text
from errsrc.tables.data_table import DataTable

LIBRARIES = ("pandas", "polars", "pyarrow")
"""Libraries of data frames.  Results that came from no frame use the first that is installed."""


def table_of(data: Any, source: str = "data") -> DataTable:
    """Return the table of a data frame.

    Parameters
    ----------
    data : dict or data frame
        A dict of columns, or a data frame of pandas, polars, pyarrow or another library that narwhals knows.
    source : str
        Name of the frame, for messages.

    Returns
    -------
    DataTable
        The table.  Its rows are labelled by the index of a pandas frame, and by 0, 1, ... otherwise.

    Raises
    ------
    TypeError
        If `data` is neither a data frame nor a dict of columns.
    ValueError
        If columns have different lengths or the same name, or if there are no rows.

    Examples
    --------
    >>> table_of({"tokens": [1000, 10_000], "loss": [3.15, None]}).numbers("loss").values
    array([3.15,  nan])
    """
    if isinstance(data, DataTable):
        return data
    if isinstance(data, Mapping):
        try:
            checks.shared_index({str(name): values for name, values in data.items()}, source)
        except ValueError as error:
            raise ValueError(str(error).replace("parameter", "column", 1)) from None
        columns = {str(name): _listed(values, str(name), source) for name, values in data.items()}
        library, index, repeated = "dict", None, frozenset[str]()
    else:
        columns, library, index, repeated = _frame_columns(data, source)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{name} has {length}" for name, length in list(lengths.items())[:5])
        raise ValueError(f"The columns of {source} must have one length: {got}.")
    if not lengths or not next(iter(lengths.values())):
        raise ValueError(f"{source} has no rows.")
    count = next(iter(lengths.values()))
    rows = tuple(range(count)) if index is None else tuple(index.tolist())
    read = {name: column_of(values) for name, values in columns.items()}
    return DataTable(source, read, rows, "row", repeated, library=library, index=index)


def _listed(values: Any, name: str, source: str) -> Sequence[Any]:
    """Return the values of a column of a dict, as an array or a list."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise TypeError(
            f"The column {name!r} of {source} must be a sequence. Got {type(values).__name__} instead."
        )
    if isinstance(values, (list, tuple)):
        return values
    try:
        array = np.asarray(checks.unmasked(values))
    except Exception as error:  # a tensor with a gradient; a user's __array__ may raise anything
        line = " ".join(str(error).split())[:160].rstrip(".")
        raise TypeError(f"The column {name!r} of {source} must be an array of numbers ({line}).") from None
    if array.ndim != 1:
        raise ValueError(f"The column {name!r} of {source} must have one dimension, not {array.ndim}.")
    items: Any = array if array.dtype.kind in "iuf" else array.tolist()
    return items


def _frame_columns(data: Any, source: str) -> tuple[dict[str, Sequence[Any]], str, Any, frozenset[str]]:
    """Return the columns of a data frame, its library, its index (for pandas only), and repeated names.

    The named levels of an index are columns too, and the names of other columns are written as text.
    """
    import narwhals as nw

    data, levels = _with_plain_names(data)
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError:
        accepted = "a dict of columns, a data frame of pandas, polars or pyarrow, or the path of a file"
        lazy = " Call its collect() first." if hasattr(data, "collect") else ""
        got = f"{type(data).__module__.partition('.')[0]}.{type(data).__qualname__}"
        raise TypeError(f"{source} must be {accepted}. Got {got} instead.{lazy}") from None
    names = list(frame.columns)
    columns: dict[str, Sequence[Any]] = {}
    for name in names:
        series = frame.get_column(name)
        columns[name] = series.to_numpy() if series.dtype.is_float() else series.to_list()
    repeated = frozenset(levels.pop("", ()))
    return {**columns, **levels}, frame.implementation.value, nw.maybe_get_index(frame), repeated


def _with_plain_names(data: Any) -> tuple[Any, dict[str, Any]]:
    """Return a pandas frame with the names of its columns as text, and the levels of its index by name.

    If several columns have one name, only the first of them is kept; the levels have the list of such names
    under the key "".  A RecordBatch of pyarrow becomes a table.  Other data are returned unchanged.
    """
    library = type(data).__module__.partition(".")[0]
    if library == "pyarrow" and type(data).__name__ == "RecordBatch":
        return importlib.import_module("pyarrow").Table.from_batches([data]), {}
    if library != "pandas" or type(data).__name__ != "DataFrame":
        return data, {}
    names = [
        "_".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)
        for name in data.columns
    ]
    first = [names.index(name) == k for k, name in enumerate(names)]
    plain = data.loc[:, first].set_axis(
        [name for name, kept in zip(names, first, strict=True) if kept], axis=1
    )
    levels: dict[str, Any] = {
        str(name): data.index.get_level_values(k).tolist()
        for k, name in enumerate(data.index.names)
        if name is not None and str(name) not in names
    }
    return plain, levels | {"": [name for name, kept in zip(names, first, strict=True) if not kept]}


def column_of(values: Sequence[Any]) -> tuple[str, ...] | Array:
    """Return a column as numbers if all its values are numbers or missing, and as text otherwise.

    Parameters
    ----------
    values : sequence
        Numbers, texts, booleans, None, or other objects.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        with np.errstate(over="ignore"):
            return values.astype(np.float64)
    cells = [_cell(value) for value in values]
    if all(not isinstance(cell, str) for cell in cells):
        return np.array(cells, dtype=np.float64)
    return tuple(cell if isinstance(cell, str) else number_text(cell) for cell in cells)


def _cell(value: Any) -> float | str:
    """Return a value as a float, nan if it is missing, or as text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return math.nan
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (Number, Decimal)) and not isinstance(value, (complex, np.complexfloating)):
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            return math.inf
    if hasattr(type(value), "__float__") and not isinstance(value, np.generic):  # a tensor of one number
        try:
            return float(value.item() if hasattr(value, "item") else value)
        except (TypeError, ValueError, RuntimeError):
            return str(value)
    if isinstance(value, (dict, list)):
        try:
            return json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            return str(type(value).__name__)
    return str(value)


def frame_of(columns: Mapping[str, NDArray[Any]], library: str = "", index: Any = None) -> Any:
    """Return columns as a data frame.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (rows,)
        The columns.
    library : str
        "pandas", "polars", "pyarrow", "dict" or another library that narwhals knows.  The default is the
        first of pandas, polars and pyarrow that is installed.
    index : object, optional
        The index of the frame; give it only for pandas.

    Returns
    -------
    data frame
        A frame of the library; the dict itself for "dict".

    Raises
    ------
    ModuleNotFoundError
        If the library is not installed.
    """
    if library == "dict":
        return dict(columns)
    if not library:
        library = next((name for name in LIBRARIES if importlib.util.find_spec(name) is not None), "")
        if not library:
            raise ModuleNotFoundError(
                "Install pandas, polars or pyarrow for data frames; columns() gives arrays."
            )
    import narwhals as nw

    backend: Any = library
    frame = nw.from_dict(dict(columns), backend=backend).to_native()
    if index is not None:
        frame.index = index
    return frame
