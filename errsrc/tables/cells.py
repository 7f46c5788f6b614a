"""Numbers in columns of text, with decimal points or commas, thousands separators, suffixes or percent signs.

A column is read as a whole, because single cells are ambiguous: "16.000" is 16 or 16000.  The other cells of
the column and of the file decide.  If they do not decide, reading the column raises ValueError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SPREADSHEET_ERRORS = {
    *("#n/a", "#div/0!", "#name?", "#null!", "#num!", "#ref!", "#value!"),
    *("#nv", "#wert!", "#zahl!", "#bezug!"),  # German
    *("#valeur!", "#nombre!", "#nom?", "#nul!"),  # French
    *(
        "#n/d",
        "#\u00a1valor!",
        "#valor!",
        "#\u00a1num!",
        "#n\u00fam!",
        "#\u00a1ref!",
        "#\u00bfnombre?",
        "#nome?",
    ),
    *("#\u00a1div/0!", "#valore!", "#rif!", "#waarde!", "#n/b", "#getal!"),
}
_NAN = {"nan", "+nan", "-nan", "1.#qnan", "1.#snan", "1.#ind", "-1.#ind", "-1.#qnan", "nat"}
_DASHES = {"-", "--", "---", "\u2010", "\u2012", "\u2013", "\u2014", "\u2212"}
MISSING = frozenset(
    {
        "",
        "?",
        ".",
        "...",
        "na",
        "n/a",
        "n.a.",
        "<na>",
        "null",
        "none",
        "nil",
        "(null)",
        "\\n",  # MySQL and PostgreSQL
        "missing",
        "undefined",
        "diverged",
        "oom",
        "nan(ind)",
        "1.#inf",
        "-1.#inf",
    }
    | _DASHES
    | _SPREADSHEET_ERRORS
    | _NAN
)
"""Texts, in lower case, of cells that hold no value."""
INFINITE = frozenset({"inf", "infinity"})
"""Texts, in lower case, of infinite numbers."""
SUFFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
"""Suffixes of numbers, with their factors."""
WHOLE = 1e5
"""Smallest number without a suffix that is accepted next to numbers with suffixes: such a number is not meant
in thousands or millions."""
SIMILAR = 100.0
"""Such a number lies at most this factor outside the range of the numbers with suffixes."""
_SPACES = "' \u00a0\u2009\u202f\u2019"
_SHAPE = re.compile(
    rf"([+-]?[\d.,_{_SPACES}]*\d[.,]?(?:[eE][+-]?\d+)?)[\s{_SPACES[1:]}]*([kKMBGT%]?)", re.ASCII
)
_GROUPED = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+") for mark in ".,"}
_SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?")


class Marks(NamedTuple):
    """What the numbers of a column, or of a whole file, show about decimal marks and thousands separators.

    Attributes
    ----------
    decimal : frozenset of str
        The marks that can only be decimal marks: none, one or both of "." and ",".
    ungrouped : bool
        Whether some number of at least four digits has no thousands separator.
    """

    decimal: frozenset[str]
    ungrouped: bool


class ColumnNumbers(NamedTuple):
    """A column of cells, read as numbers.

    Attributes
    ----------
    values : ndarray of float64, shape (rows,)
        The numbers; nan where a cell is empty or holds other text.
    text : ndarray of bool, shape (rows,)
        True for cells that are neither numbers nor empty.
    """

    values: Array
    text: NDArray[np.bool_]


def is_missing(cell: str) -> bool:
    """Return whether a cell has no value: it is empty, or one of `MISSING` such as "NA" and "NaN".

    Parameters
    ----------
    cell : str
        The cell.
    """
    return cell.strip().lower() in MISSING


def with_hyphens(cell: str) -> str:
    """Return a cell with each minus sign replaced by a hyphen, which Python reads as a minus.

    Parameters
    ----------
    cell : str
        The cell.
    """
    return cell.replace("\u2212", "-")


def number_text(value: float) -> str:
    """Return a number as a cell of text: exact, without ".0" at the end, and "" for nan.

    Parameters
    ----------
    value : float
        The number.
    """
    if value != value:
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def plain_number(text: str) -> float:
    """Return ``float(text)``, or nan if Python cannot read the text as a number.

    Parameters
    ----------
    text : str
        The text.
    """
    try:
        return float(text)
    except ValueError:
        return math.nan


def marks_of(cells: Iterable[str], numbers: bool = False) -> Marks:
    """Return what the cells of a column show about its decimal mark.

    Parameters
    ----------
    cells : iterable of str
        The cells.
    numbers : bool
        Whether the column is known to hold numbers.  Other text in such a column is skipped.  If `numbers` is
        False, a column with other text shows nothing, because it may hold versions or names.
    """
    decimal: set[str] = set()
    ungrouped = False
    for cell in cells:
        if is_missing(cell):
            continue
        cell = with_hyphens(cell)
        found = _SHAPE.fullmatch(cell.strip())
        if not found and not numbers and cell.strip().lower().lstrip("+-") not in INFINITE:
            return Marks(frozenset(), False)
        if not found:
            continue
        digits = re.split("[eE]", found[1])[0]
        mark, plain = _shown(digits)
        decimal |= mark
        ungrouped |= plain
    return Marks(frozenset(decimal), ungrouped)


def _shown(digits: str) -> tuple[set[str], bool]:
    """Return the decimal marks that one number shows, and whether it has four digits without a separator."""
    points, commas = digits.count("."), digits.count(",")
    ungrouped = re.search(r"\d{4}", re.split("[.,]", digits)[0]) is not None
    if points and commas:
        return ({"."} if digits.rindex(".") > digits.rindex(",") else {","}), ungrouped
    if points > 1 or commas > 1:  # 1.234.567 has thousands separators
        return ({","} if points > 1 else {"."}), ungrouped
    if points + commas == 0:
        return set(), ungrouped
    mark = "." if points else ","
    return (set() if _GROUPED[mark].fullmatch(digits) else {mark}), ungrouped


def decimal_mark(cells: Sequence[str], elsewhere: Callable[[], Marks], european: bool) -> str:
    """Return the decimal mark of a column, "." or ",".

    Parameters
    ----------
    cells : sequence of str
        The cells of the column.
    elsewhere : callable
        Function without arguments that returns the `Marks` of the whole file: what the numbers in all its
        columns show about the decimal mark.  This function is called only if the column alone does not
        decide.
    european : bool
        Whether semicolons separate the columns of the file.  Such files often use "," as the decimal mark.
        In such a file, a "." that may be a thousands separator is not assumed to be a decimal point.

    Raises
    ------
    ValueError
        If the column has two decimal marks, or if two readings of its numbers remain possible.  The message
        is a phrase that completes a sentence about the column.
    """
    if not any("," in cell for cell in cells):
        points = [cell for cell in cells if "." in cell]
        if not all(_GROUPED["."].fullmatch(cell.strip()) for cell in points[:20]):
            return "."
    own = marks_of(cells, numbers=True)
    if len(own.decimal) > 1:
        raise ValueError("has decimal points in some cells and decimal commas in others")
    if own.decimal:
        return next(iter(own.decimal))
    shaped = [cell.strip() for cell in cells if _SHAPE.fullmatch(cell.strip()) and not is_missing(cell)]
    unclear = [cell for cell in shaped if re.search("[.,]", cell)]
    marks = {mark for cell in unclear for mark in ".," if mark in cell}
    if not marks:
        return "."
    others = elsewhere()
    if len(marks) == 1:
        (mark,) = marks
        other = "," if mark == "." else "."
        if own.ungrouped or others.ungrouped:
            return mark
        if others.decimal == {other}:
            return other
        whole = all(re.search(r"[.,]000\D*$", cell) for cell in unclear)
        if not whole and (others.decimal == {mark} or (mark == "." and not european)):
            return mark
    cell = unclear[0]
    without = re.sub("[.,]", "", cell)
    short = cell.replace(",", ".")
    short = re.sub(r"\.?0*(\D*)$", r"\1", short) if "." in short else short
    raise ValueError(
        f"is ambiguous: {cell!r} is {short} or {without}; write it without a thousands separator"
    )


def read_column(
    cells: Sequence[str], elsewhere: Callable[[], Marks], european: bool = False
) -> ColumnNumbers:
    """Read the cells of a column as numbers.

    Parameters
    ----------
    cells : sequence of str
        The cells.
    elsewhere : callable
        Function without arguments that returns the `Marks` of the whole file, see `decimal_mark`.
    european : bool
        Whether the columns of the file are separated by semicolons.

    Raises
    ------
    ValueError
        If the column is ambiguous, or if some cells have a suffix or a percent sign and other cells do not.
        Cells without a suffix are accepted next to cells with a suffix if the values of both are of similar
        size, such as "140M" and "2520000000".  The message is a phrase that completes a sentence about the
        column.
    """
    cells = [with_hyphens(cell) for cell in cells]
    mark = decimal_mark(cells, elsewhere, european)
    values, text = np.full(len(cells), math.nan), np.zeros(len(cells), dtype=bool)
    signs: dict[str, str] = {}
    suffixed = np.zeros(len(cells), dtype=bool)
    for k, cell in enumerate(cells):
        if is_missing(cell):
            continue
        number, sign = _number(cell.strip(), mark)
        if number is None:
            text[k] = True
            continue
        kind = "a percent sign" if sign == "%" else "a suffix" if sign else ""
        signs.setdefault(kind, cell.strip())
        suffixed[k] = kind == "a suffix"
        values[k] = number * (0.01 if sign == "%" else SUFFIXES.get(sign, 1.0))
    if len(signs) > 1 and not ("a percent sign" not in signs and _are_similar(values, suffixed)):
        kind = next(one for one in signs if one)
        other = next(one for one in signs if one != kind)
        has = f"has {other}" if other else "has none"
        raise ValueError(
            f"is ambiguous: {signs[kind]!r} has {kind}, and {signs[other]!r} {has}; write all of them alike"
        )
    return ColumnNumbers(values, text)


def _are_similar(values: Array, suffixed: NDArray[np.bool_]) -> bool:
    """Return whether the numbers without a suffix are similar to the numbers with one; nan is ignored."""
    plain, other = values[~suffixed & np.isfinite(values)], values[suffixed]
    low, high = max(WHOLE, other.min() / SIMILAR), other.max() * SIMILAR
    return bool(((plain >= low) & (plain <= high)).all())


def _number(cell: str, mark: str) -> tuple[float | None, str]:
    """Return the number in a cell (None if it has no number), and its suffix or percent sign."""
    if mark == "." and "," not in cell:
        try:
            return float(cell), ""
        except ValueError:
            pass
    found = _SHAPE.fullmatch(cell)
    if not found:
        try:
            return float(cell), ""  # inf, and digits of other scripts
        except ValueError:
            return None, ""
    digits, sign = found[1], found[2]
    other = "," if mark == "." else "."
    mantissa = re.split("[eE]", digits)[0]
    if _SPACED.fullmatch(mantissa):
        digits = re.sub(f"[{_SPACES}]", "", digits)
    if other in mantissa:
        whole = mantissa.split(mark)[0]
        if not _GROUPED[other].fullmatch(whole) or other in mantissa[len(whole) :]:
            return None, ""
        digits = digits.replace(other, "")
    try:
        return float(digits.replace(mark, ".")), sign
    except ValueError:
        return None, ""
