"""Settings whose teachers are a Gaussian process, so that their error budgets have closed forms."""

from __future__ import annotations

import abc
import math
from dataclasses import KW_ONLY, dataclass

import numpy as np

from errsrc import checks
from errsrc.fields import instance
from errsrc.settings.channels import Channel, Clean, Gaussian
from errsrc.settings.classes import FunctionClass
from errsrc.settings.setting import Array, Predictor, Setting


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Points and weights that integrate squares of functions over a setting's inputs.

    Attributes
    ----------
    points : float64, (Q, dim)
        The points.
    weights : float64, (Q,)
        The points' weights: the mean of g^2 is the sum of ``weights * g(points) ** 2``.
    exact : bool
        Whether the sum is exact for differences between teachers and members of the quadrature's function
        class; otherwise the points are a random sample.
    """

    points: Array
    weights: Array
    exact: bool


@dataclass(frozen=True)
class GaussianSetting(Setting):
    """A setting whose teachers are a Gaussian process: its error budgets have closed forms.

    A subclass defines `inputs` and `roots`; `frame` for the classes that are linear spaces; and `quadrature`
    and `target_variance` where they are known exactly.  The loss is squared, summed over outputs.

    Parameters
    ----------
    channel : Clean or Gaussian
        Whether normal noise is added to the teacher's values.
    """

    _: KW_ONLY
    channel: Channel = instance((Clean, Gaussian), "Clean() or Gaussian(...)", Clean())

    @property
    def noise_std(self) -> float:
        """Standard deviation of the label noise, of each output."""
        return self.channel.noise_std

    @property
    def outputs(self) -> int | None:
        """Number of outputs, or None where labels are (n,)."""
        return None

    @property
    def output_dim(self) -> int:
        """Number of outputs, 1 where labels are (n,)."""
        return len(self.output_stds)

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
        """Mean prior variance over 1,000 inputs that are always the same, summed over outputs."""
        (root,) = self.roots(self.inputs(1000, np.random.default_rng(0)))
        return float(np.square(root).sum(1).mean() * np.square(self.output_stds).sum())

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior: its values are `roots` at the inputs, times normal numbers.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Raises
        ------
        TypeError
            If the `roots` at a point depend on the other points in the call; a subclass must then define its
            own `teacher`.
        """
        points = self.inputs(2, np.random.default_rng(0))
        (both,), (alone,) = self.roots(points), self.roots(points[:1])
        if both.shape[1] != alone.shape[1] or not np.allclose(both[:1], alone):
            raise TypeError(f"{type(self).__name__} must define teacher()")
        weights = rng.standard_normal((both.shape[1], len(self.output_stds))) * self.output_stds
        flat = weights[:, 0] if self.outputs is None else weights
        return lambda x: self.roots(x)[0] @ flat

    @abc.abstractmethod
    def roots(self, *points: Array) -> list[Array]:
        """Return square roots of the prior covariance.

        Parameters
        ----------
        *points : float64, (N, dim)
            Sets of points.

        Returns
        -------
        list of arrays
            For each set a matrix, float64 (N, R).  If B and C are the matrices of two sets, B C' is the prior
            covariance between the values at the two sets.
        """

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return points and weights for the comparison of functions.

        Parameters
        ----------
        function_class : FunctionClass
            The class of the functions.
        rng : numpy.random.Generator
            Source of random points, used if no exact quadrature is known.
        count : int
            Number of random points.

        Returns
        -------
        Quadrature
            An exact quadrature, or a random sample of the inputs with equal weights.
        """
        points = self.inputs(count, rng)
        return Quadrature(points, np.full(count, 1 / count), exact=False)

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return an orthonormal basis of a class at points.

        Parameters
        ----------
        function_class : FunctionClass
            The class.
        points : float64, (N, dim)
            The points.

        Returns
        -------
        array or None
            float64 (N, M); None for the class of all functions.

        Raises
        ------
        ValueError
            For a class that is not a linear space of functions of the inputs, or whose basis is not known.
        """
        if function_class.unrestricted:
            return None
        accepted = f"a function class of {type(self).__name__}'s inputs"
        raise ValueError(checks.refusal("function_class", type(self).__name__, accepted, function_class))

    def dimension(self, function_class: FunctionClass) -> float:
        """Return M, the number of coefficients of a class, or inf for all functions.

        Parameters
        ----------
        function_class : FunctionClass
            The class.

        Raises
        ------
        ValueError
            If `frame` raises it.
        """
        points = self.inputs(1, np.random.default_rng(0))
        frame = self.frame(function_class, points)
        return math.inf if frame is None else frame.shape[1]

    def least_squares_diverges(self, function_class: FunctionClass, n: int) -> bool:
        """Return whether least squares over n random inputs is known to have an infinite mean risk.

        Parameters
        ----------
        function_class : FunctionClass
            The class in which the squared error is minimised.
        n : int
            Number of examples.

        Returns
        -------
        bool
            False also if this is not known.
        """
        return False
