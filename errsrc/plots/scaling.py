"""Figures of scaling laws: measured and predicted errors."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from errsrc import checks
from errsrc.checks import LEVEL, Instance
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.holdouts import Holdout, JudgedCells
from errsrc.fitting.plans import plan
from errsrc.fitting.several_laws import weighted_fits
from errsrc.plots.style import DASHED, FITTED, GREY, HELD_OUT, INK, STYLE, axes, legend_right, log, signed

HOLDOUT = Instance(Holdout, "a Holdout, as errsrc.holdout returns it")
"""The rule of arguments that are a fit judged on held-out cells."""


@checks.arguments(result=HOLDOUT)
def extrapolation(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw measured and predicted error against n, one curve for each m.

    Held-out cells of one n are drawn side by side, within 8% of that n, so that their bars can be told apart.

    Parameters
    ----------
    result : Holdout
        A law in n and m that was judged on held-out cells.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        For a law in other inputs.
    """
    if set(result.fitted.inputs) != {"n", "m"}:
        got = f"<a law in {', '.join(result.fitted.inputs)}>"
        raise ValueError(checks.refusal("result", "extrapolation", "of a law in n and m", got))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.9)
        sizes = np.unique(np.concatenate([part.inputs["m"] for part in result.parts.values()]))
        colors = mpl.colormaps["viridis"](np.linspace(0.0, 0.82, len(sizes)))
        handles = []
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
            handles.append(Line2D([], [], color=color, label=f"m = {m:,.0f}"))
        level = result.held_out.prediction.level
        for label, style in (
            ("measured, in the fit", {"marker": "o", "markersize": 5, "linestyle": "none"}),
            ("measured, held out", {"marker": "o", "markersize": 5, "linestyle": "none", "mfc": "white"}),
            ("law, fitted", {}),
            ("law, extrapolated", {"linestyle": DASHED}),
            (f"{level:.0%} for one run", {"marker": "|", "markersize": 11, "linestyle": "none"}),
        ):
            handles.append(Line2D([], [], color=INK, label=label, **style))
        legend_right(ax, handles=handles)
        ax.set(xlabel="n, training examples", ylabel="test error")
        return log(ax)


@checks.arguments(result=HOLDOUT)
def divergence(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw the histogram of (predicted - measured) / measured over the cells, fitted and held out.

    Parameters
    ----------
    result : Holdout
        A fit that was judged on held-out cells.
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
                f"{signed(100 * part.divergence_mean)} ± {100 * part.divergence_std:.1f}%"
            )
            style: dict[str, Any] = {"color": FITTED, "alpha": 0.45, "edgecolor": "white"}
            if name != "fitted":
                style = {"histtype": "step", "color": HELD_OUT, "linewidth": 2.0, "hatch": "///"}
            ax.hist(x, edges.tolist(), label=label, **style)
        ax.axvline(0.0, color=INK, linewidth=0.8)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{signed(v, 6)}%"))
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="x", visible=False)
        ax.set(xlabel="relative divergence of the prediction from the measured mean", ylabel="cells")
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return ax


@checks.arguments(result=HOLDOUT)
def parity(result: Holdout, ax: Axes | None = None) -> Axes:
    """Draw predicted against measured error, with the interval for one new run; on the line they are equal.

    Parameters
    ----------
    result : Holdout
        A fit that was judged on held-out cells.
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
        ax.plot(ends, ends, color=INK, linewidth=0.8, zorder=1)
        ax.set(xlabel="measured error (mean of the runs)", ylabel="predicted error", xlim=ends, ylim=ends)
        ax.set_aspect("equal")
        ax.legend(loc="upper left")
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
        For a law in other inputs.
    """
    if fit.input_names != ("n",):
        got = f"<a law in {', '.join(fit.input_names)}>"
        raise ValueError(checks.refusal("fit", "curve", "of a law in n alone", got))
    n = fit.inputs["n"]
    measured = [member.error for member, _ in weighted_fits(fit)][:1]  # the same points for each member
    end = 4 * n.max() if until is None else checks.Number(at_least=float(n.max()))(until, "until", "curve")
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.0)
        grid = np.geomspace(n.min(), end, 200)
        p = fit.predict(level=level, n=grid)
        inside = grid <= n.max()
        ax.fill_between(
            grid, p.low, p.high, color=FITTED, alpha=0.16, linewidth=0, label=f"{level:.0%} for one run"
        )
        ax.plot(grid[inside], p.predicted[inside], color=FITTED, label="law, fitted")
        dashed: dict[str, Any] = {"color": FITTED, "linestyle": DASHED}
        ax.plot(grid[~inside], p.predicted[~inside], **dashed, label="law, extrapolated")
        for error in measured:
            ax.plot(n, error, "o", color=INK, markersize=4, label="measured")
        _floor(fit, ax, float(min(x.min() for x in (p.low, *measured))), level)
        ax.set(xlabel="n, training examples", ylabel="error", xlim=(n.min() * 0.9, end))
        legend_right(ax)
        return log(ax)


def _floor(fit: Forecast, ax: Axes, lowest: float, level: float) -> None:
    """Draw the floor of a law in n: a line with a band, or a hatched area below its upper bound."""
    floor = plan(fit, budget=float(fit.inputs["n"].max()), level=level).floor
    if floor.low > 0.1 * floor.high:
        ax.axhspan(floor.low, floor.high, color=GREY, alpha=0.14, linewidth=0)
        ax.axhline(floor.estimate, color=GREY, linewidth=1.0, label=f"floor {floor}")
        return
    bottom = 0.7 * min(lowest, floor.high)
    label = f"floor not determined: < {floor.high:.2g}"
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
    """Return the 1, 2 or 5 times a power of 10 next above `width`."""
    decade = 10.0 ** np.floor(np.log10(width))
    return float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= width * (1 - 1e-9)))
