"""Make records from nested tables, such as the tables of TOML and JSON files."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from errsrc import checks
from errsrc.records.names import NO_DEFAULT, default_of, name, types_of
from errsrc.records.old_names import current_field, current_kind

Rooms = Mapping[Any, Mapping[str, type]]
"""The classes that a table can name by its ``kind``, for each abstract class as the type of a field."""

_SCALARS = {int: "an integer", float: "a number", str: "a string", bool: "true or false"}


def build(record_class: Any, table: Any, where: str, path: str = "", rooms: Rooms | None = None) -> Any:
    """Make a record (a dataclass of plain values) from a nested table, such as a TOML or JSON table.

    A value is converted to the type of its field only if nothing is lost.  Old names of fields and classes
    are accepted.

    Parameters
    ----------
    record_class : type
        The class of the record.
    table : dict
        The keys are names of fields.  A list stands for a tuple, and a table for a record.
    where : str
        Name of the file, for error messages.
    path : str
        Dotted path of the table in the file, such as "cell.recipe", for error messages.
    rooms : mapping of types to {kind: class}
        The keys are abstract classes that are the declared type of a field.  Each value is a dict from the
        accepted ``kind`` names to classes.

    Returns
    -------
    record
        The record.

    Raises
    ------
    ValueError
        If a field is unknown or missing, if a value has another type, or if the class does not accept a
        value.

    Examples
    --------
    >>> Recipe = dataclasses.make_dataclass("Recipe", [("rate", float), ("batch", int, 128)])
    >>> build(Recipe, {"rate": 1}, "grid.toml")
    Recipe(rate=1.0, batch=128)
    >>> build(Recipe, {"rate": 1, "batch": "many"}, "grid.toml", "recipe")
    Traceback (most recent call last):
        ...
    ValueError: The 'recipe.batch' parameter of grid.toml must be an integer. Got 'many' instead.
    """
    return Reader(where, rooms or {}).build(table, record_class, path)


@dataclasses.dataclass(frozen=True)
class Reader:
    """Makes records (dataclasses) from the tables of one file; error messages name the file and the key.

    Attributes
    ----------
    where
        Name of the file, for error messages.
    rooms
        The keys are abstract classes that are the declared type of a field.  Each value is a dict from the
        accepted ``kind`` names to classes.
    """

    where: str
    rooms: Rooms

    def build(self, value: Any, record_class: Any, path: str = "", owner: str | None = None) -> Any:
        """Make a record (a dataclass) from a table, see `errsrc.records.build`.

        Parameters
        ----------
        value
            The table.
        record_class : type
            The class of the record.
        path : str
            Dotted path of the table in the file, such as "cell.recipe"; empty for the whole file.
        owner : str, optional
            Name that the table of old names uses for the class; by default the `name` of the class.

        Returns
        -------
        record
            The record.

        Raises
        ------
        ValueError
            If the value is not a table, if a field is unknown or missing, or if the class does not accept a
            value.
        """
        above = f"{path}." if path else ""
        table = self.renamed(self.table(value, path), owner or name(record_class), above)
        hints = types_of(record_class)
        self.known(table, above, tuple(field.name for field in dataclasses.fields(record_class)))
        values = {field: self.decode(v, hints[field], f"{above}{field}") for field, v in table.items()}
        for field in dataclasses.fields(record_class):
            if field.init and field.name not in values and default_of(field) is NO_DEFAULT:
                raise self.error(f"{above}{field.name}", "given", "<nothing>")
        try:
            return record_class(**values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.where}{path and f', {path}'}: {error}") from None

    def decode(self, value: Any, hint: Any, path: str) -> Any:
        """Convert a value to the declared type of its field, if nothing is lost.

        Parameters
        ----------
        value
            The value, as parsed from TOML or JSON.
        hint
            The declared type.
        path : str
            Dotted path of the value in the file, such as "cell.n".

        Returns
        -------
        object
            The value with the declared type.

        Raises
        ------
        ValueError
            If the value has another type.
        """
        if hint in self.rooms:
            return self._of_room(value, self.rooms[hint], path)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            named = isinstance(value, dict) and "kind" in value and "kind" not in types_of(hint)
            return self._of_room(value, {name(hint): hint}, path) if named else self.build(value, hint, path)
        inner = typing.get_args(hint)
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            return self._of_union(value, [one for one in inner if one is not types.NoneType], path)
        if origin is typing.Literal:
            if value not in inner or type(value) not in {type(one) for one in inner}:
                raise self.error(path, "one of " + ", ".join(map(repr, inner)), value)
            return value
        if origin is tuple:
            return self._tuple(value, inner, path)
        if hint is float and type(value) is int and int(float(value)) == value:
            return float(value)
        if hint not in _SCALARS:
            accepted = "left out: no file can hold its type"
            refusal = self.error(path, accepted, f"<{getattr(hint, '__name__', hint)}>")
            raise ValueError(f"{refusal} Declare a number, a string, a boolean or a tuple[...] of these.")
        if type(value) is not hint:
            raise self.error(path, _SCALARS[hint], value)
        return value

    def _of_room(self, value: Any, classes: Mapping[str, type], path: str) -> Any:
        """Return a table that names its class as a record of that class."""
        table = self.table(value, path)
        cls = classes[self.kind(table, f"{path}.kind", tuple(classes))]
        return self.build({field: inner for field, inner in table.items() if field != "kind"}, cls, path)

    def _of_union(self, value: Any, hints: Sequence[Any], path: str) -> Any:
        """Return a value as the first of several types that accepts it."""
        for hint in hints[:-1]:
            try:
                return self.decode(value, hint, path)
            except (TypeError, ValueError):
                continue
        return self.decode(value, hints[-1], path)

    def _tuple(self, value: Any, inner: tuple[Any, ...], path: str) -> tuple[Any, ...]:
        """Return a list as a tuple of its declared types."""
        variable = ... in inner
        if not isinstance(value, list) or (not variable and len(value) != len(inner)):
            raise self.error(path, "a list" if variable else f"a list of {len(inner)} values", value)
        hints = inner[:1] * len(value) if variable else inner
        pairs = enumerate(zip(value, hints, strict=True))
        return tuple(self.decode(one, hint, f"{path}[{i}]") for i, (one, hint) in pairs)

    def renamed(self, table: Mapping[str, Any], owner: str, above: str = "") -> dict[str, Any]:
        """Return a table in which old names of fields are replaced by the new names.

        Parameters
        ----------
        table : dict
            The table of a record.
        owner : str
            Name that the table of old names uses for the record's class.
        above : str
            Dotted path of the table, with a dot at the end, such as "cell."; empty for the whole file.

        Returns
        -------
        dict
            The table with new names.

        Raises
        ------
        ValueError
            If the table has both the old and the new name of a field.
        """
        out: dict[str, Any] = {}
        for field, value in table.items():
            new = current_field(owner, field)
            if new in out or (new != field and new in table):
                raise self.error(f"{above}{new}", f"given once: {field!r} is its old name", "<both>")
            out[new] = value
        return out

    def kind(self, table: Mapping[str, Any], path: str, options: Sequence[str]) -> str:
        """Return the ``kind`` (the name of a class) in a table; an old name is replaced by the new name.

        Parameters
        ----------
        table : dict
            The table.
        path : str
            Dotted path of the ``kind`` in the file, such as "cell.setting.kind".
        options : sequence of str
            The kinds that are accepted.

        Returns
        -------
        str
            One of the options.

        Raises
        ------
        ValueError
            If the table names none of the options.
        """
        named = table.get("kind", "<nothing>")
        if not isinstance(named, str) or "kind" not in table:
            raise self.error(path, "one of " + ", ".join(map(repr, options)), named)
        return checks.Choice(tuple(options))(current_kind(named), path, self.where)

    def table(self, value: Any, path: str) -> dict[str, Any]:
        """Return a value if it is a table, and raise ValueError otherwise.

        Parameters
        ----------
        value
            The value.
        path : str
            Dotted path of the value in the file, such as "cell.recipe".

        Returns
        -------
        dict
            The value.

        Raises
        ------
        ValueError
            If the value is not a table.
        """
        if not isinstance(value, dict):
            raise self.error(path, "a table", value)
        return dict(value)

    def known(self, table: Mapping[str, Any], above: str, names: Sequence[str]) -> None:
        """Raise ValueError if a table has a key that is not accepted.

        Parameters
        ----------
        table : dict
            The table.
        above : str
            Dotted path of the table, with a dot at the end, such as "cell."; empty for the whole file.
        names : sequence of str
            The keys that are accepted.

        Raises
        ------
        ValueError
            If the table has another key.
        """
        for key in table:
            if key not in names:
                raise self.unknown_key(key, above, names)

    def unknown_key(self, key: str, above: str, names: Sequence[str]) -> ValueError:
        """Return the error about an unknown key.

        Parameters
        ----------
        key : str
            The key.
        above : str
            Dotted path of the key's table, with a dot at the end, such as "cell."; empty for the whole file.
        names : sequence of str
            The keys that are accepted.

        Returns
        -------
        ValueError
            The error.  Its message suggests the most similar accepted key.
        """
        there = f"in [{above.rstrip('.')}]" if above else "at the top"
        near = checks.nearest(key, names)
        known = ", ".join(names)
        return ValueError(f"{self.where} has an unknown key {key!r} {there}{near}; known are {known}.")

    def error(self, path: str, accepted: str, got: Any) -> ValueError:
        """Return the error about a value that is not accepted, see `errsrc.checks.refusal`.

        Parameters
        ----------
        path : str
            Dotted path of the value in the file, such as "cell.n".
        accepted : str
            Words for the accepted values, such as "an integer >= 1".
        got
            The value, or a text in angle brackets that describes the value, such as "<nothing>".

        Returns
        -------
        ValueError
            The error.
        """
        return ValueError(checks.refusal(path, self.where, accepted, got))
