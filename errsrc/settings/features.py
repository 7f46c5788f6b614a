"""Random features: functions of random projections of the inputs, and the functions that they span."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, qr, solve_triangular
from scipy.special import erf

from errsrc.fields import choice, integer
from errsrc.rng import generator
from errsrc.settings.classes import FunctionClass, Span
from errsrc.settings.setting import Array

ACTIVATIONS = ("linear", "relu", "erf", "square")
"""Activations of random features whose moments with normal inputs have closed forms."""


@dataclass(frozen=True)
class FeatureSpan(FunctionClass):
    """The class of functions that m random features span.

    Feature j of an input x is act(w_j' x) / sqrt(m).  The entries of the weights w_j are independent standard
    normal numbers, which the seed determines.  The first features of a seed do not depend on m, up to the
    factor 1 / sqrt(m).

    Parameters
    ----------
    m : int
        Number of features, >= 1.
    seed : int
        Seed of the weights, >= 0.
    activation : str
        The function act: "linear", "relu", "erf" or "square".

    Examples
    --------
    >>> FeatureSpan(3).features(np.zeros((5, 2))).shape
    (5, 3)
    """

    m: int = integer(at_least=1)
    seed: int = integer(0, at_least=0)
    activation: str = choice("linear", ACTIVATIONS)

    @property
    def linear(self) -> bool:  # type: ignore[override]
        """Whether the features are linear in the inputs."""
        return self.activation == "linear"

    def dimension(self, dim: int) -> int:
        """Return the dimension of the class: the smaller of m and the largest number of independent features.

        Parameters
        ----------
        dim : int
            Number of coordinates of an input.
        """
        most = {"linear": dim, "square": dim * (dim + 1) // 2}
        return min(self.m, most.get(self.activation, self.m))

    def weights(self, dim: int) -> Array:
        """Return the weights of all features, float64 (m, dim).

        Parameters
        ----------
        dim : int
            Number of coordinates of an input.
        """
        return _weights(self.m, self.seed, dim)

    def features(self, x: Array) -> Array:
        """Return the features of inputs, float64 (N, m).

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs.
        """
        values = x @ self.weights(x.shape[1]).T
        if self.activation == "relu":
            values = np.maximum(values, 0.0)
        elif self.activation == "erf":
            values = erf(values)
        elif self.activation == "square":
            values = values**2
        return np.asarray(values / np.sqrt(self.m))

    def span(self, variances: Array) -> Span:
        """Return an orthonormal basis of the class, for independent normal inputs; see `Span`.

        The mean product of two features is E[act(u) act(v)] / m for two normal numbers u and v with given
        variances and covariance.  For "relu", this is the kernel of Cho and Saul 2009 (of order 1); for
        "erf", it is the kernel of Williams 1997.  The covariance of a feature act(u) with an input x is E[u
        x] E[act'(u)], by Stein's lemma.

        Parameters
        ----------
        variances : ndarray of float64, (dim,)
            Variances of the coordinates of an input.
        """
        scaled = self.weights(len(variances)) * np.sqrt(variances)
        if self.activation == "linear":
            basis, root = qr(scaled.T / np.sqrt(self.m), mode="economic", check_finite=False)
            return Span(root, np.ascontiguousarray(basis.T), whole=len(root) == len(variances))
        gram, slopes = self._moments(scaled @ scaled.T)
        values, vectors = eigh(gram / self.m, check_finite=False)
        kept = values > self.m * np.finfo(np.float64).eps * values[-1]
        root = (vectors[:, kept] * np.sqrt(values[kept])).T
        across = scaled * (slopes[:, None] / np.sqrt(self.m))
        return Span(root, (vectors[:, kept] / np.sqrt(values[kept])).T @ across, whole=False)

    def _moments(self, covariance: Array) -> tuple[Array, Array]:
        """Return the matrix E[act(u) act(v)], (m, m), and E[act'(u)], (m,), for normal u and v."""
        variances = np.diag(covariance)
        if self.activation == "square":
            return np.outer(variances, variances) + 2 * covariance**2, np.zeros(self.m)
        if self.activation == "erf":
            outer = 1 + 2 * variances
            sine = 2 * covariance / np.sqrt(np.outer(outer, outer))
            return 2 / np.pi * np.arcsin(sine), 2 / np.sqrt(np.pi * outer)
        size = np.sqrt(np.outer(variances, variances))
        cosine = np.clip(covariance / size, -1, 1)
        np.fill_diagonal(cosine, 1.0)
        angle = np.arccos(cosine)
        gram = size / (2 * np.pi) * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine)
        return gram, np.full(self.m, 0.5)


@functools.lru_cache(maxsize=4)  # learners of one grid use the same weights many times
def _weights(m: int, seed: int, dim: int) -> Array:
    found = generator(seed, "random features", dim).standard_normal((m, dim))
    found.flags.writeable = False
    return found


def coordinates(span: Span, features: Array) -> Array:
    """Return the functions of a span's orthonormal basis, from values of the features.

    Parameters
    ----------
    span : Span
        The span.
    features : ndarray of float64, (N, m)
        Values of the features at N inputs.

    Returns
    -------
    ndarray of float64, (N, p)
        Values of the p basis functions at the same inputs.
    """
    size = len(span.root)
    if np.count_nonzero(np.tril(span.root, -1)) == 0:  # of a QR decomposition: the first p features suffice
        lower = span.root[:, :size].T
        return np.asarray(solve_triangular(lower, features[:, :size].T, lower=True).T)
    return features @ np.linalg.pinv(span.root)
