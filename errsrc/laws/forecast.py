"""From a fitted curve to an interval for one new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from errsrc import checks
from errsrc.laws.law import Array


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
        """Return predicted, low and high as a dict of arrays."""
        return {"predicted": self.predicted, "low": self.low, "high": self.high}


class Forecast:
    """What a fitted curve can foretell; the base of `Fit` and of `Average`.

    A subclass has `input_names`, `inputs` ({name: measured sizes}), `warnings`, `runs` (the
    number of its draws), `noise_of_runs` (standard deviation of ln error of one run around
    the mean curve) and `paired`; all else is done here.
    """

    input_names: tuple[str, ...]
    inputs: dict[str, Array]
    warnings: tuple[str, ...]
    runs: int
    run_noise: float

    def paired(self, inputs: dict[str, Array]) -> Array:
        """Return ln error of the mean curve at inputs of shape (1 + runs, points).

        Row 0 is the central curve, row k the k-th draw of what the curve may be.
        """
        raise TypeError(f"{type(self).__name__} must define paired(inputs)")

    def curves(self, **inputs: ArrayLike) -> tuple[Array, Array]:
        """Return ln error of the central curve (points,) and of every draw (runs, points)."""
        columns = self._columns(inputs)
        rows = {name: np.broadcast_to(x, (1 + self.runs, len(x))) for name, x in columns.items()}
        with np.errstate(all="ignore"):
            logs = self.paired(rows)
        return logs[0], logs[1:]

    def predict(self, level: float = 0.9, **inputs: ArrayLike) -> Prediction:
        """Return the error of one new run at `inputs`, with an interval.

        The distribution of ln error is a mixture: one normal for each draw of the mean
        curve, with the noise of a run as its standard deviation.

        Parameters
        ----------
        level
            Coverage of the interval, in (0, 1).
        **inputs
            Arrays > 0 that broadcast, one for each of `input_names`.

        Raises
        ------
        ValueError, TypeError
            For a level outside (0, 1), and for missing or bad inputs.
        """
        checks.number(level, "level", "predict", 0.0, 1.0, open_low=True, open_high=True)
        centre, draws = self.curves(**inputs)
        tail = (1 - level) / 2
        low = _mixture_quantile(draws, self.run_noise, tail)
        high = _mixture_quantile(draws, self.run_noise, 1 - tail)
        shape = np.broadcast(*[np.asarray(inputs[name]) for name in self.input_names]).shape
        low, high = np.minimum(low, centre), np.maximum(high, centre)
        predicted, low, high = (np.exp(x).reshape(shape) for x in (centre, low, high))
        return Prediction(predicted, low, high, level, self.warnings)

    def run_deviations(self) -> Array:
        """Return (runs,) deviations of ln error of one run, a spread-out sample in a fixed order."""
        ranks = special.ndtri((np.arange(self.runs) + 0.5) / self.runs)
        order: Array = np.random.default_rng(0).permutation(ranks)
        return self.run_noise * order

    def _columns(self, inputs: dict[str, ArrayLike]) -> dict[str, Array]:
        if set(inputs) != set(self.input_names):
            accepted = f"exactly {', '.join(self.input_names)}"
            raise TypeError(checks.refusal("inputs", "predict", accepted, sorted(inputs)))
        arrays = [checks.positive_array(inputs[name], name, "predict") for name in self.input_names]
        try:
            flat = [np.ravel(x) for x in np.broadcast_arrays(*arrays)]
        except ValueError:
            got = "<shapes " + ", ".join(str(x.shape) for x in arrays) + ">"
            raise ValueError(checks.refusal("inputs", "predict", "arrays that broadcast", got)) from None
        return dict(zip(self.input_names, flat, strict=True))


def _mixture_quantile(centres: Array, width: float, share: float) -> Array:
    """Return the quantile of each column's equal mixture of normals N(centre, width^2), by bisection."""
    centres = np.where(np.isfinite(centres), centres, np.nanmedian(centres, axis=0))
    if width <= 0:
        return np.quantile(centres, share, axis=0)
    reach = 10 * width
    low, high = centres.min(axis=0) - reach, centres.max(axis=0) + reach
    for _ in range(60):
        middle = (low + high) / 2
        below = stats.norm.cdf((middle - centres) / width).mean(axis=0) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
