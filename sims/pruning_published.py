"""The pruning laws on published measurements: ResNets over density and depth, sparse transformers over size.

Claim:    One law describes each published network, and one law with an invariant in depth (ResNets) or in
          model size (vision transformers) describes all networks together.
Command:  python sims/pruning_published.py
Cost:     5 seconds
Outcome:  Each ResNet: +- 0.3% to 1.7%. ResNet-20 and -56 together: weight rewinding +0.6% +- 2.7%, gamma 0.31
          [0.28, 0.39], phi 1.03 [0.91, 1.13]; rate rewinding -0.1% +- 1.6%, gamma 0.27 [0.23, 0.33], phi 1.34
          [1.01, 1.49]: there depth compensates for density. Transformers that are pruned while they train:
          -0.7% +- 1.7%, psi 0.51 [0.44, 0.58] of the size; their losses rise by at most a fifth
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pruning import described

from errsrc.datasets import published
from errsrc.fitting import fit
from errsrc.laws import JointPruning, Pruning, plateau

RESNETS = {"resnet20": 20.0, "resnet56": 56.0, "resnet50": 50.0}  # depth; the last on ImageNet, by itself


def resnets(retrain: str) -> None:
    """Fit the ResNets that were pruned one way: each alone, the two of CIFAR-10 together."""
    table = published("renda2020_unstructured")
    parts: list[Mapping[str, np.ndarray]] = []
    for network, depth in RESNETS.items():
        own = (table["network"] == network) & (table["retrain"] == retrain)
        density, place = np.unique(table["density"][own], return_inverse=True)
        error = np.bincount(place, 1 - table["test_acc"][own]) / np.bincount(place)  # a mean over seeds
        print(f"{retrain}, {network}: {described(fit(Pruning, error, density=density))}")
        sizes = {"depth": depth, "width": 1.0, "eps_np": plateau(density, error)}
        same = {name: np.full(len(density), value) for name, value in sizes.items()}
        parts.append({"error": error, "density": density, **same})
    both = {name: np.concatenate([part[name] for part in parts[:2]]) for name in parts[0]}
    joint = fit(JointPruning, both.pop("error"), fixed={"psi": 0.0}, **both)
    print(f"{retrain}, resnet20 and resnet56: {described(joint)}", *joint.warnings, sep="\n  ")


def transformers() -> None:
    """Fit the sparse transformers that have a dense one of their size and number of images beside them."""
    table = published("frantar2023_vit_jft")
    cells = list(zip(table["scale"], table["examples"], strict=True))
    dense = {c: x for c, x, d in zip(cells, table["loss"], table["density"], strict=True) if d == 1}
    kept = np.array([cell in dense for cell in cells])
    eps_np = np.array([dense[cell] for cell, keep in zip(cells, kept, strict=True) if keep])
    sizes = {"density": table["density"][kept], "depth": np.ones(len(eps_np)), "width": table["scale"][kept]}
    joint = fit(JointPruning, table["loss"][kept], fixed={"phi": 0.0}, eps_np=eps_np, **sizes)
    print(f"frantar2023, {kept.sum()} of {len(kept)} points: {described(joint)}", *joint.warnings, sep="\n  ")


def main() -> None:
    for retrain in ("weight_rewinding", "rate_rewinding"):
        resnets(retrain)
    transformers()


if __name__ == "__main__":
    main()
