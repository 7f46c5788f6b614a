"""The engine for torchrun: all processes compute each batch of cells together, by data-parallel training.

    torchrun --nproc-per-node 8 -m errsrc run STUDY.toml --engine torchrun

Rank 0 controls the study and writes the file of finished cells.  It broadcasts each batch to the other ranks,
and all ranks compute the batch.  Within `errsrc.training.train` each rank takes a share of every minibatch,
see `errsrc.training.distributed`.  If a batch fails in all ranks, its cells count as failed, as with every
engine.  If a batch fails in only some ranks, or if a process dies, every process ends with a message of one
sentence.  No process waits forever.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import distributed

from errsrc.errors import EngineError
from errsrc.sweeps.engines import Answers, Batches, Engine, Function
from errsrc.sweeps.runner import failure_message
from errsrc.training.distributed import rank, world_size

BARRIER_SECONDS = 30.0
"""How long a rank in which a batch failed waits for the other ranks before it ends."""

_cpu_group: distributed.ProcessGroup | None = None  # of gloo, whose waits can have a time limit


@contextlib.contextmanager
def torchrun_engine() -> Iterator[Engine | None]:
    """Provide the engine in rank 0; in the other ranks, compute the batches that rank 0 broadcasts.

    Use this function as a context manager.

    Yields
    ------
    Engine or None
        In rank 0, the engine for `errsrc.sweeps.run`.  In the other ranks, None, after all batches have been
        computed.

    Raises
    ------
    ValueError
        If torchrun did not start this process.
    EngineError
        If a process cannot reach the other processes, if a batch fails in only some ranks, or if a process
        has died.
    """
    with process_group():
        if rank() == 0:
            yield run_rank_zero
            _broadcast_object(None)  # nothing is left to compute
        else:
            run_other_ranks()
            yield None


@contextlib.contextmanager
def process_group() -> Iterator[None]:
    """Join the process groups of a torchrun job, and leave the groups at the end, also after an exception.

    Use this function as a context manager.  If the machine has GPUs, each process uses the GPU whose index is
    the local rank of the process.

    Yields
    ------
    None
        Nothing; the process groups exist within the context.

    Raises
    ------
    ValueError
        If torchrun did not start this process.
    EngineError
        If a process cannot reach the other processes, or if a process ends before all processes have joined.
    """
    if "WORLD_SIZE" not in os.environ:
        raise ValueError(
            "The engine torchrun is for processes that torchrun starts: "
            "torchrun --nproc-per-node 2 -m errsrc run STUDY.toml --engine torchrun."
        )
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        _init_process_groups()
        yield
    except BaseException as error:
        _abort(error)
        raise
    finally:
        _destroy_process_groups()


def run_rank_zero(function: Function, batches: Batches) -> Answers:
    """Compute a function of each batch in all ranks, one batch after another; this is the engine of rank 0.

    Parameters
    ----------
    function : callable
        Maps a batch of cells to its answer, see `errsrc.sweeps.engines`.
    batches : sequence of sequences
        The batches of cells.

    Yields
    ------
    list of (int, object)
        A list with one pair: the index of a batch, and its answer.

    Raises
    ------
    EngineError
        If a batch fails in only some ranks, or if a process has died.
    """
    for place, batch in enumerate(batches):
        _broadcast_object((function, batch))
        yield [(place, _compute(function, batch))]


def run_other_ranks() -> None:
    """Compute the batches that rank 0 broadcasts, until rank 0 broadcasts None.

    Raises
    ------
    EngineError
        If a batch fails in only some ranks, or if a process has died.
    """
    while (task := _broadcast_object(None)) is not None:
        _compute(*task)


def _compute(function: Callable[[Sequence[Any]], Any], batch: Sequence[Any]) -> Any:
    """Return this rank's answer to a batch, once all ranks have theirs."""
    answer = function(batch)
    error_message = failure_message(answer)
    try:
        _barrier(0.0 if error_message is None else BARRIER_SECONDS)
    except RuntimeError as error:
        timed_out = "Timed out" in str(error)  # gloo's words; a clock would mislead on a machine that stalls
        alone = error_message is not None and timed_out
        reason = f"this batch fails only here, with {error_message}" if alone else "another process is gone"
        raise _engine_error(f"{reason}; the same command goes on from what is finished.") from error
    return answer


def _barrier(seconds: float) -> None:
    """Wait until all ranks are here, for so many seconds at most; 0 sets no limit.

    None of torch's own barriers lets each rank have a limit of its own.
    """
    others = [other for other in range(world_size()) if other != rank()]
    requests = [distributed.isend(torch.zeros(1), other, _cpu_group) for other in others]
    requests += [distributed.irecv(torch.zeros(1), other, _cpu_group) for other in others]
    for request in filter(None, requests):
        request.wait(datetime.timedelta(seconds=seconds))


def _broadcast_object(value: Any) -> Any:
    """Return the value of rank 0 in all ranks."""
    values = [value]
    try:
        distributed.broadcast_object_list(values, 0)
    except RuntimeError as error:
        raise _engine_error("another process is gone.") from error
    return values[0]


def _engine_error(reason: str) -> EngineError:
    """Return the error of a rank that ends for a reason."""
    return EngineError(f"Process {rank()} of {world_size()} ends: {reason}")


# The process groups.


def _init_process_groups() -> None:
    """Connect this process to all others."""
    global _cpu_group
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        _cpu_group = distributed.new_group(backend="gloo")
    except RuntimeError as error:
        which = f"Process {os.environ['RANK']} of {os.environ['WORLD_SIZE']}"
        raise EngineError(f"{which} cannot join the others: {str(error).splitlines()[0]}") from error
    try:
        # Torch's store of addresses may end with rank 0: no process leaves while another still needs it.
        _barrier(0.0)
    except RuntimeError as error:
        raise _engine_error("another process is gone.") from error


def _abort(error: BaseException) -> None:
    """End the communication under way, and let go of what an error's tracebacks hold.

    After an error another process may be gone, and communication between GPUs would never end.  Frames of
    torch's functions in the tracebacks hold references to the process groups, which keep their threads alive.
    """
    each: BaseException | None = error
    while each is not None:
        traceback.clear_frames(each.__traceback__)
        each = each.__cause__ or each.__context__
    if distributed.group.WORLD is not None:
        distributed.group.WORLD.abort()


def _destroy_process_groups() -> None:
    """Destroy the process groups, whose threads end with them.

    No thread of gloo may outlive the interpreter.  A thread drops the tensors of its last collective some
    time after the main thread has the result, and needs the interpreter's lock for that.  Once Python has
    begun to exit, it ends every thread that asks for the lock.  Here the thread is inside a C++ destructor,
    so the whole process aborts: SIGABRT, "terminate called without an active exception".  The
    destructor of a process group joins its threads, so all references to the groups are dropped here, on
    every path out of `process_group`.  Leaving by ``os._exit`` would avoid the abort too, but only as the
    last act of a process, not for a caller that goes on.
    """
    global _cpu_group
    _cpu_group = None
    if distributed.is_initialized():
        distributed.destroy_process_group()
