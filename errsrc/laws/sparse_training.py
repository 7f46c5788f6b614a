"""The law of networks that are trained sparse: density, data size and number of non-zero parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import floor, positive

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class SparseTraining(Law):
    """The error of networks that are pruned while they are trained.

        e = (a_S density^b_S + c_S) m^-b_N + (a_D / n)^b_D + c

    (Frantar et al. 2023, arXiv 2309.08520, eq. 1, where the density is 1 - S).  Here m is the number of
    *non-zero* parameters.  Of two networks with equal m, the sparser one has the lower error, because it is
    part of a larger network.

    The paper writes the second term with a_D, a number of examples.  The parameter here is the amplitude
    B = a_D^b_D, as in `Chinchilla`; `a_D` returns the paper's number.

    Parameters
    ----------
    a_S : float
        Amplitude of the part of the model term that vanishes at density 0, in units of error times m^b_N.
    b_S : float
        Exponent of the density.
    c_S : float
        Amplitude of the model term at density 0, in units of error times m^b_N.
    b_N : float
        Exponent of the number of non-zero parameters.
    B : float
        Amplitude of the data term, in units of error times n^b_D.
    b_D : float
        Exponent of the number of training examples.
    c : float
        Irreducible error, in units of the error.

    Examples
    --------
    The paper's vision transformers, 42 million non-zero parameters trained on 1.8 billion images: at density
    1 the measured loss is 5.448, at density 0.25 it is 5.373.

    >>> law = SparseTraining(a_S=294, b_S=0.821, c_S=468, b_N=0.392, B=2.37e8**0.890, b_D=0.890, c=4.517)
    >>> law.error(density=[1.0, 0.25], n=1.8e9, m=42_467_328).round(2)
    array([5.46, 5.26])
    """

    inputs: ClassVar[tuple[str, ...]] = ("density", "n", "m")
    at_most: ClassVar[Mapping[str, float]] = {"density": 1.0}
    dimensionless: ClassVar[tuple[str, ...]] = ("density",)
    slopes: ClassVar[tuple[str, ...]] = ("b_S",)
    data_exponent_name: ClassVar[str | None] = "b_D"
    model_exponent_name: ClassVar[str | None] = "b_N"

    a_S: float = positive((0.02, 1.0), unit={"error": 1, "m": "b_N"})
    b_S: float = positive((0.2, 2.0), (1e-3, 8.0))
    c_S: float = floor((0.0, 1.0), unit={"error": 1, "m": "b_N"})
    b_N: float = positive((0.05, 1.5), (1e-3, 8.0))
    B: float = positive((0.01, 1.0), unit={"error": 1, "n": "b_D"})
    b_D: float = positive((0.05, 1.5), (1e-3, 8.0))
    c: float = floor((0.0, 1.0), unit={"error": 1})

    @property
    def a_D(self) -> float:
        """The paper's a_D, a number of training examples: B^(1 / b_D)."""
        return float(self.B ** (1 / self.b_D))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `c`.

        Parameters
        ----------
        **inputs : array_like
            The ``density``, which is the share of the weights that are not 0, the data size ``n``, and the
            number of non-zero parameters ``m``.  All are numbers > 0, of shapes that broadcast.
        """
        density, n, m = self.input_arrays(inputs)
        model = (self.a_S * density**self.b_S + self.c_S) * m**-self.b_N
        return model + self.B * n**-self.b_D + self.c

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        names = ("density", "n", "m", "a_S", "b_S", "c_S", "b_N", "B", "b_D", "c")
        density, n, m, a_S, b_S, c_S, b_N, B, b_D, c = map(symbol, names)
        return (a_S * density**b_S + c_S) / m**b_N + B / n**b_D + c
