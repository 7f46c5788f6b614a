"""Sums of trigonometric functions at any nodes, by non-uniform fast Fourier transforms.

For a trigonometric basis (`errsrc.bases.Basis.trigonometric`) and nodes x, A = basis(x) is an (n, M) matrix.
`synthesise` returns A c and `analyse` returns A^T v without computing A. Each takes one transform of O(n + M
log M) operations.  `errsrc.bases.toeplitz` uses these transforms to solve least-squares problems.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from errsrc import checks
from errsrc.bases.basis import Array, Basis
from errsrc.bases.half_storage import Complex, from_half, to_half
from errsrc.extras import require

DIMS = (1, 2, 3)
"""Numbers of angles for which there is a non-uniform transform."""

_PRECISION = 1e-14  # relative precision of transforms that results depend on


def applies(basis: Basis) -> bool:
    """Return whether a basis has a non-uniform transform: whether it is trigonometric in 1 to 3 angles.

    Parameters
    ----------
    basis : Basis
        Any basis.
    """
    return basis.trigonometric and basis.dim in DIMS


@checks.arguments(threads=checks.Integer(at_least=1))
def synthesise(basis: Basis, x: Any, coefficients: Any, threads: int = 1) -> Array:
    """Return ``basis(x) @ coefficients``, computed by a non-uniform transform.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis of dim 1, 2 or 3.
    x : array_like of float, (n, dim)
        Nodes (inputs), angles in radians.
    coefficients : array_like of float, (M,) or (M, outputs)
        Coefficients, in the order of ``basis.indices``.
    threads : int
        Number of threads of the transforms, >= 1.  With more than one, rounding errors vary between calls.

    Returns
    -------
    values : ndarray of float64, (n,) or (n, outputs)
        The sums.  Their relative error is about 1e-14 + 1e-16 x degree of the basis.  The second term comes
        from the rounding of the nodes.

    Raises
    ------
    TypeError
        If `threads` is not an integer.
    ValueError
        If the basis has no transform, if an array has another shape, if a number is not finite, or if
        `threads` is less than 1.

    Notes
    -----
    The transform is finufft's (A. H. Barnett, J. Magland and L. af Klinteberg 2019, A parallel nonuniform
    fast Fourier transform library, SIAM J. Sci. Comput. 41, C479).

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> x = np.array([[0.0], [2.0]])
    >>> synthesise(Torus(1), x, np.array([1.0, 2.0, 0.0])) - Torus(1)(x) @ [1.0, 2.0, 0.0] < 1e-13
    array([ True,  True])
    """
    nodes = check_nodes(basis, x, "synthesise")
    columns = check_values(coefficients, "coefficients", "synthesise", basis.size, "M")
    values = [synthesise_half(to_half(basis, c), nodes, threads) for c in columns.reshape(basis.size, -1).T]
    return np.stack(values, axis=1).reshape(len(nodes), *columns.shape[1:])


@checks.arguments(threads=checks.Integer(at_least=1))
def analyse(basis: Basis, x: Any, values: Any, threads: int = 1) -> Array:
    """Return ``basis(x).T @ values``, the adjoint of `synthesise`; the adjoint is not the inverse.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis of dim 1, 2 or 3.
    x : array_like of float, (n, dim)
        Nodes (inputs), angles in radians.
    values : array_like of float, (n,) or (n, outputs)
        A value for each node.
    threads : int
        Number of threads of the transforms, >= 1.

    Returns
    -------
    sums : ndarray of float64, (M,) or (M, outputs)
        The sums over nodes, in the order of ``basis.indices``.

    Raises
    ------
    TypeError, ValueError
        If `synthesise` would raise the error for these arguments.

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> analyse(Torus(1), np.array([[0.0], [np.pi]]), np.array([1.0, 1.0])).round(12) + 0.0
    array([2., 0., 0.])
    """
    nodes = check_nodes(basis, x, "analyse")
    columns = check_values(values, "values", "analyse", len(nodes), "n")
    halves = [analyse_half(nodes, v, basis.order, threads) for v in columns.reshape(len(nodes), -1).T]
    sums = [from_half(basis, half) for half in halves]
    return np.stack(sums, axis=1).reshape(basis.size, *columns.shape[1:])


def transform(
    kind: int, x: Array, data: Complex, shape: tuple[int, ...], precision: float, threads: int
) -> Complex:
    """Return sums over nodes (kind 1) or over frequencies (kind 2).

    Parameters
    ----------
    kind : int
        1: for each frequency k, the sum over nodes of ``data`` times exp(-i k.x).  2: for each node x, the
        sum over frequencies of ``data`` times exp(i k.x).
    x : ndarray of float64, (n, dim)
        Nodes (inputs), angles in radians.
    data : ndarray of complex128, (n,) for kind 1 and of shape `shape` for kind 2
        One number for each node (kind 1) or for each frequency (kind 2).
    shape : tuple of int
        Number of frequencies along each axis, in the order k_dim, ..., k_1.  The frequencies of an axis are
        consecutive integers in ascending order, with 0 in the middle.
    precision : float
        Relative precision of the sums.
    threads : int
        Number of threads of finufft, >= 1.

    Returns
    -------
    sums : ndarray of complex128, of shape `shape` for kind 1 and (n,) for kind 2
        The sums, one for each frequency (kind 1) or for each node (kind 2).
    """
    require("A fast sum over a torus", "finufft")
    import finufft

    plan = finufft.Plan(kind, shape, 1, precision, -1 if kind == 1 else 1, nthreads=threads, modeord=0)
    plan.setpts(*(np.ascontiguousarray(angle) for angle in x.T[::-1]))
    return np.asarray(plan.execute(data))


def synthesise_half(half: Complex, x: Array, threads: int) -> Array:
    """Return the values of a real function at nodes, from its Fourier coefficients.

    Parameters
    ----------
    half : ndarray of complex128, (..., degree + 1)
        The Fourier coefficients of the function in half storage, see `errsrc.bases.half_storage`.
    x : ndarray of float64, (n, dim)
        Nodes.
    threads : int
        Number of threads, >= 1.

    Returns
    -------
    values : ndarray of float64, (n,)
        The value of the function at each node.
    """
    degree, dim = half.shape[-1] - 1, half.ndim
    full = np.empty((2 * degree + 1,) * dim, dtype=np.complex128)
    full[..., degree:] = half
    full[..., :degree] = 0
    full[..., degree + 1 :] *= 2  # frequencies k_1 > 0 stand for their negatives too
    full = fft.fftshift(full, axes=range(dim - 1))
    return np.ascontiguousarray(transform(2, x, full, full.shape, _PRECISION, threads).real)


def analyse_half(x: Array, values: Array, degree: int, threads: int) -> Complex:
    """Return the Fourier sums of values at nodes: for each frequency k, the sum of value times exp(-i k.x).

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Nodes.
    values : ndarray of float64, (n,)
        A value for each node.
    degree : int
        The largest frequency in each coordinate.
    threads : int
        Number of threads, >= 1.

    Returns
    -------
    half : ndarray of complex128, (..., degree + 1)
        The sums in half storage, see `errsrc.bases.half_storage`.
    """
    dim = x.shape[1]
    full = transform(1, x, values.astype(np.complex128), (2 * degree + 1,) * dim, _PRECISION, threads)
    return np.ascontiguousarray(fft.ifftshift(full, axes=range(dim - 1))[..., degree:])


def check_nodes(basis: Any, x: Any, where: str) -> Array:
    """Check a basis and nodes, and return the nodes as float64.

    Parameters
    ----------
    basis : Basis
        A basis that has a non-uniform transform, see `applies`.
    x : array_like of float, (n, dim)
        Nodes, n >= 1.
    where : str
        Name of the function for the error message.

    Returns
    -------
    nodes : ndarray of float64, (n, dim)
        The nodes.

    Raises
    ------
    ValueError
        If the basis has no transform, if the basis does not accept the nodes, or if there are no nodes.
    """
    if not isinstance(basis, Basis) or not applies(basis):
        raise ValueError(checks.refusal("basis", where, "a trigonometric basis of dim 1, 2 or 3", basis))
    nodes = basis.check_inputs(x)
    if len(nodes) == 0:
        raise ValueError(checks.refusal("x", where, "one node or more", "<0 nodes>"))
    return nodes


def check_values(values: Any, name: str, where: str, rows: int, letter: str) -> Array:
    """Check the shape of values, and return the values as float64.

    Parameters
    ----------
    values : array_like of float, (rows,) or (rows, outputs)
        Values.
    name, where : str
        Names of the argument and of the function for the error message.
    rows : int
        Number of rows.
    letter : str
        The letter, such as "n", that stands for the number of rows in the error message.

    Returns
    -------
    values : ndarray of float64, (rows,) or (rows, outputs)
        The values.

    Raises
    ------
    ValueError
        If `values` has another shape, does not hold numbers, or holds a number that is not finite.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or len(array) != rows or array.size == 0:
        accepted = f"numbers of shape ({letter},) or ({letter}, outputs), {letter} = {rows}"
        raise ValueError(checks.refusal(name, where, accepted, f"<{array.dtype} of shape {array.shape}>"))
    if not np.isfinite(array).all():
        raise ValueError(checks.refusal(name, where, "finite", "<nan or inf>"))
    return array.astype(np.float64)
