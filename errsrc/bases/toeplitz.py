"""Least squares of trigonometric polynomials at any nodes, without their matrix.

For A = basis(x), A^T W A is Toeplitz in the frequencies, so that it multiplies by two ordinary transforms of
twice the band's size, whatever n is: a solution takes a few hundred of these, and a few sums by
`errsrc.bases.nonuniform`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded, eigvalsh_tridiagonal

from errsrc import checks
from errsrc.bases.basis import Array, Basis
from errsrc.bases.memory import machine_memory
from errsrc.bases.nonuniform import (
    Complex,
    check_nodes,
    check_values,
    halved,
    listed,
    sums_over,
    transform,
    values_at,
)

WEIGHTS = ("density", "uniform")
"""How the squared residuals are weighted."""

_DIAGONALS = 16  # of the preconditioner, beside the main one
_EPS = float(np.finfo(np.float64).eps)
_LOOK = 5  # iterations between two looks at the error


@dataclass(frozen=True, eq=False)
class ToeplitzSolution:
    """What `solve` found.

    Attributes
    ----------
    coefficients
        float64 (M,), or (M, outputs), in the order of ``basis.indices``.
    residual
        Root mean square of what is left of the labels, relative to theirs; taken from the labels, not from
        the iteration.
    error
        Estimate of what the iteration left of the distance to the least-squares solution, relative to its
        norm; the largest over outputs.
    condition
        Estimate of the ratio of the largest singular value of W^(1/2) A, stacked upon the ridge's, to its
        smallest: from inside, so at most the ratio; mostly within a factor 3 of it.  inf where it is over
        about 1e8 and rounding hides it: the nodes do not determine the function.
    rounding
        ``condition`` x machine epsilon x (50 + degree): how far rounded nodes and labels may move the
        solution, relative to its norm.
    iterations
        Of conjugate gradients, over all outputs, those for the condition number apart.
    converged
        Whether ``error`` is at most the tolerance.
    status
        The same in a sentence.
    """

    coefficients: Array
    residual: float
    error: float
    condition: float
    rounding: float
    iterations: int
    converged: bool
    status: str


def solve(
    basis: Basis,
    x: Any,
    y: Any,
    ridge: float = 0.0,
    weights: str = "density",
    tolerance: float = 1e-12,
    iterations: int = 2000,
    threads: int = 1,
) -> ToeplitzSolution:
    """Minimise sum_i w_i (f(x_i) - y_i)^2 + (ridge / n) |c|^2 over f = sum_k c_k basis_k.

    Conjugate gradients on the weighted normal equations, restarted from the residual of the labels until
    the solution is as near as asked: that undoes the squaring of the condition number.

    Parameters
    ----------
    basis, x, threads
        As in `errsrc.bases.nonuniform.synthesise`.
    y : float64, (n,) or (n, outputs)
        Labels.
    ridge
        >= 0.
    weights
        "density": each node by the inverse of the nodes' density about it, so that the sum is near to an
        integral, which keeps the condition number small; "uniform": 1 / n, least squares as usual.  Of
        noiseless labels of a function in the band both give that function.
    tolerance
        Relative distance to the solution, > 0.
    iterations
        The most to do for one output.

    Returns
    -------
    solution : ToeplitzSolution

    Raises
    ------
    ValueError
        As `synthesise`; where there are fewer nodes than functions and no ridge; for a band larger than
        memory.

    Notes
    -----
    Weights: one step of Pipe and Menon 1999 (Magn. Reson. Med. 41, 179) with a Fejer kernel.  The Toeplitz
    product: Feichtinger, Groechenig and Strohmer 1995 (Numer. Math. 69, 423).  In one dimension with gaps
    between nodes that are wider than the Nyquist spacing it is preconditioned: on an even grid of about M
    points A^T W A is nearly banded, and its elementwise product with a positive definite band (Bohman's
    window) is positive definite, and factors in O(M).

    Time: about 6 non-uniform transforms and 0.1 to 0.5 a iteration.  Memory: about 100 n + 300 M 2^dim bytes.

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> from errsrc.bases.nonuniform import synthesise
    >>> rng = np.random.default_rng(0)
    >>> basis, x = Torus(20, 2), rng.uniform(0, 2 * np.pi, (6724, 2))
    >>> c = rng.standard_normal(basis.size)
    >>> found = solve(basis, x, synthesise(basis, x, c))
    >>> bool(np.linalg.norm(found.coefficients - c) < 1e-12 * np.linalg.norm(c)), found.converged
    (True, True)
    """
    where = "solve"
    checks.choice(weights, "weights", where, WEIGHTS)
    checks.number(ridge, "ridge", where, 0)
    checks.number(tolerance, "tolerance", where, 0, open_low=True)
    checks.integer(iterations, "iterations", where, 1)
    nodes = check_nodes(basis, x, threads, where)
    labels = check_values(y, "y", where, len(nodes), "n")
    n, size = len(nodes), basis.size
    if n < size and not ridge:
        accepted = f"at least M = {size} nodes, as many as functions, where the ridge is 0"
        raise ValueError(checks.refusal("x", where, accepted, f"<n = {n}>"))
    _check_memory(basis, n, where)
    w = _density_weights(nodes, basis.order, threads) if weights == "density" else np.full(n, 1 / n)
    gram = _Gram(basis, nodes, w, ridge / n, threads)
    found = [_refined(gram, nodes, column, tolerance, iterations) for column in labels.reshape(n, -1).T]
    halves, left, errors, smallest, greatest, counts = zip(*found, strict=True)
    coefficients = np.stack([listed(basis, half) for half in halves], axis=1)
    residual = _ratio(float(np.linalg.norm(left)), float(np.linalg.norm(labels)))
    error, count, most = max(errors), sum(counts), max(greatest)
    least = min(_least(gram, iterations), *smallest)
    condition = float(np.sqrt(most / least)) if least > _EPS * most else np.inf
    rounding = condition * _EPS * (50 + basis.order)
    converged = error <= tolerance
    if np.isinf(condition):
        enough = f"n = {n} nodes do not determine the M = {size} functions, to rounding"
    else:
        enough = f"n = {n} nodes determine the M = {size} functions, condition number {condition:.2g}"
    status = f"{enough}; {'' if converged else 'not '}converged in {count} iterations, to {error:.1g}."
    shape = (size, *labels.shape[1:])
    coefficients = coefficients.reshape(shape)
    return ToeplitzSolution(coefficients, residual, error, condition, rounding, count, converged, status)


def _least(gram: _Gram, iterations: int) -> float:
    """Return the least eigenvalue of T, from above, from a random vector.

    Labels would not do: what T sends to 0 is in none of their Krylov vectors.  Locally optimal preconditioned
    conjugate gradients (Knyazev 2001, SIAM J. Sci. Comput. 23, 517), until ten iterations lower it by
    less than a hundredth.
    """
    rng, shape = np.random.default_rng(0), gram.shape
    v = gram.banded(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    v /= _norm(v)
    image = gram(v)
    past, move, moved = [_dot(v, image)], np.zeros_like(v), np.zeros_like(v)
    while len(past) <= iterations and past[-1] > _EPS:
        step = gram.precondition(image - past[-1] * v)
        space = [(v, image)]
        for direction, its in ((step, gram(step)), (move, moved)):
            length = _norm(direction)
            for one, ones in space:
                share = _dot(one, direction)
                direction, its = direction - share * one, its - share * ones
            rest = _norm(direction)
            if rest > 1e-8 * length:
                space.append((direction / rest, its / rest))
        if len(space) == 1:  # an eigenvector
            break
        values, vectors = np.linalg.eigh([[_dot(one, its) for _, its in space] for one, _ in space])
        first, *others = vectors[:, 0]
        move = np.asarray(sum(gain * one for gain, (one, _) in zip(others, space[1:], strict=True)))
        moved = np.asarray(sum(gain * its for gain, (_, its) in zip(others, space[1:], strict=True)))
        v, image = first * v + move, first * image + moved
        past.append(float(values[0]))
        if len(past) > 10 and past[-1] > 0.99 * past[-11]:
            break
    return past[-1]


def _refined(
    gram: _Gram, nodes: Array, y: Array, tolerance: float, iterations: int
) -> tuple[Complex, float, float, float, float, int]:
    """Return coefficients, norm of the residual, error, extreme eigenvalues of T and iterations.

    Conjugate gradients restart from the labels' residual until the error is small or halves no more.  Of two
    estimates the smaller: by the gradient and the least eigenvalue, which rounding keeps from being small
    where the condition number is large, and the last change, the error of what was there before it.
    """
    half, left = np.zeros(gram.shape, dtype=np.complex128), y
    best, error, least, most, count, moved = (half, left, np.inf), np.inf, 1.0, 0.0, 0, np.inf
    while True:
        gradient = gram.gradient(nodes, left, half)
        step = gram.precondition(gradient)
        now = min(_ratio(_norm(step), least * _norm(half)), moved)
        if count == 0 or now < best[2]:
            best = (half, left, now)
        if now <= tolerance or now > error / 2 or count >= iterations:
            break
        error = now
        change, steps, least, found = _conjugate_gradients(
            gram, gradient, step, half, least, tolerance / 2, iterations - count
        )
        half, count, most = half + change, count + steps, max(most, found)
        moved = _ratio(_norm(change), _norm(half)) if count < iterations else np.inf
        left = y - values_at(gram.basis, nodes, half, gram.threads)
    half, left, error = best
    bound = least if gram.factor is None else np.inf  # preconditioned, it is not one of T itself
    return half, float(np.linalg.norm(left)), error, bound, most, count


def _conjugate_gradients(
    gram: _Gram,
    gradient: Complex,
    step: Complex,
    start: Complex,
    least: float,
    tolerance: float,
    iterations: int,
) -> tuple[Complex, int, float, float]:
    """Solve T change = gradient until the error of start + change is at most the tolerance of its norm.

    The norm of the preconditioned residual over the least eigenvalue of the preconditioned T bounds the
    error; ``least`` is what is known of it.  Returned are the change, the iterations, the same eigenvalue as
    known now, and the greatest of T itself.
    """
    change, left, p = np.zeros_like(gradient), gradient.copy(), step.copy()
    rho, look, most = _dot(left, step), _LOOK, 0.0
    alphas: list[float] = []
    betas: list[float] = []
    for count in range(1, iterations + 1):
        image = gram(p)
        curvature = _dot(p, image)
        quotient = _ratio(curvature, _dot(p, p))
        most = max(most, quotient)
        if not quotient > _EPS * most:
            break
        alphas.append(rho / curvature)
        change += alphas[-1] * p
        left -= alphas[-1] * image
        step = gram.precondition(left)
        rho, before = _dot(left, step), rho
        betas.append(rho / before)
        if count >= look or count == iterations or not rho > 0:
            look = count + max(_LOOK, count // 10)
            least = min(least, _ritz_value(alphas, betas, 0))
            if not rho > 0 or _norm(step) <= tolerance * least * _norm(start + change):
                break
        p *= betas[-1]
        p += step
    if gram.factor is None and alphas:
        most = _ritz_value(alphas, betas, len(alphas) - 1)
    return change, len(alphas), least, most


def _ritz_value(alphas: list[float], betas: list[float], order: int) -> float:
    """Return an eigenvalue of the Lanczos matrix of conjugate gradients (Golub and Van Loan, 10.2)."""
    alpha, beta = np.array(alphas), np.array(betas)
    diagonal = 1 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    beside = np.sqrt(beta[:-1]) / alpha[:-1]
    return float(eigvalsh_tridiagonal(diagonal, beside, select="i", select_range=(order, order))[0])


class _Gram:
    """T = A^T W A + ridge on coefficients in half storage, and its preconditioner."""

    def __init__(self, basis: Basis, x: Array, w: Array, ridge: float, threads: int) -> None:
        degree = basis.order
        self.basis, self.w, self.ridge, self.threads = basis, w, ridge, threads
        is_box = basis.size == (2 * degree + 1) ** basis.dim
        self.mask = None if is_box else halved(basis, np.ones(basis.size)) != 0
        self.shape = (2 * degree + 1,) * (basis.dim - 1) + (degree + 1,)
        self.length = int(fft.next_fast_len(4 * degree + 1, real=True))
        kernel = sums_over(x, w, 2 * degree, threads)
        self.factor = _banded_factor(kernel, degree, ridge) if basis.dim == 1 and _gappy(x, degree) else None
        self.density = self._grid(kernel) * float(self.length) ** basis.dim

    def __call__(self, half: Complex) -> Complex:
        """Return T half: the function times the nodes' density, back in the band."""
        values = self._grid(half)
        values *= self.density
        dim, degree = self.basis.dim, self.basis.order
        out = fft.rfft(values, axis=-1, workers=self.threads)[..., : degree + 1]
        for axis in reversed(range(dim - 1)):
            out = _cropped(fft.fft(out, axis=axis, workers=self.threads), axis, degree)
        out = self.banded(out)
        if self.ridge:
            out += self.ridge * half
        return out

    def gradient(self, x: Array, left: Array, half: Complex) -> Complex:
        """Return A^T W left - ridge half."""
        out = self.banded(sums_over(x, self.w * left, self.basis.order, self.threads))
        return out - self.ridge * half if self.ridge else out

    def precondition(self, half: Complex) -> Complex:
        """Return an approximation of T^-1 half that is positive definite."""
        if self.factor is None:
            return half
        points = self.factor.shape[1]
        values = fft.irfft(half, points)
        values = cho_solve_banded((self.factor, True), values, overwrite_b=True, check_finite=False)
        return np.asarray(fft.rfft(values)[: len(half)])

    def _grid(self, half: Complex) -> Array:
        """Return the values on the even grid of length^dim points, over their number."""
        for axis in range(self.basis.dim - 1):
            half = _padded(half, axis, self.length)
            half = fft.ifft(half, axis=axis, workers=self.threads, overwrite_x=True)
        return np.asarray(fft.irfft(half, self.length, axis=-1, workers=self.threads))

    def banded(self, half: Complex) -> Complex:
        """Return the part in the band; the frequencies with k_1 = 0, kept twice, exactly conjugate."""
        out = np.ascontiguousarray(half) if self.mask is None else half * self.mask
        plane = out[..., 0]
        out[..., 0] = (plane + _reflected(plane).conj()) / 2
        return out


def _gappy(x: Array, degree: int) -> bool:
    """Return whether some gap between nodes on the circle is wider than 1.5 Nyquist spacings."""
    angles = np.sort(np.mod(x[:, 0], 2 * np.pi))
    widest = max(np.diff(angles).max(initial=0.0), angles[0] + 2 * np.pi - angles[-1])
    return bool(widest * (2 * degree + 1) > 1.5 * 2 * np.pi)


def _banded_factor(kernel: Complex, degree: int, ridge: float) -> Array | None:
    """Return the Cholesky factor of T on a grid of at least M points, each entry times a window in j - k.

    Row d has the entries (j + d, j): the kernel's terms c, each times a sum over the M - |c| pairs of
    frequencies that are c apart, which is a geometric one.
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


def _density_weights(x: Array, degree: int, threads: int) -> Array:
    """Return weights (n,) of sum 1, each over the nodes' density, smoothed by a Fejer kernel, at its node."""
    reach = (3 * degree + 1) // 2
    taper = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    n, dim = x.shape
    window = taper
    for _ in range(dim - 1):
        window = window[..., None] * taper
    modes = transform(1, x, np.full(n, 1 / n, dtype=np.complex128), window.shape, 1e-4, threads)
    density = transform(2, x, modes * window, window.shape, 1e-4, threads).real
    w = 1 / np.maximum(density, window.sum() / n)  # at least what the node itself adds
    return np.asarray(w / w.sum())


def _padded(half: Complex, axis: int, length: int) -> Complex:
    """Return an axis in the order of a discrete Fourier transform lengthened by zeros in its middle."""
    degree = half.shape[axis] // 2
    out = np.zeros((*half.shape[:axis], length, *half.shape[axis + 1 :]), dtype=np.complex128)
    before = (slice(None),) * axis
    out[*before, : degree + 1] = half[*before, : degree + 1]
    if degree:
        out[*before, -degree:] = half[*before, -degree:]
    return out


def _cropped(half: Complex, axis: int, degree: int) -> Complex:
    """Return an axis in the order of a discrete Fourier transform without the frequencies beyond degree."""
    before = (slice(None),) * axis
    parts = [half[*before, : degree + 1], half[*before, half.shape[axis] - degree :]]
    return np.concatenate(parts, axis=axis)


def _reflected(plane: Complex) -> Complex:
    """Return the coefficients of -k, for axes in the order of a discrete Fourier transform."""
    return np.asarray(np.roll(np.flip(plane), 1, axis=tuple(range(plane.ndim)))) if plane.ndim else plane


def _dot(one: Complex, other: Complex) -> float:
    """Return the inner product of the two functions' real coefficients."""
    whole = np.vdot(one, other).real
    return float(2 * whole - np.vdot(one[..., 0], other[..., 0]).real)


def _norm(half: Complex) -> float:
    return float(np.sqrt(_dot(half, half)))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else (np.inf if part else 0.0)


def _check_memory(basis: Basis, n: int, where: str) -> None:
    """Refuse what does not fit into the machine's memory."""
    most = machine_memory()
    need = 100.0 * n + 150.0 * (4.0 * basis.order + 1) ** basis.dim
    if need > most:
        accepted = f"a band that is solved for in {most / 2**30:.0f} GiB"
        got = f"<degree {basis.order}, {need / 2**30:,.0f} GiB>"
        raise ValueError(checks.refusal("basis", where, accepted, got))
