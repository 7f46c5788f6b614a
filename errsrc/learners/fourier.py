"""Least squares in a Fourier band."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc import checks
from errsrc.bases import fourier
from errsrc.learners.spectral import SpectralLearner, inverse, rounding
from errsrc.settings import Band, FunctionClass
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class FourierLeastSquares(SpectralLearner):
    """Least squares in trigonometric polynomials of angles, frequencies up to ``degree``.

    In the orthonormal basis of `errsrc.bases.fourier`, M = 2 degree + 1 coefficients; of minimum norm where
    n < M or nodes repeat.  Inputs are (n, 1), angles in radians; 2 pi apart is the same point.

    Attributes
    ----------
    degree
        The largest frequency, >= 0.
    ridge
        Penalty on the coefficients' squares, >= 0, added as in `Ridge`.

    Examples
    --------
    Three nodes determine a polynomial of degree 1:

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.5]])
    >>> f = FourierLeastSquares(1).fit(x, np.sin(x[:, 0]), np.random.default_rng(0))
    >>> f(np.array([[np.pi / 2]])).round(12)
    array([1.])
    """

    degree: int = 3
    ridge: float = 0.0

    def __post_init__(self) -> None:
        checks.integer(self.degree, "degree", "FourierLeastSquares", 0)
        checks.number(self.ridge, "ridge", "FourierLeastSquares", 0)

    @property
    def function_class(self) -> FunctionClass:
        """The band."""
        return Band(self.degree)

    def basis(self, x: Array) -> Array:
        """Return the Fourier basis at angles (N, 1)."""
        if x.shape[1] != 1:
            accepted = "angles of shape (n, 1)"
            raise ValueError(checks.refusal("x", "FourierLeastSquares", accepted, f"<shape {x.shape}>"))
        return fourier(x, self.degree)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return d / (d^2 + ridge), or 1 / d without ridge."""
        return d / (d**2 + self.ridge) if self.ridge else inverse(d, rounding(shape))
