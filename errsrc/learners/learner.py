"""What a learner is: a map from labelled examples to a predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.settings import FunctionClass
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True)
class Learner:
    """A learner; a subclass is a frozen dataclass of plain numbers that defines ``_fit`` or ``_smoother``.

    Labels are numbers, float64 (n,) or (n, outputs), and predictions their means; or classes, int64 (n,)
    from 0, and predictions a score for each class from 0 to the largest seen, float64 (N, classes): the
    mean of its indicator, a probability for learners that average.
    """

    linear_in_labels = False
    """Whether a fit is linear in the labels, so that it has a `smoother`; of numbers alone."""

    @property
    def function_class(self) -> FunctionClass:
        """The class of functions that fits are members of."""
        raise TypeError(f"{type(self).__name__} must define function_class")

    def fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        """Return what is learned from labelled examples.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs, n >= 1.
        y : float64 (n,) or (n, outputs), or int64 (n,)
            Labels: numbers, or classes.
        rng
            The learner's own chance.

        Returns
        -------
        predictor
            A function of inputs (N, dim).

        Raises
        ------
        TypeError, ValueError
            For arrays of other types or shapes, numbers that are not finite, and labels of a kind that the
            learner does not take.
        """
        x, y = examples(x, y, type(self).__name__)
        return self._fit(x, y, rng)

    def smoother(self, x: Array, at: Array) -> Array:
        """Return H, float64 (N, n), with ``fit(x, y, rng)(at) == H @ y`` for all labels y.

        Raises
        ------
        TypeError
            If the learner is not linear in the labels.
        """
        if not self.linear_in_labels:
            accepted = "linear in its labels"
            raise TypeError(checks.refusal("learner", "smoother", accepted, self))
        x, _ = examples(x, np.zeros(len(x)), type(self).__name__)
        return self._smoother(x, _inputs(at, "at", type(self).__name__))

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        return Smoothed(self, x, indicators(y))

    def _smoother(self, x: Array, at: Array) -> Array:
        raise TypeError(f"{type(self).__name__} must define _fit() or _smoother()")


@dataclass(frozen=True, eq=False)
class Smoothed:
    """The predictor of a learner that is linear in its labels, of any kind."""

    learner: Learner
    x: Array
    y: Array

    def __call__(self, at: Array) -> Array:
        """Return predictions."""
        return self.learner._smoother(self.x, at) @ self.y


def indicators(y: NDArray[Any]) -> Array:
    """Return classes (n,) as indicators (n, classes), numbers as they are."""
    return np.eye(y.max() + 1)[y] if y.dtype.kind == "i" else y


def examples(x: Any, y: Any, where: str) -> tuple[Array, NDArray[Any]]:
    """Return labelled examples as float64 (n, dim), and float64 or int64 labels; refuse what is none."""
    x, y = _inputs(x, "x", where), np.asarray(y)
    if y.dtype.kind not in "iuf" or y.ndim not in (1, 2) or len(y) != len(x) or y.size == 0:
        accepted = f"numbers (n,) or (n, outputs), or integers (n,), for n = {len(x)} inputs"
        raise ValueError(checks.refusal("y", where, accepted, f"<{y.dtype} of shape {y.shape}>"))
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            raise ValueError(checks.refusal("y", where, "finite", "<nan or inf>"))
        return x, y.astype(np.float64)
    if y.ndim == 2 or y.min() < 0:
        accepted = "classes 0, 1, ... of shape (n,) where they are integers"
        raise ValueError(
            checks.refusal("y", where, accepted, f"<{y.dtype} of shape {y.shape}, from {y.min()}>")
        )
    return x, y.astype(np.int64)


def _inputs(x: Any, name: str, where: str) -> Array:
    array = np.asarray(x)
    if array.dtype.kind not in "iuf" or array.ndim != 2 or array.size == 0:
        accepted = "numbers of shape (n, dim), n and dim >= 1"
        raise ValueError(checks.refusal(name, where, accepted, f"<{array.dtype} of shape {array.shape}>"))
    if not np.isfinite(array).all():
        raise ValueError(checks.refusal(name, where, "finite", "<nan or inf>"))
    return array.astype(np.float64)
