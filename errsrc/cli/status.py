"""errsrc status: how much of a study is finished."""

from __future__ import annotations

import argparse
import collections

DESCRIPTION = """\
Show how many cells of a study are finished, missing and failed.  A cell is one computation, such
as the training of one network.  The command also shows why cells failed, which process is
computing cells now, and which versions of Python and of packages computed the finished cells.
You can use the command while the study is running.
"""

SHOWN = 10
"""Number of different failures that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("study", metavar="STUDY", help="a study (.toml), or a file of finished cells (.db)")
    parser.add_argument("--store", metavar="FILE", help="the file of finished cells (default: STUDY.db)")


def run(args: argparse.Namespace) -> None:
    """Print the counts of finished, missing and failed cells, and the reasons."""
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
        lines.append(("driver", store.driver() or "none is running"))
        for rows, versions in store.versions():
            lines.append(
                ("made with", ", ".join(f"{k} {v}" for k, v in versions.items()) + f" ({rows:,} cells)")
            )
        for error, count in collections.Counter(failures.values()).most_common(SHOWN):
            lines.append(("failed", f"{count:,} cells: {error}"))
    print("\n".join(f"{name:<10} {text}" for name, text in lines))
