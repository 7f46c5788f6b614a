"""Pages about a law that was fitted to small networks and compared with larger networks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

import numpy as np

from errsrc import checks, plots
from errsrc.errors import NoAnswer
from errsrc.fitting.anomalies import FLAT
from errsrc.fitting.asymptotes import floor_of, floor_text
from errsrc.fitting.diagnostics import LARGEST_CONDITION
from errsrc.fitting.few_sizes import OpenLaw
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.holdouts import Criterion, Holdout, JudgedCells
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import weighted_fits
from errsrc.laws.law import Array, Law
from errsrc.report.page import Block, Content, Figure, Formula, Paragraph, Provenance, Table, page

HOLDOUT = checks.Instance(Holdout, "a Holdout, as errsrc.holdout(...) returns it")
"""The rule for arguments that are a fit with its predictions for held-out cells."""

EXPLAINED = "The section 'Against the limits' says where the limits come from."


@checks.arguments(result=HOLDOUT)
def holdout_page(
    title: str, result: Holdout, facts: Mapping[str, str], notes: Sequence[str] = (), commands: str = ""
) -> str:
    """Return an HTML page about a law that was fitted to small cells and compared with the larger cells.

    A cell is one size of network and data, with one or more runs.

    Parameters
    ----------
    title : str
        Title of the page.
    result : Holdout
        The fit, and its predictions for the larger cells.
    facts : mapping of str to str
        The text of each fact by its heading: what was run, on what data, where and when.
    notes : sequence of str
        Sentences that the reader must know, in addition to the warnings of the fit.
    commands : str
        Shell commands that make the page again.

    Returns
    -------
    str
        HTML that loads no other files.
    """
    content = Content(verdicts(result), sections(result), warnings_of_fitted(result))
    return page(content, Provenance(title, facts, notes, commands))


@checks.arguments(result=HOLDOUT)
def holdout_verdict(result: Holdout) -> str:
    """Return one sentence on the largest held-out cell: its predicted error, and the errors of its runs.

    A cell is one size of network and data, with one or more runs.

    Parameters
    ----------
    result : Holdout
        The fit, and its predictions for the held-out cells (sizes of network and data).

    Returns
    -------
    str
        The sentence.
    """
    cells, k = result.held_out, result.largest
    sizes, (predicted, ends, _) = cells.sizes(k), cells.texts(k)
    runs, outside = cells.runs[k], _outside(result)
    measured = _runs(runs, predicted)
    measured += f" in {len(runs)} runs" if "to" in measured else ""
    measured += f" ({outside} of {len(runs)} outside the interval)" if outside else ""
    cell = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    open_ = " (law not determined)" if not result.forecast.determined else ""
    return f"{cell}: predicted {predicted} {ends}{open_}, measured {measured}."


def verdicts(result: Holdout) -> list[tuple[str, bool]]:
    """Return the verdicts on a prediction: one for the largest held-out cell, and one for all cells.

    The relative divergence of a cell is (predicted - measured) / measured.  The verdict for all cells says
    whether the mean and the standard deviation of these divergences are within the limits of
    ``result.criteria``.

    Parameters
    ----------
    result : Holdout
        The fit, and its predictions for the held-out cells (sizes of network and data).

    Returns
    -------
    list of (str, bool)
        Pairs of a sentence and a flag.  The last pair is the verdict for all cells; its flag is True if all
        limits are met and the fitted cells determine the law.  The pair before is the verdict for the largest
        held-out cell; its flag is True if all runs of this cell lie in the interval for one run.  If the
        fitted cells do not determine the law,
        or if their error does not measurably fall, pairs with the flag False come first and say so.
    """
    open_ = [
        (text.replace("measured sizes", "sizes of the fitted cells", 1), False)
        for text in result.forecast.warnings
        if isinstance(text, OpenLaw)
    ]
    missed = [criterion for criterion in result.criteria if not criterion.met]
    if missed:
        beyond = ", ".join(f"{c.name} {c.value:.1%} (limit {c.limit:.0%})" for c in missed if c.testable)
        level, coverage = result.held_out.prediction.level, result.held_out.coverage
        said = " ".join(
            [
                f"The prediction is not within all limits{f': {beyond}' if beyond else ''}.",
                f"{coverage:.0%} of the held-out runs lie in their {level:.0%} intervals.",
                *untestable(missed),
                EXPLAINED,
            ]
        )
    elif not result.forecast.determined:
        said = (
            "The prediction is within the limits, but the law is not determined: the intervals are too wide "
            "to be a test."
        )
    else:
        said = "The prediction came true: mean and spread of its divergence are within all limits."
    flat = [(f"{_among(result)}: {text}", False) for text in flat_warnings(result.forecast)]
    came_true = not missed and result.forecast.determined
    return [*open_, *flat, (holdout_verdict(result), not _outside(result)), (said, came_true)]


def _outside(result: Holdout) -> int:
    """Return how many runs of the largest held-out cell lie outside the interval for one run."""
    prediction, k = result.held_out.prediction, result.largest
    runs = result.held_out.runs[k]
    return int(((runs < prediction.low[k]) | (runs > prediction.high[k])).sum())


def flat_warnings(forecast: Forecast) -> list[str]:
    """Return the warnings that the error does not measurably fall.

    Parameters
    ----------
    forecast : Forecast
        A fit, or an average of fits.
    """
    return [text for text in forecast.warnings if text.startswith(FLAT)]


def untestable(criteria: Sequence[Criterion]) -> list[str]:
    """Return a sentence if the noise between seeds alone exceeds the limits of some criteria.

    Parameters
    ----------
    criteria : sequence of Criterion
        The criteria of a prediction.

    Returns
    -------
    list of str
        The sentence; [] if there is none.
    """
    hidden = [c.name for c in criteria if not c.testable]
    if not hidden:
        return []
    limits = "This limit" if len(hidden) == 1 else "These limits"
    return [
        f"{limits} cannot be tested, because the noise between seeds alone is larger: {'; '.join(hidden)}. "
        "More seeds or more test images make the noise smaller."
    ]


def sections(
    result: Holdout,
    code: str = "result",
    examples: str = "training examples",
    error: str = "test error",
    note: str = "",
) -> list[tuple[str, list[Block]]]:
    """Return the sections of a page about a fit and its predictions.

    Parameters
    ----------
    result : Holdout
        The fit, and its predictions for the held-out cells (sizes of network and data).
    code : str
        A Python expression that gives `result`.  The code that is shown below the figures uses it.
    examples : str
        What n counts, such as "training examples".
    error : str
        What the error is, such as "test error".
    note : str
        A sentence about m, for the caption of the first figure.

    Returns
    -------
    list of (str, list of Block)
        Pairs of a heading and the blocks of the section.
    """
    out: list[tuple[str, list[Block]]] = [
        ("Against the limits", _against_limits(result)),
        ("Held-out cells", [_cells(result.held_out)]),
        ("Figures", _figures(result, code, examples, error, note)),
    ]
    if weighted_fits(result.forecast):
        out.append(("The law of the fitted cells", forecast_blocks(result.forecast)))
    return [*out, ("Fitted cells", [_cells(result.fitted)])]


def warnings_of_fitted(result: Holdout) -> list[str]:
    """Return the warnings of the fit, each with the sizes of the cells that the fit is about.

    Parameters
    ----------
    result : Holdout
        The fit, and its predictions for the held-out cells (sizes of network and data).

    Returns
    -------
    list of str
        The sentences, such as "Among the fitted cells (n <= 60): The error does not ...".
    """
    return [f"{_among(result)}: {said}" for said in result.forecast.warnings]


def _among(result: Holdout) -> str:
    """Return the beginning of a sentence that is about the fitted cells, with their largest sizes."""
    sizes = ", ".join(f"{name} ≤ {x.max():,.6g}" for name, x in result.fitted.inputs.items())
    return f"Among the fitted cells ({sizes})"


def forecast_blocks(forecast: Forecast) -> list[Block]:
    """Return blocks that describe a law, or an average of laws.

    Parameters
    ----------
    forecast : Forecast
        A fit, or an average of fits.

    Returns
    -------
    list of Block
        The blocks of `law_blocks`.  For an average, they are about the law with the largest weight, and a
        paragraph before them has the weights and the exponents of the average.
    """
    fits = weighted_fits(forecast)
    about = [Paragraph(f"Average of laws: {forecast.headline()}. Below: the first.")] if len(fits) > 1 else []
    return [*about, *law_blocks(fits[0][0])]


def _figures(result: Holdout, code: str, examples: str, error: str, note: str) -> list[Block]:
    level = f"{result.held_out.prediction.level:.0%}"
    figures: list[Block] = []
    if set(result.fitted.inputs) == {"n", "m"}:
        caption = (
            f"{error.capitalize()} against {examples} n, one curve per model size m. Filled: mean "
            "measured error of the cells that the law was fitted to. Open: mean measured error of the "
            "held-out cells (drawn side by side). Bars: the predicted "
            f"{level} interval for one new run. {note}"
        )
        ax, xlabel = plots.extrapolation(result), f"n, {examples}"
        ax.set(xlabel=xlabel, ylabel=error)
        lines = f"ax = plots.extrapolation({code})\nax.set(xlabel={xlabel!r}, ylabel={error!r})"
        figures.append(Figure(ax, caption.strip(), lines))
    caption = "Relative divergence of the prediction from the measured mean of each cell; mean ± std."
    figures.append(Figure(plots.divergence(result), caption, f"ax = plots.divergence({code})"))
    caption = f"Predicted against measured error, with {level} intervals for one run. On the line they agree."
    figures.append(Figure(plots.parity(result), caption, f"ax = plots.parity({code})"))
    return figures


def law_blocks(lead: Fit) -> list[Block]:
    """Return blocks that describe a fit: its quality, the formula, the units and the parameters.

    Parameters
    ----------
    lead : Fit
        The fit.  If several fits are averaged, pass the fit with the largest weight.

    Returns
    -------
    list of Block
        A paragraph if the sizes do not determine the law, a paragraph about the quality of the fit, the
        formula, a paragraph about units if there are any, a table of parameters, and the best fit if the
        table has parameters without an estimate.
    """
    units = [
        f"{size} is counted in units of {lead.law.reference(size):,.6g} ({field})."
        for size, field in lead.law.references.items()
    ]
    meanings = parameter_meanings(type(lead.law))
    rows = [
        (_named(lead.law, name), lead.parameter_text(name), meanings.get(name, ""))
        for name in lead.law.params
    ]
    levels = {interval.level for interval in lead.intervals.values()}
    if levels and (floor := _floor_text(lead, max(levels))):
        rows.append(("floor", floor, "The error at very large sizes."))
    header = ("parameter", f"value [{' and '.join(f'{level:.0%}' for level in levels)} interval]", "meaning")
    fitted = f"{type(lead.law).__name__}, fitted to {len(lead.error)} runs (objective: {lead.objective})."
    starts = f"{lead.agreement:.0%} of {lead.starts} random starts of the fit end at this optimum."
    if lead.condition > LARGEST_CONDITION:
        starts += (
            f" The condition number is {lead.condition:.2g}, above {LARGEST_CONDITION:.0e}: the runs "
            "determine only combinations of some parameters."
        )
    noise = "" if np.isnan(lead.seed_noise) else f", and the noise between seeds {lead.seed_noise:.1%}"
    over_runs = "Over the runs, the divergence, (predicted − measured) / measured, is"
    divergence = f"{over_runs} {divergence_text(lead)}{noise}."
    open_ = "These cells do not determine this law: do not rely on the intervals below."
    values = ", ".join(f"{name} = {value:.3g}" for name, value in lead.law.params.items())
    said = f"The figures show the best fit, {values}. Where the table has a bound, other values fit as well."
    best = [] if all(one.determined for one in lead.intervals.values()) else [Paragraph(said)]
    return [
        *([] if lead.determined else [Paragraph(open_)]),
        Paragraph(f"{fitted} {divergence} {starts}"),
        Formula(rf"\varepsilon = {lead.law.latex()}", f"error = {lead.law.formula()}"),
        *([Paragraph(" ".join(units))] if units else []),
        Table(header, rows, words=(0, 1, 2)),
        *best,
    ]


def parameter_meanings(law: type[Law]) -> dict[str, str]:
    """Return what each parameter of a law means, from the docstring of its class.

    Parameters
    ----------
    law : type of Law
        The class of the law.

    Returns
    -------
    dict of str to str
        The meanings by name; parameters without a line in the docstring are left out.
    """
    text = inspect.getdoc(law) or ""
    found = re.findall(r"^([\w, ]+) : float\n((?:    .+\n?)+)", text, re.MULTILINE)
    return {
        name: " ".join(meaning.split()) for names, meaning in found for name in re.split(", ", names.strip())
    }


def _floor_text(lead: Fit, level: float) -> str:
    """Return the limit of a law's error as its sizes grow, as `plan` states it.

    The text is empty if the law has no limit, or if the limit is a parameter of the law.
    """
    is_parameter = any(p.unit == (("error", 1),) and not p.log for p in lead.law.parameters())
    if is_parameter or not {"n", "m"} >= set(lead.law.inputs):
        return ""
    try:
        return floor_text(floor_of(lead, level), lead.determined)
    except NoAnswer:
        return ""


def _named(law: Law, parameter: str) -> str:
    """Return the name of a parameter; for the exponents of a law in n and m, also the input."""
    if {"n", "m"} <= set(law.inputs):
        for name, size in ((law.data_exponent_name, "n"), (law.model_exponent_name, "m")):
            if name == parameter:
                return f"{parameter} (exponent of {size})"
    return parameter


def divergence_text(lead: Fit) -> str:
    """Return the mean and the standard deviation of (predicted - measured) / measured over a fit's points.

    Parameters
    ----------
    lead : Fit
        The fit.

    Returns
    -------
    str
        The two numbers as text, such as "+0.1% ± 1.3%".
    """
    return f"{_signed(lead.divergence_mean)} ± {lead.divergence_std:.1%}"


def _signed(share: float) -> str:
    return f"{share:+.1%}".replace("-", "−")


def _runs(errors: Array, like: str) -> str:
    """Return the errors of runs as text (more than 3: their range), with as many decimals as `like`."""
    decimals = len(like.partition(".")[2])
    if len(errors) > 3:
        return f"{errors.min():.{decimals}f} to {errors.max():.{decimals}f}"
    return ", ".join(f"{error:.{decimals}f}" for error in errors)


def _against_limits(result: Holdout) -> list[Block]:
    """Return the divergences of fitted and held-out cells against their limits, as a table."""
    rows = []
    for k, (name, cells) in enumerate(result.parts.items()):
        mean, std = result.criteria[2 * k : 2 * k + 2]
        runs = sum(len(errors) for errors in cells.runs)
        noise = "one seed: not estimated" if np.isnan(cells.seed_noise) else f"{cells.seed_noise:.1%}"
        verdicts = ["met" if c.met else "missed" for c in (mean, std)]
        met = f"mean {verdicts[0]}, std {verdicts[1]}" if len(set(verdicts)) > 1 else verdicts[0]
        limits = f"|mean| ≤ {mean.limit:.0%}, std ≤ {std.limit:.0%}"
        figures = (_signed(cells.divergence_mean), f"{std.value:.1%}", limits, met, noise)
        rows.append((name, str(len(cells)), str(runs), *figures, f"{cells.coverage:.0%}"))
    level = f"{result.held_out.prediction.level:.0%}"
    names = ("part", "cells", "runs", "mean", "std", "limits", "criteria", "seed noise")
    explained = (
        "Mean and std are those of the relative divergence (predicted − measured) / measured over the cells; "
        "measured is the mean of a cell's runs. Seed noise is the standard deviation of ln error between "
        f"the runs of one cell. The last column is the share of runs in their predicted {level} interval."
    )
    origin = (
        "The limits come from Rosenfeld et al. 2020 (arXiv 1909.12673). For fitted cells, they report a mean "
        "under 1% and a std under 5%. For ImageNet, extrapolated from at most 1/8 of the data and 1/16 of "
        "the model, they report 4.5 ± 4.7%; the limits for held-out cells are a little wider."
    )
    return [
        Table((*names, f"in {level} interval"), rows, words=(0, 5, 6, 7)),
        *(Paragraph(text) for text in untestable(result.criteria)),
        Paragraph(explained),
        Paragraph(origin),
    ]


def _cells(cells: JudgedCells) -> Table:
    """Return a table of cells: predicted and measured errors."""
    level = f"{cells.prediction.level:.0%} interval for one run"
    rows = []
    for k, off in enumerate(cells.divergence):
        sizes, (predicted, ends, mean) = cells.sizes(k), cells.texts(k)
        runs = _runs(cells.runs[k], predicted)
        rows.append((*sizes.values(), predicted, ends, mean, runs, _signed(off)))
    return Table(
        (*cells.inputs, "predicted", level, "measured mean", "error of each run", "divergence"), rows
    )
