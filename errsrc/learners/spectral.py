"""Linear learners that are defined by a gain for each singular value of their features."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd

from errsrc.learners.learner import LinearLearner
from errsrc.settings import FunctionClass, Linear
from errsrc.settings.setting import Array

_SMALL = 1e-5  # a small singular value, relative to the largest; least squares has the gain 1 / d for it


@dataclass(frozen=True)
class SpectralLearner(LinearLearner):
    """A linear learner with coefficients V diag(g(d)) U' y, for features U diag(d) V' of the inputs.

    Here U diag(d) V' is the singular value decomposition of the features.  A subclass defines g as the method
    `gains`.  It also defines `feature_map` if the features are not the inputs themselves.

    Notes
    -----
    Cost of a fit: n p min(n, p) operations for p features.
    """

    @property
    def function_class(self) -> FunctionClass:
        """All linear maps of the inputs."""
        return Linear()

    def feature_map(self, x: Array) -> Array:
        """Return the features of inputs; the default method returns the inputs themselves.

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs.

        Returns
        -------
        features : ndarray of float64, (N, p)
            A row of features for each input.
        """
        return x

    @abc.abstractmethod
    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return the gains g(d) of singular values.

        Parameters
        ----------
        d : ndarray of float64, (min(n, p),)
            Singular values of the features, >= 0, largest first.
        shape : tuple of int
            Shape (n, p) of the features.

        Returns
        -------
        gains : ndarray of float64, (min(n, p),)
            A gain for each singular value.  For least squares, the gain is 1 / d.
        """

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether g(d) is about 1 / d for small d, see `Learner.inverts_singular_values`."""
        return bool(self.gains(np.array([1.0, _SMALL]), shape)[1] >= 0.5 / _SMALL)

    def features(self, x: Array, at: Array) -> Array:
        """Return the features (N, p) at new inputs `at` (N, dim); the features do not depend on `x`."""
        return self.feature_map(at)

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return V diag(g(d)) U' labels, (p,) or (p, outputs), for inputs x (n, dim)."""
        features = self.feature_map(x)
        u, d, vt = svd(features, full_matrices=False, lapack_driver="gesvd")
        return np.asarray((vt.T * self.gains(d, features.shape)) @ (u.T @ labels))


def truncated_inverse(d: Array, cutoff: float) -> Array:
    """Return 1 / d for singular values d, and 0 for singular values that count as 0.

    Parameters
    ----------
    d : ndarray of float64, (p,)
        Singular values, largest first.
    cutoff : float
        Singular values count as 0 if they are at most `cutoff` times the largest one.

    Returns
    -------
    inverse : ndarray of float64, (p,)
        The inverses, 0 for singular values that count as 0.
    """
    kept = d > cutoff * d[0]
    return np.divide(1.0, d, out=np.zeros_like(d), where=kept)


def rounding_cutoff(shape: tuple[int, int]) -> float:
    """Return the largest ratio d / max(d) at which a singular value d may be a rounding error.

    Parameters
    ----------
    shape : tuple of int
        Shape (n, p) of the features.
    """
    return float(max(shape) * np.finfo(np.float64).eps)
