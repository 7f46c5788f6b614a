"""Tables in which n or m is the same in all rows: which law they determine, and which they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.coupled import Coupled
from errsrc.laws.coupled_dense import CoupledDense
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.law import Array, Law
from errsrc.laws.power import Power

LAWS_IN_N: dict[type[Law], tuple[type[Law], dict[str, str]]] = {
    Chinchilla: (Power, {"B": "a", "beta": "alpha"}),
    Coupled: (Power, {"B": "a", "beta": "alpha"}),
    Dense: (Envelope, {"eps0": "eps0", "alpha": "alpha", "eta": "eta"}),
    CoupledDense: (Envelope, {"eps0": "eps0", "alpha": "alpha", "eta": "eta"}),
}
"""The law in n that replaces a law in n and m if m is constant, with the new names of parameters."""


class VaryingSizes(NamedTuple):
    """A law and its inputs, without a constant m.

    Attributes
    ----------
    law : type of Law or None
        The law to fit, or None for the average of several laws.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs of the law by name.
    fixed : dict of str to float
        Values of the parameters that are not fitted, by their names in this law.
    notes : dict
        What a fit notes about a constant m, as JSON values: "columns", the columns of the other inputs, and
        "constant", the column of m with its value.  {} if m is not constant.
    warnings : tuple of str
        At most one sentence, which names the constant m and the law.
    """

    law: type[Law] | None
    inputs: dict[str, Array]
    fixed: dict[str, float]
    notes: dict[str, Any]
    warnings: tuple[str, ...]


def varying_sizes(
    law: type[Law] | None,
    columns: Mapping[str, str],
    inputs: dict[str, Array],
    fixed: Mapping[str, float],
    other_m: str | None,
) -> VaryingSizes:
    """Return the law and its inputs; if m is constant, a law in n replaces the law in n and m.

    Parameters
    ----------
    law : type of Law or None
        The law to fit, or None for the average of several laws.
    columns : dict of str to str
        {input or "error": name of its column}.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs of the law by name.
    fixed : dict of str to float
        Parameters that are not fitted.
    other_m : str or None
        A column of model sizes that varies although the law has no input m; None if there is none.

    Raises
    ------
    ValueError
        If n is constant although m varies, or if a parameter is fixed that the law in n does not have.
    """
    n, m = inputs.get("n"), inputs.get("m")
    if other_m is not None and n is not None and len(n) > 1 and not np.ptp(n):
        raise ValueError(_constant_n(columns["n"], float(n[0]), other_m))
    as_given = VaryingSizes(law, inputs, dict(fixed), {}, ())
    if n is None or m is None or not (law in LAWS_IN_N or law is None):
        return as_given
    if np.ptp(m) and not np.ptp(n):
        raise ValueError(_constant_n(columns["n"], float(n[0]), columns["m"]))
    if np.ptp(m) or not np.ptp(n):
        return as_given
    in_n, names = (None, {name: name for name in fixed}) if law is None else LAWS_IN_N[law]
    shown = "the law in n is fitted"
    if in_n is not None and law is not None:
        shown += f", {in_n.__name__} instead of {law.__name__}"
        for name in fixed.keys() - names.keys():
            raise ValueError(f"m is {m[0]:g} in every row: {shown}, which has no {name}: leave {name} out.")
    return VaryingSizes(
        law=in_n,
        inputs={name: x for name, x in inputs.items() if name != "m"},
        fixed={names[name]: value for name, value in fixed.items()},
        notes={
            "columns": {name: column for name, column in columns.items() if name != "m"},
            "constant": {columns["m"]: float(m[0])},
        },
        warnings=(f"m is {m[0]:g} in every row: {shown}.",),
    )


def _constant_n(n: str, value: float, m: str) -> str:
    """Return a sentence that says which fit a table with a constant n in the column `n` allows."""
    return (
        f"The column {n!r} is {value:g} in every row, and {m!r} varies: fit a power law in the model size, "
        f"with law 'power' and {m!r} as the column of n (--law power --n {m})."
    )
