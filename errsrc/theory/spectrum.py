"""The share of each eigenfunction that a ridge regression learns from n examples with m features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from errsrc import checks

Array = NDArray[np.float64]

SMALLEST = 1e-290
"""Eigenvalues below this number count as 0."""


@dataclass(frozen=True, eq=False)
class Learned:
    """The solution g >= 0 of (n - z)(1 - z / m) g = ridge, where z is the sum of L_i = e_i / (e_i + g).

    Here n is the number of examples, m is the number of features, and the e_i are eigenvalues.  If there are
    several solutions, g is the largest solution.  Only this solution has z <= min(n, m).

    Attributes
    ----------
    scale : float
        The solution g.  Eigenfunctions with eigenvalues much larger than g are learned.
    learnability : ndarray of float64, shape (M,)
        The learned share L_i of each eigenfunction.
    kept : float
        The sum of L_i (1 - L_i).
    spare_data, spare_model : float
        The numbers n - z and 1 - z / m.
    """

    scale: float
    learnability: Array
    kept: float
    spare_data: float
    spare_model: float


def broadcast_sizes(where: str, **sizes: ArrayLike) -> tuple[Array, ...]:
    """Return sizes as arrays of one shape.

    Parameters
    ----------
    where : str
        Name of the calling function, for the error message.
    **sizes : array_like
        Two sizes or more, by the names of the function's parameters.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.  The message names the last of the sizes.
    """
    arrays = {name: np.asarray(size) for name, size in sizes.items()}
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        *others, (name, last) = arrays.items()
        shapes = " and ".join(f"{other}'s {array.shape}" for other, array in others)
        accepted = f"of a shape that broadcasts with {shapes}"
        raise ValueError(checks.refusal(name, where, accepted, f"<shape {last.shape}>")) from None


def learned(n: float, m: float, eigenvalues: Array, ridge: float) -> Learned:
    """Return the share of each eigenfunction that ridge regression learns.

    Parameters
    ----------
    n : float
        Number of examples, > 0.
    m : float
        Number of random features, > 0; inf for kernel regression, which uses all features.
    eigenvalues : ndarray of float64, shape (M,)
        Eigenvalues e_i >= 0.  At least one eigenvalue must be > 0.
    ridge : float
        The ridge, >= 0, not divided by n.

    Notes
    -----
    The learned shares are L_i = e_i / (e_i + g), and g is the solution described in `Learned`.
    Let v = ridge / g.  The equation (n - z)(1 - z / m) = v has two roots z.  The smaller root grows with g,
    and the sum of L_i falls with g.  Therefore the root and the sum are equal at one g only.  Brent's method
    finds this g on a logarithmic scale, between known bounds.  For a small ridge, z is close to n or to m.
    Therefore the code avoids the differences n - z and m - z.  The cost is about 15 sums over the M
    eigenvalues.
    """
    scale = _scale(n, m, eigenvalues, ridge)
    learnability = np.divide(
        eigenvalues, eigenvalues + scale, out=np.zeros_like(eigenvalues), where=eigenvalues > 0
    )
    if scale == 0:
        rank = np.count_nonzero(eigenvalues)
        return Learned(scale, learnability, 0.0, n - rank, 1 - rank / m)
    kept = float((learnability * (scale / (eigenvalues + scale))).sum())
    spare, share = ridge / scale, n / m
    gap = np.sqrt((1 - share) ** 2 + 4 * spare / m)
    if share <= 1:
        data = 2 * spare / (1 - share + gap) if spare else 0.0
        return Learned(scale, learnability, kept, float(data), float(1 - share + data / m))
    model = 2 * spare / m / (share - 1 + gap)
    return Learned(scale, learnability, kept, float(n - m + model * m), float(model))


def _scale(n: float, m: float, eigenvalues: Array, ridge: float) -> float:
    """Return the solution g of `Learned`; 0 where everything is learned."""
    positive = eigenvalues[eigenvalues > 0]
    share, least = n / m, min(n, m)
    if ridge == 0 and len(positive) <= least:
        return 0.0

    def root(spare: float) -> float:
        """Return the smaller root z for v = spare."""
        return 2 * (n - spare) / (1 + share + np.sqrt((1 - share) ** 2 + 4 * spare / m))

    def excess(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return float((positive / (positive + scale)).sum() - root(ridge / scale))

    low = ridge / n
    if len(positive) > least:
        low = max(low, (len(positive) - least) / (1 / positive).sum())  # the tangent of z at g = 0
    total = positive.sum()
    high = (total + ridge) / n + total / m
    ends = np.log([low / 1.1, high * 1.1])
    return float(np.exp(brentq(excess, *ends, xtol=1e-14, rtol=1e-14)))


def ratio(above: float, below: float) -> float:
    """Return above / below, where 0 / 0 is 0 and any other number divided by 0 is inf.

    Parameters
    ----------
    above, below : float
        Numerator and denominator, >= 0.
    """
    if above == 0:
        return 0.0
    return above / below if below > 0 else np.inf


def checked_spectrum(eigenvalues: ArrayLike, target: ArrayLike, where: str) -> tuple[Array, Array]:
    """Check the shapes of a kernel's eigenvalues and a target's squared coefficients, and return both.

    Parameters
    ----------
    eigenvalues, target : ndarray of float64, shape (M,)
        Eigenvalues and squared coefficients, >= 0.
    where : str
        Name of the function for error messages.

    Returns
    -------
    tuple of ndarray of float64, shape (M,)
        The eigenvalues and the squared coefficients.  Eigenvalues below `SMALLEST` are set to 0.

    Raises
    ------
    ValueError
        If an array has another shape, or if all eigenvalues are 0.
    """
    e, c = np.asarray(eigenvalues), np.asarray(target)
    if e.ndim != 1 or not e.any():
        accepted = "an array of numbers of shape (M,), one of them > 0"
        raise ValueError(checks.refusal("eigenvalues", where, accepted, eigenvalues))
    if c.shape != e.shape:
        accepted = f"an array of shape {e.shape}, one number for each eigenvalue"
        raise ValueError(checks.refusal("target", where, accepted, f"<shape {c.shape}>"))
    return np.where(e < SMALLEST, 0.0, e), c
