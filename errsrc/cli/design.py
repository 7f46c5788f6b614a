"""errsrc design: the next runs that narrow the interval of an answer most for their cost."""

from __future__ import annotations

import argparse
import json
from typing import Any

from errsrc.cli.numbers import sizes
from errsrc.cli.outputs import add_plot_argument, check_plot, write_plot
from errsrc.fitting import design, load_fit
from errsrc.fitting.table_inputs import table_inputs
from errsrc.tables import read_table

DESCRIPTION = """\
Find the runs to make next: those that narrow the interval of an answer most for their cost.  The
answer is the error of a large run (--predict), an exponent of the law (--exponent), or the
compute-optimal model size at a budget (--frontier).

The command prints the runs in their order, with the interval that is expected after each.  Make
the first run or the first few, fit again with their errors, and repeat the command.  With
--until, the list of runs ends when the interval is narrow enough.

The cost is 6 n m, the operations of one pass over n training examples with a model of m
parameters.  For a law in n alone the cost is n.
"""

EXAMPLES = """\
examples:
  errsrc design fit.json --predict n=1e12,m=7e10 --budget 1e20 --until 0.03
  errsrc design fit.json --exponent n --candidates possible.csv
  errsrc design fit.json --frontier 1e23 --budget 1e21 --plot design.png
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add = parser.add_argument
    add("fit", metavar="fit.json", help="a fit that 'errsrc fit --out' wrote")
    question = parser.add_mutually_exclusive_group(required=True)
    question.add_argument(
        "--predict", type=sizes, metavar="n=N,m=M", help="the error of a run of these sizes"
    )
    question.add_argument("--exponent", metavar="INPUT", help="the exponent of the law in n or in m")
    question.add_argument("--frontier", type=float, metavar="C", help="the optimal model size at a budget")
    add("--budget", type=float, metavar="C", help="most to spend (default: the cost of the fitted points)")
    add(
        "--until",
        type=float,
        metavar="X",
        help="stop when half the width of the interval is at most X; for an error or a size, X is a share of "
        "it (0.03 is 3%%)",
    )
    add("--runs", type=int, default=10, metavar="K", help="largest number of runs (default: 10)")
    add("--candidates", metavar="FILE", help="table of the runs that can be made (default: a grid)")
    add("--cost", choices=("6nm",), default="6nm", help="the cost model (default and only choice: 6nm)")
    add("--level", type=float, default=0.9, metavar="P", help="coverage of the interval (default: 0.9)")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    add_plot_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Print the design, and draw it if --plot is given."""
    check_plot(args.plot, args.fit, *([args.candidates] if args.candidates else []))
    fit = load_fit(args.fit)
    question: dict[str, Any] = args.predict or {}
    _check_question(args, fit.input_names)
    if not question:
        name = "frontier" if args.exponent is None else "exponent"
        question = {name: getattr(args, name)}
    candidates = None
    if args.candidates:
        candidates, _, _ = table_inputs(read_table(args.candidates), fit.input_names, fit.notes, None, True)
    found = design(
        fit,
        question,
        candidates=candidates,
        budget=args.budget,
        until=args.until,
        runs=args.runs,
        level=args.level,
    )
    print(json.dumps(found.as_dict(), allow_nan=False) if args.json else found)
    write_plot(found, args.plot)


def _check_question(args: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Raise ValueError for a question that does not suit a law in these inputs."""
    law = f"{args.fit} has a law in {', '.join(names)}"
    if args.predict and set(args.predict) != set(names):
        wanted = ",".join(f"{name}={name.upper()}" for name in names)
        raise ValueError(f"{law}: --predict takes {wanted}. Got {', '.join(args.predict)}.")
    if args.frontier is not None and set(names) != {"n", "m"}:
        raise ValueError(f"--frontier needs a fit of a law in n and m. {law}.")
