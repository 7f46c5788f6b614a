"""Random forests."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from errsrc.fields import integer, number
from errsrc.learners.learner import Learner
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Forest(Learner):
    """A random forest of scikit-learn (Breiman 2001).

    The score of a class at an input is the share of this class among the examples in the input's leaf,
    averaged over trees.

    Parameters
    ----------
    trees : int
        Number of trees, >= 1.
    leaf : int
        Smallest number of examples in a leaf, >= 1.
    tried : float
        Share of the columns of an input that is tried at each split, in (0, 1].

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0], [2.0]]), np.array([1, 1, 1])
    >>> Forest(5).fit(x, y, np.random.default_rng(0))(x[:1])
    array([[0., 1.]])
    """

    trees: int = integer(100, at_least=1)
    leaf: int = integer(1, at_least=1)
    tried: float = number(1.0, above=0, at_most=1)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        kind = RandomForestRegressor if y.dtype.kind == "f" else RandomForestClassifier
        seed = int(rng.integers(2**32))
        forest = kind(self.trees, min_samples_leaf=self.leaf, max_features=self.tried, random_state=seed)
        forest.fit(x, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)
        if y.dtype.kind == "f":
            return functools.partial(_mean, forest, y.shape[1:])
        return functools.partial(_shares, forest, np.eye(y.max() + 1)[forest.classes_])


def _mean(forest: Any, shape: tuple[int, ...], at: Array) -> Array:
    return np.asarray(forest.predict(at)).reshape(len(at), *shape)


def _shares(forest: Any, columns: Array, at: Array) -> Array:
    """Return scores (N, classes); `columns` has a one-hot row (classes,) for each class in the data."""
    return np.asarray(forest.predict_proba(at) @ columns)
