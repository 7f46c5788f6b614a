"""Searches for counterexamples to claims of one's own, stated as a function."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import strategies as st

from errsrc.conjecture import examine_own, search_own


def interpolates(example, offset=0):
    """Polynomials of degree d are claimed to be found from n >= d + 1 + offset nodes."""
    degree, n = example
    if n < degree + 1 + offset:
        return None
    rng = np.random.default_rng([degree, n])
    truth, x = rng.standard_normal(degree + 1), np.cos(np.pi * (np.arange(n) + 0.5) / n)
    basis = np.polynomial.chebyshev.chebvander(x, degree)
    found = np.linalg.lstsq(basis, basis @ truth, rcond=None)[0]
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth)), 1e-9


CASES = st.tuples(st.integers(0, 12), st.integers(1, 40))


def test_a_true_claim_is_supported_and_counted_by_kind():
    found = search_own(interpolates, CASES, kind=lambda one: f"degree {one[0]}", examples_wanted=80)
    assert found.verdict == "supported"
    assert 0 < found.worst < 1e-3
    assert interpolates(found.hardest)[0] / 1e-9 == found.worst
    assert set(found.tallies) > {"degree 0", "degree 12"}
    assert found.tested + found.untested == sum(map(sum, found.tallies.values()))
    with pytest.raises(ValueError, match="no counterexample to replay"):
        found.replay()


def test_a_false_claim_is_refuted_by_its_simplest_example_which_replays():
    found = search_own(partial(interpolates, offset=-1), CASES)
    assert found.counterexample == (1, 1)
    assert found.replay().error == found.outcome.error > 0.1
    assert "(1, 1)" in str(found)
    assert found.verdict == "refuted"
    again = search_own(partial(interpolates, offset=-1), CASES)
    assert (again.tallies, again.counterexample) == (found.tallies, found.counterexample)


def test_the_boundary_is_examined_first():
    """False for a single example of a million."""
    claim = lambda one: (float(one == 500_003), 0.0)  # noqa: E731
    numbers = st.integers(0, 10**6)
    assert search_own(claim, numbers, examples_wanted=50).verdict == "supported"
    found = search_own(claim, numbers, boundary=[0, 500_003], examples_wanted=50)
    assert (found.counterexample, found.tested, found.worst) == (500_003, 2, math.inf)
    assert found.replay() == found.outcome


def test_an_error_that_is_no_number_refutes_and_no_bound_is_no_test():
    assert examine_own(lambda one: (math.nan, 1.0), None).verdict == "refuted"
    assert examine_own(lambda one: (0.0, math.inf), None).verdict == "not tested"
    assert search_own(lambda one: None, st.none(), examples_wanted=3).verdict == "not tested"
    with pytest.raises(TypeError, match="'examples' parameter of search_own must be a Hypothesis strategy"):
        search_own(interpolates, [1, 2])
