"""What a budget is computed from: a learner, its number of examples, and the draws of teacher and data."""

from __future__ import annotations

from dataclasses import dataclass

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
        A fixed design; None where each draw has inputs of its own.
    draws : int
        Number of draws of teacher, data and the learner's randomness.
    seed : int
        Root of the seed tree.
    level : float
        Coverage of the intervals, in (0, 1).
    exact : bool
        Whether to use closed forms where there are any.
    effort : Effort
        Amount of computation for terms that have only bounds.
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

    def rng(self, draw: int, purpose: str) -> np.random.Generator:
        """Return the generator of one purpose in one draw, in the same state at each call.

        Parameters
        ----------
        draw : int
            Number of the draw, from 0.
        purpose : str
            "teacher", "inputs", "labels", "learner", "points", ...
        """
        return generator(self.seed, "budget", draw, purpose)

    def inputs(self, setting: Setting, draw: int) -> Array:
        """Return the inputs of a draw, float64 (n, dim): the fixed design, or a sample of the setting.

        Parameters
        ----------
        setting : Setting
            The setting.
        draw : int
            Number of the draw, from 0.

        Raises
        ------
        ValueError
            Where the setting draws inputs of another shape.
        """
        if self.x is not None:
            return self.x
        return drawn_inputs(setting, self.n, self.rng(draw, "inputs"), "budget")
