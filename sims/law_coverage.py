"""Print how often the intervals of a finished study of the kind "recovery" contain the true values.

Each row of the table stands for one quantity, and for cells that differ by their seeds alone.  It shows the
number of cells, of intervals, and of intervals with two finite ends; the share of the intervals that contain
the true value, with its 95% binomial interval; the mean width of the intervals with two finite ends, divided
by the true value.

Command:  python sims/law_coverage.py [SPEC.toml] [--store FILE.db] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import scipy

from errsrc.studies import load
from errsrc.studies.recovery import coverage_table, coverages
from errsrc.sweeps import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("spec", type=Path, nargs="?", default=Path(__file__).with_suffix(".toml"))
    parser.add_argument("--store", type=Path, help="the file of finished cells; by default next to SPEC.toml")
    parser.add_argument("--out", type=Path, help="write the table to this JSON file")
    options = parser.parse_args()
    study = load(options.spec)
    with Store(options.store or options.spec.with_suffix(".db")) as store:
        missing, rows = set(store.missing(study)), store.rows(study)
    finished = (cell for index, cell in enumerate(study) if index not in missing)
    found = coverages(zip(finished, rows, strict=True))
    print(coverage_table(found))
    if missing:
        print(f"{len(missing):,} of {len(study):,} cells are missing.")
    if options.out:
        machine = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        }
        command = f"errsrc run {options.spec} && python sims/law_coverage.py {options.spec}"
        rows = [one._asdict() | {"interval": one.ends()} for one in found]
        seeds = sorted({cell.seed for cell in study})
        content = {"command": command, "seeds": seeds, "machine": machine, "coverage": rows}
        options.out.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
