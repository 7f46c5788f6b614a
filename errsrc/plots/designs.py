"""The figure of a design: which runs to make next, in their order."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from errsrc import checks
from errsrc.checks import Instance
from errsrc.fitting.designs import Design
from errsrc.laws.law import Array
from errsrc.plots.drawing import draw
from errsrc.plots.labels import error_label, size_label
from errsrc.plots.style import BLUE, INK, SILVER, STYLE, VERMILION, axes, legend_right, log

LARGEST_MARK = 170.0
"""Area of the mark of the first run, in square points; later runs have smaller marks."""


@draw.register
@checks.arguments(result=Instance(Design, "a Design, as errsrc.design returns it"))
def next_runs(result: Design, ax: Axes | None = None) -> Axes:
    """Draw the chosen runs over n and m, numbered in their order; the first run has the largest mark.

    Dots mark the candidates, and crosses mark the measured runs.  A star marks the run whose error is to be
    predicted.  For a law in n alone, the vertical axis is the predicted error.

    Parameters
    ----------
    result : Design
        A design.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    fit = result.forecast
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.6)
        ax.scatter(*_places(result, result.candidates), s=7, color=SILVER, label="candidate", zorder=2)
        measured: Any = {"marker": "x", "s": 28, "linewidths": 1.0, "color": INK, "zorder": 3}
        ax.scatter(*_places(result, fit.inputs), **measured, label="measured")
        if result.runs:
            x, y = _places(result, result.columns())
            sizes = np.linspace(LARGEST_MARK, LARGEST_MARK / 2.5, max(len(result.runs), 2))[: len(x)]
            marks: Any = {"color": BLUE, "edgecolors": "white", "linewidths": 0.6, "zorder": 4}
            ax.scatter(x, y, s=sizes, **marks, label="to run, in this order")
            for number, place in enumerate(zip(x.tolist(), y.tolist(), strict=True), 1):
                text: Any = {"ha": "center", "va": "center", "color": "white", "fontsize": 7, "zorder": 5}
                ax.annotate(str(number), place, **text)
        if result.asked:
            star: Any = {"marker": "*", "s": 120, "color": VERMILION, "zorder": 3}
            asked = {name: np.array([value]) for name, value in result.asked.items()}
            ax.scatter(*_places(result, asked), **star, label="asked for")
        ylabel = size_label(fit, "m") if "m" in result.candidates else error_label(fit)
        ax.set(xlabel=size_label(fit, "n"), ylabel=ylabel)
        before, after = (
            result.width_text(width) for width in (result.half_widths[0], result.half_widths[-1])
        )
        ax.set_title(f"{result.question}\n{before} now, {after} after these runs")
        legend_right(ax)
        return log(ax)


def _places(result: Design, columns: Any) -> tuple[Array, Array]:
    """Return n and m of each run; for a law in n alone, n and the error that the fit predicts."""
    n = np.asarray(columns["n"])
    if "m" in result.candidates:
        return n, np.asarray(columns["m"])
    return n, np.exp(result.forecast.curves(n=n)[0])
