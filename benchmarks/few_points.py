"""Do 90% intervals hold where a table has only 8 to 12 points?  Simulated tables of n and m.

    python benchmarks/few_points.py [--seeds N] [--first SEED] [--truths NAME ...] [--out FILE.json]

Errors are drawn from six truths, on grids of 3 x 3, 2 x 4 and 3 x 4 sizes (model sizes x data sizes, steps of
4).  The noise of ln error is equal at all points, falls with n, has a t distribution with 3 degrees of
freedom, or is equal and five times as large.  Four truths are laws that the default estimator averages:
`power` is a sum of two powers without a floor, `chinchilla` has a floor, `slow` has exponents of 0.2, and
`coupled` has k = 0.4.  `dense` is averaged, too, because eps0 is given.  `m4` is no law of errsrc: it is the
law M4 in n, with a second term in m.  All versions of errsrc get the same tables.

(a) Forecasts of `auto`: the share of new runs in their 90% intervals, and the mean interval score of ln error
    (Gneiting and Raftery 2007, eq. 43), at 4 and 16 times the largest n, the largest m, and both.
(b) The exponents and the floor of `auto` (`AveragedFit.limits`).
(c) `fit(Chinchilla)` with two model sizes and exponents of 0.2: its parameters, and runs at 4 and 16 times
    the largest m.
(d) `--exponents`: the exponents of m and n in whole published grids, for `FEW_MEDIAN` and `FEW_WIDTH`.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from forecasts import LEVEL, interval_scores

from errsrc.errors import NoFit
from errsrc.fitting import auto, fit
from errsrc.laws import M4, Chinchilla, Coupled, Dense
from errsrc.rng import generator

GRIDS = {"3 x 3": (3, 3), "2 x 4": (2, 4), "3 x 4": (3, 4)}
"""Numbers of model sizes and of data sizes."""
NOISES = ("equal", "falling", "t3", "large")
LARGE = 5.0
"""Standard deviation of large noise, in units of equal noise."""
FACTORS = (4.0, 16.0)


class Truth(NamedTuple):
    """A law, the smallest sizes of its tables, the noise of ln error, and the true exponents and floor."""

    error: Callable[..., np.ndarray]
    n: float
    m: float
    noise: float
    fixed: Mapping[str, float] = {}
    limits: Mapping[str, float] = {}


def m4_in_both(n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return the solution of (u - c_inf) / (1 - u)^gamma = 30 n^-0.6 + 20 m^-0.5, times eps0."""
    law = M4(eps0=0.9, c_inf=0.1, a=1.0, alpha=1.0, gamma=1.5)
    return law.error(n=1 / (30.0 * n**-0.6 + 20.0 * m**-0.5))


LANGUAGE = {"n": 6.25e9, "m": 7e7, "noise": 0.005}
CHINCHILLA = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
SLOW = Chinchilla(E=0.1, A=2.0, B=2.0, alpha=0.2, beta=0.2)
DENSE = Dense(eps0=0.9, alpha=0.66, beta=0.53, b=0.3, c_inf=0.8, eta=4.0, n_full=5e4, m_base=7e5)
TRUTHS = {
    "power": Truth(
        Chinchilla(E=0.0, A=6.0, B=20.0, alpha=0.3, beta=0.4).error,
        1e3,
        1e4,
        0.02,
        limits={"n": 0.4, "m": 0.3, "floor": 0.0},
    ),
    "chinchilla": Truth(CHINCHILLA.error, **LANGUAGE, limits={"n": 0.37, "m": 0.35, "floor": 1.8}),
    "coupled": Truth(
        Coupled(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37, k=0.4).error,
        **LANGUAGE,
        limits={"n": 0.37, "m": 0.35, "floor": 1.8},
    ),
    "slow": Truth(SLOW.error, 1e3, 1e4, 0.02, limits={"n": 0.2, "m": 0.2, "floor": 0.1}),
    "dense": Truth(DENSE.error, 1562.5, 1e4, 0.02, {"eps0": 0.9}, {"n": 0.66, "m": 0.53}),
    "m4": Truth(m4_in_both, 1e3, 1e4, 0.01),
}


class Table(NamedTuple):
    """A simulated table, and runs at larger sizes."""

    case: tuple[str, str, str]
    error: np.ndarray
    sizes: dict[str, np.ndarray]
    asked: dict[str, dict[str, np.ndarray]]
    runs: dict[str, np.ndarray]
    truth: Truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="tables of each case")
    parser.add_argument("--first", type=int, default=100, help="first seed")
    parser.add_argument("--truths", nargs="+", default=[*TRUTHS, "two sizes"], help="some of the truths")
    parser.add_argument("--exponents", action="store_true", help="part (d) alone")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    if options.exponents:
        print_exponents()
        return
    rows: list[dict[str, Any]] = []
    for seed in range(options.first, options.first + options.seeds):
        for name in options.truths:
            rows += [row for table in tables(name, seed) for row in judged(table)]
    figures = summary(rows)
    for case, values in figures.items():
        score = f", score {values['score']:.3f}" if "score" in values else ""
        print(f"{case:50} {values['covered']:.3f} of {values['count']}{score}")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def tables(name: str, seed: int) -> Iterator[Table]:
    """Yield the tables of a truth and a seed: each grid with each noise."""
    two = name == "two sizes"
    truth = TRUTHS["slow" if two else name]
    for grid, (models, data) in ({"2 x 4": (2, 4), "2 x 6": (2, 6)} if two else GRIDS).items():
        m = np.repeat(truth.m * 4.0 ** np.arange(models), data)
        n = np.tile(truth.n * 4.0 ** np.arange(data), models)
        asked = {
            where: {"n": n.max() * np.power(FACTORS, by_n), "m": m.max() * np.power(FACTORS, by_m)}
            for where, by_n, by_m in (("n", 1, 0), ("m", 0, 1), ("both", 1, 1))
            if where == "m" or not two
        }
        for noise in NOISES:
            rng = generator(seed, f"few points, {name}, {grid}")
            error = truth.error(n=n, m=m) * np.exp(truth.noise * drawn(noise, n, rng))
            runs = {
                where: truth.error(**at)
                * np.exp(truth.noise * drawn(noise, at["n"], rng) * spread_there(noise, n, at["n"]))
                for where, at in asked.items()
            }
            if truth.fixed:
                error = np.minimum(error, truth.fixed["eps0"])
            yield Table((name, grid, noise), error, {"n": n, "m": m}, asked, runs, truth)


def drawn(noise: str, n: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return noise of standard deviation 1, or 5 if it is large; falling noise has this root mean square."""
    normal, chi = rng.standard_normal(n.shape), rng.chisquare(3, n.shape)
    if noise == "falling":
        return np.asarray(normal * n**-0.5 / np.sqrt(np.mean(1 / n)))
    if noise == "t3":
        return np.asarray(normal / np.sqrt(chi))
    return np.asarray(LARGE * normal if noise == "large" else normal)


def spread_there(noise: str, n: np.ndarray, there: np.ndarray) -> float:
    """Return the root mean square of falling noise at new sizes, in units of that at the points."""
    return float(np.sqrt(np.mean(1 / there) / np.mean(1 / n))) if noise == "falling" else 1.0


def judged(table: Table) -> Iterator[dict[str, Any]]:
    """Yield, for each interval of a fit, what it is about, whether it holds, and its score."""
    name, grid, noise = table.case
    case = {"truth": name, "grid": grid, "noise": noise}
    two = name == "two sizes"
    try:
        if two:
            found: Any = fit(Chinchilla, table.error, level=LEVEL, **table.sizes)
        else:
            found = auto(table.error, fixed=table.truth.fixed, level=LEVEL, **table.sizes)
    except (NoFit, ValueError):
        yield {**case, "what": "no fit", "covered": 0.0}
        return
    for where, at in table.asked.items():
        ahead = found.predict(level=LEVEL, **at)
        low, high, truth = np.log(ahead.low), np.log(ahead.high), np.log(table.runs[where])
        inside, score = (truth >= low) & (truth <= high), interval_scores(low, high, truth)
        for factor, one, s in zip(FACTORS, inside, score, strict=True):
            yield {**case, "what": f"run {where} x{factor:g}", "covered": float(one), "score": float(s)}
    truths = SLOW.params if two else table.truth.limits
    for key, value in truths.items():
        one = (found.intervals if two else found.limits)[key]
        yield {**case, "what": f"parameter {key}", "covered": float(one.low <= value <= one.high)}


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return coverage, count and mean score by truth, grid and noise, and by what was asked."""
    groups: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for row in rows:
        part = "two sizes" if row["truth"] == "two sizes" else "auto"
        kind = row["what"].split()[0]
        if row["what"] == "no fit":
            groups[f"{part}, tables without a fit"].append(row)
            continue
        for key in ("truth", "grid", "noise"):
            groups[f"{part}, {kind}s, {key} {row[key]}"].append(row)
        groups[f"{part}, {row['what']}"].append(row)
        groups[f"{part}, {kind}s, all"].append(row)
    return {
        case: {
            "covered": float(np.mean([row["covered"] for row in group])),
            "count": len(group),
            **({"score": float(np.mean([row["score"] for row in group]))} if "score" in group[0] else {}),
        }
        for case, group in sorted(groups.items())
    }


def print_exponents() -> None:
    """Print the exponents of each published grid, and their geometric mean and spread over the grids."""
    from forecasts import whole_grids

    for law in (Chinchilla, Coupled):
        found = []
        for name, (error, n, m) in whole_grids():
            if not name.startswith("own"):
                one = fit(law, error, n=n, m=m, objective="huber", starts=16).law
                found.append([one.params["alpha"], one.params["beta"]])
                print(f"(d) {law.__name__}, {name[:44]:44} of m {found[-1][0]:.2f}, of n {found[-1][1]:.2f}")
        logs = np.log(found)
        mean, spread = math.exp(logs.mean()), logs.std()
        print(f"(d) {law.__name__}, {len(found)} grids: geometric mean {mean:.2f}, std of ln {spread:.2f}")


if __name__ == "__main__":
    main()
