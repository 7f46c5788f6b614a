"""The figure of a result, by its type."""

from __future__ import annotations

import functools
from typing import Any

from matplotlib.axes import Axes

from errsrc import checks


@functools.singledispatch
def draw(result: Any, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a result in the way that suits its type; `errsrc.results.Result.plot` calls this function.

    Register a function for a result type of your own::

        @errsrc.plots.draw.register
        def _(result: MyResult, ax=None, **options):
            ...
            return ax

    Parameters
    ----------
    result : Result, or list of Budget
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
        For a result of a type that has no figure.
    """
    accepted = "a result with a figure, or one whose type is registered with errsrc.plots.draw.register"
    raise TypeError(checks.refusal("result", "draw", accepted, result))
