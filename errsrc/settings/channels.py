"""Label channels: what stands between a teacher's values and the labels that a learner sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks


@dataclass(frozen=True)
class Channel:
    """A label channel; ``labels`` says what it yields, "values" (float64) or "classes" (int64)."""

    labels = "values"

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return labels for a teacher's values, (N,) or (N, outputs)."""
        raise TypeError(f"{type(self).__name__} must define label()")


@dataclass(frozen=True)
class Clean(Channel):
    """Labels are the teacher's values."""

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return the values."""
        return values


@dataclass(frozen=True)
class Gaussian(Channel):
    """Labels are the teacher's values and independent normal noise of standard deviation ``noise_std``."""

    noise_std: float

    def __post_init__(self) -> None:
        checks.number(self.noise_std, "noise_std", "Gaussian", 1e-100)  # so that its square is a number

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return values and noise."""
        return values + self.noise_std * rng.standard_normal(values.shape)


@dataclass(frozen=True)
class Flips(Channel):
    """Labels are the class of the largest value, changed to another one, uniformly, at ``rate``.

    A rate of 0 gives the teacher's own classes.
    """

    rate: float = 0.0
    labels = "classes"

    def __post_init__(self) -> None:
        checks.number(self.rate, "rate", "Flips", 0, 1)

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return classes, int64 (N,), of values (N, classes)."""
        classes = values.shape[1]
        best = values.argmax(1)
        other = (best + rng.integers(1, classes, len(best))) % classes
        return np.where(rng.random(len(best)) < self.rate, other, best).astype(np.int64)

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(class given values), (N, classes)."""
        classes = values.shape[1]
        out = np.full(values.shape, self.rate / (classes - 1))
        np.put_along_axis(out, values.argmax(1)[:, None], 1 - self.rate, axis=1)
        return out


@dataclass(frozen=True)
class Softmax(Channel):
    """Labels are classes drawn with probability proportional to exp(value / ``temperature``)."""

    temperature: float = 1.0
    labels = "classes"

    def __post_init__(self) -> None:
        checks.number(self.temperature, "temperature", "Softmax", 0, open_low=True)

    def label(self, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[Any]:
        """Return classes, int64 (N,), of values (N, classes)."""
        gumbel = rng.gumbel(size=values.shape)
        return (values / self.temperature + gumbel).argmax(1).astype(np.int64)

    def probabilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(class given values), (N, classes)."""
        scaled = values / self.temperature
        scaled = np.exp(scaled - scaled.max(1, keepdims=True))
        return scaled / scaled.sum(1, keepdims=True)


ALL: dict[str, type[Channel]] = {"clean": Clean, "gaussian": Gaussian, "flips": Flips, "softmax": Softmax}
"""Label channels by the name that specs have for them."""
