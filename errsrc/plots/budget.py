"""Figures of error budgets."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.plots.labels import wrapped
from errsrc.plots.style import (
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SILVER,
    SKY,
    STYLE,
    axes,
    legend_right,
    log,
    logarithmic,
    png,
)

if TYPE_CHECKING:  # importing the package imports torch, which figures of fits do not need
    from errsrc.sources.terms import Budget

COLOURS = {
    "noise": SILVER,
    "realizability": PURPLE,
    "uncertainty": SKY,
    "deficiency": ORANGE,
}
"""The colour of each term."""

MARKERS = {"noise": "s", "realizability": "D", "uncertainty": "o", "deficiency": "^", "total": "X"}
"""The mark of each term, which tells the terms apart in print without colours."""

APART = 0.09
"""Smallest distance, as a share of the axis, between two n whose totals are written above the figure."""

BESIDE_LEGEND = 50
"""Characters in a line of the title of Axes that have a legend to their right."""

PREDICTED = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
"""Dashes of the curves of theory, in turn."""

THEORY = GREEN
"""Colour of the curves of theory."""


def save(curves: Sequence[tuple[object, Sequence[Budget]]], path: Path) -> list[Path]:
    """Write PATH_terms.png and PATH_shares.png for each curve of budgets, and return the paths of the files.

    Parameters
    ----------
    curves : sequence of (cell, budgets)
        Pairs (cell, budgets).  The cell is not used.  The budgets belong to one setting and learner, at
        several n, and make a curve.  If there are several curves, the names of their files are numbered.  A
        curve with a single n, or with a risk of 0 at all n, is not drawn.
    path : Path
        Beginning of the paths of the files.
    """
    out = []
    for number, (_, found) in enumerate(curves, 1):
        for name, draw in (("terms", terms), ("shares", shares)):
            if len(found) > 1 and any(one.rounded.total.estimate > 0 for one in found):
                which = f"_{number}" if len(curves) > 1 else ""
                out.append(path.with_name(f"{path.name}{which}_{name}.png"))
                out[-1].write_bytes(png(draw(found)))
    return out


def shares(result: Sequence[Budget], ax: Axes | None = None) -> Axes:
    """Draw the shares of the four terms in the risk as stacked areas over n.

    The terms from bottom to top are: noise, realizability, uncertainty, deficiency.  A hatched area is the
    distance between a lower and an upper bound.  The bounds do not say which part of this area belongs to the
    term in its label, and which part to the deficiency.  The shares are relative to the total at each n.  The
    totals are written above the figure.  A total that is 0 up to rounding (`Budget.rounded`) has no shares.

    Parameters
    ----------
    result : sequence of Budget
        Budgets of one setting and learner at two or more n.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    TypeError
        If `result` does not consist of budgets.
    ValueError
        If the budgets have fewer than two n, or if two budgets have the same n.
    """
    found = _rounded(result, "shares")
    if len({one.n for one in found}) < max(2, len(found)):
        accepted = "budgets at two or more n, one at each"
        raise ValueError(checks.refusal("result", "shares", accepted, [one.n for one in found]))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.4, 4.0)
        n = np.array([one.n for one in found], dtype=np.float64)
        total = np.array([one.total.estimate for one in found])
        level = np.zeros(len(found))
        handles = []
        for name in COLOURS:
            lower = np.array([getattr(one, name).lower.estimate for one in found])
            share = np.divide(lower, total, out=np.full_like(total, np.nan), where=total > 0)
            ax.fill_between(n, level, level + share, color=COLOURS[name], linewidth=0, zorder=1)
            handles.append(Patch(color=COLOURS[name], label=name))
            level = level + share
            ax.plot(n, level, color="white", linewidth=1.0, zorder=2)  # separates the areas in grey print
            gap = _bracket_width(found, name, lower)
            open_share = np.divide(gap, total, out=np.zeros_like(total), where=total > 0)
            if (open_share > 0).any():
                style: Any = {"facecolor": "white", "edgecolor": COLOURS[name], "hatch": "///"}
                ax.fill_between(n, level, level + open_share, **style, linewidth=0, zorder=1)
                handles.append(Patch(**style, label=f"{name} or deficiency"))
                level = level + open_share
        ax.set(ylim=(0, 1), xlim=(n[0], n[-1]), xlabel="n, labelled examples", ylabel="share of the risk")
        logarithmic(ax, "x")
        ax.yaxis.set_major_formatter(PercentFormatter(1))
        _title(ax, found, pad=16)
        places = np.log(n / n[0]) / np.log(n[-1] / n[0])
        last = -1.0
        for place, risk in zip(places, total, strict=True):
            if place - last >= APART:
                label, side = (f"risk {risk:.2g}", "left") if last < 0 else (f"{risk:.2g}", "center")
                above: Any = {"textcoords": "offset points", "xycoords": "axes fraction", "color": INK}
                ax.annotate(label, (place, 1.0), (0, 3), **above, ha=side, fontsize=8)
                last = place
        legend_right(ax, handles=handles[::-1])
        return ax


def _title(ax: Axes, found: Sequence[Budget], **options: Any) -> None:
    """Name the learner and the setting of budgets, where they are known and the same for all."""
    learner, setting = found[0].learner, found[0].setting
    if learner and setting and all((one.learner, one.setting) == (learner, setting) for one in found):
        ax.set_title(wrapped(f"{learner} in {setting}", BESIDE_LEGEND, lines=4), **options)


def _rounded(result: Sequence[Budget], where: str) -> list[Budget]:
    """Return budgets in the order of n, with totals that are 0 to rounding as 0."""
    from errsrc.sources.terms import Budget

    budgets = list(result) if isinstance(result, Iterable) else []
    if not isinstance(result, Iterable) or not all(isinstance(one, Budget) for one in budgets):
        raise TypeError(checks.refusal("result", where, "a list of budgets, one for each n", result))
    sizes = [one.n for one in budgets]
    if len(set(sizes)) < len(sizes):
        accepted = "budgets of one learner, one at each n"
        fix = f"Draw each learner in Axes of its own: errsrc.plots.{where}(budgets, ax)."
        raise ValueError(f"{checks.refusal('result', where, accepted, f'<budgets at n = {sizes}>')} {fix}")
    return sorted((one.rounded for one in budgets), key=lambda one: one.n)


def _alone(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points have an interval of width > 0 although the points on both sides have none."""
    known = np.isfinite(low) & np.isfinite(high)
    neighbours = np.zeros(len(known), dtype=bool)
    neighbours[1:] |= known[:-1]
    neighbours[:-1] |= known[1:]
    return known & ~neighbours & (high > low)


def _bracket_width(found: Sequence[Budget], name: str, lower: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the width of a term's bracket; for realizability, 0 where the uncertainty has a bracket, too."""
    if name == "uncertainty":
        return np.array([one.uncertainty.upper.estimate for one in found]) - lower
    if name == "realizability":
        upper = [one.realizability.upper.estimate if one.uncertainty.closed else np.nan for one in found]
        return np.nan_to_num(np.array(upper) - lower)
    return np.zeros(len(found))


def terms(
    result: Sequence[Budget],
    ax: Axes | None = None,
    *,
    theory: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Axes:
    """Draw each term and the total against n on logarithmic axes, with intervals as bands.

    Terms that are 0 at all n are named in the legend only, without a line.  For other terms, an estimate that
    is at or below 0, or 0 up to rounding (`Budget.rounded`), is an open mark at the bottom.  An estimate
    without an interval is an open mark on its curve.  The total is drawn under the terms, with a wider line
    and larger marks, so that a term that makes up the whole total is seen.  The title names the learner and
    the setting, without the fields that have their default values.

    Parameters
    ----------
    result : sequence of Budget
        Budgets of one setting and learner.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    theory : mapping of str to (n, values), optional
        Curves to draw dashed, by label. n and values are arrays of one shape (k,).  The values are risks.
        `errsrc.theory` returns excess risks: add the noise to get the total. Values that are not finite and >
        0 are left out.

    Raises
    ------
    TypeError
        If `result` does not consist of budgets.
    ValueError
        If the totals of all budgets are 0, or if a curve of `theory` is not two arrays of one shape.
    """
    found = _rounded(result, "terms")
    if not found or not any(one.total.estimate > 0 for one in found):
        raise ValueError(checks.refusal("result", "terms", "budgets, one of a total > 0 among them", found))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.4, 4.0)
        n = np.array([one.n for one in found], dtype=np.float64)
        zeros = without = False
        for name in (*COLOURS, "total"):
            rows = [{row[0]: row[1:] for row in one.rows()}[name] for one in found]
            colour = COLOURS.get(name, INK)
            for place, dashes in ((0, "solid"), (1, "dotted")):
                sides = [row[place] for row in rows]
                if place == 1 and all(row[0] == row[1] for row in rows):
                    continue
                middle = np.array([side.estimate for side in sides])
                label = name if place == 0 else f"{name}, at most"
                if not (middle > 0).any():
                    ax.plot([], [], linestyle="none", label=f"{label}: 0")  # a name without a line
                    continue
                shown = np.where(middle > 0, middle, np.nan)
                style: Any = {"color": colour, "linestyle": dashes, "marker": MARKERS[name], "markersize": 4}
                if name == "total":
                    style |= {"linewidth": 3, "markersize": 6.5, "zorder": 1.9}
                ax.plot(n, shown, **style, label=label)
                if (middle <= 0).any():
                    style |= {"linestyle": "none", "markerfacecolor": "white", "clip_on": False}
                    at = n[middle <= 0]
                    ax.plot(at, np.zeros(len(at)), **style, transform=ax.get_xaxis_transform())
                    zeros = True
                low = np.array(
                    [
                        max(side.low, 1e-3 * m) if m > 0 and np.isfinite(side.low) else np.nan
                        for side, m in zip(sides, middle, strict=True)
                    ]
                )
                high = np.array([side.high if np.isfinite(side.high) else np.nan for side in sides])
                bare = (middle > 0) & np.isnan(low)
                if bare.any():
                    style |= {"linestyle": "none", "markerfacecolor": "white"}
                    ax.plot(n[bare], middle[bare], **style)
                    without = True
                ax.fill_between(n, low, high, color=colour, alpha=0.2, linewidth=0)
                alone = _alone(low, high)  # a strip needs two neighbours with an interval
                ax.vlines(n[alone], low[alone], high[alone], color=colour, linewidth=1.5, zorder=1.8)
        for (label, curve), dash in zip((theory or {}).items(), itertools.cycle(PREDICTED)):
            sizes, values = (np.asarray(side, dtype=np.float64) for side in curve)
            if sizes.ndim != 1 or sizes.shape != values.shape:
                accepted = f"n and values of one shape, (k,), for {label!r}"
                got = f"<shapes {sizes.shape} and {values.shape}>"
                raise ValueError(checks.refusal("theory", "terms", accepted, got))
            order = np.argsort(sizes)
            shown = np.where(np.isfinite(values) & (values > 0), values, np.nan)
            ax.plot(sizes[order], shown[order], color=THEORY, linestyle=dash, zorder=3, label=label)
        if without:
            open_mark: Any = {"color": GREY, "markerfacecolor": "white", "markersize": 4}
            ax.plot([], [], "o-", **open_mark, label="open: no interval")
        if zeros:
            ax.plot([], [], "o", color=GREY, markerfacecolor="white", markersize=4, label="0, at the bottom")
        ax.set(xlabel="n, labelled examples", ylabel=f"risk, {found[0].loss} loss")
        _title(ax, found)
        legend_right(ax)
        return log(ax)
