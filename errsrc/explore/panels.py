"""Results as HTML with figures and tables, the same in the app and on the offline page.

The page has the panels in their first state, and its script changes them; the app makes them anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from jinja2 import Environment
from markupsafe import Markup

from errsrc.errors import NoAnswer
from errsrc.explore import drawings
from errsrc.explore.computations import REMEDIES, BandCurve, FittedTable
from errsrc.plots.budget import COLOURS
from errsrc.report.page import templates
from errsrc.results import TextTable


def environment() -> Environment:
    """Return the Jinja environment of the explorer's templates."""
    return templates("errsrc.explore", "files")


def file_text(name: str) -> str:
    """Return the text of a file of the explorer.

    Parameters
    ----------
    name : str
        Name of the file, such as "explore.css".
    """
    return (resources.files("errsrc.explore") / "files" / name).read_text(encoding="utf-8")


def style() -> str:
    """Return the style of the panels as an HTML element."""
    return f"<style>\n{file_text('explore.css')}</style>"


def budget_panel(curve: BandCurve, place: int) -> str:
    """Return figures, bar and table of a budget as HTML.

    Parameters
    ----------
    curve : BandCurve
        The budgets.
    place : int
        Index of n.
    """
    noise, n = curve.problem.noise, curve.n[place]
    height = float(curve.excess[place])
    terms = _figure(
        "terms",
        drawings.terms_frame(noise),
        drawings.terms_layer(curve),
        drawings.terms_chart(noise).marker(n),
        "The four terms of the risk over the number of examples n, stacked, with the total of theory.",
    )
    risk = _figure(
        "risk",
        drawings.risk_frame(),
        drawings.risk_layer(curve),
        drawings.RISK.marker(n, height),
        "The risk above the noise over n: exact, by theory, and of the best learner in the band.",
    )
    return (
        environment()
        .get_template("budget.html")
        .render(
            terms=terms,
            risk=risk,
            colours=COLOURS,
            names=list(REMEDIES),
            remedies=REMEDIES,
            texts=drawings.budget_texts(curve, place),
            n=n,
            cliff=curve.cliff_sentence(),
        )
    )


def law_panel(table: FittedTable, place: int, goal: int) -> str:
    """Return figures, optimum, plan and parameters of a fitted law as HTML.

    Parameters
    ----------
    table : FittedTable
        The fit.
    place : int
        Index of the budget.
    goal : int
        Index of the error to reach.
    """
    budget = table.frontier.budgets[place]
    sizes = _figure(
        "sizes",
        "",
        drawings.sizes_figure(table),
        drawings.size_chart(table).marker(budget),
        "The compute-optimal model size m* and data size n* over the training budget C.",
    )
    error = _figure(
        "error",
        "",
        drawings.error_figure(table),
        drawings.error_chart(table).marker(budget),
        "The error at the compute-optimal sizes over the training budget C.",
    )
    return (
        environment()
        .get_template("law.html")
        .render(
            sizes=sizes,
            error=error,
            budget=budget_text(budget),
            optimum=drawings.optimum_texts(table, place),
            goal=goal_text(table, goal),
            plan=plan_texts(table, goal),
            source=table.source,
            where=table.where,
            columns=", ".join(f"{role} = {name}" for role, name in table.columns.items()),
            cost=table.cost_model,
            exponents=table.frontier.headline(),
            fitted=_fitted(table),
        )
    )


def knobs_panel(sliders: Iterable[str]) -> str:
    """Return sliders side by side as HTML, as many in a row as the width allows.

    Parameters
    ----------
    sliders : iterable of str
        The HTML of each slider.
    """
    return f'<div class="explore"><div class="knobs">{"".join(sliders)}</div></div>'


def error_panel(sentence: str) -> str:
    """Return, as HTML, a sentence that says what is wrong with a table.

    Parameters
    ----------
    sentence : str
        The sentence.
    """
    return str(Markup('<div class="explore"><p class="wrong" role="alert">{}</p></div>').format(sentence))


def budget_text(value: float) -> str:
    """Return a training budget as text with at most four digits.

    Parameters
    ----------
    value : float
        The budget, in operations.
    """
    return f"{value:.4g}"


def goal_text(table: FittedTable, goal: int) -> str:
    """Return an error to reach as text.

    Parameters
    ----------
    table : FittedTable
        The fit.
    goal : int
        Index of the error.
    """
    return f"{table.goals[goal]:.3g}"


def plan_texts(table: FittedTable, goal: int) -> list[str]:
    """Return cost, n, m and error of the cheapest run that reaches an error, and remarks on the plan.

    Parameters
    ----------
    table : FittedTable
        The fit.
    goal : int
        Index of the error.
    """
    try:
        found = table.plan(table.goals[goal])
    except NoAnswer as error:
        return ["", "", "", "", str(error)]
    own = [sentence for sentence in found.warnings if sentence not in table.fit.warnings]
    return [*(found.text(name) for name in ("cost", "n", "m", "error")), " ".join([*found.remarks, *own])]


def _figure(name: str, frame: str, layer: str, marker: str, description: str) -> Markup:
    """Return a figure whose parts have names, so that a script can exchange them."""
    parts = {"frame": frame, "layer": layer, "marker": marker}
    content = "".join(f'<g id="{name}-{part}">{svg}</g>' for part, svg in parts.items())
    return Markup(drawings.figure(content, description))


def _fitted(table: FittedTable) -> list[Markup | str]:
    """Return what a fit prints: sentences, and tables as HTML."""
    return [
        Markup(one.to_html()) if isinstance(one, TextTable) else one for one in table.fit.content() if one
    ]
