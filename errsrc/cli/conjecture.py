"""errsrc conjecture: does a learner reach the floor at finite n, and what refutes it?"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import Any

from errsrc.cli.stores import add_study

DESCRIPTION = """\
Look for the n from which a learner is exact, or for examples that refute a claim that it is.

SPEC.toml is a study of kind "threshold" (settings and learners), "search" (claims and the regions
they are searched in) or "example" (what a search has found): 'pydoc errsrc.studies' and
sims/nyquist_*.toml show some.  What is missing of it is computed first, as 'errsrc run' does it.
Figures are written beside it, and each counterexample as SPEC_counterexample_N.toml, which this
command replays.  The exit code is 1 where a claim is refuted.
"""


def add(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "is a learner exact at finite n, and what refutes it"
    parser = commands.add_parser("conjecture", help=text, description=DESCRIPTION, formatter_class=raw)
    add_study(parser, "threshold, search or example", "SPEC")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compute, write, print.

    Raises
    ------
    NoAnswer
        Where a claim is refuted.
    ValueError
        For a study of another kind.
    """
    from errsrc.cli.stores import compute, refuse_failed, study_and_store
    from errsrc.errors import NoAnswer
    from errsrc.records import encode
    from errsrc.studies.conjectures import table
    from errsrc.sweeps import Store, local

    study, path = study_and_store(args.study, args.store)
    if study.kind.name not in ("threshold", "search", "example"):
        accepted = "'threshold', 'search' or 'example'"
        raise ValueError(f"{args.study} is a study of kind {study.kind.name!r}, and not {accepted}.")
    with Store(path, write=True) as store:
        engine = functools.partial(local, workers=args.workers)
        summary = compute(store, study, engine, args.retry)
        rows, curves = store.rows(study), store.curves(study)
    done = [cell for cell, key in zip(study, study.cell_keys(), strict=True) if key not in summary.failed]
    written = write(study.kind.name, done, rows, curves, path.with_suffix(""))
    print(encode(rows) if args.json else "\n".join([table(done, rows), *(f"wrote {one}" for one in written)]))
    refuse_failed(summary)
    refuted = sum(row.get("verdict") == "refuted" for row in rows)
    if refuted:
        raise NoAnswer(f"{refuted} of {len(rows)} claims are refuted.", rows)


def write(kind: str, cells: Any, rows: Any, curves: Any, path: Path) -> list[Path]:
    """Write figures and counterexamples beside the study, and return where.

    Parameters
    ----------
    kind
        Of the study: of a "threshold" a figure for each setting, of a "search" one for each claim, and what
        refutes it.
    cells, rows, curves
        What is finished, see `errsrc.sweeps.Store`.
    path
        What the files' names begin with.
    """
    import json

    from errsrc.plots.nyquist import cliff, hardest
    from errsrc.plots.style import png
    from errsrc.studies.conjectures import worlds

    out: dict[str, bytes] = {}
    if kind == "threshold":
        settings = worlds(cells, rows, curves).values()
        out = {f"cliff_{k}.png": png(cliff(found)) for k, found in enumerate(settings, 1)}
    elif kind == "search":
        for k, row in enumerate(rows, 1):
            parts = json.loads(row["parts"])
            if row["tested"]:
                out[f"search_{k}.png"] = png(hardest(parts))
            if row["counterexample"]:
                out[f"counterexample_{k}.toml"] = row["counterexample"].encode()
    paths = [path.with_name(f"{path.name}_{name}") for name in out]
    for target, content in zip(paths, out.values(), strict=True):
        target.write_bytes(content)
    return paths
