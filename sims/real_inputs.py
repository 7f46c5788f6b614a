"""The terms of the risk of trained networks on real images, whose teachers are random networks.

Question: Which source of error dominates at real inputs, and does a law fitted to the totals tell?
Command:  python sims/real_inputs.py --out FILE.json [--size small] [--figure FILE.png]
Cost:     small (teachers 20-16-1): 5 minutes of one core. full (also 20-45-1): 12 minutes. A run goes on
          where FILE.json ends; several runs may write the same file
Setting:  NetworkTeacher(domain="fashion-mnist", components=20): the inputs are the first 20 principal
          components of Fashion-MNIST, each of variance 1. The teachers are tanh networks drawn from the
          prior, 20-16-1 (P = 353, 8 draws) and 20-45-1 (P = 991, 4 draws). The standard deviation of the
          label noise is 0.1 or 0.5
Learners: networks of the teacher's width and of half this width, trained with at most 300 steps of L-BFGS; a
          fifth of the examples is held out and chooses the step
Outcome:  P = 353, noise 0.5, the teachers' width: uncertainty is 41% to 44% of the total at n = P / 4, and
          deficiency 33% to 36%; at 4 P they are 11% to 19% and 31% to 38%, and noise is 50%. Noise 0.1:
          uncertainty is 49% to 69% and deficiency 29% to 49% at P / 4; 12% to 97% and 0% to 85% at P; 3% to
          25% and 66% to 89% at 4 P. Up to n = P / 2 and from n = 4 P on, the bounds of the uncertainty are at
          most 49% of the total apart, for both teachers and both noises, except for P = 991 and noise 0.1 at
          4 P (74%). A power law with a floor, fitted to the totals, has one term for uncertainty and
          deficiency together. It does not determine the floor: 0.10 [0, 0.37] at noise 0.5, where the floor
          is 0.25 (CPU, torch 2.13; all cells in benchmarks/results/real_inputs.json)
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch

from errsrc.fitting import fit
from errsrc.laws import Power
from errsrc.learners import NetworkStudent
from errsrc.nets import MLP
from errsrc.settings import Gaussian, NetworkTeacher
from errsrc.sources import Effort, budget
from errsrc.sources.terms import TERMS, Budget
from errsrc.training import Recipe

COMPONENTS = 20
NOISES = (0.1, 0.5)


class Teacher(NamedTuple):
    """Width of the teachers, number of draws, and numbers of examples divided by P."""

    width: int
    draws: int
    ratios: tuple[float, ...]

    @property
    def parameters(self) -> int:
        """P, the number of parameters of a teacher."""
        return MLP((COMPONENTS, self.width, 1)).parameters

    @property
    def sizes(self) -> dict[int, float]:
        """Numbers of examples, with their ratios."""
        return {round(ratio * self.parameters): ratio for ratio in self.ratios}


SMALL, LARGE = Teacher(16, 8, (1 / 4, 1 / 2, 1, 2, 4, 10)), Teacher(45, 4, (1 / 4, 1 / 2, 1, 4))
SIZES = {
    "tiny": [Teacher(2, 4, (1 / 2, 1, 2))],
    "small": [SMALL],
    "large": [LARGE],
    "full": [SMALL, LARGE],
}


def effort(size: str, ratio: float) -> Effort:
    """Return the computation for the bounds of the uncertainty, at n / P examples."""
    if size == "tiny":
        return Effort(2, 20, 2, 2, 10)
    leaps = 100 if ratio < 4 else 50
    return Effort(starts=8, steps=200, chains=2, transitions=8, leaps=leaps, unlabelled=2048)


def network(width: int) -> MLP:
    """Return a network of one hidden layer."""
    return MLP((COMPONENTS, width, 1), "tanh")


def run(size: str, noises: Sequence[float], only: Sequence[int], out: Path | None) -> dict[str, Any]:
    """Return the rows of all cells; write the file after each cell.

    If `only` is not empty, the cells of other numbers of examples are left out.
    """
    rows = stored(out)
    for teacher in SIZES[size]:
        for noise in noises:
            setting = NetworkTeacher(
                network(teacher.width),
                domain="fashion-mnist",
                components=COMPONENTS,
                channel=Gaussian(noise),
            )
            for n, ratio in teacher.sizes.items():
                if only and n not in only:
                    continue
                for width in (teacher.width, teacher.width // 2):  # the second learner shares the chains
                    key = f"teacher={teacher.width} noise={noise:g} n={n} width={width}"
                    if key not in rows:
                        begun = time.process_time()
                        learner = NetworkStudent(
                            network(width), Recipe("lbfgs", loss="squared"), steps=300, precision="float64"
                        )
                        options = {"draws": teacher.draws, "effort": effort(size, ratio)}
                        found = budget(setting, learner, n, **options)
                        row = row_of(found) | {
                            "teacher": teacher.width,
                            "parameters": teacher.parameters,
                            "noise_std": noise,
                            "width": width,
                            "seconds": round(time.process_time() - begun, 1),
                        }
                        rows |= {key: row}
                        if out:
                            rows |= save({key: row}, out)
                    print(key, said(rows[key]), flush=True)
    return rows


def save(new: dict[str, Any], out: Path) -> dict[str, Any]:
    """Add rows to a file, which other runs may have changed, and return all its rows."""
    rows = stored(out) | new
    part = out.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(dict(sorted(rows.items())), indent=1) + "\n")
    part.replace(out)
    return rows


def stored(out: Path | None) -> dict[str, Any]:
    """Return the rows of a file, or no rows."""
    return json.loads(out.read_text()) if out and out.exists() else {}


def row_of(found: Budget) -> dict[str, Any]:
    """Return the terms of a budget as [estimate, low, high] of each bound, and the status."""
    row: dict[str, Any] = {"n": found.n, "scale": round(found.scale, 4), "total": ends(found.total)}
    for name in (*TERMS, "all_functions"):
        bracket = getattr(found, name)
        row[name] = {"lower": ends(bracket.lower), "upper": ends(bracket.upper)}
    return row | {"optimiser": ends(found.optimiser), "status": found.status}


def ends(interval: Any) -> list[float]:
    """Return an estimate and the ends of its interval."""
    return [float(f"{value:.5g}") for value in (interval.estimate, interval.low, interval.high)]


def bounds(row: dict[str, Any], name: str) -> tuple[float, float]:
    """Return the lower and the upper bound of a term, as shares of the total."""
    total = row["total"][0]
    return row[name]["lower"][0] / total, row[name]["upper"][0] / total


def said(row: dict[str, Any]) -> str:
    """Return the terms as shares of the total."""
    parts = [f"total {row['total'][0]:.3g}"]
    for name in (*TERMS, "all_functions"):
        low, high = bounds(row, name)
        parts.append(f"{name} {low:.0%}" + ("" if low == high else f" to {high:.0%}"))
    return ", ".join([*parts, f"{row['seconds']:.0f} s"])


def curves(rows: dict[str, Any]) -> dict[tuple[int, float, int], list[dict[str, Any]]]:
    """Return the rows of each teacher, noise and width of the learner, in ascending order of n."""
    out: dict[tuple[int, float, int], list[dict[str, Any]]] = {}
    cells = [row for key, row in rows.items() if key.startswith("teacher=")]
    for row in sorted(cells, key=lambda row: row["n"]):
        out.setdefault((row["teacher"], row["noise_std"], row["width"]), []).append(row)
    return out


def laws(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the power law with a floor that is fitted to each curve of totals, next to the budget's floor.

    The budget's floor is the noise plus the realizability, which has bounds.
    """
    out = {}
    for (teacher, noise, width), curve in curves(rows).items():
        if len(curve) < 5:  # a power law with a floor has three parameters
            continue
        law = fit(Power, [row["total"][0] for row in curve], n=[row["n"] for row in curve])
        last = curve[-1]["realizability"]
        out[f"law teacher={teacher} noise={noise:g} width={width}"] = {
            **{name: ends(interval) for name, interval in law.intervals.items()},
            "floor": [noise**2 + last[side][0] for side in ("lower", "upper")],
        }
    return out


STYLES = {
    "noise": ("noise", "tab:gray"),
    "realizability": ("realizability", "tab:purple"),
    "uncertainty": ("uncertainty", "tab:blue"),
    "deficiency": ("deficiency", "tab:red"),
}


def draw(rows: dict[str, Any], path: Path) -> None:
    """Draw the terms over n: a row of panels for each teacher and noise, a column for each width."""
    found = curves(rows)
    kinds = list(dict.fromkeys((teacher, noise) for teacher, noise, _ in found))
    figure, axes = plt.subplots(
        len(kinds), 2, figsize=(10, 2.9 * len(kinds)), squeeze=False, sharex="row", layout="constrained"
    )
    for line, (teacher, noise) in zip(axes, kinds, strict=True):
        for axis, width in zip(line, (teacher, teacher // 2), strict=True):
            panel(axis, found[teacher, noise, width])
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def panel(axis: Any, curve: list[dict[str, Any]]) -> None:
    """Draw the terms of one learner, divided by the total."""
    first = curve[0]
    n = np.array([row["n"] for row in curve])
    for name, (label, colour) in STYLES.items():
        low, high = np.array([bounds(row, name) for row in curve]).T
        if high.any():
            axis.fill_between(n, np.maximum(low, 0), high, color=colour, alpha=0.35, lw=0)
            for side in (low, high):
                axis.plot(n, np.maximum(side, 0), color=colour, lw=1, marker="o", ms=3)
            axis.plot([], [], color=colour, lw=6, alpha=0.6, label=label)
    axis.axvline(first["parameters"], color="black", lw=0.7, ls="--")
    axis.set(
        xscale="log",
        ylim=(0, 1),
        title=(
            f"teacher 20-{first['teacher']}-1, noise {first['noise_std']:g}, "
            f"learner of width {first['width']}"
        ),
        xlabel="training examples n (dashed: n = P)",
        ylabel="share of the total",
    )
    axis.title.set_fontsize(10)
    axis.set_xticks(n, [f"{value:,}" for value in n])
    axis.minorticks_off()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--noise", choices=NOISES, type=float, nargs="+", default=NOISES)
    parser.add_argument("--n", type=int, nargs="+", default=[], help="compute only these numbers of examples")
    parser.add_argument("--out", type=Path, help="write the rows to this JSON file, and go on from it")
    parser.add_argument("--figure", type=Path, help="draw the shares of the terms to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = run(options.size, options.noise, options.n, options.out)
    found = laws(rows)
    for key, law in found.items():
        print(key, law)
    if options.out:
        save(found, options.out)
    if options.figure:
        draw(rows, options.figure)


if __name__ == "__main__":
    main()
