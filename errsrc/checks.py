"""Rules for the values of arguments and fields.

Each rule is declared once, and all error messages have one form.

Every message about a wrong value has the form

    The 'n' parameter of budget must be an integer >= 1. Got 0 instead.

The message names the argument, the accepted values and the given value.  A `Rule` says which values are
accepted, and checks a value:

- a function declares the rules of its arguments with the decorator `arguments`;
- a dataclass declares the rules of its fields with `errsrc.fields`;
- a call of a rule, such as ``Integer(at_least=1)(value, "n", "budget")``, checks a single value.

The same rules also give the error messages about the TOML files of studies, the texts of the reference, and
the Hypothesis strategies of `errsrc.testing`.
"""

from __future__ import annotations

import abc
import difflib
import functools
import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

# Instances of int or numpy integers by inheritance only.
_NOT_NUMBERS = (bool, np.bool_, np.timedelta64)


def refusal(name: str, where: str, accepted: str, got: object) -> str:
    """Return the error message for a wrong argument: one line.

    Parameters
    ----------
    name : str
        Name of the argument or field.
    where : str
        Name of the function or class to which the argument or field belongs.
    accepted : str
        Words for the accepted values.  In error messages these words follow "must be".
    got : object
        The given value.  Its repr is shown, shortened to 80 characters.  For a value without a useful repr,
        pass a string in angle brackets, such as ``"<shape (3, 2)>"``.  Such a string is shown as it is.

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
        except Exception:  # a user's repr may raise anything; an int of over 4,300 digits has none
            shown = f"<{type(got).__name__}>"
    shown = " ".join(shown.split())
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return f"The {name!r} parameter of {where} must be {accepted}. Got {shown} instead."


def machine_memory() -> float:
    """Return the size of the machine's main memory in bytes, or inf where the system does not report it."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return math.inf


def check_count(count: int, size: int, name: str, where: str) -> None:
    """Raise ValueError if an array of `count` items would be larger than half of the machine's memory.

    Parameters
    ----------
    count : int
        Number of items.
    size : int
        Size of an item, in bytes.
    name, where : str
        Names of the argument that states the number and of its function, for the error message.

    Raises
    ------
    ValueError
        If ``count * size`` bytes are more than half of the memory.
    """
    most = machine_memory() / 2 / size
    if count > most:
        accepted = f"at most {most:,.0f}: a larger number would fill more than half of this machine's memory"
        raise ValueError(refusal(name, where, accepted, count))


def nearest(value: str, options: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" for the option that is most similar to `value`, or "" if none is similar.

    Parameters
    ----------
    value : str
        The given value.
    options : iterable of str
        The accepted values.
    """
    close = difflib.get_close_matches(value, list(options), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def missing_file(error: FileNotFoundError) -> FileNotFoundError:
    """Return a copy of an error, with a message that also names the most similar file in the same folder.

    Parameters
    ----------
    error : FileNotFoundError
        The error about the missing file.
    """
    if not error.filename or "did you mean" in str(error):
        return error
    path = os.fsdecode(error.filename)
    try:
        names = sorted(os.listdir(os.path.dirname(path) or "."))
    except OSError:
        return error
    hint = nearest(os.path.basename(path), names)
    return FileNotFoundError(error.errno, f"{error.strerror}{hint}", error.filename)


class Rule(abc.ABC):
    """A rule that a value must satisfy; calling the rule checks a value."""

    @property
    @abc.abstractmethod
    def accepted(self) -> str:
        """Words for the accepted values.  In error messages these words follow "must be"."""

    @abc.abstractmethod
    def __call__(self, value: Any, name: str, where: str) -> Any:
        """Return a value after the check, converted to a plain type such as int or float.

        Parameters
        ----------
        value
            The given value.
        name, where : str
            Name of the argument or field, and name of its function or class, for error messages.

        Raises
        ------
        TypeError
            If the value has another type.
        ValueError
            If the value has the right type but is out of range.
        """


@dataclass(frozen=True)
class Integer(Rule):
    """An integer of Python or numpy; booleans are not accepted.

    Attributes
    ----------
    at_least, at_most : int or None
        Bounds, both included; None for no bound.

    Examples
    --------
    >>> Integer(at_least=1).accepted
    'an integer >= 1'
    """

    at_least: int | None = None
    at_most: int | None = None

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return f"an integer {_range(None, self.at_least, None, self.at_most)}".rstrip()

    def __call__(self, value: Any, name: str, where: str) -> int:
        """Return `value` as an int."""
        if isinstance(value, _NOT_NUMBERS) or not isinstance(value, (int, np.integer)):
            raise TypeError(refusal(name, where, self.accepted, value))
        whole = int(value)
        too_small = self.at_least is not None and whole < self.at_least
        too_large = self.at_most is not None and whole > self.at_most
        if too_small or too_large:
            raise ValueError(refusal(name, where, self.accepted, whole))
        return whole


@dataclass(frozen=True)
class Number(Rule):
    """A finite number between bounds.

    Attributes
    ----------
    above, below : float or None
        Bounds that are excluded; None for no bound.
    at_least, at_most : float or None
        Bounds that are included; None for no bound.

    Examples
    --------
    >>> Number(above=0, at_most=1).accepted
    'a finite number > 0 and <= 1'
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return f"a finite number {_range(self.above, self.at_least, self.below, self.at_most)}".rstrip()

    def __call__(self, value: Any, name: str, where: str) -> float:
        """Return `value` as a float."""
        if isinstance(value, _NOT_NUMBERS) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise TypeError(refusal(name, where, self.accepted, value))
        try:
            x = float(value)
        except OverflowError:  # an int beyond the largest float
            x = math.inf
        inside = (
            math.isfinite(x)
            and (self.above is None or x > self.above)
            and (self.at_least is None or x >= self.at_least)
            and (self.below is None or x < self.below)
            and (self.at_most is None or x <= self.at_most)
        )
        if not inside:
            raise ValueError(refusal(name, where, self.accepted, value))
        return x


@dataclass(frozen=True)
class Choice(Rule):
    """One of several strings; the error message for any other string suggests the most similar option.

    Attributes
    ----------
    options : sequence of str
        All accepted values.

    Examples
    --------
    >>> Choice(("mean", "median")).accepted
    "one of 'mean', 'median'"
    """

    options: Sequence[str]

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return "one of " + ", ".join(repr(option) for option in self.options)

    def __call__(self, value: Any, name: str, where: str) -> str:
        """Return `value` as a str."""
        if not isinstance(value, str):
            raise TypeError(refusal(name, where, self.accepted, value))
        if value not in self.options:
            raise ValueError(refusal(name, where, self.accepted, value) + nearest(value, self.options))
        return str(value)


@dataclass(frozen=True)
class Flag(Rule):
    """True or False."""

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return "true or false"

    def __call__(self, value: Any, name: str, where: str) -> bool:
        """Return `value` as a bool."""
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(refusal(name, where, self.accepted, value))
        return bool(value)


@dataclass(frozen=True)
class Instance(Rule):
    """An instance of a class, or of one of several classes.

    Attributes
    ----------
    types : type or tuple of types
        The class or the classes.
    accepted : str
        Words for the accepted values.  In error messages these words follow "must be".

    Examples
    --------
    >>> Instance(dict, "a dict of columns")({}, "data", "fit")
    {}
    """

    types: type[Any] | tuple[type[Any], ...]
    accepted: str = ""

    def __call__(self, value: Any, name: str, where: str) -> Any:
        """Return `value` itself."""
        if not isinstance(value, self.types):
            raise TypeError(refusal(name, where, self.accepted, value))
        return value


@dataclass(frozen=True)
class Optional(Rule):
    """None, or a value that another rule accepts.

    Attributes
    ----------
    rule : Rule
        The other rule.

    Examples
    --------
    >>> Optional(Integer(at_least=1)).accepted
    'an integer >= 1 or None'
    """

    rule: Rule

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return f"{self.rule.accepted} or None"

    def __call__(self, value: Any, name: str, where: str) -> Any:
        """Return None if `value` is None, and otherwise what the other rule returns for `value`."""
        if value is None:
            return None
        try:
            return self.rule(value, name, where)
        except (TypeError, ValueError) as error:
            text = str(error).replace(f"must be {self.rule.accepted}.", f"must be {self.accepted}.", 1)
            raise type(error)(text) from None


@dataclass(frozen=True)
class OrWord(Rule):
    """A word, or a value that another rule accepts.

    Attributes
    ----------
    rule : Rule
        The other rule.
    word : str
        The word.

    Examples
    --------
    >>> OrWord(Integer(at_least=2), "auto").accepted
    "an integer >= 2 or 'auto'"
    """

    rule: Rule
    word: str

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return f"{self.rule.accepted} or {self.word!r}"

    def __call__(self, value: Any, name: str, where: str) -> Any:
        """Return the word if `value` is the word, and otherwise what the other rule returns for `value`."""
        if isinstance(value, str) and value == self.word:
            return self.word
        try:
            return self.rule(value, name, where)
        except (TypeError, ValueError) as error:
            raise type(error)(refusal(name, where, self.accepted, value)) from None


@dataclass(frozen=True)
class Tuple(Rule):
    """A tuple of values that all satisfy another rule.

    Attributes
    ----------
    rule : Rule
        The rule of each value.
    at_least : int
        The smallest accepted length.

    Examples
    --------
    >>> Tuple(Integer(at_least=1), at_least=2).accepted
    'a tuple of 2 or more values, each an integer >= 1'
    """

    rule: Rule
    at_least: int = 0

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        many = f"a tuple of {self.at_least} or more values" if self.at_least else "a tuple of values"
        return f"{many}, each {self.rule.accepted}"

    def __call__(self, value: Any, name: str, where: str) -> tuple[Any, ...]:
        """Return a tuple of what the other rule returns for each element of `value`."""
        if not isinstance(value, tuple):
            raise TypeError(refusal(name, where, self.accepted, value))
        if len(value) < self.at_least:
            raise ValueError(refusal(name, where, self.accepted, value))
        try:
            return tuple(self.rule(one, name, where) for one in value)
        except (TypeError, ValueError) as error:
            raise type(error)(refusal(name, where, self.accepted, value)) from None


@dataclass(frozen=True)
class PositiveArray(Rule):
    """An array of finite numbers > 0; strings and booleans are not accepted.

    Attributes
    ----------
    at_most : float or None
        The largest accepted number; None for no bound.
    at_least : float or None
        The smallest accepted number; None for any number > 0.
    """

    at_most: float | None = None
    at_least: float | None = None

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return f"an array of finite numbers {_range(0, None, None, self.at_most)}"

    def __call__(self, value: Any, name: str, where: str) -> NDArray[np.float64]:
        """Return `value` as a float64 array of the same shape."""
        array = _numbers(value, name, where, self.accepted)
        limit = np.inf if self.at_most is None else self.at_most
        bad = ~(np.isfinite(array) & (array > 0) & (array <= limit))
        if bad.any():
            raise ValueError(refusal(name, where, self.accepted, float(array[bad].flat[0])))
        if self.at_least is not None and (array < self.at_least).any():
            accepted = f"an array of numbers >= {self.at_least:.2g} (use a smaller unit)"
            raise ValueError(refusal(name, where, accepted, float(array.min())))
        return array


@dataclass(frozen=True)
class NonNegativeArray(Rule):
    """An array of finite numbers >= 0; strings and booleans are not accepted."""

    @property
    def accepted(self) -> str:
        """The accepted values in words."""
        return "an array of finite numbers >= 0"

    def __call__(self, value: Any, name: str, where: str) -> NDArray[np.float64]:
        """Return `value` as a float64 array of the same shape."""
        array = _numbers(value, name, where, self.accepted)
        bad = ~(np.isfinite(array) & (array >= 0))
        if bad.any():
            raise ValueError(refusal(name, where, self.accepted, float(array[bad].flat[0])))
        return array


def unmasked(value: Any) -> Any:
    """Return a masked array of numbers with nan for its masked entries; other values are returned unchanged.

    `numpy.asarray` ignores the mask: it would take a masked entry for a measured number.

    Parameters
    ----------
    value : object
        Any value.
    """
    if isinstance(value, np.ma.MaskedArray) and value.dtype.kind in "iuf" and np.ma.is_masked(value):
        return np.ma.filled(value.astype(np.float64), np.nan)
    return value


def shared_index(arguments: Mapping[str, Any], where: str) -> Any:
    """Return the index of the pandas Series among the arguments; None if there is no Series.

    Arrays belong together by position.  Series with different indexes, such as Series that were sorted by
    different columns, would pair each number with the number of another run.

    Parameters
    ----------
    arguments : dict
        The arguments of a function; the keys are their names.
    where : str
        Name of the function, for messages.

    Raises
    ------
    ValueError
        If two Series of the same length have different indexes.
    """
    series = {
        name: x
        for name, x in arguments.items()
        if type(x).__name__ == "Series" and type(x).__module__.partition(".")[0] == "pandas"
    }
    if not series:
        return None
    first = next(iter(series))
    index = series[first].index
    for name, x in series.items():
        if len(x) != len(index) or x.index.equals(index):
            continue
        pairs = enumerate(zip(x.index, index, strict=True))
        for k, (own, other) in pairs:
            if own != other and not (own != own and other != other):
                got = f"<{own!r} at position {k}, where {first} has {other!r}>"
                message = refusal(name, where, f"a Series with the index of {first}", got)
                raise ValueError(f"{message} Sort both alike, or pass {name}.to_numpy().")
    return index


def _numbers(value: Any, name: str, where: str, accepted: str) -> NDArray[np.float64]:
    """Return `value` as a float64 array; raise TypeError if it is no array of numbers."""
    try:
        raw = np.asarray(unmasked(value))
    except Exception:  # ragged lists; a user's __array__ may raise anything
        raise TypeError(refusal(name, where, accepted, value)) from None
    if raw.dtype.kind not in "iuf":
        got, hint = value, ""
        first = raw.flat[0] if raw.size else None
        if isinstance(first, str) and not isinstance(value, str):
            got, hint = f"<text, such as {first[:40]!r}>", " Suffixes such as 70B are read with data=."
        raise TypeError(refusal(name, where, accepted, got) + hint)
    with np.errstate(over="ignore"):
        return raw.astype(np.float64)


LEVEL = Number(above=0, below=1)
"""The rule for the coverage of an interval."""

ERROR = PositiveArray(at_least=float(np.finfo(np.float64).tiny))
"""Measured errors.  Smaller numbers (subnormal ones) have lost digits."""

SEED = Integer(at_least=0)
"""The rule for a seed from which all random streams are derived."""

PATH = Instance((str, os.PathLike), "a path: a string or a pathlib.Path")
"""The rule for the path of a file."""


def arguments(**rules: Rule) -> Callable[[F], F]:
    """Return a decorator that applies `rules` to the arguments of a function before each call.

    The function gets the values that the rules return.  Defaults are not checked.  Error messages have the
    qualified name of the function, such as ``Fit.predict`` for a method.

    Parameters
    ----------
    **rules : Rule
        A rule for each argument that must be checked.  The keyword is the argument's name.

    Examples
    --------
    >>> @arguments(n=Integer(at_least=1))
    ... def double(n: int) -> int:
    ...     return 2 * n
    >>> double(0)
    Traceback (most recent call last):
        ...
    ValueError: The 'n' parameter of double must be an integer >= 1. Got 0 instead.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        unknown = rules.keys() - signature.parameters.keys()
        if unknown:
            raise TypeError(f"{function.__qualname__} has no parameter {min(unknown)!r} to check.")
        where = function.__qualname__.rpartition("<locals>.")[2]
        kinds = ((name, one.kind) for name, one in signature.parameters.items())
        collected = next((name for name, kind in kinds if kind is inspect.Parameter.VAR_KEYWORD), "")

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:  # the call itself is wrong: Python's own message says how
                return function(*args, **kwargs)
            shared_index(_by_name(bound, collected), where)
            for name, rule in rules.items():
                if name in bound.arguments:
                    bound.arguments[name] = rule(bound.arguments[name], name, where)
            return function(*bound.args, **bound.kwargs)

        checked.rules = rules  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def _by_name(bound: inspect.BoundArguments, collected: str) -> Mapping[str, Any]:
    """Return the arguments of a call, with those that the parameter `collected` (``**inputs``) collects."""
    more = bound.arguments.get(collected)
    return {**bound.arguments, **more} if more else bound.arguments


def _range(above: float | None, at_least: float | None, below: float | None, at_most: float | None) -> str:
    """Return bounds in words, as "> 0 and <= 1"."""
    bounds = ((">", above), (">=", at_least), ("<", below), ("<=", at_most))
    return " and ".join(f"{sign} {_bound(value)}" for sign, value in bounds if value is not None)


def _bound(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.12g}"
