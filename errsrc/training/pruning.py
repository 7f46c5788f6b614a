"""Iterative pruning of many networks at once, with rewinding of weights or of the learning rate.

A round removes the remaining weights with the smallest scores, by default the smallest magnitudes, of each
network, and trains the network again.  `errsrc.training.criteria` has the other scores.
`errsrc.training.masks` says which weights may be pruned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from errsrc import checks
from errsrc.fields import Checked, choice, declare, integer, number
from errsrc.nets.network import Network, Weights
from errsrc.training.checkpoint import (
    call_identity,
    read_checkpoint,
    remove_checkpoint,
    write_checkpoint,
)
from errsrc.training.criteria import CriterionName, check_criterion, next_masks
from errsrc.training.loop import train
from errsrc.training.masks import prunable
from errsrc.training.members import Member, Trained
from errsrc.training.recipe import Recipe
from errsrc.training.risk import evaluate, has_constant_outputs


@dataclass(frozen=True)
class Rounds(Checked):
    """Options of iterative pruning.

    Attributes
    ----------
    pruned_fraction
        Fraction of the remaining weights that each round removes, in (0, 1); 0.2 as in Frankle and Carbin
        2019 (arXiv 1803.03635).
    max_rounds
        Largest number of rounds, >= 0.
    error_factor
        The pruning of a network ends when its error is at least ``error_factor`` times the error of the
        unpruned network; >= 1.  Pruning also ends if the training diverges, or if only one weight is left.
    rewinding
        Values of the remaining weights at the start of a round's training (Renda et al. 2020, arXiv
        2003.02389).  With "weights", these are the values at the step ``rewind_step`` of the first training.
        With "rate", the values do not change.  In both cases, the schedule of the learning rate goes back to
        ``rewind_step``.
    rewind_step
        The step to rewind to, >= 0 and below the number of steps of every network.  Choose an early step.
    criterion
        The scores of the weights; each round keeps the weights with the largest scores.  "magnitude": the
        magnitudes at the end of the last training.  "synflow": the synaptic flow of the values at the start
        of the next training (`errsrc.training.synflow_masks`).  With rewinding "weights" and
        ``rewind_step=0``, this is the published pruning of initial weights, which uses no data.  Or the
        name of your own function, such as "mylab.scores:fisher", in a module that the command names.  The
        function takes the network and its trained weights, tensors (E, ...) of E networks, and returns
        scores of the same shapes.

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
    criterion: str = declare(CriterionName(), "magnitude")

    def density(self, level: int) -> float:
        """Return the share of prunable weights that remain after a number of rounds.

        The number of weights left in a network is this share of its prunable weights, rounded to a whole
        number.

        Parameters
        ----------
        level : int
            Number of rounds, >= 0.
        """
        return (1 - self.pruned_fraction) ** level


@dataclass(frozen=True)
class PruningLevel:
    """Measurements of one network after a number of rounds of pruning.

    Attributes
    ----------
    level
        Number of rounds of pruning; 0 is the unpruned network.
    remaining
        Number of prunable weights that are left.
    density
        Number of prunable weights that are left, divided by the number of all prunable weights.
    error, loss
        Error and loss on the test examples, see `errsrc.training.evaluate`.  With the recipe's loss "log",
        the error is the share of wrong classes, and the loss is the cross-entropy in nats.  With "squared",
        the error is the root of the mean squared error, and the loss is the mean squared error.
    validation_error, validation_loss
        Error and loss on the validation examples, with the weights that the training returned.  Without
        validation, they are measured on the training rows.
    train_error, train_loss
        Error and loss on the training rows, with the weights that the training returned.
    steps
        Number of training steps in this round alone.
    diverged
        True if the training failed.  If so, the pruning of the network ended.
    dead_layers
        Number of layers (prunable weight tensors) that have no weights left.
    constant
        True if the outputs are the same for all test examples.  There are two possible reasons.  Either
        pruning has cut every path from the inputs to the outputs, for example because the last layer has no
        weights left, or the training has failed.  The laws of pruning leave out such a level.
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
    dead_layers: int = 0
    constant: bool = False


@dataclass(frozen=True, eq=False)
class PrunedNetwork:
    """One network with the results of all rounds of its pruning.

    Attributes
    ----------
    levels
        Measurements after each round; the first entry is the unpruned network.
    weights
        Weights after the last round, tensors of the shapes ``network.shapes()``.
    masks
        Masks after the last round, bool tensors of the same shapes.  The masks are False where weights are
        pruned.
    """

    levels: tuple[PruningLevel, ...]
    weights: Weights
    masks: Weights


def prune(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    rounds: Rounds,
    test: tuple[Tensor, Tensor],
    checkpoint_path: Path | None = None,
) -> tuple[PrunedNetwork, ...]:
    """Train several networks, then prune and train them again in each round, and return the pruned networks.

    Parameters
    ----------
    network : Network
        The architecture of all networks.
    x : tensor (N, inputs)
        Inputs of all networks, float32 or float64.  `Member.rows` are rows of this array.
    y : tensor
        Labels, see `errsrc.training.train`.
    members : sequence of Member
        The networks to train: the rows, number of steps and seed of each network.
    validation : (tensor, tensor), optional
        Inputs and labels that decide which weights are kept in each training, see `errsrc.training.train`.
        The weights of the best evaluation are pruned.
    recipe : Recipe
        Options of training.
    rounds : Rounds
        Options of pruning.
    test : (tensor, tensor)
        Test inputs (T, inputs) and labels (T, ...).  The errors on these examples are reported, and decide
        when pruning ends.
    checkpoint_path : Path, optional
        File to which the results of all finished rounds are written.  If the file exists, pruning continues
        from it.  The training of the current round has a checkpoint of its own: a file with ".level" appended
        to this name.  Both files are removed at the end.

    Returns
    -------
    tuple of PrunedNetwork
        The pruned networks, in the order of `members`.

    Raises
    ------
    ValueError
        If `errsrc.training.train` would raise the error for these arguments, or if ``rounds.rewind_step`` is
        not below every member's number of steps.  Also if ``rounds.criterion`` is not found, or has no
        meaning for the network.

    Notes
    -----
    Cost: one training of the unpruned networks, and one training for each round.
    """
    if members and rounds.rewind_step >= min(member.steps for member in members):
        accepted = f"an integer < {min(member.steps for member in members)}, the steps of training"
        raise ValueError(checks.refusal("rewind_step", "Rounds", accepted, rounds.rewind_step))
    check_criterion(rounds.criterion, network)
    pruning = _Pruning(network, x, y, members, validation, recipe, rounds, test)
    if checkpoint_path is None:
        progress = pruning.first_progress()
        while not pruning.is_finished(progress):
            pruning.add_level(progress, None)
        return progress.results()
    identity = pruning.identity()
    saved = read_checkpoint(checkpoint_path, identity, "checkpoint_path", "prune")
    progress = pruning.first_progress() if saved is None else _PruningProgress.of_state(saved)
    while not pruning.is_finished(progress):
        pruning.add_level(progress, checkpoint_path.with_name(f"{checkpoint_path.name}.level"))
        write_checkpoint(checkpoint_path, identity, progress.state())
    remove_checkpoint(checkpoint_path)
    return progress.results()


@dataclass(eq=False)
class _PruningProgress:
    """The progress of a call of `prune`: an entry for each member, with tensors on the CPU.

    Attributes
    ----------
    levels
        The finished levels.
    weights, masks
        Weights and masks of the last level.
    rewind_weights
        The weights to rewind to.
    active
        Numbers of the members whose pruning has not ended.
    level
        Number of the next level.
    """

    levels: list[list[PruningLevel]]
    weights: list[Weights]
    masks: list[Weights]
    rewind_weights: list[Weights]
    active: list[int]
    level: int

    def state(self) -> dict[str, Any]:
        """Return the content of a checkpoint, under the names of version 0.1.0."""
        return {
            "weights": self.weights,
            "masks": self.masks,
            "early": self.rewind_weights,
            "live": self.active,
            "done": self.level,
            "levels": [[asdict(level) for level in levels] for levels in self.levels],
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Self:
        """Return the progress that a checkpoint holds."""
        levels = [[PruningLevel(**figures) for figures in levels] for levels in state["levels"]]
        parts = (state[name] for name in ("weights", "masks", "early", "live", "done"))
        return cls(levels, *parts)

    def results(self) -> tuple[PrunedNetwork, ...]:
        """Return the pruned members."""
        members = zip(map(tuple, self.levels), self.weights, self.masks, strict=True)
        return tuple(PrunedNetwork(*member) for member in members)


@dataclass(frozen=True, eq=False)
class _Pruning:
    """The arguments of a call of `prune`, and its steps."""

    network: Network
    x: Tensor
    y: Tensor
    members: Sequence[Member]
    validation: tuple[Tensor, Tensor] | None
    recipe: Recipe
    rounds: Rounds
    test: tuple[Tensor, Tensor]

    def identity(self) -> str:
        """Return a hash that identifies this call, see `errsrc.training.checkpoint`."""
        budgets = [(m.steps, m.seed, m.validation is None) for m in self.members]
        rows = [part for m in self.members for part in (m.rows, m.validation) if part is not None]
        call = (self.network, self.recipe, self.rounds, budgets, self.validation is None)
        return call_identity(call, [self.x, self.y, *(self.validation or ()), *self.test, *rows])

    def first_progress(self) -> _PruningProgress:
        """Return the progress before the first training."""
        members = range(len(self.members))
        drawn = self.network.draw([member.seed for member in self.members], dtype=self.x.dtype)
        weights = [_copied(tuple(w[i] for w in drawn)) for i in members]
        masks = [tuple(torch.ones_like(w, dtype=torch.bool) for w in own) for own in weights]
        return _PruningProgress([[] for _ in members], weights, masks, list(weights), list(members), 0)

    def is_finished(self, progress: _PruningProgress) -> bool:
        """Return whether no member is left to prune, or all rounds are done."""
        return not progress.active or progress.level > self.rounds.max_rounds

    def add_level(self, progress: _PruningProgress, checkpoint_path: Path | None) -> None:
        """Prune the active members, except at level 0, train them, and add the level to the progress."""
        level, active = progress.level, progress.active
        weights, masks, rewind_weights = (
            _stacked([own[i] for i in active], self.x.device)
            for own in (progress.weights, progress.masks, progress.rewind_weights)
        )
        start = weights if self.rounds.rewinding == "rate" else rewind_weights
        if level:
            density = self.rounds.density(level)
            masks = next_masks(self.rounds.criterion, self.network, weights, start, density, masks)
        trained = train(
            self.network,
            self.x,
            self.y,
            [self.members[i] for i in active],
            self.validation,
            self.recipe,
            start,
            masks=masks if level else None,
            start_step=self.rounds.rewind_step if level else 0,
            rewind_step=self.rounds.rewind_step,
            checkpoint_path=checkpoint_path,
        )
        kept = _stacked([one.weights for one in trained], self.x.device)
        losses, errors = evaluate(self.network, kept, *self.test, self.recipe.loss)
        constant = has_constant_outputs(self.network, kept, self.test[0]).tolist()
        for place, (i, one) in enumerate(zip(active, trained, strict=True)):
            progress.weights[i] = _copied(one.weights)
            progress.masks[i] = _copied(tuple(mask[place] for mask in masks))
            if not level:
                progress.rewind_weights[i] = _copied(one.rewind_weights)
            test = (float(errors[place]), float(losses[place]), constant[place])
            progress.levels[i].append(self._level_of(level, progress.masks[i], one, *test))
        progress.active = [i for i in active if not self._has_ended(progress.levels[i])]
        progress.level += 1

    def _level_of(
        self, level: int, masks: Weights, trained: Trained, error: float, loss: float, constant: bool
    ) -> PruningLevel:
        """Return a level of one member, from its masks, training, and test error and loss."""
        by_layer = [int(mask.sum()) for mask in masks if mask.dim() > 1]
        remaining = sum(by_layer)
        return PruningLevel(
            level=level,
            remaining=remaining,
            density=remaining / prunable(self.network),
            error=error,
            loss=loss,
            validation_error=float(trained.curve["error"][trained.best_evaluation]),
            validation_loss=float(trained.curve["loss"][trained.best_evaluation]),
            train_error=trained.train_error,
            train_loss=trained.train_loss,
            steps=trained.steps - (self.rounds.rewind_step if level else 0),
            diverged=trained.diverged,
            dead_layers=by_layer.count(0),
            constant=constant,
        )

    def _has_ended(self, levels: Sequence[PruningLevel]) -> bool:
        """Return whether a member's pruning ends after its levels so far."""
        first, last = levels[0], levels[-1]
        has_risen = last.level > 0 and last.error >= self.rounds.error_factor * first.error
        return has_risen or last.diverged or last.remaining == 1


def _stacked(members: Sequence[Weights], device: torch.device) -> Weights:
    """Return the weights of several members as tensors (E, ...) on a device."""
    return tuple(torch.stack(tensors).to(device) for tensors in zip(*members, strict=True))


def _copied(weights: Weights) -> Weights:
    """Return one member's weights as copies on the CPU."""
    return tuple(w.detach().cpu().clone() for w in weights)
