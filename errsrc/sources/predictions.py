"""What learners make of data sets, as arrays that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from errsrc import checks
from errsrc.settings.setting import Array


def fit_all(
    learner: Any, xs: Sequence[Array], ys: Sequence[Array], rngs: Sequence[np.random.Generator]
) -> list[Any]:
    """Return what a learner makes of each data set; all at once where it can (``fit_many``).

    ``xs`` are inputs (n, dim), ``ys`` labels (n,) or (n, outputs), ``rngs`` the chance of each fit.
    """
    if hasattr(learner, "fit_many"):
        return list(learner.fit_many(xs, ys, rngs))
    return [learner.fit(x, y, rng) for x, y, rng in zip(xs, ys, rngs, strict=True)]


def predicted(predictor: Any, points: Array, outputs: int) -> Array:
    """Return a predictor's values (Q, outputs) at points (Q, dim); refuse what is no prediction."""
    values = np.asarray(predictor(points), dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != (len(points), outputs) or not np.isfinite(values).all():
        what = f"<shape {values.shape}>" if np.isfinite(values).all() else "<nan or inf>"
        accepted = f"one whose predictions are finite, of shape ({len(points)}, {outputs})"
        raise ValueError(checks.refusal("learner", "budget", accepted, what))
    return values


def scores(predictor: Any, points: Array, classes: int, loss: str) -> Array:
    """Return a predictor's scores (Q, classes) at points (Q, dim): for log loss refuse others than shares.

    Classes that were never seen have probability 0, and no chance.
    """
    seen = np.shape(predictor(points[:1]))[-1]
    values = np.full((len(points), classes), -np.inf if loss == "zero-one" else 0.0)
    values[:, :seen] = predicted(predictor, points, min(seen, classes))
    if loss == "log" and (values.min() < 0 or not np.allclose(values.sum(1), 1)):
        accepted = "one that predicts probabilities, for the log loss"
        raise ValueError(checks.refusal("learner", "budget", accepted, "<other scores>"))
    return values
