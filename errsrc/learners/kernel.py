"""Kernel ridge regression, which is the posterior mean of a Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from sklearn.gaussian_process.kernels import RBF, ExpSineSquared, Kernel, Matern

from errsrc import checks
from errsrc.learners.learner import Learner
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array

KERNELS = ("rbf", "matern", "periodic")


@dataclass(frozen=True)
class KernelRidge(Learner):
    """f(z) = k(z, X) (K + ridge I)^-1 y.

    Also the posterior mean of a Gaussian process of covariance k under label noise of variance ``ridge``.

    Attributes
    ----------
    kernel
        "rbf", exp(-r^2 / (2 length^2)); "matern" of smoothness ``nu``; "periodic", of angles (n, 1),
        exp(-2 sin^2(r / 2) / length^2).
    length, nu
        Length scale; smoothness of the Matern kernel.
    ridge
        >= 0; with 0, directions that rounding cannot tell from 0 are left out.
    """

    kernel: str = "rbf"
    length: float = 1.0
    nu: float = 1.5
    ridge: float = 0.0
    linear_in_labels = True

    def __post_init__(self) -> None:
        checks.choice(self.kernel, "kernel", "KernelRidge", KERNELS)
        checks.number(self.length, "length", "KernelRidge", 0, open_low=True)
        checks.number(self.nu, "nu", "KernelRidge", 0, open_low=True)
        checks.number(self.ridge, "ridge", "KernelRidge", 0)

    @property
    def function_class(self) -> FunctionClass:
        """All functions."""
        return AllFunctions()

    def covariance(self) -> Kernel:
        """Return the kernel as scikit-learn has it."""
        if self.kernel == "rbf":
            return RBF(self.length)
        if self.kernel == "matern":
            return Matern(self.length, nu=self.nu)
        return ExpSineSquared(self.length, periodicity=2 * np.pi)

    def _smoother(self, x: Array, at: Array) -> Array:
        kernel = self.covariance()
        values, vectors = eigh(kernel(x))
        kept = values + self.ridge > len(x) * np.finfo(float).eps * values[-1]
        vectors = vectors[:, kept]
        return np.asarray(((kernel(at, x) @ vectors) / (values[kept] + self.ridge)) @ vectors.T)
