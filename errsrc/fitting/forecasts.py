"""From a fitted curve to predictions, each with an interval for one new run."""

from __future__ import annotations

import abc
import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from errsrc import checks
from errsrc.checks import LEVEL
from errsrc.fitting.data_arguments import as_table, check_no_columns, columns_of
from errsrc.fitting.ranges import (
    MeasuredRange,
    both_sentence,
    larger_in_both,
    range_sentence,
    share_sentence,
    size_ranges,
)
from errsrc.fitting.table_inputs import table_inputs
from errsrc.fitting.table_notes import noted_left_out
from errsrc.laws.law import Array, checked_inputs
from errsrc.results import Interval, Result, TextTable, json_value
from errsrc.tables import DataTable, LeftOut, frame_of, left_out_sentence

CURVE_DOUBT, PRUNED_DOUBT = 0.15, 0.13
"""Possible error of the form of a law in one input, and of a law of pruned networks.

Each is a standard deviation in ln error per unit of ln error extrapolated.  Published learning curves have
nearly the same scores for all values from 0.12 to 0.2."""
GRID_DOUBT, NEAR_DOUBT = 0.045, 0.01
"""Possible error of the form of any other law in several inputs, such as n and m.

Each is a standard deviation as a share of the range of ln error over the fitted points.  The first is per
unit of extrapolation (`Forecast.extrapolation`).  The second holds everywhere.  They were chosen on the
published grids of `errsrc.datasets`.  `benchmarks/forecasts.py` repeats the choice without each family of
grids, and scores the forecasts of the family that was left out."""
TAIL, GRID_TAIL = 6.0, 4.0
"""Degrees of freedom of the t distribution of a run around the curve: noise has heavier tails than normal.

The second is for the laws of `GRID_DOUBT`, chosen with it."""


PART = 100_000
"""Largest number of runs that are predicted at a time: 256 draws of their curves take 200 MB."""
SAMPLED = 10_000
"""The printed shares of the variance are means over at most this many runs."""
SHOWN = 50
"""Largest number of predictions that a printed table shows."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Result):
    """Predicted errors, each with an interval for one new run.

    Attributes
    ----------
    predicted, low, high : ndarray of float64
        Predicted errors and the ends of their intervals, of the shape of the inputs and in the units of the
        fitted errors.
    level : float
        Coverage of the intervals, in (0, 1).
    warnings : tuple of str
        Warnings about the fit behind the predictions, one sentence each.
    table : DataTable or None
        The table of the new runs, if they came as a table.
    left_out : tuple of LeftOut
        Rows of the table that could not be predicted, by reason.
    inputs : dict of str to ndarray of float64, shape (predictions,)
        Inputs of the predictions by name, flattened; the figure shows them.
    forecast : Forecast or None
        The fit that predicts; the figure of a single prediction shows its law.
    simultaneous : bool
        Whether the intervals are simultaneous intervals for all runs, as `joint` returns them.
    index : object
        The index of the pandas Series that the inputs came as; None for other inputs.
    """

    predicted: Array
    low: Array
    high: Array
    level: float
    warnings: tuple[str, ...]
    table: DataTable | None = None
    left_out: tuple[LeftOut, ...] = ()
    inputs: Mapping[str, Array] = field(default_factory=dict, kw_only=True)
    forecast: Forecast | None = field(default=None, kw_only=True, repr=False, compare=False)
    simultaneous: bool = field(default=False, kw_only=True)
    index: Any = field(default=None, kw_only=True, repr=False, compare=False)

    def columns(self) -> dict[str, Array]:
        """Return predicted, low and high by name, each of the shape of the inputs."""
        return {"predicted": self.predicted, "low": self.low, "high": self.high}

    def to_frame(self) -> Any:
        """Return predicted, low and high as a data frame.

        If the new runs came as a data frame, the result is a frame of the same library, with a row for each
        row of the table, and with the index of a pandas frame.  If the inputs came as pandas Series, it is a
        pandas frame with their index.  Otherwise the library is the first of pandas, polars and pyarrow that
        is installed.
        """
        columns = {name: np.ravel(x) for name, x in self.columns().items()}
        table = self.table
        if self.index is not None:
            return frame_of(columns, "pandas", self.index)
        return frame_of(columns) if table is None else frame_of(columns, table.library, table.index)

    @property
    def measured(self) -> dict[str, MeasuredRange]:
        """The measured range of each input, and how far the inputs of the predictions lie outside it.

        For laws in n and m, "6 n m" has the range of the cost.  The dict is empty without `forecast`.
        """
        return {} if self.forecast is None else size_ranges(self.forecast.inputs, self.inputs)

    @property
    def shares(self) -> dict[str, Array]:
        """Parts of the variance of each predicted ln error (`Forecast.variance_shares`), (predictions,) each.

        The parts are nan for rows without a prediction.  The dict is empty without `forecast`.
        """
        if self.forecast is None or not self.inputs:
            return {}
        usable = np.isfinite(np.ravel(self.predicted))
        out = {name: np.full(usable.size, np.nan) for name in ("form", "noise", "parameters")}
        if usable.any():
            inputs = {name: np.ravel(x)[usable] for name, x in self.inputs.items()}
            for name, share in self.forecast.variance_shares(**inputs).items():
                out[name][usable] = share
        return out

    @property
    def range_remarks(self) -> tuple[str, ...]:
        """Sentences on how far the inputs lie outside the measured range."""
        if self.forecast is None or not self.inputs:
            return ()
        usable = np.isfinite(np.ravel(self.predicted))
        inputs = {name: np.ravel(x)[usable] for name, x in self.inputs.items()}
        return (
            *range_sentence(self.measured),
            *both_sentence(larger_in_both(self.forecast.inputs, inputs)),
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on how far the inputs lie outside the measured range, and on the variance of ln error."""
        if self.forecast is None or not self.inputs:
            return ()
        usable = np.flatnonzero(np.isfinite(np.ravel(self.predicted)))
        some = usable[:: len(usable) // SAMPLED + 1]
        inputs = {name: np.ravel(x)[some] for name, x in self.inputs.items()}
        shares = self.forecast.variance_shares(**inputs) if len(some) else {}
        return (*self.range_remarks, *share_sentence(shares))

    def intervals(self) -> list[Interval]:
        """Return each prediction as an interval, in the order of the flattened arrays."""
        columns = (np.ravel(x).tolist() for x in (self.predicted, self.low, self.high))
        return [Interval(middle, low, high, self.level) for middle, low, high in zip(*columns, strict=True)]

    def mean(self, level: float | None = None) -> Interval:
        """Return the geometric mean of the errors of one run at each of the inputs, with an interval.

        The errors of the runs are correlated (`Forecast.run_samples`).  Therefore this interval is wider than
        it would be for independent errors.  Use it to judge the mean error of a group of runs, such as the
        largest runs of a sweep.

        Parameters
        ----------
        level : float, optional
            Coverage of the interval, in (0, 1); by default the level of the predictions.
        """
        level = self.level if level is None else LEVEL(level, "level", "Prediction.mean")
        centre, samples, _ = self._samples("mean")
        ends = np.quantile(samples.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        low, middle, high = np.exp([ends[0], centre.mean(), ends[1]]).tolist()
        return Interval(middle, min(low, middle), max(high, middle), level)

    def joint(self, level: float | None = None) -> Prediction:
        """Return the predictions with simultaneous intervals, which contain all runs at once.

        Each interval is widened, in ln error and by the same factor, until a share `level` of the joint
        samples of all runs (`Forecast.run_samples`) lies in all intervals.

        Parameters
        ----------
        level : float, optional
            Probability that all runs lie in their intervals, in (0, 1); by default the level of the
            predictions.
        """
        level = self.level if level is None else LEVEL(level, "level", "Prediction.joint")
        centre, samples, usable = self._samples("joint")
        ends = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0)
        below = np.maximum(centre - ends[0], 1e-12)
        above = np.maximum(ends[1] - centre, 1e-12)
        distance = np.where(samples < centre, (centre - samples) / below, (samples - centre) / above)
        factor = max(float(np.quantile(distance.max(axis=1), level)), 1.0)
        low, high = (np.full(self.predicted.size, np.nan) for _ in range(2))
        low[usable], high[usable] = np.exp([centre - factor * below, centre + factor * above])
        shape = self.predicted.shape
        below_all, above_all = low.reshape(shape), high.reshape(shape)
        return dataclasses.replace(self, low=below_all, high=above_all, level=level, simultaneous=True)

    def _samples(self, name: str) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return ln error of the central curve, joint samples of the runs, and which rows are predicted."""
        usable = np.isfinite(np.ravel(self.predicted))
        if self.forecast is None or not usable.any():
            accepted = "made by the `predict` of a fit, with at least one run"
            raise ValueError(checks.refusal("prediction", f"Prediction.{name}", accepted, "<another>"))
        inputs = {key: np.ravel(x)[usable] for key, x in self.inputs.items()}
        return np.log(np.ravel(self.predicted)[usable]), self.forecast.run_samples(**inputs), usable

    def headline(self) -> str:
        """Return the prediction, or the range of several predictions, as one line."""
        intervals = [one for one in self.intervals() if not np.isnan(one.estimate)]
        if len(intervals) < 2:
            return "".join(map(str, intervals))
        lowest, highest = (f(intervals, key=lambda one: one.estimate) for f in (min, max))
        return f"{len(intervals):,} predictions, from {lowest} to {highest}"

    def as_dict(self) -> dict[str, Any]:
        """Return the predictions as JSON values: a list for each column, None for rows that were left out."""
        shown = {"level": self.level, "warnings": self.warnings, "left_out": self.left_out}
        shown |= {"simultaneous": True} if self.simultaneous else {}
        shown |= {"measured": self.measured, "shares": self.shares} if self.forecast is not None else {}
        return {**json_value(self.columns()), **json_value(shown)}

    def content(self) -> list[str | TextTable]:
        """Return a table of the first predictions, and the warnings."""
        scope = "interval, for all runs at once" if self.simultaneous else "interval for one run"
        sizes = {name: np.ravel(x) for name, x in self.inputs.items() if np.size(x) == self.predicted.size}
        rows = [(*sizes, "predicted", f"{100 * self.level:.6g}% {scope}")]
        for k, one in enumerate(self.intervals()[:SHOWN]):
            predicted, _, ends = ("", "", "") if np.isnan(one.estimate) else str(one).partition(" ")
            rows.append((*(f"{x[k]:.6g}" for x in sizes.values()), predicted, ends))
        left = self.predicted.size - SHOWN
        more = [f"and {left:,} more"] if left > 0 else []
        more += [left_out_sentence(self.left_out, self.predicted.size)] if self.left_out else []
        more += self.remarks
        warnings = (f"warning: {text}" for text in self.warnings)
        return [TextTable(rows, "r" * len(sizes) + "rl", header=True), *more, *warnings]


class Forecast(Result, abc.ABC):
    """Base class of fits, averages of fits and chains of fits, which predict the errors of new runs.

    A forecast consists of a central curve, and of random draws of curves that the points also allow.  A
    subclass defines the attributes below and `log_errors`; predictions and plans follow from these.

    Attributes
    ----------
    input_names : tuple of str
        Names of the inputs.
    at_most : dict of str to float
        Largest allowed value of each input that has a limit (see `errsrc.laws.Law`).
    inputs : dict of str to ndarray, shape (points,)
        The measured inputs that the curve was fitted to, in the units of the given points.
    warnings : tuple of str
        Warnings about the fit, one sentence each.
    draw_count : int
        Number of draws of the curve.
    run_noise : float
        Standard deviation of ln error of one run around the mean curve.
    notes : dict
        Further JSON values that are stored with the fit, such as the names of the columns of its table.
    determined : bool
        False for a fit of one law in several sizes that the measured sizes do not determine; True for other
        forecasts.
    """

    notes: Mapping[str, Any] = MappingProxyType({})
    determined: bool = True

    @property
    def held(self) -> Mapping[str, float]:
        """Values of the parameters that were fixed instead of fitted; {} for chains of laws."""
        return {}

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Rows of the table that the fit did not use, by reason; () for a fit of arrays."""
        return noted_left_out(self.notes)[0]

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on how the table was read, such as how n was computed; they are not warnings."""
        said = self.notes.get("said", ())
        return tuple(map(str, said)) if isinstance(said, (list, tuple)) else ()

    @property
    def left_out_sentences(self) -> tuple[str, ...]:
        """One sentence that counts the rows that were left out; () if there are none."""
        _, sentence = noted_left_out(self.notes)
        return (sentence,) if sentence else ()

    if TYPE_CHECKING:
        # These are fields in some subclasses.  At run time a property here would become their default.
        @property
        def inputs(self) -> dict[str, Array]:
            """Measured inputs by name, float64 (points,) each."""

        @property
        def warnings(self) -> tuple[str, ...]:
            """Warnings about the fit, one sentence each."""

        @property
        def run_noise(self) -> float:
            """Standard deviation of ln error of one run around the mean curve."""

    @property
    @abc.abstractmethod
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs."""

    @property
    @abc.abstractmethod
    def at_most(self) -> Mapping[str, float]:
        """Largest allowed value of each input that has a limit."""

    @property
    @abc.abstractmethod
    def draw_count(self) -> int:
        """Number of draws of the curve."""

    @abc.abstractmethod
    def log_errors(self, inputs: Mapping[str, Array]) -> Array:
        """Return ln error of the central curve and of each draw; each curve has its own inputs.

        Parameters
        ----------
        inputs : dict of str to ndarray, shape (1 + draw_count, points)
            Inputs of the central curve in row 0, and of the k-th draw in row k.

        Returns
        -------
        ndarray of float64, shape (1 + draw_count, points)
            ln of the mean error over runs, with the error in the units of the fitted errors.
        """

    def curves(self, **inputs: ArrayLike) -> tuple[Array, Array]:
        """Return ln error of the central curve and of every draw.

        Parameters
        ----------
        **inputs : array_like
            An array for each of `input_names`: numbers > 0, and at most `at_most`, of shapes that broadcast.
            P is the number of entries of the broadcast shape.

        Returns
        -------
        centre : ndarray of float64, shape (P,)
            ln error of the central curve.
        draws : ndarray of float64, shape (draw_count, P)
            ln error of every draw.

        Raises
        ------
        TypeError, ValueError
            If an input is missing, unknown or out of range.
        """
        columns = self._columns(inputs, f"{type(self).__name__}.curves")
        return self._curves(columns)

    def predict(self, level: float = 0.9, *, data: Any = None, **inputs: ArrayLike) -> Prediction:
        """Return the error of one new run at each of the inputs, with an interval.

        The distribution of ln error is a mixture of t distributions, one around each draw of the curve.
        Their scale, `run_spread`, contains the noise of a run and the possible error of the law's form.

        Parameters
        ----------
        level : float
            Coverage of the intervals, in (0, 1).
        data : dict, data frame, str or Path, optional
            The new runs as a table, see `errsrc.fit`.  The columns must have the same names as in the fitted
            table, unless `inputs` give other names.
        **inputs : array_like, or str
            Without `data`, an array for each of the inputs in `input_names`.  The numbers must be > 0, and at
            most the input's limit in `at_most`, if the input has a limit.  The shapes must broadcast.  With
            `data`, the name of the input's column.

        Returns
        -------
        Prediction
            Arrays of the shape that the inputs broadcast to.  With `data`, the arrays have one entry for each
            row, in the order of the rows.  The entry is nan for a row that cannot be predicted; `left_out`
            counts these rows.

        Raises
        ------
        TypeError, ValueError
            If the level is outside (0, 1), if an input is missing, unknown or out of range, or if an input is
            so extreme that the predicted error is not a finite number.
        """
        where = f"{type(self).__name__}.predict"
        LEVEL(level, "level", where)
        if data is not None:
            return self.predict_table(as_table(data), columns_of(where, None, inputs), level=level)
        check_no_columns(where, 1.0, inputs)
        index = checks.shared_index(inputs, where)
        columns = self._columns(inputs, where)
        size = len(columns[self.input_names[0]])
        parts = []
        for part in np.array_split(np.arange(size), (size - 1) // PART + 1):  # each part has all its draws
            some = {name: x[part] for name, x in columns.items()}
            with np.errstate(all="ignore"):
                centre, draws = self._curves(some)
                ends = self.run_interval(some, centre, draws, (1 - level) / 2)
                parts.append(np.exp(np.stack([centre, *ends])))
        found = np.concatenate(parts, axis=1)
        bad = np.flatnonzero(~np.isfinite(found).all(axis=0))
        if len(bad):
            got = ", ".join(f"{name} = {x[bad[0]]:g}" for name, x in columns.items())
            accepted = "sizes at which the fit predicts a finite error with a finite interval"
            raise ValueError(checks.refusal("inputs", where, accepted, f"<{got}>"))
        shape = np.broadcast(*[np.asarray(inputs[name]) for name in self.input_names]).shape
        predicted, low, high = (x.reshape(shape) for x in found)
        options: dict[str, Any] = {"inputs": columns, "forecast": self}
        if index is not None and shape == (len(index),):
            options["index"] = index
        return Prediction(predicted, low, high, level, self.warnings, **options)

    def run_interval(
        self, inputs: Mapping[str, Array], centre: Array, draws: Array, tail: float
    ) -> tuple[Array, Array]:
        """Return the ends of intervals of ln error of one run, with a probability `tail` on each side.

        Parameters
        ----------
        inputs : dict of str to ndarray of float64, shape (points,)
            The sizes of the runs.
        centre : ndarray of float64, shape (points,)
            ln error of the central curve at these sizes.
        draws : ndarray of float64, shape (draw_count, points)
            ln error of every draw at these sizes.
        tail : float
            The probability, in (0, 1/2).

        Returns
        -------
        low, high : ndarray of float64, shape (points,)
            The ends.
        """
        spread = self.run_spread(centre, inputs)
        low, high = np.empty_like(centre), np.empty_like(centre)
        for part in np.array_split(np.arange(len(centre)), len(centre) // 500 + 1):
            sample = _mixture(draws[:, part], centre[part], spread[part], self.tail)
            low[part], high[part] = np.quantile(sample, [tail, 1 - tail], axis=0)
        return np.minimum(low, centre), np.maximum(high, centre)

    def predict_table(
        self,
        table: DataTable,
        columns: Mapping[str, str] | None = None,
        *,
        level: float = 0.9,
        strict: bool = False,
    ) -> Prediction:
        """Return a prediction for each row of a table, with nan for rows that cannot be predicted.

        Parameters
        ----------
        table : DataTable
            The new runs.
        columns : dict of str to str, optional
            {input: name of its column}, for inputs whose column has another name than in the fitted table.
        level : float
            Coverage of the intervals, in (0, 1).
        strict : bool
            Whether to raise ValueError for rows that cannot be predicted.

        Raises
        ------
        ValueError
            If a column is missing, if a cell is text that is no number, or if no row can be predicted.
        """
        inputs, usable, left_out = table_inputs(table, self.input_names, self.notes, columns, strict)
        found = self.predict(level, **inputs)
        full = np.full((3, len(table)), np.nan)
        full[:, usable] = found.predicted, found.low, found.high
        sizes = {name: np.full(len(table), np.nan) for name in inputs}
        for name, x in sizes.items():
            x[usable] = inputs[name]
        parts = (full[0], full[1], full[2], level, self.warnings, table, left_out)
        return Prediction(*parts, inputs=sizes, forecast=self)

    def variance_shares(self, **inputs: ArrayLike) -> dict[str, Array]:
        """Return how much each source of uncertainty contributes to the variance of a predicted ln error.

        Parameters
        ----------
        **inputs : array_like
            As for `curves`; P is the number of entries of the broadcast shape.

        Returns
        -------
        dict of str to ndarray of float64, shape (P,)
            The share of the variance by its source.  "form" is the possible error of the law's form, and
            "noise" is the noise of a run (`run_spread`).  "parameters" is the uncertainty of the parameters,
            whose standard deviation is half the width of the central 68% of the draws.  The three shares have
            the sum 1; without any uncertainty they are nan.
        """
        columns = self._columns(inputs, f"{type(self).__name__}.variance_shares")
        if (size := len(columns[self.input_names[0]])) > PART:
            rows = np.array_split(np.arange(size), (size - 1) // PART + 1)
            found = [self.variance_shares(**{k: x[part] for k, x in columns.items()}) for part in rows]
            return {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        centre, draws = self._curves(columns)
        noise = np.full(centre.shape, self.run_noise**2)
        form = np.maximum(self.run_spread(centre, columns) ** 2 - noise, 0.0)
        draws = np.where(np.isfinite(draws), draws, centre)
        low, high = np.quantile(draws, [0.16, 0.84], axis=0)
        parts = {"form": form, "noise": noise, "parameters": ((high - low) / 2) ** 2}
        total = sum(parts.values())
        with np.errstate(all="ignore"):
            return {name: np.asarray(part / total) for name, part in parts.items()}

    def points_table(self, error: Array) -> dict[str, Array]:
        """Return the points of the fit with the errors that the fit predicts, see `Fit.columns`.

        Parameters
        ----------
        error : ndarray of float64, shape (points,)
            Measured errors.
        """
        predicted = np.exp(self.curves(**self.inputs)[0])
        return {**self.inputs, "error": error, "predicted": predicted, "residual": error - predicted}

    def run_spread(self, logs: Array, inputs: Mapping[str, Array]) -> Array:
        """Return the scale of ln error of one run around a curve.

        The scale is sqrt(s^2 + f^2), where s is the noise of a run and f is the possible error of the law's
        form.  For a law in several sizes, f = r * sqrt(`NEAR_DOUBT`^2 + (`GRID_DOUBT` * `extrapolation`)^2),
        where r is the largest minus the smallest fitted ln error.  For other laws, f is a factor times the
        distance of `logs` from the range of the fitted ln errors.  The factor is `CURVE_DOUBT` for a law in
        one input, and `PRUNED_DOUBT` for a law of pruned networks.

        Parameters
        ----------
        logs : ndarray of float64
            ln error of the curve, of any shape.
        inputs : dict of str to ndarray of float64
            The inputs at which the curve has these errors, of shapes that broadcast to the shape of `logs`.

        Returns
        -------
        ndarray of float64
            The scale, of the same shape.
        """
        low, high = self.fitted_range
        if self._is_grid:
            doubt = (high - low) * np.hypot(NEAR_DOUBT, GRID_DOUBT * self.extrapolation(inputs))
        else:
            extrapolated = np.maximum(low - logs, 0.0) + np.maximum(logs - high, 0.0)
            doubt = extrapolated * (CURVE_DOUBT if len(self.input_names) == 1 else PRUNED_DOUBT)
        spread: Array = np.broadcast_to(np.hypot(self.run_noise, doubt), np.shape(logs))
        return spread

    @property
    def _is_grid(self) -> bool:
        """Whether the law has several inputs, all without a largest value; a density has a largest value."""
        return len(self.input_names) > 1 and not self.at_most

    def extrapolation(self, inputs: Mapping[str, Array]) -> Array:
        """Return how far inputs lie outside the fitted points, in widths of the fitted range.

        The fitted range of an input reaches from the smallest to the largest logarithm of the input over the
        fitted points.  The product of all inputs has such a range, too.  Each distance to a range is divided
        by the width of the range, which counts as at least ln 2.  The result is the largest quotient.  The
        product matters because a point can have a moderate n and a moderate m, but a larger n * m than all
        fitted points.

        Parameters
        ----------
        inputs : dict of str to ndarray of float64
            An array for each of `input_names`, of shapes that broadcast.

        Returns
        -------
        ndarray of float64
            0 inside the fitted ranges; 1 at a distance of one width from a range.
        """
        fitted = [np.log(self.inputs[name]) for name in self.input_names]
        asked = [np.log(inputs[name]) for name in self.input_names]
        shares = []
        for seen, x in ((sum(fitted), sum(asked)), *zip(fitted, asked, strict=True)):
            low, high = np.min(seen), np.max(seen)
            outside = np.maximum(low - x, 0.0) + np.maximum(x - high, 0.0)
            shares.append(outside / max(high - low, math.log(2.0)))
        return functools.reduce(np.maximum, shares)

    @property
    def tail(self) -> float:
        """Degrees of freedom of the t distribution of a run around the curve."""
        return GRID_TAIL if self._is_grid else TAIL

    @functools.cached_property
    def fitted_range(self) -> tuple[float, float]:
        """Smallest and largest ln error of the central curve at the points that it was fitted to."""
        centre, _ = self.curves(**self.inputs)
        return float(centre.min()), float(centre.max())

    def run_samples(self, **inputs: ArrayLike) -> Array:
        """Return joint samples of ln error of one new run at each of the inputs.

        Three things make the runs differ from the central curve.  The draw of the curve and the possible
        error of the law's form are shared by all runs of a sample: a law that is too high at one large size
        is too high at the next.  The noise of each run is independent.  For the error of the form, one random
        number is drawn in each sample and multiplied by the standard deviation of this error at each run.
        The correlation of this error between runs is therefore 1.  If the true correlation is smaller,
        intervals of means are too wide.  The error of the form and the noise of all runs of a sample are
        divided by the same chi variable.  Each run then has the t distribution of `predict` (the multivariate
        t distribution, Kotz and Nadarajah 2004).

        Parameters
        ----------
        **inputs : array_like
            As for `curves`; P is the number of entries of the broadcast shape.

        Returns
        -------
        ndarray of float64, shape (16 * draw_count, P)
            Samples, always the same for the same inputs.
        """
        columns = self._columns(inputs, f"{type(self).__name__}.run_samples")
        centre, draws = self._curves(columns)
        draws = np.where(np.isfinite(draws), draws, centre)
        spread = self.run_spread(centre, columns)
        doubt = np.sqrt(np.maximum(spread**2 - self.run_noise**2, 0.0))
        rng = np.random.default_rng(0)
        curves = np.repeat(draws, 16, axis=0)
        chi = np.sqrt(rng.chisquare(self.tail, size=(len(curves), 1)) / self.tail)
        shared = rng.standard_normal((len(curves), 1))
        own = self.run_noise * rng.standard_normal(curves.shape)
        return np.asarray(curves + (doubt * shared + own) / chi)

    def run_deviates(self) -> Array:
        """Return the deviation of one run from the curve for each draw, in units of `run_spread`.

        Returns
        -------
        ndarray of float64, shape (draw_count,)
            Evenly spaced quantiles of the t distribution, in an order that never changes.
        """
        quantiles = special.stdtrit(self.tail, (np.arange(self.draw_count) + 0.5) / self.draw_count)
        shuffled: Array = np.random.default_rng(0).permutation(quantiles)
        return shuffled

    def _curves(self, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return ln error of the central curve, (points,), and of every draw, (draw_count, points)."""
        rows = {name: np.broadcast_to(x, (1 + self.draw_count, len(x))) for name, x in columns.items()}
        with np.errstate(all="ignore"):
            logs = self.log_errors(rows)
        return logs[0], logs[1:]

    def _columns(self, inputs: Mapping[str, ArrayLike], where: str) -> dict[str, Array]:
        """Return the inputs as arrays of one length, (points,)."""
        arrays = checked_inputs(inputs, self.input_names, where, self.at_most).values()
        try:
            columns = [np.ravel(x) for x in np.broadcast_arrays(*arrays)]
        except ValueError:
            got = "<shapes " + ", ".join(str(x.shape) for x in arrays) + ">"
            raise ValueError(checks.refusal("inputs", where, "arrays that broadcast", got)) from None
        if not columns[0].size:
            raise ValueError(
                checks.refusal(self.input_names[0], where, "an array, not empty", "<no numbers>")
            )
        return dict(zip(self.input_names, columns, strict=True))


def _mixture(draws: Array, centre: Array, spread: Array, tail: float) -> Array:
    """Return a sample of the equal mixture of the t distributions around all draws of the curve.

    The deviates are stratified and always the same, so that a fit always predicts the same.

    Parameters
    ----------
    draws : ndarray of float64, shape (draw_count, points)
        ln error of each draw.
    centre : ndarray of float64, shape (points,)
        ln error of the central curve; it replaces the draws at points where all draws are nan.
    spread : ndarray of float64, shape (points,)
        Scale of the t distributions.
    tail : float
        Degrees of freedom of the t distributions.

    Returns
    -------
    ndarray of float64, shape (16 draw_count, points)
        Sampled ln errors.
    """
    draws = np.where(np.isnan(draws).all(axis=0), centre, draws)
    draws = np.where(np.isfinite(draws), draws, np.nanmedian(draws, axis=0))
    rng = np.random.default_rng(0)
    share = (np.arange(16) + rng.random((len(draws), 16))) / 16
    deviates = special.stdtrit(tail, share)
    return (draws[:, None, :] + deviates[:, :, None] * spread).reshape(-1, draws.shape[1])
