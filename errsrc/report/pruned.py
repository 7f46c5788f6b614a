"""What a page says of pruned networks: the law of each, and the one of all with its invariant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import plots
from errsrc.errors import NoFit
from errsrc.fitting.one_law import Fit, fit
from errsrc.laws import JointPruning, Pruning
from errsrc.laws.law import Array
from errsrc.report import holdout
from errsrc.report.finished import Finished, cells_table
from errsrc.report.page import Content, Figure, paragraph, table
from errsrc.report.trained import left_out
from errsrc.tasks.pruning import CONFIGURATION, levels

LIMITS = {"one": (0.02, 0.04), "joint": (0.02, 0.06)}
"""Largest |mean| and std of the divergence that Rosenfeld et al. 2021 (arXiv 2006.10621) report of one
network's law, and of the joint one."""

CAPTION = (
    "Error over the dense plateau against the invariant depth^phi width^psi density, in units of the elbow: "
    "a colour a width, a mark a depth; open levels come before the network's lowest error. Lines are the law."
)


@dataclass(frozen=True, eq=False)
class Pruned:
    """Pruned networks of one family on one data set, and their laws.

    Attributes
    ----------
    label
        What tells them from the others; empty of the only ones.
    points
        Their levels, (levels,) each, see `errsrc.tasks.pruning.levels`; none where all diverged.
    single
        The law of each configuration, or why there is none.
    joint
        The law of all, or why there is none.
    notes
        What was left out, a sentence each.
    """

    label: str
    points: dict[str, NDArray[Any]]
    single: tuple[Fit | str, ...]
    joint: Fit | str
    notes: tuple[str, ...]


def laws(found: Finished) -> list[Pruned]:
    """Return the laws of each family of networks in a study of pruned ones."""
    out = []
    for label, places in found.groups(("n", "width", "depth", "seed", "steps"), "dataset", "family").items():
        cells, rows, curves = ([part[k] for k in places] for part in (found.cells, found.rows, found.curves))
        fine = np.array([not row["diverged"] for row in rows], dtype=bool)
        if not fine.any():
            out.append(Pruned(label, {}, (), "every training diverged.", tuple(left_out(cells, rows, fine))))
            continue
        at = levels(rows, curves)
        error, single = at["error"], []
        for own in (at["config"] == k for k in np.unique(at["config"])):
            single.append(_fitted(Pruning, error[own], density=at["density"][own]))
        inputs = {name: at[name] for name in JointPruning.inputs}
        held = {power: 0.0 for name, power in (("depth", "phi"), ("width", "psi")) if not np.ptp(at[name])}
        joint = _fitted(JointPruning, error, held, **inputs)
        notes = [f"{power} is held at 0: of each network there is one size." for power in held]
        out.append(Pruned(label, at, tuple(single), joint, (*left_out(cells, rows, fine), *notes)))
    return out


def _fitted(law: Any, error: Array, fixed: dict[str, float] | None = None, **inputs: Any) -> Fit | str:
    try:
        return fit(law, error, fixed=fixed, **inputs)
    except (NoFit, ValueError) as problem:
        return str(problem)


def content(found: Finished) -> Content:
    """Return what a page says of a study of pruned networks."""
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[str | Figure]]] = []
    warnings: list[str] = []
    every = laws(found)
    for k, one in enumerate(every):
        name = f"{one.label}: " if one.label else ""
        warnings += [name + note for note in one.notes]
        if isinstance(one.joint, Fit):
            verdicts.append(_described(one.joint, name, len(one.single)))
            drawn = Figure(plots.invariant(one.joint), CAPTION, f"ax = plots.invariant(laws[{k}].joint)")
            sections.append((f"{name}The law of all networks", [drawn, *holdout.law(one.joint)]))
            warnings += [name + said for said in one.joint.warnings]
        else:
            verdicts.append((f"{name}No joint law: {one.joint}", False))
        if one.single:
            sections.append((f"{name}The law of each network", [*_single(one)]))
    sections.append(("Finished cells", [*cells_table(found)]))
    return Content(verdicts, sections, warnings, "laws = report.pruned.laws(found)")


def _described(joint: Fit, name: str, count: int) -> tuple[str, bool]:
    mean, std = LIMITS["joint"]
    met = abs(joint.divergence_mean) <= mean and joint.divergence_std <= std
    noise = "" if np.isnan(joint.seed_noise) else f"; the noise between seeds is {joint.seed_noise:.1%}"
    said = (
        f"{name}One law describes {len(joint.error):,} levels of {count} networks with a divergence of "
        f"{holdout.divergence(joint)}, {'within' if met else 'not within'} the {mean:.0%} and {std:.0%} that "
        f"Rosenfeld et al. 2021 report{noise}."
    )
    return said, met


def _single(one: Pruned) -> list[str]:
    """Return the parameters of each network's law as a table."""
    names = [parameter.name for parameter in Pruning.parameters()]
    rows, at = [], one.points
    for k, law in enumerate(one.single):
        own = at["config"] == k
        unpruned = at["error"][own & (at["density"] == 1)].mean()
        sizes = [f"{at[name][own][0]:,.0f}" for name in CONFIGURATION]
        measured = (f"{own.sum()}", f"{unpruned:.4f}", f"{at['error'][own].max() / unpruned:.2f}")
        if isinstance(law, Fit):
            found = [*(str(law.intervals[name]) for name in names), holdout.divergence(law)]
        else:
            found = [*[""] * len(names), law]
        rows.append((*sizes, *measured, *found))
    header = (*CONFIGURATION, "levels", "unpruned error", "raised, times", *names, "divergence")
    mean, std = LIMITS["one"]
    limits = (
        f"Rosenfeld et al. 2021 report divergences of less than {mean:.0%} in the mean and {std:.0%} in std."
    )
    return [table(header, rows), paragraph(limits)]
