"""The number of breaks of a power law, by evidence."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.fitting import compare, fit, fit_broken
from errsrc.laws import Broken, Broken2, Power

N = np.geomspace(1e3, 1e8, 24)
LAWS = {
    "Power": Power(0.05, 20.0, 0.35),
    "Broken": Broken(0.0, 2.0, 0.1, 0.4, 1e5, 0.3),
    "Broken2": Broken2(a=0.01, b=5.0, c0=0.5, c1=-0.4, d1=1e4, f1=0.3, c2=0.5, spacing=100.0, f2=0.3),
}


def noisy(name: str) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(len(N))
    return LAWS[name].error(n=N) * np.exp(0.01 * noise)


@pytest.mark.full
@pytest.mark.parametrize("name", LAWS)
def test_as_many_breaks_are_fitted_as_the_points_show(name: str) -> None:
    found = fit_broken(noisy(name), n=N)
    assert type(found.law).__name__ == name
    assert list(found.notes["aicc"]) == ["Power", "Broken", "Broken2"]
    assert found.law == fit(type(found.law), noisy(name), n=N, objective="log").law


def test_the_largest_number_of_breaks_may_be_given() -> None:
    found = fit_broken(data={"tokens": N, "loss": noisy("Broken")}, error="loss", n="tokens", most=1)
    assert isinstance(found.law, Broken)
    assert list(found.notes["aicc"]) == ["Power", "Broken"]
    assert found.notes["columns"] == {"n": "tokens", "error": "loss"}
    assert isinstance(fit_broken(noisy("Broken"), n=N, most=0).law, Power)
    with pytest.raises(ValueError, match="'most' parameter of fit_broken must be"):
        fit_broken(noisy("Broken"), n=N, most=3)


def test_a_law_with_too_many_parameters_for_the_points_is_passed_over() -> None:
    few = slice(None, None, 4)
    found = fit_broken(noisy("Power")[few], n=N[few])
    assert isinstance(found.law, Power)
    assert found.notes["aicc"]["Broken2"] is None
    with pytest.raises(ValueError, match="more points"):
        fit_broken([0.2, 0.1], n=[10, 20])


def test_two_breaks_are_one_break_if_the_second_changes_nothing() -> None:
    one = Broken(0.1, 2.0, 0.1, 0.4, 1e5, 0.3)
    two = Broken2(0.1, 2.0, 0.1, 0.4, 1e5, 0.3, c2=0.0, spacing=10.0, f2=0.3)
    np.testing.assert_allclose(two.error(n=N), one.error(n=N), rtol=1e-14)
    assert two.d2 == 1e6


@pytest.mark.full
def test_two_breaks_are_compared_only_if_they_are_asked_for() -> None:
    found = compare(["power", "broken"], noisy("Power"), n=N)
    assert {one.name for one in found.laws} == {"power", "broken"}
