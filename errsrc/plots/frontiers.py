"""Figures of compute-optimal sizes: isoFLOP curves, and optimal sizes against the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from errsrc import checks
from errsrc.checks import Instance
from errsrc.errors import NoAnswer
from errsrc.fitting.approaches import ComputeOptimal, law_frontier
from errsrc.fitting.envelopes import TrainingEnvelope
from errsrc.fitting.frontiers import Frontier
from errsrc.fitting.isoflops import IsoFlop, IsoFlopGroup
from errsrc.laws.law import Array
from errsrc.plots.drawing import draw
from errsrc.plots.style import (
    BLUE,
    DASHED,
    GREEN,
    GREY,
    INK,
    STYLE,
    VERMILION,
    ShownAxes,
    at_edges,
    axes,
    legend_below,
    log,
    power_of_ten,
)
from errsrc.results import Interval, equation

POINTS = 30
"""Number of budgets of the lines and bands of optimal sizes."""
COMPUTE = "compute C (flops)"
"""Label of the axis of budgets in operations."""
STAR: dict[str, Any] = {"markersize": 10, "mfc": "none", "mew": 1.3}
"""Style of the optima of single budgets: open stars, which hide no run."""
NAMED_BUDGETS = 3
"""Largest number of budgets whose optimal sizes the legend states; of more budgets, it states the largest."""
SHOWN_BUDGETS = 8
"""Largest number of budgets in the legend of isoFLOP curves."""


@draw.register
@checks.arguments(result=Instance(IsoFlop, "an IsoFlop, as errsrc.isoflop returns it"))
def isoflop_curves(
    result: IsoFlop, ax: Axes | None = None, *, columns: Mapping[str, str] | None = None
) -> Axes:
    """Draw the runs of each budget against the model size, with the fitted parabola and its minimum.

    An open star marks each minimum.  The bar of the star is the interval of the optimal model size.  Budgets
    that the line through the minima leaves out have open marks, joined by thin lines.  Runs that the
    parabolas leave out are crosses in the colour of their budget.  Crosses at the upper end of the axis stand
    for larger errors, which are written next to them.

    Parameters
    ----------
    result : IsoFlop
        An isoFLOP table.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    columns : dict of str to str, optional
        Labels of the axes; the keys are "m" and "error".
    """
    names = {"m": "m, model size", "error": "error"} | dict(columns or {})
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.6, 5.4)
        colors = mpl.colormaps["viridis"](np.linspace(0.0, 0.86, len(result.groups)))
        handles = []
        shown = _evenly(range(len(result.groups)), SHOWN_BUDGETS)
        for k, (group, own) in enumerate(zip(result.groups, colors, strict=True)):
            color: Any = own
            used = group.used
            m, error = group.m[used], group.error[used]
            if group.excluded:
                order = np.argsort(m)
                ax.plot(m[order], error[order], color=color, linewidth=0.6, zorder=1)
                ax.plot(m, error, "o", color=color, mfc="white", markersize=4.5, zorder=3)
            else:
                ax.plot(m, error, "o", color=color, markersize=4.5, zorder=3)
                smallest, largest = float(group.m[used].min()), float(group.m[used].max())
                grid = np.geomspace(smallest, largest, 80)
                ax.plot(grid, group.curve(grid), color=color, linewidth=1.2, zorder=2)
                best = group.m_optimal
                y = group.lowest_error.estimate
                spread = np.abs(np.clip([[best.low], [best.high]], smallest, largest) - best.estimate)
                bar: dict[str, Any] = {"fmt": "none", "ecolor": INK, "elinewidth": 2.0, "capsize": 5}
                ax.errorbar(best.estimate, y, xerr=spread, **bar, capthick=1.5, zorder=2.5)
                ax.plot(best.estimate, y, "*", color=INK, **STAR, zorder=5)
            if k in shown:
                line: dict[str, Any] = {"color": color, "marker": "o"}
                line |= {"mfc": "white", "linewidth": 0.6} if group.excluded else {}
                handles.append(Line2D([], [], **line, label=f"C = {power_of_ten(group.budget)}"))
        level = f"{100 * result.a.level:.6g}%"
        star: dict[str, Any] = {"color": INK, "marker": "*", "linewidth": 2.0, **STAR}
        handles.append(Line2D([], [], **star, label=f"optimum, {level} interval"))
        if any(group.excluded for group in result.groups):
            empty: dict[str, Any] = {"color": GREY, "mfc": "white", "marker": "o", "linewidth": 0.6}
            handles.append(Line2D([], [], **empty, label="no optimum"))
        log(ax)
        _left_out_runs(result, ax, colors, handles)
        legend_below(ax, 3, handles=handles)
        ax.set(xlabel=names["m"], ylabel=names["error"])
        ax.set_title(rf"isoFLOP parabolas: $m^* \sim C^a$, {equation('a', result.a)}")
        return ax


@draw.register
@checks.arguments(result=Instance(Frontier, "a Frontier, as errsrc.frontier returns it"))
def optimal_sizes(result: Frontier, ax: Axes | None = None) -> Axes:
    """Draw the optimal model size and the optimal data size against the budget, with their intervals.

    The legend states the sizes at up to three budgets, and at the largest budget if there are more.

    Parameters
    ----------
    result : Frontier
        Optimal sizes at one or more budgets.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.6, 4.4)
        order = np.argsort(result.budgets)
        budgets = np.array(result.budgets)[order]
        for name, sizes, color, exponent in (
            ("m*, model size", result.m, BLUE, result.a),
            ("n*, data size", result.n, VERMILION, result.b),
        ):
            estimate, low, high = _ends([sizes[k] for k in order])
            style: dict[str, Any] = {"color": color, "marker": "o", "markersize": 4}
            named = order if len(order) <= NAMED_BUDGETS else order[-1:]
            at = [_size_text(result.budgets[k], sizes[k]) for k in named]
            ax.plot(budgets, estimate, **style, label="\n".join([name, f"exponent {exponent}", *at]))
            ax.fill_between(budgets, low, high, color=color, alpha=0.18, linewidth=0)
            if len(budgets) == 1:
                ax.errorbar(budgets, estimate, [estimate - low, high - estimate], color=color, capsize=3)
        _end_of_data(ax, [result])
        in_flops = result.cost.startswith("C ")
        ax.set_xlabel(COMPUTE if in_flops else f"C, budget ({result.cost})")
        ax.set_ylabel("compute-optimal size")
        ax.set_title(f"{result.method}; {result.cost}; {100 * result.a.level:.6g}% intervals")
        legend_below(ax, 2)
        return log(ax)


@draw.register
@checks.arguments(result=Instance(ComputeOptimal, "a ComputeOptimal, as errsrc.compute_optimal returns it"))
def all_approaches(result: ComputeOptimal, ax: Axes | None = None) -> Axes:
    """Draw the runs of each budget, and next to them the optimal sizes by all approaches.

    The lines and bands of the optimal sizes reach from the smallest budget of the runs to the largest budget
    that was asked for.  Filled marks are the optimal sizes at the budgets that were asked for, and their bars
    are the intervals.  The legend states the optimal sizes at the largest of these budgets.  Open stars are
    the minima of the parabolas, with their intervals, also next to the runs.

    Parameters
    ----------
    result : ComputeOptimal
        Compute-optimal sizes by one or more approaches.
    ax : matplotlib Axes, optional
        Where to draw the optimal sizes alone.  The default is a new figure, which also shows the runs if they
        share budgets.

    Returns
    -------
    matplotlib Axes
        The Axes of the optimal sizes.  ``.figure.axes`` of a new figure has the Axes of the runs first, and
        the Axes of the optimal sizes second.
    """
    with mpl.rc_context(STYLE):
        if ax is None and result.isoflop is not None:
            figure = Figure(figsize=(13.0, 6.4), layout="constrained")
            left, right = figure.subplots(1, 2, subplot_kw={"axes_class": ShownAxes})
            isoflop_curves(result.isoflop, left, columns=result.column_names)
            ax = right
        ax = axes(ax, 6.6, 5.4)
        determined = [one for one in result.frontiers if np.isfinite(one.a.estimate)] or result.frontiers
        for k, one in enumerate(result.frontiers):
            if one not in determined:  # the open marks show its optimum
                continue
            color, mark, width = ((BLUE, "o", 3.5), (VERMILION, "s", 1.3), (GREEN, "^", 2.2))[k % 3]
            order = np.argsort(one.budgets)
            whole = _over_the_range(result, one)
            for name, sizes, lines, dashes, exponent in (
                ("m*", one.m, whole.m, "solid", one.a),
                ("n*", one.n, whole.n, DASHED, one.b),
            ):
                estimate, low, high = _ends(lines)
                line: dict[str, Any] = {"color": color, "linestyle": dashes, "linewidth": width}
                ax.plot(whole.budgets, estimate, **line)  # lines of other widths show under each other
                ax.fill_between(whole.budgets, low, high, color=color, alpha=0.14, linewidth=0)
                estimate, low, high = _ends([sizes[k] for k in order])
                style: dict[str, Any] = {"color": color, "marker": mark, "markersize": 4 + width}
                budgets = np.array(one.budgets)[order]
                ax.plot(budgets, estimate, linestyle="none", **style)
                at = _size_text(budgets[-1], sizes[order[-1]])
                label = f"{name}, {one.method}\nexponent {exponent}\n{at}"
                ax.plot([], [], **line, marker=mark, label=label)
                bar: dict[str, Any] = {
                    "fmt": "none",
                    "ecolor": color,
                    "elinewidth": width,
                    "capsize": 3 + width,
                }
                ax.errorbar(budgets, estimate, [estimate - low, high - estimate], **bar)
                if one is determined[0]:
                    _end_label(ax, name, whole.budgets[-1], lines[-1].estimate)
        level = f"{100 * result.frontiers[0].a.level:.6g}%"
        ax.fill([], [], color=GREY, alpha=0.3, linewidth=0, label=f"bands and bars: {level} intervals")
        _measured_optima(result, ax)
        _end_of_data(ax, result.frontiers)
        legend_below(ax, 1 if len(determined) == 1 else 2)
        ax.set(xlabel=COMPUTE, ylabel="compute-optimal size")
        ax.set_title(f"optimal sizes; {result.cost}; {level} intervals")
        return log(ax)


def _size_text(budget: float, size: Interval) -> str:
    """Return a line of the legend: the optimal size at a budget, with its interval."""
    return f"at C = {power_of_ten(budget)}: {size}"


def _end_label(ax: Axes, text: str, x: float, y: float) -> None:
    """Write the name of a line at its right end."""
    if np.isfinite(y):
        ax.annotate(text, (x, y), (9, 0), textcoords="offset points", va="center", annotation_clip=False)


def _end_of_data(ax: Axes, frontiers: Sequence[Frontier]) -> None:
    """Draw a vertical line at the largest measured budget, if sizes beyond this budget are drawn."""
    ranges = [one.measured["budget"] for one in frontiers if "budget" in one.measured]
    high = max((one.high for one in ranges), default=np.inf)
    drawn = [pair for one in frontiers for pair in zip(one.budgets, one.m, strict=True)]
    if max((budget for budget, m in drawn if np.isfinite(m.estimate)), default=0.0) > 1.001 * high:
        line: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": "dotted", "zorder": 1}
        ax.axvline(high, **line, label="largest measured budget")


def _over_the_range(result: ComputeOptimal, one: Frontier) -> Frontier:
    """Return a frontier at many budgets, from the smallest of the runs to the largest that was asked for."""
    groups = () if result.isoflop is None else result.isoflop.groups
    smallest = min([*one.budgets, *(group.budget for group in groups if not group.excluded)])
    if one.method.startswith("isoFLOP"):
        approach: Any = result.isoflop
    else:
        approach = result.envelope if one.method.startswith("envelope") else result.fit
    grid = np.unique([*np.geomspace(smallest, max(one.budgets), POINTS), *one.budgets])
    if approach is None or len(one.budgets) == len(grid):
        grid = np.sort(one.budgets)
    try:
        if approach is result.fit and result.fit is not None:
            return law_frontier(result.fit, grid, result.factor, one.a.level)
        found: Frontier = approach.frontier(grid)
    except NoAnswer:
        return one
    return found


def _measured_optima(result: ComputeOptimal, ax: Axes) -> None:
    """Draw the minima of the parabolas with their intervals, as open marks."""
    groups = [] if result.isoflop is None else [one for one in result.isoflop.groups if not one.excluded]
    if not groups:
        return
    budgets = np.array([one.budget for one in groups])
    label: str | None = "optimum of the parabola\nof each budget"
    for sizes in ([one.m_optimal for one in groups], [one.n_optimal for one in groups]):
        estimate, low, high = _ends(sizes)
        bars: dict[str, Any] = {"fmt": "*", "color": INK, **STAR, "capsize": 4}
        spread = [estimate - low, high - estimate]
        ax.errorbar(budgets, estimate, spread, **bars, elinewidth=1.2, zorder=5, label=label)
        label = None


@draw.register
def _of_one_budget(result: IsoFlopGroup, ax: Axes | None = None) -> Axes:
    """Draw the runs of one budget and their parabola; runs that were left out are crosses."""
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.0, 4.0)
        used = result.used
        grid = np.geomspace(result.m[used].min(), result.m[used].max(), 80)
        ax.plot(grid, result.curve(grid), color=BLUE, label="parabola in ln m")
        ax.plot(result.m[used], result.error[used], "o", color=INK, markersize=4.5, label="measured")
        if not used.all():
            ax.plot(result.m[~used], result.error[~used], "x", color=INK, label="run left out")
        excluded = f": {result.excluded}" if result.excluded else f", {equation('m*', result.m_optimal)}"
        ax.set(xlabel="m, model size", ylabel="error", title=f"C = {power_of_ten(result.budget)}{excluded}")
        ax.legend(loc="best")
        return log(ax)


@draw.register
def _of_training_curves(result: TrainingEnvelope, ax: Axes | None = None) -> Axes:
    """Draw the sizes of the best run at each compute; open marks are runs at the ends, which are not used."""
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.0)
        for name, sizes, color, exponent in (
            ("m*, model size", result.m, BLUE, result.a),
            ("n*, data size", result.n, VERMILION, result.b),
        ):
            label = f"{name}\nexponent {exponent}"
            ax.plot(result.budgets, sizes, color=color, linewidth=0.8)
            ax.plot(result.budgets[result.used], sizes[result.used], "o", color=color, label=label)
            ends = ~result.used
            ax.plot(result.budgets[ends], sizes[ends], "o", color=color, markerfacecolor="white")
        ax.set(xlabel="compute C at which the run is the best (flops)", ylabel="size of the best run")
        ax.set_title("envelope of training curves")
        legend_below(ax, 2)
        return log(ax)


def _left_out_runs(result: IsoFlop, ax: Axes, colors: Any, handles: list[Line2D]) -> None:
    """Draw the runs that were left out as crosses; runs above the axis are drawn at its upper end."""
    m = np.concatenate([group.m[~group.used] for group in result.groups])
    error = np.concatenate([group.error[~group.used] for group in result.groups])
    if not len(m):
        return
    shown = at_edges(ax, m, error, marker="none")
    counts = [int((~group.used).sum()) for group in result.groups]
    cross: dict[str, Any] = {"marker": "x", "markersize": 6, "linestyle": "none"}
    for color, places in zip(colors, np.split(np.arange(len(m)), np.cumsum(counts)[:-1]), strict=True):
        if len(places):
            ax.plot(m[places], shown[places], color=color, **cross, zorder=6)
    handles.append(Line2D([], [], color=GREY, **cross, label="run left out"))


def _ends(intervals: Sequence[Interval]) -> tuple[Array, Array, Array]:
    """Return estimates, lower and upper ends; ends that are open are drawn at the estimate."""
    estimate, low, high = (
        np.array([getattr(one, end) for one in intervals]) for end in ("estimate", "low", "high")
    )
    return (
        estimate,
        np.where(np.isfinite(low) & (low > 0), low, estimate),
        np.where(np.isfinite(high), high, estimate),
    )


def _evenly(places: Sequence[int], most: int) -> set[int]:
    """Return at most `most` of the places, evenly spaced, the first and the last among them."""
    chosen = np.linspace(0, len(places) - 1, min(len(places), most)).round().astype(int)
    return {places[k] for k in chosen}
