"""How far apart are the two bounds on what network teachers leave undetermined?

    python benchmarks/bracket.py [--out FILE.json]

The gap is upper / lower - 1, a ratio of means over draws of teacher and data.

  - A linear teacher of 6 parameters, treated as a one-layer network, noise standard deviation 0.3; compared
  with the
    exact posterior variance.
  - A tanh teacher 3-3-1 (16 parameters; weights N(0, 1/3), biases N(0, 1)) on normal inputs. With label noise
  of
    variance 1e-2 the gap must be within 20% for n = 20 to 160. With variance 1e-4, and without noise, the
    open gap is the finding.

One CPU thread, eight minutes.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch

from errsrc.nets import MLP
from errsrc.results import mean_interval
from errsrc.rng import generator
from errsrc.settings import Clean, Gaussian, NetworkTeacher
from errsrc.sources import Effort, uncertainty_bracket

DRAWS, POINTS = 32, 128
EFFORT = Effort(starts=12, steps=200, chains=4, transitions=32, leaps=400)
TANH = MLP((3, 3, 1), "tanh")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    print(
        "teacher  noise variance    n   lower                          upper                            gap"
    )
    linear = NetworkTeacher(MLP((5, 1)), 1.0, 0.5, channel=Gaussian(0.3))
    for n in (4, 12, 48):
        rows.append(measure("linear", linear, n))
    for variance in (1e-2, 1e-4, 0.0):
        channel = Gaussian(variance**0.5) if variance else Clean()
        setting = NetworkTeacher(TANH, 1.0, 1.0, channel=channel)
        for n in (20, 40, 80, 160) if variance else (8, 12, 15, 20):
            rows.append(measure("tanh", setting, n))
    if options.out:
        machine = {
            "device": platform.machine(),
            "python": platform.python_version(),
            "torch": torch.__version__,
        }
        figures = {"machine": machine, "draws": DRAWS, "points": POINTS, "effort": vars(EFFORT), "rows": rows}
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def measure(name: str, setting: NetworkTeacher, n: int) -> dict[str, object]:
    """Return and print the bracket of one setting and n."""
    teachers, xs, ys, points = [], [], [], []
    for number in range(DRAWS):
        rng = functools.partial(generator, 7, "bracket", number)
        teachers.append(setting.teacher(rng("teacher")))
        xs.append(setting.inputs(n, rng("inputs")))
        ys.append(setting.channel.label(teachers[-1](xs[-1]), rng("labels")))
        points.append(setting.inputs(POINTS, rng("points")))
    start = time.process_time()
    found = uncertainty_bracket(setting, teachers, xs, ys, points, seed=0, effort=EFFORT)
    seconds = time.process_time() - start
    lower, upper, member = (mean_interval(v, 0.95) for v in (found.lower, found.upper, found.upper_member))
    variance = setting.channel.noise_std**2 if isinstance(setting.channel, Gaussian) else 0.0
    row: dict[str, object] = {"teacher": name, "noise_variance": variance, "n": n}
    row |= {"lower": vars(lower), "upper": vars(upper), "upper_member": vars(member)}
    row["gap"] = upper.estimate / lower.estimate - 1 if lower.estimate else None
    if name == "linear":
        row["exact"] = float(np.mean([exact(x, at, variance) for x, at in zip(xs, points, strict=True)]))
    row["portfolio"] = {key: float(values.mean()) for key, values in found.portfolio.items()}
    row |= {"status": found.status, "seconds": round(seconds, 1)}
    gap = "" if row["gap"] is None else f"{row['gap']:+.1%}"
    known = f"  exact {row['exact']:.4g}" if name == "linear" else ""
    print(f"{name:>7} {variance:15.4g} {n:4}   {lower!s:<30} {upper!s:<30} {gap:>7}{known}", flush=True)
    return row


def exact(x: np.ndarray, at: np.ndarray, variance: float) -> float:
    """Return the mean posterior variance of the linear teacher at points."""
    scale = np.array([1 / 5**0.5] * 5 + [0.5])
    a, b = (np.c_[inputs, np.ones(len(inputs))] * scale for inputs in (x, at))
    covariance = np.linalg.inv(np.eye(6) + a.T @ a / variance)
    return float(np.einsum("qi,ij,qj->q", b, covariance, b).mean())


if __name__ == "__main__":
    main()
