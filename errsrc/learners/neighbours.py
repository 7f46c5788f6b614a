"""Nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.neighbors import NearestNeighbors

from errsrc.fields import integer
from errsrc.learners.learner import LinearLearner
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class Neighbours(LinearLearner):
    """The mean label of the k nearest examples by Euclidean distance, or of all n examples if n < k.

    Parameters
    ----------
    k : int
        Number of neighbours, >= 1.

    Notes
    -----
    If several examples are at the same distance, scikit-learn decides which of them count as nearest.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.array([[0.0], [1.0], [5.0]]), np.array([0.0, 1.0, 9.0])
    >>> Neighbours(2).fit(x, y, np.random.default_rng(0))(np.array([[0.2], [8.0]]))
    array([0.5, 5. ])
    """

    k: int = integer(1, at_least=1)

    def features(self, x: Array, at: Array) -> Any:
        """Return a sparse matrix (N, n): in each row 1 / k for the neighbours of the input, else 0."""
        k = min(self.k, len(x))
        return NearestNeighbors(n_neighbors=k).fit(x).kneighbors_graph(at) / k

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the labels themselves, (n,) or (n, outputs)."""
        return labels
