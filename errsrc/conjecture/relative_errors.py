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
    """Return |f^ - f| / |f|, where |f| is the square root of the mean of f^2 over the setting's inputs.

    If the teacher has a method ``relative_error(estimate)``, as `errsrc.bases.BandFunction` has, the result
    of the method is used.  If the method returns None, or if the teacher has no such method, the two
    functions are compared at `COMPARED_INPUTS` fresh inputs.

    Parameters
    ----------
    setting : Setting
        The setting that the fresh inputs are drawn from.
    teacher : callable
        The teacher f, a function of inputs (N, dim).
    predictor : callable
        The predictor f^.  If the predictor has an attribute ``function``, f^ is this function.
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
    x = setting.fresh_of(teacher, COMPARED_INPUTS, rng)
    truth = teacher(x)
    return float(np.linalg.norm(predictor(x) - truth) / np.linalg.norm(truth))


@checks.arguments(
    setting=Instance(Setting, "a setting"), n=Integer(at_least=1), draws=Integer(at_least=1), seed=SEED
)
def draw_errors(setting: Setting, learner: Learner | Any, n: int, draws: int, seed: int = 0) -> Array:
    """Return a learner's relative error in each of several draws of teacher, inputs and labels.

    Parameters
    ----------
    setting : Setting
        A setting with the squared loss.
    learner : Learner, estimator or object with fit
        The learner, see `errsrc.learners.as_learner`.
    n : int
        Number of labelled examples, >= 1.
    draws : int
        Number of draws, >= 1.  Each draw has its own teacher and its own inputs.
    seed : int
        Seed from which all random streams are derived.  A draw depends on its index and on n, but not on the
        number of draws.

    Returns
    -------
    ndarray of float64, (draws,)
        The relative errors, see `relative_error`.

    Raises
    ------
    ValueError
        If the loss of the setting is not the squared loss.
    """
    where = "draw_errors"
    if setting.loss != "squared":
        accepted = "a setting of the squared loss"
        raise ValueError(checks.refusal("setting", where, accepted, setting))
    learner = as_learner(learner, where)
    teachers = setting.teachers([generator(seed, "teacher", n, k) for k in range(draws)])
    xs = [
        drawn_inputs(setting, n, generator(seed, "inputs", n, k), where, teacher)
        for k, teacher in enumerate(teachers)
    ]
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
