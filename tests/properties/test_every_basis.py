"""What holds of every basis: `errsrc.testing`'s properties, over all of `errsrc.bases.ALL`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from example_bases import EXAMPLES
from packages import concrete_classes

import errsrc.bases
from errsrc.bases import ALL, Basis, Torus
from errsrc.testing import BASIS_PROPERTIES, check_basis

BASES = [*(kind() for kind in ALL.values()), *EXAMPLES, Torus(2, 4, "simplex")]


@pytest.mark.full
@pytest.mark.parametrize("holds", BASIS_PROPERTIES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("basis", BASES, ids=repr)
def test_a_property_of_every_basis(basis: Basis, holds: Callable[[Any], None]) -> None:
    check_basis(basis, properties=[holds])


def test_every_basis_of_the_room_is_in_all() -> None:
    assert concrete_classes(errsrc.bases, Basis) == set(ALL.values())
