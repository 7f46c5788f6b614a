"""Page content for studies about exactness: thresholds, and searches for counterexamples to claims."""

from __future__ import annotations

import json

import numpy as np

from errsrc import records
from errsrc.plots import cliff, hardest
from errsrc.report.cells import cells_table
from errsrc.report.page import Block, Code, Content, Figure, Paragraph, Table
from errsrc.studies import FinishedStudy
from errsrc.studies.conjectures import search_lines, threshold_lines, thresholds_by_setting
from errsrc.studies.names import learners_and_settings

CLIFF = (
    "Median relative error over n / n_Nyq, one curve for each learner. n_Nyq is the smallest n at which a "
    "learner can be exact. Bands are quartiles over draws. The vertical line is n = n_Nyq. Errors below the "
    "dotted line count as exact."
)
HARDEST = (
    "The worst ratio of error to bound in each part of the region, with the number of tested examples; a "
    "ratio above 1 refutes the claim."
)


def threshold_content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study of thresholds.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "threshold".

    Returns
    -------
    Content
        The verdicts, the sections, the warnings, and the code of the figures.
    """
    verdicts = [
        (f"{', '.join(name)}: {row['status']}", bool(np.isfinite(row["n_star"])))
        for name, row in zip(learners_and_settings(finished.cells), finished.rows, strict=True)
    ]
    by_setting = thresholds_by_setting(finished.cells, finished.rows, finished.curves)
    figures: list[Block] = [
        Figure(cliff(curves), f"{setting}. {CLIFF}", f"ax = plots.cliff(list(thresholds.values())[{k}])")
        for k, (setting, curves) in enumerate(by_setting.items())
    ]
    table = Table(*threshold_lines(finished.cells, finished.rows), words=(3, 6))
    begin = (
        "\nfrom errsrc.studies.conjectures import thresholds_by_setting\n\n"
        "thresholds = thresholds_by_setting(finished.cells, finished.rows, finished.curves)"
    )
    return Content(verdicts, [("Thresholds", [table]), ("Figures", figures)], (), begin)


def search_content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study of searches for counterexamples.

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "search".

    Returns
    -------
    Content
        The verdicts, the sections, the warnings, and the code of the figures.
    """
    verdicts: list[tuple[str, bool]] = []
    sections: list[tuple[str, list[Block]]] = []
    for k, (cell, row) in enumerate(zip(finished.cells, finished.rows, strict=True)):
        name = f"{records.text(cell.claim)}, {records.text(cell.region)}"
        counts = f"{row['tested']:,} examples tested, {row['untested']:,} not"
        verdicts.append((f"{name}: {row['verdict']} ({counts}).", row["verdict"] == "supported"))
        blocks: list[Block] = [Table(*search_lines(row), words=(0, 1, 5))]
        if row["tested"]:
            drawn = f'ax = plots.hardest(json.loads(finished.rows[{k}]["parts"]))'
            blocks.append(Figure(hardest(json.loads(row["parts"])), f"{name}. {HARDEST}", drawn))
        if row["counterexample"]:
            said = f"{row['status']} The example, for 'errsrc conjecture':"
            blocks += [Paragraph(said), Code(row["counterexample"])]
        sections.append((name, blocks))
    return Content(verdicts, sections, (), "\nimport json\n")


def example_content(finished: FinishedStudy) -> Content:
    """Return the content of the page about a study of kind "example".

    Parameters
    ----------
    finished : FinishedStudy
        A finished study of kind "example".

    Returns
    -------
    Content
        The verdicts, the sections, the warnings, and the code of the figures.
    """
    verdicts = [(row["status"], row["verdict"] == "holds") for row in finished.rows]
    return Content(verdicts, [("Finished cells", cells_table(finished))])
