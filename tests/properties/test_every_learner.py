"""What holds of every learner: `errsrc.testing`'s properties, over all of `errsrc.learners.ALL`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from packages import concrete_classes

import errsrc.learners
from errsrc import records
from errsrc.learners import ALL, EstimatorLearner, KernelRidge, Learner, Neighbours, NetworkStudent
from errsrc.learners.estimator import FittableLearner
from errsrc.nets import MLP
from errsrc.settings import Stride
from errsrc.testing import LEARNER_PROPERTIES, check_learner
from errsrc.training import Recipe

RECIPE = Recipe(learning_rate=0.02, warmup=5, loss="squared")
QUICK: dict[str, dict[str, Any]] = {
    "forest": {"trees": 5},
    "network-class": {"architecture": MLP((1, 2, 1), "tanh"), "starts": 4, "steps": 20},
    "network-selection": {"largest": MLP((1, 1, 1), "tanh"), "starts": 1, "steps": 2},
    "network-student": {"architecture": MLP((1, 8, 1)), "recipe": RECIPE, "steps": 60},
    "random-features": {"m": 6},
    "tuned": {"candidates": (KernelRidge(length=4.0, ridge=0.1), Neighbours(1), Neighbours(8))},
}
QUICK["low-pass"] = {"learner": NetworkStudent(**QUICK["network-student"])}
"""Fields that make a learner quick to test."""
CHANCE = ("forest", "network-student", "low-pass", "tuned")
"""Learners whose chance depends on the order of the examples."""

AVERAGING = ("neighbours", "memory", "forest", "network-student")
"""Learners whose scores of classes are probabilities."""


OTHER_LABELS = ("parity-elimination", "quadratic-message-passing", "synonym-clustering")
"""Learners that take only classes, or only numbers of one output; their own tests check them."""

VALUES = {name: kind(**QUICK.get(name, {})) for name, kind in ALL.items() if name not in OTHER_LABELS}
CLASSES = VALUES | {
    "network-student": dataclasses.replace(
        VALUES["network-student"], recipe=dataclasses.replace(RECIPE, loss="log")
    )
}
CLASSES["low-pass"] = dataclasses.replace(VALUES["low-pass"], learner=CLASSES["network-student"])


def strides(n: int, chance: np.random.Generator) -> np.ndarray:
    """The nodes that a matrix pencil takes."""
    return 2 * np.pi * Stride().points(n, 1, chance)


SLOW = ("gaussian-process", "its_classifier_passes_scikit_learns_checks")
"""The same fit as to numbers."""


@pytest.mark.full
@pytest.mark.parametrize("holds", LEARNER_PROPERTIES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", VALUES)
def test_a_property_of_every_learner(name: str, holds: Callable[[Any], None]) -> None:
    if (name, holds.__name__) == SLOW:
        pytest.skip("slow, and the same fit as to numbers")
    check_learner(
        VALUES[name],
        classes=CLASSES[name],
        inputs=strides if name == "matrix-pencil" else None,
        ordered=name in CHANCE,
        probabilities=name in AVERAGING,
        properties=[holds],
    )


@pytest.mark.parametrize("name", ALL)
def test_a_learner_has_the_name_that_all_gives_it(name: str) -> None:
    assert records.name(type(ALL[name]())) == name


def test_every_learner_of_the_room_is_in_all() -> None:
    wrappers = {EstimatorLearner, FittableLearner}  # of users' objects, which no spec can name
    assert concrete_classes(errsrc.learners, Learner) - wrappers == set(ALL.values())
