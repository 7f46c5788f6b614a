"""Single-index teachers: how many examples do one-pass descent, a network and a search need?

Claim:    One-pass descent needs of the order of d examples for information exponent k = 1, d log d for k = 2,
          and d^2 for k = 3 (Ben Arous, Gheissari and Jagannath 2021, arXiv 2003.10409), though about d
          examples determine the teacher.  The difference is deficiency.
Command:  python sims/single_index.py [--out FILE.json] [--figure FILE.png]
Cost:     8 minutes of CPU time on one core
Outcome:  For one-pass descent, n* has the exponent 1.06 [1.02, 1.11] in d for k = 1, 0.99 [0.93, 1.03] in d
          log d for k = 2, and 2.16 [1.91, 2.41] in d for k = 3.  For the network it has 1.07 [0.95, 1.22] and
          1.36 [1.30, 1.45] in d for k = 1 and 2; d log d has 1.33 over the same d.  For k = 3, 4,000 steps
          are too few for d = 16 and 24.  With 16,000 steps the network needs 350, 686, 997 and 2,039
          examples for d = 8, 12, 16 and 24, exponent 1.58 [1.38, 1.71].  At the last size before n*, 48,000
          steps leave the median risk above the goal, 0.90 (d = 16) and 1.34 (d = 24).  The search needs at
          most 0.8 d examples for k = 1.  For k = 2 and 3 it needs at most 3.5 d; in more dimensions, 64
          starts find the teacher more rarely (CPU, torch 2.13, 2026-11-30)

The teacher is He_k(w . x) / sqrt(k!) of d standard normal coordinates, without noise.  Three learners:

- One-pass descent is given the polynomial He_k.  It starts in a random direction whose overlap with w is
  positive, takes one new example in each step, and keeps the direction on the sphere.  The learning rate is
  0.3 / d for k = 1, 0.1 / d for k = 2 and 0.1 / d^1.5 for k = 3.  32 teachers.
- The network is an MLP with one hidden layer of 64 rectified units: Adam, 4,000 steps of 64 examples (16,000
  in a second study for k = 3), squared loss, learning rate 0.001.  A training that diverges ends there.  8
  teachers for each n.
- The search is given He_k and the network's examples.  It minimises the squared training error over w by
  damped least squares from 64 random starts, and takes the best.

n* is the number of examples at which the median excess risk over teachers falls to half of the target's
variance for good.  For network and search it is interpolated linearly in log n between sizes that grow by
sqrt(2), and two sizes in a row must be at the goal.  Exponents are slopes of log n* in log d, or in log(d log
d) for one-pass descent and k = 2.  Their intervals (95%) are from 1,000 resamples of the teachers.

The budgets have no noise, and realizability is 0 for all functions.  The uncertainty lies between 0 and the
smaller risk of search and network.  The deficiency of the network is at least the network's risk minus this
upper bound.  The terms are means over the 8 teachers.  Finished rows in --out are not computed again.
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
from numpy.polynomial.hermite_e import hermeval

from errsrc.errors import Diverged
from errsrc.learners import NetworkStudent
from errsrc.nets import MLP
from errsrc.rng import generator
from errsrc.settings import SingleIndexTeacher
from errsrc.training import Recipe

ONE_PASS = {1: (16, 32, 64, 128, 256), 2: (16, 32, 64, 128, 256), 3: (16, 32, 64, 128)}
DIMS = {1: (8, 16, 32, 64), 2: (8, 16, 32, 64), 3: (8, 12, 16, 24)}
RATES = {1: 0.3, 2: 0.1, 3: 0.1}  # times d^-max(1, k / 2)
RUNS, TEACHERS, FRESH, STARTS, GOAL, LIMIT = 32, 8, 4000, 64, 0.5, 400_000
MOST = 16_384  # examples of the network
RECIPE = Recipe("adam", learning_rate=0.001, loss="squared", batch=64)
STEPS, LONGER = 4000, 16_000  # steps of the network, and the steps of its longer training for k = 3
LONGEST, LONGEST_AT = 48_000, ((16, 724), (24, 1536))  # d and the largest n before n* for d = 16 and 24
FIRST = 7  # the smallest n of the longer training is d 2^(FIRST / 2); at smaller n the risk stays above 1


def hermite(degree: int) -> list[float]:
    """Return the coefficients of He_k / sqrt(k!)."""
    return [0.0] * degree + [1 / math.sqrt(math.factorial(degree))]


def slope_of(degree: int) -> list[float]:
    """Return the coefficients of the derivative of He_k / sqrt(k!)."""
    return [math.sqrt(degree) * one for one in hermite(degree - 1)]


def one_pass(degree: int, dim: int) -> dict[str, Any]:
    """Return for each run the number of examples until the excess risk 2 (1 - overlap^k) is at the goal."""
    start, rng = time.process_time(), generator(0, "single index", "one pass", degree, dim)
    target, w = (unit(rng.standard_normal((RUNS, dim))) for _ in range(2))
    w *= np.sign((target * w).sum(1))[:, None]
    rate, value, slope = RATES[degree] * dim ** -max(1, degree / 2), hermite(degree), slope_of(degree)
    done, step = np.full(RUNS, np.inf), 0
    while step < LIMIT and np.isinf(done).any():
        for x in rng.standard_normal((64, RUNS, dim)):
            step += 1
            at = (x * w).sum(1)
            left = hermeval((x * target).sum(1), value) - hermeval(at, value)
            push = x * (left * hermeval(at, slope))[:, None]
            push -= (push * w).sum(1)[:, None] * w
            w = unit(w + rate * push)
            excess = 2 * (1 - (target * w).sum(1) ** degree)
            done[(excess <= GOAL) & np.isinf(done)] = step
        if (done < np.inf).mean() > 0.9:
            break
    return {
        "n*": [None if np.isinf(one) else int(one) for one in done],
        "seconds": time.process_time() - start,
    }


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors divided by their lengths."""
    return np.asarray(vectors / np.sqrt((vectors * vectors).sum(-1, keepdims=True)))


def search(x: np.ndarray, y: np.ndarray, degree: int, rng: np.random.Generator) -> np.ndarray:
    """Return the direction of least squared training error, from several starts of damped least squares."""
    value, slope, dim = hermite(degree), slope_of(degree), x.shape[1]
    w, damping = unit(rng.standard_normal((STARTS, dim))), np.full(STARTS, 1.0)
    error = ((hermeval(w @ x.T, value) - y) ** 2).sum(1)
    for _ in range(60):
        at = w @ x.T
        jacobian = hermeval(at, slope)[:, :, None] * x
        normal = jacobian.transpose(0, 2, 1) @ jacobian
        push = jacobian.transpose(0, 2, 1) @ (y - hermeval(at, value))[:, :, None]
        scale = np.trace(normal, axis1=1, axis2=2) / dim
        trial = unit(
            w + np.linalg.solve(normal + (damping * scale)[:, None, None] * np.eye(dim), push)[:, :, 0]
        )
        after = ((hermeval(trial @ x.T, value) - y) ** 2).sum(1)
        better = after < error
        w, error = np.where(better[:, None], trial, w), np.where(better, after, error)
        damping = np.clip(np.where(better, damping / 4, damping * 4), 1e-12, 1e12)
        if error.min() < 1e-20 * len(y):
            break
    return np.asarray(w[error.argmin()])


def measured(degree: int, dim: int) -> dict[str, Any]:
    """Return the excess risks of network and search at growing n, until both have reached the goal twice."""
    start = time.process_time()
    found: dict[str, Any] = {"n": [], "network": [], "search": []}
    exact = 0  # sizes at which the search found every teacher
    for k in range(-2, 100):
        n = round(dim * 2 ** (k / 2))
        below = [np.median(risks) <= GOAL for risks in found["network"]]
        if n > MOST or below[-2:] == [True, True]:
            break
        found["n"].append(n)
        found["network"].append(trained(degree, dim, n, STEPS))
        if exact < 2:
            risks = []
            for teacher, x, y, rng in examples_of(degree, dim, n):
                overlap = float(search(x, y, degree, rng) @ teacher.direction)
                risks.append(2 * (1 - overlap**degree))
            exact += max(risks) < 1e-9
            found["search"].append(risks)
        shown = [np.median(found[name][-1]) for name in ("network", "search")]
        print(
            f"  k = {degree}  d = {dim:3}  n = {n:6,}  network {shown[0]:.3f}  search {shown[1]:.1e}",
            flush=True,
        )
    return found | {"seconds": time.process_time() - start}


def measured_longer(dim: int) -> dict[str, Any]:
    """Return the excess risks of the network for k = 3 after its longer training, as `measured` does."""
    start = time.process_time()
    found: dict[str, Any] = {"n": [], "network": []}
    for k in range(FIRST, 100):
        n = round(dim * 2 ** (k / 2))
        below = [np.median(risks) <= GOAL for risks in found["network"]]
        if n > MOST or below[-2:] == [True, True]:
            break
        found["n"].append(n)
        found["network"].append(trained(3, dim, n, LONGER))
        shown = f"network, {LONGER:,} steps {np.median(found['network'][-1]):.3f}"
        print(f"  k = 3  d = {dim:3}  n = {n:6,}  {shown}", flush=True)
    return {"d": dim, "examples": found, "seconds": time.process_time() - start}


def examples_of(
    degree: int, dim: int, n: int
) -> list[tuple[Any, np.ndarray, np.ndarray, np.random.Generator]]:
    """Return the teacher, the examples and the random generator of each draw."""
    setting, found = SingleIndexTeacher(dim, degree), []
    for draw in range(TEACHERS):
        rng = generator(0, "single index", degree, dim, n, draw)
        teacher = setting.teacher(rng)
        x = setting.inputs(n, rng)
        found.append((teacher, x, teacher(x), rng))
    return found


def trained(degree: int, dim: int, n: int, steps: int) -> list[float]:
    """Return the excess risk of the network for each teacher."""
    setting, given = SingleIndexTeacher(dim, degree), examples_of(degree, dim, n)
    teachers, xs, ys, rngs = (list(one) for one in zip(*given, strict=True))
    network = NetworkStudent(MLP((dim, 64, 1)), RECIPE, steps=steps, validation=0.0)
    try:
        fitted = network.fit_many(xs, ys, rngs)
    except Diverged as error:  # single examples of He_3 have very large losses
        fitted = error.best
    risks = []
    for draw, (teacher, one) in enumerate(zip(teachers, fitted, strict=True)):
        fresh = setting.inputs(FRESH, generator(0, "single index", degree, dim, n, draw, "fresh"))
        risks.append(float(np.mean((np.ravel(one(fresh)) - teacher(fresh)) ** 2)))
    return risks


def crossing(sizes: list[int], medians: np.ndarray) -> float:
    """Return the n at which the median falls to the goal for good, nan if it does not."""
    above = np.flatnonzero(medians > GOAL)
    last = int(above[-1]) if len(above) else -1
    if last + 1 == len(medians):
        return math.nan
    if last < 0:
        return float(sizes[0])
    x, y = np.log(sizes[last : last + 2]), medians[last : last + 2]
    return float(np.exp(x[0] + (y[0] - GOAL) / (y[0] - y[1]) * (x[1] - x[0])))


def stars(rows: list[dict[str, Any]], name: str, picks: np.ndarray | None = None) -> np.ndarray:
    """Return n* of each dimension, from all teachers or from some."""
    out = []
    for row in rows:
        if name == "one pass":
            runs = np.array([np.inf if one is None else one for one in row["one pass"]["n*"]], dtype=float)
            out.append(float(np.median(runs if picks is None else runs[picks])))
        else:
            risks = np.array(row["examples"][name])
            chosen = risks if picks is None else risks[:, picks]
            out.append(crossing(row["examples"]["n"], np.median(chosen, 1)))
    return np.array(out)


def exponent(rows: list[dict[str, Any]], name: str, degree: int) -> list[float]:
    """Return the exponent of n* in d and its interval; for one-pass descent and k = 2, in d log d."""
    d = np.array([row["d"] for row in rows], dtype=float)
    x = np.log(d * np.log(d)) if name == "one pass" and degree == 2 else np.log(d)
    value = np.polyfit(x, np.log(stars(rows, name)), 1)[0]
    rng, again = generator(0, "single index", "resamples", name, degree), []
    count = RUNS if name == "one pass" else TEACHERS
    for _ in range(1000):
        picks = (rng.integers(count, size=count) for _ in rows)  # each dimension has its own teachers
        each = [stars([row], name, one)[0] for row, one in zip(rows, picks, strict=True)]
        if np.isfinite(each).all():
            again.append(np.polyfit(x, np.log(each), 1)[0])
    return [float(value), *(float(one) for one in np.quantile(again, [0.025, 0.975]))]


def analysed(rows: list[dict[str, Any]], longer: list[dict[str, Any]]) -> dict[str, Any]:
    """Return n*, exponents and budgets; `longer` has the rows of the longer training."""
    found: dict[str, Any] = {"n*": {}, "exponents": {}, "budgets": []}
    for degree in DIMS:
        for name in ("one pass", "network", "search"):
            part = "one pass" if name == "one pass" else "examples"
            own = [row for row in rows if row["k"] == degree and part in row]
            label, found_stars = f"{name}, k = {degree}", stars(own, name)
            if name == "network":  # two sizes in a row must be at the goal
                ends = [np.median(row["examples"]["network"], 1)[-2:] for row in own]
                found_stars[[bool((end > GOAL).any()) for end in ends]] = np.nan
            found["n*"][label] = {
                str(row["d"]): one for row, one in zip(own, found_stars.tolist(), strict=True) if one == one
            }
            reached = np.isfinite(found_stars)
            if reached.all() and len(own) > 2:
                found["exponents"][label] = exponent(own, name, degree)
    for row in rows:
        if "examples" not in row or row["d"] != 16:
            continue
        examples = row["examples"]
        for place in range(0, len(examples["n"]), 2):
            total = np.array(examples["network"][place])
            known = np.array(examples["search"][min(place, len(examples["search"]) - 1)])
            most = float(min(known.mean(), total.mean()))
            row_of = {
                "k": row["k"],
                "d": row["d"],
                "n": examples["n"][place],
                "noise": 0.0,
                "realizability": 0.0,
            }
            row_of |= {"uncertainty, at most": most, "deficiency, at least": float(total.mean()) - most}
            found["budgets"].append(row_of | {"total": float(total.mean())})
    label, reached = f"network, {LONGER:,} steps, k = 3", stars(longer, "network")
    found["n*"][label] = {str(row["d"]): one for row, one in zip(longer, reached.tolist(), strict=True)}
    if np.isfinite(reached).all() and len(longer) > 2:
        found["exponents"][label] = exponent(longer, "network", 3)
    parts = [row[part] for row in rows for part in ("one pass", "examples") if part in row]
    found["seconds"] = sum(one["seconds"] for one in [*parts, *longer])
    return found


def figure(found: dict[str, Any], path: Path) -> None:
    """Draw n* over d for each information exponent."""
    fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", sharey=True)
    for ax, degree in zip(axes, DIMS, strict=True):
        for name, marker, label in (
            ("one pass", "o", "one-pass descent, given He$_k$"),
            ("network", "^", "network, Adam"),
            ("search", "s", "search, given He$_k$"),
        ):
            if (name, degree) == ("network", 3):
                name, label = f"network, {LONGER:,} steps", f"network, Adam, {LONGER:,} steps"
            points = found["n*"][f"{name}, k = {degree}"]
            d = np.array([float(one) for one in points])
            ax.loglog(d, list(points.values()), marker, label=label)
            if name == "one pass":
                theory = {1: d, 2: d * np.log(d), 3: d**2}[degree]
                text = {1: "$d$", 2: r"$d\,\log d$", 3: "$d^2$"}[degree]
                ax.loglog(d, theory * list(points.values())[-1] / theory[-1], "C0--", lw=1, label=text)
        ends = np.array([8.0, 256.0])
        ax.loglog(ends, ends, "k:", lw=1, label="n = d")
        ax.set_title(f"information exponent k = {degree}", fontsize="medium")
        ax.set_xlabel("dimension d")
        ax.set_ylim(3, 2e6)
        ax.legend(frameon=False, fontsize=8, loc="upper left")
    axes[0].set_ylabel("$n^*$: examples for half the variance")
    fig.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file, after each row")
    parser.add_argument("--figure", type=Path, help="draw n* to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    done: dict[tuple[int, int], Any] = {}
    longer: dict[int, Any] = {}
    longest: list[list[float]] = []
    if options.out and options.out.exists():
        before = json.loads(options.out.read_text())
        done = {(row["k"], row["d"]): row for row in before["rows"]}
        longest = before.get("longest", [])
        longer = {row["d"]: row for row in before.get("longer", []) if isinstance(row, dict)}
    found: dict[str, Any] = {"rows": [], "longer": list(longer.values())}
    for degree in DIMS:
        for dim in sorted({*ONE_PASS[degree], *DIMS[degree]}):
            row = done.get((degree, dim)) or {"k": degree, "d": dim}
            if dim in ONE_PASS[degree] and "one pass" not in row:
                row["one pass"] = one_pass(degree, dim)
            if dim in DIMS[degree] and "examples" not in row:
                row["examples"] = measured(degree, dim)
            found["rows"].append(row)
            if options.out:
                options.out.write_text(json.dumps(found, indent=1) + "\n")
    found["longer"] = []
    for dim in DIMS[3]:
        found["longer"].append(longer.get(dim) or measured_longer(dim))
        if options.out:
            options.out.write_text(json.dumps(found, indent=1) + "\n")
    found["longest"] = longest or [
        [dim, n, float(np.median(trained(3, dim, n, LONGEST)))] for dim, n in LONGEST_AT
    ]
    found |= analysed(found["rows"], found["longer"])
    for name, value in found.items():
        if name not in ("rows", "longer"):
            print(name, json.dumps(value, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found) + "\n")
    if options.figure:
        figure(found, options.figure)


if __name__ == "__main__":
    main()
