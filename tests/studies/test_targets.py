"""A study is computed until an interval is narrow enough, and no further."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from errsrc import studies
from errsrc.cli import main
from errsrc.fitting import fit
from errsrc.laws import Coupled, Power
from errsrc.studies import targets, trained
from errsrc.studies.targets import compute_until, run_until
from errsrc.sweeps import Factor, Kind, Store, Study, run, serial

LAW = Coupled(E=0.1, A=8.0, B=6.0, alpha=0.35, beta=0.4, k=0.5)
CURVE = Power(0.1, 3.0, 0.4)
NS, MS = [1000 * 2**k for k in range(7)], [10_000 * 4**k for k in range(5)]


@dataclass(frozen=True)
class Cell:
    n: int
    m: int = 10
    optimiser: str = "adam"
    noise: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n == 2000 and self.m == MS[1]:
            raise ValueError("this size is refused")


def noise(cell) -> float:
    return float(np.exp(cell.noise * np.random.default_rng([cell.seed, cell.n, cell.m]).standard_normal()))


def compute(cells):
    if any(cell.n == 4000 and cell.m == MS[2] for cell in cells):
        raise RuntimeError("no result")
    return [{"error": float(LAW.error(n=cell.n, m=cell.m)) * noise(cell)} for cell in cells]


def compute_curve(cells):
    return [{"error": float(CURVE.error(n=cell.n)) * noise(cell)} for cell in cells]


GRID = Kind("grid", Cell, compute)
LINE = Kind("line", Cell, compute_curve, cost=lambda cell: 1.0)


def grid(**base) -> Study:
    factors = (Factor.of("n", NS), Factor.of("m", MS), Factor.of("seed", range(2)))
    return Study(GRID, Cell(1, **base), factors)


def line(**base) -> Study:
    return Study(
        LINE, Cell(1, **base), (Factor.of("n", [100 * 2**k for k in range(12)]), Factor.of("seed", range(2)))
    )


def until(study: Study, folder: Path, *args, engine=serial, **options):
    with Store(folder / "own.db", write=True) as store:
        return compute_until(study, store, *args, engine=engine, progress=False, **options)


@pytest.fixture
def cheap_fits(monkeypatch):
    """Fit the power law in place of the average of laws, which takes seconds."""
    monkeypatch.setattr(targets, "auto", lambda error, fixed, **inputs: fit(Power, error, **inputs))


@pytest.mark.full
def test_a_grid_stops_when_the_interval_of_its_largest_cell_is_narrow_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(targets, "auto", lambda error, fixed, **inputs: fit(Coupled, error, **inputs))
    left = iter(range(10))

    def stopped(function, batches):
        for answer in serial(function, batches):
            yield answer
            if next(left, None) is None:
                raise KeyboardInterrupt

    study = grid()
    with pytest.raises(KeyboardInterrupt):
        until(study, tmp_path, "interval < 6%", engine=stopped)
    found = until(study, tmp_path, "interval < 6%")  # the same call resumes
    assert found.reached
    assert 0 < found.kept < 16
    assert found.question == "error at n = 6.4e+04, m = 2.56e+06"
    assert found.steps[-1].half_width <= 0.06 < found.steps[-2].half_width
    assert found.reason == "The interval is at most ±6%, as asked."
    assert found.steps[-1].cells + len(found.skipped["n"]) + len(found.failed) == len(study) == found.cells
    assert set(found.failed.values()) == {"RuntimeError: no result", "ValueError: this size is refused"}
    assert found.share < 0.9
    assert "Not computed: " in str(found)
    with Store(tmp_path / "own.db") as store, Store(tmp_path / "whole.db", write=True) as whole:
        run(study, whole, serial, progress=False)
        rows = {(row["n"], row["m"], row["seed"]): row["error"] for row in whole.rows()}
        assert all(rows[row["n"], row["m"], row["seed"]] == row["error"] for row in store.rows())


@pytest.mark.slow
def test_the_default_average_reaches_the_goal(tmp_path):
    found = until(grid(), tmp_path, "interval < 6%")
    assert found.reached
    assert found.share < 0.6


@pytest.mark.full
@pytest.mark.usefixtures("cheap_fits")
def test_a_run_says_why_it_cannot_reach_its_goal(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    noisy = until(line(noise=0.2), tmp_path / "a", "3%")
    assert not noisy.reached
    assert noisy.reason.startswith("The noise of one run alone gives ±")
    all_cells = until(line(), tmp_path / "b", "interval < 1e-4", {"exponent": "n"})
    assert not all_cells.reached
    assert all_cells.reason == "All cells are computed, and the interval is still wider than ±0.0001."
    assert all_cells.answer.low < 0.4 < all_cells.answer.high
    assert len(all_cells.skipped["n"]) == 0


def test_what_cannot_be_done_is_refused_before_anything_is_computed(tmp_path):
    ns = Factor.of("n", NS)
    families = Study(LINE, Cell(5), (ns, Factor.of("optimiser", ["adam", "sgd"])))
    search = Study(Kind("search", Cell, compute), Cell(5), (ns,))
    for study, args, text in (
        (grid(), ("interval < 0",), "must be a number > 0, or a text such as 'interval < 3%'. Got 'interval"),
        (grid(), (-1.0,), "'until' parameter of run_until must be a finite number > 0"),
        (grid(), ("3%", {"exponent": "n"}), "a number without % for an exponent"),
        (grid(), ("3%", {"n": 1e6}), "must be a dict of the form {'n': ..., 'm': ...} or {'exponent': 'n'}"),
        (line(), ("3%", {"exponent": "m"}), "'exponent' parameter of run_until must be one of 'n'"),
        (line(), ("3%", {"frontier": 1e9}), "must be a dict of the form {'n': ...} or {'exponent': 'n'}"),
        (Study(LINE, Cell(5)), ("3%",), "a study with several values of 'n'. Got <n = 5 only>"),
        (families, ("3%",), "and the seed. Got <cells of optimiser adam, and of optimiser sgd>"),
        (search, ("3%",), "of a kind whose cells have a field 'n'"),
    ):
        with pytest.raises(ValueError, match="run_until") as refused:
            until(study, tmp_path, *args)
        assert text in str(refused.value)
    with Store(tmp_path / "own.db") as store:
        assert store.rows() == []


@pytest.mark.full
def test_sizes_of_networks_are_known_before_they_are_trained():
    vision = studies.parse("""
        kind = "vision"
        cell = {dataset = "digits", family = "mlp", validation = 397}
        factors = {n = [90, 180], width = [8, 16]}""")
    assert trained.QUANTITIES["vision"].m_of(vision[0]) == vision[0].network().parameters
    language = studies.parse("""
        kind = "language"
        cell = {family = "neural-ngram", width = 8, n = 1024, vocabulary = 256, corpus = "inaugural"}""")
    assert trained.QUANTITIES["language"].m_of(language[0]) == language[0].network().non_embedding


OWN = """
from dataclasses import dataclass
from errsrc.sweeps import Kind

@dataclass(frozen=True)
class Cell:
    n: int
    seed: int = 0

def compute(cells):
    return [{"error": 0.1 + 3 * cell.n**-0.4 * (1 + 0.01 * (-1) ** cell.seed)} for cell in cells]

KIND = Kind("curve-of-mine", Cell, compute)
"""


@pytest.mark.usefixtures("one_process", "cheap_fits")
def test_the_command_stops_at_its_goal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(studies.ALL, "_kinds", dict(studies.ALL._kinds))
    (tmp_path / "curvelab.py").write_text(OWN)
    spec = 'kind = "curve-of-mine"\nseeds = 3\nfactors = {n = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]}\n'
    (tmp_path / "c.toml").write_text(spec)
    own = ("run", "c.toml", "--kinds", "curvelab")
    assert main([*own, "--exponent", "n"]) == 2
    assert main([*own, "--until", "3%", "--scheduler", "slurm", "--engine", "dask"]) == 2
    said = capsys.readouterr().err
    assert "--exponent applies only with --until." in said
    assert "--until does not apply to --scheduler slurm" in said
    assert main([*own, "--until", "interval < 5%", "--json"]) == 0
    out = capsys.readouterr()
    shown = json.loads(out.out)
    assert shown["reached"] is True
    assert shown["finished"] < 30 == shown["cells"]
    assert len(shown["skipped"]["n"]) == 30 - shown["finished"]
    assert "0 of 30 cells are finished: too few sizes for a fit; 8 more follow.\n" in out.err
    assert main([*own, "--until", "0.0001", "--predict", "n=1K"]) == 1
    out = capsys.readouterr()
    assert "errsrc: The interval is wider than asked. " in out.err
    assert "error at n = 1000: " in out.out
    assert run_until("c.toml", 0.05, modules="curvelab", progress=False).kept >= shown["finished"]
