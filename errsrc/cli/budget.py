"""errsrc budget: where a learner's error comes from."""

from __future__ import annotations

import argparse
import functools
import json
from typing import Any

from errsrc.cli.stores import add_study

DESCRIPTION = """\
Say how much of a learner's risk is noise, how much realizability, uncertainty and deficiency.

STUDY.toml is a study of kind "budget": a setting, a learner, and n over which they are drawn
('pydoc errsrc.studies' and sims/budget_*.toml show some).  What is missing of it is computed
first, as 'errsrc run' does it.  Beside it come two figures of each setting and learner: the
terms over n, and their shares.
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "where a learner's error comes from"
    parser = commands.add_parser("budget", help=text, description=DESCRIPTION, formatter_class=raw)
    add_study(parser, "budget")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compute, print, draw; refuse a study of another kind."""
    from errsrc.cli.stores import compute, refuse_failed, study_and_store
    from errsrc.plots.budget import save
    from errsrc.studies.budgets import BudgetCell, curves, table, verdict
    from errsrc.sweeps import Store, local

    study, path = study_and_store(args.study, args.store)
    if study.kind.cell is not BudgetCell:
        raise ValueError(f"{args.study} is a study of kind {study.kind.name!r}, and not of kind 'budget'.")
    with Store(path, write=True) as store:
        engine = functools.partial(local, workers=args.workers)
        summary = compute(store, study, engine, args.retry)
        rows = store.rows(study)
    done = [cell for cell, key in zip(study, study.cell_keys(), strict=True) if key not in summary.failed]
    found = curves(done, rows)
    written = save(found, path.with_suffix(""))
    if args.json:
        print(json.dumps(rows, indent=1))
    else:
        for cell, budgets in found:
            print(f"{cell.learner}\nin {cell.setting}\n{table(budgets)}")
            print(f"shape of the excess risk\n{verdict(cell, budgets)}\n")
        for one in written:
            print(f"wrote {one}")
    refuse_failed(summary)
