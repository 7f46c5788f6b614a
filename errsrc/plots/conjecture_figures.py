"""The figures of the results of `errsrc.conjecture`; `errsrc.plots.draw` imports this module when needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from errsrc import records
from errsrc.conjecture import Outcome, OwnSearch, Search, Threshold
from errsrc.plots import nyquist
from errsrc.plots.drawing import draw, draw_labelled, draw_several
from errsrc.plots.labels import wrapped


@draw.register
def _draw_threshold(result: Threshold, ax: Axes | None = None, **options: Any) -> Axes:
    return nyquist.cliff({result.learner or "learner": result}, ax, **options)


@draw_several.register
def _draw_thresholds(
    first: Threshold, results: Sequence[Threshold], ax: Axes | None = None, **options: Any
) -> Axes:
    labels = {one.learner or f"learner {k}": one for k, one in enumerate(results, 1)}
    if len(labels) < len(results):
        labels = {f"{k}: {one.learner}": one for k, one in enumerate(results, 1)}
    return nyquist.cliff(labels, ax, **options)


@draw_labelled.register
def _draw_by_label(
    first: Threshold, results: Mapping[str, Threshold], ax: Axes | None = None, **options: Any
) -> Axes:
    return nyquist.cliff(results, ax, **options)


@draw.register
def _draw_search(result: Search, ax: Axes | None = None, **options: Any) -> Axes:
    drawn = nyquist.hardest(result.parts, ax, **options)
    claim = f"{records.text(result.claim)}: {result.verdict}, {result.tested:,} examples tested"
    drawn.set_title(wrapped(claim, 44), loc="left", fontsize=11)
    return drawn


@draw.register
def _draw_own_search(result: OwnSearch, ax: Axes | None = None, **options: Any) -> Axes:
    part = ("all examples", result.verdict, result.tested, 0, result.worst)
    drawn = nyquist.hardest([part], ax, **options)
    drawn.set_title(wrapped(result.headline(), 44), loc="left", fontsize=11)
    return drawn


@draw.register
def _draw_outcome(result: Outcome, ax: Axes | None = None, **options: Any) -> Axes:
    return nyquist.hardest([("example", result.verdict, 1, 0, result.ratio)], ax, **options)
