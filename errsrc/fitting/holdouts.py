"""Tests of a law on held-out cells: the law is fitted to small cells and compared with large cells.

A *cell* is the set of all runs with equal sizes (n, m, ...).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.checks import ERROR, LEVEL, Flag, Instance, Integer, Number, Optional
from errsrc.fitting.anomalies import FarRows
from errsrc.fitting.clusters import FEW_ARE_FITTED, cluster_codes, clusters_of
from errsrc.fitting.data_arguments import (
    as_table,
    check_no_columns,
    cluster_columns,
    columns_of,
    measured_error,
)
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.one_law import fit
from errsrc.fitting.outliers import far_from_laws
from errsrc.fitting.points import LAW_OR_NAME, NUMBERS
from errsrc.fitting.table_notes import noted_library
from errsrc.fitting.table_points import table_points
from errsrc.laws import ALL
from errsrc.laws.law import Array, Law, checked_inputs
from errsrc.results import Interval, TabularResult, TextTable, json_value, percent, significant
from errsrc.tables import LeftOut
from errsrc.tables.measurements import TableRules

DIVERGENCE_LIMITS = {"fitted": (0.01, 0.05), "held out": (0.05, 0.07)}
"""Largest |mean| and largest standard deviation of the divergence at which a prediction counts as correct.

Rosenfeld et al. 2020 (arXiv 1909.12673) report under 1% and 5% for fits, and 4.5 +- 4.7% for ImageNet
extrapolated from at most 1/8 of the data and 1/16 of the model."""


@dataclass(frozen=True, eq=False, repr=False)
class JudgedCells(TabularResult):
    """Measured cells, with the prediction for each cell.  A cell is the set of all runs with equal sizes.

    Attributes
    ----------
    inputs : dict of str to ndarray of float64, shape (cells,)
        Sizes of the cells by name, in the given units.
    runs : tuple of ndarray of float64, shape (runs of the cell,)
        Measured errors of each cell.
    prediction : Prediction
        Predictions for one new run of each cell, as arrays of shape (cells,).
    """

    inputs: dict[str, Array]
    runs: tuple[Array, ...]
    prediction: Prediction

    def __len__(self) -> int:
        return len(self.runs)

    def headline(self) -> str:
        """Return the numbers of cells and runs, the mean and spread of `divergence`, and the coverage."""
        runs = sum(len(e) for e in self.runs)
        noise = "" if math.isnan(self.seed_noise) else f"; seed noise {percent(self.seed_noise, 1)}"
        spread = f"divergence {percent(self.divergence_mean, 1, '+')} +- {percent(self.divergence_std, 1)}"
        covered = f"{percent(self.coverage)} of the runs in their interval"
        return f"{len(self)} cells, {runs} runs: {spread}{noise}; {covered}"

    def content(self) -> list[str | TextTable]:
        """Return a table of the cells, and a line that summarises all cells."""
        level = f"{self.prediction.level:.0%} interval for one run"
        rows = [(*self.inputs, "predicted", level, "measured", "divergence")]
        for k, divergence in enumerate(self.divergence):
            predicted, ends, measured = self.texts(k)
            rows.append((*self.sizes(k).values(), predicted, ends, measured, percent(divergence, 1, "+")))
        return [TextTable(rows, "r", header=True), "", self.headline()]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return a table with a row for each cell: the set of all runs with equal sizes.

        Returns
        -------
        dict of str to ndarray, shape (cells,)
            The keys are the names of the sizes, "runs" (the number of runs), "measured" (their mean error),
            "predicted", "low" and "high" (the prediction with its interval), and "divergence" ((predicted -
            measured) / measured).
        """
        return {
            **self.inputs,
            "runs": np.array([len(e) for e in self.runs]),
            "measured": self.measured,
            **self.prediction.columns(),
            "divergence": self.divergence,
        }

    @property
    def measured(self) -> Array:
        """Mean error of the runs of each cell, float64 (cells,)."""
        return np.array([e.mean() for e in self.runs])

    @property
    def divergence(self) -> Array:
        """Relative error of each prediction, (predicted - measured) / measured, float64 (cells,).

        Rosenfeld et al. 2020 (arXiv 1909.12673) call this error the divergence.
        """
        return self.prediction.predicted / self.measured - 1

    @property
    def divergence_mean(self) -> float:
        """Mean of `divergence` over the cells."""
        return float(self.divergence.mean())

    @property
    def divergence_std(self) -> float:
        """Standard deviation of `divergence` over the cells."""
        return float(self.divergence.std())

    @property
    def seed_noise(self) -> float:
        """Pooled standard deviation of ln error between runs of one cell; nan if no cell has two runs."""
        logs = [np.log(e) for e in self.runs]
        extra = sum(len(e) - 1 for e in logs)
        return math.sqrt(sum(float(((e - e.mean()) ** 2).sum()) for e in logs) / extra) if extra else math.nan

    @property
    def mean_noise(self) -> float:
        """Standard deviation that the noise between seeds gives to `divergence`; 0 if it is not known.

        The mean of k runs has the noise of one run divided by sqrt(k).
        """
        noise = self.seed_noise
        return 0.0 if math.isnan(noise) else noise * math.sqrt(np.mean([1 / len(e) for e in self.runs]))

    @property
    def coverage(self) -> float:
        """Share of all runs that lie in the interval of their cell."""
        p = self.prediction
        inside = [(e >= a) & (e <= b) for e, a, b in zip(self.runs, p.low, p.high, strict=True)]
        return float(np.concatenate(inside).mean())

    def sizes(self, cell: int) -> dict[str, str]:
        """Return the sizes of a cell as text, by name.

        Parameters
        ----------
        cell : int
            Index of the cell.
        """
        values = {name: float(x[cell]) for name, x in self.inputs.items()}
        return {k: f"{v:,.0f}" if v == round(v) else f"{v:.4g}" for k, v in values.items()}

    def texts(self, cell: int) -> tuple[str, str, str]:
        """Return the predicted error, its interval and the measured error of a cell as texts.

        Parameters
        ----------
        cell : int
            Index of the cell.

        Returns
        -------
        tuple of str
            The three texts, rounded to the digits that the interval supports.  The interval is written "[low,
            high]".
        """
        interval = self.interval(cell)
        predicted, _, ends = str(interval).partition(" ")
        return predicted, ends, significant(float(self.measured[cell]), interval.high - interval.low, 2)

    def interval(self, cell: int) -> Interval:
        """Return the prediction for one new run of a cell.

        Parameters
        ----------
        cell : int
            Index of the cell.
        """
        p = self.prediction
        return Interval(float(p.predicted[cell]), float(p.low[cell]), float(p.high[cell]), p.level)


@dataclass(frozen=True)
class Criterion:
    """A number that judges a prediction, and the limit that the number must not exceed.

    Attributes
    ----------
    name : str
        What the number measures.
    value, limit : float
        The number and the largest value that the number may have, as shares of the error.
    noise : float
        The value that the noise between seeds alone gives on average; 0 if it is not known.
    """

    name: str
    value: float
    limit: float
    noise: float = 0.0

    @property
    def met(self) -> bool:
        """Whether the number is within its limit."""
        return self.value <= self.limit

    @property
    def testable(self) -> bool:
        """Whether a perfect prediction would be within the limit, in spite of the noise between seeds."""
        return self.noise <= self.limit

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        alone = "" if self.testable else f" (noise between seeds alone gives about {percent(self.noise)})"
        return f"{self.name} {percent(self.value, 1)} (limit {self.limit:.0%}): {verdict}{alone}"


@dataclass(frozen=True, eq=False, repr=False)
class Holdout(TabularResult):
    """A fit, the cells that it was fitted to, and the cells that were held out from the fit.

    A cell is the set of all runs with equal sizes.

    Attributes
    ----------
    forecast : Forecast
        The fit.
    fitted : JudgedCells
        The cells that the fit was fitted to, sorted by their sizes.
    held_out : JudgedCells
        The other cells, sorted by their sizes.
    """

    forecast: Forecast
    fitted: JudgedCells
    held_out: JudgedCells

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Rows of the table that were not used, by reason; () for arrays."""
        return self.forecast.left_out

    @functools.cached_property
    def parts(self) -> dict[str, JudgedCells]:
        """The two sets of cells by name, "fitted" and "held out"."""
        return {"fitted": self.fitted, "held out": self.held_out}

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Mean and standard deviation of the divergence of each part, with the limits `DIVERGENCE_LIMITS`."""
        out = []
        for name, cells in self.parts.items():
            mean, std = DIVERGENCE_LIMITS[name]
            noise = cells.mean_noise
            of_mean = noise / math.sqrt(len(cells))
            out.append(
                Criterion(f"{name}: |mean| of the divergence", abs(cells.divergence_mean), mean, of_mean)
            )
            out.append(Criterion(f"{name}: std of the divergence", cells.divergence_std, std, noise))
        return tuple(out)

    @property
    def largest(self) -> int:
        """Index of the held-out cell with the largest product of its sizes."""
        return int(np.argmax(sum(np.log(x) for x in self.held_out.inputs.values())))

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return a table with a row for each cell: the set of all runs with equal sizes.

        Returns
        -------
        dict of str to ndarray, shape (cells,)
            The keys are the names of the sizes, "held_out" (whether the cell was held out), "runs" (the
            number of its runs), "measured" (their mean error), "predicted", "low" and "high" (the prediction
            with its interval), and "divergence" ((predicted - measured) / measured).
        """
        parts = [part.columns() for part in (self.fitted, self.held_out)]
        both = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        held_out = np.repeat([False, True], [len(self.fitted), len(self.held_out)])
        sizes = {name: both.pop(name) for name in self.fitted.inputs}
        return {**sizes, "held_out": held_out, **both}

    def _library(self) -> str:
        return noted_library(self.forecast.notes)

    def headline(self) -> str:
        """Return how well the fit predicts the held-out cells, as one line.

        The line has the mean and the standard deviation of the divergence.  The divergence of a cell is the
        relative error of its prediction: (predicted - measured) / measured.
        """
        return f"held out {self.held_out.headline()}"

    def content(self) -> list[str | TextTable]:
        """Return a table of the held-out cells, the divergence of each group of cells, and the criteria."""
        cells, *_ = self.held_out.content()
        parts = [(name, part.headline()) for name, part in self.parts.items()]
        far = [sentence for sentence in self.forecast.warnings if isinstance(sentence, FarRows)]
        sentences = (*self.forecast.left_out_sentences, *far)
        return [cells, "", TextTable(parts, "l"), *map(str, self.criteria), *sentences]

    def as_dict(self) -> dict[str, Any]:
        """Return the fit, the cells, the divergence of each part, and the criteria as JSON values."""
        names = ("divergence_mean", "divergence_std", "seed_noise", "coverage")
        parts = {k: {name: getattr(part, name) for name in names} for k, part in self.parts.items()}
        criteria = [{**json_value(one), "met": one.met} for one in self.criteria]
        shown = {"forecast": self.forecast, "cells": self.columns(), **parts, "criteria": criteria}
        return json_value(shown)


SHARE = Number(above=0, below=1)
"""Rule of the `share` parameter: cells are fitted up to this share of the largest sizes."""


@checks.arguments(share=SHARE)
def small_cells(share: float = 0.25, **inputs: ArrayLike) -> NDArray[np.bool_]:
    """Return a mask of the runs whose sizes are all small.

    Parameters
    ----------
    share : float
        A size is small if it is at most this share of the largest size of the same input; in (0, 1).
    **inputs : array_like, shape (runs,)
        Sizes > 0, such as n and m.

    Returns
    -------
    ndarray of bool, shape (runs,)
        True for runs in which every input is at most `share` times its largest value.

    Raises
    ------
    TypeError, ValueError
        If a size is not a finite number > 0, or if the share is outside (0, 1).

    Examples
    --------
    >>> small_cells(n=[100, 100, 400], m=[10, 50, 10])
    array([ True, False, False])
    """
    columns = checked_inputs(inputs, tuple(inputs), "small_cells").values()
    return np.logical_and.reduce([x <= share * x.max() for x in columns])


FEWEST_SMALL = 3
"""Fewest values of an input that must be small, so that a fit to the small cells determines its exponent."""


@checks.arguments(share=SHARE)
def few_small_sizes(share: float = 0.25, **inputs: ArrayLike) -> tuple[str, ...]:
    """Return a sentence for each input that has fewer than 3 small values.

    `holdout` fits a law to the small cells (`small_cells`) and compares it with the larger cells.  Two small
    values of an input do not determine its exponent: a curve through two values can continue steeply or
    nearly flat.

    Parameters
    ----------
    share : float
        A size is small if it is at most this share of the largest size of the same input; in (0, 1).
    **inputs : array_like, shape (runs,)
        Sizes > 0, such as n and m.

    Returns
    -------
    tuple of str
        The sentences.

    Raises
    ------
    TypeError, ValueError
        If a size is not a finite number > 0, or if the share is outside (0, 1).

    Examples
    --------
    >>> few_small_sizes(n=[10, 20, 40, 80, 160], m=[5, 10, 20, 40, 80])
    ()
    >>> print(few_small_sizes(n=[10, 20, 80, 160])[0].partition(":")[0])
    Only 2 values of n are at most a quarter of the largest (160)
    """
    out = []
    limit = "a quarter" if share == 0.25 else f"{share:.0%}"
    for name, x in checked_inputs(inputs, tuple(inputs), "few_small_sizes").items():
        count, largest = len(np.unique(x[x <= share * x.max()])), f"{x.max():,.10g}"
        if count < FEWEST_SMALL:
            some = (f"No value of {name} is", f"Only 1 value of {name} is", f"Only 2 values of {name} are")[
                count
            ]
            values = np.unique(x)
            enough = ""
            if len(values) > FEWEST_SMALL:
                enough = f", or a largest {name} >= {np.ceil(values[FEWEST_SMALL - 1] / share):,.10g}"
            out.append(
                f"{some} at most {limit} of the largest ({largest}): choose at least {FEWEST_SMALL} such "
                f"values of {name}{enough}. With fewer, the fit to the small cells does not determine the "
                "law."
            )
    return tuple(out)


@checks.arguments(
    law=LAW_OR_NAME,
    accuracy=Flag(),
    strict=Flag(),
    test_size=Optional(Integer(at_least=1)),
    best_of=Flag(),
    fixed=NUMBERS,
    share=SHARE,
    level=LEVEL,
)
def holdout(
    law: type[Law] | str,
    error: ArrayLike | None = None,
    *,
    data: Any = None,
    accuracy: bool = False,
    strict: bool = False,
    test_size: int | None = None,
    best_of: bool = False,
    share: float = 0.25,
    fixed: Mapping[str, float] | None = None,
    clusters: ArrayLike | str | Sequence[str] | None = None,
    level: float = 0.9,
    **inputs: ArrayLike,
) -> Holdout:
    """Fit a law to the runs with small sizes, and judge its predictions for all other runs.

    Parameters
    ----------
    law : type of Law or str
        The class to fit, or its name in `errsrc.laws.ALL`.
    error : array_like, shape (runs,), or str
        Measured errors, > 0, in any unit.  All runs with equal inputs are one cell.  With `data`, the name of
        a column, "error" by default.
    data : dict, data frame, str or Path, optional
        The runs as a table, as in `errsrc.fit`.
    accuracy, strict : bool
        If `accuracy` is True, `error` holds accuracies.  If `strict` is True, rows that cannot be used raise
        ValueError.  Both work as in `errsrc.fit`.
    test_size : int, optional
        Number of test examples, as in `errsrc.fit`.
    best_of : bool
        Whether to keep only the best of all rows of `data` with the same inputs, as in `errsrc.fit`.
    share : float
        A number in (0, 1).  The law is fitted to the cells in which every input is at most `share` times the
        largest value of that input.
    fixed : dict of str to float, optional
        Values of parameters that are not fitted, in the given units.
    clusters : array_like, shape (runs,), or str or sequence of str, optional
        A label for each run.  The noise of runs with equal labels may be correlated, as in `errsrc.fit`.
        With `data`, the names of the columns that tell clusters apart.  If the fitted runs have fewer than 3
        clusters, they count as independent, and a warning of the fit says so.
    level : float
        Coverage of the intervals for one new run, in (0, 1).
    **inputs : array_like, shape (runs,), or str
        An array > 0 for each input of the law; with `data`, names of columns.

    Returns
    -------
    Holdout
        The fit, with its predictions for all cells.

    Raises
    ------
    TypeError, ValueError
        If the law cannot be fitted to the points (see `errsrc.fit`), or if no cell is held out.
    NoFit
        If the fit fails.

    Notes
    -----
    Rows that are far from a robust fit of the law to all rows, such as diverged runs, are neither fitted nor
    judged.  A warning of the fit names them.

    Examples
    --------
    >>> from errsrc.laws import Power
    >>> n = np.array([100, 200, 400, 800, 1600, 3200])
    >>> result = holdout(Power, Power(c_inf=0.1, a=2.0, alpha=0.5).error(n=n), n=n)
    >>> len(result.fitted), len(result.held_out), bool(abs(result.held_out.divergence_mean) < 1e-6)
    (4, 2, True)
    """
    law = LAW_OR_NAME(law, "law", "holdout")
    if data is not None:
        asked = columns_of("holdout", error, inputs)
        rules = TableRules(accuracy, strict, test_size, best_of)
        names = cluster_columns(clusters, "holdout")
        points = table_points(as_table(data), law, asked, fixed, rules, names)
        options: dict[str, Any] = {"share": share, "level": level, "fixed": points.fixed, **points.inputs}
        options["clusters"] = points.clusters
        with points.failing():
            found = holdout(points.law or law, points.error, **options)
        return dataclasses.replace(found, forecast=points.noted(found.forecast))
    check_no_columns("holdout", error, inputs)
    e = measured_error(error, inputs, accuracy, "holdout", law in ALL.values())
    columns = checked_inputs(inputs, law.inputs, "holdout", law.at_most)
    for name, x in {"error": e, **columns}.items():
        if x.shape != (e.size,) or not e.size:
            accepted = "a one-dimensional array, not empty, as long as error"
            raise ValueError(checks.refusal(name, "holdout", accepted, f"<shape {x.shape}>"))
    codes = None if clusters is None else cluster_codes(clusters, "holdout", len(e))
    small = small_cells(share, **columns)
    if not small.any():
        accepted = (
            "so large that cells are left to fit: no cell has all its sizes up to this share of the largest"
        )
        raise ValueError(checks.refusal("share", "holdout", accepted, share))
    far, sentence = far_from_laws([law], columns | {"error": e}, fixed)
    fitted, near = small & ~far, {name: x[~far] for name, x in columns.items()}
    part: dict[str, Any] = {name: x[fitted] for name, x in columns.items()}
    own = clusters_of(codes, fitted)
    forecast = fit(law, e[fitted], fixed=fixed, clusters=own, level=level, keep_far=True, **part)
    few = () if codes is None or own is not None else (FEW_ARE_FITTED,)
    first = few if sentence is None else (sentence, *few)
    forecast = dataclasses.replace(forecast, warnings=(*first, *forecast.warnings))
    return judge(forecast, e[~far], small[~far], level=level, **near)


@checks.arguments(forecast=Instance(Forecast, "a fit, or an average of fits"), error=ERROR, level=LEVEL)
def judge(
    forecast: Forecast, error: ArrayLike, fitted: ArrayLike, *, level: float = 0.9, **inputs: ArrayLike
) -> Holdout:
    """Compare the predictions of a fit with measured runs, both fitted and held-out runs.

    Parameters
    ----------
    forecast : Forecast
        A fit, or an average of fits.
    error : array_like, shape (runs,)
        Measured errors, > 0, in the units of the fitted errors.  All runs with equal inputs are one cell.
    fitted : array_like of bool, shape (runs,)
        True for the runs that the fit was fitted to.
    level : float
        Coverage of the intervals for one new run, in (0, 1).
    **inputs : array_like, shape (runs,)
        An array > 0 for each input of the fit.

    Returns
    -------
    Holdout
        The fit, with its predictions for all cells.

    Raises
    ------
    TypeError, ValueError
        If an input is missing or unknown, if a value is not finite and > 0, if arrays have different lengths,
        or if `fitted` is True for all runs or for none.
    """
    e, seen = np.asarray(error), np.asarray(fitted)
    columns = checked_inputs(inputs, forecast.input_names, "judge")
    if seen.dtype != np.bool_:
        raise TypeError(checks.refusal("fitted", "judge", "a boolean array", fitted))
    for name, x in {"error": e, "fitted": seen, **columns}.items():
        if x.shape != (e.size,):
            accepted = "a one-dimensional array as long as error"
            raise ValueError(checks.refusal(name, "judge", accepted, f"<shape {x.shape}>"))
    if seen.all() or not seen.any():
        got = f"<{len(e)} runs, all {'fitted' if seen.all() else 'held out'}>"
        raise ValueError(checks.refusal("fitted", "judge", "true of some runs and false of others", got))

    def part(rows: NDArray[np.bool_]) -> JudgedCells:
        keys, cell = np.unique(
            np.column_stack([x[rows] for x in columns.values()]), axis=0, return_inverse=True
        )
        sizes = {name: keys[:, k] for k, name in enumerate(columns)}
        runs = tuple(e[rows][cell.ravel() == k] for k in range(len(keys)))
        return JudgedCells(sizes, runs, forecast.predict(level=level, **sizes))

    return Holdout(forecast, part(seen), part(~seen))
