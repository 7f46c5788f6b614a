"""Sparse parity: how many examples determine the teacher, and how many do learners need?

Command:  python sims/parity.py [--out FILE]
Cost:     about 10 minutes of one core; less than one with --dims 20 --teachers 4
Setting:  products of 3 of d coordinates, noiseless; errors are shares of wrong classes on fresh inputs
Learners: Adam on n examples (8,000 steps of 64 examples; a network with 128 rectified units and weight decay
          .01); and elimination over the field with two elements, which does not know the number 3
n*:       the smallest n from which on the median error over teachers is at most .1. The grid of n has the
          ratio 1.25 and starts at 0.6 d^2. Intervals (95%) are from 2,000 resamples of the teachers
Outcome:  n* of Adam is 732, 2,060, 3,662 and 6,592 for d = 20, 30, 40, 60: it grows as d^2.00 [1.81, 2.19].
          At n* / 3 its error is .49 to .50, where the uncertainty is 0. Elimination is exact with d + 10
          examples, and fails for most teachers if 5% of the labels are flipped (CPU, torch 2.13)
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch

from errsrc.learners import NetworkStudent, ParityElimination
from errsrc.nets import MLP
from errsrc.rng import generator
from errsrc.settings import Flips, SparseParity
from errsrc.training import Recipe

DIMS, TEACHERS, GOAL, RATIO, FIRST, WIDTH, STEPS = (20, 30, 40, 60), 8, 0.1, 1.25, 0.6, 128, 8000
RECIPE = Recipe("adam", learning_rate=0.003, weight_decay=0.01, batch=64)
FRESH, RESAMPLES = 4000, 2000


def errors(setting: SparseParity, learner, n: int, teachers: int) -> np.ndarray:
    """Return the share of wrong classes of a learner on fresh inputs, for each teacher."""
    rngs = [generator(0, "parity", setting.dim, n, k) for k in range(teachers)]
    drawn = [setting.teacher(rng) for rng in rngs]
    xs = [setting.inputs(n, rng) for rng in rngs]
    ys = [setting.channel.label(one(x), rng) for one, x, rng in zip(drawn, xs, rngs, strict=True)]
    fresh = setting.inputs(FRESH, generator(0, "parity", setting.dim, "fresh"))
    fitted = learner.fit_many(xs, ys, rngs)
    return np.array(
        [
            (found(fresh).argmax(1) != one(fresh).argmax(1)).mean()
            for found, one in zip(fitted, drawn, strict=True)
        ]
    )


def uncertainty(setting: SparseParity, n: int, teachers: int) -> float:
    """Return the mean posterior error rate after n examples, exact given the data, at 512 fresh inputs."""
    out = []
    for k in range(teachers):
        rng = generator(0, "parity", setting.dim, n, "uncertainty", k)
        teacher, x = setting.teacher(rng), setting.inputs(n, rng)
        y = setting.channel.label(teacher(x), rng)
        out.append(setting.predictive(x, y, setting.inputs(512, rng)).min(1).mean() - setting.noise)
    return float(np.mean(out))


def measured(dim: int, teachers: int) -> dict:
    """Return the errors of Adam over n, up to two sizes at which all teachers are found, and the rest."""
    setting, student = (
        SparseParity(dim),
        NetworkStudent(MLP((dim, WIDTH, 2)), RECIPE, steps=STEPS, validation=0.0),
    )
    sizes, rows, n = [], [], FIRST * dim**2
    while len(rows) < 2 or max(rows[-1].max(), rows[-2].max()) > GOAL:
        sizes.append(round(n))
        rows.append(errors(setting, student, sizes[-1], teachers))
        print(f"  d = {dim}  n = {sizes[-1]:6,}  median error {np.median(rows[-1]):.3f}", flush=True)
        n *= RATIO
    star = first_below(sizes, np.array(rows))
    third = max(2, round(star / 3))
    flipped = SparseParity(dim, channel=Flips(0.05))
    return {
        "dim": dim,
        "log2 C": math.log2(setting.sets),
        "n": sizes,
        "errors": np.array(rows).tolist(),
        "n*": star,
        "n*/3": third,
        "error at n*/3": float(np.median(errors(setting, student, third, teachers))),
        "uncertainty at n*/3": uncertainty(setting, third, teachers),
        "uncertainty at log2 C + 10": uncertainty(setting, math.ceil(math.log2(setting.sets)) + 10, 64),
        "elimination at d + 10": float(errors(setting, ParityElimination(), dim + 10, 64).mean()),
        "elimination at 4 d, 5% flips": float(errors(flipped, ParityElimination(), 4 * dim, 64).mean()),
        "uncertainty at 4 d, 5% flips": uncertainty(flipped, 4 * dim, 64),
    }


def first_below(sizes: list[int], rows: np.ndarray) -> float:
    """Return the smallest n from which on all medians are at most the goal."""
    above = np.flatnonzero(np.median(rows, axis=1) > GOAL)
    return float(sizes[min(above[-1] + 1, len(sizes) - 1)] if len(above) else sizes[0])


def exponent(found: list[dict]) -> tuple[float, float, float]:
    """Return the slope of ln n* in ln d, with its 95% interval."""
    x = np.log([one["dim"] for one in found])
    rng, slopes = generator(0, "parity", "resamples"), []
    for _ in range(RESAMPLES):
        stars = []
        for one in found:
            rows = np.array(one["errors"])
            stars.append(first_below(one["n"], rows[:, rng.integers(0, rows.shape[1], rows.shape[1])]))
        stars = np.log(stars) + rng.uniform(-0.5, 0.5, len(stars)) * math.log(
            RATIO
        )  # n* lies between two sizes
        slopes.append(np.polyfit(x, stars, 1)[0])
    slope = float(np.polyfit(x, np.log([one["n*"] for one in found]), 1)[0])
    low, high = np.quantile(slopes, (0.025, 0.975))
    return slope, float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dims", nargs="+", type=int, default=DIMS)
    parser.add_argument("--teachers", type=int, default=TEACHERS)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = [measured(dim, options.teachers) for dim in options.dims]
    figures: dict = {"teachers": options.teachers, "rows": found}
    names = [name for name in found[0] if name not in ("dim", "n", "errors")]
    for one in found:
        print(f"d = {one['dim']}: " + ", ".join(f"{name} {one[name]:.3g}" for name in names))
    if len(found) > 1:
        figures["exponent"] = exponent(found)
        slope, low, high = figures["exponent"]
        print(f"n* of Adam grows as d^{slope:.2f} [{low:.2f}, {high:.2f}]")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
