"""The runner: computes the cells of a study that are missing in its store."""

from __future__ import annotations

import collections
import contextlib
import functools
import hashlib
import importlib.metadata
import itertools
import platform
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from errsrc.errors import EngineError
from errsrc.records import own_modules
from errsrc.records.own_modules import WithModules
from errsrc.results import Result, TextTable
from errsrc.sweeps.engines import Engine, Function, LostBatch
from errsrc.sweeps.kind import RESERVED
from errsrc.sweeps.processes import local
from errsrc.sweeps.store import Store
from errsrc.sweeps.study import Study

MANY_CELLS = 20_000
"""From this number on, checking the cells may take seconds, and a line says so."""


@dataclass(frozen=True, repr=False)
class RunSummary(Result):
    """The outcome of a run of a study.

    Attributes
    ----------
    cells
        Number of cells of the study.
    kept
        Number of cells that were finished before.
    finished
        Number of cells that this run finished.
    failed
        The keys identify the failed cells of the study, see `Kind.key`.  The values are their error messages.
        Cells that failed in an earlier run and were not tried again are included.
    lost
        For each process that was lost during a batch, a phrase that says why it was lost.
    seconds
        Wall time of the run.
    """

    cells: int
    kept: int
    finished: int
    failed: Mapping[str, str]
    lost: tuple[str, ...]
    seconds: float

    def headline(self) -> str:
        """Return the outcome as one line."""
        parts = [f"{self.kept + self.finished:,} of {self.cells:,} cells are finished"]
        if self.kept:
            parts[0] += f", {self.finished:,} of them now"
        parts.append(f"{_duration(self.seconds)} of wall time")
        if self.lost:
            what = "a process was" if len(self.lost) == 1 else f"{len(self.lost)} processes were"
            parts.append(f"{what} lost ({self.lost[0]}), and their batches were computed again")
        text = "; ".join(parts) + "."
        if self.failed:
            first = next(iter(self.failed.values()))
            text += f"  {len(self.failed):,} failed, the first of them with: {first}"
        return text

    def content(self) -> list[str | TextTable]:
        """Return the outcome as lines of text."""
        return [self.headline()]


def run(
    study: Study,
    store: Store,
    engine: Engine = local,
    *,
    retry: bool = False,
    progress: bool = True,
) -> RunSummary:
    """Compute the cells of a study that are missing in its store.

    Parameters
    ----------
    study : Study
        The grid of cells.
    store : Store
        The file of finished cells, open for writing.
    engine : callable
        The engine that computes the cells: `errsrc.sweeps.local`, `errsrc.sweeps.dask`,
        `errsrc.sweeps.serial`, or a ``functools.partial`` of an engine with its options.
    retry : bool
        Whether to try again the cells that failed in an earlier run.
    progress : bool
        Whether to show a line on stderr with the numbers of finished and failed cells, the rate and the
        remaining time.

    Returns
    -------
    RunSummary
        The outcome.  It lists the failed cells; a failed cell raises no error.

    Raises
    ------
    TypeError, ValueError
        If every cell is rejected by its class or by its data, if a data file is invalid, or if rows in the
        store were computed with defaults that have changed since.  The error is raised before anything is
        computed.
    OSError
        If this machine lacks the data of a cell.  The error is raised before anything is computed.
    StoreError
        If the store cannot be written.  Rows that were written before are safe.  During the run, the error is
        a `StoreWriteError`, for example because the disk is full, or because the file was deleted or
        replaced.
    EngineError
        If the engine cannot compute anything, or a worker has another version of errsrc.

    Notes
    -----
    Each batch is written to the store as soon as it is computed.  Therefore an interruption (Ctrl-C, a kill,
    a power cut) loses only the batches that are being computed.  The result of a cell depends on the cell
    alone, except that the rounding errors depend on its batch.  The result does not depend on the order of
    the batches, on the number of workers or on retries.

    A cell that is rejected by its class or by its data counts as failed before anything is computed.  The
    other cells are computed.  If a batch of several cells raises ValueError or TypeError, each of its cells
    is computed again on its own.  Only the cells that raise an error again count as failed.
    """
    start = time.monotonic()
    missing, keys = store.missing(study), study.cell_keys()
    failed_before = {} if retry else store.failures()
    skipped = {keys[place]: failed_before[keys[place]] for place in missing if keys[place] in failed_before}
    todo = [place for place in missing if keys[place] not in skipped]
    if progress and len(todo) >= MANY_CELLS:
        print(f"Checking {len(todo):,} cells before the first is computed.", file=sys.stderr, flush=True)
    refused = refused_cells(study, todo)
    kept = len(study) - len(missing)
    if refused and len(refused) == len(study):
        raise refused[todo[0]]
    _record_refused(study, store, refused, progress)
    todo = [place for place in todo if place not in refused]
    under_way = _Run(study, store, todo, kept, sys.stderr if progress else None)
    under_way.compute(engine)
    failed = skipped | {keys[place]: _error_text(error) for place, error in refused.items()}
    failed, lost = failed | under_way.failures, tuple(under_way.losses)
    return RunSummary(len(study), kept, under_way.finished, failed, lost, time.monotonic() - start)


def refused_cells(study: Study, places: Sequence[int]) -> dict[int, Exception]:
    """Return a dict from indices to errors, for the cells that their class or their data reject.

    The function computes no cell.  If ``require_data`` rejects a list of cells, the function calls
    ``require_data`` again with each half of the list, down to single cells.

    Parameters
    ----------
    study : Study
        The grid of cells.
    places : sequence of int
        The indices of the cells to check.
    """
    refused: dict[int, Exception] = {}

    def accepted(group: Sequence[int]) -> Iterator[Any]:
        for place in group:
            try:
                yield study[place]  # building a cell checks it
            except (TypeError, ValueError) as error:
                refused[place] = error

    groups = [list(places)] if places else []
    while groups:
        group = groups.pop()
        cells = accepted(group)
        try:
            for first in cells:  # without any cell, require_data is not called: it could raise any error
                if study.kind.require_data is not None:
                    study.kind.require_data(itertools.chain([first], cells))
                collections.deque(cells, maxlen=0)  # build the cells that require_data did not read
        except (TypeError, ValueError) as error:
            if len(group) == 1:
                refused[group[0]] = error
            else:
                groups += [group[len(group) // 2 :], group[: len(group) // 2]]
    return dict(sorted(refused.items()))


def _record_refused(study: Study, store: Store, refused: Mapping[int, Exception], progress: bool) -> None:
    """Record the cells that were refused as failed, and say so on stderr."""
    with store.transaction():
        for place, error in refused.items():
            store.fail(study, [place], _error_text(error))
    if refused and progress:
        print(refusals_text(refused, len(study)), file=sys.stderr, flush=True)


def refusals_text(refused: Mapping[int, Exception], cells: int) -> str:
    """Return a line with the number of refused cells and the first error.

    Parameters
    ----------
    refused : dict of int to Exception
        What `refused_cells` returned; not empty.
    cells : int
        Number of cells of the study.
    """
    first = next(iter(refused.values()))
    are = "is" if len(refused) == 1 else "are"
    said = f"{len(refused):,} of {cells:,} cells {are} refused, and not computed. The first: {first}"
    return _storable(" ".join(said.split()))


def _error_text(error: BaseException) -> str:
    """Return an error as one line for the store."""
    return _storable(" ".join(f"{type(error).__name__}: {error}".split()))


class _Run:
    """A run in progress: its batches and their outcomes so far."""

    def __init__(
        self, study: Study, store: Store, todo: Sequence[int], kept: int, file: TextIO | None
    ) -> None:
        self.study, self.store = study, store
        batches = store.batches(study, todo)
        costs = [_cost(study, batch) for batch in batches]
        order = sorted(range(len(batches)), key=lambda i: -costs[i])
        self.batches, self.costs = [batches[i] for i in order], [costs[i] for i in order]
        known = study.kind.cost is not None
        self.progress = Progress(len(study), kept, sum(costs), file, known_costs=known)
        self.finished = 0
        self.alone: list[int] = []  # cells of batches that raised ValueError or TypeError
        self.failures: dict[str, str] = {}
        self.losses: list[str] = []

    def compute(self, engine: Engine) -> None:
        """Compute all batches, then single cells of batches that were refused, and store the outcomes."""
        self._compute(engine)
        if self.alone:
            self.batches, self.alone = [[place] for place in self.alone], []
            self.costs = [_cost(self.study, batch) for batch in self.batches]
            self._compute(engine)

    def _compute(self, engine: Engine) -> None:
        """Compute the batches, and write their outcomes to the store."""
        kind = self.study.kind
        work: Function = functools.partial(compute_batch, kind.compute, kind.packages, _versions_of_code())
        if own_modules.imported_modules():
            work = WithModules(work)
        with contextlib.ExitStack() as stack:
            stack.callback(self.progress.end)
            answers = engine(work, _Cells(self.study, self.batches)) if self.batches else iter(())
            if hasattr(answers, "close"):
                stack.callback(answers.close)
            for came in answers:
                if not came:
                    self.store.check_in_place()
                    continue
                with self.store.transaction():
                    for place, answer in came:
                        self._record(place, answer)
                self.progress.show()
                _check_code([answer for _, answer in came])

    def _record(self, place: int, answer: Any) -> None:
        """Write the answer to a batch to the store, and count it."""
        cells = self.batches[place]
        if isinstance(answer, LostBatch) and answer.retried:
            self.losses.append(answer.reason)
            return
        if isinstance(answer, CodeMismatch):
            return
        if isinstance(answer, BatchFailure) and answer.refused and len(cells) > 1:
            self.alone += cells
            return
        if isinstance(answer, LostBatch):
            answer = BatchFailure(answer.reason[0].upper() + answer.reason[1:] + ".", "")
        if isinstance(answer, BatchFailure):
            self.store.fail(self.study, cells, answer.error, answer.details)
            keys = self.study.cell_keys()
            self.failures.update((keys[cell], answer.error) for cell in cells)
        else:
            self.store.finish(self.study, zip(cells, answer, strict=True))
            self.finished += len(cells)
        self.progress.count(len(cells), self.costs[place], isinstance(answer, BatchFailure))


def _check_code(answers: Iterable[Any]) -> None:
    """Raise EngineError if a worker has another version of errsrc."""
    other = next((answer for answer in answers if isinstance(answer, CodeMismatch)), None)
    if other is not None:
        raise EngineError(
            f"A worker has errsrc {other.code}, and the driver errsrc {_versions_of_code()}: "
            "install the same on both; if errsrc was edited during the run, start the run again to continue."
        )


class _Cells(Sequence[Sequence[Any]]):
    """Batches of cells, which are built from their indices in the study when an engine asks for them."""

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
class BatchFailure:
    """The answer that an engine yields for a batch of cells if the computation raised an error.

    Attributes
    ----------
    error
        The error in one sentence.
    details
        The traceback.
    refused
        Whether the error is a ValueError or TypeError, as for a cell with a value that cannot be used.
    """

    error: str
    details: str
    refused: bool = False


@dataclass(frozen=True)
class CodeMismatch:
    """The answer of a worker that computes nothing, because its code of errsrc differs from the driver's.

    Attributes
    ----------
    code
        The worker's `code_version`.
    """

    code: str


def compute_batch(
    compute: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]],
    packages: Sequence[str],
    driver: str,
    cells: Sequence[Any],
) -> list[dict[str, Any]] | BatchFailure | CodeMismatch:
    """Compute a batch in a worker.

    Parameters
    ----------
    compute : callable
        The function of the cells' `errsrc.sweeps.Kind`.
    packages : sequence of str
        Names of the packages whose versions are recorded.
    driver : str
        Versions of the code of the driver, the process that controls the run: its `code_version`, and the
        digests of the user's modules.  A worker with other versions computes nothing.
    cells : sequence of cells
        The cells of the batch.

    Returns
    -------
    list of dict, BatchFailure or CodeMismatch
        A row for each cell, as `errsrc.sweeps.Store.finish` accepts it.  A `BatchFailure` if the function
        raises an error, or does not return one outcome per cell.  A `CodeMismatch` if the worker has another
        version of errsrc or of your own modules.
    """
    if _versions_of_code() != driver:
        return CodeMismatch(_versions_of_code())
    try:
        start = time.perf_counter()
        outcomes = list(compute(cells))
        seconds = time.perf_counter() - start
        if len(outcomes) != len(cells):
            raise ValueError(f"{len(outcomes)} outcomes came for {len(cells)} cells.")
        versions = package_versions(tuple(packages)) | own_modules.digests()
        return [
            _row(cell, outcome, seconds / len(cells), versions)
            for cell, outcome in zip(cells, outcomes, strict=True)
        ]
    except Exception as error:
        refused = isinstance(error, (TypeError, ValueError))
        return BatchFailure(_error_text(error), _storable(traceback.format_exc()), refused)


def failure_message(answer: Any) -> str | None:
    """Return the error message of a failed batch.

    Parameters
    ----------
    answer
        What an engine yielded for a batch of cells.

    Returns
    -------
    str or None
        The message; None for a batch that did not fail.
    """
    return answer.error if isinstance(answer, BatchFailure) else None


def _storable(text: str) -> str:
    """Return a text as valid UTF-8: undecodable bytes of file names are lone surrogates in Python."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(cell: Any, outcome: Mapping[str, Any], seconds: float, versions: dict[str, str]) -> dict[str, Any]:
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
        "versions": versions,
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
def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python and of packages, and the `code_version` of errsrc.

    Parameters
    ----------
    packages : tuple of str
        Names of the other packages.

    Returns
    -------
    dict of str to str
        The keys are names, the values are versions.
    """
    return {
        "python": platform.python_version(),
        "errsrc": code_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


@functools.cache
def code_version() -> str:
    """Return errsrc's version and a digest of its source code; the digest changes with every edit.

    Returns
    -------
    str
        The version, such as ``"0.1.0+1f3a5b7c9d2e"``.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{importlib.metadata.version('errsrc')}+{digest.hexdigest()[:12]}"


def _versions_of_code() -> str:
    """Return the `code_version`, and the digests of the user's modules that this process has imported."""
    return ", ".join([code_version(), *(" ".join(digest) for digest in own_modules.digests().items())])


# Progress.


class Progress:
    """A line that shows the progress of a run.

    On a terminal the line is rewritten.  Elsewhere, a new line is printed when a batch is finished, at most
    once in 30 seconds.  The first such line comes with the first batch that needs more than a second.

    Parameters
    ----------
    cells : int
        Number of cells of the study.
    kept : int
        Number of cells that were finished before.
    cost : float
        Cost of all cells to compute, from which the remaining time is estimated.
    file : text file, optional
        File to which the line is written; by default the line is not written.
    known_costs : bool
        Whether the costs of single cells are known.  If they are not, all cells count as equal, and the line
        says so next to the remaining time.
    """

    def __init__(
        self, cells: int, kept: int, cost: float, file: TextIO | None = None, *, known_costs: bool = True
    ) -> None:
        self.cells, self.done, self.kept, self.failed = cells, kept, kept, 0
        self.cost, self.cost_done, self.known_costs = cost, 0.0, known_costs
        self.file = file
        self.terminal = file is not None and file.isatty()
        self.start = self.last = time.monotonic()
        self.interval = 0.2 if self.terminal else 1.0
        self.width = 0
        self.is_shown = True

    def count(self, cells: int, cost: float, failed: bool) -> None:
        """Add the cells of a finished or failed batch to the counts.

        Parameters
        ----------
        cells : int
            Number of cells.
        cost : float
            Cost of these cells.
        failed : bool
            Whether these cells failed.
        """
        self.is_shown = False
        if failed:  # most failures come at once, and would make the other cells look fast
            self.failed += cells
            self.cost -= cost
        else:
            self.done += cells
            self.cost_done += cost

    def show(self) -> None:
        """Show the line, unless it was shown very recently."""
        now = time.monotonic()
        if now - self.last >= self.interval:
            self.last, self.interval = now, 0.2 if self.terminal else 30.0
            self._write(self.line(now - self.start))

    def line(self, seconds: float) -> str:
        """Return the text of the line.

        Parameters
        ----------
        seconds : float
            Time since the start.

        Returns
        -------
        str
            The numbers of finished and failed cells, the rate, and the remaining time.
        """
        rate = (self.done - self.kept + self.failed) / seconds if seconds else 0.0
        shown = f"{rate:,.0f} per second" if rate >= 10 else f"{60 * rate:,.3g} per minute"
        failed = f", {self.failed:,} failed" if self.failed else ""
        left = ""
        if 0 < self.cost_done < self.cost:
            remaining = seconds * (self.cost - self.cost_done) / self.cost_done
            left = f", about {_duration(remaining)} left"
            left += "" if self.known_costs else " if all cells take equally long"
        return f"{self.done:,} of {self.cells:,} cells{failed}, {shown}{left}"

    def end(self) -> None:
        """Show the line a last time."""
        if not self.is_shown:
            self._write(self.line(time.monotonic() - self.start))
        if self.width:
            print(file=self.file, flush=True)

    def _write(self, text: str) -> None:
        self.is_shown = True
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
