"""Names of record classes in files, and the types and defaults of their fields."""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from typing import Any

from errsrc import checks

Leaves = dict[str, Any]
"""A flat table: plain values (bool, int, float, str, None, or lists of these) by dotted path."""

NO_DEFAULT = object()
"""Marks a field without a default."""


def name(record_class: Any) -> str:
    """Return the name of a class in files, such as "joint-pruning" for JointPruning.

    Parameters
    ----------
    record_class : type
        The class of a record.

    Returns
    -------
    str
        The words of the class's name with hyphens between them.

    Examples
    --------
    >>> name(dataclasses.make_dataclass("JointPruning", []))
    'joint-pruning'
    """
    return _hyphenated(record_class.__name__)


@functools.cache
def _hyphenated(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower()


def types_of(record_class: Any) -> dict[str, Any]:
    """Return a dict from the names of a dataclass's fields to their types.

    Types that are written as text (``from __future__ import annotations``) are evaluated in the module of the
    class.  Types that are defined inside a function are not found.

    Parameters
    ----------
    record_class : type
        The dataclass.

    Returns
    -------
    dict of str to types
        The declared types, in the order of the fields.

    Raises
    ------
    TypeError
        If a type cannot be evaluated.
    """
    return _types_of(record_class)


@functools.cache
def _types_of(record_class: Any) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(record_class)
        return {field.name: hints[field.name] for field in dataclasses.fields(record_class)}
    except Exception as error:  # evaluating a user's annotation may raise anything
        accepted = f"a dataclass whose fields have types that its module {record_class.__module__!r} knows"
        got = f"<{record_class.__name__}: {error}>"
        raise TypeError(checks.refusal("record_class", "types_of", accepted, got)) from None


def is_record(value: Any) -> bool:
    """Return whether a value is an instance of a dataclass.

    Parameters
    ----------
    value
        Any object.

    Returns
    -------
    bool
        True for an instance; False for other values and for the dataclass itself.
    """
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def default_of(field: dataclasses.Field[Any]) -> Any:
    """Return the default of a dataclass's field.

    Parameters
    ----------
    field : dataclasses.Field
        The field.

    Returns
    -------
    object
        The default value; `NO_DEFAULT` if the field has no default.
    """
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return NO_DEFAULT
