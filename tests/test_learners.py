"""Learners agree with other ways of computing them."""

import numpy as np
import pytest
from sklearn import kernel_ridge, linear_model, neighbors

from errsrc.bases import fourier
from errsrc.learners import (
    FourierLeastSquares,
    GradientDescent,
    KernelRidge,
    MinimumNorm,
    Neighbours,
    ReducedRank,
    Ridge,
)

RNG = np.random.default_rng(0)
TALL = RNG.standard_normal((20, 6))
WIDE = RNG.standard_normal((6, 20))
BOTH = pytest.mark.parametrize("x", [TALL, WIDE], ids=["tall", "wide"])


def learned(learner, x, y, at):
    return learner.fit(x, y, np.random.default_rng(0))(at)


@BOTH
def test_ridge_is_scikit_learns(x):
    y, at = RNG.standard_normal((len(x), 3)), RNG.standard_normal((4, x.shape[1]))
    theirs = linear_model.Ridge(alpha=0.7, fit_intercept=False).fit(x, y).predict(at)
    np.testing.assert_allclose(learned(Ridge(0.7), x, y, at), theirs, atol=1e-10)
    kernel = at @ x.T @ np.linalg.solve(x @ x.T + 0.7 * np.eye(len(x)), y)  # the house's convention
    np.testing.assert_allclose(learned(Ridge(0.7), x, y, at), kernel, atol=1e-10)


@BOTH
def test_the_minimum_norm_solution_is_the_limit_of_ridge_and_of_long_descent(x):
    y, at = RNG.standard_normal(len(x)), RNG.standard_normal((4, x.shape[1]))
    exact = at @ np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(learned(MinimumNorm(), x, y, at), exact, atol=1e-10)
    np.testing.assert_allclose(learned(Ridge(1e-10), x, y, at), exact, atol=1e-7)
    np.testing.assert_allclose(learned(GradientDescent(10**6, 0.9), x, y, at), exact, atol=1e-8)


@BOTH
def test_stopped_descent_is_descent_step_by_step(x):
    y, at = RNG.standard_normal(len(x)), RNG.standard_normal((4, x.shape[1]))
    w = np.zeros(x.shape[1])
    step = 0.3 * 2 / np.linalg.norm(x, 2) ** 2
    for _ in range(17):
        w -= step * x.T @ (x @ w - y)
    np.testing.assert_allclose(learned(GradientDescent(17, 0.3), x, y, at), at @ w, atol=1e-12)


@pytest.mark.parametrize(("kernel", "options"), [("rbf", {"gamma": 1 / (2 * 1.5**2)}), ("laplacian", {})])
def test_kernel_ridge_is_scikit_learns(kernel, options):
    x, y, at = RNG.standard_normal((15, 1)), RNG.standard_normal(15), RNG.standard_normal((4, 1))
    if kernel == "laplacian":  # in one dimension the Matern kernel of smoothness 1/2
        ours, options = KernelRidge("matern", 1.5, nu=0.5, ridge=0.2), {"gamma": 1 / 1.5}
    else:
        ours = KernelRidge("rbf", 1.5, ridge=0.2)
    theirs = kernel_ridge.KernelRidge(alpha=0.2, kernel=kernel, **options).fit(x, y).predict(at)
    np.testing.assert_allclose(learned(ours, x, y, at), theirs, atol=1e-10)


def test_a_periodic_kernel_is_periodic():
    x, y = RNG.uniform(0, 6, (9, 1)), RNG.standard_normal(9)
    f = KernelRidge("periodic", ridge=0.1).fit(x, y, np.random.default_rng(0))
    np.testing.assert_allclose(f(x), f(x + 2 * np.pi), atol=1e-10)


def test_neighbours_are_scikit_learns():
    x, y, at = RNG.standard_normal((30, 3)), RNG.standard_normal(30), RNG.standard_normal((9, 3))
    theirs = neighbors.KNeighborsRegressor(4).fit(x, y).predict(at)
    np.testing.assert_allclose(learned(Neighbours(4), x, y, at), theirs, atol=1e-12)
    assert learned(Neighbours(99), x, y, at) == pytest.approx(np.full(9, y.mean()))


def test_least_squares_in_a_band_is_exact_from_its_number_of_coefficients_on():
    coefficients = RNG.standard_normal(11)
    at = RNG.uniform(0, 2 * np.pi, (50, 1))
    errors = {}
    for n in (10, 11, 30):
        x = 2 * np.pi * (np.arange(n)[:, None] + 0.3) / n
        y = fourier(x, 5) @ coefficients
        errors[n] = np.abs(learned(FourierLeastSquares(5), x, y, at) - fourier(at, 5) @ coefficients).max()
    assert errors[10] > 1e-3
    assert max(errors[11], errors[30]) < 1e-12


def test_least_squares_in_a_band_refuses_what_is_no_angle():
    with pytest.raises(ValueError, match=r"'x' .* angles of shape \(n, 1\)"):
        learned(FourierLeastSquares(2), TALL, TALL[:, 0], TALL)


def test_reduced_rank_is_the_best_of_its_rank():
    """No other map of that rank fits better, by restarted alternating least squares."""
    y = TALL @ RNG.standard_normal((6, 4)) + 0.3 * RNG.standard_normal((20, 4))
    ours = learned(ReducedRank(2), TALL, y, TALL)
    assert np.linalg.matrix_rank(ours) == 2
    loss = np.square(ours - y).sum()
    best = np.inf
    for _ in range(5):
        right = RNG.standard_normal((2, 4))
        for _ in range(300):
            left = np.linalg.lstsq(TALL, y @ np.linalg.pinv(right), rcond=None)[0]
            right = np.linalg.lstsq(TALL @ left, y, rcond=None)[0]
        best = min(best, np.square(TALL @ left @ right - y).sum())
    assert loss == pytest.approx(best, rel=1e-6)
    np.testing.assert_allclose(learned(ReducedRank(4), TALL, y, TALL), learned(MinimumNorm(), TALL, y, TALL))
