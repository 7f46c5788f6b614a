"""CSV files as the command line reads them: strictly, and kept as they were, to be written back."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errsrc import checks
from errsrc.laws.law import Array


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a CSV file, as text.

    Attributes
    ----------
    path
        As it was given, for messages.
    delimiter
        "," or, where the header has none of it, a tab or ";".
    header
        The columns' names, stripped of blanks.
    cells
        One list of strings a row, as long as the header.
    lines
        The number of each row's first line in the file, from 1.
    texts
        The header's text as it stands in the file, then each row's, without the line's end.
    """

    path: str
    delimiter: str
    header: tuple[str, ...]
    cells: tuple[list[str], ...]
    lines: tuple[int, ...]
    texts: tuple[str, ...]

    def __contains__(self, column: object) -> bool:
        return column in self.header

    def strings(self, column: str) -> list[str]:
        """Return a column's cells; raise ValueError that names the nearest column if there is none."""
        if column not in self.header:
            near = checks.nearest(column, self.header)
            others = _shown(", ".join(self.header))
            raise ValueError(f"{self.path} has no column {_shown(column)!r}{near}; it has {others!r}.")
        k = self.header.index(column)
        return [row[k] for row in self.cells]

    def numbers(self, column: str) -> Array:
        """Return a column as (rows,) float64, finite and > 0; raise ValueError that names the line."""
        values = []
        for line, cell in zip(self.lines, self.strings(column), strict=True):
            value = number(cell)
            if not (math.isfinite(value) and value > 0):
                accepted = f"the column {_shown(column)!r} must be a finite number > 0"
                raise ValueError(f"{self.path}, line {line}: {accepted}. Got {_shown(cell)!r} instead.")
            values.append(value)
        return np.array(values, dtype=np.float64)

    def varies(self, column: str) -> bool:
        """Return whether the file has the column, and different numbers in it."""
        return column in self and len({number(cell) for cell in self.strings(column)}) > 1

    def extended(self, columns: Mapping[str, Array]) -> Iterator[str]:
        """Yield the file's lines as they were, each with the cells of `columns`, (rows,) each, added.

        Refuses a column that the file has already.
        """
        for name in columns:
            if name in self.header:
                raise ValueError(f"{self.path} already has a column {name!r}: rename it, or leave it out.")
        yield self.delimiter.join([self.texts[0], *columns])
        for text, *added in zip(self.texts[1:], *columns.values(), strict=True):
            yield self.delimiter.join([text, *(repr(float(value)) for value in added)])


def number(cell: str) -> float:
    """Return a cell's number, or nan where it holds none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def read(path: str) -> Table:
    """Read the CSV file at a path: UTF-8, one header, rows of equal length; blank lines are skipped.

    Raises
    ------
    ValueError
        In one sentence, for anything else, a file without a row included.
    OSError
        If the file cannot be read.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"byte {error.object[error.start]:#04x} at offset {error.start}"
        raise ValueError(f"{path} is not a CSV file in UTF-8 ({what}).") from None
    if "\0" in text:
        raise ValueError(f"{path} is not a CSV file: it holds binary data.")
    source = list(io.StringIO(text, newline=""))
    first = next((line for line in source if line.strip()), None)
    if first is None:
        raise ValueError(f"{path} is empty.")
    delimiter = next((mark for mark in ",\t;" if mark in first), ",")
    records = list(_records(path, source, delimiter))
    _, texts, cells = zip(*records, strict=True)
    header = tuple(name.strip() for name in cells[0])
    lines = tuple(line for line, _, _ in records[1:])
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ValueError(f"{path} has more than one column {_shown(twice[0])!r}.")
    if not lines:
        raise ValueError(f"{path} has a header but no rows.")
    for line, row in zip(lines, cells[1:], strict=True):
        if len(row) != len(header):
            counts = f"cells: {len(row)}, where the header has {len(header)}"
            raise ValueError(f"{path}, line {line}: the row has another number of {counts}.")
    return Table(path, delimiter, header, cells[1:], lines, texts)


def _records(path: str, source: list[str], delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield each record's first line number, its text and its cells; a quoted cell may span lines."""
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    start = 0
    while start < len(source):
        try:
            row = next(reader)
        except csv.Error as error:
            raise ValueError(f"{path}, line {start + 1}: not a row of a CSV file ({error}).") from None
        text = "".join(source[start : reader.line_num]).rstrip("\r\n")
        if text.strip():
            yield start + 1, text, row
        start = reader.line_num


def _shown(text: str) -> str:
    """Return text from a file, short enough for a message."""
    return text if len(text) <= 60 else text[:57] + "..."
