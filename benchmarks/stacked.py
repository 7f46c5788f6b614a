"""A training step of many small networks at once, next to its matrix products alone, in one run on a CPU.

    python benchmarks/stacked.py [--rounds 3] [--out FILE.json]

16 MLPs and 16 CNNs on 28 x 28 images, as in `benchmarks/throughput.py`, and 256 students, as in
`benchmarks/ensemble.py`. The products alone are those of a step, with the same shapes, layout and thread:
forward, gradients by weights, and gradients by inputs except for the first layer. For CNNs these are grouped
convolutions.

The system's share is the part of a step's CPU time that the system takes, above all to supply new pages of
memory: glibc returns freed memory to the system, and the next step asks for it again.

Times are CPU times of one thread, each the smallest of --rounds, because other work on a machine only adds
time; the time of a step is that of a longer training minus that of a shorter one. Half a minute of a core for
each round.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from errsrc.nets import CNN, MLP, Network
from errsrc.training import Member, Recipe, train

REPETITIONS = 5  # of the products alone, in a process


@dataclass(frozen=True)
class Case:
    """Networks that are trained at once, each with its own examples or with the same ones."""

    network: Network
    recipe: Recipe
    members: int
    examples: int
    steps: int
    shared: bool


IMAGES = Recipe(batch=64)
STUDENT = Recipe(warmup=0, batch=64, average=0.0, loss="squared")
SMALL_CNN = CNN(side=28, width=4, classes=10)
CASES = {
    "16 MLPs": Case(MLP((784, 16, 10)), IMAGES, 16, 2000, 30, True),
    "16 CNNs": Case(SMALL_CNN, IMAGES, 16, 2000, 10, True),
    "16 CNNs, channels last": Case(SMALL_CNN, replace(IMAGES, channels_last=True), 16, 2000, 10, True),
    "256 students, 17 units, SGD": Case(
        MLP((10, 17, 17, 1), "tanh"), replace(STUDENT, optimiser="sgd"), 256, 512, 20, False
    ),
    "256 students, 36 units, Adam": Case(MLP((16, 36, 36, 1), "tanh"), STUDENT, 256, 512, 20, False),
    "256 students, 64 units, SGD": Case(
        MLP((20, 64, 64, 1), "tanh"), replace(STUDENT, optimiser="sgd"), 256, 512, 20, False
    ),
}


def training(case: Case) -> Callable[[int], object]:
    """Return a function that trains the networks of a case for a number of steps, with one evaluation."""
    rows = case.examples * (1 if case.shared else case.members)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, case.network.inputs, generator=generator)
    y = torch.randint(10, (rows,), generator=generator) if case.shared else torch.randn(rows)
    held = (x[:100], y[:100]) if case.shared else None
    starts = [0 if case.shared else i * case.examples for i in range(case.members)]
    own = [np.arange(start, start + case.examples) for start in starts]

    def task(steps: int) -> object:
        recipe = replace(case.recipe, evaluation_interval=steps, min_steps=steps)
        members = [Member(part, steps, seed) for seed, part in enumerate(own)]
        return train(case.network, x, y, members, held, recipe)

    return task


def products(case: Case) -> Callable[[], None]:
    """Return a function that computes the matrix products and convolutions of a step, and nothing else."""
    members, batch = case.members, case.recipe.batch
    weights = [torch.randn(members, *shape) for shape in case.network.shapes() if len(shape) == 2]
    values, images = [], []
    for w in weights if isinstance(case.network, MLP) else weights[-1:]:
        values.append((w, torch.randn(members, w.shape[2], batch), torch.randn(members, w.shape[1], batch)))
    if isinstance(case.network, CNN):
        side = case.network.side
        layout = torch.channels_last if case.recipe.channels_last else torch.contiguous_format
        for w in weights[:-1]:
            kernels = w.flatten(0, 1).unflatten(1, (-1, 3, 3))
            x = torch.randn(batch, members * kernels.shape[1], side, side).contiguous(memory_format=layout)
            images.append((kernels, x, functional.conv2d(x, kernels, None, 2, 1, groups=members)))
            side = (side + 1) // 2

    def step() -> None:
        for layer, (kernels, x, gradient) in enumerate(images):
            functional.conv2d(x, kernels, None, 2, 1, groups=members)
            torch.ops.aten.convolution_backward(
                gradient, x, kernels, None, [2, 2], [1, 1], [1, 1], False, [0, 0], members,
                [layer > 0, True, False],
            )  # fmt: skip
        for layer, (w, x, gradient) in enumerate(values, len(images)):
            torch.bmm(w, x)
            torch.bmm(gradient, x.mT)
            if layer:
                torch.bmm(w.mT, gradient)

    return step


def seconds(task: Callable[[], object]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


def measure(case: Case) -> dict[str, float]:
    """Return seconds of a shorter and a longer training and of a step's products, and the system's share."""
    task, alone = training(case), products(case)
    task(3)
    alone()
    shorter = seconds(lambda: task(3))
    before = resource.getrusage(resource.RUSAGE_SELF)
    longer = seconds(lambda: task(case.steps + 3))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "shorter": shorter,
        "longer": longer,
        "products": min(seconds(alone) for _ in range(REPETITIONS)),
        "system_share": (after.ru_stime - before.ru_stime) / longer,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = [{name: measure(case) for name, case in CASES.items()} for _ in range(options.rounds)]
    rows = {}
    for name, case in CASES.items():
        least = {key: min(one[name][key] for one in found) for key in ("shorter", "longer", "products")}
        step = (least["longer"] - least["shorter"]) / case.steps
        rows[name] = {
            "step_ms": step * 1e3,
            "products_ms": least["products"] * 1e3,
            "share_of_products": least["products"] / step,
            "system_share": statistics.median(one[name]["system_share"] for one in found),
        }
        print(name, *(f"{key} {value:.3g}" for key, value in rows[name].items()))
    if options.out:
        machine = {"device": f"{platform.machine()}, 1 thread", "torch": torch.__version__}
        figures = {"machine": machine, "rounds": options.rounds, "rows": rows}
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
