"""errsrc report: one page on what a study has found."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Write one HTML page on the finished cells of a study: verdicts, tables, figures, the laws fitted to
them with intervals, warnings, what was run, and how to make each figure again.  The page opens
offline, in one file.  Nothing is computed but fits: 'errsrc run' computes what is missing.
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "one page on what a study has found"
    parser = commands.add_parser("report", help=text, description=DESCRIPTION, formatter_class=raw)
    parser.add_argument("study", metavar="STUDY.toml", help="the study")
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (STUDY.db)")
    parser.add_argument("--out", metavar="FILE.html", help="the page (STUDY.html)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the page and print where it is."""
    from errsrc.cli.stores import refuse_own, study_and_store
    from errsrc.report import study_page
    from errsrc.sweeps import Store

    study, path = study_and_store(args.study, args.store)
    spec = Path(args.study)
    out = Path(args.out or spec.with_suffix(".html"))
    refuse_own(str(out), spec, path)
    with Store(path) as store:
        page = study_page(study, store, spec)
    out.write_text(page, encoding="utf-8")
    print(out)
