"""Files of tables: CSV in its dialects, JSON lines, Parquet, and standard input."""

from __future__ import annotations

import codecs
import importlib
import io
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errsrc import checks
from errsrc.checks import PATH
from errsrc.extras import require
from errsrc.tables.data_table import DataTable, Written
from errsrc.tables.delimited import parse_delimited
from errsrc.tables.frames import column_of, table_of

ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings of text files by their first bytes; a file without such bytes is UTF-8."""

OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook or zip archive: save the table as CSV",
    b"\xd0\xcf\x11\xe0": "a workbook: save the table as CSV",
    b"SQLite format 3": "a database: export the table as CSV",
    b"\x89HDF": "an HDF5 file: save the table as CSV or Parquet",
    b"ARROW1": "an Arrow file: save the table as CSV or Parquet",
    b"\x93NUMPY": "a NumPy array: save the table as CSV",
    b"\x1f\x8b": "compressed: unpack it",
    b"\x28\xb5\x2f\xfd": "compressed: unpack it",
    b"\xfd7zXZ": "compressed: unpack it",
    b"BZh": "compressed: unpack it",
}
"""What other files are, by their first bytes."""

_BETWEEN = re.compile(r"\s*,?\s*")
"""What may stand between two JSON objects."""

DEEPEST = 8
"""Largest number of objects around a value of a nested JSON object that get a dotted name."""


@checks.arguments(path=PATH)
def read_table(path: str | os.PathLike[str]) -> DataTable:
    r"""Read a table from a file, or from standard input.

    The format is recognised by the content of the file, not by its name:

    - CSV text, encoded as UTF-8, UTF-16 or UTF-32: a header, then rows.  Columns are separated by commas,
      tabs, semicolons or vertical bars.  Numbers have decimal points or decimal commas.  Lines that
      start with "#", empty rows, and empty columns at the end are skipped.
    - JSON lines, with one object per line, or one JSON array of objects, or one JSON object with such an
      array as its only array.  Nested objects become columns such as "config.n".
    - One JSON object of columns: lists, or what `pandas.DataFrame.to_json` writes, also with orient="split".
    - Parquet, if pyarrow is installed.

    Parameters
    ----------
    path : str or os.PathLike
        The file; "-" for standard input.

    Returns
    -------
    DataTable
        The table.

    Raises
    ------
    ValueError
        If the content has none of these formats, or no rows.
    ModuleNotFoundError
        If the file is a Parquet file and pyarrow is not installed.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "runs.csv"
    >>> _ = file.write_text("tokens;loss\n1k;3,15\n10k;2,71\n")
    >>> table = read_table(file)
    >>> table.numbers("tokens").values, table.numbers("loss").values
    (array([ 1000., 10000.]), array([3.15, 2.71]))
    """
    source = "standard input" if str(path) == "-" else str(path)
    content = _content(path)
    if content[:4] == b"PAR1":
        return _parquet(content, source)
    text = _text(content, source)
    start = text.lstrip()[:1]
    if start == "{" and (records := _only_records(text)) is not None:
        return _table_of_records(records, source, tuple(range(len(records))), "row")
    if start == "{" and (columns := _json_columns(text, source)) is not None:
        return table_of(columns, source)
    if start == "{":
        return _json_lines(text, source)
    if start == "[" and (records := _json_array(text, source)) is not None:
        return _table_of_records(records, source, tuple(range(len(records))), "row")
    if start == "<":
        raise ValueError(f"{source} is HTML or XML and no table: save the table as CSV.")
    return parse_delimited(text, source)


def _content(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file, or of standard input."""
    if not os.fspath(path):
        raise ValueError("The path of the table is empty: name a file, or '-' for standard input.")
    if str(path) != "-":
        try:
            return Path(path).read_bytes()
        except FileNotFoundError as error:
            raise checks.missing_file(error) from None
    if sys.stdin is None or sys.stdin.closed:
        raise ValueError("Standard input is closed: name a file instead of '-'.")
    stream = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read().encode() if stream is None else bytes(stream.read())


def _text(content: bytes, source: str) -> str:
    """Return the text of a file."""
    for first, what in OTHER_FORMATS.items():
        if content.startswith(first):
            raise ValueError(f"{source} is {what}.")
    encoding = next((name for mark, name in ENCODINGS.items() if content.startswith(mark)), "")
    encoding = encoding or _unmarked_encoding(content)
    try:
        text = content.decode(encoding).replace("\ufeff", "")  # joined files have marks in the middle
    except UnicodeDecodeError as error:
        at = error.start
        what = (
            f"byte {content[at]:#04x} at offset {at}" if at < len(content) else "it ends within a character"
        )
        shown = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
        raise ValueError(f"{source} is not a CSV file in {shown} ({what}).") from None
    if "\0" in text:
        raise ValueError(f"{source} is not a CSV file: it holds binary data.")
    return text


def _unmarked_encoding(content: bytes) -> str:
    """Return the encoding of a text without a byte order mark: UTF-16 if every second byte is 0, or UTF-8."""
    start = content[: len(content[:64]) // 4 * 4]
    zeros = [not any(start[k::4]) for k in range(4)] if start else [False] * 4
    names = {"0101": "utf-16-le", "1010": "utf-16-be", "0111": "utf-32-le", "1110": "utf-32-be"}
    return names.get("".join(str(int(zero)) for zero in zeros), "utf-8")


def _parquet(content: bytes, source: str) -> DataTable:
    """Return the table of a Parquet file."""
    require(f"{source}, a Parquet file,", "pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    try:
        frame = parquet.read_table(io.BytesIO(content))
        columns = {str(name): frame.column(k).to_pylist() for k, name in enumerate(frame.column_names)}
    except Exception as error:  # pyarrow raises many kinds
        line = " ".join(str(error).split())[:120]
        raise ValueError(f"{source} is not a Parquet file that pyarrow can read ({line}).") from None
    return table_of(columns, source)


def _json_lines(text: str, source: str) -> DataTable:
    """Return the table of a file of JSON objects: one on each line, or with white space between them."""
    records, rows, texts = [], [], []
    decoder, at, line = json.JSONDecoder(), 0, 1
    while at < len(text):
        start = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        line += text.count("\n", at, start)
        if start == len(text):
            break
        try:
            record, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise ValueError(f"{source}, line {line}: not a JSON object.")
        records.append(record)
        rows.append(line)
        texts.append(text[start:at])
        line += text.count("\n", start, at)
    return _table_of_records(records, source, tuple(rows), "line", tuple(texts))


def _only_records(text: str) -> list[dict[str, Any]] | None:
    """Return the objects in the only array of one JSON object, as in {"schema": {...}, "data": [...]}."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = list(whole.values()) if isinstance(whole, dict) else []
    arrays = [value for value in values if isinstance(value, list)]
    if len(arrays) != 1 or not arrays[0] or not all(isinstance(one, dict) for one in arrays[0]):
        return None
    is_row = any(isinstance(value, (int, float)) for value in values)
    return None if is_row else list(arrays[0])


def _json_columns(text: str, source: str) -> dict[str, Any] | None:
    """Return the columns of one JSON object of columns; None if the text is no such object.

    The columns are lists, or objects by row as `pandas.DataFrame.to_json` writes them; or the object has a
    list "columns" of names and a list "data" of rows, as with its orient="split".
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict) or not whole:
        return None
    names, rows = whole.get("columns"), whole.get("data")
    if isinstance(names, list) and isinstance(rows, list):
        if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
            raise ValueError(f"{source}: each row of 'data' must be as long as 'columns'.")
        texts = [".".join(map(str, name)) if isinstance(name, list) else str(name) for name in names]
        return {name: [row[k] for row in rows] for k, name in enumerate(texts)}
    if all(isinstance(column, list) for column in whole.values()):
        return whole
    if all(isinstance(column, dict) for column in whole.values()):
        labels = dict.fromkeys(label for column in whole.values() for label in column)
        digits = all(label.isdecimal() for label in labels)
        if len(labels) > 1 and digits:
            return {name: [column.get(label) for label in labels] for name, column in whole.items()}
        if len(whole) > 1 or len(labels) > 1:
            raise ValueError(
                f"{source} is one JSON object: write an object for each row, or a list for each column."
            )
    return None


def _json_array(text: str, source: str) -> list[dict[str, Any]] | None:
    """Return the objects of a JSON array, None if the text is no JSON."""
    try:
        records = json.loads(text)
    except (ValueError, RecursionError):
        if re.match(r"\s*\[\s*\{", text):
            raise ValueError(f"{source} is not a whole JSON array: its end is missing or damaged.") from None
        return None
    if not isinstance(records, list) or not records or not all(isinstance(one, dict) for one in records):
        raise ValueError(f"{source} is a JSON array, but not of objects: write an object for each row.")
    return records


def _flattened(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return an object without nested objects: their values have names such as "config.n"."""
    out: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value and before.count(".") < DEEPEST:
            out |= _flattened(value, f"{before}{name}.")
        else:
            out[f"{before}{name}"] = value
    return out


def _table_of_records(
    records: list[dict[str, Any]],
    source: str,
    rows: tuple[int, ...],
    unit: str,
    texts: tuple[str, ...] | None = None,
) -> DataTable:
    """Return the table of JSON objects; a key that an object lacks is an empty cell."""
    original, records = records, [_flattened(record) for record in records]
    names = dict.fromkeys(name for record in records for name in record)
    if not names:
        raise ValueError(f"{source} has rows without any column.")
    columns = {name: column_of([record.get(name) for record in records]) for name in names}
    texts = tuple(map(json.dumps, original)) if texts is None else texts
    written = Written("jsonl", "", "", texts)
    return DataTable(source, columns, rows, unit, written=written)
