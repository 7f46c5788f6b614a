"""Do forecasts hold if the fitted corner of a grid has only 2 or 3 values of n and m?

    python benchmarks/undetermined.py [--tables N] [--seed SEED] [--out FILE.json]

A grid has 4 values of n and 4 values of m, in steps of 4, as a study of image classifiers may have.  Its
errors are drawn from two laws.  The exponents of n and m are uniform from 0.25 to 0.7, and the other
parameters are chosen at random from a few values.  `dense` has an eps0 of 0.9, which the fits know; the error
of the smallest cell is 45%, 83% or 97% of eps0.  `chinchilla` has no eps0.  The noise of ln error is 0.03 or
0.08, times sqrt(1 - (error / eps0)^2).  A corner of small n and m is fitted, with one or three runs of each
cell, and all other cells are predicted.  Their n and m are up to 16 times the largest of the fit.

The script prints the share of new runs in their 90% intervals where n, m or both are larger than in the fit,
and the mean interval score of ln error (Gneiting and Raftery 2007, eq. 43).  It compares four kinds of
forecasts: `fit`, `fit` with refits near the best fit only, `fit` with a prior on exponents as narrow as that
of published grids (`FEW_WIDTH` instead of `OPEN_WIDTH`), and `auto`.  `fit` is given the true law; `auto` is
not.

Four core-minutes.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
from forecasts import LEVEL, interval_scores

from errsrc.errors import NoFit
from errsrc.fitting import auto, fit, intervals, one_law, problem
from errsrc.laws import Chinchilla, Dense, Law
from errsrc.rng import generator

EPS0 = 0.9
N, M = 250.0 * 4.0 ** np.arange(4), 1000.0 * 4.0 ** np.arange(4)
LAWS: dict[str, type[Law]] = {"dense": Dense, "chinchilla": Chinchilla}
CORNERS = ((3, 2), (2, 3), (3, 3))
"""Numbers of values of n and of m that are fitted."""
RUNS = (1, 3)
NOISES = (0.03, 0.08)
PLACES = ("n", "m", "both")
"""Which sizes of a new run are larger than in the fit."""


def truth(law: str, rng: np.random.Generator) -> Callable[..., np.ndarray]:
    """Return the error of a random law."""
    alpha, beta = rng.uniform(0.25, 0.7, 2)
    if law == "dense":
        b, floor, plateau = rng.choice([0.3, 1.0]), rng.choice([0.0, 0.1, 0.3]), rng.choice([0.5, 1.5, 4.0])
        smallest = (N[-1] / N[0]) ** alpha + b * (M[-1] / M[0]) ** beta + floor
        return Dense(EPS0, alpha, beta, b, floor, smallest / plateau, n_full=N[-1], m_base=M[-1]).error
    of_n, of_m, floor = rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.3), rng.choice([0.0, 0.05, 0.2])
    return Chinchilla(floor, of_m * M[0] ** beta, of_n * N[0] ** alpha, beta, alpha).error


def table(
    law: str, corner: tuple[int, int], runs: int, noise: float, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the sizes and errors of the fitted corner, and of all other cells of the grid."""
    error = truth(law, rng)
    n, m = (x.ravel() for x in np.meshgrid(N, M))
    small = (n <= N[corner[0] - 1]) & (m <= M[corner[1] - 1])
    out = []
    for rows in (np.repeat(np.flatnonzero(small), runs), np.flatnonzero(~small)):
        sizes = {"n": n[rows], "m": m[rows]}
        mean = error(**sizes)
        spread = noise * np.sqrt(np.maximum(1 - (mean / EPS0) ** 2, 0.01))
        run = mean * np.exp(spread * rng.standard_normal(len(rows)))
        out.append({**sizes, "error": np.minimum(run, 0.999 * EPS0)})
    return out[0], out[1]


@contextlib.contextmanager
def best_fit() -> Iterator[None]:
    """Take refits from the best fit instead of `open_refits`."""
    with patch.object(one_law, "open_refits", intervals.bootstrap):
        yield


@contextlib.contextmanager
def narrow_prior() -> Iterator[None]:
    """Take a prior as narrow as that of published grids for `open_refits`."""
    with patch.object(intervals, "OPEN_WIDTH", problem.FEW_WIDTH):
        yield


KINDS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "fit": contextlib.nullcontext,
    "fit, best fit": best_fit,
    "fit, narrow prior": narrow_prior,
    "auto": contextlib.nullcontext,
}


def scored(law: str, kind: str, measured: dict, larger: dict) -> np.ndarray:
    """Return the share of covered runs for each of `PLACES`, and the mean score."""
    fixed = {"eps0": EPS0} if law == "dense" else {}
    with KINDS[kind]():
        found = auto(**measured, fixed=fixed) if kind == "auto" else fit(LAWS[law], **measured, fixed=fixed)
    p = found.predict(n=larger["n"], m=larger["m"], level=LEVEL)
    inside = (larger["error"] >= p.low) & (larger["error"] <= p.high)
    beyond = [larger[name] > measured[name].max() for name in "nm"]
    places = (beyond[0] & ~beyond[1], beyond[1] & ~beyond[0], beyond[0] & beyond[1])
    score = interval_scores(np.log(p.low), np.log(p.high), np.log(larger["error"])).mean()
    return np.array([*(inside[rows].mean() for rows in places), score])


def main() -> None:
    """Print and write the coverage and the score of each kind of forecasts, by law, corner and runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=10, help="tables of each case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    args = parser.parse_args()
    found: dict[str, list[np.ndarray]] = collections.defaultdict(list)
    failed = dict.fromkeys(KINDS, 0)
    cases = itertools.product(LAWS, CORNERS, RUNS, NOISES, range(args.tables), KINDS)
    for law, corner, runs, noise, number, kind in cases:
        rng = generator(args.seed, "undetermined", law, *corner, runs, f"{noise:g}", number)
        measured, larger = table(law, corner, runs, noise, rng)
        try:
            values = scored(law, kind, measured, larger)
        except (NoFit, ValueError):
            failed[kind] += 1
            continue
        corners = f"{corner[0]} n x {corner[1]} m"
        for key in ("all", law, corners, f"{law}, {corners}", f"{law}, {corners}, runs {runs}"):
            found[f"{kind}: {key}"].append(values)
    figures = {}
    for key, tables in sorted(found.items()):
        mean = np.mean(tables, axis=0).tolist()
        figures[key] = dict(zip((*PLACES, "score"), mean, strict=True)) | {"tables": len(tables)}
        shares = ", ".join(f"{share:.0%}" for share in mean[:3])
        print(f"{key} ({len(tables)} tables): {shares} covered at larger n, m and both; score {mean[3]:.3f}")
    print("tables without a fit: " + ", ".join(f"{kind} {count}" for kind, count in failed.items()))
    if args.out:
        args.out.write_text(json.dumps({**figures, "tables without a fit": failed}, indent=1) + "\n")


if __name__ == "__main__":
    main()
