"""Cells that their class or their data refuse fail one by one, before anything is computed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from errsrc import studies
from errsrc.cli import main
from errsrc.studies import parse
from errsrc.sweeps import Factor, Kind, RunSummary, Store, Study, run, serial

COMPUTED: list[Cell] = []


@dataclass(frozen=True)
class Cell:
    """A cell that refuses values together, which its factors alone do not show."""

    n: int = 10
    k: int = 1
    seed: int = 0

    def __post_init__(self):
        if self.k > self.n:
            raise ValueError(f"k = {self.k} is more than n")


def compute(cells):
    COMPUTED.extend(cells)
    if any(cell.seed == 13 for cell in cells):
        raise ValueError("13 is refused")
    return [{"value": float(cell.n)} for cell in cells]


def ran(kind: Kind, study: Study, path: Path, **options) -> tuple[RunSummary, list]:
    COMPUTED.clear()
    with Store(path, write=True) as store:
        return run(study, store, serial, **options), store.rows(study)


def grid(kind: Kind) -> Study:
    return Study(
        kind, Cell(), (Factor.of("n", (10, 100)), Factor.of("k", (5, 50)), Factor.of("seed", (0, 1)))
    )


@pytest.mark.parametrize("ready", [None, next, list], ids=["nothing", "one", "all"])
def test_cells_that_their_class_refuses_fail_and_the_others_are_computed(tmp_path, ready, capsys):
    kind = Kind("together", Cell, compute, require_data=ready, group=lambda cell: 0)
    study = grid(kind)
    assert study.cell_keys()[4] == kind.key(Cell(100, 5, 0))
    summary, rows = ran(kind, study, tmp_path / "a.db")
    assert (summary.finished, len(summary.failed), len(rows)) == (6, 2, 6)
    assert set(summary.failed.values()) == {"ValueError: k = 50 is more than n"}
    assert set(summary.failed) == {study.cell_keys()[2], study.cell_keys()[3]}
    said = "2 of 8 cells are refused, and not computed. The first: k = 50 is more than n\n"
    assert capsys.readouterr().err.startswith(said)
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert ('{"k":50}',) in db.execute("SELECT config FROM failures").fetchall()
    again, _ = ran(kind, study, tmp_path / "a.db")
    assert (again.finished, again.failed, COMPUTED) == (0, summary.failed, [])
    again, _ = ran(kind, study, tmp_path / "a.db", retry=True)
    assert (again.finished, again.failed, COMPUTED) == (0, summary.failed, [])


def test_a_study_whose_cells_are_all_refused_is_refused(tmp_path):
    def none(cells):
        raise ValueError(f"no data for {len(list(cells))} cells")

    kind = Kind("together", Cell, compute, require_data=none)
    with pytest.raises(ValueError, match="no data for 1 cells"):
        ran(kind, grid(kind), tmp_path / "a.db")
    assert COMPUTED == []
    with pytest.raises(ValueError, match="k = 500 is more than n"):
        Study(kind, Cell(), (Factor.of("n", (10, 100)), Factor.of("k", (1, 500))))


def test_cells_that_the_data_refuse_are_found_among_many(tmp_path):
    calls = []

    def at_most_90(cells):
        calls.append([cell.n for cell in cells])
        if max(calls[-1]) > 90:
            raise ValueError(f"{max(calls[-1])} examples, and there are 90")

    kind = Kind("together", Cell, compute, require_data=at_most_90)
    study = Study(kind, Cell(), (Factor.of("n", range(70, 95)), Factor.of("seed", (0, 1))))
    summary, rows = ran(kind, study, tmp_path / "a.db", progress=False)
    assert (len(rows), len(summary.failed)) == (42, 8)
    assert "ValueError: 94 examples, and there are 90" in summary.failed.values()
    assert len(calls) < 40


def test_a_cell_that_its_batch_refuses_fails_alone(tmp_path):
    kind = Kind("together", Cell, compute, group=lambda cell: 0)
    study = Study(kind, Cell(), (Factor.of("seed", (12, 13, 14)),))
    summary, rows = ran(kind, study, tmp_path / "a.db", progress=False)
    assert [row["seed"] for row in rows] == [12, 14]
    assert list(summary.failed.values()) == ["ValueError: 13 is refused"]
    assert [cell.seed for cell in COMPUTED] == [12, 13, 14, 12, 13, 14]  # together, then each alone


def test_the_first_values_of_a_spec_may_be_refused_together(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(studies.ALL, "together", Kind("together", Cell, compute))
    text = 'kind = "together"\n[factors]\nn = [10, 100]\nk = [50, 5]\n'
    assert [parse(text)[place] for place in (1, 2, 3)] == [Cell(10, 5), Cell(100, 50), Cell(100, 5)]
    (tmp_path / "grid.toml").write_text(text)
    monkeypatch.setattr("errsrc.sweeps.local", lambda function, batches, **_: serial(function, batches))
    assert main(["run", str(tmp_path / "grid.toml")]) == 1
    assert "3 of 4 cells are finished" in capsys.readouterr().out
    with pytest.raises(ValueError, match="k = 500 is more than n"):
        parse(text.replace("[50, 5]", "[500]"))
