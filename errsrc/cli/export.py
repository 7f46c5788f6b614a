"""errsrc export: the finished cells of a study as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Write the finished cells of a study as CSV: a row a cell, with its configuration in full, its
result, the seconds it took, the device, and when it was finished.  Of a study (.toml) those that
it asks for, in its order; of a file of finished cells (.db) all, in the order they were finished.
Any SQLite client reads the file too: the view runs has the same columns.
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "the finished cells of a study as CSV"
    parser = commands.add_parser("export", help=text, description=DESCRIPTION, formatter_class=raw)
    parser.add_argument(
        "study", metavar="STUDY", help="the study (.toml), or its file of finished cells (.db)"
    )
    parser.add_argument("--csv", nargs="?", default="-", const="-", metavar="FILE", help="where to (stdout)")
    text = "a row for each point of a cell's curve (curve.NAME): of its training, or of its pruning"
    parser.add_argument("--curves", action="store_true", help=text)
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (STUDY.db)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the table."""
    from errsrc.cli.stores import maybe_study, refuse_own
    from errsrc.sweeps import Store

    study, path = maybe_study(args.study, args.store)
    if args.csv != "-":
        refuse_own(args.csv, Path(args.study), path)
    with Store(path) as store:
        if args.csv == "-":
            store.export(sys.stdout, study, args.curves)
        else:
            with open(args.csv, "w", newline="", encoding="utf-8") as file:
                store.export(file, study, args.curves)
