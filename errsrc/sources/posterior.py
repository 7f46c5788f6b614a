"""What n examples leave undetermined of a network teacher, between two bounds.

From below: chains in the posterior that start at the teacher.  From above: the excess risk of predictors made
from the data alone.  See `errsrc.sources.chains` for why a planted chain bounds, and `bracket`.
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
from errsrc.nets import CNN, MLP, Member, Recipe, embed, embeds, identifiable_dimension, train
from errsrc.nets import Network as Architecture
from errsrc.nets.lbfgs import LBFGS
from errsrc.rng import generator, seed_of
from errsrc.settings import Clean, Gaussian, NetworkTeacher
from errsrc.settings.network import NetworkFunction
from errsrc.settings.setting import Array
from errsrc.sources.chains import Path, Target, apart, joined, pilot, slide, walk

Draws = NDArray[np.float64]

ANALYTIC = ("tanh", "gelu", "sine", "linear")
"""Activations with which a network is an analytic function of its weights."""

FALSE_ALARM = 1e-6
"""Chance that teachers which did label the data are refused."""

ROUNDING = 1e-9
"""How far noiseless labels may be off the teacher's values."""

PROXY = 1e-2
"""Noise that predictors of noiseless labels reckon with, relative to the labels' root mean square."""

JUDGED, JUDGED_SIZE = 8, 1000
"""Draws whose Jacobian's conditioning a certificate carries, and the most parameters for which it does."""

FRESH = 256
"""Unlabelled inputs of a draw on which a single network learns what the posterior mean says."""


SPACING = 4
"""Transitions between states of the planted chains that are kept as samples."""


SLIDES, OTHERS = 8, 16
"""Leaps of a constrained chain's transition, and draws on which its step is chosen."""


@dataclass(frozen=True)
class Effort:
    """How hard the bounds are looked for.

    Attributes
    ----------
    starts, steps
        Students trained on each data set, and the L-BFGS steps of each.
    chains
        Chains of each data set on either side, an even number.
    transitions, leaps
        Of each chain: an even number of transitions from the teacher (twice as many from students, whose
        first half is not read), and the most leapfrog steps of each.
    """

    starts: int = 16
    steps: int = 400
    chains: int = 4
    transitions: int = 32
    leaps: int = 400

    def __post_init__(self) -> None:
        for name in ("starts", "steps", "leaps"):
            checks.integer(getattr(self, name), name, "Effort", 1)
        for name in ("chains", "transitions"):
            if checks.integer(getattr(self, name), name, "Effort", 2) % 2:
                raise ValueError(checks.refusal(name, "Effort", "an even number", getattr(self, name)))


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


def bracket(
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
        raise TypeError(checks.refusal("setting", "bracket", "a NetworkTeacher", setting))
    if setting.loss != "squared":
        raise ValueError(checks.refusal("setting", "bracket", "one of squared loss", setting))
    world = _World.of(setting, teachers, xs, ys, points)
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
        found = _search(world, target, student, seed, effort)
        lower, samples, below = _planted(world, target, found.step, seed, effort)
    else:
        target = world.target(PROXY * float(world.y.square().mean().sqrt()) or PROXY)
        found = _search(world, target, student, seed, effort)
        lower, samples, below = _on_solutions(world, target, seed, effort)
    portfolio = {name: _distance(samples, values.numpy()) for name, values in found.values.items()}
    members = tuple(name for name in portfolio if name in found.single)
    upper, best = chosen(portfolio)
    upper_member, best_member = chosen({name: portfolio[name] for name in members})
    status = f"Between bounds: {below}; from above {best}, {found.status}."
    return Undetermined(lower, upper, upper_member, portfolio, members, best, best_member, samples, status)


@dataclass(frozen=True, eq=False)
class _World:
    """Draws of a setting, as tensors: x (D, n, inputs), y (D, n, outputs), points (D, Q, inputs), truth."""

    setting: NetworkTeacher
    weights: tuple[Tensor, ...]
    x: Tensor
    y: Tensor
    points: Tensor
    truth: Tensor

    @classmethod
    def of(
        cls,
        setting: NetworkTeacher,
        teachers: Sequence[NetworkFunction],
        xs: Sequence[Array],
        ys: Sequence[Array],
        points: Sequence[Array],
    ) -> _World:
        where = "bracket"
        draws, network = len(teachers), setting.architecture
        for name, arrays in (("xs", xs), ("ys", ys), ("points", points)):
            shapes = {np.shape(array) for array in arrays}
            if len(arrays) != draws or len(shapes) != 1 or not draws:
                accepted = f"{draws or 'one or more'} arrays of one shape, one for each teacher"
                raise ValueError(checks.refusal(name, where, accepted, f"<{len(arrays)} of {shapes}>"))
        if np.size(ys[0]) != len(xs[0]) * network.outputs or len(ys[0]) != len(xs[0]):
            accepted = f"labels of {len(xs[0])} inputs, {network.outputs} of each"
            raise ValueError(checks.refusal("ys", where, accepted, f"<shape {np.shape(ys[0])}>"))
        if any(teacher.architecture != network for teacher in teachers):
            raise ValueError(checks.refusal("teachers", where, f"networks of {network}", teachers))
        weights = tuple(
            torch.cat([w.double() for w in each])
            for each in zip(*(teacher.weights for teacher in teachers), strict=True)
        )
        x, y, at = (torch.from_numpy(np.stack(list(a))).double() for a in (xs, ys, points))
        y = y.reshape(*x.shape[:2], network.outputs)
        with torch.no_grad():
            return cls(setting, weights, x, y, at, network(weights, at))

    @property
    def n(self) -> int:
        return self.x.shape[1]

    @property
    def stds(self) -> tuple[float, ...]:
        return self.setting.architecture.prior(self.setting.weight_std, self.setting.bias_std)

    @property
    def free(self) -> Tensor:
        """Which parameters vary under the prior, bool (P,)."""
        return self.target(1.0).scale > 0

    @property
    def free_parameters(self) -> int:
        return int(self.free.sum())

    def target(self, noise_std: float) -> Target:
        return Target(self.setting.architecture, self.stds, self.x, self.y, noise_std)


def _distance(samples: NDArray[np.float64], values: NDArray[np.float64]) -> Draws:
    off = samples - values.reshape(len(samples), 1, *samples.shape[2:])
    return np.asarray(np.square(off).sum(3).mean((1, 2)))


def _analytic(network: Architecture) -> bool:
    affine = isinstance(network, MLP) and len(network.sizes) == 2
    return affine or (isinstance(network, (MLP, CNN)) and network.activation in ANALYTIC)


def _determined(world: _World) -> Undetermined:
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


def _refuse_noise(world: _World) -> None:
    with torch.no_grad():
        off = float((world.setting.architecture(world.weights, world.x) - world.y).abs().max())
    if not off <= ROUNDING * (1 + float(world.y.abs().max())):
        raise ValueError(checks.refusal("ys", "bracket", "the teachers' values at xs", f"<{off:.2g} off>"))


def _refuse_strangers(world: _World, target: Target) -> None:
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
                checks.refusal(name, "bracket", accepted, f"<mean square {square / freedom:.3g} x expected>")
            )


def _planted(
    world: _World, target: Target, step: Tensor, seed: int, effort: Effort
) -> tuple[Draws, NDArray[np.float64], str]:
    """Return the lower bound (D,) by chains from the teachers, samples, and how they came about."""
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "planted"))
    many = effort.chains
    start = target.whitened(world.weights).repeat_interleave(many, 0)
    leaps = _leaps(step, effort)
    path = walk(
        target.repeated(many), start, step.repeat_interleave(many, 0), leaps, effort.transitions, rng,
        world.points.repeat_interleave(many, 0),
    )  # fmt: skip
    return _bound(world, path, effort, f"{leaps} leaps")


def _bound(world: _World, path: Path, effort: Effort, how: str) -> tuple[Draws, NDArray[np.float64], str]:
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
    world: _World, target: Target, seed: int, effort: Effort
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


def _slide_step(world: _World, seed: int, rng: torch.Generator) -> float:
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


def _leaps(step: Tensor, effort: Effort) -> int:
    """Return how many leaps go half way round the prior's ball."""
    return min(effort.leaps, max(8, math.ceil(math.pi / 2 / float(step.median()))))


def _students(world: _World, seed: int, effort: Effort) -> tuple[Tensor, Tensor]:
    """Return students' weights from starts in the prior, (D, starts, P), and their training losses."""
    network, (draws, n) = world.setting.architecture, world.x.shape[:2]
    seeds = [seed_of(seed, "bracket", "student", d, s) for d in range(draws) for s in range(effort.starts)]
    start = network.draw(seeds, world.stds, torch.float64)
    rows = [np.arange(d * n, (d + 1) * n) for d in range(draws) for _ in range(effort.starts)]
    members = [Member(own, effort.steps, one) for own, one in zip(rows, seeds, strict=True)]
    recipe = Recipe("lbfgs", loss="squared", look=50, floor=1e-28)
    x, y = world.x.flatten(0, 1), world.y.flatten(0, 1)
    trained = train(network, x, y, members, None, recipe, start)
    flat = network.flatten(tuple(torch.stack(w) for w in zip(*(t.weights for t in trained), strict=True)))
    loss = torch.tensor([math.inf if t.diverged else t.train_loss for t in trained]).double()
    return flat.view(draws, effort.starts, -1), loss.view(draws, effort.starts)


def _quarter(effort: Effort) -> int:
    """Return the steps of a descent that starts near its end."""
    return max(1, effort.steps // 4)


def _descended(target: Target, z: Tensor, steps: int) -> Tensor:
    """Return z moved to near maxima of the posterior."""
    descent = LBFGS(lambda point, numbers: target(point, numbers), z.clone())
    for _ in range(steps):
        if bool(descent.stuck.all()):
            break
        descent.step()
    return descent.point


@dataclass(frozen=True, eq=False)
class _Found:
    """Candidates' values at the points (D, Q, outputs), which are single students; a chain's step, (D,)."""

    values: dict[str, Tensor]
    single: set[str]
    step: Tensor
    status: str


def _search(world: _World, target: Target, student: Architecture, seed: int, effort: Effort) -> _Found:
    """Return predictors made from the data alone."""
    network, points, draws = world.setting.architecture, world.points, len(world.x)
    weights, loss = _students(world, seed, effort)
    best = loss.argmin(1)
    each = torch.arange(draws)
    many = effort.starts
    with torch.no_grad():
        values = network(network.unflatten(weights.flatten(0, 1)), points.repeat_interleave(many, 0))
    values = values.unflatten(0, (draws, many))
    kept = (loss <= 2 * loss.min(1, keepdim=True).values + 1e-24)[:, :, None, None]
    out = {
        "best student": values[each, best],
        "ensemble": (values * kept).sum(1) / kept.sum(1),
    }
    inverse = torch.where(target.scale > 0, 1 / target.scale, 0.0)
    # what the prior fixes a student may have moved: starts are brought back, then descend
    z = _descended(target.repeated(many), (weights * inverse).flatten(0, 1), _quarter(effort))
    energy = target.repeated(many)(z)[0].view(draws, many).nan_to_num(nan=math.inf)
    z = z.view(draws, many, -1)
    order = energy.argsort(1)
    out["most probable"] = target.values(z[each, order[:, 0]], points)
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "chains"))
    step, state = pilot(target, z[each, order[:, 0]], rng)
    leaps, chains = _leaps(step, effort), effort.chains
    several = z[each[:, None], order[:, torch.arange(chains) % many]]
    starts = torch.cat([state[:, None].expand(-1, chains, -1), several], 1)
    unlabelled = [world.setting.inputs(FRESH, generator(seed, "bracket", "fresh", d)) for d in range(draws)]
    fresh = torch.from_numpy(np.stack(unlabelled))
    at = torch.cat([points, fresh], 1)
    means, share = _mean(target.repeated(2 * chains), starts.flatten(0, 1), step, leaps, effort, rng, at)
    groups = {"posterior mean": means[:, :chains], "posterior mean, several starts": means[:, chains:]}
    out |= {name: group.mean(1)[:, : points.shape[1]] for name, group in groups.items()}
    taught = groups["posterior mean"].mean(1)[:, points.shape[1] :]
    start = target.weights(z[each, order[:, 0]])
    out["distilled"] = _distilled(network, start, student, fresh, taught, points, seed, effort)
    single = {"distilled"}
    if embeds(network, student):
        single |= {"best student", "most probable"}
    return _Found(out, single, step, f"{many} starts a draw, {share:.0%} of chains' transitions accepted")


def _mean(
    target: Target, z: Tensor, step: Tensor, leaps: int, effort: Effort, rng: torch.Generator, at: Tensor
) -> tuple[Tensor, float]:
    """Return chains' means at inputs (D, Q, inputs) over their second halves, (D, chains, Q, outputs)."""
    many = len(z) // len(at)
    step, at = step.repeat_interleave(many, 0), at.repeat_interleave(many, 0)
    z = walk(target, z, step, leaps, effort.transitions, rng).state
    total, share = torch.zeros(*at.shape[:2], target.network.outputs, dtype=z.dtype), 0.0
    for _ in range(effort.transitions):
        path = walk(target, z, step, leaps, 1, rng, at)
        z = path.state
        total += path.values[0] / effort.transitions
        share += float(path.acceptance.mean()) / effort.transitions
    return total.unflatten(0, (-1, many)), share


def _distilled(
    network: Architecture,
    weights: tuple[Tensor, ...],
    student: Architecture,
    x: Tensor,
    y: Tensor,
    points: Tensor,
    seed: int,
    effort: Effort,
) -> Tensor:
    """Return values (D, Q, outputs) of students that learn functions with values y at inputs x."""
    draws, count = x.shape[:2]
    tries = 1 if embeds(network, student) else effort.starts
    seeds = [seed_of(seed, "bracket", "distilled", d, s) for d in range(draws) for s in range(tries)]
    start = embed(network, weights, student) if tries == 1 else student.draw(seeds, dtype=torch.float64)
    rows = [np.arange(d * count, (d + 1) * count) for d in range(draws) for _ in range(tries)]
    members = [Member(own, _quarter(effort), one) for own, one in zip(rows, seeds, strict=True)]
    recipe = Recipe("lbfgs", loss="squared", look=50)
    trained = train(student, x.flatten(0, 1), y.flatten(0, 1), members, None, recipe, start)
    loss = torch.tensor([math.inf if t.diverged else t.train_loss for t in trained]).view(draws, tries)
    best = [trained[d * tries + int(s)] for d, s in enumerate(loss.argmin(1))]
    with torch.no_grad():
        return student(tuple(torch.stack(w) for w in zip(*(t.weights for t in best), strict=True)), points)


def chosen(portfolio: dict[str, Draws]) -> tuple[Draws, str]:
    """Return for each draw the distance of the candidate best on the other half; the best over all."""
    names, table = list(portfolio), np.stack(list(portfolio.values()))
    overall = names[int(table.mean(1).argmin())]
    if table.shape[1] < 4:  # too few to choose by: the last candidate, whatever they say
        return table[-1], names[-1]
    even = np.arange(table.shape[1]) % 2 == 0
    out = np.empty(table.shape[1])
    for half in (even, ~even):
        out[half] = table[int(table[:, ~half].mean(1).argmin()), half]
    return out, overall
