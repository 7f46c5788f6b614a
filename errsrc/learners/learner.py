"""The interface of a learner: a map from labelled examples to a predictor."""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from errsrc import checks
from errsrc.fields import Checked
from errsrc.settings import AllFunctions, FunctionClass
from errsrc.settings.setting import Array, Predictor


@dataclass(frozen=True, eq=False)
class Fitted:
    """A predictor: the function that a learner fitted to its examples.

    Attributes
    ----------
    learner : Learner
        The learner that fitted the function.
    function : callable
        The function that maps inputs (N, dim) to predictions.  The function may have further attributes.  For
        example, the function of a network student has the trained weights.
    dim : int
        Number of columns of an input.
    """

    learner: Learner
    function: Predictor
    dim: int

    @property
    def diverged(self) -> bool:
        """Whether the training of the function diverged; False for functions that are not trained."""
        return bool(getattr(self.function, "diverged", False))

    def __call__(self, x: Array) -> Array:
        """Return predictions at inputs.

        Parameters
        ----------
        x : array_like of float, (N, dim)
            Inputs.

        Returns
        -------
        predictions : ndarray of float64, (N,) or (N, outputs) or (N, classes)
            For labels that are numbers, a prediction of the shape of one label for each input.  For classes,
            a score for each input and class.

        Raises
        ------
        ValueError
            If the inputs have another shape, or if an input or a prediction is not a finite number.
        """
        name = type(self.learner).__name__
        raw = np.asarray(self.function(check_inputs(x, "x", name, self.dim)))
        accepted, where = "one whose predictions are finite", f"{name}'s predictor"
        if raw.dtype.kind not in "biuf":
            raise ValueError(checks.refusal("learner", where, accepted, f"<an array of {raw.dtype}>"))
        values = raw.astype(np.float64, copy=False)
        if not np.isfinite(values).all():
            raise ValueError(checks.refusal("learner", where, accepted, "<nan or inf>"))
        return values


@dataclass(frozen=True)
class Learner(Checked, abc.ABC):
    """A map from labelled examples to a predictor.

    A subclass is a frozen dataclass that defines ``_fit``.  Its fields are plain values, and each field has a
    default.  A learner without randomness whose predictions are a matrix times the labels may also declare
    ``linear_in_labels = True`` and define `smoother`, which returns this matrix.  Its budgets then need no
    draws of teachers and labels, and have narrower intervals.

    The type of the labels determines the type of the predictions.  If the labels are numbers, float64 (n,) or
    (n, outputs), the predictions are numbers, float64 (N,) or (N, outputs).  The risk is then the squared
    error.  If the labels are classes, int64 (n,) with values from 0, the predictions are scores, float64 (N,
    classes).  There is a score for each class from 0 to the largest class in the data.  A score predicts the
    indicator of its class, which is 1 for inputs of this class and 0 for all other inputs.  The scores of
    networks and of learners that average labels are probabilities.  Log loss takes the scores as
    probabilities.  The 0-1 error uses the class with the largest score.
    """

    linear_in_labels: ClassVar[bool] = False
    """Whether the predictions are a matrix, which `smoother` returns, times the labels; False by default."""

    @property
    def function_class(self) -> FunctionClass:
        """The function class that contains all predictors of this learner; all functions by default."""
        return AllFunctions()

    def fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Fitted:
        """Return the predictor that is learned from labelled examples.

        Parameters
        ----------
        x : array_like of float, (n, dim)
            Inputs, n >= 1.
        y : array_like of float, (n,) or (n, outputs), or of int, (n,)
            Labels: numbers, or classes.
        rng : numpy.random.Generator
            Source of the learner's randomness.  A generator in the same state gives the same predictor.

        Returns
        -------
        predictor : Fitted
            The predictor.

        Raises
        ------
        TypeError
            If ``_fit`` of a subclass does not return a function.
        ValueError
            If an array has another dtype or shape, if a number is not finite, or if this learner cannot be
            fitted to the data.
        """
        name = type(self).__name__
        x, y = check_examples(x, y, name)
        function = self._fit(x, y, rng)
        if not callable(function):
            raise TypeError(checks.refusal("learner", name, "one whose _fit returns a function", function))
        return Fitted(self, function, x.shape[1])

    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return a predictor for each of several data sets; the default method calls `fit` for each data set.

        Parameters
        ----------
        xs : sequence of array_like of float, (n, dim)
            Inputs of each data set.
        ys : sequence of array_like
            Labels of each data set, see `fit`.
        rngs : sequence of numpy.random.Generator
            Source of the learner's randomness for each data set.

        Returns
        -------
        predictors : list of Fitted
            A predictor for each data set.
        """
        return [self.fit(x, y, rng) for x, y, rng in zip(xs, ys, rngs, strict=True)]

    def smoother(self, x: Array, at: Array) -> Array:
        """Return the matrix H for which ``fit(x, y, rng)(at) == H @ y``, for all labels y that are numbers.

        Parameters
        ----------
        x : array_like of float, (n, dim)
            Inputs of the examples.
        at : array_like of float, (N, dim)
            Inputs at which labels are predicted.

        Returns
        -------
        smoother : ndarray of float64, (N, n)
            The matrix H.

        Raises
        ------
        TypeError
            If the predictions are not linear in the labels, or if the learner declares that they are and does
            not define this method.

        Examples
        --------
        >>> from errsrc.learners import Ridge
        >>> Ridge(1.0).smoother(np.array([[1.0], [2.0]]), np.array([[3.0]]))
        array([[0.5, 1. ]])
        """
        if self.linear_in_labels:
            accepted = "one that defines smoother(x, at), because it declares linear_in_labels = True"
            fix = "Define smoother, or remove the declaration."
            raise TypeError(f"{checks.refusal('learner', 'smoother', accepted, self)} {fix}")
        raise TypeError(checks.refusal("learner", "smoother", "linear in its labels", self))

    def inverts_singular_values(self, shape: tuple[int, int]) -> bool:
        """Return whether the learner inverts the singular values of its features, however small they are.

        Such a learner amplifies noise in the labels without bound if the features are nearly rank-deficient.

        Parameters
        ----------
        shape : (int, int)
            Number of examples n and number of features M.

        Returns
        -------
        bool
            True if the learner inverts the singular values.  False if it does not, or if this is not known.
        """
        return False

    def in_draw(self, rng: np.random.Generator) -> Self:
        """Return the learner to use in one draw of a budget; the default method returns the learner itself.

        A learner whose function class depends on random numbers, such as random features, returns a copy with
        its own random numbers.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the randomness of this draw.
        """
        return self

    def at_horizon(self) -> Learner | None:
        """Return a copy of the learner that trains for more steps, or None if there is no such copy.

        A budget compares the learner with this copy.  The comparison shows which part of the deficiency more
        steps of the same optimiser remove.
        """
        return None

    def resized(self, dim: int, outputs: int | None) -> Self:
        """Return a copy for inputs and labels of given sizes.

        A learner whose fields do not depend on these sizes returns itself.

        Parameters
        ----------
        dim : int
            Number of columns of an input.
        outputs : int or None
            Number of outputs or of classes.  Give None for labels that are numbers of shape (n,).

        Returns
        -------
        learner : Learner
            A learner of the same type.
        """
        return self

    @abc.abstractmethod
    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        """Return the fitted function.

        Only a function that can be pickled can be saved or sent to other processes.  A function that is
        defined inside this method cannot be pickled; ``functools.partial`` of a function of the module can.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            Inputs, checked.
        y : ndarray of float64, (n,) or (n, outputs), or of int64, (n,)
            Labels, checked.
        rng : numpy.random.Generator
            Source of the learner's randomness.

        Returns
        -------
        function : callable
            Maps inputs, float64 (N, dim), to predictions.
        """


LEARNER = checks.Instance(Learner, "a learner, such as errsrc.learners.Ridge()")
"""The validation rule for fields and arguments that must be a learner."""


@dataclass(frozen=True)
class BatchLearner(Learner):
    """A learner that fits many data sets at once, faster than one by one.

    A subclass defines `fit_many`.
    """

    @abc.abstractmethod
    def fit_many(
        self, xs: Sequence[Array], ys: Sequence[NDArray[Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Fitted]:
        """Return a predictor for each of several data sets, see `Learner.fit_many`.

        The predictor of a data set does not depend, up to rounding, on the other data sets.
        """

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        return self.fit_many([x], [y], [rng])[0].function


@dataclass(frozen=True)
class LinearLearner(Learner):
    """A learner without randomness whose predictions are linear in the labels.

    A subclass defines `features` and `coefficients`.  The predictions are the features times the
    coefficients.  Labels that are classes are first replaced by indicators, see `indicators`.
    """

    linear_in_labels: ClassVar[bool] = True

    @abc.abstractmethod
    def features(self, x: Array, at: Array) -> Any:
        """Return the features at new inputs.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            Inputs of the examples.
        at : ndarray of float64, (N, dim)
            Inputs at which labels are predicted.

        Returns
        -------
        features : ndarray or sparse array of float64, (N, p)
            A row of features for each new input.
        """

    @abc.abstractmethod
    def coefficients(self, x: Array, labels: Array) -> Array:
        """Return the coefficients of the features; the coefficients must be linear in the labels.

        Parameters
        ----------
        x : ndarray of float64, (n, dim)
            Inputs of the examples.
        labels : ndarray of float64, (n,) or (n, outputs)
            Labels of the examples.

        Returns
        -------
        coefficients : ndarray of float64, (p,) or (p, outputs)
            One coefficient for each feature and output.
        """

    def smoother(self, x: Array, at: Array) -> Array:
        """Return the matrix H (N, n) for which ``fit(x, y, rng)(at) == H @ y``, see `Learner.smoother`."""
        name = type(self).__name__
        x = check_inputs(x, "x", name)
        at = check_inputs(at, "at", name, x.shape[1])
        return np.asarray(self.features(x, at) @ self.coefficients(x, np.eye(len(x))))

    def _fit(self, x: Array, y: NDArray[Any], rng: np.random.Generator) -> Predictor:
        return functools.partial(self._predict, x, self.coefficients(x, indicators(y)))

    def _predict(self, x: Array, coefficients: Array, at: Array) -> Array:
        return np.asarray(self.features(x, at) @ coefficients)


def indicators(y: NDArray[Any]) -> Array:
    """Return labels as numbers: replace classes by indicators, and leave numbers unchanged.

    Parameters
    ----------
    y : ndarray of int64, (n,), or of float64, (n,) or (n, outputs)
        Labels: classes, or numbers.

    Returns
    -------
    labels : ndarray of float64, (n, classes), or (n,) or (n, outputs)
        The labels.  A class becomes a row with 1 in the column of this class and 0 elsewhere.

    Examples
    --------
    >>> indicators(np.array([2, 0]))
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    return np.eye(y.max() + 1)[y] if y.dtype.kind == "i" else y


def check_examples(x: Any, y: Any, where: str) -> tuple[Array, NDArray[Any]]:
    """Check the shapes and dtypes of inputs and labels, and return copies as float64 or int64.

    Parameters
    ----------
    x : array_like of float, (n, dim)
        Inputs, n >= 1.
    y : array_like of float, (n,) or (n, outputs), or of int, (n,)
        Labels: numbers, or classes from 0.
    where : str
        Name of the learner's class, for error messages.

    Returns
    -------
    x : ndarray of float64, (n, dim)
        Inputs.
    y : ndarray of float64, (n,) or (n, outputs), or of int64, (n,)
        Labels.

    Raises
    ------
    ValueError
        If an array has another dtype or shape, if a number is not finite, or if a class is negative.
    """
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
    """Check the shape and dtype of inputs, and return a copy as float64.

    Parameters
    ----------
    x : array_like of float, (n, dim)
        Inputs, n and dim >= 1.
    name, where : str
        Names of the argument and of the learner's class, for error messages.
    dim : int, optional
        Required number of columns; any number by default.

    Returns
    -------
    x : ndarray of float64, (n, dim)
        Inputs.

    Raises
    ------
    ValueError
        If the array has another dtype or shape, or if a number is not finite.
    """
    array = np.asarray(x)
    fits = array.ndim == 2 and array.size > 0 and dim in (None, array.shape[1])
    if array.dtype.kind not in "iuf" or not fits:
        accepted = f"numbers of shape (n, {dim or 'dim'}), n and dim >= 1"
        raise ValueError(checks.refusal(name, where, accepted, f"<{array.dtype} of shape {array.shape}>"))
    if not np.isfinite(array).all():
        raise ValueError(checks.refusal(name, where, "finite", "<nan or inf>"))
    return array.astype(np.float64)
