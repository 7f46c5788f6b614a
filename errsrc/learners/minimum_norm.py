"""Least squares; if there are several solutions, the solution of minimum norm."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc.fields import number
from errsrc.learners.spectral import SpectralLearner, rounding_cutoff, truncated_inverse
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class MinimumNorm(SpectralLearner):
    """Linear regression without offset: the w of smallest norm among all w that minimise |y - X w|.

    This learner is the limit of ridge regression as the ridge goes to 0, and the limit of gradient descent
    from 0.  For n <= dim, it interpolates the labels.

    Parameters
    ----------
    cutoff : float, optional
        Singular values count as 0 if they are at most `cutoff` times the largest one; in [0, 1).  By default,
        `cutoff` is max(n, dim) times the machine epsilon, as in `numpy.linalg.lstsq`.

    Examples
    --------
    >>> import numpy as np
    >>> f = MinimumNorm().fit(np.array([[1.0, 1.0]]), np.array([2.0]), np.random.default_rng(0))
    >>> f(np.eye(2))
    array([1., 1.])
    """

    cutoff: float | None = number(None, at_least=0, below=1)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return 1 / d for singular values d (p,), and 0 for singular values that count as 0."""
        return truncated_inverse(d, rounding_cutoff(shape) if self.cutoff is None else self.cutoff)
