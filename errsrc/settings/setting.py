"""The interface of a setting: a distribution of inputs, a prior over teachers, a label channel and a loss."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import Checked
from errsrc.results import Interval
from errsrc.settings.channels import Channel
from errsrc.settings.classes import FunctionClass

Array = NDArray[np.float64]
Predictor = Callable[[Array], Array]
"""A function of inputs (N, dim) with values (N,) or (N, outputs): a teacher, or a fitted predictor."""

LOSSES = ("squared", "log", "zero-one")
"""Squared error, summed over outputs; cross-entropy in nats; error rate of the most probable class."""

ZERO = Interval(0.0, 0.0, 0.0, 0.95)
"""A realizability of exactly 0."""


@dataclass(frozen=True)
class Setting(Checked, abc.ABC):
    """A learning problem with a known distribution of inputs, teachers and label noise, and a known loss.

    A subclass is a frozen dataclass of plain numbers.  It defines `inputs`, `teacher`, `noise`,
    `target_variance` and `channel` (as a field or as a property).  If its loss is not the squared loss, the
    subclass also defines `loss`.  A subclass also defines `realizability` and `n_nyquist` if their values are
    known.
    """

    @property
    @abc.abstractmethod
    def channel(self) -> Channel:
        """The label channel: how labels are drawn, given the teacher's values."""

    @property
    def loss(self) -> str:
        """Name of the loss, one of `LOSSES`."""
        return "squared"

    @property
    @abc.abstractmethod
    def noise(self) -> float:
        """The risk that no predictor can avoid, in the units of the loss."""

    @property
    @abc.abstractmethod
    def target_variance(self) -> float:
        """Smallest excess risk of a constant prediction, before any example is seen.

        The constant is the same for all teachers.  The target variance therefore includes the variance of the
        teachers' means.  The target variance is the largest excess risk that learning can remove.  For the
        squared loss, the target variance is the variance of the teachers' values over teachers and inputs,
        summed over outputs.
        """

    @abc.abstractmethod
    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs of labelled examples.

        Parameters
        ----------
        count : int
            Number of inputs, >= 1.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            The inputs, float64 (count, dim).
        """

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw test inputs; the default method draws them as `inputs` does.

        Parameters
        ----------
        count : int
            Number of inputs, >= 1.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            The test inputs, float64 (count, dim).  There are fewer rows if the setting has fewer than `count`
            test inputs.
        """
        return self.inputs(count, rng)

    def inputs_of(self, teacher: Any, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs of the examples that a teacher labels; the default method calls `inputs`.

        A setting overrides this method if the distribution of the inputs depends on the teacher.  `inputs`
        then draws inputs of a random teacher.

        Parameters
        ----------
        teacher : callable
            A teacher of this setting.
        count : int
            Number of inputs, >= 1.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            The inputs, float64 (count, dim).
        """
        return self.inputs(count, rng)

    def fresh_of(self, teacher: Any, count: int, rng: np.random.Generator) -> Array:
        """Draw test inputs of a teacher.

        The default method calls `inputs_of` if the setting overrides `inputs_of`, and otherwise `fresh`.

        Parameters
        ----------
        teacher : callable
            A teacher of this setting.
        count : int
            Number of inputs, >= 1.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            The test inputs, float64 (count, dim), see `fresh`.
        """
        return self.inputs_of(teacher, count, rng) if self.has_own_inputs else self.fresh(count, rng)

    @property
    def has_own_inputs(self) -> bool:
        """Whether the inputs depend on the teacher, because a subclass defines `inputs_of`."""
        return type(self).inputs_of is not Setting.inputs_of

    @abc.abstractmethod
    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior.

        A teacher is a function that maps inputs (N, dim) to values (N,) or (N, outputs).

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        """

    def teachers(self, rngs: Sequence[np.random.Generator]) -> list[Any]:
        """Draw a teacher from each generator.

        The default method calls `teacher` for each generator.  A setting whose teachers are trained networks
        trains all of them at once.

        Parameters
        ----------
        rngs : sequence of numpy.random.Generator
            A source of randomness for each teacher.
        """
        return [self.teacher(rng) for rng in rngs]

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the mean over teachers of the smallest excess risk that a function of a class can have.

        The excess risk is the risk minus the noise.

        Parameters
        ----------
        function_class : FunctionClass
            The class.

        Returns
        -------
        Interval
            The mean as an `errsrc.results.Interval`, of width 0 if the value is exact.  The realizability of
            the class of all functions is 0.

        Raises
        ------
        ValueError
            If functions of the class do not take this setting's inputs, or if the realizability is not known.
        """
        if function_class.unrestricted:
            return ZERO
        accepted = f"a function class that {type(self).__name__} can measure"
        raise ValueError(checks.refusal("function_class", "realizability", accepted, function_class))

    @property
    def n_nyquist(self) -> int | None:
        """Smallest n at which a learner with full prior knowledge can be exact; None if this is not known."""
        return None

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input."""
        shape = np.shape(self.inputs(1, np.random.default_rng(0)))
        if len(shape) != 2 or shape[0] != 1:
            accepted = "one whose inputs(count, rng) are of shape (count, dim)"
            got = f"<inputs(1, rng) of shape {shape}>"
            raise ValueError(checks.refusal("setting", type(self).__name__, accepted, got))
        return int(shape[1])

    @property
    def output_dim(self) -> int | None:
        """Number of outputs of a teacher; None if the number is known only after a teacher was drawn."""
        return None

    @property
    def pool_size(self) -> int | None:
        """Number of inputs that can be labelled; None if any number of inputs can be drawn."""
        return None

    @property
    def test_pool_size(self) -> int | None:
        """Number of test inputs; None if any number of inputs can be drawn."""
        return None

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError if inputs are outside the setting's domain; the default method accepts all inputs.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            Finite inputs with the right number of coordinates.
        where : str
            Name of the calling function, for error messages.

        Raises
        ------
        ValueError
            If an input is outside the domain.
        """

    def check_pool(self, n: int, where: str) -> None:
        """Raise ValueError if the setting has fewer than `n` inputs that can be labelled.

        `errsrc.budget` calls this method before it computes anything, and `errsrc run` before the first cell.
        The default method compares `n` with `pool_size`.

        Parameters
        ----------
        n : int
            Number of labelled examples.
        where : str
            Name of the calling function or class, for error messages.

        Raises
        ------
        ValueError
            If `n` is too large.
        """
        pool = self.pool_size
        if pool is not None and n > pool:
            accepted = f"an integer <= {pool}, the number of inputs of the setting that can be labelled"
            raise ValueError(checks.refusal("n", where, accepted, n))

    def check_data(self) -> None:
        """Raise an error if data that the setting needs are not on this machine.

        Raises
        ------
        FileNotFoundError, ValueError
            If files of `errsrc.datasets` are missing or damaged.
        """

    def sampling_matrix(self, x: Array) -> Array | None:
        """Return the matrix that maps a teacher's coefficients to its values at inputs.

        The singular values of the matrix measure how well the inputs determine a teacher.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs of labelled examples.

        Returns
        -------
        array or None
            The matrix, float64 (n, M), for teachers that are linear in M coefficients; None for other
            teachers.
        """
        return None
