"""Base classes of results, and intervals.

Each result of errsrc is a `Result`.  It prints as a table, and as one line in a list.  A notebook shows it as
HTML.  Its methods return a figure and JSON values.  An estimate is never a bare float: it is an `Interval`,
which has the uncertainty, too.
"""

from __future__ import annotations

import abc
import dataclasses
import functools
import html
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from errsrc import checks
from errsrc.exports import exported_names

__dir__ = exported_names(__name__)

ROUNDING = 1e-12
"""Errors of at most this share of the problem's scale may be rounding errors, and are shown as 0.

The square of float64's rounding error is 5e-32.  A squared error has this rounding error times a squared
condition number, so this share is far above 5e-32.
"""


Rounding = Literal["nearest", "down", "up"]
"""How a number is rounded: the low end of an interval "down", the high end "up", other numbers "nearest"."""


LONGEST_NUMBER = 1e5
"""Absolute value from which on a number is written with a power of ten next to numbers that have one."""

LONGEST_LINE = 200
"""Largest number of characters of a result's `repr`."""


@dataclass(frozen=True)
class TextTable:
    """Rows of texts, which print with aligned columns and can be converted to an HTML table.

    Attributes
    ----------
    rows : sequence of sequences of str
        The texts; all rows have the same length.
    align : str
        One letter for each column: "l" to align it on the left, "r" to align it on the right.  The last
        letter also holds for all further columns.
    header : bool
        Whether the first row names the columns.

    Examples
    --------
    >>> print(TextTable([["alpha", "0.49"], ["c_inf", "< 0.1"]], "lr"))
    alpha   0.49
    c_inf  < 0.1
    """

    rows: Sequence[Sequence[str]]
    align: str = "r"
    header: bool = False

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        pads = [{"l": str.ljust, "r": str.rjust}[self._side(k)] for k in range(len(widths))]
        return "\n".join(
            "  ".join(pad(text, width) for text, width, pad in zip(row, widths, pads, strict=True)).rstrip()
            for row in self.rows
        )

    def to_html(self) -> str:
        """Return the table as HTML, with all texts escaped."""
        lines = []
        for number, row in enumerate(self.rows):
            tag = "th" if self.header and number == 0 else "td"
            sides = {"l": "left", "r": "right"}
            cells = (
                f'<{tag} style="text-align: {sides[self._side(k)]}">{html.escape(text)}</{tag}>'
                for k, text in enumerate(row)
            )
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return f"<table>{''.join(lines)}</table>"

    def _side(self, column: int) -> str:
        return self.align[min(column, len(self.align) - 1)]


class Result:
    """Base class of results: they print, show themselves in notebooks, draw themselves and turn into JSON.

    A result type of your own is a dataclass that derives from this class; ``@dataclass(repr=False)`` keeps
    the short `repr`.  By default the result is shown as a table of its fields.  Override `content` and
    `headline` to show something else.  Register a function with ``errsrc.plots.draw.register`` that draws the
    result.

    Examples
    --------
    >>> @dataclass(frozen=True, repr=False)
    ... class Speed(Result):
    ...     seconds: Interval
    ...     cores: int
    >>> found = Speed(Interval(1.52, 1.41, 1.65, 0.9), 2)
    >>> found
    Speed(seconds 1.52 [1.41, 1.65], cores 2)
    >>> print(found)
    seconds  1.52 [1.41, 1.65]
    cores    2
    >>> found.as_dict()["cores"]
    2
    """

    def __repr__(self) -> str:
        text = f"{type(self).__name__}({' '.join(self.headline().split())})"
        return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 2]}…)"

    def __str__(self) -> str:
        return "\n".join(map(str, self.content()))

    def _repr_html_(self) -> str:
        """Return the result as HTML, which notebooks show."""
        line = '<div style="white-space: pre-wrap">{}</div>'  # texts align words by blanks
        parts = [
            one.to_html() if isinstance(one, TextTable) else line.format(html.escape(one))
            for one in self.content()
            if one
        ]
        return f"<div>{''.join(parts)}</div>"

    def headline(self) -> str:
        """Return the main numbers as one line, which `repr` shows behind the name of the type."""
        return ", ".join(f"{name} {text}" for name, text in self._texts())

    def content(self) -> Sequence[str | TextTable]:
        """Return what `str` and notebooks show: lines of text, and tables."""
        return [TextTable(self._texts(), "l")]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON values, as ``--json`` of the command line prints them.

        Returns
        -------
        dict of str
            The fields by name, without the fields that are declared with ``compare=False``.  An interval is a
            dict of estimate, low, high and level; None stands for numbers that are not finite.
        """
        return {name: json_value(value) for name, value in self._field_values().items()}

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the result, see `errsrc.plots.draw`.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **options
            Options of the figure of this type of result.

        Returns
        -------
        matplotlib Axes
            The Axes.  ``result.plot().figure.savefig("figure.png")`` writes the figure to a file.
        """
        plots = importlib.import_module("errsrc.plots")  # a higher layer: matplotlib is needed only here
        return plots.draw(self, ax, **options)

    def _field_values(self) -> dict[str, Any]:
        if not dataclasses.is_dataclass(self):
            return {}
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.compare}

    def _texts(self) -> list[tuple[str, str]]:
        """Return the name and the text of each field that is a number, a text, or an estimate."""
        shown = (bool, int, float, str, np.number, Interval, Bracket)
        texts = []
        for name, value in self._field_values().items():
            if isinstance(value, shown) and value != "":
                number = isinstance(value, float | np.floating)
                texts.append((name.replace("_", " "), f"{value:.6g}" if number else str(value)))
        return texts


class TabularResult(Result, abc.ABC):
    """Base class of results with rows: `columns` returns the rows as arrays, `to_frame` as a data frame."""

    @abc.abstractmethod
    def columns(self) -> dict[str, Any]:
        """Return the rows as a table: arrays of one length by name."""

    def to_frame(self) -> Any:
        """Return `columns` as a data frame.

        If the result was made from a data frame, the new frame is of the same library.  Otherwise the library
        is the first of pandas, polars and pyarrow that is installed.
        """
        tables = importlib.import_module("errsrc.tables")  # a package next to this module
        return tables.frame_of(self.columns(), self._library())

    def _library(self) -> str:
        """Return the library of the data frame that the result was made from; "" if there is none."""
        return ""


def interval_columns(name: str, intervals: Sequence[Interval]) -> dict[str, NDArray[np.float64]]:
    """Return intervals as three columns of a table.

    Parameters
    ----------
    name : str
        Name of the column of the estimates.  The columns of the ends have "_low" and "_high" added.
    intervals : sequence of Interval
        An interval for each row.

    Examples
    --------
    >>> interval_columns("n", [Interval(5.0, 4.0, 7.0, 0.9)])
    {'n': array([5.]), 'n_low': array([4.]), 'n_high': array([7.])}
    """
    ends = (("", "estimate"), ("_low", "low"), ("_high", "high"))
    return {name + suffix: np.array([getattr(one, end) for one in intervals]) for suffix, end in ends}


@functools.singledispatch
def json_value(value: Any) -> Any:
    """Return a value as JSON values: None, booleans, numbers, texts, lists, and dicts of these.

    A number that is not finite becomes None, a dataclass becomes the dict of its fields, an array becomes a
    list, and any other object becomes its text.  A class can register its own function with
    ``json_value.register``.

    Parameters
    ----------
    value
        Any object.

    Examples
    --------
    >>> json_value({"low": np.array([1.0, np.inf]), "interval": Interval(1.0, -math.inf, 2.0, 0.9)})
    {'low': [1.0, None], 'interval': {'estimate': 1.0, 'low': None, 'high': 2.0, 'level': 0.9}}
    """
    if dataclasses.is_dataclass(value):
        return {one.name: json_value(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return str(value)


@json_value.register(type(None))
@json_value.register(str)
@json_value.register(bool)
def _json_constant(value: Any) -> Any:
    return value


@json_value.register(int)
@json_value.register(np.integer)
def _json_integer(value: Any) -> int:
    return int(value)


@json_value.register(float)
@json_value.register(np.floating)
def _json_number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


@json_value.register(np.bool_)
def _json_flag(value: Any) -> bool:
    return bool(value)


@json_value.register(np.ndarray)
def _json_array(value: Any) -> Any:
    return json_value(value.tolist())


@json_value.register(list)
@json_value.register(tuple)
@json_value.register(AbstractSet)
def _json_list(value: Any) -> list[Any]:
    return [json_value(one) for one in value]


@json_value.register(Mapping)
def _json_dict(value: Any) -> dict[str, Any]:
    return {
        " ".join(map(str, key)) if isinstance(key, tuple) else str(key): json_value(one)
        for key, one in value.items()
    }


@json_value.register
def _json_result(value: Result) -> dict[str, Any]:
    return value.as_dict()


@dataclass(frozen=True)
class Interval:
    """An estimate with its sampling uncertainty.

    Attributes
    ----------
    estimate
        The point estimate, in the units of the quantity.
    low, high
        Ends of the interval; -inf or inf if the data do not bound that side.
    level
        Coverage that the interval states, in (0, 1).

    Examples
    --------
    Only the digits that the interval supports are printed.  The low end is rounded down and the high end up,
    so that the printed interval contains the computed one:

    >>> print(Interval(0.347312, 0.3312, 0.3641, 0.9))
    0.347 [0.331, 0.365]
    >>> print(Interval(3.2e-9, 0.0, 0.0213, 0.9))
    < 0.022
    >>> print(Interval(46.7, 13.7, 1226.0, 0.9))
    47 [13, 1300]
    >>> print(Interval(2.8e9, 2.54e9, 3.08e9, 0.9))
    2.80e+09 [2.54e+09, 3.08e+09]
    """

    estimate: float
    low: float
    high: float
    level: float

    @property
    def determined(self) -> bool:
        """Whether both ends are finite, and the lower end is not 0.

        If the data do not bound a positive quantity from below, the lower end is 0.
        """
        return math.isfinite(self.low) and math.isfinite(self.high) and self.low != 0

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.estimate:.6g}"
        nothing = max(abs(self.low), abs(self.estimate)) <= 1e-9 * self.high  # 0 to rounding
        if not self.determined or nothing:
            if math.isfinite(self.high) and (self.low == 0 or nothing):
                return f"< {significant(self.high, self.high, 2, rounding='up')}"
            if math.isfinite(self.low) and self.low != 0:
                return f"> {significant(self.low, self.low, 2, rounding='down')}"
            return "not determined"
        width = self.high - self.low
        if width <= 1e-9 * abs(self.estimate):  # no measurement, but rounding
            return f"{self.estimate:.6g}"
        shown = self._rounded(width)
        if any("e+" in text for text in shown):  # then 2700000 is hard to compare
            shown = self._rounded(width, LONGEST_NUMBER)
        return f"{shown[0]} [{shown[1]}, {shown[2]}]"

    def _rounded(self, width: float, exponent_from: float = 1e7) -> tuple[str, str, str]:
        """Return the estimate, the low end rounded down, and the high end rounded up."""
        return (
            significant(self.estimate, width, 2, exponent_from),
            significant(self.low, width, 2, exponent_from, "down"),
            significant(self.high, width, 2, exponent_from, "up"),
        )

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def around(self, estimate: float) -> Interval:
        """Return the interval with another estimate, widened if necessary to contain this estimate.

        Parameters
        ----------
        estimate : float
            The other estimate, in the units of the quantity.
        """
        return Interval(estimate, min(self.low, estimate), max(self.high, estimate), self.level)

    def rounded(self, least: float) -> Interval:
        """Return 0 for an interval that lies within `least` of 0, and any other interval as it is.

        Parameters
        ----------
        least : float
            The largest absolute value that counts as 0, in the units of the quantity.
        """
        if max(abs(self.estimate), abs(self.low), abs(self.high)) > least:
            return self
        return Interval(0.0, 0.0, 0.0, self.level)


@dataclass(frozen=True)
class PointEstimate(Interval):
    """An estimate without an interval, because no interval with known coverage is available.

    The ends are -inf and inf, which become None in JSON.

    Examples
    --------
    >>> print(PointEstimate.of(0.3473, 0.95))
    0.35 (no interval)
    """

    @classmethod
    def of(cls, estimate: float, level: float) -> PointEstimate:
        """Return an estimate without an interval.

        Parameters
        ----------
        estimate : float
            The estimate, in the units of the quantity.
        level : float
            Coverage that an interval would have stated, in (0, 1).
        """
        return cls(estimate, -math.inf, math.inf, level)

    def __str__(self) -> str:
        return f"{self.estimate:#.2g}".removesuffix(".") + " (no interval)"


@dataclass(frozen=True)
class HeldValue(Interval):
    """The value of a quantity that was fixed instead of fitted; both ends are equal to the value.

    Examples
    --------
    >>> print(HeldValue.of(0.5, 0.9))
    0.5 (held)
    """

    @classmethod
    def of(cls, value: float, level: float) -> HeldValue:
        """Return a value that was fixed instead of fitted.

        Parameters
        ----------
        value : float
            The value, in the units of the quantity.
        level : float
            Coverage that the intervals of the same result state, in (0, 1).
        """
        return cls(value, value, value, level)

    def __str__(self) -> str:
        return f"{self.estimate:.6g} (held)"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


@dataclass(frozen=True)
class Bracket:
    """A quantity that is only known to lie between two bounds; both bounds are estimated.

    The distance between the bounds is not sampling uncertainty.  Each bound is an `Interval`, which states
    the sampling uncertainty of this bound.

    Attributes
    ----------
    lower, upper : Interval
        Estimates of a lower and of an upper bound of the quantity.  Both are equal if the quantity is known.
    status : str
        A phrase that says how the bounds were found, or what proves them.

    Examples
    --------
    >>> print(Bracket(Interval(0.01, 0.008, 0.012, 0.95), Interval(0.03, 0.02, 0.04, 0.95), "chains"))
    0.0100 [0.0080, 0.0120] to 0.030 [0.020, 0.040]
    """

    lower: Interval
    upper: Interval
    status: str

    @classmethod
    def known(cls, value: Interval, status: str) -> Bracket:
        """Return the bracket of a quantity that is known up to sampling error.

        Parameters
        ----------
        value : Interval
            Estimate of the quantity.  It becomes both the lower and the upper bound.
        status : str
            A phrase that says how the value was found.
        """
        return cls(value, value, status)

    @property
    def closed(self) -> bool:
        """Whether both bounds are the same estimate."""
        return self.lower == self.upper

    def __str__(self) -> str:
        return str(self.lower) if self.closed else f"{self.lower} to {self.upper}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def mean_interval(
    values: Sequence[float] | NDArray[np.float64],
    level: float,
    lowest: float = -math.inf,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Interval:
    """Return the mean of independent draws with its confidence interval, corrected for skewness.

    The method is Hall's (1992) monotone cubic transformation of the t statistic, with Student's quantiles.
    Squared errors are skewed.  For 20 squared errors, a plain 95% t interval covers the mean in 89 to 94% of
    the cases, and this interval covers the mean in 93 to 95%.

    Parameters
    ----------
    values : array_like, (K,)
        Independent draws, K >= 2.
    level : float
        Coverage, in (0, 1).
    lowest : float
        The smallest value that the mean can have.  The upper end of the interval is at least this value.  The
        estimate itself is never clipped.
    stretch : (float, float)
        Factors that multiply Student's quantile, for the lower and for the upper end; (1, 1) where nothing
        more is known of the distribution of the values.

    Raises
    ------
    ValueError
        If there are fewer than two values, or if a value is not finite.

    Examples
    --------
    >>> print(mean_interval([1.0, 2.0, 1.5, 1.8, 1.2, 1.4], 0.95))
    1.48 [1.11, 1.90]
    """
    draws = np.asarray(values, dtype=np.float64)
    if draws.ndim != 1 or len(draws) < 2 or not np.isfinite(draws).all():
        accepted = "two or more finite numbers"
        raise ValueError(checks.refusal("values", "mean_interval", accepted, values))
    checks.LEVEL(level, "level", "mean_interval")
    mean, std = float(draws.mean()), float(draws.std())
    if std <= 1e-14 * abs(mean):
        return Interval(mean, mean, max(mean, lowest), level)
    low, high = map(float, mean_ends(draws, level, stretch))
    return Interval(mean, low, max(high, lowest), level)


def mean_ends(
    values: NDArray[np.float64], level: float, stretch: tuple[float, float] = (1.0, 1.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two ends of the confidence interval of each of several means, see `mean_interval`.

    Parameters
    ----------
    values : ndarray of float64, (..., K)
        K independent draws, K >= 2, for each of the means.  The draws of a mean are not all equal.
    level : float
        Coverage, in (0, 1).
    stretch : (float, float)
        Factors that multiply Student's quantile, for the lower and for the upper end.

    Returns
    -------
    low, high : ndarray of float64, (...)
        The ends.
    """
    mean, std, count = values.mean(-1), values.std(-1), values.shape[-1]
    skewness = ((values - mean[..., None]) ** 3).mean(-1) / std**3
    quantile = float(stdtrit(count - 1, (1 + level) / 2)) / math.sqrt(count - 1)
    ends = (stretch[0] * quantile, -stretch[1] * quantile)
    low, high = (mean - std * _unskewed(x, skewness, count) for x in ends)
    return low, high


def mean_statistic(values: NDArray[np.float64], true_mean: float, level: float) -> NDArray[np.float64]:
    """Return Hall's t statistic of several means, corrected for skewness, in units of Student's quantile.

    The interval of `mean_ends` with a stretch of (a, b) contains the true mean if the statistic is at least
    -b and at most a.

    Parameters
    ----------
    values : ndarray of float64, (..., K)
        K independent draws, K >= 2, for each of the means.  The draws of a mean are not all equal.
    true_mean : float
        The mean of the distribution from which the values are drawn.
    level : float
        Coverage of the intervals, in (0, 1).
    """
    mean, std, count = values.mean(-1), values.std(-1), values.shape[-1]
    skewness = ((values - mean[..., None]) ** 3).mean(-1) / std**3
    t = (mean - true_mean) / std
    skewed = t + skewness * t**2 / 3 + skewness**2 * t**3 / 27 + skewness / (6 * count)
    return skewed * math.sqrt(count - 1) / float(stdtrit(count - 1, (1 + level) / 2))


def _unskewed(x: float, skewness: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Solve Hall's g(t) = t + s t^2 / 3 + s^2 t^3 / 27 + s / (6 K) = x for t."""
    shifted = x - skewness / (6 * count)
    skewed = np.abs(skewness) >= 1e-6
    divisor = np.where(skewed, skewness, 1.0)
    return np.where(skewed, 3 / divisor * (np.cbrt(1 + skewness * shifted) - 1), shifted)


def significant(
    value: float,
    uncertainty: float,
    digits: int,
    exponent_from: float = 1e7,
    rounding: Rounding = "nearest",
) -> str:
    """Return `value` rounded so that `uncertainty` keeps `digits` significant digits.

    A value that would be rounded to 0 keeps `digits` significant digits of its own, unless it may be a
    rounding error (at most `ROUNDING` times the uncertainty).

    Parameters
    ----------
    value, uncertainty : float
        A number and its uncertainty, in the same units.
    digits : int
        Significant digits of the uncertainty, >= 1.
    exponent_from : float
        A rounded value with at least this absolute value is written with a power of ten.
    rounding : {"nearest", "down", "up"}
        "down" for the low end of an interval and "up" for its high end, so that the printed interval
        contains the computed one.

    Examples
    --------
    >>> significant(12345.678, 20.0, 2), significant(3.14159, 0.02, 2), significant(46.7, 1200.0, 2)
    ('12346', '3.142', '47')
    >>> significant(6e10, 1.2e10, 2)
    '6.0e+10'
    >>> significant(3.14159, 0.02, 2, rounding="down")
    '3.141'
    """
    if not math.isfinite(value):
        return f"{value}"
    if not (math.isfinite(uncertainty) and uncertainty > 0):
        return f"{value:.6g}"
    uncertainty = max(uncertainty, abs(value) * 1e-9)  # more digits than that are never a measurement
    if ROUNDING * uncertainty < abs(value) < 10.0 ** (math.floor(math.log10(uncertainty)) - digits + 1):
        uncertainty = abs(value)
    place = digits - 1 - math.floor(math.log10(uncertainty))
    if value and (place > 6 or abs(value) >= exponent_from):
        value = _at_place(value, place, rounding) or value  # 9.9e8 may round to 1.0e9
        figures = max(1, math.floor(math.log10(abs(value))) + place + 1)
        text = f"{value:#.{min(figures, 15)}g}"  # "#" keeps the zeros at the end
        return text.replace(".e", "e").removesuffix(".")
    if place > 6:
        return "0"
    return f"{_at_place(value, place, rounding) + 0.0:.{max(place, 0)}f}"  # 0, never -0


def bound_to(value: float, digits: int, rounding: Rounding) -> float:
    """Return a bound rounded to significant digits of its own, away from the values that the bound allows.

    Parameters
    ----------
    value : float
        The bound.  0, infinities and nan are returned as they are.
    digits : int
        Number of significant digits, >= 1.
    rounding : {"nearest", "down", "up"}
        "down" for a lower bound, "up" for an upper bound.

    Examples
    --------
    >>> bound_to(0.02131, 2, "up"), bound_to(123456.0, 2, "down")
    (0.022, 120000.0)
    """
    if not math.isfinite(value) or value == 0:
        return value
    return _at_place(value, digits - 1 - math.floor(math.log10(abs(value))), rounding)


def _at_place(value: float, place: int, rounding: Rounding) -> float:
    """Return a finite number rounded at a decimal place, as `round` does, or down, or up.

    A distance of at most 1e-6 steps from a rounded number may be an error of the computation: such a value
    is rounded to the nearest number.
    """
    try:
        nearest = round(value, place)
    except OverflowError:  # the rounded value would be above the largest float64
        return value
    step = 10.0**-place
    if rounding == "nearest" or abs(value - nearest) <= max(1e-6 * step, 1e-15 * abs(value)):
        return nearest
    if rounding == "down":
        return nearest if nearest < value else round(nearest - step, place)
    return nearest if nearest > value else round(nearest + step, place)


def equation(name: str, value: Interval) -> str:
    """Return a text such as "n = 47 [13, 1300]", or "n > 2000000" if only one bound is known.

    Parameters
    ----------
    name : str
        The name.
    value : Interval
        The interval.

    Examples
    --------
    >>> equation("n", Interval(46.7, 13.7, 1226.0, 0.9))
    'n = 47 [13, 1300]'
    >>> equation("n", Interval(math.nan, 2e6, math.inf, 0.9))
    'n > 2000000'
    >>> equation("n", Interval(math.nan, 0.0, math.inf, 0.9))
    'n not determined'
    """
    text = str(value)
    return f"{name} {text}" if text[0] in "<>" or text == "not determined" else f"{name} = {text}"


def percent(share: float, decimals: int = 0, sign: str = "") -> str:
    """Return a share as a percentage; only a share of 0 is shown as 0.

    Parameters
    ----------
    share : float
        The share; 1 is 100%.
    decimals : int
        Number of decimals, >= 0.
    sign : str
        "+" to show the sign of positive shares too.

    Examples
    --------
    >>> percent(0.137), percent(0.0004), percent(-0.0004, 1, "+"), percent(0.9999), percent(0.0)
    ('14%', '<1%', '-0.04%', '>99%', '0%')
    """
    text = f"{share:{sign}.{decimals}%}"
    step = 10.0 ** -(decimals + 2)
    if share and not float(text[:-1]):
        if sign:
            return f"{100 * share:{sign}.1g}%" if abs(share) > 1e-12 else text
        return f"<{step:.{decimals}%}" if share > 0 else f"{100 * share:.1g}%"
    if 1 - step < share < 1 and float(text[:-1]) == 100:
        return f">{1 - step:.{decimals}%}"
    return text


def aligned(lines: Sequence[Sequence[str]], pad: Callable[[str, int], str] = str.rjust) -> list[str]:
    """Return rows of texts as lines whose columns are aligned.

    Parameters
    ----------
    lines : sequence of sequences of str
        Rows, all of the same length.
    pad : callable
        `str.rjust` to align columns on the right, or `str.ljust` to align them on the left.

    Examples
    --------
    >>> aligned([["n", "error"], ["1,000", "0.2"]])
    ['    n  error', '1,000    0.2']
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(pad, line, widths)).rstrip() for line in lines]
