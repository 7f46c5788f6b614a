"""Learners that are given how many functions of a band are used, but not which."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus
from errsrc.bases.basis import BASIS
from errsrc.errors import Undersampled
from errsrc.fields import declare, integer
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.selection import VANISHED
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array


@dataclass(frozen=True, eq=False)
class SparseFit(BandFunction):
    """A function with few coefficients other than 0, with how well its examples determine it.

    Attributes
    ----------
    basis : Basis
        The basis of the band.
    coefficients : ndarray of float64, (M,) or (M, outputs)
        The coefficients.
    n : int
        Number of examples.
    support : ndarray of int64, (S,)
        Positions of the coefficients that are not 0, in order.
    condition : float
        Condition number of the functions on the support at the nodes: if the support is right, relative
        errors of labels are amplified by up to this factor.
    sensitivity : float
        Condition number of the matrix from which a matrix pencil computes the frequencies: errors of labels
        are amplified by up to this factor in the frequencies.  1 for a matching pursuit.
    residual : float
        Root mean square of labels minus values, relative to the root mean square of the labels.
    starts : int
        Number of starts that were run.
    certified : bool
        Whether the residual vanishes on a support of at most K functions at 2 K different nodes or more.  If
        any 2 K functions are linearly independent at the nodes, as on strides and in general position, then
        no other function with K coefficients has these labels.
    status : str
        The other attributes, as a sentence.
    """

    n: int
    support: NDArray[np.int64]
    condition: float
    sensitivity: float
    residual: float
    starts: int
    certified: bool
    status: str


@dataclass(frozen=True)
class SparseRecovery(Learner):
    """A function with at most K coefficients in a basis, from any nodes: matching pursuit from many starts.

    Each start begins with one function.  It adds up to 2 K functions one by one, each time the one that is
    most correlated with the residual, and fits all coefficients again by least squares (orthogonal matching
    pursuit, Pati et al. 1993).  The K largest coefficients are kept.  The first start begins with the
    function that is most correlated with the labels, the second with the next, and so on until the residual
    vanishes.  If it never does, as with noise, the start of the smallest residual counts.  Outputs share one
    support (Tropp et al. 2006).  A predictor's ``function`` is a `SparseFit`.

    Parameters
    ----------
    basis : Basis
        The basis of the band; its size M may be far larger than n.
    sparsity : int
        K, the largest number of coefficients other than 0, from 1 to M.
    starts : int
        Largest number of starts, >= 1.

    Warns
    -----
    Undersampled
        For fewer than 2 K different nodes.

    Notes
    -----
    Cost of a start: 2 K n M operations.  Memory: n M numbers.  With K = 10 of M = 10,001 and
    random nodes it is exact in 99 of 100 draws at n = 7 K, and in all draws from n = 8 K on.  With
    coefficients of equal size it is exact in 95 draws at n = 10 K, and in all draws from n = 12 K on; there a
    pursuit from one start is exact in 79 draws (``python benchmarks/sparse.py``).

    Examples
    --------
    2 of 2,001 coefficients from 16 examples:

    >>> x = np.random.default_rng(0).uniform(0, 2 * np.pi, (16, 1))
    >>> y = np.cos(700 * x[:, 0]) - 2 * np.sin(21 * x[:, 0])
    >>> f = SparseRecovery(Torus(1000), 2).fit(x, y, np.random.default_rng(0)).function
    >>> f.basis.indices[f.support].ravel(), f.certified
    (array([-21, 700]), True)
    """

    basis: Basis = declare(BASIS, Torus())
    sparsity: int = integer(3, at_least=1)
    starts: int = integer(20, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.Integer(at_least=1, at_most=self.basis.size)(self.sparsity, "sparsity", "SparseRecovery")

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.basis)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> SparseFit:
        labels, features = indicators(y), self.basis(x)
        columns = labels.reshape(len(x), -1)
        scales = np.linalg.norm(features, axis=0)
        features /= np.where(scales > 0, scales, 1.0)
        correlation = ((features.T @ columns) ** 2).sum(1)
        firsts = np.argsort(-correlation, kind="stable")[: self.starts]
        best, smallest, tried = firsts[:1], np.inf, 0
        zero = VANISHED * float(np.linalg.norm(columns))
        for first in firsts:
            tried += 1
            support = self._pursue(features, columns, int(first), zero)
            left = float(np.linalg.norm(_residual(features[:, support], columns)))
            if left < smallest:
                best, smallest = support, left
            if left <= zero:
                break
        best = np.sort(best)
        nodes = len(np.unique(x, axis=0))
        fit = sparse_fit(
            self.basis,
            self.sparsity,
            features[:, best] * scales[best],
            labels,
            best,
            nodes=nodes,
            starts=tried,
        )
        warn_if_undersampled(fit, self.sparsity, nodes)
        return fit

    def _pursue(self, features: Array, labels: Array, first: int, zero: float) -> NDArray[np.int64]:
        """Return a support of at most K functions for labels (n, outputs), found from its first function.

        Features (n, M) have columns of norm 1.  A residual of at most `zero` counts as zero.
        """
        n, largest = len(labels), min(2 * self.sparsity, *features.shape)
        support, q, left = [first], np.zeros((n, largest)), labels.copy()
        for k in range(largest):
            if k:
                correlation = ((features.T @ left) ** 2).sum(1)
                correlation[support] = -1.0
                support.append(int(correlation.argmax()))
            new = features[:, support[-1]]
            for _ in range(2):  # twice, so that it is orthogonal up to rounding
                new = new - q @ (q.T @ new)
            norm = np.linalg.norm(new)
            if norm <= VANISHED:
                support.pop()
                break
            q[:, k] = new / norm
            left -= np.outer(q[:, k], q[:, k] @ left)
            if np.linalg.norm(left) <= zero:
                break
        positions = np.array(support, dtype=np.int64)
        if len(positions) > self.sparsity:
            coefficients = lstsq(features[:, positions], labels)[0]
            by_size = np.argsort(-(coefficients**2).sum(1), kind="stable")
            positions = positions[by_size[: self.sparsity]]
        return positions


def sparse_fit(
    basis: Basis,
    sparsity: int,
    features: Array,
    labels: Array,
    support: NDArray[np.int64],
    *,
    nodes: int,
    sensitivity: float = 1.0,
    starts: int = 1,
) -> SparseFit:
    """Return the least-squares fit of labels by the functions of a support.

    Parameters
    ----------
    basis : Basis
        The basis of the band, of M functions.
    sparsity : int
        K, the largest number of coefficients that a teacher has.
    features : ndarray of float64, (n, S)
        Values of the functions of the support at the nodes.
    labels : ndarray of float64, (n,) or (n, outputs)
        Labels.
    support : ndarray of int64, (S,)
        Positions of these functions in the basis.
    nodes : int
        Number of different nodes.
    sensitivity : float
        Condition number of finding the support, see `SparseFit`.
    starts : int
        Number of starts that were tried.

    Returns
    -------
    fit : SparseFit
        The fit.
    """
    n = len(labels)
    solved, _, _, d = lstsq(features, labels)
    coefficients = np.zeros((basis.size, *labels.shape[1:]))
    coefficients[support] = solved
    norm = float(np.linalg.norm(labels)) or 1.0
    residual = float(np.linalg.norm(labels - features @ solved)) / norm
    condition = float(d[0] / d[-1]) if n >= len(support) and d[-1] > 0 else np.inf
    certified = bool(residual <= VANISHED and len(support) <= sparsity and nodes >= 2 * sparsity)
    found = f"{len(support)} of M = {basis.size} functions, residual {residual:.1g}"
    if certified:
        status = f"{found} at {nodes} >= 2 K = {2 * sparsity} nodes: in general no other K-sparse function."
    elif nodes < 2 * sparsity:
        status = f"{found}; {nodes} different nodes are fewer than 2 K = {2 * sparsity}: others may fit."
    else:
        tried = f"{starts} start{'s' * (starts > 1)}"
        status = f"{found} after {tried}: labels have noise, or the support is not found."
    return SparseFit(
        basis, coefficients, n, support, condition, sensitivity, residual, starts, certified, status
    )


def warn_if_undersampled(fit: SparseFit, sparsity: int, nodes: int) -> None:
    """Warn with `errsrc.errors.Undersampled` for fewer than 2 K different nodes.

    Parameters
    ----------
    fit : SparseFit
        The fit, whose status is the warning.
    sparsity : int
        K.
    nodes : int
        Number of different nodes.
    """
    if nodes < 2 * sparsity:
        warnings.warn(fit.status, Undersampled, stacklevel=4)


def _residual(features: Array, labels: Array) -> Array:
    return np.asarray(labels - features @ lstsq(features, labels)[0])
