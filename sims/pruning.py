"""Fit the pruning laws to a study of pruned networks, and judge the joint law on unseen networks.

Claim:    One law with the invariant depth^phi width^psi density predicts pruned networks of configurations
          that it was not fitted to, better than a constant eps_np or the surviving weights alone.
Command:  python sims/pruning.py sims/pruning_small.toml [--store FILE] [--out FOLDER]
Writes:   STUDY_points.csv (for errsrc fit FILE --law pruning) and STUDY.png to --out
Cost:     two minutes, after errsrc run
Outcome:  see the head of the study
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from pruning_unseen import Columns, by_scale, by_splits, means

from errsrc import plots, studies
from errsrc.fitting import Fit, fit
from errsrc.laws import JointPruning, Pruning
from errsrc.studies.pruned import CONFIGURATION, levels
from errsrc.sweeps import Store


def points(study: Path, store: Path | None = None) -> Columns:
    """Return all levels of a study's pruned networks that did not diverge."""
    spec = studies.load(study)
    with Store(store or study.with_suffix(".db")) as found:
        return levels(found.rows(spec), found.curves(spec))


def described(found: Fit) -> str:
    """Return the parameters and the divergence of a fit in a line."""
    values = ", ".join(f"{name} {interval}" for name, interval in found.intervals.items())
    return f"{values}; divergence {found.divergence_mean:+.1%} +- {found.divergence_std:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--store", type=Path, help="the file of finished cells (STUDY.db)")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    at = points(options.study, options.store)
    config, error = at["config"], at["error"]
    inputs = {name: at[name] for name in JointPruning.inputs}
    for own in (config == k for k in np.unique(config)):
        print(", ".join(f"{name} {at[name][own][0]:.0f}" for name in CONFIGURATION), end=": ")
        print(
            f"eps_np {at['eps_np'][own][0]:.4f}, raised {error[own].max() / error[own][0]:.2f} times,",
            end=" ",
        )
        print(f"{at['before_dip'][own].sum()} levels before the dip;", end=" ")
        print(described(fit(Pruning, error[own], density=at["density"][own])))
    joint = fit(JointPruning, error, **inputs)
    own = means(at, joint.law.error(**inputs) / error - 1)
    print(f"joint law, {config.max() + 1} configurations, {len(error)} points: {described(joint)},", end=" ")
    noise = f"; between seeds {joint.seed_noise:.1%}" if np.isfinite(joint.seed_noise) else ""
    print(f"of means over seeds {own.mean():+.1%} +- {own.std():.1%}{noise}")
    print(*joint.warnings, sep="\n")

    by_splits(at)
    by_scale(at)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / f"{options.study.stem}_points.csv").open("w", newline="") as file:
        csv.writer(file).writerows([list(at), *np.column_stack(list(at.values())).tolist()])
    (options.out / f"{options.study.stem}.png").write_bytes(plots.png(plots.invariant(joint)))


if __name__ == "__main__":
    main()
