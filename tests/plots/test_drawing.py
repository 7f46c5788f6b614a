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
from errsrc.bases import Torus
from errsrc.conjecture import Claim, Example, Region, examine, search, threshold
from errsrc.curves import curve_shape
from errsrc.fitting import (
    ChainedFit,
    auto,
    fewest_weights,
    fit,
    fit_csv,
    frontier,
    holdout,
    plan,
    predict_csv,
)
from errsrc.laws import Chinchilla, Dense, JointPruning, Power, Pruning
from errsrc.learners import BandLeastSquares, MinimumNorm, Ridge
from errsrc.results import LONGEST_LINE, Interval, Result, json_value
from errsrc.settings import BandTeacher, Gaussian, LinearTeacher
from errsrc.sources import UncertaintyBracket, bias_variance, budget
from errsrc.studies.pruned import PrunedFamily
from errsrc.studies.trained import TrainedFamily

N = 1000 * 2.0 ** np.arange(8)
WIGGLE = 1 + 0.02 * np.cos(np.arange(8.0) ** 2)


def isoflop_table(budgets: int = 6, sizes: int = 9) -> dict[str, np.ndarray]:
    """A table of runs with equal budgets, as scaling researchers make them: each run has another m."""
    spent = np.repeat(6e18 * 3.0 ** np.arange(budgets), sizes)
    m = np.tile(np.geomspace(0.2, 5, sizes), budgets) * 1e8 * (spent / 6e18) ** 0.5
    m *= 1 + 0.01 * np.cos(np.arange(len(m)) ** 2)
    n = spent / (6 * m)
    law = Chinchilla(E=1.8, A=400, B=1000, alpha=0.34, beta=0.33)
    return {"n": n, "m": m, "error": law.error(n=n, m=m) * (1 + 0.002 * np.cos(np.arange(len(m)) ** 2))}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A result of each type, by a label."""
    error = Power(0.1, 3, 0.4).error(n=N) * WIGGLE
    power = fit(Power, error, n=N)
    table = isoflop_table(3, 5)
    chinchilla, iso = fit(Chinchilla, **table), isoflop(**table)
    density, depth, width = (
        x.ravel() for x in np.meshgrid(0.8 ** np.arange(16), [1.0, 2.0], [8.0, 16.0], indexing="ij")
    )
    eps_np = 0.06 * depth**-0.1 * width**-0.2
    law = JointPruning(eps_up=0.9, gamma=0.9, p=0.3, phi=0.8, psi=1.6)
    pruned_error = law.error(density=density, depth=depth, width=width, eps_np=eps_np)
    joint = fit(JointPruning, pruned_error, density=density, depth=depth, width=width, eps_np=eps_np)
    one = (depth == 1) & (width == 8)
    n, m = (x.ravel() for x in np.meshgrid([1e3, 2e3, 4e3, 8e3, 16e3], [1e3, 4e3, 16e3, 64e3]))
    truth = Dense(0.9, 0.4, 0.6, 0.2, 0.02, 4.0, n_full=16e3, m_base=64e3)
    grid = truth.error(n=n, m=m) * (1 + 0.01 * np.cos(np.arange(len(n)) ** 2))
    file = tmp_path_factory.mktemp("runs") / "runs.csv"
    file.write_text("n,error\n" + "".join(f"{x:.0f},{e}\n" for x, e in zip(N, error, strict=True)))
    linear, torus = LinearTeacher(6, channel=Gaussian(0.5)), BandTeacher(Torus(2))
    exact = threshold(torus, BandLeastSquares(Torus(2)), ratios=(0.6, 1.0, 2.0), draws=5)
    judged = holdout(Dense, grid, fixed={"eps0": 0.9}, n=n, m=m)
    parts, states = (np.full(4, 0.1), np.full(4, 0.2), np.linspace(0.2, 0.3, 4)), np.zeros((4, 1, 2, 1))
    networks = {"depth": 2, "width": [4, 8, 16], "eps_np": [0.06, 0.05, 0.045]}
    return {
        "fit in n": power,
        "fit in n and m": chinchilla,
        "fit in density": fit(Pruning, pruned_error[one], density=density[one]),
        "joint pruning": joint,
        "average": auto(error, n=N),
        "chain": ChainedFit(judged.forecast, joint),
        "prediction": power.predict(n=[1e6, 2e6]),
        "predictions in a grid": power.predict(n=np.geomspace(1e5, 1e6, 60).reshape(6, 10)),
        "prediction of a file": predict_csv(fit_csv(file, "power"), file),
        "holdout": judged,
        "cells": judged.held_out,
        "holdout in n": holdout(Power, error, n=N, share=0.3),
        "plan": plan(power, error=0.15),
        "joint plan": plan(chinchilla, budget=1e21),
        "pruned plan": fewest_weights(joint, 0.05, [400, 800, 1600], **networks),
        "frontier": frontier(chinchilla, [1e20, 1e21]),
        "isoflop": iso,
        "isoflop group": iso.groups[0],
        "shape": curve_shape(N, error),
        "budget": budget(linear, MinimumNorm(), 9, draws=4),
        "bias and variance": bias_variance(linear, Ridge(1.0), 9, teachers=3),
        "bounds": UncertaintyBracket(*parts, {"a": parts[2]}, ("a",), "a", "a", states, "By chains."),
        "threshold": exact,
        "search": search(examples_wanted=20),
        "refuted search": search(Claim(threshold=0.7), Region(most=9), examples_wanted=200),
        "outcome": examine(Example(n=7)),
        "trained family": TrainedFamily("width 8", {"n": N}, error, power, ("Left out: one run.",)),
        "pruned family": PrunedFamily("", {}, (), joint, ()),
    }


LABELS = [
    "fit in n", "fit in n and m", "fit in density", "joint pruning", "average", "chain", "prediction",
    "predictions in a grid", "prediction of a file", "holdout", "cells", "holdout in n", "plan", "joint plan",
    "pruned plan", "frontier", "isoflop", "isoflop group", "shape", "budget", "bias and variance", "bounds", "threshold", "search",
    "refuted search", "outcome", "trained family", "pruned family",
]  # fmt: skip


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


ELSEWHERE = {"FinishedStudy": "tests/studies/test_finished.py"}
"""Result types that another test prints."""


def test_every_result_type_is_shown_here(results: dict[str, Any]) -> None:
    """If this fails for a new type, add a result of it to `results`, and its label to `LABELS`."""
    assert list(results) == LABELS
    shown = {type(one).__name__ for one in results.values()} | set(ELSEWHERE)
    assert {cls.__name__ for cls in result_types()} - shown == set()


@pytest.mark.parametrize("label", LABELS)
def test_a_repr_is_one_short_line_that_starts_with_the_type(results: dict[str, Any], label: str) -> None:
    line = repr(results[label])
    assert line.startswith(f"{type(results[label]).__name__}(")
    assert line.endswith(")")
    assert len(line) <= LONGEST_LINE
    assert "\n" not in line
    assert "array(" not in line


def numbers(text: str) -> set[str]:
    """The numbers in a text."""
    return set(re.findall(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", text))


@pytest.mark.parametrize("label", LABELS)
def test_html_has_the_numbers_of_the_table(results: dict[str, Any], label: str) -> None:
    result = results[label]
    shown, page = str(result), result._repr_html_()
    assert shown.strip()
    texts = html.unescape(re.sub(r"<[^>]*>", " ", page))
    if label != "prediction of a file":  # which prints as CSV, with all digits
        assert numbers(shown) == numbers(texts)
    assert page.count("<table>") == page.count("</table>")
    assert not re.search(r"<(?!/?(div|table|tr|th|td)\b)", page)


@pytest.mark.parametrize("label", LABELS)
def test_as_dict_is_strict_json(results: dict[str, Any], label: str) -> None:
    found = results[label].as_dict()
    assert found
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("label", LABELS)
def test_plot_draws_axes_that_a_notebook_shows(results: dict[str, Any], label: str) -> None:
    ax = results[label].plot()
    assert isinstance(ax, Axes)
    assert ax._repr_png_().startswith(b"\x89PNG")
    own = Figure().subplots()
    assert results[label].plot(own) is own
    legend = ax.get_legend()
    assert legend is None or len(legend.get_texts()) <= 10


def test_lists_of_results_are_drawn(results: dict[str, Any]) -> None:
    linear = LinearTeacher(6, channel=Gaussian(0.5))
    budgets = [budget(linear, MinimumNorm(), n, draws=4) for n in (3, 9, 18)]
    ax = plots.draw(budgets)
    assert ax.get_title(loc="left").replace("\n", " ") == f"{budgets[0].learner} in {budgets[0].setting}"
    assert "total" in [text.get_text() for text in ax.get_legend().get_texts()]
    plans = plan(results["fit in n"], budget=[2e5, 4e5])
    assert [text.get_text() for text in plots.draw(plans).texts] == ["plan", "plan"]
    one = results["threshold"]
    for several in ([one, one], {"a": one, "b": one}):
        assert len(plots.draw(several).get_legend().get_texts()) == 2


@pytest.mark.parametrize(
    "result", [None, 3, [], {}, [1, 2], {"a": 1}, "runs.csv", Interval(1.0, 0.0, 2.0, 0.9)]
)
def test_what_has_no_figure_is_refused_in_one_sentence(result: object) -> None:
    with pytest.raises(TypeError, match="'result' parameter of draw must be a result with a figure"):
        plots.draw(result)


@dataclasses.dataclass(frozen=True, repr=False)
class Speed(Result):
    """A result type of a user."""

    seconds: Interval
    name: str = "<fast>"


def test_a_result_type_of_a_user_shows_itself() -> None:
    one = Speed(Interval(1.52, 1.41, 1.65, 0.9))
    assert repr(one) == "Speed(seconds 1.52 [1.41, 1.65], name <fast>)"
    assert str(one) == "seconds  1.52 [1.41, 1.65]\nname     <fast>"
    assert "&lt;fast&gt;" in one._repr_html_()
    assert one.as_dict()["seconds"]["high"] == 1.65
    with pytest.raises(TypeError, match=r"registered with errsrc\.plots\.draw\.register"):
        one.plot()

    @plots.draw.register
    def _(result: Speed, ax: Any = None, *, scale: float = 1.0) -> Axes:
        axes = ax or Figure().subplots()
        axes.plot([scale * result.seconds.estimate], [0], "o")
        return axes

    assert one.plot(scale=2.0).lines[0].get_xdata()[0] == 3.04


def test_json_of_numbers_that_are_not_finite_is_null() -> None:
    value = {"a": np.array([1.0, np.nan]), ("b", "c"): (np.float64("inf"), np.int64(3), np.bool_(True), {1})}
    assert json_value(value) == {"a": [1.0, None], "b c": [None, 3, True, [1]]}
    assert json_value(Path("runs.csv")) == "runs.csv"


# Joint fits


def test_an_isoflop_table_is_drawn_by_budget_with_few_names() -> None:
    table = isoflop_table()
    found = fit(Chinchilla, **table)
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
    np.testing.assert_allclose(np.sort(np.asarray(points.get_offsets())[:, 1]), np.sort(table["error"]))


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


def test_columns_of_a_file_are_the_labels(tmp_path: Path) -> None:
    table = isoflop_table(3, 5)
    rows = zip(*table.values(), strict=True)
    lines = ["tokens,params,loss", *(",".join(map(repr, map(float, row))) for row in rows)]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    columns = {"n": "tokens", "m": "params", "error": "loss"}
    found = fit_csv(tmp_path / "runs.csv", "chinchilla", columns=columns)
    ax = plots.curves_by_m(found)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("n, tokens", "loss")
    assert ax.get_title(loc="left").startswith("chinchilla: alpha ")
