"""Clustering of synonyms: learns the grammar of a random hierarchy from class counts, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from errsrc import checks
from errsrc.fields import integer
from errsrc.learners.learner import Learner
from errsrc.settings.hierarchy import check_strings, check_tuples, codes_of, symbols
from errsrc.settings.setting import Array, Predictor

_ROUNDS = 100  # largest number of rounds of reassignment; a few are usual


@dataclass(frozen=True)
class SynonymClustering(Learner):
    """Learns a grammar from the bottom up: tuples with similar class counts become one feature.

    The inputs are strings of one-hot vectors, and the labels are classes, see
    `errsrc.settings.RandomHierarchy`.  The learner counts how often each tuple of neighbouring symbols occurs
    at each position with each class.  Synonyms have the same expected counts.  The learner therefore divides
    the tuples into `vocabulary` clusters: first by Ward's method, and then by moving each tuple to the
    cluster under which its counts are most probable.  Each cluster is a feature of the next level, where the
    learner does the same.  An input has one tuple on the top level.  The learner predicts the classes of the
    examples with the same top tuple.

    Parameters
    ----------
    vocabulary : int
        v, the number of features of each level, >= 2.
    children : int
        s, the number of features in a tuple, >= 2.  There may be at most 2^20 tuples, v^s.
    classes : int, optional
        Number of classes, >= 1.  By default, the number is one more than the largest class in the data.  For
        the log loss, state the number: the largest class may have no example.

    Notes
    -----
    The learner is given v and s, but neither the rules nor the number m of synonyms.  For n_c classes and L
    levels, a small multiple of n_c m^L examples is enough for few errors.  Deep networks need 1.2 to 3 times
    as many examples as this learner (`python sims/hierarchy.py`).  If the top tuple of an input has no
    example, the learner predicts all classes with equal probability.

    Examples
    --------
    >>> from errsrc.settings import RandomHierarchy
    >>> setting, rng = RandomHierarchy(classes=4, vocabulary=6, synonyms=3), np.random.default_rng(0)
    >>> teacher = setting.teacher(rng)
    >>> x, fresh = setting.inputs_of(teacher, 200, rng), setting.inputs_of(teacher, 100, rng)
    >>> f = SynonymClustering(vocabulary=6).fit(x, teacher(x).argmax(1), rng)
    >>> bool((f(fresh).argmax(1) == teacher(fresh).argmax(1)).all())
    True
    """

    vocabulary: int = integer(2, at_least=2)
    children: int = integer(2, at_least=2)
    classes: int | None = integer(None, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tuples(self.vocabulary, self.children, "SynonymClustering")

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        where = "SynonymClustering"
        if y.dtype.kind == "f":
            raise ValueError(checks.refusal("y", where, "classes, integers from 0", f"<{y.dtype}>"))
        check_strings(x, self.vocabulary, where)
        if self.classes is not None and y.max() >= self.classes:
            accepted = f"classes from 0 to {self.classes - 1}"
            raise ValueError(checks.refusal("y", where, accepted, int(y.max())))
        strings, classes, clusters = symbols(x, self.vocabulary), self.classes or int(y.max()) + 1, []
        self._check_length(strings.shape[1])
        while strings.shape[1] > self.children:
            codes = codes_of(strings, self.vocabulary, self.children)
            seen, places = np.unique(codes, return_inverse=True)
            counts = _class_counts(places.reshape(codes.shape), y, len(seen), classes)
            found = np.full(self.vocabulary**self.children + 1, -1, dtype=np.int64)
            found[seen] = _clusters(counts, self.vocabulary)
            clusters.append(found)
            strings = found[codes]
        top = np.zeros((self.vocabulary**self.children + 1, classes))
        np.add.at(top, (codes_of(strings, self.vocabulary, self.children)[:, 0], y), 1.0)
        return SynonymFit(self.vocabulary, self.children, tuple(clusters), top)

    def _check_length(self, length: int) -> None:
        """Raise ValueError if the number of symbols of an input is not a power of the number of children."""
        power = self.children
        while power < length:
            power *= self.children
        if power != length:
            accepted = f"inputs of {self.children}, {self.children}^2, {self.children}^3, ... one-hot vectors"
            raise ValueError(checks.refusal("x", "SynonymClustering", accepted, f"<{length} vectors>"))


@dataclass(frozen=True, eq=False)
class SynonymFit:
    """The grammar that `SynonymClustering` found.

    Attributes
    ----------
    vocabulary : int
        v, the number of features of each level.
    children : int
        s, the number of features in a tuple.
    clusters : tuple of ndarray of int64, (v^s + 1,)
        The cluster of each tuple, for each level from the bottom up; -1 for tuples without examples.  The
        last entry is for tuples with an unknown feature.
    counts : ndarray of float64, (v^s + 1, classes)
        How many examples of each class have each tuple on the top level.
    """

    vocabulary: int
    children: int
    clusters: tuple[NDArray[np.int64], ...]
    counts: Array

    def __call__(self, x: Array) -> Array:
        """Return the probability of each class, float64 (N, classes).

        The probability is proportional to the number of examples of the class with the same tuple on the top
        level, plus 1 / (number of examples).
        """
        strings = symbols(x, self.vocabulary)
        for found in self.clusters:
            strings = found[codes_of(strings, self.vocabulary, self.children)]
        counts = self.counts[codes_of(strings, self.vocabulary, self.children)[:, 0]]
        counts = counts + 1 / self.counts.sum()
        return np.asarray(counts / counts.sum(1, keepdims=True))


def _class_counts(places: NDArray[np.int64], y: NDArray[np.int64], tuples: int, classes: int) -> Array:
    """Return how often each tuple occurs at each position with each class, (tuples, positions x classes)."""
    positions = places.shape[1]
    cells = (places * positions + np.arange(positions)) * classes + y[:, None]
    counts = np.bincount(cells.ravel(), minlength=tuples * positions * classes)
    return counts.reshape(tuples, positions, classes).astype(np.float64)


def _clusters(counts: Array, most: int) -> NDArray[np.int64]:
    """Return a cluster for each tuple, at most `most` of them, from counts (tuples, positions, classes)."""
    if len(counts) <= most:
        return np.arange(len(counts))
    share = counts.sum((0, 1)) / counts.sum()  # of each class
    totals = counts.sum(2, keepdims=True)
    # dividing by sqrt(share) gives frequent and rare classes the same sampling noise
    off = (counts / np.maximum(totals, 1) - share * (totals > 0)) / np.sqrt(np.maximum(share, 1e-300))
    joined = fcluster(linkage(pdist(off.reshape(len(off), -1)), "ward"), most, "maxclust") - 1
    flat = counts.reshape(len(counts), -1)
    for _ in range(_ROUNDS):
        sums = np.zeros((most, *counts.shape[1:]))
        np.add.at(sums, joined, counts)
        sums += share  # one more example at each position, so that no probability is 0
        log = np.log(np.maximum(sums, 1e-300) / sums.sum(2, keepdims=True)).reshape(most, -1)
        again = (flat @ log.T).argmax(1)
        if (again == joined).all():
            break
        joined = again
    return np.asarray(joined, dtype=np.int64)
