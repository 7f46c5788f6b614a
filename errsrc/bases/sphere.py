"""Spherical harmonics on the sphere S^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases.basis import Array, Basis, check_memory

OFF = 1e-6  # how far the norm of a point on the sphere may be from 1


@dataclass(frozen=True)
class Sphere(Basis):
    """Real spherical harmonics up to a degree, of unit vectors in three dimensions: M = (degree + 1)^2.

    The index of a harmonic is (l, m): m >= 0 has a cosine of the longitude, m < 0 a sine.

    Attributes
    ----------
    degree
        The largest l, >= 0.

    Examples
    --------
    Degree 1 is sqrt 3 times y, z, x:

    >>> Sphere(1)(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])).round(3)
    array([[1.   , 0.   , 1.732, 0.   ],
           [1.   , 0.   , 0.   , 1.732]])
    """

    degree: int = 3

    def __post_init__(self) -> None:
        checks.integer(self.degree, "degree", "Sphere", 0)

    @property
    def size(self) -> int:
        """M."""
        return (self.degree + 1) ** 2

    @property
    def indices(self) -> NDArray[np.int64]:
        """L and m, int64 (M, 2)."""
        check_memory(2, self.size, "Sphere")
        degrees = np.arange(self.degree + 1)
        l = np.repeat(degrees, 2 * degrees + 1)  # noqa: E741
        return np.stack([l, np.arange(self.size) - l * l - l], axis=1)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Each l, int64 (M,)."""
        return self.indices[:, 0]

    @property
    def order(self) -> int:
        """The degree."""
        return self.degree

    @property
    def domain(self) -> tuple[Any, ...]:
        """The sphere."""
        return ("sphere",)

    @property
    def dim(self) -> int:
        """3."""
        return 3

    @property
    def cube_dim(self) -> int:
        """2."""
        return 2

    @property
    def accepted_inputs(self) -> str:
        """Unit vectors."""
        return "unit vectors"

    def inside(self, x: Array) -> NDArray[np.bool_]:
        """Return whether points have norm 1, within `OFF`."""
        return np.abs(np.linalg.norm(x, axis=1) - 1) <= OFF

    def place(self, u: Array) -> Array:
        """Return the point at height 2 u_1 - 1 and longitude 2 pi u_2."""
        z, angle = 2 * u[:, 0] - 1, 2 * np.pi * u[:, 1]
        radius = np.sqrt(np.maximum(1 - z**2, 0))
        return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)

    def quadrature(self, order: int) -> tuple[Array, Array]:
        """Return Gauss and Legendre's heights times even longitudes."""
        z, weights = np.polynomial.legendre.leggauss(order + 1)
        turns = np.arange(2 * order + 1) / (2 * order + 1)
        u = np.stack(np.meshgrid((z + 1) / 2, turns, indexing="ij"), axis=-1).reshape(-1, 2)
        return self.place(u), np.repeat(weights / 2 / len(turns), len(turns))

    def values(self, x: Array) -> Array:
        """Return the harmonics, by the recursion in l of the normalised associated Legendre functions.

        With r^m (cos m phi, sin m phi) = Re, Im of (x + i y)^m no longitude is needed at the poles.
        """
        degree, z = self.degree, x[:, 2]
        out = np.empty((len(x), self.size))
        turn = np.ones(len(x), dtype=np.complex128)
        start = np.ones(len(x))  # P_m^m / r^m
        for m in range(degree + 1):
            if m:
                turn = turn * (x[:, 0] + 1j * x[:, 1])
                start = start * np.sqrt((2 * m + 1) / (2 * m)) * (np.sqrt(2) if m == 1 else 1.0)
            below, now = np.zeros(len(x)), start
            for l in range(m, degree + 1):  # noqa: E741
                if l > m:
                    a = np.sqrt((2 * l + 1) * (2 * l - 1) / ((l - m) * (l + m)))
                    b = np.sqrt((2 * l + 1) * (l + m - 1) * (l - m - 1) / ((2 * l - 3) * (l - m) * (l + m)))
                    below, now = now, a * z * now - (b * below if l > m + 1 else 0.0)
                out[:, l * l + l + m] = now * turn.real
                if m:
                    out[:, l * l + l - m] = now * turn.imag
        return out
