"""The intrinsic dimension of manifolds whose dimension is known."""

import numpy as np
import pytest

from errsrc.theory import intrinsic_dimension


def curved(dim, count, rng):
    """Points on a curved manifold of normal coordinates in 4 `dim` dimensions."""
    z = rng.standard_normal((count, dim))
    return np.hstack([z, np.sin(z), np.cos(z), z[:, ::-1] ** 2])


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_curved_manifolds_have_their_dimension(dim):
    found = intrinsic_dimension(curved(dim, 1500, np.random.default_rng(dim)), smallest=700, level=0.999)
    assert found.dimension.low < dim < found.dimension.high
    assert list(found.sizes) == [1500, 750]
    assert found.nearest_neighbour.estimate == pytest.approx(2 / found.dimension.estimate)
    assert found.networks.estimate == pytest.approx(2 * found.nearest_neighbour.estimate)
    ends = found.exponent(0, smallest=750, largest=750)
    assert ends.estimate == pytest.approx(2 / found.dimensions[1].estimate)


@pytest.mark.slow
def test_the_interval_covers_the_dimension():
    """150 sets at 90%: fewer than 120 inside has a chance below 1e-4."""
    rng, inside = np.random.default_rng(0), 0
    for dim in (1, 2, 3):
        for _ in range(50):
            found = intrinsic_dimension(rng.standard_normal((1000, dim)), smallest=1000)
            inside += found.dimension.low < dim < found.dimension.high
    assert 120 <= inside <= 149


def test_duplicates_are_left_out():
    x = np.random.default_rng(0).standard_normal((300, 2))
    found = intrinsic_dimension(np.vstack([x, x[:50]]), smallest=300)
    assert found.duplicates == 50
    assert found.dimension == intrinsic_dimension(x, smallest=300).dimension
    assert "50 duplicates" in str(found)


def test_units_and_offsets_do_not_matter():
    """Distances from products of coordinates lose all digits in 34 dimensions with an offset of 1e8."""
    x = np.random.default_rng(0).standard_normal((300, 4)) @ np.eye(4, 34)
    found = intrinsic_dimension(x, smallest=300).dimension.estimate
    for other in (x * 1e200, x * 1e-200, x + 1e8):
        assert intrinsic_dimension(other, smallest=300).dimension.estimate == pytest.approx(found, rel=1e-5)


def test_one_end_of_a_curve_may_lie_outside_the_sizes():
    found = intrinsic_dimension(np.random.default_rng(0).standard_normal((300, 2)))
    assert found.exponent(0, smallest=1e6) == found.nearest_neighbour
    assert found.exponent(0, largest=1).estimate == pytest.approx(2 / found.dimensions[-1].estimate)


GRID = np.stack(np.meshgrid(np.arange(12), np.arange(12)), -1).reshape(-1, 2)


@pytest.mark.parametrize(
    "x", [np.zeros((200, 2)), np.ones(200), np.full((200, 2), np.nan), [["a"]], GRID, np.full((200, 2), 1j)]
)
def test_what_has_no_dimension_is_refused(x):
    with pytest.raises((TypeError, ValueError), match="'x' parameter of intrinsic_dimension"):
        intrinsic_dimension(x)
