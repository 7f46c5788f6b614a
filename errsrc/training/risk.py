"""The mean loss and the error of each of several networks on examples."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from errsrc import checks
from errsrc.nets.network import Network, Weights
from errsrc.training.lbfgs import Objective
from errsrc.training.objectives import TRAINING_LOSSES, TrainingLoss

_CONSTANT_EXAMPLES = 1000
_CONSTANT = 1e-6  # float32 products of equal rows differ by a smaller share, because of rounding

LOSS = checks.Choice(tuple(TRAINING_LOSSES))
"""Validation rule for the name of a training loss."""


@checks.arguments(loss=LOSS)
def losses(outputs: Tensor, y: Tensor, loss: str = "log") -> Tensor:
    """Return the mean loss of each of E networks, (E,).

    Parameters
    ----------
    outputs : tensor
        Outputs (E, B, *positions, outputs).
    y : tensor
        Labels (E, B, *positions), or (B, *positions) if all networks share them.  For "squared" also (E, B,
        outputs).
    loss : str
        "log", in nats, or "squared", see `errsrc.training.Recipe`.

    Raises
    ------
    ValueError
        If `loss` is not the name of a training loss.
    """
    return TRAINING_LOSSES[loss].example_losses(outputs, y).mean(1)


@checks.arguments(loss=LOSS)
@torch.no_grad()
def evaluate(
    network: Network,
    weights: Weights,
    x: Tensor,
    y: Tensor,
    loss: str = "log",
    rows: Sequence[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean loss and the error of each of E networks on examples, both (E,).

    Parameters
    ----------
    network : Network
        The architecture.
    weights : tuple of tensors (E, ...)
        The weights of E networks.
    x : tensor (N, inputs)
        Inputs.
    y : tensor
        Labels (N, *positions), or (N,) or (N, outputs) for "squared".
    loss : str
        "log" or "squared", see `errsrc.training.Recipe`.  For "log", the error is the error rate.  For
        "squared", the error is the root of the mean squared error, in the unit of the labels.
    rows : sequence of int64 tensors, optional
        Rows of `x` and `y` on which each network is evaluated.  By default, every network is evaluated on all
        rows.

    Raises
    ------
    ValueError
        If `loss` is not the name of a training loss.
    """
    training_loss = TRAINING_LOSSES[loss]
    members = len(weights[0])
    at_once = _examples_at_once(y, training_loss)
    total, wrong = torch.zeros((2, members), dtype=x.dtype, device=x.device)
    if rows is None:
        counts = torch.full_like(total, len(y))
        for part, labels in zip(x.split(at_once), y.split(at_once), strict=True):
            outputs = network(weights, part)
            total += training_loss.example_losses(outputs, labels[None]).mean(1) * len(labels)
            wrong += training_loss.wrong_shares(outputs, labels).sum(1)
    else:
        counts = torch.tensor([len(own) for own in rows], dtype=x.dtype, device=x.device)
        for numbers, index, is_row in _row_batches(rows, at_once):
            outputs = network(tuple(w[numbers] for w in weights), take_rows(x, index))
            labels = take_rows(y, index)
            total[numbers] += (training_loss.example_losses(outputs, labels) * is_row).sum(1)
            wrong[numbers] += (training_loss.wrong_shares(outputs, labels) * is_row).sum(1)
    total /= counts
    return total, training_loss.error(total, wrong / counts)


def has_constant_outputs(network: Network, weights: Weights, x: Tensor) -> Tensor:
    """Return which of E networks have the same outputs for all examples, up to rounding, bool (E,).

    Parameters
    ----------
    network : Network
        The architecture.
    weights : tuple of tensors (E, ...)
        The weights of E networks.
    x : tensor (N, inputs)
        Inputs.  Only the first 1,000 are used.
    """
    with torch.no_grad():
        outputs = network(weights, x[:_CONSTANT_EXAMPLES]).flatten(2)  # (E, N, values of an example)
    spread = (outputs.amax(1) - outputs.amin(1)).amax(1)
    return spread <= _CONSTANT * outputs.abs().amax((1, 2))


def take_rows(array: Tensor, index: Tensor) -> Tensor:
    """Return the rows of an array at given indices, (E, B, ...).

    Parameters
    ----------
    array : tensor (N, ...)
        Array of N rows.
    index : int64 tensor (E, B)
        Indices of rows.
    """
    return array.index_select(0, index.reshape(-1)).view(*index.shape, *array.shape[1:])


def training_objective(
    network: Network, x: Tensor, y: Tensor, rows: Sequence[Tensor], loss: str, pruned: Weights | None
) -> Objective:
    """Return the function that computes training losses of networks, and their gradients, from the weights.

    `errsrc.training.lbfgs` minimises this function.

    Parameters
    ----------
    network : Network
        The architecture.
    x : tensor (N, inputs)
        Inputs.
    y : tensor
        Labels (N, *positions), or (N,) or (N, outputs) for "squared".
    rows : sequence of int64 tensors
        Rows of `x` and `y` on which each network is trained.
    loss : str
        "log" or "squared", see `errsrc.training.Recipe`.
    pruned : tuple of bool tensors (E, ...), optional
        True for weights whose gradient is set to 0.
    """
    is_pruned = None if pruned is None else network.flatten(pruned)
    training_loss = TRAINING_LOSSES[loss]

    def objective(points: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        own_rows = [rows[i] for i in numbers.tolist()]
        counts = torch.tensor([len(own) for own in own_rows], dtype=x.dtype, device=x.device)
        total, gradient = torch.zeros_like(counts), torch.zeros_like(points)
        for places, index, is_row in _row_batches(own_rows):
            weights = network.unflatten(points[places])
            out = tuple(torch.empty(w.shape, dtype=x.dtype, device=x.device) for w in weights)
            output_loss = functools.partial(
                training_loss.loss_and_gradient,
                y=take_rows(y, index),
                weights=is_row / counts[places][:, None],
            )
            total[places] += network.gradients(weights, take_rows(x, index), output_loss, out)
            gradient[places] += network.flatten(out)
        return total, gradient if is_pruned is None else gradient.masked_fill_(is_pruned[numbers], 0.0)

    return objective


def _examples_at_once(y: Tensor, loss: TrainingLoss) -> int:
    """Return how many examples are evaluated at once: 500 predictions of a member, 4,096 on a GPU."""
    return max(1, (4096 if y.is_cuda else 500) // loss.predictions(y))


def _row_batches(rows: Sequence[Tensor], at_once: int = 500) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield all rows of all members in batches: numbers of members (K,), rows (K, B), and bool (K, B).

    The last is False where a member has no more rows and the batch repeats row 0.
    """
    lengths = torch.tensor([len(own) for own in rows])
    device = rows[0].device
    for start in range(0, int(lengths.max()), at_once):
        left = (lengths > start).nonzero().flatten()
        index = pad_sequence([rows[i][start : start + at_once] for i in left.tolist()], batch_first=True)
        is_row = torch.arange(index.shape[1]) < (lengths[left] - start)[:, None]
        yield left.to(device), index, is_row.to(device)
