"""Do forecasts hold on data that nobody tuned on?  Extrapolations of published curves and grids.

    python benchmarks/forecasts.py [--lcdb FILE.csv] [--pretraining FILE.csv] [--out FILE.json]

Each task fits the default estimator to the small sizes of a published table and predicts the large ones.
Grids are split at several sizes ("rolling").  Each learning curve is split where its source splits it, and
once more inside its fitted part.  Tasks belong to families: the isoFLOP experiments, OLMo, the three OpenLM
data sets, and the domains of the learning curves.  Two options add the learners of LCDB 1.0 (Mohr et al.
2022, `database-accuracy.csv` with the columns openmlid, learner, size_train, error_mean) and pretraining runs
(Choshen et al. 2024, arXiv 2410.11840, with the columns run, tokens, loss).

(a) Every family: RMSLE, coverage and mean interval score (Gneiting and Raftery 2007, eq. 43, of ln error) of
    90% intervals, next to a naive band of 1.645 standard deviations of the residuals.
(b) Leave one family out: the constant GRID_DOUBT is chosen on all other families of grids by the likelihood
    of their errors, and scored on the family that was left out.
(c) SHARPNESS: RMSLE of the average for several values, all families.
(d) k of the coupled law, with a 90% interval, in whole grids: published ones, and errsrc's own.
(e) errsrc's own grids: held-out cells that are larger than all fitted cells in n and in m.

Ten core-minutes with both options, three without.
"""

from __future__ import annotations

import argparse
import collections
import csv
import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from errsrc.datasets import published, published_curves
from errsrc.errors import NoFit
from errsrc.fitting import AveragedFit, auto, fit
from errsrc.fitting import forecasts as constants
from errsrc.laws import Chinchilla, Coupled

LEVEL = 0.9
DOUBTS = (0.02, 0.03, 0.04, 0.045, 0.05, 0.06, 0.08, 0.1)
OWN = {"vision": {"eps0": 0.9}, "language_small": {}, "language_grid": {}}
"""errsrc's own grids, in `results`, with what is known of each."""
SHARPNESSES = (1.0, 0.5, 0.25, 0.1, 0.0)


class Task(NamedTuple):
    """Measured errors, and which of them to fit."""

    family: str
    name: str
    error: np.ndarray
    sizes: dict[str, np.ndarray]
    fitted: np.ndarray


class Score(NamedTuple):
    """How well the held-out points of a task were predicted."""

    rmsle: float
    covered: float
    score: float
    naive: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lcdb", type=Path, help="mean errors of LCDB 1.0")
    parser.add_argument("--pretraining", type=Path, help="losses of pretraining runs")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    tasks = [*grids(), *curves()]
    tasks += lcdb(options.lcdb) if options.lcdb else []
    tasks += pretraining(options.pretraining) if options.pretraining else []
    usable = [task for task in tasks if task.fitted.sum() >= 6 and not task.fitted.all()]
    fits = [(task, found) for task in usable if (found := fitted(task)) is not None]
    print(f"{len(usable)} tasks, {len(usable) - len(fits)} of them without a fit")
    figures = {
        "families": families(fits),
        "left out": left_out([(t, f) for t, f in fits if len(t.sizes) > 1]),
        "sharpness": sharpness(fits),
        "coupling": coupling(),
        "own corners": corners(),
    }
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def grids() -> Iterator[Task]:
    """Yield the tasks over n and m."""
    table = published("isoflops_openathena")
    for name in np.unique(table["experiment"]):
        rows = (table["experiment"] == name) & ~table["outlier"]
        budget, sizes = table["budget"][rows], {"n": table["tokens"][rows], "m": table["params"][rows]}
        budgets = np.unique(budget)
        for k in range(3, max(len(budgets) - 1, 4)):
            kept = budget <= budgets[min(k + 1, len(budgets) - 1)]
            part = {key: x[kept] for key, x in sizes.items()}
            fitted = budget[kept] <= budgets[k - 1]
            yield Task(f"isoFLOP {name}", f"<= {budgets[k - 1]:.0e}", table["loss"][rows][kept], part, fitted)
    table = published("olmo_ladder_final")
    sets = [key for key in table if key not in ("run", "role", "params", "tokens")]
    paper, m = table["role"] == "paper_train", table["params"]
    splits = {
        "7B and 13B": (paper, table["role"] == "target"),
        "3B": (paper, (table["role"] == "extra") & (m > 2e9)),
        "1B": (paper & (m < 9e8), paper & (m >= 9e8)),
    }
    for key, (name, split) in itertools.product(sets, splits.items()):
        yield _task("OLMo", f"{key} {name}", table[key], {"n": table["tokens"], "m": m}, *split)
    table = published("openlm_overtraining")
    n, m = table["tokens"], table["params"]
    splits = {
        ">= 1e9": (m < 5e8, m >= 1e9),
        "1e8 to 5e8": (m < 1e8, (m >= 1e8) & (m < 5e8)),
        "corner": ((m < 2e8) & (n < 8e9), (m >= 2e8) & (n >= 8e9)),
    }
    for data, key in itertools.product(
        np.unique(table["dataset"]), [k for k in table if k.startswith("loss")]
    ):
        rows = table["dataset"] == data
        for name, (small, large) in splits.items():
            yield _task(
                f"OpenLM {data}", f"{key} {name}", table[key], {"n": n, "m": m}, rows & small, rows & large
            )


def _task(
    family: str,
    name: str,
    error: np.ndarray,
    sizes: dict[str, np.ndarray],
    small: np.ndarray,
    large: np.ndarray,
) -> Task:
    rows = small | large
    return Task(family, name, error[rows], {k: x[rows] for k, x in sizes.items()}, small[rows])


def curves() -> Iterator[Task]:
    """Yield two tasks for each published learning curve."""
    for table in ("curves_vision", "curves_language"):
        for name, n, error, fitted in published_curves(table):
            family = f"curves {name.split()[0]}"
            yield Task(family, name, error, {"n": n}, fitted)
            if fitted.sum() >= 14:
                inner, small = n[fitted], n[fitted] <= np.quantile(n[fitted], 0.5)
                yield Task(family, f"{name}, inside", error[fitted], {"n": inner}, small)


def lcdb(path: Path) -> Iterator[Task]:
    """Yield a task for each learner and each fifth data set: fit up to a quarter of the largest n."""
    for (learner, data), n, error in _grouped(path, ("learner", "openmlid"), "size_train", "error_mean"):
        kept = error > 0
        if int(data) % 5 == 0 and kept.sum() >= 9:
            n, error = n[kept], error[kept]
            yield Task(f"LCDB {learner}", data, error, {"n": n}, n <= n.max() / 4)


def pretraining(path: Path) -> Iterator[Task]:
    """Yield a task for each run: fit two thirds of its points."""
    for (run,), n, error in _grouped(path, ("run",), "tokens", "loss"):
        yield Task("pretraining", run, error, {"n": n}, np.arange(len(n)) < len(n) * 2 // 3)


def _grouped(
    path: Path, keys: tuple[str, ...], size: str, error: str
) -> Iterator[tuple[tuple[str, ...], np.ndarray, np.ndarray]]:
    """Yield the key, the sizes in ascending order and the errors of each curve in a CSV file."""
    groups: dict[tuple[str, ...], list[tuple[float, float]]] = collections.defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            groups[tuple(row[key] for key in keys)].append((float(row[size]), float(row[error])))
    for key, points in sorted(groups.items()):
        n, errors = np.array(sorted(points)).T
        yield key, n, errors


def fitted(task: Task) -> AveragedFit | None:
    """Return the default estimator's fit of the small sizes; None where no law fits them, or they rise."""
    try:
        small = {name: x[task.fitted] for name, x in task.sizes.items()}
        return auto(task.error[task.fitted], level=LEVEL, **small)
    except (NoFit, ValueError):
        return None


def held_out(task: Task) -> dict[str, np.ndarray]:
    return {name: x[~task.fitted] for name, x in task.sizes.items()}


def judged(task: Task, found: AveragedFit) -> Score:
    """Score the forecasts of a fit."""
    small = {name: x[task.fitted] for name, x in task.sizes.items()}
    inside = np.log(found.predict(**small).predicted / task.error[task.fitted])
    ahead = found.predict(level=LEVEL, **held_out(task))
    truth, centre = np.log(task.error[~task.fitted]), np.log(ahead.predicted)
    low, high = np.log(ahead.low), np.log(ahead.high)
    naive = 1.645 * float(np.std(inside))
    return Score(
        float(np.sqrt(np.mean((centre - truth) ** 2))),
        float(np.mean((truth >= low) & (truth <= high))),
        float(np.mean(interval_scores(low, high, truth))),
        float(np.mean(interval_scores(centre - naive, centre + naive, truth))),
    )


def interval_scores(low: np.ndarray, high: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the score of each interval: its width, and 2 / (1 - level) times the distance to the truth."""
    miss = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return np.asarray(high - low + 2 / (1 - LEVEL) * miss)


def families(fits: list[tuple[Task, AveragedFit]]) -> dict[str, dict[str, float]]:
    """Print and return the mean scores of each family, and of all families together."""
    scores: dict[str, list[Score]] = collections.defaultdict(list)
    for task, found in fits:
        scores[task.family].append(judged(task, found))
    out = {}
    for family, values in scores.items():
        out[family] = dict(zip(Score._fields, np.mean(values, axis=0).tolist(), strict=True))
        out[family]["tasks"] = len(values)
    whole = np.mean([[v[key] for key in Score._fields] for v in out.values()], axis=0)
    out["mean of families"] = dict(zip(Score._fields, whole.tolist(), strict=True))
    for family, v in out.items():
        numbers = f"RMSLE {v['rmsle']:.4f}, covered {v['covered']:.2f}, score {v['score']:.4f}"
        print(f"(a) {family[:44]:44} {numbers} (naive {v['naive']:.4f}), {v.get('tasks', 'all')} tasks")
    return out


def left_out(fits: list[tuple[Task, AveragedFit]]) -> dict[str, dict[str, float]]:
    """Choose GRID_DOUBT without each family, and score the forecasts of this family with the choice."""
    chosen = constants.GRID_DOUBT
    score: dict[float, dict[str, list[tuple[float, Score]]]] = {}
    for doubt in DOUBTS:
        constants.GRID_DOUBT = doubt
        score[doubt] = collections.defaultdict(list)
        for task, found in fits:
            score[doubt][task.family].append((likelihood(task, found), judged(task, found)))
    constants.GRID_DOUBT = chosen
    out: dict[str, dict[str, float]] = {}
    for family in score[DOUBTS[0]]:
        group = family.split()[0]  # the OpenLM sets share their recipes, the isoFLOP families do not

        def total(doubt: float, group: str = group, family: str = family) -> float:
            others = [f for f in score[doubt] if f != family and (group != "OpenLM" or group not in f)]
            return float(np.mean([np.mean([x for x, _ in score[doubt][f]]) for f in others]))

        best = max(DOUBTS, key=total)
        values = np.mean([s for _, s in score[best][family]], axis=0).tolist()
        out[family] = {"doubt": best, **dict(zip(Score._fields, values, strict=True))}
        print(
            f"(b) without {family[:36]:36} GRID_DOUBT {best}: covered {values[1]:.2f}, score {values[2]:.4f}"
        )
    for key in ("covered", "score"):
        print(f"(b) {key}, mean of families left out: {np.mean([v[key] for v in out.values()]):.4f}")
    return out


def likelihood(task: Task, found: AveragedFit) -> float:
    """Return the mean log density of the held-out ln errors, a t distribution about the central curve."""
    sizes = held_out(task)
    centre, draws = found.curves(**sizes)
    spread = np.hypot(found.run_spread(centre, sizes), np.nanstd(draws, axis=0))
    standard = (np.log(task.error[~task.fitted]) - centre) / spread
    return float(np.mean(stats.t.logpdf(standard, found.tail) - np.log(spread)))


def sharpness(fits: list[tuple[Task, AveragedFit]]) -> dict[str, dict[str, float]]:
    """Print and return the RMSLE of averages whose weights depend more or less on the quality of the fits.

    The weights of a fit are those of its own sharpness s; the power t / s of a weight is that of sharpness t.
    """
    from errsrc.fitting.several_laws import SHARPNESS

    out: dict[str, dict[str, float]] = {}
    for value in SHARPNESSES:
        rmsle: dict[str, list[float]] = collections.defaultdict(list)
        for task, found in fits:
            own = SHARPNESS[tuple(task.sizes)]
            weights = np.array(found.weights) ** (value / own)
            weights /= weights.sum()
            logs = [member.curves(**held_out(task))[0] for member in found.members]
            centre = functools.reduce(np.add, [w * x for w, x in zip(weights, logs, strict=True)])
            miss = centre - np.log(task.error[~task.fitted])
            rmsle[f"{'grids' if len(task.sizes) > 1 else 'curves'} {task.family}"].append(
                float(np.sqrt(np.mean(miss**2)))
            )
        means: dict[str, Any] = {family: float(np.mean(v)) for family, v in rmsle.items()}
        for kind in ("grids", "curves"):
            means[f"mean of {kind}"] = float(np.mean([v for k, v in means.items() if k.startswith(kind)]))
        out[f"{value:g}"] = means
        both = ", ".join(f"{kind} {means[f'mean of {kind}']:.5f}" for kind in ("grids", "curves"))
        print(f"(c) sharpness {value:4}: RMSLE, mean of families: {both}")
    return out


def coupling() -> dict[str, tuple[float, float, float]]:
    """Print and return k of the coupled law, and the ends of its interval, in each whole grid."""
    out = {}
    for name, (error, n, m) in whole_grids():
        k = fit(Coupled, error, n=n, m=m, objective="huber").intervals["k"]
        out[name] = (k.estimate, k.low, k.high)
        print(f"(d) {name[:44]:44} {len(error)} points, k {k}")
    logs = np.log([k for name, (k, _, _) in out.items() if not name.startswith("own")])
    print(
        f"(d) {len(logs)} published: geometric mean {np.exp(logs.mean()):.2f}, std of ln k {logs.std():.2f}"
    )
    return out


def whole_grids() -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Yield the name, and the error, n and m of each grid."""
    table = published("isoflops_openathena")
    for name in np.unique(table["experiment"]):
        rows = (table["experiment"] == name) & ~table["outlier"]
        yield f"isoFLOP {name}", (table["loss"][rows], table["tokens"][rows], table["params"][rows])
    table = published("olmo_ladder_final")
    rows = table["role"] != "target"  # one of the targets was annealed
    for key in ("c4_en", "pile", "wikitext_103", "dolma_stack"):
        yield f"OLMo {key}", (table[key][rows], table["tokens"][rows], table["params"][rows])
    table = published("openlm_overtraining")
    for data, key in itertools.product(np.unique(table["dataset"]), ("loss_c4_val", "loss_open_lm_val")):
        rows = table["dataset"] == data
        yield f"OpenLM {data} {key}", (table[key][rows], table["tokens"][rows], table["params"][rows])
    table = published("frantar2023_vit_jft")
    rows = table["density"] == 1
    yield "ViT on JFT", (table["loss"][rows], table["examples"][rows], table["params_dense"][rows])
    for name in OWN:
        error, n, m, _ = own(name)
        yield f"own {name}", (error, n, m)


def own(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the error, n and m of each cell of an own grid, and whether it is held out."""
    with (Path(__file__).parent / "results" / f"{name}_cells.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    error, n, m = (np.array([float(row[key]) for row in rows]) for key in ("measured", "n", "m"))
    return error, n, m, np.array([row["held_out"] == "True" for row in rows])


def corners() -> dict[str, dict[str, float]]:
    """Print and return the mean divergence where n and m are larger than in all fitted cells."""
    out = {}
    for name, fixed in OWN.items():
        error, n, m, held = own(name)
        far = held & (n > n[~held].max()) & (m > m[~held].max())
        small = {"n": n[~held], "m": m[~held]}
        fits = {"additive": fit(Chinchilla, error[~held], objective="log", **small)}
        fits["default"] = auto(error[~held], fixed=fixed, **small)
        out[name] = {
            key: float(np.mean(found.predict(n=n[far], m=m[far]).predicted / error[far] - 1))
            for key, found in fits.items()
        }
        print(f"(e) {name}: " + ", ".join(f"{key} {value:+.1%}" for key, value in out[name].items()))
    return out


if __name__ == "__main__":
    main()
