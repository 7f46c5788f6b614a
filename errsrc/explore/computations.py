"""What the explorer computes, for the app and for the offline page alike."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from errsrc import checks, learners
from errsrc.bases import Torus, shared_positions
from errsrc.fields import Checked, integer, number
from errsrc.fitting import Plan, fit_csv, plan
from errsrc.fitting.approaches import flops_factor, law_frontier
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.frontiers import Frontier
from errsrc.fitting.ranges import MeasuredRange, both_sentence, range_sentence, share_sentence
from errsrc.rng import generator
from errsrc.settings import BandTeacher, Clean, Gaussian
from errsrc.settings.setting import Array
from errsrc.sources import Budget, budget
from errsrc.tables import DataTable, read_table
from errsrc.theory import kernel_regression

N = (3, 5, 7, 9, 11, 13, 15, 18, 21, 24, 25, 28, 33, 38, 41, 45, 52, 61, 70, 85, 100, 130, 160, 200)
"""Numbers of examples at which budgets are computed.  Each band size but the largest is among them."""

BAND_SIZES = {5: 1, 13: 2, 25: 3, 41: 4, 61: 5}
"""{M, the number of waves in the band: the largest sum of the two frequencies of a wave}."""

TAIL_DEGREES = 2
"""The sum of the frequencies of a tail wave exceeds the largest sum in the band by at most this number."""

EXACT = 1e-18
"""Excess risk, as a share of the target variance, up to which a learner counts as exact: a relative error of
1e-9, as for `errsrc.threshold`."""

STEPS = (1, 2, 5)
"""Compute-optimal sizes are computed at these multiples of each power of ten."""

SAME = 1.02
"""A position of the slider is left out if a budget that the user names differs by less than this factor."""

BEYOND = 1e4
"""The largest budget of the slider is at most this multiple of the largest compute of the table."""

GOALS = 9
"""Number of errors to reach for which there are plans."""

REMEDIES = {
    "noise": "no learner can avoid this term",
    "realizability": "a larger band would remove this term",
    "uncertainty": "more examples would reduce this term",
    "deficiency": "a better learner, such as one with another ridge, would reduce this term",
}
"""What would reduce each term of a budget."""


@dataclass(frozen=True)
class BandProblem(Checked):
    """Least squares in a band of waves: a problem with known terms, set by five numbers.

    The target is a random function of two angles with variance 1.  A share 1 - tail of its energy lies in a
    band of M waves that the learner knows.  The rest, the tail, lies in waves of higher frequency, which the
    learner cannot express.  The learner fits the M coefficients to noisy labels by least squares.

    Parameters
    ----------
    size : int
        M, the number of waves in the band: 5, 13, 25, 41 or 61.
    noise : float
        Standard deviation of the label noise, from 0 to 100.
    ridge : float
        Penalty on the squares of the coefficients, >= 0.
    tail : float
        Share of the target's energy outside the band, in [0, 1).
    sequence : int
        Number of the sequence of inputs, >= 0.  n examples have the first n inputs of this sequence.  The
        default is a typical sequence: six of the first twelve sequences are farther from theory at M = 25.

    Examples
    --------
    >>> BandProblem(size=13, noise=0.5).band
    Torus(degree=2, dim=2, shape='simplex')
    """

    size: int = integer(25, at_least=1)
    noise: float = number(0.3, at_least=0, at_most=100)
    ridge: float = number(0.0, at_least=0)
    tail: float = number(0.01, at_least=0, below=1)
    sequence: int = integer(5, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size not in BAND_SIZES:
            accepted = f"among {', '.join(map(str, BAND_SIZES))}"
            raise ValueError(checks.refusal("size", "BandProblem", accepted, self.size))

    @property
    def band(self) -> Torus:
        """The waves that the learner knows."""
        return Torus(BAND_SIZES[self.size], 2, "simplex")

    @property
    def setting(self) -> BandTeacher:
        """The distribution of targets and labels."""
        larger = Torus(BAND_SIZES[self.size] + TAIL_DEGREES, 2, "simplex")
        channel = Gaussian(self.noise) if self.noise else Clean()
        return BandTeacher(self.band, beyond=larger, tail=self.tail, channel=channel)

    @property
    def learner(self) -> learners.BandLeastSquares:
        """Least squares in the band."""
        return learners.BandLeastSquares(self.band, ridge=self.ridge)

    def inputs(self, n: int) -> Array:
        """Return the first n inputs of the sequence, float64 (n, 2).

        Parameters
        ----------
        n : int
            Number of inputs.
        """
        return generator(self.sequence, "explore", "inputs").uniform(0, 2 * np.pi, (n, 2))


@dataclass(frozen=True, eq=False)
class BandCurve:
    """Exact error budgets of a `BandProblem` at several n, and the total that theory predicts.

    Attributes
    ----------
    problem : BandProblem
        The problem.
    n : tuple of int
        Numbers of examples.
    budgets : tuple of Budget
        The budget at each n, exact for the inputs of the problem's sequence.
    theory : ndarray of float64, (n,)
        The total at each n by `errsrc.theory.kernel_regression`, as a mean over random inputs; inf where the
        mean is infinite.
    """

    problem: BandProblem
    n: tuple[int, ...]
    budgets: tuple[Budget, ...]
    theory: Array

    def term(self, name: str) -> Array:
        """Return a term of the budget at each n, float64 (n,).

        Parameters
        ----------
        name : str
            Name of the term, such as "noise".
        """
        return np.array([getattr(one, name).upper.estimate for one in self.budgets])

    @property
    def excess(self) -> Array:
        """The risk above the noise at each n, float64 (n,)."""
        return self.term("realizability") + self.term("uncertainty") + self.term("deficiency")

    @property
    def exact_from(self) -> int | None:
        """The smallest n of the curve from which on the learner is exact; None if the last n is not exact."""
        wrong = np.flatnonzero(self.excess > EXACT)
        first = 0 if not wrong.size else int(wrong[-1]) + 1
        return self.n[first] if first < len(self.n) else None

    def largest(self, place: int) -> str:
        """Return the name of the largest term at one n.

        Parameters
        ----------
        place : int
            Index of n.
        """
        return max(REMEDIES, key=lambda name: float(self.term(name)[place]))

    def cliff_sentence(self) -> str:
        """Return a sentence that says whether the error falls to zero, and what prevents it otherwise."""
        size, start = self.problem.size, self.exact_from
        if start is not None:
            return f"Nyquist cliff: from n = {start} on the error is zero, up to rounding. M is {size}."
        given = {"noise": self.problem.noise, "tail": self.problem.tail, "ridge": self.problem.ridge}
        causes = [name for name, value in given.items() if value]
        if not causes:
            return f"Nyquist cliff: none of these n determines the M = {size} coefficients."
        return f"No cliff at n = M = {size}: the error stays above zero because of the {_listed(causes)}."


def _listed(words: Sequence[str]) -> str:
    """Return words as text: "a", "a and the b", or "a, the b and the c"."""
    return " and the ".join([", the ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


@functools.cache
def _blas() -> Any:
    """Return threadpoolctl's controller of numpy's threads; scikit-learn depends on threadpoolctl."""
    return importlib.import_module("threadpoolctl").ThreadpoolController()


@functools.lru_cache(maxsize=256)
def band_curve(problem: BandProblem, n: tuple[int, ...] = N) -> BandCurve:
    """Return the exact budget at each n, and the total that theory predicts.

    Parameters
    ----------
    problem : BandProblem
        The problem.
    n : tuple of int
        Numbers of examples, >= 1.

    Returns
    -------
    BandCurve
        The budgets.  They are exact for the inputs of the sequence; nothing else is random.

    Examples
    --------
    >>> noiseless = BandProblem(size=13, noise=0.0, tail=0.0)
    >>> print(band_curve(noiseless, (7, 13)).cliff_sentence())
    Nyquist cliff: from n = 13 on the error is zero, up to rounding. M is 13.
    """
    setting, learner, inputs = problem.setting, problem.learner, problem.inputs(max(n))
    with _blas().limit(limits=1, user_api="blas"):  # matrices are small: several threads are slower
        budgets = tuple(budget(setting, learner, one, x=inputs[:one]) for one in n)
    eigenvalues = np.zeros(setting.whole.size)
    eigenvalues[shared_positions(problem.band, setting.whole)[1]] = 1.0
    options = {"ridge": problem.ridge, "noise": setting.noise}
    predicted = kernel_regression(n, eigenvalues, setting.variances, **options).excess + setting.noise
    return BandCurve(problem, n, budgets, predicted)


@dataclass(frozen=True, eq=False)
class FittedTable:
    """A law in n and m, fitted to a table of runs, and the answers that follow from it.

    Attributes
    ----------
    source : str
        Where the table comes from, in words.
    fit : Forecast
        The fitted law.
    frontier : Frontier
        Compute-optimal sizes at `budget_positions`.
    largest : float
        The largest compute of the table, in operations.
    factor : float
        c of the cost model C = c n m.
    flops : str
        The column of the compute, if the table has n, m and the compute; "" otherwise.
    where : tuple of str
        The conditions that the rows of the table meet.
    start : int
        Index of the budget that is shown at first.
    """

    source: str
    fit: Forecast
    frontier: Frontier
    largest: float
    factor: float = 6.0
    flops: str = ""
    where: tuple[str, ...] = ()
    start: int = 0

    def cost(self, n: Array, m: Array) -> Array:
        """Return the operations that train a model with m parameters in one pass over n examples.

        Parameters
        ----------
        n, m : ndarray of float64
            Data sizes and model sizes.
        """
        return self.factor * n * m

    @property
    def cost_model(self) -> str:
        """The cost model as text, such as "C = 6 n m"."""
        return f"C = {self.factor:.3g} n m"

    @property
    def columns(self) -> dict[str, str]:
        """Where n, m, the error and possibly the compute come from: columns of the table, or a formula."""
        columns = dict(self.fit.notes["columns"])
        if "flops" in self.fit.notes:
            columns["n"] = f"{self.fit.notes['flops']} / (6 {columns['m']})"
        return columns | ({"C": self.flops} if self.flops else {})

    @functools.cached_property
    def goals(self) -> tuple[float, ...]:
        """Errors to reach, from large to small: those of compute-optimal runs, rounded to three digits."""
        assert self.frontier.error is not None
        places = np.linspace(0, len(self.frontier.budgets) - 1, GOALS).round().astype(int)
        found = (float(f"{self.frontier.error[k].estimate:.3g}") for k in places)
        return tuple(dict.fromkeys(found))

    def remarks(self, place: int) -> str:
        """Return sentences on how far a budget lies outside the measured range, and on its error's variance.

        Parameters
        ----------
        place : int
            Index of the budget.
        """
        spent = self.cost(self.fit.inputs["n"], self.fit.inputs["m"])
        ranges = {"budget": MeasuredRange.of(spent, np.array([self.frontier.budgets[place]]))}
        shares = {name: np.array([share[place]]) for name, share in self.frontier.shares.items()}
        both = np.array(self.frontier.both_larger[place : place + 1])
        return " ".join([*range_sentence(ranges), *both_sentence(both), *share_sentence(shares)])

    @functools.cache  # noqa: B019 - a few plans, kept as long as the process
    def plan(self, goal: float) -> Plan:
        """Return the cheapest sizes that reach an error, see `errsrc.plan`.

        Parameters
        ----------
        goal : float
            The error to reach.
        """
        return plan(self.fit, error=goal, cost=self.cost)


def fitted_table(
    path: str | Path,
    law: str = "chinchilla",
    *,
    columns: Mapping[str, str] | None = None,
    where: str | Sequence[str] | None = None,
    source: str | None = None,
    budgets: Sequence[float] = (),
) -> FittedTable:
    """Fit a law in n and m to a table, and find its compute-optimal sizes.

    Parameters
    ----------
    path : str or Path
        The table, as for `errsrc.fit_csv`.
    law : str
        Name of a law in n and m, or "auto".
    columns : dict of str to str, optional
        Names of the columns of "n", "m", "error" and "flops".  Without "flops", they are used as in
        `errsrc.fit_csv`.  With "flops" and no column of n, n = flops / (6 m).  With "flops", n and m, the
        cost model is C = c n m, as in `errsrc.compute_optimal`.
    where : str or sequence of str, optional
        Conditions that rows must meet, such as "outlier=0".
    source : str, optional
        Where the table comes from, in words; the path by default.
    budgets : sequence of float
        Budgets, in operations, that are added to the positions of the slider.  The page opens with the first
        of them.

    Returns
    -------
    FittedTable
        The fit and its compute-optimal sizes, with 90% intervals.

    Raises
    ------
    ValueError, TypeError, OSError, NoAnswer
        As `errsrc.fit_csv` and `errsrc.frontier` raise them.
    """
    chosen, flops = dict(columns or {}), ""
    table = read_table(path)
    if "flops" in chosen and (n := chosen.get("n") or table.found("n")) is not None:
        chosen["n"], flops = n, chosen.pop("flops")
        table.require(flops)
    found = fit_csv(path, law, columns=chosen, where=where)
    for name, value in found.notes.get("constant", {}).items():
        raise ValueError(
            f"m is the same in all rows ({name} = {value:g}): a table with several sizes m is needed."
        )
    if found.input_names != ("n", "m"):
        names = ", ".join(found.input_names)
        raise ValueError(
            f"The law of this table has the inputs {names}: a table with n, m and error, or m, flops and "
            "error, is needed."
        )
    sizes = {"flops": 6 * found.inputs["n"] * found.inputs["m"]}
    factor = 6.0
    if flops:
        sizes = _sizes_of(table.where(where or ()), found.notes["columns"] | {"flops": flops})
        factor = flops_factor(sizes)
    largest = float(sizes["flops"].max())
    positions = budget_positions(float(sizes["flops"].min()), BEYOND * largest, budgets)
    return FittedTable(
        str(path) if source is None else source,
        found,
        law_frontier(found, positions, factor),
        largest,
        factor,
        flops,
        (where,) if isinstance(where, str) else tuple(where or ()),
        positions.index(budgets[0]) if len(budgets) else len(positions) // 2,
    )


def budget_positions(low: float, high: float, named: Sequence[float] = ()) -> list[float]:
    """Return the budgets of a slider: 1, 2 and 5 of each decade, and the budgets that the user names.

    Parameters
    ----------
    low, high : float
        Range of the slider, > 0.  The positions start at low or just below, and end at high or just below.
    named : sequence of float
        Budgets that the user names, > 0.  They may lie outside the range.

    Examples
    --------
    >>> budget_positions(3e18, 1e20, [1.3e19])
    [2e+18, 5e+18, 1e+19, 1.3e+19, 2e+19, 5e+19, 1e+20]
    """
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    steps = [float(f"{step}e{k}") for k in decades for step in STEPS]
    first = max(one for one in steps if one <= low * (1 + 1e-9))
    rounded = [one for one in steps if first <= one <= high * (1 + 1e-9)]
    near = [one for one in rounded if any(1 / SAME < one / other < SAME for other in named)]
    return sorted({*rounded, *map(float, named)} - (set(near) - set(named)))


def _sizes_of(table: DataTable, columns: Mapping[str, str]) -> dict[str, Array]:
    """Return compute, n and m of the rows that have all of them and an error."""
    usable, _ = table.usable(columns)
    return {name: table.numbers(columns[name]).values[usable] for name in ("flops", "n", "m")}


WORDS = {
    "n": ("token", "sample", "example"),
    "m": ("param",),
    "error": ("loss", "error"),
    "flops": ("flop", "compute"),
}
"""Parts of the names of columns that probably hold data sizes, model sizes, errors and the compute."""


def named_columns(table: DataTable, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the columns of a table that probably hold n, m, the error and the compute, by their names.

    Parameters
    ----------
    table : DataTable
        The table.
    given : dict of str to str, optional
        The columns of "n", "m", "error" and "flops" that are known.

    Returns
    -------
    dict of str to str
        The column of each of "n", "m", "error" and "flops": the known one, or the column of this name, or the
        first whose name contains a usual word, such as "tokens".  n follows from the compute, and the compute
        from n.  Therefore no column is guessed for n if that of the compute is found, and vice versa.

    Examples
    --------
    >>> from errsrc.tables.frames import table_of
    >>> table = table_of({"params": [1e6], "Tokens": [1e9], "C": [6e15], "val/loss": [3.1]}, "runs.csv")
    >>> named_columns(table)
    {'n': 'Tokens', 'm': 'params', 'error': 'val/loss'}
    >>> named_columns(table, {"flops": "C"})
    {'flops': 'C', 'm': 'params', 'error': 'val/loss'}
    """
    found = dict(given or {})
    found |= {role: own for role in WORDS if role not in found and (own := table.found(role)) is not None}
    for role, words in WORDS.items():
        suited = [name for name in table.columns if any(word in name.lower() for word in words)]
        known = {"n", "flops"} if role in ("n", "flops") else {role}
        if suited and not known & found.keys():
            found[role] = suited[0]
    return found
