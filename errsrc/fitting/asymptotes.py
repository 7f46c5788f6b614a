"""The limits of fitted laws: their exponents, and the floor, below which the error never falls.

An average of several laws has the exponents and the floor that `average_intervals` finds when it is fitted.
Files of older versions hold no intervals of an average.  For such files this module combines the intervals of
the laws: the ends of the combined interval are the outermost ends of the laws' intervals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from errsrc.errors import NoAnswer
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.intervals import FAR, interval_of
from errsrc.fitting.one_law import Fit
from errsrc.laws.law import Array
from errsrc.results import ROUNDING, HeldValue, Interval

SHARE = 0.05
"""A law of an average counts in the combined intervals if its weight is at least this large."""
LARGE = 1e150
"""The size at which a law is evaluated as the limit of large sizes."""
FLOORS = ("c_inf", "E")
"""Names of the parameters that are the floor of a law in n, or in n and m."""
EQUAL = 1e-9
"""Draws of a floor that was held differ by at most this share: by rounding errors."""


def floor_of(forecast: Forecast, level: float) -> Interval:
    """Return the limit of a forecast's error as the inputs grow, with an interval from the draws.

    Parameters
    ----------
    forecast : Forecast
        A fit, or an average of fits.
    level : float
        Coverage of the interval, in (0, 1).

    Raises
    ------
    NoAnswer
        If the fitted law rises as its inputs grow.
    """
    far = {name: np.array([LARGE]) for name in forecast.input_names}
    centre, draws = forecast.curves(**far)
    seen, _ = forecast.curves(**{name: x.max() for name, x in forecast.inputs.items()})
    if not centre[0] <= seen[0]:
        raise NoAnswer("The fitted law does not fall as its inputs grow: there is nothing to plan.")
    limits = np.where(np.isnan(draws[:, 0]), np.inf, np.exp(draws[:, 0]))
    found = interval_of(np.concatenate([np.exp(centre), limits]), level)
    held = [value for name, value in forecast.held.items() if name in FLOORS]
    if held and found.high - found.low <= EQUAL * found.estimate:
        return HeldValue.of(held[0] if np.ptp(held) == 0 else found.estimate, level)
    return found


def floor_text(floor: Interval, determined: bool) -> str:
    """Return a floor as text; if its lower end is far below its upper end, only the upper end.

    Parameters
    ----------
    floor : Interval
        The floor of a law.
    determined : bool
        Whether the measured sizes determine the law.
    """
    if isinstance(floor, HeldValue) or not math.isfinite(floor.high) or floor.low * FAR**2 > floor.high:
        return str(floor)
    bounded = str(Interval(0.0, 0.0, floor.high, floor.level))
    if determined:
        return bounded
    return "not determined" + (f" (0 to {bounded.removeprefix('< ')})" if floor.high > ROUNDING else "")


def exponents(members: Sequence[Fit], weights: Sequence[float]) -> dict[str, Interval]:
    """Return the exponents of the sizes n and m of an average of laws.

    Parameters
    ----------
    members : sequence of Fit
        The fits of the laws; the fit with the largest weight is first.
    weights : sequence of float
        Weights of these fits, with the sum 1.

    Returns
    -------
    dict of str to Interval
        For each size, the weighted mean of the exponents of all laws.  The interval reaches from the smallest
        lower end to the largest upper end of the laws' intervals.  A size is left out if one of the laws has
        no exponent for this size.
    """
    found = {}
    for size, name in {"n": "data_exponent_name", "m": "model_exponent_name"}.items():
        known = [_parameter(fit, getattr(fit.law, name)) for fit in members if size in fit.law.inputs]
        own = [one for one in known if one is not None]
        if len(own) == len(members):
            mean = sum(w * one.estimate for w, one in zip(weights, own, strict=True))
            found[size] = _outermost(mean, own, weights)
    return found


def floor(members: Sequence[Fit], weights: Sequence[float]) -> Interval | None:
    """Return the floor of an average of laws.

    Parameters
    ----------
    members : sequence of Fit
        The fits of the laws.
    weights : sequence of float
        Weights of these fits, with the sum 1.

    Returns
    -------
    Interval or None
        The weighted geometric mean of the laws' floors, because the laws are averaged in ln error.  The
        interval reaches from the smallest lower end to the largest upper end of the laws' intervals.  A lower
        end far below all measured errors is set to 0.  The result is None if the laws have other inputs than
        n and m, or if a law rises as its inputs grow.
    """
    if not set(members[0].law.inputs) <= {"n", "m"}:
        return None
    level = _level(members)
    try:
        own = [floor_of(fit, level) for fit in members]
    except NoAnswer:
        return None
    logs = [math.log(max(one.estimate, 1e-320)) for one in own]
    mean = math.exp(sum(w * x for w, x in zip(weights, logs, strict=True)))
    found = _outermost(mean, own, weights)
    least = float(members[0].error.min()) / FAR**2
    low = found.low if found.low > max(least, found.estimate / FAR) else 0.0
    return Interval(found.estimate if found.estimate > least else 0.0, low, found.high, level)


def straight_line(n: Array, error: Array, level: float) -> Interval | None:
    """Fit a power law without a floor by least squares of ln error in ln n, and return its exponent.

    Parameters
    ----------
    n, error : ndarray of float64, shape (points,)
        Sizes and errors, > 0.
    level : float
        Coverage of the interval, in (0, 1).

    Returns
    -------
    Interval or None
        The exponent, > 0 where the error falls; None for fewer than three points, or a single size.
    """
    x, y = np.log(n), np.log(error)
    x, y = x - x.mean(), y - y.mean()
    square, degrees = float(x @ x), len(x) - 2
    if degrees < 1 or square == 0:
        return None
    exponent = -float(x @ y) / square
    scale = math.sqrt(float(np.sum((y + exponent * x) ** 2)) / degrees / square)
    reach = float(special.stdtrit(degrees, (1 + level) / 2)) * scale
    return Interval(exponent, exponent - reach, exponent + reach, level)


def summary_lines(
    members: Sequence[Fit], weights: Sequence[float], limits: Mapping[str, Interval]
) -> list[tuple[str, str]]:
    """Return the first lines of an average's table, as pairs (name, text): the exponents and the floor.

    Parameters
    ----------
    members : sequence of Fit
        The fits of the laws; the fit with the largest weight is first.
    weights : sequence of float
        Weights of these fits, with the sum 1.
    limits : dict of str to Interval
        Intervals of the exponents (keys "n" and "m") and of the floor (key "floor"), see `average_intervals`.
    """
    found = with_held(limits or old_limits(members, weights), members)
    slopes, limit = {size: one for size, one in found.items() if size != "floor"}, found.get("floor")
    if not slopes or limit is None:
        return []
    level, held = _level(members), isinstance(limit, HeldValue)
    texts = [f"{_text(one)} of {size}" for size, one in slopes.items()]
    lines = [
        ("exponent" if len(texts) == 1 else "exponents", f"{', '.join(texts)}, above the floor"),
        ("floor", _text(limit)),
    ]
    fitted = not all(isinstance(one, HeldValue) for one in found.values())
    if fitted and limits:
        lines.append(("", f"{100 * level:.6g}% intervals, if one of the laws holds"))
    elif fitted and len(members) > 1:
        lines.append(
            ("", f"brackets span the {100 * level:.6g}% intervals of all laws, and are none of the average")
        )
    line = straight_line(members[0].inputs["n"], members[0].error, level) if len(slopes) == 1 else None
    if line is not None and not held:
        lines.append(("no floor", f"{line} of n, if the error had no floor (--fix c_inf=0)"))
    return lines


def old_limits(members: Sequence[Fit], weights: Sequence[float]) -> dict[str, Interval]:
    """Return the exponents and the floor of an average from an old file, which lacks their intervals.

    Parameters
    ----------
    members : sequence of Fit
        The fits of the laws.
    weights : sequence of float
        Weights of these fits, with the sum 1.
    """
    limit = floor(members, weights)
    return exponents(members, weights) | ({} if limit is None else {"floor": limit})


def with_held(limits: Mapping[str, Interval], members: Sequence[Fit]) -> dict[str, Interval]:
    """Return the intervals of an average, with a `HeldValue` for each quantity that was fixed in all laws.

    Parameters
    ----------
    limits : dict of str to Interval
        Intervals of the exponents (keys "n" and "m") and of the floor (key "floor"), as far as they are
        known.
    members : sequence of Fit
        The fits of the laws.
    """
    out = dict(limits)
    for key in limits:
        values = [_held_limit(key, fit) for fit in members]
        known = [value for value in values if value is not None]
        if len(known) == len(members):
            one_value = known[0] if len(set(known)) == 1 else limits[key].estimate
            out[key] = HeldValue.of(one_value, limits[key].level)
    return out


def _held_limit(limit: str, fit: Fit) -> float | None:
    """Return the exponent of "n" or of "m", or the "floor", if the fit held it, and None otherwise."""
    law = fit.law
    names = {"n": (law.data_exponent_name,), "m": (law.model_exponent_name,), "floor": FLOORS}[limit]
    return next((value for name, value in fit.held.items() if name in names), None)


def _level(members: Sequence[Fit]) -> float:
    """Return the coverage of the intervals of fits."""
    return next((one.level for fit in members for one in fit.intervals.values()), 0.9)


def _parameter(fit: Fit, name: str | None) -> Interval | None:
    """Return the interval of a parameter, without width if the fit held it; None for an unknown name."""
    if name is None or name not in fit.law.params:
        return None
    value = fit.law.params[name]
    return fit.intervals.get(name, Interval(value, value, value, _level([fit])))


def _outermost(mean: float, own: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """Return an interval around `mean` with the outermost ends of all intervals of weight `SHARE` or more."""
    counted = [one for one, w in zip(own, weights, strict=True) if w >= SHARE]
    low, high = min(one.low for one in counted), max(one.high for one in counted)
    return Interval(mean, min(low, mean), max(high, mean), counted[0].level)


def _text(interval: Interval) -> str:
    """Return an interval as text; if the points determine neither end, the estimate is added."""
    shown = str(interval)
    return f"{shown} ({interval.estimate:.2g} fits best)" if shown == "not determined" else shown
