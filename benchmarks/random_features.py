"""Exact budgets of random features: against brute force, against theory, and the time of a large grid.

    python benchmarks/random_features.py [--parts exact kernel kernel-theory theory grid] [--out FILE.json]

- exact: each of the four terms in 20 settings (80 comparisons) next to a mean over 400 simulated draws of
  features, inputs, teacher and labels.  A simulation uses no closed form: it fits the projections on the
  span of the features to random points.  The difference is in standard errors of both means.
- kernel: the same for 12 settings (48 comparisons) whose teachers and features combine the eigenfunctions of
  a kernel: on tori, on the sphere, on an interval and on the cube.
- kernel-theory: `errsrc.theory`, which assumes normal features, next to the mean of 64 exact draws for such
  teachers and features, in 12 cells of n, m and ridge for each kernel.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import lstsq

from errsrc.bases import Cube, Legendre, Slepian, Sphere, Torus
from errsrc.learners import RandomFeatures
from errsrc.rng import generator
from errsrc.settings import BandTeacher, Clean, CoordinateSetting, Gaussian, Jittered, LinearTeacher
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
KERNEL_CASES: list[tuple[BandTeacher, RandomFeatures, int]] = [
    (BandTeacher(teacher, decay=decay, **world), RandomFeatures(m, basis=features, **more), n)
    for teacher, decay, world, features, m, more, n in (
        (Torus(6), 2.0, {"channel": Gaussian(0.3)}, Torus(6), 7, {"decay": 2.0, "ridge": 0.05}, 10),
        (Torus(5), 1.0, {}, Torus(8), 9, {"decay": 1.0, "weights": "fourier", **FAST}, 8),
        (Torus(2, 2), 2.0, {"channel": Gaussian(0.2)}, Torus(2, 2), 12, {"decay": 2.0, "ridge": 0.02}, 15),
        (Torus(2, 2), 2.0, {}, Torus(3, 2), 8, {"decay": 2.0, "weights": "fourier", "ridge": 0.1}, 12),
        (Torus(4, 3, "cross"), 3.0, {"channel": Gaussian(0.1)}, Torus(2, 3), 10, {"decay": 3.0, **FAST}, 20),
        (Sphere(3), 1.0, {"channel": Gaussian(0.4)}, Sphere(3), 24, {"decay": 1.0, "ridge": 0.1}, 20),
        (
            Sphere(3),
            2.0,
            {"channel": Gaussian(0.2)},
            Sphere(2),
            6,
            {"activation": "square", "ridge": 0.5},
            14,
        ),
        (Legendre(5), 2.0, {}, Legendre(3), 4, {"activation": "square", "decay": 1.0, **SLOW}, 9),
        (Slepian(5.0, 6), 1.0, {"channel": Gaussian(0.2)}, Legendre(7), 6, {"decay": 1.0, "ridge": 0.1}, 12),
        (
            Cube(6, 2),
            1.0,
            {"channel": Gaussian(0.3)},
            Cube(6, 1),
            10,
            {"activation": "relu", "ridge": 0.1},
            16,
        ),
        (Cube(5, 3), 1.0, {}, Cube(5, 2), 12, {"activation": "erf", "decay": 1.0, **FAST}, 10),
        (
            Torus(3),
            1.0,
            {"beyond": Torus(7), "tail": 0.1, "nodes": Jittered(), "channel": Gaussian(0.3)},
            Torus(4),
            6,
            {"decay": 1.0, "ridge": 0.05},
            11,
        ),
    )
]
LATENT = 2000
THEORY_WORLD = LinearTeacher(LATENT, input_decay=1.5, weight_decay=0.3, channel=Gaussian(0.1))
THEORY_N, THEORY_M = (100, 200, 400, 600, 800), (60, 150, 300)
THEORY_STEPS, RATE = (300, 3000, None), 0.1


def brute_force(
    setting: CoordinateSetting, learner: RandomFeatures, n: int, draws: int, points: int, seed: int
) -> np.ndarray:
    """Return simulated terms of each draw, (draws, 4): without bias from the points of the projections.

    Two projections are fitted to independent points; the mean of a product of their errors estimates a mean
    square.
    """
    rng, noise, out = generator(seed, "brute force"), setting.noise_std, []
    for _ in range(draws):
        one = learner.in_draw(rng)
        w = rng.standard_normal(len(setting.coordinate_variances))
        x = setting.inputs(n, rng)
        prior = setting.roots(x)[0]
        y = prior @ w + noise * rng.standard_normal(n)
        mean = prior.T @ lstsq(prior @ prior.T + noise**2 * np.eye(n), y)[0]
        fits = []
        for _ in range(2):
            at = setting.fresh(points, rng)
            fits.append(lstsq(one.feature_map(at), setting.roots(at)[0] @ np.column_stack([w, mean]))[0].T)
        fresh = setting.fresh(points, rng)
        features, learned = one.feature_map(fresh), one.fit(x, y, rng)(fresh)
        best, ideal = ([features @ fit[k] for fit in fits] for k in (0, 1))
        labels = noise * rng.standard_normal(points)
        pairs = (
            (labels, labels),
            [setting.roots(fresh)[0] @ w - each for each in best],
            [a - b for a, b in zip(best, ideal, strict=True)],
            [learned - each for each in ideal],
        )
        out.append([np.mean(a * b) for a, b in pairs])
    return np.array(out)


def exact_part(draws: int = 400) -> dict[str, Any]:
    """Return the comparison of exact terms with brute force, for linear teachers of normal inputs."""
    return compared(CASES, draws)


def kernel_part(draws: int = 400) -> dict[str, Any]:
    """Return the comparison of exact terms with brute force, for teachers in a band."""
    return compared(KERNEL_CASES, draws)


def compared(
    cases: Sequence[tuple[CoordinateSetting, RandomFeatures, int]], draws: int, points: int = 2000
) -> dict[str, Any]:
    """Return exact terms next to simulated terms, and how many differences are large."""
    rows = []
    for place, (setting, learner, n) in enumerate(cases):
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


def kernel_theory_part(draws: int = 64) -> dict[str, Any]:
    """Return the excess risk of theory over the mean of exact draws, for features of eigenfunctions."""
    rows = []
    for basis in (Torus(60), Torus(6, 2), Sphere(12), Cube(10, 3)):
        world = BandTeacher(basis, decay=2.0, channel=Gaussian(0.1))
        for weights in ("normal", "fourier") if basis.trigonometric else ("normal",):
            learners = [
                RandomFeatures(m, basis=basis, decay=1.5, ridge=ridge, weights=weights)
                for m in (20, 60)
                for ridge in (0.01, 1.0)
            ]
            variances = learners[0].function_class.variances
            for (place, n), found in budget_grid(world, learners, [15, 40, 100], draws=draws).items():
                one = learners[place]
                theory = feature_terms(
                    n, one.m, variances, world.variances, ridge=one.ridge, noise=world.noise
                )
                excess = found.total.estimate - world.noise
                row: dict[str, Any] = {"basis": repr(basis), "weights": weights, "n": n, "m": one.m}
                row |= {"ridge": one.ridge, "exact": excess, "standard error": found.std_error}
                rows.append(row | {"theory over exact": float(theory.excess) / excess})
    summary: dict[str, Any] = {"cells": len(rows)}
    for basis_of, weights in dict.fromkeys((row["basis"], row["weights"]) for row in rows):
        for ridge in (0.01, 1.0):
            wanted = (basis_of, weights, ridge)
            own = [row for row in rows if (row["basis"], row["weights"], row["ridge"]) == wanted]
            largest = max(abs(row["theory over exact"] - 1) for row in own)
            summary[f"largest miss, {basis_of}, {weights}, ridge {ridge:g}"] = largest
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


PARTS = {
    "exact": exact_part,
    "kernel": kernel_part,
    "kernel-theory": kernel_theory_part,
    "theory": theory_part,
    "grid": grid_part,
}


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
