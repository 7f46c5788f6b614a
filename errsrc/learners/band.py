"""The learner that is told the band: least squares in a basis."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

from errsrc import checks
from errsrc.bases import BandFunction, Basis, Torus, toeplitz
from errsrc.bases.nonuniform import DIMS
from errsrc.errors import Undersampled
from errsrc.learners.learner import indicators
from errsrc.learners.spectral import SpectralLearner, truncated_inverse
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array

LARGE, LARGEST = 2**22, 2**28
"""Entries of the matrix of a torus's band at nodes from which on the equations are solved by iteration: where
n >= 2.5 M, and otherwise, for near n = M the condition number makes it slow and in the end less exact."""

OUTPUTS = 16
"""The most outputs with which the first number holds: iteration takes its time for each of them."""


@dataclass(frozen=True, eq=False)
class BandFit(BandFunction):
    """A function in a band with what its sampling says of it.

    Attributes
    ----------
    n
        Examples.
    condition
        Ratio of the sampling operator's largest singular value to its smallest, over the band's M
        functions, as the learner weighs them: relative errors of labels are amplified by up to as much.
        inf where n < M.  An estimate from inside where it comes from an iteration, and then with the ridge.
    residual
        Root mean square of what the fit leaves of the labels, relative to theirs.
    iterations
        Of conjugate gradients; 0 for a direct solution.
    enough
        Whether the examples determine the function: n >= M, and a condition number below 1 / rounding.
    status
        The same in a sentence.
    """

    n: int
    condition: float
    residual: float
    iterations: int
    enough: bool
    status: str


@dataclass(frozen=True)
class BandLeastSquares(SpectralLearner):
    """Least squares in the functions of a basis, the Nyquist learner of a known band.

    Without noise and ridge it is exact in general position from n = M examples on.  Of minimum norm where
    examples are fewer or nodes repeat.  A predictor's ``function`` is a `BandFit`.

    Attributes
    ----------
    basis
        The band.
    ridge
        Penalty on the coefficients' squares, >= 0, added as in `Ridge`.
    decay
        The penalty, and the norm that is least, weigh the square of a coefficient of degree k by
        max(k, 1)^decay: with more functions than examples, kernel regression with the eigenvalues
        max(k, 1)^-decay, an ordinary learner that is told smoothness.
    precision
        "float64", or "float32" for the solution of the equations.
    weights
        "uniform": all squared residuals count alike; or "density", on tori of up to three dimensions: those
        of nodes in crowded places less, which keeps the condition number, and the time, down.

    Notes
    -----
    Direct, by a singular value decomposition: n M min(n, M) flops.  On a torus from `LARGE` entries n M of
    the matrix on, and always with weights by density, iterative, by non-uniform transforms, to a relative
    error of 1e-12: see `errsrc.bases.toeplitz`.  Where that does not converge, as at nodes in clusters,
    it is direct after all, up to `LARGEST` entries.

    Warns
    -----
    Undersampled
        Where the examples do not determine the function, by number or by place, and there is no ridge.

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

    basis: Basis = field(default=Torus())
    ridge: float = 0.0
    decay: float = 0.0
    precision: str = "float64"
    weights: str = "uniform"

    def __post_init__(self) -> None:
        if not isinstance(self.basis, Basis):
            where = "BandLeastSquares"
            raise TypeError(checks.refusal("basis", where, "a basis of errsrc.bases", self.basis))
        checks.number(self.ridge, "ridge", "BandLeastSquares", 0)
        checks.number(self.decay, "decay", "BandLeastSquares", -100, 100)
        checks.choice(self.precision, "precision", "BandLeastSquares", ("float64", "float32"))
        checks.choice(self.weights, "weights", "BandLeastSquares", toeplitz.WEIGHTS)
        if self.weights == "density" and not self._transforms:
            accepted = "'uniform' but on a torus of 1 to 3 angles, in float64 and without decay"
            raise ValueError(checks.refusal("weights", "BandLeastSquares", accepted, self.weights))

    @property
    def _transforms(self) -> bool:
        """Whether there is a fast transform for the equations."""
        torus = isinstance(self.basis, Torus) and self.basis.dim in DIMS
        return torus and not self.decay and self.precision == "float64"

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.basis)

    def feature_map(self, x: Array) -> Array:
        """Return the functions of the basis at inputs x (N, dim), float64 (N, M)."""
        return self.basis(x)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return d / (d^2 + ridge), or 1 / d without ridge."""
        return d / (d**2 + self.ridge) if self.ridge else truncated_inverse(d, self._rounding(shape))

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the coefficients, see `SpectralLearner`."""
        one = self._iterated(x, labels)
        return self._solve(self.basis(x), labels)[0] if one is None else one.coefficients

    def _iterated(self, x: Array, labels: Array) -> toeplitz.ToeplitzSolution | None:
        """Return the solution by iteration; None where it is to be had directly."""
        entries, enough = len(x) * self.basis.size, len(x) >= 2.5 * self.basis.size
        few = labels.ndim == 1 or labels.shape[1] <= OUTPUTS
        large = self._transforms and entries >= (LARGE if enough and few else LARGEST)
        if not large and self.weights == "uniform":
            return None
        basis: Any = self.basis
        one = toeplitz.solve(basis, x, labels, self.ridge, self.weights)
        last = entries >= LARGEST or self.weights == "density"
        return one if last or one.converged else None

    def _rounding(self, shape: tuple[int, int]) -> float:
        return max(shape) * float(np.finfo(self.precision).eps)

    def _solve(self, features: Array, labels: Array) -> tuple[Array, Array]:
        """Return the coefficients, and the features' singular values, each feature weighted by its prior."""
        prior = np.maximum(self.basis.degrees, 1).astype(np.float64) ** (-self.decay / 2)
        matrix, right = (features * prior).astype(self.precision), labels.astype(self.precision)
        u, d, vt = svd(matrix, full_matrices=False, lapack_driver="gesvd")
        gains = self.gains(d, features.shape).astype(self.precision)
        return (((prior * vt).T * gains) @ (u.T @ right)).astype(np.float64), d

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> BandFit:
        labels, n, size = indicators(y), len(x), self.basis.size
        one = self._iterated(x, labels)
        if one is not None:
            enough = one.converged and n >= size and bool(np.isfinite(one.condition))
            if not enough and not self.ridge:
                warnings.warn(one.status, Undersampled, stacklevel=3)
            figures = (n, one.condition, one.residual, one.iterations, enough, one.status)
            return BandFit(self.basis, one.coefficients, *figures)
        features = self.basis(x)
        coefficients, d = self._solve(features, labels)
        cutoff = self._rounding(features.shape) * float(d[0])
        condition = float(d[0] / d[-1]) if n >= size and d[-1] > 0 else np.inf
        enough = n >= size and bool(d[-1] > cutoff)
        if enough:
            status = f"n = {n} examples determine the M = {size} functions, condition number {condition:.2g}."
        elif n >= size:
            rank = int((d > cutoff).sum())
            places = len(np.unique(x, axis=0))
            why = f"only {places} nodes are different" if places < n else "the nodes lie badly"
            status = f"n = {n} examples determine only {rank} of the M = {size} functions: {why}."
        else:
            status = f"n = {n} examples do not determine the M = {size} functions: {size} or more are needed."
        if not enough and not self.ridge:
            warnings.warn(f"{status} The fit is the one of least norm.", Undersampled, stacklevel=3)
        norm = float(np.linalg.norm(labels))
        left = float(np.linalg.norm(labels - features @ coefficients))
        return BandFit(
            self.basis, coefficients, n, condition, left / norm if norm else 0.0, 0, enough, status
        )
