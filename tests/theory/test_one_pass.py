"""One-pass descent: simulated steps, exact means over examples, its limits, and the exponents of compute."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.theory import exponents, feature_terms, largest_learning_rate, one_pass_sgd

I = np.arange(1.0, 201)  # noqa: E741
E, C = I**-1.5, I**-2.2
WORLDS = [(1, 0.05), (4, 0.0)]  # batch and noise


def features_of(m, rng, count=200):
    return rng.standard_normal((m, count)) * np.sqrt(E[:count] / m)


def given_features(features, steps, c, *, learning_rate, batch, noise):
    """Exact means over examples and over the signs of c: a recursion for each axis of the features' span."""
    _, s, v = np.linalg.svd(features, full_matrices=False)
    left, path = v**2 @ c, []
    outside = c.sum() - left.sum()
    for t in range(max(steps) + 1):
        total = left.sum() + outside
        if t in steps:
            path.append(total)
        size = learning_rate * s**2
        left = ((1 - size) ** 2 + size**2 / batch) * left + size**2 / batch * (total + noise)
    return np.array(path)


@pytest.mark.parametrize(("batch", "noise"), WORLDS)
def test_steps_that_are_taken_have_the_exact_risks(batch, noise):
    rng, runs, count, steps, rate = np.random.default_rng(1), 1200, 40, [1, 5, 20], 0.2
    features, c = features_of(12, rng, count), C[:count]
    teacher = rng.choice([-1.0, 1.0], (runs, count)) * np.sqrt(c)
    w, found = np.zeros((runs, 12)), []
    for t in range(max(steps) + 1):
        if t in steps:
            found.append(((teacher - w @ features) ** 2).sum(1))
        x = rng.standard_normal((runs, batch, count))
        phi = x @ features.T
        y = (x @ teacher[:, :, None])[..., 0] + np.sqrt(noise) * rng.standard_normal((runs, batch))
        w = w + rate * np.einsum("rb,rbm->rm", y - (phi @ w[:, :, None])[..., 0], phi) / batch
    exact = given_features(features, steps, c, learning_rate=rate, batch=batch, noise=noise)
    error = np.std(found, 1) / np.sqrt(runs)
    assert (np.abs(np.mean(found, 1) - exact) < 4 * error).all()
    assert (error < 0.03 * exact).all()


@pytest.mark.full
@pytest.mark.parametrize(("batch", "noise"), WORLDS)
def test_theory_is_the_mean_over_features(batch, noise):
    """Also where the contour changes, from 10 to 11 steps."""
    steps, world = [0, 1, 10, 11, 300], {"learning_rate": 0.2, "batch": batch, "noise": noise}
    rng = np.random.default_rng(0)
    paths = [given_features(features_of(80, rng), steps, C, **world) for _ in range(10)]
    error = np.std(paths, 0) / np.sqrt(10)
    exact = np.mean(paths, 0)
    assert (np.abs(one_pass_sgd(80, steps, E, C, **world) - exact) < 4 * error + 0.005 * exact).all()
    assert (error < 0.03 * exact).all()


def test_small_steps_are_gradient_flow_and_many_steps_reach_what_features_express():
    flow = feature_terms(1e12, 30, E, C, time=[3.0, 300.0]).excess
    steps = np.array([3.0, 300.0]) / 1e-4
    np.testing.assert_allclose(one_pass_sgd(30, steps, E, C, learning_rate=1e-4), flow, rtol=1e-3)
    late = one_pass_sgd(30, 1e9, E, C, learning_rate=1e-4)
    assert float(late) == pytest.approx(float(feature_terms(1, 30, E, C).realizability), rel=1e-3)


def test_the_largest_learning_rate_is_where_the_risk_diverges():
    for m, batch in ((5, 1), (60, 1), (60, 50)):
        most = largest_learning_rate(m, E, batch=batch)
        near = one_pass_sgd(m, 1e8, E, C, learning_rate=0.999 * most, batch=batch)
        far = one_pass_sgd(m, 1e8, E, C, learning_rate=0.9 * most, batch=batch)
        assert near > 30 * far or batch == 50  # with large batches the largest curvature decides
        with pytest.raises(ValueError, match="'learning_rate' parameter of one_pass_sgd must be below"):
            one_pass_sgd(m, 10, E, C, learning_rate=1.001 * most, batch=batch)


def test_counts_are_repeated_eigenvalues():
    repeated, counts = np.repeat([1.0, 0.1, 0.01], [1, 5, 40]), [1, 5, 40]
    one = one_pass_sgd(9, [5, 500], repeated, repeated, learning_rate=0.3)
    sums = np.array([1.0, 0.5, 0.4])
    np.testing.assert_allclose(
        one_pass_sgd(9, [5, 500], [1, 0.1, 0.01], sums, learning_rate=0.3, counts=counts), one
    )
    most = largest_learning_rate(9, [1, 0.1, 0.01], counts=counts)
    assert most == pytest.approx(largest_learning_rate(9, repeated))
    with pytest.raises(ValueError, match="'counts' parameter of one_pass_sgd"):
        one_pass_sgd(9, 5, E, C, learning_rate=0.1, counts=[1, 2])


@pytest.mark.parametrize("unit", [1e-250, 1e-160, 1e200])
def test_only_the_product_of_learning_rate_and_eigenvalues_counts(unit):
    expected = one_pass_sgd(9, [0, 5, 500], E, C, learning_rate=0.2, noise=0.1)
    found = one_pass_sgd(9, [0, 5, 500], unit * E, C, learning_rate=0.2 / unit, noise=0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)  # close eigenvalues merge in other groups
    assert unit * largest_learning_rate(9, unit * E) == pytest.approx(largest_learning_rate(9, E), rel=1e-4)


def test_nothing_is_learned_with_tiny_eigenvalues():
    np.testing.assert_array_equal(one_pass_sgd(5, [1, 10, 10**9], [1e-200], [3.0], learning_rate=0.1), 3.0)
    with pytest.raises(ValueError, match=r"'eigenvalues' .* the largest at least 1e-290"):
        one_pass_sgd(5, 1, [1e-300], [1.0], learning_rate=0.1)


def balanced(a, b):
    """The exponents from the four terms alone: the best m, where the largest term is smallest."""
    x = np.linspace(0, 1, 1001)  # m = f^x
    t = 1 - x + (min(a, 1) - 1) * x  # steps times the learning rate
    terms = [-min(b - 1, a) * x, -(b - 1) / a * t]
    if a > 1 and b > a + 1:
        terms.append(-(a - 1) / a * t - x)
    if a > 0.5 and b > 2 * a:
        terms.append(-(2 * a - 1) / a * t + (min(a, 1) - 1) * x)
    largest = np.max(terms, 0)
    return -largest.min(), x[largest.argmin()]


@settings(max_examples=30)
@given(st.floats(0.1, 3), st.floats(1.05, 8))
def test_the_exponents_balance_the_terms_of_the_risk(a, b):
    found = exponents.one_pass_compute(a, b)
    risk, features = balanced(a, b)
    assert found.risk == pytest.approx(risk, abs=2e-3)
    if (
        min(abs(a - one) for one in (0.5, 2 - 2**0.5, 1.0)) > 0.05
        and min(abs(b - a - 1), abs(b - 2 * a)) > 0.05
    ):
        assert found.features == pytest.approx(features, abs=0.01)


def test_each_phase_has_its_name():
    pairs = {
        "Ia": (1.5, 2),
        "II": (1.5, 2.8),
        "III": (1.5, 4),
        "Ib": (0.8, 1.5),
        "Ic": (0.4, 2),
        "IVa": (0.8, 3),
    }
    for phase, pair in (pairs | {"IVb": (0.55, 3)}).items():
        assert exponents.one_pass_compute(*pair).phase == phase
