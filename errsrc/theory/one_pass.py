"""The risk of one-pass stochastic gradient descent on random features, as a function of m and steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from errsrc import checks
from errsrc.checks import Integer, NonNegativeArray, Number, Optional, PositiveArray
from errsrc.theory.flows import NODES, parabola
from errsrc.theory.spectrum import SMALLEST, Array, broadcast_sizes, checked_spectrum

_FEW_STEPS = 10  # up to this number of steps the contour is a circle
_CIRCLE = 64  # points of the circle
_WIDTH = 0.01  # of the groups of log eigenvalues
_SUBSTEPS = 4  # between two points of the contour, at which the equation for the scale is solved
_ITERATIONS = 60  # of Newton's method

Complex = NDArray[np.complex128]


@checks.arguments(
    m=PositiveArray(),
    steps=NonNegativeArray(),
    eigenvalues=NonNegativeArray(),
    target=NonNegativeArray(),
    learning_rate=Number(above=0),
    batch=Integer(at_least=1),
    noise=Number(at_least=0),
    counts=Optional(PositiveArray()),
)
def one_pass_sgd(
    m: ArrayLike,
    steps: ArrayLike,
    eigenvalues: ArrayLike,
    target: ArrayLike,
    *,
    learning_rate: float,
    batch: int = 1,
    noise: float = 0.0,
    counts: ArrayLike | None = None,
) -> Array:
    """Return the expected excess risk of one-pass stochastic gradient descent on m random linear features.

    The inputs are normal, and the features are those of `random_features`.  The coefficients start at 0.
    Each step takes `batch` new examples and subtracts `learning_rate` times the gradient of their mean
    squared error, divided by 2.  Therefore n is ``steps * batch``.

    Parameters
    ----------
    m, steps : array_like
        Numbers of features, > 0, and of steps, integers >= 0.  Their shapes must broadcast to one shape S.
    eigenvalues : array_like, shape (M,)
        Variances e_i >= 0 of the inputs in their principal axes.
    target : array_like, shape (M,)
        Squares c_i^2 >= 0 of the target's coefficients, see `random_features`.
    learning_rate : float
        Size of the steps, > 0.
    batch : int
        Number of new examples in each step, >= 1.
    noise : float
        Variance of the label noise, >= 0.
    counts : array_like, shape (M,), optional
        For each eigenvalue, the number of axes that have it, > 0; 1 by default.  The number in `target` is
        then the sum of the c_i^2 of these axes.  With counts, a few thousand numbers describe a spectrum of
        any length.

    Returns
    -------
    ndarray of float64, shape S
        Excess risk, in the units of ``target``.  Numerical errors are about 1e-12 of the sum of ``target``;
        smaller risks may be 0.

    Raises
    ------
    TypeError, ValueError
        If an array has another shape, if a number is out of its range, or if the risk diverges at this
        learning rate; `largest_learning_rate` returns the limit.

    Notes
    -----
    Let T be the covariance of the features, expressed in the M axes, and h the learning rate.  Let q = (1 - h
    T)^2 + h^2 T^2 / batch.  Let R(t) = excess risk + noise after t steps, the mean over examples given the
    features.  R solves exactly

        R(t) = F(t) + sum over s < t of K(t - 1 - s) R(s),
        F(t) = noise + c' q^t c,    K(t) = h^2 / batch trace(T^2 q^t).

    where c is the vector of the target's coefficients and c' its transpose.  Without label noise, this is the
    Volterra equation of Paquette, Paquette, Xiao and Pennington 2024 (arXiv 2405.15074).  For large m and M,
    F and K are close to their means over features.  In these means, z / (T + z) becomes the diagonal matrix g
    / (e_i + g), where g is the solution of g (1 - S / m) = z, and S is the sum of e_i / (e_i + g).  The
    equation becomes a product if both sides are multiplied by exp(-s t) and summed over t.  Then each point s
    needs g only at two numbers z, because 1 - exp(-s) q is a quadratic function of T.  The code inverts this
    sum along the contour of `gradient_flow`; for few steps, along a circle.

    Examples
    --------
    >>> e = np.arange(1.0, 1001) ** -2
    >>> one_pass_sgd(20, [0, 10, 1000], e, e, learning_rate=0.1).round(4)
    array([1.6439, 0.7412, 0.1481])
    """
    models, times = broadcast_sizes("one_pass_sgd", m=m, steps=steps)
    e, c = checked_spectrum(eigenvalues, target, "one_pass_sgd")
    unit = _unit(e, "one_pass_sgd")
    spectrum, rate = _Spectrum.of(e / unit, c, counts, "one_pass_sgd"), float(learning_rate) * unit
    if (times != np.round(times)).any():
        fraction = float(times[times != np.round(times)].flat[0])
        raise ValueError(checks.refusal("steps", "one_pass_sgd", "integers >= 0", fraction))
    for model in np.unique(models):
        most = spectrum.largest_rate(float(model), batch)
        if rate >= most:
            accepted = f"below {most / unit:.4g}, where the risk begins to diverge for m = {model:g}"
            raise ValueError(checks.refusal("learning_rate", "one_pass_sgd", accepted, learning_rate))
    excess = np.empty(models.shape)
    for place in np.ndindex(models.shape):
        model, t = float(models[place]), float(times[place])
        descent = _Descent(model, spectrum, rate, batch, noise)
        excess[place] = max(descent.excess(t), 0.0) if t > 0 else c.sum()
    return excess


@checks.arguments(
    m=Number(above=0),
    eigenvalues=NonNegativeArray(),
    batch=Integer(at_least=1),
    counts=Optional(PositiveArray()),
)
def largest_learning_rate(
    m: float, eigenvalues: ArrayLike, *, batch: int = 1, counts: ArrayLike | None = None
) -> float:
    """Return the learning rate at which the risk of `one_pass_sgd` begins to diverge.

    Parameters
    ----------
    m : float
        Number of features, > 0.
    eigenvalues : array_like, shape (M,)
        Variances e_i >= 0 of the inputs in their principal axes.
    batch : int
        Number of new examples in each step, >= 1.
    counts : array_like, shape (M,), optional
        For each eigenvalue, the number of axes that have it, > 0; 1 by default.

    Returns
    -------
    float
        The learning rate.  Below it, the risk stays finite for any number of steps.

    Raises
    ------
    TypeError, ValueError
        If an array has another shape, or if a number is out of its range.

    Notes
    -----
    With the symbols of `one_pass_sgd`, the risk stays finite if the sum of K(t) over all t is below 1
    (Paquette, Paquette, Xiao and Pennington 2024, arXiv 2405.15074) and if q is below 1 on the spectrum of T.
    Let k > max e_i be the larger solution of two equations: sum_i e_i / (k - e_i) = batch + 1, and sum_i
    e_i^2 / (k - e_i)^2 = m.  Let S be the sum of e_i / (k - e_i) at this k.  The learning rate is 2 / ((1 + 1
    / batch) k (1 + S / m)).

    Examples
    --------
    >>> e = np.arange(1.0, 1001) ** -2
    >>> round(largest_learning_rate(1000, e), 3), round(largest_learning_rate(1000, e, batch=1000), 3)
    (0.61, 1.876)
    """
    e, _ = checked_spectrum(eigenvalues, eigenvalues, "largest_learning_rate")
    unit = _unit(e, "largest_learning_rate")
    return _Spectrum.of(e / unit, e, counts, "largest_learning_rate").largest_rate(m, batch) / unit


def _unit(e: Array, where: str) -> float:
    """Return a unit for the eigenvalues in which the squares of the largest ones do not over- or underflow.

    The risk depends on the eigenvalues only through their products with the learning rate.
    """
    top = float(e.max())
    if top == 0:
        accepted = f"numbers, the largest at least {SMALLEST:g}"
        raise ValueError(checks.refusal("eigenvalues", where, accepted, "<smaller numbers>"))
    return 1.0 if 1e-100 < top < 1e100 else top


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """Eigenvalues e > 0, how often each occurs, and the squared coefficients c; `rest` is c where e = 0.

    Eigenvalues that differ by less than `_WIDTH` are merged into their mean.  This changes sums over a smooth
    function of log e by about _WIDTH^2 / 24, relative to the second derivative of the function.
    """

    e: Array
    count: Array
    c: Array
    rest: float

    @classmethod
    def of(cls, e: Array, c: Array, counts: ArrayLike | None, where: str) -> _Spectrum:
        """Return the spectrum of checked arrays; raise ValueError if `counts` has another shape."""
        number = np.ones_like(e) if counts is None else np.asarray(counts, dtype=np.float64)
        if number.shape != e.shape:
            accepted = f"an array of shape {e.shape}, one number for each eigenvalue"
            raise ValueError(checks.refusal("counts", where, accepted, f"<shape {number.shape}>"))
        used = e > 0
        place = np.unique(np.round(np.log(e[used]) / _WIDTH), return_inverse=True)[1]
        groups = (np.bincount(place, one[used]) for one in (number, number * e, c))
        count, total, target = (np.asarray(one, dtype=np.float64) for one in groups)
        return cls(total / count, count, target, float(c[~used].sum()))

    def largest_rate(self, m: float, batch: int) -> float:
        """Return the learning rate at which the risk begins to diverge."""
        top = float(self.e.max())

        def root(goal: float, power: int) -> float:
            """Return the k > top at which the sum of (e / (k - e))^power is the goal."""

            def excess(log_gap: float) -> float:
                shares = self.e / (top - self.e + np.exp(log_gap))
                return float(np.log(self.count @ shares**power) - np.log(goal))

            # the largest eigenvalue alone exceeds the goal at the first end, all fall short at the second
            powers = self.count * self.e**power
            ends = (np.log([powers[-1] / 2, powers.sum() * 2]) - np.log(goal)) / power
            return top + float(np.exp(brentq(excess, *ends, xtol=1e-13)))

        k = max(root(batch + 1.0, 1), root(m, 2))
        return float(2 / ((1 + 1 / batch) * k * (1 + self.count @ (self.e / (k - self.e)) / m)))

    def scales(self, m: float, z: Complex) -> Complex:
        """Return the solutions g of g (1 - S / m) = z along a path that begins on the real axis."""
        first = float(z[0].real)
        g = complex(self._first(m, first)) if first > 0 else complex(first)
        found = []
        for each in z:
            g = self._newton(m, complex(each), g)
            found.append(g)
        return np.array(found)

    def _first(self, m: float, z: float) -> float:
        """Return g for a number z > 0."""

        def excess(log_g: float) -> float:
            g = np.exp(log_g)
            return float(g * (1 - self.count @ (self.e / (self.e + g)) / m) - z)

        high = z + float(self.count @ self.e) / m
        return float(np.exp(brentq(excess, np.log(z) - 0.1, np.log(high) + 0.1, xtol=1e-13)))

    def _newton(self, m: float, z: complex, g: complex) -> complex:
        """Return the solution g that is close to a given number."""
        for _ in range(_ITERATIONS):
            share = self.count / (self.e + g)
            total, slope = (self.e * share).sum(), -(self.e * share / (self.e + g)).sum()
            change = (g * (1 - total / m) - z) / (1 - total / m - g * slope / m)
            g = g - change
            if abs(change) <= 1e-14 * abs(g):
                break
        return g


@dataclass(frozen=True)
class _Descent:
    """One-pass descent at one number of features."""

    m: float
    spectrum: _Spectrum
    rate: float
    batch: int
    noise: float

    def excess(self, steps: float) -> float:
        """Return the excess risk after a number of steps > 0."""
        spectrum = self.spectrum
        if self.rate < 1e-100 and self.rate * steps * (spectrum.count @ spectrum.e) < 1e-20:
            # The descent has learned nothing, and rate^2 may underflow.
            return float(spectrum.c.sum()) + spectrum.rest
        if steps <= _FEW_STEPS:
            points = 2 * np.pi / _CIRCLE * (np.arange(_CIRCLE // 2 * _SUBSTEPS + 1) / _SUBSTEPS)
            s = np.asarray(24 / _CIRCLE + 1j * points)
            weights = np.exp(s[::_SUBSTEPS] * steps) / _CIRCLE
            weights[1:-1] *= 2  # the other half of the circle has the conjugate values
            return float((weights @ self._transform(s)[::_SUBSTEPS]).real)
        angle = 2 * np.pi / NODES * (np.arange(NODES // 2 * _SUBSTEPS) / _SUBSTEPS)
        s = parabola(angle, steps)
        slope = NODES / steps * (-2 * 0.1194 * angle + 0.25j)
        used = slice(_SUBSTEPS // 2, None, _SUBSTEPS)
        weights = (np.exp(s * steps) * slope)[used] / (1j * NODES)
        return float(2 * (weights @ self._transform(s)[used]).real)

    def _transform(self, s: Complex) -> Complex:
        """Return the sum over t of exp(-s t) times the excess risk, along a path from the real axis."""
        wide, spectrum = 1 + 1 / self.batch, self.spectrum
        # q = exp(s) at T = low and at T = high
        high = np.asarray((1 + np.sqrt(1 + wide * np.expm1(s))) / (self.rate * wide), dtype=np.complex128)
        low = np.asarray(-np.expm1(s) / (self.rate**2 * wide * high), dtype=np.complex128)
        front = -np.exp(s) / (self.rate**2 * wide * (low - high))
        forcing, kernel = np.zeros_like(s), np.zeros_like(s)
        for root, sign in ((low, 1), (high, -1)):
            share = spectrum.e / (spectrum.e + spectrum.scales(self.m, -root)[:, None])
            forcing -= sign * front / root * ((1 - share) @ spectrum.c + spectrum.rest)
            kernel += sign * front * root * (share @ spectrum.count) * self.rate**2 / self.batch
        z = np.exp(-s)
        return np.asarray((forcing + z * kernel * self.noise / (1 - z)) / (1 - z * kernel))
