"""The measured errors of a table: how they are read, from accuracies or losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc.tables.cells import Array
from errsrc.tables.rows import listed_rows

NEGATIVE_LOSSES = (
    "Add one constant to all losses that makes them > 0, such as 10, and fit with objective='absolute' "
    "(--objective absolute): it only raises the floor by this constant."
)
"""What to do with losses that may be negative, such as losses relative to those of a unigram model.

A constant that is added to all losses does not change absolute residuals.  The floor of a law is >= 0.
Therefore, if the floor of the losses is negative, the constant must be larger than its absolute value."""


@dataclass(frozen=True)
class TableRules:
    """Options for reading the values of a table.

    Attributes
    ----------
    accuracy : bool
        Whether the column of the error holds accuracies, as shares or, if any exceeds 1, in percent.
    strict : bool
        Whether to raise ValueError for rows that cannot be used, instead of leaving them out.
    test_size : int or None
        Number of test examples.  If it is given, an error of 0 is replaced by 1 / (2 * test_size).  If it is
        None, rows with an error of 0 are left out.
    best_of : bool
        Whether to keep only the row with the smallest error of all rows with the same inputs.
    """

    accuracy: bool = False
    strict: bool = False
    test_size: int | None = None
    best_of: bool = False


READ_AS_IS = TableRules()


def read_errors(
    values: Array, rules: TableRules, rows: Sequence[Any], unit: str
) -> tuple[Array, tuple[str, ...]]:
    """Return the errors of a column of errors or accuracies, and at most one sentence on errors of 0.

    Accuracies are turned into errors, and errors of 0 are replaced, as `rules` say.  If nothing changes, the
    given array itself is returned.

    Parameters
    ----------
    values : ndarray of float64, shape (rows,)
        The values; nan where one is missing.
    rules : TableRules
        How the values are read.
    rows : sequence
        Label of each row, for the sentence.
    unit : str
        "line" or "row", the word before the labels.
    """
    errors = errors_of(values) if rules.accuracy else values
    zeros = errors == 0
    if rules.test_size is None or not zeros.any():
        return errors, ()
    if np.nanmax(errors) > 1:
        raise ValueError(
            f"test_size needs errors as shares of the test set, at most 1. Got {np.nanmax(errors):g}."
        )
    smallest = 1 / (2 * rules.test_size)
    replaced = [row for row, zero in zip(rows, zeros, strict=True) if zero]
    what = "1 error of 0 is" if len(replaced) == 1 else f"{len(replaced)} errors of 0 are"
    said = f"{what} taken as 1 / (2 test_size) = {smallest:g} ({listed_rows(replaced, unit)})."
    return np.where(zeros, smallest, errors), (said,)


def errors_of(accuracy: Array) -> Array:
    """Return errors as shares: 1 - accuracy, or 1 - accuracy / 100 if any accuracy exceeds 1.

    Parameters
    ----------
    accuracy : ndarray of float64
        Accuracies; nan where one is missing.

    Raises
    ------
    ValueError
        If a value is below 0 or above 100, or if some exceed 1 and most do not.
    """
    known = accuracy[np.isfinite(accuracy)]
    bad = known[(known < 0) | (known > 100)]
    if bad.size:
        raise ValueError(
            f"An accuracy must be at least 0, and at most 1 or at most 100 percent. Got {bad[0]:g}."
        )
    percent = bool(known.size) and known.max() > 1
    if percent and np.median(known) <= 1:
        raise ValueError(
            f"Accuracies must be all shares, at most 1, or all percent. Got {known.max():g}, and at most 1 "
            f"for {(known <= 1).sum()} of {known.size}: divide percent by 100."
        )
    # Rounded, so that an accuracy of 0.9 gives the error 0.1 and not 0.09999999999999998.
    return np.round((100 - accuracy) / 100 if percent else 1 - accuracy, 15)


def check_signs(error: Array, column: str) -> None:
    """Raise ValueError if losses are negative, except for a number that marks missing values, such as -1.

    If the only negative value is one repeated number and there are positive values, the number counts as a
    mark of missing values.

    Parameters
    ----------
    error : ndarray of float64, shape (rows,)
        The values; nan where one is missing.
    column : str
        The name of their column, for the message.
    """
    negative = np.unique(error[np.isfinite(error) & (error < 0)])
    positive = error[np.isfinite(error) & (error > 0)]
    if len(negative) > 1 or (len(negative) == 1 and not positive.size):
        raise ValueError(f"The column {column!r} has values < 0, such as {negative[0]:g}. {NEGATIVE_LOSSES}")
