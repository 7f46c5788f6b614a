"""The SQLite database of a store: its tables, its lock and its errors.

The lock belongs to the driver, the process that writes the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errsrc.errors import StoreError, StoreWriteError

if TYPE_CHECKING:
    from filelock import FileLock

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
LOCK = "CREATE TABLE IF NOT EXISTS lock (id INTEGER PRIMARY KEY CHECK (id = 1), store INTEGER, lock INTEGER)"
"""The inodes of the driver's store and of its lock file.  Files that errsrc 0.1.0 wrote lack this table."""
VIEW = """CREATE VIEW runs AS SELECT cells.key AS key, kind, version, {}seconds, device, finished
FROM cells JOIN resolved ON resolved.id = cells.resolved"""

Row = tuple[Any, ...]
_DRIVERS: set[Row] = set()
"""The drivers in this process, as they stand in the files that they write."""

_DRIVER = "SELECT pid, host, since FROM driver"
_LAST_ROW = "SELECT coalesce(max(id), 0) FROM cells"


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
        SQLite's connection to the file.  The connection does not begin transactions by itself.
    """

    def __init__(self, path: Path, write: bool = False) -> None:
        self.path = path
        self._lock: FileLock | None = None
        self._me: Row = ()
        self._main = str(path.absolute())  # a driver may change its folder
        self._inodes: dict[str, int | None] = {}
        self._state: Row | None = None
        self._last_row = 0
        self._is_lost = False
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
        """Close the file.  Another process can then open it for writing."""
        if hasattr(self, "connection"):
            if self._is_lost:
                self.connection.interrupt()  # or closing would copy the log into a file that is not ours
            elif self._me:
                with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):  # damaged
                    self.connection.execute(
                        "DELETE FROM driver WHERE (pid, host, since) = (?, ?, ?)", self._me
                    )
            self.connection.close()
        _DRIVERS.discard(self._me)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

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
            If the file is not open for writing.
        StoreWriteError
            If the file cannot be written, or if it is no longer the file that was opened (`check_in_place`).
        """
        if self._lock is None:
            raise ValueError(f"{self.path} is not open for writing.")
        self.check_in_place()
        with self.store_errors("written"):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_driver()
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
                    self.connection.execute("ROLLBACK")
                raise
            self._note_state()
        self.check_in_place()

    def check_in_place(self) -> None:
        """Check that the file and its log are still the files that this process opened.

        SQLite continues to write to a file that was deleted.  The rows of such a file would be lost when the
        process ends.

        Raises
        ------
        StoreWriteError
            If the file or its log was deleted, moved, replaced or overwritten.
        """
        if self._lock is None or not self._me:
            return
        if self._is_lost or _inode(self._main) != self._inodes[self._main] or not self._is_ours():
            self._is_lost = True
            raise StoreWriteError(
                f"{self.path} was deleted, moved or replaced during the run, so the run has stopped; cells "
                "that were finished are only in the file that was there before."
            )
        gone = next((file for file, inode in self._inodes.items() if _inode(file) != inode), None)
        if gone is not None:
            saved = self._saved()
            self._is_lost = True
            raise StoreWriteError(
                f"{gone} was deleted or replaced during the run, so the run has stopped; "
                + ("" if saved else "not ")
                + f"all finished cells are in {self.path}."
            )

    def _is_ours(self) -> bool:
        """Return whether the file still has all rows that this driver has written.

        Usually, only this process changes the size and the time of the file.  If they have changed otherwise,
        another program has overwritten the file, or has only copied the log into it.  A copy of the log does
        no harm: the file is then a sound database with all rows.
        """
        if _size_and_time(self._main) == self._state:
            return True
        uri = Path(self._main).as_uri()
        try:
            with _connection(f"{uri}?immutable=1") as db:  # the file without its log
                (inode,) = db.execute("SELECT store FROM lock").fetchone()
            with _connection(f"{uri}?mode=ro") as db:  # with its log, and without our cache
                sound = db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
                complete = db.execute(_LAST_ROW).fetchone()[0] >= self._last_row
        except (sqlite3.Error, UnicodeDecodeError, TypeError):
            return False
        if sound and complete and inode == self._inodes[self._main]:
            self._state = _size_and_time(self._main)
            return True
        return False

    def _note_state(self) -> None:
        self._last_row = self.connection.execute(_LAST_ROW).fetchone()[0]
        self._state = _size_and_time(self._main)

    def _saved(self) -> bool:
        """Copy the log, which was deleted or moved, into the file; return whether all could be copied."""
        with contextlib.suppress(sqlite3.Error):
            busy, _, _ = self.connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
            return not busy
        return False

    def _check_driver(self) -> None:
        """Raise StoreWriteError, within a transaction, if another driver has taken the file over."""
        row = self.connection.execute(_DRIVER).fetchone()
        if row != self._me:
            raise StoreWriteError(
                f"{self.path} is being written by another driver ({_phrase(row)}), which has started because "
                "the lock file was removed: this run has stopped, and the cells that it finished are safe."
            )

    def driver(self) -> str | None:
        """Return which process writes the file now.

        Returns
        -------
        str or None
            The process and its machine, as a phrase; None if no process writes the file.
        """
        row = next(iter(self.query(_DRIVER)), None)
        if row is None or (row[1] == socket.gethostname() and not _alive(row[0])):
            return None
        return _phrase(row)

    def query(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that a query finds.

        Parameters
        ----------
        query : str
            The query, in SQL.

        Yields
        ------
        tuple
            A row.
        """
        self.check_in_place()
        with self.store_errors("read"):
            for row in self.connection.execute(query):  # noqa: UP028  `yield from` would close a cursor that is closed
                yield row

    @contextlib.contextmanager
    def store_errors(self, done: str) -> Iterator[None]:
        """Convert errors of SQLite within the context to StoreError.

        Parameters
        ----------
        done : str
            The failed action, for the message: "opened", "read" or "written".

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
            if done == "written":
                kept = "  Rows that were written before are safe."
                raise StoreWriteError(f"{self.path} could not be written: {error}.{kept}") from error
            raise StoreError(f"{self.path} could not be {done}: {error}.") from error

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path} is damaged ({error}); 'sqlite3 FILE .recover' recovers what is readable."
        )

    def json(self, text: Any) -> Any:
        """Parse a JSON text from the database.

        Parameters
        ----------
        text : str
            The JSON text.

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
        from filelock import FileLock, Timeout  # only a driver needs the package

        lock = FileLock(f"{os.path.realpath(self.path)}.lock", timeout=0)  # the same file through any link
        try:
            lock.acquire()
        except Timeout:
            try:
                with contextlib.closing(Database(self.path)) as other:
                    who = other.driver()
            except (StoreError, ValueError):
                who = None
            raise self._another(who or "which has just started") from None
        except OSError as error:
            raise StoreError(f"{self.path} could not be opened: {error.strerror or error}.") from None
        return lock

    def _another(self, who: str) -> StoreError:
        return StoreError(
            f"{self.path} is being written by another driver ({who}): wait until it is done, or stop it."
        )

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
        self._register()
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()  # for `_is_ours`
        real = os.path.realpath(self.path)
        files = [self._main, f"{real}-wal", f"{real}-shm"]
        self._inodes = {file: _inode(file) for file in files}
        self._note_state()

    def _register(self) -> None:
        """Enter this driver into the file; raise StoreError if the file names a driver that still runs.

        This driver holds the lock file.  If the driver in the file had the same lock file, it has ended.  If
        the lock file was removed and made again, the process number shows whether that driver still runs.  If
        this store is a copy, the file names a driver of the original store, which does not count.
        """
        db, real = self.connection, os.path.realpath(self.path)
        store, lock = _inode(real), _inode(f"{real}.lock")
        me = (os.getpid(), socket.gethostname(), now())
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute(LOCK)
            row = db.execute(_DRIVER).fetchone()
            others = db.execute("SELECT lock FROM lock WHERE store = ?", (store,)).fetchone()
            if row and others not in (None, (lock,)) and row[1] == me[1] and _alive_driver(row):
                raise self._another(_phrase(row))
            db.execute("INSERT OR REPLACE INTO driver VALUES (1, ?, ?, ?)", me)
            db.execute("INSERT OR REPLACE INTO lock VALUES (1, ?, ?)", (store, lock))
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        self._me = me
        _DRIVERS.add(me)

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


def _connection(uri: str) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None))


def _alive_driver(row: Row) -> bool:
    """Return whether the driver of this machine that a row names is alive."""
    return row in _DRIVERS if row[0] == os.getpid() else _alive(row[0])


def _phrase(row: Row) -> str:
    return f"process {row[0]} on {row[1]}, since {row[2]}" if row else "which is done"


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def _size_and_time(path: str) -> Row | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


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
