"""Least squares in a band: against numpy, exact from n = M nodes on, direct and iterative."""

import math

import numpy as np
import pytest

from errsrc.bases import Sphere, Torus
from errsrc.bases.toeplitz import solve
from errsrc.errors import Undersampled
from errsrc.learners import BandLeastSquares
from errsrc.settings import BandTeacher, Clustered


def rng(seed=0):
    return np.random.default_rng(seed)


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


@pytest.mark.slow
def test_a_large_band_is_fitted_by_iteration_to_what_the_direct_solution_is(monkeypatch):
    basis = Torus(12, 2)
    setting, chance = BandTeacher(basis), rng(3)
    teacher, x = setting.teacher(chance), setting.inputs(4 * basis.size, chance)
    y = teacher(x) + 0.1 * chance.standard_normal(len(x))
    direct = BandLeastSquares(basis).fit(x, y, rng()).function
    monkeypatch.setattr("errsrc.learners.band.ITERATED_FROM", 1)
    found = BandLeastSquares(basis).fit(x, y, rng()).function
    assert (direct.iterations, found.iterations > 3) == (0, True)
    assert found.determined
    assert found.distance(direct) < 1e-20
    assert found.residual == pytest.approx(direct.residual, rel=1e-6)
    assert 0.2 * direct.condition < found.condition < 1.01 * direct.condition
    near = x[: int(1.2 * basis.size)]  # too few for the iteration to be quick: directly
    assert BandLeastSquares(basis).fit(near, teacher(near), rng()).function.iterations == 0
    exact = BandLeastSquares(basis, weights="density").fit(x, teacher(x), rng()).function
    assert teacher.distance(exact) < 1e-22


@pytest.mark.full
def test_where_iteration_does_not_converge_the_solution_is_direct(monkeypatch):
    """At nodes in clusters, whose condition number of 1e4 to 1e6 iteration does not see to the end of."""
    basis = Torus(5, 2)
    setting, chance = BandTeacher(basis, nodes=Clustered(5, 0.1)), rng(1)
    teacher, x = setting.teacher(chance), setting.inputs(4 * basis.size, chance)
    monkeypatch.setattr("errsrc.learners.band.ITERATED_FROM", 1)
    assert not solve(basis, x, teacher(x), weights="uniform").converged
    found = BandLeastSquares(basis).fit(x, teacher(x), rng()).function
    assert (found.iterations, found.determined) == (0, True)
    assert 1e4 < found.condition < 1e7
    assert teacher.distance(found) < (100 * found.condition * 2.3e-16) ** 2
    smoother = BandLeastSquares(basis).smoother(x, x[:3])
    np.testing.assert_allclose(smoother @ teacher(x), teacher(x[:3]), atol=1e-8)


@pytest.mark.parametrize("weights", ["uniform", "density"])
def test_iteration_determines_nothing_on_a_grid(weights, monkeypatch):
    """16 different nodes: rounding had hidden that the smallest eigenvalue is 0."""
    monkeypatch.setattr("errsrc.learners.band.ITERATED_FROM", 1)
    chance, basis = rng(0), Torus(40)
    x = 2 * np.pi * chance.integers(16, size=(900, 1)) / 16
    teacher = BandTeacher(basis).teacher(chance)
    with pytest.warns(Undersampled):
        found = BandLeastSquares(basis, weights=weights).fit(x, teacher(x), chance).function
    assert not found.determined
    assert teacher.relative_error(found) > 0.5


def test_too_few_examples_for_a_band_are_warned_of_and_counted():
    x = rng(4).uniform(0, 2 * np.pi, (6, 1))
    with pytest.warns(Undersampled, match="n = 6 examples do not determine the M = 7 functions: 7 or more"):
        few = BandLeastSquares(Torus(3)).fit(x, x[:, 0], rng()).function
    assert not few.determined
    with pytest.warns(Undersampled, match=r"determine only 3 of the M = 5 functions: only 3 nodes are diff"):
        again = BandLeastSquares(Torus(2)).fit(np.repeat(x[:3], 3, axis=0), np.zeros(9), rng()).function
    assert not again.determined
    with pytest.raises(ValueError, match=r"at least M = 1001 nodes"):
        BandLeastSquares(Torus(500), weights="density").fit(x, x[:, 0], rng())
    with pytest.raises(ValueError, match=r"'weights' .* 'density' is for trigonometric"):
        BandLeastSquares(Sphere(2), weights="density")
