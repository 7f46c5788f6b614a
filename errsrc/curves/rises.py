"""Rises and falls of a learning curve that are larger than its noise: a peak, a dip, or a rise.

A *cell* is the set of all runs with the same n.  Two cells differ significantly if the difference of their
errors, divided by its standard error, exceeds a critical value.  The critical value allows for the number of
pairs of cells: at most a share 1 - level of all curves without a rise have a pair that rises significantly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.curves.cells import SortedCurve, scatter_estimator
from errsrc.fitting.anomalies import PEAK_NOISE, peak
from errsrc.laws.law import Array
from errsrc.results import Interval

NULL_DRAWS = 1000
"""Number of simulated curves from which the critical value is computed if there is one run for each n."""
SMALLEST_RISE = 0.005
"""Rises of ln error of about this size are ignored if there is one run for each n."""
NO_NOISE = 1e-20
"""Variances of ln error up to this number, between runs of the same n, are rounding errors."""


@dataclass(frozen=True)
class CurveChange:
    """A significant rise or fall of a learning curve from one cell to a cell with a larger n.

    A cell is the set of all runs with the same n.

    Attributes
    ----------
    n, n_after : float
        The n of the two cells.
    error, error_after : float
        The errors of the two cells, in the units of the errors.
    deviations : float
        The difference of the two errors divided by its standard error: positive for a rise, negative for a
        fall.  Without standard errors, it is the difference of the mean ln errors.
    critical : float
        The change is significant because the absolute value of `deviations` exceeds this number.
    """

    n: float
    n_after: float
    error: float
    error_after: float
    deviations: float
    critical: float

    def __str__(self) -> str:
        verb = "rises" if self.deviations > 0 else "falls"
        ends = f"from {self.error:.3g} at n = {self.n:g} to {self.error_after:.3g} at n = {self.n_after:g}"
        return f"{verb} {ends} ({abs(self.deviations):.3g} standard errors)"


class NotFalling(NamedTuple):
    """The significant rises of a learning curve, and the shape that they make.

    Attributes
    ----------
    verdict : str
        "peak" if a significant fall follows a rise, otherwise "dip" if a rise follows a significant fall,
        otherwise "rise".
    changes : tuple of CurveChange
        The rise and the fall of a peak, the fall and the rise of a dip, or the rise, by ascending n.
    turn : Interval or None
        The n of the peak or the dip; None for a rise.  The interval covers the neighbouring cells whose
        errors do not differ significantly from the error at the peak or the dip.
    fall_before : CurveChange or None
        For a peak: a significant fall before the rise.
    lone_n : float
        The n of a single run without which nothing rises significantly; nan if there is no such run, or if
        the noise does not come from the scatter of single runs.
    """

    verdict: str
    changes: tuple[CurveChange, ...]
    turn: Interval | None
    fall_before: CurveChange | None
    lone_n: float

    @property
    def sentence(self) -> str:
        """The rises and falls as two or three sentences."""
        first, *later = self.changes
        text = f"The error {first}{''.join(f', then {one}' for one in later)}. "
        text += f"A change by more than {first.critical:.3g} standard errors is significant."
        if self.fall_before is not None:
            text += f" Before this rise, the error {self.fall_before}: a double descent."
        return text


class _Measured(NamedTuple):
    """What is compared: a value of each cell with its standard deviation, and the critical value.

    Attributes
    ----------
    n, error : ndarray of float64, shape (cells,)
        The n and the error of each cell.
    value, deviation : ndarray of float64, shape (cells,)
        The error or the mean ln error of each cell, and its standard deviation.
    critical : float
        The critical value.
    single : bool
        Whether the noise was estimated from the scatter of single runs.
    """

    n: Array
    error: Array
    value: Array
    deviation: Array
    critical: float
    single: bool

    def deviations(self) -> Array:
        """Return the difference between each pair of cells, in its standard deviations, (cells, cells).

        The entry [i, j] is positive if cell j lies above cell i.  It is 0 if the n of cell j is not larger
        than the n of cell i, or if neither cell has noise.
        """
        noise = np.hypot(self.deviation[:, None], self.deviation[None, :])
        ratio = np.divide(
            self.value[None, :] - self.value[:, None], noise, np.zeros_like(noise), where=noise > 0
        )
        return np.triu(ratio, 1)


def not_falling(
    curve: SortedCurve, errors: tuple[Array, Array, Array] | None, level: float, seed: int
) -> NotFalling | None:
    """Return the peak, the dip or the rise of a learning curve; None if no pair of cells rises significantly.

    Parameters
    ----------
    curve : SortedCurve
        The curve.
    errors : tuple of ndarray of float64, shape (runs,), optional
        The n, the error and the standard error of each run.  By default, the noise of `curve.cells` is used.
    level : float
        One minus the probability that a curve without a rise has a pair of cells that rises significantly.
    seed : int
        Seed of the simulated noise; it is used only if there is one run for each n and no standard error.

    Notes
    -----
    *With standard errors*, the means of the errors of cells are compared.  The critical value is that of a
    one-sided normal test, with Bonferroni's correction for all pairs of cells.  A pair whose standard errors
    are both 0 is left out.

    *With several runs for each n*, the means of ln error are compared, by Student's t distribution with the
    same correction.  The variance of the runs of a cell is the larger one of two estimates: from the runs of
    this cell, and from the runs of all cells.

    *With one run for each n*, the noise is the scatter around a smooth curve, plus `SMALLEST_RISE`, plus the
    rounding of the errors: a uniform distribution over the smallest difference of two errors.  The critical
    value is a quantile of the largest rise of simulated curves that are constant except for noise.  A high
    peak makes this scatter too large.  Therefore a curve also rises if `errsrc.fitting.anomalies.peak` finds
    a peak.
    """
    measured = _by_cells(curve, level, seed) if errors is None else _by_standard_errors(errors, level)
    if measured is None:
        return None
    found = _shape_of_rises(measured, curve.runs, level)
    if measured.single and (found is None or not math.isnan(found.lone_n)):
        high = peak(curve.run_n, curve.run_error)
        if high is not None:
            noise = np.full_like(measured.deviation, high.noise / math.sqrt(2))
            found = _shape_of_rises(
                measured._replace(deviation=noise, critical=PEAK_NOISE), curve.runs, level
            )
    return found


def _shape_of_rises(measured: _Measured, runs: NDArray[np.int64], level: float) -> NotFalling | None:
    """Return the shape of the significant rises; None if nothing rises significantly."""
    ratio, critical = measured.deviations(), measured.critical
    if not (ratio > critical).any():
        return None
    lone = _lone_cell(ratio > critical) if measured.single else None
    if lone is not None and runs[lone] > 1:
        lone = None
    rise_to, fall_to = ratio.max(0), (-ratio).max(0)
    rise_from, fall_from = ratio.max(1), (-ratio).max(1)
    peaks, dips = np.minimum(rise_to, fall_from), np.minimum(fall_to, rise_from)
    before, turn = None, None
    if peaks.max() > critical:
        top = int(np.argmax(peaks))
        start = int(np.argmax(ratio[:, top]))
        changes = [(start, top), (top, int(np.argmin(ratio[top])))]
        verdict, turn = "peak", _around(measured, top, level)
        if fall_to[start] > critical:
            before = _change(measured, ratio, int(np.argmin(ratio[:, start])), start)
    elif dips.max() > critical:
        low = int(np.argmax(dips))
        changes = [(int(np.argmin(ratio[:, low])), low), (low, int(np.argmax(ratio[low])))]
        verdict, turn = "dip", _around(measured, low, level)
    else:
        i, j = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
        verdict, changes = "rise", [(int(i), int(j))]
    shown = tuple(_change(measured, ratio, i, j) for i, j in changes)
    return NotFalling(verdict, shown, turn, before, math.nan if lone is None else float(measured.n[lone]))


def _change(measured: _Measured, ratio: Array, i: int, j: int) -> CurveChange:
    n, error = measured.n, measured.error
    ends = float(n[i]), float(n[j]), float(error[i]), float(error[j])
    return CurveChange(*ends, float(ratio[i, j]), measured.critical)


def _around(measured: _Measured, k: int, level: float) -> Interval:
    """Return the n of a cell; the interval covers the neighbouring cells that do not differ significantly."""
    value, noise = measured.value, np.hypot(measured.deviation, measured.deviation[k])
    other = np.flatnonzero(np.abs(value - value[k]) > measured.critical * noise)
    low = int(other[other < k].max(initial=-1)) + 1
    high = int(other[other > k].min(initial=len(value))) - 1
    n = measured.n
    return Interval(float(n[k]), float(n[low]), float(n[high]), level)


def _lone_cell(rising: NDArray[np.bool_]) -> int | None:
    """Return the cell that belongs to every pair that rises significantly; None if there is no such cell."""
    i, j = np.nonzero(rising)
    for k in {int(i[0]), int(j[0])}:
        if ((i == k) | (j == k)).all():
            return k
    return None


def _by_standard_errors(errors: tuple[Array, Array, Array], level: float) -> _Measured | None:
    """Return the mean error of each cell with its standard error."""
    n, error, spread = errors
    sizes, group, runs = np.unique(n, return_inverse=True, return_counts=True)
    mean = np.bincount(group, error) / runs
    unit = float(spread.max()) or 1.0  # squares of very small or very large standard errors are not finite
    deviation = unit * np.sqrt(np.bincount(group, (spread / unit) ** 2)) / runs
    exact = int((deviation == 0).sum())
    pairs = math.comb(len(sizes), 2) - math.comb(exact, 2)
    if not pairs:
        return None
    critical = float(-special.ndtri((1 - level) / pairs))
    return _Measured(sizes, mean, mean, deviation, critical, False)


def _by_cells(curve: SortedCurve, level: float, seed: int) -> _Measured | None:
    """Return the mean ln error of each cell above zero; None if its noise is not known."""
    cells, count = curve.cells, len(curve.cells.x)
    sizes, error = curve.n[:count], np.exp(cells.y)
    if cells.df == 0:
        critical = _simulated_critical(cells.x, level, seed)
        gaps = np.diff(np.unique(curve.run_error))  # rounded errors differ by one step at least
        rounding = gaps.min(initial=math.inf) / math.sqrt(12) / error if len(gaps) else 0.0
        deviation = np.sqrt(cells.variance * cells.scale + SMALLEST_RISE**2 + rounding**2)
        return _Measured(sizes, error, cells.y, deviation, critical, True)
    if not 0 < cells.df < math.inf or cells.scale <= NO_NOISE or count < 2:
        return None
    _, group, runs = np.unique(curve.run_n, return_inverse=True, return_counts=True)
    own = np.bincount(group, (np.log(curve.run_error) - cells.y[group]) ** 2) / np.maximum(runs - 1, 1)
    deviation = np.sqrt(np.maximum(own, cells.scale) / runs)
    critical = float(-special.stdtrit(cells.df, (1 - level) / math.comb(count, 2)))
    return _Measured(sizes, error, cells.y, deviation, critical, False)


def _simulated_critical(x: Array, level: float, seed: int) -> float:
    """Return a quantile of the largest rise of a constant curve, in units of its estimated noise."""
    draws = np.random.default_rng([seed, 4]).standard_normal((NULL_DRAWS, len(x)))
    rises = (draws - np.minimum.accumulate(draws, axis=1)).max(1)
    scale = np.maximum(scatter_estimator(x, np.ones(len(x)))(draws), 1e-9)
    return float(np.quantile(rises / (math.sqrt(2) * scale), level))
