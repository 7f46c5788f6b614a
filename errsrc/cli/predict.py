"""errsrc predict: the errors of new runs, predicted with a fit."""

from __future__ import annotations

import argparse
import json
import sys

from errsrc.cli.outputs import add_plot_argument, check_plot, write_plot
from errsrc.fitting import load_fit, predict_csv
from errsrc.tables import left_out_sentence

DESCRIPTION = """\
Predict the error of one new training run for each row of FILE, with the fit in fit.json.

The command prints the rows of the file unchanged, with three more columns: predicted, and low
and high, the ends of an interval for the error of that run.  FILE needs the columns of inputs
that the fit was made from, under the same names.  Rows that cannot be predicted get empty cells
and are counted on standard error.  FILE is a table in any format that 'errsrc fit' reads.
"""

EXAMPLES = """\
example:
  errsrc fit small.csv --out fit.json
  errsrc predict fit.json large.csv > predicted.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("fit", metavar="fit.json", help="a fit that 'errsrc fit --out' wrote")
    parser.add_argument("file", metavar="FILE", help="the new runs, one per row; - for standard input")
    parser.add_argument(
        "--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)"
    )
    parser.add_argument("--strict", action="store_true", help="refuse rows that cannot be predicted")
    add_plot_argument(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object with a list for each column instead"
    )


def run(args: argparse.Namespace) -> None:
    """Print the rows of the file with their predictions."""
    check_plot(args.plot, args.fit, args.file)
    found = predict_csv(load_fit(args.fit), args.file, level=args.level, strict=args.strict)
    lines = list(found.lines())
    if found.left_out:
        print(f"errsrc: {left_out_sentence(found.left_out, len(found.table))}", file=sys.stderr)
    for warning in found.warnings:
        print(f"errsrc: warning: {warning}", file=sys.stderr)
    print(json.dumps(found.as_dict(), allow_nan=False) if args.json else "\n".join(lines))
    write_plot(found, args.plot)
