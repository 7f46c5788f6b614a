"""Relative errors of a learner over draws of teacher and nodes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.bases import BandFunction
from errsrc.errors import Undersampled
from errsrc.learners import Learner
from errsrc.rng import generator
from errsrc.settings import BandTeacher, NetworkTeacher, Setting, SparseTeacher
from errsrc.settings.setting import Array

POINTS = 4096
"""Fresh inputs at which functions are compared where Parseval's identity does not."""


def nyquist(setting: Setting) -> int:
    """Return n_Nyq: the least n at which a learner that is told what can be told can be exact.

    M for a band; 2 K for K coefficients at unknown places; 2 P + 1 for a network of P parameters, at which
    all of its class are told apart (Sontag 2002).

    Raises
    ------
    TypeError
        For a setting of which it is not known.
    """
    if isinstance(setting, BandTeacher):
        return setting.basis.size
    if isinstance(setting, SparseTeacher):
        return 2 * setting.sparsity
    if isinstance(setting, NetworkTeacher):
        return 2 * setting.parameters + 1
    accepted = "a band, sparse or network teacher, or n_nyquist given"
    raise TypeError(checks.refusal("setting", "nyquist", accepted, setting))


def relative_error(setting: Setting, teacher: Any, predictor: Any, rng: np.random.Generator) -> float:
    """Return |f^ - f| / |f|, the root of the relative squared error, over the setting's inputs.

    By Parseval's identity where teacher and predictor are functions of one family of bases, else at `POINTS`
    fresh inputs.
    """
    learned = getattr(predictor, "function", predictor)
    if (
        isinstance(teacher, BandFunction)
        and isinstance(learned, BandFunction)
        and teacher.basis.family == learned.basis.family
    ):
        return float(np.sqrt(teacher.distance(learned) / (teacher.coefficients**2).sum()))
    x = setting.fresh(POINTS, rng)
    truth = teacher(x)
    return float(np.linalg.norm(predictor(x) - truth) / np.linalg.norm(truth))


def draw_errors(setting: Setting, learner: Learner, n: int, draws: int, seed: int = 0) -> Array:
    """Return the relative error of each draw of teacher, nodes and labels, float64 (draws,).

    Parameters
    ----------
    setting
        Of the squared loss; labels pass its channel.
    learner
        Who learns.
    n
        Labelled examples.
    draws
        Teachers, each with its own nodes.
    seed
        Root of the seed tree: a draw is the same whatever the others are, and others for each n.

    Raises
    ------
    ValueError
        For a setting of another loss.
    """
    checks.integer(n, "n", "draw_errors", 1)
    checks.integer(draws, "draws", "draw_errors", 1)
    if setting.loss != "squared":
        raise ValueError(checks.refusal("setting", "draw_errors", "of the squared loss", setting))
    teachers = setting.teachers([generator(seed, "teacher", n, k) for k in range(draws)])
    xs = [setting.inputs(n, generator(seed, "inputs", n, k)) for k in range(draws)]
    channel: Any = setting.channel
    ys = [
        channel.label(teacher(x), generator(seed, "labels", n, k))
        for k, (teacher, x) in enumerate(zip(teachers, xs, strict=True))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Undersampled)  # the error says it
        fitted = learner.fit_many(xs, ys, [generator(seed, "learner", n, k) for k in range(draws)])
    return np.array(
        [
            relative_error(setting, teacher, f, generator(seed, "fresh", n, k))
            for k, (teacher, f) in enumerate(zip(teachers, fitted, strict=True))
        ]
    )
