"""Gradient flow on random features: its limits, a second derivation in time, and exact budgets."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from errsrc.learners import RandomFeatures
from errsrc.settings import Gaussian, LinearTeacher
from errsrc.sources import budget_grid
from errsrc.theory import feature_terms, gradient_flow, kernel_regression, random_features

E = np.arange(1.0, 301) ** -1.5
C = E * np.arange(1.0, 301) ** -0.3


@pytest.mark.parametrize(("n", "m"), [(20, 60), (60, 20), (500, 40), (400, 900)])
@pytest.mark.parametrize(("ridge", "noise"), [(0.0, 0.0), (0.5, 0.1)])
def test_after_a_long_time_it_is_regression_and_at_first_nothing_is_learned(n, m, ridge, noise):
    found = gradient_flow(n, m, [0, 1e-9, 1e12], E, C, ridge=ridge, noise=noise)
    late = random_features(n, m, E, C, ridge=ridge, noise=noise)
    np.testing.assert_allclose(found, [C.sum(), C.sum(), late], rtol=1e-6, atol=1e-9)
    many = gradient_flow(n, 1e9, 1e12, E, C, ridge=ridge, noise=noise)
    kernel = kernel_regression(n, E, C, ridge=ridge, noise=noise).excess
    assert float(many) == pytest.approx(float(kernel), rel=1e-5, abs=1e-9)


def test_with_unlimited_data_and_features_each_axis_decays_alone():
    found = gradient_flow(1e12, 1e12, [1.0, 30.0], E, C)
    expected = [(C * np.exp(-2 * E * time)).sum() for time in (1.0, 30.0)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_terms_sum_and_have_their_limits():
    found = feature_terms([[50.0], [2000.0]], [30.0, 300.0], E, C, noise=0.01, time=20.0)
    whole = found.realizability + found.uncertainty + found.deficiency
    np.testing.assert_allclose(whole, gradient_flow([[50], [2000]], [30, 300], 20, E, C, noise=0.01))
    assert (found.realizability[:, 1] == 0).all()
    assert (found.deficiency > 0).all()
    best = feature_terms(50, 1e9, C, C, noise=0.04, ridge=0.04)  # the posterior mean
    assert float(best.deficiency) == pytest.approx(0, abs=1e-6)


@pytest.mark.full
def test_theory_is_the_mean_of_exact_budgets():
    setting = LinearTeacher(300, input_decay=1.5, weight_decay=0.3, channel=Gaussian(0.2))
    target = setting.eigenvalues * setting.weight_variances
    learners = [RandomFeatures(m, steps=t, learning_rate=0.05) for m in (40, 120) for t in (200, 4000)]
    grid = budget_grid(setting, learners, [60, 200], draws=12)
    for (place, n), exact in grid.items():
        one = learners[place]
        theory = feature_terms(n, one.m, setting.eigenvalues, target, noise=0.04, time=0.05 * one.steps)
        for name in ("realizability", "uncertainty", "deficiency"):
            measured = getattr(exact, name).lower
            error = (measured.high - measured.low) / 4
            assert float(getattr(theory, name)) == pytest.approx(
                measured.estimate, abs=4 * error + 0.02 * float(theory.excess)
            ), (name, n, one)


@pytest.mark.slow
def test_one_path_of_a_large_flow_is_the_theory():
    """The differential equation itself, at sizes where one path is close to the mean."""
    rng, n, m = np.random.default_rng(0), 300, 200
    g, f = rng.standard_normal((n, 300)), rng.standard_normal((m, 300)) / np.sqrt(m)
    z, a = g * np.sqrt(E) @ f.T, f * np.sqrt(E)
    across = (z.T @ g) / n

    def slope(_, w):  # the coefficients of all axes at once
        return (across - (z.T @ z / n) @ w.reshape(m, 300)).ravel()

    path = solve_ivp(slope, (0, 40), np.zeros(m * 300), t_eval=[4.0, 40.0], rtol=1e-6)
    for k, time in enumerate((4.0, 40.0)):
        left = np.eye(300) - a.T @ path.y[:, k].reshape(m, 300)
        assert (left**2 @ C).sum() == pytest.approx(float(gradient_flow(n, m, time, E, C)), rel=0.05)


def test_shapes_are_refused():
    with pytest.raises(ValueError, match=r"'time' parameter of gradient_flow must be of a shape"):
        gradient_flow([1, 2], 3, [1, 2, 3], E, C)
