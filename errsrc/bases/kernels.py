"""Stationary kernels."""

from __future__ import annotations

import numpy as np

from errsrc import checks
from errsrc.bases.basis import Array
from errsrc.extras import require

KERNELS = ("rbf", "matern", "periodic")
"""Names of the kernels."""

WIDE = 32
"""Number of columns from which on `kernel` uses one matrix product, which is five times as fast."""


@checks.arguments(name=checks.Choice(KERNELS), length=checks.Number(above=0), nu=checks.Number(above=0))
def kernel(x: Array, z: Array, name: str, length: float, nu: float = 1.5) -> Array:
    """Return the value of a kernel for each pair of points; the value is 1 for equal points.

    Parameters
    ----------
    x : ndarray of float64, (N, dim)
        Points.
    z : ndarray of float64, (L, dim)
        Points.
    name : str
        Name of the kernel.  "rbf" is exp(-r^2 / (2 length^2)) at distance r.  "matern" is the Matern kernel
        of smoothness `nu`; for nu = 1/2 it is exp(-r / length).  "periodic" is exp(-2 s / length^2), for
        coordinates that are angles in radians; s is the sum over coordinates of sin^2(difference / 2).  The
        periodic kernel is the rbf kernel if each angle is replaced by its point on the unit circle.
    length : float
        Length scale, > 0, in units of the coordinates.
    nu : float
        Smoothness of the Matern kernel, > 0.  The other kernels do not use `nu`.

    Returns
    -------
    gram : ndarray of float64, (N, L)
        Value of the kernel for each point of `x` and each point of `z`.

    Raises
    ------
    ValueError
        If `name` is none of `KERNELS`, or if `length` or `nu` is not > 0.

    Notes
    -----
    With `WIDE` columns or more, rounding gives the rbf and periodic kernels an absolute error of about e
    |x|^2 / length^2.  Here e is the machine epsilon, and |x| is the norm of the points.

    Examples
    --------
    >>> kernel(np.array([[0.0]]), np.array([[0.0], [2.0]]), "matern", length=2.0, nu=0.5).round(3)
    array([[1.   , 0.368]])
    """
    require("A kernel", "sklearn")
    from sklearn.gaussian_process.kernels import RBF, Matern

    if name == "matern":
        return np.asarray(Matern(length, nu=nu)(x, z))
    if name == "periodic":
        x, z = (np.concatenate([np.cos(points), np.sin(points)], axis=1) for points in (x, z))
    if x.shape[1] < WIDE:
        return np.asarray(RBF(length)(x, z))
    # exp(x.z / length^2 - |x|^2 / (2 length^2) - |z|^2 / (2 length^2)), in place
    exponent = (x / length) @ (z / length).T
    exponent -= ((x / length) ** 2).sum(1)[:, None] / 2
    exponent -= ((z / length) ** 2).sum(1) / 2
    return np.exp(np.minimum(exponent, 0.0, out=exponent), out=exponent)
