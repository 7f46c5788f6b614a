"""Intervals of the exponents and of the floor of an average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import auto, load_fit, save_fit
from errsrc.fitting.average_intervals import LawEvidence, average_intervals
from errsrc.laws import Chinchilla, Power
from errsrc.results import Interval

N, M = (x.ravel() for x in np.meshgrid(3e9 * 3.0 ** np.arange(4), 1e8 * 4.0 ** np.arange(3)))
CURVE = np.geomspace(100, 1e5, 12)


def law(low: float, estimate: float, high: float, criterion: float) -> LawEvidence:
    return LawEvidence({}, {"n": Interval(estimate, low, high, 0.9)}, criterion, 10)


def test_one_law_keeps_its_interval_and_an_improbable_law_changes_nothing() -> None:
    one = law(0.3, 0.4, 0.6, 0.0)
    for laws in ([one], [one, law(2.0, 3.0, 4.0, 30.0)]):
        found = average_intervals(laws)["n"]
        assert (found.low, found.estimate, found.high) == pytest.approx((0.3, 0.4, 0.6), abs=1e-3)


def test_two_laws_that_are_as_probable_share_the_tails() -> None:
    found = average_intervals([law(0.3, 0.4, 0.5, 0.0), law(0.5, 0.6, 0.7, 0.0)])["n"]
    assert found.estimate == pytest.approx(0.5)
    assert found.low == pytest.approx(0.32, abs=0.02)
    assert found.high == pytest.approx(0.68, abs=0.02)


def test_a_law_that_does_not_determine_the_exponent_is_left_out() -> None:
    one, vague = law(0.3, 0.4, 0.5, 0.0), law(0.0, 0.9, np.inf, 1.0)
    assert average_intervals([one, vague])["n"].high == pytest.approx(0.5, abs=1e-3)
    assert average_intervals([law(0.3, 0.4, 0.5, 20.0), vague])["n"].high == np.inf


def test_intervals_of_a_small_grid_are_as_wide_as_its_points_allow() -> None:
    """Twelve runs with 3.5% noise: the ends of Huber refits had been half as far apart."""
    rng = np.random.default_rng(0)
    error = Chinchilla(1.7, 400, 1000, 0.3, 0.33).error(n=N, m=M) * np.exp(0.035 * rng.standard_normal(12))
    found = auto(error, n=N, m=M)
    for name, true in (("n", 0.33), ("m", 0.3), ("floor", 1.7)):
        assert found.limits[name].low < true < found.limits[name].high
    assert found.limits["n"].high > 2 * found.limits["n"].low
    own = found.members[0]
    assert own.intervals["beta"].low < own.law.beta < own.intervals["beta"].high  # type: ignore[attr-defined]


@pytest.mark.full
@pytest.mark.parametrize("unit", [1e-12, 1e5])
def test_the_intervals_depend_on_no_unit(unit: float) -> None:
    rng = np.random.default_rng(1)
    error = Power(0.1, 2.0, 0.5).error(n=CURVE) * np.exp(0.02 * rng.standard_normal(12))
    one, other = auto(error, n=CURVE).limits, auto(unit * error, n=CURVE).limits
    for name, scale in (("n", 1.0), ("floor", unit)):
        assert other[name].low == pytest.approx(one[name].low * scale, rel=1e-3)
        assert other[name].high == pytest.approx(one[name].high * scale, rel=1e-3)


def test_a_curve_far_above_its_floor_has_an_upper_bound_of_the_floor() -> None:
    rng = np.random.default_rng(2)
    error = Power(0.0, 2.0, 0.3).error(n=CURVE) * np.exp(0.02 * rng.standard_normal(12))
    floor = auto(error, n=CURVE).limits["floor"]
    assert floor.low == 0
    assert 0 < floor.high < error.min()
    assert str(floor).startswith("< ")


@pytest.mark.full
def test_a_file_keeps_the_intervals(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    found = auto(Power(0.1, 2.0, 0.5).error(n=CURVE) * np.exp(0.02 * rng.standard_normal(12)), n=CURVE)
    save_fit(found, tmp_path / "fit.json")
    again = load_fit(tmp_path / "fit.json")
    assert again.limits == found.limits  # type: ignore[union-attr]
    assert str(again) == str(found)
