"""Learners with scikit-learn's interface."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from errsrc.learners import MinimumNorm, Neighbours, Ridge, as_estimator

from .drawn import draw, rng


def test_estimators_go_into_pipelines_and_searches():
    x, y, _ = draw(40, 3)
    y = x @ rng(9).standard_normal((3, 2)) + 0.01 * y
    pipeline = make_pipeline(StandardScaler(with_mean=False), as_estimator(MinimumNorm()))
    assert pipeline.fit(x, y).score(x, y) > 0.99
    assert pipeline.predict(x).shape == (40, 2)
    search = GridSearchCV(as_estimator(Ridge()), {"learner": [Ridge(1e-3), Ridge(1e4)]}, cv=4).fit(x, y)
    assert search.best_params_["learner"] == Ridge(1e-3)


def test_classifiers_keep_the_names_of_classes():
    x = np.array([[0.0], [0.1], [1.0], [1.1]])
    estimator = as_estimator(Neighbours(), classes=True).fit(x, ["no", "no", "yes", "yes"])
    assert estimator.predict([[0.05], [2.0]]).tolist() == ["no", "yes"]


def test_an_estimator_takes_a_learner():
    with pytest.raises(TypeError, match="'learner' parameter of as_estimator must be a learner, such as"):
        as_estimator(TheirRidge())
