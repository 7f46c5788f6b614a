"""Conditions on the rows of a table, such as "dataset=LAION", "group!=test" and "loss<5"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from errsrc import checks

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
"""The operators of a condition; "=" and "!=" compare texts too, the others only numbers."""
_SHAPE = re.compile(r"(.*?)(!=|<=|>=|==|=|<|>)(.*)", re.DOTALL)


class Condition(NamedTuple):
    """A condition on the cells of one column.

    Attributes
    ----------
    column : str
        Name of the column.
    operator : str
        A key of `OPERATORS`.
    value : str
        The value that the cells are compared with.
    """

    column: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.column} {self.operator} {self.value}"


def parse_condition(text: str) -> Condition:
    """Return the condition in a text such as "val/loss<5".

    Parameters
    ----------
    text : str
        The name of a column, an operator, and a value.

    Raises
    ------
    ValueError
        If the text has no name or no operator, or if "<" or ">" compares with a text that is no number.

    Examples
    --------
    >>> parse_condition("val/loss<5")
    Condition(column='val/loss', operator='<', value='5')
    """
    found = _SHAPE.fullmatch(text)
    if found is None or not found[1].strip():
        raise ValueError(f"{text!r} is not COL=VALUE, COL!=VALUE or COL<VALUE, such as 'val/loss<5'")
    sign = "=" if found[2] == "==" else found[2]
    condition = Condition(found[1].strip(), sign, found[3].strip())
    if sign not in ("=", "!="):
        try:
            float(condition.value)
        except ValueError:
            raise ValueError(f"{text!r} compares with {condition.value!r}, which is not a number") from None
    return condition


def conditions_of(where: Mapping[str, Any] | str | Sequence[str] | None) -> list[Condition]:
    """Return the conditions of an argument `where`.

    Parameters
    ----------
    where : dict, str or sequence of str, optional
        {column: value}, for rows with these values, or conditions as texts.

    Raises
    ------
    TypeError
        If `where` is of another type.
    ValueError
        If a text is not a condition.
    """
    if where is None:
        return []
    if isinstance(where, Mapping):
        return [Condition(str(name), "=", str(value).strip()) for name, value in where.items()]
    texts = [where] if isinstance(where, str) else where
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        accepted = "a dict of values by column, or conditions such as 'loss<5'"
        raise TypeError(checks.refusal("where", "where", accepted, where))
    return [parse_condition(text) for text in texts]
