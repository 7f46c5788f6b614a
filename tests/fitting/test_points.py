"""The points that a fit accepts, and those that it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.fitting import auto, fit
from errsrc.laws import Chinchilla, Dense, Power
from fitting.cases import CIFAR, grid, noisy


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"error": [0.5, 0.4, 0.0, 0.2]}, "'error' parameter of fit.* numbers > 0. Got 0.0"),
        ({"error": [0.5, 0.4, np.nan, 0.2]}, "'error' parameter.*Got nan"),
        ({"n": [1, 2, -3, 4]}, "'n' parameter of fit.*Got -3.0"),
        ({"n": [1, 2, 3]}, "'n' parameter of fit.* an array of 4 numbers"),
        ({"n": 7.0}, r"'n' parameter.*two different sizes. Got 7 in every row|Got <7 in every row>"),
        ({"error": [0.5, 0.4], "n": [1, 2]}, "more points than the 3 free"),
        ({"weights": [1, 1, 1]}, "'weights' parameter"),
        ({"fixed": {"alhpa": 1.0}}, r"'alhpa' instead.*did you mean 'alpha'"),
        ({"fixed": {"a": 1.0}}, "fixed together with alpha"),
        (
            {"fixed": {"a": 1.0, "alpha": 0.5, "c_inf": 0.0}},
            "'fixed' parameter.* only some of the law's parameters",
        ),
        ({"fixed": ["a"]}, "'fixed' parameter of fit must be a dict by the names of parameters or None"),
        ({"constants": 3}, "'constants' parameter of fit must be a dict"),
        ({"bounds": "a"}, "'bounds' parameter of fit must be a dict"),
        ({"error": [], "n": []}, "'error' parameter.* a one-dimensional array, not empty"),
        ({"bounds": {"alpha": (2.0, 1.0)}}, "low < high"),
        ({"bounds": {"a": (2.0, 1.0)}}, "'bounds' parameter"),
        ({"objective": "likelihood"}, "'objective' parameter.*one of"),
        ({"level": 1.0}, "'level' parameter"),
        ({"starts": 0}, "'starts' parameter"),
    ],
)
def test_bad_data_is_refused_in_one_sentence(change: dict, sentence: str) -> None:
    given_ = {"error": [0.5, 0.4, 0.3, 0.25], "n": [1, 2, 4, 8]} | change
    error = given_.pop("error")
    with pytest.raises((ValueError, TypeError), match=sentence) as caught:
        fit(Power, error, **given_)
    assert "\n" not in str(caught.value)


def test_an_error_above_random_guess_is_refused() -> None:
    sizes = grid()
    with pytest.raises(ValueError, match=r"numbers <= eps0 = 0\.3"):
        fit(Dense, CIFAR.error(**sizes), fixed={"eps0": 0.3}, **sizes)


def test_one_size_of_model_cannot_tell_its_exponent() -> None:
    with pytest.raises(ValueError, match=r"'m' parameter of fit.*at least two different sizes"):
        fit(Chinchilla, [4, 3.5, 3.2, 3.0, 2.9, 2.8], n=[1, 2, 4, 8, 16, 32], m=7)


def test_sizes_that_vary_only_together_are_refused() -> None:
    n = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    with pytest.raises(ValueError, match=r"parameter of fit\(Chinchilla\) must be varied apart"):
        fit(Chinchilla, 1 + n**-0.3, n=n, m=3 * n**2)


def test_as_many_points_as_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="more points than the 3 free"):
        fit(Power, [0.5, 0.4, 0.35], n=[1, 2, 4])


def test_inputs_are_named_where_missing() -> None:
    with pytest.raises(TypeError, match="exactly n, m"):
        fit(Dense, [0.5, 0.4], n=[1, 2])


def test_a_fit_keeps_the_points_as_they_came() -> None:
    n = np.array([781, 1562, 3125, 6250, 12_500])
    error = noisy(Power(0.1, 2.0, 0.3), {"n": n}, 0.01)
    found = fit(Power, error, n=n)
    np.testing.assert_array_equal(found.inputs["n"], n)
    np.testing.assert_array_equal(found.error, error)


@pytest.mark.full
def test_the_order_of_rows_changes_nothing_at_all() -> None:
    """Neither predictions nor noise, with repeated seeds, for a law and for the default estimator."""
    n = np.repeat(np.geomspace(100, 1e5, 7), 3)
    error = noisy(Power(0.1, 2.0, 0.4), {"n": n}, 0.03)
    order = np.random.default_rng(2).permutation(len(n))
    for estimator in (auto, lambda e, n: fit(Power, e, n=n)):
        one, other = estimator(error, n=n), estimator(error[order], n=n[order])
        assert one.run_noise == other.run_noise
        ahead = one.predict(n=[500.0, 1e6]).columns()
        for name, column in other.predict(n=[500.0, 1e6]).columns().items():
            np.testing.assert_array_equal(column, ahead[name])
