"""A law and a forecast of one's own work wherever ours do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from outside.law import Onset

from errsrc import plots
from errsrc.fitting import Forecast, fit, holdout, judge, plan, save_fit
from errsrc.laws import Law, positive, symbol
from errsrc.report.holdout import holdout_page

N = np.repeat(np.geomspace(10, 1e4, 10), 2)
ONSET = Onset(a=0.8, onset=100.0, alpha=0.5)


@pytest.fixture(scope="module")
def error():
    return ONSET.error(n=N) * np.exp(0.01 * np.random.default_rng(0).standard_normal(len(N)))


def test_fit_predict_and_plan(error) -> None:
    found = fit(Onset, error, n=N)
    for name, interval in found.intervals.items():
        half = interval.high - interval.low
        assert interval.low - half < getattr(ONSET, name) < interval.high + half
    ahead = found.predict(n=1e5)
    assert ahead.low < ONSET.error(n=1e5) < ahead.high
    answer = plan(found, error=0.05)
    assert float(ONSET.error(n=answer.n.estimate)) == pytest.approx(0.05, rel=0.1)


@pytest.mark.full
def test_holdout_figures_and_page(error) -> None:
    result = holdout(Onset, error, n=N)
    assert len(result.fitted) == 8
    assert abs(result.held_out.divergence_mean) < 0.05
    for draw in (plots.divergence, plots.parity):
        draw(result)
    plots.curve(result.forecast)
    assert "Onset" in holdout_page("An own law", result, {})


class Formula(Law):
    """What the laws below have in common: a / n^alpha."""

    inputs = ("n",)

    def error(self, **inputs):
        (n,) = self.input_arrays(inputs)
        return self.a * n**-self.alpha

    @classmethod
    def formula(cls):
        return symbol("a") * symbol("n") ** -symbol("alpha")


@dataclass(frozen=True)
class WrongUnit(Formula):
    """The unit of a lacks n^alpha."""

    a: float = positive((0.1, 30.0), unit={"error": 1})
    alpha: float = positive((0.1, 1.0))


@dataclass(frozen=True)
class Right(Formula):
    a: float = positive((0.1, 30.0), unit={"error": 1, "n": "alpha"})
    alpha: float = positive((0.1, 1.0))


class OtherFormula(Right):
    @classmethod
    def formula(cls):
        return symbol("a") * symbol("n") ** (-2 * symbol("alpha"))


class NoNumber(Right):
    def error(self, **inputs):
        return np.nan


class NoFormula(Right):
    @classmethod
    def formula(cls):
        return None


class NoInputs(Right):
    inputs = ()


class NoMethods(Law):
    inputs = ("n",)


class NoDataclass(Formula):
    a: float = positive((0.1, 30.0))


@dataclass(frozen=True)
class PlainField(Right):
    b: float = 1.0


@dataclass(frozen=True)
class UnknownUnit(Right):
    b: float = positive((0.1, 1.0), unit={"m": "beta"})


class UnknownSlope(Right):
    slopes = ("beta",)


@pytest.mark.parametrize(
    ("law", "sentence"),
    [
        (
            Onset.__mro__,
            "must be a subclass of errsrc.laws.Law, as errsrc.laws.Power is, or the name of a law",
        ),
        (ONSET, "or the name of a law, such as 'chinchilla'. Got Onset("),
        (NoMethods, "must be a law that defines error and formula. Got <NoMethods: error, formula>"),
        (NoInputs, "must be a law that names its inputs in `inputs`. Got <NoInputs: none>"),
        (NoDataclass, "dataclass of parameters declared by positive, floor or real. Got <NoDataclass: no"),
        (PlainField, "(positive, floor, real) or constants in `references`. Got <PlainField: b>"),
        (UnknownUnit, "parameters have units of error and of its inputs. Got <UnknownUnit: m>"),
        (UnknownSlope, "exponents, slopes, ceilings and places are parameters. Got <UnknownSlope: beta>"),
    ],
)
@pytest.mark.parametrize("function", [fit, holdout])
def test_a_law_that_is_not_complete_is_refused_with_what_is_missing(function, law, sentence) -> None:
    with pytest.raises(TypeError) as caught:
        function(law, ONSET.error(n=N), n=N)
    assert f"The 'law' parameter of {function.__name__} must be" in str(caught.value)
    assert sentence in str(caught.value)


def test_a_law_whose_formula_is_no_expression_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a sympy expression\. Got <a NoneType from NoFormula\.formula"):
        fit(NoFormula, ONSET.error(n=N), n=N)


@pytest.mark.parametrize(
    ("law", "accepted"),
    [
        (WrongUnit, "in all units of its inputs"),
        (OtherFormula, "as its formula, with parameters in"),
        (NoNumber, "as its formula, with parameters in"),
    ],
)
def test_a_law_that_would_predict_other_errors_than_were_fitted_is_refused(law, accepted) -> None:
    """Its fit would look good, and `Fit.law` would give other numbers."""
    error = Right(a=3.0, alpha=0.4).error(n=N)
    fit(Right, error, n=N)
    sentence = f"'error' method of {law.__name__} must be the same law {accepted}"
    with pytest.raises(ValueError, match=sentence):
        fit(law, error, n=N)


class Halving(Forecast):
    """The error is 0.8 at n = 1, and halves whenever n grows fourfold."""

    input_names = ("n",)
    at_most = {}
    inputs = {"n": np.array([1.0, 4.0, 16.0])}
    warnings = ()
    draw_count = 2
    run_noise = 0.1

    def log_errors(self, inputs):
        return np.log(0.8) - 0.5 * np.log(inputs["n"])


def test_a_forecast_of_ones_own(tmp_path) -> None:
    forecast = Halving()
    assert forecast.predict(n=[4.0, 16.0]).predicted == pytest.approx([0.4, 0.2])
    assert plan(forecast, error=0.1).n.estimate == pytest.approx(64)
    judged = judge(forecast, [0.41, 0.2, 0.1], [True, True, False], n=[4.0, 16.0, 64.0])
    assert judged.held_out.coverage == 1
    plots.curve(forecast)
    with pytest.raises(TypeError, match="Got <a Halving> instead"):
        save_fit(forecast, tmp_path / "fit.json")


def test_a_forecast_without_its_curves_is_refused_by_name() -> None:
    class Unfinished(Forecast):
        input_names = ("n",)
        at_most = {}
        draw_count = 2

    with pytest.raises(TypeError, match=r"abstract method '?log_errors'?"):
        Unfinished()
