"""The style that all figures share, and figures as files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from errsrc import checks
from errsrc.checks import Instance
from errsrc.laws.law import Array

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, SILVER = "#E69F00", "#56B4E9", "#999999"
"""The colour-blind safe palette of Okabe and Ito (https://jfly.uni-koeln.de/color), and a grey."""

INK, GREY = "#222222", "#666666"
"""Colours of measured points, and of reference lines."""

PALETTE = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY, INK, SILVER, GREY)
"""All colours of figures, except for viridis where curves are ordered; the first eight distinguish curves."""

FITTED, HELD_OUT = BLUE, VERMILION

DASHED = (0, (3, 1.5))

STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "hatch.linewidth": 0.8,
    "svg.fonttype": "path",
    "svg.hashsalt": "errsrc",
}

AXES = Instance(Axes, "matplotlib Axes")
"""The rule of arguments that are Axes."""

LADDERS: tuple[tuple[float, ...], ...] = (
    (1, 3),
    (1, 2, 5),
    (1, 1.5, 2, 3, 5, 7),
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    tuple(k / 10 for k in range(10, 100)),
)
"""Steps within a decade for the numbers on a logarithmic axis, the coarsest first."""


class ShownAxes(Axes):
    """Axes that a notebook shows as a picture of the whole figure."""

    def _repr_png_(self) -> bytes:
        """Return the picture, for notebooks."""
        return png(self, dpi=100)

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Write the whole figure to a file, as ``figure.savefig`` does.

        Parameters
        ----------
        *args, **kwargs
            The arguments of matplotlib's ``Figure.savefig``, such as the path.
        """
        figure: Any = self.figure
        figure.savefig(*args, **kwargs)


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return `ax`, or the Axes of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes to draw into.
    width, height : float
        Size of a new figure, in inches.
    """
    if ax is None:
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure.subplots(subplot_kw={"axes_class": ShownAxes})
    drawn: Axes = AXES(ax, "ax", "plots")
    return drawn


def log(ax: Axes) -> Axes:
    """Make both axes logarithmic, with round tick labels, and return the Axes.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, on which everything else is drawn already.
    """
    for which in ("x", "y"):
        logarithmic(ax, which)
    return ax


def logarithmic(ax: Axes, which: str) -> None:
    """Make one axis logarithmic, with round tick labels.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, on which everything else is drawn already.
    which : {"x", "y"}
        The axis.
    """
    with warnings.catch_warnings():  # an axis without a value > 0 gets limits of its own below
        warnings.filterwarnings("ignore", "Data has no positive values")
        ax.set(**{f"{which}scale": "log"})
        axis, limits = (ax.xaxis, ax.get_xlim()) if which == "x" else (ax.yaxis, ax.get_ylim())
    usable = _usable(limits)
    if usable != limits:
        limits = usable
        ax.set(**{f"{which}lim": limits})
    found = ticks(*limits)
    if which == "x":
        found = _fitting_labels(found, limits, ax)
    axis.set_major_locator(FixedLocator(found.tolist()))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda v, _: tick_label(v)))
    axis.set_minor_formatter(NullFormatter())


def _usable(limits: tuple[float, float]) -> tuple[float, float]:
    """Return limits of a logarithmic axis that are finite, > 0 and not equal.

    An axis on which nothing is drawn, or only nan, has limits around 0; an axis of a single value has equal
    limits.
    """
    low, high = limits
    if not (np.isfinite(low) and np.isfinite(high) and high > 0):
        return 1.0, 10.0
    if low <= 0:
        return high / 10, high
    return (low / 1.05, high * 1.05) if 0 < high / low < 1.001 else limits


def _fitting_labels(found: Array, limits: tuple[float, float], ax: Axes) -> Array:
    """Return those ticks of a horizontal logarithmic axis whose labels do not touch each other.

    If labels would touch, only the ticks at 1 and 3 times powers of 10 are kept, or only the ticks at powers
    of 10, or only every k-th tick.
    """
    figure: Any = ax.get_figure()
    characters = 13 * figure.get_figwidth() * ax.get_position().width  # that fit beside each other
    decades = np.log10(found)
    exact = np.isclose(decades, np.round(decades))
    thirds = exact | np.isclose(decades, np.round(decades - np.log10(3)) + np.log10(3))
    choices = [found, found[thirds], found[exact], *(found[exact][::k] for k in (2, 3, 4)), found[::2]]
    for some in choices:
        if len(some) < 2:
            continue
        widths = np.array([_label_width(tick_label(x)) for x in some])
        gaps = characters * np.diff(np.log(some)) / np.log(limits[1] / limits[0])
        if (gaps > (widths[1:] + widths[:-1]) / 2 + 0.5).all():
            return some
    return found[:: max(1, len(found) - 1)]


def _label_width(text: str) -> float:
    """Return the width of a tick's label in characters of plain text."""
    factor, times, power = text.strip("$").partition(r"\times")
    return len(factor.strip()) + 3 + len(power) / 3 if times else (4.0 if "^" in text else len(text))


def linear(ax: Axes, which: str) -> None:
    """Put a few round tick labels on one axis, with powers of 10 if they are very small or very large.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, on which everything else is drawn already.
    which : {"x", "y"}
        The axis.
    """
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(6))
    axis.set_major_formatter(FuncFormatter(lambda v, _: tick_label(v)))


def ticks(low: float, high: float) -> Array:
    """Return round numbers in [low, high] for a logarithmic axis: 5 to 8 numbers, if possible.

    Parameters
    ----------
    low, high : float
        Ends of the axis, > 0, in any order.

    Examples
    --------
    >>> ticks(450, 60000)
    array([  500.,  1000.,  2000.,  5000., 10000., 20000., 50000.])
    >>> ticks(0.1, 0.27)
    array([0.1 , 0.12, 0.15, 0.2 , 0.25])
    """
    low, high = min(low, high), max(low, high)
    exponents = np.arange(np.floor(np.log10(low)) - 1, np.ceil(np.log10(high)) + 1)
    decades = np.array([float(f"1e{k:.0f}") for k in exponents])  # numpy's powers may be rounded
    found = decades[(decades >= low) & (decades <= high)]
    found = found[:: 1 + len(found) // 9]
    for ladder in LADDERS if len(found) < 5 else ():
        every = np.unique(np.outer(decades, np.round(ladder, 12)).ravel())
        inside = every[(every >= low) & (every <= high)]
        if len(inside) > 8:
            break
        found = inside
        if len(found) >= 5:
            break
    if len(found) < 3:  # so narrow that the axis is as good as linear
        found = np.asarray(MaxNLocator(6).tick_values(low, high))
        found = found[(found >= low) & (found <= high)]
    return found


def tick_label(value: float) -> str:
    """Return a number as text for an axis or a legend; numbers < 1e-4 or >= 1e6 become mathtext.

    Parameters
    ----------
    value : float
        The number.

    Examples
    --------
    >>> tick_label(0.05), tick_label(20_000), tick_label(1e-9)
    ('0.05', '20,000', '$10^{-9}$')
    """
    if value <= 0:
        return f"−{tick_label(-value)}" if value else "0"
    if 1e-4 <= value < 1e6:
        return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
    mantissa, _, power = f"{value:.6e}".partition("e")
    factor = f"{float(mantissa):g}"
    return f"$10^{{{int(power)}}}$" if factor == "1" else rf"${factor} \times 10^{{{int(power)}}}$"


def power_of_ten(value: float) -> str:
    r"""Return a number > 0 as text, rounded to two significant digits.

    For numbers < 1e-4 or >= 1e6, the text is mathtext with a power of ten, as in `tick_label`.

    Parameters
    ----------
    value : float
        The number.

    Examples
    --------
    >>> power_of_ten(6e18), power_of_ten(1e20), power_of_ten(2_500)
    ('$6 \\times 10^{18}$', '$10^{20}$', '2,500')
    """
    return tick_label(float(f"{value:.2g}"))


def legend_right(ax: Axes, **options: Any) -> None:
    """Put the legend to the right of the Axes, where it hides nothing.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, on which everything else is drawn already.
    **options
        Options of ``ax.legend``.
    """
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), **options)


def legend_below(ax: Axes, columns: int, **options: Any) -> None:
    """Put the legend below the Axes, so that the Axes keep the full width of the figure.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, on which everything else is drawn already.
    columns : int
        Number of columns of the legend.
    **options
        Options of ``ax.legend``.
    """
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, **options)


EDGE_LETTER = 5.5
"""Width in points of a letter of the values that `at_edges` writes."""


def at_edges(ax: Axes, x: Array, y: Array, **style: Any) -> Array:
    """Draw points; points beyond the vertical axis are drawn at its end, with an arrow and their value.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes with a logarithmic vertical axis and its final limits.  The limits are extended to make room for
        these points.
    x, y : ndarray of float64, shape (points,)
        The points.
    **style
        Options of ``ax.plot``.

    Returns
    -------
    ndarray of float64, shape (points,)
        Where the points are drawn vertically.
    """
    low, high = ax.get_ylim()
    margin = (high / low) ** 0.09
    above, below = y > high, y < low
    shown = np.where(above, high * margin**0.5, np.where(below, low / margin**0.5, y))
    ax.set_ylim(low / margin if below.any() else low, high * margin if above.any() else high)
    ax.plot(x, shown, linestyle="none", **style)
    places = ax.transData.transform(np.column_stack([x, shown]))[:, 0] * 72 / ax.figure.dpi
    taken: dict[tuple[bool, int], float] = {}  # the right end of the last text of each line
    for k in sorted(np.flatnonzero(above | below).tolist(), key=lambda k: float(places[k])):
        text = f"{'↑' if above[k] else '↓'} {tick_label(float(f'{y[k]:.3g}'))}"
        place: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 8}
        line = 0
        while places[k] < taken.get((bool(above[k]), line), -np.inf):
            line += 1
        taken[bool(above[k]), line] = float(places[k]) + 12 + EDGE_LETTER * len(text)
        place["color"] = style.get("color", INK)
        ax.annotate(text, (x[k], shown[k]), (6, 10 * line * (-1 if above[k] else 1)), **place)
    return shown


def signed(value: float, digits: int = 1) -> str:
    """Return a number as text with its sign; the sign of negative numbers is a true minus sign.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Number of decimals.  If `digits` is 6 or more, the number is written with up to 6 significant digits
        instead.
    """
    text = f"{value:+.{digits}f}" if digits < 6 else f"{value:+g}"
    return text.replace("-", "−") if float(text) else text.lstrip("+-")


@checks.arguments(ax=AXES)
def png(ax: Axes, dpi: int = 150) -> bytes:
    """Return the figure of an Axes as the bytes of a PNG file.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of the figure.
    dpi : int
        Pixels per inch.
    """
    return _saved(ax, "png", dpi=dpi, metadata={"Software": None})


@checks.arguments(ax=AXES)
def svg(ax: Axes) -> bytes:
    """Return the figure of an Axes as the bytes of an SVG file, with text as outlines.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of the figure.
    """
    return _saved(ax, "svg", metadata={"Date": None, "Creator": None})


def write_figure(ax: Axes, path: Path) -> None:
    """Write the figure of an Axes to a file, in the format of the file's suffix.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of the figure.
    path : Path
        The file, with the suffix .png, .svg or .pdf.
    """
    write = {".png": png, ".svg": svg}.get(path.suffix.lower())
    metadata = {"CreationDate": None, "Creator": None, "Producer": None}
    path.write_bytes(_saved(ax, "pdf", metadata=metadata) if write is None else write(ax))


def _saved(ax: Axes, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure: Any = ax.get_figure()
        figure.savefig(buffer, format=kind, facecolor="white", **options)
    return buffer.getvalue()
