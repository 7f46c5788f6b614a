"""Analysis of finished studies of pruned networks: the law of each network, and the joint law.

A level is one network at one density; the density is the share of weights that are not pruned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.errors import NoFit
from errsrc.fitting.clusters import ENOUGH, TOO_FEW
from errsrc.fitting.one_law import Fit, fit
from errsrc.laws import JointPruning, Law, Pruning, plateau
from errsrc.laws.law import Array
from errsrc.results import Result, TextTable
from errsrc.studies.finished import FinishedStudy
from errsrc.studies.trained import cell_text, left_out

CONFIGURATION = ("depth", "width", "n")
"""Fields, other than the seed, in which pruned networks differ."""

SIZES = ("n", "width", "depth", "seed", "steps")
"""Fields in which the networks of one joint law differ."""


@dataclass(frozen=True, eq=False, repr=False)
class PrunedFamily(Result):
    """Pruned networks of one family (such as "resnet") on one data set, and their laws.

    Attributes
    ----------
    label
        The fields in which the family differs from other families, as text; empty if there is only one
        family.
    points
        The levels of the networks (a level is one network at one density) as a dict of (levels,) arrays, see
        `levels`.  The dict is empty if all networks diverged.
    single
        For each configuration (depth, width and n), the fitted law, or the reason why no law could be fitted.
    joint
        The joint law of all networks, or the reason why no law could be fitted.
    notes
        Sentences that say which networks and levels were left out.
    """

    label: str
    points: dict[str, NDArray[Any]]
    single: tuple[Fit | str, ...]
    joint: Fit | str
    notes: tuple[str, ...]

    def headline(self) -> str:
        """Return the label, the number of configurations (depth, width, n) and the joint law as one line."""
        law = self.joint if isinstance(self.joint, str) else self.joint.headline()
        return ", ".join(text for text in (self.label, f"{len(self.single)} configurations", law) if text)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the joint law, see `errsrc.plots.draw`.

        Raises
        ------
        ValueError
            If no joint law was fitted.
        """
        if isinstance(self.joint, str):
            raise ValueError(f"This family has no figure: {self.joint}")
        return self.joint.plot(ax, **options)

    def content(self) -> list[str | TextTable]:
        """Return the label, the number of configurations (depth, width, n), the joint law and the `notes`."""
        law = [self.joint] if isinstance(self.joint, str) else self.joint.content()
        label = [self.label] if self.label else []
        return [*label, f"{len(self.single)} configurations", *law, *self.notes]


def families(finished: FinishedStudy) -> list[PrunedFamily]:
    """Return the families of pruned networks in a finished study, and fit the laws of each family.

    In the joint law each configuration (depth, width and n) is a cluster: the errors of its levels and seeds
    are correlated (`errsrc.fit`).  With fewer than 6 configurations, all errors count as independent, and a
    note says so.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "pruning".

    Returns
    -------
    list of PrunedFamily
        The families.
    """
    parts = (finished.cells, finished.rows, finished.curves)
    return [
        _family(label, *([part[k] for k in places] for part in parts))
        for label, places in finished.groups(SIZES, ("dataset", "family")).items()
    ]


def _family(
    label: str,
    cells: Sequence[Any],
    rows: Sequence[Mapping[str, Any]],
    curves: Sequence[Mapping[str, Array]],
) -> PrunedFamily:
    """Return the networks of some cells with their laws."""
    trained = np.array([not row["diverged"] for row in rows], dtype=bool)
    notes = left_out(cells, rows, trained) + left_out_levels(cells, rows, curves)
    if not trained.any():
        return PrunedFamily(label, {}, (), "every training diverged.", tuple(notes))
    if all(_is_constant(curves[k]).all() for k in np.flatnonzero(trained).tolist()):
        return PrunedFamily(label, {}, (), "the outputs of every network are constant.", tuple(notes))
    at = levels(rows, curves)
    error, single = at["error"], []
    for own in (at["config"] == k for k in np.unique(at["config"])):
        single.append(_fitted(Pruning, error[own], density=at["density"][own]))
    inputs = {name: at[name] for name in JointPruning.inputs}
    constant = [(power, size) for size, power in (("depth", "phi"), ("width", "psi")) if not np.ptp(at[size])]
    count = len(np.unique(at["config"]))
    if count >= ENOUGH:  # levels and seeds of a configuration share their eps_np
        inputs |= {"clusters": at["config"]}
    joint = _fitted(JointPruning, error, {power: 0.0 for power, _ in constant}, **inputs)
    notes += [f"{power} is held at 0: all networks have the same {size}." for power, size in constant]
    notes += [] if count >= ENOUGH else [TOO_FEW.format(count)]
    return PrunedFamily(label, at, tuple(single), joint, tuple(notes))


def _fitted(law: type[Law], error: Array, fixed: dict[str, float] | None = None, **inputs: Any) -> Fit | str:
    """Return a fit, or the reason why there is none."""
    try:
        return fit(law, error, fixed=fixed, **inputs)
    except (NoFit, ValueError) as problem:
        return str(problem)


def levels(
    rows: Sequence[Mapping[str, Any]], curves: Sequence[Mapping[str, Array]]
) -> dict[str, NDArray[Any]]:
    """Return the levels of all pruned networks as a dict of columns, for fits of pruning laws.

    A level is one network at one density.  The function leaves out networks that diverged, and levels with
    outputs that do not depend on the inputs (`errsrc.training.PruningLevel.constant`).

    Parameters
    ----------
    rows : sequence of mappings
        The row of each cell, as `errsrc.sweeps.Store.rows` returns them.
    curves : sequence of mappings
        The learning curve of each cell, as `errsrc.sweeps.Store.curves` returns them.

    Returns
    -------
    dict of str to (levels,) arrays
        "depth", "width", "n", "seed", "prunable", "m", "density" and "error" are float64.  "config", int64,
        is an index of the configuration (depth, width and n).  "eps_np", float64, is the error of the
        configuration on its plateau at high densities, see `errsrc.laws.plateau`.  "before_dip", bool, is
        True for levels that are denser than the level with the configuration's lowest error.  The laws do not
        describe these levels.

    Raises
    ------
    ValueError
        If there are no networks, or if all networks diverged.

    Examples
    --------
    >>> row = {"depth": 1, "width": 8, "n": 500, "seed": 0, "prunable": 592, "m": 610, "diverged": False}
    >>> curve = {"level": [0, 1, 2, 3], "density": [1.0, 0.8, 0.64, 0.512], "error": [0.1, 0.09, 0.11, 0.2]}
    >>> at = levels([row], [{name: np.array(values) for name, values in curve.items()}])
    >>> at["width"], at["eps_np"].round(3), at["before_dip"]
    (array([8., 8., 8., 8.]), array([0.1, 0.1, 0.1, 0.1]), array([ True, False, False, False]))
    """
    kept = [
        (row, {name: curve[name][~_is_constant(curve)] for name in ("density", "error")})
        for row, curve in zip(rows, curves, strict=True)
        if not row["diverged"]
    ]
    if not any(len(curve["density"]) for _, curve in kept):
        accepted = "those of one pruned network or more that did not diverge, at a level whose outputs vary"
        raise ValueError(checks.refusal("rows", "levels", accepted, f"<{len(rows)} rows>"))
    lengths = [len(curve["density"]) for _, curve in kept]
    names = (*CONFIGURATION, "seed", "prunable", "m")
    at = {name: np.repeat([float(row[name]) for row, _ in kept], lengths) for name in names}
    at |= {name: np.concatenate([curve[name] for _, curve in kept]) for name in ("density", "error")}
    _, config = np.unique(np.stack([at[name] for name in CONFIGURATION], 1), axis=0, return_inverse=True)
    at["config"] = config.ravel()
    at["eps_np"], at["before_dip"] = np.empty(len(config)), np.zeros(len(config), dtype=bool)
    for own in (at["config"] == k for k in np.unique(at["config"])):
        at["eps_np"][own] = plateau(at["density"][own], at["error"][own])
        at["before_dip"][own] = at["density"][own] > at["density"][own][at["error"][own].argmin()]
    return at


def _is_constant(curve: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Return which levels of a network have outputs that do not depend on the inputs.

    Stores of version 0.1.0 do not have this information.  For such stores all entries are False.
    """
    density = np.asarray(curve["density"])
    return np.asarray(curve.get("constant", np.zeros(len(density)))) > 0


def left_out_levels(
    cells: Sequence[Any], rows: Sequence[Mapping[str, Any]], curves: Sequence[Mapping[str, Array]]
) -> list[str]:
    """Return sentences that say which levels of pruned networks were left out of the fits, and why.

    Parameters
    ----------
    cells : sequence of cells
        The cells of the networks.
    rows, curves : sequence of mappings
        The row and the learning curve of each cell, see `levels`.

    Returns
    -------
    list of str
        A sentence for each network with levels that were left out.
    """
    out = []
    for cell, row, curve in zip(cells, rows, curves, strict=True):
        constant = _is_constant(curve)
        if constant.any() and not row["diverged"]:
            level = np.asarray(curve["level"])
            numbers = ", ".join(f"{number:.0f}" for number in level[constant])
            dead = np.asarray(curve["dead_layers"]) > 0
            cause = f"; from level {level[dead][0]:.0f} on a layer has no weights left" if dead.any() else ""
            out.append(
                f"Left out: {cell_text(cell)}, level{'s' if constant.sum() > 1 else ''} {numbers}: "
                f"the outputs do not depend on the inputs{cause}."
            )
    return out
