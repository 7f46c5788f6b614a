"""Gradient descent on a linear model, stopped early."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from errsrc.fields import integer, number
from errsrc.learners.minimum_norm import MinimumNorm
from errsrc.learners.spectral import SpectralLearner
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class GradientDescent(SpectralLearner):
    """Linear regression by full-batch gradient descent from 0, stopped after a number of steps.

    A step with learning rate r is w <- w + r X'(y - X w).  After t steps, the gain of a singular value d of X
    is (1 - (1 - r d^2)^t) / d (see `SpectralLearner`).  The learner computes the gains from this formula.
    Therefore the cost does not grow with the number of steps.

    Parameters
    ----------
    steps : int
        Number of steps t, >= 0.
    rate : float
        Learning rate r in units of 2 / (largest d)^2, in (0, 1).  For larger rates the descent would not
        converge.

    Examples
    --------
    >>> x, y = np.array([[1.0], [1.0]]), np.array([1.0, 1.0])
    >>> GradientDescent(steps=2, rate=0.25).fit(x, y, np.random.default_rng(0))(np.array([[1.0]]))
    array([0.75])
    """

    steps: int = integer(100, at_least=0)
    rate: float = number(0.5, above=0, below=1)

    def at_horizon(self) -> MinimumNorm:
        """Return the learner for infinitely many steps: `MinimumNorm`, the solution of smallest norm."""
        return MinimumNorm()

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return (1 - (1 - 2 rate d^2 / (largest d)^2)^steps) / d for singular values d (p,)."""
        learned = learned_share(2 * self.rate * (d / max(d[0], np.finfo(np.float64).tiny)) ** 2, self.steps)
        return np.divide(learned, d, out=np.zeros_like(d), where=d > 0)


def learned_share(u: Array, steps: int) -> Array:
    """Return 1 - (1 - u)^steps to full relative precision for 0 <= u < 2.

    Parameters
    ----------
    u : ndarray of float64
        Share of the error that a single step removes, in [0, 2).
    steps : int
        Number of steps, >= 0.
    """
    small = u < 0.5
    log = np.log1p(-np.where(small, u, 0.0))
    return np.where(small, -np.expm1(steps * log), 1 - np.power(1 - u, float(steps)))
