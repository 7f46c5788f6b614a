"""Least squares with normal inputs."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

from errsrc.theory import (
    kernel_regression,
    least_squares,
)


@pytest.mark.parametrize("dim", [1, 4, 30])
def test_least_squares_near_and_far_from_the_threshold(dim):
    n = np.arange(1, 4 * dim + 4)
    clean = least_squares(n, dim, target=3.0)
    np.testing.assert_allclose(clean, 3 * np.maximum(1 - n / dim, 0))
    noisy = least_squares(n, dim, target=3.0, noise=0.5) - clean
    assert (np.isinf(noisy) == (abs(n - dim) <= 1)).all()
    large = least_squares(np.array([50_000, 200_000]), 100_000, noise=0.5)
    theory = kernel_regression([50_000, 200_000], np.ones(100_000), np.full(100_000, 1e-5), noise=0.5)
    np.testing.assert_allclose(large, theory.excess, rtol=1e-4)


def test_least_squares_in_one_dimension_is_an_integral():
    """noise / chi-squared of n degrees of freedom, averaged over its density."""
    for n in (3, 5, 12):
        mean = quad(lambda v, n=n: chi2.pdf(v, n) / v, 0, np.inf)[0]
        assert float(least_squares(n, 1, noise=2.0)) == pytest.approx(2 * mean, rel=1e-6)


def test_what_is_outside_is_noise_to_the_learner_and_missed():
    n = np.array([3, 20])
    expected = 0.4 + least_squares(n, 8, noise=0.3 + 0.4)
    np.testing.assert_allclose(least_squares(n, 8, noise=0.3, outside=0.4), expected)
