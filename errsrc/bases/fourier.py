"""The real Fourier basis on the circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from errsrc import checks


def fourier(x: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Return 1, sqrt 2 cos x, sqrt 2 sin x, ..., sqrt 2 cos(degree x), sqrt 2 sin(degree x) at angles x.

    Orthonormal under the uniform distribution on [0, 2 pi).

    Parameters
    ----------
    x : float64, (N,) or (N, 1)
        Angles in radians.
    degree : int
        The largest frequency, >= 0.

    Returns
    -------
    features : float64, (N, 2 degree + 1)
        In the order above: frequency k has columns 2 k - 1 and 2 k.

    Examples
    --------
    >>> fourier(np.array([0.0, np.pi]), 1).round(3)
    array([[ 1.   ,  1.414,  0.   ],
           [ 1.   , -1.414,  0.   ]])
    """
    checks.integer(degree, "degree", "fourier", 0)
    angle = np.asarray(x, dtype=np.float64).reshape(-1, 1) * np.arange(1, degree + 1)
    out = np.empty((len(angle), 2 * degree + 1))
    out[:, 0] = 1.0
    out[:, 1::2] = np.sqrt(2) * np.cos(angle)
    out[:, 2::2] = np.sqrt(2) * np.sin(angle)
    return out
