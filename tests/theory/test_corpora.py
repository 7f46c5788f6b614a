"""Statistics of texts against languages whose statistics are known exactly."""

import dataclasses

import numpy as np
import pytest

from errsrc.theory import exponents, text_exponents
from tests.theory.hierarchies import Hierarchy, slope


def chain(transitions, length, count, rng):
    """Documents of a Markov chain that starts at its stationary distribution, (count, length)."""
    values, vectors = np.linalg.eig(transitions.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    stationary /= stationary.sum()
    states = np.empty((count, length), np.int64)
    states[:, 0] = rng.choice(len(stationary), count, p=stationary)
    edges = transitions.cumsum(1)
    for place in range(1, length):
        states[:, place] = (rng.random((count, 1)) > edges[states[:, place - 1]]).sum(1)
    return states, stationary


def test_a_markov_chain_has_its_entropies_and_correlations():
    transitions = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]])
    states, stationary = chain(transitions, 400, 250, np.random.default_rng(0))
    found = text_exponents(list(states), max_order=4, max_distance=8)
    rate = -stationary @ (transitions * np.log(transitions)).sum(1)
    expected = np.append(-stationary @ np.log(stationary), np.full(len(found.orders) - 1, rate))
    np.testing.assert_allclose(found.entropies, expected, rtol=0.004)
    assert (found.held_out[1:] > found.entropies[1:]).all()
    powers = [np.linalg.matrix_power(transitions, t) for t in found.distances]
    exact = np.array([np.linalg.norm(stationary[:, None] * (p - stationary)) for p in powers])
    np.testing.assert_allclose(found.correlations[:3], exact[:3], rtol=0.03)
    assert np.abs(found.correlations - exact).max() < found.floors.max()


@pytest.mark.full
def test_exponents_of_a_hierarchy_are_the_exact_ones():
    language = Hierarchy(4, 2, 6, seed=0)
    documents = language.documents(3000, np.random.default_rng(1))
    found = text_exponents(documents, max_order=5, max_distance=32, entropy_rate=language.entropy_rate)
    entropies = language.entropies(6)
    error = np.sqrt(19 * found.entropies_without.var(1))
    assert (np.abs(found.entropies - entropies) < 4 * error + 1e-4).all()
    k, t = found.orders[found.order_used], found.distances[found.distance_used]
    assert list(k) == [1, 2, 3, 4, 5]
    gamma, beta = slope(k, entropies[k] - language.entropy_rate), slope(t, language.correlations(t))
    assert found.gamma.estimate == pytest.approx(gamma, rel=0.05)
    assert found.beta.estimate == pytest.approx(beta, rel=0.1)
    alpha = exponents.language(gamma, beta)
    assert found.alpha.low < alpha < found.alpha.high
    fitted = found.with_entropy_rate(None)
    assert 0 <= fitted.entropy_rate.estimate < entropies[5]


def test_tokens_of_any_size_are_accepted_and_documents_are_kept_apart():
    rng = np.random.default_rng(0)
    states, _ = chain(np.array([[0.8, 0.2], [0.4, 0.6]]), 50, 200, rng)
    plain = text_exponents(list(states), max_order=4, max_distance=4)
    renamed = text_exponents(list(np.array([7, 50_000], np.int32)[states]), max_order=4, max_distance=4)
    np.testing.assert_array_equal(plain.entropies, renamed.entropies)
    joined = text_exponents([states.ravel()], max_order=4, max_distance=4)
    assert joined.tokens == plain.tokens
    assert joined.entropies[1] > plain.entropies[1]  # pairs across documents are independent
    table = plain.columns()
    assert np.isnan(table["correlation"][table["length"] == 0]).all()


@pytest.mark.parametrize(
    ("documents", "options", "message"),
    [
        ([np.zeros(5000)], {}, "must be a sequence of documents"),
        ([np.full(5000, -1)], {}, "must be a sequence of documents"),
        (None, {}, r"must be a sequence of documents.* Got None"),
        (["text" * 900], {}, r"take np.frombuffer\(text.encode\(\), np.uint8\)"),
        ([[[1, 2], [3]]], {}, "must be a sequence of documents"),
        ([np.arange(3) % 2] * 1000, {}, "at least 3 orders"),
        ([np.arange(20_000)], {}, "at most 16,384 different tokens for 20 groups.* Take the bytes"),
        ([np.zeros(50, int)], {}, "at least 2000 tokens"),
        ([np.random.default_rng(0).integers(9, size=5000)], {}, "determines the statistics of at least 3"),
        ([np.zeros(5000, int)], {"groups": 5}, "an even number"),
        ([np.arange(5000) // 3 % 4], {}, "at least 3 orders"),
        (
            [(np.random.default_rng(0).random(40_000) < 0.1).cumsum() % 2],
            {"entropy_rate": 3},
            "'entropy_rate'",
        ),
    ],
)
def test_what_has_no_exponents_is_refused(documents, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        text_exponents(documents, **options)


def test_sizes_choose_the_distances_that_are_resolved_between_them():
    transitions = np.full((2, 2), 0.1) + 0.8 * np.eye(2)
    states, _ = chain(transitions, 500, 100, np.random.default_rng(0))
    found = text_exponents(list(states), max_order=4, max_distance=32)
    assert found.noise == pytest.approx(0.5, abs=0.01)
    near, far = found.at_sizes(1, 4), found.at_sizes(4, 400)
    assert not (near.distance_used & far.distance_used).any()
    assert far.beta.estimate > 2 * near.beta.estimate  # correlations fall exponentially
    assert list(far.at_sizes(1, 4).distance_used) == list(near.distance_used)
    rising = dataclasses.replace(found, correlations=found.correlations[::-1]).with_entropy_rate(0.0)
    assert rising.beta.estimate < 0
    assert str(rising.alpha) == "not determined"
    with pytest.raises(ValueError, match="3 distances are left, here 0"):
        found.at_sizes(1e8, 1e9)
    with pytest.raises(ValueError, match=r"'rate' parameter of TextExponents.with_entropy_rate .* Got 3"):
        found.with_entropy_rate(3)
    fitted = found.with_entropy_rate(None).at_sizes(4, 400).entropy_rate
    assert 0 == fitted.low <= fitted.estimate < fitted.high
