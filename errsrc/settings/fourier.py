"""Fourier teachers on the circle: band-limited, or with a spectrum that only decays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from errsrc import checks
from errsrc.bases import fourier
from errsrc.results import Interval
from errsrc.settings.classes import AllFunctions, Band, FunctionClass
from errsrc.settings.setting import Array, GaussianSetting, Predictor, Quadrature


@dataclass(frozen=True)
class FourierTeacher(GaussianSetting):
    """A random trigonometric polynomial of angles drawn uniformly (DESIGN: exact setting 2).

    Coefficients in the real orthonormal basis are independent normal; those of frequency k have variance in
    proportion to max(k, 1)^-decay, and the target variance is 1.

    Attributes
    ----------
    degree
        The largest frequency.
    decay
        Decay of the coefficients' variances.
    channel
        `Clean` or `Gaussian`.

    Examples
    --------
    The share of the variance at frequencies 2 and 3, which a student of degree 1 cannot express:

    >>> print(FourierTeacher(degree=3).realizability(Band(1)))
    0.571429
    """

    degree: int
    decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.integer(self.degree, "degree", "FourierTeacher", 0)
        checks.number(self.decay, "decay", "FourierTeacher")

    @property
    def variances(self) -> Array:
        """Prior variances of the coefficients, float64 (2 degree + 1,)."""
        k = (np.arange(2 * self.degree + 1) + 1) // 2
        raw = np.maximum(k, 1.0) ** -self.decay
        return raw / raw.sum()

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw angles from [0, 2 pi), float64 (count, 1)."""
        return rng.uniform(0, 2 * np.pi, (count, 1))

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior."""
        coefficients = rng.standard_normal(2 * self.degree + 1) * np.sqrt(self.variances)
        return lambda x: fourier(x, self.degree) @ coefficients

    def roots(self, *points: Array) -> list[Array]:
        """Return the basis, scaled by the coefficients' standard deviations."""
        return [fourier(x, self.degree) * np.sqrt(self.variances) for x in points]

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return an even grid, exact for trigonometric polynomials."""
        if not isinstance(function_class, Band):
            return super().quadrature(function_class, rng, count)
        size = 2 * max(self.degree, function_class.degree) + 1
        points = 2 * np.pi * np.arange(size)[:, None] / size
        return Quadrature(points, np.full(size, 1 / size), exact=True)

    def basis(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return the Fourier basis of a band."""
        if isinstance(function_class, Band):
            return fourier(points, function_class.degree)
        return super().basis(function_class, points)

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the prior variance outside the band (Parseval)."""
        if isinstance(function_class, (AllFunctions, Band)):
            inside = function_class.band_size if isinstance(function_class, Band) else None
            outside = float(self.variances[inside:].sum()) if inside is not None else 0.0
            return Interval(outside, outside, outside, 0.95)
        return super().realizability(function_class)
