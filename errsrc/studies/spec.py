"""Specs: TOML files, read strictly into studies; and the kinds of cells that they can name.

A spec names a kind, the values its cells share, what varies, and the seeds::

    kind = "vision"
    seeds = 3                              # 0, 1, 2; or a list

    [cell]                                 # fields of errsrc.tasks.VisionCell
    dataset = "digits"
    family = "mlp"
    validation = 397

    [factors]                              # the grid: every combination
    n = [90, 180, 360]

    [[factors.size]]                       # fields that vary together, under a name of your own
    width = 8
    recipe.learning_rate = 0.006
    [[factors.size]]
    width = 16
    recipe.learning_rate = 0.004
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from errsrc import bases, checks, laws, learners, nets, settings
from errsrc.conjecture.claims import Example
from errsrc.settings import channels, images, nodes
from errsrc.studies.budgets import BudgetCell, budgets
from errsrc.studies.conjectures import SearchCell, ThresholdCell, examined, searches, thresholds
from errsrc.studies.recovery import Recovery, recover
from errsrc.sweeps import Factor, Kind, Study
from errsrc.sweeps.kind import types_of
from errsrc.tasks import language, pruning, vision

ALL: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "vision",
            vision.VisionCell,
            vision.outcomes,
            group=vision.batch_of,
            cost=vision.work,
            ready=vision.ready,
            packages=("numpy", "torch"),
        ),
        Kind("recovery", Recovery, recover, packages=("numpy", "scipy")),
        Kind(
            "budget",
            BudgetCell,
            budgets,
            ready=images.ready,
            packages=("numpy", "scipy", "scikit-learn", "torch"),
        ),
        Kind(
            "threshold",
            ThresholdCell,
            thresholds,
            ready=images.ready,
            packages=("numpy", "scipy", "scikit-learn", "torch"),
        ),
        Kind("search", SearchCell, searches, packages=("numpy", "scipy", "hypothesis")),
        Kind("example", Example, examined, packages=("numpy", "scipy")),
        Kind(
            "pruning",
            pruning.PruningCell,
            pruning.prune_cells,
            group=pruning.batch_of,
            cost=pruning.work,
            ready=vision.ready,
            packages=("numpy", "torch"),
        ),
        Kind(
            "language",
            language.LanguageCell,
            language.outcomes,
            group=language.batch_of,
            cost=language.work,
            ready=language.ready,
            packages=("numpy", "torch"),
        ),
    )
}
"""Kinds of cells by the name that specs have for them."""

ROOMS: dict[type, Mapping[str, type]] = {
    laws.Law: laws.ALL,
    settings.Setting: settings.ALL,
    bases.Basis: bases.ALL | {"image-basis": settings.ImageBasis},
    settings.Nodes: nodes.ALL,
    channels.Channel: channels.ALL,
    learners.Learner: learners.ALL,
    nets.Network: nets.ALL,
}
"""Fields declared as one of these are tables with a ``kind`` that names a class of the room's ``ALL``."""

MOST_SEEDS = 10_000_000


def load(path: str | os.PathLike[str]) -> Study:
    """Return the study that the file at a path describes.

    Raises
    ------
    ValueError
        For what is not a study: one sentence that names the key and where it stands.
    OSError
        For a file that cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text (byte {error.start}).") from None
    return parse(text, Path(path).name)


def parse(text: str, where: str = "spec") -> Study:
    """Return the study that a text describes; ``where`` is what messages call it (see `load`).

    Examples
    --------
    >>> study = parse('''
    ... kind = "vision"
    ... seeds = 2
    ... cell = {dataset = "digits", family = "mlp", width = 8, validation = 397}
    ... factors = {n = [90, 180]}
    ... ''')
    >>> len(study), study[3].n, study[3].seed
    (4, 180, 1)
    >>> parse('kind = "vision"')
    Traceback (most recent call last):
        ...
    ValueError: The 'cell.dataset' parameter of spec must be given. Got <nothing> instead.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where} is not valid TOML: {error}.") from None
    except RecursionError:
        raise ValueError(f"{where} is nested too deeply.") from None
    return _Spec(where).study(document)


class _Spec:
    """One reading of a spec; all that is refused says where it stands."""

    def __init__(self, where: str) -> None:
        self.where = where

    def study(self, document: Mapping[str, Any]) -> Study:
        self.known(document, "", ("kind", "seeds", "cell", "factors"))
        kind = ALL[self.choice(document, "kind", ALL)]
        cell = self.table(document.get("cell", {}), "cell")
        raw = list(self.factors(self.table(document.get("factors", {}), "factors"), kind.cell, cell, ""))
        if "seeds" in document:
            raw.append(("seeds", ("seed",), [(seed,) for seed in self.seeds(document["seeds"])]))
        elif "seed" not in cell and not any("seed" in fields for _, fields, _ in raw):
            cell = {**cell, "seed": 0}
        first = cell
        taken: dict[str, str] = {}
        for label, fields, values in raw:
            for field, value in zip(fields, values[0], strict=True):  # of which a first one makes the base
                inside = next((f for f in taken if _overlap(f, field)), None)
                if inside is not None:
                    self.refuse(label, f"about other fields than {taken[inside]!r}", f"<{field!r} in both>")
                if value is not _DEFAULT:
                    first = self.merged(first, field.split("."), value, label)
            taken.update(dict.fromkeys(fields, label))
        factors = []
        for label, fields, values in raw:
            hints = [self.type_at(kind.cell, field.split("."), first) for field in fields]
            decoded = [
                tuple(
                    self.default_at(kind.cell, field, first, label)
                    if v is _DEFAULT
                    else self.decode(v, hint, label)
                    for v, hint, field in zip(value, hints, fields, strict=True)
                )
                for value in values
            ]
            factors.append(Factor(fields, tuple(decoded)))
        base = self.decode(first, kind.cell, "cell")
        try:
            return Study(kind, base, tuple(factors))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.where}: {error}") from None

    def factors(
        self, table: Mapping[str, Any], cls: type, cell: Mapping[str, Any], above: str
    ) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
        """Yield (where it stands, fields, raw values) of each factor in a table."""
        for name, values in table.items():
            field, label = above + name, f"factors.{above}{name}"
            if isinstance(values, dict):
                yield from self.factors(values, cls, cell, f"{field}.")
                continue
            if not isinstance(values, list) or not values:
                self.refuse(label, "a list of one value or more", values)
            if self.type_at(cls, field.split("."), cell) is not None:
                yield label, (field,), [(value,) for value in values]
            elif not above and all(isinstance(value, dict) for value in values):
                rows = [dict(self.fields(value, cls, cell, "", label)) for value in values]
                named = tuple(dict.fromkeys(field for row in rows for field in row))
                if not named:
                    self.refuse(label, "tables of fields", values)
                yield label, named, [tuple(row.get(field, _DEFAULT) for field in named) for row in rows]
            else:
                self.known({field: values}, "factors.", _names(cls))
                self.refuse(label, f"a field of {cls.__name__}", f"<{field!r}>")

    def fields(
        self, table: Mapping[str, Any], cls: type, cell: Mapping[str, Any], above: str, label: str
    ) -> Iterator[tuple[str, Any]]:
        """Yield (path, raw value) of what a table says of a cell."""
        for name, value in table.items():
            field = above + name
            hint = self.type_at(cls, field.split("."), {**cell, **table} if not above else cell)
            if hint is None:
                self.known({field: value}, f"{label}.", _names(cls))
                self.refuse(f"{label}.{field}", f"a field of {cls.__name__}", f"<{field!r}>")
            if isinstance(value, dict) and _is_class(hint) and hint not in ROOMS:
                yield from self.fields(value, cls, cell, f"{field}.", label)
            else:
                yield field, value

    def type_at(self, cls: Any, path: Sequence[str], raw: Any) -> Any:
        """Return the declared type at a path of fields, or None where there is no such field."""
        if cls in ROOMS:
            cls = ROOMS[cls].get(str(raw.get("kind"))) if isinstance(raw, dict) else None
        if not _is_class(cls) or path[0] not in types_of(cls):
            return None
        hint = types_of(cls)[path[0]]
        if len(path) == 1:
            return hint
        return self.type_at(hint, path[1:], raw.get(path[0]) if isinstance(raw, dict) else None)

    def default_at(self, cls: Any, field: str, raw: Any, label: str) -> Any:
        """Return the default of a field that some tables of a factor give and others do not."""
        *above, name = field.split(".")
        owner: Any = self.type_at(cls, above, raw) if above else cls
        (found,) = (one for one in dataclasses.fields(owner) if one.name == name)
        if found.default is not dataclasses.MISSING:
            return found.default
        if found.default_factory is not dataclasses.MISSING:
            return found.default_factory()
        return self.refuse(label, f"tables that all give {field!r}, which has no default", "<others>")

    def merged(self, table: Mapping[str, Any], path: Sequence[str], value: Any, label: str) -> dict[str, Any]:
        """Return a table with a value set at a path, where none may be."""
        inner = table.get(path[0])
        if len(path) == 1 and path[0] not in table:
            return {**table, path[0]: value}
        if len(path) == 1 or not isinstance(inner, (dict, type(None))):
            self.refuse(label, "about fields that [cell] does not give", f"<{path[0]!r} in both>")
        return {**table, path[0]: self.merged(inner or {}, path[1:], value, label)}

    def seeds(self, value: Any) -> Sequence[Any]:
        if type(value) is int and 1 <= value <= MOST_SEEDS:
            return range(value)
        if isinstance(value, list) and value:
            return value
        return self.refuse("seeds", f"a count from 1 to {MOST_SEEDS}, or a list of one seed or more", value)

    def decode(self, value: Any, hint: Any, path: str) -> Any:
        """Return a raw value as its declared type, without any loss; refuse it by its path otherwise."""
        if hint in ROOMS:
            table = self.table(value, path)
            named = self.choice(table, f"{path}.kind", ROOMS[hint])
            rest = {name: inner for name, inner in table.items() if name != "kind"}
            return self.decode(rest, ROOMS[hint][named], path)
        if _is_class(hint):
            return self.build(value, hint, path)
        inner = typing.get_args(hint)
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            return self.one_of(value, [one for one in inner if one is not types.NoneType], path)
        if origin is typing.Literal:
            if value not in inner or type(value) not in {type(one) for one in inner}:
                self.refuse(path, "one of " + ", ".join(map(repr, inner)), value)
            return value
        if origin is tuple:
            if not isinstance(value, list) or (... not in inner and len(value) != len(inner)):
                self.refuse(path, "a list" if ... in inner else f"a list of {len(inner)} values", value)
            each = inner[:1] * len(value) if ... in inner else inner
            return tuple(
                self.decode(v, h, f"{path}[{i}]") for i, (v, h) in enumerate(zip(value, each, strict=True))
            )
        if hint is float and type(value) is int and int(float(value)) == value:
            return float(value)
        if type(value) is not hint:
            self.refuse(path, _SCALARS[hint], value)
        return value

    def one_of(self, value: Any, hints: Sequence[Any], path: str) -> Any:
        """Return a value as the first of several types that takes it."""
        for hint in hints[:-1]:
            try:
                return self.decode(value, hint, path)
            except (TypeError, ValueError):
                continue
        return self.decode(value, hints[-1], path)

    def build(self, value: Any, cls: Any, path: str) -> Any:
        """Return a table as a dataclass."""
        table = self.table(value, path)
        self.known(table, f"{path}.", _names(cls))
        hints = types_of(cls)
        made = {name: self.decode(v, hints[name], f"{path}.{name}") for name, v in table.items()}
        for field in dataclasses.fields(cls):
            missing = field.default is field.default_factory is dataclasses.MISSING
            if missing and field.name not in made:
                self.refuse(f"{path}.{field.name}", "given", "<nothing>")
        try:
            return cls(**made)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.where}, {path}: {error}") from None

    def table(self, value: Any, path: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.refuse(path, "a table", value)
        return dict(value)

    def choice(self, table: Mapping[str, Any], path: str, options: Mapping[str, Any]) -> str:
        """Return the kind that a table names."""
        named = table.get("kind", "<nothing>")
        if not isinstance(named, str) or "kind" not in table:
            self.refuse(path, "one of " + ", ".join(map(repr, options)), named)
        return checks.choice(named, path, self.where, tuple(options))

    def known(self, table: Mapping[str, Any], above: str, names: Sequence[str]) -> None:
        for name in table:
            if name not in names:
                there = f"in [{above.rstrip('.')}]" if above else "at the top"
                near = checks.nearest(name, names)
                raise ValueError(
                    f"{self.where} has an unknown key {name!r} {there}{near}; known are {', '.join(names)}."
                )

    def refuse(self, path: str, accepted: str, got: Any) -> NoReturn:
        raise ValueError(checks.refusal(path, self.where, accepted, got))


_DEFAULT = object()
_SCALARS = {int: "an integer", float: "a number", str: "a string", bool: "true or false"}


def _is_class(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint)


def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
