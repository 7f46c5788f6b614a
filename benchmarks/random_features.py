"""Exact budgets of random features: against brute force, against theory, and the time of a large grid.

    python benchmarks/random_features.py [--parts exact theory grid] [--out FILE.json]

- exact: each of the four terms in 20 settings (80 comparisons) next to a mean over 400 simulated draws of
  features, inputs, teacher and labels.  A simulation uses no closed form: it fits the projections on the
  span of the features to random points.  The difference is in standard errors of both means.
- theory: 45 cells of n, m and training time outside .8 < n / m < 1.25, 2,000 latent dimensions, no ridge: the
  excess risk of `errsrc.theory` over the mean of exact budgets of 16 draws.
- grid: budgets of a 10 x 10 x 10 grid of n, m and training steps, n and m up to 1,000, 2,000 latent
  dimensions, 16 draws.  All steps share one decomposition.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import lstsq

from errsrc.learners import RandomFeatures
from errsrc.rng import generator
from errsrc.settings import Clean, Gaussian, LinearTeacher
from errsrc.sources import budget, budget_grid
from errsrc.sources.terms import TERMS
from errsrc.theory import feature_terms

SLOW, FAST = {"steps": 30, "learning_rate": 0.01}, {"steps": 400, "learning_rate": 0.01}
CASES: list[tuple[LinearTeacher, RandomFeatures, int]] = [
    (LinearTeacher(dim, input_decay=decay, weight_decay=prior, channel=channel), RandomFeatures(m, **more), n)
    for dim, decay, prior, channel, m, more, n in (
        (6, 1.0, 0.0, Gaussian(0.3), 4, {"ridge": 0.2}, 8),
        (6, 1.0, 0.0, Gaussian(0.3), 12, {"ridge": 0.2}, 8),
        (10, 1.5, 0.5, Gaussian(0.5), 4, {"steps": 30, "learning_rate": 0.05}, 12),
        (10, 1.5, 0.5, Gaussian(0.5), 4, {"steps": 500, "learning_rate": 0.05}, 12),
        (10, 0.5, 1.0, Clean(), 6, {"ridge": 0.05}, 5),
        (10, 0.5, 1.0, Clean(), 6, {}, 14),
        (8, 0.0, 0.0, Gaussian(1.0), 5, {"ridge": 2.0}, 20),
        (8, 0.0, 0.0, Gaussian(1.0), 3, {}, 12),
        (6, 1.0, 0.5, Gaussian(0.2), 5, {"activation": "relu", "ridge": 0.1}, 10),
        (6, 1.0, 0.5, Gaussian(0.2), 15, {"activation": "relu", "ridge": 0.1}, 10),
        (8, 2.0, 0.0, Gaussian(0.4), 6, {"activation": "relu", **SLOW}, 12),
        (8, 2.0, 0.0, Clean(), 6, {"activation": "relu", **FAST}, 6),
        (6, 1.0, 0.5, Gaussian(0.2), 5, {"activation": "erf", "ridge": 0.1}, 10),
        (6, 1.0, 0.5, Gaussian(0.2), 15, {"activation": "erf", "ridge": 0.1}, 20),
        (10, 1.0, 1.0, Gaussian(0.6), 8, {"activation": "erf", **SLOW}, 8),
        (10, 1.0, 1.0, Clean(), 8, {"activation": "erf", **FAST}, 16),
        (4, 1.0, 0.0, Gaussian(0.5), 6, {"activation": "square", "ridge": 1.0}, 10),
        (4, 1.0, 0.0, Gaussian(0.5), 3, {"activation": "square", "ridge": 5.0}, 20),
        (3, 2.0, 0.0, Gaussian(0.2), 2, {"ridge": 0.01}, 2),
        (12, 1.2, 0.8, Gaussian(0.1), 10, {"ridge": 0.02}, 30),
    )
]
LATENT = 2000
THEORY_WORLD = LinearTeacher(LATENT, input_decay=1.5, weight_decay=0.3, channel=Gaussian(0.1))
THEORY_N, THEORY_M = (100, 200, 400, 600, 800), (60, 150, 300)
THEORY_STEPS, RATE = (300, 3000, None), 0.1


def brute_force(
    setting: LinearTeacher, learner: RandomFeatures, n: int, draws: int, points: int, seed: int
) -> np.ndarray:
    """Return simulated terms of each draw, (draws, 4): without bias from the points of the projections.

    Two projections are fitted to independent points; the mean of a product of their errors estimates a mean
    square.
    """
    rng, noise, out = generator(seed, "brute force"), setting.noise_std, []
    for _ in range(draws):
        one = learner.in_draw(rng)
        w = rng.standard_normal(setting.dim) * np.sqrt(setting.weight_variances)
        x = setting.inputs(n, rng)
        y = x @ w + noise * rng.standard_normal(n)
        prior = x * setting.weight_variances
        mean = prior.T @ lstsq(prior @ x.T + noise**2 * np.eye(n), y)[0]
        fits = []
        for _ in range(2):
            at = setting.inputs(points, rng)
            fits.append(lstsq(one.feature_map(at), at @ np.column_stack([w, mean]))[0].T)
        fresh = setting.inputs(points, rng)
        features, learned = one.feature_map(fresh), one.fit(x, y, rng)(fresh)
        best, ideal = ([features @ fit[k] for fit in fits] for k in (0, 1))
        labels = noise * rng.standard_normal(points)
        pairs = (
            (labels, labels),
            [fresh @ w - each for each in best],
            [a - b for a, b in zip(best, ideal, strict=True)],
            [learned - each for each in ideal],
        )
        out.append([np.mean(a * b) for a, b in pairs])
    return np.array(out)


def exact_part(draws: int = 400, points: int = 2000, cases: int = len(CASES)) -> dict[str, Any]:
    """Return the comparison of exact terms with brute force."""
    rows = []
    for place, (setting, learner, n) in enumerate(CASES[:cases]):
        simulated = brute_force(setting, learner, n, draws, points, place)
        found = budget(setting, learner, n, draws=2000)
        parts = sum(getattr(found, name).lower.estimate for name in TERMS)
        row: dict[str, Any] = {"case": f"{setting!r} {learner!r} n = {n}"}
        row["sum"] = abs(parts / found.total.estimate - 1)
        for name, values in zip(TERMS, simulated.T, strict=True):
            own = found.draws[name].std() / math.sqrt(2000)
            error = math.hypot(values.std() / math.sqrt(draws), own)
            off = values.mean() - getattr(found, name).lower.estimate
            row[name] = [getattr(found, name).lower.estimate, values.mean(), off / max(error, 1e-12)]
        rows.append(row)
    z = np.abs([[row[name][2] for name in TERMS] for row in rows])
    summary = {
        "comparisons": z.size,
        "beyond 3 standard errors": int((z > 3).sum()),
        "beyond 4 standard errors": int((z > 4).sum()),
        "largest": float(z.max()),
        "largest miss of the sum": max(row["sum"] for row in rows),
    }
    return summary | {"rows": rows}


def theory_part() -> dict[str, Any]:
    """Return the comparison of theory with exact means."""
    world = THEORY_WORLD
    learners = [RandomFeatures(m, steps=t, learning_rate=RATE) for m in THEORY_M for t in THEORY_STEPS]
    grid = budget_grid(world, learners, THEORY_N, draws=16)
    target, rows = world.eigenvalues * world.weight_variances, []
    for (place, n), found in grid.items():
        one = learners[place]
        at = None if one.steps is None else one.steps * RATE
        theory = feature_terms(n, one.m, world.eigenvalues, target, noise=world.noise, time=at)
        excess = found.total.estimate - world.noise
        row: dict[str, Any] = {"n": n, "m": one.m, "steps": one.steps, "exact": excess}
        row |= {"standard error": found.std_error, "theory over exact": float(theory.excess) / excess}
        for name in TERMS[1:]:
            row[name] = float(getattr(theory, name)) / getattr(found, name).lower.estimate
        rows.append(row)
    miss = [abs(row["theory over exact"] - 1) for row in rows]
    summary = {"cells": len(rows), "within 2%": sum(one <= 0.02 for one in miss), "largest miss": max(miss)}
    for name in TERMS[1:]:
        summary[f"largest miss, {name}"] = max(abs(row[name] - 1) for row in rows)
    return summary | {"rows": rows}


def grid_part(draws: int = 16) -> dict[str, Any]:
    """Return the time of a grid of 1,000 budgets."""
    sizes = [round(one) for one in np.geomspace(20, 1000, 10)]
    steps = [round(one) for one in np.geomspace(1, 100_000, 10)]
    setting = LinearTeacher(LATENT, input_decay=1.5, channel=Gaussian(0.1))
    learners = [RandomFeatures(m, steps=t, learning_rate=RATE) for m in sizes for t in steps]
    wall, cpu = time.perf_counter(), time.process_time()
    found = budget_grid(setting, learners, sizes, draws=draws)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    totals = [one.total.estimate for one in found.values()]
    return {
        "budgets": len(found),
        "draws": draws,
        "wall s": wall,
        "CPU s": cpu,
        "mean total": np.mean(totals),
    }


PARTS = {"exact": exact_part, "theory": theory_part, "grid": grid_part}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    about = {"python": platform.python_version(), "numpy": np.__version__, "cores": os.cpu_count()}
    result: dict[str, Any] = {"about": about}
    if args.out and args.out.exists():
        result = json.loads(args.out.read_text()) | result
    for name in args.parts:
        result[name] = PARTS[name]()
        shown = {key: value for key, value in result[name].items() if key != "rows"}
        print(name, shown)
        if args.out:
            args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
