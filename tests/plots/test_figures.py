"""Figures show what the result holds: every cell, every interval, honest axes."""

import dataclasses
import inspect
import re
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from errsrc import plots
from errsrc.bases import Torus
from errsrc.conjecture import threshold
from errsrc.curves import curve_shape
from errsrc.fitting import auto, fit, holdout
from errsrc.laws import Broken, Dense, JointPruning, Power
from errsrc.learners import BandLeastSquares, MinimumNorm, Neighbours
from errsrc.plots import nyquist
from errsrc.plots.budget import COLOURS
from errsrc.plots.style import FITTED, HELD_OUT, PALETTE, ticks
from errsrc.results import Bracket, Interval, PointEstimate
from errsrc.settings import BandTeacher, Gaussian, LinearTeacher
from errsrc.sources import budget

LAW = Dense(eps0=0.9, alpha=0.4, beta=0.6, b=0.2, c_inf=0.02, eta=4.0, n_full=16_000, m_base=64_000)


ALL = [getattr(plots, name) for name in dir(plots) if inspect.isfunction(getattr(plots, name))]
"""All functions of figures."""


@pytest.fixture(scope="module")
def result():
    n, m, _ = (
        x.ravel()
        for x in np.meshgrid(500 * 2.0 ** np.arange(6), 1000 * 4.0 ** np.arange(4), [0, 1], indexing="ij")
    )
    noise = np.random.default_rng(3).normal(0.0, 0.02, len(n))
    return holdout(Dense, LAW.error(n=n, m=m) * np.exp(noise), fixed={"eps0": 0.9}, n=n, m=m)


def one_input(floor):
    n = np.geomspace(100, 50_000, 12)
    noise = np.random.default_rng(0).normal(0.0, 0.03, len(n))
    return fit(Power, Power(c_inf=floor, a=3.0, alpha=0.4).error(n=n) * np.exp(noise), n=n)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.full
def test_the_same_result_gives_the_same_file(result):
    assert plots.svg(plots.parity(result)) == plots.svg(plots.parity(result))


def test_extrapolation_has_a_colour_for_each_m_filled_marks_for_fitted_and_open_ones_for_held_out(result):
    ax = plots.extrapolation(result)
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    held = [line for line in marks if to_hex(line.get_markerfacecolor()) == "#ffffff"]
    filled = [line for line in marks if to_hex(line.get_markerfacecolor()) != "#ffffff"]
    assert sum(len(line.get_xdata()) for line in filled) == len(result.fitted)
    assert sum(len(line.get_xdata()) for line in held) == len(result.held_out)
    assert len({to_hex(line.get_color()) for line in marks}) == 4
    drawn = np.sort(np.concatenate([line.get_ydata() for line in held]))
    np.testing.assert_allclose(drawn, np.sort(result.held_out.measured))
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "m = 64,000" in labels(ax)


def test_extrapolation_bars_are_the_intervals_for_one_run(result):
    ax = plots.extrapolation(result)
    ends = np.concatenate([bar.get_segments() for bar in ax.collections])[:, :, 1]
    drawn = np.sort(ends, axis=1)
    order = np.lexsort((drawn[:, 1], drawn[:, 0]))
    p = result.held_out.prediction
    expected = np.column_stack([p.low, p.high])
    np.testing.assert_allclose(drawn[order], expected[np.lexsort((p.high, p.low))])


def test_divergence_counts_every_cell_and_says_mean_and_std(result):
    ax = plots.divergence(result)
    heights = [sum(bar.get_height() for bar in group) for group in ax.containers if len(group) > 1]
    assert heights == [len(result.fitted)]
    steps = next(patch for patch in ax.patches if to_hex(patch.get_edgecolor()) == HELD_OUT.lower())
    assert steps.get_data().values.max() >= 1
    for text, part in zip(labels(ax), result.parts.values(), strict=True):
        assert f"{len(part)} cells" in text
        assert f"± {100 * part.divergence_std:.1f}%" in text
        assert f"{abs(100 * part.divergence_mean):.1f}% ±" in text


def test_parity_is_square_and_has_the_line_of_agreement(result):
    ax = plots.parity(result)
    assert ax.get_xlim() == ax.get_ylim()
    line = next(line for line in ax.lines if line.get_marker() == "None")
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())


def test_a_determined_floor_is_a_line_with_its_interval():
    ax = plots.curve(one_input(0.1))
    text = next(text for text in labels(ax) if text.startswith("floor"))
    assert "[" in text
    level = next(line for line in ax.lines if line.get_label() == text)
    assert 0.06 < level.get_ydata()[0] < 0.14


def test_an_undetermined_floor_is_a_bound_and_no_line():
    ax = plots.curve(one_input(0.0))
    assert any(text.startswith("floor not determined: <") for text in labels(ax))
    assert not any(str(line.get_label()).startswith("floor") for line in ax.lines)


def test_curve_draws_points_fit_and_band_and_extrapolates_to_where_it_is_told():
    result = one_input(0.1)
    ax = plots.curve(result, until=1e6)
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 0].max() == pytest.approx(1e6)
    p = result.predict(n=[1e6])
    assert band[np.isclose(band[:, 0], 1e6), 1].max() == pytest.approx(p.high[0])
    points = next(line for line in ax.lines if line.get_label() == "measured")
    np.testing.assert_allclose(points.get_ydata(), result.error)
    colours = {to_hex(line.get_color()) for line in ax.lines if str(line.get_label()).startswith("law")}
    assert colours == {FITTED.lower()}


@pytest.mark.full
def test_curve_draws_an_average_of_laws_too():
    n = np.geomspace(100, 50_000, 12)
    noise = np.random.default_rng(0).normal(0.0, 0.03, len(n))
    average = auto(Power(c_inf=0.1, a=3.0, alpha=0.4).error(n=n) * np.exp(noise), n=n)
    assert "law, extrapolated" in labels(plots.curve(average))


@pytest.mark.parametrize("draw", ALL, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("other", [None, 3, "runs.csv", [3], {"a": 3}, Interval(1.0, 0.0, 2.0, 0.9)])
def test_other_results_are_refused_in_one_sentence(draw, other):
    (name, *_) = inspect.signature(draw).parameters
    with pytest.raises((TypeError, ValueError), match=f"^The {name!r} parameter of {draw.__name__} must be "):
        draw(other)


def test_axes_that_are_none_are_refused():
    with pytest.raises(TypeError, match="'ax' parameter of plots must be matplotlib Axes"):
        plots.curve(one_input(0.1), 3)
    with pytest.raises(TypeError, match="'ax' parameter of png must be matplotlib Axes"):
        plots.png("fit.png")


def test_laws_in_other_inputs_are_refused(result):
    with pytest.raises(ValueError, match="a law in n alone"):
        plots.curve(result.forecast)
    n = np.array([100, 200, 400, 800, 1600, 3200])
    one = holdout(Power, Power(c_inf=0.1, a=2.0, alpha=0.5).error(n=n), n=n)
    with pytest.raises(ValueError, match="a law in n and m"):
        plots.extrapolation(one)
    with pytest.raises(ValueError, match="'until' parameter"):
        plots.curve(one.forecast, until=10)


@pytest.mark.parametrize(
    ("low", "high"), [(450, 60_000), (0.09, 0.28), (0.113, 0.124), (1e-4, 2), (1e3, 1e12), (0.5001, 0.5002)]
)
def test_ticks_are_few_and_lie_within(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert (np.diff(found) > 0).all()
    assert found[0] >= low
    assert found[-1] <= high


@pytest.fixture(scope="module")
def budgets():
    setting = BandTeacher(Torus(4), decay=1.0, channel=Gaussian(0.2))
    return [budget(setting, BandLeastSquares(Torus(2), 1.0), n, draws=8) for n in (4, 8, 16)]


def test_terms_are_drawn_where_they_are(budgets):
    ax = plots.terms(budgets[::-1])
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == [*COLOURS, "total"]
    for name, line in lines.items():
        rows = [{row[0]: row[1] for row in one.rows()}[name] for one in budgets]
        np.testing.assert_allclose(line.get_ydata(), [row.estimate for row in rows])
        assert to_hex(line.get_color()) == COLOURS.get(name, "#222222").lower()
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_terms_that_are_zero_are_said_to_be():
    exact = [budget(LinearTeacher(3), MinimumNorm(), n, draws=4) for n in (1, 2)]
    ax = plots.terms(exact)
    assert {"noise: 0", "realizability: 0"} < set(labels(ax))
    assert {line.get_linestyle() for line in ax.get_lines() if line.get_label().endswith(": 0")} == {"None"}
    with pytest.raises(ValueError, match="'result' parameter of terms"):
        plots.terms([])


def test_what_rounding_leaves_is_drawn_as_0():
    """From n = M on there is nothing left to know; totals of 1e-29 had been drawn as any other."""
    setting = BandTeacher(Torus(2))
    exact = [budget(setting, BandLeastSquares(Torus(2)), n, draws=4) for n in (2, 5, 10)]
    assert 0 < exact[2].total.estimate < 1e-20
    ax = plots.terms(exact)
    lines = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_array_equal(np.isnan(lines["total"].get_ydata()), [False, True, True])
    marks = [line for line in ax.get_lines() if line.get_marker() == "X" and not line.get_ydata().any()]
    assert [line.get_xdata().tolist() for line in marks] == [[5, 10]]
    assert {"deficiency: 0", "0, at the bottom"} < set(labels(ax))
    assert ax.get_ylim()[0] > 1e-3
    assert [text.get_text() for text in plots.shares(exact).texts][1:] == ["0", "0"]
    with pytest.raises(ValueError, match="one of a total > 0"):
        plots.terms(exact[1:])


def test_an_estimate_without_an_interval_is_an_open_mark_and_the_total_lies_below(budgets):
    bare = Bracket.known(PointEstimate.of(budgets[1].deficiency.lower.estimate, 0.95), "")
    ax = plots.terms([budgets[0], dataclasses.replace(budgets[1], deficiency=bare), budgets[2]])
    (marks,) = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    assert (marks.get_xdata()[0], marks.get_ydata()[0]) == (8, bare.lower.estimate)
    assert (marks.get_markerfacecolor(), marks.get_marker()) == ("white", "^")
    assert labels(ax) == [*COLOURS, "total", "open: no interval"]
    bars = [one.get_segments() for one in ax.collections if isinstance(one, LineCollection)]
    assert [bar[0][0] for one in bars for bar in one] == [
        4,
        16,
    ]  # a strip would need two intervals side by side
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert lines["total"].get_zorder() < min(lines[name].get_zorder() for name in COLOURS)


def test_theory_is_drawn_on_the_measured_terms(budgets):
    curves = {"predicted": ([16, 4, 8, 12], [0.1, np.inf, 0.4, 0.0]), "too": ([4.0, 8.0], [1.0, 1.0])}
    ax = plots.terms(budgets, theory=curves)
    assert labels(ax) == [*COLOURS, "total", *curves]
    one, other = ax.get_lines()[-2:]
    np.testing.assert_array_equal(one.get_xdata(), [4, 8, 12, 16])
    np.testing.assert_array_equal(one.get_ydata(), [np.nan, 0.4, np.nan, 0.1])
    assert one.get_linestyle() == other.get_linestyle() == "--"
    assert one._dash_pattern != other._dash_pattern
    for bad in ([1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="'theory' parameter of terms must be n and values of one shape"):
            plots.terms(budgets, theory={"x": ([4, 8], bad)})


def test_shares_are_stacked_in_order_to_the_whole(budgets):
    ax = plots.shares(budgets)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    assert tops == sorted(tops)
    assert tops[-1] == pytest.approx(1)
    assert labels(ax) == list(COLOURS)[::-1]
    with pytest.raises(ValueError, match="two or more n"):
        plots.shares(budgets[:1])
    for draw in (plots.shares, plots.terms, plots.draw):
        with pytest.raises(ValueError, match=r"one at each n. .* Draw each learner in Axes of its own"):
            draw([*budgets, *budgets])


def test_what_a_bracket_leaves_open_is_hatched(budgets):
    one = budgets[0]
    low, high = Interval(0.1, 0.1, 0.1, 0.95), Interval(0.2, 0.2, 0.2, 0.95)
    rest = one.total.estimate - one.noise.lower.estimate - one.realizability.lower.estimate
    sides = [Interval(rest - x.estimate, 0.0, 1.0, 0.95) for x in (high, low)]
    replaced = dict(uncertainty=Bracket(low, high, ""), deficiency=Bracket(*sides, ""))
    opened = [dataclasses.replace(one, n=n, **replaced) for n in (4, 8)]
    ax = plots.shares(opened)
    assert [area.get_hatch() for area in ax.collections].count("///") == 1
    assert "uncertainty or deficiency" in labels(ax)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    assert tops[-1] == pytest.approx(1)
    assert "uncertainty, at most" in labels(plots.terms(opened))


EIGHT = 100 * 2.0 ** np.arange(8)


@pytest.fixture(scope="module")
def bend():
    wiggle = np.exp(0.02 * np.cos(np.arange(24.0) ** 2))
    n = np.repeat(EIGHT, 3)
    return curve_shape(n, Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4).error(n=n) * wiggle)


@pytest.fixture(scope="module")
def cliff():
    n = np.repeat(EIGHT, 3)
    return curve_shape(n, np.where(n < 1000, 1 - n / 1000, 1e-28) * (1 + 0.01 * (np.arange(24) % 3)))


@pytest.mark.full
@pytest.mark.parametrize("figure", [plots.local_exponents, plots.candidates])
def test_figures_of_a_shape_draw_into_the_axes_given_and_say_the_verdict(bend, cliff, figure):
    for result in (bend, cliff):
        ax = Figure().subplots()
        assert figure(result, ax) is ax
        assert (ax.get_title(loc="left") or ax.get_title()) == result.verdict
        assert any(text.startswith(f"{result.verdict} at n = ") for text in labels(ax))
        assert plots.png(ax).startswith(b"\x89PNG")


def test_local_exponents_stand_between_their_cells_with_their_intervals(bend):
    ax = plots.local_exponents(bend)
    bars = [bar for bar in ax.containers if isinstance(bar, ErrorbarContainer)]
    assert len(bars) == 7
    for k, bar in enumerate(bars):
        ((x, low), (_, high)) = bar.lines[2][0].get_segments()[0]
        assert x == pytest.approx(np.sqrt(EIGHT[k] * EIGHT[k + 1]))
        assert (low, high) == pytest.approx((bend.local_exponents[k].low, bend.local_exponents[k].high))
    assert f"before the bend: {bend.exponent}" in labels(ax)
    assert f"after it: {bend.exponent_after}" in labels(ax)


def test_an_exponent_into_zero_is_an_arrow_and_cells_at_zero_are_open(cliff):
    ax = plots.local_exponents(cliff)
    arrows = [line for line in ax.lines if "arrow" in str(line.get_marker())]
    assert [float(line.get_ydata()[0]) for line in arrows] == pytest.approx([cliff.local_exponents[-1].low])
    ax = plots.candidates(cliff)
    zeros = next(line for line in ax.lines if line.get_marker() == "v")
    np.testing.assert_array_equal(zeros.get_xdata(), [1600, 3200, 6400, 12_800])


def test_candidates_are_drawn_with_their_scores_best_first(bend):
    ax = plots.candidates(bend)
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 300]
    names = [str(line.get_label()).partition(":")[0] for line in drawn]
    assert names == sorted(bend.scores, key=lambda name: -bend.scores[name])
    for line, name in zip(drawn, names, strict=True):
        np.testing.assert_allclose(line.get_ydata(), bend.laws[name].error(n=line.get_xdata()))
    measured = next(line for line in ax.lines if line.get_label() == "measured")
    np.testing.assert_allclose(measured.get_ydata(), bend.error)


def test_shapes_with_nothing_to_draw_are_refused():
    nothing = curve_shape([1, 2, 4], [0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="'shape' parameter of local_exponents"):
        plots.local_exponents(nothing)
    with pytest.raises(ValueError, match="'shape' parameter of candidates"):
        plots.candidates(nothing)
    few = plots.local_exponents(curve_shape([1, 2, 4], [4.0, 2.0, 1.0]))
    assert not few.containers


@pytest.fixture(scope="module")
def thresholds():
    world, ratios = BandTeacher(Torus(2)), (0.6, 1.0, 2.0)
    return {
        "band": threshold(world, BandLeastSquares(Torus(2)), ratios=ratios, draws=5),
        "a learner with a name of many words, " * 9: threshold(world, Neighbours(), ratios=ratios, draws=5),
    }


def test_a_cliff_is_drawn_over_n_in_units_of_the_nyquist_number(thresholds):
    found, ax = thresholds, plots.cliff(thresholds)
    curve = ax.get_lines()[0]
    np.testing.assert_allclose(curve.get_xdata(), found["band"].n / 5)
    np.testing.assert_allclose(curve.get_ydata(), np.maximum(found["band"].medians, 1e-17))
    shown = labels(ax)
    assert shown[0] == "band"
    assert shown[1].count("\n") == 2
    assert max(map(len, shown[1].split("\n"))) <= nyquist.WIDEST
    assert ax.get_xscale() == ax.get_yscale() == "log"
    with pytest.raises(ValueError, match="'result' parameter of cliff"):
        plots.cliff({})


PARTS = [("Torus", "Uniform", 5, 1, 0.2), ("Cube", "Uniform", 0, 4, 0.0), ("Sphere", "Gappy", 3, 0, 7.0)]


def test_the_hardest_examples_are_drawn_by_part_and_what_refutes_stands_out():
    ax = plots.hardest(PARTS)
    marks = {float(line.get_xdata()[0]): line.get_marker() for line in ax.get_lines()[:2]}
    assert set(marks) == {0.2, 7.0}
    assert marks[0.2] != marks[7.0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Torus, uniform (5)", "Sphere, gappy (3)"]
    with pytest.raises(ValueError, match="'result' parameter of hardest"):
        plots.hardest(PARTS[1:2])


@pytest.fixture(scope="module")
def pruned():
    truth = JointPruning(eps_up=0.9, gamma=0.9, p=0.01, phi=0.8, psi=1.6)
    density, depth, width = (
        x.ravel() for x in np.meshgrid(0.8 ** np.arange(20), [1.0, 2.0], [8.0, 16.0, 32.0], indexing="ij")
    )
    level = 0.06 * depth**-0.1 * width**-0.2
    error = truth.error(density=density, depth=depth, width=width, eps_np=level)
    error[density == 1] *= 1.05
    return fit(JointPruning, error, density=density, depth=depth, width=width, eps_np=level)


@pytest.mark.full
def test_pruned_networks_collapse_on_the_invariant_and_levels_before_the_dip_are_open(pruned):
    error = pruned.error
    ax = plots.invariant(pruned)
    laws = [line for line in ax.lines if line.get_linestyle() == "-"]
    marks = [line for line in ax.lines if line not in laws]
    assert len(laws) == 6
    x, y = (np.concatenate([getattr(line, f"get_{axis}data")() for line in marks]) for axis in "xy")
    assert len(x) == len(error)
    one_curve = x > 0.15
    np.testing.assert_allclose(y[one_curve], (1 + x[one_curve] ** -2) ** 0.45, rtol=0.08)
    assert one_curve.sum() > 100
    opened = [line for line in marks if to_hex(line.get_markerfacecolor()) == "#ffffff"]
    assert sum(len(line.get_xdata()) for line in opened) == 6
    assert labels(ax) == ["width 8", "width 16", "width 32", "depth 1", "depth 2", "before the dip", "law"]
    with pytest.raises(ValueError, match="'fit' parameter of invariant"):
        plots.invariant(one_input(0.1))


# What all figures keep to

FIGURES = {
    name: figure
    for name, figure in inspect.getmembers(plots, inspect.isfunction)
    if name not in ("png", "svg", "draw")  # which make files of figures, and choose a figure
}
LABELS_OF_FIGURES = {
    "agreement": "joint pruning",
    "all_approaches": "all approaches",
    "budget_terms": "budget",
    "cells": "cells",
    "chain": "chain",
    "curves_by_budget": "fit in n and m",
    "curves_by_m": "fit in n and m",
    "extrapolation_in_n": "holdout in n",
    "isoflop_curves": "isoflop",
    "misses": "comparison",
    "narrowing": "targeted run",
    "next_runs": "design",
    "optimal_sizes": "frontier",
    "planned": "plan",
    "predictions": "prediction",
    "single_input": "fit in density",
    "uncertainty_bounds": "bounds",
    "variances": "bias and variance",
    "weights_left": "pruned plan",
}
"""Figures of results of `every_result`."""
LINEAR = {
    **dict.fromkeys(("local_exponents", "shares", "hardest"), "y"),
    **dict.fromkeys(("divergence", "budget_terms", "variances", "uncertainty_bounds", "misses"), "xy"),
    "narrowing": "xy",
    "weights_left": "x",
}
"""The axes of figures that are not logarithmic."""
WITHOUT_LEGEND = {
    "hardest",
    "agreement",
    "cells",
    "budget_terms",
    "variances",
    "uncertainty_bounds",
    "misses",
}


@pytest.fixture(scope="module")
def results(result, budgets, bend, pruned, thresholds, every_result):
    """A result for each figure, by the figure's name."""
    return {
        **dict.fromkeys(("extrapolation", "divergence", "parity"), result),
        **dict.fromkeys(("terms", "shares"), budgets),
        **dict.fromkeys(("local_exponents", "candidates"), bend),
        "curve": one_input(0.1),
        "invariant": pruned,
        "cliff": thresholds,
        "hardest": PARTS,
        **{name: every_result[label] for name, label in LABELS_OF_FIGURES.items()},
    }


def number(text):
    """What the text beside a tick says."""
    power = re.fullmatch(r"\$(?:(.*?) \\times )?10\^\{(-?\d+)\}\$", text)
    if power:
        return float(power[1] or 1) * 10.0 ** int(power[2])
    return float(text.replace(",", "").replace("−", "-").replace("+", "").removesuffix("%"))


@pytest.mark.full
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_keeps_to_the_house_style(name, results):
    before = {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}  # asked for, it is chosen
    given = Figure().subplots()
    assert FIGURES[name](results[name], given) is given
    own = FIGURES[name](results[name])
    assert isinstance(own, Axes)
    assert own.get_figure() is not given.get_figure()
    for ax in (given, own):
        assert plots.png(ax).startswith(b"\x89PNG")
        assert ax.get_xlabel()
        assert ax.get_ylabel() or all(tick.get_text() for tick in ax.get_yticklabels())
        assert name in WITHOUT_LEGEND or (ax.get_legend() and all(labels(ax)))
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_scale() == "log":  # numbers stand where they belong, and on no other scale
                places, texts = axis.get_majorticklocs(), [t.get_text() for t in axis.get_ticklabels()]
                assert len(places) >= 2
                assert [number(text) for text in texts] == pytest.approx(list(places))
                assert not len(axis.get_minorticklocs())
    assert plots.svg(own).rstrip().endswith(b"</svg>")
    assert {key: mpl.rcParams[key] for key in before} == before
    assert "matplotlib.pyplot" not in sys.modules


@pytest.mark.full
def test_errors_and_sizes_stand_on_logarithmic_axes(results):
    for name, figure in FIGURES.items():
        ax = figure(results[name])
        linear = {axis for axis in "xy" if getattr(ax, f"get_{axis}scale")() != "log"}
        assert linear == set(LINEAR.get(name, "")), name


@pytest.mark.full
def test_colours_are_told_apart_by_the_colour_blind(results):
    """Okabe and Ito's palette, greys, and viridis for what is ordered; no two curves of one look."""
    palette = {colour.lower() for colour in PALETTE} | {"#ffffff"}
    for name, figure in FIGURES.items():
        if name not in ("extrapolation", "invariant", "curves_by_m", "curves_by_budget", "isoflop_curves"):
            lines = [one for one in figure(results[name]).get_lines() if one.get_marker() not in "_|"]
            assert {to_hex(line.get_color()) for line in lines} <= palette, name
    terms = plots.terms(results["terms"]).get_lines()
    assert len({line.get_marker() for line in terms}) == len(terms)  # in print without colours
