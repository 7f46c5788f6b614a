"""Studies on one machine: what is finished stays, and the rest is computed once, whatever happens."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import sweep_cells
from amounts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sweep_cells import ALONE, BATCHED, PAUSE, QUICK, Cell, compute, grid, quick

from errsrc import studies
from errsrc.cli import main
from errsrc.errors import EngineError, StoreError
from errsrc.sweeps import Factor, Kind, RunSummary, Store, Study, local, processes, run, serial
from errsrc.sweeps.engines import MAX_LOST_PROCESSES
from errsrc.sweeps.runner import Progress, code_version, compute_batch

HERE = str(Path(__file__).parent)


def table(store: Store, study: Study) -> list:
    """Return the rows with learning curves, as far as they do not tell of time."""
    rows = [{k: v for k, v in r.items() if k not in ("seconds", "finished")} for r in store.rows(study)]
    curves = [{name: values.tolist() for name, values in c.items()} for c in store.curves(study)]
    return list(zip(rows, curves, strict=True))


def quietly(study: Study, path: Path, engine=serial, **options) -> tuple[RunSummary, list]:
    with Store(path, write=True) as store:
        summary = run(study, store, engine, progress=False, **options)
        return summary, table(store, study)


def check_integrity(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def check_copy(path: Path, folder: Path) -> None:
    """Check what a kill left, in a copy: the next driver is to find it as it is."""
    folder.mkdir()
    for suffix in ("", "-wal", "-journal"):
        if _size(path, suffix):
            shutil.copy(f"{path}{suffix}", folder / f"copy.db{suffix}")
    check_integrity(folder / "copy.db")


def _size(path: Path, suffix: str) -> int:
    beside = path.with_name(path.name + suffix)
    return beside.stat().st_size if beside.exists() else 0


def gone(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def started(call: str, folder: Path, number: int = 0, hold: int = sys.maxsize) -> subprocess.Popen:
    """Start a process that calls a function of sweep_cells; cells with seeds from `hold` on never finish."""
    environment = {
        "PYTHONPATH": os.pathsep.join([HERE, *sys.path]),  # the errsrc under test, wherever it is
        "ERRSRC_TEST_LOG": str(folder / "log"),
        "ERRSRC_TEST_ROUND": str(number),
        "ERRSRC_TEST_HOLD": str(hold),
    }
    environment |= {"ERRSRC_TEST_LINGER": str(folder / "lingers")}
    return subprocess.Popen(
        [sys.executable, "-c", f"import sweep_cells; sweep_cells.{call}"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def log_of(folder: Path) -> list[tuple[int, list[tuple[int, int]]]]:
    """Return the batches that were begun, each with its round."""
    path = folder / "log"
    out = []
    for line in path.read_text().splitlines() if path.exists() else ():
        number, *cells = line.split()
        out.append((int(number), [tuple(map(int, cell.split(","))) for cell in cells]))
    return out


def wait_for(happened, seconds: float = 120.0):
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end
        time.sleep(0.002)
    return found


def finished_cells(path: Path) -> set[tuple[int, int]]:
    if not path.exists() or not path.stat().st_size:
        return set()
    with Store(path) as store:
        return {(row["seed"], row["n"]) for row in store.rows()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ALONE, BATCHED], ids=lambda kind: kind.name)
def test_killed_at_random_moments_the_table_is_that_of_an_undisturbed_run(kind, tmp_path):
    seeds, sizes, workers, kills = 20, 3, 2, 6
    study, path, chance = grid(kind, seeds, sizes), tmp_path / "study.db", random.Random(0)
    call = f"drive({kind.name!r}, {str(path)!r}, {seeds}, {sizes}, {workers})"
    rows_before: list[set[tuple[int, int]]] = []
    for number in range(kills + 1):
        rows_before.append(finished_cells(path))
        driver = started(call, tmp_path, number)
        assert driver.stdout.readline() == "begins\n"
        if number < kills:
            begun = len(log_of(tmp_path)) + chance.randrange(1, 12 if kind is ALONE else 4)
            if number == kills - 1:  # once when something is there, for certain
                wait_for(lambda: finished_cells(path))
            elif number % 2:  # while it computes; or at any moment from before its file is there
                wait_for(lambda d=driver, b=begun: d.poll() is not None or len(log_of(tmp_path)) >= b)
            time.sleep(chance.uniform(0, 0.02 if number % 2 else 0.6))
            driver.kill()
        out, err = driver.communicate()
        assert number < kills or driver.returncode == 0, err
        check_copy(path, tmp_path / f"copy{number}")
    assert "60 of 60 cells are finished" in out
    assert rows_before[-1]
    with Store(path) as store:
        found = table(store, study)
    assert found == quietly(study, tmp_path / "undisturbed.db")[1]
    rows_before.append(finished_cells(path))
    begun = log_of(tmp_path)
    for number in range(kills + 1):
        of_round = [cell for n, cells in begun for cell in cells if n == number]
        assert len(set(of_round)) == len(of_round)
        assert rows_before[number].isdisjoint(of_round)  # what has a row is never computed again
        in_flight = [cells for n, cells in begun if n == number and rows_before[number + 1].isdisjoint(cells)]
        assert len(in_flight) <= workers * (1 + processes.PREFETCH_SECONDS / PAUSE)
    for row, _ in found:  # in the very batch that it was in at first
        assert {tuple(cells) for _, cells in begun if (row["seed"], row["n"]) in cells} == {
            tuple((int(seed), row["n"]) for seed in row["together"].split())
        }


@pytest.mark.full
def test_ctrl_c_and_sigterm_stop_cleanly_and_the_same_command_goes_on(tmp_path):
    spec = tmp_path / "study.toml"
    spec.write_text('kind = "alone"\nseeds = 150\n')
    path = tmp_path / "study.db"
    for number, number_of_signal in enumerate((signal.SIGINT, signal.SIGTERM)):
        command = f"command('run', {str(spec)!r}, '--workers', '2')"
        driver = started(command, tmp_path, number, hold=60 * (number + 1))
        before = len(log_of(tmp_path))
        wait_for(lambda b=before: len(log_of(tmp_path)) >= b + 20)
        workers = psutil.Process(driver.pid).children()
        if number_of_signal == signal.SIGINT:  # a terminal tells all
            os.killpg(driver.pid, number_of_signal)
        else:
            driver.send_signal(number_of_signal)
        _, err = driver.communicate(timeout=120)
        assert driver.returncode == 130
        assert "Traceback" not in err
        kept = len(finished_cells(path))
        assert f"Stopped: {kept} of 150 cells are finished" in err
        assert 0 < kept < 150
        wait_for(lambda w=workers: all(map(gone, w)))
        check_integrity(path)
    summary, _ = quietly(grid(ALONE, 150), path)
    assert str(summary).startswith(f"150 of 150 cells are finished, {150 - kept} of them now; ")
    assert repr(summary).startswith("RunSummary(150 of 150 cells are finished")
    again = Counter(cell for _, cells in log_of(tmp_path) for cell in cells)
    assert sum(again.values()) - kept <= 2 * 2 * (1 + processes.PREFETCH_SECONDS / PAUSE)


# Processes and limits.


@pytest.mark.full
def test_a_worker_killed_in_the_middle_loses_nothing_and_is_in_the_summary(tmp_path, monkeypatch):
    lingers = tmp_path / "lingers"
    monkeypatch.setenv("ERRSRC_TEST_LINGER", str(lingers))
    cells = [Cell(seed, what="linger" if seed == 5 else "fine") for seed in range(40)]
    study = Study.of(ALONE, cells)

    def kill():
        wait_for(lambda: lingers.exists() and lingers.read_text().endswith("\n"))
        os.kill(int(lingers.read_text()), signal.SIGKILL)

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill)
        summary, rows = quietly(study, tmp_path / "study.db", functools.partial(local, workers=2))
        killed.result()
    assert summary.lost == ("signal 9",)
    assert "a process was lost (signal 9), and their batches were computed again" in str(summary)
    assert (summary.finished, dict(summary.failed)) == (40, {})
    assert rows == quietly(study, tmp_path / "serial.db")[1]


@pytest.mark.slow
def test_cells_that_are_too_slow_too_large_deadly_or_wrong_cost_only_themselves(tmp_path):
    bad = ("slow", "large", "deadly", "wrong")
    study = Study.of(ALONE, [Cell(seed) for seed in range(20)] + [Cell(0, what=what) for what in bad])
    engine = functools.partial(local, workers=2, seconds=10.0, memory=2**33)
    summary, rows = quietly(study, tmp_path / "study.db", engine)
    assert [row["seed"] for row, _ in rows] == list(range(20))
    slow, large, deadly, wrong = (summary.failed[ALONE.key(cell)] for cell in study[20:])
    assert slow == "It took more than 10 s per cell, and was stopped."
    assert large.startswith("MemoryError") or "MemoryError" in large
    assert deadly == f"{MAX_LOST_PROCESSES} processes were lost while they computed it (exit code 3)."
    assert wrong == r"ArithmeticError: one thing and another \udcff"
    assert len(summary.failed) == 4
    assert "4 failed, the first of them with: " in str(summary)


@pytest.mark.slow
def test_a_batch_has_as_many_times_the_seconds_as_it_has_cells(tmp_path):
    engine = functools.partial(local, workers=1, seconds=0.5)  # far from the long cell's 3 s, on both sides
    kind = dataclasses.replace(BATCHED, max_batch=20)
    long = Cell(0, 2, "long")
    summary, rows = quietly(Study.of(kind, [long]), tmp_path / "one.db", engine)
    assert (list(summary.failed), rows) == ([kind.key(long)], [])
    twenty = Study.of(kind, [long, *(Cell(seed, 2) for seed in range(1, 20))])
    assert quietly(twenty, tmp_path / "twenty.db", engine)[0].finished == 20


@pytest.mark.full
def test_workers_end_with_a_driver_that_is_killed(tmp_path):
    driver = started(f"drive('alone', {str(tmp_path / 'study.db')!r}, 1000, 1, 2)", tmp_path, hold=100)
    wait_for(lambda: len(log_of(tmp_path)) > 5)
    workers = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    driver.communicate()
    assert len(workers) >= 2  # and one that cleans up after Python
    wait_for(lambda: all(map(gone, workers)))


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"seconds": 0}, {"memory": 1}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="of local must be"):
        next(local(len, [[1]], **wrong))


@pytest.mark.slow
def test_processes_that_end_before_they_begin_end_the_run_with_a_sentence():
    with pytest.raises(EngineError, match=r"end before they begin \(exit code 7"):
        list(local(sweep_cells.Unborn(), [[1]], workers=1))


# Two drivers; disks that take no more.


@pytest.mark.full
def test_a_second_driver_is_refused_by_whatever_name_it_calls_the_file(tmp_path, monkeypatch, capsys):
    path, spec = tmp_path / "study.db", tmp_path / "study.toml"
    spec.write_text('kind = "alone"\nseeds = 300\n')
    monkeypatch.setitem(studies.ALL, "alone", ALONE)
    driver = started(f"drive('alone', {str(path)!r}, 300, 1, 1)", tmp_path, hold=100)
    wait_for(lambda: finished_cells(path))
    says = (
        rf"study\.db is being written by another driver \(process {driver.pid} on .*, since .*\): wait until"
    )
    with pytest.raises(StoreError, match=says):
        Store(path, write=True)
    (tmp_path / "link.db").symlink_to(path)
    with pytest.raises(StoreError, match=says.replace("study", "link")):
        Store(tmp_path / "link.db", write=True)
    assert main(["run", str(spec)]) == 2
    assert "is being written by another driver" in capsys.readouterr().err
    assert main(["status", str(spec)]) == 0  # readers are in nobody's way
    assert f"driver     process {driver.pid} on" in capsys.readouterr().out
    assert driver.poll() is None
    driver.kill()
    driver.communicate()
    with Store(path, write=True) as store:  # of one that is gone nothing is left that refuses
        assert 0 < store.count() < 300
    check_integrity(path)
    with Store(path) as store:
        assert store.driver() is None


def test_within_one_process_too(tmp_path):
    with Store(tmp_path / "study.db", write=True):
        with pytest.raises(StoreError, match="another driver"):
            Store(tmp_path / "study.db", write=True)
        with Store(tmp_path / "study.db") as reader, pytest.raises(ValueError, match="not open for writing"):
            reader.fail(grid(ALONE, 1), [0], "no")
    with Store(tmp_path / "study.db", write=True):
        pass


@pytest.mark.full
@pytest.mark.parametrize("limit", [0, 20_000, 100_000])
def test_a_file_that_cannot_grow_keeps_what_is_in_it(limit, tmp_path):
    path, study = tmp_path / "study.db", grid(ALONE, 400)
    call = f"PAUSE = 0; sweep_cells.drive_into_limit({str(path)!r}, {len(study)}, {limit})"
    driver = started(call, tmp_path)
    _, err = driver.communicate()
    assert driver.returncode == 1
    last = err.strip().splitlines()[-1]
    assert last.startswith(f"errsrc.errors.Store{'Write' if limit > 50_000 else ''}Error: ")
    assert (
        "could not be opened" in last if limit < 50_000 else "Rows that were written before are safe." in last
    )
    kept = finished_cells(path)
    assert kept == {(seed, 1) for seed in range(len(kept))}
    assert (len(kept) > 3) == (limit > 50_000)
    if path.stat().st_size:
        check_integrity(path)
    monkeypatched = Study(dataclasses.replace(ALONE, compute=quick), study.base, study.factors)
    summary, rows = quietly(monkeypatched, path)
    assert (summary.kept, summary.finished, len(rows)) == (len(kept), 400 - len(kept), 400)


@pytest.mark.full
def test_a_full_disk_rolls_back_one_batch_and_the_store_goes_on_when_there_is_room(tmp_path):
    study = grid(QUICK, 300)
    with Store(tmp_path / "study.db", write=True) as store:
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 5}")
        said = r"written: database or disk is full\.  Rows that were written before are safe"
        with pytest.raises(StoreError, match=said):
            run(study, store, serial, progress=False)
        kept = store.count()
        assert 0 < kept < len(study)
        store._db.execute("PRAGMA max_page_count = 1000000")
        assert run(study, store, serial, progress=False).finished == len(study) - kept
    check_integrity(tmp_path / "study.db")


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only; to root, which may write everywhere, as to nobody."""
    mode, root = folder.stat().st_mode, os.geteuid() == 0
    folder.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)


def test_a_read_only_folder_is_refused_and_can_be_read():
    folder = Path(tempfile.mkdtemp())  # pytest's own is closed to others
    study, path = grid(QUICK, 10), folder / "study.db"
    try:
        with (
            read_only(folder),
            pytest.raises(StoreError, match=r"study\.db could not be opened: Permission denied"),
        ):
            Store(path, write=True)
        assert list(folder.iterdir()) == []
        _, rows = quietly(study, path)
        for file in folder.iterdir():
            file.chmod(0o444)
        before = {file: file.read_bytes() for file in folder.iterdir()}
        with read_only(folder):
            with pytest.raises(StoreError, match=r"study\.db could not be opened: "):
                Store(path, write=True)
            with Store(path) as store:
                assert table(store, study) == rows
        assert {file: file.read_bytes() for file in folder.iterdir()} == before
    finally:
        shutil.rmtree(folder)


# What runs again, and what is refused.


@pytest.mark.full
def test_failed_cells_are_tried_again_on_request_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sweep_cells, "PAUSE", 0)
    monkeypatch.setitem(studies.ALL, "alone", ALONE)
    cells = [Cell(seed, what="wrong" if seed % 2 else "fine") for seed in range(6)]
    path, study = tmp_path / "study.db", Study.of(ALONE, cells)
    assert len(quietly(study, path)[0].failed) == 3
    log = tmp_path / "log"
    monkeypatch.setenv("ERRSRC_TEST_LOG", str(log))
    monkeypatch.setenv("ERRSRC_TEST_ROUND", "0")
    summary, _ = quietly(study, path)
    assert (summary.kept, summary.finished, len(summary.failed)) == (3, 0, 3)
    assert not log.exists()
    summary, _ = quietly(study, path, retry=True)
    assert [cells for _, cells in log_of(tmp_path)] == [[(1, 1)], [(3, 1)], [(5, 1)]]
    assert len(summary.failed) == 3
    with Store(path) as store:
        ((_, details), *_) = store._db.execute("SELECT error, details FROM failures").fetchall()
        assert "Traceback" in details
    fixed = Study.of(dataclasses.replace(ALONE, compute=quick), cells)
    summary, rows = quietly(fixed, path, retry=True)
    assert (summary.kept, summary.finished, len(summary.failed), len(rows)) == (3, 3, 0, 6)
    with Store(path) as store:
        assert store.failures() == {}
    spec = tmp_path / "spec.toml"
    spec.write_text('kind = "alone"\nseeds = 2\nfactors.what = ["fine", "wrong"]\n')
    assert main(["run", str(spec), "--workers", "1"]) == 1
    assert "2 cells failed; with --retry they are tried again" in capsys.readouterr().err
    assert main(["status", str(spec)]) == 0
    assert "missing    2, 2 of them failed" in capsys.readouterr().out


def kind_with(**defaults) -> Kind:
    """Return a kind whose cells have these fields, with these defaults, beside n and seed."""
    fields = [("n", int), ("seed", int, 0), *((name, type(v), v) for name, v in defaults.items())]
    return Kind("test", dataclasses.make_dataclass("Cell", fields, frozen=True), quick)


def test_a_changed_default_is_refused_and_never_mixed(tmp_path):
    path = tmp_path / "study.db"

    def runs(kind, **fixed):
        study = Study(kind, kind.cell(n=1, **fixed), (Factor.of("n", (1, 2)),))
        return quietly(study, path)[0]

    assert runs(kind_with(rate=0.1)).finished == 2
    with pytest.raises(
        ValueError, match=r"rate = 0\.1, the default then, and its default is now 0\.2: set rate in the study"
    ):
        runs(kind_with(rate=0.2))
    with pytest.raises(ValueError, match=r"rate = 0\.1, the default then, and there is no such field now"):
        runs(kind_with())
    assert runs(kind_with(rate=0.1, batch=32)).kept == 2  # a new field: what was before is its default
    assert runs(kind_with(rate=0.2), rate=0.1).finished == 2  # as the sentence says
    assert runs(kind_with(rate=0.2), rate=0.3).finished == 2  # other cells are no matter
    assert runs(dataclasses.replace(kind_with(rate=0.2), version=2)).finished == 2
    with Store(path) as store:
        assert store.count() == 8
        assert [row["rate"] for row in store.rows()] == [0.1, 0.1, 0.1, 0.1, 0.3, 0.3, 0.2, 0.2]


def stop_after(batches: int):
    """Return an engine that is interrupted after so many batches."""

    def engine(function, cells):
        for place, answers in enumerate(serial(function, cells)):
            if place == batches:
                raise KeyboardInterrupt
            yield answers

    return engine


def test_batches_stay_as_they_were_settled_and_extension_forms_new_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_cells, "PAUSE", 0)
    path = tmp_path / "study.db"
    with Store(path, write=True) as store:
        with pytest.raises(KeyboardInterrupt):
            run(grid(BATCHED, 6), store, stop_after(1), progress=False)
        assert [row["together"] for row in store.rows()] == ["0 1 2 3"] * 4
    larger = grid(BATCHED, 9, 2)
    summary, rows = quietly(larger, path)
    assert (summary.kept, summary.finished) == (4, 14)
    found = {(row["seed"], row["n"]): row["together"] for row, _ in rows}
    assert {together for (_, n), together in found.items() if n == 1} == {"0 1 2 3", "4 5", "6 7 8"}
    assert {together for (_, n), together in found.items() if n == 2} == {"0 1 2 3", "4 5 6 7", "8"}
    with Store(path) as store:
        assert store._db.execute("SELECT count(*) FROM batches").fetchone() == (0,)


def test_a_batch_is_committed_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_cells, "PAUSE", 0)
    study = grid(BATCHED, 4)
    with Store(tmp_path / "study.db", write=True) as store:
        outcomes = compute_batch(compute, (), code_version(), study[:])
        with pytest.raises(KeyError):
            store.finish(study, zip(range(4), [*outcomes[:3], {}], strict=True))
        assert store.count() == 0
        wrong = Study.of(BATCHED, [Cell(10, 2), Cell(11, 2, "wrong")])
        assert len(run(wrong, store, serial, progress=False).failed) == 2
        assert store.rows(wrong) == []


@pytest.mark.full
def test_order_workers_and_engines_change_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_cells, "PAUSE", 0.001)
    study = grid(ALONE, 8, 3)
    _, expected = quietly(study, tmp_path / "serial.db")
    turned = Study(ALONE, Cell(), study.factors[::-1])
    for name, engine in (("two", functools.partial(local, workers=2)), ("backwards", backwards)):
        quietly(turned, tmp_path / f"{name}.db", engine)
        with Store(tmp_path / f"{name}.db") as store:
            assert table(store, study) == expected


def backwards(function, batches):
    for place in reversed(range(len(batches))):
        yield [(place, function(batches[place]))]


def test_a_worker_with_other_code_computes_nothing(tmp_path):
    def engine(function, batches):
        other = functools.partial(compute_batch, quick, (), "another version")
        yield from serial(other, batches)

    with Store(tmp_path / "study.db", write=True) as store:
        with pytest.raises(EngineError, match=r"and the driver errsrc .*: install the same on both"):
            run(grid(QUICK, 3), store, engine, progress=False)
        assert store.count() == 0


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ({"n": 1}, "name of a field of its cell, 'n'"),
        ({"n.low": 1}, "name of a field of its cell, 'n.low'"),
        ({"finished": 1}, "named 'finished', which is a column of the sweep's own"),
        ({"a b": 1}, "named 'a b'"),
        ({"a": None}, "must be a number, a string or a boolean"),
        ({"curve": {"a": [[1]]}}, "one-dimensional"),
        ({"curve": {"a": ["x"]}}, "one-dimensional"),
    ],
)
def test_an_outcome_that_cannot_be_kept_is_a_failure_that_says_so(outcome, says):
    assert says in compute_batch(lambda cells: [outcome], (), code_version(), [Cell()]).error
    assert (
        "0 outcomes came for 1 cells" in compute_batch(lambda cells: [], (), code_version(), [Cell()]).error
    )


@pytest.mark.parametrize("name", ["finished", "seconds", "key", "curve"])
def test_a_field_with_the_name_of_a_column_of_the_sweeps_own_is_refused(name):
    with pytest.raises(ValueError, match=f"without fields named .* Got '?<?{name}|<'{name}'>"):
        kind_with(**{name: 1})


# The file.


def everything(cells):
    return [
        {"number": 0.1 * cell.seed, "inf": -np.inf, "nan": np.nan, "whole": np.int64(cell.seed), "yes": True,
         "text": f'"{cell.seed}\udcff', "a.b": 2**70, **({"extra": 1.5} if cell.seed else {}),
         "curve": {"steps": [1, 2], "loss": np.array([np.nan, np.inf])}, "seconds": 7, "device": "here"}
        for cell in cells
    ]  # fmt: skip


def test_rows_columns_curves_csv_and_sql_say_the_same(tmp_path, monkeypatch, capsys):
    kind = Kind("everything", Cell, everything, packages=("numpy", "scipy"))
    monkeypatch.setitem(studies.ALL, "everything", kind)
    spec = tmp_path / "study.toml"
    spec.write_text('kind = "everything"\nseeds = 3\ncell.n = 5\n')
    study, path = studies.load(spec), tmp_path / "study.db"
    quietly(study, path)
    with Store(path) as store:
        rows, columns, curves = store.rows(study), store.columns(study), store.curves(study)
        assert store.rows() == rows or repr(store.rows()) == repr(rows)
        ((count, versions),) = store.versions()
        view = store._db.execute(
            'SELECT seed, n, what, number, inf, whole, yes, "text", extra, seconds FROM runs'
        )
        assert view.fetchall() == [
            (i, 5, "fine", 0.1 * i, -np.inf, i, 1, f'"{i}\\udcff', 1.5 if i else None, 7.0) for i in range(3)
        ]
        ((key, config),) = store._db.execute("SELECT key, config FROM cells WHERE seed = 2").fetchall()
        assert json.loads(config) == {"n": 5, "seed": 2}
        lines = "n = 5\nseed = 2\n"
        assert key == hashlib.sha256(f"everything 1\n{lines}".encode()).hexdigest()[:32]
        assert study.cell_keys()[2] == kind.key(study[2]) == key
    assert (count, sorted(versions)) == (3, ["errsrc", "numpy", "python", "scipy"])
    assert rows[1]["whole"] == 1
    assert np.isnan(rows[0]["nan"])
    assert {name: values.dtype.kind for name, values in columns.items()} == {
        "seed": "i", "n": "i", "what": "O", "number": "f", "inf": "f", "nan": "f", "whole": "i", "yes": "b",
        "text": "O", "a.b": "O", "extra": "f", "seconds": "f", "device": "O", "finished": "O",
    }  # fmt: skip
    np.testing.assert_array_equal(columns["extra"], [np.nan, 1.5, 1.5])
    np.testing.assert_array_equal(curves[0]["loss"], [np.nan, np.inf])
    assert main(["export", str(spec), "--csv"]) == 0
    text = capsys.readouterr().out
    header, *lines = text.splitlines()
    assert header.split(",") == [*columns] or set(header.split(",")) == {*columns}
    assert len(lines) == 3
    assert main(["export", str(path), "--csv", str(tmp_path / "all.csv")]) == 0
    assert (tmp_path / "all.csv").read_text() == text
    assert main(["export", str(spec), "--curves"]) == 0
    table = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    points = [(int(row["seed"]), float(row["curve.loss"])) for row in table]
    np.testing.assert_array_equal(points, [(seed, x) for seed in range(3) for x in curves[seed]["loss"]])
    assert set(table[0]) == {*columns, *(f"curve.{name}" for name in curves[0])}


def test_curves_of_cells_that_have_none_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(studies.ALL, "quick", QUICK)
    spec = tmp_path / "study.toml"
    spec.write_text('kind = "quick"\nseeds = 3\n')
    quietly(studies.load(spec), tmp_path / "study.db")
    assert main(["export", str(spec)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["export", str(spec), "--curves"]) == 2
    assert "have no curves" in capsys.readouterr().err


def test_a_table_is_never_written_over_the_study_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(studies.ALL, "quick", QUICK)
    spec, path = tmp_path / "study.toml", tmp_path / "study.db"
    spec.write_text('kind = "quick"\nseeds = 3\n')
    quietly(studies.load(spec), path)
    (tmp_path / "link.csv").symlink_to(path)
    os.link(spec, tmp_path / "hard.csv")
    monkeypatch.chdir(tmp_path)
    before = spec.read_bytes(), path.read_bytes()
    targets = ["study.db", "study.toml", "link.csv", "hard.csv", "./study.db-wal", "study.db.lock"]
    for target in (*targets, str(path)):
        assert main(["export", "study.toml", "--csv", target]) == 2
        says = f"errsrc: {target} belongs to the study itself: write to another file.\n"
        assert capsys.readouterr().err == says
    assert main(["export", "study.db", "--csv", "study.db"]) == 2
    assert (spec.read_bytes(), path.read_bytes()) == before


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path, capsys):
    path = tmp_path / "study.db"
    with pytest.raises(StoreError, match="no cell of this study has been computed"):
        Store(path)
    path.touch()  # of a driver that was killed at once
    with pytest.raises(StoreError, match="no cell of this study has been computed"):
        Store(path)
    path.write_text("n,error\n" * 100)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE a (b)")
    newer = tmp_path / "newer.db"
    quietly(grid(QUICK, 1), newer)
    with contextlib.closing(sqlite3.connect(newer)) as db:
        db.execute("PRAGMA user_version = 9")
    for file, says in (
        (path, "is not the file of a study: file is not a database"),
        (tmp_path / "other.db", "is not the file of a study, but another database"),
        (newer, "was written in format 9"),
    ):
        before = file.read_bytes()
        for write in (False, True):
            with pytest.raises(ValueError, match=says):
                Store(file, write=write)
        assert file.read_bytes() == before
        assert main(["status", str(file)]) == 2
        assert says in capsys.readouterr().err


def test_cells_without_their_defaults_are_not_dropped_in_silence(tmp_path, capsys):
    path = tmp_path / "study.db"
    quietly(grid(ALONE, 2, 1), path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DELETE FROM resolved")
    db.close()
    for options in ([], ["--curves"]):
        assert main(["export", str(path), *options]) == 2
        assert "study.db is damaged" in capsys.readouterr().err


@pytest.mark.full
def test_a_damaged_file_is_refused_with_one_sentence_or_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(studies.ALL, "quick", QUICK)
    spec, path = tmp_path / "study.toml", tmp_path / "study.db"
    spec.write_text('kind = "quick"\nseeds = 300\n')
    study = Study(QUICK, Cell(), (Factor.of("seed", range(300)),))
    quietly(study, path, functools.partial(local, workers=1))
    whole, draw, refused = path.read_bytes(), random.Random(0), 0
    for number in range(examples(60)):
        content = bytearray(whole)
        if number % 3 == 0:
            del content[draw.randrange(200, len(content)) :]
        elif number % 3 == 1:
            start = draw.randrange(100, len(content) - 5000)
            content[start : start + 5000] = draw.randbytes(5000)
        else:
            for _ in range(draw.choice((3, 100, 2000))):
                content[draw.randrange(100, len(content))] = draw.randrange(256)
        path.write_bytes(content)
        for arguments in (["status", str(spec)], ["export", str(spec), "--csv"]):
            answer, said = main(arguments), capsys.readouterr().err
            assert answer == 0 or DAMAGED.search(said), said
        try:
            quietly(study, path)
        except (StoreError, ValueError) as error:
            assert DAMAGED.search(str(error)), error  # noqa: PT017
            refused += 1
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    assert refused > number / 3


DAMAGED = re.compile(r"study\.db (is damaged|is not the file of a study|could not be (opened|read|written))")


class Files(RuleBasedStateMachine):
    """A store beside what must be in it: adding cells, finishing, failing, kills, reopening, extension."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.files = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        shutil.rmtree(self.folder)

    @initialize(kind=st.sampled_from([ALONE, BATCHED]), seeds=st.integers(1, 5), sizes=st.integers(1, 3))
    def open(self, kind, seeds, sizes):
        self.store = Store(self.folder / "0.db", write=True)
        self.study = grid(kind, seeds, sizes)
        self.done: dict[str, float] = {}
        self.failed: dict[str, str] = {}
        self.settled: list[list[str]] = []
        self.pending: list[list[int]] = []

    @property
    def keys(self) -> list[str]:
        return self.study.cell_keys()

    @rule(seeds=st.integers(0, 3), sizes=st.integers(0, 1))
    def extend(self, seeds, sizes):
        of_seed, of_size = self.study.factors
        self.study = grid(self.study.kind, len(of_seed.values) + seeds, len(of_size.values) + sizes)
        self.pending = []

    @rule(retry=st.booleans())
    def settle(self, retry):
        places = [p for p in self.store.missing(self.study) if retry or self.keys[p] not in self.failed]
        self.pending = self.store.batches(self.study, places)
        batches = [[self.keys[p] for p in batch] for batch in self.pending]
        assert sorted(p for batch in self.pending for p in batch) == places
        if self.study.kind is BATCHED:
            asked = {self.keys[p] for p in places}
            kept = [batch for batch in self.settled if asked.issuperset(batch)]
            assert batches[: len(kept)] == kept
            assert all(len(batch) <= 4 for batch in batches)
            assert all(len({self.study[p].n for p in batch}) == 1 for batch in self.pending)
            stays = [b for b in self.settled if asked.isdisjoint(b) or b in kept]
            self.settled = stays + batches[len(kept) :]

    def outcome(self, place: int, value: float) -> tuple:
        (row,) = compute_batch(
            lambda cells: [{"value": value, "curve": {"x": [value]}}], (), code_version(), [self.study[place]]
        )
        return place, row

    def finish_in_store(self, batch, values):
        self.store.finish(self.study, [self.outcome(p, v) for p, v in zip(batch, values, strict=False)])

    VALUES = st.lists(st.floats(allow_nan=False), min_size=4, max_size=4)

    @precondition(lambda self: self.pending)
    @rule(data=st.data(), values=VALUES)
    def finish(self, data, values):
        batch = self.pending.pop(data.draw(st.integers(0, len(self.pending) - 1)))
        self.finish_in_store(batch, values)
        for place, value in zip(batch, values, strict=False):
            self.done[self.keys[place]] = value
            self.failed.pop(self.keys[place], None)
        self.settled = [b for b in self.settled if b != [self.keys[p] for p in batch]]

    @precondition(lambda self: self.pending)
    @rule(data=st.data(), error=st.text(st.characters(codec="utf-8"), max_size=5))
    def fail(self, data, error):
        batch = self.pending.pop(data.draw(st.integers(0, len(self.pending) - 1)))
        self.store.fail(self.study, batch, error)
        self.failed.update((self.keys[p], error) for p in batch)

    @precondition(lambda self: self.pending)
    @rule(values=VALUES)
    def interrupt(self, values):
        with pytest.raises(KeyboardInterrupt), self.store.transaction():  # noqa: PT012
            self.finish_in_store(self.pending[0], values)
            raise KeyboardInterrupt

    @rule()
    def reopen(self):
        self.store.close()
        self.store = Store(self.folder / f"{self.files}.db", write=True)

    @rule(values=VALUES, torn=st.booleans(), spill=st.booleans())
    def kill(self, values, torn, spill):
        """Go on from what the disk holds in the middle of a transaction, its last frame perhaps in part."""
        old, new = self.folder / f"{self.files}.db", self.folder / f"{self.files + 1}.db"
        self.files += 1
        if spill:  # what is not committed goes to the log too
            self.store._db.execute("PRAGMA cache_size = 1")
        with contextlib.suppress(InterruptedError), self.store.transaction():
            before = _size(old, "-wal")
            if self.pending:
                self.finish_in_store(self.pending[0], values)
            shutil.copy(old, new)
            for suffix in ("-wal", "-journal"):
                if _size(old, suffix):
                    shutil.copy(f"{old}{suffix}", f"{new}{suffix}")
            if torn and _size(new, "-wal") > before:
                os.truncate(f"{new}-wal", (before + _size(new, "-wal")) // 2)
            raise InterruptedError
        self.store.close()
        self.store = Store(new, write=True)

    @invariant()
    def is_what_must_be_there(self):
        if not hasattr(self, "store"):
            return
        with Store(self.store.path) as reader:
            for store in (self.store, reader):
                rows = store.rows()
                found = {self.study.kind.key(Cell(r["seed"], r["n"], r["what"])): r["value"] for r in rows}
                assert found == self.done
                assert len(rows) == len(self.done) == store.count()
                assert store.failures() == self.failed
                assert store.missing(self.study) == [i for i, k in enumerate(self.keys) if k not in self.done]
                assert [curve["x"].tolist() for curve in store.curves()] == [[r["value"]] for r in rows]
            assert [dict(row) for row in store.rows(self.study)] == [
                row
                for key in self.keys
                for row in rows
                if key == self.study.kind.key(Cell(row["seed"], row["n"]))
            ]
        assert self.store._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


TestFiles = pytest.mark.full(Files.TestCase)
TestFiles.settings = settings(
    max_examples=examples(25), stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


# Studies.


@pytest.mark.full
@given(
    st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4, unique=True),
    st.lists(
        st.tuples(st.integers(-2, 2), st.sampled_from(["fine", "{0}", "}\n", "é"])), min_size=1, unique=True
    ),
)
@settings(max_examples=examples(60), deadline=None)
def test_keys_by_the_million_are_those_of_the_cells(seeds, pairs):
    study = Study(ALONE, Cell(), (Factor(("n", "what"), tuple(pairs)), Factor.of("seed", seeds)))
    assert study.cell_keys() == [ALONE.key(cell) for cell in study]
    assert list(study) == [study[i] for i in range(len(study))] == study[:]
    assert len(set(study.cell_keys())) == len(study)
    assert Study.of(ALONE, study[:]).cell_keys() == study.cell_keys()


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ([("n", (1, 1))], "1 twice"),
        ([("n", (1,)), ("n", (2,))], "'n' twice"),
        ([("m", (1,))], "a field of Cell"),
        ([("seed", (-1,))], "'seed' parameter of Cell must be an integer >= 0"),
        ([("seed", (2**63,))], "'seed' parameter"),
        ([("n", ())], "one value or more"),
    ],
)
def test_a_study_that_is_none_is_refused(factors, says):
    with pytest.raises((TypeError, ValueError), match=says):
        Study(ALONE, Cell(), tuple(Factor.of(*factor) for factor in factors))


def test_progress_has_rate_time_left_and_failures():
    file = io.StringIO()
    progress = Progress(100, 20, 80.0, file)
    progress.count(10, 40.0, False)
    progress.count(10, 20.0, True)  # failed at once: the other cells are no faster for this
    assert progress.line(2.0) == "30 of 100 cells, 10 failed, 10 per second, about 1 s left"
    progress.known_costs = False
    assert progress.line(2.0).endswith(", about 1 s left if all cells take equally long")
    progress.end()
    assert file.getvalue().startswith("30 of 100 cells, 10 failed, ")
    assert Progress(10, 0, 10.0, None).line(1.0) == "0 of 10 cells, 0 per minute"


def test_without_a_terminal_progress_is_a_line_for_the_first_batch_and_then_every_30_s(monkeypatch):
    now, file = [0.0], io.StringIO()
    monkeypatch.setattr("errsrc.sweeps.runner.time.monotonic", lambda: now[0])
    progress = Progress(100, 0, 100.0, file)
    for now[0] in (0.5, 2.0, 20.0, 31.9, 32.0):
        progress.count(10, 10.0, False)
        progress.show()
    progress.end()
    assert [line.partition(",")[0] for line in file.getvalue().splitlines()] == [
        "20 of 100 cells",
        "50 of 100 cells",
    ]
