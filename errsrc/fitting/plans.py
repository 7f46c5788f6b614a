"""Inverting a law: the sizes that reach a given error, and the smallest error within a given budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import LEVEL, Instance, Number, PositiveArray
from errsrc.errors import Unreachable
from errsrc.fitting.asymptotes import floor_of, floor_text
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.intervals import interval_of
from errsrc.fitting.ranges import (
    WORDS,
    MeasuredRange,
    both_sentence,
    larger_in_both,
    range_sentence,
    share_sentence,
    size_ranges,
)
from errsrc.fitting.table_notes import noted_library
from errsrc.laws.law import Array
from errsrc.results import Interval, TabularResult, TextTable, bound_to, interval_columns, json_value

Cost = Callable[[Array, Array], ArrayLike]
"""A cost model: (n, m) -> cost, arrays of one shape, increasing in both."""


def training_flops(n: Array, m: Array) -> Array:
    """Return 6 * n * m, the operations to train a model with m parameters on n examples in one pass.

    This is the cost model of Kaplan et al. 2020 (arXiv 2001.08361).

    Parameters
    ----------
    n, m : ndarray of float64
        Data sizes and model sizes, of shapes that broadcast.

    Returns
    -------
    ndarray of float64
        Floating-point operations, of the shape that n and m broadcast to.
    """
    return 6.0 * n * m


@dataclass(frozen=True, repr=False)
class Plan(TabularResult):
    """The cheapest sizes that reach an error, or the sizes with the lowest error for a budget.

    Attributes
    ----------
    n : Interval
        Data size.
    m : Interval or None
        Model size; None for a law in n alone.
    cost : Interval
        Cost of n and m under the cost model of the plan; n itself for a law in n alone.
    error : Interval
        Error of one new run at n and m, in the units of the fitted errors.
    floor : Interval
        Limit of the error of the law as its inputs grow.
    warnings : tuple of str
        Warnings about the plan, one sentence each.
    forecast : Forecast or None
        The fit from which the plan was made.  The figure shows this fit.
    """

    n: Interval
    m: Interval | None
    cost: Interval
    error: Interval
    floor: Interval
    warnings: tuple[str, ...]
    forecast: Forecast | None = field(default=None, compare=False)

    def headline(self) -> str:
        """Return sizes, cost and error as one line."""
        return ", ".join(f"{name} {interval}" for name, interval in self._intervals().items())

    def content(self) -> list[str | TextTable]:
        """Return sizes, cost, error and floor with their intervals, and the warnings, as a table."""
        rows = [("", f"{100 * self.n.level:.6g}% intervals, for one new run:")]
        rows += [(name, self.text(name)) for name in self._intervals()]
        rows += [("", sentence) for sentence in self.remarks]
        return [TextTable([*rows, *(("warning", sentence) for sentence in self.warnings)], "l")]

    @property
    def measured(self) -> dict[str, MeasuredRange]:
        """The measured range of each size, and how far the plan lies outside it; {} without `forecast`.

        For laws in n and m, "6 n m" has the range of this cost.
        """
        return {} if self.forecast is None else size_ranges(self.forecast.inputs, self._sizes())

    @property
    def shares(self) -> dict[str, float]:
        """Parts of the variance of ln error of a new run (`Forecast.variance_shares`); nan if a size is 0."""
        if self.forecast is None:
            return {}
        sizes = self._sizes()
        if any(size[0] == 0 for size in sizes.values()):  # the error is flat, and the smallest size is best
            return dict.fromkeys(WORDS, math.nan)
        found = self.forecast.variance_shares(**sizes)
        return {name: float(share[0]) for name, share in found.items()}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on how far the sizes lie outside the measured range, and on the variance of ln error."""
        shares = {name: np.array([share]) for name, share in self.shares.items()}
        return (*_range_sentences(self.forecast, self._sizes()), *share_sentence(shares))

    def _sizes(self) -> dict[str, Array]:
        """Return the planned n, and m if there is one, as arrays of one number."""
        return {
            name: np.array([getattr(self, name).estimate])
            for name in ("n", "m")
            if getattr(self, name) is not None
        }

    def text(self, name: str) -> str:
        """Return an attribute, such as "n" or "cost", as text, with its interval.

        Parameters
        ----------
        name : str
            Name of the attribute.
        """
        interval = getattr(self, name)
        if name == "floor":
            return floor_text(interval, self.forecast is None or self.forecast.determined)
        open_ended = name in ("n", "m", "cost") and not interval.determined
        by_law = open_ended and interval.low != interval.high
        if not by_law:
            return str(interval)
        rounded = (bound_to(interval.low, 2, "down"), bound_to(interval.high, 2, "up"))
        ends = [f"{end:.2g}" if 0 < end < math.inf else "not bounded" for end in rounded]
        return f"{interval.estimate:.2g} [{', '.join(ends)}]"

    def as_dict(self) -> dict[str, Any]:
        """Return sizes, cost, error and floor with their intervals, and the warnings, as JSON values.

        The dict also has `measured` and `shares`, if the plan has its forecast.
        """
        more = {} if self.forecast is None else {"measured": self.measured, "shares": self.shares}
        return json_value({**self._intervals(), **more, "warnings": self.warnings})

    def columns(self) -> dict[str, Array]:
        """Return the plan as a table with one row.

        Returns
        -------
        dict of str to ndarray of float64, shape (1,)
            The keys are "n", "m" (for laws in n and m), "cost", "error" and "floor".  Keys such as "n_low"
            and "n_high" have the ends of the intervals.
        """
        out: dict[str, Array] = {}
        for name, interval in self._intervals().items():
            out |= interval_columns(name, [interval])
        return out

    def _library(self) -> str:
        return "" if self.forecast is None else noted_library(self.forecast.notes)

    def _intervals(self) -> dict[str, Interval]:
        names = ("n", "m", "cost", "error", "floor")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def _range_sentences(forecast: Forecast | None, sizes: Mapping[str, Array]) -> list[str]:
    """Return sentences on how far planned sizes lie outside the measured range."""
    if forecast is None:
        return []
    both = larger_in_both(forecast.inputs, sizes)
    return [*range_sentence(size_ranges(forecast.inputs, sizes)), *both_sentence(both)]


def plans_table(plans: Sequence[Plan]) -> str:
    """Return plans for several errors or budgets as one table, with their warnings below.

    Parameters
    ----------
    plans : sequence of Plan
        One or more plans, as `plan` returns them for an array of errors or budgets.
    """
    names = [name for name in ("n", "m", "cost", "error") if getattr(plans[0], name) is not None]
    rows = [names, *([one.text(name) for name in names] for one in plans)]
    warnings = dict.fromkeys(sentence for one in plans for sentence in one.warnings)
    forecast = plans[0].forecast
    remarks: list[str] = []
    if forecast is not None:
        keys = [name for name in forecast.input_names if getattr(plans[0], name) is not None]
        sizes = {key: np.array([getattr(one, key).estimate for one in plans]) for key in keys}
        parts = {name: np.array([one.shares[name] for one in plans]) for name in plans[0].shares}
        remarks = [*_range_sentences(forecast, sizes), *share_sentence(parts)]
    lines = [
        f"{100 * plans[0].n.level:.6g}% intervals, for one new run; floor {plans[0].text('floor')}",
        str(TextTable(rows, "l", header=True)),
        *remarks,
        *(f"warning {sentence}" for sentence in warnings),
    ]
    return "\n".join(lines)


@overload
def plan(
    forecast: Forecast, *, error: float, budget: None = None, cost: Cost = ..., level: float = 0.9
) -> Plan: ...
@overload
def plan(
    forecast: Forecast, *, error: None = None, budget: float, cost: Cost = ..., level: float = 0.9
) -> Plan: ...
@overload
def plan(
    forecast: Forecast,
    *,
    error: Sequence[float] | NDArray[np.float64],
    budget: None = None,
    cost: Cost = ...,
    level: float = 0.9,
) -> list[Plan]: ...
@overload
def plan(
    forecast: Forecast,
    *,
    error: None = None,
    budget: Sequence[float] | NDArray[np.float64],
    cost: Cost = ...,
    level: float = 0.9,
) -> list[Plan]: ...
@checks.arguments(forecast=Instance(Forecast, "a fit of a law in n, or in n and m"), level=LEVEL)
def plan(
    forecast: Forecast,
    *,
    error: ArrayLike | None = None,
    budget: ArrayLike | None = None,
    cost: Cost = training_flops,
    level: float = 0.9,
) -> Plan | list[Plan]:
    """Return the cheapest (n, m) that reaches a given error, or the smallest error within a given budget.

    `errsrc.frontier` answers the second question for many budgets at once, with the exponents of n and m.

    Parameters
    ----------
    forecast : Forecast
        A fit of a law in n, or in n and m, or an average of such fits.
    error : float or array_like of float, shape (goals,), optional
        The error to reach, > 0, in the units of the fitted errors.  Give either `error` or `budget`.
    budget : float or array_like of float, shape (goals,), optional
        The largest allowed cost, > 0, in the units of `cost`.  Give either `error` or `budget`.
    cost : callable
        Function cost(n, m) of two arrays of one shape, which returns an array of costs.  The cost increases
        with n and with m.  For a law in n alone the cost is n.
    level : float
        Coverage of the intervals, in (0, 1).  The intervals are for one new run.  They are quantiles over
        draws: each draw of the parameters, together with the noise of one run, gives a plan.

    Returns
    -------
    Plan or list of Plan
        Sizes, cost and error, with intervals.  For an array of errors or budgets, a list with one plan for
        each of them, in their order.

    Raises
    ------
    Unreachable
        If an error to reach is at or below the floor of the law.  ``best`` of the exception is the floor, an
        `Interval`.
    NoAnswer
        If the fitted law rises as its inputs grow.
    TypeError, ValueError
        If both or none of `error` and `budget` are given, if a value is out of range, or if the law has other
        inputs.

    Examples
    --------
    >>> from errsrc.fitting import fit
    >>> from errsrc.laws import Power
    >>> n = [100, 200, 400, 800, 1600, 3200]
    >>> found = fit(Power, [0.303, 0.240, 0.202, 0.170, 0.152, 0.134], n=n)
    >>> print(plan(found, error=0.12).n)
    9000 [5000, 21000]
    >>> [round(one.error.estimate, 3) for one in plan(found, budget=[6400, 12_800])]
    [0.124, 0.117]
    """
    if (error is None) == (budget is None):
        raise TypeError("plan takes exactly one of the 'error' and 'budget' parameters.")
    if not callable(cost):
        raise TypeError(checks.refusal("cost", "plan", "a function (n, m) -> cost", cost))
    if forecast.input_names not in (("n",), ("n", "m")):
        accepted = "a fit of a law in n, or in n and m"
        got = f"<a law in {', '.join(forecast.input_names)}>"
        raise ValueError(checks.refusal("forecast", "plan", accepted, got))
    errors, budgets = _goals(error, "error"), _goals(budget, "budget")
    floor = floor_of(forecast, level)
    planner = _Planner(forecast, cost)
    for goal in errors:
        if goal <= floor.estimate:
            message = f"No size reaches an error of {goal:g}: the floor of this law is {floor}."
            raise Unreachable(message, floor)
    sizes = [planner.cheapest(np.full(planner.draws + 1, goal)) for goal in errors]
    sizes += [planner.best(goal) for goal in budgets]
    goals = [*errors, *(None for _ in budgets)]
    plans = [planner.report(*pair, floor, level, goal) for pair, goal in zip(sizes, goals, strict=True)]
    return plans if np.asarray(budget if error is None else error).ndim else plans[0]


def _goals(value: ArrayLike | None, name: str) -> list[float]:
    """Return the errors or the budgets of plans as a list; raise ValueError or TypeError for others."""
    if value is None:
        return []
    if isinstance(value, (str, bool, int, float, np.generic)):
        return [Number(above=0)(value, name, "plan")]
    goals = PositiveArray()(value, name, "plan")
    if goals.ndim > 1 or not goals.size:
        accepted = "a number, or a one-dimensional array, not empty"
        raise ValueError(checks.refusal(name, "plan", accepted, f"<shape {goals.shape}>"))
    return np.atleast_1d(goals).tolist()


class _Planner:
    """Finds sizes for the central curve (row 0) and for every draw of a new run (the other rows).

    Arrays have shape (rows, k): a row for the central curve and for each draw, and k sizes in each.
    """

    def __init__(self, forecast: Forecast, cost: Cost) -> None:
        self.forecast = forecast
        self.cost = cost
        self.joint = forecast.input_names == ("n", "m")
        self.draws = forecast.draw_count
        self.deviates = np.concatenate([[0.0], forecast.run_deviates()])[:, None]
        self.spread = 0.0
        self.range = {k: (x.min() * 1e-6, min(x.max(), 1e290) * 1e12) for k, x in forecast.inputs.items()}

    def log_error(self, n: Array, m: Array) -> Array:
        """Return ln error of one run at sizes (rows, k); without the noise of a run in row 0."""
        inputs = {"n": n, "m": m} if self.joint else {"n": n}
        with np.errstate(all="ignore"):
            logs = self.forecast.log_errors(inputs)
            logs = np.where(np.isnan(logs), np.inf, logs)
            return logs + self.deviates * self.spread

    def total(self, n: Array, m: Array) -> Array:
        """Return the cost of (n, m); for a law in n alone, the cost is n."""
        return np.asarray(self.cost(n, m) if self.joint else n, dtype=np.float64)

    def crossing(
        self, passed: Callable[[Array], NDArray[np.bool_]], shape: tuple[int, ...]
    ) -> tuple[Array, Array]:
        """Return two n that enclose the smallest n at which `passed` is true, by bisection in ln n."""
        low, high = (np.full(shape, np.log(end)) for end in self.range["n"])
        for _ in range(60):
            middle = (low + high) / 2
            past = passed(np.exp(middle))
            low, high = np.where(past, low, middle), np.where(past, middle, high)
        return np.exp(low), np.exp(high)

    def smallest_n(self, target: Array, m: Array) -> Array:
        """Return the smallest n that reaches the target, (rows,), of each row at m (rows, k); inf if none."""
        goal = np.log(target)[:, None]
        reached = self.log_error(np.full(m.shape, self.range["n"][1]), m) <= goal
        _, enough = self.crossing(lambda n: self.log_error(n, m) <= goal, m.shape)
        return np.where(reached, enough, np.inf)

    def search(self, value: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Return the m that minimises value(m) in each row, and the minimum, (rows,) each, by finer grids."""
        low, high = (np.log(end) for end in self.range["m"])
        left = np.full(self.draws + 1, low)
        right = np.full(self.draws + 1, high)
        share = np.linspace(0.0, 1.0, 33)
        for _ in range(8):
            grid = left[:, None] + (right - left)[:, None] * share
            values = value(np.exp(grid))
            k = values.argmin(axis=1)
            rows = np.arange(len(k))
            left, right = grid[rows, np.maximum(k - 1, 0)], grid[rows, np.minimum(k + 1, 32)]
        return np.exp(grid[rows, k]), values[rows, k]

    def cheapest(self, target: Array) -> tuple[Array, Array]:
        """Return the cheapest (n, m) that reach the target error of each row, (rows,) each.

        All rows use the noise of one run and the possible error of the law's form at the plan of the central
        curve.  If these grew with the sizes during the search, some draws would plan absurdly large sizes.
        """
        self.spread = 0.0
        n, m = self._cheapest(target)
        if not np.isfinite(n[0]):
            return n, m
        centre = {"n": n[:1], "m": m[:1]} if self.joint else {"n": n[:1]}
        logs, _ = self.forecast.curves(**centre)
        self.spread = float(self.forecast.run_spread(logs, centre)[0])
        return self._cheapest(target)

    def _cheapest(self, target: Array) -> tuple[Array, Array]:
        """Return the cheapest sizes of each row at the present `spread`, (rows,) each."""
        if not self.joint:
            return self.smallest_n(target, np.ones((len(target), 1)))[:, 0], np.ones(len(target))
        m, _ = self.search(lambda m: self.total(self.smallest_n(target, m), m))
        n = self.smallest_n(target, m[:, None])[:, 0]
        return n, np.where(np.isfinite(n), m, np.inf)

    def affordable_n(self, budget: float, m: Array) -> Array:
        """Return the largest n within a budget at m (rows, k); nan where even the smallest n costs more."""
        affordable = self.total(np.full(m.shape, self.range["n"][0]), m) <= budget
        within, _ = self.crossing(lambda n: self.total(n, m) > budget, m.shape)
        return np.where(affordable, within, np.nan)

    def best(self, budget: float) -> tuple[Array, Array]:
        """Return the (n, m) of lowest error within a budget, (rows,) each."""
        if not self.joint:
            return np.full(self.draws + 1, budget), np.ones(self.draws + 1)
        self.spread = 0.0  # a spread that is equal for all sizes changes no minimum

        def value(m: Array) -> Array:
            n = self.affordable_n(budget, m)
            return np.where(np.isnan(n), np.inf, self.log_error(np.where(np.isnan(n), 1.0, n), m))

        m, _ = self.search(value)
        n = self.affordable_n(budget, m[:, None])[:, 0]
        if np.isnan(n[0]):
            smallest = float(self.total(np.array(self.range["n"][0]), np.array(self.range["m"][0])))
            raise ValueError(checks.refusal("budget", "plan", f"a finite number >= {smallest:.3g}", budget))
        return n, m

    def report(self, n: Array, m: Array, floor: Interval, level: float, target: float | None) -> Plan:
        """Return the plan at sizes (rows,): row 0 gives the estimates, the other rows give the intervals."""
        sizes = dict(zip(self.forecast.input_names, (n, m), strict=False))
        centre = {name: size[:1] for name, size in sizes.items()}
        reached = self.forecast.predict(level=level, **centre)
        error = Interval(float(reached.predicted[0]), float(reached.low[0]), float(reached.high[0]), level)
        bounded = {name: self._bounded(name, size) for name, size in sizes.items()}
        return Plan(
            n=interval_of(bounded["n"], level),
            m=interval_of(bounded["m"], level) if self.joint else None,
            cost=interval_of(self.total(bounded["n"], bounded.get("m", m)), level),
            error=error,
            floor=floor,
            warnings=(*self.forecast.warnings, *self._warnings(sizes, target)),
            forecast=self.forecast,
        )

    def _bounded(self, name: str, size: Array) -> Array:
        """Return sizes, (rows,); sizes at the lower end of the search become 0: nothing bounds them."""
        return np.where(size <= self.range[name][0] * (1 + 1e-6), 0.0, size)

    def _warnings(self, sizes: dict[str, Array], target: float | None) -> list[str]:
        """Return a sentence on each size below the measured sizes, and on draws that have no plan."""
        warnings = []
        for name, size in sizes.items():
            measured = self.forecast.inputs[name]
            smallest = float(measured.min())
            if size[0] < smallest:
                warnings.append(f"The plan's {name} lies under the smallest one measured, {smallest:.3g}.")
        share = float(np.mean(~np.isfinite(sizes["n"][1:])))
        if target is not None and share > 0.01:
            warnings.append(
                f"In {share:.0%} of the draws no size reaches the error {target:g}: it lies near the floor."
            )
        return warnings
