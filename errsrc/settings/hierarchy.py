"""Random hierarchies: a grammar writes each class as a long string, and a learner must find its synonyms."""

from __future__ import annotations

import functools
import math
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from errsrc import checks
from errsrc.fields import choice, instance, integer
from errsrc.nets import PatchNetwork
from errsrc.results import Interval
from errsrc.settings.channels import Flips
from errsrc.settings.classes import FunctionClass
from errsrc.settings.setting import ZERO, Array, Setting

MOST_TUPLES = 2**20
"""Largest number of tuples v^s: a parse looks each tuple up in a table."""

MOST_INPUT_DIM = 2**16
"""Largest number of coordinates of an input."""


@dataclass(frozen=True)
class RandomHierarchy(Setting):
    """The random hierarchy model: a random grammar derives the inputs from their classes, level by level.

    A teacher is a grammar.  On the top level, each class has m rules, and each rule is a tuple of s features.
    On each level below, each of v features has m rules, and each rule is a tuple of s features of the next
    level.  The features of the lowest level are the symbols of the input, a string of s^L symbols.  To draw
    an input, the setting draws a class, and then replaces the class and each feature by one of its m rules,
    all with equal probability.  The m tuples of a feature are synonyms: the class of an input does not depend
    on which of them occurs.

    The rules of a level are distinct tuples, drawn uniformly, and are the same at all positions.  Therefore
    an input has only one class, and a learner that knows the rules finds it from the bottom up, as `Grammar`
    does.  With the probability `channel.rate` the label is flipped.

    An input is the concatenation of the one-hot vectors of its symbols: coordinate p v + a is 1 if symbol p
    is a, and otherwise 0.

    Parameters
    ----------
    classes : int
        n_c, the number of classes, >= 2.
    vocabulary : int
        v, the number of features of each level below the classes, >= 2.
    synonyms : int
        m, the number of rules of each class and feature, >= 1.  A level has v^s tuples, so that m is at most
        v^(s-1), and n_c m at most v^s.
    children : int
        s, the number of features in a rule, >= 2.
    levels : int
        L, the number of levels, >= 1.
    loss : str
        "zero-one", the error rate if the most probable class is predicted; or "log", the cross-entropy of the
        predicted class probabilities in nats.
    channel : Flips
        The label flips, at a rate of at most 1 - 1 / classes.

    Notes
    -----
    The model is from Cagnetta, Petrini, Tomasini, Favero and Wyart 2024 (Phys. Rev. X 14, 031001, arXiv
    2307.02129).  Synonyms have the same correlations with the classes.  From about n_c m^L examples on, these
    correlations are larger than their sampling noise.  Deep networks then learn the rules, and so does
    `errsrc.learners.SynonymClustering`, which has only the class counts of tuples.  Shallow networks need a
    number of examples that is exponential in the length of the input.

    The inputs of the examples depend on the teacher: only strings that its rules derive occur.  The
    uncertainty has no cheap exact form, because the posterior is a sum over grammars.  In a budget, the
    uncertainty lies between 0 and the smaller of two risks: that of the learner and that of
    `errsrc.learners.SynonymClustering`.

    Examples
    --------
    >>> setting = RandomHierarchy(classes=8, vocabulary=8, synonyms=4, levels=2)
    >>> setting.input_dim, setting.strings, setting.characteristic_examples
    (32, 512, 128)
    >>> round(setting.information_examples)
    89
    """

    classes: int = integer(at_least=2)
    vocabulary: int = integer(at_least=2)
    synonyms: int = integer(at_least=1)
    children: int = integer(2, at_least=2)
    levels: int = integer(2, at_least=1)
    loss: str = choice("zero-one", ("log", "zero-one"))
    _: KW_ONLY
    channel: Flips = instance(Flips, "Flips(...)", Flips())

    def __post_init__(self) -> None:
        super().__post_init__()
        where = "RandomHierarchy"
        check_tuples(self.vocabulary, self.children, where)
        # the logarithm of s^L first: s^L itself would take minutes for a billion levels
        if self.levels > 64 or self.levels * math.log2(self.children) > 64 or self.input_dim > MOST_INPUT_DIM:
            accepted = f"such that an input has at most {MOST_INPUT_DIM:,} coordinates"
            raise ValueError(checks.refusal("levels", where, accepted, self.levels))
        if self.classes > self.tuples:
            accepted = (
                f"at most vocabulary^children, {self.tuples:,}, because each class has rules of its own"
            )
            raise ValueError(checks.refusal("classes", where, accepted, self.classes))
        most = self.tuples // (max(self.vocabulary, self.classes) if self.levels > 1 else self.classes)
        if self.synonyms > most:
            accepted = f"an integer from 1 to {most}, because rules are distinct tuples"
            raise ValueError(checks.refusal("synonyms", where, accepted, self.synonyms))
        self.channel.check_rate(self.classes, where)

    @property
    def tuples(self) -> int:
        """v^s, the number of tuples of features."""
        return self.vocabulary**self.children

    @property
    def length(self) -> int:
        """s^L, the number of symbols of an input."""
        return self.children**self.levels

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input, v s^L."""
        return self.vocabulary * self.length

    @property
    def output_dim(self) -> int:
        """Number of classes."""
        return self.classes

    @property
    def noise(self) -> float:
        """The smallest possible risk: the rate of flips, or the entropy of a label in nats."""
        return self.channel.smallest_risk(self.loss, self.classes)

    @property
    def target_variance(self) -> float:
        """Excess risk of the best constant prediction, which gives all classes equal probability."""
        constant = math.log(self.classes) if self.loss == "log" else 1 - 1 / self.classes
        return constant - self.noise

    @property
    def strings(self) -> int:
        """Number of different inputs that a grammar derives, n_c m^((s^L - 1) / (s - 1))."""
        rules = (self.length - 1) // (self.children - 1)
        return int(self.classes * self.synonyms**rules)

    @property
    def characteristic_examples(self) -> int:
        """The number n_c m^L: from about this number on, class counts tell synonyms from other tuples."""
        return int(self.classes * self.synonyms**self.levels)

    @property
    def grammar_bits(self) -> float:
        """log2 of the number of grammars; grammars that differ only in names of features count as one."""
        nats = 0.0
        for level in range(self.levels):
            parents = self.classes if level == 0 else self.vocabulary
            rest = self.tuples - parents * self.synonyms
            nats += gammaln(self.tuples + 1) - gammaln(rest + 1) - parents * gammaln(self.synonyms + 1)
        nats -= (self.levels - 1) * gammaln(self.vocabulary + 1)
        return float(nats / math.log(2))

    @property
    def information_examples(self) -> float:
        """Number of noiseless labels that have as many bits as a grammar: `grammar_bits` / log2 n_c.

        Fewer labels can be enough, because inputs also show which tuples are rules, unless all tuples are.
        """
        return self.grammar_bits / math.log2(self.classes)

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for the class of all functions, and for networks that can parse.

        A `PatchNetwork` with the grammar's patches can parse if it has a rectified unit for each rule of a
        level.  In a patch, the s features of the rule are derived by rules of the level below.  The rule's
        unit adds the outputs of the units of these rules, and subtracts s - 1.  It is 1 if the rule occurs,
        and otherwise 0.
        """
        network = function_class.network
        if isinstance(network, PatchNetwork) and network.activation == "relu":
            shape = (network.channels, network.patch, network.levels, network.classes)
            if shape == (self.vocabulary, self.children, self.levels, self.classes):
                below = self.vocabulary if self.levels > 1 else 0
                if network.width >= self.synonyms * max(self.classes, below):
                    return ZERO
        return super().realizability(function_class)

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError if an input is not a string of one-hot vectors, see `Setting.check_inputs`."""
        check_strings(x, self.vocabulary, where)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs of one random grammar, see `Setting.inputs`; `inputs_of` draws inputs of a teacher."""
        return self.inputs_of(self.teacher(rng), count, rng)

    def inputs_of(self, teacher: Any, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs that the rules of a teacher derive, float64 (count, v s^L), see `Setting.inputs_of`."""
        return one_hot_strings(teacher.draw(count, rng), self.vocabulary)

    def teacher(self, rng: np.random.Generator) -> Grammar:
        """Draw a grammar, see `Setting.teacher`."""
        rules = []
        for level in range(self.levels):
            parents = self.classes if level == 0 else self.vocabulary
            codes = rng.choice(self.tuples, parents * self.synonyms, replace=False)
            rules.append(decoded(codes, self.vocabulary, self.children).reshape(parents, self.synonyms, -1))
        return Grammar(self.vocabulary, tuple(rules))


@dataclass(frozen=True, eq=False)
class Grammar:
    """A teacher of `RandomHierarchy`: its rules, which derive inputs and parse them.

    Attributes
    ----------
    vocabulary : int
        v, the number of features of each level below the classes.
    rules : tuple of ndarray of int64
        The rules of each level, from the classes down.  The shape is (classes, m, s) on the first level and
        (v, m, s) on the others.
    """

    vocabulary: int
    rules: tuple[NDArray[np.int64], ...]

    def __call__(self, x: Array) -> Array:
        """Return one-hot vectors of the classes of inputs, float64 (N, classes).

        An input that the rules do not derive has no class.  It gets the value 1 / classes for each class.
        """
        classes = len(self.rules[0])
        table = np.vstack([np.eye(classes), np.full(classes, 1 / classes)])
        return table[self.parse(symbols(x, self.vocabulary))]

    def parse(self, strings: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class of each string, int64 (N,); -1 for strings that the rules do not derive.

        Parameters
        ----------
        strings : int64, (N, s^L)
            Strings of symbols from 0 to v - 1.
        """
        for parents, rules in zip(reversed(self._parents), reversed(self.rules), strict=True):
            strings = parents[codes_of(strings, self.vocabulary, rules.shape[2])]
        return strings[:, 0]

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw strings, int64 (count, s^L): the classes and the rules have equal probabilities.

        Parameters
        ----------
        count : int
            Number of strings, >= 1.
        rng : numpy.random.Generator
            Source of randomness.
        """
        strings = rng.integers(0, len(self.rules[0]), (count, 1))
        for rules in self.rules:
            strings = rules[strings, rng.integers(0, rules.shape[1], strings.shape)].reshape(count, -1)
        return strings

    @functools.cached_property
    def _parents(self) -> list[NDArray[np.int64]]:
        """The parent of each tuple on each level, (v^s + 1,); -1 for tuples that are no rule."""
        tables = []
        for rules in self.rules:
            table = np.full(self.vocabulary ** rules.shape[2] + 1, -1, dtype=np.int64)
            codes = codes_of(rules.reshape(len(rules), -1), self.vocabulary, rules.shape[2])
            table[codes] = np.arange(len(rules))[:, None]
            tables.append(table)
        return tables


def codes_of(strings: NDArray[np.int64], vocabulary: int, children: int) -> NDArray[np.int64]:
    """Return a number for each patch of neighbouring symbols, int64 (N, length / children).

    Parameters
    ----------
    strings : int64, (N, length)
        Strings of symbols from 0 to vocabulary - 1, or -1 for an unknown symbol.
    vocabulary : int
        v, the number of symbols.
    children : int
        s, the number of symbols of a patch.

    Returns
    -------
    codes : ndarray of int64, (N, length / children)
        The number of a patch, from 0 to v^s - 1; -1 for patches with an unknown symbol.
    """
    patches = strings.reshape(len(strings), -1, children)
    codes = patches @ (vocabulary ** np.arange(children)[::-1])
    return np.where((patches < 0).any(2), -1, codes)


def decoded(codes: NDArray[np.int64], vocabulary: int, children: int) -> NDArray[np.int64]:
    """Return the symbols of each patch from its number, int64 (N, children); the inverse of `codes_of`.

    Parameters
    ----------
    codes : int64, (N,)
        Numbers of patches, from 0 to v^s - 1.
    vocabulary : int
        v, the number of symbols.
    children : int
        s, the number of symbols of a patch.
    """
    return codes[:, None] // vocabulary ** np.arange(children)[::-1] % vocabulary


def one_hot_strings(strings: NDArray[np.int64], vocabulary: int) -> Array:
    """Return the concatenated one-hot vectors of the symbols of each string, float64 (N, v length).

    Parameters
    ----------
    strings : int64, (N, length)
        Strings of symbols from 0 to vocabulary - 1.
    vocabulary : int
        v, the number of symbols.
    """
    return np.eye(vocabulary)[strings].reshape(len(strings), -1)


def symbols(x: Array, vocabulary: int) -> NDArray[np.int64]:
    """Return the strings of symbols of one-hot inputs, int64 (N, length); the inverse of `one_hot_strings`.

    Parameters
    ----------
    x : float64, (N, v length)
        Concatenated one-hot vectors.
    vocabulary : int
        v, the number of symbols.
    """
    return np.asarray(x.reshape(len(x), -1, vocabulary).argmax(2), dtype=np.int64)


def check_tuples(vocabulary: int, children: int, where: str) -> None:
    """Raise ValueError if there are more than `MOST_TUPLES` tuples of `children` features.

    Parameters
    ----------
    vocabulary : int
        Number of different features, >= 2.
    children : int
        Number of features in a tuple, >= 2.
    where : str
        Name of the calling class, for error messages.
    """
    if children > 64 or children * math.log2(vocabulary) > math.log2(MOST_TUPLES):
        accepted = f"such that vocabulary^children is at most {MOST_TUPLES:,}"
        raise ValueError(checks.refusal("vocabulary", where, accepted, vocabulary))


def check_strings(x: Array, vocabulary: int, where: str) -> None:
    """Raise ValueError if inputs are not concatenated one-hot vectors.

    Parameters
    ----------
    x : float64, (N, dim)
        The inputs.
    vocabulary : int
        Length of a one-hot vector.
    where : str
        Name of the calling function, for error messages.
    """
    accepted = f"one-hot vectors of {vocabulary} coordinates, one after another"
    if x.shape[1] % vocabulary:
        raise ValueError(checks.refusal("x", where, accepted, f"<shape {x.shape}>"))
    each = x.reshape(len(x), -1, vocabulary)
    wrong = ((each != 0) & (each != 1)).any(2) | (each.sum(2) != 1)
    if wrong.any():
        raise ValueError(checks.refusal("x", where, accepted, each[wrong][0].tolist()))
