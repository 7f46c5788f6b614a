"""The directions in parameter space that the points of a fit and weak priors determine."""

from __future__ import annotations

import numpy as np

from errsrc.laws.law import Array

FLATTEST = 1e-10
"""Directions whose singular value is at most this share of the largest one are not determined."""


def determined_directions(jac: Array, prior: Array) -> tuple[Array, Array]:
    """Return matrices L and H, with a column for each determined direction, such that H H' = (J'J + P)^-1.

    J and the root of P, one below the other, have the singular value decomposition U S V'.  L holds the
    columns of U, and H the columns of V S^-1, without those of the flattest directions.

    Parameters
    ----------
    jac : ndarray of float64, shape (points, free)
        Jacobian J of the residuals, times the square roots of the weights.
    prior : ndarray of float64, shape (free,)
        Strengths of the quadratic priors, the diagonal of P.

    Returns
    -------
    left : ndarray of float64, shape (points + free, directions)
        L.
    half : ndarray of float64, shape (free, directions)
        H.
    """
    stacked = np.concatenate([jac, np.diag(np.sqrt(prior))])
    left, singular, right = np.linalg.svd(stacked, full_matrices=False)
    used = singular > singular[0] * FLATTEST
    return left[:, used], right[used].T / singular[used]
