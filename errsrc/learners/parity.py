"""Elimination over the field with two elements, which finds a parity of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.learners.learner import Learner
from errsrc.settings.parity import check_coordinates, class_probabilities
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class ParityElimination(Learner):
    """A learner that finds the parity of an unknown set of coordinates, by Gaussian elimination.

    Inputs have coordinates -1 and 1, and labels are the classes 0 and 1, see `errsrc.settings.SparseParity`.
    The learner solves the linear equations that the labels give for the unknown set, over the field with two
    elements.  Examples that contradict earlier examples are ignored.  If the examples leave coordinates free,
    these coordinates are not in the set.

    Notes
    -----
    The learner does not know the number of coordinates in the set.  It therefore needs about d examples.  If
    the number were known, and C sets had this number of coordinates, about log2 C examples would be enough.
    The learner fails if labels are flipped: a single flip among the first d independent examples changes the
    solution.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    >>> ParityElimination().fit(x, np.array([0, 1, 0]), np.random.default_rng(0)).function.coordinates
    array([0])
    """

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        check_coordinates(x, "ParityElimination")
        if y.dtype.kind == "f" or y.max() > 1:
            got = y.dtype if y.dtype.kind == "f" else int(y.max())
            raise ValueError(checks.refusal("y", "ParityElimination", "the classes 0 and 1", got))
        return ParityFit(_solved(x < 0, y.astype(bool)))


@dataclass(frozen=True, eq=False)
class ParityFit:
    """The parity that `ParityElimination` found.

    Attributes
    ----------
    coordinates : ndarray of int64
        Indices, from 0 and ascending, of the coordinates whose product is the parity.
    """

    coordinates: NDArray[np.int64]

    def __call__(self, x: Array) -> Array:
        """Return scores, float64 (N, 2): 1 for the predicted class, and 0 for the other class."""
        return class_probabilities(x[:, self.coordinates].prod(1))


def _solved(rows: NDArray[np.bool_], labels: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the coordinates of one solution; equations that depend on earlier equations are ignored."""
    pivots: list[int] = []
    basis = np.zeros((0, rows.shape[1] + 1), dtype=bool)  # reduced equations, each with its label
    for row, label in zip(rows, labels, strict=True):
        equation = np.append(row, label)
        hits = equation[pivots]
        if hits.any():
            equation = equation ^ np.logical_xor.reduce(basis[hits], axis=0)
        unknown = np.flatnonzero(equation[:-1])
        if len(unknown):
            pivot = int(unknown[0])
            basis[basis[:, pivot]] ^= equation
            basis, pivots = np.vstack([basis, equation]), [*pivots, pivot]
            if len(pivots) == rows.shape[1]:
                break
    return np.sort(np.array(pivots, dtype=np.int64)[basis[:, -1]])
