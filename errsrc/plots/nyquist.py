"""Figures of the conjecture: errors over n / n_Nyq, and how close searches came to a counterexample."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from errsrc import checks
from errsrc.plots.labels import wrapped
from errsrc.plots.style import (
    BLUE,
    GREY,
    PALETTE,
    STYLE,
    VERMILION,
    axes,
    legend_right,
    log,
    logarithmic,
    png,
)

if TYPE_CHECKING:  # importing the package imports torch, which figures of fits do not need
    from errsrc.conjecture import Threshold

COLOURS = PALETTE[:8]

MARKERS = "osD^v<>PX"  # one more than the colours, so that pairs of mark and colour repeat late

WIDEST = 40
"""Letters in a line of a curve's label; a label has at most three lines."""


def cliff(result: Mapping[str, Threshold], ax: Axes | None = None) -> Axes:
    """Draw median relative errors over n / n_Nyq on logarithmic axes, one curve for each learner.

    n_Nyq is the smallest n at which a learner can be exact.  Bands reach from the lower to the upper quartile
    over draws.  The vertical line is at n = n_Nyq.  Below the dotted line, a learner counts as exact.

    Parameters
    ----------
    result : mapping of str to Threshold
        Thresholds by the label of the learner.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    TypeError
        If `result` is not a mapping of labels to thresholds.
    ValueError
        If `result` is empty.
    """
    from errsrc.conjecture import Threshold

    if not result:
        raise ValueError(checks.refusal("result", "cliff", "one threshold or more", result))
    if not (isinstance(result, Mapping) and all(isinstance(one, Threshold) for one in result.values())):
        raise TypeError(checks.refusal("result", "cliff", "a dict of thresholds by label", result))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.8, 4.4)
        styles = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), strict=False)
        for (label, found), (colour, marker) in zip(result.items(), styles, strict=False):
            x = found.n / found.n_nyquist
            low, high = (
                np.array([np.quantile(found.errors[int(n)], q) for n in found.n]) for q in (0.25, 0.75)
            )
            low, high = np.maximum(low, 1e-17), np.maximum(high, 1e-17)
            ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            shown = np.maximum(found.medians, 1e-17)
            name = "\n".join(textwrap.wrap(label, WIDEST, max_lines=3, placeholder="…"))
            ax.plot(x, shown, color=colour, marker=marker, markersize=3.5, linewidth=1.3, label=name)
        one = next(iter(result.values()))
        ax.axvline(1.0, color=GREY, linewidth=1.0)
        ax.axhline(one.tolerance, color=GREY, linewidth=1.0, linestyle=(0, (1, 1.5)))
        ax.set(xlabel="n / n_Nyq", ylabel="relative error, median of draws")
        settings = {found.setting for found in result.values()}
        if len(settings) == 1:
            ax.set_title(wrapped(settings.pop()))
        legend_right(ax)
        return log(ax)


def hardest(result: Sequence[tuple[str, str, int, int, float]], ax: Axes | None = None) -> Axes:
    """Draw the largest ratio of error to bound in each part of a search for counterexamples.

    A ratio above 1 refutes the claim.  A part consists of all examples with one basis and one design of nodes
    (labelled inputs).

    The number in brackets behind the name of a part is the number of tested examples.

    Parameters
    ----------
    result : sequence of tuples
        (basis, nodes, tested, not tested, largest ratio) of each part of the search.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    TypeError
        If `result` does not consist of such tuples.
    ValueError
        If no part has a tested example.
    """
    rows_of_parts = isinstance(result, Sequence) and not isinstance(result, str)
    if not rows_of_parts or not all(isinstance(part, (tuple, list)) and len(part) == 5 for part in result):
        accepted = "a list of (basis, nodes, tested, not tested, largest ratio)"
        raise TypeError(checks.refusal("result", "hardest", accepted, result))
    parts = [part for part in result if part[2]]
    if not parts:
        raise ValueError(checks.refusal("result", "hardest", "parts with an example tested", result))
    with mpl.rc_context(STYLE):
        ax = axes(ax, 6.0, 1.2 + 0.2 * len(parts))
        rows = np.arange(len(parts))[::-1]
        for row, (_, _, _, _, worst) in zip(rows, parts, strict=True):
            mark, colour = ("o", BLUE) if worst <= 1 else ("X", VERMILION)
            ax.plot(max(worst, 1e-6), row, mark, markersize=5, color=colour)
        names = [f"{basis}, {nodes.lower()} ({tested:,})" for basis, nodes, tested, _, _ in parts]
        ax.set_yticks(rows, names)
        ax.axvline(1.0, color=GREY, linewidth=1.0)
        ax.set(xlabel="worst error / bound (above 1 refutes)", ylim=(-0.7, len(parts) - 0.3))
        logarithmic(ax, "x")
        return ax


def save_cliffs(settings: Iterable[Mapping[str, Threshold]], path: Path) -> list[Path]:
    """Write PATH_cliff_1.png, PATH_cliff_2.png, ..., a figure for each setting, and return the paths.

    Parameters
    ----------
    settings : iterable of mappings of str to Threshold
        Thresholds by the label of the learner, for each setting.
    path : Path
        Beginning of the paths of the files.
    """
    return [_save_png(path, f"cliff_{k}", cliff(found)) for k, found in enumerate(settings, 1)]


def save_searches(searches: Iterable[Sequence[tuple[str, str, int, int, float]]], path: Path) -> list[Path]:
    """Write a figure PATH_search_K.png for the K-th search, K = 1, 2, ..., and return the paths.

    A search that tested no example has no figure.

    Parameters
    ----------
    searches : iterable of sequences of tuples
        The parts of each search, see `hardest`.
    path : Path
        Beginning of the paths of the files.
    """
    shown = [(k, parts) for k, parts in enumerate(searches, 1) if any(part[2] for part in parts)]
    return [_save_png(path, f"search_{k}", hardest(parts)) for k, parts in shown]


def _save_png(path: Path, name: str, ax: Axes) -> Path:
    """Write a figure as PNG, and return where."""
    target = path.with_name(f"{path.name}_{name}.png")
    target.write_bytes(png(ax))
    return target
