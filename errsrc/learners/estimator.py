"""Learners as scikit-learn estimators, and estimators as learners."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from errsrc import checks
from errsrc.fields import declare, instance
from errsrc.learners.learner import LEARNER, Learner, indicators
from errsrc.rng import generator
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array, Predictor


class LearnerRegressor(RegressorMixin, BaseEstimator):
    """A learner with the interface of a scikit-learn regressor, see `as_estimator`.

    Parameters
    ----------
    learner : Learner
        The learner.
    seed : int
        Seed of the learner's randomness, >= 0.

    Attributes
    ----------
    predictor_ : Fitted
        The predictor, after `fit`.
    """

    def __init__(self, learner: Learner, seed: int = 0) -> None:
        self.learner, self.seed = learner, seed

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the learner.

        Parameters
        ----------
        X : array_like of float, (n, dim)
            Inputs.
        y : array_like of float, (n,) or (n, outputs)
            Labels.

        Returns
        -------
        self : LearnerRegressor
            The fitted estimator.
        """
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        learner = self.learner.resized(X.shape[1], y.shape[1] if y.ndim == 2 else None)
        self.predictor_ = learner.fit(X, y, generator(self.seed, "fit"))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return predictions.

        Parameters
        ----------
        X : array_like of float, (N, dim)
            Inputs.

        Returns
        -------
        predictions : ndarray of float64, (N,) or (N, outputs)
            Predictions.
        """
        check_is_fitted(self)
        return self.predictor_(validate_data(self, X, reset=False, dtype=np.float64))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True  # scikit-learn then does not test how well the defaults predict
        return tags


class LearnerClassifier(ClassifierMixin, BaseEstimator):
    """A learner with the interface of a scikit-learn classifier, see `as_estimator`.

    Parameters
    ----------
    learner : Learner
        The learner.
    seed : int
        Seed of the learner's randomness, >= 0.

    Attributes
    ----------
    classes_ : ndarray, (classes,)
        The sorted classes, after `fit`.
    predictor_ : Fitted
        The predictor, after `fit`.
    """

    def __init__(self, learner: Learner, seed: int = 0) -> None:
        self.learner, self.seed = learner, seed

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the learner.

        Parameters
        ----------
        X : array_like of float, (n, dim)
            Inputs.
        y : array_like, (n,)
            Classes of any type.

        Returns
        -------
        self : LearnerClassifier
            The fitted estimator.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        learner = self.learner.resized(X.shape[1], len(self.classes_))
        self.predictor_ = learner.fit(X, codes.astype(np.int64), generator(self.seed, "fit"))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the largest score for each input.

        Parameters
        ----------
        X : array_like of float, (N, dim)
            Inputs.

        Returns
        -------
        classes : ndarray, (N,)
            The predicted class of each input.
        """
        check_is_fitted(self)
        scores = self.predictor_(validate_data(self, X, reset=False, dtype=np.float64))
        return np.asarray(self.classes_[scores.argmax(1)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


@checks.arguments(learner=LEARNER, classes=checks.Flag(), seed=checks.SEED)
def as_estimator(
    learner: Learner, *, classes: bool = False, seed: int = 0
) -> LearnerRegressor | LearnerClassifier:
    """Return a learner as a scikit-learn estimator that passes scikit-learn's ``check_estimator``.

    Parameters
    ----------
    learner : Learner
        The learner.  A learner of a band accepts only inputs in the band's domain.  A network student is
        resized to the numbers of inputs and outputs of the data.
    classes : bool
        True if labels are classes, False if labels are numbers.
    seed : int
        Seed of the learner's randomness, >= 0.

    Returns
    -------
    estimator : LearnerRegressor or LearnerClassifier
        The estimator.

    Raises
    ------
    TypeError
        If `learner` is not a `Learner`.
    ValueError
        If `seed` is negative.

    Examples
    --------
    >>> from errsrc.learners import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> x = np.arange(12.0)[:, None]
    >>> search = GridSearchCV(as_estimator(Ridge()), {"learner": [Ridge(1e-6), Ridge(1e3)]}, cv=3)
    >>> search.fit(x, 2 * x[:, 0]).best_params_
    {'learner': Ridge(ridge=1e-06)}
    """
    return (LearnerClassifier if classes else LearnerRegressor)(learner, seed)


@dataclass(frozen=True)
class _AnEstimator(checks.Rule):
    """An instance of any class that has the methods of scikit-learn's regressors and classifiers."""

    accepted: ClassVar[str] = (
        "a regressor or a classifier of scikit-learn: an instance with get_params, set_params, fit, predict"
    )

    def __call__(self, value: Any, name: str, where: str) -> Any:
        """Return `value` itself."""
        if not _is_estimator(value) or not _predicts_labels(value):
            raise TypeError(checks.refusal(name, where, self.accepted, value))
        return value


@dataclass(frozen=True)
class EstimatorLearner(Learner):
    """A scikit-learn estimator as a learner, see `from_estimator`.

    Each fit clones the estimator.  Then the fit sets every `random_state` of the clone, of nested estimators
    and of cross-validation splitters to a number drawn from the learner's generator.

    Attributes
    ----------
    estimator : estimator
        Any object with ``get_params``, ``set_params``, ``fit`` and ``predict``.
    function_class : FunctionClass
        The function class that contains all predictors of the estimator.
    """

    estimator: Any = declare(_AnEstimator())
    function_class: FunctionClass = instance(
        FunctionClass, "a function class of errsrc.settings", AllFunctions()
    )

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        from sklearn.base import clone, is_classifier

        estimator = clone(self.estimator)
        _set_random_states(estimator, rng)
        if not is_classifier(estimator):
            labels = indicators(y)
            estimator.fit(x, labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels)
            return functools.partial(_predicted_numbers, estimator, labels.shape[1:])
        if y.dtype.kind != "i":
            accepted = "classes, integers of shape (n,), for a classifier"
            raise ValueError(checks.refusal("y", type(estimator).__name__, accepted, f"<{y.dtype}>"))
        return functools.partial(_predicted_scores, estimator.fit(x, y), int(y.max()) + 1)


@dataclass(frozen=True)
class FittableLearner(Learner):
    """An object with a method ``fit(x, y, rng)`` as a learner, see `as_learner`.

    Attributes
    ----------
    fittable : object
        The object.  Its method ``fit`` takes inputs float64 (n, dim), labels float64 (n,) or (n, outputs) or
        int64 (n,), and a random generator.  The method returns a function of inputs (N, dim).
    """

    fittable: Any

    @property
    def function_class(self) -> FunctionClass:
        """The object's own ``function_class``; all functions if the object has none."""
        declared = getattr(self.fittable, "function_class", None)
        return AllFunctions() if declared is None else declared

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        predictor: Predictor = self.fittable.fit(x, y, rng)
        return predictor


def from_estimator(estimator: Any, *, function_class: FunctionClass | None = None) -> EstimatorLearner:
    """Return a scikit-learn estimator as a learner, without changing the estimator.

    The learner of a regressor predicts numbers.  The learner of a classifier predicts the probabilities that
    ``predict_proba`` returns.  A classifier without ``predict_proba`` gives probability 1 to the class that
    it predicts, which is enough for the 0-1 error.

    Parameters
    ----------
    estimator : estimator
        A regressor, a classifier, a pipeline or a search of scikit-learn, or an object with the same methods.
    function_class : FunctionClass, optional
        The function class that contains all predictors of the estimator; all functions by default.

    Returns
    -------
    EstimatorLearner
        The learner.

    Raises
    ------
    TypeError
        If `estimator` is not an instance of an estimator, for example if it is a class, or if
        `function_class` is not a function class.

    Examples
    --------
    >>> from sklearn.linear_model import LassoCV
    >>> x = np.arange(12.0)[:, None]
    >>> from_estimator(LassoCV(cv=3)).fit(x, 2 * x[:, 0], np.random.default_rng(0))(x[:2]).shape
    (2,)
    """
    return EstimatorLearner(estimator, AllFunctions() if function_class is None else function_class)


def as_learner(learner: Any, where: str = "as_learner") -> Learner:
    """Return a learner for any object that can be used as a learner.

    Parameters
    ----------
    learner : Learner, estimator or object with ``fit(x, y, rng)``
        A learner is returned unchanged.  An estimator of scikit-learn is converted by `from_estimator`.  The
        ``fit`` of any other object must take inputs, labels and a generator, and return a function of inputs.
        The function class of such an object is its attribute ``function_class``, or all functions if it has
        no such attribute.
    where : str
        Name of the calling function, for error messages.

    Returns
    -------
    Learner
        The learner.

    Raises
    ------
    TypeError
        If `learner` is any other object, such as a class instead of an instance, or an estimator that is
        neither a regressor nor a classifier.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> as_learner(LinearRegression())
    EstimatorLearner(estimator=LinearRegression(), function_class=AllFunctions())
    """
    if isinstance(learner, Learner):
        return learner
    if not isinstance(learner, type) and callable(getattr(learner, "get_params", None)):
        return from_estimator(_AnEstimator()(learner, "learner", where))
    if not isinstance(learner, type) and callable(getattr(learner, "fit", None)):
        return FittableLearner(learner)
    accepted = "a learner of errsrc.learners, a scikit-learn estimator, or an object with fit(x, y, rng)"
    raise TypeError(checks.refusal("learner", where, accepted, learner))


def _is_estimator(candidate: Any) -> bool:
    methods = ("get_params", "set_params", "fit", "predict")
    is_instance = not isinstance(candidate, type)
    return is_instance and all(callable(getattr(candidate, name, None)) for name in methods)


def _predicts_labels(estimator: Any) -> bool:
    """Return whether an estimator is a regressor or a classifier, or does not say what it is."""
    from sklearn.base import is_classifier, is_regressor

    if not isinstance(estimator, BaseEstimator):
        return True
    return is_regressor(estimator) or is_classifier(estimator)


def _set_random_states(estimator: Any, rng: np.random.Generator) -> None:
    """Set each `random_state` of an estimator and of its parts to an integer drawn from a generator."""
    parameters = estimator.get_params(deep=True)
    names = sorted(name for name in parameters if name.split("__")[-1] == "random_state")
    estimator.set_params(**{name: int(rng.integers(2**31)) for name in names})
    for name in sorted(parameters):  # splitters of cross-validation have no get_params
        part = parameters[name]
        if hasattr(part, "random_state") and not hasattr(part, "get_params") and _draws(part):
            part.random_state = int(rng.integers(2**31))


def _draws(splitter: Any) -> bool:
    """Return whether a splitter is random; scikit-learn accepts a random state only for random splitters."""
    return bool(getattr(splitter, "shuffle", True))


def _predicted_numbers(estimator: Any, shape: tuple[int, ...], at: Array) -> Array:
    return np.asarray(estimator.predict(at), dtype=np.float64).reshape(len(at), *shape)


def _predicted_scores(estimator: Any, count: int, at: Array) -> Array:
    """Return scores (N, count) of the classes 0 to count - 1; a class without examples has the score 0."""
    if not hasattr(estimator, "predict_proba"):
        return np.eye(count)[np.asarray(estimator.predict(at), dtype=np.int64)]
    seen = np.eye(count)[np.asarray(estimator.classes_, dtype=np.int64)]
    return np.asarray(estimator.predict_proba(at) @ seen)
