"""Read specs, the TOML files that describe studies; `errsrc.studies` shows an example."""

from __future__ import annotations

import dataclasses
import itertools
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errsrc import records
from errsrc.studies.kinds import ALL, ROOMS
from errsrc.sweeps import Factor, Study
from errsrc.sweeps.kind import cell_name
from errsrc.sweeps.study import MAX_TRIES, check_size

MAX_BYTES = 4_000_000
"""Largest size of a spec: Python's parser of TOML takes about a second for 1 MB."""


def load(path: str | os.PathLike[str]) -> Study:
    """Return the study that a TOML file describes.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    ValueError
        If the file does not describe a study.  The message is one sentence that names the wrong key and its
        table.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} is not a study: a study has at most {MAX_BYTES / 1e6:g} MB of TOML.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text (byte {error.start}).") from None
    return parse(text, Path(path).name)


def parse(text: str, where: str = "spec") -> Study:
    """Return the study that a TOML text describes.

    Parameters
    ----------
    text : str
        The TOML text.
    where : str
        Name of the text, for error messages.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    ValueError
        If the text does not describe a study, see `load`.

    Examples
    --------
    >>> study = parse('''
    ... kind = "vision"
    ... seeds = 2
    ... cell = {dataset = "digits", family = "mlp", width = 8, validation = 397}
    ... factors = {n = [90, 180]}
    ... ''')
    >>> len(study), study[3].n, study[3].seed
    (4, 180, 1)
    >>> parse('kind = "vision"')
    Traceback (most recent call last):
        ...
    ValueError: The 'cell.dataset' parameter of spec must be given. Got <nothing> instead.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where} is not valid TOML: {error}.") from None
    except RecursionError:
        raise ValueError(f"{where} is nested too deeply.") from None
    return _Spec(where).study(document)


@dataclass(frozen=True)
class _RawFactor:
    """A factor as the spec has it.

    Attributes
    ----------
    label
        Key of the factor in the spec, such as ``factors.n``.
    fields
        Paths of the fields that vary, by their new names.
    values
        For each value of the factor a raw value for each field, or `_DEFAULT`.
    decoded
        Whether the values have the types of the fields already.
    """

    label: str
    fields: tuple[str, ...]
    values: Sequence[tuple[Any, ...]]
    decoded: bool = False


_DEFAULT = object()


class _Spec:
    """One spec, while it is read; every error names the file and the key."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.reader = records.Reader(where, ROOMS)
        self.error = self.reader.error

    def study(self, document: Mapping[str, Any]) -> Study:
        """Return the study that a TOML document describes."""
        self.reader.known(document, "", ("kind", "seeds", "cell", "factors"))
        self.kind = ALL[self._kind_name(document)]
        cell = self.reader.table(document.get("cell", {}), "cell")
        cell = self._renamed(cell, self.kind.cell, "cell", cell_name(self.kind.name))
        table = self.reader.table(document.get("factors", {}), "factors")
        factors = list(self._factors(table, cell))
        sizes = [len(factor.values) for factor in factors]
        check_size(sizes, "factors", self.where)
        if "seeds" in document:
            factors.append(self._seeds(document["seeds"], sizes))
        elif "seed" not in cell and not any("seed" in factor.fields for factor in factors):
            cell = {**cell, "seed": 0}
        first = self._first(cell, factors)
        decoded = tuple(self._decoded(factor, first) for factor in factors)
        base = self._base(cell, factors)
        try:
            return Study(self.kind, base, decoded)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.where}: {error}") from None

    def _kind_name(self, document: Mapping[str, Any]) -> str:
        named = document.get("kind")
        if isinstance(named, str):
            document = {"kind": records.current_study(named)}
        try:
            return self.reader.kind(document, "kind", tuple(ALL))
        except ValueError as error:
            if not isinstance(named, str) or "did you mean" in str(error):
                raise
            own = "A kind of your own is in a module that you name: modules='MODULE' (--kinds MODULE)."
            raise ValueError(f"{error} {own}") from None

    def _factors(
        self, table: Mapping[str, Any], cell: Mapping[str, Any], above: str = ""
    ) -> Iterator[_RawFactor]:
        """Yield the factors in a table."""
        for name, values in table.items():
            path, label = above + name, f"factors.{above}{name}"
            if isinstance(values, dict):
                yield from self._factors(values, cell, f"{path}.")
                continue
            if not isinstance(values, list) or not values:
                raise self.error(label, "a list of one value or more", values)
            found = self._field(path, cell)
            if found is not None:
                yield _RawFactor(label, (found[0],), [(value,) for value in values])
            elif not above and all(isinstance(value, dict) for value in values):
                yield self._together(values, cell, label)
            else:
                raise self._unknown_field(path, "factors")

    def _together(self, tables: Sequence[dict[str, Any]], cell: Mapping[str, Any], label: str) -> _RawFactor:
        """Return the factor of several fields that vary together, a table for each value."""
        rows = [dict(self._values(table, {**cell, **table}, "", label)) for table in tables]
        fields = tuple(dict.fromkeys(field for row in rows for field in row))
        if not fields:
            raise self.error(label, "tables of fields", tables)
        return _RawFactor(label, fields, [tuple(row.get(f, _DEFAULT) for f in fields) for row in rows])

    def _values(
        self, table: Mapping[str, Any], cell: Mapping[str, Any], above: str, label: str
    ) -> Iterator[tuple[str, Any]]:
        """Yield (path, raw value) of each field that a table gives."""
        for name, value in table.items():
            found = self._field(above + name, cell)
            if found is None:
                raise self._unknown_field(above + name, label)
            path, hint = found
            if isinstance(value, dict) and dataclasses.is_dataclass(hint) and hint not in ROOMS:
                yield from self._values(value, cell, f"{path}.", label)
            else:
                yield path, value

    def _unknown_field(self, path: str, label: str) -> ValueError:
        """Return the error of a path that leads to no field."""
        names = [field.name for field in dataclasses.fields(self.kind.cell)]
        return self.reader.unknown_key(path, f"{label}.", names)

    def _seeds(self, value: Any, sizes: Sequence[int]) -> _RawFactor:
        """Return the factor of the seeds; `sizes` has the number of values of each other factor."""
        is_count = type(value) is int and value >= 1
        if not is_count and not (isinstance(value, list) and value):
            raise self.error("seeds", "a count of 1 or more, or a list of one seed or more", value)
        seeds = range(value) if is_count else value
        check_size([*sizes, value if is_count else len(value)], "seeds", self.where)
        return _RawFactor("seeds", ("seed",), [(seed,) for seed in seeds], is_count)

    # The base of a study is its first combination of factor values that the class of the cells accepts.

    def _base(self, cell: Mapping[str, Any], factors: Sequence[_RawFactor]) -> Any:
        """Return the first cell that its class accepts; without one, raise the error about the first cell."""
        choices = itertools.product(*(range(1 if f.label == "seeds" else len(f.values)) for f in factors))
        refused = None
        for choice in itertools.islice(choices, MAX_TRIES):
            table = self._first(cell, factors, choice)
            try:
                return self.reader.build(table, self.kind.cell, "cell", cell_name(self.kind.name))
            except ValueError as error:
                refused = refused or error
        raise refused or ValueError(f"{self.where} has no cells.")

    def _first(
        self, cell: Mapping[str, Any], factors: Sequence[_RawFactor], choice: Sequence[int] | None = None
    ) -> dict[str, Any]:
        """Return the raw table of one cell; raise ValueError for factors of the same fields.

        The cell has the value of each factor at the index in `choice`, by default the first.
        """
        first = dict(cell)
        taken: dict[str, str] = {}
        for factor, index in zip(factors, choice or [0] * len(factors), strict=True):
            for field, value in zip(factor.fields, factor.values[index], strict=True):
                other = next((one for one in taken if _overlap(one, field)), None)
                if other is not None:
                    accepted = f"about other fields than {taken[other]!r}"
                    raise self.error(factor.label, accepted, f"<{field!r} in both>")
                if value is not _DEFAULT:
                    first = self._with(first, field.split("."), value, factor.label)
            taken.update(dict.fromkeys(factor.fields, factor.label))
        return first

    def _with(self, table: Mapping[str, Any], path: Sequence[str], value: Any, label: str) -> dict[str, Any]:
        """Return a copy of a table with a value added at a path; raise an error if the path has a value."""
        inner = table.get(path[0])
        if len(path) == 1 and path[0] not in table:
            return {**table, path[0]: value}
        if len(path) == 1 or not isinstance(inner, (dict, type(None))):
            raise self.error(label, "about fields that [cell] does not give", f"<{path[0]!r} in both>")
        return {**table, path[0]: self._with(inner or {}, path[1:], value, label)}

    def _decoded(self, raw: _RawFactor, first: Mapping[str, Any]) -> Factor:
        """Return a factor with its values as the declared types of its fields."""
        if raw.decoded:
            return Factor(raw.fields, tuple(raw.values))
        hints = [self._type(field, first) for field in raw.fields]
        return Factor(
            raw.fields,
            tuple(
                tuple(
                    self._default(field, first, raw.label)
                    if value is _DEFAULT
                    else self.reader.decode(value, hint, raw.label)
                    for value, hint, field in zip(row, hints, raw.fields, strict=True)
                )
                for row in raw.values
            ),
        )

    def _default(self, path: str, first: Mapping[str, Any], label: str) -> Any:
        """Return the default of a field that some tables of a factor give and others do not."""
        above, _, name = path.rpartition(".")
        owner: Any = self._type(above, first) if above else self.kind.cell
        (field,) = (one for one in dataclasses.fields(owner) if one.name == name)
        default = records.default_of(field)
        if default is records.NO_DEFAULT:
            raise self.error(label, f"tables that all give {path!r}, which has no default", "<others>")
        return default

    # Which field is at a path depends on the kinds that the cell's table names.

    def _type(self, path: str, cell: Mapping[str, Any]) -> Any:
        """Return the declared type of the field at a path, or None where there is none."""
        found = self._field(path, cell)
        return None if found is None else found[1]

    def _field(self, path: str, cell: Mapping[str, Any]) -> tuple[str, Any] | None:
        """Return the path of a field by new names and its declared type, or None where there is no field."""
        hint: Any = self.kind.cell
        table: Any = cell
        owner, names = cell_name(self.kind.name), []
        for part in path.split("."):
            cls = _class_of(hint, table)
            name = "" if cls is None else records.current_field(owner or records.name(cls), part)
            if cls is None or name not in records.types_of(cls):
                return None
            names.append(name)
            hint, owner = records.types_of(cls)[name], ""
            table = table.get(name) if isinstance(table, dict) else None
        return ".".join(names), hint

    def _renamed(self, table: Mapping[str, Any], cls: Any, path: str, owner: str = "") -> dict[str, Any]:
        """Return a table, and all tables in it, with new names of fields for old ones."""
        out = self.reader.renamed(table, owner or records.name(cls), f"{path}.")
        for name, value in out.items():
            inner = _class_of(records.types_of(cls).get(name), value) if isinstance(value, dict) else None
            if inner is not None:
                out[name] = self._renamed(value, inner, f"{path}.{name}")
        return out


def _class_of(hint: Any, table: Any) -> Any:
    """Return the class of the records that a field of this type has, or None where these are no records."""
    if hint in ROOMS:
        kind = table.get("kind") if isinstance(table, dict) else None
        return ROOMS[hint].get(records.current_kind(str(kind)))
    return hint if dataclasses.is_dataclass(hint) else None


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
