"""The arguments of commands that read a table of runs: the columns of the table, and the rows to use."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from errsrc.fitting.csv_fits import melted
from errsrc.fitting.table_columns import SIZES
from errsrc.tables import DataTable, read_table
from errsrc.tables.conditions import parse_condition

COLUMNS = {name: f"the column of {name} (default: {name})" for name in (*SIZES, "error")} | {
    "flops": "the column of training compute; without n, n = flops / (6 m)"
}
"""The columns of a table that a law is fitted to, with their help."""


def add_table_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose columns and rows of a table, except the options of `add_columns`.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    add = parser.add_argument
    add_where_argument(parser)
    add(
        "--melt",
        action="store_true",
        help="for files with a column for each run, such as 'RUN - val/loss'.  The file becomes a table with "
        "the columns Step, run, val/loss and other metrics.  By default Step is n, and val/loss is the error",
    )
    add(
        "--best-of",
        action="store_true",
        help="keep only the smallest error of rows with equal sizes, for example of several learning rates",
    )
    add("--strict", action="store_true", help="refuse a file with rows that would be left out")
    add(
        "--accuracy",
        action="store_true",
        help="the error column holds accuracies: fit 1 - accuracy, or 1 - accuracy / 100 if any exceeds 1",
    )
    add(
        "--test-size",
        type=int,
        metavar="N",
        help="number of test examples: take errors of 0 as 1 / (2 N) instead of leaving them out",
    )


def add_where_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses rows of a table.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    parser.add_argument(
        "--where",
        type=condition,
        action="append",
        metavar="CONDITION",
        help="take only the rows that meet this condition, such as dataset=LAION, 'group!=test' or "
        "'val/loss<5'; may be repeated",
    )


def add_cluster_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which rows of a table may have correlated noise.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    parser.add_argument(
        "--cluster",
        action="append",
        metavar="COL",
        help="column that says which rows belong together, such as the evaluations of one run.  Their noise "
        "may be correlated, and intervals treat only such groups as independent.  The option may be given "
        "several times (default: each row is independent; in a table with at least 6 pruned networks, the "
        "rows of one network are a group)",
    )


def add_columns(parser: argparse.ArgumentParser, columns: dict[str, str]) -> None:
    """Add an option for each column of the table.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    columns : dict of str to str
        The help of each option, by its name.
    """
    for name, what in columns.items():
        parser.add_argument(f"--{name}", metavar="COL", dest=f"{name}_column", help=what)


def given_columns(args: argparse.Namespace, names: Iterable[str]) -> dict[str, str]:
    """Return the columns that the user has named.

    Parameters
    ----------
    args : Namespace
        The arguments of the command.
    names : iterable of str
        Names of the options of `add_columns`.
    """
    columns = {name: getattr(args, f"{name}_column") for name in names}
    return {name: column for name, column in columns.items() if column is not None}


def table_of_arguments(args: argparse.Namespace, names: Iterable[str]) -> tuple[DataTable, dict[str, Any]]:
    """Return the table with the rows that the arguments choose, and the columns that the arguments name.

    Parameters
    ----------
    args : Namespace
        The arguments of the command.
    names : iterable of str
        Names of the options of `add_columns`.
    """
    table, columns = read_table(args.file), given_columns(args, names)
    if args.melt:
        table, columns = melted(table, columns)
    return table.where(args.where or ()), columns


def condition(text: str) -> str:
    """Return an argument such as "dataset=LAION" or "loss<5"; raise ArgumentTypeError if it is no condition.

    Parameters
    ----------
    text : str
        The argument.
    """
    try:
        parse_condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
