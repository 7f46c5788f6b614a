"""Result types: an estimate is never a bare float."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from errsrc import checks
from errsrc.exports import exported_names

__dir__ = exported_names(__name__)

ROUNDING = 1e-12
"""Errors of at most this share of the problem's scale may be rounding errors, and are shown as 0.

The square of float64's rounding error is 5e-32.  A squared error has this rounding error times a squared
condition number, so this share is far above 5e-32.
"""


@dataclass(frozen=True)
class Interval:
    """An estimate with its sampling uncertainty.

    Attributes
    ----------
    estimate
        The point estimate, in the units of the quantity.
    low, high
        Ends of the interval; -inf or inf where the data does not bound that side.
    level
        Coverage that the interval states, in (0, 1).

    Examples
    --------
    Only the digits that the interval supports are printed:

    >>> print(Interval(0.347312, 0.3312, 0.3641, 0.9))
    0.347 [0.331, 0.364]
    >>> print(Interval(3.2e-9, 0.0, 0.0213, 0.9))
    < 0.021
    """

    estimate: float
    low: float
    high: float
    level: float

    @property
    def determined(self) -> bool:
        """True where both ends are finite and no end is the 0 of a quantity that can't be negative."""
        return math.isfinite(self.low) and math.isfinite(self.high) and self.low != 0

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.estimate:.6g}"
        if not self.determined:
            if math.isfinite(self.high) and self.low == 0:
                return f"< {significant(self.high, self.high, 2)}"
            if math.isfinite(self.low) and self.low != 0:
                return f"> {significant(self.low, self.low, 2)}"
            return "not determined"
        width = self.high - self.low
        if width <= 1e-9 * abs(self.estimate):  # no measurement, but rounding
            return f"{self.estimate:.6g}"
        shown = [significant(v, width, 2) for v in (self.estimate, self.low, self.high)]
        return f"{shown[0]} [{shown[1]}, {shown[2]}]"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def rounded(self, least: float) -> Interval:
        """Return 0 for an interval that lies within `least` of 0, and any other interval as it is.

        Parameters
        ----------
        least : float
            The largest absolute value that counts as 0, in the units of the quantity.
        """
        if max(abs(self.estimate), abs(self.low), abs(self.high)) > least:
            return self
        return Interval(0.0, 0.0, 0.0, self.level)


@dataclass(frozen=True)
class Bracket:
    """A quantity that lies between two estimates and is not known more exactly.

    The width of a bracket is not sampling uncertainty.  Each end is an `Interval`, which states the sampling
    uncertainty of this end.

    Attributes
    ----------
    lower, upper : Interval
        Estimates of a lower and of an upper bound of the quantity; both are the same where it is known.
    status : str
        How the ends were found, or what proves them, as a phrase.

    Examples
    --------
    >>> print(Bracket(Interval(0.01, 0.008, 0.012, 0.95), Interval(0.03, 0.02, 0.04, 0.95), "chains"))
    0.0100 [0.0080, 0.0120] to 0.030 [0.020, 0.040]
    """

    lower: Interval
    upper: Interval
    status: str

    @classmethod
    def known(cls, value: Interval, status: str) -> Bracket:
        """Return the bracket of a quantity that is known up to sampling.

        Parameters
        ----------
        value : Interval
            Both ends of the bracket.
        status : str
            How the value is known, as a phrase.
        """
        return cls(value, value, status)

    @property
    def closed(self) -> bool:
        """Whether both ends are one estimate."""
        return self.lower == self.upper

    def __str__(self) -> str:
        return str(self.lower) if self.closed else f"{self.lower} to {self.upper}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def mean_interval(
    values: Sequence[float] | NDArray[np.float64], level: float, lowest: float = -math.inf
) -> Interval:
    """Return the mean of independent draws with its confidence interval, corrected for skewness.

    The method is Hall's (1992) monotone cubic transformation of the t statistic, with Student's quantiles.
    Squared errors are skewed.  For 20 squared errors, a plain 95% t interval covers the mean in 89 to 94% of
    the cases, and this interval covers the mean in 93 to 95%.

    Parameters
    ----------
    values : array_like, (K,)
        Independent draws, K >= 2.
    level : float
        Coverage, in (0, 1).
    lowest : float
        The smallest value that the mean can have.  The interval's upper end is at least this value.  The
        estimate is never clipped.

    Raises
    ------
    ValueError
        If there are fewer than two values, or if a value is not finite.

    Examples
    --------
    >>> print(mean_interval([1.0, 2.0, 1.5, 1.8, 1.2, 1.4], 0.95))
    1.48 [1.11, 1.90]
    """
    draws = np.asarray(values, dtype=np.float64)
    if draws.ndim != 1 or len(draws) < 2 or not np.isfinite(draws).all():
        accepted = "two or more finite numbers"
        raise ValueError(checks.refusal("values", "mean_interval", accepted, values))
    checks.LEVEL(level, "level", "mean_interval")
    mean, std, count = float(draws.mean()), float(draws.std()), len(draws)
    if std <= 1e-14 * abs(mean):
        return Interval(mean, mean, max(mean, lowest), level)
    skewness = float(((draws - mean) ** 3).mean()) / std**3
    quantile = float(stdtrit(count - 1, (1 + level) / 2)) / math.sqrt(count - 1)
    low, high = (mean - std * _unskewed(x, skewness, count) for x in (quantile, -quantile))
    return Interval(mean, low, max(high, lowest), level)


def _unskewed(x: float, skewness: float, count: int) -> float:
    """Solve Hall's g(t) = t + s t^2 / 3 + s^2 t^3 / 27 + s / (6 K) = x for t."""
    shifted = x - skewness / (6 * count)
    if abs(skewness) < 1e-6:
        return shifted
    return 3 / skewness * (float(np.cbrt(1 + skewness * shifted)) - 1)


def significant(value: float, uncertainty: float, digits: int) -> str:
    """Return `value` rounded so that `uncertainty` keeps `digits` significant digits.

    Parameters
    ----------
    value, uncertainty : float
        A number and its uncertainty, in the same units.
    digits : int
        Significant digits of the uncertainty, >= 1.

    Examples
    --------
    >>> significant(12345.678, 20.0, 2), significant(3.14159, 0.02, 2), significant(-0.01, 1.0, 2)
    ('12346', '3.142', '0.0')
    """
    if not math.isfinite(value):
        return f"{value}"
    if not (math.isfinite(uncertainty) and uncertainty > 0):
        return f"{value:.6g}"
    uncertainty = max(uncertainty, abs(value) * 1e-9)  # more digits than that are never a measurement
    place = digits - 1 - math.floor(math.log10(uncertainty))
    if place > 6 or (value and abs(value) >= 1e7):
        figures = max(1, math.floor(math.log10(abs(value) or uncertainty)) + place + 1)
        return f"{value:.{min(figures, 15)}g}"
    return f"{round(value, place) + 0.0:.{max(place, 0)}f}"  # 0, never -0


def aligned(lines: Sequence[Sequence[str]], pad: Callable[[str, int], str] = str.rjust) -> list[str]:
    """Return rows of texts as lines whose columns are aligned.

    Parameters
    ----------
    lines : sequence of sequences of str
        Rows, all of the same length.
    pad : callable
        `str.rjust` to align columns on the right, or `str.ljust` to align them on the left.

    Examples
    --------
    >>> aligned([["n", "error"], ["1,000", "0.2"]])
    ['    n  error', '1,000    0.2']
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(pad, line, widths)).rstrip() for line in lines]
