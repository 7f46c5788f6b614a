"""What to run next: the runs that narrow the interval of an answer most for their cost."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import LEVEL, Instance, Integer, Number, Optional
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.frontiers import frontier, interval_of_draws, optimal_draws, student_widening
from errsrc.fitting.one_law import Fit
from errsrc.fitting.plans import Cost, training_flops
from errsrc.fitting.several_laws import AveragedFit, weighted_fits
from errsrc.fitting.table_notes import noted_library
from errsrc.laws.law import Array
from errsrc.results import Interval, TabularResult, TextTable, json_value

MOST_SIZES = 12
"""Largest number of sizes of one input in the default candidates."""
CLIPPED = 0.01
"""Share of the draws on each side that is clipped before variances are computed."""
WIDE = 0.5
"""Half widths of at least this, in ln of the answer, are shown as factors."""
SMALLEST_GAIN = 1e-4
"""A run is not chosen if it lowers ln of the answer's variance by less than this."""

Question = Mapping[str, Any] | Callable[[Forecast], ArrayLike]
"""What to find out: a dict, or a function of the fit; see `design`."""


@dataclass(frozen=True)
class NextRun:
    """A run to make, and the interval of the answer that is expected after it.

    Attributes
    ----------
    inputs : dict of str to float
        The sizes of the run by name.
    cost : float
        The cost of the run.
    total : float
        The cost of this run and of all runs before it.
    error : float
        The error that the fit predicts for the run.
    half_width : float
        Expected half width of the answer's interval after this run and all runs before it, see `half_width`.
    """

    inputs: Mapping[str, float]
    cost: float
    total: float
    error: float
    half_width: float


@dataclass(frozen=True, eq=False, repr=False)
class Design(TabularResult):
    """The runs to make next, in their order.

    Attributes
    ----------
    question : str
        The question that the runs answer, in words.
    answer : Interval
        The answer that the fit gives before any of these runs.
    runs : tuple of NextRun
        The runs; empty if the interval is narrow enough already, or if no affordable run narrows it.
    until : float or None
        The half width of the answer's interval at which the interval is narrow enough; None for no such
        limit.
    relative : bool
        Whether half widths are given as shares of the answer.
    budget : float
        The most that the runs may cost together.
    warnings : tuple of str
        Warnings about the fit and the design, one sentence each.
    candidates : dict of str to ndarray of float64, shape (candidates,)
        The sizes that could be chosen, by name.
    forecast : Forecast
        The fit from which the design was made.  The figure shows this fit.
    asked : dict of str to float
        The sizes of the run whose error is the answer; empty for other questions.
    smallest : float
        Half the width of the answer's interval if the law were known exactly: the noise of one run.  0 for
        questions other than the error of a run.
    """

    question: str
    answer: Interval
    runs: tuple[NextRun, ...]
    until: float | None
    relative: bool
    budget: float
    warnings: tuple[str, ...]
    candidates: Mapping[str, Array]
    forecast: Forecast
    asked: Mapping[str, float] = field(default_factory=dict)
    smallest: float = 0.0

    @property
    def half_widths(self) -> list[float]:
        """Half the width of the answer's interval before the first run, and after each run."""
        return [half_width(self.answer, self.relative), *(run.half_width for run in self.runs)]

    @property
    def cost(self) -> float:
        """The cost of all runs together."""
        return self.runs[-1].total if self.runs else 0.0

    @property
    def stops(self) -> bool:
        """Whether half the width of the interval is at most `until` after all runs."""
        return self.until is not None and self.half_widths[-1] <= self.until

    def headline(self) -> str:
        """Return the number of runs, their cost, and the half widths before and after, as one line."""
        before, after = (self.width_text(one) for one in (self.half_widths[0], self.half_widths[-1]))
        return f"{self.question}: {before} now, {after} after {_count(self.runs)} of cost {self.cost:.3g}"

    def content(self) -> list[str | TextTable]:
        """Return the answer now, a table of the runs, whether the goal is reached, and the warnings."""
        level = f"{100 * self.answer.level:.6g}%"
        lines: list[str | TextTable] = [
            f"{self.question}: {self.answer}, {self.width_text(self.half_widths[0])} ({level} interval)"
        ]
        if self.runs:
            lines.append(TextTable(self.rows(), "r", header=True))
        return [*lines, self._outcome(), *(f"warning: {sentence}" for sentence in self.warnings)]

    def rows(self) -> list[list[str]]:
        """Return the table of the runs as texts: a header, then one row for each run."""
        names = list(self.candidates)
        rows = [["run", *names, "cost", "total cost", "error", "interval after"]]
        for number, run in enumerate(self.runs, 1):
            sizes = [f"{run.inputs[name]:.4g}" for name in names]
            costs = [f"{run.cost:.3g}", f"{run.total:.3g}", f"{run.error:.4g}"]
            rows.append([str(number), *sizes, *costs, self.width_text(run.half_width)])
        return rows

    def as_dict(self) -> dict[str, Any]:
        """Return the question, the answer now, the runs and whether the goal is reached, as JSON values."""
        shown = {
            "question": self.question,
            "answer": self.answer,
            "half_width": self.half_widths[0],
            "relative": self.relative,
            "until": self.until,
            "stops": self.stops,
            "budget": self.budget,
            "cost": self.cost,
            "runs": [dataclasses.asdict(run) for run in self.runs],
            "warnings": self.warnings,
        }
        return {name: json_value(value) for name, value in shown.items()}

    def columns(self) -> dict[str, Array]:
        """Return the runs as a dict of arrays.

        Returns
        -------
        dict of str to ndarray of float64, shape (runs,)
            The keys are the names of the inputs, "cost", "total", "error" and "half_width", as in `NextRun`.
        """
        sizes = {name: np.array([run.inputs[name] for run in self.runs]) for name in self.candidates}
        others = ("cost", "total", "error", "half_width")
        return {**sizes, **{name: np.array([getattr(run, name) for run in self.runs]) for name in others}}

    def _library(self) -> str:
        return noted_library(self.forecast.notes)

    def width_text(self, value: float) -> str:
        """Return a half width as text, such as "±3%", "a factor of 2.5" or "±0.02".

        Parameters
        ----------
        value : float
            The half width.
        """
        return width_text(value, self.relative)

    def _outcome(self) -> str:
        if not self.runs:
            return (
                "narrow enough: nothing to run" if self.stops else "no affordable run narrows this interval"
            )
        if self.until is None:
            return f"{_count(self.runs)}, total cost {self.cost:.3g} of {self.budget:.3g}"
        if self.stops:
            return f"narrow enough (at most {self.width_text(self.until)}) after {_count(self.runs)}"
        return f"still wider than {self.width_text(self.until)} after {_count(self.runs)}"


def width_text(value: float, relative: bool) -> str:
    """Return half the width of an interval as text, such as "±3%", "a factor of 2.5" or "±0.02".

    Parameters
    ----------
    value : float
        Half the width, see `half_width`.
    relative : bool
        Whether half widths are given as shares of the answer.
    """
    if not relative:
        return f"±{value:.2g}"
    return f"±{100 * value:.2g}%" if value < WIDE else f"a factor of {math.exp(min(value, 700.0)):.2g}"


def half_width(interval: Interval, relative: bool) -> float:
    """Return half the width of an interval.

    Parameters
    ----------
    interval : Interval
        The interval.
    relative : bool
        Whether to take logarithms of the ends first.  A half width of 0.03 then means 3% on each side.
    """
    low, high = interval.low, interval.high
    if not relative:
        return (high - low) / 2
    return (math.log(high) - math.log(low)) / 2 if low > 0 and high < math.inf else math.inf


@checks.arguments(
    fit=Instance((Fit, AveragedFit), "a fit of a law in n, or in n and m, or an average of such fits"),
    budget=Optional(Number(above=0)),
    until=Optional(Number(above=0)),
    runs=Integer(at_least=1),
    level=LEVEL,
)
@np.errstate(all="ignore")
def design(
    fit: Fit | AveragedFit,
    question: Question,
    *,
    candidates: Mapping[str, ArrayLike] | None = None,
    cost: Cost | ArrayLike = training_flops,
    budget: float | None = None,
    until: float | None = None,
    runs: int = 10,
    level: float = 0.9,
) -> Design:
    """Return the next runs that narrow the interval of an answer most for their cost.

    Make the first run or the first few, fit again with their errors, and call `design` again.

    Parameters
    ----------
    fit : Fit or AveragedFit
        A fit of a law in n, or in n and m, or an average of such fits, to the runs that exist.
    question : dict or callable
        What to find out:

        - ``{"n": 1e12, "m": 7e10}``: the error of a run of these sizes.
        - ``{"exponent": "n"}`` or ``{"exponent": "m"}``: the exponent of the law in this size.
        - ``{"frontier": 1e23}``: the model size of lowest error at this budget.
        - a function that takes the fit, and returns the answers of the central curve and of all draws as an
          array of shape (1 + draw_count,).
    candidates : dict of str to array_like, shape (candidates,), optional
        The sizes of the runs that can be made.  The default is a grid with factors of about 2, within the
        budget.  The grid reaches from the smallest measured sizes to the largest sizes that are measured or
        part of the question.
    cost : callable or array_like, shape (candidates,)
        Function cost(n, m) of two arrays of one shape, which returns an array of costs.  The cost increases
        with n and with m.  For a law in n alone the cost is n.  An array has the cost of each of the given
        candidates; the budget of a ``{"frontier": ...}`` is then in the units of `training_flops`.
    budget : float, optional
        The most that all runs may cost together, > 0.  The default is the cost of the measured points, or of
        all candidates if `cost` is an array.
    until : float, optional
        No more runs are chosen when half the width of the interval is at most this number, > 0.  For sizes
        and errors the number is a share: 0.03 means 3% on each side.
    runs : int
        Largest number of runs, >= 1.
    level : float
        Coverage of the interval, in (0, 1).

    Returns
    -------
    Design
        The runs in their order, with the interval that is expected after each run.

    Raises
    ------
    NoAnswer
        If the law has no optimal model size at the budget of the question.
    TypeError, ValueError
        If the law has other inputs, if the question is unknown, or if a value is out of range.

    Notes
    -----
    The draws of the fit give the joint distribution of the answer and of ln error of each candidate.  Suppose
    that a run with ln error y and noise s is made.  In the normal approximation, the variance of the answer
    then falls by Cov(answer, y)^2 / (Var(y) + s^2).  This fall does not depend on the outcome of the run, so
    the order of the runs can be found before any of them is made.  Runs are chosen one after another.  After
    each choice the covariances are updated.  If the question is the error of a target run, a chosen run that
    is nearer to the target than every measured point also lowers the `Forecast.run_spread` of the target.

    Runs are chosen with s = `Forecast.run_spread`, which contains the noise of a run and the possible error
    of the law's form.  Therefore a run far from the measured points tells less about the law.  The interval
    after each run is the interval that a new fit is expected to state.  The intervals of a new fit take the
    noise of the runs into account, but not a possible error of the law's form.  The stated intervals assume
    that the fit estimates the noise correctly.  With few points the estimate is often too small, and the
    intervals of the new fit are then wider.

    Two orders of runs are found: one takes the run with the largest gain per cost at each step, the other
    takes the run with the largest gain.  If an order reaches `until`, the runs that are not needed for
    `until` are dropped.  The result is the cheapest order that reaches `until`.  If no order reaches `until`,
    the result is the order that ends with the narrower interval.

    Examples
    --------
    >>> from errsrc.fitting import fit
    >>> from errsrc.laws import Chinchilla
    >>> m, n = [1e7, 4e7, 16e7] * 3, [1e9] * 3 + [4e9] * 3 + [16e9] * 3
    >>> error = [4.88, 4.18, 3.74, 4.39, 3.67, 3.26, 4.08, 3.37, 2.95]
    >>> found = design(fit(Chinchilla, error, n=n, m=m), {"n": 1e12, "m": 1e10}, budget=1e21, runs=2)
    >>> len(found.runs), found.half_widths[0] > found.half_widths[-1]
    (2, True)
    """
    if fit.input_names not in (("n",), ("n", "m")):
        got = f"<a law in {', '.join(fit.input_names)}>"
        raise ValueError(checks.refusal("fit", "design", "a fit of a law in n, or in n and m", got))
    function: Cost = cost if callable(cost) else training_flops
    answer = _answer(fit, question, function)
    cells = _grid(fit, answer) if candidates is None else _given(fit, candidates)
    if callable(cost):
        costs, measured = _cost(cost, cells), _cost(cost, fit.inputs)
    else:
        costs = measured = _given_costs(cost, cells, candidates)
    spent = float(measured.sum()) if budget is None else budget
    affordable = np.isfinite(costs) & (costs > 0) & (costs <= spent)
    if not affordable.any():
        accepted = f"at least {np.nanmin(costs):.3g}, the cost of the cheapest candidate"
        raise ValueError(checks.refusal("budget", "design", accepted, spent))
    cells = {name: x[affordable] for name, x in cells.items()}
    search = _Search(fit, answer, cells, costs[affordable], level)
    smallest = _smallest(fit, answer, level)
    orders = [search.order(spent, until, runs, by_cost=by_cost) for by_cost in (True, False)]
    return Design(
        question=answer.text,
        answer=search.before,
        runs=min(orders, key=lambda order: _rank(order, search, until)),
        until=until,
        relative=answer.relative,
        budget=spent,
        warnings=(*fit.warnings, *_warnings(smallest, until)),
        candidates=cells,
        forecast=fit,
        asked={name: float(x[0]) for name, x in (answer.cell or {}).items()},
        smallest=smallest,
    )


@dataclass(frozen=True)
class _Answer:
    """The answer of the central curve and of each draw, (1 + draws,); logarithms if `relative`."""

    text: str
    rows: Array
    relative: bool
    cell: Mapping[str, Array] | None = None


def checked_question(
    question: object, names: Sequence[str], function: str, others: str = ""
) -> dict[str, Any]:
    """Check that a law in the inputs `names` can answer a question, and return the question.

    Parameters
    ----------
    question : dict
        ``{"n": 1e6, "m": 1e5}`` for the error of a run of these sizes, ``{"exponent": "n"}`` for the exponent
        of a size, or, for laws in n and m, ``{"frontier": budget}`` for the optimal model size.
    names : sequence of str
        Inputs of the law.
    function : str
        Name of the function that was called, for error messages.
    others : str
        Text for the error message on what else the function accepts, such as "a function, or ".

    Returns
    -------
    dict
        The question; sizes and budgets are floats.

    Raises
    ------
    TypeError, ValueError
        If the question has another form, or a value is out of range.
    """
    given = question if isinstance(question, Mapping) else {}
    if set(given) == set(names):
        return {name: Number(above=0)(given[name], name, function) for name in names}
    if set(given) == {"exponent"}:
        return {"exponent": checks.Choice(names)(given["exponent"], "exponent", function)}
    if set(given) == {"frontier"} and len(names) == 2:
        return {"frontier": Number(above=0)(given["frontier"], "frontier", function)}
    sizes = ", ".join(f"{name!r}: ..." for name in names)
    accepted = f"{others}a dict of the form {{{sizes}}} or {{'exponent': {names[0]!r}}}"
    accepted += ", or {'frontier': budget}" if len(names) == 2 else ""
    raise ValueError(checks.refusal("question", function, accepted, question))


def question_text(question: Mapping[str, Any]) -> str:
    """Return a question in words, such as "error at n = 1e+06, m = 1e+05".

    Parameters
    ----------
    question : dict
        The question.
    """
    if "exponent" in question:
        return f"exponent of {question['exponent']}"
    if "frontier" in question:
        return f"m* at the budget {question['frontier']:.4g}"
    return "error at " + ", ".join(f"{name} = {value:.4g}" for name, value in question.items())


def _answer(fit: Forecast, question: Question, cost: Cost) -> _Answer:
    """Return the answer to a question; raise ValueError or TypeError for unknown questions."""
    if callable(question):
        rows = np.asarray(question(fit), dtype=np.float64)
        if rows.shape != (1 + fit.draw_count,) or not np.isfinite(rows[0]):
            accepted = f"a function that returns {1 + fit.draw_count} numbers, the first of them finite"
            raise ValueError(checks.refusal("question", "design", accepted, f"<shape {rows.shape}>"))
        return _Answer(getattr(question, "__name__", "answer"), rows, relative=False)
    asked = checked_question(question, fit.input_names, "design", "a function, or ")
    text = question_text(asked)
    if "exponent" in asked:
        return _Answer(text, _exponents(fit, asked["exponent"]), relative=False)
    if "frontier" in asked:
        frontier(fit, asked["frontier"], cost=cost)  # raises NoAnswer where there is no optimum
        _, m = optimal_draws(fit, np.array([asked["frontier"]]), cost)
        return _Answer(text, np.log(m[:, 0]), relative=True)
    cell = {name: np.array([size]) for name, size in asked.items()}
    centre, draws = fit.curves(**cell)
    return _Answer(text, np.append(centre, draws[:, 0]), relative=True, cell=cell)


def _exponents(fit: Forecast, size: str) -> Array:
    """Return the exponent of n or m in the average of a fit's laws, and in each draw."""
    which = {"n": "data_exponent_name", "m": "model_exponent_name"}[size]
    centre, draws = 0.0, []
    for one, weight in weighted_fits(fit):
        name = getattr(one.law, which)
        if name not in one.law.params:
            accepted = f"among the exponents that {type(one.law).__name__} has"
            raise ValueError(checks.refusal("exponent", "design", accepted, size))
        centre += weight * one.law.params[name]
        draws.append(one.draws[name])
    return np.concatenate([[centre], *draws])


def _cost(cost: Cost, cells: Mapping[str, Array]) -> Array:
    """Return the cost of each cell, (cells,); for a law in n alone, the cost is n."""
    values = cost(cells["n"], cells["m"]) if "m" in cells else cells["n"]
    return np.broadcast_to(np.asarray(values, dtype=np.float64), cells["n"].shape)


def _grid(fit: Forecast, answer: _Answer) -> dict[str, Array]:
    """Return the default candidates, a geometric grid of sizes rounded to two figures."""
    axes = []
    for name, x in fit.inputs.items():
        low, largest = float(x.min()), float(x.max())
        high = 4 * largest if answer.cell is None else max(largest, float(answer.cell[name][0]))
        count = min(MOST_SIZES, 1 + math.ceil(math.log2(high / low)))
        inner = [float(f"{value:.2g}") for value in np.geomspace(low, high, count)[1:-1]]
        axes.append(np.unique([low, *inner, high]))
    grids = np.meshgrid(*axes, indexing="ij")
    return {name: grid.ravel() for name, grid in zip(fit.inputs, grids, strict=True)}


def _given(fit: Forecast, candidates: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Return the user's candidates as arrays of one length; raise ValueError or TypeError for others."""
    names = fit.input_names
    if not isinstance(candidates, Mapping) or set(candidates) != set(names):
        got = sorted(candidates) if isinstance(candidates, Mapping) else candidates
        raise TypeError(checks.refusal("candidates", "design", f"a dict of {' and '.join(names)}", got))
    columns = [checks.PositiveArray()(candidates[name], name, "design") for name in names]
    try:
        full = [np.ravel(x) for x in np.broadcast_arrays(*columns)]
    except ValueError:
        shapes = ", ".join(str(np.shape(x)) for x in columns)
        accepted = "arrays of one length"
        raise ValueError(checks.refusal("candidates", "design", accepted, f"<shapes {shapes}>")) from None
    if not full[0].size:
        raise ValueError(checks.refusal("candidates", "design", "arrays, not empty", "<no candidates>"))
    return dict(zip(names, full, strict=True))


def _given_costs(cost: ArrayLike, cells: Mapping[str, Array], candidates: object) -> Array:
    """Return the user's costs of the candidates, (candidates,); raise ValueError or TypeError for others."""
    accepted = "a function (n, m) -> cost, or an array with the cost of each of the given candidates"
    if candidates is None or isinstance(cost, str) or not np.iterable(cost):
        raise TypeError(checks.refusal("cost", "design", accepted, cost))
    costs = np.ravel(checks.PositiveArray()(cost, "cost", "design"))
    count = len(next(iter(cells.values())))
    if len(costs) != count:
        raise ValueError(checks.refusal("cost", "design", accepted, f"<{len(costs)} for {count}>"))
    return costs


@functools.singledispatch
def _with_runs(fit: Any, cells: Mapping[str, Array], logs: Array) -> Any:
    """Return a copy of a fit whose measured points contain further runs; its draws stay as they are."""
    raise NotImplementedError(type(fit).__name__)


@_with_runs.register
def _of_one_law(fit: Fit, cells: Mapping[str, Array], logs: Array) -> Fit:
    return dataclasses.replace(
        fit,
        inputs={name: np.append(x, cells[name]) for name, x in fit.inputs.items()},
        error=np.append(fit.error, np.exp(logs)),
        weights=np.append(fit.weights, np.ones(len(logs))),
    )


@_with_runs.register
def _of_average(fit: AveragedFit, cells: Mapping[str, Array], logs: Array) -> AveragedFit:
    return dataclasses.replace(fit, members=tuple(_with_runs(one, cells, logs) for one in fit.members))


class _Search:
    """Chooses candidates one after another; each chosen run changes the covariances for the next choice.

    `draws` has a row for each draw of the fit, a column for each candidate, and the answer as the last
    column.  The update of the draws is that of the ensemble square-root filter (Whitaker and Hamill 2002),
    which needs no random numbers: with gain K = Cov / (V + R) it subtracts K / (1 + sqrt(R / (V + R))) times
    the deviation of the observed column, so that variances fall by Cov^2 / (V + R).
    """

    def __init__(
        self,
        fit: Fit | AveragedFit,
        answer: _Answer,
        cells: Mapping[str, Array],
        costs: Array,
        level: float,
    ) -> None:
        self.fit, self.answer, self.cells, self.costs, self.level = fit, answer, cells, costs, level
        self.centre, draws = fit.curves(**cells)
        self.draws = np.column_stack([draws, answer.rows[1:]])
        self.before = self.interval(fit, answer.rows[1:])

    def interval(self, fit: Fit | AveragedFit, draws: Array) -> Interval:
        """Return the interval of the answer from its draws, with the measured points of `fit`."""
        if self.answer.cell is None:
            rows = np.append(self.answer.rows[:1], draws)
            return interval_of_draws(
                rows, self.level, student_widening(fit, self.level), positive=self.answer.relative
            )
        centre = self.answer.rows[:1]
        tail = (1 - self.level) / 2
        low, high = fit.run_interval(self.answer.cell, centre, draws[:, None], tail)
        estimate, below, above = np.exp([centre[0], low[0], high[0]]).tolist()
        return Interval(estimate, below, above, self.level)

    def order(self, budget: float, until: float | None, most: int, *, by_cost: bool) -> tuple[NextRun, ...]:
        """Return the runs that a greedy search chooses, by gain for the cost or by gain alone.

        Runs that turn out to be unnecessary for `until` are dropped, the most expensive first.
        """
        fit, draws, chosen = self.fit, self.draws, list[int]()
        free = np.isfinite(self.centre) & np.isfinite(draws[:, :-1]).any(axis=0)
        while len(chosen) < most and not self._reaches(chosen, until):
            free &= self.costs[chosen].sum() + self.costs <= budget * (1 + 1e-12)
            gains = self.gains(fit, draws, free)
            k = int(np.argmax(gains / self.costs if by_cost else gains))
            if gains[k] == 0:
                break
            spread = self._variance(fit, self.centre[[k]], self._cell(k))
            draws, fit = self.observed(draws, k, float(spread[0])), self._with_run(fit, k)
            free[k] = False
            chosen.append(k)
        if self._reaches(chosen, until):
            for k in sorted(chosen, key=lambda k: -self.costs[k]):
                others = [other for other in chosen if other != k]
                chosen = others if self._reaches(others, until) else chosen
        return self.runs(chosen)

    def _reaches(self, chosen: Sequence[int], until: float | None) -> bool:
        """Return whether the interval after the chosen candidates is narrow enough."""
        if until is None:
            return False
        widths = [run.half_width for run in self.runs(chosen)]
        return [half_width(self.before, self.answer.relative), *widths][-1] <= until

    def runs(self, chosen: Sequence[int]) -> tuple[NextRun, ...]:
        """Return candidates as runs, each with the interval that a new fit is expected to state after it."""
        fit, draws, total, out = self.fit, self.draws, 0.0, list[NextRun]()
        for k in chosen:
            draws, fit = self.observed(draws, k, fit.run_noise**2), self._with_run(fit, k)
            width = half_width(self.interval(fit, draws[:, -1]), self.answer.relative)
            total += float(self.costs[k])
            sizes = {name: float(x[k]) for name, x in self.cells.items()}
            out.append(NextRun(sizes, float(self.costs[k]), total, math.exp(self.centre[k]), width))
        return tuple(out)

    def gains(self, fit: Fit | AveragedFit, draws: Array, free: NDArray[np.bool_]) -> Array:
        """Return by how much each free candidate lowers ln of the answer's variance; 0 for the others."""
        deviations = _deviations(draws)
        y, answer = deviations[:, :-1], deviations[:, -1]
        variance, before = (y**2).mean(axis=0), float((answer**2).mean())
        noise = self._variance(fit, self.centre, self.cells)
        after = before - (answer @ y / len(y)) ** 2 / np.maximum(variance + noise, 1e-300)
        if self.answer.cell is not None:
            spread = self._answer_variance(fit)
            before, after = before + spread, after + spread
            low, high = fit.fitted_range
            outside = (fit.extrapolation(self.cells) > 0) | (self.centre < low) | (self.centre > high)
            for k in np.flatnonzero(free & outside).tolist():  # others leave the range as it is
                after[k] += self._answer_variance(self._with_run(fit, k)) - spread
        gains = np.log(before / np.maximum(after, 1e-300))
        return np.where(free & (gains > SMALLEST_GAIN), gains, 0.0)

    def observed(self, draws: Array, k: int, noise: float) -> Array:
        """Return the draws after a run of candidate k whose ln error is the mean of the candidate's draws.

        Parameters
        ----------
        draws : ndarray of float64, shape (draw_count, candidates + 1)
            Draws of each candidate and of the answer.
        k : int
            Index of the candidate.
        noise : float
            Variance of ln error of the run around a draw.
        """
        deviations = _deviations(draws)
        y = deviations[:, k]
        total = max(float((y**2).mean()) + noise, 1e-300)
        gain = y @ deviations / len(y) / total
        return np.asarray(draws - np.outer(y, gain / (1 + math.sqrt(noise / total))))

    def _cell(self, k: int) -> dict[str, Array]:
        return {name: x[[k]] for name, x in self.cells.items()}

    def _with_run(self, fit: Fit | AveragedFit, k: int) -> Fit | AveragedFit:
        """Return a copy of a fit whose measured points contain candidate k, with its predicted error."""
        extended: Fit | AveragedFit = _with_runs(fit, self._cell(k), self.centre[[k]])
        return extended

    def _answer_variance(self, fit: Fit | AveragedFit) -> float:
        """Return the variance of ln error of one run around the curve at the cell that is asked for."""
        return float(self._variance(fit, self.answer.rows[:1], self.answer.cell or {})[0])

    def _variance(self, fit: Fit | AveragedFit, logs: Array, cells: Mapping[str, Array]) -> Array:
        """Return the variance of ln error of one run around a curve with ln errors `logs`, (cells,)."""
        heavy = fit.tail / (fit.tail - 2)  # the variance of Student's t over its squared scale
        return np.asarray(heavy * fit.run_spread(logs, cells) ** 2)


def _deviations(draws: Array) -> Array:
    """Return the deviations of draws, (draws, k), from their means, after outliers are clipped.

    Outliers move to the quantiles `CLIPPED` and 1 - `CLIPPED` of their column.
    """
    known = np.where(np.isfinite(draws), draws, np.nan)
    known[0, np.isnan(known).all(axis=0)] = 0.0
    low, middle, high = np.nanquantile(known, [CLIPPED, 0.5, 1 - CLIPPED], axis=0)
    clipped: Array = np.clip(np.where(np.isnan(draws), middle, draws), low, high)
    return np.asarray(clipped - clipped.mean(axis=0))


def _rank(order: Sequence[NextRun], search: _Search, until: float | None) -> tuple[bool, float, float]:
    """Return a key that is smallest for the best order of runs."""
    width = order[-1].half_width if order else half_width(search.before, search.answer.relative)
    total = order[-1].total if order else 0.0
    reached = until is not None and width <= until
    return (not reached, total, width) if reached else (True, width, total)


def _count(runs: Sequence[NextRun]) -> str:
    return f"{len(runs)} run" if len(runs) == 1 else f"{len(runs)} runs"


def _smallest(fit: Fit | AveragedFit, answer: _Answer, level: float) -> float:
    """Return half the width of the answer's interval if the law were known: the noise of one run."""
    if answer.cell is None:
        return 0.0
    here = _with_runs(fit, answer.cell, answer.rows[:1])
    exact = np.tile(answer.rows[:1], (fit.draw_count, 1))
    low, high = here.run_interval(answer.cell, answer.rows[:1], exact, (1 - level) / 2)
    return float(high[0] - low[0]) / 2


def _warnings(smallest: float, until: float | None) -> list[str]:
    """Return a sentence if the noise of one run alone is wider than the goal."""
    if until is None or smallest <= until:
        return []
    noise = f"the noise of one run alone gives ±{100 * smallest:.2g}%"
    return [f"No design reaches ±{100 * until:.2g}%: {noise}."]
