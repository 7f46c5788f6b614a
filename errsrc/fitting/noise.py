"""How large the noise is: around a fitted law, between neighbouring sizes, and between repeated seeds.

Noise is always the standard deviation of ln error: 0.05 means noise of 5%.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from errsrc import checks
from errsrc.checks import ERROR
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array, checked_inputs
from errsrc.results import percent

SLIGHT = 0.01
"""An error that exceeds the largest error of a law by at most this share is kept, however small the noise."""
OUTLIER = 3.0
"""The noise of a Huber fit is computed from residuals clipped at this many robust standard deviations."""


class Noise(NamedTuple):
    """Standard deviations of ln error around a fitted law.

    Attributes
    ----------
    residual : float
        Standard deviation of the measured points around the law.
    run : float
        Standard deviation of a new run around the law.  It is larger than `residual` if the points look like
        a running best: each point is then the lowest error at its own size and all smaller sizes.
    seeds : float
        Standard deviation of rows with equal inputs around their mean; nan if no two rows have equal inputs.
    """

    residual: float
    run: float
    seeds: float


def noise_around(problem: Problem, z: Array, residual: Array, far: NDArray[np.bool_]) -> Noise:
    """Return the noise around a fitted law.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).
    far : ndarray of bool, shape (points,)
        Rows that are far from the law.  Under Huber losses they do not count as noise.
    """
    if problem.objective == "huber" and far.any():
        problem, residual = problem.of_rows(np.flatnonzero(~far)), residual[~far]
    logs = np.log(problem.error_at(z[None, :], problem.inputs)[0][0])
    jac = problem.residuals(z[None, :], problem.error)[1][0]
    seeds = seed_noise(problem)
    huber = problem.objective == "huber"
    if huber:  # outliers must not widen every interval
        limit = OUTLIER * max(robust_scale(residual, problem.weights), 1e-12)
        residual = np.clip(residual, -limit, limit)
    noise = noise_scale(problem, residual, jac)
    if huber:  # the residuals of heavily weighted points can hide noise that other points show
        scatter = 0.0
        if problem.law.inputs == ("n",):
            scatter = local_scale(problem.inputs["n"], problem.error)
        noise = max(noise, scatter, 0.0 if math.isnan(seeds) else seeds)
    return Noise(noise, running_best_factor(problem, logs, noise) * noise, seeds)


def noise_scale(problem: Problem, residual: Array, jac: Array) -> float:
    """Return the standard deviation of a fit's noise, corrected for the number of fitted parameters.

    In least squares the weights are precisions, and the result is the noise of a point of weight 1.  In a
    Huber fit the weights say how important a point is.  All points then have the same noise, which is the
    result (`residual_scale`).

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    residual : ndarray of float64, shape (points,)
        Residuals at the solution of the problem.
    jac : ndarray of float64, shape (points, free)
        Jacobian of the residuals.
    """
    if problem.objective == "huber":
        return residual_scale(residual, problem.weights, jac)
    return float(np.sqrt(problem.weights @ residual**2 / max(len(residual) - jac.shape[1], 1)))


def residual_scale(residual: Array, weights: Array, jac: Array) -> float:
    """Estimate the standard deviation of noise that is equal at all points, from the residuals of a fit.

    With A = J' W J and B = J' W^2 J, the weighted sum of squared residuals of a least-squares fit has
    expectation scale^2 (sum w - trace A^-1 B).  The factor in brackets is the number of points minus the
    number of parameters if all weights are 1.  The factor is set to at least a third of sum w.  Otherwise a
    fit that passes through a few points of large weight would seem to have almost no noise.

    Parameters
    ----------
    residual : ndarray of float64, shape (points,)
        Residuals of the fit.
    weights : ndarray of float64, shape (points,)
        Weights w of the points, the diagonal of W.
    jac : ndarray of float64, shape (points, free)
        Jacobian J of the residuals.
    """
    root = np.sqrt(weights)[:, None]
    left, singular, _ = np.linalg.svd(root * jac, full_matrices=False)
    left = left[:, singular > singular[0] * 1e-12]
    fitted = float(np.sum((left * root) ** 2))  # trace A^-1 B
    degrees = max(float(weights.sum()) - fitted, float(weights.sum()) / 3)
    return float(np.sqrt(weights @ residual**2 / degrees))


def robust_scale(residual: Array, weights: Array) -> float:
    """Return the standard deviation of a normal distribution with the same weighted median of |residual|.

    Parameters
    ----------
    residual, weights : ndarray of float64, shape (points,)
        Residuals, and their weights in the median.
    """
    order = np.argsort(np.abs(residual))
    share = np.cumsum(weights[order])
    middle = np.searchsorted(share, share[-1] / 2)
    return float(np.abs(residual)[order][middle] / 0.6745)


def local_scale(n: Array, error: Array) -> float:
    """Return the standard deviation of ln error around a smooth curve in ln n, without any law.

    The mean ln error at each size is compared with the line through its two neighbours.  Each difference is
    divided by its standard deviation for noise of standard deviation 1.  The result is the standard deviation
    of a normal distribution with the same median absolute value.

    Parameters
    ----------
    n, error : ndarray of float64, shape (points,)
        Sizes and errors, > 0.

    Returns
    -------
    float
        The standard deviation; 0 for fewer than four different sizes.
    """
    x, group, runs = np.unique(np.log(n), return_inverse=True, return_counts=True)
    y = np.bincount(group.ravel(), np.log(error)) / runs
    if len(x) < 4:
        return 0.0
    share = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])
    bend = y[1:-1] - share * y[:-2] - (1 - share) * y[2:]
    bend /= np.sqrt(1 / runs[1:-1] + share**2 / runs[:-2] + (1 - share) ** 2 / runs[2:])
    return robust_scale(bend, np.ones(len(bend)))


def running_best_factor(problem: Problem, logs: Array, noise: float) -> float:
    """Return the noise of a new run divided by the noise of the residuals, a factor from 1 to 2.

    Noise makes some errors of a curve rise from one size to the next, unless the steps between sizes are
    large.  If no error rises, the curve is probably a running best: each error is the lowest error of all
    sizes up to its own size.  The factor is then 2 - P.  P is the probability that no error rises in spite of
    the noise, computed as if the steps were independent.  The factor is 1 if an error rises from one size to
    the next, if a size is repeated, or if the law has several inputs.

    Parameters
    ----------
    problem : Problem
        The problem that was solved; its rows are sorted by size.
    logs : ndarray of float64, shape (points,)
        ln error of the fitted law.
    noise : float
        Standard deviation of the residuals of ln error.
    """
    if len(problem.law.inputs) > 1 or noise <= 0:
        return 1.0
    repeated = np.any(np.diff(problem.inputs[problem.law.inputs[0]]) == 0)
    if repeated or np.any(np.diff(problem.error) > 0):
        return 1.0
    fall = -np.diff(logs) / (math.sqrt(2) * noise)
    return float(2 - np.prod(special.ndtr(fall)))


class AboveLargest(str):
    """The warning that some errors are above the given value of eps0, the largest error of the law."""


def above_largest(problem: Problem, z: Array, cost: float, where: str = "") -> AboveLargest | None:
    """Return None, or a warning that some errors exceed the law's largest error.

    Some laws have a parameter that is the largest error, such as eps0.  The warning is returned if this
    parameter is fixed, and if noise explains the measured errors above its value.  The result is None if no
    error is above the value, or if the law has no such parameter.  To decide whether noise explains the
    errors, the law is fitted again with this parameter free.  The square root of the fall of the cost must be
    at most `OUTLIER` residual standard deviations.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    cost : float
        The cost at the solution.
    where : str
        Name of the function that the user called, such as "auto", for the message.  If it is "", the message
        names `fit` and the law, such as "fit(Chinchilla)".

    Raises
    ------
    ValueError
        If noise does not explain the errors above the parameter.
    """
    name = problem.law.largest_error_name or ""
    largest = problem.fixed.get(name, math.inf)
    excess = float(problem.error.max()) / largest - 1
    if excess <= 1e-12:
        return None
    others = {other: value for other, value in problem.fixed.items() if other != name}
    free = dataclasses.replace(problem, fixed=others)
    place = [p.name for p in free.free].index(name)
    values = largest * (1 + excess * np.array([1.0, 2.0, 5.0]))
    starts = [np.insert(z, place, value) for value in (np.log(values) if free.free[place].log else values)]
    least = float(free.solve(np.array(starts)).cost.min())
    degrees = len(problem.error) - len(free.free)
    explained = degrees >= 1 and cost - least <= OUTLIER**2 * least / degrees
    if not explained and excess > SLIGHT:
        accepted = f"numbers <= {name} = {largest * problem.scales['error']:g}, up to noise"
        got = float(problem.measured["error"].max())
        raise ValueError(checks.refusal("error", where or f"fit({problem.law.__name__})", accepted, got))
    count = int((problem.error > largest * (1 + 1e-12)).sum())
    some = "1 error lies" if count == 1 else f"{count} errors lie"
    value = f"{largest * problem.scales['error']:g}"
    why = "which noise explains" if explained else f"more than noise explains: check {name}"
    return AboveLargest(f"{some} up to {percent(excess, 1)} above {name} = {value}, {why}.")


def seed_noise(problem: Problem) -> float:
    """Return the pooled standard deviation of ln error between rows of equal inputs; nan without such rows.

    Parameters
    ----------
    problem : Problem
        The points.
    """
    keys = np.column_stack([problem.inputs[name] for name in problem.law.inputs])
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.ravel()
    logs = np.log(problem.error)
    count = np.bincount(group)
    mean = np.bincount(group, logs) / count
    extra = len(logs) - len(count)
    return float(np.sqrt(np.sum((logs - mean[group]) ** 2) / extra)) if extra else math.nan


@checks.arguments(error=ERROR)
def seed_weights(error: ArrayLike, **inputs: ArrayLike) -> Array:
    """Return inverse variances of ln error, estimated from repeated seeds, as weights for a fit.

    A cell is a group of runs of equal sizes that differ only in the seed.  Few seeds determine a variance
    badly: two seeds that happen to agree would dominate the fit.  Therefore the variance of a cell of k runs
    is a weighted mean of two variances.  The variance of the cell itself has the weight k - 1, and the
    variance pooled over all cells has the weight 4 (an inverse-gamma prior).

    Parameters
    ----------
    error : array_like, shape (points,)
        Measured errors, > 0.
    **inputs : array_like
        Sizes, > 0: arrays of shape (points,), or single numbers.  Rows of equal inputs are runs of one cell.

    Returns
    -------
    ndarray of float64, shape (points,)
        Weights of mean 1.

    Raises
    ------
    ValueError
        If no cell has two runs.
    TypeError, ValueError
        If arrays have different lengths, or if a value is not a finite number > 0.

    Examples
    --------
    >>> seed_weights([0.5, 0.7, 0.20, 0.21], n=[100, 100, 1000, 1000]).round(2)
    array([0.81, 0.81, 1.19, 1.19])
    """
    e = np.asarray(error)
    sizes = checked_inputs(inputs, tuple(inputs), "seed_weights")
    for name, x in sizes.items():
        if x.shape not in ((), e.shape):
            accepted = f"a number, or an array of shape {e.shape}"
            raise ValueError(checks.refusal(name, "seed_weights", accepted, f"<shape {x.shape}>"))
    keys = np.column_stack([np.broadcast_to(x, e.shape) for x in sizes.values()])
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    if count.max() < 2:
        accepted = "repeated in at least one cell"
        raise ValueError(checks.refusal("error", "seed_weights", accepted, "<no repeats>"))
    logs = np.log(e)
    mean = np.bincount(group, logs) / count
    squares = np.bincount(group, (logs - mean[group]) ** 2)
    pooled = squares.sum() / (len(e) - len(count))
    variance = (squares + 4 * pooled) / (count - 1 + 4)
    weights = 1 / variance[group] if pooled > 0 else np.ones(len(e))
    return weights / weights.mean()
