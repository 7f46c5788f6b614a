"""The learner that is given only a bound on the network's size: how often is it exact?

    python benchmarks/network_selection.py [--teachers 100] [--only PART ...] [--out FILE]

Teachers come from `NetworkTeacher`'s prior: normal inputs, noiseless. The learner is `NetworkSelection`.
Exact means accepted and a relative squared error <= 1e-12: in closed form for quadratic networks, on 2,000
fresh inputs for tanh. Wrong means accepted and not exact. Teachers come in blocks of ten in each cell. Each
block is written as soon as it is finished, and a repeated command goes on where the file ends. There are five
parts.

quadratic    Rank 1 to 4 in d = 20, 32, 64, at 1.5 and 2 times the degrees of freedom, given k <= d.
tanh         4-k-1 with k = 1 to 8 in turn, given k <= 12, at 1.5 P(k), 1.15 P(k) and P(k) + P(12) + 1
             examples; ten times as many teachers in the last case.
starts       Ways of starting: the same quadratic teachers, CPU seconds for each teacher learned, failed
             sizes and teachers included. Each way has its own number of starts, so that the seconds are
             similar.
tanh-starts  The same for tanh teachers of 4, 8 and 16 inputs, given k <= 12.
rank16       Rank 16 in d = 64 at twice the degrees of freedom, given k <= d, 16 starts at each size.

Seconds are CPU seconds of one process with one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import beta

from errsrc.learners import NetworkSelection
from errsrc.nets import MLP, Network, QuadraticNetwork
from errsrc.rng import generator
from errsrc.settings import NetworkTeacher

WRONG, FRESH, BLOCK = 1e-12, 2000, 10
DIMS = (20, 32, 64)


@dataclass(frozen=True)
class Cell:
    """Teachers of one or several sizes, the number of examples, and the learner."""

    part: str
    name: str
    teachers: tuple[Network, ...]
    examples: tuple[int, ...]
    learner: NetworkSelection
    weight_std: float
    share: float = 1.0  # of the teachers that are asked for

    def judged(self, number: int) -> dict[str, float]:
        """Return the counts of one teacher, and the seconds of the fit."""
        kind = number % len(self.teachers)
        network, n = self.teachers[kind], self.examples[kind]
        key = self.name.split(",")[0]  # the ways of starting share teachers and examples
        setting = NetworkTeacher(network, self.weight_std)
        rng = generator(0, "network selection", key, number)
        teacher, x, fresh = setting.teacher(rng), setting.inputs(n, rng), setting.inputs(FRESH, rng)
        begun = time.process_time()
        found = self.learner.fit(x, teacher(x), generator(0, "network selection", "starts", number)).function
        seconds = time.process_time() - begun
        if isinstance(network, QuadraticNetwork):
            error = teacher.relative_error(found) ** 2
        else:
            error = float(np.square(found(fresh) - teacher(fresh)).mean() / teacher(fresh).var())
        wrong, every = found.certified and error > WRONG, found.certificate == "every teacher"
        almost = found.certificate == "almost every teacher"
        return {
            "teachers": 1,
            "accepted": found.certified,
            "exact": found.certified and not wrong,
            "size_right": found.certified and not wrong and found.size == network.size,
            "wrong": wrong,
            "every": every,
            "almost": almost,
            "wrong_every": wrong and every,
            "wrong_almost": wrong and almost,
            "seconds": seconds,
        }


def quadratic_cell(
    part: str, d: int, rank: int, factor: float, share: float = 1.0, **learner: object
) -> Cell:
    network = QuadraticNetwork(d, rank)
    n = math.ceil(factor * network.degrees_of_freedom)
    fitted = NetworkSelection(QuadraticNetwork(d, d), **{"starts": 128, **learner})  # type: ignore[arg-type]
    return Cell(part, f"d={d} rank={rank} n={n} ({factor:g} dof)", (network,), (n,), fitted, 1.0, share)


def tanh_starts() -> Iterator[Cell]:
    """Yield the cells of the ways of starting for tanh networks."""
    for dim, widths, factors, random in (
        (4, (3, 6, 8), (1.15, 1.5), 256),
        (8, (4,), (1.15, 1.5), 256),
        (8, (6,), (1.5,), 256),
        (16, (5,), (1.5,), 96),
    ):
        teachers = tuple(MLP((dim, k, 1), "tanh") for k in widths)
        largest = MLP((dim, 12, 1), "tanh")
        for factor in factors:
            examples = tuple(math.ceil(factor * network.parameters) for network in teachers)
            for way, starts in (("random", random), ("pruned", 64), ("hessian", 64)):
                name = f"{dim}-{' or '.join(map(str, widths))}-1 n={factor:g} P(k), {way}"
                learner = NetworkSelection(largest, starts=starts, together=32, start_from=way)
                yield Cell("tanh-starts", name, teachers, examples, learner, 2.0, 0.2)


def tanh_cell(name: str, examples: tuple[int, ...], share: float = 1.0) -> Cell:
    learner = NetworkSelection(MLP((4, 12, 1), "tanh"), starts=256, together=32)
    teachers = tuple(MLP((4, k, 1), "tanh") for k in range(1, 9))
    return Cell("tanh", name, teachers, examples, learner, 2.0, share)


def cells() -> Iterator[Cell]:
    for d in DIMS:
        for rank in (1, 2, 3, 4):
            for factor in (1.5, 2.0):
                yield quadratic_cell("quadratic", d, rank, factor)
    yield quadratic_cell("rank16", 64, 16, 2.0, 0.1, starts=16)
    parameters = [6 * k + 1 for k in range(1, 9)]
    yield tanh_cell("n=1.5 P(k)", tuple(math.ceil(1.5 * p) for p in parameters))
    yield tanh_cell("n=1.15 P(k)", tuple(max(p + 1, math.ceil(1.15 * p)) for p in parameters))
    yield tanh_cell("n=P(k) + P(12) + 1", tuple(p + 73 + 1 for p in parameters), share=10.0)
    for d, rank, factor in ((20, 1, 1.5), (64, 1, 1.5), (64, 1, 2.0), (32, 3, 1.5)):
        for way, starts in (("spectral", 256), ("random", 1024), ("pruned", 16)):
            cell = quadratic_cell("starts", d, rank, factor, 0.4, starts=starts, start_from=way)
            yield replace(cell, name=f"{cell.name}, {way}")
    yield from tanh_starts()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parts = ("quadratic", "tanh", "starts", "tanh-starts", "rank16")
    parser.add_argument("--teachers", type=int, default=100, help="in each cell")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--dims", nargs="+", type=int, default=DIMS, help="of the first part")
    parser.add_argument("--out", type=Path, help="add the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, dict] = {"machine": {"device": platform.machine(), "torch": torch.__version__}}
    if options.out and options.out.exists():
        figures = json.loads(options.out.read_text())
    asked = [
        cell
        for cell in cells()
        if cell.part in options.only and (cell.part != "quadratic" or cell.teachers[0].inputs in options.dims)
    ]
    largest = math.ceil(options.teachers * max(cell.share for cell in asked))
    for block in range(0, largest, BLOCK):  # all cells in turn, so that an early end leaves none out
        for cell in asked:
            row = figures.setdefault(cell.part, {}).setdefault(cell.name, {})
            most = math.ceil(cell.share * options.teachers)
            numbers = range(row.get("teachers", 0), min(block + BLOCK, most))
            for number in numbers:
                for name, value in cell.judged(number).items():
                    row[name] = row.get(name, 0) + (round(value, 3) if name == "seconds" else int(value))
            if len(numbers) and options.out:
                options.out.write_text(json.dumps(figures, indent=1) + "\n")
    for part in options.only:
        print(part)
        for name, row in figures.get(part, {}).items():
            print(f"  {name}: {shown(row)}")


def shown(row: dict[str, float]) -> str:
    """Return the figures of a cell in words; the share that is exact has a 95% interval (Clopper-Pearson)."""
    k, n = int(row["exact"]), int(row["teachers"])
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    each = f"{row['seconds'] / k:.2g}" if k else "-"
    return (
        f"{k} of {n} exact [{low:.0%}, {high:.0%}], size right {row['size_right']}, "
        f"accepted {row['accepted']} (every {row['every']}), "
        f"wrong {row['wrong']} (every {row['wrong_every']}), "
        f"{row['seconds'] / n:.2g} s each, {each} s for each exact"
    )


if __name__ == "__main__":
    main()
