"""Coverage of a budget's intervals over random inputs, as `errsrc.budget` prints them by default.

    python benchmarks/budget_coverage.py STORE [--repetitions 1000] [--slow 1000] [--minutes 50] [--out FILE]

Each repetition is one budget of 64 draws with its own seed.  The folder STORE keeps the terms of all draws.
From these the 95% intervals are computed, or withheld, as `errsrc.budget` does; the first repetition of
each case is compared with `errsrc.budget`.  The true value is the mean over all repetitions.  Printed are,
for each term of each case, the share of repetitions that state an interval, and the share of these intervals
that hold the true value.  The latter should be 93 to 97%.  The last column is the share of intervals that
hold the true value, if those that are withheld count too.

A share differs from the true coverage by chance.  A figure is *certainly outside* if all coverages of 93 to
97% are rejected, at a level of 0.05 divided by the number of figures (Bonferroni).  If all true coverages are
93 to 97%, the chance that any figure counts as certainly outside is at most 5%, also if figures depend on
the same inputs.

For spectral learners with an exact quadrature, the terms at the inputs of all draws are computed at once,
by the same formulas; the first draw is checked against `errsrc.budget`.

The command can be stopped at any time: it continues where STORE ends.  All cases get 50 repetitions in turn.
One core; 1,000 repetitions take 17 minutes for the 122 cases with fast formulas, and 100 minutes for the
other 36 cases.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import json
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import binom

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
from errsrc.results import PointEstimate, mean_ends
from errsrc.settings import (
    BandTeacher,
    Flips,
    Gaussian,
    GaussianProcessTeacher,
    GaussianSetting,
    LinearTeacher,
    SparseTeacher,
    TableTeacher,
)
from errsrc.sources import Effort, budget, exact
from errsrc.sources.exact import gaussian_budget
from errsrc.sources.experiments import Experiment
from errsrc.sources.further_designs import terms_at
from errsrc.sources.tails import Tail
from errsrc.sources.terms import TERMS, Budget, mean_of_draws


@dataclasses.dataclass(frozen=True)
class Counts(Learner):
    """Class probabilities of an item from its labels: (count + 1) / (labels of the item + 3) (Laplace)."""

    def _fit(self, x, y, rng):
        return functools.partial(_probabilities, x[:, 0], np.eye(3)[y])


def _probabilities(seen: np.ndarray, labels: np.ndarray, at: np.ndarray) -> np.ndarray:
    counts = (at == seen) @ labels + 1
    return counts / counts.sum(1, keepdims=True)


LEVEL = 0.95
LOWEST, HIGHEST = 0.93, 0.97
DRAWS = 64
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
    parser.add_argument("store", type=Path, help="folder of the finished repetitions")
    parser.add_argument("--repetitions", type=int, default=1000, help="budgets of each case")
    parser.add_argument("--slow", type=int, default=1000, help="budgets of each case that takes long")
    parser.add_argument("--minutes", type=float, default=np.inf, help="time after which no round starts")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    end = time.monotonic() + 60 * options.minutes
    for first in range(0, max(options.repetitions, options.slow), ROUND):
        for case in numbered():
            wanted = options.slow if is_slow(case) else options.repetitions
            path = file_of(options.store, case, first)
            if first < wanted and not path.exists() and time.monotonic() < end:
                keep(path, [draws_of(case, seed) for seed in range(first, first + ROUND)])
    machine = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    figures = {"machine": machine, "draws": DRAWS, "level": LEVEL, "cases": summary(options.store)}
    figures["summary"] = conclusion(figures["cases"])
    print(report(figures))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def numbered() -> list[tuple[str, object, object, int]]:
    """Return the setting, the learner and the number of examples of each case."""
    return [(name, setting, learner, n) for name, setting, learner, sizes in CASES for n in sizes]


def is_slow(case: tuple) -> bool:
    """Return whether a case has no fast formula, so that a budget takes 0.06 seconds or more."""
    return not isinstance(case[2], (SpectralLearner, Counts, Memory))


def key(case: tuple) -> str:
    """Return the text by which the store names a case."""
    return f"{case[1]!r} {case[2]!r} {case[3]}"


def file_of(store: Path, case: tuple, first: int) -> Path:
    """Return the file of a round of repetitions of a case."""
    return store / hashlib.sha256(key(case).encode()).hexdigest()[:16] / f"{first:05}.npz"


def keep(path: Path, draws: list[dict[str, np.ndarray]]) -> None:
    """Write the draws of some repetitions to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    together = {name: np.stack([one[name] for one in draws]) for name in draws[0]}
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **together)
    path.with_suffix(".part").rename(path)


def draws_of(case: tuple, seed: int) -> dict[str, np.ndarray]:
    """Return the terms of each draw of one repetition."""
    _, setting, learner, n = case
    if is_slow(case) or not isinstance(learner, SpectralLearner):
        return budget(setting, learner, n, draws=DRAWS, seed=seed, level=LEVEL).draws
    experiment = experiment_of(case, seed)
    quadrature = setting.quadrature(learner.function_class, experiment.rng(0, "points"), 64)
    xs = np.stack([experiment.inputs(setting, draw) for draw in range(DRAWS)])
    found = terms_at(setting, learner, quadrature, xs)
    if seed == 0:
        (first,), _ = exact._closed_form(setting, dataclasses.replace(experiment, draws=1))
        for name in ("uncertainty", "deficiency"):
            np.testing.assert_allclose(found[name][0], getattr(first, name), 1e-4, 1e-11)
    known = setting.realizability(learner.function_class).estimate
    return {
        "realizability": np.full(DRAWS, known),
        "uncertainty": found["uncertainty"],
        "deficiency": found["deficiency"],
    }


def experiment_of(case: tuple, seed: int) -> Experiment:
    """Return the experiment of a repetition."""
    return Experiment(case[2], case[3], None, DRAWS, seed, LEVEL, True, Effort())


def budget_of(case: tuple, seed: int, draws: dict[str, np.ndarray]) -> Budget:
    """Return the budget of the stored draws, without drawing them again."""
    _, setting, _, _ = case
    experiment = experiment_of(case, seed)
    three = {name: draws[name] for name in ("realizability", "uncertainty", "deficiency")}
    if isinstance(setting, GaussianSetting):
        exact._terms = lambda asked, found, *more: (
            (dict(three), is_least_squares(case)) if found is experiment else TERMS_OF(asked, found, *more)
        )
        return gaussian_budget(setting, experiment)
    if isinstance(setting, TableTeacher):
        return Budget.known(setting, experiment, *three.values(), "", judged_table(case))
    pairs = {name: (draws[name], draws[f"{name}.upper"]) for name in three}
    excess = draws["total"] - draws["noise"]
    return Budget.bracketed(setting, experiment, draws["noise"], excess, pairs, dict.fromkeys(three, ""), "")


TERMS_OF = exact._terms


@functools.cache
def judged_table(case: tuple) -> dict[str, Tail]:
    """Return what further draws say of the intervals of a case of a table."""
    return dict(exact._judged_table(case[1], experiment_of(case, 0)))


@functools.cache
def is_least_squares(case: tuple) -> bool:
    """Return whether the total of a case has a closed form over the inputs."""
    experiment = dataclasses.replace(experiment_of(case, 0), draws=1)
    return exact._has_closed_form(experiment) and exact._closed_form(case[1], experiment)[1]


def intervals_of(found: Budget) -> dict[str, list[float]]:
    """Return estimate, low, high, and whether the interval is stated, for each term that is not exact."""
    row = {}
    for name, lower, upper in found.rows():
        for side, one in ((name, lower), (f"{name}.upper", upper)):
            if one.low < one.high and not (side != name and one == lower):
                stated = not isinstance(one, PointEstimate)
                ends = one if stated else mean_of_draws(found.draws[side], LEVEL)
                row[side] = [one.estimate, ends.low, ends.high, stated]
    return row


def stored(store: Path, case: tuple) -> tuple[int, dict[str, np.ndarray]]:
    """Return the number of finished repetitions of a case, and the rows of `intervals_of` for each term."""
    rounds = [dict(np.load(path)) for path in sorted(file_of(store, case, 0).parent.glob("*.npz"))]
    if not rounds:
        return 0, {}
    draws = {name: np.concatenate([one[name] for one in rounds]) for name in rounds[0]}
    count = len(draws["uncertainty"])
    found = together(case, draws)
    if found is None:
        each = [{name: values[k] for name, values in draws.items()} for k in range(count)]
        rows = [intervals_of(budget_of(case, seed, one)) for seed, one in enumerate(each)]
        names = dict.fromkeys(name for row in rows for name in row)
        found = {name: np.array([row[name] for row in rows if name in row]) for name in names}
    _, setting, learner, n = case
    for name, row in intervals_of(budget(setting, learner, n, draws=DRAWS, seed=0, level=LEVEL)).items():
        if name in found or row[0] > 1e-9:  # smaller terms are rounding errors
            np.testing.assert_allclose(found[name][0], row, 1e-4, 1e-9, err_msg=f"{case} {name}")
    return count, found


def together(case: tuple, draws: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Return the rows of all repetitions at once; None if they depend on more than the tails of the case."""
    _, setting, learner, n = case
    if not isinstance(setting, GaussianSetting) or is_least_squares(case):
        return None
    tails = exact._judged(setting, experiment_of(case, 0))
    terms = {name: draws[name] for name in ("uncertainty", "deficiency")}
    terms["total"] = setting.noise + draws["realizability"] + sum(terms.values())
    if not terms.keys() <= tails.keys() or np.ptp(draws["realizability"]) > 0:
        return None
    infinite = exact.has_infinite_mean(setting, learner, n)
    out = {}
    for name, values in terms.items():
        mean, std = values.mean(1), values.std(1)
        varied = std > 1e-14 * np.abs(mean)
        if varied.any():
            low, high = mean_ends(values[varied], LEVEL, tails[name].stretch)
            stated = tails[name].holds and not (infinite and name != "uncertainty")
            columns = mean[varied], low, np.maximum(high, 0.0), np.full(len(low), float(stated))
            out[name] = np.column_stack(columns)
    return out


def summary(store: Path) -> list[dict]:
    """Return for each case the shares of intervals that are stated, and that hold the true value."""
    out = []
    for case in numbered():
        count, found = stored(store, case)
        if not count:
            continue
        name, setting, learner, n = case
        terms = {}
        for term in [one for side in (*TERMS, "total") for one in (side, f"{side}.upper") if one in found]:
            estimate, low, high, stated = found[term].T
            truth = float(estimate.mean())
            held = (low <= truth) & (truth <= high)
            counts = {"stated": stated.sum(), "held": held[stated > 0].sum(), "all_held": held.sum()}
            terms[term] = {"truth": float(f"{truth:.5g}"), **{key: int(one) for key, one in counts.items()}}
        out.append(
            {"setting": name, "spec": repr(setting), "learner": repr(learner), "n": n}
            | {"slow": is_slow(case), "repetitions": count, "terms": terms}
        )
    return out


def conclusion(cases: list[dict]) -> dict[str, dict[str, float]]:
    """Return what all figures say together, for the cases with fast formulas, for the others, and for all."""
    out = {}
    groups = {"fast": [case for case in cases if not case["slow"]]}
    groups |= {"slow": [case for case in cases if case["slow"]], "all": cases}
    for name, group in groups.items():
        figures = [
            (one["held"], one["stated"])
            for case in group
            for one in case["terms"].values()
            if one["stated"] >= 0.05 * case["repetitions"]
        ]
        if not figures:
            continue
        held, stated = np.array(figures).T
        share = held / stated
        outside = np.minimum(binom.cdf(held, stated, LOWEST), binom.sf(held - 1, stated, HIGHEST))
        by_chance = binom.cdf(np.ceil(LOWEST * stated) - 1, stated, LEVEL)
        by_chance += binom.sf(np.floor(HIGHEST * stated), stated, LEVEL)
        out[name] = {
            "cases": len(group),
            "repetitions": int(min(case["repetitions"] for case in group)),
            "figures": len(figures),
            "withheld": sum(len(case["terms"]) for case in group) - len(figures),
            "inside": int(((share >= LOWEST) & (share <= HIGHEST)).sum()),
            "below": int((share < LOWEST).sum()),
            "above": int((share > HIGHEST).sum()),
            "outside by chance, if all were 95%": float(by_chance.sum()),
            "certainly outside": int((outside < 0.05 / len(figures)).sum()),
            "least": float(share.min()),
            "largest": float(share.max()),
            "together": float(held.sum() / stated.sum()),
        }
    return out


def report(figures: dict) -> str:
    """Return a line for each term that has stated intervals, and a summary."""
    lines = []
    for case in figures["cases"]:
        for term, one in case["terms"].items():
            share = one["held"] / one["stated"] if one["stated"] else np.nan
            stated = one["stated"] / case["repetitions"]
            name = f"{case['setting']:32.32} {case['learner']:44.44} {case['n']:4} {term:18}"
            lines.append(f"{name} {stated:6.1%} {share:6.1%} {one['all_held'] / case['repetitions']:6.1%}")
    for name, found in figures["summary"].items():
        lines.append(f"{name}: " + ", ".join(f"{what} {value:.4g}" for what, value in found.items()))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
