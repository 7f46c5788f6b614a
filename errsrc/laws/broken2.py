"""The smoothly broken power law with two breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive, real

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Broken2(Law):
    """A power law with a floor and with an exponent that changes twice.

        e(n) = a + b n^-c0 (1 + (n / d1)^(1 / f1))^(-c1 f1) (1 + (n / d2)^(1 / f2))^(-c2 f2)

    (Caballero et al. 2023, arXiv 2210.14891, eq. 1.)  The second break is at d2 = d1 times `spacing`, so that
    the breaks are in order.  With c2 = 0 the law is `Broken`.

    Parameters
    ----------
    a : float
        Limit of the error as n grows, in units of the error.
    b : float
        Amplitude before the first break, in units of error times n^c0.
    c0 : float
        Exponent before the first break.
    c1, c2 : float
        Changes of the exponent at the breaks, positive or negative.  The exponent is c0 + c1 between the
        breaks, and c0 + c1 + c2 after both.
    d1 : float
        The n at the first break.
    spacing : float
        The n at the second break, as a multiple of d1.
    f1, f2 : float
        Widths of the breaks in ln n; a small width is a sharp break.

    Examples
    --------
    >>> law = Broken2(a=0, b=1, c0=0.5, c1=-0.5, d1=100, f1=0.05, c2=1, spacing=100, f2=0.05)
    >>> law.error(n=[1, 100, 1e4, 1e6]).round(3)
    array([1.   , 0.102, 0.097, 0.001])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n",)
    data_exponent_name: ClassVar[str] = "c0"

    a: float = floor((0.0, 1.0), unit={"error": 1})
    b: float = positive((0.1, 2.0), unit={"error": 1, "n": "c0"})
    c0: float = positive((0.02, 1.0), (1e-4, 8.0))
    c1: float = real((0.1, 1.0), (-4.0, 8.0))
    d1: float = positive((0.02, 1.0), (1e-3, 1e3), unit={"n": 1})
    f1: float = positive((0.1, 1.0), (0.05, 10.0))
    c2: float = real((0.1, 1.0), (-4.0, 8.0))
    spacing: float = positive((5.0, 100.0), (1.0, 1e6))
    f2: float = positive((0.1, 1.0), (0.05, 10.0))

    @property
    def d2(self) -> float:
        """The n at the second break."""
        return self.d1 * self.spacing

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `a`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n``, > 0, of any shape.
        """
        (n,) = self.input_arrays(inputs)
        first = self.c1 * self.f1 * np.logaddexp(0.0, np.log(n / self.d1) / self.f1)
        second = self.c2 * self.f2 * np.logaddexp(0.0, np.log(n / self.d2) / self.f2)
        return self.a + self.b * np.exp(-self.c0 * np.log(n) - first - second)

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        n, a, b, c0, d1, f1, spacing, f2 = map(symbol, ("n", "a", "b", "c0", "d1", "f1", "spacing", "f2"))
        first = (1 + (n / d1) ** (1 / f1)) ** (-symbol("c1") * f1)
        second = (1 + (n / (d1 * spacing)) ** (1 / f2)) ** (-symbol("c2") * f2)
        return a + b * n**-c0 * first * second
