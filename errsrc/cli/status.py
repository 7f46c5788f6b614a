"""errsrc status: how far a study is."""

from __future__ import annotations

import argparse
import collections
from typing import Any

DESCRIPTION = """\
Say how far a study is: cells finished, failed and missing, what failed and why, who is at work,
and with which versions the cells were computed.  It may be asked while the study runs.
"""

SHOWN = 10  # sentences on what failed


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "how far a study is"
    parser = commands.add_parser("status", help=text, description=DESCRIPTION, formatter_class=raw)
    parser.add_argument(
        "study", metavar="STUDY", help="the study (.toml), or its file of finished cells (.db)"
    )
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (STUDY.db)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print how far it is."""
    from errsrc.cli.stores import maybe_study
    from errsrc.sweeps import Store

    study, path = maybe_study(args.study, args.store)
    with Store(path) as store:
        failures = store.failures()
        lines = [("store", f"{path}: {store.count():,} finished cells")]
        if study is not None:
            keys = study.cell_keys()
            missing = store.missing(study)
            failures = {keys[place]: failures[keys[place]] for place in missing if keys[place] in failures}
            lines.append(("study", f"{args.study}: {len(study):,} cells of kind {study.kind.name}"))
            lines.append(("finished", f"{len(study) - len(missing):,}"))
            lines.append(
                ("missing", f"{len(missing):,}" + (f", {len(failures):,} of them failed" if failures else ""))
            )
        lines.append(("driver", store.driver() or "none at work"))
        for rows, versions in store.versions():
            lines.append(
                ("made with", ", ".join(f"{k} {v}" for k, v in versions.items()) + f" ({rows:,} cells)")
            )
        for error, count in collections.Counter(failures.values()).most_common(SHOWN):
            lines.append(("failed", f"{count:,} cells: {error}"))
    print("\n".join(f"{name:<10} {text}" for name, text in lines))
