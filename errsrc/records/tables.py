"""Records as flat tables, which are the configurations of rows, and the keys of these tables."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import typing
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.records.names import NO_DEFAULT, Leaves, default_of, is_record, name, types_of
from errsrc.records.old_names import OLD_ATTRIBUTES, OLD_LAST_ATTRIBUTES, is_added


def flatten(record: Any, fields: Container[str] | None = None) -> tuple[Leaves, Leaves]:
    """Return a record as two flat dicts: the values that differ from their defaults, and all defaults.

    The second dict has all defaults, including the defaults of the fields of nested records.  It also has the
    names of the classes of nested records, under paths such as ``"setting.kind"``.  The second dict, updated
    with the first, describes the whole record.

    Parameters
    ----------
    record
        A frozen dataclass of plain values.
    fields
        Names of the fields to return; by default all fields.

    Returns
    -------
    given : dict
        The values that differ from their defaults; the keys are dotted paths.
    defaults : dict
        All defaults; the keys are dotted paths.

    Raises
    ------
    TypeError
        If the value of a field is neither a plain value nor a record.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> Recipe = make_dataclass("Recipe", [("rate", float, 0.1), ("batch", int, 128)], frozen=True)
    >>> fields = [("n", int), ("seed", int, 0), ("recipe", Recipe, Recipe())]
    >>> Cell = make_dataclass("Cell", fields, frozen=True)
    >>> flatten(Cell(500, recipe=Recipe(batch=32)))
    ({'n': 500, 'recipe.batch': 32},
     {'seed': 0, 'recipe.kind': 'recipe', 'recipe.rate': 0.1, 'recipe.batch': 128})
    """
    given: Leaves = {}
    defaults: Leaves = {}
    for path, value, default in _leaves(record, "", NO_DEFAULT, fields):
        if default is not NO_DEFAULT:
            defaults[path] = default
        elif path.endswith(".kind"):  # the other defaults belong to this class
            defaults[path] = value
        if default is NO_DEFAULT or type(value) is not type(default) or encode(value) != encode(default):
            given[path] = value
    return given, defaults


def _leaves(
    record: Any, above: str, default: Any, only: Container[str] | None = None
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, value, its default or NO_DEFAULT) of leaves; `default` is the default of the record."""
    hints = types_of(type(record))
    for field in dataclasses.fields(record):
        if only is not None and field.name not in only:
            continue
        value, path, hint = getattr(record, field.name), above + field.name, hints[field.name]
        inherited = type(default) is type(record)
        expected = getattr(default, field.name) if inherited else default_of(field)
        if is_record(value):
            cls, kind = type(value), name(type(value))
            yield f"{path}.kind", kind, kind if cls in (hint, type(expected)) else NO_DEFAULT
            yield from _leaves(value, f"{path}.", expected)
        else:
            none = expected is NO_DEFAULT or is_record(expected)
            yield path, _plain(value, hint, path), NO_DEFAULT if none else _plain(expected, hint, path)


def _plain(value: Any, hint: Any, path: str) -> Any:
    """Return a leaf as a plain value of its declared type; raise TypeError for any other value."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        inner = typing.get_args(hint)
        each = inner if len(inner) == len(value) and ... not in inner else inner[:1] * len(value)
        return [_plain(v, h, path) for v, h in zip(value, each or [None] * len(value), strict=True)]
    if is_record(value):
        kind, hints = name(type(value)), types_of(type(value))
        leaves = {field: _plain(getattr(value, field), inner, path) for field, inner in hints.items()}
        leaves = {field: leaf for field, leaf in leaves.items() if not is_added(kind, field, leaf)}
        return {"kind": kind, **OLD_ATTRIBUTES.get(kind, {}), **leaves, **OLD_LAST_ATTRIBUTES.get(kind, {})}
    if type(value) is int and hint is not int and (hint is float or float in typing.get_args(hint)):
        value = float(value)
    if type(value) not in (bool, int, float, str, type(None)) or value != value:
        accepted = "a number, a string, a boolean, None, or a tuple or frozen dataclass of these"
        raise TypeError(checks.refusal(path, "a cell", accepted, value))
    return value


def digest(leaves: Mapping[str, Any], head: str = "") -> str:
    r"""Return the key of a record's flat table: 32 hexadecimal digits of a SHA-256.

    These are the first digits of ``sha256(head + lines)``, where ``lines`` has a `line` for each value, in
    the order of the paths.  Anyone can therefore compute a row's key from the configuration in the row.

    Parameters
    ----------
    leaves : mapping of str to plain values
        The table: the values of the record; the keys are dotted paths, see `flatten`.
    head : str
        Text before the lines, such as ``"vision 1\n"``.

    Returns
    -------
    str
        The digits.

    Examples
    --------
    >>> digest({"n": 500, "dataset": "digits"}, "vision 1\n")
    '865fb4390f5f45a153f13732447a4cf4'
    """
    return hashlib.sha256((head + "".join(map(line, sorted(leaves.items())))).encode()).hexdigest()[:32]


def line(leaf: tuple[str, Any]) -> str:
    r"""Return a value as a line, such as "recipe.batch = 128"; `digest` computes a key from all lines.

    Parameters
    ----------
    leaf : (str, plain value)
        The dotted path, and the value.

    Returns
    -------
    str
        The line, with a line break at its end.

    Examples
    --------
    >>> line(("recipe.batch", 128))
    'recipe.batch = 128\n'
    """
    path, value = leaf
    return f"{path} = {encode(value)}\n"


def encode(value: Any) -> str:
    """Return plain values as JSON.

    Floats keep all their digits; infinity is written as 1e999 and NaN as null.

    Parameters
    ----------
    value
        A plain value, or a dict or list of plain values.

    Returns
    -------
    str
        The JSON text.

    Examples
    --------
    >>> encode({"rate": 0.1, "limit": float("inf")})
    '{"rate":0.1,"limit":1e999}'
    """
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if "N" in encoded or "I" in encoded:  # NaN, Infinity: JSON has neither
        encoded = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
        encoded = encoded.replace(f'"{_INFINITY}"', "1e999").replace(f'"-{_INFINITY}"', "-1e999")
    return encoded


_INFINITY = "\ue000infinity"  # U+E000 is for private use: no text of ours has it


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else (_INFINITY if value > 0 else f"-{_INFINITY}")
    return value
