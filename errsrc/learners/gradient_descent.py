"""Gradient descent on a linear model, stopped early."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from errsrc import checks
from errsrc.learners.spectral import SpectralLearner
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class GradientDescent(SpectralLearner):
    """Linear regression by full-batch gradient descent from 0, stopped after some steps.

    A step is w <- w + r X'(y - X w); after t of them the gain of a singular value d is
    (1 - (1 - r d^2)^t) / d.  No step is taken: cost does not grow with ``steps``.

    Attributes
    ----------
    steps
        t, >= 0.
    rate
        r in units of the least at which descent no longer converges, 2 / (largest d)^2: in (0, 1).

    Examples
    --------
    >>> x, y = np.array([[1.0], [1.0]]), np.array([1.0, 1.0])
    >>> GradientDescent(steps=2, rate=0.25).fit(x, y, np.random.default_rng(0))(np.array([[1.0]]))
    array([0.75])
    """

    steps: int = 100
    rate: float = 0.5

    def __post_init__(self) -> None:
        checks.integer(self.steps, "steps", "GradientDescent", 0)
        checks.number(self.rate, "rate", "GradientDescent", 0, 1, open_low=True, open_high=True)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return (1 - (1 - 2 rate d^2 / (largest d)^2)^steps) / d."""
        done = _done(2 * self.rate * (d / max(d[0], np.finfo(np.float64).tiny)) ** 2, self.steps)
        return np.divide(done, d, out=np.zeros_like(d), where=d > 0)


def _done(u: Array, steps: int) -> Array:
    """Return 1 - (1 - u)^steps to full relative precision for 0 <= u < 2."""
    small = u < 0.5
    log = np.log1p(-np.where(small, u, 0.0))
    return np.where(small, -np.expm1(steps * log), 1 - np.power(1 - u, float(steps)))
