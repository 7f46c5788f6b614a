"""Reduced-rank regression."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from errsrc.fields import integer, number
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.minimum_norm import MinimumNorm
from errsrc.learners.ridge import Ridge
from errsrc.learners.spectral import SpectralLearner
from errsrc.settings import FunctionClass, RankK
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class ReducedRank(Learner):
    """The linear map of rank at most k with the smallest penalised squared error, summed over outputs.

    Let B be the ridge or minimum-norm estimate.  Let U diag(s) V' be the singular value decomposition of [X;
    sqrt(ridge) I] B, and let V_k be the first k columns of V. The map is B V_k V_k' (Izenman 1975; with a
    ridge, Mukherjee and Zhu 2011).

    Parameters
    ----------
    rank : int
        Largest rank k, >= 1.
    ridge : float
        Penalty on the squares of all entries of the map, >= 0, added as in `Ridge`.

    Examples
    --------
    >>> x, y = np.eye(2), np.array([[3.0, 0.0], [0.0, 1.0]])
    >>> ReducedRank(1).fit(x, y, np.random.default_rng(0))(x).round(12) + 0.0
    array([[3., 0.],
           [0., 0.]])
    """

    rank: int = integer(1, at_least=1)
    ridge: float = number(0.0, at_least=0)

    @property
    def function_class(self) -> FunctionClass:
        """All linear maps of rank at most k."""
        return RankK(self.rank)

    @property
    def unrestricted(self) -> SpectralLearner:
        """The learner without the restriction of the rank: `Ridge`, or `MinimumNorm` if the ridge is 0."""
        return Ridge(self.ridge) if self.ridge else MinimumNorm()

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether the learner without the limit on the rank divides by singular values."""
        return self.unrestricted.inverts_singular_values(shape)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        coefficients = self.unrestricted.coefficients(x, indicators(y))
        if coefficients.ndim == 2:
            stacked = np.concatenate([x, np.sqrt(self.ridge) * np.eye(x.shape[1])]) @ coefficients
            directions = svd(stacked, full_matrices=False)[2][: self.rank]
            coefficients = (coefficients @ directions.T) @ directions
        return functools.partial(_apply, coefficients)


def _apply(coefficients: Array, at: Array) -> Array:
    return at @ coefficients
