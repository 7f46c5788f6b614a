"""Whether measured values rise with n, as accuracies do and errors do not."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import special

from errsrc.laws.law import Array

CLEAR = 0.7
"""Smallest rank correlation at which values clearly rise."""
CHANCE = 0.01
"""Largest probability of such a correlation if the values did not depend on n."""


class RisingValues(ValueError):
    """Raised if the values to fit rise with n, because they are then probably accuracies, not errors."""


def rises(error: Array, inputs: Mapping[str, Array]) -> bool:
    """Return whether the values clearly rise with n: their rank correlation is high and significant.

    The mean of all runs of equal sizes counts as one value.  If there is an input m that varies, the values
    must rise with n at fixed m, and with m at fixed n.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        The values.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs by name.  Only "n" and "m" are used.  The result is False if "n" is missing or has fewer than 4
        different values.
    """
    if len(error) < 4:
        return False
    sizes = [inputs[name] for name in ("n", "m") if name in inputs and np.ptp(inputs[name]) > 0]
    if "n" not in inputs or np.ptp(inputs["n"]) == 0 or np.ptp(error) == 0:
        return False
    cells, place, counts = np.unique(np.column_stack(sizes), axis=0, return_inverse=True, return_counts=True)
    means = np.bincount(place.ravel(), error / error.max()) / counts
    if np.ptp(means) == 0:
        return False
    ranks = np.column_stack([_standard_ranks(x) for x in cells.T])
    target = _standard_ranks(means)
    slopes, _, rank, _ = np.linalg.lstsq(ranks, target, rcond=1e-6)
    degrees = len(target) - 1 - len(sizes)
    if rank < len(sizes) or degrees < 1 or len(np.unique(inputs["n"])) < 4:
        return False
    explained = 1 - float(np.mean((target - ranks @ slopes) ** 2))
    if not (slopes > 0.2).all() or explained < CLEAR**2:
        return False
    statistic = math.sqrt(explained * degrees / max(1 - explained, 1e-12))
    return float(special.stdtr(degrees, -statistic)) < CHANCE


def check_falls(error: Array, inputs: Mapping[str, Array], accuracy: bool) -> None:
    """Raise ValueError if the errors clearly rise with n.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        Measured errors.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs by name.
    accuracy : bool
        Whether the errors are 1 - accuracy.  If these rise, the given values are probably errors.

    Raises
    ------
    RisingValues
        If the errors rise and `accuracy` is False: the values are then probably accuracies.
    ValueError
        If the errors rise and `accuracy` is True.
    """
    if not rises(error, inputs):
        return
    if accuracy:
        raise ValueError(
            "1 - accuracy rises with n: these are errors already; leave accuracy=True (--accuracy) out."
        )
    message = "The values rise with n: are they accuracies?"
    raise RisingValues(
        f"{message} Pass accuracy=True (--accuracy), which takes 1 - accuracy as the error. Errors that "
        "do rise need a law that can rise: fit(Broken) (--law broken)."
    )


def _standard_ranks(values: Array) -> Array:
    """Return ranks with mean 0 and standard deviation 1; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place.ravel()]
    centred: Array = ranks - ranks.mean()
    return centred / np.sqrt(np.mean(centred**2))
