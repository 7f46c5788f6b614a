"""Studies of the kind "recovery": grids, noise, estimators, and the table of coverage."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from errsrc.fitting import auto
from errsrc.laws import Chinchilla, Power, Pruning, SparseTraining
from errsrc.studies import load, parse
from errsrc.studies.recovery import (
    Coverage,
    RecoveryCell,
    compute_recoveries,
    coverage_table,
    coverages,
    true_values,
)
from errsrc.sweeps import Store, run, serial

CURVE = RecoveryCell(Power(0.1, 2.0, 0.5), 0.02, n=(100.0, 1e5), points=12)
GRID = RecoveryCell(Chinchilla(1.8, 480, 2100, 0.35, 0.37), 0.005, n=(6e9, 2e11), m=(7e6, 7e9), points=30)


def test_points_replace_the_sizes_of_each_axis() -> None:
    assert CURVE.sizes()["n"] == pytest.approx(np.geomspace(100, 1e5, 12))
    for points, shape in ((12, (4, 3)), (30, (6, 5)), (60, (10, 6)), (7, (7, 1))):
        sizes = dataclasses.replace(GRID, points=points).sizes()
        assert tuple(len(np.unique(x)) for x in sizes.values()) == shape
        assert sizes["n"].min() == pytest.approx(6e9)
        assert sizes["n"].max() == pytest.approx(2e11)
    assert len(dataclasses.replace(GRID, points=None).sizes()["m"]) == 4


@pytest.mark.parametrize("kind", ["equal", "falling", "t3"])
def test_the_noise_has_the_standard_deviation_of_the_cell(kind: str) -> None:
    cell = RecoveryCell(Power(0.1, 2.0, 0.5), 0.02, n=(100.0, 1e5), points=20_000, noise_kind=kind)
    sizes = cell.sizes()
    noise = np.log(cell.noisy(np.ones(20_000), sizes))
    assert np.std(noise) == pytest.approx(0.02, rel=0.15)
    first, last = (np.std(noise[part]) for part in (slice(0, 2000), slice(-2000, None)))
    assert first / last == pytest.approx(10**1.35 if kind == "falling" else 1.0, rel=0.3)


def test_falling_noise_of_a_law_without_n_falls_with_its_first_input() -> None:
    law = Pruning(eps_np=0.06, eps_up=0.8, gamma=1.2, p=0.01)
    cell = RecoveryCell(law, 0.02, density=(0.0015, 1.0), points=12, noise_kind="falling")
    noise = np.abs(np.log(cell.noisy(np.ones(12), cell.sizes())))
    assert noise[:4].mean() > 3 * noise[-4:].mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise_kind": "pink"}, "'noise_kind' parameter of RecoveryCell must be one of 'equal'"),
        ({"estimator": "mean"}, "'estimator' parameter of RecoveryCell must be one of 'fit', 'auto'"),
        ({"points": 0}, "'points' parameter of RecoveryCell must be an integer >= 1"),
    ],
)
def test_unknown_fields_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CURVE, **change)  # type: ignore[arg-type]


def test_points_and_auto_are_refused_for_laws_of_other_inputs() -> None:
    law = Pruning(eps_np=0.06, eps_up=0.8, gamma=1.2, p=0.01)
    with pytest.raises(ValueError, match="'estimator' parameter of RecoveryCell must be 'fit'"):
        RecoveryCell(law, 0.02, density=(0.1, 1.0), estimator="auto")
    three = SparseTraining(a_S=1.0, b_S=0.5, c_S=0.5, b_N=0.3, B=10.0, b_D=0.3, c=1.0)
    with pytest.raises(ValueError, match="'points' parameter of RecoveryCell must be left out"):
        RecoveryCell(three, 0.02, n=(1e9, 1e10), m=(1e6, 1e7), density=(0.1, 1.0), points=12)


@pytest.mark.full
def test_auto_has_the_intervals_of_the_average() -> None:
    cell = dataclasses.replace(CURVE, estimator="auto")
    (row,) = compute_recoveries([cell])
    sizes = cell.sizes()
    limits = auto(cell.noisy(cell.law.error(**sizes), sizes), **sizes).limits
    for name, interval in (("data_exponent", limits["n"]), ("floor", limits["floor"])):
        assert (row[f"{name}.low"], row[name], row[f"{name}.high"]) == (
            interval.low,
            interval.estimate,
            interval.high,
        )
    assert true_values(cell) == pytest.approx({"data_exponent": 0.5, "floor": 0.1})
    assert row["data_exponent.covered"] == (row["data_exponent.low"] <= 0.5 <= row["data_exponent.high"])


def test_the_table_counts_the_intervals_that_contain_the_truth() -> None:
    cells = [dataclasses.replace(CURVE, estimator="auto", seed=seed) for seed in range(4)]
    ends = [(0.4, 0.6), (0.45, 0.65), (0.6, 0.7), (0.0, math.inf)]
    rows = [
        {
            "data_exponent": 0.5,
            "data_exponent.low": low,
            "data_exponent.high": high,
            "data_exponent.covered": low <= 0.5 <= high,
        }
        for low, high in ends
    ]
    exponent, floor = coverages(zip(cells, rows, strict=True))
    assert exponent == Coverage(
        "power", "auto", "equal", 12, "data_exponent", 0.9, 4, 4, 3, 3, pytest.approx(1 / 3)
    )
    assert exponent.share == 0.75
    assert exponent.ends() == pytest.approx((0.1941, 0.9937), abs=1e-4)  # Clopper and Pearson
    assert (floor.given, floor.bounded) == (0, 0)
    assert math.isnan(floor.share)
    header, first, second = str(coverage_table([exponent, floor])).splitlines()
    assert header.split()[:5] == ["law", "estimator", "noise", "points", "quantity"]
    assert "75%" in first
    assert "19% to 99%" in first
    assert second.split() == ["power", "auto", "equal", "12", "floor", "4", "0", "0"]


def test_a_study_is_computed_with_the_new_fields_and_resumed(tmp_path) -> None:
    text = """
    kind = "recovery"
    seeds = 2
    cell = {law = {kind = "power", c_inf = 0.1, a = 2.0, alpha = 0.5}, noise = 0.02, n = [100, 100_000]}
    factors = {noise_kind = ["equal", "t3"], points = [6]}
    """
    study = parse(text)
    assert [(cell.noise_kind, cell.points, cell.seed) for cell in study][-1] == ("t3", 6, 1)
    with Store(tmp_path / "study.db", write=True) as store:
        run(study, store, serial, progress=False)
        found = coverages(zip(study, store.rows(study), strict=True))
    assert [(one.noise_kind, one.quantity, one.cells) for one in found] == [
        (kind, name, 2) for kind in ("equal", "t3") for name in ("c_inf", "a", "alpha")
    ]


@pytest.mark.full
@pytest.mark.parametrize(("name", "seeds"), [("law_coverage", 45), ("average_coverage", 36)])
def test_the_specs_have_all_kinds_of_noise_and_sizes(name: str, seeds: int, request) -> None:
    study = load(request.config.rootpath / "sims" / f"{name}.toml")
    assert len(study) % seeds == 0
    assert {cell.noise_kind for cell in study} == {"equal", "falling", "t3"}
    assert {cell.points for cell in study} == {12, 30, 60}
