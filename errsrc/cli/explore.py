"""errsrc explore: an app in the browser to play with theory and with laws, or an offline page."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

DESCRIPTION = """\
Open an app in the browser.  In its first view, sliders set a problem: the number of examples n,
the number M of basis functions (waves) that the learner knows, the label noise, the ridge, and the
energy of the target outside these functions.  After each move of a slider, the page shows the four
terms of the exact error budget, the learning curve of theory, and the Nyquist cliff at n = M.

The second view fits a law in n and m to a table of training runs, which you drop into the page or
name as FILE.  It shows the law's parameters, the compute-optimal sizes of a budget, and the
cheapest run that reaches an error, all with intervals.  Without a table it shows a published one.
The options for columns mean the same as in 'errsrc frontier'.  You can change the columns in menus
of the app.  If you name no columns, the menus first select usual names, such as tokens, params and
loss.

The app is served on this machine only, at 127.0.0.1, until you press Ctrl-C.  It needs marimo:
pip install 'errsrc[explore]'.

With --html the command writes one page instead, which opens offline and needs no marimo.  Its
sliders have fewer positions, whose results are computed in advance, in half a minute of one core.
"""

EXAMPLES = """\
examples:
  errsrc explore
  errsrc explore runs.csv --n tokens --m params --error loss
  errsrc explore --html page.html
  errsrc explore runs.csv --html page.html --budget 1.5e21
"""

COLUMNS = {
    "n": "the column of the data size (default: n, or a usual name such as tokens)",
    "m": "the column of the model size (default: m, or a usual name such as params)",
    "error": "the column of the error (default: error, or a usual name such as loss)",
    "flops": "the column of training compute (default: flops); without n, n = flops / (6 m)",
}
"""The columns of a table, with their help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    from errsrc.cli.frontier import budgets
    from errsrc.cli.numbers import LIST
    from errsrc.cli.tables import add_columns, add_where_argument
    from errsrc.fitting.approaches import LAWS

    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="a table of runs, as for 'errsrc fit'")
    add_columns(parser, COLUMNS)
    add_where_argument(parser)
    add("--law", choices=LAWS, default="chinchilla", metavar="LAW", help="%(choices)s (default: chinchilla)")
    add(
        "--budget",
        **(LIST | {"type": budgets}),
        default=(),
        metavar="C",
        help="more budgets for the slider, such as 1.5e21; the page opens with the first (default: none)",
    )
    add("--html", metavar="PAGE.html", help="write an offline page to this file, and start no app")
    add("--port", type=port, default=0, metavar="P", help="the port of the app (default: a free one)")
    add("--no-browser", action="store_true", help="print the address of the app, and open no browser")


def port(text: str) -> int:
    """Return a port from 0 to 65535; raise ArgumentTypeError for other text.

    Parameters
    ----------
    text : str
        The argument.
    """
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def run(args: argparse.Namespace) -> None:
    """Write the page, or serve the app."""
    from errsrc.cli.outputs import check_output
    from errsrc.cli.tables import given_columns
    from errsrc.extras import require

    if args.file == "-":
        raise ValueError("FILE must be the name of a file: standard input cannot be read again.")
    check_output("--html", args.html, *([] if args.file is None else [args.file]))
    if args.html is None:
        require("errsrc explore", "marimo")
    columns = given_columns(args, COLUMNS)
    if args.html is not None:
        _write_page(args, columns)
        return
    from errsrc.explore.server import Served, serve
    from errsrc.tables import read_table

    if args.file is not None:  # a wrong file, or a column that it does not have, is refused here
        table = read_table(args.file).where(args.where or ())
        columns = {role: table.found(name) or name for role, name in columns.items()}
        table.require_all(dict.fromkeys(columns.values(), ""))
    file = None if args.file is None else Path(args.file)
    rest = (tuple(args.where or ()), tuple(args.budget))
    options = Served(file, args.law, columns, table_sentence, *rest)
    serve(options, args.port, open_browser=not args.no_browser)
    sys.stdout.flush()
    os._exit(0)  # the threads of marimo's kernels do not end, and Python would wait for them


def _write_page(args: argparse.Namespace, columns: dict[str, str]) -> None:
    """Write the offline page."""
    import shlex

    from errsrc.cli.outputs import print_written
    from errsrc.explore import explorer_page, fitted_table
    from errsrc.explore.uploads import example_table
    from errsrc.fitting.approaches import columns_of_runs
    from errsrc.tables import read_table

    words = ["errsrc", "explore", *([] if args.file is None else [args.file])]
    words += [word for name, column in columns.items() for word in (f"--{name}", column)]
    words += [word for one in args.where or () for word in ("--where", one)]
    words += [] if args.law == "chinchilla" else ["--law", args.law]
    words += ["--budget", *(f"{one:g}" for one in args.budget)] if args.budget else []
    if args.file is None:
        table = example_table(args.law, args.budget)
    else:
        found = columns_of_runs(read_table(args.file), columns)
        found.pop("run", None)
        name, where = Path(args.file).name, args.where
        options = {"columns": found, "where": where, "source": name, "budgets": args.budget}
        table = fitted_table(args.file, args.law, **options)
    view = "budget" if args.file is None else "law"
    page = explorer_page(table, command=shlex.join([*words, "--html", args.html]), view=view)
    Path(args.html).write_text(page, encoding="utf-8")
    print_written(args.html)


def table_sentence(error: Exception) -> str:
    """Return the sentence that 'errsrc fit' prints for an error about a table.

    Parameters
    ----------
    error : Exception
        The error.
    """
    from errsrc.cli import fit, one_sentence

    parser = argparse.ArgumentParser()
    fit.add_arguments(parser)
    return one_sentence(error, frozenset(parser._option_string_actions))
