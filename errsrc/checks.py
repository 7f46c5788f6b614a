"""Argument checks with one message shape.

Every refusal in errsrc reads

    The 'n' parameter of budget must be an integer >= 1. Got 0 instead.

so that it names the argument, what is accepted and what came.  Each function
returns the checked value, converted to the plain type it is used as; `name` is
the argument's, `where` the function's or class's.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Instances of int or numpy integers by inheritance only.
_NOT_NUMBERS = (bool, np.bool_, np.timedelta64)


def refusal(name: str, where: str, accepted: str, got: object) -> str:
    """Return the one sentence, on one line, that every refused argument gets: `accepted`, and what came.

    `got` is shown by its repr, shortened to 80 characters; a string "<...>" is
    shown as it is, for what has no repr worth showing (``"<shape (3, 2)>"``).

    Examples
    --------
    >>> refusal("n", "budget", "an integer >= 1", 0)
    "The 'n' parameter of budget must be an integer >= 1. Got 0 instead."
    """
    if isinstance(got, str) and got.startswith("<") and got.endswith(">"):
        shown = got
    else:
        try:
            shown = repr(got.item() if isinstance(got, np.generic) else got)
        except Exception:  # whatever a stranger's repr raises; an int of over 4,300 digits has none
            shown = f"<{type(got).__name__}>"
    shown = " ".join(shown.split())
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return f"The {name!r} parameter of {where} must be {accepted}. Got {shown} instead."


def _range(low: float | None, high: float | None, open_low: bool, open_high: bool) -> str:
    parts = []
    if low is not None:
        parts.append(f"{'>' if open_low else '>='} {low if isinstance(low, int) else f'{low:.12g}'}")
    if high is not None:
        parts.append(f"{'<' if open_high else '<='} {high if isinstance(high, int) else f'{high:.12g}'}")
    return " and ".join(parts)


def integer(value: Any, name: str, where: str, low: int | None = None, high: int | None = None) -> int:
    """Return `value` as an int; raise TypeError for other types, ValueError out of [low, high]."""
    accepted = f"an integer {_range(low, high, False, False)}".rstrip()
    if isinstance(value, _NOT_NUMBERS) or not isinstance(value, (int, np.integer)):
        raise TypeError(refusal(name, where, accepted, value))
    i = int(value)
    if (low is not None and i < low) or (high is not None and i > high):
        raise ValueError(refusal(name, where, accepted, i))
    return i


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
    """Return `value` as a finite float; raise TypeError for other types, ValueError out of [low, high].

    With `open_low` or `open_high` that end is out of range too.
    """
    accepted = f"a finite number {_range(low, high, open_low, open_high)}".rstrip()
    if isinstance(value, _NOT_NUMBERS) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(refusal(name, where, accepted, value))
    try:
        x = float(value)
    except OverflowError:  # an int beyond the largest float
        x = math.inf
    under = low is not None and (x <= low if open_low else x < low)
    over = high is not None and (x >= high if open_high else x > high)
    if not math.isfinite(x) or under or over:
        raise ValueError(refusal(name, where, accepted, value))
    return x


def positive_array(value: Any, name: str, where: str, high: float | None = None) -> NDArray[np.float64]:
    """Return `value` as a float64 array of finite numbers > 0 and at most `high` (shape kept).

    Raises TypeError for what is not numbers (strings and booleans are not), ValueError for a number
    that is not finite, > 0 and <= `high`.
    """
    accepted = f"an array of finite numbers {_range(0, high, True, False)}"
    try:
        raw = np.asarray(value)
    except Exception:  # whatever a stranger's __array__ raises; ragged lists
        raise TypeError(refusal(name, where, accepted, value)) from None
    if raw.dtype.kind not in "iuf":
        raise TypeError(refusal(name, where, accepted, value))
    with np.errstate(over="ignore"):
        array = raw.astype(np.float64)
    bad = ~(np.isfinite(array) & (array > 0) & (array <= (np.inf if high is None else high)))
    if bad.any():
        raise ValueError(refusal(name, where, accepted, float(array[bad].flat[0])))
    return array


def nearest(value: str, options: Iterable[str]) -> str:
    """Return ' (did you mean 'x'?)' for the option nearest to `value` of all `options`, or ''."""
    close = difflib.get_close_matches(value, list(options), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def choice(value: Any, name: str, where: str, options: Sequence[str]) -> str:
    """Return `value` if it is one of `options`; else raise TypeError, or ValueError naming the nearest."""
    accepted = "one of " + ", ".join(repr(o) for o in options)
    if not isinstance(value, str):
        raise TypeError(refusal(name, where, accepted, value))
    if value not in options:
        raise ValueError(refusal(name, where, accepted, value) + nearest(value, options))
    return str(value)
