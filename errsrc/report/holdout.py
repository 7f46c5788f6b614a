"""What a page says of a law that was fitted to small cells and compared with the large ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from errsrc import plots
from errsrc.fitting.holdouts import Holdout, JudgedCells
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import AveragedFit
from errsrc.laws.law import Array
from errsrc.report.page import Content, Figure, formula, page, paragraph, table


def holdout_page(
    title: str, result: Holdout, facts: Mapping[str, str], notes: Sequence[str] = (), commands: str = ""
) -> str:
    """Return the report of a law fitted to small cells and compared with the large ones.

    Parameters
    ----------
    title
        Of the page.
    result
        The fit and its judgement.
    facts
        {what: text}: what was run, on what data, where and when.
    notes
        What the reader must know beside the fit's own warnings, a sentence each.
    commands
        Those that make the page again.
    """
    warnings = [*notes, *result.forecast.warnings]
    return page(title, Content(verdicts(result), sections(result), warnings), facts, commands)


def verdict(result: Holdout) -> str:
    """Return a result's largest held-out cell in one sentence: the prediction beside its measured runs."""
    cells, k = result.held_out, result.largest
    predicted, ends, _ = cells.texts(k)
    low, high = cells.prediction.low[k], cells.prediction.high[k]
    runs = cells.runs[k]
    outside = int(((runs < low) | (runs > high)).sum())
    measured = _runs(runs, predicted)
    measured += f" in {len(runs)} runs" if "to" in measured else ""
    measured += f" ({outside} of {len(runs)} outside the interval)" if outside else ""
    sizes = ", ".join(f"{name} = {size}" for name, size in cells.sizes(k).items())
    return f"{sizes}: predicted {predicted} {ends}, measured {measured}."


def verdicts(result: Holdout) -> list[tuple[str, bool]]:
    """Return what became of a result's prediction: of the largest cell, and of all against the limits."""
    missed = [c for c in result.criteria if not c.met]
    if missed:
        beyond = ", ".join(f"{c.name} {c.value:.1%} where {c.limit:.0%} is the limit" for c in missed)
        said = f"The prediction is not within all limits: {beyond}."
    else:
        said = "The prediction came true: mean and spread of its divergence are within all limits."
    return [(verdict(result), not missed), (said, not missed)]


def sections(
    result: Holdout,
    code: str = "result",
    examples: str = "training examples",
    error: str = "test error",
    note: str = "",
) -> list[tuple[str, list[str | Figure]]]:
    """Return the sections of a page on a fit and its judgement.

    Parameters
    ----------
    result
        The fit and its judgement.
    code
        A Python expression for it.
    examples, error
        What n counts, and what the error is.
    note
        A sentence on m.
    """
    level = f"{result.held_out.prediction.level:.0%}"
    figures = []
    if set(result.fitted.inputs) == {"n", "m"}:
        caption = (
            f"{error.capitalize()} against {examples} n, a curve for each model size m. Filled: mean "
            "measured error of cells that the fit saw; open: of cells that it did not see (drawn side by "
            f"side). Bars: the predicted {level} interval for one new run. {note}"
        )
        ax, xlabel = plots.extrapolation(result), f"n, {examples}"
        ax.set(xlabel=xlabel, ylabel=error)
        lines = f"{_code('extrapolation', code)}\nax.set(xlabel={xlabel!r}, ylabel={error!r})"
        figures.append(Figure(ax, caption.strip(), lines))
    caption = "Relative divergence of the prediction from the measured mean of each cell; mean ± std."
    figures.append(Figure(plots.divergence(result), caption, _code("divergence", code)))
    caption = f"Predicted against measured error, with {level} intervals for one run. On the line they agree."
    figures.append(Figure(plots.parity(result), caption, _code("parity", code)))
    out: list[tuple[str, list[str | Figure]]] = [
        ("Against the limits", _criteria(result)),
        ("Held-out cells", [_cells(result.held_out)]),
        ("Figures", [*figures]),
    ]
    lead = result.forecast.members[0] if isinstance(result.forecast, AveragedFit) else result.forecast
    if isinstance(lead, Fit):
        out.append(("The law", [*law(lead)]))
    return [*out, ("Fitted cells", [_cells(result.fitted)])]


def law(lead: Fit) -> list[str]:
    """Return formula, units and parameters of a fit: an average's lead, or the only one."""
    units = [
        f"{k} is counted in units of {lead.law.reference(k):,.6g} ({field})."
        for k, field in lead.law.references.items()
    ]
    rows = []
    for parameter, value in lead.law.params.items():
        interval = lead.intervals.get(parameter)
        rows.append((parameter, f"{value:.4g}, held" if interval is None else str(interval)))
    levels = {interval.level for interval in lead.intervals.values()}
    header = ("parameter", " and ".join(f"{level:.0%}" for level in levels) + " interval")
    fitted = f"{type(lead.law).__name__}, fitted to {len(lead.error)} runs ({lead.objective})."
    starts = f"{lead.agreement:.0%} of {lead.starts} starts agree; condition number {lead.condition:.2g}."
    noise = "" if np.isnan(lead.seed_noise) else f"; noise between seeds {lead.seed_noise:.1%}"
    return [
        paragraph(f"{fitted} Divergence {divergence(lead)}{noise}. {starts}"),
        formula(rf"\varepsilon = {lead.law.latex()}", f"error = {lead.law.formula()}"),
        *([paragraph(" ".join(units))] if units else []),
        table(header, rows, words=(0, 1)),
    ]


def divergence(lead: Fit) -> str:
    """Return the mean and the standard deviation of the divergence of a fit, the lead, over its points."""
    return f"{_signed(lead.divergence_mean)} ± {lead.divergence_std:.1%}"


def _code(name: str, result: str) -> str:
    return f"ax = plots.{name}({result})"


def _signed(share: float) -> str:
    return f"{share:+.1%}".replace("-", "−")


def _runs(errors: Array, like: str) -> str:
    """Return single runs' errors, of more than 3 the range, with the decimals of the text `like`."""
    decimals = len(like.partition(".")[2])
    if len(errors) > 3:
        return f"{errors.min():.{decimals}f} to {errors.max():.{decimals}f}"
    return ", ".join(f"{e:.{decimals}f}" for e in errors)


def _criteria(result: Holdout) -> list[str | Figure]:
    """Return the two parts' divergences against the limits, as a table."""
    rows = []
    for k, (name, cells) in enumerate(result.parts.items()):
        mean, std = result.criteria[2 * k : 2 * k + 2]
        runs = sum(len(e) for e in cells.runs)
        noise = "" if np.isnan(cells.seed_noise) else f"{cells.seed_noise:.1%}"
        met = " and ".join(dict.fromkeys("met" if c.met else "missed" for c in (mean, std)))
        limits = f"|mean| ≤ {mean.limit:.0%}, std ≤ {std.limit:.0%}"
        figures = (_signed(cells.divergence_mean), f"{std.value:.1%}", limits, met, noise)
        rows.append((name, str(len(cells)), str(runs), *figures, f"{cells.coverage:.0%}"))
    level = f"{result.held_out.prediction.level:.0%}"
    names = ("part", "cells", "runs", "mean", "std", "limits", "criteria", "seed noise")
    explained = (
        "Mean and std are those of the relative divergence (predicted − measured) / measured over the cells, "
        "measured being the mean of a cell's runs. Seed noise is the standard deviation of ln error between "
        f"runs of one cell. The last column is the share of runs in their predicted {level} interval."
    )
    return [table((*names, f"in {level} interval"), rows, words=(0,)), paragraph(explained)]


def _cells(cells: JudgedCells) -> str:
    level = f"{cells.prediction.level:.0%} interval for one run"
    rows = []
    for k, off in enumerate(cells.divergence):
        predicted, ends, mean = cells.texts(k)
        rows.append(
            (*cells.sizes(k).values(), predicted, ends, mean, _runs(cells.runs[k], predicted), _signed(off))
        )
    return table((*cells.inputs, "predicted", level, "measured mean", "runs", "divergence"), rows)
