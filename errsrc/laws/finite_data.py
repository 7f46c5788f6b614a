"""The law of models that see their training data more than once: data size, unique data and model size."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


def excess(ratio: Any) -> Any:
    """Return ratio - 1 if a ratio is above 1, and 0 otherwise.

    Parameters
    ----------
    ratio : array_like
        Numbers >= 0.
    """
    return np.maximum(ratio - 1.0, 0.0)


def counted(ratio: Any, reach: Any) -> Any:
    """Return the effective size of a quantity that counts in full only up to some size.

    All sizes are divided by the size up to which the quantity counts in full.  Up to a `ratio` of 1, the
    effective size is `ratio`.  Beyond 1, each further unit counts for less than the unit before, and the
    effective size approaches 1 + `reach`.

    Parameters
    ----------
    ratio, reach : array_like
        `ratio` is the size in these units, >= 0.  `reach` is the limit of what is added beyond 1, > 0.  The
        shapes must broadcast.
    """
    return np.minimum(ratio, 1.0) - reach * np.expm1(-excess(ratio) / reach)


def counted_slope(ratio: Any, reach: Any) -> Any:
    """Return the derivative of `counted` with respect to `ratio`.

    Parameters
    ----------
    ratio, reach : array_like
        The arguments of `counted`.
    """
    return np.exp(-excess(ratio) / reach)


def counted_growth(ratio: Any, reach: Any) -> Any:
    """Return the derivative of `counted` with respect to `reach`.

    Parameters
    ----------
    ratio, reach : array_like
        The arguments of `counted`.
    """
    passed = np.minimum(excess(ratio) / reach, 700.0)  # so that inf * 0 does not occur
    return -np.expm1(-passed) - passed * np.exp(-passed)


@functools.cache
def symbolic_functions() -> Any:
    """Return two sympy functions: `counted` with its exact derivatives, and `excess`."""
    import sympy

    class excess_of(sympy.Function):
        """The function `excess`, which contains no parameter and is never differentiated."""

        nargs = 1
        numpy: ClassVar[dict[str, Any]] = {"excess_of": excess}

    class counted_slope_of(sympy.Function):
        """The derivative of `counted` in the ratio."""

        nargs = 2

    class counted_growth_of(sympy.Function):
        """The derivative of `counted` in the reach."""

        nargs = 2

    class counted_of(sympy.Function):
        """The function `counted` of the ratio and the reach."""

        nargs = 2
        numpy: ClassVar[dict[str, Any]] = {
            "counted_of": counted,
            "counted_slope_of": counted_slope,
            "counted_growth_of": counted_growth,
        }

        def fdiff(self, argindex: int = 1) -> sympy.Expr:
            """Differentiate in the ratio or in the reach."""
            return (counted_slope_of if argindex == 1 else counted_growth_of)(*self.args)

    return counted_of, excess_of


@dataclass(frozen=True)
class FiniteData(Law):
    """The error of models with m parameters that are trained on n tokens, only u of them different.

        e = E + A m'^-alpha + B n'^-beta + P (n / u - 1) m / u
        n' = u (1 + r_n (1 - exp(-(n / u - 1) / r_n)))
        m' = v (1 + r_m (1 - exp(-(m / v - 1) / r_m)))
        v  = (alpha A / (beta B))^(1 / alpha) u^(beta / alpha)

    The first three terms are the law of Muennighoff et al. 2023 (arXiv 2305.16264, eq. 5, 6 and 17).  In this
    law, repeated tokens count for less than new tokens, and together never for more than r_n * u tokens.
    Parameters beyond v count for less, too.  Here v is the compute-optimal number of parameters for u tokens
    that are seen once.  Where n <= u, n' is n; where m <= v, m' is m.  If r_n and r_m are large, the first
    three terms are the law `Chinchilla`.

    The last term is the overfitting of Lovelace et al. 2026 (arXiv 2605.01640), with all exponents 1.  This
    term rises with the number of repetitions and with the number of parameters per different token.  It is 0
    where n <= u.  Without this term the error never rises with n, although measured errors rise after many
    repetitions.  ``fixed={"P": 0}`` leaves the term out.

    Parameters
    ----------
    E : float
        Irreducible loss, in units of the error.
    A : float
        Amplitude of the model term, in units of error times m^alpha.
    B : float
        Amplitude of the data term, in units of error times n^beta.
    alpha : float
        Exponent of the model size.
    beta : float
        Exponent of the data size.
    r_n : float
        Number of repetitions of the data, > 0, after which further repetitions count for little.  The paper
        calls it R_D^*.
    r_m : float
        Limit of the effective number of parameters beyond v, > 0, in units of v: all parameters beyond v
        together count for at most r_m * v parameters.  The paper calls it R_N^*.
    P : float
        Amplitude of the overfitting, in units of error times n / m.

    Examples
    --------
    The law that Muennighoff et al. fitted to their runs on C4.  Four epochs on 25 billion tokens are nearly
    as good as 100 billion different tokens, but 40 epochs on 2.5 billion tokens are not:

    >>> law = FiniteData(E=1.87, A=521, B=1488, alpha=0.353, beta=0.353, r_n=15.4, r_m=5.31)
    >>> law.error(n=100e9, u=[100e9, 25e9, 2.5e9], m=2.8e9).round(2)
    array([2.31, 2.32, 2.52])
    """

    inputs: ClassVar[tuple[str, ...]] = ("n", "u", "m")
    shared_units: ClassVar[Mapping[str, str]] = {"u": "n"}
    data_exponent_name: ClassVar[str | None] = "beta"
    model_exponent_name: ClassVar[str | None] = "alpha"

    E: float = floor((0.0, 1.0), unit={"error": 1})
    A: float = positive((0.01, 1.0), unit={"error": 1, "m": "alpha"})
    B: float = positive((0.01, 1.0), unit={"error": 1, "n": "beta"})
    alpha: float = positive((0.05, 1.5), (1e-2, 8.0))
    beta: float = positive((0.05, 1.5), (1e-2, 8.0))
    r_n: float = positive((1.0, 50.0), (1e-2, 1e6))
    r_m: float = positive((1.0, 50.0), (1e-2, 1e6))
    P: float = floor((0.0, 0.01), unit={"error": 1, "n": 1, "m": -1}, default=0.0)

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `E`.

        Parameters
        ----------
        **inputs : array_like
            The number ``n`` of tokens that the model is trained on, the number ``u`` of different tokens
            among them, and the model size ``m``.  All are numbers > 0, of shapes that broadcast.
        """
        n, u, m = self.input_arrays(inputs)
        full = (self.alpha * self.A / (self.beta * self.B)) ** (1 / self.alpha) * u ** (
            self.beta / self.alpha
        )
        tokens = np.where(n <= u, n, u * (1 - self.r_n * np.expm1(-(n / u - 1) / self.r_n)))
        weights = np.where(m <= full, m, full * (1 - self.r_m * np.expm1(-(m / full - 1) / self.r_m)))
        overfitting = self.P * excess(n / u) * m / u
        return self.E + self.A * weights**-self.alpha + self.B * tokens**-self.beta + overfitting

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression, in the effective sizes of `symbolic_functions`."""
        from sympy import exp, log

        count, above = symbolic_functions()
        n, u, m, E, A, B, alpha, beta, P = map(symbol, ("n", "u", "m", "E", "A", "B", "alpha", "beta", "P"))
        log_full = (log(alpha * A) - log(beta * B) + beta * log(u)) / alpha
        weights = exp(log_full) * count(m * exp(-log_full), symbol("r_m"))
        tokens = u * count(n / u, symbol("r_n"))
        overfitting = P * above(n / u) * m / u
        return E + A * weights**-alpha + B * tokens**-beta + overfitting

    @classmethod
    def equation(cls) -> str:
        """Return the law as a line of text, with the effective sizes m' and n'."""
        return "error = E + A/m'**alpha + B/n'**beta + P*(n/u - 1)*m/u"

    @classmethod
    def latex(cls) -> str:
        """Return the formula in LaTeX, with the effective sizes m' and n'."""
        overfitting = r"P \left(\frac{n}{u} - 1\right)_{+} \frac{m}{u}"
        return rf"E + A m'^{{- \alpha}} + B n'^{{- \beta}} + {overfitting}"
