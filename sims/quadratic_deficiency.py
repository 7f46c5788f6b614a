"""The deficiency of trained quadratic networks, next to the smallest possible risk of any learner.

Question: How far are trained networks from the lower error limit, where this limit is known?
Command:  python sims/quadratic_deficiency.py [--size small] [--noises 0] --out FILE.json [--figure FILE.png]
Cost:     small (d = 20): 5 minutes of one core. middle adds d = 50 with m = 5: 2 minutes without noise, and
          more with noise. full adds d = 50 with m = 25, and d = 100, which was not run; it is meant for
          hours. A run goes on where FILE.json ends
Setting:  teachers are quadratic networks of width m = kappa d, drawn from N(0, 1); inputs are standard
          normal. Means over 4 teachers. Two lines in the figure mark numbers of examples n: the degrees of
          freedom m d - m (m - 1) / 2, and the number of products d (d + 1) / 2, from which on least squares
          is exact
Learners: quadratic networks of width m, 2 m and 4 m, trained on all n examples without validation by gradient
          descent (all examples in each step), Adam (64 examples) and L-BFGS; least squares in the products
          x_i x_j, of minimum norm; network-selection, which knows that the width is at most 2 m (only
          without noise, and above the degrees of freedom, because below it can accept no network of width m);
          and message passing, which knows the width, the prior and the noise
Limit:    errsrc.theory.quadratic_networks, exact for large d. At d = 20 the smallest possible risk is larger.
          It is at most the risk of message passing
Outcome:  d = 20, m = 10. Without noise, networks of width m have 1.8 to 2.4 times the risk of message
          passing at n = 78, half of the degrees of freedom. Between the two lines, L-BFGS at width m
          finds the teachers; gradient descent and Adam do not in 2,000 steps. With noise variance 0.01
          and n = 156, networks of width m have 1.9 to 5.2 times this risk. At n = 420, L-BFGS and
          gradient descent have 1.00 times this risk at width m, L-BFGS 1.16 times at width 4 m, and Adam
          2.40 times at width m. d = 50, m = 5: the width matters more. Without noise and at n = 419
          (1.7 times the degrees of freedom), L-BFGS at width m finds the teachers; at width 4 m its risk is
          0.25 of the variance. With noise variance 0.25 and n = 5,100, networks of width m have 1.00 to 1.01
          times the risk of message passing, networks of width 4 m 3.4 to 4.2 times. d = 50, m = 25, without
          noise: networks of width m have 2.1 to 2.2 times this risk at n = 475; gradient descent and Adam
          are not exact at n = 1,275, where least squares is (CPU, torch 2.13)
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from errsrc.errors import Diverged
from errsrc.learners import Learner, NetworkSelection, NetworkStudent, QuadraticMessagePassing
from errsrc.nets import QuadraticNetwork, quadratic_form
from errsrc.rng import generator
from errsrc.settings import Clean, Gaussian, NetworkTeacher
from errsrc.theory import quadratic_networks
from errsrc.training import Recipe

SIZES = {
    "tiny": [(8, 0.5)],
    "small": [(20, 0.5), (20, 0.1)],
    "middle": [(20, 0.5), (20, 0.1), (50, 0.1)],
    "full": [(20, 0.5), (20, 0.1), (50, 0.1), (50, 0.5), (100, 0.1)],
}
NOISES, TEACHERS, WIDTHS = (0.0, 0.01, 0.25), 4, (1, 2, 4)
STEPS = {"gradient descent": 2000, "adam": 2000, "lbfgs": 300}
STARTS, LARGEST_CLASS = (
    16,
    1250,
)  # of network-selection: starts of each size, and weights of the largest network


def sizes(freedom: int, products: int, noise: float) -> list[int]:
    """Return 8 numbers of examples, below, between and above `freedom` and `products`."""
    step = (products / freedom) ** (1 / 3)
    between = [freedom + 1, freedom * step, freedom * step**2, products]
    few = [freedom / 4, freedom / 2, freedom * 3 / 4] if not noise else [freedom / 2]
    many = [1.25 * products] if not noise else [1.5 * products, 2 * products, 4 * products]
    return [round(n) for n in (*few, *between, *many)]


def students(network: QuadraticNetwork, n: int) -> dict[str, Learner]:
    """Return the trained networks."""
    found: dict[str, Learner] = {}
    for times in WIDTHS:
        width = times * network.width
        common = {"loss": "squared", "average": 0.0, "patience": 1e9}
        recipes = {
            # the largest curvature of the loss falls as 1 / width
            "gradient descent": Recipe(
                "sgd", learning_rate=0.1 * width, momentum=0.0, batch=n, warmup=0, **common
            ),
            "adam": Recipe("adam", learning_rate=0.02, batch=min(n, 64), decay=1.0, **common),
            "lbfgs": Recipe("lbfgs", loss="squared"),
        }
        for name, recipe in recipes.items():
            found[f"{name}, {times} m"] = NetworkStudent(
                QuadraticNetwork(network.dim, width),
                recipe,
                steps=STEPS[name],
                validation=0.0,
                precision="float64",
            )
    return found


def informed(network: QuadraticNetwork, noise: float, n: int) -> dict[str, Learner]:
    """Return the learners that are given more than examples."""
    found: dict[str, Learner] = {"message passing": QuadraticMessagePassing(network, noise)}
    largest = network.of_size(min(2 * network.width, network.dim))
    if not noise and n > network.degrees_of_freedom and largest.parameters <= LARGEST_CLASS:
        found["network-selection"] = NetworkSelection(largest, starts=STARTS)
    return found


def least_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the matrix of the quadratic form of minimum norm that fits the labels best."""
    d = x.shape[1]
    i, j = np.triu_indices(d)
    scale = np.where(i == j, 1.0, math.sqrt(2)) / math.sqrt(d)
    coordinates = np.linalg.lstsq((x[:, i] * x[:, j] - (i == j)) * scale, y, rcond=None)[0]
    form = np.zeros((d, d))
    form[i, j] = form[j, i] = coordinates * np.where(i == j, 1.0, math.sqrt(0.5))
    return form


def measure(
    network: QuadraticNetwork, noise: float, n: int, row: dict[str, Any], save: Callable[[], None]
) -> None:
    """Add the risks of the learners that a row lacks, and save after each; the row is a cell of the study."""
    channel = Gaussian(math.sqrt(noise)) if noise else Clean()
    setting = NetworkTeacher(network, 1.0, channel=channel)
    path = f"{network.dim} {network.width} {noise:g} {n}"
    rngs = [generator(0, "quadratic deficiency", path, k) for k in range(TEACHERS)]
    teachers = [setting.teacher(rng) for rng in rngs]
    xs = [setting.inputs(n, rng) for rng in rngs]
    ys = [channel.label(teacher(x), rng) for teacher, x, rng in zip(teachers, xs, rngs, strict=True)]
    found = row.setdefault("learners", {})
    if "least squares" not in found:
        forms = [least_squares(x, y) for x, y in zip(xs, ys, strict=True)]
        truth = [quadratic_form(teacher).numpy() for teacher in teachers]
        found["least squares"] = {
            "risk": rounded(
                2 * ((a - b) ** 2).sum() / network.dim for a, b in zip(forms, truth, strict=True)
            ),
            "training": rounded(
                left(lambda x, s=s: values(s, x), x, y) for s, x, y in zip(forms, xs, ys, strict=True)
            ),
        }
    for name, learner in (informed(network, noise, n) | students(network, n)).items():
        if name in found:
            continue
        begun = time.process_time()
        own = [generator(0, "quadratic deficiency", path, name, k) for k in range(TEACHERS)]
        try:
            fits = learner.fit_many(xs, ys, own)
        except Diverged as error:
            fits = error.best
        found[name] = {
            "risk": rounded(
                teacher.squared_distance(fit.function) for teacher, fit in zip(teachers, fits, strict=True)
            ),
            "training": rounded(left(fit, x, y) for fit, x, y in zip(fits, xs, ys, strict=True)),
            "diverged": sum(fit.diverged for fit in fits),
            "seconds": round(time.process_time() - begun, 1),
        }
        if name == "message passing":
            found[name]["converged"] = sum(fit.function.converged for fit in fits)
        if name == "network-selection":
            found[name]["accepted"] = sum(fit.function.certified for fit in fits)
        save()


def values(form: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the values of a quadratic form of mean 0."""
    return ((x @ form * x).sum(1) - np.trace(form)) / math.sqrt(len(form))


def rounded(numbers: Iterable[float]) -> list[float]:
    """Return numbers with five significant digits."""
    return [float(f"{number:.5g}") for number in numbers]


def left(fit: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Return the training risk that the optimiser left: the mean squared residual."""
    return float(((fit(x) - y) ** 2).mean())


def run(size: str, noises: Sequence[float], out: Path | None) -> dict[str, Any]:
    """Return the rows of all cells, and of those already in the file; write them after each learner."""
    rows: dict[str, Any] = json.loads(out.read_text()) if out and out.exists() else {}

    def save() -> None:
        if out:
            out.write_text(json.dumps(rows, indent=1) + "\n")

    for noise in noises:
        for dim, kappa in SIZES[size]:
            network = QuadraticNetwork(dim, round(kappa * dim))
            freedom, products = network.degrees_of_freedom, dim * (dim + 1) // 2
            for n in sizes(freedom, products, noise):
                key = f"d={dim} kappa={kappa:g} noise={noise:g} n={n}"
                row = rows.setdefault(
                    key,
                    {
                        "dim": dim,
                        "width": network.width,
                        "noise": noise,
                        "n": n,
                        "freedom": freedom,
                        "products": products,
                        "variance": 2 * (dim + network.width + 1) / network.width,
                        "limit": float(quadratic_networks(n, dim, network.width, noise=noise)),
                    },
                )
                measure(network, noise, n, row, save)
                print(key, said(row), flush=True)
    return rows


def said(row: dict[str, Any]) -> str:
    """Return mean risks, in units of the variance of the teachers, with training risks in brackets."""
    parts = [f"limit {row['limit'] / row['variance']:.2g}"]
    for name, each in row["learners"].items():
        parts.append(
            f"{name} {np.mean(each['risk']) / row['variance']:.2g} [{np.median(each['training']):.0e}]"
        )
    return ", ".join(parts)


STYLES = {
    "least squares": ("least squares in the products", "tab:gray", "-", "s"),
    "gradient descent, 1 m": ("gradient descent, width m", "tab:orange", "-", "o"),
    "adam, 1 m": ("Adam, width m", "tab:green", "-", "o"),
    "lbfgs, 1 m": ("L-BFGS, width m", "tab:blue", "-", "o"),
    "lbfgs, 4 m": ("L-BFGS, width 4 m", "tab:blue", ":", "o"),
    "network-selection": ("network-selection", "tab:purple", "-", "^"),
    "message passing": ("message passing", "tab:red", "-", "D"),
}
FLOOR = 1e-7  # smaller risks are drawn here


def draw(rows: dict[str, Any], path: Path) -> None:
    """Draw the risks over n: a row of panels for each d and kappa, a column for each noise."""
    kinds = list(dict.fromkeys((row["dim"], row["width"]) for row in rows.values()))
    figure, axes = plt.subplots(
        len(kinds), len(NOISES), figsize=(12, 3.6 * len(kinds)), squeeze=False, layout="constrained"
    )
    for axis, (kind, noise) in zip(
        axes.flat, ((kind, noise) for kind in kinds for noise in NOISES), strict=True
    ):
        cells = [row for row in rows.values() if (row["dim"], row["width"]) == kind and row["noise"] == noise]
        if cells:
            panel(axis, cells)
        else:
            axis.set_axis_off()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def panel(axis: Any, cells: list[dict[str, Any]]) -> None:
    """Draw the risks of one setting over n."""
    first = cells[0]
    freedom, products, variance = first["freedom"], first["products"], first["variance"]
    for name, (label, colour, line, marker) in STYLES.items():
        points = [
            (row["n"], np.mean(row["learners"][name]["risk"])) for row in cells if name in row["learners"]
        ]
        if points:
            n, risk = np.array(points).T
            axis.plot(
                n, np.maximum(risk / variance, FLOOR), color=colour, ls=line, marker=marker, ms=4, label=label
            )
    n = np.geomspace(cells[0]["n"], cells[-1]["n"], 200)
    limit = quadratic_networks(n, first["dim"], first["width"], noise=first["noise"]) / variance
    axis.plot(
        n, np.maximum(limit, FLOOR / 2), color="black", lw=2, label="smallest possible risk, for large d"
    )
    for at, text in ((freedom, "degrees of freedom"), (products, "products")):
        axis.axvline(at, color="black", lw=0.7, ls="--")
        place = {"rotation": 90, "ha": "right", "va": "bottom", "fontsize": 8}
        axis.text(at, 0.02, text, transform=axis.get_xaxis_transform(), **place)
    noise = f"noise variance {first['noise']:g}" if first["noise"] else "noiseless"
    axis.set(
        xscale="log",
        yscale="log",
        title=f"d = {first['dim']}, m = {first['width']}, {noise}",
        xlabel="training examples n",
        ylabel="excess risk / variance of the teacher",
    )
    smallest, largest = cells[0]["n"], cells[-1]["n"]
    ticks = [smallest, freedom, products]
    if math.log(largest / products) > 0.15 * math.log(largest / smallest):  # otherwise the labels overlap
        ticks.append(largest)
    axis.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axis.minorticks_off()
    axis.set_ylim(None if first["noise"] else FLOOR / 1.5, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--noises", type=float, nargs="+", default=NOISES, help="noise variances to compute")
    parser.add_argument("--out", type=Path, help="write the rows to this JSON file, and go on from it")
    parser.add_argument("--figure", type=Path, help="draw the risks to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = run(options.size, options.noises, options.out)
    if options.figure:
        draw(rows, options.figure)


if __name__ == "__main__":
    main()
