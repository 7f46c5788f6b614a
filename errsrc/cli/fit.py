"""errsrc fit: a scaling law, fitted to a CSV file."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from errsrc.cli.outputs import (
    add_plot_argument,
    check_output,
    check_plot,
    print_result,
    print_written,
    write_plot,
)
from errsrc.cli.tables import COLUMNS, add_cluster_argument, add_columns, add_table_arguments, given_columns
from errsrc.fitting import files
from errsrc.fitting.csv_fits import fit_csv
from errsrc.fitting.problem import OBJECTIVES
from errsrc.laws import ALL

LAWS = ("auto", *(name for name in ALL if name != "joint-pruning"))

DESCRIPTION = """\
Fit a scaling law to measured errors and print its parameters, each with an interval.

FILE is a table with a header and one trained model per row: CSV (separated by commas, semicolons
or tabs, with decimal points or commas), JSON lines, Parquet, or - for standard input.  Rows with
equal sizes are repetitions with other seeds.  Numbers may end in k, M, B (or G), T or a percent
sign.  Rows that cannot be used are left out and counted: empty cells, NaN, inf,
values that are not > 0, copies of other rows, and rows whose column "diverged" is true.
Rows that are far from the law, such as runs that diverged, are left out too, and a warning names
them.  --keep-far fits these rows, and --objective huber discounts them instead.
The columns, by their default names:
  n        number of training examples, or of tokens
  m        number of parameters of the model
  u        number of different examples or tokens among the n (--law finite-data)
  flops    operations of the training; if there is no column n, n is flops / (6 m)
  error    test error of the model, or its loss
and for pruned networks (--law pruning, or sparse-training):
  density  share of the weights that are left, 1 if no weight is removed
  depth, width
           sizes of the network before pruning, if the file has several networks
  eps_np   error of the unpruned network (default: estimated from the rows near density 1)
  remaining, layers
           weights that are left, and layers with weights (--law layer-pruning, with width and eps_np)
Other columns are ignored.

laws:
  auto        several laws, averaged by how well they fit the points (the default)
  dense       law in n and m, from the error eps0 of a random guess down to a floor
  chinchilla  E + A m^-alpha + B n^-beta
  coupled     like chinchilla, with one more parameter k: the terms add up at k = 1, and the larger
              term alone counts near k = 0
  coupled-dense
              like dense, with the parameter k of coupled
  power       c_inf + a n^-alpha, a power law with the floor c_inf
  envelope    power law in n, from the error of a random guess down to a floor
  m4          like envelope, with one more parameter for the bend near the error of a guess
  broken      power law in n whose exponent changes once
  broken2     power law in n whose exponent changes twice
  cliff       power law in n that ends in a fall faster than any power of n
  pruning     one pruned network, or several that differ in depth, width and n
  layer-pruning
              pruned multilayer perceptrons of several depths: law in the weights left per layer
  finite-data law in n, u and m of models that see their data several times: repeated tokens count
              for less, and many repetitions may raise the error
  sparse-training
              law in density, n and m of networks that are pruned while they are trained; m is the
              number of parameters that are not 0
"""

EXAMPLES = """\
examples:
  errsrc fit runs.csv
  errsrc fit runs.csv --law dense --eps0 0.9 --out fit.json --plot fit.png
  errsrc fit runs.csv --law chinchilla --n tokens --m params --error loss --json
  errsrc fit runs.csv --law chinchilla --objective huber --delta 1e-3   as Hoffmann et al. 2022 do
  errsrc fit runs.csv --law power --fix c_inf=0                         a power law without a floor
  errsrc fit acc.csv --accuracy --error acc1 --where data=LAION         accuracies of some rows
  errsrc fit runs.csv --where 'loss<5' --where 'group!=test'            only these rows
  errsrc fit wandb.csv --melt --where run=olive-sea-7                   an export of Weights & Biases
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the measured errors; - for standard input")
    add("--law", choices=LAWS, default="auto", metavar="LAW", help="a law (default: auto)")
    add_columns(parser, COLUMNS)
    add("--weight", metavar="COL", help="a column of relative weights (default: equal weights)")
    add_cluster_argument(parser)
    add_table_arguments(parser)
    add(
        "--eps0",
        type=float,
        metavar="X",
        help="error of a random guess; --law auto then averages the dense laws too, if there is a column m",
    )
    add(
        "--fix",
        type=assignment,
        action="append",
        metavar="NAME=VALUE",
        help="hold a parameter of the law at a value instead of fitting the parameter; may be repeated",
    )
    add(
        "--objective",
        choices=OBJECTIVES,
        metavar="LOSS",
        help="what the fit of one law minimises; p is the predicted and e the measured error.  divergence: "
        "squares of (p - e) / e (default).  log: squares of ln(p / e).  huber: Huber losses of ln(p / e), "
        "which discount outliers.  absolute: squares of p - e",
    )
    add("--keep-far", action="store_true", help="also fit the rows that are far from the law")
    add(
        "--delta",
        type=float,
        metavar="X",
        help="threshold of --objective huber, in ln error (default: the robust standard deviation of the "
        "residuals; 1e-3 in Hoffmann et al. 2022)",
    )
    add(
        "--n-full",
        type=float,
        metavar="N",
        help="size of the full data set, the unit of n in dense, coupled-dense and envelope (default: the "
        "largest n)",
    )
    add(
        "--m-base",
        type=float,
        metavar="M",
        help="size of the base model, the unit of m in dense and coupled-dense (default: the largest m)",
    )
    add("--level", type=float, default=0.9, metavar="P", help="coverage of the intervals (default: 0.9)")
    add("--out", metavar="fit.json", help="write the fit to this file, for predict and plan")
    add_plot_argument(parser)
    add("--json", action="store_true", help="print one JSON object instead of a table")


def run(args: argparse.Namespace) -> None:
    """Fit a law, write the fit and its figure to files if the arguments name them, and print the fit."""
    check_output("--out", args.out, args.file)
    check_plot(args.plot, args.file, *([] if args.out is None else [args.out]))
    found = fit_csv(
        args.file,
        args.law,
        columns=given_columns(args, COLUMNS),
        weights=args.weight,
        clusters=args.cluster,
        where=args.where,
        melt=args.melt,
        accuracy=args.accuracy,
        strict=args.strict,
        test_size=args.test_size,
        best_of=args.best_of,
        keep_far=args.keep_far,
        fixed=fixed_parameters(args.fix, args.eps0),
        constants={name: x for name in ("n_full", "m_base") if (x := vars(args)[name]) is not None},
        objective=args.objective,
        huber_delta=args.delta,
        level=args.level,
    )
    if args.out is not None:
        files.save_fit(found, args.out)
        print_written(args.out)
    summary = files.fit_summary(found) | ({"law": args.law} if args.law == "pruning" else {})
    print_result(found, summary, args.json)
    write_plot(found, args.plot)


def assignment(text: str) -> tuple[str, float]:
    """Return the name and the value of an argument such as "alpha=0.5".

    Parameters
    ----------
    text : str
        The argument.
    """
    name, sign, value = text.partition("=")
    try:
        if not (name.strip() and sign):
            raise ValueError(text)
        return name.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as alpha=0.5") from None


def fixed_parameters(pairs: Iterable[tuple[str, float]] | None, eps0: float | None) -> dict[str, float]:
    """Return the values of the parameters that --fix and --eps0 fix; raise ValueError for a repeated name.

    Parameters
    ----------
    pairs : iterable of (str, float), optional
        Names and values, as `assignment` returns them.
    eps0 : float, optional
        The value of --eps0.
    """
    fixed: dict[str, float] = {}
    for name, value in [*(pairs or ()), *([] if eps0 is None else [("eps0", eps0)])]:
        if name in fixed:
            raise ValueError(f"{name} is given twice, as {fixed[name]:g} and {value:g}: give it once.")
        fixed[name] = value
    return fixed
