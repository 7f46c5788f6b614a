"""How large the noise is: around a fitted law, between neighbouring sizes, between repeated seeds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from errsrc import checks
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array


def robust_scale(residual: Array, weights: Array) -> float:
    """Return the standard deviation that the weighted median absolute residual tells of a normal sample.

    Residual and weights are (points,).
    """
    order = np.argsort(np.abs(residual))
    share = np.cumsum(weights[order])
    middle = np.searchsorted(share, share[-1] / 2)
    return float(np.abs(residual)[order][middle] / 0.6745)


def local_scale(n: Array, error: Array) -> float:
    """Return the scale of the scatter of ln error between neighbours in ln n, without any law.

    Both are (points,).  Each size (mean over its runs) is compared with the line through its two
    neighbours; the median absolute difference, in units of its own standard deviation, is read as that of a
    normal sample.  0 for fewer than four sizes.
    """
    x, group, runs = np.unique(np.log(n), return_inverse=True, return_counts=True)
    y = np.bincount(group.ravel(), np.log(error)) / runs
    if len(x) < 4:
        return 0.0
    share = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])
    bend = y[1:-1] - share * y[:-2] - (1 - share) * y[2:]
    bend /= np.sqrt(1 / runs[1:-1] + share**2 / runs[:-2] + (1 - share) ** 2 / runs[2:])
    return robust_scale(bend, np.ones(len(bend)))


def noise_scale(problem: Problem, residual: Array, jac: Array) -> float:
    """Return the scale of a fit's noise, of the residual (points,) and ``jac`` (points, free) of its problem.

    Where weights are precisions, that of a point of weight 1; in a Huber fit, where they say how
    much a point matters, that of every point (`residual_scale`).
    """
    if problem.objective == "huber":
        return residual_scale(residual, problem.weights, jac)
    return float(np.sqrt(problem.weights @ residual**2 / max(len(residual) - jac.shape[1], 1)))


def residual_scale(residual: Array, weights: Array, jac: Array) -> float:
    """Return the scale of equal noise that a weighted fit's residual (points,) tells.

    With J the Jacobian ``jac`` (points, free), A = J' W J and B = J' W^2 J, the weighted sum of squared
    residuals of a least-squares fit has expectation scale^2 (sum w - trace A^-1 B): N minus
    the number of parameters where all weights are 1.  At least a third of sum w is left, lest few heavy
    points pass for exact ones.
    """
    root = np.sqrt(weights)[:, None]
    left, singular, _ = np.linalg.svd(root * jac, full_matrices=False)
    left = left[:, singular > singular[0] * 1e-12]
    spent = float(np.sum((left * root) ** 2))
    degrees = max(float(weights.sum()) - spent, float(weights.sum()) / 3)
    return float(np.sqrt(weights @ residual**2 / degrees))


def running_best(problem: Problem, logs: Array, noise: float) -> float:
    """Return by how much the noise of a new run exceeds the residuals': between 1 and 2.

    A curve whose errors fall at every point, though its noise and its small steps should
    have made some of them rise, is the running best of a noisier one.  The factor is
    2 - P, with P the chance that noise leaves no rise (steps taken as independent, an upper
    bound), and 1 after any rise or where sizes repeat.
    """
    if len(problem.law.inputs) > 1 or noise <= 0:
        return 1.0
    repeated = np.any(np.diff(problem.inputs[problem.law.inputs[0]]) == 0)  # rows are sorted
    if repeated or np.any(np.diff(problem.error) > 0):
        return 1.0
    fall = -np.diff(logs) / (math.sqrt(2) * noise)
    return float(2 - np.prod(special.ndtr(fall)))


def seed_noise(problem: Problem) -> float:
    """Return the pooled standard deviation of ln error between a problem's rows of equal inputs, or nan."""
    keys = np.column_stack([problem.inputs[name] for name in problem.law.inputs])
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.ravel()
    logs = np.log(problem.error)
    count = np.bincount(group)
    mean = np.bincount(group, logs) / count
    extra = len(logs) - len(count)
    return float(np.sqrt(np.sum((logs - mean[group]) ** 2) / extra)) if extra else math.nan


def seed_weights(error: ArrayLike, **inputs: ArrayLike) -> Array:
    """Return weights from repeated seeds: inverse variances of ln error, shrunk to the pooled one.

    Parameters
    ----------
    error
        (points,) errors, > 0.
    **inputs
        (points,) arrays; rows of equal inputs are repeats of one cell.

    Returns
    -------
    (points,) float64 with mean 1.  A cell's variance counts with its k - 1 degrees of freedom
    beside 4 of the pooled variance (an inverse-gamma prior), so that two seeds that
    happen to agree do not take the fit over.

    Raises
    ------
    ValueError
        If no cell is repeated.
    """
    e = checks.positive_array(error, "error", "seed_weights")
    keys = np.column_stack(
        [np.broadcast_to(checks.positive_array(x, k, "seed_weights"), e.shape) for k, x in inputs.items()]
    )
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    if count.max() < 2:
        raise ValueError(
            checks.refusal("error", "seed_weights", "repeated in at least one cell", "<no repeats>")
        )
    logs = np.log(e)
    mean = np.bincount(group, logs) / count
    squares = np.bincount(group, (logs - mean[group]) ** 2)
    pooled = squares.sum() / (len(e) - len(count))
    variance = (squares + 4 * pooled) / (count - 1 + 4)
    weights = 1 / variance[group] if pooled > 0 else np.ones(len(e))
    return weights / weights.mean()
