"""Gaussian-process regression with the kernel's parameters fitted."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

from errsrc import checks
from errsrc.learners.learner import Learner, indicators
from errsrc.settings.setting import Array, Predictor

FITTED_KERNELS = ("rbf", "matern")


@dataclass(frozen=True)
class GaussianProcess(Learner):
    """The posterior mean of a Gaussian process whose variance, length and noise maximise the likelihood.

    scikit-learn's, on labels scaled to mean 0 and variance 1.  With all of these given it is `KernelRidge`.

    Attributes
    ----------
    kernel
        "rbf" or "matern", as in `errsrc.bases.kernel`.
    nu
        Smoothness of the Matern kernel, > 0.
    starts
        Starts of the search for the likelihood's maximum, >= 1: the first at length 1, others at random.

    Notes
    -----
    Lengths are sought between 1e-3 and 1e3, noise variances from 1e-10 of the labels' to 10 times it; a
    maximum at an end of these ranges is taken as it is (noiseless labels have theirs at the lower one).
    Cost: n^3 a step of the search.

    Examples
    --------
    >>> x = np.linspace(0, 6, 12)[:, None]
    >>> f = GaussianProcess().fit(x, np.sin(x[:, 0]), np.random.default_rng(0))
    >>> bool(abs(f(np.array([[1.3]]))[0] - np.sin(1.3)) < 1e-3)
    True
    """

    kernel: str = "rbf"
    nu: float = 1.5
    starts: int = 1

    def __post_init__(self) -> None:
        checks.choice(self.kernel, "kernel", "GaussianProcess", FITTED_KERNELS)
        checks.number(self.nu, "nu", "GaussianProcess", 0, open_low=True)
        checks.integer(self.starts, "starts", "GaussianProcess", 1)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        labels = indicators(y)
        bounds = (1e-3, 1e3)
        shape = RBF(1.0, bounds) if self.kernel == "rbf" else Matern(1.0, bounds, self.nu)
        process = GaussianProcessRegressor(
            ConstantKernel(1.0, (1e-4, 1e4)) * shape + WhiteKernel(1e-2, (1e-10, 10.0)),
            normalize_y=True,
            n_restarts_optimizer=self.starts - 1,
            random_state=int(rng.integers(2**32)),
        )
        with warnings.catch_warnings():  # of a parameter at the end of its range
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(x, labels)
        return functools.partial(_mean, process, labels.shape[1:])


def _mean(process: GaussianProcessRegressor, shape: tuple[int, ...], at: Array) -> Array:
    return np.asarray(process.predict(at)).reshape(len(at), *shape)
