"""Stationary kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process.kernels import RBF, Matern

from errsrc import checks

KERNELS = ("rbf", "matern", "periodic")
"""Names of kernels."""

WIDE = 32
"""Columns from which on squared distances are taken by one matrix product, five times as fast."""


def kernel(
    x: NDArray[np.float64], z: NDArray[np.float64], name: str, length: float, nu: float = 1.5
) -> NDArray[np.float64]:
    """Return the kernel of each pair of points, float64 (N, L) for x (N, dim) and z (L, dim); 1 on x = z.

    Parameters
    ----------
    x, z
        Points.
    name
        "rbf", exp(-r^2 / (2 length^2)) at distance r; "matern" with smoothness ``nu`` (nu = 1/2:
        exp(-r / length)); "periodic", the rbf of the points' places on unit circles, their coordinates
        being angles: exp(-2 sum of sin^2(difference / 2) / length^2).
    length
        Length scale, > 0.
    nu
        Smoothness, > 0; the Matern kernel's only.

    Notes
    -----
    Inputs of `WIDE` columns or more have kernels off by rounding of their squared norms over length^2.

    Examples
    --------
    >>> kernel(np.array([[0.0]]), np.array([[0.0], [2.0]]), "matern", length=2.0, nu=0.5).round(3)
    array([[1.   , 0.368]])
    """
    checks.choice(name, "name", "kernel", KERNELS)
    if name == "matern":
        return np.asarray(Matern(length, nu=nu)(x, z))
    if name == "periodic":
        x, z = (np.concatenate([np.cos(points), np.sin(points)], axis=1) for points in (x, z))
    if x.shape[1] < WIDE:
        return np.asarray(RBF(length)(x, z))
    out = (x / length) @ (z / length).T
    out -= ((x / length) ** 2).sum(1)[:, None] / 2
    out -= ((z / length) ** 2).sum(1) / 2
    return np.exp(np.minimum(out, 0.0, out=out), out=out)
