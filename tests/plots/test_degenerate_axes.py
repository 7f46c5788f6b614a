"""Axes without a range, and results without some of their numbers, still have figures."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from errsrc import plots
from errsrc.fitting import Prediction, compute_optimal, isoflop
from errsrc.plots.style import axes, linear, log
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


def test_one_budget_has_figures() -> None:
    rows = np.genfromtxt(ONLY_C, delimiter=",", names=True)[:6]
    found = compute_optimal(rows["error"], m=rows["m"], flops=rows["flops"])
    assert found.isoflop is not None
    (group,) = found.isoflop.groups
    shown = [found, found.isoflop, group, *found.frontiers, found.isoflop.frontier([1e20, 1e21])]
    for one in shown:
        assert plots.png(one.plot()).startswith(b"\x89PNG")


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
