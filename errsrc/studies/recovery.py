"""Recovery of a known law: fit the law to noisy errors drawn from it, and compare the parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from errsrc import checks, records
from errsrc.checks import Choice, Number, Tuple
from errsrc.fields import Checked, choice, declare, instance, integer, number
from errsrc.fitting.asymptotes import LARGE
from errsrc.fitting.one_law import fit
from errsrc.fitting.several_laws import AVERAGED_LAWS, average_limits
from errsrc.laws.law import Array, Law
from errsrc.results import Interval, TextTable, percent
from errsrc.rng import generator
from errsrc.sweeps import Kind

AXES = ("n", "m", "depth", "width", "density", "u")
"""Names of the fields of a cell that are axes of its grid."""

NOISE_KINDS = ("equal", "falling", "t3")
"""Kinds of noise of ln(error)."""
ESTIMATORS = ("fit", "auto")
"""The functions that a cell can test."""

_SIZES = Tuple(Number(above=0))


@dataclass(frozen=True)
class RecoveryCell(Checked):
    """A grid of errors that are drawn with noise from a law; a cell of a study of the kind "recovery".

    Attributes
    ----------
    law
        The law from which the errors are drawn.  All its inputs must be sizes.
    noise
        Standard deviation of the noise of ln(error), > 0.  The noise is independent at each point.  If
        `noise_kind` is "falling", `noise` is the root mean square of the standard deviations of all points.
    seed
        Seed of the noise, >= 0.
    n, m, depth, width, density, u
        Axes of the grid: the values of each input of the law.  An axis must be empty if the law has no such
        input.
    held
        Names of the parameters that the fit fixes at their true values.  If ``eps0`` is fixed, errors above
        ``eps0`` are replaced by ``eps0``.
    level
        Coverage of the intervals, in (0, 1).
    noise_kind
        "equal": normal noise, with the same standard deviation at all points.  "falling": normal noise, whose
        standard deviation is proportional to n^(-1/2), or to x^(-1/2) for the first input x of a law without
        n.  "t3": noise of Student's t distribution with 3 degrees of freedom, scaled to the standard
        deviation `noise`.
    points
        Number of points of the grid, >= 1.  Each axis then has geometrically spaced sizes, from the smallest
        to the largest of the given sizes.  A grid of two axes is as near to a square as possible, with more
        sizes along its first axis: 12 points are 4 x 3, 30 are 6 x 5, and 60 are 10 x 6.  By default the grid
        has all combinations of the given sizes.
    estimator
        "fit": the law itself is fitted to ln(error) by least squares, and the intervals of its parameters are
        compared with the true values.  "auto": several laws are averaged, and the exponents and the floor of
        the average are compared with the true ones.
    """

    law: Law = instance(Law, "a law")
    noise: float = number(above=0)
    seed: int = integer(0, at_least=0)
    n: tuple[float, ...] = declare(_SIZES, ())
    m: tuple[float, ...] = declare(_SIZES, ())
    depth: tuple[float, ...] = declare(_SIZES, ())
    width: tuple[float, ...] = declare(_SIZES, ())
    density: tuple[float, ...] = declare(_SIZES, ())
    held: tuple[str, ...] = ()
    level: float = number(0.9, above=0, below=1)
    u: tuple[float, ...] = declare(_SIZES, ())
    noise_kind: str = choice("equal", NOISE_KINDS)
    points: int | None = integer(None, at_least=1)
    estimator: str = choice("fit", ESTIMATORS)

    def __post_init__(self) -> None:
        super().__post_init__()
        where, law = type(self).__name__, type(self.law).__name__
        if self.law.error_inputs:
            raise ValueError(checks.refusal("law", where, "a law whose inputs are sizes alone", law))
        for axis in AXES:
            if (axis in self.law.inputs) != bool(getattr(self, axis)):
                accepted = f"among the inputs of {law}, {', '.join(self.law.inputs)}"
                raise ValueError(checks.refusal(axis, where, accepted, getattr(self, axis)))
        for name in self.held:
            Choice(tuple(self.law.params))(name, "held", where)
        if self.points is not None and len(self.law.inputs) > 2:
            accepted = "left out for a law of more than two inputs"
            raise ValueError(checks.refusal("points", where, accepted, self.points))
        if self.estimator == "auto" and set(self.law.inputs) not in ({"n"}, {"n", "m"}):
            accepted = "'fit' for a law in other inputs than n, or n and m"
            raise ValueError(checks.refusal("estimator", where, accepted, self.estimator))

    def sizes(self) -> dict[str, Array]:
        """Return the inputs of all points of the grid, float64 (points,) each."""
        axes = [np.array(getattr(self, name)) for name in self.law.inputs]
        if self.points is not None:
            counts = _near_square(self.points)[: len(axes)] if len(axes) > 1 else (self.points,)
            axes = [np.geomspace(x.min(), x.max(), k) for x, k in zip(axes, counts, strict=True)]
        grid = np.meshgrid(*axes, indexing="ij")
        return {name: axis.ravel() for name, axis in zip(self.law.inputs, grid, strict=True)}

    def noisy(self, truth: Array, sizes: Mapping[str, Array]) -> Array:
        """Return errors with the noise of this cell; if `held` has eps0, errors above eps0 are set to eps0.

        Parameters
        ----------
        truth : ndarray of float64, shape (points,)
            The errors of the law.
        sizes : dict of str to ndarray of float64, shape (points,)
            The inputs of the points.
        """
        rng = generator(self.seed, "recovery")
        if self.noise_kind == "t3":
            noise = rng.standard_t(3, truth.shape) / math.sqrt(3)
        else:
            noise = rng.standard_normal(truth.shape)
        if self.noise_kind == "falling":
            spread = sizes["n" if "n" in sizes else self.law.inputs[0]] ** -0.5
            noise *= spread / np.sqrt(np.mean(spread**2))
        most = self.law.params["eps0"] if "eps0" in self.held else np.inf
        return np.minimum(truth * np.exp(self.noise * noise), most)


def _near_square(points: int) -> tuple[int, int]:
    """Return the two factors of a number that are nearest to each other, the larger factor first."""
    less = next(k for k in range(math.isqrt(points), 0, -1) if points % k == 0)
    return points // less, less


def compute_recoveries(cells: Sequence[RecoveryCell]) -> list[dict[str, Any]]:
    """Draw errors from the law of each cell, fit them with the cell's estimator, and compare the parameters.

    Parameters
    ----------
    cells : sequence of RecoveryCell
        The cells.

    Returns
    -------
    list of dict
        A row for each cell, with four columns for each interval.  For a parameter alpha, "alpha" is the
        estimate, "alpha.low" and "alpha.high" are the ends of its interval, and "alpha.covered" says whether
        the interval contains the true value.  The estimator "fit" has intervals of the fitted parameters.
        The estimator "auto" has intervals of "data_exponent", "model_exponent" and "floor"; the row has no
        columns for quantities without an interval.
    """
    return [_recovered(cell) for cell in cells]


def _recovered(cell: RecoveryCell) -> dict[str, Any]:
    sizes = cell.sizes()
    error = cell.noisy(cell.law.error(**sizes), sizes)
    found = _averaged(cell, error, sizes) if cell.estimator == "auto" else _fitted(cell, error, sizes)
    truth = true_values(cell)
    out: dict[str, Any] = {}
    for name, interval in found.items():
        out[name] = interval.estimate
        out |= {f"{name}.low": interval.low, f"{name}.high": interval.high}
        out[f"{name}.covered"] = interval.low <= truth[name] <= interval.high
    return out


def _fitted(cell: RecoveryCell, error: Array, sizes: Mapping[str, Any]) -> Mapping[str, Interval]:
    """Return the intervals of the parameters of the cell's law."""
    law = cell.law
    found = fit(
        type(law),
        error,
        fixed={name: law.params[name] for name in cell.held},
        constants={name: getattr(law, name) for name in law.constants()},
        objective="log",
        level=cell.level,
        **sizes,
    )
    return found.intervals


_LIMITS = {"n": "data_exponent", "m": "model_exponent", "floor": "floor"}
"""Columns of the intervals of an average, by their names in `AveragedFit.limits`."""


def _averaged(cell: RecoveryCell, error: Array, sizes: Mapping[str, Array]) -> Mapping[str, Interval]:
    """Return the intervals of the exponents and of the floor of the average."""
    known = {p.name for law in AVERAGED_LAWS[cell.law.inputs] for p in law.parameters()}
    fixed = {name: cell.law.params[name] for name in cell.held if name in known}
    found = average_limits(error, fixed=fixed, level=cell.level, **sizes)
    return {_LIMITS[name]: one for name, one in found.items()}


def true_values(cell: RecoveryCell) -> dict[str, float]:
    """Return the true values of all quantities for which the estimator of a cell may have an interval.

    Parameters
    ----------
    cell : RecoveryCell
        The cell.

    Returns
    -------
    dict of str to float
        The parameters of the law, or the exponents and the floor, by the names of the columns of
        `compute_recoveries`.
    """
    law = cell.law
    if cell.estimator == "fit":
        return law.params
    exponents = {"n": law.data_exponent_name, "m": law.model_exponent_name}
    found = {_LIMITS[size]: law.params[name] for size, name in exponents.items() if name in law.params}
    far = {name: LARGE for name in law.inputs}
    return found | {"floor": float(law.error(**far))}


def coverage(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the share of cells in which a parameter's interval contains the true value.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of cells of the kind "recovery", as `errsrc.sweeps.Store.rows` returns them.

    Returns
    -------
    dict of str to dict of str to float
        {law: {parameter: share}}.  If the intervals are right, each share is close to their level.
    """
    covered: dict[str, dict[str, list[bool]]] = {}
    for row in rows:
        for name, value in row.items():
            if name.endswith(".covered"):
                parameter = name.removesuffix(".covered")
                covered.setdefault(row["law.kind"], {}).setdefault(parameter, []).append(value)
    return {
        law: {parameter: sum(values) / len(values) for parameter, values in parameters.items()}
        for law, parameters in covered.items()
    }


class Coverage(NamedTuple):
    """How often an interval contains the true value, in cells that differ by their seeds alone.

    Attributes
    ----------
    law : str
        Name of the law from which the errors were drawn.
    estimator, noise_kind : str
        The estimator and the kind of noise of the cells.
    points : int
        Number of points of the grid.
    quantity : str
        Name of the parameter, or of the quantity of an average.
    level : float
        The coverage that the intervals claim.
    cells : int
        Number of cells.
    given : int
        Number of cells with an interval.
    covered : int
        Number of cells whose interval contains the true value.
    bounded : int
        Number of intervals with two finite ends.
    width : float
        Mean width of the bounded intervals, in units of the true value; nan if there are none, or if the true
        value is 0.
    """

    law: str
    estimator: str
    noise_kind: str
    points: int
    quantity: str
    level: float
    cells: int
    given: int
    covered: int
    bounded: int
    width: float

    @property
    def share(self) -> float:
        """The share of intervals that contain the true value; nan if there are no intervals."""
        return self.covered / self.given if self.given else math.nan

    def ends(self, level: float = 0.95) -> tuple[float, float]:
        """Return a confidence interval of the coverage (Clopper and Pearson).

        Parameters
        ----------
        level : float
            Coverage of the confidence interval, in (0, 1).
        """
        tail, hits, misses = (1 - level) / 2, self.covered, self.given - self.covered
        low = float(special.betaincinv(hits, misses + 1, tail)) if hits else 0.0
        high = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses else 1.0
        return low, high


def coverages(pairs: Iterable[tuple[RecoveryCell, Mapping[str, Any]]]) -> list[Coverage]:
    """Count how often intervals contain the true value, by law, estimator, kind of noise and grid.

    Parameters
    ----------
    pairs : iterable of (RecoveryCell, mapping)
        Cells and their rows, see `compute_recoveries`.
    """
    groups: dict[tuple[Any, ...], list[tuple[RecoveryCell, Mapping[str, Any]]]] = {}
    for cell, row in pairs:
        points = cell.points or math.prod(len(getattr(cell, name)) for name in cell.law.inputs)
        key = (records.name(type(cell.law)), cell.estimator, cell.noise_kind, points, cell.level, cell.noise)
        groups.setdefault(key, []).append((cell, row))
    return [one for key, group in groups.items() for one in _counted(key, group)]


def _counted(key: tuple[Any, ...], group: Sequence[tuple[RecoveryCell, Mapping[str, Any]]]) -> list[Coverage]:
    """Return the coverage of each quantity in one group of cells."""
    law, estimator, kind, points, level, _ = key
    found = []
    for name, truth in true_values(group[0][0]).items():
        if name in group[0][0].held and estimator == "fit":
            continue
        rows = [row for _, row in group if row.get(f"{name}.low") is not None]
        widths = np.array([row[f"{name}.high"] - row[f"{name}.low"] for row in rows])
        bounded = np.isfinite(widths)
        width = float(widths[bounded].mean() / abs(truth)) if bounded.any() and truth else math.nan
        covered = sum(bool(row[f"{name}.covered"]) for row in rows)
        counts = (len(group), len(rows), covered, int(bounded.sum()))
        found.append(Coverage(law, estimator, kind, points, name, level, *counts, width))
    return found


def coverage_table(found: Iterable[Coverage]) -> TextTable:
    """Return a table with a row for each quantity.

    Parameters
    ----------
    found : iterable of Coverage
        The result of `coverages`.
    """
    head = ["law", "estimator", "noise", "points", "quantity", "cells", "intervals", "bounded"]
    rows = [[*head, "cover", "95% interval", "mean width"]]
    for one in found:
        low, high = one.ends()
        texts = [one.law, one.estimator, one.noise_kind, str(one.points), one.quantity, str(one.cells)]
        texts += [str(one.given), str(one.bounded)]
        if one.given:
            width = "" if math.isnan(one.width) else f"{one.width:.2g}"
            texts += [percent(one.share), f"{percent(low)} to {percent(high)}", width]
        else:
            texts += ["", "", ""]
        rows.append(texts)
    return TextTable(rows, "lllrlr", header=True)


KIND = Kind("recovery", RecoveryCell, compute_recoveries, packages=("numpy", "scipy"))
"""The kind of study whose cells are grids drawn from a known law."""
