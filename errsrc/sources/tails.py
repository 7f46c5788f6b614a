"""Heavy tails: whether a few draws make up most of a mean, so that its interval is unreliable.

A confidence interval of a mean assumes that the draws show the whole distribution.  If the distribution has a
heavy upper tail, rare draws carry a large part of the mean.  Most samples lack these draws.  Their mean is
then too low, and so is the whole interval.  An interval *holds* if it contains the mean about as often as its
level states.

The tail is described by the shape k of a generalized Pareto distribution that is fitted to the largest draws.
The mean is infinite for k >= 1, and the variance for k >= 1/2.  The estimator is by Zhang and Stephens (2009,
Technometrics 51, 316), as in Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao and Gabry
2024, Journal of Machine Learning Research 25(72)), which ArviZ uses.

Where the variance is finite but the draws are skewed, an interval of `errsrc.results.mean_ends` may still
contain the mean too rarely or too often.  A pool of further draws shows by how much.  The quantiles of
the t statistic in samples of the pool give the ends that contain the mean as often as the level says.  This
is the bootstrap-t interval, with quantiles from the pool instead of from the draws themselves.

The pool itself may lack rare large draws.  The shape k does not always show this: if only one draw in a
hundred is large, most of the draws from which k is estimated are not large.  The largest draw of the pool
shows more.  Its share is the excess of the largest draw over the median, divided by the sum of the excesses
of all draws above the median (`largest_share`).  If this share is larger than it usually is for a tail of the
largest allowed shape, no interval holds (`allowed_share`).  Pools of at least `LARGE_POOL` draws are not
judged by this share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from errsrc.results import ROUNDING, mean_statistic

LARGEST_SHAPE = 0.4
"""Largest shape k of the tail for which an interval of the mean may hold.

An estimated shape may be larger by its standard error, or by two standard errors if it comes from at least
`WIDENING_POOL` further draws, which say by how much to widen the interval.
"""

MOST_MISSES = 1.6
"""Largest share of intervals that may miss the mean, in units of the share that their level allows.

This applies to pools of fewer than `WIDENING_POOL` draws.  For 95% intervals, 92% or more must contain the
mean; then the intervals are made wider.
"""

WIDENING_POOL = 1024
"""Smallest number of further draws from which intervals may be made much wider."""

SAMPLES = 6144
"""Number of samples that are drawn from a pool, to count how many intervals contain its mean."""

LARGE_POOL = 4096
"""Smallest number of further draws in a large pool, which moves the ends of intervals without more draws."""

CLOSE = 0.12
"""Largest difference between a coverage and its level that is not corrected.

The unit is the share of intervals that may miss the mean.  For 95% intervals, a coverage of 94.4% to 95.6% is
not corrected.
"""

CLOSE_ABOVE = 0.3
"""Largest difference that is not corrected if the coverage is above its level, in a pool that is not large.

Such a pool has fewer than `LARGE_POOL` draws.  The unit is that of `CLOSE`.

For 95% intervals, a coverage of up to 96.5% is not corrected.
"""

LARGE_SHARES = 0.25
"""Share of pools with a tail of the shape `LARGEST_SHAPE` that `allowed_share` rejects."""

RESAMPLED_DRAWS = 2048
"""Largest size of the samples that are drawn from a pool; intervals over more draws get the same factors."""

SUGGESTED_DRAWS = 1000
"""Number of draws that the status of a budget suggests if its draws show a possible heavy tail, or if an
interval reaches much further up than down.
"""

LEAST_DRAWS = 20
"""Smallest number of draws whose tail is judged."""

LEAST_TAIL = 4
"""Smallest number of different draws in the tail."""

LEAST_SPREAD = 1e-9
"""Draws have no tail if the largest minus the smallest draw is at most this share of their mean."""


def tail_size(draws: int) -> int:
    """Return the number of largest draws that count as the tail: min(draws / 5, 3 sqrt(draws)), rounded up.

    Vehtari et al. (2024) recommend this number.

    Parameters
    ----------
    draws : int
        Number of draws.
    """
    return math.ceil(min(draws / 5, 3 * math.sqrt(draws)))


def allowed_share(draws: int) -> float:
    """Return the largest share of the largest draw of a pool for which an interval may hold.

    See `largest_share` for the definition of the share.

    Parameters
    ----------
    draws : int
        Number of draws in the pool, P, >= 1.

    Notes
    -----
    For a generalized Pareto distribution of shape k and scale 1, the largest of P draws is at most
    ((P / -ln(1 - q))^k - 1) / k with probability 1 - q, approximately.  The median is (2^k - 1) / k, and
    draws above the median exceed it by 2^k / (1 - k) on average.  The share then is at most
    2 (1 - k) / (k P) ((P / (-2 ln(1 - q)))^k - 1).  Here k is `LARGEST_SHAPE`, and q is `LARGE_SHARES`.

    Examples
    --------
    >>> print(f"{allowed_share(512):.3f} {allowed_share(4096):.3f}")
    0.083 0.025
    """
    k, scale = LARGEST_SHAPE, -2 * math.log(1 - LARGE_SHARES)
    return 2 * (1 - k) / (k * draws) * ((draws / scale) ** k - 1)


def largest_share(values: ArrayLike) -> float:
    """Return the largest excess over the median, as a share of the sum of all excesses over the median.

    Parameters
    ----------
    values : array_like of float, (draws,)
        Independent draws.  At least one of them is larger than their median.

    Examples
    --------
    >>> largest_share([0.0, 1.0, 2.0, 3.0, 8.0])
    0.8571428571428571
    """
    draws = np.asarray(values, dtype=np.float64)
    excess = np.maximum(draws - np.median(draws), 0.0)
    return float(excess.max() / excess.sum())


def pareto_shape(values: ArrayLike) -> float | None:
    """Return the shape k of a generalized Pareto distribution fitted to the largest values.

    Parameters
    ----------
    values : array_like of float, (draws,)
        Independent draws.

    Returns
    -------
    float or None
        The shape.  None if there are too few draws, if all draws are equal up to rounding, or if the tail has
        fewer than `LEAST_TAIL` different draws.

    Notes
    -----
    The method of Zhang and Stephens (2009) averages the shape over a grid of scales, weighted by their
    profile likelihood.  The weak prior that Vehtari et al. (2024) add is left out.

    Examples
    --------
    >>> uniform = (np.arange(1000) + 0.5) / 1000
    >>> print(f"{pareto_shape(uniform ** -0.5):.2f} {pareto_shape(-np.log(uniform)):.2f}")
    0.50 0.02
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    size = tail_size(len(ordered))
    if len(ordered) < LEAST_DRAWS:
        return None
    if ordered[-1] - ordered[0] <= LEAST_SPREAD * abs(ordered.mean()):
        return None
    excess = ordered[-size:] - ordered[-size - 1]
    excess = excess[excess > 0]
    if len(np.unique(excess)) < LEAST_TAIL:
        return None
    count = len(excess)
    grid = np.arange(1, 31 + int(math.sqrt(count))) - 0.5
    quartile = excess[int(count / 4 + 0.5) - 1]
    theta = 1 / excess[-1] + (1 - np.sqrt((30 + int(math.sqrt(count))) / grid)) / (3 * quartile)
    shapes = np.log1p(-theta[:, None] * excess).mean(1)
    rate = np.full_like(theta, 1 / excess.mean())  # the limit of -theta / shapes at theta = 0
    np.divide(-theta, shapes, out=rate, where=shapes != 0)
    likelihood = count * (np.log(rate) - shapes - 1)
    weights = np.exp(likelihood - likelihood.max())
    mean_theta = float((weights * theta).sum() / weights.sum())
    return float(np.log1p(-mean_theta * excess).mean())


@dataclass(frozen=True)
class Tail:
    """Whether an interval of a mean over draws can be trusted.

    Attributes
    ----------
    shape : float or None
        Shape k of the tail, see `pareto_shape`.
    coverage : float or None
        Estimated share of intervals that contain the mean.  For the estimate, many samples are taken from a
        large set of further draws, the *pool*.  The estimate is the share of samples whose interval contains
        the mean of the pool.  None if there is no pool.
    holds : bool
        Whether an interval may be stated.
    clear : bool
        Whether other draws would very probably lead to the same decision.
    stretch : (float, float)
        Factors of Student's quantile for the lower and for the upper end of the interval, see
        `errsrc.results.mean_ends`.  With these factors, the intervals contain the mean of the pool as often
        as their level says, and miss it equally often on both sides.
    judged_draws : int
        Number of draws from which the shape was estimated.
    by_pool : bool
        Whether the shape was estimated from further draws.  If True, the shape does not change if the budget
        has more draws.
    share : float or None
        Share of the largest draw of the pool, see `largest_share`, if it is larger than `allowed_share`.
    """

    shape: float | None
    coverage: float | None
    holds: bool
    clear: bool = True
    stretch: tuple[float, float] = (1.0, 1.0)
    judged_draws: int = 0
    by_pool: bool = False
    share: float | None = None

    @property
    def shape_error(self) -> float:
        """Standard error of the shape; 0 without a shape."""
        return 0.0 if self.shape is None else shape_error(self.shape, self.judged_draws)

    @property
    def is_unclear(self) -> bool:
        """Whether more further draws may change the interval, or the decision whether to state it."""
        plain = self.holds and self.stretch == (1.0, 1.0)
        light = self.shape is None or self.shape <= LARGEST_SHAPE
        return not self.clear and not (plain and light)

    @property
    def heavy(self) -> bool:
        """Whether the shape is significantly larger than `LARGEST_SHAPE`.

        The difference must be more than one standard error, or more than two for at least `WIDENING_POOL`
        further draws.
        """
        errors = 2 if self.by_pool and self.judged_draws >= WIDENING_POOL else 1
        return self.shape is not None and self.shape - errors * self.shape_error > LARGEST_SHAPE

    def reason(self, level: float, draws: int) -> str:
        """Return why there is no interval, and whether more draws may give one.

        Parameters
        ----------
        level : float
            Coverage that an interval would state, in (0, 1).
        draws : int
            Number of draws from which the interval would be computed.
        """
        shape = f"Pareto shape k = {self.shape:.2g} ± {self.shape_error:.2g}, intervals need k <= 0.4"
        if self.share is not None:
            share = f"{self.share:.1%} of the sum by which draws exceed their median"
            return (
                "few draws carry the mean, and more draws may not help: the largest of "
                f"{self.judged_draws:,} further draws has {share}, intervals need at most "
                f"{allowed_share(self.judged_draws):.1%}"
            )
        if self.coverage is not None and not self.heavy:
            share = f"{self.coverage:.0%} of the cases"
            return f"with {draws:,} draws, a {level:.0%} interval would hold in {share}"
        if self.by_pool:
            known = f"{self.judged_draws:,} further draws show a heavy tail ({shape})"
            return f"few draws carry the mean, and more draws may not help: {known}"
        hint = f"; try draws={SUGGESTED_DRAWS}" if draws < SUGGESTED_DRAWS else ""
        return f"{draws:,} draws show a possible heavy tail ({shape}){hint}"

    @property
    def mirrored(self) -> Tail:
        """The judgement of the draws multiplied by -1: the lower and the upper end change places."""
        return replace(self, stretch=self.stretch[::-1])


def judged_by_pool(pool: NDArray[np.float64], draws: int, level: float, bounded: bool = False) -> Tail:
    """Return a `Tail` that says whether intervals of a mean can be trusted, judged by further draws.

    Samples of the size `draws` are taken from the pool.  The intervals of the sample means that contain the
    mean of the pool are counted.  If the number of these intervals is not what the level says, the ends of
    the interval are moved (`Tail.stretch`).

    There are three reasons for which no interval holds:

    - The tail is heavy (`Tail.heavy`).  Samples of a heavy tail lack the largest draws, so that the count is
      too favourable.
    - The pool has fewer than `WIDENING_POOL` draws, and more than `MOST_MISSES` times the allowed share of
      intervals miss the mean.
    - The pool has fewer than `LARGE_POOL` draws, and one draw has a large share of it (`allowed_share`), so
      that the mean would differ much between pools.

    Parameters
    ----------
    pool : ndarray of float64, (P,)
        Further independent draws.
    draws : int
        Number of draws from which an interval is computed.
    level : float
        Coverage that the interval states, in (0, 1).
    bounded : bool
        Whether the draws have known bounds, such as error rates.  Such draws have no tail.  Their intervals
        always hold, and the pool only moves the ends.
    """
    shape, size = None if bounded else pareto_shape(pool), len(pool)
    if shape is None and not (bounded and np.ptp(pool) > LEAST_SPREAD * abs(pool.mean())):
        return Tail(None, None, True)
    found = Tail(shape, None, bounded, judged_draws=size, by_pool=True)
    statistic = _statistic_of_samples(pool, draws, level)
    coverage = float((np.abs(statistic) <= 1).mean())
    stretch = _stretch(statistic, coverage, draws, size, level)
    too_heavy = -math.inf if shape is None else (shape - LARGEST_SHAPE) / (2 * found.shape_error)
    clear = too_heavy <= -1 if stretch == (1.0, 1.0) else size >= LARGE_POOL or too_heavy >= 1
    found = replace(found, coverage=coverage, clear=clear)
    if stretch is None:
        return found
    if bounded:
        return replace(found, stretch=stretch)
    if found.heavy or (size < WIDENING_POOL and 1 - coverage > MOST_MISSES * (1 - level)):
        return found
    share = largest_share(pool)
    if size < LARGE_POOL and share > allowed_share(size):
        return replace(found, share=share, clear=False)
    return replace(found, holds=True, stretch=stretch)


def _stretch(
    statistic: NDArray[np.float64], coverage: float, draws: int, size: int, level: float
) -> tuple[float, float] | None:
    """Return the factors by which a pool moves the ends of intervals; None if they are infinite.

    `statistic` is the t statistic of samples of `draws` draws from a pool of `size` draws, and `coverage` the
    share of the samples whose intervals contain the mean.

    The mean of a small pool has an error.  If the draws have few different values, such as error rates, this
    error decides whether the intervals of many equal samples contain the mean.  Therefore a small pool makes
    intervals narrower only as far as its quantiles remain right with a random error of its mean.
    """
    missing = (level - coverage) / (1 - level)
    if -(CLOSE if size >= LARGE_POOL else CLOSE_ABOVE) <= missing <= CLOSE:
        return 1.0, 1.0
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(statistic, tails)
    if missing < 0 and size < LARGE_POOL:
        error = math.sqrt(draws / size) / float(stdtrit(draws - 1, (1 + level) / 2))
        shifts = np.random.default_rng(1).standard_normal(len(statistic))
        shifted = np.quantile(statistic + error * shifts, tails)
        low, high = max(min(low, -1.0), shifted[0]), min(max(high, 1.0), shifted[1])
    return (float(high), -float(low)) if np.isfinite([low, high]).all() else None


def _statistic_of_samples(pool: NDArray[np.float64], draws: int, level: float) -> NDArray[np.float64]:
    """Return the t statistic of samples of a pool, see `errsrc.results.mean_statistic`; it has no finite
    value if the draws of a sample are all equal.
    """
    draws = min(draws, RESAMPLED_DRAWS)
    rng, mean, found = np.random.default_rng(0), float(pool.mean()), []
    together = max(1, 10**6 // draws)
    for start in range(0, SAMPLES, together):
        samples = pool[rng.integers(0, len(pool), (min(together, SAMPLES - start), draws))]
        varied = np.ptp(samples, axis=1) > 0
        statistic = np.where(samples[:, 0] < mean, -np.inf, np.inf)
        statistic[varied] = mean_statistic(samples[varied], mean, level)
        found.append(statistic)
    return np.concatenate(found)


def judged_by_draws(values: NDArray[np.float64], scale: float) -> Tail:
    """Return a `Tail` that says whether the interval of a mean can be trusted, judged by its draws alone.

    The shape of the tail is uncertain for few draws.  Therefore the interval is rejected only if the shape
    exceeds `LARGEST_SHAPE` by more than its standard error, (1 + k) / sqrt(size of the tail) (Smith 1987,
    Annals of Statistics 15, 1174).

    Parameters
    ----------
    values : ndarray of float64, (draws,)
        The draws.
    scale : float
        A value of the quantity's usual size.  Draws of at most `errsrc.results.ROUNDING` times this value may
        be rounding errors, and are not judged.
    """
    shape = None if np.abs(values).max() <= ROUNDING * scale else pareto_shape(values)
    if shape is None:
        return Tail(None, None, True)
    found = Tail(shape, None, True, judged_draws=len(values))
    return replace(found, holds=not found.heavy)


def shape_error(shape: float, draws: int) -> float:
    """Return the standard error of an estimated shape of a tail.

    Parameters
    ----------
    shape : float
        The estimate, see `pareto_shape`.
    draws : int
        Number of draws from which the shape was estimated.
    """
    return max(1 + shape, 0.5) / math.sqrt(tail_size(draws))
