"""Fields of dataclasses that declare which values they accept.

The rule of a field (`errsrc.checks`) is part of the field's declaration::

    @dataclass(frozen=True)
    class Recipe(Checked):
        learning_rate: float = number(4e-3, above=0)
        batch: int = integer(128, at_least=1)
        optimiser: str = choice("adam", ("adam", "sgd", "lbfgs"))

`Checked` applies the rules whenever an instance is made.  A subclass needs ``__post_init__`` only for
relations between fields, and calls ``super().__post_init__()`` first.  Fields below a line ``_: KW_ONLY``
(`dataclasses.KW_ONLY`) are keyword-only arguments.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Sequence
from dataclasses import MISSING
from typing import Any, ClassVar, Self, get_origin

import numpy as np

from errsrc.checks import Choice, Flag, Instance, Integer, Number, Optional, Rule


def integer(
    default: Any = MISSING,
    *,
    at_least: int | None = None,
    at_most: int | None = None,
) -> Any:
    """Declare a field that is an integer in a range; if its default is None, the field also accepts None.

    Parameters
    ----------
    default : int or None, optional
        The field's default; without a default the field must be given.
    at_least, at_most : int, optional
        Smallest and largest value.
    """
    return declare(Integer(at_least, at_most), default)


def number(
    default: Any = MISSING,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Declare a field that is a finite number in a range.

    If the default is None, the field also accepts None.

    Parameters
    ----------
    default : float or None, optional
        The field's default; without a default the field must be given.
    above : float, optional
        Lower bound, excluded.
    at_least : float, optional
        Lower bound, included.
    below : float, optional
        Upper bound, excluded.
    at_most : float, optional
        Upper bound, included.
    """
    return declare(Number(above, at_least, below, at_most), default)


def choice(default: Any, options: Sequence[str]) -> Any:
    """Declare a field that is one of several strings.

    Parameters
    ----------
    default : str or MISSING
        The field's default; ``dataclasses.MISSING`` if the field must be given.
    options : sequence of str
        All accepted values.
    """
    return declare(Choice(tuple(options)), default)


def flag(default: Any = MISSING) -> Any:
    """Declare a field that is True or False.

    Parameters
    ----------
    default : bool, optional
        The field's default; without a default the field must be given.
    """
    return declare(Flag(), default)


def instance(
    types: type[Any] | tuple[type[Any], ...],
    accepted: str,
    default: Any = MISSING,
    *,
    default_factory: Any = MISSING,
) -> Any:
    """Declare a field that is an instance of a class, or of one of several classes.

    If the default is None, the field also accepts None.

    Parameters
    ----------
    types : type or tuple of types
        The class or the classes.
    accepted : str
        Words for the accepted values.  In error messages these words follow "must be".
    default : optional
        The field's default.  Without a default or a default factory, the field must be given.
    default_factory : callable, optional
        A function without arguments that returns the default.
    """
    return declare(Instance(types, accepted), default, default_factory=default_factory)


def declare(rule: Rule, default: Any = MISSING, *, default_factory: Any = MISSING) -> Any:
    """Declare a field with a rule; if its default is None, the field also accepts None.

    Parameters
    ----------
    rule : Rule
        The rule for the values of the field.
    default : optional
        The field's default.  Without a default or a default factory, the field must be given.
    default_factory : callable, optional
        A function without arguments that returns the default.
    """
    if default is None and not isinstance(rule, Optional):
        rule = Optional(rule)
    metadata = {"rule": rule}
    if default_factory is not MISSING:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def rules(cls: Any) -> dict[str, Rule]:
    """Return a dict from the names of a dataclass's fields to the rules of these fields."""
    return {
        field.name: field.metadata["rule"] for field in dataclasses.fields(cls) if "rule" in field.metadata
    }


@functools.cache
def _ignored_fields(cls: type) -> tuple[str, ...]:
    """Return the annotated names of a class that is not a dataclass itself; inherited names do not count."""
    if "__dataclass_params__" in vars(cls):
        return ()
    annotated = inspect.get_annotations(cls).items()
    return tuple(name for name, kind in annotated if "ClassVar" not in str(get_origin(kind) or kind))


@functools.cache
def _wrong_method(cls: type) -> str:
    """Return a sentence on a method with fewer arguments than the abstract method; "" if there is none."""
    for base in cls.__mro__:
        for name, declared in vars(base).items():
            own = inspect.getattr_static(cls, name)
            abstract = inspect.isfunction(declared) and getattr(declared, "__isabstractmethod__", False)
            if not abstract or own is declared or not inspect.isfunction(own):
                continue
            needed = [
                one for one in inspect.signature(declared).parameters.values() if one.default is one.empty
            ]
            by_name = {one.name: one for one in needed if one.kind is one.KEYWORD_ONLY}
            try:
                inspect.signature(own).bind(*(one for one in needed if one.name not in by_name), **by_name)
            except TypeError:
                taken, given = (", ".join(inspect.signature(one).parameters) for one in (declared, own))
                return f"The method {name} of {cls.__name__} must take ({taken}). Got ({given}) instead."
    return ""


class Checked:
    """Base class of dataclasses whose fields declare which values they accept."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Raise TypeError if the fields of a subclass would be ignored, or if a method lacks arguments.

        Fields are ignored if the subclass that declares them is not a dataclass.
        """
        this: Any = cls  # mypy does not know that a class is hashable
        ignored = _ignored_fields(this)
        if ignored:
            names = " and ".join(ignored)
            raise TypeError(
                f"{cls.__name__} declares {names}, but lacks the decorator @dataclass(frozen=True)."
            )
        if wrong := _wrong_method(this):
            raise TypeError(wrong)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Check each field by its rule; numpy scalars become Python's."""
        where = type(self).__name__
        for name, rule in rules(type(self)).items():
            value = getattr(self, name)
            checked = rule(value, name, where)
            if isinstance(value, np.generic):
                object.__setattr__(self, name, checked)
