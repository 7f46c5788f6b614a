"""Fits of one law from many random starts, with intervals of the parameters and warnings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Choice, Flag, Integer, Number, Optional
from errsrc.errors import NoFit
from errsrc.fitting.anomalies import (
    all_far_rows,
    constant_sentence,
    drops_at_end,
    fall_and_peak,
    far_rows,
    far_sentence,
    flat_sentence,
    robust_residual,
    steep_fall_of_grid,
)
from errsrc.fitting.clusters import cluster_codes
from errsrc.fitting.data_arguments import (
    as_table,
    check_no_columns,
    cluster_columns,
    columns_of,
    measured_error,
)
from errsrc.fitting.diagnostics import (
    LARGEST_CONDITION,
    identifiability,
    rises_with,
    tied_optima,
    unexplained,
    warnings_of,
)
from errsrc.fitting.directions import check_falls
from errsrc.fitting.few_sizes import open_law
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.intervals import bootstrap, open_refits, parameter_intervals, plausible_refits
from errsrc.fitting.noise import above_largest, noise_around, robust_scale
from errsrc.fitting.optima import Optimum, from_starts, optimum
from errsrc.fitting.points import LAW_OR_NAME, NUMBERS, pose
from errsrc.fitting.problem import OBJECTIVES, Problem
from errsrc.fitting.table_notes import noted_library
from errsrc.fitting.table_points import TablePoints, table_points
from errsrc.fitting.thinning import thinned
from errsrc.laws import ALL
from errsrc.laws.broken import Broken
from errsrc.laws.broken2 import Broken2
from errsrc.laws.cliff import Cliff
from errsrc.laws.derivatives import check_error, compiled_error, equation
from errsrc.laws.finite_data import FiniteData
from errsrc.laws.law import Array, Law
from errsrc.results import HeldValue, Interval, TextTable, json_value
from errsrc.tables import frame_of
from errsrc.tables.measurements import TableRules

BOOTSTRAP_DRAWS = 256
"""Number of refits to resampled data, which give the intervals of predictions."""
DISCOUNT = "leave wrong rows out, or discount them by objective='huber', --objective huber"
"""What to do with rows far from a law that is fitted by least squares to all rows."""
LEARNED = 0.98
"""Errors above this share of the error of a random guess say nothing about the parameters of a law."""

HUBER = 1.0
"""Default threshold of the Huber loss, in robust standard deviations of the residuals."""


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Forecast):
    """A fitted law, with the intervals of its parameters and with warnings.

    Attributes
    ----------
    law : Law
        The fitted law, which predicts new runs.  Its parameters have the units of the given points.
    intervals : dict of str to Interval
        Estimates and intervals of the fitted parameters (see `errsrc.fitting.intervals`).  If the fit is a
        member of an average, they come from another fit than `law`, see `errsrc.fitting.average_intervals`.
    divergence_mean, divergence_std : float
        Mean and standard deviation over the points of the divergence (predicted - measured) / measured, as in
        Rosenfeld et al. 2020.
    objective : str
        What was minimised: "divergence", "log", "huber" or "absolute" (see `fit`).
    value : float
        The minimum of the objective, a weighted sum over the points.
    noise : float
        Standard deviation of ln error of the points around the law.
    run_noise : float
        Standard deviation of ln error of a new run around the law.  It is larger than `noise` if the points
        look like a running best: each point is then the lowest error at its own size and all smaller sizes.
    seed_noise : float
        Standard deviation of ln error between rows of equal inputs; nan if no two rows have equal inputs.
    starts : int
        Number of starts.
    agreement : float
        Share of the starts that ended at the optimum.
    ties : tuple of Law
        Laws with clearly different parameters that fit equally well within the noise.
    condition : float
        Condition number of the Jacobian in scaled coordinates at the optimum.
    draws : dict of str to ndarray of float64, shape (draw_count,)
        Parameters of the refits to resampled data, in the units of the given points.
    inputs : dict of str to ndarray of float64, shape (points,)
        Measured inputs by name, in the given units.
    error : ndarray of float64, shape (points,)
        Measured errors, in the given units.
    weights : ndarray of float64, shape (points,)
        Weights of the points, of mean 1.
    warnings : tuple of str
        Warnings about the fit, one sentence each.
    notes : dict
        Further JSON values that are stored with the fit, such as the names of the columns of its table.
    determined : bool
        Whether the measured sizes determine a law in several sizes; if not, a warning says so.
    """

    law: Law
    intervals: dict[str, Interval]
    divergence_mean: float
    divergence_std: float
    objective: str
    value: float
    noise: float
    run_noise: float
    seed_noise: float
    starts: int
    agreement: float
    ties: tuple[Law, ...]
    condition: float
    draws: dict[str, Array]
    inputs: dict[str, Array]
    error: Array
    weights: Array
    warnings: tuple[str, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    determined: bool = True

    @property
    def held(self) -> dict[str, float]:
        """Values of the parameters that were fixed instead of fitted, in the given units."""
        return {name: value for name, value in self.law.params.items() if name not in self.intervals}

    @property
    def estimates(self) -> dict[str, float]:
        """Estimates of the fitted parameters and values of the fixed parameters, in the given units.

        The estimates are the parameters of `law`, unless the fit is a member of an average.  In a member,
        `intervals` has the estimates.
        """
        found = {name: interval.estimate for name, interval in self.intervals.items()}
        return {name: found.get(name, value) for name, value in self.law.params.items()}

    @property
    def has_other_estimates(self) -> bool:
        """Whether the parameters of `law` differ from `estimates`, as in a member of an average."""
        pairs = zip(self.law.params.values(), self.estimates.values(), strict=True)
        return not all(math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12) for one, other in pairs)

    def parameter_text(self, name: str) -> str:
        """Return a parameter as text: its interval, or its value and "(held)".

        Parameters
        ----------
        name : str
            Name of the parameter.
        """
        return str(self.intervals.get(name, HeldValue.of(self.law.params[name], math.nan)))

    def headline(self) -> str:
        """Return the name of the law and its parameters, with their intervals, as one line."""
        shown = [f"{name} {self.parameter_text(name)}" for name in self.law.params]
        open_ = "" if self.determined else ", not determined by these points"
        return f"{records.name(type(self.law))}{open_}, {len(self.error)} points: {', '.join(shown)}"

    def content(self) -> list[str | TextTable]:
        """Return the law, its parameters with intervals, and the warnings as a table."""
        return [TextTable(self.lines(), "l")]

    def as_dict(self) -> dict[str, Any]:
        """Return the main numbers of the fit as JSON values.

        Returns
        -------
        dict of str
            The keys are "law" (the name of the law), "params" and "intervals" (dicts by parameter, in the
            units of the given points), "divergence" (mean and standard deviation of (predicted - measured) /
            measured), and "warnings".  An end of an interval that the points do not bound is None.  If there
            are any, the dict also has "left_out" (the rows of a table that were not used), "remarks" (on how
            the table was read), and "held" (the names of the parameters that were fixed instead of fitted).
            If the measured sizes do not determine the law, the dict has "determined", which is False.
            "params" has the `estimates`.  If the parameters of `law` differ from them, "forecast_params" has
            the parameters of `law`.
        """
        left_out: dict[str, Any] = {"left_out": json_value(self.left_out)} if self.left_out else {}
        left_out |= {"remarks": list(self.remarks)} if self.remarks else {}
        left_out |= {"held": list(self.held)} if self.held else {}
        left_out |= {} if self.determined else {"determined": False}
        if self.has_other_estimates:
            left_out["forecast_params"] = json_value(self.law.params)
        return {
            "law": records.name(type(self.law)),
            "params": json_value(self.estimates),
            "intervals": {name: json_value([i.low, i.high]) for name, i in self.intervals.items()},
            "divergence": json_value({"mean": self.divergence_mean, "std": self.divergence_std}),
            "warnings": list(self.warnings),
            **left_out,
        }

    def lines(self, warnings: Sequence[str] | None = None) -> list[tuple[str, str]]:
        """Return the lines that `str` shows, as pairs of a name and a text.

        Parameters
        ----------
        warnings : sequence of str, optional
            Sentences to show instead of the fit's own warnings.
        """
        lines = [("law", f"{records.name(type(self.law))}: {equation(type(self.law))}")]
        if not self.determined:
            lines.append(("", "not determined by these points: do not rely on the intervals below"))
        for size, unit in self.law.references.items():
            lines.append(("", f"{size} counts in units of {unit} = {self.law.reference(size):g}"))
        lines.append(("points", str(len(self.error))))
        lines += [("", sentence) for sentence in (*self.left_out_sentences, *self.remarks)]
        for interval in list(self.intervals.values())[:1]:
            lines.append(("", f"{100 * interval.level:.6g}% intervals:"))
        for name in self.law.params:
            lines.append((name, self.parameter_text(name)))
        if self.has_other_estimates:
            shown = ", ".join(f"{name} {value:.4g}" for name, value in self.law.params.items())
            lines.append(("forecasts", f"from a fit that gives large sizes more weight: {shown}"))
        noise = "" if math.isnan(self.seed_noise) else f"; seed noise {self.seed_noise:.3g}"
        spread = f"mean {self.divergence_mean:.3g}, std {self.divergence_std:.3g}{noise}"
        lines.append(("divergence", f"{spread} (relative to the error)"))
        return lines + [
            ("warning", sentence) for sentence in (self.warnings if warnings is None else warnings)
        ]

    def columns(self) -> dict[str, Array]:
        """Return the fitted points as a dict of arrays, sorted by their inputs.

        Returns
        -------
        dict of str to ndarray of float64, shape (points,)
            The keys are the names of the inputs, "error" (the measured error), "predicted" (the error of the
            law), and "residual" (the measured minus the predicted error).
        """
        return self.points_table(self.error)

    def to_frame(self) -> Any:
        """Return `columns` as a data frame.

        If the points came as a data frame, the result is a frame of the same library.  Otherwise the library
        is the first of pandas, polars and pyarrow that is installed.
        """
        return frame_of(self.columns(), noted_library(self.notes))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs of the law."""
        return self.law.inputs

    @property
    def at_most(self) -> Mapping[str, float]:
        """Largest allowed value of each input that has a limit."""
        return self.law.at_most

    @property
    def draw_count(self) -> int:
        """Number of refits to resampled data."""
        return len(next(iter(self.draws.values())))

    def log_errors(self, inputs: Mapping[str, Array]) -> Array:
        """Return ln error of the law and of each refit, see `Forecast.log_errors`.

        Parameters
        ----------
        inputs : dict of str to ndarray, shape (1 + draw_count, points)
            Row 0 has the inputs of the fitted law, and each other row has the inputs of one refit.
        """
        code = compiled_error(type(self.law))
        points = [inputs[name] / self.law.reference(name) for name in self.law.inputs]
        values = [np.concatenate([[v], self.draws[name]])[:, None] for name, v in self.law.params.items()]
        return np.log(np.broadcast_to(code(*points, *values), points[0].shape))


class FitOptions(NamedTuple):
    """How one law is fitted.

    Attributes
    ----------
    fixed, constants, bounds, keep_far, objective, huber_delta, starts, level, seed
        The arguments of `fit` with these names.
    """

    fixed: Mapping[str, float] | None = None
    constants: Mapping[str, float] | None = None
    bounds: Mapping[str, tuple[float, float]] | None = None
    keep_far: bool = False
    objective: str = "divergence"
    huber_delta: float | None = None
    starts: int = 32
    level: float = 0.9
    seed: int = 0


@checks.arguments(
    law=LAW_OR_NAME,
    fixed=NUMBERS,
    constants=NUMBERS,
    bounds=NUMBERS,
    accuracy=Flag(),
    strict=Flag(),
    test_size=Optional(Integer(at_least=1)),
    best_of=Flag(),
    keep_far=Flag(),
    objective=Choice(OBJECTIVES),
    huber_delta=Optional(Number(above=0)),
    starts=Integer(at_least=1),
    level=LEVEL,
    seed=SEED,
)
@np.errstate(all="ignore")
def fit(
    law: type[Law] | str,
    error: ArrayLike | None = None,
    *,
    data: Any = None,
    accuracy: bool = False,
    strict: bool = False,
    test_size: int | None = None,
    best_of: bool = False,
    keep_far: bool = False,
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | str | Sequence[str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    objective: str = "divergence",
    huber_delta: float | None = None,
    starts: int = 32,
    level: float = 0.9,
    seed: int = 0,
    **inputs: ArrayLike,
) -> Fit:
    """Fit a law to measured errors.

    Parameters
    ----------
    law : type of Law or str
        The class to fit: one of ``errsrc.laws.ALL``, or your own.
    error : array_like, shape (points,), or str
        Measured errors, > 0, in any unit.  Rows of equal inputs are repeated seeds.  With `data`, the name of
        a column, "error" by default.
    data : dict, data frame, str or Path, optional
        The points as a table: a dict of columns, a data frame of pandas, polars or pyarrow, or the path of a
        file (`errsrc.tables.read_table`).  The error, the weights and the inputs are then names of columns;
        by default, each input is in the column with its name.  Rows that cannot be used are left out, and
        listed in `Fit.left_out`.
    accuracy : bool
        Whether `error` holds accuracies.  The errors are then 1 - accuracy, or 1 - accuracy / 100 if any
        value exceeds 1.
    strict : bool
        Whether to raise ValueError for rows of `data` that cannot be used, instead of leaving them out.
    test_size : int, optional
        Number of test examples.  If it is given, an error of 0 in `data` is replaced by 1 / (2 * test_size).
        Otherwise rows with an error of 0 are left out.
    best_of : bool
        Whether to keep only the best of all rows of `data` with the same inputs, such as the best of several
        learning rates.  `errsrc.fitting.best_rows` does the same for arrays.
    keep_far : bool
        Whether to fit rows that are far from the law, such as runs that diverged.  By default fits by least
        squares leave these rows out, like `errsrc.auto`, and a warning names them
        (`errsrc.fitting.anomalies.far_rows`).  Fits by "huber" always keep and discount these rows.  The last
        row of a curve is kept if it is far below the law, because the curve may have a cliff there.
    fixed : dict of str to float, optional
        Values of parameters that are not fitted, in the given units, such as ``{"eps0": 0.9}``.
    constants : dict of str to float, optional
        Constants of the law that state the unit of an input, such as ``{"n_full": 50_000}``.  The default of
        a constant is the largest value of its input.
    weights : array_like, shape (points,), or str, optional
        Relative weights, > 0, such as inverse variances (`seed_weights`); all equal by default.
    clusters : array_like, shape (points,), or str or sequence of str, optional
        A label for each point.  The noise of points with equal labels may be correlated.  For example, give
        equal labels to the levels of one pruned network, or to the evaluations of one training run.  The
        intervals then count clusters instead of points (`errsrc.fitting.clusters`).  With `data`, the names
        of the columns that tell clusters apart.
    bounds : dict of str to (float, float), optional
        {parameter: (low, high)}, the range in which the parameter is searched, in the given units.  A
        parameter whose unit depends on an exponent, such as A in A m^-alpha, cannot have bounds.
    objective : str
        What to minimise: "divergence", squares of (predicted - measured) / measured, as in Rosenfeld et al.
        2020; "log", squares of ln (predicted / measured); "huber", Huber losses of the same logarithm, as in
        Hoffmann et al. 2022; "absolute", squares of predicted - measured.
    huber_delta : float, optional
        Threshold of the Huber loss in ln error, > 0; 1e-3 in Hoffmann et al.  The default is one robust
        standard deviation of the residuals of the "log" fit.
    starts : int
        Number of random starts, >= 1.  Four times as many starts are tried if fewer than two starts agree, or
        if the law has more than 8 free parameters.
    level : float
        Coverage of the parameters' intervals, in (0, 1).
    seed : int
        Seed of the starts and of the resampling, >= 0.  Equal seeds give equal fits.
    **inputs : array_like, shape (points,), or str
        An array, or a single number, for each input of the law: numbers > 0.  With `data`, names of columns.

    Returns
    -------
    Fit
        The fitted law.  It predicts new runs (`Fit.predict`).

    Raises
    ------
    TypeError, ValueError
        If an input is missing or unknown, if a value is not finite and > 0, if arrays have different lengths,
        if the inputs do not vary independently, or if there are not more points than free parameters.
    NoFit
        If no start converged, if the law itself rejects the optimum (`Law.complaint`), or if the optimum fits
        worse than a constant.  The exception has the best law that was found.

    Notes
    -----
    A fit of 5 parameters to 240 points from 32 starts takes about 0.1 s of one core.

    Examples
    --------
    >>> from errsrc.laws import Power
    >>> n = [100, 200, 400, 800, 1600, 3200]
    >>> found = fit(Power, [0.303, 0.240, 0.202, 0.170, 0.152, 0.134], n=n)
    >>> print(found.intervals["alpha"])
    0.49 [0.40, 0.59]
    >>> round(float(found.predict(n=12_800).predicted), 3)
    0.117
    >>> table = {"tokens": n, "loss": [0.303, 0.240, 0.202, None, 0.152, 0.134]}
    >>> fit(Power, data=table, error="loss", n="tokens").left_out
    (LeftOut(reason='without an error', rows=(3,), unit='row'),)
    """
    law = LAW_OR_NAME(law, "law", "fit")
    options = FitOptions(fixed, constants, bounds, keep_far, objective, huber_delta, starts, level, seed)
    if data is not None:
        columns = columns_of("fit", error, inputs, weights)
        rules = TableRules(accuracy, strict, test_size, best_of)
        names = cluster_columns(clusters, "fit")
        return fit_table(table_points(as_table(data), law, columns, fixed, rules, names), options)
    check_no_columns("fit", error, inputs, weights)
    error = measured_error(error, inputs, accuracy, f"fit({law.__name__})", _falls(law))
    return fit_points(law, error, inputs, weights, clusters, options)


def fit_table(points: TablePoints, options: FitOptions) -> Fit:
    """Fit a law to the points of a table.

    Parameters
    ----------
    points : TablePoints
        The points, with their law and with the parameters that are fixed.
    options : FitOptions
        How the law is fitted.  ``points.fixed`` replaces ``options.fixed``.

    Raises
    ------
    TypeError, ValueError, NoFit
        As `fit` does.  The messages name the rows of the table that were left out.
    """
    assert points.law is not None
    own = options._replace(fixed=points.fixed, constants=points.constants(options.constants))
    with points.failing():
        return points.noted(
            fit_points(points.law, points.error, points.inputs, points.weights, points.clusters, own)
        )


@np.errstate(all="ignore")
def fit_points(
    law: type[Law],
    error: Array,
    inputs: Mapping[str, ArrayLike],
    weights: ArrayLike | None,
    clusters: ArrayLike | None,
    options: FitOptions,
) -> Fit:
    """Fit a law to errors that `measured_error` or a table has already checked.

    Parameters
    ----------
    law : type of Law
        The class to fit.
    error : ndarray of float64, shape (points,)
        Measured errors, > 0.
    inputs : dict of str to array_like, shape (points,)
        Inputs by name.
    weights, clusters : array_like, shape (points,), optional
        Relative weights, and a label for each point, as in `fit`.
    options : FitOptions
        How the law is fitted.

    Raises
    ------
    TypeError, ValueError, NoFit
        As `fit` does.
    """
    codes = None if clusters is None else cluster_codes(clusters, "fit")
    objective, given_delta, seed = options.objective, options.huber_delta, options.seed
    check_huber_delta(given_delta, objective, "fit")
    delta = 1.0 if given_delta is None else given_delta
    more = {} if codes is None else {"clusters": codes}
    error, inputs, weights, thinning = thinned(error, {**inputs, **more}, weights)
    kept = None if codes is None else np.asarray(inputs.pop("clusters"))
    problem = pose(
        law,
        error,
        inputs,
        options.fixed,
        options.constants,
        weights,
        options.bounds,
        objective,
        delta,
        kept,
    )
    if _falls(law) and (constant := constant_sentence(problem)) is not None:
        raise NoFit(constant)
    first = problem.starts(options.starts * (4 if len(problem.free) > 8 else 1), seed)
    if objective == "huber" and given_delta is None:
        squares = dataclasses.replace(problem, objective="log")
        found = from_starts(squares, first)
        first = found.z
        residual = squares.residuals(first[[found.cost.argmin()]], squares.error)[0][0]
        delta = max(HUBER * robust_scale(residual, problem.weights), 1e-9)
        problem = dataclasses.replace(problem, huber_delta=delta)
    try:
        best = optimum(problem, first, seed)
    except NoFit as failure:
        reasons = _anomalies(problem, np.zeros(len(problem.error), dtype=bool))
        raise NoFit(" ".join([str(failure), *reasons]), failure.best) from None
    far = far_rows(problem, best.z)
    if far.any() and objective == "huber" and given_delta is None:  # far rows have widened the threshold
        delta = max(HUBER * robust_scale(robust_residual(problem, best.z), problem.weights), 1e-9)
        problem = dataclasses.replace(problem, huber_delta=delta)
        best = optimum(problem, first, seed)
    if far.any() and objective != "huber" and not options.keep_far:
        without = _without_far(problem, best, options)
        if without is not None:
            return dataclasses.replace(without, warnings=(*thinning, *without.warnings))
    fitted = describe(best, options.level, BOOTSTRAP_DRAWS, seed)
    if thinning:
        fitted = dataclasses.replace(fitted, warnings=(*thinning, *fitted.warnings))
    if _falls(law) and (flat := flat_sentence(problem, _log_residual(fitted), far)) is not None:
        return dataclasses.replace(fitted, warnings=(flat, *fitted.warnings))
    return fitted


def _without_far(problem: Problem, best: Optimum, options: FitOptions) -> Fit | None:
    """Return the fit without the rows that are far from the law; None if these rows must stay.

    All these rows stay if the other rows do not allow a fit, or if most of the others have the error of a
    random guess: such rows fit the law exactly whatever its parameters are.  The rows at the largest n of a
    curve stay if they may be right.
    """
    far = all_far_rows(problem, best.z)
    if drops_at_end(problem, robust_residual(problem, best.z), far):
        far &= problem.measured["n"] < problem.measured["n"].max()
        if not far.any():
            return None
    near = problem.of_rows(np.flatnonzero(~far))
    guess = (options.fixed or {}).get(problem.law.largest_error_name or "")
    if guess is not None and (near.measured["error"] < LEARNED * guess).sum() <= len(problem.free):
        return None
    sizes = {name: near.measured[name] for name in problem.law.inputs}
    error, keeping = near.measured["error"], options._replace(keep_far=True)
    try:
        if _falls(problem.law):
            check_falls(error, sizes, accuracy=False)
        found = fit_points(problem.law, error, sizes, near.weights, near.clusters, keeping)
    except (NoFit, ValueError):
        return None
    sentence = far_sentence(problem, far, "the law, and were left out of the fit")
    return dataclasses.replace(found, warnings=(sentence, *found.warnings))


def check_huber_delta(huber_delta: float | None, objective: str | None, where: str) -> None:
    """Raise ValueError if a threshold of Huber's loss is not > 0, or is given for another objective.

    Parameters
    ----------
    huber_delta : float or None
        The threshold.
    objective : str or None
        The objective; None for the default.
    where : str
        Name of the calling function, for messages.
    """
    Optional(Number(above=0))(huber_delta, "huber_delta", where)
    if huber_delta is not None and objective != "huber":
        accepted = "left out unless objective is 'huber'"
        raise ValueError(checks.refusal("huber_delta", where, accepted, huber_delta))


def _falls(law: type[Law]) -> bool:
    """Return whether a law of errsrc falls wherever its inputs grow."""
    return law in ALL.values() and law not in (Broken, Broken2, FiniteData)


def _log_residual(found: Fit) -> Array:
    """Return ln (predicted / measured error) of the points of a fit."""
    return np.log(found.law.error(**found.inputs) / found.error)


def describe(
    found: Optimum,
    level: float,
    draws: int,
    seed: int,
    intervals: Mapping[str, Interval] | None = None,
    where: str = "",
) -> Fit:
    """Return the fit for a solved problem, with intervals, refits and warnings.

    Parameters
    ----------
    found : Optimum
        The best parameters that the search found, with their problem.
    level : float
        Coverage of the intervals, in (0, 1).
    draws : int
        Number of refits to resampled data.
    seed : int
        Seed of the resampling.
    intervals : dict of str to Interval, optional
        Estimates and intervals of the parameters, by default the intervals of `parameter_intervals`.
    where : str
        Name of the function that the user called, such as "auto", for messages.  If it is "", the messages
        name `fit` and the law, such as "fit(Chinchilla)".

    Raises
    ------
    NoFit
        If the law rejects the optimum (`Law.complaint`), or if the optimum fits worse than a constant.
    """
    problem, z = found.problem, found.z
    law = problem.law_at(z)
    if (complaint := law.complaint()) is not None:
        raise NoFit(complaint, law)
    divergence = problem.error_at(z[None, :], problem.inputs)[0][0] / problem.error - 1
    check_error(law, problem.measured, problem.measured["error"] * (1 + divergence))
    residual = np.log1p(divergence)
    far = far_rows(problem, z)
    anomalies = _anomalies(problem, far)
    unexplained_share = unexplained(problem, residual, far)
    if problem.objective != "huber":  # far rows have moved the law
        unexplained_share = max(unexplained_share, unexplained(problem, residual, np.zeros_like(far)))
    if unexplained_share > 1:
        flat = flat_sentence(problem, residual, far) if _falls(type(law)) else None
        name = f"The {type(law).__name__} law" if not where else "Each law of the average"
        worse = flat or f"{name} fits these points worse than a constant does.{rises_with(problem)}"
        raise NoFit(" ".join([worse, *anomalies]), law, anomalies)
    kept = above_largest(problem, z, found.cost, where)
    noise = noise_around(problem, z, residual, far)
    refits = bootstrap(problem, z, draws, seed, tied_optima(found))
    if intervals is None:
        intervals = parameter_intervals(problem, z, refits, noise.residual, level)
    open_ = [name for name, interval in intervals.items() if not interval.determined]
    if problem.law.places and set(open_) & set(problem.law.slopes):
        refits = plausible_refits(problem, z, draws, seed, open_)
        anomalies.append(
            f"The points do not show how the error moves beyond {problem.law.places[0]}: intervals of "
            "forecasts there take all plausible values into account."
        )
    facts, is_open = identifiability(found), False
    if exponents := _fitted_exponents(problem, intervals):
        is_open = facts.condition > LARGEST_CONDITION or not all(intervals[e].determined for e in exponents)
        if is_open or problem.few_sizes:
            refits = open_refits(problem, z, draws, seed)
        if is_open:
            anomalies.append(open_law(problem))
    values = problem.natural().values(problem.shift(refits))
    return Fit(
        law=law,
        intervals=dict(intervals),
        divergence_mean=float(divergence.mean()),
        divergence_std=float(divergence.std()),
        objective=problem.objective,
        value=found.cost,
        noise=noise.residual,
        run_noise=noise.run,
        seed_noise=noise.seeds,
        starts=len(found.solution.cost),
        agreement=facts.agreement,
        ties=facts.ties,
        condition=facts.condition,
        draws={name: v[:, 0] for name, v in values.items()},
        inputs={name: problem.measured[name] for name in law.inputs},
        error=problem.measured["error"],
        weights=problem.weights,
        warnings=(
            *anomalies,
            *warnings_of(found, intervals, noise, unexplained_share, facts),
            *([] if kept is None else [kept]),
        ),
        determined=not is_open,
    )


def _fitted_exponents(problem: Problem, intervals: Mapping[str, Interval]) -> set[str]:
    """Return the fitted exponents of a single law in several sizes; none for the laws of an average."""
    law = problem.law
    if problem.prior > 0 or len(law.inputs) < 2 or law.at_most or law.places:
        return set()
    names = (law.data_exponent_name, law.model_exponent_name)
    return {name for name in names if name is not None and name in intervals}


def _anomalies(problem: Problem, far: NDArray[np.bool_]) -> list[str]:
    """Return a sentence on rows that are far from the law, and on a fall to rounding or a peak along n."""
    out: list[str] = []
    if far.any():
        done = "were discounted" if problem.objective == "huber" else f"pull the fit ({DISCOUNT})"
        out.append(far_sentence(problem, far, f"the law, and {done}"))
    if problem.law.inputs == ("n",) and _falls(problem.law):
        n, error = problem.measured["n"][~far], problem.measured["error"][~far]
        out += fall_and_peak(n, error, fall=problem.law is not Cliff)
    sizes = {name: problem.measured[name] for name in problem.law.inputs}
    if (sentence := steep_fall_of_grid(sizes, problem.measured["error"])) is not None:
        out.append(sentence)
    return out
