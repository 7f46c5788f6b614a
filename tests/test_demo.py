"""The demo on a tiny grid: all its files, and going on after an interruption."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product

import pytest

from errsrc import demo as module
from errsrc.cli import main
from errsrc.datasets import images
from errsrc.demo import find_images, run_demo
from errsrc.studies import ALL
from errsrc.sweeps import Store, Study, serial
from errsrc.tasks import VisionCell

CELL = VisionCell("digits", "mlp", width=4, n=45, seed=0, validation=397, steps=100)
CELLS = tuple(
    replace(CELL, width=w, n=n, seed=s)
    for w, n, s in product((4, 8, 16, 33), (45, 90, 180, 360, 720), (0, 1))
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "local", here)
        return out, run_demo(out, images("digits"), CELLS)


def here(function, batches, workers):
    """Compute in this process: to start another takes seconds of imports."""
    return serial(function, batches)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.full
def test_it_writes_all_that_it_says(finished):
    out, result = finished
    names = {path.name for path in out.iterdir()}
    figures = {"extrapolation.png", "divergence.png", "parity.png"}
    assert names - {"cells.db.lock"} == figures | {
        "cells.db",
        "predictions.csv",
        "results.csv",
        "fit.json",
        "report.html",
    }
    with Store(out / "cells.db") as store:
        assert store.count() == len(CELLS)
    assert len(result.fitted) + len(result.held_out) == 20


@pytest.mark.full
def test_the_prediction_came_before_the_large_cells_were_trained(finished):
    out, result = finished
    predicted = {(float(r["n"]), float(r["m"])): float(r["predicted"]) for r in rows(out / "predictions.csv")}
    cells = result.held_out
    assert set(predicted) == set(zip(cells.inputs["n"], cells.inputs["m"], strict=True))
    for k, (n, m) in enumerate(zip(cells.inputs["n"], cells.inputs["m"], strict=True)):
        assert cells.prediction.predicted[k] == pytest.approx(predicted[n, m], rel=1e-12)
    written = {r["written"] for r in rows(out / "predictions.csv")}
    with Store(out / "cells.db") as store:
        done = store.rows(Study.of(ALL["vision"], CELLS))
    ended = [row["finished"] for row, c in zip(done, CELLS, strict=True) if (c.n, c.parameters) in predicted]
    assert len(ended) == 2 * len(predicted)  # seeds
    assert max(written) <= min(ended)


@pytest.mark.full
def test_its_fit_can_be_planned_with_from_the_shell(finished, capsys):
    out, _ = finished
    assert main(["plan", str(out / "fit.json"), "--budget", "1e9"]) == 0
    assert "error" in capsys.readouterr().out


@pytest.mark.full
def test_started_again_it_trains_only_what_is_missing(finished, tmp_path, monkeypatch):
    out, _ = finished
    shutil.copy(out / "cells.db", tmp_path)
    edit(tmp_path / "cells.db", "DELETE FROM cells WHERE id IN (1, 20, 40)")
    came = []
    real = module.run

    def counting(*args, **options):
        came.append(real(*args, **options))
        return came[-1]

    monkeypatch.setattr(module, "run", counting)
    monkeypatch.setattr(module, "local", here)
    run_demo(tmp_path, images("digits"), CELLS)
    assert sum(summary.finished for summary in came) == 3
    assert sum(summary.kept for summary in came) == len(CELLS) - 3
    stored = []
    for folder in (out, tmp_path):
        with Store(folder / "cells.db") as store:
            stored.append(store.rows(Study.of(ALL["vision"], CELLS)))
    assert sum(before == after for before, after in zip(*stored, strict=True)) == len(CELLS) - 3
    assert f"{len(CELLS) - 3} of them by an earlier run" in (tmp_path / "report.html").read_text()


@pytest.mark.full
def test_diverged_runs_are_left_out_of_the_fit_and_named(finished, tmp_path, capsys):
    out, result = finished
    shutil.copy(out / "cells.db", tmp_path)
    changed = "json_set(result, '$.error', 0.0001, '$.diverged', json('true'))"
    edit(tmp_path / "cells.db", f"UPDATE cells SET result = {changed} WHERE id = 1")
    again = run_demo(tmp_path, images("digits"), CELLS)
    before, after = (sum(len(e) for part in r.parts.values() for e in part.runs) for r in (result, again))
    assert after == before - 1
    note = "its training diverged"
    assert note in capsys.readouterr().err
    assert note in (tmp_path / "report.html").read_text()


def edit(path, statement):
    with sqlite3.connect(path) as db:
        assert db.execute(statement).rowcount > 0
    db.close()


ENDLESS = """
import signal, sys
from dataclasses import replace
from errsrc import cli, tasks
from errsrc.tasks import VisionCell
from errsrc.training import Recipe

cell = VisionCell("digits", "mlp", 4, 45, 0, 397, steps=100)
wide = replace(cell, width=8, steps=10**6, recipe=Recipe(patience=1e6))
cells = [replace(one, n=n) for n in (45, 90, 180, 720) for one in (cell, wide, replace(wide, width=40))]
tasks.vision_grid = lambda name, seeds: cells
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
sys.exit(cli.main(["demo", "--dataset", "digits", "--workers", "2", "--out", sys.argv[1]]))
"""  # the demo with a batch that ends soon, and others that do not


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("to", ["killpg", pytest.param("kill", marks=pytest.mark.slow)])
def test_ctrl_c_is_one_sentence_keeps_finished_cells_and_leaves_no_process(to, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for line in process.stderr:
            if "small cells" in line:
                break
        wait_for_a_row(tmp_path / "cells.db")
        getattr(os, to)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=120)  # comes back once no process holds the pipes
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1].startswith("Stopped: the finished networks are in")
    assert "Traceback" not in err
    with Store(tmp_path / "cells.db") as store:
        assert store.count() >= 1
    assert not (tmp_path / "report.html").exists()


def wait_for_a_row(path):
    until = time.monotonic() + 300  # on a busy machine
    while time.monotonic() < until:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
            if db.execute("SELECT count(*) FROM cells").fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("no cell was finished in five minutes")


def test_a_foreign_file_of_cells_is_left_alone(tmp_path):
    (tmp_path / "cells.db").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="is not the file of a study"):
        run_demo(tmp_path, images("digits"), CELLS)
    assert (tmp_path / "cells.db").read_text() == "a,b\n1,2\n"


def test_without_fashion_mnist_it_takes_the_digits_and_says_so(monkeypatch, capsys):
    real = module.images

    def missing(name):
        if name == "fashion-mnist":
            raise FileNotFoundError("No Fashion-MNIST here.")
        return real(name)

    monkeypatch.setattr(module, "images", missing)
    assert find_images().name == "digits"
    assert "Using scikit-learn's digits instead" in capsys.readouterr().err
    with pytest.raises(ValueError, match="No Fashion-MNIST"):
        find_images("fashion-mnist")


@pytest.mark.full
@pytest.mark.parametrize(
    "argv", [["--seeds", "0"], ["--workers", "0"], ["--processes", "0"], ["--dataset", "mnist"]]
)
def test_bad_options_are_one_sentence(argv, capsys, tmp_path):
    assert main(["demo", "--out", str(tmp_path / "d"), *argv]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("errsrc: ")
