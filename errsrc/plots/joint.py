"""Figures of laws in data size n and model size m: one curve for each model size, or for each budget."""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from errsrc import checks
from errsrc.checks import Instance
from errsrc.fitting.anomalies import FAR, LARGEST_FAR_SHARE, SMALLEST_FAR
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.plans import training_flops
from errsrc.fitting.several_laws import weighted_fits
from errsrc.laws.law import Array
from errsrc.plots.labels import error_label, law_title, size_label
from errsrc.plots.style import (
    DASHED,
    INK,
    STYLE,
    at_edges,
    axes,
    legend_right,
    log,
    logarithmic,
    tick_label,
    ticks,
)

MOST_NAMED = 7
"""Largest number of curves that the legend names; more curves get a colour bar."""

MOST_CURVES = 9
"""Largest number of curves of a law; with more model sizes, curves are drawn for some of them."""

SAME_BUDGET = 0.15
"""Budgets whose logarithms differ by at most this belong to one budget."""

JOINT = Instance(Forecast, "a fit of a law in n and m, or an average of such fits")
"""The rule of arguments that are a fit of a joint law."""


class _Colours(NamedTuple):
    """Colours of a size on a logarithmic scale."""

    norm: LogNorm
    cmap: Colormap

    def __call__(self, value: float) -> Any:
        return self.cmap(self.norm(value))


@checks.arguments(fit=JOINT)
def curves_by_m(fit: Forecast, ax: Axes | None = None) -> Axes:
    """Draw error against n with one curve for each model size m, and the measured points.

    A curve is solid over the range of n that was measured with its m.  The curve is dashed over the rest of
    the range of all n, where the law extrapolates.  A legend names up to 7 model sizes.  A colour bar
    replaces the legend if there are more.

    Parameters
    ----------
    fit : Forecast
        A fit of a law in n and m, or an average of such fits.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the law has other inputs than n and m.
    """
    n, m, error = _measured(fit, "curves_by_m")
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.6)
        colours = colours_of(m)
        chosen = _chosen(np.unique(m))
        for size in chosen:
            own = n[m == size]
            grid = np.geomspace(n.min(), n.max(), 120)
            curve = fit.predict(n=grid, m=size).predicted
            ax.plot(grid, curve, color=colours(size), linestyle=DASHED, linewidth=1.0, zorder=2)
            inside = (grid >= own.min() * (1 - 1e-9)) & (grid <= own.max() * (1 + 1e-9))
            ax.plot(grid[inside], curve[inside], color=colours(size), zorder=2)
        far = _points(fit, ax, "n", error, m, colours)
        solid = bool((np.unique(m, return_counts=True)[1] > 1).any())
        more = draw_far(ax, n, error, far)
        _name_colours(ax, colours, np.unique(m), "m", size_label(fit, "m"), solid, *more)
        return ax


@checks.arguments(fit=JOINT)
def curves_by_budget(fit: Forecast, ax: Axes | None = None) -> Axes:
    """Draw error against m with one curve for each budget 6 * n * m, and the measured points.

    This is an isoFLOP figure.  A diamond marks the lowest error of the law at each budget.  Runs with budgets
    that differ by at most 16% count as runs of one budget.

    Parameters
    ----------
    fit : Forecast
        A fit of a law in n and m, or an average of such fits, to several model sizes at each of a few
        budgets.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the law has other inputs, or if the points do not have three or more model sizes at each budget.
    """
    n, m, error = _measured(fit, "curves_by_budget")
    budget = budgets_of(n, m)
    if budget is None:
        accepted = "of points with three or more model sizes at each of a few budgets 6 n m"
        raise ValueError(checks.refusal("fit", "curves_by_budget", accepted, f"<{len(n)} points>"))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 7.6, 4.6)
        colours = colours_of(budget)
        for one in np.unique(budget):
            own = m[budget == one]
            grid = np.geomspace(own.min() / 1.3, own.max() * 1.3, 200)
            curve = fit.predict(n=one / (6 * grid), m=grid).predicted
            ax.plot(grid, curve, color=colours(one), zorder=2)
            best = int(curve.argmin())
            if 0 < best < len(grid) - 1:
                mark: Any = {"markeredgecolor": "white", "markersize": 8, "zorder": 4, "color": INK}
                ax.plot(grid[best], curve[best], "D", **mark)
        far = _points(fit, ax, "m", error, budget, colours)
        best_mark = Line2D([], [], color=INK, marker="D", linestyle="none", label="lowest error of the law")
        more = [best_mark, *draw_far(ax, m, error, far)]
        _name_colours(ax, colours, np.unique(budget), "6 n m", "budget 6 n m, flops", True, *more)
        return ax


def _points(
    fit: Forecast, ax: Axes, name: str, error: Array, values: Array, colours: _Colours
) -> NDArray[np.bool_]:
    """Draw the points that are not far from the law, with labels of the axes; return a mask of the far ones.

    The points are drawn over the input `name`, in the colours of `values`.
    """
    far = far_points(fit, error)
    style: Any = {"norm": colours.norm, "cmap": colours.cmap, "edgecolors": "white"}
    x = fit.inputs[name][~far]
    ax.scatter(x, error[~far], c=values[~far], s=26, linewidths=0.5, zorder=3, **style)
    ax.set(xlabel=size_label(fit, name), ylabel=error_label(fit), title=law_title(fit))
    log(ax)
    return far


def far_points(fit: Forecast, error: Array) -> NDArray[np.bool_]:
    """Return a mask of the measured errors that are so far from the law that they are probably wrong.

    Parameters
    ----------
    fit : Forecast
        The fit.
    error : ndarray of float64, shape (points,)
        Measured errors at the inputs of the fit; nan where they are not known.
    """
    residual = np.abs(np.log(error) - fit.curves(**fit.inputs)[0])
    free = max([len(one.intervals) for one, _ in weighted_fits(fit)], default=0)
    degrees = len(error) - free
    if degrees < 3 or not np.isfinite(residual).all():
        return np.zeros(len(error), dtype=bool)
    scale = float(np.median(np.sort(residual)[free:])) / 0.6745
    far = (residual > FAR * (1 + 4 / degrees) * scale) & (residual > SMALLEST_FAR)
    return far if far.sum() <= LARGEST_FAR_SHARE * len(far) else np.zeros(len(error), dtype=bool)


def draw_far(ax: Axes, x: Array, error: Array, far: NDArray[np.bool_]) -> list[Line2D]:
    """Draw points that are far from the law as crosses; points beyond the axis are drawn at its end.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, with the law and all other points.
    x, error : ndarray of float64, shape (points,)
        All points.
    far : ndarray of bool, shape (points,)
        True for the points that are far from the law.

    Returns
    -------
    list of Line2D
        The entry of the legend; empty if no point is far.
    """
    if not far.any():
        return []
    logarithmic(ax, "y")
    style: dict[str, Any] = {"color": INK, "marker": "x", "markersize": 6}
    label = "far from the law"
    at_edges(ax, x[far], error[far], **style, zorder=6, label=label)
    return [Line2D([], [], **style, linestyle="none", label=label)]


def budgets_of(n: Array, m: Array) -> Array | None:
    """Return the budget 6 * n * m of each run, or None if the runs do not share budgets.

    Parameters
    ----------
    n, m : ndarray of float64, shape (points,)
        Sizes of the runs.

    Returns
    -------
    ndarray of float64, shape (points,), or None
        The budgets; runs that share a budget have exactly the same number.  None if a budget has fewer than
        three model sizes, if the runs of a budget differ too much in 6 * n * m, or if there are at least as
        many budgets as model sizes.

    Examples
    --------
    >>> m = np.tile([1e6, 2e6, 4e6, 8e6], 2)
    >>> budgets_of(np.repeat([1e15, 1e16], 4) / (6 * m), m)
    array([1.e+15, 1.e+15, 1.e+15, 1.e+15, 1.e+16, 1.e+16, 1.e+16, 1.e+16])
    """
    logs = np.log(training_flops(n, m))
    order = np.argsort(logs)
    group = np.empty(len(logs), dtype=int)
    group[order] = np.concatenate([[0], np.cumsum(np.diff(logs[order]) > SAME_BUDGET)])
    count = int(group.max()) + 1
    several = all(
        len(np.unique(m[group == k])) >= 3 and np.ptp(logs[group == k]) <= 2 * SAME_BUDGET
        for k in range(count)
    )
    if not several or count >= len(np.unique(m)):
        return None
    centres = np.array([np.exp(logs[group == k].mean()) for k in range(count)])
    rounded: Array = np.array([float(f"{centre:.3g}") for centre in centres])[group]
    return rounded


def _measured(fit: Forecast, where: str) -> tuple[Array, Array, Array]:
    """Return n, m and the error of the measured points; raise ValueError for a law in other inputs."""
    if set(fit.input_names) != {"n", "m"}:
        got = f"<a law in {', '.join(fit.input_names)}>"
        raise ValueError(checks.refusal("fit", where, "of a law in n and m", got))
    n, m = (np.asarray(fit.inputs[name], dtype=np.float64) for name in ("n", "m"))
    error = next((one.error for one, _ in weighted_fits(fit)), np.full(len(n), np.nan))
    return n, m, error


def colours_of(sizes: Array) -> _Colours:
    """Return colours of the map viridis for sizes, on a logarithmic scale.

    Parameters
    ----------
    sizes : ndarray of float64
        The sizes, > 0.
    """
    low, high = float(sizes.min()), float(sizes.max())
    cmap = ListedColormap(mpl.colormaps["viridis"](np.linspace(0.0, 0.86, 256)))
    return _Colours(LogNorm(low, high if high > low else low * 1.001), cmap)


def _chosen(sizes: Array) -> Array:
    """Return the sizes that get a curve: all if they are few, otherwise some, evenly spread."""
    if len(sizes) <= MOST_CURVES:
        return sizes
    wanted = np.linspace(np.log(sizes[0]), np.log(sizes[-1]), MOST_CURVES)
    nearest = np.abs(np.log(sizes)[None, :] - wanted[:, None]).argmin(axis=1)
    chosen: Array = sizes[np.unique(nearest)]
    return chosen


def _name_colours(
    ax: Axes, colours: _Colours, sizes: Array, name: str, label: str, solid: bool, *more: Line2D
) -> None:
    """Name the sizes in a legend if they are few, and otherwise show them by a colour bar."""
    measured = Line2D([], [], color=INK, marker="o", markersize=5, linestyle="none", label="measured")
    law = Line2D([], [], color=INK, linestyle="solid" if solid else DASHED, label="law")
    handles = [measured, law, *more]
    if len(sizes) <= MOST_NAMED:
        named = [Line2D([], [], color=colours(x), label=f"{name} = {size_text(x)}") for x in sizes]
        legend_right(ax, handles=[*named, *handles])
        return
    colour_bar(ax, colours, sizes, label)
    ax.legend(handles=handles, loc="best")


def size_text(size: float) -> str:
    """Return a size as text for a legend, to three digits from a million on.

    Parameters
    ----------
    size : float
        The size, > 0.
    """
    return tick_label(float(f"{size:.3g}") if size >= 1e6 else size)


def colour_bar(ax: Axes, colours: _Colours, sizes: Array, label: str) -> None:
    """Add a colour bar with round tick labels.

    Parameters
    ----------
    ax : matplotlib Axes
        The Axes, drawn already.
    colours : _Colours
        The colours, see `colours_of`.
    sizes : ndarray of float64
        The sizes that have these colours.
    label : str
        Text that says what the sizes are.
    """
    figure: Any = ax.get_figure()
    bar = figure.colorbar(ScalarMappable(colours.norm, colours.cmap), ax=ax, label=label, pad=0.02)
    places = ticks(float(sizes.min()), float(sizes.max()))
    bar.set_ticks(places, labels=[tick_label(x) for x in places])
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
