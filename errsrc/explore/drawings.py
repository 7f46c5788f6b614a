"""Figures of the explorer as SVG, which a browser shows at any width.

matplotlib takes a few tenths of a second for a figure, which is too slow while a slider moves; these figures
take some milliseconds.  A figure is a frame, which is the same for many curves, and a layer with the curves.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from errsrc.explore.computations import EXACT, REMEDIES, BandCurve, FittedTable, N
from errsrc.plots.budget import COLOURS, THEORY
from errsrc.plots.style import BLUE, GREY, INK, LADDERS, VERMILION, tick_label
from errsrc.results import Interval

WIDTH, HEIGHT = 480, 330
"""Size of a figure in the units of its SVG; fonts have 14 of these units."""

LEFT, RIGHT, TOP, BOTTOM = 76, 14, 34, 50
"""Margins around the axes."""

LANE = 36
"""Height of the strip below a logarithmic axis that shows values of 0."""

RISKS = (1e-5, 1e2)
"""The vertical axis of the figure of the risk above the noise."""


def number_text(value: float) -> str:
    """Return a number of an exact budget as text with three digits; 0 for rounding errors.

    Parameters
    ----------
    value : float
        The number.

    Examples
    --------
    >>> number_text(0.012345), number_text(3e-31), number_text(math.inf)
    ('0.0123', '0', 'infinite')
    """
    if math.isinf(value):
        return "infinite"
    return "0" if abs(value) <= EXACT else f"{value:.3g}"


@dataclass(frozen=True)
class Chart:
    """The axes of a figure: where values are in its SVG.

    Attributes
    ----------
    x : tuple of float
        Smallest and largest value of the horizontal axis, which is logarithmic.
    y : tuple of float
        Smallest and largest value of the vertical axis.
    log : bool
        Whether the vertical axis is logarithmic.
    zero : bool
        Whether a strip below a logarithmic vertical axis shows values of 0.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = True
    zero: bool = False

    @property
    def bottom(self) -> float:
        """The vertical position of the lower end of the vertical axis."""
        return HEIGHT - BOTTOM - (LANE if self.zero else 0)

    def across(self, value: float) -> float:
        """Return the horizontal position of a value.

        Parameters
        ----------
        value : float
            The value, > 0.
        """
        share = math.log(value / self.x[0]) / math.log(self.x[1] / self.x[0])
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def up(self, value: float) -> float:
        """Return the vertical position of a value; values beyond the axis are at its ends.

        Parameters
        ----------
        value : float
            The value.
        """
        if self.zero and value <= EXACT:
            return HEIGHT - BOTTOM - LANE / 2
        low, high = self.y
        inside = min(max(value, low), high)
        share = math.log(inside / low) / math.log(high / low) if self.log else (inside - low) / (high - low)
        return round(self.bottom - share * (self.bottom - TOP), 1)

    def points(self, x: Iterable[float], y: Iterable[float]) -> str:
        """Return points as the text of an SVG path; a value that is not finite interrupts the path.

        Parameters
        ----------
        x, y : iterable of float
            The values.
        """
        out, command = [], "M"
        for one, value in zip(x, y, strict=True):
            if math.isfinite(value):
                out.append(f"{command}{self.across(one):g} {self.up(value):g}")
            command = "L" if math.isfinite(value) else "M"
        return "".join(out)

    def line(self, x: Sequence[float], y: Iterable[float], colour: str, style: str = "") -> str:
        """Return a curve as SVG.

        Parameters
        ----------
        x, y : iterable of float
            The values.
        colour : str
            The colour.
        style : str
            Further attributes of the SVG element.
        """
        path = self.points(x, y)
        return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" {style}/>' if path else ""

    def area(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], style: str) -> str:
        """Return the area between two curves as SVG.

        Parameters
        ----------
        x, low, high : sequence of float
            The values.
        style : str
            Attributes of the SVG element, such as its colour.
        """
        back = self.points(reversed(x), reversed(low)).replace("M", "L", 1)
        return f'<path d="{self.points(x, high)}{back}Z" {style}/>'

    def frame(self, title: str, across: str, up: str) -> str:
        """Return title, axes, ticks and their labels as SVG.

        Parameters
        ----------
        title, across, up : str
            The title, and the labels of the horizontal and of the vertical axis.
        """
        right, ground = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = [f'<text x="{LEFT}" y="18" class="title">{html.escape(title)}</text>']
        for value in decades(*self.x):
            x = self.across(value)
            parts.append(f'<path class="grid" d="M{x} {TOP}V{ground}"/>')
            side = "end" if x > right - 12 else "middle"  # a label at the edge would be cut off
            at = min(x, right) + (RIGHT if side == "end" else 0)
            parts.append(f'<text x="{at}" y="{ground + 18}" text-anchor="{side}">{size_text(value)}</text>')
        heights = decades(*self.y) if self.log else evenly_spaced(*self.y)
        for value in heights:
            y = self.up(value)
            parts.append(f'<path class="grid" d="M{LEFT} {y}H{right}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 5}" text-anchor="end">{size_text(value)}</text>')
        if self.zero:
            y = ground - LANE / 2
            parts.append(
                f'<rect x="{LEFT}" y="{ground - LANE}" width="{right - LEFT}" height="{LANE}" class="zero"/>'
                f'<text x="{LEFT - 6}" y="{y + 5}" text-anchor="end">0</text>'
            )
        parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{ground}H{right}"/>')
        middle = (LEFT + right) / 2
        parts.append(
            f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{html.escape(across)}</text>'
        )
        parts.append(
            f'<text transform="translate(13 {(TOP + ground) / 2}) rotate(-90)" text-anchor="middle">'
            f"{html.escape(up)}</text>"
        )
        return "".join(parts)

    def marker(self, x: float, y: float | None = None) -> str:
        """Return a vertical line at x as SVG, with a point at (x, y).

        Parameters
        ----------
        x : float
            Horizontal value.
        y : float, optional
            Vertical value of the point; without it there is no point.
        """
        at, ground = self.across(x), HEIGHT - BOTTOM
        point = "" if y is None else f'<circle cx="{at}" cy="{self.up(y)}" r="5"/>'
        return f'<g class="marker"><path d="M{at} {TOP}V{ground}"/>{point}</g>'


def decades(low: float, high: float) -> list[float]:
    """Return numbers to label on a logarithmic axis: powers of ten, and numbers between them on short axes.

    Parameters
    ----------
    low, high : float
        Ends of the axis, > 0.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    stride = max(1, round((last - first) / 6))
    found: list[float] = []
    for steps in LADDERS:
        steps = steps if last - first <= 3 else (1,)
        marks = [step * 10.0**k for k in range(first, last + 1, stride) for step in steps]
        found = [value for value in marks if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(found) >= 3:
            break
    return found


def evenly_spaced(low: float, high: float) -> list[float]:
    """Return numbers to label on a linear axis from 0.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    """
    step = 0.5 if high - low > 1.6 else 0.25
    return [float(x) for x in np.arange(low, high + 1e-9, step)]


def size_text(value: float) -> str:
    """Return a number on an axis as text: powers of ten as 1e+21, others as they are usually written.

    Parameters
    ----------
    value : float
        The number.
    """
    if value and not 0.01 <= value < 1e5:
        return f"{value:.0e}"
    return tick_label(value)


def figure(content: str, description: str) -> str:
    """Return a whole figure as SVG, which screen readers read as one picture.

    Parameters
    ----------
    content : str
        The frame and the layers.
    description : str
        What the figure shows, in a sentence.
    """
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(description)}" '
        f'class="chart" xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )


# The budget in a band.

TERMS_TITLE = "The four terms of the risk, stacked"
RISK_TITLE = "Risk above the noise, and the Nyquist cliff"


def terms_chart(noise: float) -> Chart:
    """Return the axes of the stacked terms.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise.
    """
    return Chart((N[0], N[-1]), (0.0, 1.2 * (1 + noise**2)), log=False)


RISK = Chart((N[0], N[-1]), RISKS, zero=True)
"""The axes of the risk above the noise."""


def terms_frame(noise: float) -> str:
    """Return the frame of the stacked terms as SVG.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise.
    """
    return terms_chart(noise).frame(TERMS_TITLE, "examples n", "risk")


def risk_frame() -> str:
    """Return, as SVG, the axes of the chart of the excess risk (the risk minus the noise)."""
    return RISK.frame(RISK_TITLE, "examples n", "risk above the noise")


def terms_layer(curve: BandCurve) -> str:
    """Return the four terms over n as stacked areas, and the total of theory, as SVG.

    Parameters
    ----------
    curve : BandCurve
        The budgets.
    """
    chart, parts, below = terms_chart(curve.problem.noise), [], np.zeros(len(curve.n))
    for name in REMEDIES:
        above = below + curve.term(name)
        style = f'fill="{COLOURS[name]}" stroke="white" stroke-width="0.8"'
        parts.append(chart.area(curve.n, list(below), list(above), style))
        below = above
    parts.append(chart.line(curve.n, curve.theory, THEORY, 'stroke-dasharray="7 4"'))
    return "".join(parts) + _nyquist(chart, curve.problem.size)


def risk_layer(curve: BandCurve) -> str:
    """Return three curves and the line n = M as SVG: the excess risk, its lowest possible value, and theory.

    Parameters
    ----------
    curve : BandCurve
        The budgets.
    """
    best = curve.term("realizability") + curve.term("uncertainty")
    theory = curve.theory - curve.term("noise")
    lines = [
        _nyquist(RISK, curve.problem.size),
        RISK.line(curve.n, best, COLOURS["uncertainty"], 'stroke-dasharray="2 3"'),
        RISK.line(curve.n, theory, THEORY, 'stroke-dasharray="7 4"'),
        RISK.line(curve.n, curve.excess, INK),
    ]
    return "".join(lines)


def _nyquist(chart: Chart, size: int) -> str:
    """Return the vertical line n = M with its label as SVG."""
    at = chart.across(size)
    side, shift = ("end", -5) if size > 30 else ("start", 5)
    return (
        f'<path class="nyquist" d="M{at} {TOP}V{HEIGHT - BOTTOM}"/>'
        f'<text x="{at + shift}" y="{TOP + 13}" text-anchor="{side}" class="nyquist">n = M = {size}</text>'
    )


def budget_texts(curve: BandCurve, place: int) -> list[str]:
    """Return what is written about one n: the terms, the total, theory's total, the shares, and the largest.

    Parameters
    ----------
    curve : BandCurve
        The budgets.
    place : int
        Index of n.

    Returns
    -------
    list of str
        The four terms, the total, and the total of theory; then the share of each term in percent; then the
        name of the largest term.
    """
    values = [float(curve.term(name)[place]) for name in REMEDIES]
    total = sum(values)
    shares = [f"{100 * value / total:.1f}" if total > EXACT else "0" for value in values]
    texts = [*map(number_text, [*values, total, float(curve.theory[place])])]
    return [*texts, *shares, curve.largest(place) if total > EXACT else ""]


# The law of a table.


def size_chart(table: FittedTable) -> Chart:
    """Return the axes of the compute-optimal sizes.

    Parameters
    ----------
    table : FittedTable
        The fit.
    """
    budgets = table.frontier.budgets
    sizes = [one for sizes in (table.frontier.m, table.frontier.n) for one in sizes]
    ends = [*(one.low for one in sizes), *(one.high for one in sizes), *(one.estimate for one in sizes)]
    return Chart((budgets[0], budgets[-1]), _limits(ends))


def error_chart(table: FittedTable) -> Chart:
    """Return the axes of the error of compute-optimal runs.

    Parameters
    ----------
    table : FittedTable
        The fit.
    """
    assert table.frontier.error is not None
    budgets = table.frontier.budgets
    ends = [end for one in table.frontier.error for end in (one.low, one.high, one.estimate)]
    return Chart((budgets[0], budgets[-1]), _limits(ends))


def _limits(values: Iterable[float]) -> tuple[float, float]:
    """Return ends of a logarithmic axis that shows all values that are finite and > 0."""
    usable = [value for value in values if 0 < value < math.inf]
    return min(usable) / 1.1, max(usable) * 1.1


def sizes_figure(table: FittedTable) -> str:
    """Return frame and curves of the compute-optimal sizes as SVG, without the marker.

    Parameters
    ----------
    table : FittedTable
        The fit.
    """
    chart, found = size_chart(table), table.frontier
    lines = [
        _band(chart, found.budgets, found.m, VERMILION, "m*"),
        _band(chart, found.budgets, found.n, BLUE, "n*"),
        _measured(chart, table),
    ]
    return chart.frame("Compute-optimal sizes", "budget C, in operations", "size") + "".join(lines)


def error_figure(table: FittedTable) -> str:
    """Return frame and curve of the error of compute-optimal runs as SVG, without the marker.

    Parameters
    ----------
    table : FittedTable
        The fit.
    """
    assert table.frontier.error is not None
    chart, found = error_chart(table), table.frontier
    frame = chart.frame("Error at the optimal sizes", "budget C, in operations", "error")
    return frame + _band(chart, found.budgets, table.frontier.error, INK, "") + _measured(chart, table)


def _band(chart: Chart, x: Sequence[float], intervals: Sequence[Interval], colour: str, label: str) -> str:
    """Return estimates as a curve and their intervals as a band, with a label at the right end, as SVG."""
    low, high = ([max(getattr(one, end), 0.0) for one in intervals] for end in ("low", "high"))
    finite = [end if math.isfinite(end) else chart.y[1] for end in high]
    estimates = [one.estimate for one in intervals]
    area = chart.area(x, low, finite, f'fill="{colour}" fill-opacity="0.2"')
    y = chart.up(estimates[-1])
    text = f'<text x="{WIDTH - RIGHT - 4}" y="{y + 22}" text-anchor="end" fill="{colour}">{label}</text>'
    return area + chart.line(x, estimates, colour) + text


def _measured(chart: Chart, table: FittedTable) -> str:
    """Return a vertical line at the largest compute of the table as SVG."""
    at = chart.across(table.largest)
    return (
        f'<path d="M{at} {TOP}V{HEIGHT - BOTTOM}" stroke="{GREY}" stroke-dasharray="2 3"/>'
        f'<text x="{at + 5}" y="{TOP + 12}">largest run</text>'
    )


def optimum_texts(table: FittedTable, place: int) -> list[str]:
    """Return the optimal m, n, n / m and error at one budget with their intervals, and remarks, as texts.

    Parameters
    ----------
    table : FittedTable
        The fit.
    place : int
        Index of the budget.
    """
    assert table.frontier.error is not None
    found = table.frontier
    columns = (found.m, found.n, found.ratio, table.frontier.error)
    return [*(str(column[place]) for column in columns), table.remarks(place)]
