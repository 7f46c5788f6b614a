"""Spherical harmonics on the sphere S^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc.bases.basis import Array, Basis
from errsrc.bases.memory import check_memory
from errsrc.fields import integer

NORM_TOLERANCE = 1e-6
"""Largest accepted difference between 1 and the norm of a point on the sphere."""


@dataclass(frozen=True)
class Sphere(Basis):
    """Real spherical harmonics up to a degree, as functions of unit vectors in three dimensions.

    There are M = (degree + 1)^2 harmonics.  The index of a harmonic is (l, m).  A harmonic with m >= 0
    contains the cosine of m times the longitude.  A harmonic with m < 0 contains the sine of |m| times the
    longitude.

    Parameters
    ----------
    degree : int
        The largest l, >= 0.

    Examples
    --------
    The three harmonics of degree 1 are sqrt(3) y, sqrt(3) z and sqrt(3) x:

    >>> Sphere(1)(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])).round(3)
    array([[1.   , 0.   , 1.732, 0.   ],
           [1.   , 0.   , 0.   , 1.732]])
    """

    degree: int = integer(3, at_least=0)

    @property
    def size(self) -> int:
        """M, the number of harmonics."""
        return (self.degree + 1) ** 2

    @property
    def indices(self) -> NDArray[np.int64]:
        """The pair (l, m) of each harmonic, int64 (M, 2)."""
        check_memory(2, self.size, "Sphere")
        degrees = np.arange(self.degree + 1)
        l = np.repeat(degrees, 2 * degrees + 1)  # noqa: E741
        return np.stack([l, np.arange(self.size) - l * l - l], axis=1)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Degree l of each harmonic, int64 (M,)."""
        return self.indices[:, 0]

    @property
    def order(self) -> int:
        """The order of the quadrature, equal to `degree`."""
        return self.degree

    @property
    def domain(self) -> tuple[Any, ...]:
        """The sphere with the uniform distribution."""
        return ("sphere",)

    @property
    def dim(self) -> int:
        """Number of coordinates of an input: 3."""
        return 3

    @property
    def cube_dim(self) -> int:
        """Number of coordinates of `place`'s argument: 2, one for the height and one for the longitude."""
        return 2

    @property
    def accepted_inputs(self) -> str:
        """Description of a valid input for error messages: unit vectors."""
        return "unit vectors"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points x (N, 3) have norm 1, up to `NORM_TOLERANCE`, bool (N,)."""
        return np.abs(np.linalg.norm(x, axis=1) - 1) <= NORM_TOLERANCE

    def place(self, u: Array) -> Array:
        """Return points (N, 3) of height 2 u_1 - 1 and longitude 2 pi u_2, for u (N, 2)."""
        z, longitude = 2 * u[:, 0] - 1, 2 * np.pi * u[:, 1]
        radius = np.sqrt(np.maximum(1 - z**2, 0))
        return np.stack([radius * np.cos(longitude), radius * np.sin(longitude), z], axis=1)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return points (Q, 3), Gauss-Legendre in height and evenly spaced in longitude, and weights (Q,)."""
        z, weights = np.polynomial.legendre.leggauss(order + 1)
        turns = np.arange(2 * order + 1) / (2 * order + 1)
        u = np.stack(np.meshgrid((z + 1) / 2, turns, indexing="ij"), axis=-1).reshape(-1, 2)
        return self.place(u), np.repeat(weights / 2 / len(turns), len(turns))

    def values(self, x: Array) -> Array:
        """Return the harmonics at x (N, 3), float64 (N, M).

        The method is a recursion in l.  It computes the normalised associated Legendre functions P_l^m / r^m,
        where r is the distance from the axis.  The numbers r^m cos(m phi) and r^m sin(m phi) are the real and
        the imaginary part of (x + i y)^m.  Therefore the method does not need the longitude phi, which is not
        defined at the poles.
        """
        degree, z = self.degree, x[:, 2]
        out = np.empty((len(x), self.size))
        power = np.ones(len(x), dtype=np.complex128)  # (x + i y)^m
        start = np.ones(len(x))  # P_m^m / r^m
        for m in range(degree + 1):
            if m:
                power = power * (x[:, 0] + 1j * x[:, 1])
                start = start * np.sqrt((2 * m + 1) / (2 * m)) * (np.sqrt(2) if m == 1 else 1.0)
            before, now = np.zeros(len(x)), start
            for l in range(m, degree + 1):  # noqa: E741
                if l > m:
                    a = np.sqrt((2 * l + 1) * (2 * l - 1) / ((l - m) * (l + m)))
                    b = np.sqrt((2 * l + 1) * (l + m - 1) * (l - m - 1) / ((2 * l - 3) * (l - m) * (l + m)))
                    before, now = now, a * z * now - (b * before if l > m + 1 else 0.0)
                out[:, l * l + l + m] = now * power.real
                if m:
                    out[:, l * l + l - m] = now * power.imag
        return out
