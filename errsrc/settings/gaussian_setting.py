"""Settings with teachers that are samples of a Gaussian process; their error budgets have closed forms."""

from __future__ import annotations

import abc
import functools
import inspect
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
    """Points and weights that give the mean of a squared function g^2 over a setting's inputs.

    Attributes
    ----------
    points : float64, (Q, dim)
        The points.
    weights : float64, (Q,)
        The weights of the points: the mean of g^2 is the sum of ``weights * g(points) ** 2``.
    exact : bool
        True if this sum is exact for every difference g between a teacher and a function of the class that
        the quadrature was made for.  If False, the points are a random sample.
    """

    points: Array
    weights: Array
    exact: bool


@dataclass(frozen=True)
class GaussianSetting(Setting):
    """A setting with teachers that are samples of a Gaussian process; its error budgets have closed forms.

    A subclass defines `inputs` and `roots`.  It overrides `frame` for function classes that are linear
    spaces, and `quadrature` and `target_variance` if their exact values are known.  The loss is the squared
    error, summed over outputs.

    The noise is exact.  The uncertainty is exact given the inputs of the examples and the points of the
    quadrature.  The deficiency is exact in the same sense for learners that declare that they are linear in
    the labels; for other learners, it is estimated from draws.

    Parameters
    ----------
    channel : Clean or Gaussian
        `Gaussian` adds normal noise to the teacher's values; `Clean` does not.
    """

    _: KW_ONLY
    channel: Channel = instance((Clean, Gaussian), "Clean() or Gaussian(...)", Clean())

    @property
    def noise_std(self) -> float:
        """Standard deviation of the label noise of each output."""
        return self.channel.noise_std

    @property
    def outputs(self) -> int | None:
        """Number of outputs; None for one output with labels of the shape (n,)."""
        return None

    @property
    def output_dim(self) -> int:
        """Number of outputs; 1 if labels have the shape (n,)."""
        return len(self.output_stds)

    @property
    def output_stds(self) -> Array:
        """The factor of each output, (outputs,): an output is this factor times the process of `roots`."""
        return np.ones(1)

    @property
    def noise(self) -> float:
        """Variance of the label noise, summed over outputs."""
        return self.noise_std**2 * len(self.output_stds)

    @property
    def target_variance(self) -> float:
        """Mean prior variance at a fixed sample of 1,000 random inputs, summed over outputs."""
        (root,) = joint_roots(self, self.inputs(1000, np.random.default_rng(0)))
        return float(np.square(root).sum(1).mean() * np.square(self.output_stds).sum())

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior.

        The values of the teacher at inputs are the matrix of `roots` times standard normal numbers.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Raises
        ------
        TypeError
            If the `roots` of a point depend on the other points in the call.  The subclass must then define
            its own `teacher`.
        """
        points = self.inputs(2, np.random.default_rng(0))
        (both,), (alone,) = joint_roots(self, points), joint_roots(self, points[:1])
        if both.shape[1] != alone.shape[1] or not np.allclose(both[:1], alone):
            raise TypeError(f"{type(self).__name__} must define teacher()")
        weights = rng.standard_normal((both.shape[1], len(self.output_stds))) * self.output_stds
        flat = weights[:, 0] if self.outputs is None else weights
        return functools.partial(_combination, self, flat)

    @abc.abstractmethod
    def roots(self, *points: Array) -> list[Array]:
        """Return a square root of the joint prior covariance of the values at sets of points.

        If teachers are combinations of R functions with independent standard normal coefficients, the matrix
        of a set of points has the values of function r in column r.  A column that is multiplied by s gives
        its coefficient the standard deviation s.

        Parameters
        ----------
        *points : float64, (N, dim)
            Sets of points, one array for each set.

        Returns
        -------
        list of arrays
            A matrix for each set, float64 (N, R), with the same R for all sets.  If B and C are the matrices
            of two sets, B C' is the prior covariance between the values at the two sets.
        """

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return points and weights that give the mean squared distance between functions.

        Parameters
        ----------
        function_class : FunctionClass
            The class of functions that are compared with teachers.
        rng : numpy.random.Generator
            Source of random points, used if no exact quadrature is known.
        count : int
            Number of random points.

        Returns
        -------
        Quadrature
            An exact quadrature if one is known; otherwise a random sample of the inputs with equal weights.
        """
        points = self.inputs(count, rng)
        return Quadrature(points, np.full(count, 1 / count), exact=False)

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return the functions of an orthonormal basis of a class, evaluated at points.

        A subclass that returns the basis of a class must also return exact points for this class from
        `quadrature`.

        Parameters
        ----------
        function_class : FunctionClass
            The class.
        points : float64, (N, dim)
            The points.

        Returns
        -------
        array or None
            Values of the M basis functions, float64 (N, M); None for the class of all functions.

        Raises
        ------
        ValueError
            If the class is not a linear space of functions of the inputs, or if its basis is not known.
        """
        if function_class.unrestricted:
            return None
        accepted = f"a function class of {type(self).__name__}'s inputs"
        raise ValueError(checks.refusal("function_class", type(self).__name__, accepted, function_class))

    def dimension(self, function_class: FunctionClass) -> float:
        """Return M, the dimension of a class that is a linear space, or inf for the class of all functions.

        Parameters
        ----------
        function_class : FunctionClass
            The class.

        Raises
        ------
        ValueError
            If `frame` raises ValueError for this class.
        """
        points = self.inputs(1, np.random.default_rng(0))
        frame = self.frame(function_class, points)
        return math.inf if frame is None else frame.shape[1]

    def least_squares_diverges(self, function_class: FunctionClass, n: int) -> bool:
        """Return whether least squares over n random inputs is known to have an infinite mean risk.

        Parameters
        ----------
        function_class : FunctionClass
            The class in which least squares minimises the squared error.
        n : int
            Number of examples.

        Returns
        -------
        bool
            True if the mean risk is known to be infinite; False if it is finite, or if this is not known.
        """
        return False

    def least_squares_risk(self, function_class: FunctionClass, n: int) -> float | None:
        """Return the mean excess risk of least squares over n random inputs, if it has a closed form.

        Parameters
        ----------
        function_class : FunctionClass
            The class in which least squares minimises the squared error.  If several functions minimise this
            error, least squares returns the function whose coefficients have the smallest norm.
        n : int
            Number of examples.

        Returns
        -------
        float or None
            The mean over inputs, teachers and labels, summed over outputs; inf if it is infinite, and None if
            no closed form is known.
        """
        return None


def joint_roots(setting: GaussianSetting, *points: Array) -> list[Array]:
    """Return the matrices of a setting's `GaussianSetting.roots`, after a check of their number and shapes.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    *points : ndarray of float64, (N, dim)
        Sets of points, one array for each set.

    Returns
    -------
    list of ndarray of float64, (N, R)
        A matrix for each set.

    Raises
    ------
    TypeError
        If `roots` does not take several arrays.
    ValueError
        If `roots` does not return a list of one matrix (N, R) for each array.
    """
    accepted = "one whose roots(self, *points) returns a list of one matrix (N, R) for each array (N, dim)"
    try:
        found = list(setting.roots(*points))
    except TypeError as error:
        signature = inspect.signature(setting.roots)
        try:
            signature.bind(*points)
        except TypeError:
            got = f"<roots{signature}>"
            raise TypeError(checks.refusal("setting", type(setting).__name__, accepted, got)) from error
        raise
    shapes = [np.shape(one) for one in found]
    fits = all(len(shape) == 2 for shape in shapes) and [shape[0] for shape in shapes] == [*map(len, points)]
    if not fits or len({shape[1] for shape in shapes}) > 1:
        given, got = (", ".join(map(str, one[:3])) for one in ([*map(np.shape, points)], shapes))
        dots = ", ..." if len(shapes) > 3 else ""
        got = f"<{len(shapes)} arrays of shape {got}{dots} for points of shape {given}>"
        raise ValueError(checks.refusal("setting", type(setting).__name__, accepted, got))
    return found


def _combination(setting: GaussianSetting, weights: Array, x: Array) -> Array:
    """Return a teacher's values; a function of the module, so that teachers can be pickled."""
    return np.asarray(setting.roots(x)[0] @ weights)
