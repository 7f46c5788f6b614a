"""A few diverged runs among many good ones: robust fits discount them, and name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.errors import NoFit
from errsrc.fitting import auto, fit
from errsrc.laws import Chinchilla, Power

_, N, M, GOOD = np.loadtxt(
    Path(__file__).parents[1] / "fixtures" / "isoflop_clean.csv", delimiter=",", skiprows=1
).T


def diverged(errors: dict[int, float]) -> np.ndarray:
    out = GOOD.copy()
    for row, error in errors.items():
        out[row] = error
    return out


@pytest.mark.parametrize(
    "errors",
    [{19: 7.6, 22: 9.9}, {13: 11.0}, {8: 6.5, 15: 8.0, 20: 12.0}, {8: 30.0, 9: 30.0}, {23: 1e3}],
)
def test_a_huber_fit_stands_and_names_the_diverged_runs(errors: dict[int, float]) -> None:
    error = diverged(errors)
    found = fit(Chinchilla, error, n=N, m=M, objective="huber", huber_delta=1e-3)
    assert abs(found.law.params["E"] - 1.8) < 0.2
    assert found.law.params["beta"] == pytest.approx(0.36, abs=0.04)
    some = "1 of 24 rows is" if len(errors) == 1 else f"{len(errors)} of 24 rows are"
    done = "was" if len(errors) == 1 else "were"
    (sentence,) = (text for text in found.warnings if "far from the law" in text)
    assert sentence.startswith(f"{some} far from the law, and {done} discounted: ")
    for row, value in errors.items():
        assert f"n = {N[row]:.6g}, m = {M[row]:.6g}, error = {value:g}" in sentence


@pytest.mark.full
@pytest.mark.parametrize("errors", [{19: 7.6, 22: 9.9}, {13: 11.0}, {8: 6.5, 15: 8.0, 20: 12.0}])
def test_the_default_survives_them(errors: dict[int, float]) -> None:
    found = auto(diverged(errors), n=N, m=M)
    (law,) = (fit.law for fit in found.members if isinstance(fit.law, Chinchilla))
    assert law.params["beta"] == pytest.approx(0.36, abs=0.05)
    assert abs(law.params["E"] - 1.8) < 0.25
    assert any("far from the law" in text for text in found.warnings)


@pytest.mark.full
def test_a_wrong_run_does_not_widen_the_intervals_of_huber() -> None:
    n = 100 * 2.0 ** np.arange(12)
    curve = Power(0.05, 2.0, 0.5).error(n=n) * np.exp(0.01 * np.random.default_rng(5).standard_normal(12))
    curve[5] *= 2.5
    of_curve = [fit(Power, curve, n=n, objective=name).intervals["alpha"] for name in ("log", "huber")]
    corner = diverged({23: 8.0})  # in refits with a large weight it would bend the law
    of_grid = [fit(Chinchilla, corner, n=N, m=M, objective=name).intervals["E"] for name in ("log", "huber")]
    for squares, huber in (of_curve, of_grid):
        assert huber.high - huber.low < 1.5 * (squares.high - squares.low)
    seeds = fit(Power, np.append(curve, 3.0), n=np.append(n, 100.0), objective="huber")
    assert seeds.run_noise < 0.05  # the wrong row and the right one of the same n are no seeds


def test_least_squares_of_all_rows_says_what_to_do() -> None:
    with pytest.raises(
        NoFit,
        match=r"worse than a constant does\. 2 of 24 rows are far .* --objective huber\): n = 5\.59017e\+09",
    ):
        fit(Chinchilla, diverged({19: 7.6, 22: 9.9}), n=N, m=M, keep_far=True)


def test_without_diverged_runs_nothing_is_named() -> None:
    found = fit(Chinchilla, GOOD, n=N, m=M, objective="huber", huber_delta=1e-3)
    assert not any("far from the law" in text for text in found.warnings)
