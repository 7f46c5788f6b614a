"""Figures of compute-optimal sizes show every run, every optimum and every interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from errsrc.fitting import Frontier, IsoFlop, compute_optimal, isoflop


@pytest.fixture(scope="module")
def table() -> IsoFlop:
    """Four budgets of six runs, two of which diverged."""
    path = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"
    rows = np.genfromtxt(path, delimiter=",", names=True)
    error = rows["error"].copy()
    error[[19, 22]] = [7.6, 9.9]
    return isoflop(error, m=rows["m"], flops=rows["flops"])


def labels(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_isoflop_curves_have_a_colour_for_each_budget_and_crosses_for_runs_left_out(table: IsoFlop) -> None:
    ax = table.plot()
    runs = [line for line in ax.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in runs) == 22
    assert len({str(line.get_color()) for line in runs}) == 4
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert [line.get_xdata()[0] for line in stars] == [group.m_optimal.estimate for group in table.groups]
    assert all(line.get_markerfacecolor() == "none" for line in stars)  # a star hides no run
    (crosses,) = (line for line in ax.lines if line.get_marker() == "x")
    assert str(crosses.get_color()) == str(runs[3].get_color())
    height, low, high = (np.log(x) for x in (crosses.get_ydata(), *ax.get_ylim()))
    np.testing.assert_allclose((height - low) / (high - low), 0.96, atol=0.01)
    assert [text.get_text() for text in ax.texts] == ["↑ 7.6", "↑ 9.9"]
    assert labels(ax)[0] == "C = $10^{18}$"
    assert labels(ax)[-1] == "run left out"
    assert ax.get_title(loc="left").startswith(r"isoFLOP parabolas: $m^* \sim C^a$, a = 0.5")


def test_many_budgets_have_few_legend_entries() -> None:
    flops = np.repeat(np.geomspace(1e17, 1e20, 20), 5)
    m = np.sqrt(flops / 100) * np.tile([0.25, 0.5, 1.0, 2.0, 4.0], 20)
    error = 1.8 + 400 * m**-0.35 + 2000 * (flops / (6 * m)) ** -0.36
    assert len(labels(isoflop(error, m=m, flops=flops).plot())) == 9


def test_optimal_sizes_are_two_lines_with_their_intervals(table: IsoFlop) -> None:
    found: Frontier = table.frontier([1e21, 1e19, 1e20])
    ax = found.plot()
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose(drawn[0].get_xdata(), [1e19, 1e20, 1e21])
    np.testing.assert_allclose(drawn[0].get_ydata(), sorted(found.columns()["m"]))
    np.testing.assert_allclose(drawn[1].get_ydata(), sorted(found.columns()["n"]))
    assert len(ax.collections) == 2
    assert labels(ax)[0].startswith("m*, model size\nexponent 0.51")
    assert labels(ax)[0].endswith(f"\nat C = $10^{{21}}$: {found.m[0]}")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    lone = table.frontier(1e21).plot()
    assert len(lone.containers) == 2


def test_all_approaches_have_the_runs_next_to_the_sizes_of_each_approach() -> None:
    path = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"
    found = compute_optimal(data=path, budgets=[1e19, 1e21])
    ax = found.plot()
    figure = ax.get_figure()
    assert figure is not None
    assert len(figure.axes) == 2
    drawn = [line for line in ax.lines if line.get_linestyle() == "None" and line.get_marker() in "os"]
    truths = [x for one in found.frontiers for x in (one.columns()["m"], one.columns()["n"])]
    for line, truth in zip(drawn, truths, strict=True):
        np.testing.assert_allclose(line.get_ydata(), truth)
    assert len(labels(ax)) == 7
    assert "bands and bars: 90% intervals" in labels(ax)
    assert [text.get_text() for text in ax.texts] == ["m*", "n*"]
    assert "largest measured budget" in labels(ax)
    assert labels(ax)[-1] == "optimum of the parabola\nof each budget"
    law = found.frontiers[1]
    assert labels(ax)[3].endswith(f"\nat C = $10^{{21}}$: {law.n[1]}")
    left = {line.get_color() for line in figure.axes[0].lines if line.get_marker() == "*"}
    assert left.isdisjoint(line.get_color() for line in drawn)  # a colour means one thing
    curves = [line for line in ax.lines if len(line.get_xdata()) > 20]
    assert len(curves) == len({(line.get_color(), str(line.get_linestyle())) for line in curves}) == 4
    for line in curves:
        assert min(line.get_xdata()) == pytest.approx(1e18)
        assert max(line.get_xdata()) == pytest.approx(1e21)
    assert found.isoflop is not None
    (minima,) = (line for line in ax.lines if line.get_marker() == "*" and line.get_ydata()[0] < 1e9)
    np.testing.assert_allclose(minima.get_ydata(), [x.m_optimal.estimate for x in found.isoflop.groups])
    assert all(one.get_title(loc="left") for one in figure.axes)
    assert ax.get_xlabel() == "compute C (flops)"


def test_axes_have_the_names_of_the_columns() -> None:
    rows = np.genfromtxt(
        Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv", delimiter=",", names=True
    )
    data = {"flops": rows["flops"], "n_params": rows["m"], "val/loss": rows["error"]}
    ax = compute_optimal("val/loss", data=data, m="n_params", budgets=1e20).plot()
    figure = ax.get_figure()
    assert figure is not None
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("n_params", "val/loss")


def test_a_figure_is_written_by_its_axes(table: IsoFlop, tmp_path: Path) -> None:
    table.plot().savefig(tmp_path / "runs.png", dpi=20)
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")
