"""Decays that are no power laws but look like one over the measured sizes.

Over a few octaves of n, noise hides the difference between a power law, a decay like 1 / ln n, a slow
stretched exponential, and a power law with a small wave in ln n.  `lookalikes` names the decays that fit the
cells of a learning curve as well as a power law.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from errsrc.curves.cells import CurveCells
from errsrc.laws.law import Array, Law

WITHIN = 4.0
"""A decay is possible if its chi^2 exceeds that of the power law by at most this: 2 nats of likelihood."""
UNITS = tuple(math.exp(-k) for k in (0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 14))
"""Units n0 of decays like 1 / ln(n / n0), divided by the smallest n; the unit n0 = 1 is tried, too."""
STRETCHES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Exponents of stretched exponentials; smaller ones cannot be distinguished from 0, the power law."""
WAVE = 0.01
"""Largest p-value at which a wave in ln n is named."""


def lookalikes(cells: CurveCells, floored: Law | None) -> str:
    """Return sentences that name other formulas that fit a curve no worse than a power law does, or "".

    Parameters
    ----------
    cells : CurveCells
        The cells of a curve with the verdict "power law".
    floored : Law or None
        The fitted power law with a floor; None for a power law without a floor.
    """
    root = np.sqrt(cells.noise)
    power = _left(cells.basis(1), cells.y, root)
    if floored is not None:
        miss = (cells.y - np.log(floored.error(n=np.exp(cells.x)))) / root
        power = min(power, float(miss @ miss))
    names = _decays(cells, power + WITHIN)
    text = f" {_capital(' or '.join(names))} would look the same here." if names else ""
    return text + _wave(cells, root, power)


def within_noise(cells: CurveCells) -> str:
    """Return a sentence that names the decays that fit a curve within the noise; "" if there are none.

    Parameters
    ----------
    cells : CurveCells
        The cells of a curve with the verdict "not decided".
    """
    names = _decays(cells, float(special.chdtri(max(len(cells.x) - 2, 1), 0.1)))
    return f" {_capital(' or '.join(names))} fits within the noise." if names else ""


def _decays(cells: CurveCells, largest: float) -> list[str]:
    """Return the names of the decays whose chi^2 is at most `largest`."""
    root, one = np.sqrt(cells.noise), np.ones(len(cells.x))
    names = ["a decay like 1/ln n"] if _logarithmic(cells.x, cells.y, root) <= largest else []
    open_ = []
    for stretch in STRETCHES:
        basis = np.column_stack([one, -np.exp(stretch * (cells.x - cells.x[0]))])
        if _left(basis, cells.y, root, falling=True) <= largest:
            open_.append(stretch)
    if open_:
        ends = f"{open_[0]:g}" if len(open_) == 1 else f"{open_[0]:g} to {open_[-1]:g}"
        names.append(f"a stretched exponential exp(-c n^b) with b = {ends}")
    return names


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _left(basis: Array, y: Array, root: Array, falling: bool = False) -> float:
    """Return the weighted sum of squares that a linear fit leaves; inf if `falling` and the curve rises."""
    inverse = np.linalg.pinv(basis / root[:, None])
    coefficients = inverse @ (y / root)
    if falling and coefficients[1] <= 0:
        return math.inf
    miss = (y - basis @ coefficients) / root
    return float(miss @ miss)


def _logarithmic(x: Array, y: Array, root: Array) -> float:
    """Return the smallest chi^2 of decays a / ln(n / n0) over the units n0."""
    units = [x[0] + math.log(unit) for unit in UNITS] + ([0.0] if x[0] > 0 else [])
    one = np.ones((len(x), 1))
    return min(_left(one, y + np.log(x - unit), root) for unit in units)


def _wave(cells: CurveCells, root: Array, power: float) -> str:
    """Return a sentence on a wave in ln n around the power law that is larger than the noise; "" for none.

    The p-value is that of an F test of two more parameters, times the number of periods that are tried.
    """
    x, size = cells.x - cells.x[0], len(cells.x)
    if size < 7 or cells.df < 0:
        return ""
    shortest, longest = 2.5 * float(x[-1]) / (size - 1), float(x[-1]) / 1.5
    periods = np.geomspace(shortest, longest, 8) if longest > shortest else np.empty(0)
    best, chosen, amplitude = power, 0.0, 0.0
    for period in periods:
        angle = 2 * math.pi * x / period
        basis = np.column_stack([np.ones(size), x, np.cos(angle), np.sin(angle)])
        left = _left(basis, cells.y, root)
        if left < best:
            weights = np.linalg.pinv(basis / root[:, None]) @ (cells.y / root)
            best, chosen, amplitude = left, float(period), float(np.hypot(weights[2], weights[3]))
    gain = power - best
    if math.isinf(cells.df):
        p_value = math.exp(-gain / 2)
    elif cells.df > 0:
        p_value = (1 + gain / cells.df) ** (-cells.df / 2)
    else:
        p_value = (1 + gain / max(best, 1e-12)) ** (-(size - 4) / 2)
    if amplitude < 0.02 or len(periods) * p_value > WAVE:
        return ""
    return (
        f" A log-periodic power law fits better: a wave in ln n of {amplitude:.0%}, "
        f"with a period of a factor {math.exp(chosen):.2g} in n."
    )
