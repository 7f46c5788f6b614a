"""Draws of a network teacher's world, as tensors, and how hard their bounds are looked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from errsrc import checks
from errsrc.settings import NetworkTeacher
from errsrc.settings.network import NetworkFunction
from errsrc.settings.setting import Array
from errsrc.sources.bracket.hamiltonian import Target


@dataclass(frozen=True)
class Effort:
    """How hard the bounds are looked for.

    Attributes
    ----------
    starts, steps
        Students trained on each data set, and the L-BFGS steps of each.
    chains
        Chains of each data set on either side, an even number.
    transitions, leaps
        Of each chain: an even number of transitions from the teacher (twice as many from students, whose
        first half is not read), and the most leapfrog steps of each.
    """

    starts: int = 16
    steps: int = 400
    chains: int = 4
    transitions: int = 32
    leaps: int = 400

    def __post_init__(self) -> None:
        for name in ("starts", "steps", "leaps"):
            checks.integer(getattr(self, name), name, "Effort", 1)
        for name in ("chains", "transitions"):
            if checks.integer(getattr(self, name), name, "Effort", 2) % 2:
                raise ValueError(checks.refusal(name, "Effort", "an even number", getattr(self, name)))

    def leaps_at(self, step: Tensor) -> int:
        """Return how many leaps of the median of steps, (C,), go half round the prior's ball, or the most."""
        return min(self.leaps, max(8, math.ceil(math.pi / 2 / float(step.median()))))


@dataclass(frozen=True, eq=False)
class World:
    """D draws of a setting, as float64 tensors.

    Attributes
    ----------
    setting
        Of squared loss.
    weights
        Of the teachers, (D, ...) each.
    x, y
        Labelled examples, (D, n, inputs) and (D, n, outputs).
    points, truth
        Fresh inputs, (D, Q, inputs), and the teachers' values there, (D, Q, outputs).
    """

    setting: NetworkTeacher
    weights: tuple[Tensor, ...]
    x: Tensor
    y: Tensor
    points: Tensor
    truth: Tensor

    @classmethod
    def of(
        cls,
        setting: NetworkTeacher,
        teachers: Sequence[NetworkFunction],
        xs: Sequence[Array],
        ys: Sequence[Array],
        points: Sequence[Array],
    ) -> World:
        """Return draws, of shapes that `errsrc.sources.bracket` has; refuse in its name what is none."""
        where = "uncertainty_bracket"
        draws, network = len(teachers), setting.architecture
        for name, arrays in (("xs", xs), ("ys", ys), ("points", points)):
            shapes = {np.shape(array) for array in arrays}
            if len(arrays) != draws or len(shapes) != 1 or not draws:
                accepted = f"{draws or 'one or more'} arrays of one shape, one for each teacher"
                raise ValueError(checks.refusal(name, where, accepted, f"<{len(arrays)} of {shapes}>"))
        if np.size(ys[0]) != len(xs[0]) * network.outputs or len(ys[0]) != len(xs[0]):
            accepted = f"labels of {len(xs[0])} inputs, {network.outputs} of each"
            raise ValueError(checks.refusal("ys", where, accepted, f"<shape {np.shape(ys[0])}>"))
        if any(teacher.architecture != network for teacher in teachers):
            raise ValueError(checks.refusal("teachers", where, f"networks of {network}", teachers))
        weights = tuple(
            torch.cat([w.double() for w in each])
            for each in zip(*(teacher.weights for teacher in teachers), strict=True)
        )
        x, y, at = (torch.from_numpy(np.stack(list(a))).double() for a in (xs, ys, points))
        y = y.reshape(*x.shape[:2], network.outputs)
        with torch.no_grad():
            return cls(setting, weights, x, y, at, network(weights, at))

    @property
    def n(self) -> int:
        """Labelled examples of each draw."""
        return self.x.shape[1]

    @property
    def stds(self) -> tuple[float, ...]:
        """Prior standard deviations, one for each tensor of weights."""
        return self.setting.architecture.prior_stds(self.setting.weight_std, self.setting.bias_std)

    @property
    def free(self) -> Tensor:
        """Which parameters vary under the prior, bool (P,)."""
        return self.target(1.0).scale > 0

    @property
    def free_parameters(self) -> int:
        """P, the number of `free` parameters."""
        return int(self.free.sum())

    def target(self, noise_std: float) -> Target:
        """Return the posteriors of all draws, for label noise of that standard deviation."""
        return Target(self.setting.architecture, self.stds, self.x, self.y, noise_std)
