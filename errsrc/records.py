"""Records: frozen dataclasses of plain values, as tables, as text, and back.

Specs, stores and fit files describe cells, settings, learners and laws.  Each of these is a record: a frozen
dataclass whose fields are numbers, strings, booleans, None, tuples of these, and other records.

- `flatten` turns a record into a flat table of plain values by dotted path, as ``"recipe.batch"``.
- `build` makes a record from a nested table, as TOML and JSON have it, and checks every type.
- `name` is the name that files have for a class: ``JointPruning`` is "joint-pruning".
- `text` is the repr of a record without the fields at their defaults.
- `digest` is the key of a flat table.

Names that were changed since files were written with them stand in one table, at the top of this module.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import re
import types
import typing
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from errsrc import checks

# The table of old names.
#
# Stores keep the name that a thing was first written with, and row keys are computed with it; readers of
# stores return the new names.  Specs and fit files may have either.  So a file of an earlier version opens
# unchanged, and the rows of a store are found.
#
# To rename a class, a field or a result: rename it in the code, and add a line here, the new name first.
# A class is called as files call it (`name`), by its new name: "recipe" for Recipe.  The cells of a study of
# kind "vision" are called "vision-cell", whatever their class is.  A subclass needs a line of its own for a
# field that it inherits.  Where a name is changed again, change the new name in its line.

OLD_KINDS: dict[str, str] = {
    # "band-limited-teacher": "band-teacher",
}
"""Old names of classes, by their new names."""

OLD_STUDIES: dict[str, str] = {
    # "images": "vision",
}
"""Old names of kinds of studies, by their new names."""

OLD_FIELDS: dict[tuple[str, str], str] = {
    # ("vision-cell", "data"): "dataset",
    ("recipe", "evaluation_interval"): "look",
    ("recipe", "validation_metric"): "watch",
    ("recipe", "min_steps"): "least",
    ("recipe", "target_training_loss"): "floor",
    ("recipe", "decay_shape"): "fall",
    ("rounds", "pruned_fraction"): "share",
    ("rounds", "max_rounds"): "most",
    ("rounds", "error_factor"): "until",
    ("rounds", "rewind_step"): "rewind",
}
"""Old names of fields, by (class, new name)."""

OLD_RESULTS: dict[tuple[str, str], str] = {
    # ("threshold", "n_exact"): "n_star",  # and n_exact.low for n_star.low
    # ("pruning", "curve.kept"): "curve.density",
}
"""Old names of results, by (kind of study, new name); names of learning curves begin with "curve."."""

# Version 0.1.0 wrote some attributes of classes with the records that stand in tuples, as the candidates of a
# tuned learner do: they are part of row keys.
_LINEAR = ("ridge", "minimum-norm", "gradient-descent", "band-least-squares", "kernel-ridge", "neighbours")
_NOT_LINEAR = ("reduced-rank", "band-selection", "sparse-recovery", "matrix-pencil", "gaussian-process")
_OLD_ATTRIBUTES: dict[str, dict[str, Any]] = {
    **{kind: {"linear_in_labels": True} for kind in (*_LINEAR, "memory")},
    **{kind: {"linear_in_labels": False} for kind in (*_NOT_LINEAR, "forest", "low-pass", "tuned")},
    **{kind: {"linear_in_labels": False} for kind in ("network-student", "network-class")},
    **{kind: {"grows_by": "degree"} for kind in ("torus", "legendre", "sphere", "cube")},
    **{kind: {"grows_by": "count"} for kind in ("slepian", "image-basis")},
}
_OLD_LAST_ATTRIBUTES: dict[str, dict[str, Any]] = {"resnet": {"beyond": 2}, "wrn": {"beyond": 4}}

Leaves = dict[str, Any]
"""Plain values (bool, int, float, str, None, or lists of these) by dotted path, as ``"recipe.batch"``."""


def name(cls: Any) -> str:
    """Return the name that files have for a class.

    Parameters
    ----------
    cls : type
        The class of a record.

    Examples
    --------
    >>> name(dataclasses.make_dataclass("JointPruning", []))
    'joint-pruning'
    """
    return _hyphenated(cls.__name__)


@functools.cache
def _hyphenated(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower()


def types_of(cls: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name.

    Types that are written as text (``from __future__ import annotations``) are evaluated in the class's
    module, which does not know the types that are local to a function.

    Parameters
    ----------
    cls : type
        The dataclass.

    Raises
    ------
    TypeError
        If a type cannot be evaluated.
    """
    return _types_of(cls)


@functools.cache
def _types_of(cls: Any) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(cls)
        return {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    except Exception as error:  # evaluating a user's annotation may raise anything
        accepted = f"a dataclass whose fields have types that its module {cls.__module__!r} knows"
        raise TypeError(checks.refusal("cls", "types_of", accepted, f"<{cls.__name__}: {error}>")) from None


def is_record(value: Any) -> bool:
    """Return whether a value is an instance of a dataclass.

    Parameters
    ----------
    value
        Any object.
    """
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


# As a flat table.


def flatten(record: Any, fields: Container[str] | None = None) -> tuple[Leaves, Leaves]:
    """Return a record as two flat tables: the values that are not defaults, and all defaults.

    The second table holds the default of every leaf that has one, used or not, and the names of the classes
    of nested records (``"setting.kind"``).  Updated with the first table it is the record in full.

    Parameters
    ----------
    record
        A frozen dataclass of plain values.
    fields
        Names of the fields to return; all by default.

    Raises
    ------
    TypeError
        For a field that is no plain value, and no record.

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
    for path, value, default in _leaves(record, "", _NONE, fields):
        if default is not _NONE:
            defaults[path] = default
        elif path.endswith(".kind"):  # the other defaults belong to this class
            defaults[path] = value
        if default is _NONE or type(value) is not type(default) or encode(value) != encode(default):
            given[path] = value
    return given, defaults


_NONE = object()


def _leaves(
    record: Any, above: str, default: Any, only: Container[str] | None = None
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, value, its default or _NONE) of a record's leaves; `default` is the record's own."""
    hints = types_of(type(record))
    for field in dataclasses.fields(record):
        if only is not None and field.name not in only:
            continue
        value, path, hint = getattr(record, field.name), above + field.name, hints[field.name]
        inherited = type(default) is type(record)
        expected = getattr(default, field.name) if inherited else default_of(field, _NONE)
        if is_record(value):
            cls, kind = type(value), name(type(value))
            yield f"{path}.kind", kind, kind if cls in (hint, type(expected)) else _NONE
            yield from _leaves(value, f"{path}.", expected)
        else:
            none = expected is _NONE or is_record(expected)
            yield path, _plain(value, hint, path), _NONE if none else _plain(expected, hint, path)


def default_of(field: dataclasses.Field[Any], missing: Any = None) -> Any:
    """Return the default of a dataclass's field.

    Parameters
    ----------
    field : dataclasses.Field
        The field.
    missing
        What to return for a field without a default.
    """
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return missing


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
        return {"kind": kind, **_OLD_ATTRIBUTES.get(kind, {}), **leaves, **_OLD_LAST_ATTRIBUTES.get(kind, {})}
    if type(value) is int and hint is not int and (hint is float or float in typing.get_args(hint)):
        value = float(value)
    if type(value) not in (bool, int, float, str, type(None)) or value != value:
        accepted = "a number, a string, a boolean, None, or a tuple or frozen dataclass of these"
        raise TypeError(checks.refusal(path, "a cell", accepted, value))
    return value


def digest(leaves: Mapping[str, Any], head: str = "") -> str:
    r"""Return the key of a flat table: 32 hexadecimal digits of a SHA-256.

    The digits are the first of ``sha256(head + lines)``, with a `line` for each leaf in the order of the
    paths, so that anyone can compute a key again from the configuration that its row shows.

    Parameters
    ----------
    leaves : mapping of str to plain values
        The table.
    head : str
        Text that comes first, as ``"vision 1\n"``.

    Examples
    --------
    >>> digest({"n": 500, "dataset": "digits"}, "vision 1\n")
    '865fb4390f5f45a153f13732447a4cf4'
    """
    return hashlib.sha256((head + "".join(map(line, sorted(leaves.items())))).encode()).hexdigest()[:32]


def line(leaf: tuple[str, Any]) -> str:
    r"""Return a leaf, a path and its value, as its line of a key's text.

    Parameters
    ----------
    leaf : (str, plain value)
        The path and the value.

    Examples
    --------
    >>> line(("recipe.batch", 128))
    'recipe.batch = 128\n'
    """
    path, value = leaf
    return f"{path} = {encode(value)}\n"


def encode(value: Any) -> str:
    """Return JSON of plain values: floats to the last bit, infinities as 1e999, NaN as null.

    Parameters
    ----------
    value
        A plain value, or a dict or list of these.

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


# As text.


@functools.singledispatch
def text(value: Any) -> str:
    """Return a record as text: its repr without the fields at their defaults.

    A class registers a text of its own with ``text.register``.

    Parameters
    ----------
    value
        A record, a tuple of records, or a plain value.

    Examples
    --------
    >>> Recipe = dataclasses.make_dataclass("Recipe", [("rate", float, 0.1), ("batch", int, 128)])
    >>> text((Recipe(batch=32), Recipe()))
    '(Recipe(batch=32), Recipe())'
    """
    return shared_text([value]) if is_record(value) else repr(value)


@text.register
def _(value: tuple) -> str:  # singledispatch takes classes alone
    return f"({', '.join(map(text, value))})"


def shared_text(records: Sequence[Any]) -> str:
    """Return the text of records of one class with the fields that are equal in all, without defaults.

    Parameters
    ----------
    records : sequence of records
        One or more.
    """
    first, *others = records
    shown = []
    for field in dataclasses.fields(first):
        value = getattr(first, field.name)
        alike = all(getattr(other, field.name) == value for other in others)
        if alike and value != default_of(field, _NONE):
            shown.append(f"{field.name}={text(value)}")
    return f"{type(first).__name__}({', '.join(shown)})"


# From a nested table.

Rooms = Mapping[Any, Mapping[str, type]]
"""For types whose tables name a class: the classes, by the ``kind`` that the table gives."""

_SCALARS = {int: "an integer", float: "a number", str: "a string", bool: "true or false"}


def build(cls: Any, table: Any, where: str, path: str = "", rooms: Rooms | None = None) -> Any:
    """Make a record from a nested table, as TOML and JSON have it, without any loss.

    Old names of fields and classes are accepted.

    Parameters
    ----------
    cls : type
        The class of the record.
    table : dict
        A value for each field by name: lists for tuples, tables for records.
    where : str
        What error messages call the file.
    path : str
        Where the table stands in the file, for error messages.
    rooms : mapping of types to {kind: class}
        For a type of field whose table names a class as its ``kind``: the classes.

    Raises
    ------
    ValueError
        For an unknown field, a missing field, a value of another type, and for all that the class refuses.

    Examples
    --------
    >>> Recipe = dataclasses.make_dataclass("Recipe", [("rate", float), ("batch", int, 128)])
    >>> build(Recipe, {"rate": 1}, "grid.toml")
    Recipe(rate=1.0, batch=128)
    >>> build(Recipe, {"rate": 1, "batch": "many"}, "grid.toml", "recipe")
    Traceback (most recent call last):
        ...
    ValueError: The 'recipe.batch' parameter of grid.toml must be an integer. Got 'many' instead.
    """
    return Reader(where, rooms or {}).build(table, cls, path)


@dataclasses.dataclass(frozen=True)
class Reader:
    """Makes records from the tables of one file; an error names the file and the key.

    Attributes
    ----------
    where
        What error messages call the file.
    rooms
        For a type of field whose table names a class as its ``kind``: the classes, by kind.
    """

    where: str
    rooms: Rooms

    def build(self, value: Any, cls: Any, path: str = "", owner: str | None = None) -> Any:
        """Return a table as a record, see `build`.

        Parameters
        ----------
        value
            What should be a table.
        cls : type
            The class of the record.
        path : str
            Where the table stands in the file.
        owner : str, optional
            What the table of old names calls the class, where that is not its `name`.
        """
        above = f"{path}." if path else ""
        table = self.renamed(self.table(value, path), owner or name(cls), above)
        hints = types_of(cls)
        self.known(table, above, tuple(field.name for field in dataclasses.fields(cls)))
        values = {field: self.decode(v, hints[field], f"{above}{field}") for field, v in table.items()}
        for field in dataclasses.fields(cls):
            if field.init and field.name not in values and default_of(field, _NONE) is _NONE:
                self.refuse(f"{above}{field.name}", "given", "<nothing>")
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.where}{path and f', {path}'}: {error}") from None

    def decode(self, value: Any, hint: Any, path: str) -> Any:
        """Return a value as its declared type, without any loss.

        Parameters
        ----------
        value
            The value, as TOML and JSON have it.
        hint
            The declared type.
        path : str
            Where the value stands in the file.

        Raises
        ------
        ValueError
            For a value of another type.
        """
        if hint in self.rooms:
            return self._of_room(value, self.rooms[hint], path)
        if dataclasses.is_dataclass(hint):
            return self.build(value, hint, path)
        inner = typing.get_args(hint)
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            return self._of_union(value, [one for one in inner if one is not types.NoneType], path)
        if origin is typing.Literal:
            if value not in inner or type(value) not in {type(one) for one in inner}:
                self.refuse(path, "one of " + ", ".join(map(repr, inner)), value)
            return value
        if origin is tuple:
            return self._tuple(value, inner, path)
        if hint is float and type(value) is int and int(float(value)) == value:
            return float(value)
        if type(value) is not hint:
            self.refuse(path, _SCALARS[hint], value)
        return value

    def _of_room(self, value: Any, classes: Mapping[str, type], path: str) -> Any:
        """Return a table that names its class as a record of that class."""
        table = self.table(value, path)
        cls = classes[self.kind(table, f"{path}.kind", tuple(classes))]
        return self.build({field: inner for field, inner in table.items() if field != "kind"}, cls, path)

    def _of_union(self, value: Any, hints: Sequence[Any], path: str) -> Any:
        """Return a value as the first of several types that accepts it."""
        for hint in hints[:-1]:
            try:
                return self.decode(value, hint, path)
            except (TypeError, ValueError):
                continue
        return self.decode(value, hints[-1], path)

    def _tuple(self, value: Any, inner: tuple[Any, ...], path: str) -> tuple[Any, ...]:
        """Return a list as a tuple of its declared types."""
        variable = ... in inner
        if not isinstance(value, list) or (not variable and len(value) != len(inner)):
            self.refuse(path, "a list" if variable else f"a list of {len(inner)} values", value)
        hints = inner[:1] * len(value) if variable else inner
        pairs = enumerate(zip(value, hints, strict=True))
        return tuple(self.decode(one, hint, f"{path}[{i}]") for i, (one, hint) in pairs)

    def renamed(self, table: Mapping[str, Any], owner: str, above: str = "") -> dict[str, Any]:
        """Return a table with new names for old ones; refuse one that gives a field under both.

        Parameters
        ----------
        table : dict
            A table of one class.
        owner : str
            What the table of old names calls the class.
        above : str
            Where the table stands in the file, with a dot at its end, if not at the top.
        """
        out: dict[str, Any] = {}
        for field, value in table.items():
            new = current_field(owner, field)
            if new in out or (new != field and new in table):
                self.refuse(f"{above}{new}", f"given once: {field!r} is its old name", "<both>")
            out[new] = value
        return out

    def kind(self, table: Mapping[str, Any], path: str, options: Sequence[str]) -> str:
        """Return the kind that a table names, by its new name.

        Parameters
        ----------
        table : dict
            The table.
        path : str
            Where its kind stands in the file.
        options : sequence of str
            The kinds that are accepted.
        """
        named = table.get("kind", "<nothing>")
        if not isinstance(named, str) or "kind" not in table:
            self.refuse(path, "one of " + ", ".join(map(repr, options)), named)
        return checks.choice(current_kind(named), path, self.where, tuple(options))

    def table(self, value: Any, path: str) -> dict[str, Any]:
        """Return a value that is a table; refuse any other.

        Parameters
        ----------
        value
            The value.
        path : str
            Where it stands in the file.
        """
        if not isinstance(value, dict):
            self.refuse(path, "a table", value)
        return dict(value)

    def known(self, table: Mapping[str, Any], above: str, names: Sequence[str]) -> None:
        """Refuse a table that has other keys than some names.

        Parameters
        ----------
        table : dict
            The table.
        above : str
            Where the table stands in the file, with a dot at its end, if not at the top.
        names : sequence of str
            The keys that are accepted.
        """
        for key in table:
            if key not in names:
                there = f"in [{above.rstrip('.')}]" if above else "at the top"
                near = checks.nearest(key, names)
                raise ValueError(
                    f"{self.where} has an unknown key {key!r} {there}{near}; known are {', '.join(names)}."
                )

    def refuse(self, path: str, accepted: str, got: Any) -> NoReturn:
        """Raise ValueError for the value at a path, see `errsrc.checks.refusal`.

        Parameters
        ----------
        path : str
            Where the value stands in the file.
        accepted : str
            What is accepted there.
        got
            The value, or a text "<...>" about it.
        """
        raise ValueError(checks.refusal(path, self.where, accepted, got))


# Old names: what files have, and what the code has.


def stored_study(kind: str) -> str:
    """Return the name that files have for a kind of study, by its new name.

    Parameters
    ----------
    kind : str
        The new name.
    """
    return OLD_STUDIES.get(kind, kind)


def current_study(kind: str) -> str:
    """Return the new name of a kind of study, by its old name or its new one.

    Parameters
    ----------
    kind : str
        The name in a file.
    """
    return next((new for new, old in OLD_STUDIES.items() if old == kind), kind)


def stored_kind(kind: str) -> str:
    """Return the name that files have for a class, by its new name.

    Parameters
    ----------
    kind : str
        The new name.
    """
    return OLD_KINDS.get(kind, kind)


def current_kind(kind: str) -> str:
    """Return the new name of a class, by its old name or its new one.

    Parameters
    ----------
    kind : str
        The name in a file.
    """
    return next((new for new, old in OLD_KINDS.items() if old == kind), kind)


def current_field(owner: str, field: str) -> str:
    """Return the new name of a field, by its old name or its new one.

    Parameters
    ----------
    owner : str
        What the table of old names calls the field's class.
    field : str
        The name in a file.
    """
    return next((new for (cls, new), old in OLD_FIELDS.items() if (cls, old) == (owner, field)), field)


def stored_repr(value: Any) -> str:
    """Return the repr of a value, in which records have the names of fields that files have.

    Identities of checkpoints are computed from it, so that renaming a field does not change them.

    Parameters
    ----------
    value
        A record, a tuple or list of such values, or any other value.

    Examples
    --------
    >>> stored_repr([1, (None,), dataclasses.make_dataclass("Recipe", ["min_steps"])(200)])
    '[1, (None,), Recipe(least=200)]'
    """
    if is_record(value):
        cls = type(value)
        names = {f.name: OLD_FIELDS.get((name(cls), f.name), f.name) for f in dataclasses.fields(value)}
        fields = (f"{old}={stored_repr(getattr(value, field))}" for field, old in names.items())
        return f"{cls.__qualname__}({', '.join(fields)})"
    if type(value) not in (list, tuple):
        return repr(value)
    inner = (stored_repr(one) for one in value)
    if type(value) is list:
        return f"[{', '.join(inner)}]"
    return f"({', '.join(inner)}{',' if len(value) == 1 else ''})"


def stored_names(leaves: Leaves, owner: str, kinds: Mapping[str, Any]) -> Leaves:
    """Return a flat table with the names that files have.

    Parameters
    ----------
    leaves : dict
        The table, with new names; may be a part of a record's.
    owner : str
        What the table of old names calls the record's class.
    kinds : mapping
        A flat table with the kinds of all nested records, as `flatten` has them among given values and
        defaults.
    """
    if not (OLD_KINDS or OLD_FIELDS):
        return leaves
    return _renamed(leaves, owner, kinds, OLD_KINDS, OLD_FIELDS)


def current_names(leaves: Leaves, owner: str, kinds: Mapping[str, Any]) -> Leaves:
    """Return a flat table of a file with new names, see `stored_names`.

    Parameters
    ----------
    leaves : dict
        The table, with the names that the file has.
    owner : str
        What the table of old names calls the record's class.
    kinds : mapping
        A flat table with the kinds of all nested records, as the file has them.
    """
    if not (OLD_KINDS or OLD_FIELDS):
        return leaves
    fields = {(cls, old): new for (cls, new), old in OLD_FIELDS.items()}
    return _renamed(leaves, owner, kinds, {old: new for new, old in OLD_KINDS.items()}, fields)


def _renamed(
    leaves: Leaves,
    owner: str,
    kinds: Mapping[str, Any],
    kind_names: Mapping[str, str],
    field_names: Mapping[tuple[str, str], str],
) -> Leaves:
    """Return a flat table with other names, which are looked up by the new names of classes."""

    def value_of(value: Any) -> Any:
        if isinstance(value, list):
            return [value_of(one) for one in value]
        if not isinstance(value, dict):
            return value
        cls = current_kind(value["kind"])
        inner = {field_names.get((cls, f), f): value_of(v) for f, v in value.items() if f != "kind"}
        return {"kind": kind_names.get(value["kind"], value["kind"]), **inner}

    owners = ((p.removesuffix(".kind"), v) for p, v in kinds.items() if p.endswith(".kind"))
    paths = _renamed_paths(tuple(leaves), (("", owner), *owners), tuple(field_names.items()))
    return {
        paths[path]: kind_names.get(value, value) if path.endswith(".kind") else value_of(value)
        for path, value in leaves.items()
    }


@functools.lru_cache(maxsize=1024)
def _renamed_paths(
    paths: tuple[str, ...],
    owners: tuple[tuple[str, str], ...],
    field_names: tuple[tuple[tuple[str, str], str], ...],
) -> dict[str, str]:
    """Return the other name of each path; rows by the million have the same few tuples of paths."""
    kinds, names = {place: current_kind(kind) for place, kind in owners}, dict(field_names)
    out = {}
    for path in paths:
        parts = path.split(".")
        places = (".".join(parts[:k]) for k in range(len(parts)))
        renamed = [names.get((kinds.get(p, ""), part), part) for p, part in zip(places, parts, strict=True)]
        out[path] = ".".join(renamed)
    return out


def stored_results(study: str, results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return results with the names that files have.

    Parameters
    ----------
    study : str
        The kind of study, by its new name.
    results : mapping
        Values by new name, as ``"n_star.low"``; of learning curves ``"curve.error"``.
    """
    return _renamed_results(results, {new: old for (kind, new), old in OLD_RESULTS.items() if kind == study})


def current_results(study: str, results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return results with their new names, see `stored_results`.

    Parameters
    ----------
    study : str
        The kind of study, by its new name.
    results : mapping
        Values by the name that files have.
    """
    return _renamed_results(results, {old: new for (kind, new), old in OLD_RESULTS.items() if kind == study})


def _renamed_results(results: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    if not names:
        return results
    out = {}
    for result, value in results.items():
        first, dot, rest = result.partition(".")  # "n_star" is renamed in "n_star.low" too
        out[names.get(result, names.get(first, first) + dot + rest)] = value
    return out
