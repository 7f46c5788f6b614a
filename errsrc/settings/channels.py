"""Label channels: how the labels of a learner's examples depend on the teacher's values."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import Checked, number


@dataclass(frozen=True)
class Channel(Checked, abc.ABC):
    """A label channel: how labels are drawn, given the teacher's values.

    A subclass defines `label`.  If its labels are classes, the subclass also sets `labels` to "classes" and
    defines `probabilities`.

    Attributes
    ----------
    labels : str
        "values" if labels are numbers, float64, with the teacher's value as their mean; "classes" if labels
        are classes, int64, from 0.
    noise_std : float
        Standard deviation of the normal noise that is added to each value; 0 for channels without such noise.
    """

    labels: ClassVar[str] = "values"
    noise_std = 0.0  # not annotated, so that it is no field here

    @abc.abstractmethod
    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return labels for a teacher's values.

        Parameters
        ----------
        values : float64, (N,) or (N, outputs)
            The teacher's values at N inputs.  If the labels are classes, the shape is (N, classes).
        rng : numpy.random.Generator
            Source of the labels' noise.

        Returns
        -------
        array
            The labels: float64 of the same shape as `values`, or classes, int64 (N,).
        """

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each class given a teacher's values.

        Parameters
        ----------
        values : float64, (N, classes)
            The teacher's values.

        Returns
        -------
        array
            The probabilities, float64 (N, classes).  Each row has the sum 1.

        Raises
        ------
        TypeError
            If the channel does not define these probabilities.
        """
        accepted = "a channel that defines the probabilities of classes"
        raise TypeError(checks.refusal("channel", "probabilities", accepted, self))

    @property
    def noise_is_constant(self) -> bool:
        """Whether the smallest possible risk is the same at all inputs; needed only if labels are classes."""
        return False

    @property
    def jumps(self) -> bool:
        """Whether the class probabilities are a discontinuous function of the teacher's values."""
        return False


@dataclass(frozen=True)
class Clean(Channel):
    """A channel without noise: labels are the teacher's values."""

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return the values themselves, see `Channel.label`."""
        return values


@dataclass(frozen=True)
class Gaussian(Channel):
    """A channel whose labels are the teacher's values plus independent normal noise.

    Parameters
    ----------
    noise_std : float
        Standard deviation of the noise, at least 1e-100: the square of a smaller number may be 0 in float64.
    """

    noise_std: float = number(at_least=1e-100)

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return the values plus noise, see `Channel.label`."""
        return values + self.noise_std * rng.standard_normal(values.shape)


@dataclass(frozen=True)
class Flips(Channel):
    """A channel whose label is the class of the teacher's largest value, or sometimes another class.

    Parameters
    ----------
    rate : float
        Probability of another class, in [0, 1].  Each of the other classes is equally likely.
    """

    labels: ClassVar[str] = "classes"

    rate: float = number(0.0, at_least=0, at_most=1)

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return classes, see `Channel.label`."""
        classes = values.shape[1]
        best = values.argmax(1)
        other = (best + rng.integers(1, classes, len(best))) % classes
        return np.where(rng.random(len(best)) < self.rate, other, best).astype(np.int64)

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each class, see `Channel.probabilities`."""
        classes = values.shape[1]
        out = np.full(values.shape, self.rate / (classes - 1))
        np.put_along_axis(out, values.argmax(1)[:, None], 1 - self.rate, axis=1)
        return out

    def check_rate(self, classes: int, where: str) -> None:
        """Raise ValueError if another class is more probable than the class of the largest value.

        Parameters
        ----------
        classes : int
            Number of classes, >= 2.
        where : str
            Name of the setting, for the error message.

        Raises
        ------
        ValueError
            If the rate is above 1 - 1 / classes.
        """
        if self.rate > 1 - 1 / classes:
            accepted = f"Flips at a rate of at most {1 - 1 / classes:.6g}"
            raise ValueError(checks.refusal("channel", where, accepted, self))

    def smallest_risk(self, loss: str, classes: int) -> float:
        """Return the smallest possible risk, for rates of at most 1 - 1 / classes.

        Parameters
        ----------
        loss : str
            "zero-one", for which the risk is the rate of flips; or "log", for which the risk is the entropy
            of a label given the teacher's values, in nats.
        classes : int
            Number of classes, >= 2.
        """
        if loss == "zero-one" or self.rate == 0:
            return self.rate
        others = self.rate * math.log(self.rate / (classes - 1))
        return -(1 - self.rate) * math.log(1 - self.rate) - others

    @property
    def noise_is_constant(self) -> bool:
        """True, because the rate of flips is the same at all inputs."""
        return True

    @property
    def jumps(self) -> bool:
        """Whether `rate` is above 0; probabilities then jump where the class of the largest value changes."""
        return self.rate > 0


@dataclass(frozen=True)
class Softmax(Channel):
    """A channel that draws classes with probabilities proportional to exp(value / temperature).

    Parameters
    ----------
    temperature : float
        Scale of the values, > 0.
    """

    labels: ClassVar[str] = "classes"

    temperature: float = number(1.0, above=0)

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return classes, see `Channel.label`."""
        gumbel = rng.gumbel(size=values.shape)
        return (values / self.temperature + gumbel).argmax(1).astype(np.int64)

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each class, see `Channel.probabilities`."""
        scaled = values / self.temperature
        scaled = np.exp(scaled - scaled.max(1, keepdims=True))
        return scaled / scaled.sum(1, keepdims=True)


ALL: dict[str, type[Channel]] = {"clean": Clean, "gaussian": Gaussian, "flips": Flips, "softmax": Softmax}
"""Classes of label channels, by their names in specs."""
