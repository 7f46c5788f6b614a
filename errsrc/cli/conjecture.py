"""errsrc conjecture: is a learner exact at finite n, and which examples refute it?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from errsrc.cli.stores import add_study_arguments, compute_study, raise_if_failed
from errsrc.errors import NoAnswer

DESCRIPTION = """\
Find the smallest number of examples n from which a learner is exact, or search for examples that
refute a claim about it.

SPEC.toml is a study of kind "threshold" (settings and learners), "search" (claims, and regions
to search for counterexamples) or "example" (one counterexample that a search has found):
'pydoc errsrc.studies' and sims/nyquist_*.toml show some.  Its missing cells are computed first,
as by 'errsrc run'.  The command writes figures next to SPEC.toml, and each counterexample as
SPEC_counterexample_N.toml, which you can give to this command again.  The exit code is 1 if a
claim is refuted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_study_arguments(parser, "threshold, search or example", "SPEC")


def run(args: argparse.Namespace) -> None:
    """Compute the missing cells, write figures and counterexamples, and print the results.

    Raises
    ------
    NoAnswer
        If a claim is refuted.
    """
    from errsrc.records import encode
    from errsrc.studies.conjectures import table

    found = compute_study(args, ["threshold", "search", "example"])
    written = write(found.study.kind.name, found.cells, found.rows, found.curves, found.store.with_suffix(""))
    shown = [table(found.cells, found.rows), *(f"wrote {path}" for path in written)]
    print(encode(found.rows) if args.json else "\n".join(shown))
    raise_if_failed(found.summary)
    refuted = sum(row.get("verdict") == "refuted" for row in found.rows)
    if refuted:
        raise NoAnswer(f"{refuted} of {len(found.rows)} claims are refuted.", found.rows)


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
    from errsrc.studies.conjectures import thresholds_by_setting

    out: dict[str, bytes] = {}
    if kind == "threshold":
        settings = thresholds_by_setting(cells, rows, curves).values()
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
