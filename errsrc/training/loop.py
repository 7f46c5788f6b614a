"""The gradient-descent training loop: stacked members, each with its own data, seed, budget and end.

All members of a call share one network spec, one recipe and one pair of resident
arrays; each takes its own rows of the arrays, so members with data of their own are
trained at once by laying their data end to end.  A member's weights, order of
examples, schedule and stopping depend on its own fields alone, so its result does
not depend on which others are trained beside it (to rounding).  A run that is killed
goes on from its checkpoint, on the CPU to the same bits.  Processes that torchrun started
share each batch, see `errsrc.training.distributed`.

Precision and device are those of the inputs.  Seeds give the same first weights and
order of examples on every device.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks
from errsrc.nets.network import Network, Weights
from errsrc.training import checkpoint, distributed
from errsrc.training.descent import Descent
from errsrc.training.lbfgs import LBFGS
from errsrc.training.recipe import Recipe
from errsrc.training.risk import evaluate, objective, zero_risk

_HELD = 2**24  # rows of coming batches held at once
_LOOKED_AT = 2**16  # training rows that the risk is taken of at the end


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
        The weights kept, shapes ``network.shapes()``: the best by the recipe's ``validation_metric``; without
        validation those of the look at the lowest training loss.
    best_step, steps
        The step of those weights and the number of steps taken.
    diverged
        Whether the training or validation loss ceased to be finite, or the mean training loss between
        two looks exceeded twice the loss of the first batch and of outputs that are all 0, and what chance
        may add to a mean over so few examples; the member
        stopped there, and its figures are not to be averaged with others.
    train_loss, train_error
        Risk of the kept weights on the member's training rows, in units as `evaluate` has them: nats and a
        share, or squared and its root; above 2^16 rows, on every second, third, ... of them.
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
    call = _Call(network, x, y, members, validation, recipe, start, masks, begin, rewind)
    call.check()
    mark, found = "", None
    if state is not None:
        checks.number(every, "every", "train", 0)
        mark = call.identity()
        found = checkpoint.load(state, mark, "train")
    run = _Run(call, found)
    saved = time.monotonic()
    while len(run.at.live):
        if state is not None and run.at.step > begin and time.monotonic() - saved >= every:
            checkpoint.save(state, mark, run.state())
            saved = time.monotonic()
        run.advance()
    trained = run.results()
    if state is not None:
        checkpoint.remove(state)
    return trained


@dataclass(frozen=True, eq=False)
class _Call:
    """The arguments of a call of `train` that its result depends on."""

    network: Network
    x: Tensor
    y: Tensor
    members: Sequence[Member]
    validation: tuple[Tensor, Tensor] | None
    recipe: Recipe
    start: Weights | None
    masks: Weights | None
    begin: int
    rewind: int

    def identity(self) -> str:
        """Return what tells this call from another, see `errsrc.training.checkpoint`."""
        groups = (self.validation or (), self.start or (), self.masks or ())
        rows = [part for m in self.members for part in (m.rows, m.validation) if part is not None]
        budgets = [(m.steps, m.seed, m.validation is None) for m in self.members]
        lengths = [len(group) for group in groups]
        call = (self.network, self.recipe, budgets, lengths, self.begin, self.rewind)
        return checkpoint.identity(call, [self.x, self.y, *(a for group in groups for a in group), *rows])

    def check(self) -> None:
        """Raise ValueError for what does not fit together."""
        members, network, dtype = self.members, self.network, self.x.dtype
        if not members:
            raise ValueError(checks.refusal("members", "train", "one member or more", members))
        own = sum(member.validation is not None for member in members)
        if own not in (0, len(members)) or (own and self.validation is not None):
            accepted = "one set for all, or rows of their own for all members, or none"
            got = f"<{own} of {len(members)} own>"
            raise ValueError(checks.refusal("validation", "train", accepted, got))
        self._check_examples("", self.x, self.y)
        if self.validation is not None:
            self._check_examples("validation ", *self.validation)
        for name, weights, of in (("start", self.start, dtype), ("masks", self.masks, torch.bool)):
            if weights is None:
                continue
            expected = [(len(members), *shape) for shape in network.shapes()]
            if [tuple(w.shape) for w in weights] != expected or any(w.dtype != of for w in weights):
                what = "weights" if name == "start" else name
                accepted = f"{what} (E, ...) of {len(members)} members of the network, of {of}"
                got = f"<{[tuple(w.shape) for w in weights]} of {weights[0].dtype}>"
                raise ValueError(checks.refusal(name, "train", accepted, got))
        checks.integer(self.rewind, "rewind", "train", 0)
        checks.integer(self.begin, "begin", "train", 0, min(member.steps for member in members) - 1)
        if self.recipe.precision != "input" and dtype != torch.float32:
            accepted = f"'input' for inputs of {dtype}"
            raise ValueError(checks.refusal("precision", "train", accepted, self.recipe.precision))
        world = distributed.place()[1]
        if self.recipe.batch < world:
            accepted = f"an integer >= {world}, the processes that train together"
            raise ValueError(checks.refusal("batch", "train", accepted, self.recipe.batch))
        self.recipe.check_network(network, "train")

    def _check_examples(self, name: str, x: Tensor, y: Tensor) -> None:
        network = self.network
        if x.dtype not in (torch.float32, torch.float64) or x.shape[1:] != (network.inputs,):
            accepted = f"{name}inputs (N, {network.inputs}) of float32 or float64"
            raise ValueError(checks.refusal("x", "train", accepted, f"<{tuple(x.shape)} of {x.dtype}>"))
        if self.recipe.loss == "log":
            shape = str(("N", *network.positions)).replace("'", "")
            accepted = f"{name}classes {shape} of int64"
            fits = y.dtype == torch.int64 and tuple(y.shape[1:]) == network.positions
        else:
            shapes = [(network.outputs,)] if network.outputs > 1 else [(), (1,)]
            accepted = f"{name}labels (N, *{shapes[0]}) of {self.x.dtype}"
            fits = y.dtype == self.x.dtype == x.dtype and tuple(y.shape[1:]) in shapes
        if not fits or len(y) != len(x):
            raise ValueError(checks.refusal("y", "train", accepted, f"<{tuple(y.shape)} of {y.dtype}>"))


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


class _Run:
    """A call under way: where it stands, and what takes it further."""

    def __init__(self, call: _Call, found: dict[str, Any] | None) -> None:
        """Begin a call, or go on from a checkpoint of it."""
        network, x, y, members, recipe = call.network, call.x, call.y, call.members, call.recipe
        self.call, device = call, x.device
        start = call.start
        if start is None:
            start = network.draw([m.seed for m in members], dtype=x.dtype)
        pruned = None if call.masks is None else tuple(~mask.to(device) for mask in call.masks)
        start = tuple(w.to(device) for w in start)
        if pruned is not None:
            start = tuple(w.masked_fill(gone, 0.0) for w, gone in zip(start, pruned, strict=True))
        self.rows = [_rows(member.rows, device) for member in members]
        self.watched = [
            own if m.validation is None else _rows(m.validation, device)
            for own, m in zip(self.rows, members, strict=True)
        ]
        self.validated = call.validation is not None or members[0].validation is not None
        self.budget = torch.tensor([member.steps for member in members], device=device)
        first = network.flatten(start)
        self.descent: Descent | LBFGS
        if recipe.optimiser == "lbfgs":
            self.descent = LBFGS(objective(network, x, y, self.rows, recipe.loss, pruned), first)
        else:
            seeds = [member.seed for member in members]
            self.descent = Descent(network, x, y, self.rows, seeds, recipe, start, pruned, call.begin)
        if found is None:
            self.at = _Progress(
                step=call.begin,
                last_look=call.begin,
                live=torch.arange(len(members), device=device),
                seen=torch.zeros(len(members), dtype=x.dtype, device=device),
                hopeless=zero_risk(network, y, self.rows, recipe.loss),
                best=first.clone(),
                best_seen=torch.full((len(members),), torch.inf, dtype=x.dtype, device=device),
                best_step=torch.zeros(len(members), dtype=torch.int64, device=device),
                diverged=torch.zeros(len(members), dtype=torch.bool, device=device),
                early=first.clone(),
                curves=[[] for _ in members],
            )
        else:
            self.at = _Progress(**{k: _moved(v, device) for k, v in found["progress"].items()})
            self.descent.restore(_moved(found["descent"], device), self.at.live)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"progress": vars(self.at), "descent": self.descent.state()}

    def advance(self) -> None:
        """Take steps up to the next that something is done at, and look where a look falls there."""
        at, call, recipe = self.at, self.call, self.call.recipe
        # looks fall at the same steps whoever is in the batch; a budget that ends between two has its own
        next_look = at.last_look + max(recipe.evaluation_interval, at.last_look // 20)
        budget = self.budget[at.live]
        pace = min(next_look, int(budget.min())) - at.step
        pace = min(pace, max(1, _HELD // (len(at.live) * recipe.batch))) if at.step > call.begin else 1
        if at.step < call.rewind:
            pace = min(pace, call.rewind - at.step)
        if isinstance(self.descent, LBFGS):
            for _ in range(pace):
                at.seen += self.descent.loss
                self.descent.step()
        else:
            at.seen += self.descent.advance(at.step, pace, budget)
        if at.step == call.begin:
            at.hopeless = torch.maximum(at.hopeless, at.seen)
        at.step += pace
        if call.begin < at.step <= call.rewind:
            at.early[at.live] = self.descent.raw
        looking = (budget == at.step) | (at.step == next_look)
        if looking.any():
            self.look(looking, budget == at.step)
        if at.step == next_look:
            at.last_look = at.step
            at.seen.zero_()

    def look(self, looking: Tensor, spent: Tensor) -> None:
        """Measure the risks, keep what is best, and drop members that are done: ``spent`` or otherwise.

        ``looking`` and ``spent`` are bool (K,), of the members that still train.
        """
        at, call, recipe = self.at, self.call, self.call.recipe
        live, step = at.live, at.step
        point = self.descent.point
        weights = call.network.unflatten(point)
        if call.validation is not None:
            loss, error = evaluate(call.network, weights, *call.validation, recipe.loss)
        else:
            watched = [self.watched[i] for i in live.tolist()]
            loss, error = evaluate(call.network, weights, call.x, call.y, recipe.loss, watched)
        loss, error = distributed.of_first(torch.stack([loss, error]))
        mean_seen = at.seen / (step - at.last_look)
        figures = zip(mean_seen.tolist(), loss.tolist(), error.tolist(), strict=True)
        for i, looks, row in zip(live.tolist(), looking.tolist(), figures, strict=True):
            if looks:
                at.curves[i].append((step, *row))
        chance = 1 + 4 / math.sqrt((step - at.last_look) * recipe.batch)  # of a mean over so few examples
        bound = 2 * chance * at.hopeless[live]
        lost = ~(torch.isfinite(mean_seen) & torch.isfinite(loss) & (mean_seen <= bound))
        lost &= looking
        chosen_by = error if self.validated and recipe.validation_metric == "error" else loss
        better = looking & ~lost & (chosen_by < at.best_seen[live])
        at.best_seen[live[better]] = chosen_by[better]
        at.best_step[live[better]] = step
        at.best[live[better]] = point[better]
        at.diverged[live[lost]] = True
        if self.validated:
            done = (step >= recipe.min_steps) & (step >= recipe.patience * at.best_step[live])
        else:
            done = loss <= recipe.target_training_loss
        go_on = ~(lost | (looking & (done | self.descent.stuck)) | spent)
        if not go_on.all():
            at.seen, at.live = at.seen[go_on], live[go_on]
            self.descent.keep(go_on)

    def results(self) -> tuple[Trained, ...]:
        """Return what was trained."""
        at, call = self.at, self.call
        kept, early = call.network.unflatten(at.best), call.network.unflatten(at.early)
        looked_at = [rows[:: -(-len(rows) // _LOOKED_AT)] for rows in self.rows]
        train_loss, train_error = evaluate(call.network, kept, call.x, call.y, call.recipe.loss, looked_at)
        columns = ("step", "train_loss", "loss", "error")
        return tuple(
            Trained(
                weights=tuple(w[i].clone() for w in kept),
                best_step=int(at.best_step[i]),
                steps=int(curve[-1][0]),
                diverged=bool(at.diverged[i]),
                train_loss=float(train_loss[i]),
                train_error=float(train_error[i]),
                curve=dict(zip(columns, np.array(curve, dtype=np.float64).T, strict=True)),
                early=tuple(w[i].clone() for w in early),
            )
            for i, curve in enumerate(at.curves)
        )


def _moved(content: Any, device: torch.device) -> Any:
    """Return what a checkpoint holds, with its tensors on a device."""
    if isinstance(content, dict):
        return {name: _moved(value, device) for name, value in content.items()}
    return content.to(device) if isinstance(content, Tensor) else content


def _rows(rows: NDArray[np.int64], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.int64)).to(device)
