"""Compute-optimal sizes from isoFLOP tables: runs of several model sizes at each of several budgets.

This is approach 2 of Hoffmann et al. 2022 (arXiv 2203.15556).  At each budget a parabola in the logarithm of
the model size is fitted to the errors.  The minimum of the parabola is the optimal size.  The exponent is the
slope of a line through the logarithms of these minima.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from errsrc import checks
from errsrc.checks import LEVEL, Optional, PositiveArray
from errsrc.errors import NoAnswer
from errsrc.fitting.flops import AS_GIVEN, COMPUTED
from errsrc.fitting.frontiers import Frontier, exponent_texts
from errsrc.fitting.lines import Line, fitted_line
from errsrc.fitting.ranges import MeasuredRange
from errsrc.fitting.wrong_runs import wrong_runs
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.law import Array, Law
from errsrc.results import Interval, TabularResult, TextTable, interval_columns

NEAR = 1.1
"""Two neighbouring rows, in the order of their flops, share a budget if their flops differ by less than this
factor."""
SPREAD = 1.5
"""Largest factor between the flops of two rows of one budget."""
OUTLIER = 8.0
"""A run is left out if it lies farther from the parabola of its budget than this many standard deviations of
the noise."""
SCATTER = "its errors scatter more than they bend"
"""The reason to leave out a budget whose noise may hide that its parabola opens downward."""
NAMED = "Name the nominal budgets: --nominal, or isoflop(budgets=...)."
"""What helps where runs do not share budgets."""
MATCH = 1.1
"""A warning says that the given flops differ from 6 n m if they differ by at least this factor."""


@dataclass(frozen=True, repr=False)
class IsoFlopGroup(TabularResult):
    """The runs of one budget, and the parabola through their errors.

    Attributes
    ----------
    budget : float
        Geometric mean of the flops of the runs.
    rows : ndarray of int, shape (runs,)
        Indices of the runs in the arguments of `isoflop`.
    m, n, error : ndarray of float64, shape (runs,)
        Model sizes, data sizes and errors of the runs.
    used : ndarray of bool, shape (runs,)
        False for runs that were left out because they lie far off the parabola.
    m_optimal, n_optimal : Interval
        Model size at the minimum of the parabola in ln m, and data size at the minimum of the parabola in ln
        n.
    lowest_error : Interval
        The minimum of the parabola in ln m.
    parabola : tuple of float
        (c0, c1, c2, centre): error = c0 + c1 x + c2 x^2 with x = ln m - centre.
    excluded : str
        A phrase that says why the line through the minima leaves this budget out; empty if the line uses it.
    """

    budget: float
    rows: NDArray[np.intp]
    m: Array
    n: Array
    error: Array
    used: NDArray[np.bool_]
    m_optimal: Interval
    n_optimal: Interval
    lowest_error: Interval
    parabola: tuple[float, float, float, float]
    excluded: str

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the runs as arrays by name: "m", "n", "error" and "used"."""
        return {name: getattr(self, name) for name in ("m", "n", "error", "used")}

    def curve(self, m: ArrayLike) -> Array:
        """Return the error on the parabola at model sizes.

        Parameters
        ----------
        m : array_like
            Model sizes > 0, of any shape.
        """
        c0, c1, c2, centre = self.parabola
        x = np.log(np.asarray(m, dtype=np.float64)) - centre
        return np.asarray(c0 + c1 * x + c2 * x**2)


@dataclass(frozen=True, repr=False)
class IsoFlop(TabularResult):
    """The optimal sizes of each budget of an isoFLOP table, and how these sizes grow with the budget.

    With a budget C, the optimal model size grows as m*(C) ~ C^a and the optimal data size as n*(C) ~ C^b.

    Attributes
    ----------
    groups : tuple of IsoFlopGroup
        The budgets in increasing order, including those that are left out of the line
        (`IsoFlopGroup.excluded`).
    a : Interval
        Exponent of the optimal model size.
    b : Interval
        Exponent of the optimal data size.
    noise : float
        Standard deviation of the errors around their parabolas, relative to the mean error of the budget.
    cost : str
        A text that says where n and the budgets come from.
    warnings : tuple of str
        Sentences on budgets and runs that were left out, and on what weakens the result.
    lines : tuple of Line
        The lines of ln m* and of ln n* over ln C.
    """

    groups: tuple[IsoFlopGroup, ...]
    a: Interval
    b: Interval
    noise: float
    cost: str
    warnings: tuple[str, ...]
    lines: tuple[Line, Line] = field(repr=False, compare=False)

    def headline(self) -> str:
        """Return the number of budgets and the exponents as one line."""
        used = sum(not group.excluded for group in self.groups)
        exponents = "; ".join(exponent_texts(self.a, self.b, ", "))
        return f"{used} of {len(self.groups)} budgets: {exponents}"

    def content(self) -> list[str | TextTable]:
        """Return the exponents, the optimum of each budget as a table, and the warnings."""
        rows = [["budget C", "runs", "m*", "n*", "lowest error", ""]]
        for group in self.groups:
            found = (group.m_optimal, group.n_optimal, group.lowest_error)
            shown = ["-"] * 3 if group.excluded else [str(one) for one in found]
            note = f"left out: {group.excluded}" if group.excluded else ""
            rows.append([f"{group.budget:.4g}", str(int(group.used.sum())), *shown, note])
        return [
            f"isoFLOP parabolas; {self.cost}; {100 * self.a.level:.6g}% intervals",
            *exponent_texts(self.a, self.b, "   "),
            TextTable(rows, "l", header=True),
            *(f"warning    {sentence}" for sentence in self.warnings),
        ]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the optimum of each budget as arrays by name.

        Returns
        -------
        dict of str to ndarray, shape (budgets,)
            The keys are "budget", "runs" (the number of runs that are used), "m", "n" and "error" (the
            optimum, nan for a budget without optimum), and "excluded" (why the line through the optima leaves
            the budget out).  Keys such as "m_low" and "m_high" have the ends of the intervals.
        """
        optima = {"m": "m_optimal", "n": "n_optimal", "error": "lowest_error"}
        out: dict[str, NDArray[Any]] = {"budget": np.array([group.budget for group in self.groups])}
        out["runs"] = np.array([int(group.used.sum()) for group in self.groups])
        for name, attribute in optima.items():
            out |= interval_columns(name, [getattr(group, attribute) for group in self.groups])
        for name in [name for name in out if name.endswith(("_low", "_high"))]:
            out[name] = np.where(np.isfinite(out[name.rpartition("_")[0]]), out[name], np.nan)
        return out | {"excluded": np.array([group.excluded for group in self.groups])}

    def would_change(self, wrong: NDArray[np.bool_]) -> bool:
        """Return True if there are wrong runs and the parabolas left out other runs than these.

        Parameters
        ----------
        wrong : ndarray of bool, shape (runs,)
            The wrong runs.
        """
        left_out = np.zeros(len(wrong), dtype=bool)
        for group in self.groups:
            left_out[group.rows[~group.used]] = True
        return bool(wrong.any() and (wrong != left_out).any())

    def frontier(self, budgets: ArrayLike) -> Frontier:
        """Return the optimal sizes at other budgets, from the lines through the minima.

        Parameters
        ----------
        budgets : array_like
            Budgets in flops, > 0: one number, or several in any order.

        Returns
        -------
        Frontier
            The sizes, without errors: this approach does not predict errors.

        Raises
        ------
        TypeError, ValueError
            If a budget is not a finite number > 0.
        """
        wanted = np.atleast_1d(PositiveArray()(budgets, "budgets", "IsoFlop.frontier"))
        used = [group for group in self.groups if not group.excluded]
        ends = used[0].budget, used[-1].budget
        scope = f"a line through the optima of the budgets {ends[0]:.3g} to {ends[1]:.3g}"
        if len(used) == 1:
            scope = f"the optimum of the only budget, {ends[0]:.3g}"
        m, n, ratio = zip(*(self._sizes(used, budget) for budget in wanted.tolist()), strict=True)
        determined = wanted[np.isfinite([one.estimate for one in m])]
        return Frontier(
            method="isoFLOP parabolas",
            budgets=tuple(wanted.tolist()),
            m=m,
            n=n,
            ratio=ratio,
            error=None,
            a=self.a,
            b=self.b,
            scope=scope,
            cost=self.cost,
            warnings=self.warnings,
            measured={"budget": MeasuredRange.of(np.array([group.budget for group in used]), determined)},
        )

    def _sizes(self, used: Sequence[IsoFlopGroup], budget: float) -> tuple[Interval, Interval, Interval]:
        """Return m*, n* and n* / m* at a budget, from the lines, or from the parabola of the only budget."""
        (only, *more), (m_line, n_line) = used, self.lines
        if more or abs(math.log(budget / only.budget)) > math.log(NEAR):
            return m_line.at(budget), n_line.at(budget), m_line.ratio(n_line, budget)
        m, n = only.m_optimal, only.n_optimal
        high = n.high / m.low if m.low > 0 else math.inf
        ratio = Interval(n.estimate / m.estimate, n.low / m.high, high, m.level)
        return m, n, ratio


@checks.arguments(
    error=PositiveArray(),
    m=PositiveArray(),
    flops=Optional(PositiveArray()),
    n=Optional(PositiveArray()),
    budgets=Optional(PositiveArray()),
    level=LEVEL,
)
def isoflop(
    error: ArrayLike,
    *,
    m: ArrayLike,
    flops: ArrayLike | None = None,
    n: ArrayLike | None = None,
    budgets: ArrayLike | None = None,
    level: float = 0.9,
) -> IsoFlop:
    """Return the optimal sizes at each budget of an isoFLOP table, and their exponents.

    This is approach 2 of Hoffmann et al. 2022 (arXiv 2203.15556).  The runs are grouped by their flops.  In
    each group a parabola in ln m is fitted to the errors by least squares.  The minimum of the parabola is
    the optimal model size of that budget.  The exponent a is the slope of a line of ln m* over ln C. The
    exponent b follows in the same way from parabolas in ln n and a line of ln n* over ln C.

    Parameters
    ----------
    error : array_like, shape (runs,)
        Measured errors, > 0.
    m : array_like, shape (runs,)
        Model sizes, > 0.
    flops : array_like, shape (runs,), optional
        Floating-point operations of each training, > 0.  The default is 6 * n * m (Kaplan et al. 2020).
    n : array_like, shape (runs,), optional
        Data sizes, > 0.  The default is flops / (6 * m).  Give `flops`, `n` or both.
    budgets : array_like, shape (budgets,), optional
        Nominal budgets in flops.  Each run belongs to the nearest budget, and is left out if its flops differ
        from this budget by more than a factor of 1.5.  By default, the runs are sorted by their flops.  Two
        neighbours then share a budget if their flops differ by at most 10%.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    IsoFlop
        The optimal sizes of each budget and the exponents, all with intervals.

    Raises
    ------
    NoAnswer
        If no budget has an optimum between the smallest and the largest model of this budget.
    TypeError, ValueError
        If arrays have different lengths, or if a value is not finite and > 0.

    Notes
    -----
    A budget is left out of the line in three cases: it has fewer than three model sizes; its parabola does
    not bend upward by more than the noise can explain; or the minimum lies outside the measured sizes.  The
    noise is the standard deviation of the errors around their parabolas, relative to the mean error of their
    budget, pooled over all budgets.  A run that lies more than 8 such standard deviations from its parabola,
    such as a diverged run, is left out and named in the warnings.  Several wrong runs of one budget can hide
    each other, because they move the parabola.  To find them, a law is fitted to the runs of all budgets by
    least trimmed squares, and runs far from this law are called wrong (`errsrc.fitting.wrong_runs`).

    The interval of a minimum is Fieller's, which is exact for a ratio of normal estimates.  The line is
    weighted by the variances of the minima.  If the minima scatter around the line more than the noise
    explains, the standard errors of the line are multiplied by the ratio of the observed scatter to the
    explained scatter.

    The errors of real runs are not symmetric in ln m.  The minimum of a parabola through sizes far from the
    optimum is therefore biased.  `frontier` on a fitted law (approach 3) has no such bias, but it relies on
    the law.

    Examples
    --------
    >>> from errsrc.laws import Chinchilla
    >>> law = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    >>> m = np.array([[2e7, 4e7, 8e7, 16e7, 32e7], [6e7, 12e7, 24e7, 48e7, 96e7]]).ravel()
    >>> flops = np.repeat([1e18, 1e19], 5)
    >>> found = isoflop(law.error(n=flops / (6 * m), m=m), m=m, flops=flops)
    >>> round(found.a.estimate, 2)
    0.51
    """
    columns = _columns(error, m, flops, n)
    options: dict[str, Any] = {"budgets": budgets, "cost": _cost(flops, n), "level": level}
    none = np.zeros(len(columns["error"]), dtype=bool)
    wrong = wrong_rows(columns, (Chinchilla,), budgets)
    try:
        found = parabolas(columns, none, **options)
    except NoAnswer:
        if wrong.any():
            return parabolas(columns, wrong, **options)
        raise
    return parabolas(columns, wrong, **options) if found.would_change(wrong) else found


def wrong_rows(
    columns: Mapping[str, Array],
    laws: Sequence[type[Law]],
    budgets: ArrayLike | None = None,
    fixed: Mapping[str, float] | None = None,
) -> NDArray[np.bool_]:
    """Return a mask of the runs that are far from the laws and from their parabola, see `wrong_runs`.

    Parameters
    ----------
    columns : dict of str to ndarray of float64, shape (runs,)
        "error", "m", "n" and "flops".
    laws : sequence of type of Law
        Laws in n and m; a wrong run is far from each of them.
    budgets : array_like, shape (budgets,), optional
        Nominal budgets, as in `isoflop`.
    fixed : dict of str to float, optional
        Parameters of the laws that are not fitted.
    """
    try:
        rows, _ = _rows_by_budget(columns["flops"], budgets)
    except NoAnswer:  # the runs share no budgets
        return np.zeros(len(columns["error"]), dtype=bool)
    return wrong_runs(columns, rows, laws, fixed)


def parabolas(
    columns: dict[str, Array],
    far: NDArray[np.bool_],
    *,
    budgets: ArrayLike | None = None,
    cost: str = AS_GIVEN,
    level: float = 0.9,
    keep_far: bool = False,
) -> IsoFlop:
    """Return the optimal sizes at each budget as `isoflop` does, without rows that are known to be wrong.

    Parameters
    ----------
    columns : dict of str to ndarray of float64, shape (runs,)
        "error", "m", "n" and "flops".
    far : ndarray of bool, shape (runs,)
        The runs that the parabolas leave out, in addition to those that `isoflop` leaves out.
    budgets : array_like, shape (budgets,), optional
        Nominal budgets, as in `isoflop`.
    cost : str
        A text that says where n and the budgets come from.
    level : float
        Coverage of the intervals, in (0, 1).
    keep_far : bool
        Whether to keep runs that lie far off the parabola of their budget, instead of leaving them out.

    Raises
    ------
    NoAnswer
        If no budget has an optimum between the smallest and the largest model of this budget.
    """
    rows, names = _rows_by_budget(columns["flops"], budgets)
    groups = [_Parabolas(index, {name: x[index] for name, x in columns.items()}) for index in rows]
    for group in groups:
        for place in np.flatnonzero(far[group.rows]).tolist():
            group.leave_out(place)
    if not keep_far:
        _leave_outliers_out(groups)
    degrees = sum(group.degrees for group in groups)
    noise = math.sqrt(sum(group.squares for group in groups) / degrees) if degrees else math.nan
    quantile = float(special.stdtrit(degrees, (1 + level) / 2)) if degrees else math.inf
    found = tuple(group.described(noise, quantile, level) for group in groups)
    used = [(group, one) for group, one in zip(groups, found, strict=True) if not one.excluded]
    if not used:
        reasons = sorted({one.excluded for one in found}) or [name.rstrip(".") for name in names]
        raise NoAnswer(f"No budget of the table has an optimal model size: {'; '.join(reasons)}.")
    m_line, n_line = (
        fitted_line(
            np.log([one.budget for _, one in used]),
            np.log([getattr(one, f"{name}_optimal").estimate for _, one in used]),
            np.array([group.variance(name, noise) for group, _ in used]),
            degrees,
            level,
        )
        for name in ("m", "n")
    )
    return IsoFlop(
        groups=found,
        a=m_line.exponent,
        b=n_line.exponent,
        noise=noise,
        cost=cost,
        warnings=(*names, *_warnings(columns, found, m_line, degrees)),
        lines=(m_line, n_line),
    )


class _Parabola:
    """A least-squares parabola y = c0 + c1 x + c2 x^2 in x = ln size - centre."""

    def __init__(self, size: Array, y: Array) -> None:
        self.centre = float(np.log(size).mean())
        self.ends = (float(size.min()), float(size.max()))
        x = np.log(size) - self.centre
        design = np.stack([np.ones_like(x), x, x**2], axis=1)
        self.coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
        inverse = np.linalg.pinv(design)
        self.covariance = inverse @ inverse.T  # for noise of standard deviation 1
        self.residuals = y - design @ self.coefficients
        self.leverage = np.einsum("ij,ji->i", design, inverse)

    @property
    def place(self) -> float:
        """The place of the vertex, as x."""
        _, c1, c2 = self.coefficients
        return float(-c1 / (2 * c2))

    @property
    def opens_upward(self) -> bool:
        """Whether the vertex is a minimum."""
        return bool(self.coefficients[2] > 0)

    @property
    def optimum(self) -> float:
        """The size at the vertex."""
        return math.exp(self.centre + self.place)

    @property
    def place_variance(self) -> float:
        """Variance of x at the vertex, to first order, for noise of standard deviation 1."""
        _, c1, c2 = self.coefficients
        gradient = np.array([0.0, -1 / (2 * c2), c1 / (2 * c2**2)])
        return float(gradient @ self.covariance @ gradient)

    def optimum_ends(self, spread: float) -> tuple[float, float]:
        """Return the ends of the interval of the optimum, after Fieller (1954).

        The interval has every x at which the slope c1 + 2 c2 x may be 0, and is (0, inf) if the curvature c2
        may be 0.

        Parameters
        ----------
        spread : float
            Standard deviation of the noise times the quantile of Student's t distribution.
        """
        _, c1, c2 = self.coefficients
        v = spread**2 * self.covariance if math.isfinite(spread) else np.full((3, 3), np.inf)
        if not 4 * (c2**2 - v[2, 2]) > 0:
            return 0.0, math.inf
        quadratic, linear, constant = 4 * (c2**2 - v[2, 2]), 4 * (c1 * c2 - v[1, 2]), c1**2 - v[1, 1]
        root = math.sqrt(max(linear**2 - 4 * quadratic * constant, 0.0))
        low, high = ((-linear + sign * root) / (2 * quadratic) for sign in (-1, 1))
        return math.exp(self.centre + min(low, self.place)), math.exp(self.centre + max(high, self.place))

    def lowest(self, spread: float, level: float) -> Interval:
        """Return the interval of y at the vertex."""
        x = self.place
        row = np.array([1.0, x, x**2])
        value, half = float(row @ self.coefficients), spread * math.sqrt(row @ self.covariance @ row)
        return Interval(value, value - half, value + half, level)


class _Parabolas:
    """The runs of one budget, with the parabolas in ln m and in ln n through those that are used."""

    def __init__(self, rows: NDArray[np.intp], columns: dict[str, Array]) -> None:
        self.rows = rows
        self.columns = columns
        self.used = np.ones(len(columns["m"]), dtype=bool)
        self.fitted = self._fitted()

    def leave_out(self, row: int) -> None:
        """Fit the parabolas without one run."""
        self.used[row] = False
        self.fitted = self._fitted()

    def _fitted(self) -> dict[str, _Parabola]:
        kept = {name: x[self.used] for name, x in self.columns.items()}
        if min(len(np.unique(kept[name])) for name in ("m", "n")) < 3:
            return {}
        return {name: _Parabola(kept[name], kept["error"]) for name in ("m", "n")}

    @property
    def scale(self) -> float:
        """Mean error of the runs that are used."""
        return float(self.columns["error"][self.used].mean()) if self.used.any() else math.nan

    @property
    def squares(self) -> float:
        """Sum of the squared residuals, relative to the mean error."""
        return float(np.sum((self.fitted["m"].residuals / self.scale) ** 2)) if self.fitted else 0.0

    @property
    def degrees(self) -> int:
        """Number of used runs minus the number of the parabola's coefficients; 0 without a parabola."""
        return int(self.used.sum()) - 3 if self.fitted else 0

    def standardised(self) -> Array:
        """Return |residual| of each used run, relative to the error, over the root of 1 - leverage."""
        if self.degrees < 1:
            return np.zeros(int(self.used.sum()))
        own = np.sqrt(np.maximum(1 - self.fitted["m"].leverage, 1e-3))
        centre = float(np.median(self.columns["error"][self.used]))
        return np.asarray(np.abs(self.fitted["m"].residuals) / own / centre)

    def variance(self, name: str, noise: float) -> float:
        """Return the variance of ln m* or ln n*; 1 where the noise is not known."""
        known = math.isfinite(noise) and noise > 1e-9
        return self.fitted[name].place_variance * (noise * self.scale) ** 2 if known else 1.0

    def described(self, noise: float, quantile: float, level: float) -> IsoFlopGroup:
        """Return the group with the intervals of its optima."""
        spread = noise * self.scale * quantile if math.isfinite(quantile) else math.inf
        open_ = Interval(math.nan, -math.inf, math.inf, level)
        optima, lowest, parabola = {"m": open_, "n": open_}, open_, (math.nan,) * 4
        excluded = "fewer than three sizes"
        if self.fitted:
            excluded = self._excluded(spread)
            one = self.fitted["m"]
            c0, c1, c2 = one.coefficients.tolist()
            parabola = (c0, c1, c2, one.centre)
        if not excluded:
            lowest = one.lowest(spread, level)
            optima = {k: Interval(p.optimum, *p.optimum_ends(spread), level) for k, p in self.fitted.items()}
        return IsoFlopGroup(
            budget=float(np.exp(np.log(self.columns["flops"]).mean())),
            rows=self.rows,
            m=self.columns["m"],
            n=self.columns["n"],
            error=self.columns["error"],
            used=self.used,
            m_optimal=optima["m"],
            n_optimal=optima["n"],
            lowest_error=lowest,
            parabola=parabola,
            excluded=excluded,
        )

    def _excluded(self, spread: float) -> str:
        """Return why the group has no optimum, as a phrase; empty where it has one."""
        for one in self.fitted.values():
            if not one.opens_upward:
                return "its errors have no minimum"
            if not one.ends[0] < one.optimum < one.ends[1]:
                return "its minimum lies outside the measured sizes"
            if math.isfinite(spread) and math.isinf(one.optimum_ends(spread)[1]):
                return SCATTER
        return ""


def _columns(
    error: ArrayLike, m: ArrayLike, flops: ArrayLike | None, n: ArrayLike | None
) -> dict[str, Array]:
    """Return error, m, n and flops as arrays of one length; a missing array follows from flops = 6 n m."""
    if flops is None and n is None:
        raise TypeError("isoflop takes the 'flops' parameter, the 'n' parameter, or both.")
    given = {"error": error, "m": m, "flops": flops, "n": n}
    columns = {name: np.asarray(x, dtype=np.float64) for name, x in given.items() if x is not None}
    for name, x in columns.items():
        if x.ndim != 1 or x.shape != columns["error"].shape or not x.size:
            accepted = "a one-dimensional array, not empty and as long as the others"
            raise ValueError(checks.refusal(name, "isoflop", accepted, f"<shape {x.shape}>"))
    if "n" not in columns:
        columns["n"] = columns["flops"] / (6 * columns["m"])
    if "flops" not in columns:
        columns["flops"] = 6 * columns["n"] * columns["m"]
    return columns


def _rows_by_budget(flops: Array, budgets: ArrayLike | None) -> tuple[list[NDArray[np.intp]], list[str]]:
    """Return the rows of each budget, and sentences on rows that belong to none."""
    order = np.argsort(flops, kind="stable")
    if budgets is not None:
        nominal = np.unique(np.asarray(budgets, dtype=np.float64))
        nearest = np.abs(np.log(flops[:, None] / nominal)).argmin(axis=1)
        far = np.abs(np.log(flops / nominal[nearest])) > math.log(SPREAD)
        rows = [np.flatnonzero((nearest == k) & ~far) for k in range(len(nominal))]
        sentence = f"{far.sum()} runs are farther than a factor of {SPREAD:g} from all budgets: left out."
        return [row for row in rows if len(row)], [sentence] if far.any() else []
    steps = np.flatnonzero(np.diff(np.log(flops[order])) > math.log(NEAR)) + 1
    groups = np.split(order, steps)
    wide = [group for group in groups if flops[group].max() > SPREAD * flops[group].min()]
    if not wide:
        return groups, []
    count = sum(map(len, wide))
    if len(wide) == len(groups):
        raise NoAnswer(f"The runs do not share budgets: their flops fill a wide range without gaps. {NAMED}")
    sentence = f"{count} runs share no budget, as their flops fill a wide range: left out. {NAMED}"
    return [group for group in groups if len(group) and not any(group is one for one in wide)], [sentence]


def _leave_outliers_out(groups: Sequence[_Parabolas]) -> None:
    """Leave out the runs that lie far off the parabola of their budget, the farthest first.

    The unit is a robust standard deviation of all residuals.  At least four runs of each budget are kept, and
    at least three quarters of all runs.
    """
    total = sum(len(group.used) for group in groups)
    for _ in range(total // 4):
        distances = [group.standardised() for group in groups]
        judged = [x for x, group in zip(distances, groups, strict=True) if group.degrees > 0]
        if sum(map(len, judged)) < 8:
            return
        unit = float(np.median(np.concatenate(judged))) / 0.6745
        candidates = [
            float(x.max()) if group.used.sum() > 4 else 0.0
            for x, group in zip(distances, groups, strict=True)
        ]
        worst = int(np.argmax(candidates))
        if candidates[worst] <= OUTLIER * max(unit, 1e-9):
            return
        group = groups[worst]
        group.leave_out(int(np.flatnonzero(group.used)[distances[worst].argmax()]))


def hidden_outliers(columns: dict[str, Array], budgets: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Mark at most one wrong run in each budget; bool (runs,).

    The other runs of the budget lie on a parabola.  If many budgets have a wrong run, all parabolas are wrong
    and all residuals are large, so that `isoflop` finds no outlier.  Here each run is left out in turn.  The
    run that leaves the smallest residuals is marked if its distance from the parabola of the other runs
    exceeds 2 * `OUTLIER` standard deviations of these residuals, pooled over the budgets.  The factor 2 is
    needed because the smallest residuals are smaller than the noise.  No run is marked if fewer than three
    degrees of freedom are left.

    Parameters
    ----------
    columns : dict of str to ndarray of float64, shape (runs,)
        "error", "m", "n" and "flops".
    budgets : array_like, shape (budgets,), optional
        Nominal budgets, as in `isoflop`.
    """
    out = np.zeros(len(columns["error"]), dtype=bool)
    squares, degrees, distances = 0.0, 0, {}
    try:
        groups, _ = _rows_by_budget(columns["flops"], budgets)
    except NoAnswer:  # the runs share no budgets
        return out
    for index in groups:
        m, error = columns["m"][index], columns["error"][index] / np.median(columns["error"][index])
        best = (math.inf, 0, 0.0)
        for k in range(len(index)) if len(index) > 4 else ():
            others = np.delete(m, k)
            if len(np.unique(others)) < 3:
                continue
            one = _Parabola(others, np.delete(error, k))
            x = math.log(m[k]) - one.centre
            row = np.array([1.0, x, x**2])
            distance = abs(error[k] - row @ one.coefficients) / math.sqrt(1 + row @ one.covariance @ row)
            best = min(best, (float(np.sum(one.residuals**2)), int(index[k]), float(distance)))
        if math.isfinite(best[0]):
            squares, degrees = squares + best[0], degrees + len(index) - 4
            distances[best[1]] = best[2]
    if degrees < 3:
        return out
    limit = 2 * OUTLIER * math.sqrt(squares / degrees)
    out[[row for row, distance in distances.items() if distance > max(limit, 1e-9)]] = True
    return out


def _cost(flops: ArrayLike | None, n: ArrayLike | None) -> str:
    """Return in words where the budgets and the data sizes come from."""
    if n is None:
        return COMPUTED["n"]
    return COMPUTED["flops"] if flops is None else AS_GIVEN


def _warnings(
    columns: dict[str, Array], groups: Sequence[IsoFlopGroup], line: Line, degrees: int
) -> list[str]:
    """Return sentences on what was left out, and on what weakens the exponents."""
    out = []
    excluded = [group for group in groups if group.excluded]
    if excluded:
        reasons = dict.fromkeys(group.excluded for group in excluded)
        which = "; ".join(
            f"{reason} ({_listed([group.budget for group in excluded if group.excluded == reason])})"
            for reason in reasons
        )
        out.append(f"{len(excluded)} of {len(groups)} budgets are left out of the line: {which}.")
    out += [
        outlier_sentence(group, place) for group in groups for place in np.flatnonzero(~group.used).tolist()
    ]
    ratio = columns["flops"] / (6 * columns["n"] * columns["m"])
    if ratio.max() > MATCH or ratio.min() < 1 / MATCH:
        out.append(
            f"The flops are {ratio.min():.2g} to {ratio.max():.2g} times 6 n m; the budgets are the flops."
        )
    if len(groups) - len(excluded) == 1:
        (only,) = (group.budget for group in groups if not group.excluded)
        out.append(
            f"Only the budget {only:.3g} has an optimum: the exponents, and the sizes at other budgets, are "
            f"not determined. {_remedy(excluded)}"
        )
    elif not degrees:
        out.append(
            "Three runs a budget show no noise: the intervals come from the scatter of the optima alone."
        )
    elif line.scatter > 2:
        out.append(
            f"The optima scatter around the line {line.scatter:.2g} times as much as the noise explains."
        )
    return out


def _remedy(excluded: Sequence[IsoFlopGroup]) -> str:
    """Return a sentence that says how a second budget gets an optimum."""
    reasons = {group.excluded for group in excluded}
    if not reasons:
        return "Train at a second budget."
    seeds = "seeds or " if SCATTER in reasons else ""
    return (
        f"Add {seeds}a wider range of sizes at the other budgets. Until then, use a law fitted to all runs."
    )


def outlier_sentence(group: IsoFlopGroup, place: int, name: str = "", left_out_of: str = "") -> str:
    """Return the sentence on a run that was left out because it lies far off the parabola of its budget.

    Parameters
    ----------
    group : IsoFlopGroup
        The runs of the budget.
    place : int
        Index of the run in the arrays of the group.
    name : str
        The place of the run in the table, such as "line 23, 'run-22'"; empty if it is not known.
    left_out_of : str
        The further fits that the run was left out of, such as "all approaches".
    """
    which = f"The run ({name})" if name else "The run"
    sizes = f"m = {group.m[place]:.4g} and error {group.error[place]:.4g} at the budget {group.budget:.3g}"
    end = f"left out of {left_out_of}." if left_out_of else "left out."
    return f"{which} with {sizes} lies far off the parabola of its budget: {end}"


def _listed(budgets: Sequence[float]) -> str:
    """Return budgets as text; a long list is shortened."""
    more = f" and {len(budgets) - 4} more" if len(budgets) > 4 else ""
    return ", ".join(f"{budget:.3g}" for budget in budgets[:4]) + more
