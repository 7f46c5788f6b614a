"""Losses of outputs, their slopes, and risks: means over a member's examples."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from errsrc.nets.network import Network, Weights
from errsrc.training.lbfgs import Objective


def losses(outputs: Tensor, y: Tensor, loss: str = "log") -> Tensor:
    """Return each member's mean loss, (E,).

    Parameters
    ----------
    outputs
        (E, B, *positions, outputs).
    y
        Labels (E, B, *positions), or (B, *positions) for all members; for "squared" also (E, B, outputs).
    loss
        See `errsrc.training.Recipe`.
    """
    return each_loss(outputs, y, loss).mean(1)


def each_loss(outputs: Tensor, y: Tensor, loss: str) -> Tensor:
    """Return the loss of each example, (E, B), of outputs and y as `losses` takes them."""
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
        See `errsrc.training.Recipe`.  The error is the error rate for "log", and the root of the mean squared
        error, in the labels' unit, for "squared".
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
            outputs = network(tuple(w[members_left] for w in weights), take(x, index))
            labels = take(y, index)
            total[members_left] += (each_loss(outputs, labels, loss) * real).sum(1)
            if loss == "log":
                wrong[members_left] += (_wrong(outputs, labels) * real).sum(1)
    total /= counts
    return total, (wrong / counts if loss == "log" else total.sqrt())


def _wrong(outputs: Tensor, y: Tensor) -> Tensor:
    """Return the share of each example's positions whose class is not the likeliest, (E, B)."""
    return (outputs.argmax(-1) != y).to(outputs.dtype).view(*outputs.shape[:2], -1).mean(2)


def _width(y: Tensor, loss: str) -> int:
    """Return how many examples are looked at at once: 500 predictions a member, 4,096 on a GPU."""
    return max(1, (4096 if y.is_cuda else 500) // (y.shape[1:].numel() if loss == "log" else 1))


def _parts(rows: Sequence[Tensor], width: int = 500) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield (members (K,), rows (K, B), whether it is a row (K, B)) until all rows of all have come."""
    lengths = torch.tensor([len(own) for own in rows])
    device = rows[0].device
    for start in range(0, int(lengths.max()), width):
        left = (lengths > start).nonzero().flatten()
        index = pad_sequence([rows[i][start : start + width] for i in left.tolist()], batch_first=True)
        real = torch.arange(index.shape[1]) < (lengths[left] - start)[:, None]
        yield left.to(device), index, real.to(device)


def take(array: Tensor, index: Tensor) -> Tensor:
    """Return rows (E, B, ...) of an array (N, ...) for an index (E, B)."""
    return array.index_select(0, index.reshape(-1)).view(*index.shape, *array.shape[1:])


def head(outputs: Tensor, y: Tensor, loss: str, share: Tensor) -> tuple[Tensor, Tensor]:
    """Return each member's losses weighted by ``share`` and summed, (E,), and the slopes by the outputs.

    Outputs, y and loss are those of `losses`; ``share`` is (E, B) or (1, 1); slopes have the outputs' shape.
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


def zero_risk(network: Network, y: Tensor, rows: Sequence[Tensor], loss: str) -> Tensor:
    """Return each member's loss on its rows of y for outputs of its network that are all 0, (E,)."""
    if loss == "log":
        return torch.full((len(rows),), math.log(network.outputs), device=y.device)
    squares = y.square() if y.dim() == 1 else y.square().sum(1)
    return torch.stack([squares[own].mean() for own in rows])


def objective(
    network: Network, x: Tensor, y: Tensor, rows: Sequence[Tensor], loss: str, pruned: Weights | None
) -> Objective:
    """Return the members' training losses as functions of their weights, see `errsrc.training.lbfgs`.

    Parameters
    ----------
    network, x, y, rows, loss
        See `evaluate`: x (N, inputs), y (N,) or (N, outputs), each member's own rows.
    pruned
        bool (E, ...), True of weights whose slope is 0; None for none.
    """
    gone = None if pruned is None else network.flatten(pruned)

    def objective(point: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        own = [rows[i] for i in members.tolist()]
        counts = torch.tensor([len(one) for one in own], dtype=x.dtype, device=x.device)
        total, slope = torch.zeros_like(counts), torch.zeros_like(point)
        for left, index, real in _parts(own):
            weights = network.unflatten(point[left])
            out = tuple(torch.empty(w.shape, dtype=x.dtype, device=x.device) for w in weights)
            share = real / counts[left][:, None]
            of_part = functools.partial(head, y=take(y, index), loss=loss, share=share)
            total[left] += network.gradients(weights, take(x, index), of_part, out)
            slope[left] += network.flatten(out)
        return total, slope if gone is None else slope.masked_fill_(gone[members], 0.0)

    return objective
