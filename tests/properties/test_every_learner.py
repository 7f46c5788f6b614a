"""What holds of every learner: over all of `errsrc.learners.ALL`, on data drawn at random."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import pkgutil
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

import errsrc.learners
from errsrc.learners import (
    ALL,
    KernelRidge,
    Learner,
    LinearLearner,
    MatrixPencil,
    Neighbours,
    NetworkStudent,
    as_estimator,
)
from errsrc.nets import MLP, Recipe
from errsrc.settings import AllFunctions, Band, Linear, Network, RankK, Stride
from errsrc.sweeps.kind import kind_name

RECIPE = Recipe(learning_rate=0.02, warmup=5, loss="squared")
QUICK: dict[str, dict[str, Any]] = {
    "forest": {"trees": 5},
    "network-class": {"architecture": MLP((1, 2, 1), "tanh"), "starts": 4, "steps": 20},
    "network-student": {"architecture": MLP((1, 8, 1)), "recipe": RECIPE, "steps": 60},
    "tuned": {"candidates": (KernelRidge(length=4.0, ridge=0.1), Neighbours(1), Neighbours(8))},
}
QUICK["low-pass"] = {"learner": NetworkStudent(**QUICK["network-student"])}
"""Fields that make a learner quick to test."""
CHANCE = ("forest", "network-student", "low-pass", "tuned")
"""Learners whose chance depends on the order of the examples."""

AVERAGING = ("neighbours", "memory", "forest", "network-student")
"""Learners whose scores of classes are probabilities."""


VALUES = {name: kind(**QUICK.get(name, {})) for name, kind in ALL.items()}
CLASSES = VALUES | {
    "network-student": dataclasses.replace(
        VALUES["network-student"], recipe=dataclasses.replace(RECIPE, loss="log")
    )
}
CLASSES["low-pass"] = dataclasses.replace(VALUES["low-pass"], learner=CLASSES["network-student"])
EVERY = pytest.mark.parametrize("name", VALUES)
LINEAR = pytest.mark.parametrize("name", [name for name, one in VALUES.items() if one.linear_in_labels])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def dim_of(one: Learner) -> int:
    return 1 if isinstance(one.function_class, Band) else 3


def strides(n: int, chance: np.random.Generator) -> np.ndarray:
    """The nodes that a matrix pencil takes."""
    return 2 * np.pi * Stride().points(n, 1, chance)


def data(one: Learner, n: int, seed: int, outputs: int | None = None) -> tuple[Learner, np.ndarray, ...]:
    """The learner for data of these sizes; x (n, dim), y, and where to predict."""
    chance, dim = rng(seed), dim_of(one)
    x, at = (2 * chance.standard_normal((count, dim)) for count in (n, 7))
    if isinstance(one, MatrixPencil):
        x = strides(n, chance)
    y = chance.standard_normal(n if outputs is None else (n, outputs))
    return one.suited(dim, outputs), x, y, at


SIZES = {"n": st.integers(1, 12), "seed": st.integers(0, 10**6)}


@EVERY
@settings(max_examples=10, deadline=None)
@given(outputs=st.sampled_from([None, 1, 3]), **SIZES)
def test_predictions_have_the_shape_of_the_labels(name: str, n: int, seed: int, outputs: int | None) -> None:
    """From one example on."""
    one, x, y, at = data(VALUES[name], n, seed, outputs)
    values = one.fit(x, y, rng())(at)
    assert values.dtype == np.float64
    assert values.shape == (7, *y.shape[1:])
    assert np.isfinite(values).all()


@EVERY
def test_a_seed_gives_one_predictor_and_no_other_chance_is_used(name: str) -> None:
    one, x, y, at = data(VALUES[name], 9, 0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first, second = (one.fit(x, y, rng(5))(at) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


@EVERY
def test_many_fits_at_once_are_those_of_each(name: str) -> None:
    one = VALUES[name].suited(dim_of(VALUES[name]), 2)
    sets = [data(one, n, n, 2)[1:3] for n in (1, 5, 8)]
    together = one.fit_many(*zip(*sets, strict=True), [rng(k) for k in range(3)])
    at = data(one, 1, 99)[3]
    for k, (x, y) in enumerate(sets):
        np.testing.assert_allclose(together[k](at), one.fit(x, y, rng(k))(at), rtol=1e-5, atol=1e-6)


@EVERY
@settings(max_examples=10, deadline=None)
@given(**SIZES)
def test_the_order_of_examples_does_not_matter(name: str, n: int, seed: int) -> None:
    if name in CHANCE:
        pytest.skip("its chance depends on the order")
    one, x, y, at = data(VALUES[name], n, seed, 2)
    order = rng(seed).permutation(n)
    values = one.fit(x, y, rng())(at)
    np.testing.assert_allclose(one.fit(x[order], y[order], rng())(at), values, rtol=1e-6, atol=1e-6)


@EVERY
def test_inputs_and_labels_are_left_as_they_are(name: str) -> None:
    one, x, y, at = data(VALUES[name], 6, 1, 2)
    kept = [array.copy() for array in (x, y, at)]
    predictor = one.fit(x, y, rng())
    values = predictor(at)
    for array, copy in zip((x, y, at), kept, strict=True):
        np.testing.assert_array_equal(array, copy)
    x[:], y[:] = 0.0, 0.0  # nor is the predictor's memory the caller's
    np.testing.assert_array_equal(predictor(at), values)


@LINEAR
@settings(max_examples=20, deadline=None)
@given(**SIZES)
def test_a_smoother_is_the_fit(name: str, n: int, seed: int) -> None:
    one, x, y, at = data(VALUES[name], n, seed, 2)
    assert isinstance(one, LinearLearner)
    smoother = one.smoother(x, at)
    assert smoother.shape == (7, n)
    scale = 1e-9 * max(1.0, float(np.abs(smoother).max()))  # the labels' rounding, as amplified
    np.testing.assert_allclose(one.fit(x, y, rng())(at), smoother @ y, rtol=1e-9, atol=scale)
    np.testing.assert_allclose(one.fit(x, y[:, 0], rng())(at), smoother @ y[:, 0], rtol=1e-9, atol=scale)


@EVERY
def test_only_learners_that_say_so_are_linear_in_labels(name: str) -> None:
    """f(2 y + z) = 2 f(y) + f(z) where declared, and not elsewhere."""
    one, x, z, at = data(VALUES[name], 12, 3, 3)
    y = np.cos(x[:, :1] * [1, 2, 3])  # one rule, and z none
    both, fy, fz = (one.fit(x, labels, rng())(at) for labels in (2 * y + z, y, z))
    linear = np.allclose(both, 2 * fy + fz, rtol=1e-7, atol=1e-7)
    assert linear == one.linear_in_labels
    if not linear:
        with pytest.raises(TypeError, match="'learner' parameter of smoother must be linear in its labels"):
            one.smoother(x, at)


@EVERY
def test_predictions_lie_in_the_declared_class(name: str) -> None:
    one, x, y, _ = data(VALUES[name], 9, 7, 2)
    f, function_class, chance = one.fit(x, y, rng()), one.function_class, rng(8)
    if isinstance(function_class, (Linear, RankK)):
        a, b = chance.standard_normal((2, 5, 3))
        np.testing.assert_allclose(f(a - 2 * b), f(a) - 2 * f(b), atol=1e-10)
        if isinstance(function_class, RankK):
            assert np.linalg.matrix_rank(f(np.eye(3)), tol=1e-10) <= function_class.rank
    elif isinstance(function_class, Band):
        grid = 2 * np.pi * np.arange(64)[:, None] / 64
        basis = function_class.basis(grid)
        np.testing.assert_allclose(basis @ (basis.T @ f(grid)) / 64, f(grid), atol=1e-10)
    elif isinstance(function_class, Network):
        assert function_class.architecture.outputs == 2
    else:
        assert function_class == AllFunctions()


@EVERY
@settings(max_examples=10, deadline=None)
@given(**SIZES)
def test_classes_get_scores_up_to_the_largest_seen(name: str, n: int, seed: int) -> None:
    one, x, _, at = data(CLASSES[name], n, seed, 3)
    y = rng(seed).integers(0, 3, n)
    y[0] = 2
    scores = one.fit(x, y, rng())(at)
    assert scores.shape == (7, 3)
    if name in AVERAGING:
        assert (scores >= 0).all()
        np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-6)
    elif one.linear_in_labels:
        np.testing.assert_allclose(scores, one.fit(x, np.eye(3)[y], rng())(at), atol=1e-12)


@EVERY
def test_classes_are_told_apart_in_the_right_order(name: str) -> None:
    one = CLASSES[name].suited(dim_of(CLASSES[name]), 3)
    if dim_of(one) == 1:
        x = np.repeat([[1.0], [3.0], [5.0]], 20, axis=0)
    else:
        x = np.repeat([[-5.0, 0.0, 2.0], [0.0, 5.0, 2.0], [5.0, 0.0, -2.0]], 20, axis=0)
    y = np.repeat([2, 0, 1], 20)
    if isinstance(one, MatrixPencil):
        at, x = x, np.sort(strides(60, rng()), axis=0)
        scores = one.fit(x, y, rng())(at[::20])
    else:
        scores = one.fit(x, y, rng())(x[::20])
    if name == "reduced-rank":
        assert np.linalg.matrix_rank(scores) == 1  # which cannot tell three
    else:
        np.testing.assert_array_equal(scores.argmax(1), [2, 0, 1])


@EVERY
def test_predictors_survive_pickling(name: str) -> None:
    one, x, y, at = data(VALUES[name], 6, 2)
    predictor = one.fit(x, y, rng())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(predictor))(at), predictor(at))


X, Y = np.zeros((4, 3)), np.zeros(4)
NAN = np.array([[0.0, np.nan, 0.0]] * 4)
REFUSED = [
    (NAN, Y, "'x' parameter of {} must be finite. Got <nan or inf>"),
    (
        X[0],
        Y,
        r"'x' parameter of {} must be numbers of shape \(n, dim\), n and dim >= 1. Got <float64 .*3,\)>",
    ),
    (X[:0], Y[:0], "'x' .* n and dim >= 1"),
    (X[:, :0], Y, "'x' .* n and dim >= 1"),
    (X.astype(str), Y, "'x' .* Got <<U32"),
    (X, Y[:3], r"'y' parameter of {} must be numbers \(n,\) or \(n, outputs\), .* for n = 4 inputs"),
    (X, np.full(4, np.inf), "'y' .* finite. Got <nan or inf>"),
    (X, np.zeros((4, 2, 2)), r"'y' .* \(4, 2, 2\)>"),
    (X, np.zeros((4, 0)), "'y' .* numbers"),
    (X, np.array(["a"] * 4), "'y' .* numbers"),
    (X, np.array([0, 1, -1, 0]), r"'y' .* classes 0, 1, .* from -1>"),
    (X, np.zeros((4, 1), dtype=np.int64), r"'y' .* classes 0, 1, ... of shape \(n,\)"),
]


@EVERY
@pytest.mark.parametrize(("x", "y", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_bad_data_is_refused_in_one_sentence(name: str, x: Any, y: Any, message: str) -> None:
    one = VALUES[name].suited(3, None)
    with pytest.raises(ValueError, match=message.format(type(one).__name__)) as caught:
        one.fit(x, y, rng())
    assert "\n" not in str(caught.value)


@EVERY
def test_a_predictor_refuses_other_inputs(name: str) -> None:
    one, x, y, at = data(VALUES[name], 4, 0)
    predictor = one.fit(x, y, rng())
    for wrong in (at[:, :-1], np.concatenate([at, at], 1), np.full_like(at, np.nan)):
        with pytest.raises(ValueError, match=f"'x' parameter of {type(one).__name__} must be"):
            predictor(wrong)


@EVERY
@pytest.mark.parametrize("classes", [False, True], ids=["numbers", "classes"])
def test_an_estimator_passes_scikit_learns_checks(name: str, classes: bool) -> None:
    """Except where the domain forbids: more coordinates than the circle's one, nodes that are no strides."""
    if classes and name == "gaussian-process":
        pytest.skip("slow, and the same fit as to numbers")
    one = (CLASSES if classes else VALUES)[name]
    done = check_estimator(as_estimator(one, classes=classes), on_skip=None, on_fail=None)
    failed = [check for check in done if check["status"] == "failed"]
    assert len(done) - len(failed) > (15 if isinstance(one.function_class, Band) else 40)
    for check in failed:
        reasons = f"{check['exception']!r} {check['exception'].__cause__!r}"
        assert isinstance(one.function_class, Band), check
        where = ("angles in radians of shape (N, 1)", "start + t step, t = 0")
        assert any(each in reasons for each in where), check


@EVERY
def test_learners_are_frozen_hashable_and_have_defaults(name: str) -> None:
    one = ALL[name]()
    assert kind_name(type(one)) == name
    assert hash(one) == hash(dataclasses.replace(one))
    assert one == ALL[name]()
    for field in dataclasses.fields(one):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field.name, None)


def test_every_learner_of_the_room_is_in_all() -> None:
    defined = set()
    for module in pkgutil.iter_modules(errsrc.learners.__path__, "errsrc.learners."):
        for _, item in inspect.getmembers(__import__(module.name, fromlist=["x"]), inspect.isclass):
            if issubclass(item, Learner) and item not in (Learner, LinearLearner):
                defined.add(item)
    bases = {base for item in defined for base in item.__bases__}
    assert defined - bases == set(ALL.values())
