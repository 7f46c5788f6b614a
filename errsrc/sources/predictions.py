"""Values of fitted predictors, as arrays of a common shape, and the predictors' risk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.settings import Setting
from errsrc.settings.setting import Array
from errsrc.settings.table import expected_loss


def predicted_values(predictor: Any, points: Array, outputs: int, where: str = "budget") -> Array:
    """Return a predictor's values at points.

    Parameters
    ----------
    predictor : callable
        The predictor.
    points : ndarray of float64, (Q, dim)
        Inputs.
    outputs : int
        Number of outputs that the predictor must have.
    where : str
        Name of the calling function, for error messages.

    Returns
    -------
    ndarray of float64, (Q, outputs)
        The values.

    Raises
    ------
    ValueError
        If the values have another shape or are not finite.
    """
    values = np.asarray(predictor(points), dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != (len(points), outputs) or not np.isfinite(values).all():
        got = f"<shape {values.shape}>" if np.isfinite(values).all() else "<nan or inf>"
        accepted = f"one whose predictions are finite, of shape ({len(points)}, {outputs})"
        raise ValueError(checks.refusal("learner", where, accepted, got))
    return values


def class_scores(predictor: Any, points: Array, classes: int, loss: str) -> Array:
    """Return a predictor's score of each class at each of Q inputs.

    Parameters
    ----------
    predictor : callable
        The predictor.  A predictor may have no scores for classes that no labelled example had.
    points : ndarray of float64, (Q, dim)
        Inputs.
    classes : int
        Number of classes.
    loss : str
        "log" or "zero-one".  For the log loss, scores must be probabilities.

    Returns
    -------
    ndarray of float64, (Q, classes)
        The scores.  A class for which the predictor has no score gets probability 0 for the log loss, and a
        score that is never the largest for the zero-one loss.

    Raises
    ------
    ValueError
        If scores are not finite, or if the loss is the log loss and scores are not probabilities.
    """
    found = np.asarray(predictor(points))
    seen = found.shape[-1] if found.ndim > 1 else 1
    values = np.full((len(points), classes), -np.inf if loss == "zero-one" else 0.0)
    values[:, :seen] = predicted_values(lambda _: found, points, min(seen, classes))
    if loss == "log" and (values.min() < 0 or not np.allclose(values.sum(1), 1)):
        accepted = "one that predicts probabilities, for the log loss"
        raise ValueError(checks.refusal("learner", "budget", accepted, "<other scores>"))
    return values


def exact_excess_risks(setting: Setting, draws: Sequence[Any], fitted: Sequence[Any]) -> Array | None:
    """Return the excess risk of a predictor in each draw in closed form; None if there is no closed form.

    The closed form is the method ``squared_distance(estimate)`` of a teacher, such as a quadratic network.

    Parameters
    ----------
    setting : Setting
        The setting, with its loss.
    draws : sequence of errsrc.sources.bracket.draws.Draw
        The draws, with their teachers.
    fitted : sequence of predictors
        The predictor of each draw.  If the object has an attribute ``function``, this function is the
        predictor.
    """
    if setting.loss != "squared" or not all(hasattr(draw.teacher, "squared_distance") for draw in draws):
        return None
    found = [
        draw.teacher.squared_distance(getattr(one, "function", one))
        for draw, one in zip(draws, fitted, strict=True)
    ]
    return None if None in found else np.array(found, dtype=np.float64)


def excess_risk(setting: Setting, predictor: Any, points: Array, values: Array) -> tuple[float, float]:
    """Return a predictor's excess risk for one teacher at fresh inputs, and the noise.

    Parameters
    ----------
    setting : Setting
        The setting, with its loss and label channel.
    predictor : callable
        The predictor.
    points : ndarray of float64, (Q, dim)
        Fresh inputs.
    values : ndarray of float64, (Q, outputs)
        The teacher's values at the fresh inputs.

    Returns
    -------
    excess, noise : float
        The excess risk is the mean risk at the fresh inputs minus the smallest possible risk there.  The
        noise is the smallest possible risk.  If this risk depends on the teacher's values, the noise is its
        mean over the fresh inputs; otherwise the noise is `Setting.noise`.

    Raises
    ------
    ValueError
        If predictions have another shape or are not finite, or if the loss is the log loss and the learner
        gives probability 0 to a class that can occur.
    """
    outputs = values.shape[1]
    if setting.loss == "squared":
        learned = predicted_values(predictor, points, outputs)
        return float(np.square(learned - values).sum(1).mean()), setting.noise
    learned = class_scores(predictor, points, outputs, setting.loss)
    truth = setting.channel.probabilities(values)
    got, least = (float(expected_loss(truth, one, setting.loss).mean()) for one in (learned, truth))
    if not np.isfinite(got):
        accepted = "one that gives each class that can occur a probability > 0, for the log loss"
        raise ValueError(checks.refusal("learner", "budget", accepted, "<0>"))
    return got - least, setting.noise if setting.channel.noise_is_constant else least


def optimiser_rest(setting: Setting, fitted: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return the risk of trained students on their own training examples, minus the noise.

    A perfect optimiser would bring this difference to 0 or below if the students can express the teacher.

    Parameters
    ----------
    setting : Setting
        The setting, with its loss and noise.
    fitted : sequence of predictors
        The fitted predictor of each draw.

    Returns
    -------
    ndarray of float64, (draws,), or None
        A value for each draw, the mean over a student's networks; None if a predictor is not a trained
        student.
    """
    found = []
    for one in fitted:
        trained = getattr(getattr(one, "function", None), "trained", None)
        if trained is None:
            return None
        risks = [each.train_error if setting.loss == "zero-one" else each.train_loss for each in trained]
        found.append(np.mean(risks) - setting.noise)
    return np.array(found)
