"""Fit the pruning laws to a study of pruned networks, and judge the joint one on networks it did not see.

Claim:    One law with the invariant depth^phi width^psi density predicts pruned networks of configurations
          that it was not fitted to, better than a constant eps_np or the surviving weights alone.
Command:  python sims/pruning.py sims/pruning_small.toml [--store FILE] [--out FOLDER]
Writes:   STUDY_points.csv (for errsrc fit FILE --law pruning) and STUDY.png to --out
Cost:     two minutes, after errsrc run
Outcome:  see the study's own heading
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from errsrc import plots, studies
from errsrc.laws import JointPruning, Pruning
from errsrc.laws.fitting import Fit, fit
from errsrc.laws.holdout import judge
from errsrc.sweeps import Store
from errsrc.tasks.pruning import CONFIGURATION, levels

SPLITS = 10
Columns = dict[str, np.ndarray]


def points(study: Path, store: Path | None = None) -> Columns:
    """Return all levels of a study's pruned networks that did not diverge."""
    spec = studies.load(study)
    with Store(store or study.with_suffix(".db")) as found:
        pairs = list(zip(found.rows(spec), found.curves(spec), strict=True))
    fine = [(row, curve) for row, curve in pairs if not row["diverged"]]
    return levels(*zip(*fine, strict=True))


def means(at: Columns, values: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the means of values, of some rows, over the seeds of a network at a density."""
    chosen = np.arange(len(values)) if rows is None else np.flatnonzero(rows)
    _, place = np.unique(np.stack([at["config"], at["density"]], 1)[chosen], axis=0, return_inverse=True)
    return np.bincount(place.ravel(), values[chosen]) / np.bincount(place.ravel())


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

    counted = {**inputs, "density": at["density"] * at["prunable"] / at["prunable"].max()}
    alone = {"phi": 0.0, "psi": 0.0}
    off: dict[str, list[np.ndarray]] = {}
    inside = []
    for split in range(SPLITS):
        shuffled = np.random.default_rng(split).permutation(config.max() + 1)
        seen = np.isin(config, shuffled[: round(len(shuffled) * 5 / 8)])
        few, fewer = ({name: x[seen] for name, x in given.items()} for given in (inputs, counted))
        law = fit(JointPruning, error[seen], **few)
        inside.append(judge(law, error, seen, **inputs).held_out.coverage)
        left = fit(JointPruning, error[seen], fixed=alone, **fewer).law.error(**counted)
        single = fit(Pruning, error[seen], density=fewer["density"]).law.error(density=counted["density"])
        for name, predicted in {
            "joint law": law.law.error(**inputs),
            "constant eps_np": at["eps_np"],
            "surviving weights and eps_np": left,
            "surviving weights alone": single,
        }.items():
            off.setdefault(name, []).append(means(at, predicted / error - 1, ~seen))
    print(
        f"fitted to 5/8 of the configurations, the others ({SPLITS} splits, means over seeds; first split):"
    )
    for name, parts in off.items():
        every = np.concatenate(parts)
        print(f"  {name}: {every.mean():+.1%} +- {every.std():.1%}", end=" ")
        print(f"({parts[0].mean():+.1%} +- {parts[0].std():.1%})")
    print(f"  {np.mean(inside):.0%} of the runs in their 90% intervals ({inside[0]:.0%})")

    for name in CONFIGURATION:
        seen = at[name] < at[name].max()
        if len(np.unique(at[name][seen])) > (name != "n"):  # phi and psi take two depths and widths
            law = fit(JointPruning, error[seen], **{key: x[seen] for key, x in inputs.items()})
            every = means(at, law.law.error(**inputs) / error - 1, ~seen)
            print(f"fitted without {name} {at[name].max():g}, those: {every.mean():+.1%}", end=" ")
            print(f"+- {every.std():.1%}, phi {law.intervals['phi']}, psi {law.intervals['psi']}")

    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / f"{options.study.stem}_points.csv").open("w", newline="") as file:
        csv.writer(file).writerows([list(at), *np.column_stack(list(at.values())).tolist()])
    (options.out / f"{options.study.stem}.png").write_bytes(plots.png(plots.invariant(joint)))


if __name__ == "__main__":
    main()
