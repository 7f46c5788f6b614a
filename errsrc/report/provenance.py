"""The part of a study's page that says what was run, what is missing, and how to make the page again."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from errsrc import records
from errsrc.report.page import Provenance
from errsrc.studies import FinishedStudy
from errsrc.studies.kinds import own_modules_of

VALUES = 8
"""Largest number of values of a factor that are shown one by one."""

SCRIPT = """\
from pathlib import Path

from errsrc import plots
from errsrc.studies import load_study

finished = load_study({})
"""


def provenance(finished: FinishedStudy) -> Provenance:
    """Return what was run, what is missing, and how to make the page of a study again.

    Parameters
    ----------
    finished : FinishedStudy
        The study.

    Returns
    -------
    Provenance
        The provenance of the page.
    """
    study, spec, known = finished.study, finished.spec, facts(finished)
    count = f"{len(finished.cells):,} of {len(study):,}" if finished.missing else f"{len(study):,}"
    cells = f"{count} {study.kind.name} cells"
    if spec is None:
        return Provenance(f"Study: {cells}", known, [*finished.changes, *_unfinished(finished, "errsrc run")])
    elsewhere = finished.store != spec.with_suffix(".db")
    kinds, modules = own_modules_of(study)
    option = f" --store {finished.store}" if elsewhere else ""
    option += "".join(f" --kinds {name}" for name in kinds) + "".join(
        f" --modules {name}" for name in modules
    )
    run, report, export = (f"errsrc {name} {spec}{option}" for name in ("run", "report", "export"))
    export = f"{export} --csv {spec.with_suffix('.csv')}    # all cells as a table"
    arguments = [repr(str(path)) for path in ([spec, finished.store] if elsewhere else [spec])]
    arguments += [f"modules={[*kinds, *modules]}"] if kinds or modules else []
    return Provenance(
        f"{spec.stem}: {cells}",
        known,
        [*finished.changes, *_unfinished(finished, run)],
        "\n".join([run, report, export]),
        SCRIPT.format(", ".join(arguments)),
        spec.read_text(encoding="utf-8-sig"),
    )


def facts(finished: FinishedStudy) -> dict[str, str]:
    """Return facts about a study: what was run, when, on which devices and with which versions.

    Parameters
    ----------
    finished : FinishedStudy
        The study.

    Returns
    -------
    dict of str to str
        The text of each fact, by its heading.
    """
    study, rows = finished.study, finished.rows
    name = finished.spec.name if finished.spec else "study"
    count = f"{len(finished.cells):,} of {len(study):,} finished"
    dates = sorted(row["finished"] for row in rows)
    devices = collections.Counter(row["device"] for row in rows).most_common()
    shown = [device + (f" ({n:,} cells)" if len(devices) > 1 else "") for device, n in devices]
    return {
        "study": f"{name}, of kind {study.kind.name}: {count}",
        **{f"varied: {', '.join(factor.fields)}": _values(factor.values) for factor in study.factors},
        "device": "; ".join(shown),
        "time": f"{sum(row['seconds'] for row in rows):,.0f} s, the sum of the cells' wall times",
        "finished": dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}",
        "versions": versions(finished.versions),
    }


def versions(made_with: Sequence[tuple[int, Mapping[str, str]]]) -> str:
    """Return a text about the versions of Python and packages that were used.

    The text has the versions with which the cells were computed, and the versions with which the page is
    made.

    Parameters
    ----------
    made_with : sequence of (int, {package: version})
        Pairs of a number of cells and the versions with which these cells were computed, as
        `errsrc.sweeps.Store.versions` returns them.

    Returns
    -------
    str
        The text.
    """
    computed = "; ".join(
        ", ".join(f"{package} {number}" for package, number in numbers.items())
        + (f" ({count} cells)" if len(made_with) > 1 else "")
        for count, numbers in made_with
    )
    reported = ", ".join(f"{package} {version(package)}" for package in ("numpy", "scipy", "matplotlib"))
    return f"computed with {computed}; fitted and drawn with {reported}"


def _unfinished(finished: FinishedStudy, command: str) -> list[str]:
    """Return how many cells are missing, with the command that computes them, and why cells failed."""
    if not finished.missing:
        return []
    failed = sum(finished.failures.values())
    tried = f", {failed:,} of them failed" if failed else ""
    again = f"{command}{' --retry' if failed else ''}"
    said = f"{finished.missing:,} of {len(finished.study):,} cells are not finished{tried}"
    reasons = [
        f"{count:,} {'cell' if count == 1 else 'cells'} failed: {error}"
        for error, count in finished.failures.items()
    ]
    return [f"{said}: '{again}' computes them.", *reasons]


def _values(values: Sequence[tuple[Any, ...]]) -> str:
    """Return the values of a factor as text; if there are many, only the first and the last."""
    texts = [", ".join(records.text(part) for part in value) for value in values]
    texts = [f"({text})" if len(value) > 1 else text for text, value in zip(texts, values, strict=True)]
    if len(texts) > VALUES:
        return f"{texts[0]} to {texts[-1]}, {len(texts):,} values"
    return ", ".join(texts)
