"""Pure memory: Hutter's learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from errsrc import checks
from errsrc.fields import integer
from errsrc.learners.learner import LinearLearner, indicators
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Memory(LinearLearner):
    """A memorising learner: it predicts the mean label of the examples that have exactly the same input.

    For an input that no example has, it predicts 0, or equal scores for all classes.  This is the memorising
    learner of Hutter 2021 (arXiv 2102.04074).

    Parameters
    ----------
    classes : int, optional
        Number of classes if labels are classes, >= 1.  By default, the number is one more than the largest
        class in the data.

    Examples
    --------
    >>> x, y = np.array([[4.0], [4.0], [7.0]]), np.array([1, 0, 2])
    >>> Memory().fit(x, y, np.random.default_rng(0))(np.array([[4.0], [5.0]])).round(3)
    array([[0.5  , 0.5  , 0.   ],
           [0.333, 0.333, 0.333]])
    """

    classes: int | None = integer(None, at_least=1)

    def features(self, x: Array, at: Array) -> Any:
        """Return a sparse matrix that tells which remembered input each new input equals.

        The remembered inputs are the distinct rows of x (n, dim), and the new inputs are the rows of `at`
        (N, dim).  The matrix has a row for each new input and a column for each remembered input.  An entry
        is 1 if the two inputs are equal, and 0 otherwise.  If a new input is not in x, its row is 0.
        """
        position = {row.tobytes(): k for k, row in enumerate(_distinct(x)[0])}
        found = np.array([position.get(row.tobytes(), -1) for row in at + 0.0], dtype=np.int64)
        (known,) = np.nonzero(found >= 0)
        return csr_array((np.ones(len(known)), (known, found[known])), shape=(len(at), len(position)))

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the mean label of each distinct input of x, (inputs,) or (inputs, outputs)."""
        distinct, which = _distinct(x)
        sums = np.zeros((len(distinct), *labels.shape[1:]))
        np.add.at(sums, which, labels)
        return (sums.T / np.bincount(which)).T

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        if y.dtype.kind == "f":
            return super()._fit(x, y, rng)
        if self.classes is not None and y.max() >= self.classes:
            accepted = f"classes from 0 to {self.classes - 1}"
            raise ValueError(checks.refusal("y", "Memory", accepted, int(y.max())))
        scores = indicators(y)
        scores = np.pad(scores, ((0, 0), (0, (self.classes or scores.shape[1]) - scores.shape[1])))
        return _ClassMemory(self, x, self.coefficients(x, scores))


@dataclass(frozen=True, eq=False)
class _ClassMemory:
    """Scores of classes: `scores` (different inputs, classes) for remembered inputs, else equal scores."""

    learner: Memory
    x: Array
    scores: Array

    def __call__(self, at: Array) -> Array:
        out = np.asarray(self.learner.features(self.x, at) @ self.scores)
        out[out.sum(1) == 0] = 1 / out.shape[1]
        return out


def _distinct(x: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the different rows of x, and the position of each row of x among them."""
    distinct, which = np.unique(x + 0.0, axis=0, return_inverse=True)  # + 0.0 turns -0.0 into 0.0
    return distinct, which.reshape(-1)
