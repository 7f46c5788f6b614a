"""errsrc predict: the errors of new runs, predicted with a fit."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from errsrc.cli.numbers import LIST
from errsrc.cli.outputs import add_plot_argument, check_plot, write_plot
from errsrc.fitting import load_fit, predict_csv
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.table_columns import SIZES
from errsrc.results import json_value
from errsrc.tables import left_out_sentence

INPUTS = (*SIZES, "eps_np")
"""Inputs of laws, each of which has an option."""
EXAMPLE_SIZES = {"density": "0.1", "eps_np": "0.1", "depth": "8", "width": "8", "layers": "8"}
"""Example values in the help of these options; the help of the other options shows a large number."""

DESCRIPTION = """\
Predict the error of one new training run for each row of FILE, or for the sizes on the command
line, with the fit in fit.json.

The command prints the rows of the file unchanged, with three more columns: predicted, and low
and high, the ends of an interval for the error of that run.  FILE needs a column for each input
of the fit.  If a column has another name than in the fitted table, give its name with --column.
Rows that cannot be predicted get empty cells and are counted on standard error.  FILE is a table
in any format that 'errsrc fit' reads.

The runs of a sweep move together: if the law is too high for one of them, it is probably too high
for the others.  --mean predicts the geometric mean of their errors, and --joint gives intervals
that hold for all of them at once.
"""

EXAMPLES = """\
examples:
  errsrc fit small.csv --out fit.json
  errsrc predict fit.json --n 1.4T --m 70B
  errsrc predict fit.json large.csv > predicted.csv
  errsrc predict fit.json large.csv --column n=train/tokens --column m=params
  errsrc predict fit.json large.csv --mean
  errsrc predict fit.json --n 1e9,1e10,1e11 --joint
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("fit", metavar="fit.json", help="a fit that 'errsrc fit --out' wrote")
    add("file", metavar="FILE", nargs="?", help="the new runs, one per row; - for standard input")
    for name in INPUTS:
        example = EXAMPLE_SIZES.get(name, "1e9 or 70B")
        add(
            f"--{name}",
            **LIST,
            metavar="X",
            help=f"values of {name}, such as {example}, instead of FILE; separated by blanks or commas",
        )
    add(
        "--column",
        type=renaming,
        action="append",
        metavar="INPUT=COL",
        help="the column of an input in FILE, if it differs from that of the fitted table; may be repeated",
    )
    add("--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)")
    several = parser.add_mutually_exclusive_group()
    several.add_argument(
        "--mean",
        action="store_true",
        help="print the geometric mean of the errors of all runs, with one interval, instead of the rows",
    )
    several.add_argument(
        "--joint",
        action="store_true",
        help="intervals that hold for all runs at once, with the probability --level",
    )
    add("--strict", action="store_true", help="refuse rows that cannot be predicted")
    add_plot_argument(parser)
    add("--json", action="store_true", help="print one JSON object with a list for each column instead")


def run(args: argparse.Namespace) -> None:
    """Print the rows of the file, or the given sizes, with their predictions."""
    sizes = {name: getattr(args, name) for name in INPUTS if getattr(args, name) is not None}
    if (args.file is None) == (not sizes):
        raise ValueError("Name either a file of new runs, or their sizes, such as --n 1.4T --m 70B.")
    if sizes and args.column:
        raise ValueError("--column names a column of FILE: leave --column out.")
    check_plot(args.plot, args.fit, *([] if args.file is None else [args.file]))
    fit = load_fit(args.fit)
    if sizes:
        given: Prediction = _of_sizes(fit, sizes, args.level)
        _print(given.joint() if args.joint else given, _table, args)
        return
    columns = dict(args.column or ())
    found = predict_csv(fit, args.file, level=args.level, strict=args.strict, columns=columns)
    if not args.mean:
        next(found.lines(), None)  # refuses a file that has the columns of the result
    if found.left_out:
        print(f"errsrc: {left_out_sentence(found.left_out, len(found.table))}", file=sys.stderr)
    _print(found.joint() if args.joint else found, str, args)


def _print(found: Prediction, text: Callable[[Any], str], args: argparse.Namespace) -> None:
    """Print a prediction as JSON, as its mean or as text, and write its figure."""
    for warning in found.warnings:
        print(f"errsrc: warning: {warning}", file=sys.stderr)
    if not args.json:  # the variance of a mean has other parts than that of a run
        for remark in found.range_remarks if args.mean else found.remarks:
            print(f"errsrc: {remark}", file=sys.stderr)
    if args.mean:
        _print_mean(found, args.json)
    else:
        print(json.dumps(found.as_dict(), allow_nan=False) if args.json else text(found))
    write_plot(found, args.plot)


def _print_mean(found: Prediction, as_json: bool) -> None:
    """Print the geometric mean of the errors of all runs that are predicted."""
    mean, runs = found.mean(), int(np.isfinite(found.predicted).sum())
    if as_json:
        shown = {"mean": mean, "runs": runs, "warnings": found.warnings, "left_out": found.left_out}
        shown |= {"measured": found.measured}
        print(json.dumps(json_value(shown), allow_nan=False))
    else:
        of = "error of one run" if runs == 1 else f"geometric mean of the errors of {runs:,} runs"
        print(f"{of}: {mean} ({100 * mean.level:.6g}% interval)")


def _of_sizes(fit: Forecast, sizes: dict[str, list[float]], level: float) -> Prediction:
    """Return the prediction at sizes: a single value counts for all values of the other sizes."""
    needed = ", ".join(f"--{name}" for name in fit.input_names)
    if set(sizes) != set(fit.input_names):
        given = ", ".join(f"--{name}" for name in sizes)
        raise ValueError(f"This fit needs {needed}. Got {given}.")
    longest = max(map(len, sizes.values()))
    for name, values in sizes.items():
        if len(values) not in (1, longest):
            raise ValueError(f"--{name} has {len(values)} values, and another size has {longest}.")
    return fit.predict(level, **{name: x * (longest if len(x) == 1 else 1) for name, x in sizes.items()})


def _table(found: Prediction) -> str:
    """Return the sizes with their predictions as CSV."""
    columns = {**found.inputs, **found.columns()}
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(repr, row)) for row in rows)])


def renaming(text: str) -> tuple[str, str]:
    """Return the input and the column of an argument such as "n=train/tokens".

    Parameters
    ----------
    text : str
        The argument.
    """
    name, sign, column = text.partition("=")
    if not (name.strip() and sign and column.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not INPUT=COL, such as n=train/tokens")
    return name.strip(), column.strip()
