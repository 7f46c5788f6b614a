"""The learner that is given the network's class: how often is it exact, how fast, and what raises the share?

    python benchmarks/network_class.py [--teachers 100] [--only exact speed ways] [--out FILE.json]

Teachers come from `NetworkTeacher`'s prior: tanh, normal inputs, noiseless. Zero training error means a
relative squared training error <= 1e-24. Wrong means a relative squared error > 1e-12 on 2,000 fresh inputs.
There are three parts; each row is written as soon as it is finished.

exact   For each architecture and n: teachers learned exactly, starts and core-seconds for each teacher,
functions of
        zero training error that are wrong, and functions off by more than their bound.
speed   Steps a second of starts together and one by one, in turns, on labels that no start can reach. ways
Seconds for each teacher learned, of several ways to start and to descend, compared with plain restarts in the
        same loop, 32 starts a round. A way is stopped after the seconds of its row; these seconds count.

Core-seconds are the time of one process with one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from errsrc.learners import NetworkClass
from errsrc.learners.levenberg_marquardt import LevenbergMarquardt, by_normal_equations
from errsrc.learners.network_class import CHECK_EVERY, is_improving, least_squares_problem
from errsrc.learners.recovered_network import ZERO_ERROR
from errsrc.nets import MLP
from errsrc.rng import generator
from errsrc.settings import NetworkTeacher

WRONG, FRESH = 1e-12, 2000
SMALL, WIDE, DEEP = (MLP(sizes, "tanh") for sizes in ((2, 4, 1), (4, 8, 1), (8, 4, 4, 1)))
CASES = ((SMALL, 18, 1024), (SMALL, 26, 1024), (SMALL, 35, 1024), (WIDE, 74, 1024), (DEEP, 92, 4096))
"""Architecture, n, the most starts: n = P + 1, 1.5 P and 2P + 1 of P = 17; 1.5 P of P = 49 and 61."""
TOGETHER = 32
WAYS_AT = ((SMALL, 18, 3.0), (WIDE, 74, 4.0), (DEEP, 92, 8.0))
"""Architecture, n, the most seconds a teacher."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--teachers", type=int, default=100, help="a row of the first part")
    parser.add_argument("--few", type=int, default=12, help="teachers a row of the third part")
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    parser.add_argument("--cases", nargs="+", type=int, default=range(len(CASES)), help="of the first part")
    parser.add_argument("--at", nargs="+", type=int, default=range(len(WAYS_AT)), help="of the third part")
    parser.add_argument("--workers", type=int, default=1, help="processes of the first part")
    parser.add_argument("--out", type=Path, help="add the figures to this JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = {"machine": {"device": platform.machine(), "torch": torch.__version__}}
    if options.out and options.out.exists():
        figures = json.loads(options.out.read_text())
    for part in options.only:
        print(part, flush=True)
        for key, row in PARTS[part](options):
            print(
                f"  {key}: " + ", ".join(f"{name} {shown(value)}" for name, value in row.items()), flush=True
            )
            figures.setdefault(part, {})[key] = row
            if options.out:
                options.out.write_text(json.dumps(figures, indent=1) + "\n")


def shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def name_of(network: MLP) -> str:
    return "-".join(map(str, network.sizes))


@dataclass(frozen=True)
class World:
    """A teacher's examples, and its values at fresh inputs."""

    x: np.ndarray
    y: np.ndarray
    fresh: np.ndarray
    values: np.ndarray

    @classmethod
    def draw(cls, network: MLP, n: int, number: int) -> World:
        """Return that of a teacher's number."""
        setting, rng = NetworkTeacher(network), generator(0, "network class", name_of(network), number)
        teacher, fresh = setting.teacher(rng), setting.inputs(FRESH, rng)
        x = setting.inputs(n, rng)
        return cls(x, teacher(x), fresh, teacher(fresh))

    def error(self, values: np.ndarray) -> float:
        """Return the relative squared error of values at the fresh inputs."""
        return float(np.square(values - self.values).mean() / self.values.var())


def judged(network: MLP, n: int, starts: int, number: int) -> tuple[float, ...]:
    """Return whether exact, zero but wrong, zero but beyond its bound; starts, seconds, condition."""
    torch.set_num_threads(1)
    world = World.draw(network, n, number)
    begun = time.process_time()
    learner = NetworkClass(network, starts=starts, together=TOGETHER)
    f = learner.fit(world.x, world.y, generator(0, "network class", "starts", number))
    seconds = time.process_time() - begun
    zero, error = f.function.training_error <= ZERO_ERROR, world.error(f(world.fresh))
    off = bool((np.abs(f(world.fresh) - world.values) > f.function.error_bound(world.fresh)).any())
    right = error <= WRONG
    return (
        zero and right,
        zero and not right,
        zero and off,
        f.function.starts_begun,
        seconds,
        f.function.condition,
    )


def exact(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    # Ctrl-C ends the pool at once: this process raises KeyboardInterrupt, and terminates its workers.
    with Pool(options.workers, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        for network, n, starts in (CASES[i] for i in options.cases):
            rows = []
            for row in pool.imap(partial(judged, network, n, starts), range(options.teachers)):
                rows.append(row)
                good, wrong, beyond, tried, taken, condition = np.array(rows, dtype=float).T
                yield (
                    f"{name_of(network)} n={n}",
                    {
                        "parameters": network.parameters,
                        "teachers": len(rows),
                        "exact": int(good.sum()),
                        "zero_but_wrong": int(wrong.sum()),
                        "off_by_more_than_bound": int(beyond.sum()),
                        "share_of_starts": float(good.sum() / tried.sum()),
                        "median_starts": float(np.median(tried)),
                        "most_starts": starts,
                        "median_seconds": float(np.median(taken)),
                        "mean_seconds": float(taken.mean()),
                        "most_seconds": float(taken.max()),
                        "median_condition": float(np.median(condition)),
                    },
                )


def speed(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """50 steps of each start, few of which are over sooner."""
    for network, n, _ in WAYS_AT:
        rng = generator(0, "network class", "speed")
        x, y = rng.standard_normal((n, network.inputs)), rng.standard_normal(n)
        rounds = []
        for _ in range(3):
            for together, starts in ((1, 32), (32, 128), (128, 512)):
                learner = NetworkClass(network, starts=starts, steps=50, together=together)
                begun = time.process_time()
                learner.fit(x, y, generator(0, "network class", "speed", "starts"))
                rounds.append(starts / (time.process_time() - begun))
        alone, some, many = (float(v) for v in np.median(np.reshape(rounds, (3, 3)), 0))
        row = {"alone": alone, "32_together": some, "128_together": many, "ratio_at_32": some / alone}
        yield f"{name_of(network)} n={n}, starts a second", row


def ways(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    for network, n, most in (WAYS_AT[i] for i in options.at):
        plain = math.nan
        for name, way in WAYS.items():
            arrived, taken = 0, 0.0
            for number in range(options.few):
                world = World.draw(network, n, number)
                race = Race(network, world, generator(1, "network class", "starts", number), most)
                while not race.over:
                    way(race)
                arrived += race.arrived
                taken += race.seconds
            each = taken / arrived if arrived else math.inf
            plain = each if name == "restarts" else plain
            row = {
                "teachers": options.few,
                "learned": arrived,
                "seconds_each": each,
                "times_plain": each / plain,
            }
            yield f"{name_of(network)} n={n}, {name}", row


class Race:
    """Rounds of starts on one teacher's examples, in standard units, until one arrives or time is up."""

    def __init__(self, network: MLP, world: World, rng: np.random.Generator, most: float) -> None:
        self.network, self.rng, self.most = network, rng, most
        self.x = torch.from_numpy(world.x)
        self.y = torch.from_numpy((world.y - world.y.mean()) / world.y.std())[:, None]
        self.arrived, self.begun = False, time.process_time()
        self.best: tuple[Tensor, Tensor] | None = None  # of each place: points and losses

    @property
    def seconds(self) -> float:
        """Core-seconds since the start."""
        return time.process_time() - self.begun

    @property
    def over(self) -> bool:
        """Whether a start arrived or time is up."""
        return self.arrived or self.seconds > self.most

    def drawn(self, network: MLP | None = None, weight_std: float = 1.0) -> Tensor:
        """Return a round's starts, (TOGETHER, P)."""
        network = network or self.network
        seeds = [int(seed) for seed in self.rng.integers(2**63, size=TOGETHER)]
        return network.flatten(network.draw(seeds, network.prior_stds(weight_std, 0.5), torch.float64))

    def descend(
        self,
        point: Tensor,
        *,
        network: MLP | None = None,
        n: int | None = None,
        steps: int = 3000,
        patient: bool = False,
        kind: type[LevenbergMarquardt] = LevenbergMarquardt,
    ) -> tuple[Tensor, Tensor]:
        """Return where starts end, (E, P), and their losses; each is over when it no longer gets on."""
        net, x, y = network or self.network, self.x[:n], self.y[:n]
        whole = net == self.network and n is None
        run = kind(*least_squares_problem(net, x, y), point)
        ends, losses, places = point.clone(), run.loss.clone(), torch.arange(len(point))
        mark = run.loss
        for step in range(1, steps + 1):
            run.step()
            ends[places], losses[places] = run.point, run.loss
            if whole and (run.loss <= ZERO_ERROR).any():
                self.arrived = True
            if self.over:
                break
            if step % CHECK_EVERY == 0 and not patient:
                on = is_improving(run.loss, mark) & (run.loss > ZERO_ERROR)
                if not on.any():
                    break
                run.keep(on)
                places, mark = places[on], run.loss
        return ends, losses


def another_unit(race: Race) -> None:
    """Each place's best point with the weights of one hidden unit drawn anew."""
    fresh = race.drawn()
    if race.best is None:
        race.best = race.descend(fresh)
        return
    point, loss = race.best
    old = [w.clone() for w in race.network.unflatten(point.clone())]
    new = race.network.unflatten(fresh)
    widths = race.network.sizes[1:-1]
    for member in range(TOGETHER):
        layer = int(race.rng.integers(len(widths)))
        unit = int(race.rng.integers(widths[layer]))
        for place, index in ((2 * layer, unit), (2 * layer + 1, unit), (2 * layer + 2, (slice(None), unit))):
            old[place][member][index] = new[place][member][index]
    ends, losses = race.descend(race.network.flatten(tuple(old)))
    better = losses < loss
    race.best = torch.where(better[:, None], ends, point), torch.where(better, losses, loss)


def wider(race: Race) -> None:
    """Half as many units again in each hidden layer; those that move the outputs least are dropped."""
    sizes = race.network.sizes
    more = (sizes[0], *(width + width // 2 for width in sizes[1:-1]), sizes[-1])
    network = MLP(more, "tanh")
    ends, _ = race.descend(race.drawn(network), network=network, steps=60)
    weights = list(network.unflatten(ends))
    h = race.x.expand(TOGETHER, -1, -1)
    for layer, width in enumerate(sizes[1:-1]):
        inner, bias, outer = weights[2 * layer : 2 * layer + 3]
        values = torch.tanh(torch.baddbmm(bias.unsqueeze(1), h, inner.mT))
        kept = (values.std(1) * outer.norm(dim=1)).argsort(1, descending=True)[:, :width]
        dropped = values.mean(1, keepdim=True)  # the mean of those dropped goes to the next bias
        weights[2 * layer + 3] = weights[2 * layer + 3] + (outer @ dropped.mT)[..., 0]
        weights[2 * layer] = inner.gather(1, kept.unsqueeze(2).expand(-1, -1, inner.shape[2]))
        weights[2 * layer + 1] = bias.gather(1, kept)
        weights[2 * layer + 2] = outer.gather(2, kept.unsqueeze(1).expand(-1, outer.shape[1], -1))
        h = values.gather(2, kept.unsqueeze(1).expand(-1, values.shape[1], -1))
        stays = (weights[2 * layer + 2] @ h.mean(1, keepdim=True).mT)[..., 0]
        weights[2 * layer + 3] = weights[2 * layer + 3] - stays
    if not race.over:
        race.descend(race.network.flatten(tuple(weights)))


def growing(race: Race) -> None:
    """First on half the examples, for 30 steps."""
    half, _ = race.descend(race.drawn(), n=len(race.x) // 2, steps=30)
    if not race.over:
        race.descend(half)


class Projected(LevenbergMarquardt):
    """Variable projection: the last layer is always the least-squares one (Golub & Pereyra 1973).

    Its columns are projected out of the Jacobian (Kaufman 1975), so that steps of the others predict how it
    follows.
    """

    last: int

    def _proposed(self, penalty: Tensor) -> tuple[Tensor, Tensor]:
        size = self._j.shape[2] - self.last
        q = torch.linalg.qr(self._j[:, :, size:])[0]
        j = self._j[:, :, :size] - q @ (q.mT @ self._j[:, :, :size])
        move, predicted = by_normal_equations(j, self._r, penalty)
        return self._settled(torch.cat([self.point[:, :size] + move, self.point[:, size:]], 1)), predicted

    def _settled(self, point: Tensor) -> Tensor:
        """Return the points with the last layer of least squares."""
        size = point.shape[1] - self.last
        columns = self._jacobian(point)[:, :, size:]
        q, r = torch.linalg.qr(columns)
        off = torch.linalg.solve_triangular(r, q.mT @ self._residuals(point).unsqueeze(2), upper=True)[..., 0]
        return torch.cat([point[:, :size], point[:, size:] + off], 1)


def projected(race: Race) -> None:
    kind = type("Kind", (Projected,), {"last": race.network.sizes[-2] + 1})
    race.descend(race.drawn(), kind=kind)


WAYS: dict[str, Callable[[Race], object]] = {
    "restarts": lambda race: race.descend(race.drawn()),
    "of the teachers' scale, 2": lambda race: race.descend(race.drawn(weight_std=2.0)),
    "of scale 1/2": lambda race: race.descend(race.drawn(weight_std=0.5)),
    "300 steps each": lambda race: race.descend(race.drawn(), steps=300, patient=True),
    "variable projection": projected,
    "one unit drawn anew": another_unit,
    "wider, then pruned": wider,
    "half the examples first": growing,
}
PARTS = {"exact": exact, "speed": speed, "ways": ways}

if __name__ == "__main__":
    main()
