"""Thresholds and searches of settings, learners and bases of one's own, and of scikit-learn estimators."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import strategies as st
from outside.basis import Chebyshev
from outside.learner import MedianNeighbour
from outside.setting import Step
from sklearn.linear_model import LinearRegression

from errsrc.bases import Torus
from errsrc.conjecture import Claim, Example, Region, draw_errors, examine, search, threshold
from errsrc.learners import BandLeastSquares, MinimumNorm, Neighbours, Ridge
from errsrc.nets import MLP
from errsrc.settings import BandTeacher, Gaussian, LinearTeacher, NetworkTeacher, SparseTeacher


@dataclass(frozen=True)
class KnownLinear(LinearTeacher):
    """A linear teacher that says what it takes to know it."""

    @property
    def n_nyquist(self):
        return self.dim

    def sampling_matrix(self, x):
        return x


def test_a_threshold_of_ones_own_setting_and_learner_needs_n_nyquist_alone() -> None:
    found = threshold(Step(), MedianNeighbour(), n_nyquist=4, ratios=(1.0, 2.0, 4.0), draws=5)
    assert found.n_nyquist == 4
    assert math.isinf(found.n_star.estimate)
    with pytest.raises(TypeError, match="must be given, because n_nyquist of Step is not known"):
        threshold(Step(), MedianNeighbour())


def test_an_own_basis_has_its_threshold_at_its_size() -> None:
    basis = Chebyshev()
    found = threshold(BandTeacher(basis), BandLeastSquares(basis), draws=9)
    assert found.n_nyquist == basis.size == found.n_star.estimate
    assert examine(Example(BandTeacher(basis), BandLeastSquares(basis), basis.size)).verdict == "holds"


@pytest.mark.full
def test_an_estimator_has_a_threshold() -> None:
    """Least squares with an intercept needs one example more than coefficients."""
    found = threshold(KnownLinear(3), LinearRegression(), draws=9)
    assert found.n_star.estimate == 4
    straight = threshold(KnownLinear(3), LinearRegression(fit_intercept=False), draws=9)
    assert straight.n_star.estimate == straight.n_nyquist == 3


class First:
    """Predicts the first label, and no learner of errsrc."""

    def fit(self, x, y, rng):
        return lambda at: np.full(len(at), y[0])


def test_an_object_with_fit_has_relative_errors() -> None:
    errors = draw_errors(KnownLinear(2), First(), 3, 5)
    assert errors.shape == (5,)
    assert (errors > 0.1).all()


def test_a_setting_whose_teacher_is_no_function_is_named(monkeypatch) -> None:
    monkeypatch.setattr(Step, "teacher", lambda self, rng: None)
    with pytest.raises(TypeError, match=r"'setting' parameter of draw_errors .* Step\.teacher"):
        draw_errors(Step(), MedianNeighbour(), 5, 2)


def test_a_setting_that_says_how_it_is_sampled_is_examined() -> None:
    assert examine(Example(KnownLinear(4), MinimumNorm(), 4)).verdict == "holds"
    assert examine(Example(KnownLinear(4), MinimumNorm(), 3)).verdict == "not tested"
    assert examine(Example(KnownLinear(4), Ridge(1.0), 9)).verdict == "refuted"
    noisy = KnownLinear(4, channel=Gaussian(0.1))
    assert examine(Example(noisy, MinimumNorm(), 40)).verdict == "holds"


@pytest.mark.parametrize(
    ("example", "status"),
    [
        (Example(Step(), MedianNeighbour()), "The smallest n of Step (n_nyquist) is not known."),
        (Example(SparseTeacher(Torus(9), 2), Neighbours(), 9), "(sampling_matrix) is not known."),
        (Example(NetworkTeacher(MLP((1, 1, 1), "tanh")), Neighbours(), 9), "Fits of Neighbours come with no"),
    ],
)
def test_where_nothing_is_known_nothing_is_tested(example: Example, status: str) -> None:
    outcome = examine(example)
    assert outcome.verdict == "not tested"
    assert status in outcome.status


@pytest.mark.full
def test_a_search_takes_settings_and_learners_of_ones_own() -> None:
    settings = st.builds(KnownLinear, st.integers(1, 5))
    supported = search(settings=settings, learner=MinimumNorm(), examples_wanted=40)
    assert supported.verdict == "supported"
    assert list(supported.tallies) == [("KnownLinear", "")]
    refuted = search(settings=settings, learner=Ridge(1.0), examples_wanted=40)
    assert refuted.verdict == "refuted"
    assert refuted.counterexample.setting == KnownLinear(1)
    chosen = search(settings=settings, learner=lambda one: MinimumNorm(), examples_wanted=40)
    assert chosen.worst == supported.worst
    estimator = LinearRegression(fit_intercept=False)
    assert search(settings=settings, learner=estimator, examples_wanted=40).verdict == "supported"
    with pytest.raises(
        TypeError, match="'learner' parameter of search must be given for settings of class K"
    ):
        search(settings=settings, examples_wanted=5)
    with pytest.raises(TypeError, match=r"'settings' parameter of search .* n_nyquist is known"):
        search(settings=st.just(Step()), learner=MedianNeighbour(), examples_wanted=5)


def test_a_search_examines_any_learner_in_the_bands_of_the_region() -> None:
    found = search(Claim(), Region(most=9, domains=("torus",)), learner=Neighbours(1), examples_wanted=30)
    assert found.verdict == "refuted"
    assert found.counterexample.learner == Neighbours(1)
