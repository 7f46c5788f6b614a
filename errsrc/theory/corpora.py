"""The exponent of a language model's learning curve, from statistics of the corpus alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import stdtrit

from errsrc import checks
from errsrc.checks import LEVEL, Integer, Number, Optional
from errsrc.results import HeldValue, Interval, TabularResult, TextTable
from errsrc.theory.ngrams import CLASSES, joined, orders, products

Array = NDArray[np.float64]

_LEAST = 3  # lengths that a power law is fitted to


@dataclass(frozen=True, repr=False, eq=False)
class TextExponents(TabularResult):
    """Statistics of a corpus, and the exponent of a learning curve that follows from them.

    See `text_exponents`.

    Attributes
    ----------
    alpha : Interval
        The predicted exponent gamma / (2 beta) of the loss above the entropy rate, as a function of n.  It is
        nan if gamma or beta is not above 0.
    gamma : Interval
        Exponent of the conditional entropies above the entropy rate, as a function of the order.
    beta : Interval
        Exponent of the correlation of two tokens, as a function of their distance.
    entropy_rate : Interval
        The entropy of the next token given all tokens before it, in nats.
    orders : ndarray of int64, shape (K,)
        Orders k = 0, 1, ...: numbers of known tokens before the next token.
    entropies : ndarray of float64, shape (K,)
        Entropy H_k of the next token given k tokens, in nats.
    halves : ndarray of float64, shape (K, 2)
        The same entropies, each from one half of the corpus.
    held_out : ndarray of float64, shape (K,)
        Loss of an n-gram model of one half of the corpus on the other half, in nats a token.  Its expectation
        is at least H_k.
    order_used : ndarray of bool, shape (K,)
        Which orders gamma was fitted to.
    distances : ndarray of int64, shape (T,)
        Distances of two tokens.
    correlations : ndarray of float64, shape (T,)
        Norm of the covariance matrix of two tokens at this distance, without the sampling floor; negative if
        the square of the norm was estimated as a negative number.
    floors : ndarray of float64, shape (T,)
        The sampling floor: the norm that the covariance matrix of independent tokens would have.
    distance_used : ndarray of bool, shape (T,)
        Which distances beta was fitted to.
    misses : tuple of float
        Typical relative distance of the points from the two power laws: that of the entropies, then that of
        the correlations.
    noise : float
        The norm that the covariance matrix of n pairs of independent tokens has, times the square root of n.
    tokens : int
        Number of tokens of the corpus.
    entropies_without, correlations_without : ndarray of float64, shape (K, groups) and (T, groups)
        The entropies and the correlations without each group of documents, from which the intervals follow.
    """

    alpha: Interval
    gamma: Interval
    beta: Interval
    entropy_rate: Interval
    orders: NDArray[np.int64]
    entropies: Array
    halves: Array
    held_out: Array
    order_used: NDArray[np.bool_]
    distances: NDArray[np.int64]
    correlations: Array
    floors: Array
    distance_used: NDArray[np.bool_]
    misses: tuple[float, float]
    noise: float
    tokens: int
    entropies_without: Array = field(compare=False)
    correlations_without: Array = field(compare=False)

    @checks.arguments(rate=Optional(Number(at_least=0)))
    def with_entropy_rate(self, rate: float | None) -> TextExponents:
        """Return the exponents for another entropy rate, without counting n-grams again.

        Use the same entropy rate as the floor of the law that is fitted to the losses.

        Parameters
        ----------
        rate : float or None
            Entropy rate in nats, >= 0 and below all entropies that are used; None to fit it.

        Raises
        ------
        ValueError
            If the rate is too high, or if it is None and fewer than four orders are used.
        """
        fields = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        fields.update(_exponents(self, rate, self.alpha.level, "TextExponents.with_entropy_rate")._asdict())
        return TextExponents(**fields)

    @checks.arguments(smallest=Number(above=0), largest=Number(above=0))
    def at_sizes(self, smallest: float, largest: float) -> TextExponents:
        """Return the exponents for a learning curve between two sizes, without counting n-grams again.

        The exponent beta is then fitted only to distances whose correlation equals the sampling noise of some
        number of tokens between the two sizes.  A model that is trained on this number of tokens begins to
        use correlations at this distance.

        Parameters
        ----------
        smallest, largest : float
            Numbers of training tokens at the ends of the learning curve.

        Raises
        ------
        ValueError
            If fewer than three distances are left.
        """
        positive = (self.correlations_without > 0).all(1)
        above = np.logical_and.accumulate((self.correlations > self.floors) & positive)
        resolved = (self.noise / np.where(above, self.correlations, np.nan)) ** 2
        inside = (resolved >= smallest) & (resolved <= largest)
        if inside.sum() < _LEAST:
            accepted = f"so much larger than smallest that {_LEAST} distances are left, here {inside.sum()}"
            raise ValueError(checks.refusal("largest", "TextExponents.at_sizes", accepted, largest))
        fields = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        fields["distance_used"] = inside
        changed = TextExponents(**fields)
        rate = self.entropy_rate.estimate if isinstance(self.entropy_rate, HeldValue) else None
        return changed.with_entropy_rate(rate)

    def columns(self) -> dict[str, Any]:
        """Return the entropies and the correlations as one table; entries that do not exist are nan.

        Returns
        -------
        dict of str to ndarray
            The columns length, entropy, entropy_held_out, entropy_used, correlation, floor and
            correlation_used.  The length of a row is the order of its entropies, and the distance of its
            correlations.
        """
        lengths = np.union1d(self.orders, self.distances)
        sides = (
            (
                self.orders,
                {
                    "entropy": self.entropies,
                    "entropy_held_out": self.held_out,
                    "entropy_used": self.order_used,
                },
            ),
            (
                self.distances,
                {
                    "correlation": self.correlations,
                    "floor": self.floors,
                    "correlation_used": self.distance_used,
                },
            ),
        )
        table: dict[str, Any] = {"length": lengths}
        for own, columns in sides:
            at = np.searchsorted(lengths, own)
            for name, values in columns.items():
                filled = np.full(len(lengths), False if values.dtype == bool else np.nan)
                filled[at] = values
                table[name] = filled
        return table

    def headline(self) -> str:
        """Return the exponents in one line."""
        return f"alpha {self.alpha}, gamma {self.gamma}, beta {self.beta}, entropy rate {self.entropy_rate}"

    def content(self) -> Sequence[str | TextTable]:
        """Return the exponents, the entropies and the correlations."""
        exponents = TextTable(
            [
                ["alpha = gamma / (2 beta)", str(self.alpha)],
                ["gamma, of the entropies", f"{self.gamma}, typical miss {self.misses[0]:.1%}"],
                ["beta, of the correlations", f"{self.beta}, typical miss {self.misses[1]:.1%}"],
                ["entropy rate, nats", str(self.entropy_rate)],
            ],
            "l",
        )
        rows = [["k", "entropy", "held out", "used"]]
        for k, entropy, held, used in zip(
            self.orders, self.entropies, self.held_out, self.order_used, strict=True
        ):
            rows.append([str(k), f"{entropy:.4f}", f"{held:.4f}", "yes" if used else "no"])
        further = [["distance", "correlation", "floor", "used"]]
        for t, norm, floor, used in zip(
            self.distances, self.correlations, self.floors, self.distance_used, strict=True
        ):
            further.append([str(t), f"{norm:.2g}", f"{floor:.2g}", "yes" if used else "no"])
        return [
            f"{self.tokens:,} tokens",
            exponents,
            "Entropies of the next token given k tokens, in nats:",
            TextTable(rows, header=True),
            "Correlations of two tokens:",
            TextTable(further, header=True),
        ]


class _Exponents(NamedTuple):
    """The fields of `TextExponents` that depend on the entropy rate."""

    alpha: Interval
    gamma: Interval
    beta: Interval
    entropy_rate: Interval
    misses: tuple[float, float]


class _Statistics(NamedTuple):
    """The fields of `TextExponents` that the exponents are computed from."""

    orders: NDArray[np.int64]
    entropies: Array
    order_used: NDArray[np.bool_]
    distances: NDArray[np.int64]
    correlations: Array
    distance_used: NDArray[np.bool_]
    entropies_without: Array
    correlations_without: Array


@checks.arguments(
    max_order=Integer(at_least=3),
    max_distance=Integer(at_least=4),
    entropy_rate=Optional(Number(at_least=0)),
    agreement=Number(above=0),
    groups=Integer(at_least=4),
    level=LEVEL,
)
def text_exponents(
    documents: Sequence[ArrayLike],
    *,
    max_order: int = 16,
    max_distance: int = 64,
    entropy_rate: float | None = 0.0,
    agreement: float = 0.05,
    groups: int = 20,
    level: float = 0.9,
) -> TextExponents:
    """Predict the exponent of a language model's learning curve from a corpus, before any training.

    The prediction is alpha = gamma / (2 beta) (Cagnetta, Raventos, Ganguli and Wyart 2026, arXiv 2602.07488).
    Given k tokens, the next token has the entropy H_k, and H_k - H falls as k^-gamma, where H is the entropy
    rate.  Two tokens at a distance t have a correlation that falls as t^-beta.  A model that is trained on n
    tokens can use correlations above the sampling noise, which is proportional to n^-1/2, so it can use about
    n^(1 / (2 beta)) tokens before the next token.  Its loss above H then falls as n^-alpha.

    Parameters
    ----------
    documents : sequence of array_like
        The tokens of each document, integers >= 0 of shape (tokens,).  For bytes, each document can be
        ``np.frombuffer(text.encode(), np.uint8)``.
    max_order : int
        Largest order k, >= 3.  Orders are computed only as long as k + 1 tokens and the number of a group fit
        into 64 bits: up to k = 7 for 20 groups and 128 different tokens.
    max_distance : int
        Largest distance t, >= 4.  A model cannot use correlations beyond its context.
    entropy_rate : float or None
        The entropy rate H in nats, >= 0.  None fits H to the entropies, which determine H poorly.  To compare
        alpha with the exponent of measured losses, use the floor of the law that is fitted to the losses.
    agreement : float
        An order k is used if the entropies of both halves of the corpus and of the whole corpus differ by at
        most this share, > 0.
    groups : int
        Number of groups of documents for the intervals, an even number >= 4.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    TextExponents
        The exponents, the entropies and the correlations.

    Raises
    ------
    TypeError, ValueError
        If the documents are no arrays of integers >= 0, if the corpus is too small for three orders and three
        distances, if it has more than 16,384 different tokens (for 20 groups), or if `entropy_rate` is not
        below the entropies.

    Notes
    -----
    **Entropies.** They are computed from counts of n-grams, with the correction of Grassberger 2003 (arXiv
    physics/0307138) for small counts.  If most n-grams of an order occur once, the estimated entropy is still
    too small, and the estimate grows with the size of the corpus.  Therefore an order is used only if both
    halves and the whole corpus agree.  The orders after the first order that is not used are not computed.
    Order 0 is not used.

    **Correlations.** The correlation at the distance t is the Frobenius norm of P(a, b) - P(a) P(b), where
    P(a, b) is the probability of the tokens a and b at this distance.  The documents are divided into groups.
    The squared norm is estimated by the mean product of the matrices of two different groups.  The groups
    have independent sampling errors, so these errors do not add to the mean product.  The squared floor is
    the squared norm of the mean matrix minus this estimate.  The first distance whose correlation is not
    above the floor, and all larger distances, are not used.  If a corpus has more than 256 different tokens,
    all but the 255 most frequent tokens count as one token here.

    **Intervals.** Both exponents are slopes of straight lines through the logarithms.  The interval covers
    two sources of error: the choice of the documents, by leaving out each group in turn (jackknife), and the
    deviations of the points from the line.  It does not cover the remaining systematic error of the
    entropies.  Compare `entropies` with `held_out`, which is above the true entropy.

    Examples
    --------
    A token is equal to the token before it with probability 0.9, so order 1 determines all further entropies:

    >>> rng = np.random.default_rng(0)
    >>> documents = [np.cumsum(rng.random(2000) < 0.1) % 2 for _ in range(40)]
    >>> found = text_exponents(documents)
    >>> found.entropies[:3].round(2)
    array([0.69, 0.33, 0.33])
    """
    where = "text_exponents"
    if groups % 2:
        raise ValueError(checks.refusal("groups", where, "an even number", groups))
    corpus = joined(documents, groups, where)
    if corpus.longest <= _LEAST:
        most = 2 ** ((64 - (groups - 1).bit_length()) // (_LEAST + 1))
        accepted = f"documents of at most {most:,} different tokens for {groups} groups"
        fix = "Take the bytes or the characters of the text as tokens."
        got = f"<{corpus.vocabulary:,} different tokens>"
        raise ValueError(f"{checks.refusal('documents', where, accepted, got)} {fix}")
    found = []
    for one in orders(corpus, max_order):
        found.append(one)
        if not _agree(one.entropy, one.halves, agreement):
            break
    distances = np.unique(
        np.round(np.geomspace(1, max_distance, 1 + round(3 * math.log2(max_distance)))).astype(np.int64)
    )
    matrices = np.stack([products(corpus, int(t)) for t in distances])
    squares, squares_without = _squared_norms(matrices)
    floor_squares = matrices.mean((1, 2)) - squares
    used = np.logical_and.accumulate((squares > floor_squares) & (squares_without > 0).all(1))
    shares = np.bincount(np.minimum(corpus.tokens, CLASSES - 1).astype(np.int64)) / len(corpus.tokens)
    statistics = _Statistics(
        np.arange(len(found)),
        np.array([one.entropy for one in found]),
        np.array([k > 0 and _agree(one.entropy, one.halves, agreement) for k, one in enumerate(found)]),
        distances,
        np.sign(squares) * np.sqrt(np.abs(squares)),
        used,
        np.stack([one.without for one in found]),
        np.sqrt(np.maximum(squares_without, 0)),
    )
    for name, kept in (("orders", statistics.order_used), ("distances", statistics.distance_used)):
        if kept.sum() < _LEAST:
            accepted = f"a corpus that determines the statistics of at least {_LEAST} {name}"
            got = f"<{len(corpus.tokens)} tokens, {kept.sum()} {name}>"
            said = checks.refusal("documents", where, accepted, got)
            raise ValueError(f"{said} A larger corpus determines more {name}.")
    return TextExponents(
        **_exponents(statistics, entropy_rate, level, where)._asdict(),
        **statistics._asdict(),
        halves=np.array([one.halves for one in found]),
        held_out=np.array([one.held_out for one in found]),
        floors=np.sqrt(np.maximum(floor_squares, 0)),
        noise=1 - float((shares**2).sum()),
        tokens=len(corpus.tokens),
    )


def _agree(entropy: float, halves: tuple[float, float], agreement: float) -> bool:
    """Return whether the entropies are above 0, and differ between halves and corpus by at most a share."""
    values = (entropy, *halves)
    return min(values) > 0 and max(values) - min(values) <= agreement * min(values)


def _squared_norms(matrices: Array) -> tuple[Array, Array]:
    """Return the mean products of different groups, (T,), and the means without each group, (T, groups)."""
    groups = matrices.shape[1]
    own = np.einsum("tgg->tg", matrices)
    whole = matrices.sum((1, 2)) - own.sum(1)
    with_group = 2 * (matrices.sum(2) - own)
    return whole / (groups * (groups - 1)), (whole[:, None] - with_group) / ((groups - 1) * (groups - 2))


def _exponents(found: Any, rate: float | None, level: float, where: str) -> _Exponents:
    """Return the exponents, with intervals."""
    name = "entropy_rate" if where == "text_exponents" else "rate"
    k, t = found.orders[found.order_used], found.distances[found.distance_used]
    entropies = np.vstack([found.entropies, found.entropies_without.T])[:, found.order_used]
    norms = np.vstack([found.correlations, found.correlations_without.T])[:, found.distance_used]
    if rate is None:
        if len(k) < _LEAST + 1:
            accepted = f"a number if fewer than {_LEAST + 1} orders are used, here {len(k)}"
            raise ValueError(checks.refusal(name, where, accepted, rate))
        rates = np.array([_fitted_rate(k, one) for one in entropies])
    else:
        rates = np.full(len(entropies), rate)
        if rate >= entropies.min():
            accepted = f"below the smallest entropy that is used, {entropies.min():.4g}"
            raise ValueError(checks.refusal(name, where, accepted, rate))
    gamma, of_gamma, miss_gamma = _slopes(k, np.log(entropies - rates[:, None]))
    beta, of_beta, miss_beta = _slopes(t, np.log(norms))
    low, high = _possible_rates(k, entropies[0], level)
    half = _jackknife(rates, level)
    low = min(low, max(float(rates[0]) - half, 0.0))
    high = max(high, min(float(rates[0]) + half, float(entropies[0].min())))
    deviations = (of_gamma / gamma[0], len(k)), (of_beta / beta[0], len(t))
    alpha = Interval(math.nan, -math.inf, math.inf, level)
    if gamma[0] > 0 and beta[0] > 0:
        alpha = _interval(gamma / (2 * beta), *deviations, level=level)
    return _Exponents(
        alpha,
        _interval(gamma, deviations[0], level=level),
        _interval(beta, deviations[1], level=level),
        Interval(float(rates[0]), low, high, level) if rate is None else HeldValue.of(rate, level),
        (miss_gamma, miss_beta),
    )


def _fitted_rate(k: NDArray[np.int64], entropies: Array) -> float:
    """Return the entropy rate at which the entropies above it are closest to a power law."""

    def miss(rate: float) -> float:
        return _slopes(k, np.log(entropies - rate)[None])[2]

    highest = float(entropies.min()) * (1 - 1e-6)
    grid = np.linspace(0, highest, 65)
    best = int(np.argmin([miss(one) for one in grid]))
    ends = (grid[max(best - 1, 0)], grid[min(best + 1, 64)])
    return float(minimize_scalar(miss, bounds=ends, method="bounded").x)


def _possible_rates(k: NDArray[np.int64], entropies: Array, level: float) -> tuple[float, float]:
    """Return the ends of the interval of entropy rates that the deviations from a power law allow."""
    grid = np.linspace(0, float(entropies.min()) * (1 - 1e-6), 257)
    squares = np.array([_slopes(k, np.log(entropies - one)[None])[2] ** 2 for one in grid])
    free = max(len(k) - 3, 1)
    possible = grid[squares <= squares.min() * (1 + stdtrit(free, (1 + level) / 2) ** 2 / free)]
    return float(possible.min()), float(possible.max())


def _slopes(lengths: NDArray[np.int64], logs: Array) -> tuple[Array, float, float]:
    """Return minus the slope of a line through each row of points, and two numbers about row 0.

    The two numbers are the standard error of the slope and the residual of the points.
    """
    x = np.log(lengths) - np.log(lengths).mean()
    slopes = logs @ x / (x @ x)
    rest = logs[0] - logs[0].mean() - slopes[0] * x
    residual = math.sqrt(float(rest @ rest) / (len(x) - 2))
    return -slopes, residual / math.sqrt(float(x @ x)), residual


def _jackknife(values: Array, level: float) -> float:
    """Return half the width of the interval of values[0], where the others leave out one group each."""
    groups = len(values) - 1
    variance = (groups - 1) * float(np.var(values[1:]))
    return float(stdtrit(groups - 1, (1 + level) / 2)) * math.sqrt(variance)


def _interval(values: Array, *deviations: tuple[float, int], level: float) -> Interval:
    """Return an interval whose width covers the choice of documents and the deviations from lines."""
    estimate = float(values[0])
    if not (values > 0).all():  # no decay: an interval on a linear scale
        half = math.hypot(_jackknife(values, level), *(estimate * _half(one, level) for one in deviations))
        return Interval(estimate, estimate - half, estimate + half, level)
    half = math.hypot(_jackknife(np.log(values), level), *(_half(one, level) for one in deviations))
    return Interval(estimate, estimate * math.exp(-half), estimate * math.exp(half), level)


def _half(deviation: tuple[float, int], level: float) -> float:
    """Return half the width of the interval of a slope, relative to the slope."""
    error, points = deviation
    return abs(error) * float(stdtrit(points - 2, (1 + level) / 2))
