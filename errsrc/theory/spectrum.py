"""What all ridge regressions share: how much of each eigenfunction n examples and m features determine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from errsrc import checks

Array = NDArray[np.float64]

SMALLEST = 1e-290
"""Eigenvalues below it count as 0."""


@dataclass(frozen=True, eq=False)
class Learned:
    """The solution g >= 0 of (n - z)(1 - z / m) g = ridge, z = sum of L_i, L_i = e_i / (e_i + g) <= 1.

    Of the roots it is the largest: z <= min(n, m).

    Attributes
    ----------
    scale
        g: eigenfunctions of eigenvalues above it are learned.
    learnability
        L_i, float64 (M,).
    kept
        z - sum of L_i^2 = sum of L_i (1 - L_i).
    spare_data, spare_model
        n - z, and 1 - z / m.
    """

    scale: float
    learnability: Array
    kept: float
    spare_data: float
    spare_model: float


def learned(n: float, m: float, eigenvalues: Array, ridge: float) -> Learned:
    """Return what is learned of each eigenfunction, with m = inf for all features.

    Notes
    -----
    For given ridge / g = v the smaller root z of (n - z)(1 - z / m) = v grows with g, while the sum of L_i
    falls: the two meet once.  Brent's method in log g between bounds that are known; differences of nearly
    equal numbers are avoided (z is near n, or m, for a small ridge).  Cost: some 15 sums over the M
    eigenvalues.
    """
    positive = eigenvalues[eigenvalues > 0]
    share = n / m

    def root(spare: float) -> float:
        """Return z for v = ``spare``."""
        return 2 * (n - spare) / (1 + share + np.sqrt((1 - share) ** 2 + 4 * spare / m))

    def excess(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return float((positive / (positive + scale)).sum() - root(ridge / scale))

    least = min(n, m)
    scale = 0.0
    if ridge > 0 or len(positive) > least:
        total = positive.sum()
        low = ridge / n
        if len(positive) > least:
            low = max(low, (len(positive) - least) / (1 / positive).sum())  # the tangent of z at g = 0
        high = (total + ridge) / n + total / m
        ends = np.log([low / 1.1, high * 1.1])
        scale = float(np.exp(brentq(excess, *ends, xtol=1e-14, rtol=1e-14)))
    learnability = np.divide(
        eigenvalues, eigenvalues + scale, out=np.zeros_like(eigenvalues), where=eigenvalues > 0
    )
    kept = float((learnability * (scale / (eigenvalues + scale))).sum()) if scale else 0.0
    if scale == 0:
        return Learned(scale, learnability, kept, n - len(positive), 1 - len(positive) / m)
    spare = ridge / scale
    gap = np.sqrt((1 - share) ** 2 + 4 * spare / m)
    if share <= 1:
        data = 2 * spare / (1 - share + gap) if spare else 0.0
        return Learned(scale, learnability, kept, float(data), float(1 - share + data / m))
    model = 2 * spare / m / (share - 1 + gap)
    return Learned(scale, learnability, kept, float(n - m + model * m), float(model))


def ratio(above: float, below: float) -> float:
    """Return above / below for numbers >= 0, with 0 / 0 = 0 and inf for another over 0."""
    if above == 0:
        return 0.0
    return above / below if below > 0 else np.inf


def spectrum(eigenvalues: Any, target: Any, where: str) -> tuple[Array, Array]:
    """Return eigenvalues, and the target's squared coefficients, as float64 (M,); refuse what is none."""
    e = numbers(eigenvalues, "eigenvalues", where)
    c = numbers(target, "target", where)
    if e.ndim != 1 or not e.any():
        accepted = "an array of numbers of shape (M,), one of them > 0"
        raise ValueError(checks.refusal("eigenvalues", where, accepted, eigenvalues))
    if c.shape != e.shape:
        accepted = f"an array of shape {e.shape}, one number for each eigenvalue"
        raise ValueError(checks.refusal("target", where, accepted, f"<shape {c.shape}>"))
    return np.where(e < SMALLEST, 0.0, e), c


def numbers(value: Any, name: str, where: str) -> Array:
    """Return a value as a float64 array of its shape, finite and >= 0; refuse what is none by ``name``."""
    accepted = "an array of finite numbers >= 0"
    try:
        raw = np.asarray(value)
    except ValueError:  # ragged lists
        raise TypeError(checks.refusal(name, where, accepted, value)) from None
    if raw.dtype.kind not in "iuf":
        raise TypeError(checks.refusal(name, where, accepted, value))
    bad = ~(np.isfinite(raw) & (raw >= 0))
    if bad.any():
        raise ValueError(checks.refusal(name, where, accepted, float(raw[bad].flat[0])))
    return raw.astype(np.float64)
