"""A weighted line through the logarithms of optimal sizes over the logarithms of budgets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from errsrc.laws.law import Array
from errsrc.results import Interval


@dataclass(frozen=True)
class Line:
    """A line y = y0 + slope (ln C - x0) through the logarithms of optimal sizes, with its standard errors.

    Attributes
    ----------
    x0, y0 : float
        A point of the line, chosen such that the errors of `y0` and of `slope` are independent.
    slope : float
        The slope; nan for a line through a single point.
    y0_error, slope_error : float
        Standard errors of `y0` and of `slope`.
    quantile : float
        Half the width of an interval, in standard errors.
    level : float
        Coverage of the intervals, in (0, 1).
    scatter : float
        Scatter of the points around the line, divided by the scatter that their variances explain; nan for
        two points or fewer.
    """

    x0: float
    y0: float
    slope: float
    y0_error: float
    slope_error: float
    quantile: float
    level: float
    scatter: float

    @property
    def exponent(self) -> Interval:
        """The slope with its interval."""
        half = self.quantile * self.slope_error
        if not math.isfinite(half):
            return Interval(self.slope, -math.inf, math.inf, self.level)
        return Interval(self.slope, self.slope - half, self.slope + half, self.level)

    def at(self, budget: float) -> Interval:
        """Return the optimal size that the line gives at a budget.

        Parameters
        ----------
        budget : float
            The budget C > 0.
        """
        return self._interval(*self._value_and_error(budget))

    def ratio(self, other: Line, budget: float) -> Interval:
        """Return the size that another line gives at a budget, divided by the size that this line gives.

        Both sizes come from the same runs, and an error that makes one size larger makes the other smaller.
        Therefore the standard error of the ratio's logarithm is the sum of the standard errors of both
        logarithms.

        Parameters
        ----------
        other : Line
            The other line.  For example, if this line gives model sizes, the other may give data sizes.
        budget : float
            The budget C > 0.
        """
        mine, my_error = self._value_and_error(budget)
        theirs, their_error = other._value_and_error(budget)
        return self._interval(theirs - mine, my_error + their_error)

    def _value_and_error(self, budget: float) -> tuple[float, float]:
        x = math.log(budget) - self.x0
        return self.y0 + self.slope * x, math.hypot(self.y0_error, self.slope_error * x)

    def _interval(self, value: float, error: float) -> Interval:
        half = self.quantile * error
        if math.isnan(value):
            return Interval(math.nan, -math.inf, math.inf, self.level)
        if not math.isfinite(half):
            return Interval(math.exp(value), 0.0, math.inf, self.level)
        return Interval(math.exp(value), math.exp(value - half), math.exp(value + half), self.level)


def fitted_line(x: Array, y: Array, variance: Array, degrees: int, level: float) -> Line:
    """Return the weighted least-squares line through the points (x, y).

    Parameters
    ----------
    x, y, variance : ndarray of float64, shape (budgets,)
        ln C, ln of the optimal size, and the variance of ln of the optimal size.
    degrees : int
        Degrees of freedom of the noise behind the variances; 0 if the variances are known only up to a common
        factor.
    level : float
        Coverage of the intervals.
    """
    weight = 1 / variance
    x0, y0 = (float(np.average(z, weights=weight)) for z in (x, y))
    moment = float(weight @ (x - x0) ** 2)
    if len(x) < 2:
        return Line(x0, y0, math.nan, math.inf, math.inf, 1.0, level, math.nan)
    slope = float(weight @ ((x - x0) * (y - y0))) / moment
    squares = float(weight @ (y - y0 - slope * (x - x0)) ** 2)
    scatter = math.sqrt(squares / (len(x) - 2)) if len(x) > 2 else math.nan
    factor = max(1.0, scatter) if degrees and len(x) > 2 else 1.0
    if not degrees:  # only the scatter of the optima tells how noisy they are
        factor, degrees = scatter, len(x) - 2
    quantile = float(special.stdtrit(degrees, (1 + level) / 2)) if degrees else math.inf
    y0_error, slope_error = factor / math.sqrt(weight.sum()), factor / math.sqrt(moment)
    return Line(x0, y0, slope, y0_error, slope_error, quantile, level, scatter)
