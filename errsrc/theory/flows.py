"""The error of gradient flow on random features, as a function of n examples, m features and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import NonNegativeArray, Number, PositiveArray
from errsrc.theory.feature_models import random_features
from errsrc.theory.spectrum import Array, broadcast_sizes, checked_spectrum, learned

NODES = 24
"""Number of points of the contour, an even number; the error of the integral is about 2.85^-NODES."""

_SUBSTEPS = 4  # between two points of the contour, at which the equation for the scale is solved
_ITERATIONS = 60  # of Newton's method

Complex = NDArray[np.complex128]


@checks.arguments(
    n=PositiveArray(),
    m=PositiveArray(),
    time=NonNegativeArray(),
    eigenvalues=NonNegativeArray(),
    target=NonNegativeArray(),
    ridge=Number(at_least=0),
    noise=Number(at_least=0),
)
def gradient_flow(
    n: ArrayLike,
    m: ArrayLike,
    time: ArrayLike,
    eigenvalues: ArrayLike,
    target: ArrayLike,
    *,
    ridge: float = 0.0,
    noise: float = 0.0,
) -> Array:
    """Return the expected excess risk of gradient flow on m random linear features of the inputs.

    The features are those of `random_features`.  The coefficients w start at 0 and follow the negative
    gradient of |y - features w|^2 / (2 n) + ridge |w|^2 / (2 n) until `time`.  Gradient descent with a small
    learning rate follows this flow.  The time is then the number of steps times the learning rate.

    Parameters
    ----------
    n, m, time : array_like
        Numbers of examples and of features, > 0, and times, >= 0.  Their shapes must broadcast to one shape
        S.
    eigenvalues : array_like, shape (M,)
        Variances e_i >= 0 of the inputs in their principal axes.
    target : array_like, shape (M,)
        Squares c_i^2 >= 0 of the target's coefficients, see `random_features`.
    ridge : float
        The ridge, >= 0, not divided by n.
    noise : float
        Variance of the label noise, >= 0.

    Returns
    -------
    ndarray of float64, shape S
        Excess risk, in the units of ``target``.

    Raises
    ------
    TypeError, ValueError
        If an array has another shape, or if a number is negative or not finite.

    Notes
    -----
    The part of the target that is not learned at the time t has a Laplace transform in t.  Take the product
    of two such transforms, at z and at z'. For large n, m and M, the mean of this product over data and
    features follows from linear equations, as in Bordelon, Atanasov and Pehlevan 2024 (arXiv 2402.01092).
    Let g(z) be the solution of g (1 - S / n) (1 - S / m) = z, where S is the sum of L_i = e_i / (e_i + g).
    Let R = 1 - S / n, Q = 1 - S / m, H_i = 1 / (z + e_i Q R) and N = noise / (z z').  A prime denotes values
    at z'.  Then

        C = sum_i H_i H_i' (c_i^2 + e_i B + Q Q' e_i^2 A / n),
        A = R R' (C + N),
        B = Q Q' / m sum_i e_i H_i H_i' (z z' A / n + R R' (c_i^2 + e_i B)).

    The excess risk at the time t is the inverse Laplace transform of C in z and in z', both at t.  The code
    integrates along the parabola of Weideman and Trefethen 2007 (Mathematics of Computation 76, 1341), with
    `NODES` points.  As t grows, the excess risk approaches the result of `random_features`.

    Examples
    --------
    >>> e = np.arange(1.0, 1001) ** -2
    >>> gradient_flow(40, 20, [0, 10, 1e9], e, e).round(4)
    array([1.6439, 0.2845, 0.2309])
    """
    sizes, models, times = broadcast_sizes("gradient_flow", n=n, m=m, time=time)
    e, c = checked_spectrum(eigenvalues, target, "gradient_flow")
    excess = np.empty(sizes.shape)
    for place in np.ndindex(sizes.shape):
        size, model, t = float(sizes[place]), float(models[place]), float(times[place])
        excess[place] = _excess(size, model, t, e, c, ridge, noise) if t > 0 else c.sum()
    return excess


@dataclass(frozen=True, eq=False)
class _Contour:
    """Points z of a contour and the weights of an inverse Laplace transform at one time, (NODES,)."""

    z: Complex
    weights: Complex

    @classmethod
    def at(cls, time: float) -> _Contour:
        angle = (np.arange(NODES) + 0.5) * 2 * np.pi / NODES - np.pi
        z = parabola(angle, time)
        slope = NODES / time * (-2 * 0.1194 * angle + 0.25j)
        return cls(z, np.exp(z * time) * slope / (1j * NODES))


def parabola(angle: Array, time: float) -> Complex:
    """Return points of the contour of Weideman and Trefethen, at angles from -pi to pi.

    Parameters
    ----------
    angle : ndarray of float64
        Angles; the contour crosses the real axis at 0.
    time : float
        Time of the inverse Laplace transform, > 0.
    """
    return np.asarray(NODES / time * (0.1309 - 0.1194 * angle**2 + 0.25j * angle))


def _excess(n: float, m: float, time: float, e: Array, c: Array, ridge: float, noise: float) -> float:
    """Return the excess risk at one n, m and time > 0."""
    contour = _Contour.at(time)
    shift = ridge / n
    z = contour.z + shift  # the ridge shifts the spectrum
    g = _scales(n, m, time, e, shift)
    total = (e / (e + g[:, None])).sum(1)
    r, q = 1 - total / n, 1 - total / m
    h = 1 / (z[:, None] + e * (q * r)[:, None])

    def mixed(weights: Array) -> Complex:
        return np.asarray((h * weights) @ h.T)

    rr, qq, zz = np.outer(r, r), np.outer(q, q), np.outer(z, z)
    first, second = mixed(e), mixed(e**2)
    # C = known + first B + qq second / n A with A = rr (C + N), and B = qq / m (...)
    own, spread = mixed(c), mixed(e * c)
    label = noise / zz
    to_b = qq / m * (zz / n * first)  # factor of A in B
    rest = 1 - qq / m * rr * second
    from_c = (first * to_b / rest + qq * second / n) * rr  # factor of C + N in C
    constant = own + first * (qq / m * rr * spread) / rest
    found = (constant + from_c * label) / (1 - from_c)
    found = found * zz / np.outer(contour.z, contour.z)
    return float((contour.weights @ found @ contour.weights).real)


def _scales(n: float, m: float, time: float, e: Array, shift: float) -> Complex:
    """Return g at each point of the contour, by continuation from its point on the real axis."""
    angles = np.arange(1, NODES * _SUBSTEPS // 2) * 2 * np.pi / NODES / _SUBSTEPS
    start = float(parabola(np.zeros(1), time)[0].real) + shift
    g = complex(learned(n, m, e, n * start).scale)
    upper = []
    for step, z in enumerate(parabola(angles, time) + shift, start=1):
        g = _newton(n, m, e, complex(z), g)
        if step % _SUBSTEPS == _SUBSTEPS // 2:
            upper.append(g)
    return np.concatenate([np.conj(upper[::-1]), upper])


def _newton(n: float, m: float, e: Array, z: complex, g: complex) -> complex:
    """Return the solution g of g (1 - S / n) (1 - S / m) = z that is close to a given number."""
    for _ in range(_ITERATIONS):
        share = 1 / (e + g)
        total, slope = (e * share).sum(), -(e * share**2).sum()
        r, q = 1 - total / n, 1 - total / m
        change = (g * r * q - z) / (r * q - g * slope * (q / n + r / m))
        g = g - change
        if abs(change) <= 1e-14 * abs(g):
            break
    return g


@dataclass(frozen=True, eq=False)
class FeatureTerms:
    """The predicted error budget of regression on random features, see `feature_terms`.

    Attributes
    ----------
    realizability, uncertainty, deficiency : ndarray of float64, shape S
        The terms, in the units of ``target``.
    excess : ndarray of float64, shape S
        The excess risk, which is the sum of the three terms; inf where it is not finite.
    """

    realizability: Array
    uncertainty: Array
    deficiency: Array
    excess: Array


def feature_terms(
    n: ArrayLike,
    m: ArrayLike,
    eigenvalues: ArrayLike,
    target: ArrayLike,
    *,
    ridge: float = 0.0,
    noise: float = 0.0,
    time: ArrayLike | None = None,
) -> FeatureTerms:
    """Return the predicted error budget of regression on m random linear features.

    The target is a random teacher with independent normal coefficients of variances ``target``.

    Parameters
    ----------
    n, m : array_like
        Numbers of examples and of features, > 0.  Their shapes must broadcast to one shape S.
    eigenvalues : array_like, shape (M,)
        Variances e_i >= 0 of the inputs in their principal axes.
    target : array_like, shape (M,)
        Prior variances c_i^2 >= 0 of the teacher's coefficients, see `random_features`.
    ridge : float
        The ridge, >= 0, not divided by n.
    noise : float
        Variance of the label noise, >= 0.
    time : array_like, optional
        Time of a `gradient_flow` from 0, of a shape that broadcasts with S; infinite by default.

    Returns
    -------
    FeatureTerms
        The terms.  Their sum is the result of `random_features`, or of `gradient_flow` if `time` is given.

    Raises
    ------
    TypeError, ValueError
        If an array has another shape, or if a number is negative or not finite.

    Notes
    -----
    The realizability is the sum of (1 - L_i) c_i^2.  Here L_i = e_i / (e_i + g) is the share of axis i that
    the m features express.  The number g is such that the sum of L_i is m.  If m >= M, all L_i are 1.  The
    uncertainty is the sum of L_i times the posterior variance of coefficient i given n labels.  This variance
    is k c_i^2 / (c_i^2 + k), where k solves k (n - sum_i c_i^2 / (c_i^2 + k)) = noise.  The features and the
    examples are independent.  Therefore the mean of the product is the product of the means.  The formulas of
    both factors are by Simon, Karkada, Ghosh and Belkin 2023 (arXiv 2311.14646).

    Examples
    --------
    >>> e = np.arange(1.0, 1001) ** -2
    >>> found = feature_terms(40, 20, e, e, noise=0.01)
    >>> print(found.realizability.round(4), found.uncertainty.round(4), found.deficiency.round(4))
    0.1155 0.0242 0.1012
    """
    if time is None:
        excess = random_features(n, m, eigenvalues, target, ridge=ridge, noise=noise)
    else:
        excess = gradient_flow(n, m, time, eigenvalues, target, ridge=ridge, noise=noise)
    e, c = checked_spectrum(eigenvalues, target, "feature_terms")
    sizes = np.broadcast_to(np.asarray(n, dtype=np.float64), excess.shape)
    models = np.broadcast_to(np.asarray(m, dtype=np.float64), excess.shape)
    outside, inside = np.empty(excess.shape), np.empty(excess.shape)
    for model in np.unique(models):
        features = learned(float(model), np.inf, e, 0.0)
        missed = features.scale / (e + features.scale) if features.scale else (e == 0).astype(np.float64)
        for size in np.unique(sizes[models == model]):
            place = (models == model) & (sizes == size)
            left = learned(float(size), np.inf, c, noise).scale if c.any() else 0.0
            spread = left * c / (c + left) if left else np.zeros_like(c)
            outside[place], inside[place] = missed @ c, features.learnability @ spread
    return FeatureTerms(outside, inside, excess - outside - inside, excess)
