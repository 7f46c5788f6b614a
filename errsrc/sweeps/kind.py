"""Kinds of cells: which function computes them, and what makes two of them the same."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import re
import typing
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from errsrc import checks

Leaves = dict[str, Any]
"""Plain values (bool, int, float, str, None, or lists of these) by dotted path, as ``"recipe.batch"``."""

RESERVED = frozenset({"key", "kind", "version", "curve", "seconds", "device", "finished"})
"""Columns of the sweep's own, beside the fields of a cell and the names of its result."""


@dataclass(frozen=True)
class Kind:
    """A kind of cell, known to a sweep as functions alone.

    Attributes
    ----------
    name
        What specs call it; part of every cell's key.
    cell
        The class of its cells: a frozen dataclass of plain values (and of such dataclasses) that says
        all that a result depends on, with an integer field ``seed`` and none named as in `RESERVED`.
    compute
        Maps the cells of one batch to their outcomes, in order.  An outcome maps names to numbers,
        strings and booleans.  Three names are the sweep's own: "curve", the learning curve, a mapping
        of names to one-dimensional arrays; "seconds", the cell's share of the wall time (an equal one
        where it is not given); and "device".  Runs in other processes: it must be a module's function.
    version
        Version of what a cell means, >= 1.  Raise it when the same configuration gives other results
        than before: rows of older versions are then left alone and not used.
    group
        Cells of equal ``group(cell)`` may be computed in one batch; without it each is its own.
    largest
        The most cells in a batch.
    cost
        Relative work of a cell: the most expensive batches start first, and the time left is judged
        by it.  All equal without it.
    ready
        Refuses cells that this machine has no data for, with an OSError or ValueError that says what to
        install or where to put it: called with all that are missing, before any is computed.
    packages
        Installed packages whose versions are recorded with each row, beside Python's and errsrc's.
    """

    name: str
    cell: type
    compute: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]
    version: int = 1
    group: Callable[[Any], Hashable] | None = None
    largest: int = 64
    cost: Callable[[Any], float] | None = None
    ready: Callable[[Iterable[Any]], None] | None = None
    packages: tuple[str, ...] = ("numpy",)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise ValueError(checks.refusal("name", "Kind", "a name such as 'vision'", self.name))
        if not (isinstance(self.cell, type) and dataclasses.is_dataclass(self.cell)):
            raise TypeError(checks.refusal("cell", "Kind", "a frozen dataclass", self.cell))
        if types_of(self.cell).get("seed") is not int:
            accepted = "a dataclass with an integer field 'seed'"
            raise TypeError(checks.refusal("cell", "Kind", accepted, f"<{self.cell.__name__}>"))
        taken = RESERVED.intersection(types_of(self.cell))
        if taken:
            accepted = f"a dataclass without fields named {', '.join(sorted(RESERVED))}"
            raise ValueError(checks.refusal("cell", "Kind", accepted, f"<{min(taken)!r}>"))
        checks.integer(self.version, "version", "Kind", 1)
        checks.integer(self.largest, "largest", "Kind", 1)

    def key(self, cell: Any) -> str:
        """Return the cell's key: 32 hexadecimal digits of a SHA-256, see `digest`."""
        return self.digest("".join(map(line, sorted(split(cell)[0].items()))))

    def digest(self, lines: str) -> str:
        r"""Return the key of the cell whose non-default leaves are `lines`, one `line` each, by path.

        The first 32 digits of ``sha256(f"{name} {version}\n{lines}")``, so that anyone can recompute
        a key from the name, the version and the configuration that its row shows.
        """
        return hashlib.sha256(f"{self.head}{lines}".encode()).hexdigest()[:32]

    @property
    def head(self) -> str:
        """Return what precedes the lines in the text of a key."""
        return f"{self.name} {self.version}\n"


def line(leaf: tuple[str, Any]) -> str:
    r"""Return one leaf as its line of a key's text.

    Examples
    --------
    >>> line(("recipe.batch", 128))
    'recipe.batch = 128\n'
    """
    path, value = leaf
    return f"{path} = {encode(value)}\n"


def encode(value: Any) -> str:
    """Return JSON of a value, dict or list: floats to the last bit, infinities as 1e999, NaN as null."""
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if "N" in text or "I" in text:  # NaN, Infinity: JSON has neither
        value = _finite(value)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        text = text.replace(f'"{_INF}"', "1e999").replace(f'"-{_INF}"', "-1e999")
    return text


_INF = "\ue000infinity"  # of the private use area: no text of ours


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else (_INF if value > 0 else f"-{_INF}")
    return value


def split(cell: Any, fields: Container[str] | None = None) -> tuple[Leaves, Leaves]:
    """Return a cell's configuration as two flat dicts: what is not a default, and all defaults.

    The second holds every leaf's default where it has one, used or not, and the names of the classes
    of nested dataclasses (``"setting.kind"``); patched by the first it is the cell in full.  With
    `fields`, only of those fields.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> Recipe = make_dataclass("Recipe", [("rate", float, 0.1), ("batch", int, 128)], frozen=True)
    >>> fields = [("n", int), ("seed", int, 0), ("recipe", Recipe, Recipe())]
    >>> Cell = make_dataclass("Cell", fields, frozen=True)
    >>> split(Cell(500, recipe=Recipe(batch=32)))
    ({'n': 500, 'recipe.batch': 32},
     {'seed': 0, 'recipe.kind': 'recipe', 'recipe.rate': 0.1, 'recipe.batch': 128})
    """
    given: Leaves = {}
    defaults: Leaves = {}
    for path, value, default in _walk(cell, "", _NONE, fields):
        if default is not _NONE:
            defaults[path] = default
        elif path.endswith(".kind"):  # no default, and yet part of what the defaults belong to
            defaults[path] = value
        if default is _NONE or type(value) is not type(default) or encode(value) != encode(default):
            given[path] = value
    return given, defaults


_NONE = object()


def _walk(
    cell: Any, path: str, default: Any, only: Container[str] | None = None
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, leaf, its default or _NONE) of a dataclass; `default` is a default for all of it."""
    cls: Any = type(cell)
    hints = types_of(cls)
    for field in dataclasses.fields(cell):
        if only is not None and field.name not in only:
            continue
        value, below, hint = getattr(cell, field.name), path + field.name, hints[field.name]
        its = getattr(default, field.name) if type(default) is type(cell) else _default(field)
        if _nested(value):
            inner: Any = type(value)
            name, expected = kind_name(inner), inner in (hint, type(its))
            yield f"{below}.kind", name, name if expected else _NONE
            yield from _walk(value, f"{below}.", its)
        else:
            yield (
                below,
                _plain(value, hint, below),
                _NONE if _nested(its) or its is _NONE else _plain(its, hint, below),
            )


def _nested(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _NONE


@functools.cache
def types_of(cls: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name; raise TypeError where they cannot be found.

    Types that are written as text (``from __future__ import annotations``) are looked up in the class's
    module, where those of a class that is made inside a function may be missing.
    """
    try:
        return typing.get_type_hints(cls)
    except Exception as error:  # whatever the evaluation of a stranger's text raises
        accepted = f"a dataclass whose fields have types that its module {cls.__module__!r} knows"
        raise TypeError(checks.refusal("cell", "Kind", accepted, f"<{cls.__name__}: {error}>")) from None


@functools.cache
def kind_name(cls: Any) -> str:
    """Return what specs call a class: ``JointPruning`` is "joint-pruning"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


def _plain(value: Any, hint: Any, path: str) -> Any:
    """Return a leaf as a plain value of its declared type; raise TypeError for what is none."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        inner = typing.get_args(hint)
        each = inner if len(inner) == len(value) and ... not in inner else inner[:1] * len(value)
        return [_plain(v, h, path) for v, h in zip(value, each or [None] * len(value), strict=True)]
    if _nested(value):
        cls: Any = type(value)
        leaves = {name: _plain(getattr(value, name), hint, path) for name, hint in types_of(cls).items()}
        return {"kind": kind_name(cls), **leaves}
    if type(value) is int and hint is not int and (hint is float or float in typing.get_args(hint)):
        value = float(value)
    if type(value) not in (bool, int, float, str, type(None)) or value != value:
        accepted = "a number, a string, a boolean, None, or a tuple or frozen dataclass of these"
        raise TypeError(checks.refusal(path, "a cell", accepted, value))
    return value
