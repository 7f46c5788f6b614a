"""Pure memory: Hutter's learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from errsrc import checks
from errsrc.learners.learner import LinearLearner, indicators
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Memory(LinearLearner):
    """Says of an input what it was told of that very input, the mean of its labels; of others, nothing.

    The memorising learner of Hutter 2021 (arXiv 2102.04074).  Nothing is the value 0, or an equal score for
    each class.

    Attributes
    ----------
    classes
        Where labels are classes, how many there are; None for those up to the largest seen.

    Examples
    --------
    >>> x, y = np.array([[4.0], [4.0], [7.0]]), np.array([1, 0, 2])
    >>> Memory().fit(x, y, np.random.default_rng(0))(np.array([[4.0], [5.0]])).round(3)
    array([[0.5  , 0.5  , 0.   ],
           [0.333, 0.333, 0.333]])
    """

    classes: int | None = None

    def __post_init__(self) -> None:
        if self.classes is not None:
            checks.integer(self.classes, "classes", "Memory", 1)

    def features(self, x: Array, at: Array) -> Any:
        """Return which known input each is, sparse (len(at), known inputs); a row of zeros for new ones."""
        places = {row.tobytes(): place for place, row in enumerate(_items(x)[0])}
        found = np.array([places.get(row.tobytes(), -1) for row in at + 0.0], dtype=np.int64)
        (known,) = np.nonzero(found >= 0)
        return csr_array((np.ones(len(known)), (known, found[known])), shape=(len(at), len(places)))

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the mean label of each known input."""
        items, item = _items(x)
        sums = np.zeros((len(items), *labels.shape[1:]))
        np.add.at(sums, item, labels)
        return (sums.T / np.bincount(item)).T

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        if y.dtype.kind == "f":
            return super()._fit(x, y, rng)
        if self.classes is not None and y.max() >= self.classes:
            accepted = f"classes from 0 to {self.classes - 1}"
            raise ValueError(checks.refusal("y", "Memory", accepted, int(y.max())))
        scores = indicators(y)
        scores = np.pad(scores, ((0, 0), (0, (self.classes or scores.shape[1]) - scores.shape[1])))
        return _Recall(self, x, self.coefficients(x, scores))


@dataclass(frozen=True, eq=False)
class _Recall:
    """Scores of classes: those of known inputs (items, classes), equal ones elsewhere."""

    learner: Memory
    x: Array
    scores: Array

    def __call__(self, at: Array) -> Array:
        out = np.asarray(self.learner.features(self.x, at) @ self.scores)
        out[out.sum(1) == 0] = 1 / out.shape[1]
        return out


def _items(x: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the different inputs, and which of them each is."""
    items, item = np.unique(x + 0.0, axis=0, return_inverse=True)  # + 0: the zeros of both signs are one
    return items, item.reshape(-1)
