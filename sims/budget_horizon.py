"""Print the outcome of sims/budget_horizon.toml: the deficiency split into not yet and never.

Command:  python sims/budget_horizon.py [--store sims/budget_horizon.db]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from errsrc.studies import load
from errsrc.studies.budgets import budget_from_row
from errsrc.sweeps import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", type=Path, default=Path(__file__).with_suffix(".db"))
    args = parser.parse_args()
    study = load(Path(__file__).with_suffix(".toml"))
    with Store(args.store) as store:
        rows = store.rows(study)
    print("width  optimiser  steps  horizon  not yet                     never")
    for cell, row in zip(study, rows, strict=True):
        found, student = budget_from_row(row).relative, cell.learner
        width, optimiser = student.architecture.sizes[1], student.recipe.optimiser
        shown = f"{width:5}  {optimiser:<9}  {student.steps:5,}  {student.horizon:7,}  {found.not_yet!s:<26}"
        print(f"{shown}  {found.never}")


if __name__ == "__main__":
    main()
