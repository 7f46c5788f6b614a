"""Products with the matrix T = A^T W A + ridge of weighted least squares, by fast Fourier transforms.

Here A = basis(x) for a trigonometric basis and any nodes x.  W is a diagonal matrix of weights, and the
number `ridge` is added to the diagonal.  The entry of A^T W A for two frequencies depends only on their
difference.  Therefore A^T W A acts as follows: it multiplies a function by the weighted density of the nodes,
and projects the product on the band.  This takes two ordinary transforms of twice the band's size, for any
number of nodes (Feichtinger, Groechenig and Strohmer 1995, Numer. Math. 69, 423).
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded

from errsrc.bases.basis import Array, Basis
from errsrc.bases.half_storage import Complex, symmetrised, to_half
from errsrc.bases.nonuniform import analyse_half, transform

_DIAGONALS = 16  # of the preconditioner's band, on each side of the main diagonal
_WIDE_GAP = 1.5  # Nyquist spacings: the width of a gap from which the preconditioner is used


class WeightedGram:
    """The matrix T = A^T W A + ridge I, where I is the identity, and a preconditioner.

    Here A = basis(x) has the values of the basis at the nodes, and W is the diagonal matrix of the weights.
    T and the preconditioner act on functions in half storage, see `errsrc.bases.half_storage`.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis of dim 1, 2 or 3.
    x : ndarray of float64, (n, dim)
        Nodes (inputs), angles in radians.
    weights : ndarray of float64, (n,)
        The diagonal of W.
    ridge : float
        Number that is added to the diagonal of A^T W A, >= 0.
    threads : int
        Number of threads of the transforms, >= 1.

    Attributes
    ----------
    shape : tuple of int
        Shape of a function in half storage.
    factor : ndarray of float64 or None
        Cholesky factor of the preconditioner, of shape (diagonals, points), or None if no preconditioner is
        used.
    """

    def __init__(self, basis: Basis, x: Array, weights: Array, ridge: float, threads: int) -> None:
        order, dim = basis.order, basis.dim
        self.dim, self.order, self.weights, self.ridge, self.threads = dim, order, weights, ridge, threads
        is_box = basis.size == (2 * order + 1) ** dim
        self._in_band = None if is_box else to_half(basis, np.ones(basis.size)) != 0
        self.shape = (2 * order + 1,) * (dim - 1) + (order + 1,)
        self._length = int(fft.next_fast_len(4 * order + 1, real=True))
        kernel = analyse_half(x, weights, 2 * order, threads)
        preconditioned = dim == 1 and is_box and has_wide_gap(x[:, 0], order)
        self.factor = _banded_factor(kernel, order, ridge) if preconditioned else None
        self._density = self._on_grid(kernel) * float(self._length) ** dim

    def __call__(self, half: Complex) -> Complex:
        """Return T times a function.

        Parameters
        ----------
        half : ndarray of complex128, of shape `shape`
            A function in half storage.

        Returns
        -------
        product : ndarray of complex128, of shape `shape`
            The product in half storage.
        """
        values = self._on_grid(half)
        values *= self._density
        out = fft.rfft(values, axis=-1, workers=self.threads)[..., : self.order + 1]
        for axis in reversed(range(self.dim - 1)):
            out = _cropped(fft.fft(out, axis=axis, workers=self.threads), axis, self.order)
        out = self.project(out)
        if self.ridge:
            out += self.ridge * half
        return out

    def gradient(self, x: Array, residual: Array, half: Complex) -> Complex:
        """Return A^T W r - ridge c, for the residual r and the coefficients c of a function.

        This is the gradient of the penalised weighted sum of squares, times -1/2.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            Nodes.
        residual : ndarray of float64, (n,)
            Labels minus the values of the function.
        half : ndarray of complex128, of shape `shape`
            The function.

        Returns
        -------
        gradient : ndarray of complex128, of shape `shape`
            The gradient times -1/2, in half storage.
        """
        out = self.project(analyse_half(x, self.weights * residual, self.order, self.threads))
        return out - self.ridge * half if self.ridge else out

    def precondition(self, half: Complex) -> Complex:
        """Return P times a function, where P is positive definite and approximates the inverse of T.

        Parameters
        ----------
        half : ndarray of complex128, of shape `shape`
            A function in half storage.

        Returns
        -------
        product : ndarray of complex128, of shape `shape`
            The product, or `half` itself if no preconditioner is used.
        """
        if self.factor is None:
            return half
        points = self.factor.shape[1]
        values = fft.irfft(half, points)
        values = cho_solve_banded((self.factor, True), values, overwrite_b=True, check_finite=False)
        return np.asarray(fft.rfft(values)[: len(half)])

    def project(self, half: Complex) -> Complex:
        """Return the projection of a function on the band; the array `half` may be overwritten.

        Parameters
        ----------
        half : ndarray of complex128, of shape `shape`
            A function in half storage.

        Returns
        -------
        part : ndarray of complex128, of shape `shape`
            The projection.
        """
        return symmetrised(half if self._in_band is None else half * self._in_band)

    def _on_grid(self, half: Complex) -> Array:
        """Return the values on the even grid of length^dim points, divided by the number of points."""
        for axis in range(self.dim - 1):
            half = _padded(half, axis, self._length)
            half = fft.ifft(half, axis=axis, workers=self.threads, overwrite_x=True)
        return np.asarray(fft.irfft(half, self._length, axis=-1, workers=self.threads))


def has_wide_gap(angles: Array, degree: int) -> bool:
    """Return whether some gap between nodes on the circle is wider than 1.5 Nyquist spacings.

    Parameters
    ----------
    angles : ndarray of float64, (n,)
        Nodes in radians.
    degree : int
        Degree of the band; the Nyquist spacing is 2 pi / (2 degree + 1).
    """
    ordered = np.sort(np.mod(angles, 2 * np.pi))
    widest = max(np.diff(ordered).max(initial=0.0), ordered[0] + 2 * np.pi - ordered[-1])
    return bool(widest * (2 * degree + 1) > _WIDE_GAP * 2 * np.pi)


def density_weights(x: Array, degree: int, threads: int) -> Array:
    """Return a weight for each node, inversely proportional to the density of nodes around it.

    The density is smoothed by a Fejer kernel.  The method is one step of the iteration of Pipe and Menon 1999
    (Magn. Reson. Med. 41, 179).

    Parameters
    ----------
    x : ndarray of float64, (n, dim)
        Nodes (inputs), angles in radians.
    degree : int
        Degree of the band, which sets the width of the kernel.
    threads : int
        Number of threads, >= 1.

    Returns
    -------
    weights : ndarray of float64, (n,)
        Weights with the sum 1.
    """
    reach = (3 * degree + 1) // 2
    taper = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    n, dim = x.shape
    window = taper
    for _ in range(dim - 1):
        window = window[..., None] * taper
    modes = transform(1, x, np.full(n, 1 / n, dtype=np.complex128), window.shape, 1e-4, threads)
    density = transform(2, x, modes * window, window.shape, 1e-4, threads).real
    weights = 1 / np.maximum(density, window.sum() / n)  # the density is at least what the node itself adds
    return np.asarray(weights / weights.sum())


def _banded_factor(kernel: Complex, degree: int, ridge: float) -> Array | None:
    """Return the Cholesky factor of a banded approximation of T in one dimension; None if T is singular.

    On a grid of at least M points, T is nearly banded if nodes have gaps wider than the Nyquist spacing.  The
    elementwise product of T with a positive definite band, Bohman's window in j - k, is positive definite,
    and it is factored in O(M).  Row d of the band has the entries (j + d, j).  An entry is a sum over the
    kernel's terms c; each term is multiplied by a geometric sum over the M - |c| pairs of frequencies whose
    difference is c.
    """
    size = 2 * degree + 1
    points = int(fft.next_fast_len(size, real=True))
    diagonals = min(_DIAGONALS, points - 1)
    c = np.arange(size)
    shift = np.exp(1j * np.pi / points * c)  # half a grid step, to the middle between j and j + d
    turn = np.exp(1j * np.pi / points * (size - c))
    phased, power = kernel.copy(), np.ones(size, dtype=np.complex128)
    rows = np.zeros((diagonals + 1, points))
    for d in range(diagonals + 1):
        terms = phased * (power.imag / np.sin(np.pi * d / points) if d else size - c)
        spectrum = terms[: points // 2 + 1].copy()
        spectrum[points - c[points // 2 + 1 :]] += terms[points // 2 + 1 :].conj()
        if points % 2 == 0 and size > points // 2:
            spectrum[points // 2] *= 2
        u = d / (diagonals + 1)
        window = (1 - u) * np.cos(np.pi * u) + np.sin(np.pi * u) / np.pi
        rows[d] = window * fft.irfft(spectrum, points)
        phased *= shift
        power *= turn
    rows[0] += ridge
    try:
        return np.asarray(cholesky_banded(rows, overwrite_ab=True, lower=True, check_finite=False))
    except LinAlgError:
        return None


def _padded(half: Complex, axis: int, length: int) -> Complex:
    """Return `half` with zeros in the middle of an axis, which then has the given length."""
    degree = half.shape[axis] // 2
    out = np.zeros((*half.shape[:axis], length, *half.shape[axis + 1 :]), dtype=np.complex128)
    before = (slice(None),) * axis
    out[*before, : degree + 1] = half[*before, : degree + 1]
    if degree:
        out[*before, -degree:] = half[*before, -degree:]
    return out


def _cropped(half: Complex, axis: int, degree: int) -> Complex:
    """Return `half` without the frequencies above a degree along an axis."""
    before = (slice(None),) * axis
    parts = [half[*before, : degree + 1], half[*before, half.shape[axis] - degree :]]
    return np.concatenate(parts, axis=axis)
