"""Each result shows itself: one line, a table, the same as HTML, a figure, and JSON."""

from __future__ import annotations

import dataclasses
import html
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import errsrc
from errsrc import plots
from errsrc.fitting import (
    fit,
    fit_csv,
    plan,
)
from errsrc.laws import Chinchilla
from errsrc.learners import MinimumNorm
from errsrc.results import LONGEST_LINE, Interval, Result, TabularResult
from errsrc.settings import Gaussian, LinearTeacher
from errsrc.sources import budget

LABELS = [
    "fit in n", "fit in n and m", "fit in density", "joint pruning", "average", "chain", "prediction",
    "predictions in a grid", "prediction of a file", "holdout", "cells", "holdout in n", "plan", "joint plan",
    "pruned plan", "frontier", "design", "design in n", "isoflop", "isoflop group", "envelope",
    "all approaches", "comparison", "compared law", "shape", "budget", "bias and variance",
    "statistics of a text", "dimension", "bounds", "threshold", "search",
    "refuted search", "refuted search of one's own", "outcome",
    "trained family", "pruned family", "targeted run",
]  # fmt: skip


pytestmark = pytest.mark.full


def result_types() -> list[type]:
    """Every result type of errsrc that can be constructed."""
    for part in pkgutil.walk_packages(errsrc.__path__, "errsrc."):
        if part.name != "errsrc.__main__":
            importlib.import_module(part.name)
    found, left = [], [Result]
    while left:
        cls = left.pop()
        left += cls.__subclasses__()
        if cls.__module__.startswith("errsrc.") and cls is not Result and not inspect.isabstract(cls):
            found.append(cls)
    return found


ELSEWHERE = {"FinishedStudy": "tests/studies/test_finished.py", "RunSummary": "tests/sweeps/test_sweeps.py"}
"""Result types that another test prints."""


def test_every_result_type_is_shown_here(every_result: dict[str, Any]) -> None:
    """If this fails for a new type, add a result of it to `every_result`, and its label to `LABELS`."""
    assert list(every_result) == LABELS
    shown = {type(one).__name__ for one in every_result.values()} | set(ELSEWHERE)
    assert {cls.__name__ for cls in result_types()} - shown == set()


@pytest.mark.parametrize("label", LABELS)
def test_a_repr_is_one_short_line_that_starts_with_the_type(every_result: dict[str, Any], label: str) -> None:
    line = repr(every_result[label])
    assert line.startswith(f"{type(every_result[label]).__name__}(")
    assert line.endswith(")")
    assert len(line) <= LONGEST_LINE
    assert "\n" not in line
    assert "array(" not in line


@pytest.mark.parametrize("label", LABELS)
def test_results_with_rows_are_data_frames(every_result: dict[str, Any], label: str) -> None:
    result = every_result[label]
    if not isinstance(result, TabularResult):
        assert not hasattr(result, "columns") or hasattr(result, "to_frame")
        return
    columns = result.columns()
    frame = result.to_frame()
    assert list(frame.columns) == list(columns)
    assert {len(column) for column in columns.values()} == {len(frame)}


def numbers(text: str) -> set[str]:
    """The numbers in a text."""
    return set(re.findall(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", text))


@pytest.mark.parametrize("label", LABELS)
def test_html_has_the_numbers_of_the_table(every_result: dict[str, Any], label: str) -> None:
    result = every_result[label]
    shown, page = str(result), result._repr_html_()
    assert shown.strip()
    texts = html.unescape(re.sub(r"<[^>]*>", " ", page))
    if label != "prediction of a file":  # which prints as CSV, with all digits
        assert numbers(shown) == numbers(texts)
    assert page.count("<table>") == page.count("</table>")
    assert not re.search(r"<(?!/?(div|table|tr|th|td)\b)", page)


@pytest.mark.parametrize("label", LABELS)
def test_as_dict_is_strict_json(every_result: dict[str, Any], label: str) -> None:
    found = every_result[label].as_dict()
    assert found
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("label", LABELS)
def test_plot_draws_axes_that_a_notebook_shows(every_result: dict[str, Any], label: str) -> None:
    ax = every_result[label].plot()
    assert isinstance(ax, Axes)
    assert ax._repr_png_().startswith(b"\x89PNG")
    own = Figure().subplots()
    assert every_result[label].plot(own) is own
    legend = ax.get_legend()
    assert legend is None or len(legend.get_texts()) <= 10


def test_lists_of_results_are_drawn(every_result: dict[str, Any]) -> None:
    linear = LinearTeacher(6, channel=Gaussian(0.5))
    budgets = [budget(linear, MinimumNorm(), n, draws=4) for n in (3, 9, 18)]
    ax = plots.draw(budgets)
    assert ax.get_title(loc="left").replace("\n", " ") == f"{budgets[0].learner} in {budgets[0].setting}"
    assert "total" in [text.get_text() for text in ax.get_legend().get_texts()]
    plans = plan(every_result["fit in n"], budget=[2e5, 4e5])
    assert [text.get_text() for text in plots.draw(plans).texts] == ["plan", "plan"]
    one = every_result["threshold"]
    for several in ([one, one], {"a": one, "b": one}):
        assert len(plots.draw(several).get_legend().get_texts()) == 2


@pytest.mark.parametrize(
    "result", [None, 3, [], {}, [1, 2], {"a": 1}, "runs.csv", Interval(1.0, 0.0, 2.0, 0.9)]
)
def test_what_has_no_figure_is_refused_in_one_sentence(result: object) -> None:
    with pytest.raises(TypeError, match="'result' parameter of draw must be a result with a figure"):
        plots.draw(result)


# Joint fits


def test_an_isoflop_table_is_drawn_by_budget_with_few_names(isoflop_runs: dict[str, np.ndarray]) -> None:
    found = fit(Chinchilla, **isoflop_runs)
    ax = found.plot()
    assert ax.get_xlabel() == "m, model parameters"
    curves = [line for line in ax.lines if len(line.get_xdata()) == 200]
    assert len(curves) == 6
    best = np.array([line.get_xdata()[line.get_ydata().argmin()] for line in curves])
    drawn = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(drawn, best)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(texts) == 9
    assert sum(text.startswith("6 n m = ") for text in texts) == 6
    (points,) = (one for one in ax.collections if len(one.get_offsets()) == 54)
    np.testing.assert_allclose(
        np.sort(np.asarray(points.get_offsets())[:, 1]), np.sort(isoflop_runs["error"])
    )


def test_many_model_sizes_get_a_colour_bar_and_a_grid_gets_names() -> None:
    rng = np.random.default_rng(0)
    m = np.exp(rng.uniform(np.log(1e7), np.log(1e9), 54))
    n = m * np.exp(rng.uniform(np.log(5), np.log(100), 54))
    law = Chinchilla(E=1.8, A=400, B=1000, alpha=0.34, beta=0.33)
    ax = fit(Chinchilla, law.error(n=n, m=m), n=n, m=m).plot()
    assert len(ax.figure.axes) == 2
    assert len(ax.get_legend().get_texts()) == 2
    assert len([line for line in ax.lines if len(line.get_xdata()) == 120]) <= 9
    n, m = (x.ravel() for x in np.meshgrid([1e8, 4e8, 16e8], [1e7, 4e7, 16e7]))
    ax = fit(Chinchilla, law.error(n=n, m=m), n=n, m=m).plot()
    assert len(ax.figure.axes) == 1
    assert "$m = $" not in [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(ax.get_legend().get_texts()) == 5
    with pytest.raises(ValueError, match="three or more model sizes at each of a few budgets"):
        plots.curves_by_budget(fit(Chinchilla, law.error(n=n, m=m), n=n, m=m))


def test_columns_of_a_file_are_the_labels(tmp_path: Path, isoflop_runs: dict[str, np.ndarray]) -> None:
    rows = zip(*isoflop_runs.values(), strict=True)
    lines = ["tokens,params,loss", *(",".join(map(repr, map(float, row))) for row in rows)]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    columns = {"n": "tokens", "m": "params", "error": "loss"}
    found = fit_csv(tmp_path / "runs.csv", "chinchilla", columns=columns)
    of_accuracy = dataclasses.replace(found, notes={**found.notes, "accuracy": True})
    assert plots.curves_by_m(of_accuracy).get_ylabel() == "1 − loss"
    ax = plots.curves_by_m(found)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("n, tokens", "loss")
    assert ax.get_title(loc="left").startswith("chinchilla: alpha ")
