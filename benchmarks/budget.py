"""Coverage of the budget's intervals in settings where each term is known, in one run.

    python benchmarks/budget.py [--repetitions 1000] [--draws 64] [--out FILE.json]

Each exact setting has a fixed design. Its budget is computed in closed form, and estimated many times from
draws of teacher, labels and learner alone, each time with 95% intervals. The share of these that contain the
exact term must be 93 to 97% (two standard errors at 1,000 repetitions are 1.4%). Terms that are known without
draws are not counted. The same share is printed for plain t intervals of the same draws, and of 20 of them.
One core, about ten minutes.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
from pathlib import Path

import numpy as np
import scipy

from errsrc.bases import Torus
from errsrc.learners import BandLeastSquares, GradientDescent, KernelRidge, MinimumNorm, ReducedRank, Ridge
from errsrc.rng import generator, seed_of
from errsrc.settings import BandTeacher, Gaussian, GaussianProcessTeacher, LinearTeacher
from errsrc.sources import budget
from errsrc.sources.terms import TERMS

NOISY = Gaussian(0.3)
LINEAR = LinearTeacher(10, input_decay=1.0, channel=NOISY)
PROCESS = GaussianProcessTeacher(2, channel=NOISY)
CASES = {
    "linear, ridge": (LINEAR, Ridge(2.0), 15),
    "linear, stopped descent": (LINEAR, GradientDescent(10), 15),
    "linear, minimum norm": (LINEAR, MinimumNorm(), 6),
    "fourier, smaller band": (BandTeacher(Torus(6), 1.0, channel=NOISY), BandLeastSquares(Torus(3), 0.5), 20),
    "matrix, rank 2": (LinearTeacher(5, outputs=5, output_decay=1.0, channel=NOISY), ReducedRank(2, 0.5), 9),
    "process, wrong kernel": (PROCESS, KernelRidge("rbf", 0.3, ridge=0.3), 20),
}
LEVEL = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000, help="estimated budgets of each setting")
    parser.add_argument("--draws", type=int, default=64, help="draws of teacher and data of each")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    cases = {name: coverage(name, options.repetitions, options.draws) for name in CASES}
    machine = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    figures = {"machine": machine, "repetitions": options.repetitions, "draws": options.draws}
    figures["coverage"] = cases
    print(json.dumps(figures, indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def coverage(name: str, repetitions: int, draws: int) -> dict[str, dict[str, float]]:
    """Return for each term the exact value, and the shares of intervals that hold it."""
    setting, learner, n = CASES[name]
    x = setting.inputs(n, generator(0, "benchmark", name))
    at_design = functools.partial(budget, setting, learner, n, x=x, level=LEVEL)
    exact = at_design(draws=5000, seed=seed_of(0, "exact"))
    truths = {term: interval.estimate for term, interval, _ in exact.rows()}
    held: dict[str, list[tuple[bool, bool, bool]]] = {}
    for repetition in range(repetitions):
        found = at_design(draws=draws, seed=seed_of(repetition, "repetition"), exact=False)
        for term, low, _ in found.rows():
            values = found.draws[term]
            truth = truths[term]
            if np.ptp(values) > 1e-12:
                plain = [_t_holds(values[:k], truth) for k in (draws, 20)]
                held.setdefault(term, []).append((low.low <= truth <= low.high, *plain))
    names = ("covered", "covered_t", "covered_t_20_draws")
    out = {}
    for term in (*TERMS, "total"):
        if term in held:
            shares = np.mean(held[term], axis=0)
            out[term] = {"exact": float(f"{truths[term]:.6g}")}
            out[term] |= dict(zip(names, shares.round(4).tolist(), strict=True))
    return out


def _t_holds(values: np.ndarray, truth: float) -> bool:
    half = scipy.stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return bool(abs(values.mean() - truth) <= half)


if __name__ == "__main__":
    main()
