"""Learners that are told how many functions of a band are in use, and not which."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq, svd

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus
from errsrc.bases.memory import check_memory
from errsrc.errors import Undersampled
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.selection import VANISHED
from errsrc.settings import Band, FunctionClass
from errsrc.settings.nodes import GOLDEN
from errsrc.settings.setting import Array

SAME = 1e-9
"""How far two angles may be apart, in turns, that are one."""


@dataclass(frozen=True, eq=False)
class SparseFit(BandFunction):
    """A function of few coefficients with what its examples say of it.

    Attributes
    ----------
    n
        Examples.
    support
        int64, sorted: the places of the coefficients that are not 0.
    condition
        Ratio of the largest singular value to the smallest of the functions on the support, at the nodes:
        errors of labels are amplified by up to as much where the support is right.
    sensitivity
        The same ratio for the matrix that a matrix pencil reads the frequencies from, by which errors of
        labels are amplified in these; 1 for a pursuit.
    residual
        Root mean square of what the fit leaves of the labels, relative to theirs.
    starts
        How many starts were tried.
    certified
        Whether the residual vanishes on a support within the sparsity K, at 2 K different nodes or more:
        where any 2 K functions are independent at the nodes, as on strides and in general position, no
        other function with K coefficients has these labels.
    status
        The same in a sentence.
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

    Each start adds the function that the residual is most like, and solves for all by least squares
    (orthogonal matching pursuit, Pati et al. 1993), up to twice K; the K largest are kept.  The first start
    begins with the function that labels are most like, the second with the next, and so on until the
    residual vanishes; of several starts in which it does not, as with noise, the least residual counts.
    Outputs share one support (Tropp et al. 2006).  A predictor's ``function`` is a `SparseFit`.

    Attributes
    ----------
    basis
        The band of M functions that the K are among, which may be far larger than n.
    sparsity
        K, the most coefficients other than 0, >= 1.
    starts
        The most starts.

    Warns
    -----
    Undersampled
        For fewer than 2 K different nodes.

    Notes
    -----
    Cost of a start: 2 K n M.  Memory: n M numbers.  With K = 10 of M = 10,001 and random nodes it is exact in
    99 of 100 draws at n = 7 K and in all from 8 K on; with coefficients of one size in 95 at 10 K and in all
    from 12 K on, where plain pursuit is in 79 (``python benchmarks/sparse.py``).

    Examples
    --------
    2 of 2,001 coefficients from 16 examples:

    >>> x = np.random.default_rng(0).uniform(0, 2 * np.pi, (16, 1))
    >>> y = np.cos(700 * x[:, 0]) - 2 * np.sin(21 * x[:, 0])
    >>> f = SparseRecovery(Torus(1000), 2).fit(x, y, np.random.default_rng(0)).function
    >>> f.basis.indices[f.support].ravel(), f.certified
    (array([-21, 700]), True)
    """

    basis: Basis = field(default=Torus())
    sparsity: int = 3
    starts: int = 20

    def __post_init__(self) -> None:
        where = "SparseRecovery"
        if not isinstance(self.basis, Basis):
            raise TypeError(checks.refusal("basis", where, "a basis of errsrc.bases", self.basis))
        checks.integer(self.sparsity, "sparsity", where, 1, self.basis.size)
        checks.integer(self.starts, "starts", where, 1)

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.basis)

    def _fit(self, x: Array, y: Array, rng: np.random.Generator) -> SparseFit:
        labels, features = indicators(y), self.basis(x)
        columns = labels.reshape(len(x), -1)
        scales = np.linalg.norm(features, axis=0)
        features /= np.where(scales > 0, scales, 1.0)
        likeness = ((features.T @ columns) ** 2).sum(1)
        firsts = np.argsort(-likeness, kind="stable")[: self.starts]
        best, least, tried = firsts[:1], np.inf, 0
        enough = VANISHED * float(np.linalg.norm(columns))
        for first in firsts:
            tried += 1
            support = self._pursue(features, columns, int(first), enough)
            left = float(np.linalg.norm(_left(features[:, support], columns)))
            if left < least:
                best, least = support, left
            if left <= enough:
                break
        best = np.sort(best)
        nodes = len(np.unique(x, axis=0))
        return _solved(self, features[:, best] * scales[best], labels, best, nodes, 1.0, tried)

    def _pursue(self, features: Array, labels: Array, first: int, enough: float) -> NDArray[np.int64]:
        """Return the places of at most K unit features that labels (n, outputs) are nearly in the span of."""
        n, most = len(labels), min(2 * self.sparsity, *features.shape)
        support, q, left = [first], np.zeros((n, most)), labels.copy()
        for k in range(most):
            if k:
                likeness = ((features.T @ left) ** 2).sum(1)
                likeness[support] = -1.0
                support.append(int(likeness.argmax()))
            new = features[:, support[-1]]
            for _ in range(2):  # once more, for orthogonality to rounding
                new = new - q @ (q.T @ new)
            norm = np.linalg.norm(new)
            if norm <= VANISHED:
                support.pop()
                break
            q[:, k] = new / norm
            left -= np.outer(q[:, k], q[:, k] @ left)
            if np.linalg.norm(left) <= enough:
                break
        places = np.array(support, dtype=np.int64)
        if len(places) > self.sparsity:
            coefficients = lstsq(features[:, places], labels)[0]
            places = places[np.argsort(-(coefficients**2).sum(1), kind="stable")[: self.sparsity]]
        return places


@dataclass(frozen=True)
class MatrixPencil(Learner):
    """A function on the circle with at most K frequencies, from nodes at equal strides: the matrix pencil.

    K counts k and -k as two, as a band's size does: with its constant, a function of r sines and cosines has
    2 r + 1.  The sums f(a + b) + f(a - b) of samples a, b strides along are a matrix of rank (K + 1) / 2 or
    less, with products cos(2 pi k b step) for its rows; the shift of its row space has the eigenvalues
    2 cos(2 pi k step), which tell the frequencies (Hua and Sarkar 1990, in the real form that needs 3/2 K
    samples).  Frequencies are whole numbers, the nearest ones in the band; the amplitudes are solved for
    anew, and a residual of 0 confirms both.  Outputs share their frequencies.  A predictor's ``function`` is
    a `SparseFit`.

    Attributes
    ----------
    basis
        The band that the frequencies are in, a `Torus` in one dimension.
    sparsity
        K, the most frequencies, >= 1.
    step
        Length of a stride in turns, as in `errsrc.settings.Stride`: nodes are start + t step, t = 0, ...,
        n - 1, in any order.

    Warns
    -----
    Undersampled
        Where n < 2 K; where n < 3/2 K fewer frequencies are sought.

    Notes
    -----
    Cost: n^3 + n M.  With K = 16 of M = 10,001 it is exact in 98 of 100 draws at
    n = 2 K + 1 strides of the golden section, and in 100 at strides of 1/M (``python benchmarks/sparse.py``);
    it misses where several frequencies turn nearly alike, and then does not certify.

    Examples
    --------
    4 frequencies among 20,001, from 9 examples:

    >>> x = 2 * np.pi * (np.arange(9.0)[:, None] * GOLDEN % 1)
    >>> y = np.cos(7000 * x[:, 0]) - 2 * np.sin(21 * x[:, 0])
    >>> f = MatrixPencil(Torus(10_000), 4).fit(x, y, np.random.default_rng(0)).function
    >>> f.basis.indices[f.support].ravel(), f.certified
    (array([   21,   -21,  7000, -7000]), True)
    """

    basis: Basis = field(default=Torus())
    sparsity: int = 3
    step: float = GOLDEN

    def __post_init__(self) -> None:
        where = "MatrixPencil"
        if not isinstance(self.basis, Torus) or self.basis.dim != 1:
            raise TypeError(checks.refusal("basis", where, "a Torus of one dimension", self.basis))
        checks.integer(self.sparsity, "sparsity", where, 1, self.basis.size)
        checks.number(self.step, "step", where, 0, 1, open_low=True, open_high=True)
        check_memory(1, self.basis.size, where)
        degree = self.basis.order
        turns = np.sort(np.arange(-degree, degree + 1) * self.step % 1.0)
        if np.diff(turns, append=1 + turns[0]).min() <= SAME:
            accepted = f"one by which frequencies up to {degree} turn differently"
            raise ValueError(checks.refusal("step", where, accepted, self.step))

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.basis)

    def _fit(self, x: Array, y: Array, rng: np.random.Generator) -> SparseFit:
        order = self._order(self.basis.check_inputs(x)[:, 0])
        labels = indicators(y)
        found, sensitivity = self._frequencies(labels[order].reshape(len(x), -1))
        places = np.union1d(np.maximum(2 * found - 1, 0), 2 * found)  # of cosines and sines
        return _solved(self, self.basis(x)[:, places], labels, places, len(x), sensitivity, 1)

    def _order(self, x: Array) -> NDArray[np.intp]:
        """Return the order of angles (n,) along their strides; refuse others."""
        turns = x / (2 * np.pi) % 1.0
        by_size = np.argsort(turns)
        ring = turns[by_size]
        after = (turns + self.step) % 1.0
        near = np.searchsorted(ring, after)[:, None] + [-1, 0]
        gaps = np.abs(ring[near % len(x)] - after[:, None])
        gaps = np.minimum(gaps, 1 - gaps)
        nearest = np.take_along_axis(near, gaps.argmin(1)[:, None], 1)[:, 0] % len(x)
        following = np.where(gaps.min(1) <= SAME, by_size[nearest], -1)
        heads = np.setdiff1d(np.arange(len(x)), following)
        out = [int(heads[0]) if len(heads) else int(by_size[0])]  # a whole turn begins anywhere
        while len(out) < len(x) and following[out[-1]] >= 0:
            out.append(int(following[out[-1]]))
        if len(set(out)) < len(x):
            accepted = f"start + t step, t = 0, ..., n - 1, in any order, a step of {self.step:.6g} turns"
            raise ValueError(checks.refusal("x", "MatrixPencil", accepted, f"<{len(x)} other nodes>"))
        return np.array(out)

    def _frequencies(self, samples: Array) -> tuple[NDArray[np.int64], float]:
        """Return the frequencies k >= 0 of samples (n, outputs), and the condition they are found with."""
        n, norm = len(samples), float(np.abs(samples).max())
        rank = min((self.sparsity + 1) // 2, n // 3)
        if not rank or not norm:
            return np.zeros(1, dtype=np.int64), 1.0
        lags = max(rank, (n - 1) // 3)
        a, b = np.arange(lags, n - lags)[:, None], np.arange(lags + 1)
        sums = (samples[a + b] + samples[a - b]) / norm
        d, vt = svd(sums.transpose(0, 2, 1).reshape(-1, lags + 1), full_matrices=False)[1:]
        rank = min(rank, int((d > max(n, len(d)) * np.finfo(float).eps * d[0]).sum()))
        rows = vt[:rank].T
        shifted = rows[1:] + np.vstack([rows[1:2], rows[:-2]])
        cosines = np.linalg.eigvals(lstsq(rows[:-1], shifted)[0]).real / 2
        candidates = np.cos(2 * np.pi * (np.arange(self.basis.order + 1) * self.step % 1.0))
        by_size = np.argsort(candidates, kind="stable")
        angles, wanted = np.arccos(candidates[by_size])[::-1], np.arccos(np.clip(cosines, -1, 1))
        near = np.searchsorted(angles, wanted)[:, None] + [-1, 0]
        near = np.clip(near, 0, len(angles) - 1)
        nearest = np.take_along_axis(near, np.abs(angles[near] - wanted[:, None]).argmin(1)[:, None], 1)[:, 0]
        return np.unique(by_size[::-1][nearest]), float(d[0] / d[rank - 1])


def _left(features: Array, labels: Array) -> Array:
    return np.asarray(labels - features @ lstsq(features, labels)[0])


def _solved(
    learner: SparseRecovery | MatrixPencil,
    features: Array,
    labels: Array,
    support: NDArray[np.int64],
    nodes: int,
    sensitivity: float,
    starts: int,
) -> SparseFit:
    """Return the least squares in the features of a support, (n, len(support)), at as many nodes."""
    basis, n, sparsity = learner.basis, len(labels), learner.sparsity
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
        warnings.warn(status, Undersampled, stacklevel=4)
    else:
        tried = f"{starts} start{'s' * (starts > 1)}"
        status = f"{found} after {tried}: labels have noise, or the support is not found."
    return SparseFit(
        basis, coefficients, n, support, condition, sensitivity, residual, starts, certified, status
    )
