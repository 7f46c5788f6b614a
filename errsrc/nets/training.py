"""The gradient-descent training loop: stacked members, each with its own data, seed, budget and end.

All members of a call share one network spec, one recipe and one pair of resident
arrays; each takes its own rows of the arrays, so members with data of their own are
trained at once by laying their data end to end.  A member's weights, order of
examples, schedule and stopping depend on its own fields alone, so its result does
not depend on which others are trained beside it (to rounding).  A run that is killed
goes on from its checkpoint, on the CPU to the same bits.

Precision and device are those of the inputs.  Seeds give the same first weights and
order of examples on every device.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from errsrc import checks
from errsrc.nets import checkpoint
from errsrc.nets.lbfgs import LBFGS, Objective
from errsrc.nets.networks import Network, Weights
from errsrc.rng import seed_of

LOSSES = ("log", "squared")
_ADAM = (0.9, 0.999)  # decay of the two moments
_HELD = 2**24  # rows of coming batches held at once
_LOOKED_AT = 2**16  # training rows that the risk is taken of at the end


@dataclass(frozen=True)
class Recipe:
    """How to train: plain numbers, the same for every member of a call.

    Attributes
    ----------
    optimiser
        "adam" (betas 0.9 and 0.999), "sgd" (with ``momentum``), or "lbfgs": all of a member's rows in
        each step and a line search of its own, for small networks; schedule, batch, momentum and average
        then do not apply, and a member that finds no lower training loss ends at the next look.
    learning_rate
        Peak learning rate, reached linearly over ``warmup`` steps.
    decay
        Share of a member's budget of steps, at its end, over which the rate falls to 0: 1 falls all the
        way, a small share is warmup, stable rate and decay.
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
    loss
        "log": cross-entropy in nats, of int64 class labels, a mean over the network's
        ``positions``; "squared": squared error summed over outputs, of labels of the inputs' dtype.
    floor
        Without validation, a member ends at the first look at a training loss of at most this.
    fall
        How the rate falls over ``decay``: "linear", or as half a "cosine".
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
    loss: str = "log"
    floor: float = 0.0
    fall: str = "linear"

    def __post_init__(self) -> None:
        checks.choice(self.optimiser, "optimiser", "Recipe", ("adam", "sgd", "lbfgs"))
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
        checks.choice(self.loss, "loss", "Recipe", LOSSES)
        checks.number(self.floor, "floor", "Recipe", 0)
        checks.choice(self.fall, "fall", "Recipe", ("linear", "cosine"))


@dataclass(frozen=True, eq=False)
class Member:
    """One network to train.

    Attributes
    ----------
    rows
        Its training rows of the resident arrays, (n,).
    steps
        The most steps that it takes.
    seed
        Of its first weights and its order of examples.
    validation
        Its validation rows of the resident arrays, (V,), where it has its own.
    """

    rows: NDArray[np.int64]
    steps: int
    seed: int
    validation: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if len(self.rows) == 0:
            raise ValueError(checks.refusal("rows", "Member", "one row or more", self.rows))
        checks.integer(self.steps, "steps", "Member", 1)
        checks.integer(self.seed, "seed", "Member", 0)
        if self.validation is not None and len(self.validation) == 0:
            raise ValueError(checks.refusal("validation", "Member", "one row or more", self.validation))


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained member.

    Attributes
    ----------
    weights
        The weights kept, shapes ``network.shapes()``: the best by the recipe's ``watch`` on validation;
        without validation those of the look at the lowest training loss.
    best_step, steps
        The step of those weights and the number of steps taken.
    diverged
        Whether the training or validation loss ceased to be finite, or the mean training loss between
        two looks exceeded twice the loss of the first batch and of outputs that are all 0, and what chance
        may add to a mean over so few examples; the member
        stopped there, and its figures are not to be averaged with others.
    train_loss, train_error
        Risk of the kept weights on the member's training rows; above 2^16 rows, on every second, third, ...
        of them.
    curve
        Columns of the learning curve, a row a look: "step", "train_loss" (mean over the steps since the
        last look, raw weights), "loss" and "error" on validation, or else on the training rows (the
        averaged weights).
    early
        The weights at the step that `train` was told as ``rewind``, not averaged; those of the member's
        end where it ended before.
    """

    weights: Weights
    best_step: int
    steps: int
    diverged: bool
    train_loss: float
    train_error: float
    curve: dict[str, NDArray[np.float64]]
    early: Weights

    @property
    def best(self) -> int:
        """The row of ``curve`` at which ``weights`` were kept."""
        return int(np.searchsorted(self.curve["step"], self.best_step))


def losses(outputs: Tensor, y: Tensor, loss: str = "log") -> Tensor:
    """Return each member's mean loss, (E,).

    Parameters
    ----------
    outputs
        (E, B, *positions, outputs).
    y
        Labels (E, B, *positions), or (B, *positions) for all members; for "squared" also (E, B, outputs).
    loss
        See `Recipe`.
    """
    return _each(outputs, y, loss).mean(1)


def _each(outputs: Tensor, y: Tensor, loss: str) -> Tensor:
    """Return the loss of each example, (E, B)."""
    if loss == "log":
        flat = functional.cross_entropy(
            outputs.flatten(0, -2), y.expand(outputs.shape[:-1]).reshape(-1), reduction="none"
        )
        return flat.view(*outputs.shape[:2], -1).mean(2)
    return (outputs - (y if y.dim() == 3 else y.unsqueeze(-1))).square().sum(2)


@torch.no_grad()
def evaluate(
    network: Network,
    weights: Weights,
    x: Tensor,
    y: Tensor,
    loss: str = "log",
    rows: Sequence[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return each member's mean loss and error on examples, (E,) and (E,).

    Parameters
    ----------
    network, weights
        The members.
    x, y
        (N, inputs); (N,) or (N, outputs).
    loss
        See `Recipe`.  The error is the error rate for "log", and the root of the mean squared error, in
        the labels' unit, for "squared".
    rows
        Each member's own rows of x and y, int64; all of them for every member without it.
    """
    members = len(weights[0])
    total, wrong = torch.zeros((2, members), dtype=x.dtype, device=x.device)
    if rows is None:
        counts = torch.full_like(total, len(y))
        width = _width(y, loss)
        for part, labels in zip(x.split(width), y.split(width), strict=True):
            outputs = network(weights, part)
            total += losses(outputs, labels[None], loss) * len(labels)
            if loss == "log":
                wrong += _wrong(outputs, labels).sum(1)
    else:
        counts = torch.tensor([len(own) for own in rows], dtype=x.dtype, device=x.device)
        for members_left, index, real in _parts(rows, _width(y, loss)):
            outputs = network(tuple(w[members_left] for w in weights), _take(x, index))
            labels = _take(y, index)
            total[members_left] += (_each(outputs, labels, loss) * real).sum(1)
            if loss == "log":
                wrong[members_left] += (_wrong(outputs, labels) * real).sum(1)
    total /= counts
    return total, (wrong / counts if loss == "log" else total.sqrt())


def _wrong(outputs: Tensor, y: Tensor) -> Tensor:
    """Return the share of each example's positions whose class is not the likeliest, (E, B)."""
    return (outputs.argmax(-1) != y).to(outputs.dtype).view(*outputs.shape[:2], -1).mean(2)


def _width(y: Tensor, loss: str) -> int:
    """Return how many examples are looked at at once: 500 predictions a member."""
    return max(1, 500 // (y.shape[1:].numel() if loss == "log" else 1))


def _parts(rows: Sequence[Tensor], width: int = 500) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield (members (K,), rows (K, B), whether it is a row (K, B)) until all rows of all have come."""
    lengths = torch.tensor([len(own) for own in rows])
    device = rows[0].device
    for start in range(0, int(lengths.max()), width):
        left = (lengths > start).nonzero().flatten()
        index = pad_sequence([rows[i][start : start + width] for i in left.tolist()], batch_first=True)
        real = torch.arange(index.shape[1]) < (lengths[left] - start)[:, None]
        yield left.to(device), index, real.to(device)


def _take(array: Tensor, index: Tensor) -> Tensor:
    """Return rows of an array, (E, B, ...), for an index (E, B)."""
    return array.index_select(0, index.reshape(-1)).view(*index.shape, *array.shape[1:])


@dataclass(eq=False)
class _Progress:
    """Where a call of `train` stands, beside its descent.

    Of all E members: ``best`` (E, P) and ``early`` (E, P) weights, ``best_seen``, ``best_step``,
    ``diverged`` (E,), ``hopeless`` losses (E,), rows of the curves.  Of those that still train: their
    numbers ``live`` and the losses ``seen`` since the last look.
    """

    step: int
    last_look: int
    live: Tensor
    seen: Tensor
    hopeless: Tensor
    best: Tensor
    best_seen: Tensor
    best_step: Tensor
    diverged: Tensor
    early: Tensor
    curves: list[list[tuple[float, ...]]]


def train(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    start: Weights | None = None,
    *,
    masks: Weights | None = None,
    begin: int = 0,
    rewind: int = 0,
    state: Path | None = None,
    every: float = 60.0,
) -> tuple[Trained, ...]:
    """Train all members at once and return them in the same order.

    Parameters
    ----------
    network
        The architecture all members share.
    x, y
        Resident arrays that the members' rows index: float32 or float64 (N, inputs); int64 (N, *positions)
        for the recipe's loss "log", x's dtype (N,) or (N, outputs) for "squared".
    members
        What differs from one to the next.
    validation
        (V, inputs) and (V,) or (V, outputs), the same for all: chooses each member's stopping time and
        weights.  None where the members have validation rows of their own, or none at all: then they are
        looked at on their training rows, and train until their budget of steps, or the recipe's floor.
    recipe
        What they share.
    start
        First weights (E, ...), instead of those drawn from the members' seeds.
    masks
        bool (E, ...) of the weights' shapes: weights where it is False are exactly 0 at every step, and
        so are their averages.
    begin
        The step that training begins at, less than every budget: schedule and order of examples are
        those from there on; moments and average begin anew.
    rewind
        The step whose weights are returned as `Trained.early`; the first weights, if not after ``begin``.
    state
        A file to write checkpoints to, and to go on from where there is one already.  It's removed once
        training is over.
    every
        Seconds from one checkpoint to the next, at least; they fall between looks, or at them.

    Raises
    ------
    ValueError
        For arrays that do not fit the network or the loss, or only some members with validation rows;
        for a ``state`` that is not a checkpoint of the same call.

    Notes
    -----
    Cost: 6 x parameters x batch flops a member and step (4 x in the first layer), and
    2 x parameters x V a look.  Members that end leave the batch at that look.
    """
    _check(network, x, y, members, validation, recipe, start, masks, begin, rewind)
    device = x.device
    mark, found = "", None
    if state is not None:
        checks.number(every, "every", "train", 0)
        mark = _identity(network, x, y, members, validation, recipe, start, masks, begin, rewind)
        found = checkpoint.load(state, mark, "train")
    if start is None:
        start = network.draw([m.seed for m in members], dtype=x.dtype)
    pruned = None if masks is None else tuple(~mask.to(device) for mask in masks)
    start = tuple(w.to(device) for w in start)
    if pruned is not None:
        start = tuple(w.masked_fill(gone, 0.0) for w, gone in zip(start, pruned, strict=True))
    own = [_rows(member.rows, device) for member in members]
    watched = [own[i] if m.validation is None else _rows(m.validation, device) for i, m in enumerate(members)]
    validated = validation is not None or members[0].validation is not None
    first = network.flatten(start)
    descent: _Descent | LBFGS
    if recipe.optimiser == "lbfgs":
        descent = LBFGS(_objective(network, x, y, own, recipe.loss, pruned), first)
    else:
        descent = _Descent(network, x, y, own, members, recipe, start, pruned, begin)
    if found is None:
        at = _Progress(
            step=begin,
            last_look=begin,
            live=torch.arange(len(members), device=device),
            seen=torch.zeros(len(members), dtype=x.dtype, device=device),
            hopeless=_hopeless(network, y, own, recipe.loss),
            best=first.clone(),
            best_seen=torch.full((len(members),), torch.inf, dtype=x.dtype, device=device),
            best_step=torch.zeros(len(members), dtype=torch.int64, device=device),
            diverged=torch.zeros(len(members), dtype=torch.bool, device=device),
            early=first.clone(),
            curves=[[] for _ in members],
        )
    else:
        at = _Progress(**{k: _moved(v, device) for k, v in found["progress"].items()})
        descent.restore(_moved(found["descent"], device), at.live)
    budget = torch.tensor([member.steps for member in members], device=device)
    saved = time.monotonic()
    while len(at.live):
        if state is not None and at.step > begin and time.monotonic() - saved >= every:
            checkpoint.save(state, mark, {"progress": vars(at), "descent": descent.state()})
            saved = time.monotonic()
        live = at.live
        # looks fall at the same steps whoever is in the batch; a budget that ends between two has its own
        next_look = at.last_look + max(recipe.look, at.last_look // 20)
        pace = min(next_look, int(budget[live].min())) - at.step
        pace = min(pace, max(1, _HELD // (len(live) * recipe.batch))) if at.step > begin else 1
        if at.step < rewind:
            pace = min(pace, rewind - at.step)
        if isinstance(descent, LBFGS):
            for _ in range(pace):
                at.seen += descent.loss
                descent.step()
        else:
            at.seen += descent.advance(at.step, pace, budget[live])
        if at.step == begin:
            at.hopeless = torch.maximum(at.hopeless, at.seen)
        at.step += pace
        step = at.step
        if begin < step <= rewind:
            at.early[live] = descent.raw
        looking = (budget[live] == step) | (step == next_look)
        if not looking.any():
            continue
        point = descent.point
        weights = network.unflatten(point)
        if validation is not None:
            loss, error = evaluate(network, weights, *validation, recipe.loss)
        else:
            loss, error = evaluate(network, weights, x, y, recipe.loss, [watched[i] for i in live.tolist()])
        mean_seen = at.seen / (step - at.last_look)
        figures = zip(mean_seen.tolist(), loss.tolist(), error.tolist(), strict=True)
        for i, looks, row in zip(live.tolist(), looking.tolist(), figures, strict=True):
            if looks:
                at.curves[i].append((step, *row))
        chance = 1 + 4 / math.sqrt((step - at.last_look) * recipe.batch)  # of a mean over so few examples
        bound = 2 * chance * at.hopeless[live]
        lost = ~(torch.isfinite(mean_seen) & torch.isfinite(loss) & (mean_seen <= bound))
        lost &= looking
        chosen_by = error if validated and recipe.watch == "error" else loss
        better = looking & ~lost & (chosen_by < at.best_seen[live])
        at.best_seen[live[better]] = chosen_by[better]
        at.best_step[live[better]] = step
        at.best[live[better]] = point[better]
        at.diverged[live[lost]] = True
        if validated:
            done = (step >= recipe.least) & (step >= recipe.patience * at.best_step[live])
        else:
            done = loss <= recipe.floor
        go_on = ~(lost | (looking & (done | descent.stuck)) | (budget[live] == step))
        if step == next_look:
            at.last_look = step
            at.seen.zero_()
        if not go_on.all():
            at.seen, at.live = at.seen[go_on], live[go_on]
            descent.keep(go_on)
    kept, early = network.unflatten(at.best), network.unflatten(at.early)
    looked_at = [rows[:: -(-len(rows) // _LOOKED_AT)] for rows in own]
    train_loss, train_error = evaluate(network, kept, x, y, recipe.loss, looked_at)
    if state is not None:
        state.unlink(missing_ok=True)
    return tuple(
        Trained(
            weights=tuple(w[i].clone() for w in kept),
            best_step=int(at.best_step[i]),
            steps=int(curve[-1][0]),
            diverged=bool(at.diverged[i]),
            train_loss=float(train_loss[i]),
            train_error=float(train_error[i]),
            curve=dict(
                zip(("step", "train_loss", "loss", "error"), np.array(curve, dtype=np.float64).T, strict=True)
            ),
            early=tuple(w[i].clone() for w in early),
        )
        for i, curve in enumerate(at.curves)
    )


def _moved(content: Any, device: torch.device) -> Any:
    """Return what a checkpoint holds, with its tensors on a device."""
    if isinstance(content, dict):
        return {name: _moved(value, device) for name, value in content.items()}
    return content.to(device) if isinstance(content, Tensor) else content


def _identity(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    start: Weights | None,
    masks: Weights | None,
    begin: int,
    rewind: int,
) -> str:
    """Return the identity of a call, see `errsrc.nets.checkpoint`."""
    groups = (validation or (), start or (), masks or ())
    rows = [part for m in members for part in (m.rows, m.validation) if part is not None]
    budgets = [(m.steps, m.seed, m.validation is None) for m in members]
    call = (network, recipe, budgets, [len(group) for group in groups], begin, rewind)
    return checkpoint.identity(call, [x, y, *(array for group in groups for array in group), *rows])


def _check(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    start: Weights | None,
    masks: Weights | None,
    begin: int,
    rewind: int,
) -> None:
    if not members:
        raise ValueError(checks.refusal("members", "train", "one member or more", members))
    own = sum(member.validation is not None for member in members)
    if own not in (0, len(members)) or (own and validation is not None):
        accepted = "one set for all, or rows of their own for all members, or none"
        raise ValueError(checks.refusal("validation", "train", accepted, f"<{own} of {len(members)} own>"))
    for name, inputs, labels in (("", x, y), *((("validation ", *validation),) if validation else ())):
        if inputs.dtype not in (torch.float32, torch.float64) or inputs.shape[1:] != (network.inputs,):
            accepted = f"{name}inputs (N, {network.inputs}) of float32 or float64"
            got = f"<{tuple(inputs.shape)} of {inputs.dtype}>"
            raise ValueError(checks.refusal("x", "train", accepted, got))
        if recipe.loss == "log":
            shape = str(("N", *network.positions)).replace("'", "")
            accepted = f"{name}classes {shape} of int64"
            fits = labels.dtype == torch.int64 and tuple(labels.shape[1:]) == network.positions
        else:
            shapes = [(network.outputs,)] if network.outputs > 1 else [(), (1,)]
            accepted = f"{name}labels (N, *{shapes[0]}) of {x.dtype}"
            fits = labels.dtype == x.dtype == inputs.dtype and tuple(labels.shape[1:]) in shapes
        if not fits or len(labels) != len(inputs):
            got = f"<{tuple(labels.shape)} of {labels.dtype}>"
            raise ValueError(checks.refusal("y", "train", accepted, got))
    if start is not None:
        expected = [(len(members), *shape) for shape in network.shapes()]
        if [tuple(w.shape) for w in start] != expected or any(w.dtype != x.dtype for w in start):
            accepted = f"weights (E, ...) of {len(members)} members of the network, of {x.dtype}"
            got = f"<{[tuple(w.shape) for w in start]} of {start[0].dtype}>"
            raise ValueError(checks.refusal("start", "train", accepted, got))
    if masks is not None:
        expected = [(len(members), *shape) for shape in network.shapes()]
        if [tuple(w.shape) for w in masks] != expected or any(w.dtype != torch.bool for w in masks):
            accepted = f"masks (E, ...) of {len(members)} members of the network, of torch.bool"
            got = f"<{[tuple(w.shape) for w in masks]} of {masks[0].dtype}>"
            raise ValueError(checks.refusal("masks", "train", accepted, got))
    checks.integer(rewind, "rewind", "train", 0)
    checks.integer(begin, "begin", "train", 0, min(member.steps for member in members) - 1)


def _rows(rows: NDArray[np.int64], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.int64)).to(device)


def _hopeless(network: Network, y: Tensor, rows: Sequence[Tensor], loss: str) -> Tensor:
    """Return each member's training loss for outputs that are all 0, (E,)."""
    if loss == "log":
        return torch.full((len(rows),), math.log(network.outputs), device=y.device)
    squares = y.square() if y.dim() == 1 else y.square().sum(1)
    return torch.stack([squares[own].mean() for own in rows])


def _head(outputs: Tensor, y: Tensor, loss: str, share: Tensor) -> tuple[Tensor, Tensor]:
    """Return each member's losses weighted by ``share`` and summed, (E,), and the slopes by the outputs.

    ``share`` is (E, B) or (1, 1); the slopes have the outputs' shape.
    """
    if loss == "log":
        slope = torch.log_softmax(outputs, -1)
        classes = y.unsqueeze(-1)
        each = -slope.gather(-1, classes).view(*y.shape[:2], -1).mean(2)
        less = slope.new_full([1] * slope.dim(), -1.0).expand_as(classes)
        slope.exp_().scatter_add_(-1, classes, less)
        share_of_each = share / y.shape[2:].numel()
    else:
        slope = outputs - (y if y.dim() == 3 else y[:, :, None])
        each = slope.square().sum(2)
        share_of_each = 2 * share
    return (each * share).sum(1), slope.mul_(share_of_each.view(*share.shape, *[1] * (slope.dim() - 2)))


def _objective(
    network: Network, x: Tensor, y: Tensor, rows: Sequence[Tensor], loss: str, pruned: Weights | None
) -> Objective:
    """Return the members' training losses as functions of their weights, see `errsrc.nets.lbfgs`."""
    gone = None if pruned is None else network.flatten(pruned)

    def objective(point: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        own = [rows[i] for i in members.tolist()]
        counts = torch.tensor([len(one) for one in own], dtype=x.dtype, device=x.device)
        total, slope = torch.zeros_like(counts), torch.zeros_like(point)
        for left, index, real in _parts(own):
            weights = network.unflatten(point[left])
            out = tuple(torch.empty(w.shape, dtype=x.dtype, device=x.device) for w in weights)
            head = functools.partial(_head, y=_take(y, index), loss=loss, share=real / counts[left][:, None])
            total[left] += network.slopes(weights, _take(x, index), head, out)
            slope[left] += network.flatten(out)
        return total, slope if gone is None else slope.masked_fill_(gone[members], 0.0)

    return objective


class _Descent:
    """Gradient descent on batches: E members' weights, their average, moments and orders.

    Each of these is one buffer in which the members' first tensors come first, then their second ones:
    elementwise work is one call, and the products read and write whole tensors.  The slopes of pruned
    weights are 0, so that their moments, moves and averages are.
    """

    def __init__(
        self, network: Network, x: Tensor, y: Tensor, rows: Sequence[Tensor], members: Sequence[Member],
        recipe: Recipe, start: Weights, pruned: Weights | None, begin: int,
    ) -> None:  # fmt: skip
        self._network, self._recipe, self._x, self._y, self._begin = network, recipe, x, y, begin
        self._orders = [
            _Order(own, seed_of(member.seed, "order"), recipe.batch)
            for own, member in zip(rows, members, strict=True)
        ]
        for order in self._orders:
            order.take(begin)
        self._share = x.new_full((1, 1), 1 / recipe.batch)
        weights = torch.cat([w.flatten() for w in start])
        self._pruned = None if pruned is None else torch.cat([gone.flatten() for gone in pruned])
        moments = [torch.zeros_like(weights) for _ in range(2 if recipe.optimiser == "adam" else 1)]
        self._hold(weights, moments, weights.clone())

    def _hold(self, weights: Tensor, moments: list[Tensor], average: Tensor) -> None:
        self._weights, self._moments = weights, moments
        self._average = average if self._recipe.average else weights
        self._slope = torch.empty_like(weights)

    def _tensors(self, buffer: Tensor) -> Weights:
        """Return a buffer's tensors, (E, ...), as views."""
        members, start, tensors = len(self._orders), 0, []
        for shape in self._network.shapes():
            end = start + members * math.prod(shape)
            tensors.append(buffer[start:end].view(members, *shape))
            start = end
        return tuple(tensors)

    @property
    def point(self) -> Tensor:
        """The averaged weights, (E, P)."""
        return self._network.flatten(self._tensors(self._average))

    @property
    def raw(self) -> Tensor:
        """The weights themselves, (E, P)."""
        return self._network.flatten(self._tensors(self._weights))

    @property
    def stuck(self) -> bool:
        """False: descent never ends by itself."""
        return False

    def keep(self, mask: Tensor) -> None:
        """Drop the members outside ``mask``, bool (E,)."""

        def left(buffer: Tensor) -> Tensor:
            return torch.cat([w[mask].flatten() for w in self._tensors(buffer)])

        weights, average, *moments = map(left, (self._weights, self._average, *self._moments))
        self._pruned = None if self._pruned is None else left(self._pruned)
        self._orders = [order for order, kept in zip(self._orders, mask.tolist(), strict=True) if kept]
        self._hold(weights, moments, average)

    def state(self) -> dict[str, Any]:
        """Return all that changes from step to step."""
        return {
            "weights": self._weights,
            "moments": torch.stack(self._moments),
            "average": self._average,
            "orders": [(order.generator.get_state(), order.left.clone()) for order in self._orders],
        }

    def restore(self, state: dict[str, Any], live: Tensor) -> None:
        """Go back to a `state` of the members with the numbers ``live``."""
        self.keep(torch.isin(torch.arange(len(self._orders), device=live.device), live))
        self._hold(state["weights"], list(state["moments"]), state["average"])
        for order, (drawn, left) in zip(self._orders, state["orders"], strict=True):
            order.generator.set_state(drawn)
            order.left = left

    def advance(self, step: int, pace: int, budget: Tensor) -> Tensor:
        """Take ``pace`` steps from ``step`` and return each member's sum of batch losses, (E,)."""
        rows = torch.stack([order.take(pace) for order in self._orders], 1).to(self._x.device)
        rates = _rates(self._recipe, step, pace, budget, self._x.dtype)
        weights, slopes = self._tensors(self._weights), self._tensors(self._slope)
        seen = torch.zeros(len(budget), dtype=self._x.dtype, device=self._x.device)
        for k in range(pace):
            labels = _take(self._y, rows[k])
            head = functools.partial(_head, y=labels, loss=self._recipe.loss, share=self._share)
            seen += self._network.slopes(weights, _take(self._x, rows[k]), head, slopes)
            if self._pruned is not None:
                self._slope.masked_fill_(self._pruned, 0.0)
            taken = step + k + 1 - self._begin
            for w, move in zip(weights, self._tensors(self._move(taken)), strict=True):
                w.addcmul_(move, rates[k].view(-1, *[1] * (w.dim() - 1)), value=-1)
            if self._recipe.average:
                self._average.lerp_(self._weights, min(1.0, 1 / (self._recipe.average * taken)))
        return seen

    def _move(self, step: int) -> Tensor:
        """Return the optimiser's step of rate 1 downhill, as a buffer."""
        if self._recipe.optimiser == "sgd":
            return self._moments[0].mul_(self._recipe.momentum).add_(self._slope)
        mean, square = self._moments
        mean.lerp_(self._slope, 1 - _ADAM[0])
        square.mul_(_ADAM[1]).addcmul_(self._slope, self._slope, value=1 - _ADAM[1])
        move = square.sqrt().add_(1e-8)
        torch.div(mean, move, out=move)
        return move.mul_((1 - _ADAM[1] ** step) ** 0.5 / (1 - _ADAM[0] ** step))


class _Order:
    """A member's endless stream of batches: its rows in one fresh random order after another."""

    def __init__(self, rows: Tensor, seed: int, batch: int) -> None:
        self.rows = rows.cpu()
        self.generator = torch.Generator().manual_seed(seed)
        self.batch = batch
        self.left = self.rows[:0]

    def take(self, steps: int) -> Tensor:
        """Return the next batches, int64 (steps, batch)."""
        missing = max(steps * self.batch - len(self.left), 0)
        orders = [
            torch.randperm(len(self.rows), generator=self.generator)
            for _ in range(-(-missing // len(self.rows)))
        ]
        drawn = torch.cat([self.left, self.rows[torch.cat(orders)]]) if orders else self.left
        self.left = drawn[steps * self.batch :]
        return drawn[: steps * self.batch].view(steps, self.batch)


def _rates(recipe: Recipe, step: int, pace: int, budget: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the learning rates of the next ``pace`` steps, (pace, E)."""
    after = torch.arange(step + 1, step + pace + 1, dtype=dtype, device=budget.device)[:, None]
    warm = (after / max(recipe.warmup, 1)).clamp(max=1.0)
    cool = ((budget + 1 - after) / (recipe.decay * budget).clamp(min=1.0)).clamp(max=1.0)
    if recipe.fall == "cosine":
        cool = (1 - torch.cos(math.pi * cool)) / 2
    return recipe.learning_rate * warm * cool
