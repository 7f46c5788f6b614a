"""Intervals of fits whose points come in clusters, such as the levels of one pruned network.

The noise of points of one cluster may be correlated in any way; different clusters are independent.  Then
the number of clusters, not the number of points, says how much is known.

- `widths`: the cluster-robust covariance of Bell and McCaffrey 2002 ("CR2"), and Student's t distribution
  with the degrees of freedom of this covariance (Imbens and Kolesar 2016; Pustejovsky and Tipton 2018).
- `wild_noise` and `random_weights`: resampling of whole clusters for the draws of a fit, by the wild cluster
  bootstrap of Cameron, Gelbach and Miller 2008, and by random weights (Rubin 1981).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc import checks
from errsrc.fitting.singular_values import determined_directions
from errsrc.laws.law import Array

FEWEST = 3
"""Smallest number of clusters: fewer say nothing about how much clusters differ."""
ENOUGH = 6
"""Number of pruned networks of a table from which on each network counts as a cluster by default."""
TOO_FEW = (
    "The levels of these {} pruned networks count as independent, which makes intervals too narrow: more "
    "networks would show how much networks differ."
)
"""The warning on tables of too few pruned networks for each network to count as a cluster."""
NETWORKS_ARE_CLUSTERS = "Each of the {} networks is a cluster: the noise of its levels may be correlated."
FEW_ARE_FITTED = (
    "A fit to the smaller sizes has fewer than 3 clusters: its rows count as independent, which makes "
    "intervals too narrow."
)
"""The warning if the rows of a fit to the smaller sizes belong to too few clusters."""
FEWEST_DEGREES = 2.0
"""Smallest number of degrees of freedom of the draws, whose tails would otherwise have no mean."""


def cluster_codes(labels: Any, where: str, count: int | None = None) -> NDArray[np.intp]:
    """Return the index of each point's cluster: 0, 1, and so on.

    Parameters
    ----------
    labels : array_like, shape (points,)
        A label for each point, such as a name or a number.  Points of equal labels are one cluster.
    where : str
        Name of the calling function, for messages.
    count : int, optional
        Number of points, if it is known.

    Raises
    ------
    TypeError, ValueError
        If `labels` is not a one-dimensional array, if there is not a label for each point, if a label is nan
        or None, or if there are fewer than `FEWEST` different labels.
    """
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "biufUSO":
        accepted = "a one-dimensional array of labels, one for each point"
        raise TypeError(checks.refusal("clusters", where, accepted, f"<shape {given.shape}, {given.dtype}>"))
    if count not in (None, len(given)):
        raise ValueError(checks.refusal("clusters", where, f"an array of {count} labels", f"<{len(given)}>"))
    texts = [str(label) for label in given.tolist()] if given.dtype.kind == "O" else given
    if given.dtype.kind == "O" and any(label is None or label != label for label in given.tolist()):
        raise ValueError(checks.refusal("clusters", where, "labels, none of them missing", "<None or nan>"))
    if given.dtype.kind == "f" and np.isnan(given).any():
        raise ValueError(checks.refusal("clusters", where, "labels, none of them missing", "<nan>"))
    found, codes = np.unique(texts, return_inverse=True)
    if len(found) < FEWEST:
        accepted = f"labels of at least {FEWEST} clusters"
        raise ValueError(checks.refusal("clusters", where, accepted, f"<{len(found)}>"))
    return codes.ravel()


def clusters_of(codes: NDArray[np.intp] | None, rows: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    """Return the clusters of some points; None if these points have no clusters, or fewer than `FEWEST`.

    Parameters
    ----------
    codes : ndarray of intp, shape (points,), or None
        Number of the cluster of each point.
    rows : ndarray of bool, shape (points,)
        True for the points that are wanted.
    """
    return None if codes is None or len(np.unique(codes[rows])) < FEWEST else codes[rows]


def widths(
    residual: Array,
    jac: Array,
    clusters: NDArray[np.intp],
    level: float,
    directions: Array | None = None,
    prior: Array | None = None,
) -> Array:
    """Return half the width of each interval, in standard errors of a fit with independent, equal noise.

    Parameters
    ----------
    residual : ndarray of float64, shape (points,)
        Residuals of a least-squares fit, times the square roots of the weights.
    jac : ndarray of float64, shape (points, free)
        Jacobian of the residuals, times the same square roots.
    clusters : ndarray of intp, shape (points,)
        Number of the cluster of each point.
    level : float
        Coverage of the intervals, in (0, 1).
    directions : ndarray of float64, shape (quantities, free), optional
        Gradients of the quantities whose intervals are wanted; by default these are the parameters.
    prior : ndarray of float64, shape (free,), optional
        Strengths of quadratic priors of the parameters, in units of the squared residuals; 0 by default.

    Returns
    -------
    ndarray of float64, shape (quantities,)
        Half the width for each quantity, in units of the standard error that `errsrc.fitting.uneven_noise`
        uses.

    Notes
    -----
    With the Jacobian J_g and the residuals r_g of cluster g, M = (J'J)^-1 and A_g = (1 - J_g M J_g')^(-1/2),
    the variance of c'z is the sum over g of (c'M J_g' A_g r_g)^2.
    """
    free = jac.shape[1]
    strengths = np.zeros(free) if prior is None else prior
    gradients = np.eye(free) if directions is None else directions
    inverse = _inverse(jac, strengths)
    response = gradients @ inverse  # (quantities, free)
    square = float(residual @ residual) / max(len(residual) - free, 1)
    fixed = square * (response**2 @ strengths)
    robust, degrees = _variances(residual, jac, clusters, inverse, response)
    plain = square * np.sum((response @ jac.T) ** 2, axis=1)
    share = np.sqrt((robust + fixed) / np.maximum(plain + fixed, 1e-300))
    return np.asarray(special.stdtrit(degrees, (1 + level) / 2) * share)


def degrees_of_freedom(jac: Array, clusters: NDArray[np.intp], prior: Array) -> float:
    """Return the degrees of freedom of the parameters' estimated variances, averaged over the parameters.

    Parameters
    ----------
    jac : ndarray of float64, shape (points, free)
        Jacobian of the residuals, times the square roots of the weights.
    clusters : ndarray of intp, shape (points,)
        Number of the cluster of each point.
    prior : ndarray of float64, shape (free,)
        Strengths of quadratic priors.
    """
    inverse = _inverse(jac, prior)
    _, degrees = _variances(np.zeros(len(jac)), jac, clusters, inverse, inverse)
    return max(float(np.mean(degrees)), FEWEST_DEGREES)


def design_effect(residual: Array, clusters: NDArray[np.intp]) -> float:
    """Return how many points of one cluster carry as much information as one independent point, >= 1.

    Parameters
    ----------
    residual : ndarray of float64, shape (points,)
        Residuals, times the square roots of the weights.
    clusters : ndarray of intp, shape (points,)
        Number of the cluster of each point.
    """
    sums = np.bincount(clusters, residual)
    return max(float(sums @ sums) / max(float(residual @ residual), 1e-300), 1.0)


def wild_noise(
    residual: Array,
    jac: Array,
    clusters: NDArray[np.intp],
    prior: Array,
    draws: int,
    rng: np.random.Generator,
) -> Array:
    """Return noise of resampled data: the residuals of each cluster times one random number.

    The refits to such data have the cluster-robust covariance of `widths`, and the tails of the t
    distribution that `widths` uses.

    Parameters
    ----------
    residual : ndarray of float64, shape (points,)
        Residuals of a least-squares fit, times the square roots of the weights.
    jac : ndarray of float64, shape (points, free)
        Jacobian of the residuals, times the same square roots.
    clusters : ndarray of intp, shape (points,)
        Number of the cluster of each point.
    prior : ndarray of float64, shape (free,)
        Strengths of quadratic priors.
    draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of float64, shape (draws, points)
        The noise, times the square roots of the weights.
    """
    inverse = _inverse(jac, prior)
    adjusted = np.empty_like(residual)
    for rows, left, factor in _blocks(jac, clusters, inverse):
        own = residual[rows]
        adjusted[rows] = own + left @ ((factor - 1) * (left.T @ own))
    degrees = degrees_of_freedom(jac, clusters, prior)
    each = rng.standard_normal((draws, int(clusters.max()) + 1))
    each *= np.sqrt(degrees / rng.chisquare(degrees, size=(draws, 1)))
    return each[:, clusters] * adjusted


def random_weights(clusters: NDArray[np.intp], degrees: float, draws: int, rng: np.random.Generator) -> Array:
    """Return random weights of mean 1, the same for all points of a cluster, (draws, points).

    The weights have gamma distributions.  Their variance is the variance of a resampling of whole clusters,
    times a random factor for each draw: `degrees` divided by a chi-squared number.  This factor gives the
    refits the tails of a t distribution.

    Parameters
    ----------
    clusters : ndarray of intp, shape (points,)
        Number of the cluster of each point.
    degrees : float
        Degrees of freedom of the t distribution.
    draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of the random numbers.
    """
    count = int(clusters.max()) + 1
    variance = count / max(count - 1, 1) * degrees / rng.chisquare(degrees, size=(draws, 1))
    shape = 1 / np.clip(variance, 0.2, 5.0)
    return np.asarray((rng.gamma(np.broadcast_to(shape, (draws, count))) / shape)[:, clusters])


def _inverse(jac: Array, prior: Array) -> Array:
    """Return the inverse of J'J + P for a Jacobian J, with its flattest directions left out."""
    _, half = determined_directions(jac, prior)
    return np.asarray(half @ half.T)


def _blocks(
    jac: Array, clusters: NDArray[np.intp], inverse: Array
) -> list[tuple[NDArray[np.intp], Array, Array]]:
    """Return (rows, U, f) of each cluster, such that A_g = 1 + U diag(f - 1) U'."""
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    order = np.argsort(clusters, kind="stable")
    out = []
    for rows in np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1):
        left, singular, _ = np.linalg.svd(jac[rows] @ root, full_matrices=False)
        rest = 1 - np.minimum(singular, 1.0) ** 2
        factor = np.where(rest > 1e-8, 1 / np.sqrt(np.maximum(rest, 1e-300)), 0.0)  # a pseudo-inverse
        out.append((rows, left, factor))
    return out


def _variances(
    residual: Array, jac: Array, clusters: NDArray[np.intp], inverse: Array, response: Array
) -> tuple[Array, Array]:
    """Return the variance of each quantity and its degrees of freedom, (quantities,) each."""
    robust = np.zeros(len(response))
    own, inner = [], []
    for rows, left, factor in _blocks(jac, clusters, inverse):
        toward = jac[rows] @ response.T  # J_g M c, (rows, quantities)
        toward = toward + left @ ((factor - 1)[:, None] * (left.T @ toward))
        robust += (residual[rows] @ toward) ** 2
        own.append(np.sum(toward**2, axis=0))
        inner.append(jac[rows].T @ toward)  # (free, quantities)
    squares, between = np.array(own), np.array(inner)
    degrees = np.empty(len(response))
    for j in range(len(response)):
        gram = between[:, :, j].T @ between[:, :, j]
        inside = np.einsum("gk,kl,gl->g", between[:, :, j], inverse, between[:, :, j])
        trace = float(np.sum(squares[:, j] - inside))
        second = float(np.sum(squares[:, j] ** 2 - 2 * squares[:, j] * inside))
        second += float(np.trace(gram @ inverse @ gram @ inverse))
        degrees[j] = trace**2 / second if second > 0 and trace > 0 else 1.0
    return robust, np.clip(degrees, 1.0, max(len(squares) - 1, 1))
