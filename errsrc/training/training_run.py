"""A call of the training loop in progress, with its steps, evaluations and learning curves."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc.nets.network import Weights
from errsrc.training import distributed
from errsrc.training.call import TrainingCall
from errsrc.training.descent import MinibatchDescent
from errsrc.training.lbfgs import LBFGS
from errsrc.training.members import Trained
from errsrc.training.optimiser import Optimiser
from errsrc.training.risk import evaluate, training_objective

_MAX_BATCH_ROWS = 2**24  # rows of coming batches in memory
_MAX_TRAIN_LOSS_ROWS = 2**16  # rows of a member that its final training loss is computed on

# Names in checkpoints, by names here; files of version 0.1.0 have them.
_CHECKPOINT_NAMES = {
    "last_evaluation": "last_look",
    "active": "live",
    "loss_sum": "seen",
    "reference_loss": "hopeless",
    "best_weights": "best",
    "best_metric": "best_seen",
    "rewind_weights": "early",
}


@dataclass(eq=False)
class TrainingProgress:
    """The progress of a call of `errsrc.training.train`, without the state of its optimiser.

    The call began with E networks.  K of these networks are active: their training has not ended.

    Attributes
    ----------
    step, last_evaluation
        Number of steps taken, and the step of the last evaluation.
    active
        Indices of the active networks among all E networks, int64 (K,).
    loss_sum
        Sum of the batch losses of each active network since the last evaluation, (K,).
    reference_loss
        Loss that defines divergence, (E,): the loss of the first batch or the loss of outputs that are all 0,
        whichever is larger.  See `Trained.diverged`.
    best_weights, best_metric, best_step
        Weights (E, P), loss or error (E,), and step, int64 (E,), of the best evaluation of each network.
    diverged
        Whether the training of each network has diverged, bool (E,).
    rewind_weights
        Weights for `Trained.rewind_weights`, (E, P).
    curves
        The learning curve of each network: a list with a tuple of numbers for each evaluation.
    """

    step: int
    last_evaluation: int
    active: Tensor
    loss_sum: Tensor
    reference_loss: Tensor
    best_weights: Tensor
    best_metric: Tensor
    best_step: Tensor
    diverged: Tensor
    rewind_weights: Tensor
    curves: list[list[tuple[float, ...]]]

    def state(self) -> dict[str, Any]:
        """Return the attributes as a dict; its keys are the names that the attributes have in checkpoints."""
        return {_CHECKPOINT_NAMES.get(name, name): value for name, value in vars(self).items()}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Self:
        """Return the progress that was saved as a dict.

        Parameters
        ----------
        state : dict
            A dict that the method `state` has returned, such as the dict in a checkpoint.
        """
        return cls(**{f.name: state[_CHECKPOINT_NAMES.get(f.name, f.name)] for f in fields(cls)})


class TrainingRun:
    """A call of `errsrc.training.train` in progress.

    Parameters
    ----------
    call : TrainingCall
        Arguments that have been checked.
    saved : dict, optional
        Content of a checkpoint of the same call.  If given, training continues from it.
    """

    def __init__(self, call: TrainingCall, saved: dict[str, Any] | None) -> None:
        device = call.x.device
        self.call = call
        self.rows = [_on_device(member.rows, device) for member in call.members]
        self.evaluated_rows = [
            own if m.validation is None else _on_device(m.validation, device)
            for own, m in zip(self.rows, call.members, strict=True)
        ]
        self.budget = torch.tensor([member.steps for member in call.members], device=device)
        pruned = None if call.masks is None else tuple(~mask.to(device) for mask in call.masks)
        weights = self._initial_weights(pruned)
        self.optimiser = self._make_optimiser(weights, pruned)
        if saved is None:
            self.progress = self._first_progress(call.network.flatten(weights))
        else:
            self.progress = TrainingProgress.of_state(_moved(saved["progress"], device))
            self.optimiser.restore(_moved(saved["descent"], device), self.progress.active)

    def _initial_weights(self, pruned: Weights | None) -> Weights:
        """Return the initial weights on the device, 0 where they are pruned."""
        call = self.call
        weights = call.initial_weights
        if weights is None:
            weights = call.network.draw([m.seed for m in call.members], dtype=call.x.dtype)
        weights = tuple(w.to(call.x.device) for w in weights)
        if pruned is None:
            return weights
        return tuple(w.masked_fill(mask, 0.0) for w, mask in zip(weights, pruned, strict=True))

    def _make_optimiser(self, weights: Weights, pruned: Weights | None) -> Optimiser:
        """Return the recipe's optimiser at the initial weights."""
        call = self.call
        if call.recipe.optimiser == "lbfgs":
            objective = training_objective(call.network, call.x, call.y, self.rows, call.recipe.loss, pruned)
            return LBFGS(objective, call.network.flatten(weights))
        seeds = [member.seed for member in call.members]
        return MinibatchDescent(
            call.network, call.x, call.y, self.rows, seeds, call.recipe, weights, pruned, call.start_step
        )

    def _first_progress(self, weights: Tensor) -> TrainingProgress:
        """Return the progress before the first step, for initial weights (E, P)."""
        call, members = self.call, len(self.call.members)
        zeros = call.x.new_zeros(members)
        return TrainingProgress(
            step=call.start_step,
            last_evaluation=call.start_step,
            active=torch.arange(members, device=call.x.device),
            loss_sum=zeros.clone(),
            reference_loss=call.loss.zero_output_loss(call.network.outputs, call.y, self.rows),
            best_weights=weights.clone(),
            best_metric=zeros + torch.inf,
            best_step=zeros.long(),
            diverged=zeros.bool(),
            rewind_weights=weights.clone(),
            curves=[[] for _ in range(members)],
        )

    def state(self) -> dict[str, Any]:
        """Return the content of a checkpoint."""
        return {"progress": self.progress.state(), "descent": self.optimiser.state()}

    def advance(self) -> None:
        """Take steps up to the next evaluation, the rewind step or the last step of a network."""
        progress, recipe = self.progress, self.call.recipe
        # all members are evaluated at the same steps; each member is also evaluated at its last step
        interval = max(recipe.evaluation_interval, progress.last_evaluation // 20)
        next_evaluation = progress.last_evaluation + interval
        budget = self.budget[progress.active]
        self._take_steps(self._step_count(next_evaluation, budget), budget)
        due = (budget == progress.step) | (progress.step == next_evaluation)
        if due.any():
            self._evaluate(due, budget == progress.step)
        if progress.step == next_evaluation:
            progress.last_evaluation = progress.step
            progress.loss_sum.zero_()

    def _step_count(self, next_evaluation: int, budget: Tensor) -> int:
        """Return the number of steps to take at once, for the active members' budgets (K,)."""
        call, step = self.call, self.progress.step
        count = min(next_evaluation, int(budget.min())) - step
        if step == call.start_step:  # the loss of the first batch is a reference
            return 1
        count = min(count, max(1, _MAX_BATCH_ROWS // (len(budget) * call.recipe.batch)))
        return min(count, call.rewind_step - step) if step < call.rewind_step else count

    def _take_steps(self, count: int, budget: Tensor) -> None:
        """Take steps, and store the loss of the first batch and the weights at the rewind step."""
        progress, call = self.progress, self.call
        is_first = progress.step == call.start_step
        self.optimiser.take_steps(progress.step, count, budget, progress.loss_sum)
        progress.step += count
        if is_first:
            progress.reference_loss = torch.maximum(progress.reference_loss, progress.loss_sum)
        if call.start_step < progress.step <= call.rewind_step:
            progress.rewind_weights[progress.active] = self.optimiser.weights

    def _evaluate(self, due: Tensor, out_of_steps: Tensor) -> None:
        """Evaluate the members that are due, keep the best weights, and drop the members that end.

        ``due`` and ``out_of_steps`` are bool (K,), of the active members.
        """
        progress, recipe = self.progress, self.call.recipe
        active, step = progress.active, progress.step
        weights = self.optimiser.averaged_weights
        loss, error = self._risk(weights)
        train_loss = progress.loss_sum / (step - progress.last_evaluation)
        self._extend_curves(due, train_loss, loss, error)
        diverged = due & self._has_diverged(train_loss, loss)
        progress.diverged[active[diverged]] = True
        by_error = self.call.has_validation and recipe.validation_metric == "error"
        self._keep_best(due & ~diverged, weights, error if by_error else loss)
        ends = diverged | (due & (self._is_finished(loss) | self.optimiser.stalled)) | out_of_steps
        if ends.any():
            progress.loss_sum, progress.active = progress.loss_sum[~ends], active[~ends]
            self.optimiser.keep(~ends)

    def _risk(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and error of weights (K, P) on validation or training rows, (K,) each."""
        call = self.call
        stacked = call.network.unflatten(weights)
        if call.validation is not None:
            loss, error = evaluate(call.network, stacked, *call.validation, call.recipe.loss)
        else:
            rows = [self.evaluated_rows[i] for i in self.progress.active.tolist()]
            loss, error = evaluate(call.network, stacked, call.x, call.y, call.recipe.loss, rows)
        loss, error = distributed.broadcast(torch.stack([loss, error]))
        return loss, error

    def _extend_curves(self, due: Tensor, *figures: Tensor) -> None:
        """Add a row of the step and of figures (K,) to the learning curves of the members that are due."""
        values = zip(*(figure.tolist() for figure in figures), strict=True)
        active = self.progress.active.tolist()
        for i, is_due, row in zip(active, due.tolist(), values, strict=True):
            if is_due:
                self.progress.curves[i].append((self.progress.step, *row))

    def _has_diverged(self, train_loss: Tensor, loss: Tensor) -> Tensor:
        """Return which active members have diverged, bool (K,), see `Trained.diverged`."""
        progress = self.progress
        examples = (progress.step - progress.last_evaluation) * self.call.recipe.batch
        bound = 2 * (1 + 4 / math.sqrt(examples)) * progress.reference_loss[progress.active]
        return ~(torch.isfinite(train_loss) & torch.isfinite(loss) & (train_loss <= bound))

    def _keep_best(self, candidates: Tensor, weights: Tensor, metric: Tensor) -> None:
        """Keep weights (K, P) of candidates, bool (K,), whose metric (K,) is the lowest so far."""
        progress = self.progress
        better = candidates & (metric < progress.best_metric[progress.active])
        numbers = progress.active[better]
        progress.best_metric[numbers] = metric[better]
        progress.best_step[numbers] = progress.step
        progress.best_weights[numbers] = weights[better]

    def _is_finished(self, loss: Tensor) -> Tensor | bool:
        """Return which active members stop by the recipe, bool (K,), for their losses (K,)."""
        progress, recipe = self.progress, self.call.recipe
        if not self.call.has_validation:
            return loss <= recipe.target_training_loss
        best_step = progress.best_step[progress.active]
        return (progress.step >= recipe.min_steps) & (progress.step >= recipe.patience * best_step)

    def results(self) -> tuple[Trained, ...]:
        """Return the trained networks, in the order of the call's ``members``."""
        progress, call = self.progress, self.call
        kept = call.network.unflatten(progress.best_weights)
        rewound = call.network.unflatten(progress.rewind_weights)
        rows = [own[:: -(-len(own) // _MAX_TRAIN_LOSS_ROWS)] for own in self.rows]
        train_loss, train_error = evaluate(call.network, kept, call.x, call.y, call.recipe.loss, rows)
        columns = ("step", "train_loss", "loss", "error")
        # lists, because each conversion waits for the device once, and not once for each network
        best_step, diverged = progress.best_step.tolist(), progress.diverged.tolist()
        train_losses, train_errors = train_loss.tolist(), train_error.tolist()
        return tuple(
            Trained(
                weights=tuple(w[i].clone() for w in kept),
                best_step=best_step[i],
                steps=int(curve[-1][0]),
                diverged=diverged[i],
                train_loss=train_losses[i],
                train_error=train_errors[i],
                curve=dict(zip(columns, np.array(curve, dtype=np.float64).T, strict=True)),
                rewind_weights=tuple(w[i].clone() for w in rewound),
            )
            for i, curve in enumerate(progress.curves)
        )


def _moved(content: Any, device: torch.device) -> Any:
    """Return the content of a checkpoint with the tensors of its dicts on a device."""
    if isinstance(content, dict):
        return {name: _moved(value, device) for name, value in content.items()}
    return content.to(device) if isinstance(content, Tensor) else content


def _on_device(rows: NDArray[np.int64], device: torch.device) -> Tensor:
    """Return rows as an int64 tensor on a device."""
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.int64)).to(device)
