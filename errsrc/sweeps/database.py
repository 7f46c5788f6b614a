"""The store as a database: its tables, its lock, and its errors."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from errsrc.errors import StoreError

APPLICATION = 0x65727273  # "errs", which marks our files as SQLite's application_id
FORMAT = 1  # of the tables below, as SQLite's user_version

SCHEMA = """
CREATE TABLE resolved (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    defaults TEXT NOT NULL,
    UNIQUE (kind, version, defaults)
);
CREATE TABLE made_with (id INTEGER PRIMARY KEY, versions TEXT NOT NULL UNIQUE);
CREATE TABLE cells (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    config TEXT NOT NULL,
    resolved INTEGER NOT NULL REFERENCES resolved,
    seed INTEGER NOT NULL,
    result TEXT NOT NULL,
    curve TEXT NOT NULL,
    seconds REAL NOT NULL,
    device TEXT NOT NULL,
    made_with INTEGER NOT NULL REFERENCES made_with,
    finished TEXT NOT NULL
);
CREATE TABLE failures (
    key TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    error TEXT NOT NULL,
    details TEXT NOT NULL,
    finished TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE batches (key TEXT PRIMARY KEY, batch INTEGER NOT NULL, place INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE shown (name TEXT PRIMARY KEY, source TEXT NOT NULL);
CREATE TABLE driver (id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER, host TEXT, since TEXT);
"""
VIEW = """CREATE VIEW runs AS SELECT cells.key AS key, kind, version, {}seconds, device, finished
FROM cells JOIN resolved ON resolved.id = cells.resolved"""


class Database:
    """The database of a `errsrc.sweeps.Store`.

    Parameters
    ----------
    path : Path
        The file.
    write : bool
        Whether to open the file for writing.

    Attributes
    ----------
    path
        The file.
    connection
        SQLite's connection to the file, which begins no transaction by itself.
    """

    def __init__(self, path: Path, write: bool = False) -> None:
        self.path = path
        self._lock: FileLock | None = None
        if not write:
            self.connection = self._reader()
            return
        self._lock = self._locked()
        try:
            with self.store_errors("opened"):
                self.connection = sqlite3.connect(self.path, isolation_level=None)
                self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, so that another driver can open it."""
        if hasattr(self, "connection"):
            if self._lock is not None:
                with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):  # damaged
                    if _pragma(self.connection, "application_id") == APPLICATION:
                        self.connection.execute("DELETE FROM driver")
            self.connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write either everything that is written within the context, or nothing.

        Yields
        ------
        None
            The transaction is committed at the end.

        Raises
        ------
        ValueError
            For a file that is not open for writing.
        """
        if self._lock is None:
            raise ValueError(f"{self.path} is not open for writing.")
        with self.store_errors("written"):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
                    self.connection.execute("ROLLBACK")
                raise

    def driver(self) -> str | None:
        """Return which process writes the file now.

        Returns
        -------
        str or None
            The process and its machine, as a phrase; None where there is no driver.
        """
        row = next(iter(self.query("SELECT pid, host, since FROM driver")), None)
        if row is None or (row[1] == socket.gethostname() and not _alive(row[0])):
            return None
        return f"process {row[0]} on {row[1]}, since {row[2]}"

    def query(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that a query finds.

        Parameters
        ----------
        query : str
            SQL.

        Yields
        ------
        tuple
            A row.
        """
        with self.store_errors("read"):
            for row in self.connection.execute(query):  # noqa: UP028  `yield from` would close a cursor that is closed
                yield row

    @contextlib.contextmanager
    def store_errors(self, done: str) -> Iterator[None]:
        """Raise the errors of SQLite as StoreError.

        Parameters
        ----------
        done : str
            What the context does to the file, for the message: "opened", "read" or "written".

        Yields
        ------
        None
            The context.

        Raises
        ------
        StoreError
            If the file cannot be opened, read or written, or is damaged.
        """
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if type(error) in (sqlite3.DatabaseError, UnicodeDecodeError) or "decode" in str(error):
                raise self._damaged(error) from error
            kept = "  Rows that were written before are safe." if done == "written" else ""
            raise StoreError(f"{self.path} could not be {done}: {error}.{kept}") from error

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path} is damaged ({error}); 'sqlite3 FILE .recover' recovers what is readable."
        )

    def json(self, text: Any) -> Any:
        """Return the JSON of a column as an object.

        Parameters
        ----------
        text : str
            The column.

        Returns
        -------
        object
            The object.

        Raises
        ------
        StoreError
            If the file is damaged.
        """
        try:
            return json.loads(text)
        except (TypeError, ValueError) as error:
            raise self._damaged(error) from None

    def _reader(self) -> sqlite3.Connection:
        if not self.path.is_file() or not _size(self.path, ""):  # killed before the first write
            raise StoreError(f"There is no file {self.path}: no cell of this study has been computed.")
        uri = self.path.absolute().as_uri()
        problem: sqlite3.Error | None = None
        for mode in ("mode=ro", "immutable=1"):  # the second for read-only folders
            if mode == "immutable=1" and (_size(self.path, "-wal") or _size(self.path, "-journal")):
                break  # rows would be missing or incomplete
            db = sqlite3.connect(f"{uri}?{mode}", uri=True, isolation_level=None)
            try:
                self._check_format(db)
            except sqlite3.OperationalError as error:
                db.close()
                problem = error
            except BaseException:
                db.close()
                raise
            else:
                return db
        raise StoreError(f"{self.path} could not be opened: {problem}.")

    def _locked(self) -> FileLock:
        lock = FileLock(f"{os.path.realpath(self.path)}.lock", timeout=0)  # the same file through any link
        try:
            lock.acquire()
        except Timeout:
            try:
                with contextlib.closing(Database(self.path)) as other:
                    who = other.driver()
            except (StoreError, ValueError):
                who = None
            raise StoreError(
                f"{self.path} is being written by another driver ({who or 'which has just started'}): "
                "wait until it is done, or stop it."
            ) from None
        except OSError as error:
            raise StoreError(f"{self.path} could not be opened: {error.strerror or error}.") from None
        return lock

    def _prepare(self) -> None:
        db = self.connection
        try:
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            tables = None  # not a database: _check_format says so
        if tables == 0 and not _pragma(db, "application_id"):
            db.execute("BEGIN IMMEDIATE")
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {FORMAT}")
            db.execute(VIEW.format(""))
            db.execute("COMMIT")
        self._check_format(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        me = (os.getpid(), socket.gethostname(), now())
        db.execute("INSERT OR REPLACE INTO driver VALUES (1, ?, ?, ?)", me)

    def _check_format(self, db: sqlite3.Connection) -> None:
        try:
            application, version = _pragma(db, "application_id"), _pragma(db, "user_version")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.path} is not the file of a study: {error}.") from None
        if application != APPLICATION:
            raise ValueError(f"{self.path} is not the file of a study, but another database.")
        if version != FORMAT:
            raise ValueError(
                f"{self.path} was written in format {version}, and this errsrc reads only format {FORMAT}."
            )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _size(path: Path, suffix: str) -> int:
    file = path.with_name(path.name + suffix)
    return file.stat().st_size if file.exists() else 0


def now() -> str:
    """Return the current time in the format of the store's rows.

    Returns
    -------
    str
        The time in UTC.
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
