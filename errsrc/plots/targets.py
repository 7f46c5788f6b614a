"""The figure of a run with a goal: the interval of its answer over the computed cells."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from errsrc import checks
from errsrc.checks import Instance
from errsrc.fitting.targets import TargetedRun
from errsrc.plots.drawing import draw
from errsrc.plots.labels import wrapped
from errsrc.plots.style import BLUE, INK, STYLE, VERMILION, axes, legend_right


@draw.register
@checks.arguments(result=Instance(TargetedRun, "a TargetedRun, as errsrc.run_until returns it"))
def narrowing(result: TargetedRun, ax: Axes | None = None) -> Axes:
    """Draw the answer and its interval after each step, against the number of finished cells.

    Two lines around the last answer show the interval that the run aimed at.

    Parameters
    ----------
    result : TargetedRun
        The outcome of a run with a goal.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    columns = result.columns()
    known = np.isfinite(columns["answer"])
    cells, answer, low, high = (columns[name][known] for name in ("cells", "answer", "low", "high"))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.2)
        bars = np.maximum([answer - low, high - answer], 0.0)
        bars = np.where(np.isfinite(bars), bars, 0.0)
        mark: Any = {"marker": "o", "markersize": 4, "linewidth": 1.0, "capsize": 3, "color": BLUE}
        ax.errorbar(cells, answer, yerr=bars, **mark, label="answer, with its interval")
        if len(answer):
            by = (
                np.exp([-result.until, result.until]) if result.relative else np.array([-1, 1]) * result.until
            )
            ends = answer[-1] * by if result.relative else answer[-1] + by
            line: Any = {"linestyle": "--", "linewidth": 1.0, "color": VERMILION}
            ax.axhline(ends[0], **line, label="asked for")
            ax.axhline(ends[1], **line)
        elif len(columns["cells"]):
            ax.text(0.5, 0.5, "no answer", transform=ax.transAxes, ha="center", color=INK)
        ax.set(xlabel=f"finished cells, of {result.cells:,}", ylabel=result.question)
        ax.set_title(wrapped(result.reason))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_right(ax)
        return ax
