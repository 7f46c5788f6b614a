"""Page content for pruned networks: the law of each network, and the joint law of all networks."""

from __future__ import annotations

import numpy as np

from errsrc import plots
from errsrc.fitting.one_law import Fit
from errsrc.laws import Pruning
from errsrc.report import holdout
from errsrc.report.cells import cells_table
from errsrc.report.page import Block, Content, Figure, Paragraph, Table
from errsrc.studies import FinishedStudy
from errsrc.studies.pruned import CONFIGURATION, PrunedFamily, families

LIMITS = {"single": (0.02, 0.04), "joint": (0.02, 0.06)}
"""Largest |mean| and std of the divergence that Rosenfeld et al. 2021 (arXiv 2006.10621) report: for the law
of one network, and for the joint law."""

CAPTION = (
    "Error over the dense plateau against the invariant depth^phi width^psi density, in units of the elbow: "
    "one colour per width, one mark per depth. Open marks are levels before the network's lowest "
    "error. Lines are the law."
)


def content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study of pruned networks.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "pruning".

    Returns
    -------
    Content
        The verdicts, the sections, the warnings, and the code of the figures.
    """
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[Block]]] = []
    warnings: list[str] = []
    for k, family in enumerate(families(finished)):
        prefix = f"{family.label}: " if family.label else ""
        warnings += [prefix + note for note in family.notes]
        if isinstance(family.joint, Fit):
            verdicts.append(_verdict(family.joint, prefix, len(family.single)))
            drawn = f"ax = plots.invariant(families[{k}].joint)"
            figure = Figure(plots.invariant(family.joint), CAPTION, drawn)
            sections.append((f"{prefix}The law of all networks", [figure, *holdout.law_blocks(family.joint)]))
            warnings += [prefix + said for said in family.joint.warnings]
        else:
            verdicts.append((f"{prefix}No joint law: {family.joint}", False))
        if family.single:
            sections.append((f"{prefix}The law of each network", _single(family)))
    sections.append(("Finished cells", cells_table(finished)))
    begin = "\nfrom errsrc.studies import pruned\n\nfamilies = pruned.families(finished)"
    return Content(verdicts, sections, warnings, begin)


def _verdict(joint: Fit, prefix: str, count: int) -> tuple[str, bool]:
    """Return how well the joint law describes all levels, and whether its divergence is within the limits."""
    mean, std = LIMITS["joint"]
    met = abs(joint.divergence_mean) <= mean and joint.divergence_std <= std
    noise = "" if np.isnan(joint.seed_noise) else f"; the noise between seeds is {joint.seed_noise:.1%}"
    said = (
        f"{prefix}One law describes {len(joint.error):,} levels of {count} networks with a divergence of "
        f"{holdout.divergence_text(joint)}, {'within' if met else 'not within'} the {mean:.0%} and "
        f"{std:.0%} that Rosenfeld et al. 2021 report{noise}."
    )
    return said, met


def _single(family: PrunedFamily) -> list[Block]:
    """Return the parameters of each network's own law as a table."""
    names = [parameter.name for parameter in Pruning.parameters()]
    rows, at = [], family.points
    for k, law in enumerate(family.single):
        own = at["config"] == k
        unpruned = at["error"][own & (at["density"] == 1)].mean()
        sizes = [f"{at[name][own][0]:,.0f}" for name in CONFIGURATION]
        measured = (f"{own.sum()}", f"{unpruned:.4g}", f"{at['error'][own].max() / unpruned:.2f}")
        if isinstance(law, Fit):
            fitted = [*(str(law.intervals[name]) for name in names), holdout.divergence_text(law)]
        else:
            fitted = [*[""] * len(names), law]
        rows.append((*sizes, *measured, *fitted))
    header = (*CONFIGURATION, "levels", "unpruned error", "raised, times", *names, "divergence")
    mean, std = LIMITS["single"]
    limits = (
        f"Rosenfeld et al. 2021 report divergences of less than {mean:.0%} in the mean and {std:.0%} in std."
    )
    return [Table(header, rows), Paragraph(limits)]
