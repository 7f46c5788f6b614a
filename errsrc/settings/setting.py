"""What a setting is: a distribution of inputs, a prior over teachers, a label channel and a loss."""

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
    """A learning problem whose inputs, teachers, label noise and loss are all known.

    A subclass is a frozen dataclass of plain numbers.  It defines `inputs`, `teacher`, `noise`,
    `target_variance` and `channel` (as a field or as a property).  It defines `loss` if the loss is not the
    squared loss, and `realizability` and `n_nyquist` if they are known.
    """

    @property
    @abc.abstractmethod
    def channel(self) -> Channel:
        """The label channel: how labels come from the teacher's values."""

    @property
    def loss(self) -> str:
        """One of `LOSSES`."""
        return "squared"

    @property
    @abc.abstractmethod
    def noise(self) -> float:
        """The risk that no predictor can avoid, in the units of the loss."""

    @property
    @abc.abstractmethod
    def target_variance(self) -> float:
        """The excess risk of the best constant that is chosen before any example is seen.

        The constant is the same for all teachers, so the target variance includes the variance of the
        teachers' means.  It is the largest excess risk that learning can remove.  For the squared loss it is
        the variance of a value over teachers and inputs, summed over outputs.
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
            float64 (count, dim).
        """

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw test inputs; by default from the same distribution as `inputs`.

        Parameters
        ----------
        count : int
            Number of inputs, >= 1.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            float64 (count, dim); fewer rows if the setting has fewer test inputs.
        """
        return self.inputs(count, rng)

    @abc.abstractmethod
    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior: a function of inputs (N, dim), with values (N,) or (N, outputs).

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        """

    def teachers(self, rngs: Sequence[np.random.Generator]) -> list[Any]:
        """Draw a teacher from each generator; a setting whose teachers are trained trains them all at once.

        Parameters
        ----------
        rngs : sequence of numpy.random.Generator
            Source of randomness of each teacher.
        """
        return [self.teacher(rng) for rng in rngs]

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the mean over teachers of the smallest risk in a class, less the noise.

        Parameters
        ----------
        function_class : FunctionClass
            The class.

        Returns
        -------
        Interval
            An `errsrc.results.Interval`, of width 0 if it is exact; 0 for the class of all functions.

        Raises
        ------
        ValueError
            For a class that does not take this setting's inputs, or whose realizability is not known.
        """
        if function_class.unrestricted:
            return ZERO
        accepted = f"a function class that {type(self).__name__} can measure"
        raise ValueError(checks.refusal("function_class", "realizability", accepted, function_class))

    @property
    def n_nyquist(self) -> int | None:
        """The smallest n at which a learner with full prior knowledge can be exact; None if not known."""
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
        """Number of outputs of a teacher; None where it is not known without drawing one."""
        return None

    @property
    def pool_size(self) -> int | None:
        """Number of inputs that can be labelled; None where any number of inputs can be drawn."""
        return None

    @property
    def test_pool_size(self) -> int | None:
        """Number of test inputs; None where any number of inputs can be drawn."""
        return None

    def check_inputs(self, x: Array, where: str) -> None:
        """Raise ValueError for inputs outside the setting's domain; by default all inputs are accepted.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            Inputs, finite and of the right number of coordinates.
        where : str
            Name of the function that error messages name.

        Raises
        ------
        ValueError
            For inputs outside the domain.
        """

    def check_data(self) -> None:
        """Raise if data that the setting needs are not on this machine.

        Raises
        ------
        FileNotFoundError, ValueError
            If files of `errsrc.datasets` are missing or damaged.
        """

    def sampling_matrix(self, x: Array) -> Array | None:
        """Return the matrix that maps the teacher's coefficients to its values at inputs, or None.

        The matrix's singular values measure how well the inputs determine a teacher.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs of labelled examples.

        Returns
        -------
        array or None
            float64 (n, M); None for teachers that are not linear in M coefficients.
        """
        return None
