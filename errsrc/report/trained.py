"""Page content for cells with errors: the law in data and model size, and its predictions."""

from __future__ import annotations

from errsrc.fitting.holdouts import DIVERGENCE_LIMITS, Holdout
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import AveragedFit, weighted_fits
from errsrc.report import holdout
from errsrc.report.cells import cells_table
from errsrc.report.page import Block, Content, Paragraph
from errsrc.studies import FinishedStudy
from errsrc.studies.trained import OWN_QUANTITIES, Quantities, TrainedFamily, families, quantities_of


def content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study that trains networks, or whose kind is the user's own.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study to whose rows a law can be fitted, see `errsrc.studies.trained.families`.

    Returns
    -------
    Content
        The verdicts, the sections, the warnings, and the code of the figures.
    """
    about = quantities_of(finished) or OWN_QUANTITIES
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[Block]]] = []
    warnings: list[str] = []
    found = families(finished)
    for k, family in enumerate(found):
        part = _family(family, about, f"families[{k}].result")
        prefix = f"{family.label}: " if family.label else ""
        verdicts += [(prefix + said, yes) for said, yes in part.verdicts]
        verdicts += [(prefix + said, False) for said in family.doubts]
        sections += [(prefix + heading, [*blocks]) for heading, blocks in part.sections]
        warnings += [prefix + said for said in part.warnings]
    if not all(isinstance(family.result, Holdout) for family in found):
        sections.append(("Finished cells", cells_table(finished)))
    begin = "\nfrom errsrc.studies import trained\n\nfamilies = trained.families(finished)"
    return Content(verdicts, sections, warnings, begin)


def _family(family: TrainedFamily, about: Quantities, code: str) -> Content:
    """Return what a page says about one family, whose result a Python expression stands for."""
    result, notes = family.result, family.notes
    if isinstance(result, Holdout):
        sections = holdout.sections(result, code, about.examples, about.error_text, about.m_text)
        warned = holdout.warnings_of_fitted(result)
        if family.law_of_all is not None:
            sections.insert(-1, ("The law of all cells", _law_of_all(family.law_of_all)))
            warned += [f"Among all cells: {said}" for said in family.law_of_all.warnings]
        return Content(holdout.verdicts(result), sections, [*notes, *warned])
    if result is None:
        return Content([(notes[-1], False)], [], notes)
    units = f"n: {about.examples}; error: {about.error_text}; {about.m_text}"
    lead, _ = weighted_fits(result)[0]
    law = [*([Paragraph(units)] if about.m_text else []), *holdout.forecast_blocks(result)]
    return Content([_verdict(lead)], [("The law, fitted to all cells", law)], [*notes, *result.warnings])


def _law_of_all(law: Fit | AveragedFit) -> list[Block]:
    """Return what a page says about the law that was fitted to all cells, the held-out cells included."""
    said = (
        "The same kind of law, fitted to all cells, the held-out cells included. Use these parameters to "
        "describe your cells and to predict larger cells. No cell is left to test this fit: the divergence "
        "of the held-out cells above shows how well such a fit predicts."
    )
    return [Paragraph(said), *holdout.forecast_blocks(law)]


def _verdict(found: Fit) -> tuple[str, bool]:
    """Return how well a law describes the points that it was fitted to, and whether within the limits."""
    mean, std = DIVERGENCE_LIMITS["fitted"]
    met = abs(found.divergence_mean) <= mean and found.divergence_std <= std
    limits = f"{'within' if met else 'not within'} the limits of {mean:.0%} and {std:.0%}"
    law = type(found.law).__name__
    return f"The {law} law describes the cells, divergence {holdout.divergence_text(found)}, {limits}.", met
