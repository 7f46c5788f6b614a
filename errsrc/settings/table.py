"""Tables of classes over items of unequal frequency: Hutter's setting, where learning is memorising."""

from __future__ import annotations

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
    """A random class for each of several items; item i has a frequency proportional to i^-(1 + decay).

    The model of Hutter 2021 (arXiv 2102.04074) with classes and label flips.  The posterior has a closed form
    for any loss: given the data, the class of an item without examples is uniform, and the posterior of any
    other item depends on the counts of its labels.

    Parameters
    ----------
    items : int
        Number of items, >= 1.
    classes : int
        Number of classes, >= 2.
    decay : float
        Exponent of the frequencies in excess of 1, see above.
    loss : str
        "log", cross-entropy in nats of predicted class probabilities; or "zero-one", the error rate of the
        most probable class.
    channel : Flips
        Label flips, at a rate of at most 1 - 1 / classes, so that the teacher's class is the likeliest label.

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
        if self.channel.rate > 1 - 1 / self.classes:
            accepted = f"Flips at a rate of at most {1 - 1 / self.classes:.6g}"
            raise ValueError(checks.refusal("channel", "TableTeacher", accepted, self.channel))

    @property
    def input_dim(self) -> int:
        """1: an input is the number of an item."""
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
        """The rate of flips, or the entropy of a label given its item's class, in nats."""
        rate = self.channel.rate
        if self.loss == "zero-one" or rate == 0:
            return rate
        return -(1 - rate) * math.log(1 - rate) - rate * math.log(rate / (self.classes - 1))

    @property
    def target_variance(self) -> float:
        """See `Setting.target_variance`; the best constant gives all classes the same probability."""
        constant = math.log(self.classes) if self.loss == "log" else 1 - 1 / self.classes
        return constant - self.noise

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError for inputs that are not numbers of items, see `Setting.check_inputs`."""
        others = x[~np.isin(x, np.arange(self.items))]
        if len(others):
            accepted = f"items, integers from 0 to {self.items - 1}"
            raise ValueError(checks.refusal("x", where, accepted, others[0]))

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw items by their frequency: numbers from 0 to items - 1, as float64 (count, 1)."""
        return rng.choice(self.items, (count, 1), p=self.probabilities).astype(np.float64)

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a table, whose values are one-hot, (N, classes); see `Setting.teacher`."""
        table = np.eye(self.classes)[rng.integers(0, self.classes, self.items)]
        return lambda x: table[x[:, 0].astype(np.int64)]

    def predictive(self, x: Array, y: NDArray[np.int64]) -> Array:
        """Return the posterior probabilities of a new label of each item.

        Parameters
        ----------
        x : float64, (n, 1)
            Items of the labelled examples.
        y : int64, (n,)
            Their labels.

        Returns
        -------
        array
            float64 (items, classes).
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
        The predicted probabilities; for "zero-one" any scores, where the class with the largest score is
        predicted, and tied classes are equally likely.
    loss : str
        "log" (nats) or "zero-one".

    Returns
    -------
    array
        float64 (N,).
    """
    if loss == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.where(truth > 0, truth * np.log(predicted), 0.0).sum(1)
    most = predicted.max(1, keepdims=True)
    best = predicted >= most - 1e-12 * np.abs(most)
    return 1 - (truth * best).sum(1) / best.sum(1)
