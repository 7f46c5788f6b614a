"""The dask engine with real schedulers and workers, all on the loopback address."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import distributed
import numpy as np
import psutil
import pytest
import yaml
from dask import config

from errsrc import cli
from errsrc.errors import EngineError
from errsrc.sweeps import Factor, Kind, Store, Study, cluster, dask, local, run
from errsrc.sweeps.engines import MAX_LOST_PROCESSES

LOOPBACK = "127.0.0.1"
HERE = str(Path(__file__).parent)
ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide" / "cluster.md").read_text()


@dataclass(frozen=True)
class Cell:
    seed: int
    what: str = "fine"


def compute(cells):
    """Small results, with what can go wrong on a worker."""
    (cell,) = cells
    time.sleep(0.02)
    if cell.what == "slow":
        time.sleep(600)
    if cell.what == "large":
        np.empty(2**31)
    if cell.what == "deadly":
        os._exit(1)
    _linger_once(cell.seed == 3)
    x = np.random.default_rng(cell.seed).standard_normal(3)
    return [{"value": float(x.sum()), "curve": {"x": x}}]


def where(cells):
    return [{"pid": os.getpid()} for _ in cells]


def trained(cells):
    from errsrc.tasks import vision

    found = vision.vision_outcomes(cells)
    _linger_once(cells[0].seed == 1)
    return found


def _linger_once(here):
    """Where the environment names a file that is not there, make it, say who this is, and wait for death."""
    with contextlib.suppress(KeyError, FileExistsError):
        if here:
            with open(os.environ["ERRSRC_TEST_LINGER"], "x") as file:
                print(os.getpid(), file=file, flush=True)
            time.sleep(60)


KIND = Kind("test", Cell, compute)


class Machines:
    """Processes of Dask, started as a user starts them."""

    def __init__(self, folder: Path) -> None:
        self.processes: list[subprocess.Popen] = []
        self.folder = folder
        file = folder / "scheduler.json"
        options = ["--host", LOOPBACK, "--port", "0", "--scheduler-file", str(file)]
        self.scheduler = self._start("scheduler", *options, "--dashboard-address", f"{LOOPBACK}:0")
        self.address = ""
        while not self.address:
            assert self.scheduler.poll() is None
            time.sleep(0.05)
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):  # it may be half written
                self.address = json.loads(file.read_text())["address"]
        assert LOOPBACK in self.address

    def worker(self, *options: str, **environment: str) -> subprocess.Popen:
        fixed = ["--host", LOOPBACK, "--nthreads", "1", "--dashboard-address", f"{LOOPBACK}:0"]
        fixed += ["--local-directory", str(self.folder)]
        return self._start("worker", self.address, *fixed, *options, **environment)

    def _start(self, *command: str, kinds: str = HERE, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(  # the kinds of these tests are functions of this module: workers need it
            [sys.executable, "-P", "-m", "dask", *command],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([kinds, str(ROOT)]), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self.processes):
            for child in _children(process.pid):  # of a nanny
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
            process.wait()


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    yield made
    made.stop()


def _study(seeds: int, *what: str) -> Study:
    cells = [Cell(seed) for seed in range(seeds)] + [Cell(100 + i, w) for i, w in enumerate(what)]
    return Study.of(KIND, cells)


def _rows(study: Study, path: Path, engine):
    """Return the summary, and rows with learning curves as far as they do not tell of time."""
    with Store(path, write=True) as store:
        summary = run(study, store, engine, progress=False)
        rows = [{k: v for k, v in r.items() if k not in ("seconds", "finished")} for r in store.rows(study)]
        curves = [{k: v.tolist() for k, v in c.items()} for c in store.curves(study)]
        assert len(store.versions()) <= 1
    return summary, list(zip(rows, curves, strict=True))


def _kill_who_lingers(file: Path, machines: Machines, killed: list[int]) -> None:
    """SIGKILL the worker that waits for it, unless that has been done."""
    if not killed and file.exists() and file.read_text().endswith("\n"):
        pid = int(file.read_text())
        assert pid in [process.pid for process in machines.processes]
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)


@pytest.mark.full
@pytest.mark.parametrize("what", ["small", pytest.param("trained", marks=pytest.mark.slow)])
def test_a_worker_killed_in_the_middle_changes_no_bit_and_loses_no_row(machines, tmp_path, what):
    if what == "small":
        study = _study(30)
    else:
        from errsrc.tasks import vision
        from errsrc.training import Recipe

        kind = Kind(
            "vision", vision.VisionCell, trained, group=vision.VisionCell.batch, packages=("numpy", "torch")
        )
        base = vision.VisionCell("digits", "mlp", 8, 45, 0, 397, 100, Recipe(learning_rate=0.006))
        study = Study(kind, base, (Factor.of("n", (45, 90)), Factor.of("seed", range(3))))
    file, killed = tmp_path / "lingers", []
    first = machines.worker("--no-nanny", ERRSRC_TEST_LINGER=str(file))
    second = machines.worker("--no-nanny", ERRSRC_TEST_LINGER=str(file))

    def engine(function, batches):
        for came in dask(function, batches, scheduler=machines.address):
            _kill_who_lingers(file, machines, killed)
            yield came

    summary, rows = _rows(study, tmp_path / "dask.db", engine)
    _, expected = _rows(study, tmp_path / "local.db", functools.partial(local, workers=1))
    assert rows == expected
    assert summary.finished == len(study) == len(rows)
    assert summary.lost == ("its worker was lost",)
    assert not summary.failed
    gone = {process.pid for process in (first, second) if process.poll() == -signal.SIGKILL}
    assert gone == set(killed) != set()


@pytest.mark.full
def test_the_cluster_it_starts_is_on_loopback_and_gone_afterwards(tmp_path):
    study = _study(12)
    us = psutil.Process()
    before = {*us.children(recursive=True)}
    open_before = {c.laddr for c in us.net_connections() if c.status == psutil.CONN_LISTEN}
    heard: dict[psutil.Process, set] = {}

    def engine(function, batches):
        for came in dask(function, batches, workers=2):
            for process in [us, *({*us.children(recursive=True)} - before)]:
                found = {c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN}
                heard.setdefault(process, set()).update(found - open_before)
            yield came

    _, rows = _rows(study, tmp_path / "dask.db", engine)
    _, expected = _rows(study, tmp_path / "local.db", functools.partial(local, workers=1))
    assert rows == expected
    assert sum(bool(addresses) for addresses in heard.values()) == 3  # the scheduler's and two workers
    assert {address.ip for addresses in heard.values() for address in addresses} == {LOOPBACK}
    left = [p for p, addresses in heard.items() if addresses and p != us and p.is_running()]
    assert not left


@pytest.mark.slow
def test_cells_that_are_too_slow_too_large_or_deadly_cost_only_themselves(tmp_path):
    study = _study(20, "slow", "large", "deadly")
    engine = functools.partial(dask, workers=2, seconds=10.0, memory=2**33)
    summary, rows = _rows(study, tmp_path / "dask.db", engine)
    assert [row["seed"] for row, _ in rows] == list(range(20))
    slow, large, deadly = (summary.failed[KIND.key(cell)] for cell in list(study)[20:])
    assert slow == "It took more than 10 s per cell, and was stopped."
    assert "MemoryError" in large
    assert deadly == f"{MAX_LOST_PROCESSES} workers were lost while they computed it."
    assert len(summary.failed) == 3


@pytest.mark.full
def test_only_workers_that_offer_what_a_batch_takes_get_one(machines, tmp_path):
    machines.worker("--no-nanny")
    gpu = machines.worker("--no-nanny", "--resources", "GPU=1")
    study = Study.of(Kind("where", Cell, where), [Cell(seed) for seed in range(10)])
    with distributed.Client(machines.address) as client:
        client.wait_for_workers(2)
    engine = functools.partial(dask, scheduler=machines.address, resources={"GPU": 0.5})
    _, rows = _rows(study, tmp_path / "dask.db", engine)
    assert {row["pid"] for row, _ in rows} == {gpu.pid}
    assert len(rows) == 10


@pytest.mark.slow
def test_it_waits_for_workers_and_has_few_batches_at_a_time_with_the_scheduler(machines, caplog):
    batches = [[i] for i in range(40)]
    answers = dask(len, batches, scheduler=machines.address)
    assert next(answers) == []
    assert "Waiting for Dask workers" in caplog.text
    machines.worker("--no-nanny")
    places, most = [], 0
    with distributed.Client(machines.address) as client:
        for came in answers:
            assert all(answer == 1 for _, answer in came)
            places += [place for place, _ in came]
            most = max(most, _keys(client))
        assert sorted(places) == list(range(40))
        assert most <= 2  # one computed, one let go of
        _until(lambda: _keys(client) == 0)


@pytest.mark.slow
def test_what_is_queued_is_cancelled_when_the_driver_is_interrupted(machines, tmp_path):
    machines.worker("--no-nanny")

    def engine(function, batches):
        for came in dask(function, batches, scheduler=machines.address):
            yield came
            if came:
                raise KeyboardInterrupt

    study = _study(30)
    with Store(tmp_path / "study.db", write=True) as store:
        with pytest.raises(KeyboardInterrupt):
            run(study, store, engine, progress=False)
        assert 0 < store.count() < 30
    with distributed.Client(machines.address) as client:
        _until(lambda: _keys(client) == 0)
    _, rows = _rows(study, tmp_path / "study.db", functools.partial(dask, scheduler=machines.address))
    assert len(rows) == 30


def _keys(client: distributed.Client) -> int:
    return client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))


def _until(true) -> None:
    """Wait; whoever runs the tests gives up on what never comes true."""
    while not true():
        time.sleep(0.05)


@pytest.mark.full
def test_a_worker_with_other_code_stops_the_run_and_computes_nothing(machines, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(Path(cluster.__file__).parents[1], other / "errsrc")
    (other / "errsrc" / "other.py").write_text("")
    machines.worker("--no-nanny", kinds=os.pathsep.join([str(other), HERE]))
    with Store(tmp_path / "study.db", write=True) as store:
        with pytest.raises(EngineError, match=r"worker has errsrc .*, and the driver errsrc"):
            run(_study(3), store, functools.partial(dask, scheduler=machines.address), progress=False)
        assert store.count() == 0
        assert not store.failures()


@pytest.mark.full
@pytest.mark.parametrize("missing", ["errsrc", __name__])
def test_workers_that_cannot_import_what_they_need_stop_the_run(machines, tmp_path, missing):
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('No module named {missing}')")
    machines.worker("--no-nanny", kinds=str(tmp_path))
    with (
        Store(tmp_path / "study.db", write=True) as store,
        pytest.raises(EngineError, match=f"workers cannot compute this: ModuleNotFoundError: .*{missing}"),
    ):
        run(_study(3), store, functools.partial(dask, scheduler=machines.address), progress=False)


@pytest.mark.full
def test_a_scheduler_that_is_lost_ends_the_run_with_a_sentence(machines, tmp_path):
    machines.worker("--no-nanny")

    def engine(function, batches):
        for came in dask(function, batches, scheduler=machines.address):
            if came:
                machines.scheduler.kill()
            yield came

    with Store(tmp_path / "study.db", write=True) as store:
        with pytest.raises(EngineError, match=r"The Dask scheduler at tcp://.* is lost\."):
            run(_study(100), store, engine, progress=False)
        assert 0 < store.count() < 100


@pytest.mark.full
@pytest.mark.parametrize("address", ["hello", "nonsense://x", f"tcp://{LOOPBACK}:1", ""])
def test_an_address_where_no_scheduler_answers_is_refused(address, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ValueError, match="must be the address of a Dask scheduler that answers"):
        next(dask(len, [[1]], scheduler=address))


def test_without_dask_or_slurm_the_refusal_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="the command 'sbatch' was not found"):
        next(dask(len, [[1]], scheduler="slurm"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"errsrc\[cluster\]"):
        next(dask(len, [[1]]))


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"seconds": 0}, {"memory": 1}, {"resources": {"GPU": 0}}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="of dask must be"):
        next(dask(len, [[1]], **wrong))


@pytest.mark.parametrize("command", ["errsrc run", "dask worker", "dask scheduler"])
def test_the_commands_that_readers_are_shown_have_these_options(command):
    lines = re.findall(rf"^{command} (?!sims)(.*?)(?:  +#.*)?$", GUIDE, re.MULTILINE)
    assert lines
    module = "distributed.cli.dask_" + command.split()[1]
    for line in lines:
        if command == "errsrc run":
            args = cli._parser().parse_args(["run", *line.split()])
            assert (args.engine, args.scheduler) in (("dask", "tcp://HOST:8786"), ("dask", "slurm"))
        else:
            main = importlib.import_module(module).main
            main.make_context(command, line.split(), resilient_parsing=False)


def test_clients_that_could_not_connect_are_collected_before_another_starts():
    class Client:
        """A client in a cycle, as the traceback of a refused connection keeps one."""

    one = Client()
    one.itself = one
    found = weakref.ref(one)
    gc.disable()
    try:
        del one
        assert found() is not None
        assert cluster._started(found) is None
    finally:
        gc.enable()


SBATCH = """#!/bin/sh
# A queue that starts each job at once, as a process of this machine; it says what SLURM says.
cp "$1" "$JOBS/job$$"  # the script is deleted when this has ended
setsid sh "$JOBS/job$$" >"$JOBS/log$$" 2>&1 &
echo $! >>"$JOBS/started"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -KILL -- "-$1"
echo "$1" >>"$JOBS/cancelled"
"""


@pytest.mark.full
def test_slurm_jobs_compute_the_same_and_are_cancelled_at_the_end(tmp_path, monkeypatch):
    importlib.import_module("dask_jobqueue")  # with its defaults, which must not come within config.set
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, str(ROOT)]))
    monkeypatch.setenv("JOBS", str(tmp_path))
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    options = {**yaml.safe_load(text)["jobqueue"]["slurm"], "local-directory": str(tmp_path)}
    options |= {"scheduler-options": {"host": LOOPBACK, "dashboard_address": f"{LOOPBACK}:0"}}
    options |= {"worker-extra-args": ["--host", LOOPBACK, "--dashboard-address", f"{LOOPBACK}:0"]}
    study = _study(10)
    with config.set({f"jobqueue.slurm.{name}": value for name, value in options.items()}):
        engine = functools.partial(dask, scheduler="slurm", workers=2)
        _, rows = _rows(study, tmp_path / "dask.db", engine)
    _, expected = _rows(study, tmp_path / "local.db", functools.partial(local, workers=1))
    assert rows == expected
    started, cancelled = ((tmp_path / name).read_text().split() for name in ("started", "cancelled"))
    assert len(started) == 2
    script = next(tmp_path.glob("job*")).read_text()
    for line in ("-p normal", "--cpus-per-task=1", "--mem=4G", "-t 02:00:00"):
        assert f"#SBATCH {line}\n" in script
    assert sorted(cancelled) == sorted(started)


def test_slurm_that_is_not_configured_is_refused_with_what_is_missing(tmp_path, monkeypatch):
    (tmp_path / "sbatch").write_text(SBATCH)
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ValueError, match=r"must set 'jobqueue\.slurm\.cores'"):
        next(dask(len, [[1]], scheduler="slurm"))
