"""Descriptions of kinds of studies, and of classes that specs can name: their fields and accepted values."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from errsrc import checks, records
from errsrc.exports import exported_names
from errsrc.fields import rules
from errsrc.studies.kinds import ALL, ROOMS

_WORDS = {int: "an integer", float: "a number", str: "a string", bool: "true or false"}

__dir__ = exported_names(__name__)


@dataclass(frozen=True)
class FieldDescription:
    """One field of a cell, or of a dataclass inside a cell.

    Attributes
    ----------
    name
        Dotted path of the field, such as "recipe.learning_rate".
    default
        The default as text; None if the field must be given.
    accepts
        The accepted values in words.
    kinds
        Names that the key ``kind`` in the field's TOML table accepts; each is the name of a class.
    meaning
        What the docstring of the class says about the field.
    """

    name: str
    default: str | None
    accepts: str
    kinds: tuple[str, ...] = ()
    meaning: str = ""


@dataclass(frozen=True)
class KindDescription:
    """A kind of study, or a class that specs can name.

    Attributes
    ----------
    name
        The name in specs.
    summary
        First sentence of the docstring of the cells' class, or of the class itself.
    fields
        The fields, with the fields of nested records.
    """

    name: str
    summary: str
    fields: tuple[FieldDescription, ...]


def describe(name: str) -> KindDescription:
    """Return the description of a kind of study, or of a class that specs can name, such as "ridge".

    Parameters
    ----------
    name : str
        The name in specs.

    Raises
    ------
    ValueError
        If nothing has this name.
    ModuleNotFoundError
        If the kind or class needs an optional package that is not installed.
    """
    if name in ALL:
        record_class: Any = ALL[name].cell
    else:
        classes = _classes()
        if name not in classes:
            near = checks.nearest(name, [*ALL, *classes])
            own = "" if near else " A kind of your own is in a module that you name: --kinds MODULE."
            raise ValueError(
                f"No kind or class is called {name!r}{near}; 'errsrc kinds' lists the kinds.{own}"
            )
        record_class = classes[name]
    return KindDescription(name, _summary(record_class), tuple(_fields(record_class)))


def _classes() -> dict[str, type]:
    """Return the classes that specs can name, by name."""
    classes: dict[str, type] = {}
    for base in ROOMS:
        classes |= ROOMS[base]
    return classes


def _summary(record_class: Any) -> str:
    text = " ".join((inspect.getdoc(record_class) or "").split("\n\n")[0].replace("`", "").split())
    return "" if text.startswith(f"{record_class.__name__}(") else text  # dataclass's own text


def _fields(
    record_class: Any, above: str = "", default: Any = records.NO_DEFAULT
) -> Iterator[FieldDescription]:
    """Yield the fields of a class; if the record has a default, the values of this default."""
    meanings, declared, hints = _meanings(record_class), rules(record_class), records.types_of(record_class)
    for field in dataclasses.fields(record_class):
        if not field.init:
            continue
        own = records.default_of(field)
        if type(default) is record_class:
            own = getattr(default, field.name)
        hint, rule = _without_none(hints[field.name]), declared.get(field.name)
        kinds = tuple(ROOMS[hint]) if hint in ROOMS else ()
        is_record = hint in ROOMS or dataclasses.is_dataclass(hint)
        accepts = _accepted(hint) if rule is None or is_record else rule.accepted
        accepts = accepts.replace("a tuple of values", "a list").removesuffix(" or None")
        if own is records.NO_DEFAULT and field.name == "seed" and not above:
            own = 0  # a spec without seeds has the seed 0
        shown = None if own is records.NO_DEFAULT else _shown(own)
        yield FieldDescription(above + field.name, shown, accepts, kinds, meanings.get(field.name, ""))
        if dataclasses.is_dataclass(hint) and hint not in ROOMS:
            yield from _fields(hint, f"{above}{field.name}.", own)


def _without_none(hint: Any) -> Any:
    """Return the only type of a union with None, and any other type as it is."""
    inner = [one for one in typing.get_args(hint) if one is not types.NoneType]
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return inner[0] if is_union and len(inner) == 1 else hint


def _accepted(hint: Any) -> str:
    """Return the values that a declared type accepts, in words."""
    inner = typing.get_args(hint)
    if hint in ROOMS:
        return "a table with a kind"
    if dataclasses.is_dataclass(hint):
        return "a table"
    if typing.get_origin(hint) is tuple:
        return f"a list, each value {_accepted(inner[0])}"
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(repr, inner))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(_accepted(one) for one in inner if one is not types.NoneType)
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _shown(value: Any) -> str:
    """Return a default as a spec would write it, as far as a spec can."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if records.is_record(value):
        return records.text(value)
    return "none" if value is None else repr(value)


def _meanings(record_class: Any) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say about their fields."""
    meanings: dict[str, str] = {}
    for cls in reversed(record_class.__mro__):
        text = inspect.cleandoc(cls.__doc__ or "")
        found = re.search(
            r"^(?:Attributes|Parameters)\n-+\n(.*?)(?=^\w[^\n]*\n---|\Z)", text, re.DOTALL | re.M
        )
        if found is None:
            continue
        for names, about in re.findall(r"^(\w[^\n]*)\n((?:[ ]+[^\n]*\n?|\n)+)", found[1] + "\n", re.M):
            sentence = " ".join(about.replace("`", "").split())
            meanings |= dict.fromkeys((one.strip() for one in names.split(":")[0].split(",")), sentence)
    return meanings


def available(name: str) -> KindDescription | str:
    """Return the description of a kind of study, or, if a package is missing, the message about this package.

    Parameters
    ----------
    name : str
        The name of a kind of study.
    """
    try:
        return describe(name)
    except ModuleNotFoundError as error:
        return str(error)
