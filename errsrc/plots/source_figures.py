"""The figures of the results of `errsrc.sources`; `errsrc.plots.draw` imports this module when needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from errsrc.plots import bars, budget
from errsrc.plots.drawing import draw, draw_several
from errsrc.sources import BiasVariance, Budget, UncertaintyBracket


@draw.register
def _draw_budget(result: Budget, ax: Axes | None = None, **options: Any) -> Axes:
    return bars.budget_terms(result, ax, **options)


@draw_several.register
def _draw_budgets(first: Budget, results: Sequence[Budget], ax: Axes | None = None, **options: Any) -> Axes:
    return budget.terms(results, ax, **options)


@draw.register
def _draw_variances(result: BiasVariance, ax: Axes | None = None, **options: Any) -> Axes:
    return bars.variances(result, ax, **options)


@draw.register
def _draw_bounds(result: UncertaintyBracket, ax: Axes | None = None, **options: Any) -> Axes:
    return bars.uncertainty_bounds(result, ax, **options)
