"""Inputs and teachers' values of a setting, after a check of their shapes.

The check gives a clear error message if a user's own setting returns something of the wrong shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.settings.setting import Array, Setting

_LARGE = 10**6  # above this number of inputs, check that the inputs fit into memory


def drawn_inputs(
    setting: Setting, count: int, rng: np.random.Generator, where: str, teacher: Any = None
) -> Array:
    """Return inputs that a setting draws, after a check that their shape is (count, dim).

    Parameters
    ----------
    setting : Setting
        The setting.
    count : int
        Number of inputs, >= 1.
    rng : numpy.random.Generator
        Source of randomness.
    where : str
        Name of the function, for error messages.
    teacher : callable, optional
        The teacher whose inputs are drawn (`Setting.inputs_of`); by default the inputs are those of
        `Setting.inputs`.

    Returns
    -------
    ndarray of float64, (count, dim)
        The inputs.

    Raises
    ------
    ValueError
        If the setting draws inputs of another shape, or if the inputs would fill more than half of
        the memory.
    """
    if count > _LARGE:
        checks.check_count(count, 8 * setting.input_dim, "n", where)
    x = setting.inputs(count, rng) if teacher is None else setting.inputs_of(teacher, count, rng)
    if np.ndim(x) != 2 or len(x) != count:
        accepted = "one whose inputs(count, rng) are of shape (count, dim)"
        got = f"<{type(setting).__name__}.inputs({count}, rng) of shape {np.shape(x)}>"
        raise ValueError(checks.refusal("setting", where, accepted, got))
    return x


def taught_values(setting: Setting, teacher: Any, x: Array, where: str) -> NDArray[Any]:
    """Return a teacher's values at inputs, after a check that the teacher gives a value for each input.

    Parameters
    ----------
    setting : Setting
        The setting that the teacher was drawn from.
    teacher : callable
        The teacher.
    x : ndarray of float64, (N, dim)
        Inputs.
    where : str
        Name of the function, for error messages.

    Returns
    -------
    ndarray, (N,) or (N, outputs)
        The values.

    Raises
    ------
    TypeError
        If the teacher is not callable.
    ValueError
        If the values have another shape.
    """
    accepted = "one whose teacher(rng) is a function of inputs (N, dim) with values (N,) or (N, outputs)"
    name = type(setting).__name__
    if not callable(teacher):
        got = f"<a {type(teacher).__name__} from {name}.teacher>"
        raise TypeError(checks.refusal("setting", where, accepted, got))
    values = np.asarray(teacher(x))
    if values.ndim not in (1, 2) or len(values) != len(x):
        got = f"<values of shape {values.shape} from {name}.teacher at {len(x)} inputs>"
        raise ValueError(checks.refusal("setting", where, accepted, got))
    return values
