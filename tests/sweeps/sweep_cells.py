"""Cells and drivers for the tests of sweeps, in a module that other processes load at once."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass

import numpy as np

from errsrc.sweeps import Factor, Kind, Store, Study, local, run, serial

PAUSE = 0.01


@dataclass(frozen=True)
class Cell:
    seed: int = 0
    n: int = 1
    what: str = "fine"


def compute(cells):
    """Results that tell which cells were computed together, with what can go wrong."""
    _log(cells)
    for cell in cells:
        time.sleep(PAUSE)
        if cell.seed >= int(os.environ.get("ERRSRC_TEST_HOLD", sys.maxsize)):  # no run ends before its test
            time.sleep(600)
        if cell.what == "long":
            time.sleep(3.0)
        if cell.what == "slow":
            time.sleep(600)
        if cell.what == "large":
            np.empty(2**31)
        if cell.what == "deadly":
            os._exit(3)
        if cell.what == "wrong":
            raise ArithmeticError("one thing\nand another \udcff")
        if cell.what == "linger":
            _linger()
    return [
        {"value": float(x.sum()), "together": " ".join(str(one.seed) for one in cells), "curve": {"x": x}}
        for x in (np.random.default_rng([cell.seed, cell.n]).standard_normal(3) for cell in cells)
    ]


def _log(cells):
    """Append the cells to the file that the environment names, with the round that it names."""
    if path := os.environ.get("ERRSRC_TEST_LOG"):
        line = " ".join([os.environ["ERRSRC_TEST_ROUND"], *(f"{cell.seed},{cell.n}" for cell in cells)])
        with open(path, "a") as file:
            file.write(line + "\n")


def _linger():
    """Say who this is in the file that the environment names, and wait for death, unless one did before."""
    with contextlib.suppress(FileExistsError):
        with open(os.environ["ERRSRC_TEST_LINGER"], "x") as file:
            print(os.getpid(), file=file, flush=True)
        time.sleep(60)


def unborn():
    os._exit(7)


class Unborn:
    """What cannot be read where it is sent."""

    def __reduce__(self):
        return unborn, ()

    def __call__(self, cells):
        return cells


def size_of(cell):
    return cell.n


ALONE = Kind("alone", Cell, compute)
BATCHED = Kind("batched", Cell, compute, group=size_of, max_batch=4)
KINDS = {kind.name: kind for kind in (ALONE, BATCHED)}


def quick(cells):
    return [{"value": 1.0} for _ in cells]


QUICK = Kind("quick", Cell, quick)


def grid(kind: Kind, seeds: int, sizes: int = 1) -> Study:
    factors = (Factor.of("seed", range(seeds)), Factor.of("n", range(1, sizes + 1)))
    return Study(kind, Cell(), factors)


# A driver of its own, as a user starts one.


def drive(name: str, path: str, seeds: int, sizes: int, workers: int) -> None:
    """Compute a grid in this process, which says when it begins."""
    print("begins", flush=True)
    with Store(path, write=True) as store:
        study, engine = grid(KINDS[name], seeds, sizes), functools.partial(local, workers=workers)
        print(run(study, store, engine, progress=False), flush=True)


def command(*argv: str) -> None:
    """Be the command errsrc, with the kinds of these tests beside its own."""
    from errsrc import studies
    from errsrc.cli import main

    studies.ALL.update(KINDS)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    sys.exit(main(argv))


def drive_into_limit(path: str, seeds: int, limit: int) -> None:
    """Compute a grid where no file can be larger than that."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with Store(path, write=True) as store:
        run(grid(ALONE, seeds), store, serial, progress=False)
