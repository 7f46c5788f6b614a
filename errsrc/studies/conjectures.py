"""Thresholds, searches for counterexamples, and single examples, as cells of a study and as tables."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from errsrc import checks, records
from errsrc.checks import Number, Tuple
from errsrc.conjecture.claims import Claim, Example, examine
from errsrc.conjecture.searches import Region, part_rows, search
from errsrc.conjecture.thresholds import RATIOS, Threshold, curve_shape_of, curve_sizes, threshold
from errsrc.fields import Checked, declare, instance, integer, number
from errsrc.learners import Learner
from errsrc.results import Interval, aligned, bound_to
from errsrc.settings import Setting, images
from errsrc.studies.names import learners_and_settings
from errsrc.sweeps import Kind


@dataclass(frozen=True)
class ThresholdCell(Checked):
    """The arguments of one threshold, see `errsrc.conjecture.threshold`; a cell of the kind "threshold".

    Attributes
    ----------
    setting
        The setting.
    learner
        The learner.
    ratios
        The numbers of labelled examples to test, divided by n_Nyq, the smallest n at which a learner can be
        exact: two or more different numbers > 0.
    draws
        Number of draws of teacher and data for each number of examples, >= 5.
    tolerance
        Largest relative error that counts as exact, > 0; by default 1e-9, or 1e-3 for learners in float32.
    n_nyquist
        The number n_Nyq, >= 1; by default the setting's `n_nyquist`.
    level
        Coverage of the intervals, in (0, 1).
    seed
        Seed from which all random streams are derived, >= 0.
    """

    setting: Setting = instance(Setting, "a setting")
    learner: Learner = instance(Learner, "a learner")
    ratios: tuple[float, ...] = declare(Tuple(Number(above=0)), RATIOS)
    draws: int = integer(20, at_least=5)
    tolerance: float | None = number(None, above=0)
    n_nyquist: int | None = integer(None, at_least=1)
    level: float = number(0.95, above=0, below=1)
    seed: int = integer(0, at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.ratios)) < 2:
            accepted = "two or more, of different sizes"
            raise ValueError(checks.refusal("ratios", "ThresholdCell", accepted, self.ratios))


@dataclass(frozen=True)
class SearchCell(Checked):
    """The arguments of one search, see `errsrc.conjecture.search`; a cell of the kind "search".

    Attributes
    ----------
    claim
        The claim that the search tries to refute.
    region
        The settings, learners and sizes to search.
    examples
        Largest number of random cases (a setting, a learner and a sample) on which the claim is tried, >= 1.
    seed
        Seed of the search, >= 0.
    """

    claim: Claim = instance(Claim, "a Claim", Claim())
    region: Region = instance(Region, "a Region", Region())
    examples: int = integer(500, at_least=1)
    seed: int = integer(0, at_least=0)


def compute_thresholds(cells: Sequence[ThresholdCell]) -> list[dict[str, Any]]:
    """Compute one threshold for each cell.

    Parameters
    ----------
    cells : sequence of ThresholdCell
        The cells.

    Returns
    -------
    list of dict
        A row for each cell, which `threshold_from_row` reads.  The entry "curve" of the row has the errors of
        all draws.
    """
    out = []
    for cell in cells:
        names = ("ratios", "draws", "tolerance", "n_nyquist", "level", "seed")
        found = threshold(cell.setting, cell.learner, **{name: getattr(cell, name) for name in names})
        n = np.array(sorted(found.errors))
        draws = np.concatenate([found.errors[k] for k in n])
        out.append(
            {
                "n_nyquist_found": found.n_nyquist,
                "exact_below": found.tolerance,
                "n_star": found.n_star.estimate,
                "n_star.low": found.n_star.low,
                "n_star.high": found.n_star.high,
                "shape": found.shape.verdict,
                "exponent": found.shape.exponent.estimate,
                "exponent.low": found.shape.exponent.low,
                "exponent.high": found.shape.exponent.high,
                "error_at_largest": float(found.medians[-1]),
                "status": found.status,
                "curve": {"n": np.repeat(n, cell.draws).astype(np.float64), "error": draws},
            }
        )
    return out


def threshold_from_row(cell: ThresholdCell, row: Mapping[str, Any], curve: Mapping[str, Any]) -> Threshold:
    """Return the threshold of a finished cell, with the errors of all draws.

    Parameters
    ----------
    cell : ThresholdCell
        The cell.
    row : mapping
        Row of the cell in the file of finished cells.
    curve : mapping
        Curve of the cell in the same file: the arrays "n" and "error", with an entry for each draw at each n.

    Returns
    -------
    Threshold
        The threshold.
    """
    n, error = (np.asarray(curve[name], dtype=np.float64) for name in ("n", "error"))
    errors = {int(size): error[n == size] for size in np.unique(n)}
    base, tolerance = row["n_nyquist_found"], row["exact_below"]
    found = Interval(row["n_star"], row["n_star.low"], row["n_star.high"], cell.level)
    curve_shape = curve_shape_of(errors, curve_sizes(cell.ratios, base), tolerance, cell.level, cell.seed)
    names = {"setting": records.text(cell.setting), "learner": records.text(cell.learner)}
    return Threshold(base, tolerance, found, errors, curve_shape, row["status"], **names)


def compute_searches(cells: Sequence[SearchCell]) -> list[dict[str, Any]]:
    """Run the search for a counterexample that each cell describes.

    Hypothesis writes its files to the folder for temporary files, or to the folder that the environment
    variable HYPOTHESIS_STORAGE_DIRECTORY names.

    Parameters
    ----------
    cells : sequence of SearchCell
        The cells.

    Returns
    -------
    list of dict
        A row for each cell.  ``parts`` is a JSON list with an entry [basis, nodes, tested, not tested, worst
        ratio] for each part of the region.  ``ranges`` and ``power`` say which sizes were tested, and what
        the search can detect.  ``counterexample`` and ``hardest`` are TOML texts of studies that replay the
        counterexample and the hardest example.
    """
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "hypothesis"))
    out = []
    for cell in cells:
        found = search(cell.claim, cell.region, examples_wanted=cell.examples, seed=cell.seed)
        out.append(
            {
                "verdict": found.verdict,
                "tested": found.tested,
                "untested": found.untested,
                "worst": found.worst,
                "parts": records.encode(found.parts),
                "hardest": example_spec(found.hardest) if found.hardest else "",
                "counterexample": example_spec(found.counterexample) if found.counterexample else "",
                "status": found.outcome.status if found.outcome else "",
                "ranges": found.ranges,
                "power": " ".join(found.power_lines),
            }
        )
    return out


def compute_examples(cells: Sequence[Example]) -> list[dict[str, Any]]:
    """Test the claim of each cell, see `errsrc.conjecture.examine`.

    Parameters
    ----------
    cells : sequence of Example
        The cells.

    Returns
    -------
    list of dict
        A row for each cell: the cell's `errsrc.conjecture.Outcome`.
    """
    rows = []
    for cell in cells:
        one = examine(cell)
        names = ("verdict", "error", "bound", "ratio", "condition", "status")
        rows.append({name: getattr(one, name) for name in names})
    return rows


def example_spec(example: Example) -> str:
    """Return the TOML text of a study that replays an example.

    The text includes fields that have their default values, because the defaults may change.

    Parameters
    ----------
    example : Example
        The example.

    Returns
    -------
    str
        The text.
    """
    given, defaults = records.flatten(example)
    leaves = sorted((path, value) for path, value in (defaults | given).items() if value is not None)
    shown = [records.line(one) for one in leaves if not _implied(example, one[0])]
    return 'kind = "example"\n\n[cell]\n' + "".join(shown)


def _implied(cell: Any, path: str) -> bool:
    """Return whether a path is the `kind` of a record with only one possible kind; specs omit such paths."""
    *above, last = path.split(".")
    hint: Any = None
    for name in above:
        cls: Any = type(cell)
        hint, cell = records.types_of(cls)[name], getattr(cell, name)
    return last == "kind" and hint is type(cell)


def thresholds_by_setting(
    cells: Sequence[ThresholdCell], rows: Sequence[Mapping[str, Any]], curves: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Threshold]]:
    """Return the thresholds of finished cells by setting, then by learner.

    Parameters
    ----------
    cells : sequence of ThresholdCell
        The cells.
    rows : sequence of mappings
        The row (results) of each cell, as `errsrc.sweeps.Store.rows` returns them.
    curves : sequence of mappings
        The learning curve of each cell, as `errsrc.sweeps.Store.curves` returns them.

    Returns
    -------
    dict of str to dict of str to Threshold
        {setting: {learner: threshold}}.  The keys are texts of `errsrc.studies.names.learners_and_settings`.
    """
    out: dict[str, dict[str, Threshold]] = {}
    names = learners_and_settings(cells)
    for (learner, setting), cell, row, curve in zip(names, cells, rows, curves, strict=True):
        out.setdefault(setting, {})[learner] = threshold_from_row(cell, row, curve)
    return out


def threshold_lines(
    cells: Sequence[ThresholdCell], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[list[str]]]:
    """Return a header, and a line of texts for each threshold.

    Parameters
    ----------
    cells : sequence of ThresholdCell
        The cells.
    rows : sequence of mappings
        The row (results) of each cell, as `errsrc.sweeps.Store.rows` returns them.

    Returns
    -------
    header : list of str
        A text for each column.
    lines : list of list of str
        The texts of each cell, one for each column.
    """
    header = ["n_Nyq", "n*", "n*/n_Nyq", "shape", "exponent", "error at largest n", "learner, setting"]
    lines = []
    for name, row, cell in zip(learners_and_settings(cells), rows, cells, strict=True):
        found = Interval(row["n_star"], row["n_star.low"], row["n_star.high"], cell.level)
        base = row["n_nyquist_found"]
        reached, ratio = f"> {found.low:,.0f}", f"> {bound_to(found.low / base, 3, 'down'):.3g}"
        if np.isfinite(found.estimate):
            ends = f"[{found.low:,.0f}, {found.high:,.0f}]"
            reached, ratio = f"{found.estimate:,.0f} {ends}", f"{found.estimate / base:.3g}"
        exponent = Interval(row["exponent"], row["exponent.low"], row["exponent.high"], cell.level)
        error = f"{row['error_at_largest']:.2g}"
        lines.append([f"{base:,}", reached, ratio, row["shape"], str(exponent), error, ", ".join(name)])
    return header, lines


def search_lines(row: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return a header, and a line of texts for each kind of basis and of nodes that a search visited.

    Parameters
    ----------
    row : mapping
        The row (results) of the search, as `errsrc.sweeps.Store.rows` returns it.

    Returns
    -------
    header : list of str
        A text for each column.
    lines : list of list of str
        A line for each kind of basis and of nodes; a line has a text for each column.
    """
    header, *lines = map(list, part_rows(json.loads(row["parts"])))
    return header, lines


def verdict_table(cells: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a text table of verdicts for finished cells of one kind.

    For thresholds, the table has a line for each setting and learner.  For a search, the table has a line for
    each part of the region.  Each line says whether the claim is supported, refuted or not tested in this
    part.  The counterexample, if there is one, follows below the table.  For examples, the table has a line
    for each example.

    Parameters
    ----------
    cells : sequence of cells
        Cells of the kind "threshold", "search" or "example".
    rows : sequence of mappings
        The row (results) of each cell, as `errsrc.sweeps.Store.rows` returns them.

    Returns
    -------
    str
        The table.
    """
    if rows and isinstance(cells[0], ThresholdCell):
        return _columns(*threshold_lines(cells, rows))
    if rows and isinstance(cells[0], SearchCell):
        blocks = []
        for row, cell in zip(rows, cells, strict=True):
            total = f"{row['tested']:,} examples tested, {row['untested']:,} not; {row['verdict']}."
            by = f"\n{row['status']}\n{row['counterexample']}" if row["counterexample"] else ""
            seen = "".join(f"\n{row[name]}" for name in ("ranges", "power") if row.get(name))
            blocks.append(
                f"{cell.claim}\nin {cell.region}\n{_columns(*search_lines(row))}\n{total}{seen}{by}"
            )
        return "\n\n".join(blocks)
    return "\n".join(row["status"] for row in rows)


def save_counterexamples(rows: Sequence[Mapping[str, Any]], path: Path) -> list[Path]:
    """Write the counterexamples of searches to TOML files, and return the paths of the files.

    The counterexample of the K-th search is written to PATH_counterexample_K.toml, where K begins at 1.

    Parameters
    ----------
    rows : sequence of mappings
        Rows of finished searches.  No file is written for a search without a counterexample.
    path : Path
        PATH, the beginning of the files' paths.

    Returns
    -------
    list of Path
        Paths of the files that were written.
    """
    texts = {k: row["counterexample"] for k, row in enumerate(rows, 1) if row["counterexample"]}
    targets = [path.with_name(f"{path.name}_counterexample_{k}.toml") for k in texts]
    for target, text in zip(targets, texts.values(), strict=True):
        target.write_text(text, encoding="utf-8")
    return targets


def _columns(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(aligned([header, *lines], str.ljust))


THRESHOLD = Kind(
    "threshold",
    ThresholdCell,
    compute_thresholds,
    require_data=images.ready,
    packages=("numpy", "scipy", "scikit-learn", "torch"),
)
"""The kind of study whose cells are thresholds."""

SEARCH = Kind("search", SearchCell, compute_searches, packages=("numpy", "scipy", "hypothesis"))
"""The kind of study whose cells are searches for counterexamples."""

EXAMPLE = Kind("example", Example, compute_examples, packages=("numpy", "scipy"))
"""The kind of study whose cells are single examples of a claim."""
