"""errsrc frontier: the compute-optimal sizes at many budgets, and their exponents."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from errsrc.cli.fit import assignment, fixed_parameters
from errsrc.cli.numbers import LIST, number, number_list
from errsrc.cli.outputs import add_plot_argument, check_plot, print_result, write_plot
from errsrc.cli.tables import add_columns, add_table_arguments, table_of_arguments
from errsrc.fitting import compute_optimal, frontier, load_fit
from errsrc.fitting.approaches import LAWS, ROLES
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.frontiers import powers_of_ten
from errsrc.fitting.plans import training_flops
from errsrc.fitting.problem import OBJECTIVES
from errsrc.results import Result

COLUMNS = {
    "error": "the error or loss (default: error)",
    "m": "the model size, in parameters (default: m)",
    "n": "the data size, in examples or tokens (default: n)",
    "flops": "the operations of training (default: flops)",
    "run": "the name of the run, if a run has several rows (default: run)",
}
"""What the columns of a table hold, for the help."""

SAME = ("nominal", "law", "objective", "accuracy", "strict", "test_size", "best_of", "keep_far", "level")
"""Arguments of the command that have the same name in `compute_optimal`."""

MOST_BUDGETS = 10_000
"""Largest number of budgets of a range."""

DESCRIPTION = """\
Find the model size m* and the data size n* that have the lowest error at each training budget C,
and the exponents a and b of m* ~ C^a and n* ~ C^b.  All numbers have intervals.

From a table of runs, the command prints the result of each approach of Hoffmann et al. 2022
(arXiv 2203.15556) that the runs allow:
  1  the envelope of training curves, if a column names the run of each row (--run)
  2  isoFLOP parabolas: a parabola in ln m through the runs of each budget
  3  a law that is fitted to all runs (--law)
From a fit.json, it prints the frontier of that fit.

The cost model is C = 6 n m, in operations.  The table has the columns error, m and n, or flops
instead of one of the sizes: the missing size follows from the cost model.  Numbers may end in k,
M, B (or G) or T.  Runs with unusable numbers or far from the law are left out, and named.
"""

EXAMPLES = """\
examples:
  errsrc frontier runs.csv --flops compute --m params --error loss --budget 1e21 1e23
  errsrc frontier runs.csv --budgets 1e18:1e24:7 --plot frontier.png
  errsrc frontier fit.json --budget 1e21
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("file", metavar="FILE", help="a table of runs, or a fit.json that 'errsrc fit --out' wrote")
    add_columns(parser, {name: f"the column of {COLUMNS[name]}" for name in ROLES})
    add_table_arguments(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--budget",
        **(LIST | {"type": budgets}),
        metavar="C",
        help="budgets, such as 1e21 or a range as for --budgets (default: powers of ten)",
    )
    which.add_argument(
        "--budgets",
        type=budget_range,
        dest="budget",
        metavar="LOW:HIGH:COUNT",
        help="budgets with equal ratios between their neighbours, such as 1e18:1e24:7",
    )
    add(
        "--nominal",
        **LIST,
        metavar="C",
        help="the budgets that the runs were made for (default: runs whose flops differ by at most 10%% have "
        "the same budget)",
    )
    add("--cost", choices=("6nm",), default="6nm", help="the cost model (default and only choice: 6nm)")
    add(
        "--law",
        choices=LAWS,
        default="chinchilla",
        metavar="LAW",
        help="the law of approach 3 (default: chinchilla): %(choices)s",
    )
    add("--fix", type=assignment, action="append", metavar="NAME=VALUE", help="hold a parameter of the law")
    add("--objective", choices=OBJECTIVES, metavar="LOSS", help="what the fit minimises, see errsrc fit")
    add("--delta", type=float, metavar="X", help="threshold of --objective huber, in ln error")
    add(
        "--keep-far",
        action="store_true",
        help="also use the runs that are far from the parabolas and the law",
    )
    add("--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    add_plot_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Print the frontier of a fit, or the frontiers of a table, and draw them if --plot is given."""
    check_plot(args.plot, args.file)
    if args.file not in ("", "-") and _holds_a_fit(Path(args.file)):
        fit = load_fit(args.file)
        found: Result = frontier(fit, args.budget or _default_budgets(fit), level=args.level)
    else:
        table, columns = table_of_arguments(args, ROLES)
        found = compute_optimal(
            data=table,
            **columns,
            budgets=args.budget,
            fixed=fixed_parameters(args.fix, None),
            huber_delta=args.delta,
            **{name: getattr(args, name) for name in SAME},
        )
    print_result(found, found.as_dict(), args.json)
    write_plot(found, args.plot)


def _default_budgets(fit: Forecast) -> Any:
    """Return powers of ten around the compute of the fitted runs; any budget for a fit without n and m."""
    sizes = fit.inputs
    return powers_of_ten(training_flops(sizes["n"], sizes["m"])) if {"n", "m"} <= sizes.keys() else 1.0


def _holds_a_fit(path: Path) -> bool:
    """Return whether a file is a fit, by its first bytes, and not a table in JSON."""
    with path.open("rb") as file:
        return b'"errsrc fit' in file.read(200)


def budgets(text: str) -> list[float]:
    """Return the budgets of an argument such as "1e21,1e23" or "1e18:1e24:7".

    Parameters
    ----------
    text : str
        Numbers separated by commas, or a range.
    """
    return budget_range(text) if ":" in text else number_list(text)


def budget_range(text: str) -> list[float]:
    """Return the budgets of an argument such as "1e18:1e24:7".

    Parameters
    ----------
    text : str
        The smallest budget, the largest, and their number.
    """
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not LOW:HIGH:COUNT, such as 1e18:1e24:7")
    low, high = map(number, parts[:2])
    if not parts[2].isdecimal() or not 1 <= int(parts[2]) <= MOST_BUDGETS:
        wanted = f"COUNT must be an integer from 1 to {MOST_BUDGETS:,}"
        raise argparse.ArgumentTypeError(f"{wanted} in {text!r}, got {parts[2]!r}")
    if not 0 < low <= high < math.inf:
        raise argparse.ArgumentTypeError(f"LOW must be > 0 and HIGH finite and at least LOW in {text!r}")
    count = int(parts[2])
    return [low * (high / low) ** (k / max(count - 1, 1)) for k in range(count)]
