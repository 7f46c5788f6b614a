"""Linear learners, each a filter of the spectrum of its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from errsrc import checks
from errsrc.bases import fourier
from errsrc.learners.learner import Learner, indicators
from errsrc.settings import Band, FunctionClass, Linear, RankK
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Spectral(Learner):
    """A linear map of features, fitted by a filter of their singular values.

    With X = U diag(s) V' the features of the inputs, predictions at features Z are
    Z V diag(h(s)) U' y.  A subclass says what h is, and perhaps other features than the inputs
    themselves.
    """

    linear_in_labels = True

    @property
    def function_class(self) -> FunctionClass:
        """Linear maps of the inputs."""
        return Linear()

    def filter(self, singular: Array) -> Array:
        """Return h(s), of singular values s > 0."""
        raise TypeError(f"{type(self).__name__} must define filter()")

    def features(self, x: Array) -> Array:
        """Return features of inputs, float64 (n, features): the inputs."""
        return x

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        return LinearMap(self, self._inverse(x) @ indicators(y))

    def _smoother(self, x: Array, at: Array) -> Array:
        inverse = self._inverse(x)
        return self.features(at) @ inverse

    def _inverse(self, x: Array) -> Array:
        """Return V diag(h(s)) U', (features, n)."""
        features = self.features(x)
        u, s, vt = svd(features, full_matrices=False, lapack_driver="gesvd")
        kept = s > max(features.shape) * np.finfo(float).eps * s[0]
        u, s, vt = u[:, kept], s[kept], vt[kept]
        return (vt.T * self.filter(s)) @ u.T


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear map of a learner's features: weights (features,) or (features, outputs)."""

    learner: Spectral
    weights: Array

    def __call__(self, at: Array) -> Array:
        """Return predictions."""
        return self.learner.features(at) @ self.weights


@dataclass(frozen=True)
class MinimumNorm(Spectral):
    """Least squares; of all solutions the one of least norm.

    Examples
    --------
    >>> f = MinimumNorm().fit(np.eye(2), np.array([1.0, 2.0]), np.random.default_rng(0))
    >>> f(np.array([[1.0, 1.0]]))
    array([3.])
    """

    def filter(self, singular: Array) -> Array:
        """Return 1 / s."""
        return 1 / singular


@dataclass(frozen=True)
class Ridge(Spectral):
    """Ridge regression: (X'X + ridge I)^-1 X'y, which is X'(X X' + ridge I)^-1 y.

    Attributes
    ----------
    ridge
        In the units of X'X, a sum over examples; > 0.
    """

    ridge: float = 1.0

    def __post_init__(self) -> None:
        checks.number(self.ridge, "ridge", "Ridge", 0, open_low=True)

    def filter(self, singular: Array) -> Array:
        """Return s / (s^2 + ridge)."""
        return singular / (singular**2 + self.ridge)


@dataclass(frozen=True)
class GradientDescent(Spectral):
    """Gradient descent on the mean squared error of a linear map, from 0, stopped after some steps.

    Full batch: w <- w - rate X'(X w - y) / n.  In closed form, at the cost of one decomposition.

    Attributes
    ----------
    steps
        Steps taken, >= 1.
    rate
        In units of the least rate at which it no longer converges, 2 n / s_max^2: in (0, 1).
    """

    steps: int
    rate: float = 0.5

    def __post_init__(self) -> None:
        checks.integer(self.steps, "steps", "GradientDescent", 1)
        checks.number(self.rate, "rate", "GradientDescent", 0, 1, open_low=True, open_high=True)

    def filter(self, singular: Array) -> Array:
        """Return (1 - (1 - 2 rate s^2 / s_max^2)^steps) / s."""
        left = 1 - 2 * self.rate * (singular / singular.max(initial=0.0)) ** 2
        return (1 - left**self.steps) / singular


@dataclass(frozen=True)
class FourierLeastSquares(Spectral):
    """Least squares in trigonometric polynomials of angles: a learner told the band.

    Attributes
    ----------
    degree
        The largest frequency.
    ridge
        Added to the squared singular values; 0 for least squares of least norm.

    Examples
    --------
    >>> x = np.linspace(0, 6, 7)[:, None]
    >>> f = FourierLeastSquares(3).fit(x, np.cos(2 * x[:, 0]), np.random.default_rng(0))
    >>> bool(abs(f(np.array([[0.5]])) - np.cos(1.0))[0] < 1e-12)
    True
    """

    degree: int
    ridge: float = 0.0

    def __post_init__(self) -> None:
        checks.integer(self.degree, "degree", "FourierLeastSquares", 0)
        checks.number(self.ridge, "ridge", "FourierLeastSquares", 0)

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.degree)

    def features(self, x: Array) -> Array:
        """Return the real Fourier basis at angles (n, 1)."""
        if x.shape[1] != 1:
            accepted = "angles of shape (n, 1)"
            raise ValueError(checks.refusal("x", "FourierLeastSquares", accepted, f"<shape {x.shape}>"))
        return fourier(x, self.degree)

    def filter(self, singular: Array) -> Array:
        """Return s / (s^2 + ridge)."""
        return singular / (singular**2 + self.ridge)


@dataclass(frozen=True)
class ReducedRank(Spectral):
    """Reduced-rank regression: the ridge solution's fitted values, projected on their largest components.

    Izenman 1975.  With fitted values Y^ = X W^ (rows of examples), W = W^ P, P the projection on the first
    ``rank`` right singular vectors of Y^: the least squares fit of that rank where ridge is 0.

    Attributes
    ----------
    rank
        The largest rank of the map.
    ridge
        Of the full-rank solution, >= 0.
    """

    rank: int
    ridge: float = 0.0
    linear_in_labels = False

    def __post_init__(self) -> None:
        checks.integer(self.rank, "rank", "ReducedRank", 1)
        checks.number(self.ridge, "ridge", "ReducedRank", 0)

    @property
    def function_class(self) -> FunctionClass:
        """Linear maps of that rank."""
        return RankK(self.rank)

    def filter(self, singular: Array) -> Array:
        """Return s / (s^2 + ridge)."""
        return singular / (singular**2 + self.ridge)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        labels = indicators(y)
        w = self._inverse(x) @ labels
        if labels.ndim == 2:
            _, _, vt = svd(x @ w, full_matrices=False)
            w = (w @ vt[: self.rank].T) @ vt[: self.rank]
        return LinearMap(self, w)
