"""The real Fourier basis on tori."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from math import comb
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import nonuniform
from errsrc.bases.basis import Array, Basis, check_memory

FREQUENCY_SETS = ("box", "simplex", "cross")
"""Lower sets of frequencies."""

MOST_POINTS = 2**26  # of a grid


@dataclass(frozen=True)
class Torus(Basis):
    """Trigonometric polynomials of angles, on [0, 2 pi)^dim, with frequencies in a symmetric lower set.

    Functions are 1, and sqrt 2 cos(k.x), sqrt 2 sin(k.x) for one k of each pair k, -k.  The index of the
    cosine is k, that of the sine is -k, so that indices are the frequencies themselves; k is the one whose
    first coordinate other than 0 is positive.

    Attributes
    ----------
    degree
        The largest frequency, >= 0.
    dim
        Number of angles.
    shape
        Which frequencies belong: "box", max |k_i| <= degree; "simplex", sum |k_i| <= degree; "cross",
        the hyperbolic cross, product of max(1, |k_i|) <= max(1, degree), or k = 0 for degree 0.

    Examples
    --------
    >>> Torus(20).size, Torus(3, 2).size, Torus(4, 5, "cross").size
    (41, 49, 3753)
    >>> Torus(1)(np.array([[0.0], [np.pi]])).round(3)
    array([[ 1.   ,  1.414,  0.   ],
           [ 1.   , -1.414,  0.   ]])
    """

    trigonometric: ClassVar[bool] = True

    degree: int = 3
    dim: int = 1
    shape: str = "box"

    def __post_init__(self) -> None:
        checks.integer(self.degree, "degree", "Torus", 0)
        checks.integer(self.dim, "dim", "Torus", 1)
        checks.choice(self.shape, "shape", "Torus", FREQUENCY_SETS)
        many = self.degree > 2**32 or (self.degree > 0 and self.dim > 25 and self.shape != "simplex")  # 3^dim
        if many or self.size > 2**40:
            accepted = "a degree with at most 2^40 frequencies"
            raise ValueError(checks.refusal("degree", "Torus", accepted, self.degree))

    @property
    def size(self) -> int:
        """M; (2 degree + 1)^dim for a box."""
        if self.shape == "simplex":  # by how many coordinates are not 0
            ways = range(min(self.dim, self.degree) + 1)
            return sum(2**k * comb(self.dim, k) * comb(self.degree, k) for k in ways)
        return (2 * self.degree + 1) ** self.dim if self.shape == "box" else _crossed(self.degree, self.dim)

    @property
    def indices(self) -> NDArray[np.int64]:
        """The frequencies, int64 (M, dim), by degree, each cosine before its sine."""
        check_memory(self.dim, self.size, "Torus")
        return _frequencies(self)

    @property
    def order(self) -> int:
        """The degree."""
        return self.degree

    @property
    def domain(self) -> tuple[Any, ...]:
        """The torus of that many dimensions."""
        return ("torus", self.dim)

    @property
    def accepted_inputs(self) -> str:
        """Angles."""
        return "angles in radians"

    def place(self, u: Array) -> Array:
        """Return 2 pi u."""
        return 2 * np.pi * u

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return the even grid of (2 order + 1)^dim points.

        Raises
        ------
        ValueError
            For a grid of more than `MOST_POINTS` points.
        """
        if (2 * order + 1) ** self.dim > MOST_POINTS:
            accepted = f"one whose grid in {self.dim} dimensions has at most {MOST_POINTS:,} points"
            raise ValueError(checks.refusal("order", "quadrature", accepted, order))
        axis = 2 * np.pi * np.arange(2 * order + 1) / (2 * order + 1)
        grid = np.stack(np.meshgrid(*[axis] * self.dim, indexing="ij"), axis=-1).reshape(-1, self.dim)
        return grid, np.full(len(grid), 1 / len(grid))

    def values(self, x: Array) -> Array:
        """Return the basis at angles."""
        out = np.empty((len(x), self.size))
        out[:, 0] = 1.0
        angle = x @ self.indices[1::2].T.astype(np.float64)
        np.cos(angle, out=out[:, 1::2])
        np.sin(angle, out=out[:, 2::2])
        out[:, 1:] *= np.sqrt(2)
        return out

    def synthesise(self, x: Array, coefficients: Array) -> Array:
        """Return values of sums of the functions; by a non-uniform transform where there are many."""
        if nonuniform.applies(self) and len(x) * self.size >= 2**24:
            return nonuniform.synthesise(self, x, coefficients)
        return super().synthesise(x, coefficients)


@functools.lru_cache(maxsize=64)
def _frequencies(torus: Torus) -> NDArray[np.int64]:
    degree, dim = torus.degree, torus.dim
    if torus.shape == "box":
        axis = np.arange(-degree, degree + 1)
        all_k = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    else:
        all_k = np.array(list(_lower(degree, dim, torus.shape)), dtype=np.int64).reshape(-1, dim)
    first = np.take_along_axis(all_k, (all_k != 0).argmax(1)[:, None], 1)[:, 0]
    half = all_k[first > 0]
    keys = [half[:, axis] for axis in reversed(range(dim))]
    half = half[np.lexsort([*keys, np.abs(half).sum(1), np.abs(half).max(1)])]
    out = np.zeros((2 * len(half) + 1, dim), dtype=np.int64)
    out[1::2], out[2::2] = half, -half
    out.setflags(write=False)
    return out


@functools.lru_cache(maxsize=2**16)
def _crossed(degree: int, dim: int) -> int:
    """Return the size of a hyperbolic cross, one coordinate at a time, alike ones of it at once."""
    if not degree or not dim:
        return 1
    if dim == 1:
        return 2 * degree + 1
    out, j = _crossed(degree, dim - 1), 1
    while j <= degree and out <= 2**40:  # more are refused
        rest = degree // j
        last = degree // rest
        out += 2 * (last - j + 1) * _crossed(rest, dim - 1)
        j = last + 1
    return out


def _lower(degree: int, dim: int, shape: str) -> list[tuple[int, ...]]:
    """Return the frequencies of a simplex or a cross, coordinate by coordinate."""
    found: list[tuple[tuple[int, ...], int]] = [((), degree)]
    for _ in range(dim):
        grown = []
        for k, left in found:
            for j in range(left + 1):
                rest = left - j if shape == "simplex" else left // max(j, 1)
                grown += [((*k, sign), rest) for sign in ((j, -j) if j else (0,))]
        found = grown
    return list(itertools.chain(k for k, _ in found))
