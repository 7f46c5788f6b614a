"""Linear learners against dense algebra, plain loops, numpy and scikit-learn."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import Ridge as TheirRidge

from errsrc.learners import GradientDescent, MinimumNorm, RandomFeatures, ReducedRank, Ridge
from errsrc.settings import LinearTeacher, RankK

from .drawn import draw, rng

SHAPES = pytest.mark.parametrize(("n", "dim"), [(30, 5), (5, 30), (6, 6), (1, 4), (4, 1)])


@SHAPES
def test_ridge_is_scikit_learns_and_the_normal_equations(n, dim):
    x, y, at = draw(n, dim)
    found = Ridge(0.7).fit(x, y, rng())(at)
    np.testing.assert_allclose(
        found, TheirRidge(alpha=0.7, fit_intercept=False).fit(x, y).predict(at), atol=1e-10
    )
    np.testing.assert_allclose(found, at @ np.linalg.solve(x.T @ x + 0.7 * np.eye(dim), x.T @ y), atol=1e-10)


@SHAPES
def test_minimum_norm_is_numpys_least_squares_and_the_limit_of_ridge_and_of_descent(n, dim):
    x, y, at = draw(n, dim)
    found = MinimumNorm().fit(x, y, rng())(at)
    np.testing.assert_allclose(found, at @ np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-9)
    np.testing.assert_allclose(Ridge(1e-11).fit(x, y, rng())(at), found, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(GradientDescent(steps=10**9).fit(x, y, rng())(at), found, rtol=1e-7, atol=1e-7)


def test_minimum_norm_of_data_of_lower_rank():
    x, y, at = draw(12, 6)
    x[:, 3:] = x[:, :3] @ rng(1).standard_normal((3, 3))
    np.testing.assert_allclose(
        MinimumNorm().fit(x, y, rng())(at), at @ np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-9
    )
    np.testing.assert_array_equal(MinimumNorm().fit(0 * x, y, rng())(at), 0)
    noisy = x + 1e-6 * rng(2).standard_normal(x.shape)
    cut = MinimumNorm(cutoff=1e-4).fit(noisy, y, rng())(at)
    np.testing.assert_allclose(cut, at @ np.linalg.lstsq(noisy, y, rcond=1e-4)[0], atol=1e-9)
    assert np.abs(MinimumNorm().fit(noisy, y, rng())(at)).max() > 100 * np.abs(cut).max()


@SHAPES
@pytest.mark.parametrize("steps", [0, 1, 2, 37])
@pytest.mark.parametrize("rate", [0.01, 0.45, 0.95])
def test_gradient_descent_is_its_own_loop(n, dim, steps, rate):
    x, y, at = draw(n, dim)
    w = np.zeros((dim, 2))
    for _ in range(steps):
        w += 2 * rate / np.linalg.norm(x, 2) ** 2 * x.T @ (y - x @ w)
    found = GradientDescent(steps, rate).fit(x, y, rng())(at)
    np.testing.assert_allclose(found, at @ w, rtol=1e-8, atol=1e-12)


def test_gradient_descent_on_inputs_that_are_all_zero_stays_where_it_is():
    x, y, at = draw(20, 4)
    np.testing.assert_array_equal(GradientDescent(5).fit(0 * x, y, rng())(at), 0)


def test_few_steps_along_a_weak_direction_keep_their_digits():
    """A gain of steps x 2 rate x d, where 1 - (1 - u)^steps would round to 0."""
    x = np.diag([1.0, 1e-10])
    found = GradientDescent(steps=3, rate=0.25).smoother(x, np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(found, [[0.0, 3 * 0.5 * 1e-10]], rtol=1e-12)


@pytest.mark.parametrize("ridge", [0.0, 2.0])
@pytest.mark.parametrize("rank", [1, 2])
def test_reduced_rank_is_the_best_of_its_rank(ridge, rank):
    """Against a general minimiser over both factors, from 5 starts."""
    x, y, _ = draw(12, 4, outputs=3, seed=3)
    w = ReducedRank(rank, ridge).fit(x, y, rng())(np.eye(4))

    def risk(w):
        return np.sum((y - x @ w) ** 2) + ridge * np.sum(w**2)

    def of_factors(flat):
        left, right = flat[: 4 * rank].reshape(4, rank), flat[4 * rank :].reshape(rank, 3)
        return risk(left @ right)

    best = min(minimize(of_factors, rng(s).standard_normal(7 * rank)).fun for s in range(5))
    assert risk(w) == pytest.approx(best, rel=1e-6)


def test_reduced_rank_of_full_rank_is_ridge():
    x, y, at = draw(6, 9, outputs=3)
    for ridge, whole in ((0.0, MinimumNorm()), (0.4, Ridge(0.4))):
        np.testing.assert_allclose(
            ReducedRank(3, ridge).fit(x, y, rng())(at), whole.fit(x, y, rng())(at), atol=1e-10
        )
    assert ReducedRank(2).function_class == RankK(2)


def test_reduced_rank_finds_a_teacher_of_its_rank():
    setting = LinearTeacher(6, outputs=4, rank=2)
    teacher, x = setting.teacher(rng(1)), setting.inputs(8, rng(2))
    at = setting.inputs(5, rng(3))
    np.testing.assert_allclose(ReducedRank(2).fit(x, teacher(x), rng())(at), teacher(at), atol=1e-10)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_random_features_descend_step_by_step(ridge):
    x, y, at = draw(7, 3)
    learner = RandomFeatures(5, seed=4, activation="erf", ridge=ridge, steps=6, learning_rate=0.3)
    features, c = learner.feature_map(x), np.zeros((5, 2))
    for _ in range(6):
        c += 0.3 / 7 * (features.T @ (y - features @ c) - ridge * c)
    np.testing.assert_allclose(learner.fit(x, y, rng())(at), learner.feature_map(at) @ c, atol=1e-12)
    more = RandomFeatures(9, seed=4, activation="erf").feature_map(x)[:, :5]
    np.testing.assert_allclose(more * 3, features * np.sqrt(5))
    with pytest.raises(
        ValueError, match=r"'learning_rate' parameter of RandomFeatures must be below [\d.]+ for"
    ):
        RandomFeatures(5, steps=6, learning_rate=1e3).fit(x, y, rng())
