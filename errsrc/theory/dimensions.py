"""The intrinsic dimension of a data set, and the exponents of learning curves that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

from errsrc import checks
from errsrc.checks import LEVEL, Integer, Number
from errsrc.extras import require
from errsrc.results import Interval, TabularResult, TextTable, interval_columns
from errsrc.theory.exponents import local_fit

Array = NDArray[np.float64]

_TIE = 1e-9  # if ln(r2 / r1) is smaller, the two distances are equal up to rounding

SHARED_NEIGHBOURS = 1.5
"""Variance of an estimate of the dimension, divided by its variance for independent ratios r2 / r1.

Neighbouring points share their neighbours, so that their ratios are not independent.  For normal points in 1
to 10 dimensions, the standard deviation of the estimate is 1.0 to 1.4 times that for independent ratios
(``python sims/exponents.py dimensions``).
"""


@dataclass(frozen=True, repr=False, eq=False)
class IntrinsicDimension(TabularResult):
    """The intrinsic dimension of a data set at several scales, see `intrinsic_dimension`.

    Attributes
    ----------
    dimension : Interval
        The dimension that is estimated from all points, which is the dimension at the smallest scale.
    sizes : ndarray of int64, shape (S,)
        Numbers of points of the subsamples, the largest first.
    dimensions : tuple of Interval
        The dimension at the scale of each size.
    duplicates : int
        Number of points that were left out because they are equal to another point.
    """

    dimension: Interval
    sizes: NDArray[np.int64]
    dimensions: tuple[Interval, ...]
    duplicates: int

    @property
    def nearest_neighbour(self) -> Interval:
        """The predicted exponent 2 / d of the squared loss of the nearest neighbour."""
        return self.exponent(0)

    @property
    def networks(self) -> Interval:
        """The predicted exponent 4 / d of the loss of networks that are piecewise linear functions."""
        return self.exponent(1)

    @checks.arguments(order=Integer(at_least=0), smallest=Number(above=0), largest=Number(above=0))
    def exponent(
        self, order: int, *, smallest: float | None = None, largest: float | None = None
    ) -> Interval:
        """Return the predicted exponent of a learner that fits polynomials through the nearest examples.

        The exponent is ``errsrc.theory.exponents.local_fit(d, order)``, which is 2 (order + 1) / d.

        Parameters
        ----------
        order : int
            Order of the polynomials, >= 0: 0 for the nearest neighbour, 1 for piecewise linear functions.
        smallest, largest : float, optional
            Smallest and largest number of examples of the learning curve.  Each is rounded to the nearest
            size of a subsample, and the exponent is the mean over the sizes from one to the other.  If only
            one of them is given, the other is the smallest or largest subsample.  If none is given, the
            exponent is that of `dimension`.

        Returns
        -------
        Interval
            The exponent.

        Raises
        ------
        ValueError
            If the order is negative, or if `smallest` is larger than `largest`.
        """
        used = [self.dimension]
        if smallest is not None or largest is not None:
            ends = [one for one in (smallest, largest) if one is not None]
            low = min(self.sizes.min(), *ends) if smallest is None else smallest
            high = max(self.sizes.max(), *ends) if largest is None else largest
            if low > high:
                accepted = f"at most largest, {high:g}"
                raise ValueError(
                    checks.refusal("smallest", "IntrinsicDimension.exponent", accepted, smallest)
                )
            far = np.abs(np.log(self.sizes[:, None] / [low, high]))
            last, first = far.argmin(0)
            used = list(self.dimensions[first : last + 1])
        power = local_fit(1, order)
        mean, low, high = (
            power * float(np.mean([1 / getattr(one, end) for one in used]))
            for end in ("estimate", "high", "low")
        )
        return Interval(mean, low, high, self.dimension.level)

    def columns(self) -> dict[str, Any]:
        """Return the dimension at each size, as arrays by name."""
        return {"n": self.sizes, **interval_columns("dimension", self.dimensions)}

    def headline(self) -> str:
        """Return the dimension and the predicted exponents in one line."""
        exponents = f"2/d {self.nearest_neighbour}, 4/d {self.networks}"
        return f"dimension {self.dimension} at n = {self.sizes[0]:,}, {exponents}"

    def content(self) -> Sequence[str | TextTable]:
        """Return the dimension and the exponents at each size."""
        rows = [["n", "dimension d", "2 / d", "4 / d"]]
        for size, found in zip(self.sizes, self.dimensions, strict=True):
            one = IntrinsicDimension(found, self.sizes, self.dimensions, 0)
            rows.append([f"{size:,}", str(found), str(one.nearest_neighbour), str(one.networks)])
        table = TextTable(rows, header=True)
        return [table, f"{self.duplicates:,} duplicates were left out."] if self.duplicates else [table]


@checks.arguments(
    smallest=Integer(at_least=20), discard=Number(at_least=0, at_most=0.9), level=LEVEL, seed=checks.SEED
)
def intrinsic_dimension(
    x: ArrayLike, *, smallest: int = 100, discard: float = 0.1, level: float = 0.9, seed: int = 0
) -> IntrinsicDimension:
    """Estimate the intrinsic dimension of a data set from the two nearest neighbours of each point.

    The method is that of Facco, d'Errico, Rodriguez and Laio 2017 (Scientific Reports 7, 12140).  Let r1 and
    r2 be the distances of a point to its nearest and its second nearest neighbour.  If the density of the
    points is constant up to the distance r2, then r2 / r1 > a with probability a^-d.

    The dimension of real data depends on the scale.  Therefore the data are also divided into two halves,
    into four quarters, and so on.  Neighbours are further apart in a smaller subsample.

    Parameters
    ----------
    x : array_like, shape (N, dim)
        Points.
    smallest : int
        Smallest number of points of a subsample, >= 20.
    discard : float
        Share of the ratios r2 / r1 that is censored, in [0, 0.9]: the largest ratios are counted, but their
        values are not used.
    level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Seed for the random order of the points, >= 0.

    Returns
    -------
    IntrinsicDimension
        The dimension at the scale of each size, and the predicted exponents.

    Raises
    ------
    TypeError, ValueError
        If `x` is not an array of finite numbers of shape (N, dim), has fewer than `smallest` different
        points, or if the two nearest neighbours of most points are at the same distance, as on a grid.
    errsrc.extras.MissingPackage
        If scikit-learn is not installed.

    Notes
    -----
    The estimate is the maximum of the likelihood of the ratios, where the largest ratios are censored.  For
    independent ratios, its inverse has a gamma distribution.  The interval uses this distribution with the
    number of ratios divided by `SHARED_NEIGHBOURS`.  It does not cover a change of the density within the
    distance r2: for 2,000 normal points in 10 dimensions, the estimates are 3% too small, and only 72% of 50
    intervals of level 90% contained 10.  In 1 to 5 dimensions, 84 to 96% of the intervals contained the
    dimension (``python sims/exponents.py dimensions``).

    Cost: about 2 N^2 dim operations for high-dimensional data.

    Examples
    --------
    A plane in ten dimensions:

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((2000, 2)) @ rng.standard_normal((2, 10))
    >>> print(intrinsic_dimension(x, smallest=1000))
        n        dimension d                 2 / d              4 / d
    2,000  1.97 [1.87, 2.07]  1.016 [0.968, 1.066]  2.03 [1.93, 2.14]
    1,000  2.04 [1.94, 2.14]  0.982 [0.936, 1.030]  1.96 [1.87, 2.06]
    """
    require("intrinsic_dimension", "sklearn")
    where = "intrinsic_dimension"
    try:
        points = np.asarray(x)
        if points.dtype.kind == "c":
            raise TypeError
        points = points.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(checks.refusal("x", where, "an array of numbers of shape (N, dim)", x)) from None
    if points.ndim != 2 or not np.isfinite(points).all():
        raise ValueError(checks.refusal("x", where, "an array of finite numbers of shape (N, dim)", x))
    distinct = np.unique(points, axis=0)
    if len(distinct) < smallest:
        accepted = f"an array of at least smallest = {smallest} different points"
        raise ValueError(checks.refusal("x", where, accepted, f"<{len(distinct)} different points>"))
    duplicates = len(points) - len(distinct)
    distinct = _scaled(distinct[np.random.default_rng(seed).permutation(len(distinct))])
    sizes, found, parts = [], [], 1
    while len(distinct) // parts >= smallest:
        sizes.append(len(distinct) // parts)
        logs = [_log_ratios(distinct[start::parts]) for start in range(parts)]
        ties = float(np.mean(np.concatenate(logs) < _TIE))
        if ties > 0.5:
            accepted = "points whose two nearest neighbours are at different distances"
            got = f"<equal distances for {ties:.0%} of the points, as on a grid>"
            raise ValueError(checks.refusal("x", where, accepted, got))
        found.append(_dimension(logs, discard, level))
        parts *= 2
    return IntrinsicDimension(found[0], np.array(sizes), tuple(found), duplicates)


def _scaled(points: Array) -> Array:
    """Return points with their centre at 0 and coordinates of at most 1: no square overflows."""
    points = points / np.maximum(np.abs(points).max(), np.finfo(float).tiny)
    points -= points.mean(0)
    return np.asarray(points / np.abs(points).max())


def _log_ratios(points: Array) -> Array:
    """Return ln(r2 / r1) for each point."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(return_distance=False)
    # from differences, because scikit-learn's distances in many dimensions lose the digits of near points
    distances = np.sort([np.linalg.norm(points - points[one], axis=1) for one in neighbours.T], axis=0)
    return np.asarray(np.log(distances[1] / distances[0]))


def _dimension(logs: Sequence[Array], discard: float, level: float) -> Interval:
    """Return the dimension by the ratios of several samples of points."""
    kept, total = 0, 0.0
    for one in logs:
        ascending = np.sort(one)
        number = len(one) - int(discard * len(one))
        kept += number
        total += float(ascending[:number].sum()) + (len(one) - number) * float(ascending[number - 1])
    independent = kept / SHARED_NEIGHBOURS
    low, high = (
        float(gammaincinv(independent, p)) * SHARED_NEIGHBOURS / total
        for p in ((1 - level) / 2, (1 + level) / 2)
    )
    return Interval((kept - 1) / total, low, high, level)
