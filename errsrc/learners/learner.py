"""What a learner is: a map from labelled examples to a predictor."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True, eq=False)
class Fitted:
    """A predictor: what a learner made of its data.

    Attributes
    ----------
    learner
        Who learned it.
    function
        What was learned, a function of inputs (N, dim); a network student's holds its weights.
    dim
        Size of an input.
    """

    learner: Learner
    function: Predictor
    dim: int

    def __call__(self, x: Array) -> Array:
        """Return predictions at x (N, dim): float64 (N,) or (N, outputs), or scores (N, classes).

        Raises
        ------
        ValueError
            For inputs that are not finite or of another shape, or where predictions are not finite.
        """
        name = type(self.learner).__name__
        values = np.asarray(self.function(check_inputs(x, "x", name, self.dim)), dtype=np.float64)
        if not np.isfinite(values).all():
            accepted = "one whose predictions are finite"
            raise ValueError(checks.refusal("learner", f"{name}'s predictor", accepted, "<nan or inf>"))
        return values


@dataclass(frozen=True)
class Learner:
    """A learner; a subclass is a frozen dataclass of plain numbers, all with defaults, that defines `_fit`.

    Labels decide what is predicted.  Numbers, float64 (n,) or (n, outputs), have predictions of their shape:
    *means*, whose risk is the squared one.  Classes, int64 (n,) from 0, have a score for each class from 0 to
    the largest seen, float64 (N, classes): the mean of its indicator, which for learners that average, and
    for networks, is a *probability*; both log-loss and 0-1 error, of the largest score, are read from it.
    """

    linear_in_labels: ClassVar[bool] = False
    """Whether predictions are `smoother` times labels."""

    @property
    def function_class(self) -> FunctionClass:
        """The class that fits are members of: all functions, unless a subclass says otherwise."""
        return AllFunctions()

    def fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Fitted:
        """Return what is learned from labelled examples.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs, n >= 1.
        y : float64 (n,) or (n, outputs), or int64 (n,)
            Labels: numbers, or classes.
        rng
            The learner's own chance: in the same state it gives the same predictor.

        Raises
        ------
        ValueError
            For arrays of other types or shapes, numbers that are not finite, and data of a kind that the
            learner does not take.
        """
        x, y = check_examples(x, y, type(self).__name__)
        return Fitted(self, self._fit(x, y, rng), x.shape[1])

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return `fit` of each data set, x (n, dim) with its y; network students train all at once."""
        return [self.fit(x, y, rng) for x, y, rng in zip(xs, ys, rngs, strict=True)]

    def smoother(self, x: Array, at: Array) -> Array:
        """Return H, float64 (N, n), with ``fit(x, y, rng)(at) == H @ y`` for all labels y that are numbers.

        Parameters
        ----------
        x : float64, (n, dim)
            Inputs of the examples.
        at : float64, (N, dim)
            Where to predict.

        Raises
        ------
        TypeError
            If the learner is not linear in the labels.

        Examples
        --------
        >>> from errsrc.learners import Ridge
        >>> Ridge(1.0).smoother(np.array([[1.0], [2.0]]), np.array([[3.0]]))
        array([[0.5, 1. ]])
        """
        raise TypeError(checks.refusal("learner", "smoother", "linear in its labels", self))

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether the singular values of features are inverted, however small they are.

        Noise in the labels is then amplified without bound where features nearly lack rank.

        Parameters
        ----------
        shape : (int, int)
            Numbers n of examples and M of features.

        Returns
        -------
        bool
            False also where it is not known.
        """
        return False

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return the same learner for inputs and labels of other sizes: a network student's has others."""
        return self

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        """Return the function learned, which can be pickled, from data as `fit` has them, checked."""
        raise TypeError(f"{type(self).__name__} must define _fit()")


@dataclass(frozen=True)
class LinearLearner(Learner):
    """A learner without chance whose predictions are linear in the labels.

    A subclass defines `features` and `coefficients`; predictions are their product.  Classes count as their
    indicators.
    """

    linear_in_labels: ClassVar[bool] = True

    def features(self, x: Array, at: Array) -> Any:
        """Return what predictions are linear in, (len(at), p), dense or sparse, given the examples' x."""
        raise TypeError(f"{type(self).__name__} must define features()")

    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return coefficients (p,) or (p, outputs), linear in labels (n,) or (n, outputs)."""
        raise TypeError(f"{type(self).__name__} must define coefficients()")

    def smoother(self, x: Array, at: Array) -> Array:
        """Return H, float64 (N, n), with ``fit(x, y, rng)(at) == H @ y``; see `Learner.smoother`."""
        name = type(self).__name__
        x = check_inputs(x, "x", name)
        at = check_inputs(at, "at", name, x.shape[1])
        return np.asarray(self.features(x, at) @ self.coefficients(x, np.eye(len(x))))

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        return functools.partial(self._predict, x, self.coefficients(x, indicators(y)))

    def _predict(self, x: Array, coefficients: Array, at: Array) -> Array:
        return np.asarray(self.features(x, at) @ coefficients)


def indicators(y: NDArray[Any]) -> Array:
    """Return labels y as numbers: int64 classes (n,) as indicators (n, classes), float64 ones as they are."""
    return np.eye(y.max() + 1)[y] if y.dtype.kind == "i" else y


def check_examples(x: Any, y: Any, where: str) -> tuple[Array, NDArray[Any]]:
    """Return inputs x as float64 (n, dim), and labels y as float64 or int64; refuse what is no example."""
    x, y = check_inputs(x, "x", where), np.asarray(y)
    if y.dtype.kind not in "iuf" or y.ndim not in (1, 2) or len(y) != len(x) or y.size == 0:
        accepted = f"numbers (n,) or (n, outputs), or integers (n,), for n = {len(x)} inputs"
        raise ValueError(checks.refusal("y", where, accepted, f"<{y.dtype} of shape {y.shape}>"))
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            raise ValueError(checks.refusal("y", where, "finite", "<nan or inf>"))
        return x, y.astype(np.float64)
    if y.ndim == 2 or y.min() < 0:
        accepted = "classes 0, 1, ... of shape (n,) where they are integers"
        got = f"<{y.dtype} of shape {y.shape}, from {y.min()}>"
        raise ValueError(checks.refusal("y", where, accepted, got))
    return x, y.astype(np.int64)


def check_inputs(x: Any, name: str, where: str, dim: int | None = None) -> Array:
    """Return inputs x as float64 (n, dim), a copy; refuse what is none by ``name``."""
    array = np.asarray(x)
    fits = array.ndim == 2 and array.size > 0 and dim in (None, array.shape[1])
    if array.dtype.kind not in "iuf" or not fits:
        accepted = f"numbers of shape (n, {dim or 'dim'}), n and dim >= 1"
        raise ValueError(checks.refusal(name, where, accepted, f"<{array.dtype} of shape {array.shape}>"))
    if not np.isfinite(array).all():
        raise ValueError(checks.refusal(name, where, "finite", "<nan or inf>"))
    return array.astype(np.float64)
