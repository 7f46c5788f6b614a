"""Ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc import checks
from errsrc.learners.spectral import SpectralLearner
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class Ridge(SpectralLearner):
    """Linear regression without offset, penalised: min |y - X w|^2 + ridge |w|^2.

    That is (X'X + ridge I)^-1 X'y: ``ridge`` is not divided by n.  With the noise variance over the prior
    variance of a weight it is the posterior mean.

    Attributes
    ----------
    ridge
        The penalty, > 0; for 0 see `MinimumNorm`.

    Examples
    --------
    >>> import numpy as np
    >>> f = Ridge(1.0).fit(np.array([[1.0], [2.0]]), np.array([1.0, 2.0]), np.random.default_rng(0))
    >>> f(np.array([[6.0]]))
    array([5.])
    """

    ridge: float = 1.0

    def __post_init__(self) -> None:
        checks.number(self.ridge, "ridge", "Ridge", 0, open_low=True)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return d / (d^2 + ridge)."""
        return d / (d**2 + self.ridge)
