"""Teachers that are tables with a class for each item: Hutter's setting, in which learning is memorising."""

from __future__ import annotations

import functools
import math
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import choice, instance, integer, number
from errsrc.settings.channels import Flips
from errsrc.settings.setting import Array, Predictor, Setting


@dataclass(frozen=True)
class TableTeacher(Setting):
    """A setting with teachers that give each of several items a random class.

    The frequency of item i is proportional to i^-(1 + decay).

    This is the model of Hutter 2021 (arXiv 2102.04074) with any number of classes and with label flips.  The
    posterior has a closed form.  Given the data, all classes are equally likely for an item without examples.
    For an item with examples, the posterior depends on how often each label occurred with that item.

    Parameters
    ----------
    items : int
        Number of items, >= 1.
    classes : int
        Number of classes, >= 2.
    decay : float
        Decay of the frequencies: the frequency of item i is proportional to i^-(1 + decay).
    loss : str
        "log", the cross-entropy of the predicted class probabilities in nats; or "zero-one", the error rate
        if the most probable class is predicted.
    channel : Flips
        The label flips.  Their rate is at most 1 - 1 / classes.  Therefore no label is more probable than the
        teacher's class.

    Examples
    --------
    >>> TableTeacher(items=10, classes=4, channel=Flips(0.1)).noise
    0.1
    """

    items: int = integer(at_least=1)
    classes: int = integer(2, at_least=2)
    decay: float = number(1.0)
    loss: str = choice("zero-one", ("log", "zero-one"))
    _: KW_ONLY
    channel: Flips = instance(Flips, "Flips(...)", Flips())

    def __post_init__(self) -> None:
        super().__post_init__()
        self.channel.check_rate(self.classes, "TableTeacher")

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input: 1, the index of an item."""
        return 1

    @property
    def output_dim(self) -> int:
        """Number of classes."""
        return self.classes

    @property
    def probabilities(self) -> Array:
        """Probability of each item, float64 (items,)."""
        raw = np.arange(1, self.items + 1, dtype=np.float64) ** -(1 + self.decay)
        return raw / raw.sum()

    @property
    def noise(self) -> float:
        """The smallest possible risk.

        For the zero-one loss, this is the rate of flips.  For the log loss, it is the entropy of a label
        given the item's class, in nats.
        """
        return self.channel.smallest_risk(self.loss, self.classes)

    @property
    def target_variance(self) -> float:
        """Excess risk of the best constant prediction, which gives all classes equal probability."""
        constant = math.log(self.classes) if self.loss == "log" else 1 - 1 / self.classes
        return constant - self.noise

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError if an input is not the index of an item, see `Setting.check_inputs`."""
        others = x[~np.isin(x, np.arange(self.items))]
        if len(others):
            accepted = f"items, integers from 0 to {self.items - 1}"
            raise ValueError(checks.refusal("x", where, accepted, others[0]))

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw items by their frequency: indices from 0 to items - 1, as float64 (count, 1)."""
        return rng.choice(self.items, (count, 1), p=self.probabilities).astype(np.float64)

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a table of classes; the values of the teacher are one-hot vectors, (N, classes).

        See `Setting.teacher`.
        """
        table = np.eye(self.classes)[rng.integers(0, self.classes, self.items)]
        return functools.partial(_looked_up, table)

    def predictive(self, x: Array, y: NDArray[np.int64]) -> Array:
        """Return, for each item, the posterior probabilities of the label of a new example.

        Parameters
        ----------
        x : float64, (n, 1)
            Indices of the items of the labelled examples.
        y : int64, (n,)
            Labels of the examples.

        Returns
        -------
        array
            Probability of each class as the label of a new example of each item, float64 (items, classes).
        """
        counts = np.zeros((self.items, self.classes))
        np.add.at(counts, (x[:, 0].astype(np.int64), y), 1.0)
        rate, others = self.channel.rate, self.classes - 1
        if rate == 0:
            seen = counts.sum(1, keepdims=True) > 0
            return np.where(seen, (counts > 0).astype(float), 1 / self.classes)
        odds = counts * math.log((1 - rate) * others / rate)
        weights = np.exp(odds - odds.max(1, keepdims=True))
        posterior = weights / weights.sum(1, keepdims=True)
        return posterior * (1 - rate) + (1 - posterior) * rate / others


def expected_loss(truth: Array, predicted: Array, loss: str) -> Array:
    """Return the expected loss of predicted class probabilities.

    Parameters
    ----------
    truth : float64, (N, classes)
        The true probabilities.
    predicted : float64, (N, classes)
        The predicted probabilities.  For "zero-one", they may be any scores: the class with the largest score
        is predicted.  If several classes have the largest score, a random one of these classes is predicted.
    loss : str
        "log" (nats) or "zero-one".

    Returns
    -------
    array
        The expected loss at each of the N inputs, float64 (N,).
    """
    if loss == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.where(truth > 0, truth * np.log(predicted), 0.0).sum(1)
    most = predicted.max(1, keepdims=True)
    best = predicted >= most - 1e-12 * np.abs(most)
    return 1 - (truth * best).sum(1) / best.sum(1)


def _looked_up(table: Array, x: Array) -> Array:
    """Return the rows of a teacher's table; a function of the module, so that teachers can be pickled."""
    return np.asarray(table[x[:, 0].astype(np.int64)])
