"""What holds of every law: `errsrc.testing`'s properties, over all of `errsrc.laws.ALL`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from amounts import examples
from packages import concrete_classes

import errsrc.laws
from errsrc.errors import Unreachable
from errsrc.fitting import files, fit, plan
from errsrc.laws import ALL, Law
from errsrc.testing import LAW_PROPERTIES, check_law, design

EVERY = pytest.mark.parametrize("law", ALL.values(), ids=ALL.keys())


@pytest.mark.full
@pytest.mark.parametrize("holds", LAW_PROPERTIES, ids=lambda one: one.__name__)
@EVERY
def test_a_property_of_every_law(holds: Callable[[Any], None], law: type[Law]) -> None:
    check_law(law, examples=examples(40), properties=[holds])


def test_a_target_under_the_floor_is_refused_with_the_floor() -> None:
    n = np.geomspace(10, 1e5, 20)
    found = fit(ALL["power"], ALL["power"](0.1, 2.0, 0.5).error(n=n), n=n)
    with pytest.raises(Unreachable, match=r"floor of this law is 0\.1") as caught:
        plan(found, error=0.05)
    assert caught.value.best.estimate == pytest.approx(0.1, rel=1e-6)


@pytest.mark.full
@EVERY
def test_a_fit_survives_its_file(law: type[Law], tmp_path) -> None:
    middle = {
        p.name: float(np.sqrt(np.prod(p.start))) if p.log else float(np.mean(p.start))
        for p in law.parameters()
    }
    points = design(law)
    truth = law(**middle).error(**points)
    found = fit(law, truth * np.exp(0.02 * np.sin(np.arange(len(truth)) ** 2)), **points)
    files.save_fit(found, tmp_path / "fit.json")
    again = files.load_fit(tmp_path / "fit.json")
    assert again.law == found.law
    ahead = {name: x[:5] / 1.5 for name, x in points.items()}
    for name, column in found.predict(**ahead).columns().items():
        np.testing.assert_array_equal(again.predict(**ahead).columns()[name], column)


def test_every_law_of_the_room_is_in_all() -> None:
    assert concrete_classes(errsrc.laws, Law) == set(ALL.values())
