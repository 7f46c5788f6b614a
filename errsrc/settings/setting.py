"""What a setting is: a distribution of inputs, a prior over teachers, a label channel, a loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.results import Interval
from errsrc.settings.channels import Channel, Clean, Gaussian
from errsrc.settings.classes import AllFunctions, FunctionClass

Array = NDArray[np.float64]
Predictor = Callable[[Array], Array]
"""A function of inputs (N, dim) with values (N,) or (N, outputs): a teacher, or what a learner returns."""

LOSSES = ("squared", "log", "zero-one")


@dataclass(frozen=True)
class Setting:
    """A world in which learners are measured.

    A subclass is a frozen dataclass of plain numbers with a ``channel``, and defines `inputs` and
    `teacher`; `realizability` where it is known.
    """

    @property
    def loss(self) -> str:
        """One of `LOSSES`."""
        return "squared"

    @property
    def noise(self) -> float:
        """The risk that no predictor can avoid, in the units of the loss."""
        raise TypeError(f"{type(self).__name__} must define noise")

    @property
    def target_variance(self) -> float:
        """The excess risk of the best constant that is chosen before any example is seen.

        One constant for all teachers, so that it includes what the mean of a teacher varies by: what there is
        to learn, of which a learner that has seen nothing lacks all.  For the squared loss the variance of a
        value over teachers and inputs, summed over outputs.
        """
        raise TypeError(f"{type(self).__name__} must define target_variance")

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, float64 (count, dim)."""
        raise TypeError(f"{type(self).__name__} must define inputs()")

    def fresh(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs to test at, (count, dim), or fewer where there are no more: as `inputs` are drawn."""
        return self.inputs(count, rng)

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior."""
        raise TypeError(f"{type(self).__name__} must define teacher()")

    def teachers(self, rngs: Sequence[np.random.Generator]) -> list[Any]:
        """Draw a teacher from each generator; teachers that must be trained are trained at once."""
        return [self.teacher(rng) for rng in rngs]

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return E over teachers of min over the class of the risk, less the noise.

        An `Interval` of no width where it is exact; 0 for all functions, by definition.

        Raises
        ------
        ValueError
            For a class that does not take this setting's inputs, or of which it is not known.
        """
        if isinstance(function_class, AllFunctions):
            return Interval(0.0, 0.0, 0.0, 0.95)
        accepted = f"a function class that {type(self).__name__} can measure"
        raise ValueError(checks.refusal("function_class", "realizability", accepted, function_class))


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Points and weights that integrate squares of functions over a setting's inputs.

    Attributes
    ----------
    points, weights
        float64 (Q, dim) and (Q,): the mean of g^2 is the sum of ``weights * g(points) ** 2``.
    exact
        Whether that is exact for differences of teachers and members of the class it was asked for;
        otherwise the points are a random sample.
    """

    points: Array
    weights: Array
    exact: bool


@dataclass(frozen=True)
class GaussianSetting(Setting):
    """A setting whose teachers are a Gaussian process: all that its error budget needs has a closed form.

    A subclass defines `inputs` and `roots`; `frame` for the classes that are linear spaces; and `quadrature`
    and `target_variance` where they are known exactly.  Its channel is `Clean` or `Gaussian`; its loss the
    squared one, summed over outputs.

    Attributes
    ----------
    channel
        What stands between values and labels.
    """

    channel: Channel = field(default=Clean(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.channel, (Clean, Gaussian)):
            where = type(self).__name__
            raise ValueError(checks.refusal("channel", where, "Clean() or Gaussian(...)", self.channel))

    @property
    def noise_std(self) -> float:
        """Standard deviation of the label noise, of each output."""
        return self.channel.noise_std if isinstance(self.channel, Gaussian) else 0.0

    @property
    def outputs(self) -> int | None:
        """Number of outputs, or None where labels are (n,)."""
        return None

    @property
    def output_stds(self) -> Array:
        """Prior standard deviation of each output, (outputs,), relative to the process of `roots`."""
        return np.ones(1)

    @property
    def noise(self) -> float:
        """Label variance, summed over outputs."""
        return self.noise_std**2 * len(self.output_stds)

    @property
    def target_variance(self) -> float:
        """Mean prior variance, summed over outputs, at 1,000 inputs that are always the same."""
        (root,) = self.roots(self.inputs(1000, np.random.default_rng(0)))
        return float(np.square(root).sum(1).mean() * np.square(self.output_stds).sum())

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior: `roots` at its inputs, times normal numbers.

        Raises
        ------
        TypeError
            Where `roots` depend on which other points they are asked for with: then a subclass must define
            its own.
        """
        points = self.inputs(2, np.random.default_rng(0))
        (both,), (alone,) = self.roots(points), self.roots(points[:1])
        if both.shape[1] != alone.shape[1] or not np.allclose(both[:1], alone):
            raise TypeError(f"{type(self).__name__} must define teacher()")
        weights = rng.standard_normal((both.shape[1], len(self.output_stds))) * self.output_stds
        flat = weights[:, 0] if self.outputs is None else weights
        return lambda x: self.roots(x)[0] @ flat

    def roots(self, *points: Array) -> list[Array]:
        """Return B for each set of points, (len(points), R), with B B' the prior covariance."""
        raise TypeError(f"{type(self).__name__} must define roots()")

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return an exact quadrature for members of a class, or a sample of ``count`` points."""
        points = self.inputs(count, rng)
        return Quadrature(points, np.full(count, 1 / count), exact=False)

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return an orthonormal basis of a class at points, (len(points), M), or None for all functions.

        Raises
        ------
        ValueError
            For a class that is no linear space of functions of the inputs.
        """
        if isinstance(function_class, AllFunctions):
            return None
        accepted = f"a function class of {type(self).__name__}'s inputs"
        raise ValueError(checks.refusal("function_class", type(self).__name__, accepted, function_class))

    def dimension(self, function_class: FunctionClass) -> float:
        """Return M, the number of coefficients of a class, or inf for all functions."""
        points = self.inputs(1, np.random.default_rng(0))
        frame = self.frame(function_class, points)
        return math.inf if frame is None else frame.shape[1]
