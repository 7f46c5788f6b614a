"""errsrc budget: a learner's error, split into its sources."""

from __future__ import annotations

import argparse
import json

from errsrc.cli.stores import add_study_arguments, compute_study, raise_if_failed

DESCRIPTION = """\
Split the test error of a learner into four parts: noise, which no predictor can avoid;
realizability, which the learner's class of functions cannot express; uncertainty, which the
training examples leave undetermined; and deficiency, which the learner itself adds.

STUDY.toml is a study of kind "budget": a setting, a learner, and numbers of examples n
('pydoc errsrc.studies' and sims/budget_*.toml show some).  Its missing cells are computed first,
as by 'errsrc run'.  The command also writes two figures for each setting and learner: the parts
over n, and their shares.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_study_arguments(parser, "budget")


def run(args: argparse.Namespace) -> None:
    """Compute the missing cells, print the budgets, and write their figures."""
    from errsrc.plots.budget import save
    from errsrc.studies.budgets import budget_table, budgets_over_n, excess_shape

    found = compute_study(args, ["budget"])
    budgets_of = budgets_over_n(found.cells, found.rows)
    written = save(budgets_of, found.store.with_suffix(""))
    if args.json:
        print(json.dumps(found.rows, indent=1))
    else:
        for cell, budgets in budgets_of:
            print(f"{cell.learner}\nin {cell.setting}\n{budget_table(budgets)}")
            print(f"shape of the excess risk\n{excess_shape(cell, budgets)}\n")
        for path in written:
            print(f"wrote {path}")
    raise_if_failed(found.summary)
