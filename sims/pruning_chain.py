"""Predict pruned networks of sizes that were never trained, from two laws in a chain; then train them.

The dense law of each depth is fitted to sims/pruning_dense.toml, the joint pruning law to
sims/pruning_grid.toml; run both studies first.

Claim:    The predictions of the chained laws, written before the networks of sims/pruning_chain.toml are
          trained, hold within their intervals.
Command:  python sims/pruning_chain.py [--stores FOLDER] [--out benchmarks/results]
Writes:   pruning_chain_predictions.csv to --out, before anything is trained, and pruning_chain_cells.csv
Cost:     see sims/pruning_chain.toml
Outcome:  see sims/pruning_chain.toml
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import numpy as np
from pruning import Columns, described, points

from errsrc.fitting import ChainedFit, fit
from errsrc.laws import Dense, JointPruning
from errsrc.studies import load
from errsrc.studies.files import save_dated_csv
from errsrc.studies.pruned import CONFIGURATION
from errsrc.sweeps import Store, local, run

HERE = Path(__file__).parent
LEVELS = 0.8 ** np.arange(31)


def laws(stores: Path) -> dict[int, ChainedFit]:
    """Return the chain of each depth."""
    grid = points(HERE / "pruning_grid.toml", stores / "pruning_grid.db")
    pruned = fit(JointPruning, grid["error"], **{name: grid[name] for name in JointPruning.inputs})
    print(f"joint law: {described(pruned)}")
    first = grid["density"] == 1
    dip = float(np.log(grid["eps_np"][first] / grid["error"][first]).mean())
    with Store(stores / "pruning_dense.db") as store:
        dense = store.columns(load(HERE / "pruning_dense.toml"))
    out = {}
    for depth in np.unique(dense["depth"]).tolist():
        own = dense["depth"] == depth
        law = fit(Dense, dense["error"][own], fixed={"eps0": 0.9}, n=dense["n"][own], m=dense["m"][own])
        print(f"dense law, depth {depth}: {described(law)}")
        out[depth] = ChainedFit(law, pruned, dip)
    print(f"the dense plateau lies {np.expm1(dip):+.1%} from the unpruned error")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--stores", type=Path, default=HERE, help="where the files of finished cells lie (sims)"
    )
    parser.add_argument("--out", type=Path, default=HERE.parent / "benchmarks" / "results")
    options = parser.parse_args()
    study, chains = load(HERE / "pruning_chain.toml"), laws(options.stores)
    networks = {(cell.depth, cell.width, cell.n): float(cell.parameters) for cell in study}
    rows: list[Columns] = []
    for (depth, width, n), m in networks.items():
        sizes = {"depth": depth, "width": width, "n": n, "m": m, "density": LEVELS}
        named = {name: np.broadcast_to(x, LEVELS.shape).astype(float) for name, x in sizes.items()}
        rows.append({**named, **chains[depth].predict(**named).columns()})
    predicted = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    path = options.out / "pruning_chain_predictions.csv"
    if not path.exists():  # kept with its time: the networks may have been trained since
        save_dated_csv(path, predicted)

    with Store(options.stores / "pruning_chain.db", write=True) as store:
        print(run(study, store, functools.partial(local, workers=1), retry=True))
    found = points(HERE / "pruning_chain.toml", options.stores / "pruning_chain.db")
    ahead: Columns = {name: np.empty(len(found["error"])) for name in ("predicted", "low", "high")}
    for depth, chain in chains.items():
        own = found["depth"] == depth
        if own.any():
            part = chain.predict(**{name: found[name][own] for name in chain.input_names}).columns()
            for name, values in part.items():
                ahead[name][own] = values
    marks = {"before_dip": found["before_dip"].astype(int)}
    save_dated_csv(options.out / "pruning_chain_cells.csv", {**found, **marks, **ahead})
    off = ahead["predicted"] / found["error"] - 1
    inside = (ahead["low"] <= found["error"]) & (found["error"] <= ahead["high"])
    labels = {"unpruned": found["density"] == 1, "all levels": found["density"] <= 1}
    for k in np.unique(found["config"]):
        own = found["config"] == k
        labels[", ".join(f"{name} {found[name][own][0]:,.0f}" for name in CONFIGURATION)] = own
    for label, own in labels.items():
        print(f"{label}: {off[own].mean():+.1%} +- {off[own].std():.1%}", end=", ")
        print(f"{inside[own].mean():.0%} of runs in their 90% intervals")


if __name__ == "__main__":
    main()
