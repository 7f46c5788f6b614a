"""The function that draws a result as the figure for its type."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from errsrc import checks
from errsrc.curves.verdicts import CurveShape
from errsrc.fitting.chained_laws import ChainedFit
from errsrc.fitting.comparisons import ComparedLaw, Comparison
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.holdouts import Holdout, JudgedCells
from errsrc.fitting.one_law import Fit
from errsrc.fitting.plans import Plan
from errsrc.fitting.pruned_plans import PrunedPlan
from errsrc.fitting.several_laws import weighted_fits
from errsrc.laws.joint_pruning import JointPruning
from errsrc.plots import bars, joint, pruning, scaling, shape
from errsrc.plots.labels import law_title
from errsrc.plots.style import STYLE, ShownAxes

REGISTERED_LATER = {
    "errsrc.sources": "errsrc.plots.source_figures",
    "errsrc.conjecture": "errsrc.plots.conjecture_figures",
    "errsrc.theory": "errsrc.plots.theory_figures",
}
"""{package: module that registers the figures of its results}, for packages that no other figure needs."""


@functools.singledispatch
def draw(result: Any, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a result as the figure for its type; ``result.plot()`` calls this function.

    Register a function for a result type of your own::

        @errsrc.plots.draw.register
        def _(result: MyResult, ax=None, **options):
            ...
            return ax

    Parameters
    ----------
    result : Result, list of Budget, list of Plan, or dict of str to Threshold
        The result.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    **options
        Options of the function that draws this type of result.

    Returns
    -------
    matplotlib Axes
        The Axes.

    Raises
    ------
    TypeError
        If there is no figure for the type of the result.
    """
    return _function_for(draw, result)(result, ax, **options)


@functools.singledispatch
def draw_several(first: Any, results: Sequence[Any], ax: Axes | None = None, **options: Any) -> Axes:
    """Draw several results of the same type in one figure.

    Parameters
    ----------
    first : Result
        The first entry, whose type selects the figure.
    results : sequence of Result
        All entries.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    **options
        Options of the function that draws lists of this type of result.

    Returns
    -------
    matplotlib Axes
        The Axes.

    Raises
    ------
    TypeError
        If there is no figure for lists of this type.
    """
    return _function_for(draw_several, first, results)(first, results, ax, **options)


def _function_for(dispatcher: Any, first: Any, shown: Any = None) -> Callable[..., Axes]:
    """Return the function registered for a type, after an import of the module that may register it."""
    for cls in type(first).__mro__:
        package = ".".join(cls.__module__.split(".")[:2])
        if package in REGISTERED_LATER:
            importlib.import_module(REGISTERED_LATER[package])
    found: Callable[..., Axes] = dispatcher.dispatch(type(first))
    if found is dispatcher.dispatch(object):
        accepted = "a result with a figure, or one whose type is registered with errsrc.plots.draw.register"
        raise TypeError(checks.refusal("result", "draw", accepted, first if shown is None else shown))
    return found


@draw.register(list)
@draw.register(tuple)
def _draw_list(result: Any, ax: Axes | None = None, **options: Any) -> Axes:
    first = result[0] if result else None
    if any(type(one) is not type(first) for one in result):
        first = None
    return _function_for(draw_several, first, result)(first, result, ax, **options)


@draw.register(dict)
def _draw_dict(result: Mapping[str, Any], ax: Axes | None = None, **options: Any) -> Axes:
    """Draw results by label, such as the thresholds of several learners."""
    first = next(iter(result.values()), None)
    if any(type(one) is not type(first) for one in result.values()):
        first = None
    return _function_for(draw_labelled, first, result)(first, result, ax, **options)


@functools.singledispatch
def draw_labelled(first: Any, results: Mapping[str, Any], ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a dict with labels as keys, whose values are results of one type.

    Parameters
    ----------
    first : Result
        The first entry, whose type selects the figure.
    results : mapping of str to Result
        All entries.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    **options
        Options of the function that draws dicts of this type of result.
    """
    return _function_for(draw_labelled, first, results)(first, results, ax, **options)


@draw.register
def _draw_forecast(result: Forecast, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a fit in the way that suits its inputs."""
    names, fits = result.input_names, weighted_fits(result)
    if len(fits) == 1 and fits[0][0] is not result:  # an average of a single law
        return draw(fits[0][0], ax, **options)
    if names == ("n",):
        return scaling.curve(result, ax, **options)
    if len(names) == 1:
        return scaling.single_input(result, ax, **options)
    if set(names) == {"n", "m"}:
        sizes = (np.asarray(result.inputs[name], dtype=np.float64) for name in ("n", "m"))
        by_budget = joint.budgets_of(*sizes) is not None
        return (joint.curves_by_budget if by_budget else joint.curves_by_m)(result, ax, **options)
    return scaling.agreement(result, ax, **options)


@draw.register
def _draw_fit(result: Fit, ax: Axes | None = None, **options: Any) -> Axes:
    if isinstance(result.law, JointPruning):
        return pruning.invariant(result, ax, **options)
    return _draw_forecast(result, ax, **options)


@draw.register
def _draw_chain(result: ChainedFit, ax: Axes | None = None, **options: Any) -> Axes:
    return pruning.chain(result, ax, **options)


@draw.register
def _draw_prediction(result: Prediction, ax: Axes | None = None, **options: Any) -> Axes:
    return scaling.predictions(result, ax, **options)


@draw.register
def _draw_cells(result: JudgedCells, ax: Axes | None = None, **options: Any) -> Axes:
    return scaling.cells(result, ax, **options)


@draw.register
def _draw_holdout(result: Holdout, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw extrapolation and parity side by side in a new figure; the extrapolation alone in given Axes."""
    if ax is not None:
        return scaling.extrapolation_of(result, ax, **options)
    figure = Figure(figsize=(12.4, 4.9), layout="constrained")
    with mpl.rc_context(STYLE):
        widths = {"width_ratios": (7.6, 4.6)}
        left, right = figure.subplots(1, 2, gridspec_kw=widths, subplot_kw={"axes_class": ShownAxes})
        scaling.parity(result, right)
        scaling.extrapolation_of(result, left, **options)
        left.set_title(law_title(result.forecast))
    drawn: Axes = left
    return drawn


@draw.register
def _draw_comparison(result: Comparison, ax: Axes | None = None, **options: Any) -> Axes:
    return bars.misses(result, ax, **options)


@draw.register
def _draw_compared_law(result: ComparedLaw, ax: Axes | None = None, **options: Any) -> Axes:
    if result.fit is None:
        raise ValueError(checks.refusal("result", "draw", "a law that could be fitted", result))
    return draw(result.fit, ax, **options)


@draw.register
def _draw_plan(result: Plan, ax: Axes | None = None, **options: Any) -> Axes:
    return scaling.planned(result, ax, **options)


@draw_several.register
def _draw_plans(first: Plan, results: Sequence[Plan], ax: Axes | None = None, **options: Any) -> Axes:
    return scaling.planned(first, ax, more=results[1:], **options)


@draw.register
def _draw_pruned_plan(result: PrunedPlan, ax: Axes | None = None, **options: Any) -> Axes:
    return bars.weights_left(result, ax, **options)


@draw.register
def _draw_shape(result: CurveShape, ax: Axes | None = None, **options: Any) -> Axes:
    return shape.candidates(result, ax, **options)
