"""The coupled law of data size and model size, up to the error of a random guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc.laws.coupled import COUPLING_PRIOR
from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class CoupledDense(Law):
    """The coupled law of data size and model size, up to the error of a random guess.

    With x = n / n_full and y = m / m_base,

        e~ = (x^(-alpha / k) + (b y^-beta)^(1 / k))^k + c_inf,     e = eps0 | e~ / (e~ - i eta) |

    At k = 1 this is the joint law of Rosenfeld et al. 2020 (`Dense`).  As k falls to 0, only the larger of
    the two terms x^-alpha and b y^-beta counts, as in `Coupled`.  The values of b, c_inf and eta depend on
    the units n_full and m_base; eps0, k and the exponents do not.

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
        Floor of e~, which is the two terms together, plus c_inf.
    eta : float
        Value of e~ around which the law changes from power laws to the error of a random guess.
    k : float
        Coupling of the two terms, > 0, without a unit.  If k = 1, the terms are added.  If k is near 0, the
        larger term counts alone.
    n_full, m_base : float
        Units in which n and m are counted, > 0.  By default, both units are 1.

    Examples
    --------
    >>> law = CoupledDense(eps0=0.9, alpha=0.5, beta=0.5, b=1.0, c_inf=0.0, eta=10.0, k=0.5)
    >>> round(float(law.error(n=1.0, m=1.0)), 4)
    0.126
    """

    inputs: ClassVar[tuple[str, ...]] = ("n", "m")
    references: ClassVar[dict[str, str]] = {"n": "n_full", "m": "m_base"}
    largest_error_name: ClassVar[str | None] = "eps0"
    priors: ClassVar[Mapping[str, tuple[float, float]]] = COUPLING_PRIOR
    model_exponent_name: ClassVar[str | None] = "beta"

    eps0: float = positive((1.0, 10.0), unit={"error": 1})
    alpha: float = positive((0.1, 1.5), (1e-3, 8.0))
    beta: float = positive((0.1, 1.5), (1e-3, 8.0))
    b: float = positive((0.1, 10.0), unit={"m": "beta", "n": "-alpha"})
    c_inf: float = floor((0.0, 3.0), unit={"n": "-alpha"})
    eta: float = positive((0.3, 30.0), unit={"n": "-alpha"})
    k: float = positive((0.2, 1.2), (0.05, 3.0))
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
        with np.errstate(divide="ignore"):
            model = np.log(self.b) - self.beta * np.log(y)
        data = -self.alpha * np.log(x)
        e = np.exp(self.k * np.logaddexp(data / self.k, model / self.k)) + self.c_inf
        return np.asarray(self.eps0 * e / np.hypot(e, self.eta))

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        from sympy import exp, log, sqrt
        from sympy.codegen.numpy_nodes import logaddexp

        x, y, eps0, alpha, beta, b, c_inf, eta, k = map(
            symbol, ("n", "m", "eps0", "alpha", "beta", "b", "c_inf", "eta", "k")
        )
        e = exp(k * logaddexp(-alpha * log(x) / k, (log(b) - beta * log(y)) / k)) + c_inf
        return eps0 * e / sqrt(e**2 + eta**2)

    @classmethod
    def equation(cls) -> str:
        """Return the law as a line of text."""
        return "error = eps0*e/sqrt(e**2 + eta**2), e = (n**(-alpha/k) + (b/m**beta)**(1/k))**k + c_inf"

    @classmethod
    def latex(cls) -> str:
        """Return the formula in LaTeX."""
        e = r"\left(n^{-\alpha / k} + \left(b m^{-\beta}\right)^{1 / k}\right)^{k} + c_\infty"
        return r"\frac{\varepsilon_0 \tilde{e}}{\sqrt{\tilde{e}^{2} + \eta^{2}}},\ \tilde{e} = " + e
