"""What a basis is: orthonormal functions on a domain, the first M of which span a band."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from errsrc import checks

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Basis:
    """M functions on a domain, orthonormal under its uniform distribution, simple ones first.

    A subclass is a frozen dataclass of plain numbers that defines `indices`, `order`, `domain`, `dim`,
    `place`, `values` and `quadrature`.
    """

    size_field: ClassVar[str] = "degree"
    """The field in which a basis grows: "degree", from 0 on, or "count", from 1 on."""

    trigonometric: ClassVar[bool] = False
    """Whether the functions are trigonometric, so that fast transforms apply (`errsrc.bases.nonuniform`).

    Inputs are then angles in radians, and `indices` are frequencies (M, dim): first 0, whose function is 1,
    then k and -k in turn, whose functions are sqrt(2) cos(k.x) and sqrt(2) sin(k.x).
    """

    @property
    def indices(self) -> NDArray[np.int64]:
        """What tells the functions apart, int64 (M, ...), see `family`."""
        raise TypeError(f"{type(self).__name__} must define indices")

    @property
    def size(self) -> int:
        """M, the number of functions."""
        return len(self.indices)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """The degree of each function, int64 (M,), which grows as it oscillates more."""
        return np.abs(self.indices).reshape(self.size, -1).sum(1)

    @property
    def order(self) -> int:
        """The degree in one coordinate up to which `quadrature` must go for squares of this basis."""
        raise TypeError(f"{type(self).__name__} must define order")

    @property
    def nested(self) -> tuple[Self, ...]:
        """The bases of lower degree or count, each within the next, and this one last."""
        first = 0 if self.size_field == "degree" else 1
        sizes = range(first, getattr(self, self.size_field) + 1)
        return tuple(replace(self, **{self.size_field: size}) for size in sizes)

    @property
    def domain(self) -> tuple[Any, ...]:
        """What tells the space of inputs from others."""
        raise TypeError(f"{type(self).__name__} must define domain")

    @property
    def family(self) -> tuple[Any, ...]:
        """What bases have in common in which the same index is the same function."""
        return (type(self).__name__, self.domain)

    @property
    def dim(self) -> int:
        """Number of columns of an input."""
        raise TypeError(f"{type(self).__name__} must define dim")

    @property
    def cube_dim(self) -> int:
        """Number of coordinates of `place`."""
        return self.dim

    @property
    def continuous_dim(self) -> int:
        """Number of coordinates of an input that vary continuously; 0 where independent inputs can repeat."""
        return self.cube_dim

    def place(self, u: Array) -> Array:
        """Return inputs (N, dim) for points u of the unit cube (N, cube_dim), uniform for uniform."""
        raise TypeError(f"{type(self).__name__} must define place()")

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs uniformly, float64 (count, dim)."""
        return self.place(rng.uniform(size=(count, self.cube_dim)))

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs to test at, float64 (count, dim): as `draw` does, unless a basis keeps some for it."""
        return self.draw(count, rng)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return points (Q, dim) and weights (Q,) that integrate products of two functions of that order.

        The weights sum to 1.
        """
        raise TypeError(f"{type(self).__name__} must define quadrature()")

    def values(self, x: Array) -> Array:
        """Return the functions at x (N, dim), float64 (N, M), without checks."""
        raise TypeError(f"{type(self).__name__} must define values()")

    def synthesise(self, x: Array, coefficients: Array) -> Array:
        """Return values (N,) or (N, outputs) at x (N, dim) of sums of the functions, without checks."""
        block = max(1, 2**24 // self.size)
        parts = [self.values(x[i : i + block]) @ coefficients for i in range(0, len(x), block)]
        return np.concatenate(parts) if parts else np.zeros((0, *coefficients.shape[1:]))

    def check_inputs(self, x: Any) -> Array:
        """Return inputs as float64 (N, dim).

        Raises
        ------
        ValueError
            For another shape, numbers that are not finite, and points outside the domain.
        """
        array = np.asarray(x)
        where, accepted = type(self).__name__, f"{self.accepted_inputs} of shape (N, {self.dim})"
        if array.dtype.kind not in "iuf" or array.ndim != 2 or array.shape[1] != self.dim:
            raise ValueError(checks.refusal("x", where, accepted, f"<{array.dtype} of shape {array.shape}>"))
        if not np.isfinite(array).all():
            raise ValueError(checks.refusal("x", where, "finite", "<nan or inf>"))
        array = array.astype(np.float64, copy=False)
        outside = ~self.inside(array)
        if outside.any():
            raise ValueError(checks.refusal("x", where, accepted, f"<{array[outside][0].tolist()}>"))
        return array

    @property
    def accepted_inputs(self) -> str:
        """What inputs are, in words."""
        return "numbers"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether each point is in the domain, bool (N,)."""
        return np.ones(len(x), dtype=bool)

    def __call__(self, x: Any) -> Array:
        """Return the functions at x (N, dim), float64 (N, M).

        Raises
        ------
        ValueError
            As `check_inputs`, and where the result would not fit into memory.
        """
        x = self.check_inputs(x)
        check_memory(len(x), self.size, type(self).__name__)
        return self.values(x)


@dataclass(frozen=True, eq=False)
class BandFunction:
    """A function in a band, by its coefficients.

    Attributes
    ----------
    basis
        The band.
    coefficients
        float64 (M,), or (M, outputs).

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> f = BandFunction(Torus(1), np.array([1.0, np.sqrt(0.5), 0.0]))  # 1 + cos x
    >>> f(np.array([[0.0], [np.pi]])).round(9) + 0.0
    array([2., 0.])
    """

    basis: Basis
    coefficients: Array

    def __call__(self, x: Array) -> Array:
        """Return the values at x (N, dim): float64 (N,), or (N, outputs)."""
        return self.basis.synthesise(self.basis.check_inputs(x), self.coefficients)

    def distance(self, other: BandFunction) -> float:
        """Return the mean squared difference over the domain, summed over outputs (Parseval).

        Raises
        ------
        ValueError
            For functions in bases of two families.
        """
        if self.basis == other.basis:
            return float(((self.coefficients - other.coefficients) ** 2).sum())
        mine, theirs = shared_positions(self.basis, other.basis)
        own, others = self.coefficients[mine], other.coefficients[theirs]
        left = np.delete(self.coefficients, mine, axis=0), np.delete(other.coefficients, theirs, axis=0)
        return float(((own - others) ** 2).sum() + sum((each**2).sum() for each in left))


def shared_positions(one: Basis, other: Basis) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the functions that two bases share stand in each, two arrays (shared functions,).

    Parameters
    ----------
    one, other
        Bases of one family, in which the same index is the same function.

    Raises
    ------
    ValueError
        For bases of two families.
    """
    if one.family != other.family:
        accepted = f"a basis of the family of {one!r}"
        raise ValueError(checks.refusal("other", "shared_positions", accepted, other))
    if one == other:
        return np.arange(one.size), np.arange(one.size)
    places = {tuple(row): k for k, row in enumerate(other.indices.reshape(other.size, -1).tolist())}
    found = [places.get(tuple(row), -1) for row in one.indices.reshape(one.size, -1).tolist()]
    theirs = np.array(found, dtype=np.intp)
    return np.flatnonzero(theirs >= 0), theirs[theirs >= 0]


def check_memory(rows: int, columns: int, where: str) -> None:
    """Refuse a basis whose float64 matrix, rows x columns, is larger than half the machine's memory."""
    most = machine_memory() / 2
    if 8 * rows * columns > most:
        accepted = f"one whose {rows} x M matrix fits into {most / 2**30:.0f} GiB"
        got = f"<M = {columns}, {8 * rows * columns // 2**30:,} GiB>"
        raise ValueError(checks.refusal("basis", where, accepted, got))


def machine_memory() -> float:
    """Return the machine's memory in bytes; inf on systems that do not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return math.inf
