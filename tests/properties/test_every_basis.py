"""What holds of every basis: `errsrc.testing`'s properties, over all of `errsrc.bases.ALL`."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
from example_bases import EXAMPLES

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
    defined = set()
    for module in pkgutil.iter_modules(errsrc.bases.__path__, "errsrc.bases."):
        for _, item in inspect.getmembers(__import__(module.name, fromlist=["x"]), inspect.isclass):
            if issubclass(item, Basis) and not inspect.isabstract(item):
                defined.add(item)
    assert defined == set(ALL.values())
