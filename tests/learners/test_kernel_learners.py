"""Kernel ridge regression and Gaussian processes against scikit-learn, and against each other."""

import dataclasses

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, Matern
from sklearn.kernel_ridge import KernelRidge as TheirKernelRidge

from errsrc.learners import GaussianProcess, KernelRidge

from .drawn import draw, rng

KERNELS = [
    ("rbf", {}, RBF(0.8)),
    ("matern", {"nu": 0.5}, Matern(0.8, nu=0.5)),
    ("matern", {"nu": 1.5}, Matern(0.8, nu=1.5)),
    ("matern", {"nu": 2.5}, Matern(0.8, nu=2.5)),
]


@pytest.mark.parametrize(("name", "fields", "theirs"), KERNELS, ids=str)
@pytest.mark.parametrize("n", [1, 25])
def test_kernel_ridge_is_a_posterior_mean_and_scikit_learns(name, fields, theirs, n):
    x, y, at = draw(n, 3)
    found = KernelRidge(name, 0.8, ridge=0.05, **fields).fit(x, y, rng())(at)
    process = GaussianProcessRegressor(theirs, alpha=0.05, optimizer=None).fit(x, y)
    np.testing.assert_allclose(found, process.predict(at), atol=1e-10)
    other = TheirKernelRidge(alpha=0.05, kernel="precomputed").fit(theirs(x), y)
    np.testing.assert_allclose(found, other.predict(theirs(at, x)), atol=1e-10)


def test_kernel_ridge_without_ridge_interpolates_and_takes_the_mean_of_repeated_nodes():
    x, y = rng(0).random((8, 1)), rng(1).standard_normal(8)
    found = KernelRidge("matern", 0.5, ridge=0.0)
    np.testing.assert_allclose(found.fit(x, y, rng())(x), y, atol=1e-10)
    twice = found.fit(np.concatenate([x, x[:1]]), np.append(y, y[0] + 1), rng())(x)
    np.testing.assert_allclose(twice, y + 0.5 * (np.arange(8) == 0), atol=1e-8)
    limit = dataclasses.replace(found, ridge=1e-9).fit(x, y, rng())(x + 0.01)
    np.testing.assert_allclose(limit, found.fit(x, y, rng())(x + 0.01), atol=1e-6)


def test_a_kernel_matrix_that_is_singular_in_floating_point_still_has_a_small_residual():
    """An rbf of 200 near nodes: eigenvalues down to 1e-17 of the largest."""
    x = np.linspace(0, 1, 200)[:, None]
    y = np.sin(3 * x[:, 0])
    values = [KernelRidge("rbf", 0.5, ridge=ridge).fit(x, y, rng())(x) for ridge in (0.0, 1e-13, 1e-10)]
    for found in values:
        np.testing.assert_allclose(found, y, atol=1e-5)


def test_gaussian_process_fits_its_kernel_and_is_kernel_ridge_from_there():
    x = rng(0).uniform(0, 1, (80, 2))
    y = np.sin(5 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.1 * rng(1).standard_normal(80)
    fitted = GaussianProcess(starts=2).fit(x, y, rng())
    process = fitted.function.args[0]
    variance = process.kernel_.k1.k1.constant_value
    noise = process.kernel_.k2.noise_level
    assert noise * y.var() == pytest.approx(0.01, rel=0.5)
    same = KernelRidge("rbf", process.kernel_.k1.k2.length_scale, ridge=(noise + 1e-10) / variance)
    at = rng(2).uniform(0, 1, (9, 2))
    np.testing.assert_allclose(fitted(at), same.fit(x, y - y.mean(), rng())(at) + y.mean(), rtol=1e-6)
    truth = np.sin(5 * at[:, 0]) * np.cos(4 * at[:, 1])
    assert np.abs(fitted(at) - truth).max() < 0.15
