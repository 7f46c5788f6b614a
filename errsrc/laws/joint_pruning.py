"""The law of pruned networks jointly over depth, width and density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.laws.law import Array, Law, positive, real, symbol

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class JointPruning(Law):
    """Error of pruned networks of depth l, width w and density d (Rosenfeld et al. 2021, eq. 2).

    With the invariant m* = l^phi w^psi d and the dense plateau eps_np of each (l, w, n),

        e = eps_np | (m* - i p (eps_up / eps_np)^(1 / gamma)) / (m* - i p) |^gamma

    (arXiv 2006.10621).  eps_np is an *input*, one number for each network; the size of
    the data set enters through it alone.  `plateau` measures it.

    Parameters
    ----------
    eps_up
        Plateau at low density, in units of the error.
    gamma
        Slope between the plateaus.
    p
        Value of m* at which the power law meets the upper plateau (p' of the source).
    phi, psi
        Exponents of depth and of width in the invariant.

    Examples
    --------
    Equal m* is equal error: halving the density is made up for by doubling the depth.

    >>> law = JointPruning(eps_up=0.9, gamma=1.0, p=0.1, phi=1.0, psi=2.0)
    >>> law.error(density=[0.1, 0.05], depth=[10, 20], width=1, eps_np=0.05).round(3)
    array([0.102, 0.102])
    """

    inputs: ClassVar[tuple[str, ...]] = ("density", "depth", "width", "eps_np")
    at_most: ClassVar[Mapping[str, float]] = {"density": 1.0}
    error_inputs: ClassVar[tuple[str, ...]] = ("eps_np",)
    slopes: ClassVar[tuple[str, ...]] = ("gamma",)
    ceilings: ClassVar[tuple[str, ...]] = ("eps_up",)
    data_exponent_name: ClassVar[str] = ""

    eps_up: float = positive((0.5, 10.0), unit={"error": 1})
    gamma: float = positive((0.2, 3.0), (1e-2, 20.0))
    p: float = positive((1e-3, 1.0), unit={"density": 1, "depth": "phi", "width": "psi"})
    phi: float = real((0.0, 2.0), (-5.0, 10.0))
    psi: float = real((0.0, 2.0), (-5.0, 10.0))

    def error(self, **inputs: ArrayLike) -> Array:
        """Return the error at (density, depth, width, eps_np), arrays that broadcast."""
        density, depth, width, eps_np = self._checked(inputs)
        invariant = depth**self.phi * width**self.psi * density
        ratio = (self.eps_up / eps_np) ** (1 / self.gamma)
        return eps_np * abs((invariant - 1j * self.p * ratio) / (invariant - 1j * self.p)) ** self.gamma

    @classmethod
    def formula(cls) -> sympy.Expr:
        """Return the law as a sympy expression."""
        names = ("density", "depth", "width", "eps_np", "eps_up", "gamma", "p")
        d, depth, width, eps_np, eps_up, gamma, p = map(symbol, names)
        invariant = depth ** symbol("phi") * width ** symbol("psi") * d
        bent = invariant**2 + p**2 * (eps_up / eps_np) ** (2 / gamma)
        return eps_np * (bent / (invariant**2 + p**2)) ** (gamma / 2)


def plateau(density: ArrayLike, error: ArrayLike) -> float:
    """Return the dense plateau of one network: the error at its dip, in the error's units.

    The source takes the unpruned error; but light pruning often lowers the error, and the
    law, which can't dip, then misses both ends.  The plateau is the lowest running
    geometric mean over three neighbouring densities (over all, of fewer).

    Parameters
    ----------
    density, error
        (points,) arrays > 0 of one network; equal densities are repeated seeds.

    Raises
    ------
    ValueError, TypeError
        For arrays of different lengths, or not positive.

    Examples
    --------
    >>> round(plateau([1.0, 0.8, 0.64, 0.5, 0.1], [0.06, 0.058, 0.057, 0.059, 0.2]), 4)
    0.058
    """
    d = np.atleast_1d(checks.positive_array(density, "density", "plateau"))
    e = np.atleast_1d(checks.positive_array(error, "error", "plateau"))
    if d.shape != e.shape or d.ndim != 1:
        accepted = f"an array of {len(d)} numbers, one for each density"
        raise ValueError(checks.refusal("error", "plateau", accepted, f"<shape {e.shape}>"))
    _, group = np.unique(d, return_inverse=True)
    logs = np.bincount(group, np.log(e)) / np.bincount(group)
    width = min(3, len(logs))
    return float(np.exp(np.convolve(logs, np.full(width, 1 / width), mode="valid").min()))
