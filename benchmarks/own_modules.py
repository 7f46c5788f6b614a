"""Training steps a second of 16 members of a user's ``nn.Module``, next to a plain loop over the members.

    python benchmarks/own_modules.py [--members 16] [--steps 40] [--rounds 3] [--out FILE.json]

A small CNN of 28 x 28 images and a small vision transformer of 8 x 8 images, batches of 32 and of 128, Adam.
The plain loop trains one member after another, in the usual way: nn.Module, torch.optim.Adam. `errsrc` trains
all members at once: the user's module by torch.func.vmap (`from_module`), and for the CNN also the network of
errsrc with the same shapes, with channels first ("stacked") and with channels last in memory ("last"). One
thread and process time, so that other processes do not matter. A time is that of the longer of two runs minus
that of the shorter; the median of --rounds counts. 90 s of one core.
The results are in benchmarks/results/own_modules.json.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from errsrc.nets import CNN, Network, from_module
from errsrc.training import Member, Recipe, train


class SmallCNN(nn.Sequential):
    """The layers of `errsrc.nets.CNN`."""

    def __init__(self, side: int, classes: int, width: int) -> None:
        pixels = (side // 4) ** 2
        super().__init__(
            nn.Conv2d(1, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(2 * width * pixels, classes),
        )  # fmt: skip


class SmallViT(nn.Module):
    """A vision transformer with patches of 2 x 2 pixels."""

    def __init__(self, side: int, classes: int, width: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, width, 2, 2)
        self.places = nn.Parameter(0.02 * torch.randn(1, (side // 2) ** 2, width))
        self.layer = nn.TransformerEncoderLayer(width, 2, 4 * width, dropout=0.0, batch_first=True)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        return self.head(self.layer(self.patches(x).flatten(2).mT + self.places).mean(1))


def plain(make: Callable[[], nn.Module], x: Tensor, y: Tensor, members: int, batch: int, steps: int) -> None:
    """Train members one after another."""
    for seed in range(members):
        torch.manual_seed(seed)
        module = make()
        optimiser = torch.optim.Adam(module.parameters(), lr=4e-3)
        for _ in range(steps):
            rows = torch.randint(len(x), (batch,))
            optimiser.zero_grad()
            functional.cross_entropy(module(x[rows]), y[rows]).backward()
            optimiser.step()


def at_once(
    network: Network, x: Tensor, y: Tensor, members: int, batch: int, channels_last: bool, steps: int
) -> None:
    """Train all members at once, and evaluate them at the end."""
    recipe = Recipe(
        batch=batch, average=0.0, warmup=0, evaluation_interval=10_000, channels_last=channels_last
    )
    rows = np.arange(len(x))
    train(network, x.flatten(1), y, [Member(rows, steps, seed) for seed in range(members)], None, recipe)


def seconds(run: Callable[[int], None], steps: int, rounds: int) -> float:
    """Return the process time of a step: that of a long run minus that of a short one."""
    times = []
    for _ in range(rounds):
        ends = []
        for count in (steps // 4, steps + steps // 4):
            start = time.process_time()
            run(count)
            ends.append(time.process_time() - start)
        times.append((ends[1] - ends[0]) / steps)
    return statistics.median(times)


def main() -> None:
    """Measure, print and write the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases = [("cnn", SmallCNN, 28, 4), ("transformer", SmallViT, 8, 16)]
    results = []
    for name, factory, side, width in cases:
        x, y = torch.randn(512, 1, side, side), torch.randint(10, (512,))
        own = from_module(factory, outputs=10, width=width, image_shape=(1, side, side))
        networks = {"vmap": (own, False)}
        if name == "cnn":
            networks |= {way: (CNN(side, width, 10), way == "last") for way in ("stacked", "last")}
        for batch in (32, 128):
            row = {"model": name, "m": own.parameters, "members": args.members, "batch": batch}
            make = functools.partial(factory, side, 10, width)
            alone = functools.partial(plain, make, x, y, args.members, batch)
            loop = seconds(alone, args.steps, args.rounds)
            row["plain_ms"] = round(1000 * loop, 3)
            for way, (network, last) in networks.items():
                together = functools.partial(at_once, network, x, y, args.members, batch, last)
                took = seconds(together, args.steps, args.rounds)
                row |= {f"{way}_ms": round(1000 * took, 3), f"{way}_ratio": round(loop / took, 2)}
            results.append(row)
            print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if args.out:
        args.out.write_text(json.dumps({"torch": torch.__version__, "rows": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
