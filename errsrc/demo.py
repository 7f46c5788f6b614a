"""The demo: train small networks, predict large networks, then train the large networks and compare."""

from __future__ import annotations

import dataclasses
import functools
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import plots, report, studies
from errsrc.datasets import Images, images
from errsrc.errors import NoAnswer
from errsrc.fitting import files
from errsrc.fitting.holdouts import Holdout, judge, small_cells
from errsrc.fitting.one_law import Fit, fit
from errsrc.laws import Dense
from errsrc.report.provenance import versions
from errsrc.studies.files import save_dated_csv
from errsrc.studies.trained import is_usable, left_out
from errsrc.sweeps import Store, Study, local, run
from errsrc.tasks import VisionCell, vision_grid

SEEDS = {"fashion-mnist": 3, "digits": 6, "glyphs": 3}
"""Number of seeds per cell, by image set: the digits' test set is small, so single runs are noisy."""


def find_images(name: str | None = None) -> Images:
    """Return an image set; by default Fashion-MNIST if its files are found, otherwise scikit-learn's digits.

    A line on stderr names the set and where it was read from.

    Parameters
    ----------
    name : str, optional
        Name of an image set, see `errsrc.datasets.images`.

    Returns
    -------
    Images
        The image set.

    Raises
    ------
    ValueError
        If the named set is not found.
    """
    try:
        found = images(name or "fashion-mnist")
    except FileNotFoundError as error:
        if name is not None:
            raise ValueError(str(error)) from None
        _say(f"{error} Using scikit-learn's digits instead.")
        found = images("digits")
    _say(f"Images: {found.name}, read from {found.source}.")
    return found


def run_demo(out: Path, data: Images, cells: Sequence[VisionCell] | None = None, workers: int = 2) -> Holdout:
    """Train small networks, predict the errors of larger networks, then train the larger networks.

    Parameters
    ----------
    out : Path
        Folder for all files, created if it does not exist: cells.db (the `errsrc.sweeps.Store` of finished
        cells, which are not trained again), predictions.csv (written before the large cells are trained),
        fit.json, results.csv, report.html and the figures as PNG.
    data : Images
        The images; the report describes them.
    cells : sequence of VisionCell, optional
        MLP cells of the image set `data`; by default ``vision_grid(data.name, SEEDS[data.name])``.
    workers : int
        Number of training processes, with one thread each.

    Returns
    -------
    Holdout
        The comparison of a fitted law with the large cells.  The law is the dense law with eps0 = 1 -
        1/classes.  It is fitted to the cells whose n and m are at most a quarter of the largest n and m.

    Raises
    ------
    ValueError
        If the cells cannot be split or fitted, or if cells.db is not a store.
    StoreError
        If another demo uses the folder, or if the folder cannot be written.
    NoAnswer
        If the fit does not converge, or a training fails.
    """
    start = time.perf_counter()
    cells = vision_grid(data.name, SEEDS[data.name]) if cells is None else tuple(cells)
    grid = _Grid(cells, 1 - 1 / data.classes)
    out.mkdir(parents=True, exist_ok=True)
    with Store(out / "cells.db", write=True) as store:
        kept = len(cells) - len(store.missing(grid.study))
        if kept:
            _say(f"{kept} of {len(cells)} cells are in {store.path} already.")
        _say(f"Training the {grid.small.sum()} small cells; the law is fitted to them.")
        grid.train(grid.small, store, workers)
        law = grid.fit()
        _save_predictions(out / "predictions.csv", law, grid.n[~grid.small], grid.m[~grid.small])
        _say(f"Predicted the {(~grid.small).sum()} large cells: {out / 'predictions.csv'}.  Training them.")
        grid.train(~grid.small, store, workers)
        rows, made_with = store.rows(grid.study), store.versions()
    result = grid.judge(law)
    files.save_fit(law, out / "fit.json")
    save_dated_csv(out / "results.csv", result.columns())
    for draw in (plots.extrapolation, plots.divergence, plots.parity):
        (out / f"{draw.__name__}.png").write_bytes(plots.png(draw(result)))
    facts = _facts(data, cells, rows, made_with, kept, workers, time.perf_counter() - start)
    notes = left_out(cells, rows, grid.usable)
    seeds = len({cell.seed for cell in cells})
    command = f"errsrc demo --dataset {data.name} --seeds {seeds} --workers {workers} --out {out}"
    title = f"Small networks predict large ones: {data.name}"
    page = report.holdout_page(title, result, facts, notes, command)
    (out / "report.html").write_text(page, encoding="utf-8")
    for note in notes:
        _say(note)
    return result


class _Grid:
    """A grid of cells, and the errors of those that are trained.

    Attributes
    ----------
    study
        The cells as a study.
    n, m
        float64 (cells,): training examples and parameters.
    small
        bool (cells,): the cells that the law is fitted to.
    error
        float64 (cells,): the test error of each trained cell.
    usable
        bool (cells,): the trained cells that a law can be fitted to.
    """

    def __init__(self, cells: Sequence[VisionCell], guess: float) -> None:
        self.guess = guess  # the error of a random guess
        self.study = Study.of(studies.ALL["vision"], cells)
        self.n = np.array([cell.n for cell in cells], dtype=np.float64)
        self.m = np.array([cell.parameters for cell in cells], dtype=np.float64)
        self.small = small_cells(n=self.n, m=self.m)
        self.error, self.usable = np.empty(len(cells)), np.empty(len(cells), dtype=bool)

    def train(self, part: NDArray[np.bool_], store: Store, workers: int) -> None:
        """Train the cells of `part` that a store lacks, and read the errors of all cells of `part`."""
        chosen = [cell for cell, is_chosen in zip(self.study, part, strict=True) if is_chosen]
        study = Study.of(self.study.kind, chosen)
        summary = run(study, store, functools.partial(local, workers=workers), retry=True)
        if summary.failed:
            raise NoAnswer(str(summary), summary)
        rows = store.rows(study)
        self.error[part] = [row["error"] for row in rows]
        self.usable[part] = is_usable(rows, self.guess)

    def fit(self) -> Fit:
        """Return the dense law, fitted to the small cells."""
        seen = self.small & self.usable
        return fit(Dense, self.error[seen], n=self.n[seen], m=self.m[seen], fixed={"eps0": self.guess})

    def judge(self, law: Fit) -> Holdout:
        """Return the comparison of a law with all cells."""
        used = self.usable
        return judge(law, self.error[used], self.small[used], n=self.n[used], m=self.m[used])


def _save_predictions(path: Path, law: Fit, n: NDArray[np.float64], m: NDArray[np.float64]) -> None:
    """Write the prediction for each distinct (n, m), with the time."""
    sizes = np.unique(np.column_stack([n, m]), axis=0)
    predicted = law.predict(n=sizes[:, 0], m=sizes[:, 1])
    save_dated_csv(path, {"n": sizes[:, 0], "m": sizes[:, 1], **predicted.columns()})


def _facts(
    data: Images,
    cells: Sequence[VisionCell],
    rows: Sequence[Mapping[str, Any]],
    made_with: Sequence[tuple[int, Mapping[str, str]]],
    kept: int,
    workers: int,
    seconds: float,
) -> dict[str, str]:
    """Return what was run, by heading, for the report."""
    widths, sizes, seeds = (sorted({getattr(cell, k) for cell in cells}) for k in ("width", "n", "seed"))
    recipe = []
    for field in dataclasses.fields(cells[0].recipe):
        values = sorted({getattr(cell.recipe, field.name) for cell in cells})
        shown = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in values]
        recipe.append(f"{field.name} {shown[0]}" + (f" to {shown[-1]}" if len(shown) > 1 else ""))
    cpu = sum(row["seconds"] for row in rows)
    images_used = (
        f"{len(data.train_x):,} training images (of which {cells[0].validation:,} to stop training by)"
    )
    return {
        "data": f"{data.name}, read from {data.source}: {images_used}, {len(data.test_x):,} test images",
        "networks": f"one hidden layer of {', '.join(map(str, widths))} units",
        "training examples": ", ".join(f"{size:,}" for size in sizes),
        "seeds": ", ".join(map(str, seeds)),
        "recipe": ", ".join(recipe),
        "versions": versions(made_with),
        "device": f"CPU ({platform.machine()}, {platform.system()}), {workers} single-threaded processes",
        "wall time": f"{seconds:.0f} s; the trainings took {cpu:.0f} s of a core in total",
        "cells": f"{len(cells)} trained" + (f", {kept} of them by an earlier run" if kept else ""),
        "finished": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
