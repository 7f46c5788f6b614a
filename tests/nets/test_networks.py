"""Stacked networks compute what single networks compute, with the gradients of automatic differentiation."""

import inspect

import numpy as np
import pytest
import torch
from torch.nn import functional

from errsrc.nets import ALL, CNN, MLP, WRN, ModuleNetwork, Network, PatchNetwork, Resnet
from errsrc.training import losses
from errsrc.training.objectives import TRAINING_LOSSES

torch.set_num_threads(1)

NETWORKS = [
    MLP((64, 5, 3)),
    MLP((64, 6, 4, 3), "tanh"),
    MLP((64, 3)),
    CNN(side=8, width=2, classes=3),
    CNN(side=8, width=2, classes=3, blocks=2),
    CNN(side=4, width=2, classes=3, channels=4),
    PatchNetwork(channels=16, patch=2, levels=2, width=5, classes=3),
    Resnet(side=8, width=2, classes=3, depth=8, channels=1),
    WRN(side=8, width=2, classes=3, depth=10, channels=1),
]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_weights_have_the_counted_size_and_one_row_a_member(network):
    weights = network.draw([1, 2])
    assert sum(w[0].numel() for w in weights) == network.parameters
    assert all(w.shape == (2, *shape) for w, shape in zip(weights, network.shapes(), strict=True))


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_an_image_has_as_many_places_as_there_are_inputs(network):
    takes_vectors = isinstance(network, (MLP, PatchNetwork))
    assert takes_vectors or np.prod(network.image_shape) == network.inputs
    assert len(network.image_shape) == (0 if takes_vectors else 3)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_members_first_weights_depend_on_its_seed_alone(network):
    together, alone, other = network.draw([7, 8, 9]), network.draw([8]), network.draw([10])
    for stacked, single, strange in zip(together, alone, other, strict=True):
        torch.testing.assert_close(stacked[1], single[0], rtol=0, atol=0)
        if stacked.dim() > 2:
            assert not torch.equal(stacked[1], strange[0])


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_shared_inputs_give_what_repeated_inputs_give(network):
    weights = tuple(w + 0.1 * torch.randn_like(w) for w in network.draw([0, 1]))
    x = torch.randn(7, 64)
    torch.testing.assert_close(network(weights, x), network(weights, x.expand(2, -1, -1).contiguous()))


def test_an_mlp_is_torchs_linear_layers_and_activation():
    network = MLP((6, 5, 4, 3), "gelu")
    weights = tuple(w + 0.1 * torch.randn_like(w) for w in network.draw([3, 4]))
    x = torch.randn(2, 9, 6)
    for e in range(2):
        h = functional.gelu(functional.linear(x[e], weights[0][e], weights[1][e]))
        h = functional.gelu(functional.linear(h, weights[2][e], weights[3][e]))
        torch.testing.assert_close(network(weights, x)[e], functional.linear(h, weights[4][e], weights[5][e]))


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_cnn_is_torchs_strided_convolutions(side, channels):
    network = CNN(side=side, width=3, classes=4, channels=channels)
    weights = tuple(w + 0.1 * torch.randn_like(w) for w in network.draw([3, 4]))
    x = torch.randn(2, 5, network.inputs)
    for e in range(2):
        w1, b1, w2, b2, w3, b3 = (w[e] for w in weights)
        h = torch.relu(functional.conv2d(x[e].view(5, *network.image_shape), w1.view(3, -1, 3, 3), b1, 2, 1))
        h = torch.relu(functional.conv2d(h, w2.view(6, 3, 3, 3), b2, 2, 1))
        expected = functional.linear(h.reshape(5, -1), w3, b3)
        torch.testing.assert_close(network(weights, x)[e], expected)


def test_a_cnns_blocks_are_convolutions_of_stride_1():
    network, shorter = CNN(side=8, width=2, classes=4, blocks=1), CNN(side=8, width=2, classes=4)
    weights = tuple(w + 0.1 * torch.randn_like(w) for w in network.draw([3]))
    x = torch.randn(5, 64)
    w1, b1, w2, b2, w3, b3, w4, b4 = (w[0] for w in weights)
    h = torch.relu(functional.conv2d(x.view(5, 1, 8, 8), w1.view(2, 1, 3, 3), b1, 2, 1))
    h = torch.relu(functional.conv2d(h, w2.view(4, 2, 3, 3), b2, 2, 1))
    h = torch.relu(functional.conv2d(h, w3.view(4, 4, 3, 3), b3, 1, 1))
    torch.testing.assert_close(network(weights, x)[0], functional.linear(h.flatten(1), w4, b4))
    assert network.parameters == shorter.parameters + 4 * 4 * 9 + 4


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "sine", "linear"])
@pytest.mark.parametrize("loss", ["log", "squared"])
def test_slopes_by_hand_are_those_of_the_graph(activation, loss):
    network = MLP((4, 6, 5, 3), activation)
    prior = network.prior_stds(1.5, 0.5)
    weights = tuple(w.requires_grad_() for w in network.draw([0, 1, 2], prior, torch.float64))
    x = torch.randn(3, 7, 4, dtype=torch.float64)
    y = torch.randint(0, 3, (3, 7)) if loss == "log" else torch.randn(3, 7, 3, dtype=torch.float64)
    expected_loss = losses(network(weights, x), y, loss)
    expected = torch.autograd.grad(expected_loss.sum(), weights)
    share = torch.full((1, 1), 1 / 7, dtype=torch.float64)
    output_loss = TRAINING_LOSSES[loss].loss_and_gradient
    for gradients in (MLP.gradients, Network.gradients):
        out = tuple(torch.full_like(w, torch.nan).detach() for w in weights)
        found = gradients(network, weights, x, lambda outputs: output_loss(outputs, y, share), out)
        torch.testing.assert_close(found, expected_loss.detach())
        for one, other in zip(out, expected, strict=True):
            torch.testing.assert_close(one, other)


def test_draws_of_a_prior_have_its_standard_deviations_and_both_precisions():
    network = MLP((9, 400, 300), "sine")
    stds = network.prior_stds(2.0, 0.3)
    assert stds == pytest.approx((2 / 3, 0.3, 0.1, 0.3))
    for dtype in (torch.float32, torch.float64):
        weights = network.draw([1, 2], stds, dtype)
        for w, std in zip(weights, stds, strict=True):
            assert w.dtype == dtype
            assert float(w.std()) == pytest.approx(std, rel=4 / np.sqrt(2 * w.numel()))
    flat = network.flatten(weights)
    assert flat.shape == (2, network.parameters)
    assert all(torch.equal(a, b) for a, b in zip(network.unflatten(flat), weights, strict=True))


def descendants(cls):
    """All subclasses of a class that errsrc defines, at any depth."""
    own = [each for each in cls.__subclasses__() if each.__module__.startswith("errsrc.")]
    return own + [below for each in own for below in descendants(each)]


def test_all_names_every_architecture():
    found = {cls for cls in descendants(Network) if not inspect.isabstract(cls)}
    assert set(ALL.values()) == found - {ModuleNetwork}  # whose architecture is a user's own
