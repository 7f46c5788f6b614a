"""What to run next: known best answers, and the agreement of expected intervals with refits."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from errsrc.errors import NoAnswer
from errsrc.fitting import Design, Fit, auto, design, fit
from errsrc.laws import Chinchilla, Dense, Power
from fitting.cases import noisy

LAW = Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
TARGET = {"n": 1e12, "m": 7e10}


def grid(n: list[float], m: list[float]) -> dict[str, np.ndarray]:
    return dict(zip("nm", (x.ravel() for x in np.meshgrid(n, m)), strict=True))


CELLS = grid([2e9, 16e9, 64e9, 25e10], [1e8, 1e9, 4e9, 16e9])
"""Candidates, most of them larger than the measured runs."""
SIZES = grid([1e9, 2e9, 4e9, 8e9, 16e9], [1e7, 3e7, 1e8, 3e8, 1e9])


@pytest.fixture(scope="module")
def joint() -> Fit:
    """A fit to 25 small runs with 0.5% noise."""
    return fit(Chinchilla, noisy(LAW, SIZES, 0.005), **SIZES)


@pytest.fixture(scope="module")
def curve() -> Fit:
    """A fit of a power law to eight small runs with 2% noise."""
    n = 1000 * 2.0 ** np.arange(4)
    return fit(Power, noisy(Power(0.1, 3.0, 0.4), {"n": n}, 0.02), n=n)


def test_the_interval_now_is_that_of_the_prediction(joint: Fit) -> None:
    found, predicted = design(joint, TARGET, runs=1), joint.predict(**TARGET)
    assert (found.answer.low, found.answer.high) == (predicted.low, predicted.high)
    assert found.answer.estimate == predicted.predicted


def test_a_straight_line_is_measured_at_its_end() -> None:
    """For a slope, the ends of the range have the largest leverage, and the far end is best at equal cost."""
    m, n = np.full(6, 1e8), 1e9 * 2.0 ** np.arange(6)
    straight = fit(
        Chinchilla,
        noisy(LAW, {"n": n, "m": m}, 0.003),
        fixed={"E": LAW.E, "A": LAW.A, "alpha": LAW.alpha},
        n=n,
        m=m,
    )
    where = {"n": [1e9, 4e9, 8e9, 16e9, 31e9], "m": 1e8}
    found = design(
        straight, {"exponent": "n"}, candidates=where, cost=lambda n, m: np.ones(n.shape), budget=1, runs=5
    )
    assert [run.inputs["n"] for run in found.runs] in ([1e9], [31e9])
    assert len(found.runs) == 1


@pytest.mark.parametrize(("name", "size"), [("beta", "n"), ("alpha", "m")])
def test_one_run_is_chosen_as_by_the_information_matrix(joint: Fit, name: str, size: str) -> None:
    """At equal cost, the gain of the chosen run is near the largest (c-optimality, Elfving 1952)."""
    names = list(LAW.params)

    def slopes(sizes: dict[str, np.ndarray]) -> np.ndarray:
        here = np.log(LAW.error(**sizes))
        step = 1e-5
        moved = [
            np.log(Chinchilla(**{**LAW.params, key: LAW.params[key] * (1 + step)}).error(**sizes))
            for key in names
        ]
        return np.array([(one - here) / step for one in moved]).T

    cells = {key: x * 1.0 for key, x in SIZES.items()}
    inverse = np.linalg.inv(slopes(SIZES).T @ slopes(SIZES))
    rows, k = slopes(cells), names.index(name)
    gains = (rows @ inverse[:, k]) ** 2 / (1 + np.einsum("ij,jk,ik->i", rows, inverse, rows))
    found = design(
        joint, {"exponent": size}, candidates=cells, cost=lambda n, m: np.ones(n.shape), budget=1, runs=1
    )
    sizes = found.runs[0].inputs
    chosen = int(np.flatnonzero((cells["n"] == sizes["n"]) & (cells["m"] == sizes["m"]))[0])
    assert gains[chosen] > 0.9 * gains.max() > 1.3 * np.median(gains)


def test_the_run_that_is_asked_for_is_the_best_one(joint: Fit) -> None:
    cells = {"n": [1e12, 2e9, 1e11], "m": [7e10, 2e8, 7e9]}
    found = design(joint, TARGET, candidates=cells, budget=1e30, runs=1)
    assert found.runs[0].inputs == TARGET
    assert found.half_widths[1] < 0.5 * found.half_widths[0]


@pytest.mark.full
def test_expected_intervals_agree_with_refits() -> None:
    """The expected half widths, over the half widths after the runs were made, have a mean near 1."""
    cells = grid([2e9, 8e9, 32e9, 1e11], [1e8, 4e8, 16e8, 64e8])
    ratios: dict[str, list[float]] = {"cell": [], "exponent": []}
    for seed in range(4):
        error = noisy(LAW, SIZES, 0.005, seed)
        found = fit(Chinchilla, error, **SIZES)
        for name, question in {"cell": {"n": 1e11, "m": 7e9}, "exponent": {"exponent": "n"}}.items():
            planned = design(found, question, candidates=cells, budget=1e22, runs=4)
            new = {key: planned.columns()[key] for key in ("n", "m")}
            both = {key: np.append(SIZES[key], new[key]) for key in new}
            after = fit(Chinchilla, np.append(error, noisy(LAW, new, 0.005, 100 + seed)), **both)
            again = design(after, question, candidates=cells, budget=1e22, runs=1)
            ratios[name].append(math.log(planned.half_widths[-1] / again.half_widths[0]))
            assert again.half_widths[0] < planned.half_widths[0]
    for logs in ratios.values():
        assert abs(np.mean(logs)) < 0.2
        assert np.std(logs) < 0.4


def test_a_design_stops_when_the_interval_is_narrow_enough(joint: Fit) -> None:
    now = design(joint, TARGET, candidates=CELLS, budget=1e24, runs=1).half_widths[0]
    found = design(joint, TARGET, candidates=CELLS, budget=1e24, until=now * 0.8)
    assert found.stops
    assert found.half_widths[-1] <= now * 0.8 < found.half_widths[-2]
    assert "narrow enough" in str(found)
    at_once = design(joint, TARGET, candidates=CELLS, until=now * 1.1)
    assert at_once.runs == ()
    assert at_once.stops
    assert "nothing to run" in str(at_once)
    never = design(joint, TARGET, candidates=CELLS, until=1e-4, runs=2)
    assert not never.stops
    assert "still wider than ±0.01% after 2 runs" in str(never)
    assert "the noise of one run alone gives" in never.warnings[-1]


@pytest.mark.full
def test_runs_that_are_not_needed_are_dropped(curve: Fit) -> None:
    """Without any one of its runs, a design does not reach its goal; the last run alone may be enough."""
    found = design(curve, {"n": 1e7}, budget=1e7, until=0.1)
    assert found.stops
    for run in found.runs:
        others = [other.inputs["n"] for other in found.runs if other is not run]
        if others:
            fewer = design(curve, {"n": 1e7}, candidates={"n": others}, budget=1e7, until=0.1)
            assert not fewer.stops


def test_wide_intervals_are_shown_as_factors(joint: Fit) -> None:
    found = design(joint, TARGET, candidates=CELLS, runs=1)
    assert found.width_text(0.03) == "±3%"
    assert found.width_text(math.log(20)) == "a factor of 20"


def test_a_design_keeps_to_its_budget_and_its_candidates(joint: Fit) -> None:
    found = design(joint, TARGET, candidates=CELLS, budget=3e21, runs=6)
    assert found.cost <= 3e21
    assert 1 <= len(found.runs) <= 6
    assert max(np.diff(found.half_widths)) < 1e-3
    np.testing.assert_allclose(np.cumsum([run.cost for run in found.runs]), found.columns()["total"])
    np.testing.assert_allclose(
        6 * found.columns()["n"] * found.columns()["m"], [run.cost for run in found.runs]
    )
    pairs = set(zip(found.candidates["n"], found.candidates["m"], strict=True))
    assert {(run.inputs["n"], run.inputs["m"]) for run in found.runs} <= pairs
    default = design(joint, TARGET, runs=1)
    assert default.candidates["n"].max() == 1e12
    assert default.budget == pytest.approx(float((6 * SIZES["n"] * SIZES["m"]).sum()))


def test_more_money_is_no_worse(joint: Fit) -> None:
    ends = [
        design(joint, TARGET, candidates=CELLS, budget=10.0**k, runs=2).half_widths[-1] for k in (19, 21, 23)
    ]
    assert ends[0] > ends[1] > ends[2]


def test_questions_about_the_frontier_and_of_your_own(joint: Fit) -> None:
    found = design(joint, {"frontier": 1e23}, budget=1e22, runs=3)
    assert found.question == "m* at the budget 1e+23"
    assert found.relative
    assert found.answer.low < found.answer.estimate < found.answer.high
    assert found.half_widths[-1] < found.half_widths[0]

    def ratio(forecast: Fit) -> np.ndarray:
        params = forecast.law.params
        return np.concatenate([[params["alpha"]], forecast.draws["alpha"]]) - np.concatenate(
            [[params["beta"]], forecast.draws["beta"]]
        )

    own = design(joint, ratio, budget=1e22, runs=2)
    assert own.question == "ratio"
    assert not own.relative
    assert own.half_widths[-1] < own.half_widths[0]


@pytest.mark.full
def test_an_average_and_a_law_in_n_alone(curve: Fit) -> None:
    average = auto(noisy(LAW, SIZES, 0.005), **SIZES)
    for question in (TARGET, {"exponent": "m"}):
        found = design(average, question, budget=1e22, runs=2)
        assert found.half_widths[-1] < found.half_widths[0]
    found = design(curve, {"n": 1e7}, budget=1e6, runs=2)
    assert list(found.columns()) == ["n", "cost", "total", "error", "half_width"]
    assert found.cost == sum(run.inputs["n"] for run in found.runs) <= 1e6


def test_a_design_prints_and_turns_into_json(joint: Fit) -> None:
    found = design(joint, TARGET, candidates=CELLS, budget=1e22, runs=3)
    lines = str(found).splitlines()
    assert lines[0].startswith("error at n = 1e+12, m = 7e+10: ")
    assert lines[1].split() == ["run", "n", "m", "cost", "total", "cost", "error", "interval", "after"]
    assert len(lines) == 6
    assert repr(found).startswith("Design(error at n = 1e+12, m = 7e+10: ±")
    shown = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert len(shown["runs"]) == 3
    assert shown["runs"][0]["inputs"] == found.runs[0].inputs


def test_bad_arguments(joint: Fit, curve: Fit) -> None:
    for question in (
        {"n": 1e12},
        {"exponent": "density"},
        {"n": -1, "m": 1},
        {"frontier": 0},
        {},
        lambda _: 3,
    ):
        with pytest.raises(ValueError, match="design must"):
            design(joint, question)
    with pytest.raises((TypeError, ValueError), match="'question' parameter of design"):
        design(joint, "n")
    with pytest.raises(ValueError, match="'question' parameter of design"):
        design(curve, {"frontier": 1e20})
    with pytest.raises(TypeError, match="'candidates' parameter of design must be a dict of n and m"):
        design(joint, TARGET, candidates={"n": [1e9]})
    with pytest.raises(ValueError, match="arrays of one length"):
        design(joint, TARGET, candidates={"n": [1e9, 2e9], "m": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="the cost of the cheapest candidate"):
        design(joint, TARGET, budget=1.0)
    with pytest.raises(ValueError, match="'until' parameter of design"):
        design(joint, TARGET, until=0)
    with pytest.raises(TypeError, match="'fit' parameter of design"):
        design(None, TARGET)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'cost' parameter of design"):
        design(joint, TARGET, cost=6)


def test_a_law_without_an_optimum_has_no_frontier() -> None:
    sizes = grid([1e9, 4e9, 16e9], [1e7, 4e7, 16e7])
    rising = fit(Chinchilla, 1.0 + 410 * sizes["n"] ** -0.28 + 0 * sizes["m"], fixed={"A": 0.0}, **sizes)
    with pytest.raises(NoAnswer):
        design(rising, {"frontier": 1e21})


def test_dense_laws_have_exponents_of_both_sizes() -> None:
    sizes = grid([1e3, 2e3, 4e3, 8e3], [1e3, 4e3, 16e3])
    truth = Dense(0.9, 0.4, 0.6, 0.2, 0.02, 4.0, n_full=8e3, m_base=16e3)
    found: Design = design(
        fit(Dense, noisy(truth, sizes, 0.01), fixed={"eps0": 0.9}, **sizes), {"exponent": "n"}, runs=1
    )
    assert found.question == "exponent of n"


def test_costs_can_be_given_for_each_candidate(joint: Fit) -> None:
    costs = 6 * CELLS["n"] * CELLS["m"]
    by_function = design(joint, TARGET, candidates=CELLS, budget=1e21, runs=2)
    assert design(joint, TARGET, candidates=CELLS, cost=costs, budget=1e21, runs=2).runs == by_function.runs
    with pytest.raises(ValueError, match=r"the cost of each of the given candidates\. Got <2 for 16>"):
        design(joint, TARGET, candidates=CELLS, cost=[1.0, 2.0])
    with pytest.raises(TypeError, match="of each of the given candidates"):
        design(joint, TARGET, cost=costs)
