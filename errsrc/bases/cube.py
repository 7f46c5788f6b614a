"""Walsh functions on the Boolean cube."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases.basis import Array, Basis, check_memory

MOST_BITS = 20  # for quadrature, which is all of the cube


@dataclass(frozen=True)
class Cube(Basis):
    """Products of at most ``degree`` of the coordinates of {-1, 1}^bits: low-degree polynomials.

    The index of a product is 1 for the coordinates in it, and 0 for the others.

    Attributes
    ----------
    bits
        Number of coordinates, >= 1.
    degree
        The most coordinates in one product, from 0 to ``bits``.

    Examples
    --------
    >>> Cube(12, 3).size
    299
    >>> Cube(2, 2)(np.array([[1, -1]]))
    array([[ 1.,  1., -1., -1.]])
    """

    bits: int = 3
    degree: int = 2

    def __post_init__(self) -> None:
        checks.integer(self.bits, "bits", "Cube", 1)
        checks.integer(self.degree, "degree", "Cube", 0, self.bits)

    @property
    def size(self) -> int:
        """M."""
        return sum(comb(self.bits, k) for k in range(self.degree + 1))

    @property
    def indices(self) -> NDArray[np.int64]:
        """Which coordinates are in each product, int64 (M, bits)."""
        check_memory(self.bits, self.size, "Cube")
        return _subsets(self)

    @property
    def order(self) -> int:
        """The degree."""
        return self.degree

    @property
    def domain(self) -> tuple[Any, ...]:
        """The cube of that many bits."""
        return ("cube", self.bits)

    @property
    def dim(self) -> int:
        """Number of bits."""
        return self.bits

    @property
    def continuous_dim(self) -> int:
        """0: inputs are vertices of the cube, which repeat."""
        return 0

    @property
    def accepted_inputs(self) -> str:
        """Signs."""
        return "numbers -1 and 1"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether all coordinates are -1 or 1."""
        return (np.abs(x) == 1).all(1)

    def place(self, u: Array) -> Array:
        """Return the signs of u - 1/2."""
        return np.where(u < 0.5, -1.0, 1.0)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return all points of the cube.

        Raises
        ------
        ValueError
            For a cube of more than `MOST_BITS` bits.
        """
        if self.bits > MOST_BITS:
            raise ValueError(checks.refusal("bits", "quadrature", f"at most {MOST_BITS}", self.bits))
        bits = (np.arange(2**self.bits)[:, None] >> np.arange(self.bits)) & 1
        return np.asarray(1.0 - 2 * bits), np.full(2**self.bits, 2.0**-self.bits)

    def values(self, x: Array) -> Array:
        """Return the products; a product's first factors are one that stands before it."""
        out = np.empty((len(x), self.size))
        out[:, 0] = 1.0
        places: dict[tuple[int, ...], int] = {(): 0}
        for k in range(1, self.degree + 1):
            for chosen in itertools.combinations(range(self.bits), k):
                places[chosen] = len(places)
                out[:, places[chosen]] = out[:, places[chosen[:-1]]] * x[:, chosen[-1]]
        return out


@functools.lru_cache(maxsize=16)
def _subsets(cube: Cube) -> NDArray[np.int64]:
    out = np.zeros((cube.size, cube.bits), dtype=np.int64)
    sets = itertools.chain(*(itertools.combinations(range(cube.bits), k) for k in range(cube.degree + 1)))
    for row, chosen in enumerate(sets):
        out[row, list(chosen)] = 1
    out.setflags(write=False)
    return out
