"""errsrc shape: text, JSON, figure and messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from errsrc.cli import main

CURVES = str(Path(__file__).parents[1] / "curves" / "lcdb11.csv")


def test_the_shape_of_a_measured_curve(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    curve = ["shape", CURVES, "--where", "data=22", "--where", "learner=LDA", "--std-error", "std_error"]
    assert main([*curve, "--plot", str(tmp_path / "shape.svg")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("peak: The error rises from 0.512 at n = 32")
    assert (tmp_path / "shape.svg").read_text().count("standard errors") == 2
    assert main([*curve, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["threshold"]["estimate"]) == ("peak", 54)


def test_values_that_rise_name_the_option_for_accuracies(capsys: pytest.CaptureFixture[str]) -> None:
    curve = ["shape", CURVES, "--where", "data=57", "--where", "learner=SVM_Sigmoid"]
    assert main([*curve, "--std-error", "std_error"]) == 0
    assert capsys.readouterr().out.endswith("are they accuracies? --accuracy takes 1 - accuracy.\n")
    assert main([*curve, "--std-error", "sem"]) == 2
    assert "has no column 'sem'" in capsys.readouterr().err
    assert main([*curve, "--level", "2"]) == 2
    assert "--level must be a finite number > 0 and < 1" in capsys.readouterr().err
