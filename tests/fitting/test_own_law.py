"""A law and a forecast of one's own work wherever ours do."""

from __future__ import annotations

import numpy as np
import pytest
from outside.law import Onset

from errsrc import plots
from errsrc.fitting import Forecast, fit, holdout, judge, plan, save_fit
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


def test_holdout_figures_and_page(error) -> None:
    result = holdout(Onset, error, n=N)
    assert len(result.fitted) == 8
    assert abs(result.held_out.divergence_mean) < 0.05
    for draw in (plots.divergence, plots.parity):
        draw(result)
    plots.curve(result.forecast)
    assert "Onset" in holdout_page("An own law", result, {})


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
