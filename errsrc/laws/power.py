"""The power law with a floor, in one input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Power(Law):
    """The power law in the data size, with a floor.

        e(n) = c_inf + a n^-alpha

    (Hestness et al. 2017, arXiv 1712.00409, eq. 1.)

    Parameters
    ----------
    c_inf : float
        Limit of the error as n grows, in units of the error.
    a : float
        Amplitude, in units of error times n^alpha.
    alpha : float
        Exponent of n.

    Examples
    --------
    >>> Power(c_inf=0.1, a=2.0, alpha=0.5).error(n=[4, 100])
    array([1.1, 0.3])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n",)

    c_inf: float = floor((0.0, 1.0), unit={"error": 1})
    a: float = positive((0.1, 2.0), unit={"error": 1, "n": "alpha"})
    alpha: float = positive((0.05, 1.5), (1e-3, 8.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `c_inf`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n``, > 0, of any shape.
        """
        (n,) = self.input_arrays(inputs)
        return self.c_inf + self.a * n**-self.alpha

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        n, c_inf, a, alpha = map(symbol, ("n", "c_inf", "a", "alpha"))
        return c_inf + a * n**-alpha
