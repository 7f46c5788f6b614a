"""Designs of nodes: where in a domain the labelled inputs lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from errsrc import checks
from errsrc.settings.setting import Array

GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Nodes:
    """A design of nodes on the unit cube, which a basis places in its domain; a subclass defines `points`."""

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes of the unit cube, float64 (count, dim), in no order."""
        raise TypeError(f"{type(self).__name__} must define points()")


@dataclass(frozen=True)
class Uniform(Nodes):
    """Independent uniform nodes."""

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return uniform nodes."""
        return rng.uniform(size=(count, dim))


@dataclass(frozen=True)
class Jittered(Nodes):
    """One node in each of n cells of equal volume, as nearly cubes as n allows.

    Attributes
    ----------
    amount
        From 0, the middle of each cell (in one dimension, and for a power of an integer in more, a grid),
        to 1, anywhere in it.
    """

    amount: float = 1.0

    def __post_init__(self) -> None:
        checks.number(self.amount, "amount", "Jittered", 0, 1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return a node of each cell."""
        low, high = _cells(count, dim)
        share = 0.5 + self.amount * (rng.uniform(size=(count, dim)) - 0.5)
        return low + share * (high - low)


@dataclass(frozen=True)
class Clustered(Nodes):
    """Nodes around a few centres, normally distributed, the cube's faces being joined.

    Attributes
    ----------
    clusters
        Number of centres, which are uniform themselves.
    width
        Standard deviation in each coordinate, > 0.
    """

    clusters: int = 5
    width: float = 0.02

    def __post_init__(self) -> None:
        checks.integer(self.clusters, "clusters", "Clustered", 1)
        checks.number(self.width, "width", "Clustered", 0, open_low=True)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes about centres."""
        centres = rng.uniform(size=(self.clusters, dim))[rng.integers(self.clusters, size=count)]
        return (centres + self.width * rng.standard_normal((count, dim))) % 1.0


@dataclass(frozen=True)
class Gappy(Nodes):
    """Uniform nodes outside a gap.

    Attributes
    ----------
    gap
        Share of the first coordinate, from its beginning, that is left out; in [0, 1).
    """

    gap: float = 0.2

    def __post_init__(self) -> None:
        checks.number(self.gap, "gap", "Gappy", 0, 1, open_high=True)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes outside the gap."""
        u = rng.uniform(size=(count, dim))
        u[:, 0] = self.gap + (1 - self.gap) * u[:, 0]
        return u


@dataclass(frozen=True)
class Uneven(Nodes):
    """Independent nodes of density 1 + contrast cos(2 pi u) along the first coordinate u.

    Attributes
    ----------
    contrast
        From 0, uniform, to 1, no density at u = 1/2.
    """

    contrast: float = 0.9

    def __post_init__(self) -> None:
        checks.number(self.contrast, "contrast", "Uneven", 0, 1)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return nodes, by rejection."""
        kept = np.empty((0, dim))
        while len(kept) < count:
            u = rng.uniform(size=(2 * count + 8, dim))
            density = 1 + self.contrast * np.cos(2 * np.pi * u[:, 0])
            kept = np.concatenate([kept, u[rng.uniform(0, 1 + self.contrast, len(u)) < density]])
        return kept[:count]


@dataclass(frozen=True)
class Stride(Nodes):
    """Nodes on a circle at equal strides: t step, t = 0, ..., n - 1, from a start drawn uniformly.

    The samples of a function with few frequencies k at them are a sum of few powers of exp(2 pi i k step),
    which `errsrc.learners.MatrixPencil` recovers from about two samples a frequency.

    Attributes
    ----------
    step
        Length of a stride in turns, in (0, 1); the golden section tells all frequencies apart, 1 / M those
        up to (M - 1) / 2.
    """

    step: float = GOLDEN

    def __post_init__(self) -> None:
        checks.number(self.step, "step", "Stride", 0, 1, open_low=True, open_high=True)

    def points(self, count: int, dim: int, rng: np.random.Generator) -> Array:
        """Return the nodes, float64 (count, 1), in their order.

        Raises
        ------
        ValueError
            For more than one dimension.
        """
        if dim != 1:
            raise ValueError(checks.refusal("nodes", "Stride", "those of one coordinate", f"<dim = {dim}>"))
        return np.asarray((rng.uniform() + np.arange(count) * self.step) % 1.0)[:, None]


def _cells(count: int, dim: int) -> tuple[Array, Array]:
    """Return the corners of ``count`` boxes of equal volume that fill the unit cube."""
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
"""Designs by the name that specs have for them."""
