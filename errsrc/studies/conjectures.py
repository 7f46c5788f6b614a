"""Thresholds, searches and single examples as cells of a study, and their table of verdicts."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from errsrc import checks, records
from errsrc.conjecture.claims import Claim, Example, examine
from errsrc.conjecture.searches import Region, search
from errsrc.conjecture.thresholds import RATIOS, Threshold, shape_of, sizes_of, threshold
from errsrc.learners import Learner
from errsrc.results import Interval, aligned
from errsrc.settings import Setting, images
from errsrc.studies.names import learners_and_settings
from errsrc.sweeps import Kind


@dataclass(frozen=True)
class ThresholdCell:
    """One threshold; see `errsrc.conjecture.thresholds`.

    Attributes
    ----------
    setting, learner
        The world, and who learns in it.
    ratios, draws, tolerance, n_nyquist, level
        See `threshold`; the level is the coverage of intervals.
    seed
        Root of the seed tree.
    """

    setting: Setting
    learner: Learner
    ratios: tuple[float, ...] = RATIOS
    draws: int = 20
    tolerance: float | None = None
    n_nyquist: int | None = None
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        checks.integer(self.draws, "draws", "ThresholdCell", 5)
        checks.positive_array(self.ratios, "ratios", "ThresholdCell")
        if len(set(self.ratios)) < 2:
            accepted = "two or more, of different sizes"
            raise ValueError(checks.refusal("ratios", "ThresholdCell", accepted, self.ratios))
        if self.tolerance is not None:
            checks.number(self.tolerance, "tolerance", "ThresholdCell", 0, open_low=True)
        if self.n_nyquist is not None:
            checks.integer(self.n_nyquist, "n_nyquist", "ThresholdCell", 1)
        checks.number(self.level, "level", "ThresholdCell", 0, 1, open_low=True, open_high=True)
        checks.integer(self.seed, "seed", "ThresholdCell", 0)


@dataclass(frozen=True)
class SearchCell:
    """One search for a counterexample; see `errsrc.conjecture.searches`.

    Attributes
    ----------
    claim, region, examples
        What is claimed and where, and the most examples.
    seed
        Of the search.
    """

    claim: Claim = field(default=Claim())
    region: Region = field(default=Region())
    examples: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        checks.integer(self.examples, "examples", "SearchCell", 1)
        checks.integer(self.seed, "seed", "SearchCell", 0)


def thresholds(cells: Sequence[ThresholdCell]) -> list[dict[str, Any]]:
    """Compute thresholds and return each as a row, see `errsrc.sweeps.Kind` and `from_row`."""
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


def from_row(cell: ThresholdCell, row: Mapping[str, Any], curve: Mapping[str, Any]) -> Threshold:
    """Return the threshold in a finished cell's row and curve, with its draws."""
    n, error = (np.asarray(curve[name], dtype=np.float64) for name in ("n", "error"))
    errors = {int(size): error[n == size] for size in np.unique(n)}
    base, tolerance = row["n_nyquist_found"], row["exact_below"]
    found = Interval(row["n_star"], row["n_star.low"], row["n_star.high"], cell.level)
    curve_shape = shape_of(errors, sizes_of(cell.ratios, base), tolerance, cell.level, cell.seed)
    return Threshold(base, tolerance, found, errors, curve_shape, row["status"])


def searches(cells: Sequence[SearchCell]) -> list[dict[str, Any]]:
    """Search for counterexamples and return each search as a row.

    Its ``parts`` are JSON of [basis, nodes, tested, not tested, worst ratio] for each part of the region; its
    ``counterexample`` and ``hardest`` are specs of kind "example", which a study can be read from.  What
    Hypothesis keeps in files goes to the folder for temporary ones, unless its own variable names another.
    """
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "hypothesis"))
    out = []
    for cell in cells:
        found = search(cell.claim, cell.region, examples_wanted=cell.examples, seed=cell.seed)
        parts = [[*part, one.tested, one.untested, one.worst] for part, one in sorted(found.tallies.items())]
        out.append(
            {
                "verdict": found.verdict,
                "tested": found.tested,
                "untested": found.untested,
                "worst": found.worst,
                "parts": records.encode(parts),
                "hardest": spec(found.hardest) if found.hardest else "",
                "counterexample": spec(found.counterexample) if found.counterexample else "",
                "status": found.outcome.status if found.outcome else "",
            }
        )
    return out


def examined(cells: Sequence[Example]) -> list[dict[str, Any]]:
    """Examine examples and return each outcome as a row."""
    rows = []
    for cell in cells:
        one = examine(cell)
        names = ("verdict", "error", "bound", "ratio", "condition", "status")
        rows.append({name: getattr(one, name) for name in names})
    return rows


def spec(example: Example) -> str:
    """Return an example as the text of a study, in TOML, which replays it; with defaults, for they change."""
    given, defaults = records.flatten(example)
    leaves = sorted((path, value) for path, value in (defaults | given).items() if value is not None)
    shown = [records.line(one) for one in leaves if not _implied(example, one[0])]
    return 'kind = "example"\n\n[cell]\n' + "".join(shown)


def _implied(cell: Any, path: str) -> bool:
    """Return whether a path names the kind of a part that can be of one kind only, which specs leave out."""
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
    cells, rows, curves
        One of each a threshold, as a study and its store have them; see `from_row`.
    """
    out: dict[str, dict[str, Threshold]] = {}
    names = learners_and_settings(cells)
    for (learner, setting), cell, row, curve in zip(names, cells, rows, curves, strict=True):
        out.setdefault(setting, {})[learner] = from_row(cell, row, curve)
    return out


def threshold_lines(
    cells: Sequence[ThresholdCell], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[list[str]]]:
    """Return a header and a line of texts for each threshold, from the rows of its finished cells."""
    header = ["n_Nyq", "n*", "n*/n_Nyq", "shape", "exponent", "error at largest n", "learner, setting"]
    lines = []
    for name, row, cell in zip(learners_and_settings(cells), rows, cells, strict=True):
        found = Interval(row["n_star"], row["n_star.low"], row["n_star.high"], cell.level)
        base = row["n_nyquist_found"]
        reached, ratio = f"> {found.low:,.0f}", f"> {found.low / base:.3g}"
        if np.isfinite(found.estimate):
            ends = f"[{found.low:,.0f}, {found.high:,.0f}]"
            reached, ratio = f"{found.estimate:,.0f} {ends}", f"{found.estimate / base:.3g}"
        exponent = Interval(row["exponent"], row["exponent.low"], row["exponent.high"], cell.level)
        error = f"{row['error_at_largest']:.2g}"
        lines.append([f"{base:,}", reached, ratio, row["shape"], str(exponent), error, ", ".join(name)])
    return header, lines


def search_lines(row: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return a header and a line of texts for each part of the region of a search, from its row."""
    header = ["basis", "nodes", "tested", "not tested", "worst error / bound", "verdict"]
    return header, [
        [
            basis,
            nodes,
            f"{tested:,}",
            f"{untested:,}",
            f"{worst:.2g}" if tested else "",
            "refuted" if worst > 1 else "supported" if tested else "not tested",
        ]
        for basis, nodes, tested, untested, worst in json.loads(row["parts"])
    ]


def table(cells: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return finished cells of one kind as a text table of verdicts.

    Of thresholds a line for each setting and learner; of searches one for each claim, then its region by
    parts: supported, refuted and by what, or not tested; of examples one each.  ``rows`` are what the store
    has of the cells, in their order.
    """
    if rows and isinstance(cells[0], ThresholdCell):
        return _columns(*threshold_lines(cells, rows))
    if rows and isinstance(cells[0], SearchCell):
        blocks = []
        for row, cell in zip(rows, cells, strict=True):
            total = f"{row['tested']:,} examples tested, {row['untested']:,} not; {row['verdict']}."
            by = f"\n{row['status']}\n{row['counterexample']}" if row["counterexample"] else ""
            blocks.append(f"{cell.claim}\nin {cell.region}\n{_columns(*search_lines(row))}\n{total}{by}")
        return "\n\n".join(blocks)
    return "\n".join(row["status"] for row in rows)


def save_counterexamples(rows: Sequence[Mapping[str, Any]], path: Path) -> list[Path]:
    """Write the counterexample of the K-th search, from 1, as PATH_counterexample_K.toml; return the paths.

    Parameters
    ----------
    rows : sequence of mappings
        Rows of finished searches; those that found no counterexample are passed over.
    path : Path
        What the names of the files begin with.
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
    thresholds,
    require_data=images.ready,
    packages=("numpy", "scipy", "scikit-learn", "torch"),
)
"""The kind of study whose cells are thresholds."""

SEARCH = Kind("search", SearchCell, searches, packages=("numpy", "scipy", "hypothesis"))
"""The kind of study whose cells are searches for counterexamples."""

EXAMPLE = Kind("example", Example, examined, packages=("numpy", "scipy"))
"""The kind of study whose cells are single examples of a claim."""
