"""errsrc conjecture: is a learner exact at finite n, and which counterexamples refute it?"""

from __future__ import annotations

import argparse
import json

from errsrc.cli.outputs import print_written
from errsrc.cli.stores import add_study_arguments, compute_study, print_json, raise_if_failed
from errsrc.errors import NoAnswer

DESCRIPTION = """\
Find the smallest number n of training examples from which a learner is exact, or search for
counterexamples to a claim about a learner.  A learner is exact at n if its error is zero to
rounding: a relative error of at most 1e-9, or 1e-3 in float32.

STUDY.toml is a study of one of these kinds:
  threshold  settings and learners, to find the threshold of each pair
  search     claims, and the regions to search for counterexamples
  example    one counterexample that a search has found
'pydoc errsrc.studies' shows how to write a study; sims/nyquist_*.toml are examples.  A cell is one
computation of the study, such as one threshold.  The command first computes the cells that are
missing, like 'errsrc run'.  It writes plots next to STUDY.toml, and each counterexample as
STUDY_counterexample_N.toml, a study of kind "example" that you can give to this command again.
The exit code is 1 if a claim is refuted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_study_arguments(parser, "threshold, search or example")


def run(args: argparse.Namespace) -> None:
    """Compute the missing cells, write figures and counterexamples, and print the results.

    Raises
    ------
    NoAnswer
        If a claim is refuted.
    """
    from errsrc.plots.nyquist import save_cliffs, save_searches
    from errsrc.studies.conjectures import save_counterexamples, thresholds_by_setting, verdict_table

    found = compute_study(args, ["threshold", "search", "example"])
    kind, prefix = found.study.kind.name, found.store.with_suffix("")
    written = []
    if kind == "threshold":
        written = save_cliffs(thresholds_by_setting(found.cells, found.rows, found.curves).values(), prefix)
    elif kind == "search":
        written = save_searches([json.loads(row["parts"]) for row in found.rows], prefix)
        written += save_counterexamples(found.rows, prefix)
    if args.json:
        print_json(found.rows)
    else:
        print(verdict_table(found.cells, found.rows))
    for path in written:
        print_written(path)
    raise_if_failed(found.summary)
    refuted = sum(row.get("verdict") == "refuted" for row in found.rows)
    if refuted:
        raise NoAnswer(f"{refuted} of {len(found.rows)} claims are refuted.", found.rows)
