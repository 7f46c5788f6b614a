"""From a fitted curve to an interval for one new run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from errsrc import checks
from errsrc.laws.law import Array

DOUBT, JOINT_DOUBT = 0.2, 0.13
"""Doubt about a law's form: standard deviation of ln error per unit of ln error extrapolated.

For laws in one input, and in several, which the points hold from more sides.  Published
learning curves extrapolated from their smaller sizes ask for 0.13 to 0.32, published grids
for about 0.1; `benchmarks/law_fit.py` states the coverage that comes of it."""
TAIL = 6.0
"""Degrees of freedom of the t distribution of one run around the curve: noise has heavy tails."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted errors with intervals, each for one new run.

    Attributes
    ----------
    predicted, low, high
        (points,) float64, in the units of the fitted errors.
    level
        Coverage that [low, high] states.
    warnings
        What the reader must know, a sentence each.
    """

    predicted: Array
    low: Array
    high: Array
    level: float
    warnings: tuple[str, ...]

    def columns(self) -> dict[str, Array]:
        """Return predicted, low and high by name, of the inputs' shape."""
        return {"predicted": self.predicted, "low": self.low, "high": self.high}


class Forecast:
    """What a fitted curve can foretell; the base of `Fit` and of `AveragedFit`.

    A subclass has `input_names`, `at_most` (see `errsrc.laws.Law`), `inputs` ({name: measured
    sizes}), `warnings`, `draw_count` (the number of its draws), `run_noise` (standard deviation of ln
    error of one run around the mean curve) and `log_errors`; all else is done here.
    """

    input_names: tuple[str, ...]
    at_most: Mapping[str, float]
    inputs: dict[str, Array]
    warnings: tuple[str, ...]
    draw_count: int
    run_noise: float

    def log_errors(self, inputs: dict[str, Array]) -> Array:
        """Return ln error of the mean curve at inputs of shape (1 + draw_count, points).

        Row 0 is the central curve, row k the k-th draw of what the curve may be.
        """
        raise TypeError(f"{type(self).__name__} must define log_errors(inputs)")

    def curves(self, **inputs: ArrayLike) -> tuple[Array, Array]:
        """Return ln error of the central curve (points,) and of every draw (draw_count, points)."""
        columns = self._columns(inputs)
        rows = {name: np.broadcast_to(x, (1 + self.draw_count, len(x))) for name, x in columns.items()}
        with np.errstate(all="ignore"):
            logs = self.log_errors(rows)
        return logs[0], logs[1:]

    def predict(self, level: float = 0.9, **inputs: ArrayLike) -> Prediction:
        """Return the error of one new run at `inputs`, with an interval.

        The distribution of ln error is a mixture: one t distribution around each draw of the
        mean curve, as wide as the noise of a run and the doubt about the law's form (`run_spread`).

        Parameters
        ----------
        level
            Coverage of the interval, in (0, 1).
        **inputs
            Arrays > 0, and no larger than `at_most`, that broadcast: one for each of `input_names`.

        Raises
        ------
        ValueError, TypeError
            For a level outside (0, 1), and for missing or bad inputs.
        """
        checks.number(level, "level", "predict", 0.0, 1.0, open_low=True, open_high=True)
        centre, draws = self.curves(**inputs)
        tail = (1 - level) / 2
        width = self.run_spread(centre)
        low, high = np.empty_like(centre), np.empty_like(centre)
        for part in np.array_split(np.arange(len(centre)), len(centre) // 500 + 1):
            sample = _mixture(draws[:, part], width[part])
            low[part], high[part] = np.quantile(sample, [tail, 1 - tail], axis=0)
        shape = np.broadcast(*[np.asarray(inputs[name]) for name in self.input_names]).shape
        low, high = np.minimum(low, centre), np.maximum(high, centre)
        predicted, low, high = (np.exp(x).reshape(shape) for x in (centre, low, high))
        return Prediction(predicted, low, high, level, self.warnings)

    def run_spread(self, logs: Array) -> Array:
        """Return the scale of one run around a curve where that predicts ln error `logs`, of their shape.

        Noise of a run, and doubt about the form: `DOUBT` (or `JOINT_DOUBT`) times the change of
        ln error beyond the range over which the curve was fitted.
        """
        low, high = self.fitted_range
        beyond = np.maximum(low - logs, 0.0) + np.maximum(logs - high, 0.0)
        doubt = DOUBT if len(self.input_names) == 1 else JOINT_DOUBT
        return np.sqrt(self.run_noise**2 + (doubt * beyond) ** 2)

    @functools.cached_property
    def fitted_range(self) -> tuple[float, float]:
        """The least and the greatest ln error that the central curve has over the fitted points."""
        centre, _ = self.curves(**self.inputs)
        return float(centre.min()), float(centre.max())

    def run_deviates(self) -> Array:
        """Return (runs,) deviations of one run in units of `run_spread`, spread out, in a fixed order."""
        ranks = special.stdtrit(TAIL, (np.arange(self.draw_count) + 0.5) / self.draw_count)
        order: Array = np.random.default_rng(0).permutation(ranks)
        return order

    def _columns(self, inputs: dict[str, ArrayLike]) -> dict[str, Array]:
        if set(inputs) != set(self.input_names):
            accepted = f"exactly {', '.join(self.input_names)}"
            raise TypeError(checks.refusal("inputs", "predict", accepted, sorted(inputs)))
        most = self.at_most
        arrays = [checks.positive_array(inputs[k], k, "predict", most.get(k)) for k in self.input_names]
        try:
            flat = [np.ravel(x) for x in np.broadcast_arrays(*arrays)]
        except ValueError:
            got = "<shapes " + ", ".join(str(x.shape) for x in arrays) + ">"
            raise ValueError(checks.refusal("inputs", "predict", "arrays that broadcast", got)) from None
        return dict(zip(self.input_names, flat, strict=True))


def _mixture(draws: Array, width: Array) -> Array:
    """Return a sample (16 runs, points) of the equal mixture of t distributions around the draws.

    The deviates are stratified and in a fixed order, so that the same fit predicts the same.
    """
    draws = np.where(np.isfinite(draws), draws, np.nanmedian(draws, axis=0))
    rng = np.random.default_rng(0)
    share = (np.arange(16) + rng.random((len(draws), 16))) / 16
    deviates = special.stdtrit(TAIL, share)
    return (draws[:, None, :] + deviates[:, :, None] * width).reshape(-1, draws.shape[1])
