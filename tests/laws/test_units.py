"""Units of the inputs of a law: inputs that share a unit, and inputs without one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from errsrc.fitting import fit
from errsrc.laws import FiniteData, Law, floor, positive, symbol
from errsrc.testing import check_law
from errsrc.testing.law import the_units_of_the_parameters_are_correct


@dataclass(frozen=True)
class Undeclared(Law):
    """A law in n tokens, of which u are different, that doesn't say that both are tokens."""

    inputs = ("n", "u")
    data_exponent_name = "beta"

    E: float = floor((0.0, 1.0), unit={"error": 1})
    B: float = positive((0.01, 1.0), unit={"error": 1, "n": "beta"})
    beta: float = positive((0.05, 1.5))
    r: float = positive((0.5, 50.0))

    def error(self, **inputs: Any) -> Any:
        n, u = self.input_arrays(inputs)
        return self.E + self.B * (u * self.r * -np.expm1(-n / (u * self.r))) ** -self.beta

    @classmethod
    def formula(cls) -> Any:
        from sympy import exp

        n, u, E, B, beta, r = map(symbol, ("n", "u", "E", "B", "beta", "r"))
        return E + B * (u * r * (1 - exp(-n / (u * r)))) ** -beta


@dataclass(frozen=True)
class Repeated(Undeclared):
    shared_units = {"u": "n"}


def points() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Sizes of 1 to 40 epochs, and errors with 0.3% noise whose r is 15."""
    u, epochs = (x.ravel() for x in np.meshgrid(np.geomspace(1e8, 6.4e9, 7), np.geomspace(1, 40, 7)))
    sizes = {"n": u * epochs, "u": u}
    noise = np.exp(0.003 * np.random.default_rng(0).standard_normal(u.size))
    return sizes, Repeated(E=1.8, B=1500, beta=0.35, r=15).error(**sizes) * noise


def test_inputs_that_share_a_unit_keep_their_ratio() -> None:
    sizes, error = points()
    found = fit(Repeated, error, **sizes)
    r = found.intervals["r"]  # standard deviation 0.28
    assert r.estimate == pytest.approx(15, abs=1.0)
    assert 0.5 < r.high - r.low < 1.5
    assert found.divergence_std < 0.004
    in_millions = fit(Repeated, error, **{name: x / 1e6 for name, x in sizes.items()})
    assert in_millions.law.r == pytest.approx(found.law.r, rel=1e-6)
    assert in_millions.noise == pytest.approx(found.noise, rel=1e-6)


def test_a_law_that_does_not_say_so_is_refused_with_what_to_declare() -> None:
    sizes, error = points()
    with pytest.raises(ValueError, match="same law in all units of its inputs") as caught:
        fit(Undeclared, error, **sizes)
    said = "If n and u have one unit, declare shared_units = {'u': 'n'} in Undeclared."
    assert str(caught.value).endswith(said)
    with pytest.raises(AssertionError, match="units of the parameters"):
        check_law(Undeclared, properties=[the_units_of_the_parameters_are_correct], examples=5)


def test_a_law_with_shared_units_passes_the_check_of_units() -> None:
    check_law(Repeated, properties=[the_units_of_the_parameters_are_correct], examples=5)


@dataclass(frozen=True)
class OfEpochs(Law):
    """A law in n and a number of epochs, whose unit has no meaning."""

    inputs = ("n", "epochs")
    dimensionless = ("epochs",)

    a: float = positive((0.3, 3.0), unit={"error": 1, "n": "alpha"})
    alpha: float = positive((0.2, 1.5))
    r: float = positive((0.5, 50.0))

    def error(self, **inputs: Any) -> Any:
        n, epochs = self.input_arrays(inputs)
        return self.a * (n * (1 - np.exp(-epochs / self.r))) ** -self.alpha

    @classmethod
    def formula(cls) -> Any:
        from sympy import exp

        n, epochs, a, alpha, r = map(symbol, ("n", "epochs", "a", "alpha", "r"))
        return a * (n * (1 - exp(-epochs / r))) ** -alpha


@dataclass(frozen=True)
class OfEpochsUndeclared(OfEpochs):
    dimensionless = ()


def test_inputs_without_a_unit_are_fitted_as_they_are() -> None:
    n, epochs = (x.ravel() for x in np.meshgrid(np.geomspace(1e6, 1e9, 6), [2.0, 4.0, 8.0, 16.0, 32.0]))
    error = OfEpochs(a=30.0, alpha=0.3, r=9.0).error(n=n, epochs=epochs)
    found = fit(OfEpochs, error, n=n, epochs=epochs)
    assert found.law.r == pytest.approx(9, rel=1e-6)
    check_law(OfEpochs, properties=[the_units_of_the_parameters_are_correct], examples=5)
    said = r"if epochs has no unit, declare dimensionless = \('epochs',\) in OfEpochsUndeclared"
    with pytest.raises(ValueError, match=said):
        fit(OfEpochsUndeclared, error, n=n, epochs=epochs)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"shared_units": {"v": "n"}}, "`shared_units` and `dimensionless` are inputs. Got <Wrong: v>"),
        (
            {"dimensionless": ("epochs",)},
            "`shared_units` and `dimensionless` are inputs. Got <Wrong: epochs>",
        ),
        ({"shared_units": {"u": "u"}}, "name one input for all that share a unit"),
        ({"shared_units": {"u": "n"}, "dimensionless": ("u",)}, "name one input for all that share a unit"),
        ({"dimensionless": ("n",)}, "have no units of inputs in `dimensionless`. Got <Wrong: n>"),
    ],
)
def test_wrong_declarations_are_refused(declared: dict[str, Any], said: str) -> None:
    wrong = dataclass(frozen=True)(type("Wrong", (Undeclared,), declared))
    sizes, error = points()
    with pytest.raises(TypeError, match=re.escape(said)):
        fit(wrong, error, **sizes)


def test_a_law_is_rescaled_by_one_factor_for_inputs_of_one_unit() -> None:
    law = FiniteData(E=1.87, A=521, B=1488, alpha=0.353, beta=0.353, r_n=15.4, r_m=5.31, P=1e-3)
    sizes = {"n": 4e9, "u": 2e8, "m": 1e9}
    for scales in ({"n": 1e-6}, {"n": 1e-6, "u": 1e-6}):
        moved = law.rescaled(scales)
        assert moved.r_n == law.r_n
        at = {**sizes, "n": 4e3, "u": 2e2}
        assert float(moved.error(**at)) == pytest.approx(float(law.error(**sizes)), rel=1e-12)
    with pytest.raises(ValueError, match=r"1 for u, by the units that the class declares\. Got 2"):
        law.rescaled({"u": 2.0})
    with pytest.raises(ValueError, match="1 for epochs"):
        OfEpochs(1.0, 0.3, 9.0).rescaled({"epochs": 3.0})
