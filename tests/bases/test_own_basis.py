"""A user's own basis, `tests/outside/basis.py`, wherever errsrc's own bases work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from outside.basis import Chebyshev

from errsrc.bases import BandFunction, Basis, Torus, nonuniform
from errsrc.conjecture import threshold
from errsrc.learners import BandLeastSquares, BandSelection, LowPass, MatrixPencil, Neighbours, SparseRecovery
from errsrc.settings import AllFunctions, Band, BandTeacher, Gaussian, Jittered, SparseTeacher, Stride
from errsrc.sources import budget
from errsrc.testing import check_basis, check_learner, check_setting
from errsrc.testing.learner import predictions_lie_in_the_declared_class


@pytest.mark.full
def test_teachers_in_it_pass_the_checks_of_settings():
    classes = [AllFunctions(), Band(Chebyshev(4)), Band(Chebyshev(2))]
    check_setting(BandTeacher(Chebyshev(4), decay=1.0, channel=Gaussian(0.2)), classes=classes)
    almost = BandTeacher(Chebyshev(2), beyond=Chebyshev(6), tail=0.1, nodes=Jittered())
    check_setting(almost, classes=classes)
    assert almost.realizability(Band(Chebyshev(2))).estimate == pytest.approx(0.1)
    with pytest.raises(ValueError, match="'function_class' parameter of BandTeacher must be a band on"):
        almost.realizability(Band(Chebyshev(2, length=3.0)))  # inputs in another interval


@pytest.mark.parametrize(
    "learner",
    [
        BandLeastSquares(Chebyshev(3)),
        BandSelection(Chebyshev(6)),
        SparseRecovery(Chebyshev(6), 2),
        LowPass(Neighbours(2), Chebyshev(3)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_learners_in_it_stay_in_the_band(learner):
    check_learner(learner, properties=[predictions_lie_in_the_declared_class], examples=3)


def test_its_band_is_learned_exactly_from_n_nyquist_on():
    setting, learner = BandTeacher(Chebyshev(3)), BandLeastSquares(Chebyshev(3))
    found = budget(setting, learner, 8, draws=8)
    assert found.total.estimate < 1e-20
    assert threshold(setting, learner, draws=5, ratios=(0.5, 1.0, 2.0)).n_star.estimate == 4
    smaller = budget(setting, BandLeastSquares(Chebyshev(1)), 20, draws=8)
    assert smaller.realizability.lower.estimate == pytest.approx(0.5)  # 2 of 4 coefficients


def test_the_band_within_a_bound_and_the_support_are_found():
    rng = np.random.default_rng(0)
    teacher = BandFunction(Chebyshev(3), rng.standard_normal(4))
    x = Chebyshev().draw(20, rng)
    assert BandSelection(Chebyshev(12)).fit(x, teacher(x), rng).function.basis == Chebyshev(3)
    sparse = SparseTeacher(Chebyshev(30), sparsity=2)
    f = sparse.teacher(rng)
    x = sparse.inputs(25, rng)
    found = SparseRecovery(Chebyshev(30), 2).fit(x, f(x), rng).function
    assert found.certified
    np.testing.assert_allclose(found.coefficients, f.coefficients, atol=1e-9)


@dataclass(frozen=True)
class EvenFrequencies(Basis):
    """Frequencies 0, 2, 4, ... of one angle, which are no box."""

    trigonometric = True

    degree: int = 3

    @property
    def size(self):
        return 2 * self.degree + 1

    @property
    def dim(self):
        return 1

    @property
    def indices(self):
        k = np.zeros((self.size, 1), dtype=np.int64)
        k[1::2, 0] = 2 * np.arange(1, self.degree + 1)
        k[2::2] = -k[1::2]
        return k

    @property
    def domain(self):
        return Torus().domain

    def place(self, u):
        return 2 * np.pi * u

    def values(self, x):
        return Torus(2 * self.degree).values(x)[:, self._columns]

    @property
    def _columns(self):
        j = 4 * np.arange(1, self.degree + 1)
        return np.concatenate([[0], np.stack([j - 1, j], axis=1).ravel()])

    def quadrature(self, order):
        return Torus(order).quadrature(order)


def test_a_trigonometric_basis_of_ones_own_has_the_fast_transforms():
    basis = EvenFrequencies(5)
    check_basis(basis)
    rng = np.random.default_rng(1)
    x, c = basis.draw(60, rng), rng.standard_normal(basis.size)
    np.testing.assert_allclose(nonuniform.synthesise(basis, x, c), basis(x) @ c, atol=1e-12)
    fit = BandLeastSquares(basis, weights="density").fit(x, basis(x) @ c, rng).function
    assert fit.iterations > 0
    np.testing.assert_allclose(fit.coefficients, c, atol=1e-10)


def test_a_matrix_pencil_finds_its_frequencies_alone():
    basis = EvenFrequencies(50)
    x = 2 * np.pi * Stride().points(11, 1, np.random.default_rng(0))
    y = np.cos(40 * x[:, 0]) - np.sin(6 * x[:, 0])
    found = MatrixPencil(basis, 4).fit(x, y, np.random.default_rng(0)).function
    assert found.certified
    assert sorted(basis.indices[found.support, 0]) == [-40, -6, 6, 40]


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (lambda self, x: np.ones((len(x), 2)), r"<shape \(\d+, 2\)>"),
        (lambda self, x: np.full((len(x), 5), np.nan), "<nan or inf>"),
    ],
)
def test_values_of_another_shape_and_nan_are_refused(monkeypatch, values, got: str) -> None:
    monkeypatch.setattr(Chebyshev, "values", values)
    message = f"'values' parameter of Chebyshev must be a method .* Got {got} instead.*check_basis"
    with pytest.raises(ValueError, match=message):
        budget(BandTeacher(Chebyshev()), BandLeastSquares(Chebyshev()), 8)
    with pytest.raises(ValueError, match=message):
        BandTeacher(Chebyshev()).teacher(np.random.default_rng(0))(np.ones((3, 1)))
