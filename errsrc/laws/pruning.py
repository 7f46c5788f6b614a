"""The law of one magnitude-pruned network as a function of its density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import positive

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Pruning(Law):
    """The error of one iteratively magnitude-pruned network as a function of its density d.

        e = eps_np | (d - i p (eps_up / eps_np)^(1 / gamma)) / (d - i p) |^gamma

    (Rosenfeld et al. 2021, arXiv 2006.10621, eq. 1.)  At high density the error stays on a plateau eps_np.
    At lower density the error rises as a power law of slope -gamma, up to a second plateau eps_up.

    In the paper, eps_np is the error of the unpruned network.  Light pruning often *lowers* the error below
    this value.  With the paper's eps_np, the fitted gamma would then be meaningless.  Therefore eps_np is a
    parameter here: the level of the plateau.  This parameter is fitted like the other parameters, unless the
    user fixes its value.

    Parameters
    ----------
    eps_np : float
        Plateau at high density, in units of the error.
    eps_up : float
        Plateau at low density, in units of the error.
    gamma : float
        Slope of the error between the plateaus, -d ln e / d ln d.
    p : float
        Density at which the power law meets the upper plateau.

    Examples
    --------
    >>> law = Pruning(eps_np=0.05, eps_up=0.9, gamma=1.0, p=0.001)
    >>> law.error(density=[1.0, 0.003, 1e-9]).round(3)
    array([0.05 , 0.289, 0.9  ])
    """

    inputs: ClassVar[tuple[str, ...]] = ("density",)
    at_most: ClassVar[Mapping[str, float]] = {"density": 1.0}
    slopes: ClassVar[tuple[str, ...]] = ("gamma",)
    ceilings: ClassVar[tuple[str, ...]] = ("eps_up",)
    places: ClassVar[tuple[str, ...]] = ("p",)
    data_exponent_name: ClassVar[str | None] = None

    eps_np: float = positive((0.2, 1.0), unit={"error": 1})
    eps_up: float = positive((1.0, 20.0), unit={"error": 1})
    gamma: float = positive((0.2, 3.0), (1e-2, 20.0))
    p: float = positive((1e-3, 1.0), unit={"density": 1})

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `eps_np`.

        Parameters
        ----------
        **inputs : array_like
            The ``density``, the share of the weights that are not pruned, > 0, of any shape.
        """
        (d,) = self.input_arrays(inputs)
        return pruned_error(d, self.eps_np, self.eps_up, self.gamma, self.p)

    def complaint(self) -> str | None:
        """Return None, or a sentence that says that the upper plateau is below the lower plateau."""
        return (
            "The error rises with the density: this is not the pruning law."
            if self.eps_up < self.eps_np
            else None
        )

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        return pruned_formula(symbol("density"))


def pruned_error(invariant: Array, eps_np: Array | float, eps_up: float, gamma: float, p: float) -> Array:
    """Return the error of pruned networks, in the units of `eps_up`; the form of all laws of pruned networks.

    Parameters
    ----------
    invariant : ndarray of float64
        The density, or m* of a law of several networks, > 0.
    eps_np : ndarray of float64, or float
        Plateaus at high density, of a shape that broadcasts with `invariant`.
    eps_up, gamma, p : float
        The parameters of `Pruning`.
    """
    ratio = (eps_up / eps_np) ** (1 / gamma)
    return eps_np * abs((invariant - 1j * p * ratio) / (invariant - 1j * p)) ** gamma


def pruned_formula(invariant: sympy.Expr) -> sympy.Expr:
    """Return the form of the laws of pruned networks as a sympy expression, see `pruned_error`.

    Parameters
    ----------
    invariant : sympy.Expr
        The density or m*.
    """
    eps_np, eps_up, gamma, p = map(symbol, ("eps_np", "eps_up", "gamma", "p"))
    bent = invariant**2 + p**2 * (eps_up / eps_np) ** (2 / gamma)
    return eps_np * (bent / (invariant**2 + p**2)) ** (gamma / 2)
