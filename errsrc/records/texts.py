"""Records as short text, for tables and pages."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from errsrc.records.names import default_of, is_record


@functools.singledispatch
def text(value: Any) -> str:
    """Return a record (a dataclass) as text: its repr without the fields that have their default values.

    ``text.register`` registers another function for a class.

    Parameters
    ----------
    value
        A record, a tuple of records, or a plain value.

    Returns
    -------
    str
        The text.

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
    """Return a text about several records of one class, with the fields that are equal in all records.

    Fields that have their default values are left out.

    Parameters
    ----------
    records : sequence of records
        One or more records.

    Returns
    -------
    str
        The text.
    """
    first, *others = records
    shown = []
    for field in dataclasses.fields(first):
        value = getattr(first, field.name)
        alike = all(getattr(other, field.name) == value for other in others)
        if alike and value != default_of(field):
            shown.append(f"{field.name}={text(value)}")
    return f"{type(first).__name__}({', '.join(shown)})"
