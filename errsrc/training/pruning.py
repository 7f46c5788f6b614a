"""Iterative magnitude pruning of stacked networks, with rewinding of weights or of the learning rate.

All matrices and convolutions of a network are pruned together; tensors of one axis (biases, and the
scales and shifts of normalisation) never are.  Density is the share of what is left of the former.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from errsrc import checks
from errsrc.fields import Checked, choice, integer, number
from errsrc.nets.network import Network, Weights
from errsrc.training import checkpoint
from errsrc.training.loop import Member, train
from errsrc.training.recipe import Recipe
from errsrc.training.risk import evaluate


@dataclass(frozen=True)
class Rounds(Checked):
    """How to prune: rounds of iterative magnitude pruning.

    Attributes
    ----------
    pruned_fraction
        Fraction of the remaining weights that each round removes, in (0, 1); 0.2 as in Frankle and Carbin
        2019 (arXiv 1803.03635).
    max_rounds
        Largest number of rounds, >= 0.
    error_factor
        A member's pruning ends at the first level with an error of at least ``error_factor`` times that of
        its unpruned network; >= 1.
    rewinding
        What the training after each round starts from (Renda et al. 2020, arXiv 2003.02389): "weights", the
        remaining weights as they were at ``rewind_step`` of the first training; or "rate", the remaining
        weights as they are.  In both the schedule of the learning rate goes back to that step.
    rewind_step
        An early step, >= 0 and below every member's number of steps.

    Examples
    --------
    >>> Rounds(pruned_fraction=0.5).density(3)
    0.125
    """

    pruned_fraction: float = number(0.2, above=0, below=1)
    max_rounds: int = integer(30, at_least=0)
    error_factor: float = number(2.0, at_least=1)
    rewinding: str = choice("weights", ("weights", "rate"))
    rewind_step: int = integer(50, at_least=0)

    def density(self, level: int) -> float:
        """Return the density after `level` rounds, of which a network has it within one weight."""
        return (1 - self.pruned_fraction) ** level


@dataclass(frozen=True)
class Level:
    """What one network was at one density.

    Attributes
    ----------
    level, remaining, density
        Rounds of pruning before it, the prunable weights left, and their share of all prunable ones.
    error, loss
        On the test examples: the share of wrong classes and nats, see `errsrc.training.evaluate`.
    validation_error, validation_loss
        At the look that the weights were kept from.
    train_error, train_loss
        Of the same weights on the training rows.
    steps
        Of training at this level alone.
    diverged
        The training failed, and the pruning ended there.
    """

    level: int
    remaining: int
    density: float
    error: float
    loss: float
    validation_error: float
    validation_loss: float
    train_error: float
    train_loss: float
    steps: int
    diverged: bool


@dataclass(frozen=True, eq=False)
class Pruned:
    """One network's pruning.

    Attributes
    ----------
    levels
        From the unpruned network on.
    weights, masks
        Those of the last level; shapes ``network.shapes()``, the masks bool, False where pruned.
    """

    levels: tuple[Level, ...]
    weights: Weights
    masks: Weights


def prunable(network: Network) -> int:
    """Return how many weights of one member of a network may be pruned: those of two axes or more.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> prunable(MLP((784, 8, 10)))
    6352
    """
    return sum(math.prod(shape) for shape in network.shapes() if len(shape) > 1)


def magnitude_masks(
    network: Network, weights: Weights, density: float, masks: Weights | None = None
) -> Weights:
    """Return the masks that keep the largest weights of each member, over all its prunable tensors.

    Exactly round(density x prunable) are kept, and at least one; of equal magnitudes those that come
    first.

    Parameters
    ----------
    network, weights
        The members, (E, ...).
    density
        Share of the prunable weights that is kept, in (0, 1].
    masks
        bool (E, ...), of which weights are there still: others stay pruned.  All of them without it.

    Raises
    ------
    ValueError
        For a density outside (0, 1], or of more weights than there are still.

    Examples
    --------
    >>> from errsrc.nets import MLP
    >>> weights = (torch.tensor([[[3.0, -1.0], [0.5, 2.0]]]), torch.zeros(1, 2))
    >>> magnitude_masks(MLP((2, 2)), weights, 0.5)
    (tensor([[[ True, False],
              [False,  True]]]), tensor([[True, True]]))
    """
    checks.number(density, "density", "magnitude_masks", 0, 1, open_low=True)
    sizes = [w[0].numel() if w.dim() > 2 else 0 for w in weights]
    keep = max(1, round(density * sum(sizes)))
    magnitude = torch.cat([w.abs().flatten(1) for w in weights if w.dim() > 2], 1)
    if masks is not None:
        there = torch.cat([mask.flatten(1) for mask in masks if mask.dim() > 2], 1)
        left = int(there.sum(1).min())
        if keep > left:
            accepted = f"at most {left / sum(sizes):.6g}, the density there is"
            raise ValueError(checks.refusal("density", "magnitude_masks", accepted, density))
        magnitude = magnitude.masked_fill(~there, -1.0)
    largest = magnitude.sort(dim=1, descending=True, stable=True).indices[:, :keep]
    kept = torch.zeros_like(magnitude, dtype=torch.bool).scatter_(1, largest, True)
    parts = iter(kept.split([size for size in sizes if size], 1))
    return tuple(
        next(parts).view(w.shape) if size else torch.ones_like(w, dtype=torch.bool)
        for w, size in zip(weights, sizes, strict=True)
    )


def prune(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    rounds: Rounds,
    test: tuple[Tensor, Tensor],
    state: Path | None = None,
) -> tuple[Pruned, ...]:
    """Train all members, prune and train again, round after round; return them in the same order.

    Parameters
    ----------
    network, x, y, members, validation, recipe
        See `errsrc.training.train`.  A round prunes the weights that training kept.
    rounds
        How to prune, and when to end.
    test
        (T, inputs) and (T,) or (T, outputs): what ``error`` and the end are measured on.
    state
        A file to write each finished level to, and to go on from where there is one already; the level
        that is being trained is in a file beside it, of the same name and ".level".  Both are removed at
        the end.

    Raises
    ------
    ValueError
        What `errsrc.training.train` refuses, and a ``rewind`` that is no less than every budget.

    Notes
    -----
    Cost: that of a training a level.
    """
    if members and rounds.rewind_step >= min(member.steps for member in members):
        accepted = f"an integer < {min(member.steps for member in members)}, the steps of training"
        raise ValueError(checks.refusal("rewind_step", "Rounds", accepted, rounds.rewind_step))
    mark, found, inner = "", None, None
    if state is not None:
        budgets = [(m.steps, m.seed, m.validation is None) for m in members]
        rows = [part for m in members for part in (m.rows, m.validation) if part is not None]
        call = (network, recipe, rounds, budgets, validation is None)
        mark = checkpoint.identity(call, [x, y, *(validation or ()), *test, *rows])
        found = checkpoint.load(state, mark, "prune")
        inner = state.with_name(f"{state.name}.level")
    count = prunable(network)
    levels: list[list[Level]] = [[] for _ in members]
    every = network.draw([member.seed for member in members], dtype=x.dtype)
    ends = [_apart(tuple(w[i] for w in every)) for i in range(len(members))]
    masked = [tuple(torch.ones_like(w, dtype=torch.bool) for w in end) for end in ends]
    live, first = list(range(len(members))), 0
    early = list(ends)
    if found is not None:
        levels = [[Level(**one) for one in each] for each in found["levels"]]
        ends, masked, early = found["weights"], found["masks"], found["early"]
        live, first = found["live"], found["done"]
    for level in range(first, rounds.max_rounds + 1):
        if not live:
            break
        weights, masks, start = (
            _stacked([each[i] for i in live], x.device) for each in (ends, masked, early)
        )
        if level:
            masks = magnitude_masks(network, weights, rounds.density(level), masks)
        trained = train(
            network,
            x,
            y,
            [members[i] for i in live],
            validation,
            recipe,
            weights if rounds.rewinding == "rate" else start,
            masks=masks if level else None,
            begin=rounds.rewind_step if level else 0,
            rewind=rounds.rewind_step,
            state=inner,
        )
        losses, errors = evaluate(
            network, _stacked([one.weights for one in trained], x.device), *test, recipe.loss
        )
        going = []
        for place, (i, one) in enumerate(zip(live, trained, strict=True)):
            ends[i], masked[i] = _apart(one.weights), _apart(tuple(mask[place] for mask in masks))
            if not level:
                early[i] = _apart(one.early)
            remaining = sum(int(mask.sum()) for mask in masked[i] if mask.dim() > 1)
            levels[i].append(
                Level(
                    level=level,
                    remaining=remaining,
                    density=remaining / count,
                    error=float(errors[place]),
                    loss=float(losses[place]),
                    validation_error=float(one.curve["error"][one.best]),
                    validation_loss=float(one.curve["loss"][one.best]),
                    train_error=one.train_error,
                    train_loss=one.train_loss,
                    steps=one.steps - (rounds.rewind_step if level else 0),
                    diverged=one.diverged,
                )
            )
            risen = level > 0 and levels[i][-1].error >= rounds.error_factor * levels[i][0].error
            if not (risen or one.diverged or remaining == 1):
                going.append(i)
        live = going
        if state is not None:
            held = {"weights": ends, "masks": masked, "early": early, "live": live, "done": level + 1}
            figures = [[asdict(one) for one in each] for each in levels]
            checkpoint.save(state, mark, {**held, "levels": figures})
    if state is not None:
        checkpoint.remove(state)
    return tuple(Pruned(*one) for one in zip(map(tuple, levels), ends, masked, strict=True))


def _stacked(members: Sequence[Weights], device: torch.device) -> Weights:
    """Return the weights of several members as (E, ...), on a device."""
    return tuple(torch.stack(same).to(device) for same in zip(*members, strict=True))


def _apart(weights: Weights) -> Weights:
    """Return one member's weights on the CPU, each a tensor of its own."""
    return tuple(w.detach().cpu().clone() for w in weights)
