"""Low-pass projection of predictors on a band."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from errsrc.bases import BandFunction, Cube, Legendre, Sphere, Torus
from errsrc.errors import Diverged
from errsrc.learners import BandLeastSquares, LowPass, Neighbours, NetworkStudent
from errsrc.learners.learner import Fitted, Learner
from errsrc.nets import MLP, FilterNetwork
from errsrc.settings import Band, BandTeacher, ImageBasis
from errsrc.studies import parse
from errsrc.training import Recipe


def rng(seed=0):
    return np.random.default_rng(seed)


@dataclass(frozen=True, eq=False)
class _Given(Learner):
    """Learns a function that it was given, whatever the examples."""

    function: Callable[[np.ndarray], np.ndarray] = np.sum

    def _fit(self, x, y, rng):
        return self.function


DOMAINS = [
    (Torus(2, 2), Torus(14, 2)),
    (Torus(3, 2, "cross"), Torus(5, 2)),
    (Legendre(4), Legendre(28)),
    (Sphere(2), Sphere(14)),
    (Cube(6, 2), Cube(6, 6)),
]


@pytest.mark.parametrize(("band", "whole"), DOMAINS, ids=str)
@pytest.mark.parametrize("outputs", [(), (3,)], ids=["one", "three"])
def test_low_pass_keeps_a_functions_coefficients_in_the_band_and_drops_the_others(band, whole, outputs):
    """Up to (2 oversampling - 1) times the order, 7 times by default, exactly."""
    f = BandFunction(whole, rng(3).standard_normal((whole.size, *outputs)))
    x = band.draw(5, rng(4))
    found = LowPass(_Given(f), band).fit(x, f(x), rng())
    assert isinstance(found, Fitted)
    points, weights = whole.quadrature(2 * whole.order)
    expected = band(points).T @ (f(points).T * weights).T
    np.testing.assert_allclose(found.function.coefficients, expected, atol=1e-10)


def test_low_pass_folds_back_what_is_beyond():
    """On the grid of 2 x 4 x 2 + 1 = 17 points, frequency 16 is frequency 1."""
    x = np.zeros((1, 1))
    for frequency, expected in ((14, 0.0), (15, 2**-0.5), (16, 2**-0.5), (19, 2**-0.5)):
        f = LowPass(_Given(lambda at, k=frequency: np.cos(k * at[:, 0])), Torus(2)).fit(x, np.ones(1), rng())
        assert np.abs(f.function.coefficients).max() == pytest.approx(expected, abs=1e-12)


def test_low_pass_on_a_sample_is_exact_in_the_band_and_near_it_elsewhere():
    band, whole = Torus(2, 2), Torus(5, 2)
    x = band.draw(3, rng())
    inside = BandFunction(band, rng(1).standard_normal(25))
    found = LowPass(_Given(inside), band, sample=60).fit(x, np.ones(3), rng(2))
    np.testing.assert_allclose(found.function.coefficients, inside.coefficients, atol=1e-10)
    f = BandFunction(whole, rng(1).standard_normal(121))
    outside = sum(f.coefficients[25:] ** 2)
    errors = [
        ((LowPass(_Given(f), band, sample=2000).fit(x, np.ones(3), rng(k)).function.coefficients
          - f.coefficients[:25]) ** 2).sum() for k in range(20)
    ]  # fmt: skip
    assert np.mean(errors) == pytest.approx(outside * 25 / 2000, rel=0.3)


def test_low_pass_of_images_projects_on_the_unlabelled_ones():
    basis = ImageBasis(count=12)
    x = basis.draw(200, rng())
    f = LowPass(Neighbours(3), basis).fit(x, x[:, 30], rng())
    points, weights = basis.quadrature(0)
    expected = basis(points).T @ (weights * Neighbours(3).fit(x, x[:, 30], rng())(points))
    np.testing.assert_allclose(f.function.coefficients, expected, atol=1e-10)


def test_low_pass_does_not_change_a_fit_in_the_band_and_says_its_class():
    world = BandTeacher(Torus(2, 2))
    x = world.inputs(60, rng())
    y = world.teacher(rng(1))(x)
    inner = BandLeastSquares(world.basis)
    learner = LowPass(inner, world.basis)
    assert learner.function_class == Band(world.basis)
    at = world.inputs(9, rng(2))
    np.testing.assert_allclose(learner.fit(x, y, rng())(at), inner.fit(x, y, rng())(at), atol=1e-10)


def test_low_pass_hands_on_what_diverged_projected():
    recipe = Recipe("sgd", learning_rate=1e3, warmup=0, loss="squared")
    learner = LowPass(NetworkStudent(MLP((1, 8, 1)), recipe, steps=60), Torus(2))
    x = rng().uniform(0, 6, (40, 1))
    with pytest.raises(Diverged, match="1 of 1 networks diverged") as caught:
        learner.fit(x, np.sin(x[:, 0]), rng())
    assert isinstance(caught.value.best[0].function, BandFunction)


def test_specs_can_name_them():
    study = parse("""
        kind = "budget"
        [cell]
        n = 20
        [cell.setting]
        kind = "band-teacher"
        [cell.setting.basis]
        kind = "torus"
        dim = 2
        [cell.learner]
        kind = "low-pass"
        [cell.learner.basis]
        kind = "torus"
        dim = 2
        [cell.learner.learner]
        kind = "network-student"
        [cell.learner.learner.architecture]
        kind = "filter-network"
        dim = 2
        degrees = [1, 1]
        sizes = [8, 8, 1]
    """)
    inner = NetworkStudent(FilterNetwork(2, (1, 1), (8, 8, 1)))
    assert study[0].learner == LowPass(inner, Torus(3, 2))
