"""errsrc compare: several scaling laws, judged on the same points."""

from __future__ import annotations

import argparse

from errsrc.cli.fit import assignment, fixed_parameters
from errsrc.cli.outputs import add_plot_argument, check_plot, print_result, write_plot
from errsrc.cli.tables import (
    COLUMNS,
    add_cluster_argument,
    add_columns,
    add_table_arguments,
    table_of_arguments,
)
from errsrc.fitting import compare
from errsrc.fitting.problem import OBJECTIVES

DESCRIPTION = """\
Compare scaling laws on the same points.  Each law is fitted to the smaller sizes and predicts the
larger ones, which are held out, in several splits; it is also fitted to all points.  The law that
predicts the held-out sizes best comes first.  FILE is a table as for 'errsrc fit'.

The columns of the result:
  miss    root mean square of ln (predicted / measured error) at the held-out sizes
  in 90%  share of the held-out runs that lie in their intervals
  AICc    Akaike's criterion for few points, minus its smallest value among the laws
  weight  Akaike weight: the relative evidence for the law, if one of these laws holds
  noise   standard deviation of ln error around the law
"""

EXAMPLES = """\
examples:
  errsrc compare runs.csv
  errsrc compare runs.csv --laws power,broken,cliff --n tokens --error loss
  errsrc compare runs.csv --flops compute --m params --error loss --where 'loss<5'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the measured errors; - for standard input")
    laws = "laws by name (default: all laws whose inputs are columns of the table)"
    add("--laws", metavar="A,B,C", help=laws)
    add_columns(parser, COLUMNS)
    add("--weight", metavar="COL", help="a column of relative weights (default: equal weights)")
    add_cluster_argument(parser)
    add_table_arguments(parser)
    add("--eps0", type=float, metavar="X", help="error of a random guess, if it is known")
    add("--fix", type=assignment, action="append", metavar="NAME=VALUE", help="hold a parameter at a value")
    add(
        "--objective",
        choices=OBJECTIVES,
        default="log",
        metavar="LOSS",
        help="what the fits minimise, see errsrc fit (default here: log)",
    )
    add("--delta", type=float, metavar="X", help="threshold of --objective huber, in ln error")
    add("--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)")
    add_plot_argument(parser)
    add("--json", action="store_true", help="print one JSON object instead of a table")


def run(args: argparse.Namespace) -> None:
    """Compare the laws and print the comparison."""
    check_plot(args.plot, args.file)
    table, columns = table_of_arguments(args, COLUMNS)
    found = compare(
        None if args.laws is None else [name.strip() for name in args.laws.split(",")],
        data=table,
        accuracy=args.accuracy,
        strict=args.strict,
        test_size=args.test_size,
        best_of=args.best_of,
        fixed=fixed_parameters(args.fix, args.eps0),
        weights=args.weight,
        clusters=args.cluster,
        objective=args.objective,
        huber_delta=args.delta,
        level=args.level,
        **columns,
    )
    print_result(found, found.as_dict(), args.json)
    write_plot(found, args.plot)
