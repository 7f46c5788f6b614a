"""Kernel ridge regression: the posterior mean of a Gaussian process with given kernel and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, solve

from errsrc.bases import KERNELS, kernel
from errsrc.fields import choice, number
from errsrc.learners.learner import LinearLearner
from errsrc.learners.spectral import truncated_inverse
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class KernelRidge(LinearLearner):
    """Kernel ridge regression: predictions k(at, X) (K + ridge I)^-1 y, where K = k(X, X).

    Here X are the inputs and y the labels of the examples, and `at` are the inputs of the predictions.  The
    predictions are the posterior mean of a Gaussian process with this kernel, if `ridge` is the noise
    variance divided by the variance of the process.

    Parameters
    ----------
    kernel : str
        Name of a kernel, one of ``errsrc.bases.KERNELS``.  Each kernel is 1 at distance 0.  "matern" with nu
        = 1/2 is the Laplace kernel.
    length : float
        Length scale of the kernel, > 0, in units of the inputs.
    nu : float
        Smoothness of the Matern kernel, > 0.
    ridge : float
        Penalty, >= 0, not divided by n.  With ridge 0, the predictions interpolate the labels.

    Notes
    -----
    A ridge of at most n^2 times the machine epsilon is smaller than the rounding errors.  For such a ridge,
    eigenvalues of K up to n^2 times the machine epsilon count as 0, and the predictor is the interpolant of
    smallest norm.  Cost: n^3 operations.

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    >>> KernelRidge("rbf", ridge=0.0).fit(x, y, np.random.default_rng(0))(x).round(12)
    array([0., 1.])
    """

    kernel: str = choice("rbf", KERNELS)
    length: float = number(1.0, above=0)
    nu: float = number(1.5, above=0)
    ridge: float = number(0.0, at_least=0)

    def features(self, x: Array, at: Array) -> Array:
        """Return the kernel values k(at, x), (N, n), for inputs `at` (N, dim) and examples x (n, dim)."""
        return kernel(at, x, self.kernel, self.length, self.nu)

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return (K + ridge I)^-1 labels, (n,) or (n, outputs), with K = k(x, x) for inputs x (n, dim)."""
        gram = self.features(x, x)
        lost_in_rounding = len(x) ** 2 * np.finfo(np.float64).eps
        if self.ridge > lost_in_rounding:
            gram[np.diag_indices_from(gram)] += self.ridge
            return np.asarray(solve(gram, labels, assume_a="pos"))
        values, vectors = eigh(gram)
        gains = truncated_inverse(values[::-1], lost_in_rounding / values[-1])[::-1]
        return np.asarray((vectors * gains) @ (vectors.T @ labels))
