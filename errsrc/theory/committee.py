"""The smallest error of any learner of committee machines with two hidden units, and of message passing."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, owens_t

from errsrc import checks
from errsrc.checks import Choice, Integer, PositiveArray
from errsrc.theory.spectrum import Array

OUTPUTS, WEIGHTS = ("sum", "product"), ("normal", "binary")
_SQRT2 = math.sqrt(2)
_START, _FOUND = 1e-2, 0.9999  # overlap of the start, and the overlap from which on the teacher is found
_MOST, _FINEST = 100.0, 0.005  # largest n / d, and smallest step of a grid
_STEPS, _TOLERANCE = 5000, 1e-9  # largest number of iterations, and change of the overlaps that ends them
_ALL_BUT_ONE = -2 * math.log(2)  # ln of the prior probability of a single binary teacher, divided by d


@dataclass(frozen=True, eq=False)
class CommitteeCurve:
    """Learning curves of committee machines, see `committee_machine`.

    Attributes
    ----------
    n : ndarray of float64, shape S
        Numbers of examples.
    smallest_error : ndarray of float64, shape S
        Expected 0-1 error of the Bayes predictor, the smallest of any learner.
    error : ndarray of float64, shape S
        Expected 0-1 error of message passing.
    overlap : ndarray of float64, shape S
        Mean product of a weight of the teacher and its estimate by message passing, for the same hidden unit.
    cross_overlap : ndarray of float64, shape S
        The same mean for two different hidden units.  While it equals `overlap`, message passing does not
        tell the two units apart.
    log_consistent : ndarray of float64, shape S
        Natural logarithm of the prior probability of all teachers that are consistent with the labels,
        divided by the number of inputs, at the fixed point of message passing.
    """

    n: Array
    smallest_error: Array
    error: Array
    overlap: Array
    cross_overlap: Array
    log_consistent: Array


@dataclass(frozen=True)
class CommitteeThresholds:
    """Numbers of examples per input at which the learning of a committee machine changes.

    See `committee_thresholds`.

    Attributes
    ----------
    specialised : float
        From here on, message passing tells the two hidden units apart.
    determined : float
        From here on, the teacher is the only one that is consistent with the labels; inf for normal weights,
        which no finite number of labels determines exactly.
    found : float
        From here on, message passing finds the teacher; inf for normal weights.
    """

    specialised: float
    determined: float
    found: float


@checks.arguments(n=PositiveArray(), dim=Integer(at_least=1), output=Choice(OUTPUTS), weights=Choice(WEIGHTS))
def committee_machine(
    n: ArrayLike, dim: int, *, output: str = "sum", weights: str = "normal"
) -> CommitteeCurve:
    """Return the smallest 0-1 error of any learner of committee machines, and the error of message passing.

    The teachers are networks with two hidden units of output sign.  Each hidden unit has d weights of mean 0
    and variance 1, and no bias.  The label is the sign of the sum of the two units (-1, 0 or 1), or their
    product (-1 or 1).  Labels have no noise, inputs are standard normal, and the learner knows how teachers
    are drawn.  The result is exact in the limit of large d with fixed n / d.

    Parameters
    ----------
    n : array_like of float
        Numbers of examples, in (0, 100 dim], of any shape S.
    dim : int
        Number of inputs d, >= 1.
    output : str
        "sum" or "product" of the two hidden units.
    weights : str
        "normal" or "binary", which are -1 or 1 with equal probability.

    Returns
    -------
    CommitteeCurve
        Errors and overlaps.  The computation takes 0.1 to 10 seconds for each n, longest near a threshold.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The overlaps are a fixed point of the state evolution of message passing (Aubin, Maillard, Barbier,
    Krzakala, Macris and Zdeborova 2018, arXiv 1806.05451), started at overlaps of 0.01.  In the coordinates
    w_s = (w_1 + w_2) / sqrt(2) and w_a = (w_1 - w_2) / sqrt(2) of the weights of both units, the matrix of
    overlaps is diagonal, with the entries q_s and q_a.  At a fresh input, message passing expects
    pre-activations omega_s and omega_a, which have the variances q_s and q_a over inputs.  Let Z(y) be the
    probability that message passing gives to the label y.  Then

        r_s = (n / d) E sum_y (dZ / domega_s)^2 / Z,      q_s = r_s / (1 + r_s),

    and the same for a.  The second equation holds for normal weights.  For binary weights, q_s is E [E(w_s |
    h)^2], where h are observations of w_s and w_a with normal noise of precisions r_s and r_a.  For binary
    weights, the smallest error is 0 as soon as the fixed point's share of consistent teachers is below 4^-d,
    the share of a single teacher.

    Examples
    --------
    >>> curve = committee_machine([100, 400], 100)
    >>> curve.error.round(3), curve.overlap.round(3), curve.cross_overlap.round(3)
    (array([0.419, 0.232]), array([0.24 , 0.824]), array([0.24 , 0.058]))
    """
    sizes = np.asarray(n, dtype=np.float64)
    if sizes.size and sizes.max() > _MOST * dim:
        accepted = f"at most {_MOST:g} dim = {_MOST * dim:g}"
        raise ValueError(checks.refusal("n", "committee_machine", accepted, float(sizes.max())))
    points = [_fixed_point(float(size) / dim, output, weights) for size in sizes.ravel()]
    overlaps = [((point.s + point.a) / 2, abs(point.s - point.a) / 2) for point in points]
    errors = [_error(point.s, point.a, output) if point.s < 1 else 0.0 for point in points]
    known = [weights == "binary" and point.log_consistent <= _ALL_BUT_ONE for point in points]
    columns = (
        [0.0 if certain else error for error, certain in zip(errors, known, strict=True)],
        errors,
        [mine for mine, _ in overlaps],
        [other for _, other in overlaps],
        [point.log_consistent for point in points],
    )
    return CommitteeCurve(sizes, *(np.array(column).reshape(sizes.shape) for column in columns))


@checks.arguments(output=Choice(OUTPUTS), weights=Choice(WEIGHTS))
@functools.lru_cache(maxsize=4)
def committee_thresholds(*, output: str = "sum", weights: str = "normal") -> CommitteeThresholds:
    """Return the numbers of examples per input at which the learning of a committee machine changes.

    Parameters
    ----------
    output : str
        "sum" or "product" of the two hidden units, see `committee_machine`.
    weights : str
        "normal" or "binary".

    Returns
    -------
    CommitteeThresholds
        The thresholds, exact in the limit of many inputs.  Their numerical error is below 0.001.  The
        computation takes a second for normal weights, and about 20 seconds for binary weights.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The method is that of Aubin et al. 2018, see `committee_machine`.  The first threshold is where the fixed
    point with q_a = 0 becomes unstable.  There n / d = 1 / (lambda mu), where lambda = E sum_y (d^2 Z /
    domega_a^2)^2 / Z at omega_a = 0, and mu = E [E(w_a^2 | h_s)^2] for an observation h_s of w_s.  For the
    product, lambda = (2 / pi)^2 and mu = 1, so that the threshold is pi^2 / 4.

    Examples
    --------
    >>> round(committee_thresholds().specialised, 3)
    2.052
    """
    specialised = math.pi**2 / 4 if output == "product" else brentq(_instability, 1.0, 3.0, (weights,), 1e-5)
    if weights == "normal":
        return CommitteeThresholds(specialised, math.inf, math.inf)

    def undetermined(ratio: float) -> float:
        return _fixed_point(ratio, output, weights).log_consistent - _ALL_BUT_ONE

    # for the product, labels below `specialised` are fair coins: each label halves the number of 4^d teachers
    determined = 2.0 if output == "product" else brentq(undetermined, 1.0, specialised, xtol=1e-4)
    low, high = specialised, 4.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        found = _fixed_point(middle, output, weights).s >= _FOUND
        low, high = (low, middle) if found else (middle, high)
    return CommitteeThresholds(specialised, determined, high)


def _instability(ratio: float, weights: str) -> float:
    """Return a number that is positive where the fixed point with q_a = 0 is unstable, for the sum."""
    point = _fixed_point(ratio, "sum", weights, apart=False)
    return ratio * _curvature(point.s) * _second_moment(point.precision_s, weights) - 1


class _Point(NamedTuple):
    """A fixed point: overlaps in the directions s and a, the precision along s, and `log_consistent`."""

    s: float
    a: float
    precision_s: float
    log_consistent: float


def _fixed_point(ratio: float, output: str, weights: str, *, apart: bool = True) -> _Point:
    """Return the fixed point of the overlaps at n / d = ratio; with `apart` False, the one with a = 0."""
    estimate = {"normal": _normal_weights, "binary": _binary_weights}[weights]
    s, a = _START, _START * apart
    for _ in range(_STEPS):
        labels = _labels(s, a, output)
        precisions = ratio * labels.s, ratio * labels.a * apart
        new_s, new_a, potential = estimate(*precisions)
        log_consistent = potential + ratio * labels.entropy - (precisions[0] * s + precisions[1] * a) / 2
        change = max(abs(new_s - s), abs(new_a - a))
        s, a = max(new_s, 1e-12), max(new_a, 1e-12) * apart
        if weights == "binary" and min(s, a) >= _FOUND:
            return _Point(1.0, 1.0, math.inf, _ALL_BUT_ONE)
        if change < _TOLERANCE:
            break
    return _Point(s, a, precisions[0], log_consistent)


class _Labels(NamedTuple):
    """The information of a label about two pre-activations, and the mean of its negative entropy."""

    s: float
    a: float
    entropy: float


def _labels(s: float, a: float, output: str) -> _Labels:
    """Return the information of a label at overlaps s and a.

    Sums over a grid of omega approximate the means.  Across the lines on which a unit changes its sign, Z
    changes over a normal distribution of variance 1 - (s + a) / 2.  Sums over steps of half of this standard
    deviation agree with finer sums to 1e-4.
    """
    step = min(0.2, max(math.sqrt(1 - (s + a) / 2) / 2, _FINEST))
    density, labels = _grid(s, a, output, step)
    in_s, in_a, entropy = 0.0, 0.0, 0.0
    for z, along_s, along_a in labels:
        safe = np.where(z > 1e-13, z, 1.0)
        in_s += float((density * along_s**2 * (z > 1e-13) / safe).sum())
        in_a += float((density * along_a**2 * (z > 1e-13) / safe).sum())
        entropy += float((density * z * np.log(safe)).sum())
    return _Labels(in_s, in_a, entropy)


def _error(s: float, a: float, output: str) -> float:
    """Return the 0-1 error of the most probable label.

    The grid is finer than that of `_labels`, because a maximum has kinks.
    """
    step = min(0.025, max(math.sqrt(1 - (s + a) / 2) / 4, _FINEST))
    density, labels = _grid(s, a, output, step)
    largest = functools.reduce(np.maximum, [z for z, _, _ in labels])
    return 1 - float((density * largest).sum())


def _grid(s: float, a: float, output: str, step: float) -> tuple[Array, list[Array]]:
    """Return a grid's probabilities, and Z of each label with its derivatives in omega_s and omega_a.

    Z does not change if omega_a changes its sign, and if omega_s changes its sign, the labels -1 and 1 are
    exchanged.  A quarter of the plane is therefore enough.
    """
    x, p = _normal_grid(step / 2, step)
    density, up, across = p[:, None] * p, math.sqrt(s) * x[:, None], math.sqrt(a) * x
    positive = _both_positive(up, across, 1 - s, 1 - a)
    negative = _both_positive(-up, across, 1 - s, 1 - a) * np.array([1, -1, 1])[:, None, None]
    equal = positive + negative
    other = np.array([1, 0, 0])[:, None, None] - equal
    return density, [equal, other] if output == "product" else [positive, negative, other]


def orthant(first: Array, second: Array, covariance: Array) -> Array:
    """Return the probability that two correlated normal numbers are positive, and its derivatives.

    Parameters
    ----------
    first, second : ndarray of float64
        Means of the two numbers, of shapes that broadcast to S.
    covariance : ndarray of float64, shape (2, 2)
        Their covariance.

    Returns
    -------
    ndarray of float64, shape (3,) + S
        The probability, computed with Owen's T, and its derivatives in the two means.
    """
    std_1, std_2 = math.sqrt(covariance[0, 0]), math.sqrt(covariance[1, 1])
    correlation = covariance[0, 1] / (std_1 * std_2)
    rest = math.sqrt(1 - correlation**2)
    h, k = np.broadcast_arrays(first / std_1, second / std_2)
    h, k = np.where(h == 0, 1e-300, h), np.where(k == 0, 1e-300, k)
    with np.errstate(over="ignore"):
        t = owens_t(h, (k / h - correlation) / rest) + owens_t(k, (h / k - correlation) / rest)
    probability = (ndtr(h) + ndtr(k)) / 2 - t - np.where((h > 0) == (k > 0), 0.0, 0.5)
    in_1 = np.exp(-h * h / 2) / (math.sqrt(2 * math.pi) * std_1) * ndtr((k - correlation * h) / rest)
    in_2 = np.exp(-k * k / 2) / (math.sqrt(2 * math.pi) * std_2) * ndtr((h - correlation * k) / rest)
    return np.stack([np.maximum(probability, 0.0), in_1, in_2])


def _both_positive(s: Array, a: Array, variance_s: float, variance_a: float) -> Array:
    """Return the probability that both units are positive, and its derivatives in the means s and a."""
    total, difference = (variance_s + variance_a) / 2, (variance_s - variance_a) / 2
    covariance = np.array([[total, difference], [difference, total]])
    z, in_1, in_2 = orthant((s + a) / _SQRT2, (s - a) / _SQRT2, covariance)
    return np.stack([z, (in_1 + in_2) / _SQRT2, (in_1 - in_2) / _SQRT2])


def _normal_weights(r_s: float, r_a: float) -> tuple[float, float, float]:
    """Return the overlaps of weights observed with two precisions, and their potential."""
    potential = (r_s - math.log1p(r_s) + r_a - math.log1p(r_a)) / 2
    return r_s / (1 + r_s), r_a / (1 + r_a), potential


def _binary_weights(r_s: float, r_a: float) -> tuple[float, float, float]:
    """Return what `_normal_weights` returns, for binary weights.

    Here (w_s, w_a) is (+-sqrt(2), 0) or (0, +-sqrt(2)).

    Values that differ in sign alone have equal terms.  Sums over a grid of the noise approximate means;
    where the weight is 0, half of the axis is enough.
    """
    step = min(0.2, 0.5 / math.sqrt(max(r_s, r_a, 1.0)))
    half, p_half = _normal_grid(step / 2, step)
    whole, p_whole = _normal_grid(-float(half[-1]), step)
    found = np.zeros(3)
    for in_s in (True, False):
        w_s, w_a = (_SQRT2, 0.0) if in_s else (0.0, _SQRT2)
        x, p_x = (whole, p_whole) if in_s else (half, p_half)
        y, p_y = (half, p_half) if in_s else (whole, p_whole)
        h_s = (r_s * w_s + math.sqrt(r_s) * x)[:, None]
        h_a = r_a * w_a + math.sqrt(r_a) * y
        log_s, log_a = _log_twice_cosh(_SQRT2 * h_s) - r_s, _log_twice_cosh(_SQRT2 * h_a) - r_a
        total = np.logaddexp(log_s, log_a)
        mean = np.exp((log_s if in_s else log_a) - total) * _SQRT2 * np.tanh(_SQRT2 * (h_s if in_s else h_a))
        found[0 if in_s else 1] = _SQRT2 * float(p_x @ mean @ p_y) / 2
        found[2] += float(p_x @ (total - math.log(4)) @ p_y) / 2
    return float(found[0]), float(found[1]), float(found[2])


def _normal_grid(start: float, step: float) -> tuple[Array, Array]:
    """Return points from `start` to 7 and their probabilities, which are normal and sum to 1."""
    x = np.arange(start, 7.0, step)
    p = np.exp(-x * x / 2)
    return x, p / p.sum()


def _log_twice_cosh(x: Array) -> Array:
    """Return log(2 cosh(x))."""
    return np.asarray(np.logaddexp(x, -x))


def _curvature(s: float) -> float:
    """Return E sum_y (d^2 Z / domega_a^2)^2 / Z at a = 0, for the sum.

    The second derivative of the mean of a function of A ~ N(omega_a, 1) is the mean of the function times A^2
    - 1, at omega_a = 0.
    """
    nodes, heights = np.polynomial.legendre.leggauss(200)
    a = 4 * (nodes + 1)
    density = 8 * heights * np.exp(-a * a / 2) / math.sqrt(2 * math.pi)  # of |A|, on [0, 8]
    width = math.sqrt(1 - s)
    x, p = _normal_grid(-7.0, 0.1)
    up = math.sqrt(s) * x[:, None]
    positive, negative = ndtr((up - a) / width), ndtr((-up - a) / width)
    total = 0.0
    for values in (positive, negative, 1 - positive - negative):
        z, second = values @ density, values @ (density * (a * a - 1))
        total += float(p @ (second**2 / np.maximum(z, 1e-13)))
    return total


def _second_moment(r_s: float, weights: str) -> float:
    """Return E [E(w_a^2 | an observation of w_s with precision r_s)^2]."""
    if weights == "normal":
        return 1.0
    x, p = _normal_grid(-7.0, 0.1)
    total = 0.0
    for w_s in (_SQRT2, 0.0):
        log_s = _log_twice_cosh(_SQRT2 * (r_s * w_s + math.sqrt(r_s) * x)) - r_s
        nonzero = np.exp(math.log(2) - np.logaddexp(log_s, math.log(2)))  # probability that w_a is not 0
        total += float(p @ (2 * nonzero) ** 2) / 2
    return total
