"""errsrc design: questions, candidates and output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from errsrc.cli import main
from errsrc.cli.numbers import sizes
from errsrc.fitting import fit_csv, save_fit

CLEAN = Path(__file__).parents[1] / "fixtures" / "isoflop_clean.csv"


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """The path of a saved fit; next to it, candidates.csv with two runs."""
    save_fit(fit_csv(CLEAN, "chinchilla"), tmp_path / "fit.json")
    (tmp_path / "candidates.csv").write_text("n,m\n2e10,1e9\n3e9,2e9\n")
    return str(tmp_path / "fit.json")


def test_the_runs_for_a_prediction(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    candidates = str(Path(saved).with_name("candidates.csv"))
    command = ["design", saved, "--cost", "6nm", "--predict", "n=1e12,m=7e10", "--budget", "1e21"]
    assert main([*command, "--candidates", candidates]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("error at n = 1e+12, m = 7e+10: ")
    assert lines[1].split()[:4] == ["run", "n", "m", "cost"]
    assert main([*command, "--candidates", candidates, "--until", "0.9", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stops"]
    assert found["runs"] == []


def test_other_questions(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    candidates = ["--candidates", str(Path(saved).with_name("candidates.csv")), "--budget", "1e22"]
    for question, text in {
        ("--exponent", "m"): "exponent of m",
        ("--frontier", "1e22"): "m* at the budget 1e+22",
    }.items():
        assert main(["design", saved, *question, *candidates, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["question"] == text


def test_bad_questions(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    for question, message in {
        ("--predict", "n=1e12"): "has a law in n, m: --predict takes n=N,m=M. Got n.",
        ("--predict", "n=1,n=2"): "has a size twice",
        ("--predict", "n"): "not NAME=VALUE",
        ("--exponent", "k"): "--exponent must be one of 'n', 'm'",
        (): "is required",
    }.items():
        assert main(["design", saved, *question]) == 2
        assert message in capsys.readouterr().err


def test_sizes() -> None:
    assert sizes("n=1e12, m=7e10") == {"n": 1e12, "m": 7e10}
