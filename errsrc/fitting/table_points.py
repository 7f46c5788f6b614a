"""From a table to the points of a fit.

A table is a file or a data frame (`errsrc.tables`).  `law_columns` chooses the law and its columns.
`table_runs` chooses the rows that can be used.  `varying_sizes` replaces the law if m is constant.  The
notes of the fit count the rows that were left out.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from errsrc.errors import NoAnswer
from errsrc.fitting.anomalies import FarRows
from errsrc.fitting.constant_sizes import varying_sizes
from errsrc.fitting.directions import check_falls
from errsrc.fitting.doubtful_units import absurd_ratio
from errsrc.fitting.pruned_networks import NetworkClusters, PrunedNetworks, network_clusters, pruned_networks
from errsrc.fitting.repeats import excess_spread
from errsrc.fitting.table_columns import law_columns
from errsrc.fitting.table_notes import left_out_notes
from errsrc.fitting.table_runs import table_runs
from errsrc.laws import ALL
from errsrc.laws.broken import Broken
from errsrc.laws.finite_data import FiniteData
from errsrc.laws.law import Array, Law
from errsrc.laws.layer_pruning import LayerPruning
from errsrc.tables import DataTable, left_out_sentence
from errsrc.tables.measurements import READ_AS_IS, TableRules

F = TypeVar("F", bound=Any)


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
    left_out : str
        A sentence on the rows that were left out; "" if there are none.
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
    left_out: str = ""

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `errsrc.fit`, without the law."""
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
            error.args = (f"{self.message(error)} {self.left_out}".rstrip(), *error.args[1:])
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
    weight = {name: column for name, column in columns.items() if name == "weights"}
    asked = {name: column for name, column in columns.items() if name != "weights"}
    chosen = law_columns(table, law, asked)
    found = table_runs(chosen.table, chosen.columns | weight, rules, clusters=clusters)
    values = dict(found.values)
    error, weights = values.pop("error"), values.pop("weights", None)
    if chosen.law is None or (chosen.law in ALL.values() and chosen.law not in (Broken, FiniteData)):
        check_falls(error, values, rules.accuracy)
    varying = varying_sizes(chosen.law, chosen.columns, values, fixed or {}, chosen.other_m)
    notes = chosen.notes()
    if table.library:
        notes["library"] = table.library
    if rules.accuracy:
        notes["accuracy"] = True
    notes |= left_out_notes(found.left_out, len(table))
    points = TablePoints(
        law=varying.law,
        inputs=varying.inputs,
        error=error,
        weights=weights,
        fixed=varying.fixed,
        notes=notes | varying.notes,
        warnings=(*chosen.warnings, *found.warnings, *absurd_ratio(values), *varying.warnings),
        rows=found.rows,
        unit=table.unit,
        clusters=found.clusters,
        left_out=left_out_sentence(found.left_out, len(table)) if found.left_out else "",
    )
    if chosen.several_networks:
        return _of_networks(points)
    return _with_clusters(points) if points.law is LayerPruning else points


def _of_networks(points: TablePoints) -> TablePoints:
    """Return the points of several pruned networks, with the errors of the networks before pruning."""
    found = pruned_networks(points.inputs, points.error, points.clusters)
    notes = points.notes | {"networks": found.networks}
    changed = points._replace(inputs=found.inputs, fixed={**found.fixed, **points.fixed}, notes=notes)
    return _clustered(changed, found)


def _with_clusters(points: TablePoints) -> TablePoints:
    """Return the points of a law that is given the error of each network before pruning."""
    sizes = (points.inputs[name].tolist() for name in ("layers", "width", "eps_np"))
    return _clustered(points, network_clusters(list(zip(*sizes, strict=True)), points.clusters))


def _clustered(points: TablePoints, found: PrunedNetworks | NetworkClusters) -> TablePoints:
    """Return the points with the clusters, and with what the user should know about them."""
    said = {"said": [*points.notes.get("said", []), *found.remarks]} if found.remarks else {}
    return points._replace(
        notes=points.notes | said,
        warnings=(*points.warnings, *found.warnings),
        clusters=found.clusters,
    )
