"""The properties that every learner must have.

Each property is a function that takes a `LearnerCase` and raises `Violation` if the property does not hold.
"""

from __future__ import annotations

import dataclasses
import functools
import pickle
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from errsrc import checks
from errsrc.bases import Basis
from errsrc.learners import Learner, as_estimator
from errsrc.rng import generator
from errsrc.settings import Band, FeatureSpan, FunctionClass, Linear, NetworkFunctions, RankK
from errsrc.settings.setting import Array
from errsrc.testing.properties import (
    agree,
    check_draws,
    explore,
    global_generators_unused,
    hold,
    refused,
    require,
    require_frozen,
)

Inputs = Callable[[int, np.random.Generator], Array]
"""A function that maps a count and a random generator to inputs, float64 (count, dim)."""

LABELS = ("all", "numbers", "one output", "classes")
"""The values of the argument `labels` of `check_learner`."""

_FEWER_INPUTS = "If the learner takes only some inputs, pass inputs=setting.inputs."
_FEWER_LABELS = (
    "If it takes no classes, pass labels='numbers'; if only one output, labels='one output'; "
    "if only classes, labels='classes'."
)

_ONE_OUTPUT = "If the learner takes labels of one output only, of shape (n,), pass labels='one output'."

_CLASSES = 3  # number of classes if a test does not say it

CASES = {"n": st.integers(1, 12), "draw": st.integers(0, 10**6)}
"""Numbers of examples, and seeds of data."""


def basis_of(function_class: FunctionClass) -> Basis | None:
    """Return the basis of a band or of features, on whose domain all inputs must be; None without a basis.

    Parameters
    ----------
    function_class : FunctionClass
        The class of functions of a learner.
    """
    return function_class.basis if isinstance(function_class, (Band, FeatureSpan)) else None


@dataclass(frozen=True, eq=False)
class LearnerCase:
    """A learner, with the data for the tests of its properties.

    Attributes
    ----------
    learner, classes : Learner
        The learner for labels that are values, and the learner for labels that are classes.
    inputs : callable or None
        Draws inputs that the learner accepts; None if the learner accepts any inputs.
    ordered, probabilities : bool
        The arguments `ordered` and `probabilities` of `check_learner`.
    examples, seed : int
        Number of random data sets, and their seed.
    labels : {"all", "numbers", "one output", "classes"}
        The argument `labels` of `check_learner`.
    """

    learner: Learner
    classes: Learner
    inputs: Inputs | None
    ordered: bool
    probabilities: bool
    examples: int
    seed: int
    labels: str = "all"

    def draw(self, count: int, chance: np.random.Generator) -> Array:
        """Draw inputs of examples, float64 (count, dim).

        Parameters
        ----------
        count : int
            Number of inputs.
        chance : numpy Generator
            Source of randomness.
        """
        if self.inputs is not None:
            return self.inputs(count, chance)
        function_class = self.learner.function_class
        basis = basis_of(function_class)
        if basis is not None:
            return basis.draw(count, chance)
        return 2 * chance.standard_normal((count, 3))

    @property
    def dim(self) -> int:
        """Number of coordinates of an input."""
        return self.draw(1, rng()).shape[1]

    def data(self, n: int, draw: int, outputs: int | None = None) -> tuple[Array, NDArray[Any], Array]:
        """Return inputs (n, dim), labels, and 7 other inputs for predictions.

        The labels are numbers of the shape (n,) or (n, outputs).  If the learner takes only classes, the
        labels are classes, int64 (n,), and the last example has the largest class.

        Parameters
        ----------
        n : int
            Number of examples.
        draw : int
            Seed of the data.
        outputs : int, optional
            Number of outputs; None for labels of the shape (n,).  If `labels` is "one output", labels always
            have the shape (n,).  If `labels` is "classes", the number of classes; None for three.
        """
        outputs = None if self.labels == "one output" else outputs
        chance = generator(draw, "testing", "data")
        x, at = self.draw(n, chance), self.draw(7, chance)
        if self.labels == "classes":
            count = outputs or _CLASSES
            return x, np.append(chance.integers(0, count, n - 1), count - 1), at
        return x, chance.standard_normal(n if outputs is None else (n, outputs)), at

    def suited(self, outputs: int | None = None, *, classes: bool = False) -> Learner:
        """Return the learner for values or for classes, resized to the numbers of inputs and outputs.

        Parameters
        ----------
        outputs : int, optional
            Number of outputs, or number of classes.
        classes : bool
            Whether labels are classes.
        """
        outputs = None if self.labels == "one output" else outputs
        if self.labels == "classes":
            return self.classes.resized(self.dim, outputs or _CLASSES)
        return (self.classes if classes else self.learner).resized(self.dim, outputs)

    def explore(self, test: Callable[..., None], **strategies: st.SearchStrategy[Any]) -> None:
        """Call ``test(n=..., draw=..., ...)`` with random arguments.

        Parameters
        ----------
        test : callable
            A function that raises `Violation` if its arguments break a property.
        **strategies : Hypothesis strategies
            A strategy for each argument other than n and draw.
        """
        explore(test, self.examples, self.seed, **CASES, **strategies)


def rng(seed: int = 0) -> np.random.Generator:
    """Return the random generator that the tests pass to a learner.

    Parameters
    ----------
    seed : int
        Seed of the generator.
    """
    return np.random.default_rng(seed)


def predictions_have_the_shape_of_the_labels(case: LearnerCase) -> None:
    """Predictions at N inputs are finite float64, (N,) or (N, outputs) like the labels, for all n >= 1.

    Scores of classes are tested by `each_class_up_to_the_largest_gets_a_score`.
    """
    if case.labels == "classes":
        return

    def check(n: int, draw: int, outputs: int | None) -> None:
        x, y, at = case.data(n, draw, outputs)
        values = case.suited(outputs).fit(x, y, rng())(at)
        got = f"{values.dtype} of shape {values.shape}"
        where = f"for labels of shape {y.shape} predictions at 7 inputs are"
        require(values.dtype == np.float64 and values.shape == (7, *y.shape[1:]), f"{where} {got}")
        require(np.isfinite(values).all(), f"{where} not finite")

    case.explore(check, outputs=st.sampled_from([None] if case.labels == "one output" else [None, 1, 3]))


def a_seed_determines_the_predictor(case: LearnerCase) -> None:
    """Two fits with equal generators give equal predictions.

    The learner must not use the global generators of numpy and torch.
    """
    x, y, at = case.data(9, 0)
    one = case.suited()
    with global_generators_unused():
        first, second = (one.fit(x, y, rng(5))(at) for _ in range(2))
    same = "9 examples, from a generator in the same state"
    agree(("the second fit's prediction", second), ("the first's", first), same)


def fits_made_at_once_equal_fits_made_alone(case: LearnerCase) -> None:
    """`fit_many` on three data sets of 1, 5 and 8 examples agrees with `fit` on each data set, to 1e-5."""
    one, sizes = case.suited(2), (1, 5, 8)
    sets = [case.data(n, n, 2)[:2] for n in sizes]
    xs, ys = zip(*sets, strict=True)
    together = one.fit_many(xs, ys, [rng(k) for k in range(3)])
    at = case.data(1, 99)[2]
    for k, (x, y) in enumerate(sets):
        many, each = ("fit_many's prediction", together[k](at)), ("fit's", one.fit(x, y, rng(k))(at))
        agree(many, each, f"{sizes[k]} examples", rtol=1e-5, atol=1e-6)


def the_order_of_examples_does_not_matter(case: LearnerCase) -> None:
    """Fits to the same examples in another order give the same predictions, to 1e-6.

    A learner that is declared as ``ordered`` is not tested.
    """
    if case.ordered:
        return

    def check(n: int, draw: int) -> None:
        x, y, at = case.data(n, draw, 2)
        one, order = case.suited(2), rng(draw).permutation(n)
        shuffled = ("the prediction from shuffled examples", one.fit(x[order], y[order], rng())(at))
        straight = ("that in their order", one.fit(x, y, rng())(at))
        agree(shuffled, straight, f"{n} examples, draw {draw}", rtol=1e-6, atol=1e-6)

    case.explore(check)


def inputs_and_labels_are_not_changed(case: LearnerCase) -> None:
    """A fit does not change its arrays, and later changes of the arrays do not change the predictor."""
    x, y, at = case.data(6, 1, 2)
    kept = {"x": x.copy(), "y": y.copy(), "at": at.copy()}
    predictor = case.suited(2).fit(x, y, rng())
    values = predictor(at)
    for (name, copy), array in zip(kept.items(), (x, y, at), strict=True):
        agree((f"{name} afterwards", array), (f"{name} before", copy), "6 examples")
    x[:], y[:] = 0.0, 0.0
    later = ("the prediction after the caller's arrays changed", predictor(at))
    agree(later, ("that before", values), "6 examples")


def the_smoother_gives_the_predictions(case: LearnerCase) -> None:
    """``smoother(x, at) @ y`` equals the predictions of the fit to ``x`` and ``y`` at the inputs ``at``.

    If the learner is not linear in its labels, ``smoother`` must raise an error.
    """
    if not case.learner.linear_in_labels or case.labels == "classes":
        return

    def check(n: int, draw: int) -> None:
        x, y, at = case.data(n, draw, 2)
        for outputs, labels in ((2, y), (None, y.reshape(n, -1)[:, 0])):
            one = case.suited(outputs)
            smoother = one.smoother(x, at)
            require(smoother.shape == (7, n), f"the smoother of {n} examples has shape {smoother.shape}")
            scale = 1e-9 * max(1.0, float(np.abs(smoother).max()))  # the labels' rounding, as amplified
            fitted = ("the fit", one.fit(x, labels, rng())(at))
            smoothed = ("the smoother's", smoother @ labels)
            agree(fitted, smoothed, f"{n} examples, draw {draw}", rtol=1e-9, atol=scale)

    case.explore(check)


def linear_in_labels_is_declared_correctly(case: LearnerCase) -> None:
    """The predictions of a learner with ``linear_in_labels = True`` are linear in the labels.

    Let f(y) be the predictions after a fit to the labels y.  If ``linear_in_labels`` is true, then f(2 y + z)
    = 2 f(y) + f(z).  If ``linear_in_labels`` is false, the learner must not define a smoother.  There is a
    warning if this equation nevertheless holds for 20 data sets, and predictions do not depend on the random
    generator.  The budgets of such a learner have narrower intervals if the learner declares that it is
    linear.  A learner of classes only is not tested.
    """
    if case.labels == "classes":
        return
    one, linear = case.suited(3), True
    for draw in range(20):
        x, z, at = case.data(12, draw, 3)
        turns = np.outer(x[:, 0], np.arange(1, z[0].size + 1))
        y = np.cos(turns).reshape(z.shape)  # y depends on x; z is noise
        both, fy, fz = (one.fit(x, labels, rng())(at) for labels in (2 * y + z, y, z))
        if one.linear_in_labels:
            where = f"12 examples, draw {draw}"
            agree(("f(2 y + z)", both), ("2 f(y) + f(z)", 2 * fy + fz), where, rtol=1e-7, atol=1e-7)
            return
        linear = linear and np.allclose(both, 2 * fy + fz, rtol=1e-7, atol=1e-7)
        if not linear:
            break
    own = type(case.learner)
    if own.smoother is not Learner.smoother:
        what = f"the smoother that {own.__name__} defines although linear_in_labels is False"
        refused(lambda: one.smoother(x, at), "'learner' parameter of smoother", what)
    if linear and np.array_equal(one.fit(x, z, rng(1))(at), fz):
        warnings.warn(
            f"{own.__name__} seems to be linear in the labels: f(2 y + z) = 2 f(y) + f(z) in 20 data sets, "
            "though linear_in_labels is False. If it is linear, declare linear_in_labels = True and define "
            "smoother(self, x, at). The intervals of its budgets in Gaussian settings are then narrower.",
            stacklevel=2,
        )


def predictions_lie_in_the_declared_class(case: LearnerCase) -> None:
    """Predictors are functions of the learner's ``function_class``.

    For classes other than those of `errsrc.settings`, only the type of the class is checked.
    """
    x, y, _ = case.data(9, 7, 2)
    one = case.suited(2)
    f, function_class, dim = one.fit(x, y, rng()), one.function_class, case.dim
    if isinstance(function_class, (Linear, RankK)):
        a, b = rng(8).standard_normal((2, 5, dim))
        agree(("f(a - 2 b)", f(a - 2 * b)), ("f(a) - 2 f(b)", f(a) - 2 * f(b)), "9 examples", atol=1e-10)
        if isinstance(function_class, RankK):
            rank = np.linalg.matrix_rank(f(np.eye(dim)), tol=1e-10)
            inside = rank <= function_class.rank
            require(inside, f"a fit to 9 examples of rank {rank} is not in {function_class}")
    elif isinstance(function_class, Band):
        basis = function_class.basis
        points, weights = basis.quadrature(basis.order + 8)
        values = f(points)
        projected = basis(points) @ (basis(points).T @ (weights * values.T).T)
        agree(("a prediction", values), ("its projection on the band", projected), "9 examples", atol=1e-9)
    elif isinstance(function_class, FeatureSpan):
        at = case.draw(2 * function_class.m, rng(8))
        features = function_class.features(at)
        projected = features @ np.linalg.lstsq(features, f(at), rcond=None)[0]
        agree(("a prediction", f(at)), ("its projection on the features", projected), "9 examples", atol=1e-9)
    elif isinstance(function_class, NetworkFunctions):
        outputs = function_class.architecture.outputs
        expected = 2 if case.labels == "classes" else y[0].size
        require(outputs == expected, f"for labels of {expected} outputs the declared network has {outputs}")
    else:
        known = isinstance(function_class, FunctionClass)
        require(known, f"{function_class!r} is no instance of a subclass of errsrc.settings.FunctionClass")


def each_class_up_to_the_largest_gets_a_score(case: LearnerCase) -> None:
    """The scores at N inputs have the shape (N, classes).

    If ``case.probabilities`` is true, the scores are probabilities.  If the learner is linear in its labels,
    the scores equal the predictions after a fit to one-hot labels.
    """
    if case.labels not in ("all", "classes"):
        return

    def check(n: int, draw: int) -> None:
        x, _, at = case.data(n, draw, 3)
        one, y = case.suited(3, classes=True), rng(draw).integers(0, 3, n)
        y[0] = 2
        scores, where = one.fit(x, y, rng())(at), f"{n} examples of classes up to 2, draw {draw}"
        require(scores.shape == (7, 3), f"scores at 7 inputs have shape {scores.shape} for {where}")
        require(np.isfinite(scores).all(), f"scores at 7 inputs are not finite for {where}")
        if case.probabilities:
            require((scores >= 0).all(), f"a score is {scores.min():.6g}, no probability, for {where}")
            agree(("a sum of scores", scores.sum(1)), ("that of probabilities", np.ones(7)), where, rtol=1e-6)
        elif one.linear_in_labels:
            fitted = ("the fit to indicators", one.fit(x, np.eye(3)[y], rng())(at))
            agree(("a score", scores), fitted, where, atol=1e-12)

    case.explore(check)


def scores_are_in_the_order_of_the_classes(case: LearnerCase) -> None:
    """A learner that separates three clusters, of classes 2, 0 and 1, predicts the right classes."""
    if case.labels not in ("all", "classes"):
        return
    one, y, x = case.suited(3, classes=True), np.repeat([2, 0, 1], 20), case.draw(60, rng())
    if x.shape[1] == 3 and basis_of(one.function_class) is None:
        x = np.repeat([[-5.0, 0.0, 2.0], [0.0, 5.0, 2.0], [5.0, 0.0, -2.0]], 20, axis=0)
    else:
        x = x[np.argsort(x[:, 0])]
    answers = one.fit(x, y, rng())(x[10::20]).argmax(1)
    if len(set(answers.tolist())) == 3:
        agree(
            ("the class of the largest score", answers), ("the examples' class", y[10::20]), "three clusters"
        )


def predictors_survive_pickling(case: LearnerCase) -> None:
    """A pickled and unpickled predictor gives the same predictions as the original.

    There is only a warning if the predictor cannot be pickled, for example because it is a function that is
    defined inside ``_fit``.
    """
    x, y, at = case.data(6, 2)
    predictor = case.suited().fit(x, y, rng())
    try:
        pickled = pickle.dumps(predictor)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if not _is_of_pickling(error):
            raise
        warnings.warn(
            f"A predictor of {type(case.learner).__name__} cannot be pickled ({error}). Budgets do not need "
            "this; files and other processes do. Let _fit return functools.partial of a function that is "
            "defined in the module.",
            stacklevel=2,
        )
        return
    again = pickle.loads(pickled)
    agree(("the pickled predictor's value", again(at)), ("the predictor's", predictor(at)), "6 examples")


def bad_data_is_refused_in_one_sentence(case: LearnerCase) -> None:
    """`fit` raises an error for arrays of a wrong shape or dtype, and for numbers that are not finite.

    The message must be one line that names the argument.
    """
    one, name = case.suited(), type(case.learner).__name__
    x, y = np.zeros((4, case.dim)), np.zeros(4, dtype=np.int64 if case.labels == "classes" else np.float64)
    nan = np.full_like(x, np.nan)
    wrong: list[tuple[str, str, Any, Any]] = [
        ("x", "inputs that are not finite", nan, y),
        ("x", "inputs (dim,)", x[0], y),
        ("x", "no examples", x[:0], y[:0]),
        ("x", "inputs without columns", x[:, :0], y),
        ("x", "inputs that are strings", x.astype(str), y),
        ("y", "one label too few", x, y[:3]),
        ("y", "a label that is not finite", x, np.full(4, np.inf)),
        ("y", "labels (4, 2, 2)", x, np.zeros((4, 2, 2))),
        ("y", "labels (4, 0)", x, np.zeros((4, 0))),
        ("y", "labels that are strings", x, np.array(["a"] * 4)),
        ("y", "a class -1", x, np.array([0, 1, -1, 0])),
        ("y", "classes (4, 1)", x, np.zeros((4, 1), dtype=np.int64)),
    ]
    for which, what, inputs, labels in wrong:
        refused(
            functools.partial(one.fit, inputs, labels, rng()),
            f"The {which!r} parameter of {name} must be",
            what,
        )


def a_predictor_refuses_bad_inputs(case: LearnerCase) -> None:
    """A predictor raises an error for inputs that are not finite or have another number of columns."""
    x, y, at = case.data(4, 0)
    predictor = case.suited().fit(x, y, rng())
    named = f"The 'x' parameter of {type(case.learner).__name__} must be"
    wrong: dict[str, NDArray[Any]] = {
        "an input with one column too few": at[:, :-1],
        "an input with twice as many columns": np.concatenate([at, at], 1),
        "an input that is not finite": np.full_like(at, np.nan),
    }
    for what, other in wrong.items():
        refused(functools.partial(predictor, other), named, what)


def a_learner_is_frozen_hashable_and_has_defaults(case: LearnerCase) -> None:
    """A learner can be made without arguments, and its fields cannot be changed.

    A study's TOML file, its spec, can then describe the learner by a table.
    """
    kind = type(case.learner)
    one = kind()
    require(one == kind() and hash(one) == hash(dataclasses.replace(one)), f"{one!r} is not equal to a copy")
    require_frozen(one)


def its_regressor_passes_scikit_learns_checks(case: LearnerCase) -> None:
    """The scikit-learn regressor that `as_estimator` makes passes ``check_estimator``.

    Some failures are accepted: of checks whose inputs are outside the domain of the learner's band, and of
    checks that pickle a predictor that cannot be pickled.  The regressor is not tested if the learner accepts
    only one output or only classes, or if `inputs` are given and the learner is not limited to a band.
    """
    if case.labels not in ("one output", "classes"):
        _estimator_checks(case, classes=False)


def its_classifier_passes_scikit_learns_checks(case: LearnerCase) -> None:
    """The scikit-learn classifier that `as_estimator` makes passes ``check_estimator``.

    If the learner does not take classes, the classifier is not tested.  For the other exceptions see
    `its_regressor_passes_scikit_learns_checks`.
    """
    if case.labels in ("all", "classes"):
        _estimator_checks(case, classes=True)


def _is_of_pickling(error: BaseException | None) -> bool:
    return error is not None and "pickle" in str(error).lower()


def _estimator_checks(case: LearnerCase, classes: bool) -> None:
    from sklearn.utils.estimator_checks import check_estimator

    learner = case.classes if classes else case.learner
    if case.inputs is not None and basis_of(learner.function_class) is None:
        return  # scikit-learn draws its own inputs, of several dimensions
    estimator = as_estimator(learner, classes=classes)
    done = check_estimator(estimator, on_skip=None, on_fail=None)
    failed = [
        check for check in done if check["status"] == "failed" and not _is_of_pickling(check["exception"])
    ]
    for check in failed:
        reasons = f"{check['exception']!r} {check['exception'].__cause__!r}"
        bound = basis_of(learner.function_class) is not None and "The 'x' parameter of " in reasons
        require(bound, f"{check['check_name']} of scikit-learn fails with {check['exception']!r}")
    passed = len(done) - len(failed)
    require(passed > 15, f"only {passed} of scikit-learn's {len(done)} checks were passed")


LEARNER_PROPERTIES: tuple[Callable[[LearnerCase], None], ...] = (
    a_learner_is_frozen_hashable_and_has_defaults,
    predictions_have_the_shape_of_the_labels,
    inputs_and_labels_are_not_changed,
    a_seed_determines_the_predictor,
    the_order_of_examples_does_not_matter,
    fits_made_at_once_equal_fits_made_alone,
    linear_in_labels_is_declared_correctly,
    the_smoother_gives_the_predictions,
    predictions_lie_in_the_declared_class,
    each_class_up_to_the_largest_gets_a_score,
    scores_are_in_the_order_of_the_classes,
    predictors_survive_pickling,
    bad_data_is_refused_in_one_sentence,
    a_predictor_refuses_bad_inputs,
    its_regressor_passes_scikit_learns_checks,
    its_classifier_passes_scikit_learns_checks,
)
"""The properties of every learner, in the order in which `check_learner` tests them."""


def check_learner(
    learner: Learner,
    *,
    classes: Learner | None = None,
    inputs: Inputs | None = None,
    labels: str = "all",
    ordered: bool = False,
    probabilities: bool = False,
    properties: Sequence[Callable[[LearnerCase], None]] | None = None,
    examples: int = 10,
    seed: int = 0,
) -> None:
    """Test whether a learner has the properties that every learner must have.

    By default the learner is fitted to inputs of 3 columns, to labels that are numbers of the shapes (n,) and
    (n, outputs), and to labels that are classes.  scikit-learn's checks also have inputs with other numbers
    of columns.  For a learner that accepts only some inputs or labels, pass `inputs` or `labels`.

    Parameters
    ----------
    learner : Learner
        The learner.  The tests fit the learner several hundred times, to between 1 and 200 examples; choose
        fields that make it fast.
    classes : Learner, optional
        The learner for labels that are classes, such as a network student with the log loss; by default
        `learner`.
    inputs : callable, optional
        Maps a count and a random generator to random inputs, float64 (count, dim), such as the method
        `inputs` of a setting.  If the learner does not accept all inputs, this argument is required.
        scikit-learn's checks, which have their own inputs, are then left out, except for a learner of a band.
        By default inputs are normal with standard deviation 2.
    labels : {"all", "numbers", "one output", "classes"}
        The labels that the learner takes.  "numbers" leaves out labels that are classes.  "one output" also
        leaves out labels of several outputs, and scikit-learn's checks.  "classes" leaves out labels that are
        numbers.
    ordered : bool
        Whether the predictor may depend on the order of the examples.
    probabilities : bool
        Whether the learner's scores of classes are probabilities.
    properties : sequence of callable, optional
        The properties to test; by default all `LEARNER_PROPERTIES`.
    examples : int
        Number of random data sets for each property, >= 1.
    seed : int
        Seed of the data sets, >= 0.

    Raises
    ------
    AssertionError
        If a property does not hold.  The message names the property and the values that break it.
    TypeError, ValueError
        If `learner` is not a learner, or if an argument is out of range.

    Warns
    -----
    UserWarning
        If the learner seems to be linear in the labels and does not declare it, or if its predictors cannot
        be pickled.  The learner's budgets are right in both cases.

    Examples
    --------
    >>> from errsrc.learners import Neighbours
    >>> check_learner(Neighbours(3), probabilities=True, examples=3)
    """
    a_learner = checks.Instance(Learner, "a learner, as errsrc.learners.Ridge()")
    for name, one in {"learner": learner, "classes": learner if classes is None else classes}.items():
        a_learner(one, name, "check_learner")
    checks.Choice(LABELS)(labels, "labels", "check_learner")
    check_draws(examples, seed, "check_learner")
    case = LearnerCase(learner, classes or learner, inputs, ordered, probabilities, examples, seed, labels)
    try:
        hold(learner, LEARNER_PROPERTIES if properties is None else properties, case)
    except AssertionError as failed:
        several = re.search(r"outputs = \d|labels of shape \(\d+, \d", str(failed)) is not None
        if several and labels in ("all", "numbers"):  # labels of shape (n,) passed
            raise AssertionError(f"{failed} {_ONE_OUTPUT}") from failed.__cause__
        hints = [_FEWER_INPUTS] * (inputs is None) + [_FEWER_LABELS] * (labels == "all")
        if failed.__cause__ is not None or "shape" in str(failed) or "scikit" in str(failed):
            raise AssertionError(" ".join([str(failed), *hints])) from failed.__cause__
        raise
