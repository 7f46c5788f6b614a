"""Random forests."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from errsrc import checks
from errsrc.learners.learner import Learner
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Forest(Learner):
    """A random forest of scikit-learn (Breiman 2001); for classes, the mean over trees of a leaf's shares.

    Attributes
    ----------
    trees
        How many, >= 1.
    leaf
        The fewest examples in a leaf, >= 1.
    tried
        Share of the inputs tried at each split, in (0, 1].

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0], [2.0]]), np.array([1, 1, 1])
    >>> Forest(5).fit(x, y, np.random.default_rng(0))(x[:1])
    array([[0., 1.]])
    """

    trees: int = 100
    leaf: int = 1
    tried: float = 1.0

    def __post_init__(self) -> None:
        checks.integer(self.trees, "trees", "Forest", 1)
        checks.integer(self.leaf, "leaf", "Forest", 1)
        checks.number(self.tried, "tried", "Forest", 0, 1, open_low=True)

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


def _shares(forest: Any, places: Array, at: Array) -> Array:
    """Return probabilities of all classes; ``places`` (seen, classes) says which those seen are."""
    return np.asarray(forest.predict_proba(at) @ places)
