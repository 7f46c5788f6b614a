"""The starts of a fit are scipy's scrambled Sobol points, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from errsrc.fitting.sobol_points import scrambled_sobol


@pytest.mark.parametrize("dim", range(1, 13))
@pytest.mark.parametrize("count", [1, 2, 32, 1024])
def test_the_points_are_scipys(count: int, dim: int) -> None:
    found = scrambled_sobol(count, dim, np.random.default_rng([dim, count]))
    expected = qmc.Sobol(dim, rng=np.random.default_rng([dim, count])).random(count)
    np.testing.assert_array_equal(found, expected)
    assert found.shape == (count, dim)
    assert found.dtype == np.float64
