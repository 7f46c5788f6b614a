"""Figures of scaling laws: measured and predicted errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from errsrc import checks
from errsrc.checks import LEVEL, Instance
from errsrc.errors import NoAnswer
from errsrc.fitting import asymptotes
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.holdouts import Holdout, JudgedCells
from errsrc.fitting.plans import Plan
from errsrc.fitting.several_laws import limits_of, weighted_fits
from errsrc.laws.law import Array
from errsrc.plots import joint
from errsrc.plots.joint import MOST_NAMED, curves_by_m
from errsrc.plots.labels import error_label, law_title, size_label, test_error_label, wrapped
from errsrc.plots.style import (
    DASHED,
    FITTED,
    GREY,
    HELD_OUT,
    INK,
    STYLE,
    axes,
    legend_right,
    log,
    logarithmic,
    signed,
)
from errsrc.results import Interval, bound_to, equation

HOLDOUT = Instance(Holdout, "a Holdout, as errsrc.holdout returns it")
"""The rule of arguments that are a fit judged on held-out cells."""


@checks.arguments(result=HOLDOUT)
def extrapolation(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw measured and predicted error against n, one curve for each m.

    A cell is the set of all runs with the same n and m.  Held-out cells with the same n are drawn side by
    side, within 8% of this n, so that their bars do not overlap.

    Parameters
    ----------
    result : Holdout
        A law in n and m that was judged on held-out sizes.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the law has other inputs.
    """
    if set(result.fitted.inputs) != {"n", "m"}:
        got = f"<a law in {', '.join(result.fitted.inputs)}>"
        raise ValueError(checks.refusal("result", "extrapolation", "of a law in n and m", got))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.9)
        sizes = np.unique(np.concatenate([part.inputs["m"] for part in result.parts.values()]))
        colour = joint.colours_of(sizes)
        colors = [colour(m) for m in sizes]
        handles, named = [], len(sizes) <= 2 * MOST_NAMED
        sides = np.exp(np.linspace(-0.08, 0.08, len(sizes)))
        for m, color, side in zip(sizes, colors, sides, strict=True):
            seen, new = (_column(part, m) for part in result.parts.values())
            n = np.concatenate([seen.inputs["n"], new.inputs["n"]])
            last = seen.inputs["n"].max(initial=n.min())
            for start, end, dashes in ((n.min(), last, "solid"), (last, n.max(), DASHED)):
                grid = np.geomspace(start, end, 60)
                curve = result.forecast.predict(n=grid, m=m).predicted
                ax.plot(grid, curve, color=color, linestyle=dashes, zorder=2)
            p = new.prediction
            spread = np.abs(np.stack([p.low, p.high]) - p.predicted)
            bars: dict[str, Any] = {"fmt": "none", "ecolor": color, "elinewidth": 1.2, "capsize": 2.5}
            ax.errorbar(new.inputs["n"] * side, p.predicted, spread, **bars)
            ax.plot(seen.inputs["n"], seen.measured, "o", color=color, markersize=5, zorder=3)
            held: dict[str, Any] = {"color": color, "markerfacecolor": "white", "markersize": 5}
            ax.plot(new.inputs["n"] * side, new.measured, "o", **held, zorder=4)
            if named:
                handles.append(Line2D([], [], color=color, label=f"m = {joint.size_text(m)}"))
        level = result.held_out.prediction.level
        for label, style in (
            ("measured, in the fit", {"marker": "o", "markersize": 5, "linestyle": "none"}),
            ("measured, held out", {"marker": "o", "markersize": 5, "linestyle": "none", "mfc": "white"}),
            ("law, fitted", {}),
            ("law, extrapolated", {"linestyle": DASHED}),
            (f"{level:.0%} for one run", {"marker": "|", "markersize": 11, "linestyle": "none"}),
        ):
            handles.append(Line2D([], [], color=INK, label=label, **style))
        ax.set(xlabel=size_label(result.forecast, "n"), ylabel=test_error_label(result.forecast))
        if named:
            legend_right(ax, handles=handles)
        else:
            joint.colour_bar(ax, joint.colours_of(sizes), sizes, size_label(result.forecast, "m"))
            ax.legend(handles=handles, loc="best")
        return log(ax)


@checks.arguments(result=HOLDOUT)
def extrapolation_in_n(result: Holdout, ax: Axes | None = None, *, level: float = 0.9) -> Axes:
    """Draw a law in n alone with its band up to the largest held-out n, and the measured errors.

    Points that the law was fitted to are filled; held-out points are open.

    Parameters
    ----------
    result : Holdout
        A law in n that was judged on held-out sizes.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    level : float
        Coverage of the band, in (0, 1).

    Raises
    ------
    ValueError
        If the law has other inputs.
    """
    if set(result.fitted.inputs) != {"n"}:
        got = f"<a law in {', '.join(result.fitted.inputs)}>"
        raise ValueError(checks.refusal("result", "extrapolation_in_n", "of a law in n alone", got))
    cells = result.held_out
    largest = max(float(part.inputs["n"].max()) for part in result.parts.values())
    ax = curve(result.forecast, ax, until=1.1 * largest, level=level)
    with mpl.rc_context(STYLE):
        for n, errors in zip(cells.inputs["n"], cells.runs, strict=True):
            ax.plot(np.full(len(errors), n), errors, "o", color=HELD_OUT, mfc="white", markersize=5, zorder=4)
        ax.plot([], [], "o", color=HELD_OUT, mfc="white", markersize=5, label="measured, held out")
        ax.set_ylim(*_both(ax.get_ylim(), np.concatenate(cells.runs)))
        legend_right(ax)
        return log(ax)


def _both(limits: tuple[float, float], values: Array) -> tuple[float, float]:
    """Return the limits of an axis, widened so that they contain some values."""
    return min(limits[0], 0.9 * float(values.min())), max(limits[1], 1.1 * float(values.max()))


@checks.arguments(result=HOLDOUT)
def extrapolation_of(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw measured and predicted errors; the kind of figure depends on the inputs of the law.

    Parameters
    ----------
    result : Holdout
        A fit that was judged on held-out sizes.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The figure of `extrapolation` for a law in n and m, of `extrapolation_in_n` for a law in n, and of
        `divergence` for a law in other inputs.
    """
    names = set(result.fitted.inputs)
    if names == {"n", "m"}:
        return extrapolation(result, ax)
    return extrapolation_in_n(result, ax) if names == {"n"} else divergence(result, ax)


@checks.arguments(result=Instance(JudgedCells, "cells with predictions, a part of a Holdout"))
def cells(result: JudgedCells, ax: Axes | None = None) -> Axes:
    """Draw the predicted against the measured error of cells, with the interval for one new run.

    A cell is the set of all runs with equal sizes.

    Parameters
    ----------
    result : JudgedCells
        The fitted or the held-out cells of a `Holdout`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    p = result.prediction
    with mpl.rc_context(STYLE):
        ax = axes(ax, 4.8, 4.6)
        spread = np.abs(np.stack([p.low, p.high]) - p.predicted)
        bars: dict[str, Any] = {"fmt": "none", "ecolor": FITTED, "elinewidth": 0.9, "alpha": 0.6}
        ax.errorbar(result.measured, p.predicted, spread, **bars)
        ax.plot(result.measured, p.predicted, "o", color=FITTED, markersize=5)
        seen = np.concatenate([result.measured, p.predicted])
        ends = np.array([seen.min() / 1.3, seen.max() * 1.3])
        _line_of_equality(ax, ends, "measured error (mean of the runs)", "predicted error")
        ax.set_title(f"{len(result)} cells")
        return log(ax)


@checks.arguments(result=HOLDOUT)
def divergence(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw histograms of (predicted - measured) / measured over the fitted and over the held-out sizes.

    Parameters
    ----------
    result : Holdout
        A fit that was judged on held-out sizes.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.0, 3.6)
        values = {name: 100 * part.divergence for name, part in result.parts.items()}
        every = np.concatenate(list(values.values()))
        width = _round_step(max(float(np.ptp(every)), 1.0) / 16)
        edges = width * np.arange(np.floor(every.min() / width), np.floor(every.max() / width) + 2)
        for (name, x), part in zip(values.items(), result.parts.values(), strict=True):
            label = (
                f"{name}, {len(part)} cells: "
                f"{signed(100 * part.divergence_mean)}% ± {100 * part.divergence_std:.1f}%"
            )
            if name == "fitted":
                style: dict[str, Any] = {"color": FITTED, "alpha": 0.45, "edgecolor": "white"}
                ax.hist(x, edges.tolist(), label=label, **style)
                continue
            counts, _ = np.histogram(x, edges)
            ends = np.flatnonzero(np.diff(counts > 0, prepend=False, append=False))
            for first, last in ends.reshape(-1, 2):  # bins without cells get no line
                bins = edges[first : last + 1]
                ax.stairs(counts[first:last], bins, color=HELD_OUT, linewidth=2.0, hatch="///", label=label)
                label = "_nolegend_"
        ax.axvline(0.0, color=INK, linewidth=0.8)
        low, high = ax.get_xlim()
        step = float(np.diff(ax.get_xticks())[0])
        if every.min() < 0.0 and -step < low:  # bins left of 0 need a tick there, too
            ax.set_xlim(-1.02 * step, high)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{signed(v, 6)}%"))
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="x", visible=False)
        ax.set(xlabel="relative divergence of the prediction from the measured mean", ylabel="cells")
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return ax


@checks.arguments(result=HOLDOUT)
def parity(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw predicted against measured error, with the interval for one new run and the line of equality.

    Parameters
    ----------
    result : Holdout
        A fit that was judged on held-out sizes.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 4.6, 4.4)
        for (name, part), color in zip(result.parts.items(), (FITTED, HELD_OUT), strict=True):
            p = part.prediction
            face = color if name == "fitted" else "white"
            if name != "fitted":
                spread = np.abs(np.stack([p.low, p.high]) - p.predicted)
                ax.errorbar(
                    part.measured, p.predicted, spread, fmt="none", ecolor=color, elinewidth=0.9, alpha=0.6
                )
            ax.plot(
                part.measured, p.predicted, "o", color=color, markerfacecolor=face, markersize=5, label=name
            )
        shown = [x for part in result.parts.values() for x in (part.measured, part.prediction.predicted)]
        seen = np.concatenate([*shown, result.held_out.prediction.low, result.held_out.prediction.high])
        lowest = 0.5 * min(x.min() for x in shown)  # an interval may go down to 0
        ends = np.array([max(seen.min(), lowest) / 1.05, seen.max() * 1.05])
        _line_of_equality(ax, ends, "measured error (mean of the runs)", "predicted error")
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
        return log(ax)


@checks.arguments(fit=Instance(Forecast, "a fit, or an average of fits"), level=LEVEL)
def curve(fit: Forecast, ax: Axes | None = None, *, until: float | None = None, level: float = 0.9) -> Axes:
    """Draw a fit of a law in n: its points, the curve, the band for one new run, and the floor.

    If the interval of the floor spans less than a factor of 10, the floor is drawn as a line with a band.
    Otherwise the points do not determine the floor, and only the upper bound of the floor is drawn.

    Parameters
    ----------
    fit : Fit or AveragedFit
        A fit of a law in n alone.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    until : float, optional
        The largest n drawn; by default 4 times the largest n of the fit.
    level : float
        Coverage of the band, in (0, 1).

    Raises
    ------
    ValueError
        If the law has other inputs.
    """
    if fit.input_names != ("n",):
        got = f"<a law in {', '.join(fit.input_names)}>"
        raise ValueError(checks.refusal("fit", "curve", "of a law in n alone", got))
    n = fit.inputs["n"]
    end = 4 * n.max() if until is None else checks.Number(at_least=float(n.max()))(until, "until", "curve")
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.2)
        lowest = _one_curve(fit, ax, "n", (float(n.min()), end), level)
        _floor(fit, ax, lowest, level)
        ax.set(xlim=(n.min() * 0.9, end))
        legend_right(ax)
        return log(ax)


@checks.arguments(fit=Instance(Forecast, "a fit, or an average of fits"), level=LEVEL)
def single_input(fit: Forecast, ax: Axes | None = None, *, level: float = 0.9) -> Axes:
    """Draw a fit of a law in one input, such as the density: its points, the curve, and the band for one run.

    Parameters
    ----------
    fit : Fit or AveragedFit
        A fit of a law in one input.  For a law in n, `curve` draws the floor as well.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    level : float
        Coverage of the band, in (0, 1).

    Raises
    ------
    ValueError
        If the law has several inputs.
    """
    if len(fit.input_names) != 1:
        got = f"<a law in {', '.join(fit.input_names)}>"
        raise ValueError(checks.refusal("fit", "single_input", "of a law in one input", got))
    (name,) = fit.input_names
    x = fit.inputs[name]
    ends = (float(x.min()) / 2, min(2 * float(x.max()), fit.at_most.get(name, np.inf)))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.2)
        _one_curve(fit, ax, name, ends, level)
        legend_right(ax)
        return log(ax)


def _one_curve(fit: Forecast, ax: Axes, name: str, ends: tuple[float, float], level: float) -> float:
    """Draw a law in one input with its band and points; return the smallest error drawn."""
    x = fit.inputs[name]
    grid = np.unique(np.concatenate([np.geomspace(*ends, 200), [x.min(), x.max()]]))
    grid = grid[(grid >= ends[0]) & (grid <= ends[1])]
    inputs: dict[str, Any] = {name: grid}
    p = fit.predict(level=level, **inputs)
    band: dict[str, Any] = {"color": FITTED, "alpha": 0.16, "linewidth": 0}
    ax.fill_between(grid, p.low, p.high, **band, label=f"{100 * level:.6g}% for one run")
    inside = (grid >= x.min()) & (grid <= x.max())
    ax.plot(grid[inside], p.predicted[inside], color=FITTED, label="law, fitted")
    dashed: dict[str, Any] = {"color": FITTED, "linestyle": DASHED, "label": "law, extrapolated"}
    for outside in (grid >= x.max(), grid <= x.min()):
        if outside.sum() > 1:
            ax.plot(grid[outside], p.predicted[outside], **dashed)
            dashed.pop("label", None)
    measured = [member.error for member, _ in weighted_fits(fit)][:1]  # the same points for each member
    lowest = float(p.low.min())
    for error in measured:
        far = joint.far_points(fit, error)
        ax.plot(x[~far], error[~far], "o", color=INK, markersize=4, label="measured")
        lowest = min(lowest, float(error[~far].min()))
        joint.draw_far(ax, x, error, far)
    ax.set(xlabel=size_label(fit, name), ylabel=error_label(fit), title=law_title(fit))
    return lowest


def _line_of_equality(ax: Axes, ends: Array, measured: str, predicted: str) -> None:
    """Draw the line on which predicted and measured errors are equal; give both axes the same ends and scale.

    The arguments `measured` and `predicted` are the labels of the axes.
    """
    ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=1)
    ax.set(xlabel=measured, ylabel=predicted, xlim=ends, ylim=ends, aspect="equal")


@checks.arguments(fit=Instance(Forecast, "a fit, or an average of fits"))
def agreement(fit: Forecast, ax: Axes | None = None) -> Axes:
    """Draw the error of a law against the measured error at the fitted points, with the line of equality.

    Parameters
    ----------
    fit : Fit or AveragedFit
        A fit of a law in any inputs.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the forecast has no measured errors.  For example, a chain of fits has none.
    """
    measured = [member.error for member, _ in weighted_fits(fit)][:1]
    if not measured:
        got = f"<a {type(fit).__name__}>"
        raise ValueError(checks.refusal("fit", "agreement", "one with measured errors", got))
    predicted = np.exp(fit.curves(**fit.inputs)[0])
    with mpl.rc_context(STYLE):
        ax = axes(ax, 4.8, 4.6)
        ax.plot(measured[0], predicted, "o", color=FITTED, markersize=4.5, alpha=0.8)
        seen = np.concatenate([measured[0], predicted])
        ends = np.array([seen.min() / 1.05, seen.max() * 1.05])
        label = error_label(fit)
        _line_of_equality(ax, ends, f"measured {label}", f"{label} of the law")
        ax.set_title(law_title(fit, 42))
        return log(ax)


@checks.arguments(result=Instance(Prediction, "a prediction of a fit"))
def predictions(result: Prediction, ax: Axes | None = None) -> Axes:
    """Draw predicted errors with their intervals for one new run, against the first size that varies.

    A single prediction of a law in n, or in n and m, is drawn on the curve of the law.

    Parameters
    ----------
    result : Prediction
        The predictions.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    middle, low, high = (np.ravel(x) for x in (result.predicted, result.low, result.high))
    if result.forecast is not None and result.forecast.input_names in (("n",), ("n", "m")):
        known = np.flatnonzero(np.isfinite(middle))
        if len(known) == 1:
            sizes = {name: float(x[0 if len(x) == 1 else known[0]]) for name, x in result.inputs.items()}
            (error,) = (result.intervals()[k] for k in known)
            return _one_prediction(result.forecast, sizes, error, ax)
    varied = [(name, x) for name, x in result.inputs.items() if len(np.unique(x)) > 1]
    name, x = varied[0] if varied else ("row of the prediction", np.arange(1.0, len(middle) + 1))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.4, 4.0)
        bars: dict[str, Any] = {"fmt": "o", "color": HELD_OUT, "markersize": 5, "mfc": "white"}
        scope = "all runs at once" if result.simultaneous else "one run"
        label = f"predicted, {100 * result.level:.6g}% for {scope}"
        ax.errorbar(x, middle, np.abs(np.stack([low, high]) - middle), **bars, capsize=2.5, label=label)
        fit = result.forecast
        ax.set(xlabel=name, ylabel="error")
        if varied and fit is not None and name in fit.inputs:
            ax.set(xlabel=size_label(fit, name), ylabel=error_label(fit))
            largest = float(fit.inputs[name].max())
            if np.nanmax(x) > 1.001 * largest and name not in fit.at_most:
                line: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": "dotted", "zorder": 1}
                ax.axvline(largest, **line, label=f"largest {name} of the fit")
        ax.legend(loc="best")
        if varied:
            return log(ax)
        logarithmic(ax, "y")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        return ax


def _one_prediction(fit: Forecast, sizes: dict[str, float], error: Interval, ax: Axes | None) -> Axes:
    """Draw the law, and the predicted error of one new run with its interval."""
    n, m = sizes["n"], sizes.get("m")
    with mpl.rc_context(STYLE):
        if m is None:
            ax = curve(fit, ax, until=max(float(fit.inputs["n"].max()), 1.2 * n))
            ax.set_xlim(left=0.9 * min(n, float(fit.inputs["n"].min())))
        else:
            ax = _curve_of_size(fit, n, m, curves_by_m(fit, ax))
        _starred(ax, Interval(n, n, n, error.level), error, "predicted")
        shown = [equation("error", error), *(f"{name} = {x:.4g}" for name, x in sizes.items())]
        level = f"{100 * error.level:.6g}% for one run"
        ax.set_title(wrapped(f"predicted {shown[0]}, {level}, at {', '.join(shown[1:])}"))
        return log(ax)


@checks.arguments(result=Instance(Plan, "a plan, as errsrc.plan returns it"))
def planned(result: Plan, ax: Axes | None = None, *, more: Sequence[Plan] = ()) -> Axes:
    """Draw planned sizes on the curve of the law, with the intervals of n and of the error of one run.

    Parameters
    ----------
    result : Plan
        The plan.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    more : sequence of Plan
        Further plans with the same fit.

    Raises
    ------
    ValueError
        If the plan has no fit (``forecast`` is None).
    """
    fit, plans = result.forecast, (result, *more)
    if fit is None:
        accepted = "one that errsrc.plan returned, which knows its fit"
        raise ValueError(checks.refusal("result", "planned", accepted, result))
    with mpl.rc_context(STYLE):
        if fit.input_names == ("n",):
            ends = [min(1.2 * _end(one.n, one.n.high), 30 * one.n.estimate) for one in plans]
            ax = curve(fit, ax, until=max(fit.inputs["n"].max(), *ends))
        else:
            ax = _planned_sizes(fit, plans, curves_by_m(fit, ax))
        for one in plans:
            _starred(ax, one.n, one.error, "plan")
        ax.set_title(wrapped(_plan_text(plans)))
        return log(ax)


def _starred(ax: Axes, n: Interval, y: Interval, name: str) -> None:
    """Draw a star at a data size and an error, with the intervals of both and a name."""
    (left, right), (below, above) = ([_end(x, x.low), _end(x, x.high)] for x in (n, y))
    bars: dict[str, Any] = {"fmt": "*", "color": HELD_OUT, "markersize": 13, "zorder": 6}
    spread: dict[str, Any] = {"xerr": [[n.estimate - left], [right - n.estimate]]}
    spread["yerr"] = [[y.estimate - below], [above - y.estimate]]
    ax.errorbar(n.estimate, y.estimate, **spread, **bars, capsize=3, elinewidth=1.2, mec="white")
    place: dict[str, Any] = {"textcoords": "offset points", "color": HELD_OUT, "fontsize": 9}
    ax.annotate(name, (n.estimate, y.estimate), (6, 6), **place)
    lowest, highest = ax.get_ylim()
    ax.set_ylim(min(lowest, below / 1.02), max(highest, above * 1.02))


def _planned_sizes(fit: Forecast, plans: Sequence[Plan], ax: Axes) -> Axes:
    """Draw the curve of each planned model size up to the planned data size."""
    for one in plans:
        if one.m is not None:
            _curve_of_size(fit, one.n.estimate, one.m.estimate, ax)
    return ax


def _curve_of_size(fit: Forecast, n: float, m: float, ax: Axes) -> Axes:
    """Draw the curve of a model size up to a data size."""
    smallest, largest = float(fit.inputs["n"].min()), float(fit.inputs["n"].max())
    grid = np.geomspace(min(smallest, n), max(largest, 1.5 * n), 120)
    curve_at = fit.predict(n=grid, m=m).predicted
    ax.plot(grid, curve_at, color=HELD_OUT, linestyle=DASHED, linewidth=1.2, zorder=5)
    return ax


def _plan_text(plans: Sequence[Plan]) -> str:
    """Return a title: the plan, or the number of plans and their smallest and largest n."""
    one = plans[0]
    if len(plans) > 1:
        return f"{len(plans)} plans, from {equation('n', plans[0].n)} to {equation('n', plans[-1].n)}"
    model = "" if one.m is None else f", {equation('m', one.m)}"
    return f"plan: {equation('n', one.n)}{model}, error {one.error}"


def _end(interval: Interval, end: float) -> float:
    """Return an end of an interval that can be drawn on a logarithmic axis, or its estimate."""
    return end if np.isfinite(end) and end > 0 else interval.estimate


def _floor(fit: Forecast, ax: Axes, lowest: float, level: float) -> None:
    """Draw the floor of a law in n: a line with a band, or a hatched area below its upper bound."""
    try:
        floor = asymptotes.floor_of(fit, level)
    except NoAnswer:  # a law that rises has none
        return
    floor = limits_of(fit).get("floor", floor)  # as the table of an average has it
    if floor.high < 1e-3 * lowest:  # there is none, or it is of no interest
        return
    if floor.low > 0.1 * floor.high:
        ax.axhspan(floor.low, floor.high, color=GREY, alpha=0.14, linewidth=0)
        ax.axhline(floor.estimate, color=GREY, linewidth=1.0, label=f"floor {floor}")
        return
    label = f"floor not determined: < {bound_to(floor.high, 2, 'up'):.2g}"
    if floor.high < 0.1 * lowest:  # so far below the points that the figure would show little else
        ax.plot([], [], " ", label=label)
        return
    bottom = 0.7 * min(lowest, floor.high)
    ax.axhspan(
        bottom, floor.high, facecolor="none", edgecolor="#bbbbbb", hatch="\\\\\\", linewidth=0, label=label
    )
    ax.set_ylim(bottom=bottom)


def _column(cells: JudgedCells, m: float) -> JudgedCells:
    """Return the cells of one model size."""
    rows = np.flatnonzero(cells.inputs["m"] == m)
    p = cells.prediction
    prediction = type(p)(p.predicted[rows], p.low[rows], p.high[rows], p.level, p.warnings)
    return JudgedCells(
        {k: x[rows] for k, x in cells.inputs.items()}, tuple(cells.runs[i] for i in rows), prediction
    )


def _round_step(width: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of 10 that is not below `width`."""
    decade = 10.0 ** np.floor(np.log10(width))
    return float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= width * (1 - 1e-9)))
