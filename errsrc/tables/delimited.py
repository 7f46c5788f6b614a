"""CSV files in several dialects, kept as text so that they can be written again with more columns."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from errsrc.tables.cells import is_missing
from errsrc.tables.data_table import DataTable, Written

DELIMITERS = ",\t;|"
"""Characters that separate columns; the first that suits the file is taken."""


class Record(NamedTuple):
    """One row of a CSV file.

    Attributes
    ----------
    line : int
        Number of the row's first line in the file, counted from 1.
    text : str
        Text of the row, without the end of the line.
    cells : list of str
        Cells of the row.
    """

    line: int
    text: str
    cells: list[str]


class _Lines:
    """Lines for csv.reader, with the position of the next line."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self.lines, self.at = lines, at

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


def parse_delimited(text: str, source: str) -> DataTable:
    """Parse the text of a CSV file.

    Columns are separated by commas, tabs, semicolons or vertical bars.  A first line such as ``sep=;`` names
    the separator.  Lines that start with "#", empty lines, rows of empty cells, empty columns at the end, and
    repetitions of the header are skipped.

    Parameters
    ----------
    text : str
        The text.
    source : str
        Name of the file, for messages.

    Raises
    ------
    ValueError
        If the text has no rows, or rows of different lengths.
    """
    lines = list(io.StringIO(text, newline=""))
    filled = [k for k, line in enumerate(lines) if line.strip()]
    if not filled:
        raise ValueError(f"{source} is empty.")
    named = re.fullmatch(r'"?sep=(.)"?', lines[filled[0]].strip("\r\n"), re.IGNORECASE)
    if named:
        filled = filled[1:]
    comments = [k for k in filled if _is_comment(lines[k])]
    body = [k for k in filled if not _is_comment(lines[k])]
    if not body:
        raise ValueError(f"{source} has no rows.")
    delimiter = named[1] if named else _delimiter([lines[k] for k in body[:21]])
    start = body[0]
    before = [k for k in comments if k < start]
    if before and _is_header(lines[before[-1]], lines[start], delimiter):
        start = before[-1]  # numpy.savetxt writes its header as a comment
        comments.remove(start)
        lines[start] = lines[start].lstrip().lstrip("#").lstrip(" ")
    elif len(body) == 1 and any(k > start for k in comments):
        comments = before  # each row starts with "#", as numbers of runs may
    records = list(_records(source, lines, start, delimiter, frozenset(comments)))
    if not records:
        raise ValueError(f"{source} has no rows.")
    return _table(source, records, delimiter)


def _is_comment(line: str) -> bool:
    """Return whether a line starts with "#", except if "#" or an error such as #N/A is its first cell."""
    if not line.lstrip().startswith("#"):
        return False
    first = re.split("[,;\t]", line, maxsplit=1)
    return len(first) == 1 or not (first[0].strip() == "#" or is_missing(first[0]))


def _is_header(comment: str, first: str, delimiter: str) -> bool:
    """Return whether a comment is the header: it has as many names as the first row has numbers."""
    names = comment.lstrip().lstrip("#").split(delimiter)
    cells = first.split(delimiter)
    return len(names) == len(cells) and all(map(_is_plain, cells)) and not any(map(_is_plain, names))


def _is_plain(cell: str) -> bool:
    try:
        float(cell.strip().strip('"').replace(",", "."))
    except ValueError:
        return False
    return True


def _delimiter(lines: Sequence[str]) -> str:
    """Return the first delimiter that splits the header, and no given row into more cells than the header."""
    counts_by_mark = {}
    for mark in DELIMITERS:
        with contextlib.suppress(csv.Error):  # refused when all rows are read
            rows = list(csv.reader(lines, delimiter=mark))
            if len(rows[0]) > 1:
                counts_by_mark[mark] = [len(_trimmed(row)) for row in rows]
    for mark, counts in counts_by_mark.items():
        if all(count <= counts[0] for count in counts) and (len(counts) == 1 or max(counts[1:]) > 1):
            return mark
    return next(iter(counts_by_mark), ",")


def _trimmed(row: list[str]) -> list[str]:
    """Return a row without the empty cells at its end."""
    filled = [k for k, cell in enumerate(row) if cell.strip()]
    return row[: filled[-1] + 1] if filled else []


def _records(
    source: str, lines: Sequence[str], start: int, delimiter: str, comments: frozenset[int]
) -> Iterator[Record]:
    """Yield the header and the rows.  A quoted cell may span several lines."""
    rest = _Lines(lines, start)
    reader = csv.reader(rest, delimiter=delimiter, strict=True)
    while rest.at < len(lines):
        first = rest.at
        if first in comments or not lines[first].strip("\r\n"):
            rest.at += 1
            continue
        try:
            row = next(reader)
        except csv.Error as error:
            raise ValueError(f"{source}, line {first + 1}: not a row of a CSV file ({error}).") from None
        if any(cell.strip() for cell in row):
            yield Record(first + 1, "".join(lines[first : rest.at]).rstrip("\r\n"), row)


def _table(source: str, records: Sequence[Record], delimiter: str) -> DataTable:
    """Return the table of a header and rows."""
    header = records[0]
    names = [name.strip() for name in header.cells]
    rows = [one for one in records[1:] if [cell.strip() for cell in one.cells] != names]
    if not rows:
        raise ValueError(f"{source} has a header but no rows.")
    count = len(_trimmed(names))
    width = max(count, *(len(_trimmed(row.cells)) for row in rows)) if len(names) > count else count
    width = min(width, len(names))
    for row in rows:
        if len(_trimmed(row.cells)) > width or len(row.cells) < count:
            counts = f"cells: {len(row.cells)}, where the header has {len(header.cells)}"
            title = f"Line {header.line} looks like a title: remove it, or start it with '#'."
            hint = f" {title}" if count == 1 and len(_trimmed(row.cells)) > 1 else ""
            raise ValueError(f"{source}, line {row.line}: the row has another number of {counts}.{hint}")
    cells = [(row.cells + [""] * width)[:width] for row in rows]
    texts = [_fitted(row, len(names), delimiter) for row in (header, *rows)]
    columns: dict[str, tuple[str, ...]] = {}
    repeated = set()
    for name, column in zip(names, zip(*cells, strict=True), strict=False):
        if name in columns:
            repeated.add(name)
        columns.setdefault(name, column)
    return DataTable(
        source=source,
        columns=columns,
        rows=tuple(row.line for row in rows),
        unit="line",
        repeated=frozenset(repeated),
        written=Written("csv", delimiter, texts[0], tuple(texts[1:])),
    )


def _fitted(row: Record, width: int, delimiter: str) -> str:
    """Return the text of a row; if it does not have `width` cells, empty cells are added or cells cut off."""
    if len(row.cells) == width:
        return row.text
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow((row.cells + [""] * width)[:width])
    return out.getvalue()
