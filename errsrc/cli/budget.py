"""errsrc budget: a learner's error, split into its sources."""

from __future__ import annotations

import argparse

from errsrc.cli.outputs import print_written
from errsrc.cli.stores import add_study_arguments, compute_study, print_json, raise_if_failed

DESCRIPTION = """\
Split the test error of a learner into four parts: noise, which no predictor can avoid;
realizability, from the part of the target that no function of the learner's class can express;
uncertainty, from what the training examples leave undetermined; and deficiency, which the
learner itself adds.

STUDY.toml is a study of kind "budget": a setting, a learner, and numbers n of training examples.
'pydoc errsrc.studies' shows how to write a study; sims/budget_*.toml are examples.  A cell is one
computation of the study, here the budget at one n.  The command first computes the cells that are
missing, like 'errsrc run'.  It prints the budgets and writes two plots for each setting and
learner: the four parts over n, and the share of each part.

With draws = "auto", a cell adds random draws until the interval of the total is narrow enough:
precision = 0.05 means that half the width of the interval is at most 5% of the total.  If a few draws
of the inputs make up most of the mean of a part, no interval is given for this part.
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
        print_json(found.rows)
    else:
        for cell, budgets in budgets_of:
            print(f"{cell.learner}\nin {cell.setting}\n{budget_table(budgets)}")
            print(f"shape of the excess risk\n{excess_shape(cell, budgets)}\n")
    for path in written:
        print_written(path)
    raise_if_failed(found.summary)
