"""The rows of a large table that a fit uses: evenly spread over all rows, so that a fit takes seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc.laws.law import Array

MOST_ROWS = 10_000
"""Largest number of rows that a fit uses.

The time of a fit is proportional to its rows.  Tables of trained models have fewer rows.  Curves that log
every step of a training have more, and neighbouring steps are nearly equal."""


def kept_rows(error: Array, inputs: Mapping[str, Array]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return the indices of the rows that a fit uses, and a sentence about the rows if some are left out.

    The rows are sorted by their inputs, then by their error.  The first, the last, and rows at equal
    distances between them are kept.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        Measured errors.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs by name.
    """
    count = len(error)
    if count <= MOST_ROWS:
        return np.arange(count), ()
    order = np.lexsort([error, *reversed(list(inputs.values()))])
    kept = np.sort(order[np.linspace(0, count - 1, MOST_ROWS).round().astype(np.intp)])
    said = (
        f"{count} rows: the fit uses {MOST_ROWS} of them, evenly spread over the rows in the order of size."
    )
    return kept, (said,)


def thinned(
    error: Any, inputs: Mapping[str, Any], weights: Any
) -> tuple[Any, dict[str, Any], Any, tuple[str, ...]]:
    """Return the errors, inputs and weights of the rows that a fit uses, and a warning if rows are left out.

    Arrays of unequal lengths are returned unchanged; the fit raises an error for them.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        Measured errors.
    inputs : dict of str to array_like
        Inputs by name: arrays of shape (points,), or numbers.
    weights : array_like, shape (points,), or None
        Relative weights.
    """
    e = np.asarray(error)
    columns = {name: np.asarray(x) for name, x in inputs.items()}
    w = None if weights is None else np.asarray(weights)
    shapes = {x.shape for x in columns.values()} | (set() if w is None else {w.shape})
    numeric = all(x.dtype.kind in "iuf" for x in columns.values())
    if e.ndim != 1 or len(e) <= MOST_ROWS or not shapes <= {e.shape, ()} or not numeric:
        return error, dict(inputs), weights, ()
    keep, said = kept_rows(e, {name: np.broadcast_to(x, e.shape) for name, x in columns.items()})
    some = {name: x[keep] if x.shape else x for name, x in columns.items()}
    return e[keep], some, w[keep] if w is not None and w.shape else weights, said
