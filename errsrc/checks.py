"""Argument checks with one message shape.

Every refusal in errsrc reads

    The 'n' parameter of budget must be an integer >= 1. Got 0 instead.

so that it names the argument, what is accepted and what came.  Each function
returns the checked value, converted to the plain type it is used as.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def refusal(name: str, where: str, accepted: str, got: object) -> str:
    """Return the one sentence that every refused argument gets.

    Examples
    --------
    >>> refusal("n", "budget", "an integer >= 1", 0)
    "The 'n' parameter of budget must be an integer >= 1. Got 0 instead."
    """
    shown = got if isinstance(got, str) and got.startswith("<") else repr(got)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return f"The {name!r} parameter of {where} must be {accepted}. Got {shown} instead."


def _range(low: float | None, high: float | None, open_low: bool, open_high: bool) -> str:
    parts = []
    if low is not None:
        parts.append(f"{'>' if open_low else '>='} {low:g}")
    if high is not None:
        parts.append(f"{'<' if open_high else '<='} {high:g}")
    return " and ".join(parts)


def integer(value: Any, name: str, where: str, low: int | None = None, high: int | None = None) -> int:
    """Return `value` as an int; raise TypeError for other types, ValueError out of [low, high]."""
    accepted = f"an integer {_range(low, high, False, False)}".rstrip()
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(refusal(name, where, accepted, value))
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(refusal(name, where, accepted, int(value)))
    return int(value)


def number(
    value: Any,
    name: str,
    where: str,
    low: float | None = None,
    high: float | None = None,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return `value` as a finite float; raise TypeError for other types, ValueError out of range."""
    accepted = f"a finite number {_range(low, high, open_low, open_high)}".rstrip()
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(refusal(name, where, accepted, value))
    x = float(value)
    under = low is not None and (x <= low if open_low else x < low)
    over = high is not None and (x >= high if open_high else x > high)
    if not math.isfinite(x) or under or over:
        raise ValueError(refusal(name, where, accepted, value))
    return x


def positive_array(value: Any, name: str, where: str) -> NDArray[np.float64]:
    """Return `value` as a float64 array of finite numbers > 0 (shape kept)."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(refusal(name, where, "an array of finite numbers > 0", value)) from None
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        raise ValueError(refusal(name, where, "an array of finite numbers > 0", float(array[bad].flat[0])))
    return array


def nearest(value: str, options: Iterable[str]) -> str:
    """Return ' (did you mean 'x'?)' for the known word nearest to `value`, or ''."""
    close = difflib.get_close_matches(value, list(options), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def choice(value: Any, name: str, where: str, options: Sequence[str]) -> str:
    """Return `value` if it is one of `options`; else raise ValueError naming the nearest."""
    if value not in options:
        accepted = "one of " + ", ".join(repr(o) for o in options)
        hint = nearest(value, options) if isinstance(value, str) else ""
        raise ValueError(refusal(name, where, accepted, value) + hint)
    return str(value)
