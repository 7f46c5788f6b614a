"""The cells of a learning curve: their noise, a line through them, and a simulated test for a power law.

Everything is in ln error as a function of ln n, on the means of the cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.laws.law import Array
from errsrc.results import Interval

LOG_ERROR_TOLERANCE = 0.02
"""Departures of ln error of this size from a law do not count: its square is added to every variance."""
NULL_DRAWS = 4000
"""Number of simulated curves behind a p-value."""


class CurveCells(NamedTuple):
    """The cells of a curve whose errors are above zero.

    Attributes
    ----------
    x : ndarray of float64, shape (cells,)
        ln n, ascending.
    y : ndarray of float64, shape (cells,)
        Mean ln error of each cell.
    variance : ndarray of float64, shape (cells,)
        Variance of each mean, in units of `scale`.
    scale : float
        Unit of the variances.
    df : float
        Degrees of freedom with which the runs determine the scale; inf where it is known.  0 where only the
        scatter around a smooth curve determines it, and -1 where nothing does.
    """

    x: Array
    y: Array
    variance: Array
    scale: float
    df: float

    @property
    def deviation(self) -> Array:
        """Standard deviation of the mean of each cell, float64 (cells,); inf where nothing determines it."""
        return np.sqrt(self.variance * self.scale) if self.df >= 0 else np.full(len(self.x), np.inf)

    @property
    def noise(self) -> Array:
        """Variance of the mean of each cell, plus that of the tolerance, float64 (cells,)."""
        return self.variance * self.scale + LOG_ERROR_TOLERANCE**2

    def quantile(self, level: float) -> float:
        """Return the two-sided quantile of Student's t distribution at the degrees of freedom of the noise.

        Parameters
        ----------
        level : float
            Coverage, in (0, 1).
        """
        df = self.df if self.df > 0 else max(len(self.x) - 3, 1)
        share = (1 + level) / 2
        return float(special.stdtrit(df, share) if math.isfinite(df) else special.ndtri(share))

    def basis(self, degree: int) -> Array:
        """Return the powers of ln n minus its mean.

        Parameters
        ----------
        degree : int
            Largest power.

        Returns
        -------
        ndarray of float64, shape (cells, degree + 1)
            Powers from 0 on.
        """
        return np.vander(self.x - self.x.mean(), degree + 1, increasing=True)

    def fitted(self, degree: int) -> tuple[Array, Array]:
        """Return the polynomial in ln n that fits the cells best.

        Parameters
        ----------
        degree : int
            Its degree.

        Returns
        -------
        coefficients : ndarray of float64, shape (degree + 1,)
            Coefficients of the `basis`.
        covariance : ndarray of float64, shape (degree + 1, degree + 1)
            Their covariance.
        """
        root = np.sqrt(self.noise)
        inverse = np.linalg.pinv(self.basis(degree) / root[:, None])
        return inverse @ (self.y / root), inverse @ inverse.T

    def slope(self, level: float) -> Interval:
        """Return the exponent of the straight line through the cells.

        Parameters
        ----------
        level : float
            Coverage of its interval, in (0, 1).
        """
        if len(self.x) < 2:
            return Interval(math.nan, -math.inf, math.inf, level)
        coefficients, covariance = self.fitted(1)
        half = self.quantile(level) * math.sqrt(covariance[1, 1])
        half = half if self.df >= 0 else math.inf
        middle = -float(coefficients[1])
        return Interval(middle, middle - half, middle + half, level)

    def local_exponents(self, level: float) -> list[Interval]:
        """Return the exponents between each cell and the next.

        Parameters
        ----------
        level : float
            Coverage of their intervals, in (0, 1).
        """
        steps, deviation = np.diff(self.x), self.deviation
        slopes = -np.diff(self.y) / steps
        halves = self.quantile(level) * np.hypot(deviation[1:], deviation[:-1]) / steps
        return [
            Interval(float(middle), float(middle - half), float(middle + half), level)
            for middle, half in zip(slopes, halves, strict=True)
        ]


def cells_of(x: Array, group: NDArray[np.intp], logs: Array, spread: Array | None) -> CurveCells:
    """Return the cells of a curve with what is known about their noise.

    Parameters
    ----------
    x : ndarray of float64, shape (cells,)
        ln n of the cells, ascending.
    group : ndarray of int, shape (runs,)
        Index of the cell of each run.
    logs : ndarray of float64, shape (runs,)
        ln error of each run.
    spread : ndarray of float64, shape (runs,), optional
        Standard deviation of ln error of each run; by default the runs determine it.
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
    return CurveCells(x, y, 1 / runs, float(_scatter(x, root)((y / root)[None, :])[0]) ** 2, 0.0)


def _scatter(x: Array, root: Array) -> Callable[[Array], Array]:
    """Return an estimator of the noise of curves around a smooth curve.

    It takes curves in units of `root`, (curves, cells), and returns a standard deviation for each, (curves,).
    That is the smaller of two estimates: the residuals of a parabola in ln n, which are accurate for smooth
    curves, and the median difference of each cell from the line through its neighbours, which is robust to a
    jump.
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


def power_law_p_value(cells: CurveCells, basis: Array, residual: Array, seed: int) -> float:
    """Return the probability that noise alone makes cells depart from a fitted law by as much as these.

    Two statistics are compared with their distributions over simulated noise.  The p-value is that of the
    more significant one, corrected for there being two.  For the first, the h largest cells are predicted
    from all others, and the statistic is the largest total error over h.  The second is how much better a law
    with a bend predicts each cell from all others.  In units of the noise the distributions depend on neither
    the parameters of the law nor the size of the noise; with a floor this holds to first order.

    Parameters
    ----------
    cells : CurveCells
        The cells.
    basis : ndarray of float64, shape (cells, parameters)
        Derivatives of ln error of the law.
    residual : ndarray of float64, shape (cells,)
        Residuals of ln error of the fitted law.
    seed : int
        Seed of the simulated noise.

    Returns
    -------
    float
        The p-value, from `NULL_DRAWS` simulated curves.
    """
    root = np.sqrt(cells.noise)
    statistics = _departures(basis / root[:, None], (cells.x - cells.x.mean()) ** 2 / root)
    rng = np.random.default_rng([seed, 3])
    draws = rng.standard_normal((NULL_DRAWS, len(basis)))
    scale = np.ones(NULL_DRAWS)  # estimated noise of each simulated curve, over its true noise
    if cells.df == 0:
        own = np.sqrt(cells.variance)
        scale = np.maximum(_scatter(cells.x, own)(draws * root / own), 1e-9)
        scale /= np.sqrt(np.mean(root**2 / cells.variance))
    elif math.isfinite(cells.df):
        scale = np.sqrt(rng.chisquare(cells.df, NULL_DRAWS) / cells.df)
    simulated = [s / scale**power for power, s in zip((1, 2), statistics(draws), strict=True)]
    seen = [s[0] for s in statistics((residual / root)[None, :])]
    ranks = [1 - np.argsort(np.argsort(s)) / NULL_DRAWS for s in simulated]
    own_rank = min(np.mean(s >= value) for s, value in zip(simulated, seen, strict=True))
    return float(np.mean(np.minimum(*ranks) <= own_rank + 1 / NULL_DRAWS))


def _departures(tangent: Array, bend: Array) -> Callable[[Array], tuple[Array, Array]]:
    """Return the two statistics of `power_law_p_value` as a function of curves, (curves, cells).

    Parameters
    ----------
    tangent : ndarray of float64, shape (cells, parameters)
        Derivatives of the law, in units of the noise.
    bend : ndarray of float64, shape (cells,)
        Derivative in a further parameter, which bends the law.
    """
    size, free = tangent.shape
    rows = []
    for held in range(1, size - free):  # the largest cells, predicted from at least one more than free
        kept = size - held
        miss = np.zeros((held, size))
        miss[:, kept:] = np.eye(held)
        miss[:, :kept] = -tangent[kept:] @ np.linalg.pinv(tangent[:kept])
        total = miss.sum(0)
        rows.append(total / np.linalg.norm(total))
    forecast = np.array(rows)
    straight, curved = _left_out(tangent), _left_out(np.column_stack([tangent, bend]))

    def statistics(u: Array) -> tuple[Array, Array]:
        gain = ((u @ straight.T) ** 2).sum(1) - ((u @ curved.T) ** 2).sum(1)
        return np.abs(u @ forecast.T).max(1), gain

    return statistics


def _left_out(basis: Array) -> Array:
    """Return the matrix, (cells, cells), that maps cells to the error with which all others predict each."""
    hat = basis @ np.linalg.pinv(basis)
    return (np.eye(len(basis)) - hat) / np.maximum(1 - np.diag(hat), 1e-9)[:, None]
