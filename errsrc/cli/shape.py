"""errsrc shape: the shape of a learning curve, such as a power law, a cliff or a peak."""

from __future__ import annotations

import argparse
import json

from errsrc.cli import for_shell
from errsrc.cli.outputs import add_plot_argument, check_plot, write_plot
from errsrc.cli.tables import add_columns, add_where_argument, given_columns
from errsrc.curves import curve_shape
from errsrc.tables import read_table

DESCRIPTION = """\
Decide which shape a learning curve has.  FILE is a table with one run in each row: the number n of
training examples, the error, and optionally its standard error.  Rows with equal n are repetitions.

The verdicts:
  power law          the error falls as a power of n, with or without a floor
  bend               the exponent changes
  plateau then fall  the error is flat at first, then falls
  cliff              the error falls to its floor or to zero, faster than any power of n
  peak               the error rises and then falls, as in double descent
  dip                the error falls and then rises
  rise               the error rises, and does not fall before or after
  not decided        the runs do not decide the shape

For each n, the command prints the error, and the exponent of the error between this n and the next.
It then prints the scores of the laws on runs that were left out of their fits, and the verdict with
its reason.
"""

EXAMPLES = """\
examples:
  errsrc shape runs.csv
  errsrc shape runs.csv --n examples --error 'val/error' --where model=small --plot shape.png
  errsrc shape means.csv --std-error sem --json
"""

COLUMNS = {
    "n": "the column of n (default: n)",
    "error": "the column of the error (default: error)",
    "std-error": "a column of the standard errors, if they are known (default: the noise is estimated)",
}
"""The options that name columns, with their help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the measured errors; - for standard input")
    add_columns(parser, COLUMNS)
    add_where_argument(parser)
    add("--strict", action="store_true", help="refuse a file with rows that would be left out")
    add("--accuracy", action="store_true", help="the error column holds accuracies: use 1 - accuracy")
    zero = "errors up to X count as 0; for error rates, give 3 divided by the number of test examples"
    add("--zero", type=float, metavar="X", help=zero)
    add("--level", type=float, default=0.95, metavar="P", help="coverage of the intervals (default: 0.95)")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of the simulated noise behind the intervals (default: 0)",
    )
    add_plot_argument(parser)
    add("--json", action="store_true", help="print one JSON object instead of a table")


def run(args: argparse.Namespace) -> None:
    """Print the shape, and draw it if --plot is given."""
    check_plot(args.plot, args.file)
    columns = given_columns(args, COLUMNS)
    found = curve_shape(
        columns.get("n"),
        columns.get("error"),
        data=read_table(args.file).where(args.where or ()),
        accuracy=args.accuracy,
        strict=args.strict,
        std_error=columns.get("std-error"),
        zero=args.zero,
        level=args.level,
        seed=args.seed,
    )
    print(json.dumps(found.as_dict(), allow_nan=False) if args.json else for_shell(str(found)))
    write_plot(found, args.plot)
