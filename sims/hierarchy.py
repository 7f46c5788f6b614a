"""Random hierarchies: how many examples do deep and shallow networks need, and how many does clustering?

Claim:    Deep networks learn a random hierarchy from a multiple of n_c m^L examples on (Cagnetta et al. 2024,
          arXiv 2307.02129).
Command:  python sims/hierarchy.py [--out FILE.json] [--figure FILE.png] [--budget]
Cost:     271 s of CPU time on one core; 12 s more with --budget
Outcome:  Eight settings with n_c m^L from 36 to 1,152.  n* of the deep students is 2.2 to 4.9 times n_c m^L,
          and at most 43% of the number of all inputs.  It grows as (n_c m^L)^1.04 [0.87, 1.22].  Synonym
          clustering needs 1.3 to 4.1 times n_c m^L, exponent 0.82 [0.62, 1.03].  Shallow students need 1.4 to
          4.4 times as many examples as deep students in the four smallest settings.  In the other four they
          do not reach the goal at up to 8,192 examples, or half of all inputs.  In the largest setting their
          sizes end at 4,608, before the n* of the deep students, 4,719 (CPU, torch 2.13)

Each setting (n_c, v, m, s, L) has its own 8 grammars.  The deep student is a network of patches (width 64),
the shallow one an MLP with one hidden layer of 256 units; Adam, no weight decay.  A student trains until its
training loss, the mean log loss, is below 0.001.  Synonym clustering is given v and s.  Errors are shares
of wrong classes among 4,000 fresh inputs, divided by the error of a guess, 1 - 1 / n_c.

n* is the number of examples at which the median of this ratio over grammars falls below 0.1.  It is
interpolated linearly in log n between the measured sizes: these are n_c m^L 2^(k/2), and n_c m^L 2^k for
shallow students.  Sizes end at half the number of all inputs, at 16,384 examples, and at 8,192 for shallow
students.  The exponent of n* is the slope of log n* over log(n_c m^L), by least squares over the settings.
Its interval (95%) is that of Student's t from the residuals.  Finished settings in --out are not computed
again.

With --budget, the sources of the errors of deep students are measured for (4, 8, 4, 2, 3), with 16 grammars
for each n.  Noise and realizability are 0.  For the class of all functions, the uncertainty is at most the
smaller risk of student and synonym clustering.  The deficiency is at least the rest.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import linregress, t

from errsrc.learners import Learner, NetworkStudent, SynonymClustering
from errsrc.nets import MLP, PatchNetwork
from errsrc.rng import generator
from errsrc.settings import RandomHierarchy
from errsrc.sources import budget
from errsrc.training import Recipe

SETTINGS = (  # n_c, v, m, s, L
    (4, 6, 3, 3, 2),
    (2, 4, 3, 2, 3),
    (4, 8, 3, 2, 3),
    (4, 8, 4, 2, 3),
    (8, 16, 8, 2, 2),
    (8, 8, 4, 2, 3),
    (6, 8, 5, 2, 3),
    (8, 16, 12, 2, 2),
)
BUDGET_SETTING = (4, 8, 4, 2, 3)
MOST = {"deep": 16_384, "clustering": 16_384, "shallow": 8_192}
GRAMMARS, FRESH, GOAL, LOSS, STEPS = 8, 4000, 0.1, 1e-3, 20_000
RECIPE = Recipe(
    "adam", learning_rate=0.01, batch=128, average=0.0, target_training_loss=LOSS, evaluation_interval=20
)


def learner_of(name: str, setting: RandomHierarchy) -> Learner:
    """Return a learner by its name."""
    n_c, v, s, levels = setting.classes, setting.vocabulary, setting.children, setting.levels
    if name == "clustering":
        return SynonymClustering(v, s)
    deep = PatchNetwork(v, s, levels, width=64, classes=n_c)
    network = deep if name == "deep" else MLP((setting.input_dim, 256, n_c))
    return NetworkStudent(network, RECIPE, steps=STEPS, validation=0.0)


def errors(setting: RandomHierarchy, name: str, n: int) -> tuple[list[float], float]:
    """Return the error of each grammar's learner divided by chance, and the largest training loss."""
    key = (
        "hierarchy",
        setting.classes,
        setting.vocabulary,
        setting.synonyms,
        setting.children,
        setting.levels,
    )
    rngs = [generator(0, *key, grammar) for grammar in range(GRAMMARS)]
    teachers = [setting.teacher(rng) for rng in rngs]
    xs = [setting.inputs_of(teacher, n, rng) for teacher, rng in zip(teachers, rngs, strict=True)]
    ys = [teacher(x).argmax(1) for teacher, x in zip(teachers, xs, strict=True)]
    fitted = learner_of(name, setting).fit_many(xs, ys, rngs)
    out = []
    for grammar, (teacher, one) in enumerate(zip(teachers, fitted, strict=True)):
        fresh = setting.inputs_of(teacher, FRESH, generator(0, *key, grammar, "fresh"))
        out.append(float((one(fresh).argmax(1) != teacher(fresh).argmax(1)).mean()))
    losses = [member.train_loss for one in fitted for member in getattr(one.function, "trained", ())]
    return [error / (1 - 1 / setting.classes) for error in out], max(losses, default=0.0)


def measured(setting: RandomHierarchy, name: str) -> dict[str, Any]:
    """Return the errors at growing n, up to the size at which the median of two sizes is below the goal."""
    start = time.process_time()
    sizes: list[int] = []
    rows: list[list[float]] = []
    losses = []
    for k in range(0, 100, 2 if name == "shallow" else 1):
        n = round(setting.characteristic_examples * 2 ** (k / 2))
        below = [float(np.median(row)) <= GOAL for row in rows]
        if n > min(MOST[name], setting.strings / 2) or below[-2:] == [True, True]:
            break
        found, loss = errors(setting, name, n)
        sizes.append(n)
        rows.append(found)
        losses.append(loss)
        print(f"  {name:10} n = {n:7,}  error / chance {np.median(found):.3f}  loss {loss:.1e}", flush=True)
    return {
        "n": sizes,
        "errors": rows,
        "losses": losses,
        "n*": crossing(sizes, rows),
        "seconds": time.process_time() - start,
    }


def crossing(sizes: list[int], rows: list[list[float]]) -> float | None:
    """Return the n at which the median falls below the goal for good, None if it does not."""
    medians = np.median(rows, axis=1)
    above = np.flatnonzero(medians > GOAL)
    last = int(above[-1]) if len(above) else -1
    if last + 1 == len(sizes):
        return None
    if last < 0:
        return float(sizes[0])
    x, y = np.log(sizes[last : last + 2]), medians[last : last + 2]
    return float(np.exp(x[0] + (y[0] - GOAL) / (y[0] - y[1]) * (x[1] - x[0])))


def slope(found: list[dict[str, Any]], name: str) -> list[float] | None:
    """Return the slope of log n* in log(n_c m^L) and the ends of its interval."""
    pairs = [(row["n_c m^L"], row[name]["n*"]) for row in found if row[name]["n*"] is not None]
    if len(pairs) < 3:
        return None
    x, y = np.log(pairs).T
    line = linregress(x, y)
    half = t.ppf(0.975, len(x) - 2) * line.stderr
    return [float(line.slope), float(line.slope - half), float(line.slope + half)]


def budgets() -> list[dict[str, Any]]:
    """Return error budgets of deep students, with bounds on the uncertainty of all functions."""
    setting, found = RandomHierarchy(*BUDGET_SETTING), []
    for factor in (1, 2, 4, 8):
        n = factor * setting.characteristic_examples
        one = budget(setting, learner_of("deep", setting), n, draws=2 * GRAMMARS)
        row: dict[str, Any] = {"n": n, "total": one.total.estimate}
        row |= {name: getattr(one, name).upper.estimate for name in ("noise", "realizability")}
        most = min(one.all_functions.upper.estimate, one.total.estimate)
        row |= {"uncertainty, at most": most, "deficiency, at least": one.total.estimate - most}
        row["optimiser"] = one.optimiser.estimate if one.optimiser else None
        found.append(row)
    return found


def figure(found: dict[str, Any], path: Path) -> None:
    """Draw n* over n_c m^L; arrows mark shallow students that do not reach the goal."""
    fig, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for name, marker, text in (
        ("deep", "o", "deep network"),
        ("shallow", "^", "shallow network"),
        ("clustering", "s", "synonym clustering"),
    ):
        rows = [row for row in found["rows"] if row[name]["n*"] is not None]
        (points,) = ax.loglog(
            [row["n_c m^L"] for row in rows], [row[name]["n*"] for row in rows], marker, label=text
        )
        missed = [row for row in found["rows"] if row[name]["n*"] is None]
        ends = [row[name]["n"][-1] for row in missed]
        ax.loglog([row["n_c m^L"] for row in missed], ends, marker, mfc="none", color=points.get_color())
        for row, end in zip(missed, ends, strict=True):
            ax.annotate(
                "", (row["n_c m^L"], 1.7 * end), (row["n_c m^L"], end),
                arrowprops={"arrowstyle": "->", "color": points.get_color()},
            )  # fmt: skip
    x = np.array([row["n_c m^L"] for row in found["rows"]], dtype=float)
    ends = np.array([x.min(), x.max()])
    ax.loglog(ends, ends, "k--", lw=1, label="$n_c m^L$")
    ax.set_ylim(top=3e4)
    ax.set_title("Open markers: goal not reached at the largest n", fontsize="medium")
    ax.set_xlabel("$n_c m^L$")
    ax.set_ylabel("$n^*$: examples for an error of 10% of chance")
    ax.legend(frameon=False)
    fig.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--settings", type=int, default=len(SETTINGS), help="compute the first settings only")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file, after each row")
    parser.add_argument("--figure", type=Path, help="draw n* to this file")
    parser.add_argument("--budget", action="store_true", help="compute error budgets of deep students, too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    done: dict[str, Any] = {}
    if options.out and options.out.exists():
        done = {row["setting"]: row for row in json.loads(options.out.read_text())["rows"]}
    found: dict[str, Any] = {"rows": []}
    for numbers in SETTINGS[: options.settings]:
        setting, key = RandomHierarchy(*numbers), " ".join(map(str, numbers))
        print(f"n_c, v, m, s, L = {key}: n_c m^L = {setting.characteristic_examples:,}", flush=True)
        row = done.get(key) or {
            "setting": key,
            "n_c m^L": setting.characteristic_examples,
            "strings": setting.strings,
            "information": setting.information_examples,
        }
        found["rows"].append(row)
        for name in MOST:
            if name not in row:
                row[name] = measured(setting, name)
        stars = {name: row[name]["n*"] for name in MOST}
        print("  n*: " + ", ".join(f"{name} {star and round(star)}" for name, star in stars.items()))
        found["slopes"] = {name: slope(found["rows"], name) for name in ("deep", "clustering")}
        found["seconds"] = math.fsum(row[name]["seconds"] for row in found["rows"] for name in MOST)
        if options.out:
            options.out.write_text(json.dumps(found, indent=1) + "\n")
    for name, values in found["slopes"].items():
        if values:
            print(f"{name}: slope {values[0]:.2f} [{values[1]:.2f}, {values[2]:.2f}]")
    if options.budget:
        found["budget"] = budgets()
        for row in found["budget"]:
            print(
                "  ".join(
                    f"{name} {value if name == 'n' else np.round(value, 4)}" for name, value in row.items()
                )
            )
        if options.out:
            options.out.write_text(json.dumps(found, indent=1) + "\n")
    if options.figure:
        figure(found, options.figure)


if __name__ == "__main__":
    main()
