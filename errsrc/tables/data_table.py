"""The table of a user's runs: columns by name, from a file or a data frame."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import math
import operator
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.tables.cells import (
    Array,
    ColumnNumbers,
    Marks,
    is_missing,
    marks_of,
    number_text,
    plain_number,
    read_column,
)
from errsrc.tables.column_names import advice_on_layout, nearest_column, shortened
from errsrc.tables.conditions import OPERATORS, conditions_of
from errsrc.tables.flags import flag, says_diverged
from errsrc.tables.measurements import READ_AS_IS, TableRules, check_signs, read_errors
from errsrc.tables.rows import LeftOut, left_out_sentence

SUFFIX_HINT = "Suffixes are k or K, M, B or G, and T."
SHOWN_CELLS = 5
"""Largest number of cells that a message lists."""
RUNNING = re.compile(r"(unnamed: *\d+|level_\d+|index|idx|row|rows|line|#|nr|no|id|_id)?", re.IGNORECASE)
"""Names of columns that number the rows, such as the index of a data frame."""


class Written(NamedTuple):
    """The text of a table as it is in its file, to write the table again with more columns.

    Attributes
    ----------
    kind : str
        "csv" or "jsonl".
    delimiter : str
        Separator of the cells of a CSV file.
    header : str
        Text of the header of a CSV file.
    texts : tuple of str
        Text of each row.
    """

    kind: str
    delimiter: str
    header: str
    texts: tuple[str, ...]


class UsableColumns(NamedTuple):
    """Columns of a table as numbers, restricted to the rows that can be used.

    Attributes
    ----------
    values : dict of str to ndarray of float64, shape (usable rows,)
        The columns.  The keys are the names of the inputs, "error", and "weights" if there are any.
    clusters : ndarray of intp, shape (usable rows,), or None
        Number of the cluster of each row; None if no column tells clusters apart.
    rows : tuple
        Labels of the usable rows.
    left_out : tuple of LeftOut
        The other rows by reason, copies of other rows first.
    has_copies : bool
        Whether copies of other rows are among the rows that were left out.
    warnings : tuple of str
        At most one sentence, on errors of 0.
    table : DataTable
        The table without copies of rows.  Its column of the error holds errors, also if the file had
        accuracies.
    usable : ndarray of bool, shape (rows of `table`,)
        True for the rows of `table` that are used.
    """

    values: dict[str, Array]
    clusters: NDArray[np.intp] | None
    rows: tuple[Any, ...]
    left_out: tuple[LeftOut, ...]
    has_copies: bool
    warnings: tuple[str, ...]
    table: DataTable
    usable: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DataTable:
    """Rows of a file or of a data frame, by columns.

    Attributes
    ----------
    source : str
        Name of the file or frame, for messages.
    columns : dict of str to (tuple of str) or (ndarray of float64), shape (rows,)
        The columns: text as it is in the file, or numbers.
    rows : tuple
        Label of each row: its line number in a file, or its label in the index of a data frame.
    unit : str
        "line" or "row", the word before a label of `rows` in messages.
    repeated : frozenset of str
        Names that several columns of the file have.
    written : Written or None
        The text of the table, if it came from a text file.
    library : str
        The library of the data frame: "pandas", "polars", "pyarrow", "dict" or another that narwhals knows;
        "" for a file.
    index : object
        The index of a pandas data frame; None for other tables.
    whole : DataTable or None
        The table of the whole file, if this table has only some of its rows.  The whole file shows which
        decimal mark it uses.
    """

    source: str
    columns: Mapping[str, tuple[str, ...] | Array]
    rows: tuple[Any, ...]
    unit: str = "row"
    repeated: frozenset[str] = frozenset()
    written: Written | None = None
    library: str = ""
    index: Any = None
    whole: DataTable | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"DataTable({self.source!r}: {len(self)} rows of {shortened(', '.join(self.columns))})"

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.columns)

    @functools.cached_property
    def varying(self) -> frozenset[str]:
        """Names of the columns that have at least two different numbers."""
        return frozenset(name for name in self.columns if self._varies(name))

    @functools.cached_property
    def empty(self) -> frozenset[str]:
        """Names of the columns that hold nothing in any row."""
        return frozenset(name for name in self.columns if self._is_empty(name))

    def _is_empty(self, name: str) -> bool:
        cells = self.columns[name]
        if name in self.repeated:
            return False
        return all(map(is_missing, cells)) if isinstance(cells, tuple) else bool(np.isnan(cells).all())

    def _varies(self, name: str) -> bool:
        try:
            values = self.numbers(name).values
        except ValueError:
            return False
        return len(np.unique(values[np.isfinite(values)])) > 1

    def found(self, name: str) -> str | None:
        """Return the name of a column; if no column has this name, letter case is ignored.

        Parameters
        ----------
        name : str
            The name.

        Returns
        -------
        str or None
            The name of the column in the table; None if no column, or more than one, has this name in other
            letter case.
        """
        if name in self.columns:
            return name
        same = [other for other in self.columns if other.strip().lower() == name.lower()]
        return same[0] if len(same) == 1 else None

    def require(self, name: str, option: str = "", needs: str = "") -> None:
        """Raise ValueError if there is no column of this name, or if several columns have the name.

        Parameters
        ----------
        name : str
            The name.
        option : str
            The input, or "error", that the column was expected to hold; "" if the user named the column.
        needs : str
            A sentence on the columns that are needed.  The error message has this sentence instead of its
            sentence on the name of the column.
        """
        self.require_all({name: option}, needs)

    def require_all(self, names: Mapping[str, str], needs: str = "") -> None:
        """Raise ValueError if columns are missing, with all their names, or if several have one of the names.

        Parameters
        ----------
        names : dict of str to str
            {name: the input, or "error", that the column was expected to hold, or "" if the user named the
            column}.
        needs : str
            A sentence on the columns that are needed.  The error message has this sentence instead of its
            sentence on the names of the columns.
        """
        for name in names:
            if name in self.repeated:
                said = f"{self.source} has more than one column {shortened(name)!r}: rename all but one."
                raise ValueError(said)
        missing = {name: option for name, option in names.items() if name not in self.columns}
        if not missing:
            return
        hints = {name: nearest_column(name, option, self.columns) for name, option in missing.items()}
        options = [option for option in missing.values() if option]
        others = shortened(", ".join(self.columns), 120)
        several = "s" if len(missing) > 1 else ""
        advice = f" {needs}" if needs else advice_on_layout(self.columns)
        if options and not advice:
            python = ", ".join(f"{option}=..." for option in options)
            shell = " ".join(f"--{option} COL" for option in options)
            which = "" if several else hints.pop(*missing)  # a single hint follows the advice
            advice = f" Name the column{'s' if len(options) > 1 else ''} by {python} ({shell}){which}."
        *first, last = [f"{shortened(name)!r}{hints.get(name, '')}" for name in missing]
        named = f"{', '.join(first)} and {last}" if first else last
        raise ValueError(f"{self.source} has no column{several} {named}; it has {others!r}.{advice}")

    @functools.cached_property
    def _marks(self) -> Marks:
        """What all columns of text show about the decimal mark."""
        if self.whole is not None:
            return self.whole._marks
        found = [marks_of(cells) for cells in self.columns.values() if isinstance(cells, tuple)]
        decimal: frozenset[str] = frozenset().union(*(one.decimal for one in found))
        return Marks(decimal, any(one.ungrouped for one in found))

    @functools.cached_property
    def _read(self) -> dict[str, ColumnNumbers]:
        return {}

    def numbers(self, name: str) -> ColumnNumbers:
        """Return a column as numbers.

        Parameters
        ----------
        name : str
            Name of the column.

        Returns
        -------
        ColumnNumbers
            The numbers, with nan for cells that are empty or hold other text, and a mask of the cells that
            hold other text.

        Raises
        ------
        ValueError
            If there is no such column, or if its numbers are ambiguous, such as "16.000".
        """
        self.require(name)
        if name not in self._read:
            cells = self.columns[name]
            if isinstance(cells, tuple):
                european = self.written is not None and self.written.delimiter == ";"
                try:
                    self._read[name] = read_column(cells, lambda: self._marks, european)
                except ValueError as error:
                    raise ValueError(f"{self.source}: the column {shortened(name)!r} {error}.") from None
            else:
                self._read[name] = ColumnNumbers(cells, np.zeros(len(cells), dtype=bool))
        return self._read[name]

    def text(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column as text.

        Parameters
        ----------
        name : str
            Name of the column.
        """
        self.require(name)
        cells = self.columns[name]
        if isinstance(cells, tuple):
            return cells
        return tuple(map(number_text, cells.tolist()))

    def taken(self, keep: NDArray[np.bool_]) -> DataTable:
        """Return a table that keeps some of the rows.

        Parameters
        ----------
        keep : ndarray of bool, shape (rows,)
            True for the rows to keep.
        """
        if keep.all():
            return self

        def some(items: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(item for item, kept in zip(items, keep, strict=True) if kept)

        columns = {k: some(v) if isinstance(v, tuple) else v[keep] for k, v in self.columns.items()}
        written = self.written and self.written._replace(texts=some(self.written.texts))
        index = None if self.index is None else self.index[keep]
        rows = some(self.rows)
        return dataclasses.replace(
            self, columns=columns, rows=rows, written=written, index=index, whole=self.whole or self
        )

    def with_column(self, name: str, values: Array) -> DataTable:
        """Return a copy of the table in which a column, new or existing, has the given values.

        Parameters
        ----------
        name : str
            Name of the column.
        values : ndarray of float64, shape (rows,)
            The values.
        """
        return dataclasses.replace(self, columns={**self.columns, name: values}, whole=self.whole or self)

    def where(self, conditions: Mapping[str, Any] | str | Sequence[str]) -> DataTable:
        """Return the table of the rows that meet conditions.

        Parameters
        ----------
        conditions : dict of str to (str, number or bool), str, or sequence of str
            {column: value}, or texts such as "dataset=LAION", "group!=test" and "loss<5".  A cell of the
            table matches a value if both are the same text or the same number.

        Raises
        ------
        ValueError
            If there is no such column, or no such row.
        """
        keep = np.ones(len(self), dtype=bool)
        for condition in conditions_of(conditions):
            name, sign, wanted = condition
            cells = self.text(name)
            try:
                values = self.numbers(name).values
            except ValueError:
                values = np.full(len(self), np.nan)
            if sign in ("=", "!="):
                equal = np.array([cell.strip() == wanted for cell in cells], dtype=bool)
                equal |= values == plain_number(wanted)
                keep &= equal if sign == "=" else ~equal
            else:
                keep &= OPERATORS[sign](values, float(wanted))
            if not keep.any():
                hint = checks.nearest(wanted, dict.fromkeys(cells)) if sign == "=" else ""
                raise ValueError(f"{self.source} has no row with {name} {sign} {shortened(wanted)!r}{hint}.")
        return self.taken(keep)

    def without_copies(self, used: Container[str] = ()) -> tuple[DataTable, LeftOut | None]:
        """Return the table without rows that are copies of an earlier row, and the rows that were left out.

        Columns that only number the rows, such as the index of a data frame, do not count.

        Parameters
        ----------
        used : container of str
            Names of columns that hold sizes or errors.  They are never taken for columns that only number the
            rows.
        """
        columns = [
            cells if isinstance(cells, tuple) else [x if x == x else None for x in cells.tolist()]
            for name, cells in self.columns.items()
            if name in used or not self._numbers_rows(name)
        ]
        if not columns:
            return self, None
        seen: set[tuple[Any, ...]] = set()
        keep = np.ones(len(self), dtype=bool)
        for k, row in enumerate(zip(*columns, strict=True)):
            keep[k] = row not in seen
            seen.add(row)
        if keep.all():
            return self, None
        copies = tuple(row for row, kept in zip(self.rows, keep, strict=True) if not kept)
        return self.taken(keep), LeftOut("copied from another row", copies, self.unit)

    def _numbers_rows(self, name: str) -> bool:
        """Return whether a column without a name of its own has the integers from 0 or 1 upwards."""
        if not RUNNING.fullmatch(name.strip()) or name in self.repeated:
            return False
        try:
            values = self.numbers(name).values
        except ValueError:
            return False
        return len(values) > 1 and values[0] in (0, 1) and bool((values[1:] == values[:-1] + 1).all())

    def diverged(self) -> NDArray[np.bool_]:
        """Return a mask of the rows with a true value in a column `diverged` or `is_diverged`, (rows,).

        Raises
        ------
        ValueError
            If a cell is neither empty nor a word for true or false.
        """
        named = [name for name in self.columns if says_diverged(name)]
        if not named:
            return np.zeros(len(self), dtype=bool)
        return np.any([self._is_true(name) for name in named], axis=0)

    def _is_true(self, name: str) -> NDArray[np.bool_]:
        """Return which cells of a column are words for true; raise ValueError for any other text; (rows,)."""
        self.require(name)
        cells = self.text(name)
        flags = [flag(cell) for cell in cells]
        for k, value in enumerate(flags):
            if value is None:
                where = f"{self.source}, {self.unit} {self.rows[k]}"
                read = "must be true or false, yes or no, 1 or 0, or empty"
                got = f"Got {shortened(cells[k].strip())!r} instead."
                raise ValueError(f"{where}: the column {name!r} {read}. {got}")
        return np.array(flags, dtype=bool)

    def usable(
        self,
        columns: Mapping[str, str],
        *,
        strict: bool = False,
        zero: Container[str] = (),
        predicting: bool = False,
    ) -> tuple[NDArray[np.bool_], tuple[LeftOut, ...]]:
        """Return a mask of the rows with finite numbers > 0 in given columns, and the other rows by reason.

        Parameters
        ----------
        columns : dict of str to str
            {input or "error": name of its column}.
        strict : bool
            Whether to raise ValueError for rows that cannot be used, instead of leaving them out.
        zero : container of str
            Inputs, or "error", that may be 0.
        predicting : bool
            Whether the rows are new runs.  The column "diverged" is then ignored.

        Returns
        -------
        usable : ndarray of bool, shape (rows,)
            True for the rows to use.
        left_out : tuple of LeftOut
            The other rows by reason.

        Raises
        ------
        ValueError
            If a column is missing, if a cell has text that is no number, or if `strict` is True and a row
            cannot be used.
        """
        reasons = [""] * len(self) if predicting else ["diverged" if bad else "" for bad in self.diverged()]
        not_numbers: list[tuple[int, str, str]] = []
        not_positive = [(k, "", "diverged") for k in range(len(self)) if reasons[k]]
        for role, name in columns.items():
            values, text = self.numbers(name)
            shown = self.text(name)
            for k in np.flatnonzero(text | ~(np.isfinite(values) & (values > 0))).tolist():
                if reasons[k] == "diverged" or (role in zero and values[k] == 0):
                    continue
                (not_numbers if text[k] else not_positive).append((k, name, shown[k].strip()))
                reasons[k] = reasons[k] or _reason(role, float(values[k]), shown[k])
        self._refuse(not_numbers)
        if strict:
            self._refuse(not_positive)
        usable = np.array([not reason for reason in reasons], dtype=bool)
        groups: dict[str, list[Any]] = {}
        for row, reason in zip(self.rows, reasons, strict=True):
            groups.setdefault(reason, []).append(row)
        left_out = tuple(LeftOut(reason, tuple(rows), self.unit) for reason, rows in groups.items() if reason)
        if not usable.any() and not predicting:
            said = left_out_sentence(left_out, len(self))
            raise ValueError(f"{self.source} has no row that can be used: {said}")
        return usable, left_out

    def usable_columns(
        self,
        columns: Mapping[str, str],
        rules: TableRules = READ_AS_IS,
        *,
        zero: Container[str] = (),
        clusters: Sequence[str] = (),
    ) -> UsableColumns:
        """Return columns as numbers, without copies of rows and without rows that cannot be used.

        Parameters
        ----------
        columns : dict of str to str
            {input, "error" or "weights": name of its column}; "error" is required.
        rules : TableRules
            How the values are read.
        zero : container of str
            Inputs, or "error", that may be 0.
        clusters : sequence of str
            Columns that tell clusters of rows apart.

        Raises
        ------
        ValueError
            If a column is missing, if a cell is text that is no number, if losses are negative, if no row can
            be used, or if ``rules.strict`` is True and a row cannot be used.
        """
        needed = {name: role if name == role else "" for role, name in columns.items()}
        self.require_all({**dict.fromkeys(clusters, ""), **needed})
        once, copies = self.without_copies({*columns.values(), *clusters})
        if copies is not None and rules.strict:
            raise ValueError(f"{self.source} has copied rows: {copies}.")
        given, is_text = once.numbers(columns["error"])
        readable = READ_AS_IS if is_text.any() else rules  # `usable` refuses the text
        error, warnings = read_errors(given, readable, once.rows, once.unit)
        check_signs(error, columns["error"])
        table = once if error is given else once.with_column(columns["error"], error)
        usable, left_out = table.usable(columns, strict=rules.strict, zero=zero)
        return UsableColumns(
            values={role: table.numbers(name).values[usable] for role, name in columns.items()},
            clusters=table._cluster_numbers(clusters)[usable] if clusters else None,
            rows=tuple(row for row, kept in zip(table.rows, usable, strict=True) if kept),
            left_out=left_out if copies is None else (copies, *left_out),
            has_copies=copies is not None,
            warnings=warnings,
            table=table,
            usable=usable,
        )

    def _cluster_numbers(self, columns: Sequence[str]) -> NDArray[np.intp]:
        """Return the number of the cluster of each row, (rows,); raise ValueError for an empty cell."""
        texts = [self.text(name) for name in columns]
        for name, cells in zip(columns, texts, strict=True):
            if any(map(is_missing, cells)):
                raise ValueError(f"The column {name!r} tells clusters apart, and has an empty cell: fill it.")
        numbers: dict[tuple[str, ...], int] = {}
        rows = zip(*texts, strict=True)
        return np.array([numbers.setdefault(row, len(numbers)) for row in rows], dtype=np.intp)

    def _refuse(self, cells: Sequence[tuple[int, str, str]]) -> None:
        """Raise ValueError that names all cells, given as (row, column, text), if there are any."""
        found = sorted(cells, key=operator.itemgetter(0))
        accepted = "must be a finite number > 0"
        if len(found) == 1:
            ((row, name, text),) = found
            where = f"{self.source}, {self.unit} {self.rows[row]}"
            if not name:
                raise ValueError(f"{where}: the run diverged.")
            hint = f" {SUFFIX_HINT}" if _has_suffix(text) else ""
            got = f"Got {shortened(text)!r} instead.{hint}"
            raise ValueError(f"{where}: the column {shortened(name)!r} {accepted}. {got}")
        shown = [
            f"{self.unit} {self.rows[row]}, {shortened(name)!r} = {shortened(text)!r}"
            if name
            else f"{self.unit} {self.rows[row]} diverged"
            for row, name, text in found[:SHOWN_CELLS]
        ]
        more = f"; and {len(found) - SHOWN_CELLS} more" if len(found) > SHOWN_CELLS else ""
        if len(found) == len(self) > 2 and not any(_starts_as_number(text) for _, _, text in found):
            name, text = shortened(found[0][1]), shortened(found[0][2])
            numeric = ", ".join(other for other in self.columns if other in self.varying)
            hint = f" The columns with numbers are {shortened(numeric, 120)!r}." if numeric else ""
            raise ValueError(f"{self.source}: the column {name!r} holds text, such as {text!r}.{hint}")
        if found:
            count = f"Got {len(found)} others"
            hint = f" {SUFFIX_HINT}" if any(_has_suffix(text) for _, _, text in found) else ""
            raise ValueError(f"{self.source}: each cell {accepted}. {count}: {'; '.join(shown)}{more}.{hint}")

    def extended(self, columns: Mapping[str, Array]) -> Iterator[str]:
        """Yield the lines of the file as they are, each followed by the cells of the new columns.

        Rows of a JSON file get new keys.  Tables that do not come from a text file are written as CSV.

        Parameters
        ----------
        columns : dict of str to ndarray, shape (rows,)
            The columns to add, by name; nan is written as an empty cell.

        Yields
        ------
        str
            A line of the file, without its end.

        Raises
        ------
        ValueError
            If the file already has a column with one of the new names.
        """
        for name in columns:
            if name in self.columns:
                raise ValueError(f"{self.source} already has a column {name!r}: rename it, or leave it out.")
        rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
        written = self.written or self._as_csv()
        if written.kind == "jsonl":
            for text, row in zip(written.texts, rows, strict=True):
                added = {
                    name: value if value == value else None for name, value in zip(columns, row, strict=True)
                }
                yield json.dumps({**json.loads(text), **added})
            return
        comma = self._marks.decimal == {","} and written.delimiter != ","
        yield written.delimiter.join([written.header, *columns])
        for text, row in zip(written.texts, rows, strict=True):
            cells = [repr(value) if value == value else "" for value in row]
            yield written.delimiter.join([text, *(c.replace(".", ",") if comma else c for c in cells)])

    def _as_csv(self) -> Written:
        """Return the rows as lines of CSV."""

        def line(cells: Sequence[str]) -> str:
            out = io.StringIO()
            csv.writer(out, lineterminator="").writerow(cells)
            return out.getvalue()

        rows = zip(*(self.text(name) for name in self.columns), strict=True)
        return Written("csv", ",", line(self.header), tuple(map(line, rows)))

    def melted(self) -> DataTable:
        """Convert a wide table (a column for each run) to a long table (a row for each run and step).

        Columns named "RUN - METRIC", as Weights & Biases exports them, become a column "run" and a column for
        each METRIC; columns "... __MIN" and "... __MAX" are dropped.  If no column has such a name, all
        columns but the first become runs, and their values become a column "value".  Empty cells give no row.

        Raises
        ------
        ValueError
            If no column has the values of a run.
        """
        pattern: Callable[[str], re.Match[str] | None] = re.compile(r"(.*) - (.+)", re.DOTALL).fullmatch
        pairs = {name: (found[1], found[2]) for name in self.columns if (found := pattern(name))}
        if not pairs:
            pairs = {name: (name, "value") for name in self.header[1:] if name}
        pairs = {name: pair for name, pair in pairs.items() if not re.search(r"__(MIN|MAX)$", name)}
        if not pairs:
            raise ValueError(f"{self.source} has no columns of runs, such as 'RUN - METRIC', to melt.")
        if self.repeated & set(pairs):
            raise ValueError(
                f"{self.source} has more than one column {shortened(min(self.repeated & set(pairs)))!r}."
            )
        kept = [
            name for name in self.columns if name not in pairs and not re.search(r" - .*__(MIN|MAX)$", name)
        ]
        metrics = list(dict.fromkeys(metric for _, metric in pairs.values()))
        cells = {name: self.text(name) for name in (*kept, *pairs)}
        new: dict[str, list[str]] = {name: [] for name in (*kept, "run", *metrics)}
        if len(new) < len(kept) + 1 + len(metrics):
            clash = next((name for name in kept if name in ("run", *metrics)), "run")
            what = "'run', as the new column of the runs" if clash == "run" else f"{clash!r}, as a metric"
            raise ValueError(f"{self.source} has a column {shortened(what, 120)}: rename the column.")
        rows: list[Any] = []
        for run in dict.fromkeys(run for run, _ in pairs.values()):
            own = {metric: name for name, (other, metric) in pairs.items() if other == run}
            for k, row in enumerate(self.rows):
                if all(is_missing(cells[name][k]) for name in own.values()):
                    continue
                for name in kept:
                    new[name].append(cells[name][k])
                new["run"].append(run)
                for metric in metrics:
                    new[metric].append(cells[own[metric]][k] if metric in own else "")
                rows.append(row)
        if not rows:
            raise ValueError(f"{self.source} has no values in the columns of its runs.")
        columns = {name: tuple(column) for name, column in new.items()}
        return DataTable(
            self.source, columns, tuple(rows), self.unit, library=self.library, whole=self.whole or self
        )


def _reason(role: str, value: float, cell: str) -> str:
    """Return why a row is left out: the cell of an input, or of "error", is empty, infinite or too small."""
    if cell.strip().lower() == "diverged":
        return "diverged"
    noun = {"error": "an error", "weights": "a weight"}.get(role, role)
    if value == 0:
        return f"with {noun} of 0"
    if -math.inf < value < 0:
        return f"with {noun} < 0"
    if value == value:
        return f"with an infinite {noun.removeprefix('an ').removeprefix('a ')}"
    return f"without {noun}" if cell.strip().lower() not in ("nan", "+nan", "-nan") else f"with {noun} of NaN"


def _starts_as_number(text: str) -> bool:
    return text[:1] in set("+-.,0123456789")


def _has_suffix(text: str) -> bool:
    """Return whether a cell is a number with a word, such as "16.8 mil"."""
    return re.fullmatch(r"[\d.,]+\s?[A-Za-z]+", text) is not None
