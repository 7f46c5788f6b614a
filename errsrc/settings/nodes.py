"""Designs of nodes: where in a domain the labelled inputs lie."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from errsrc import checks
from errsrc.fields import Checked, integer, number
from errsrc.settings.setting import Array

GOLDEN = (5**0.5 - 1) / 2
"""The golden section, a stride at which all frequencies have different values."""


@dataclass(frozen=True)
class Nodes(Checked, abc.ABC):
    """A design of nodes on the unit cube, which a basis places in its domain; a subclass defines `points`."""

    uniform: ClassVar[bool] = False
    """Whether the nodes are independent and uniform, so that a basis draws the inputs itself."""

    @abc.abstractmethod
    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes of the unit cube.

        Parameters
        ----------
        count : int
            Number of nodes.
        dim : int
            Number of coordinates.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            float64 (count, dim), each coordinate in [0, 1), in no particular order.
        """


@dataclass(frozen=True)
class Uniform(Nodes):
    """Independent uniform nodes."""

    uniform: ClassVar[bool] = True

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return uniform nodes, see `Nodes.points`."""
        return rng.uniform(size=(count, dim))


@dataclass(frozen=True)
class Jittered(Nodes):
    """One node in each of n cells of equal volume; the cells are as close to cubes as n allows.

    Parameters
    ----------
    amount : float
        Size of the part of a cell that its node is drawn from, in [0, 1].  0 places nodes in the middle of
        each cell; this is a grid in one dimension, and in `dim` dimensions if n is the `dim`-th power of an
        integer.  1 places nodes anywhere in the cell.
    """

    amount: float = number(1.0, at_least=0, at_most=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return a node of each cell, see `Nodes.points`."""
        low, high = _cells(count, dim)
        share = 0.5 + self.amount * (rng.uniform(size=(count, dim)) - 0.5)
        return low + share * (high - low)


@dataclass(frozen=True)
class Clustered(Nodes):
    """Nodes normally distributed around a few centres; opposite faces of the cube are joined.

    Parameters
    ----------
    clusters : int
        Number of centres, which are drawn uniformly, >= 1.
    width : float
        Standard deviation in each coordinate, > 0.
    """

    clusters: int = integer(5, at_least=1)
    width: float = number(0.02, above=0)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes around the centres, see `Nodes.points`."""
        centres = rng.uniform(size=(self.clusters, dim))[rng.integers(self.clusters, size=count)]
        return (centres + self.width * rng.standard_normal((count, dim))) % 1.0


@dataclass(frozen=True)
class Gappy(Nodes):
    """Uniform nodes outside a gap.

    Parameters
    ----------
    gap : float
        Share of the first coordinate, from 0 on, that has no nodes; in [0, 1).
    """

    gap: float = number(0.2, at_least=0, below=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes outside the gap, see `Nodes.points`."""
        u = rng.uniform(size=(count, dim))
        u[:, 0] = self.gap + (1 - self.gap) * u[:, 0]
        return u


@dataclass(frozen=True)
class Uneven(Nodes):
    """Independent nodes of density 1 + contrast cos(2 pi u) along the first coordinate u.

    Parameters
    ----------
    contrast : float
        From 0, uniform nodes, to 1, no density at u = 1/2.
    """

    contrast: float = number(0.9, at_least=0, at_most=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes by rejection sampling, see `Nodes.points`."""
        kept = np.empty((0, dim))
        while len(kept) < count:
            u = rng.uniform(size=(2 * count + 8, dim))
            density = 1 + self.contrast * np.cos(2 * np.pi * u[:, 0])
            kept = np.concatenate([kept, u[rng.uniform(0, 1 + self.contrast, len(u)) < density]])
        return kept[:count]


@dataclass(frozen=True)
class Stride(Nodes):
    """Nodes on a circle at equal strides: start + t step for t = 0, ..., n - 1, the start drawn uniformly.

    The values of a function with few frequencies k at these nodes are a sum of few powers of
    exp(2 pi i k step), which `errsrc.learners.MatrixPencil` recovers from about two values per frequency.

    Parameters
    ----------
    step : float
        Length of a stride in turns of the circle, in (0, 1).  The golden section distinguishes all
        frequencies, 1 / M the frequencies up to (M - 1) / 2.
    """

    step: float = number(GOLDEN, above=0, below=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return the nodes in their order along the strides, see `Nodes.points`.

        Raises
        ------
        ValueError
            For more than one dimension.
        """
        if dim != 1:
            raise ValueError(checks.refusal("nodes", "Stride", "those of one coordinate", f"<dim = {dim}>"))
        return np.asarray((rng.uniform() + np.arange(count) * self.step) % 1.0)[:, None]


def _cells(count: int, dim: int) -> tuple[Array, Array]:
    """Return the lower and the upper corners of `count` boxes of equal volume that fill the unit cube."""
    slabs = max(1, round(count ** (1 / dim)))
    if dim == 1:
        edges = np.arange(count + 1) / count
        return edges[:-1, None], edges[1:, None]
    sizes = [len(part) for part in np.array_split(np.arange(count), slabs)]
    edges = np.concatenate([[0], np.cumsum(sizes)]) / count
    parts = {size: _cells(size, dim - 1) for size in set(sizes)}
    lows, highs = [], []
    for low, high, size in zip(edges[:-1], edges[1:], sizes, strict=True):
        lows.append(np.column_stack([np.full(size, low), parts[size][0]]))
        highs.append(np.column_stack([np.full(size, high), parts[size][1]]))
    return np.concatenate(lows), np.concatenate(highs)


ALL: dict[str, type[Nodes]] = {
    "uniform": Uniform,
    "jittered": Jittered,
    "clustered": Clustered,
    "gappy": Gappy,
    "uneven": Uneven,
    "stride": Stride,
}
"""Classes of designs, by their names in specs."""
