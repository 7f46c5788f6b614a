"""Learners as scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from errsrc import checks
from errsrc.learners.learner import Learner
from errsrc.rng import generator


class LearnerRegressor(RegressorMixin, BaseEstimator):
    """A learner of numbers with scikit-learn's interface, see `as_estimator`; its chance is of ``seed``."""

    def __init__(self, learner: Learner, seed: int = 0) -> None:
        self.learner, self.seed = learner, seed

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (n, dim) and numbers y, (n,) or (n, outputs)."""
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        learner = self.learner.resized(X.shape[1], y.shape[1] if y.ndim == 2 else None)
        self.predictor_ = learner.fit(X, y, generator(self.seed, "fit"))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return predictions for X (N, dim)."""
        check_is_fitted(self)
        return self.predictor_(validate_data(self, X, reset=False, dtype=np.float64))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True  # one default for all data sets
        return tags


class LearnerClassifier(ClassifierMixin, BaseEstimator):
    """A learner of classes with scikit-learn's interface, see `as_estimator`; its chance is of ``seed``."""

    def __init__(self, learner: Learner, seed: int = 0) -> None:
        self.learner, self.seed = learner, seed

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (n, dim) and classes y (n,) of any type."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        learner = self.learner.resized(X.shape[1], len(self.classes_))
        self.predictor_ = learner.fit(X, codes.astype(np.int64), generator(self.seed, "fit"))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the largest score for X (N, dim)."""
        check_is_fitted(self)
        scores = self.predictor_(validate_data(self, X, reset=False, dtype=np.float64))
        return np.asarray(self.classes_[scores.argmax(1)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


def as_estimator(
    learner: Learner, *, classes: bool = False, seed: int = 0
) -> LearnerRegressor | LearnerClassifier:
    """Return a learner with scikit-learn's interface, which passes its ``check_estimator``.

    Parameters
    ----------
    learner
        One of `errsrc.learners`; in a band it takes inputs of the band's domain alone.  A network student is
        given inputs and outputs of the data's sizes.
    classes
        Whether labels are classes, not numbers.
    seed
        Of the learner's own chance.

    Raises
    ------
    TypeError
        For what is no learner.

    Examples
    --------
    >>> from errsrc.learners import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> x = np.arange(12.0)[:, None]
    >>> search = GridSearchCV(as_estimator(Ridge()), {"learner": [Ridge(1e-6), Ridge(1e3)]}, cv=3)
    >>> search.fit(x, 2 * x[:, 0]).best_params_
    {'learner': Ridge(ridge=1e-06)}
    """
    if not isinstance(learner, Learner):
        raise TypeError(checks.refusal("learner", "as_estimator", "one of errsrc.learners", learner))
    return (LearnerClassifier if classes else LearnerRegressor)(learner, seed)
