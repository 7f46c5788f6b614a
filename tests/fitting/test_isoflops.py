"""isoFLOP tables: optima by parabolas, and the line through them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.datasets import published
from errsrc.errors import NoAnswer
from errsrc.fitting import isoflop
from errsrc.laws import Chinchilla

LAW = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
FLOPS = np.repeat([1e18, 1e19, 1e20], 5)
G = (LAW.alpha * LAW.A / (LAW.beta * LAW.B)) ** (1 / (LAW.alpha + LAW.beta))
A = LAW.beta / (LAW.alpha + LAW.beta)
BEST = G * (FLOPS / 6) ** A
M = BEST * np.tile([0.25, 0.5, 1.0, 2.0, 4.0], 3)
ERROR = LAW.error(n=FLOPS / (6 * M), m=M)


@pytest.fixture(scope="module")
def table() -> dict[str, np.ndarray]:
    """Compute, model size and error of runs of a known law, without their data sizes."""
    path = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"
    rows = np.genfromtxt(path, delimiter=",", names=True)
    return {name: rows[name] for name in rows.dtype.names}


def test_the_optima_of_each_budget_and_the_exponents() -> None:
    found = isoflop(ERROR, m=M, flops=FLOPS)
    assert [group.budget for group in found.groups] == pytest.approx([1e18, 1e19, 1e20])
    for group, best in zip(found.groups, BEST[::5], strict=True):
        assert group.m_optimal.estimate == pytest.approx(best, rel=0.03)
        assert 6 * group.n_optimal.estimate * group.m_optimal.estimate == pytest.approx(group.budget)
        assert group.curve(group.m_optimal.estimate) == pytest.approx(group.lowest_error.estimate)
    assert found.a.estimate == pytest.approx(A, abs=0.002)
    assert found.b.estimate == pytest.approx(1 - A, abs=0.002)
    assert found.warnings == ()


def test_a_table_without_data_sizes_gives_the_optimum_of_its_law(table: dict[str, np.ndarray]) -> None:
    found = isoflop(table["error"], m=table["m"], flops=table["flops"])
    ahead = found.frontier(1e21)
    assert found.cost == "C as given, n = C / (6 m)"
    assert ahead.m[0].low < 2.554e9 < ahead.m[0].high
    assert ahead.n[0].low < 6.52e10 < ahead.n[0].high
    assert ahead.ratio[0].low < 6.52e10 / 2.554e9 < ahead.ratio[0].high
    assert ahead.error is None
    again = isoflop(table["error"], m=table["m"], n=table["flops"] / (6 * table["m"]))
    assert again.cost == "C = 6 n m"
    assert again.a.estimate == pytest.approx(found.a.estimate)


def test_diverged_runs_are_left_out_and_named(table: dict[str, np.ndarray]) -> None:
    error = table["error"].copy()
    error[[19, 22]] = [7.6, 9.9]
    found = isoflop(error, m=table["m"], flops=table["flops"])
    assert found.a.low < 0.51 < found.a.high
    assert found.noise < 0.01
    assert [sentence.split(" at ")[0] for sentence in found.warnings] == [
        f"The run with m = {table['m'][k]:.4g} and error {error[k]:.4g}" for k in (19, 22)
    ]


def test_the_published_chinchilla_runs_by_nominal_budget() -> None:
    """Hoffmann et al. 2022, table 2: approach 2 gives a = 0.49, 80% interval (0.462, 0.534)."""
    runs = published("isoflops_openathena")
    own = runs["experiment"] == "ml_scalefit__massivetext__chinchilla"
    loss, m, budget = (runs[name][own] for name in ("loss", "params", "budget"))
    found = isoflop(loss, m=m, flops=budget)
    assert len(found.groups) == 9
    assert found.a.low < 0.534
    assert found.a.high > 0.462


def test_budgets_without_an_optimum_are_left_out_with_their_reason() -> None:
    falling = ERROR.copy()
    falling[:5] = [4.0, 3.8, 3.65, 3.56, 3.5]
    found = isoflop(np.append(falling, 3.0), m=np.append(M, 1e8), flops=np.append(FLOPS, 3e20))
    assert [group.excluded for group in found.groups] == [
        "its minimum lies outside the measured sizes",
        "",
        "",
        "fewer than three sizes",
    ]
    assert found.warnings[0].startswith(
        "2 of 4 budgets are left out of the line: its minimum lies outside the"
    )
    assert "left out: fewer than three sizes" in str(found)
    with pytest.raises(NoAnswer, match="No budget of the table has an optimal model size: its minimum"):
        isoflop(falling[:5], m=M[:5], flops=FLOPS[:5])


def test_a_single_budget_has_an_optimum_and_no_exponent() -> None:
    found = isoflop(ERROR[:5], m=M[:5], flops=FLOPS[:5])
    assert not found.a.determined
    assert any(sentence.startswith("Only the budget 1e+18 has an optimum:") for sentence in found.warnings)
    frontier = found.frontier([1e18, 1e20])
    assert frontier.m[0] == found.groups[0].m_optimal
    assert not frontier.m[1].determined
    assert str(found.frontier(1e20).m[0]) == "not determined"


def test_flops_that_share_no_budget_are_refused_unless_budgets_are_named() -> None:
    flops = FLOPS * np.exp(np.linspace(-0.15, 0.15, 15))
    named = isoflop(ERROR, m=M, flops=flops, budgets=[1e18, 1e19, 1e20, 1e25])
    assert [len(group.m) for group in named.groups] == [5, 5, 5]
    spread = np.geomspace(1e18, 3e18, 15)
    with pytest.raises(NoAnswer, match=r"do not share budgets.* Name the nominal budgets"):
        isoflop(ERROR, m=M, flops=spread)
    far = isoflop(np.append(ERROR, 2.0), m=np.append(M, 1e9), flops=np.append(flops, 1e22), budgets=[1e19])
    assert far.warnings[0] == "11 runs are farther than a factor of 1.5 from all budgets: left out."


def test_what_is_no_table_of_runs_is_refused() -> None:
    with pytest.raises(TypeError, match="takes the 'flops' parameter, the 'n' parameter, or both"):
        isoflop(ERROR, m=M)
    with pytest.raises(ValueError, match="'m' parameter of isoflop must be an array of finite numbers > 0"):
        isoflop(ERROR, m=-M, flops=FLOPS)
    with pytest.raises(ValueError, match=r"'flops' parameter of isoflop must be .*as long as the others"):
        isoflop(ERROR, m=M, flops=FLOPS[:3])


def test_flops_that_are_not_6_n_m_are_said_to() -> None:
    found = isoflop(ERROR, m=M, flops=FLOPS, n=FLOPS / (8 * M))
    assert found.warnings == ("The flops are 1.3 to 1.3 times 6 n m; the budgets are the flops.",)


def test_budgets_hidden_by_noise_need_seeds_or_a_wider_range_of_sizes() -> None:
    x = np.linspace(-2, 2, 7)
    noise = 0.02 * np.array([1, -1, 1, -1, 1, -1, 1])
    error = np.concatenate([4 + 0.5 * x**2 + noise, 3 + 0.001 * x**2 + noise])
    found = isoflop(error, m=np.tile(1e8 * np.exp(x), 2), flops=np.repeat([1e18, 1e20], 7))
    assert found.groups[1].excluded == "its errors scatter more than they bend"
    assert "Add seeds or a wider range of sizes at the other budgets." in found.warnings[-1]
    assert found.frontier([1e18, 1e22]).remarks == ()  # nothing is determined beyond 1e18
