"""The engine that computes cells in processes of this machine, and the code of these processes."""

from __future__ import annotations

import collections
import contextlib
import functools
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from errsrc.checks import Integer
from errsrc.errors import EngineError
from errsrc.sweeps.engines import (
    MAX_LOST_PROCESSES,
    POLL_SECONDS,
    Answers,
    Batches,
    Function,
    LostBatch,
    check_limits,
    cores,
    worker_environment,
)

PREFETCH_SECONDS, PREFETCH_BYTES = 0.05, 16_384
"""Limits of the work that is sent to a process in advance: computing time, and bytes in a pipe."""


def local(
    function: Function,
    batches: Batches,
    *,
    workers: int | None = None,
    memory: int | None = None,
    seconds: float | None = None,
) -> Answers:
    """Compute batches of cells in processes of this machine, with one thread each.

    Parameters
    ----------
    function : callable
        Function that maps a batch to its answer, such as the results of its cells.  Processes are spawned.
        Therefore the function must be defined in a module, not in a notebook or at the prompt.  A script must
        start its work under ``if __name__ == "__main__":``.
    batches : sequence of sequences
        The batches.  Each batch is a sequence of cells that are computed together.
    workers : int, optional
        Number of processes; by default the number of cores.
    memory : int, optional
        Largest size of a process's data, in bytes (RLIMIT_DATA, Linux).  An allocation beyond this limit
        raises MemoryError.
    seconds : float, optional
        Longest time of a cell.  A process is killed if its batch of k cells takes more than k times this
        time.

    Yields
    ------
    list of (int, object)
        The index of a batch and its answer, for each batch that has finished, see `errsrc.sweeps.engines`.

    Raises
    ------
    EngineError
        If processes end before they have started to work.

    Notes
    -----
    A lost process (killed, out of memory, crashed) loses only the batch that it was computing.  This batch is
    computed again, unless `MAX_LOST_PROCESSES` processes were lost while computing this batch; other
    processes continue.  Each process has its own pipe.  Therefore a lost process cannot block other processes
    by a lock that it holds, or by half a message.  The processes end when this process ends, for any reason.
    Pickling and pipes cost at least 0.05 ms per batch.
    """
    workers = cores() if workers is None else Integer(at_least=1)(workers, "workers", "local")
    check_limits("local", memory, seconds)
    pool = _Pool(functools.partial(_timed, function), batches, workers, memory, seconds)
    try:
        while pool.unanswered:
            pool.start_workers()
            pool.send()
            yield pool.receive()
    finally:
        pool.stop()


@dataclass(eq=False)
class _Pool:
    """Worker processes and the batches that they have or wait for."""

    function: Function
    batches: Batches
    size: int
    memory: int | None
    seconds: float | None

    def __post_init__(self) -> None:
        self.workers: list[_Worker] = []
        self.waiting = collections.deque(range(len(self.batches)))
        self.unanswered = len(self.batches)
        self.lost_processes: collections.Counter[int] = collections.Counter()
        self.failed_starts = 0  # in a row

    def start_workers(self) -> None:
        """Start processes, up to the number of workers or of batches."""
        while len(self.workers) < min(self.size, self.unanswered):
            self.workers.append(_Worker(self.function, self.memory))

    def send(self) -> None:
        """Send waiting batches to the workers."""
        for worker in self.workers:
            worker.send(self.waiting, self.batches, self.seconds)

    def receive(self) -> list[tuple[int, Any]]:
        """Wait for workers, and return their answers."""
        answers: list[tuple[int, Any]] = []
        for worker in _ready(self.workers):
            answers += worker.receive(self.batches, self.seconds)
            reason = worker.end_reason()
            if reason is None:
                self.failed_starts = 0
            else:
                answers += self._remove(worker, reason)
        self.unanswered -= sum(
            not (isinstance(answer, LostBatch) and answer.retried) for _, answer in answers
        )
        return answers

    def _remove(self, worker: _Worker, reason: str) -> list[tuple[int, LostBatch]]:
        """Remove a worker that has ended; return the batch that it was computing, if any."""
        self.workers.remove(worker)
        worker.stop()
        answers = []
        if not worker.started:
            self._count_failed_start(reason)
        elif worker.places:
            place = worker.places.popleft()
            lost = self._lost(place, worker, reason)
            answers.append((place, lost))
            if lost.retried:
                self.waiting.appendleft(place)
        self.waiting.extendleft(reversed(worker.places))  # batches that were sent, but not started
        return answers

    def _lost(self, place: int, worker: _Worker, reason: str) -> LostBatch:
        """Return the answer of a batch whose worker has ended."""
        self.lost_processes[place] += 1
        if worker.overdue:
            return LostBatch(f"it took more than {self.seconds:g} s per cell, and was stopped", retried=False)
        if self.lost_processes[place] < MAX_LOST_PROCESSES:
            return LostBatch(reason, retried=True)
        what = f"{MAX_LOST_PROCESSES} processes were lost while they computed it"
        return LostBatch(f"{what} ({reason})", retried=False)

    def _count_failed_start(self, reason: str) -> None:
        self.failed_starts += 1
        if self.failed_starts == MAX_LOST_PROCESSES:
            raise EngineError(
                f"Worker processes end before they begin ({reason}; their messages are on stderr): "
                "a script must start its work under 'if __name__ == \"__main__\":', and a kind must compute "
                "by a function of a module."
            )

    def stop(self) -> None:
        """End all workers now."""
        for worker in self.workers:
            worker.stop()


@dataclass(eq=False)
class _Worker:
    """A process and the pipe to it.

    Attributes
    ----------
    function, memory
        The function that the process calls, and the process's memory limit in bytes.
    places
        Indices of the batches that the process has; it is computing the first of these.
    sizes
        Bytes of each of these batches.
    pace
        Seconds per batch, as a running average; inf before the first answer.
    deadline
        The time at which the current batch is overdue.
    started, overdue
        Whether the process has started to work, and whether it was killed because its batch took too long.
    """

    function: Function
    memory: int | None
    places: collections.deque[int] = field(default_factory=collections.deque)
    sizes: collections.deque[int] = field(default_factory=collections.deque)
    pace: float = float("inf")
    deadline: float = float("inf")
    started: bool = False
    overdue: bool = False

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, worker_end = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_work, args=(worker_end, self.function, self.memory), name="errsrc worker", daemon=True
        )
        with worker_environment():
            self.process.start()
        worker_end.close()

    def send(self, waiting: collections.deque[int], batches: Batches, seconds: float | None) -> None:
        """Send one batch, or several in advance if batches are quick."""
        while self.started and waiting and self._has_time():
            message = pickle.dumps(batches[waiting[0]])
            if self.places and sum(self.sizes) + len(message) > PREFETCH_BYTES:
                return  # both processes might wait for the other to read
            with contextlib.suppress(OSError):  # a lost process is noticed below
                self.connection.send_bytes(message)
            self.places.append(waiting.popleft())
            self.sizes.append(len(message))
            if len(self.places) == 1:
                self._set_deadline(batches, seconds)

    def _has_time(self) -> bool:
        """Return whether the process can take one more batch."""
        return not self.places or len(self.places) * self.pace <= PREFETCH_SECONDS

    def receive(self, batches: Batches, seconds: float | None) -> list[tuple[int, Any]]:
        """Return the answers that have arrived."""
        came = []
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll():
                message = self.connection.recv_bytes()
                if not self.started:
                    self.started = True
                    continue
                took, answer = pickle.loads(message)
                self.pace = took if self.pace == float("inf") else 0.9 * self.pace + 0.1 * took
                came.append((self.places.popleft(), answer))
                self.sizes.popleft()
        if came:
            self._set_deadline(batches, seconds)
        return came

    def _set_deadline(self, batches: Batches, seconds: float | None) -> None:
        if seconds is not None and self.places:
            self.deadline = time.monotonic() + seconds * len(batches[self.places[0]])
        else:
            self.deadline = float("inf")

    def end_reason(self) -> str | None:
        """Return how the process ended, or None while it runs; kill it if its batch is overdue."""
        if time.monotonic() > self.deadline:
            self.overdue = True
            self.process.kill()
            self.process.join()
        elif self.process.is_alive():
            return None
        code = self.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """End the process now."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


def _ready(workers: Sequence[_Worker]) -> list[_Worker]:
    """Wait until a worker has sent something, has ended or is overdue; return all these workers.

    After `POLL_SECONDS` without any of these, the list is empty.
    """
    until = min(worker.deadline for worker in workers)
    timeout = min(POLL_SECONDS, max(0.0, until - time.monotonic()) + 0.01)
    signalled = wait([x for worker in workers for x in (worker.connection, worker.process.sentinel)], timeout)
    now = time.monotonic()
    return [
        worker
        for worker in workers
        if worker.connection in signalled or worker.process.sentinel in signalled or now > worker.deadline
    ]


# In the worker.


def _work(connection: Connection, function: Function, memory: int | None) -> None:
    """Answer batches until the driver closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides when to end
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if memory is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    with contextlib.suppress(EOFError, OSError):
        connection.send_bytes(b"")
        while True:
            connection.send_bytes(pickle.dumps(function(pickle.loads(connection.recv_bytes()))))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _timed(function: Function, batch: Sequence[Any]) -> tuple[float, Any]:
    """Return the seconds that a batch took, and its answer."""
    start = time.perf_counter()
    answer = function(batch)
    return time.perf_counter() - start, answer
