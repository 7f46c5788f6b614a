"""CSV files, read strictly, and kept as they are so that they can be written again with more columns."""

from __future__ import annotations

import csv
import functools
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errsrc import checks
from errsrc.laws.law import Array


@dataclass(frozen=True, eq=False)
class CsvTable:
    """The rows of a CSV file, as text.

    Attributes
    ----------
    path : str
        Path of the file, for messages.
    delimiter : str
        "," or, if the header has no comma, a tab or ";".
    header : tuple of str
        Names of the columns, without blanks at their ends.
    cells : tuple of list of str
        A list for each row, as long as the header.
    lines : tuple of int
        Number of the first line of each row in the file, from 1.
    texts : tuple of str
        Text of the header and of each row as it stands in the file, without the end of the line.
    """

    path: str
    delimiter: str
    header: tuple[str, ...]
    cells: tuple[list[str], ...]
    lines: tuple[int, ...]
    texts: tuple[str, ...]

    @functools.cached_property
    def varying(self) -> frozenset[str]:
        """Names of the columns that have at least two different numbers."""
        columns = zip(self.header, zip(*self.cells, strict=True), strict=True)
        return frozenset(name for name, cells in columns if len({_number(cell) for cell in cells}) > 1)

    def positive_numbers(self, column: str) -> Array:
        """Return a column as numbers.

        Parameters
        ----------
        column : str
            Name of the column.

        Returns
        -------
        ndarray of float64, shape (rows,)
            Finite numbers > 0.

        Raises
        ------
        ValueError
            If there is no such column, or a cell is not a finite number > 0.
        """
        values = self.numbers(column)
        for line, value, cell in zip(self.lines, values, self._cells_of(column), strict=True):
            if not (math.isfinite(value) and value > 0):
                accepted = f"the column {_shortened(column)!r} must be a finite number > 0"
                raise ValueError(f"{self.path}, line {line}: {accepted}. Got {_shortened(cell)!r} instead.")
        return values

    def numbers(self, column: str) -> Array:
        """Return a column as numbers, nan where a cell is not a number: ndarray of float64, shape (rows,).

        Parameters
        ----------
        column : str
            Name of the column.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        return np.array([_number(cell) for cell in self._cells_of(column)], dtype=np.float64)

    def extended(self, columns: Mapping[str, Array]) -> Iterator[str]:
        """Yield the lines of the file as they are, each with the cells of more columns.

        Parameters
        ----------
        columns : dict of str to ndarray, shape (rows,)
            The columns to add, by name.

        Yields
        ------
        str
            A line of the file, without its end.

        Raises
        ------
        ValueError
            If the file already has a column of that name.
        """
        for name in columns:
            if name in self.header:
                raise ValueError(f"{self.path} already has a column {name!r}: rename it, or leave it out.")
        yield self.delimiter.join([self.texts[0], *columns])
        for text, *added in zip(self.texts[1:], *columns.values(), strict=True):
            yield self.delimiter.join([text, *(repr(float(value)) for value in added)])

    def _cells_of(self, column: str) -> list[str]:
        if column not in self.header:
            near = checks.nearest(column, self.header)
            others = _shortened(", ".join(self.header))
            raise ValueError(f"{self.path} has no column {_shortened(column)!r}{near}; it has {others!r}.")
        place = self.header.index(column)
        return [row[place] for row in self.cells]


@checks.arguments(path=checks.PATH)
def read_csv(path: str | Path) -> CsvTable:
    """Read a CSV file: UTF-8, a header, rows of equal length.  Blank lines are skipped.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    CsvTable
        Its rows, as text.

    Raises
    ------
    ValueError
        For any other file, and for one without a row.
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
    records = list(_records(str(path), source, delimiter))
    _, texts, cells = zip(*records, strict=True)
    header = tuple(name.strip() for name in cells[0])
    lines = tuple(line for line, _, _ in records[1:])
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ValueError(f"{path} has more than one column {_shortened(twice[0])!r}.")
    if not lines:
        raise ValueError(f"{path} has a header but no rows.")
    for line, row in zip(lines, cells[1:], strict=True):
        if len(row) != len(header):
            counts = f"cells: {len(row)}, where the header has {len(header)}"
            raise ValueError(f"{path}, line {line}: the row has another number of {counts}.")
    return CsvTable(str(path), delimiter, header, cells[1:], lines, texts)


def _records(path: str, source: list[str], delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the number of the first line, the text and the cells of each record.

    A quoted cell may span several lines.
    """
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


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _shortened(text: str) -> str:
    """Return a text from a file, short enough for a message."""
    return text if len(text) <= 60 else text[:57] + "..."
