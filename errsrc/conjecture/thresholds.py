"""The threshold n*, at and above which a learner is exact, and the shape of its learning curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Instance, Integer, Number, Optional, PositiveArray
from errsrc.conjecture.relative_errors import draw_errors
from errsrc.curves.verdicts import CurveShape, curve_shape
from errsrc.learners import Learner, as_learner
from errsrc.results import Interval, TabularResult, TextTable, mean_interval
from errsrc.settings import Setting
from errsrc.settings.setting import Array

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
"""Default sizes of a learning curve, divided by n_Nyq, the smallest n at which a learner can be exact."""

LARGEST = 10_000_000
"""Largest number of examples of a curve."""

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
"""Largest relative errors that count as exact, by the learner's precision."""


@dataclass(frozen=True, eq=False, repr=False)
class Threshold(TabularResult):
    """The smallest n such that a learner is exact at this n and at all larger n, if there is such an n.

    Attributes
    ----------
    n_nyquist : int
        The smallest n at which a learner can be exact.
    tolerance : float
        The relative error that counts as exact.
    n_star : Interval
        The threshold n*: the smallest measured n such that the median relative error is at most the tolerance
        at this n and at all larger measured n.  The low end is the largest measured n whose median is
        significantly above the tolerance; n* itself is larger.  The high end is the smallest measured n such
        that the medians at this n and at all larger measured n are significantly at most the tolerance.  A
        one-sided binomial test at the interval's level decides what is significant.  If the median is above
        the tolerance at the largest measured n, n* is inf and this n is the low end.
    errors : dict of int to ndarray of float64, (draws,)
        The keys are the measured n.  The values are the relative errors of all draws.
    shape : CurveShape
        The shape of the learning curve of relative errors: a cliff, a power law, or a bend.
    status : str
        The result, as a sentence.
    setting, learner : str
        The setting and the learner as text, shown in the figure; "" if they are not known.
    """

    n_nyquist: int
    tolerance: float
    n_star: Interval
    errors: dict[int, Array]
    shape: CurveShape
    status: str
    setting: str = ""
    learner: str = ""

    @property
    def ratio(self) -> Interval:
        """n* divided by n_Nyq, with its interval."""
        one, base = self.n_star, self.n_nyquist
        return Interval(one.estimate / base, one.low / base, one.high / base, one.level)

    @property
    def n(self) -> Array:
        """The measured n, ascending, float64 (sizes,)."""
        return np.array(sorted(self.errors), dtype=np.float64)

    @property
    def medians(self) -> Array:
        """Median over draws of the relative error, at each of the measured n, float64 (sizes,)."""
        return np.array([np.median(self.errors[n]) for n in sorted(self.errors)])

    def squared(self, n: int) -> Interval:
        """Return the mean over draws of the relative squared error |f^ - f|^2 / |f|^2 at one n.

        If all teachers f have the same norm, this mean is E|f^ - f|^2 / E|f|^2.

        Parameters
        ----------
        n : int
            One of the measured n.

        Returns
        -------
        Interval
            The mean over draws, with an interval at the level of `n_star`.
        """
        return mean_interval(self.errors[n] ** 2, self.n_star.level, 0.0)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return a dict of arrays over the measured n: "n", "median" (of the relative error) and "draws"."""
        draws = np.array([len(self.errors[n]) for n in sorted(self.errors)])
        return {"n": self.n, "median": self.medians, "draws": draws}

    def headline(self) -> str:
        """Return the status, which is one line."""
        return self.status

    def content(self) -> list[str | TextTable]:
        """Return the status."""
        return [self.status]


@checks.arguments(
    setting=Instance(Setting, "a setting"),
    n_nyquist=Optional(Integer(at_least=1)),
    ratios=PositiveArray(),
    draws=Integer(at_least=5),
    tolerance=Optional(Number(above=0)),
    level=LEVEL,
    seed=SEED,
)
def threshold(
    setting: Setting,
    learner: Learner | Any,
    *,
    n_nyquist: int | None = None,
    ratios: ArrayLike = RATIOS,
    draws: int = 20,
    tolerance: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Threshold:
    """Find n*, the smallest n from which on the median relative error is at most a tolerance.

    First the learning curve is measured at the sizes n that `ratios` gives.  Let a be the largest of these
    sizes whose median is above the tolerance, and b the next larger size.  Bisection finds n* between a and
    b.  Then more sizes up to twice n* are measured; larger n are measured only if `ratios` has them.  If the
    median at one of these sizes is above the tolerance, the bisection is repeated above this size.

    Parameters
    ----------
    setting : Setting
        A setting with the squared loss.
    learner : Learner, estimator or object with fit
        The learner, see `errsrc.learners.as_learner`.
    n_nyquist : int, optional
        The smallest n at which a learner can be exact, >= 1; by default the setting's own `n_nyquist`.
    ratios : array_like, (sizes,)
        Sizes of the learning curve divided by n_Nyq: two or more numbers > 0.
    draws : int
        Number of draws of teacher, inputs and labels at each size, >= 5.
    tolerance : float, optional
        The relative error that counts as exact, > 0; by default 1e-9, or 1e-3 for learners in float32.
    level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Seed from which all random streams are derived.

    Returns
    -------
    Threshold
        n* with its interval, the measured errors, and the shape of the learning curve.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, if neither the argument nor the setting gives `n_nyquist`, or if the
        learner or the setting raises one of these errors.

    Examples
    --------
    >>> from errsrc.bases import Torus
    >>> from errsrc.learners import BandLeastSquares
    >>> from errsrc.settings import BandTeacher
    >>> found = threshold(BandTeacher(Torus(3)), BandLeastSquares(Torus(3)))
    >>> print(found.n_star, found.shape.verdict)
    7.0 [6.0, 7.0] cliff
    """
    learner = as_learner(learner, "threshold")
    base = setting.n_nyquist if n_nyquist is None else n_nyquist
    if base is None:
        accepted = f"given, because n_nyquist of {type(setting).__name__} is not known"
        raise TypeError(checks.refusal("n_nyquist", "threshold", accepted, None))
    sizes = _checked_sizes(ratios, base)
    if tolerance is None:
        tolerance = TOLERANCE[getattr(learner, "precision", "float64")]
    measured = _Measured(setting, learner, draws, tolerance, seed)
    last_above = max((n for n in sizes if not measured.is_exact(n)), default=0)
    shape = curve_shape_of(measured.errors, sizes, tolerance, level, seed)
    if last_above == sizes[-1]:
        n_star = Interval(math.inf, float(last_above), math.inf, level)
        median = float(np.median(measured.errors[last_above]))
        status = (
            f"Not exact up to n = {last_above:,} ({last_above / base:.3g} n_Nyq), "
            f"median relative error {median:.2g}."
        )
    else:
        n_star = measured.interval(measured.smallest_exact(last_above, sizes), level)
        status = (
            f"Exact from n = {n_star.estimate:,.0f} on ({n_star.estimate / base:.3g} n_Nyq): "
            f"the median relative error stays at most {tolerance:g}."
        )
    status = f"{status} {shape.verdict.capitalize()}."
    names = {"setting": records.text(setting), "learner": records.text(learner)}
    return Threshold(base, tolerance, n_star, measured.errors, shape, status, **names)


def _checked_sizes(ratios: ArrayLike, base: int) -> list[int]:
    """Return the sizes of a curve; raise ValueError for a single size, or one that is too large."""
    sizes = curve_sizes(ratios, base)
    if sizes and sizes[-1] > LARGEST:
        accepted = f"such that n is at most {LARGEST:,}"
        raise ValueError(checks.refusal("ratios", "threshold", accepted, f"<n = {sizes[-1]:,}>"))
    if len(sizes) < 2:
        accepted = "two or more, of different sizes"
        raise ValueError(checks.refusal("ratios", "threshold", accepted, np.ravel(ratios).tolist()))
    return sizes


@dataclass
class _Measured:
    """Relative errors at the sizes measured so far."""

    setting: Setting
    learner: Learner
    draws: int
    tolerance: float
    seed: int
    errors: dict[int, Array] = field(default_factory=dict)

    def is_exact(self, n: int) -> bool:
        """Return whether the median relative error at n is at most the tolerance; measure it if need be."""
        if n not in self.errors:
            self.errors[n] = draw_errors(self.setting, self.learner, n, self.draws, self.seed)
        return bool(np.median(self.errors[n]) <= self.tolerance)

    def smallest_exact(self, last_above: int, sizes: Sequence[int]) -> int:
        """Return the smallest n such that n and all larger measured sizes are exact."""
        low, high = last_above, min(n for n in sizes if n > last_above)
        while True:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self.is_exact(middle) else (middle, high)
            beyond = {high + step for step in (1, 2, 3)} | {math.ceil(high * r) for r in (1.25, 1.5, 2)}
            above = [n for n in sorted(beyond) if n <= sizes[-1] and not self.is_exact(n)]
            if not above:
                return high
            low = above[-1]
            high = min(n for n in self.errors if n > low and all(map(self.is_exact, self._from(n))))

    def _from(self, n: int) -> list[int]:
        return [size for size in self.errors if size >= n]

    def interval(self, n_star: int, level: float) -> Interval:
        """Return n* with its ends, see `Threshold.n_star`."""
        sure = {n: _surely_most(error <= self.tolerance, level) for n, error in self.errors.items()}
        surely_above = [
            n for n, error in self.errors.items()
            if n < n_star and _surely_most(error > self.tolerance, level)
        ]  # fmt: skip
        last_unsure = max((n for n in self._from(n_star) if not sure[n]), default=0)
        surely_exact = [n for n in self._from(n_star) if n > last_unsure]
        low, high = max(surely_above, default=0), min(surely_exact, default=math.inf)
        return Interval(float(n_star), float(low), float(high), level)


def curve_sizes(ratios: ArrayLike, base: int) -> list[int]:
    """Return the sizes n of a learning curve, in ascending order and without repetitions.

    Parameters
    ----------
    ratios : array_like, (count,)
        Sizes divided by n_Nyq.
    base : int
        The Nyquist number n_Nyq.

    Returns
    -------
    list of int
        The sizes, each >= 1.
    """
    return sorted({max(1, round(float(ratio) * base)) for ratio in np.atleast_1d(ratios)})


def curve_shape_of(
    errors: Mapping[int, Array], sizes: Sequence[int], zero: float, level: float, seed: int
) -> CurveShape:
    """Return the shape of the learning curve of relative errors, from all draws at each size.

    Parameters
    ----------
    errors : mapping of int to ndarray of float64, (draws,)
        The keys are sizes n.  The values are the relative errors of all draws.  Sizes that are not in `sizes`
        are ignored.
    sizes : sequence of int
        Sizes of the curve.
    zero : float
        The largest relative error that counts as zero: the tolerance of the threshold.
    level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Seed of the resampling.

    Returns
    -------
    CurveShape
        The shape, see `errsrc.curves.curve_shape`.
    """
    runs = np.concatenate([errors[n] for n in sizes])
    return curve_shape(
        np.repeat(sizes, [len(errors[n]) for n in sizes]), runs, zero=zero, level=level, seed=seed
    )


def _surely_most(successes: NDArray[np.bool_], level: float) -> bool:
    """Return whether more than half of all draws succeed, by a one-sided binomial test."""
    count = int(successes.sum())
    return bool(binomtest(count, len(successes), 0.5, "greater").pvalue <= 1 - level)
