"""Least squares, of minimum norm where the data do not determine it."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc import checks
from errsrc.learners.spectral import SpectralLearner, rounding_cutoff, truncated_inverse
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class MinimumNorm(SpectralLearner):
    """Linear regression without offset: of all w that minimise |y - X w|, the one of least norm.

    The limit of ridge regression at ridge 0, and of gradient descent from 0; interpolates for n <= dim.

    Attributes
    ----------
    cutoff
        Singular values at most this share of the largest count as 0; None for max(n, dim) times the
        machine epsilon, as `numpy.linalg.lstsq` has it.

    Examples
    --------
    >>> import numpy as np
    >>> f = MinimumNorm().fit(np.array([[1.0, 1.0]]), np.array([2.0]), np.random.default_rng(0))
    >>> f(np.eye(2))
    array([1., 1.])
    """

    cutoff: float | None = None

    def __post_init__(self) -> None:
        if self.cutoff is not None:
            checks.number(self.cutoff, "cutoff", "MinimumNorm", 0, 1, open_high=True)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return 1 / d, or 0 where d counts as 0."""
        return truncated_inverse(d, rounding_cutoff(shape) if self.cutoff is None else self.cutoff)
