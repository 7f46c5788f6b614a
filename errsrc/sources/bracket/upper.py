"""Predictors of a network teacher that are made from the data alone, for upper bounds of the uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from errsrc.nets import Network as Architecture
from errsrc.nets import embed, embeds
from errsrc.rng import generator, seed_of
from errsrc.sources.bracket.draws import Effort, World
from errsrc.sources.bracket.hamiltonian import Target, pilot, walk
from errsrc.training import Member, Recipe, train
from errsrc.training.lbfgs import LBFGS

FRESH = 256
"""Unlabelled inputs of a draw on which a single network learns what the posterior mean says."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Predictors of the teachers of D draws.

    Attributes
    ----------
    values
        {candidate: its values at the draws' points, (D, Q, outputs)}.
    single
        Those that are members of the student's class, and not means of several.
    step
        Longest leapfrog step found for each draw's chains, (D,).
    status
        How they were looked for.
    """

    values: dict[str, Tensor]
    single: set[str]
    step: Tensor
    status: str


def search(world: World, target: Target, student: Architecture, seed: int, effort: Effort) -> Candidates:
    """Return predictors made from the data alone.

    Parameters
    ----------
    world, target
        The draws, and their posteriors.
    student
        The class that ``single`` is about.
    seed, effort
        Root of the seed tree, and how hard to look.
    """
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
    leaps, chains = effort.leaps_at(step), effort.chains
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
    return Candidates(out, single, step, f"{many} starts a draw, {share:.0%} of chains' transitions accepted")


def _students(world: World, seed: int, effort: Effort) -> tuple[Tensor, Tensor]:
    """Return students' weights from starts in the prior, (D, starts, P), and their training losses."""
    network, (draws, n) = world.setting.architecture, world.x.shape[:2]
    seeds = [seed_of(seed, "bracket", "student", d, s) for d in range(draws) for s in range(effort.starts)]
    start = network.draw(seeds, world.stds, torch.float64)
    rows = [np.arange(d * n, (d + 1) * n) for d in range(draws) for _ in range(effort.starts)]
    members = [Member(own, effort.steps, one) for own, one in zip(rows, seeds, strict=True)]
    recipe = Recipe("lbfgs", loss="squared", evaluation_interval=50, target_training_loss=1e-28)
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
        if bool(descent.stalled.all()):
            break
        descent.step()
    return descent.point


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
    recipe = Recipe("lbfgs", loss="squared", evaluation_interval=50)
    trained = train(student, x.flatten(0, 1), y.flatten(0, 1), members, None, recipe, start)
    loss = torch.tensor([math.inf if t.diverged else t.train_loss for t in trained]).view(draws, tries)
    best = [trained[d * tries + int(s)] for d, s in enumerate(loss.argmin(1))]
    with torch.no_grad():
        return student(tuple(torch.stack(w) for w in zip(*(t.weights for t in best), strict=True)), points)
