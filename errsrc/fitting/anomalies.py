"""Checks of measured errors that no falling law describes: outliers, constants, peaks, falls to rounding.

Each function looks at the points of a fit.  Most functions return one sentence on what they found, or a mask
of rows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc.fitting.noise import local_scale, robust_scale
from errsrc.fitting.problem import Problem
from errsrc.laws.law import Array
from errsrc.results import Interval

FAR = 12.0
"""A row is far from a law if its residual exceeds this many robust standard deviations.

With D degrees of freedom the limit is FAR (1 + 4 / D).  Of 300 random fits each of a power law (7 to 40
points) and of the Chinchilla law (9 to 49 points), 0.2% had such a row under normal noise, and at most 1.5%
under noise with Student's t distribution of 3 degrees of freedom."""
SMALLEST_FAR = 0.1
"""Smallest residual of ln error of a row that is far from a law."""
LARGEST_FAR_SHARE = 0.25
"""Largest share of the rows that can be far: if it is more, the law is wrong and not the rows."""
LISTED_ROWS = 5
"""Number of rows that a sentence names with their sizes."""
LISTED_LABELS = 60
"""Number of rows that a sentence names if it gives only their places in the table."""
STEEPEST = 8.0
"""Largest exponent of a power law (the bound of `errsrc.laws.Power` and `errsrc.laws.Broken`)."""
DROP = 100.0
"""Smallest factor by which the error falls at a cliff from one size to the next."""
PEAK = 0.2
"""Smallest rise of ln error to a peak."""
PEAK_NOISE = 8.0
"""Smallest rise of ln error to a peak, in standard deviations of the difference of two cells.

Of 300 power laws with a floor, 8 to 20 sizes and 5% noise each, at most 0.3% had a peak under normal noise,
and at most 3.7% under noise with Student's t distribution of 3 degrees of freedom."""
CLEAR_RISE = 0.4
"""Smallest rise of ln error that a message names if the noise is not known."""
WRONG_WAY = 0.25
"""Largest sum of steps against the direction of a peak, as a share of its rise."""
SHAPE = "'errsrc shape' (errsrc.curve_shape)"
"""The command, and the function, that decide the shape of a curve, for messages."""
FLAT = "The error does not measurably fall"
"""Beginning of a warning that the error does not fall with the inputs of a law."""

ONE_SIDED = 0.975
"""Confidence with which an error must fall to fall measurably."""


def far_rows(problem: Problem, z: Array) -> NDArray[np.bool_]:
    """Return a mask of the rows that are farther from a law than noise explains, bool (points,).

    The law is fitted again under Huber losses whose threshold is the robust scale of the residuals.  Under
    these losses the far rows hardly move the law.  If all rows with equal inputs, or rows of two neighbouring
    sizes n, are far from the law on the same side, then the law is wrong there.  None of these rows is
    marked.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.
    """
    none = np.zeros(len(problem.error), dtype=bool)
    free = len(problem.free)
    degrees = len(problem.error) - free
    if degrees < 3 or "density" in problem.law.inputs:
        return none
    residual = robust_residual(problem, z)
    size = np.abs(residual) * _root_precision(problem)
    scale = float(np.median(np.sort(size)[free:])) / 0.6745  # the law passes through some rows exactly
    far = (size > FAR * (1 + 4 / degrees) * scale) & (np.abs(residual) > SMALLEST_FAR)
    if not far.any() or far.sum() > LARGEST_FAR_SHARE * len(far):
        return none
    return far & ~_systematic(problem, np.sign(residual) * far)


def all_far_rows(problem: Problem, z: Array) -> NDArray[np.bool_]:
    """Return a mask of the rows that are far from a law, including rows that farther rows hide.

    Rows that are far from the law hide rows that are less far.  Therefore `far_rows` is repeated without the
    rows that it has found, until it finds no further row, or until more than `LARGEST_FAR_SHARE` of all rows
    are found.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    z : ndarray of float64, shape (free,)
        Scaled coordinates of the solution of the problem.

    Returns
    -------
    ndarray of bool, shape (points,)
        The rows.
    """
    far = far_rows(problem, z)
    more = far
    while more.any():
        near, more = np.flatnonzero(~far), np.zeros_like(far)
        more[near] = far_rows(problem.of_rows(near), z)
        if (far | more).sum() > LARGEST_FAR_SHARE * len(far):
            break
        far = far | more
    return far


def drops_at_end(problem: Problem, residual: Array, far: NDArray[np.bool_]) -> bool:
    """Return whether the error at the largest n of a curve is far below the law.

    If it is, the rows at this n may be the beginning of a cliff instead of wrong rows.

    Parameters
    ----------
    problem : Problem
        The points.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).
    far : ndarray of bool, shape (points,)
        The rows that are far from the law.
    """
    if tuple(problem.law.inputs) != ("n",) or not (residual[far] > 0).any():
        return False
    n, low = problem.measured["n"], far & (residual > 0)
    return bool(low[n == n.max()].all())


def _root_precision(problem: Problem) -> Array:
    """Return the roots of the weights for least squares, where weights are precisions; 1 for Huber losses."""
    return np.ones(len(problem.error)) if problem.objective == "huber" else np.sqrt(problem.weights)


def robust_residual(problem: Problem, z: Array) -> Array:
    """Return ln (predicted / measured error) of a robust fit, float64 (points,).

    The fit minimises Huber losses whose threshold is the robust scale of the residuals, found by iteration.

    Parameters
    ----------
    problem : Problem
        The problem.
    z : ndarray of float64, shape (free,)
        Scaled coordinates at which the fit starts.
    """
    weights = _root_precision(problem) ** 2
    huber = dataclasses.replace(problem, objective="huber", prior=0.0, weights=weights)
    residual = huber.residuals(z[None, :], huber.error)[0][0]
    for _ in range(4):
        huber = dataclasses.replace(huber, huber_delta=max(robust_scale(residual, weights), 1e-9))
        found = huber.solve(z[None, :], iterations=60)
        if not np.isfinite(found.cost[0]):
            break
        z = found.z[0]
        residual = huber.residuals(z[None, :], huber.error)[0][0]
    return residual


def _systematic(problem: Problem, side: Array) -> NDArray[np.bool_]:
    """Return a mask of the rows whose whole cell or pair of neighbouring sizes is far on the same side.

    Parameters
    ----------
    problem : Problem
        The points.
    side : ndarray of float64, shape (points,)
        1 or -1 for rows that are far above or below the law, 0 for other rows.
    """
    keys = np.column_stack([problem.inputs[name] for name in problem.law.inputs])
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group)
    mean = np.bincount(group, side) / count
    whole = (np.abs(mean) == 1) & (count > 1)
    if len(problem.law.inputs) == 1:
        pairs = (mean[1:] * mean[:-1] == 1) & (np.abs(mean[1:]) == 1)
        whole[1:] |= pairs
        whole[:-1] |= pairs
    marked: NDArray[np.bool_] = whole[group] & (side != 0)
    return marked


def far_sentence(problem: Problem, far: NDArray[np.bool_], what: str) -> FarRows:
    """Return a sentence that names the rows that are far from a law.

    Parameters
    ----------
    problem : Problem
        The points.
    far : ndarray of bool, shape (points,)
        The rows.
    what : str
        The words that follow "far from", such as "the law, and were left out of the fit"; see `FarRows.of`.
    """
    names = (*problem.law.inputs, "error")
    points = [{name: float(problem.measured[name][i]) for name in names} for i in np.flatnonzero(far)]
    return FarRows.of(points, len(far), what)


class FarRows(str):
    """A warning that names rows far from a law.

    Attributes
    ----------
    points : list of dict of str to float
        The inputs and the error of each row.
    total : int
        Number of rows of the fit.
    what : str
        The text after "far from" in the warning, as it was given to `FarRows.of`.
    """

    points: list[dict[str, float]]
    total: int
    what: str

    @classmethod
    def of(cls, points: list[dict[str, float]], total: int, what: str, labels: Sequence[str] = ()) -> FarRows:
        """Return the warning that names the given rows.

        Parameters
        ----------
        points : list of dict of str to float
            The inputs and the error of each row.
        total : int
            Number of rows of the fit.
        what : str
            The words that follow "far from", such as "the law, and were left out of the fit".  Write them for
            several rows: for a single row, "and were" becomes "and was", "and pull" becomes "and pulls", and
            "their budgets" becomes "its budget".
        labels : sequence of str
            The label of each row in its table, such as "line 23"; () if the rows come from arrays.
        """
        named = [", ".join(f"{name} = {value:.6g}" for name, value in point.items()) for point in points]
        if LISTED_ROWS < len(labels) <= LISTED_LABELS:
            named = list(labels)
        elif labels:
            named = [f"{label} ({text})" for label, text in zip(labels, named, strict=True)]
        if len(named) > LISTED_ROWS and named != list(labels):
            named[LISTED_ROWS:] = [f"{len(named) - LISTED_ROWS} more"]
        end = what
        if len(points) == 1:
            end = what.replace("and were", "and was").replace("and pull", "and pulls")
            end = end.replace("their budgets", "its budget")
        verb = "is" if len(points) == 1 else "are"
        out = cls(f"{len(points)} of {total} rows {verb} far from {end}: {'; '.join(named)}.")
        out.points, out.total, out.what = points, total, what
        return out

    def labelled(self, inputs: Mapping[str, Array], error: Array, rows: Sequence[Any], unit: str) -> FarRows:
        """Return the same warning, with the label (such as the line number) that each row has in its table.

        Parameters
        ----------
        inputs : dict of str to ndarray of float64, shape (points,)
            Inputs of the rows of the table that are fitted.
        error : ndarray of float64, shape (points,)
            Errors of these rows.
        rows : sequence
            Labels of these rows.
        unit : str
            "line" or "row", the word that is written before each label; "" for no word.
        """
        columns = {**inputs, "error": error}
        labels = []
        for point in self.points:
            same = np.all(
                [columns[name] == value for name, value in point.items() if name in columns], axis=0
            )
            found = np.flatnonzero(np.broadcast_to(same, error.shape))
            if not found.size:
                return self
            labels.append(f"{unit} {rows[int(found[0])]}".strip())
        return FarRows.of(self.points, self.total, self.what, labels)


class SteepFall(NamedTuple):
    """A fall of the error that no power law with an exponent up to `STEEPEST` follows.

    Attributes
    ----------
    before, n : float
        The last size before the fall, and the first size after it.
    error_before, error : float
        The errors at these sizes.
    runs : int
        Number of runs after the fall.
    """

    before: float
    n: float
    error_before: float
    error: float
    runs: int

    @property
    def lead(self) -> str:
        """The fall in words, as the beginning of a sentence."""
        return f"The {self.along('n')}"

    def along(self, size: str) -> str:
        """Return the fall along a size in words, from the second word of a sentence on.

        Parameters
        ----------
        size : str
            Name of the size.
        """
        return (
            f"error falls from {self.error_before:.2g} at {size} = {self.before:g} to {self.error:.2g} at "
            f"{size} = {self.n:g}, faster than a power law of exponent {STEEPEST:g}"
        )

    @property
    def sentence(self) -> str:
        """Two sentences: what falls, which verdict follows, and what the user can do."""
        if self.runs > 1:
            return (
                f"{self.lead}: a cliff at n = {self.n:g}. {SHAPE} shows the evidence; to fit a law, leave "
                "out the rows that are 0 to rounding."
            )
        return (
            f"{self.lead}: a cliff at n = {self.n:g}, or a wrong row, as it is the only one there. Leave it "
            f"out, or ask {SHAPE}."
        )


def steep_fall(n: Array, error: Array, runs: NDArray[np.integer] | None = None) -> SteepFall | None:
    """Return the first fall of a learning curve that is steeper than any power law; None without a fall.

    The fall leads from one size to the next size.  A power law with the exponent `STEEPEST` through the
    median error before the fall lies above all median errors after the fall.  All median errors after the
    fall are also lower than the error before the fall by more than a factor of `DROP`.

    Parameters
    ----------
    n, error : ndarray of float64, shape (points,)
        Sizes > 0, and errors >= 0.
    runs : ndarray of int, shape (points,), optional
        Number of runs of each point; 1 by default.
    """
    counts = np.ones(len(n)) if runs is None else runs
    sizes, group = np.unique(n, return_inverse=True)
    if len(sizes) < 3:
        return None
    group = group.ravel()
    median = np.array([np.median(error[group == k]) for k in range(len(sizes))])
    logs, x = np.log(np.maximum(median, 5e-324)), np.log(sizes)
    for k in range(1, len(sizes)):
        fall = logs[k - 1] - logs[k:]
        if (fall > STEEPEST * (x[k:] - x[k - 1])).all() and fall.min() > math.log(DROP):
            ends = float(sizes[k - 1]), float(sizes[k]), float(median[k - 1]), float(median[k])
            return SteepFall(*ends, int(counts[group >= k].sum()))
    return None


class Peak(NamedTuple):
    """A peak of a learning curve.

    Attributes
    ----------
    start, n : float
        The size at which the error starts to rise, and the size at the peak.
    error_start, error : float
        Mean errors at these sizes.
    noise : float
        Standard deviation of the rise of ln error.
    """

    start: float
    n: float
    error_start: float
    error: float
    noise: float

    @property
    def lead(self) -> str:
        """The peak in words, as the beginning of a sentence."""
        rise = f"from {self.error_start:.3g} to {self.error:.3g}"
        return f"The error rises from n = {self.start:g} to n = {self.n:g}, {rise}"

    @property
    def sentence(self) -> str:
        """A sentence that states the peak, and that the law does not describe it."""
        return f"{self.lead}: the law does not describe this peak."


class _Rise(NamedTuple):
    """A rise of ln error along the sizes, and the sizes until the error is as low as before the rise."""

    start: int
    top: int
    inside: NDArray[np.intp]
    high: NDArray[np.intp]


def _largest_rise(y: Array, runs: NDArray[np.intp]) -> _Rise | None:
    """Return the largest rise of mean ln errors if it has the form of a peak; otherwise None."""
    if len(y) < 5:
        return None
    before = np.minimum.accumulate(y)[:-1]
    top = 1 + int(np.argmax(y[1:] - before))
    start = int(np.argmin(y[:top]))
    rise = float(y[top] - y[start])
    below = np.flatnonzero(y[top:] <= y[start])
    end = top + int(below[0]) if below.size else len(y)
    inside = np.arange(start + 1, end)
    high = inside[y[inside] > y[start] + rise / 3]
    if rise < PEAK or runs[high].sum() < 2:
        return None
    steps = np.diff(y[start:end])
    up = top - start
    if np.maximum(-steps[:up], 0).sum() + np.maximum(steps[up:], 0).sum() > WRONG_WAY * rise:
        return None
    return _Rise(start, top, inside, high)


def _what_hides_the_fall(n: Array, error: Array) -> str:
    """Return a sentence on the peak, or on the wrong row, because of which a curve does not fall; or "".

    Unlike `peak`, this function does not need the noise of the runs, which few runs do not determine.

    Parameters
    ----------
    n, error : ndarray of float64, shape (points,)
        Sizes and errors, > 0.
    """
    worst = int(np.argmax(error))
    if _falls_without(n, error, worst):
        return (
            f" Without the largest error, {error[worst]:.3g} at n = {n[worst]:g}, the error falls: this run "
            f"may have diverged. Leave it out, or ask {SHAPE}."
        )
    sizes, group, runs = np.unique(n, return_inverse=True, return_counts=True)
    y = np.bincount(group.ravel(), np.log(error)) / runs
    found = _largest_rise(y, runs)
    if found is None:
        return ""
    a, b = found.start, found.top
    if y[b] - y[a] < CLEAR_RISE or y[b] - y[-1] < (y[b] - y[a]) / 2:
        return ""
    return (
        f" The error rises from n = {sizes[a]:g} to n = {sizes[b]:g}, from {math.exp(y[a]):.3g} to "
        f"{math.exp(y[b]):.3g}, and falls after that: {SHAPE} shows whether this is a peak."
    )


def peak(n: Array, error: Array) -> Peak | None:
    """Return the highest peak of a learning curve; None if no peak is larger than the noise.

    A peak starts at the size with the smallest mean error of all sizes before its top.  The peak ends where
    the error is below this smallest error again, or at the largest size.  At least two runs, at one or more
    sizes, must have errors well above the error at the start.  The noise is estimated from the sizes outside
    the peak, and from repeated runs.

    Parameters
    ----------
    n, error : ndarray of float64, shape (points,)
        Sizes and errors, > 0.
    """
    sizes, group, runs = np.unique(n, return_inverse=True, return_counts=True)
    group = group.ravel()
    y = np.bincount(group, np.log(error)) / runs
    found = _largest_rise(y, runs)
    if found is None:
        return None
    a, b = found.start, found.top
    noise = _noise_outside(sizes, y, runs, group, np.log(error), found.inside)
    if noise is None:
        return None
    noise *= math.sqrt(1 / runs[a] + 1 / runs[found.high].sum())
    if y[b] - y[a] < PEAK_NOISE * noise:
        return None
    return Peak(float(sizes[a]), float(sizes[b]), float(np.exp(y[a])), float(np.exp(y[b])), noise)


def steep_fall_of_grid(inputs: Mapping[str, Array], error: Array) -> str | None:
    """Return a sentence on a fall of a grid that no power law follows, along n at one m, or along m at one n.

    If few errors lie above the fall, these rows may be runs that diverged, and the result is None.  The same
    holds if only one error lies below the fall.

    Parameters
    ----------
    inputs : dict of str to ndarray of float64, shape (points,)
        "n" and "m"; other inputs give None.
    error : ndarray of float64, shape (points,)
        Errors >= 0.
    """
    if set(inputs) != {"n", "m"} or error.max() <= DROP * error.min():
        return None
    for along, held in (("n", "m"), ("m", "n")):
        groups = {value: inputs[held] == value for value in np.unique(inputs[held]).tolist()}
        falls = {value: steep_fall(inputs[along][rows], error[rows]) for value, rows in groups.items()}
        found = [(value, fall) for value, fall in falls.items() if fall is not None]
        if sum(fall.runs for _, fall in found) > 1:
            value, fall = found[0]
            middle = math.sqrt(fall.error) * math.sqrt(fall.error_before)
            if np.mean(error > middle) <= LARGEST_FAR_SHARE:
                continue
            text = fall.along(along)
            return f"At {held} = {value:g}, the {text}. No law in n and m describes a fall to rounding."
    return None


def fall_and_peak(n: Array, error: Array, *, fall: bool = True) -> list[str]:
    """Return warnings about a steep fall and about a peak of a learning curve; [] if the curve has neither.

    Parameters
    ----------
    n, error : ndarray of float64, shape (points,)
        Sizes and errors, > 0.
    fall : bool
        Whether to look for a steep fall (`steep_fall`).  False for a law that has a cliff.
    """
    found = (steep_fall(n, error) if fall else None, peak(n, error))
    return [one.sentence for one in found if one is not None]


def _noise_outside(
    sizes: Array,
    y: Array,
    runs: NDArray[np.intp],
    group: NDArray[np.intp],
    logs: Array,
    inside: NDArray[np.intp],
) -> float | None:
    """Return the noise of one run from the sizes outside a peak, or from repeated runs; None without both."""
    scales = []
    extra = len(logs) - len(sizes)
    if extra >= 3:
        scales.append(math.sqrt(float(np.sum((logs - y[group]) ** 2)) / extra))
    outside = ~np.isin(np.arange(len(sizes)), inside)
    if outside.sum() >= 5:
        kept = outside[group]
        scales.append(local_scale(sizes[group][kept], np.exp(logs[kept])))
    return max(scales) if scales else None


def exponents(error: Array, inputs: Mapping[str, Array], level: float) -> dict[str, Interval]:
    """Fit a product of powers of all inputs to the errors by least squares, and return the exponents.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        Measured errors, > 0.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs > 0 by name.
    level : float
        Coverage of the intervals, in (0, 1).
    """
    basis = np.column_stack([np.ones(len(error)), *(np.log(x) - np.log(x).mean() for x in inputs.values())])
    y = np.log(error)
    inverse = np.linalg.pinv(basis)
    slopes = -inverse @ y
    degrees = max(len(y) - basis.shape[1], 1)
    scale = math.sqrt(float(np.sum((y + basis @ slopes) ** 2)) / degrees)
    half = special.stdtrit(degrees, (1 + level) / 2) * scale * np.linalg.norm(inverse, axis=1)
    return {
        name: Interval(float(slopes[k]), float(slopes[k] - half[k]), float(slopes[k] + half[k]), level)
        for k, name in enumerate(inputs, start=1)
    }


def flat_sentence(problem: Problem, residual: Array, far: NDArray[np.bool_] | None = None) -> str | None:
    """Return None, or a warning that the errors do not fall by more than their noise.

    The errors fall by more than their noise if the interval of an exponent is above 0, or if an F test shows
    that the law explains the errors better than chance does.

    Parameters
    ----------
    problem : Problem
        The problem that was solved.
    residual : ndarray of float64, shape (points,)
        ln (predicted / measured error).
    far : ndarray of bool, shape (points,), optional
        Rows to leave out.
    """
    if not set(problem.law.inputs) <= {"n", "m"}:
        return None
    kept = np.ones(len(residual), dtype=bool) if far is None else ~far
    error = problem.error[kept]
    inputs = {name: problem.inputs[name][kept] for name in problem.law.inputs}
    found = exponents(error, {k: x for k, x in inputs.items() if np.ptp(x) > 0}, 2 * ONE_SIDED - 1)
    if any(one.low > 0 for one in found.values()) or _explains(problem, residual[kept], error):
        return None
    if tuple(inputs) != ("n",):
        return flat_text(found)
    measured = {name: problem.measured[name][kept] for name in ("n", "error")}
    return flat_text(found) + _what_hides_the_fall(measured["n"], measured["error"])


def constant_sentence(problem: Problem) -> str | None:
    """Return a warning that all errors are equal up to rounding; None if the errors differ.

    Parameters
    ----------
    problem : Problem
        The points.
    """
    error = problem.measured["error"]
    if np.ptp(np.log(problem.error)) > 1e-9 or not set(problem.law.inputs) <= {"n", "m"}:
        return None
    names = " or ".join(problem.law.inputs)
    return f"{FLAT} with {names}: it is {float(error[0]):.6g} in every row."


def flat_text(found: Mapping[str, Interval]) -> str:
    """Return a sentence that says that the error does not measurably fall.

    Parameters
    ----------
    found : dict of str to Interval
        The exponents by input.
    """
    shown = ", ".join(str(one) if len(found) == 1 else f"{one} of {k}" for k, one in found.items())
    noun = "exponent" if len(found) == 1 else "exponents"
    hint = " If the values are accuracies, pass accuracy=True (--accuracy)."
    rising = all(one.estimate < 0 for one in found.values())
    said = f"{FLAT} with {' or '.join(found)}: {noun} {shown}."
    return said + (hint if rising else "")


def never_falls(problem: Problem) -> str | None:
    """Return None, or a warning that no falling law explains how the errors vary with n.

    No falling law fits better than the falling sequence that is nearest to the errors (isotonic regression).
    The warning is returned only if even this sequence explains neither the errors nor the ranks of the
    errors.  The ranks are tested, too, because a single far error hardly changes them.

    Parameters
    ----------
    problem : Problem
        The points.
    """
    if tuple(problem.law.inputs) != ("n",) or len(problem.error) < 4:
        return None
    sizes, group, runs = np.unique(problem.inputs["n"], return_inverse=True, return_counts=True)
    logs = np.log(problem.error)
    found = exponents(problem.error, {"n": problem.inputs["n"]}, 2 * ONE_SIDED - 1) if len(sizes) > 1 else {}
    if not found or found["n"].low > 0:
        return None
    from scipy.optimize import isotonic_regression  # slow to import, and needed for few tables

    for values in (logs, np.argsort(np.argsort(logs, kind="stable"), kind="stable").astype(np.float64)):
        means = np.bincount(group.ravel(), values) / runs
        nearest = -isotonic_regression(-means, weights=runs).x
        total = float(np.sum((values - values.mean()) ** 2))
        left = float(np.sum((values - nearest[group.ravel()]) ** 2))
        ratio = (total - left) / max(left / (len(values) - 2), 1e-300)
        if float(special.fdtrc(1, len(values) - 2, ratio)) < 2 * (1 - ONE_SIDED):
            return None
    if hiding_row(problem) is not None:
        return None
    return flat_text(found) + _what_hides_the_fall(problem.measured["n"], problem.measured["error"])


def hiding_row(problem: Problem) -> NDArray[np.bool_] | None:
    """Return a mask of the largest error of a curve that falls without this row; None for other points.

    Parameters
    ----------
    problem : Problem
        The points.
    """
    n, error = problem.measured.get("n"), problem.measured["error"]
    worst = int(np.argmax(error))
    if tuple(problem.law.inputs) != ("n",) or n is None or not _falls_without(n, error, worst):
        return None
    return np.arange(len(error)) == worst


def _falls_without(n: Array, error: Array, row: int) -> bool:
    """Return whether a curve falls without one row, whose error is far above the power law of the others."""
    rest = np.arange(len(error)) != row
    if rest.sum() < 5 or len(np.unique(n[rest])) < 3:
        return False
    if exponents(error[rest], {"n": n[rest]}, 2 * ONE_SIDED - 1)["n"].low <= 0:
        return False
    x, logs = np.log(n), np.log(error)
    above = logs - np.polyval(np.polyfit(x[rest], logs[rest], 1), x)
    return bool(above[row] > max(SMALLEST_FAR, FAR * float(np.std(above[rest]))))


def _explains(problem: Problem, residual: Array, error: Array) -> bool:
    """Return whether a law explains more of the variance of ln error than it would explain by chance."""
    logs, free = np.log(error), len(problem.free)
    degrees = len(logs) - free
    total, left = float(np.sum((logs - logs.mean()) ** 2)), float(np.sum(residual**2))
    if degrees < 1 or free < 2 or left >= total:
        return False
    ratio = (total - left) / (free - 1) / max(left / degrees, 1e-300)
    return float(special.fdtrc(free - 1, degrees, ratio)) < 2 * (1 - ONE_SIDED)
