"""Values that a rule accepts or refuses, and Hypothesis strategies for dataclasses with such rules."""

from __future__ import annotations

import functools
import math
from typing import Any, TypeVar

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from errsrc import fields
from errsrc.checks import Choice, Flag, Integer, Number, Optional, OrWord, Rule, Tuple

T = TypeVar("T")

RANGE = 1000
"""Largest distance of a drawn number from a bound."""


@functools.singledispatch
def accepted_values(rule: Rule) -> st.SearchStrategy[Any] | None:
    """Return a strategy for the values that a rule accepts, or None if no strategy is known for the rule.

    Parameters
    ----------
    rule : Rule
        A rule of `errsrc.checks`, such as the rule of a dataclass field.
    """
    return None


@accepted_values.register
def _(rule: Integer) -> st.SearchStrategy[int]:
    low = rule.at_least if rule.at_least is not None else (rule.at_most or 0) - RANGE
    high = rule.at_most if rule.at_most is not None else low + RANGE
    return st.integers(low, min(high, low + RANGE))


@accepted_values.register
def _(rule: Number) -> st.SearchStrategy[float]:
    low = rule.above if rule.above is not None else rule.at_least
    high = rule.below if rule.below is not None else rule.at_most
    low = (high if high is not None else 0.0) - RANGE if low is None else low
    high = low + RANGE if high is None else high
    return st.floats(low, high, exclude_min=rule.above is not None, exclude_max=rule.below is not None)


@accepted_values.register
def _(rule: Choice) -> st.SearchStrategy[str]:
    return st.sampled_from(list(rule.options))


@accepted_values.register
def _(rule: Flag) -> st.SearchStrategy[bool]:
    return st.booleans()


@accepted_values.register
def _(rule: Optional) -> st.SearchStrategy[Any] | None:
    inner = accepted_values(rule.rule)
    return None if inner is None else st.none() | inner


@accepted_values.register
def _(rule: OrWord) -> st.SearchStrategy[Any] | None:
    inner = accepted_values(rule.rule)
    return None if inner is None else st.just(rule.word) | inner


@accepted_values.register
def _(rule: Tuple) -> st.SearchStrategy[tuple[Any, ...]] | None:
    inner = accepted_values(rule.rule)
    if inner is None:
        return None
    return st.lists(inner, min_size=rule.at_least, max_size=rule.at_least + 3).map(tuple)


def refused_values(rule: Rule) -> list[Any]:
    """Return values that a rule refuses, including values just outside the accepted range.

    Parameters
    ----------
    rule : Rule
        A rule of `errsrc.checks`, such as the rule of a dataclass field.
    """
    near: list[Any] = [
        None,
        True,
        0,
        -1,
        0.5,
        math.nan,
        math.inf,
        -math.inf,
        "",
        "no such value",
        b"1",
        [],
        (),
    ]
    for bound in (getattr(rule, name, None) for name in ("above", "at_least", "below", "at_most")):
        if isinstance(bound, (int, float)):
            near += [bound, bound - 1, bound + 1, np.nextafter(bound, -np.inf), np.nextafter(bound, np.inf)]
    return [value for value in near if not _accepts(rule, value)]


def _accepts(rule: Rule, value: Any) -> bool:
    try:
        rule(value, "value", "refused_values")
    except (TypeError, ValueError):
        return False
    return True


@st.composite
def instances(draw: st.DrawFn, cls: type[T], **fixed: Any) -> T:
    """Return a strategy that draws instances of a dataclass; each field gets a value that its rule accepts.

    A field without a rule, or with a rule that has no strategy, keeps its default.  If the class refuses a
    combination of values, another combination is drawn.

    Parameters
    ----------
    cls : type
        A dataclass whose fields are declared by `errsrc.fields`.
    **fixed
        Values of fields that must not be drawn.
    """
    drawn = dict(fixed)
    for name, rule in fields.rules(cls).items():
        strategy = None if name in fixed else accepted_values(rule)
        if strategy is not None:
            drawn[name] = draw(strategy)
    try:
        return cls(**drawn)
    except (TypeError, ValueError):
        return reject()
