"""Bases: against scipy, counting and closed forms; what they share, and what they refuse.

The properties of every basis are in `tests/properties/test_every_basis.py`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from example_bases import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from errsrc import records
from errsrc.bases import (
    ALL,
    BandFunction,
    Cube,
    Legendre,
    Slepian,
    Sphere,
    Torus,
    kernel,
    mercer,
    shared_positions,
)

CASES = [*EXAMPLES, Torus(4), Torus(3, 4, "simplex")]
EVERY = pytest.mark.parametrize("basis", CASES, ids=repr)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@EVERY
def test_indices_tell_functions_apart_and_degrees_are_theirs(basis):
    rows = basis.indices.reshape(basis.size, -1)
    assert len({tuple(row) for row in rows.tolist()}) == basis.size == len(basis.degrees)
    assert basis.degrees[0] == 0
    assert (basis(basis.draw(5, rng()))[:, 0] ** 2 > 0).all()


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (Torus(2, 2), Torus(4, 2)),
        (Torus(3, 2, "cross"), Torus(3, 2)),
        (Torus(2, 3, "simplex"), Torus(5, 3, "cross")),
        (Legendre(3), Legendre(8)),
        (Slepian(9.0, 3), Slepian(9.0, 7)),
        (Slepian(100.0, 4), Slepian(100.0, 11)),  # at the ends below rounding
        (Slepian(100.0, 4), Slepian(100.0, 30)),
        (Sphere(2), Sphere(5)),
        (Cube(6, 1), Cube(6, 3)),
    ],
)
def test_the_same_index_is_the_same_function(small, large):
    mine, theirs = shared_positions(small, large)
    x = small.draw(9, rng())
    np.testing.assert_allclose(small(x)[:, mine], large(x)[:, theirs], atol=1e-11)
    back = shared_positions(large, small)
    np.testing.assert_array_equal(back[0][np.argsort(back[1])], theirs)


def test_lower_sets_have_the_sizes_that_counting_gives():
    for dim, degree in ((1, 4), (2, 3), (3, 2), (3, 7), (4, 5)):
        grid = np.stack(np.meshgrid(*[np.arange(-degree, degree + 1)] * dim)).reshape(dim, -1).T
        counts = {
            "box": len(grid),
            "simplex": int((np.abs(grid).sum(1) <= degree).sum()),
            "cross": int((np.maximum(np.abs(grid), 1).prod(1) <= degree).sum()),
        }
        bases = {shape: Torus(degree, dim, shape) for shape in counts}
        assert {shape: basis.size for shape, basis in bases.items()} == counts
        assert {shape: len(basis.indices) for shape, basis in bases.items()} == counts
    assert {Torus(0, 3, shape).size for shape in ("box", "simplex", "cross")} == {1}
    assert Cube(12, 3).size == 299
    assert Torus(500_000).size == 1_000_001  # without a list of them


def test_spherical_harmonics_are_scipys_up_to_sign():
    basis, x = Sphere(5), Sphere(5).draw(20, rng(2))
    polar, azimuth = np.arccos(x[:, 2]), np.arctan2(x[:, 1], x[:, 0])
    for (l, m), column in zip(basis.indices, basis(x).T, strict=True):  # noqa: E741
        top = special.lpmv(abs(m), l, np.cos(polar))
        norm = (2 * l + 1) * math.factorial(l - abs(m)) / math.factorial(l + abs(m)) * (2 if m else 1)
        turn = np.cos(m * azimuth) if m >= 0 else np.sin(-m * azimuth)
        np.testing.assert_allclose(column, (-1.0) ** m * math.sqrt(norm) * top * turn, atol=1e-11)


@pytest.mark.parametrize(("c", "count"), [(5.0, 16), (30.0, 40)])
def test_slepian_functions_are_eigenfunctions_of_the_sinc_kernel(c, count):
    basis = Slepian(c, count)
    points, weights = basis.quadrature(basis.order + 40)
    sinc = (c / np.pi) * np.sinc(c / np.pi * (points - points.T))
    values = basis(points)
    image = sinc @ (2 * weights[:, None] * values)
    np.testing.assert_allclose(image, values * basis.concentrations, atol=1e-11)
    assert (np.diff(basis.concentrations) < 1e-13).all()
    assert basis.concentrations.sum() == pytest.approx(2 * c / np.pi, rel=1e-9)  # the operator's trace


@pytest.mark.full
@EVERY
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_parseval_is_the_mean_square_difference(basis, seed):
    chance = rng(seed)
    f, g = (BandFunction(basis, chance.standard_normal((basis.size, 2))) for _ in range(2))
    points, weights = basis.quadrature(basis.order)
    direct = float((weights[:, None] * (f(points) - g(points)) ** 2).sum())
    assert f.distance(g) == pytest.approx(direct, rel=1e-10)
    assert f.distance(f) == 0


def test_functions_of_two_bands_differ_by_what_each_lacks():
    f = BandFunction(Torus(1), np.array([1.0, 2.0, 3.0]))
    g = BandFunction(Torus(0), np.array([3.0]))
    assert f.distance(g) == g.distance(f) == 4 + 4 + 9
    with pytest.raises(
        ValueError, match=r"'other' .* shared_positions must be a basis of the family of Torus"
    ):
        f.distance(BandFunction(Legendre(0), np.array([1.0])))


def test_a_mercer_basis_is_orthonormal_on_its_inputs_and_nested():
    x = rng(3).standard_normal((400, 3))
    large, small = (mercer(x, size, 120, rng(4)) for size in (30, 10))
    values = large(x)
    np.testing.assert_allclose(values.T @ values / len(x), np.eye(30), atol=1e-8)
    np.testing.assert_allclose(small(x), values[:, :10], atol=1e-8)
    assert (np.diff(large.eigenvalues) <= 0).all()


def test_with_all_inputs_as_landmarks_it_is_the_kernels_own_eigenbasis():
    x = rng(5).standard_normal((60, 2))
    basis = mercer(x, 8, 60, rng(6), "rbf", 1.5)
    values = basis(x)
    image = kernel(x, x, "rbf", 1.5) @ values / len(x)
    np.testing.assert_allclose(image, values * basis.eigenvalues, atol=1e-10)


REFUSED = [
    (lambda: Torus(2)(np.zeros(3)), r"'x' .* Torus must be angles in radians of shape \(N, 1\)"),
    (lambda: Torus(2)(np.array([[np.nan]])), "'x' .* finite"),
    (lambda: Legendre(2)(np.array([[1.5]])), r"numbers from -1 to 1 of shape \(N, 1\). Got <\[1.5\]>"),
    (lambda: Sphere(2)(np.array([[1.0, 1.0, 0.0]])), "unit vectors"),
    (lambda: Cube(2, 1)(np.array([[1.0, 0.5]])), "numbers -1 and 1"),
    (lambda: Cube(2, 3), "'degree'"),
    (lambda: Torus(1, 2, "ball"), "'shape'"),
    (lambda: Torus(10**9, 3), "'degree' .* at most 2.40 frequencies"),
    (lambda: Torus(10**5, 4, "simplex"), "'degree' .* at most 2.40 frequencies"),
    (lambda: Torus(10**10, 3, "cross"), "'degree' .* at most 2.40 frequencies"),
    (lambda: Torus(2, 10**4, "cross"), "'degree' .* at most 2.40 frequencies"),
    (lambda: Torus(5 * 10**5, 2).indices, "'basis' .* Torus must be one whose 2 x M matrix fits into"),
    (lambda: Torus(7000, 3, "simplex").degrees, "'basis' .* Torus must be one whose 3 x M matrix fits"),
    (lambda: Torus(1, 10, "simplex").quadrature(4), "'order' .* 10 dimensions has at most 67,108,864 points"),
    (lambda: Cube(60, 20).degrees, "'basis' .* Cube must be one whose 60 x M"),
    (lambda: Legendre(10**13).degrees, "'basis' .* Legendre must be one whose 1 x M"),
    (lambda: Sphere(10**7)(np.array([[1.0, 0.0, 0.0]])), "'basis' .* Sphere must be one whose 1 x M"),
    (lambda: Sphere(10**7).degrees, "'basis' .* Sphere must be one whose 2 x M"),
    (lambda: Slepian(0.0, 3), "'bandwidth'"),
    (lambda: Torus(10**9)(np.zeros((1000, 1))), "'basis' .* fits into"),
    (lambda: mercer(np.zeros((5, 1)), 3, 4, rng()), "'size' .* at most 1 for this kernel"),
    (lambda: mercer(np.zeros((5, 1)), 3, 6, rng()), "'landmarks'"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_bases_are_named_as_their_classes():
    assert {records.name(cls): cls for cls in ALL.values()} == ALL
    assert all(hash(cls()) == hash(cls()) for cls in ALL.values())
