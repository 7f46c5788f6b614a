"""The five parts of gpu.py, each a function of one `gpu.Run`.

Every part has a small size for rehearsals on a CPU. A part begins a measurement only if enough time is left.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ensemble
import numpy as np
import throughput as plain_scripts
import torch
from scipy import fft
from torch import Tensor

from errsrc.errors import NoAnswer
from errsrc.fitting import fit, judge
from errsrc.laws import Dense
from errsrc.nets import CNN, LSTM, MLP, Network, NeuralNgram, Resnet, Transformer
from errsrc.tasks import LanguageCell, VisionCell, train_language_cells, train_vision_cells
from errsrc.training import Member, Recipe, train
from errsrc.training.objectives import TRAINING_LOSSES

if TYPE_CHECKING:
    from gpu import Run

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("test_train.py", "test_training_options.py", "test_pruning.py")
"""Files in tests/training with tests that run on every device."""
SOURCE_BYTES = 16_000_000
"""Bytes of source code that stand in for a missing text."""
TIMED_STEPS = (2, 22)
"""Numbers of steps of two trainings whose difference is the time of a step."""
CHECKED: tuple[Network, ...] = (
    MLP((64, 32, 10)),
    CNN(8, 8, 10, blocks=1),
    Resnet(8, 4, 10, 8, channels=1),
    Transformer(16, 32, 2, 32, heads=2),
    LSTM(16, 32, 1, 32),
    NeuralNgram(16, 32, 1, 32),
)


def _device(run: Run) -> torch.device:
    return torch.device("cpu" if run.rehearse else "cuda")


# a: tests


def tests(run: Run) -> None:
    """Check the networks and the loop against a CPU in float64, then run the tests that take a device."""
    device = _device(run)
    bounds = {"gradients": 1e-4, "bfloat16 gradients": 0.1, "stacked": 1e-4, "trained": 1e-6, "masked": 0.0}
    for name, check in CHECKS.items():

        def outcome(name: str = name, check: Callable[[torch.device], float] = check) -> dict[str, Any]:
            worst = check(device)
            if not worst <= bounds[name]:
                raise AssertionError(f"a relative difference of {worst:.2g}, more than {bounds[name]:g}")
            return {"largest_difference": worst, "bound": bounds[name]}

        run.measure(f"check of {name}", 4, outcome)
    if importlib.util.find_spec("pytest") is None:
        run.put("tests", "pytest is not installed: only the checks of this script ran")
        return
    run.measure("tests", 8, lambda: _pytest(run))


def _examples(network: Network, count: int = 96) -> tuple[Tensor, Tensor]:
    """Return inputs in float64 and classes for a network, on the CPU."""
    drawn = torch.Generator().manual_seed(0)
    if isinstance(network, Transformer | LSTM | NeuralNgram):
        x = torch.randint(network.outputs, (count, network.inputs), generator=drawn).double()
    else:
        x = torch.randn(count, network.inputs, generator=drawn, dtype=torch.float64)
    return x, torch.randint(network.outputs, (count, *network.positions), generator=drawn)


def _gradient(network: Network, device: torch.device, dtype: torch.dtype, x: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of the mean loss of two members, (2, P), float64 on the CPU."""
    drawn = torch.Generator().manual_seed(1)
    weights = tuple(w + 0.1 * torch.randn(w.shape, generator=drawn) for w in network.draw([0, 1]))
    there = tuple(w.to(device, dtype) for w in weights)
    out = tuple(torch.empty_like(w) for w in there)
    labels, each = (
        y.to(device).expand(2, *y.shape),
        torch.full((1, 1), 1 / len(y), dtype=dtype, device=device),
    )
    loss = functools.partial(TRAINING_LOSSES["log"].loss_and_gradient, y=labels, weights=each)
    network.gradients(there, x.to(device, dtype).expand(2, *x.shape).contiguous(), loss, out)
    return network.flatten(out).double().cpu()


def _check_gradients(device: torch.device) -> float:
    """Compare the gradients in float32 on the device with those in float64 on the CPU, for all networks."""
    worst = 0.0
    with torch.backends.cudnn.flags(allow_tf32=False):
        for network in CHECKED:
            x, y = _examples(network)
            exact = _gradient(network, torch.device("cpu"), torch.float64, x, y)
            found = _gradient(network, device, torch.float32, x, y)
            worst = max(worst, float((found - exact).norm() / exact.norm()))
    return worst


def _check_bfloat16(device: torch.device) -> float:
    """Compare a training step in bfloat16 with the same step in float32, for all networks."""
    worst = 0.0
    for network in CHECKED:
        x, y = _examples(network)
        start = tuple(w + 0.1 for w in network.draw([0]))
        moves = []
        for precision in ("input", "bf16"):
            recipe = Recipe("sgd", 1.0, warmup=0, momentum=0.0, average=0.0, precision=precision)
            member, there = Member(np.arange(len(x)), 1, 0), (x.float().to(device), y.to(device))
            (trained,) = train(network, *there, [member], None, recipe, start, rewind_step=1)
            after = torch.cat([w.cpu().flatten() for w in trained.rewind_weights])
            moves.append(after - torch.cat([w.flatten() for w in start]))
        worst = max(worst, float((moves[1] - moves[0]).norm() / moves[0].norm()))
    return worst


def _curves(network: Network, device: torch.device, dtype: torch.dtype, members: list[Member]) -> np.ndarray:
    x, y = _examples(network)
    recipe = Recipe(batch=16, learning_rate=0.01, evaluation_interval=5)
    trained = train(network, x.to(device, dtype), y.to(device), members, None, recipe)
    return np.array([one.curve["loss"] for one in trained])


def _check_stacked(device: torch.device) -> float:
    """Compare three networks that are trained at once with each of them trained alone."""
    worst = 0.0
    for network in CHECKED[:3]:
        members = [Member(np.arange(20 * i, 20 * i + 50), 15, i) for i in range(3)]
        together = _curves(network, device, torch.float64, members)
        alone = np.concatenate([_curves(network, device, torch.float64, [one]) for one in members])
        worst = max(worst, float(np.abs(together / alone - 1).max()))
    return worst


def _check_trained(device: torch.device) -> float:
    """Compare training in float64 on the device with the same training on the CPU."""
    worst = 0.0
    for network in CHECKED[:3]:
        members = [Member(np.arange(96), 20, 0)]
        there, here = (_curves(network, of, torch.float64, members) for of in (device, torch.device("cpu")))
        worst = max(worst, float(np.abs(there / here - 1).max()))
    return worst


def _check_masked(device: torch.device) -> float:
    """Return the largest pruned weight after a training with a mask."""
    network = CHECKED[1]
    x, y = _examples(network)
    drawn = torch.Generator().manual_seed(2)
    masks = tuple(torch.rand(1, *shape, generator=drawn) < 0.5 for shape in network.shapes())
    there, member = (x.float().to(device), y.to(device)), Member(np.arange(96), 15, 0)
    (trained,) = train(network, *there, [member], None, Recipe(batch=16), masks=masks)
    pairs = zip(trained.weights, masks, strict=True)
    return max(float(w.cpu()[~mask[0]].abs().max()) for w, mask in pairs)


CHECKS = {
    "gradients": _check_gradients,
    "bfloat16 gradients": _check_bfloat16,
    "stacked": _check_stacked,
    "trained": _check_trained,
    "masked": _check_masked,
}


def _pytest(run: Run) -> dict[str, Any]:
    """Run errsrc's tests of this device, and return the number of each outcome so far at the time limit."""
    files = [f"tests/training/{name}" for name in (TESTS[:1] if run.rehearse else TESTS)]
    chosen = "sgd and cpu" if run.rehearse else "cuda"
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-m", "not slow", "-k", chosen]
    command += ["-o", "filterwarnings=default", "-o", "console_output_style=classic", *files]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    limit = threading.Timer(max(1.0, run.deadline.left - 3.0), lambda: process.send_signal(signal.SIGKILL))
    limit.start()
    assert process.stdout is not None
    found: dict[str, Any] = {"passed": 0, "failed": 0, "skipped": 0, "failures": []}
    tail: list[str] = []
    for line in process.stdout:
        tail = [*tail[-20:], line.rstrip()]
        words = line.split()
        if "::" not in line or len(words) < 2 or words[0] in ("FAILED", "ERROR"):
            continue
        outcome = {"PASSED": "passed", "FAILED": "failed", "ERROR": "failed", "SKIPPED": "skipped"}.get(
            words[-1]
        )
        if outcome:
            found[outcome] += 1
            found["failures"] += [words[0]] if outcome == "failed" else []
    limit.cancel()
    found["all_ran"] = process.wait() in (0, 1)
    if found["failed"] or not found["passed"]:
        run.put("tests so far", found)
        raise AssertionError(
            f"{found['failed']} of errsrc's tests failed; the last lines: {' | '.join(tail)}"
        )
    return found


# b: throughput


def throughput(run: Run) -> None:
    """Measure images, tokens and students a second, next to plain scripts in the same precision."""
    device = _device(run)
    if run.rehearse:
        torch.set_num_threads(1)
    peak, what = plain_scripts.peak_of(device)
    run.put("peak", {"tflops": peak / 1e12, "which": what})
    run.measure("one product", 1, lambda: {"bf16_tflops": _product(device) / 1e12})
    tasks = {task.name: _Rates(task, device, peak, 1 if run.rehearse else 3) for task in _tasks(run)}
    for name, rates in tasks.items():
        run.measure(f"{name}, plain script", 8, rates.plain)
    students, alone = (8, 2) if run.rehearse else (4096, 8)
    pairs = [(ensemble.NETWORKS[0], "sgd"), (ensemble.NETWORKS[2], "adam")]
    for network, optimiser in pairs[: 1 if run.rehearse else 2]:
        compared = functools.partial(
            ensemble.compare, network, ensemble.RECIPES[optimiser], students, alone, device,
            ensemble.flops_of_one_product(device), 1,
        )  # fmt: skip
        name = f"{students} students of {network.parameters} parameters, {optimiser}, against a loop"
        run.measure(name, 15, compared)
    small = {**plain_scripts.SMALL, "resnet": Resnet(side=32, width=8, classes=10, depth=8)}
    count, steps = (2, 2) if run.rehearse else (16, 200)
    for name, stacked in list(small.items())[: 1 if run.rehearse else 3]:
        run.measure(
            f"{count} stacked ({name})",
            10,
            functools.partial(_stacked, stacked, device, count, steps),
        )
    for name in ("language", "vision"):
        run.measure(f"{name}, loop, not compiled", 6, functools.partial(tasks[name].loop, False))
        if not run.rehearse:
            run.measure(f"{name}, loop, compiled", 20, functools.partial(tasks[name].loop, True))
    for name, rates in tasks.items():
        run.put(f"{name}, times as fast as the plain script", rates.ratios())
    if not run.rehearse:
        run.measure("vision, plain script with data workers", 12, tasks["vision"].with_workers)


def _product(device: torch.device) -> float:
    """Return flops a second of one bfloat16 product."""
    size = 256 if device.type == "cpu" else 8192
    return ensemble.flops_of_one_product(device, size, torch.bfloat16, 10)


def _tasks(run: Run) -> list[plain_scripts.Task]:
    if not run.rehearse:
        vision, language = plain_scripts.tasks(gpu=True)
        return [replace(vision, steps=(50, 450)), replace(language, examples=4000, steps=(10, 110))]
    sgd = Recipe("sgd", batch=8, augment="crop-flip", precision="bf16", evaluation_interval=100)
    adam = Recipe(batch=2, precision="bf16", evaluation_interval=100)
    resnet, transformer = Resnet(side=8, width=4, classes=10, depth=8), Transformer(16, 32, 1, heads=2)
    return [
        plain_scripts.Task("vision", resnet, sgd, 60, (1, 3)),
        plain_scripts.Task("language", transformer, adam, 60, (1, 3)),
    ]


class _Rates:
    """Examples or tokens a second of the loop and of a plain script, for one task.

    The plain script is eager, in the same precision, and its data lie on the device.  Its time has no
    evaluations; the loop's time has one after each 100 steps.
    """

    def __init__(self, task: plain_scripts.Task, device: torch.device, peak: float, rounds: int) -> None:
        self.task, self.device, self.peak, self.rounds = task, device, peak, rounds
        self.rates: dict[str, float] = {}
        self._precision = torch.bfloat16

    @functools.cached_property
    def _data(self) -> tuple[Tensor, Tensor]:
        """The synthetic examples, drawn on the device."""
        task, device = self.task, self.device
        torch.manual_seed(0)
        if task.network.image_shape:
            x = torch.randn(task.examples, task.network.inputs, device=device)
            return x, torch.randint(task.network.outputs, (task.examples,), device=device)
        text = torch.randint(256, (task.examples + task.network.inputs,), device=device)
        windows = text.unfold(0, task.network.inputs, 1)
        return windows[:-1].float(), windows[1:].contiguous()

    def plain(self) -> dict[str, Any]:
        """Measure the plain script."""
        x, y = self._data
        model, difference = plain_scripts.plain_model(self.task.network, x[:16])
        batches = plain_scripts.resident_batches(x, y, self.task.network, self.task.recipe)
        steps = plain_scripts.plain_steps(model, self.task.recipe, batches, self.device, self._precision)
        return {**self._measured("plain", steps), "outputs_differ_by": difference}

    def with_workers(self) -> dict[str, Any]:
        """Measure the plain script with images on the CPU, and workers that crop and mirror them there."""
        x, y = (part.cpu() for part in self._data)
        model, _ = plain_scripts.plain_model(self.task.network, self._data[0][:16])
        batches = plain_scripts.image_batches(x, y, self.task.recipe.batch)
        steps = plain_scripts.plain_steps(model, self.task.recipe, batches, self.device, self._precision)
        return self._measured("with workers", steps)

    def loop(self, compiled: bool) -> dict[str, Any]:
        """Measure errsrc's loop."""
        network, (x, y) = self.task.network, self._data
        held = 32 if network.positions else len(x) // 50 + 1

        recipe = replace(self.task.recipe, min_steps=self.task.steps[1], compile=compiled)

        def steps(count: int) -> None:
            member = Member(np.arange(held, len(x)), count, 0)
            train(network, x, y, [member], (x[:held], y[:held]), recipe)

        return self._measured("compiled" if compiled else "not compiled", steps)

    def ratios(self) -> dict[str, float]:
        """Return the rates of the loop in units of the plain script's."""
        plain = self.rates.get("plain")
        others = {name: rate for name, rate in self.rates.items() if name != "plain"}
        return {name: round(rate / plain, 3) for name, rate in others.items()} if plain else {}

    def _measured(self, name: str, steps: Callable[[int], None]) -> dict[str, Any]:
        short, long = self.task.steps
        start = time.perf_counter()
        steps(short)
        first = time.perf_counter() - start
        plain_scripts.reset_memory(self.device)
        times = []
        for _ in range(self.rounds):
            brief = plain_scripts.seconds(self.device, lambda: steps(short))
            times.append(plain_scripts.seconds(self.device, lambda: steps(long)) - brief)
        taken = max(statistics.median(times), 1e-9) / (long - short)
        examples = self.task.recipe.batch / taken
        network = self.task.network
        self.rates[name] = examples * (network.inputs if network.positions else 1)
        return {
            "unit": "tokens" if network.positions else "images",
            "a_second": round(self.rates[name], 1),
            "step_ms": round(1000 * taken, 4),
            "share_of_peak": round(plain_scripts.flops(network) * examples / self.peak, 4),
            "parameters": network.parameters,
            "batch": self.task.recipe.batch,
            "first_steps_s": round(first, 2),
            "peak_memory_gb": plain_scripts.peak_memory(self.device),
        }


def _stacked(network: Network, device: torch.device, members: int, steps: int) -> dict[str, float]:
    """Return the summed images a second of networks that are trained at once, and in turn."""
    found = plain_scripts.stacked(network, device, members, steps)
    images = members * steps * 64  # the batch of `throughput.stacked`
    return {
        **found,
        "images_a_second_at_once": images / found["seconds_at_once"],
        "images_a_second_in_turn": images / found["seconds_one_by_one"],
    }


# c and d: studies


def images(run: Run) -> None:
    """Train ResNet-20 on Fashion-MNIST: small cells first, then the large cells, which the law predicted."""
    recipe = Recipe(learning_rate=0.005, batch=128, decay=0.5, evaluation_interval=50, precision="bf16")
    widths, depth, validation, seeds = (4, 8, 16), 20, 5000, (0, 1)
    steps = {800: 800, 3200: 1200, 12_800: 2000, 51_200: 4000}
    if run.rehearse:
        recipe = replace(recipe, batch=16, learning_rate=0.02, precision="input", warmup=5)
        widths, depth, validation, seeds = (1, 2, 4), 8, 40, (0,)
        steps = {20: 8, 40: 8, 80: 8, 160: 12}
    with tempfile.TemporaryDirectory() as place:
        folder = _small_images(Path(place)) if run.rehearse else _found(run, "train-images-idx3-ubyte.gz")
        cells = [
            VisionCell(
                "fashion-mnist", "resnet", width, n, seed, validation=validation, steps=steps[n], depth=depth,
                recipe=recipe,
            )
            for width in widths
            for n in steps
            for seed in seeds
        ]  # fmt: skip
        trained = functools.partial(train_vision_cells, folder=None if folder is None else str(folder))
        _Study(run, cells, trained, lambda cell: cell.parameters, "error", 0.9).measure()


def language(run: Run) -> None:
    """Train transformers on a text: small cells first, then the large cells, which the law predicted."""
    recipe = Recipe(learning_rate=0.008, batch=64, decay=0.3, evaluation_interval=100, precision="bf16")
    sizes = {"context": 256, "heads": 4, "depth": 5, "validation": 16_384}
    widths = (64, 128, 288)  # 0.25M, 1M and 5M parameters without the embeddings
    steps = {131_072: 600, 262_144: 800, 524_288: 1000, 1_048_576: 1200, 4_194_304: 2000}
    if run.rehearse:
        recipe = replace(recipe, batch=8, precision="input", warmup=5)
        sizes = {"context": 16, "heads": 2, "depth": 1, "passage": 64, "validation": 128, "test": 512}
        widths, steps = (4, 8, 16), {256: 20, 512: 20, 1024: 20, 4096: 30}
    with tempfile.TemporaryDirectory() as place:
        corpus = _corpus(run, Path(place))
        cells = [
            LanguageCell(corpus, "transformer", width, n, 0, steps=steps[n], recipe=recipe, **sizes)
            for width in widths
            for n in steps
        ]
        _Study(run, cells, train_language_cells, _non_embedding, "loss", math.log(256)).measure()


@dataclass
class _Study:
    """A grid of cells whose small cells predict the large cells.

    Small cells are those below the largest width and the largest n.

    Attributes
    ----------
    run
        The part's run.
    cells
        All cells.
    trained
        Function that trains cells at once and returns their results.
    size
        Function that returns a cell's number of parameters m.
    name, eps0
        Name of the error in the results, and the error of a random guess.
    rows
        The finished cells, as rows of the file.
    """

    run: Run
    cells: list[Any]
    trained: Callable[[list[Any]], list[Any]]
    size: Callable[[Any], int]
    name: str
    eps0: float
    rows: list[dict[str, Any]] = field(default_factory=list)

    def measure(self) -> None:
        """Train the small cells, fit the law, write its predictions, train the large cells, and compare."""
        largest_m, largest_n = max(map(self.size, self.cells)), max(cell.n for cell in self.cells)
        small = [cell for cell in self.cells if self.size(cell) < largest_m and cell.n < largest_n]
        large = [cell for cell in self.cells if cell not in small]
        first, then = self._batches(small), self._batches(large)
        plans, share = self._plans([*first, *then])
        self.run.put("share of the planned steps", share)
        for plan in plans[: len(first)]:
            self._train(plan, fitted=True)
        law = self._predicted(large)
        for plan in plans[len(first) :]:
            self._train(plan, fitted=False)
        fitted = np.array([row["fitted"] for row in self._usable()])
        if law is None or fitted.all() or not fitted.any():
            return
        for part_name, part in judge(law, self._column(self.name), fitted, **self._sizes()).parts.items():
            figures = {
                "cells": len(part),
                "divergence_mean": float(part.divergence_mean),
                "divergence_std": float(part.divergence_std),
                "runs_in_90%_interval": float(part.coverage),
            }
            self.run.put(part_name, figures)

    def _batches(self, cells: list[Any]) -> list[list[Any]]:
        """Return the cells in batches that can be trained at once: one batch for each width."""
        widths = sorted({cell.width for cell in cells})
        return [[cell for cell in cells if cell.width == width] for width in widths]

    def _plans(self, batches: list[list[Any]]) -> tuple[list[list[list[Any]]], float]:
        """Return each batch as one batch or in single cells, whichever is faster, and the share of the steps.

        A few steps of each batch are timed first.  The share is 1, or the largest power of 1/2 with which
        all batches end in the time that is left.
        """
        self.trained([replace(batches[0][0], steps=1)])  # what happens once, such as reading the data
        plans, expected, alone = [], 0.0, {}
        for batch in batches:
            width = batch[0].width
            if width not in alone:
                alone[width] = self._step_seconds(batch[:1])
            at_once = self._step_seconds(batch) * max(cell.steps for cell in batch)
            in_turn = alone[width] * sum(cell.steps for cell in batch)
            plans.append([batch] if at_once <= in_turn else [[cell] for cell in batch])
            expected += min(at_once, in_turn)
        share = 1.0
        while share > 1 / 64 and share * expected > 0.75 * self.run.deadline.left:
            share /= 2
        return [[[_shorter(cell, share) for cell in batch] for batch in plan] for plan in plans], share

    def _step_seconds(self, cells: list[Any]) -> float:
        """Return the time of a step of cells that are trained at once; it does not depend on n."""
        fewest = min(cell.n for cell in self.cells)
        ends = []
        for steps in TIMED_STEPS:
            start = time.perf_counter()
            self.trained([replace(cell, n=fewest, steps=steps) for cell in cells])
            ends.append(time.perf_counter() - start)
        return max(ends[1] - ends[0], 0.0) / (TIMED_STEPS[1] - TIMED_STEPS[0])

    def _train(self, plan: list[list[Any]], fitted: bool) -> None:
        """Train the batches of a plan and write their rows, as long as time is left."""
        for batch in plan:
            if self.rows and not self.run.deadline.allows(0):
                self.run.skipped.append(f"{len(batch)} cells of width {batch[0].width}")
                continue
            self.rows += [self._row(result, fitted) for result in self.trained(batch)]
            self.run.figures.put(self.run.part, "cells", self.rows)
            left = self.run.deadline.left
            print(f"  {len(self.rows)} of {len(self.cells)} cells, {left:.0f} s left", flush=True)

    def _row(self, result: Any, fitted: bool) -> dict[str, Any]:
        cell, name = result.cell, self.name
        return {
            "width": cell.width, "m": self.size(cell), "n": cell.n, "seed": cell.seed, "steps": cell.steps,
            name: getattr(result, name), f"{name}_se": getattr(result, f"{name}_se"),
            "steps_taken": result.steps_taken, "diverged": result.diverged,
            "seconds": round(result.seconds, 2), "fitted": fitted, "finished": _now(),
        }  # fmt: skip

    def _usable(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if not row["diverged"]]

    def _column(self, name: str) -> np.ndarray:
        return np.array([row[name] for row in self._usable()], dtype=float)

    def _sizes(self) -> dict[str, np.ndarray]:
        return {name: self._column(name) for name in ("n", "m")}

    def _predicted(self, large: list[Any]) -> Any:
        """Fit the law to the rows so far, and write its parameters and its predictions of the large cells."""
        n, m = np.array(sorted({(cell.n, self.size(cell)) for cell in large}), dtype=float).T
        try:
            law = fit(Dense, self._column(self.name), **self._sizes(), fixed={"eps0": self.eps0})
            predicted = law.predict(n=n, m=m).columns()
        except (NoAnswer, ValueError) as error:
            self.run.put("law", f"no fit: {' '.join(str(error).split())}")
            return None
        self.run.put("law", {name: str(interval) for name, interval in law.intervals.items()})
        columns = {"n": n, "m": m, **predicted}
        lists = {name: np.asarray(values).tolist() for name, values in columns.items()}
        self.run.put("predictions", {"written": _now(), **lists})
        return law


def _non_embedding(cell: LanguageCell) -> int:
    return cell.network().non_embedding


def _shorter(cell: Any, share: float) -> Any:
    return replace(cell, steps=max(1, int(share * cell.steps)))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


def _found(run: Run, name: str) -> Path | None:
    """Return the first folder that has the file; --data comes first, see gpu.py."""
    places = [run.data, os.environ.get("ERRSRC_DATA"), ROOT / "data", ROOT.parent / "data"]
    return next((Path(place) for place in places if place and (Path(place) / name).is_file()), None)


def _corpus(run: Run, place: Path) -> str:
    """Return the path of the corpus: the unpacked text, or the Python files of sympy if there is none."""
    unpacked = place / "text.txt"
    folder = None if run.rehearse else _found(run, "text.txt.gz")
    if run.rehearse:
        unpacked.write_text("".join(_small_texts()))
    elif folder is not None:
        unpacked.write_bytes(gzip.decompress((folder / "text.txt.gz").read_bytes()))
    else:
        import sympy

        files = sorted(Path(sympy.__file__).parent.rglob("*.py"))
        joined = b"\n\n".join(file.read_bytes() for file in files)[:SOURCE_BYTES]
        unpacked.write_text(joined.decode(errors="ignore"))
        run.put(
            "corpus", f"the first {SOURCE_BYTES:,} bytes of the Python files of sympy {sympy.__version__}"
        )
        return str(unpacked)
    run.put("corpus", "synthetic" if run.rehearse else "text.txt.gz")
    return str(unpacked)


def _small_texts() -> Iterator[str]:
    """Yield paragraphs of forty words, each of which two words follow."""
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(97, 123, rng.integers(2, 6)))) for _ in range(40)]
    for paragraph in range(60):
        word = 0
        for _ in range(150):
            word = (3 * word + rng.integers(1, 3) + rng.integers(2) * paragraph) % 40
            yield f"{words[word]} "
        yield "\n\n"


def _small_images(folder: Path) -> Path:
    """Write four files in the form of Fashion-MNIST: ten patterns with noise."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 160, (10, 28, 28))
    for part, count in (("train", 400), ("t10k", 100)):
        labels = np.arange(count) % 10
        pixels = (patterns[labels] + rng.integers(0, 96, (count, 28, 28))).astype(np.uint8)
        for name, array in (("images-idx3", pixels), ("labels-idx1", labels.astype(np.uint8))):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes(), 1))
    return folder


# e: Toeplitz products


def toeplitz(run: Run) -> None:
    """Time products with the Toeplitz matrix of a band on one angle, on the device and on the CPU."""
    device, order = _device(run), 500 if run.rehearse else 500_000
    rng = np.random.default_rng(0)
    length = int(fft.next_fast_len(4 * order + 1, real=True))
    density = rng.random(length)
    half = rng.standard_normal(order + 1) + 1j * rng.standard_normal(order + 1)
    half[0] = half[0].real
    there = torch.from_numpy(density).to(device), torch.from_numpy(half).to(device)
    gap = np.abs(product_there(*there).cpu().numpy() - product_here(density, half, 1)).max()
    exact = product_here(density, half, 1)

    def here(threads: int) -> float:
        return 1000 * min(_wall(lambda: product_here(density, half, threads)) for _ in range(5))

    def on_device() -> dict[str, Any]:
        product_there(*there)
        took = min(plain_scripts.seconds(device, lambda: product_there(*there)) for _ in range(10))
        return {
            "functions": 2 * order + 1,
            "ms": 1000 * took,
            "relative_difference": gap / np.abs(exact).max(),
        }

    run.measure("product by torch.fft", 1, on_device)
    run.measure(
        "product on the CPU", 3, lambda: {f"ms_{t}_threads": here(t) for t in (1, os.cpu_count() or 1)}
    )
    if importlib.util.find_spec("cufinufft") is None:
        run.put("non-uniform transform", "cufinufft is not installed")
    elif not run.rehearse:
        run.measure("non-uniform transform", 3, lambda: _nonuniform(order, device))


def product_here(density: np.ndarray, half: np.ndarray, threads: int) -> np.ndarray:
    """Return the product of a function and of the nodes' density, projected on the band.

    This is the product of `errsrc.bases.weighted_gram`.  A real function of degree `order` is stored as its
    coefficients of the frequencies 0 to `order`.

    Parameters
    ----------
    density : ndarray of float64, (length,)
        The density on a grid of at least 4 order + 1 points.
    half : ndarray of complex128, (order + 1,)
        The function.
    threads : int
        Number of threads.
    """
    values = fft.irfft(half, len(density), workers=threads) * density
    return np.asarray(fft.rfft(values, workers=threads)[: len(half)])


def product_there(density: Tensor, half: Tensor) -> Tensor:
    """Return the product of `product_here` on the device of the tensors."""
    return torch.fft.rfft(torch.fft.irfft(half, len(density)) * density)[: len(half)]


def _wall(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def _nonuniform(order: int, device: torch.device) -> dict[str, float]:
    """Time one non-uniform transform of 4 M nodes by cufinufft."""
    import cufinufft

    nodes = 2 * np.pi * torch.rand(8 * order, dtype=torch.float64, device=device)
    values = torch.randn(8 * order, dtype=torch.complex128, device=device)

    def transform() -> None:
        cufinufft.nufft1d1(nodes, values, 2 * order + 1, eps=1e-12)

    transform()
    return {"nodes": len(nodes), "ms": 1000 * min(plain_scripts.seconds(device, transform) for _ in range(5))}
