"""Train the grid of sims/pruning_sizes.toml in an order in which a stop leaves a balanced part.

Claim:    The laws of pruned networks that are fitted to networks with 1 and 2 hidden layers predict networks
          with 4 hidden layers, which are trained after the predictions are written.
Command:  python sims/pruning_sizes.py [--store FILE] [--minutes M] [--out benchmarks/results]
          python sims/pruning_layers.py sims/pruning_sizes.toml [--store FILE]     (the laws, afterwards)
Writes:   pruning_sizes_predictions.csv to --out, before any network with 4 hidden layers is trained, and
          pruning_sizes.csv after each part, as `errsrc export sims/pruning_sizes.toml --curves` does
Cost:     see sims/pruning_sizes.toml
Outcome:  see sims/pruning_sizes.toml

The command can be stopped at any time; the same command continues.  With ERRSRC_STATE=FOLDER in the
environment it continues in the middle of a part.  A predicted error takes eps_np of the network with 2 hidden
layers of the same width and n, because the plateau of the deeper network is not known yet.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from pruning_layers import LAWS, with_layers
from pruning_unseen import joint_fit

from errsrc.studies import load
from errsrc.studies.files import save_dated_csv
from errsrc.studies.pruned import levels
from errsrc.sweeps import Store, run, serial
from errsrc.sweeps.study import Study
from errsrc.training import prunable

SPEC = Path(__file__).with_suffix(".toml")
SIZES, BETWEEN = (1000, 4000, 16_000), (2000, 8000)
DEEP = 4
LEVELS = 0.8 ** np.arange(31)


def parts(study: Study) -> list[Study]:
    """Return the study in parts: few widths and n first, then the others, then further seeds."""
    first = [(width, SIZES, 0) for width in (16, 64, 32, 8)] + [(w, BETWEEN, 0) for w in (16, 64, 32, 8)]
    seeds = sorted({cell.seed for cell in study} - {0})
    order = first + [(width, SIZES + BETWEEN, seed) for seed in seeds for width in (16, 64, 32, 8)]
    blocks = [order[k : k + 2] for k in range(0, len(order), 2)]  # two widths at all depths before the next
    out = []
    for block in blocks:
        for depth in (1, 2, DEEP):
            for width, sizes, seed in block:
                key = (depth, width, seed)
                cells = [c for c in study if (c.depth, c.width, c.seed) == key and c.n in sizes]
                out.append(Study.of(study.kind, cells))
    return out


def predict(store: Store, study: Study, path: Path) -> None:
    """Write predictions of the deep networks of the first part, from the networks that are trained by now."""
    at = with_layers(levels(store.rows(study), store.curves(study)))
    if (at["depth"] == DEEP).any():
        raise ValueError(f"Networks with {DEEP} hidden layers are trained already: predict before that.")
    columns: dict[str, list[object]] = {
        name: [] for name in ("law", "depth", "width", "n", "density", "eps_np", "predicted")
    }
    weights = {cell.width: prunable(cell.network()) for cell in study if cell.depth == DEEP}
    for name, (law, fixed) in LAWS.items():
        found = joint_fit(at, None, law, fixed)
        print(f"{name}:", ", ".join(f"{key} {interval}" for key, interval in found.intervals.items()))
        for width, n in sorted(
            {(w, n) for w, n, d in zip(*(at[key] for key in ("width", "n", "depth")), strict=True) if d == 2}
        ):
            own = (at["width"] == width) & (at["n"] == n) & (at["depth"] == 2)
            sizes = {
                "density": LEVELS,
                "depth": np.full(len(LEVELS), float(DEEP)),
                "width": np.full(len(LEVELS), width),
                "eps_np": np.full(len(LEVELS), at["eps_np"][own][0]),
                "remaining": LEVELS * weights[int(width)],
                "layers": np.full(len(LEVELS), DEEP + 1.0),
            }
            error = found.law.error(**{key: sizes[key] for key in law.inputs})
            columns["law"] += [name] * len(LEVELS)
            columns["n"] += [n] * len(LEVELS)
            columns["predicted"] += error.tolist()
            for key in ("depth", "width", "density", "eps_np"):
                columns[key] += sizes[key].tolist()
    save_dated_csv(path, {name: np.array(column) for name, column in columns.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", type=Path, default=SPEC.with_suffix(".db"), help="finished cells")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no part after so long")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    study, start = load(SPEC), time.monotonic()
    predictions = options.out / f"{SPEC.stem}_predictions.csv"
    for part in parts(study):
        if time.monotonic() - start > 60 * options.minutes:
            break
        with Store(options.store, write=True) as store:
            if not store.missing(part):
                continue
            if part[0].depth == DEEP and not predictions.exists():
                predict(store, study, predictions)
            print(time.strftime("%H:%M:%S"), run(part, store, serial, progress=False), flush=True)
            with (options.out / f"{SPEC.stem}.csv").open("w", newline="", encoding="utf-8") as file:
                store.export(file, study, curves=True)


if __name__ == "__main__":
    main()
