"""Studies: grids of cells as frozen objects, with a fast computation of the keys of all cells."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import hashlib
import itertools
import json
import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from errsrc import checks, records
from errsrc.records import Leaves, encode, line
from errsrc.sweeps.kind import Kind

MAX_SEED = 2**63 - 1
"""Largest seed of a cell."""

MAX_CELLS = 1_000_000
"""Largest number of cells of a study: a driver needs about 1 kB of memory for each."""

MAX_TRIES = 1000
"""Number of combinations in which a value may be tried before it is refused."""

_SEED = checks.Integer(0, MAX_SEED)


@dataclass(frozen=True)
class Factor:
    """One field of the cells that varies over a grid, or several fields that vary together.

    Attributes
    ----------
    fields
        Dotted paths of the fields, such as ``("n",)`` or ``("width", "recipe.learning_rate")``.
    values
        Combinations of values of these fields.  Each combination is a tuple as long as ``fields``.

    Examples
    --------
    >>> Factor.of("n", (500, 1000))
    Factor(fields=('n',), values=((500,), (1000,)))
    """

    fields: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        name = ", ".join(self.fields)
        if not self.values or not self.fields:
            raise ValueError(
                checks.refusal("values", f"the factor {name!r}", "one value or more", self.values)
            )
        for value in self.values:
            if not isinstance(value, tuple) or len(value) != len(self.fields):
                accepted = f"tuples of {len(self.fields)} values, one per field"
                raise ValueError(checks.refusal("values", f"the factor {name!r}", accepted, value))

    @classmethod
    def of(cls, field: str, values: Iterable[Any]) -> Factor:
        """Return the factor of one field.

        Parameters
        ----------
        field : str
            Dotted path of the field.
        values : iterable
            The values of the field.

        Returns
        -------
        Factor
            The factor.
        """
        return cls((field,), tuple((value,) for value in values))


@dataclass(frozen=True)
class Study(Sequence[Any]):
    """A grid of cells: all combinations of the values of its factors.  The last factor varies fastest.

    A study is a sequence of cells.  A cell is built only when the study is indexed.

    Attributes
    ----------
    kind
        The kind of the cells.
    base
        A cell with the values of all fields that do not vary.
    factors
        The fields that vary, with their values.  No field may be in two factors.

    Raises
    ------
    TypeError, ValueError
        If the base has another class, if a field is unknown or in two factors, if a value is listed twice, if
        the class of the cells rejects a value in every combination with other values, or if there are more
        than `MAX_CELLS` cells.  If the class rejects only some combinations of values, the error is raised
        when such a cell is indexed; `errsrc.sweeps.run` computes the other cells.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Cell:
    ...     n: int
    ...     seed: int = 0
    >>> kind = Kind("example", Cell, compute=lambda cells: [{"error": 1 / cell.n} for cell in cells])
    >>> study = Study(kind, Cell(n=1), (Factor.of("n", (10, 20)), Factor.of("seed", range(3))))
    >>> len(study), study[4]
    (6, Cell(n=20, seed=1))
    """

    kind: Kind
    base: Any
    factors: tuple[Factor, ...] = ()

    def __post_init__(self) -> None:
        check_size([len(factor.values) for factor in self.factors], "factors", "Study")
        if type(self.base) is not self.kind.cell:
            raise TypeError(checks.refusal("base", "Study", f"a {self.kind.cell.__name__}", self.base))
        fields = [field for factor in self.factors for field in factor.fields]
        for field, other in itertools.permutations(fields, 2):
            if field == other or field.startswith(other + "."):
                accepted, got = "factors of different fields", f"<{field!r} twice>"
                raise ValueError(checks.refusal("factors", "Study", accepted, got))
        for seed in self._seeds():
            # There may be millions of seeds, for which a rule of `errsrc.checks` would be slower.
            if type(seed) is not int or not 0 <= seed <= MAX_SEED:
                _SEED(seed, "seed", self.kind.cell.__name__)
        for factor, alternatives in zip(self.factors, self._alternatives, strict=True):
            _check_different(factor, ["".join(lines.values()) for lines, _ in alternatives])

    def _seeds(self) -> Iterator[Any]:
        yield self.base.seed
        for factor in self.factors:
            if "seed" in factor.fields:
                place = factor.fields.index("seed")
                yield from (value[place] for value in factor.values)

    @classmethod
    def of(cls, kind: Kind, cells: Sequence[Any]) -> Study:
        """Return the study of given cells, in their order.

        Parameters
        ----------
        kind : Kind
            The kind of the cells.
        cells : sequence of cells
            One cell or more.

        Returns
        -------
        Study
            A study with a single factor.

        Raises
        ------
        ValueError
            If `cells` is empty.
        """
        if len(cells) == 0:
            raise ValueError(checks.refusal("cells", "Study.of", "one cell or more", cells))
        fields = tuple(field.name for field in dataclasses.fields(kind.cell))
        values = tuple(tuple(getattr(cell, name) for name in fields) for cell in cells)
        return cls(kind, cells[0], (Factor(fields, values),))

    def __len__(self) -> int:
        return math.prod(len(factor.values) for factor in self.factors)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        chosen = []
        for factor in reversed(self.factors):
            place, here = divmod(place, len(factor.values))
            chosen.append((factor, factor.values[here]))
        return self._cell(reversed(chosen))

    def __iter__(self) -> Iterator[Any]:
        for combination in itertools.product(*(factor.values for factor in self.factors)):
            yield self._cell(zip(self.factors, combination, strict=True))

    def _cell(self, chosen: Iterable[tuple[Factor, tuple[Any, ...]]]) -> Any:
        changes: dict[str, Any] = {}
        for factor, value in chosen:
            changes.update(zip(factor.fields, value, strict=True))
        return _replaced(self.base, changes)

    def cell_keys(self) -> list[str]:
        """Return the keys of all cells, in their order.  A key identifies the row of a cell in a store.

        The keys are computed without building the cells, in about 2 microseconds for each key.

        Returns
        -------
        list of str
            ``kind.key(cell)`` of each cell.
        """
        return self._keys

    @functools.cached_property
    def _keys(self) -> list[str]:
        given, _ = self._constant
        slots = {  # by path: the leaf's line in the key's text, or a placeholder if the leaf varies
            path: line((path, value)).replace("{", "{{").replace("}", "}}") for path, value in given.items()
        }
        columns: list[list[Any]] = []
        for place, alternatives in enumerate(self._alternatives):
            paths = sorted({path for lines, _ in alternatives for path in lines})
            if len(paths) == 1:
                columns.append([lines.get(paths[0], "") for lines, _ in alternatives])
                slots[paths[0]] = f"{{{place}}}"
            else:
                columns.append([tuple(lines.get(path, "") for path in paths) for lines, _ in alternatives])
                slots.update({path: f"{{{place}[{j}]}}" for j, path in enumerate(paths)})
        text = (self.kind.head + "".join(slots[path] for path in sorted(slots))).format
        sha256 = hashlib.sha256  # `errsrc.records.digest`, inlined, which saves a third of the time
        return [sha256(text(*parts).encode()).hexdigest()[:32] for parts in itertools.product(*columns)]

    def resolved(self) -> list[Leaves]:
        """Return the default values of the cells' fields, without repetitions.

        Cells of one study can have different defaults, because the objects in their fields have defaults of
        their own.

        Returns
        -------
        list of dict
            The different dicts of defaults of the cells, with the field names that stores use (see
            `Kind.flatten`).
        """
        _, constant = self._constant
        different = []
        for alternatives in self._alternatives:
            objects = {id(defaults): defaults for _, defaults in alternatives}  # seeds share one table
            different.append(list({encode(defaults): defaults for defaults in objects.values()}.values()))
        return [dict(collections.ChainMap(*parts, constant)) for parts in itertools.product(*different)]

    @functools.cached_property
    def _constant(self) -> tuple[Leaves, Leaves]:
        """The leaves that do not vary: the values that are not defaults, and all defaults, by stored path."""
        fields = [field for factor in self.factors for field in factor.fields]
        return self._flat(self.base, lambda path: not _within(path, fields))

    @functools.cached_property
    def _alternatives(self) -> list[list[tuple[dict[str, str], Leaves]]]:
        """For each value of each factor, the leaves under the factor's fields, by stored path.

        Each entry has the lines of the leaves that are not defaults, and a table of all defaults.
        """
        return [self._of_seeds(f) if f.fields == ("seed",) else self._of_factor(f) for f in self.factors]

    def _of_factor(self, factor: Factor) -> list[tuple[dict[str, str], Leaves]]:
        tops = {field.partition(".")[0] for field in factor.fields}
        out = []
        for value in factor.values:
            cell = self._accepted_cell(factor, value)
            given, defaults = self._flat(cell, lambda path: _within(path, factor.fields), tops)
            out.append(({path: line((path, leaf)) for path, leaf in given.items()}, defaults))
        return out

    def _accepted_cell(self, factor: Factor, value: tuple[Any, ...]) -> Any:
        """Return a cell with this value of a factor; raise the class's error if it accepts no such cell.

        The class may reject the value in the base, and accept it next to other values of the other factors.
        """
        try:
            return self._cell([(factor, value)])
        except (TypeError, ValueError) as error:
            others = [other for other in self.factors if other is not factor and other.fields != ("seed",)]
            combinations = itertools.product(*(other.values for other in others))
            for combination in itertools.islice(combinations, MAX_TRIES):
                with contextlib.suppress(TypeError, ValueError):
                    return self._cell([*zip(others, combination, strict=True), (factor, value)])
            raise error from None

    def given(self, index: int) -> Leaves:
        """Return the values of a cell that differ from their defaults, even if its class rejects the cell.

        Parameters
        ----------
        index : int
            The index of the cell.

        Returns
        -------
        dict
            The values; the keys are dotted paths, with the field names that stores use, see `Kind.flatten`.
        """
        place, lines = range(len(self))[index], {}
        for factor, alternatives in zip(reversed(self.factors), reversed(self._alternatives), strict=True):
            place, here = divmod(place, len(factor.values))
            lines.update(alternatives[here][0])
        varied = {path: json.loads(text.partition(" = ")[2]) for path, text in lines.items()}
        return dict(sorted((self._constant[0] | varied).items()))

    def _of_seeds(self, factor: Factor) -> list[tuple[dict[str, str], Leaves]]:
        """Return the same as `_of_factor`, without building a cell for each of a million seeds."""
        _, defaults = self._flat(self.base, lambda path: True, {"seed"})
        (path,) = self.kind.stored({"seed": 0}, {})
        default = defaults.get(path)
        seeds = (int(seed) for (seed,) in factor.values)
        return [({} if seed == default else {path: f"{path} = {seed}\n"}, defaults) for seed in seeds]

    def _flat(
        self, cell: Any, chosen: Callable[[str], bool], fields: Container[str] | None = None
    ) -> tuple[Leaves, Leaves]:
        """Return the chosen leaves of a cell as two tables by stored path, see `Kind.flatten`."""
        given, defaults = records.flatten(cell, fields)
        kinds = defaults | given
        given, defaults = ({p: v for p, v in part.items() if chosen(p)} for part in (given, defaults))
        return self.kind.stored(given, kinds), self.kind.stored(defaults, kinds)


def check_size(sizes: Sequence[int], name: str, where: str) -> None:
    """Raise ValueError if a grid has more than `MAX_CELLS` cells.

    Parameters
    ----------
    sizes : sequence of int
        Number of values of each factor.
    name, where : str
        For the error message: the name of the parameter that holds the factors, and the class or file that it
        belongs to.

    Raises
    ------
    ValueError
        If the grid is too large; the message states its number of cells.
    """
    count = math.prod(sizes)
    if count > MAX_CELLS:
        got = (
            f"<{_readable(count)} cells{' = ' + ' x '.join(map(_readable, sizes)) if len(sizes) > 1 else ''}>"
        )
        refusal = checks.refusal(name, where, f"small enough for a grid of at most {MAX_CELLS:,} cells", got)
        raise ValueError(f"{refusal} Use fewer values or seeds, or several studies.")


def _readable(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"more than 10^{len(str(count)) - 1}"


def _check_different(factor: Factor, texts: Sequence[str]) -> None:
    """Raise ValueError for a value of a factor that is listed twice, given the configurations as text."""
    seen = set()
    for value, text in zip(factor.values, texts, strict=True):
        if text in seen:
            where = f"the factor {', '.join(factor.fields)!r}"
            got = f"<{(value[0] if len(value) == 1 else value)!r} twice>"
            raise ValueError(checks.refusal("values", where, "different values", got))
        seen.add(text)


def _within(path: str, fields: Sequence[str]) -> bool:
    return any(path == field or path.startswith(field + ".") for field in fields)


def _replaced(cell: Any, changes: Mapping[str, Any]) -> Any:
    """Return a dataclass with other values for the fields at dotted paths.

    Raises
    ------
    ValueError
        For a path that is not a field; the message names the most similar field.
    """
    direct: dict[str, Any] = {}
    below: dict[str, dict[str, Any]] = {}
    names = [field.name for field in dataclasses.fields(cell)]
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        if name not in names or (rest and not dataclasses.is_dataclass(getattr(cell, name))):
            accepted = f"a field of {type(cell).__name__}: {', '.join(names)}"
            raise ValueError(checks.refusal("fields", "Factor", accepted, path) + checks.nearest(name, names))
        if rest:
            below.setdefault(name, {})[rest] = value
        else:
            direct[name] = value
    for name, inner in below.items():
        direct[name] = _replaced(getattr(cell, name), inner)
    return dataclasses.replace(cell, **direct)
