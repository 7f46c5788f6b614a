"""Print the outcome of sims/budget_steps.toml: deficiency against training steps.

Command:  python sims/budget_steps.py [--store sims/budget_steps.db]
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
    print("width  optimiser   steps  deficiency                  of it left by the optimiser")
    for cell, row in zip(study, rows, strict=True):
        found, student = budget_from_row(row).relative, cell.learner
        width, optimiser = student.architecture.sizes[1], student.recipe.optimiser
        shown = f"{width:5}  {optimiser:<9} {student.steps:7,}  {found.deficiency.lower!s:<26}"
        print(f"{shown}  {found.optimiser}")


if __name__ == "__main__":
    main()
