"""Axes without a range, and results without some of their numbers, still have figures."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from errsrc import plots
from errsrc.fitting import Forecast, Prediction, compute_optimal, fit, isoflop, plan
from errsrc.laws import Power
from errsrc.plots.style import at_edges, axes, linear, log
from errsrc.results import Interval

ONLY_C = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"
OPEN = Interval(math.nan, -math.inf, math.inf, 0.9)


@pytest.mark.parametrize(
    "values", [[], [3.0], [3.0, 3.0], [math.nan] * 2, [math.inf], [0.0], [-1.0, -2.0], [1e-300], [1e200]]
)
def test_any_values_have_logarithmic_and_linear_axes(values: list[float]) -> None:
    ax = axes(None, 4.0, 3.0)
    ax.plot(values, values, "o")
    assert plots.png(log(ax)).startswith(b"\x89PNG")
    low, high = ax.get_xlim()
    assert 0 < low < high
    ax = axes(None, 4.0, 3.0)
    ax.plot(values, values, "o")
    linear(ax, "x")
    assert plots.png(ax).startswith(b"\x89PNG")


@pytest.mark.full
def test_one_budget_has_figures() -> None:
    rows = np.genfromtxt(ONLY_C, delimiter=",", names=True)[:6]
    found = compute_optimal(rows["error"], m=rows["m"], flops=rows["flops"])
    assert found.isoflop is not None
    (group,) = found.isoflop.groups
    shown = [found, found.isoflop, group, *found.frontiers, found.isoflop.frontier([1e20, 1e21])]
    for one in shown:
        assert plots.png(one.plot()).startswith(b"\x89PNG")


@pytest.mark.full
def test_budgets_without_an_optimum_have_figures() -> None:
    rows = np.genfromtxt(ONLY_C, delimiter=",", names=True)
    falling = rows[:12][rows["m"][:12] < rows["m"][2]]
    data = np.concatenate([falling, rows[12:]])
    found = isoflop(data["error"], m=data["m"], flops=data["flops"])
    assert any(group.excluded for group in found.groups)
    for one in (found, *found.groups):
        assert plots.png(one.plot()).startswith(b"\x89PNG")


def test_sizes_that_are_not_known_have_a_figure() -> None:
    rows = np.genfromtxt(ONLY_C, delimiter=",", names=True)
    found = isoflop(rows["error"], m=rows["m"], flops=rows["flops"]).frontier([1e20, 1e21])
    for sizes in ((OPEN, OPEN), (OPEN, found.m[1])):
        one = dataclasses.replace(found, m=sizes, n=sizes, ratio=sizes)
        assert plots.png(one.plot()).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [2.0, math.nan, 0.0])
def test_a_prediction_of_one_row_has_a_figure(value: float) -> None:
    row = np.array([value])
    one = Prediction(row, row / 2, np.array([math.inf]), 0.9, (), inputs={"n": np.array([1e9])})
    assert plots.png(one.plot()).startswith(b"\x89PNG")


def _with_an_outlier() -> tuple[Forecast, np.ndarray]:
    n = np.geomspace(1e3, 1e6, 12)
    error = 0.1 + 3 * n**-0.4 + 0.001 * np.cos(np.arange(12.0) ** 2)
    error[7] = 9.0
    return fit(Power, error, n=n, objective="huber"), n


def test_a_point_far_from_the_law_is_a_cross_at_the_end_of_the_axis() -> None:
    found, n = _with_an_outlier()
    ax = found.plot()
    (cross,) = (line for line in ax.lines if line.get_marker() == "x")
    assert list(cross.get_xdata()) == pytest.approx([n[7]])
    assert cross.get_label() == "far from the law"
    assert ax.get_ylim()[1] < 9.0
    assert [text.get_text() for text in ax.texts] == ["↑ 9"]


def test_a_single_prediction_lies_on_the_curve_of_the_law_and_within_the_axis() -> None:
    found, _ = _with_an_outlier()
    predicted = found.predict(n=1e8)
    ax = predicted.plot()
    low, high = ax.get_ylim()
    assert low < float(predicted.low) < float(predicted.high) < high
    assert any(text.get_text() == "predicted" for text in ax.texts)
    assert ax.get_xlim()[1] > 1e8
    assert any(len(line.get_xdata()) > 50 for line in ax.lines)
    names = {"predicted", "low", "high", "level", "warnings", "left_out", "measured", "shares"}
    assert predicted.as_dict().keys() == names


def test_a_bound_follows_its_name_without_a_sign_of_equality() -> None:
    found, _ = _with_an_outlier()
    one = plan(found, error=0.12)
    open_ended = dataclasses.replace(one, n=Interval(1e11, 1e11, math.inf, 0.9))
    assert open_ended.plot().get_title(loc="left").startswith("plan: n > 1.0e+11, error")


def test_values_of_points_beyond_the_axis_do_not_overlap() -> None:
    ax = axes(None, 6.0, 4.0)
    ax.plot([1.0, 10.0], [1.0, 2.0])
    log(ax)
    at_edges(ax, np.array([3.0, 3.1, 9.0]), np.array([50.0, 60.0, 70.0]))
    first, second, apart = (text.get_position() for text in ax.texts)
    assert first[1] == apart[1] != second[1]
