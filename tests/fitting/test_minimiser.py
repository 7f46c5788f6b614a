"""The batched least-squares solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from errsrc.fitting import fit
from errsrc.fitting.minimiser import minimise
from errsrc.laws import Dense
from fitting.cases import CIFAR, grid, noisy


def test_batched_solver_agrees_with_scipys_on_every_member() -> None:
    x = np.linspace(0.0, 3.0, 25)
    rng = np.random.default_rng(0)
    data = 2.0 * np.exp(-1.3 * x) + 0.5 + 0.05 * rng.standard_normal((6, 25))

    def residuals(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b, c = (z[:, [j]] for j in range(3))
        fall = np.exp(-b * x)
        return a * fall + c - data[rows], np.stack([fall, -a * x * fall, np.ones_like(fall)], axis=-1)

    far = np.full(3, 10.0)
    found = minimise(residuals, np.ones((6, 3)), -far, far, np.ones((1, 25)))
    for k in range(6):
        theirs = least_squares(
            lambda z, k=k: residuals(z[None, :], np.array([k]))[0][0], np.ones(3), xtol=1e-14
        )
        assert found.cost[k] == pytest.approx(2 * theirs.cost, rel=1e-9)
        np.testing.assert_allclose(found.z[k], theirs.x, rtol=1e-6)
    assert found.converged.all()


def test_solver_stops_at_bounds_and_holds_what_is_frozen() -> None:
    def residuals(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        skew = np.array([[1.0, 0.9], [0.0, 0.2]])
        return (z - np.array([2.0, -1.0])) @ skew.T, np.broadcast_to(skew, (len(z), 2, 2))

    start = np.array([[0.5, 0.5], [0.25, 0.75]])
    frozen = np.array([[False, False], [True, False]])
    found = minimise(residuals, start, np.zeros(2), np.ones(2), np.ones((1, 2)), frozen=frozen)
    np.testing.assert_allclose(found.z[0], [1.0, 0.9 / 0.85 - 1], atol=1e-8)
    assert found.z[1, 0] == 0.25


def test_huber_and_pull_are_what_they_say() -> None:
    data = np.array([0.0, 0.1, -0.1, 50.0])

    def residuals(z: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return z - data, np.ones((len(z), 4, 1))

    far = np.array([100.0])
    robust = minimise(residuals, np.zeros((1, 1)), -far, far, np.ones((1, 4)), huber=1.0)
    assert robust.z[0, 0] == pytest.approx(1 / 3, abs=1e-8)  # three inside pull back what one outside pulls
    pulled = minimise(
        residuals, np.zeros((1, 1)), -far, far, np.ones((1, 4)), pull=(np.array([2.0]), np.array([4.0]))
    )
    assert pulled.z[0, 0] == pytest.approx((50 + 4 * 2) / 8, abs=1e-8)


@pytest.mark.full
def test_a_large_problem_worked_on_in_parts_gives_the_same_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    from errsrc.fitting import problem

    sizes = grid()
    error = noisy(CIFAR, sizes, 0.02)
    whole = fit(Dense, error, **sizes)
    monkeypatch.setattr(problem, "LARGEST_BATCH", 5 * len(error))
    parts = fit(Dense, error, **sizes)
    assert parts.law == whole.law
    np.testing.assert_array_equal(parts.draws["beta"], whole.draws["beta"])
