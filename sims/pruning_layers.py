"""Compare two invariants of pruned networks: depth^phi width^psi density, and remaining weights per layer.

Claim:    For multilayer perceptrons, a law of the weights that are left per layer is as accurate as the
          published invariant with one parameter less, and is half as far off on networks that are deeper than
          the fitted ones.
Command:  python sims/pruning_layers.py benchmarks/results/pruning_grid.csv --json FILE
              --unseen benchmarks/results/pruning_chain_cells.csv
          python sims/pruning_layers.py benchmarks/results/pruning_balance.json --json FILE
Cost:     a minute for each file
Outcome:  see benchmarks/README.md, "Pruned networks"

A study is a TOML file whose cells are finished, the CSV file of `errsrc export STUDY.toml --curves`, or the
JSON file of sims/pruning_balance.py.  Its networks must be multilayer perceptrons, which have one layer of
weights more than hidden layers, or residual networks.  --unseen names measured levels of other networks, a
file that sims/pruning_chain.py wrote: the laws that are fitted to the study also predict these networks.
--filed names predictions that sims/pruning_sizes.py wrote before it trained these networks; they are compared
with the levels of the study.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pruning import Columns, as_numbers, described, points
from pruning_unseen import SPLITS, joint_fit, means

from errsrc.fitting import Fit, judge
from errsrc.fitting.clusters import ENOUGH
from errsrc.laws import JointPruning, Law, plateau
from errsrc.laws.layer_pruning import LayerPruning
from errsrc.studies import load
from errsrc.studies.pruned import CONFIGURATION

LAWS: dict[str, tuple[type[Law], dict[str, float]]] = {
    "density": (JointPruning, {}),
    "weights per layer": (LayerPruning, {}),
    "weights per layer alone": (LayerPruning, {"psi": 0.0}),
}
"""The compared laws, and the values of their fixed parameters."""


def with_layers(at: Columns, family: str = "mlp") -> Columns:
    """Return levels with their remaining weights and their numbers of layers.

    The depth of a multilayer perceptron is its number of hidden layers; the depth of a residual network is
    its number of layers.
    """
    layers = at["depth"] + (family == "mlp")
    return at | {"remaining": at["density"] * at["prunable"], "layers": layers}


def family_of(study: Path) -> str:
    """Return the family of a study's networks."""
    if study.suffix == ".csv":
        with study.open() as file:
            return next(csv.DictReader(file))["family"]
    return str(load(study)[0].family)


def balance_levels(path: Path) -> Columns:
    """Return the levels of a file that sims/pruning_balance.py wrote."""
    parts: list[Columns] = []
    for config, one in enumerate(json.loads(path.read_text())["networks"]):
        left, error = np.array(one["levels (weights left, error)"]).T
        density = left / left[0]
        sizes = {name: one[name] for name in CONFIGURATION} | {"prunable": left[0], "config": config}
        sizes["eps_np"] = plateau(density, error)
        parts.append({name: np.full(len(left), value) for name, value in sizes.items()})
        parts[-1] |= {"density": density, "error": error}
    return with_layers({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def divergence(at: Columns, values: np.ndarray, rows: np.ndarray | None = None) -> tuple[float, float]:
    """Return the mean and the standard deviation of means over seeds."""
    own = means(at, values, rows)
    return float(own.mean()), float(own.std())


def unseen_levels(path: Path) -> Columns:
    """Return the levels of a file that sims/pruning_chain.py wrote."""
    with path.open() as file:
        lines = list(csv.DictReader(file))
    at = {name: np.array([float(line[name]) for line in lines]) for name in lines[0] if name != "written"}
    return with_layers(at | {"config": at["config"].astype(int)})


def filed(at: Columns, path: Path) -> dict[str, Any]:
    """Print and return, for each law, how far filed predictions are off, by means over seeds."""
    out: dict[str, Any] = {}
    with path.open() as file:
        lines = list(csv.DictReader(file))
    for law in dict.fromkeys(line["law"] for line in lines):
        own = {place(line): float(line["predicted"]) for line in lines if line["law"] == law}
        keys = [place({name: at[name][row] for name in PLACE}) for row in range(len(at["error"]))]
        rows = np.array([key in own for key in keys])
        off = np.array([own.get(key, np.nan) for key in keys]) / at["error"] - 1
        off_by = divergence(at, off, rows)
        out[law] = {"divergence": off_by, "levels": int(rows.sum())}
        print(f"  filed before training, {law}: {shown(off_by)} in {rows.sum()} levels")
    return out


PLACE = ("depth", "width", "n", "density")


def place(line: Mapping[str, Any]) -> tuple[float, ...]:
    """Return depth, width, n and the pruning rounds of a level; each round keeps 0.8 of the weights."""
    depth, width, n, density = (float(line[name]) for name in PLACE)
    return depth, width, n, float(np.round(np.log(density) / np.log(0.8)))


def possible_fit(at: Columns, seen: np.ndarray, law: type[Law], fixed: dict[str, float]) -> Fit | None:
    """Return a law fitted to some levels, or None if their depths and widths do not vary independently."""
    try:
        return joint_fit(at, seen, law, fixed)
    except ValueError as problem:
        print(f"  no fit: {problem}")
        return None


def judged(
    at: Columns, law: type[Law], fixed: dict[str, float], unseen: Columns | None = None
) -> dict[str, Any]:
    """Print and return how far off a law is: in sample, on random configurations, and on the largest ones."""
    inputs = {name: at[name] for name in law.inputs}
    found = joint_fit(at, None, law, fixed)
    off = found.law.error(**inputs) / at["error"] - 1
    out: dict[str, Any] = {"fit": as_numbers(found), "means over seeds": divergence(at, off)}
    out["between seeds"] = found.seed_noise if np.isfinite(found.seed_noise) else None
    print("  all:", described(found), f"; means over seeds {shown(out['means over seeds'])}")
    if unseen is not None:
        other = found.law.error(**{name: unseen[name] for name in law.inputs})
        out["unseen"] = divergence(unseen, other / unseen["error"] - 1)
        print(f"  other networks: {shown(out['unseen'])}")
    parts = []
    for split in range(SPLITS if at["config"].max() >= ENOUGH else 0):
        shuffled = np.random.default_rng(split).permutation(at["config"].max() + 1)
        seen = np.isin(at["config"], shuffled[: round(len(shuffled) * 5 / 8)])
        one = possible_fit(at, seen, law, fixed)
        if one is not None:
            parts.append(means(at, one.law.error(**inputs) / at["error"] - 1, ~seen))
    if parts:
        every = np.concatenate(parts)
        out["number of splits"] = len(parts)
        out["splits"] = float(every.mean()), float(every.std())
        print(
            f"  fitted to 5/8 of the configurations, the others ({len(parts)} splits): {shown(out['splits'])}"
        )
    for name in CONFIGURATION:
        seen = at[name] < at[name].max()
        exponent = {"depth": "phi", "width": "psi"}.get(name)
        is_free = exponent in {field.name for field in dataclasses.fields(law)} - set(fixed)
        if len(np.unique(at[name][seen])) < 1 + is_free:  # an exponent takes two depths or widths
            continue
        one = possible_fit(at, seen, law, fixed)
        if one is None:
            continue
        apart = divergence(at, one.law.error(**inputs) / at["error"] - 1, ~seen)
        covered = judge(one, at["error"], seen, **inputs).held_out.coverage
        out[f"without {name}"] = {"divergence": apart, "covered": covered, "fit": as_numbers(one)}
        print(f"  without {name} {at[name].max():g}, those: {shown(apart)}, {covered:.0%} covered;", end=" ")
        print(", ".join(f"{key} {one.intervals[key]}" for key in one.intervals))
    return out


def shown(values: tuple[float, float]) -> str:
    """Return a mean and a standard deviation as text."""
    return f"{values[0]:+.1%} +- {values[1]:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path, nargs="+", help="a study, or the CSV file of its exported curves")
    parser.add_argument("--store", type=Path, help="the file of finished cells (STUDY.db)")
    parser.add_argument("--unseen", type=Path, help="a file of measured levels of other networks")
    parser.add_argument("--filed", type=Path, help="predictions that were written before the training")
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    unseen = unseen_levels(options.unseen) if options.unseen else None
    figures = {}
    for study in options.study:
        is_balance = study.suffix == ".json"
        if is_balance:
            at = balance_levels(study)
        else:
            at = with_layers(points(study, options.store), family_of(study))
        print(f"{study.name}: {at['config'].max() + 1} configurations, {len(at['error'])} levels")
        own: dict[str, Any] = {"configurations": int(at["config"].max()) + 1, "levels": len(at["error"])}
        for name, (law, fixed) in LAWS.items():
            print(f" invariant: {name}")
            own[name] = judged(at, law, fixed, unseen)
        if not is_balance and family_of(study) == "resnet":  # published ones: phi of about 1
            print(" invariant: remaining weights of all layers")
            share = at["remaining"] / at["prunable"].max()
            own["all weights"] = judged(at | {"density": share}, JointPruning, {"phi": 0.0, "psi": 0.0})
        if options.filed:
            own["filed"] = filed(at, options.filed)
        figures[study.stem] = own
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
