"""The verdict on the shape of a learning curve: power law, bend, cliff, peak, dip, rise or plateau.

A *cell* is the set of all runs with the same n.  All computations use the mean of ln error in each cell.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import ERROR, LEVEL, SEED, Flag, NonNegativeArray, Number, Optional, PositiveArray
from errsrc.curves.candidates import LARGEST_BEND, CandidateComparison, compare_candidates, describe_candidate
from errsrc.curves.cells import CurveCells, SortedCurve, sorted_curve
from errsrc.curves.lookalikes import lookalikes, within_noise
from errsrc.curves.plateaus import Plateau, plateau
from errsrc.curves.rises import CurveChange, NotFalling, not_falling
from errsrc.curves.statistics import power_law_p_value
from errsrc.fitting.anomalies import PEAK, SteepFall, peak, steep_fall
from errsrc.fitting.data_arguments import as_table, check_no_columns, columns_of
from errsrc.fitting.directions import rises
from errsrc.fitting.mixtures import MixedRows
from errsrc.fitting.table_runs import table_runs
from errsrc.laws.law import Array, Law
from errsrc.results import ROUNDING, Interval, Result, TextTable, interval_columns, percent
from errsrc.tables import LeftOut, frame_of, left_out_sentence
from errsrc.tables.measurements import TableRules, errors_of

VERDICTS = ("power law", "bend", "cliff", "peak", "dip", "rise", "plateau then fall", "not decided")

MARGIN = 5.0
"""Lead in held-out log likelihood that a bend or a cliff needs over all other candidates, in nats."""
SURE_DROP = 1e4
"""A fall by this factor from one cell to the next, faster than any power law, is a cliff without any fit."""
STEEPEST = 8.0
"""Largest exponent of a power law (the bound of `Power` and `Broken`)."""
LARGEST_N = 1e36
"""Largest accepted n: its power with the exponent `STEEPEST` must be finite in float64."""
ACCURACIES = "The values rise with n: are they accuracies? accuracy=True (--accuracy) takes 1 - accuracy."
"""The question about values that clearly rise with n."""
ZEROS = frozenset({"error", "std_error"})
"""Columns of a table that may be 0."""
FEWEST = {"power law": 5, "bend": 6}
"""Smallest number of cells above zero that a verdict needs; a cliff needs as many as a bend.

If the largest cells are at zero, a cliff needs only two cells above zero and two runs at zero.
"""


@dataclass(frozen=True, eq=False, repr=False)
class CurveShape(Result):
    """The shape of a learning curve, with its evidence.

    A cell is the set of all runs with the same n.  A cell is at zero if its median error, and the medians of
    all cells with larger n, count as zero.  A candidate is a law that was fitted to the cells: a power law, a
    bend or a cliff, with or without a floor.

    Attributes
    ----------
    verdict : str
        "power law", "bend", "cliff", "peak", "dip", "rise", "plateau then fall" or "not decided".
    status : str
        The reason for the verdict, in one or two sentences.
    exponent : Interval
        Exponent of the power law.  If the power law has a floor, this is the exponent of the error minus the
        floor.  If there is a bend, a cliff or a plateau, this is the exponent before the bend, before the
        cliff or on the plateau.  For all other verdicts, this is the exponent of the power law that fits the
        cells above zero best.
    exponent_after : Interval or None
        Exponent after a bend or a plateau; None for other verdicts.
    threshold : Interval or None
        The n at the bend, the cliff, the peak, the dip, or the end of the plateau; None for other verdicts.
    local_exponents : tuple of Interval
        Exponents -d ln error / d ln n between each cell above zero and the next cell.  If the next cell is at
        zero, the exponent is a lower bound.
    scores : dict of str to float
        Log likelihood of the held-out cells for each candidate, in nats.  A higher score is better, and a
        difference of `MARGIN` is decisive.  The dict is empty if no candidates were fitted, for example
        because there are too few cells.
    misses : dict of str to float
        Median of |ln (predicted / measured error)| over the held-out cells, for each candidate.
    p_value : float
        Probability that noise alone makes cells depart from a power law at least as much as these cells do;
        nan if no candidates were fitted.
    laws : dict of str to Law
        Each candidate, fitted to all cells.
    n : ndarray of float64, shape (cells,)
        The n of each cell, ascending.
    error, low, high : ndarray of float64, shape (cells,)
        Geometric mean of the errors of each cell, and the ends of its interval, in the units of the errors.
        The mean of a cell at zero is 0.
    runs : ndarray of int64, shape (cells,)
        Number of runs in each cell.
    zero : float
        Errors up to this number count as zero, in the units of the errors.
    left_out : tuple of LeftOut
        Rows of a table that were not used, by reason; () for arrays.
    library : str
        The library of the data frame that the runs came from, such as "pandas"; "" if they came from
        something else.
    changes : tuple of CurveChange
        For a peak: a significant rise and the significant fall after it.  For a dip: a significant fall and
        the significant rise after it.  For a rise: the most significant rise.  () for other verdicts.
    floor : Interval or None
        The floor c of a power law a n^-alpha + c, if `exponent` is the exponent above a floor; otherwise
        None.
    exponents_above_floor : tuple of Interval
        Exponents between each cell and the next, of the error minus the estimate of the floor.  They agree
        with `exponent` if the floor is right, while `local_exponents` are smaller.  The intervals do not
        contain the uncertainty of the floor.  () if `floor` is None.
    """

    verdict: str
    status: str
    exponent: Interval
    exponent_after: Interval | None
    threshold: Interval | None
    local_exponents: tuple[Interval, ...]
    scores: dict[str, float]
    misses: dict[str, float]
    p_value: float
    laws: dict[str, Law]
    n: Array
    error: Array
    low: Array
    high: Array
    runs: NDArray[np.int64]
    zero: float
    left_out: tuple[LeftOut, ...] = ()
    library: str = ""
    changes: tuple[CurveChange, ...] = ()
    floor: Interval | None = None
    exponents_above_floor: tuple[Interval, ...] = ()

    def to_frame(self) -> Any:
        """Return `columns` as a data frame, of the library that the runs came from."""
        return frame_of(self.columns(), self.library)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return a table with a row for each cell, which is the set of all runs with the same n.

        Returns
        -------
        dict of str to ndarray, shape (cells,)
            The keys are "n", "runs", "error", "low", "high", "exponent", "exponent_low" and "exponent_high".
            A cell's "exponent" is the local exponent between this cell and the next cell.  The entry is nan
            if `local_exponents` has no such exponent.
            If there is a floor, "exponent_above_floor", "exponent_above_floor_low" and
            "exponent_above_floor_high" follow.
        """
        cells: dict[str, NDArray[np.generic]]
        cells = {"n": self.n, "runs": self.runs, "error": self.error, "low": self.low, "high": self.high}
        exponents = {"exponent": self.local_exponents}
        if self.exponents_above_floor:
            exponents["exponent_above_floor"] = self.exponents_above_floor
        nothing = Interval(math.nan, math.nan, math.nan, self.exponent.level)
        for name, found in exponents.items():
            padded = [*found, *[nothing] * (len(self.n) - len(found))]
            cells |= interval_columns(name, padded)
        return cells

    def headline(self) -> str:
        """Return the verdict and its reason as one line."""
        exponent = "" if self.changes else f"exponent {self.exponent}, "
        return f"{self.verdict}, {exponent}{len(self.n)} cells: {self.status}"

    def content(self) -> list[str | TextTable]:
        """Return what is printed: a table with a row for each n, the scores of the laws, and the verdict."""
        above = self.exponents_above_floor
        header = ("n", "error", f"{self.exponent.level:.0%} interval", "exponent to the next")
        rows: list[tuple[str, ...]] = [(*header, "the same above the floor") if above else header]
        for k, (n, e) in enumerate(zip(self.n, self.error, strict=True)):
            interval = Interval(float(e), float(self.low[k]), float(self.high[k]), self.exponent.level)
            shown, _, ends = str(interval).partition(" ")
            if e <= self.zero:
                shown, ends = "0", ""
            following = str(self.local_exponents[k]) if k < len(self.local_exponents) else ""
            row = (f"{n:,.0f}" if n == round(n) else f"{n:.4g}", shown, ends, following)
            rows.append((*row, str(above[k]) if k < len(above) else "") if above else row)
        scores = [("candidate", "held-out score", "typical miss")]
        for name, score in self.scores.items():
            scores.append((name, f"{score:.1f}", percent(self.misses[name], 1)))
        tables = [TextTable(rows, "r", header=True)]
        tables += [TextTable(scores, "lr", header=True)] if self.scores else []
        total = int(self.runs.sum()) + sum(map(len, self.left_out))
        left_out = [left_out_sentence(self.left_out, total)] if self.left_out else []
        return [*tables, *left_out, f"{self.verdict}: {self.status}"]


@checks.arguments(
    accuracy=Flag(),
    strict=Flag(),
    zero=Optional(Number(at_least=0)),
    level=LEVEL,
    seed=SEED,
)
@np.errstate(all="ignore")
def curve_shape(
    n: ArrayLike | None = None,
    error: ArrayLike | None = None,
    *,
    data: Any = None,
    accuracy: bool = False,
    strict: bool = False,
    std_error: ArrayLike | None = None,
    zero: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> CurveShape:
    """Decide which shape a learning curve has: power law, bend, cliff, peak, dip, rise, or plateau then fall.

    If the runs do not decide the shape, the verdict is "not decided".

    Parameters
    ----------
    n : array_like, shape (runs,), or str
        The n of each run, > 0 and at most 1e36 (`LARGEST_N`).  Runs with the same n are repetitions.  With
        `data`, the name of a column, "n" by default.
    error : array_like, shape (runs,), or str
        The error of each run, >= 0, in any unit.  With `data`, the name of a column, "error" by default.
    data : dict, data frame, str or Path, optional
        The runs as a table, as in `errsrc.fit`.  Rows that cannot be used are left out, and counted in
        `left_out`; rows with an error of 0 are used.
    accuracy, strict : bool
        If `accuracy` is True, `error` holds accuracies instead of errors.  If `strict` is True, the function
        raises ValueError for a row of `data` that cannot be used.  Both work as in `errsrc.fit`.
    std_error : array_like, shape (runs,), or str, optional
        Standard error of each error, >= 0.  The standard error of an error of 0 says how large the true error
        may be.  If you give standard errors, the verdicts "peak", "dip" and "rise" rest on them.  Standard
        errors that were estimated from few seeds are too small for some n, and then cause false rises
        (``benchmarks/rises.py`` measures how often).  In this case, give the errors of all seeds, without
        standard errors.  By default, the noise is estimated from the differences between runs of the same
        cell.  This estimate needs at least three more runs than cells.  With fewer runs, the noise is
        estimated from the scatter around a smooth curve.
    zero : float, optional
        Errors up to this number count as 0, >= 0.  The default is 1e-12 (`errsrc.results.ROUNDING`) times the
        largest median error of a cell.  For error rates on a test set, give the resolution of the set: 3
        divided by its number of examples.
    level : float
        Coverage of the intervals, in (0, 1).  The probability that a true power law gets the verdict "bend",
        "cliff" or "plateau then fall" is at most 1 - level.  So is the probability that a curve that never
        rises gets the verdict "peak", "dip" or "rise", if the standard errors are correct.
    seed : int
        Seed of the simulated noise and of the starts of fits, >= 0.

    Returns
    -------
    CurveShape
        The verdict and its evidence.

    Raises
    ------
    TypeError, ValueError
        If the arrays have different lengths, or if a value is not a number, not finite, or out of range.

    Notes
    -----
    *Power law or not.* There are two statistics.  For the first statistic, a power law is fitted to all cells
    except the h cells with the largest n, and predicts these h cells.  This is repeated for every h that
    leaves at least three cells for the fit.  For the second statistic, each cell in turn is left out and
    predicted, by the power law and by a law whose exponent changes with n.  Both statistics are compared with
    their simulated distributions under a power law (`power_law_p_value`).

    *Bend or cliff.* The candidates (laws with and without a bend or a cliff) are fitted without each cell in
    turn, and without the cells with the largest n.  Their predictions for the left-out cells are scored by
    the density of Student's t distribution with 4 degrees of freedom.  The candidates with a bend have a bend
    of fixed width.  A wider bend could be mistaken for a cliff that begins at n = 0.  Therefore the verdict
    is a cliff only if the whole interval of the exponent before the cliff is above 0, or if the whole
    interval of a local exponent is above 3 (`LARGEST_BEND`).

    *Peak, dip or rise.* A rise is a pair of cells whose error rises significantly with n: by more than z
    standard errors of the difference.  z is the quantile of a one-sided normal test, with Bonferroni's
    correction for all pairs of cells.  `errsrc.curves.rises.not_falling` says how rises are found without
    standard errors.  A peak, as in double descent, is a rise and then a significant fall.  A dip is a
    significant fall and then a rise.  A curve with a peak and a dip is called a peak.  No candidate is fitted
    to a curve with one of these verdicts.  Without standard errors there are two exceptions.  First, a curve
    that falls to zero, or by a factor of 10,000 between two cells, stays a cliff.  Second, a rise does not
    count if all significant rises need the same single run, because this run may be wrong.  Such a curve is
    not called a bend, a cliff or a plateau.  The same holds for a curve with one run for each n whose error
    rises by 22% or more, but not significantly.

    *Plateau then fall.* This verdict replaces "bend" or "not decided" if the curve is not a power law and its
    first cells are flat (`errsrc.curves.plateaus.plateau`).

    *Zero.* Suppose that the median error is zero in all cells with n >= n0.  The verdict is then a cliff if
    no power law falls below `zero` at n0.  Two power laws are tried.  The first law has the exponent 8 and
    goes through the last cell above zero.  If the first law falls below `zero`, a second law is tried, which
    is fitted to the cells above zero.

    *Steep fall.* The verdict is a cliff, too, if the error falls by a factor of 10,000 or more from one cell
    to the next, faster than a power law with exponent 8.  At least two runs must stay below this power law.

    The function takes about 0.25 s of one core for 8 cells.  ``benchmarks/shape.py`` and
    ``benchmarks/rises.py`` measure the rates of right and wrong verdicts.

    Examples
    --------
    >>> n = 100 * 2.0 ** np.arange(8)
    >>> wiggle = np.exp(0.03 * np.cos(np.arange(8) ** 2))
    >>> found = curve_shape(n, 2 * n**-0.4 * wiggle)
    >>> print(found.verdict, found.exponent)
    power law 0.402 [0.384, 0.419]
    >>> print(curve_shape([25, 50, 100, 200, 400], [0.75, 0.49, 1e-28, 2e-29, 1e-29]).status)
    At n = 50 the error is 0.49, from n = 100 on 0 within 7.5e-13: no power law up to exponent 8 gets there.
    """
    if data is not None:
        table = as_table(data)
        given = columns_of("curve_shape", error, {"n": n, "std_error": std_error})
        columns = {name: table.found(name) or name for name in ("n", "error")} | given
        runs = table_runs(table, columns, TableRules(accuracy, strict), ZEROS)
        options: dict[str, Any] = {**runs.values, "zero": zero, "level": level, "seed": seed}
        found = curve_shape(**options)
        status = " ".join([found.status, *(text for text in runs.warnings if isinstance(text, MixedRows))])
        return dataclasses.replace(found, status=status, left_out=runs.left_out, library=table.library)
    check_no_columns("curve_shape", error, {"n": n, "std_error": std_error})
    sizes = PositiveArray(at_most=LARGEST_N)(n, "n", "curve_shape")
    errors = NonNegativeArray()(error, "error", "curve_shape")
    spread = Optional(NonNegativeArray())(std_error, "std_error", "curve_shape")
    measured = errors_of(errors) if accuracy else errors
    curve = sorted_curve(sizes, measured, spread, zero, level)
    cells, above = curve.cells, curve.above
    if above:
        ERROR(curve.run_error, "error", "curve_shape")
    deviation = cells.quantile(level) * cells.deviation
    low, high = np.exp(cells.y - deviation), np.exp(cells.y + deviation)
    mean, zeros = np.exp(cells.y), np.zeros(len(curve.n) - above)
    compared = CandidateComparison({}, {}, {}, None)
    by_run = None
    if spread is not None:
        least = ROUNDING * float(curve.medians.max()) if zero is None else zero
        by_run = (sizes, np.where(measured <= least, 0.0, measured), spread)
    rising = not_falling(curve, by_run, level, seed)
    decided = _decide_without_fits(curve, rising, spread is not None, level)
    if decided is None:
        compared = compare_candidates(cells, seed)
        decided = _decide_by_fits(curve, compared, rising, level, seed)
    return CurveShape(
        verdict=decided.verdict,
        status=decided.status,
        exponent=decided.exponent or cells.slope(level),
        exponent_after=decided.exponent_after,
        threshold=decided.threshold,
        local_exponents=_local_exponents(curve, level),
        scores=compared.scores,
        misses=compared.misses,
        p_value=decided.p_value,
        laws=compared.laws,
        n=curve.n,
        error=np.concatenate([mean, zeros]),
        low=np.concatenate([low, zeros]),
        high=np.concatenate([high, zeros + curve.zero]),
        runs=curve.runs,
        zero=curve.zero,
        changes=decided.changes,
        floor=decided.floor,
        exponents_above_floor=_exponents_above(cells, decided.floor, level),
    )


def _exponents_above(cells: CurveCells, floor: Interval | None, level: float) -> tuple[Interval, ...]:
    """Return the exponents between each cell and the next, of the error minus the floor; () for no floor."""
    if floor is None:
        return ()
    above = np.maximum(1 - floor.estimate * np.exp(-cells.y), 0.0)  # (e - floor) / e
    lowered = cells._replace(y=cells.y + np.log(above), variance=cells.variance / above**2)
    unknown = Interval(math.nan, -math.inf, math.inf, level)
    return tuple(one if math.isfinite(one.estimate) else unknown for one in lowered.local_exponents(level))


def _local_exponents(curve: SortedCurve, level: float) -> tuple[Interval, ...]:
    """Return the exponents between each cell and the next; towards a cell at zero this is a lower bound."""
    local, above = curve.cells.local_exponents(level), curve.above
    if 0 < above < len(curve.n) and curve.zero > 0:
        fall = np.log(np.exp(curve.cells.y)[-1] / curve.zero)
        bound = float(fall / np.log(curve.n[above] / curve.n[above - 1]))
        local.append(Interval(bound, bound, math.inf, level))
    return tuple(local)


class _Decision(NamedTuple):
    """A verdict and its evidence, see `CurveShape`."""

    verdict: str
    status: str
    exponent: Interval | None = None
    exponent_after: Interval | None = None
    threshold: Interval | None = None
    p_value: float = math.nan
    changes: tuple[CurveChange, ...] = ()
    floor: Interval | None = None


def _undecided(status: str, p_value: float = math.nan) -> _Decision:
    return _Decision("not decided", status, p_value=p_value)


def _decide_without_fits(
    curve: SortedCurve, rising: NotFalling | None, known: bool, level: float
) -> _Decision | None:
    """Decide about a curve that rises, has cells at zero, or has too few cells; return None for any other.

    `known` says whether standard errors are given.
    """
    above, back = curve.above, curve.medians[: curve.above] <= curve.zero
    if not above:
        within = f" within {curve.zero:.2g}" if curve.zero else ""
        return _undecided(f"Every cell's error is 0{within}.")
    if rising is not None and known:
        return _rising(curve, rising)
    if back.any():
        return _undecided(f"The error is 0 at n = {curve.n[:above][back][0]:g}, and above it at larger n.")
    fall = steep_fall(curve.n, np.maximum(curve.medians, curve.zero), curve.runs)  # 0 may be up to `zero`
    sure = fall is not None and fall.runs > 1 and fall.error < fall.error_before / SURE_DROP
    if above < len(curve.n):
        found = _decide_at_zero(curve, level)
        return _cliff_of(fall, level) if fall is not None and sure and found.verdict != "cliff" else found
    if fall is not None and sure:
        return _cliff_of(fall, level)
    if rising is not None and math.isnan(rising.lone_n):
        return _rising(curve, rising)
    if above < FEWEST["power law"]:
        needed = FEWEST["power law"]
        return _undecided(f"Cells above 0: {above}; at least {needed} are needed.")
    if rises(curve.medians, {"n": curve.n}):
        return _undecided(ACCURACIES)
    return None


def _rising(curve: SortedCurve, rising: NotFalling) -> _Decision:
    """Return the verdict on a curve that rises significantly."""
    text = rising.sentence
    if rising.verdict == "rise" and rises(curve.medians, {"n": curve.n}):
        text += f" {ACCURACIES}"
    return _Decision(rising.verdict, text, threshold=rising.turn, changes=rising.changes)


def _cliff_of(fall: SteepFall, level: float) -> _Decision:
    """Return the verdict on a curve that falls faster than a power law, and stays below it."""
    threshold = Interval(fall.n, fall.before, fall.n, level)
    return _Decision("cliff", f"{fall.lead}, and stays below such a law.", threshold=threshold)


def _decide_at_zero(curve: SortedCurve, level: float) -> _Decision:
    """Decide whether a power law can get from the cells above zero to the cells at zero."""
    cells, above, zero = curve.cells, curve.above, curve.zero
    last, first, e = float(curve.n[above - 1]), float(curve.n[above]), float(np.exp(cells.y[-1]))
    threshold = Interval(first, last, first, level)
    where = f"At n = {last:g} the error is {e:.2g}, from n = {first:g} on 0 within {zero:.2g}"
    if above < 2:
        return _undecided(f"{where}: one cell above 0 is too few.")
    if curve.runs[above:].sum() < 2:
        return _undecided(f"{where}: one run at 0 is too few.")
    if e * (last / first) ** STEEPEST > zero:
        text = f"{where}: no power law up to exponent {STEEPEST:g} gets there."
        return _Decision("cliff", text, threshold=threshold)
    if above < 3 or (cells.df <= 0 and above < FEWEST["power law"]):
        return _undecided(f"{where}: {above} cells above 0 cannot show whether a power law gets there.")
    coefficients, covariance = cells.fitted(1)
    at_first = np.array([1.0, math.log(first) - cells.x.mean()])
    standard_error = math.sqrt(at_first @ covariance @ at_first + cells.noise[-1])
    predicted = float(at_first @ coefficients)
    least = math.exp(predicted - cells.quantile(level) * standard_error)
    reached = f"the power law through the {above} cells above predicts {math.exp(predicted):.2g} there"
    if least > zero:
        return _Decision("cliff", f"{where}; {reached}, at least {least:.2g}.", threshold=threshold)
    return _undecided(f"{where}; {reached}, at least {least:.2g}: it may be in reach.")


def _decide_by_fits(
    curve: SortedCurve, compared: CandidateComparison, rising: NotFalling | None, level: float, seed: int
) -> _Decision:
    """Decide whether a curve above zero is a power law and, if not, whether it has a bend or a cliff."""
    cells = curve.cells
    basis = cells.basis(1)
    residual = cells.y - basis @ cells.fitted(1)[0]
    p_value, floored = power_law_p_value(cells, basis, residual, seed), False
    if p_value < 1 - level and (tangent := compared.tangent) is not None:
        with_floor = power_law_p_value(cells, *tangent, seed)
        p_value, floored = max(p_value, with_floor), with_floor > p_value
    if p_value >= 1 - level:
        return _power_law(curve, compared, p_value, floored, level, seed)
    if rising is not None:
        which = f"the run at n = {rising.lone_n:g}: one run is not enough for a peak, a dip or a rise"
        return _undecided(
            f"{rising.sentence} But all significant rises need {which} {_p_text(p_value)}.", p_value
        )
    decided = _bend_or_cliff(curve, compared, p_value, level, seed)
    flat = plateau(cells, level) if decided.verdict in ("bend", "not decided") else None
    decided = decided if flat is None else _plateau(decided, flat)
    rise = _rise_of_single_runs(cells) if decided.verdict != "not decided" else ""
    return _undecided(f"{rise} {_p_text(p_value)}.", p_value) if rise else decided


def _rise_of_single_runs(cells: CurveCells) -> str:
    """Return words on a rise that may be a peak or noise; "" if there is none, or if the noise is known."""
    before = np.minimum.accumulate(cells.y)
    top = int(np.argmax(cells.y - before))
    if cells.df != 0 or cells.y[top] - before[top] < PEAK:
        return ""
    start = int(np.argmin(cells.y[:top]))
    (n, n_after), (error, error_after) = np.exp(cells.x[[start, top]]), np.exp(cells.y[[start, top]])
    return (
        f"The error rises from {error:.3g} at n = {n:.6g} to {error_after:.3g} at n = {n_after:.6g}; single "
        "runs without standard errors do not show whether this is a peak or noise"
    )


def _plateau(decided: _Decision, flat: Plateau) -> _Decision:
    """Return the verdict on a curve with a plateau that was called "bend" or "not decided" before."""
    text = f"{flat.sentence} A power law misses the held-out cells {_p_text(decided.p_value)}."
    if decided.verdict != "bend":
        found = decided._replace(
            exponent=flat.exponent, exponent_after=flat.exponent_after, threshold=flat.end
        )
    elif decided.exponent is None or decided.exponent.low > 0:
        return decided
    else:
        found = decided
    return found._replace(verdict="plateau then fall", status=text)


def _p_text(p_value: float) -> str:
    return f"(p = {p_value:.2g})" if p_value >= 0.001 else "(p < 0.001)"


def _power_law(
    curve: SortedCurve, compared: CandidateComparison, p_value: float, floored: bool, level: float, seed: int
) -> _Decision:
    """Decide about a curve that does not depart from a power law: it may be flat, or too noisy to tell."""
    cells, scores = curve.cells, compared.scores
    straight = cells.slope(level)
    if straight.low <= 0:
        return _undecided(f"The error does not measurably fall: exponent {straight}.", p_value)
    _, covariance = cells.fitted(2)
    change = 2 * cells.quantile(level) * math.sqrt(covariance[2, 2]) * float(np.ptp(cells.x))
    if not floored and change > max(straight.estimate, 0.1):
        text = f"Too noisy: a change of the exponent {straight} by {change:.2g} would not be seen."
        return _undecided(text, p_value)
    exponent, what, shown = straight, "throughout, without a floor", None
    if floored or scores.get("power law, floor", -math.inf) > scores["power law"]:
        runs = (curve.run_n, curve.run_error, curve.weights)
        exponent, floor, _ = describe_candidate("power law, floor", *runs, level, seed)
        what = _above_floor(curve, exponent, floor, straight, floored)
        shown = floor if floor.estimate > 0 else None
    text = f"Exponent {exponent} {what}; it predicts the held-out cells within the noise {_p_text(p_value)}."
    text += lookalikes(cells, compared.laws.get("power law, floor") if floored else None)
    if floored and scores.get("bend", -math.inf) > scores["power law, floor"] - MARGIN:
        text += " They cannot distinguish the floor from a bend to a smaller exponent."
    return _Decision("power law", text, exponent, p_value=p_value, floor=shown)


def _above_floor(
    curve: SortedCurve, exponent: Interval, floor: Interval, straight: Interval, floored: bool
) -> str:
    """Return words that say that an exponent holds above a floor, and which exponents the whole error has."""
    if not floored:
        left_open = f"above a floor, if there is one ({floor}), which these cells leave open"
        return f"{left_open}; without a floor the exponent is {straight}"
    local = [one.estimate for one in curve.cells.local_exponents(exponent.level)]
    smaller = f"smaller on average, {straight.estimate:.2g}"
    if max(local) < exponent.estimate:
        smaller = f"smaller, {min(local):.2g} to {max(local):.2g}"
    text = (
        f"above a floor of {floor}; the exponents between cells, of the error with the floor, are {smaller}"
    )
    above = _exponents_above(curve.cells, floor, exponent.level)
    agree = sum(one.low <= exponent.estimate <= one.high for one in above)
    known = [one.estimate for one in above if math.isfinite(one.estimate)]
    if known:
        text += (
            f"; without the floor they are {min(known):.2g} to {max(known):.2g}, and {agree} of {len(above)} "
        )
        text += f"intervals contain {exponent.estimate:.2g}"
    return text


def _bend_or_cliff(
    curve: SortedCurve, compared: CandidateComparison, p_value: float, level: float, seed: int
) -> _Decision:
    """Decide about a curve that departs from a power law, by the scores of the held-out cells."""
    cells, scores = curve.cells, compared.scores
    if (found := peak(curve.run_n, curve.run_error)) is not None:
        text = f"{found.lead}: no power law, bend or cliff describes this peak {_p_text(p_value)}."
        return _undecided(text, p_value)
    steeper = "more" if -2 * cells.fitted(2)[0][2] > 0 else "less"
    lead = f"A power law misses the held-out cells {_p_text(p_value)}: the curve grows {steeper} steep"
    families = {name: name.partition(",")[0] for name in scores}
    best = [
        max((score, name) for name, score in scores.items() if families[name] == family)
        for family in dict.fromkeys(families.values())
    ]
    if len(best) < 3:
        text = f"{lead}; {len(cells.x)} cells are too few to distinguish a bend from a cliff."
        return _undecided(text, p_value)
    (top, first), (next_, second), *_ = sorted(best, reverse=True)
    if top - next_ < MARGIN or first.startswith("power law"):
        why = f"they favour {first} over {second} by {top - next_:.1f} nats, which decides nothing"
        return _undecided(f"{lead}; but {why}.{within_noise(cells)}", p_value)
    verdict = families[first]
    runs = (curve.run_n, curve.run_error, curve.weights)
    exponent, threshold, after = describe_candidate(first, *runs, level, seed)
    text = f"{lead}; held-out cells favour {first} over {second} by {top - next_:.1f} nats"
    what = f"from exponent {exponent} to {after} near n = {threshold}"
    if verdict == "cliff" and not exponent.determined:
        if max(one.low for one in cells.local_exponents(level)) <= LARGEST_BEND:
            why = f"exponent before it: {exponent}; between cells none is surely above {LARGEST_BEND:g}"
            return _undecided(f"{text}, but a slow bend is not excluded ({why}).", p_value)
        what = f"faster than any power law from n = {threshold} at the latest (exponent before: {exponent})"
    elif verdict == "cliff":
        what = f"exponent {exponent} up to n = {threshold}, then faster than any power law"
    return _Decision(verdict, f"{text}: {what}.{within_noise(cells)}", exponent, after, threshold, p_value)
