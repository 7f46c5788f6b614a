"""How results print."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from errsrc import plots
from errsrc.plots.labels import wrapped
from errsrc.results import ROUNDING, Interval, Result, json_value


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        (Interval(0.347312, 0.3312, 0.3641, 0.9), "0.347 [0.331, 0.365]"),
        (Interval(480.0, 363.0, 602.0, 0.9), "480 [360, 610]"),
        (Interval(1e-9, 0.0, 0.02, 0.9), "< 0.020"),
        (Interval(5.0, 1.3, math.inf, 0.9), "> 1.3"),
        (Interval(5.0, 0.0, math.inf, 0.9), "not determined"),
        (Interval(-0.2, -0.41, 0.05, 0.9), "-0.20 [-0.41, 0.05]"),
        (Interval(46.7, 13.7, 1226.0, 0.9), "47 [13, 1300]"),
        (Interval(1226.0, 13.7, 1300.0, 0.9), "1200 [13, 1300]"),
        (Interval(0.0467, 0.0137, 1.226, 0.9), "0.047 [0.013, 1.3]"),
        (Interval(4.67e-5, 1.37e-5, 1.226, 0.9), "0.000047 [0.000013, 1.3]"),
        (Interval(-46.7, -1226.0, -13.7, 0.9), "-47 [-1300, -13]"),
        (Interval(-46.7, -1226.0, 13.7, 0.9), "-47 [-1300, 14]"),
        (Interval(0.0, -0.4, 0.4, 0.9), "0.00 [-0.40, 0.40]"),
        (Interval(1e9, 3.0, 5e9, 0.9), "1.0e+09 [3.0, 5.0e+09]"),
        (Interval(2e5, 1e-3, 1e7, 0.9), "2e+05 [0.0010, 1.00e+07]"),
        (Interval(6e10, 5.4e10, 6.6e10, 0.9), "6.0e+10 [5.4e+10, 6.6e+10]"),
        (Interval(2.1e9, 9.96e8, 7.8e9, 0.9), "2.1e+09 [9e+08, 7.8e+09]"),
        (Interval(99.0, 11.0, 1000.0, 0.9), "100 [10, 1000]"),
        (Interval(0.2, 0.1 + 0.2 - 0.2, 0.1 + 0.2, 0.9), "0.20 [0.10, 0.30]"),  # 0.30000000000000004
    ],
)
def test_an_interval_prints_only_the_digits_it_supports(interval: Interval, shown: str) -> None:
    assert str(interval) == shown


@given(st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3))
@example([0.0, 6.6898242822871064e16, -3.3101757177128532e16])
def test_a_printed_interval_contains_the_computed_one_and_no_end_is_rounded_to_0(ends: list[float]) -> None:
    low, estimate, high = sorted(ends)
    interval = Interval(estimate, low, high, 0.9)
    shown = str(interval).replace("[", "").replace("]", "").replace(",", "").split()
    if interval.determined and len(shown) == 3:
        for text, value in zip(shown, (estimate, low, high), strict=True):
            assert float(text) != 0 or abs(value) <= ROUNDING * (high - low)
            assert float(text) == pytest.approx(value, rel=0.11, abs=0.22 * (high / 2 - low / 2))
        slack = 1e-6 * (high / 2 - low / 2)
        assert float(shown[1]) <= low + slack
        assert float(shown[2]) >= high - slack
        assert float(shown[1]) <= float(shown[0]) <= float(shown[2])


@dataclasses.dataclass(frozen=True, repr=False)
class Speed(Result):
    """A result type of a user."""

    seconds: Interval
    name: str = "<fast>"


def test_a_result_type_of_a_user_shows_itself() -> None:
    one = Speed(Interval(1.52, 1.41, 1.65, 0.9))
    assert repr(one) == "Speed(seconds 1.52 [1.41, 1.65], name <fast>)"
    assert str(one) == "seconds  1.52 [1.41, 1.65]\nname     <fast>"
    assert "&lt;fast&gt;" in one._repr_html_()
    assert one.as_dict()["seconds"]["high"] == 1.65
    with pytest.raises(TypeError, match=r"registered with errsrc\.plots\.draw\.register"):
        one.plot()

    @plots.draw.register
    def _(result: Speed, ax: Any = None, *, scale: float = 1.0) -> Axes:
        axes = ax or Figure().subplots()
        axes.plot([scale * result.seconds.estimate], [0], "o")
        return axes

    assert one.plot(scale=2.0).lines[0].get_xdata()[0] == 3.04


def test_a_figure_title_breaks_no_interval() -> None:
    lines = wrapped("chinchilla: alpha 0.345 [0.325, 0.366], beta 0.359 [0.339, 0.378], n = 30", 30).split(
        "\n"
    )
    assert [line.replace("\xa0", " ") for line in lines] == [
        "chinchilla: alpha 0.345",
        "[0.325, 0.366], beta 0.359",
        "[0.339, 0.378], n = 30",
    ]


def test_json_of_numbers_that_are_not_finite_is_null() -> None:
    value = {"a": np.array([1.0, np.nan]), ("b", "c"): (np.float64("inf"), np.int64(3), np.bool_(True), {1})}
    assert json_value(value) == {"a": [1.0, None], "b c": [None, 3, True, [1]]}
    assert json_value(Path("runs.csv")) == "runs.csv"
