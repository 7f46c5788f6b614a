"""Parameters that were held instead of fitted: every result says so, and none gives them an interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import auto, compare, compute_optimal, fit, frontier, load_fit, plan, save_fit
from errsrc.fitting.several_laws import AveragedFit
from errsrc.laws import Chinchilla, Power
from errsrc.plots.labels import law_title
from errsrc.report.holdout import law_blocks

N = 1000 * 2.0 ** np.arange(10)
CURVE = Power(c_inf=0.1, a=3.0, alpha=0.5).error(n=N) * np.exp(
    0.01 * np.random.default_rng(0).standard_normal(10)
)
LAW = Chinchilla(E=1.8, A=400.0, B=1500.0, alpha=0.34, beta=0.37)
SIZES = dict(
    zip("nm", map(np.ravel, np.meshgrid(1e8 * 4.0 ** np.arange(4), 1e6 * 4.0 ** np.arange(4))), strict=True)
)
GRID = LAW.error(**SIZES) * np.exp(0.005 * np.random.default_rng(1).standard_normal(16))
HELD = {"alpha": 0.34, "beta": 0.37, "E": 1.8}


@pytest.fixture(scope="module")
def curve() -> AveragedFit:
    return auto(CURVE, n=N, fixed={"alpha": 0.5, "c_inf": 0.1})


@pytest.fixture(scope="module")
def grid() -> AveragedFit:
    return auto(GRID, **SIZES, fixed=HELD)


def test_an_average_says_that_its_exponent_and_its_floor_were_held(curve: AveragedFit) -> None:
    lines = str(curve).splitlines()
    assert lines[0].split() == ["exponent", "0.5", "(held)", "of", "n,", "above", "the", "floor"]
    assert lines[1].split() == ["floor", "0.1", "(held)"]
    assert "not determined" not in str(curve)
    assert "if the error had no floor" not in str(curve)
    assert "exponent of n 0.5 (held), floor 0.1 (held)" in repr(curve)
    assert "0.5 (held)" in curve._repr_html_()
    shown = curve.as_dict()
    assert shown["held"] == ["c_inf", "alpha"]
    assert shown["average"]["exponents"]["n"] == {"estimate": 0.5, "low": 0.5, "high": 0.5, "level": 0.9}
    assert str(plan(curve, error=0.11).floor) == "0.1 (held)"


@pytest.mark.full
def test_laws_in_which_a_held_parameter_has_another_meaning_are_left_out(curve: AveragedFit) -> None:
    """In M4, c_inf is a share of eps0, and in the dense laws alpha is the exponent of n instead of m."""
    assert [type(one.law) for one in curve.members] == [Power]
    assert curve.warnings[0] == (
        "The laws envelope and m4 are left out of the average: there, c_inf has another meaning."
    )
    both = auto(GRID, **SIZES, fixed={"alpha": 0.34, "eps0": 11.0})
    assert str(both.asymptotes["m"]) == "0.34 (held)"
    assert both.warnings[0].startswith("The laws dense and coupled-dense are left out of the average: there,")


@pytest.mark.full
def test_an_average_of_n_and_m_and_its_frontier(grid: AveragedFit, tmp_path: Path) -> None:
    assert str(grid).splitlines()[0].endswith("0.37 (held) of n, 0.34 (held) of m, above the floor")
    assert "exponent of n 0.37 (held)" in law_title(grid)
    save_fit(grid, tmp_path / "fit.json")
    for one in (grid, load_fit(tmp_path / "fit.json")):
        found = frontier(one, 1e18)
        assert str(found.a) == f"{0.37 / 0.71:.6g} (held)"
        assert str(found.b) == f"{0.34 / 0.71:.6g} (held)"
        assert str(plan(one, budget=1e18).floor) == "1.8 (held)"
    table = compute_optimal(GRID, **SIZES, fixed={"alpha": 0.34, "beta": 0.37}, budgets=1e18)
    assert str(table.frontiers[-1].a) == f"{0.37 / 0.71:.6g} (held)"


def test_one_law_says_it_everywhere() -> None:
    found = fit(Power, CURVE, n=N, fixed={"alpha": 0.5, "c_inf": 0.1})
    assert found.held == {"c_inf": 0.1, "alpha": 0.5}
    assert repr(found).count("(held)") == law_title(found).count("(held)") + 1 == 2
    assert str(found).count("(held)") == 2
    assert found.as_dict()["held"] == ["c_inf", "alpha"]
    (table,) = (block for block in law_blocks(found) if hasattr(block, "rows"))
    assert ("alpha", "0.5 (held)") in [tuple(row[:2]) for row in table.rows]
    assert "alpha 0.5 (held)" in str(compare(["power"], CURVE, n=N, fixed={"alpha": 0.5}))
    free = fit(Power, CURVE, n=N)
    assert free.held == {}
    assert "held" not in free.as_dict()
    assert "held" not in str(free)
