"""Error budgets as cells of a study, and curves of budgets as functions of n."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from errsrc import records
from errsrc.curves.verdicts import CurveShape, curve_shape
from errsrc.fields import Checked, declare, instance, integer, number
from errsrc.learners import Learner, RandomFeatures
from errsrc.results import ROUNDING, Bracket, Interval, PointEstimate, aligned
from errsrc.settings import CoordinateSetting, Setting, images
from errsrc.sources.bracket.draws import fresh_inputs
from errsrc.sources.budgets import DRAWS, FIRST_DRAWS, budget, budget_grid, check_sizes
from errsrc.sources.effort import Effort
from errsrc.sources.terms import OPTIONAL_FIELDS, TERMS, Budget, notes
from errsrc.sweeps import Kind

_SIDES = ("", ".upper")  # suffixes of a term's name in a row, for the lower and the upper end of its bracket


@dataclass(frozen=True)
class BudgetCell(Checked):
    """The arguments of one error budget, see `errsrc.budget`; a cell of a study of the kind "budget".

    Attributes
    ----------
    setting : Setting
        The setting.
    learner : Learner
        The learner.
    n : int
        Number of labelled examples, >= 1.
    seed : int
        Seed from which all random streams are derived, >= 0.
    draws : int or "auto"
        Number of draws of teacher and data, >= 2, or "auto" to add draws until the total is precise.
    level : float
        Coverage of the intervals, in (0, 1).
    precision : float
        With draws = "auto", draws are added until half the width of the total's interval is at most this
        share of the total.
    max_draws : int
        Largest number of draws with draws = "auto", >= 64.
    effort : Effort
        Amount of computation for the bounds of terms that have no closed form.
    """

    setting: Setting
    learner: Learner
    n: int = integer(at_least=1)
    seed: int = integer(0, at_least=0)
    draws: int | Literal["auto"] = declare(DRAWS, FIRST_DRAWS)
    level: float = number(0.95, above=0, below=1)
    precision: float = number(0.05, above=0, below=1)
    max_draws: int = integer(4096, at_least=FIRST_DRAWS)
    effort: Effort = instance(Effort, "an Effort", Effort())

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self.setting, self.learner, "BudgetCell")


def compute_budgets(cells: Sequence[BudgetCell]) -> list[dict[str, Any]]:
    """Compute one budget for each cell.

    Parameters
    ----------
    cells : sequence of BudgetCell
        The arguments of each budget.

    Returns
    -------
    list of dict
        A row for each cell, which `budget_from_row` reads.  A term such as "noise" has six columns.  "noise"
        is the estimate of its lower bound; "noise.low" and "noise.high" are the ends of the interval of this
        estimate.  "noise.upper", "noise.upper.low" and "noise.upper.high" are the same numbers for its upper
        bound.  If the budget has fields of `errsrc.sources.terms.OPTIONAL_FIELDS`, the row has similar
        columns for these fields.
    """
    groups: dict[Hashable, list[int]] = {}
    for place, cell in enumerate(cells):
        groups.setdefault(shared_decompositions(cell), []).append(place)
    rows: dict[int, dict[str, Any]] = {}
    for places in groups.values():
        found = _budgets([cells[place] for place in places])
        rows |= {place: _row(one) for place, one in zip(places, found, strict=True)}
    return [rows[place] for place in range(len(cells))]


def _budgets(cells: Sequence[BudgetCell]) -> list[Budget]:
    """Return the budget of each of several cells that have the same `shared_decompositions`."""
    first = cells[0]
    if len(cells) == 1 or first.draws == "auto":
        names = ("draws", "seed", "level", "precision", "max_draws", "effort")
        options = {name: getattr(first, name) for name in names}
        return [budget(first.setting, first.learner, first.n, **options)] * len(cells)
    learners = [cell.learner for cell in cells]
    return list(
        budget_grid(
            first.setting,
            learners,
            [first.n],
            **{name: getattr(first, name) for name in ("draws", "seed", "level")},
        ).values()
    )


def shared_decompositions(cell: BudgetCell) -> Hashable:
    """Return a key that is equal for cells whose budgets share their matrix decompositions.

    These are cells of random features with exact terms that differ only in their learners.  The key of any
    other cell is the cell itself.

    Parameters
    ----------
    cell : BudgetCell
        The cell.
    """
    if cell.draws == "auto" or not isinstance(cell.learner, RandomFeatures):
        return cell
    setting = cell.setting
    if not (isinstance(setting, CoordinateSetting) and setting.has_span(cell.learner.function_class)):
        return cell
    return replace(cell, learner=RandomFeatures())


def _row(found: Budget) -> dict[str, Any]:
    """Return a budget as a flat row."""
    row: dict[str, Any] = {name: getattr(found, name) for name in ("loss", "scale", "status", "std_error")}
    terms = found.rows()
    for name in ("all_functions", "never"):
        if (bracket := getattr(found, name)) is not None:
            terms.append((name, bracket.lower, bracket.upper))
    for name in ("optimiser", "not_yet", "limit"):
        if (interval := getattr(found, name)) is not None:
            terms.append((name, interval, interval))
    for name, *sides in terms:
        for side, interval in zip(_SIDES, sides, strict=True):
            key = name + side
            row |= {key: interval.estimate, f"{key}.low": interval.low, f"{key}.high": interval.high}
    return row | {f"{name}.tail": shape for name, shape in found.tails.items() if name == "total"}


def budget_from_row(row: Mapping[str, Any]) -> Budget:
    """Return the budget of a finished cell, without the values of single draws.

    Parameters
    ----------
    row : mapping
        Row of the cell in the file of finished cells.

    Returns
    -------
    Budget
        The budget, with empty `Budget.draws`.
    """

    def interval(key: str) -> Interval:
        low, high = row[f"{key}.low"], row[f"{key}.high"]
        withheld = (low, high) == (-math.inf, math.inf)
        return (PointEstimate if withheld else Interval)(row[key], low, high, row["level"])

    def bracket(name: str) -> Bracket:
        return Bracket(interval(name), interval(f"{name}.upper"), row["status"])

    terms: dict[str, Any] = {name: bracket(name) for name in TERMS}
    return Budget(
        n=row["n"],
        loss=row["loss"],
        **terms,
        total=interval("total"),
        scale=row["scale"],
        draws={name: np.empty(0) for name in (*TERMS, "total")},
        status=row["status"],
        std_error=row["std_error"],
        all_functions=bracket("all_functions") if row.get("all_functions") is not None else None,
        optimiser=interval("optimiser") if row.get("optimiser") is not None else None,
        not_yet=interval("not_yet") if row.get("not_yet") is not None else None,
        never=bracket("never") if row.get("never") is not None else None,
        limit=PointEstimate.of(row["limit"], row["level"]) if row.get("limit") is not None else None,
        tails={"total": row["total.tail"]} if row.get("total.tail") is not None else {},
    )


def budgets_over_n(
    cells: Sequence[BudgetCell], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[BudgetCell, list[Budget]]]:
    """Return the budgets of finished cells in groups; the budgets of a group differ only in n.

    Parameters
    ----------
    cells : sequence of BudgetCell
        The finished cells.
    rows : sequence of mappings
        The row of each cell, as `errsrc.sweeps.Store.rows` returns them.

    Returns
    -------
    list of (BudgetCell, list of Budget)
        A pair for each group of cells that differ only in n.  The first entry is a cell of the group, with n
        replaced by 1.  The second entry is the list of the budgets of the group, in ascending order of n.
    """
    found: dict[BudgetCell, list[Budget]] = {}
    for cell, row in zip(cells, rows, strict=True):
        setting, learner = records.text(cell.setting), records.text(cell.learner)
        one = replace(budget_from_row(row), setting=setting, learner=learner)
        found.setdefault(replace(cell, n=1), []).append(one)
    return [(cell, sorted(budgets, key=lambda one: one.n)) for cell, budgets in found.items()]


def excess_shape(cell: BudgetCell, budgets: Sequence[Budget]) -> CurveShape:
    """Return the shape of the excess risk as a function of n, see `errsrc.curve_shape`.

    Three kinds of excess risks count as 0:

    - estimates below 0;
    - risks that may be rounding errors, because they are at most `ROUNDING` times the target variance or the
      largest risk;
    - estimated 0-1 errors that amount to at most 3 wrong predictions in total, at the fresh inputs of all
      draws.

    Budgets with the same seed have the same teachers.  Therefore their sampling errors are similar, and local
    exponents are more precise than their intervals show.

    An excess risk whose total has no interval counts as uncertain by 100%, since its standard error is not
    known.  The "largest risk" of the list above is taken from the other risks.

    Parameters
    ----------
    cell : BudgetCell
        The arguments of any budget of the curve.
    budgets : sequence of Budget
        The budgets of the curve, in ascending order of n.

    Returns
    -------
    CurveShape
        The shape.
    """
    excess = [max(one.total.estimate - one.noise.lower.estimate, 0.0) for one in budgets]
    withheld = [isinstance(one.total, PointEstimate) for one in budgets]
    errors = [
        max(one.std_error, size) if unknown else one.std_error
        for one, size, unknown in zip(budgets, excess, withheld, strict=True)
    ]
    known = [size for size, unknown in zip(excess, withheld, strict=True) if not unknown]
    zero = ROUNDING * max([budgets[0].scale, *known])
    if cell.setting.loss == "zero-one" and any(not one.deficiency.closed for one in budgets):
        draws = FIRST_DRAWS if cell.draws == "auto" else cell.draws
        zero = 3 / (draws * fresh_inputs(cell.setting))  # errors are counted at fresh inputs
    return curve_shape([one.n for one in budgets], excess, std_error=errors, zero=zero)


def budget_lines(budgets: Sequence[Budget]) -> tuple[list[str], list[list[str]]]:
    """Return a header, and a line of texts for each budget: n, the terms, the total and optional fields.

    Parameters
    ----------
    budgets : sequence of Budget
        The budgets.

    Returns
    -------
    header : list of str
        A text for each column.
    lines : list of list of str
        The texts of each budget, one for each column.
    """
    names = [
        *TERMS,
        "total",
        *(name for name in OPTIONAL_FIELDS if any(getattr(one, name) for one in budgets)),
    ]
    header = ["n", *(name.replace("_", " ") for name in names)]
    rounded = [one.rounded for one in budgets]
    return header, [[f"{one.n:,}", *(f"{getattr(one, name) or ''}" for name in names)] for one in rounded]


def budget_table(budgets: Sequence[Budget]) -> str:
    """Return budgets as a text table with a line for each n.

    Below the table, the sentences of `errsrc.sources.terms.notes` say how the terms were computed.

    Parameters
    ----------
    budgets : sequence of Budget
        The budgets.

    Returns
    -------
    str
        The table.
    """
    header, rows = budget_lines(budgets)
    return "\n".join([*aligned([header, *rows]), *notes(budgets)])


KIND = Kind(
    "budget",
    BudgetCell,
    compute_budgets,
    group=shared_decompositions,
    require_data=images.ready,
    packages=("numpy", "scipy", "scikit-learn", "torch"),
)
"""The kind of study whose cells are error budgets."""
