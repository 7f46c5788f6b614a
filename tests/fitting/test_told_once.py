"""Warnings of several averaged laws on the same fact are told once."""

import numpy as np

from errsrc.fitting import auto


def test_errors_above_a_fixed_largest_error_are_told_once() -> None:
    n = np.array([30, 100, 300, 1000, 3000, 1e4, 3e4])
    error = 0.9 / (1 + (n / 1000) ** 0.8) + 0.05
    error[0] = 0.9
    found = auto(error, n=n, fixed={"eps0": 0.896})
    assert sum("above eps0 = 0.896" in text for text in found.warnings) == 1
