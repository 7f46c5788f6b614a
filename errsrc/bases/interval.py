"""Bases on the interval [-1, 1]: Legendre polynomials and Slepian functions."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from errsrc import checks
from errsrc.bases.basis import Array, Basis, check_memory


@dataclass(frozen=True)
class _Interval(Basis):
    """What bases on the interval have in common."""

    @property
    def domain(self) -> tuple[Any, ...]:
        """The interval."""
        return ("interval",)

    @property
    def dim(self) -> int:
        """1."""
        return 1

    @property
    def accepted_inputs(self) -> str:
        """Numbers from -1 to 1."""
        return "numbers from -1 to 1"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points are in [-1, 1]."""
        return np.abs(x[:, 0]) <= 1

    def place(self, u: Array) -> Array:
        """Return 2 u - 1."""
        return 2 * u - 1

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return Gauss and Legendre's order + 1 points."""
        points, weights = legendre.leggauss(order + 1)
        return points[:, None], weights / 2


@dataclass(frozen=True)
class Legendre(_Interval):
    """Polynomials on [-1, 1] up to a degree: sqrt(2 k + 1) P_k.

    Attributes
    ----------
    degree
        The largest degree, >= 0; M is one more.

    Examples
    --------
    >>> Legendre(2)(np.array([[-1.0], [1.0]])).round(3)
    array([[ 1.   , -1.732,  2.236],
           [ 1.   ,  1.732,  2.236]])
    """

    degree: int = 6

    def __post_init__(self) -> None:
        checks.integer(self.degree, "degree", "Legendre", 0)

    @property
    def size(self) -> int:
        """M."""
        return self.degree + 1

    @property
    def indices(self) -> NDArray[np.int64]:
        """Degrees, int64 (M, 1)."""
        check_memory(1, self.size, "Legendre")
        return np.arange(self.degree + 1)[:, None]

    @property
    def order(self) -> int:
        """The degree."""
        return self.degree

    def values(self, x: Array) -> Array:
        """Return the polynomials."""
        scale = np.sqrt(2 * np.arange(self.degree + 1) + 1)
        return np.asarray(legendre.legvander(x[:, 0], self.degree) * scale)


@dataclass(frozen=True)
class Slepian(_Interval):
    """The functions best concentrated on [-1, 1] of all with frequencies up to ``bandwidth`` radians.

    Prolate spheroidal wave functions, eigenfunctions of the integral operator of the sinc kernel
    sin(c (x - z)) / (pi (x - z)), c the bandwidth (Slepian and Pollak 1961); about 2 c / pi of them carry
    all that a band-limited signal shows on the interval.  Computed from their Legendre coefficients, the
    eigenvectors of a tridiagonal matrix (Xiao, Rokhlin and Yarvin 2001, eq. 62 to 64).

    Attributes
    ----------
    bandwidth
        c > 0: the largest frequency, in radians for a unit of x.
    count
        M, the number of functions, >= 1.

    Examples
    --------
    With 2 c / pi = 6.4, the sixth function has most of its energy on the interval and the ninth little:

    >>> slepian = Slepian(10.0, 9)
    >>> slepian.concentrations[[0, 5, 8]].round(3)
    array([1.   , 0.825, 0.015])
    """

    size_field: ClassVar[str] = "count"

    bandwidth: float = 8.0
    count: int = 7

    def __post_init__(self) -> None:
        checks.number(self.bandwidth, "bandwidth", "Slepian", 0, open_low=True)
        checks.integer(self.count, "count", "Slepian", 1)

    @property
    def indices(self) -> NDArray[np.int64]:
        """Positions by concentration, int64 (M, 1)."""
        return np.arange(self.count)[:, None]

    @property
    def family(self) -> tuple[Any, ...]:
        """Functions of another bandwidth are others."""
        return (*super().family, self.bandwidth)

    @property
    def order(self) -> int:
        """The degree of the polynomials that they are computed as."""
        return len(_prolate(self)) - 1

    @property
    def concentrations(self) -> Array:
        """Share of each function's energy that is on the interval, float64 (M,): the operator's eigenvalues.

        Resolved to rounding of the largest, 1e-15.
        """
        points, weights = self.quadrature(self.order + round(self.bandwidth) + 8)
        c = self.bandwidth
        sinc = (c / np.pi) * np.sinc(c / np.pi * (points - points.T))
        functions = self.values(points)
        image = sinc @ (2 * weights[:, None] * functions)
        return np.asarray((weights[:, None] * functions * image).sum(0))

    def values(self, x: Array) -> Array:
        """Return the functions."""
        return Legendre(self.order).values(x) @ _prolate(self)


@functools.lru_cache(maxsize=64)
def _prolate(slepian: Slepian) -> Array:
    """Return Legendre coefficients of the functions, (K, M), in the orthonormal polynomials."""
    c, count = slepian.bandwidth, slepian.count
    most = 2 * (int(np.e * c / 2) // 2) + count + 30 + int(2 * np.sqrt(c))
    k = np.arange(most + most % 2, dtype=np.float64)
    diagonal = k * (k + 1) + c**2 * (2 * k * (k + 1) - 1) / ((2 * k + 3) * (2 * k - 1))
    above = c**2 * (k + 2) * (k + 1) / ((2 * k + 3) * np.sqrt((2 * k + 1) * (2 * k + 5)))
    out = np.zeros((len(k), count))
    for parity in (0, 1):
        wanted = np.arange(parity, count, 2)
        if len(wanted):
            _, vectors = eigh_tridiagonal(diagonal[parity::2], above[parity::2][:-1])
            out[parity::2, wanted] = vectors[:, : len(wanted)]
    # Positive at x = 1, where all but the last are too small to tell: by the middle, and the zeros between.
    flat = legendre.legval(0.0, out * np.sqrt(2 * k + 1)[:, None])
    slope = legendre.legval(0.0, legendre.legder(out * np.sqrt(2 * k + 1)[:, None]))
    zeros = np.arange(count) // 2
    out *= np.sign(np.where(np.arange(count) % 2, slope, flat)) * (-1.0) ** zeros
    out.setflags(write=False)
    return out
