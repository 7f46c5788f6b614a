"""Learners that only memorise."""

import numpy as np
import pytest
from scipy.special import zeta
from scipy.stats import binom

from errsrc.settings import TableTeacher
from errsrc.theory import (
    memorising,
    memorising_zipf,
    zipf_asymptote,
)


def test_memory_is_a_sum_over_items():
    p = TableTeacher(items=40, decay=0.7).probabilities
    found = memorising([[1, 7], [30, 500]], p)
    assert found.shape == (2, 2)
    assert float(found[0, 1]) == pytest.approx(sum(x * (1 - x) ** 7 for x in p), rel=1e-12)
    assert float(memorising(3, [1.0])) == 0


def test_items_that_need_several_examples_are_a_sum_of_binomial_probabilities():
    p, n = np.array([0.5, 0.3, 0.2, 0.0]), np.array([1.0, 2.0, 5.0, 30.0])
    expected = [(p * binom.cdf(2, size, p)).sum() for size in n]
    np.testing.assert_allclose(memorising(n, p, 3), expected, rtol=1e-12)
    assert memorising(n, p, 2)[2] < memorising(n, p, 2.5)[2] < memorising(n, p, 3)[2]


@pytest.mark.parametrize("decay", [0.3, 1.0, 2.5])
def test_infinitely_many_items(decay):
    """Against the sum over 10^6 items, with bounds on the rest; then the asymptote."""
    i = np.arange(1.0, 1e6 + 1)
    p = i ** -(1 + decay) / zeta(1 + decay)
    n = np.array([1.0, 30.0, 3000.0])
    found = memorising_zipf(n, decay)
    for size, value in zip(n, found, strict=True):
        head = (p * (1 - p) ** size).sum()
        rest = zeta(1 + decay, 1e6 + 1) / zeta(1 + decay)
        assert head + rest * (1 - p[-1]) ** size <= value * (1 + 1e-7)
        assert value <= (head + rest) * (1 + 1e-7)
    np.testing.assert_allclose(memorising_zipf(1e9, decay), zipf_asymptote(1e9, decay), rtol=1e-3)
