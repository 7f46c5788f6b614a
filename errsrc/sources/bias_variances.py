"""Bias and variance over samples and initialisations: another decomposition of the excess risk.

For one teacher f, a learner is fitted to S samples, with I initialisations for each sample.  The mean squared
error of its predictions g(x) is the sum

    E (g - f)^2  =  bias^2 + variance over samples + over initialisations + of both together

(d'Ascoli et al. 2020, arXiv 2003.01054; Adlam and Pennington 2020, arXiv 2011.03321).  These components do
not correspond to the terms of `errsrc.sources.budget`: each may contain uncertainty and deficiency.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks, records
from errsrc.checks import LEVEL, SEED, Instance, Integer
from errsrc.learners import Learner, as_learner
from errsrc.results import ROUNDING, Interval, TabularResult, TextTable, json_value, mean_interval
from errsrc.rng import generator, seed_of
from errsrc.settings import Setting
from errsrc.settings.checked_draws import drawn_inputs, taught_values
from errsrc.settings.setting import Array
from errsrc.sources.predictions import predicted_values

COMPONENTS = ("bias", "samples", "initialisations", "both")
"""Squared bias, then the three variances."""

_FRESH_INPUTS = 256  # number of fresh inputs per teacher


@dataclass(frozen=True, eq=False, repr=False)
class BiasVariance(TabularResult):
    """A learner's mean excess risk under the squared loss, as a sum of bias and variances.

    Attributes
    ----------
    n : int
        Number of labelled examples.
    bias : Interval
        Squared bias: the excess risk of the mean prediction over all samples and initialisations.
    samples : Interval
        Variance over samples, which differ in their inputs and in the noise of their labels.
    initialisations : Interval
        Variance over initialisations, which differ in the learner's random numbers.
    both : Interval
        Variance of the interaction between sample and initialisation.
    total : Interval
        The mean excess risk, which is the sum of the four components.
    draws : dict of str to ndarray of float64, (teachers,)
        The keys are the names of the four components, and "total".  The values have a number for each
        teacher.
    setting, learner : str
        The setting and the learner as text, shown in the figure.
    """

    n: int
    bias: Interval
    samples: Interval
    initialisations: Interval
    both: Interval
    total: Interval
    draws: dict[str, NDArray[np.float64]]
    setting: str = ""
    learner: str = ""

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the table as a dict of columns, (5,): a row for each component, then for the total."""
        names = (*COMPONENTS, "total")
        out: dict[str, NDArray[Any]] = {"part": np.array(names)}
        for end in ("estimate", "low", "high"):
            out[end] = np.array([getattr(getattr(self, name), end) for name in names])
        return out

    def headline(self) -> str:
        """Return n and the components as one line."""
        return f"n = {self.n:,}, squared loss: {', '.join(f'{name} {text}' for name, text in self._lines())}"

    def content(self) -> list[str | TextTable]:
        """Return a table of the components and the total."""
        return [f"n = {self.n:,}, excess risk, squared loss", TextTable(self._lines(), "l")]

    def as_dict(self) -> dict[str, Any]:
        """Return the components and the total as JSON values; without the values of single teachers."""
        return json_value({k: v for k, v in self._field_values().items() if k != "draws"})

    def _lines(self) -> list[tuple[str, str]]:
        return [(name, str(self.shown(name))) for name in (*COMPONENTS, "total")]

    def shown(self, name: str) -> Interval:
        """Return a component as it is printed and drawn: 0 if it is at most `ROUNDING` of the total.

        Parameters
        ----------
        name : str
            One of `COMPONENTS`, or "total".
        """
        found: Interval = getattr(self, name)
        return found.rounded(ROUNDING * abs(self.total.estimate))


@checks.arguments(
    setting=Instance(Setting, "a setting of squared loss"),
    n=Integer(at_least=1),
    teachers=Integer(at_least=2),
    samples=Integer(at_least=2),
    initialisations=Integer(at_least=2),
    seed=SEED,
    level=LEVEL,
)
def bias_variance(
    setting: Setting,
    learner: Learner | Any,
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
    setting : Setting
        A setting of squared loss, from errsrc or your own.
    learner : Learner, estimator or object with fit
        The learner, see `errsrc.learners.as_learner`.
    n : int
        Number of labelled examples in each sample, >= 1.
    teachers : int
        Number of teachers, >= 2.  The intervals describe the variation between teachers.
    samples : int
        Number of samples of labelled examples from each teacher, >= 2.
    initialisations : int
        Number of fits to each sample with different random numbers, >= 2.
    seed : int
        Seed from which all random streams are derived, >= 0.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    BiasVariance
        The components and their sum, each with an interval.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, if the loss of the setting is not the squared loss, or if a prediction
        is not finite.

    Notes
    -----
    For each teacher this is a two-way analysis of variance, with one fit for each pair of a sample and an
    initialisation.  The estimate of each component is unbiased and may therefore be negative.  The estimates
    sum to the mean excess risk exactly.  The cost is teachers x samples x initialisations fits.

    Examples
    --------
    >>> from errsrc.learners import Ridge
    >>> from errsrc.settings import LinearTeacher
    >>> found = bias_variance(LinearTeacher(4), Ridge(1.0), 8)
    >>> bool(abs(found.initialisations.estimate) < 1e-20)
    True
    """
    where = "bias_variance"
    if setting.loss != "squared":
        raise ValueError(checks.refusal("setting", where, "a setting of squared loss", setting))
    learner = as_learner(learner, where)
    drawn = setting.teachers([generator(seed, where, number, "teacher") for number in range(teachers)])
    xs, ys, rngs = [], [], []
    for number, teacher in enumerate(drawn):
        rng = functools.partial(generator, seed, where, number)
        for sample in range(samples):
            x = drawn_inputs(setting, n, rng("inputs", sample), where, teacher)
            y = setting.channel.label(taught_values(setting, teacher, x, where), rng("labels", sample))
            for initialisation in range(initialisations):
                xs.append(x)
                ys.append(y)
                rngs.append(np.random.default_rng(seed_of(seed, where, number, "learner", initialisation)))
    fitted = learner.fit_many(xs, ys, rngs)
    found = []
    for number, teacher in enumerate(drawn):
        points = setting.fresh_of(teacher, _FRESH_INPUTS, generator(seed, where, number, "points"))
        truth = taught_values(setting, teacher, points, where).reshape(len(points), -1)
        first = number * samples * initialisations
        own = fitted[first : first + samples * initialisations]
        values = np.stack([predicted_values(one, points, truth.shape[1], where) for one in own])
        found.append(_split(values.reshape(samples, initialisations, *truth.shape) - truth))
    draws = {name: np.array([one[name] for one in found]) for name in (*COMPONENTS, "total")}
    parts: dict[str, Any] = {name: mean_interval(values, level, 0.0) for name, values in draws.items()}
    names = (records.text(setting), records.text(learner))
    return BiasVariance(n, **parts, draws=draws, setting=names[0], learner=names[1])


def _split(off: Array) -> dict[str, float]:
    """Return the components of an array of errors, (samples, initialisations, Q, outputs).

    Each component is a mean over Q and a sum over outputs.
    """
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
