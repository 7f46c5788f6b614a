"""Turning a law round: what size or density reaches an error, and what error a budget buys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.errors import NoAnswer, Unreachable
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.intervals import interval_of
from errsrc.laws.law import Array
from errsrc.results import Interval

Cost = Callable[[Array, Array], Array]
"""(n, m) -> cost; it must rise with both."""


def training_flops(n: Array, m: Array) -> Array:
    """Return 6 n m, broadcast: operations of a pass over n examples.

    Kaplan et al. 2020, arXiv 2001.08361.
    """
    return 6.0 * n * m


@dataclass(frozen=True)
class Plan:
    """The cheapest way to an error, or the best error for a budget.

    Attributes
    ----------
    n, m
        Data size and model size, with intervals; m is None for a law in n alone.
    cost
        What they cost under the plan's cost model (n itself for a law in n alone).
    error
        The error reached there by one new run.
    floor
        The error that no (n, m) gets under, by this law.
    warnings
        What the reader must know, a sentence each.
    """

    n: Interval
    m: Interval | None
    cost: Interval
    error: Interval
    floor: Interval
    warnings: tuple[str, ...]


def plan(
    forecast: Forecast,
    *,
    error: float | None = None,
    budget: float | None = None,
    cost: Cost = training_flops,
    level: float = 0.9,
) -> Plan:
    """Return the cheapest (n, m) that reaches `error`, or the best error that `budget` buys.

    Parameters
    ----------
    forecast
        A fit of a law in n, or in n and m (`Fit` or `AveragedFit`).
    error
        The target, in the units of the fitted errors; or
    budget
        The most to spend, in the units of `cost`.  Exactly one of the two.
    cost
        Cost model (n, m) -> cost, increasing in both; default `training_flops`.  A law in
        n alone costs n.
    level
        Coverage of the intervals.  They hold for one new run: each draw of the
        parameters, with the noise of a run, is planned for on its own.

    Returns
    -------
    Plan

    Raises
    ------
    Unreachable
        If the target lies at or under the floor; ``best`` is the floor's Interval.
    NoAnswer
        If the fitted law rises as its inputs grow.
    ValueError, TypeError
        For a bad target, budget or law.
    """
    checks.number(level, "level", "plan", 0.0, 1.0, open_low=True, open_high=True)
    if (error is None) == (budget is None):
        raise TypeError("plan takes exactly one of the 'error' and 'budget' parameters.")
    if forecast.input_names not in (("n",), ("n", "m")):
        accepted = "a fit of a law in n, or in n and m"
        got = f"<a law in {', '.join(forecast.input_names)}>"
        raise ValueError(checks.refusal("forecast", "plan", accepted, got))
    floor = _floor(forecast, level)
    planner = _Planner(forecast, cost)
    if error is not None:
        target = checks.number(error, "error", "plan", 0.0, open_low=True)
        if target <= floor.estimate:
            message = f"No size reaches an error of {target:g}: the floor of this law is {floor}."
            raise Unreachable(message, floor)
        n, m = planner.cheapest(np.full(planner.draws + 1, target))
    else:
        spend = checks.number(budget, "budget", "plan", 0.0, open_low=True)
        n, m = planner.best(spend)
    return planner.report(n, m, floor, level, target=error)


def _floor(forecast: Forecast, level: float) -> Interval:
    """Return the limit of the mean curve as the inputs grow, over the draws of the parameters."""
    far = {name: np.array([1e150]) for name in forecast.input_names}
    centre, draws = forecast.curves(**far)
    seen, _ = forecast.curves(**{name: x.max() for name, x in forecast.inputs.items()})
    if not centre[0] <= seen[0]:
        raise NoAnswer("The fitted law does not fall as its inputs grow: there is nothing to plan.")
    limits = np.where(np.isnan(draws[:, 0]), np.inf, np.exp(draws[:, 0]))
    return interval_of(np.concatenate([np.exp(centre), limits]), level)


class _Planner:
    """Searches sizes for the central curve (row 0) and for every draw of a new run (the other rows)."""

    def __init__(self, forecast: Forecast, cost: Cost) -> None:
        self.forecast = forecast
        self.cost = cost
        self.joint = forecast.input_names == ("n", "m")
        self.draws = forecast.draw_count
        self.deviations = np.concatenate([[0.0], forecast.run_deviates()])[:, None]
        self.range = {k: (x.min() * 1e-6, x.max() * 1e12) for k, x in forecast.inputs.items()}

    def log_error(self, n: Array, m: Array) -> Array:
        """Return ln error at sizes of shape (1 + draws, k), one row a draw."""
        with np.errstate(all="ignore"):
            logs = self.forecast.log_errors({"n": n, "m": m} if self.joint else {"n": n})
        logs = np.where(np.isnan(logs), np.inf, logs)
        return logs + self.deviations * np.where(self.deviations != 0, self.forecast.run_spread(logs), 0.0)

    def total(self, n: Array, m: Array) -> Array:
        """Return the cost of (n, m); of n alone for a law in n alone."""
        return np.asarray(self.cost(n, m) if self.joint else n, dtype=np.float64)

    def crossing(
        self, beyond: Callable[[Array], NDArray[np.bool_]], shape: tuple[int, ...]
    ) -> tuple[Array, Array]:
        """Return the n just short of and just past where `beyond`, monotone in n, turns true (bisection)."""
        low, high = (np.full(shape, np.log(end)) for end in self.range["n"])
        for _ in range(60):
            middle = (low + high) / 2
            past = beyond(np.exp(middle))
            low, high = np.where(past, low, middle), np.where(past, middle, high)
        return np.exp(low), np.exp(high)

    def least_n(self, target: Array, m: Array) -> Array:
        """Return the least n that reaches each row's target at m (rows, k); inf where none does."""
        goal = np.log(target)[:, None]
        reached = self.log_error(np.full(m.shape, self.range["n"][1]), m) <= goal
        _, enough = self.crossing(lambda n: self.log_error(n, m) <= goal, m.shape)
        return np.where(reached, enough, np.inf)

    def search(self, value: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Minimise value(m), given and returning (rows, k), over m for each row by refined grids."""
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
        """Return the (n, m) of least cost that reach each row's target error."""
        if not self.joint:
            return self.least_n(target, np.ones((len(target), 1)))[:, 0], np.ones(len(target))
        m, _ = self.search(lambda m: self.total(self.least_n(target, m), m))
        n = self.least_n(target, m[:, None])[:, 0]
        return n, np.where(np.isfinite(n), m, np.inf)

    def affordable_n(self, spend: float, m: Array) -> Array:
        """Return the largest n that `spend` pays for at m (rows, k); nan where not even the least does."""
        affordable = self.total(np.full(m.shape, self.range["n"][0]), m) <= spend
        within, _ = self.crossing(lambda n: self.total(n, m) > spend, m.shape)
        return np.where(affordable, within, np.nan)

    def best(self, spend: float) -> tuple[Array, Array]:
        """Return the (n, m) of least error within the budget, for each row."""
        if not self.joint:
            return np.full(self.draws + 1, spend), np.ones(self.draws + 1)

        def value(m: Array) -> Array:
            n = self.affordable_n(spend, m)
            return np.where(np.isnan(n), np.inf, self.log_error(np.where(np.isnan(n), 1.0, n), m))

        m, _ = self.search(value)
        n = self.affordable_n(spend, m[:, None])[:, 0]
        if np.isnan(n[0]):
            least = float(self.total(np.array(self.range["n"][0]), np.array(self.range["m"][0])))
            raise ValueError(checks.refusal("budget", "plan", f"a finite number >= {least:.3g}", spend))
        return n, m

    def report(self, n: Array, m: Array, floor: Interval, level: float, target: float | None) -> Plan:
        """Return the plan: row 0 is the estimate, the quantiles of the others its interval."""
        names = self.forecast.input_names
        centre = {
            name: np.array([size[0]]) for name, size in zip(("n", "m"), (n, m), strict=True) if name in names
        }
        reached = self.forecast.predict(level=level, **centre)
        error = Interval(float(reached.predicted[0]), float(reached.low[0]), float(reached.high[0]), level)
        warnings = list(self.forecast.warnings)
        for name, sizes in (("n", n), ("m", m))[: len(names)]:
            least, most = float(self.forecast.inputs[name].min()), float(self.forecast.inputs[name].max())
            if sizes[0] > 100 * most:
                warnings.append(f"The plan's {name} is {sizes[0] / most:.3g} times the largest one measured.")
            if sizes[0] < least:
                warnings.append(f"The plan's {name} lies under the smallest one measured, {least:.3g}.")
        share = float(np.mean(~np.isfinite(n[1:])))
        if target is not None and share > 0.01:
            warnings.append(
                f"In {share:.0%} of the draws no size reaches the target: it lies near the floor."
            )
        return Plan(
            n=interval_of(n, level),
            m=interval_of(m, level) if self.joint else None,
            cost=interval_of(self.total(n, m), level),
            error=error,
            floor=floor,
            warnings=tuple(warnings),
        )
