"""Gaussian-process teachers with inputs on the cube, on the sphere, or from a normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from errsrc import checks
from errsrc.bases import kernel
from errsrc.fields import choice, integer, number
from errsrc.settings.gaussian_setting import GaussianSetting
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class GaussianProcessTeacher(GaussianSetting):
    """A setting with teachers that are samples of a Gaussian process with a stationary kernel of variance 1.

    Parameters
    ----------
    dim : int
        Number of coordinates of an input, >= 1.  For the domain "sphere", the number must be >= 2; the sphere
        itself has the dimension dim - 1.
    kernel : str
        The kernel as a function of the distance r between two inputs.  "rbf" is exp(-r^2 / (2 length^2));
        "matern" is the Matern kernel of smoothness `nu`, which for nu = 1/2 is exp(-r / length).
    length : float
        Length scale, > 0.
    nu : float
        Smoothness of the Matern kernel, > 0.
    domain : str
        Distribution of the inputs: "cube", uniform on [0, 1]^dim; "sphere", uniform on the unit sphere; or
        "normal", the standard normal distribution.
    channel : Clean or Gaussian
        `Gaussian` adds normal noise to the values of the teacher; `Clean` does not.

    Notes
    -----
    The posterior variance at an input has a closed form.  The mean of this variance over all inputs has no
    closed form; the mean is estimated from a random sample of inputs.
    """

    dim: int = integer(at_least=1)
    kernel: str = choice("matern", ("rbf", "matern"))
    length: float = number(1.0, above=0)
    nu: float = number(0.5, above=0)
    domain: str = choice("cube", ("cube", "sphere", "normal"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domain == "sphere":
            checks.Integer(at_least=2)(self.dim, "dim", "GaussianProcessTeacher")

    @property
    def input_dim(self) -> int:
        """Number of coordinates of an input."""
        return self.dim

    def covariance(self, x: Array, z: Array) -> Array:
        """Return the prior covariance between the values at two sets of points.

        Parameters
        ----------
        x : float64, (N, dim)
            First set of points.
        z : float64, (L, dim)
            Second set of points.

        Returns
        -------
        array
            The covariance of each pair of points, float64 (N, L).
        """
        return kernel(x, z, self.kernel, self.length, self.nu)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, see `Setting.inputs`."""
        if self.domain == "cube":
            return rng.random((count, self.dim))
        x = rng.standard_normal((count, self.dim))
        return x / np.linalg.norm(x, axis=1, keepdims=True) if self.domain == "sphere" else x

    @property
    def target_variance(self) -> float:
        """The prior variance of a value, which is 1."""
        return 1.0

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher, see `Setting.teacher`.

        Each call of the teacher draws values at new points, conditioned on the values that earlier calls
        returned.
        """
        return _LazyDraw(self, rng)

    def roots(self, *points: Array) -> list[Array]:
        """Return a square root of the joint prior covariance, see `GaussianSetting.roots`.

        The cost is proportional to the cube of the number of points in all sets.
        """
        together = np.concatenate(points)
        values, vectors = eigh(self.covariance(together, together))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return np.split(root, np.cumsum([len(x) for x in points])[:-1])


class _LazyDraw:
    """A function drawn from a Gaussian process; its values are drawn at the first call that needs them."""

    def __init__(self, setting: GaussianProcessTeacher, rng: np.random.Generator) -> None:
        self.setting, self.rng = setting, rng
        self.points = np.empty((0, setting.dim))
        self.values = np.empty(0)

    def __call__(self, x: Array) -> Array:
        known = {point.tobytes(): place for place, point in enumerate(self.points)}
        new = [point for point in x if point.tobytes() not in known]
        fresh = np.unique(np.array(new).reshape(-1, x.shape[1]), axis=0)
        if len(fresh):
            covariance = self.setting.covariance
            mean, between = np.zeros(len(fresh)), covariance(fresh, fresh)
            if len(self.points):
                across = covariance(fresh, self.points)
                values, vectors = eigh(covariance(self.points, self.points))
                kept = values > len(values) * np.finfo(float).eps * values[-1]
                half = (across @ vectors[:, kept]) / np.sqrt(values[kept])
                mean = half @ ((vectors[:, kept].T @ self.values) / np.sqrt(values[kept]))
                between = between - half @ half.T
            values, vectors = eigh(between)
            drawn = mean + vectors @ (np.sqrt(np.maximum(values, 0.0)) * self.rng.standard_normal(len(fresh)))
            self.points = np.concatenate([self.points, fresh])
            self.values = np.concatenate([self.values, drawn])
            known = {point.tobytes(): place for place, point in enumerate(self.points)}
        return self.values[[known[p.tobytes()] for p in x]]
