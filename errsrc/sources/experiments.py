"""Experiments: a learner, its number of examples, and draws of teacher and data; a budget needs these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from errsrc.learners import Learner
from errsrc.rng import generator
from errsrc.settings import FunctionClass, Setting
from errsrc.settings.checked_draws import drawn_inputs
from errsrc.settings.setting import Array
from errsrc.sources.effort import Effort


@dataclass(frozen=True, eq=False)
class Experiment:
    """A learner that is fitted to n labelled examples in each of several draws of teacher and data.

    Attributes
    ----------
    learner : Learner
        The learner.
    n : int
        Number of labelled examples.
    x : ndarray of float64, (n, dim), or None
        Inputs of the labelled examples, the same in all draws; None if each draw has its own inputs.
    draws : int
        Number of draws of teacher, data and the learner's random numbers.
    seed : int
        Seed from which all random streams are derived.
    level : float
        Coverage of the intervals, in (0, 1).
    exact : bool
        Whether to use closed forms if they exist.
    effort : Effort
        Amount of computation for the bounds of terms that have no closed form.
    """

    learner: Learner
    n: int
    x: Array | None
    draws: int
    seed: int
    level: float
    exact: bool
    effort: Effort

    @property
    def function_class(self) -> FunctionClass:
        """The learner's function class."""
        return self.learner.function_class

    def learner_of(self, draw: int) -> Learner:
        """Return the learner of a draw; the learner may have its own random features (`Learner.in_draw`).

        Parameters
        ----------
        draw : int
            Index of the draw, from 0.
        """
        return self.learner.in_draw(self.rng(draw, "features"))

    def at_horizon(self) -> Experiment | None:
        """Return the experiment with `Learner.at_horizon` as learner; None if there is no such learner."""
        learner = self.learner.at_horizon()
        return None if learner is None else replace(self, learner=learner)

    def rng(self, draw: int, purpose: str) -> np.random.Generator:
        """Return the random generator for one purpose in one draw.

        Each call returns the generator in its first state.

        Parameters
        ----------
        draw : int
            Index of the draw, from 0.
        purpose : str
            Name of the purpose, such as "teacher", "inputs", "labels", "learner" or "points".
        """
        return generator(self.seed, "budget", draw, purpose)

    def inputs(self, setting: Setting, draw: int, teacher: Any = None) -> Array:
        """Return the inputs of a draw, float64 (n, dim): `x`, or a sample from the setting if `x` is None.

        Parameters
        ----------
        setting : Setting
            The setting.
        draw : int
            Index of the draw, from 0.
        teacher : callable, optional
            The teacher of the draw, for settings whose inputs depend on it.

        Raises
        ------
        ValueError
            If the setting draws inputs of another shape.
        """
        if self.x is not None:
            return self.x
        return drawn_inputs(setting, self.n, self.rng(draw, "inputs"), "budget", teacher)
