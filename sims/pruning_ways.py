"""Compare three ways of pruning the same networks: weight rewinding, rate rewinding, and SynFlow.

Claim:    See sims/pruning_ways.toml
Command:  python sims/pruning_ways.py [--json benchmarks/results/pruning_ways.json]
Cost:     half a minute
Outcome:  see benchmarks/README.md, "Pruned networks"

benchmarks/results/pruning_sizes.csv has the networks with weight rewinding, and
benchmarks/results/pruning_ways.csv has the others.  The three ways start from the same initial weights and
use the same training images.  Networks are trained in batches of other sizes, so that rounding differs, and
with it the error before pruning.  Intervals are those of Student's t over networks, at 90%.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pruning import Columns, as_numbers, described
from pruning_layers import LAWS, with_layers
from pruning_unseen import joint_fit
from scipy.stats import t

from errsrc.studies.pruned import levels

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
RISE = 1.5
DENSITY = 0.8**12

Row = dict[str, str]
WAYS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "weight rewinding": ("pruning_sizes.csv", lambda row: True),
    "rate rewinding": ("pruning_ways.csv", lambda row: row["rounds.rewinding"] == "rate"),
    "synflow": ("pruning_ways.csv", lambda row: row["rounds.criterion"] == "synflow"),
}
"""The file of each way, and which of its rows belong to it."""


def of_way(way: str, wanted: set[tuple[str, ...]] | None = None) -> Columns:
    """Return the levels of networks that were pruned in one way, of the wanted (depth, width, n, seed)."""
    file, chosen = WAYS[way]
    sizes = ("depth", "width", "n", "seed")
    with (RESULTS / file).open() as lines:
        rows = [row for row in csv.DictReader(lines) if chosen(row)]
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row[name] for name in sizes)
        if wanted is None or key in wanted:
            found.setdefault(key, []).append(row)
    cells, curves = [], []
    for own in found.values():
        numbers = {name: float(own[0][name]) for name in (*sizes, "m", "prunable")}
        cells.append(numbers | {"diverged": own[0]["diverged"] == "True"})
        names = [name for name in own[0] if name.startswith("curve.")]
        curves.append({name[6:]: np.array([float(row[name]) for row in own]) for name in names})
    return with_layers(levels(cells, curves))


def networks(at: Columns) -> dict[tuple[float, ...], tuple[np.ndarray, np.ndarray]]:
    """Return the densities and errors of each network, by (depth, width)."""
    pairs = np.stack([at["depth"], at["width"]], 1)
    return {
        tuple(pair): (at["density"][own], at["error"][own])
        for pair in np.unique(pairs, axis=0)
        for own in [(pairs == pair).all(1)]
    }


def density_at(density: np.ndarray, error: np.ndarray, goal: float) -> float:
    """Return the largest density from which on all errors reach the goal, interpolated in ln density."""
    last = int(np.flatnonzero(error < goal).max())  # levels are in the order of decreasing density
    part = (goal - error[last]) / (error[last + 1] - error[last])
    return float(np.exp((1 - part) * np.log(density[last]) + part * np.log(density[last + 1])))


def errors_at(density: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the error of the level whose density is `DENSITY`, (1,), or no error, (0,)."""
    return error[np.isclose(density, DENSITY, rtol=0.02)]


def mean_ratio(ratios: list[float]) -> dict[str, Any]:
    """Return the geometric mean of ratios with its interval, and their number; no mean of less than two."""
    if len(ratios) < 2:
        return {"ratio": None, "networks": len(ratios)}
    logs = np.log(ratios)
    half = t.ppf(0.95, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    ends = [float(np.exp(logs.mean() + shift)) for shift in (0, -half, half)]
    return {"ratio": ends, "networks": len(logs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    with (RESULTS / "pruning_ways.csv").open() as lines:
        names = ("depth", "width", "n", "seed")
        wanted = {tuple(row[name] for name in names) for row in csv.DictReader(lines)}
    at = {way: of_way(way, wanted) for way in WAYS}
    reference = networks(at["weight rewinding"])
    figures: dict[str, Any] = {}
    for way, own in at.items():
        print(f"{way}: {own['config'].max() + 1} networks, {len(own['error'])} levels")
        figures[way] = {"networks": int(own["config"].max()) + 1, "levels": len(own["error"])}
        alone = {} if np.ptp(own["width"]) else {"psi": 0.0}  # psi takes two widths
        for name, (law, fixed) in LAWS.items():
            found = joint_fit(own, None, law, fixed | alone)
            figures[way][name] = as_numbers(found)
            print(f"  {name}: {described(found)}")
        if own is at["weight rewinding"]:
            continue
        others = networks(own)
        goals = {key: RISE * error[0] for key, (_, error) in reference.items()}
        left = [
            density_at(*others[key], goals[key]) / density_at(*reference[key], goals[key]) for key in goals
        ]
        figures[way]["density ratio"] = mean_ratio(left)
        print(f"  density at {RISE} times the unpruned error, ratio: {figures[way]['density ratio']}")
        ratios = [
            found / other
            for key in goals
            for found, other in zip(errors_at(*others[key]), errors_at(*reference[key]), strict=False)
        ]
        figures[way]["error ratio"] = mean_ratio(ratios)
        print(f"  error at density {DENSITY:.3f}, ratio: {figures[way]['error ratio']}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
