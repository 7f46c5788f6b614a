"""Fit the pruning laws to a study of pruned networks, and judge the joint law on unseen networks.

Claim:    One law with the invariant depth^phi width^psi density predicts pruned networks of configurations
          that it was not fitted to, better than a constant eps_np or the surviving weights alone.
          Each configuration is a cluster of the joint law: its levels and seeds are correlated.
Command:  python sims/pruning.py sims/pruning_small.toml [--store FILE] [--out FOLDER] [--json FILE]
          python sims/pruning.py benchmarks/results/pruning_grid.csv   (trains nothing)
Writes:   STUDY_points.csv (for errsrc fit FILE --law pruning) and STUDY.png to --out; all figures to --json
Cost:     two minutes, after errsrc run
Outcome:  see the head of the study

The study is a TOML file whose cells are finished, or the CSV file of `errsrc export STUDY.toml --curves`.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from pruning_unseen import Columns, by_scale, by_splits, joint_fit, means

from errsrc import plots, studies
from errsrc.fitting import Fit, fit
from errsrc.laws import JointPruning, Pruning
from errsrc.studies.pruned import CONFIGURATION, levels
from errsrc.sweeps import Store


def points(study: Path, store: Path | None = None) -> Columns:
    """Return all levels of a study's pruned networks that did not diverge."""
    if study.suffix == ".csv":
        return levels(*exported(study))
    spec = studies.load(study)
    with Store(store or study.with_suffix(".db")) as found:
        return levels(found.rows(spec), found.curves(spec))


def exported(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, np.ndarray]]]:
    """Return the row and the curve of each network of an exported study."""
    rows, curves = [], []
    with path.open() as file:
        lines = list(csv.DictReader(file))
    sizes = ("n", "width", "depth", "seed", "m", "prunable")
    for _, group in itertools.groupby(lines, key=lambda line: [line[name] for name in sizes]):
        own = list(group)
        rows.append(
            {name: float(own[0][name]) for name in sizes} | {"diverged": own[0]["diverged"] == "True"}
        )
        names = [name for name in own[0] if name.startswith("curve.")]
        curves.append(
            {name.removeprefix("curve."): np.array([float(line[name]) for line in own]) for name in names}
        )
    return rows, curves


def as_numbers(found: Fit) -> dict[str, Any]:
    """Return the parameters of a fit with their intervals, and its divergence; None stands for no end."""
    values = {
        name: [x if np.isfinite(x) else None for x in (one.estimate, one.low, one.high)]
        for name, one in found.intervals.items()
    }
    return {**values, "divergence": (found.divergence_mean, found.divergence_std)}


def described(found: Fit) -> str:
    """Return the parameters and the divergence of a fit in a line."""
    values = ", ".join(f"{name} {interval}" for name, interval in found.intervals.items())
    return f"{values}; divergence {found.divergence_mean:+.1%} +- {found.divergence_std:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path, help="a study, or the CSV file of its exported curves")
    parser.add_argument("--store", type=Path, help="the file of finished cells (STUDY.db)")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    at = points(options.study, options.store)
    config, error = at["config"], at["error"]
    inputs = {name: at[name] for name in JointPruning.inputs}
    single: dict[str, Any] = {}
    for own in (config == k for k in np.unique(config)):
        print(", ".join(f"{name} {at[name][own][0]:.0f}" for name in CONFIGURATION), end=": ")
        print(
            f"eps_np {at['eps_np'][own][0]:.4f}, raised {error[own].max() / error[own][0]:.2f} times,",
            end=" ",
        )
        print(f"{at['before_dip'][own].sum()} levels before the dip;", end=" ")
        alone = fit(Pruning, error[own], density=at["density"][own])
        single[" ".join(f"{name}={at[name][own][0]:.0f}" for name in CONFIGURATION)] = as_numbers(alone)
        print(described(alone))
    joint = joint_fit(at)
    own = means(at, joint.law.error(**inputs) / error - 1)
    print(f"joint law, {config.max() + 1} configurations, {len(error)} points: {described(joint)},", end=" ")
    noise = f"; between seeds {joint.seed_noise:.1%}" if np.isfinite(joint.seed_noise) else ""
    print(f"of means over seeds {own.mean():+.1%} +- {own.std():.1%}{noise}")
    print(*joint.warnings, sep="\n")

    figures = {"points": len(error), "single": single, "joint": as_numbers(joint)}
    figures |= {"means over seeds": (own.mean(), own.std()), "between seeds": joint.seed_noise}
    figures |= {"splits": by_splits(at), "without the largest": by_scale(at)}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / f"{options.study.stem}_points.csv").open("w", newline="") as file:
        csv.writer(file).writerows([list(at), *np.column_stack(list(at.values())).tolist()])
    (options.out / f"{options.study.stem}.png").write_bytes(plots.png(plots.invariant(joint)))


if __name__ == "__main__":
    main()
