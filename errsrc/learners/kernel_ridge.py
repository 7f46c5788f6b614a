"""Kernel ridge regression, the posterior mean of a Gaussian process of given kernel and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, solve

from errsrc import checks
from errsrc.bases import KERNELS, kernel
from errsrc.learners.learner import LinearLearner
from errsrc.learners.spectral import truncated_inverse
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class KernelRidge(LinearLearner):
    """Predictions k(at, X) (K + ridge I)^-1 y.

    With the process's own kernel, and the noise variance over the process's as ``ridge``, this is the
    posterior mean of a Gaussian process.

    Attributes
    ----------
    kernel
        One of `errsrc.bases.KERNELS`, of value 1 at distance 0; "matern" with nu = 1/2 is the Laplace kernel.
    length
        Its length scale, > 0.
    nu
        Smoothness of the Matern kernel, > 0.
    ridge
        >= 0, not divided by n; with 0 predictions interpolate.

    Notes
    -----
    Where rounding hides the ridge (at most n^2 times the machine epsilon), eigenvalues of K at most that
    count as 0, so that the function is the one of least norm.  Cost: n^3.

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    >>> KernelRidge("rbf", ridge=0.0).fit(x, y, np.random.default_rng(0))(x).round(12)
    array([0., 1.])
    """

    kernel: str = "rbf"
    length: float = 1.0
    nu: float = 1.5
    ridge: float = 0.0

    def __post_init__(self) -> None:
        where = "KernelRidge"
        checks.choice(self.kernel, "kernel", where, KERNELS)
        checks.number(self.length, "length", where, 0, open_low=True)
        checks.number(self.nu, "nu", where, 0, open_low=True)
        checks.number(self.ridge, "ridge", where, 0)

    def features(self, x: Array, at: Array) -> Array:
        """Return k(at, x)."""
        return kernel(at, x, self.kernel, self.length, self.nu)

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return (K + ridge I)^-1 labels."""
        gram = self.features(x, x)
        lost = len(x) ** 2 * np.finfo(np.float64).eps
        if self.ridge > lost:
            gram[np.diag_indices_from(gram)] += self.ridge
            return np.asarray(solve(gram, labels, assume_a="pos"))
        values, vectors = eigh(gram)
        gains = truncated_inverse(values[::-1], lost / values[-1])[::-1]
        return np.asarray((vectors * gains) @ (vectors.T @ labels))
