"""The figures of the results of `errsrc.theory`; `errsrc.plots.draw` imports this module when needed."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from errsrc.plots.drawing import draw
from errsrc.plots.labels import wrapped
from errsrc.plots.style import (
    DASHED,
    FITTED,
    GREY,
    HELD_OUT,
    INK,
    STYLE,
    ShownAxes,
    axes,
    legend_below,
    log,
    logarithmic,
)
from errsrc.theory import IntrinsicDimension, TextExponents


def entropies(result: TextExponents, ax: Axes | None = None) -> Axes:
    """Draw the conditional entropies of a corpus above the entropy rate, and the power law through them.

    Parameters
    ----------
    result : TextExponents
        The statistics of a corpus.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 5.2, 4.2)
        rate = result.entropy_rate.estimate
        known, used = result.orders > 0, result.order_used
        k, above = result.orders, result.entropies - rate
        left_out = known & ~used & (above > 0)
        ax.plot(
            k[known],
            result.held_out[known] - rate,
            "o",
            color=HELD_OUT,
            label="n-grams of one half, on the other half",
        )
        _marks(ax, k, above, (used, left_out), ("estimated entropy", "estimate not used"))
        _line(ax, k[used], above[used], result.gamma.estimate, f"gamma {result.gamma}")
        what = "H_k" if rate == 0 else f"H_k − {rate:.3g}"
        ax.set(xlabel="k, known tokens before the next", ylabel=f"entropy {what}, nats")
        log(ax)
        legend_below(ax, 1)
        return ax


def correlations(result: TextExponents, ax: Axes | None = None) -> Axes:
    """Draw the correlation of two tokens against their distance, and the power law through it.

    Parameters
    ----------
    result : TextExponents
        The statistics of a corpus.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 5.2, 4.2)
        t, norm, used = result.distances, result.correlations, result.distance_used
        left_out = ~used & (norm > 0)
        _marks(ax, t, norm, (used, left_out), ("correlation without sampling noise", "not used"))
        floor = result.floors > 0
        ax.plot(t[floor], result.floors[floor], color=GREY, linestyle=DASHED, label="sampling noise")
        _line(ax, t[used], norm[used], result.beta.estimate, f"beta {result.beta}")
        ax.set(xlabel="t, distance of two tokens", ylabel="norm of the covariance")
        log(ax)
        legend_below(ax, 1)
        return ax


def _marks(
    ax: Axes,
    x: NDArray[Any],
    y: NDArray[Any],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    labels: tuple[str, str],
) -> None:
    """Draw the points of the first mask as filled marks, and those of the second mask as open marks."""
    for mask, label, face in zip(masks, labels, (INK, "white"), strict=True):
        if mask.any():
            ax.plot(x[mask], y[mask], "o", color=INK, markerfacecolor=face, label=label)


def dimensions(result: IntrinsicDimension, ax: Axes | None = None) -> Axes:
    """Draw the intrinsic dimension against the number of points of the subsamples.

    Parameters
    ----------
    result : IntrinsicDimension
        The dimension of a data set.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    """
    with mpl.rc_context(STYLE):
        ax = axes(ax, 5.6, 3.6)
        values = np.array([[one.estimate, one.low, one.high] for one in result.dimensions])
        spread = np.abs(values[:, 1:].T - values[:, 0])
        ax.errorbar(
            result.sizes, values[:, 0], spread, fmt="o-", color=INK, ecolor=INK, capsize=2.5, markersize=4
        )
        title = f"2 / d = {result.nearest_neighbour}, 4 / d = {result.networks} at the largest n"
        ax.set(xlabel="n, points of a subsample", ylabel="intrinsic dimension d", title=wrapped(title, 60))
        ax.set_ylim(0, 1.1 * values[:, 2].max())
        logarithmic(ax, "x")
        return ax


def _line(ax: Axes, x: Any, y: Any, exponent: float, label: str) -> None:
    """Draw the straight line through the logarithms of points."""
    middle = np.exp(np.log(x).mean()), np.exp(np.log(y).mean())
    span = np.array([x.min() / 1.1, x.max() * 1.1])
    ax.plot(span, middle[1] * (span / middle[0]) ** -exponent, color=FITTED, label=label, zorder=1)


@draw.register
def _draw_dimension(result: IntrinsicDimension, ax: Axes | None = None, **options: Any) -> Axes:
    return dimensions(result, ax, **options)


@draw.register
def _draw_text_exponents(result: TextExponents, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw entropies and correlations side by side in a new figure; the entropies alone in given Axes."""
    if ax is not None:
        return entropies(result, ax, **options)
    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    with mpl.rc_context(STYLE):
        left, right = figure.subplots(1, 2, subplot_kw={"axes_class": ShownAxes})
        correlations(result, right)
        entropies(result, left, **options)
        left.set_title(f"alpha = gamma / (2 beta) = {result.alpha}")
    drawn: Axes = left
    return drawn
