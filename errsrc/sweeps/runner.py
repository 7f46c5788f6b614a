"""The runner: what is missing of a study is computed, and nothing else."""

from __future__ import annotations

import collections
import contextlib
import functools
import hashlib
import importlib.metadata
import platform
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from errsrc.errors import EngineError
from errsrc.sweeps.engines import Answers, Batches, Function, Lost
from errsrc.sweeps.kind import RESERVED
from errsrc.sweeps.processes import local
from errsrc.sweeps.store import Store
from errsrc.sweeps.study import Study

Engine = Callable[[Function, Batches], Answers]


@dataclass(frozen=True)
class Summary:
    """What a run of a study came to.

    Attributes
    ----------
    cells, kept, finished
        Cells of the study, those that were finished before, and those that are finished now beside them.
    failed
        What went wrong with each failed cell of the study, by key; those of earlier runs included that
        were not tried again.
    lost
        Why batches had to be computed again: a phrase for each process or worker lost while at one.
    seconds
        Wall time of the run.
    """

    cells: int
    kept: int
    finished: int
    failed: Mapping[str, str]
    lost: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        parts = [f"{self.kept + self.finished:,} of {self.cells:,} cells are finished"]
        if self.kept:
            parts[0] += f", {self.finished:,} of them now"
        parts.append(f"{_duration(self.seconds)} of wall time")
        if self.lost:
            what = "a process was" if len(self.lost) == 1 else f"{len(self.lost)} processes were"
            parts.append(f"{what} lost ({self.lost[0]}), and what they were at was computed again")
        text = "; ".join(parts) + "."
        if self.failed:
            which = next(iter(self.failed.values()))
            text += f"  {len(self.failed):,} failed, the first of them with: {which}"
        return text


def run(
    study: Study,
    store: Store,
    engine: Engine = local,
    *,
    retry: bool = False,
    progress: bool = True,
) -> Summary:
    """Compute the cells of a study that are missing in its store.

    Parameters
    ----------
    study, store
        What is wanted, and where it goes; the store open for writing.
    engine
        What computes: `local`, `dask`, `serial`, or a ``functools.partial`` of one with its options.
    retry
        Try again the cells that failed in an earlier run; left alone otherwise.
    progress
        Whether to show on stderr how far it is, with the rate, the time left and the failures.

    Returns
    -------
    Summary
        Failed cells are named in it and raise nothing.

    Raises
    ------
    ValueError
        Before anything is computed: for a cell that its class refuses, data files that are not what they
        should be, and rows in the store that were computed under defaults which have changed.
    OSError
        Before anything is computed: where this machine has no data for a cell.
    StoreError
        If the store cannot be written; rows finished before are safe in it.
    EngineError
        If the engine cannot compute anything, or a worker's errsrc is not this one.

    Notes
    -----
    Each batch goes into the store whole as soon as it comes, so that an interruption (Ctrl-C, a kill, a
    power cut) costs what was being computed and no more.  A cell's result depends on the cell and, to
    rounding, on its batch; on no order, number of workers or retry.
    """
    start = time.monotonic()
    kind = study.kind
    missing = store.missing(study)
    failed = {key: error for key, error in store.failures().items()}
    keys = study.cell_keys()
    skipped = {} if retry else {keys[p]: failed[keys[p]] for p in missing if keys[p] in failed}
    todo = [place for place in missing if keys[place] not in skipped]
    cells = (study[place] for place in todo)  # one that its class refuses is refused now
    if kind.ready is not None:
        kind.ready(cells)
    collections.deque(cells, maxlen=0)  # those that it left
    batches = store.batches(study, todo)
    costs = [_cost(study, batch) for batch in batches]
    order = sorted(range(len(batches)), key=lambda i: -costs[i])
    batches, costs = [batches[i] for i in order], [costs[i] for i in order]
    shown = Progress(len(study), len(study) - len(missing), sum(costs), sys.stderr if progress else None)
    failures: dict[str, str] = {}
    lost: list[str] = []
    finished = 0
    work = functools.partial(attempt, kind.compute, kind.packages, code())
    with contextlib.ExitStack() as stack:
        stack.callback(shown.end)
        answers = engine(work, _Cells(study, batches)) if batches else iter(())
        if hasattr(answers, "close"):
            stack.callback(answers.close)
        for came in answers:
            with store.transaction():
                for place, answer in came:
                    members = batches[place]
                    if isinstance(answer, Lost) and answer.again:
                        lost.append(answer.reason)
                        continue
                    if isinstance(answer, Lost):
                        answer = Failure(answer.reason[0].upper() + answer.reason[1:] + ".", "")
                    if isinstance(answer, OtherCode):
                        continue
                    if isinstance(answer, Failure):
                        store.fail(study, members, answer.error, answer.details)
                        failures.update((keys[p], answer.error) for p in members)
                    else:
                        store.finish(study, zip(members, answer, strict=True))
                        finished += len(members)
                    shown.move(len(members), costs[place], isinstance(answer, Failure))
            shown.show()
            other = next((answer for _, answer in came if isinstance(answer, OtherCode)), None)
            if other is not None:
                raise EngineError(
                    f"A worker has errsrc {other.code}, and the driver errsrc {code()}: install the same on "
                    "both; where it was edited meanwhile, start again to go on."
                )
    seconds = time.monotonic() - start
    return Summary(len(study), len(study) - len(missing), finished, skipped | failures, tuple(lost), seconds)


class _Cells(Sequence[Sequence[Any]]):
    """Batches as engines take them: cells, built from their places in the study when they are asked for."""

    def __init__(self, study: Study, places: Sequence[Sequence[int]]) -> None:
        self.study, self.places = study, places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Any) -> Any:
        return [self.study[place] for place in self.places[index]]


def _cost(study: Study, places: Sequence[int]) -> float:
    if study.kind.cost is None:
        return float(len(places))
    return sum(study.kind.cost(study[place]) for place in places)


# In the worker.


@dataclass(frozen=True)
class Failure:
    """A batch that raised: the error in a sentence, and as details the traceback."""

    error: str
    details: str


@dataclass(frozen=True)
class OtherCode:
    """The answer of a worker whose `code` is not the driver's: it computes nothing."""

    code: str


def attempt(
    compute: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]],
    packages: Sequence[str],
    driver: str,
    cells: Sequence[Any],
) -> list[dict[str, Any]] | Failure | OtherCode:
    """Compute a batch and return what the store takes for each cell; an error as a `Failure`.

    Parameters
    ----------
    compute, packages
        Those of the cells' `errsrc.sweeps.Kind`.
    driver
        The driver's `code`: another one here computes nothing.
    cells
        The batch.  ValueError of other than one outcome a cell is a `Failure` too.
    """
    if code() != driver:
        return OtherCode(code())
    try:
        start = time.perf_counter()
        outcomes = list(compute(cells))
        seconds = time.perf_counter() - start
        if len(outcomes) != len(cells):
            raise ValueError(f"{len(outcomes)} outcomes came for {len(cells)} cells.")
        found = versions(tuple(packages))
        return [
            _row(cell, outcome, seconds / len(cells), found)
            for cell, outcome in zip(cells, outcomes, strict=True)
        ]
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return Failure(_storable(text), _storable(traceback.format_exc()))


def failed(answer: Any) -> str | None:
    """Return what went wrong with a batch by its answer, or None."""
    return answer.error if isinstance(answer, Failure) else None


def _storable(text: str) -> str:
    """Return a text without what is no UTF-8: bytes of file names come as lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(cell: Any, outcome: Mapping[str, Any], seconds: float, found: dict[str, str]) -> dict[str, Any]:
    result = {}
    for name, value in outcome.items():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][\w.-]*", name):
            raise ValueError(f"A result is named {name!r}: letters, digits, '_', '.' and '-' are accepted.")
        if hasattr(cell, name.partition(".")[0]):
            raise ValueError(f"A result has the name of a field of its cell, {name!r}.")
        if name not in ("curve", "seconds", "device"):
            if name in RESERVED:
                raise ValueError(f"A result is named {name!r}, which is a column of the sweep's own.")
            result[name] = _plain(name, value)
    return {
        "result": result,
        "curve": {name: _array(name, values) for name, values in outcome.get("curve", {}).items()},
        "seconds": float(outcome.get("seconds", seconds)),
        "device": str(outcome.get("device", f"CPU ({platform.machine()})")),
        "versions": found,
    }


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) not in (bool, int, float, str):
        raise TypeError(f"The result {name!r} must be a number, a string or a boolean, not {value!r}.")
    return _storable(value) if isinstance(value, str) else value


def _array(name: str, values: Any) -> list[Any]:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise TypeError(f"The curve {name!r} must be a one-dimensional array of numbers.")
    return list(array.tolist())


@functools.cache
def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python, errsrc with its code, and packages."""
    return {
        "python": platform.python_version(),
        "errsrc": code(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


@functools.cache
def code() -> str:
    """Return errsrc's version and a digest of its source: what is the same has computed the same."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{importlib.metadata.version('errsrc')}+{digest.hexdigest()[:12]}"


# Progress.


class Progress:
    """A line on how far a run is: rewritten on a terminal, now and then elsewhere.

    Parameters
    ----------
    cells, kept
        Cells of the study, and those of them finished before.
    cost
        Of all cells to compute, in the unit of the kind's ``cost``, by which the time left is told.
    file
        Where to; None for nowhere.
    """

    def __init__(self, cells: int, kept: int, cost: float, file: TextIO | None) -> None:
        self.cells, self.done, self.kept, self.failed = cells, kept, kept, 0
        self.cost, self.spent = cost, 0.0
        self.file = file
        self.terminal = file is not None and file.isatty()
        self.start = self.last = time.monotonic()
        self.width = 0
        self.told = True

    def move(self, cells: int, cost: float, failed: bool) -> None:
        """Count cells that have come, with their share of the cost."""
        self.told = False
        self.spent += cost
        if failed:
            self.failed += cells
        else:
            self.done += cells

    def show(self) -> None:
        """Show the line, unless that was done a moment ago."""
        now = time.monotonic()
        if now - self.last >= (0.2 if self.terminal else 10.0):
            self.last = now
            self._write(self.line(now - self.start))

    def line(self, seconds: float) -> str:
        """Return the line after so many seconds."""
        rate = (self.done - self.kept + self.failed) / seconds if seconds else 0.0
        shown = f"{rate:,.0f} a second" if rate >= 10 else f"{60 * rate:,.3g} a minute"
        failed = f", {self.failed:,} failed" if self.failed else ""
        left = ""
        if 0 < self.spent < self.cost:
            left = f", about {_duration(seconds * (self.cost - self.spent) / self.spent)} left"
        return f"{self.done:,} of {self.cells:,} cells{failed}, {shown}{left}"

    def end(self) -> None:
        """Show the last line."""
        if not self.told:
            self._write(self.line(time.monotonic() - self.start))
        if self.width:
            print(file=self.file, flush=True)

    def _write(self, text: str) -> None:
        self.told = True
        if self.file is None:
            return
        if self.terminal:
            print("\r" + text.ljust(self.width), end="", file=self.file, flush=True)
            self.width = len(text)
        else:
            print(text, file=self.file, flush=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
