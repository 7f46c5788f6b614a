"""Gaussian-process teachers on the cube, the sphere, or normal inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from errsrc import checks
from errsrc.bases import kernel
from errsrc.settings.setting import Array, GaussianSetting, Predictor

KERNELS = ("rbf", "matern")
INPUTS = ("cube", "sphere", "normal")


@dataclass(frozen=True)
class GaussianProcessTeacher(GaussianSetting):
    """A Gaussian process with a stationary kernel of variance 1 (DESIGN: exact setting 4).

    Attributes
    ----------
    dim
        Dimension of the inputs' space (that of the sphere's surface is ``dim - 1``).
    kernel
        "rbf", exp(-r^2 / (2 length^2)); or "matern" with smoothness ``nu`` (nu = 1/2: exp(-r / length)).
    length
        Length scale.
    nu
        Smoothness of the Matern kernel, > 0.
    domain
        Inputs: "cube", uniform on [0, 1]^dim; "sphere", uniform on the unit sphere; "normal", standard.
    channel
        `Clean` or `Gaussian`.

    Notes
    -----
    Posterior terms are exact at given inputs; their mean over fresh inputs is a sample mean.
    """

    dim: int
    kernel: str = "matern"
    length: float = 1.0
    nu: float = 0.5
    domain: str = "cube"

    def __post_init__(self) -> None:
        super().__post_init__()
        where = "GaussianProcessTeacher"
        checks.integer(self.dim, "dim", where, 2 if self.domain == "sphere" else 1)
        checks.choice(self.kernel, "kernel", where, KERNELS)
        checks.number(self.length, "length", where, 0, open_low=True)
        checks.number(self.nu, "nu", where, 0, open_low=True)
        checks.choice(self.domain, "domain", where, INPUTS)

    def covariance(self, x: Array, z: Array) -> Array:
        """Return the prior covariance of values at x (N, dim) and z (L, dim), float64 (N, L)."""
        return kernel(x, z, self.kernel, self.length, self.nu)

    def inputs(self, count: int, rng: np.random.Generator) -> Array:
        """Draw inputs, float64 (count, dim)."""
        if self.domain == "cube":
            return rng.random((count, self.dim))
        x = rng.standard_normal((count, self.dim))
        return x / np.linalg.norm(x, axis=1, keepdims=True) if self.domain == "sphere" else x

    @property
    def target_variance(self) -> float:
        """1."""
        return 1.0

    def teacher(self, rng: np.random.Generator) -> Predictor:
        """Draw a teacher, whose values at new points are drawn given those asked for before."""
        return _Path(self, rng)

    def roots(self, *points: Array) -> list[Array]:
        """Return a root of the joint prior covariance; cost (sum of lengths)^3."""
        together = np.concatenate(points)
        values, vectors = eigh(self.covariance(together, together))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return np.split(root, np.cumsum([len(x) for x in points])[:-1])


class _Path:
    """A draw of a Gaussian process, settled point by point: Cholesky with a growing factor."""

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
