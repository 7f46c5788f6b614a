"""The engine of Dask workers, on any number of machines."""

from __future__ import annotations

import collections
import contextlib
import functools
import importlib.util
import itertools
import logging
import os
import pickle
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from errsrc import checks
from errsrc.errors import EngineError
from errsrc.sweeps.engines import LOSSES, Answers, Batches, Function, Lost, check_limits, cores, for_workers

_log = logging.getLogger(__name__)
_OVERDUE = "errsrc-overdue"
CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer at first."""


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
        Limits in bytes and seconds, as `local` has them, held by the workers themselves, which should have
        one thread each.  A worker that takes too long ends itself, and its nanny, which ``dask worker``
        starts unless told otherwise, starts another.
    resources
        What of a worker's resources a batch takes, as ``{"GPU": 0.5}`` for two a GPU; only workers
        started with as much of it get one.

    Raises
    ------
    ValueError
        If Dask is not installed, no scheduler answers at the address, or SLURM cannot be used.
    EngineError
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
    check_limits("dask", memory, seconds)
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


def _client(
    stack: contextlib.ExitStack,
    scheduler: str | None,
    workers: int | None,
    resources: Mapping[str, float],
) -> Any:
    """Return a client of the scheduler asked for, which the stack closes with what was started here."""
    import distributed

    if scheduler is None:
        with for_workers():
            local_cluster = functools.partial(
                distributed.LocalCluster,
                n_workers=workers or cores(), threads_per_worker=1, memory_limit=0, resources=resources,
                host="127.0.0.1", dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
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
        raise EngineError(f"The Dask scheduler at {address} is lost.") from error


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
            raise EngineError(f"The Dask workers cannot compute this: {what}") from error
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
