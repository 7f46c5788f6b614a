"""Print the deficiency of students in a study of training steps, and its parts.

Command:  python sims/budget_steps.py [sims/budget_steps.toml | sims/budget_horizon.toml] [--store FILE.db]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from errsrc.studies import load
from errsrc.studies.budgets import budget_from_row
from errsrc.sweeps import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path, nargs="?", default=Path(__file__).with_suffix(".toml"))
    parser.add_argument("--store", type=Path, help="the file of finished cells (default: the study's, .db)")
    args = parser.parse_args()
    study = load(args.study)
    with Store(args.store or args.study.with_suffix(".db")) as store:
        rows = store.rows(study)
    print("width  optimiser   steps  deficiency                  parts")
    for cell, row in zip(study, rows, strict=True):
        found, student = budget_from_row(row).relative, cell.learner
        width, optimiser = student.architecture.sizes[1], student.recipe.optimiser
        if found.not_yet is None:
            parts = f"left by the optimiser {found.optimiser}"
        else:
            parts = f"not yet at {student.horizon:,} steps {found.not_yet!s:<26} never {found.never}"
        print(f"{width:5}  {optimiser:<9} {student.steps:7,}  {found.deficiency.lower!s:<26}  {parts}")


if __name__ == "__main__":
    main()
