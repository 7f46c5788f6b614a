"""Result types: an estimate is never a bare float."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
        shown = [significant(v, width, 2) for v in (self.estimate, self.low, self.high)]
        return f"{shown[0]} [{shown[1]}, {shown[2]}]"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def significant(value: float, uncertainty: float, digits: int) -> str:
    """Return `value` rounded so that `uncertainty` keeps `digits` significant digits.

    Examples
    --------
    >>> significant(12345.678, 20.0, 2), significant(3.14159, 0.02, 2), significant(1.5, 0.0, 2)
    ('12346', '3.142', '1.5')
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
    return f"{round(value, place):.{max(place, 0)}f}"
