"""The joint law of dense networks in data size and model size."""

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
class Dense(Law):
    """The joint law of dense networks in data size and model size, up to the error of a random guess.

    With x = n / n_full and y = m / m_base,

        e~ = x^-alpha + b y^-beta + c_inf,     e = eps0 | e~ / (e~ - i eta) |

    (Rosenfeld et al. 2020, arXiv 1909.12673, eqs. 4 and 5).  Where e~ is much larger than eta, the error is
    about eps0, the error of a random guess.  Where e~ is much smaller than eta, the error is about eps0 e~ /
    eta, a sum of power laws.  The constants n_full and m_base are the units of n and m.  The values of b,
    c_inf and eta depend on these units; eps0 and the exponents do not.

    Parameters
    ----------
    eps0 : float
        Error of a random guess, in units of the error.
    alpha : float
        Exponent of n.
    beta : float
        Exponent of m.
    b : float
        The model term, b (m / m_base)^-beta, at m = m_base.  The data term, (n / n_full)^-alpha, is 1 at n =
        n_full.
    c_inf : float
        Floor of e~, the sum of the data term, the model term and c_inf.
    eta : float
        Value of e~ around which the law changes from power laws to the error of a random guess.
    n_full, m_base : float
        Units in which n and m are counted, > 0.  By default, both units are 1.

    Examples
    --------
    CIFAR-10 in Table 2 of the paper, where n and m are fractions of the full data set and the largest model:

    >>> law = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.0587, c_inf=0.0, eta=19.77)
    >>> round(float(law.error(n=1.0, m=1.0)), 3)
    0.048
    """

    inputs: ClassVar[tuple[str, ...]] = ("n", "m")
    references: ClassVar[dict[str, str]] = {"n": "n_full", "m": "m_base"}
    largest_error_name: ClassVar[str | None] = "eps0"
    model_exponent_name: ClassVar[str | None] = "beta"

    eps0: float = positive((1.0, 10.0), unit={"error": 1})
    alpha: float = positive((0.1, 1.5), (1e-3, 8.0))
    beta: float = positive((0.1, 1.5), (1e-3, 8.0))
    b: float = positive((0.1, 10.0), unit={"m": "beta", "n": "-alpha"})
    c_inf: float = floor((0.0, 3.0), unit={"n": "-alpha"})
    eta: float = positive((0.3, 30.0), unit={"n": "-alpha"})
    n_full: float = 1.0
    m_base: float = 1.0

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `eps0`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n`` and the model size ``m``, > 0, of shapes that broadcast.
        """
        x, y = self.input_arrays(inputs)
        rising = x**-self.alpha + self.b * y**-self.beta + self.c_inf
        return self.eps0 * np.abs(rising / (rising - 1j * self.eta))

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression in x = n / n_full and y = m / m_base."""
        import sympy

        names = ("n", "m", "eps0", "alpha", "beta", "b", "c_inf", "eta")
        x, y, eps0, alpha, beta, b, c_inf, eta = map(symbol, names)
        rising = x**-alpha + b * y**-beta + c_inf
        return eps0 * rising / sympy.sqrt(rising**2 + eta**2)
