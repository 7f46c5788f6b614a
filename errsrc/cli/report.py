"""errsrc report: one HTML page about a study."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Write one HTML page about the finished cells of a study.  A cell is one computation, such as the
training of one network.  The page has conclusions, tables, figures, fitted laws with intervals,
warnings, what was run, and how to make each figure again.  The page is a single file and opens
offline.  The command fits laws, but it computes no cells: use 'errsrc run' for that.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    from errsrc.cli.stores import add_module_arguments

    parser.add_argument("study", metavar="STUDY.toml", help="the study")
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (default: STUDY.db)")
    parser.add_argument("--out", metavar="FILE.html", help="the page to write (default: STUDY.html)")
    parser.add_argument("--json", action="store_true", help="print the path of the page as JSON")
    add_module_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Write the page and print its path."""
    from errsrc.cli.stores import check_target, import_named, print_json, print_warnings
    from errsrc.report.page import page
    from errsrc.report.provenance import provenance
    from errsrc.report.study import study_content
    from errsrc.studies import load_study

    import_named(args)
    finished = load_study(args.study, args.store)
    out = Path(args.out or Path(args.study).with_suffix(".html"))
    check_target(str(out), Path(args.study), finished.store)
    content = study_content(finished)
    out.write_text(page(content, provenance(finished)), encoding="utf-8")
    print_warnings(content.cautions)
    if args.json:
        print_json({"path": out, "finished": len(finished.cells), "missing": finished.missing})
    else:
        print(out)
