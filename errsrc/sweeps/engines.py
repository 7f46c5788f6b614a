"""Engines: functions that compute batches of cells and yield each answer when it is ready.

An engine is a function ``engine(function, batches)`` that yields lists of ``(place, answer)``.  The place is
the index of a batch.  The answer is what ``function(batch)`` returned, or a `LostBatch` if the process that
computed the batch was lost.  Answers come in any order.  Each batch has exactly one final answer.  Before the
final answer, there may be answers of type `LostBatch` whose ``retried`` is True.  If batches take long, an
engine yields an empty list from time to time, so that the runner can check whether its store was deleted.

Options of an engine are bound with ``functools.partial``.  `errsrc.sweeps.processes` and
`errsrc.sweeps.cluster` define one engine each; `serial` is the simplest engine.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from errsrc.checks import Integer, Number

Function = Callable[[Sequence[Any]], Any]
Batches = Sequence[Sequence[Any]]
Answers = Iterator[list[tuple[int, Any]]]
Engine = Callable[[Function, Batches], Answers]

POLL_SECONDS = 2.0
"""How long an engine waits for answers until it yields an empty list."""

MAX_LOST_PROCESSES = 3
"""A batch fails after this many processes were lost while computing it."""


@dataclass(frozen=True)
class LostBatch:
    """The answer that an engine yields for a batch if the process that computed the batch was lost.

    Attributes
    ----------
    reason
        Why the process was lost, as a phrase.
    retried
        Whether the engine computes the batch again.  The engine then yields another answer for the batch.
    """

    reason: str
    retried: bool


def serial(function: Function, batches: Batches) -> Answers:
    """Compute all batches in this process, one after another: an engine for debuggers and notebooks.

    Parameters
    ----------
    function : callable
        Maps a batch to its answer, such as the results of its cells.
    batches : sequence of sequences
        The batches.  Each batch is a sequence of cells that are computed together.

    Yields
    ------
    list of (int, object)
        The index of a batch, and the answer for this batch.
    """
    for place, batch in enumerate(batches):
        yield [(place, function(batch))]


@contextlib.contextmanager
def worker_environment() -> Iterator[None]:
    """Make processes that start within the context use one thread each and ignore Ctrl-C.

    Yields
    ------
    None
        Environment variables and signal mask are restored when the context ends.
    """
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    mask = None
    if hasattr(signal, "pthread_sigmask"):
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def cores() -> int:
    """Return the number of cores that this process may use.

    Returns
    -------
    int
        The number.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_limits(where: str, memory: int | None, seconds: float | None) -> None:
    """Check the memory limit and the time limit that an engine sets for a process.

    Parameters
    ----------
    where : str
        Name of the engine.
    memory : int, optional
        Limit of the memory, in bytes.
    seconds : float, optional
        Limit of the time, in seconds.

    Raises
    ------
    TypeError, ValueError
        If a limit is not a positive number, if the memory is below 64 MiB, or if a memory limit is given on
        another system than Linux.
    """
    if memory is not None:
        Integer(at_least=2**26)(memory, "memory", where)
        if not hasattr(os, "sched_getaffinity"):
            raise ValueError("The 'memory' limit works on Linux only: leave it out.")
    if seconds is not None:
        Number(above=0)(seconds, "seconds", where)
