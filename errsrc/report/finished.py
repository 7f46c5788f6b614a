"""What a study's store holds of it, and how pages name and count it."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import records
from errsrc.report.page import paragraph, table
from errsrc.sweeps import Store, Study

ROWS = 200
"""Cells of a table that lists them one by one."""

WORD = 12
"""Letters of a value from which on it is text, and set flush left."""

SHOWN = 8
"""Values of a factor, and sentences on what failed, that are shown."""


@dataclass(frozen=True, eq=False)
class Finished:
    """The finished cells of a study, and what else its store says of it.

    Attributes
    ----------
    study
        What was asked for.
    cells, rows, curves
        Of the finished cells, in the study's order, each with its row and curve in the store, the
        latter {name: (looks,)}, see `errsrc.sweeps.Store`.
    failures
        How many missing cells failed with which sentence.
    versions
        How many rows of the store were made with which versions.
    """

    study: Study
    cells: Sequence[Any]
    rows: Sequence[Mapping[str, Any]]
    curves: Sequence[Mapping[str, NDArray[np.float64]]]
    failures: Mapping[str, int]
    versions: Sequence[tuple[int, Mapping[str, str]]]

    @property
    def missing(self) -> int:
        """How many cells are not finished."""
        return len(self.study) - len(self.cells)

    def groups(self, sizes: Sequence[str], *apart: str) -> dict[str, list[int]]:
        """Return {label: places among the finished cells} of what differs by more than sizes.

        Cells are of one group if they agree in the fields `apart`, and in all that a factor without any
        of the fields `sizes` varies.  The label says what of these differs between groups.
        """
        inner = [
            f for factor in self.study.factors if set(sizes).isdisjoint(factor.fields) for f in factor.fields
        ]
        names = list(dict.fromkeys([*apart, *inner]))
        values = [tuple(records.text(attrgetter(name)(cell)) for name in names) for cell in self.cells]
        varied = [k for k in range(len(names)) if len({value[k] for value in values}) > 1]
        out: dict[str, list[int]] = {}
        for place, value in enumerate(values):
            label = ", ".join(f"{names[k]} {value[k]}".replace("'", "") for k in varied)
            out.setdefault(label, []).append(place)
        return out


def read(study: Study, store: Store) -> Finished:
    """Return what a store holds of a study.

    Raises
    ------
    ValueError
        If no cell of it is finished.
    """
    keys, missing = study.cell_keys(), set(store.missing(study))
    if len(missing) == len(study):
        raise ValueError(f"No cell of this study is finished in {store.path}: 'errsrc run' computes them.")
    errors = store.failures()
    return Finished(
        study,
        [study[place] for place in range(len(study)) if place not in missing],
        store.rows(study),
        store.curves(study),
        collections.Counter(errors[keys[place]] for place in sorted(missing) if keys[place] in errors),
        store.versions(),
    )


def cells_table(found: Finished) -> list[str]:
    """Return a table of finished cells: what varies, and what came out."""
    varied = [field for factor in found.study.factors for field in factor.fields]
    fixed = {field.name for field in fields(found.study.base)}  # which no result may be named
    names = dict.fromkeys(name for row in found.rows for name in row)
    results = [name for name in names if name.partition(".")[0] not in fixed]
    rows = [
        [
            *(_text(records.text(attrgetter(field)(cell))) for field in varied),
            *(_shown(row.get(n)) for n in results),
        ]
        for cell, row in zip(found.cells[:ROWS], found.rows[:ROWS], strict=True)
    ]
    words = [k for k in range(len(varied)) if max(len(row[k]) for row in rows) > WORD]
    out = [table((*varied, *results), rows, words)]
    if len(found.cells) > ROWS:
        out.append(paragraph(f"These are the first {ROWS} of {len(found.cells):,}; 'errsrc export' has all."))
    return out


def facts(found: Finished, name: str) -> dict[str, str]:
    """Return what was run, when and with what."""
    kind, rows = found.study.kind.name, found.rows
    count = f"{len(found.cells):,} of {len(found.study):,} finished"
    dates = sorted(row["finished"] for row in rows)
    devices = collections.Counter(row["device"] for row in rows).most_common()
    shown = [device + (f" ({n:,} cells)" if len(devices) > 1 else "") for device, n in devices]
    return {
        "study": f"{name}, of kind {kind}: {count}",
        **{f"varied: {', '.join(factor.fields)}": _values(factor.values) for factor in found.study.factors},
        "device": "; ".join(shown),
        "time": f"{sum(row['seconds'] for row in rows):,.0f} s of computing, all cells together",
        "finished": dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}",
        "versions": versions(found.versions),
    }


def versions(made_with: Sequence[tuple[int, Mapping[str, str]]]) -> str:
    """Return with which versions cells were computed, and with which a page is made.

    ``made_with`` has numbers of cells, each with {package: version}, see `errsrc.sweeps.Store.versions`.
    """
    computed = "; ".join(
        ", ".join(f"{name} {number}" for name, number in versions.items())
        + (f" ({count} cells)" if len(made_with) > 1 else "")
        for count, versions in made_with
    )
    reported = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "matplotlib"))
    return f"computed with {computed}; fitted and drawn with {reported}"


def _values(values: Sequence[tuple[Any, ...]]) -> str:
    """Return a factor's values, of many the first and the last."""
    texts = [", ".join(records.text(part) for part in value) for value in values]
    texts = [f"({text})" if len(value) > 1 else text for text, value in zip(texts, values, strict=True)]
    if len(texts) > SHOWN:
        return f"{texts[0]} to {texts[-1]}, {len(texts):,} values"
    return ", ".join(texts)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else _text(str(value))


def _text(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
