"""The threshold n* of a learner, and the shape of its error on the way there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from errsrc import checks
from errsrc.conjecture.relative_errors import draw_errors, nyquist
from errsrc.curves.verdicts import CurveShape, curve_shape
from errsrc.learners import Learner
from errsrc.results import Interval, mean_interval
from errsrc.settings import Setting
from errsrc.settings.setting import Array

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
"""Default sizes of a curve, in units of n_Nyq."""

LARGEST = 10_000_000
"""The most examples of a curve."""

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
"""Relative errors that count as exact, by the learner's precision (DESIGN, section 4)."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """Where a learner becomes exact, if it does.

    Attributes
    ----------
    n_nyquist
        The least n at which it can be.
    tolerance
        The relative error that counts as exact.
    n_star
        The least n from which the median relative error stays at most the tolerance; inf where it does not
        up to the largest n looked at, which is then the interval's low end.  The ends are the largest n
        measured of which the median surely is above, and the least from which on it surely is not at any n
        measured, each n by a one-sided binomial test at the interval's level.
    errors
        Relative errors of each draw, (draws,), by n.
    shape
        Cliff, power law, bend or not decided, of the relative errors of the curve.
    status
        What was found, in a sentence.
    """

    n_nyquist: int
    tolerance: float
    n_star: Interval
    errors: dict[int, Array]
    shape: CurveShape
    status: str

    @property
    def ratio(self) -> Interval:
        """n* / n_Nyq."""
        one, base = self.n_star, self.n_nyquist
        return Interval(one.estimate / base, one.low / base, one.high / base, one.level)

    @property
    def n(self) -> Array:
        """Sizes measured, ascending, float64 (cells,)."""
        return np.array(sorted(self.errors), dtype=np.float64)

    @property
    def medians(self) -> Array:
        """Median relative error at each of `n`, float64 (cells,)."""
        return np.array([np.median(self.errors[n]) for n in sorted(self.errors)])

    def squared(self, n: int) -> Interval:
        """Return the relative squared error at n, a mean over draws: E|f^ - f|^2 / E|f|^2 for unit teachers.

        Each draw is divided by its own |f|^2, which for teachers of equal size is the ratio of expectations.
        """
        return mean_interval(self.errors[n] ** 2, self.n_star.level, 0.0)

    def __str__(self) -> str:
        return self.status


def threshold(
    setting: Setting,
    learner: Learner,
    *,
    n_nyquist: int | None = None,
    ratios: Sequence[float] = RATIOS,
    draws: int = 20,
    tolerance: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Threshold:
    """Find n*, the least n from which the median relative error over draws stays at most a tolerance.

    The curve at the given ratios comes first.  Between its last size above the tolerance and the next, n* is
    found by bisection; then sizes beyond it, up to twice n*, are looked at, and where one is above the
    tolerance the bisection goes on from there.

    Parameters
    ----------
    setting, learner
        The world, of the squared loss, and who learns in it.
    n_nyquist
        n_Nyq; by default as `nyquist` has it.
    ratios
        Sizes of the curve, in units of n_Nyq: two or more, > 0.
    draws
        Draws of teacher and nodes at each size, >= 5.
    tolerance
        The relative error that counts as exact; by default 1e-9, or 1e-3 for learners in float32.
    level
        Of the intervals.
    seed
        Root of the seed tree.

    Raises
    ------
    ValueError, TypeError
        For arguments out of range; of the learner and the setting, as they raise them.

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> from errsrc.learners import BandLeastSquares
    >>> from errsrc.settings import BandTeacher
    >>> found = threshold(BandTeacher(Torus(3)), BandLeastSquares(Torus(3)))
    >>> print(found.n_star, found.shape.verdict)
    7.0 [6.0, 7.0] cliff
    """
    where = "threshold"
    base = checks.integer(nyquist(setting) if n_nyquist is None else n_nyquist, "n_nyquist", where, 1)
    sizes = sizes_of(checks.positive_array(ratios, "ratios", where), base)
    if sizes[-1] > LARGEST:
        accepted = f"such that n is at most {LARGEST:,}"
        raise ValueError(checks.refusal("ratios", where, accepted, f"<n = {sizes[-1]:,}>"))
    if len(sizes) < 2:
        raise ValueError(checks.refusal("ratios", where, "two or more, of different sizes", ratios))
    checks.integer(draws, "draws", where, 5)
    if tolerance is None:
        tolerance = TOLERANCE[getattr(learner, "precision", "float64")]
    checks.number(tolerance, "tolerance", where, 0, open_low=True)
    checks.number(level, "level", where, 0, 1, open_low=True, open_high=True)
    found: dict[int, Array] = {}

    def exact(n: int) -> bool:
        if n not in found:
            found[n] = draw_errors(setting, learner, n, draws, seed)
        return bool(np.median(found[n]) <= tolerance)

    below = [n for n in sizes if not exact(n)]
    curve = shape_of(found, sizes, tolerance, level, seed)
    low = max(below, default=0)
    high = min((n for n in sizes if n > low), default=math.inf)
    if math.isinf(high):
        reached = Interval(math.inf, float(low), math.inf, level)
        median = float(np.median(found[low]))
        status = f"Not exact up to n = {low:,} ({low / base:.3g} n_Nyq), median relative error {median:.2g}."
        return Threshold(base, tolerance, reached, found, curve, f"{status} {curve.verdict.capitalize()}.")
    while True:
        high = int(high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if exact(middle) else (middle, high)
        ahead = sorted({high + step for step in (1, 2, 3)} | {math.ceil(high * r) for r in (1.25, 1.5, 2)})
        failed = [n for n in ahead if n <= sizes[-1] and not exact(n)]
        if not failed:
            break
        low = failed[-1]
        high = min(n for n in found if n > low and exact(n) and all(exact(k) for k in found if k > n))
    surely_above = [n for n in found if n < high and _surely(found[n] > tolerance, level)]
    unsure = [n for n in found if n >= high and not _surely(found[n] <= tolerance, level)]
    surely_not = [n for n in found if n >= high and n > max(unsure, default=0)]
    reached = Interval(
        float(high),
        float(max(surely_above, default=0)),
        float(min(surely_not, default=math.inf)),
        level,
    )
    status = (
        f"Exact from n = {high:,} on ({high / base:.3g} n_Nyq): the median relative error stays at most "
        f"{tolerance:g}. {curve.verdict.capitalize()}."
    )
    return Threshold(base, tolerance, reached, found, curve, status)


def sizes_of(ratios: ArrayLike, base: int) -> list[int]:
    """Return the sizes n of a curve, ascending and distinct, at ratios (count,) to n_Nyq, the ``base``."""
    return sorted({max(1, round(float(ratio) * base)) for ratio in np.atleast_1d(ratios)})


def shape_of(
    errors: Mapping[int, Array], sizes: Sequence[int], zero: float, level: float, seed: int
) -> CurveShape:
    """Return the shape of a curve of relative errors, all draws of each size (see `errsrc.curves.verdicts`).

    Parameters
    ----------
    errors
        {n: relative error of each draw, (draws,)}, at more sizes than those asked for.
    sizes
        Those of the curve.
    zero
        Relative errors at most this count as zero: the threshold's tolerance.
    level, seed
        Coverage of the intervals, in (0, 1); of the resampling.
    """
    runs = np.concatenate([errors[n] for n in sizes])
    return curve_shape(
        np.repeat(sizes, [len(errors[n]) for n in sizes]), runs, zero=zero, level=level, seed=seed
    )


def _surely(successes: np.ndarray[tuple[int], np.dtype[np.bool_]], level: float) -> bool:
    """Return whether more than half of all draws succeed, by a one-sided binomial test."""
    count = int(successes.sum())
    return bool(binomtest(count, len(successes), 0.5, "greater").pvalue <= 1 - level)
