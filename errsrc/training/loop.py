"""The training loop: E members at once, each with its own data, seed and number of steps.

All members of a call share one architecture, one recipe and one pair of arrays on the device; each takes
its own rows of the arrays.  Members with different data are trained at once by concatenating their data.  A
member's initial weights, order of examples, schedule and end depend on its own fields only, so its result
does not depend on the other members, to rounding.  A run that is killed continues from its checkpoint; on the
CPU, its results have the same bits.  Processes that torchrun starts share each batch, see
`errsrc.training.distributed`.

Precision and device are those of the inputs.  Seeds give the same initial weights and order of examples on
every device.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from errsrc import checks
from errsrc.checks import Number
from errsrc.nets.network import Network, Weights
from errsrc.training.call import TrainingCall
from errsrc.training.checkpoint import read_checkpoint, remove_checkpoint, write_checkpoint
from errsrc.training.members import Member, Trained
from errsrc.training.recipe import Recipe
from errsrc.training.training_run import TrainingRun


@checks.arguments(checkpoint_seconds=Number(at_least=0))
def train(
    network: Network,
    x: Tensor,
    y: Tensor,
    members: Sequence[Member],
    validation: tuple[Tensor, Tensor] | None,
    recipe: Recipe,
    initial_weights: Weights | None = None,
    *,
    masks: Weights | None = None,
    start_step: int = 0,
    rewind_step: int = 0,
    checkpoint_path: Path | None = None,
    checkpoint_seconds: float = 60.0,
) -> tuple[Trained, ...]:
    """Train all members at once and return them in the same order.

    Parameters
    ----------
    network : Network
        The architecture of all members.
    x : tensor (N, inputs)
        Inputs that the members' rows index, float32 or float64.
    y : tensor
        Labels: int64 (N, *positions) for the recipe's loss "log"; (N,) or (N, outputs), dtype as `x`, for
        "squared".
    members : sequence of Member
        The rows, number of steps and seed of each member.
    validation : (tensor, tensor), optional
        Inputs (V, inputs) and labels (V, ...) that choose the stopping time and weights of all members.  None
        if the members have validation rows of their own, or if there is no validation: then members are
        evaluated on their training rows, and train for all of their steps or to the recipe's
        ``target_training_loss``.
    recipe : Recipe
        How to train.
    initial_weights : tuple of tensors (E, ...), optional
        Initial weights, dtype as `x`; drawn from the members' seeds by default.
    masks : tuple of bool tensors (E, ...), optional
        Weights where a mask is False are exactly 0 at every step, and so are their averages.
    start_step : int
        The step that training starts at, >= 0 and below every member's number of steps.  The schedule and the
        order of examples continue from this step; moments and averages start from zero.
    rewind_step : int
        The step whose weights are returned as `Trained.rewind_weights`, >= 0; the initial weights if it is
        not after ``start_step``.
    checkpoint_path : Path, optional
        File to write checkpoints to.  If it exists, training continues from it; it is removed at the end.
    checkpoint_seconds : float
        Seconds between two checkpoints, at least; >= 0.

    Returns
    -------
    tuple of Trained
        The trained members.

    Raises
    ------
    ValueError
        For arrays that do not fit the network or the loss, if only some members have validation rows, and for
        a file that is not a checkpoint of the same call.

    Notes
    -----
    Cost: 6 x parameters x batch flops for each member and step (4 x in the first layer), and
    2 x parameters x V for each evaluation.  Members that end leave the batch at that evaluation.
    """
    call = TrainingCall(
        network, x, y, members, validation, recipe, initial_weights, masks, start_step, rewind_step
    )
    call.check()
    identity, saved = "", None
    if checkpoint_path is not None:
        identity = call.identity()
        saved = read_checkpoint(checkpoint_path, identity, "checkpoint_path", "train")
    run = TrainingRun(call, saved)
    last_checkpoint = time.monotonic()
    while len(run.progress.active):
        due = time.monotonic() - last_checkpoint >= checkpoint_seconds
        if checkpoint_path is not None and due and run.progress.step > start_step:
            write_checkpoint(checkpoint_path, identity, run.state())
            last_checkpoint = time.monotonic()
        run.advance()
    trained = run.results()
    if checkpoint_path is not None:
        remove_checkpoint(checkpoint_path)
    return trained
