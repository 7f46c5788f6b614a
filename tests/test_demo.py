"""The demo on a tiny grid: all its files, and going on after an interruption."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import product

import pytest

from errsrc import demo as module
from errsrc.cli import main
from errsrc.datasets import images
from errsrc.demo import COLUMNS, demo, find_images
from errsrc.tasks import VisionCell

CELL = VisionCell("digits", "mlp", width=4, n=45, seed=0, validation=397, steps=100)
CELLS = tuple(
    replace(CELL, width=w, n=n, seed=s)
    for w, n, s in product((4, 8, 16, 33), (45, 90, 180, 360, 720), (0, 1))
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    return out, demo(out, images("digits"), CELLS, processes=2)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_writes_all_that_it_says(finished):
    out, result = finished
    names = {path.name for path in out.iterdir()}
    figures = {"extrapolation.png", "divergence.png", "parity.png"}
    assert names == figures | {"cells.csv", "predictions.csv", "results.csv", "fit.json", "report.html"}
    assert len(rows(out / "cells.csv")) == len(CELLS)
    assert tuple(rows(out / "cells.csv")[0]) == COLUMNS
    assert len(result.fitted) + len(result.held_out) == 20


def test_the_prediction_came_before_the_large_cells_were_trained(finished):
    out, result = finished
    predicted = {(float(r["n"]), float(r["m"])): float(r["predicted"]) for r in rows(out / "predictions.csv")}
    cells = result.held_out
    assert set(predicted) == set(zip(cells.inputs["n"], cells.inputs["m"], strict=True))
    for k, (n, m) in enumerate(zip(cells.inputs["n"], cells.inputs["m"], strict=True)):
        assert cells.prediction.predicted[k] == pytest.approx(predicted[n, m], rel=1e-12)
    written = (out / "predictions.csv").stat().st_mtime
    assert written < (out / "results.csv").stat().st_mtime


def test_its_fit_can_be_planned_with_from_the_shell(finished, capsys):
    out, _ = finished
    assert main(["plan", str(out / "fit.json"), "--budget", "1e9"]) == 0
    assert "error" in capsys.readouterr().out


def test_started_again_it_trains_only_what_is_missing(finished, tmp_path, monkeypatch):
    out, result = finished
    kept = (out / "cells.csv").read_text().splitlines(keepends=True)
    (tmp_path / "cells.csv").write_text("".join(kept[:-3]) + kept[-3][:40])  # three lost, one of them torn
    trained = []
    real = module.train

    def counting(cells, processes):
        trained.extend(cells)
        return real(cells, processes)

    monkeypatch.setattr(module, "train", counting)
    again = demo(tmp_path, images("digits"), CELLS, processes=1)
    assert len(trained) == 3
    assert again.forecast.law == result.forecast.law
    assert again.held_out.divergence_mean == pytest.approx(result.held_out.divergence_mean, rel=1e-2)


def test_cells_of_another_recipe_are_not_taken_for_its_own(finished, tmp_path):
    out, _ = finished
    (tmp_path / "cells.csv").write_bytes((out / "cells.csv").read_bytes())
    others = tuple(replace(cell, steps=101) for cell in CELLS)
    assert module._finished(tmp_path / "cells.csv", others) == {}
    assert len(module._finished(tmp_path / "cells.csv", CELLS)) == len(CELLS)


def test_diverged_runs_are_left_out_of_the_fit_and_named(finished, tmp_path, capsys):
    out, result = finished
    table = rows(out / "cells.csv")
    table[0]["diverged"] = "True"
    table[0]["error"] = "0.0001"
    with (tmp_path / "cells.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(table)
    again = demo(tmp_path, images("digits"), CELLS)
    before, after = (sum(len(e) for part in r.parts.values() for e in part.runs) for r in (result, again))
    assert after == before - 1
    note = "its training diverged"
    assert note in capsys.readouterr().err
    assert note in (tmp_path / "report.html").read_text()


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("to", ["killpg", "kill"])
def test_ctrl_c_is_one_sentence_keeps_finished_cells_and_leaves_no_process(to, tmp_path):
    command = [sys.executable, "-m", "errsrc", "demo", "--dataset", "digits", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in process.stderr:
        if "of 216 cells" in line:
            break
    getattr(os, to)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)  # comes back once no process holds the pipes
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1].startswith("Stopped: finished cells are in")
    assert "Traceback" not in err
    assert len(rows(tmp_path / "cells.csv")) >= 1
    assert not (tmp_path / "report.html").exists()


def test_a_foreign_file_of_cells_is_left_alone(tmp_path):
    (tmp_path / "cells.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="choose another folder"):
        demo(tmp_path, images("digits"), CELLS)
    assert (tmp_path / "cells.csv").read_text() == "a,b\n1,2\n"


def test_without_fashion_mnist_it_takes_the_digits_and_says_so(monkeypatch, capsys):
    real = module.images

    def missing(name):
        if name == "fashion-mnist":
            raise FileNotFoundError("No Fashion-MNIST here.")
        return real(name)

    monkeypatch.setattr(module, "images", missing)
    assert find_images().name == "digits"
    assert "Taking scikit-learn's digits instead" in capsys.readouterr().err
    with pytest.raises(ValueError, match="No Fashion-MNIST"):
        find_images("fashion-mnist")


@pytest.mark.parametrize("argv", [["--seeds", "0"], ["--processes", "0"], ["--dataset", "mnist"]])
def test_bad_options_are_one_sentence(argv, capsys, tmp_path):
    assert main(["demo", "--out", str(tmp_path / "d"), *argv]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("errsrc: ")
