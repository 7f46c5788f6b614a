"""Many sparse parities: a sum of cliffs that looks like a power law.

Claim:    With frequencies k^-(1 + alpha), the error falls as n^-(alpha / (1 + alpha)), because each task is
          learned after some number T of examples of this task (Michaud et al. 2023, arXiv 2303.13506).
Command:  python sims/multitask_parity.py [--out FILE.json] [--figure FILE.png]
Cost:     7 minutes of CPU time on one core; 3 minutes with --no-widths
Outcome:  From n = 400 to 25,600 the error falls as n^-0.37 [0.32, 0.43], where 0.375 is expected for
          infinitely many tasks.  With T = 69 the sum over tasks is within 16% of all errors, but it falls as
          n^-0.44 over these n.  The error over n has the verdict "power law".  The error of a single task
          over the examples of this task has the verdict "cliff".  The exponent in m, where 0.6 is expected,
          is 0.41, 0.54, 0.60 and 0.66 after 2,000, 4,000, 8,000 and 16,000 steps.  Over widths 2 to 8 it is
          0.60, 0.64, 0.70 and 0.70: it does not change after 8,000 steps.  The errors of wider networks still
          fall (CPU, torch 2.13)

256 noiseless tasks with alpha = 0.6, each the product of 2 of 10 coordinates.  The student is an MLP with 128
rectified units: Adam with weight decay, 3,000 to 16,000 steps of 64 examples.  Errors are shares of wrong
classes on 200 fresh inputs of each task, weighted by the tasks' frequencies; means over 4 teachers.  The
uncertainty is exact given the data.  Noise and realizability, of all functions, are 0; therefore the rest of
the error is deficiency.

The sum over tasks is `errsrc.theory.memorising(n, frequencies, T) / 2`.  T is the only fitted constant: it
minimises the largest relative deviation from the mean errors.  The exponent is from a power law that is
fitted by least squares to the logarithms; its interval (95%) is that of Student's t over the teachers'
exponents.  `errsrc.curve_shape` judges the error over all tasks as a function of n, and the error of a single
task as a function of n p_k, the expected number of its examples, rounded to powers of sqrt(2).

The exponent in m is measured with 64 tasks, 102,400 examples and 2 teachers, at widths m = 2 to 32 and after
several numbers of steps.  If a task takes a constant number of units, the exponent is alpha.  Finished rows
in --out are not computed again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import poisson, t

from errsrc.curves import curve_shape
from errsrc.learners import NetworkStudent
from errsrc.nets import MLP
from errsrc.rng import generator
from errsrc.settings import MultitaskParity
from errsrc.theory import memorising
from errsrc.training import Recipe

SETTING = MultitaskParity(tasks=256, dim=10, size=2, decay=0.6)
FEWER_TASKS = MultitaskParity(tasks=64, dim=10, size=2, decay=0.6)  # for the exponent in m
STEPS = {400: 3000, 800: 3000, 1600: 3000, 3200: 3000, 6400: 4000, 12_800: 8000, 25_600: 16_000}
WIDTH, TEACHERS, FRESH = 128, 4, 200
WIDTHS, WIDTH_STEPS, MANY, FEW_TEACHERS = (2, 4, 8, 16, 32), (2000, 4000, 8000, 16_000), 102_400, 2
NARROW = 8  # largest width whose errors no longer change at the last steps
RECIPE = Recipe("adam", learning_rate=0.003, weight_decay=0.1, batch=64)


def measured(setting: MultitaskParity, n: int, width: int, steps: int, count: int) -> dict[str, Any]:
    """Return the error and the uncertainty of each task and teacher after n examples."""
    start = time.process_time()
    rngs = [generator(0, "multitask parity", n, k) for k in range(count)]
    teachers = [setting.teacher(rng) for rng in rngs]
    xs = [setting.inputs(n, rng) for rng in rngs]
    ys = [teacher(x).argmax(1) for teacher, x in zip(teachers, xs, strict=True)]
    network = MLP((setting.input_dim, width, 2))
    student = NetworkStudent(network, RECIPE, steps=steps, validation=0.0)
    errors, uncertainties = [], []
    fitted = student.fit_many(xs, ys, rngs)
    for k, (teacher, one, x, y) in enumerate(zip(teachers, fitted, xs, ys, strict=True)):
        bits = setting.task.inputs(FRESH * setting.tasks, generator(0, "multitask parity", n, k, "fresh"))
        at = np.hstack([np.repeat(np.eye(setting.tasks), FRESH, axis=0), bits])
        wrong = one(at).argmax(1) != teacher(at).argmax(1)
        least = setting.predictive(x, y, at).min(1)
        errors.append(wrong.reshape(-1, FRESH).mean(1).round(6).tolist())
        uncertainties.append(least.reshape(-1, FRESH).mean(1).round(6).tolist())
    return {
        "tasks": setting.tasks,
        "n": n,
        "m": width,
        "steps": steps,
        "errors": errors,
        "uncertainties": uncertainties,
        "losses": [one.function.trained[0].train_loss for one in fitted],  # type: ignore[attr-defined]
        "seconds": time.process_time() - start,
    }


def sum_over_tasks(n: np.ndarray, examples: float) -> np.ndarray:
    """Return the error rate if each task needs a number of its own examples."""
    return memorising(n, SETTING.frequencies, examples) / 2


def fitted_examples(n: np.ndarray, errors: np.ndarray) -> tuple[float, np.ndarray]:
    """Return T, and the ratio of each error to the sum over tasks."""

    def deviation(log_examples: float) -> float:
        return float(np.abs(errors / sum_over_tasks(n, np.exp(log_examples)) - 1).max())

    found = minimize_scalar(deviation, bounds=(0.0, 8.0), method="bounded")
    examples = float(np.exp(found.x))
    return examples, errors / sum_over_tasks(n, examples)


def exponent(n: np.ndarray, runs: np.ndarray) -> list[float]:
    """Return the exponent of the mean errors and its interval, for errors (n, teachers)."""

    def of(errors: np.ndarray) -> float:
        return -float(np.polyfit(np.log(n), np.log(errors), 1)[0])

    each = [of(one) for one in runs.T]
    half = t.ppf(0.975, len(each) - 1) * np.std(each, ddof=1) / len(each) ** 0.5
    value = of(runs.mean(1))
    return [float(each) for each in (value, value - half, value + half)]


def of_widths(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the errors over m after each number of steps, and their exponents."""
    found: dict[str, Any] = {}
    for steps in WIDTH_STEPS:
        own = [row for row in rows if row["steps"] == steps]
        runs = np.array([row["errors"] for row in own]) @ FEWER_TASKS.frequencies
        widths = np.array([row["m"] for row in own], dtype=float)
        narrow = widths <= NARROW
        found[str(steps)] = {
            "error": runs.mean(1).tolist(),
            "exponent": exponent(widths, runs)[0],
            "exponent of narrow networks": exponent(widths[narrow], runs[narrow])[0],
        }
    return found


def own_examples(n: np.ndarray) -> np.ndarray:
    """Return the expected number of examples of each task, rounded to powers of sqrt(2), (n, tasks)."""
    return 2 ** (np.round(2 * np.log2(n[:, None] * SETTING.frequencies)) / 2)


def analysed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the study over n."""
    n, p = np.array([row["n"] for row in rows], dtype=float), SETTING.frequencies
    errors = np.array([row["errors"] for row in rows])  # (n, teachers, tasks)
    runs, least = errors @ p, np.array([row["uncertainties"] for row in rows]) @ p
    examples, ratios = fitted_examples(n, runs.mean(1))
    own = own_examples(n).ravel()
    used = own >= 1
    return {
        "exponent": exponent(n, runs),
        "exponent of the sum": exponent(n, sum_over_tasks(n, examples)[:, None].repeat(2, 1))[0],
        "examples": examples,
        "ratios": ratios.tolist(),
        "error": runs.mean(1).tolist(),
        "uncertainty": least.mean(1).tolist(),
        "budget": {
            str(row["n"]): {
                "noise": 0.0,
                "realizability": 0.0,
                "uncertainty": u,
                "deficiency": e - u,
                "total": e,
            }
            for row, e, u in zip(rows, runs.mean(1).tolist(), least.mean(1).tolist(), strict=True)
        },
        "shape": curve_shape(np.repeat(n, TEACHERS), runs.ravel()).verdict,
        "shape over own examples": curve_shape(
            own[used], errors.mean(1).ravel()[used], zero=3 / FRESH / TEACHERS
        ).verdict,
        "seconds": sum(row["seconds"] for row in rows),
    }


def figure(found: dict[str, Any], path: Path) -> None:
    """Draw the error over n with the sum over tasks, and the errors of single tasks."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    rows = [row for row in found["rows"] if row["n"] != MANY]
    n = np.array([row["n"] for row in rows], dtype=float)
    errors = np.array([row["errors"] for row in rows]).mean(1)
    fine = np.geomspace(n[0], n[-1], 200)
    left.loglog(n, found["error"], "o", label="network")
    left.loglog(fine, sum_over_tasks(fine, found["examples"]), label=f"sum, T = {found['examples']:.0f}")
    left.loglog(n, found["uncertainty"], "s", color="C2", label="uncertainty")
    alpha = SETTING.decay / (1 + SETTING.decay)
    left.loglog(n, found["error"][0] * (n / n[0]) ** -alpha, "k--", lw=1, label=f"$n^{{-{alpha:.3f}}}$")
    left.set_xlabel("n, examples of all tasks")
    left.set_ylabel("error rate")
    left.legend(frameon=False)
    own, cells = n[:, None] * SETTING.frequencies, own_examples(n)
    right.semilogx(own.ravel(), errors.ravel(), ".", color="C7", ms=3, label="single tasks")
    places = np.unique(cells)
    right.semilogx(places, [errors[cells == one].mean() for one in places], "o", label="mean of tasks")
    line = np.geomspace(own.min(), own.max(), 300)
    right.semilogx(line, [poisson.cdf(found["examples"] - 1, each) / 2 for each in line], label="sum's cliff")
    right.set_xlabel("examples of the task itself")
    right.set_ylabel("error rate of the task")
    right.legend(frameon=False)
    fig.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, default=len(STEPS), help="compute the first sizes only")
    parser.add_argument("--no-widths", action="store_true", help="leave out the exponent in m")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file, after each row")
    parser.add_argument("--figure", type=Path, help="draw the curves to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    done: dict[tuple[int, ...], Any] = {}
    if options.out and options.out.exists():
        rows = json.loads(options.out.read_text())["rows"]
        done = {(row["tasks"], row["n"], row["m"], row["steps"]): row for row in rows}
    cells = [(SETTING, n, WIDTH, STEPS[n], TEACHERS) for n in list(STEPS)[: options.sizes]]
    if not options.no_widths:
        cells += [(FEWER_TASKS, MANY, m, steps, FEW_TEACHERS) for steps in WIDTH_STEPS for m in WIDTHS]
    found: dict[str, Any] = {"rows": []}
    for setting, n, m, steps, count in cells:
        row = done.get((setting.tasks, n, m, steps)) or measured(setting, n, m, steps, count)
        found["rows"].append(row)
        mean = (np.array(row["errors"]) @ setting.frequencies).mean()
        print(f"n = {n:7,}  m = {m:3}  {steps:6,} steps  error {mean:.4f}", flush=True)
        if options.out:
            options.out.write_text(json.dumps(found) + "\n")
    found |= analysed([row for row in found["rows"] if row["n"] != MANY])
    if not options.no_widths:
        found["widths"] = of_widths([row for row in found["rows"] if row["n"] == MANY])
    for name, value in found.items():
        if name != "rows":
            print(f"{name}: {np.round(value, 3) if isinstance(value, (list, float)) else value}")
    if options.out:
        options.out.write_text(json.dumps(found) + "\n")
    if options.figure:
        figure(found, options.figure)


if __name__ == "__main__":
    main()
