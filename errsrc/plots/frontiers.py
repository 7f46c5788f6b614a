"""Figures of compute-optimal sizes: isoFLOP curves, and optimal sizes against the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from errsrc import checks
from errsrc.checks import Instance
from errsrc.fitting.approaches import ComputeOptimal
from errsrc.fitting.envelopes import TrainingEnvelope
from errsrc.fitting.frontiers import Frontier
from errsrc.fitting.isoflops import IsoFlop, IsoFlopGroup
from errsrc.laws.law import Array
from errsrc.plots.drawing import draw
from errsrc.plots.style import (
    BLUE,
    DASHED,
    GREEN,
    INK,
    SILVER,
    STYLE,
    VERMILION,
    ShownAxes,
    axes,
    legend_right,
    log,
    power_of_ten,
)
from errsrc.results import Interval

SHOWN_BUDGETS = 8
"""Largest number of budgets in the legend of isoFLOP curves."""


@draw.register
@checks.arguments(result=Instance(IsoFlop, "an IsoFlop, as errsrc.isoflop returns it"))
def isoflop_curves(result: IsoFlop, ax: Axes | None = None) -> Axes:
    """Draw the runs of each budget against the model size, with the parabola and its minimum.

    A star marks each minimum.  The bar of the star is the interval of the optimal model size.  Budgets that
    the line through the minima leaves out are grey.  Runs that were left out are grey crosses.

    Parameters
    ----------
    result : IsoFlop
        An isoFLOP table.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.9)
        colors = mpl.colormaps["viridis"](np.linspace(0.0, 0.86, len(result.groups)))
        handles = []
        shown = _evenly([k for k, group in enumerate(result.groups) if not group.excluded], SHOWN_BUDGETS)
        for k, (group, own) in enumerate(zip(result.groups, colors, strict=True)):
            color: Any = SILVER if group.excluded else own
            used = group.used
            ax.plot(group.m[used], group.error[used], "o", color=color, markersize=4.5, zorder=3)
            if not group.excluded:
                smallest, largest = float(group.m[used].min()), float(group.m[used].max())
                grid = np.geomspace(smallest, largest, 80)
                ax.plot(grid, group.curve(grid), color=color, linewidth=1.2, zorder=2)
                best = group.m_optimal
                y = group.lowest_error.estimate
                bar = np.clip([best.low, best.high], smallest, largest)
                ax.plot(bar, [y, y], color=VERMILION, linewidth=2.0, zorder=4, solid_capstyle="butt")
                ax.plot(best.estimate, y, "*", color=VERMILION, markersize=9, zorder=5)
            if k in shown:
                handles.append(
                    Line2D([], [], color=color, marker="o", label=f"C = {power_of_ten(group.budget)}")
                )
        level = f"{100 * result.a.level:.6g}%"
        star: dict[str, Any] = {"color": VERMILION, "marker": "*", "markersize": 9, "linewidth": 2.0}
        handles.append(Line2D([], [], **star, label=f"optimum, {level} interval"))
        if any(group.excluded for group in result.groups):
            handles.append(Line2D([], [], color=SILVER, marker="o", linestyle="none", label="no optimum"))
        log(ax)
        _left_out_runs(result, ax, handles)
        legend_right(ax, handles=handles)
        ax.set(xlabel="m, model size", ylabel="error")
        ax.set_title(f"m* ~ C^a, a = {result.a}")
        return ax


@draw.register
@checks.arguments(result=Instance(Frontier, "a Frontier, as errsrc.frontier returns it"))
def optimal_sizes(result: Frontier, ax: Axes | None = None) -> Axes:
    """Draw the optimal model size and the optimal data size against the budget, with their intervals.

    Parameters
    ----------
    result : Frontier
        Optimal sizes at one or more budgets.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.0)
        order = np.argsort(result.budgets)
        budgets = np.array(result.budgets)[order]
        for name, sizes, color, exponent in (
            ("m*, model size", result.m, BLUE, result.a),
            ("n*, data size", result.n, VERMILION, result.b),
        ):
            estimate, low, high = _ends([sizes[k] for k in order])
            label = f"{name}\nexponent {exponent}"
            style: dict[str, Any] = {"color": color, "marker": "o", "markersize": 4}
            ax.plot(budgets, estimate, **style, label=label)
            ax.fill_between(budgets, low, high, color=color, alpha=0.18, linewidth=0)
            if len(budgets) == 1:
                ax.errorbar(budgets, estimate, [estimate - low, high - estimate], color=color, capsize=3)
        ax.set(xlabel=f"C, budget ({result.cost})", ylabel="compute-optimal size")
        ax.set_title(f"{result.method}, {100 * result.a.level:.6g}% intervals")
        legend_right(ax)
        return log(ax)


@draw.register
@checks.arguments(result=Instance(ComputeOptimal, "a ComputeOptimal, as errsrc.compute_optimal returns it"))
def all_approaches(result: ComputeOptimal, ax: Axes | None = None) -> Axes:
    """Draw the runs of each budget, and next to them the optimal sizes by all approaches.

    Parameters
    ----------
    result : ComputeOptimal
        Compute-optimal sizes by one or more approaches.
    ax : matplotlib Axes, optional
        Where to draw the optimal sizes alone; by default a new figure, with the runs if they share budgets.

    Returns
    -------
    matplotlib Axes
        The Axes of the optimal sizes.
    """
    with mpl.rc_context(STYLE):
        if ax is None and result.isoflop is not None:
            figure = Figure(figsize=(13.0, 4.6), layout="constrained")
            left, right = figure.subplots(1, 2, subplot_kw={"axes_class": ShownAxes})
            isoflop_curves(result.isoflop, left)
            ax = right
        ax = axes(ax, 7.6, 4.4)
        for one, color in zip(result.frontiers, (BLUE, VERMILION, GREEN), strict=False):
            order = np.argsort(one.budgets)
            budgets = np.array(one.budgets)[order]
            for name, sizes, dashes, exponent in (
                ("m*", one.m, "solid", one.a),
                ("n*", one.n, DASHED, one.b),
            ):
                estimate, low, high = _ends([sizes[k] for k in order])
                style: dict[str, Any] = {
                    "color": color,
                    "linestyle": dashes,
                    "marker": "o",
                    "markersize": 3.5,
                }
                ax.plot(budgets, estimate, **style, label=f"{name}, {one.method}\nexponent {exponent}")
                ax.fill_between(budgets, low, high, color=color, alpha=0.14, linewidth=0)
                if len(budgets) == 1:
                    ax.errorbar(budgets, estimate, [estimate - low, high - estimate], color=color, capsize=3)
        legend_right(ax)
        ax.set(xlabel=f"C, budget ({result.cost})", ylabel="compute-optimal size")
        ax.set_title(f"{100 * result.frontiers[0].a.level:.6g}% intervals")
        return log(ax)


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
        excluded = f": {result.excluded}" if result.excluded else f", m* = {result.m_optimal}"
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
        ax.set(xlabel="C, compute at which the run is the best", ylabel="size of the best run")
        ax.set_title("envelope of training curves")
        legend_right(ax)
        return log(ax)


def _left_out_runs(result: IsoFlop, ax: Axes, handles: list[Line2D]) -> None:
    """Draw the runs that were left out as crosses; those above the others at the upper end of the axis."""
    m = np.concatenate([group.m[~group.used] for group in result.groups])
    error = np.concatenate([group.error[~group.used] for group in result.groups])
    if not len(m):
        return
    _, top = ax.get_ylim()
    ax.set_ylim(top=top)
    cross: dict[str, Any] = {"color": INK, "marker": "x", "linestyle": "none", "markersize": 6}
    ax.plot(m, np.minimum(error, top), **cross, clip_on=False, zorder=6)
    above = " (some above the axis)" if (error > top).any() else ""
    handles.append(Line2D([], [], **cross, label=f"run left out{above}"))


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
