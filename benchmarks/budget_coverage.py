"""Coverage of a budget's intervals over random inputs, as `errsrc.budget` prints them by default.

    python benchmarks/budget_coverage.py STORE.jsonl [--repetitions 1000] [--minutes 50] [--out FILE.json]

Each repetition computes one budget of 64 draws with its own seed, and stores each term with its 95% interval,
or without if the budget states none. The true value is the closed form if there is one; otherwise it is the
mean over all repetitions. Printed are, for each term of each case, the share of repetitions that state an
interval, and the share of these intervals that hold the true value. The latter must be 93 to 97%.

For spectral learners with an exact quadrature, the terms at the inputs of all draws are computed at once,
by the same formulas; the first draw is checked against `errsrc.budget`.

The command can be stopped at any time: it continues where STORE.jsonl ends. The cases with the heaviest
tails come first, and all cases get 50 repetitions in turn. One core; 1,000 repetitions of all cases take some
hours.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import platform
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy

from errsrc.bases import Cube, Sphere, Torus
from errsrc.learners import (
    BandLeastSquares,
    GradientDescent,
    KernelRidge,
    Learner,
    Memory,
    MinimumNorm,
    Neighbours,
    ReducedRank,
    Ridge,
    Tuned,
)
from errsrc.learners.spectral import SpectralLearner
from errsrc.results import PointEstimate
from errsrc.settings import (
    BandTeacher,
    Flips,
    Gaussian,
    GaussianProcessTeacher,
    LinearTeacher,
    SparseTeacher,
    TableTeacher,
)
from errsrc.sources import budget, exact
from errsrc.sources.further_designs import terms_at
from errsrc.sources.gaussian_posterior import DesignTerms
from errsrc.sources.terms import TERMS, mean_of_draws


@dataclasses.dataclass(frozen=True)
class Counts(Learner):
    """Class probabilities of an item from its labels: (count + 1) / (labels of the item + 3) (Laplace)."""

    def _fit(self, x, y, rng):
        return functools.partial(_probabilities, x[:, 0], np.eye(3)[y])


def _probabilities(seen: np.ndarray, labels: np.ndarray, at: np.ndarray) -> np.ndarray:
    counts = (at == seen) @ labels + 1
    return counts / counts.sum(1, keepdims=True)


LEVEL = 0.95
ROUND = 50
NOISY = Gaussian(0.3)
TUNED = Tuned(tuple(KernelRidge("periodic", 0.5, ridge=ridge) for ridge in (1e-6, 1e-3, 1e-1)))
TUNED_RBF = Tuned(tuple(KernelRidge("rbf", 0.3, ridge=ridge) for ridge in (1e-6, 1e-3, 1e-1)))
CIRCLE, SQUARE, BALL, BITS = Torus(3), Torus(2, 2), Sphere(2), Cube(5, 1)
M7, M25, M9, M6 = (
    [7, 10, 14, 21, 28, 35, 49, 70],
    [25, 28, 32, 38, 50, 75, 125],
    [9, 14, 18, 27, 45, 90],
    [6, 9, 12, 18, 30, 60],
)
D10 = [10, 12, 13, 14, 16, 20, 30, 50, 100]
CASES = [
    ("band on a circle", BandTeacher(CIRCLE, channel=NOISY), BandLeastSquares(CIRCLE), M7),
    ("linear", LinearTeacher(10, channel=NOISY), MinimumNorm(), [6, *D10]),
    (
        "band on a circle, little noise",
        BandTeacher(CIRCLE, channel=Gaussian(0.03)),
        BandLeastSquares(CIRCLE, 0.0063),
        M7,
    ),
    ("band on a circle", BandTeacher(CIRCLE, channel=NOISY), BandLeastSquares(CIRCLE, 0.01), M7),
    ("band on a torus", BandTeacher(SQUARE, channel=NOISY), BandLeastSquares(SQUARE), M25),
    ("band on a sphere", BandTeacher(BALL, channel=NOISY), BandLeastSquares(BALL), M9),
    ("band on a cube", BandTeacher(BITS, channel=NOISY), BandLeastSquares(BITS), M6),
    (
        "band on a circle, with a tail",
        BandTeacher(Torus(6), 1.0, channel=NOISY),
        BandLeastSquares(CIRCLE),
        M7,
    ),
    (
        "band on a circle, with a tail",
        BandTeacher(Torus(6), 1.0, channel=NOISY),
        BandLeastSquares(CIRCLE, 0.5),
        M7,
    ),
    ("band on a circle", BandTeacher(CIRCLE, channel=NOISY), BandLeastSquares(CIRCLE, 0.63), M7),
    ("linear, unequal inputs", LinearTeacher(10, input_decay=1.0, channel=NOISY), MinimumNorm(), [6, *D10]),
    ("linear, unequal inputs", LinearTeacher(10, input_decay=1.0, channel=NOISY), Ridge(0.01), D10),
    ("linear", LinearTeacher(10, channel=NOISY), Ridge(0.9), D10),
    ("linear", LinearTeacher(10, channel=NOISY), GradientDescent(10), D10),
    (
        "matrix",
        LinearTeacher(5, outputs=5, output_decay=1.0, channel=NOISY),
        ReducedRank(2),
        [5, 8, 10, 15, 25, 50],
    ),
    ("band on a circle", BandTeacher(CIRCLE, channel=NOISY), TUNED, [7, 14, 21, 35, 70]),
    ("band on a circle", BandTeacher(CIRCLE, channel=NOISY), Neighbours(3), [7, 14, 21, 35, 70]),
    (
        "process on a square",
        GaussianProcessTeacher(2, channel=NOISY),
        KernelRidge("rbf", 0.3, ridge=0.3),
        [10, 20, 50, 100],
    ),
    ("process on a square", GaussianProcessTeacher(2, channel=NOISY), Neighbours(3), [10, 20, 50, 100]),
    ("process on a square", GaussianProcessTeacher(2, channel=NOISY), TUNED_RBF, [10, 20, 50, 100]),
    (
        "table, 0-1 loss",
        TableTeacher(items=20, classes=3, channel=Flips(0.2)),
        Neighbours(3),
        [10, 20, 50, 100],
    ),
    (
        "table, 0-1 loss",
        TableTeacher(items=20, classes=3, channel=Flips(0.2)),
        Memory(classes=3),
        [10, 20, 50, 100],
    ),
    (
        "table, log loss",
        TableTeacher(items=20, classes=3, channel=Flips(0.2), loss="log"),
        Counts(),
        [10, 20, 50, 100],
    ),
    ("sparse in a band", SparseTeacher(CIRCLE, 2, channel=NOISY), Neighbours(3), [7, 14, 35, 70]),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("store", type=Path, help="file of the finished repetitions")
    parser.add_argument("--repetitions", type=int, default=1000, help="budgets of each case")
    parser.add_argument("--slow", type=int, default=1000, help="budgets of each case that takes long")
    parser.add_argument("--minutes", type=float, default=np.inf, help="time after which no repetition starts")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    end = time.monotonic() + 60 * options.minutes
    exact._closed_form = fast_closed_form
    done = stored(options.store)
    with options.store.open("a") as store:
        for case, first in missing(done, options.repetitions, options.slow):
            for seed in range(first, min(first // ROUND * ROUND + ROUND, options.repetitions)):
                if time.monotonic() > end:
                    break
                row = repetition(case, seed)
                store.write(json.dumps(row) + "\n")
            store.flush()
    machine = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    figures = {"machine": machine, "draws": 64, "level": LEVEL, "cases": summary(stored(options.store))}
    print(report(figures["cases"]))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def numbered() -> list[tuple[str, object, object, int]]:
    """Return the setting, the learner and the number of examples of each case."""
    return [(name, setting, learner, n) for name, setting, learner, sizes in CASES for n in sizes]


def stored(path: Path) -> dict[str, list[dict]]:
    """Return the finished repetitions of each case; a line that was not written to its end does not count."""
    found: dict[str, list[dict]] = {}
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        if line.endswith("}"):
            row = json.loads(line)
            found.setdefault(row["case"], []).append(row)
    return found


def missing(done: dict[str, list[dict]], repetitions: int, slow: int) -> Iterator[tuple[tuple, int]]:
    """Yield the cases with the first repetition of their next round; in each round all cases in turn."""
    for first in range(0, repetitions, ROUND):
        for case in numbered():
            count = len(done.get(key(case), []))
            if count < min(first + ROUND, repetitions, slow if is_slow(case) else repetitions):
                yield case, max(count, first)


def is_slow(case: tuple) -> bool:
    """Return whether a case has no fast formula, so that a budget takes 0.1 seconds or more."""
    return not isinstance(case[2], (SpectralLearner, Counts, Memory))


def key(case: tuple) -> str:
    """Return the text by which the store names a case."""
    return f"{case[1]!r} {case[2]!r} {case[3]}"


def repetition(case: tuple, seed: int) -> dict:
    """Return the terms of one budget: estimate, low and high, or the estimate alone without an interval."""
    _, setting, learner, n = case
    found = budget(setting, learner, n, seed=seed, level=LEVEL)
    row: dict = {"case": key(case), "seed": seed}
    for name, lower, upper in found.rows():
        for side, one in ((name, lower), (f"{name}.upper", upper)):
            if one.low < one.high and not (side != name and one == lower):
                ends = mean_of_draws(found.draws[side], LEVEL)
                stated = not isinstance(one, PointEstimate)
                row[side] = [ends.estimate, ends.low, ends.high, stated, found.tails.get(side)]
    return row


def fast_closed_form(setting, experiment):
    """Return what `errsrc.sources.exact._closed_form` returns, computed for all draws at once."""
    learner = experiment.learner
    slow = dataclasses.replace(experiment, draws=1)
    (first,), least_squares = CLOSED_FORM(setting, slow)
    quadrature = setting.quadrature(learner.function_class, experiment.rng(0, "points"), 64)
    if not (isinstance(learner, SpectralLearner) and quadrature.exact):
        return CLOSED_FORM(setting, experiment)
    xs = np.stack([experiment.inputs(setting, draw) for draw in range(experiment.draws)])
    found = terms_at(setting, learner, quadrature, xs)
    pairs = zip(found["uncertainty"], found["deficiency"], strict=True)
    terms = [DesignTerms(first.realizability, float(one), float(two)) for one, two in pairs]
    np.testing.assert_allclose(dataclasses.astuple(terms[0]), dataclasses.astuple(first), 1e-4, 1e-11)
    return terms, least_squares


CLOSED_FORM = exact._closed_form


def summary(done: dict[str, list[dict]]) -> list[dict]:
    """Return for each case the shares of intervals that are stated, and that hold the true value."""
    out = []
    for case in numbered():
        rows = done.get(key(case), [])
        if not rows:
            continue
        name, setting, learner, n = case
        terms = {}
        for term in [one for side in (*TERMS, "total") for one in (side, f"{side}.upper")]:
            found = [row[term] for row in rows if term in row]
            if not found:
                continue
            truth = float(np.mean([one[0] for one in found]))
            held = [one[1] <= truth <= one[2] for one in found]
            stated = [one[3] for one in found]
            counts = {"stated": sum(stated), "held": int(np.sum(held, where=stated)), "all_held": sum(held)}
            terms[term] = {"truth": float(f"{truth:.5g}"), **counts}
        out.append(
            {"setting": name, "spec": repr(setting), "learner": repr(learner), "n": n}
            | {"repetitions": len(rows), "terms": terms}
        )
    return out


def report(cases: list[dict]) -> str:
    """Return a line for each term that has stated intervals, and a summary."""
    lines, shares = [], []
    for case in cases:
        for term, one in case["terms"].items():
            share = one["held"] / one["stated"] if one["stated"] else np.nan
            stated = one["stated"] / case["repetitions"]
            name = f"{case['setting']:32.32} {case['learner']:44.44} {case['n']:4} {term:18}"
            lines.append(f"{name} {stated:6.1%} {share:6.1%}")
            if stated >= 0.05:
                shares.append((share, one["stated"]))
    found = np.array([one for one, _ in shares])
    counts = np.array([one for _, one in shares])
    error = np.sqrt(LEVEL * (1 - LEVEL) / counts) if len(counts) else counts
    lines.append(f"{len(found)} figures; {np.mean((found >= 0.93) & (found <= 0.97)):.1%} are 93 to 97%.")
    lines.append(f"{np.mean(found < 0.93 - 2 * error):.1%} are more than two standard errors below 93%.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
