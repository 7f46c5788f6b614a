"""The shape of a learning curve, on curves whose shape is known."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from errsrc.curves import curve_shape
from errsrc.curves.candidates import CANDIDATES
from errsrc.curves.verdicts import MARGIN, VERDICTS
from errsrc.laws import Broken, Cliff, Power

N = 100 * 2.0 ** np.arange(8)


def measured(curve, noise: float, seeds: int = 3, seed: int = 0, n: np.ndarray = N):
    sizes = np.repeat(n, seeds)
    error = curve.error(n=sizes) if hasattr(curve, "error") else curve(sizes)
    return sizes, error * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes)))


def interpolator(n):
    """1 - n / 1,000 of a band of 1,000, then rounding."""
    return np.where(n < 1000, 1 - n / 1000, 1e-28)


KNOWN = {
    "exact": (Power(0.0, 2.0, 0.5), 0.0, 1, "power law"),
    "1%": (Power(0.0, 2.0, 0.5), 0.01, 3, "power law"),
    "5%": (Power(0.0, 2.0, 0.5), 0.05, 3, "power law"),
    "10%": (Power(0.0, 2.0, 0.5), 0.1, 3, "power law"),
    "steep": (Power(0.0, 2.0, 2.0), 0.05, 3, "power law"),
    "floor": (Power(0.1, 2.0, 0.5), 0.05, 3, "power law"),
    "bend": (Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4), 0.05, 3, "bend"),
    "ever faster": (Cliff(0.0, 2.0, 0.5, 1500.0, 1.0), 0.05, 3, "cliff"),
    "ever faster, one seed": (Cliff(0.0, 2.0, 0.5, 1500.0, 1.0), 0.05, 1, "cliff"),
    "down to a floor": (Cliff(1e-3, 0.7, 0.05, 1500.0, 2.0), 0.05, 3, "cliff"),
    "to zero": (interpolator, 0.1, 3, "cliff"),
    "to zero, one seed": (interpolator, 0.1, 1, "cliff"),
    "to 1e-9": (lambda n: np.where(n < 2000, 2 * n**-0.5, 1e-9), 0.1, 3, "cliff"),
    "slow bend": (Broken(0.0, 1.0, 0.1, 0.5, 1500.0, 1.5), 0.05, 20, "not decided"),  # had been a cliff
    "exponential": (lambda n: np.exp(-n / 1000), 0.05, 3, "cliff"),
    "constant": (np.ones_like, 0.05, 3, "not decided"),
    "rising": (lambda n: n**0.3, 0.05, 3, "rise"),
    "overfitted": (lambda n: np.maximum(n, 1600) ** 0.5 * n**-0.4, 0.05, 3, "dip"),
    "plateau": (Broken(0.0, 1.0, 0.0, 0.6, 1000.0, 0.2), 0.05, 3, "plateau then fall"),
    "hopeless noise": (Power(0.0, 1.0, 0.2), 1.0, 1, "not decided"),
}


@pytest.mark.full
@pytest.mark.parametrize(("curve", "noise", "seeds", "verdict"), KNOWN.values(), ids=KNOWN)
def test_known_shapes_are_told(curve, noise: float, seeds: int, verdict: str) -> None:
    found = curve_shape(*measured(curve, noise, seeds))
    assert found.verdict == verdict, found
    assert found.verdict in VERDICTS
    assert str(found).splitlines()[-1] == f"{found.verdict}: {found.status}"
    if isinstance(curve, Power) and verdict == "power law":
        assert found.exponent.estimate == pytest.approx(curve.alpha, abs=2 * noise + 0.01)
    for name, law in found.laws.items():
        assert isinstance(law, CANDIDATES[name][0])


def test_a_trained_networks_power_law_has_its_exponent() -> None:
    """Disagreement with a 784-32-32-10 teacher on Fashion-MNIST, by class."""
    n = [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]
    found = curve_shape(n, [0.166, 0.132, 0.106, 0.093, 0.074, 0.061, 0.050, 0.043])
    assert found.verdict == "power law"
    assert found.exponent.estimate == pytest.approx(0.28, abs=0.01)
    assert found.exponent.high - found.exponent.low < 0.06
    assert all(one.low < 0.28 < one.high for one in found.local_exponents)


def test_the_same_by_logits_starts_at_exponent_06_and_grows_steeper() -> None:
    n = [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]
    found = curve_shape(n, [0.023, 0.0144, 0.0093, 0.0064, 0.0044, 0.0023, 0.0010, 0.0006])
    assert found.verdict == "bend"
    assert "more steep" in found.status
    assert found.exponent.estimate == pytest.approx(0.6, abs=0.05)
    assert found.exponent_after.low > 1
    assert found.threshold.low > 4000


def test_a_bend_says_where_and_to_what() -> None:
    found = curve_shape(*measured(Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4), 0.03))
    assert found.threshold.low < 1000 < found.threshold.high
    assert found.exponent.low < 0.3 < found.exponent.high
    assert found.exponent_after.estimate == pytest.approx(0.9, abs=0.06)
    assert found.p_value < 0.001
    best = max(found.scores, key=lambda name: found.scores[name])
    assert best.startswith("bend")
    others = [score for name, score in found.scores.items() if not name.startswith("bend")]
    assert found.scores[best] > max(others) + MARGIN


@pytest.mark.full
def test_a_cliff_without_an_exponent_before_it_says_so_or_is_none() -> None:
    slow = curve_shape(*measured(*KNOWN["slow bend"][:3]))
    assert max(one.estimate for one in slow.local_exponents) < 1
    assert "nats, but a slow bend is not excluded (exponent before it: < 0." in slow.status
    always = curve_shape(*measured(*KNOWN["exponential"][:3]))
    assert not always.exponent.determined
    assert "faster than any power law from n = " in always.status
    assert "at the latest (exponent before: " in always.status


def test_a_cliff_to_zero_lies_between_the_cells_around_it() -> None:
    found = curve_shape(*measured(interpolator, 0.1))
    assert (found.threshold.low, found.threshold.high) == (800, 1600)
    assert found.error[N > 1000].tolist() == [0, 0, 0, 0]
    assert found.local_exponents[-1].low > 30
    assert found.local_exponents[-1].high == math.inf
    assert "0 within" in found.status


@pytest.mark.parametrize("tiny", [0.0, 1e-30, 1e-16])
def test_errors_at_zero_are_zero_however_they_are_written(tiny: float) -> None:
    sizes, error = measured(Power(0.0, 2.0, 0.5), 0.05)
    error[sizes > 2000] = tiny
    found = curve_shape(sizes, error)
    assert found.verdict == "cliff"
    assert (found.threshold.low, found.threshold.high) == (1600, 3200)


def test_zero_counts_of_a_small_test_set_are_no_cliff() -> None:
    """2 n^-0.5 / 100 on 1,000 test examples: none wrong from some n on, but the resolution is 3e-3."""
    error = np.round(20 * N**-0.5) / 1000
    error[error < 1e-3] = 0.0
    assert (error == 0).sum() >= 2
    found = curve_shape(N, error, zero=3e-3)
    assert found.verdict == "not decided"
    assert "0 within 0.003" in found.status


def test_counts_that_vanish_sooner_than_a_power_law_are_a_cliff() -> None:
    error = np.array([0.3, 0.2, 0.14, 0.1, 0.07, 0.05, 0.0, 0.0])
    found = curve_shape(N, error, zero=3e-3)
    assert found.verdict == "cliff"
    assert "predicts" in found.status


def test_a_mixed_cell_counts_by_its_median() -> None:
    """Of five draws at n = M one is ill-conditioned, at half of M one is lucky."""
    n = np.repeat([25, 50, 100, 200], 5)
    error = np.repeat([0.8, 0.5, 1e-28, 1e-29], 5)
    error[5], error[10] = 1e-28, 0.3
    found = curve_shape(n, error)
    assert found.verdict == "cliff"
    assert (found.threshold.low, found.threshold.high) == (50, 100)


@pytest.mark.parametrize(
    ("n", "error", "words"),
    [
        ([1], [1.0], "at least 5"),
        ([1, 2, 3, 4], [4.0, 3.0, 2.0, 1.0], "at least 5"),
        ([1, 2], [1.0, 1e-30], "one cell above 0"),
        ([1, 2, 4], [1.0, 0.5, 0.0], "one run at 0"),
        ([1, 2, 4, 8], [0.0, 0.0, 0.0, 0.0], "Every cell's error is 0."),
        ([1, 2, 4, 8], [1.0, 0.0, 0.5, 0.0], "0 at n = 2, and above it at larger n"),
        ([1, 2, 4, 8, 16], [1.0, 0.5, 0.1, 0.001, 0.00001], "too few to distinguish a bend from a cliff"),
    ],
)
def test_too_few_cells_decide_nothing(n: list[float], error: list[float], words: str) -> None:
    found = curve_shape(n, error)
    assert found.verdict == "not decided"
    assert words in found.status
    assert found.threshold is None
    assert str(found)


def test_intervals_are_open_where_nothing_tells_the_noise() -> None:
    found = curve_shape([1, 2, 4], [4.0, 2.0, 1.0])
    assert str(found.local_exponents[0]) == "not determined"
    assert found.local_exponents[0].estimate == pytest.approx(1.0)


def test_standard_errors_are_the_noise() -> None:
    sizes, error = measured(Power(0.0, 2.0, 0.5), 0.05, seeds=1)
    told = curve_shape(sizes, error, std_error=0.05 * error)
    half = 1.96 * 0.05 * math.sqrt(2) / math.log(2)
    assert told.local_exponents[0].high - told.local_exponents[0].estimate == pytest.approx(half, rel=1e-3)
    assert told.verdict == "power law"
    bent = measured(Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4), 0.02, seeds=1)
    assert curve_shape(*bent, std_error=0.02 * bent[1]).verdict == "bend"
    assert curve_shape(*bent, std_error=0.9 * bent[1]).verdict == "not decided"


def test_neither_units_nor_the_order_of_rows_matter() -> None:
    sizes, error = measured(Cliff(0.0, 2.0, 0.5, 1500.0, 1.0), 0.05)
    first = curve_shape(sizes, error)
    order = np.random.default_rng(0).permutation(len(sizes))
    other = curve_shape(1e3 * sizes[order], 7 * error[order])
    assert other.verdict == first.verdict
    assert other.exponent.estimate == pytest.approx(first.exponent.estimate, rel=1e-4)
    assert other.threshold.estimate == pytest.approx(1e3 * first.threshold.estimate, rel=1e-4)
    for name, score in first.scores.items():
        assert other.scores[name] == pytest.approx(score, abs=0.5)


def test_a_result_is_frozen_and_has_columns() -> None:
    found = curve_shape(*measured(Power(0.0, 2.0, 0.5), 0.05))
    columns = found.columns()
    assert {len(column) for column in columns.values()} == {len(N)}
    np.testing.assert_array_equal(columns["n"], N)
    assert (columns["runs"] == 3).all()
    assert (columns["low"] < columns["error"]).all()
    assert np.isnan(columns["exponent"]).tolist() == [False] * 7 + [True]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.verdict = "cliff"


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (([1, 2], [1.0]), {}, "'n' parameter of curve_shape must be a one-dimensional array"),
        (([[1, 2]], [[1.0, 2.0]]), {}, "one-dimensional"),
        (([], []), {}, "not empty"),
        (
            ([0, 2], [1.0, 1.0]),
            {},
            "'n' parameter of curve_shape must be an array of finite numbers > 0 and",
        ),
        (
            ([1, 2], [1.0, -1.0]),
            {},
            "'error' parameter of curve_shape must be an array of finite numbers >= 0",
        ),
        (([1, 2], [1.0, math.nan]), {}, "Got nan instead"),
        (([1, 2], ["a", "b"]), {}, "'error' parameter of curve_shape"),
        (
            ([1, 1e304], [1.0, 1.0]),
            {},
            "'n' parameter of curve_shape must be an array of finite numbers > 0 and",
        ),
        (([1, 2], [1.0, 1.0]), {"std_error": [0.1]}, "'std_error' parameter of curve_shape"),
        (([1, 2], [1.0, 1.0]), {"std_error": [0.1, math.nan]}, "'std_error' parameter of curve_shape"),
        (([1, 2], [1.0, 1.0]), {"level": 1.0}, "'level' parameter of curve_shape"),
        (([1, 2], [1.0, 1.0]), {"zero": -1.0}, "'zero' parameter of curve_shape"),
        (([1, 2], [1.0, 1.0]), {"seed": 0.5}, "'seed' parameter of curve_shape"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, options, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match="(?s)" + sentence.replace("(", r"\(")):
        curve_shape(*arguments, **options)
