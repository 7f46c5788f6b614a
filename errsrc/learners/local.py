"""Learners that average labels of examples nearby: neighbours and forests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from errsrc import checks
from errsrc.learners.learner import Learner
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Neighbours(Learner):
    """The mean label of the ``k`` nearest examples, or of all where there are fewer.

    Attributes
    ----------
    k
        Neighbours, >= 1.
    """

    k: int = 1
    linear_in_labels = True

    def __post_init__(self) -> None:
        checks.integer(self.k, "k", "Neighbours", 1)

    @property
    def function_class(self) -> FunctionClass:
        """All functions."""
        return AllFunctions()

    def _smoother(self, x: Array, at: Array) -> Array:
        k = min(self.k, len(x))
        _, nearest = KDTree(x).query(at, k=k)
        out = np.zeros((len(at), len(x)))
        np.add.at(out, (np.arange(len(at))[:, None], nearest.reshape(len(at), k)), 1 / k)
        return out


@dataclass(frozen=True)
class Forest(Learner):
    """A random forest (Breiman 2001), as scikit-learn grows it.

    Attributes
    ----------
    trees
        Number of trees, >= 1.
    """

    trees: int = 100

    def __post_init__(self) -> None:
        checks.integer(self.trees, "trees", "Forest", 1)

    @property
    def function_class(self) -> FunctionClass:
        """All functions."""
        return AllFunctions()

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        seed = int(rng.integers(2**31))
        grower = RandomForestRegressor if y.dtype.kind == "f" else RandomForestClassifier
        labels = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        return _Grown(grower(self.trees, random_state=seed).fit(x, labels), y.shape[1:])


@dataclass(frozen=True, eq=False)
class _Grown:
    """A forest's predictor."""

    forest: RandomForestClassifier | RandomForestRegressor
    shape: tuple[int, ...]

    def __call__(self, at: Array) -> Array:
        if isinstance(self.forest, RandomForestRegressor):
            return np.asarray(self.forest.predict(at)).reshape(len(at), *self.shape)
        out = np.zeros((len(at), self.forest.classes_[-1] + 1))
        out[:, self.forest.classes_] = self.forest.predict_proba(at)
        return out
