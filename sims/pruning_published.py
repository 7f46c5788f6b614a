"""The pruning laws on published measurements: ResNets over density and depth, sparse transformers over size.

Claim:    One law describes each published network, and one law with an invariant in depth (ResNets) or in
          model size (vision transformers) describes all networks together.
Command:  python sims/pruning_published.py [--json benchmarks/results/pruning_published.json]
Cost:     5 seconds
Outcome:  Each ResNet: +- 0.3% to 1.7%. ResNet-20 and -56 together: weight rewinding +0.6% +- 2.7%, gamma 0.31
          [0.28, 0.37], phi 1.03 [0.94, 1.11]; rate rewinding -0.1% +- 1.6%, gamma 0.27 [0.23, 0.33], phi 1.34
          [1.21, 1.48]: there depth compensates for density. Transformers that are pruned while they train:
          -0.7% +- 1.7%, psi 0.51 [0.37, 0.72] of the size; their losses rise by at most a fifth
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pruning import as_numbers, described

from errsrc.datasets import published
from errsrc.fitting import fit
from errsrc.laws import JointPruning, Pruning, plateau

RESNETS = {"resnet20": 20.0, "resnet56": 56.0, "resnet50": 50.0}  # depth; the last on ImageNet, by itself


def resnets(retrain: str) -> dict[str, Any]:
    """Print and return fits of the ResNets pruned one way: each alone, and the two of CIFAR-10 together."""
    table = published("renda2020_unstructured")
    parts: list[Mapping[str, np.ndarray]] = []
    figures: dict[str, Any] = {}
    for network, depth in RESNETS.items():
        own = (table["network"] == network) & (table["retrain"] == retrain)
        density, place = np.unique(table["density"][own], return_inverse=True)
        error = np.bincount(place, 1 - table["test_acc"][own]) / np.bincount(place)  # a mean over seeds
        alone = fit(Pruning, error, density=density)
        figures[network] = as_numbers(alone)
        print(f"{retrain}, {network}: {described(alone)}")
        sizes = {"depth": depth, "width": 1.0, "eps_np": plateau(density, error)}
        same = {name: np.full(len(density), value) for name, value in sizes.items()}
        parts.append({"error": error, "density": density, **same})
    both = {name: np.concatenate([part[name] for part in parts[:2]]) for name in parts[0]}
    joint = fit(JointPruning, both.pop("error"), fixed={"psi": 0.0}, **both)
    print(f"{retrain}, resnet20 and resnet56: {described(joint)}", *joint.warnings, sep="\n  ")
    return figures | {"resnet20 and resnet56": as_numbers(joint)}


def transformers() -> dict[str, Any]:
    """Print and return a fit of the sparse transformers that have a dense one of the same size and n."""
    table = published("frantar2023_vit_jft")
    cells = list(zip(table["scale"], table["examples"], strict=True))
    dense = {c: x for c, x, d in zip(cells, table["loss"], table["density"], strict=True) if d == 1}
    kept = np.array([cell in dense for cell in cells])
    eps_np = np.array([dense[cell] for cell, keep in zip(cells, kept, strict=True) if keep])
    sizes = {"density": table["density"][kept], "depth": np.ones(len(eps_np)), "width": table["scale"][kept]}
    joint = fit(JointPruning, table["loss"][kept], fixed={"phi": 0.0}, eps_np=eps_np, **sizes)
    print(f"frantar2023, {kept.sum()} of {len(kept)} points: {described(joint)}", *joint.warnings, sep="\n  ")
    return as_numbers(joint)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures = {retrain: resnets(retrain) for retrain in ("weight_rewinding", "rate_rewinding")}
    figures["sparse transformers"] = transformers()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
