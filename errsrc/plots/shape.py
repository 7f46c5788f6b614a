"""Figures of the shape of a learning curve: its local exponents, and the candidate laws fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from errsrc import checks
from errsrc.checks import Instance
from errsrc.curves.rises import CurveChange
from errsrc.curves.verdicts import CurveShape
from errsrc.plots.style import (
    DASHED,
    FITTED,
    GREEN,
    GREY,
    HELD_OUT,
    INK,
    STYLE,
    axes,
    legend_right,
    log,
    logarithmic,
)
from errsrc.results import Interval

COLOURS = {"power law": FITTED, "bend": GREEN, "cliff": HELD_OUT}
"""The colour of each family of candidates; candidates with a floor are dashed."""

LEVELS = {"bend": "before the bend", "cliff": "before the cliff", "plateau then fall": "on the plateau"}
"""Where the exponent of a verdict holds."""
TURNS = {"plateau then fall": "end of the plateau"}
"""What lies at the threshold of a verdict, if the verdict does not say it."""

SHAPE = Instance(CurveShape, "a CurveShape, as errsrc.curve_shape returns it")
"""The rule of arguments that are the shape of a curve."""


@checks.arguments(shape=SHAPE)
def local_exponents(shape: CurveShape, ax: Axes | None = None) -> Axes:
    """Draw -d ln e / d ln n between successive n, with intervals.

    The horizontal line and its band are the exponent of the verdict.  The vertical line is the n at which the
    curve bends, falls off, has its peak or dip, or leaves its plateau.  If the error at the larger n is 0, an
    arrow starts at the lower bound of the exponent.  If the verdict is a power law with a floor, the
    exponents of the error above the floor are drawn, too.

    Parameters
    ----------
    shape : CurveShape
        The shape of a curve with two or more different n, and with an error above 0 at one or more of them.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the shape has no local exponents.
    """
    if not shape.local_exponents:
        accepted = "of two or more cells, one above zero"
        raise ValueError(checks.refusal("shape", "local_exponents", accepted, f"<{len(shape.n)} cells>"))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 3.6)
        middles = np.sqrt(shape.n[1:] * shape.n[:-1])[: len(shape.local_exponents)]
        _exponents(ax, middles, shape.local_exponents, INK, "of the whole error" if shape.floor else None)
        _exponents(ax, middles * 1.04, shape.exponents_above_floor, FITTED, "of the error above the floor")
        if np.isfinite([shape.exponent.low, shape.exponent.high]).all():
            what = LEVELS.get(shape.verdict, "above the floor" if shape.floor else "of all cells")
            turn = None if shape.changes else shape.threshold
            end = shape.n[-1] if turn is None else turn.estimate
            _level(ax, shape.exponent, (shape.n[0], end), FITTED, f"{what}: {shape.exponent}")
            after = shape.exponent_after
            if after is not None and np.isfinite([after.low, after.high]).all():
                _level(ax, after, (end, shape.n[-1]), COLOURS["bend"], f"after it: {after}")
        _threshold(ax, shape)
        ax.set(xlabel="n, training examples", ylabel="local exponent, −d ln e / d ln n", title=shape.verdict)
        ax.set_xlim(0.85 * shape.n[0], shape.n[-1] / 0.85)
        logarithmic(ax, "x")
        bottom, top = ax.get_ylim()
        if top > 10:  # an exponent into zero, far above the others
            ax.set_yscale("symlog", linthresh=1)
            ax.set_ylim(min(0.0, bottom), 2 * top)
            ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
        if ax.get_legend_handles_labels()[0]:
            legend_right(ax)
        return ax


@checks.arguments(shape=SHAPE)
def candidates(shape: CurveShape, ax: Axes | None = None) -> Axes:
    """Draw the cells of a learning curve, and each fitted candidate law with its score on held-out cells.

    A cell is the set of all runs with the same n.  The error of a cell is drawn with its interval.  A cell
    with an error of 0 is an open triangle at the bottom.
    The significant rises and falls of a peak, a dip or a rise are arrows.

    Parameters
    ----------
    shape : CurveShape
        The shape of a curve with at least one error above 0.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If all errors are 0.
    """
    above = shape.error > shape.zero
    if not above.any():
        accepted = "with a cell above zero"
        raise ValueError(checks.refusal("shape", "candidates", accepted, f"<{len(shape.n)} cells at zero>"))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.4, 4.0)
        n, error = shape.n[above], shape.error[above]
        grid = np.geomspace(n.min(), n.max(), 300)
        best = max(shape.scores.values(), default=0.0)
        for name in sorted(shape.laws, key=lambda one: -shape.scores[one]):
            style: dict[str, Any] = {"color": COLOURS[name.partition(",")[0]]}
            if "floor" in name:
                style["linestyle"] = DASHED
            behind = shape.scores[name] - best
            label = f"{name}: {behind:+.1f} nats" if behind < -0.05 else name
            ax.plot(grid, shape.laws[name].error(n=grid), label=label.replace("-", "−"), **style)
        low, high = shape.low[above], shape.high[above]
        known = np.isfinite(high)
        spread = np.abs(np.stack([low, high]) - error)[:, known]
        ax.errorbar(
            n[known],
            error[known],
            spread,
            fmt="none",
            ecolor=INK,
            elinewidth=1.2,
            capsize=2.5,
            zorder=3,
        )
        ax.plot(n, error, "o", color=INK, markersize=4, label="measured", zorder=4)
        bottom, top = 0.7 * error.min(), 1.4 * error.max()
        if not above.all():
            bottom = error.min() / 10
            zeros = np.full((~above).sum(), 1.4 * bottom)
            style = {"color": INK, "markerfacecolor": "white", "markersize": 6}
            ax.plot(shape.n[~above], zeros, "v", label=f"0 (at most {shape.zero:.2g})", **style)
        _threshold(ax, shape)
        for one in shape.changes:
            _arrow(ax, one, bottom)
        ax.set(xlabel="n, training examples", ylabel="error", ylim=(bottom, top), title=shape.verdict)
        legend_right(ax)
        return log(ax)


def _exponents(
    ax: Axes, middles: NDArray[np.float64], exponents: Sequence[Interval], color: str, label: str | None
) -> None:
    """Draw local exponents with their intervals."""
    for n, one in zip(middles, exponents, strict=False):
        if np.isinf(one.high) and np.isfinite(one.low):
            ax.plot(n, one.low, marker=r"$\uparrow$", color=color, markersize=9)
        elif np.isfinite(one.low):
            ax.errorbar(
                n,
                one.estimate,
                [[one.estimate - one.low], [one.high - one.estimate]],
                fmt="o",
                color=color,
                markersize=4,
                elinewidth=1.2,
                capsize=2.5,
                label=label,
            )
            label = None  # one line of the legend for all
        else:
            ax.plot(n, one.estimate, "o", color=color, markersize=4, markerfacecolor="white")


def _arrow(ax: Axes, change: CurveChange, bottom: float) -> None:
    """Draw an arrow from one end of a significant rise or fall to the other."""
    rising = change.deviations > 0
    ends = [(change.n, max(change.error, bottom)), (change.n_after, max(change.error_after, bottom))]
    color = HELD_OUT if rising else FITTED
    style = {"arrowstyle": "-|>", "color": color, "linewidth": 1.6, "shrinkA": 4, "shrinkB": 4}
    ax.annotate("", xy=ends[1], xytext=ends[0], arrowprops=style, zorder=5)
    what = f"{'rise' if rising else 'fall'}: {abs(change.deviations):.3g} standard errors"
    ax.plot([], [], color=color, linewidth=1.6, label=what)


def _level(ax: Axes, interval: Any, over: tuple[float, float], color: str, label: str) -> None:
    """Draw an interval as a line with its band over a range of n."""
    ax.fill_between(over, interval.low, interval.high, color=color, alpha=0.16, linewidth=0)
    ax.plot(over, [interval.estimate] * 2, color=color, label=label)


def _threshold(ax: Axes, shape: CurveShape) -> None:
    """Draw where the curve bends, falls off, turns or leaves its plateau, with its interval."""
    one = shape.threshold
    if one is None:
        return
    if np.isfinite([one.low, one.high]).all() and one.low > 0:
        ax.axvspan(one.low, one.high, color=GREY, alpha=0.14, linewidth=0)
    ax.axvline(
        one.estimate,
        color=GREY,
        linewidth=1.0,
        label=f"{TURNS.get(shape.verdict, shape.verdict)} at n = {one}",
    )
