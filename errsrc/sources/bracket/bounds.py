"""What n examples leave undetermined of a network teacher, between two bounds.

From below: chains in the posterior that start at the teacher.  From above: the excess risk of predictors made
from the data alone.  See `errsrc.sources.bracket.hamiltonian` for why a planted chain bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import chi2
from torch import Tensor

from errsrc import checks
from errsrc.learners.network_class import ANALYTIC
from errsrc.nets import CNN, MLP, identifiable_dimension
from errsrc.nets import Network as Architecture
from errsrc.rng import generator, seed_of
from errsrc.settings import Clean, Gaussian, NetworkTeacher
from errsrc.settings.network import NetworkFunction
from errsrc.settings.setting import Array
from errsrc.sources.bracket.draws import Effort, World
from errsrc.sources.bracket.hamiltonian import Path, Target, apart, joined, slide, walk
from errsrc.sources.bracket.upper import search

Draws = NDArray[np.float64]

FALSE_ALARM = 1e-6
"""Chance that teachers which did label the data are refused."""

ROUNDING = 1e-9
"""How far noiseless labels may be off the teacher's values."""

PROXY = 1e-2
"""Noise that predictors of noiseless labels reckon with, relative to the labels' root mean square."""

JUDGED, JUDGED_SIZE = 8, 1000
"""Draws whose Jacobian's conditioning a certificate carries, and the most parameters for which it does."""

SPACING = 4
"""Transitions between states of the planted chains that are kept as samples."""

SLIDES, OTHERS = 8, 16
"""Leaps of a constrained chain's transition, and draws on which its step is chosen."""


@dataclass(frozen=True, eq=False)
class Undetermined:
    """Bounds of a setting's uncertainty, draw by draw; a mean over draws is what bounds it.

    Attributes
    ----------
    lower
        Of the posterior variance, for all functions, (D,).  For a class of networks subtract the upper bound
        of its realizability.
    upper
        Mean squared distance from ``samples``, on the points, of the candidate that is chosen: for each half
        of the draws the one that is best on the other half, so that no draw chooses for itself, (D,).
    upper_member
        The same among those candidates that are single networks of the ``student`` architecture, (D,): less
        the realizability of the class it bounds the class's own uncertainty.
    portfolio, members
        The same for each candidate, (D,), and the names of those that are such networks.
    chosen, chosen_member
        Names of the candidates that are best over all draws.
    samples
        Functions at the points, (D, S, Q, outputs): the teacher, then states of the chains that started
        there.  Given the data each is distributed as the teacher is, however slow the chains, so that the
        mean of `distance` over draws is the excess risk of whatever was made from the data alone.
    status
        How the bounds come about, or the certificate, as a sentence.
    determined
        Whether noiseless labels determine the teacher: then the uncertainty of every class is 0, and the
        bounds are.
    """

    lower: Draws
    upper: Draws
    upper_member: Draws
    portfolio: dict[str, Draws]
    members: tuple[str, ...]
    chosen: str
    chosen_member: str
    samples: NDArray[np.float64]
    status: str
    determined: bool = False

    def distance(self, values: Sequence[Array] | Array) -> Draws:
        """Return the mean squared distance of predictions (D, Q) or (D, Q, outputs) from ``samples``, (D,).

        With less chance in it than that from the teacher alone, ``samples[:, :1]``.
        """
        return _distance(self.samples, np.asarray(values))


def uncertainty_bracket(
    setting: NetworkTeacher,
    teachers: Sequence[NetworkFunction],
    xs: Sequence[Array],
    ys: Sequence[Array],
    points: Sequence[Array],
    seed: int,
    *,
    student: Architecture | None = None,
    effort: Effort | None = None,
    generic: bool = True,
) -> Undetermined:
    """Return bounds of the posterior variance of a network teacher, mean over inputs, summed over outputs.

    Parameters
    ----------
    setting
        Of squared loss.
    teachers, xs, ys
        D draws from it: float64 inputs (n, dim), the same n in each, and labels (n,) or (n, outputs).
    points
        Fresh inputs of each draw at which functions are compared, float64 (Q, dim).
    seed
        Root of the seed tree.
    student
        Architecture whose single members `Undetermined.upper_member` is about; by default the teacher's.
    effort
        How hard to look; by default `Effort()`.
    generic
        Whether the inputs are those of the setting, drawn one by one: only then 2P + 1 of them are a
        certificate.  In a design some may coincide.

    Raises
    ------
    ValueError, TypeError
        For a setting of another loss, draws of different shapes, or teachers that the data is not from.

    Notes
    -----
    Noiseless labels of a network that is analytic in its P parameters determine it from 2P + 1 generic inputs
    on (Sontag 2002, arXiv math/0111135): both bounds are 0, and no chain runs.  Cost otherwise: D x starts
    students, and D x chains x 5 transitions x leaps slopes of a data set's squared error.
    """
    effort = effort or Effort()
    if not isinstance(setting, NetworkTeacher):
        raise TypeError(checks.refusal("setting", "uncertainty_bracket", "a NetworkTeacher", setting))
    if setting.loss != "squared":
        raise ValueError(checks.refusal("setting", "uncertainty_bracket", "one of squared loss", setting))
    world = World.of(setting, teachers, xs, ys, points)
    student = student or setting.architecture
    network, channel = setting.architecture, setting.channel
    if isinstance(channel, Clean):
        _refuse_noise(world)
    line = network.inputs == 1 and setting.domain == "sphere"  # two points, whatever n
    generic = generic and not line and world.n >= 2 * world.free_parameters + 1
    if isinstance(channel, Clean) and _analytic(network) and generic:
        return _determined(world)
    if isinstance(channel, Gaussian):
        target = world.target(channel.noise_std)
        _refuse_strangers(world, target)
        found = search(world, target, student, seed, effort)
        lower, samples, below = _planted(world, target, found.step, seed, effort)
    else:
        target = world.target(PROXY * float(world.y.square().mean().sqrt()) or PROXY)
        found = search(world, target, student, seed, effort)
        lower, samples, below = _on_solutions(world, target, seed, effort)
    portfolio = {name: _distance(samples, values.numpy()) for name, values in found.values.items()}
    members = tuple(name for name in portfolio if name in found.single)
    upper, best = chosen(portfolio)
    upper_member, best_member = chosen({name: portfolio[name] for name in members})
    status = f"Between bounds: {below}; from above {best}, {found.status}."
    return Undetermined(lower, upper, upper_member, portfolio, members, best, best_member, samples, status)


def _distance(samples: NDArray[np.float64], values: NDArray[np.float64]) -> Draws:
    off = samples - values.reshape(len(samples), 1, *samples.shape[2:])
    return np.asarray(np.square(off).sum(3).mean((1, 2)))


def _analytic(network: Architecture) -> bool:
    affine = isinstance(network, MLP) and len(network.sizes) == 2
    return affine or (isinstance(network, (MLP, CNN)) and network.activation in ANALYTIC)


def _determined(world: World) -> Undetermined:
    zeros, size = np.zeros(len(world.x)), world.free_parameters
    status = (
        f"0: noiseless labels at {world.n:,} >= 2P + 1 generic inputs determine an analytic network of "
        f"P = {size:,} in exact arithmetic"
    )
    if size <= JUDGED_SIZE:
        weights = tuple(w[:JUDGED] for w in world.weights)
        x = world.x[:JUDGED, : 2 * size + 1]
        found = identifiable_dimension(world.setting.architecture, weights, x, world.free)
        low, high = int(found.dimension.min()), int(found.dimension.max())
        status += (
            f"; the Jacobian at 2P + 1 of them has rank {low if low == high else f'{low} to {high}'} and "
            f"condition number {float(found.condition.max()):.1g} at most in {len(x)} draws"
        )
    status += "."
    name = "the network that fits"
    samples = world.truth[:, None].numpy()
    return Undetermined(zeros, zeros, zeros, {name: zeros}, (name,), name, name, samples, status, True)


def _refuse_noise(world: World) -> None:
    with torch.no_grad():
        off = float((world.setting.architecture(world.weights, world.x) - world.y).abs().max())
    if not off <= ROUNDING * (1 + float(world.y.abs().max())):
        raise ValueError(
            checks.refusal("ys", "uncertainty_bracket", "the teachers' values at xs", f"<{off:.2g} off>")
        )


def _refuse_strangers(world: World, target: Target) -> None:
    """Refuse teachers that are not posterior samples: neither their labels' noise nor they may stand out."""
    z = target.whitened(world.weights)
    squares = {
        "ys": (float(target.misfit(z).sum()), world.y.numel()),
        "teachers": (float(z.square().sum()), len(z) * world.free_parameters),
    }
    for name, (square, freedom) in squares.items():
        tail = min(chi2.sf(square, freedom), chi2.cdf(square, freedom))
        if tail < FALSE_ALARM / 4:
            accepted = "draws of the setting: a chain that starts elsewhere than at the teacher is no bound"
            raise ValueError(
                checks.refusal(
                    name, "uncertainty_bracket", accepted, f"<mean square {square / freedom:.3g} x expected>"
                )
            )


def _planted(
    world: World, target: Target, step: Tensor, seed: int, effort: Effort
) -> tuple[Draws, NDArray[np.float64], str]:
    """Return the lower bound (D,) by chains from the teachers, samples, and how they came about."""
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "planted"))
    many = effort.chains
    start = target.whitened(world.weights).repeat_interleave(many, 0)
    leaps = effort.leaps_at(step)
    path = walk(
        target.repeated(many), start, step.repeat_interleave(many, 0), leaps, effort.transitions, rng,
        world.points.repeat_interleave(many, 0),
    )  # fmt: skip
    return _bound(world, path, effort, f"{leaps} leaps")


def _bound(world: World, path: Path, effort: Effort, how: str) -> tuple[Draws, NDArray[np.float64], str]:
    """Return the lower bound (D,) that paths from the teachers give, samples, and a phrase."""
    many = effort.chains
    whole = joined(path.values, world.truth.repeat_interleave(many // 2, 0))
    lag = effort.transitions // 2 * 3 // 2 * 2
    lower = apart(whole, lag).view(-1, many // 2).mean(1).numpy()
    spaced = path.values[(effort.transitions - 1) % SPACING :: SPACING]
    states = spaced.transpose(0, 1).reshape(len(lower), -1, *spaced.shape[2:])
    samples = torch.cat([world.truth[:, None], states], 1).numpy()
    share = float(path.acceptance.mean())
    phrase = (
        f"from below chains planted at the teacher, states {lag} transitions of {how} apart, "
        f"{share:.0%} accepted"
    )
    return lower, samples, phrase


def _on_solutions(
    world: World, target: Target, seed: int, effort: Effort
) -> tuple[Draws, NDArray[np.float64], str]:
    """Return the same for noiseless labels: chains from the teachers within the set of solutions."""
    network, draws = world.setting.architecture, len(world.x)
    still = np.zeros(draws), world.truth[:, None].numpy()
    if not _analytic(network):
        return *still, "0 from below, for want of a chain where solutions are not a smooth set"
    if world.n * network.outputs >= world.free_parameters:
        return (
            *still,
            "0 from below, for no curve of solutions passes through a teacher with that many labels",
        )
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "solutions"))
    step = _slide_step(world, seed, rng)
    many = effort.chains
    start = target.whitened(world.weights).repeat_interleave(many, 0)
    steps = torch.full((len(start),), step, dtype=torch.float64)
    path = slide(
        target.repeated(many), start, steps, SLIDES, effort.transitions, rng,
        world.points.repeat_interleave(many, 0),
    )  # fmt: skip
    return _bound(world, path, effort, f"{SLIDES} constrained leaps")


def _slide_step(world: World, seed: int, rng: torch.Generator) -> float:
    """Return a step for constrained chains, found on other draws of the setting than these."""
    setting, network = world.setting, world.setting.architecture
    pilots = [generator(seed, "bracket", "others", d) for d in range(OTHERS)]
    functions = [setting.teacher(own) for own in pilots]
    weights = tuple(torch.cat(w) for w in zip(*(f.weights for f in functions), strict=True))
    x = torch.from_numpy(np.stack([setting.inputs(world.n, own) for own in pilots]))
    with torch.no_grad():
        target = Target(network, world.stds, x, network(weights, x), 1.0)
    z, log_step = target.whitened(weights), math.log(0.3)
    for k in range(8):
        steps = torch.full((OTHERS,), math.exp(log_step), dtype=torch.float64)
        path = slide(target, z, steps, SLIDES, 2, rng)
        z = path.state
        log_step += 2 * (float(path.acceptance.mean()) - 0.5) / (1 + k / 4)
    return math.exp(log_step)


def chosen(portfolio: dict[str, Draws]) -> tuple[Draws, str]:
    """Return for each draw, (D,), the distance of the candidate best on the other half; the best over all.

    ``portfolio`` has each candidate's distances, (D,), by its name.
    """
    names, table = list(portfolio), np.stack(list(portfolio.values()))
    overall = names[int(table.mean(1).argmin())]
    if table.shape[1] < 4:  # too few to choose by: the last candidate, whatever they say
        return table[-1], names[-1]
    even = np.arange(table.shape[1]) % 2 == 0
    out = np.empty(table.shape[1])
    for half in (even, ~even):
        out[half] = table[int(table[:, ~half].mean(1).argmin()), half]
    return out, overall
