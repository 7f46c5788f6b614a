"""How many weights does magnitude pruning leave in each layer of a multilayer perceptron?

Claim:    When the error of a pruned network has doubled, all of its layers have about equally many weights
          left, although the layers of the unpruned network differ up to 78 times in size.
Command:  python sims/pruning_balance.py [--json benchmarks/results/pruning_balance.json]
Cost:     6 networks of sims/pruning_sizes.toml, a minute and a half of one core
Outcome:  see benchmarks/README.md, "Pruned networks"
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from errsrc.studies import load
from errsrc.tasks.vision import device_images, training_member
from errsrc.training import prune

WIDTHS, N = (16, 64), 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures = []
    for cell in load(Path(__file__).with_name("pruning_sizes.toml")):
        if cell.width not in WIDTHS or cell.n != N or cell.seed:
            continue
        data = device_images(cell.dataset, cell.validation)
        network = cell.network()
        members = [training_member(cell, data)]
        call = (network, data.x, data.y, members, data.validation, cell.recipe, cell.rounds, data.test)
        (pruned,) = prune(*call)
        left = [int(mask.sum()) for mask in pruned.masks if mask.dim() > 1]
        full = [mask.numel() for mask in pruned.masks if mask.dim() > 1]
        errors = pruned.levels[0].error, pruned.levels[-1].error
        print(f"depth {cell.depth}, width {cell.width}: error {errors[0]:.3f} -> {errors[1]:.3f};", end=" ")
        print(f"weights of each layer {full} -> {left}", flush=True)
        levels = [[level.remaining, level.error] for level in pruned.levels]
        sizes = {"depth": cell.depth, "width": cell.width, "n": cell.n}
        figures.append(sizes | {"unpruned": full, "left": left, "levels (weights left, error)": levels})
    ratios = [count * len(one["left"]) / sum(one["left"]) for one in figures for count in one["left"]]
    print(f"weights left in a layer, in units of the network's mean: {min(ratios):.2f} to {max(ratios):.2f}")
    if options.json:
        options.json.write_text(json.dumps({"networks": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
