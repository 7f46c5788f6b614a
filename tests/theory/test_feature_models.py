"""Regression on random features."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy.optimize import brentq, minimize_scalar

from errsrc.theory import (
    kernel_regression,
    random_features,
)
from theory.spectra import POWER, noises, ridges, sizes, spectra


@pytest.mark.full
@given(sizes, sizes, spectra, ridges, noises)
@settings(deadline=None)
def test_random_features_as_they_were_published(n, m, spectrum, ridge, noise):
    """The omniscient estimate by nested roots, with all its differences, beside the form without them."""
    e, c = spectrum
    assume(min(abs(n - m), abs(n - len(e)), abs(m - len(e))) > 0.5)
    assume(ridge == 0 or ridge > 1e-3)  # elsewhere the differences lose their digits
    found = random_features(n, m, e, c, ridge=ridge, noise=noise)
    if ridge == 0 and len(e) <= min(n, m):
        assert float(found) == pytest.approx(noise * len(e) / (n - len(e)), rel=1e-9)
        return

    def z(g):
        return (e / (e + g)).sum()

    def gap(log_g):
        g = np.exp(log_g)
        kappa = g * (1 - z(g) / m)  # from m = z + m kappa / g
        return z(g) + ridge / kappa - n if kappa > 0 else np.inf

    start = np.log(brentq(lambda g: z(g) - m, 1e-12, 1e9, xtol=1e-16)) if len(e) > m else -30.0
    if ridge == 0:
        g = brentq(lambda g: z(g) - min(n, m), 1e-12, 1e9, xtol=1e-16)
        kappa = 0.0 if m < n else g * (1 - n / m)
    else:
        g = np.exp(brentq(gap, start + 1e-12, 30.0, xtol=1e-14))
        kappa = g * (1 - z(g) / m)
    q = ((e / (e + g)) ** 2).sum()
    inflation = 1 / (1 - (q * (m - 2 * z(g)) + z(g) ** 2) / (n * (m - q)))
    missed = g / (e + g) - kappa * e / (e + g) ** 2 * m / (m - q)
    expected = inflation * (missed @ c + noise) - noise
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("n", "m"), [(10, 40), (40, 10), (200, 100), (100, 2000)])
def test_without_ridge_and_noise_it_is_that_of_maloney_roberts_and_sully(n, m):
    e, weight = POWER**-1.5, 0.7
    found = random_features(n, m, e, weight * e)
    few, many = min(n, m), max(n, m)
    g = brentq(lambda g: (e / (e + g)).sum() - few, 1e-12, 10, xtol=1e-18)
    assert float(found) == pytest.approx(weight * few * g / (1 - few / many), rel=1e-9)
    assert found == pytest.approx(random_features(m, n, e, weight * e), rel=1e-12)


@pytest.mark.full
@given(sizes, spectra, ridges, noises)
@settings(deadline=None)
def test_many_random_features_are_the_kernel(n, spectrum, ridge, noise):
    e, c = spectrum
    assume(abs(n - len(e)) > 0.01)
    kernel = kernel_regression(n, e, c, ridge=ridge, noise=noise).excess
    found = random_features(n, 1e12, e, c, ridge=ridge, noise=noise)
    assert float(found) == pytest.approx(float(kernel), rel=1e-4, abs=1e-9)


def test_at_the_best_ridge_more_features_and_more_data_are_better():
    """Simon et al. 2023; without ridge the error peaks at n = m."""
    e = POWER[:300] ** -1.5
    assert random_features(50, 50, e, e) == np.inf

    def best(n, m):
        def log_excess(log_ridge):
            return float(np.log(random_features(n, m, e, e, ridge=np.exp(log_ridge), noise=0.1)))

        return minimize_scalar(log_excess, bounds=(-10, 5), method="bounded").fun

    for pairs in ([(50, m) for m in (10, 30, 50, 100, 1000)], [(n, 50) for n in (10, 30, 50, 100, 1000)]):
        assert (np.diff([best(*pair) for pair in pairs]) < 0).all()
