"""Engines: what maps batches of cells to results, as they come.

An engine is one function, ``engine(function, batches)``, that yields lists of ``(place, answer)``: the
place of a batch among the batches, and what ``function(batch)`` returned for it, or `Lost` where the
process that was at it is gone.  Answers come in any order, the last one of each batch exactly once.
What an engine is told beside that goes into a ``functools.partial``.  Each has a file of its own,
`errsrc.sweeps.processes` and `errsrc.sweeps.cluster`, but for `serial`, which is short.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from errsrc import checks

Function = Callable[[Sequence[Any]], Any]
Batches = Sequence[Sequence[Any]]
Answers = Iterator[list[tuple[int, Any]]]

LOSSES = 3
"""A batch is given up when it has lost this many processes."""


@dataclass(frozen=True)
class Lost:
    """The answer of a batch that was being computed when its process was lost.

    Attributes
    ----------
    reason
        What is known of it, as a phrase.
    again
        Whether the batch is being computed again, so that another answer will come.
    """

    reason: str
    again: bool


def serial(function: Function, batches: Batches) -> Answers:
    """Compute the function of all batches in this process, one after another: for debuggers and notebooks."""
    for place, batch in enumerate(batches):
        yield [(place, function(batch))]


@contextlib.contextmanager
def for_workers() -> Iterator[None]:
    """While it holds, processes that start compute with one thread each and are deaf to Ctrl-C."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    mask = (
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        if hasattr(signal, "pthread_sigmask")
        else None
    )
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
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_limits(where: str, memory: int | None, seconds: float | None) -> None:
    """Refuse limits of a batch that cannot be held: its memory, in bytes, and its time, in seconds."""
    if memory is not None:
        checks.integer(memory, "memory", where, 2**26)
        if not hasattr(os, "sched_getaffinity"):
            raise ValueError("The 'memory' limit is Linux's alone: leave it out.")
    if seconds is not None:
        checks.number(seconds, "seconds", where, 0, open_low=True)
