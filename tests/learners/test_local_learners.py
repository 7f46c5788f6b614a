"""Neighbours, memory and forests against scikit-learn and a closed form."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from errsrc.learners import Forest, Memory, Neighbours
from errsrc.settings import Flips, TableTeacher

from .drawn import draw, rng


@pytest.mark.parametrize("count", [1, 3, 99])
def test_nearest_neighbours_are_scikit_learns(count):
    x, y, at = draw(20, 2)
    k = min(count, 20)
    found = Neighbours(count).fit(x, y, rng())(at)
    np.testing.assert_allclose(found, KNeighborsRegressor(k).fit(x, y).predict(at), atol=1e-12)
    classes = rng(5).integers(0, 4, 20)
    classes[0] = 3
    found = Neighbours(count).fit(x, classes, rng())(at)
    np.testing.assert_allclose(found, KNeighborsClassifier(k).fit(x, classes).predict_proba(at), atol=1e-12)


def test_memory_knows_the_mean_of_what_it_was_told():
    x, y = np.array([[0.0, 1], [0, 1], [2, 1], [-0.0, 1]]), np.array([1.0, 2.0, 7.0, 6.0])
    at = np.array([[0.0, 1], [2, 1], [1, 0]])
    np.testing.assert_allclose(Memory().fit(x, y, rng())(at), [3.0, 7.0, 0.0])
    np.testing.assert_allclose(Memory().smoother(x, at)[0], [1 / 3, 1 / 3, 0, 1 / 3])
    found = Memory().fit(x, np.array([3, 0, 1, 3]), rng())(at)
    np.testing.assert_allclose(found, [[1 / 3, 0, 0, 2 / 3], [0, 1, 0, 0], [0.25] * 4])
    found = Memory(classes=5).fit(x, np.array([3, 0, 1, 3]), rng())(at)
    np.testing.assert_allclose(found, [[1 / 3, 0, 0, 2 / 3, 0], [0, 1, 0, 0, 0], [0.2] * 5])
    with pytest.raises(ValueError, match="'y' parameter of Memory must be classes from 0 to 2"):
        Memory(classes=3).fit(x, np.array([3, 0, 1, 3]), rng())


def test_memorys_error_is_hutters_sum():
    """E = sum of theta_i (1 - theta_i)^n over items, times the error of a guess; within 5 standard errors."""
    setting, n = TableTeacher(items=30, classes=3, decay=0.5), 20
    items, theta = np.arange(30.0)[:, None], setting.probabilities
    errors = []
    for seed in range(400):
        chance = rng(seed)
        teacher, x = setting.teacher(chance), setting.inputs(n, chance)
        found = Memory(classes=3).fit(x, Flips(0.0).label(teacher(x), chance), chance)(items)
        errors.append(theta @ (1 - (found * teacher(items)).sum(1)))
    expected = (theta * (1 - theta) ** n).sum() * 2 / 3
    assert np.mean(errors) == pytest.approx(expected, abs=5 * np.std(errors) / 20)


def test_forests_are_scikit_learns():
    x, y, at = draw(30, 4)
    seed = int(rng(7).integers(2**32))
    theirs = RandomForestRegressor(8, min_samples_leaf=2, max_features=0.5, random_state=seed).fit(x, y)
    ours = Forest(8, leaf=2, tried=0.5)
    np.testing.assert_array_equal(ours.fit(x, y, rng(7))(at), theirs.predict(at))
    labels = 2 * (x[:, 0] > 0)  # of three classes the middle one is not seen
    other = RandomForestClassifier(8, min_samples_leaf=2, max_features=0.5, random_state=seed).fit(x, labels)
    found = ours.fit(x, labels, rng(7))(at)
    np.testing.assert_array_equal(found[:, [0, 2]], other.predict_proba(at))
    np.testing.assert_array_equal(found[:, 1], 0)
