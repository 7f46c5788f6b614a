"""The store: an SQLite file with a row for each finished cell, written by one process at a time."""

from __future__ import annotations

import collections
import contextlib
import csv
import itertools
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

import numpy as np
from numpy.typing import NDArray

from errsrc import records
from errsrc.errors import NetworkFileSystem
from errsrc.records import Leaves, encode
from errsrc.sweeps.database import VIEW, Database, now
from errsrc.sweeps.file_systems import network_file_system
from errsrc.sweeps.kind import cell_name
from errsrc.sweeps.study import Study


class Store:
    """The finished cells of a study, in a file.

    Parameters
    ----------
    path : path
        The file.  If the file does not exist and `write` is True, the file is created.
    write : bool
        Whether to open the file for writing.  The process that opens the file for writing is the *driver* of
        the file.  A file has one driver at a time, and any number of readers, which never disturb the driver.

    Raises
    ------
    StoreError
        If another driver has the file, if the folder cannot be written, if the disk is full, or if there is
        no file to read.
    ValueError
        If the file is not the store of a study.

    Notes
    -----
    Each call that writes returns after its transaction is on the disk (write-ahead log, synchronous).
    Therefore a killed process or a power cut loses no row that was reported as finished.  The log works only
    on a local disk of the driver's machine.  On a network file system, readers on other machines see old or
    damaged data; a driver that opens a file there issues the warning `errsrc.errors.NetworkFileSystem`.

    In SQL, the view ``runs`` has a column for every field of the cells and every result.  The tables behind
    this view are ``cells`` (with the learning curves, as JSON), ``failures``, ``resolved`` (defaults) and
    ``made_with`` (versions).  Fields and results that were renamed have their old names in the file, see
    `errsrc.records.old_names`.
    """

    def __init__(self, path: str | os.PathLike[str], write: bool = False) -> None:
        self.path = Path(path)
        self._file = Database(self.path, write)
        self._db = self._file.connection
        self._ids: dict[tuple[Any, ...], int] = {}
        self._shown: dict[str, str] = {}
        try:
            if write:
                self._warn_of_network()
                self._shown = dict(self._file.query("SELECT name, source FROM shown"))
        except BaseException:
            self.close()
            raise

    def _warn_of_network(self) -> None:
        kind = network_file_system(self.path)
        if kind is not None:
            message = (
                f"{self.path} is on a network file system ({kind}): use it on one machine only while the "
                "study runs, or keep it on a local disk and copy it afterwards."
            )
            warnings.warn(message, NetworkFileSystem, stacklevel=3)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file.  Another process can then open it for writing."""
        self._file.close()

    def check_in_place(self) -> None:
        """Check that the file is still the file that this process opened for writing.

        If the file was opened for reading, do nothing.

        Raises
        ------
        StoreWriteError
            If the file or its log was deleted, moved, replaced or overwritten.
        """
        self._file.check_in_place()

    # Reading.

    def missing(self, study: Study) -> list[int]:
        """Return the indices of a study's cells that are not finished, in order.

        Parameters
        ----------
        study : Study
            The grid of cells.

        Returns
        -------
        list of int
            The indices.

        Raises
        ------
        ValueError
            If a cell's row was computed with defaults that have changed since.
        """
        keys = study.cell_keys()
        self._check_defaults(study, keys)
        with self._file.store_errors("read"):
            known = set(itertools.chain.from_iterable(self._db.execute("SELECT key FROM cells")))
        return [place for place, key in enumerate(keys) if key not in known]

    def failures(self) -> dict[str, str]:
        """Return the error message of each failed cell.

        Returns
        -------
        dict of str to str
            The keys identify the cells, see `Kind.key`.  The values are the messages.
        """
        return dict(self._file.query("SELECT key, error FROM failures"))

    def driver(self) -> str | None:
        """Return the process that writes the file now.

        Returns
        -------
        str or None
            The process and its machine, as a phrase; None if no process writes the file.
        """
        return self._file.driver()

    def count(self) -> int:
        """Return the number of finished cells in the file.

        Returns
        -------
        int
            The number.
        """
        return int(next(iter(self._file.query("SELECT count(*) FROM cells")))[0])

    def versions(self, study: Study | None = None) -> list[tuple[int, dict[str, str]]]:
        """Return the different sets of versions of Python and packages, and the number of rows of each set.

        Parameters
        ----------
        study : Study, optional
            The study whose rows are counted; by default all rows.

        Returns
        -------
        list of (int, {package: version})
            Pairs of a number of rows and the versions with which these rows were computed, in descending
            order of the number.
        """
        query = """SELECT count(*) AS rows, versions FROM cells LEFT JOIN made_with
                   ON made_with.id = cells.made_with GROUP BY made_with.id ORDER BY rows DESC"""
        if study is None:
            return [(rows, self._file.json(versions)) for rows, versions in self._file.query(query)]
        query = "SELECT key, versions FROM cells LEFT JOIN made_with ON made_with.id = cells.made_with"
        keys = set(study.cell_keys())
        counts = collections.Counter(text for key, text in self._file.query(query) if key in keys)
        return [(rows, self._file.json(text)) for text, rows in counts.most_common()]

    def rows(self, study: Study | None = None) -> list[dict[str, Any]]:
        """Return the finished cells as flat rows.

        Parameters
        ----------
        study : Study, optional
            The study whose cells are returned, in the order of the study; by default all cells, in the order
            in which they were finished.

        Returns
        -------
        list of dict
            A dict for each cell.  The keys are the dotted paths of the cell's fields, the names of its
            results, "seconds", "device" and "finished".
        """
        query = """SELECT key, kind, config, defaults, result, seconds, device, finished
                   FROM cells LEFT JOIN resolved ON resolved.id = cells.resolved ORDER BY cells.id"""
        found = {}
        resolved: dict[str, Any] = {}
        for key, stored, config, text, result, seconds, device, finished in self._file.query(query):
            if text not in resolved:  # a damaged file may lack the row of `resolved`: its text is then None
                resolved[text] = self._file.json(text)
            kind, given, defaults = records.current_study(stored), self._file.json(config), resolved[text]
            rest = {path: value for path, value in defaults.items() if path not in given}
            leaves = records.current_names({**given, **rest}, cell_name(kind), defaults | given)
            results = records.current_results(kind, _decode(self._file.json(result)))
            found[key] = {**leaves, **results, "seconds": seconds, "device": device, "finished": finished}
        if study is None:
            return list(found.values())
        return [found[key] for key in study.cell_keys() if key in found]

    def columns(self, study: Study | None = None) -> dict[str, NDArray[Any]]:
        """Return `rows` as a dict of arrays; ``pandas.DataFrame(store.columns())`` makes a table of it.

        Parameters
        ----------
        study : Study, optional
            The study whose cells are returned; by default all cells.

        Returns
        -------
        dict of str to (rows,) arrays
            An array of float64, int64, bool or objects for each column.  If a row lacks a value, the entry is
            nan, or None in an array of objects.
        """
        return columns_of(self.rows(study))

    def curves(self, study: Study | None = None) -> list[dict[str, NDArray[np.float64]]]:
        """Return the learning curves, in the order of `rows`.

        Parameters
        ----------
        study : Study, optional
            The study whose cells are returned; by default all cells.

        Returns
        -------
        list of dict of str to float64 arrays (evaluations,)
            The learning curve of each cell; an empty dict for a cell without a learning curve.
        """
        query = """SELECT key, kind, curve, defaults FROM cells
                   LEFT JOIN resolved ON resolved.id = cells.resolved ORDER BY cells.id"""
        found = {}
        for key, kind, curve, defaults in self._file.query(query):
            if kind is None:
                self._file.json(defaults)  # raises StoreError: the file is damaged
            found[key] = (kind, curve)
        keys = found if study is None else [key for key in study.cell_keys() if key in found]
        return [self._curve(*found[key]) for key in keys]

    def _curve(self, stored: str, curve: str) -> dict[str, NDArray[np.float64]]:
        """Return a learning curve as arrays, from its JSON and its kind's name in the file."""
        columns = {f"curve.{name}": values for name, values in self._file.json(curve).items()}
        named = records.current_results(records.current_study(stored), columns)
        return {name.removeprefix("curve."): np.array(v, dtype=np.float64) for name, v in named.items()}

    def export(self, file: TextIO, study: Study | None = None, curves: bool = False) -> None:
        """Write `rows` to a file as CSV with a header; a value that a row lacks is empty.

        Parameters
        ----------
        file : text file
            File to which the table is written.  If there are no rows, nothing is written.
        study : Study, optional
            The study whose cells are written; by default all cells.
        curves : bool
            Whether to write one row for each point of the cells' learning curves.  The columns "curve.NAME"
            then follow the columns of the cell.

        Raises
        ------
        ValueError
            If `curves` is True and no cell has a learning curve.
        """
        rows = self.rows(study)
        if curves and rows:
            rows = [
                {**row, **{f"curve.{name}": v[k].item() for name, v in curve.items() if k < len(v)}}
                for row, curve in zip(rows, self.curves(study), strict=True)
                for k in range(max(map(len, curve.values()), default=0))
            ]
            if not rows:
                raise ValueError(f"The cells in {self.path} have no curves: export them without curves.")
        if not rows:
            return
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: encode(v) if isinstance(v, list) else v for name, v in row.items()})

    # Writing, each call in a transaction.

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes within the context one transaction: all of them are written, or none.

        Yields
        ------
        None
            The transaction is committed when the context ends.

        Raises
        ------
        ValueError
            If the store is not open for writing.
        """
        if self._db.in_transaction:  # the outer transaction commits
            yield
            return
        ids, shown = dict(self._ids), dict(self._shown)
        try:
            with self._file.transaction():
                yield
                if self._shown != shown:
                    self._view()
        except BaseException:
            self._ids, self._shown = ids, shown
            raise

    def batches(self, study: Study, places: Sequence[int]) -> list[list[int]]:
        """Return the batches (lists of cells that are computed together) for unfinished cells.

        The list of cells of a batch is written to the file before the batch is first computed.  The list does
        not change until the batch is finished.  Therefore an interrupted study continues with the same
        batches.  Cells without a batch form new batches.  If `places` has only some cells of an unfinished
        batch, this batch is dissolved, and these cells form new batches.

        Parameters
        ----------
        study : Study
            The grid of cells.
        places : sequence of int
            The indices of the cells.

        Returns
        -------
        list of list of int
            The indices of the cells of each batch.
        """
        kind = study.kind
        if kind.group is None:
            return [[place] for place in places]
        keys = study.cell_keys()
        wanted = {keys[place]: place for place in places}
        settled: dict[int, list[str]] = {}
        for key, batch in self._file.query("SELECT key, batch FROM batches ORDER BY batch, place"):
            settled.setdefault(batch, []).append(key)
        out, dropped = [], []
        for batch, members in settled.items():
            if all(key in wanted for key in members):
                out.append([wanted.pop(key) for key in members])
            elif any(key in wanted for key in members):
                dropped.append((batch,))
        groups: dict[Any, list[int]] = {}
        for place in wanted.values():
            groups.setdefault(kind.group(study[place]), []).append(place)
        size = kind.max_batch
        new = [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]
        first = 1 + max(settled, default=0)
        with self.transaction():
            self._db.executemany("DELETE FROM batches WHERE batch = ?", dropped)
            self._db.executemany(
                "INSERT INTO batches VALUES (?, ?, ?)",
                ((keys[p], first + i, j) for i, members in enumerate(new) for j, p in enumerate(members)),
            )
        return out + new

    def finish(self, study: Study, finished: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Add the rows of finished cells.  If there is an error, no row is added.

        Parameters
        ----------
        study : Study
            The grid of cells.
        finished : iterable of (int, dict)
            The index of a cell, and its row as `errsrc.sweeps.runner.compute_batch` returns it.
        """
        kind = study.kind
        with self.transaction():
            for place, outcome in finished:
                cell = study[place]
                given, defaults = kind.flatten(cell)
                result = records.stored_results(kind.name, outcome["result"])
                self._show(given, "config")
                self._show(defaults, "config")
                self._show(result, "result")
                key = records.digest(given, kind.head)
                resolved = self._id("resolved", kind.stored_name, kind.version, encode(defaults))
                made_with = self._id("made_with", encode(outcome["versions"]))
                came = (encode(result), encode(_stored_curve(kind.name, outcome["curve"])))
                about = (outcome["seconds"], outcome["device"], made_with, now())
                row = (key, encode(given), resolved, cell.seed, *came, *about)
                self._db.execute("INSERT INTO cells VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                self._db.execute("DELETE FROM failures WHERE key = ?", (key,))
                if kind.group is not None:
                    self._db.execute("DELETE FROM batches WHERE key = ?", (key,))

    def fail(self, study: Study, places: Iterable[int], error: str, details: str = "") -> None:
        """Record that cells failed.

        Parameters
        ----------
        study : Study
            The grid of cells.
        places : iterable of int
            The indices of the cells.
        error : str
            The error in one sentence.
        details : str
            Details such as a traceback.
        """
        with self.transaction():
            for place in places:
                row = (study.cell_keys()[place], encode(study.given(place)), error, details, now())
                self._db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?)", row)

    # Small tables and the view.

    def _id(self, table: str, *values: Any) -> int:
        """Return the id of a row of a small table; add the row if it is missing."""
        if (table, *values) not in self._ids:
            names = {"resolved": ("kind", "version", "defaults"), "made_with": ("versions",)}[table]
            marks = ", ".join("?" * len(values))
            self._db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})", values)
            where = " AND ".join(f"{name} = ?" for name in names)
            (found,) = self._db.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()
            self._ids[table, *values] = found
        return self._ids[table, *values]

    def _show(self, names: Iterable[str], source: str) -> None:
        """Add columns to the view; a result never hides a field of the cells."""
        for name in names:
            if name not in self._shown or (source == "config" != self._shown[name]):
                self._shown[name] = source

    def _view(self) -> None:
        """Create the view with all columns."""
        parts = []
        for name, source in self._shown.items():
            path = "'" + f'$."{name}"'.replace("'", "''") + "'"
            if source == "result":
                value = f"json_extract(cells.result, {path})"
            else:  # a null in the configuration is a value, not a default
                value = (
                    f"CASE WHEN json_type(cells.config, {path}) IS NULL THEN json_extract(defaults, {path}) "
                    f"ELSE json_extract(cells.config, {path}) END"
                )
            quoted = '"' + name.replace('"', '""') + '"'
            parts.append(f"{value} AS {quoted}")
        self._db.execute("DELETE FROM shown")
        self._db.executemany("INSERT INTO shown VALUES (?, ?)", self._shown.items())
        self._db.execute("DROP VIEW IF EXISTS runs")
        self._db.execute(VIEW.format("".join(f"{part}, " for part in parts)))

    def _check_defaults(self, study: Study, keys: Sequence[str]) -> None:
        kind = study.kind
        now = study.resolved()
        changed = {}
        query = "SELECT id, kind, version, defaults FROM resolved"
        for number, name, version, text in self._file.query(query):
            then = self._file.json(text)
            if (name, version) == (kind.stored_name, kind.version) and all(_differing(then, d) for d in now):
                changed[number] = then
        if not changed:
            return
        places = {key: place for place, key in enumerate(keys)}
        ours = ", ".join(map(str, changed))
        rows = self._file.query(f"SELECT key, config, resolved FROM cells WHERE resolved IN ({ours})")
        for key, config, number in rows:
            if key not in places:
                continue
            given = self._file.json(config)
            defaults = kind.flatten(study[places[key]])[1]
            for path in _differing(changed[number], defaults):
                if path in given:
                    continue
                was = encode(changed[number][path])
                became = (
                    f"its default is now {encode(defaults[path])}"
                    if path in defaults
                    else "there is no such field now"
                )
                raise ValueError(
                    f"{self.path} has cells computed with {path} = {was}, the default then, and {became}: "
                    f"set {path} in the study, raise the version of kind {kind.name!r}, or use a new file."
                )


def _differing(then: Leaves, now: Leaves) -> list[str]:
    """Return the paths of stored defaults that have changed since; new fields do not count."""
    return [p for p, value in then.items() if p not in now or encode(now[p]) != encode(value)]


def _stored_curve(kind: str, curve: Mapping[str, Any]) -> dict[str, Any]:
    """Return a learning curve with the column names of the file."""
    named = records.stored_results(kind, {f"curve.{name}": values for name, values in curve.items()})
    return {name.removeprefix("curve."): values for name, values in named.items()}


def _decode(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float("nan") if v is None else v for name, v in result.items()}


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """Return rows as arrays.

    Parameters
    ----------
    rows : sequence of mappings
        Rows as `Store.rows` returns them.

    Returns
    -------
    dict of str to (rows,) arrays
        An array of float64, int64, bool or objects for each column.  If a row lacks a value, the entry is
        nan, or None in an array of objects.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: _column([row.get(name) for row in rows]) for name in names}


def _column(values: list[Any]) -> NDArray[Any]:
    present = {type(v) for v in values if v is not None}
    if present and present <= {int, float}:
        if float in present or None in values:
            return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        if all(-(2**63) <= v < 2**63 for v in values):
            return np.array(values, dtype=np.int64)
    if present == {bool} and None not in values:
        return np.array(values, dtype=np.bool_)
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
