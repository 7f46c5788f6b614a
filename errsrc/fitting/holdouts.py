"""A law judged on what it has not seen: fitted to small cells, compared with the large ones.

A *cell* is one set of sizes (n, m, ...) with all the runs that were made there.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from errsrc import checks
from errsrc.fitting.forecasts import Forecast, Prediction
from errsrc.fitting.one_law import fit
from errsrc.laws.law import Array, Law
from errsrc.results import Interval, aligned, significant

DIVERGENCE_LIMITS = {"fitted": (0.01, 0.05), "held out": (0.05, 0.07)}
"""Largest |mean| and std of the relative divergence with which a prediction counts as come true.

Rosenfeld et al. 2020 (arXiv 1909.12673) report under 1% and 5% for fits, and 4.5 +- 4.7% for
ImageNet extrapolated from at most 1/8 of the data and 1/16 of the model."""


@dataclass(frozen=True, eq=False)
class JudgedCells:
    """Measured cells, and what the law says of them.

    Attributes
    ----------
    inputs
        {name: (cells,) float64}, in natural units.
    runs
        Each cell's measured errors, float64 (runs of that cell,).
    prediction
        For one new run of each cell, (cells,).
    """

    inputs: dict[str, Array]
    runs: tuple[Array, ...]
    prediction: Prediction

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def measured(self) -> Array:
        """Mean error of each cell's runs, (cells,)."""
        return np.array([e.mean() for e in self.runs])

    @property
    def divergence(self) -> Array:
        """(e^ - e) / e of each cell, e being the mean of its runs (R20), (cells,)."""
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
        """Standard deviation of ln error between runs of one cell, pooled; nan without repeats."""
        logs = [np.log(e) for e in self.runs]
        extra = sum(len(e) - 1 for e in logs)
        return math.sqrt(sum(float(((e - e.mean()) ** 2).sum()) for e in logs) / extra) if extra else math.nan

    @property
    def coverage(self) -> float:
        """Share of the single runs that lie in their cell's interval."""
        p = self.prediction
        inside = [(e >= a) & (e <= b) for e, a, b in zip(self.runs, p.low, p.high, strict=True)]
        return float(np.concatenate(inside).mean())

    def sizes(self, cell: int) -> dict[str, str]:
        """Return {input: its size as text} of the cell with that index."""
        values = {name: float(x[cell]) for name, x in self.inputs.items()}
        return {k: f"{v:,.0f}" if v == round(v) else f"{v:.4g}" for k, v in values.items()}

    def texts(self, cell: int) -> tuple[str, str, str]:
        """Return predicted, "[low, high]" and mean measured error of a cell, with the digits they support."""
        interval = self.interval(cell)
        predicted, _, ends = str(interval).partition(" ")
        return predicted, ends, significant(float(self.measured[cell]), interval.high - interval.low, 2)

    def interval(self, cell: int) -> Interval:
        """Return the prediction for one new run of the cell with that index."""
        p = self.prediction
        return Interval(float(p.predicted[cell]), float(p.low[cell]), float(p.high[cell]), p.level)


@dataclass(frozen=True)
class Criterion:
    """One figure by its name, whose value, a share of the error, must not exceed its limit."""

    name: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the figure is within the limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        return f"{self.name} {self.value:.1%} (limit {self.limit:.0%}): {'met' if self.met else 'MISSED'}"


@dataclass(frozen=True, eq=False)
class Holdout:
    """A fit beside the cells it was made from and the cells it had not seen.

    Attributes
    ----------
    forecast
        The fit.
    fitted, held_out
        The cells that the fit saw, and those it did not, sorted by their inputs.
    """

    forecast: Forecast
    fitted: JudgedCells
    held_out: JudgedCells

    @functools.cached_property
    def parts(self) -> dict[str, JudgedCells]:
        """The two parts by name, "fitted" and "held out"."""
        return {"fitted": self.fitted, "held out": self.held_out}

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The mean and the spread of the divergence of each part against `DIVERGENCE_LIMITS`."""
        out = []
        for name, cells in self.parts.items():
            mean, std = DIVERGENCE_LIMITS[name]
            out.append(Criterion(f"{name}: |mean| of the divergence", abs(cells.divergence_mean), mean))
            out.append(Criterion(f"{name}: std of the divergence", cells.divergence_std, std))
        return tuple(out)

    @property
    def largest(self) -> int:
        """Index of the largest held-out cell: the one with the largest product of its sizes."""
        return int(np.argmax(sum(np.log(x) for x in self.held_out.inputs.values())))

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return (cells,) each: its sizes, held_out, runs, measured, predicted, low, high, divergence."""
        parts = (self.fitted, self.held_out)

        def both(name: str) -> NDArray[np.generic]:
            return np.concatenate([getattr(p, name) for p in parts])

        predicted = [p.prediction.columns() for p in parts]
        return {
            **{k: np.concatenate([p.inputs[k] for p in parts]) for k in self.fitted.inputs},
            "held_out": np.repeat([False, True], [len(p) for p in parts]),
            "runs": np.array([len(e) for p in parts for e in p.runs]),
            "measured": both("measured"),
            **{k: np.concatenate([p[k] for p in predicted]) for k in predicted[0]},
            "divergence": both("divergence"),
        }

    def __str__(self) -> str:
        cells = self.held_out
        level = f"{cells.prediction.level:.0%} interval for one run"
        rows = [[*cells.inputs, "predicted", level, "measured", "divergence"]]
        for k, divergence in enumerate(cells.divergence):
            predicted, ends, measured = cells.texts(k)
            rows.append([*cells.sizes(k).values(), predicted, ends, measured, f"{divergence:+.1%}"])
        lines = [*aligned(rows), ""]
        for name, part in self.parts.items():
            runs = sum(len(e) for e in part.runs)
            noise = "" if math.isnan(part.seed_noise) else f"; seed noise {part.seed_noise:.1%}"
            spread = f"divergence {part.divergence_mean:+.1%} +- {part.divergence_std:.1%}{noise}"
            covered = f"{part.coverage:.0%} of the runs in their interval"
            lines.append(f"{name:<8}  {len(part)} cells, {runs} runs: {spread}; {covered}")
        return "\n".join([*lines, *map(str, self.criteria)])


def small_cells(share: float = 0.25, **inputs: ArrayLike) -> NDArray[np.bool_]:
    """Return which runs have every input at most `share` of its largest.

    Parameters
    ----------
    share
        In (0, 1).
    **inputs
        (runs,) arrays > 0, such as n and m.

    Returns
    -------
    (runs,) bool.

    Examples
    --------
    >>> small_cells(n=[100, 100, 400], m=[10, 50, 10])
    array([ True, False, False])
    """
    checks.number(share, "share", "small_cells", 0.0, 1.0, open_low=True, open_high=True)
    columns = [checks.positive_array(x, name, "small_cells") for name, x in inputs.items()]
    return np.logical_and.reduce([x <= share * x.max() for x in columns])


def holdout(
    law: type[Law],
    error: ArrayLike,
    *,
    share: float = 0.25,
    fixed: Mapping[str, float] | None = None,
    level: float = 0.9,
    **inputs: ArrayLike,
) -> Holdout:
    """Fit a law to the `small_cells` and judge it on the rest.

    Parameters
    ----------
    law
        The class to fit.
    error
        (runs,) measured errors, > 0; rows of equal inputs are runs of one cell.
    share
        Of each input's largest value: cells up to there in all inputs are fitted.
    fixed
        {parameter: value} not to fit.
    level
        Coverage of the intervals for one new run.
    **inputs
        (runs,) arrays, > 0, one for each of ``law.inputs``.

    Raises
    ------
    ValueError, TypeError, NoFit
        As `errsrc.fitting.one_law.fit` does, and if no cell is held out.
    """
    small = small_cells(share, **inputs)
    e = checks.positive_array(error, "error", "holdout")
    part: dict[str, Any] = {name: np.asarray(x)[small] for name, x in inputs.items()}
    return judge(fit(law, e[small], fixed=fixed, level=level, **part), e, small, level=level, **inputs)


def judge(
    forecast: Forecast, error: ArrayLike, fitted: ArrayLike, *, level: float = 0.9, **inputs: ArrayLike
) -> Holdout:
    """Compare a fit with measured runs, those it saw and those it didn't.

    Parameters
    ----------
    forecast
        A fit.
    error
        (runs,) measured errors, > 0; rows of equal inputs are runs of one cell.
    fitted
        (runs,) bool: the runs that the fit saw.
    level
        Coverage of the intervals for one new run.
    **inputs
        (runs,) arrays, > 0, one for each of the fit's inputs.

    Raises
    ------
    ValueError, TypeError
        For bad arrays, and if `fitted` is true or false of all runs.

    Examples
    --------
    >>> from errsrc.laws import Power
    >>> n = np.array([100, 200, 400, 800, 1600, 3200])
    >>> result = holdout(Power, Power(c_inf=0.1, a=2.0, alpha=0.5).error(n=n), n=n)
    >>> len(result.fitted), len(result.held_out), bool(abs(result.held_out.divergence_mean) < 1e-6)
    (4, 2, True)
    """
    e = checks.positive_array(error, "error", "judge")
    if set(inputs) != set(forecast.input_names):
        accepted = f"exactly {', '.join(forecast.input_names)}"
        raise TypeError(checks.refusal("inputs", "judge", accepted, sorted(inputs)))
    columns = {name: checks.positive_array(inputs[name], name, "judge") for name in forecast.input_names}
    seen = np.asarray(fitted)
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
