"""Files of a study that are deleted, replaced or unlocked during a run: the run stops and says so."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sweep_cells import QUICK, grid

from errsrc import studies
from errsrc.cli import main
from errsrc.errors import StoreError, StoreWriteError
from errsrc.sweeps import Store, run, serial
from errsrc.sweeps import database as databases

MOVED = r"study\.db was deleted, moved or replaced during the run, so the run has stopped; cells that were"


def after(batches: int, happens: Callable[[], object]):
    """Return an engine during which something happens after so many batches."""

    def engine(function, cells):
        for place, answers in enumerate(serial(function, cells)):
            if place == batches:
                happens()
            yield answers

    return engine


def other_store(path: Path) -> Path:
    with Store(path, write=True) as store:
        run(grid(QUICK, 3), store, serial, progress=False)
    return path


LOSSES = {
    "deleted": lambda path: path.unlink(),
    "moved": lambda path: path.rename(path.with_name("elsewhere.db")),
    "its folder deleted": lambda path: shutil.rmtree(path.parent),
    "its folder moved": lambda path: path.parent.rename(path.parent.with_name("elsewhere")),
    "a folder in its place": lambda path: (path.unlink(), path.mkdir()),
    "all its files deleted": lambda path: [file.unlink() for file in path.parent.glob("study.db*")],
    "another store moved there": lambda path: os.replace(other_store(path.with_name("other.db")), path),
    "another store copied over it": lambda path: shutil.copy(other_store(path.with_name("other.db")), path),
    "an empty file in its place": lambda path: (path.unlink(), path.touch()),
    "a link in its place": lambda path: (path.unlink(), path.symlink_to(path.with_name("other.db"))),
    "text written over it": lambda path: path.write_text("n,error\n" * 2000),
    "emptied": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("batches", [0, 5, 9], ids=["at the first batch", "midway", "at the last batch"])
def test_a_store_that_is_lost_during_a_run_stops_the_run(loss, batches, tmp_path) -> None:
    path = tmp_path / "folder" / "study.db"
    path.parent.mkdir()
    with (
        Store(path, write=True) as store,
        pytest.raises(StoreWriteError, match=MOVED),
    ):
        run(grid(QUICK, 10), store, after(batches, lambda: LOSSES[loss](path)), progress=False)


def test_nothing_is_written_into_a_file_that_replaced_the_store(tmp_path) -> None:
    path, other = tmp_path / "study.db", other_store(tmp_path / "other.db")
    content = other.read_bytes()
    with Store(path, write=True) as store, pytest.raises(StoreWriteError, match=MOVED):
        run(grid(QUICK, 10), store, after(5, lambda: shutil.copy(other, path)), progress=False)
    assert path.read_bytes() == content


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_log_that_is_deleted_during_a_run_stops_the_run_and_no_row_is_lost(
    suffix, replaced, tmp_path
) -> None:
    path, study = tmp_path / "study.db", grid(QUICK, 10)
    log = path.with_name(path.name + suffix)

    def delete():
        log.unlink()
        if replaced:
            log.touch()

    says = rf"study\.db{suffix} was deleted or replaced during the run, .*; all finished cells are in .*study"
    with Store(path, write=True) as store, pytest.raises(StoreWriteError, match=says):
        run(study, store, after(5, delete), progress=False)
    with Store(path, write=True) as store:
        assert store.count() == 5
        assert run(study, store, serial, progress=False).finished == 5


def test_the_command_stops_with_one_sentence_and_status_1(tmp_path, monkeypatch, capsys) -> None:
    path, spec = tmp_path / "study.db", tmp_path / "study.toml"
    spec.write_text('kind = "quick"\nseeds = 10\n')
    monkeypatch.setitem(studies.ALL, "quick", QUICK)
    monkeypatch.setattr("errsrc.sweeps.local", lambda *args, **_: after(5, path.unlink)(*args))
    assert main(["run", str(spec)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 2  # the progress, and the sentence
    assert "study.db was deleted, moved or replaced during the run" in err
    assert not path.exists()
    monkeypatch.setattr("errsrc.sweeps.local", lambda *args, **_: serial(*args))
    assert main(["run", str(spec)]) == 0


def test_a_loss_is_noticed_while_batches_take_long(tmp_path) -> None:
    path = tmp_path / "study.db"

    def engine(function, batches):
        path.unlink()
        yield []  # what engines yield every few seconds
        raise AssertionError

    with Store(path, write=True) as store, pytest.raises(StoreWriteError, match=MOVED):
        run(grid(QUICK, 10), store, engine, progress=False)


@pytest.mark.full
def test_the_engine_of_processes_yields_now_and_then(monkeypatch) -> None:
    from errsrc.sweeps import local, processes

    monkeypatch.setattr(processes, "POLL_SECONDS", 0.0)
    with contextlib.closing(local(len, [[1]], workers=1)) as answers:
        assert next(answers) == []  # a process takes longer than that to start
        assert [found for came in answers for found in came] == [(0, 1)]


@pytest.mark.parametrize("reads", ["count", "rows", "missing"])
def test_a_driver_never_reads_rows_that_are_gone(reads, tmp_path) -> None:
    path, study = tmp_path / "study.db", grid(QUICK, 3)
    with Store(path, write=True) as store:
        run(study, store, serial, progress=False)
        path.unlink()
        with pytest.raises(StoreWriteError, match=MOVED):
            getattr(store, reads)(*([study] if reads == "missing" else []))


def harmless(path: Path) -> None:
    """Do what other programs may do to a store during a run."""
    os.utime(path)
    path.chmod(0o640)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text TEXT)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, path.with_name("copy.db"))
    with Store(path) as store:
        store.rows()


def test_other_programs_may_read_copy_and_extend_the_store(tmp_path, monkeypatch) -> None:
    path, study = tmp_path / "study.db", grid(QUICK, 10)
    monkeypatch.chdir(tmp_path)

    def happens():
        harmless(path)
        (tmp_path / "elsewhere").mkdir()
        os.chdir(tmp_path / "elsewhere")

    with Store("study.db", write=True) as store:
        assert run(study, store, after(5, happens), progress=False).finished == 10
    with Store(path) as store:
        assert store.count() == 10
    with Store(tmp_path / "copy.db", write=True) as store:
        assert run(study, store, serial, progress=False).kept == 5


# A lock file that is removed.


def remove_lock(path: Path) -> None:
    path.with_name(path.name + ".lock").unlink()


def test_a_second_driver_is_refused_although_the_lock_file_is_gone(tmp_path) -> None:
    path, study = tmp_path / "study.db", grid(QUICK, 10)

    def second():
        for _ in range(2):  # the second time with the lock file of the driver that was refused
            remove_lock(path)
            says = rf"study\.db is being written by another driver \(process {os.getpid()} on .*wait until"
            with pytest.raises(StoreError, match=says):
                Store(path, write=True)

    with Store(path, write=True) as store:
        assert run(study, store, after(5, second), progress=False).finished == 10
    with Store(path, write=True) as store:
        assert store.count() == 10


def test_a_driver_of_another_machine_that_took_over_stops_the_first(tmp_path, monkeypatch) -> None:
    path, study = tmp_path / "study.db", grid(QUICK, 10)
    seen = []

    def second():
        remove_lock(path)
        monkeypatch.setattr(databases.socket, "gethostname", lambda: "elsewhere")
        with Store(path, write=True) as store:
            seen.append(run(study, store, serial, progress=False).finished)
            says = r"another driver \(process .* on elsewhere, .*\), which has started because the lock file"
            with pytest.raises(StoreWriteError, match=says):
                first.fail(study, [0], "no")

    with Store(path, write=True) as first, pytest.raises(StoreWriteError, match="which is done"):
        run(study, first, after(5, second), progress=False)
    assert seen == [5]
    with Store(path) as store:
        assert store.count() == 10
        assert store.failures() == {}
        assert store.driver() is None


def test_a_driver_that_was_killed_is_in_nobodys_way(tmp_path, monkeypatch) -> None:
    path, study = tmp_path / "study.db", grid(QUICK, 3)
    with Store(path, write=True) as store:
        run(study, store, serial, progress=False)
        for file in tmp_path.iterdir():  # what a kill leaves, with the number of a process that is alive
            shutil.copy(file, tmp_path / file.name.replace("study", "copy"))
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as db:
        pid = db.execute("UPDATE driver SET pid = ? RETURNING pid", (os.getppid(),)).fetchone()
        inodes = [os.stat(tmp_path / name).st_ino for name in ("copy.db", "copy.db.lock")]
        db.execute("UPDATE lock SET store = ?, lock = ?", inodes)
    assert pid == (os.getppid(),)
    with Store(tmp_path / "copy.db", write=True) as store:  # since it could take the same lock file
        assert store.count() == 3


def test_the_store_of_an_earlier_version_has_no_table_of_locks(tmp_path) -> None:
    path = tmp_path / "study.db"
    with Store(path, write=True) as store:
        store._db.execute("DROP TABLE lock")
    with Store(path, write=True) as store:
        assert store.count() == 0
