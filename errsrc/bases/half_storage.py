"""Half storage: the Fourier coefficients of a real trigonometric polynomial, without the conjugate half.

A real function has complex coefficients c_k of exp(i k.x), and ``c_-k`` is the conjugate of c_k.  Therefore
the coefficients with k_1 >= 0 determine the function.  Half storage is the array of these coefficients, with
axes in the order k_dim, ..., k_1.  Each axis except the last has 2 degree + 1 entries in the order of a
discrete Fourier transform: 0, 1, ..., degree, -degree, ..., -1.  The last axis has the entries 0, ...,
degree.  Both ``c_k`` and ``c_-k`` are stored only for frequencies with k_1 = 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from errsrc.bases.basis import Array, Basis

Complex = NDArray[np.complex128]


def to_half(basis: Basis, coefficients: Array) -> Complex:
    """Return a function in half storage: an array of the function's Fourier coefficients with k_1 >= 0.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis.
    coefficients : ndarray of float64, (M,)
        Coefficients, in the order of ``basis.indices``.

    Returns
    -------
    half : ndarray of complex128, (2 order + 1, ..., 2 order + 1, order + 1)
        The function in half storage, with an axis for each coordinate.
    """
    order, dim = basis.order, basis.dim
    half = np.zeros((2 * order + 1,) * (dim - 1) + (order + 1,), dtype=np.complex128)
    k = basis.indices[1::2, ::-1]
    pairs = (coefficients[1::2] - 1j * coefficients[2::2]) / np.sqrt(2)
    half[tuple(k.T)] = pairs
    stored_twice = k[:, -1] == 0
    half[tuple(-k[stored_twice].T)] = pairs[stored_twice].conj()
    half[(0,) * dim] = coefficients[0]
    return half


def from_half(basis: Basis, half: Complex) -> Array:
    """Return a function's coefficients in a basis; this is the inverse of `to_half`.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis.
    half : ndarray of complex128, (2 order + 1, ..., 2 order + 1, order + 1)
        The function in half storage.

    Returns
    -------
    coefficients : ndarray of float64, (M,)
        Coefficients, in the order of ``basis.indices``.
    """
    pairs = half[tuple(basis.indices[1::2, ::-1].T)] * np.sqrt(2)
    out = np.empty(basis.size)
    out[0], out[1::2], out[2::2] = half[(0,) * basis.dim].real, pairs.real, -pairs.imag
    return out


def inner_product(one: Complex, other: Complex) -> float:
    """Return the inner product of two functions: the sum of products of their real coefficients.

    Parameters
    ----------
    one, other : ndarray of complex128, (..., order + 1)
        Functions in half storage: their Fourier coefficients with k_1 >= 0, see `to_half`.
    """
    whole = np.vdot(one, other).real
    return float(2 * whole - np.vdot(one[..., 0], other[..., 0]).real)


def norm(half: Complex) -> float:
    """Return the norm of a function: the square root of its `inner_product` with itself.

    Parameters
    ----------
    half : ndarray of complex128, (..., order + 1)
        A function in half storage.
    """
    return float(np.sqrt(inner_product(half, half)))


def symmetrised(half: Complex) -> Complex:
    """Return a function in half storage, with ``c_k`` and ``c_-k`` exactly conjugate.

    Both coefficients are stored for frequencies with k_1 = 0.  The array `half` may be overwritten.

    Parameters
    ----------
    half : ndarray of complex128, (..., order + 1)
        A function in half storage, see `to_half`.  Its Fourier coefficients ``c_k`` and ``c_-k`` may differ
        from conjugates by rounding errors.

    Returns
    -------
    half : ndarray of complex128, (..., order + 1)
        The same function, in contiguous memory.
    """
    out = np.ascontiguousarray(half)
    plane = out[..., 0]
    out[..., 0] = (plane + _negated(plane).conj()) / 2
    return out


def _negated(plane: Complex) -> Complex:
    """Return the coefficients of -k at k, for axes in the order of a discrete Fourier transform."""
    return np.asarray(np.roll(np.flip(plane), 1, axis=tuple(range(plane.ndim)))) if plane.ndim else plane
