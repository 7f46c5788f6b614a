"""The Bayes-optimal risk of quadratic networks, in the limit of large dimension."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from errsrc import checks
from errsrc.checks import Integer, Number, PositiveArray
from errsrc.theory.spectrum import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_LARGEST, _SMALLEST = 1e14, 1e-10  # range of the unknown q


@checks.arguments(
    n=PositiveArray(),
    dim=Integer(at_least=1),
    width=Integer(at_least=1),
    noise=Number(at_least=0),
    weight_std=Number(above=0),
)
def quadratic_networks(
    n: ArrayLike, dim: int, width: int, *, noise: float = 0.0, weight_std: float = 1.0
) -> Array:
    """Return the smallest expected excess risk of any learner of quadratic networks, for large `dim`.

    The teachers are f(x) = (|W x|^2 - |W|^2) / (m sqrt(d)), where W is an (m, d) matrix of independent normal
    numbers, as `errsrc.nets.QuadraticNetwork` draws them.  The inputs are standard normal.  The risk is the
    posterior variance of f, averaged over teachers, data and inputs.  The result is exact in the limit of
    large d with fixed m / d and n / d^2.

    Parameters
    ----------
    n : array_like of float
        Numbers of examples, > 0, of any shape S.
    dim : int
        Number of inputs d, >= 1.
    width : int
        Number of hidden units m, >= 1.
    noise : float
        Variance of the label noise, >= 0.
    weight_std : float
        Standard deviation of the entries of W, > 0.

    Returns
    -------
    ndarray of float64, shape S
        Excess risk, in squared units of the labels.  Without noise, the risk is 0 for n >= m d - m^2 / 2 if m
        <= d, and for n >= d^2 / 2 if m > d.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The formula is by Maillard, Troiani, Martin, Krzakala and Zdeborova 2024 (arXiv 2408.03733).  Let kappa =
    m / d, alpha = n / d^2, and Delta the noise in units of weight_std^4.  The eigenvalues of W^T W / m follow
    the Marchenko-Pastur law of kappa.  Let rho be the density of the free convolution of this law with a
    semicircle law of variance 1 / q.  Then q solves

        (4 pi^2 / 3) (1 / q) Int rho(x)^3 dx - Delta q / 2 = 1 - 2 alpha,

    and the risk is weight_std^4 (4 alpha - q Delta) / q.  At finite d the risk is larger:
    ``benchmarks/quadratic_bayes.py`` measures by how much, with chains in the posterior.

    Examples
    --------
    >>> quadratic_networks([100, 200, 400], 20, 10).round(3)
    array([0.989, 0.   , 0.   ])
    """
    kappa, delta = width / dim, noise / weight_std**4
    sizes = np.asarray(n, dtype=np.float64)
    alphas = sizes.ravel() / dim**2
    risks = np.array([_risk(float(alpha), kappa, delta) for alpha in alphas])
    return weight_std**4 * risks.reshape(sizes.shape)


def _risk(alpha: float, kappa: float, delta: float) -> float:
    """Return the excess risk for weights of standard deviation 1."""

    def rest(log_q: float) -> float:
        q = math.exp(log_q)
        return 4 * math.pi**2 / 3 * _cubed_density(1 / q, kappa) / q - delta * q / 2 - (1 - 2 * alpha)

    least = max(1 - kappa, 0.0) ** 2  # of the first term, for large q
    if not delta and 1 - 2 * alpha <= least:
        return 0.0
    low, high = math.log(_SMALLEST), math.log(_LARGEST)
    if rest(low) <= 0:  # so few examples that the risk equals the risk without examples, up to rounding
        return 2 / kappa
    if rest(high) >= 0:
        return 0.0
    q = math.exp(brentq(rest, low, high, xtol=1e-12))
    return (4 * alpha - q * delta) / q


def _cubed_density(variance: float, kappa: float) -> float:
    """Return Int rho^3 of the Marchenko-Pastur law of kappa, plus a semicircle of a variance.

    The transform g(z) = Int rho(x) / (z - x) dx solves the cubic equation z = 1 / g + variance g + kappa /
    (kappa - g), and rho is the imaginary part of -g / pi on the real axis.  The ends of the support are the
    zeros of the discriminant.
    """
    z = Polynomial([0.0, 1.0])
    a, b, c, d = variance, -(z + kappa * variance), 1 - kappa + kappa * z, -kappa
    discriminant = 18 * a * d * b * c - 4 * d * b**3 + b**2 * c**2 - 4 * a * c**3 - 27 * a**2 * d**2
    roots = discriminant.roots()
    ends = np.sort(roots.real[np.abs(roots.imag) <= 1e-9 * np.abs(roots).max()])
    total = 0.0
    for low, high in itertools.pairwise(ends):
        middle, half = (low + high) / 2, (high - low) / 2
        angle = math.pi / 2 * _NODES  # x = middle + half sin(angle): rho is smooth in the angle
        x = middle + half * np.sin(angle)
        rho = _density(x, variance, kappa)
        total += float((_WEIGHTS * rho**3 * half * np.cos(angle)).sum()) * math.pi / 2
    return total


def _density(x: Array, variance: float, kappa: float) -> Array:
    """Return rho at x: the positive imaginary part of the cubic's roots, divided by pi."""
    companion = np.zeros((len(x), 3, 3))
    companion[:, 1, 0] = companion[:, 2, 1] = 1.0
    companion[:, 0, 2] = kappa / variance
    companion[:, 1, 2] = -(1 - kappa + kappa * x) / variance
    companion[:, 2, 2] = (x + kappa * variance) / variance
    return np.asarray(np.linalg.eigvals(companion).imag.max(1) / math.pi)
