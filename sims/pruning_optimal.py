"""Which network, pruned to which density, reaches an error with the fewest weights?

Claim:    The fewest weights that the joint law gives lie within 25% of the fewest measured.
Command:  python sims/pruning_optimal.py sims/pruning_grid.toml [--store FILE] [--json FILE]
          python sims/pruning_optimal.py benchmarks/results/pruning_grid.csv   (trains nothing)
Cost:     a few seconds, after errsrc run
Outcome:  sims/pruning_grid.toml: five of six errors within 17%. At n 2,000 and 1.1 times the smallest plateau
          the law gives 27% too few (43% by other seeds); the curves are so flat there that counts of the
          smallest network by its two seeds differ 2.2 times.  For two of the six errors the law gives only
          a lower bound of its count.  The network that the law names needs 0% to 39% more weights than the
          fewest measured

The fewest measured is the smallest of 12 noisy counts, so it is biased low. A count without that bias is
printed next to it: the count, by the other seeds, of the network that one seed chooses; each seed in turn,
geometric mean.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from pruning import Columns, points

from errsrc.fitting import fewest_weights, fit
from errsrc.laws import JointPruning

TARGETS = (1.1, 1.25, 1.5)  # times the least plateau at that n


def crossing(at: Columns, own: np.ndarray, target: float) -> float:
    """Return the fewest weights with which one network's errors, seeds averaged, stay at most a target."""
    levels, place = np.unique(at["density"][own], return_inverse=True)
    mean = np.bincount(place, np.log(at["error"][own])) / np.bincount(place) - np.log(target)
    over = np.flatnonzero(mean > 0)  # levels run from the sparsest up
    if not len(over) or over[-1] == len(levels) - 1:
        return float("inf")  # not even unpruned, or not pruned far enough to tell
    k = over[-1]
    density = np.interp(0.0, [mean[k + 1], mean[k]], np.log([levels[k + 1], levels[k]]))
    return float(np.exp(density) * at["prunable"][own][0])


def counts(at: Columns, first: np.ndarray, target: float, runs: np.ndarray) -> np.ndarray:
    """Return the fewest weights of the networks of some levels, (networks,), by the seeds of some runs."""
    return np.array([crossing(at, runs & (at["config"] == at["config"][k]), target) for k in first])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--store", type=Path, help="the file of finished cells (STUDY.db)")
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures = []
    at = points(options.study, options.store)
    seeds = [at["seed"] == one for one in np.unique(at["seed"])]
    joint = fit(JointPruning, at["error"], **{name: at[name] for name in JointPruning.inputs})
    for n in np.unique(at["n"]):
        _, first = np.unique(np.where(at["n"] == n, at["config"], -1), return_index=True)
        first = first[at["n"][first] == n]
        sizes = {name: at[name][first] for name in ("depth", "width", "eps_np")}
        for target in (factor * sizes["eps_np"].min() for factor in TARGETS):
            plan = fewest_weights(joint, float(target), at["prunable"][first], **sizes)
            measured = counts(at, first, target, np.full(len(at["n"]), True))
            best = int(measured.argmin())
            chosen = [counts(at, first, target, seed).argmin() for seed in seeds]
            others = [counts(at, first, target, ~seed)[k] for k, seed in zip(chosen, seeds, strict=True)]
            names = [
                f"depth {sizes['depth'][k]:.0f}, width {sizes['width'][k]:.0f}" for k in (plan.network, best)
            ]
            print(f"n {n:,.0f}, error {target:.3f}: {plan.remaining} weights of {names[0]}", end="; ")
            print(
                f"measured {measured[plan.network]:.0f} there, fewest {measured[best]:.0f} ({names[1]})",
                end=": ",
            )
            print(f"the law's count is off by {plan.remaining.estimate / measured[best] - 1:+.0%}", end=" ")
            figures.append(
                {
                    "n": float(n),
                    "error": float(target),
                    "counted by the law": plan.remaining.estimate,
                    "fewest measured": float(measured[best]),
                    "needed by the network that the law names": float(measured[plan.network]),
                    "of each seed": [float(counts(at, first, target, seed)[best]) for seed in seeds],
                    "by other seeds": float(np.exp(np.log(others).mean())),
                }
            )
            if len(seeds) > 1:
                off = plan.remaining.estimate / np.exp(np.log(others).mean()) - 1
                print(f"({off:+.0%} by other seeds)", end="")
            print(",", end=" ")
            print(f"the network it names needs {measured[plan.network] / measured[best] - 1:+.0%}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
