"""The cost model flops = 6 n m: the third of compute, data size and model size from the other two."""

from __future__ import annotations

from collections.abc import Mapping

from errsrc.laws.law import Array

COMPUTED = {
    "flops": "C = 6 n m",
    "n": "C as given, n = C / (6 m)",
    "m": "C as given, m = C / (6 n)",
}
"""How each of the three follows from the other two, after Kaplan et al. 2020 (arXiv 2001.08361)."""


def completed_sizes(sizes: Mapping[str, Array]) -> tuple[dict[str, Array], str]:
    """Return flops, n and m, with the missing one computed from the other two.

    Parameters
    ----------
    sizes : dict of str to ndarray, shape (runs,)
        Two or all of "flops", "n" and "m", > 0.

    Returns
    -------
    sizes : dict of str to ndarray, shape (runs,)
        All three.
    cost : str
        How the missing one was computed, or that none was missing, in words.

    Raises
    ------
    ValueError
        If two or more are missing.

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
        return out, "C and n as given"
    if missing == ["flops"]:
        out["flops"] = 6 * sizes["n"] * sizes["m"]
    else:
        (known,) = {"n", "m"} & sizes.keys()
        out[missing[0]] = sizes["flops"] / (6 * sizes[known])
    return out, COMPUTED[missing[0]]
