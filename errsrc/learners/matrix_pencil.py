"""The matrix pencil, which finds a few frequencies on the circle from equally spaced nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq, svd

from errsrc import checks
from errsrc.bases import Basis, Torus
from errsrc.bases.memory import check_memory
from errsrc.fields import declare, integer, number
from errsrc.learners.learner import Learner, indicators
from errsrc.learners.sparse import SparseFit, sparse_fit, warn_if_undersampled
from errsrc.settings import Band, FunctionClass
from errsrc.settings.nodes import GOLDEN
from errsrc.settings.setting import Array

ANGLE_TOLERANCE = 1e-9
"""Largest difference between two angles that count as equal, in turns."""


class _CircleBasis(checks.Rule):
    """A trigonometric basis of one angle."""

    accepted = "a trigonometric basis of one angle, such as errsrc.bases.Torus(3)"

    def __call__(self, value: Any, name: str, where: str) -> Basis:
        """Return `value` itself."""
        if not isinstance(value, Basis) or not value.trigonometric or value.dim != 1:
            raise TypeError(checks.refusal(name, where, self.accepted, value))
        return value


def _positions(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the cosines and sines of pairs of frequencies; 0 stands for the constant."""
    return np.union1d(np.maximum(2 * pairs - 1, 0), 2 * pairs)


@dataclass(frozen=True)
class MatrixPencil(Learner):
    """The matrix pencil, which finds at most K frequencies on the circle from equally spaced inputs.

    K counts k and -k as two frequencies, as the size M of a band does.  For example, a function with a
    constant and r frequencies > 0, each with a sine and a cosine, has K = 2 r + 1.  The inputs are called
    nodes, and the distance between two neighbouring nodes is called a stride.  Let f(a) be the label of the
    node that lies `a` strides from a given node.  The sums f(a + b) + f(a - b) form a matrix of rank at most
    (K + 1) / 2.  Its rows are combinations of the numbers cos(2 pi k b step).  The shift of the row space by
    one stride has the eigenvalues 2 cos(2 pi k step), which give the frequencies k.  This is the method of
    Hua and Sarkar 1990, in a real form that needs 3/2 K examples.  Each frequency is rounded to the nearest
    frequency of the band, and the amplitudes are fitted by least squares.  A residual of 0 confirms the
    frequencies and amplitudes.  All outputs have the same frequencies.  A predictor's ``function`` is a
    `SparseFit`.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis of one angle, such as `Torus`.  The search covers its frequencies.
    sparsity : int
        K, the largest number of frequencies, from 1 to M.
    step : float
        Length of a stride in turns, in (0, 1), as in `errsrc.settings.Stride`.  The nodes are start + t step
        for t = 0, ..., n - 1, in any order.

    Warns
    -----
    Undersampled
        If n < 2 K. If n < 3/2 K, the method searches for fewer than K frequencies.

    Notes
    -----
    Cost: n^3 + n M operations.  For K = 16 and M = 10,001, the method was tested at n = 2 K + 1 nodes
    (``python benchmarks/sparse.py``).  The method is exact in 98 of 100 draws with strides of the golden
    section, and in 100 of 100 draws with strides of 1/M.  The method fails if the phases of several
    frequencies advance by nearly the same angle in a stride.  The fit is then not certified.

    Examples
    --------
    4 frequencies among 20,001, from 9 examples:

    >>> x = 2 * np.pi * (np.arange(9.0)[:, None] * GOLDEN % 1)
    >>> y = np.cos(7000 * x[:, 0]) - 2 * np.sin(21 * x[:, 0])
    >>> f = MatrixPencil(Torus(10_000), 4).fit(x, y, np.random.default_rng(0)).function
    >>> f.basis.indices[f.support].ravel(), f.certified
    (array([   21,   -21,  7000, -7000]), True)
    """

    basis: Basis = declare(_CircleBasis(), Torus())
    sparsity: int = integer(3, at_least=1)
    step: float = number(GOLDEN, above=0, below=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.Integer(at_least=1, at_most=self.basis.size)(self.sparsity, "sparsity", "MatrixPencil")
        check_memory(1, self.basis.size, "MatrixPencil")
        turns = np.sort(self.basis.indices[:, 0] * self.step % 1.0)
        if np.diff(turns, append=1 + turns[0]).min() <= ANGLE_TOLERANCE:
            accepted = f"one by which frequencies up to {self.basis.order} turn differently"
            raise ValueError(checks.refusal("step", "MatrixPencil", accepted, self.step))

    @property
    def function_class(self) -> FunctionClass:
        """All functions in the band."""
        return Band(self.basis)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> SparseFit:
        order = self._order_along_strides(self.basis.check_inputs(x)[:, 0])
        labels = indicators(y)
        found, sensitivity = self._find_frequencies(labels[order].reshape(len(x), -1))
        values = self.basis(x)
        support = self._at_most_k(found, values, labels)
        n = len(x)
        fit = sparse_fit(
            self.basis,
            self.sparsity,
            values,
            labels,
            support,
            nodes=n,
            sensitivity=sensitivity,
            strides=True,
        )
        warn_if_undersampled(fit, self.sparsity, n)
        return fit

    def _at_most_k(self, pairs: NDArray[np.int64], values: Array, labels: Array) -> NDArray[np.int64]:
        """Return the positions of at most K functions for pairs of frequencies k, -k that were found.

        If the pairs have K + 1 functions, one pair is replaced by the constant function.  This is the pair
        whose replacement gives the smallest residual.
        """
        supports = [_positions(pairs)]
        if len(supports[0]) > self.sparsity:
            supports = [_positions(np.append(np.delete(pairs, k), 0)) for k in range(len(pairs))]
        columns = labels.reshape(len(labels), -1)
        left = [
            float(np.linalg.norm(columns - values[:, s] @ lstsq(values[:, s], columns)[0])) for s in supports
        ]
        return supports[int(np.argmin(left))]

    def _order_along_strides(self, x: Array) -> NDArray[np.intp]:
        """Return the positions of angles (n,) in the order of strides; raise ValueError for other nodes."""
        turns = x / (2 * np.pi) % 1.0
        by_size = np.argsort(turns)
        sorted_turns = turns[by_size]
        after = (turns + self.step) % 1.0
        candidates = np.searchsorted(sorted_turns, after)[:, None] + [-1, 0]
        gaps = np.abs(sorted_turns[candidates % len(x)] - after[:, None])
        gaps = np.minimum(gaps, 1 - gaps)
        nearest = np.take_along_axis(candidates, gaps.argmin(1)[:, None], 1)[:, 0] % len(x)
        following = np.where(gaps.min(1) <= ANGLE_TOLERANCE, by_size[nearest], -1)
        heads = np.setdiff1d(np.arange(len(x)), following)
        out = [int(heads[0]) if len(heads) else int(by_size[0])]  # strides of a whole turn have no first node
        while len(out) < len(x) and following[out[-1]] >= 0:
            out.append(int(following[out[-1]]))
        if len(set(out)) < len(x):
            accepted = f"start + t step, t = 0, ..., n - 1, in any order, a step of {self.step:.6g} turns"
            raise ValueError(checks.refusal("x", "MatrixPencil", accepted, f"<{len(x)} other nodes>"))
        return np.array(out)

    def _find_frequencies(self, samples: Array) -> tuple[NDArray[np.int64], float]:
        """Return the frequencies of samples (n, outputs), and the condition number of their computation.

        A number p stands for the p-th pair of frequencies k, -k of the basis; 0 stands for k = 0.
        """
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
        return self._nearest_frequencies(cosines), float(d[0] / d[rank - 1])

    def _nearest_frequencies(self, cosines: Array) -> NDArray[np.int64]:
        """Return the frequencies that turn by the angles nearest to those of given cosines (rank,)."""
        frequencies = np.abs(self.basis.indices[::2, 0])
        candidates = np.cos(2 * np.pi * (frequencies * self.step % 1.0))
        by_cosine = np.argsort(candidates, kind="stable")
        angles, wanted = np.arccos(candidates[by_cosine])[::-1], np.arccos(np.clip(cosines, -1, 1))
        near = np.searchsorted(angles, wanted)[:, None] + [-1, 0]
        near = np.clip(near, 0, len(angles) - 1)
        choice = np.abs(angles[near] - wanted[:, None]).argmin(1)[:, None]
        nearest = np.take_along_axis(near, choice, 1)[:, 0]
        return np.unique(by_cosine[::-1][nearest])
