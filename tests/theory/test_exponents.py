"""Exponents against the slopes of curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from errsrc.theory import (
    exponents,
    kernel_regression,
    memorising_zipf,
    zipf_asymptote,
)


def slope(n, errors):
    return -np.polyfit(np.log(n), np.log(errors), 1)[0]


@pytest.mark.parametrize(("a", "b"), [(1.5, 2.0), (2.0, 3.0), (1.5, 2.5), (1.2, 4.5), (1.5, 8.0)])
def test_exponents_of_kernel_regression_are_those_of_its_curves(a, b):
    i = np.arange(1.0, 50_001)
    n = np.array([100.0, 200.0])
    curve = kernel_regression(n, i**-a, i**-b).excess
    assert slope(n, curve) == pytest.approx(exponents.ridgeless(a, b), abs=0.05)

    def best(n):
        def log_excess(log_ridge):
            return float(
                np.log(kernel_regression(n, i**-a, i**-b, ridge=np.exp(log_ridge), noise=1.0).excess)
            )

        return np.exp(minimize_scalar(log_excess, bounds=(-8, 8), method="bounded").fun)

    n = np.array([1e5, 2e5])
    assert slope(n, [best(size) for size in n]) == pytest.approx(exponents.optimal_ridge(a, b), abs=0.02)


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.integers(1, 6))
def test_a_gaussian_process_is_a_power_law_spectrum(teacher_nu, student_nu, dim):
    """A Matern kernel's Fourier transform falls as |k|^-(dim + 2 nu), and |k| is i^(1 / dim)."""
    decays = ((dim + 2 * nu) / dim for nu in (student_nu, teacher_nu))
    expected = exponents.ridgeless(*decays)
    assert exponents.gaussian_process(teacher_nu, student_nu, dim) == pytest.approx(expected)


@pytest.mark.parametrize("decay", [0.3, 1.0, 2.5])
def test_the_exponent_of_memory_is_that_of_its_curve(decay):
    n = np.array([1e6, 1e7])
    for curve in (memorising_zipf, zipf_asymptote):
        assert slope(n, curve(n, decay)) == pytest.approx(exponents.zipf(decay), abs=0.01)


def test_local_fits():
    assert exponents.local_fit(1, 1) == 4
    assert exponents.local_fit(3, 1) == pytest.approx(4 / 3)
    assert exponents.local_fit(2, 1, power=1.0) == 1
    assert exponents.local_fit(2, 0, smoothness=0.5) == exponents.gaussian_process(0.5, 3.0, 2)
