"""Which shape a learning curve has: power law, bend or cliff, decided by cells that a fit has not seen.

A *cell* is one n with all the errors measured there.  Everything is done in ln error, on the cells' means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from errsrc import checks
from errsrc.curves.candidates import LARGEST_BEND, Compared, compare, described
from errsrc.curves.statistics import LOG_ERROR_TOLERANCE, CurveCells, cells_of, chance
from errsrc.laws.law import Array, Law
from errsrc.results import ROUNDING, Interval, aligned

VERDICTS = ("power law", "bend", "cliff", "not decided")

MARGIN = 5.0
"""Nats by which the held-out cells must favour bend or cliff over all the other candidates."""
STEEPEST = 8.0
"""The largest exponent that a power law may have (the bound of `Power` and `Broken`)."""
FEWEST = {"power law": 5, "bend": 6}
"""Cells above zero that a verdict takes; a bend and a cliff take as many, or two at zero."""


@dataclass(frozen=True, eq=False)
class CurveShape:
    """The shape of a learning curve with its evidence.

    Attributes
    ----------
    verdict
        One of `VERDICTS`.
    status
        Why, in a sentence or two.
    exponent
        The power law's; before the break or the cliff, where there is one; of the straight line through
        all cells above zero where nothing is decided.
    exponent_after
        The exponent after a bend; None for other verdicts.
    threshold
        n at which the curve bends or falls off; None for other verdicts.
    local_exponents
        Exponents -d ln e / d ln n between each cell above zero and the next; the one to a cell at zero
        is a lower bound.
    scores
        {candidate: log score of the held-out cells, in nats}; higher is better, a difference of
        `MARGIN` decides.  Empty where the cells are too few.
    misses
        {candidate: median of |ln(predicted / measured)| over the same}.
    p_value
        How often a power law of this noise would be missed by as much, as the held-out cells tell; nan
        where the cells are too few.
    laws
        {candidate: the law fitted to all cells}.
    n, error, low, high, runs
        The cells, sorted: geometric mean of their errors with interval, number of runs; (cells,) each.
    zero
        Errors at most this count as zero.
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

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return (cells,) each: n, runs, error, low, high, and the exponent to the next cell (nan: none)."""
        ends = np.full((3, len(self.n)), np.nan)
        for k, one in enumerate(self.local_exponents):
            ends[:, k] = one.estimate, one.low, one.high
        names = ("exponent", "exponent_low", "exponent_high")
        cells = {"n": self.n, "runs": self.runs, "error": self.error, "low": self.low, "high": self.high}
        return {**cells, **dict(zip(names, ends, strict=True))}

    def __str__(self) -> str:
        rows = [["n", "error", f"{self.exponent.level:.0%} interval", "exponent to the next"]]
        for k, (n, e) in enumerate(zip(self.n, self.error, strict=True)):
            interval = Interval(float(e), float(self.low[k]), float(self.high[k]), self.exponent.level)
            shown, _, ends = str(interval).partition(" ")
            if e <= self.zero:
                shown, ends = "0", ""
            following = str(self.local_exponents[k]) if k < len(self.local_exponents) else ""
            rows.append([f"{n:,.0f}" if n == round(n) else f"{n:.4g}", shown, ends, following])
        lines = aligned(rows)
        for name, score in self.scores.items():
            lines.append(f"{name:<16}  held-out score {score:8.1f}, typical miss {self.misses[name]:.1%}")
        return "\n".join([*lines, f"{self.verdict}: {self.status}"])


@np.errstate(all="ignore")
def curve_shape(
    n: ArrayLike,
    error: ArrayLike,
    *,
    std_error: ArrayLike | None = None,
    zero: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> CurveShape:
    """Decide whether a learning curve is a power law, bends, or falls off a cliff; or that it's not decided.

    Parameters
    ----------
    n
        (runs,) sizes, > 0; equal ones are draws of one cell.
    error
        (runs,) errors, >= 0.
    std_error
        (runs,) standard errors of the errors, >= 0; those of zeros say how far they are told from more.
        By default the draws of a cell tell them, or
        where no cell has several, the scatter around a smooth curve.
    zero
        Errors at most this are as good as 0.  By default 1e-12 (`errsrc.results.ROUNDING`) of the largest
        cell; where errors are counted on a test set give its resolution, 3 / size.
    level
        Of the intervals; a power law is called something else at most 1 - level of the time.
    seed
        Of the simulated null distribution and of the fits' starts.

    Returns
    -------
    CurveShape

    Raises
    ------
    ValueError, TypeError
        For arrays that are not numbers, not of one length, negative or not finite.

    Notes
    -----
    *Power law or not.*  The power law fitted to the smaller cells predicts the h largest, for every h that
    leaves three; and it is compared, leaving each cell out in turn, with one whose exponent may change
    with n.  The larger of both statistics, in units of the noise, is set beside its distribution under
    a true power law of the same cells, simulated (it depends on neither amplitude, exponent nor noise;
    with a floor to first order).  *Bend or cliff.*  The candidates are fitted without each
    cell in turn, and without the largest; what they miss there is scored by Student's t density with
    4 degrees of freedom.  A bend slower than the candidate's looks like a cliff from n = 0 on; so a cliff is
    to have an exponent before it that is surely above 0, or one between two cells surely above 3
    (`LARGEST_BEND`).
    *Zero.*  Where the largest cells are zero (by their median), a cliff is a power
    law's failure to get there: one of exponent 8 through the last cell above, or the one fitted to these.

    About 0.25 s of one core for 8 cells; `benchmarks/shape.py` has the rates of right and wrong verdicts.

    Examples
    --------
    >>> n = 100 * 2.0 ** np.arange(8)
    >>> wiggle = np.exp(0.03 * np.cos(np.arange(8) ** 2))
    >>> found = curve_shape(n, 2 * n**-0.4 * wiggle)
    >>> print(found.verdict, found.exponent)
    power law 0.402 [0.385, 0.419]
    >>> print(curve_shape([25, 50, 100, 200, 400], [0.75, 0.49, 1e-28, 2e-29, 1e-29]).status)
    At n = 50 the error is 0.49, from n = 100 on 0 within 7.5e-13: no power law up to exponent 8 gets there.
    """
    level = checks.number(level, "level", "curve_shape", 0.0, 1.0, open_low=True, open_high=True)
    seed = checks.integer(seed, "seed", "curve_shape", 0)
    sizes, errors, spread = _checked(n, error, std_error)
    values, group, runs = np.unique(sizes, return_inverse=True, return_counts=True)
    medians = np.array([np.median(errors[group == k]) for k in range(len(values))])
    nought = (
        ROUNDING * float(medians.max()) if zero is None else checks.number(zero, "zero", "curve_shape", 0.0)
    )
    above = len(values)
    while above and medians[above - 1] <= nought:
        above -= 1
    if std_error is not None and above < len(values):  # what may be 0 by chance is not told from 0
        doubt = float(special.ndtri((1 + level) / 2) * np.atleast_1d(std_error)[group >= above].max())
        nought = max(nought, doubt)
        while above and medians[above - 1] <= nought:
            above -= 1
    rows = group < above
    least = max(nought, float(errors[errors > 0].min(initial=1.0)) if nought == 0 else 0.0)
    logs = np.log(np.maximum(errors, least))
    known = None if spread is None else spread[rows]
    cells = cells_of(np.log(values[:above]), group[rows], logs[rows], known)
    quantile = cells.quantile(level)
    deviation = cells.deviation
    low, high = np.exp(cells.y - quantile * deviation), np.exp(cells.y + quantile * deviation)
    local = cells.local_exponents(level)
    mean = np.exp(cells.y)
    if 0 < above < len(values) and nought > 0:
        bound = float(np.log(mean[-1] / nought) / np.log(values[above] / values[above - 1]))
        local.append(Interval(bound, bound, math.inf, level))
    zeros = np.zeros(len(values) - above)
    found = _Found("not decided", "")
    if not above:
        found = _Found("not decided", f"Every cell's error is 0 within {nought:.2g}.")
    elif (medians[:above] <= nought).any():
        back = values[:above][medians[:above] <= nought][0]
        found = _Found("not decided", f"The error is 0 at n = {back:g}, and above it at larger n.")
    elif above < len(values):
        found = _to_zero(cells, values, above, int(runs[above:].sum()), nought, level)
    elif above < FEWEST["power law"]:
        few = f"Cells that tell a shape: {above}; at least {FEWEST['power law']} are needed."
        found = _Found("not decided", few)
    weights = None if known is None else 1 / (known**2 + LOG_ERROR_TOLERANCE**2)
    compared, p_value = Compared({}, {}, {}, None), math.nan
    if not found.status:
        compared = compare(cells, seed)
        found, p_value = _decide(
            cells, compared, np.exp(cells.x)[group[rows]], np.exp(logs[rows]), weights, level, seed
        )
    return CurveShape(
        verdict=found.verdict,
        status=found.status,
        exponent=found.exponent or cells.slope(level),
        exponent_after=found.exponent_after,
        threshold=found.threshold,
        local_exponents=tuple(local),
        scores=compared.scores,
        misses=compared.misses,
        p_value=p_value,
        laws=compared.laws,
        n=values,
        error=np.concatenate([mean, zeros]),
        low=np.concatenate([low, zeros]),
        high=np.concatenate([high, zeros + nought]),
        runs=runs,
        zero=nought,
    )


class _Found(NamedTuple):
    """What was decided, and on what."""

    verdict: str
    status: str
    exponent: Interval | None = None
    exponent_after: Interval | None = None
    threshold: Interval | None = None


def _checked(
    n: ArrayLike, error: ArrayLike, std_error: ArrayLike | None
) -> tuple[Array, Array, Array | None]:
    """Return n, error and the errors' relative standard errors (None for none); refuse what can't be used."""
    sizes = np.atleast_1d(checks.positive_array(n, "n", "curve_shape"))
    errors = _not_negative(error, "error")
    spread = None if std_error is None else _not_negative(std_error, "std_error")
    for name, array in {"n": sizes, "error": errors, "std_error": spread}.items():
        if array is not None and (array.ndim != 1 or array.shape != errors.shape or not array.size):
            accepted = "a one-dimensional array, not empty, as long as error"
            raise ValueError(checks.refusal(name, "curve_shape", accepted, f"<shape {array.shape}>"))
    if spread is not None:
        spread = np.divide(spread, errors, out=np.zeros_like(errors), where=errors > 0)
    return sizes, errors, spread


def _not_negative(value: ArrayLike, name: str) -> Array:
    accepted = "an array of finite numbers >= 0"
    try:
        raw = np.atleast_1d(np.asarray(value))
    except Exception:  # ragged lists
        raise TypeError(checks.refusal(name, "curve_shape", accepted, value)) from None
    if raw.dtype.kind not in "iuf":
        raise TypeError(checks.refusal(name, "curve_shape", accepted, value))
    array = raw.astype(np.float64)
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        raise ValueError(checks.refusal(name, "curve_shape", accepted, float(array[bad].flat[0])))
    return array


def _to_zero(cells: CurveCells, values: Array, above: int, seen: int, nought: float, level: float) -> _Found:
    """Decide about a curve whose largest cells are at zero."""
    before, after, e = float(values[above - 1]), float(values[above]), float(np.exp(cells.y[-1]))
    threshold = Interval(after, before, after, level)
    where = f"At n = {before:g} the error is {e:.2g}, from n = {after:g} on 0 within {nought:.2g}"
    if seen < 2 or above < 2:
        short = "above 0" if above < 2 else "at 0"
        return _Found("not decided", f"{where}: one {'cell' if above < 2 else 'run'} {short} is too few.")
    if e * (before / after) ** STEEPEST > nought:
        text = f"{where}: no power law up to exponent {STEEPEST:g} gets there."
        return _Found("cliff", text, threshold=threshold)
    if above >= 3 and (cells.df > 0 or above >= FEWEST["power law"]):
        coefficients, covariance = cells.fitted(1)
        ahead = np.array([1.0, math.log(after) - cells.x.mean()])
        reach = math.sqrt(ahead @ covariance @ ahead + cells.noise[-1])
        predicted = float(ahead @ coefficients)
        least = math.exp(predicted - cells.quantile(level) * reach)
        reached = f"the power law through the {above} cells above predicts {math.exp(predicted):.2g} there"
        if least > nought:
            return _Found("cliff", f"{where}; {reached}, at least {least:.2g}.", threshold=threshold)
        return _Found("not decided", f"{where}; {reached}, at least {least:.2g}: it may be in reach.")
    return _Found(
        "not decided", f"{where}: {above} cells above 0 do not tell whether a power law gets there."
    )


def _decide(
    cells: CurveCells,
    compared: Compared,
    n: Array,
    error: Array,
    weights: Array | None,
    level: float,
    seed: int,
) -> tuple[_Found, float]:
    """Decide about a curve above zero; n, error, weights are its runs.  Return the p-value too."""
    straight = cells.slope(level)
    basis = cells.basis(1)
    residual = cells.y - basis @ cells.fitted(1)[0]
    p_value, floored = chance(cells, basis, residual, seed), False
    if p_value < 1 - level and (tangent := compared.tangent) is not None:
        with_floor = chance(cells, *tangent, seed)
        p_value, floored = max(p_value, with_floor), with_floor > p_value
    missed = f"(p = {p_value:.2g})" if p_value >= 0.001 else "(p < 0.001)"
    if p_value >= 1 - level:
        if straight.low <= 0:
            text = f"The error does not measurably fall: exponent {straight}."
            return _Found("not decided", text), p_value
        _, covariance = cells.fitted(2)
        change = 2 * cells.quantile(level) * math.sqrt(covariance[2, 2]) * float(np.ptp(cells.x))
        if not floored and change > max(straight.estimate, 0.1):
            text = f"Too noisy: a change of the exponent {straight} by {change:.2g} would not be seen."
            return _Found("not decided", text), p_value
        exponent, what, scores = straight, "throughout", compared.scores
        if floored or scores.get("power law, floor", -math.inf) > scores["power law"]:
            exponent, _, _ = described("power law, floor", "alpha", "c_inf", n, error, weights, level, seed)
            what = "with a floor" if floored else "if there is a floor, which these cells leave open"
        text = f"Exponent {exponent} {what}; it predicts the held-out cells within the noise {missed}."
        if floored and scores.get("bend", -math.inf) > scores["power law, floor"] - MARGIN:
            text += " They do not tell the floor from a bend to a smaller exponent."
        return _Found("power law", text, exponent), p_value
    steeper = "more" if -2 * cells.fitted(2)[0][2] > 0 else "less"
    lead = f"A power law misses the held-out cells {missed}: the curve grows {steeper} steep"
    best = {
        family: max((s, name) for name, s in compared.scores.items() if name.startswith(family))
        for family in ("power law", "bend", "cliff")
        if any(name.startswith(family) for name in compared.scores)
    }
    if len(best) < 3:
        text = f"{lead}; {len(cells.x)} cells are too few to tell bend from cliff."
        return _Found("not decided", text), p_value
    order = sorted(best.values(), reverse=True)
    ahead = order[0][0] - order[1][0]
    first, second = order[0][1], order[1][1]
    if ahead < MARGIN or first.startswith("power law"):
        text = f"{lead}; but they favour {first} over {second} by {ahead:.1f} nats, which decides nothing."
        return _Found("not decided", text), p_value
    verdict = first.partition(",")[0]
    names = ("c0", "d1") if verdict == "bend" else ("alpha", "n_cliff")
    exponent, threshold, after = described(first, *names, n, error, weights, level, seed)
    text = f"{lead}; held-out cells favour {first} over {second} by {ahead:.1f} nats"
    what = f"from exponent {exponent} to {after} near n = {threshold}"
    if verdict == "cliff" and not exponent.determined:
        if max(one.low for one in cells.local_exponents(level)) <= LARGEST_BEND:
            why = f"exponent before it: {exponent}; between cells none is surely above {LARGEST_BEND:g}"
            return _Found("not decided", f"{text}, but a slow bend is not excluded ({why})."), p_value
        what = f"faster than any power law from n = {threshold} at the latest (exponent before: {exponent})"
    elif verdict == "cliff":
        what = f"exponent {exponent} up to n = {threshold}, then faster than any power law"
    text = f"{text}: {what}."
    return _Found(verdict, text, exponent, after, threshold), p_value
