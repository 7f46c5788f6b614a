"""The budget of ridge regression next to mlxtend's ``bias_variance_decomp``, in one run on the same task.

    pip install mlxtend
    python benchmarks/decomposition.py [--out FILE.json]

Gaussian linear teacher, dim 10, noise 0.3, ridge regression at n = 40. Both estimate the expected squared
error. The measure is the time for a given standard error: seconds x variance of the estimate, over
repetitions with their own seeds. A call of `budget` draws 16 designs and is exact given each. A call of
mlxtend's function has one design, one teacher and 200 bootstrap samples of it (its default), scored on 1,000
test points. A bootstrap sample of n examples holds about 63% of them, so its risk is the risk at fewer
examples: that bias is printed. mlxtend splits the error into bias and variance; it has no noise,
realizability or uncertainty.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge as Estimator

from errsrc.learners import Ridge
from errsrc.rng import generator
from errsrc.settings import Gaussian, LinearTeacher
from errsrc.sources import budget

SETTING, LEARNER, N = LinearTeacher(10, channel=Gaussian(0.3)), Ridge(1.0), 40


def ours(seed: int) -> float:
    return budget(SETTING, LEARNER, N, draws=16, seed=seed).total.estimate


def theirs(seed: int) -> float:
    from mlxtend.evaluate import bias_variance_decomp

    rng = generator(seed, "decomposition")
    teacher = SETTING.teacher(rng)
    x, at = SETTING.inputs(N, rng), SETTING.inputs(1000, rng)
    labels, fresh = (SETTING.channel.label(teacher(points), rng) for points in (x, at))
    estimator = Estimator(1.0, fit_intercept=False)
    found = bias_variance_decomp(estimator, x, labels, at, fresh, loss="mse", random_seed=seed)
    return float(found[0])


def measured(function, repetitions: int) -> dict[str, float]:
    function(10**6)
    start = time.perf_counter()
    values = [function(seed) for seed in range(repetitions)]
    seconds = (time.perf_counter() - start) / repetitions
    return {"mean": float(np.mean(values)), "seconds": seconds, "variance": float(np.var(values, ddof=1))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    truth = budget(SETTING, LEARNER, N, draws=20_000, seed=1).total
    found = {"budget": measured(ours, args.repetitions), "mlxtend": measured(theirs, args.repetitions)}
    for name, one in found.items():
        print(
            f"{name:<8} {one['mean']:.4f} (truth {truth}), {1e3 * one['seconds']:.1f} ms a call, "
            f"standard error {one['variance'] ** 0.5:.4f}"
        )
    ours_, theirs_ = (one["seconds"] * one["variance"] for one in found.values())
    print(f"same standard error: budget takes 1/{theirs_ / ours_:.0f} of the time")
    if args.out:
        about = {"python": platform.python_version(), "numpy": np.__version__, "mlxtend": version("mlxtend")}
        result = {"about": about, "truth": truth.estimate, **found, "ratio": theirs_ / ours_}
        args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
