"""Linear teachers with one or more outputs, normal weights and normal inputs."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import declare, integer, number
from errsrc.results import Interval, mean_interval
from errsrc.settings.classes import FunctionClass, Span
from errsrc.settings.coordinate_setting import CoordinateSetting
from errsrc.settings.features import FeatureSpan, coordinates
from errsrc.settings.gaussian_setting import Quadrature
from errsrc.settings.setting import ZERO, Array, Predictor
from errsrc.theory import least_squares

REALIZABILITY_DRAWS = 4096
"""Number of teachers over which the realizability of a limited rank is averaged."""


@dataclass(frozen=True)
class LinearTeacher(CoordinateSetting):
    """A setting with linear teachers f(x) = W x, normal inputs and normal weights.

    The coordinates of an input are independent and normal, with the variances `eigenvalues`.  The entries
    W_ji (output j, input i) are independent and normal.  Their variances are proportional to i^-weight_decay
    j^-output_decay, except that rows j > `rank` are 0.  The factor of proportionality makes the target
    variance 1.

    Parameters
    ----------
    dim : int
        Number of coordinates of an input, >= 1.
    input_decay : float
        Coordinate i of an input has the variance i^-input_decay, i = 1 ... dim.
    spectrum : tuple of float
        Variances of the coordinates, `dim` numbers > 0.  If the tuple is empty, the variances are
        i^-input_decay.
    weight_decay : float
        Decay of the prior variances of the weights with the number i of the input.
    outputs : int or None
        Number of outputs; None for one output with labels of the shape (n,).
    output_decay : float
        Decay of the prior variances of the weights with the number j of the output.
    rank : int or None
        Largest number of rows of W that are not 0, at most the number of outputs; None for no limit.
    channel : Clean or Gaussian
        `Gaussian` adds normal noise to the values, independently in each output; `Clean` adds no noise.

    Examples
    --------
    >>> setting = LinearTeacher(dim=3, outputs=2)
    >>> setting.teacher(np.random.default_rng(0))(np.zeros((5, 3))).shape
    (5, 2)
    >>> from errsrc.settings import Linear
    >>> print(LinearTeacher(4).realizability(Linear()))
    0
    """

    dim: int = integer(at_least=1)
    input_decay: float = number(0.0)
    spectrum: tuple[float, ...] = declare(checks.Tuple(checks.Number(above=0)), ())
    weight_decay: float = number(0.0)
    outputs: int | None = integer(None, at_least=1)
    output_decay: float = number(0.0)
    rank: int | None = integer(None, at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rank is not None:
            checks.Integer(1, self.outputs or 1)(self.rank, "rank", "LinearTeacher")
        if self.spectrum and (len(self.spectrum) != self.dim or self.input_decay):
            accepted = f"{self.dim} variances (dim), without input_decay"
            raise ValueError(checks.refusal("spectrum", "LinearTeacher", accepted, self.spectrum))

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input."""
        return self.dim

    @property
    def eigenvalues(self) -> Array:
        """Variances of the coordinates of an input, float64 (dim,)."""
        if self.spectrum:
            return np.array(self.spectrum)
        return np.arange(1, self.dim + 1, dtype=np.float64) ** -self.input_decay

    @property
    def weight_variances(self) -> Array:
        """Prior variances of the weights of each coordinate, summed over outputs, float64 (dim,)."""
        raw = np.arange(1, self.dim + 1, dtype=np.float64) ** -self.weight_decay
        return raw / (raw * self.eigenvalues).sum()

    @property
    def coordinate_variances(self) -> Array:
        """Prior variances of the terms W_i x_i of a teacher's values, summed over outputs, float64 (dim,)."""
        return np.asarray(self.weight_variances * self.eigenvalues)

    def has_span(self, function_class: FunctionClass) -> bool:
        """Return True for random features of the inputs, see `CoordinateSetting.has_span`."""
        return isinstance(function_class, FeatureSpan) and function_class.basis is None

    def span(self, function_class: FunctionClass) -> Span | None:
        """Return an orthonormal basis of a class that features span, see `CoordinateSetting.span`."""
        return function_class.span(self.eigenvalues)

    @property
    def output_stds(self) -> Array:
        """Standard deviations of the outputs, float64 (outputs,); their squares sum to 1."""
        rows = np.arange(1, (self.outputs or 1) + 1, dtype=np.float64)
        variances = np.where(rows <= (self.rank or len(rows)), rows**-self.output_decay, 0.0)
        return np.sqrt(variances / variances.sum())

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, see `Setting.inputs`."""
        return rng.standard_normal((count, self.dim)) * np.sqrt(self.eigenvalues)

    @property
    def target_variance(self) -> float:
        """Variance of the teachers' values, which is 1."""
        return 1.0

    def matrix(self, rng: np.random.Generator) -> Array:
        """Draw the matrix W of a teacher.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        array
            The matrix, float64 (outputs, dim), or (1, dim) if labels have the shape (n,).
        """
        w = rng.standard_normal((len(self.output_stds), self.dim))
        return w * self.output_stds[:, None] * np.sqrt(self.weight_variances)

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher from the prior, see `Setting.teacher`."""
        w = self.matrix(rng)
        return functools.partial(_times, w[0] if self.outputs is None else w.T)

    def roots(self, *points: Array) -> list[Array]:
        """Return each point times the square roots of `weight_variances`, see `GaussianSetting.roots`."""
        return [x * np.sqrt(self.weight_variances) for x in points]

    def quadrature(self, function_class: FunctionClass, rng: np.random.Generator, count: int) -> Quadrature:
        """Return a quadrature that is exact for linear maps.

        For linear maps, the points are the unit vectors, and their weights are the variances of the
        coordinates.  For other classes, the points are a random sample.  See `GaussianSetting.quadrature`.
        """
        if not function_class.linear:
            return super().quadrature(function_class, rng, count)
        return Quadrature(np.eye(self.dim), self.eigenvalues, exact=True)

    def frame(self, function_class: FunctionClass, points: Array) -> Array | None:
        """Return points with each coordinate scaled to variance 1: a basis of the class of linear maps.

        For the span of linear features, return an orthonormal basis of the span.  See
        `GaussianSetting.frame`.
        """
        span = self.span(function_class) if function_class.linear else None
        if span is not None:
            return coordinates(span, function_class.features(points))
        if function_class.linear:
            return points / np.sqrt(self.eigenvalues)
        return super().frame(function_class, points)

    def dimension(self, function_class: FunctionClass) -> float:
        """Return the dimension of the span of features, or of the class of linear maps.

        See `GaussianSetting.dimension`.
        """
        if isinstance(function_class, FeatureSpan) and function_class.basis is None:
            independent = {"linear": self.dim, "square": self.dim * (self.dim + 1) // 2}
            return min(function_class.m, independent.get(function_class.activation, function_class.m))
        return super().dimension(function_class)

    def realizability(self, function_class: FunctionClass) -> Interval:
        """Return 0 for the class of all linear maps, and the mean error of the best map for maps of rank k.

        Let C be the covariance of the inputs.  For one teacher W, the mean squared error of the best map is
        the sum of the squared singular values of W C^1/2, without the k largest.  The mean of the error over
        teachers is estimated from `REALIZABILITY_DRAWS` teachers, with a 95% interval.  The mean is exactly 0
        if no W has a rank above k.  See `Setting.realizability`.
        """
        span = self.span(function_class)
        if span is not None:
            value = self.variance_outside(span)
            return Interval(value, value, value, 0.95)
        if not function_class.linear:
            return super().realizability(function_class)
        full, rank = min(self.dim, int(np.count_nonzero(self.output_stds))), function_class.largest_rank
        if rank is None or rank >= full:
            return ZERO
        rng = np.random.default_rng(0)
        draws = [
            low_rank_residual(self.matrix(rng) * np.sqrt(self.eigenvalues), rank)
            for _ in range(REALIZABILITY_DRAWS)
        ]
        return mean_interval(np.array(draws), 0.95)

    def least_squares_diverges(self, function_class: FunctionClass, n: int) -> bool:
        """Return True if labels are noisy and |n - M| <= 1 (Breiman and Freedman 1983), otherwise False.

        Here M is the number of coordinates of an input, or the dimension of the span of linear features.  The
        part of a teacher outside this span acts as noise.  The n x M matrices of normal inputs that are
        rank-deficient form a set of codimension |n - M| + 1.  Therefore, if |n - M| <= 1, the smallest
        singular value s is below a small number e with a probability of order e^2 or more.  The mean of 1 /
        s^2 is then infinite.
        """
        size = self.dimension(function_class)
        return function_class.linear and (self.noise_std > 0 or size < self.dim) and abs(n - size) <= 1

    def least_squares_risk(self, function_class: FunctionClass, n: int) -> float | None:
        """Return the exact mean risk of linear regression with noisy labels (`errsrc.theory.least_squares`).

        For n >= M, the risk follows from the mean trace of an inverse Wishart matrix, for any covariance of
        the inputs.  For n < M, the risk is known if all coordinates have the same variance.  Here M is the
        dimension of the class, the number of coordinates or of linear features.  The part of a teacher
        outside the span of features acts as noise.  See `GaussianSetting.least_squares_risk`.
        """
        if not function_class.linear or function_class.largest_rank is not None:
            return None
        size = int(self.dimension(function_class))
        outside = self.realizability(function_class).estimate if size < self.dim else 0.0
        equal = bool((self.eigenvalues == self.eigenvalues[0]).all()) and size == self.dim
        if not (equal or n >= size) or not (self.noise_std or outside):
            return None
        return float(least_squares(n, size, noise=self.noise, outside=outside))


def low_rank_residual(matrix: NDArray[np.float64], rank: int) -> float:
    """Return the squared error of the best approximation of a matrix by a matrix of limited rank.

    The error is measured in the Frobenius norm (Eckart and Young 1936).

    Parameters
    ----------
    matrix : float64, (p, q)
        The matrix.
    rank : int
        Largest rank of the approximation.

    Returns
    -------
    float
        Sum of the squared singular values, without the `rank` largest.
    """
    return float((np.linalg.svd(matrix, compute_uv=False)[rank:] ** 2).sum())


def _times(weights: Array, x: Array) -> Array:
    """Return the values of a linear teacher; a function of the module, so that teachers can be pickled."""
    return np.asarray(x @ weights)
