"""errsrc predict: the errors of new runs, predicted with a fit."""

from __future__ import annotations

import argparse
import sys

from errsrc.fitting import load_fit, predict_csv

DESCRIPTION = """\
Predict the error of one new training run for each row of FILE.csv, with the fit in fit.json.

The command prints the rows of the file unchanged, with three more columns: predicted, and low
and high, the ends of an interval for the error of that run.  FILE.csv needs the columns of
inputs that the fit was made from, under the same names.
"""

EXAMPLES = """\
example:
  errsrc fit small.csv --out fit.json
  errsrc predict fit.json large.csv > predicted.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("fit", metavar="fit.json", help="a fit that 'errsrc fit --out' wrote")
    parser.add_argument("file", metavar="FILE.csv", help="the sizes of the new runs, a run per row")
    parser.add_argument(
        "--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)"
    )


def run(args: argparse.Namespace) -> None:
    """Print the rows of the file with their predictions."""
    found = predict_csv(load_fit(args.fit), args.file, level=args.level)
    lines = list(found.lines())
    for warning in found.warnings:
        print(f"errsrc: warning: {warning}", file=sys.stderr)
    print("\n".join(lines))
