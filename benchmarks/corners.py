"""Do forecasts hold where n and m are both larger than in the fit?

    python benchmarks/corners.py [--out FILE.json]

The default estimator is fitted to the small sizes of published grids and of errsrc's own grids.  Held-out
cells are sorted by how many of n and m are larger than in all fitted cells: one of them, or both.  There are
two kinds of tasks: the splits of `forecasts.py`, and corners.  A corner is the rectangle of the cells whose
ln n and ln m lie in the lower 35%, 50% or 65% of their ranges.

The script prints, for each family and on average over families, the share of held-out cells in their 90%
intervals, and the mean of ln (predicted / measured).  One constant of the intervals, GRID_DOUBT, was chosen
on the published grids: it is the possible error of a law's form.  The script therefore chooses it again
without each family, by the likelihood of the errors of all other families, and prints the coverage of the
family left out with this choice.  Grids of the same runs are left out together.

Two further questions, on the published grids:

- Does extrapolation inside the fitted part show how far the extrapolation beyond it will be off?  The inner
  fit sees the 60% of the fitted cells with the smallest n m, and predicts the others.  The script prints the
  correlation between the two misses, in units of what the fits expect.  It also prints the coverage and score
  of forecasts whose intervals are widened or narrowed by the inner miss.
- Do the intervals of `Prediction.mean` contain the geometric mean of all held-out errors of a task?

errsrc's own grids had no part in the choice of the constants.  Here, the cells of the experiments of
`sims/vision_holdout.py`, on three image sets, are means of several runs.

Three core-minutes.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from forecasts import (
    DOUBTS,
    LEVEL,
    Task,
    fitted,
    grids,
    held_out,
    interval_scores,
    likelihood,
    own,
    whole_grids,
)

from errsrc.errors import NoFit
from errsrc.fitting import AveragedFit, auto
from errsrc.fitting import forecasts as constants

CUTS = (0.35, 0.5, 0.65)
"""Shares of the ranges of ln n and ln m that a corner contains."""
FEWEST = 6
RELATED = ("OpenLM", "Chinchilla", "marin", "llama_3")
"""Families with one of these words in their names share runs."""
PLACES = ("one", "both")
INSIDE = 0.6
"""Share of the fitted cells that the inner fit sees."""
PRIOR_MISSES = 4
"""The widening of intervals counts as many expected misses as this, and one inner miss."""
EPS0 = {"vision": 0.9, "digits": 0.9, "glyphs": 61 / 62}
"""Image sets of `sims/vision_holdout.py`, with the error of a random guess."""


def corner_tasks() -> Iterator[Task]:
    """Yield the corners of all published grids."""
    for name, (error, n, m) in whole_grids():
        if name.startswith("own"):
            continue
        words = name.split()
        family = name if words[0] in ("isoFLOP", "ViT") else " ".join(words[: 1 + (words[0] == "OpenLM")])
        yield from corners_of(family, name, error, {"n": n, "m": m})


def corners_of(family: str, name: str, error: np.ndarray, sizes: dict[str, np.ndarray]) -> Iterator[Task]:
    """Yield the corners of one grid that differ, and that have enough cells."""
    logs = [np.log(x) for x in sizes.values()]
    seen = set()
    for cut in CUTS:
        inside = np.logical_and.reduce([x <= x.min() + cut * np.ptp(x) + 1e-9 for x in logs])
        if inside.sum() >= FEWEST and not inside.all() and inside.tobytes() not in seen:
            seen.add(inside.tobytes())
            yield Task(family, f"{name}, {cut:.0%}", error, sizes, inside)


def own_tasks() -> Iterator[tuple[Task, dict[str, float]]]:
    """Yield the experiments with errsrc's own grids, with what the fit knows of each."""
    for data, eps0 in EPS0.items():
        blocks = collections.defaultdict(list)
        with (Path(__file__).parent / "results" / f"{data}_holdout.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                split = " corner" if row["part"].startswith("corner") else ""
                blocks[f"own {data}{split}", row["block"]].append(row)
        for (family, block), rows in blocks.items():
            error, n, m = (np.array([float(row[key]) for row in rows]) for key in ("measured", "n", "m"))
            small = np.array([row["part"].endswith("fitted") for row in rows])
            yield Task(family, block, error, {"n": n, "m": m}, small), {"eps0": eps0}
    for name in ("language_small", "language_grid"):
        error, n, m, held = own(name)
        sizes = {"n": n, "m": m}
        yield Task(f"own {name}", "", error, sizes, ~held), {}
        for task in corners_of(f"own {name}", name, error, sizes):
            yield task, {}


def larger_than_fitted(task: Task) -> dict[str, np.ndarray]:
    """Return which held-out cells are larger than all fitted cells in one of n and m, and in both."""
    larger = [x[~task.fitted] > x[task.fitted].max() for x in task.sizes.values()]
    return {"one": larger[0] ^ larger[1], "both": larger[0] & larger[1]}


def judged(task: Task, found: AveragedFit) -> dict[str, tuple[float, float]]:
    """Return the share of covered cells and the mean error of ln error, for each of `PLACES` with cells."""
    forecast = found.predict(level=LEVEL, **held_out(task))
    truth = task.error[~task.fitted]
    inside = (forecast.low <= truth) & (truth <= forecast.high)
    miss = np.log(forecast.predicted / truth)
    rows = larger_than_fitted(task)
    return {p: (float(inside[r].mean()), float(miss[r].mean())) for p, r in rows.items() if r.any()}


def table(fits: list[tuple[Task, AveragedFit]]) -> dict[str, dict[str, float]]:
    """Return the mean coverage and the mean error of each family, and of all families together."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = collections.defaultdict(dict)
    for task, one in fits:
        for place, pair in judged(task, one).items():
            found[task.family].setdefault(place, []).append(pair)
    out: dict[str, dict[str, float]] = {}
    for family, places in found.items():
        out[family] = {}
        for place, values in places.items():
            covered, error = np.mean(values, axis=0).tolist()
            out[family] |= {
                f"{place}, covered": covered,
                f"{place}, error": error,
                f"{place}, tasks": len(values),
            }
    return out


def shown(title: str, rows: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Print a table of families, add the mean of families, and return the table."""
    mean: dict[str, float] = {}
    for place in PLACES:
        have = [row for row in rows.values() if f"{place}, covered" in row]
        for key in ("covered", "error"):
            mean[f"{place}, {key}"] = float(np.mean([row[f"{place}, {key}"] for row in have]))
        mean[f"{place}, families"] = len(have)
    rows = {**rows, "mean of families": mean}
    print(title)
    for family, row in rows.items():
        parts = [
            f"{place} {row[f'{place}, covered']:.0%} ({row[f'{place}, error']:+.1%})"
            for place in PLACES
            if f"{place}, covered" in row
        ]
        print(f"  {family[:52]:52} " + ", ".join(parts))
    return rows


def left_out(fits: list[tuple[Task, AveragedFit]]) -> dict[str, dict[str, float]]:
    """Return the table in which GRID_DOUBT is chosen without each family and the families related to it."""
    chosen = constants.GRID_DOUBT
    families = list(dict.fromkeys(task.family for task, _ in fits))
    total: dict[float, dict[str, float]] = {}
    tables: dict[float, dict[str, dict[str, float]]] = {}
    for doubt in DOUBTS:
        constants.GRID_DOUBT = doubt
        values = collections.defaultdict(list)
        for task, found in fits:
            values[task.family].append(likelihood(task, found))
        total[doubt] = {family: float(np.mean(x)) for family, x in values.items()}
        tables[doubt] = table(fits)
    constants.GRID_DOUBT = chosen
    out = {}
    for family in families:
        words = [word for word in RELATED if word.lower() in family.lower()]
        others = [f for f in families if f != family and not any(w.lower() in f.lower() for w in words)]
        best = max(DOUBTS, key=lambda doubt: np.mean([total[doubt][f] for f in others]))
        out[family] = tables[best][family] | {"doubt": best}
    return out


def miss(task: Task, found: AveragedFit) -> float:
    """Return the root mean square of the errors of ln error, in units of what the fit expects."""
    sizes = held_out(task)
    centre, draws = found.curves(**sizes)
    spread = np.hypot(found.run_spread(centre, sizes), np.nanstd(draws, axis=0))
    standard = (np.log(task.error[~task.fitted]) - centre) / spread
    return float(np.sqrt(np.mean(standard**2)))


def inner(task: Task) -> Task | None:
    """Return the extrapolation inside the fitted part of a task; None if it has too few cells."""
    error = task.error[task.fitted]
    sizes = {name: x[task.fitted] for name, x in task.sizes.items()}
    cost = sizes["n"] * sizes["m"]
    small = cost <= np.quantile(cost, INSIDE)
    enough = small.sum() >= FEWEST and (~small).sum() >= 2
    return Task(task.family, task.name, error, sizes, small) if enough else None


def rolling(fits: list[tuple[Task, AveragedFit]]) -> dict[str, float]:
    """Print and return what the extrapolation inside the fitted part says of the extrapolation beyond it."""
    misses, scores = [], collections.defaultdict(list)
    for task, found in fits:
        inside = inner(task)
        small = None if inside is None else fitted(inside)
        if inside is None or small is None:
            continue
        misses.append((miss(inside, small), miss(task, found)))
        forecast = found.predict(level=LEVEL, **held_out(task))
        truth = np.log(task.error[~task.fitted])
        centre, low, high = (np.log(x) for x in (forecast.predicted, forecast.low, forecast.high))
        for factor in (1.0, np.sqrt((PRIOR_MISSES + misses[-1][0] ** 2) / (PRIOR_MISSES + 1))):
            ends = centre - factor * (centre - low), centre + factor * (high - centre)
            held = float(np.mean((ends[0] <= truth) & (truth <= ends[1])))
            scores[task.family].append((held, float(np.mean(interval_scores(*ends, truth)))))
    tables = np.mean([np.mean(np.reshape(x, (-1, 2, 2)), axis=0) for x in scores.values()], axis=0)
    (covered, score), (widened, new_score) = tables.tolist()
    correlation = float(np.corrcoef(np.log(misses).T)[0, 1])
    print(f"misses inside and beyond {len(misses)} fitted parts: correlation {correlation:.2f}")
    print(
        f"widened by the inner miss: covered {covered:.0%} -> {widened:.0%}, {score:.4f} -> {new_score:.4f}"
    )
    return {
        "tasks": len(misses),
        "correlation": correlation,
        "covered": covered,
        "score": score,
        "covered, widened": widened,
        "score, widened": new_score,
    }


def means(fits: list[tuple[Task, AveragedFit]]) -> dict[str, float]:
    """Print and return, by family, how often the interval of the mean of all held-out cells contains it."""
    found: dict[str, list[bool]] = collections.defaultdict(list)
    for task, one in fits:
        interval = one.predict(level=LEVEL, **held_out(task)).mean()
        measured = float(np.exp(np.mean(np.log(task.error[~task.fitted]))))
        found[task.family].append(interval.low <= measured <= interval.high)
    out = {family: float(np.mean(held)) for family, held in found.items()}
    out["mean of families"] = float(np.mean(list(out.values())))
    for family, share in out.items():
        print(f"mean of the held-out cells in its interval: {family[:48]:48} {share:.0%}")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    splits = [task for task in grids() if task.fitted.sum() >= FEWEST and not task.fitted.all()]
    kinds = {"splits": splits, "corners": list(corner_tasks())}
    fits = {
        kind: [(task, one) for task in tasks if (one := fitted(task)) is not None]
        for kind, tasks in kinds.items()
    }
    figures = {kind: shown(f"{kind} of published grids", table(some)) for kind, some in fits.items()}
    everything = [*fits["splits"], *fits["corners"]]
    figures["left out"] = shown("each family with GRID_DOUBT of the others", left_out(everything))
    further = {"rolling": rolling(everything), "means": means(everything)}
    found = []
    for task, fixed in own_tasks():
        small = {name: x[task.fitted] for name, x in task.sizes.items()}
        try:
            found.append((task, auto(task.error[task.fitted], level=LEVEL, fixed=fixed, **small)))
        except (NoFit, ValueError):
            print(f"{task.family} {task.name}: no fit")
    figures["own"] = shown("errsrc's own grids", table(found))
    if options.out:
        options.out.write_text(json.dumps({**figures, **further}, indent=1) + "\n")


if __name__ == "__main__":
    main()
