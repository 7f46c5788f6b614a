"""Fit the pruning laws to a study of pruned networks, and judge the joint one on networks it did not see.

Claim:    One law with the invariant depth^phi width^psi density predicts pruned networks of configurations
          that it was not fitted to, better than a constant eps_np or the surviving weights alone.
Command:  python sims/pruning.py sims/pruning_small.toml [--store FILE]
Cost:     half a minute, after errsrc run
Outcome:  see the study's own heading
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from errsrc import plots, studies
from errsrc.errors import NoAnswer
from errsrc.laws import JointPruning, Pruning, plateau
from errsrc.laws.fitting import fit
from errsrc.sweeps import Store

NAMES = ("depth", "width", "n", "seed", "prunable")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--store", type=Path, help="the file of finished cells (STUDY.db)")
    options = parser.parse_args()
    study = studies.load(options.study)
    with Store(options.store or options.study.with_suffix(".db")) as store:
        rows, curves = store.rows(study), store.curves(study)
    kept = [k for k, row in enumerate(rows) if not row["diverged"]]
    rows, curves = [rows[k] for k in kept], [curves[k] for k in kept]
    risen = min(row["last_error"] / row["error"] for row in rows)
    print(f"{len(rows)} of {len(study)} prunings; every error rose to at least {risen:.2f} of the unpruned")
    levels = [len(curve["level"]) for curve in curves]
    at = {name: np.repeat([float(row[name]) for row in rows], levels) for name in NAMES}
    density, error = (np.concatenate([curve[name] for curve in curves]) for name in ("density", "error"))
    kinds, kind = np.unique(np.stack([at[name] for name in NAMES[:3]], 1), axis=0, return_inverse=True)
    kind = kind.ravel()
    eps_np, dipped = np.empty(len(error)), np.zeros(len(error), dtype=bool)
    for k, sizes in enumerate(kinds):
        own = kind == k
        eps_np[own] = plateau(density[own], error[own])
        dipped[own] = density[own] > density[own][error[own].argmin()]
        label = "depth {:.0f}, width {:.0f}, n {:.0f}".format(*sizes)
        try:
            one = fit(Pruning, error[own], density=density[own])
            print(f"{label}: eps_np {one.law.eps_np:.4f}, gamma {one.intervals['gamma']}, divergence std "
                  f"{one.divergence_std:.1%}, {dipped[own].sum()} points before the dip")  # fmt: skip
        except NoAnswer as why:
            print(f"{label}: {why}")

    inputs = {"density": density, "depth": at["depth"], "width": at["width"], "eps_np": eps_np}
    joint = fit(JointPruning, error, **inputs)
    found = ", ".join(f"{name} {interval}" for name, interval in joint.intervals.items())
    print(f"joint law, all {len(kinds)} configurations: {found}; divergence "
          f"{joint.divergence_mean:+.1%} +- {joint.divergence_std:.1%}")  # fmt: skip
    print(*joint.warnings, sep="\n")
    seen = np.isin(kind, np.random.default_rng(0).permutation(len(kinds))[: round(len(kinds) * 5 / 8)])
    part = fit(JointPruning, error[seen], **{name: value[seen] for name, value in inputs.items()})
    count = {**inputs, "density": density * at["prunable"]}
    alone = {"phi": 0.0, "psi": 0.0}
    other = fit(JointPruning, error[seen], fixed=alone, **{k: value[seen] for k, value in count.items()})
    single = fit(Pruning, error[seen], density=count["density"][seen])
    for name, predicted in {
        "joint law": part.law.error(**inputs),
        "constant eps_np": eps_np,
        "surviving weights and eps_np": other.law.error(**count),
        "surviving weights alone": single.law.error(density=count["density"]),
    }.items():
        off = (predicted / error - 1)[~seen]
        print(f"held out, {name}: divergence {off.mean():+.1%} +- {off.std():.1%}")

    points = options.study.with_suffix(".csv")
    with points.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*NAMES, "density", "error", "before_dip"])
        writer.writerows(np.column_stack([*at.values(), density, error, dipped]).tolist())
    options.study.with_suffix(".png").write_bytes(plots.png(plots.invariant(joint)))
    print(f"{points}: errsrc fit {points} --law pruning")


if __name__ == "__main__":
    main()
