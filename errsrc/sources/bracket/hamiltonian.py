"""Hamiltonian chains in the posterior of network teachers, many data sets at once.

Chains live in whitened parameters z, parameters over their prior standard deviations, so that the prior is
N(0, I).  A transition draws a momentum and a step, follows a fixed number of leapfrog steps and accepts by
Metropolis's rule: reversible with respect to the posterior, whatever step was chosen, as long as it was
chosen without the chain's start (Neal 2011, arXiv 1206.1901).

A teacher is itself a sample of the posterior of its own data.  So a chain that starts there is stationary,
and two of its states an even number 2k of transitions apart have functions f, g with

    E |f - g|^2 / 2 = variance - <f, K^2k f> <= the posterior variance,

K being self-adjoint.  After an odd number the second term may be negative: the chain overshoots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from errsrc import checks
from errsrc.nets import Network, Weights, jacobian

SHORTEST = 0.5
"""Each transition draws each chain's step from the interval of ``SHORTEST`` to 1 times the chosen one."""

ACCEPTANCE = 0.85
"""What the choice of steps aims at."""


class Target:
    """The posteriors of C data sets: Gaussian prior, labels with Gaussian noise.

    Parameters
    ----------
    network
        The architecture.
    stds
        Prior standard deviation of each tensor; those of 0 stay 0.
    x, y
        float64 (C, n, inputs) and (C, n, outputs).
    noise_std
        Of each output.
    """

    def __init__(self, network: Network, stds: tuple[float, ...], x: Tensor, y: Tensor, noise_std: float):
        self.network, self.x, self.y, self.noise_std = network, x, y, noise_std
        pairs = zip(stds, network.shapes(), strict=True)
        self.scale = torch.cat([torch.full((math.prod(shape),), std).double() for std, shape in pairs])

    def repeated(self, times: int) -> Target:
        """Return the posteriors with each data set ``times`` in a row."""
        out = object.__new__(Target)
        out.network, out.scale, out.noise_std = self.network, self.scale, self.noise_std
        out.x, out.y = (part.repeat_interleave(times, 0) for part in (self.x, self.y))
        return out

    def whitened(self, weights: Weights) -> Tensor:
        """Return z (C, P) of weights."""
        inverse = torch.where(self.scale > 0, 1 / self.scale, 0.0)
        return self.network.flatten(tuple(w.double() for w in weights)) * inverse

    def weights(self, z: Tensor) -> Weights:
        """Return the weights at z (C, P)."""
        return self.network.unflatten(z * self.scale)

    @torch.no_grad()
    def values(self, z: Tensor, points: Tensor) -> Tensor:
        """Return each chain's function at points (C, Q, inputs): (C, Q, outputs)."""
        return self.network(self.weights(z), points)

    def misfit(self, z: Tensor) -> Tensor:
        """Return the squared error on each data set over the noise's variance, (C,)."""
        return (self.values(z, self.x) - self.y).square().sum((1, 2)) / self.noise_std**2

    def __call__(self, z: Tensor, numbers: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return minus the log density (C,), to a constant, and its slopes (C, P).

        ``numbers`` are those of the data sets that the rows of z belong to, all without it.
        """
        x, y = (self.x, self.y) if numbers is None else (self.x[numbers], self.y[numbers])

        def head(outputs: Tensor) -> tuple[Tensor, Tensor]:
            off = (outputs - y) / self.noise_std
            return off.square().sum((1, 2)) / 2, off / self.noise_std

        weights = self.weights(z)
        out = tuple(torch.empty(w.shape, dtype=z.dtype) for w in weights)
        energy = self.network.gradients(weights, x, head, out)
        return energy + z.square().sum(1) / 2, self.network.flatten(out) * self.scale + z


@dataclass(frozen=True, eq=False)
class Path:
    """What became of C chains.

    Attributes
    ----------
    values
        Functions at the points after each transition, (T, C, Q, outputs).
    state
        Last z, (C, P).
    acceptance
        Share of transitions accepted, (C,).
    energy
        Minus the log density at the last state, (C,).
    """

    values: Tensor
    state: Tensor
    acceptance: Tensor
    energy: Tensor


@torch.no_grad()
def walk(
    target: Target,
    z: Tensor,
    step: Tensor,
    leaps: int,
    transitions: int,
    rng: torch.Generator,
    points: Tensor | None = None,
    shortest: float = SHORTEST,
) -> Path:
    """Run chains by one fixed kernel.

    Parameters
    ----------
    target
        One data set a chain.
    z
        Starts, (C, P).
    step
        Longest leapfrog step of each chain, (C,): chosen without knowing the start.
    leaps, transitions
        Leapfrog steps a transition, and transitions.
    rng
        Of momenta, steps and acceptance.
    points
        (C, Q, inputs): where functions are read.
    shortest
        See `SHORTEST`; 1 for steps that are not drawn.

    Notes
    -----
    Cost: transitions x leaps slopes of the misfit.
    """
    chains, size = z.shape
    accepted = torch.zeros(chains, dtype=z.dtype)
    read = []
    energy, slope = target(z)
    for _ in range(transitions):
        momentum = torch.randn(chains, size, generator=rng, dtype=z.dtype)
        share = torch.rand(chains, generator=rng, dtype=z.dtype)
        level = torch.rand(chains, generator=rng, dtype=z.dtype).log()
        h = (step * (shortest + (1 - shortest) * share))[:, None]
        before = energy + momentum.square().sum(1) / 2
        place, its_slope = z, slope
        momentum = momentum - h / 2 * its_slope
        for leap in range(leaps):
            place = place + h * momentum
            its_energy, its_slope = target(place)
            momentum = momentum - (h if leap < leaps - 1 else h / 2) * its_slope
        taken = level < before - its_energy - momentum.square().sum(1) / 2  # False for NaN
        z = torch.where(taken[:, None], place, z)
        slope = torch.where(taken[:, None], its_slope, slope)
        energy = torch.where(taken, its_energy, energy)
        accepted += taken
        if points is not None:
            read.append(target.values(z, points))
    values = torch.stack(read) if read else z.new_zeros(0, chains, 0, target.network.outputs)
    return Path(values, z, accepted / max(transitions, 1), energy)


@torch.no_grad()
def pilot(
    target: Target, z: Tensor, rng: torch.Generator, rounds: int = 24, leaps: int = 8
) -> tuple[Tensor, Tensor]:
    """Return a step for each data set, (C,), and the states where the search for it ended.

    Chains start at z, which must come from the data alone; steps follow their acceptance.

    Parameters
    ----------
    target, z
        One data set a chain, and starts, (C, P).
    rounds, leaps
        How often a step is changed, and leapfrog steps of each transition in between.
    """
    _, slope = target(z)
    energy = torch.zeros(len(z), dtype=z.dtype)
    nudge = torch.randn(z.shape, generator=rng, dtype=z.dtype)
    for _ in range(20):  # power iteration on the Hessian, by differences
        nudge = nudge / nudge.norm(dim=1, keepdim=True)
        nudge = (target(z + 1e-4 * nudge)[1] - slope) / 1e-4
        energy = nudge.norm(dim=1)
    log_step = -0.5 * energy.clamp(min=1.0).log()
    for k in range(rounds):
        path = walk(target, z, log_step.exp(), leaps, 4, rng)
        z = path.state
        log_step = log_step + 1.5 * (path.acceptance - ACCEPTANCE) / (1 + k / 4)
    return log_step.exp(), z


@torch.no_grad()
def slide(
    target: Target,
    z: Tensor,
    step: Tensor,
    leaps: int,
    transitions: int,
    rng: torch.Generator,
    points: Tensor | None = None,
) -> Path:
    """Run chains within the sets of solutions {z: f(x) = y}, from solutions: noiseless labels' posterior.

    Its density on that set is the prior's times det(J J^T)^-1/2, J being the labels' derivatives by z.  A
    leap is RATTLE's, with the prior's force alone: Metropolis's rule corrects for the determinant.  A leap
    that does not find the set again, or would not lead back, is a rejection (Lelièvre, Rousset and Stoltz
    2019, arXiv 1807.02356).

    Parameters
    ----------
    target, z, step, leaps, transitions, rng, points
        See `walk`: z (C, P) in the sets; a network smooth in its weights, with fewer labels than parameters.
        Steps are drawn from the interval of 1/10 to 1 times the given ones, evenly by their logarithm.

    Notes
    -----
    Cost: a Jacobian and some ten function values on the data each leap.
    """
    chains, size = z.shape
    accepted = torch.zeros(chains, dtype=z.dtype)
    read = []
    frame = _frame(target, z)
    for _ in range(transitions):
        momentum = _tangent(torch.randn(chains, size, generator=rng, dtype=z.dtype), frame)
        h = (step * 0.1 ** torch.rand(chains, generator=rng, dtype=z.dtype))[:, None]
        level = torch.rand(chains, generator=rng, dtype=z.dtype).log()
        before = _energy(z, frame) + momentum.square().sum(1) / 2
        place, its_frame = z, frame
        sound = torch.isfinite(before)
        for _ in range(leaps):
            momentum = _tangent(momentum - h / 2 * place, its_frame)
            found, near = _found(target, place + h * momentum, its_frame)
            found = torch.where(near[:, None], found, place)
            found_frame = _frame(target, found)
            back = _tangent((found - place) / h, found_frame)
            again, near_again = _found(target, found - h * back, found_frame)
            sound &= near & near_again & ((again - place).abs().amax(1) < _SAME)
            place, its_frame = found, found_frame
            momentum = _tangent(back - h / 2 * place, its_frame)
        energy = _energy(place, its_frame)
        taken = sound & (level < before - energy - momentum.square().sum(1) / 2)
        z = torch.where(taken[:, None], place, z)
        frame = tuple(
            torch.where(taken[:, None, None], new, old) for new, old in zip(its_frame, frame, strict=True)
        )
        accepted += taken
        if points is not None:
            read.append(target.values(z, points))
    values = torch.stack(read) if read else z.new_zeros(0, chains, 0, target.network.outputs)
    return Path(values, z, accepted / max(transitions, 1), _energy(z, frame))


_CLOSE, _SAME, _TRIES = 1e-11, 1e-7, 25  # labels met; place come back to; Newton steps


def _frame(target: Target, z: Tensor) -> tuple[Tensor, ...]:
    """Return an orthonormal basis of the normal space, (C, P, m), and the triangle R of J^T = Q R."""
    j = jacobian(target.network, target.weights(z), target.x) * target.scale
    return tuple(torch.linalg.qr(j.mT))


def _energy(z: Tensor, frame: tuple[Tensor, ...]) -> Tensor:
    """Return minus the log density on the set of solutions, (C,)."""
    return z.square().sum(1) / 2 + frame[1].diagonal(dim1=1, dim2=2).abs().log().sum(1)


def _tangent(v: Tensor, frame: tuple[Tensor, ...]) -> Tensor:
    normal = frame[0]
    return v - (normal @ (normal.mT @ v[:, :, None]))[:, :, 0]


def _found(target: Target, z: Tensor, frame: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Return solutions (C, P) reached from z along a normal space, and whether they are, (C,)."""
    normal, triangle = frame
    for _ in range(_TRIES):
        off = (target.values(z, target.x) - target.y).flatten(1)
        near = off.abs().amax(1) < _CLOSE
        if bool(near.all()):
            break
        share = torch.linalg.solve_triangular(triangle.mT, off[:, :, None], upper=False)
        z = torch.where(near[:, None], z, z - (normal @ share)[:, :, 0])
    return z, near


def apart(values: Tensor, lag: int) -> Tensor:
    """Return half the mean squared distance of states ``lag`` apart, (C,): at most the variance on average.

    Parameters
    ----------
    values
        Functions along stationary reversible chains, one state after another, (T, C, Q, outputs).
    lag
        An even number of transitions, < T.

    Raises
    ------
    ValueError
        For an odd lag, at which the distance may exceed the variance.
    """
    if checks.integer(lag, "lag", "apart", 1, len(values) - 1) % 2:
        raise ValueError(checks.refusal("lag", "apart", "an even number", lag))
    off = values[lag:] - values[: len(values) - lag]
    return off.square().sum(3).mean((0, 2)) / 2


def joined(path: Tensor, start: Tensor) -> Tensor:
    """Return pairs of chains from one start as one path through it, (2 T + 1, C / 2, ...).

    A reversible chain may be read backwards: of two that leave a start independently, one is its past.

    Parameters
    ----------
    path
        (T, C, ...), the two of a pair in a row.
    start
        (C / 2, ...).
    """
    return torch.cat([path[:, 0::2].flip(0), start[None], path[:, 1::2]])
