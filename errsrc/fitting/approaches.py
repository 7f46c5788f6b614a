"""The three approaches of Hoffmann et al. 2022 to compute-optimal sizes, side by side on the same runs."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import LEVEL, Choice, Flag, Integer, Number, Optional, PositiveArray
from errsrc.errors import NoAnswer
from errsrc.fitting.anomalies import LARGEST_FAR_SHARE, FarRows
from errsrc.fitting.data_arguments import as_table, positive_errors
from errsrc.fitting.directions import RisingValues, check_falls
from errsrc.fitting.doubtful_units import absurd_ratio
from errsrc.fitting.envelopes import TrainingEnvelope, training_envelope
from errsrc.fitting.flops import AS_GIVEN, completed_sizes
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.frontiers import Frontier, frontier, powers_of_ten
from errsrc.fitting.isoflops import IsoFlop, hidden_outliers, outlier_sentence, parabolas, wrong_rows
from errsrc.fitting.mixtures import mixed_rows, unfinished_rows
from errsrc.fitting.one_law import Fit, check_huber_delta, fit
from errsrc.fitting.outliers import far_from_laws
from errsrc.fitting.points import NUMBERS
from errsrc.fitting.problem import OBJECTIVES
from errsrc.fitting.ranges import BEYOND, MeasuredRange, range_sentence
from errsrc.fitting.repeats import best_rows, excess_spread
from errsrc.fitting.several_laws import AVERAGED_LAWS, AveragedFit, auto, weighted_fits
from errsrc.laws import ALL
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.coupled import Coupled
from errsrc.laws.law import Array, Law
from errsrc.results import TabularResult, TextTable, equation
from errsrc.tables import DataTable, LeftOut, left_out_sentence
from errsrc.tables.measurements import TableRules, errors_of

ROLES = ("error", "m", "n", "flops", "run")
"""What the columns of a table may be, each under its own name by default."""
WORDS = {"envelope": "envelope of training curves", "isoflop": "isoFLOP parabolas", "fit": "fit of a law"}
"""The approaches in words."""
CURVE = 3
"""Smallest number of rows of a run that count as its training curve."""
NAMES = ("run", "name", "run_name", "run name", "run_id", "id")
"""Columns that may have the name of the run of each row, in any letter case."""
WANTED = {"flops": ("flop", "compute"), "m": ("param",), "n": ("token", "sample", "example")}
"""Parts of names of columns that probably hold a size or the compute."""
AVERAGED = (Chinchilla, Coupled)
"""If the third approach averages laws, a run is left out only if it is far from all these laws."""
LESS_NOISE = 3.0
"""Far runs are left out of the parabolas if they raise the noise of the parabolas by at least this factor."""
FAR_BUDGET, ABSURD_BUDGET = 100.0, 1e7
"""Factors between a budget and the compute of all runs: for a warning, and for a doubt about the units."""
LAWS = ("auto", *(name for name, law in ALL.items() if set(law.inputs) == {"n", "m"}))
"""The laws that the third approach can fit."""


@dataclass(frozen=True, repr=False)
class ComputeOptimal(TabularResult):
    """Compute-optimal sizes by each approach that the runs allow.

    Attributes
    ----------
    frontiers : tuple of Frontier
        Exponents and optimal sizes by each approach.
    isoflop : IsoFlop or None
        Approach 2 of Hoffmann et al. 2022, the isoFLOP parabolas; None if the runs do not share budgets.
    envelope : TrainingEnvelope or None
        Approach 1, the envelope of the training curves; None without training curves.
    fit : Forecast or None
        Approach 3, the law fitted to all runs; None if the law could not be fitted.
    missing : tuple of str
        One sentence for each approach that the runs do not allow, with the reason.
    cost : str
        A text that says which of compute, n and m were given, and how the third was computed.
    left_out : tuple of LeftOut
        Rows of the table that were not used, by reason.
    warnings : tuple of str
        Warnings about the results, one sentence each.
    column_names : dict of str to str
        The names of the columns in the table of the runs, with the keys "error", "m", "n" and "flops"; empty
        for arrays.
    library : str
        The library of the data frame that the runs came from, such as "pandas"; "" if there is none.
    runs : int
        Number of runs that the law is fitted to.
    rows : tuple of int
        Number of rows of the table that the conditions kept, and number of all its rows; () without
        conditions.
    factor : float
        c of the cost model C = c n m.
    """

    frontiers: tuple[Frontier, ...]
    isoflop: IsoFlop | None
    envelope: TrainingEnvelope | None
    fit: Forecast | None
    missing: tuple[str, ...]
    cost: str
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    column_names: Mapping[str, str] = field(default_factory=dict)
    library: str = field(default="", compare=False)
    runs: int = 0
    rows: tuple[int, ...] = ()
    factor: float = 6.0

    @property
    def counts(self) -> str:
        """How many runs at how many budgets were used, and how many rows conditions kept, as one line."""
        budgets = 0 if self.isoflop is None else len(self.isoflop.groups)
        text = f"{self.runs} runs"
        text += f" at {budgets} budget{'s' if budgets > 1 else ''}" if budgets else ""
        return text + ("; --where kept {} of {} rows".format(*self.rows) if self.rows else "")

    @property
    def left_out_sentences(self) -> tuple[str, ...]:
        """One sentence that counts the rows of the table that were not used; () if there are none."""
        return self.warnings[:1] if self.left_out else ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on how far budgets lie outside the measured range, and on the variance of ln error."""
        told = any(sentence.startswith(BEYOND) for sentence in self.warnings)
        ranges = {one.method: [] if told else range_sentence(one.measured) for one in self.frontiers}
        distinct = {text for sentences in ranges.values() for text in sentences}
        named = [f"{name}: {text}" for name, sentences in ranges.items() for text in sentences]
        errors = [text for one in self.frontiers for text in one.error_sentences]
        return (*(named if len(distinct) > 1 else distinct), *errors)

    def headline(self) -> str:
        """Return the exponent of the model size by each approach as one line."""
        return "; ".join(
            f"{one.method}: {equation('a', one.a)}, {equation('b', one.b)}" for one in self.frontiers
        )

    def columns(self) -> dict[str, Any]:
        """Return the optimal sizes as a dict of arrays, with one row for each approach and budget.

        Returns
        -------
        dict of str to ndarray, shape (rows,)
            The keys are "approach" (the name of the approach) and the keys of `Frontier.columns`.  The errors
            are nan for approaches that do not predict errors.
        """
        parts = [one.columns() for one in self.frontiers]
        names = dict.fromkeys(name for part in parts for name in part)
        methods = [[one.method] * len(one.budgets) for one in self.frontiers]
        out: dict[str, Any] = {"approach": np.array([name for part in methods for name in part])}
        for name in names:
            rows = [part.get(name, np.full(len(part["budget"]), np.nan)) for part in parts]
            out[name] = np.concatenate(rows)
        return out

    def _library(self) -> str:
        return self.library

    def content(self) -> list[str | TextTable]:
        """Return the exponents of all approaches, the optimal sizes at each budget, and the warnings."""
        first = self.frontiers[0]
        exponents = [["", "a, of m* ~ C^a", "b, of n* ~ C^b"]]
        exponents += [[one.method, str(one.a), str(one.b)] for one in self.frontiers]
        rows = [["budget C", "", "m* (model size)", "n* (data size)", "n*/m*", "error"]]
        for k, budget in enumerate(first.budgets):
            for one in self.frontiers:
                error = "-" if one.error is None else str(one.error[k])
                name = f"{budget:.4g}" if one is first else ""
                rows.append([name, one.method, *map(str, (one.m[k], one.n[k], one.ratio[k])), error])
        return [
            f"compute-optimal sizes; {self.cost}; {100 * first.a.level:.6g}% intervals",
            *([self.counts] if self.runs else []),
            TextTable(exponents, "l", header=True),
            "",
            TextTable(rows, "l", header=True),
            *self.remarks,
            *self.missing,
            *(f"warning    {sentence}" for sentence in self.warnings),
        ]


@checks.arguments(
    budgets=Optional(PositiveArray()),
    nominal=Optional(PositiveArray()),
    law=Choice(LAWS),
    fixed=NUMBERS,
    objective=Optional(Choice(OBJECTIVES)),
    huber_delta=Optional(Number(above=0)),
    accuracy=Flag(),
    strict=Flag(),
    test_size=Optional(Integer(at_least=1)),
    best_of=Flag(),
    keep_far=Flag(),
    level=LEVEL,
)
def compute_optimal(
    error: ArrayLike | str | None = None,
    *,
    data: Any = None,
    m: ArrayLike | str | None = None,
    n: ArrayLike | str | None = None,
    flops: ArrayLike | str | None = None,
    run: Sequence[Any] | NDArray[Any] | str | None = None,
    budgets: ArrayLike | None = None,
    nominal: ArrayLike | None = None,
    law: str = "chinchilla",
    fixed: Mapping[str, float] | None = None,
    objective: str | None = None,
    huber_delta: float | None = None,
    accuracy: bool = False,
    strict: bool = False,
    test_size: int | None = None,
    best_of: bool = False,
    keep_far: bool = False,
    level: float = 0.9,
) -> ComputeOptimal:
    """Return compute-optimal sizes of runs, by each approach of Hoffmann et al. 2022 that the runs allow.

    1. The envelope of training curves, if `run` says which rows belong to one training (`training_envelope`).
    2. Parabolas through runs that share a budget (`isoflop`).
    3. A law that is fitted to all runs (`fit`, then `frontier`).

    Approaches 2 and 3 use the last row of each run.  Approach 2 leaves out runs that lie far off the parabola
    of their budget; approach 3 leaves out the same runs.  Several wrong runs of one budget can move the
    parabola, and so hide each other.  Therefore both approaches also leave out runs that are far from the law
    and from the other runs of their budget (`errsrc.fitting.wrong_runs`).

    Parameters
    ----------
    error : array_like, shape (rows,), or str
        Measured errors, > 0.  With `data`, the name of a column, "error" by default.  The other array
        arguments are then names of columns, too.
    data : dict, data frame, str or Path, optional
        The runs as a table: a dict of columns, a data frame of pandas, polars or pyarrow, or the path of a
        file (`errsrc.tables.read_table`).  Rows that cannot be used are left out and counted.
    m, n, flops : array_like, shape (rows,), or str
        Model sizes, data sizes and training compute in floating-point operations, > 0.  Give all three, or
        two of them: the third then follows from flops = 6 * n * m (Kaplan et al. 2020).
    run : sequence, shape (rows,), or str, optional
        Name or number of the run of each row, if the rows are evaluations during trainings.  The default is
        the column "run" of `data`, if all rows of a run have the same model size and different compute.
    budgets : array_like, optional
        Budgets in flops at which the optimal sizes are returned.  The default is powers of ten, up to about
        100 times the largest compute of the runs.  If only one budget of the runs has an optimum, this budget
        is added to the default.
    nominal : array_like, optional
        Nominal budgets of the runs, see the parameter `budgets` of `isoflop`.
    law : str
        The name of a law in n and m, such as "chinchilla", or "auto" for the average of several laws.
    fixed : dict of str to float, optional
        Parameters of the law that are not fitted, such as ``{"eps0": 10.8}``.
    objective, huber_delta : str and float, optional
        What the fit of the law minimises, as in `errsrc.fit`.
    accuracy : bool
        Whether `error` holds accuracies.  The errors are then 1 - accuracy, or 1 - accuracy / 100 if any
        value exceeds 1.
    strict : bool
        Whether to raise ValueError for rows of `data` that cannot be used, instead of leaving them out.
    test_size : int, optional
        Number of test examples.  If it is given, errors of 0 in `data` are replaced by 1 / (2 * test_size).
        Otherwise rows with an error of 0 are left out.
    best_of : bool
        Whether approaches 2 and 3 use only the best of all rows with the same n and m, such as the best of
        several learning rates.
    keep_far : bool
        Whether approaches 2 and 3 also use the runs that are far from the parabolas and from the law, instead
        of leaving them out.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    ComputeOptimal
        Exponents and optimal sizes by each approach, and the reasons why approaches are missing.

    Raises
    ------
    NoAnswer
        If no approach finds optimal sizes.
    TypeError, ValueError
        If a column is missing, if arrays have different lengths, if a value is not finite and > 0, or if the
        values are accuracies and ``accuracy`` is False.

    Examples
    --------
    >>> from errsrc.laws import Chinchilla
    >>> law = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    >>> flops = np.repeat([1e18, 1e19, 1e20], 5)
    >>> params = 0.1 * np.sqrt(flops) * np.tile([0.25, 0.5, 1.0, 2.0, 4.0], 3)
    >>> noise = 0.002 * np.random.default_rng(0).standard_normal(15)
    >>> loss = law.error(n=flops / (6 * params), m=params) * np.exp(noise)
    >>> found = compute_optimal(data={"C": flops, "params": params, "loss": loss}, error="loss",
    ...                         m="params", flops="C", budgets=1e22)
    >>> for one in found.frontiers:
    ...     print(f"{one.method}: a = {one.a}")
    isoFLOP parabolas: a = 0.518 [0.507, 0.529]
    law chinchilla: a = 0.518 [0.508, 0.527]
    """
    _check_fixed(law, fixed or {})
    check_huber_delta(huber_delta, objective, "compute_optimal")
    given = {"error": error, "m": m, "n": n, "flops": flops, "run": run}
    if data is None:
        table = _Runs(_arrays({name: x for name, x in given.items() if x is not None}, accuracy))
    else:
        table = _from_table(data, given, TableRules(accuracy, strict, test_size, best_of))
    columns = dict(table.values)
    runs = columns.pop("run", None)
    measured = columns.pop("error")
    sizes, cost = completed_sizes(columns)
    factor = flops_factor(sizes)
    if accuracy:
        check_falls(measured, sizes, accuracy)
    if runs is not None and not _are_trainings(runs, sizes):
        if run is not None:
            accepted = "the run of each row, of one model size and with different flops in each row"
            raise ValueError(checks.refusal("run", "compute_optimal", accepted, "<runs of several sizes>"))
        runs = None  # a column of this name that counts seeds, for example
    last = _last_rows(runs, sizes["flops"])
    if best_of:
        last = last[best_rows(measured[last], n=sizes["n"][last], m=sizes["m"][last])]
    ends = {"error": measured[last], **{name: x[last] for name, x in sizes.items()}}
    options: dict[str, Any] = {"law": law, "fixed": fixed, "level": level}
    options |= {k: v for k, v in (("objective", objective), ("huber_delta", huber_delta)) if v is not None}
    found: dict[str, Any] = {}
    if runs is not None and len(last) * CURVE <= len(measured):
        trained = {"m": sizes["m"], "n": sizes["n"], "run": runs}
        found["envelope"] = _attempted(lambda: training_envelope(measured, **trained, level=level))
    ended = _of_all(ends, nominal, options) if keep_far else _of_ends(ends, nominal, options)
    names = tuple(table.names[k] for k in last) if table.names else ()
    found |= _naming_outliers(ended, ends, names, "envelope" in found, cost)
    wanted = _default_budgets(ends["flops"], found["isoflop"]) if budgets is None else budgets
    frontiers = {name: _frontier_of(x, wanted, factor, level) for name, x in found.items()}
    failures = {name: x for name, x in frontiers.items() if isinstance(x, Exception)}
    found = {name: x for name, x in found.items() if name not in failures}
    missing = [
        f"No {WORDS[name]}: {_message(failures[name], ends, names)}" for name in WORDS if name in failures
    ]
    if not found:
        for failure in failures.values():
            if isinstance(failure, RisingValues):
                raise failure
        raise NoAnswer(" ".join(missing))
    labelled = [_with_cost(one, cost) for one in frontiers.values() if isinstance(one, Frontier)]
    return ComputeOptimal(
        frontiers=tuple(labelled),
        isoflop=found.get("isoflop"),
        envelope=found.get("envelope"),
        fit=found.get("fit"),
        missing=tuple(missing),
        cost=cost,
        left_out=table.left_out,
        warnings=(
            *_warnings(labelled, table.left_out, len(measured)),
            *table.warnings,
            *absurd_ratio(sizes),
            *_far_budgets(np.atleast_1d(wanted), ends["flops"]),
            *_spread(found.get("fit"), ended.kept),
        ),
        column_names=table.columns,
        library=table.library,
        runs=len(ended.kept["error"]),
        rows=table.rows,
        factor=factor,
    )


def _far_budgets(budgets: Array, flops: Array) -> tuple[str, ...]:
    """Return a sentence if a budget is far above or below the compute of all runs."""
    measured = MeasuredRange.of(flops, budgets)
    factor = max(measured.above, measured.below)
    if factor <= FAR_BUDGET * (1 + 1e-9):  # the default budgets reach this far
        return ()
    (sentence,) = range_sentence({"budget": measured})
    end = (
        "Is a size in another unit?"
        if factor > ABSURD_BUDGET
        else "m* and n* hold only if the law's form holds that far."
    )
    return (f"{sentence} {end}",)


def _check_fixed(law: str, fixed: Mapping[str, float]) -> None:
    """Raise ValueError for a fixed parameter that the law does not have, or for a negative value."""
    classes = AVERAGED_LAWS["n", "m"] if law == "auto" else (ALL[law],)
    known = dict.fromkeys(p.name for cls in classes for p in cls.parameters())
    for name, value in fixed.items():
        if name not in known:
            accepted = f"among {', '.join(known)}"
            hint = checks.nearest(name, known)
            raise ValueError(checks.refusal("fixed", "compute_optimal", accepted, name) + hint)
        Number(at_least=0)(value, name, "compute_optimal")


class _OfEnds(NamedTuple):
    """The results of approaches 2 and 3, which use the last row of each run.

    Attributes
    ----------
    isoflop : IsoFlop or Exception
        The parabolas, or the reason why there are none.
    fit : Forecast or Exception
        The fit of the law, or the reason why there is none.
    kept : dict of str to ndarray of float64, shape (kept runs,)
        The runs without those that both approaches leave out.
    far : ndarray of bool, shape (runs,)
        The runs that were left out because they are far from the law.
    sentence : FarRows or None
        The sentence that names these runs; None if there are none.
    """

    isoflop: IsoFlop | Exception
    fit: Fit | AveragedFit | Exception
    kept: dict[str, Array]
    far: NDArray[np.bool_]
    sentence: FarRows | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether an approach failed, a budget has no optimum, or the law says that runs are far from it."""
        if isinstance(self.isoflop, Exception) or any(group.excluded for group in self.isoflop.groups):
            return True
        return isinstance(self.fit, Exception) or any(isinstance(w, FarRows) for w in self.fit.warnings)

    def fails_more(self, other: _OfEnds) -> bool:
        """Return whether an approach fails that worked before."""
        pairs = ((self.isoflop, other.isoflop), (self.fit, other.fit))
        return any(isinstance(one, Exception) and not isinstance(two, Exception) for one, two in pairs)

    def improves_on(self, other: _OfEnds) -> bool:
        """Return whether an approach works that failed before, or the parabolas are far less noisy."""
        failed = [isinstance(one, Exception) for one in (self.isoflop, self.fit)]
        before = [isinstance(one, Exception) for one in (other.isoflop, other.fit)]
        if failed != before:
            return failed < before if failed[1] == before[1] else not failed[1]
        if isinstance(self.isoflop, Exception) or isinstance(other.isoflop, Exception):
            return False
        return self.isoflop.noise * LESS_NOISE < other.isoflop.noise


def _attempted(approach: Callable[[], Any]) -> Any:
    """Return the result of an approach, or the exception that says why it has none."""
    try:
        return approach()
    except (NoAnswer, ValueError) as failure:
        return failure


def _of_all(ends: dict[str, Array], nominal: ArrayLike | None, options: Mapping[str, Any]) -> _OfEnds:
    """Return the results of approaches 2 and 3 for all runs; none is left out as far."""
    none = np.zeros(len(ends["error"]), dtype=bool)
    level = options["level"]
    found = _attempted(lambda: parabolas(ends, none, budgets=nominal, level=level, keep_far=True))
    law = _attempted(lambda: _law_fit(ends, **options, keep_far=True))
    return _OfEnds(found, law, ends, none)


def _of_ends(ends: dict[str, Array], nominal: ArrayLike | None, options: Mapping[str, Any]) -> _OfEnds:
    """Return the results of approaches 2 and 3.

    A wrong run is found by its distance from the parabola of its budget.  Several wrong runs hide each other.
    Therefore the runs that `wrong_rows` finds are left out of both approaches.  If there are none and the
    results are doubtful, the runs that `hidden_outliers` finds are left out, or else the runs far from a
    robust fit of the law, provided that this helps.
    """

    def without(far: NDArray[np.bool_], sentence: FarRows | None = None) -> _OfEnds:
        found = _attempted(lambda: parabolas(ends, far, budgets=nominal, level=level))
        kept = _without_outliers(found, ends, far)
        return _OfEnds(found, _attempted(lambda: _law_fit(kept, **options)), kept, far, sentence)

    level, law = options["level"], options["law"]
    laws = AVERAGED if law == "auto" else (ALL[law],)
    last = best = without(np.zeros(len(ends["error"]), dtype=bool))
    wrong = wrong_rows(ends, laws, nominal, options["fixed"])
    if wrong.any() and (isinstance(best.isoflop, Exception) or best.isoflop.would_change(wrong)):
        one = without(wrong, _named_far(ends, wrong, "the law and from the other runs of their budgets"))
        if not one.fails_more(best):
            return one
    if best.is_doubtful and (hidden := hidden_outliers(ends, nominal)).any():
        one = without(hidden, _named_far(ends, hidden, "the other runs of their budgets"))
        if one.improves_on(best):
            return one
    while last.is_doubtful:
        near = {name: x[~last.far] for name, x in ends.items()}
        more, found = far_from_laws(laws, near, options["fixed"])
        far = last.far.copy()
        far[~last.far] = more
        if found is None or far.mean() > LARGEST_FAR_SHARE:
            break
        points = [*(last.sentence.points if last.sentence else []), *found.points]
        last = without(far, FarRows.of(points, len(far), found.what))
        best = last if last.improves_on(best) else best
    return best


def _named_far(ends: Mapping[str, Array], far: NDArray[np.bool_], what: str) -> FarRows:
    """Return the sentence that names runs that are left out."""
    points = [{name: float(ends[name][k]) for name in ("n", "m", "error")} for k in np.flatnonzero(far)]
    return FarRows.of(points, len(far), f"{what}, and were left out")


def _frontier_of(found: Any, budgets: ArrayLike, factor: float, level: float) -> Frontier | Exception:
    """Return the frontier of an approach, or the exception that says why the approach has none."""
    if isinstance(found, Exception):
        return found
    if isinstance(found, Forecast):
        return _attempted(lambda: law_frontier(found, budgets, factor, level))
    return _attempted(lambda: found.frontier(budgets))


class _Runs(NamedTuple):
    """The columns of the runs, and what their table says about them.

    Attributes
    ----------
    values : dict of str to ndarray, shape (usable rows,)
        Error, two or three of m, n and flops, and run if there is one.
    left_out : tuple of LeftOut
        The rows that cannot be used.
    columns : dict of str to str
        The name of the column of each entry of `values` except run.
    names : tuple of str
        The place of each usable row in the table, such as "line 23, 'run-22'"; empty for arrays.
    warnings : tuple of str
        Sentences on errors of 0.
    library : str
        The library of the data frame that the runs came from; "" if there is none.
    rows : tuple of int
        Number of rows of the table that the conditions kept, and number of all its rows; () without
        conditions.
    """

    values: dict[str, Any]
    left_out: tuple[LeftOut, ...] = ()
    columns: Mapping[str, str] = {}
    names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    library: str = ""
    rows: tuple[int, ...] = ()


def _arrays(given: Mapping[str, Any], accuracy: bool) -> dict[str, Any]:
    """Return error, sizes and run as arrays; raise TypeError or ValueError for others."""
    where = "compute_optimal"
    if "error" not in given:
        raise TypeError(checks.refusal("error", where, "an array of numbers, or data= must be given", None))
    out: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, str):
            message = checks.refusal(name, where, "an array", value)
            raise TypeError(f"{message} Names of columns need data=, a data frame or the path of a file.")
        if name == "error" and accuracy:
            value = errors_of(checks.NonNegativeArray()(value, name, where))
        if name == "error":
            out[name] = positive_errors(value, where)
        else:
            out[name] = np.asarray(value) if name == "run" else PositiveArray()(value, name, where)
        if out[name].ndim != 1 or out[name].shape != out["error"].shape or not out[name].size:
            accepted = "a one-dimensional array, not empty and as long as the others"
            raise ValueError(checks.refusal(name, where, accepted, f"<shape {out[name].shape}>"))
    return out


def _from_table(data: Any, names: Mapping[str, Any], rules: TableRules) -> _Runs:
    """Return error, sizes and run from the columns of a table, and the rows that cannot be used."""
    for name, column in names.items():
        if column is not None and not isinstance(column, str):
            accepted = "the name of a column of data"
            raise TypeError(checks.refusal(name, "compute_optimal", accepted, column))
    table = as_table(data)
    kept = () if table.whole is None or len(table.whole) == len(table) else (len(table), len(table.whole))
    columns = columns_of_runs(table, names)
    run = columns.pop("run", None)
    found = table.usable_columns(columns, rules)
    table, usable = found.table, found.usable
    values: dict[str, Any] = dict(found.values)
    said = (*found.warnings, *unfinished_rows(table, usable))
    if run is not None:
        values["run"] = np.array(table.text(run))[usable]
    elif not rules.best_of:
        sizes, _ = completed_sizes({name: x for name, x in values.items() if name != "error"})
        used = set(columns.values()) | ({"n"} if "n" in table.columns else set())
        said = (*said, *mixed_rows(table, usable, {"error": values["error"], **sizes}, used))
    shown = columns | ({"error": f"1 − {columns['error']}"} if rules.accuracy else {})
    names_of_rows = _names_of_rows(table.taken(usable))
    return _Runs(values, found.left_out, shown, names_of_rows, said, table.library, kept)


def columns_of_runs(table: DataTable, names: Mapping[str, str | None]) -> dict[str, str]:
    """Return the columns that `compute_optimal` takes from a table.

    Parameters
    ----------
    table : DataTable
        The table.
    names : dict of str to (str or None)
        {"error", "m", "n", "flops" or "run": name of its column}.  By default, each column has the name of
        its role.

    Raises
    ------
    ValueError
        If the error or a named column is missing, if fewer than two of m, n and flops are there, or if two
        of them are the same column.
    """
    found = {role: table.found(names.get(role) or role) for role in ROLES}
    wanted = {role: names.get(role) or role for role in ROLES if names.get(role) or role == "error"}
    table.require_all({found[role] or name: role for role, name in wanted.items()})
    columns = {role: column for role, column in found.items() if column is not None}
    sizes = {role: column for role, column in columns.items() if role != "run"}
    _check_sizes(table, sizes)
    _check_different(table, sizes)
    return columns


def _check_different(table: DataTable, columns: Mapping[str, str]) -> None:
    """Raise ValueError if two of the error and the sizes are the same column."""
    roles: dict[str, str] = {}
    for role, column in columns.items():
        if column in roles:
            raise ValueError(f"{table.source}: {roles[column]} and {role} are the same column {column!r}.")
        roles[column] = role


def _check_sizes(table: DataTable, columns: Mapping[str, str]) -> None:
    """Raise ValueError if a table has fewer than two of m, n and flops, and suggest columns for them."""
    missing = [name for name in WANTED if name not in columns]
    if len(missing) < 2:
        return
    meant = {
        name: next(
            (
                column
                for column in table.header
                if any(part in column.lower() for part in WANTED[name]) and column in table.varying
            ),
            None,
        )
        for name in missing
    }
    known = {name: column for name, column in meant.items() if column}
    hint = ""
    if known:
        python = ", ".join(f"{name}={column!r}" for name, column in known.items())
        shell = " ".join(f"--{name} {shlex.quote(column)}" for name, column in known.items())
        hint = f" Did you mean {python} ({shell})?"
    raise ValueError(
        f"{table.source} has no columns {', '.join(missing[:-1])} and {missing[-1]}. Two of flops, n and m "
        f"are needed: name their columns with flops='COL', n='COL', m='COL' (--flops, --n, --m).{hint} The "
        f"table has {', '.join(table.header)!r}."
    )


def _names_of_rows(table: DataTable) -> tuple[str, ...]:
    """Return where a table has each row, with the name of the run if a column has it."""
    column = next((own for name in NAMES if (own := table.found(name)) not in (None, *table.repeated)), None)
    places = [f"{table.unit} {row}" for row in table.rows]
    if column is None:
        return tuple(places)
    return tuple(
        f"{place}, {name.strip()!r}" if name.strip() else place
        for place, name in zip(places, table.text(column), strict=True)
    )


def _default_budgets(flops: Array, found: IsoFlop | Exception) -> Array:
    """Return powers of ten, and the budget of the only parabola if there is only one."""
    powers = powers_of_ten(flops)
    groups = () if isinstance(found, Exception) else found.groups
    used = [group.budget for group in groups if not group.excluded]
    if len(used) != 1 or np.isclose(powers, used[0], rtol=1e-3).any():
        return powers
    return np.unique([*powers, used[0]])


def _naming_outliers(
    ended: _OfEnds, ends: Mapping[str, Array], names: tuple[str, ...], has_envelope: bool, cost: str
) -> dict[str, Any]:
    """Return approaches 2 and 3 with one label of the cost, and with warnings that name the runs left out.

    The parabolas and the law leave out the same runs, so both have the warnings.
    """
    out: dict[str, Any] = {"isoflop": ended.isoflop, "fit": ended.fit}
    fitted = not isinstance(ended.fit, Exception)
    far = [] if ended.sentence is None else [_named(ended.sentence, ends, names)]
    renamed: dict[str, str] = {}
    if not isinstance(ended.isoflop, Exception):
        places = "the parabolas"
        if fitted:
            places = "the parabolas and of the fit of the law" if has_envelope else "all approaches"
        for group in ended.isoflop.groups:
            for k in np.flatnonzero(~group.used).tolist():
                row = group.rows[k]
                of_parabola = outlier_sentence(group, k, names[row] if names else "", places)
                renamed[outlier_sentence(group, k)] = far[0] if ended.far[row] else of_parabola
        own = dict.fromkeys(renamed.get(sentence, sentence) for sentence in ended.isoflop.warnings)
        out["isoflop"] = dataclasses.replace(ended.isoflop, warnings=tuple(own), cost=cost)
    if not isinstance(ended.fit, Exception):
        of_fit = (_named(sentence, ends, names) for sentence in ended.fit.warnings)
        sentences = tuple(dict.fromkeys((*far, *renamed.values(), *of_fit)))
        out["fit"] = dataclasses.replace(ended.fit, warnings=sentences)
    return out


def _named(sentence: str, ends: Mapping[str, Array], names: tuple[str, ...]) -> str:
    """Return a sentence; if it names rows by their sizes, add where the table has these rows."""
    if isinstance(sentence, FarRows) and names:
        sizes = {name: ends[name] for name in ("n", "m")}
        return sentence.labelled(sizes, ends["error"], names, "")
    return sentence


def _message(failure: Exception, ends: Mapping[str, Array], names: tuple[str, ...]) -> str:
    """Return the message of a failed fit, with the places of the rows that it names."""
    message = str(failure)
    for part in getattr(failure, "parts", ()):
        message = message.replace(part, _named(part, ends, names))
    return message


def _with_cost(one: Frontier, cost: str) -> Frontier:
    """Return a frontier with the label of the cost that all approaches share.

    A law has a frontier under the cost that the table states, see `law_frontier`.  Envelopes rely on
    C = 6 n m.
    """
    return one if cost == AS_GIVEN else dataclasses.replace(one, cost=cost)


def flops_factor(sizes: Mapping[str, Array]) -> float:
    """Return c of C = c n m: the median over the runs, or 6 if the median is within 10% of 6.

    Parameters
    ----------
    sizes : dict of str to ndarray of float64, shape (runs,)
        "flops", "n" and "m".

    Raises
    ------
    ValueError
        If c is below 0.06 or above 600, so that the columns have other units.
    """
    ratio = float(np.median(sizes["flops"] / (6 * sizes["n"] * sizes["m"])))
    if not 0.01 <= ratio <= 100:
        accepted = "numbers of operations, of examples and of parameters, with flops near 6 n m"
        got = f"<flops of {ratio:.2g} times 6 n m>"
        raise ValueError(checks.refusal("flops", "compute_optimal", accepted, got))
    return 6.0 if abs(ratio - 1) <= 0.1 else 6 * ratio


def law_frontier(found: Forecast, budgets: ArrayLike, factor: float = 6.0, level: float = 0.9) -> Frontier:
    """Return the frontier of a law under C = c n m.

    Parameters
    ----------
    found : Forecast
        The fit of a law in n and m.
    budgets : array_like
        The budgets, in operations.
    factor : float
        c, as `flops_factor` returns it.
    level : float
        Coverage of the intervals, in (0, 1).
    """
    if factor == 6:
        return frontier(found, budgets, level=level)
    one = frontier(found, budgets, cost=lambda n, m: factor * n * m, level=level)
    return dataclasses.replace(one, cost=f"C = {factor:.3g} n m")


def _are_trainings(runs: NDArray[Any], sizes: Mapping[str, Array]) -> bool:
    """Return whether the rows of each run have one model size and different compute."""
    _, which = np.unique(runs, return_inverse=True)
    which = which.ravel()
    models = np.unique(np.stack([which, np.log(sizes["m"]).round(6)]), axis=1).shape[1]
    steps = np.unique(np.stack([which, sizes["flops"]]), axis=1).shape[1]
    return models == which.max() + 1 and steps == len(which)


def _last_rows(runs: NDArray[Any] | None, flops: Array) -> NDArray[np.intp]:
    """Return the row of the largest compute of each run, in the order of the rows; all rows without runs."""
    if runs is None:
        return np.arange(len(flops))
    _, which = np.unique(runs, return_inverse=True)
    order = np.lexsort((flops, which.ravel()))
    ends = np.append(np.flatnonzero(np.diff(which.ravel()[order])), len(order) - 1)
    return np.sort(order[ends])


def _without_outliers(
    found: IsoFlop | Exception, runs: dict[str, Array], far: NDArray[np.bool_]
) -> dict[str, Array]:
    """Return the runs without the far runs and without the outliers of the parabolas."""
    left_out = far.copy()
    for group in () if isinstance(found, Exception) else found.groups:
        left_out[group.rows[~group.used]] = True
    return {name: x[~left_out] for name, x in runs.items()} if left_out.any() else runs


def _law_fit(runs: Mapping[str, Array], law: str, **options: Any) -> Fit | AveragedFit:
    """Return the fit of a law, or of the average of several, to the sizes and errors of runs."""
    points: dict[str, Any] = {name: runs[name] for name in ("error", "n", "m")}
    if law == "auto":
        return auto(**points, **options)
    kind: type[Law] = ALL[law]
    free = len({p.name for p in kind.parameters()} - set(options["fixed"] or {}))
    distinct = len(np.unique(np.column_stack([runs["n"], runs["m"]]), axis=0))
    count = min(distinct, len(runs["error"]))
    if distinct < free or len(runs["error"]) <= free:
        raise ValueError(
            f"{law} has {free} parameters and needs at least {free + 1} runs of different sizes; the table "
            f"has {count}."
        )
    return fit(kind, **points, **options)


def _spread(law: Forecast | None, runs: Mapping[str, Array]) -> list[str]:
    """Return a sentence if runs of equal sizes differ by more than seeds do."""
    if law is None:
        return []
    sizes = {name: runs[name] for name in ("n", "m")}
    curve, _ = law.curves(**sizes)
    free = max(len(one.intervals) for one, _ in weighted_fits(law))
    sentence = excess_spread(sizes, runs["error"], curve, free)
    return [sentence] if sentence else []


def _warnings(frontiers: Sequence[Frontier], left_out: tuple[LeftOut, ...], used: int) -> list[str]:
    """Return the warnings, each sentence once: first on rows that were left out, then of all approaches."""
    out = []
    if left_out:
        out.append(left_out_sentence(left_out, used + sum(map(len, left_out))))
    lows, highs = [one.a.low for one in frontiers], [one.a.high for one in frontiers]
    if max(lows) > min(highs):
        out.append("The approaches disagree: their intervals of a do not overlap.")
    for one in frontiers:
        out += [sentence for sentence in one.warnings if sentence not in out]
    return out
