"""Reduced-rank regression."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from errsrc import checks
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.minimum_norm import MinimumNorm
from errsrc.learners.ridge import Ridge
from errsrc.learners.spectral import SpectralLearner
from errsrc.settings import FunctionClass, RankK
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class ReducedRank(Learner):
    """Of linear maps of rank at most k, the one of least squared error, summed over outputs, and penalty.

    With B the (ridge or minimum-norm) estimate of all ranks and [X; sqrt(ridge) I] B = U diag(s) V', it is
    B V_k V_k' (Izenman 1975; with ridge, Mukherjee & Zhu 2011).

    Attributes
    ----------
    rank
        k, >= 1.
    ridge
        Penalty on the squares of all entries, >= 0, added as in `Ridge`.

    Examples
    --------
    >>> x, y = np.eye(2), np.array([[3.0, 0.0], [0.0, 1.0]])
    >>> ReducedRank(1).fit(x, y, np.random.default_rng(0))(x).round(12) + 0.0
    array([[3., 0.],
           [0., 0.]])
    """

    rank: int = 1
    ridge: float = 0.0

    def __post_init__(self) -> None:
        checks.integer(self.rank, "rank", "ReducedRank", 1)
        checks.number(self.ridge, "ridge", "ReducedRank", 0)

    @property
    def function_class(self) -> FunctionClass:
        """Maps of rank at most k."""
        return RankK(self.rank)

    @property
    def unrestricted(self) -> SpectralLearner:
        """The estimate of all ranks, of which this is the part of rank k."""
        return Ridge(self.ridge) if self.ridge else MinimumNorm()

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether the estimate of all ranks does, see `Learner.inverts_singular_values`."""
        return self.unrestricted.inverts_singular_values(shape)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        coefficients = self.unrestricted.coefficients(x, indicators(y))
        if coefficients.ndim == 2:
            whole = np.concatenate([x, np.sqrt(self.ridge) * np.eye(x.shape[1])]) @ coefficients
            directions = svd(whole, full_matrices=False)[2][: self.rank]
            coefficients = (coefficients @ directions.T) @ directions
        return functools.partial(_map, coefficients)


def _map(coefficients: Array, at: Array) -> Array:
    return at @ coefficients
