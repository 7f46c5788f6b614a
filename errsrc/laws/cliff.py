"""The power law that ends in a cliff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Cliff(Law):
    """A power law up to the cliff at n_cliff; beyond the cliff the error falls faster than any power of n.

        e(n) = c_inf + a n^-alpha exp(-(n / n_cliff)^gamma)

    This is a power law cut off by a stretched exponential (Kohlrausch 1854).  With gamma = 1 the law is the
    power law with cut-off of Clauset, Shalizi and Newman 2009 (arXiv 0706.1062, table 2.1).

    Parameters
    ----------
    c_inf : float
        Limit of the error as n grows, in units of the error.
    a : float
        Amplitude, in units of error times n^alpha.
    alpha : float
        Exponent before the cliff.
    n_cliff : float
        The n at the cliff.  At this n the exponential factor is exp(-1).
    gamma : float
        Steepness of the cliff.  If c_inf = 0, the local exponent -d ln e / d ln n is alpha + gamma (n /
        n_cliff)^gamma.

    Examples
    --------
    >>> Cliff(c_inf=0.0, a=1.0, alpha=0.5, n_cliff=100.0, gamma=2.0).error(n=[1, 100]).round(4)
    array([0.9999, 0.0368])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n",)
    slopes: ClassVar[tuple[str, ...]] = ("gamma",)
    places: ClassVar[tuple[str, ...]] = ("n_cliff",)

    c_inf: float = floor((0.0, 1.0), unit={"error": 1})
    a: float = positive((0.1, 2.0), unit={"error": 1, "n": "alpha"})
    alpha: float = positive((0.05, 1.0), (1e-3, 8.0))
    n_cliff: float = positive((0.1, 30.0), (1e-3, 1e3), unit={"n": 1})
    gamma: float = positive((0.4, 3.0), (0.2, 20.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `c_inf`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n``, > 0, of any shape.
        """
        (n,) = self.input_arrays(inputs)
        with np.errstate(over="ignore", under="ignore"):
            fall = (n / self.n_cliff) ** self.gamma
            return self.c_inf + self.a * np.exp(-self.alpha * np.log(n) - fall)

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        import sympy

        n, c_inf, a, alpha = map(symbol, ("n", "c_inf", "a", "alpha"))
        n_cliff, gamma = map(symbol, ("n_cliff", "gamma"))
        return c_inf + a * n**-alpha * sympy.exp(-((n / n_cliff) ** gamma))
