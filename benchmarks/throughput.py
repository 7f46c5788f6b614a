"""Examples a second of the training loop, next to a plain PyTorch script of the same model, in one run.

    python benchmarks/throughput.py [--device cuda] [--rounds 3] [--profile] [--out FILE.json]

Vision: ResNet-20 on 50,000 synthetic images of 32 x 32 x 3 in 10 classes, batches of 128, random crops and
mirror images, SGD. Language: a transformer of 25M parameters on synthetic bytes, windows of 512, batches of
32, Adam (on a CPU: 0.1M parameters, windows of 64, batches of 16). The plain script is written in the usual
way, in float32: nn.Module, a DataLoader whose workers augment image by image, torch.optim. The loop trains
with its options for a GPU (all data resident there, bfloat16 products, compiled steps), on a CPU with its
defaults; its time includes its evaluations. Both begin from the same weights. The largest relative difference
of their outputs is printed, to show that the two are one model.

A time is that of the longer of two runs minus that of the shorter, so it leaves out what happens once
(compiling, moving data, the risk at the end); the median of --rounds counts, and the two take turns. Also
printed: the share of the device's peak (dense bfloat16 flops as NVIDIA states them; on a CPU, of one large
float32 product), peak memory, and many small cells trained at once against one after another.

On a CPU: one thread and process time instead of wall time, so that the plain script's data workers cost it
nothing; about a minute. The results are in benchmarks/results/throughput.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from ensemble import flops_of_one_product, timed
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from errsrc.nets import CNN, MLP, Network, Resnet, Transformer, Weights
from errsrc.training import Member, Recipe, augment, train

PEAK = {
    "H100 PCIe": 756e12, "H100 NVL": 835e12, "H100": 989e12, "H200": 989e12, "GH200": 989e12, "B200": 2250e12,
    "A100": 312e12, "L40S": 362e12, "L4": 121e12, "RTX 4090": 165e12,
}  # fmt: skip
"""Dense bfloat16 flops a second as NVIDIA states them, by a part of the device's name; the first counts."""
SMALL = {"mlp": MLP((784, 16, 10)), "cnn": CNN(side=28, width=4, classes=10)}


# The plain script


class Block(nn.Module):
    """Two convolutions beside a shortcut without parameters."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.norm1 = nn.GroupNorm(4, out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = nn.GroupNorm(4, out)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the next block takes."""
        branch = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        if self.stride == 2:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, x.shape[1]))
        return functional.relu(branch + x)


class PlainResnet(nn.Module):
    """He et al. 2016, with the group normalisation of `errsrc.nets.Resnet`."""

    def __init__(self, network: Resnet) -> None:
        super().__init__()
        width = network.width
        self.conv = nn.Conv2d(network.channels, width, 3, 1, 1, bias=False)
        self.norm = nn.GroupNorm(4, width)
        blocks = []
        for stage in range(3):
            for block in range(network.blocks):
                first = stage > 0 and block == 0
                out = width * 2**stage
                blocks.append(Block(out // 2 if first else out, out, 2 if first else 1))
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(4 * width, network.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.blocks(functional.relu(self.norm(self.conv(x))))
        return self.linear(x.mean((2, 3)))

    def load(self, network: Network, weights: Weights) -> None:
        """Take the weights of the network's one member."""
        for own, (drawn,) in zip(self.parameters(), weights, strict=True):
            scale = own.dim() == 1 and bool((own == 1).all())  # stored as what it exceeds 1 by
            own.data.copy_(drawn.view_as(own) + (1.0 if scale else 0.0))


class Layer(nn.Module):
    """Attention and two linear layers."""

    def __init__(self, network: Transformer) -> None:
        super().__init__()
        width = network.width
        self.heads, self.branch = network.heads, (2 * network.depth) ** -0.5
        self.norm1 = nn.RMSNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.projection = nn.Linear(width, width, bias=False)
        self.norm2 = nn.RMSNorm(width, eps=1e-6)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, h: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return what the next layer takes."""
        batch, context, width = h.shape
        q, k, v = self.qkv(self.norm1(h)).view(batch, context, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = (
            torch.cat([a * cos - b * sin, a * sin + b * cos], -1) for a, b in (q.chunk(2, -1), k.chunk(2, -1))
        )
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.branch * self.projection(seen.transpose(1, 2).reshape(batch, context, width))
        return h + self.branch * self.down(functional.gelu(self.up(self.norm2(h))))


class PlainTransformer(nn.Module):
    """As language models are built now, see `errsrc.nets.Transformer`."""

    def __init__(self, network: Transformer) -> None:
        super().__init__()
        self.embedding = nn.Embedding(network.vocabulary, network.width)
        self.layers = nn.ModuleList([Layer(network) for _ in range(network.depth)])
        self.norm = nn.RMSNorm(network.width, eps=1e-6)
        self.logits = nn.Linear(network.width, network.vocabulary, bias=False)
        size = network.width // network.heads
        angles = torch.arange(network.context)[:, None] * 10_000.0 ** (-torch.arange(0, size, 2) / size)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits."""
        h = self.embedding(tokens)
        for layer in self.layers:
            h = layer(h, self.cos, self.sin)
        return self.logits(self.norm(h))

    def load(self, network: Transformer, weights: Weights) -> None:
        """Take the weights of the network's one member."""
        for own, (drawn,), factor in zip(self.parameters(), weights, network.multipliers(), strict=True):
            own.data.copy_(1 + drawn if own.dim() == 1 else factor * drawn)


class Images(Dataset):
    """Images on the CPU, cropped and mirrored one by one."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x.view(-1, 3, 32, 32), y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        top, left, mirrored = (int(torch.randint(k, ())) for k in (9, 9, 2))
        image = functional.pad(self.x[i], (4, 4, 4, 4))[:, top : top + 32, left : left + 32]
        return image.flip(2) if mirrored else image, self.y[i]


def image_batches(x: Tensor, y: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    workers = max(1, min(8, (os.cpu_count() or 2) - 1))
    loader = DataLoader(
        Images(x, y), batch, shuffle=True, drop_last=True, num_workers=workers,
        pin_memory=torch.cuda.is_available(), persistent_workers=True,
    )  # fmt: skip
    return itertools.chain.from_iterable(itertools.repeat(loader))


def window_batches(x: Tensor, y: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        rows = torch.randint(len(x), (batch,))
        yield x[rows].long(), y[rows]


def resident_batches(
    x: Tensor, y: Tensor, network: Network, recipe: Recipe
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of data that lie on the device, where images are also cropped and mirrored."""
    while True:
        rows = torch.randint(len(x), (recipe.batch,), device=x.device)
        inputs = x[rows]
        if recipe.augment != "none":
            choices = augment.crop_flip_count(recipe.padding)
            choice = torch.randint(choices, (recipe.batch,), device=x.device)
            inputs = augment.crop_flip(inputs, choice, network.image_shape, recipe.padding)
        yield inputs.view(-1, *network.image_shape) if network.image_shape else inputs.long(), y[rows]


def plain_steps(
    model: nn.Module,
    recipe: Recipe,
    batches: Iterator[tuple[Tensor, Tensor]],
    device: torch.device,
    precision: torch.dtype | None = None,
) -> Callable[[int], None]:
    """Return what takes some more steps of an ordinary training loop, by autocast in the given precision."""
    if recipe.optimiser == "sgd":
        optimiser = torch.optim.SGD(model.parameters(), recipe.learning_rate, recipe.momentum)
    else:
        optimiser = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=0.0)

    def steps(count: int) -> None:
        model.train()
        for _ in range(count):
            inputs, labels = next(batches)
            inputs, labels = inputs.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            with torch.autocast(device.type, precision, enabled=precision is not None):
                outputs = model(inputs)
                loss = functional.cross_entropy(outputs.flatten(0, -2), labels.flatten())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return steps


# The two side by side


@dataclass(frozen=True)
class Task:
    """One comparison: what is trained, how, and how many steps the shorter and the longer run take."""

    name: str
    network: Network
    recipe: Recipe
    examples: int
    steps: tuple[int, int]


def tasks(gpu: bool) -> list[Task]:
    measures = {"precision": "bf16", "compile": True} if gpu else {}
    sgd = Recipe(
        "sgd", learning_rate=0.05, batch=128, augment="crop-flip", evaluation_interval=100, **measures
    )
    resnet = Resnet(side=32, width=16, classes=10, depth=20)
    if gpu:
        transformer = Transformer(context=512, width=512, depth=8, heads=8)
        adam = Recipe(learning_rate=1e-3, batch=32, evaluation_interval=100, **measures)
        return [
            Task("vision", resnet, sgd, 50_000, (200, 1000)),
            Task("language", transformer, adam, 20_000, (50, 250)),
        ]
    transformer = Transformer(context=64, width=64, depth=2, heads=4)
    adam = Recipe(learning_rate=1e-3, batch=16, evaluation_interval=100)
    return [
        Task("vision", resnet, replace(sgd, batch=128), 512, (1, 6)),
        Task("language", transformer, adam, 2000, (10, 110)),
    ]


def data(task: Task) -> tuple[Tensor, Tensor]:
    """Return synthetic examples: normal pixels in random classes, or windows of random bytes."""
    drawn = torch.Generator().manual_seed(0)
    if task.network.image_shape:
        x = torch.randn(task.examples, task.network.inputs, generator=drawn)
        return x, torch.randint(task.network.outputs, (task.examples,), generator=drawn)
    context = task.network.inputs
    text = torch.randint(256, (task.examples + context,), generator=drawn)
    return text.float().unfold(0, context, 1)[:-1], text[1:].unfold(0, context, 1)


def flops(network: Network) -> float:
    """Return the flops of an example's step: forward, and twice as much backward."""
    attention = 0
    if isinstance(network, Transformer):  # scores and their use, half of them masked
        attention = network.depth * network.context**2 * network.width
    return 6.0 * (network.multiply_adds + attention)


def plain_model(network: Network, x: Tensor) -> tuple[nn.Module, float]:
    """Return the same network as an ordinary module, and by how much the two networks' outputs differ."""
    weights = network.draw([0])
    if isinstance(network, Transformer):  # logits that begin at 0 would agree whatever comes before
        weights = (*weights[:-1], torch.randn_like(weights[-1]))
    model: PlainResnet | PlainTransformer
    model = PlainResnet(network) if isinstance(network, Resnet) else PlainTransformer(network)
    model.load(network, weights)
    model = model.to(x.device)
    with torch.no_grad():
        inputs = x.view(-1, *network.image_shape) if network.image_shape else x.long()
        ours = network(tuple(w.to(x.device) for w in weights), x)[0]
        return model, float((model(inputs) - ours).abs().max() / ours.abs().max())


def compare(task: Task, device: torch.device, rounds: int, peak: float) -> dict[str, float | None]:
    network, recipe = task.network, task.recipe
    x, y = data(task)
    x_there, y_there = x.to(device), y.to(device)
    held = max(len(x) // 50, 1)
    validation = (x_there[:held], y_there[:held])
    model, difference = plain_model(network, x_there[:16])
    batches = (image_batches if network.image_shape else window_batches)(x, y, recipe.batch)
    plain = plain_steps(model, recipe, batches, device)

    short, long = task.steps
    recipe = replace(recipe, min_steps=long)

    def loop(steps: int) -> None:
        member = Member(np.arange(held, len(x)), steps, 0)
        train(network, x_there, y_there, [member], validation, recipe)

    loop(3)
    plain(3)
    taken, memory = [], []
    for _ in range(rounds):
        pair = []
        for run in (loop, plain):
            reset_memory(device)
            brief = seconds(device, lambda run=run: run(short))
            pair.append(seconds(device, lambda run=run: run(long)) - brief)
            memory.append(peak_memory(device))
        taken.append(pair)
    ours_s, plain_s = (statistics.median(pair[i] for pair in taken) for i in (0, 1))
    per = recipe.batch * (long - short) * (network.inputs if network.positions else 1)
    work = flops(network) * recipe.batch * (long - short) / peak
    return {
        "parameters": network.parameters,
        "batch": recipe.batch,
        "a_second": per / ours_s,
        "plain_a_second": per / plain_s,
        "ratio": plain_s / ours_s,
        "share_of_peak": work / ours_s,
        "plain_share_of_peak": work / plain_s,
        "peak_memory_gb": memory[0],
        "plain_peak_memory_gb": memory[1],
        "outputs_differ_by": difference,
    }


def stacked(network: Network, device: torch.device, members: int, steps: int) -> dict[str, float]:
    """Train small cells at once, and some of them one after another, each as the loop would alone."""
    x = torch.randn(2000, network.inputs, generator=torch.Generator().manual_seed(0)).to(device)
    y = torch.randint(10, (2000,), generator=torch.Generator().manual_seed(1)).to(device)
    cells = [Member(np.arange(2000), steps, seed) for seed in range(members)]
    recipe = Recipe(batch=64, evaluation_interval=steps, min_steps=steps)
    held = (x[:100], y[:100])
    train(network, x, y, [replace(cell, steps=3) for cell in cells], held, recipe)
    at_once = seconds(device, lambda: train(network, x, y, cells, held, recipe))
    some = cells[:4]
    train(network, x, y, [replace(some[0], steps=3)], held, recipe)
    alone = seconds(device, lambda: [train(network, x, y, [cell], held, recipe) for cell in some])
    alone *= members / len(some)
    return {"cells": members, "parameters": network.parameters, "seconds_at_once": at_once,
            "seconds_one_by_one": alone, "ratio": alone / at_once}  # fmt: skip


def seconds(device: torch.device, task: Callable[[], object]) -> float:
    """Return the seconds of a task: of this process's one thread on a CPU, of the clock elsewhere."""
    return timed(device, task)[0]


def reset_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> float | None:
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None


def peak_of(device: torch.device) -> tuple[float, str]:
    """Return flops a second to measure shares by, and what they are."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        known = next((flops for board, flops in PEAK.items() if board in name), None)
        if known is not None:
            return known, "dense bfloat16, as stated"
    size = 1024 if device.type == "cpu" else 8192
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    return flops_of_one_product(device, size, dtype, 10), f"one product of {size}, {dtype}"


def profiled(task: Task, device: torch.device) -> str:
    """Return where the loop's time goes, operator by operator."""
    from torch.profiler import ProfilerActivity, profile

    x, y = (part.to(device) for part in data(task))
    member = Member(np.arange(len(x)), task.steps[1], 0)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with profile(activities=kinds) as found:
        train(task.network, x, y, [member], (x[:10], y[:10]), task.recipe)
    by = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    return str(found.key_averages().table(sort_by=by, row_limit=14, max_name_column_width=50))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, help="3 on a GPU, 1 elsewhere")
    parser.add_argument("--profile", action="store_true", help="print where the loop's time goes instead")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    device = torch.device(options.device)
    gpu = device.type == "cuda"
    torch.set_num_threads(1)
    if options.profile:
        for task in tasks(gpu):
            print(f"{task.name}\n{profiled(task, device)}")
        return
    rounds = options.rounds or (3 if gpu else 1)
    peak, what = peak_of(device)
    figures: dict[str, object] = {
        "machine": {
            "device": torch.cuda.get_device_name(device) if gpu else f"CPU ({platform.machine()}), 1 thread",
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
        },
        "peak_tflops": peak / 1e12,
        "peak": what,
        "rounds": rounds,
    }
    print(f"{figures['machine']}, {peak / 1e12:.3g} Tflop/s ({what})")
    for task in tasks(gpu):
        row = figures[task.name] = compare(task, device, rounds, peak)
        unit = "tokens" if task.network.positions else "images"
        print(
            f"{task.name}: {row['a_second']:,.0f} {unit} a second, plain {row['plain_a_second']:,.0f}: "
            f"{row['ratio']:.2f} times; share of peak {row['share_of_peak']:.3f}, plain "
            f"{row['plain_share_of_peak']:.3f}; outputs differ by {row['outputs_differ_by']:.0e}",
            flush=True,
        )
        if gpu:
            print(f"  memory {row['peak_memory_gb']:.2f} GB, plain {row['plain_peak_memory_gb']:.2f} GB")
    for name, network in SMALL.items():
        row = figures[f"stacked {name}"] = stacked(network, device, *((64, 300) if gpu else (16, 40)))
        print(f"{row['cells']} small cells ({name}) at once: {row['ratio']:.2f} times as fast as one by one")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
