"""Least squares in a basis: the learner that knows the band."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus, nonuniform, toeplitz
from errsrc.bases.basis import BASIS
from errsrc.errors import Undersampled
from errsrc.fields import choice, declare, number
from errsrc.learners.learner import indicators
from errsrc.learners.spectral import SpectralLearner, truncated_inverse
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array

ITERATED_FROM = 2**22
"""Smallest number of matrix entries n M for which the equations are solved by iteration, if n >= 2.5 M.

For n < 2.5 M, the condition number makes the iteration slow and less accurate.
"""

ALWAYS_ITERATED_FROM = 2**28
"""Smallest number of matrix entries n M for which the equations are solved by iteration for any n."""

FEW_OUTPUTS = 16
"""Largest number of outputs for which `ITERATED_FROM` applies.

The time of the iteration grows with the number of outputs.
"""


@dataclass(frozen=True, eq=False)
class BandFit(BandFunction):
    """A function in a band that was fitted by least squares, with diagnostics of the fit.

    Attributes
    ----------
    basis : Basis
        The basis of the band.
    coefficients : ndarray of float64, (M,) or (M, outputs)
        Coefficients of the function.
    n : int
        Number of examples.
    condition : float
        Condition number of the fit: the largest singular value of the weighted matrix of function values,
        divided by the smallest.  Relative errors of labels are amplified by up to this factor.  The condition
        number is inf for n < M.  After an iterative solution, this number is an estimate that includes the
        ridge and is at most the true value.
    residual : float
        Root mean square of the residuals (labels minus values), divided by the root mean square of the
        labels.
    iterations : int
        Number of iterations of conjugate gradients; 0 for a direct solution.
    determined : bool
        Whether the examples determine the function.  They do if n >= M and rounding errors do not hide the
        smallest singular value.  After an iterative solution, the iteration must also have converged.
    status : str
        A sentence that says whether and how well the examples determine the function.
    """

    n: int
    condition: float
    residual: float
    iterations: int
    determined: bool
    status: str


@dataclass(frozen=True)
class BandLeastSquares(SpectralLearner):
    """Least squares in the functions of a basis: the Nyquist learner of a known band.

    Without noise and ridge, the learner is exact for n >= M examples, if the nodes (the inputs of the
    examples) are in general position.  With fewer examples or with repeated nodes, it returns the solution of
    smallest norm.  A predictor's ``function`` is a `BandFit`.

    Parameters
    ----------
    basis : Basis
        The basis of the band.
    ridge : float
        Penalty on the squares of the coefficients, >= 0, added as in `Ridge`.
    decay : float
        Exponent, from -100 to 100.  In the penalty and in the norm, the square of a coefficient of degree k
        is multiplied by max(k, 1)^decay.  If there are more functions than examples, the learner is kernel
        regression with the eigenvalues max(k, 1)^-decay.  Its prior knowledge is then smoothness instead of a
        band.
    precision : str
        Precision in which the equations are solved: "float64" or "float32".
    weights : str
        "uniform": all squared residuals have the same weight.  "density", for trigonometric bases of 1 to 3
        angles: nodes in crowded places have less weight.  This keeps the condition number and the computing
        time small.

    Warns
    -----
    Undersampled
        If the ridge is 0 and the examples do not determine the function, because they are too few or badly
        placed.

    Notes
    -----
    The direct solution by a singular value decomposition takes n M min(n, M) flops.  For trigonometric bases
    of 1 to 3 angles there is also an iterative solution by non-uniform transforms, with a relative error of
    1e-12 (see `errsrc.bases.toeplitz`).  The learner uses the iterative solution with weights by density.
    With uniform weights, it uses the iterative solution for large matrices (see `ITERATED_FROM`).  If the
    iteration with uniform weights does not converge, for example because nodes lie in clusters, or if the
    condition number is above 1e4, the learner uses the direct solution instead.  The direct solution replaces
    the iterative one only if n M < `ALWAYS_ITERATED_FROM`.

    Examples
    --------
    Three nodes determine a polynomial of degree 1:

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.5]])
    >>> f = BandLeastSquares(Torus(1)).fit(x, np.sin(x[:, 0]), np.random.default_rng(0))
    >>> f(np.array([[np.pi / 2]])).round(12)
    array([1.])
    >>> f.function.status
    'n = 3 examples determine the M = 3 functions, condition number 3.9.'
    """

    basis: Basis = declare(BASIS, Torus())
    ridge: float = number(0.0, at_least=0)
    decay: float = number(0.0, at_least=-100, at_most=100)
    precision: str = choice("float64", ("float64", "float32"))
    weights: str = choice("uniform", toeplitz.WEIGHTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights == "density" and not self._can_iterate:
            accepted = "'uniform': 'density' is for trigonometric bases of dim 1 to 3, float64 and no decay"
            raise ValueError(checks.refusal("weights", "BandLeastSquares", accepted, self.weights))

    @property
    def _can_iterate(self) -> bool:
        """Whether the iteration of `errsrc.bases.toeplitz` solves this learner's equations."""
        return nonuniform.applies(self.basis) and not self.decay and self.precision == "float64"

    @property
    def function_class(self) -> FunctionClass:
        """All functions in the band."""
        return Band(self.basis)

    def feature_map(self, x: Array) -> Array:
        """Return the functions of the basis at inputs x (N, dim), float64 (N, M)."""
        return self.basis(x)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return d / (d^2 + ridge) for singular values d (p,), or 1 / d if the ridge is 0."""
        return d / (d**2 + self.ridge) if self.ridge else truncated_inverse(d, self._rounding(shape))

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the coefficients, (M,) or (M, outputs), see `LinearLearner.coefficients`."""
        iterated = self._iterated(x, labels)
        return self._direct(self.basis(x), labels)[0] if iterated is None else iterated.coefficients

    def _iterated(self, x: Array, labels: Array) -> toeplitz.ToeplitzSolution | None:
        """Return the solution by iteration; None where the direct one is faster or more accurate."""
        entries, many_nodes = len(x) * self.basis.size, len(x) >= 2.5 * self.basis.size
        few_outputs = labels.ndim == 1 or labels.shape[1] <= FEW_OUTPUTS
        iterated_from = ITERATED_FROM if many_nodes and few_outputs else ALWAYS_ITERATED_FROM
        if self.weights == "uniform" and not (self._can_iterate and entries >= iterated_from):
            return None
        found = toeplitz.solve(self.basis, x, labels, self.ridge, self.weights)
        is_last_resort = entries >= ALWAYS_ITERATED_FROM or self.weights == "density"
        return found if is_last_resort or (found.converged and np.isfinite(found.condition)) else None

    def _rounding(self, shape: tuple[int, int]) -> float:
        """Return the share of the largest singular value that counts as 0 in the solution's precision."""
        return max(shape) * float(np.finfo(self.precision).eps)

    def _direct(self, features: Array, labels: Array) -> tuple[Array, Array]:
        """Return the coefficients, and the singular values of the features, weighted by their prior."""
        prior = np.maximum(self.basis.degrees, 1).astype(np.float64) ** (-self.decay / 2)
        matrix, right = (features * prior).astype(self.precision), labels.astype(self.precision)
        u, d, vt = svd(matrix, full_matrices=False, lapack_driver="gesvd")
        gains = self.gains(d, features.shape).astype(self.precision)
        return (((prior * vt).T * gains) @ (u.T @ right)).astype(np.float64), d

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> BandFit:
        labels = indicators(y)
        iterated = self._iterated(x, labels)
        fit = self._direct_fit(x, labels) if iterated is None else self._iterated_fit(x, iterated)
        if not fit.determined and not self.ridge:
            consequence = " The fit is the one of least norm." if iterated is None else ""
            warnings.warn(f"{fit.status}{consequence}", Undersampled, stacklevel=3)
        return fit

    def _iterated_fit(self, x: Array, found: toeplitz.ToeplitzSolution) -> BandFit:
        """Return the fit of n examples by iteration.

        If the nodes are badly placed, the condition number that the iteration estimates may still be small,
        because of the weights.  Therefore the singular values of the unweighted functions decide whether the
        nodes determine the function, if the matrix is small enough to compute them.
        """
        n, size, status = len(x), self.basis.size, found.status
        determined = found.converged and n >= size and bool(np.isfinite(found.condition))
        if determined and self.weights != "uniform" and n * size < ALWAYS_ITERATED_FROM:
            d = svd(self.basis(x), compute_uv=False)
            determined = bool(d[-1] > self._rounding((n, size)) * d[0])
            if not determined:
                status = (
                    f"n = {n} examples do not determine the M = {size} functions: the nodes are badly placed."
                )
        return BandFit(
            self.basis,
            found.coefficients,
            n,
            found.condition,
            found.residual,
            found.iterations,
            determined,
            status,
        )

    def _direct_fit(self, x: Array, labels: Array) -> BandFit:
        """Return the fit by a singular value decomposition."""
        n, size, features = len(x), self.basis.size, self.basis(x)
        coefficients, d = self._direct(features, labels)
        cutoff = self._rounding(features.shape) * float(d[0])
        with np.errstate(over="ignore"):
            condition = float(d[0] / d[-1]) if n >= size and d[-1] > 0 else np.inf
        determined = n >= size and bool(d[-1] > cutoff)
        if determined:
            status = f"n = {n} examples determine the M = {size} functions, condition number {condition:.2g}."
        elif n >= size:
            rank, distinct = int((d > cutoff).sum()), len(np.unique(x, axis=0))
            why = f"only {distinct} nodes are different" if distinct < n else "the nodes are badly placed"
            status = f"n = {n} examples determine only {rank} of the M = {size} functions: {why}."
        else:
            status = f"n = {n} examples do not determine the M = {size} functions: {size} or more are needed."
        norm = float(np.linalg.norm(labels))
        left = float(np.linalg.norm(labels - features @ coefficients))
        residual = left / norm if norm else 0.0
        return BandFit(self.basis, coefficients, n, condition, residual, 0, determined, status)
