"""The law of pruned networks as a function of the weights that are left in each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from numpy.typing import ArrayLike

from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import positive, real
from errsrc.laws.pruning import pruned_error, pruned_formula

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class LayerPruning(Law):
    """The error of magnitude-pruned networks as a function of the number of weights left per layer.

    Let r be the number of remaining weights and L the number of layers with weights.  Let w be the width of
    the unpruned network, and m* = w^psi r / L.  Then

        e = eps_np | (m* - i p (eps_up / eps_np)^(1 / gamma)) / (m* - i p) |^gamma

    This is the form of `JointPruning` (Rosenfeld et al. 2021, arXiv 2006.10621, eq. 2) with another
    invariant.  The number of remaining weights replaces the density, and L replaces the depth, with the
    exponent -1.  The law is for networks whose layers form a chain, such as multilayer perceptrons.  If all
    layers of a chain are pruned together, the largest layer loses most weights first.  At the density at
    which the error has doubled, all layers have about equally many weights left (`sims/pruning_balance.py`).

    Parameters
    ----------
    eps_up : float
        Plateau at few weights, in units of the error.
    gamma : float
        Slope of the error between the plateaus, -d ln e / d ln r.
    p : float
        Value of m* at which the power law meets the upper plateau.
    psi : float
        Exponent of the width in m*.  With psi = 0 the error depends only on r / L and eps_np.

    Examples
    --------
    A network with twice as many layers needs twice as many weights for the same error:

    >>> law = LayerPruning(eps_up=0.9, gamma=1.0, p=3.0, psi=0.0)
    >>> law.error(remaining=[120, 240], layers=[2, 4], width=16, eps_np=0.15).round(3)
    array([0.156, 0.156])
    """

    inputs: ClassVar[tuple[str, ...]] = ("remaining", "layers", "width", "eps_np")
    error_inputs: ClassVar[tuple[str, ...]] = ("eps_np",)
    slopes: ClassVar[tuple[str, ...]] = ("gamma",)
    ceilings: ClassVar[tuple[str, ...]] = ("eps_up",)
    places: ClassVar[tuple[str, ...]] = ("p",)
    data_exponent_name: ClassVar[str | None] = None

    eps_up: float = positive((0.5, 10.0), unit={"error": 1})
    gamma: float = positive((0.2, 3.0), (1e-2, 20.0))
    p: float = positive((1e-3, 1.0), unit={"remaining": 1, "layers": -1, "width": "psi"})
    psi: float = real((-1.0, 1.0), (-5.0, 10.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `eps_up`.

        Parameters
        ----------
        **inputs : array_like
            The number of ``remaining`` weights, the number of ``layers`` with weights (for a multilayer
            perceptron the number of hidden layers plus 1), the ``width`` before pruning, and the dense
            plateau ``eps_np`` (see `plateau`).  All are numbers > 0, of shapes that broadcast.
        """
        remaining, layers, width, eps_np = self.input_arrays(inputs)
        invariant = width**self.psi * remaining / layers
        return pruned_error(invariant, eps_np, self.eps_up, self.gamma, self.p)

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        remaining, layers, width = map(symbol, ("remaining", "layers", "width"))
        return pruned_formula(width ** symbol("psi") * remaining / layers)
