"""One self-contained page: HTML that opens offline, figures and all, with every text escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
import sympy
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from errsrc import plots
from errsrc.laws.averaging import Average
from errsrc.laws.fitting import Fit
from errsrc.laws.holdout import Holdout
from errsrc.laws.law import Array

CSS = """\
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  color: #1c1c1c; background: white; max-width: 54rem; margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .8rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid #ccc; }
.lead { font-size: 1.2rem; border-left: 4px solid #0072b2; padding: .1rem 0 .1rem .9rem; margin: 1rem 0; }
.no { border-left-color: #d55e00; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; margin: .6rem 0; }
th, td { padding: .18rem .8rem .18rem 0; text-align: right; vertical-align: top; }
th { border-bottom: 1.5px solid #444; font-weight: 600; }
td { border-bottom: 1px solid #e8e8e8; }
th.word, td.word { text-align: left; }
figure { margin: 1.2rem 0; break-inside: avoid; }
figure img { max-width: 100%; }
figcaption { font-size: .88rem; color: #444; max-width: 44rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .88rem; }
pre { background: #f5f5f5; padding: .7rem .9rem; overflow-x: auto; }
img.formula { display: block; margin: 1rem 0; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  tr { break-inside: avoid; } thead { display: table-header-group; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole HTML document; `parts` are HTML already (`heading`, `paragraph`, `table`, `figure`)."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{CSS}</style>\n'
        f"</head>\n<body>\n<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """Return a section's heading."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, look: str = "") -> str:
    """Return a paragraph of plain text; `look` is "", "lead" or "lead no"."""
    return f'<p class="{look}">{escape(text)}</p>' if look else f"<p>{escape(text)}</p>"


def listing(sentences: Sequence[str]) -> str:
    """Return a list of sentences."""
    return "<ul>\n" + "\n".join(f"<li>{escape(s)}</li>" for s in sentences) + "\n</ul>"


def code(text: str) -> str:
    """Return lines of code or of a shell."""
    return f"<pre>{escape(text)}</pre>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[int] = ()) -> str:
    """Return a table of texts; the columns numbered in `words` are set flush left, the others right."""

    def cells(kind: str, row: Sequence[str]) -> str:
        look = [' class="word"' if k in words else "" for k in range(len(row))]
        return "".join(f"<{kind}{c}>{escape(x)}</{kind}>" for c, x in zip(look, row, strict=True))

    head = f"<thead><tr>{cells('th', header)}</tr></thead>\n" if header else ""
    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>\n{head}<tbody>\n{body}\n</tbody>\n</table>"


def figure(ax: Axes, caption: str) -> str:
    """Return a figure, inlined, with its caption."""
    caption = escape(caption)
    image = f'<img src="{_data(plots.svg(ax))}" alt="{caption}">'
    return f"<figure>\n{image}\n<figcaption>{caption}</figcaption>\n</figure>"


def formula(expression: sympy.Expr) -> str:
    """Return an expression, set as mathematics and inlined as a picture."""
    buffer = io.BytesIO()
    math_to_image(
        f"${sympy.latex(expression)}$",
        buffer,
        prop=FontProperties(size=17, math_fontfamily="cm"),
        format="svg",
    )
    return f'<img class="formula" src="{_data(buffer.getvalue())}" alt="{escape(str(expression))}">'


def _data(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def verdict(result: Holdout) -> str:
    """Return the largest held-out cell's prediction beside its measured runs, in one sentence."""
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


def _runs(errors: Array, like: str) -> str:
    """Return single runs' errors, of more than 3 the range, with the decimals of the text `like`."""
    decimals = len(like.partition(".")[2])
    if len(errors) > 3:
        return f"{errors.min():.{decimals}f} to {errors.max():.{decimals}f}"
    return ", ".join(f"{e:.{decimals}f}" for e in errors)


def holdout_page(
    title: str, result: Holdout, facts: Mapping[str, str], notes: Sequence[str] = (), reproduce: str = ""
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
    reproduce
        The commands that make the page again.
    """
    parts = [*_verdict(result), heading("Held-out cells"), _held_out(result), heading("Figures")]
    level = f"{result.held_out.prediction.level:.0%}"
    if set(result.fitted.inputs) == {"n", "m"}:
        caption = (
            "Test error against training examples n, a curve for each model size m. Filled: mean measured "
            "error of cells that the fit saw; open: of cells that it did not see (drawn side by side). "
            f"Bars: the predicted {level} interval for one new run."
        )
        parts.append(figure(plots.extrapolation(result), caption))
    caption = "Relative divergence of the prediction from the measured mean of each cell; mean ± std."
    parts.append(figure(plots.divergence(result), caption))
    caption = f"Predicted against measured error, with {level} intervals for one run. On the line they agree."
    parts.append(figure(plots.parity(result), caption))
    lead = result.forecast.members[0] if isinstance(result.forecast, Average) else result.forecast
    if isinstance(lead, Fit):
        parts += [heading("The law"), *_law(lead)]
    sentences = [*notes, *result.forecast.warnings]
    parts += [heading("Warnings"), listing(sentences) if sentences else paragraph("None.")]
    parts += [heading("What was run"), table((), list(facts.items()), words=(0, 1))]
    if reproduce:
        parts += [heading("How to make this page again"), code(reproduce)]
    return page(title, parts)


def _verdict(result: Holdout) -> list[str]:
    missed = [c for c in result.criteria if not c.met]
    if missed:
        beyond = ", ".join(f"{c.name} {c.value:.1%} where {c.limit:.0%} is the limit" for c in missed)
        said = f"The prediction is not within all limits: {beyond}."
    else:
        said = "The prediction came true: mean and spread of its divergence are within all limits."
    rows = []
    for k, (name, cells) in enumerate(result.parts.items()):
        mean, std = result.criteria[2 * k : 2 * k + 2]
        runs = sum(len(e) for e in cells.runs)
        noise = "" if np.isnan(cells.seed_noise) else f"{cells.seed_noise:.1%}"
        signed = f"{cells.divergence_mean:+.1%}".replace("-", "−")
        met = " and ".join(dict.fromkeys("met" if c.met else "missed" for c in (mean, std)))
        limits = f"|mean| ≤ {mean.limit:.0%}, std ≤ {std.limit:.0%}"
        figures = (signed, f"{std.value:.1%}", limits, met, noise, f"{cells.coverage:.0%}")
        rows.append((name, str(len(cells)), str(runs), *figures))
    level = f"{result.held_out.prediction.level:.0%}"
    header = (
        "part",
        "cells",
        "runs",
        "mean",
        "std",
        "limits",
        "criteria",
        "seed noise",
        f"in {level} interval",
    )
    explained = (
        "Mean and std are those of the relative divergence (predicted − measured) / measured over the cells, "
        "measured being the mean of a cell's runs. Seed noise is the standard deviation of ln error between "
        f"runs of one cell. The last column is the share of runs in their predicted {level} interval."
    )
    look = "lead no" if missed else "lead"
    return [
        paragraph(verdict(result), look),
        paragraph(said),
        table(header, rows, words=(0,)),
        paragraph(explained),
    ]


def _held_out(result: Holdout) -> str:
    cells = result.held_out
    level = f"{cells.prediction.level:.0%} interval for one run"
    rows = []
    for k, divergence in enumerate(cells.divergence):
        predicted, ends, mean = cells.texts(k)
        runs = _runs(cells.runs[k], predicted)
        delta = f"{divergence:+.1%}".replace("-", "−")
        rows.append((*cells.sizes(k).values(), predicted, ends, mean, runs, delta))
    return table((*cells.inputs, "predicted", level, "measured mean", "runs", "divergence"), rows)


def _law(lead: Fit) -> list[str]:
    """Return formula, units and parameters of one fit."""
    law = lead.law
    name = type(law).__name__
    units = [
        f"{k} is counted in units of {law.reference(k):,.6g} ({field})."
        for k, field in law.references.items()
    ]
    rows = []
    for parameter, value in law.params.items():
        interval = lead.intervals.get(parameter)
        rows.append((parameter, f"{value:.4g}, held" if interval is None else str(interval)))
    levels = {interval.level for interval in lead.intervals.values()}
    header = ("parameter", " and ".join(f"{level:.0%}" for level in levels) + " interval")
    starts = f"{lead.agreement:.0%} of {lead.starts} starts agree; condition number {lead.condition:.2g}."
    return [
        paragraph(f"{name}, fitted to {len(lead.error)} runs ({lead.objective}). {starts}"),
        formula(sympy.Eq(sympy.Symbol("error"), law.formula(), evaluate=False)),
        *([paragraph(" ".join(units))] if units else []),
        table(header, rows, words=(0, 1)),
    ]
