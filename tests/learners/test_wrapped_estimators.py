"""scikit-learn estimators, and objects of one's own with `fit`, as learners."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LassoCV, LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from errsrc.learners import Ridge, as_learner, from_estimator
from errsrc.learners.estimator import EstimatorLearner
from errsrc.settings import AllFunctions, Linear
from errsrc.testing.properties import global_generators_unused


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


X = rng(1).standard_normal((30, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * rng(2).standard_normal(30)
CLASSES = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0.5)
AT = rng(3).standard_normal((7, 3))

RANDOM = [
    RandomForestRegressor(5),
    make_pipeline(StandardScaler(), RandomForestRegressor(5)),
    GridSearchCV(RandomForestRegressor(5), {"max_depth": [2, 3]}, cv=KFold(3, shuffle=True)),
]


@pytest.mark.parametrize("estimator", RANDOM, ids=lambda one: type(one).__name__)
def test_the_generator_decides_the_fit_wherever_the_random_state_is(estimator) -> None:
    learner = from_estimator(estimator)
    with global_generators_unused():
        one, same, other = (learner.fit(X, Y, rng(seed))(AT) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_estimator_itself_is_never_fitted_nor_changed() -> None:
    splitter = KFold(3, shuffle=True)
    estimator = GridSearchCV(RandomForestRegressor(5), {"max_depth": [2]}, cv=splitter)
    from_estimator(estimator).fit(X, Y, rng())
    assert not hasattr(estimator, "best_estimator_")
    assert estimator.estimator.random_state is None
    assert splitter.random_state is None


@pytest.mark.parametrize("shape", [(30,), (30, 1), (30, 2)])
def test_predictions_have_the_shape_of_the_labels(shape: tuple[int, ...]) -> None:
    y = np.resize(Y, shape)
    assert as_learner(LinearRegression()).fit(X, y, rng())(AT).shape == (7, *shape[1:])


def test_a_classifier_predicts_probabilities_of_all_classes_up_to_the_largest() -> None:
    y = np.where(CLASSES == 1, 3, CLASSES)  # class 1 is never seen
    scores = as_learner(LogisticRegression()).fit(X, y, rng())(AT)
    assert scores.shape == (7, 4)
    np.testing.assert_allclose(scores.sum(1), 1)
    assert (scores[:, 1] == 0).all()
    own = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(own.classes_[scores[:, own.classes_].argmax(1)], own.predict(AT))


def test_a_classifier_without_probabilities_is_sure_of_what_it_predicts() -> None:
    scores = as_learner(LinearSVC()).fit(X, CLASSES, rng())(AT)
    np.testing.assert_array_equal(scores.argmax(1), LinearSVC(random_state=0).fit(X, CLASSES).predict(AT))
    assert set(scores.ravel()) == {0.0, 1.0}


def test_a_regressor_of_classes_learns_their_indicators() -> None:
    scores = as_learner(LinearRegression()).fit(X, CLASSES, rng())(AT)
    np.testing.assert_allclose(scores, LinearRegression().fit(X, np.eye(3)[CLASSES]).predict(AT))


def test_predictors_survive_pickling() -> None:
    for estimator, labels in ((RandomForestRegressor(3), Y), (RandomForestClassifier(3), CLASSES)):
        fitted = as_learner(estimator).fit(X, labels, rng())
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted))(AT), fitted(AT))


class Mean:
    """Predicts the mean label."""

    def fit(self, x, y, rng):
        return lambda at: np.full(len(at), y.mean())


def test_learners_pass_and_others_are_wrapped() -> None:
    ridge = Ridge()
    assert as_learner(ridge) is ridge
    lasso = as_learner(LassoCV())
    assert isinstance(lasso, EstimatorLearner)
    assert lasso.function_class == AllFunctions()
    assert from_estimator(LinearRegression(), function_class=Linear()).function_class == Linear()
    mean = as_learner(Mean())
    assert mean.function_class == AllFunctions()
    np.testing.assert_allclose(mean.fit(X, Y, rng())(AT), Y.mean())
    declared = Mean()
    declared.function_class = Linear()
    assert as_learner(declared).function_class == Linear()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: as_learner("ridge", "budget"), "'learner' parameter of budget must be a learner of"),
        (lambda: as_learner(LassoCV), "Got <class 'sklearn"),
        (lambda: as_learner(Mean), "or an object with fit"),
        (
            lambda: from_estimator(Mean()),
            "'estimator' parameter of EstimatorLearner must be a regr",
        ),
        (lambda: from_estimator(LassoCV(), function_class="all"), "'function_class' parameter of Estim"),
        (lambda: as_learner(KMeans(2)), r"must be a regressor or a classifier .* Got KMeans"),
        (lambda: as_learner(StandardScaler()), r"must be a regressor or a classifier .* Got StandardScaler"),
    ],
)
def test_what_is_no_learner_is_refused(call, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_numbers_are_no_labels_for_a_classifier() -> None:
    with pytest.raises(ValueError, match="'y' parameter of LogisticRegression must be classes"):
        as_learner(LogisticRegression()).fit(X, Y, rng())
