"""The HTML page of a finished study of any kind."""

from __future__ import annotations

import importlib
from dataclasses import replace

from errsrc import checks
from errsrc.report.cells import cells_table
from errsrc.report.page import Content, page
from errsrc.report.provenance import provenance
from errsrc.studies import FinishedStudy
from errsrc.studies.trained import best_early, quantities_of, unconverged

CONTENTS: dict[str, tuple[str, str]] = {
    "vision": ("errsrc.report.trained", "content"),
    "language": ("errsrc.report.trained", "content"),
    "pruning": ("errsrc.report.pruned", "content"),
    "budget": ("errsrc.report.budgets", "content"),
    "threshold": ("errsrc.report.conjectures", "threshold_content"),
    "search": ("errsrc.report.conjectures", "search_content"),
    "example": ("errsrc.report.conjectures", "example_content"),
}
"""Functions that return the content of a page, by kind of study.

The page of another kind has the law of its errors, or else lists the cells.
"""


@checks.arguments(
    finished=checks.Instance(FinishedStudy, "a FinishedStudy, as errsrc.load_study(path) returns it")
)
def study_page(finished: FinishedStudy) -> str:
    """Return an HTML page about the finished cells of a study.

    This function fits laws for the page, but it computes no cells.

    Parameters
    ----------
    finished : FinishedStudy
        The study, as `errsrc.load_study` returns it.

    Returns
    -------
    str
        HTML that loads no other files.  The page has verdicts, tables and figures.  It also has warnings, for
        example that some cells are not finished.  It says what was run, when, and with which versions, and
        how to make the page and its figures again.

    Raises
    ------
    TypeError
        If `finished` is not a finished study.
    """
    content = study_content(finished)
    return page(content, provenance(finished))


def study_content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study, by its kind.

    Parameters
    ----------
    finished : FinishedStudy
        The study, as `errsrc.load_study` returns it.
    """
    kind = finished.study.kind.name
    has_families = quantities_of(finished) is not None  # of trainings, which have their own cautions
    rows = () if has_families else finished.rows
    cautions = (*unconverged(rows), *best_early(rows))
    if kind in CONTENTS or has_families:
        module, name = CONTENTS.get(kind, CONTENTS["vision"])
        content: Content = getattr(importlib.import_module(module), name)(finished)
    else:
        said = f"{len(finished.cells):,} of {len(finished.study):,} cells are finished."
        content = Content([(said, not finished.missing)], [("Finished cells", cells_table(finished))])
    return content if has_families else replace(content, cautions=cautions)
