"""How often does `curve_shape` see a peak, a dip or a rise that is there, and how often one that is not?

    python benchmarks/rises.py [--repeats 400] [--lcdb FILE.csv] [--out benchmarks/results/rises.json]

First part: random curves of known shape, with 8 or 24 sizes n from 100 to 12,800 at equal ratios, and errors
that are the curve times exp(noise x standard normal). The noise is known in one of three ways: by standard
errors, from three seeds for each n, or not at all (one run for each n). Each row states the share of each of
the verdicts peak, dip and rise. Curves that never rise must have such a verdict in at most 5%. The last rows
break the assumption that standard errors are correct: they are estimated from few seeds for each n.

Second part: plateaus that end at n = 1,000, bends without a plateau, and peaks of eight single runs, by all
verdicts; a tenth of the repeats, because laws are fitted to these curves.

Third part, with --lcdb: curves of LCDB 1.1 (Yan et al. 2025), a table with the columns openmlid, learner, n,
error and error_stderr. For each learner: how many curves rise, by the definition that is written out in
`defined`, and how many verdicts agree. The same curves are judged once more without their standard errors.
`--fits` also counts the verdicts of the curves that do not rise; this takes about two minutes of one core.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from errsrc.curves import CurveShape, curve_shape
from errsrc.curves.cells import sorted_curve
from errsrc.curves.rises import not_falling
from errsrc.laws import Broken, Law, Power
from errsrc.rng import generator

VERDICTS = ("peak", "dip", "rise")
LEVEL = 0.95
"""Default level of `curve_shape`."""


def double_descent(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """A curve that falls up to n = 500, rises by a factor up to n = 1,600, and then falls again."""
    knots, logs = np.log([100, 500, 1600, 12_800]), np.array([0, -0.5, -0.5 + math.log(factor), -1.5])
    return lambda n: np.exp(np.interp(np.log(n), knots, logs))


def overfit(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """A power law up to n = 1,600 that then rises by a factor up to the largest n."""
    slope = math.log(factor) / math.log(8)
    return lambda n: np.where(n < 1600, n**-0.3, 1600**-0.3 * (n / 1600) ** slope)


CURVES: dict[str, tuple[Law | Callable[[np.ndarray], np.ndarray], str]] = {
    "constant": (np.ones_like, "none"),
    "n^-0.3": (Power(0.0, 1.0, 0.3), "none"),
    "n^-0.5 + floor": (Power(0.1, 2.0, 0.5), "none"),
    "falls, rises by a factor 1.25, falls": (double_descent(1.25), "peak"),
    "falls, rises by a factor 1.5, falls": (double_descent(1.5), "peak"),
    "falls, rises by a factor 2, falls": (double_descent(2.0), "peak"),
    "falls, then rises by a factor 1.25": (overfit(1.25), "dip"),
    "falls, then rises by a factor 2": (overfit(2.0), "dip"),
    "rises by a factor 1.25": (lambda n: (n / 100) ** (math.log(1.25) / math.log(128)), "rise"),
    "rises by a factor 2": (lambda n: (n / 100) ** (math.log(2) / math.log(128)), "rise"),
}
KNOWN = {"standard errors": 1, "three seeds": 3, "one run": 1}
"""Number of runs of each n, for each way in which the noise is known."""
ESTIMATED = {f"standard errors from {seeds} seeds": seeds for seeds in (3, 5, 10, 30)}
"""Number of runs of each n from which the mean and its standard error are estimated."""
BROKEN = {
    "plateau, then n^-0.6": Broken(0.0, 1.0, 0.0, 0.6, 1000.0, 0.2),
    "n^-0.1, then n^-0.5": Broken(0.0, 1.0, 0.1, 0.4, 1000.0, 0.2),
    "n^-0.3, then n^-0.9": Broken(0.0, 1.0, 0.3, 0.6, 1000.0, 0.4),
}


@dataclass(frozen=True)
class Case:
    """A curve and how it is measured."""

    curve: str
    sizes: int
    noise: float
    known: str

    @property
    def name(self) -> str:
        """The curve and how it is measured, in words."""
        return f"{self.curve}, {self.sizes} sizes, noise {self.noise:.0%}, {self.known}"

    def draw(self, repeat: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return n, error and standard error of one repeat."""
        curve = CURVES[self.curve][0] if self.curve in CURVES else BROKEN[self.curve]
        n = np.repeat(100 * 128.0 ** np.linspace(0, 1, self.sizes), (KNOWN | ESTIMATED)[self.known])
        true = curve.error(n=n) if isinstance(curve, Law) else curve(n)
        error = true * np.exp(self.noise * generator(repeat, "rises", self.name).standard_normal(len(n)))
        if self.known in ESTIMATED:
            seeds = error.reshape(self.sizes, -1)
            spread = seeds.std(1, ddof=1) / math.sqrt(seeds.shape[1])
            return np.unique(n), seeds.mean(1), spread
        return n, error, self.noise * true if self.known == "standard errors" else None


FITTED = [
    *(Case(curve, 8, 0.05, "three seeds") for curve in BROKEN),
    *(Case(f"falls, rises by a factor {factor}, falls", 8, 0.05, "one run") for factor in ("1.25", "2")),
]
"""Cases of the second part."""


def rates(case: Case, repeats: int) -> dict[str, float]:
    """Return the share of each verdict on curves that rise, without the fits of those that do not."""
    count: collections.Counter[str] = collections.Counter()
    for repeat in range(repeats):
        n, error, spread = case.draw(repeat)
        curve = sorted_curve(n, error, spread, None, LEVEL)
        found = not_falling(curve, None if spread is None else (n, error, spread), LEVEL, repeat)
        if found is not None and math.isnan(found.lone_n):
            count[found.verdict] += 1
    return {verdict: count[verdict] / repeats for verdict in VERDICTS}


def defined(n: np.ndarray, error: np.ndarray, spread: np.ndarray) -> str:
    """Return the shape that a curve has by definition: peak, dip, rise or none.

    A rise is a pair i < j with e_j - e_i > z sqrt(s_i^2 + s_j^2).  z is one-sided at 5% for a curve, with
    Bonferroni's correction for all pairs but those with s_i = s_j = 0, which are left out.  A peak is a rise
    and then a fall, a dip is a fall and then a rise.
    """
    pairs = [(i, j) for j in range(len(n)) for i in range(j) if spread[i] > 0 or spread[j] > 0]
    z = stats.norm.isf(0.05 / len(pairs)) if pairs else math.inf
    bound = {(i, j): z * math.hypot(spread[i], spread[j]) for i, j in pairs}
    rises = [(i, j) for i, j in pairs if error[j] - error[i] > bound[i, j]]
    falls = [(i, j) for i, j in pairs if error[i] - error[j] > bound[i, j]]
    if {j for _, j in rises} & {i for i, _ in falls}:
        return "peak"
    if {j for _, j in falls} & {i for i, _ in rises}:
        return "dip"
    return "rise" if rises else "none"


def lcdb(path: Path, fits: bool) -> dict[str, Any]:
    """Return how many verdicts agree with the definition, by learner."""
    curves: dict[tuple[str, str], list[tuple[float, float, float]]] = collections.defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            point = float(row["n"]), float(row["error"]), float(row["error_stderr"])
            curves[row["learner"], row["openmlid"]].append(point)
    learners: dict[str, dict[str, int]] = collections.defaultdict(lambda: collections.defaultdict(int))
    others: collections.Counter[str] = collections.Counter()
    for (learner, _), points in sorted(curves.items()):
        n, error, spread = np.array(sorted(points)).T
        truth, row = defined(n, error, spread), learners[learner]
        row["curves"] += 1
        row[truth] += 1
        if truth == "none" and not fits:
            curve = sorted_curve(n, error, spread, None, LEVEL)
            row["agree"] += not_falling(curve, (n, error, spread), LEVEL, 0) is None
            continue
        found = curve_shape(n, error, std_error=spread)
        said = found.verdict if found.verdict in VERDICTS else "none"
        row["agree"] += said == truth
        if truth == "none":
            others[found.verdict] += 1
        else:
            row["bend"] += found.verdict == "bend"
            blind: CurveShape = curve_shape(n, error)
            row["seen without standard errors"] += blind.verdict in VERDICTS
            row["bend without standard errors"] += blind.verdict == "bend"
    return {"learners": {name: dict(row) for name, row in learners.items()}, "others": dict(others)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400, help="draws of each curve")
    parser.add_argument("--lcdb", type=Path, help="learning curves of LCDB 1.1")
    parser.add_argument(
        "--fits", action="store_true", help="fit the curves of LCDB 1.1 that do not rise, too"
    )
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures: dict[str, Any] = {
        "machine": {"python": platform.python_version(), "numpy": np.__version__},
        "repeats": options.repeats,
        "rates": {},
        "fitted": {},
    }
    print(f"{'curve':<76}" + "".join(f"{verdict:>8}" for verdict in VERDICTS))
    measured = [(curve, known) for curve in CURVES for known in KNOWN]
    measured += [("constant", known) for known in ESTIMATED]
    for curve, known in measured:
        for sizes in (8, 24):
            case = Case(curve, sizes, 0.05, known)
            row = figures["rates"][case.name] = rates(case, options.repeats)
            print(f"{case.name:<76}" + "".join(f"{row[verdict]:8.1%}" for verdict in VERDICTS), flush=True)
    repeats = options.repeats // 10
    for case in FITTED:
        said = collections.Counter(curve_shape(*case.draw(repeat)[:2]).verdict for repeat in range(repeats))
        figures["fitted"][case.name] = {verdict: count / repeats for verdict, count in said.items()}
        print(
            f"{case.name:<76}" + ", ".join(f"{k} {v / repeats:.1%}" for k, v in said.most_common()),
            flush=True,
        )
    if options.lcdb:
        figures["lcdb"] = found = lcdb(options.lcdb, options.fits)
        for name, row in found["learners"].items():
            print(f"{name:<24}" + ", ".join(f"{key} {value}" for key, value in row.items()))
        print(found["others"])
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
