"""Budgets with closed forms: of Gaussian settings given the inputs, and of tables given the data."""

from __future__ import annotations

import functools
import math

import numpy as np

from errsrc import checks
from errsrc.learners import Learner
from errsrc.settings import FunctionClass, GaussianSetting, TableTeacher
from errsrc.settings.setting import Array
from errsrc.settings.table import expected_loss
from errsrc.sources.bracketed import bracketed_budget
from errsrc.sources.experiments import Experiment
from errsrc.sources.gaussian_posterior import DesignTerms, posteriors, sampled_terms
from errsrc.sources.predictions import class_scores, predicted_values
from errsrc.sources.terms import Budget


def gaussian_budget(setting: GaussianSetting, experiment: Experiment) -> Budget:
    """Return the budget in a Gaussian setting.

    If the learner's predictions are linear in its labels, the terms are exact given the inputs, and no
    teacher is drawn.  For other learners the deficiency is estimated from draws: it is the mean squared
    distance between the fitted predictor and the best function of the learner's class given the data.  If the
    setting has no basis for the learner's class, the terms lie between bounds, see
    `errsrc.sources.bracketed`.

    Parameters
    ----------
    setting : GaussianSetting
        The setting.
    experiment : Experiment
        Gives the learner, its number of examples, and the draws.
    """
    learner, function_class = experiment.learner, experiment.function_class
    if not _is_measurable(setting, function_class):
        return bracketed_budget(setting, experiment)
    if experiment.exact and learner.linear_in_labels and function_class.largest_rank is None:
        found = _closed_form(setting, experiment)
        status = "Exact given the inputs" + (
            "." if len(found) == 1 else f"; intervals are over {len(found)} draws of the inputs."
        )
    else:
        found = _sampled(setting, experiment)
        how = "Posterior known, deficiency from" if experiment.exact else "Every term estimated from"
        status = f"{how} {len(found)} draws of teacher and data."
    if experiment.x is None and has_infinite_mean(setting, learner, experiment.n):
        labels = "noisy labels" if setting.noise_std else "labels with a part outside its band"
        status += (
            f" But over random inputs the mean risk is infinite, for least squares of n = {experiment.n:,} "
            f"{labels} in M = {setting.dimension(function_class):,} functions: estimates and intervals "
            "describe these draws only."
        )
    return Budget.known(
        setting,
        experiment,
        realizability=np.array([one.realizability for one in found]),
        uncertainty=np.array([one.uncertainty for one in found]),
        deficiency=np.array([one.deficiency for one in found]),
        status=status,
    )


def _is_measurable(setting: GaussianSetting, function_class: FunctionClass) -> bool:
    """Return whether the setting has an orthonormal basis for a class, or the class is all functions."""
    try:
        setting.dimension(function_class)
    except ValueError:
        return False
    return True


def has_infinite_mean(setting: GaussianSetting, learner: Learner, n: int) -> bool:
    """Return whether a learner's mean risk over n random inputs of a setting is known to be infinite.

    Parameters
    ----------
    setting : GaussianSetting
        The setting, see `GaussianSetting.least_squares_diverges`.
    learner : Learner
        The learner, see `Learner.inverts_singular_values`.
    n : int
        Number of labelled examples.
    """
    size = setting.dimension(learner.function_class)
    if math.isinf(size) or not learner.inverts_singular_values((n, int(size))):
        return False
    return setting.least_squares_diverges(learner.function_class, n)


def _closed_form(setting: GaussianSetting, experiment: Experiment) -> list[DesignTerms]:
    """Return the terms of each draw's design; of only one design where nothing is random."""
    out: list[DesignTerms] = []
    learner = experiment.learner
    for posterior, same in posteriors(setting, experiment):
        smoother = learner.smoother(posterior.x, posterior.points)
        if not np.isfinite(smoother).all():
            accepted = "one whose predictions are finite"
            raise ValueError(checks.refusal("learner", "budget", accepted, "<nan or inf>"))
        if not out:
            posterior.check_membership(learner, smoother, functools.partial(learner.smoother, posterior.x))
        out.append(posterior.linear(smoother))
        if same:
            break
    return out


def _sampled(setting: GaussianSetting, experiment: Experiment) -> list[DesignTerms]:
    """Return each draw's terms, with one teacher, one data set and one fit."""
    learner, found = experiment.learner, [one for one, _ in posteriors(setting, experiment)]
    teachers = [one.draw_teacher(experiment, draw) for draw, one in enumerate(found)]
    rngs = [experiment.rng(draw, "learner") for draw in range(len(found))]
    fitted = learner.fit_many([one.x for one in found], [one.y for one in teachers], rngs)
    out: list[DesignTerms] = []
    for posterior, teacher, predictor in zip(found, teachers, fitted, strict=True):
        outputs = teacher.values.shape[1]
        learned = predicted_values(predictor, posterior.points, outputs)
        if not out:
            again = functools.partial(predicted_values, predictor, outputs=outputs)
            posterior.check_membership(learner, learned, again)
        learned = posterior.root * learned
        out.append(sampled_terms(experiment.function_class, posterior, teacher, learned, experiment.exact))
    return out


def table_budget(setting: TableTeacher, experiment: Experiment) -> Budget:
    """Return the budget of a learner whose teacher is a table of classes.

    Given the data, the terms are exact sums over all items.  If the learner's class is smaller than the class
    of all functions, the terms lie between bounds, see `errsrc.sources.bracketed`.

    Parameters
    ----------
    setting : TableTeacher
        The setting.
    experiment : Experiment
        Gives the learner, its number of examples, and the draws.

    Raises
    ------
    ValueError
        If the loss is the log loss and the learner gives probability 0 to a class that can occur.
    """
    if not experiment.function_class.unrestricted:
        return bracketed_budget(setting, experiment)
    draws = range(experiment.draws)
    xs = [experiment.inputs(setting, draw) for draw in draws]
    teachers = setting.teachers([experiment.rng(draw, "teacher") for draw in draws])
    ys = [setting.channel.label(teachers[k](xs[k]), experiment.rng(k, "labels")) for k in draws]
    fitted = experiment.learner.fit_many(xs, ys, [experiment.rng(draw, "learner") for draw in draws])
    items = np.arange(setting.items, dtype=np.float64)[:, None]
    risks = []
    for inputs, labels, predictor in zip(xs, ys, fitted, strict=True):
        truth = setting.predictive(inputs, labels)
        learned = class_scores(predictor, items, setting.classes, setting.loss)
        risks.append([_mean_loss(setting, truth, one) for one in (truth, learned)])
    least, got = np.array(risks).T
    if not np.isfinite(got).all():
        accepted = "one that gives each class that can occur a probability > 0, for the log loss"
        raise ValueError(checks.refusal("learner", "budget", accepted, experiment.learner))
    status = f"Exact given the data; intervals are over {len(draws)} draws of the data."
    return Budget.known(setting, experiment, np.zeros(len(draws)), least - setting.noise, got - least, status)


def _mean_loss(setting: TableTeacher, truth: Array, predicted: Array) -> float:
    return float(setting.probabilities @ expected_loss(truth, predicted, setting.loss))
