"""Committee machines with two hidden units: published overlaps, simulated labels and closed forms."""

import math

import numpy as np
import pytest

from errsrc.theory import committee, committee_machine, committee_thresholds
from errsrc.theory.committee import _error, _fixed_point, orthant

# overlaps in the repository of Aubin et al. 2018, github.com/benjaminaubin/TheCommitteeMachine (n / d, then
# the entries on and off the diagonal); they iterate until overlaps change by 5e-5
PUBLISHED = {
    "normal": [(1.0, 0.23997, 0.23993), (3.0, 0.65283, 0.16154)],
    "binary": [(1.0, 0.24471, 0.24465), (1.8, 0.45837, 0.24339)],
}


@pytest.mark.parametrize("weights", ["normal", "binary"])
def test_overlaps_are_the_published_ones(weights):
    ratios, same, other = np.array(PUBLISHED[weights]).T
    found = committee_machine(1000 * ratios, 1000, weights=weights)
    np.testing.assert_allclose(found.overlap, same, atol=2e-4)
    np.testing.assert_allclose(found.cross_overlap, other, atol=2e-4)


def test_the_probability_of_two_positive_numbers_is_that_of_draws():
    covariance, means = np.array([[0.8, -0.3], [-0.3, 0.5]]), (np.array([0.4]), np.array([-0.2]))
    pairs = np.random.default_rng(0).multivariate_normal([0.4, -0.2], covariance, 200_000)
    z, *slopes = orthant(*means, covariance)
    assert z == pytest.approx((pairs > 0).all(1).mean(), abs=5e-3)
    step = 1e-5
    for unit, slope in enumerate(slopes):
        more = [mean + step * (place == unit) for place, mean in enumerate(means)]
        assert slope == pytest.approx((orthant(*more, covariance)[0] - z) / step, rel=1e-3)


def test_the_error_is_that_of_the_most_probable_label():
    """Of 20,000 inputs, with overlaps 0.7 and 0.2, for both outputs: two standard errors are 0.007."""
    s, a, rng = 0.7, 0.2, np.random.default_rng(1)
    expected = rng.standard_normal((20_000, 2)) * np.sqrt([s, a])
    true = expected + rng.standard_normal((20_000, 2)) * np.sqrt([1 - s, 1 - a])
    rotation = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    covariance = rotation @ np.diag([1 - s, 1 - a]) @ rotation
    omega, z = expected @ rotation, true @ rotation
    both = orthant(*omega.T, covariance)[0]
    neither = orthant(*-omega.T, covariance)[0]
    table = np.stack([neither, 1 - both - neither, both])
    labels = np.sign(np.sign(z).sum(1)).astype(int) + 1
    assert _error(s, a, "sum") == pytest.approx((table.argmax(0) != labels).mean(), abs=0.01)
    equal = table[0] + table[2] > 0.5
    assert _error(s, a, "product") == pytest.approx((equal != (labels != 1)).mean(), abs=0.01)


@pytest.mark.full
def test_thresholds_separate_the_curves():
    """With binary weights, n / d = 1.85 is above `determined` and below `found`."""
    at = committee_thresholds().specialised
    assert 2.0 < at < 2.1  # the published value is about 2
    near = committee_machine([1000 * (at - 0.3), 1000 * (at + 0.3)], 1000)
    assert near.overlap[0] == pytest.approx(near.cross_overlap[0], abs=1e-4)
    assert near.overlap[1] > near.cross_overlap[1] + 0.01
    found = committee_machine([1300, 1850, 2200], 1000, weights="binary")
    assert found.smallest_error.tolist()[1:] == [0, 0]
    assert found.smallest_error[0] == found.error[0] > 0.3
    assert found.error[1] > 0.3
    assert found.error[2] == 0
    assert found.overlap[2] == 1
    assert committee_machine([1600, 10_000], 100, weights="binary").error.tolist() == [0, 0]
    assert committee_thresholds(output="product").specialised == pytest.approx(math.pi**2 / 4)


@pytest.mark.slow
def test_normal_weights_have_one_fixed_point_and_the_product_starts_at_its_threshold(monkeypatch):
    for ratio in (1.5, 2.5, 4.0):
        found = _fixed_point(ratio, "sum", "normal")
        with monkeypatch.context() as near_the_teacher:
            near_the_teacher.setattr(committee, "_START", 0.99)
            known = _fixed_point(ratio, "sum", "normal")
        assert known[:2] == pytest.approx(found[:2], abs=1e-4)
    low, high = committee_machine([2300, 2700], 1000, output="product").overlap
    assert low < 1e-4 < 0.05 < high


@pytest.mark.slow
def test_thresholds_of_binary_weights():
    found = committee_thresholds(weights="binary")
    # published: 1.6 and about 2, from state evolution at steps of 0.05
    assert (found.specialised, found.determined, found.found) == pytest.approx(
        (1.589, 1.546, 1.977), abs=2e-3
    )
    product = committee_thresholds(output="product", weights="binary")
    assert (product.determined, product.found) == pytest.approx((2.0, 3.041), abs=2e-3)


def test_what_is_refused():
    with pytest.raises(ValueError, match="'output' parameter of committee_machine"):
        committee_machine(10, 5, output="difference")
    with pytest.raises(ValueError, match="'n' parameter of committee_machine must be at most 100 dim = 500"):
        committee_machine(501, 5)
    with pytest.raises(ValueError, match="'weights' parameter of committee_thresholds"):
        committee_thresholds(weights="ternary")
