"""From the columns of a table to the points of a fit, and to the inputs of a prediction.

A table is a file or a data frame (`errsrc.tables`).  Rows that cannot be used are left out.  The notes of the
fit count the rows that were left out.

The law of pruned networks has one more input: the error of each network before pruning.  Many tables lack
this error.  It is then estimated from the rows of the network near density 1.  The notes of the fit keep the
estimate, and later predictions for the same network use it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import ERROR, PositiveArray
from errsrc.errors import NoAnswer
from errsrc.fitting.anomalies import FarRows
from errsrc.fitting.clusters import ENOUGH, NETWORKS_ARE_CLUSTERS, TOO_FEW
from errsrc.fitting.directions import RisingValues, rises
from errsrc.fitting.flops import with_data_sizes, wrong_units
from errsrc.fitting.mixtures import mixed_rows, unfinished_rows
from errsrc.fitting.repeats import best_rows, excess_spread
from errsrc.laws import ALL
from errsrc.laws.broken import Broken
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.coupled import Coupled
from errsrc.laws.coupled_dense import CoupledDense
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.finite_data import FiniteData
from errsrc.laws.joint_pruning import JointPruning, plateau
from errsrc.laws.law import Array, Law
from errsrc.laws.power import Power
from errsrc.tables import DataTable, LeftOut, left_out_sentence, read_table, table_of
from errsrc.tables.cells import is_missing
from errsrc.tables.data_table import SYNONYMS

F = TypeVar("F", bound=Any)
NO_SIZES = ("error", "weights", "clusters")
"""Columns that are no inputs of a law."""
SIZES = ("n", "m", "u", "depth", "width", "density")
"""Sizes of a training run that a column may hold, each under its own name by default."""
LAWS_IN_N: dict[type[Law], tuple[type[Law], dict[str, str]]] = {
    Chinchilla: (Power, {"B": "a", "beta": "alpha"}),
    Coupled: (Power, {"B": "a", "beta": "alpha"}),
    Dense: (Envelope, {"eps0": "eps0", "alpha": "alpha", "eta": "eta"}),
    CoupledDense: (Envelope, {"eps0": "eps0", "alpha": "alpha", "eta": "eta"}),
}
"""The law in n that replaces a law in n and m if m is constant, with the new names of parameters."""

RATIOS = (1e-5, 1e6)
"""Smallest and largest number of examples or tokens for each parameter that is plausible."""
NEGATIVE_LOSSES = (
    "Add one constant to all losses that makes them > 0, such as 10, and fit with objective='absolute' "
    "(--objective absolute): it only raises the floor by this constant."
)
"""What to do with losses that may be negative, such as losses relative to those of a unigram model.

Absolute residuals do not change with the constant, and the floor of a law is >= 0.  So the constant has to be
larger than the depth of the floor."""


@dataclass(frozen=True)
class TableRules:
    """Options for reading the values of a table.

    Attributes
    ----------
    accuracy : bool
        Whether the column of the error holds accuracies, as shares or, if any exceeds 1, in percent.
    strict : bool
        Whether to raise ValueError for rows that cannot be used, instead of leaving them out.
    test_size : int or None
        Number of test examples.  If it is given, an error of 0 is replaced by 1 / (2 * test_size).  If it is
        None, rows with an error of 0 are left out.
    best_of : bool
        Whether to keep only the row with the smallest error of all rows with the same inputs.
    """

    accuracy: bool = False
    strict: bool = False
    test_size: int | None = None
    best_of: bool = False


READ_AS_IS = TableRules()


class TablePoints(NamedTuple):
    """The points of a fit, from the columns of a table.

    Attributes
    ----------
    law : type of Law or None
        The law to fit, or None for the average of several laws.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs of the law by name.
    error : ndarray of float64, shape (points,)
        Measured errors.
    weights : ndarray of float64, shape (points,), or None
        Relative weights of the points, or None for equal weights.
    fixed : dict of str to float
        Values of the parameters that are not fitted: parameters that the caller fixed, and parameters that an
        input without variation leaves undetermined.
    notes : dict
        JSON values that are stored with the fit.  The keys are "columns" (the name of each input's column),
        "left_out" (the rows that were left out), "library" (the library of the data frame), "constant" (the
        value of a constant m), and, for pruned networks, "networks" (their sizes, and their errors before
        pruning).
    warnings : tuple of str
        Sentences on what the user should know about the rows.
    rows : tuple
        Labels of the rows of the points in the table: line numbers, or labels of the index of a data frame.
    unit : str
        "line" or "row", the word before a label of `rows` in messages.
    clusters : ndarray of intp, shape (points,), or None
        Number of the cluster of each point; None for independent points.
    """

    law: type[Law] | None
    inputs: dict[str, Array]
    error: Array
    weights: Array | None
    fixed: dict[str, float]
    notes: dict[str, Any]
    warnings: tuple[str, ...]
    rows: tuple[Any, ...] = ()
    unit: str = "row"
    clusters: NDArray[np.intp] | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `errsrc.fit` that are not the law."""
        given = {"error": self.error, "weights": self.weights, "fixed": self.fixed, **self.inputs}
        return given if self.clusters is None else {**given, "clusters": self.clusters}

    def constants(self, given: Mapping[str, float] | None) -> dict[str, float]:
        """Return the given constants of the law.

        If m is the same in all rows, the constant that is the unit of m is left out.

        Parameters
        ----------
        given : dict of str to float, optional
            Constants by name.
        """
        left = {"m_base"} if "constant" in self.notes else set()
        return {name: value for name, value in (given or {}).items() if name not in left}

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Return a context manager that adds rows of the table to the messages of errors.

        If code inside ``with points.failing():`` raises ValueError or NoAnswer, the message then names the
        lines of rows that are far from the law, and ends with a sentence on the rows that were not used.

        Yields
        ------
        None
            The code inside ``with`` gets no value.
        """
        try:
            yield
        except (ValueError, NoAnswer) as error:
            _, sentence = noted_left_out(self.notes)
            error.args = (f"{self.message(error)} {sentence}".rstrip(), *error.args[1:])
            raise

    def message(self, error: Exception) -> str:
        """Return the message of an error, with the labels of the rows that it names.

        Parameters
        ----------
        error : Exception
            The error.
        """
        message = str(error)
        for part in getattr(error, "parts", ()):
            message = message.replace(part, self.named(part))
        return message

    def named(self, warning: str) -> str:
        """Return a warning; if the warning names rows, the labels of these rows in the table are added.

        Parameters
        ----------
        warning : str
            The warning.
        """
        if isinstance(warning, FarRows) and self.rows:
            return warning.labelled(self.inputs, self.error, self.rows, self.unit)
        return warning

    def noted(self, found: F) -> F:
        """Return a copy of a fit of these points, with the notes and warnings of the points added.

        Parameters
        ----------
        found : Fit or AveragedFit
            The fit.
        """
        warnings = (*self.warnings, *map(self.named, found.warnings))
        if "n" in self.inputs:
            curve, _ = found.curves(**self.inputs)
            free = max(len(one.intervals) for one in getattr(found, "members", (found,)))
            if sentence := excess_spread(self.inputs, self.error, curve, free):
                warnings = (*warnings, sentence)
        return dataclasses.replace(found, notes=self.notes, warnings=warnings)


class _Choice(NamedTuple):
    """The law that a table is fitted to, with the column of each of its inputs and of "error"."""

    law: type[Law] | None
    columns: dict[str, str]
    several_networks: bool
    warnings: tuple[str, ...]


def as_table(data: Any) -> DataTable:
    """Return the table of a file, a dict or a data frame.

    Parameters
    ----------
    data : str, Path, dict, data frame or DataTable
        The path of a file, or a frame.
    """
    return read_table(data) if isinstance(data, (str, os.PathLike)) else table_of(data)


def columns_of(where: str, error: Any, inputs: Mapping[str, Any], weights: Any = None) -> dict[str, str]:
    """Return {input, "error" or "weights": name of its column} from the arguments of a function with `data`.

    Parameters
    ----------
    where : str
        Name of the calling function, for messages.
    error : str or None
        The argument of the function with this name; None if it is not given.
    inputs : dict of str to str
        The other arguments.
    weights : str or None
        The argument of the function with this name; None if it is not given.

    Raises
    ------
    TypeError
        If one of the arguments is not a string.
    """
    given = {"error": error, **inputs, "weights": weights}
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(checks.refusal(name, where, "the name of a column of data", value))
    return {name: value for name, value in given.items() if value is not None}


def check_no_columns(where: str, error: Any, inputs: Mapping[str, Any], weights: Any = None) -> None:
    """Raise TypeError if names of columns are given without `data`, or if the error is missing.

    Parameters
    ----------
    where : str
        Name of the calling function, for messages.
    error : array_like or None
        The argument of the calling function with this name.
    inputs : dict
        The other arguments.
    weights : array_like or None
        The argument of the calling function with this name.
    """
    for name, value in {"error": error, **inputs, "weights": weights}.items():
        if isinstance(value, str):
            message = checks.refusal(name, where, "an array of numbers", value)
            raise TypeError(f"{message} Names of columns need data=, a data frame or the path of a file.")
    if error is None:
        raise TypeError(checks.refusal("error", where, "an array of numbers, or data= must be given", None))


def table_points(
    table: DataTable,
    law: str | type[Law],
    columns: Mapping[str, str],
    fixed: Mapping[str, float] | None = None,
    rules: TableRules = READ_AS_IS,
    clusters: Sequence[str] = (),
) -> TablePoints:
    """Return the points that a fit takes from a table.

    Parameters
    ----------
    table : DataTable
        The table.
    law : str or type of Law
        A name in `errsrc.laws.ALL`, a law of your own, or "auto".  "auto" stands for "pruning" if the density
        varies, and for the average of several laws otherwise.  "pruning" stands for the joint law of pruning
        if the table has several networks.
    columns : dict of str to str
        {input, "error" or "weights": name of its column}, for columns that have another name than their
        input.
    fixed : dict of str to float, optional
        Parameters that are not fitted.
    rules : TableRules
        How the values are read.
    clusters : sequence of str
        Columns that tell clusters of points apart.  By default the points are independent, except in a table
        of several pruned networks: the levels of each network are then a cluster.

    Raises
    ------
    ValueError
        If a column is missing, if no row can be used, if a cell is text that is no number, if the errors rise
        with n, or if `columns` names an input that the law does not have.
    """
    asked = dict(columns)
    weights = asked.pop("weights", None)
    table, asked, derived = _with_derived_n(table, law, asked)
    choice = _chosen(table, law, asked)
    used = choice.columns | ({} if weights is None else {"weights": weights})
    values, left_out, said, rows = usable_columns(table, used, rules, clusters=clusters)
    codes = values.pop("clusters").astype(np.intp) if clusters else None
    if "n" in values and "m" not in values and "n" not in asked and not np.ptp(values["n"]) and len(rows) > 1:
        m = asked.get("m") or table.found("m")
        if m in table.varying:
            raise ValueError(constant_n(used["n"], float(values["n"][0]), str(m)))
    notes: dict[str, Any] = {"columns": choice.columns}
    if derived:
        notes |= {"flops": columns.get("flops", "flops"), "said": list(derived)}
    if table.library:
        notes["library"] = table.library
    if rules.accuracy:
        notes["accuracy"] = True
    notes |= left_out_notes(left_out, len(table))
    error, relative = values.pop("error"), values.pop("weights", None)
    if choice.law is None or (choice.law in ALL.values() and choice.law not in (Broken, FiniteData)):
        _check_falls(error, values, rules.accuracy)
    warnings = (*choice.warnings, *said, *absurd_ratio(values))
    if choice.several_networks:
        points = _pruned_points(choice.columns, values, error, relative, notes, codes)
    else:
        points = TablePoints(choice.law, values, error, relative, {}, notes, (), clusters=codes)
    points = _with_fixed(points, fixed or {})
    return points._replace(warnings=(*warnings, *points.warnings), rows=rows, unit=table.unit)


def absurd_ratio(values: Mapping[str, Array]) -> tuple[str, ...]:
    """Return a sentence if n / m is so large or so small that n or m has probably another unit.

    Parameters
    ----------
    values : dict of str to ndarray of float64, shape (points,)
        Inputs by name.
    """
    if "n" not in values or "m" not in values:
        return ()
    ratio = float(np.median(values["n"] / values["m"]))
    if RATIOS[0] <= ratio <= RATIOS[1]:
        return ()
    name = "m" if ratio > 1 else "n"
    return (f"The median of n / m is {ratio:.1g}: the column of {name} may have lost a suffix such as M.",)


class UsableColumns(NamedTuple):
    """Columns of a table as numbers, restricted to the rows that can be used.

    Attributes
    ----------
    values : dict of str to ndarray of float64, shape (usable rows,)
        The columns.  The keys are the names of the inputs, and "error".
    left_out : tuple of LeftOut
        The other rows.
    warnings : tuple of str
        Sentences on copied rows and on errors of 0.
    rows : tuple
        Labels of the usable rows.
    """

    values: dict[str, Array]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    rows: tuple[Any, ...]


def usable_columns(
    table: DataTable,
    columns: Mapping[str, str],
    rules: TableRules,
    zero: Container[str] = (),
    clusters: Sequence[str] = (),
) -> UsableColumns:
    """Return columns of a table as numbers, without copies of rows and without rows that cannot be used.

    Parameters
    ----------
    table : DataTable
        The table.
    columns : dict of str to str
        {input, "error" or "weights": name of its column}; "error" is required.
    rules : TableRules
        How the values are read.
    zero : container of str
        Columns that may be 0.
    clusters : sequence of str
        Columns that tell clusters of rows apart.  If there are any, `UsableColumns.values` has an entry
        "clusters", with the number of the cluster of each row.

    Raises
    ------
    ValueError
        If a column is missing, if a cell is text that is no number, or if no row can be used.
    """
    for role, name in columns.items():
        table.require(name, role if name == role else "")
    for name in clusters:
        table.require(name)
    table, copies, warnings = without_copies(table, {*columns.values(), *clusters}, rules.strict)
    table, said = with_errors(table, columns["error"], rules)
    check_signs(table.numbers(columns["error"]).values, columns["error"])
    usable, left_out = table.usable(columns, strict=rules.strict, zero=zero)
    values = {name: table.numbers(column).values[usable] for name, column in columns.items()}
    if clusters:
        values["clusters"] = _cluster_numbers(table, clusters)[usable]
    labels = [row for row, kept in zip(table.rows, usable, strict=True) if kept]
    if equal_repeats(values):
        said = (
            *said,
            "Rows of equal sizes have exactly equal errors at every size: are they copies? They count as "
            "runs with other seeds.",
        )
    said = (*said, *wrong_units(table, values, usable), *unfinished_rows(table, usable))
    if rules.best_of:
        best = best_rows(values["error"], **{k: x for k, x in values.items() if k not in NO_SIZES})
        values = {name: x[best] for name, x in values.items()}
        others = tuple(row for row, kept in zip(labels, best, strict=True) if not kept)
        labels = [row for row, kept in zip(labels, best, strict=True) if kept]
        left_out = (
            *left_out,
            *([LeftOut("not the best of their size", others, table.unit)] if others else []),
        )
        said = (*said, "Each size keeps its best row: predictions are for the best of as many trials.")
    else:
        said = (*said, *mixed_rows(table, usable, values, {*columns.values(), *clusters}))
    return UsableColumns(values, (*copies, *left_out), (*warnings, *said), tuple(labels))


def _cluster_numbers(table: DataTable, columns: Sequence[str]) -> Array:
    """Return the number of the cluster of each row; raise ValueError for an empty cell."""
    texts = [table.text(name) for name in columns]
    for name, cells in zip(columns, texts, strict=True):
        if any(map(is_missing, cells)):
            raise ValueError(f"The column {name!r} tells clusters apart, and has an empty cell: fill it.")
    numbers: dict[tuple[str, ...], int] = {}
    rows = zip(*texts, strict=True)
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], dtype=np.float64)


def cluster_columns(clusters: Any, where: str) -> tuple[str, ...]:
    """Return the columns that tell clusters apart, from the argument `clusters` of a function with `data`.

    Parameters
    ----------
    clusters : str, sequence of str, or None
        The argument.
    where : str
        Name of the calling function, for messages.

    Raises
    ------
    TypeError
        If `clusters` has another type.
    """
    names = (clusters,) if isinstance(clusters, str) else () if clusters is None else clusters
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise TypeError(checks.refusal("clusters", where, "a column of data, or several", clusters))
    return tuple(names)


def equal_repeats(values: Mapping[str, Array]) -> bool:
    """Return whether at least two sizes are repeated, and all rows of a size have exactly the same error.

    Parameters
    ----------
    values : dict of str to ndarray of float64, shape (rows,)
        The columns.  The keys are the names of the inputs, and "error".  The columns "weights" and "clusters"
        are ignored.
    """
    sizes = [x for name, x in values.items() if name not in NO_SIZES]
    if not sizes:
        return False
    _, place, counts = np.unique(np.column_stack(sizes), axis=0, return_inverse=True, return_counts=True)
    if (counts > 1).sum() < 2:
        return False
    pairs = np.unique(np.column_stack([place.ravel(), values["error"]]), axis=0)
    return len(pairs) == len(counts) and len(np.unique(pairs[:, 1])) > 1


def check_signs(error: Array, column: str) -> None:
    """Raise ValueError if losses are negative, except for a number that marks missing values, such as -1.

    If the only negative value is one repeated number and there are positive values, the number counts as a
    mark of missing values.

    Parameters
    ----------
    error : ndarray of float64, shape (rows,)
        The values; nan where one is missing.
    column : str
        The name of their column, for the message.
    """
    negative = np.unique(error[np.isfinite(error) & (error < 0)])
    positive = error[np.isfinite(error) & (error > 0)]
    if len(negative) > 1 or (len(negative) == 1 and not positive.size):
        raise ValueError(f"The column {column!r} has values < 0, such as {negative[0]:g}. {NEGATIVE_LOSSES}")


def _with_derived_n(
    table: DataTable, law: str | type[Law], asked: dict[str, str]
) -> tuple[DataTable, dict[str, str], tuple[str, ...]]:
    """Return the table with n from the compute, the other columns asked for, and a sentence; see `flops`."""
    kind = ALL.get(law) if isinstance(law, str) else law
    if kind is not None and "n" not in kind.inputs:
        return table, asked, ()
    extended, sentence = with_data_sizes(table, asked, asked.get("flops"))
    if not sentence:
        return table, asked, ()
    return extended, {name: column for name, column in asked.items() if name != "flops"}, (sentence,)


def _with_fixed(points: TablePoints, fixed: Mapping[str, float]) -> TablePoints:
    """Return the points with fixed parameters; those of a constant m become points of the law in n."""
    constant = points.law in LAWS_IN_N or points.law is None
    m = points.inputs.get("m")
    if constant and m is not None and np.ptp(m) and not np.ptp(points.inputs["n"]):
        columns = points.notes["columns"]
        raise ValueError(constant_n(columns["n"], float(points.inputs["n"][0]), columns["m"]))
    if not constant or m is None or np.ptp(m) or not np.ptp(points.inputs["n"]):
        return points._replace(fixed={**points.fixed, **fixed})
    law, names = (None, {name: name for name in fixed}) if points.law is None else LAWS_IN_N[points.law]
    shown = "the law in n is fitted"
    if law is not None and points.law is not None:
        shown += f", {law.__name__} instead of {points.law.__name__}"
        for name in fixed.keys() - names.keys():
            raise ValueError(f"m is {m[0]:g} in every row: {shown}, which has no {name}: leave {name} out.")
    columns = {name: column for name, column in points.notes["columns"].items() if name != "m"}
    constants = {points.notes["columns"]["m"]: float(m[0])}
    return TablePoints(
        law,
        {name: x for name, x in points.inputs.items() if name != "m"},
        points.error,
        points.weights,
        {names[name]: value for name, value in fixed.items()},
        {**points.notes, "columns": columns, "constant": constants},
        (f"m is {m[0]:g} in every row: {shown}.",),
        clusters=points.clusters,
    )


def constant_n(n: str, value: float, m: str) -> str:
    """Return a sentence that says which fit a table with a constant n allows.

    Parameters
    ----------
    n : str
        The column of n.
    value : float
        The constant n.
    m : str
        The column of m.
    """
    return (
        f"The column {n!r} is {value:g} in every row, and {m!r} varies: fit a power law in the model size, "
        f"with law 'power' and {m!r} as the column of n (--law power --n {m})."
    )


def without_copies(
    table: DataTable, used: Container[str], strict: bool
) -> tuple[DataTable, tuple[LeftOut, ...], tuple[str, ...]]:
    """Return the table without copied rows, these rows, and a sentence about them.

    Parameters
    ----------
    table : DataTable
        The table.
    used : container of str
        Names of columns that hold sizes or errors.
    strict : bool
        Whether to raise ValueError if there are copied rows.
    """
    once, copies = table.without_copies(used)
    if copies is None:
        return table, (), ()
    if strict:
        raise ValueError(f"{table.source} has copied rows: {copies}.")
    said = (
        "Rows that are equal in all columns count once: a column with the seed would tell runs from copies."
    )
    return once, (copies,), (said,)


def with_errors(table: DataTable, name: str, rules: TableRules) -> tuple[DataTable, tuple[str, ...]]:
    """Return the table with accuracies turned into errors, and with errors of 0 replaced as `rules` say.

    Parameters
    ----------
    table : DataTable
        The table.
    name : str
        The column of the errors or accuracies.
    rules : TableRules
        How the values are read.
    """
    values, text = table.numbers(name)
    if text.any():
        return table, ()  # refused when the rows are chosen
    if rules.accuracy:
        values = errors_of(values)
        table = table.with_column(name, values)
    if rules.test_size is None or not (values == 0).any():
        return table, ()
    if np.nanmax(values) > 1:
        raise ValueError(
            f"test_size needs errors as shares of the test set, at most 1. Got {np.nanmax(values):g}."
        )
    smallest = 1 / (2 * rules.test_size)
    zeros = values == 0
    rows = LeftOut("", tuple(row for row, zero in zip(table.rows, zeros, strict=True) if zero), table.unit)
    what = "1 error of 0 is" if len(rows) == 1 else f"{len(rows)} errors of 0 are"
    said = f"{what} taken as 1 / (2 test_size) = {smallest:g} ({rows.listed})."
    return table.with_column(name, np.where(zeros, smallest, values)), (said,)


def errors_of(accuracy: Array) -> Array:
    """Return errors as shares: 1 - accuracy, or 1 - accuracy / 100 if any accuracy exceeds 1.

    Parameters
    ----------
    accuracy : ndarray of float64
        Accuracies; nan where one is missing.

    Raises
    ------
    ValueError
        If a value is below 0 or above 100, or if some exceed 1 and most do not.
    """
    known = accuracy[np.isfinite(accuracy)]
    bad = known[(known < 0) | (known > 100)]
    if bad.size:
        raise ValueError(
            f"An accuracy must be at least 0, and at most 1 or at most 100 percent. Got {bad[0]:g}."
        )
    percent = bool(known.size) and known.max() > 1
    if percent and np.median(known) <= 1:
        raise ValueError(
            f"Accuracies must be all shares, at most 1, or all percent. Got {known.max():g}, and at most 1 "
            f"for {(known <= 1).sum()} of {known.size}: divide percent by 100."
        )
    # Rounded, so that an accuracy of 0.9 gives the error 0.1 and not 0.09999999999999998.
    return np.round((100 - accuracy) / 100 if percent else 1 - accuracy, 15)


def _check_falls(error: Array, inputs: Mapping[str, Array], accuracy: bool) -> None:
    """Raise ValueError if the errors rise with n."""
    if accuracy:
        check_accuracy(error, inputs)
    check_falls(error, inputs)


def check_accuracy(error: Array, inputs: Mapping[str, Array]) -> None:
    """Raise ValueError if 1 - accuracy clearly rises with n: the given values are then probably errors.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        1 - accuracy.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs by name.
    """
    if rises(error, inputs):
        raise ValueError(
            "1 - accuracy rises with n: these are errors already; leave accuracy=True (--accuracy) out."
        )


def check_falls(error: Array, inputs: Mapping[str, Array]) -> None:
    """Raise RisingValues, a ValueError, if the errors clearly rise with n, as accuracies do.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        Measured errors.
    inputs : dict of str to ndarray of float64, shape (points,)
        Inputs by name.
    """
    if rises(error, inputs):
        message = "The values rise with n: are they accuracies?"
        raise RisingValues(
            f"{message} Pass accuracy=True (--accuracy), which takes 1 - accuracy as the error. Errors that "
            "do rise need a law that can rise: fit(Broken) (--law broken)."
        )


def measured_error(
    error: ArrayLike | None, inputs: Mapping[str, ArrayLike], accuracy: bool, where: str, falls: bool = True
) -> Array:
    """Return measured errors, converted from accuracies if `accuracy`; raise ValueError if they rise with n.

    Parameters
    ----------
    error : array_like, shape (points,)
        Errors or accuracies.
    inputs : dict of str to array_like
        Inputs by name.
    accuracy : bool
        Whether `error` holds accuracies.
    where : str
        Name of the calling function, for messages.
    falls : bool
        Whether the law of the fit falls with n.
    """
    shares = errors_of(checks.NonNegativeArray()(error, "error", where)) if accuracy else error
    measured = positive_errors(shares, where)
    try:
        sizes = {name: PositiveArray()(inputs[name], name, where) for name in ("n", "m") if name in inputs}
    except (TypeError, ValueError):
        return measured  # refused with the other inputs
    if falls and all(x.shape == measured.shape and x.ndim == 1 for x in sizes.values()):
        _check_falls(measured, sizes, accuracy)
    return measured


def positive_errors(error: ArrayLike | None, where: str) -> Array:
    """Return errors as an array, or raise ValueError if an error is not > 0.

    Parameters
    ----------
    error : array_like, shape (points,)
        The errors.
    where : str
        Name of the calling function, for messages.
    """
    try:
        return ERROR(error, "error", where)
    except ValueError as refused:
        below = bool((np.asarray(error, dtype=np.float64) < 0).any())
        raise ValueError(f"{refused} {NEGATIVE_LOSSES}" if below else str(refused)) from None


def left_out_notes(left_out: Sequence[LeftOut], total: int) -> dict[str, Any]:
    """Return the notes of a fit on rows that were left out, as JSON values; {} if there are none.

    Parameters
    ----------
    left_out : sequence of LeftOut
        The rows.
    total : int
        Number of rows of the table.
    """
    if not left_out:
        return {}
    groups = [
        {
            "reason": one.reason,
            "rows": [r if isinstance(r, int) else str(r) for r in one.rows],
            "unit": one.unit,
        }
        for one in left_out
    ]
    return {"left_out": {"total": total, "groups": groups}}


def noted_left_out(notes: Mapping[str, Any]) -> tuple[tuple[LeftOut, ...], str]:
    """Return the rows that were left out according to the notes of a fit, and one sentence about these rows.

    Parameters
    ----------
    notes : dict
        Notes of a fit, which may come from a file that errsrc did not write.
    """
    try:
        noted = notes["left_out"]
        groups = tuple(LeftOut(str(g["reason"]), tuple(g["rows"]), str(g["unit"])) for g in noted["groups"])
        return groups, left_out_sentence(groups, int(noted["total"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return (), ""


def _chosen(table: DataTable, law: str | type[Law], asked: Mapping[str, str]) -> _Choice:
    """Choose the law and the columns; a column in `asked` is used for no other input."""
    own = {name: table.found(name) for name in (*SIZES, "error", "eps_np") if name not in asked}
    here = dict(asked) | {k: v for k, v in own.items() if v is not None and v not in asked.values()}
    renamed = _renamed(table, here, asked)
    if law == "auto" and "m" in here and "m" not in asked and _is_empty(table, here["m"]):
        renamed += (f"The column {here.pop('m')!r} has no values: the law in n is fitted.",)
    if law == "auto" and ("density" in asked or here.get("density") in table.varying):
        law = "pruning"
    several = not here.keys().isdisjoint({"depth", "width", "eps_np"}) or here.get("n") in table.varying
    if law == "pruning" and several:
        names: tuple[str, ...] = ("density", "depth", "width", "n", "eps_np")
    elif law == "auto":
        names = ("n", "m") if "m" in here else ("n",)
    else:
        names = (ALL[law] if isinstance(law, str) else law).inputs
    shown = law if isinstance(law, str) else law.__name__
    for name in asked:
        if name not in (*names, "error"):
            right = next((k for k in names if name.lower() in SYNONYMS.get(k, ())), None)
            if right is not None and right not in asked:
                raise ValueError(f"Name the column of {right} by {right}={asked[name]!r}, not by {name}=...")
            raise ValueError(f"The {shown} law takes {', '.join(names)}: leave the column of {name} out.")
    if law == "pruning" and several:
        taken = {k: here[k] for k in names if k in here}
        needed = {"error": here.get("error", "error"), "density": here.get("density", "density")}
        return _Choice(JointPruning, needed | taken, True, renamed)
    unseen = [here[name] for name in ("m", "density") if name in here and name not in names]
    warnings = [
        f"The column {column!r} varies, but the {shown} law does not depend on it."
        for column in unseen
        if column in table.varying
    ]
    chosen = ALL.get(law) if isinstance(law, str) else law
    return _Choice(chosen, {k: here.get(k, k) for k in (*names, "error")}, False, (*renamed, *warnings))


def _is_empty(table: DataTable, name: str) -> bool:
    """Return whether no cell of a column holds anything."""
    return name not in table.repeated and all(map(is_missing, table.text(name)))


def _renamed(table: DataTable, here: Mapping[str, str], asked: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for columns n and m that are written as N and M; raise ValueError if N may be m."""
    sentences = []
    for name, what in (("n", "training examples"), ("m", "parameters")):
        column = here.get(name, name)
        if column == name or name in asked:
            continue
        if table.found("d") is not None and "d" not in asked.values():
            columns = f"{column!r} and {table.found('d')!r}"
            fix = "say which column is n, the number of training examples, and which is m"
            raise ValueError(f"{table.source} has columns {columns}, and N is often the model size: {fix}.")
        sentences.append(f"The column {column!r} is taken for {name}, the number of {what}.")
    return tuple(sentences)


def _pruned_points(
    columns: Mapping[str, str],
    values: dict[str, Array],
    error: Array,
    weights: Array | None,
    notes: Mapping[str, Any],
    clusters: NDArray[np.intp] | None,
) -> TablePoints:
    """Return the points of several pruned networks; their errors before pruning may be in no column."""
    inputs = _network_inputs(values, len(error))
    keys = _networks(values, len(error))
    measured = values["eps_np"] if "eps_np" in values else _plateaus(keys, inputs["density"], error)
    held = {name: power for name, power in (("depth", "phi"), ("width", "psi")) if np.ptp(inputs[name]) == 0}
    networks = {key: [*key, e] for key, e in zip(keys, measured.tolist(), strict=True)}
    if "n" not in values:  # then the error before pruning tells networks of one depth and width apart
        keys = [(*key, e) for key, e in zip(keys, measured.tolist(), strict=True)]
    places = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    added: dict[str, Any] = {"columns": dict(columns), "networks": list(networks.values())}
    warnings = [f"{power} is held at 0: the {name} never varies." for name, power in held.items()]
    if clusters is None and len(places) >= ENOUGH:
        clusters = np.array([places[key] for key in keys], dtype=np.intp)
        added["said"] = [*notes.get("said", []), NETWORKS_ARE_CLUSTERS.format(len(places))]
    elif clusters is None:
        warnings.append(TOO_FEW.format(len(places)))
    return TablePoints(
        law=JointPruning,
        inputs={**inputs, "eps_np": measured},
        error=error,
        weights=weights,
        fixed=dict.fromkeys(held.values(), 0.0),
        notes={**notes, **added},
        warnings=tuple(warnings),
        clusters=clusters,
    )


def noted_library(notes: Mapping[str, Any]) -> str:
    """Return the library of the data frame that a fit was made from, "" if it was made from something else.

    Parameters
    ----------
    notes : dict
        Notes of a fit.
    """
    library = notes.get("library", "")
    return library if isinstance(library, str) else ""


class TableInputs(NamedTuple):
    """The inputs at which the rows of a table are predicted.

    Attributes
    ----------
    inputs : dict of str to ndarray of float64, shape (usable rows,)
        Inputs of the law by name.
    usable : ndarray of bool, shape (rows,)
        True for the rows that can be predicted.
    left_out : tuple of LeftOut
        The other rows.
    """

    inputs: dict[str, Array]
    usable: NDArray[np.bool_]
    left_out: tuple[LeftOut, ...]


def table_inputs(
    table: DataTable,
    names: Sequence[str],
    notes: Mapping[str, Any],
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
) -> TableInputs:
    """Return the inputs at which a fit predicts the rows of a table.

    The notes of the fit contain the names of its columns.  For pruned networks, the error before pruning is
    read from the column eps_np.  If there is no such column, the value that the fit used for the same network
    is taken.  For a network that was not fitted, the error before pruning is estimated from its rows that
    have an error.

    Parameters
    ----------
    table : DataTable
        The table.
    names : sequence of str
        Names of the inputs of the fit.
    notes : dict
        Notes of the fit; without notes the columns have the names of the inputs.
    columns : dict of str to str, optional
        {input: name of its column in `table`}, for inputs whose column has another name than in the notes.
    strict : bool
        Whether to raise ValueError for rows that cannot be predicted.

    Raises
    ------
    ValueError
        If a column is missing, if a cell is text that is no number, if no row can be predicted, or if the
        error of a network before its pruning is unknown.
    """
    own, known = _columns_and_networks(names, notes)
    flops, columns = notes.get("flops"), dict(columns or {})
    if isinstance(flops, str):
        flops = columns.pop("flops", flops)
    m = columns.get("m", own.get("m", "m"))
    if isinstance(flops, str) and flops in table.columns and "n" not in columns and m in table.columns:
        table, _ = with_data_sizes(
            table, {**{k: v for k, v in own.items() if k != "n"}, **(columns or {})}, flops
        )
    for name in columns:
        if name not in names:
            raise TypeError(f"The fit takes {', '.join(names)}: leave the column of {name} out.")
    needs = _needed_columns(names, own, flops)
    own |= columns
    if "eps_np" in names:
        before = own.get("eps_np", "eps_np")
        used = {"density": "density"} | {
            k: v for k, v in own.items() if k in ("density", "depth", "width", "n")
        }
        used |= {"eps_np": before} if before in table.header else {}
    else:
        used = {name: own[name] for name in names}
    used = {role: _column(table, role, name, columns, needs) for role, name in used.items()}
    usable, left_out = table.usable(used, strict=strict, predicting=True)
    usable, left_out = _of_constant(table, notes, usable, left_out)
    if not usable.any():
        raise ValueError(
            f"{table.source}: no row can be predicted: {left_out_sentence(left_out, len(table))}"
        )
    values = {name: table.numbers(column).values[usable] for name, column in used.items()}
    if "eps_np" not in names:
        return TableInputs(values, usable, left_out)
    inputs = _network_inputs(values, int(usable.sum()))
    if "eps_np" in values:
        return TableInputs({**inputs, "eps_np": values["eps_np"]}, usable, left_out)
    rows = table.taken(usable)
    keys = _networks(values, len(rows))
    error = rows.numbers(own["error"]).values if own["error"] in rows.header else np.full(len(rows), np.nan)
    new = np.array([key not in known for key in keys])
    with_error = new & np.isfinite(error) & (error > 0)
    measured = [key for key, has in zip(keys, with_error, strict=True) if has]
    plateaus = _plateaus(measured, inputs["density"][with_error], error[with_error])
    known.update(zip(measured, plateaus.tolist(), strict=True))
    for key, row in zip(keys, rows.rows, strict=True):
        if key not in known:
            which = "a network that was not fitted and has no rows with an error"
            raise ValueError(f"{table.source}, {table.unit} {row}: {which}; add a column 'eps_np'.")
    return TableInputs({**inputs, "eps_np": np.array([known[key] for key in keys])}, usable, left_out)


def _needed_columns(names: Sequence[str], columns: Mapping[str, str], flops: object) -> str:
    """Return a sentence on the columns that a fit takes its inputs from."""
    needed = [columns[name] for name in names if name in columns and not (name == "n" and flops)]
    listed = ", ".join(map(repr, needed)) + (f", and {flops!r} or 'n'" if isinstance(flops, str) else "")
    first = "m" if flops and "m" in names else names[0]
    many = "columns" if len(needed) > 1 or flops else "column"
    return (
        f"The fit needs the {many} {listed}; columns={{'{first}': COL}} (--column {first}=COL) names another."
    )


def _column(table: DataTable, role: str, name: str, asked: Mapping[str, str], needs: str) -> str:
    """Return the column of an input, possibly in other letter case; raise ValueError if there is none."""
    found = None if role in asked else table.found(name)
    if found is None:
        table.require(name, role, needs)
    return found or name


def _of_constant(
    table: DataTable, notes: Mapping[str, Any], usable: NDArray[np.bool_], left_out: tuple[LeftOut, ...]
) -> tuple[NDArray[np.bool_], tuple[LeftOut, ...]]:
    """Leave out rows of another m than the constant m of the fit."""
    constant = notes.get("constant", {})
    for name, value in constant.items() if isinstance(constant, Mapping) else ():
        known = isinstance(value, float) and name in table.header and name not in table.repeated
        if not known:
            continue
        values = table.numbers(name).values
        other = usable & np.isfinite(values) & (np.abs(values - value) > 1e-9 * abs(value))
        if other.any():
            rows = tuple(row for row, is_other in zip(table.rows, other, strict=True) if is_other)
            left_out = (*left_out, LeftOut(f"with another {name} than the fit's {value:g}", rows, table.unit))
            usable = usable & ~other
    return usable, left_out


def _columns_and_networks(
    names: Sequence[str], notes: Mapping[str, Any]
) -> tuple[dict[str, str], dict[tuple[float, ...], float]]:
    """Return {input: column} and {network: error before pruning} of a fit's notes."""
    columns = notes.get("columns", {name: name for name in (*names, "error")})
    try:
        needed = {"error", *names} - {"depth", "width", "eps_np"}
        if not needed <= set(columns) or not all(isinstance(columns[name], str) for name in columns):
            raise ValueError(columns)
        known = {tuple(map(float, key)): float(e) for *key, e in notes.get("networks", [])}
    except (TypeError, ValueError, OverflowError):
        raise ValueError("The notes of the fit are not those that errsrc writes for a CSV file.") from None
    return dict(columns), known


def _network_inputs(sizes: Mapping[str, Array], count: int) -> dict[str, Array]:
    """Return density, depth and width, (count,) each; 1 where there is no column of depth or width."""
    return {name: sizes.get(name, np.ones(count)) for name in ("density", "depth", "width")}


def _networks(sizes: Mapping[str, Array], count: int) -> list[tuple[float, ...]]:
    """Return the network of each row as (depth, width, n), 1 where there is no column."""
    one = np.ones(count)
    return list(zip(*(sizes.get(name, one).tolist() for name in ("depth", "width", "n")), strict=True))


def _plateaus(keys: list[tuple[float, ...]], density: Array, error: Array) -> Array:
    """Return the error of each row's network before pruning, (rows,), from all rows of the network."""
    out = np.empty(len(keys))
    for key in set(keys):
        rows = np.array([other == key for other in keys])
        out[rows] = plateau(density[rows], error[rows])
    return out
