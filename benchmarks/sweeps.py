"""Sweeps whose driver is killed at random moments, and the overhead of a sweep over its cells.

    python benchmarks/sweeps.py [--rounds 50] [--out FILE.json]

Crash test: each round starts a study with an empty store. Its driver is killed with SIGKILL at random
moments, once or twice, and started again until the study is done. One moment in four is uniform over the
first half second, when processes start and the store is opened; the others come some milliseconds after a
random number of cells has begun. At the end the table, learning curves included, must be that of an
undisturbed run to the last bit; PRAGMA integrity_check must say ok after every kill; no cell that had a row
may have begun again. Once with 200 cells of 5 ms and two workers (`local`); once with 60 networks trained on
the digits for 20 steps, in batches of four, within the driver (`serial`: torch takes seconds to load in a new
worker).

Overhead: 10,000 cells that do nothing, the start of the processes included; the fastest of five runs by wall
time, and the processor time of the driver, since other work slows the wall clock.

Opening: a store of 250,000, 500,000 and 1,000,000 rows, inserted by plain SQL, and a study that asks for
1,000 cells more. Wall and processor seconds to build the study, open the store as its driver and find the
missing cells; the fastest of three.

About ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.metadata
import json
import multiprocessing
import os
import platform
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from errsrc.records import encode
from errsrc.sweeps import Factor, Kind, Store, Study, local, run, serial

LOG = "ERRSRC_BENCHMARK_LOG"
PARTS = ("overhead", "opening", "crash_short", "crash_trained")
ROWS = (250_000, 500_000, 1_000_000)
MORE = 1000


@dataclass(frozen=True)
class Cell:
    """What the cells of this benchmark depend on."""

    seed: int
    n: int = 1


def short(cells: Any) -> list[dict[str, Any]]:
    begin(cells)
    time.sleep(0.005)
    draws = [np.random.default_rng([cell.seed, cell.n]).standard_normal(3) for cell in cells]
    return [{"value": float(x.sum()), "curve": {"x": x}} for x in draws]


def trained(cells: Any) -> list[dict[str, Any]]:
    from errsrc.tasks.vision import vision_outcomes

    begin(cells)
    return vision_outcomes(cells)


def nothing(cells: Any) -> list[dict[str, Any]]:
    return [{"value": 1.0} for _ in cells]


def begin(cells: Any) -> None:
    """Append the cells to the log of this driver."""
    with open(os.environ[LOG], "a") as file:
        file.write(" ".join(f"{cell.seed},{cell.n}" for cell in cells) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="of each crash test")
    parser.add_argument("--only", nargs="*", default=PARTS, choices=PARTS, help="of the figures, these alone")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures: dict[str, Any] = (
        json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    )
    figures |= {
        "machine": {
            "device": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "torch": importlib.metadata.version("torch"),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
        }
    }
    folder = Path(tempfile.mkdtemp())
    two_workers = functools.partial(local, workers=2)
    try:
        for name, measured in (
            ("overhead", lambda: overhead(folder)),
            ("opening", lambda: opening(folder)),
            ("crash_short", lambda: crash(short_study(), two_workers, options.rounds, folder)),
            ("crash_trained", lambda: crash(trained_study(), serial, options.rounds, folder)),
        ):
            if name not in options.only:
                continue
            figures[name] = measured()
            print(name, json.dumps(figures[name]), flush=True)
    finally:
        shutil.rmtree(folder)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


# The crash test.


def short_study() -> Study:
    return Study(Kind("short", Cell, short), Cell(0), (Factor.of("seed", range(200)),))


def trained_study() -> Study:
    from errsrc.tasks.vision import VisionCell
    from errsrc.training import Recipe

    kind = Kind("vision", VisionCell, trained, group=VisionCell.batch, packages=("numpy", "torch"))
    base = VisionCell("digits", "mlp", 4, 22, 0, 397, 20, Recipe(learning_rate=0.008))
    return Study(kind, base, (Factor.of("seed", range(15)), Factor.of("n", (22, 45, 90, 180))))


def crash(study: Study, engine: Any, rounds: int, folder: Path) -> dict[str, Any]:
    """Kill and restart until done, so many times; raise where anything is not as it must be."""
    chance = random.Random(0)
    drive(study, folder / "undisturbed.db", engine, folder / "log")
    expected = table(study, folder / "undisturbed.db")
    kills = midway = again = most = 0
    for number in range(rounds):
        path = folder / f"{study.kind.name}{number}.db"
        lives = chance.choice((1, 2))
        while True:
            before = finished(path)
            log = folder / "log"
            log.unlink(missing_ok=True)
            child = multiprocessing.get_context("fork").Process(target=drive, args=(study, path, engine, log))
            child.start()
            if lives:
                wait_for_moment(child, log, chance, len(expected) - len(before))
            else:
                child.join()
            lives -= 1
            killed = child.is_alive()
            if killed:
                child.kill()
                child.join()
                kills += 1
            integrity(path)
            after = finished(path)
            begun = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
            cells = [cell for batch in begun for cell in batch]
            if len(set(cells)) < len(cells) or before.intersection(cells):
                raise AssertionError("A cell that had a row was computed again.")
            flying = len(set(cells) - after)
            again += flying
            most = max(most, flying)
            midway += killed and 0 < len(after) < len(study)
            if not killed:
                break
        if child.exitcode != 0 or table(study, path) != expected:
            raise AssertionError("The table is not that of an undisturbed run.")
        path.unlink()
    return {
        "rounds": rounds,
        "cells": len(study),
        "kills": kills,
        "kills_with_some_but_not_all_rows": midway,
        "tables_identical": rounds,
        "cells_computed_again_per_kill": round(again / max(kills, 1), 2),
        "most_cells_in_flight_at_a_kill": most,
        "cells_with_a_row_computed_again": 0,
    }


def wait_for_moment(child: Any, log: Path, chance: random.Random, cells: int) -> None:
    """Wait for a random moment in the life of a driver that has so many cells before it."""
    if chance.random() < 0.25:
        child.join(chance.uniform(0, 0.5))
        return
    begun = chance.randrange(cells + 1)
    while child.is_alive() and (not log.exists() or len(log.read_text().split()) <= begun):
        child.join(0.003)
    child.join(chance.uniform(0, 0.02))


def drive(study: Study, path: Path, engine: Any, log: Path) -> None:
    """Be a driver, to the end."""
    os.environ[LOG] = str(log)
    with Store(path, write=True) as store:
        run(study, store, engine, progress=False)


def table(study: Study, path: Path) -> list[Any]:
    """Return the rows with learning curves, as far as they do not tell of time."""
    with Store(path) as store:
        rows = [{k: v for k, v in r.items() if k not in ("seconds", "finished")} for r in store.rows(study)]
        curves = [{name: values.tolist() for name, values in c.items()} for c in store.curves(study)]
    return [json.dumps(pair) for pair in zip(rows, curves, strict=True)]


def finished(path: Path) -> set[str]:
    if not path.exists() or not path.stat().st_size:
        return set()
    with Store(path) as store:
        return {f"{row['seed']},{row['n']}" for row in store.rows()}


def integrity(path: Path) -> None:
    """Check a copy of what a kill left, for the next driver is to find it as it is."""
    if path.exists():
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(f"{path}{suffix}", Path(folder) / f"copy{suffix}")
            with contextlib.closing(sqlite3.connect(Path(folder) / "copy")) as db:
                if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                    raise AssertionError("The database is not intact.")


# What it costs.


def overhead(folder: Path) -> dict[str, Any]:
    study = Study(Kind("nothing", Cell, nothing), Cell(0), (Factor.of("seed", range(10_000)),))
    figures: dict[str, Any] = {"cells": len(study), "runs": 5}
    for workers in (1, 2):
        taken = []
        for number in range(5):
            start, own = time.perf_counter(), time.process_time()
            path = folder / f"overhead{workers}{number}.db"
            drive(study, path, functools.partial(local, workers=workers), folder / "log")
            taken.append((time.perf_counter() - start, time.process_time() - own))
        clock, own = min(taken), min(own for _, own in taken)
        figures[f"cells_a_second_{workers}_workers"] = round(len(study) / clock[0])
        figures[f"median_cells_a_second_{workers}_workers"] = round(len(study) / sorted(taken)[2][0])
        figures[f"driver_microseconds_a_cell_{workers}_workers"] = round(1e6 * own / len(study))
    return figures


def opening(folder: Path) -> dict[str, Any]:
    kind, path = Kind("nothing", Cell, nothing), folder / "opening.db"
    row = {"result": {"value": 1.0}, "curve": {}, "seconds": 0.0, "device": "none", "versions": {}}
    figures: dict[str, Any] = {}
    sizes = Factor.of("n", range(1, 11))
    with Store(path, write=True) as store:
        store.finish(Study.of(kind, [Cell(0)]), [(0, row)])
    begun = 1
    for rows in ROWS:
        study = Study(kind, Cell(0), (Factor.of("seed", range(rows // 10)), sizes))
        keys = study.cell_keys()
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            query = """INSERT INTO cells SELECT NULL, ?, ?, resolved, ?, result, curve, seconds, device,
                       made_with, finished FROM cells WHERE id = 1"""
            db.executemany(query, ((keys[i], *configuration(study[i])) for i in range(begun, rows)))
        begun = rows

        def once(rows: int = rows) -> None:
            larger = Study(kind, Cell(0), (Factor.of("seed", range((rows + MORE) // 10)), sizes))
            with Store(path, write=True) as store:
                found = store.missing(larger)
            if found != list(range(rows, rows + MORE)):
                raise AssertionError("What is missing is not what was left out.")

        clock, processor = fastest(once)
        figures[f"seconds_{rows}_rows"] = round(clock, 2)
        figures[f"processor_seconds_{rows}_rows"] = round(processor, 2)
        figures[f"bytes_{rows}_rows"] = path.stat().st_size
    first, *_, last = (figures[f"processor_seconds_{rows}_rows"] / rows for rows in ROWS)
    figures["processor_seconds_a_row_at_most_rows_over_at_fewest"] = round(last / first, 2)
    return figures


def configuration(cell: Cell) -> tuple[str, int]:
    given = {"seed": cell.seed} | ({} if cell.n == 1 else {"n": cell.n})
    return encode(given), cell.seed


def fastest(task: Callable[[], object]) -> tuple[float, float]:
    """Return the fewest seconds of three runs, by the clock and of the processor."""
    clock, processor = [], []
    for _ in range(3):
        start, own = time.perf_counter(), time.process_time()
        task()
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - own)
    return min(clock), min(processor)


if __name__ == "__main__":
    main()
