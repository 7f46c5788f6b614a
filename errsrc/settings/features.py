"""Random features of the inputs or of basis functions, and the functions that the features span."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh, qr, solve_triangular, svd
from scipy.special import erf

from errsrc import checks
from errsrc.bases import Basis, Cube, Legendre, Slepian, Sphere, Torus, shared_positions
from errsrc.fields import choice, instance, integer, number
from errsrc.rng import generator
from errsrc.settings.classes import FunctionClass, Span
from errsrc.settings.setting import Array

ACTIVATIONS = ("linear", "relu", "erf", "square")
"""Activations of random features whose moments with normal inputs have closed forms."""


WEIGHTS = ("normal", "fourier")
"""Names of the distributions of the weights of random features."""

MOST_BITS = 14
"""Largest number of bits of a `Cube` on which moments of ReLU and erf features are known.

The moments are sums over all vertices of the cube.
"""

_ROUNDING = 1e-12  # largest share of a function's variance outside a span that may be a rounding error


@dataclass(frozen=True)
class FeatureSpan(FunctionClass):
    """The class of functions that m random features span.

    Feature j of an input x is act(w_j' z(x)) / sqrt(m).  Here z(x) is the input x itself or, if a basis is
    given, the vector of the basis functions at x, each times the square root of its variance in `variances`.
    The entries of the weights w_j are independent standard normal numbers.  The first features of a seed do
    not depend on m, up to the factor 1 / sqrt(m).

    Let K be the kernel with these basis functions as eigenfunctions and the variances as eigenvalues.  For
    the activation "linear", the product of the features at two inputs, summed over the m features, has the
    mean K.

    Parameters
    ----------
    m : int
        Number of features, >= 1.
    seed : int
        Seed of the weights, >= 0.
    activation : str
        The function act: "linear", "relu", "erf" or "square".
    basis : Basis or None
        Basis whose functions the features combine; None for features of the inputs themselves.
    decay : float
        The variance of a basis function of degree k is proportional to max(k, 1)^-decay, from -100 to 100.
        Without a basis, the decay must be 0.
    weights : str
        "normal" for normal weights.  "fourier" for random Fourier features sqrt(2 / m) cos(k_j' x + b_j):
        the phase b_j is uniform, and the probability of a frequency k_j of the basis is its variance
        (Rahimi and Recht 2007).  This needs a `Torus` and the activation "linear".

    Examples
    --------
    >>> FeatureSpan(3).features(np.zeros((5, 2))).shape
    (5, 3)
    >>> from errsrc.bases import Torus
    >>> FeatureSpan(3, basis=Torus(2), decay=1.0).variances.round(3)
    array([0.25 , 0.25 , 0.25 , 0.125, 0.125])
    """

    m: int = integer(at_least=1)
    seed: int = integer(0, at_least=0)
    activation: str = choice("linear", ACTIVATIONS)
    basis: Basis | None = instance(Basis, "a basis of errsrc.bases", None)
    decay: float = number(0.0, at_least=-100, at_most=100)
    weights: str = choice("normal", WEIGHTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_features(self, "FeatureSpan")

    @property
    def linear(self) -> bool:  # type: ignore[override]
        """Whether the features are linear in the inputs."""
        return self.activation == "linear" and self.basis is None

    @property
    def input_dim(self) -> int | None:
        """Number of coordinates of an input; None without a basis."""
        return None if self.basis is None else self.basis.dim

    @property
    def variances(self) -> Array:
        """Variances of the basis functions in the features, float64 (M,); their sum is 1.

        Raises
        ------
        TypeError
            If the features have no basis.
        """
        if self.basis is None:
            raise TypeError(checks.refusal("basis", "FeatureSpan", "a basis", None))
        raw = np.maximum(self.basis.degrees, 1).astype(np.float64) ** -self.decay
        return np.asarray(raw / raw.sum())

    def coefficients(self, dim: int) -> Array:
        """Return the coefficients of the arguments of the function act, float64 (m, dim) or (m, M).

        Row j has the weights w_j of the coordinates of the input.  With a basis, row j has the coefficients
        of the M basis functions.

        Parameters
        ----------
        dim : int
            Number of coordinates of an input.
        """
        if self.basis is None:
            return _weights(self.m, self.seed, dim)
        if self.weights == "fourier":
            return _waves(self)
        return np.asarray(_weights(self.m, self.seed, self.basis.size) * np.sqrt(self.variances))

    def features(self, x: Array) -> Array:
        """Return the features of inputs, float64 (N, m).

        Parameters
        ----------
        x : ndarray of float64, (N, dim)
            Inputs.

        Raises
        ------
        ValueError
            If the inputs are not in the domain of the basis.
        """
        rows = self.coefficients(x.shape[1])
        values = x @ rows.T if self.basis is None else self.basis(x) @ rows.T
        if self.activation == "relu":
            values = np.maximum(values, 0.0)
        elif self.activation == "erf":
            values = erf(values)
        elif self.activation == "square":
            values = values**2
        return np.asarray(values / np.sqrt(self.m))

    def exact_order(self, whole: Basis) -> int | None:
        """Return the order of a quadrature that is exact for the moments of the features.

        The quadrature `Basis.quadrature` with this order integrates products of two features, of two
        functions of `whole`, and of one feature and one function.  "linear" features have such an order for
        every basis, "square" features for the bases of errsrc, and "relu" and "erf" for a `Cube` of at most
        `MOST_BITS` bits.

        Parameters
        ----------
        whole : Basis
            A basis of the same domain.

        Returns
        -------
        int or None
            The order; None if no order is known, or if `whole` has another domain.
        """
        if self.basis is None or self.basis.domain != whole.domain:
            return None
        if self.activation == "linear":
            return max(self.basis.order, whole.order)
        if isinstance(self.basis, Cube) and self.basis.bits <= MOST_BITS:
            return whole.order
        closed = isinstance(self.basis, (Torus, Legendre, Slepian, Sphere))
        return max(2 * self.basis.order, whole.order) if closed and self.activation == "square" else None

    def band_span(self, whole: Basis) -> Span | None:
        """Return an orthonormal basis of the class, for the inputs of a basis with the same domain.

        The matrix ``Span.inputs`` has the coefficients of the projections of the functions of `whole`.
        "linear" features have closed forms.  For the other activations, a quadrature gives the exact moments
        of the features, see `exact_order`.

        Parameters
        ----------
        whole : Basis
            A basis of the same domain as the basis of the features.

        Returns
        -------
        Span or None
            The basis; None if `exact_order` returns None.
        """
        return None if self.exact_order(whole) is None else _band_span(self, whole)

    def span(self, variances: Array) -> Span | None:
        """Return an orthonormal basis of the class, for independent normal inputs; see `Span`.

        With a basis, return None, because the inputs of a basis are not normal.

        The mean product of two features is E[act(u) act(v)] / m for two normal numbers u and v with given
        variances and covariance.  For "relu", this is the kernel of Cho and Saul 2009 (of order 1); for
        "erf", it is the kernel of Williams 1997.  The covariance of a feature act(u) with an input x is E[u
        x] E[act'(u)], by Stein's lemma.

        Parameters
        ----------
        variances : ndarray of float64, (dim,)
            Variances of the coordinates of an input.
        """
        if self.basis is not None:
            return None
        scaled = self.coefficients(len(variances)) * np.sqrt(variances)
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


@functools.lru_cache(maxsize=4)
def _waves(features: FeatureSpan) -> Array:
    """Return the coefficients of random Fourier features, float64 (m, M), without the factor 1 / sqrt(m)."""
    assert features.basis is not None
    size, variances = features.basis.size, features.variances
    chance = generator(features.seed, "random Fourier features", size).random((features.m, 2))
    steps = np.append(variances[0], variances[1::2] + variances[2::2]).cumsum()  # cosine and sine together
    chosen = np.minimum(np.searchsorted(steps, chance[:, 0], side="right"), len(steps) - 1)
    rows, every, phase = np.zeros((features.m, size)), np.arange(features.m), 2 * np.pi * chance[:, 1]
    rows[every, np.where(chosen > 0, 2 * chosen - 1, 0)] = np.cos(phase)
    rows[every[chosen > 0], 2 * chosen[chosen > 0]] = -np.sin(phase[chosen > 0])
    rows[chosen == 0, 0] *= np.sqrt(2)
    rows.flags.writeable = False
    return rows


@functools.lru_cache(maxsize=4)
def _band_span(features: FeatureSpan, whole: Basis) -> Span:
    """Return the span of features of a basis, see `FeatureSpan.band_span`."""
    basis, order = features.basis, features.exact_order(whole)
    assert basis is not None
    assert order is not None
    if features.activation == "linear":
        matrix = features.coefficients(basis.dim).T / np.sqrt(features.m)  # features in an orthonormal basis
        others = _inner_products(basis, whole)
    else:
        points, weights = basis.quadrature(order)
        root = np.sqrt(weights)[:, None]  # so that plain sums of products are means over inputs
        matrix, others = root * features.features(points), root * whole(points)
    left, values, right = svd(matrix, full_matrices=False)
    kept = values > max(matrix.shape) * np.finfo(np.float64).eps * values[0]
    inside = left[:, kept].T @ others
    contains = bool(np.square(inside).sum(0).min() > 1 - _ROUNDING)
    return Span(values[kept, None] * right[kept], np.ascontiguousarray(inside), whole=contains)


def _inner_products(first: Basis, second: Basis) -> Array:
    """Return the mean products of the functions of two bases of one domain, float64 (M, M)."""
    if first.family == second.family:
        out = np.zeros((first.size, second.size))
        out[shared_positions(first, second)] = 1.0
        return out
    points, weights = first.quadrature(max(first.order, second.order))
    return np.asarray(first(points).T @ (weights[:, None] * second(points)))


def check_features(features: Any, where: str) -> None:
    """Raise ValueError if the fields `basis`, `decay`, `weights` and `activation` do not fit together.

    Parameters
    ----------
    features : object
        An object with these fields.
    where : str
        Name of the object's class, for error messages.

    Raises
    ------
    ValueError
        If `decay` is given without a basis, or if the weights are "fourier" without a torus or with an
        activation that is not linear.
    """
    if features.basis is None and features.decay:
        raise ValueError(checks.refusal("decay", where, "0, unless 'basis' is given", features.decay))
    if features.weights == "fourier":
        if features.basis is None or not features.basis.trigonometric:
            accepted = "a Torus if 'weights' is 'fourier'"
            raise ValueError(checks.refusal("basis", where, accepted, features.basis))
        if features.activation != "linear":
            accepted = "'linear' if 'weights' is 'fourier'"
            raise ValueError(checks.refusal("activation", where, accepted, features.activation))


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
