"""How results print."""

from __future__ import annotations

import math

import pytest

from errsrc.results import Interval


@pytest.mark.parametrize(
    ("interval", "shown"),
    [
        (Interval(0.347312, 0.3312, 0.3641, 0.9), "0.347 [0.331, 0.364]"),
        (Interval(480.0, 363.0, 602.0, 0.9), "480 [360, 600]"),
        (Interval(1e-9, 0.0, 0.02, 0.9), "< 0.020"),
        (Interval(5.0, 1.3, math.inf, 0.9), "> 1.3"),
        (Interval(5.0, 0.0, math.inf, 0.9), "not determined"),
        (Interval(-0.2, -0.41, 0.05, 0.9), "-0.20 [-0.41, 0.05]"),
    ],
)
def test_an_interval_prints_only_the_digits_it_supports(interval: Interval, shown: str) -> None:
    assert str(interval) == shown
