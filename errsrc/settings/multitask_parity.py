"""Many sparse parities with Zipf frequencies: a sum of cliffs that looks like a power law."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import choice, instance, integer, number
from errsrc.results import Interval
from errsrc.settings.channels import Flips
from errsrc.settings.classes import FunctionClass
from errsrc.settings.parity import (
    SparseParity,
    check_coordinates,
    check_parities,
    class_probabilities,
    holds_rectified_units,
)
from errsrc.settings.setting import ZERO, Array, Predictor, Setting

MOST_TASKS = 2**16
"""Largest number of tasks: an input has a coordinate for each task."""


@dataclass(frozen=True)
class MultitaskParity(Setting):
    """A setting of many tasks: an input says which task it is, and each task is a sparse parity of its own.

    The first coordinates of an input are the one-hot vector of its task.  The frequency of task i is
    proportional to i^-(1 + decay).  The other coordinates are -1 or 1 with equal probability.  Each task has
    its own random set of `size` of these coordinates.  The label is the class 0 if the product of the
    coordinates of the task's set is 1, and the class 1 if it is -1.  With the probability `channel.rate` the
    label is flipped.

    Parameters
    ----------
    tasks : int
        Number of tasks, from 1 to 65,536.
    dim : int
        d, the number of coordinates that are -1 or 1, >= 1.
    size : int
        k, the number of coordinates of a product, from 1 to d, see `SparseParity`.
    decay : float
        Decay of the frequencies, alpha, >= -1: the frequency of task i is proportional to i^-(1 + alpha).
    loss : str
        "zero-one", the error rate if the most probable class is predicted; or "log", the cross-entropy of the
        predicted class probabilities in nats.
    channel : Flips
        The label flips, at a rate < 1/2.

    Notes
    -----
    This is the multitask sparse parity of Michaud, Liu, Girit and Tegmark 2023 (arXiv 2303.13506).  A network
    learns a task after some number T of examples of this task.  After n examples it has learned the tasks
    with n p_i > T, where p_i is the frequency of task i.  Therefore the risk falls about as
    n^-(alpha / (1 + alpha)), until the last task is learned.  The sum over tasks is
    ``errsrc.theory.memorising(n, setting.frequencies, examples=T) / 2``.  Each summand is a cliff, not a
    power law.  The uncertainty is exact, because the posterior of each task is exact.

    Examples
    --------
    >>> setting = MultitaskParity(tasks=3, dim=10, size=2, decay=0.6)
    >>> setting.input_dim, setting.frequencies.round(3)
    (13, array([0.666, 0.22 , 0.115]))
    """

    tasks: int = integer(at_least=1, at_most=MOST_TASKS)
    dim: int = integer(at_least=1)
    size: int = integer(3, at_least=1)
    decay: float = number(1.0, at_least=-1)
    loss: str = choice("zero-one", ("log", "zero-one"))
    _: KW_ONLY
    channel: Flips = instance(Flips, "Flips(...)", Flips())

    def __post_init__(self) -> None:
        super().__post_init__()
        check_parities(self.dim, self.size, self.channel, "MultitaskParity")

    @property
    def task(self) -> SparseParity:
        """The setting of a single task."""
        return SparseParity(self.dim, self.size, self.loss, channel=self.channel)

    @property
    def frequencies(self) -> Array:
        """Probability of each task, float64 (tasks,)."""
        raw = np.arange(1, self.tasks + 1, dtype=np.float64) ** -(1 + self.decay)
        return raw / raw.sum()

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input, tasks + d."""
        return self.tasks + self.dim

    @property
    def output_dim(self) -> int:
        """Number of classes, 2."""
        return 2

    @property
    def noise(self) -> float:
        """The smallest possible risk: the rate of flips, or the entropy of a flip in nats."""
        return self.task.noise

    @property
    def target_variance(self) -> float:
        """Excess risk of the best constant prediction, which gives both classes equal probability."""
        return self.task.target_variance

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for all functions and for networks that express all tasks, see `Setting.realizability`.

        A network with one hidden layer of tasks x (k + 1) rectified units expresses all tasks.  The k + 1
        units of a task are those of `SparseParity.realizability`.  A large weight of the one-hot vector makes
        these units 0 on the inputs of other tasks.
        """
        enough = holds_rectified_units(function_class, self.input_dim, self.tasks * (self.size + 1))
        return ZERO if enough else super().realizability(function_class)

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError if an input has no task, or a coordinate is not -1 or 1.

        See `Setting.check_inputs`.
        """
        marks = x[:, : self.tasks]
        wrong = ((marks != 0) & (marks != 1)).any(1) | (marks.sum(1) != 1)
        if wrong.any():
            accepted = (
                f"a one-hot vector of {self.tasks} coordinates, before the coordinates that are -1 or 1"
            )
            raise ValueError(checks.refusal("x", where, accepted, marks[wrong][0].tolist()))
        check_coordinates(x[:, self.tasks :], where)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, float64 (count, tasks + dim), see `Setting.inputs`."""
        tasks = rng.choice(self.tasks, count, p=self.frequencies)
        marks = np.zeros((count, self.tasks))
        marks[np.arange(count), tasks] = 1.0
        return np.hstack([marks, self.task.inputs(count, rng)])

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a set of coordinates for each task; the values of the teacher are one-hot vectors, (N, 2).

        See `Setting.teacher`.
        """
        sets = np.stack([rng.choice(self.dim, self.size, replace=False) for _ in range(self.tasks)])
        return functools.partial(_class_of_task, sets)

    def predictive(self, x: Array, y: NDArray[np.int64], at: Array) -> Array:
        """Return the posterior probability of each class as the label of new examples, float64 (N, 2).

        Parameters
        ----------
        x : float64, (n, tasks + dim)
            Inputs of the labelled examples.
        y : int64, (n,)
            Labels of the examples, 0 or 1.
        at : float64, (N, tasks + dim)
            Inputs of the new examples.
        """
        x, y, at = self._checked(x, y, at, "predictive")
        out = np.empty((len(at), 2))
        for rows, bits, labels in self._by_task(x, y, at):
            out[rows] = self.task.predictive(bits, labels, at[rows, self.tasks :])
        return out

    def most_probable(self, x: Array, y: NDArray[np.int64], at: Array) -> tuple[Array, bool]:
        """Return the predictions of the most probable parity of each task.

        Parameters
        ----------
        x : float64, (n, tasks + dim)
            Inputs of the labelled examples.
        y : int64, (n,)
            Labels of the examples, 0 or 1.
        at : float64, (N, tasks + dim)
            Inputs of the new examples.

        Returns
        -------
        probabilities : ndarray of float64, (N, 2)
            The predictions, see `SparseParity.most_probable`.
        certain : bool
            Whether only one parity can be the teacher's, for each task of the new examples.
        """
        x, y, at = self._checked(x, y, at, "most_probable")
        out, certain = np.empty((len(at), 2)), True
        for rows, bits, labels in self._by_task(x, y, at):
            out[rows], known = self.task.most_probable(bits, labels, at[rows, self.tasks :])
            certain &= known
        return out, certain

    def _checked(
        self, x: Array, y: NDArray[np.int64], at: Array, where: str
    ) -> tuple[Array, NDArray[np.int64], Array]:
        """Return inputs and labels as arrays; raise ValueError for wrong shapes or values."""
        x, y, at = np.asarray(x, dtype=np.float64), np.asarray(y), np.asarray(at, dtype=np.float64)
        for name, inputs in (("x", x), ("at", at)):
            if inputs.ndim != 2 or inputs.shape[1] != self.input_dim:
                accepted = f"an array of shape (n, {self.input_dim})"
                raise ValueError(checks.refusal(name, where, accepted, f"<shape {inputs.shape}>"))
            self.check_inputs(inputs, where)
        if y.shape != x.shape[:1] or not np.isin(y, (0, 1)).all():
            raise ValueError(checks.refusal("y", where, "a label 0 or 1 for each input", y))
        return x, y, at

    def _by_task(
        self, x: Array, y: NDArray[np.int64], at: Array
    ) -> Iterator[tuple[NDArray[np.bool_], Array, NDArray[np.int64]]]:
        """Yield, for each task of the inputs `at`: its rows of `at`, and bits and labels of its examples."""
        trained, new = (one[:, : self.tasks].argmax(1) for one in (x, at))
        for task in np.unique(new):
            own = trained == task
            yield new == task, x[own, self.tasks :], y[own]


def _class_of_task(sets: NDArray[np.int64], x: Array) -> Array:
    """Return a teacher's values; a function of the module, so that teachers can be pickled."""
    chosen = sets[x[:, : len(sets)].argmax(1)]
    return class_probabilities(np.take_along_axis(x[:, len(sets) :], chosen, 1).prod(1))
