"""The engine of Dask workers, on any number of machines."""

from __future__ import annotations

import collections
import contextlib
import functools
import gc
import itertools
import logging
import os
import pickle
import queue
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from errsrc import checks
from errsrc.errors import EngineError
from errsrc.extras import require
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

_log = logging.getLogger(__name__)
_OVERDUE = "errsrc-overdue"
CONNECT_SECONDS = 10.0
"""How long the engine waits for a scheduler's first answer."""


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
    """Compute batches of cells on Dask workers.  Dask is installed by the extra ``errsrc[cluster]``.

    Parameters
    ----------
    function : callable
        Function that maps a batch to its answer, such as the results of its cells.  Workers need the same
        version of errsrc as this process.
    batches : sequence of sequences
        The batches.  Each batch is a sequence of cells that are computed together.
    workers : int, optional
        Number of workers that this call starts: processes of this machine (by default one per core), or SLURM
        jobs (by default 1).
    scheduler : str, optional
        The address of a running scheduler, such as ``"tcp://host:8786"``.  "slurm" starts workers in SLURM
        jobs, by dask-jobqueue and its configuration (``~/.config/dask/jobqueue.yaml``).  By default, a
        scheduler and workers start on this machine, at its loopback address.
    memory : int, optional
        Largest size of a worker's data, in bytes, see `errsrc.sweeps.local`.  The workers enforce this limit.
        Each worker should have one thread.
    seconds : float, optional
        Longest time of a cell.  A worker that takes longer ends itself.  The worker's nanny (a process that
        ``dask worker`` starts by default) then starts another worker.
    resources : mapping of str to float, optional
        Resources of a worker that one batch takes, such as ``{"GPU": 0.5}`` for two batches at a time on each
        GPU.  Only workers that were started with at least these resources get batches.

    Yields
    ------
    list of (int, object)
        The index of a batch and its answer, for each batch that has finished, see `errsrc.sweeps.engines`.

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed.
    ValueError
        If no scheduler answers at the address, or if SLURM cannot be used.
    EngineError
        If workers cannot compute at all, for example because they lack errsrc, or if the scheduler is lost.

    Notes
    -----
    Workers may join and leave at any time; while there are no workers, the engine waits.  Each thread of a
    worker has one batch at a time.  If a worker is lost, only the batch that it was computing is lost.  This
    batch is computed again, unless `MAX_LOST_PROCESSES` workers were lost while computing this batch.  Dask
    releases each result as soon as it has arrived.  Dask adds about 10 ms to each batch.
    """
    require("The dask engine", "distributed")
    if workers is not None:
        checks.Integer(at_least=1)(workers, "workers", "dask")
    check_limits("dask", memory, seconds)
    positive = checks.Number(above=0)
    asked = {name: positive(share, name, "dask") for name, share in (resources or {}).items()}
    with contextlib.ExitStack() as stack:
        client = _client(stack, scheduler, workers, asked)
        stack.enter_context(_connection(client))
        jobs = workers or 1 if scheduler == "slurm" else None
        tasks = _Tasks(client, function, batches, memory, seconds, asked, jobs)
        stack.callback(tasks.cancel)
        while tasks.unanswered:
            tasks.submit()
            yield tasks.answers()


class _Tasks:
    """The batches as tasks of a Dask client."""

    def __init__(
        self,
        client: Any,
        function: Function,
        batches: Batches,
        memory: int | None,
        seconds: float | None,
        resources: Mapping[str, float],
        jobs: int | None,
    ) -> None:
        self.client, self.batches, self.seconds = client, batches, seconds
        self.resources, self.jobs = resources, jobs
        self.work = functools.partial(_limited, function, memory, seconds)
        self.run_pickled = _run_pickled()
        self.waiting = iter(range(len(batches)))
        self.unanswered = len(batches)
        self.running: dict[str, tuple[int, Any]] = {}  # the index of a batch and its future, by Dask's key
        self.overdue: set[str] = set()  # Dask's keys
        self.lost_workers: collections.Counter[int] = collections.Counter()
        self.slots, self.slots_time = 0, 0.0
        self.warned = False
        self.news: queue.SimpleQueue[Any] = queue.SimpleQueue()  # finished futures, and events
        client.subscribe_topic("all", self.news.put)

    def submit(self) -> None:
        """Submit as many batches as the workers have slots for."""
        from distributed.protocol.pickle import dumps

        if time.monotonic() - self.slots_time > POLL_SECONDS:
            self._count_slots()
        for place in itertools.islice(self.waiting, max(0, self.slots - len(self.running))):
            pickled = dumps(functools.partial(self.work, self.batches[place]))
            future = self.client.submit(self.run_pickled, pickled, pure=False, resources=self.resources)
            self.running[future.key] = place, future
            future.add_done_callback(self.news.put)

    def _count_slots(self) -> None:
        if self.jobs is not None:
            self.client.cluster.scale(jobs=self.jobs)  # start new jobs for those whose time is up
        self.slots, self.slots_time = _slots(self.client, self.resources), time.monotonic()
        if not self.slots and not self.warned:
            offer = f" that offer {self.resources}" if self.resources else ""
            _log.warning("Waiting for Dask workers%s.", offer)
            self.warned = True

    def answers(self) -> list[tuple[int, Any]]:
        """Wait for finished futures or events, and return the answers that have arrived."""
        news = list(_all_of(self.news, POLL_SECONDS))
        answers: list[tuple[int, Any]] = []
        for event in (one[1] for one in news if isinstance(one, tuple) and isinstance(one[1], dict)):
            answers += self._lost_batches(event)
        futures = [one for one in news if not isinstance(one, tuple) and one.key in self.running]
        done = {future.key: self.running.pop(future.key) for future in futures}
        answers += _answers(self.client, list(done.values()))
        self.unanswered -= sum(
            not (isinstance(answer, LostBatch) and answer.retried) for _, answer in answers
        )
        return answers

    def _lost_batches(self, event: Mapping[str, Any]) -> Iterator[tuple[int, LostBatch]]:
        """Yield the batches that were lost with their worker, according to an event of the scheduler."""
        self.slots_time = 0.0  # workers have joined or left
        if event.get("action") == _OVERDUE:
            self.overdue.add(event["key"])
        for key in _lost_keys(event).intersection(self.running):
            place, future = self.running[key]
            retired = event.get("expected")  # by the scheduler, not because of the batch
            self.lost_workers[place] += not retired
            lost = self._lost(place, key)
            if not lost.retried:
                del self.running[key]
                self.client.cancel([future])
            yield place, lost

    def _lost(self, place: int, key: str) -> LostBatch:
        """Return the answer of a batch whose worker is lost."""
        if key in self.overdue:
            return LostBatch(f"it took more than {self.seconds:g} s per cell, and was stopped", retried=False)
        if self.lost_workers[place] < MAX_LOST_PROCESSES:
            return LostBatch("its worker was lost", retried=True)
        return LostBatch(f"{MAX_LOST_PROCESSES} workers were lost while they computed it", retried=False)

    def cancel(self) -> None:
        """Let Dask forget the batches that are not finished."""
        if self.client.status == "running":
            self.client.cancel([future for _, future in self.running.values()])
            self.client.unsubscribe_topic("all")


def _run_pickled() -> Callable[[bytes], Any]:
    """Return a function that unpickles a task and runs it.

    Dask sends a local function as code, so that a worker without errsrc can unpickle it.  A missing module
    then raises an error of the task, and does not end the worker.
    """

    def run(pickled: bytes) -> Any:
        return pickle.loads(pickled)()

    return run


def _client(
    stack: contextlib.ExitStack,
    scheduler: str | None,
    workers: int | None,
    resources: Mapping[str, float],
) -> Any:
    """Return a client of the scheduler; the stack closes it, and the cluster if this function starts one."""
    import distributed

    if scheduler is None:
        with worker_environment():
            local_cluster = functools.partial(
                distributed.LocalCluster,
                n_workers=workers or cores(), threads_per_worker=1, memory_limit=0, resources=resources,
                host="127.0.0.1", dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                preload=["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"],  # no Ctrl-C
            )  # fmt: skip
            cluster = _started(local_cluster)
        return stack.enter_context(
            _started(functools.partial(distributed.Client, stack.enter_context(cluster)))
        )
    if scheduler == "slurm":
        return stack.enter_context(
            _started(functools.partial(distributed.Client, stack.enter_context(_slurm())))
        )
    try:
        client = functools.partial(distributed.Client, scheduler, timeout=CONNECT_SECONDS)
        return stack.enter_context(_started(client))
    except (OSError, ValueError) as error:
        traceback.clear_frames(error.__traceback__)  # the client is closed now, see `_started`
        gc.collect()
        accepted = "the address of a Dask scheduler that answers, or 'slurm'"
        raise ValueError(checks.refusal("scheduler", "dask", accepted, scheduler)) from error


def _slurm() -> Any:
    """Return a cluster whose workers are SLURM jobs, configured by dask-jobqueue."""
    require("SLURM", "dask", "dask_jobqueue")
    from dask import config
    from dask_jobqueue import SLURMCluster

    if shutil.which("sbatch") is None:
        raise ValueError("SLURM is not installed on this machine: the command 'sbatch' was not found.")
    for name in ("cores", "memory"):
        if config.get(f"jobqueue.slurm.{name}", None) is None:
            raise ValueError(f"Dask's configuration must set 'jobqueue.slurm.{name}', the {name} of a job.")
    return _started(SLURMCluster)


def _started(make: Callable[[], Any]) -> Any:
    """Return a cluster or a client; try twice, because Dask gives its thread only 10 s to start.

    Garbage is collected first.  A client that could not connect is closed when it is collected.  Closing
    needs a lock that Dask holds while it starts another client.  If the client were collected during such a
    start, the process would wait forever.
    """
    gc.collect()
    try:
        return make()
    except AssertionError:
        return make()


@contextlib.contextmanager
def _connection(client: Any) -> Iterator[None]:
    """Raise EngineError if the connection to the scheduler is lost."""
    address = client.scheduler.address
    try:
        yield
    except OSError as error:
        raise EngineError(f"The Dask scheduler at {address} is lost.") from error


def _slots(client: Any, resources: Mapping[str, float]) -> int:
    """Return how many batches the workers can compute at once."""
    if client.status != "running":
        raise ConnectionError
    workers = client.sync(client.scheduler.identity)["workers"].values()
    shares = [[w["resources"].get(name, 0) / x + 1e-9 for name, x in resources.items()] for w in workers]
    return sum(int(min([w["nthreads"], *of])) for w, of in zip(workers, shares, strict=True))


def _all_of(news: queue.SimpleQueue[Any], timeout: float) -> Iterator[Any]:
    """Wait for the first item of a queue, and yield all items."""
    with contextlib.suppress(queue.Empty):
        yield news.get(timeout=timeout)
        while True:
            yield news.get_nowait()


def _lost_keys(event: Mapping[str, Any]) -> set[str]:
    """Return Dask's keys of the tasks that a lost worker had, according to an event."""
    if event.get("action") != "remove-worker":
        return set()
    return {*event["processing-tasks"], *event["lost-computed-tasks"]}


def _answers(client: Any, done: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Yield the answers of finished futures, and release the futures."""
    import distributed

    if any(future.cancelled() for _, future in done):
        raise ConnectionError
    found = client.gather({future.key: future for _, future in done}, errors="skip") if done else {}
    for place, future in done:
        if future.status == "finished":
            yield place, found[future.key]
        elif isinstance(error := future.exception(), distributed.scheduler.KilledWorker):
            yield place, LostBatch("several of its workers were lost", retried=False)
        else:
            what = f"{type(error).__name__}: {error}"
            raise EngineError(f"The Dask workers cannot compute this: {what}") from error
        future.release()


# In the worker.


def _limited(function: Function, memory: int | None, seconds: float | None, batch: Sequence[Any]) -> Any:
    """Compute a batch on a Dask worker, within limits of memory (bytes) and time (seconds per cell)."""
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
    """End this process, after telling the scheduler why, if the batch is not finished in time."""
    if not finished.wait(seconds):
        worker.log_event("all", {"action": _OVERDUE, "key": key})
        if not finished.wait(1.0):  # time to send the event
            os._exit(1)
