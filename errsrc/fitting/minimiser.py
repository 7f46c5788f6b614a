"""Levenberg-Marquardt for many small least-squares problems at once, within bounds.

A fit of a law has a few parameters and some hundred points.  It is solved from tens of starts, and then
refitted hundreds of times for its intervals.  Each of these problems is a *member* of a batch.  All members
take their steps at once, as stacked arrays.  Each member has its own damping, and leaves the batch when it
has converged.

Each damped step is solved by a QR factorisation of the Jacobian.  The normal equations would square the
condition number of the Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BatchResiduals = Callable[[Array, NDArray[np.intp]], tuple[Array, Array]]
"""(z, members) -> (residuals, Jacobian): z has shape (k, parameters), for the members of these k indices.

The residuals have shape (k, points), and their Jacobian has shape (k, points, parameters)."""


class BatchSolution(NamedTuple):
    """Where the minimisation of each member of a batch ended; a member is one problem.

    Attributes
    ----------
    z : ndarray of float64, shape (members, parameters)
        Best point of each member.
    cost : ndarray of float64, shape (members,)
        Sum of losses at this point; inf if no point with a finite sum was found.
    converged : ndarray of bool, shape (members,)
        False for members that reached the largest number of iterations.
    """

    z: Array
    cost: Array
    converged: NDArray[np.bool_]


def minimise(
    residuals: BatchResiduals,
    z: Array,
    lower: Array,
    upper: Array,
    weights: Array,
    *,
    huber: float | None = None,
    pull: tuple[Array, Array] | None = None,
    frozen: NDArray[np.bool_] | None = None,
    iterations: int = 300,
    tolerance: float = 1e-10,
) -> BatchSolution:
    """Minimise several weighted sums of squares (or of Huber losses) at once, each from its own start.

    Each of these problems is called a member of the batch.

    Parameters
    ----------
    residuals : callable
        Function that returns the residuals and the Jacobian of some members (see `BatchResiduals`).
    z : ndarray of float64, shape (members, parameters)
        Starts, which are clipped to the bounds.
    lower, upper : ndarray of float64, shape (parameters,)
        Bounds.
    weights : ndarray of float64, shape (members or 1, points)
        Weights of the losses of the points.
    huber : float, optional
        Threshold delta of the Huber loss, which is r^2 / 2 for |r| <= delta and delta (|r| - delta / 2)
        elsewhere.  By default the loss is r^2.
    pull : tuple of ndarray of float64, shape (parameters,), optional
        Centres and strengths k of quadratic priors: k (z - centre)^2 is added to the sum of squares, and half
        of it to a sum of Huber losses.  The centres may also have the shape (members, parameters).
    frozen : ndarray of bool, shape (members, parameters), optional
        Coordinates that keep their values.
    iterations : int
        Largest number of steps of each member.
    tolerance : float
        A member has converged when its step, or the expected relative fall of its cost, is below this value.

    Returns
    -------
    BatchSolution
        Where every member ended.

    Notes
    -----
    The damping follows Nielsen's rule (Madsen, Nielsen and Tingleff 2004, "Methods for non-linear least
    squares problems", algorithm 3.16).  Huber losses are minimised by iteratively reweighted least squares.
    """
    z = np.clip(np.array(z, dtype=np.float64), lower, upper)
    members, size = z.shape
    held = np.zeros((members, size), bool) if frozen is None else frozen
    cost = np.full(members, np.inf)
    converged = np.zeros(members, bool)
    damping = np.full(members, 1e-2)
    growth = np.full(members, 2.0)
    live = np.arange(members)
    with np.errstate(all="ignore"):
        r, jac = residuals(z, live)
        weights = np.broadcast_to(weights, r.shape)
        r, jac, cost = _weighted(z, r, jac, weights, huber, _pull_of(pull, live))
        ok = np.isfinite(cost) & np.isfinite(jac).all(axis=(1, 2))
        cost[~ok] = np.inf
        live, r, jac = live[ok], r[ok], jac[ok]
        for _ in range(iterations):
            if not live.size:
                break
            here = z[live]
            trial = _bounded_step(here, r, jac, held[live], damping[live], lower, upper)
            step = trial - here
            moved = np.einsum("snp,sp->sn", jac, step)
            expected = -(2 * np.einsum("sn,sn->s", r, moved) + np.einsum("sn,sn->s", moved, moved))
            if huber is not None:
                expected /= 2
            new_r, new_jac = residuals(trial, live)
            new_r, new_jac, new_cost = _weighted(
                trial, new_r, new_jac, weights[live], huber, _pull_of(pull, live)
            )
            finite = np.isfinite(new_cost) & np.isfinite(new_jac).all(axis=(1, 2))
            gain = np.where(finite, cost[live] - new_cost, -np.inf)
            accept = gain > 0
            small = np.abs(step).max(axis=1) <= tolerance * (1 + np.abs(here).max(axis=1))
            flat = (expected >= 0) & (expected <= tolerance**2 * cost[live])
            done = small | flat | (accept & (gain <= tolerance * cost[live]) & (damping[live] < 1e-6))
            quality = np.clip(np.where(expected > 0, gain / np.maximum(expected, 1e-300), -1.0), -1.0, 1.0)
            shrink = np.maximum(1 / 3, 1 - (2 * quality - 1) ** 3)
            damping[live] = np.where(accept, damping[live] * shrink, damping[live] * growth[live])
            growth[live] = np.where(accept, 2.0, growth[live] * 2)
            damping[live] = np.maximum(damping[live], 1e-14)
            done |= damping[live] > 1e14
            z[live] = np.where(accept[:, None], trial, here)
            cost[live] = np.where(accept, new_cost, cost[live])
            r = np.where(accept[:, None], new_r, r)
            jac = np.where(accept[:, None, None], new_jac, jac)
            converged[live[done]] = True
            live, r, jac = live[~done], r[~done], jac[~done]
    return BatchSolution(z, cost, converged)


def _pull_of(pull: tuple[Array, Array] | None, members: NDArray[np.intp]) -> tuple[Array, Array] | None:
    """Return the priors of some members of a batch; the centres may differ between members."""
    return pull if pull is None or pull[0].ndim == 1 else (pull[0][members], pull[1])


def _bounded_step(
    here: Array,
    r: Array,
    jac: Array,
    held: NDArray[np.bool_],
    damping: Array,
    lower: Array,
    upper: Array,
) -> Array:
    """Return the points after a damped step within the bounds, (members, parameters)."""
    gradient = np.einsum("snp,sn->sp", jac, r)
    stuck = held | ((here <= lower) & (gradient > 0)) | ((here >= upper) & (gradient < 0))
    step = _damped_step(jac, r, stuck, damping)
    trial = np.clip(here + np.clip(step, -4.0, 4.0), lower, upper)
    blocked = ~stuck & ((trial == lower) | (trial == upper))
    if blocked.any():  # the other coordinates respond to the step that the blocked ones can take
        moved = np.where(blocked, trial - here, 0.0)
        pushed = r + np.einsum("snp,sp->sn", jac, moved)
        step = moved + _damped_step(jac, pushed, stuck | blocked, damping)
        trial = np.clip(here + np.clip(step, -4.0, 4.0), lower, upper)
    return trial


def _weighted(
    z: Array, r: Array, jac: Array, weights: Array, huber: float | None, pull: tuple[Array, Array] | None
) -> tuple[Array, Array, Array]:
    """Return the residuals and the Jacobian times the roots of their weights, and the costs (members,)."""
    if huber is None:
        root = np.sqrt(weights)
        cost = (weights * r * r).sum(axis=1)
    else:
        size = np.abs(r)
        outside = size > huber
        cost = (weights * np.where(outside, huber * (size - huber / 2), r * r / 2)).sum(axis=1)
        root = np.sqrt(weights * np.where(outside, huber / np.maximum(size, huber), 1.0))
    r, jac = root * r, root[..., None] * jac
    if pull is None:
        return r, jac, cost
    centre, strength = pull
    extra = np.sqrt(strength) * (z - centre)
    rows = np.broadcast_to(np.diag(np.sqrt(strength)), (len(z), len(strength), len(strength)))
    cost = cost + (extra * extra).sum(axis=1) / (1.0 if huber is None else 2.0)
    return np.concatenate([r, extra], axis=1), np.concatenate([jac, rows], axis=1), cost


def _damped_step(jac: Array, r: Array, stuck: NDArray[np.bool_], damping: Array) -> Array:
    """Return the s that minimises |J s + r|^2 + damping |D s|^2; D = diag(norms of the columns of J)."""
    members, _, size = jac.shape
    free = np.where(stuck[:, None, :], 0.0, jac)
    norms = np.sqrt(np.einsum("snp,snp->sp", free, free))
    biggest = norms.max(axis=1, keepdims=True)
    scale = np.where(stuck, 1.0, np.maximum(norms, 1e-12 * np.where(biggest > 0, biggest, 1.0)))
    stacked = np.zeros((members, jac.shape[1] + size, size + 1))
    stacked[:, : jac.shape[1], :size] = free / scale[:, None, :]
    stacked[:, : jac.shape[1], size] = -r
    corner = np.arange(size)
    stacked[:, jac.shape[1] + corner, corner] = np.sqrt(damping)[:, None]
    triangle: Array = np.asarray(np.linalg.qr(stacked, mode="r"))
    right = triangle[:, :size, size]
    step = np.linalg.solve(triangle[:, :size, :size], right[..., None])[..., 0]
    return np.where(stuck, 0.0, step / scale)
