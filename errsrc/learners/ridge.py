"""Ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

from errsrc.fields import number
from errsrc.learners.spectral import SpectralLearner
from errsrc.settings.setting import Array


@dataclass(frozen=True)
class Ridge(SpectralLearner):
    """Linear regression without offset and with a penalty: min |y - X w|^2 + ridge |w|^2.

    The solution is (X'X + ridge I)^-1 X'y.  Here `ridge` is not divided by n.  If `ridge` is the noise
    variance divided by the prior variance of a weight, the solution is the posterior mean.

    Parameters
    ----------
    ridge : float
        The penalty, > 0.  Use `MinimumNorm` for a penalty of 0.

    Examples
    --------
    >>> import numpy as np
    >>> f = Ridge(1.0).fit(np.array([[1.0], [2.0]]), np.array([1.0, 2.0]), np.random.default_rng(0))
    >>> f(np.array([[6.0]]))
    array([5.])
    """

    ridge: float = number(1.0, above=0)

    def gains(self, d: Array, shape: tuple[int, int]) -> Array:
        """Return d / (d^2 + ridge) for singular values d (p,)."""
        return d / (d**2 + self.ridge)
