"""A simulated test of whether the cells of a learning curve depart from a power law by more than their noise.

Everything is in ln error as a function of ln n, on the means of the cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from errsrc.curves.cells import CurveCells, scatter_estimator
from errsrc.laws.law import Array

NULL_DRAWS = 4000
"""Number of simulated curves behind a p-value."""


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
        scale = np.maximum(scatter_estimator(cells.x, own)(draws * root / own), 1e-9)
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
