"""Page content for cells with errors: the law in data and model size, and its predictions."""

from __future__ import annotations

import numpy as np

from errsrc import records
from errsrc.fitting.holdouts import DIVERGENCE_LIMITS, Holdout
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import AveragedFit, weighted_fits
from errsrc.report import holdout
from errsrc.report.cells import cells_table
from errsrc.report.page import Block, Content, Figure, Paragraph
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
        The verdicts, the sections, the warnings, and the code of the figures.  The cautions are the doubts
        about each family.
    """
    about = quantities_of(finished) or OWN_QUANTITIES
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[Block]]] = []
    warnings: list[str] = []
    cautions: list[str] = []
    found = families(finished)
    for k, family in enumerate(found):
        part = _family(family, about, f"families[{k}].result")
        prefix = f"{family.label}: " if family.label else ""
        verdicts += [(prefix + said, yes) for said, yes in part.verdicts]
        cautions += [prefix + said for said in family.doubts]
        verdicts += [(prefix + said, False) for said in family.doubts]
        sections += [(prefix + heading, [*blocks]) for heading, blocks in part.sections]
        warnings += [prefix + said for said in part.warnings]
    if not all(isinstance(family.result, Holdout) for family in found):
        sections.append(("Finished cells", cells_table(finished)))
    begin = "\nfrom errsrc.studies import trained\n\nfamilies = trained.families(finished)"
    commands = _commands(finished, found[0], about) if len(found) == 1 else ""
    return Content(verdicts, sections, warnings, begin, commands, cautions)


def _commands(finished: FinishedStudy, family: TrainedFamily, about: Quantities) -> str:
    """Return commands that fit the law of all cells to the exported table, and use it; "" without a law."""
    law = family.law_of_all
    if finished.spec is None or law is None:
        return ""
    table, fit = finished.spec.with_suffix(".csv"), finished.spec.with_suffix(".fit.json")
    largest = {name: 4 * float(x.max()) for name, x in law.inputs.items()}
    sizes = " ".join(f"--{name} {value:.10g}" for name, value in largest.items())
    options = [] if about.error == "error" else [f"--error {about.error}"]
    if "m" in largest and about.m != "m":
        options.append(f"--m {about.m}")
    if isinstance(law, Fit):
        options.append(f"--law {records.name(type(law.law))}")
        options += [f"--eps0 {value:.10g}" for name, value in law.held.items() if name == "eps0"]
    if any(row.get(about.error, 0) >= family.guess for row in finished.rows):
        options.append(f"--where '{about.error}<{family.guess:.10g}'")
    smallest = float(np.exp(law.curves(**law.inputs)[0]).min())
    ahead = float(np.exp(law.curves(**{name: np.array([x]) for name, x in largest.items()})[0])[0])
    return "\n".join(
        [
            f"errsrc fit {' '.join([str(table), *options, f'--out {fit}'])}",
            f"errsrc predict {fit} {sizes}    # 4 times the largest sizes",
            f"errsrc plan {fit} --error {(smallest + ahead) / 2:.3g}    # the sizes that reach an error",
        ]
    )


def _family(family: TrainedFamily, about: Quantities, code: str) -> Content:
    """Return what a page says about one family; `code` gives the family's result in the code of the page."""
    result, notes = family.result, family.notes
    if isinstance(result, Holdout):
        sections = holdout.sections(result, code, about.examples, about.error_text, about.m_text)
        warned = holdout.warnings_of_fitted(result)
        verdicts = holdout.verdicts(result)
        if (every := family.law_of_all) is not None:
            all_code = code.removesuffix("result") + "law_of_all"
            sections.insert(-1, ("The law of all cells", _law_of_all(every, all_code, about)))
            warned += [f"Among all cells: {said}" for said in every.warnings]
            verdicts += [(f"Among all cells: {said}", False) for said in holdout.flat_warnings(every)]
            verdicts += _exponents(every, came_true=all(criterion.met for criterion in result.criteria))
        return Content(verdicts, sections, [*notes, *warned])
    if result is None:
        return Content([(notes[-1], False)], [], notes)
    units = f"n: {about.examples}; error: {about.error_text}; {about.m_text}"
    lead, _ = weighted_fits(result)[0]
    law = [*([Paragraph(units)] if about.m_text else []), *holdout.forecast_blocks(result)]
    flat = [(said, False) for said in holdout.flat_warnings(result)]
    return Content(
        [*flat, _verdict(lead)], [("The law, fitted to all cells", law)], [*notes, *result.warnings]
    )


def _exponents(law: Fit | AveragedFit, came_true: bool) -> list[tuple[str, bool]]:
    """Return the exponents of the law of all cells, and whether they can be trusted; [] without any."""
    lead, _ = weighted_fits(law)[0]
    names = {"n": lead.law.data_exponent_name, "m": lead.law.model_exponent_name}
    if isinstance(law, AveragedFit):
        found = {f"exponent of {name}": law.asymptotes[name] for name in names if name in law.asymptotes}
    else:
        known = {size: name for size, name in names.items() if name in lead.intervals and size in law.inputs}
        found = {f"{name} (exponent of {size})": lead.intervals[name] for size, name in known.items() if name}
    if not found:
        return []
    shown = ", ".join(f"{name} {interval}" for name, interval in found.items())
    if not lead.determined:
        return [(f"Law of all cells, not determined by them: {shown}.", False)]
    if not came_true:
        use = "The predictions of the held-out cells were not within the limits: use the intervals."
        return [(f"Law of all cells: {shown}. {use}", False)]
    return [(f"Law of all cells: {shown}.", all(interval.determined for interval in found.values()))]


def _law_of_all(law: Fit | AveragedFit, code: str, about: Quantities) -> list[Block]:
    """Return what a page says about the law that was fitted to all cells, the held-out cells included."""
    said = (
        "The same kind of law, fitted to all cells, the held-out cells included. Use these parameters to "
        "describe your cells and to predict larger cells. No cell is left to test this fit: the divergence "
        "of the held-out cells above shows how well such a fit predicts."
    )
    ax = law.plot()
    ax.set(ylabel=about.error_text)
    caption = (
        "The law of all cells: solid over the measured n of each curve, dashed elsewhere. Points: the runs. "
        f"{about.m_text}"
    )
    figure = Figure(ax, caption.strip(), f"ax = {code}.plot()\nax.set(ylabel={about.error_text!r})")
    return [Paragraph(said), figure, *holdout.forecast_blocks(law)]


def _verdict(found: Fit) -> tuple[str, bool]:
    """Return how well a law describes its fitted points, and whether its divergence is within the limits."""
    mean, std = DIVERGENCE_LIMITS["fitted"]
    met = abs(found.divergence_mean) <= mean and found.divergence_std <= std
    limits = f"{'within' if met else 'not within'} the limits of {mean:.0%} and {std:.0%}"
    law = type(found.law).__name__
    said = f"The {law} law describes the cells, divergence {holdout.divergence_text(found)}, {limits}."
    if not found.determined:
        return f"{said} These cells do not determine the law: do not rely on its intervals.", False
    return said, met
