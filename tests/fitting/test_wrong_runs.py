"""Several wrong runs at one budget of an isoFLOP table are left out and named; honest scatter is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.fitting import compute_optimal, fit, isoflop
from errsrc.fitting.isoflops import wrong_rows
from errsrc.laws import Chinchilla

LAW = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
A = LAW.beta / (LAW.alpha + LAW.beta)
BUDGETS, SIZES = 5, 7


def table(seed: int, noise: float = 0.003, degrees: float = np.inf) -> dict[str, np.ndarray]:
    """Runs of seven model sizes at each of five budgets."""
    rng = np.random.default_rng(seed)
    flops = np.repeat(10.0 ** np.linspace(18, 20, BUDGETS), SIZES)
    best = (LAW.alpha * LAW.A / (LAW.beta * LAW.B)) ** (1 / (LAW.alpha + LAW.beta)) * (flops / 6) ** A
    m = best * np.tile(np.geomspace(1 / 4, 4, SIZES), BUDGETS)
    scatter = rng.standard_normal(len(m)) if np.isinf(degrees) else rng.standard_t(degrees, len(m))
    return {"error": LAW.error(n=flops / (6 * m), m=m) * np.exp(noise * scatter), "m": m, "flops": flops}


def spoiled(places: list[int], budgets: range, errors: list[float]) -> tuple[dict[str, np.ndarray], set[int]]:
    """The runs at some places of each of some budgets have other errors."""
    out = table(0)
    wrong = [SIZES * budget + place for budget in budgets for place in places]
    out["error"][wrong] = np.resize(errors, len(wrong))
    return out, set(wrong)


CASES = [
    ([5, 6], range(1, 2), [7.6, 7.6]),  # stuck, at the end
    ([2, 3], range(3, 4), [12.0, 300.0]),  # diverged, next to the minimum
    ([0, 6], range(4, 5), [3.4, 3.1]),
    ([0, 1, 2], range(2, 3), [7.6, 9.0, 11.0]),
    ([1, 4], range(BUDGETS), [5.5, 6.0, 30.0]),
    ([2, 3, 4], range(BUDGETS), [7.6, 9.0]),
]


@pytest.mark.parametrize(("places", "budgets", "errors"), CASES)
def test_wrong_runs_of_one_budget_do_not_hide_each_other(
    places: list[int], budgets: range, errors: list[float]
) -> None:
    runs, wrong = spoiled(places, budgets, errors)
    found = isoflop(**runs)
    assert {int(row) for group in found.groups for row in group.rows[~group.used]} == wrong
    assert found.a.estimate == pytest.approx(A, abs=0.05)
    assert sum("lies far off the parabola" in sentence for sentence in found.warnings) == len(wrong)


def test_all_approaches_leave_them_out_and_name_each_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, wrong = spoiled([1, 4], range(BUDGETS), [5.5, 6.0, 30.0])
    found = compute_optimal(data=runs, budgets=1e21)
    assert [one.method for one in found.frontiers] == ["isoFLOP parabolas", "law chinchilla"]
    for one in found.frontiers:
        assert one.a.low < A < one.a.high
    rows = zip(*runs.values(), strict=True)
    lines = [",".join(runs), *(",".join(map(repr, map(float, row))) for row in rows)]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    assert main(["frontier", str(tmp_path / "runs.csv"), "--budget", "1e21"]) == 0
    (said,) = (line for line in capsys.readouterr().out.splitlines() if "10 of 35 rows are far" in line)
    assert said.endswith(": " + "; ".join(f"line {row + 2}" for row in sorted(wrong)) + ".")


def test_runs_without_an_optimum_before_have_one_without_the_wrong_runs() -> None:
    runs, wrong = spoiled([3], range(BUDGETS), [9.0, 12.0])
    assert {int(row) for group in isoflop(**runs).groups for row in group.rows[~group.used]} == wrong


@pytest.mark.parametrize("degrees", [np.inf, 3.0])
def test_honest_scatter_is_not_named(degrees: float) -> None:
    for seed in range(2):
        runs = table(seed, 0.01, degrees)
        columns = runs | {"n": runs["flops"] / (6 * runs["m"])}
        assert not wrong_rows(columns, (Chinchilla,)).any()


@pytest.mark.parametrize("column", ["State", "status"])
def test_runs_that_have_not_finished_are_said_to(column: str) -> None:
    runs: dict = table(0)
    states = ["finished"] * len(runs["m"])
    assert "not finished" not in str(compute_optimal(data=runs | {column: states}, budgets=1e21))
    states[3:5] = ["crashed", "running"]
    found = compute_optimal(data=runs | {column: states}, budgets=1e21)
    expected = (
        f"2 of the 35 runs with usable numbers have not finished (column {column}: crashed, running). "
        "Keep only finished runs "
    )
    assert f"{expected}with --where {column}=finished." in found.warnings
    one = fit("chinchilla", data=runs | {column: states})
    assert any(sentence.startswith(expected) for sentence in one.warnings)
