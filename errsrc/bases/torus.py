"""The real Fourier basis on tori."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from math import comb
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import nonuniform
from errsrc.bases.basis import Array, Basis
from errsrc.bases.memory import check_memory
from errsrc.fields import choice, integer

FREQUENCY_SETS = ("box", "simplex", "cross")
"""Names of the sets of frequencies that a torus can have."""

MOST_POINTS = 2**26
"""Largest number of points of the grid that `Torus.quadrature` returns."""

MOST_FREQUENCIES = 2**40
"""Largest number of frequencies of a torus."""


@dataclass(frozen=True)
class Torus(Basis):
    """Trigonometric polynomials of angles in [0, 2 pi)^dim, with frequencies up to a degree.

    One function is the constant 1.  For each pair of frequencies k, -k there are two functions, sqrt(2)
    cos(k.x) and sqrt(2) sin(k.x).  Of the two frequencies of a pair, k is the one whose first nonzero
    coordinate is positive.  The index of the cosine is k, and the index of the sine is -k.  Therefore the
    indices are all frequencies of the set that `shape` names.

    Parameters
    ----------
    degree : int
        The largest frequency, >= 0.
    dim : int
        Number of angles, >= 1.
    shape : str
        Name of the set of frequencies k.  "box": max |k_i| <= degree.  "simplex": sum |k_i| <= degree.
        "cross", the hyperbolic cross: product of max(1, |k_i|) <= degree.  For degree 0, each set contains
        only k = 0.

    Examples
    --------
    >>> Torus(20).size, Torus(3, 2).size, Torus(4, 5, "cross").size
    (41, 49, 3753)
    >>> Torus(1)(np.array([[0.0], [np.pi]])).round(3)
    array([[ 1.   ,  1.414,  0.   ],
           [ 1.   , -1.414,  0.   ]])
    """

    trigonometric: ClassVar[bool] = True

    degree: int = integer(3, at_least=0)
    dim: int = integer(1, at_least=1)
    shape: str = choice("box", FREQUENCY_SETS)

    def __post_init__(self) -> None:
        super().__post_init__()
        # Without this bound, counting the frequencies would take too long: a simplex is counted at once.
        too_many = self.degree > 2**32 or (self.degree > 0 and self.dim > 25 and self.shape != "simplex")
        if too_many or self.size > MOST_FREQUENCIES:
            accepted = "a degree with at most 2^40 frequencies"
            raise ValueError(checks.refusal("degree", "Torus", accepted, self.degree))

    @property
    def size(self) -> int:
        """M, the number of frequencies; (2 degree + 1)^dim for a box."""
        if self.shape == "simplex":  # summed over k, the number of coordinates that are not 0
            counts = range(min(self.dim, self.degree) + 1)
            return sum(2**k * comb(self.dim, k) * comb(self.degree, k) for k in counts)
        return (
            (2 * self.degree + 1) ** self.dim if self.shape == "box" else _cross_size(self.degree, self.dim)
        )

    @property
    def indices(self) -> NDArray[np.int64]:
        """Frequencies of the functions, int64 (M, dim), in order of degree, each cosine before its sine."""
        check_memory(self.dim, self.size, "Torus")
        return _frequencies(self)

    @property
    def order(self) -> int:
        """The order of the quadrature, equal to `degree`."""
        return self.degree

    @property
    def domain(self) -> tuple[Any, ...]:
        """The torus of `dim` dimensions with the uniform distribution."""
        return ("torus", self.dim)

    @property
    def accepted_inputs(self) -> str:
        """Description of a valid input for error messages: angles in radians."""
        return "angles in radians"

    def place(self, u: Array) -> Array:
        """Return the angles 2 pi u (N, dim)."""
        return 2 * np.pi * u

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return an evenly spaced grid of Q = (2 order + 1)^dim points, (Q, dim), and equal weights (Q,).

        Raises
        ------
        ValueError
            If the grid would have more than `MOST_POINTS` points.
        """
        if (2 * order + 1) ** self.dim > MOST_POINTS:
            accepted = f"one whose grid in {self.dim} dimensions has at most {MOST_POINTS:,} points"
            raise ValueError(checks.refusal("order", "quadrature", accepted, order))
        axis = 2 * np.pi * np.arange(2 * order + 1) / (2 * order + 1)
        grid = np.stack(np.meshgrid(*[axis] * self.dim, indexing="ij"), axis=-1).reshape(-1, self.dim)
        return grid, np.full(len(grid), 1 / len(grid))

    def values(self, x: Array) -> Array:
        """Return cosines and sines at angles x (N, dim), float64 (N, M)."""
        out = np.empty((len(x), self.size))
        out[:, 0] = 1.0
        angle = x @ self.indices[1::2].T.astype(np.float64)
        np.cos(angle, out=out[:, 1::2])
        np.sin(angle, out=out[:, 2::2])
        out[:, 1:] *= np.sqrt(2)
        return out

    def synthesise(self, x: Array, coefficients: Array) -> Array:
        """Return ``values(x) @ coefficients``, (N,) or (N, outputs).

        For at most three angles and N M >= 2^24, a fast transform computes the sums.
        """
        if nonuniform.applies(self) and len(x) * self.size >= 2**24:
            return nonuniform.synthesise(self, x, coefficients)
        return super().synthesise(x, coefficients)


@functools.lru_cache(maxsize=64)
def _frequencies(torus: Torus) -> NDArray[np.int64]:
    """Return the frequencies (M, dim): 0, then k and -k in turn, sorted by max |k_i|, sum |k_i| and k."""
    degree, dim = torus.degree, torus.dim
    if torus.shape == "box":
        axis = np.arange(-degree, degree + 1)
        all_k = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    else:
        all_k = np.array(_lower_set(degree, dim, torus.shape), dtype=np.int64).reshape(-1, dim)
    first_nonzero = np.take_along_axis(all_k, (all_k != 0).argmax(1)[:, None], 1)[:, 0]
    half = all_k[first_nonzero > 0]
    keys = [half[:, axis] for axis in reversed(range(dim))]
    half = half[np.lexsort([*keys, np.abs(half).sum(1), np.abs(half).max(1)])]
    out = np.zeros((2 * len(half) + 1, dim), dtype=np.int64)
    out[1::2], out[2::2] = half, -half
    out.setflags(write=False)
    return out


@functools.lru_cache(maxsize=2**16)
def _cross_size(degree: int, dim: int) -> int:
    """Return the number of frequencies of a hyperbolic cross, or any number above `MOST_FREQUENCIES`.

    Let j be the last coordinate.  The number is the sum over j of the sizes of crosses of one dimension less,
    with the degree degree // max(1, |j|).  All j with the same degree // |j| are counted at once.
    """
    if not degree or not dim:
        return 1
    if dim == 1:
        return 2 * degree + 1
    out, j = _cross_size(degree, dim - 1), 1
    while j <= degree and out <= MOST_FREQUENCIES:
        rest = degree // j
        last = degree // rest
        out += 2 * (last - j + 1) * _cross_size(rest, dim - 1)
        j = last + 1
    return out


def _lower_set(degree: int, dim: int, shape: str) -> list[tuple[int, ...]]:
    """Return the frequencies of a simplex or a hyperbolic cross, built coordinate by coordinate."""
    found: list[tuple[tuple[int, ...], int]] = [((), degree)]  # with the degree left for later coordinates
    for _ in range(dim):
        longer = []
        for k, left in found:
            for j in range(left + 1):
                rest = left - j if shape == "simplex" else left // max(j, 1)
                longer += [((*k, signed), rest) for signed in ((j, -j) if j else (0,))]
        found = longer
    return [k for k, _ in found]
