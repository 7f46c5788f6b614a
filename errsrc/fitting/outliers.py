"""The search for rows that are far from every one of several laws."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc.errors import NoFit
from errsrc.fitting.anomalies import FarRows, all_far_rows, far_sentence
from errsrc.fitting.noise import robust_scale
from errsrc.fitting.optima import from_starts, optimum
from errsrc.fitting.points import pose
from errsrc.laws.law import Array, Law

STARTS = 12
"""Number of random starts of each fit."""


def far_from_laws(
    classes: Sequence[type[Law]],
    columns: Mapping[str, Array],
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    seed: int = 0,
    weights: Array | None = None,
) -> tuple[NDArray[np.bool_], FarRows | None]:
    """Return a mask of the rows that are far from every law, and a warning that names these rows.

    Each law is fitted to all rows under Huber losses, which discount single wrong rows.  Laws that cannot be
    fitted are ignored.

    Parameters
    ----------
    classes : sequence of type of Law
        The laws, all with the same inputs.
    columns : dict of str to ndarray of float64, shape (rows,)
        The inputs of the laws, and "error".
    fixed, constants : dict of str to float, optional
        Values of parameters that are not fitted, and of constants.  A value applies to every law that has the
        parameter or constant.
    seed : int
        Seed of the starts, >= 0.
    weights : ndarray of float64, shape (rows,), optional
        Relative weights of the rows; all equal by default.

    Returns
    -------
    far : ndarray of bool, shape (rows,)
        True for rows that are far from every law.
    sentence : FarRows or None
        The warning, which says that the rows were left out; None if no row is far.
    """
    none = np.zeros(len(columns["error"]), dtype=bool)
    if any("density" in law.inputs for law in classes):
        return none, None  # `far_rows` does not judge pruned networks
    far, last = ~none, None
    for law in classes:
        inputs: dict[str, Any] = {name: columns[name] for name in law.inputs}
        own = {name: v for name, v in (fixed or {}).items() if name in {p.name for p in law.parameters()}}
        units = {name: v for name, v in (constants or {}).items() if name in law.constants()}
        try:
            with np.errstate(all="ignore"):
                problem = pose(law, columns["error"], inputs, own, units, weights, objective="log")
                squares = from_starts(problem, problem.starts(STARTS, seed))
                residual = problem.residuals(squares.z[[squares.cost.argmin()]], problem.error)[0][0]
                delta = max(robust_scale(residual, problem.weights), 1e-9)
                problem = dataclasses.replace(problem, objective="huber", huber_delta=delta)
                found = optimum(problem, squares.z, seed)
                keys = [columns["error"], *(columns[name] for name in reversed(law.inputs))]
                order = np.lexsort([*([] if weights is None else [weights]), *keys])
                mask = none.copy()
                mask[order] = all_far_rows(problem, found.z)
        except (NoFit, TypeError, ValueError):
            continue  # the fit of this law reports the reason
        far, last = far & mask, (problem, order)
        if not far.any():
            return none, None
    if last is None:
        return none, None
    every = "every law" if len(classes) > 1 else "the law"
    return far, far_sentence(last[0], far[last[1]], f"{every}, and were left out")
