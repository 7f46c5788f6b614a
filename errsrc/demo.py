"""The demo: train small networks, predict the large ones, then train those and compare.

Finished cells go to a CSV file as they come, so that an interrupted demo, started again, goes on
from there.
"""

from __future__ import annotations

import collections
import contextlib
import csv
import dataclasses
import hashlib
import json
import multiprocessing
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from errsrc import checks, plots, report
from errsrc.datasets import Images, images
from errsrc.laws import Dense, files
from errsrc.laws.fitting import fit
from errsrc.laws.holdout import Holdout, judge, small_cells
from errsrc.nets import MLP
from errsrc.tasks import VisionCell, VisionResult, vision_grid
from errsrc.tasks import run as train

Row = dict[str, str]
"""One finished cell, as it stands in the file of cells."""

SEEDS = {"fashion-mnist": 3, "digits": 6}
"""Runs of each cell by image set: the digits' test set is small, so single runs are noisy."""
COLUMNS = (
    "dataset", "family", "n", "width", "seed", "m", "error", "error_se", "loss", "loss_se",
    "validation_error", "validation_loss", "steps", "best_step", "seconds", "diverged", "cell", "code",
    "torch", "finished",
)  # fmt: skip
"""Columns of the file of cells: `VisionResult.row`, the cell in full as JSON, a digest of the code that
trained it, the version of torch, and the time it was finished (UTC)."""


def find_images(name: str | None = None) -> Images:
    """Return the image set `name`; by default Fashion-MNIST, or the digits where that is not found.

    Says on stderr which it is and where it was read from.
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
        Folder for all that is written, made if need be: cells.csv (each finished cell as it comes; cells
        that are there already, of the same configuration, recipe and code, are not trained again),
        predictions.csv (written before the large cells are trained), fit.json, results.csv, report.html
        and the figures as PNG.
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
        For cells that no split or fit can use, and a cells.csv that is not a demo's.
    NoFit
        If the fit does not converge.
    """
    start = time.perf_counter()
    eps0 = 1 - 1 / data.classes
    cells = vision_grid(data.name, SEEDS[data.name]) if cells is None else tuple(cells)
    checks.integer(processes, "processes", "demo", 1)
    n = np.array([cell.n for cell in cells], dtype=np.float64)
    pixels = data.train_x.shape[1] ** 2
    m = np.array([MLP((pixels, cell.width, data.classes)).parameters for cell in cells], dtype=np.float64)
    small = small_cells(n=n, m=m)
    out.mkdir(parents=True, exist_ok=True)
    finished = _finished(out / "cells.csv", cells)
    kept = len(finished)
    if kept:
        _say(f"{kept} of {len(cells)} cells are in {out / 'cells.csv'} already.")
    work = dict(zip(cells, (3000 + n) * (20_000 + m), strict=True))  # fits the seconds of the default grid

    def measured(
        part: np.ndarray[Any, np.dtype[np.bool_]],
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Train what is missing of a part; return its errors, and which of them a law can use."""
        chosen = [cell for cell, here in zip(cells, part, strict=True) if here]
        _train(out / "cells.csv", chosen, finished, work, processes)
        error = np.array([float(finished[cell]["error"]) for cell in chosen])
        diverged = np.array([finished[cell]["diverged"] == "True" for cell in chosen])
        return error, ~diverged & (error > 0) & (error < eps0)

    error, usable = np.empty(len(cells)), np.empty(len(cells), dtype=bool)
    _say(f"First the {small.sum()} small cells, which the law is fitted to.")
    error[small], usable[small] = measured(small)
    rows = small & usable
    law = fit(Dense, error[rows], n=n[rows], m=m[rows], fixed={"eps0": eps0})
    _save_predictions(out / "predictions.csv", law, n[~small], m[~small])
    _say(f"Predicted the {(~small).sum()} large cells: {out / 'predictions.csv'}.  Now these.")
    error[~small], usable[~small] = measured(~small)
    result = judge(law, error[usable], small[usable], n=n[usable], m=m[usable])

    files.save(law, out / "fit.json", {"columns": {name: name for name in ("n", "m", "error")}})
    _save(out / "results.csv", result.columns())
    for draw in (plots.extrapolation, plots.divergence, plots.parity):
        (out / f"{draw.__name__}.png").write_bytes(plots.png(draw(result)))
    facts = _facts(data, cells, finished, kept, processes, time.perf_counter() - start)
    notes = left_out(cells, [finished[cell] for cell in cells], usable)
    seeds = len({cell.seed for cell in cells})
    again = f"errsrc demo --dataset {data.name} --seeds {seeds} --processes {processes} --out {out}"
    title = f"Small networks predict large ones: {data.name}"
    (out / "report.html").write_text(
        report.holdout_page(title, result, facts, notes, again), encoding="utf-8"
    )
    for note in notes:
        _say(note)
    return result


def left_out(
    cells: Sequence[VisionCell], rows: Sequence[Row], usable: np.ndarray[Any, np.dtype[np.bool_]]
) -> list[str]:
    """Return a sentence for each run that no law was fitted to or compared with."""
    out = []
    for cell, row, used in zip(cells, rows, usable, strict=True):
        if not used:
            why = "its training diverged" if row["diverged"] == "True" else f"its error is {row['error']}"
            out.append(f"Left out: n = {cell.n:,}, width {cell.width}, seed {cell.seed}: {why}.")
    return out


def _train(
    path: Path,
    cells: Sequence[VisionCell],
    finished: dict[VisionCell, Row],
    work: Mapping[VisionCell, float],
    processes: int,
) -> None:
    """Train the cells that are not `finished`, adding each to that and to the file as it comes."""
    waiting = [cell for cell in cells if cell not in finished]
    if not waiting:
        return
    start = time.perf_counter()
    together = collections.Counter(dataclasses.replace(cell, n=1, steps=1) for cell in waiting)
    undone = sum(work[cell] for cell in work if cell not in finished)
    done = 0.0
    code = _code()
    with path.open("a", newline="", encoding="utf-8") as file, _interruptible():
        for count, result in enumerate(train(waiting, processes), start=1):
            row = _row(result, code)
            csv.DictWriter(file, COLUMNS).writerow(row)
            file.flush()
            finished[result.cell] = row
            done += work[result.cell]
            batch = dataclasses.replace(result.cell, n=1, steps=1)  # its cells come at once
            together[batch] -= 1
            if not together[batch]:
                spent = time.perf_counter() - start
                left = f"about {spent * (undone - done) / done:.0f} s left"
                _say(f"{len(finished)} of {len(work)} cells, {60 * count / spent:.0f} a minute, {left}")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """While it holds, Ctrl-C ends the training processes at once instead of after their last cell."""

    def stop(*_: object) -> None:
        for child in multiprocessing.active_children():
            child.kill()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _row(result: VisionResult, code: str) -> Row:
    about = {
        "cell": _json(result.cell),
        "code": code,
        "torch": version("torch"),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return {name: str(value) for name, value in {**result.row(), **about}.items()}


def _json(cell: VisionCell) -> str:
    return json.dumps(dataclasses.asdict(cell), sort_keys=True)


def _code() -> str:
    """Return a digest of the code that makes a cell's result."""
    here = Path(__file__).parent
    sources = [*sorted((here / "nets").glob("*.py")), here / "tasks/vision.py", here / "datasets/images.py"]
    content = b"".join(path.read_bytes() for path in (*sources, here / "rng.py"))
    return hashlib.sha256(content).hexdigest()[:16]


def _finished(path: Path, cells: Sequence[VisionCell]) -> dict[VisionCell, Row]:
    """Return the rows of a file of cells that are exactly among `cells`; drop a torn last line from it.

    Rows of other cells stay in the file.
    """
    rows: list[Row] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) not in (COLUMNS, ()):
                raise ValueError(f"{path} is not a file of the demo's cells: choose another folder.")
            rows = [row for row in reader if set(row) == set(COLUMNS) and None not in row.values()]
    draft = path.with_name(f".errsrc-{os.getpid()}.csv")
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)
    known = {_json(cell): cell for cell in cells}
    code = _code()
    return {known[row["cell"]]: row for row in rows if row["cell"] in known and row["code"] == code}


def _save_predictions(path: Path, law: Any, n: Any, m: Any) -> None:
    """Write what the law says of each distinct (n, m)."""
    sizes = np.unique(np.column_stack([n, m]), axis=0)
    predicted = law.predict(n=sizes[:, 0], m=sizes[:, 1])
    _save(path, {"n": sizes[:, 0], "m": sizes[:, 1], **predicted.columns()})


def _save(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))


def _facts(
    data: Images,
    cells: Sequence[VisionCell],
    finished: Mapping[VisionCell, Row],
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
    cpu = sum(float(finished[cell]["seconds"]) for cell in cells)
    names = ("errsrc", "torch", "numpy", "scipy", "matplotlib")
    images_used = (
        f"{len(data.train_x):,} training images (of which {cells[0].validation:,} to stop training by)"
    )
    return {
        "data": f"{data.name}, read from {data.source}: {images_used}, {len(data.test_x):,} test images",
        "networks": f"one hidden layer of {', '.join(map(str, widths))} units",
        "training examples": ", ".join(f"{size:,}" for size in sizes),
        "seeds": ", ".join(map(str, seeds)),
        "recipe": ", ".join(recipe),
        "versions": ", ".join([f"Python {platform.python_version()}", *(f"{k} {version(k)}" for k in names)]),
        "device": f"CPU ({platform.machine()}, {platform.system()}), {processes} processes of one thread",
        "wall time": f"{seconds:.0f} s; all trainings together {cpu:.0f} s of a core",
        "cells": f"{len(cells)} trained" + (f", {kept} of them by an earlier run" if kept else ""),
        "finished": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
