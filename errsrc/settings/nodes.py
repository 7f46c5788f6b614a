"""Designs of nodes: ways to place labelled inputs in a domain."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from errsrc import checks
from errsrc.fields import Checked, integer, number
from errsrc.settings.setting import Array

GOLDEN = (5**0.5 - 1) / 2
"""The golden section; at nodes with this distance, no two frequencies have the same values."""


@dataclass(frozen=True)
class Nodes(Checked, abc.ABC):
    """A design of nodes (labelled inputs).

    It draws points of the unit cube.  A basis maps these points into its domain.

    A subclass defines `points`.
    """

    uniform: ClassVar[bool] = False
    """Whether the nodes are independent and uniform, so that a basis draws the inputs itself."""

    @abc.abstractmethod
    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Draw nodes in the unit cube.

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
            The nodes, float64 (count, dim), in no particular order.  Each coordinate is in [0, 1).
        """


@dataclass(frozen=True)
class Uniform(Nodes):
    """A design of nodes (labelled inputs) that are independent and uniform on the cube."""

    uniform: ClassVar[bool] = True

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return uniform nodes, see `Nodes.points`."""
        return rng.uniform(size=(count, dim))


@dataclass(frozen=True)
class Jittered(Nodes):
    """A design with one node (labelled input) in each of n boxes of equal volume that fill the cube.

    The boxes are as close to cubes as n allows.

    Parameters
    ----------
    amount : float
        Length of each side of the region that a node is drawn from, as a share of its box's side, in [0, 1].
        The region is in the middle of the box.  With 0, each node is the centre of its box.  In one
        dimension, the nodes then form a grid.  In d dimensions, they form a grid if n is the d-th power of an
        integer.  With 1, a node may be anywhere in its box.
    """

    amount: float = number(1.0, at_least=0, at_most=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return a node in each of `count` boxes, see `Nodes.points`."""
        low, high = _cells(count, dim)
        share = 0.5 + self.amount * (rng.uniform(size=(count, dim)) - 0.5)
        return low + share * (high - low)


@dataclass(frozen=True)
class Clustered(Nodes):
    """A design of nodes (labelled inputs) that are normally distributed around a few centres.

    A node that would lie outside the cube enters again at the opposite face.

    Parameters
    ----------
    clusters : int
        Number of centres, which are drawn uniformly, >= 1.
    width : float
        Standard deviation of the nodes around their centre, in each coordinate, > 0.
    """

    clusters: int = integer(5, at_least=1)
    width: float = number(0.02, above=0)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes around the centres, see `Nodes.points`."""
        centres = rng.uniform(size=(self.clusters, dim))[rng.integers(self.clusters, size=count)]
        return (centres + self.width * rng.standard_normal((count, dim))) % 1.0


@dataclass(frozen=True)
class Gappy(Nodes):
    """A design of independent nodes (labelled inputs) that are uniform on the part of the cube outside a gap.

    Parameters
    ----------
    gap : float
        Width of the gap, in [0, 1): no node has a first coordinate below `gap`.
    """

    gap: float = number(0.2, at_least=0, below=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes outside the gap, see `Nodes.points`."""
        u = rng.uniform(size=(count, dim))
        u[:, 0] = self.gap + (1 - self.gap) * u[:, 0]
        return u


@dataclass(frozen=True)
class Uneven(Nodes):
    """A design of independent nodes (labelled inputs) with an uneven density.

    The density of the first coordinate u is 1 + contrast cos(2 pi u).

    Parameters
    ----------
    contrast : float
        Contrast of the density, in [0, 1].  With 0, the nodes are uniform.  With 1, the density at u = 1/2 is
        0.
    """

    contrast: float = number(0.9, at_least=0, at_most=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes drawn by rejection sampling, see `Nodes.points`."""
        kept = np.empty((0, dim))
        while len(kept) < count:
            u = rng.uniform(size=(2 * count + 8, dim))
            density = 1 + self.contrast * np.cos(2 * np.pi * u[:, 0])
            kept = np.concatenate([kept, u[rng.uniform(0, 1 + self.contrast, len(u)) < density]])
        return kept[:count]


@dataclass(frozen=True)
class Stride(Nodes):
    """A design of nodes (labelled inputs) at equal distances on a circle: start + t step, t = 0, ..., n - 1.

    The start is drawn uniformly.  If a function has the frequencies k, its value at node t is a weighted sum
    of the powers exp(2 pi i k step)^t.  `errsrc.learners.MatrixPencil` recovers the frequencies from about
    two labels for each frequency.

    Parameters
    ----------
    step : float
        Distance between successive nodes in turns of the circle, in (0, 1).  The default is the golden
        section.  With the default, no two frequencies have the same values at the nodes.  With the step 1 /
        M, this is true only for frequencies up to (M - 1) / 2.
    """

    step: float = number(GOLDEN, above=0, below=1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return the nodes in the order t = 0, ..., n - 1, see `Nodes.points`.

        Raises
        ------
        ValueError
            If `dim` is not 1.
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
