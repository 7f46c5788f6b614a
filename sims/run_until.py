"""Do intervals hold where `errsrc run --until` stops, and how much of a grid does it compute?

Claim:    90% intervals contain the error of a new run about 90% of the time, although the run stops when
          an interval is narrow, and a small part of the grid's cost is enough.
Command:  nice python sims/run_until.py
Cost:     48 runs, 37 s of one core
Outcome:  Yes, as far as 24 runs for each goal can tell (standard error 6 points). The largest cell: 88% of
          the intervals hold, all runs reach the goal, with 30% of the grid's cost and 20 of 70 cells. The
          larger run: 88% hold, all reach the goal, with 20% of the cost and 17 cells

The grid has 7 values of n, 5 of m and 2 seeds. Errors follow the coupled law with noise of 2%. The goals
are an interval of +-6% for the largest cell, and of +-10% for a run of 4 times its n and 4 times its m.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc.fitting.targets import TargetedRun
from errsrc.laws import Coupled
from errsrc.studies.targets import compute_until
from errsrc.sweeps import Factor, Kind, Store, Study, serial

LAW = Coupled(E=0.1, A=8.0, B=6.0, alpha=0.35, beta=0.4, k=0.5)
NOISE = 0.02
N, M = [1000 * 2**k for k in range(7)], [10_000 * 4**k for k in range(5)]
LARGEST, BEYOND = {"n": 64_000, "m": 2_560_000}, {"n": 256_000, "m": 10_240_000}
GOALS = ((0.06, LARGEST), (0.1, BEYOND))


@dataclass(frozen=True)
class Cell:
    """One run of a repetition of the grid."""

    n: int
    m: int
    repetition: int
    seed: int = 0


def compute(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return the error of each run."""
    return [{"error": measured(c.n, c.m, (c.seed, c.n, c.m, c.repetition))} for c in cells]


def measured(n: float, m: float, seed: Sequence[int]) -> float:
    """Return the error of one run."""
    return float(LAW.error(n=n, m=m) * np.exp(NOISE * np.random.default_rng(seed).standard_normal()))


KIND = Kind("simulated-grid", Cell, compute)


def outcome(repetition: int, goal: float, question: dict[str, int]) -> TargetedRun:
    """Return the outcome of one run with a goal."""
    factors = (Factor.of("n", N), Factor.of("m", M), Factor.of("seed", (0, 1)))
    study = Study(KIND, Cell(1, 1, repetition), factors)
    with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/grid.db", write=True) as store:
        return compute_until(study, store, goal, question, engine=serial, progress=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=24, help="runs for each goal (default: 24)")
    options = parser.parse_args()
    for goal, question in GOALS:
        runs = [outcome(k, goal, question) for k in range(options.repetitions)]
        truths = [measured(**question, seed=(k, 7)) for k in range(options.repetitions)]
        answers = [run.answer for run in runs]
        held = [a is not None and a.low <= x <= a.high for a, x in zip(answers, truths, strict=True)]
        reached = [run.reached for run in runs]
        share = np.mean([run.share for run in runs])
        cells = np.mean([run.steps[-1].cells for run in runs])
        print(
            f"+-{goal:.0%} at n = {question['n']:,}, m = {question['m']:,}: {np.mean(held):.0%} of the "
            f"intervals hold, {np.mean(reached):.0%} of the runs reach the goal, with {share:.0%} of the "
            f"cost and {cells:.0f} of {2 * len(N) * len(M)} cells",
            flush=True,
        )
    print(f"{time.process_time():.0f} s of CPU")


if __name__ == "__main__":
    main()
