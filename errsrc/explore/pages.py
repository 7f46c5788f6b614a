"""The explorer as one HTML page with results computed in advance, which opens offline."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

import errsrc
from errsrc.explore import drawings, panels
from errsrc.explore.computations import REMEDIES, BandCurve, BandProblem, FittedTable, N, band_curve

POSITIONS: dict[str, tuple[float, ...]] = {
    "size": (13, 25, 41),
    "noise": (0.0, 0.1, 0.3, 1.0),
    "ridge": (0.0, 0.1, 1.0, 10.0),
    "tail": (0.0, 1e-4, 0.01, 0.1),
}
"""Positions of the sliders that set a `BandProblem` on the page."""

FIRST = {"size": 25, "noise": 0.3, "ridge": 0.0, "tail": 0.01, "n": 33}
"""Where the sliders stand at first."""

LABELS = {
    "n": "Examples n",
    "size": "Waves in the band M",
    "noise": "Label noise (std)",
    "ridge": "Ridge",
    "tail": "Energy of the tail",
    "budgets": "Budget C (operations)",
    "goals": "Error to reach",
}
"""The labels of the sliders."""


@dataclass(frozen=True)
class Knob:
    """A slider of the page.

    Attributes
    ----------
    name : str
        Its name in the page.
    texts : sequence of str
        The text of each position.
    start : int
        Index of the first position.
    """

    name: str
    texts: Sequence[str]
    start: int

    @property
    def label(self) -> str:
        """The label of the slider."""
        return LABELS[self.name]


def explorer_page(
    table: FittedTable,
    positions: Mapping[str, Sequence[float]] | None = None,
    command: str = "errsrc explore --html page.html",
    view: str = "budget",
) -> str:
    """Return the explorer as one HTML page, which loads no other files.

    Parameters
    ----------
    table : FittedTable
        The fit that the second tab shows.
    positions : mapping of str to sequence of float, optional
        Positions of the sliders "size", "noise", "ridge" and "tail"; by default `POSITIONS`.  Each list must
        contain the position at which the slider stands at first, see `FIRST`.
    command : str
        The command that writes the page, which the page shows.
    view : str
        The tab that is open at first: "budget", or "law" for the fit.

    Returns
    -------
    str
        HTML that loads no other files.
    """
    chosen = dict(POSITIONS if positions is None else positions)
    curves = [
        _curve(dict(zip(chosen, values, strict=True))) for values in itertools.product(*chosen.values())
    ]
    knobs = [Knob("n", [str(n) for n in N], N.index(int(FIRST["n"])))]
    knobs += [
        Knob(name, [f"{value:g}" for value in values], list(values).index(FIRST[name]))
        for name, values in chosen.items()
    ]
    starts = {knob.name: knob.start for knob in knobs}
    first = _curve({name: values[starts[name]] for name, values in chosen.items()})
    budgets = [panels.budget_text(one) for one in table.frontier.budgets]
    goals = [panels.goal_text(table, k) for k in range(len(table.goals))]
    law_knobs = [Knob("budgets", budgets, table.start), Knob("goals", goals, len(goals) // 2)]
    data = {
        "n": N,
        "across": [drawings.RISK.across(n) for n in N],
        "names": list(chosen),
        "counts": {name: len(values) for name, values in chosen.items()},
        "frames": [drawings.terms_frame(noise) for noise in chosen["noise"]],
        "curves": [_curve_data(curve) for curve in curves],
        "terms": list(REMEDIES),
        "remedies": REMEDIES,
        "knobs": {knob.name: knob.texts for knob in [*knobs, *law_knobs]},
        "law": _law_data(table, law_knobs),
    }
    return (
        panels.environment()
        .get_template("page.html")
        .render(
            version=errsrc.__version__,
            css=Markup(panels.file_text("explore.css") + panels.file_text("page.css")),
            script=Markup(panels.file_text("page.js")),
            knobs=knobs,
            law_knobs=law_knobs,
            budget_panel=Markup(panels.budget_panel(first, starts["n"])),
            law_panel=Markup(panels.law_panel(table, law_knobs[0].start, law_knobs[1].start)),
            command=command,
            view=view,
            data=Markup(_embedded(data)),
        )
    )


def _curve(values: Mapping[str, float]) -> BandCurve:
    """Return the curve at positions of the sliders."""
    problem = BandProblem(
        size=int(values["size"]), noise=values["noise"], ridge=values["ridge"], tail=values["tail"]
    )
    return band_curve(problem)


def _curve_data(curve: BandCurve) -> dict[str, Any]:
    """Return what the page shows of one curve."""
    return {
        "terms": drawings.terms_layer(curve),
        "risk": drawings.risk_layer(curve),
        "heights": [drawings.RISK.up(float(one)) for one in curve.excess],
        "texts": [drawings.budget_texts(curve, k) for k in range(len(curve.n))],
        "cliff": curve.cliff_sentence(),
    }


def _law_data(table: FittedTable, knobs: Sequence[Knob]) -> dict[str, Any]:
    """Return what the page shows of a fitted law."""
    chart = drawings.size_chart(table)
    return {
        "knobs": {knob.name: True for knob in knobs},
        "across": [chart.across(one) for one in table.frontier.budgets],
        "optima": [drawings.optimum_texts(table, k) for k in range(len(table.frontier.budgets))],
        "plans": [panels.plan_texts(table, k) for k in range(len(table.goals))],
    }


def _embedded(data: Any) -> str:
    """Return data as JSON that may stand inside an HTML element."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")
