"""Compute the cells of a study in the order of a design, until the interval of an answer is narrow enough."""

from __future__ import annotations

import functools
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from errsrc import checks
from errsrc.checks import LEVEL, PATH, Instance, Number, Optional
from errsrc.errors import NoAnswer, NoFit
from errsrc.fitting.designs import Design, checked_question, design, question_text, width_text
from errsrc.fitting.plans import training_flops
from errsrc.fitting.several_laws import auto
from errsrc.fitting.targets import Step, TargetedRun
from errsrc.laws.law import Array
from errsrc.studies.files import files_of
from errsrc.studies.finished import FinishedStudy
from errsrc.studies.kinds import import_own
from errsrc.studies.spec import load
from errsrc.studies.trained import (
    Quantities,
    is_usable,
    planned_quantities,
    sizes_of,
)
from errsrc.sweeps import Store, Study, local, run
from errsrc.sweeps.engines import Engine
from errsrc.sweeps.runner import refused_cells

FIRST_CELLS = {1: 8, 2: 16}
"""Number of different sizes that are computed before the first fit, by the number of inputs of the law.

Fits to fewer points often find the noise too small, and intervals that are too narrow would end the run.
`sims/run_until.py` measures how often the intervals hold where runs end."""
SHARE = 4
"""Each step computes at most one cell for this many finished cells, and at least `FEWEST`."""
FEWEST = 2
"""The number of cells that a step may always compute."""
PARAMETERS = {1: 3, 2: 5}
"""Number of parameters of the fitted laws, by the number of inputs."""


@checks.arguments(path=PATH, store=Optional(PATH), level=LEVEL)
def run_until(
    path: str | os.PathLike[str],
    until: str | float,
    question: Mapping[str, Any] | None = None,
    *,
    store: str | os.PathLike[str] | None = None,
    engine: Engine = local,
    level: float = 0.9,
    retry: bool = False,
    progress: bool = True,
    modules: str | Iterable[str] = (),
) -> TargetedRun:
    """Compute cells of a study until the interval of an answer is narrow enough.

    The cells of the smallest sizes are computed first.  Then `errsrc.auto` is fitted to all finished cells,
    `errsrc.design` chooses the next cells among the missing ones, and these two steps are repeated.  The same
    call resumes after an interruption: it starts from the cells that are finished.

    Parameters
    ----------
    path : path
        The study's TOML file.  Its cells differ only in n, in the model size m, and in the seed.
    until : str or float
        The run stops when the half-width of the interval is at most this number: "interval < 3%", "3%" or
        0.03.  For an exponent, give a plain number, such as "interval < 0.02".
    question : dict, optional
        The question: ``{"n": 1e6, "m": 1e5}`` for the error of a run of these sizes, ``{"exponent": "n"}`` or
        ``{"exponent": "m"}``, or ``{"frontier": 1e20}`` for the best model size at this budget in operations,
        with 6 * n * m operations for a run.  The default is the error of the largest cell.
    store : path, optional
        The file of finished cells, created if it does not exist; by default STUDY.db next to STUDY.toml.
    engine : callable
        The engine that computes the cells, see `errsrc.run_study`.
    level : float
        Coverage of the interval, in (0, 1).
    retry : bool
        Whether to try again the cells that failed in an earlier run.
    progress : bool
        Whether to show progress on stderr.
    modules : str or iterable of str
        Names of your own modules, see `errsrc.run_study`.

    Returns
    -------
    TargetedRun
        The answer, why the run stopped, and which cells were not computed.

    Raises
    ------
    ValueError
        If the cells differ in other fields than sizes and seeds, if sizes are not known before cells are
        computed, or if an argument is out of range.
    StoreError
        If the file of finished cells cannot be written.

    Notes
    -----
    The kind of the study gives the cost of a cell (the option ``cost`` of `errsrc.sweeps.Kind`).  For kinds
    without costs, the cost is 6 * n * m, or n for a law in n alone.  The number of cells in a step is at most
    a quarter of the number of finished cells, but at least two.  An interval that is narrow by chance ends
    the run, so that the intervals of such runs contain the true value somewhat less often than their level
    says.
    """
    spec, kept = files_of(path, store)
    import_own(modules)
    with Store(kept, write=True) as opened:
        return compute_until(
            load(spec), opened, until, question, engine=engine, level=level, retry=retry, progress=progress
        )


@checks.arguments(
    study=Instance(Study, "a Study"), store=Instance(Store, "a Store, open for writing"), level=LEVEL
)
def compute_until(
    study: Study,
    store: Store,
    until: str | float,
    question: Mapping[str, Any] | None = None,
    *,
    engine: Engine = local,
    level: float = 0.9,
    retry: bool = False,
    progress: bool = True,
) -> TargetedRun:
    """Compute cells of a study in an open store until an interval is narrow enough, see `run_until`.

    Parameters
    ----------
    study : Study
        The grid of cells.
    store : Store
        The file of finished cells, open for writing.
    until : str or float
        The run stops when the half-width of the interval is at most this number, see `run_until`.
    question : dict, optional
        The question, see `run_until`.
    engine : callable
        The engine that computes the cells.
    level : float
        Coverage of the interval, in (0, 1).
    retry : bool
        Whether to try again the cells that failed in an earlier run.
    progress : bool
        Whether to show progress on stderr.

    Returns
    -------
    TargetedRun
        The outcome.
    """
    start = time.monotonic()
    goal, is_share = _goal(until)
    planned = _Planned(study, store, retry)
    asked = planned.largest() if question is None else checked_question(question, planned.names, "run_until")
    if "exponent" in asked and is_share:
        accepted = "a number without % for an exponent, such as 'interval < 0.02'"
        raise ValueError(checks.refusal("until", "run_until", accepted, until))
    kept = planned.finished().size
    steps = list[Step]()
    while True:
        found = planned.fitted(asked, goal, level)
        steps.append(planned.step(found, asked))
        chosen, reason = planned.next_cells(found, goal)
        if progress:
            _say(found, steps[-1], len(study), len(chosen))
        if not chosen:
            break
        planned.compute(chosen, engine, progress)
    return TargetedRun(
        question=question_text(asked),
        until=goal,
        relative="exponent" not in asked,
        steps=tuple(steps),
        reached=steps[-1].half_width <= goal,
        reason=reason,
        cells=len(study),
        kept=int(kept),
        skipped={name: x[planned.open()] for name, x in planned.sizes.items()},
        failed=planned.failed,
        forecast=found.forecast if isinstance(found, Design) else None,
        seconds=time.monotonic() - start,
    )


def _say(found: Design | str, step: Step, cells: int, more: int) -> None:
    """Print the state of the run on stderr."""
    width = f"{found.question} {found.width_text(step.half_width)}" if isinstance(found, Design) else found
    then = f"; {more:,} more follow" if more else ""
    print(f"{step.cells:,} of {cells:,} cells are finished: {width}{then}.", file=sys.stderr, flush=True)


def _goal(until: object) -> tuple[float, bool]:
    """Return half the width that is wanted, and whether it was given in percent."""
    if isinstance(until, str):
        number = r"(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)\s*(%?)"
        match = re.fullmatch(rf"\s*(?:interval\s*<=?\s*)?{number}\s*", until)
        if match and float(match[1]) > 0:
            return float(match[1]) / (100 if match[2] else 1), bool(match[2])
        raise ValueError(
            checks.refusal("until", "run_until", "a number > 0, or a text such as 'interval < 3%'", until)
        )
    return float(Number(above=0)(until, "until", "run_until")), False


class _Planned:
    """The cells of a study, finished or not, with their sizes and costs."""

    def __init__(self, study: Study, store: Store, retry: bool) -> None:
        self.study, self.store, self.keys = study, store, study.cell_keys()
        self.about = _about(study)
        refused = refused_cells(study, range(len(study)))
        if len(refused) == len(study):
            raise refused[0]
        self.failed = {self.keys[k]: f"{type(e).__name__}: {e}" for k, e in refused.items()}
        if not retry:
            own = set(self.keys)
            self.failed |= {key: text for key, text in store.failures().items() if key in own}
        self.places = np.array([k for k in range(len(study)) if k not in refused])
        cells = [study[k] for k in self.places.tolist()]
        self.guess = math.inf if self.about.guess is None else self.about.guess(cells[0])
        self.sizes = _sizes(cells, self.about)
        _check_one_law(study, cells, self.about, self.sizes)
        self.names = tuple(self.sizes)
        self.costs = _costs(study, cells, self.sizes)
        self.first = min(FIRST_CELLS[len(self.names)], len(self._different(np.arange(len(cells)))))

    def largest(self) -> dict[str, float]:
        """Return the sizes of the cell with the largest product of sizes."""
        product = functools.reduce(np.multiply, self.sizes.values())
        k = max(range(len(product)), key=lambda k: (product[k], self.sizes["n"][k]))
        return {name: float(x[k]) for name, x in self.sizes.items()}

    def finished(self) -> NDArray[np.intp]:
        """Return the indices of the finished cells among all cells that are not refused."""
        missing = set(self.store.missing(self.study))
        return np.flatnonzero([k not in missing for k in self.places.tolist()])

    def open(self) -> NDArray[np.intp]:
        """Return the indices of the cells that can still be computed."""
        done = set(self.finished().tolist())
        keys = [self.keys[k] for k in self.places.tolist()]
        return np.flatnonzero([k not in done and keys[k] not in self.failed for k in range(len(keys))])

    def fitted(self, question: Mapping[str, Any], goal: float, level: float) -> Design | str:
        """Fit the finished cells and return a design of the next cells, or a clause on why there is none."""
        done = self.finished()
        cells = self._candidates()
        if len(self._different(done)) < self.first and len(cells):
            return "too few sizes for a fit"
        if not len(done):
            return "no cell is finished"
        rows = self.store.rows(Study.of(self.study.kind, [self.study[k] for k in self.places[done].tolist()]))
        error = np.array([_number(row, self.about.error) for row in rows])
        known = [{**row, "error": value} for row, value in zip(rows, error.tolist(), strict=True)]
        usable = is_usable(known, self.guess)
        inputs: dict[str, Any] = {name: x[done][usable] for name, x in self.sizes.items()}
        fixed = {"eps0": self.guess} if self.guess < math.inf and "m" in self.names else {}
        try:
            found = auto(error[usable], fixed=fixed, **inputs)
        except (NoFit, ValueError) as problem:
            return f"no law is fitted ({str(problem).rstrip('.')})"
        options: dict[str, Any] = {"until": goal, "level": level, "runs": self._most(len(done))}
        if len(cells):
            options["candidates"] = {name: x[cells] for name, x in self.sizes.items()}
            options["cost"] = self.costs[cells]
        try:
            return design(found, question, **options)
        except NoAnswer as problem:
            return f"no answer ({str(problem).rstrip('.')})"

    def next_cells(self, found: Design | str, goal: float) -> tuple[list[int], str]:
        """Return the indices of the cells to compute next, and a sentence on why there are none, or ""."""
        left = self.open()
        if isinstance(found, Design):
            wanted = width_text(goal, found.relative)
            if found.half_widths[0] <= goal:
                return [], f"The interval is at most {wanted}, as asked."
            if not len(left):
                return [], f"All cells are computed, and the interval is still wider than {wanted}."
            if self._least_noise(found) > goal:
                noise = width_text(found.smallest, found.relative)
                return [], f"The noise of one run alone gives {noise}: no number of cells reaches {wanted}."
            if not found.runs:
                return [], f"The interval is wider than {wanted}, and no other cell narrows it much."
            return self._places_of(found), ""
        if not len(left):
            return [], f"All cells are computed: {found}."
        done = self._different(self.finished())
        most = max(self.first - len(done), 0) or self._most(len(self.finished()))
        new = [k for k in self._candidates().tolist() if self._size(k) not in done]
        return (new or left.tolist())[:most], ""

    def compute(self, chosen: Sequence[int], engine: Engine, progress: bool) -> None:
        """Compute some cells, and note those that fail."""
        cells = [self.study[k] for k in self.places[list(chosen)].tolist()]
        outcome = run(Study.of(self.study.kind, cells), self.store, engine, retry=True, progress=progress)
        self.failed |= outcome.failed

    def step(self, found: Design | str, question: Mapping[str, Any]) -> Step:
        """Return the state of the study."""
        done = self.finished()
        share = float(self.costs[done].sum() / self.costs.sum())
        if not isinstance(found, Design):
            return Step(len(done), share, None, math.inf)
        return Step(len(done), share, found.answer, found.half_widths[0])

    def _least_noise(self, found: Design) -> float:
        """Return the lower end of the 90% interval of `Design.smallest`, the half width from noise alone."""
        points = len(next(iter(found.forecast.inputs.values())))
        degrees = max(points - PARAMETERS[len(self.names)], 1)
        return found.smallest * math.sqrt(degrees / float(special.chdtri(degrees, 0.05)))

    def _most(self, finished: int) -> int:
        return max(finished // SHARE, FEWEST)

    def _size(self, k: int) -> tuple[float, ...]:
        return tuple(float(x[k]) for x in self.sizes.values())

    def _different(self, cells: NDArray[np.intp]) -> set[tuple[float, ...]]:
        return {self._size(k) for k in cells.tolist()}

    def _candidates(self) -> NDArray[np.intp]:
        """Return the first open cell of each size; small sizes first, by the sum of the ranks of n and m."""
        first = dict[tuple[float, ...], int]()
        for k in self.open().tolist():
            first.setdefault(self._size(k), k)
        ranks = [np.unique(x, return_inverse=True)[1].ravel() for x in self.sizes.values()]
        total = functools.reduce(np.add, ranks)
        return np.array(sorted(first.values(), key=lambda k: (total[k], self.costs[k])), dtype=np.intp)

    def _places_of(self, found: Design) -> list[int]:
        """Return the indices of the cells that a design chose."""
        by_size = {self._size(k): k for k in self._candidates().tolist()}
        return [by_size[tuple(one.inputs[name] for name in self.names)] for one in found.runs]


def _number(row: Mapping[str, Any], name: str) -> float:
    """Return an error of a row; nan, which is not used, if the row has none."""
    value = row.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def _about(study: Study) -> Quantities:
    """Return the columns of the law of a study; raise ValueError if it has no law in n."""
    about = planned_quantities(study)
    if about is None:
        accepted = "of a kind whose cells have a field 'n' and whose rows have an error"
        raise ValueError(checks.refusal("study", "run_until", accepted, f"<kind {study.kind.name!r}>"))
    return about


def _sizes(cells: Sequence[Any], about: Quantities) -> dict[str, Array]:
    """Return n, and m if it varies, of each cell; raise ValueError if n does not vary."""
    n = np.array([cell.n for cell in cells], dtype=np.float64)
    m = [about.m_of(cell) for cell in cells]
    if len(np.unique(n)) < 2:
        accepted = "a study with several values of 'n'"
        raise ValueError(checks.refusal("study", "run_until", accepted, f"<n = {n[0]:g} only>"))
    sizes = {"n": n}
    if all(value is not None for value in m) and len(set(m)) > 1:
        sizes["m"] = np.array(m, dtype=np.float64)
    return sizes


def _check_one_law(study: Study, cells: Sequence[Any], about: Quantities, sizes: Mapping[str, Array]) -> None:
    """Raise ValueError if the cells belong to several laws."""
    rows = [{about.m: m} for m in sizes["m"].tolist()] if "m" in sizes else [{} for _ in cells]
    every = FinishedStudy(study, cells, rows, (), {}, (), Path())
    groups = list(every.groups(sizes_of(every, about), about.apart))
    if len(groups) > 1:
        accepted = "a study whose cells differ only in n, the model size and the seed"
        said = checks.refusal("study", "run_until", accepted, f"<cells of {groups[0]}, and of {groups[-1]}>")
        own = " If they are sizes of a model, give the class of cells a field or property 'm'."
        raise ValueError(said + (own if about.guess is None and "m" not in sizes else ""))


def _costs(study: Study, cells: Sequence[Any], sizes: Mapping[str, Array]) -> Array:
    """Return the cost of each cell, > 0."""
    if study.kind.cost is not None:
        costs = np.array([study.kind.cost(cell) for cell in cells], dtype=np.float64)
        if np.all(np.isfinite(costs) & (costs > 0)):
            return costs
    return np.asarray(training_flops(sizes["n"], sizes["m"])) if "m" in sizes else sizes["n"]
