"""The default estimator: several laws fitted to one set of points, averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from errsrc import checks
from errsrc.laws.chinchilla import Chinchilla
from errsrc.laws.dense import Dense
from errsrc.laws.envelope import Envelope
from errsrc.laws.fitting import DRAWS, HUBER, Fit, describe, optimum, pose, robust_scale
from errsrc.laws.forecast import Forecast
from errsrc.laws.joint_pruning import JointPruning
from errsrc.laws.law import Array, Law
from errsrc.laws.m4 import M4
from errsrc.laws.power import Power
from errsrc.laws.pruning import Pruning


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
        """How many draws there are, over all members; each member has its weight's share of them."""
        return sum(f.runs for f in self.members)

    @property
    def run_noise(self) -> float:  # type: ignore[override]
        """Standard deviation of ln error of one run around the mean curve."""
        squares = [w * f.run_noise**2 for w, f in zip(self.weights, self.members, strict=True)]
        return float(np.sqrt(sum(squares)))

    def paired(self, inputs: dict[str, Array]) -> Array:
        """Return ln error at inputs (1 + runs, points): the average in row 0, members' draws below."""
        centre = 0.0
        rows = []
        first = 1
        for weight, member in zip(self.weights, self.members, strict=True):
            last = first + member.runs
            logs = member.paired({k: np.concatenate([x[:1], x[first:last]]) for k, x in inputs.items()})
            centre = centre + weight * logs[:1]
            rows.append(logs[1:])
            first = last
        return np.concatenate([centre, *rows])


CANDIDATES: dict[tuple[str, ...], tuple[type[Law], ...]] = {
    ("n",): (Power, Envelope, M4),
    ("n", "m"): (Dense, Chinchilla),
    ("density",): (Pruning,),
    ("density", "depth", "width", "eps_np"): (JointPruning,),
}
"""Which laws `auto` averages for which inputs."""


STARTS = 12
LIMITS = {"alpha": (0.02, 1.0), "gamma": (0.05, 8.0)}


def local_scale(n: Array, error: Array) -> float:
    """Return the scale of the scatter of ln error between neighbours in ln n, without any law.

    Each point is compared with the line through its two neighbours; the median absolute
    difference, in units of its own standard deviation, is read as that of a normal sample.
    """
    order = np.argsort(n)
    x, y = np.log(n[order]), np.log(error[order])
    x, first = np.unique(x, return_index=True)
    y = y[first]
    if len(x) < 4:
        return max(0.3 * float(np.std(np.diff(y))) if len(x) > 2 else 0.0, 1e-4)
    share = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])
    bend = y[1:-1] - share * y[:-2] - (1 - share) * y[2:]
    return max(robust_scale(bend / np.sqrt(1 + share**2 + (1 - share) ** 2)), 1e-4)


def auto(
    error: ArrayLike,
    *,
    fixed: Mapping[str, float] | None = None,
    constants: Mapping[str, float] | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.9,
    seed: int = 0,
    **inputs: ArrayLike,
) -> Average:
    """Fit the laws that suit `inputs` and average them by what the points themselves say."""
    candidates = CANDIDATES.get(tuple(inputs)) or CANDIDATES.get(tuple(sorted(inputs, reverse=True)))
    if candidates is None:
        known = "; ".join(", ".join(names) for names in CANDIDATES)
        raise TypeError(checks.refusal("inputs", "auto", f"one of these sets: {known}", sorted(inputs)))
    sizes: dict[str, Any] = dict(inputs)
    given = None if weights is None else checks.positive_array(weights, "weights", "auto")
    if tuple(inputs) == ("n",):
        n = checks.positive_array(inputs["n"], "n", "auto")
        given = n / n.max() * (1.0 if given is None else given)
    e = checks.positive_array(error, "error", "auto")
    one = tuple(inputs) == ("n",)
    delta = HUBER * local_scale(checks.positive_array(inputs["n"], "n", "auto"), e) if one else None
    found = []
    for law in candidates:
        names = {p.name for p in law.parameters()}
        held = {k: v for k, v in (fixed or {}).items() if k in names}
        limits = {k: v for k, v in LIMITS.items() if k in names and k not in held} if one else {}
        if "eps0" in names - set(held) and one:
            limits["eps0"] = (float(e.max()), 30 * float(e.max()))
        if found and len(np.unique(sizes["n"])) < len(names) - len(held):
            continue
        units = {k: v for k, v in (constants or {}).items() if k in law.constants()}
        problem = pose(law, e, sizes, held, units, given, limits, "huber", delta)
        found.append(optimum(problem, problem.starts(STARTS, seed), seed))
    w = found[0].problem.weights
    effective = float(w.sum() ** 2 / (w**2).sum())
    costs = np.array([f.cost for f in found])
    share = (np.maximum(costs, 1e-300) / max(costs.min(), 1e-300)) ** (-effective / 2)
    share = share / share.sum()
    counts = np.round(share * DRAWS).astype(int)
    kept = [i for i in np.argsort(-share) if counts[i] > 0]
    members = tuple(describe(found[i], level, int(counts[i]), seed) for i in kept)
    weight = share[kept] / share[kept].sum()
    return Average(members, tuple(weight.tolist()), members[0].warnings)
