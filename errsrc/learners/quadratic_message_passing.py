"""Message passing that estimates the posterior mean of a quadratic network."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from errsrc import checks
from errsrc.fields import instance, integer, number
from errsrc.learners.learner import Learner
from errsrc.nets import QuadraticNetwork
from errsrc.settings import FunctionClass, NetworkFunctions
from errsrc.settings.network import NetworkFunction
from errsrc.settings.setting import Array, Predictor
from errsrc.training.hamiltonian import NetworkPosterior, choose_steps, leaps_of, run_chains

CONVERGED = 1e-3
"""Largest gap, see `MessagePassingFit.gap`, of a fit that converged."""

_STOPPED = 1e-10  # gap at which the iteration stops
_EXACT = 1e-13  # below this variance of the noise, relative to the prior's, rounding errors dominate
_SLACK = 3.0  # largest squared distance of an estimate from rank m, divided by its expected squared error
_TINY = 1e-150  # instead of 0 in a denominator
_DEVIATIONS = 2.0  # largest accepted excess of S's largest eigenvalue over its mean, in standard deviations
_TRACE_DEVIATIONS = 5.0  # largest accepted distance of tr S from its mean d, in standard deviations
_ATTEMPTS = ((0.5, False), (0.3, True))  # damping, and whether variances are corrected by the residuals
_CHAINS, _MOST_LEAPS = 4, 200  # number of Hamiltonian chains, and largest number of leaps of a transition


@dataclass(frozen=True)
class QuadraticMessagePassing(Learner):
    """Message passing for the posterior mean of a quadratic network with normal weights.

    The learner is given the teacher's architecture, the scale of its weights and the noise.  It estimates the
    matrix S of the teacher f(x) = (x^T S x - tr S) / sqrt(d).  Two steps alternate.  The linear step corrects
    the estimate by the labels, as ridge regression in the products x_i x_j does.  The spectral step keeps the
    eigenvectors of the estimate, and replaces its eigenvalues by their best values, given the distribution of
    the eigenvalues of S.  After each step, a multiple of its input is subtracted, so that the errors of the
    two steps are uncorrelated in the limit of large d.

    Parameters
    ----------
    network : QuadraticNetwork
        The teacher's architecture, (d, m).
    noise : float
        Variance of the label noise, >= 0.
    weight_std : float
        Standard deviation of the teacher's weights, from 1e-50 to 1e50.
    steps : int
        Largest number of steps of one attempt, >= 1.  There are at most two attempts.
    transitions : int
        Number of transitions of four Hamiltonian chains that start at the estimate, >= 0.  If it is above 0,
        the learner returns the mean of the last three quarters of the chains.  Chains need noise.

    Notes
    -----
    The inputs must be standard normal, and the labels must come from a teacher of
    ``NetworkTeacher(network, weight_std)``.  For other data the result is some quadratic network.  If d is
    large, and n is a multiple of d^2, the risk is close to the smallest possible risk,
    `errsrc.theory.quadratic_networks`; ``benchmarks/quadratic_message_passing.py`` measures how close.  The
    learner is an estimator without a certificate: nothing proves that its function is the posterior mean, and
    at small d or small m the limits behind the two steps are inaccurate.  The first attempt takes the
    variances of the errors from these limits.  If it does not converge, a second attempt with shorter steps
    also uses the residuals.  A predictor's ``function`` is a `MessagePassingFit`, which says whether the
    iteration converged.

    For narrow networks (m of about 2) the spectral step is inaccurate, and fixed points are worse than the
    posterior mean.  With 60 transitions the risk is close to the posterior variance there (``python
    benchmarks/quadratic_message_passing.py --parts continued``).  A transition costs up to 4 x 200 gradients.
    The chains see only the data.  If the posterior has several modes, they can stay near the estimate.

    The linear step is that of vector approximate message passing (Rangan, Schniter and Fletcher 2019, arXiv
    1610.03082).  The spectral step is the rotationally invariant estimator of Bun, Allez, Bouchaud and
    Potters 2016 (arXiv 1502.06736).  Maillard et al. 2024 (arXiv 2408.03733) combine that estimator with
    approximate message passing.  The cost is about 10 min(n, d^2 / 2)^3 flops once, and 2 n d^2 flops a step.

    Examples
    --------
    >>> from errsrc.settings import NetworkTeacher
    >>> rng, network = np.random.default_rng(0), QuadraticNetwork(20, 10)
    >>> setting = NetworkTeacher(network, weight_std=1.0)
    >>> teacher, x = setting.teacher(rng), setting.inputs(190, rng)
    >>> f = QuadraticMessagePassing(network).fit(x, teacher(x), rng).function
    >>> f.converged, teacher.relative_error(f) < 1e-4
    (True, True)
    """

    network: QuadraticNetwork = instance(QuadraticNetwork, "a QuadraticNetwork", QuadraticNetwork(2, 1))
    noise: float = number(0.0, at_least=0)
    weight_std: float = number(1.0, at_least=1e-50, at_most=1e50)
    steps: int = integer(200, at_least=1)
    transitions: int = integer(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.transitions and not self.noise:
            accepted = "0 if the 'noise' parameter is 0"
            raise ValueError(
                checks.refusal("transitions", "QuadraticMessagePassing", accepted, self.transitions)
            )

    @property
    def function_class(self) -> FunctionClass:
        """All quadratic networks with d inputs and d hidden units, because estimates have full rank."""
        return NetworkFunctions(self._full)

    @property
    def _full(self) -> QuadraticNetwork:
        return QuadraticNetwork(self.network.dim, self.network.dim)

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy whose network takes `dim` inputs, see `Learner.resized`."""
        return replace(self, network=self.network.resized(dim, 1))

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        where, dim = "QuadraticMessagePassing", self.network.dim
        if x.shape[1] != dim:
            accepted = f"numbers of shape (n, {dim}), the network's inputs"
            raise ValueError(checks.refusal("x", where, accepted, f"<shape {x.shape}>"))
        if y.dtype.kind != "f" or y.ndim != 1:
            got = f"<{y.dtype} of shape {y.shape}>"
            raise ValueError(checks.refusal("y", where, "floats of shape (n,)", got))
        order = np.lexsort((y, *x.T))  # so that rounding does not depend on the order of examples
        unit = self.weight_std**2
        examples = _Examples(x[order], y[order] / unit, self.noise / unit**2)
        best = _checked(_iterate(examples, self.network, self.steps, *_ATTEMPTS[0]), self.network)
        if best.gap > CONVERGED:
            other = _checked(_iterate(examples, self.network, self.steps, *_ATTEMPTS[1]), self.network)
            best = min(best, other, key=lambda one: one.gap)
        if self.transitions:
            best = _continued(best, examples, self.network, self.transitions, rng)
        values, vectors = np.linalg.eigh(best.form)
        w = (vectors * np.sqrt(np.maximum(values, 0) * dim * unit)).T
        weights = (torch.from_numpy(np.ascontiguousarray(w))[None],)
        return MessagePassingFit(self._full, weights, best.gap, best.steps, unit**2 * best.risk)


@dataclass(frozen=True, eq=False)
class MessagePassingFit(NetworkFunction):
    """The function that message passing ends with, as a quadratic network with d hidden units.

    Attributes
    ----------
    architecture : QuadraticNetwork
        The network with d inputs and d hidden units.
    weights : tuple of tensors
        The weights, (1, d, d).
    gap : float
        Squared distance between the results of the two steps, relative to the squared size of the result.
        The gap is 0 at a fixed point.  The expected risk limits the squared distance between the result and
        the nearest matrix of rank m.  If the distance is above this limit, the gap is at least the excess,
        relative to the squared size of the result.
    steps : int
        Number of steps.
    expected_risk : float
        The excess risk that the iteration predicts for itself, for large d, in squared units of the labels;
        the variance of the chains if the learner ran chains.
    """

    gap: float
    steps: int
    expected_risk: float

    @property
    def converged(self) -> bool:
        """Whether the gap is at most 1e-3."""
        return self.gap <= CONVERGED


class _State(NamedTuple):
    """An estimate of S, with the gap, the number of steps and the expected risk."""

    form: Array
    gap: float
    steps: int
    risk: float


class _Examples:
    """The linear step: ridge regression on the products x_i x_j, around a given matrix.

    A symmetric matrix has N = d (d + 1) / 2 coordinates, in which the squared Frobenius norm is the sum of
    squares.  The labels are a matrix P (n, N) times the coordinates of S, plus noise.
    """

    def __init__(self, x: Array, y: Array, noise: float) -> None:
        n, d = x.shape
        self.x, self.y, self.noise, self.dim = x, y, noise, d
        self.size = d * (d + 1) // 2
        self._rows = n <= self.size  # whether the eigenvectors are those of P P^T, or of P^T P
        if self._rows:
            squares = (x**2).sum(1)
            gram = ((x @ x.T) ** 2 - squares[:, None] - squares + d) / d
        else:
            places = np.triu_indices(d)
            products = x[:, places[0]] * x[:, places[1]]
            products[:, places[0] == places[1]] -= 1
            products *= np.where(places[0] == places[1], 1.0, math.sqrt(2)) / math.sqrt(d)
            gram = products.T @ products
        values, self._vectors = np.linalg.eigh(gram)
        kept = values > len(values) * np.finfo(float).eps * values[-1]
        self.values, self._vectors = values[kept], self._vectors[:, kept]

    def residuals(self, form: Array) -> Array:
        """Return labels minus predictions of a matrix, along the left singular vectors of P."""
        rest = self.y - ((self.x @ form * self.x).sum(1) - np.trace(form)) / math.sqrt(self.dim)
        if self._rows:
            return np.asarray(self._vectors.T @ rest)
        return np.asarray(self._vectors.T @ self._coordinates(self._adjoint(rest)) / np.sqrt(self.values))

    def corrected(self, form: Array, residuals: Array, variance: float) -> Array:
        """Return the posterior mean of S if S - form has independent normal coordinates of a variance."""
        ridge = self.values + self.noise / variance
        if self._rows:
            return form + self._adjoint(self._vectors @ (residuals / ridge))
        return form + self._matrix(self._vectors @ (residuals * np.sqrt(self.values) / ridge))

    def kept_share(self, variance: float) -> float:
        """Return the mean derivative of `corrected` with respect to the form."""
        return 1 - float((self.values / (self.values + self.noise / variance)).sum()) / self.size

    def variance_from(self, residuals: Array, guess: float) -> float:
        """Return the most likely variance of the coordinates of S - form, from guess / 10 to 10 guess."""
        if not self.noise:
            return float((residuals**2).sum() / self.values.sum())

        def slope(log_variance: float) -> float:
            total = self.values * math.exp(log_variance) + self.noise
            return float((self.values * (residuals**2 - total) / total**2).sum())

        low, high = math.log(guess / 10), math.log(guess * 10)
        if slope(low) <= 0:
            return guess / 10
        if slope(high) >= 0:
            return guess * 10
        return math.exp(brentq(slope, low, high, xtol=1e-3))

    def _adjoint(self, labels: Array) -> Array:
        """Return the matrix with the coordinates P^T labels."""
        product = (self.x.T * labels) @ self.x
        product[np.diag_indices(self.dim)] -= labels.sum()
        return np.asarray(product / math.sqrt(self.dim))

    @functools.cached_property
    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        i, j = np.triu_indices(self.dim)
        return i, j, np.where(i == j, 1.0, math.sqrt(2))

    def _coordinates(self, form: Array) -> Array:
        i, j, scale = self._places
        return np.asarray(form[i, j] * scale)

    def _matrix(self, coordinates: Array) -> Array:
        i, j, scale = self._places
        form = np.zeros((self.dim, self.dim))
        form[i, j] = form[j, i] = coordinates / scale
        return form


def _iterate(
    examples: _Examples, network: QuadraticNetwork, steps: int, damping: float, by_residuals: bool
) -> _State:
    """Return the estimate with the smallest gap, among those with a probable trace; else the prior mean."""
    d, size = examples.dim, examples.size
    prior = d**2 / (size * network.width)  # mean square of a coordinate of S - E S, with E S = 1
    trace_range = _TRACE_DEVIATIONS * math.sqrt(2 * d / network.width)
    form, variance = np.eye(d), prior
    best = _State(form, math.inf, 0, 2 / d * size * prior)
    for step in range(1, steps + 1):
        residuals = examples.residuals(form)
        if by_residuals and step > 1:
            variance = (variance + examples.variance_from(residuals, variance)) / 2
        linear = examples.corrected(form, residuals, variance)
        share = _inside(examples.kept_share(variance))
        noisy = (linear - share * form) / (1 - share)
        noisy_variance = variance * share / (1 - share)
        if noisy_variance < _EXACT * prior or not np.isfinite(noisy).all():
            exact = noisy_variance < _EXACT * prior
            return _State(linear, 0.0, step, 0.0) if exact else best
        shrunk, share = shrunk_eigenvalues(noisy, d / 2 * noisy_variance, network)
        left = noisy_variance * share
        gap = float(((shrunk - linear) ** 2).sum()) / max(float((shrunk**2).sum()), _TINY)
        if gap < best.gap and abs(np.trace(shrunk) - d) < trace_range:
            best = _State(shrunk, gap, step, 2 / d * size * left)
        if gap < _STOPPED:
            break
        new_variance = left / (1 - share)
        form = damping * (shrunk - share * noisy) / (1 - share) + (1 - damping) * form
        variance = (damping * math.sqrt(new_variance) + (1 - damping) * math.sqrt(variance)) ** 2
    return best


def _checked(state: _State, network: QuadraticNetwork) -> _State:
    """Return the state with a larger gap if the matrix is farther from rank m than its expected error allows.

    The teacher has rank m, so the nearest matrix of rank m is no farther than the teacher.  The iteration can
    lose track of its errors: it then expects an error of 0 and ends at a wrong matrix of full rank.
    """
    values = np.sort(np.linalg.eigvalsh(state.form))
    kept = np.maximum(values[-network.width :], 0)
    far = float((values**2).sum() - (2 * values[-network.width :] * kept - kept**2).sum())
    allowed = _SLACK * len(values) * state.risk / 2
    return state._replace(gap=max(state.gap, (far - allowed) / max(float((values**2).sum()), _TINY)))


def _continued(
    state: _State, examples: _Examples, network: QuadraticNetwork, transitions: int, rng: np.random.Generator
) -> _State:
    """Return the mean of S over chains in the posterior that start at the nearest matrix of rank m."""
    values, vectors = np.linalg.eigh(state.form)
    start = np.zeros((network.width, examples.dim))
    rank = min(start.shape)
    scale = np.sqrt(np.maximum(values[-rank:], 0) * network.width)
    start[:rank] = (vectors[:, -rank:] * scale).T
    x, y = torch.from_numpy(examples.x)[None], torch.from_numpy(examples.y)[None, :, None]
    posterior = NetworkPosterior(network, (1.0,), x, y, math.sqrt(examples.noise))
    own = torch.Generator().manual_seed(int(rng.integers(2**63)))
    step, _ = choose_steps(posterior, torch.from_numpy(start).reshape(1, -1), own)
    z, posterior = torch.from_numpy(start).reshape(1, -1).repeat(_CHAINS, 1), posterior.repeated(_CHAINS)
    forms = []
    for _ in range(transitions):
        z = run_chains(posterior, z, step.expand(_CHAINS), leaps_of(step, _MOST_LEAPS), 1, own).state
        w = network.unflatten(z)[0]
        forms.append((w.mT @ w / network.width).numpy())
    kept = np.concatenate(forms[transitions // 4 :])
    mean = kept.mean(0)
    return state._replace(form=mean, risk=2 / examples.dim * float(((kept - mean) ** 2).sum((1, 2)).mean()))


def _inside(share: float) -> float:
    """Return a mean derivative that is neither 0 nor 1."""
    return min(max(share, 1e-15), 1 - 1e-9)


def shrunk_eigenvalues(form: Array, variance: float, network: QuadraticNetwork) -> tuple[Array, float]:
    """Estimate the matrix S of a quadratic network, for weights of variance 1, from S plus noise.

    Parameters
    ----------
    form : ndarray of float64, (d, d)
        A symmetric matrix: S plus a symmetric matrix of independent normal numbers, whose variance is
        variance / d off the diagonal and 2 variance / d on the diagonal.
    variance : float
        The variance of the semicircle law of the noise, > 0.
    network : QuadraticNetwork
        The network, whose width determines the distribution of the eigenvalues of S.

    Returns
    -------
    estimate : ndarray of float64, (d, d)
        The posterior mean of S for large d, with eigenvalues between 0 and the largest probable eigenvalue of
        S.
    derivative : float
        The mean derivative of a coordinate of the estimate with respect to the same coordinate of `form`.

    Notes
    -----
    The eigenvectors stay.  An eigenvalue z becomes z - 2 variance Re g(z), where g(z) is the mean of 1 / (z -
    x) over the eigenvalues x of `form` for large d (Bun et al. 2016, arXiv 1502.06736).
    """
    d, kappa = network.dim, network.width / network.dim
    values, vectors = np.linalg.eigh(form)
    g, slope = _transform(values, variance, kappa)
    estimate = values - 2 * variance * g
    largest = _largest_eigenvalue(network)
    inside = (estimate > 0) & (estimate < largest)
    estimate = np.clip(estimate, 0, largest)
    i, j = np.triu_indices(d, 1)
    distance = values[j] - values[i]
    apart = distance > 1e-12 * np.abs(values).max()
    quotients = (estimate[j] - estimate[i])[apart] / distance[apart]
    steepest = float(quotients.max()) if len(quotients) else 1.0
    # next to the ends of the bulk the derivative of g has no bound
    derivatives = np.where(inside, np.clip(1 - 2 * variance * slope, 0, steepest), 0)
    mean = float(quotients.mean()) if len(quotients) else float(derivatives.mean())
    total = mean * len(i) + float(derivatives.sum())
    share = min(max(total / (len(i) + d), 1e-3 / d), 1 - 1e-3 / d)
    return (vectors * estimate) @ vectors.T, share


def _transform(z: Array, variance: float, kappa: float) -> tuple[Array, Array]:
    """Return the real parts of g and g' at real numbers z.

    g solves z = 1 / g + variance g + kappa / (kappa - g), see `errsrc.theory.quadratic`.  Inside of the bulk
    it is the root with a negative imaginary part.  Outside it is the root at which z falls with g.
    """
    s = math.sqrt(variance)  # the unknown is h = s g, whose cubic equation has the leading coefficient 1
    second, first, last = -(z / s + kappa * s), 1 - kappa + kappa * z, -kappa * s
    companion = np.zeros((len(z), 3, 3))
    companion[:, 1, 0] = companion[:, 2, 1] = 1.0
    companion[:, 0, 2], companion[:, 1, 2], companion[:, 2, 2] = -last, -first, -second
    h = np.linalg.eigvals(companion).astype(complex)
    b, a = second[:, None], first[:, None]
    for _ in range(3):  # Newton's method, because the roots differ by orders of magnitude
        slope = (3 * h + 2 * b) * h + a
        move = (((h + b) * h + a) * h + last) / np.where(slope == 0, 1, slope)
        h = np.where(np.abs(move) < 0.1 * np.abs(h), h - move, h)
    g = h / s
    falls = (
        variance - 1 / np.where(g == 0, _TINY, g) ** 2 + kappa / np.where(g == kappa, _TINY, kappa - g) ** 2
    )
    relative = g.imag / np.maximum(np.abs(g), _TINY)
    inside = relative.min(1) < -1e-6
    chosen = np.where(inside, relative.argmin(1), falls.real.argmin(1))
    places = np.arange(len(z))
    falls = falls[places, chosen]
    return g[places, chosen].real, (1 / np.where(falls == 0, _TINY, falls)).real


def _largest_eigenvalue(network: QuadraticNetwork) -> float:
    """Return a number that the largest eigenvalue of S rarely exceeds (Johnstone 2001)."""
    d, m = network.dim, network.width
    root = math.sqrt(d) + math.sqrt(m)
    deviation = root * (1 / math.sqrt(d) + 1 / math.sqrt(m)) ** (1 / 3)
    return (root**2 + _DEVIATIONS * deviation) / m
