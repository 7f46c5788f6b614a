"""The error budget of Gaussian settings, in closed form given the inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import svd

from errsrc.learners import ReducedRank
from errsrc.learners.spectral import SpectralLearner
from errsrc.results import ROUNDING
from errsrc.settings import BandTeacher, FunctionClass, GaussianSetting, LinearTeacher, Uniform
from errsrc.settings.gaussian_setting import Quadrature
from errsrc.settings.setting import Array

SMALL = 1e-5
"""A singular value, relative to the largest, that least squares inverts as it is."""


@dataclass(frozen=True, eq=False)
class Terms:
    """The budget of one design without the noise, in squared units of the labels, summed over outputs.

    The terms are realizability, uncertainty and deficiency; their total is found apart from them.
    """

    realizability: float
    uncertainty: float
    deficiency: float
    total: float


class Posterior:
    """What labels at inputs x say of a Gaussian setting's teacher, at the points of a quadrature.

    With B B' the prior covariance and B_x = U diag(d) V', the posterior mean at the points is
    B_q V diag(d / (d^2 + s^2)) U' y, and a root of the posterior covariance
    B_q (I - V diag(1 - sqrt(s^2 / (d^2 + s^2))) V'), s being the noise's standard deviation over that of
    the output.  Nothing is squared or subtracted, so that zeros come out as squares of rounding errors.

    Parameters
    ----------
    setting, function_class
        The world, and the class of which the best member is meant; a linear space, or all functions.
    x
        float64 (n, dim).
    quadrature
        Where functions are compared.

    Notes
    -----
    Cost: a singular value decomposition of n x R, and Q R min(n, R) for Q points.
    """

    def __init__(
        self, setting: GaussianSetting, function_class: FunctionClass, x: Array, quadrature: Quadrature
    ) -> None:
        self.setting, self.function_class, self.stds = setting, function_class, setting.output_stds
        self.root = np.sqrt(quadrature.weights)[:, None]
        self.x_root, points_root = setting.roots(x, quadrature.points)
        self.points_root = self.root * points_root  # so that plain sums of squares are means over inputs
        basis = setting.frame(function_class, quadrature.points)
        self.frame = None if basis is None else self.root * basis
        u, d, vt = svd(self.x_root, full_matrices=False, lapack_driver="gesvd")
        kept = d > max(self.x_root.shape) * np.finfo(float).eps * max(d[0], 1e-300)
        self.u, self.d, self.vt = u[:, kept], d[kept], vt[kept]

    def projected(self, values: Array) -> Array:
        """Return the members of the class nearest to functions, all as weighted values (Q, ...)."""
        return values if self.frame is None else self.frame @ (self.frame.T @ values)

    def extended(self, values: Array, at: Array) -> Array | None:
        """Return the member of the class with weighted values (Q, ...) at other inputs (None: any)."""
        basis = self.setting.frame(self.function_class, at)
        return None if basis is None or self.frame is None else basis @ (self.frame.T @ values)

    def gain(self, std: float) -> Array:
        """Return the map from the labels of an output of standard deviation ``std`` to its mean, (Q, n)."""
        shrunk = self.d / (self.d**2 + (self.setting.noise_std / std) ** 2)
        return ((self.points_root @ self.vt.T) * shrunk) @ self.u.T

    def mean(self, y: Array) -> Array:
        """Return the posterior mean of labels (n, outputs), as weighted values (Q, outputs)."""
        out = np.zeros((len(self.root), y.shape[1]))
        for std in np.unique(self.stds[self.stds > 0]):
            out[:, self.stds == std] = self.gain(std) @ y[:, self.stds == std]
        return out

    def deviation(self, std: float) -> Array:
        """Return a root of the posterior covariance of an output, weighted, (Q, R)."""
        s = (self.setting.noise_std / std) ** 2
        along = self.points_root @ self.vt.T
        across = self.points_root - along @ self.vt
        return std * (across + (along * np.sqrt(s / (self.d**2 + s))) @ self.vt)

    @property
    def uncertainty(self) -> float:
        """Mean posterior variance of the teacher's projection on the class, summed over outputs."""
        total = 0.0
        for std in self.stds[self.stds > 0]:
            root = self.deviation(std)
            total += square(root if self.frame is None else self.frame.T @ root)
        return total

    @property
    def realizability(self) -> float:
        """Mean prior variance outside the class, summed over outputs."""
        return self.setting.realizability(self.function_class).estimate

    def linear(self, smoother: Array) -> Terms:
        """Return the terms of a learner that is linear in the labels, by its ``smoother`` (Q, n)."""
        hat = self.root * smoother
        noise = self.setting.noise_std
        deficiency = total = 0.0
        for std in self.stds:
            best = self.projected(self.gain(std)) if std > 0 else 0.0
            off = hat - best
            deficiency += std**2 * square(off @ self.x_root) + noise**2 * square(off)
            total += std**2 * square(hat @ self.x_root - self.points_root) + noise**2 * square(hat)
        return Terms(self.realizability, self.uncertainty, deficiency, total)


def infinite_mean(setting: GaussianSetting, learner: Any, n: int) -> bool:
    """Return whether a learner's mean risk over n random inputs of a setting is infinite.

    That of least squares of noisy labels is near n = M: inputs whose n x M features lack rank have a
    codimension of |n - M| + 1 at most, so that for |n - M| <= 1 the least singular value s is below e with a
    chance of e^2 or more, and E 1 / s^2 is infinite (for normal inputs Breiman and Freedman 1983).  It is for
    all n < M where nodes lie in a line or a plane, for two that are e apart.

    What a band lacks of the teacher is as noise to it where M or M + 1 nodes lack rank because a function of
    the band is 0 at all, which are far apart: in two dimensions or more.  In a line nodes lack rank only
    where they come near each other, and then their labels do so too.
    """
    least = learner.unrestricted if isinstance(learner, ReducedRank) else learner
    if not isinstance(least, SpectralLearner):
        return False
    size = setting.dimension(learner.function_class)
    if least.gains(np.array([1.0, SMALL]), (n, int(size)))[1] < 0.5 / SMALL:
        return False
    noisy = setting.noise_std > 0
    if isinstance(setting, LinearTeacher):
        return noisy and abs(n - size) <= 1
    if not isinstance(setting, BandTeacher) or setting.nodes != Uniform() or min(n, size) < 2:
        return False
    coordinates = setting.basis.continuous_dim  # 0: nodes repeat
    if not noisy:
        lacking = setting.realizability(learner.function_class).estimate
        return lacking > ROUNDING and coordinates >= 2 and 0 <= n - size <= 1
    return bool(coordinates) and n <= size + 1 and (n >= size - 1 or coordinates <= 2)


def square(values: Array) -> float:
    """Return the sum of squares of values of any shape."""
    return float(np.vdot(values, values))
