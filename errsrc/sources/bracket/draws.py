"""Draws of a teacher and data, with fresh inputs at which predictors are tested."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errsrc import checks
from errsrc.nets import Network
from errsrc.rng import generator
from errsrc.settings import NetworkTeacher, Setting
from errsrc.settings.checked_draws import taught_values
from errsrc.settings.network import NetworkFunction, NetworkSetting
from errsrc.settings.setting import Array
from errsrc.sources.experiments import Experiment

FRESH_INPUTS = 512
"""Number of fresh inputs of a draw, at which functions are compared, see `fresh_inputs`."""

LABEL_ROUNDING = 1e-9
"""Largest deviation of clean labels from the teacher's values, relative to 1 + the largest label."""


@dataclass(frozen=True, eq=False)
class Draw:
    """One draw of a teacher, labelled examples and fresh inputs.

    Attributes
    ----------
    number : int
        Index of the draw, from 0.
    teacher : callable
        The teacher.
    x : ndarray of float64, (n, dim)
        Inputs of the labelled examples.
    y : ndarray of float64, (n,) or (n, outputs), or of int64, (n,)
        Labels of the examples.
    points : ndarray of float64, (Q, dim)
        Fresh inputs.
    values : ndarray of float64, (Q, outputs)
        The teacher's values at the fresh inputs.
    """

    number: int
    teacher: Any
    x: Array
    y: NDArray[Any]
    points: Array
    values: Array


def draw_teachers_and_data(setting: Setting, experiment: Experiment) -> list[Draw]:
    """Return the draws of an experiment.

    Parameters
    ----------
    setting : Setting
        The setting.
    experiment : Experiment
        Gives the number of examples, the number of draws, and the seed.
    """
    out = []
    for number, teacher in enumerate(draw_teachers(setting, experiment.draws, experiment.seed)):
        inputs = experiment.inputs(setting, number, teacher)
        points = draw_points(setting, teacher, number, experiment.seed)
        values = taught_values(setting, teacher, points, "budget").reshape(len(points), -1)
        taught = taught_values(setting, teacher, inputs, "budget")
        labels = setting.channel.label(taught, experiment.rng(number, "labels"))
        out.append(Draw(number, teacher, inputs, labels, points, values))
    return out


@functools.singledispatch
def fresh_inputs(setting: Setting) -> int:
    """Return the number of fresh inputs of a draw.

    If the setting has a fixed set of test inputs, the result is the size of this set; otherwise it is
    `FRESH_INPUTS`.  For a `NetworkTeacher`, whose chains are evaluated at all fresh inputs of a draw, the
    result is at most `FRESH_INPUTS`: each draw has its own random test inputs.

    Parameters
    ----------
    setting : Setting
        The setting.
    """
    return FRESH_INPUTS if setting.test_pool_size is None else setting.test_pool_size


@fresh_inputs.register
def _of_chains(setting: NetworkTeacher) -> int:
    pool = setting.test_pool_size
    return FRESH_INPUTS if pool is None else min(FRESH_INPUTS, pool)


def draw_points(setting: Setting, teacher: Any, number: int, seed: int) -> Array:
    """Return the fresh inputs of a draw, float64 (Q, dim).

    Parameters
    ----------
    setting : Setting
        The setting.
    teacher : callable
        The teacher of the draw.
    number : int
        Index of the draw, from 0.
    seed : int
        Seed from which all random streams are derived.
    """
    return setting.fresh_of(teacher, fresh_inputs(setting), generator(seed, "budget", number, "points"))


@functools.singledispatch
def draw_teachers(setting: Setting, draws: int, seed: int) -> Sequence[Any]:
    """Return the teacher of each draw.

    Network teachers are cached, because training them can take long.  Budgets at another n with the same seed
    have the same teachers.

    Parameters
    ----------
    setting : Setting
        The setting.
    draws : int
        Number of draws.
    seed : int
        Seed from which all random streams are derived.
    """
    return setting.teachers([generator(seed, "budget", number, "teacher") for number in range(draws)])


_kept_teachers = functools.lru_cache(maxsize=4)(draw_teachers.dispatch(object))
draw_teachers.register(NetworkSetting, _kept_teachers)


@dataclass(frozen=True, eq=False)
class NetworkDraws:
    """D draws from a setting with network teachers and the squared loss, as float64 tensors.

    Attributes
    ----------
    setting : NetworkTeacher
        The setting.
    weights : tuple of tensors, (D, ...) each
        Weights of the teachers.
    x : tensor, (D, n, inputs)
        Inputs of the labelled examples.
    y : tensor, (D, n, outputs)
        Labels of the examples.
    points : tensor, (D, Q, inputs)
        Fresh inputs.
    truth : tensor, (D, Q, outputs)
        The teachers' values at the fresh inputs.
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
    ) -> NetworkDraws:
        """Return draws as tensors.

        Parameters
        ----------
        setting : NetworkTeacher
            The setting.
        teachers : sequence of NetworkFunction
            Teachers of the setting.
        xs, ys, points : sequences of ndarray of float64
            For each teacher the inputs (n, inputs), the labels (n,) or (n, outputs), and the fresh inputs
            (Q, inputs).  Shapes must be the same in all draws.

        Raises
        ------
        ValueError
            If draws have different shapes, or if a teacher has another architecture than the setting.
        """
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

    def check_clean_labels(self) -> None:
        """Raise ValueError if the labels are not the teachers' values.

        Raises
        ------
        ValueError
            If a label differs from the teacher's value by more than rounding.
        """
        with torch.no_grad():
            off = float((self.network(self.weights, self.x) - self.y).abs().max())
        if not off <= LABEL_ROUNDING * (1 + float(self.y.abs().max())):
            accepted = "the teachers' values at xs"
            raise ValueError(checks.refusal("ys", "uncertainty_bracket", accepted, f"<{off:.2g} off>"))

    @property
    def digest(self) -> str:
        """SHA-256 of all teachers, inputs and labels, hexadecimal."""
        found = hashlib.sha256()
        for tensor in (*self.weights, self.x, self.y, self.points):
            found.update(f"{tuple(tensor.shape)}\n".encode())
            found.update(tensor.detach().contiguous().numpy().tobytes())
        return found.hexdigest()

    @property
    def network(self) -> Network:
        """Architecture of the teachers."""
        return self.setting.architecture

    @property
    def n(self) -> int:
        """Number of labelled examples of each draw."""
        return self.x.shape[1]

    @property
    def stds(self) -> tuple[float, ...]:
        """Prior standard deviation of the entries of each tensor of weights."""
        return self.network.prior_stds(self.setting.weight_std, self.setting.bias_std)

    @property
    def free(self) -> Tensor:
        """Mask of the parameters whose prior variance is not 0, bool, with a value for each parameter."""
        pairs = zip(self.stds, self.network.shapes(), strict=True)
        return torch.cat([torch.full((math.prod(shape),), std > 0) for std, shape in pairs])

    @property
    def degrees_of_freedom(self) -> int:
        """Largest dimension of the set of functions that the free parameters give, as far as it is known."""
        return min(self.free_parameters, self.network.degrees_of_freedom)

    @property
    def separating_examples(self) -> int:
        """A number of inputs that is enough to distinguish two different functions of the architecture."""
        return min(2 * self.free_parameters + 1, self.network.separating_examples())

    @property
    def free_parameters(self) -> int:
        """P, the number of parameters whose prior variance is not 0."""
        return int(self.free.sum())
