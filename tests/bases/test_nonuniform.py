import subprocess
import sys

import numpy as np
import pytest

from errsrc.bases import Torus
from errsrc.bases.nonuniform import analyse, synthesise
from errsrc.bases.toeplitz import solve

BASES = (
    Torus(20),
    Torus(6, 2),
    Torus(3, 3),
    Torus(8, 2, "cross"),
    Torus(5, 3, "simplex"),
    Torus(9, 1, "simplex"),
    Torus(0),
    Torus(0, 2),
    Torus(1, 3),
)


def drawn(basis, n, seed=0, outputs=()):
    """Nodes, coefficients and labels; the labels by the matrix."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 2 * np.pi, (n, basis.dim))
    c = rng.standard_normal((basis.size, *outputs))
    return x, c, basis(x) @ c


def gaps(basis, n, widths, seed=0):
    """Nodes on the circle without any in gaps of given widths, in Nyquist spacings."""
    x = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    for i, width in enumerate(widths):
        x = x[np.abs(x - 1 - i) > width * np.pi / basis.size]
    return x[:, None]


def away(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@pytest.mark.parametrize("basis", BASES, ids=str)
@pytest.mark.parametrize("outputs", [(), (3,)])
def test_sums_are_those_of_the_matrix(basis, outputs):
    x, c, values = drawn(basis, 200, outputs=outputs)
    assert away(synthesise(basis, x, c), values) < 1e-13
    v = np.random.default_rng(1).standard_normal(values.shape)
    assert away(analyse(basis, x, v), basis(x).T @ v) < 1e-13


@pytest.mark.parametrize("basis", BASES, ids=str)
def test_analysis_is_the_adjoint_of_synthesis(basis):
    x, c, values = drawn(basis, 50)
    v = np.random.default_rng(1).standard_normal(50)
    scale = np.linalg.norm(values) * np.linalg.norm(v)
    assert abs(synthesise(basis, x, c) @ v - c @ analyse(basis, x, v)) < 1e-13 * scale


@pytest.mark.parametrize("basis", BASES, ids=str)
@pytest.mark.parametrize("weights", ["density", "uniform"])
def test_a_function_in_the_band_is_recovered_at_four_times_its_size(basis, weights):
    x, c, y = drawn(basis, 4 * basis.size + 1, outputs=(2,))
    found = solve(basis, x, y, weights=weights)
    assert found.converged
    assert away(found.coefficients, c) < 1e-12
    assert found.residual < 1e-12
    one = solve(basis, x, y[:, 1], weights=weights)
    assert one.coefficients.shape == (basis.size,)
    assert away(one.coefficients, c[:, 1]) < 1e-12


def test_angles_are_taken_modulo_a_turn():
    basis = Torus(5, 2)
    x, c, y = drawn(basis, 500)
    turned = x + 2 * np.pi * np.random.default_rng(1).integers(-3, 4, x.shape)
    assert away(solve(basis, turned, y).coefficients, c) < 1e-12


@pytest.mark.parametrize("basis", [Torus(20), Torus(6, 2), Torus(5, 3, "simplex")], ids=str)
@pytest.mark.parametrize("ridge", [0.0, 3.0])
def test_with_noise_it_is_the_dense_least_squares_solution(basis, ridge):
    n = 5 * basis.size
    x, _, y = drawn(basis, n)
    y = y + np.random.default_rng(1).standard_normal(n)
    features = basis(x)
    dense = np.linalg.solve(features.T @ features + ridge * np.eye(basis.size), features.T @ y)
    found = solve(basis, x, y, ridge, "uniform")
    assert away(found.coefficients, dense) < 1e-11
    left = np.linalg.norm(y - features @ dense) / np.linalg.norm(y)
    assert found.residual == pytest.approx(left, rel=1e-9)


@pytest.mark.parametrize("n", [20, 41])
def test_a_ridge_makes_up_for_missing_nodes(n):
    basis = Torus(20)
    x, _, y = drawn(basis, n)
    features = basis(x)
    dense = np.linalg.solve(features.T @ features + 0.5 * np.eye(41), features.T @ y)
    assert away(solve(basis, x, y, 0.5, "uniform").coefficients, dense) < 1e-10


@pytest.mark.parametrize(
    ("basis", "x"),
    [
        (Torus(20), gaps(Torus(20), 400, [])),
        (Torus(30), gaps(Torus(30), 244, [2.5])),
        (Torus(200), gaps(Torus(200), 1604, [3.0, 4.0, 3.5])),
        (Torus(6, 2), np.random.default_rng(2).uniform(0, 7, (400, 2))),
        (Torus(3, 3), np.random.default_rng(2).uniform(0, 7, (800, 3))),
    ],
    ids=["even", "a gap", "gaps", "dim 2", "dim 3"],
)
def test_the_condition_number_is_that_of_the_matrix(basis, x):
    y = basis(x) @ np.random.default_rng(0).standard_normal(basis.size)
    found = solve(basis, x, y, weights="uniform")
    values = np.linalg.svd(basis(x), compute_uv=False)
    truth = values[0] / values[-1]
    assert truth / 3 < found.condition < truth * (1 + 1e-6)
    assert found.rounding == pytest.approx(found.condition * np.finfo(float).eps * (50 + basis.degree))


def test_gaps_wider_than_the_nyquist_spacing_take_few_iterations():
    basis = Torus(1000)
    x = gaps(basis, 8004, [3.0, 3.8, 3.4])
    c = np.random.default_rng(0).standard_normal(basis.size)
    found = solve(basis, x, synthesise(basis, x, c), tolerance=1e-9)
    assert found.condition > 50
    assert found.iterations <= 40
    assert away(found.coefficients, c) < 1e-9


@pytest.mark.parametrize("dim", [1, 2])
def test_density_weights_keep_the_condition_number_of_nodes_of_uneven_density_small(dim):
    basis = Torus((12, 4)[dim - 1], dim)
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2 * np.pi, (20 * basis.size, dim))
    crowd = 1 + 0.5 * rng.uniform(size=(2000 * basis.size // 10, dim))
    x = np.concatenate([x, crowd])
    y = basis(x) @ rng.standard_normal(basis.size)
    weighted, even = (solve(basis, x, y, weights=weights) for weights in ("density", "uniform"))
    assert weighted.condition < 6
    assert even.condition > 2 * weighted.condition


def test_repeated_nodes_do_no_harm():
    basis = Torus(10)
    x, c, y = drawn(basis, 100)
    found = solve(basis, np.repeat(x, 5, axis=0), np.repeat(y, 5))
    assert away(found.coefficients, c) < 1e-12


def test_the_fit_is_linear_in_the_labels():
    basis = Torus(8, 2)
    rng = np.random.default_rng(0)
    x, one, two = rng.uniform(0, 7, (1500, 2)), rng.standard_normal(1500), rng.standard_normal(1500)
    fits = [solve(basis, x, y).coefficients for y in (one, two, 2 * one - 3 * two)]
    assert away(2 * fits[0] - 3 * fits[1], fits[2]) < 1e-11


def test_labels_of_zero_give_zero():
    x, _, y = drawn(Torus(4), 30)
    found = solve(Torus(4), x, 0 * y)
    assert not found.coefficients.any()
    assert (found.residual, found.error, found.converged) == (0.0, 0.0, True)


def test_what_does_not_converge_says_so():
    basis = Torus(40)
    x = gaps(basis, 100, [4.0, 4.0])
    found = solve(basis, x, np.cos(x[:, 0]) + basis(x)[:, -1], iterations=20)
    assert found.iterations == 20
    assert not found.converged
    assert "not converged in 20 iterations" in found.status


@pytest.mark.full
@pytest.mark.parametrize(
    ("basis", "places"),
    [
        (Torus(10), 2 * np.pi * np.arange(20)[:, None] / 20),
        (Torus(10), np.pi / 10 * (np.arange(20)[:, None] + np.random.default_rng(3).uniform(size=(20, 1)))),
        (Torus(5, 2), np.random.default_rng(3).uniform(0, 6, (120, 2))),
        (Torus(2, 3), np.random.default_rng(3).uniform(0, 6, (120, 3))),
    ],
    ids=["grid", "dim 1", "dim 2", "dim 3"],
)
def test_too_few_places_are_found_out_though_nodes_are_many(basis, places):
    x = np.repeat(places, 4, axis=0)
    found = solve(basis, x, basis(x) @ np.ones(basis.size))
    assert found.condition > 1e7
    assert found.rounding > 1e-8


X = np.random.default_rng(0).uniform(0, 6, (30, 1))
Y = np.sin(X[:, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Torus(3), np.where(X < 1, np.nan, X), Y), "'x' parameter of Torus must be finite"),
        ((Torus(3), X[:, 0], Y), "'x' parameter of Torus must be angles in radians of shape"),
        ((Torus(3), X[:0], Y[:0]), "'x' parameter of solve must be one node or more"),
        ((Torus(3), X, Y[1:]), "'y' parameter of solve must be numbers of shape"),
        ((Torus(3), X, np.where(Y < 0, np.inf, Y)), "'y' parameter of solve must be finite"),
        ((Torus(15), X, Y), "'x' parameter of solve must be at least M = 31 nodes"),
        ((Torus(3, 4), X, Y), "'basis' parameter of solve must be a trigonometric basis of dim 1, 2 or 3"),
        ((Torus(5000, 3), np.zeros((30, 3)), Y, 1.0), "'basis' parameter of solve must be a band"),
        ((Torus(3), X, Y, -1.0), "'ridge' parameter of solve must be a finite number >= 0"),
        ((Torus(3), X, Y, 0.0, "densty"), "did you mean 'density'"),
        ((Torus(3), X, Y, 0.0, "density", 0.0), "'tolerance' parameter of solve"),
        ((Torus(3), X, Y, 0.0, "density", 1e-9, 0), "'iterations' parameter of solve"),
        ((Torus(3), X, Y, 0.0, "density", 1e-9, 9, 0), "'threads' parameter of solve"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message) as refused:
        solve(*arguments)
    assert "\n" not in str(refused.value)


def test_sums_refuse_other_shapes():
    with pytest.raises(ValueError, match="'coefficients' parameter of synthesise must be numbers of shape"):
        synthesise(Torus(3), X, np.ones(6))
    with pytest.raises(ValueError, match="'values' parameter of analyse must be numbers of shape"):
        analyse(Torus(3), X, np.ones(29))


@pytest.mark.full
def test_bases_import_without_the_transform_library():
    code = "import sys; import errsrc.bases.toeplitz; assert 'finufft' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
