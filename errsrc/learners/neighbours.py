"""Nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.neighbors import NearestNeighbors

from errsrc import checks
from errsrc.learners.learner import LinearLearner
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class Neighbours(LinearLearner):
    """The mean label of the ``k`` nearest examples by Euclidean distance, or of all where there are fewer.

    Attributes
    ----------
    k
        Neighbours, >= 1.

    Notes
    -----
    Examples at the same distance are taken in the order in which scikit-learn finds them.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.array([[0.0], [1.0], [5.0]]), np.array([0.0, 1.0, 9.0])
    >>> Neighbours(2).fit(x, y, np.random.default_rng(0))(np.array([[0.2], [8.0]]))
    array([0.5, 5. ])
    """

    k: int = 1

    def __post_init__(self) -> None:
        checks.integer(self.k, "k", "Neighbours", 1)

    def features(self, x: Array, at: Array) -> Any:
        """Return the weights of the examples, sparse (len(at), n): 1 / k for each neighbour."""
        k = min(self.k, len(x))
        return NearestNeighbors(n_neighbors=k).fit(x).kneighbors_graph(at) / k

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the labels."""
        return labels
