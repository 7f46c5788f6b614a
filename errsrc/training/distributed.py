"""Processes that train one network together.

    torchrun --nproc-per-node 8 -m errsrc run STUDY.toml --engine torchrun

All of them make the same calls.  In `errsrc.training.train` each takes its share of every batch, and the
slopes are summed, so that the weights are the same everywhere and those of a single process, to rounding.
What is looked at is looked at by each; the first process writes.  A batch that fails in all of them has
failed; where it fails in some alone, or one is gone, all end, each with a sentence: nothing waits for what
will not come.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, distributed

from errsrc.errors import EngineError

ALONE_SECONDS = 30.0
"""How long a process in which a batch has failed waits for the others before it ends."""

_watch: distributed.ProcessGroup | None = None  # on the CPU, where waiting has a limit


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


@contextlib.contextmanager
def join() -> Iterator[bool]:
    """Join the processes that torchrun started; leave them when the context ends, with or without an error.

    Each trains on the GPU with its number on its machine, where there are GPUs.

    Yields
    ------
    bool
        Whether this process is the first.

    Raises
    ------
    ValueError
        Where torchrun started none.
    EngineError
        Where a process cannot reach the others, or one of them is gone before all have joined.
    """
    if "WORLD_SIZE" not in os.environ:
        raise ValueError(
            "The engine torchrun is for processes that torchrun starts: "
            "torchrun --nproc-per-node 2 -m errsrc run STUDY.toml --engine torchrun."
        )
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        _connect()
        yield place()[0] == 0
    except BaseException as error:
        _abort(error)
        raise
    finally:
        _leave()


def _connect() -> None:
    """Connect this process to all others."""
    global _watch
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        _watch = distributed.new_group(backend="gloo")
    except RuntimeError as error:
        which = f"Process {os.environ['RANK']} of {os.environ['WORLD_SIZE']}"
        raise EngineError(f"{which} cannot join the others: {str(error).splitlines()[0]}") from error
    try:
        # Torch's own store of addresses may end with the first process: no one leaves while another needs it.
        _meet(0.0)
    except RuntimeError as error:
        raise _gone() from error


def _abort(error: BaseException) -> None:
    """End what is under way between the processes, and let go of what an error's tracebacks hold.

    After an error another process may be gone, and what is under way on GPUs would never end.  Frames of
    torch's functions in the tracebacks hold references to the process groups, which keep their threads alive.
    """
    each: BaseException | None = error
    while each is not None:
        traceback.clear_frames(each.__traceback__)
        each = each.__cause__ or each.__context__
    if distributed.group.WORLD is not None:
        distributed.group.WORLD.abort()


def _leave() -> None:
    """Destroy the process groups, whose threads end with them.

    No thread of gloo may outlive the interpreter.  A thread drops the tensors of its last collective some
    time after the main thread has the result, and needs the interpreter's lock for that.  Once Python has
    begun to end, it answers a thread that asks for the lock by ending the thread, here from within a C++
    destructor, and the process aborts: SIGABRT, "terminate called without an active exception".  The
    destructor of a process group joins its threads, so all references to the groups are dropped here, on
    every path out of `join`.  Leaving by ``os._exit`` would avoid the abort too, but only as the last act of
    a process, not for a caller that goes on.
    """
    global _watch
    _watch = None
    if distributed.is_initialized():
        distributed.destroy_process_group()


Failed = Callable[[Any], str | None]


def lead(
    function: Callable[[Sequence[Any]], Any], batches: Sequence[Sequence[Any]], *, failed: Failed
) -> Iterator[Any]:
    """Compute a function of batches, one after another, in all processes: see `errsrc.sweeps.engines`.

    For the first process, which calls `end` when all is done; the others `follow`.

    Parameters
    ----------
    function, batches
        See there.
    failed
        Returns what went wrong with a batch by its answer, or None.

    Raises
    ------
    EngineError
        Where a batch fails in some processes alone, or one of them is gone.
    """
    for number, batch in enumerate(batches):
        task = function, batch, failed
        _of_first(task)
        yield [(number, _computed(*task))]


def follow() -> None:
    """Compute what the first process leads through, until the end; see `lead`."""
    while (task := _of_first(None)) is not None:
        _computed(*task)


def end() -> None:
    """Let those that follow end."""
    _of_first(None)


def _gone() -> EngineError:
    """Return the error of a process that ends because another one is gone."""
    rank, world = place()
    return EngineError(f"Process {rank} of {world} ends, for another is gone.")


def _of_first(said: Any) -> Any:
    """Return what the first process says."""
    told = [said]
    try:
        distributed.broadcast_object_list(told, 0)
    except RuntimeError as error:
        raise _gone() from error
    return told[0]


def _computed(function: Callable[[Sequence[Any]], Any], batch: Sequence[Any], failed: Failed) -> Any:
    """Return the answer to a batch once all processes have one."""
    answer = function(batch)
    why = failed(answer)
    try:
        _meet(0.0 if why is None else ALONE_SECONDS)
    except RuntimeError as error:
        rank, world = place()
        waited = "Timed out" in str(error)  # gloo's word for a limit, whatever a stalled machine's clock says
        reason = f"it is alone with {why}" if why is not None and waited else "another is gone"
        what = f"Process {rank} of {world} ends, for {reason}"
        raise EngineError(f"{what}; the same command goes on from what is finished.") from error
    return answer


def _meet(seconds: float) -> None:
    """Wait for all processes to come here, so many seconds at most; 0 sets no limit.

    Of torch's own barriers none lets every process have a limit of its own.
    """
    rank, world = place()
    others = [other for other in range(world) if other != rank]
    under_way = [distributed.isend(torch.zeros(1), other, _watch) for other in others]
    under_way += [distributed.irecv(torch.zeros(1), other, _watch) for other in others]
    for one in filter(None, under_way):
        one.wait(datetime.timedelta(seconds=seconds))
