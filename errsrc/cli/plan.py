"""errsrc plan: what it takes to reach an error, or what a budget buys."""

from __future__ import annotations

import argparse
from typing import Any

from errsrc.fitting import files
from errsrc.fitting.plans import plan

DESCRIPTION = """\
Turn the fit in fit.json round: print the cheapest n (and m) that reach an error, or the least
error that a budget buys.

The cost is 6 n m, the operations of one pass over n examples of a model of m parameters; for
a law in n alone it is n.  An error under the law's floor is out of reach at any cost: exit 1.
"""

EXAMPLES = """\
examples:
  errsrc plan fit.json --error 0.05
  errsrc plan fit.json --budget 1e18
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "plan",
        help="the sizes that reach an error",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument("fit", metavar="fit.json", help="written by errsrc fit --out")
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--error", type=float, metavar="X", help="the error to reach")
    goal.add_argument("--budget", type=float, metavar="C", help="the most to spend")
    parser.add_argument(
        "--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (0.9)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Plan and print the plan."""
    found = plan(files.load_fit(args.fit), error=args.error, budget=args.budget, level=args.level)
    rows = {"n": found.n, "m": found.m, "cost": found.cost, "error": found.error, "floor": found.floor}
    print(f"{'':<7} {100 * args.level:.6g}% intervals, for one new run:")
    for name, interval in rows.items():
        if interval is not None:
            open_ended = name in ("n", "m", "cost") and not interval.determined
            centre = f", {interval.estimate:.2g} by the fitted law" if open_ended else ""
            print(f"{name:<7} {interval}{centre}")
    for warning in found.warnings:
        print(f"warning {warning}")
