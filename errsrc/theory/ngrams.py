"""Counts of n-grams in a corpus, with the entropies and correlations that follow from the counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import psi

from errsrc import checks

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.uint64]

CLASSES = 256
"""Largest number of different tokens whose correlations are computed; rarer tokens share one class."""

_TABLE = 4096  # counts whose entropy term is computed once


@dataclass(frozen=True, eq=False)
class Corpus:
    """The joined documents of a corpus.  The documents are divided into groups of about equal size.

    Attributes
    ----------
    tokens : ndarray of uint64, shape (N,)
        Tokens, from 0 to ``vocabulary - 1``.
    place : ndarray of int64, shape (N,)
        Number of tokens before this token in the same document.
    group : ndarray of int64, shape (N,)
        Group of each token, from 0 to ``groups - 1``.  Even groups are one half of the corpus, and odd groups
        are the other half.
    vocabulary, groups : int
        Number of different tokens, and number of groups.
    """

    tokens: Codes
    place: Integers
    group: Integers
    vocabulary: int
    groups: int

    @property
    def bits(self) -> int:
        """Number of bits of a token."""
        return max(1, (self.vocabulary - 1).bit_length())

    @property
    def longest(self) -> int:
        """Number of tokens of the longest n-gram that fits into 64 bits together with its group."""
        return (64 - (self.groups - 1).bit_length()) // self.bits


def joined(documents: Sequence[Any], groups: int, where: str) -> Corpus:
    """Return the documents as one array of tokens.

    Parameters
    ----------
    documents : sequence of array_like
        The tokens of each document: integers >= 0, of shape (tokens,).
    groups : int
        Number of groups.  A document is divided between groups only if it is larger than a group.
    where : str
        Name of the function for error messages.

    Raises
    ------
    TypeError, ValueError
        If a document is not a one-dimensional array of integers >= 0, or if there are fewer than 100 tokens
        for each group.
    """
    accepted = "a sequence of documents, each an array of integers >= 0 of shape (tokens,)"
    if isinstance(documents, (str, bytes, Mapping)) or not isinstance(documents, Iterable):
        raise TypeError(checks.refusal("documents", where, accepted, documents))
    parts = [part for one in documents if (part := _document(one, accepted, where)).size]
    sizes = np.array([len(part) for part in parts], np.int64)
    total = int(sizes.sum())
    if total < 100 * groups:
        accepted = f"documents with at least {100 * groups} tokens"
        raise ValueError(checks.refusal("documents", where, accepted, f"<{total} tokens>"))
    tokens, vocabulary = _relabelled(np.concatenate(parts))
    place = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return Corpus(tokens, place, _grouped(sizes, groups), vocabulary, groups)


def _document(one: Any, accepted: str, where: str) -> NDArray[Any]:
    """Return a document as an array of integers."""
    fix = ""
    if isinstance(one, (str, bytes)):
        fix = " For the bytes of a text, take np.frombuffer(text.encode(), np.uint8)."
    try:
        part = np.asarray(one)
    except ValueError:  # lists of different lengths
        part = np.asarray(one, dtype=object)
    if (part.size and part.dtype.kind not in "iu") or fix:
        raise TypeError(checks.refusal("documents", where, accepted, one) + fix)
    if part.ndim != 1 or (part.size and part.min() < 0):
        raise ValueError(checks.refusal("documents", where, accepted, one))
    return part


def _relabelled(tokens: NDArray[Any]) -> tuple[Codes, int]:
    """Return the tokens as numbers from 0 on, the most frequent first, and how many different ones exist."""
    values, counts = np.unique(tokens, return_counts=True)
    label = np.empty(len(values), np.uint64)
    label[np.argsort(-counts, kind="stable")] = np.arange(len(values))
    return label[np.searchsorted(values, tokens)], len(values)


def _grouped(sizes: Integers, groups: int) -> Integers:
    """Return the group of each token; documents, from the largest on, go to the smallest group so far."""
    most = -(-int(sizes.sum()) // groups)
    pieces = [
        (start, min(most, size - start), place)
        for place, size in enumerate(sizes.tolist())
        for start in range(0, size, most)
    ]
    offset = np.cumsum(sizes) - sizes
    load = np.zeros(groups, np.int64)
    group = np.empty(int(sizes.sum()), np.int64)
    for start, size, place in sorted(pieces, key=lambda piece: -piece[1]):
        smallest = int(load.argmin())
        load[smallest] += size
        group[offset[place] + start : offset[place] + start + size] = smallest
    return group


class OrderStatistics(NamedTuple):
    """The entropy of the next token, given the k tokens before it.

    Attributes
    ----------
    entropy
        Estimate from the whole corpus in nats, with Grassberger's correction for small counts.
    without : ndarray of float64, shape (groups,)
        The same estimate without each of the groups.
    halves
        Estimates from each half of the corpus.
    held_out
        Cross entropy of one half under an n-gram model of the other half; the mean of both directions.
    """

    entropy: float
    without: Array
    halves: tuple[float, float]
    held_out: float


class _Grams(NamedTuple):
    """The different (k + 1)-grams, and their last token's probability given the others, in two models.

    There is a model of each half of the corpus.
    """

    codes: Codes
    model: Array  # (2, grams)


def orders(corpus: Corpus, most: int) -> Iterator[OrderStatistics]:
    """Yield the statistics of the orders k = 0, 1, ..., up to the last k that each group has tokens for.

    A token counts for an order k if at least k tokens precede it in the same document.

    Parameters
    ----------
    corpus : Corpus
        The corpus.
    most : int
        The largest order, >= 0.

    Yields
    ------
    OrderStatistics
        The statistics of the next order.
    """
    code = np.zeros(len(corpus.tokens), np.uint64)
    shorter = _Grams(np.zeros(1, np.uint64), np.full((2, 1), 1 / corpus.vocabulary))
    for order in range(min(most, corpus.longest - 1) + 1):
        if not np.bincount(corpus.group[corpus.place >= order], minlength=corpus.groups).all():
            return
        earlier = corpus.tokens[: len(code) - order]
        code[order:] |= earlier << np.uint64(order * corpus.bits)
        found, shorter = _order(corpus, code, order, shorter)
        yield found


def _order(corpus: Corpus, code: Codes, order: int, shorter: _Grams) -> tuple[OrderStatistics, _Grams]:
    """Return the statistics of one order.  Bits of `code`: the newest token is in the lowest bits."""
    shift = np.uint64((corpus.groups - 1).bit_length())
    valid = corpus.place >= order
    key = (code[valid] << shift) | corpus.group[valid].astype(np.uint64)
    key.sort()
    first = _starts(key)  # entries: one for each n-gram and group
    count = np.diff(np.append(first, len(key)))
    gram, group = (
        key[first] >> shift,
        (key[first] & ((np.uint64(1) << shift) - np.uint64(1))).astype(np.int64),
    )
    del key
    of_gram = _starts(gram)
    codes = gram[of_gram]
    context = codes >> np.uint64(corpus.bits)
    of_context = _starts(context)
    halves = np.stack([np.add.reduceat(np.where(group % 2 == half, count, 0), of_gram) for half in (0, 1)])
    model = _model(corpus, halves, of_context, codes, order, shorter)
    sums = [_grassberger(one).sum(1) for one in (np.add.reduceat(halves, of_context, axis=1), halves)]
    sizes = halves.sum(1)
    first_half, second_half = (float(one) for one in (sums[0] - sums[1]) / sizes)
    held_out = [-(halves[1 - half] @ np.log(model[half])) / sizes[1 - half] for half in (0, 1)]
    entropy, without = _conditional(corpus, count, group, of_gram, of_context)
    statistics = OrderStatistics(entropy, without, (first_half, second_half), float(np.mean(held_out)))
    return statistics, _Grams(codes, model)


def _starts(ascending: Codes) -> Integers:
    """Return the first position of each run of equal values."""
    return np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))


def _model(
    corpus: Corpus, halves: Integers, of_context: Integers, codes: Codes, order: int, shorter: _Grams
) -> Array:
    """Return the probability of each n-gram's last token, given its first tokens, in a model of each half.

    The model is that of Witten and Bell 1991: after a context of count c with u different next tokens, a
    token of count a has the probability (a + u p) / (c + u).  Here p is the token's probability given the
    context without its first token.
    """
    suffix = codes & ((np.uint64(1) << np.uint64(order * corpus.bits)) - np.uint64(1)) if order else codes * 0
    below = shorter.model[:, np.searchsorted(shorter.codes, suffix)]
    sizes = np.diff(np.append(of_context, len(codes)))
    total = np.repeat(np.add.reduceat(halves, of_context, axis=1), sizes, axis=1)
    different = np.repeat(np.add.reduceat((halves > 0).astype(np.int64), of_context, axis=1), sizes, axis=1)
    return np.where(total > 0, (halves + different * below) / np.maximum(total + different, 1), below)


def _conditional(
    corpus: Corpus, count: Integers, group: Integers, of_gram: Integers, of_context: Integers
) -> tuple[float, Array]:
    """Return the entropy of the last token given the others, and this entropy without each group."""
    gram = np.repeat(np.arange(len(of_gram)), np.diff(np.append(of_gram, len(count))))
    grams = _Sums.of(count, group, gram, corpus.groups)
    owner = np.repeat(np.arange(len(of_context)), np.diff(np.append(of_context, len(of_gram))))[gram]
    place = owner * corpus.groups + group
    order = np.argsort(place, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(place[order]) > 0))
    joint = np.add.reduceat(count[order], first)
    contexts = _Sums.of(joint, group[order][first], owner[order][first], corpus.groups)
    size = np.bincount(group, weights=count, minlength=corpus.groups)
    entropy = (contexts.total - grams.total) / size.sum()
    return float(entropy), (contexts.without - grams.without) / (size.sum() - size)


class _Sums(NamedTuple):
    """The sum of n G(n) over counts, and the sums without each group."""

    total: float
    without: Array

    @classmethod
    def of(cls, count: Integers, group: Integers, owner: Integers, groups: int) -> _Sums:
        """Return the sums for entries (owner, group, count), ascending in `owner`."""
        total = np.bincount(owner, weights=count).astype(np.int64)
        terms = _grassberger(total)
        change = _grassberger(total[owner] - count) - terms[owner]
        whole = float(terms.sum())
        without = np.bincount(group, weights=change, minlength=groups).astype(np.float64)
        return cls(whole, whole + without)


def _grassberger(count: Integers) -> Array:
    """Return n G(n), whose sum estimates the sum of n ln n (Grassberger 2003, arXiv physics/0307138)."""
    small = np.arange(_TABLE, dtype=np.float64)
    table = np.zeros(_TABLE)
    table[1:] = _terms(small[1:])
    out = table[np.minimum(count, _TABLE - 1)]
    large = count >= _TABLE
    out[large] = _terms(count[large].astype(np.float64))
    return out


def _terms(n: Array) -> Array:
    sign = np.where(n % 2 == 0, 0.5, -0.5)
    return np.asarray(n * (psi(n) + sign * (psi((n + 1) / 2) - psi(n / 2))))


def products(corpus: Corpus, distance: int) -> Array:
    """Return the inner products of the groups' covariance matrices of two tokens at a distance.

    Parameters
    ----------
    corpus : Corpus
        The corpus.
    distance : int
        Number of tokens from the first token to the second, >= 1.

    Returns
    -------
    ndarray of float64, shape (groups, groups)
        The products.  They are nan for a group without such a pair of tokens.
    """
    size = min(corpus.vocabulary, CLASSES)
    tokens = np.minimum(corpus.tokens, size - 1).astype(np.int64)
    later = np.flatnonzero(corpus.place >= distance)
    pair = (corpus.group[later] * size + tokens[later - distance]) * size + tokens[later]
    joint = np.bincount(pair, minlength=corpus.groups * size**2).reshape(corpus.groups, size, size)
    with np.errstate(invalid="ignore"):
        joint = joint / joint.sum((1, 2), keepdims=True)
    outer = joint.sum(2)[:, :, None] * joint.sum(1)[:, None, :]
    flat = (joint - outer).reshape(corpus.groups, -1)
    return np.asarray(flat @ flat.T)
