"""Distributed data-parallel training: the collectives that `errsrc.training.train` uses.

All processes make the same calls.  Each process computes the gradients of its share of every minibatch
(`shard`), and `all_reduce` sums the gradients.  Therefore the weights are the same in all processes.  Up to
rounding, they equal the weights that a single process would compute.  If there is no process group, there is
one process with rank 0, and the collectives do nothing.
"""

from __future__ import annotations

from torch import Tensor, distributed


def rank() -> int:
    """Return the rank of this process: 0, 1, 2 and so on; a single process has rank 0.

    Examples
    --------
    >>> rank(), world_size()
    (0, 1)
    """
    return distributed.get_rank() if _is_initialized() else 0


def world_size() -> int:
    """Return the number of processes; without a process group, the number is 1."""
    return distributed.get_world_size() if _is_initialized() else 1


def _is_initialized() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def shard(batch: int) -> slice:
    """Return the slice of a minibatch's examples that this process takes.

    Parameters
    ----------
    batch : int
        Number of examples in the minibatch.
    """
    return slice(rank() * batch // world_size(), (rank() + 1) * batch // world_size())


def all_reduce(part: Tensor) -> Tensor:
    """Add up the tensors of all processes, and return the sum.

    Parameters
    ----------
    part : Tensor
        This process's part of the sum.  The function overwrites this tensor with the sum.  Its shape must be
        the same in all processes.
    """
    if world_size() > 1:
        distributed.all_reduce(part)
    return part


def broadcast(value: Tensor) -> Tensor:
    """Copy the values of a tensor from the process with rank 0 to all processes, and return the tensor.

    Parameters
    ----------
    value : Tensor
        This process's tensor.  The function overwrites this tensor.  Its shape must be the same in all
        processes.
    """
    if world_size() > 1:
        distributed.broadcast(value, 0)
    return value


def barrier() -> None:
    """Wait until all processes have called this function."""
    if world_size() > 1:
        distributed.barrier()
