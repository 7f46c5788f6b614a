"""The demo: train small networks, predict the large ones, then train those and compare."""

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

from errsrc import plots, report, studies
from errsrc.datasets import Images, images
from errsrc.errors import NoAnswer
from errsrc.fitting import files
from errsrc.fitting.holdouts import Holdout, judge, small_cells
from errsrc.fitting.one_law import fit
from errsrc.laws import Dense
from errsrc.report.provenance import versions
from errsrc.studies.files import save_dated_csv
from errsrc.studies.trained import is_usable, left_out
from errsrc.sweeps import Store, Study, local, run
from errsrc.tasks import VisionCell, vision_grid

Row = Mapping[str, Any]
"""A finished cell, as its store has it."""

SEEDS = {"fashion-mnist": 3, "digits": 6}
"""Runs of each cell by image set: the digits' test set is small, so single runs are noisy."""


def find_images(name: str | None = None) -> Images:
    """Return an image set; by default Fashion-MNIST, or scikit-learn's digits if that is not found.

    A line on stderr names the set and where it was read from.

    Parameters
    ----------
    name : str, optional
        Name of an image set, see `errsrc.datasets.images`.

    Raises
    ------
    ValueError
        The named set was not found.
    """
    try:
        found = images(name or "fashion-mnist")
    except FileNotFoundError as error:
        if name is not None:
            raise ValueError(str(error)) from None
        _say(f"{error} Taking scikit-learn's digits instead.")
        found = images("digits")
    _say(f"Images: {found.name}, read from {found.source}.")
    return found


def demo(out: Path, data: Images, cells: Sequence[VisionCell] | None = None, processes: int = 2) -> Holdout:
    """Train a grid of networks and predict its large cells from its small ones, before they are trained.

    Parameters
    ----------
    out
        Folder for all that is written, made if need be: cells.db (the `errsrc.sweeps.Store` of finished
        cells, which are not trained again), predictions.csv (written before the large cells are
        trained), fit.json, results.csv, report.html and the figures as PNG.
    data
        The images, which say what is to be found of them in the report.
    cells
        MLP cells of that image set; by default ``vision_grid(data.name, SEEDS[data.name])``.
    processes
        Processes that train, of one thread each.

    Returns
    -------
    Holdout
        The dense law, with eps0 = 1 - 1/classes, fitted to the cells with n and m at most a quarter of
        the largest, and the comparison with the rest.

    Raises
    ------
    ValueError
        For cells that no split or fit can use, and a cells.db that is not a store.
    StoreError
        If another demo is at work in the folder, or it cannot be written.
    NoAnswer
        If the fit does not converge, or a training fails.
    """
    start = time.perf_counter()
    eps0 = 1 - 1 / data.classes
    cells = vision_grid(data.name, SEEDS[data.name]) if cells is None else tuple(cells)
    engine = functools.partial(local, workers=processes)
    n = np.array([cell.n for cell in cells], dtype=np.float64)
    m = np.array([cell.parameters for cell in cells], dtype=np.float64)
    small = small_cells(n=n, m=m)
    study = Study.of(studies.ALL["vision"], cells)
    out.mkdir(parents=True, exist_ok=True)
    error, fine = np.empty(len(cells)), np.empty(len(cells), dtype=bool)
    with Store(out / "cells.db", write=True) as store:
        kept = len(cells) - len(store.missing(study))
        if kept:
            _say(f"{kept} of {len(cells)} cells are in {store.path} already.")

        def measure(part: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
            """Train what is missing of a part; note its errors, and which of them a law can use."""
            chosen = Study.of(study.kind, [cell for cell, here in zip(cells, part, strict=True) if here])
            summary = run(chosen, store, engine, retry=True)
            if summary.failed:
                raise NoAnswer(str(summary), summary)
            rows = store.rows(chosen)
            error[part] = [row["error"] for row in rows]
            fine[part] = is_usable(rows, eps0)

        _say(f"First the {small.sum()} small cells, which the law is fitted to.")
        measure(small)
        fitted = small & fine
        law = fit(Dense, error[fitted], n=n[fitted], m=m[fitted], fixed={"eps0": eps0})
        _save_predictions(out / "predictions.csv", law, n[~small], m[~small])
        _say(f"Predicted the {(~small).sum()} large cells: {out / 'predictions.csv'}.  Now these.")
        measure(~small)
        rows, made_with = store.rows(study), store.versions()
    result = judge(law, error[fine], small[fine], n=n[fine], m=m[fine])

    files.save_fit(law, out / "fit.json")
    save_dated_csv(out / "results.csv", result.columns())
    for draw in (plots.extrapolation, plots.divergence, plots.parity):
        (out / f"{draw.__name__}.png").write_bytes(plots.png(draw(result)))
    facts = _facts(data, cells, rows, made_with, kept, processes, time.perf_counter() - start)
    notes = left_out(cells, rows, fine)
    seeds = len({cell.seed for cell in cells})
    again = f"errsrc demo --dataset {data.name} --seeds {seeds} --processes {processes} --out {out}"
    title = f"Small networks predict large ones: {data.name}"
    (out / "report.html").write_text(
        report.holdout_page(title, result, facts, notes, again), encoding="utf-8"
    )
    for note in notes:
        _say(note)
    return result


def _save_predictions(path: Path, law: Any, n: Any, m: Any) -> None:
    """Write what the law says of each distinct (n, m)."""
    sizes = np.unique(np.column_stack([n, m]), axis=0)
    predicted = law.predict(n=sizes[:, 0], m=sizes[:, 1])
    save_dated_csv(path, {"n": sizes[:, 0], "m": sizes[:, 1], **predicted.columns()})


def _facts(
    data: Images,
    cells: Sequence[VisionCell],
    rows: Sequence[Row],
    made_with: Sequence[tuple[int, Mapping[str, str]]],
    kept: int,
    processes: int,
    seconds: float,
) -> dict[str, str]:
    """Return what was run, for the report."""
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
        "device": f"CPU ({platform.machine()}, {platform.system()}), {processes} processes of one thread",
        "wall time": f"{seconds:.0f} s; all trainings together {cpu:.0f} s of a core",
        "cells": f"{len(cells)} trained" + (f", {kept} of them by an earlier run" if kept else ""),
        "finished": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
