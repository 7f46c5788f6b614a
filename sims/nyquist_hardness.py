"""The hardness map: where the examples determine a network, but no start of a search finds it.

Claim:    P + 1 noiseless examples tell almost every network of P parameters from all others of its class, and
          2 P + 1 tell every one. Between these and the n at which starts arrive, the search fails, although
          the information suffices. This possibly hard region grows with P and with a second hidden layer.
Command:  python sims/nyquist_hardness.py [--out benchmarks/results/nyquist_hardness.json]
Cost:     5.6 minutes of one core
Outcome:  tanh, 5 teachers, 64 starts for each teacher and each scale 1/2, 1, 2 (205 where none arrives);
          share of all starts that reach the teacher at n = P + 1, 1.25 P, 1.5 P, 2 P + 1, 5 P:
              2-2-1    P = 9   0.58     0.68    0.78    0.83   0.92
              2-4-1    P = 17  0.071    0.093   0.18    0.24   0.27
              4-8-1    P = 49  1/960    0.014   0.039   0.058  0.16
              2-3-3-1  P = 25  1/960    0.0052  0.027   0.028  0.065
              4-4-4-1  P = 45  0/3,075  0.0031  0.015   0.031  0.12
              8-4-4-1  P = 61  0/3,075  0/3,075 1/960   0.018  0.24
          The share is below 1 in 1,024 (95%, rule of three) for 4-4-4-1 at P + 1 and for 8-4-4-1 at P + 1 and
          1.25 P. A share is a mean over teachers that differ: at P + 1 one teacher of 5 is reached with 4-8-1
          and with 2-3-3-1, and one of the 2-3-3-1 teachers is not reached at 5 P either. No start of zero
          training error was wrong from P + 1 on; at 0.8 P all were. Starts of scale 2, the scale of the
          teachers, arrive less often than others (2-3-3-1: as often). Students trained on the same examples
          show no such region: from P + 1 to 5 P their relative error falls from 0.11 to 0.55 down to 0.014 to
          0.24 (medians of 5; CPU, torch 2.13.0, 2026-11-26)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from scipy.stats import binomtest
from torch import Tensor

from errsrc.learners import NetworkStudent, Tuned
from errsrc.learners.levenberg_marquardt import LevenbergMarquardt
from errsrc.learners.network_class import CHECK_EVERY, is_improving, least_squares_problem, polish
from errsrc.learners.recovered_network import ZERO_ERROR
from errsrc.nets import MLP
from errsrc.plots.style import BLUE, GREEN, GREY, PURPLE, STYLE, VERMILION, log
from errsrc.rng import generator
from errsrc.settings import NetworkTeacher
from errsrc.training import Recipe

SIZES = ((2, 2, 1), (2, 4, 1), (4, 8, 1), (2, 3, 3, 1), (4, 4, 4, 1), (8, 4, 4, 1))
WAYS, STARTS, MORE, STEPS = (0.5, 1.0, 2.0), 64, 205, 300  # standard deviations of starts; starts a teacher
TEACHERS, FRESH, WRONG, HARD = 5, 2000, 1e-12, 1 / 1024
LEAST = 2e-4  # where a share of 0 is drawn
RATES, COLOURS = (2e-3, 1e-2), (BLUE, GREEN, PURPLE)


def descend(network: MLP, x: Tensor, y: Tensor, point: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places of the starts (E, P) that come to zero training error, and the points they reach.

    All starts go on to their own end: a start is over when it no longer gets on, as in `NetworkClass`.
    """
    equations = least_squares_problem(network, x, y)
    run, places, arrived = LevenbergMarquardt(*equations, point), torch.arange(len(point)), []
    mark = run.loss
    for step in range(1, STEPS + 1):
        run.step()
        if step % CHECK_EVERY == 0 and len(places):
            zero = run.loss <= ZERO_ERROR
            arrived.append((places[zero], run.point[zero]))
            on = ~zero & is_improving(run.loss, mark)
            run.keep(on)
            places, mark = places[on], run.loss
        if not len(places):
            break
    found, ends = (torch.cat(parts) for parts in zip(*arrived, strict=True))
    return found, polish(*equations, ends) if len(found) else ends


def counted(network: MLP, n: int, number: int, starts: int) -> tuple[np.ndarray, int]:
    """Return how many starts of each way reach a teacher, (ways,), and how many fit but are wrong."""
    x, y, fresh, values = world(network, n, number)
    rng = generator(0, "hardness", "starts", name(network), n, number, starts)
    seeds = rng.integers(2**63, size=(len(WAYS), starts)).tolist()
    drawn = [
        network.draw(own, network.prior_stds(std, 0.5), torch.float64)
        for own, std in zip(seeds, WAYS, strict=True)
    ]
    labels = torch.from_numpy((y - y.mean()) / y.std())[:, None]
    point = torch.cat([network.flatten(weights) for weights in drawn])
    places, ends = descend(network, torch.from_numpy(x), labels, point)
    at = torch.from_numpy(fresh).expand(len(ends), -1, -1)
    off = network(network.unflatten(ends), at)[..., 0].numpy() * y.std() + y.mean() - values
    right = np.square(off).mean(1) <= WRONG * values.var()
    return np.bincount(places.numpy()[right] // starts, minlength=len(WAYS)), int((~right).sum())


def world(network: MLP, n: int, number: int) -> tuple[np.ndarray, ...]:
    """Return a teacher's examples, and its values at fresh inputs."""
    setting, rng = NetworkTeacher(network), generator(0, "hardness", name(network), number)
    teacher, fresh = setting.teacher(rng), setting.inputs(FRESH, rng)
    x = setting.inputs(n, rng)
    return x, teacher(x), fresh, teacher(fresh)


def name(network: MLP) -> str:
    return "-".join(map(str, network.sizes))


def students(network: MLP, sizes: list[int], wider: int) -> np.ndarray:
    """Return the median relative error of trained students at each n, (sizes,)."""
    widths = (wider * width for width in network.sizes[1:-1])
    student = MLP((network.inputs, *widths, 1), "tanh")
    recipes = [Recipe(learning_rate=rate, batch=32, loss="squared") for rate in RATES]
    learner = Tuned(tuple(NetworkStudent(student, recipe, steps=4000) for recipe in recipes))
    worlds = [world(network, n, number) for n in sizes for number in range(TEACHERS)]
    chances = [generator(0, "hardness", "students", wider, place) for place in range(len(worlds))]
    fitted = learner.fit_many([one[0] for one in worlds], [one[1] for one in worlds], chances)
    errors = [
        np.linalg.norm(f(fresh) - values) / np.linalg.norm(values)
        for f, (_, _, fresh, values) in zip(fitted, worlds, strict=True)
    ]
    return np.median(np.reshape(errors, (len(sizes), TEACHERS)), 1)


def measured(network: MLP) -> dict[str, np.ndarray]:
    """Return the figures of an architecture, a row for each n, and print them."""
    p = network.parameters
    sizes = [round(0.8 * p), p + 1, round(1.25 * p), round(1.5 * p), 2 * p + 1, 3 * p, 5 * p]
    errors = [students(network, sizes, wider) for wider in (1, 4)]
    rows = []
    for n, own, wide in zip(sizes, *errors, strict=True):
        starts = STARTS
        found = [counted(network, n, number, starts) for number in range(TEACHERS)]
        if n > p and not any(reached.any() for reached, _ in found):
            starts = MORE  # other starts, enough for a share below 1 in 1,024
            found = [counted(network, n, number, starts) for number in range(TEACHERS)]
        reached = np.sum([one for one, _ in found], 0)
        teachers, wrong = sum(one.any() for one, _ in found), sum(one for _, one in found)
        rows.append((n, TEACHERS * starts, *reached, teachers, wrong, own, wide))
        shares = "".join(f"{count / (TEACHERS * starts):>10.4f}" for count in reached)
        print(f"{name(network):>9}{p:>4}{n:>5}{n / p:>6.2f}{TEACHERS * starts:>7}{shares}", end="")
        print(f"{teachers:>10}{wrong:>7}{own:>11.1e}{wide:>11.1e}", flush=True)
    columns = ("n", "starts", *map(str, WAYS), "teachers", "wrong", "own", "wide")
    return dict(zip(columns, np.array(rows).T, strict=True))


def draw(network: MLP, found: dict[str, np.ndarray], top: Axes, low: Axes) -> None:
    p, starts = network.parameters, found["starts"].astype(int)
    at, told = found["n"] / p, found["n"] > p
    for std, colour in zip(WAYS, COLOURS, strict=True):
        counts = found[str(std)].astype(int)
        exact = [binomtest(k, n).proportion_ci(method="exact") for k, n in zip(counts, starts, strict=True)]
        ends = np.maximum(np.array(exact), LEAST)[told]
        share = np.maximum(counts / starts, LEAST)[told]
        top.plot(at[told], share, "o-", color=colour, markersize=3.5, label=f"starts of scale {std:g}")
        top.fill_between(at[told], *ends.T, color=colour, alpha=0.15, linewidth=0)
    low.plot(at, found["own"], "s-", color=VERMILION, markersize=3.5, label="students of the teacher's shape")
    low.plot(at, found["wide"], "^-", color=GREY, markersize=3.5, label="four times wider")
    share = sum(found[str(std)] for std in WAYS) / (len(WAYS) * starts)
    edges = np.concatenate([at[:1], at[1:2], np.sqrt(at[2:] * at[1:-1]), at[-1:]])  # it begins at P + 1
    hard, some = told & (share < HARD), told & (share >= HARD) & (found["teachers"] < TEACHERS)
    for ax in (top, low):
        log(ax)
        ax.set_xticks((1, 2, 3, 5), ("1", "2", "3", "5"))
        ax.axvline(1 + 1 / p, color="#444444", linestyle=":", linewidth=1, label="P + 1")
        ax.axvline(2 + 1 / p, color="#444444", linestyle="--", linewidth=1, label="2 P + 1")
        for cells, alpha in ((hard, 0.75), (some, 0.22)):
            for a, b in zip(edges[:-1][cells], edges[1:][cells], strict=True):
                ax.axvspan(a, b, color="#F0E442", alpha=alpha, linewidth=0, zorder=0)
    top.set(title=f"{name(network)}, P = {p}", ylim=(LEAST * 0.8, 1.2))
    top.set_yticks((LEAST, 0.001, 0.01, 0.1, 1), ("0", "0.001", "0.01", "0.1", "1"))
    low.set(xlabel="n / P")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    figures = {}
    torch.set_num_threads(1)
    scales = "".join(f"{f'scale {std:g}':>10}" for std in WAYS)
    print(f"{'network':>9}{'P':>4}{'n':>5}{'n / P':>6}{'starts':>7}{scales}", end="")
    print(f"{'teachers':>10}{'wrong':>7}{'students':>11}{'4x wider':>11}")
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(
            2, len(SIZES), figsize=(15, 6), sharex="col", sharey="row", layout="constrained"
        )
        for sizes, (top, low) in zip(SIZES, axes.T, strict=True):
            network = MLP(sizes, "tanh")
            found = measured(network)
            draw(network, found, top, low)
            figures[name(network)] = {"P": network.parameters} | {k: v.tolist() for k, v in found.items()}
        axes[0, 0].set(ylabel="share of starts that arrive")
        axes[1, 0].set(ylabel="relative error")
        lines: dict[str, Artist] = {}
        for ax in axes[:, 0]:
            handles, labels = ax.get_legend_handles_labels()
            lines |= dict(zip(labels, handles, strict=True))
        lines["possibly hard: share below 1 / 1,024"] = Patch(color="#F0E442", alpha=0.75)
        lines["some teachers not reached"] = Patch(color="#F0E442", alpha=0.22)
        fig.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=5)
        fig.savefig(Path(__file__).with_suffix(".png"), dpi=150)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
