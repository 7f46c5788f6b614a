"""What holds of every learner that is told the band, over bands, spectra and designs drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from amounts import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from errsrc.bases import Cube, Sphere, Torus
from errsrc.conjecture import draw_errors
from errsrc.learners import BandLeastSquares
from errsrc.settings import BandTeacher
from errsrc.testing import band_teachers

SEEDS = st.integers(0, 10**6)
WORLDS = band_teachers(most=30, designs=("uniform", "jittered", "uneven"))


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def sample(setting: BandTeacher, n: int, seed: int):
    """Nodes, their condition number, and a teacher."""
    x = setting.inputs(n, rng(seed))
    d = np.linalg.svd(setting.basis(x), compute_uv=False)
    return x, float(d[0] / max(d[-1], 1e-300)), setting.teacher(rng(seed + 1))


@settings(max_examples=examples(80), deadline=None)
@given(WORLDS, st.floats(1, 3), SEEDS)
def test_recovery_is_exact_in_general_position(setting, ratio, seed):
    """Within 100 times the condition number times rounding; coefficients themselves, by Parseval."""
    n = int(ratio * setting.basis.size)
    x, condition, teacher = sample(setting, n, seed)
    assume(condition < 1e6)
    found = BandLeastSquares(setting.basis).fit(x, teacher(x), rng(0)).function
    assert found.determined
    assert found.condition == pytest.approx(condition, rel=1e-6)
    size = float((teacher.coefficients**2).sum())
    assert teacher.distance(found) <= (100 * condition * 2.3e-16) ** 2 * size


@settings(max_examples=examples(40), deadline=None)
@given(WORLDS, st.floats(0.2, 2), SEEDS)
def test_the_order_of_nodes_does_not_matter(setting, ratio, seed):
    n = max(1, int(ratio * setting.basis.size))
    x, condition, teacher = sample(setting, n, seed)
    assume(condition < 1e5)
    order = rng(seed).permutation(n)
    one, other = (BandLeastSquares(setting.basis).fit(z, teacher(z), rng(0)) for z in (x, x[order]))
    assert one.function.distance(other.function) <= (1e-9) ** 2


@settings(max_examples=examples(40), deadline=None)
@given(WORLDS, st.floats(0.2, 2), SEEDS)
def test_it_is_linear_in_the_labels(setting, ratio, seed):
    n = max(1, int(ratio * setting.basis.size))
    x, condition, _ = sample(setting, n, seed)
    assume(condition < 1e5)
    y, z = rng(seed).standard_normal((2, n))
    learner = BandLeastSquares(setting.basis)
    fy, fz, both = (learner.fit(x, labels, rng(0)).function.coefficients for labels in (y, z, 2 * y - z))
    np.testing.assert_allclose(both, 2 * fy - fz, atol=1e-9 * condition)


def moved(basis, seed):
    """A motion of the domain that keeps the band, as a map of points."""
    chance = rng(seed)
    if isinstance(basis, Torus):
        shift, order = chance.uniform(0, 2 * np.pi, basis.dim), chance.permutation(basis.dim)
        sign = chance.choice([-1.0, 1.0], basis.dim)
        return lambda x: (sign * x + shift)[:, order]
    if isinstance(basis, Sphere):
        rotation = np.linalg.qr(chance.standard_normal((3, 3)))[0]
        return lambda x: x @ rotation
    flips, order = chance.choice([-1.0, 1.0], basis.bits), chance.permutation(basis.bits)
    return lambda x: (x * flips)[:, order]


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(
        [Torus(4), Torus(2, 2), Torus(2, 3, "cross"), Torus(2, 2, "simplex"), Sphere(4), Cube(5, 2)]
    ),
    st.floats(0.3, 2),
    SEEDS,
)
def test_a_motion_of_the_domain_moves_the_fit_along(basis, ratio, seed):
    """Shifts, reflections and exchanges of angles, rotations, exchanges and flips of bits; below M too."""
    n = max(1, int(ratio * basis.size))
    x, condition, teacher = sample(BandTeacher(basis), n, seed)
    assume(condition < 1e5 or n < basis.size)
    d = np.linalg.svd(basis(x), compute_uv=False)
    assume(d[-1] > 1e-5 * d[0] or d[-1] < 1e-13 * d[0])
    move, y, at = moved(basis, seed + 7), teacher(x), basis.draw(20, rng(seed + 8))
    here = BandLeastSquares(basis).fit(x, y, rng(0))(at)
    there = BandLeastSquares(basis).fit(move(x), y, rng(0))(move(at))
    np.testing.assert_allclose(there, here, atol=1e-8)


@pytest.mark.parametrize("basis", [Torus(6), Torus(1, 2), Sphere(3), Cube(5, 2)], ids=repr)
@pytest.mark.parametrize("ratio", [0.3, 0.7])
def test_no_error_is_below_the_information_limit(basis, ratio):
    """For a flat prior E|f^ - f|^2 / E|f|^2 >= 1 - n / M, which the least norm attains where nodes differ.

    200 draws; 3.5 standard errors, 8 cases: a false alarm in 1 of 300 runs.
    """
    n = round(ratio * basis.size)
    squared = draw_errors(BandTeacher(basis), BandLeastSquares(basis), n, 200) ** 2
    limit, spread = 1 - n / basis.size, 3.5 * squared.std() / np.sqrt(200)
    assert squared.mean() > limit - spread
    if not isinstance(basis, Cube):
        assert squared.mean() < limit + spread
