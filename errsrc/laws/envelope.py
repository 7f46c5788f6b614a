"""The power law in the data size, with a floor and a transition to the error of a random guess."""

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
class Envelope(Law):
    """The power law in the data size with a floor, up to the error of a random guess.

    With x = n / n_full,

        e~ = x^-alpha + c_inf,     e = eps0 | e~ / (e~ - i eta) |.

    This is the law `Dense` at a fixed model size (Rosenfeld et al. 2020, arXiv 1909.12673, eqs. 4 and 5).

    Parameters
    ----------
    eps0 : float
        Error of a random guess, in units of the error.
    alpha : float
        Exponent of n.
    c_inf : float
        Floor of e~, the sum of the data term, (n / n_full)^-alpha, and c_inf.
    eta : float
        Value of e~ around which the law changes from the power law to the error of a random guess.
    n_full : float
        Unit in which n is counted, > 0.  By default, the unit is 1.

    Examples
    --------
    >>> law = Envelope(eps0=0.9, alpha=0.5, c_inf=0.0, eta=0.1)
    >>> law.error(n=[1, 1e6]).round(4)
    array([0.8955, 0.009 ])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n",)
    references: ClassVar[dict[str, str]] = {"n": "n_full"}
    largest_error_name: ClassVar[str | None] = "eps0"

    eps0: float = positive((1.0, 10.0), unit={"error": 1})
    alpha: float = positive((0.1, 1.5), (1e-3, 8.0))
    c_inf: float = floor((0.0, 3.0), unit={"n": "-alpha"})
    eta: float = positive((0.3, 30.0), unit={"n": "-alpha"})
    n_full: float = 1.0

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `eps0`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n``, > 0, of any shape.
        """
        (x,) = self.input_arrays(inputs)
        rising = x**-self.alpha + self.c_inf
        return self.eps0 * np.abs(rising / (rising - 1j * self.eta))

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression in x = n / n_full."""
        import sympy

        x, eps0, alpha, c_inf, eta = map(symbol, ("n", "eps0", "alpha", "c_inf", "eta"))
        rising = x**-alpha + c_inf
        return eps0 * rising / sympy.sqrt(rising**2 + eta**2)
