"""Hundreds of students trained at once, next to a plain PyTorch loop over the same students, in one run.

    python benchmarks/ensemble.py [--device cuda] [--students 4096] [--alone 8] [--out FILE.json]

Each student has two hidden tanh layers, its own teacher of the same shape, n = 512 noiseless examples and
batches of 64; squared loss, SGD with momentum or Adam, 200 steps. The plain loop is torch.nn.Sequential and
torch.optim with their defaults, with the data resident on the device. It trains --alone of the students one
after another, and its time is scaled up to all of them. The two take turns three times, and the medians
count. Both start from the same weights and see the same batches, which each draws itself. The largest
relative difference of final training losses is printed, to show that the two do the same work.

Next to the ratio: the share of the step's time that the batched matrix products alone take (forward, weight
gradients, input gradients except for the first layer), and the share of the device's peak, measured by the
flops of the same products against those of one large matrix product.

On a CPU: one thread, process time instead of wall time, about two minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from errsrc.nets import MLP
from errsrc.rng import seed_of
from errsrc.training import Member, Recipe, Trained, train

NETWORKS = (MLP((10, 17, 17, 1), "tanh"), MLP((16, 36, 36, 1), "tanh"), MLP((20, 64, 64, 1), "tanh"))
RECIPES = {
    "sgd": Recipe("sgd", learning_rate=0.02),
    "adam": Recipe("adam", learning_rate=1e-3),
}
N, BATCH, STEPS, ROUNDS = 512, 64, 200, 3

Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cpu", help="a device of torch")
    parser.add_argument("--students", type=int, default=256, help="trained at once")
    parser.add_argument("--alone", type=int, default=8, help="trained one after another by the plain loop")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(options.device)
    peak = flops_of_one_product(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()}, 1 thread"
    figures: dict[str, object] = {
        "machine": {"device": name, "python": platform.python_version(), "torch": torch.__version__},
        "students": options.students,
        "alone": options.alone,
        "peak_gflops": peak / 1e9,
    }
    print(f"{name}, torch {torch.__version__}: {peak / 1e9:.0f} Gflop/s in one large product")
    print("parameters optimiser  at once   one by one   ratio   of floor   of peak   losses differ by")
    for network in NETWORKS:
        for optimiser, recipe in RECIPES.items():
            row = compare(network, recipe, options.students, options.alone, device, peak)
            figures[f"{network.parameters} {optimiser}"] = row
            print(
                f"{network.parameters:10} {optimiser:>9} {row['seconds']:8.2f}s {row['plain_seconds']:11.1f}s"
                f" {row['ratio']:7.1f} {row['share_of_floor']:10.2f} {row['share_of_peak']:9.3f}"
                f" {row['loss_difference']:12.1e}",
                flush=True,
            )
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def compare(
    network: MLP,
    recipe: Recipe,
    students: int,
    alone: int,
    device: torch.device,
    peak: float,
    rounds: int = ROUNDS,
) -> dict[str, float]:
    """Train the same students both ways."""
    recipe = Recipe(
        recipe.optimiser,
        recipe.learning_rate,
        warmup=0,
        batch=BATCH,
        average=0.0,
        evaluation_interval=STEPS,
        loss="squared",
    )
    inputs = network.sizes[0]
    x = torch.randn(students * N, inputs, generator=torch.Generator().manual_seed(0)).to(device)
    teachers = network.draw([seed_of(0, "teacher", i) for i in range(students)], network.prior_stds(1.5, 0.5))
    teachers = tuple(w.to(device) for w in teachers)
    y = network(teachers, x.view(students, N, inputs)).reshape(-1)
    members = [
        Member(np.arange(i * N, (i + 1) * N), STEPS, seed_of(0, "student", i)) for i in range(students)
    ]
    warm = [Member(member.rows, 10, member.seed) for member in members]
    chosen = range(0, students, max(students // alone, 1))
    train(network, x, y, warm, None, recipe)
    one_by_one(network, x, y, warm[:1], recipe)
    times = []
    for _ in range(rounds):
        taken, trained = timed(device, lambda: train(network, x, y, members, None, recipe))
        plain_taken, plain = timed(
            device, lambda: one_by_one(network, x, y, [members[i] for i in chosen], recipe)
        )
        times.append((taken, plain_taken * students / len(chosen)))
    seconds, plain_seconds = (float(v) for v in np.median(times, 0))
    ours = np.array([final_loss(network, x, y, members[i], trained[i]) for i in chosen])
    floor, flops = products(network, students, device)
    return {
        "seconds": seconds,
        "plain_seconds": plain_seconds,
        "ratio": plain_seconds / seconds,
        "share_of_floor": floor * STEPS / seconds,
        "share_of_peak": flops * STEPS / seconds / peak,
        "loss_difference": float(np.abs(ours / plain - 1).max()),
        "median_loss": float(np.median(ours)),
    }


def one_by_one(network: MLP, x: Tensor, y: Tensor, members: list[Member], recipe: Recipe) -> np.ndarray:
    """Train each student as a PyTorch user would, and return the final training losses."""
    final = []
    for member in members:
        layers: list[nn.Module] = []
        for inside, out in zip(network.sizes[:-1], network.sizes[1:], strict=True):
            layers += [nn.Linear(inside, out), nn.Tanh()]
        model = nn.Sequential(*layers[:-1]).to(x.device)
        with torch.no_grad():
            for own, drawn in zip(model.parameters(), network.draw([member.seed]), strict=True):
                own.copy_(drawn[0])
        if recipe.optimiser == "adam":
            optimiser: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), recipe.learning_rate)
        else:
            optimiser = torch.optim.SGD(model.parameters(), recipe.learning_rate, recipe.momentum)
        loss_of = nn.MSELoss()
        rows = torch.from_numpy(member.rows).to(x.device)
        x_own, y_own = x[rows], y[rows, None]
        generator = torch.Generator().manual_seed(seed_of(member.seed, "order"))
        step = 0
        while step < member.steps:
            order = torch.randperm(len(rows), generator=generator).to(x.device)
            for batch in order.split(recipe.batch):
                loss = loss_of(model(x_own[batch]), y_own[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                step += 1
                if step == member.steps:
                    break
        with torch.no_grad():
            final.append(float(loss_of(model(x_own).double(), y_own.double())))
    return np.array(final)


@torch.no_grad()
def final_loss(network: MLP, x: Tensor, y: Tensor, member: Member, trained: Trained) -> float:
    rows = torch.from_numpy(member.rows).to(x.device)
    outputs = network(tuple(w[None] for w in trained.weights), x[rows])[0, :, 0]
    return float((outputs.double() - y[rows].double()).square().mean())


def products(network: MLP, students: int, device: torch.device) -> tuple[float, float]:
    """Return the seconds and the flops of one step's matrix products alone."""
    pairs = list(zip(network.sizes[:-1], network.sizes[1:], strict=True))
    weights = [torch.randn(students, out, inside, device=device) for inside, out in pairs]
    values = [torch.randn(students, size, BATCH, device=device) for size in network.sizes]

    def step() -> None:
        for layer, w in enumerate(weights):
            torch.bmm(w, values[layer])
            torch.bmm(values[layer + 1], values[layer].mT)
            if layer:
                torch.bmm(w.mT, values[layer + 1])

    flops = sum(2 * BATCH * students * w[0].numel() * (3 if layer else 2) for layer, w in enumerate(weights))
    return best_of(device, step), flops


def flops_of_one_product(
    device: torch.device,
    size: int | None = None,
    dtype: torch.dtype = torch.float32,
    repetitions: int = 20,
) -> float:
    """Return flops a second of a large matrix product."""
    if size is None:
        size = 1024 if device.type == "cpu" else 8192
    a, b = torch.randn(2, size, size, device=device, dtype=dtype)
    return 2 * size**3 / best_of(device, lambda: torch.mm(a, b), repetitions)


def best_of(device: torch.device, task: Callable[[], object], repetitions: int = 20) -> float:
    task()
    return min(timed(device, task)[0] for _ in range(repetitions))


def timed(device: torch.device, task: Callable[[], Result]) -> tuple[float, Result]:
    """Return seconds and result: of this process's one thread on a CPU, of the clock elsewhere."""
    if device.type == "cpu":
        start = time.process_time()
        result = task()
        return time.process_time() - start, result
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    result = task()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
