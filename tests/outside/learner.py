"""A learner of one's own."""

import functools
from dataclasses import dataclass

import numpy as np

from errsrc.learners import Learner, indicators


def median(x, y, neighbours, at):
    squared = ((at[:, None] - x[None]) ** 2).sum(2)
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :neighbours]
    return np.median(y[nearest], axis=1)


@dataclass(frozen=True)
class MedianNeighbour(Learner):
    """The median label of the nearest examples, of each output."""

    neighbours: int = 3

    def _fit(self, x, y, rng):
        return functools.partial(median, x, indicators(y), self.neighbours)
