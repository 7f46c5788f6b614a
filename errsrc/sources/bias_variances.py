"""Bias and variance over samples and initialisations: a diagnostic of the deficiency, not a part of it.

At one teacher f a learner's predictions g(x) over S samples and I initialisations, crossed, split into

    E (g - f)^2  =  bias^2 + variance over samples + over initialisations + of both together

(d'Ascoli et al. 2020, arXiv 2003.01054; Adlam and Pennington 2020, arXiv 2011.03321).  What the data does
not determine, and what the learner wastes, are in all four.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.results import Interval, mean_interval
from errsrc.rng import generator, seed_of
from errsrc.settings import Setting
from errsrc.settings.setting import Array
from errsrc.sources.predictions import fit_all, predicted

PARTS = ("bias", "samples", "initialisations", "both")
"""Squared bias, then the three variances."""

POINTS = 256
"""Fresh inputs a teacher."""


@dataclass(frozen=True, eq=False)
class BiasVariance:
    """A learner's mean excess risk, split by what it varies with; squared loss.

    Attributes
    ----------
    n
        Labelled examples.
    bias
        Squared bias: the risk of the mean over all samples and initialisations.
    samples, initialisations, both
        Variance over samples (inputs and labels' noise), over initialisations, and of the two together.
    total
        Their sum, the mean excess risk.
    draws
        For each of these its values over teachers, (teachers,).
    """

    n: int
    bias: Interval
    samples: Interval
    initialisations: Interval
    both: Interval
    total: Interval
    draws: dict[str, NDArray[np.float64]]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the table as columns, arrays (parts + 1,): a row a part and one of the total."""
        names = (*PARTS, "total")
        out: dict[str, NDArray[Any]] = {"part": np.array(names)}
        for end in ("estimate", "low", "high"):
            out[end] = np.array([getattr(getattr(self, name), end) for name in names])
        return out

    def __str__(self) -> str:
        lines = [f"n = {self.n:,}, excess risk, squared loss"]
        return "\n".join([*lines, *(f"{name:<16}{getattr(self, name)}" for name in (*PARTS, "total"))])


def bias_variance(
    setting: Setting,
    learner: Any,
    n: int,
    *,
    teachers: int = 16,
    samples: int = 4,
    initialisations: int = 4,
    seed: int = 0,
    level: float = 0.95,
) -> BiasVariance:
    """Return a learner's bias and variances over samples and initialisations.

    Parameters
    ----------
    setting
        One of squared loss.
    learner
        One of `errsrc.learners`.
    n
        Labelled examples of a sample.
    teachers
        Draws of a teacher, >= 2, that the intervals are over.
    samples, initialisations
        Of each teacher, each >= 2; every sample meets every initialisation.
    seed
        Root of the seed tree.
    level
        Coverage of the intervals.

    Raises
    ------
    ValueError, TypeError
        For numbers out of range, a setting of another loss, or predictions that are not finite.

    Notes
    -----
    Two-way analysis of variance with one value a cell: each part is unbiased, so that it may come out below
    0, and the parts sum to the mean excess risk exactly.  Cost: teachers x samples x initialisations fits.

    Examples
    --------
    >>> from errsrc.learners import Ridge
    >>> from errsrc.settings import LinearTeacher
    >>> found = bias_variance(LinearTeacher(4), Ridge(1.0), 8)
    >>> bool(abs(found.initialisations.estimate) < 1e-20)
    True
    """
    where = "bias_variance"
    checks.integer(n, "n", where, 1)
    for name, value in (("teachers", teachers), ("samples", samples), ("initialisations", initialisations)):
        checks.integer(value, name, where, 2)
    checks.integer(seed, "seed", where, 0)
    checks.number(level, "level", where, 0, 1, open_low=True, open_high=True)
    if not isinstance(setting, Setting) or setting.loss != "squared":
        raise ValueError(checks.refusal("setting", where, "a setting of squared loss", setting))
    rngs = [generator(seed, where, number, "teacher") for number in range(teachers)]
    drawn = setting.teachers(rngs)
    xs, ys, chances = [], [], []
    for number, teacher in enumerate(drawn):
        rng = functools.partial(generator, seed, where, number)
        for sample in range(samples):
            x = setting.inputs(n, rng("inputs", sample))
            y = setting.channel.label(teacher(x), rng("labels", sample))
            for initialisation in range(initialisations):
                xs.append(x)
                ys.append(y)
                chances.append(np.random.default_rng(seed_of(seed, where, number, "learner", initialisation)))
    fitted = fit_all(learner, xs, ys, chances)
    found: dict[str, list[float]] = {name: [] for name in (*PARTS, "total")}
    for number, teacher in enumerate(drawn):
        points = setting.fresh(POINTS, generator(seed, where, number, "points"))
        truth = teacher(points).reshape(len(points), -1)
        first = number * samples * initialisations
        own = fitted[first : first + samples * initialisations]
        values = np.stack([predicted(one, points, truth.shape[1]) for one in own])
        for name, part in _split(values.reshape(samples, initialisations, *truth.shape) - truth).items():
            found[name].append(part)
    draws = {name: np.array(values) for name, values in found.items()}
    return BiasVariance(
        n, **{name: mean_interval(values, level, 0.0) for name, values in draws.items()}, draws=draws
    )


def _split(off: Array) -> dict[str, float]:
    """Return the parts of errors (samples, initialisations, Q, outputs), means over Q, sums over outputs."""
    samples, initialisations = off.shape[:2]

    def square(values: Array) -> float:
        return float(np.square(values).sum() / off.shape[2])

    mean = off.mean((0, 1))
    over_samples, over_starts = off.mean(1) - mean, off.mean(0) - mean
    rest = off - mean - over_samples[:, None] - over_starts[None]
    both = square(rest) / ((samples - 1) * (initialisations - 1))
    by_samples = square(over_samples) / (samples - 1) - both / initialisations
    by_starts = square(over_starts) / (initialisations - 1) - both / samples
    doubt = by_samples / samples + by_starts / initialisations + both / (samples * initialisations)
    parts = {
        "bias": square(mean) - doubt, "samples": by_samples, "initialisations": by_starts, "both": both,
    }  # fmt: skip
    return parts | {"total": sum(parts.values())}
