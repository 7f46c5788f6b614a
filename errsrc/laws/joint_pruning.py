"""The law of pruned networks as a function of depth, width and density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.checks import PositiveArray
from errsrc.laws.law import Array, Law, symbol
from errsrc.laws.parameters import positive, real
from errsrc.laws.pruning import pruned_error, pruned_formula

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class JointPruning(Law):
    """The error of magnitude-pruned networks as a function of depth l, width w and density d.

    Let m* = l^phi w^psi d be the invariant, and let the dense plateau eps_np be the network's error at high
    density.  Then

        e = eps_np | (m* - i p (eps_up / eps_np)^(1 / gamma)) / (m* - i p) |^gamma

    (Rosenfeld et al. 2021, arXiv 2006.10621, eq. 2).  The plateau eps_np is an *input*: one number for each
    depth, width and data size.  The function `plateau` measures it.  The data size affects the error only
    through eps_np.

    Parameters
    ----------
    eps_up : float
        Plateau at low density, in units of the error.
    gamma : float
        Slope of the error between the plateaus, -d ln e / d ln d.
    p : float
        Value of m* at which the power law meets the upper plateau.  The paper calls it p'.
    phi : float
        Exponent of the depth in m*.
    psi : float
        Exponent of the width in m*.

    Examples
    --------
    Networks with equal m* and eps_np have equal errors.  With phi = 1, twice the depth makes up for half the
    density:

    >>> law = JointPruning(eps_up=0.9, gamma=1.0, p=0.1, phi=1.0, psi=2.0)
    >>> law.error(density=[0.1, 0.05], depth=[10, 20], width=1, eps_np=0.05).round(3)
    array([0.102, 0.102])
    """

    inputs: ClassVar[tuple[str, ...]] = ("density", "depth", "width", "eps_np")
    at_most: ClassVar[Mapping[str, float]] = {"density": 1.0}
    error_inputs: ClassVar[tuple[str, ...]] = ("eps_np",)
    slopes: ClassVar[tuple[str, ...]] = ("gamma",)
    ceilings: ClassVar[tuple[str, ...]] = ("eps_up",)
    places: ClassVar[tuple[str, ...]] = ("p",)
    data_exponent_name: ClassVar[str | None] = None

    eps_up: float = positive((0.5, 10.0), unit={"error": 1})
    gamma: float = positive((0.2, 3.0), (1e-2, 20.0))
    p: float = positive((1e-3, 1.0), unit={"density": 1, "depth": "phi", "width": "psi"})
    phi: float = real((0.0, 2.0), (-5.0, 10.0))
    psi: float = real((0.0, 2.0), (-5.0, 10.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error, in the units of `eps_up`.

        Parameters
        ----------
        **inputs : array_like
            The ``density`` of pruned networks, their ``depth`` and ``width`` before pruning, and their dense
            plateaus ``eps_np``.  All are numbers > 0, of shapes that broadcast.
        """
        density, depth, width, eps_np = self.input_arrays(inputs)
        invariant = depth**self.phi * width**self.psi * density
        return pruned_error(invariant, eps_np, self.eps_up, self.gamma, self.p)

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        density, depth, width = map(symbol, ("density", "depth", "width"))
        return pruned_formula(depth ** symbol("phi") * width ** symbol("psi") * density)


@checks.arguments(density=PositiveArray(), error=PositiveArray())
def plateau(density: ArrayLike, error: ArrayLike) -> float:
    """Return the dense plateau of one network, the input ``eps_np`` of `JointPruning`.

    The paper uses the error of the unpruned network.  But light pruning often lowers the error.  The law has
    no such dip.  With the error of the unpruned network as the plateau, the law would miss both ends of the
    curve.  Therefore the plateau is measured at the dip: it is the smallest geometric mean of the errors at
    three neighbouring densities.  If there are fewer than three densities, the plateau is the geometric mean
    over all of them.

    Parameters
    ----------
    density : array_like, shape (points,)
        Densities of one network, > 0.  Points of equal density count as repetitions with other seeds.
    error : array_like, shape (points,)
        Errors at these densities, > 0, in any unit.

    Returns
    -------
    float
        The plateau, in the units of the errors.

    Raises
    ------
    TypeError, ValueError
        If the arrays have different lengths, or if a value is not a finite number > 0.

    Examples
    --------
    >>> round(plateau([1.0, 0.8, 0.64, 0.5, 0.1], [0.06, 0.058, 0.057, 0.059, 0.2]), 4)
    0.058
    """
    d, e = np.atleast_1d(density), np.atleast_1d(error)
    if d.shape != e.shape or d.ndim != 1:
        accepted = f"an array of {len(d)} numbers, one for each density"
        raise ValueError(checks.refusal("error", "plateau", accepted, f"<shape {e.shape}>"))
    _, group = np.unique(d, return_inverse=True)
    logs = np.bincount(group, np.log(e)) / np.bincount(group)
    width = min(3, len(logs))
    return float(np.exp(np.convolve(logs, np.full(width, 1 / width), mode="valid").min()))
