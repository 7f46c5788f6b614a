"""What every learner in errsrc.learners.ALL must do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from errsrc.learners import ALL, as_estimator
from errsrc.sweeps.kind import kind_name

EXAMPLES = {
    "gradient-descent": {"steps": 20},
    "fourier-least-squares": {"degree": 3},
    "reduced-rank": {"rank": 2},
    "forest": {"trees": 10},
}
LEARNERS = {name: cls(**EXAMPLES.get(name, {})) for name, cls in ALL.items()}
BY_NAME = pytest.mark.parametrize("name", ALL)
ONE_COLUMN = {"fourier-least-squares"}


def data(name, n=23, outputs=None, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 6, (n, 1 if name in ONE_COLUMN else 3))
    return x, rng.standard_normal(n if outputs is None else (n, outputs)), rng.uniform(0, 6, (5, x.shape[1]))


def rng():
    return np.random.default_rng(7)


@BY_NAME
def test_it_is_a_frozen_hashable_dataclass_named_as_its_class(name):
    learner = LEARNERS[name]
    assert hash(learner) == hash(dataclasses.replace(learner))
    assert kind_name(type(learner)) == name
    with pytest.raises(dataclasses.FrozenInstanceError):
        learner.anything = 1


@BY_NAME
@pytest.mark.parametrize("outputs", [None, 1, 4])
def test_predictions_have_the_shape_of_labels_and_come_again(name, outputs):
    x, y, at = data(name, outputs=outputs)
    one, two = (LEARNERS[name].fit(x, y, rng())(at) for _ in range(2))
    assert one.shape == (5, *y.shape[1:])
    np.testing.assert_array_equal(one, two)


@BY_NAME
def test_classes_get_scores(name):
    x, y, at = data(name)
    classes = np.digitize(y, [-0.5, 0.5])
    scores = LEARNERS[name].fit(x, classes, rng())(at)
    assert scores.shape == (5, 3)
    if name in ("neighbours", "forest"):
        np.testing.assert_allclose(scores.sum(1), 1)


@BY_NAME
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), scale=st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_a_learner_linear_in_labels_is_its_smoother(name, seed, n, scale):
    learner = LEARNERS[name]
    x, y, at = data(name, n, outputs=2, seed=seed)
    if not learner.linear_in_labels:
        with pytest.raises(TypeError, match="linear in its labels"):
            learner.smoother(x, at)
        return
    hat = learner.smoother(x, at)
    assert hat.shape == (5, n)
    tolerance = 1e-9 * (1 + np.abs(hat).max())
    np.testing.assert_allclose(learner.fit(x, y, rng())(at), hat @ y, atol=tolerance)
    both = learner.fit(x, y[:, 0] + scale * y[:, 1], rng())(at)
    np.testing.assert_allclose(both, hat @ y[:, 0] + scale * (hat @ y[:, 1]), atol=10 * tolerance)


@BY_NAME
def test_the_order_of_examples_does_not_matter(name):
    if name == "forest":
        pytest.skip("bootstrap samples are drawn by place")
    x, y, at = data(name)
    order = np.random.default_rng(1).permutation(len(x))
    np.testing.assert_allclose(
        LEARNERS[name].fit(x, y, rng())(at), LEARNERS[name].fit(x[order], y[order], rng())(at), atol=1e-8
    )


@BY_NAME
def test_what_is_no_data_is_refused(name):
    learner = LEARNERS[name]
    x, y, _ = data(name)
    holed = x.copy()
    holed[0, 0] = np.nan
    for bad_x, bad_y, message in (
        (x[:0], y[:0], "'x' .* n and dim >= 1"),
        (x[:, 0], y, "'x' .* shape"),
        (holed, y, "'x' .* finite"),
        (x, y[:-1], "'y' .* n = 23"),
        (x, np.full(len(x), np.inf), "'y' .* finite"),
        (x, np.arange(len(x)) - 1, "'y' .* classes 0"),
        (x, np.array(["a"] * len(x)), "'y' .* numbers"),
    ):
        with pytest.raises(ValueError, match=f"{message}.*Got"):
            learner.fit(bad_x, bad_y, rng())


@BY_NAME
@pytest.mark.parametrize("classes", [False, True])
def test_scikit_learn_takes_it_as_an_estimator(name, classes):
    if name in ONE_COLUMN:
        x, y, at = data(name)
        fitted = as_estimator(LEARNERS[name]).fit(x, y)
        np.testing.assert_array_equal(fitted.predict(at), LEARNERS[name].fit(x, y, rng())(at))
        return
    check_estimator(as_estimator(LEARNERS[name], classes=classes), on_skip=None)
