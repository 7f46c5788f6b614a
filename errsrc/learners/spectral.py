"""Learners that are linear in features, by what they do to each singular value of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd

from errsrc.learners.learner import LinearLearner
from errsrc.settings import FunctionClass, Linear
from errsrc.settings.setting import Array


_SMALL = 1e-5  # a singular value, relative to the largest, that least squares inverts as it is


@dataclass(frozen=True)
class SpectralLearner(LinearLearner):
    """With features U diag(d) V' of the inputs: coefficients V diag(g(d)) U' y.

    A subclass defines g as `gains`, and `feature_map` for features other than the inputs themselves.

    Notes
    -----
    Cost of a fit: n p min(n, p) for p features.
    """

    @property
    def function_class(self) -> FunctionClass:
        """Linear maps of the inputs."""
        return Linear()

    def feature_map(self, x: Array) -> Array:
        """Return features (len(x), p); the inputs, unless a subclass says otherwise."""
        return x

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return g(d) for singular values d >= 0, largest first, of features of ``shape`` (n, p)."""
        raise TypeError(f"{type(self).__name__} must define gains()")

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether g(d) is about 1 / d for small d, see `Learner.inverts_singular_values`."""
        return bool(self.gains(np.array([1.0, _SMALL]), shape)[1] >= 0.5 / _SMALL)

    def features(self, x: Array, at: Array) -> Array:
        """Return the features at new inputs."""
        return self.feature_map(at)

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return V diag(g(d)) U' labels."""
        features = self.feature_map(x)
        u, d, vt = svd(features, full_matrices=False, lapack_driver="gesvd")
        return np.asarray((vt.T * self.gains(d, features.shape)) @ (u.T @ labels))


def truncated_inverse(d: Array, cutoff: float) -> Array:
    """Return 1 / d, (p,), and 0 for singular values d, largest first, at most ``cutoff`` of the largest."""
    kept = d > cutoff * d[0]
    return np.divide(1.0, d, out=np.zeros_like(d), where=kept)


def rounding_cutoff(shape: tuple[int, int]) -> float:
    """Return what rounding alone makes of a singular value 0 of features of this shape, over the largest."""
    return float(max(shape) * np.finfo(np.float64).eps)
