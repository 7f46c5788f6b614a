"""Print the outcome of sims/law_terms.toml: the terms of the fitted joint law, and those of the budget.

The law is E + A m^-alpha + B n^-beta. Its terms are compared with the noise, the realizability, and the sum
of uncertainty and deficiency. The realizability is an upper bound, found by distillation.

Command:  python sims/law_terms.py [STUDY.toml] [--store STUDY.db] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from errsrc.fitting import fit
from errsrc.laws import Chinchilla
from errsrc.studies import load
from errsrc.sweeps import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path, nargs="?", default=Path(__file__).with_suffix(".toml"))
    parser.add_argument("--store", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures to this JSON file")
    args = parser.parse_args()
    study = load(args.study)
    with Store(args.store or args.study.with_suffix(".db")) as store:
        rows = store.rows(study)
    n = np.array([cell.n for cell in study], dtype=float)
    m = np.array([cell.learner.architecture.parameters for cell in study], dtype=float)
    total, noise, outside = (
        np.array([row[key] for row in rows]) for key in ("total", "noise", "realizability.upper")
    )
    found = fit(Chinchilla, total, n=n, m=m)
    law = found.law
    miss = float(np.std(np.log(total / law.error(n=n, m=m))))
    print(f"fitted to {len(rows)} risks, typical miss {miss:.1%}")
    for name, interval in found.intervals.items():
        print(f"  {name:<6} {interval}")
    print(f"\nc_inf {law.E:.4g}, noise {noise.mean():.4g}")
    print("\n     m   law's A m^-alpha   realizability, at most   ratio")
    for size in np.unique(m):
        ours, theirs = outside[m == size].mean(), law.A * size**-law.alpha
        ratio = f"{theirs / ours:.2f}" if ours > 0 else "-"
        print(f"{size:6.0f} {theirs:18.4g} {ours:24.4g} {ratio:>7}")
    print("\n     n   law's B n^-beta   uncertainty + deficiency at each m (law / budget)")
    rest = total - noise - outside
    for size in np.unique(n):
        theirs = law.B * size**-law.beta
        each = [f"{value:.3g} ({theirs / value:.2f})" for value in rest[n == size][np.argsort(m[n == size])]]
        print(f"{size:6.0f} {theirs:17.4g}   " + "  ".join(each))
    if args.json:
        sizes, numbers = np.unique(m), np.unique(n)
        figures = {
            "miss": miss,
            "m": sizes.tolist(),
            "n": numbers.tolist(),
            "law": {name: [one.estimate, one.low, one.high] for name, one in found.intervals.items()},
            "model term": (law.A * sizes**-law.alpha).tolist(),
            "data term": (law.B * numbers**-law.beta).tolist(),
            "realizability, at most": [outside[m == size].mean() for size in sizes],
            "uncertainty + deficiency": [[rest[(m == a) & (n == b)].item() for b in numbers] for a in sizes],
        }
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
