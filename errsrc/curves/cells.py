"""The cells of a learning curve, with their errors and their noise.

A *cell* is the set of all runs with the same n.  All computations use the mean of ln error in each cell, as a
function of ln n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from errsrc import checks
from errsrc.laws.law import Array
from errsrc.results import ROUNDING, Interval

LOG_ERROR_TOLERANCE = 0.02
"""Departures of ln error up to about this size are ignored, because its square is added to every variance."""


class CurveCells(NamedTuple):
    """The cells of one learning curve that have errors above zero.

    A cell is the set of all runs with the same n.

    Attributes
    ----------
    x : ndarray of float64, shape (cells,)
        The ln n of each cell, ascending.
    y : ndarray of float64, shape (cells,)
        Mean ln error of each cell.
    variance : ndarray of float64, shape (cells,)
        Variance of the mean ln error of each cell, divided by `scale`.
    scale : float
        Factor that is common to the variances of all cells.
    df : float
        Degrees of freedom of the estimate of the scale.  The number is inf if the scale is known, 0 if the
        scale was estimated from the scatter around a smooth curve, and -1 if the scale is unknown.
    """

    x: Array
    y: Array
    variance: Array
    scale: float
    df: float

    @property
    def deviation(self) -> Array:
        """Standard deviation of the mean ln error of each cell, float64 (cells,); inf if it is unknown."""
        return np.sqrt(self.variance * self.scale) if self.df >= 0 else np.full(len(self.x), np.inf)

    @property
    def noise(self) -> Array:
        """Variance of the mean ln error of each cell plus `LOG_ERROR_TOLERANCE`^2, float64 (cells,)."""
        return self.variance * self.scale + LOG_ERROR_TOLERANCE**2

    def quantile(self, level: float) -> float:
        """Return the two-sided quantile of Student's t distribution with `df` degrees of freedom.

        Parameters
        ----------
        level : float
            Coverage of the two-sided interval, in (0, 1).
        """
        df = self.df if self.df > 0 else max(len(self.x) - 3, 1)
        share = (1 + level) / 2
        return float(special.stdtrit(df, share) if math.isfinite(df) else special.ndtri(share))

    def basis(self, degree: int) -> Array:
        """Return powers of the centred ln n of each cell, which is ln n minus the mean of ln n.

        Parameters
        ----------
        degree : int
            Largest power.

        Returns
        -------
        ndarray of float64, shape (cells, degree + 1)
            The powers 0, 1, ..., `degree` of the centred ln n of each cell.
        """
        return np.vander(self.x - self.x.mean(), degree + 1, increasing=True)

    def fitted(self, degree: int) -> tuple[Array, Array]:
        """Return the polynomial in ln n that best fits the mean ln error at each n.

        Parameters
        ----------
        degree : int
            Degree of the polynomial.

        Returns
        -------
        coefficients : ndarray of float64, shape (degree + 1,)
            Coefficients of the powers that `basis` returns.
        covariance : ndarray of float64, shape (degree + 1, degree + 1)
            Covariance of the coefficients.
        """
        root = np.sqrt(self.noise)
        inverse = np.linalg.pinv(self.basis(degree) / root[:, None])
        return inverse @ (self.y / root), inverse @ inverse.T

    def slope(self, level: float, part: slice = slice(None)) -> Interval:
        """Return the exponent of the best power law: minus the slope of ln error over ln n.

        Parameters
        ----------
        level : float
            Coverage of the interval, in (0, 1).
        part : slice
            The cells that the power law is fitted to, by default all.  The noise is that of all cells.
        """
        some = self._replace(x=self.x[part], y=self.y[part], variance=self.variance[part])
        if len(some.x) < 2:
            return Interval(math.nan, -math.inf, math.inf, level)
        coefficients, covariance = some.fitted(1)
        half = self.quantile(level) * math.sqrt(covariance[1, 1])
        half = half if self.df >= 0 else math.inf
        middle = -float(coefficients[1])
        return Interval(middle, middle - half, middle + half, level)

    def local_exponents(self, level: float) -> list[Interval]:
        """Return the exponents -d ln error / d ln n between each n and the next larger n, with intervals.

        Parameters
        ----------
        level : float
            Coverage of the intervals, in (0, 1).
        """
        steps, deviation = np.diff(self.x), self.deviation
        slopes = -np.diff(self.y) / steps
        halves = self.quantile(level) * np.hypot(deviation[1:], deviation[:-1]) / steps
        return [
            Interval(float(middle), float(middle - half), float(middle + half), level)
            for middle, half in zip(slopes, halves, strict=True)
        ]


def cells_of(x: Array, group: NDArray[np.intp], logs: Array, spread: Array | None) -> CurveCells:
    """Return the cells of a learning curve, with their noise.

    A cell is the set of all runs with the same n.

    Parameters
    ----------
    x : ndarray of float64, shape (cells,)
        The ln n of each cell, ascending.
    group : ndarray of int, shape (runs,)
        Index of the cell of each run.
    logs : ndarray of float64, shape (runs,)
        The ln error of each run.
    spread : ndarray of float64, shape (runs,), optional
        Standard deviation of ln error of each run.  By default, the noise is estimated from the runs.
    """
    runs = np.maximum(np.bincount(group, minlength=len(x)), 1)
    y = np.bincount(group, logs, minlength=len(x)) / runs
    if spread is not None:
        return CurveCells(x, y, np.bincount(group, spread**2, minlength=len(x)) / runs**2, 1.0, math.inf)
    extra = int(runs.sum()) - len(x)
    if extra >= 3:
        pooled = float(np.sum((logs - y[group]) ** 2)) / extra
        return CurveCells(x, y, 1 / runs, pooled, extra)
    if len(x) < 4:
        return CurveCells(x, y, 1 / runs, 0.0, -1.0)
    root = np.sqrt(1 / runs)
    return CurveCells(x, y, 1 / runs, float(scatter_estimator(x, root)((y / root)[None, :])[0]) ** 2, 0.0)


def scatter_estimator(x: Array, root: Array) -> Callable[[Array], Array]:
    """Return a function that estimates the noise of learning curves around a smooth curve.

    A curve has one mean ln error for each cell.  A cell is the set of all runs with the same n.

    The returned function computes two estimates and returns the smaller one.  The first comes from the
    residuals of a parabola in ln n, and is accurate for smooth curves.  The second comes from the median
    difference between a cell and the line through the two cells next to it, and is robust to a jump.

    Parameters
    ----------
    x : ndarray of float64, shape (cells,)
        The ln n of each cell, ascending.
    root : ndarray of float64, shape (cells,)
        Standard deviation of the noise at each cell, up to a factor that is common to all cells.

    Returns
    -------
    callable
        A function that takes an array of shape (curves, cells), the curves divided by `root`.  It returns an
        array of shape (curves,) with a factor s for each curve: the noise of the curve at a cell has the
        standard deviation s times `root`.
    """
    basis = np.vander(x - x.mean(), 3) / root[:, None]
    left = np.eye(len(x)) - basis @ np.linalg.pinv(basis)
    share = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])
    k = np.arange(len(x) - 2)
    bend = np.zeros((len(x) - 2, len(x)))
    bend[k, k], bend[k, k + 1], bend[k, k + 2] = -share, 1.0, share - 1
    bend *= root
    bend /= np.linalg.norm(bend, axis=1, keepdims=True)

    def scatter(rows: Array) -> Array:
        parabola = np.sqrt(((rows @ left) ** 2).sum(1) / (len(x) - 3))
        return np.minimum(parabola, np.median(np.abs(rows @ bend.T), axis=1) / 0.6745)

    return scatter


class SortedCurve(NamedTuple):
    """A learning curve whose runs are sorted into cells, by ascending n.

    A *cell* is the set of all runs with the same n.  The first `above` cells have errors above zero.  All
    later cells are at zero: their median errors count as zero.

    Attributes
    ----------
    n, medians : ndarray of float64, shape (all cells,)
        The n and the median error of each cell.
    runs : ndarray of int64, shape (all cells,)
        Number of runs in each cell.
    above : int
        Number of cells with errors above zero.
    zero : float
        Errors up to this number count as zero, in the units of the errors.
    cells : CurveCells
        The first `above` cells.
    run_n, run_error : ndarray of float64, shape (runs,)
        The n and the error of each run in the first `above` cells.
    weights : ndarray of float64, shape (runs,), or None
        Weight of each run in the first `above` cells; None if no standard errors are given.
    """

    n: Array
    medians: Array
    runs: NDArray[np.int64]
    above: int
    zero: float
    cells: CurveCells
    run_n: Array
    run_error: Array
    weights: Array | None


def sorted_curve(
    n: ArrayLike, error: ArrayLike, std_error: ArrayLike | None, zero: float | None, level: float
) -> SortedCurve:
    """Sort the runs of a learning curve into cells, and find the cells whose errors count as zero.

    A *cell* is the set of all runs with the same n.  A cell is at zero if its median error, and the median
    errors of all cells with larger n, count as zero.

    Parameters
    ----------
    n : ndarray of float64, shape (runs,)
        The n of each run, > 0.
    error, std_error : ndarray of float64, shape (runs,)
        The error of each run, >= 0, and its standard error.  Give None if the standard errors are not known.
    zero : float, optional
        Errors up to this number count as 0.  The default is 1e-12 (`errsrc.results.ROUNDING`) times the
        largest median error.
    level : float
        Coverage of an interval, in (0, 1).  If standard errors are given, the errors inside the interval
        around an error of 0 count as 0, too.

    Raises
    ------
    ValueError
        If the arrays have different lengths, more than one dimension, or no entries.
    """
    sizes, errors, spread = _run_arrays(n, error, std_error)
    distinct, which = np.unique(sizes, return_inverse=True)
    rounded = np.exp(np.log(distinct))  # very near n have the same ln n, and are one cell
    _, first, cell = np.unique(rounded, return_index=True, return_inverse=True)
    values, group = distinct[first], cell[which]
    runs = np.bincount(group)
    medians = np.array([np.median(errors[group == k]) for k in range(len(values))])
    threshold = ROUNDING * float(medians.max()) if zero is None else zero
    above = _count_above(medians, threshold)
    if std_error is not None and above < len(values):  # the errors of cells at zero may be 0 by chance
        largest = np.atleast_1d(std_error)[group >= above].max()
        threshold = max(threshold, float(special.ndtri((1 + level) / 2) * largest))
        above = _count_above(medians, threshold)
    rows = group < above
    least = max(threshold, float(errors[errors > 0].min(initial=1.0)) if threshold == 0 else 0.0)
    logs = np.log(np.maximum(errors, least))[rows]
    known = None if spread is None else spread[rows]
    cells = cells_of(np.log(values[:above]), group[rows], logs, known)
    weights = None if known is None else 1 / (known**2 + LOG_ERROR_TOLERANCE**2)
    run_n = np.exp(cells.x)[group[rows]]
    return SortedCurve(values, medians, runs, above, threshold, cells, run_n, np.exp(logs), weights)


def _run_arrays(
    n: ArrayLike, error: ArrayLike, std_error: ArrayLike | None
) -> tuple[Array, Array, Array | None]:
    """Return sizes, errors and relative standard errors (None for none), (runs,) each."""
    sizes, errors = np.atleast_1d(n), np.atleast_1d(error)
    spread = None if std_error is None else np.atleast_1d(std_error)
    for name, array in {"n": sizes, "error": errors, "std_error": spread}.items():
        if array is not None and (array.ndim != 1 or array.shape != errors.shape or not array.size):
            accepted = "a one-dimensional array, not empty, as long as error"
            raise ValueError(checks.refusal(name, "curve_shape", accepted, f"<shape {array.shape}>"))
    if spread is not None:
        spread = np.divide(spread, errors, out=np.zeros_like(errors), where=errors > 0)
    return sizes, errors, spread


def _count_above(medians: Array, zero: float) -> int:
    """Return the number of cells without the last cells, those whose medians all count as zero."""
    above = len(medians)
    while above and medians[above - 1] <= zero:
        above -= 1
    return above
