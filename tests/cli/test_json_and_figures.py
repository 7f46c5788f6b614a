"""Commands print JSON that other programs read, and write figures where they are told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.laws import Chinchilla, Power

STUDY = """
kind = "budget"

[cell]
draws = 4
setting = {kind = "linear-teacher", dim = 4}
learner = {kind = "minimum-norm"}

[factors]
n = [2, 6]
"""
STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command in a folder of its own: its exit code, and what it printed."""
    monkeypatch.chdir(tmp_path)

    def command(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def runs_in_n(path: Path) -> None:
    n = 1000 * 2.0 ** np.arange(8)
    error = Power(0.1, 3, 0.4).error(n=n) * (1 + 0.01 * np.cos(np.arange(8.0) ** 2))
    path.write_text("n,error\n" + "".join(f"{x:.0f},{e}\n" for x, e in zip(n, error, strict=True)))


def strict_json(text: str) -> Any:
    """What a text says in JSON without nan and inf."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.full
@pytest.mark.parametrize("suffix", STARTS)
def test_fit_writes_a_figure_and_prints_the_same(run: Callable[..., Any], suffix: str) -> None:
    runs_in_n(Path("runs.csv"))
    _, table, _ = run("fit", "runs.csv", "--law", "power")
    code, out, _ = run("fit", "runs.csv", "--law", "power", "--plot", f"out{suffix}")
    assert (code, out) == (0, table)
    assert Path(f"out{suffix}").read_bytes().startswith(STARTS[suffix])


@pytest.mark.full
def test_other_commands_on_fits_write_figures(run: Callable[..., Any]) -> None:
    spent, m = np.repeat([1e18, 1e19, 1e20], 5), np.tile(np.geomspace(0.3, 3, 5), 3) * 1e8
    n = spent / (6 * m)
    error = Chinchilla(1.8, 400.0, 1000.0, 0.34, 0.33).error(n=n, m=m) * (1 + 0.002 * np.cos(np.arange(15.0)))
    rows = "".join(f"{a},{b},{c}\n" for a, b, c in zip(n, m, error, strict=True))
    Path("runs.csv").write_text("n,m,error\n" + rows)
    assert run("fit", "runs.csv", "--law", "chinchilla", "--out", "f.json", "--plot", "fit.png")[0] == 0
    for name, argv in {
        "plan": ("plan", "f.json", "--budget", "1e20", "1e21"),
        "predict": ("predict", "f.json", "runs.csv"),
        "frontier": ("frontier", "f.json"),
        "design": ("design", "f.json", "--exponent", "n", "--runs", "1"),
    }.items():
        without = run(*argv)
        wrote = f"errsrc: wrote {name}.png\n"
        assert run(*argv, "--plot", f"{name}.png") == (*without[:2], without[2] + wrote), name
        assert without[0] == 0, name
        assert Path(f"{name}.png").read_bytes().startswith(STARTS[".png"])


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("out.gif", "must end in .png, .svg or .pdf"),
        ("out", "must end in .png, .svg or .pdf"),
        ("nowhere/out.png", "there is no folder"),
        ("folder.png", "that is a folder"),
        ("f.svg", "the command writes another result to this file"),
    ],
)
def test_a_figure_that_cannot_be_written_is_refused_before_the_fit(
    run: Callable[..., Any], target: str, why: str
) -> None:
    Path("folder.png").mkdir()
    code, out, err = run("fit", "missing.csv", "--out", "f.svg", "--plot", target)
    assert (code, out) == (2, "")
    assert why in err
    assert err.count("\n") == 1
    assert target in err


@pytest.mark.slow
def test_studies_speak_json(run: Callable[..., Any]) -> None:
    Path("study.toml").write_text(STUDY)
    code, out, _ = run("run", "study.toml", "--workers", "1", "--json")
    assert code == 0
    done = strict_json(out)
    assert (done["cells"], done["finished"], done["failed"], done["store"]) == (2, 2, {}, "study.db")
    status = strict_json(run("status", "study.toml", "--json")[1])
    assert (status["cells"], status["finished"], status["missing"], status["failed"]) == (2, 2, 0, 0)
    assert status["driver"] is None
    assert status["versions"][0]["cells"] == 2
    assert strict_json(run("status", "study.db", "--json")[1])["cells_in_store"] == 2
    rows = strict_json(run("export", "study.toml", "--json")[1])
    assert [row["n"] for row in rows] == [2, 6]
    written = run("export", "study.toml", "--csv", "a.csv", "--json")[1]
    assert strict_json(written) == {"path": "a.csv", "cells": 2}
    assert Path("a.csv").read_text().count("\n") == 3
    assert "prints no curves" in run("export", "study.toml", "--curves", "--json")[2]
    found = strict_json(run("report", "study.toml", "--json")[1])
    assert found == {"path": "study.html", "finished": 2, "missing": 0}
    budgets = strict_json(run("budget", "study.toml", "--workers", "1", "--json")[1])
    assert [row["total"] for row in budgets] == [row["total"] for row in rows]
