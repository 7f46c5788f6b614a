"""What a result says about how far it extrapolates, and about the parts of its interval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import Fit, compute_optimal, fit, frontier, plan
from errsrc.fitting.plans import plans_table
from errsrc.fitting.ranges import COVERED_OWN, COVERED_PUBLISHED
from errsrc.laws import Chinchilla

TABLE = np.genfromtxt(Path(__file__).parents[1] / "fixtures" / "isoflop_clean.csv", delimiter=",", names=True)
N, M, ERROR = (TABLE[name] for name in ("n", "m", "error"))
LARGEST = float((6 * N * M).max())


@pytest.fixture(scope="module")
def runs() -> Fit:
    return fit(Chinchilla, ERROR, n=N, m=M)


def test_a_prediction_says_how_far_it_extrapolates_and_what_its_interval_is_made_of(runs: Fit) -> None:
    inside = runs.predict(n=N[:3], m=M[:3])
    assert inside.measured["n"].above == inside.measured["6 n m"].below == 1
    assert "Beyond" not in str(inside)
    far = runs.predict(n=N.max() * 10, m=M.max() * 30)
    assert far.measured["m"].above == pytest.approx(30)
    assert f"n up to 10 times the largest measured ({N.max():.3g}); m up to 30 times" in str(far)
    assert far.as_dict()["measured"]["n"] == {"low": N.min(), "high": N.max(), "below": 1.0, "above": 10.0}
    parts = far.shares
    assert sum(parts.values()) == pytest.approx(1)
    assert parts["form"][0] > 0.6 > inside.shares["form"].max() > 0
    samples = runs.run_samples(n=far.inputs["n"], m=far.inputs["m"])[:, 0]
    width = np.diff(np.quantile(samples, [0.16, 0.84]))[0] / 2
    assert runs.run_noise / np.sqrt(parts["noise"][0]) == pytest.approx(width, rel=0.25)
    assert f"predicted error is {parts['form'][0]:.0%} doubt about the law's form, " in str(far)
    assert "The variance of the predicted errors is " in str(inside)


def test_plans_and_frontiers_say_how_far_they_extrapolate(runs: Fit) -> None:
    budgets = [LARGEST, 100 * LARGEST]
    one, two = plan(runs, budget=budgets)
    assert one.measured["6 n m"].above == pytest.approx(1)
    assert two.as_dict()["measured"]["6 n m"]["above"] == pytest.approx(100)
    words = f"up to 100 times the largest measured ({LARGEST:.3g})"
    assert f"6 n m {words}" in str(two)
    assert f"6 n m {words}" in plans_table([one, two])
    found = frontier(runs, budgets)
    assert f"Beyond the measured range: budget {words}." in str(found)
    assert found.as_dict()["measured"]["budget"]["above"] == pytest.approx(100)
    assert found.shares["form"][1] == pytest.approx(two.shares["form"], abs=1e-3)
    both = compute_optimal(ERROR, n=N, m=M, budgets=budgets)
    assert str(both).count("Beyond the measured range") == 1
    assert str(both).count("doubt about the law's form") == 1


def test_runs_larger_in_both_sizes_are_told_how_often_such_intervals_held(runs: Fit) -> None:
    told = "n and m are larger than in all measured runs"
    for sizes in ({"n": N.max() * 1.5, "m": M.max()}, {"n": N.max(), "m": M.max() * 1.5}):
        assert told not in str(runs.predict(**sizes))
    several = runs.predict(n=N.max() * np.array([1.0, 1.5, 2.0]), m=M.max() * 1.5)
    assert f"In 2 of 3 rows, both {told}. For such runs, 90% intervals of the default fit contained " in str(
        several
    )
    assert "87% of the errors in published tables, and 81% in errsrc's own grids." in str(several)
    assert f"\nBoth {told}" in str(runs.predict(n=N.max() * 1.5, m=M.max() * 1.5))
    budgets = [LARGEST, 1e4 * LARGEST]
    found = frontier(runs, budgets)
    assert found.both_larger == (False, True)
    for text in (
        str(found),
        plans_table(plan(runs, budget=budgets)),
        str(compute_optimal(ERROR, n=N, m=M, budgets=budgets)),
    ):
        assert text.count(f"In 1 of 2 rows, both {told}") == 1


def test_the_stated_coverage_is_that_of_the_benchmark() -> None:
    figures = json.loads((Path(__file__).parents[2] / "benchmarks/results/corners.json").read_text())
    measured = [figures[kind]["mean of families"]["both, covered"] for kind in ("left out", "own")]
    assert np.round(measured, 2).tolist() == [COVERED_PUBLISHED, COVERED_OWN]
