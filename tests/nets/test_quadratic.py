"""Quadratic networks: values, derivatives, dimensions and embeddings against direct computations."""

import numpy as np
import pytest
import torch

from errsrc.nets import (
    MLP,
    Network,
    QuadraticNetwork,
    embed,
    embeds,
    identifiable_dimension,
    quadratic_form,
    same_function,
)
from errsrc.settings import NetworkTeacher

torch.set_num_threads(1)

NETWORK = QuadraticNetwork(5, 3)
X = torch.randn(7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_values_and_derivatives_are_those_of_the_formula():
    weights = NETWORK.draw([1, 2], dtype=torch.float64)
    w = weights[0][1].numpy()
    form, x = w.T @ w / 3, X.numpy()
    expected = (np.einsum("bi,ij,bj->b", x, form, x) - np.trace(form)) / np.sqrt(5)
    np.testing.assert_allclose(NETWORK(weights, X)[1, :, 0].numpy(), expected, rtol=1e-12)
    both = X.expand(2, -1, -1)
    torch.testing.assert_close(NETWORK.jacobian(weights, both), Network.jacobian(NETWORK, weights, both))

    def loss(outputs):
        return outputs.square().sum((1, 2)), 2 * outputs

    mine, automatic = (tuple(map(torch.empty_like, weights)) for _ in range(2))
    torch.testing.assert_close(
        NETWORK.gradients(weights, both, loss, mine),
        Network.gradients(NETWORK, weights, both, loss, automatic),
    )
    torch.testing.assert_close(mine, automatic)


@pytest.mark.parametrize("width", [1, 2, 5, 6, 9])
def test_degrees_of_freedom_are_the_jacobians_rank(width):
    x = torch.randn(60, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for network in (QuadraticNetwork(6, width), MLP((6, width, 1), "square")):
        weights = network.draw([3], network.prior_stds(1.0, 1.0), torch.float64)
        assert int(identifiable_dimension(network, weights, x).dimension) == network.degrees_of_freedom
    biases = MLP((6, width, 1), "square").degrees_of_freedom - QuadraticNetwork(6, width).degrees_of_freedom
    assert biases == min(width, 6) + 1  # d + 1 beyond the full rank


def test_separating_examples_are_the_dimension_of_the_differences():
    network = QuadraticNetwork(4, 1)
    assert network.separating_examples() == 7
    assert (
        network.separating_examples(QuadraticNetwork(4, 7))
        == 10
        == QuadraticNetwork(4, 2).separating_examples()
    )
    assert network.separating_examples(MLP((4, 2, 1), "tanh")) == 4 + 13 + 1


def test_a_narrow_network_embeds_in_a_wide_one():
    weights, large = NETWORK.draw([1, 2], dtype=torch.float64), QuadraticNetwork(5, 7)
    assert embeds(NETWORK, large)
    assert not embeds(large, NETWORK)
    assert not embeds(NETWORK, QuadraticNetwork(6, 7))
    embedded = embed(NETWORK, weights, large)
    assert same_function(NETWORK, weights, large, embedded, X).all()
    assert not same_function(NETWORK, weights, large, (embedded[0] * (1 + 1e-11),), X).any()


@pytest.mark.parametrize("domain", ["normal", "sphere"])
def test_distances_and_variances_are_exact(domain):
    rng, setting = np.random.default_rng(0), NetworkTeacher(NETWORK, 1.3, domain=domain)
    first, second = setting.teacher(rng), setting.teacher(rng)
    x = setting.inputs(40_000, rng)
    distance = first.squared_distance(second)
    assert distance == pytest.approx(np.square(first(x) - second(x)).mean(), rel=0.04)
    assert first.relative_error(second) == pytest.approx(
        np.sqrt(distance / np.square(first(x)).mean()), rel=0.04
    )
    assert first.squared_distance(np.sin) is None
    assert quadratic_form(np.sin) is None
    values = [np.square(setting.teacher(rng)(x[50 * k : 50 * k + 50])).mean() for k in range(500)]
    error = np.std(values) / np.sqrt(500)
    assert setting.target_variance == pytest.approx(np.mean(values), abs=4 * error)
