"""The smoothly broken power law with one break."""

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
class Broken(Law):
    """A power law with a floor and with an exponent that changes once.

        e(n) = a + b n^-c0 (1 + (n / d1)^(1 / f1))^(-c1 f1)

    (Caballero et al. 2023, arXiv 2210.14891, eq. 1.)

    Parameters
    ----------
    a : float
        Limit of the error as n grows, in units of the error.
    b : float
        Amplitude before the break, in units of error times n^c0.
    c0 : float
        Exponent before the break.
    c1 : float
        Change of the exponent at the break, positive or negative.  After the break the exponent is c0 + c1.
    d1 : float
        The n at the break.
    f1 : float
        Width of the break in ln n; a small width is a sharp break.

    Examples
    --------
    >>> Broken(a=0.0, b=1.0, c0=0.5, c1=0.5, d1=100.0, f1=0.05).error(n=[1, 1e4]).round(4)
    array([1.   , 0.001])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n",)
    data_exponent_name: ClassVar[str] = "c0"

    a: float = floor((0.0, 1.0), unit={"error": 1})
    b: float = positive((0.1, 2.0), unit={"error": 1, "n": "c0"})
    c0: float = positive((0.02, 1.0), (1e-4, 8.0))
    c1: float = real((-0.3, 1.0), (-4.0, 8.0))
    d1: float = positive((0.03, 30.0), (1e-3, 1e3), unit={"n": 1})
    f1: float = positive((0.1, 2.0), (0.05, 10.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `a`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n``, > 0, of any shape.
        """
        (n,) = self.input_arrays(inputs)
        log_bend = np.logaddexp(0.0, np.log(n / self.d1) / self.f1)
        return self.a + self.b * np.exp(-self.c0 * np.log(n) - self.c1 * self.f1 * log_bend)

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        n, a, b, c0, d1, f1 = map(symbol, ("n", "a", "b", "c0", "d1", "f1"))
        c1 = symbol("c1")
        return a + b * n**-c0 * (1 + (n / d1) ** (1 / f1)) ** (-c1 * f1)
