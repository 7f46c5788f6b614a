"""Fits as JSON: what a file keeps, and the short summary that the command line prints."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from errsrc import checks, records
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import AveragedFit
from errsrc.laws import ALL
from errsrc.laws.law import Array, Law
from errsrc.results import Interval

FIT_FORMAT = "errsrc fit 1"


def fit_summary(result: Fit | AveragedFit) -> dict[str, Any]:
    """Return {"law", "params", "intervals", "divergence", "warnings"} of a result, of plain JSON values.

    An average speaks through its heaviest member.  An end that the data does not bound is null.
    """
    lead = result if isinstance(result, Fit) else result.members[0]
    intervals = {name: [_plain(i.low), _plain(i.high)] for name, i in lead.intervals.items()}
    return {
        "law": _name(lead.law),
        "params": lead.law.params,
        "intervals": intervals,
        "divergence": {"mean": lead.divergence_mean, "std": lead.divergence_std},
        "warnings": list(result.warnings),
    }


def save_fit(result: Fit | AveragedFit, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write a fitted result to a path, as JSON that `load_fit` reads back.

    `notes` are the caller's own, of plain JSON values, kept beside the fit for `fit_notes` to give
    back.  A file that is there already is replaced whole, or not at all.
    """
    members = [result] if isinstance(result, Fit) else list(result.members)
    weights = [1.0] if isinstance(result, Fit) else list(result.weights)
    content = {
        "format": FIT_FORMAT,
        **fit_summary(result),
        "notes": dict(notes or {}),
        "weights": weights,
        "members": [_member(f) for f in members],
    }
    text = json.dumps(content, indent=1) + "\n"
    target = Path(path).resolve()
    if target.exists() and not target.is_file():  # a pipe or a device
        target.write_text(text)
        return
    draft = target.with_name(f".errsrc-{os.getpid()}.json")
    try:
        draft.write_text(text)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def fit_notes(path: str | Path) -> dict[str, Any]:
    """Return the notes that `save_fit` kept beside the fit at a path; raise ValueError for any other file."""
    try:
        return dict(json.loads(Path(path).read_text())["notes"])
    except (KeyError, TypeError, ValueError, RecursionError):
        accepted = "a fit that errsrc wrote"
        raise ValueError(checks.refusal("path", "fit_notes", accepted, f"<the file {path}>")) from None


def load_fit(path: str | Path) -> Fit | AveragedFit:
    """Read a fit back from a path that `save_fit` wrote to.

    Raises
    ------
    ValueError
        If the file is not such a file.
    """
    try:
        content = json.loads(Path(path).read_text())
        if content["format"] != FIT_FORMAT:
            raise ValueError(content["format"])
        members = tuple(_fit(entry) for entry in content["members"])
        weights = tuple(float(w) for w in content["weights"])
        if len(weights) != len(members) or not members or not abs(sum(weights) - 1) < 1e-6:
            raise ValueError(weights)
        if len({f.input_names for f in members}) > 1:
            raise ValueError("members of different inputs")
        if len(members) == 1:
            return members[0]
        return AveragedFit(members, weights, tuple(content["warnings"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        accepted = "a fit that errsrc wrote"
        raise ValueError(checks.refusal("path", "load_fit", accepted, f"<the file {path}>")) from None


def _name(law: Law) -> str:
    """Return the name that `ALL` gives the law's class, or the class's own."""
    return next((name for name, cls in ALL.items() if cls is type(law)), type(law).__name__)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _law(entry: dict[str, Any]) -> Law:
    law: Law = records.build(ALL[records.current_kind(entry["law"])], entry["values"], "a fit")
    return law


def _law_entry(law: Law) -> dict[str, Any]:
    given, defaults = records.flatten(law)
    leaves = defaults | given
    return {"law": _name(law), "values": {name: leaves[name] for name in records.types_of(type(law))}}


def _member(f: Fit) -> dict[str, Any]:
    return {
        "law": _law_entry(f.law),
        "intervals": {
            k: [v.estimate, _plain(v.low), _plain(v.high), v.level] for k, v in f.intervals.items()
        },
        "ties": [_law_entry(law) for law in f.ties],
        "draws": {k: v.tolist() for k, v in f.draws.items()},
        "inputs": {k: v.tolist() for k, v in f.inputs.items()},
        "error": f.error.tolist(),
        "weights": f.weights.tolist(),
        "warnings": list(f.warnings),
        **{name: _plain(getattr(f, name)) for name in _NUMBERS},
        **{name: getattr(f, name) for name in ("objective", "starts")},
    }


_NUMBERS = (
    "divergence_mean",
    "divergence_std",
    "value",
    "noise",
    "run_noise",
    "seed_noise",
    "agreement",
    "condition",
)


def _fit(entry: dict[str, Any]) -> Fit:
    law = _law(entry["law"])
    intervals = {}
    for name, (estimate, low, high, level) in _current(law, entry["intervals"]).items():
        low = -math.inf if low is None else low
        intervals[name] = Interval(estimate, low, math.inf if high is None else high, level)
    of_draws = _current(law, entry["draws"])
    draws = {name: _array(of_draws[name]) for name in law.params}
    inputs = {name: checks.positive_array(entry["inputs"][name], name, "load_fit") for name in law.inputs}
    error = checks.positive_array(entry["error"], "error", "load_fit")
    if len({len(x) for x in draws.values()}) != 1 or {x.shape for x in inputs.values()} != {error.shape}:
        raise ValueError("arrays of different lengths")
    if not np.all(np.isfinite(law.error(**inputs))):
        raise ValueError("a law without finite errors")
    return Fit(
        law=law,
        intervals=intervals,
        objective=str(entry["objective"]),
        starts=int(entry["starts"]),
        ties=tuple(_law(e) for e in entry["ties"]),
        draws=draws,
        inputs=inputs,
        error=error,
        weights=_array(entry["weights"]),
        warnings=tuple(entry["warnings"]),
        **{name: math.nan if entry[name] is None else float(entry[name]) for name in _NUMBERS},
    )


def _current(law: Law, columns: dict[str, Any]) -> dict[str, Any]:
    """Return what a file has by a law's parameters with their new names, see `errsrc.records`."""
    owner = records.name(type(law))
    return {records.current_field(owner, name): value for name, value in columns.items()}


def _array(values: list[float]) -> Array:
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.all(np.isfinite(array)):
        raise ValueError("not a list of finite numbers")
    return array
