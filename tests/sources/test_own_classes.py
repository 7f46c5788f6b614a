"""Budgets of settings, learners and bases of one's own, and of scikit-learn estimators."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
from outside.basis import Chebyshev
from outside.learner import MedianNeighbour
from outside.setting import Step
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LassoCV, LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from errsrc.bases import Torus
from errsrc.learners import (
    BandLeastSquares,
    KernelRidge,
    Learner,
    Neighbours,
    NetworkStudent,
    Ridge,
    SparseRecovery,
    from_estimator,
)
from errsrc.nets import MLP
from errsrc.results import Interval
from errsrc.settings import (
    Band,
    BandTeacher,
    Flips,
    FunctionClass,
    Gaussian,
    GaussianSetting,
    Linear,
    LinearTeacher,
    NetworkTeacher,
    Setting,
    SparseTeacher,
    TableTeacher,
)
from errsrc.settings.channels import Channel
from errsrc.sources import TERMS, Budget, Effort, Experiment, bias_variance, budget, budget_in

QUICK = Effort(starts=2, steps=20, chains=2, transitions=4, leaps=8)


def sides(found: Budget, name: str) -> tuple[float, float]:
    bracket = getattr(found, name)
    return bracket.lower.estimate, bracket.upper.estimate


def sum_to_the_total(found: Budget) -> bool:
    """Noise, the lower side of realizability, the upper of uncertainty, the lower of deficiency."""
    traded = sum(sides(found, name)[name == "uncertainty"] for name in TERMS)
    return traded == pytest.approx(found.total.estimate, rel=1e-12)


def test_a_setting_and_a_learner_of_ones_own_have_a_bracket_from_0_to_the_excess_risk() -> None:
    """The excess risk by a second derivation: teachers, data and fresh inputs drawn here."""
    setting, learner = Step(channel=Gaussian(0.1)), MedianNeighbour()
    found = budget(setting, learner, 12, draws=200)
    excess = found.total.estimate - 0.01
    assert sides(found, "noise") == pytest.approx((0.01, 0.01))
    assert sides(found, "realizability") == (0, 0)
    assert sides(found, "uncertainty") == pytest.approx((0, excess))
    assert sides(found, "deficiency") == pytest.approx((0, excess))
    assert sum_to_the_total(found)
    assert "between 0 and the learner's own risk: no closer bounds are known for Step" in found.status
    rng, risks = np.random.default_rng(0), []
    for _ in range(400):
        teacher, x, at = setting.teacher(rng), setting.inputs(12, rng), setting.inputs(200, rng)
        fitted = learner.fit(x, setting.channel.label(teacher(x), rng), rng)
        risks.append(((fitted(at) - teacher(at)) ** 2).mean())
    error = np.hypot(np.std(risks) / 20, found.std_error)
    assert excess == pytest.approx(np.mean(risks), abs=4.5 * error)
    assert found.relative.total.estimate == pytest.approx(4 * found.total.estimate)


def test_a_seed_decides_the_budget_of_ones_own_setting() -> None:
    one, same, other = (budget(Step(), MedianNeighbour(), 6, draws=4, seed=s).total for s in (1, 1, 2))
    assert one == same != other


def test_a_fixed_design_counts() -> None:
    x = np.full((6, 2), 0.5)
    found = budget(Step(), MedianNeighbour(), 6, x=x, draws=30)
    assert found.total.estimate == pytest.approx(0.25, abs=0.1)  # a constant: 1/2 is half of |x - t|


@dataclass(frozen=True)
class Coin(Step):
    """Which side of the threshold an input is on, as classes, some of them flipped."""

    channel: Channel = field(default=Flips(0.1), kw_only=True)
    noise = 0.1
    loss = "zero-one"
    target_variance = 0.4

    def teacher(self, rng):
        values = super().teacher(rng)
        return lambda x: np.eye(2)[values(x).astype(int)]


def test_classes_of_ones_own_setting_have_budgets() -> None:
    found = budget(Coin(), Neighbours(1), 40, draws=20)
    assert sides(found, "noise") == pytest.approx((0.1, 0.1))
    assert 0.1 < found.total.estimate < 0.4
    assert sum_to_the_total(found)


@dataclass(frozen=True)
class Steps(FunctionClass):
    """A class that no setting knows."""


@dataclass(frozen=True)
class StepLearner(MedianNeighbour):
    function_class = Steps()


@pytest.mark.parametrize("setting", [Step(), LinearTeacher(2), NetworkTeacher(MLP((2, 3, 1)))], ids=str)
def test_a_class_that_the_setting_does_not_know_has_a_bracket_of_realizability(setting: Setting) -> None:
    found = budget(setting, StepLearner(), 8, draws=6, effort=QUICK)
    excess = found.total.estimate - found.noise.lower.estimate
    assert sides(found, "realizability") == pytest.approx((0, excess))
    assert "not known for its class" in found.status
    assert found.all_functions is not None
    assert sum_to_the_total(found)


MEASURED = [
    (SparseTeacher(Torus(6), 3), SparseRecovery(Torus(6), 3), 9),
    (SparseTeacher(Torus(6), 3, channel=Gaussian(0.1)), BandLeastSquares(Torus(2)), 9),
    (SparseTeacher(Torus(6), 3), KernelRidge("periodic"), 9),
    (LinearTeacher(3), NetworkStudent(MLP((3, 4, 1)), steps=20), 9),
    (BandTeacher(Torus(2)), Ridge(), 9),
    (TableTeacher(5), Ridge(), 9),
    (NetworkTeacher(MLP((2, 2)), loss="zero-one", channel=Flips(0.1)), Ridge(), 20),
]


@pytest.mark.filterwarnings("ignore::errsrc.errors.Undersampled")
@pytest.mark.parametrize(("setting", "learner", "n"), MEASURED, ids=lambda one: str(one)[:40])
def test_every_setting_has_a_budget_of_every_learner(setting: Setting, learner: Learner, n: int) -> None:
    found = budget(setting, learner, n, draws=4)
    assert sum_to_the_total(found)
    for name in TERMS:
        lower, upper = sides(found, name)
        assert lower <= upper + 1e-12
        assert getattr(found, name).upper.high >= 0
    assert "between 0 and the learner's own risk" in found.status


def test_a_realizability_that_the_setting_knows_is_a_term() -> None:
    setting = SparseTeacher(Torus(6), 3)
    found = budget(setting, BandLeastSquares(Torus(2)), 9, draws=4)
    known = setting.realizability(Band(Torus(2))).estimate
    assert sides(found, "realizability") == pytest.approx((known, known))
    assert sides(found, "uncertainty")[1] == pytest.approx(found.total.estimate - known)
    assert "known for the setting" in found.status


@dataclass(frozen=True)
class Waves(GaussianSetting):
    """A Gaussian setting of inputs and roots alone."""

    def inputs(self, count, rng):
        return rng.uniform(0, 1, (count, 1))

    def roots(self, *points):
        return [np.hstack([np.cos(x), np.sin(3 * x)]) for x in points]


@dataclass(frozen=True)
class Steeper(LinearTeacher):
    """A linear teacher of one's own."""

    weight_decay: float = 2.0


def test_a_subclass_of_a_gaussian_setting_has_the_exact_budget() -> None:
    found = budget(Waves(channel=Gaussian(0.2)), KernelRidge("rbf", 0.3), 9, draws=4)
    assert all(getattr(found, name).closed for name in TERMS)
    assert "exact given the inputs" in found.status
    exact = budget(Steeper(4), Ridge(1.0), 8, draws=4)
    assert exact.total == budget(LinearTeacher(4, weight_decay=2.0), Ridge(1.0), 8, draws=4).total


def test_common_mistakes_in_a_setting_or_learner_are_refused_with_the_fix() -> None:
    class OneArray(Waves):
        def roots(self, x):
            return [np.hstack([np.cos(x), np.sin(3 * x)])]

    class NoList(Waves):
        def roots(self, *points):
            return np.cos(points[0])

    for setting, got in ((OneArray(), r"<roots\(x\)>"), (NoList(), r"of shape \(1,\), .* \(1000, 1\)>")):
        with pytest.raises((TypeError, ValueError), match=rf"roots\(self, \*points\) returns a list.*{got}"):
            budget(setting, KernelRidge("rbf", 0.3), 9, draws=4)

    class Wide(Waves):
        declared: ClassVar[float] = 1.0
        width: float = 1.0

    for options in ({}, {"width": 2.0}):
        with pytest.raises(TypeError, match=r"^Wide declares width, but lacks .* @dataclass\(frozen=True\)"):
            Wide(**options)

    class Declares(MedianNeighbour):
        linear_in_labels = True

    with pytest.raises(TypeError, match=r"because it declares linear_in_labels = True.* Define smoother, or"):
        budget(Waves(), Declares(), 9, draws=4)

    class NoQuadrature(Waves):
        def realizability(self, function_class):
            return Interval(0.1, 0.1, 0.1, 0.95)

        def frame(self, function_class, points):
            return None if function_class.unrestricted else points**0

    with pytest.raises(
        ValueError, match=r"quadrature\(\) gives exact points for Steps\(\).* Define quadrature"
    ):
        budget(NoQuadrature(), StepLearner(), 9, draws=4)


def test_the_status_names_random_points_of_comparison() -> None:
    points = "of the points at which functions are compared."
    assert budget(Waves(), KernelRidge("rbf", 0.3), 9, draws=4).status.endswith(points)
    assert points not in budget(LinearTeacher(3), Ridge(), 9, draws=4).status


def test_a_basis_of_ones_own_has_the_exact_budget() -> None:
    basis = Chebyshev()
    setting = BandTeacher(basis, channel=Gaussian(0.1))
    found, estimated = (
        budget(setting, BandLeastSquares(basis), 20, draws=40, exact=e) for e in (True, False)
    )
    assert "exact given the inputs" in found.status
    assert found.total.estimate == pytest.approx(estimated.total.estimate, rel=0.3)
    smaller = budget(setting, BandLeastSquares(Chebyshev(degree=2)), 20, draws=4)
    assert sides(smaller, "realizability") == pytest.approx((2 / 5, 2 / 5))


def test_a_setting_that_knows_more_registers_it() -> None:
    class Known(Step):
        """Half of the excess risk is known to be uncertainty."""

    @budget_in.register(Known)
    def half(setting: Known, experiment: Experiment) -> Budget:
        zero, tenth = np.zeros(experiment.draws), np.full(experiment.draws, 0.1)
        return Budget.known(setting, experiment, zero, tenth, tenth, "By halves.")

    found = budget(Known(), MedianNeighbour(), 5, draws=3)
    assert found.status == "By halves."
    assert found.total.estimate == pytest.approx(0.2)
    assert found.uncertainty.closed


@pytest.mark.full
def test_an_estimator_of_scikit_learn_has_a_budget() -> None:
    """Least squares is least squares: the closed form of the one, and the draws of the other."""
    setting = LinearTeacher(3, channel=Gaussian(0.5))
    least_squares = from_estimator(LinearRegression(fit_intercept=False), function_class=Linear())
    exact = budget(setting, Ridge(1e-9), 20, draws=64)
    found = budget(setting, least_squares, 20, draws=64)
    for name in TERMS:
        one, other = getattr(exact, name).lower, getattr(found, name).lower
        assert abs(one.estimate - other.estimate) <= 2 * (other.high - other.low) + 1e-9
    assert sides(budget(setting, LassoCV(cv=3), 20, draws=4), "realizability") == (0, 0)


def test_the_budget_of_a_random_estimator_is_its_seeds() -> None:
    forest = RandomForestRegressor(5)
    one, same, other = (budget(Step(), forest, 20, draws=3, seed=s).total for s in (1, 1, 2))
    assert one == same != other


@pytest.mark.full
def test_classifiers_are_judged_by_their_probabilities() -> None:
    setting = NetworkTeacher(MLP((2, 2)), loss="log", channel=Flips(0.2))
    found = budget(setting, LogisticRegression(), 100, draws=6)
    assert found.noise.lower.estimate < found.total.estimate < 2
    with pytest.raises(ValueError, match="a probability > 0, for the log loss"):
        budget(setting, LinearSVC(), 100, draws=6)
    counted = NetworkTeacher(MLP((2, 2)), loss="zero-one", channel=Flips(0.2))
    assert budget(counted, LinearSVC(), 100, draws=6).total.estimate < 0.5


class First:
    """Predicts the first label, and is no learner of errsrc."""

    def fit(self, x, y, rng):
        return lambda at: np.full(len(at), y.flat[0])


def test_an_object_with_fit_has_a_budget() -> None:
    found = budget(LinearTeacher(2), First(), 4, draws=60)
    assert found.total.estimate == pytest.approx(2, abs=1)  # of two independent values of variance 1
    with pytest.raises(ValueError, match=r"'learner' parameter of budget .* shape \(64, 2\)"):
        budget(LinearTeacher(2, outputs=2), First(), 4)


@pytest.mark.parametrize(
    "learner", [MedianNeighbour(), RandomForestRegressor(3), First()], ids=lambda one: type(one).__name__
)
def test_bias_and_variance_take_settings_and_learners_of_ones_own(learner) -> None:
    found = bias_variance(Step(), learner, 9, teachers=3, samples=2, initialisations=2)
    total = sum(getattr(found, name).estimate for name in ("bias", "samples", "initialisations", "both"))
    assert total == pytest.approx(found.total.estimate)
    varies = isinstance(learner, RandomForestRegressor)
    assert (abs(found.initialisations.estimate) > 1e-12) == varies


def test_probabilities_are_asked_of_every_learner_for_the_log_loss() -> None:
    setting = NetworkTeacher(MLP((2, 2, 3)), loss="log", channel=Flips(0.1))
    with pytest.raises(ValueError, match="one that predicts probabilities, for the log loss"):
        budget(setting, Ridge(), 10, draws=2)


def test_an_abstract_setting_says_what_is_missing() -> None:
    @dataclass(frozen=True)
    class Bare(Setting):
        def inputs(self, count, rng):
            return rng.random((count, 1))

    with pytest.raises(TypeError, match=r"abstract.*channel.*noise.*target_variance.*teacher"):
        Bare()


class AnyClass(First):
    function_class = "all"


BROKEN_SETTINGS = [
    (
        "inputs",
        lambda self, count, rng: rng.random((max(count - 1, 1), 2)),
        "Step.inputs(5, rng) of shape (4, 2)",
    ),
    ("teacher", lambda self, rng: None, "<a NoneType from Step.teacher>"),
    ("teacher", lambda self, rng: np.ones(5), "<a ndarray from Step.teacher>"),
    ("teacher", lambda self, rng: lambda x: 1.0, "<values of shape () from Step.teacher at"),
    ("teacher", lambda self, rng: lambda x: x[1:, 0], "from Step.teacher at"),
]


@pytest.mark.parametrize(("name", "value", "got"), BROKEN_SETTINGS)
@pytest.mark.parametrize("function", [budget, bias_variance])
def test_a_setting_that_breaks_its_promises_is_named(monkeypatch, function, name, value, got) -> None:
    monkeypatch.setattr(Step, name, value)
    message = f"'setting' parameter of {function.__name__} must be one whose {name}"
    with pytest.raises((TypeError, ValueError), match=f"{message}.*{re.escape(got)}"):
        function(Step(), MedianNeighbour(), 5)


@pytest.mark.parametrize("name", ["noise", "target_variance"])
@pytest.mark.parametrize("value", [-1.0, np.nan, "x"])
def test_a_setting_whose_numbers_are_none_is_named(monkeypatch, name: str, value: object) -> None:
    monkeypatch.setattr(Step, name, value)
    with pytest.raises(
        (TypeError, ValueError), match=f"'{name}' parameter of Step must be a finite number >= 0"
    ):
        budget(Step(), MedianNeighbour(), 5)


def test_a_function_class_or_a_design_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="'function_class' parameter of AnyClass must be a function class"):
        budget(Step(), AnyClass(), 5)
    with pytest.raises(ValueError, match=r"'x' parameter of budget must be finite inputs of shape \(5, 2\)"):
        budget(Step(), MedianNeighbour(), 5, x="a")
