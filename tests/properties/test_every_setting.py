"""What holds of every setting: `errsrc.testing`'s properties, over settings of each kind in `ALL`."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from errsrc.bases import Cube, Legendre, Slepian, Sphere, Torus
from errsrc.nets import CNN, MLP
from errsrc.settings import (
    ALL,
    AllFunctions,
    Band,
    BandTeacher,
    Flips,
    FunctionClass,
    Gaussian,
    GaussianProcessTeacher,
    ImageBasis,
    ImageTeacher,
    Jittered,
    Linear,
    LinearTeacher,
    MultitaskParity,
    NetworkFunctions,
    NetworkTeacher,
    RandomHierarchy,
    RankK,
    Setting,
    SingleIndexTeacher,
    Softmax,
    SparseParity,
    SparseTeacher,
    TableTeacher,
    Uneven,
)
from errsrc.testing import SETTING_PROPERTIES, check_setting
from errsrc.training import Recipe

SMALL = MLP((3, 4, 2), "tanh")
ALONE: tuple[FunctionClass, ...] = (AllFunctions(),)
SETTINGS: list[tuple[Setting, tuple[FunctionClass, ...]]] = [
    (LinearTeacher(5), (AllFunctions(), Linear(), RankK(1))),
    (LinearTeacher(6, input_decay=1.5, weight_decay=0.5, channel=Gaussian(0.3)), (Linear(),)),
    (LinearTeacher(3, spectrum=(4.0, 1.0, 0.1)), (Linear(),)),
    (LinearTeacher(4, outputs=3, output_decay=1.0, channel=Gaussian(0.2)), (RankK(1), RankK(3))),
    (LinearTeacher(4, outputs=3, rank=2), (RankK(2),)),
    (BandTeacher(Torus(4), decay=1.0), (AllFunctions(), Band(Torus(2)), Band(Torus(7)))),
    (BandTeacher(Torus(0)), (Band(Torus(0)),)),
    (BandTeacher(Torus(2, 2), outputs=2, nodes=Jittered()), (Band(Torus(1, 2, "cross")),)),
    (BandTeacher(Torus(2, 2), beyond=Torus(3, 2), tail=0.2), (Band(Torus(2, 2)),)),
    (BandTeacher(Sphere(2), beyond=Sphere(4), tail=0.3, tail_decay=1.0), (Band(Sphere(2)), Band(Sphere(5)))),
    (BandTeacher(Cube(5, 2), decay=0.5), (Band(Cube(5, 1)), Band(Cube(5, 3)))),
    (BandTeacher(Legendre(4), channel=Gaussian(0.1)), (Band(Slepian(3.0, 4)),)),
    (BandTeacher(Slepian(8.0, 5), nodes=Uneven(0.5)), (Band(Slepian(8.0, 3)),)),
    (BandTeacher(ImageBasis(count=12)), ALONE),
    (SparseTeacher(Torus(5), sparsity=3, channel=Gaussian(0.5)), (AllFunctions(), Band(Torus(2)))),
    (GaussianProcessTeacher(2, kernel="rbf", length=0.5), ALONE),
    (GaussianProcessTeacher(3, nu=1.5, domain="sphere"), ALONE),
    (GaussianProcessTeacher(1, domain="normal", channel=Gaussian(0.1)), ALONE),
    (TableTeacher(4, classes=3, loss="log", channel=Flips(0.2)), ALONE),
    (TableTeacher(6), ALONE),
    (SparseParity(5, 2, loss="log", channel=Flips(0.1)), ALONE),
    (MultitaskParity(3, 5, 2, loss="log", channel=Flips(0.1)), ALONE),
    (RandomHierarchy(3, 4, 2, loss="log", channel=Flips(0.1)), ALONE),
    (SingleIndexTeacher(4, 3, channel=Gaussian(0.2)), (AllFunctions(), Linear())),
    (NetworkTeacher(SMALL), (AllFunctions(), NetworkFunctions(SMALL))),
    (NetworkTeacher(SMALL, channel=Gaussian(0.1)), ALONE),
    (NetworkTeacher(SMALL, loss="log", channel=Softmax(0.5)), ALONE),
    (NetworkTeacher(SMALL, loss="zero-one", channel=Flips(0.1), domain="sphere"), ALONE),
    (NetworkTeacher(SMALL, domain="digits", components=3), ALONE),
    (NetworkTeacher(CNN(6, 2, 3)), ALONE),
]
TRAINED = ImageTeacher(
    "digits", MLP((64, 8, 10)), 400, 100, Recipe(learning_rate=0.01), channel=Gaussian(0.1)
)
"""Its constants are means over four trained teachers."""


@pytest.mark.parametrize("setting", [setting for setting, _ in SETTINGS], ids=lambda one: str(one)[:60])
def test_a_teacher_survives_pickling(setting: Setting) -> None:
    teacher = setting.teacher(np.random.default_rng(0))
    again = pickle.loads(pickle.dumps(teacher))
    x = setting.inputs_of(teacher, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(again(x), teacher(x))


@pytest.mark.full
@pytest.mark.parametrize("holds", SETTING_PROPERTIES, ids=lambda one: one.__name__)
@pytest.mark.parametrize(("setting", "classes"), SETTINGS, ids=lambda one: str(one)[:60])
def test_a_property_of_every_setting(
    holds: Callable[[Any], None], setting: Setting, classes: tuple[FunctionClass, ...]
) -> None:
    check_setting(setting, classes=classes, properties=[holds])


@pytest.mark.full
def test_teachers_that_are_trained_have_the_same_properties() -> None:
    check_setting(TRAINED, teachers=4)


def test_every_setting_of_the_room_is_held_to_them() -> None:
    assert {type(setting) for setting, _ in SETTINGS} | {type(TRAINED)} == set(ALL.values())
