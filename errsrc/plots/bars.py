"""Figures of a single result as bars: the terms of a budget, bias and variances, and pruned networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from errsrc import checks
from errsrc.checks import Instance
from errsrc.fitting.comparisons import Comparison
from errsrc.fitting.pruned_plans import PrunedPlan
from errsrc.plots.budget import COLOURS
from errsrc.plots.labels import LONGEST_TITLE, wrapped
from errsrc.plots.style import (
    BLUE,
    GREY,
    INK,
    SILVER,
    STYLE,
    VERMILION,
    axes,
    legend_right,
    linear,
    logarithmic,
)
from errsrc.results import Interval, percent

if TYPE_CHECKING:  # importing the package imports torch, which figures of fits do not need
    from errsrc.sources import BiasVariance, Budget, UncertaintyBracket


class Bar(NamedTuple):
    """A bar with its interval and a text at its end.

    Attributes
    ----------
    name
        Name of the quantity that the bar measures.
    value
        The quantity.  Its estimate is the length of the bar, and its interval is drawn over the end of the
        bar.
    text
        Text at the end of the bar.
    colour
        Colour of the bar.
    open_end
        End of the hatched part of the bar: a bound of the quantity.  None for a bar without a hatched part.
    """

    name: str
    value: Interval
    text: str
    colour: str
    open_end: float | None = None


def budget_terms(result: Budget, ax: Axes | None = None) -> Axes:
    """Draw the four terms and the total of one budget as bars, with intervals.

    If only a lower and an upper bound of a term are known, a hatched part of the bar ends at the upper bound.
    The bar of a term without an interval has no line at its end.

    Parameters
    ----------
    result : Budget
        The budget.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    TypeError
        If `result` is not a budget.
    """
    from errsrc.sources.terms import Budget

    Instance(Budget, "a budget")(result, "result", "budget_terms")
    shown, found = result.rounded, []
    for name, lower, upper in shown.rows():
        known = lower == upper
        share = lower.estimate / shown.total.estimate if shown.total.estimate else 0.0
        text = f"{percent(share, 1)}   {lower}" if known and name != "total" else f"{lower}"
        text = text if known else f"{lower} to {upper}"
        end = None if known else upper.estimate
        found.append(Bar(name, lower, text, COLOURS.get(name, GREY), end))
    return _bars(found, ax, f"risk, {result.loss} loss", setting_title(result, f"n = {result.n:,}"))


def variances(result: BiasVariance, ax: Axes | None = None) -> Axes:
    """Draw the squared bias, the variances and their sum as bars, with intervals.

    Parameters
    ----------
    result : BiasVariance
        The components.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    TypeError
        If `result` is not a `BiasVariance`.
    """
    from errsrc.sources.bias_variances import COMPONENTS, BiasVariance

    Instance(BiasVariance, "what errsrc.bias_variance returns")(result, "result", "variances")
    names = {"bias": "squared bias", "total": "total"}
    found = []
    for name in (*COMPONENTS, "total"):
        label = names.get(name, f"variance, {name}")
        value = result.shown(name)
        found.append(Bar(label, value, str(value), GREY if name == "total" else BLUE))
    return _bars(found, ax, "excess risk, squared loss", setting_title(result, f"n = {result.n:,}"))


def uncertainty_bounds(result: UncertaintyBracket, ax: Axes | None = None) -> Axes:
    """Draw the bounds of the uncertainty as bars, and the quantities that the bounds come from.

    All quantities are mean squared distances from the teacher.

    Parameters
    ----------
    result : UncertaintyBracket
        The bounds.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    TypeError
        If `result` is not an `UncertaintyBracket`.
    """
    from errsrc.sources.bracket.bounds import UncertaintyBracket

    Instance(UncertaintyBracket, "what errsrc.sources.uncertainty_bracket returns")(
        result, "result", "uncertainty_bounds"
    )
    colours = {"lower bound": COLOURS["uncertainty"], "upper bound": COLOURS["uncertainty"]}
    found = [
        Bar(name, value, str(value), colours.get(name, SILVER)) for name, value in result.intervals().items()
    ]
    return _bars(found, ax, "mean squared distance from the teacher", "bounds of the uncertainty")


@checks.arguments(result=Instance(PrunedPlan, "a plan of errsrc.fewest_weights"))
def weights_left(result: PrunedPlan, ax: Axes | None = None) -> Axes:
    """Draw, for each network, the number of weights with which it reaches the target error.

    The network that needs the fewest weights has an interval.  The number next to each point is the share of
    random draws of the fitted law in which this network needs the fewest weights.

    Parameters
    ----------
    result : PrunedPlan
        The plan.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    left = result.remaining_by_network
    reached = np.flatnonzero(np.isfinite(left))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.4, 3.8)
        ax.plot(reached, left[reached], "o", color=BLUE, markersize=6, label="reaches the error")
        one = result.remaining
        low, high = (end if np.isfinite(end) and end > 0 else one.estimate for end in (one.low, one.high))
        spread = [[one.estimate - low], [high - one.estimate]]
        bar: Any = {"fmt": "o", "color": VERMILION, "markersize": 7, "capsize": 3, "zorder": 4}
        ax.errorbar(result.network, one.estimate, spread, **bar, label=f"fewest weights: {one}")
        for k in reached:
            place: Any = {"textcoords": "offset points", "fontsize": 8, "va": "center", "color": INK}
            ax.annotate(percent(float(result.chance_by_network[k])), (k, left[k]), (8, 0), **place)
        title = f"fewest weights: network {result.network}, density {result.density}"
        ax.set(xlabel="network, index in the given arrays", ylabel="weights left", title=wrapped(title))
        ax.set_xlim(-0.6, len(left) - 0.2)
        logarithmic(ax, "y")
        missed = np.flatnonzero(~np.isfinite(left))
        if len(missed):
            bottom: Any = {"transform": ax.get_xaxis_transform(), "clip_on": False, "color": INK}
            ax.plot(missed, np.full(len(missed), 0.03), "x", **bottom, label="does not reach the error")
        ax.set_xticks(range(len(left))[:: 1 + len(left) // 20])
        legend_right(ax)
        return ax


@checks.arguments(result=Instance(Comparison, "what errsrc.compare returns"))
def misses(result: Comparison, ax: Axes | None = None) -> Axes:
    """Draw how far each law misses the held-out errors: a bar for each law, with the best law on top.

    The length of a bar is the root mean square of ln (predicted / measured).

    Parameters
    ----------
    result : Comparison
        The compared laws.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    found = []
    for law in result.laws:
        known = np.isfinite(law.miss)
        text = f"{percent(law.miss, 1)}, {percent(law.coverage)} of the runs in their intervals"
        value = law.miss if known else 0.0
        bar = Interval(value, value, value, result.level)
        found.append(Bar(law.name, bar, text if known else "no prediction of held-out sizes", BLUE))
    label = "miss of held-out sizes, root mean square of ln (predicted / measured)"
    ax = _bars(found, ax, label, "comparison of laws")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))
    return ax


def setting_title(result: Any, *more: str) -> str:
    """Return a title that names the learner and the setting of a result, followed by further words.

    Parameters
    ----------
    result
        A result with the texts ``learner`` and ``setting``, which may be empty.
    *more : str
        Further words.
    """
    named = f"{result.learner} in {result.setting}" if result.learner and result.setting else ""
    return wrapped(", ".join(text for text in (named, *more) if text))


def _bars(found: Sequence[Bar], ax: Axes | None, label: str, title: str) -> Axes:
    """Draw horizontal bars from top to bottom, each with its interval and its text."""
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.2, 0.9 + 0.42 * len(found))
        rows = np.arange(len(found))[::-1]
        ends = [max(one.value.estimate, one.open_end or 0.0, _finite(one.value.high)) for one in found]
        left = min(0.0, *(_finite(one.value.low) for one in found))
        for row, one in zip(rows, found, strict=True):
            ax.barh(row, one.value.estimate, 0.62, color=one.colour, zorder=2)
            end = one.value.estimate
            if one.open_end is not None:
                hatched: Any = {"facecolor": "white", "edgecolor": one.colour, "hatch": "///", "zorder": 2}
                ax.barh(row, one.open_end - end, 0.62, left=end, **hatched)
                end = one.open_end
            if one.value.low != one.value.high:
                low, high = (_finite(x, one.value.estimate) for x in (one.value.low, one.value.high))
                ax.plot([low, high], [row, row], color=INK, linewidth=1.2, zorder=3)
                end = max(end, high)
            place: Any = {"textcoords": "offset points", "va": "center", "fontsize": 9, "color": INK}
            ax.annotate(one.text, (end, row), (5, 0), **place)
        ax.set_yticks(rows, [one.name for one in found])
        shares = [min(0.7, 0.014 * len(one.text)) for one in found]  # of the width, for the texts
        width = max((end - left) / (1 - share) for end, share in zip(ends, shares, strict=True))
        ax.set(xlabel=label, xlim=(1.05 * left, left + max(width, 1e-300)))
        ax.grid(axis="y", visible=False)
        linear(ax, "x")
        names = max(len(one.name) for one in found)  # to the left of the axes, and of the title
        ax.set_title(wrapped(title.replace("\n", " "), max(LONGEST_TITLE - names, 40)))
        return ax


def _finite(value: float, otherwise: float = 0.0) -> float:
    return value if np.isfinite(value) else otherwise
