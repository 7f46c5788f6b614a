"""Page content for error budgets: the sources of each learner's error as functions of n."""

from __future__ import annotations

import numpy as np

from errsrc import plots, records
from errsrc.curves.verdicts import CurveShape
from errsrc.report.page import Block, Code, Content, Figure, Paragraph, Table
from errsrc.sources.terms import TERMS, Budget, notes
from errsrc.studies import FinishedStudy
from errsrc.studies.budgets import budget_lines, budgets_over_n, excess_shape

TERMS_CAPTION = (
    "Noise, realizability, uncertainty, deficiency and their total over n, with intervals. Terms that are 0 "
    "for all n are listed by name; open marks at the bottom are 0."
)
SHARES_CAPTION = (
    "Stacked shares of the risk, from below: noise, realizability, "
    "uncertainty, deficiency. The risk is written above. Hatched: shares known only between bounds."
)


def content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study of budgets.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "budget".

    Returns
    -------
    Content
        The verdicts, the sections, the warnings, and the code of the figures.
    """
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[Block]]] = []
    for k, (cell, budgets) in enumerate(budgets_over_n(finished.cells, finished.rows)):
        name = f"{records.text(cell.learner)}, {records.text(cell.setting)}"
        shape = excess_shape(cell, budgets) if len(budgets) > 1 else None
        verdicts.append((f"{name}: {_sentence(budgets[-1], shape)}", True))
        blocks: list[Block] = [Table(*budget_lines(budgets)), *map(Paragraph, notes(budgets))]
        if shape is not None:
            blocks += _figures(name, budgets, f"budgets[{k}][1]")
            *evidence, said = str(shape).splitlines()
            blocks += [Paragraph(f"Shape of the excess risk over n, {said}"), Code("\n".join(evidence))]
        sections.append((name, blocks))
    begin = (
        "\nfrom errsrc.studies.budgets import budgets_over_n\n\n"
        "budgets = budgets_over_n(finished.cells, finished.rows)"
    )
    return Content(verdicts, sections, (), begin)


def _figures(name: str, budgets: list[Budget], expression: str) -> list[Block]:
    """Return the figures of one learner's budgets; `expression` gives the budgets in the code of the page."""
    blocks: list[Block] = []
    if any(one.rounded.total.estimate > 0 for one in budgets):
        drawn = f"ax = plots.terms({expression})"
        blocks.append(Figure(plots.terms(budgets), f"{name}. {TERMS_CAPTION}", drawn))
    caption = f"{name}. {SHARES_CAPTION}"
    if any(one.rounded.total.estimate == 0 for one in budgets):
        caption += " There are no shares where the risk is 0."
    return [*blocks, Figure(plots.shares(budgets), caption, f"ax = plots.shares({expression})")]


def _sentence(last: Budget, shape: CurveShape | None) -> str:
    """Return a sentence: a learner's risk at the largest n, its largest term, and the shape of its curve."""
    if last.rounded.total.estimate == 0:
        said = f"at n = {last.n:,} the risk is 0 to rounding"
    else:
        shares = {name: getattr(last, name).lower.estimate / last.total.estimate for name in TERMS}
        largest = max(shares, key=shares.__getitem__)
        said = f"at n = {last.n:,} the risk is {last.total}, of it {shares[largest]:.0%} {largest}"
    if shape is None:
        return f"{said}."
    if shape.verdict == "not decided":
        return f"{said}; the shape of the excess risk over n is not decided."
    if shape.changes or shape.verdict == "plateau then fall":
        return f"{said}; the shape of the excess risk over n is: {shape.verdict}. {shape.status}"
    said += f"; over n the excess risk is a {shape.verdict}"
    exponent = f", exponent {shape.exponent}" if np.isfinite(shape.exponent.low) else ""
    if shape.threshold is None:
        above = f" above a floor of {shape.floor}" if shape.floor else ""
        return f"{said}{exponent}{above}."
    return f"{said} at n = {shape.threshold}{exponent and f'{exponent} before it'}."
