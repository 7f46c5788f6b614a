"""What a page says of thresholds and searches: who is exact at finite n, and what refutes a claim."""

from __future__ import annotations

import json

import numpy as np

from errsrc import records
from errsrc.plots import cliff, hardest
from errsrc.report.finished import Finished, cells_table
from errsrc.report.page import Content, Figure, code, paragraph, table
from errsrc.studies.conjectures import named, search_lines, threshold_lines, worlds

CLIFF = (
    "Median relative error over n / n_Nyq, a curve a learner; bands are quartiles of the draws, the vertical "
    "line is n = n_Nyq, the dotted one what counts as exact."
)
HARDEST = (
    "The worst ratio of error to bound in each part of the region, examples tested beside its name; above 1 "
    "refutes."
)


def thresholds(found: Finished) -> Content:
    """Return what a page says of a study of thresholds."""
    verdicts = [
        (f"{', '.join(name)}: {row['status']}", bool(np.isfinite(row["n_star"])))
        for name, row in zip(named(found.cells), found.rows, strict=True)
    ]
    header, rows = threshold_lines(found.cells, found.rows)
    figures: list[str | Figure] = [
        Figure(cliff(curves), f"{setting}. {CLIFF}", f"ax = plots.cliff(list(worlds.values())[{k}])")
        for k, (setting, curves) in enumerate(worlds(found.cells, found.rows, found.curves).items())
    ]
    sections: list[tuple[str, list[str | Figure]]] = [
        ("Thresholds", [table(header, rows, words=(3, 6))]),
        ("Figures", figures),
    ]
    begun = (
        "from errsrc.studies import conjectures\n\n"
        "worlds = conjectures.worlds(found.cells, found.rows, found.curves)"
    )
    return Content(verdicts, sections, (), begun)


def searches(found: Finished) -> Content:
    """Return what a page says of a study of searches for counterexamples."""
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[str | Figure]]] = []
    for k, (cell, row) in enumerate(zip(found.cells, found.rows, strict=True)):
        name = f"{records.text(cell.claim)}, {records.text(cell.region)}"
        counts = f"{row['tested']:,} examples tested, {row['untested']:,} not"
        verdicts.append((f"{name}: {row['verdict']} ({counts}).", row["verdict"] == "supported"))
        blocks: list[str | Figure] = [table(*search_lines(row), words=(0, 1, 5))]
        parts = json.loads(row["parts"])
        if row["tested"]:
            drawn = f'ax = plots.hardest(json.loads(found.rows[{k}]["parts"]))'
            blocks.append(Figure(hardest(parts), f"{name}. {HARDEST}", drawn))
        if row["counterexample"]:
            blocks += [
                paragraph(f"{row['status']} The example, for 'errsrc conjecture':"),
                code(row["counterexample"]),
            ]
        sections.append((name, blocks))
    return Content(verdicts, sections, (), "import json\n")


def examples(found: Finished) -> Content:
    """Return what a page says of a study of single examples."""
    verdicts = [(row["status"], row["verdict"] == "holds") for row in found.rows]
    return Content(verdicts, [("Finished cells", [*cells_table(found)])])
