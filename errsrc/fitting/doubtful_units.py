"""Warnings about sizes whose unit is probably not the one that the user thinks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from errsrc.laws.law import Array
from errsrc.tables import DataTable

MOST = 100.0
"""If the compute differs from 6 n m by more than this factor, n or m probably has another unit."""
RATIOS = (1e-5, 1e6)
"""Smallest and largest number of examples or tokens for each parameter that is plausible."""


def wrong_units(table: DataTable, sizes: Mapping[str, Array], used: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return a sentence if a table has a column flops that is far from 6 n m; otherwise ().

    Parameters
    ----------
    table : DataTable
        The table.
    sizes : dict of str to ndarray of float64, shape (used rows,)
        "n" and "m".  If one of them is missing, the result is ().
    used : ndarray of bool, shape (rows,)
        The rows of the table that the sizes come from.
    """
    name = table.found("flops")
    if name is None or not {"n", "m"} <= sizes.keys():
        return ()
    try:
        flops = table.numbers(name).values[used]
    except ValueError:  # the column is not used, so it need not be readable
        return ()
    ratio = flops / (6 * sizes["n"] * sizes["m"])
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    if not ratio.size or 1 / MOST <= np.median(ratio) <= MOST:
        return ()
    return (
        f"The column {name!r} is {np.median(ratio):.2g} times 6 n m: n or m has probably another unit, such "
        "as steps instead of tokens.",
    )


def absurd_ratio(values: Mapping[str, Array]) -> tuple[str, ...]:
    """Return a sentence if n / m is so large or so small that n or m probably has another unit.

    Parameters
    ----------
    values : dict of str to ndarray of float64, shape (points,)
        Inputs by name.
    """
    if "n" not in values or "m" not in values:
        return ()
    ratio = float(np.median(values["n"] / values["m"]))
    if RATIOS[0] <= ratio <= RATIOS[1]:
        return ()
    name = "m" if ratio > 1 else "n"
    return (f"The median of n / m is {ratio:.1g}: the column of {name} may have lost a suffix such as M.",)
