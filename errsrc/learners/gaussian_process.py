"""Gaussian-process regression with kernel parameters that are fitted to the data."""

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

from errsrc.fields import choice, integer, number
from errsrc.learners.learner import Learner, indicators
from errsrc.settings.setting import Array, Predictor

FITTED_KERNELS = ("rbf", "matern")
"""Names of the kernels whose parameters can be fitted."""

_LENGTHS = (1e-3, 1e3)
_VARIANCES = (1e-4, 1e4)  # of the process, in units of the labels' variance
_NOISES = (1e-10, 10.0)  # in the same units


@dataclass(frozen=True)
class GaussianProcess(Learner):
    """The posterior mean of a Gaussian process whose variance, length and noise maximise the likelihood.

    scikit-learn computes the fit, after the labels are scaled to mean 0 and variance 1.  `KernelRidge` is the
    posterior mean of a process with given variance, length and noise.

    Parameters
    ----------
    kernel : str
        "rbf" or "matern", see `errsrc.bases.kernel`.
    nu : float
        Smoothness of the Matern kernel, > 0.
    starts : int
        Number of starts of the search for the likelihood's maximum, >= 1.  The first start has length scale
        1, and the others are random.

    Notes
    -----
    The search covers length scales from 1e-3 to 1e3, and noise variances from 1e-10 to 10 times the variance
    of the labels.  A maximum at an end of these ranges is accepted without a warning.  For example, the
    fitted noise of noiseless labels is at the lower end.  Cost: n^3 operations for each step of the search.

    Examples
    --------
    >>> x = np.linspace(0, 6, 12)[:, None]
    >>> f = GaussianProcess().fit(x, np.sin(x[:, 0]), np.random.default_rng(0))
    >>> bool(abs(f(np.array([[1.3]]))[0] - np.sin(1.3)) < 1e-3)
    True
    """

    kernel: str = choice("rbf", FITTED_KERNELS)
    nu: float = number(1.5, above=0)
    starts: int = integer(1, at_least=1)

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        labels = indicators(y)
        shape = RBF(1.0, _LENGTHS) if self.kernel == "rbf" else Matern(1.0, _LENGTHS, self.nu)
        process = GaussianProcessRegressor(
            ConstantKernel(1.0, _VARIANCES) * shape + WhiteKernel(1e-2, _NOISES),
            normalize_y=True,
            n_restarts_optimizer=self.starts - 1,
            random_state=int(rng.integers(2**32)),
        )
        with warnings.catch_warnings():  # scikit-learn warns of a parameter at the end of its range
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(x, labels)
        return functools.partial(_mean, process, labels.shape[1:])


def _mean(process: GaussianProcessRegressor, shape: tuple[int, ...], at: Array) -> Array:
    return np.asarray(process.predict(at)).reshape(len(at), *shape)
