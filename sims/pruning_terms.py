"""The price of pruning: realizability, and the deficiency of the mask and of the weights.

Question: If a network is pruned on n examples, how much of its risk is due to the density, how much to the
          choice of the mask, and how much to the values of the remaining weights?
Command:  python sims/pruning_terms.py --out FILE.json [--size small] [--figure FILE.png]
Cost:     small: 2 minutes of one core. full: 9 minutes. A run goes on where FILE.json ends
Setting:  NetworkTeacher(domain="fashion-mnist", components=20): the inputs are the first 20 principal
          components of Fashion-MNIST. The teachers are tanh networks 20-16-1 drawn from the prior (P = 353;
          336 weights may be pruned), 5 draws. The labels have no noise, or noise of standard deviation
          0.5. Risks are mean squared differences from the teacher on the 10,000 test images, so that the
          noise is not in them, in units of the teacher's variance. Intervals are 95% t intervals of
          the mean over teachers
Learners: tanh networks 20-16-1 and 20-32-1, trained by Adam on n = 1,412 (4 P) or 8,000 examples. Each of 12
          rounds removes 20% of the remaining weights and trains the others again from their initial values.
          A fifth of the examples is held out and chooses the step
Class:    all networks of the student's architecture that keep at most d times its prunable weights
Terms:    realizability: the risk of the best network of the class that was found with all 60,000 images and
          noiseless labels. The candidates are prunings on all images (six that rewind to their initial
          weights, one that does not, and one that starts from the teacher), the refits below, random masks,
          and the candidates of smaller classes. The loss on the 60,000 images chooses, not the test images
          mask: the risk of the student's mask, refitted on all 60,000 images from the student's weights and
          from two random starts (chosen by the same loss), minus realizability
          weights: the risk of the student minus the risk of its refitted mask
Biases:   No search finds the best mask, and no training the best weights. Realizability is an upper bound.
          The mask's term is biased down by a realizability that is too high, and up by refits that are too
          bad. The weights' term is biased down by refits that are too bad. At density 1 there is only one
          mask, so that the mask's term there is the error of the refits
Outcome:  Means over widths and n, without label noise. At density 0.64, the mask's term is
          49% [39%, 59%] of the total and the weights' term 32% [24%, 39%]. At density 0.26 they
          are 31% [26%, 37%] and 6% [4%, 7%], and realizability is 63% [57%, 70%].
          Masks found with all images are not clearly better than masks found with n examples; random masks
          are worse than both (CPU, torch 2.13; all cells in benchmarks/results/pruning_terms.json)
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.special import stdtrit

from errsrc.fitting import fit
from errsrc.laws import JointPruning
from errsrc.nets import MLP, Weights, identifiable_dimension
from errsrc.plots.style import ORANGE, PURPLE, STYLE, VERMILION
from errsrc.rng import generator, seed_of
from errsrc.settings import NetworkTeacher
from errsrc.training import Member, Recipe, train
from errsrc.training.masks import magnitude_masks, prunable

COMPONENTS, TEACHER_WIDTH = 20, 16
IMAGES, VALIDATION = 60_000, 2000  # all training images, and those that choose the step of fits to all
ROUNDS, PRUNED = 12, 0.2
LEVELS = tuple(range(0, ROUNDS + 1, 2))  # rounds before the densities that are reported
STARTS = 3  # of each refit
REFIT = 100  # number of the first random start of a refit
SEARCHES = 6  # prunings on all images that rewind, from different initial weights
SIZES: dict[str, dict[str, Any]] = {
    "small": {"teachers": 2, "widths": (16,), "noises": (0.0,), "sizes": (1412, 8000), "steps": 300},
    "full": {"teachers": 5, "widths": (16, 32), "noises": (0.0, 0.5), "sizes": (1412, 8000), "steps": 1500},
}

Mask = Weights  # bool tensors of one network, or of several


def network(width: int) -> MLP:
    """Return a network of one hidden layer."""
    return MLP((COMPONENTS, width, 1), "tanh")


def setting() -> NetworkTeacher:
    """Return the setting, without label noise."""
    return NetworkTeacher(network(TEACHER_WIDTH), domain="fashion-mnist", components=COMPONENTS)


class TaughtImages:
    """A teacher, all images with its values, and noisy labels; fits networks of one width to them."""

    def __init__(self, teacher: int, width: int, noise: float, steps: int) -> None:
        rng = generator(0, "pruning terms", teacher)
        problem = setting()
        function = problem.teacher(rng)
        images = problem._images
        self.x, self.test_x = (torch.as_tensor(x, dtype=torch.float32) for x in (images.x, images.test))
        values = function(images.x)
        noisy = values + noise * rng.standard_normal(len(values))
        self.labels = tuple(torch.as_tensor(y, dtype=torch.float32) for y in (values, noisy))
        self.x_twice, self.labels_twice = self.x.repeat(2, 1), torch.cat(self.labels)
        self.test_y = torch.as_tensor(function(images.test))
        self.teacher_weights = tuple(w.float() for w in function.weights)
        self.order = rng.permutation(IMAGES)
        self.number, self.network = teacher, network(width)
        self.recipe = Recipe(
            learning_rate=0.03,
            decay=1.0,
            average=0.0,
            evaluation_interval=100,
            patience=1e9,
            loss="squared",
        )
        self.steps = steps

    def seed(self, start: int) -> int:
        """Return the seed of the initial weights of a start."""
        return seed_of(0, "pruning terms", self.number, start)

    def initial(self, start: int) -> Weights:
        """Return the initial weights of a start, for one network."""
        return tuple(w[0] for w in self.network.draw([self.seed(start)]))

    def member(self, n: int, start: int = 0) -> Member:
        """Return a network to train on n examples, or on all images without noise."""
        if n == IMAGES:
            return Member(self.order, self.steps, self.seed(start), self.order[:VALIDATION])
        rows, held_out = self.order[n // 5 : n], self.order[: n // 5]
        return Member(rows + IMAGES, self.steps, self.seed(start), held_out + IMAGES)

    def fit(self, members: Sequence[Member], weights: Sequence[Weights], masks: Sequence[Mask]) -> Weights:
        """Return the trained weights of several networks, stacked."""
        initial = tuple(w * mask for w, mask in zip(stacked(weights), stacked(masks), strict=True))
        trained = train(
            self.network,
            self.x_twice,
            self.labels_twice,
            members,
            None,
            self.recipe,
            initial,
            masks=stacked(masks),
        )
        return stacked([one.weights for one in trained])

    def measure(self, weights: Weights) -> list[list[float]]:
        """Return [risk on the test images, loss on all 60,000 images without noise] of each network."""
        found = []
        with torch.no_grad():
            for k in range(len(weights[0])):
                own = tuple(w[k : k + 1] for w in weights)
                pairs = ((self.test_x, self.test_y), (self.x, self.labels[0]))
                found.append(
                    [float((self.network(own, x)[0, :, 0].double() - y).square().mean()) for x, y in pairs]
                )
        return [[float(f"{value:.6g}") for value in pair] for pair in found]

    def prune(
        self, members: Sequence[Member], starts: Sequence[Weights], rewind: Sequence[bool]
    ) -> tuple[list[list[list[float]]], list[list[Weights]], list[list[Mask]]]:
        """Prune several networks, and return their measurements, weights and masks by network and round.

        A network with `rewind` is trained again from its initial weights in each round; without, from its
        last weights.
        """
        masks: Mask = tuple(torch.ones_like(w, dtype=torch.bool) for w in stacked(starts))
        weights = stacked(starts)
        measured: list[Any] = [[] for _ in members]
        kept_weights: list[list[Weights]] = [[] for _ in members]
        kept_masks: list[list[Mask]] = [[] for _ in members]
        for level in range(ROUNDS + 1):
            if level:
                masks = magnitude_masks(self.network, weights, (1 - PRUNED) ** level, masks)
            begin = [
                start if back else one(weights, k)
                for k, (start, back) in enumerate(zip(starts, rewind, strict=True))
            ]
            weights = self.fit(members, begin, [one(masks, k) for k in range(len(members))])
            for k, pair in enumerate(self.measure(weights)):
                measured[k].append(pair)
                kept_weights[k].append(one(weights, k))
                kept_masks[k].append(one(masks, k))
        return measured, kept_weights, kept_masks

    def random_mask(self, mask: Mask, *path: int) -> Mask:
        """Return a random mask with as many weights in each layer as a given mask."""
        rng = generator(0, "pruning terms", "random mask", self.number, *path)
        return tuple(
            torch.as_tensor(rng.permutation(own.flatten().numpy()).reshape(own.shape))
            if own.dim() > 1
            else own
            for own in mask
        )


def stacked(networks: Sequence[Weights]) -> Weights:
    """Return the weights of several networks as tensors (E, ...)."""
    return tuple(torch.stack(tensors) for tensors in zip(*networks, strict=True))


def one(weights: Weights, k: int) -> Weights:
    """Return the weights of network k."""
    return tuple(w[k] for w in weights)


def cell(teacher: int, width: int, noise: float, sizes: Sequence[int], steps: int) -> dict[str, Any]:
    """Return the measurements of one teacher, width and noise.

    Each measurement is a pair: the risk on the test images, and the loss on the 60,000 images.  The fits to
    all images by pruning, and the controls, are made without noise only.
    """
    taught = TaughtImages(teacher, width, noise, steps)
    initial = taught.initial(0)
    names = [str(n) for n in sizes]
    members = [taught.member(n) for n in sizes]
    starts, rewind = [initial] * len(sizes), [True] * len(sizes)
    if not noise:
        names += ["all", *(f"all {k}" for k in range(1, SEARCHES)), "all, last weights"]
        members += [taught.member(IMAGES, k) for k in (*range(SEARCHES), 0)]
        starts += [taught.initial(k) for k in (*range(SEARCHES), 0)]
        rewind += [True] * SEARCHES + [False]
        if width == TEACHER_WIDTH:
            names.append("teacher")
            members.append(taught.member(IMAGES))
            starts.append(one(taught.teacher_weights, 0))
            rewind.append(False)
    measured, weights, masks = taught.prune(members, starts, rewind)
    found: dict[str, Any] = {
        "teacher": teacher,
        "width": width,
        "noise_std": noise,
        "prunable": prunable(taught.network),
        "remaining": [sum(int(m.sum()) for m in masks[0][level] if m.dim() > 1) for level in LEVELS],
        "variance": float(f"{float(taught.test_y.var()):.6g}"),
        "pruned": {
            name: [each[level] for level in LEVELS] for name, each in zip(names, measured, strict=True)
        },
    }
    whose = [name for name in names if name in (*map(str, sizes), "all")]
    found["refitted"] = {
        name: refits(taught, weights[k], masks[k]) for k, name in enumerate(names) if name in whose
    }
    if noise:
        return found
    found["random"] = {
        name: refits(
            taught, None, [taught.random_mask(mask, k, level) for level, mask in enumerate(masks[k])]
        )
        for k, name in enumerate(names[: len(sizes)])
    }
    best = names.index("all")
    found["mask of all images"] = {}
    for n in sizes:
        chosen = [masks[best][level] for level in LEVELS]
        fitted = taught.fit([taught.member(n)] * len(LEVELS), [initial] * len(LEVELS), chosen)
        found["mask of all images"][str(n)] = taught.measure(fitted)
    return found


def refits(
    taught: TaughtImages, weights: Sequence[Weights] | None, masks: Sequence[Mask]
) -> list[list[list[float]]]:
    """Return the measurements of masks whose weights are fitted to all images, by level and start.

    The first start has the given weights if there are any.  The other starts are random.
    """
    starts = range(STARTS if weights is not None else STARTS - 1)
    jobs = [(level, start) for level in LEVELS for start in starts]
    begin = [
        weights[level] if weights is not None and not start else taught.initial(start + REFIT)
        for level, start in jobs
    ]
    members = [taught.member(IMAGES, start + REFIT) for _, start in jobs]
    pairs = taught.measure(taught.fit(members, begin, [masks[level] for level, _ in jobs]))
    return [pairs[k : k + len(starts)] for k in range(0, len(pairs), len(starts))]


def run(size: str, out: Path | None) -> dict[str, Any]:
    """Return all cells; write the file after each."""
    options = SIZES[size]
    rows = stored(out)
    for teacher in range(options["teachers"]):
        for width in options["widths"]:
            for noise in options["noises"]:
                key = f"noise={noise:g} teacher={teacher} width={width}"
                if key in rows:
                    continue
                begun = time.process_time()
                row = cell(teacher, width, noise, options["sizes"], options["steps"])
                row["seconds"] = round(time.process_time() - begun, 1)
                rows[key] = row
                if out:
                    rows = save({key: row}, out)
                print(key, f"{row['seconds']:.0f} s", flush=True)
    return rows


def save(new: dict[str, Any], out: Path) -> dict[str, Any]:
    """Add rows to a file, and return all its rows."""
    rows = stored(out) | new
    part = out.with_suffix(f".{os.getpid()}")
    lines = (f"{json.dumps(key)}: {json.dumps(row)}" for key, row in sorted(rows.items()))
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    part.replace(out)
    return rows


def stored(out: Path | None) -> dict[str, Any]:
    """Return the rows of a file, or no rows."""
    return json.loads(out.read_text()) if out and out.exists() else {}


def candidates(rows: dict[str, Any], teacher: int, width: int) -> list[tuple[float, float, float]]:
    """Return (number of weights, loss on all images, risk) of the networks that were fitted to all images.

    A network of a smaller width is also a network of this width, in which units have no weights.  The teacher
    itself is one of the networks.
    """
    found = [(float(prunable(network(TEACHER_WIDTH))), 0.0, 0.0)]
    for row in rows.values():
        if not isinstance(row, dict) or row.get("teacher") != teacher or row["width"] > width:
            continue
        fitted = [pairs for name, pairs in row["pruned"].items() if not name.isdigit()]
        for kind in ("refitted", "random"):
            for levels in row.get(kind, {}).values():
                fitted += [list(start) for start in zip(*levels, strict=True)]
        for pairs in fitted:
            found += [
                (count, loss, risk) for count, (risk, loss) in zip(row["remaining"], pairs, strict=True)
            ]
    return found


def best_start(pairs: Sequence[Sequence[float]]) -> float:
    """Return the risk of the network with the lowest loss on all images."""
    return min(pairs, key=lambda pair: pair[1])[0]


def terms(rows: dict[str, Any], row: dict[str, Any]) -> dict[str, list[dict[str, float]]]:
    """Return the terms of one cell by number of examples and density.

    The total is in units of the teacher's variance, the terms are shares of the total.  The ratios of masks
    are natural logarithms; they compare the best of two random starts for each mask.
    """
    every = rows[f"noise=0 teacher={row['teacher']} width={row['width']}"]["refitted"]["all"]
    known = candidates(rows, row["teacher"], row["width"])
    out: dict[str, list[dict[str, float]]] = {}
    for n in (name for name in row["pruned"] if name.isdigit()):
        out[n] = []
        for level, count in enumerate(row["remaining"]):
            floor = min((pair for pair in known if pair[0] <= count), key=lambda pair: pair[1])[2]
            student, own = row["pruned"][n][level][0], row["refitted"][n][level]
            refitted, blind = best_start(own), best_start(own[1:])
            found = {
                "total": student / row["variance"],
                "realizability": floor / student,
                "mask": (refitted - floor) / student,
                "weights": (student - refitted) / student,
                "ln mask of all images": math.log(best_start(every[level][1:]) / blind),
            }
            if "random" in row:
                found["ln random mask"] = math.log(best_start(row["random"][n][level]) / blind)
                fitted = row["mask of all images"][n][level][0]
                found["weights, mask of all images"] = (fitted - best_start(every[level])) / student
            out[n].append(found)
    return out


def summary(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the mean of each term over teachers with its 95% interval, by noise, width, n and density."""
    found: dict[str, Any] = {}
    cells: dict[tuple[float, int], list[dict[str, Any]]] = {}
    for key, row in rows.items():
        if key.startswith("noise="):
            cells.setdefault((row["noise_std"], row["width"]), []).append(row)
    for (noise, width), own in sorted(cells.items()):
        split = [terms(rows, row) for row in own]
        for n in split[0]:
            for level, count in enumerate(own[0]["remaining"]):
                names = split[0][n][level]
                found[f"terms: noise={noise:g} width={width} n={n} weights={count}"] = {
                    "density": round(count / own[0]["prunable"], 4),
                    "teachers": len(own),
                    "noise": round(float(np.mean([noise**2 / row["variance"] for row in own])), 4),
                    **{
                        name.removeprefix("ln "): average(name, [each[n][level][name] for each in split])
                        for name in names
                    },
                }
    return found


def pooled(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the mean of each term over widths and n, with its interval over teachers, by noise and density.

    Also count, over teachers, widths and n, where one term or one refitted mask is larger than another.
    """
    cells: dict[float, dict[int, list[list[dict[str, float]]]]] = {}
    for key, row in rows.items():
        if key.startswith("noise="):
            own = cells.setdefault(row["noise_std"], {}).setdefault(row["teacher"], [])
            own.extend(terms(rows, row).values())
    found: dict[str, Any] = {}
    for noise, teachers in sorted(cells.items()):
        for place, level in enumerate(LEVELS):
            each = [[curve[place] for curve in curves] for curves in teachers.values()]
            flat = [at for own in each for at in own]
            at_density: dict[str, Any] = {
                "cells": len(flat),
                "mask above weights": sum(at["mask"] > at["weights"] for at in flat),
                "mask above realizability": sum(at["mask"] > at["realizability"] for at in flat),
            }
            for name in flat[0]:
                means = [float(np.mean([at[name] for at in own])) for own in each]
                at_density[name.removeprefix("ln ")] = average(name, means)
                if name.startswith("ln "):
                    at_density[f"{name.removeprefix('ln ')} is worse"] = sum(at[name] > 0 for at in flat)
            found[f"pooled: noise={noise:g} density={(1 - PRUNED) ** level:.2f}"] = at_density
    return found


def average(name: str, values: Sequence[float]) -> list[float]:
    """Return the mean of a term over teachers and its interval; a geometric mean for ratios."""
    return geometric(values) if name.startswith("ln ") else ends(values)


def ends(values: Sequence[float]) -> list[float]:
    """Return the mean of values and the ends of its 95% interval by Student's t distribution."""
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return [float(f"{value:.4g}") for value in (mean, mean - half, mean + half)]


def geometric(values: Sequence[float]) -> list[float]:
    """Return the geometric mean of ratios and the ends of its interval, from their logarithms."""
    return [float(f"{math.exp(value):.4g}") for value in ends(values)]


def ranks(rows: dict[str, Any], sizes: Sequence[int]) -> list[int]:
    """Return the rank of the Jacobian of each teacher, with respect to its parameters, at the smallest n."""
    numbers = sorted({row["teacher"] for key, row in rows.items() if key.startswith("noise=")})
    found = []
    for number in numbers:
        taught = TaughtImages(number, TEACHER_WIDTH, 0.0, 1)
        x = taught.x[taught.order[: min(sizes)]].double()
        found.append(int(identifiable_dimension(taught.network, taught.teacher_weights, x).dimension[0]))
    return found


def laws(found: dict[str, Any]) -> dict[str, Any]:
    """Return how far off the joint pruning law is, fitted to the totals of each noise, as a mean and std.

    The totals include the noise.  eps_np is the total of the unpruned networks, and the depth is 1.
    """
    out = {}
    for noise in sorted({key.split()[1] for key in found}):
        curves: dict[str, list[dict[str, Any]]] = {}
        for key, row in found.items():
            if key.split()[1] == noise:
                curves.setdefault(key.rsplit(maxsplit=1)[0], []).append(row)
        columns: dict[str, list[float]] = {name: [] for name in ("error", *JointPruning.inputs)}
        for key, curve in curves.items():
            totals = [row["total"][0] + row["noise"] for row in curve]
            unpruned = next(t for t, row in zip(totals, curve, strict=True) if row["density"] == 1)
            width = int(key.split("width=")[1].split()[0])
            for total, row in zip(totals, curve, strict=True):
                values = (total, row["density"], 1, width, unpruned)
                for name, value in zip(columns, values, strict=True):
                    columns[name].append(value)
        inputs: dict[str, Any] = {name: columns[name] for name in JointPruning.inputs}
        fixed = {"phi": 0.0} if len(set(inputs["width"])) > 1 else {"phi": 0.0, "psi": 0.0}
        law = fit(JointPruning, columns["error"], fixed=fixed, keep_far=True, **inputs)
        off = law.law.error(**inputs) / np.array(columns["error"]) - 1
        out[f"law: {noise}"] = {
            "divergence": [round(float(off.mean()), 4), round(float(off.std()), 4)],
            "levels": len(off),
            **{name: float(f"{value.estimate:.4g}") for name, value in law.intervals.items()},
        }
    return out


LINES = {
    "realizability": ("realizability: the best mask and weights found", PURPLE, "D"),
    "mask": ("deficiency: the mask", ORANGE, "^"),
    "weights": ("deficiency: the weights", VERMILION, "v"),
}


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the terms over the density: a row for each width, a column for each noise and n."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key, row in found.items():
        noise, width, n = (part.partition("=")[2] for part in key.split()[1:4])
        groups.setdefault((width, noise, n), []).append(row)
    widths = list(dict.fromkeys(width for width, _, _ in groups))
    kinds = list(dict.fromkeys(group[1:] for group in groups))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(widths),
            len(kinds),
            figsize=(3.3 * len(kinds), 3.1 * len(widths) + 0.5),
            squeeze=False,
            sharex=True,
            sharey=True,
            layout="constrained",
        )
        for line, width in zip(axes, widths, strict=True):
            for axis, (noise, n) in zip(line, kinds, strict=True):
                panel(axis, groups[width, noise, n])
                labels = f"label noise {noise}" if float(noise) else "no label noise"
                axis.set_title(f"width {width}, n = {int(n):,}, {labels}", fontsize=9)
            line[0].set_ylabel("share of the total risk")
        for axis in axes[-1]:
            axis.set_xlabel("density")
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
        figure.savefig(path, dpi=110)
        plt.close(figure)


def panel(axis: Any, levels: list[dict[str, Any]]) -> None:
    """Draw the terms of one width, noise and n with their intervals."""
    levels = sorted(levels, key=lambda row: row["density"])
    density = np.array([row["density"] for row in levels])
    for offset, (name, (label, colour, mark)) in zip((0.95, 1.0, 1.05), LINES.items(), strict=True):
        mean, low, high = np.array([row[name] for row in levels]).T
        style = {"color": colour, "marker": mark, "ms": 4, "lw": 1.3, "elinewidth": 1.0, "capsize": 2}
        axis.errorbar(density * offset, mean, (mean - low, high - mean), label=label, **style)
    axis.set(xscale="log", ylim=(-0.1, 1.1))
    axis.set_xticks([0.07, 0.17, 0.41, 1.0], ["0.07", "0.17", "0.41", "1"])
    axis.minorticks_off()


def said(key: str, row: dict[str, Any]) -> str:
    """Return the terms of one density as text."""

    def text(name: str) -> str:
        return "{:.3g} [{:.3g}, {:.3g}]".format(*row[name])

    names = [name for name in row if name not in ("density", "teachers", "noise")]
    return f"{key.removeprefix('terms: ')}, density {row['density']:.2f}: " + ", ".join(
        f"{name} {text(name)}" for name in names
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--out", type=Path, help="write the cells to this JSON file, and go on from it")
    parser.add_argument("--figure", type=Path, help="draw the terms to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = run(options.size, options.out)
    found = summary(rows)
    for key, row in found.items():
        print(said(key, row))
    more = laws(found) | pooled(rows) | {"rank of the Jacobian": ranks(rows, SIZES[options.size]["sizes"])}
    for key, value in more.items():
        print(key, value)
    if options.out:
        save(found | more, options.out)
    if options.figure:
        draw(found, options.figure)


if __name__ == "__main__":
    main()
