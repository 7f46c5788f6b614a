"""The compute-optimal frontier: the model size and the data size with the lowest error at each budget."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from errsrc import checks, records
from errsrc.checks import LEVEL, Instance, PositiveArray
from errsrc.errors import NoAnswer
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.one_law import Fit
from errsrc.fitting.plans import Cost, training_flops
from errsrc.fitting.ranges import (
    MeasuredRange,
    both_sentence,
    larger_in_both,
    range_sentence,
    share_sentence,
)
from errsrc.fitting.several_laws import weighted_fits
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.law import Array
from errsrc.results import HeldValue, Interval, TabularResult, TextTable, equation, interval_columns

SEARCHED = 1e12
"""The search for an optimum goes this factor below the smallest and above the largest measured model."""
GRID = 33
"""Number of model sizes in each step of the search."""
STEPS = 7
"""Number of steps of the search; each step is 16 times finer than the step before."""
EQUAL = 1e-6
"""Exponents of draws that differ by less are equal: the search for optima has rounding errors."""
VISIBLE = 5e-4
"""Exponents that differ by less are printed with the same three digits."""
CHUNK = 64
"""Number of budgets that are searched at once, which bounds the memory."""


def exponent_texts(a: Interval, b: Interval, gap: str) -> tuple[str, str]:
    """Return how the optimal model size and data size grow with the budget C, as two texts.

    Parameters
    ----------
    a, b : Interval
        Exponents of the optimal model size m* and of the optimal data size n*.
    gap : str
        Text between a size and its exponent.
    """
    return f"m* ~ C^a{gap}{equation('a', a)}", f"n* ~ C^b{gap}{equation('b', b)}"


@dataclass(frozen=True, repr=False)
class Frontier(TabularResult):
    """The sizes with the lowest error at each of several budgets, and how these sizes grow with the budget.

    With a budget C, the optimal model size grows as m*(C) ~ C^a and the optimal data size as n*(C) ~ C^b.

    Attributes
    ----------
    method : str
        How the frontier was found, in a few words.
    budgets : tuple of float
        The budgets C, in the units of the cost model.
    m : tuple of Interval
        Optimal model size at each budget.
    n : tuple of Interval
        Optimal data size at each budget.
    ratio : tuple of Interval
        n / m at the optimum of each budget.  For language models this is the number of tokens per parameter.
    error : tuple of Interval or None
        Error of one new run at the optimal sizes of each budget, in the units of the fitted errors; None if
        the method does not predict errors.
    a : Interval
        Exponent of the optimal model size.
    b : Interval
        Exponent of the optimal data size.
    scope : str
        The budgets for which the exponents are valid, in words.
    cost : str
        The cost model, in words.
    warnings : tuple of str
        Warnings about the frontier, one sentence each.
    measured : dict of str to MeasuredRange
        Under "budget", the range of the measured budgets, and how far `budgets` lie outside it.
    shares : dict of str to tuple of float
        Parts of the variance of each predicted ln error (`Forecast.variance_shares`); {} if `error` is None.
    both_larger : tuple of bool
        Whether n and m of each budget are both larger than in all measured runs; () if `error` is None.
    """

    method: str
    budgets: tuple[float, ...]
    m: tuple[Interval, ...]
    n: tuple[Interval, ...]
    ratio: tuple[Interval, ...]
    error: tuple[Interval, ...] | None
    a: Interval
    b: Interval
    scope: str
    cost: str
    warnings: tuple[str, ...]
    measured: Mapping[str, MeasuredRange] = field(default_factory=dict)
    shares: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    both_larger: tuple[bool, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on how far budgets lie outside the measured range, and on the variance of ln error."""
        return (*range_sentence(self.measured), *self.error_sentences)

    @property
    def error_sentences(self) -> tuple[str, ...]:
        """Sentences on the intervals of the predicted errors and on their variance; () without errors."""
        shares = {name: np.array(share) for name, share in self.shares.items()}
        return (*both_sentence(np.array(self.both_larger, dtype=bool)), *share_sentence(shares))

    def headline(self) -> str:
        """Return the method and the exponents as one line."""
        return f"{self.method}: " + "; ".join(exponent_texts(self.a, self.b, ", "))

    def content(self) -> list[str | TextTable]:
        """Return the method, the exponents, the optimum of each budget as a table, and the warnings."""
        level = f"{100 * self.a.level:.6g}%"
        of_m, of_n = exponent_texts(self.a, self.b, "   ")
        return [
            f"{self.method}; {self.cost}; {level} intervals",
            of_m,
            f"{of_n}   ({self.scope})",
            TextTable(self.rows(), "l", header=True),
            *self.remarks,
            *(f"warning    {sentence}" for sentence in self.warnings),
        ]

    def rows(self) -> list[list[str]]:
        """Return the table of the budgets as texts: a header, then one row for each budget."""
        header = ["budget C", "m* (model size)", "n* (data size)", "n*/m*"]
        columns = [self.m, self.n, self.ratio]
        if self.error is not None:
            header, columns = [*header, "error"], [*columns, self.error]
        rows = [
            [f"{budget:.4g}", *map(str, row)] for budget, *row in zip(self.budgets, *columns, strict=True)
        ]
        return [header, *rows]

    def columns(self) -> dict[str, Array]:
        """Return the numbers as arrays by name, one entry for each budget.

        Returns
        -------
        dict of str to ndarray of float64, shape (budgets,)
            The keys are "budget", "m", "n", "ratio" and "error".  Keys such as "m_low" and "m_high" have the
            ends of the intervals.
        """
        out = {"budget": np.array(self.budgets)}
        for name in ("m", "n", "ratio", "error"):
            intervals: Sequence[Interval] | None = getattr(self, name)
            out |= {} if intervals is None else interval_columns(name, intervals)
        return out


@checks.arguments(fit=Instance(Forecast, "a fit of a law in n and m"), budgets=PositiveArray(), level=LEVEL)
@np.errstate(all="ignore")
def frontier(
    fit: Forecast, budgets: ArrayLike, *, cost: Cost = training_flops, level: float = 0.9
) -> Frontier:
    """Return the sizes with the lowest error at each budget, and the exponents of these sizes.

    This is approach 3 of Hoffmann et al. 2022 (arXiv 2203.15556): a law is fitted to all runs, and the error
    of the law is minimised at each budget.

    Parameters
    ----------
    fit : Forecast
        A fit of a law in n and m, or an average of such fits.
    budgets : array_like
        Budgets > 0, in the units of `cost`: one number, or several in any order.
    cost : callable
        Function cost(n, m) of two arrays of one shape, which returns an array of costs.  The cost increases
        with n and with m.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    Frontier
        Optimal sizes, their errors and the two exponents, with intervals.

    Raises
    ------
    NoAnswer
        If the error has no minimum at a budget, because the law falls with only one of the sizes.
    TypeError, ValueError
        If the law has other inputs, or if a value is out of range.

    Notes
    -----
    For the law E + A m^-alpha + B n^-beta (`errsrc.laws.Chinchilla`) and the cost 6 * n * m, the exponents
    are a = beta / (alpha + beta) and b = alpha / (alpha + beta) at all budgets (Hoffmann et al., eq. 4).  For
    other laws and costs the exponents are local: they are the slopes of ln m* and ln n* over ln C between the
    smallest and the largest budget, or over a factor of 10 around a single budget.

    Each draw of the fit's parameters has an optimum of its own.  The ends of the intervals of sizes and
    exponents are quantiles of these optima.  The distances of the ends from the estimate are then multiplied
    by the ratio of the quantiles of Student's t and of the normal distribution, because the noise is
    estimated from few points.  The intervals are valid if the form of the law is right.  The intervals of the
    errors are for one new run, like the intervals of `Forecast.predict`.

    Examples
    --------
    >>> from errsrc.fitting import fit
    >>> from errsrc.laws import Chinchilla
    >>> m = [1e7, 4e7, 16e7] * 3
    >>> n = [1e9] * 3 + [4e9] * 3 + [16e9] * 3
    >>> error = [4.88, 4.18, 3.74, 4.39, 3.67, 3.26, 4.08, 3.37, 2.95]
    >>> found = frontier(fit(Chinchilla, error, n=n, m=m), [1e19, 1e21])
    >>> print(found.a)
    0.48 [0.41, 0.52]
    """
    if fit.input_names != ("n", "m"):
        got = f"<a law in {', '.join(fit.input_names)}>"
        raise ValueError(checks.refusal("fit", "frontier", "a fit of a law in n and m", got))
    if not callable(cost):
        raise TypeError(checks.refusal("cost", "frontier", "a function (n, m) -> cost", cost))
    wanted = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    if wanted.ndim > 1 or not wanted.size:
        accepted = "a number, or a one-dimensional array, not empty"
        raise ValueError(checks.refusal("budgets", "frontier", accepted, f"<shape {wanted.shape}>"))
    ends = np.array([wanted.min(), wanted.max()])
    if ends[0] == ends[1]:
        ends *= [10**-0.5, 10**0.5]
    n, m = optimal_draws(fit, np.concatenate([ends, wanted]), cost)
    _check_inside(m[0, 2:], wanted)
    widening = student_widening(fit, level)
    scope = "at all budgets: this law has constant exponents"
    exponents = _closed_exponents(fit, cost)
    if exponents is None:
        scope = f"between the budgets {ends[0]:.3g} and {ends[1]:.3g}"
        exponents = [np.diff(np.log(x[:, :2]), axis=1)[:, 0] / np.log(ends[1] / ends[0]) for x in (m, n)]
    a, b = (interval_of_draws(rows, level, widening) for rows in exponents)
    if scope.startswith("at all"):
        a, b = _share(a), _share(b)
    if _are_held(fit, exponents):
        a, b = (HeldValue.of(one.estimate, level) for one in (a, b))
    outside = _outside_members(fit, a.estimate, ends, cost)
    m_star, n_star, ratio = (
        tuple(interval_of_draws(np.log(x), level, widening, positive=True) for x in sizes[:, 2:].T)
        for sizes in (m, n, n / m)
    )
    shares = fit.variance_shares(n=n[0, 2:], m=m[0, 2:])
    reached = fit.predict(level=level, n=n[0, 2:], m=m[0, 2:])
    error = tuple(
        Interval(float(e), float(low), float(high), level)
        for e, low, high in zip(reached.predicted, reached.low, reached.high, strict=True)
    )
    return Frontier(
        method=_method(fit),
        budgets=tuple(wanted.tolist()),
        m=m_star,
        n=n_star,
        ratio=ratio,
        error=error,
        a=a,
        b=b,
        scope=scope,
        cost="C = 6 n m" if cost is training_flops else getattr(cost, "__name__", "a function of n and m"),
        warnings=(*fit.warnings, *outside, *_warnings(fit, n[0, 2:], m[0, 2:])),
        measured={"budget": MeasuredRange.of(_spent(fit, cost), wanted)},
        shares={name: tuple(share.tolist()) for name, share in shares.items()},
        both_larger=tuple(larger_in_both(fit.inputs, {"n": n[0, 2:], "m": m[0, 2:]}).tolist()),
    )


def optimal_draws(fit: Forecast, budgets: Array, cost: Cost) -> tuple[Array, Array]:
    """Return the n and the m of lowest error at each budget, as arrays of shape (1 + draws, budgets).

    Row 0 is for the central curve, and each other row is for a draw.  If there is no minimum inside the
    searched range, one of the sizes is 0 and the other is inf.

    Parameters
    ----------
    fit : Forecast
        A fit of a law in n and m.
    budgets : ndarray of float64, shape (budgets,)
        Budgets > 0, in the units of `cost`.
    cost : callable
        The cost model.
    """
    parts = [budgets[i : i + CHUNK] for i in range(0, len(budgets), CHUNK)]
    found = [_optimal_draws_of_part(fit, part, cost) for part in parts]
    n, m = (np.concatenate(sizes, axis=1) for sizes in zip(*found, strict=True))
    return n, m


def _optimal_draws_of_part(fit: Forecast, budgets: Array, cost: Cost) -> tuple[Array, Array]:
    """Return `optimal_draws` for at most `CHUNK` budgets: each step has a finer grid in ln m."""
    measured = fit.inputs["m"]
    shape = (1 + fit.draw_count, len(budgets))
    left = np.full(shape, np.log(measured.min() / SEARCHED))
    right = np.full(shape, np.log(measured.max() * SEARCHED))
    share = np.linspace(0.0, 1.0, GRID)
    at_left, at_right = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for step in range(STEPS):
        grid = left[..., None] + (right - left)[..., None] * share
        k = _log_errors(fit, budgets, np.exp(grid), cost).argmin(axis=2)
        if step == 0:
            at_left, at_right = k == 0, k == GRID - 1
        before, after = np.maximum(k - 1, 0), np.minimum(k + 1, GRID - 1)
        best, left, right = (
            np.take_along_axis(grid, i[..., None], axis=2)[..., 0] for i in (k, before, after)
        )
    m = np.exp(best)
    n = largest_n(cost, budgets, m[..., None], fit.inputs["n"])[..., 0]
    m, n = np.where(at_left, 0.0, m), np.where(at_left, np.inf, n)
    return np.where(at_right, 0.0, n), np.where(at_right, np.inf, m)


def _log_errors(fit: Forecast, budgets: Array, m: Array, cost: Cost) -> Array:
    """Return ln error at model sizes m, (rows, budgets, sizes), with the n that each budget pays for."""
    n = largest_n(cost, budgets, m, fit.inputs["n"])
    paid = np.isfinite(n)
    sizes = {"n": np.where(paid, n, 1.0), "m": m}
    with np.errstate(all="ignore"):
        logs = fit.log_errors({name: x.reshape(len(m), -1) for name, x in sizes.items()}).reshape(m.shape)
    return np.where(paid & ~np.isnan(logs), logs, np.inf)


def largest_n(cost: Cost, budgets: Array, m: Array, measured: Array) -> Array:
    """Return the largest data size n that each budget can pay for at each model size.

    For the cost 6 * n * m, n follows from a formula.  For other costs, n is searched in a wide range.

    Parameters
    ----------
    cost : callable
        The cost model: a function of n and m.
    budgets : ndarray of float64, shape (budgets,)
        Budgets > 0.
    m : ndarray of float64, shape (rows, budgets, sizes)
        Model sizes.
    measured : ndarray of float64
        Measured data sizes.  The search goes from 1e-9 times the smallest measured size to 1e15 times the
        largest.

    Returns
    -------
    ndarray of float64, shape (rows, budgets, sizes)
        Data sizes; nan where the budget cannot pay even for the smallest n of the search.
    """
    spent = budgets[:, None]
    if cost is training_flops:
        return spent / (6.0 * m)
    low, high = (np.full(m.shape, np.log(end)) for end in (measured.min() / 1e9, measured.max() * 1e15))
    affordable = np.asarray(cost(np.exp(low), m), dtype=np.float64) <= spent
    for _ in range(60):
        middle = (low + high) / 2
        paid = np.asarray(cost(np.exp(middle), m), dtype=np.float64) <= spent
        low, high = np.where(paid, middle, low), np.where(paid, high, middle)
    return np.where(affordable, np.exp(low), np.nan)


def powers_of_ten(flops: Array) -> Array:
    """Return the powers of ten from the smallest compute to 100 times the largest, 8 at most.

    Parameters
    ----------
    flops : ndarray of float64, shape (runs,)
        Compute of each run, > 0.
    """
    first, last = np.floor(np.log10(flops.min()) + 0.01), np.round(np.log10(flops.max())) + 2
    powers = np.arange(first, last + 1)
    return np.asarray(10.0 ** powers[:: -(-len(powers) // 8)])


def _check_inside(m: Array, budgets: Array) -> None:
    """Raise NoAnswer for the first budget whose optimal model size, (budgets,), is 0 or inf."""
    for size, budget in zip(m, budgets, strict=True):
        if size == 0 or np.isinf(size):
            which = "smaller" if size == 0 else "larger"
            raise NoAnswer(
                f"At a budget of {budget:g} the fitted law has no optimal model size: its error falls for "
                f"ever {which} models."
            )


def _closed_exponents(fit: Forecast, cost: Cost) -> list[Array] | None:
    """Return a and b of the law and of each draw, (1 + draws,) each; None where they depend on the budget."""
    if not (isinstance(fit, Fit) and isinstance(fit.law, Chinchilla) and cost is training_flops):
        return None
    alpha, beta = (np.concatenate([[fit.law.params[name]], fit.draws[name]]) for name in ("alpha", "beta"))
    return [beta / (alpha + beta), alpha / (alpha + beta)]


def _are_held(fit: Forecast, exponents: Sequence[Array]) -> bool:
    """Return whether a and b, (1 + draws,) each, follow from exponents that all laws of a fit held."""
    held = all(
        {one.law.data_exponent_name, one.law.model_exponent_name} <= one.held.keys()
        for one, _ in weighted_fits(fit)
    )
    return held and all(float(np.ptp(rows)) < EQUAL for rows in exponents)


def _outside_members(fit: Forecast, a: float, ends: Array, cost: Cost) -> list[str]:
    """Return a sentence if the exponent a of an average lies outside those of its laws; [] if it does not.

    At each budget, the optimum of the average lies between the optima of the laws, where the average is
    flattest.  If this place moves from the optimum of one law towards that of another as the budget grows,
    the exponent of the average can lie outside the exponents of the laws.
    """
    members = [one for one, _ in weighted_fits(fit)]
    if len(members) < 2:
        return []
    found = []
    for one in members:
        centre = dataclasses.replace(one, draws={name: x[:1] for name, x in one.draws.items()})
        closed = _closed_exponents(centre, cost)
        _, m = optimal_draws(centre, ends, cost)
        slope = float(np.log(m[0, 1] / m[0, 0]) / np.log(ends[1] / ends[0]))
        found.append((records.name(type(one.law)), slope if closed is None else float(closed[0][0])))
    values = [value for _, value in found]
    if not np.isfinite(values).all() or min(values) - VISIBLE <= a <= max(values) + VISIBLE:
        return []
    shown = ", ".join(f"{name} {value:.3f}" for name, value in found)
    return [
        f"The exponent a = {a:.3f} of the average lies outside those of its laws ({shown}): as the budget "
        "grows, the optimum of the average moves from the optimum of one law towards that of another."
    ]


def _share(exponent: Interval) -> Interval:
    """Return an exponent's interval, clipped to [0, 1]; open at both ends if it contains all of [0, 1]."""
    low, high = max(exponent.low, 0.0), min(exponent.high, 1.0)
    if low == 0 and high == 1:
        low, high = -np.inf, np.inf
    return Interval(exponent.estimate, low, high, exponent.level)


def student_widening(fit: Forecast, level: float) -> float:
    """Return the ratio of the quantiles of Student's t and of the normal distribution for a fit.

    Parameters
    ----------
    fit : Forecast
        A fit, or an average of fits.
    level : float
        Coverage of the interval, in (0, 1).
    """
    degrees = [len(one.error) - len(one.intervals) for one, _ in weighted_fits(fit)]
    if not degrees:
        return 1.0
    tail = (1 + level) / 2
    return float(special.stdtrit(max(min(degrees), 1), tail) / special.ndtri(tail))


def interval_of_draws(
    rows: Array, level: float, widening: float = 1.0, *, positive: bool = False
) -> Interval:
    """Return the interval of a quantity from its estimate and its draws.

    Parameters
    ----------
    rows : ndarray of float64, shape (1 + draws,)
        The estimate, then its draws.  A draw that is nan counts as -inf for the lower end and as inf for the
        upper end.
    level : float
        Coverage, in (0, 1).
    widening : float
        Factor by which the distances of both ends from the estimate are multiplied.
    positive : bool
        Whether `rows` are natural logarithms of the quantity.  The interval is then converted back to the
        quantity itself.
    """
    centre, draws = float(rows[0]), rows[1:]
    open_ = np.isnan(draws)
    low, high = (
        float(np.quantile(np.where(open_, end, draws), share, method="inverted_cdf"))
        for end, share in ((-np.inf, (1 - level) / 2), (np.inf, (1 + level) / 2))
    )
    ends = [centre - widening * max(centre - low, 0.0), centre, centre + widening * max(high - centre, 0.0)]
    low, middle, high = np.exp(ends).tolist() if positive else ends
    return Interval(middle, low, high, level)


def _method(fit: Forecast) -> str:
    """Return the laws of a forecast in words."""
    members = [(records.name(type(one.law)), weight) for one, weight in weighted_fits(fit)]
    if len(members) == 1:
        return f"law {members[0][0]}"
    return "average of " + ", ".join(f"{name} {weight:.0%}" for name, weight in members)


def _spent(fit: Forecast, cost: Cost) -> Array:
    """Return the cost of the measured runs, (points,)."""
    return np.asarray(cost(fit.inputs["n"], fit.inputs["m"]), dtype=np.float64)


def _warnings(fit: Forecast, n: Array, m: Array) -> list[str]:
    """Return a sentence on each optimal size, (budgets,), that is far below the measured sizes."""
    out = []
    for name, sizes in (("n", n), ("m", m)):
        if sizes.min() < float(fit.inputs[name].min()) / 10:
            out.append(f"The smallest {name}* lies under a tenth of the smallest {name} measured.")
    return out
