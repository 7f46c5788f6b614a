"""Relative errors of a learner over draws of teacher, inputs and labels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.checks import SEED, Instance, Integer
from errsrc.errors import Undersampled
from errsrc.learners import Learner, as_learner
from errsrc.rng import generator
from errsrc.settings import Setting
from errsrc.settings.checked_draws import drawn_inputs, taught_values
from errsrc.settings.setting import Array

COMPARED_INPUTS = 4096
"""Number of fresh inputs at which functions are compared if Parseval's identity does not apply."""


def relative_error(setting: Setting, teacher: Any, predictor: Any, rng: np.random.Generator) -> float:
    """Return |f^ - f| / |f|, the root of the relative squared error over the setting's inputs.

    If the teacher has a method ``relative_error(estimate)``, as `errsrc.bases.BandFunction` has, its result
    is used.  If the method returns None, or the teacher has no such method, the two functions are compared at
    `COMPARED_INPUTS` fresh inputs.

    Parameters
    ----------
    setting : Setting
        The setting that the fresh inputs are drawn from.
    teacher : callable
        The teacher f, a function of inputs (N, dim).
    predictor : callable
        The predictor f^; if it has an attribute ``function``, that is the learned function.
    rng : numpy.random.Generator
        Source of the fresh inputs.

    Returns
    -------
    float
        The relative error, >= 0.
    """
    if hasattr(teacher, "relative_error"):
        exact = teacher.relative_error(getattr(predictor, "function", predictor))
        if exact is not None:
            return float(exact)
    x = setting.fresh(COMPARED_INPUTS, rng)
    truth = teacher(x)
    return float(np.linalg.norm(predictor(x) - truth) / np.linalg.norm(truth))


@checks.arguments(
    setting=Instance(Setting, "a setting"), n=Integer(at_least=1), draws=Integer(at_least=1), seed=SEED
)
def draw_errors(setting: Setting, learner: Learner | Any, n: int, draws: int, seed: int = 0) -> Array:
    """Return the relative error of each draw of teacher, inputs and labels.

    Parameters
    ----------
    setting : Setting
        A setting of the squared loss; labels come from its channel.
    learner : Learner, estimator or object with fit
        The learner, see `errsrc.learners.as_learner`.
    n : int
        Number of labelled examples, >= 1.
    draws : int
        Number of teachers, each with inputs of its own, >= 1.
    seed : int
        Root of the seed tree.  A draw depends on its number and on n, but not on the number of draws.

    Returns
    -------
    ndarray of float64, (draws,)
        Relative errors, see `relative_error`.

    Raises
    ------
    ValueError
        For a setting of another loss.
    """
    where = "draw_errors"
    if setting.loss != "squared":
        accepted = "a setting of the squared loss"
        raise ValueError(checks.refusal("setting", where, accepted, setting))
    learner = as_learner(learner, where)
    teachers = setting.teachers([generator(seed, "teacher", n, k) for k in range(draws)])
    xs = [drawn_inputs(setting, n, generator(seed, "inputs", n, k), where) for k in range(draws)]
    ys = [
        setting.channel.label(taught_values(setting, teacher, x, where), generator(seed, "labels", n, k))
        for k, (teacher, x) in enumerate(zip(teachers, xs, strict=True))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Undersampled)  # the error itself shows undersampling
        fitted = learner.fit_many(xs, ys, [generator(seed, "learner", n, k) for k in range(draws)])
    return np.array(
        [
            relative_error(setting, teacher, one, generator(seed, "fresh", n, k))
            for k, (teacher, one) in enumerate(zip(teachers, fitted, strict=True))
        ]
    )
