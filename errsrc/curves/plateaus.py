"""The plateau of a learning curve that is flat at first and then falls.

A *cell* is the set of all runs with the same n.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from errsrc.curves.cells import CurveCells
from errsrc.results import Interval

FEWEST_CELLS = 3
"""Smallest number of cells of a plateau, and of cells from its last cell to the end of the curve."""
SHORTEST = 4.0
"""Smallest factor in n from the first to the last cell of a plateau."""
FLAT = 1 / 5
"""Largest exponent of a plateau, as a share of the exponent after it."""
EVEN = 1 / 3
"""Largest difference of ln error between cells of a plateau, as a share of the fall after it."""


class Plateau(NamedTuple):
    """The plateau of a learning curve.

    Attributes
    ----------
    cells : int
        Number of cells of the plateau.
    exponent, exponent_after : Interval
        Exponents of two power laws.  The first law fits the plateau.  The second law fits the last cell of
        the plateau and all later cells.
    end : Interval
        The n at which the plateau ends: the n of its last cell.  The low end of the interval is the smallest
        n at which the plateau may already end.  The high end is the n of the first cell after the plateau.
    """

    cells: int
    exponent: Interval
    exponent_after: Interval
    end: Interval

    @property
    def sentence(self) -> str:
        """The plateau as a sentence."""
        return (
            f"The error is flat up to n = {self.end.estimate:g} (exponent {self.exponent} of {self.cells} "
            f"cells), then falls with the exponent {self.exponent_after}."
        )


def plateau(cells: CurveCells, level: float) -> Plateau | None:
    """Return the longest plateau of a learning curve; None if the curve has no plateau.

    The first cells are a plateau under two conditions.  First, the interval of their exponent contains 0, and
    its upper end is below a fifth (`FLAT`) of the lower end of the exponent of the later cells.  Second, the
    ln errors of the first cells differ by less than a third (`EVEN`) of the later fall of ln error.

    Parameters
    ----------
    cells : CurveCells
        The cells of a curve that is not a power law.
    level : float
        Coverage of the intervals, in (0, 1).
    """
    found = []
    for last in range(FEWEST_CELLS - 1, len(cells.x) - FEWEST_CELLS + 1):
        if cells.x[last] - cells.x[0] < math.log(SHORTEST) * (1 - 1e-9):
            continue
        exponent, after = cells.slope(level, slice(None, last + 1)), cells.slope(level, slice(last, None))
        fall = float(cells.y[: last + 1].mean() - cells.y[last:].min())
        uneven = np.ptp(cells.y[: last + 1]) > EVEN * fall
        if not uneven and exponent.low <= 0 <= exponent.high < FLAT * after.low:
            found.append((last, exponent, after))
    if not found:
        return None
    last, exponent, after = found[-1]
    n = np.exp(cells.x)
    end = Interval(float(n[last]), float(n[found[0][0]]), float(n[last + 1]), level)
    return Plateau(last + 1, exponent, after, end)
