"""Upper bounds of a network teacher's uncertainty, by several predictors that are made from the data alone.

The uncertainty is the smallest mean excess risk of a map from data to functions.  The mean excess risk of any
such map is therefore an upper bound.  These maps are tried: trained students; the network with the most
probable weights; posterior means, by chains that start at trained students; and a single network that has
learned a posterior mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from errsrc.nets import Network, Weights, embed, embeds
from errsrc.rng import generator, seed_of
from errsrc.sources.bracket.draws import NetworkDraws
from errsrc.sources.effort import Effort
from errsrc.sources.terms import PerDraw
from errsrc.training import Member, Recipe, Trained, train
from errsrc.training.hamiltonian import NetworkPosterior, choose_steps, leaps_of, run_chains
from errsrc.training.lbfgs import LBFGS

DESCENT = Recipe("lbfgs", loss="squared", evaluation_interval=50)
"""The recipe of students."""


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Several predictors of the teacher, made from the data alone, in each of D draws.

    Attributes
    ----------
    values : dict of str to tensor, (D, Q, outputs)
        The keys are the names of the predictors.  The values are their predictions at each draw's fresh
        inputs.
    members : set of str
        Names of the predictors that are single networks of the student's architecture.
    step : tensor, (D,)
        Longest leapfrog step of the chains of each draw, as `choose_steps` found it.
    status : str
        How the predictors were made, as a phrase.
    """

    values: dict[str, Tensor]
    members: set[str]
    step: Tensor
    status: str


@dataclass(frozen=True, eq=False)
class Predictors:
    """The predictors of a `Portfolio` that do not depend on the learner's class.

    Attributes
    ----------
    values, step, status
        See `Portfolio`.
    weights : tuple of tensors, (D, ...) each
        Weights of the most probable network of each draw.
    taught : tensor, (D, unlabelled, outputs)
        The posterior mean at the unlabelled inputs of each draw.
    """

    values: dict[str, Tensor]
    weights: Weights
    taught: Tensor
    step: Tensor
    status: str


def make_predictors(
    draws: NetworkDraws, posterior: NetworkPosterior, seed: int, effort: Effort
) -> Predictors:
    """Make predictors from the data alone, without a student of the learner's class.

    Parameters
    ----------
    draws : NetworkDraws
        The draws.
    posterior : NetworkPosterior
        The posteriors given the data of the draws.
    seed : int
        Seed from which all random streams are derived.
    effort : Effort
        Gives the numbers of students, of training steps, and of chains.
    """
    weights, loss = _trained_students(draws, seed, effort)
    values = _student_values(draws, weights, loss)
    z = _most_probable(posterior, weights, effort)
    values["most probable"] = posterior.values(z[:, 0], draws.points)
    means, step, share = _posterior_means(draws, posterior, z, seed, effort)
    count = draws.points.shape[1]
    for name, mean in means.items():
        values[name] = mean[:, :count]
    status = f"{effort.starts} starts per draw, {share:.0%} of chains' transitions accepted"
    taught = means["posterior mean"][:, count:]
    return Predictors(values, posterior.weights(z[:, 0]), taught, step, status)


def make_portfolio(
    draws: NetworkDraws, found: Predictors, student: Network, seed: int, effort: Effort
) -> Portfolio:
    """Return several predictors, among them networks of the learner's class.

    Parameters
    ----------
    draws : NetworkDraws
        The draws.
    found : Predictors
        The predictors that do not depend on the learner's class.
    student : Network
        Architecture of the learner's class.  Single networks of this architecture are `Portfolio.members`.
    seed : int
        Seed from which all random streams are derived.
    effort : Effort
        Gives the numbers of students and of training steps.
    """
    distilled = _distilled(draws, found.weights, student, found.taught, seed, effort)
    members = {"distilled"}
    if embeds(draws.network, student):
        members |= {"best student", "most probable"}
    return Portfolio(found.values | {"distilled": distilled}, members, found.step, found.status)


def _trained_students(draws: NetworkDraws, seed: int, effort: Effort) -> tuple[Tensor, Tensor]:
    """Return students' weights, from starts in the prior, (D, starts, P), and their training losses."""
    network, count = draws.network, len(draws.x)
    seeds = [seed_of(seed, "bracket", "student", d, s) for d in range(count) for s in range(effort.starts)]
    start = network.draw(seeds, draws.stds, torch.float64)
    recipe = replace(DESCENT, target_training_loss=1e-28)
    trained, loss = _trained(network, draws.x, draws.y, seeds, effort.steps, recipe, start)
    return network.flatten(_stacked(trained)).view(count, effort.starts, -1), loss


def _student_values(draws: NetworkDraws, weights: Tensor, loss: Tensor) -> dict[str, Tensor]:
    """Return the values of the best student, and the mean values of all students with a similar loss.

    The loss of a student is similar if it is at most twice the loss of the best student.
    """
    network, (count, starts) = draws.network, loss.shape
    with torch.no_grad():
        points = draws.points.repeat_interleave(starts, 0)
        values = network(network.unflatten(weights.flatten(0, 1)), points)
    values = values.unflatten(0, (count, starts))
    kept = (loss <= 2 * loss.min(1, keepdim=True).values + 1e-24)[:, :, None, None]
    return {
        "best student": values[torch.arange(count), loss.argmin(1)],
        "ensemble": (values * kept).sum(1) / kept.sum(1),
    }


def _most_probable(posterior: NetworkPosterior, weights: Tensor, effort: Effort) -> Tensor:
    """Return whitened parameters near maxima of the posterior, (D, starts, P), the most probable first."""
    count, starts = weights.shape[:2]
    inverse = torch.where(posterior.scale > 0, 1 / posterior.scale, 0.0)
    # training may have moved parameters that the prior fixes: the descent starts with them reset
    repeated = posterior.repeated(starts)
    descent = LBFGS(
        lambda point, numbers: repeated(point, numbers), (weights * inverse).flatten(0, 1).clone()
    )
    for _ in range(_few(effort)):
        if bool(descent.stalled.all()):
            break
        descent.step()
    z = descent.point
    energy = repeated(z)[0].view(count, starts).nan_to_num(nan=math.inf)
    z = z.view(count, starts, -1)
    return z[torch.arange(count)[:, None], energy.argsort(1)]


def _few(effort: Effort) -> int:
    """Return the number of steps of a descent that starts near its minimum."""
    return max(1, effort.steps // 4)


def _posterior_means(
    draws: NetworkDraws, posterior: NetworkPosterior, z: Tensor, seed: int, effort: Effort
) -> tuple[dict[str, Tensor], Tensor, float]:
    """Return chains' means at points and unlabelled inputs, the chains' steps, and the acceptance rate.

    Half of the chains start where the choice of the step ended, the others at the most probable weights z.
    """
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "chains"))
    step, state = choose_steps(posterior, z[:, 0], rng)
    leaps, chains = leaps_of(step, effort.leaps), effort.chains
    several = z[:, torch.arange(chains) % z.shape[1]]
    starts = torch.cat([state[:, None].expand(-1, chains, -1), several], 1)
    at = torch.cat([draws.points, _unlabelled(draws, seed, effort)], 1).repeat_interleave(2 * chains, 0)
    repeated, steps = posterior.repeated(2 * chains), step.repeat_interleave(2 * chains, 0)
    z = run_chains(repeated, starts.flatten(0, 1), steps, leaps, effort.transitions, rng).state
    total, share = torch.zeros(*at.shape[:2], draws.network.outputs, dtype=z.dtype), 0.0
    for _ in range(effort.transitions):
        path = run_chains(repeated, z, steps, leaps, 1, rng, at)
        z = path.state
        total += path.values[0] / effort.transitions
        share += float(path.acceptance.mean()) / effort.transitions
    means = total.unflatten(0, (-1, 2 * chains))
    names = {"posterior mean": means[:, :chains], "posterior mean, several starts": means[:, chains:]}
    return {name: group.mean(1) for name, group in names.items()}, step, share


def _unlabelled(draws: NetworkDraws, seed: int, effort: Effort) -> Tensor:
    """Return inputs without labels, (D, unlabelled, inputs)."""
    rngs = [generator(seed, "bracket", "fresh", d) for d in range(len(draws.x))]
    return torch.from_numpy(np.stack([draws.setting.inputs(effort.unlabelled, rng) for rng in rngs]))


def _distilled(
    draws: NetworkDraws,
    weights: tuple[Tensor, ...],
    student: Network,
    taught: Tensor,
    seed: int,
    effort: Effort,
) -> Tensor:
    """Return values at the points, (D, Q, outputs), of students that learn posterior means.

    `taught` are the means at the unlabelled inputs, (D, unlabelled, outputs).  If the teachers' network can
    be embedded in the student, the student starts at the most probable weights, and otherwise from several
    random starts.
    """
    network, count = draws.network, len(taught)
    tries = 1 if embeds(network, student) else effort.starts
    seeds = [seed_of(seed, "bracket", "distilled", d, s) for d in range(count) for s in range(tries)]
    start = embed(network, weights, student) if tries == 1 else student.draw(seeds, dtype=torch.float64)
    x = _unlabelled(draws, seed, effort)
    trained, loss = _trained(student, x, taught, seeds, _few(effort), DESCENT, start)
    best = [trained[d * tries + int(s)] for d, s in enumerate(loss.argmin(1))]
    with torch.no_grad():
        return student(_stacked(best), draws.points)


def _trained(
    network: Network, x: Tensor, y: Tensor, seeds: Sequence[int], steps: int, recipe: Recipe, start: Weights
) -> tuple[tuple[Trained, ...], Tensor]:
    """Train an equal number of networks on the data of each draw; also return their losses, (D, networks).

    `x` and `y` have a first axis of D draws.  `seeds` and `start` have an entry for each network, the
    networks of the first draw first.
    """
    (count, n), each = x.shape[:2], len(seeds) // len(x)
    rows = [np.arange(d * n, (d + 1) * n) for d in range(count) for _ in range(each)]
    members = [Member(own, steps, one) for own, one in zip(rows, seeds, strict=True)]
    trained = train(network, x.flatten(0, 1), y.flatten(0, 1), members, None, recipe, start)
    loss = torch.tensor([math.inf if t.diverged else t.train_loss for t in trained]).double()
    return trained, loss.view(count, each)


def _stacked(trained: Sequence[Trained]) -> Weights:
    """Return the weights of trained networks as tensors with a first axis of networks."""
    return tuple(torch.stack(w) for w in zip(*(one.weights for one in trained), strict=True))


def choose(portfolio: Mapping[str, PerDraw]) -> tuple[PerDraw, str]:
    """Choose one of several candidates for an upper bound, without a bias from the choice.

    Parameters
    ----------
    portfolio : mapping of str to ndarray of float64, (D,)
        The keys are the names of the candidates.  The values have a number for each of D draws.  The mean of
        each candidate over draws is an upper bound.

    Returns
    -------
    bound : ndarray of float64, (D,)
        The values of the chosen candidates.  The draws are divided into two halves.  For each half, the
        candidate with the smallest mean on the other half is chosen.  With fewer than four draws, the last
        candidate is chosen for all draws.
    best : str
        Name of the candidate with the smallest mean over all draws; with fewer than four draws, the name of
        the last candidate.
    """
    names, table = list(portfolio), np.stack(list(portfolio.values()))
    if table.shape[1] < 4:
        return table[-1], names[-1]
    even = np.arange(table.shape[1]) % 2 == 0
    out = np.empty(table.shape[1])
    for half in (even, ~even):
        out[half] = table[int(table[:, ~half].mean(1).argmin()), half]
    return out, names[int(table.mean(1).argmin())]
