"""How often wrong runs of isoFLOP tables are found, and how often honest runs are called wrong.

Tables of a known law have 5 budgets with 7 model sizes each, 4 with 6, or 8 with 9.  The noise of ln error is
0.3% or 1%, with a normal distribution or with Student's t distribution of 3 degrees of freedom.  In some
tables one, two or three runs of one budget or of each budget are wrong: at the end of the sizes, in their
middle, or anywhere.  A wrong run has diverged (2 to 5 times its error), is stuck at an error of 7.6, or has
1.15 times or 0.8 times its error.  A table with wrong runs counts as right if exactly its wrong runs are
found.

    python benchmarks/wrong_runs.py --tables 100
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from errsrc.fitting.isoflops import wrong_rows
from errsrc.laws import Chinchilla

LAW = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
GRIDS = {(5, 7): 4.0, (4, 6): 8.0, (8, 9): 8.0}
"""Budgets and sizes of a table, and the largest factor between a size and the optimal size."""
PLACES, KINDS = ("end", "middle", "anywhere"), ("diverged", "stuck", "15% high", "20% low")


def table(rng: np.random.Generator, budgets: int, sizes: int, noise: float, degrees: float) -> dict:
    """Return the runs of one table."""
    flops = np.repeat(10.0 ** np.linspace(18, 20, budgets), sizes)
    ratio = (LAW.alpha * LAW.A / (LAW.beta * LAW.B)) ** (1 / (LAW.alpha + LAW.beta))
    reach = GRIDS[budgets, sizes]
    off = np.repeat(rng.uniform(-0.3, 0.3, budgets), sizes)
    m = ratio * (flops / 6) ** (LAW.beta / (LAW.alpha + LAW.beta)) * np.exp(off)
    m = m * np.tile(np.geomspace(1 / reach, reach, sizes), budgets)
    n = flops / (6 * m)
    scatter = rng.standard_normal(len(m)) if np.isinf(degrees) else rng.standard_t(degrees, len(m))
    return {"error": LAW.error(n=n, m=m) * np.exp(noise * scatter), "m": m, "n": n, "flops": flops}


def spoil(
    runs: dict, rng: np.random.Generator, sizes: int, count: int, every: bool, place: str, kind: str
) -> NDArray[np.bool_]:
    """Change the errors of some runs, and return which."""
    budgets = len(runs["m"]) // sizes
    wrong = np.zeros(len(runs["m"]), dtype=bool)
    for budget in range(budgets) if every else [int(rng.integers(budgets))]:
        where = {
            "end": np.arange(count) if rng.integers(2) else sizes - 1 - np.arange(count),
            "middle": np.arange(count) + (sizes - count) // 2,
            "anywhere": rng.permutation(sizes)[:count],
        }[place]
        wrong[budget * sizes + where] = True
    error = runs["error"]
    error[wrong] = {
        "diverged": error[wrong] * rng.uniform(2, 5, wrong.sum()),
        "stuck": 7.6 * np.exp(0.001 * rng.standard_normal(wrong.sum())),
        "15% high": 1.15 * error[wrong],
        "20% low": 0.8 * error[wrong],
    }[kind]
    return wrong


def main() -> None:
    """Print one line for each kind of tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tables", type=int, default=100, help="honest tables of each kind")
    tables = parser.parse_args().tables
    named = {3.0: 0, np.inf: 0}
    for budgets, sizes in GRIDS:
        for noise in (0.003, 0.01):
            for degrees in named:
                for seed in range(tables):
                    runs = table(np.random.default_rng(seed), budgets, sizes, noise, degrees)
                    named[degrees] += int(wrong_rows(runs, (Chinchilla,)).any())
    honest = tables * len(GRIDS) * 2
    for degrees, count in named.items():
        name = "normal noise" if np.isinf(degrees) else "noise of Student's t"
        print(f"honest tables, {name}: {count} of {honest} have a run that is called wrong", flush=True)
    for noise in (0.003, 0.01):
        for count in (1, 2, 3):
            for every in (False, True):
                right = total = alarms = 0
                for budgets, sizes in GRIDS:
                    if sizes - count < 4:
                        continue
                    for place in PLACES:
                        for kind in KINDS:
                            for seed in range(max(tables // 25, 1)):
                                rng = np.random.default_rng([seed, budgets, count, every, len(kind)])
                                runs = table(rng, budgets, sizes, noise, np.inf)
                                wrong = spoil(runs, rng, sizes, count, every, place, kind)
                                found = wrong_rows(runs, (Chinchilla,))
                                total, right = total + 1, right + int((found == wrong).all())
                                alarms += int((found & ~wrong).any())
                where = "each budget" if every else "one budget"
                text = f"noise {noise:.1%}, {count} wrong in {where}: right in {right} of {total}"
                print(f"{text}, honest runs called wrong in {alarms}", flush=True)


if __name__ == "__main__":
    main()
