"""Least-squares fits of trigonometric polynomials at any nodes, without the matrix of function values.

For A = basis(x) and a diagonal matrix W of weights, the normal equations have the matrix A^T W A.
`errsrc.bases.weighted_gram` multiplies by this matrix with fast Fourier transforms.  The method of conjugate
gradients solves the equations in a few hundred such products, for any number of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from errsrc import checks
from errsrc.bases.basis import Array, Basis
from errsrc.bases.half_storage import Complex, from_half, inner_product, norm
from errsrc.bases.nonuniform import check_nodes, check_values, synthesise_half
from errsrc.bases.weighted_gram import WeightedGram, density_weights

WEIGHTS = ("density", "uniform")
"""Accepted values of the parameter `weights` of `solve`, which says how squared residuals are weighted."""

_EPS = float(np.finfo(np.float64).eps)
_SMALLEST = 1e-8  # smallest eigenvalue that is told from 0, divided by the largest
_EXAMINED = 100.0  # condition number above which different nodes are counted
_CHECK_EVERY = 5  # iterations between two estimates of the error


@dataclass(frozen=True, eq=False)
class ToeplitzSolution:
    """A least-squares solution of `solve`, with its accuracy.

    Attributes
    ----------
    coefficients : ndarray of float64, (M,) or (M, outputs)
        Coefficients, in the order of ``basis.indices``.
    residual : float
        Root mean square of the residuals (labels minus values of the solution), divided by the root mean
        square of the labels.  The residuals are computed again from the labels after the last iteration.
    error : float
        Estimated distance to the exact least-squares solution, divided by the norm of the exact solution.
        With several outputs, `error` is the largest over the outputs.
    condition : float
        Estimated condition number: the square root of the ratio of the largest to the smallest eigenvalue of
        A^T W A + (ridge / n) I. Here A = basis(x), W is the diagonal matrix of weights, and I is the
        identity.  The estimate is at most the true condition number, and usually at least a third of it.  An
        estimate above 1e4 is replaced by inf, because rounding may turn an eigenvalue 0 into a small number.
        It is then unknown whether the inputs determine the function.  The condition number is also inf if
        fewer than M inputs are different.
    rounding : float
        Estimated distance by which the rounding of inputs and labels may move the solution, divided by the
        norm of the solution: ``condition`` x machine epsilon x (50 + degree).
    iterations : int
        Number of iterations of conjugate gradients, summed over outputs.  The iterations that estimate the
        condition number do not count.
    converged : bool
        Whether ``error`` is at most the tolerance.
    status : str
        A sentence that says whether the inputs determine the function and whether the iteration converged.
    """

    coefficients: Array
    residual: float
    error: float
    condition: float
    rounding: float
    iterations: int
    converged: bool
    status: str


@checks.arguments(
    ridge=checks.Number(at_least=0),
    weights=checks.Choice(WEIGHTS),
    tolerance=checks.Number(above=0),
    iterations=checks.Integer(at_least=1),
    threads=checks.Integer(at_least=1),
)
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
    """Minimise sum_i w_i (f(x_i) - y_i)^2 + (ridge / n) |c|^2 over c, for f = sum_k c_k basis_k.

    The method is conjugate gradients on the weighted normal equations.  These equations square the condition
    number, which costs accuracy.  Therefore the iteration restarts from the residuals of the labels until the
    solution has the required accuracy.

    Parameters
    ----------
    basis : Basis
        A trigonometric basis of dim 1, 2 or 3.
    x : array_like of float, (n, dim)
        Nodes (inputs), angles in radians.
    y : array_like of float, (n,) or (n, outputs)
        Labels.
    ridge : float
        Factor of the penalty on the coefficients c, >= 0.
    weights : str
        How the weights w_i are chosen.  "density": the weight of a node is inversely proportional to the
        density of nodes around it.  The sum is then near an integral, which keeps the condition number small.
        "uniform": every weight is 1 / n, as in ordinary least squares.  If the labels are the values of a
        function in the band, without noise, both choices give this function.
    tolerance : float
        Accepted distance to the exact least-squares solution, divided by the norm of the exact solution; > 0.
    iterations : int
        Largest number of iterations for one output, >= 1.
    threads : int
        Number of threads of the transforms, >= 1.  With more than one, rounding errors vary between calls.

    Returns
    -------
    solution : ToeplitzSolution
        The solution, with its accuracy.

    Raises
    ------
    TypeError
        If a number is not of the type above.
    ValueError
        If the basis has no transform, if an array has another shape, if a number is out of range, or if the
        problem does not fit into memory.  Also raised if the ridge is 0 and there are fewer inputs than
        functions.

    Notes
    -----
    In one dimension, the equations are preconditioned if some gap between nodes is wider than 1.5 Nyquist
    spacings.  Each output takes the time of about 6 non-uniform transforms, and each iteration takes the time
    of 0.1 to 0.5 transforms.  Memory: about 100 n + 300 M 2^dim bytes.

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
    nodes = check_nodes(basis, x, "solve")
    labels = check_values(y, "y", "solve", len(nodes), "n")
    _check_solvable(basis, len(nodes), ridge)
    n = len(nodes)
    w = density_weights(nodes, basis.order, threads) if weights == "density" else np.full(n, 1 / n)
    gram = WeightedGram(basis, nodes, w, ridge / n, threads)
    columns = [_solve_column(gram, nodes, y_j, tolerance, iterations) for y_j in labels.reshape(n, -1).T]
    coefficients = np.stack([from_half(basis, one.half) for one in columns], axis=1)
    residual = _ratio(float(np.linalg.norm([one.residual for one in columns])), float(np.linalg.norm(labels)))
    error, count = max(one.error for one in columns), sum(one.iterations for one in columns)
    largest = max(one.largest for one in columns)
    smallest = min(_smallest_eigenvalue(gram, iterations), *(one.smallest for one in columns))
    condition = float(np.sqrt(largest / smallest)) if smallest > _SMALLEST * largest else np.inf
    if condition > _EXAMINED and not ridge and _distinct(nodes) < basis.size:
        condition = np.inf
    converged = error <= tolerance
    return ToeplitzSolution(
        coefficients.reshape(basis.size, *labels.shape[1:]),
        residual,
        error,
        condition,
        condition * _EPS * (50 + basis.order),
        count,
        converged,
        f"{_determination(n, basis.size, condition)}; "
        f"{'' if converged else 'not '}converged in {count} iterations, to {error:.1g}.",
    )


def _distinct(nodes: Array) -> int:
    """Return how many nodes differ by more than rounding, in turns of the circle."""
    turns = np.round(nodes / (2 * np.pi) % 1.0, 12) % 1.0
    return len(np.unique(turns, axis=0))


def _determination(n: int, size: int, condition: float) -> str:
    """Return the part of a status that says whether the nodes determine the function."""
    if np.isinf(condition):
        return f"n = {n} nodes do not surely determine the M = {size} functions: condition number above 1e+04"
    return f"n = {n} nodes determine the M = {size} functions, condition number {condition:.2g}"


def _check_solvable(basis: Basis, n: int, ridge: float) -> None:
    """Raise ValueError for fewer nodes than functions without a ridge, and for a band larger than memory."""
    if n < basis.size and not ridge:
        accepted = f"at least M = {basis.size} nodes, as many as functions, where the ridge is 0"
        raise ValueError(checks.refusal("x", "solve", accepted, f"<n = {n}>"))
    limit = checks.machine_memory()
    need = 100.0 * n + 150.0 * (4.0 * basis.order + 1) ** basis.dim
    if need > limit:
        accepted = f"a band that is solved for in {limit / 2**30:.0f} GiB"
        got = f"<degree {basis.order}, {need / 2**30:,.0f} GiB>"
        raise ValueError(checks.refusal("basis", "solve", accepted, got))


def _smallest_eigenvalue(gram: WeightedGram, iterations: int) -> float:
    """Return an upper estimate of the smallest eigenvalue of T, found from a random vector.

    The iteration that solves for labels may not find this eigenvalue: functions that T maps to 0 are in none
    of the iteration's Krylov spaces.  The method is that of locally optimal preconditioned conjugate
    gradients (Knyazev 2001, SIAM J. Sci. Comput. 23, 517).  It ends when ten iterations lower the estimate by
    less than a hundredth.
    """
    rng, shape = np.random.default_rng(0), gram.shape
    v = gram.project(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    v /= norm(v)
    image = gram(v)
    estimates, move, move_image = [inner_product(v, image)], np.zeros_like(v), np.zeros_like(v)
    while len(estimates) <= iterations and estimates[-1] > _EPS:
        step = gram.precondition(image - estimates[-1] * v)
        space = [(v, image)]  # an orthonormal basis of the span of v, the step and the last move, with images
        for direction, its_image in ((step, gram(step)), (move, move_image)):
            length = norm(direction)
            for one, one_image in space:
                share = inner_product(one, direction)
                direction, its_image = direction - share * one, its_image - share * one_image
            rest = norm(direction)
            if rest > 1e-8 * length:
                space.append((direction / rest, its_image / rest))
        if len(space) == 1:  # v is an eigenvector
            break
        values, vectors = np.linalg.eigh([[inner_product(a, b) for _, b in space] for a, _ in space])
        first, *others = vectors[:, 0]
        move = np.asarray(sum(gain * a for gain, (a, _) in zip(others, space[1:], strict=True)))
        move_image = np.asarray(sum(gain * b for gain, (_, b) in zip(others, space[1:], strict=True)))
        v, image = first * v + move, first * image + move_image
        estimates.append(float(values[0]))
        if len(estimates) > 10 and estimates[-1] > 0.99 * estimates[-11]:
            break
    return estimates[-1]


class _Column(NamedTuple):
    """The solution for one output.

    The function in half storage, the norm of its residual, the estimated relative error, the smallest and the
    largest eigenvalue of T as far as they are known, and the number of iterations.
    """

    half: Complex
    residual: float
    error: float
    smallest: float
    largest: float
    iterations: int


def _solve_column(gram: WeightedGram, nodes: Array, y: Array, tolerance: float, iterations: int) -> _Column:
    """Return the solution for one output, labels y (n,).

    Conjugate gradients restart from the labels' residual until the error is at most the tolerance, or a
    restart does not halve the error.  The error is the smaller of two estimates.  The first is the gradient
    divided by the smallest eigenvalue; rounding errors keep it from being small if the condition number is
    large.  The second is the last change, which is the error of the solution before this change.
    """
    half, residual = np.zeros(gram.shape, dtype=np.complex128), y
    best, error, smallest, largest, count, changed = (half, residual, np.inf), np.inf, 1.0, 0.0, 0, np.inf
    while True:
        gradient = gram.gradient(nodes, residual, half)
        step = gram.precondition(gradient)
        estimate = min(_ratio(norm(step), smallest * norm(half)), changed)
        if count == 0 or estimate < best[2]:
            best = (half, residual, estimate)
        if estimate <= tolerance or estimate > error / 2 or count >= iterations:
            break
        error = estimate
        change, steps, smallest, found = _conjugate_gradients(
            gram, gradient, step, half, smallest, tolerance / 2, iterations - count
        )
        half, count, largest = half + change, count + steps, max(largest, found)
        changed = _ratio(norm(change), norm(half)) if count < iterations else np.inf
        residual = y - synthesise_half(half, nodes, gram.threads)
    half, residual, error = best
    of_gram = smallest if gram.factor is None else np.inf  # with a preconditioner, it is not T's eigenvalue
    return _Column(half, float(np.linalg.norm(residual)), error, of_gram, largest, count)


def _conjugate_gradients(
    gram: WeightedGram,
    gradient: Complex,
    step: Complex,
    start: Complex,
    smallest: float,
    tolerance: float,
    iterations: int,
) -> tuple[Complex, int, float, float]:
    """Solve T change = gradient until the relative error of start + change is at most the tolerance.

    The error is bounded by the norm of the preconditioned residual over the smallest eigenvalue of the
    preconditioned T.  ``smallest`` is the estimate of that eigenvalue so far, and ``step`` is the
    preconditioned gradient.  Return the change, the number of iterations, the new estimate of the smallest
    eigenvalue, and an estimate of the largest eigenvalue of T itself.
    """
    change, left, p = np.zeros_like(gradient), gradient.copy(), step.copy()
    rho, next_check, largest = inner_product(left, step), _CHECK_EVERY, 0.0
    alphas: list[float] = []
    betas: list[float] = []
    for count in range(1, iterations + 1):
        image = gram(p)
        curvature = inner_product(p, image)
        quotient = _ratio(curvature, inner_product(p, p))
        largest = max(largest, quotient)
        if not quotient > _EPS * largest:
            break
        alphas.append(rho / curvature)
        change += alphas[-1] * p
        left -= alphas[-1] * image
        step = gram.precondition(left)
        rho, before = inner_product(left, step), rho
        betas.append(rho / before)
        if count >= next_check or count == iterations or not rho > 0:
            next_check = count + max(_CHECK_EVERY, count // 10)
            smallest = min(smallest, _ritz_value(alphas, betas, 0))
            if not rho > 0 or norm(step) <= tolerance * smallest * norm(start + change):
                break
        p *= betas[-1]
        p += step
    if gram.factor is None and alphas:
        largest = _ritz_value(alphas, betas, len(alphas) - 1)
    return change, len(alphas), smallest, largest


def _ritz_value(alphas: list[float], betas: list[float], order: int) -> float:
    """Return eigenvalue `order` of the Lanczos matrix of conjugate gradients (Golub and Van Loan, 10.2)."""
    alpha, beta = np.array(alphas), np.array(betas)
    diagonal = 1 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    off_diagonal = np.sqrt(beta[:-1]) / alpha[:-1]
    return float(eigvalsh_tridiagonal(diagonal, off_diagonal, select="i", select_range=(order, order))[0])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else (np.inf if part else 0.0)
