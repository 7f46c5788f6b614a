"""Learners against a second derivation of each: dense algebra, plain loops, numpy and scikit-learn."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ExpSineSquared, Matern
from sklearn.kernel_ridge import KernelRidge as TheirKernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from errsrc.bases import Sphere, Torus, kernel
from errsrc.bases.toeplitz import solve
from errsrc.errors import Diverged, Undersampled
from errsrc.learners import (
    BandLeastSquares,
    Forest,
    GaussianProcess,
    GradientDescent,
    KernelRidge,
    Learner,
    Memory,
    MinimumNorm,
    Neighbours,
    NetworkStudent,
    ReducedRank,
    Ridge,
    as_estimator,
)
from errsrc.nets import CNN, MLP
from errsrc.settings import (
    AllFunctions,
    BandTeacher,
    Clustered,
    Flips,
    LinearTeacher,
    NetworkFunctions,
    RankK,
    TableTeacher,
)
from errsrc.training import Recipe


def rng(seed=0):
    return np.random.default_rng(seed)


def draw(n, dim, outputs=2, seed=0):
    chance = rng(seed)
    return (
        chance.standard_normal((n, dim)),
        chance.standard_normal((n, outputs)),
        chance.standard_normal((9, dim)),
    )


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


@pytest.mark.parametrize(
    ("n", "degree", "ridge"), [(40, 6, 0.0), (8, 6, 0.0), (40, 6, 0.3), (8, 6, 0.3), (3, 0, 0.0)]
)
def test_least_squares_in_a_band_is_numpys_in_its_basis(n, degree, ridge):
    x = rng(1).uniform(0, 2 * np.pi, (n, 1))
    y, at = rng(2).standard_normal((n, 2)), rng(3).uniform(0, 2 * np.pi, (9, 1))
    found = BandLeastSquares(Torus(degree), ridge).fit(x, y, rng())
    basis, size = Torus(degree)(x), 2 * degree + 1
    whole = np.concatenate([basis, math.sqrt(ridge) * np.eye(size)])
    target = np.concatenate([y, np.zeros((size, 2))])
    w = np.linalg.lstsq(whole, target, rcond=None)[0]
    np.testing.assert_allclose(found(at), Torus(degree)(at) @ w, atol=1e-8)
    np.testing.assert_allclose(found(at + 2 * np.pi), found(at), atol=1e-8)


def test_a_band_is_learned_exactly_from_as_many_nodes_as_it_has_coefficients():
    setting, learner = BandTeacher(Torus(8)), BandLeastSquares(Torus(8))
    errors = {}
    for n in (16, 17, 34):
        squares = []
        for seed in range(20):
            teacher, x = setting.teacher(rng(seed)), setting.inputs(n, rng(100 + seed))
            at = 2 * np.pi * np.arange(17)[:, None] / 17
            squares.append(np.mean((learner.fit(x, teacher(x), rng())(at) - teacher(at)) ** 2))
        errors[n] = np.median(squares)
    assert errors[16] > 1e-4
    assert errors[17] < 1e-14
    assert errors[34] < 1e-24


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


@pytest.mark.parametrize("length", [0.5, 8.0])
def test_the_kernel_of_wide_inputs_is_scikit_learns_to_rounding(length):
    x, z = rng(0).standard_normal((20, 64)), rng(1).standard_normal((9, 64))
    z[0] = x[0]
    np.testing.assert_allclose(kernel(x, z, "rbf", length), RBF(length)(x, z), rtol=1e-10, atol=1e-13)
    assert kernel(x, z, "rbf", length)[0, 0] == pytest.approx(1, abs=1e-12)
    assert kernel(x, x, "rbf", length).max() <= 1


def test_the_periodic_kernel_is_scikit_learns_in_one_dimension_and_periodic_in_each():
    x, z = rng(0).uniform(0, 9, (6, 1)), rng(1).uniform(0, 9, (4, 1))
    np.testing.assert_allclose(
        kernel(x, z, "periodic", 0.7), ExpSineSquared(0.7, 2 * np.pi)(x, z), atol=1e-12
    )
    x, z = rng(0).uniform(0, 9, (6, 2)), rng(1).uniform(0, 9, (4, 2))
    product = math.prod(kernel(x[:, [k]], z[:, [k]], "periodic", 0.7) for k in range(2))
    np.testing.assert_allclose(kernel(x, z, "periodic", 0.7), product, atol=1e-12)
    np.testing.assert_allclose(kernel(x + np.array([2 * np.pi, 0]), z, "periodic", 0.7), product, atol=1e-12)


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


@pytest.mark.parametrize("count", [1, 3, 99])
def test_nearest_neighbours_are_scikit_learns(count):
    x, y, at = draw(20, 2)
    k = min(count, 20)
    found = Neighbours(count).fit(x, y, rng())(at)
    np.testing.assert_allclose(found, KNeighborsRegressor(k).fit(x, y).predict(at), atol=1e-12)
    classes = rng(5).integers(0, 4, 20)
    classes[0] = 3
    found = Neighbours(count).fit(x, classes, rng())(at)
    np.testing.assert_allclose(found, KNeighborsClassifier(k).fit(x, classes).predict_proba(at), atol=1e-12)


def test_memory_knows_the_mean_of_what_it_was_told():
    x, y = np.array([[0.0, 1], [0, 1], [2, 1], [-0.0, 1]]), np.array([1.0, 2.0, 7.0, 6.0])
    at = np.array([[0.0, 1], [2, 1], [1, 0]])
    np.testing.assert_allclose(Memory().fit(x, y, rng())(at), [3.0, 7.0, 0.0])
    np.testing.assert_allclose(Memory().smoother(x, at)[0], [1 / 3, 1 / 3, 0, 1 / 3])
    found = Memory().fit(x, np.array([3, 0, 1, 3]), rng())(at)
    np.testing.assert_allclose(found, [[1 / 3, 0, 0, 2 / 3], [0, 1, 0, 0], [0.25] * 4])
    found = Memory(classes=5).fit(x, np.array([3, 0, 1, 3]), rng())(at)
    np.testing.assert_allclose(found, [[1 / 3, 0, 0, 2 / 3, 0], [0, 1, 0, 0, 0], [0.2] * 5])
    with pytest.raises(ValueError, match="'y' parameter of Memory must be classes from 0 to 2"):
        Memory(classes=3).fit(x, np.array([3, 0, 1, 3]), rng())


def test_memorys_error_is_hutters_sum():
    """E = sum of theta_i (1 - theta_i)^n over items, times the error of a guess; within 5 standard errors."""
    setting, n = TableTeacher(items=30, classes=3, decay=0.5), 20
    items, theta = np.arange(30.0)[:, None], setting.probabilities
    errors = []
    for seed in range(400):
        chance = rng(seed)
        teacher, x = setting.teacher(chance), setting.inputs(n, chance)
        found = Memory(classes=3).fit(x, Flips(0.0).label(teacher(x), chance), chance)(items)
        errors.append(theta @ (1 - (found * teacher(items)).sum(1)))
    expected = (theta * (1 - theta) ** n).sum() * 2 / 3
    assert np.mean(errors) == pytest.approx(expected, abs=5 * np.std(errors) / 20)


def test_forests_are_scikit_learns():
    x, y, at = draw(30, 4)
    seed = int(rng(7).integers(2**32))
    theirs = RandomForestRegressor(8, min_samples_leaf=2, max_features=0.5, random_state=seed).fit(x, y)
    ours = Forest(8, leaf=2, tried=0.5)
    np.testing.assert_array_equal(ours.fit(x, y, rng(7))(at), theirs.predict(at))
    labels = 2 * (x[:, 0] > 0)  # of three classes the middle one is not seen
    other = RandomForestClassifier(8, min_samples_leaf=2, max_features=0.5, random_state=seed).fit(x, labels)
    found = ours.fit(x, labels, rng(7))(at)
    np.testing.assert_array_equal(found[:, [0, 2]], other.predict_proba(at))
    np.testing.assert_array_equal(found[:, 1], 0)


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


SECOND_ORDER = {"steps": 60, "validation": 0.0, "precision": "float64"}


def test_a_network_without_hidden_layers_is_least_squares_with_offset():
    x, y, at = draw(30, 3)
    student = NetworkStudent(MLP((3, 2)), Recipe("lbfgs", loss="squared"), **SECOND_ORDER)
    w = np.linalg.lstsq(np.c_[x, np.ones(30)], y, rcond=None)[0]
    np.testing.assert_allclose(student.fit(x, y, rng())(at), np.c_[at, np.ones(9)] @ w, atol=1e-6)


def test_a_network_without_hidden_layers_is_logistic_regression_on_classes():
    x, noise, at = draw(80, 2, outputs=3)
    y = (x @ rng(4).standard_normal((2, 3)) + noise).argmax(1)
    student = NetworkStudent(MLP((2, 3)), Recipe("lbfgs", loss="log"), **SECOND_ORDER)
    theirs = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(student.fit(x, y, rng())(at), theirs.predict_proba(at), atol=1e-4)


@pytest.mark.parametrize("members", [1, 2])
def test_students_trained_together_are_those_trained_alone(members):
    """Of different n, one of them too small to hold anything out."""
    student = NetworkStudent(
        MLP((2, 6, 1), "tanh"),
        Recipe(learning_rate=0.02, loss="squared"),
        40,
        members=members,
        precision="float64",
    )
    sets = [draw(n, 2, seed=n) for n in (1, 2, 9, 40)]
    together = student.fit_many(
        [x for x, *_ in sets], [y[:, 0] for _, y, _ in sets], [rng(k) for k in range(4)]
    )
    for k, (x, y, at) in enumerate(sets):
        np.testing.assert_allclose(
            together[k](at), student.fit(x, y[:, 0], rng(k))(at), rtol=1e-9, atol=1e-10
        )
    assert student.fit_many([], [], []) == []


def test_an_ensemble_is_the_mean_of_its_networks():
    x, y, at = draw(20, 2)
    student = NetworkStudent(MLP((2, 4, 2)), steps=30, members=3)
    function = student.fit(x, y, rng()).function
    singles = [dataclasses.replace(function, trained=(one,))(at) for one in function.trained]
    np.testing.assert_allclose(function(at), np.mean(singles, axis=0), rtol=1e-6)
    assert np.std(singles, axis=0).min() > 1e-6
    assert student.function_class == AllFunctions()
    assert dataclasses.replace(student, members=1).function_class == NetworkFunctions(MLP((2, 4, 2)))


@pytest.mark.parametrize(
    ("n", "share", "held"), [(1, 0.5, 0), (2, 0.5, 1), (10, 0.2, 2), (10, 0.0, 0), (3, 0.99, 2)]
)
def test_what_is_held_out_is_not_trained_on_and_nothing_is_left_over(n, share, held):
    member = NetworkStudent(validation=share)._member(n, 100, rng())
    other = [] if member.validation is None else member.validation
    assert len(other) == held
    assert sorted([*member.rows, *other]) == list(range(100, 100 + n))


def test_a_network_that_diverges_is_reported_with_all_predictors():
    x, y, at = draw(30, 2)
    recipe = Recipe("sgd", learning_rate=0.02, warmup=0, average=0.0, loss="squared", look=1)
    student = NetworkStudent(MLP((2, 8, 2)), recipe, 60, validation=0.0)
    with pytest.raises(Diverged, match=r"1 of 2 networks diverged, the first at step \d+: a lower") as caught:
        student.fit_many([x, 50 * x], [y, 50 * y], [rng(0), rng(1)])
    assert [one.function.trained[0].diverged for one in caught.value.best] == [False, True]
    np.testing.assert_array_equal(caught.value.best[0](at), student.fit(x, y, rng(0))(at))


def test_a_convolutional_student_keeps_its_sizes():
    student = NetworkStudent(CNN(4, 2, 3), Recipe(), steps=3)
    assert student.resized(5, 2) == student
    x, _, _ = draw(12, 16)
    assert student.fit(x, np.arange(12) % 3, rng())(x).shape == (12, 3)


@dataclass(frozen=True)
class Broken(Learner):
    """Returns what no learner should."""

    value: float = np.nan

    def _fit(self, x, y, rng):
        return lambda at: np.append(np.zeros(len(at) - 1), self.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_predictions_that_are_none_are_refused(value):
    predictor = Broken(value).fit(np.zeros((2, 1)), np.zeros(2), rng())
    message = (
        "'learner' parameter of Broken's predictor must be one whose predictions are finite. Got <nan or"
    )
    with pytest.raises(ValueError, match=message):
        predictor(np.zeros((3, 1)))


CLASSIFIER = NetworkStudent(MLP((1, 4, 3)), Recipe())
REFUSED = [
    (lambda: Ridge(0.0), "'ridge' parameter of Ridge must be a finite number > 0. Got 0.0"),
    (lambda: MinimumNorm(1.0), "'cutoff' .* < 1"),
    (lambda: GradientDescent(-1), "'steps'"),
    (lambda: GradientDescent(rate=0.0), "'rate'"),
    (lambda: GradientDescent(rate=1.0), "'rate' .* < 1"),
    (lambda: BandLeastSquares(Torus(-1)), "'degree'"),
    (lambda: BandLeastSquares(Torus(1), -0.1), "'ridge'"),
    (lambda: Memory().fit(np.zeros((2, 1)), np.array([0, -1]), rng()), "'y'"),
    (lambda: KernelRidge("laplace"), "'kernel' .* one of 'rbf', 'matern', 'periodic'"),
    (lambda: KernelRidge(length=0.0), "'length'"),
    (lambda: KernelRidge(nu=0.0), "'nu'"),
    (lambda: GaussianProcess("periodic"), "'kernel'"),
    (lambda: GaussianProcess(starts=0), "'starts'"),
    (lambda: Neighbours(0), "'k'"),
    (lambda: Memory(0), "'classes'"),
    (lambda: Forest(tried=0.0), "'tried'"),
    (lambda: Forest(0), "'trees'"),
    (lambda: ReducedRank(0), "'rank'"),
    (lambda: NetworkStudent(steps=0), "'steps'"),
    (lambda: NetworkStudent(validation=1.0), "'validation' .* < 1"),
    (lambda: NetworkStudent(members=0), "'members'"),
    (lambda: NetworkStudent(precision="float16"), "'precision'"),
    (
        lambda: NetworkStudent().fit(np.zeros((2, 3)), np.zeros(2), rng()),
        r"'x' .* \(n, 1\), the network's inputs",
    ),
    (lambda: NetworkStudent().fit(np.zeros((2, 1)), np.zeros((2, 2)), rng()), "'y' .* floats for 1 outputs"),
    (lambda: NetworkStudent().fit(np.zeros((2, 1)), np.zeros(2, int), rng()), "'y' .* floats .* Got <int64"),
    (lambda: CLASSIFIER.fit(np.zeros((2, 1)), np.array([0, 3]), rng()), "'y' .* from 0 to 2, .* Got 3"),
    (lambda: CLASSIFIER.fit(np.zeros((2, 1)), np.zeros(2), rng()), "'y' .* for the log loss. Got <float64>"),
    (
        lambda: BandLeastSquares().fit(np.zeros((2, 2)), np.zeros(2), rng()),
        r"'x' .* angles in radians of shape \(N, 1\)",
    ),
    (
        lambda: Ridge().smoother(np.zeros((2, 2)), np.zeros((2, 3))),
        r"'at' parameter of Ridge .* \(n, 2\)",
    ),
    (lambda: kernel(np.zeros((1, 1)), np.zeros((1, 1)), "mattern", 1.0), "did you mean 'matern'"),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_students_parts_are_specs_of_nets():
    with pytest.raises(TypeError, match="'architecture' parameter of NetworkStudent must be a network"):
        NetworkStudent((2, 3, 1))
    with pytest.raises(TypeError, match="'recipe' parameter of NetworkStudent must be a Recipe"):
        NetworkStudent(recipe="adam")


def test_estimators_go_into_pipelines_and_searches():
    x, y, _ = draw(40, 3)
    y = x @ rng(9).standard_normal((3, 2)) + 0.01 * y
    pipeline = make_pipeline(StandardScaler(with_mean=False), as_estimator(MinimumNorm()))
    assert pipeline.fit(x, y).score(x, y) > 0.99
    assert pipeline.predict(x).shape == (40, 2)
    search = GridSearchCV(as_estimator(Ridge()), {"learner": [Ridge(1e-3), Ridge(1e4)]}, cv=4).fit(x, y)
    assert search.best_params_["learner"] == Ridge(1e-3)


def test_classifiers_keep_the_names_of_classes():
    x = np.array([[0.0], [0.1], [1.0], [1.1]])
    estimator = as_estimator(Neighbours(), classes=True).fit(x, ["no", "no", "yes", "yes"])
    assert estimator.predict([[0.05], [2.0]]).tolist() == ["no", "yes"]


def test_an_estimator_takes_a_learner():
    with pytest.raises(TypeError, match="'learner' parameter of as_estimator must be one of"):
        as_estimator(TheirRidge())


def test_a_large_band_is_fitted_by_iteration_to_what_the_direct_solution_is(monkeypatch):
    basis = Torus(12, 2)
    setting, chance = BandTeacher(basis), rng(3)
    teacher, x = setting.teacher(chance), setting.inputs(4 * basis.size, chance)
    y = teacher(x) + 0.1 * chance.standard_normal(len(x))
    direct = BandLeastSquares(basis).fit(x, y, rng()).function
    monkeypatch.setattr("errsrc.learners.band.LARGE", 1)
    found = BandLeastSquares(basis).fit(x, y, rng()).function
    assert (direct.iterations, found.iterations > 3) == (0, True)
    assert found.enough
    assert found.distance(direct) < 1e-20
    assert found.residual == pytest.approx(direct.residual, rel=1e-6)
    assert 0.2 * direct.condition < found.condition < 1.01 * direct.condition
    near = x[: int(1.2 * basis.size)]  # too few for the iteration to be quick: directly
    assert BandLeastSquares(basis).fit(near, teacher(near), rng()).function.iterations == 0
    exact = BandLeastSquares(basis, weights="density").fit(x, teacher(x), rng()).function
    assert teacher.distance(exact) < 1e-22


def test_where_iteration_does_not_converge_the_solution_is_direct(monkeypatch):
    """At nodes in clusters, whose condition number of 1e4 to 1e6 iteration does not see to the end of."""
    basis = Torus(5, 2)
    setting, chance = BandTeacher(basis, nodes=Clustered(5, 0.1)), rng(1)
    teacher, x = setting.teacher(chance), setting.inputs(4 * basis.size, chance)
    monkeypatch.setattr("errsrc.learners.band.LARGE", 1)
    assert not solve(basis, x, teacher(x), weights="uniform").converged
    found = BandLeastSquares(basis).fit(x, teacher(x), rng()).function
    assert (found.iterations, found.enough) == (0, True)
    assert 1e4 < found.condition < 1e7
    assert teacher.distance(found) < (100 * found.condition * 2.3e-16) ** 2
    smoother = BandLeastSquares(basis).smoother(x, x[:3])
    np.testing.assert_allclose(smoother @ teacher(x), teacher(x[:3]), atol=1e-8)


def test_too_few_examples_for_a_band_are_warned_of_and_counted():
    x = rng(4).uniform(0, 2 * np.pi, (6, 1))
    with pytest.warns(Undersampled, match="n = 6 examples do not determine the M = 7 functions: 7 or more"):
        few = BandLeastSquares(Torus(3)).fit(x, x[:, 0], rng()).function
    assert not few.enough
    with pytest.warns(Undersampled, match=r"determine only 3 of the M = 5 functions: only 3 nodes are diff"):
        again = BandLeastSquares(Torus(2)).fit(np.repeat(x[:3], 3, axis=0), np.zeros(9), rng()).function
    assert not again.enough
    with pytest.raises(ValueError, match=r"at least M = 1001 nodes"):
        BandLeastSquares(Torus(500), weights="density").fit(x, x[:, 0], rng())
    with pytest.raises(ValueError, match=r"'weights' .* on a torus"):
        BandLeastSquares(Sphere(2), weights="density")
