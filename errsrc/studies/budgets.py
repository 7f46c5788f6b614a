"""Budgets as cells of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.curves.verdicts import CurveShape, curve_shape
from errsrc.learners import Learner
from errsrc.results import ROUNDING, Bracket, Interval, aligned
from errsrc.settings import Setting, images
from errsrc.sources.bracket.draws import fresh_inputs
from errsrc.sources.budgets import budget, check_sizes
from errsrc.sources.effort import Effort
from errsrc.sources.terms import OPTIONAL_FIELDS, TERMS, Budget, notes
from errsrc.sweeps import Kind

SIDES = ("", ".upper")
"""What follows a term's name in a row: the lower side of its bracket, and the upper."""


@dataclass(frozen=True)
class BudgetCell:
    """One error budget, and all that it depends on; see `errsrc.sources.budgets`.

    Attributes
    ----------
    setting, learner, n
        The world, the learner, and the labelled examples that it has.
    seed
        Root of the seed tree.
    draws
        Draws of teacher and data.
    level
        Coverage of the intervals.
    effort
        How hard bounds are looked for where there are only bounds.
    """

    setting: Setting
    learner: Learner
    n: int
    seed: int = 0
    draws: int = 64
    level: float = 0.95
    effort: Effort = field(default=Effort())

    def __post_init__(self) -> None:
        checks.integer(self.n, "n", "BudgetCell", 1)
        checks.integer(self.seed, "seed", "BudgetCell", 0)
        checks.integer(self.draws, "draws", "BudgetCell", 2)
        checks.number(self.level, "level", "BudgetCell", 0, 1, open_low=True, open_high=True)
        check_sizes(self.setting, self.learner, "BudgetCell")


def budgets(cells: Sequence[BudgetCell]) -> list[dict[str, Any]]:
    """Compute budgets and return each as a flat row, see `errsrc.sweeps.Kind` and `from_row`.

    A term's row has its estimate under its name, the interval's ends under ``.low`` and ``.high``, and
    the upper side of its bracket under ``.upper``, ``.upper.low`` and ``.upper.high``.  Of the fields
    `OPTIONAL_FIELDS` a row has those that the budget has, in the same way.
    """
    out = []
    for cell in cells:
        how: dict[str, Any] = {name: getattr(cell, name) for name in ("draws", "seed", "level", "effort")}
        found = budget(cell.setting, cell.learner, cell.n, **how)
        row: dict[str, Any] = {
            name: getattr(found, name) for name in ("loss", "scale", "status", "std_error")
        }
        rows = found.rows()
        if found.all_functions is not None:
            rows.append(("all_functions", found.all_functions.lower, found.all_functions.upper))
        if found.optimiser is not None:
            rows.append(("optimiser", found.optimiser, found.optimiser))
        for name, *sides in rows:
            for side, interval in zip(SIDES, sides, strict=True):
                key = name + side
                row |= {key: interval.estimate, f"{key}.low": interval.low, f"{key}.high": interval.high}
        out.append(row)
    return out


def from_row(row: Mapping[str, Any]) -> Budget:
    """Return the budget in a finished cell's row, without its single draws."""

    def interval(key: str) -> Interval:
        return Interval(row[key], row[f"{key}.low"], row[f"{key}.high"], row["level"])

    def bracket(name: str) -> Bracket:
        return Bracket(interval(name), interval(f"{name}.upper"), row["status"])

    terms = {name: bracket(name) for name in TERMS}
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
    )


def curves(
    cells: Sequence[BudgetCell], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[BudgetCell, list[Budget]]]:
    """Return the budgets of finished cells, by what the cells have in common but n, each list by n.

    ``rows`` are those of `errsrc.sweeps.Store.rows`, in the order of the cells.
    """
    found: dict[BudgetCell, list[Budget]] = {}
    for cell, row in zip(cells, rows, strict=True):
        found.setdefault(replace(cell, n=1), []).append(from_row(row))
    return [(cell, sorted(budgets, key=lambda one: one.n)) for cell, budgets in found.items()]


def verdict(cell: BudgetCell, budgets: Sequence[Budget]) -> CurveShape:
    """Return the shape over n of a cell's budgets: of the total less the noise, see `errsrc.curves.verdicts`.

    An estimate below 0 counts as 0; so does what may be rounding alone (`ROUNDING` of the target variance, or
    of the largest), and of a 0-1 error counted at inputs less than 3 of all.  Budgets of one seed share their
    teachers, so that errors rise and fall together: local exponents are known better than their intervals
    say.
    """
    excess = [max(one.total.estimate - one.noise.lower.estimate, 0.0) for one in budgets]
    errors = [one.std_error for one in budgets]
    zero = ROUNDING * max(budgets[0].scale, *excess)
    if cell.setting.loss == "zero-one" and any(not one.deficiency.closed for one in budgets):
        zero = 3 / (cell.draws * fresh_inputs(cell.setting))  # errors are counted at fresh inputs
    return curve_shape([one.n for one in budgets], excess, std_error=errors, zero=zero)


def lines(budgets: Sequence[Budget]) -> tuple[list[str], list[list[str]]]:
    """Return a header and a line of texts for each of some budgets: n, terms, total, what stands beside."""
    names = [
        *TERMS,
        "total",
        *(name for name in OPTIONAL_FIELDS if any(getattr(one, name) for one in budgets)),
    ]
    header = ["n", *(name.replace("_", " ") for name in names)]
    rounded = [one.rounded for one in budgets]
    return header, [[f"{one.n:,}", *(f"{getattr(one, name) or ''}" for name in names)] for one in rounded]


def table(budgets: Sequence[Budget]) -> str:
    """Return budgets as a text table: a line for each n, then the `notes`."""
    header, rows = lines(budgets)
    return "\n".join([*aligned([header, *rows]), *notes(budgets)])


KIND = Kind(
    "budget",
    BudgetCell,
    budgets,
    require_data=images.ready,
    packages=("numpy", "scipy", "scikit-learn", "torch"),
)
"""The kind of study whose cells are error budgets."""
