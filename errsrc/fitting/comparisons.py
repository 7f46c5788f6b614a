"""Comparisons of laws on the same points: how well each law predicts held-out sizes, and how well it fits."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Choice, Flag, Integer, Number, Optional, PositiveArray
from errsrc.errors import NoFit
from errsrc.fitting.anomalies import fall_and_peak
from errsrc.fitting.clusters import FEW_ARE_FITTED, cluster_codes, clusters_of
from errsrc.fitting.constant_sizes import LAWS_IN_N
from errsrc.fitting.data_arguments import (
    as_table,
    check_no_columns,
    cluster_columns,
    columns_of,
    measured_error,
)
from errsrc.fitting.holdouts import judge
from errsrc.fitting.one_law import Fit, fit
from errsrc.fitting.outliers import far_from_laws
from errsrc.fitting.points import NUMBERS
from errsrc.fitting.problem import OBJECTIVES
from errsrc.fitting.table_notes import noted_left_out
from errsrc.fitting.table_points import table_points
from errsrc.laws import ALL
from errsrc.laws.broken2 import Broken2
from errsrc.laws.cliff import Cliff
from errsrc.laws.law import LAW, Array, Law, checked_inputs
from errsrc.results import Result, TabularResult, TextTable, json_value, percent
from errsrc.tables import LeftOut
from errsrc.tables.measurements import TableRules

HELD_OUT_SHARES = (1 / 2, 1 / 3, 1 / 5)
"""Shares of the cells that are held out in turn: those of the largest sizes, or the smallest densities."""


@dataclass(frozen=True, repr=False)
class ComparedLaw(Result):
    """One law of a comparison.

    Attributes
    ----------
    name : str
        Name of the law.
    fit : Fit or None
        The fit to all points; None if the law could not be fitted.
    miss : float
        Root mean square of ln (predicted / measured error) over the held-out sizes of all splits; nan if a
        fit to the other sizes failed.
    coverage : float
        Share of the held-out runs whose errors lie in their predicted intervals; nan if `miss` is nan.
    aicc : float
        Akaike's information criterion, corrected for few points; nan for Huber losses and for too few points.
    weight : float
        Akaike weight among the laws that have an `aicc`; nan for a law whose `aicc` is nan.
    reason : str
        A sentence that says why a number is nan; "" if no number is nan.
    """

    name: str
    fit: Fit | None
    miss: float
    coverage: float
    aicc: float
    weight: float
    reason: str

    def _texts(self) -> list[tuple[str, str]]:
        shares = {"miss": (self.miss, 1), "coverage": (self.coverage, 0), "weight": (self.weight, 0)}
        texts = {name: "-" if math.isnan(x) else percent(x, digits) for name, (x, digits) in shares.items()}
        texts = {"law": self.name, **texts, "AICc": "-" if math.isnan(self.aicc) else f"{self.aicc:.1f}"}
        return list((texts | ({"reason": self.reason} if self.reason else {})).items())

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers of the law as JSON values, with the parameters and intervals of its fit."""
        numbers = {"miss": self.miss, "coverage": self.coverage, "aicc": self.aicc, "weight": self.weight}
        found = {} if self.fit is None else {"noise": self.fit.noise, **self.fit.as_dict()}
        return json_value(found | {"law": self.name, **numbers, "reason": self.reason})


@dataclass(frozen=True, repr=False)
class Comparison(TabularResult):
    """Several laws, compared on the same points.

    Attributes
    ----------
    laws : tuple of ComparedLaw
        The laws in the order of their `miss`, the smallest first.
    splits : tuple of (int, int)
        For each split, the number of fitted cells and the number of held-out cells.  A cell is the set of all
        runs with equal inputs.
    level : float
        Coverage of the intervals, in (0, 1).
    warnings : tuple of str
        Warnings about the comparison, one sentence each; for example, on rows that were left out.
    left_out : tuple of LeftOut
        Rows of the table that were not used, by reason.
    left_out_sentences : tuple of str
        One sentence that counts the rows in `left_out`; () if there are none.
    """

    laws: tuple[ComparedLaw, ...]
    splits: tuple[tuple[int, int], ...]
    level: float
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    left_out_sentences: tuple[str, ...] = ()

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the numbers of the laws as a dict of arrays.

        Returns
        -------
        dict of str to ndarray, shape (laws,)
            The keys are "law" (the name), "miss", "coverage", "aicc" and "weight" (as in `ComparedLaw`), and
            "noise" (the standard deviation of ln error around the law).  A number is nan if it is not known.
        """
        numbers = ("miss", "coverage", "aicc", "weight")
        out: dict[str, NDArray[Any]] = {"law": np.array([one.name for one in self.laws])}
        out |= {name: np.array([getattr(one, name) for one in self.laws]) for name in numbers}
        noise = [math.nan if one.fit is None else one.fit.noise for one in self.laws]
        return out | {"noise": np.array(noise)}

    @property
    def best(self) -> ComparedLaw:
        """The law that predicts the held-out cells best."""
        return self.laws[0]

    def headline(self) -> str:
        """Return the laws with their misses as one line."""
        return ", ".join(f"{one.name} miss {_share(one.miss)}" for one in self.laws)

    def content(self) -> list[str | TextTable]:
        """Return a table with a row for each law, and what its columns mean."""
        rows = [("law", "miss", f"in {100 * self.level:.6g}%", "AICc", "weight", "noise", "parameters")]
        least = min((one.aicc for one in self.laws if not math.isnan(one.aicc)), default=math.nan)
        for one in self.laws:
            aicc = "-" if math.isnan(one.aicc) else f"{one.aicc - least:+.1f}"
            noise = "-" if one.fit is None else percent(one.fit.noise, 1)
            shares = (_share(one.miss), _share(one.coverage, 0), aicc, _share(one.weight, 0), noise)
            rows.append((one.name, *shares, _parameters(one.fit)))
        parts = ", ".join(f"{held} of {held + fitted}" for fitted, held in self.splits)
        table = TextTable([*rows], "lrrrrrl", header=True)
        lines = [
            f"miss: root mean square of ln (predicted / measured) at held-out sizes; held out: {parts} sizes"
            if self.splits
            else "miss: there are too few sizes to hold any out",
            f"in {100 * self.level:.6g}%: share of the held-out runs in their intervals",
            "AICc: difference to the smallest; weight: Akaike weight; noise: of ln error around the law",
        ]
        reasons = [f"{one.name}: {one.reason}" for one in self.laws if one.reason]
        return [
            table,
            *lines,
            *reasons,
            *self.left_out_sentences,
            *(f"warning: {text}" for text in self.warnings),
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers of all laws as JSON values, the best law first."""
        laws = [one.as_dict() for one in self.laws]
        rest = {name: getattr(self, name) for name in ("splits", "level", "warnings", "left_out")}
        return {"laws": laws, **json_value(rest)}


@checks.arguments(
    accuracy=Flag(),
    strict=Flag(),
    test_size=Optional(Integer(at_least=1)),
    best_of=Flag(),
    fixed=NUMBERS,
    constants=NUMBERS,
    objective=Choice(OBJECTIVES),
    huber_delta=Optional(Number(above=0)),
    level=LEVEL,
    seed=SEED,
)
def compare(
    laws: Sequence[str | type[Law]] | None = None,
    error: ArrayLike | None = None,
    *,
    data: Any = None,
    accuracy: bool = False,
    strict: bool = False,
    test_size: int | None = None,
    best_of: bool = False,
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | str | Sequence[str] | None = None,
    objective: str = "log",
    huber_delta: float | None = None,
    level: float = 0.9,
    seed: int = 0,
    **inputs: ArrayLike,
) -> Comparison:
    """Compare laws: fit each to the smaller sizes, and judge how well it predicts the larger ones.

    Parameters
    ----------
    laws : sequence of str or type of Law, optional
        Names in `errsrc.laws.ALL`, or classes of your own.  All laws must have the same inputs.  The default
        is all laws of errsrc with the given inputs, except `Broken2`, which needs many sizes for its 9
        parameters.
    error : array_like, shape (points,), or str
        Measured errors, > 0, in any unit.  With `data`, the name of a column, "error" by default.
    data : dict, data frame, str or Path, optional
        The points as a table, as in `errsrc.fit`.
    accuracy, strict : bool
        If `accuracy` is True, `error` holds accuracies.  If `strict` is True, rows that cannot be used raise
        ValueError.  Both work as in `errsrc.fit`.
    test_size : int, optional
        Number of test examples, as in `errsrc.fit`.
    best_of : bool
        Whether to keep only the best of all rows of `data` with the same inputs, as in `errsrc.fit`.
    fixed : dict of str to float, optional
        Values of parameters that are not fitted.  A value applies to every law with a parameter of this name.
    constants : dict of str to float, optional
        Constants that state the unit of an input.  A value applies to every law with a constant of this name.
    weights : array_like, shape (points,), or str, optional
        Relative weights of the points in the fits, > 0; all equal by default.  `ComparedLaw.miss` counts all
        held-out cells equally, and `ComparedLaw.coverage` all held-out runs.
    clusters : array_like, shape (points,), or str or sequence of str, optional
        A label for each point.  The noise of points with equal labels may be correlated, as in `errsrc.fit`.
        With `data`, the names of the columns that tell clusters apart.  If the smaller sizes have fewer than
        3 clusters, their points are taken as independent, and a warning says so.
    objective, huber_delta : str and float, optional
        What each fit minimises, as in `errsrc.fit`; by default squares of ln (predicted / measured).
    level : float
        Coverage of the intervals, in (0, 1).
    seed : int
        Seed of the starts and of the resampling, >= 0.
    **inputs : array_like, shape (points,), or str
        An array > 0 for each input of the laws; with `data`, names of columns.

    Returns
    -------
    Comparison
        The laws, the best predictor first.

    Raises
    ------
    TypeError, ValueError
        If the laws have different inputs, or if no law can be fitted to the points (see `errsrc.fit`).
    NoFit
        If the fits of all laws fail.

    Notes
    -----
    Rows that are far from every law are left out, and a warning names them.  Further warnings name a cliff,
    where the error falls to rounding, and a peak of the error along n.

    A cell is the set of all runs with equal inputs.  The laws are compared on several splits, one for each
    share in `HELD_OUT_SHARES`.  In each split, this share of all cells is held out, the largest cells first,
    and the laws are fitted to the other cells.  A law needs more cells than it has free parameters.  A split
    is used only if it leaves enough cells for every law.  This rule ignores laws that have too few cells even
    in the split with the fewest held-out cells.

    AICc is N ln(S / N) + 2 K + 2 K (K + 1) / (N - K - 1), where S is the
    minimum of the sum of squares, N the number of points, and K the number of fitted parameters plus 1 for
    the noise.

    Examples
    --------
    >>> from errsrc.laws import Power
    >>> n = 100 * 2.0 ** np.arange(10)
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal(10)
    >>> compare(["power", "envelope"], Power(0.1, 2.0, 0.5).error(n=n) * np.exp(noise), n=n).best.name
    'power'
    """
    chosen = None if laws is None else _classes(laws)
    warnings: tuple[str, ...] = ()
    left_out: tuple[tuple[LeftOut, ...], str] = ((), "")
    named: Callable[[str], str] = str
    message: Callable[[Exception], str] = str
    failing: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
    remarks: tuple[str, ...] = ()
    if data is not None:
        asked = columns_of("compare", error, inputs, weights)
        first = "auto" if chosen is None else chosen[0]
        rules = TableRules(accuracy, strict, test_size, best_of)
        names = cluster_columns(clusters, "compare")
        points = table_points(as_table(data), first, asked, fixed, rules, names)
        error, inputs, fixed, warnings = points.error, dict(points.inputs), points.fixed, points.warnings
        weights, clusters = points.weights, points.clusters
        left_out = noted_left_out(points.notes)
        named, message, failing = points.named, points.message, points.failing
        remarks = tuple(points.notes.get("said", ()))
        if chosen is not None and "constant" in points.notes:  # m is constant: `inputs` has n alone
            chosen = list(dict.fromkeys(LAWS_IN_N[law][0] if law in LAWS_IN_N else law for law in chosen))
    else:
        check_no_columns("compare", error, inputs, weights)
        error = measured_error(error, inputs, accuracy, "compare")
    classes = _in_inputs(inputs) if chosen is None else chosen
    columns = _columns(classes, error, inputs)
    relative = None if weights is None else _weights(weights, len(columns["error"]))
    codes = None if clusters is None else cluster_codes(clusters, "compare", len(columns["error"]))
    _check_known(classes, {"fixed": fixed or {}, "constants": constants or {}})
    options = {"objective": objective, "huber_delta": huber_delta, "level": level, "seed": seed}
    options |= {"keep_far": True}  # all laws are compared on the same rows
    free = {law: len({p.name for p in law.parameters()} - set(fixed or {})) for law in classes}
    far, sentence = far_from_laws(classes, columns, fixed, constants, seed, relative)
    if sentence is not None:
        columns = {name: x[~far] for name, x in columns.items()}
        relative = None if relative is None else relative[~far]
        codes = clusters_of(codes, ~far)
        warnings = (*warnings, named(sentence))
    if set(inputs) == {"n"}:
        has_cliff = Cliff in classes and len(classes) == 1
        warnings = (*warnings, *fall_and_peak(columns["n"], columns["error"], fall=not has_cliff))
    of_cells = _by_cell(columns)
    masks = _usable_splits(_splits(columns), of_cells, list(free.values()))
    if codes is not None and any(clusters_of(codes, mask) is None for mask in masks):
        warnings = (*warnings, FEW_ARE_FITTED)
    found: list[ComparedLaw] = []
    failures: list[Exception] = []
    for law in classes:
        own = {name: v for name, v in (fixed or {}).items() if name in {p.name for p in law.parameters()}}
        units = {name: v for name, v in (constants or {}).items() if name in law.constants()}
        left = min((int(of_cells(mask).sum()) for mask in masks), default=0)
        own_masks = masks if left > free[law] else []
        try:
            own_options = options | {"fixed": own, "constants": units}
            one = _compared(law, columns, own_masks, own_options, relative, codes)
            few = f"{free[law]} free parameters are too many for the {left} sizes that are not held out."
            found.append(one if own_masks or not masks else dataclasses.replace(one, reason=few))
        except (NoFit, ValueError) as failure:
            failures.append(failure)
            missing = (math.nan, math.nan, math.nan, math.nan)
            found.append(ComparedLaw(records.name(law), None, *missing, message(failure)))
    if len(failures) == len(found):
        with failing():
            raise failures[0]
    ordered = sorted(found, key=lambda one: (one.fit is None, math.isnan(one.miss), one.miss))
    splits = tuple((int(mask.sum()), int((~mask).sum())) for mask in map(of_cells, masks))
    sentences = (*([left_out[1]] if left_out[1] else []), *remarks)
    return Comparison(_weighted(ordered), splits, level, warnings, left_out[0], sentences)


def _classes(laws: Sequence[str | type[Law]]) -> list[type[Law]]:
    """Return the classes of laws given by name or class; raise an error for unknown and repeated laws."""
    if isinstance(laws, (str, type)) or not isinstance(laws, Sequence) or not laws:
        raise TypeError(checks.refusal("laws", "compare", "a list of laws, or of their names", laws))
    out = []
    for law in laws:
        if isinstance(law, str):
            law = ALL[Choice(tuple(ALL))(law, "laws", "compare")]
        out.append(LAW(law, "laws", "compare"))
    for law in out:
        if set(law.inputs) != set(out[0].inputs):
            accepted = f"laws in the same inputs, {', '.join(out[0].inputs)}"
            got = f"<{law.__name__}, a law in {', '.join(law.inputs)}>"
            raise ValueError(checks.refusal("laws", "compare", accepted, got))
    if len(set(out)) < len(out):
        raise ValueError(checks.refusal("laws", "compare", "different laws", [law.__name__ for law in out]))
    return out


def _in_inputs(inputs: Mapping[str, Any]) -> list[type[Law]]:
    """Return all laws of errsrc in given inputs; raise TypeError if there are none."""
    out = [law for law in ALL.values() if set(law.inputs) == set(inputs) and law is not Broken2]
    if not out:
        sets = "; ".join(dict.fromkeys(", ".join(law.inputs) for law in ALL.values()))
        raise TypeError(checks.refusal("inputs", "compare", f"one of these sets: {sets}", sorted(inputs)))
    return out


def _columns(
    classes: Sequence[type[Law]], error: ArrayLike, inputs: Mapping[str, ArrayLike]
) -> dict[str, Array]:
    """Return the inputs and "error" as arrays of one length, (points,)."""
    e = np.asarray(error, dtype=np.float64)
    columns = checked_inputs(inputs, classes[0].inputs, "compare", classes[0].at_most)
    for name, x in {"error": e, **columns}.items():
        if x.shape != (e.size,) or not e.size:
            accepted = "a one-dimensional array, not empty, as long as error"
            raise ValueError(checks.refusal(name, "compare", accepted, f"<shape {x.shape}>"))
    return columns | {"error": e}


def _check_known(classes: Sequence[type[Law]], given: Mapping[str, Mapping[str, float]]) -> None:
    """Raise ValueError for fixed parameters and constants that no law has."""
    known = {
        "fixed": {p.name for law in classes for p in law.parameters()},
        "constants": {name for law in classes for name in law.constants()},
    }
    for argument, values in given.items():
        for name in values:
            if name not in known[argument]:
                accepted = f"among {', '.join(sorted(known[argument])) or 'none'}"
                hint = checks.nearest(name, known[argument])
                raise ValueError(checks.refusal(argument, "compare", accepted, name) + hint)


def _weights(weights: ArrayLike, count: int) -> Array:
    """Return weights as an array, (count,); raise ValueError for another shape."""
    out: Array = PositiveArray()(weights, "weights", "compare")
    if out.shape != (count,):
        accepted = "a one-dimensional array, as long as error"
        raise ValueError(checks.refusal("weights", "compare", accepted, f"<shape {out.shape}>"))
    return out


def _by_cell(columns: Mapping[str, Array]) -> Callable[[NDArray[np.bool_]], NDArray[np.bool_]]:
    """Return a function that turns a mask of points into a mask of cells, the sets of equal inputs."""
    keys = np.column_stack([x for name, x in columns.items() if name != "error"])
    _, first = np.unique(keys, axis=0, return_index=True)
    return lambda mask: mask[first]


def _splits(columns: Mapping[str, Array]) -> list[NDArray[np.bool_]]:
    """Return a mask of the fitted points, (points,), for each split; the largest cells are held out."""
    sizes = {name: x for name, x in columns.items() if name not in ("error", "eps_np")}
    order = sum((-1.0 if name == "density" else 1.0) * np.log(x) for name, x in sizes.items())
    keys = np.column_stack(list(sizes.values()))
    cells, cell = np.unique(keys, axis=0, return_inverse=True)
    rank = np.empty(len(cells))
    means = np.bincount(cell.ravel(), order) / np.bincount(cell.ravel())
    rank[np.argsort(means, kind="stable")] = np.arange(len(cells))
    counts = dict.fromkeys(max(round(share * len(cells)), 1) for share in HELD_OUT_SHARES)
    return [rank[cell.ravel()] < len(cells) - held for held in counts if held < len(cells)]


def _usable_splits(
    masks: Sequence[NDArray[np.bool_]],
    of_cells: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
    free: Sequence[int],
) -> list[NDArray[np.bool_]]:
    """Return the splits that leave enough cells for every law; a law that no split suits is ignored."""
    left = [int(of_cells(mask).sum()) for mask in masks]
    most = max((count for count in free if count < max(left, default=0)), default=None)
    return [] if most is None else [mask for mask, cells in zip(masks, left, strict=True) if cells > most]


def _compared(
    law: type[Law],
    columns: Mapping[str, Array],
    masks: Sequence[NDArray[np.bool_]],
    options: Mapping[str, Any],
    weights: Array | None,
    clusters: NDArray[np.intp] | None,
) -> ComparedLaw:
    """Return the numbers of one law; the Akaike weight is set later."""
    error = columns["error"]
    inputs: dict[str, Any] = {name: columns[name] for name in law.inputs}
    whole = fit(law, error, weights=weights, clusters=clusters, **options, **inputs)
    squares, inside, runs, reason = [], 0.0, 0, ""
    for mask in masks:
        smaller: dict[str, Any] = {name: x[mask] for name, x in inputs.items()}
        try:
            kept = None if weights is None else weights[mask]
            own = clusters_of(clusters, mask)
            part = fit(law, error[mask], weights=kept, clusters=own, **options, **smaller)
        except (NoFit, ValueError) as failure:
            reason = f"with {int((~mask).sum())} rows held out, {failure}"
            continue
        held_out = judge(part, error, mask, level=options["level"], **inputs).held_out
        squares.append(np.log(held_out.prediction.predicted / held_out.measured) ** 2)
        count = sum(len(e) for e in held_out.runs)
        inside, runs = inside + held_out.coverage * count, runs + count
    complete = len(squares) == len(masks) > 0
    miss = math.sqrt(float(np.concatenate(squares).mean())) if complete else math.nan
    coverage = inside / runs if complete else math.nan
    return ComparedLaw(records.name(law), whole, miss, coverage, aicc(whole), math.nan, reason)


def aicc(found: Fit) -> float:
    """Return AICc of a least-squares fit; nan for Huber losses and for too few points.

    Parameters
    ----------
    found : Fit
        The fit.
    """
    points, count = len(found.error), len(found.intervals) + 1
    if found.objective == "huber" or points <= count + 1:
        return math.nan
    likelihood = points * math.log(max(found.value, 1e-300) / points)
    return likelihood + 2 * count + 2 * count * (count + 1) / (points - count - 1)


def _weighted(laws: Sequence[ComparedLaw]) -> tuple[ComparedLaw, ...]:
    """Return the laws with their Akaike weights."""
    aicc = np.array([one.aicc for one in laws])
    known = ~np.isnan(aicc)
    weights = np.full(len(laws), math.nan)
    if known.any():
        share = np.exp(-(aicc[known] - aicc[known].min()) / 2)
        weights[known] = share / share.sum()
    return tuple(dataclasses.replace(one, weight=float(w)) for one, w in zip(laws, weights, strict=True))


def _share(value: float, decimals: int = 1) -> str:
    return "-" if math.isnan(value) else percent(value, decimals)


def _parameters(found: Fit | None) -> str:
    """Return the parameters of a fit, with their intervals, as one text."""
    if found is None:
        return "-"
    return ", ".join(f"{name} {found.parameter_text(name)}" for name in found.law.params)
