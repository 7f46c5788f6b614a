"""Intervals of the exponents and of the floor of an average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.fitting import auto, load_fit, save_fit
from errsrc.fitting.average_intervals import (
    LawEvidence,
    average_intervals,
    law_evidence,
    least_squares,
    noise_precisions,
)
from errsrc.fitting.several_laws import _found
from errsrc.laws import Chinchilla, Law, Power
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
    rng = np.random.default_rng(1)
    error = Chinchilla(1.7, 400, 1000, 0.3, 0.33).error(n=N, m=M) * np.exp(0.035 * rng.standard_normal(12))
    found = auto(error, n=N, m=M)
    for name, true in (("n", 0.33), ("m", 0.3), ("floor", 1.7)):
        assert found.limits[name].low < true < found.limits[name].high
    assert found.limits["n"].high > 2 * found.limits["n"].low
    own = found.members[0]
    assert own.intervals["beta"].low < own.law.beta < own.intervals["beta"].high  # type: ignore[attr-defined]


@pytest.mark.full
@pytest.mark.parametrize("unit", [pytest.param(1e-12, marks=pytest.mark.slow), 1e5])
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


def falling(law: Law, points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sizes and errors; the standard deviation of ln error falls from 8% to 0.3%."""
    n = np.geomspace(100, 1e5, points)
    noise = 0.08 * (n / 100) ** -0.5
    return n, law.error(n=n) * np.exp(noise * np.random.default_rng(seed).standard_normal(points))


@pytest.mark.full
def test_points_with_little_noise_count_more_and_the_interval_is_narrower() -> None:
    n, error = falling(Power(0.1, 2.0, 0.5), 30, 0)
    found, _ = _found(error, {"n": n}, None, None, {}, {}, 0)
    equal = least_squares(found[0], np.ones(30))
    tilt = noise_precisions([equal])
    assert np.ptp(tilt) == pytest.approx(np.log(1000), rel=0.5)  # the variances differ by a factor of 1,000
    assert (np.diff(tilt) > 0).all()
    weighted = least_squares(found[0], np.ones(30), equal, tilt)
    one, other = (law_evidence(fit, 0.9).limits["n"] for fit in (weighted, equal))
    assert one.low < 0.5 < one.high
    assert one.high - one.low < 0.6 * (other.high - other.low)


@pytest.mark.full
def test_errors_without_noise_suggest_no_weights() -> None:
    n = np.geomspace(100, 1e5, 30)
    found, _ = _found(Power(0.1, 2.0, 0.5).error(n=n), {"n": n}, None, None, {}, {}, 0)
    assert not noise_precisions([least_squares(found[0], np.ones(30))]).any()


@pytest.mark.full
def test_the_interval_of_a_larger_law_contains_that_of_the_law_inside_it() -> None:
    """Points of a power law do not determine the other parameters of M4; refits had stopped too early."""
    rng = np.random.default_rng([1, 12])
    error = Power(0.1, 2.0, 0.5).error(n=CURVE) * np.exp(0.02 * rng.standard_normal(12))
    found, _ = _found(error, {"n": CURVE}, None, None, {}, {}, 0)
    inside, larger = (law_evidence(least_squares(found[k], np.ones(12)), 0.9).limits for k in (0, 2))
    for name in ("n", "floor"):
        assert larger[name].low < inside[name].low * 1.01
        assert larger[name].high > inside[name].high * 0.99
