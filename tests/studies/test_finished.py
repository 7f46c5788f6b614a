"""Finished studies: reading what is finished, and computing what is missing first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from errsrc import studies
from errsrc.errors import NoAnswer, StoreError
from errsrc.results import LONGEST_LINE
from errsrc.studies import load_study, run_study
from errsrc.studies.files import save_dated_csv
from errsrc.sweeps import Kind, serial

SPEC = """
kind = "halves"
seeds = 2
factors.n = [1, 2, 4]
"""


@dataclass(frozen=True)
class Cell:
    n: int
    seed: int = 0


def halves(cells):
    """Fail for n = 4."""
    if any(cell.n == 4 for cell in cells):
        raise ArithmeticError("too large")
    return [{"half": cell.n / 2, "curve": {"step": [1.0, 2.0]}} for cell in cells]


@pytest.fixture
def spec(tmp_path, monkeypatch) -> Path:
    monkeypatch.setitem(studies.ALL, "halves", Kind("halves", Cell, halves))
    path = tmp_path / "grid.toml"
    path.write_text(SPEC)
    return path


def test_a_study_is_computed_and_read(spec):
    with pytest.raises(StoreError, match="There is no file"):
        load_study(spec)
    finished = run_study(spec, engine=serial, progress=False)
    assert (len(finished.cells), finished.missing) == (4, 2)
    assert finished.failures == {"ArithmeticError: too large": 2}
    assert repr(finished).startswith("FinishedStudy(halves, 4 of 6 cells finished: ")
    assert len(repr(finished)) <= LONGEST_LINE
    assert "2 cells: ArithmeticError: too large" in str(finished)
    assert "4 of 6 cells" in finished._repr_html_()
    shown = finished.as_dict()
    assert (shown["finished"], shown["missing"], len(shown["rows"])) == (4, 2, 4)
    assert (finished.spec, finished.store) == (spec, spec.with_suffix(".db"))
    columns = finished.columns()
    np.testing.assert_array_equal(columns["half"], [0.5, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(columns["seed"], [0, 1, 0, 1])
    assert [list(curve) for curve in finished.curves] == [["step"]] * 4
    read = load_study(str(spec))
    assert (read.rows, read.failures, read.cells) == (finished.rows, finished.failures, finished.cells)


def test_a_study_all_of_whose_cells_fail_raises(spec):
    spec.write_text(SPEC.replace("[1, 2, 4]", "[4]"))
    with pytest.raises(NoAnswer, match="too large"):
        run_study(spec, engine=serial, progress=False)


def test_the_store_may_be_elsewhere_and_only_a_toml_file_is_a_study(spec, tmp_path):
    other = tmp_path / "other.db"
    assert run_study(spec, other, serial, progress=False).store == other
    assert load_study(spec, other).missing == 2
    with pytest.raises(ValueError, match=r"its name must end in \.toml"):
        load_study(other)


def test_groups_differ_in_what_is_no_size(spec):
    finished = run_study(spec, engine=serial, progress=False)
    assert finished.groups(("n", "seed")) == {"": [0, 1, 2, 3]}
    assert finished.groups(("seed",)) == {"n 1": [0, 1], "n 2": [2, 3]}
    assert finished.groups(("n",), ("seed",)) == {"seed 0": [0, 2], "seed 1": [1, 3]}


def test_a_dated_csv_says_when_it_was_written(tmp_path):
    path = tmp_path / "predictions.csv"
    save_dated_csv(path, {"n": np.array([1.0, 2.0]), "error": np.array([0.5, 0.25])})
    header, *lines = path.read_text().splitlines()
    assert header == "n,error,written"
    assert [line.rpartition(",")[0] for line in lines] == ["1.0,0.5", "2.0,0.25"]
    assert lines[0].endswith("Z")


@pytest.mark.parametrize("function", [load_study, run_study])
@pytest.mark.parametrize("path", [3, None])
def test_anything_but_a_path_is_refused(function, path) -> None:
    message = f"'path' parameter of {function.__name__} must be a path: .* Got {path} instead"
    with pytest.raises(TypeError, match=message):
        function(path)
