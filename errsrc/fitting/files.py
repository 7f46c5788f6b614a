"""Fits as JSON files, and the short summary that the command line prints.

A file holds the name of each law, the law's parameters, and all other values that predictions need.  Laws are
looked up by name in ``errsrc.laws.ALL`` and among the laws that the caller passes.  Nothing is ever imported
from a file.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from errsrc import checks, records
from errsrc.checks import PATH
from errsrc.fitting.few_sizes import OPEN
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.one_law import Fit
from errsrc.fitting.several_laws import AveragedFit, weighted_fits
from errsrc.laws import ALL
from errsrc.laws.law import Array, Law
from errsrc.results import Interval

FIT_FORMAT = "errsrc fit 1"
"""First entry of a file."""

MAX_BYTES = 64_000_000
"""Largest size of a file; a fit to 100,000 points takes about 10 MB."""

T = TypeVar("T")
_NOT_A_FIT = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def fit_summary(result: Forecast) -> dict[str, Any]:
    """Return the main numbers of a fit as plain JSON values.

    Parameters
    ----------
    result : Fit or AveragedFit
        The fit.  For an average, the numbers are those of the fit with the largest weight.

    Returns
    -------
    dict
        The keys are "law" (the name of the law), "params" and "intervals" (dicts by parameter, in the units
        of the given points), "divergence" (mean and standard deviation of (predicted - measured) / measured),
        and "warnings".  An end of an interval that the points do not bound is None.

    Raises
    ------
    TypeError
        If the forecast is neither a fit nor an average of fits.
    """
    lead = _fits(result, "fit_summary")[0][0]
    return result.as_dict() | {"law": _name(type(lead.law))}


@checks.arguments(path=PATH)
def save_fit(result: Forecast, path: str | Path) -> None:
    """Write a fit to a JSON file that `load_fit` reads back.

    If the file exists, it is replaced in one step: an error leaves the old file unchanged.

    Parameters
    ----------
    result : Fit or AveragedFit
        The fit.  A law of your own is written under the name of its class: ``Onset`` as "onset".
    path : str or Path
        Where to write.

    Raises
    ------
    TypeError
        If the forecast is neither a fit nor an average of fits, or if its `notes` cannot be written as JSON.
    ValueError
        If `load_fit` could not read the file back, because a law of your own has the name of a law of errsrc,
        or because a number is not finite.
    OSError
        If the file cannot be written.
    """
    fits = _fits(result, "save_fit")
    classes = {_name(type(fit.law)): type(fit.law) for fit, _ in fits}
    for name, cls in classes.items():
        if ALL.get(name, cls) is not cls:
            accepted = f"a fit of a law that has a name of its own, for {name!r} is one of ours"
            got = f"<the class {cls.__module__}.{cls.__qualname__}>"
            raise ValueError(checks.refusal("result", "save_fit", accepted, got) + " Rename the class.")
    content = {
        "format": FIT_FORMAT,
        **fit_summary(result),
        "notes": dict(result.notes),
        "weights": [weight for _, weight in fits],
        "members": [_member(fit) for fit, _ in fits],
    }
    if isinstance(result, AveragedFit) and result.limits:
        content["limits"] = _interval_entries(result.limits)
    try:
        text = json.dumps(content, indent=1) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        accepted = "a fit whose notes are JSON values"
        raise TypeError(checks.refusal("result", "save_fit", accepted, f"<{error}>")) from None
    try:
        _forecast(_parsed(text.encode()), {**ALL, **classes})
    except _NOT_A_FIT as error:
        accepted = "a fit that can be read back, of a law that its fields define and of finite numbers"
        raise ValueError(checks.refusal("result", "save_fit", accepted, f"<{error}>")) from None
    _replace(Path(path).resolve(), text)


@checks.arguments(path=PATH)
def load_fit(path: str | Path, laws: Mapping[str, type[Law]] | None = None) -> Fit | AveragedFit:
    """Read a fit from a JSON file that `save_fit` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    laws : dict of str to type of Law, optional
        Laws of your own by their names in the file, such as ``{"onset": Onset}``.  The laws of
        ``errsrc.laws.ALL`` are always known.

    Returns
    -------
    Fit or AveragedFit
        The fit.  Its predictions equal those of the fit that was written.

    Raises
    ------
    TypeError
        If one of the laws is not a subclass of `Law`.
    ValueError
        If the file does not contain a fit, or if the law of the fit is not known.
    OSError
        If the file cannot be read.
    """
    known = {**ALL, **_own_laws(laws or {})}
    accepted, got = (
        "a fit that errsrc wrote, such as the file of 'errsrc fit TABLE --out fit.json'",
        f"<the file {path}>",
    )
    try:
        with open(path, "rb") as file:
            content = _parsed(file.read(MAX_BYTES + 1))
        if content["format"] != FIT_FORMAT:
            raise ValueError(content["format"])
        if len(_read(content, "members", lambda members: _typed(members, list))) > MAX_MEMBERS:
            raise _WrongEntry("members", f"there must be at most {MAX_MEMBERS} of them")
        named = _read(content, "members", lambda members: _each(members, _law_name))
    except FileNotFoundError as error:
        raise checks.missing_file(error) from None
    except _NOT_A_FIT as error:
        raise ValueError(checks.refusal("path", "load_fit", accepted, got) + _wrong_entry(error)) from None
    for name in named:
        if records.current_kind(name) not in known:
            raise ValueError(_unknown(name, path))
    try:
        return _forecast(content, known)
    except _NOT_A_FIT as error:
        raise ValueError(checks.refusal("path", "load_fit", accepted, got) + _wrong_entry(error)) from None


class _WrongEntry(ValueError):
    """An entry of a file has a wrong value: its place, such as "members.0.noise", and what is wrong."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason = place, reason


def _read(content: Any, key: str | int, read: Callable[[Any], T]) -> T:
    """Return what `read` makes of an entry of a dict or list; raise _WrongEntry if it is wrong."""
    place = str(key)
    if isinstance(key, str) and type(content) is not dict:
        raise TypeError("it must be an object with names")
    if isinstance(key, str) and key not in content:
        raise _WrongEntry(place, "it is missing")
    try:
        return read(content[key])
    except _WrongEntry as wrong:
        raise _WrongEntry(f"{place}.{wrong.place}", wrong.reason) from None
    except _NOT_A_FIT as wrong:
        told = isinstance(wrong, _Told)
        raise _WrongEntry(place, str(wrong) if told else "its value is not what errsrc writes") from None


class _Told(ValueError):
    """A reason why a value is wrong, as a sentence for the user."""


def _wrong_entry(error: Exception) -> str:
    """Return a sentence, after a blank, on the entry of a file that is wrong; "" if it is not known."""
    if not isinstance(error, _WrongEntry):
        return f" {str(error).capitalize()}." if isinstance(error, _Told) else ""
    shown = error.place if len(error.place) <= 80 else error.place[:77] + "..."
    return f" The entry {shown!r} is wrong: {error.reason}."


def _law_name(entry: Any) -> str:
    """Return the name of the law of a member of a file."""
    return str(_read(entry, "law", lambda law: _read(law, "law", str)))


def _parsed(content: bytes) -> Any:
    """Return the JSON values of a file; raise ValueError for a file that is too large, and for NaN."""

    def refuse(token: str) -> None:
        raise ValueError(f"{token}, which is not finite")

    if len(content) > MAX_BYTES:
        raise ValueError(f"a file of more than {MAX_BYTES / 1e6:g} MB")
    return json.loads(content.decode(), parse_constant=refuse)


def _fits(result: Forecast, where: str) -> tuple[tuple[Fit, float], ...]:
    """Return the fits that a forecast averages, with their weights; raise TypeError if there are none."""
    fits = weighted_fits(result)
    if not fits:
        accepted = "a fit of one law, or an average of such fits"
        got = f"<a {type(result).__name__}>" if isinstance(result, Forecast) else result
        raise TypeError(checks.refusal("result", where, accepted, got))
    return fits


def _own_laws(laws: Mapping[str, type[Law]]) -> Mapping[str, type[Law]]:
    """Return the laws of the caller; raise an error for an object that is no law, or a name in `ALL`."""
    for name, cls in checks.Instance(Mapping, "a dict of laws by name")(laws, "laws", "load_fit").items():
        if not (isinstance(cls, type) and issubclass(cls, Law)):
            raise TypeError(checks.refusal("laws", "load_fit", "subclasses of errsrc.laws.Law by name", cls))
        if ALL.get(name, cls) is not cls:
            accepted = "laws by names that differ from those of errsrc.laws.ALL"
            raise ValueError(checks.refusal("laws", "load_fit", accepted, name))
    return laws


def _unknown(name: str, path: str | Path) -> str:
    """Return the message of the error for a file with an unknown law."""
    accepted = "a fit of laws in errsrc.laws.ALL or in the 'laws' parameter"
    refusal = checks.refusal("path", "load_fit", accepted, f"<the law {name!r} in the file {path}>")
    cls = "".join(word.capitalize() for word in name.split("-"))
    return f"{refusal} Pass the class of the law: load_fit(path, laws={{{name!r}: {cls}}})."


def _name(law: type[Law]) -> str:
    """Return the name of a law in files: its name in `ALL`, or the name of its class."""
    return next((name for name, cls in ALL.items() if cls is law), records.name(law))


def _replace(target: Path, text: str) -> None:
    """Write a text to a file, replacing it as a whole; a pipe or a device is written to directly."""
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    draft = target.with_name(f".errsrc-{os.getpid()}.json")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


# To and from plain JSON values

MAX_NOISE = 100.0
"""Bound on the standard deviation of ln error of a run: an interval then spans all of float64."""

MAX_MEMBERS = 100
"""Largest number of laws that a fit averages; `errsrc.auto` averages at most six."""

MAX_DISTANCE = 300.0
"""Bound on the distance in ln error between the law and a measured point: larger ones are no fit."""

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


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _law_entry(law: Law) -> dict[str, Any]:
    given, defaults = records.flatten(law)
    leaves = defaults | given
    return {"law": _name(type(law)), "values": {name: leaves[name] for name in records.types_of(type(law))}}


def _law(entry: dict[str, Any], known: Mapping[str, type[Law]]) -> Law:
    kind = known[records.current_kind(_read(entry, "law", lambda name: _typed(name, str)))]
    law: Law = _read(entry, "values", lambda values: records.build(kind, values, "a fit"))
    return law


def _interval_entries(intervals: Mapping[str, Interval]) -> dict[str, list[float | None]]:
    """Return intervals as plain JSON values; `_intervals` is the inverse."""
    return {k: [v.estimate, _plain(v.low), _plain(v.high), v.level] for k, v in intervals.items()}


def _intervals(entries: Mapping[str, Any]) -> dict[str, Interval]:
    """Return the intervals in a file."""
    found = {}
    for name, ends in _typed(entries, dict).items():
        if len(_typed(ends, list)) != 4:
            raise _WrongEntry(name, "it must be a list of estimate, low, high and level")
        estimate, low, high, level = ends
        low = -math.inf if low is None else _number(low)
        high = math.inf if high is None else _number(high)
        found[name] = Interval(_number(estimate), low, high, _number(level))
    return found


def _member(fit: Fit) -> dict[str, Any]:
    """Return a fit of one law as plain JSON values; `_fit` is the inverse."""
    return {
        "law": _law_entry(fit.law),
        "intervals": _interval_entries(fit.intervals),
        "ties": [_law_entry(law) for law in fit.ties],
        "draws": {k: v.tolist() for k, v in fit.draws.items()},
        "inputs": {k: v.tolist() for k, v in fit.inputs.items()},
        "error": fit.error.tolist(),
        "weights": fit.weights.tolist(),
        "warnings": list(fit.warnings),
        **({} if fit.determined else {"determined": False}),
        **{name: _plain(getattr(fit, name)) for name in _NUMBERS},
        **{name: getattr(fit, name) for name in ("objective", "starts")},
    }


def _forecast(content: dict[str, Any], known: Mapping[str, type[Law]]) -> Fit | AveragedFit:
    """Return the fit, or the average of fits, in the content of a file; raise one of `_NOT_A_FIT` if none."""
    members = _read(content, "members", lambda entries: _each(entries, lambda entry: _fit(entry, known)))
    weights = _read(content, "weights", lambda values: _each(values, _number))
    if len(weights) != len(members) or min(weights, default=-1) < 0 or not abs(sum(weights) - 1) < 1e-6:
        raise _WrongEntry("weights", "they must be one share for each member, of sum 1")
    if len({fit.input_names for fit in members}) > 1:
        raise _WrongEntry("members", "their laws must have the same inputs")
    notes = _read(content, "notes", lambda value: _typed(value, dict))
    warnings = _read(content, "warnings", _sentences)
    limits = _read(content, "limits", _intervals) if "limits" in content else {}
    found = AveragedFit(members, weights, warnings, notes, limits) if len(members) > 1 else members[0]
    step = len(members[0].error) // 1000 + 1
    centre, draws = found.curves(**{name: x[::step] for name, x in members[0].inputs.items()})
    logs = np.log(members[0].error[::step])
    near_draws = np.mean(np.abs(draws - logs) < MAX_DISTANCE, axis=0)
    if not np.all(np.abs(centre - logs) < MAX_DISTANCE) or np.any(near_draws < 0.5):
        raise _WrongEntry("members", "the law is not one of the measured errors")
    return found if len(members) > 1 else dataclasses.replace(members[0], notes=notes)


def _fit(entry: dict[str, Any], known: Mapping[str, type[Law]]) -> Fit:
    law = _read(entry, "law", lambda value: _law(value, known))
    intervals = _read(entry, "intervals", lambda value: _intervals(_current(law, value)))

    def of_draws(value: Any) -> dict[str, Array]:
        current = _current(law, value)
        return {name: _read(current, name, _array) for name in law.params}

    draws = _read(entry, "draws", of_draws)
    inputs = _read(
        entry,
        "inputs",
        lambda sizes: {name: _read(sizes, name, _positive) for name in law.inputs},
    )
    error = _read(entry, "error", _positive)
    if len({len(x) for x in draws.values()}) != 1:
        raise _WrongEntry("draws", "its lists must be of one length")
    if {x.shape for x in inputs.values()} != {error.shape}:
        raise _WrongEntry("inputs", "its lists must be as long as error")
    with np.errstate(all="ignore"):
        if not np.all(np.isfinite(law.error(**inputs))):
            raise _WrongEntry("law", "it has no finite errors at these inputs")
        if not np.all(np.isfinite(6 * np.prod(list(inputs.values()), axis=0))):
            raise _WrongEntry("inputs", "the products of its numbers are too large for a cost")
    numbers: dict[str, Any] = {
        k: _read(entry, k, lambda value: math.nan if value is None else _number(value)) for k in _NUMBERS
    }
    if numbers["run_noise"] < 0 or numbers["run_noise"] > MAX_NOISE:
        raise _WrongEntry("run_noise", f"it must be a number from 0 to {MAX_NOISE:g}")
    return Fit(
        law=law,
        intervals=intervals,
        objective=_read(entry, "objective", lambda value: _typed(value, str)),
        starts=_read(entry, "starts", lambda value: _typed(value, int)),
        ties=_read(entry, "ties", lambda laws: _each(laws, lambda one: _law(one, known))),
        draws=draws,
        inputs=inputs,
        error=error,
        weights=_read(entry, "weights", _array),
        warnings=_read(entry, "warnings", _sentences),
        determined=_is_determined(entry),
        **numbers,
    )


def _is_determined(entry: dict[str, Any]) -> bool:
    """Return whether the sizes determine the law of a member; files without this entry have a warning."""
    if "determined" in entry:
        return _read(entry, "determined", lambda value: _typed(value, bool))
    return not any(OPEN in text for text in _read(entry, "warnings", _sentences))


def _sentences(texts: Any) -> tuple[str, ...]:
    """Return a list of texts as sentences of one line each, without characters that control a terminal."""
    found = _each(texts, lambda text: _typed(text, str))
    return tuple("".join(c for c in " ".join(text.split()) if c.isprintable()) for text in found)


def _positive(values: Any) -> Array:
    found = _array(values)
    if not (found > 0).all():
        raise _Told("its numbers must be > 0")
    return found


def _each(values: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Return what `read` makes of each entry of a list; raise _WrongEntry with the index of a wrong entry."""
    return tuple(_read(_typed(values, list), k, read) for k in range(len(_typed(values, list))))


_JSON = {
    list: "a list",
    dict: "an object with names",
    str: "a text",
    int: "an integer",
    bool: "true or false",
}
"""Types of JSON values in words."""


def _typed(value: Any, kind: type[T]) -> T:
    """Return a value of exactly this type; raise TypeError for another one."""
    if type(value) is not kind:
        raise _Told(f"it must be {_JSON[kind]}")
    return value


def _number(value: Any) -> float:
    """Return a finite number as a float; raise TypeError or ValueError for anything else."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _Told("it must be a finite number")
    return float(value)


def _current(law: Law, columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns of a file under the present names of a law's parameters, see `errsrc.records`."""
    owner = records.name(type(law))
    return {records.current_field(owner, name): value for name, value in _typed(columns, dict).items()}


def _array(values: list[float]) -> Array:
    if not _typed(values, list):
        raise _Told("it must not be empty")
    return np.array(_each(values, _number))
