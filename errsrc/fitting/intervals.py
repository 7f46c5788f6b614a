"""Intervals of a fitted law's parameters: by profile likelihood, or by a bootstrap."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.fitting.noise import noise_scale
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array
from errsrc.results import Interval


def bootstrap(problem: Problem, z: Array, draws: int, seed: int) -> Array:
    """Return (draws, free) scaled coordinates of a problem's refits to resampled data, started at z (free,).

    Errors are redrawn around the fitted law with the scale of the residuals, corrected for
    the parameters fitted.  Along a single input neighbouring residuals may be alike (looks
    at one training run are): there the noise is autoregressive, with their correlation.
    Huber fits in several inputs are refitted under exponential weights (Rubin 1981), which
    needs no model of the noise.  All chance is of ``seed``.
    """
    rng = np.random.default_rng([seed, 1])
    starts = np.repeat(z[None, :], draws, axis=0)
    points = len(problem.error)
    if problem.objective == "huber" and len(problem.law.inputs) > 1:
        weights = problem.weights * rng.exponential(size=(draws, points))
        return problem.solve(starts, weights=weights, iterations=30, tolerance=1e-6).z
    predicted = problem.error_at(z[None, :], problem.inputs)[0][0]
    residual, jac = (part[0] for part in problem.residuals(z[None, :], problem.error))
    kick = rng.standard_normal((draws, points))
    scale = noise_scale(problem, residual, jac)
    if problem.objective != "huber":  # weights are precisions there; recency elsewhere
        kick /= np.sqrt(problem.weights)
    if len(problem.law.inputs) == 1:
        order = np.argsort(problem.inputs[problem.law.inputs[0]], kind="stable")
        along = (np.sqrt(problem.weights) * residual)[order]
        alike = float(np.clip(along[1:] @ along[:-1] / max(along @ along, 1e-300), 0.0, 0.9))
        for before, now in itertools.pairwise(order):
            kick[:, now] = alike * kick[:, before] + math.sqrt(1 - alike**2) * kick[:, now]
    if problem.objective == "absolute":
        error = np.maximum(predicted + scale * kick, predicted / 10)
    else:
        error = predicted * np.exp(scale * kick)
    return problem.solve(starts, error=error, iterations=30, tolerance=1e-6).z


def percentiles(natural: Problem, z: Array, draws: Array, scale: float, level: float) -> Array:
    """Return (free, 2) ends of the percentile intervals of bootstrap coordinates.

    A coordinate that the points leave open (by less than a factor of ten) has no ends: its draws only
    tell where the search, or its prior, left it.

    Parameters
    ----------
    natural
        The problem in natural units.
    z, draws
        The fitted coordinates, (free,), and those of the refits, (draws, free).
    scale
        Of the fit's noise.
    level
        Coverage, in (0, 1).
    """
    ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0).T
    ends[:, 0], ends[:, 1] = np.minimum(ends[:, 0], z), np.maximum(ends[:, 1], z)
    ends[_open_coordinates(natural, z, scale)] = [-np.inf, np.inf]
    return ends


def _open_coordinates(natural: Problem, z: Array, scale: float) -> NDArray[np.bool_]:
    """Return which logarithms of parameters the points hold by less than a factor of ten, (free,).

    By the curvature of the unpenalised sum of squares at z, `scale` being the noise.
    """
    _, jac = natural.residuals(z[None, :], natural.error)
    spread = scale * np.sqrt(np.diag(_covariance(np.sqrt(natural.weights)[:, None] * jac[0])))
    return np.array([p.log and s > math.log(10) for p, s in zip(natural.free, spread, strict=True)])


def _covariance(jac: Array) -> Array:
    """Return the inverse of J'J, with its flattest directions kept finite."""
    _, singular, right = np.linalg.svd(jac, full_matrices=False)
    inverse = right.T / np.maximum(singular, singular[0] * 1e-13)
    return inverse @ inverse.T


def profile(natural: Problem, z: Array, degrees: int, level: float) -> Array:
    """Return (free, 2) ends of the profile-likelihood intervals in natural coordinates.

    For each coordinate and side, the others are refitted at a ladder of offsets; the end
    lies where the root of the rise in the sum of squares, in units of the residual
    scale, reaches Student's quantile.  An end that is never reached is infinite.

    Parameters
    ----------
    natural
        The problem in natural units.
    z
        The fitted coordinates, (free,).
    degrees
        Of freedom: points less free parameters.
    level
        Coverage, in (0, 1).
    """
    size = len(natural.free)
    residual, jac = natural.residuals(z[None, :], natural.error)
    root = np.sqrt(natural.weights)
    cost = float(np.sum((root * residual) ** 2))
    scale = math.sqrt(cost / degrees)
    covariance = _covariance(root[:, None] * jac[0])
    wald = np.sqrt(np.diag(covariance))
    quantile = float(special.stdtrit(degrees, (1 + level) / 2))
    if scale < 1e-9:  # noise-free: the profile would trace rounding errors
        return z[:, None] + quantile * scale * wald[:, None] * np.array([-1.0, 1.0])
    ladder = quantile * np.array([0.35, 0.7, 1.0, 1.3, 1.7, 2.5, 4.0, 8.0])
    far = np.array([2.0 if p.log else max(2.0 * abs(v), 1.0) for p, v in zip(natural.free, z, strict=True)])
    step = np.minimum(scale * wald, far)
    sides = np.array([-1.0, 1.0])
    offset = step[:, None, None] * sides[:, None] * ladder  # (free, 2, rungs)
    path = covariance / np.diag(covariance)[:, None]  # the others' linear answer to a unit offset
    others = np.clip(offset[..., None] * path[:, None, None, :], -6.0, 6.0)
    held = np.broadcast_to(np.eye(size, dtype=bool)[:, None, None, :], others.shape)
    starts = z + np.where(held, offset[..., None], others)
    solved = natural.solve(starts.reshape(-1, size), frozen=held.reshape(-1, size), iterations=80)
    rise = np.sqrt(np.maximum(solved.cost - cost, 0.0)) / scale
    rise = np.maximum.accumulate(rise.reshape(offset.shape), axis=2)
    ends = np.empty((size, 2))
    for j in range(size):
        for side in range(2):
            rungs = np.concatenate([[0.0], rise[j, side]])
            offsets = np.concatenate([[0.0], offset[j, side]])
            reached = np.isfinite(rungs) & (rungs >= quantile)
            if not reached.any():
                ends[j, side] = sides[side] * np.inf
                continue
            k = int(np.argmax(reached))
            low, high = rungs[k - 1], rungs[k]
            ends[j, side] = (
                z[j] + offsets[k - 1] + (quantile - low) / (high - low) * (offsets[k] - offsets[k - 1])
            )
    return ends


def interval_of(rows: Array, level: float) -> Interval:
    """Return row 0 as the estimate, and the quantiles of the others as its interval."""
    filled = np.where(np.isnan(rows[1:]), np.inf, rows[1:])
    low, high = np.quantile(filled, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    centre = float(rows[0])
    return Interval(centre, min(float(low), centre), max(float(high), centre), level)
