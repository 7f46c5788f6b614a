"""Judge the joint pruning law on networks that it was not fitted to; sims/pruning.py calls this."""

from __future__ import annotations

from typing import Any

import numpy as np

from errsrc.fitting import Fit, fit, judge
from errsrc.fitting.clusters import ENOUGH
from errsrc.laws import JointPruning, Law, Pruning
from errsrc.studies.pruned import CONFIGURATION

SPLITS = 10
Columns = dict[str, np.ndarray]


def joint_fit(
    at: Columns,
    rows: np.ndarray | None = None,
    law: type[Law] = JointPruning,
    fixed: dict[str, float] | None = None,
) -> Fit:
    """Return a law of some levels; each configuration is a cluster, unless there are too few."""
    chosen = np.arange(len(at["error"])) if rows is None else np.flatnonzero(rows)
    config = at["config"][chosen]
    inputs = {name: at[name][chosen] for name in law.inputs}
    clusters = config if len(np.unique(config)) >= ENOUGH else None
    return fit(law, at["error"][chosen], clusters=clusters, fixed=fixed, **inputs)


def means(at: Columns, values: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the means of values, of some rows, over the seeds of a network at a density."""
    chosen = np.arange(len(values)) if rows is None else np.flatnonzero(rows)
    _, place = np.unique(np.stack([at["config"], at["density"]], 1)[chosen], axis=0, return_inverse=True)
    return np.bincount(place.ravel(), values[chosen]) / np.bincount(place.ravel())


def by_splits(at: Columns) -> dict[str, Any]:
    """Print and return how far off the law and simpler ones are on 3/8 of the configurations, at random."""
    config, error, inputs = at["config"], at["error"], {name: at[name] for name in JointPruning.inputs}
    counted = {**inputs, "density": at["density"] * at["prunable"] / at["prunable"].max()}
    alone = {"phi": 0.0, "psi": 0.0}
    off: dict[str, list[np.ndarray]] = {}
    inside = []
    for split in range(SPLITS):
        shuffled = np.random.default_rng(split).permutation(config.max() + 1)
        seen = np.isin(config, shuffled[: round(len(shuffled) * 5 / 8)])
        fewer = {name: x[seen] for name, x in counted.items()}
        law = joint_fit(at, seen)
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
    pooled = {name: np.concatenate(parts) for name, parts in off.items()}
    return {name: (x.mean(), x.std()) for name, x in pooled.items()} | {"covered": float(np.mean(inside))}


def by_scale(at: Columns) -> dict[str, Any]:
    """Print and return how far off the law is on the largest depth, width and n, fitted without them."""
    found: dict[str, Any] = {}
    error, inputs = at["error"], {name: at[name] for name in JointPruning.inputs}
    for name in CONFIGURATION:
        seen = at[name] < at[name].max()
        if len(np.unique(at[name][seen])) > (name != "n"):  # phi and psi take two depths and widths
            law = joint_fit(at, seen)
            every = means(at, law.law.error(**inputs) / error - 1, ~seen)
            print(f"fitted without {name} {at[name].max():g}, those: {every.mean():+.1%}", end=" ")
            print(f"+- {every.std():.1%}, phi {law.intervals['phi']}, psi {law.intervals['psi']}")
            phi = law.intervals["phi"]
            found[name] = {
                "divergence": (every.mean(), every.std()),
                "phi": (phi.estimate, phi.low, phi.high),
            }
    return found
