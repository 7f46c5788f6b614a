"""The cost model flops = 6 * n * m: compute, data size or model size, each from the other two."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from errsrc.laws.law import Array
from errsrc.tables import DataTable

COMPUTED = {
    "flops": "C = 6 n m",
    "n": "C as given, n = C / (6 m)",
    "m": "C as given, m = C / (6 n)",
}
"""How each of the three follows from the other two, after Kaplan et al. 2020 (arXiv 2001.08361)."""
AS_GIVEN = "C, n and m as given"
"""The words for tables that have all three."""


def completed_sizes(sizes: Mapping[str, Array]) -> tuple[dict[str, Array], str]:
    """Return flops, n and m; if one is missing, compute it from the other two.

    Parameters
    ----------
    sizes : dict of str to ndarray, shape (runs,)
        Two or all of "flops", "n" and "m", > 0.

    Returns
    -------
    sizes : dict of str to ndarray, shape (runs,)
        All three.
    cost : str
        How the missing array was computed, or that no array was missing, in words.

    Raises
    ------
    ValueError
        If two or more are missing, or if the compute is too small to be a number of operations.

    Examples
    --------
    >>> import numpy as np
    >>> completed_sizes({"flops": np.array([6e18]), "m": np.array([1e9])})
    ({'flops': array([6.e+18]), 'm': array([1.e+09]), 'n': array([1.e+09])}, 'C as given, n = C / (6 m)')
    """
    missing = [name for name in COMPUTED if name not in sizes]
    if len(missing) > 1:
        raise ValueError(f"Two of n, m and flops are needed. Got no {' and no '.join(missing)}.")
    out = dict(sizes)
    if not missing:
        return out, AS_GIVEN
    if missing == ["flops"]:
        out["flops"] = 6 * sizes["n"] * sizes["m"]
    else:
        (known,) = {"n", "m"} & sizes.keys()
        out[missing[0]] = sizes["flops"] / (6 * sizes[known])
        if np.nanmedian(out[missing[0]]) < 1:
            typical = f"{np.nanmedian(sizes['flops']):.3g} for {known} = {np.nanmedian(sizes[known]):.3g}"
            raise ValueError(
                f"The compute must be a number of operations, at least 6 {known}. Got {typical}."
            )
    return out, COMPUTED[missing[0]]


def with_data_sizes(
    table: DataTable, columns: Mapping[str, str], flops: str | None = None
) -> tuple[DataTable, str]:
    """Return the table with a column n; if there is none, n is calculated from training flops and m.

    Parameters
    ----------
    table : DataTable
        The table.
    columns : dict of str to str
        {input: name of its column}, for columns that have another name than their input.
    flops : str, optional
        The column of the compute of each run; by default the column flops, if there is one.

    Returns
    -------
    table : DataTable
        The table, possibly with a new column n.
    sentence : str
        A sentence that says how n was computed.  The sentence is empty if n was not computed: the table has
        n, or lacks the compute or the model size.
    """
    if "n" in columns or table.found("n") is not None:
        return table, ""
    compute = flops or table.found("flops")
    m = columns.get("m") or table.found("m")
    if compute is None or m is None:
        return table, ""
    table.require_all({compute: "", m: ""})
    table.usable({"flops": compute, "m": m})  # refuses text, and tables without a usable row
    sizes = {"flops": table.numbers(compute).values, "m": table.numbers(m).values}
    completed, _ = completed_sizes({name: np.where(x > 0, x, np.nan) for name, x in sizes.items()})
    sentence = f"The table has no column n: n = flops / (6 m), from the columns {compute!r} and {m!r}."
    return table.with_column("n", completed["n"]), sentence
