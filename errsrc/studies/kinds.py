"""Kinds of cells, and classes of nested records, by name.

A kind or class is imported when the file of a study names it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from errsrc import records
from errsrc.sweeps import Kind

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
    ("errsrc.nets", "Network"): (("errsrc.nets", "ALL"),),
}
"""For each abstract class: a dict of its classes by name, and single classes of other packages."""


class Kinds(MutableMapping[str, Kind]):
    """A dict of kinds of cells, by name.

    A program can add its own kinds: ``studies.ALL["coin"] = Kind("coin", ...)``.
    """

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._kinds: dict[str, Kind | Place] = dict(places)

    def __getitem__(self, name: str) -> Kind:
        found = self._kinds[name]
        if isinstance(found, tuple):
            found = self._kinds[name] = _imported(found)
        return found

    def __setitem__(self, name: str, kind: Kind) -> None:
        self._kinds[name] = kind

    def __delitem__(self, name: str) -> None:
        del self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


class Rooms(Mapping[Any, Mapping[str, type]]):
    """The classes that a study's file can name for a field of an abstract class, such as `Setting`.

    The keys are the abstract classes.  The values are dicts of classes, by their names in files.
    """

    def __getitem__(self, hint: Any) -> Mapping[str, type]:
        for base, places in _ROOMS.items():
            if getattr(hint, "__name__", None) == base[1] and hint is _imported(base):
                return _classes(places)
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


def _imported(place: Place) -> Any:
    module, name = place
    return getattr(importlib.import_module(module), name)


ALL = Kinds(_KINDS)
"""Kinds of cells, by their names in specs."""

ROOMS = Rooms()
"""The classes that a study's file can name by a ``kind``, for each abstract class as the type of a field."""
