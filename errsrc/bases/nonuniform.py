"""Sums of trigonometric functions at any nodes, by non-uniform fast Fourier transforms.

For a trigonometric basis (`errsrc.bases.Basis.trigonometric`) and nodes x, A = basis(x) is an (n, M) matrix.
`synthesise` returns A c and `analyse` returns A^T v without computing A.  Each takes one transform.  The
solver of least-squares problems in `errsrc.bases.toeplitz` is built on them.

"Half storage" of a real function holds its complex Fourier coefficients, those of exp(i k.x), for the
frequencies k with k_1 >= 0 only.  The axes of the array are in the order k_dim, ..., k_1.  Each axis but the
last has the order of a discrete Fourier transform: 0, 1, ..., degree, -degree, ..., -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from errsrc import checks
from errsrc.bases.basis import Array, Basis

Complex = NDArray[np.complex128]

DIMS = (1, 2, 3)
"""Dimensions that have a non-uniform transform."""

_EXACT = 1e-14  # relative precision asked of transforms that the result depends on


def applies(basis: Basis) -> bool:
    """Return whether there is a non-uniform transform for a basis: a trigonometric one of dim 1, 2 or 3.

    Parameters
    ----------
    basis : Basis
        Any basis.
    """
    return basis.trigonometric and basis.dim in DIMS


def synthesise(basis: Basis, x: Any, coefficients: Any, threads: int = 1) -> Array:
    """Return basis(x) @ coefficients by a non-uniform transform.

    Parameters
    ----------
    basis
        The band, of dim 1, 2 or 3.
    x : float64, (n, dim)
        Nodes, angles in radians.
    coefficients : float64, (M,) or (M, outputs)
        In the order of ``basis.indices``.
    threads
        Of the transforms, >= 1; with more than one, sums are rounded in an order that varies.

    Returns
    -------
    values : float64, (n,) or (n, outputs)
        To a relative error of about 1e-14, and 1e-16 ``degree`` more: nodes are rounded.

    Raises
    ------
    ValueError
        For another shape, numbers that are not finite, and a band of another dimension.

    Notes
    -----
    O(n + M log M).  A. H. Barnett, J. Magland and L. af Klinteberg 2019, A parallel nonuniform fast Fourier
    transform library, SIAM J. Sci. Comput. 41, C479 (finufft).

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> x = np.array([[0.0], [2.0]])
    >>> synthesise(Torus(1), x, np.array([1.0, 2.0, 0.0])) - Torus(1)(x) @ [1.0, 2.0, 0.0] < 1e-13
    array([ True,  True])
    """
    nodes = check_nodes(basis, x, threads, "synthesise")
    columns = check_values(coefficients, "coefficients", "synthesise", basis.size, "M")
    values = [values_at(basis, nodes, halved(basis, c), threads) for c in columns.reshape(basis.size, -1).T]
    return np.stack(values, axis=1).reshape(len(nodes), *columns.shape[1:])


def analyse(basis: Basis, x: Any, values: Any, threads: int = 1) -> Array:
    """Return basis(x).T @ values by a non-uniform transform: the adjoint of `synthesise`, not its inverse.

    Parameters
    ----------
    basis, x, threads
        As in `synthesise`.
    values : float64, (n,) or (n, outputs)
        At the nodes.

    Returns
    -------
    sums : float64, (M,) or (M, outputs)
        In the order of ``basis.indices``.

    Raises
    ------
    ValueError
        As `synthesise`.

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> analyse(Torus(1), np.array([[0.0], [np.pi]]), np.array([1.0, 1.0])).round(12) + 0.0
    array([2., 0., 0.])
    """
    nodes = check_nodes(basis, x, threads, "analyse")
    columns = check_values(values, "values", "analyse", len(nodes), "n")
    sums = [
        listed(basis, sums_over(nodes, v, basis.order, threads)) for v in columns.reshape(len(nodes), -1).T
    ]
    return np.stack(sums, axis=1).reshape(basis.size, *columns.shape[1:])


def transform(
    kind: int, x: Array, data: Complex, shape: tuple[int, ...], precision: float, threads: int
) -> Complex:
    """Return sums over nodes (kind 1, exp(-i k.x)) or over frequencies (kind 2, exp(i k.x)).

    Parameters
    ----------
    kind
        1 or 2.
    x
        float64 (n, dim), nodes.
    data
        What is summed, complex128: (n,) of kind 1, ``shape`` of kind 2.
    shape
        Frequencies along each dimension, ascending, the middle one 0; of what is returned where kind is 1.
    precision
        Of the sums, relative.
    threads
        Of finufft, >= 1.
    """
    import finufft

    plan = finufft.Plan(kind, shape, 1, precision, -1 if kind == 1 else 1, nthreads=threads, modeord=0)
    plan.setpts(*(np.ascontiguousarray(angle) for angle in x.T[::-1]))
    return np.asarray(plan.execute(data))


def values_at(basis: Basis, x: Array, half: Complex, threads: int) -> Array:
    """Return the values (n,) at nodes x of coefficients in half storage, ``half``, on so many threads."""
    degree = basis.order
    full = np.empty((2 * degree + 1,) * basis.dim, dtype=np.complex128)
    full[..., degree:] = half
    full[..., :degree] = 0
    full[..., degree + 1 :] *= 2
    full = fft.fftshift(full, axes=range(basis.dim - 1))
    return np.ascontiguousarray(transform(2, x, full, full.shape, _EXACT, threads).real)


def sums_over(x: Array, values: Array, degree: int, threads: int) -> Complex:
    """Return sums of values (n,) times exp(-i k.x) over nodes x, in half storage up to a degree.

    ``threads`` are those of `transform`.
    """
    dim = x.shape[1]
    full = transform(1, x, values.astype(np.complex128), (2 * degree + 1,) * dim, _EXACT, threads)
    return np.ascontiguousarray(fft.ifftshift(full, axes=range(dim - 1))[..., degree:])


def halved(basis: Basis, coefficients: Array) -> Complex:
    """Return coefficients (M,) of the real basis in half storage."""
    degree, dim = basis.order, basis.dim
    half = np.zeros((2 * degree + 1,) * (dim - 1) + (degree + 1,), dtype=np.complex128)
    k = basis.indices[1::2, ::-1]
    pairs = (coefficients[1::2] - 1j * coefficients[2::2]) / np.sqrt(2)
    half[tuple(k.T)] = pairs
    both = k[:, -1] == 0
    half[tuple(-k[both].T)] = pairs[both].conj()
    half[(0,) * dim] = coefficients[0]
    return half


def listed(basis: Basis, half: Complex) -> Array:
    """Return coefficients (M,) of the real basis from half storage."""
    pairs = half[tuple(basis.indices[1::2, ::-1].T)] * np.sqrt(2)
    out = np.empty(basis.size)
    out[0], out[1::2], out[2::2] = half[(0,) * basis.dim].real, pairs.real, -pairs.imag
    return out


def check_nodes(basis: Any, x: Any, threads: Any, where: str) -> Array:
    """Return nodes as float64 (n, dim); refuse none, threads < 1, and a basis that has no transform."""
    checks.integer(threads, "threads", where, 1)
    if not isinstance(basis, Basis) or not applies(basis):
        raise ValueError(checks.refusal("basis", where, "a trigonometric basis of dim 1, 2 or 3", basis))
    nodes = basis.check_inputs(x)
    if len(nodes) == 0:
        raise ValueError(checks.refusal("x", where, "one node or more", "<0 nodes>"))
    return nodes


def check_values(value: Any, name: str, where: str, rows: int, letter: str) -> Array:
    """Return a value as float64 (rows,) or (rows, outputs); refuse others by name, rows as ``letter``."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or len(array) != rows or array.size == 0:
        accepted = f"numbers of shape ({letter},) or ({letter}, outputs), {letter} = {rows}"
        raise ValueError(checks.refusal(name, where, accepted, f"<{array.dtype} of shape {array.shape}>"))
    if not np.isfinite(array).all():
        raise ValueError(checks.refusal(name, where, "finite", "<nan or inf>"))
    return array.astype(np.float64)
