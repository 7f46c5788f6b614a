"""Lower bounds of a network teacher's uncertainty, by Markov chains that start at the teacher.

Given the data, the teacher is a sample of the posterior.  A chain that starts at the teacher is therefore
stationary, even if it moves slowly.  Half the mean squared distance between two of its states is a lower
bound of the posterior variance; see ``errsrc.training.hamiltonian``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc.rng import generator, seed_of
from errsrc.sources.bracket.draws import NetworkDraws
from errsrc.sources.effort import Effort
from errsrc.sources.terms import PerDraw
from errsrc.training.hamiltonian import (
    ChainPath,
    NetworkPosterior,
    lagged_distance,
    leaps_of,
    run_chains,
    run_constrained_chains,
    two_sided_path,
)

SPACING = 4
"""Number of transitions between the states of a planted chain that are kept as samples."""

CONSTRAINED_LEAPS = 8
"""Number of leaps of a transition of a constrained chain."""

_OTHER_DRAWS = 16  # number of other draws on which the step of constrained chains is chosen


@dataclass(frozen=True, eq=False)
class PlantedBound:
    """A lower bound of the posterior variance, with samples of the posterior.

    Attributes
    ----------
    lower : ndarray of float64, (D,)
        A value for each of D draws; the mean over draws is the lower bound.
    samples : ndarray of float64, (D, S, Q, outputs)
        Values of S functions at each draw's Q fresh inputs.  The first function is the teacher.  The other
        functions are the networks at later states of the chains that started at the teacher.
    status : str
        How the bound was computed, as a phrase.
    """

    lower: PerDraw
    samples: NDArray[np.float64]
    status: str


def planted_bound(
    draws: NetworkDraws, posterior: NetworkPosterior, step: Tensor, seed: int, effort: Effort
) -> PlantedBound:
    """Return the lower bound of the posterior variance for noisy labels, by Hamiltonian chains.

    Parameters
    ----------
    draws : NetworkDraws
        The draws.
    posterior : NetworkPosterior
        The posteriors given the data of the draws.
    step : tensor, (D,)
        Longest leapfrog step of the chains of each draw.  This step must be chosen without knowing the
        teacher.
    seed : int
        Seed from which all random streams are derived.
    effort : Effort
        Gives the numbers of chains, transitions and leaps.
    """
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "planted"))
    leaps = leaps_of(step, effort.leaps)
    path = _path(run_chains, draws, posterior, step, leaps, effort, rng)
    return _bound(draws, path, effort, f"{leaps} leaps")


def solutions_bound(
    draws: NetworkDraws, posterior: NetworkPosterior, seed: int, effort: Effort
) -> PlantedBound:
    """Return the lower bound of the posterior variance for clean labels, by chains of solutions.

    A solution is a network that reproduces all labels of its data set.

    Parameters
    ----------
    draws : NetworkDraws
        The draws.
    posterior : NetworkPosterior
        The posteriors given the data of the draws.  Only their data sets and their prior are used, not the
        noise that they assume.
    seed : int
        Seed from which all random streams are derived.
    effort : Effort
        Gives the numbers of chains and transitions.
    """
    if not draws.network.analytic:
        return _zero(draws, "because chains need a smooth set of solutions")
    if draws.n * draws.network.outputs >= draws.degrees_of_freedom:
        return _zero(draws, "because with this many labels no curve of solutions passes through the teacher")
    rng = torch.Generator().manual_seed(seed_of(seed, "bracket", "solutions"))
    step = _constrained_step(draws, seed, rng)
    steps = torch.full((len(draws.x),), step, dtype=torch.float64)
    path = _path(run_constrained_chains, draws, posterior, steps, CONSTRAINED_LEAPS, effort, rng)
    return _bound(draws, path, effort, f"{CONSTRAINED_LEAPS} constrained leaps")


def _path(
    run: Callable[..., ChainPath],
    draws: NetworkDraws,
    posterior: NetworkPosterior,
    step: Tensor,
    leaps: int,
    effort: Effort,
    rng: torch.Generator,
) -> ChainPath:
    """Return the path of `effort.chains` chains for each of D draws, which start at the draw's teacher.

    `run` is the function that runs the chains, and `step`, (D,), is the longest step in each draw.
    """
    of_each_draw = (posterior.whitened(draws.weights), step, draws.points)
    start, steps, points = (x.repeat_interleave(effort.chains, 0) for x in of_each_draw)
    return run(posterior.repeated(effort.chains), start, steps, leaps, effort.transitions, rng, points)


def _zero(draws: NetworkDraws, why: str) -> PlantedBound:
    """Return the bound 0, with the teachers as the only samples."""
    samples = draws.truth[:, None].numpy()
    return PlantedBound(np.zeros(len(samples)), samples, f"0 from below, {why}")


def _bound(draws: NetworkDraws, path: ChainPath, effort: Effort, how: str) -> PlantedBound:
    """Return the bound that chains from the teachers give; `how` says how they moved."""
    pairs = effort.chains // 2
    whole = two_sided_path(path.values, draws.truth.repeat_interleave(pairs, 0))
    lag = effort.transitions // 2 * 3 // 2 * 2
    lower = lagged_distance(whole, lag).view(-1, pairs).mean(1).numpy()
    spaced = path.values[(effort.transitions - 1) % SPACING :: SPACING]
    states = spaced.transpose(0, 1).reshape(len(lower), -1, *spaced.shape[2:])
    samples = torch.cat([draws.truth[:, None], states], 1).numpy()
    share = float(path.acceptance.mean())
    status = (
        f"from below chains planted at the teacher, states {lag} transitions of {how} apart, "
        f"{share:.0%} accepted"
    )
    return PlantedBound(lower, samples, status)


def _constrained_step(draws: NetworkDraws, seed: int, rng: torch.Generator) -> float:
    """Return a step for constrained chains, chosen on other draws of the setting."""
    setting, network = draws.setting, draws.network
    rngs = [generator(seed, "bracket", "others", d) for d in range(_OTHER_DRAWS)]
    functions = [setting.teacher(own) for own in rngs]
    weights = tuple(torch.cat(w) for w in zip(*(f.weights for f in functions), strict=True))
    x = torch.from_numpy(np.stack([setting.inputs(draws.n, own) for own in rngs]))
    with torch.no_grad():
        posterior = NetworkPosterior(network, draws.stds, x, network(weights, x), 1.0)
    z, log_step = posterior.whitened(weights), math.log(0.3)
    for k in range(8):
        steps = torch.full((_OTHER_DRAWS,), math.exp(log_step), dtype=torch.float64)
        path = run_constrained_chains(posterior, z, steps, CONSTRAINED_LEAPS, 2, rng)
        z = path.state
        log_step += 2 * (float(path.acceptance.mean()) - 0.5) / (1 + k / 4)
    return math.exp(log_step)
