"""Processes that train one network together.

    torchrun --nproc-per-node 8 -m errsrc run STUDY.toml --engine torchrun

All of them make the same calls.  In `errsrc.nets.train` each takes its share of every batch, and the slopes
are summed, so that the weights are the same everywhere and those of a single process, to rounding.  What is
looked at is looked at by each; the first process writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, distributed


def place() -> tuple[int, int]:
    """Return the number of this process, and of how many: (0, 1) for one alone.

    Examples
    --------
    >>> place()
    (0, 1)
    """
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def share(batch: int) -> slice:
    """Return which of a batch's examples this process takes."""
    rank, world = place()
    return slice(rank * batch // world, (rank + 1) * batch // world)


def summed(part: Tensor) -> Tensor:
    """Return the sum of all processes' parts, of one shape, in the part's place."""
    if place()[1] > 1:
        distributed.all_reduce(part)
    return part


def of_first(value: Tensor) -> Tensor:
    """Return what the first process has, of the value's shape, in its place."""
    if place()[1] > 1:
        distributed.broadcast(value, 0)
    return value


def wait() -> None:
    """Wait for all processes."""
    if place()[1] > 1:
        distributed.barrier()


def join() -> bool:
    """Join the processes that torchrun started; return whether this one is the first.

    Each trains on the GPU with its number on its machine, where there are GPUs.

    Raises
    ------
    ValueError
        Where torchrun started none.
    """
    if "WORLD_SIZE" not in os.environ:
        raise ValueError(
            "The engine torchrun is for processes that torchrun starts: "
            "torchrun --nproc-per-node 2 -m errsrc run STUDY.toml --engine torchrun."
        )
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    return place()[0] == 0


def lead(function: Callable[[Sequence[Any]], Any], batches: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """Compute a function of batches, one after another, in all processes: see `errsrc.sweeps.engines`.

    For the first process, which calls `end` when all is done; the others `follow`.
    """
    for number, batch in enumerate(batches):
        distributed.broadcast_object_list([(function, batch)], 0)
        yield [(number, function(batch))]


def follow() -> None:
    """Compute what the first process leads through, until the end."""
    while True:
        told: list[Any] = [None]
        distributed.broadcast_object_list(told, 0)
        if told[0] is None:
            break
        function, batch = told[0]
        function(batch)
    distributed.destroy_process_group()


def end() -> None:
    """Let those that follow end."""
    distributed.broadcast_object_list([None], 0)
    distributed.destroy_process_group()
