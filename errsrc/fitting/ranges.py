"""Sentences on how far results lie beyond the measured range, and on the sources of their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errsrc.laws.law import Array
from errsrc.results import percent

BEYOND = "Beyond the measured range: "
"""The beginning of a sentence on results beyond the measured range."""
SAID = 2.0
"""A printed result that lies at least this factor beyond the measured range says so."""
COVERED_PUBLISHED, COVERED_OWN = 0.87, 0.81
"""Share of held-out runs in the 90% intervals of the default fit, if n and m are both larger than in the fit.

Means over families of published tables, and over errsrc's own grids (`benchmarks/corners.py`)."""
WORDS = {
    "form": "doubt about the law's form",
    "noise": "noise of a run",
    "parameters": "uncertain parameters",
}
"""The parts of the variance of a predicted error, in words."""


@dataclass(frozen=True)
class MeasuredRange:
    """The measured range of a size or a budget, and how far a result lies outside this range.

    Attributes
    ----------
    low, high : float
        The smallest and the largest measured value.
    below : float
        The smallest measured value divided by the smallest value of the result; at least 1.
    above : float
        The largest value of the result divided by the largest measured value; at least 1.
    """

    low: float
    high: float
    below: float
    above: float

    @classmethod
    def of(cls, measured: Array, asked: Array) -> MeasuredRange:
        """Return the range of measured values, and how far the values of a result lie outside it.

        Parameters
        ----------
        measured, asked : ndarray of float64
            Measured values and values of the result, > 0.  Values of the result that are not finite are
            ignored.
        """
        low, high = float(np.min(measured)), float(np.max(measured))
        usable = np.ravel(asked)[np.isfinite(np.ravel(asked)) & (np.ravel(asked) > 0)]
        if not usable.size:
            return cls(low, high, 1.0, 1.0)
        return cls(low, high, max(low / float(usable.min()), 1.0), max(float(usable.max()) / high, 1.0))


def size_ranges(measured: Mapping[str, Array], asked: Mapping[str, Array]) -> dict[str, MeasuredRange]:
    """Return the range of each size.  If the sizes are n and m, the key "6 n m" has the range of the cost.

    Parameters
    ----------
    measured : dict of str to ndarray of float64, shape (points,)
        The measured sizes by name.
    asked : dict of str to ndarray of float64, shape (results,)
        The sizes of the result by name.
    """
    out = {name: MeasuredRange.of(measured[name], asked[name]) for name in measured if name in asked}
    if set(out) == {"n", "m"}:
        costs = (6.0 * sizes["n"] * sizes["m"] for sizes in (measured, asked))
        out["6 n m"] = MeasuredRange.of(*costs)
    return out


def range_sentence(ranges: Mapping[str, MeasuredRange]) -> list[str]:
    """Return a sentence on values at least `SAID` times beyond the measured range; [] if there are none.

    Parameters
    ----------
    ranges : dict of str to MeasuredRange
        The ranges by name.
    """
    parts = []
    for key, one in ranges.items():
        name = "the training cost 6 n m" if key == "6 n m" else key
        if one.above >= SAID:
            parts.append(f"{name} up to {_times(one.above)} times the largest measured ({one.high:.3g})")
        if one.below >= SAID:
            parts.append(f"{name} down to 1/{_times(one.below)} of the smallest measured ({one.low:.3g})")
    return [f"{BEYOND}{'; '.join(parts)}."] if parts else []


def larger_in_both(measured: Mapping[str, Array], asked: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Return at which results n and m are both larger than in all measured runs; False for other inputs.

    Parameters
    ----------
    measured : dict of str to ndarray of float64, shape (points,)
        The measured sizes by name.
    asked : dict of str to ndarray of float64, shape (results,)
        The sizes of the results by name.
    """
    sizes = {name: np.ravel(x) for name, x in asked.items()}
    if not set(measured) == set(asked) == {"n", "m"}:
        return np.zeros(max(map(len, sizes.values()), default=0), dtype=bool)
    return np.asarray((sizes["n"] > measured["n"].max()) & (sizes["m"] > measured["m"].max()))


def both_sentence(both: NDArray[np.bool_]) -> list[str]:
    """Return a sentence on results where n and m are both larger than in the fit; [] if there are none.

    Parameters
    ----------
    both : ndarray of bool, shape (results,)
        At which results both sizes are larger, see `larger_in_both`.
    """
    if not both.any():
        return []
    where = "Both" if both.all() else f"In {int(both.sum()):,} of {len(both):,} rows, both"
    return [
        f"{where} n and m are larger than in all measured runs. For such runs, 90% intervals of the "
        f"default fit contained {percent(COVERED_PUBLISHED)} of the errors in published tables, and "
        f"{percent(COVERED_OWN)} in errsrc's own grids."
    ]


def _times(factor: float) -> str:
    """Return a factor as text, such as "77.2" or "3,120"."""
    return f"{factor:.3g}" if factor < 999.5 else f"{float(f'{factor:.3g}'):,.0f}"


def share_sentence(shares: Mapping[str, Array]) -> list[str]:
    """Return a sentence on the parts of the variance of predicted errors; [] without predictions.

    Parameters
    ----------
    shares : dict of str to ndarray of float64, shape (predictions,)
        The share of each part in the variance of ln error, by its name in `WORDS`; nan for no prediction.
    """
    if not shares or not np.isfinite(next(iter(shares.values()))).any():
        return []
    means = {name: float(np.nanmean(share)) for name, share in shares.items()}
    ordered = sorted(means.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{percent(share)} {WORDS[name]}" for name, share in ordered)
    several = int(np.isfinite(next(iter(shares.values()))).sum()) > 1
    return [f"The variance of the predicted {'errors' if several else 'error'} is {parts}."]
