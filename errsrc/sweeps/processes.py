"""The engine of processes on this machine, and what happens in each."""

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

from errsrc import checks
from errsrc.errors import EngineError
from errsrc.sweeps.engines import LOSSES, Answers, Batches, Function, Lost, check_limits, cores, for_workers

AHEAD_SECONDS, AHEAD_BYTES = 0.05, 16_384
"""How much work a process is sent beside what it is at: what it does in that time, and what a pipe holds."""


def local(
    function: Function,
    batches: Batches,
    *,
    workers: int | None = None,
    memory: int | None = None,
    seconds: float | None = None,
) -> Answers:
    """Compute batches in processes of this machine, one thread each.

    Parameters
    ----------
    function, batches
        See the module.  Processes are spawned: a function of a notebook or of the prompt is not found
        there, and a script must start its work under ``if __name__ == "__main__":``.
    workers
        Processes; by default as many as there are cores.
    memory
        The most bytes of data a process may hold (RLIMIT_DATA, Linux): what asks for more gets a
        MemoryError.
    seconds
        The most seconds a cell may take; a batch of k cells may take k times that, and is then killed.

    Raises
    ------
    EngineError
        If processes end before they have begun.

    Notes
    -----
    A process that is lost (killed, out of memory, crashed) costs the batch it was at, which is computed
    again until it has lost `LOSSES` processes; all others go on.  Each process has a pipe of its own, so
    that none can leave a lock held or half a message in the way of another.  They end with this process,
    however it ends.  Floor: 0.05 ms a batch, of pickling and pipes.
    """
    workers = cores() if workers is None else checks.integer(workers, "workers", "local", 1)
    check_limits("local", memory, seconds)
    work = functools.partial(_timed, function)
    waiting = collections.deque(range(len(batches)))
    losses: collections.Counter[int] = collections.Counter()
    team: list[_Worker] = []
    stillborn = 0
    left = len(batches)
    try:
        while left:
            while len(team) < min(workers, left):
                team.append(_Worker(work, memory))
            for worker in team:
                worker.hand_out(waiting, batches, seconds)
            came: list[tuple[int, Any]] = []
            for worker in _ready(team):
                came += worker.answers(batches, seconds)
                reason = worker.ended()
                if reason is None:
                    stillborn = 0
                    continue
                team.remove(worker)
                worker.stop()
                if not worker.begun:
                    stillborn += 1
                    if stillborn == LOSSES:
                        raise EngineError(
                            f"Worker processes end before they begin ({reason}; what they say is on stderr): "
                            "a script must start its work under 'if __name__ == \"__main__\":', and what a "
                            "kind computes must be a function of a module."
                        )
                elif worker.places:
                    place = worker.places.popleft()
                    losses[place] += 1
                    again = not worker.overdue and losses[place] < LOSSES
                    if worker.overdue:
                        reason = f"it took more than {seconds:g} s a cell, and was stopped"
                    elif not again:
                        reason = f"{LOSSES} processes were lost at it ({reason})"
                    came.append((place, Lost(reason, again)))
                    if again:
                        waiting.appendleft(place)
                waiting.extendleft(reversed(worker.places))  # handed out, but not begun
            left -= sum(not (isinstance(answer, Lost) and answer.again) for _, answer in came)
            if came:
                yield came
    finally:
        for worker in team:
            worker.stop()


@dataclass(eq=False)
class _Worker:
    """A process, the pipe to it, and the places of the batches that it has, the one it is at first."""

    function: Function
    memory: int | None
    places: collections.deque[int] = field(default_factory=collections.deque)
    sizes: collections.deque[int] = field(default_factory=collections.deque)
    pace: float = float("inf")  # seconds a batch, lately
    deadline: float = float("inf")
    begun: bool = False
    overdue: bool = False

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_work, args=(theirs, self.function, self.memory), name="errsrc worker", daemon=True
        )
        with for_workers():
            self.process.start()
        theirs.close()

    def hand_out(self, waiting: collections.deque[int], batches: Batches, seconds: float | None) -> None:
        """Send it batches: one, and more of them where they are quick."""
        while self.begun and waiting and (not self.places or len(self.places) * self.pace <= AHEAD_SECONDS):
            message = pickle.dumps(batches[waiting[0]])
            if self.places and sum(self.sizes) + len(message) > AHEAD_BYTES:
                return  # it might wait for us to read as we for it
            with contextlib.suppress(OSError):  # of a process that is gone, as will be seen
                self.connection.send_bytes(message)
            self.places.append(waiting.popleft())
            self.sizes.append(len(message))
            if len(self.places) == 1:
                self._set_deadline(batches, seconds)

    def answers(self, batches: Batches, seconds: float | None) -> list[tuple[int, Any]]:
        """Return what has come from it."""
        came = []
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll():
                message = self.connection.recv_bytes()
                if not self.begun:
                    self.begun = True
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

    def ended(self) -> str | None:
        """Return how it ended, as a phrase, or None while it lives; end it where it is overdue."""
        if time.monotonic() > self.deadline:
            self.overdue = True
            self.process.kill()
            self.process.join()
        elif self.process.is_alive():
            return None
        code = self.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


def _ready(team: Sequence[_Worker]) -> list[_Worker]:
    """Wait until a worker has something to say, has ended or is overdue; return those."""
    until = min(worker.deadline for worker in team)
    timeout = None if until == float("inf") else max(0.0, until - time.monotonic()) + 0.01
    heard = wait([x for worker in team for x in (worker.connection, worker.process.sentinel)], timeout)
    now = time.monotonic()
    return [
        worker
        for worker in team
        if worker.connection in heard or worker.process.sentinel in heard or now > worker.deadline
    ]


def _work(connection: Connection, function: Function, memory: int | None) -> None:
    """Answer batches until there are no more: what a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver tells when to end
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
    start = time.perf_counter()
    answer = function(batch)
    return time.perf_counter() - start, answer
