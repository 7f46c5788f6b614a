"""errsrc plan: the sizes that reach a given error, or the smallest error within a budget."""

from __future__ import annotations

import argparse
import json

from errsrc.cli.numbers import LIST
from errsrc.cli.outputs import add_plot_argument, check_plot, write_plot
from errsrc.fitting import load_fit, plan
from errsrc.fitting.plans import plans_table

DESCRIPTION = """\
Find the sizes n (and m) that reach a given error at the lowest cost, or the smallest error that
a given budget can reach.  The predictions come from the fit in fit.json.

The cost is 6 n m, the operations of one pass over n training examples with a model of m
parameters.  For a law in n alone the cost is n.  If the given error is below the floor of the
law, no size reaches the error, and the exit code is 1.  'errsrc frontier' finds the optimal sizes
at many budgets with their exponents.
"""

EXAMPLES = """\
examples:
  errsrc plan fit.json --error 0.05 --plot plan.png
  errsrc plan fit.json --budget 1e18 1e19 1e20
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("fit", metavar="fit.json", help="a fit that 'errsrc fit --out' wrote")
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--error", **LIST, metavar="X", help="the error to reach, or several")
    goal.add_argument("--budget", **LIST, metavar="C", help="the largest cost, or several")
    parser.add_argument(
        "--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)"
    )
    add_plot_argument(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> None:
    """Print the plan, or the plans of several goals as one table."""
    check_plot(args.plot, args.fit)
    fit, goals = load_fit(args.fit), {"level": args.level}
    found = plan(fit, error=args.error, **goals) if args.error else plan(fit, budget=args.budget, **goals)
    if args.json:
        shown = [one.as_dict() for one in found]
        print(json.dumps(shown[0] if len(shown) == 1 else shown, allow_nan=False))
    else:
        print(found[0] if len(found) == 1 else plans_table(found))
    write_plot(found, args.plot)
