"""The default estimator: several laws, fitted to the same points and averaged."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Flag, Integer, Number, Optional, PositiveArray
from errsrc.errors import NoFit
from errsrc.fitting import asymptotes
from errsrc.fitting.anomalies import (
    SHAPE,
    FarRows,
    all_far_rows,
    constant_sentence,
    drops_at_end,
    far_sentence,
    flat_sentence,
    hiding_row,
    never_falls,
    robust_residual,
    steep_fall,
    steep_fall_of_grid,
)
from errsrc.fitting.average_intervals import (
    PLAUSIBLE,
    LawEvidence,
    average_intervals,
    law_evidence,
    least_squares,
    noise_precisions,
    user_weights,
)
from errsrc.fitting.clusters import cluster_codes
from errsrc.fitting.data_arguments import (
    as_table,
    check_no_columns,
    cluster_columns,
    columns_of,
    measured_error,
)
from errsrc.fitting.diagnostics import Undetermined
from errsrc.fitting.few_sizes import few_sizes_sentences
from errsrc.fitting.forecasts import Forecast
from errsrc.fitting.noise import AboveLargest, local_scale, residual_scale, robust_scale
from errsrc.fitting.one_law import BOOTSTRAP_DRAWS, HUBER, Fit, describe
from errsrc.fitting.optima import Optimum, from_starts, optimum
from errsrc.fitting.points import NUMBERS, check_largest, pose
from errsrc.fitting.problem import PRIOR_MEDIAN, PRIOR_WIDTH, Problem
from errsrc.fitting.table_notes import noted_library
from errsrc.fitting.table_points import table_points
from errsrc.fitting.thinning import kept_rows
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.coupled import Coupled
from errsrc.laws.coupled_dense import CoupledDense
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Array, Law, checked_inputs
from errsrc.laws.m4 import M4
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning
from errsrc.results import Interval, TextTable, json_value, percent
from errsrc.tables import frame_of
from errsrc.tables.measurements import TableRules

AVERAGED_LAWS: dict[tuple[str, ...], tuple[type[Law], ...]] = {
    ("n",): (Power, Envelope, M4),
    ("n", "m"): (Chinchilla, Coupled, Dense, CoupledDense),
    ("density",): (Pruning,),
    ("density", "depth", "width", "eps_np"): (JointPruning,),
}
"""The laws that `auto` averages, by their inputs."""
NEEDED: dict[type[Law], str] = {Dense: "eps0", CoupledDense: "eps0"}
"""Laws that are averaged only where this parameter is fixed.

Away from random guess the dense law has one parameter more than the points determine."""
RECENCY: dict[tuple[str, ...], dict[str, float]] = {
    ("n",): {"n": 1.0},
    ("n", "m"): {"n": 0.25, "m": 0.25},
    ("density",): {"density": -0.25},
    ("density", "depth", "width", "eps_np"): {"density": -0.25},
}
"""The weight of a point is proportional to these powers of its inputs.

Points of large sizes and small densities have the largest weights: they are nearest to the extrapolations."""
EXPONENT_BOUNDS = (0.02, 1.0)
"""Bounds of the exponents: an excess error falls no faster than the parametric rate, 1 / n."""
PARAMETER_BOUNDS = {
    "alpha": EXPONENT_BOUNDS,
    "beta": EXPONENT_BOUNDS,
    "gamma": (0.05, 8.0),
    "k": (0.05, 1.5),
}
"""Bounds of parameters, by name, in every law with a parameter of this name."""
SHARPNESS: dict[tuple[str, ...], float] = {("n",): 0.1, ("n", "m"): 0.5}
"""How strongly the quality of its fit decides the weight of a law, by inputs; 1 for other inputs.

At 1 every point counts as independent evidence for a law.  Points of one curve or grid are not: all share the
error of the form of the law, and the law that fits them best is often not the one that extrapolates best.
`benchmarks/forecasts.py` compares values on extrapolations of published curves and grids."""
STARTS_PER_LAW = 12
"""Number of random starts for each law."""


@dataclass(frozen=True, eq=False, repr=False)
class AveragedFit(Forecast):
    """Fits of several laws to the same points, averaged in ln error.

    Attributes
    ----------
    members : tuple of Fit
        The fits; the fit with the largest weight is first.
    weights : tuple of float
        Weights of the fits, with the sum 1.
    warnings : tuple of str
        Warnings about the fits, one sentence each.
    notes : dict
        Further JSON values that are stored with the fit, such as the names of the columns of its table.
    limits : dict of str to Interval
        Intervals of the average's exponents (keys "n" and "m") and of its floor (key "floor"), see
        `errsrc.fitting.average_intervals`.  The dict is empty if the laws have no exponents, or if the
        average comes from a file of errsrc 0.1.
    """

    members: tuple[Fit, ...]
    weights: tuple[float, ...]
    warnings: tuple[str, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def asymptotes(self) -> Mapping[str, Interval]:
        """The exponents and the floor that `str` shows: `limits`, or combined intervals of the laws."""
        found = self.limits or asymptotes.old_limits(self.members, self.weights)
        return asymptotes.with_held(found, self.members)

    @property
    def held(self) -> dict[str, float]:
        """Values of the parameters that are fixed in every law that has them, in the given units."""
        fitted = {name for fit in self.members for name in fit.intervals}
        every = {name: value for fit in self.members for name, value in fit.held.items()}
        return {name: value for name, value in every.items() if name not in fitted}

    def headline(self) -> str:
        """Return the weights of the laws, and the exponents and the floor of the average, as one line."""
        found = self.asymptotes
        names = {name: name if name == "floor" else f"exponent of {name}" for name in found}
        shown = [f"{names[name]} {interval}" for name, interval in found.items()]
        if not shown:
            return self.members[0].headline()
        return f"{self._shares()}; {len(self.members[0].error)} points: {', '.join(shown)}"

    def content(self) -> list[str | TextTable]:
        """Return the exponents, the floor, the laws' weights, the law of largest weight, and the warnings."""
        average = asymptotes.summary_lines(self.members, self.weights, self.limits)
        average.append(("average of", f"{self._shares()}; the first is shown"))
        left_out = [("", sentence) for sentence in (*self.left_out_sentences, *self.remarks)]
        return [TextTable([*average, *left_out, *self.members[0].lines(self.warnings)], "l")]

    def as_dict(self) -> dict[str, Any]:
        """Return the main numbers as JSON values.

        Returns
        -------
        dict of str
            The entries of `Fit.as_dict` for the fit with the largest weight.  The entry "average" has the
            weights of the laws, and the exponents and the floor of the average.
        """
        names = [records.name(type(fit.law)) for fit in self.members]
        found = self.asymptotes
        average = {
            "weights": dict(zip(names, self.weights, strict=True)),
            "exponents": {name: one for name, one in found.items() if name != "floor"},
            "floor": found.get("floor"),
        }
        left_out: dict[str, Any] = {"left_out": json_value(self.left_out)} if self.left_out else {}
        left_out |= {"remarks": list(self.remarks)} if self.remarks else {}
        shown = {"average": json_value(average), "warnings": list(self.warnings)}
        return self.members[0].as_dict() | shown | left_out

    def _shares(self) -> str:
        names = [records.name(type(fit.law)) for fit in self.members]
        return ", ".join(f"{name} {percent(w)}" for name, w in zip(names, self.weights, strict=True))

    def columns(self) -> dict[str, Array]:
        """Return the points as a table, sorted by their inputs, see `Fit.columns`."""
        return self.points_table(self.members[0].error)

    def to_frame(self) -> Any:
        """Return `columns` as a data frame, see `Fit.to_frame`."""
        return frame_of(self.columns(), noted_library(self.notes))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs of the laws."""
        return self.members[0].input_names

    @property
    def at_most(self) -> Mapping[str, float]:
        """Largest allowed value of each input that has a limit."""
        return self.members[0].at_most

    @property
    def inputs(self) -> dict[str, Array]:
        """Measured inputs by name, float64 (points,) each, in the given units."""
        return self.members[0].inputs

    @property
    def draw_count(self) -> int:
        """Number of draws of all members; each member has a share in proportion to its weight."""
        return sum(f.draw_count for f in self.members)

    @property
    def run_noise(self) -> float:
        """Standard deviation of ln error of one run around the mean curve."""
        squares = [w * f.run_noise**2 for w, f in zip(self.weights, self.members, strict=True)]
        return float(np.sqrt(sum(squares)))

    def log_errors(self, inputs: Mapping[str, Array]) -> Array:
        """Return ln error of the average and of each draw of the members, see `Forecast.log_errors`.

        Parameters
        ----------
        inputs : dict of str to ndarray, shape (1 + draw_count, points)
            Row 0 has the inputs of the average, and each other row has the inputs of one draw.
        """
        centre = np.zeros((1, next(iter(inputs.values())).shape[1]))
        rows: list[Array] = []
        first = 1
        for weight, member in zip(self.weights, self.members, strict=True):
            last = first + member.draw_count
            own = {name: np.concatenate([x[:1], x[first:last]]) for name, x in inputs.items()}
            logs = member.log_errors(own)
            centre = centre + weight * logs[:1]
            rows.append(logs[1:])
            first = last
        return np.concatenate([centre, *rows])


def limits_of(forecast: Forecast) -> Mapping[str, Interval]:
    """Return `AveragedFit.limits` of an average of fits; an empty dict for other forecasts.

    Parameters
    ----------
    forecast : Forecast
        Any forecast.
    """
    return forecast.asymptotes if isinstance(forecast, AveragedFit) else {}


@functools.singledispatch
def weighted_fits(forecast: Forecast) -> tuple[tuple[Fit, float], ...]:
    """Return the fits that a forecast averages.

    Parameters
    ----------
    forecast : Forecast
        Any forecast.

    Returns
    -------
    tuple of (Fit, float)
        Pairs of a fit of one law and its weight, the largest weight first; the weights have sum 1.  Empty for
        a forecast that is neither a fit nor an average of fits, such as a chain of laws.
    """
    return ()


@weighted_fits.register
def _one_fit(forecast: Fit) -> tuple[tuple[Fit, float], ...]:
    return ((forecast, 1.0),)


@weighted_fits.register
def _averaged_fits(forecast: AveragedFit) -> tuple[tuple[Fit, float], ...]:
    return tuple(zip(forecast.members, forecast.weights, strict=True))


@checks.arguments(
    accuracy=Flag(),
    strict=Flag(),
    test_size=Optional(Integer(at_least=1)),
    best_of=Flag(),
    keep_far=Flag(),
    fixed=NUMBERS,
    constants=NUMBERS,
    level=LEVEL,
    seed=SEED,
)
@np.errstate(all="ignore")
def auto(
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
    level: float = 0.9,
    seed: int = 0,
    **inputs: ArrayLike,
) -> AveragedFit:
    """Fit all laws that suit the inputs, and average them by how well they fit.

    This is the estimator to use if you have no reason to prefer a law.  `benchmarks/law_fit.py` measures its
    accuracy on published curves.  The set of laws is fixed; to fit a law of your own, use `errsrc.fit`.

    Parameters
    ----------
    error : array_like, shape (points,), or str
        Measured errors, > 0, in any unit.  Rows of equal inputs are repeated seeds.  With `data`, the name of
        a column, "error" by default.
    data : dict, data frame, str or Path, optional
        The points as a table, as in `errsrc.fit`.  By default, the laws in n and m are fitted if there is a
        column m that varies, and the laws in n otherwise.
    accuracy, strict : bool
        If `accuracy` is True, `error` holds accuracies.  If `strict` is True, rows that cannot be used raise
        ValueError.  Both work as in `errsrc.fit`.
    test_size : int, optional
        Number of test examples, as in `errsrc.fit`.
    best_of : bool
        Whether to keep only the best of all rows of `data` with the same inputs, such as the best of several
        learning rates.  `errsrc.fitting.best_rows` does the same for arrays.
    keep_far : bool
        Whether to fit rows that are far from all laws, such as runs that diverged.  By default these rows are
        left out, and a warning names them.  If they are kept, the Huber losses discount them.
    fixed : dict of str to float, optional
        Values of parameters that are not fitted, such as ``{"eps0": 0.9}``.  A value applies to every law
        with such a parameter.  The joint dense law is averaged only if its eps0, the error of a random guess,
        is fixed.
    constants : dict of str to float, optional
        Constants that state the unit of an input.  A value applies to every law with such a constant.  The
        default of a constant is the largest value of its input.
    weights : array_like, shape (points,), or str, optional
        Relative weights, > 0; all equal by default.  The weights are multiplied by powers of the inputs, so
        that large sizes and small densities count more (`RECENCY`).
    clusters : array_like, shape (points,), or str or sequence of str, optional
        A label for each point, as in `errsrc.fit`: points of equal labels may have correlated noise.
    level : float
        Coverage of the parameters' intervals, in (0, 1).
    seed : int
        Seed of the starts and of the resampling, >= 0.
    **inputs : array_like, shape (points,), or str
        Arrays > 0, or, with `data`, names of columns.  The inputs choose the laws.  They must be one of these
        sets: n; n and m; density; density, depth, width and eps_np.

    Returns
    -------
    AveragedFit
        The average.  It predicts new runs (`AveragedFit.predict`).

    Raises
    ------
    TypeError, ValueError
        If the inputs are none of these sets, if a value is not finite and > 0, if arrays have different
        lengths, or if no law can be fitted to the points (see `errsrc.fit`).
    NoFit
        If no law could be fitted.

    Notes
    -----
    Each law is fitted to ln error under Huber losses.  Exponents of n and m are at most 1
    (`EXPONENT_BOUNDS`).  Exponents of laws in other inputs than n alone also have a weak prior, which is
    `problem.PRIOR_MEDIAN`, or `problem.FEW_MEDIAN` for at most 12 different sizes without a given eps0.  The
    weight of a law is proportional to (J / min J)^(-s N / 2), where J is the minimum of the law's objective,
    min J is the smallest J of all laws, N is the effective number of points, and s is the `SHARPNESS`.

    Examples
    --------
    >>> n = [100, 200, 400, 800, 1600, 3200]
    >>> found = auto([0.303, 0.240, 0.202, 0.170, 0.152, 0.134], n=n)
    >>> [type(member.law).__name__ for member in found.members]
    ['Power', 'Envelope', 'M4']
    """
    if data is not None:
        asked = columns_of("auto", error, inputs, weights)
        rules = TableRules(accuracy, strict, test_size, best_of)
        points = table_points(as_table(data), "auto", asked, fixed, rules, cluster_columns(clusters, "auto"))
        with points.failing():
            options: dict[str, Any] = {"constants": constants, "level": level, "seed": seed}
            return points.noted(auto(**points.arguments(), keep_far=keep_far, **options))
    check_no_columns("auto", error, inputs, weights)
    error = measured_error(error, inputs, accuracy, "auto")
    found, sentences = _found(error, inputs, weights, clusters, fixed or {}, constants or {}, seed, keep_far)
    return _with_first(_averaged(found, level, seed), sentences)


@np.errstate(all="ignore")
def average_limits(
    error: Array, *, fixed: Mapping[str, float] | None = None, level: float = 0.9, **inputs: Array
) -> dict[str, Interval]:
    """Return the exponents and the floor of the average of all laws that suit the inputs, and nothing else.

    The result equals `AveragedFit.limits` of `auto`.  This function leaves out the refits of `auto`, which
    only the intervals of predictions need.

    Parameters
    ----------
    error : ndarray of float64, shape (points,)
        Measured errors, > 0.
    fixed : dict of str to float, optional
        Parameters that are not fitted.
    level : float
        Coverage of the intervals, in (0, 1).
    **inputs : ndarray of float64, shape (points,)
        n, or n and m.
    """
    found, _ = _found(error, inputs, None, None, fixed or {}, {}, 0)
    return average_intervals(list(_evidence(found, _shares(found)[1], level).values()))


def _found(
    error: Array,
    inputs: Mapping[str, ArrayLike],
    weights: ArrayLike | None,
    clusters: ArrayLike | None,
    fixed: Mapping[str, float],
    constants: Mapping[str, float],
    seed: int,
    keep_far: bool = False,
) -> tuple[list[Optimum], tuple[str, ...]]:
    """Return the optima of all laws without far rows (unless `keep_far`), and warnings on rows and laws."""
    names = _suitable(inputs, fixed)
    columns = _columns(error, inputs, names, weights, clusters)
    keep, thinning = kept_rows(columns["error"], {name: columns[name] for name in names})
    columns = {name: x[keep] for name, x in columns.items()}
    laws, others = _laws_to_average(names, fixed)
    _check_values(columns["error"], laws, fixed, constants)
    _check_fall(columns, names)
    posed = _posed(names, laws, columns, fixed, constants)
    found = _solved(posed, seed)
    sentences = (*thinning, *others)
    if not (far := _far_rows(found)).any():
        return found, sentences
    if keep_far:
        return found, (*sentences, far_sentence(posed[0], far, "the law, and were discounted"))
    near = {name: x[_sorted_rows(columns, names)][~far] for name, x in columns.items()}
    found = _solved(_posed(names, laws, near, fixed, constants), seed)
    return found, (*sentences, far_sentence(posed[0], far, "the law, and were left out of the fit"))


def _with_first(average: AveragedFit, sentences: tuple[str, ...]) -> AveragedFit:
    """Return an average with the given sentences before its warnings."""
    if not sentences:
        return average
    return dataclasses.replace(average, warnings=(*sentences, *average.warnings))


def _names(found: Sequence[Optimum]) -> tuple[str, ...]:
    """Return the inputs of fits, a key of `AVERAGED_LAWS`."""
    return _suitable(found[0].problem.inputs, {})


def _shares(found: Sequence[Optimum]) -> tuple[Array, list[int], NDArray[np.intp]]:
    """Return the weights of fits up to a factor, the positions of fits with draws, and counts of draws."""
    w = found[0].problem.weights
    effective = float(w.sum() ** 2 / (w**2).sum())
    costs = np.maximum([f.cost for f in found], 1e-300)
    share = (costs / costs.min()) ** (-effective / 2 * SHARPNESS.get(_names(found), 1.0))
    counts = np.round(share / share.sum() * BOOTSTRAP_DRAWS).astype(int)
    return share, [int(i) for i in np.argsort(-share) if counts[i] > 0], counts


def _averaged(found: Sequence[Optimum], level: float, seed: int) -> AveragedFit:
    """Return the average of fits that have ended at optima; raise NoFit if no law describes the points."""
    share, kept, counts = _shares(found)
    evidence = _evidence(found, kept, level)
    parts = [(i, found[i], int(counts[i])) for i in kept]
    members, kept = _described(parts, {i: one.parameters for i, one in evidence.items()}, level, seed)
    weight = share[kept] / share[kept].sum()
    shares = tuple(weight.tolist())
    limits = average_intervals(list(evidence.values()))
    warnings = (*_warnings(members, shares), *few_sizes_sentences(found[0].problem))
    return AveragedFit(members, shares, warnings, limits=limits)


def _evidence(found: Sequence[Optimum], kept: Sequence[int], level: float) -> dict[int, LawEvidence]:
    """Return the evidence for the first law and for all plausible laws, by position; {} for other inputs."""
    names = _names(found)
    if not set(names) <= {"n", "m"}:
        return {}
    weights = user_weights(found[0].problem, RECENCY[names])
    plain = {i: least_squares(found[i], weights) for i in kept}
    tilt = noise_precisions(list(plain.values()))
    squares = {i: least_squares(found[i], weights, plain[i], tilt) for i in kept}
    limit = min(one.criterion for one in squares.values()) - 2 * math.log(PLAUSIBLE)
    return {
        i: law_evidence(one, level) for i, one in squares.items() if i == kept[0] or one.criterion <= limit
    }


def _check_fall(columns: Mapping[str, Array], names: tuple[str, ...]) -> None:
    """Raise NoFit for errors that fall to rounding: no law of an average describes such a fall."""
    if names == ("n",) and (fall := steep_fall(columns["n"], columns["error"])) is not None:
        raise NoFit(fall.sentence)
    sizes = {name: columns[name] for name in names}
    if (sentence := steep_fall_of_grid(sizes, columns["error"])) is not None:
        raise NoFit(sentence)


def _solved(posed: list[Problem], seed: int) -> list[Optimum]:
    """Return the optima of all laws; raise NoFit if there are none, or if the errors do not fall."""
    if (constant := constant_sentence(posed[0])) is not None:
        raise NoFit(constant)
    if (flat := never_falls(posed[0])) is not None:
        raise NoFit(flat)
    robust, spread = _noise_scales(posed, seed)
    prior = 0.0 if tuple(posed[0].inputs) == ("n",) else spread
    return _optima(posed, HUBER * robust, prior, seed)


def _far_rows(found: Sequence[Optimum]) -> NDArray[np.bool_]:
    """Return a mask of the rows that are far from the law that fits best, bool (points,).

    The rows are in the order of the problems.  NoFit is raised if the errors do not fall, or if the error at
    the largest n of a curve is far below the law.
    """
    best = min(found, key=lambda one: one.cost)
    problem, far = best.problem, all_far_rows(best.problem, best.z)
    residual = robust_residual(problem, best.z)
    if (flat := flat_sentence(problem, residual, far)) is not None:
        hidden = _far_rows_that_hide_the_fall(found)
        if hidden is None:
            raise NoFit(flat, problem.law_at(best.z))
        return hidden
    if drops_at_end(problem, residual, far):
        raise NoFit(_drop_sentence(problem, residual), problem.law_at(best.z))
    return far


def _far_rows_that_hide_the_fall(found: Sequence[Optimum]) -> NDArray[np.bool_] | None:
    """Return a mask of rows without which the errors fall, bool (points,); None if there are no such rows.

    A law with many parameters can follow a diverged run of a small table.  Therefore the laws with few
    parameters are tried first.  If none of them has such rows, the largest error of a curve is tried.
    """
    for one in sorted(found, key=lambda one: len(one.problem.free)):
        far = all_far_rows(one.problem, one.z)
        residual = robust_residual(one.problem, one.z)
        if far.any() and flat_sentence(one.problem, residual, far) is None:
            return far
    return hiding_row(found[0].problem)


def _drop_sentence(problem: Problem, residual: Array) -> str:
    """Return the sentence on a curve whose error at the largest n is far below the law."""
    n, error = problem.measured["n"][-1], problem.measured["error"][-1]
    return (
        f"The error at the largest n, {error:.3g} at n = {n:g}, is far below the law of the other rows, "
        f"{error * np.exp(residual[-1]):.3g}: a cliff, or a wrong row. Leave it out, or "
        f"ask {SHAPE}; fit(Cliff) (--law cliff) fits a law with a cliff."
    )


def _described(
    parts: Sequence[tuple[int, Optimum, int]],
    intervals: Mapping[int, Mapping[str, Interval]],
    level: float,
    seed: int,
) -> tuple[tuple[Fit, ...], list[int]]:
    """Return the fits of the laws that describe the points, and their positions.

    Laws that fit worse than a constant are left out; raise NoFit if all do.
    """
    members: list[Fit] = []
    kept: list[int] = []
    failed: NoFit | None = None
    for position, one, draws in parts:
        try:
            members.append(describe(one, level, draws, seed, intervals.get(position), "auto"))
            kept.append(position)
        except NoFit as error:
            failed = failed or error
    if failed is not None and not members:
        raise failed
    return tuple(members), kept


def _suitable(inputs: Mapping[str, ArrayLike], fixed: Mapping[str, float]) -> tuple[str, ...]:
    """Return the given set of inputs if it is in `AVERAGED_LAWS`; raise ValueError for unknown names."""
    names = next((key for key in AVERAGED_LAWS if set(key) == set(inputs)), None)
    if names is None:
        accepted = "one of these sets: " + "; ".join(", ".join(key) for key in AVERAGED_LAWS)
        raise TypeError(checks.refusal("inputs", "auto", accepted, sorted(inputs)))
    known = {p.name for law in AVERAGED_LAWS[names] for p in law.parameters()}
    for name in fixed:
        if name not in known:
            raise ValueError(checks.refusal("fixed", "auto", f"among {', '.join(sorted(known))}", name))
    return names


def _columns(
    error: ArrayLike,
    inputs: Mapping[str, ArrayLike],
    names: tuple[str, ...],
    weights: ArrayLike | None,
    clusters: ArrayLike | None,
) -> dict[str, Array]:
    """Return the inputs, "error", "weights" times `RECENCY`, and "clusters" if given, of one length."""
    e = np.asarray(error)
    columns = checked_inputs(inputs, names, "auto", AVERAGED_LAWS[names][0].at_most) | {"error": e}
    columns["weights"] = np.ones(e.shape) if weights is None else PositiveArray()(weights, "weights", "auto")
    if clusters is not None:
        columns["clusters"] = cluster_codes(clusters, "auto").astype(np.float64)
    for name, x in columns.items():
        if x.shape != e.shape or x.ndim != 1:
            accepted = "a one-dimensional array, as long as the others"
            raise ValueError(checks.refusal(name, "auto", accepted, f"<shape {x.shape}>"))
    for name, power in RECENCY[names].items():
        columns["weights"] = columns["weights"] * (columns[name] / columns[name].max()) ** power
    return columns


def _sorted_rows(columns: Mapping[str, Array], names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return the order in which a problem has the rows of the columns (`pose`)."""
    keys = [columns[name] for name in reversed(AVERAGED_LAWS[names][0].inputs)]
    return np.lexsort([columns["weights"], columns["error"], *keys])


def _laws_to_average(
    names: tuple[str, ...], fixed: Mapping[str, float]
) -> tuple[list[type[Law]], tuple[str, ...]]:
    """Return the laws in which each held parameter means the same, and sentences on the other laws.

    For example, c_inf is an error in the power law, and a share of eps0 in the law M4.  The first law that
    has the parameter decides its meaning.
    """
    laws = [law for law in AVERAGED_LAWS[names] if NEEDED.get(law, "") in {"", *fixed}]
    sentences = []
    for name in (name for name, value in fixed.items() if value):
        meanings = {law: meaning for law in laws if (meaning := _meaning(law, name)) is not None}
        first = next(iter(meanings.values()), None)
        others = [law for law, meaning in meanings.items() if meaning != first]
        laws = [law for law in laws if law not in others]
        if others:
            listed = " and ".join(records.name(law) for law in others)
            subject = f"The laws {listed} are" if len(others) > 1 else f"The law {listed} is"
            sentences.append(f"{subject} left out of the average: there, {name} has another meaning.")
    return laws, tuple(sentences)


def _meaning(law: type[Law], name: str) -> tuple[Any, ...] | None:
    """Return the unit of a parameter, and whether it is the exponent of n or of m; None without it."""
    unit = next((p.unit for p in law.parameters() if p.name == name), None)
    return None if unit is None else (unit, name == law.data_exponent_name, name == law.model_exponent_name)


def _check_values(
    error: Array, laws: Sequence[type[Law]], fixed: Mapping[str, float], constants: Mapping[str, float]
) -> None:
    """Raise ValueError for negative parameters and constants, and for errors above a fixed random guess.

    ValueError is also raised for a fixed parameter whose unit depends, in one of the laws, on an exponent
    that is not fixed.
    """
    for name, value in {**fixed, **constants}.items():
        Number(at_least=0)(value, name, "auto")
    for law in laws:
        check_largest(law, fixed.get(law.largest_error_name or ""), error, "auto")
        for p in law.parameters():
            free = {power.lstrip("-") for _, power in p.unit if isinstance(power, str)} - set(fixed)
            if fixed.get(p.name) and free:
                name = first = records.name(law)
                raise ValueError(
                    f"{p.name} = {fixed[p.name]:g} does not mean the same in all averaged laws: in {name} "
                    f"its unit depends on {min(free)}. Fix {min(free)} too, or fit one law, such as "
                    f"{first} (--law {first})."
                )


def _posed(
    names: tuple[str, ...],
    laws: Sequence[type[Law]],
    columns: Mapping[str, Array],
    fixed: Mapping[str, float],
    constants: Mapping[str, float],
) -> list[Problem]:
    """Return the problems of the first law and of each law with fewer parameters than different sizes."""
    error, sizes = columns["error"], {name: columns[name] for name in names}
    clusters = columns["clusters"].astype(np.intp) if "clusters" in columns else None
    points = len(np.unique(np.column_stack(list(sizes.values())), axis=0))
    posed: list[Problem] = []
    for law in laws:
        known = {p.name for p in law.parameters()}
        held = {name: value for name, value in fixed.items() if name in known}
        free = known - set(held)
        bounds = {name: ends for name, ends in PARAMETER_BOUNDS.items() if name in free}
        if (largest := law.largest_error_name or "") in free:
            bounds[largest] = (float(error.max()), 30 * float(error.max()))
        units = {name: value for name, value in constants.items() if name in law.constants()}
        if not posed or points > len(free):
            options: dict[str, Any] = {"weights": columns["weights"], "clusters": clusters}
            posed.append(pose(law, error, sizes, held, units, bounds=bounds, objective="log", **options))
    if names == ("n", "m") and "eps0" in fixed:
        usual = (PRIOR_MEDIAN, PRIOR_WIDTH)
        return [dataclasses.replace(problem, exponent_prior=usual) for problem in posed]
    return posed


def _noise_scales(posed: list[Problem], seed: int) -> tuple[float, float]:
    """Return the robust scale of the noise and its standard deviation, the same for all laws.

    Along n alone the robust scale needs no law (`local_scale`), and the standard deviation is not used.
    For other inputs, both are computed from the least-squares residuals of the best law.
    """
    first = posed[0]
    if tuple(first.inputs) == ("n",):
        scale = max(local_scale(first.inputs["n"], first.error), 1e-4)
        return scale, scale
    scales = []
    for problem in posed:
        found = from_starts(problem, problem.starts(STARTS_PER_LAW, seed))
        z = found.z[[int(found.cost.argmin())]]
        residual, jac = (part[0] for part in problem.residuals(z, problem.error))
        spread = residual_scale(residual, problem.weights, jac)
        scales.append((max(robust_scale(residual, problem.weights), 1e-9), spread))
    return min(scales)


def _optima(posed: list[Problem], delta: float, prior: float, seed: int) -> list[Optimum]:
    """Return the optima under Huber losses of threshold `delta`; raise NoFit if no law has any."""
    found: list[Optimum] = []
    for problem in posed:
        huber = dataclasses.replace(problem, objective="huber", huber_delta=delta, prior=prior)
        try:
            found.append(optimum(huber, huber.starts(STARTS_PER_LAW, seed), seed))
        except NoFit:
            if problem is posed[-1] and not found:
                raise
    return found


def _warnings(members: tuple[Fit, ...], weights: Sequence[float]) -> tuple[str, ...]:
    """Return the warnings of the first member, and new warnings of other members with enough weight.

    Warnings about parameters that are not determined are left out, because the table of the average shows
    them.  Warnings about far rows are left out, because the average has its own.  A sentence on errors above
    eps0 is given once.  From the second member on, each warning starts with the name of its law.
    """
    warnings: list[str] = []
    for member, weight in zip(members, weights, strict=True):
        sentences = [text for text in member.warnings if not isinstance(text, (Undetermined, FarRows))]
        if member is members[0]:
            warnings += sentences
        elif weight >= asymptotes.SHARE:
            told = any(isinstance(text, AboveLargest) for text in members[0].warnings)
            new = [text for text in sentences if text not in warnings]
            new = [text for text in new if not (told and isinstance(text, AboveLargest))]
            warnings += [f"{type(member.law).__name__}: {text}" for text in new]
    return tuple(warnings)
