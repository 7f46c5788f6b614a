"""A simulated test of whether the cells of a learning curve depart from a power law by more than their noise.

A *cell* is the set of all runs with the same n.  All computations use the mean of ln error in each cell, as a
function of ln n.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from errsrc.curves.cells import CurveCells, scatter_estimator
from errsrc.laws.law import Array

NULL_DRAWS = 4000
"""Number of simulated curves from which a p-value is computed."""


def power_law_p_value(cells: CurveCells, basis: Array, residual: Array, seed: int) -> float:
    """Return the probability that noise alone makes cells depart from a power law at least as much as these.

    A cell is the set of all runs with the same n.  Two statistics are compared with their distributions under
    simulated noise.  The function returns the p-value of the more significant statistic, corrected for the
    choice between two statistics.

    For the first statistic, a power law is fitted to all cells except the h cells with the largest n, and
    predicts these h cells.  The sum of the prediction errors is divided by its standard deviation.  The
    statistic is the largest absolute value of this ratio over all h.  The fit needs at least one more cell
    than the law has parameters.  For the second statistic, each cell is predicted from all other cells, by a
    power law and by a law whose exponent changes with n.  The statistic says how much better the second law
    predicts.

    The distributions of both statistics depend neither on the parameters of the law nor on the size of the
    noise.  For a power law with a floor, this is true to first order.

    Parameters
    ----------
    cells : CurveCells
        The cells with errors above zero.
    basis : ndarray of float64, shape (cells, parameters)
        Derivatives of ln error with respect to the parameters of the fitted power law.
    residual : ndarray of float64, shape (cells,)
        Residuals of ln error for the fitted power law.
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
    for held in range(1, size - free):  # at least free + 1 cells predict the `held` largest cells
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
    """Return the matrix, (cells, cells), that maps a curve to the errors of leave-one-out predictions."""
    hat = basis @ np.linalg.pinv(basis)
    return (np.eye(len(basis)) - hat) / np.maximum(1 - np.diag(hat), 1e-9)[:, None]
