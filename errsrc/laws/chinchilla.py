"""The additive law of compute-optimal language modelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Chinchilla(Law):
    """The sum of a floor, a power law in the model size and a power law in the data size.

        e(n, m) = E + A m^-alpha + B n^-beta

    (Hoffmann et al. 2022, arXiv 2203.15556, eq. 2.)  Here alpha is the exponent of the *model* size m, and
    beta is the exponent of the data size n.  In the law `Dense` (Rosenfeld et al. 2020), alpha belongs to n
    and beta to m.  The attributes `data_exponent` and `model_exponent` mean the same in every law.

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

    Examples
    --------
    >>> law = Chinchilla(E=1.8172, A=477.8, B=2143.5, alpha=0.3473, beta=0.3672)
    >>> round(float(law.error(n=1.4e12, m=70e9)), 3)
    1.973
    """

    inputs: ClassVar[tuple[str, ...]] = ("n", "m")
    data_exponent_name: ClassVar[str | None] = "beta"
    model_exponent_name: ClassVar[str | None] = "alpha"

    E: float = floor((0.0, 1.0), unit={"error": 1})
    A: float = positive((0.01, 1.0), unit={"error": 1, "m": "alpha"})
    B: float = positive((0.01, 1.0), unit={"error": 1, "n": "beta"})
    alpha: float = positive((0.05, 1.5), (1e-3, 8.0))
    beta: float = positive((0.05, 1.5), (1e-3, 8.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `E`.

        Parameters
        ----------
        **inputs : array_like
            The data size ``n`` and the model size ``m``, > 0, of shapes that broadcast.
        """
        n, m = self.input_arrays(inputs)
        return self.E + self.A * m**-self.alpha + self.B * n**-self.beta

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        n, m, E, A, B, alpha, beta = map(symbol, ("n", "m", "E", "A", "B", "alpha", "beta"))
        return E + A * m**-alpha + B * n**-beta
