"""Nothing that is certified is wrong, at inputs that are made to break certificates."""

from __future__ import annotations

from types import ModuleType

import pytest
import scripts


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return scripts.benchmark("certificates")


@pytest.mark.parametrize(
    ("designs", "networks", "quadratics", "seed"),
    [
        pytest.param(60, 0.0, 0, 1, id="a few"),
        pytest.param(400, 0.02, 0, 2, id="hundreds", marks=pytest.mark.slow),
        pytest.param(0, 0.0, 100, 3, id="quadratic networks", marks=pytest.mark.slow),
    ],
)
def test_nothing_certified_is_wrong(
    designs: int, networks: float, quadratics: int, seed: int, benchmark: ModuleType
) -> None:
    """The benchmark has 10,000 designs."""
    found = benchmark.run(designs, networks, seed, quadratics, at_flats=0)
    assert found["certified and wrong"] == []
    counts = found["counts"].values()
    assert sum(one["certified"] for one in counts) > (designs + quadratics) // 6
    assert sum(one["wrong and not certified"] for one in counts) > (designs + quadratics) // 6
