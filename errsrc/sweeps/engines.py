"""Engines: what maps batches of cells to results, as they come.

An engine is one function, ``engine(function, batches)``, that yields lists of ``(place, answer)``: the
place of a batch among the batches, and what ``function(batch)`` returned for it, or `Lost` where the
process that was at it is gone.  Answers come in any order, the last one of each batch exactly once.
What the engines here are told beside that goes into a ``functools.partial``.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import importlib.util
import itertools
import logging
import multiprocessing
import os
import pickle
import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
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
    RuntimeError
        If processes end before they have begun.

    Notes
    -----
    A process that is lost (killed, out of memory, crashed) costs the batch it was at, which is computed
    again until it has lost `LOSSES` processes; all others go on.  Each process has a pipe of its own, so
    that none can leave a lock held or half a message in the way of another.  They end with this process,
    however it ends.  Floor: 0.05 ms a batch, of pickling and pipes.
    """
    workers = _cores() if workers is None else checks.integer(workers, "workers", "local", 1)
    _check_limits("local", memory, seconds)
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
                        raise RuntimeError(
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


def dask(
    function: Function,
    batches: Batches,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    memory: int | None = None,
    seconds: float | None = None,
    resources: Mapping[str, float] | None = None,
) -> Answers:
    """Compute batches on Dask workers: the extra ``errsrc[cluster]``.

    Parameters
    ----------
    function, batches
        See the module.  Workers need the same errsrc as this process.
    workers
        Workers to start where this call starts them: processes of this machine (by default one a core),
        or jobs of SLURM (by default 1).
    scheduler
        An address such as ``"tcp://host:8786"``; ``"slurm"`` for workers in jobs of their own, started
        through dask-jobqueue as its configuration says (``~/.config/dask/jobqueue.yaml``); without it,
        workers on the loopback address of this machine.
    memory, seconds
        Limits as `local` has them, held by the workers themselves, which should have one thread each.
        A worker that takes too long ends itself, and its nanny, which ``dask worker`` starts unless told
        otherwise, starts another.
    resources
        What of a worker's resources a batch takes, as ``{"GPU": 0.5}`` for two a GPU; only workers
        started with as much of it get one.

    Raises
    ------
    ValueError
        If Dask is not installed, no scheduler answers at the address, or SLURM cannot be used.
    RuntimeError
        If workers cannot compute at all, as without errsrc, or the scheduler is lost.

    Notes
    -----
    Workers may come and go; while there are none, it waits.  A thread of a worker has one batch at a
    time, so that a worker that is lost costs what it was at: that is computed again until it has lost
    `LOSSES` of them.  Each result is let go of when it has come.  Floor: some 10 ms a batch and worker.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ValueError("The dask engine needs the extra 'cluster': pip install 'errsrc[cluster]'.")
    from distributed.protocol.pickle import dumps as packed

    if workers is not None:
        checks.integer(workers, "workers", "dask", 1)
    _check_limits("dask", memory, seconds)
    asked = {name: checks.number(x, name, "dask", 0, open_low=True) for name, x in (resources or {}).items()}
    work = functools.partial(_limited, function, memory, seconds)

    def unpacked(pickled: bytes) -> Any:  # a local function, which is sent as code: no errsrc is needed
        return pickle.loads(pickled)()  # so that this raises where anything is missing, and ends no worker

    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    at: dict[str, tuple[int, Any]] = {}  # batches being computed, with their futures, by Dask's key
    overdue: set[str] = set()
    losses: collections.Counter[int] = collections.Counter()
    waiting = iter(range(len(batches)))
    left = len(batches)
    with contextlib.ExitStack() as stack:
        client = _client(stack, scheduler, workers, asked)
        stack.enter_context(_connection(client))
        stack.callback(_give_up, client, at)
        client.subscribe_topic("all", news.put)
        slots, looked, told = 0, 0.0, False
        while left:
            if time.monotonic() - looked > 2.0:  # workers come and go
                if scheduler == "slurm":
                    client.cluster.scale(jobs=workers or 1)  # those whose time is up have successors
                slots, looked = _slots(client, asked), time.monotonic()
                if not slots and not told:
                    _log.warning("Waiting for Dask workers%s.", f" that offer {asked}" if asked else "")
                    told = True
            for place in itertools.islice(waiting, max(0, slots - len(at))):
                batch = packed(functools.partial(work, batches[place]))
                future = client.submit(unpacked, batch, pure=False, resources=asked)
                at[future.key] = place, future
                future.add_done_callback(news.put)
            new = list(_all_of(news, timeout=2.0))
            came: list[tuple[int, Any]] = []
            for event in (x[1] for x in new if isinstance(x, tuple) and isinstance(x[1], dict)):
                looked = 0.0
                if event.get("action") == _OVERDUE:
                    overdue.add(event["key"])
                for key in _lost(event).intersection(at):
                    place, future = at[key]
                    losses[place] += not event.get(
                        "expected"
                    )  # by the scheduler, as when a worker is retired
                    if key in overdue:
                        answer = Lost(f"it took more than {seconds:g} s a cell, and was stopped", again=False)
                    elif losses[place] < LOSSES:
                        answer = Lost("its worker was lost", again=True)
                    else:
                        answer = Lost(f"{LOSSES} workers were lost at it", again=False)
                    came.append((place, answer))
                    if not answer.again:
                        client.cancel([at.pop(key)[1]])
            done = {x.key: at.pop(x.key) for x in new if not isinstance(x, tuple) and x.key in at}
            came += _answers(client, list(done.values()))
            left -= sum(not (isinstance(answer, Lost) and answer.again) for _, answer in came)
            yield came


_log = logging.getLogger(__name__)
_OVERDUE = "errsrc-overdue"
CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer at first."""


def _client(
    stack: contextlib.ExitStack,
    scheduler: str | None,
    workers: int | None,
    resources: Mapping[str, float],
) -> Any:
    """Return a client of the scheduler asked for, which the stack closes with what was started here."""
    import distributed

    if scheduler is None:
        with _for_workers():
            local_cluster = functools.partial(
                distributed.LocalCluster,
                n_workers=workers or _cores(), threads_per_worker=1, memory_limit=0, resources=resources,
                host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL,
                preload=["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"],  # Ctrl-C is ours
            )  # fmt: skip
            cluster = _started(local_cluster)
        return stack.enter_context(distributed.Client(stack.enter_context(cluster)))
    if scheduler == "slurm":
        return stack.enter_context(distributed.Client(stack.enter_context(_slurm())))
    try:
        return stack.enter_context(distributed.Client(scheduler, timeout=CONNECT_SECONDS))
    except (OSError, ValueError) as error:
        accepted = "the address of a Dask scheduler that answers, or 'slurm'"
        raise ValueError(checks.refusal("scheduler", "dask", accepted, scheduler)) from error


def _slurm() -> Any:
    """Return a cluster for workers in jobs of SLURM, as the configuration of dask-jobqueue has it."""
    try:
        from dask import config
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise ValueError("SLURM needs the extra 'cluster': pip install 'errsrc[cluster]'.") from None
    if shutil.which("sbatch") is None:
        raise ValueError("There is no SLURM here: no command 'sbatch' is found.")
    for name in ("cores", "memory"):
        if config.get(f"jobqueue.slurm.{name}", None) is None:
            raise ValueError(f"Dask's configuration must have 'jobqueue.slurm.{name}', what a job gets.")
    return _started(SLURMCluster)


def _started(cluster: Callable[[], Any]) -> Any:
    """Return a cluster, at the second try where a machine stalls: Dask gives its thread 10 s to begin."""
    try:
        return cluster()
    except AssertionError:
        return cluster()


@contextlib.contextmanager
def _connection(client: Any) -> Iterator[None]:
    """Raise in one sentence what comes of a connection that is lost."""
    address = client.scheduler.address
    try:
        yield
    except OSError as error:
        raise RuntimeError(f"The Dask scheduler at {address} is lost.") from error


def _give_up(client: Any, at: Mapping[str, tuple[int, Any]]) -> None:
    """Have Dask forget what is not finished."""
    if client.status == "running":
        client.cancel([future for _, future in at.values()])
        client.unsubscribe_topic("all")


def _slots(client: Any, resources: Mapping[str, float]) -> int:
    """Return how many batches the workers can be at at once."""
    if client.status != "running":
        raise ConnectionError
    workers = client.sync(client.scheduler.identity)["workers"].values()
    shares = [[w["resources"].get(name, 0) / x + 1e-9 for name, x in resources.items()] for w in workers]
    return sum(int(min([w["nthreads"], *of])) for w, of in zip(workers, shares, strict=True))


def _all_of(news: queue.SimpleQueue[Any], timeout: float) -> Iterator[Any]:
    """Yield what is in the queue, having waited for the first."""
    with contextlib.suppress(queue.Empty):
        yield news.get(timeout=timeout)
        while True:
            yield news.get_nowait()


def _lost(event: Mapping[str, Any]) -> set[str]:
    """Return the keys that an event of the scheduler says were at a worker that is lost."""
    if event.get("action") != "remove-worker":
        return set()
    return {*event["processing-tasks"], *event["lost-computed-tasks"]}


def _answers(client: Any, done: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Yield what futures that are done have to say, and let go of them."""
    import distributed

    if any(future.cancelled() for _, future in done):
        raise ConnectionError
    found = client.gather({future.key: future for _, future in done}, errors="skip") if done else {}
    for place, future in done:
        if future.status == "finished":
            yield place, found[future.key]
        elif isinstance(error := future.exception(), distributed.scheduler.KilledWorker):
            yield place, Lost("its workers were lost again and again", again=False)
        else:
            what = f"{type(error).__name__}: {error}"
            raise RuntimeError(f"The Dask workers cannot compute this: {what}") from error
        future.release()


# In the worker.


def _limited(function: Function, memory: int | None, seconds: float | None, batch: Sequence[Any]) -> Any:
    """Compute a batch within limits, on a worker that is not ours."""
    with contextlib.ExitStack() as stack:
        if memory is not None:
            import resource

            before = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (memory, before[1]))
            stack.callback(resource.setrlimit, resource.RLIMIT_DATA, before)
        if seconds is not None:
            import distributed

            worker, finished = distributed.get_worker(), threading.Event()
            end = (worker, worker.get_current_task(), finished, seconds * len(batch))
            threading.Thread(target=_end_overdue, args=end, daemon=True).start()
            stack.callback(finished.set)
        return function(batch)


def _end_overdue(worker: Any, key: str, finished: threading.Event, seconds: float) -> None:
    """End this process if it takes longer than that, having said why."""
    if not finished.wait(seconds):
        worker.log_event("all", {"action": _OVERDUE, "key": key})
        if not finished.wait(1.0):  # while that is sent
            os._exit(1)


AHEAD_SECONDS, AHEAD_BYTES = 0.05, 16_384
"""How much work a process is sent beside what it is at: what it does in that time, and what a pipe holds."""


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
        with _for_workers():
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


@contextlib.contextmanager
def _for_workers() -> Iterator[None]:
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


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_limits(where: str, memory: int | None, seconds: float | None) -> None:
    if memory is not None:
        checks.integer(memory, "memory", where, 2**26)
        if not hasattr(os, "sched_getaffinity"):
            raise ValueError("The 'memory' limit is Linux's alone: leave it out.")
    if seconds is not None:
        checks.number(seconds, "seconds", where, 0, open_low=True)
