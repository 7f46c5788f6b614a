"""The law of data size and model size between a sum and a maximum of its two terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


COUPLING_PRIOR = {"k": (0.5, 0.5)}
"""The weak prior on k, log-normal: its median, and the standard deviation of its logarithm.

In 19 published grids k is 0.22 to 1.65, with a geometric mean of 0.47 and a standard deviation of ln k of 0.5
(`python benchmarks/forecasts.py`, part d)."""


@dataclass(frozen=True)
class Coupled(Law):
    """A floor plus a coupling of a power law in the model size and a power law in the data size.

        e(n, m) = E + ((A m^-alpha)^(1/k) + (B n^-beta)^(1/k))^k

    At k = 1 this is the additive law of Hoffmann et al. 2022 (`Chinchilla`).  At k = beta and E = 0 it is the
    joint law of Kaplan et al. 2020 (arXiv 2001.08361, eq. 1.5).  As k falls to 0, the error becomes E plus
    the larger of the two terms.  A fitted k with its interval therefore says whether the two terms add up, or
    whether only the larger one counts.

    Parameters
    ----------
    E : float
        Irreducible loss, in units of the error.
    A : float
        Amplitude of the model term, in units of error times m^alpha.
    B : float
        Amplitude of the data term, in units of error times n^beta.
    alpha : float
        Exponent of m.
    beta : float
        Exponent of n.
    k : float
        Coupling of the two terms, > 0, without a unit.  If k = 1, the terms are added.  If k is near 0, the
        larger term counts alone.

    Examples
    --------
    >>> law = Coupled(E=0.0, A=1.0, B=1.0, alpha=0.5, beta=0.5, k=0.5)
    >>> round(float(law.error(n=16.0, m=16.0)), 4)
    0.3536
    """

    inputs: ClassVar[tuple[str, ...]] = ("n", "m")
    data_exponent_name: ClassVar[str | None] = "beta"
    priors: ClassVar[Mapping[str, tuple[float, float]]] = COUPLING_PRIOR
    model_exponent_name: ClassVar[str | None] = "alpha"

    E: float = floor((0.0, 1.0), unit={"error": 1})
    A: float = positive((0.01, 1.0), unit={"error": 1, "m": "alpha"})
    B: float = positive((0.01, 1.0), unit={"error": 1, "n": "beta"})
    alpha: float = positive((0.05, 1.5), (1e-3, 8.0))
    beta: float = positive((0.05, 1.5), (1e-3, 8.0))
    k: float = positive((0.2, 1.2), (0.05, 3.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `E`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n`` and the model size ``m``, > 0, of shapes that broadcast.
        """
        n, m = self.input_arrays(inputs)
        with np.errstate(divide="ignore"):
            model = np.log(self.A) - self.alpha * np.log(m)
            data = np.log(self.B) - self.beta * np.log(n)
        with np.errstate(invalid="ignore"):
            coupled = self.k * np.logaddexp(model / self.k, data / self.k)
        return self.E + np.exp(coupled)

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        from sympy import exp, log
        from sympy.codegen.numpy_nodes import logaddexp

        n, m, E, A, B, alpha, beta, k = map(symbol, ("n", "m", "E", "A", "B", "alpha", "beta", "k"))
        model, data = log(A) - alpha * log(m), log(B) - beta * log(n)
        return E + exp(k * logaddexp(model / k, data / k))

    @classmethod
    def equation(cls) -> str:
        """Return the law as a line of text."""
        return "error = E + ((A/m**alpha)**(1/k) + (B/n**beta)**(1/k))**k"

    @classmethod
    def latex(cls) -> str:
        """Return the formula in LaTeX."""
        return r"E + \left(\left(A m^{-\alpha}\right)^{1/k} + \left(B n^{-\beta}\right)^{1/k}\right)^{k}"
