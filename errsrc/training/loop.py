"""The training loop, which trains E members at once.

A member is one network with its own data, seed and number of steps.  All members of a call share one
architecture, one recipe and one pair of arrays (inputs and labels) on the device.  Each member is trained on
its own rows of the arrays.  To train members with different data at once, concatenate their data.  A member's
initial weights, order of examples, schedule and end depend on its own fields only.  Therefore its result does
not depend on the other members, up to rounding.  A call that was killed continues from its checkpoint if it
is repeated.  On the CPU, its results then have the same bits as without the interruption.  Processes that
torchrun starts share each batch, see `errsrc.training.distributed`.

The inputs determine the precision and the device of training.  A seed gives the same initial weights and
order of examples on every device.
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
    """Train several networks at once, and return them in the same order.

    Parameters
    ----------
    network : Network
        The architecture of all networks.
    x : tensor (N, inputs)
        Inputs of all networks, float32 or float64.  `Member.rows` are rows of this array.
    y : tensor
        Labels.  For the recipe's loss "log", int64 (N, *positions).  For "squared", (N,) or (N, outputs) with
        the dtype of `x`.
    members : sequence of Member
        The networks to train: the rows, number of steps and seed of each network.
    validation : (tensor, tensor), optional
        Inputs (V, inputs) and labels (V, ...) that decide when the training of each network stops, and which
        of its weights are kept.  Give None if the members have validation rows of their own, or if there is
        no validation.  Without validation, networks are evaluated on their training rows.  The networks are
        then trained for all of their steps, or until they reach the recipe's ``target_training_loss``.
    recipe : Recipe
        Options of training.
    initial_weights : tuple of tensors (E, ...), optional
        Initial weights of the E networks, with the dtype of `x`.  By default, the initial weights are drawn
        from the members' seeds.
    masks : tuple of bool tensors (E, ...), optional
        Masks of pruned weights.  Where a mask is False, the weight and its average are exactly 0 at every
        step.
    start_step : int
        Step at which training starts, >= 0 and below every member's number of steps.  The schedule and the
        order of examples continue from this step.  The moments and averages of the optimiser start anew.
    rewind_step : int
        Step whose weights are returned as `Trained.rewind_weights`, >= 0.  If ``rewind_step`` <=
        ``start_step``, the initial weights are returned.
    checkpoint_path : Path, optional
        File to which checkpoints are written.  If the file exists, training continues from it.  The file is
        removed at the end of training.
    checkpoint_seconds : float
        Smallest number of seconds between two checkpoints, >= 0.

    Returns
    -------
    tuple of Trained
        The trained networks, in the order of `members`.

    Raises
    ------
    TypeError, ValueError
        If an argument has a wrong type or is out of range, if an array does not fit the network or the loss,
        if only some members have validation rows, or if the checkpoint file does not come from the same call.

    Notes
    -----
    Cost: 6 x parameters x batch flops for each network and step (4 x in the first layer), and 2 x parameters
    x V for each evaluation.  A network is removed from the computation at the evaluation at which its
    training ends.
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
