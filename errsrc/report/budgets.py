"""What a page says of error budgets: where each learner's error comes from, over n."""

from __future__ import annotations

import numpy as np

from errsrc import plots, records
from errsrc.curves.verdicts import CurveShape
from errsrc.report.finished import Finished
from errsrc.report.page import Content, Figure, code, paragraph, table
from errsrc.sources.budgets import TERMS, Budget, notes
from errsrc.studies.budgets import curves, lines, verdict

TERMS_CAPTION = (
    "Noise, realizability, uncertainty, deficiency and their total over n, with intervals; terms that are 0 "
    "throughout are named, open marks at the bottom are 0."
)
SHARES_CAPTION = (
    "The same as shares of the risk, which is written above, stacked: noise, realizability, "
    "uncertainty, deficiency from below; hatched is what a bracket leaves open."
)


def content(found: Finished) -> Content:
    """Return what a page says of a study of budgets."""
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[str | Figure]]] = []
    for k, (cell, budgets) in enumerate(curves(found.cells, found.rows)):
        name = f"{records.text(cell.learner)}, {records.text(cell.setting)}"
        shape = verdict(cell, budgets) if len(budgets) > 1 else None
        verdicts.append((f"{name}: {_said(budgets[-1], shape)}", True))
        blocks: list[str | Figure] = [table(*lines(budgets))]
        blocks += [paragraph(note) for note in notes(budgets)]
        if shape is not None:
            own = f"budgets[{k}][1]"
            if any(one.rounded.total.estimate > 0 for one in budgets):
                drawn = Figure(plots.terms(budgets), f"{name}. {TERMS_CAPTION}", f"ax = plots.terms({own})")
                blocks.append(drawn)
            caption = f"{name}. {SHARES_CAPTION}"
            if any(one.rounded.total.estimate == 0 for one in budgets):
                caption += " Where the risk is 0 there are none."
            blocks.append(Figure(plots.shares(budgets), caption, f"ax = plots.shares({own})"))
            *evidence, said = str(shape).splitlines()
            blocks += [paragraph(f"Shape of the excess risk over n, {said}"), code("\n".join(evidence))]
        sections.append((name, blocks))
    begun = "from errsrc.studies.budgets import curves\n\nbudgets = curves(found.cells, found.rows)"
    return Content(verdicts, sections, (), begun)


def _said(last: Budget, shape: CurveShape | None) -> str:
    """Return a learner's risk at the largest n by its largest term, and the shape of its curve."""
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
    said += f"; over n the excess risk is a {shape.verdict}"
    exponent = f", exponent {shape.exponent}" if np.isfinite(shape.exponent.low) else ""
    if shape.threshold is None:
        return f"{said}{exponent}."
    return f"{said} at n = {shape.threshold}{exponent and f'{exponent} before it'}."
