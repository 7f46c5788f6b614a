"""Kinds of cells, and classes of nested records, by name.

A kind or class is imported when the file of a study names it.

Kinds and classes of your own are in modules that a command or a function call names, see `import_own`.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from types import ModuleType
from typing import Any

from errsrc import checks, records
from errsrc.records import own_modules
from errsrc.sweeps import Kind, Study

Place = tuple[str, str]
"""Where an object is defined: its module and its name there."""

_KINDS: dict[str, Place] = {
    "vision": ("errsrc.tasks.vision", "VISION"),
    "recovery": ("errsrc.studies.recovery", "KIND"),
    "budget": ("errsrc.studies.budgets", "KIND"),
    "threshold": ("errsrc.studies.conjectures", "THRESHOLD"),
    "search": ("errsrc.studies.conjectures", "SEARCH"),
    "example": ("errsrc.studies.conjectures", "EXAMPLE"),
    "pruning": ("errsrc.tasks.pruning", "PRUNING"),
    "language": ("errsrc.tasks.language", "LANGUAGE"),
}

_ROOMS: dict[Place, tuple[Place, ...]] = {
    ("errsrc.laws", "Law"): (("errsrc.laws", "ALL"),),
    ("errsrc.settings", "Setting"): (("errsrc.settings", "ALL"),),
    ("errsrc.bases", "Basis"): (("errsrc.bases", "ALL"), ("errsrc.settings", "ImageBasis")),
    ("errsrc.settings", "Nodes"): (("errsrc.settings.nodes", "ALL"),),
    ("errsrc.settings.channels", "Channel"): (("errsrc.settings.channels", "ALL"),),
    ("errsrc.learners", "Learner"): (("errsrc.learners", "ALL"),),
    ("errsrc.nets", "Network"): (("errsrc.nets", "ALL"), ("errsrc.nets", "ModuleNetwork")),
}
"""For each abstract class: a dict of its classes by name, and single classes of other packages."""


class Kinds(MutableMapping[str, Kind]):
    """A dict of kinds of cells, by name.

    A program can add its own kinds: ``studies.ALL["coin"] = Kind("coin", ...)``.  `import_own` adds the kinds
    of a module.
    """

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._kinds: dict[str, Kind | Place] = dict(places)
        self._modules: dict[str, str] = {}  # the user's module that defines a kind

    def __getitem__(self, name: str) -> Kind:
        found = self._kinds[name]
        if isinstance(found, tuple):
            found = self._kinds[name] = _imported(found)
        return found

    def __setitem__(self, name: str, kind: Kind) -> None:
        self._kinds[name] = kind
        self._modules.pop(name, None)

    def __delitem__(self, name: str) -> None:
        del self._kinds[name]
        self._modules.pop(name, None)

    def add_module(self, module: ModuleType) -> list[Kind]:
        """Add the kinds that a module of the user defines, and return them.

        Parameters
        ----------
        module : module
            The module.

        Raises
        ------
        ValueError
            If the name of a kind is taken, or if other processes cannot import its function or its cells.
        """
        found = {id(value): value for value in vars(module).values() if isinstance(value, Kind)}
        names = [kind.name for kind in found.values()]
        for kind in found.values():
            is_taken = kind.name in self and self._modules.get(kind.name) != module.__name__
            if is_taken and self[kind.name] is kind:  # the module has imported the kind of another module
                continue
            if is_taken or names.count(kind.name) > 1:
                accepted = "another name, because there is a kind of this name"
                raise ValueError(checks.refusal("name", f"a Kind in {module.__name__}", accepted, kind.name))
            _check_importable(kind, module.__name__)
            self[kind.name] = kind
            self._modules[kind.name] = module.__name__
        return list(found.values())

    def module_of(self, name: str) -> str | None:
        """Return the name of the user's module that defines a kind; None for other kinds.

        Parameters
        ----------
        name : str
            Name of the kind.
        """
        return self._modules.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


class Rooms(Mapping[Any, Mapping[str, type]]):
    """A dict of the classes that a study's file can name, for each abstract class such as `Setting`.

    The keys are the abstract classes.  The values are dicts of classes, by their names in files.
    """

    def __getitem__(self, hint: Any) -> Mapping[str, type]:
        for base, places in _ROOMS.items():
            if getattr(hint, "__name__", None) == base[1] and hint is _imported(base):
                return _with_own(_classes(places), hint)
        raise KeyError(hint)

    def __iter__(self) -> Iterator[Any]:
        return map(_imported, _ROOMS)

    def __len__(self) -> int:
        return len(_ROOMS)


def _classes(places: tuple[Place, ...]) -> dict[str, type]:
    """Return the classes at some places by their names in specs."""
    classes: dict[str, type] = {}
    for found in map(_imported, places):
        classes |= {records.name(found): found} if isinstance(found, type) else found
    return classes


def _with_own(classes: dict[str, type], base: type) -> dict[str, type]:
    """Return classes by name, and the subclasses of `base` that modules of the user define."""
    for module in own_modules.imported_modules().values():
        own = (one for one in vars(module).values() if isinstance(one, type))
        for found in (one for one in own if one.__module__ == module.__name__):
            is_record = issubclass(found, base) and "__dataclass_fields__" in vars(found)
            if not is_record or inspect.isabstract(found):
                continue
            name = records.name(found)
            if classes.setdefault(name, found) is not found:
                raise ValueError(
                    f"The class {found.__name__} of the module {module.__name__!r} needs another name: specs "
                    f"use {name!r} for a class of {classes[name].__module__}."
                )
    return classes


def import_own(modules: str | Iterable[str] = (), kinds: str | Iterable[str] = ()) -> None:
    """Import modules of the user, so that studies can name the kinds and classes that they define.

    A study names a kind by the kind's ``name``.  A study names a setting, learner, basis, network or law of
    the user's own by the name of its class, in lower case with hyphens.

    Parameters
    ----------
    modules : str or iterable of str
        Names of modules, such as "mylab.settings".
    kinds : str or iterable of str
        Names of modules that define kinds of studies.

    Raises
    ------
    ValueError
        If a module is not found or cannot be imported, if a module of `kinds` defines no kind, or if the name
        of a kind is taken.

    Examples
    --------
    >>> import_own("mylab.experiments")
    Traceback (most recent call last):
        ...
    ValueError: There is no module 'mylab.experiments' in ... or among the installed packages: ...
    """
    for module in own_modules.import_modules(modules, "modules"):
        ALL.add_module(module)
    for module in own_modules.import_modules(kinds, "kinds"):
        if not ALL.add_module(module):
            raise ValueError(
                f"The module {module.__name__!r} ({module.__file__}) defines no kind of study: assign "
                'errsrc.sweeps.Kind("NAME", Cell, compute) to a name of the module.'
            )


def own_modules_of(study: Study) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the user's modules that a study needs.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    kinds : tuple of str
        The module that defines the study's kind, if it is the user's own.
    modules : tuple of str
        All other modules of the user that define classes in the cells, or are named in the cells.
    """
    kind = ALL.module_of(study.kind.name)
    factors = [factor for factor in study.factors if factor.fields != ("seed",)]  # there may be many seeds
    parts = [study.base, *(part for factor in factors for value in factor.values for part in value)]
    texts = list(map(repr, parts))
    used = {type(one).__module__ for part in parts for one in _nested(part)}
    named = [
        name
        for name in own_modules.imported_modules()
        if name != kind and (name in used or any(f"'{name}:" in text for text in texts))
    ]
    return (kind,) if kind else (), tuple(named)


def _nested(record: Any) -> Iterator[Any]:
    """Yield a record and all records in its fields; nothing for other values."""
    if isinstance(record, tuple):
        for part in record:
            yield from _nested(part)
    elif records.is_record(record):
        yield record
        for field in dataclasses.fields(record):
            yield from _nested(getattr(record, field.name))


def _check_importable(kind: Kind, module: str) -> None:
    """Raise ValueError for a kind whose function or cells other processes cannot import."""
    for name in ("compute", "cell"):
        try:
            pickle.dumps(getattr(kind, name))
        except Exception as error:
            accepted = (
                "defined at the top level of a module, by 'def' or 'class', for other processes import it"
            )
            message = checks.refusal(
                name, f"the Kind {kind.name!r} in {module}", accepted, getattr(kind, name)
            )
            raise ValueError(message) from error


def _imported(place: Place) -> Any:
    module, name = place
    return getattr(importlib.import_module(module), name)


ALL = Kinds(_KINDS)
"""Kinds of cells, by their names in specs."""

ROOMS = Rooms()
"""The classes that a study's file can name by a ``kind``, for each abstract class as the type of a field."""
