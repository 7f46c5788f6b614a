"""errsrc plan: the sizes that reach a given error, or the smallest error within a budget."""

from __future__ import annotations

import argparse

from errsrc.fitting import load_fit, plan

DESCRIPTION = """\
Find the sizes n (and m) that reach a given error at the lowest cost, or the smallest error that
a given budget can reach.  The predictions come from the fit in fit.json.

The cost is 6 n m, the operations of one pass over n training examples with a model of m
parameters.  For a law in n alone the cost is n.  If the given error is below the floor of the
law, no size reaches the error, and the exit code is 1.
"""

EXAMPLES = """\
examples:
  errsrc plan fit.json --error 0.05
  errsrc plan fit.json --budget 1e18
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("fit", metavar="fit.json", help="a fit that 'errsrc fit --out' wrote")
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--error", type=float, metavar="X", help="the error to reach")
    goal.add_argument("--budget", type=float, metavar="C", help="the largest cost")
    parser.add_argument(
        "--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)"
    )


def run(args: argparse.Namespace) -> None:
    """Print the plan."""
    found = plan(load_fit(args.fit), error=args.error, budget=args.budget, level=args.level)
    print(found)
