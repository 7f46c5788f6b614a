"""What every learner refuses, and what its predictor does."""

from dataclasses import dataclass

import numpy as np
import pytest

from errsrc.bases import Torus, kernel
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
)
from errsrc.nets import MLP
from errsrc.training import Recipe


def rng(seed=0):
    return np.random.default_rng(seed)


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


@dataclass(frozen=True)
class Returns(Learner):
    """Fits what it is given."""

    function: object = None

    def _fit(self, x, y, rng):
        return self.function


@pytest.mark.parametrize("predictions", [["a", "b"], np.array([1j, 0]), None])
def test_predictions_that_are_no_real_numbers_are_refused(predictions):
    predictor = Returns(lambda at: predictions).fit(np.zeros((2, 1)), np.zeros(2), rng())
    with pytest.raises(ValueError, match=r"one whose predictions are finite\. Got <an array of "):
        predictor(np.zeros((2, 1)))


def test_a_fit_that_returns_no_function_is_refused():
    with pytest.raises(TypeError, match=r"'learner' .* of Returns must be one whose _fit returns a function"):
        Returns(None).fit(np.zeros((2, 1)), np.zeros(2), rng())


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
