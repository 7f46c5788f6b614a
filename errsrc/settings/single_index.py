"""Single-index teachers: a polynomial of one direction of the inputs, often slow to find by descent."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermeval

from errsrc import checks
from errsrc.fields import instance, integer
from errsrc.nets import MLP, QuadraticNetwork
from errsrc.results import Interval
from errsrc.settings.channels import Channel, Clean
from errsrc.settings.classes import FunctionClass
from errsrc.settings.setting import ZERO, Array, Setting

LARGEST_DEGREE = 5
"""Largest information exponent: for higher degrees, most means over draws are too small."""


@dataclass(frozen=True)
class SingleIndexTeacher(Setting):
    """A setting whose teachers are a Hermite polynomial of one direction of normal inputs.

    The inputs are standard normal.  The teacher is f(x) = He_k(w . x) / sqrt(k!), with a direction w that is
    uniform on the unit sphere.  He_k is the Hermite polynomial of degree k, so that f has mean 0 and variance
    1.  All products of f with polynomials of the inputs of degree below k have mean 0.  The degree k is the
    information exponent.

    Parameters
    ----------
    dim : int
        d, the number of coordinates of an input, >= 1.
    information_exponent : int
        k, from 1 to 5.
    channel : Channel
        `Clean` or `Gaussian`.

    Notes
    -----
    The teacher has d - 1 parameters, and some multiple of d examples determine it.  Gradient descent with a
    new example in each step needs of the order d examples for k = 1, d log d for k = 2, and d^(k-1) for k >=
    3, up to logarithms (Ben Arous, Gheissari and Jagannath 2021, arXiv 2003.10409).  The difference is
    deficiency.

    The squares of the values f(x) have heavy tails: the mean of f^4 is 639 for k = 4, 4,653 for k = 5
    and 35,169 for k = 6.  For k >= 4 a budget needs hundreds of draws.  The budget states no interval if
    its draws show a heavy tail.  For k >= 6, rare inputs carry most of the mean, and most draws lack them.
    Therefore such k are not accepted.

    Examples
    --------
    >>> setting = SingleIndexTeacher(dim=10, information_exponent=3)
    >>> setting.teacher(np.random.default_rng(0))(np.zeros((2, 10))).shape
    (2,)
    """

    dim: int = integer(at_least=1)
    information_exponent: int = integer(2, at_least=1, at_most=LARGEST_DEGREE)
    _: KW_ONLY
    channel: Channel = instance(Channel, "a channel of errsrc.settings", Clean())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.channel.labels != "values":
            raise ValueError(
                checks.refusal("channel", "SingleIndexTeacher", "Clean or Gaussian", self.channel)
            )

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input."""
        return self.dim

    @property
    def output_dim(self) -> int:
        """Number of outputs, 1."""
        return 1

    @property
    def noise(self) -> float:
        """Variance of the label noise."""
        return self.channel.noise_std**2

    @property
    def target_variance(self) -> float:
        """Variance of the teachers' values, 1."""
        return 1.0

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return the realizability of all functions, of linear maps, and for k = 2 of quadratic networks.

        The value is exact: 0 for classes that contain the teachers, and 1 for linear maps if k >= 2.  See
        `Setting.realizability`.
        """
        network = function_class.network
        if network is not None and (network.inputs, network.outputs) != (self.dim, 1):
            accepted = f"networks of {self.dim} inputs and 1 output"
            raise ValueError(checks.refusal("function_class", "realizability", accepted, function_class))
        if self.information_exponent == 2 and (
            isinstance(network, QuadraticNetwork)
            or (isinstance(network, MLP) and network.activation == "square" and len(network.sizes) == 3)
        ):
            return ZERO
        if function_class.linear:
            return ZERO if self.information_exponent == 1 else Interval(1.0, 1.0, 1.0, 0.95)
        return super().realizability(function_class)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw standard normal inputs, float64 (count, dim), see `Setting.inputs`."""
        return rng.standard_normal((count, self.dim))

    def teacher(self, rng: np.random.Generator) -> SingleIndexFunction:
        """Draw a direction, see `Setting.teacher`."""
        direction = rng.standard_normal(self.dim)
        return SingleIndexFunction(direction / np.linalg.norm(direction), self.information_exponent)


@dataclass(frozen=True, eq=False)
class SingleIndexFunction:
    """A teacher of `SingleIndexTeacher`.

    Attributes
    ----------
    direction : ndarray of float64, (dim,)
        w, of length 1.
    degree : int
        k, the degree of the Hermite polynomial.
    """

    direction: Array
    degree: int

    def __call__(self, x: Array) -> Array:
        """Return the values at inputs, float64 (N,)."""
        # sums in a fixed order: the value at an input does not depend on the other inputs
        along = (x * self.direction).sum(1)
        scale = math.sqrt(math.factorial(self.degree))
        return np.asarray(hermeval(along, [0.0] * self.degree + [1.0])) / scale
