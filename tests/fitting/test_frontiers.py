"""Compute-optimal frontiers, against closed forms and published numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from errsrc.datasets import published
from errsrc.errors import NoAnswer
from errsrc.fitting import AveragedFit, Fit, auto, fit, frontier, plan
from errsrc.laws import Chinchilla, Power
from fitting.cases import grid

FIXTURES = Path(__file__).parents[1] / "fixtures"
LAW = Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
SIZES = {name: x * scale for (name, x), scale in zip(grid().items(), (1e5, 1e3), strict=True)}


@pytest.fixture(scope="module")
def clean() -> Fit:
    """Runs of four budgets, whose errors have no noise but the rounding of the table."""
    table = np.genfromtxt(FIXTURES / "isoflop_clean.csv", delimiter=",", names=True)
    return fit(Chinchilla, table["error"], n=table["n"], m=table["m"])


def test_the_frontier_of_the_additive_law_is_its_closed_form() -> None:
    """Hoffmann et al. 2022, eq. 4: m = G (C / 6)^a, n = (C / 6)^b / G."""
    found = frontier(fit(Chinchilla, LAW.error(**SIZES), **SIZES), [1e18, 1e21, 1e19])
    g = (LAW.alpha * LAW.A / (LAW.beta * LAW.B)) ** (1 / (LAW.alpha + LAW.beta))
    a = LAW.beta / (LAW.alpha + LAW.beta)
    columns = found.columns()
    np.testing.assert_allclose(columns["budget"], [1e18, 1e21, 1e19])
    np.testing.assert_allclose(columns["m"], g * (columns["budget"] / 6) ** a, rtol=1e-3)
    np.testing.assert_allclose(6 * columns["n"] * columns["m"], columns["budget"])
    np.testing.assert_allclose(columns["ratio"], columns["n"] / columns["m"])
    np.testing.assert_allclose(columns["error"], LAW.error(n=columns["n"], m=columns["m"]), rtol=1e-6)
    assert found.a.estimate == pytest.approx(a, rel=1e-6)
    assert found.b.estimate == pytest.approx(1 - a, rel=1e-6)


def test_the_frontier_of_the_published_chinchilla_runs() -> None:
    """Besiroglu et al. 2024, table 1: alpha 0.348 and beta 0.366, both +- 0.02; a = beta / (alpha + beta)."""
    table = published("chinchilla_epoch")
    n, m, loss = (table[name][~table["outlier"]] for name in ("tokens", "params", "loss"))
    law = fit(Chinchilla, loss, n=n, m=m, objective="huber", huber_delta=1e-3)
    found = frontier(law, 5.76e23)
    error = np.hypot(0.3478, 0.3658) * 0.02 / (0.3478 + 0.3658) ** 2
    assert found.a.estimate == pytest.approx(0.3672 / (0.3473 + 0.3672), abs=1e-4)
    assert abs(found.a.estimate - 0.3658 / (0.3478 + 0.3658)) < error
    assert 0.5 * error < (found.a.high - found.a.low) / (2 * 1.645) < 2 * error
    assert found.ratio[0].low < 20 < found.ratio[0].high


def test_a_table_made_by_a_known_law_gives_its_optimum(clean: Fit) -> None:
    found = frontier(clean, 1e21)
    for interval, truth in ((found.m, 2.554e9), (found.n, 6.52e10), (found.error, 2.2993)):
        assert interval is not None
        assert interval[0].low < truth < interval[0].high
        assert interval[0].estimate == pytest.approx(truth, rel=0.01)


def test_exponents_of_other_laws_and_costs_are_slopes_between_the_budgets(clean: Fit) -> None:
    exact = frontier(clean, [1e19, 1e21])
    same = frontier(clean, [1e19, 1e21], cost=lambda n, m: 6 * n * m)
    assert "constant exponents" in exact.scope
    assert same.scope == "between the budgets 1e+19 and 1e+21"
    assert same.a.estimate == pytest.approx(exact.a.estimate, rel=1e-5)
    assert same.a.low == pytest.approx(exact.a.low, rel=1e-4)
    assert same.m[1].high == pytest.approx(exact.m[1].high, rel=1e-5)
    lone = frontier(clean, 1e20, cost=lambda n, m: 6 * n * m)
    assert lone.a.estimate == pytest.approx(exact.a.estimate, rel=1e-5)
    dear = frontier(clean, [1e19, 1e21], cost=lambda n, m: 6 * n * m + 1e10 * m)
    assert dear.m[0].estimate < exact.m[0].estimate


@pytest.mark.full
def test_an_average_has_the_frontier_of_its_central_curve() -> None:
    table = np.genfromtxt(FIXTURES / "isoflop_clean.csv", delimiter=",", names=True)
    found = auto(table["error"], fixed={"eps0": 10.0}, n=table["n"], m=table["m"])
    answer = frontier(found, [1e18, 1e20])
    assert answer.method.startswith("average of ")
    assert "chinchilla" in answer.method
    assert len(found.members) == 4
    for budget, m in zip(answer.budgets, answer.m, strict=True):
        others = m.estimate * np.array([0.8, 1.0, 1.25])
        errors = found.predict(n=budget / (6 * others), m=others).predicted
        assert errors.argmin() == 1
        assert m.low < m.estimate < m.high


def test_the_table_has_the_exponents_first_and_a_row_for_each_budget(clean: Fit) -> None:
    found = frontier(clean, [1e20, 1e21])
    lines = str(found).splitlines()
    assert lines[0] == "law chinchilla; C = 6 n m; 90% intervals"
    assert repr(found).startswith("Frontier(law chinchilla: m* ~ C^a, a = 0.51")
    assert found.as_dict()["m"][1]["estimate"] == pytest.approx(2.554e9, rel=0.01)
    assert lines[1].startswith("m* ~ C^a   a = 0.51")
    assert re.split(r"  +", lines[3].strip())[1:] == ["m* (model size)", "n* (data size)", "n*/m*", "error"]
    assert [line.split()[0] for line in lines[4:6]] == ["1e+20", "1e+21"]


def test_what_has_no_frontier_is_refused(clean: Fit) -> None:
    n = np.geomspace(10, 1e5, 20)
    with pytest.raises(ValueError, match=r"'fit' parameter of frontier must be .* Got <a law in n> instead"):
        frontier(fit(Power, Power(0.1, 2.0, 0.5).error(n=n), n=n), 1e9)
    with pytest.raises(ValueError, match="'budgets' parameter of frontier"):
        frontier(clean, [1e20, -1.0])
    with pytest.raises(ValueError, match=r"'budgets' parameter of frontier .* not empty"):
        frontier(clean, np.array([], dtype=float))
    with pytest.raises(TypeError, match="'cost' parameter of frontier must be a function"):
        frontier(clean, 1e20, cost=6)  # type: ignore[arg-type]
    sizes = grid()
    only_n = fit(Chinchilla, 0.1 + 30 * sizes["n"] ** -0.5, fixed={"A": 0.0, "alpha": 0.3}, **sizes)
    with pytest.raises(NoAnswer, match="no optimal model size: its error falls for ever smaller models"):
        frontier(only_n, 1e9)


@pytest.mark.full
def test_plans_of_many_goals_are_the_plans_of_each(clean: Fit) -> None:
    both = plan(clean, budget=np.array([1e20, 1e21]))
    assert [one.m for one in both] == [plan(clean, budget=goal).m for goal in (1e20, 1e21)]
    (one,) = plan(clean, error=[2.5])
    assert one == plan(clean, error=2.5)
    with pytest.raises(ValueError, match="'budget' parameter of plan must be an array of finite numbers > 0"):
        plan(clean, budget=[1e20, 0.0])
    with pytest.raises(ValueError, match="one-dimensional"):
        plan(clean, budget=np.ones((2, 2)))


def test_an_average_says_why_its_exponent_is_outside_those_of_its_laws() -> None:
    """The excess error of one law falls faster, so that its optimum counts less and less."""
    laws = (Chinchilla(1.0, 30.0, 90.0, 0.2, 0.2), Chinchilla(1.0, 3e4, 3e4, 0.5, 0.5))
    members = tuple(fit(Chinchilla, law.error(**SIZES), **SIZES) for law in laws)
    (sentence,) = frontier(AveragedFit(members, (0.5, 0.5), ()), [1e17, 1e23]).warnings[:1]
    assert sentence.startswith("The exponent a = 0.464 of the average lies outside those of its laws (chin")
    assert "chinchilla 0.500, chinchilla 0.500" in sentence
    alone = frontier(AveragedFit(members[:1] * 2, (0.5, 0.5), ()), [1e17, 1e23])
    assert not any("outside those of its laws" in text for text in alone.warnings)
