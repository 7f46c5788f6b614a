"""The cells of a learning curve: their noise, a line through them, and how often noise alone bends them so.

Everything is in ln error over ln n, on the cells' means.
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
"""Departures of a cell's ln error from a law that count as none."""
NULL_DRAWS = 4000
"""Of the simulated null distribution."""


class CurveCells(NamedTuple):
    """The cells above zero, (cells,) each: x is ln n, y mean ln error, with its variance in units of `scale`.

    ``df`` are the degrees of freedom by which the runs tell the scale, inf where it is known, 0 where only
    the scatter around a smooth curve tells it, -1 where nothing does.
    """

    x: Array
    y: Array
    variance: Array
    scale: float
    df: float

    @property
    def deviation(self) -> Array:
        """Standard deviation of each cell's mean, (cells,); inf where nothing tells it."""
        return np.sqrt(self.variance * self.scale) if self.df >= 0 else np.full(len(self.x), np.inf)

    @property
    def noise(self) -> Array:
        """Variance of each cell's mean, with the tolerance, (cells,)."""
        return self.variance * self.scale + LOG_ERROR_TOLERANCE**2

    def quantile(self, level: float) -> float:
        """Return Student's two-sided quantile for this knowledge of the noise."""
        df = self.df if self.df > 0 else max(len(self.x) - 3, 1)
        share = (1 + level) / 2
        return float(special.stdtrit(df, share) if math.isfinite(df) else special.ndtri(share))

    def basis(self, degree: int) -> Array:
        """Return 1, ln n - its mean, ..., (cells, degree + 1)."""
        return np.vander(self.x - self.x.mean(), degree + 1, increasing=True)

    def fitted(self, degree: int) -> tuple[Array, Array]:
        """Return the coefficients of the `basis` fitted to the cells, (degree + 1,), and their covariance."""
        root = np.sqrt(self.noise)
        inverse = np.linalg.pinv(self.basis(degree) / root[:, None])
        return inverse @ (self.y / root), inverse @ inverse.T

    def slope(self, level: float) -> Interval:
        """Return the exponent of the straight line through the cells, an interval of coverage ``level``."""
        if len(self.x) < 2:
            return Interval(math.nan, -math.inf, math.inf, level)
        coefficients, covariance = self.fitted(1)
        half = self.quantile(level) * math.sqrt(covariance[1, 1])
        half = half if self.df >= 0 else math.inf
        middle = -float(coefficients[1])
        return Interval(middle, middle - half, middle + half, level)

    def local_exponents(self, level: float) -> list[Interval]:
        """Return the exponents between each cell and the next, intervals of coverage ``level``."""
        steps, deviation = np.diff(self.x), self.deviation
        slopes = -np.diff(self.y) / steps
        halves = self.quantile(level) * np.hypot(deviation[1:], deviation[:-1]) / steps
        return [
            Interval(float(middle), float(middle - half), float(middle + half), level)
            for middle, half in zip(slopes, halves, strict=True)
        ]


def cells_of(x: Array, group: NDArray[np.intp], logs: Array, spread: Array | None) -> CurveCells:
    """Return the cells above zero with what is known of their noise.

    Parameters
    ----------
    x
        ln n of the cells, (cells,), ascending.
    group, logs
        Of each run, (runs,): its cell's place, and ln error.
    spread
        Standard deviation of each run's ln error, (runs,); None where only the runs tell it.
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
    """Return the estimator of the noise of rows (many, cells) in units of `root` around a smooth curve.

    It is the smaller of what is left by a parabola in ln n, and of the median difference of each cell from
    the line through its neighbours: the one is sharp on smooth curves, the other stands a jump.
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


def chance(cells: CurveCells, basis: Array, residual: Array, seed: int) -> float:
    """Return how often noise alone makes the held-out cells miss a law of that tangent by as much.

    Parameters
    ----------
    basis
        (cells, parameters): derivatives of the law's ln error.
    residual
        (cells,) of the fitted law in ln error.
    seed
        Of the simulated noise.
    """
    size, free = basis.shape
    root = np.sqrt(cells.noise)
    tangent = basis / root[:, None]
    rows = []
    for held in range(1, size - free):  # the largest cells, from at least one more than free
        kept = size - held
        miss = np.zeros((held, size))
        miss[:, kept:] = np.eye(held)
        miss[:, :kept] = -tangent[kept:] @ np.linalg.pinv(tangent[:kept])
        total = miss.sum(0)
        rows.append(total / np.linalg.norm(total))
    forecast = np.array(rows)
    bent = np.column_stack([tangent, (cells.x - cells.x.mean()) ** 2 / root])
    straight, curved = _left_out(tangent), _left_out(bent)

    def statistics(u: Array) -> tuple[Array, Array]:
        gain = ((u @ straight.T) ** 2).sum(1) - ((u @ curved.T) ** 2).sum(1)
        return np.abs(u @ forecast.T).max(1), gain

    rng = np.random.default_rng([seed, 3])
    draws = rng.standard_normal((NULL_DRAWS, size))
    scale = np.ones(NULL_DRAWS)
    if cells.df == 0:
        own = np.sqrt(cells.variance)
        scale = np.maximum(_scatter(cells.x, own)(draws * root / own), 1e-9)
        scale /= np.sqrt(np.mean(root**2 / cells.variance))
    elif math.isfinite(cells.df):
        scale = np.sqrt(rng.chisquare(cells.df, NULL_DRAWS) / cells.df)
    under = [s / scale**power for power, s in zip((1, 2), statistics(draws), strict=True)]
    seen = [s[0] for s in statistics((residual / root)[None, :])]
    ranks = [1 - np.argsort(np.argsort(s)) / NULL_DRAWS for s in under]
    own_rank = min(np.mean(s >= value) for s, value in zip(under, seen, strict=True))
    return float(np.mean(np.minimum(*ranks) <= own_rank + 1 / NULL_DRAWS))


def _left_out(basis: Array) -> Array:
    """Return the matrix from cells to what each is missed by when the others predict it."""
    hat = basis @ np.linalg.pinv(basis)
    return (np.eye(len(basis)) - hat) / np.maximum(1 - np.diag(hat), 1e-9)[:, None]
