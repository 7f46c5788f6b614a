"""Bases on the interval [-1, 1]: Legendre polynomials and Slepian functions."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from errsrc.bases.basis import Array, Basis
from errsrc.bases.memory import check_memory
from errsrc.fields import integer, number


@dataclass(frozen=True)
class _IntervalBasis(Basis):
    """A basis on the interval [-1, 1] with the uniform distribution."""

    @property
    def domain(self) -> tuple[Any, ...]:
        """The interval with the uniform distribution."""
        return ("interval",)

    @property
    def dim(self) -> int:
        """Number of coordinates of an input: 1."""
        return 1

    @property
    def accepted_inputs(self) -> str:
        """Description of a valid input for error messages: numbers from -1 to 1."""
        return "numbers from -1 to 1"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points x (N, 1) are in [-1, 1], bool (N,)."""
        return np.abs(x[:, 0]) <= 1

    def place(self, u: Array) -> Array:
        """Return 2 u - 1, (N, 1)."""
        return 2 * u - 1

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return the order + 1 points (Q, 1) of Gauss-Legendre quadrature, and their weights (Q,)."""
        points, weights = legendre.leggauss(order + 1)
        return points[:, None], weights / 2


@dataclass(frozen=True)
class Legendre(_IntervalBasis):
    """Legendre polynomials sqrt(2 k + 1) P_k on [-1, 1], for all k up to a degree.

    Parameters
    ----------
    degree : int
        The largest k, >= 0.  There are M = degree + 1 polynomials.

    Examples
    --------
    >>> Legendre(2)(np.array([[-1.0], [1.0]])).round(3)
    array([[ 1.   , -1.732,  2.236],
           [ 1.   ,  1.732,  2.236]])
    """

    degree: int = integer(6, at_least=0)

    @property
    def size(self) -> int:
        """M, the number of polynomials."""
        return self.degree + 1

    @property
    def indices(self) -> NDArray[np.int64]:
        """Degree k of each polynomial, int64 (M, 1)."""
        check_memory(1, self.size, "Legendre")
        return super().indices

    @property
    def order(self) -> int:
        """The order of the quadrature, equal to `degree`."""
        return self.degree

    def values(self, x: Array) -> Array:
        """Return the polynomials at x (N, 1), float64 (N, M)."""
        scale = np.sqrt(2 * np.arange(self.degree + 1) + 1)
        return np.asarray(legendre.legvander(x[:, 0], self.degree) * scale)


@dataclass(frozen=True)
class Slepian(_IntervalBasis):
    """The functions with frequencies up to `bandwidth` radians that are most concentrated on [-1, 1].

    The functions are the prolate spheroidal wave functions.  These are the eigenfunctions of the integral
    operator with the sinc kernel sin(c (x - z)) / (pi (x - z)), where c is the bandwidth (Slepian and Pollak
    1961).  About the first 2 c / pi functions carry nearly all energy that a band-limited signal has on the
    interval.  The functions are computed from their Legendre coefficients, which are eigenvectors of a
    tridiagonal matrix (Xiao, Rokhlin and Yarvin 2001, eqs. 62 to 64).

    Parameters
    ----------
    bandwidth : float
        The largest frequency c > 0, in radians for a unit of x.
    count : int
        Number of functions M, >= 1.

    Examples
    --------
    With 2 c / pi = 6.4, the sixth function has most of its energy on the interval, and the ninth function has
    little:

    >>> slepian = Slepian(10.0, 9)
    >>> slepian.concentrations[[0, 5, 8]].round(3)
    array([1.   , 0.825, 0.015])
    """

    size_field: ClassVar[str] = "count"

    bandwidth: float = number(8.0, above=0)
    count: int = integer(7, at_least=1)

    @property
    def size(self) -> int:
        """M, the number of functions."""
        return self.count

    @property
    def family(self) -> tuple[Any, ...]:
        """Class, domain and bandwidth, because bases with different bandwidths have different functions."""
        return (*super().family, self.bandwidth)

    @property
    def order(self) -> int:
        """The order of the quadrature: the degree of the Legendre series that give the functions."""
        return len(_legendre_coefficients(self)) - 1

    @property
    def concentrations(self) -> Array:
        """Share of each function's energy that lies on the interval, float64 (M,).

        The shares are the eigenvalues of the integral operator.  The absolute error of each share is about
        1e-15.
        """
        points, weights = self.quadrature(self.order + round(self.bandwidth) + 8)
        c = self.bandwidth
        sinc = (c / np.pi) * np.sinc(c / np.pi * (points - points.T))
        functions = self.values(points)
        image = sinc @ (2 * weights[:, None] * functions)
        return np.asarray((weights[:, None] * functions * image).sum(0))

    def values(self, x: Array) -> Array:
        """Return the functions at x (N, 1), float64 (N, M)."""
        return Legendre(self.order).values(x) @ _legendre_coefficients(self)


@functools.lru_cache(maxsize=64)
def _legendre_coefficients(slepian: Slepian) -> Array:
    """Return coefficients (K, M) of the functions in the orthonormal Legendre polynomials."""
    c, count = slepian.bandwidth, slepian.count
    length = 2 * (int(math.e * c / 2) // 2) + count + 30 + int(2 * np.sqrt(c))
    k = np.arange(length + length % 2, dtype=np.float64)
    diagonal = k * (k + 1) + c**2 * (2 * k * (k + 1) - 1) / ((2 * k + 3) * (2 * k - 1))
    above = c**2 * (k + 2) * (k + 1) / ((2 * k + 3) * np.sqrt((2 * k + 1) * (2 * k + 5)))
    out = np.zeros((len(k), count))
    for parity in (0, 1):
        wanted = np.arange(parity, count, 2)
        if len(wanted):
            _, vectors = eigh_tridiagonal(diagonal[parity::2], above[parity::2][:-1])
            out[parity::2, wanted] = vectors[:, : len(wanted)]
    # Each function gets the sign that makes it positive at x = 1.  All but the last functions are too small
    # there to show their sign, so it follows from the value or slope at 0 and the number of zeros between.
    value = legendre.legval(0.0, out * np.sqrt(2 * k + 1)[:, None])
    slope = legendre.legval(0.0, legendre.legder(out * np.sqrt(2 * k + 1)[:, None]))
    zeros = np.arange(count) // 2
    out *= np.sign(np.where(np.arange(count) % 2, slope, value)) * (-1.0) ** zeros
    out.setflags(write=False)
    return out
