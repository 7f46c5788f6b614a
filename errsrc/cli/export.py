"""errsrc export: the finished cells of a study as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DESCRIPTION = """\
Write the finished cells of a study as CSV.  A cell is one computation, such as the training of
one network.  Each cell is a row: its full configuration, its result, the seconds that it took, the
device, and the time when it was finished.

For a study (.toml), the command writes the cells of the study, in the order of the study.  For a
file of finished cells (.db), it writes all cells of the file, in the order in which they were
finished.  Any SQLite client can read the .db file too: its view "runs" has the same columns.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    from errsrc.cli.stores import add_module_arguments

    parser.add_argument("study", metavar="STUDY", help="a study (.toml), or a file of finished cells (.db)")
    parser.add_argument(
        "--csv", nargs="?", default="-", const="-", metavar="FILE", help="the file to write (default: stdout)"
    )
    parser.add_argument(
        "--curves",
        action="store_true",
        help="write a row for each step of training or pruning, not for each cell, with columns curve.NAME",
    )
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (default: STUDY.db)")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the rows as JSON; with --csv FILE, the path and the number of rows",
    )
    add_module_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Write the table of finished cells as CSV."""
    from errsrc.cli.stores import check_target, maybe_study, print_json
    from errsrc.sweeps import Store

    study, path = maybe_study(args)
    if args.json and args.curves and args.csv == "-":
        raise ValueError("--json prints no curves: name a file with --csv, or leave --json out.")
    if args.csv != "-":
        check_target(args.csv, Path(args.study), path)
    with Store(path) as store:
        if args.csv == "-" and args.json:
            print_json(store.rows(study))
        elif args.csv == "-":
            store.export(sys.stdout, study, args.curves)
        else:
            with open(args.csv, "w", newline="", encoding="utf-8") as file:
                store.export(file, study, args.curves)
            if args.json:
                print_json({"path": args.csv, "cells": len(store.rows(study))})
