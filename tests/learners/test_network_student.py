"""Network students: against closed forms, one at a time and many at once."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from errsrc.errors import Diverged
from errsrc.learners import NetworkStudent
from errsrc.nets import CNN, MLP
from errsrc.settings import AllFunctions, NetworkFunctions
from errsrc.training import Recipe

from .drawn import draw, rng

SECOND_ORDER = {"steps": 60, "validation": 0.0, "precision": "float64"}


def test_a_network_without_hidden_layers_is_least_squares_with_offset():
    x, y, at = draw(30, 3)
    student = NetworkStudent(MLP((3, 2)), Recipe("lbfgs", loss="squared"), **SECOND_ORDER)
    w = np.linalg.lstsq(np.c_[x, np.ones(30)], y, rcond=None)[0]
    np.testing.assert_allclose(student.fit(x, y, rng())(at), np.c_[at, np.ones(9)] @ w, atol=1e-6)


def test_a_network_without_hidden_layers_is_logistic_regression_on_classes():
    x, noise, at = draw(80, 2, outputs=3)
    y = (x @ rng(4).standard_normal((2, 3)) + noise).argmax(1)
    student = NetworkStudent(MLP((2, 3)), Recipe("lbfgs", loss="log"), **SECOND_ORDER)
    theirs = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(student.fit(x, y, rng())(at), theirs.predict_proba(at), atol=1e-4)


@pytest.mark.parametrize("members", [1, 2])
def test_students_trained_together_are_those_trained_alone(members):
    """Of different n, one of them too small to hold anything out."""
    student = NetworkStudent(
        MLP((2, 6, 1), "tanh"),
        Recipe(learning_rate=0.02, loss="squared"),
        40,
        members=members,
        precision="float64",
    )
    sets = [draw(n, 2, seed=n) for n in (1, 2, 9, 40)]
    together = student.fit_many(
        [x for x, *_ in sets], [y[:, 0] for _, y, _ in sets], [rng(k) for k in range(4)]
    )
    for k, (x, y, at) in enumerate(sets):
        np.testing.assert_allclose(
            together[k](at), student.fit(x, y[:, 0], rng(k))(at), rtol=1e-9, atol=1e-10
        )
    assert student.fit_many([], [], []) == []


def test_an_ensemble_is_the_mean_of_its_networks():
    x, y, at = draw(20, 2)
    student = NetworkStudent(MLP((2, 4, 2)), steps=30, members=3)
    function = student.fit(x, y, rng()).function
    singles = [dataclasses.replace(function, trained=(one,))(at) for one in function.trained]
    np.testing.assert_allclose(function(at), np.mean(singles, axis=0), rtol=1e-6)
    assert np.std(singles, axis=0).min() > 1e-6
    assert student.function_class == AllFunctions()
    assert dataclasses.replace(student, members=1).function_class == NetworkFunctions(MLP((2, 4, 2)))


@pytest.mark.parametrize(
    ("n", "share", "held"), [(1, 0.5, 0), (2, 0.5, 1), (10, 0.2, 2), (10, 0.0, 0), (3, 0.99, 2)]
)
def test_what_is_held_out_is_not_trained_on_and_nothing_is_left_over(n, share, held):
    member = NetworkStudent(validation=share)._member(n, 100, rng())
    other = [] if member.validation is None else member.validation
    assert len(other) == held
    assert sorted([*member.rows, *other]) == list(range(100, 100 + n))


def test_a_network_that_diverges_is_reported_with_all_predictors():
    x, y, at = draw(30, 2)
    recipe = Recipe("sgd", learning_rate=0.02, warmup=0, average=0.0, loss="squared", evaluation_interval=1)
    student = NetworkStudent(MLP((2, 8, 2)), recipe, 60, validation=0.0)
    with pytest.raises(Diverged, match=r"1 of 2 networks diverged, the first at step \d+: a lower") as caught:
        student.fit_many([x, 50 * x], [y, 50 * y], [rng(0), rng(1)])
    assert [one.function.trained[0].diverged for one in caught.value.best] == [False, True]
    np.testing.assert_array_equal(caught.value.best[0](at), student.fit(x, y, rng(0))(at))


def test_a_convolutional_student_keeps_its_sizes():
    student = NetworkStudent(CNN(4, 2, 3), Recipe(), steps=3)
    assert student.resized(5, 2) == student
    x, _, _ = draw(12, 16)
    assert student.fit(x, np.arange(12) % 3, rng())(x).shape == (12, 3)


def test_a_students_parts_are_specs_of_nets():
    with pytest.raises(TypeError, match="'architecture' parameter of NetworkStudent must be a network"):
        NetworkStudent((2, 3, 1))
    with pytest.raises(TypeError, match="'recipe' parameter of NetworkStudent must be a Recipe"):
        NetworkStudent(recipe="adam")
