"""errsrc predict: the errors of new runs, from a fit."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from errsrc.fitting import files
from errsrc.fitting.csv_columns import to_predict
from errsrc.fitting.csv_table import read

DESCRIPTION = """\
Predict the error of one new run for every row of a CSV file, with the fit in fit.json.

The rows come back on stdout as they were, with three columns added: predicted, and the
ends low and high of an interval for that one run.  The columns' names are those of the fit.
"""

EXAMPLES = """\
example:
  errsrc fit small.csv --out fit.json
  errsrc predict fit.json large.csv > predicted.csv
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "predict",
        help="predict the errors of new runs",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument("fit", metavar="fit.json", help="written by errsrc fit --out")
    parser.add_argument("file", metavar="FILE.csv", help="the sizes to predict at")
    parser.add_argument(
        "--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (0.9)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Predict at every row and write the rows back."""
    notes, forecast = files.fit_notes(args.fit), files.load_fit(args.fit)
    table = read(args.file)
    prediction = forecast.predict(level=args.level, **to_predict(table, forecast, notes))
    lines = list(table.extended(prediction.columns()))
    for warning in prediction.warnings:
        print(f"errsrc: warning: {warning}", file=sys.stderr)
    print("\n".join(lines))
