"""Rows of equal sizes: the best row of each size, and a check that the rows differ only by their seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from errsrc import checks
from errsrc.checks import PositiveArray
from errsrc.laws.law import Array, checked_inputs

FALSE_ALARM = 1e-3
"""Probability of a false alarm of each of the two tests of `excess_spread`."""
LARGER = 2.0
"""Rows of one size are named if their spread is at least this factor larger than that of other sizes."""


@checks.arguments(error=PositiveArray())
def best_rows(error: ArrayLike, **inputs: ArrayLike) -> NDArray[np.bool_]:
    """Return a mask of the rows with the smallest error of all rows with the same inputs.

    Parameters
    ----------
    error : array_like, shape (rows,)
        Measured errors, > 0.
    **inputs : array_like, shape (rows,)
        Sizes, > 0.

    Returns
    -------
    ndarray of bool, shape (rows,)
        True for one row of each different set of inputs.  If several rows have the smallest error, the first
        of them is chosen.

    Raises
    ------
    TypeError, ValueError
        If arrays have different lengths, or if a value is not finite and > 0.

    Examples
    --------
    >>> best_rows([0.5, 0.4, 0.3], n=[100, 100, 200])
    array([False,  True,  True])
    """
    e = np.asarray(error)
    sizes = checked_inputs(inputs, tuple(inputs), "best_rows")
    for name, x in sizes.items():
        if x.shape != e.shape or e.ndim != 1:
            accepted = "a one-dimensional array, as long as error"
            raise ValueError(checks.refusal(name, "best_rows", accepted, f"<shape {x.shape}>"))
    return best_of_cells(e, sizes)


def best_of_cells(error: Array, sizes: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Return a mask of the row with the smallest error of each size, see `best_rows`.

    Parameters
    ----------
    error : ndarray of float64, shape (rows,)
        Measured errors.
    sizes : dict of str to ndarray of float64, shape (rows,)
        Sizes by name.
    """
    cell = _cells(sizes)
    order = np.lexsort((error, cell))
    best = np.zeros(len(error), dtype=bool)
    best[order[np.append(True, np.diff(cell[order]) > 0)]] = True
    return best


def equal_repeats(error: Array, sizes: Mapping[str, Array]) -> tuple[str, ...]:
    """Return a sentence if sizes are repeated, and all rows of a size have exactly the same error.

    There is no sentence if fewer than two sizes are repeated, or if all errors of the table are equal.

    Parameters
    ----------
    error : ndarray of float64, shape (rows,)
        Measured errors.
    sizes : dict of str to ndarray of float64, shape (rows,)
        Sizes by name.
    """
    if not sizes:
        return ()
    cell = _cells(sizes)
    counts = np.bincount(cell)
    if (counts > 1).sum() < 2:
        return ()
    pairs = np.unique(np.column_stack([cell, error]), axis=0)
    if len(pairs) > len(counts) or len(np.unique(pairs[:, 1])) == 1:
        return ()
    return (
        "Rows of equal sizes have exactly equal errors at every size: are they copies? They count as runs "
        "with other seeds.",
    )


def excess_spread(inputs: Mapping[str, Array], error: Array, curve: Array, free: int) -> str:
    """Return a warning that rows with equal inputs differ by more than seeds explain; "" if they do not.

    A cell is the set of all rows with equal inputs.  The spread of ln error between the rows of a cell is
    tested in two ways:

    - The spread is compared with the scatter of the means of the cells around the fitted law.  If rows differ
      by seeds alone, the mean of k rows scatters by the spread divided by the square root of k, or by more if
      the law is wrong.  If rows differ by other settings, such as learning rates, their spread is larger than
      this scatter suggests.
    - The cell with the largest spread is compared with all other cells.  Its spread must also be more than
      twice the spread of the other cells, because the noise of seeds differs between sizes.

    Each comparison tests a ratio of variances against a quantile of the F distribution.  For normal noise
    with the same standard deviation in all rows, and a correct law, each comparison gives a false alarm for
    at most 1 in 1,000 tables.

    Parameters
    ----------
    inputs : dict of str to ndarray of float64, shape (points,)
        The measured inputs.
    error : ndarray of float64, shape (points,)
        The measured errors.
    curve : ndarray of float64, shape (points,)
        ln error of the fitted law.
    free : int
        Number of fitted parameters.
    """
    cell = _cells(inputs)
    count = np.bincount(cell)
    logs = np.log(error)
    mean = np.bincount(cell, logs) / count
    squares = np.bincount(cell, (logs - mean[cell]) ** 2)
    within, between = int((count - 1).sum()), len(count) - free
    if within < 2 or between < 2 or not squares.sum() > 0:
        return ""
    spread = squares.sum() / within
    departure = mean - np.bincount(cell, curve) / count
    departure = departure - np.average(
        departure, weights=count
    )  # a law fitted by another objective may miss the mean of ln error
    scatter = float(count @ departure**2) / between
    advice = (
        "If they are trials of other settings, --best-of (best_of=True) keeps the best of each size; if they "
        "are different experiments, fit one at a time."
    )
    if spread > _quantile(within, between, FALSE_ALARM) * scatter:
        times = f"{np.sqrt(spread / max(scatter, 1e-300)):.2g} times as much as"
        return (
            f"Rows of equal sizes differ by {_percent(spread)}, {times} seeds would: the means of these rows "
            f"lie close to the law. {advice}"
        )
    degrees = count - 1
    others = within - degrees
    worst = int(np.argmax(np.where(degrees > 0, squares / np.maximum(degrees, 1), 0.0)))
    if others[worst] < 2:
        return ""
    own = squares[worst] / degrees[worst]
    rest = (squares.sum() - squares[worst]) / others[worst]
    limit = _quantile(int(degrees[worst]), int(others[worst]), FALSE_ALARM / int((degrees > 0).sum()))
    if own <= max(limit, LARGER**2) * rest:
        return ""
    row = int(np.flatnonzero(cell == worst)[0])
    size = ", ".join(f"{name} = {x[row]:g}" for name, x in inputs.items())
    return (
        f"The {count[worst]} rows with {size} differ by {_percent(own)}, rows of other sizes by "
        f"{_percent(rest)}: more than seeds do. {advice}"
    )


def _cells(inputs: Mapping[str, Array]) -> NDArray[np.intp]:
    """Return the number of the cell of each row: rows of one cell have equal inputs."""
    _, cell = np.unique(np.column_stack(list(inputs.values())), axis=0, return_inverse=True)
    return cell.ravel()


def _quantile(numerator: int, denominator: int, probability: float) -> float:
    """Return the value that an F distributed ratio exceeds with a probability."""
    return float(special.fdtri(numerator, denominator, 1 - probability))


def _percent(variance: float) -> str:
    """Return the standard deviation of ln error as a percentage."""
    return f"{100 * np.sqrt(variance):.2g}%"
