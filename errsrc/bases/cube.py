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
from errsrc.bases.basis import Array, Basis
from errsrc.bases.memory import check_memory
from errsrc.fields import integer

MOST_BITS = 20
"""Largest number of bits for which `Cube.quadrature` returns points: all 2^bits vertices of the cube."""


@dataclass(frozen=True)
class Cube(Basis):
    """Products of at most `degree` coordinates of a point of {-1, 1}^bits.

    The index of a product is a row of `bits` numbers: 1 for each coordinate that is a factor, 0 for each
    other coordinate.

    Parameters
    ----------
    bits : int
        Number of coordinates, >= 1.
    degree : int
        Largest number of coordinates in one product, from 0 to `bits`.

    Examples
    --------
    >>> Cube(12, 3).size
    299
    >>> Cube(2, 2)(np.array([[1, -1]]))
    array([[ 1.,  1., -1., -1.]])
    """

    bits: int = integer(3, at_least=1)
    degree: int = integer(2, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.Integer(at_least=0, at_most=self.bits)(self.degree, "degree", "Cube")

    @property
    def size(self) -> int:
        """M, the number of products."""
        return sum(comb(self.bits, k) for k in range(self.degree + 1))

    @property
    def indices(self) -> NDArray[np.int64]:
        """Index of each product, int64 (M, bits): 1 for each coordinate that is a factor, otherwise 0."""
        check_memory(self.bits, self.size, "Cube")
        return _subsets(self)

    @property
    def order(self) -> int:
        """The order of the quadrature, equal to `degree`."""
        return self.degree

    @property
    def domain(self) -> tuple[Any, ...]:
        """The cube of `bits` dimensions with the uniform distribution on its vertices."""
        return ("cube", self.bits)

    @property
    def dim(self) -> int:
        """Number of coordinates of an input, equal to `bits`."""
        return self.bits

    @property
    def continuous_dim(self) -> int:
        """The number 0, because two independent inputs can be the same vertex of the cube."""
        return 0

    @property
    def accepted_inputs(self) -> str:
        """Description of a valid input for error messages: numbers -1 and 1."""
        return "numbers -1 and 1"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether all coordinates of points x (N, bits) are -1 or 1, bool (N,)."""
        return (np.abs(x) == 1).all(1)

    def place(self, u: Array) -> Array:
        """Return -1 for coordinates of u below 1/2 and 1 for all other coordinates, float64 (N, bits)."""
        return np.where(u < 0.5, -1.0, 1.0)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return all vertices of the cube, (Q, bits), and equal weights (Q,); the `order` has no effect.

        Raises
        ------
        ValueError
            If the cube has more than `MOST_BITS` bits.
        """
        if self.bits > MOST_BITS:
            raise ValueError(checks.refusal("bits", "quadrature", f"at most {MOST_BITS}", self.bits))
        bits = (np.arange(2**self.bits)[:, None] >> np.arange(self.bits)) & 1
        return np.asarray(1.0 - 2 * bits), np.full(2**self.bits, 2.0**-self.bits)

    def values(self, x: Array) -> Array:
        """Return the products at points x (N, bits), float64 (N, M)."""
        out = np.empty((len(x), self.size))
        out[:, 0] = 1.0
        column: dict[tuple[int, ...], int] = {(): 0}
        for k in range(1, self.degree + 1):
            for chosen in itertools.combinations(range(self.bits), k):
                column[chosen] = len(column)
                out[:, column[chosen]] = out[:, column[chosen[:-1]]] * x[:, chosen[-1]]
        return out


@functools.lru_cache(maxsize=16)
def _subsets(cube: Cube) -> NDArray[np.int64]:
    """Return the coordinates of each product as 0 and 1, int64 (M, bits)."""
    out = np.zeros((cube.size, cube.bits), dtype=np.int64)
    sets = itertools.chain(*(itertools.combinations(range(cube.bits), k) for k in range(cube.degree + 1)))
    for row, chosen in enumerate(sets):
        out[row, list(chosen)] = 1
    out.setflags(write=False)
    return out
