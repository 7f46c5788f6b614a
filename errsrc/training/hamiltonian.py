"""Hamiltonian chains in the posterior of network teachers, for many data sets at once.

The state of a chain is a vector z of whitened parameters, which are the parameters divided by their prior
standard deviations.  The prior of z is therefore N(0, I).  A transition draws a momentum and a step, makes a
fixed number of leapfrog steps, and accepts or rejects the result by Metropolis's rule.  The transition is
reversible with respect to the posterior for any step that was chosen without knowing the chain's start (Neal
2011, arXiv 1206.1901).

A teacher is itself a sample of the posterior given its own data.  A chain that starts at the teacher is
therefore stationary.  Let f and g be the functions of two states that are an even number 2k of transitions
apart.  Then

    E |f - g|^2 / 2 = variance - <f, K^2k f> <= the posterior variance,

where K, the transition operator of the chain, is self-adjoint.  After an odd number of transitions the inner
product may be negative, and the distance may exceed the posterior variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets import Network, Weights, jacobian

SHORTEST = 0.5
"""Shortest step of a transition divided by the longest step."""

ACCEPTANCE = 0.85
"""Share of accepted transitions at which the choice of steps aims."""

_LABEL_TOLERANCE = 1e-11  # largest label error of a state that counts as a solution
_RETURN_TOLERANCE = 1e-7  # largest distance between a state and the end of the reversed leap
_NEWTON_STEPS = 25  # largest number of Newton steps back to the set of solutions


class NetworkPosterior:
    """The posteriors of a network's P weights given each of C data sets.

    The prior of the weights and the noise of the labels are Gaussian.  *Whitened* parameters are the weights
    divided by their prior standard deviations.

    Parameters
    ----------
    network : Network
        The architecture.
    stds : tuple of float
        Prior standard deviation of the entries of each tensor of weights.  Weights whose standard deviation
        is 0 stay 0.
    x : tensor of float64, (C, n, inputs)
        Inputs of each data set.
    y : tensor of float64, (C, n, outputs)
        Labels of each data set.
    noise_std : float
        Standard deviation of the noise of each output.
    """

    def __init__(self, network: Network, stds: tuple[float, ...], x: Tensor, y: Tensor, noise_std: float):
        self.network, self.x, self.y, self.noise_std = network, x, y, noise_std
        pairs = zip(stds, network.shapes(), strict=True)
        self.scale = torch.cat([torch.full((math.prod(shape),), std).double() for std, shape in pairs])

    def repeated(self, times: int) -> NetworkPosterior:
        """Return the posteriors given `times` copies of each data set.

        The copies of a data set follow each other in the result.

        Parameters
        ----------
        times : int
            Number of copies of each data set.
        """
        out = object.__new__(NetworkPosterior)
        out.network, out.scale, out.noise_std = self.network, self.scale, self.noise_std
        out.x, out.y = (part.repeat_interleave(times, 0) for part in (self.x, self.y))
        return out

    def whitened(self, weights: Weights) -> Tensor:
        """Return the whitened parameters z, (C, P), that belong to weights.

        Parameters
        ----------
        weights : tuple of tensors, (C, ...) each
            The weights.
        """
        inverse = torch.where(self.scale > 0, 1 / self.scale, 0.0)
        return self.network.flatten(tuple(w.double() for w in weights)) * inverse

    def weights(self, z: Tensor) -> Weights:
        """Return the weights that belong to whitened parameters.

        Parameters
        ----------
        z : tensor, (C, P)
            The whitened parameters.
        """
        return self.network.unflatten(z * self.scale)

    @torch.no_grad()
    def values(self, z: Tensor, points: Tensor) -> Tensor:
        """Return the outputs (C, Q, outputs) of the networks that have the given whitened parameters.

        Parameters
        ----------
        z : tensor, (C, P)
            Whitened parameters of each network.
        points : tensor, (C, Q, inputs)
            Inputs of each network.
        """
        return self.network(self.weights(z), points)

    def misfit(self, z: Tensor) -> Tensor:
        """Return the squared error on each data set, divided by the variance of the noise, (C,).

        Parameters
        ----------
        z : tensor, (C, P)
            Whitened parameters, a row for each data set.
        """
        return (self.values(z, self.x) - self.y).square().sum((1, 2)) / self.noise_std**2

    def __call__(self, z: Tensor, numbers: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return minus the log posterior density up to a constant, (C,), and its gradient, (C, P).

        Parameters
        ----------
        z : tensor, (C, P)
            Whitened parameters.
        numbers : tensor of int64, (C,), optional
            Index of the data set of each row of z; by default row i belongs to data set i.
        """
        x, y = (self.x, self.y) if numbers is None else (self.x[numbers], self.y[numbers])

        def output_loss(outputs: Tensor) -> tuple[Tensor, Tensor]:
            off = (outputs - y) / self.noise_std
            return off.square().sum((1, 2)) / 2, off / self.noise_std

        weights = self.weights(z)
        out = tuple(torch.empty(w.shape, dtype=z.dtype) for w in weights)
        energy = self.network.gradients(weights, x, output_loss, out)
        return energy + z.square().sum(1) / 2, self.network.flatten(out) * self.scale + z


@dataclass(frozen=True, eq=False)
class ChainPath:
    """The paths of C chains over T transitions.

    Attributes
    ----------
    values : tensor, (T, C, Q, outputs)
        Outputs of each chain's network at Q inputs, after each transition.
    state : tensor, (C, P)
        Whitened parameters of each chain after the last transition.
    acceptance : tensor, (C,)
        Share of each chain's transitions that were accepted.
    energy : tensor, (C,)
        Minus the log posterior density of the last state, up to a constant.
    """

    values: Tensor
    state: Tensor
    acceptance: Tensor
    energy: Tensor


@torch.no_grad()
def run_chains(
    posterior: NetworkPosterior,
    z: Tensor,
    step: Tensor,
    leaps: int,
    transitions: int,
    rng: torch.Generator,
    points: Tensor | None = None,
    shortest: float = SHORTEST,
) -> ChainPath:
    """Run one Hamiltonian chain on each data set.

    Parameters
    ----------
    posterior : NetworkPosterior
        The posteriors, with a data set for each of the C chains.
    z : tensor, (C, P)
        Whitened parameters at which the chains start.
    step : tensor, (C,)
        Longest leapfrog step of each chain.  This step must be chosen without knowing the chain's start.
    leaps : int
        Number of leapfrog steps of a transition.
    transitions : int
        Number of transitions.
    rng : torch.Generator
        Source of momenta, of steps, and of the decisions to accept.
    points : tensor, (C, Q, inputs), optional
        Inputs at which the outputs of each chain's network are recorded.
    shortest : float
        Smallest step as a share of `step`.  Each transition draws its step between this share of `step` and
        `step`.  With 1 the steps are not random.  By default the share is `SHORTEST`.

    Notes
    -----
    The cost is transitions x leaps gradients of the log density.
    """
    chains, size = z.shape
    accepted = torch.zeros(chains, dtype=z.dtype)
    recorded = []
    energy, gradient = posterior(z)
    for _ in range(transitions):
        momentum = torch.randn(chains, size, generator=rng, dtype=z.dtype)
        share = torch.rand(chains, generator=rng, dtype=z.dtype)
        threshold = torch.rand(chains, generator=rng, dtype=z.dtype).log()
        h = (step * (shortest + (1 - shortest) * share))[:, None]
        before = energy + momentum.square().sum(1) / 2
        new, new_gradient = z, gradient
        momentum = momentum - h / 2 * new_gradient
        for leap in range(leaps):
            new = new + h * momentum
            new_energy, new_gradient = posterior(new)
            momentum = momentum - (h if leap < leaps - 1 else h / 2) * new_gradient
        taken = threshold < before - new_energy - momentum.square().sum(1) / 2  # False for NaN
        z = torch.where(taken[:, None], new, z)
        gradient = torch.where(taken[:, None], new_gradient, gradient)
        energy = torch.where(taken, new_energy, energy)
        accepted += taken
        if points is not None:
            recorded.append(posterior.values(z, points))
    return ChainPath(_stacked(recorded, z, posterior), z, accepted / max(transitions, 1), energy)


def _stacked(recorded: list[Tensor], z: Tensor, posterior: NetworkPosterior) -> Tensor:
    return torch.stack(recorded) if recorded else z.new_zeros(0, len(z), 0, posterior.network.outputs)


@torch.no_grad()
def choose_steps(
    posterior: NetworkPosterior, z: Tensor, rng: torch.Generator, rounds: int = 24, leaps: int = 8
) -> tuple[Tensor, Tensor]:
    """Return a leapfrog step for each data set, (C,), and the last states, (C, P), of the tuning chains.

    The first step is computed from the largest curvature of the log density at the start.  The steps are then
    adapted to the acceptance rate of the chains.

    Parameters
    ----------
    posterior : NetworkPosterior
        The posteriors, with a data set for each of the C chains.
    z : tensor, (C, P)
        Whitened parameters at which the chains start.  These parameters must be computed from the data alone.
    rng : torch.Generator
        Source of randomness.
    rounds : int
        Number of changes of the steps.
    leaps : int
        Number of leapfrog steps of each transition between two changes.
    """
    _, gradient = posterior(z)
    curvature = torch.zeros(len(z), dtype=z.dtype)
    nudge = torch.randn(z.shape, generator=rng, dtype=z.dtype)
    for _ in range(20):  # power iteration on the Hessian, by differences
        nudge = nudge / nudge.norm(dim=1, keepdim=True)
        nudge = (posterior(z + 1e-4 * nudge)[1] - gradient) / 1e-4
        curvature = nudge.norm(dim=1)
    log_step = -0.5 * curvature.clamp(min=1.0).log()
    for k in range(rounds):
        path = run_chains(posterior, z, log_step.exp(), leaps, 4, rng)
        z = path.state
        log_step = log_step + 1.5 * (path.acceptance - ACCEPTANCE) / (1 + k / 4)
    return log_step.exp(), z


def leaps_of(step: Tensor, most: int) -> int:
    """Return how many leapfrog steps of median length make up a time of pi / 2, but at least 8.

    A time of pi / 2 is a quarter of the period of a trajectory under the prior.

    Parameters
    ----------
    step : tensor, (C,)
        Leapfrog steps.
    most : int
        Largest number that may be returned.
    """
    return min(most, max(8, math.ceil(math.pi / 2 / float(step.median()))))


@torch.no_grad()
def run_constrained_chains(
    posterior: NetworkPosterior,
    z: Tensor,
    step: Tensor,
    leaps: int,
    transitions: int,
    rng: torch.Generator,
    points: Tensor | None = None,
) -> ChainPath:
    """Run chains within the sets of solutions, the parameters z whose network reproduces all clean labels.

    Given clean labels, all posterior probability is on the set of solutions.  The density on this set is the
    prior density times det(J J^T)^-1/2, where J has the derivatives of the labels with respect to z.  A leap
    is a RATTLE step under the force of the prior alone; Metropolis's rule corrects for the determinant.  A
    leap that does not return to the set, or that is not reversible, is rejected (Lelièvre, Rousset and Stoltz
    2019, arXiv 1807.02356).

    Parameters
    ----------
    posterior : NetworkPosterior
        The posteriors, with a data set for each of the C chains.  The network must be smooth in its weights,
        and have more parameters than a data set has labels.
    z : tensor, (C, P)
        Whitened parameters at which the chains start.  These parameters must be solutions.
    step : tensor, (C,)
        Longest leapfrog step of each chain.  Each transition draws its step log-uniformly between 1/10 and 1
        times this step.
    leaps : int
        Number of leapfrog steps of a transition.
    transitions : int
        Number of transitions.
    rng : torch.Generator
        Source of momenta, of steps, and of the decisions to accept.
    points : tensor, (C, Q, inputs), optional
        Inputs at which the outputs of each chain's network are recorded.

    Notes
    -----
    Each leap costs a Jacobian and about ten evaluations of the network on the data.
    """
    chains, size = z.shape
    accepted = torch.zeros(chains, dtype=z.dtype)
    recorded = []
    frame = _frame(posterior, z)
    for _ in range(transitions):
        momentum = _tangent(torch.randn(chains, size, generator=rng, dtype=z.dtype), frame)
        h = (step * 0.1 ** torch.rand(chains, generator=rng, dtype=z.dtype))[:, None]
        threshold = torch.rand(chains, generator=rng, dtype=z.dtype).log()
        before = _energy(z, frame) + momentum.square().sum(1) / 2
        new, new_frame, valid = z, frame, torch.isfinite(before)
        for _ in range(leaps):
            new, momentum, new_frame, leads_back = _leap(posterior, new, momentum, new_frame, h)
            valid &= leads_back
        energy = _energy(new, new_frame)
        taken = valid & (threshold < before - energy - momentum.square().sum(1) / 2)
        z = torch.where(taken[:, None], new, z)
        frame = tuple(
            torch.where(taken[:, None, None], one, old) for one, old in zip(new_frame, frame, strict=True)
        )
        accepted += taken
        if points is not None:
            recorded.append(posterior.values(z, points))
    path = _stacked(recorded, z, posterior)
    return ChainPath(path, z, accepted / max(transitions, 1), _energy(z, frame))


def _leap(
    posterior: NetworkPosterior, z: Tensor, momentum: Tensor, frame: tuple[Tensor, ...], h: Tensor
) -> tuple[Tensor, Tensor, tuple[Tensor, ...], Tensor]:
    """Return state, momentum and frame after a RATTLE step, and whether the step is reversible, (C,)."""
    momentum = _tangent(momentum - h / 2 * z, frame)
    found, near = _nearest_solution(posterior, z + h * momentum, frame)
    found = torch.where(near[:, None], found, z)
    found_frame = _frame(posterior, found)
    back = _tangent((found - z) / h, found_frame)
    again, near_again = _nearest_solution(posterior, found - h * back, found_frame)
    leads_back = near & near_again & ((again - z).abs().amax(1) < _RETURN_TOLERANCE)
    return found, _tangent(back - h / 2 * found, found_frame), found_frame, leads_back


def _frame(posterior: NetworkPosterior, z: Tensor) -> tuple[Tensor, ...]:
    """Return an orthonormal basis of the normal space, (C, P, m), and the triangle R of J^T = Q R."""
    j = jacobian(posterior.network, posterior.weights(z), posterior.x) * posterior.scale
    return tuple(torch.linalg.qr(j.mT))


def _energy(z: Tensor, frame: tuple[Tensor, ...]) -> Tensor:
    """Return minus the log density on the set of solutions, (C,)."""
    return z.square().sum(1) / 2 + frame[1].diagonal(dim1=1, dim2=2).abs().log().sum(1)


def _tangent(v: Tensor, frame: tuple[Tensor, ...]) -> Tensor:
    """Return the part of vectors (C, P) in the tangent space."""
    normal = frame[0]
    return v - (normal @ (normal.mT @ v[:, :, None]))[:, :, 0]


def _nearest_solution(
    posterior: NetworkPosterior, z: Tensor, frame: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """Return points (C, P) reached from z along a normal space, and whether they are solutions, (C,)."""
    normal, triangle = frame
    for _ in range(_NEWTON_STEPS):
        off = (posterior.values(z, posterior.x) - posterior.y).flatten(1)
        near = off.abs().amax(1) < _LABEL_TOLERANCE
        if bool(near.all()):
            break
        share = torch.linalg.solve_triangular(triangle.mT, off[:, :, None], upper=False)
        z = torch.where(near[:, None], z, z - (normal @ share)[:, :, 0])
    return z, near


def lagged_distance(values: Tensor, lag: int) -> Tensor:
    """Return half the mean squared distance between states that are `lag` transitions apart, (C,).

    The expectation of this value is at most the posterior variance.

    Parameters
    ----------
    values : tensor, (T, C, Q, outputs)
        Outputs at Q inputs along C stationary reversible chains, for T successive states.
    lag : int
        An even number of transitions, from 2 to T - 1.

    Raises
    ------
    ValueError
        If the lag is odd: the distance may then exceed the variance.
    """
    if checks.Integer(1, len(values) - 1)(lag, "lag", "lagged_distance") % 2:
        raise ValueError(checks.refusal("lag", "lagged_distance", "an even number", lag))
    off = values[lag:] - values[: len(values) - lag]
    return off.square().sum(3).mean((0, 2)) / 2


def two_sided_path(path: Tensor, start: Tensor) -> Tensor:
    """Join each pair of chains that have the same start to one path, (2 T + 1, C / 2, ...).

    A reversible chain may be read backwards.  Therefore the first chain of a pair, reversed, followed by the
    start and by the second chain, is again a path of the same Markov chain.

    Parameters
    ----------
    path : tensor, (T, C, ...)
        Values along C chains after each of T transitions.  The chains 2 j and 2 j + 1 are a pair.
    start : tensor, (C / 2, ...)
        Values at the common start of each pair.
    """
    return torch.cat([path[:, 0::2].flip(0), start[None], path[:, 1::2]])
