"""The gradient-descent training loop: stacked members, each with its own data, seed, budget and end.

All members of a call share one network spec, one pair of resident arrays and one
validation set; each takes its own rows of the arrays.  A member's weights, order of
examples, schedule and stopping depend on its own fields alone, so its result does
not depend on which others are trained beside it (to rounding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from errsrc import checks
from errsrc.nets.networks import Network, Weights
from errsrc.rng import seed_of

_ADAM = (0.9, 0.999)  # decay of the two moments


@dataclass(frozen=True)
class Recipe:
    """How to train: plain numbers, the same for every member of a call.

    Attributes
    ----------
    optimiser
        "adam" (betas 0.9 and 0.999) or "sgd" (with ``momentum``).
    learning_rate
        Peak learning rate, reached linearly over ``warmup`` steps.
    decay
        Share of a member's budget of steps, at its end, over which the rate falls linearly to 0.
    batch
        Examples a step; a member with fewer rows than that repeats rows within a step.
    average
        The weights that are looked at and kept are a running average over about the last
        ``average`` x step steps, so that its memory grows with the run (0: the weights themselves).
    look
        The first looks at validation are ``look`` steps apart; later ones 1/20 of the step reached.
    watch
        The validation figure that stops a member and chooses its weights: "error" or "loss".
    patience
        A member stops once it has gone ``patience`` times the steps to its best look, and at least
        ``least`` steps.
    """

    optimiser: str = "adam"
    learning_rate: float = 4e-3
    warmup: int = 50
    decay: float = 0.0
    batch: int = 128
    momentum: float = 0.9
    average: float = 0.1
    look: int = 10
    watch: str = "loss"
    patience: float = 2.0
    least: int = 200

    def __post_init__(self) -> None:
        checks.choice(self.optimiser, "optimiser", "Recipe", ("adam", "sgd"))
        checks.number(self.learning_rate, "learning_rate", "Recipe", 0, open_low=True)
        checks.integer(self.warmup, "warmup", "Recipe", 0)
        checks.number(self.decay, "decay", "Recipe", 0, 1)
        checks.integer(self.batch, "batch", "Recipe", 1)
        checks.number(self.momentum, "momentum", "Recipe", 0, 1, open_high=True)
        checks.number(self.average, "average", "Recipe", 0, 1, open_high=True)
        checks.integer(self.look, "look", "Recipe", 1)
        checks.choice(self.watch, "watch", "Recipe", ("error", "loss"))
        checks.number(self.patience, "patience", "Recipe", 1)
        checks.integer(self.least, "least", "Recipe", 0)


@dataclass(frozen=True, eq=False)
class Member:
    """One network to train: its ``rows`` of the resident arrays (n,), its budget of ``steps``, its seed."""

    rows: NDArray[np.int64]
    steps: int
    seed: int

    def __post_init__(self) -> None:
        if len(self.rows) == 0:
            raise ValueError(checks.refusal("rows", "Member", "one row or more", self.rows))
        checks.integer(self.steps, "steps", "Member", 1)
        checks.integer(self.seed, "seed", "Member", 0)


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained member.

    Attributes
    ----------
    weights
        The best weights by the recipe's ``watch`` on validation, shapes ``network.shapes()``, float32.
    best_step, steps
        The step of those weights and the number of steps taken.
    diverged
        Whether the training or validation loss ceased to be finite, or the mean training loss between
        two looks exceeded twice the loss of the first batch; the member stopped there, and its figures
        are not to be averaged with others.
    curve
        Columns of the learning curve, a row a look: "step", "train_loss" (mean over the steps since the
        last look, raw weights), "loss" and "error" on validation (the averaged weights).
    """

    weights: Weights
    best_step: int
    steps: int
    diverged: bool
    curve: dict[str, NDArray[np.float64]]

    @property
    def best(self) -> int:
        """The row of ``curve`` at which ``weights`` were kept."""
        return int(np.searchsorted(self.curve["step"], self.best_step))


def losses(outputs: Tensor, y: Tensor) -> Tensor:
    """Return each member's mean cross-entropy in nats, (E,), for outputs (E, B, C), y (E, B) or (B,)."""
    members, batch, classes = outputs.shape
    flat = functional.cross_entropy(
        outputs.reshape(-1, classes), y.expand(members, batch).reshape(-1), reduction="none"
    )
    return flat.view(members, batch).mean(1)


@torch.no_grad()
def evaluate(network: Network, weights: Weights, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return each member's mean cross-entropy and error rate, (E,) and (E,), on x (B, pixels), y (B,)."""
    total, wrong = torch.zeros(len(weights[0])), torch.zeros(len(weights[0]))
    for part, labels in zip(x.split(500), y.split(500), strict=True):
        outputs = network(weights, part)
        total += losses(outputs, labels) * len(labels)
        wrong += (outputs.argmax(2) != labels).sum(1)
    return total / len(y), wrong / len(y)


def train(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor],
    recipe: Recipe,
) -> tuple[Trained, ...]:
    """Train all members at once and return them in the same order.

    Parameters
    ----------
    network
        The architecture all members share.
    x, y
        Resident training arrays that the members' rows index: float32 (N, pixels), int64 (N,).
    members
        What differs from one to the next.
    validation
        float32 (V, pixels), int64 (V,): chooses each member's stopping time and weights.
    recipe
        What they share.

    Notes
    -----
    Cost: 6 x parameters x batch flops a member and step (4 x in the first layer), and
    2 x parameters x V a look.  Members that end leave the batch at that look.
    """
    if not members:
        raise ValueError(checks.refusal("members", "train", "one member or more", members))
    weights = tuple(w.requires_grad_() for w in network.draw([m.seed for m in members]))
    average = tuple(w.detach().clone() for w in weights)
    best = tuple(w.clone() for w in average)
    moments = [tuple(torch.zeros_like(w) for w in average) for _ in range(2)]
    orders = [_Order(member, recipe.batch) for member in members]
    budget = torch.tensor([member.steps for member in members])
    live = torch.arange(len(members))
    best_seen = torch.full((len(members),), torch.inf)
    best_step = torch.zeros(len(members), dtype=torch.int64)
    first_loss = torch.empty(len(members))
    diverged = torch.zeros(len(members), dtype=torch.bool)
    curves: list[list[tuple[float, float, float, float]]] = [[] for _ in members]
    seen = torch.zeros(len(members))
    step = last_look = 0
    while len(live):
        # looks fall at the same steps whoever is in the batch; a budget that ends between two has its own
        next_look = last_look + max(recipe.look, last_look // 20)
        pace = min(next_look, int(budget[live].min())) - step
        rows = torch.stack([orders[i].take(pace) for i in live.tolist()], 1)
        rates = _rates(recipe, step, pace, budget[live])
        for k in range(pace):
            chosen = rows[k].view(-1)
            outputs = network(weights, x.index_select(0, chosen).view(len(live), recipe.batch, -1))
            loss = losses(outputs, y.index_select(0, chosen).view(len(live), recipe.batch))
            slopes = torch.autograd.grad(loss.sum(), weights)
            with torch.no_grad():
                if step == 0:
                    first_loss = loss.clone()
                seen += loss
                step += 1
                _descend(recipe, step, rates[k], weights, slopes, moments)
                _average(recipe, step, average, weights)
        looking = (budget[live] == step) | (step == next_look)
        loss, error = evaluate(network, average, *validation)
        mean_seen = seen / (step - last_look)
        for place in looking.nonzero().flatten().tolist():
            figures = (step, float(mean_seen[place]), float(loss[place]), float(error[place]))
            curves[int(live[place])].append(figures)
        lost = ~(torch.isfinite(mean_seen) & torch.isfinite(loss) & (mean_seen < 2 * first_loss[live]))
        lost &= looking
        watched = error if recipe.watch == "error" else loss
        better = looking & ~lost & (watched < best_seen[live])
        best_seen[live[better]] = watched[better]
        best_step[live[better]] = step
        for kept, now in zip(best, average, strict=True):
            kept[live[better]] = now[better]
        diverged[live[lost]] = True
        stale = looking & (step >= recipe.least) & (step >= recipe.patience * best_step[live])
        go_on = ~(lost | stale | (budget[live] == step))
        if step == next_look:
            last_look = step
            seen.zero_()
        if not go_on.all():
            seen = seen[go_on]
            live = live[go_on]
            weights = tuple(w.detach()[go_on].requires_grad_() for w in weights)
            average, *moments = (tuple(w[go_on] for w in group) for group in (average, *moments))
    return tuple(
        Trained(
            weights=tuple(w[i].clone() for w in best),
            best_step=int(best_step[i]),
            steps=int(curve[-1][0]),
            diverged=bool(diverged[i]),
            curve=dict(
                zip(("step", "train_loss", "loss", "error"), np.array(curve, dtype=np.float64).T, strict=True)
            ),
        )
        for i, curve in enumerate(curves)
    )


class _Order:
    """A member's endless stream of batches: its rows in one fresh random order after another."""

    def __init__(self, member: Member, batch: int) -> None:
        self.rows = torch.from_numpy(np.ascontiguousarray(member.rows, dtype=np.int64))
        self.generator = torch.Generator().manual_seed(seed_of(member.seed, "order"))
        self.batch = batch
        self.left = self.rows[:0]

    def take(self, steps: int) -> Tensor:
        """Return the next batches, int64 (steps, batch)."""
        parts, have = [self.left], len(self.left)
        while have < steps * self.batch:
            parts.append(self.rows[torch.randperm(len(self.rows), generator=self.generator)])
            have += len(self.rows)
        drawn = torch.cat(parts)
        self.left = drawn[steps * self.batch :]
        return drawn[: steps * self.batch].view(steps, self.batch)


def _rates(recipe: Recipe, step: int, pace: int, budget: Tensor) -> Tensor:
    """Return the learning rates of the next ``pace`` steps, (pace, E)."""
    after = torch.arange(step + 1, step + pace + 1, dtype=torch.float32)[:, None]
    warm = (after / max(recipe.warmup, 1)).clamp(max=1.0)
    cool = ((budget + 1 - after) / (recipe.decay * budget).clamp(min=1.0)).clamp(max=1.0)
    return recipe.learning_rate * warm * cool


def _descend(
    recipe: Recipe, step: int, rate: Tensor, weights: Weights, slopes: Weights, moments: list[Weights]
) -> None:
    """Take one optimiser step in place; ``rate`` (E,) is each member's learning rate."""
    if recipe.optimiser == "adam":
        rate = rate * ((1 - _ADAM[1] ** step) ** 0.5 / (1 - _ADAM[0] ** step))
    for w, slope, mean, square in zip(weights, slopes, *moments, strict=True):
        scale = rate.view(-1, *[1] * (w.dim() - 1))
        if recipe.optimiser == "sgd":
            mean.mul_(recipe.momentum).add_(slope)
            w.sub_(mean * scale)
        else:
            mean.lerp_(slope, 1 - _ADAM[0])
            square.mul_(_ADAM[1]).addcmul_(slope, slope, value=1 - _ADAM[1])
            move = square.sqrt().add_(1e-8)
            torch.div(mean, move, out=move)
            w.sub_(move.mul_(scale))


def _average(recipe: Recipe, step: int, average: Weights, weights: Weights) -> None:
    """Move the averaged weights towards the weights, in place."""
    share = min(1.0, 1 / (recipe.average * step)) if recipe.average else 1.0
    for mean, w in zip(average, weights, strict=True):
        mean.lerp_(w, share)
