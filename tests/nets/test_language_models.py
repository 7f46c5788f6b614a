"""Language models: no prediction sees what comes later, and each member is itself alone."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from errsrc.nets import LSTM, NeuralNgram, Transformer
from errsrc.training import Member, Recipe, evaluate, train

torch.set_num_threads(1)

NETWORKS = [
    NeuralNgram(8, 16, 2, 50, embedding=4),
    Transformer(8, 16, 2, 50, heads=2),
    LSTM(8, 16, 2, 50),
]


def drawn(network, members=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    weights = network.draw(range(members))
    return tuple(w + 0.05 * torch.randn(w.shape, generator=generator) for w in weights)


def tokens(network, *shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(network.vocabulary, (*shape, network.context), generator=generator).float()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
def test_outputs_have_their_shape_and_each_member_is_itself_alone(network):
    weights, x = drawn(network), tokens(network, 2, 5)
    outputs = network(weights, x)
    assert outputs.shape == (2, 5, *network.positions, 50)
    for e in range(2):
        alone = network(tuple(w[e : e + 1] for w in weights), x[e : e + 1])
        torch.testing.assert_close(outputs[e], alone[0])
    torch.testing.assert_close(network(weights, x[0]), network(weights, x[:1].expand(2, -1, -1)))
    assert sum(w[0].numel() for w in weights) == network.parameters
    assert network.parameters - network.non_embedding == weights[0][0].numel()


@pytest.mark.full
@pytest.mark.parametrize("network", NETWORKS[1:], ids=lambda n: type(n).__name__)
@settings(deadline=None)
@given(seed=st.integers(0, 2**31), changed=st.integers(0, 7))
def test_a_later_token_never_changes_an_earlier_prediction_and_an_earlier_one_a_later(network, seed, changed):
    weights, x = drawn(network, seed=seed), tokens(network, 2, 1, seed=seed)
    other = x.clone()
    other[:, :, changed] = (other[:, :, changed] + 1) % network.vocabulary
    before, after = network(weights, x), network(weights, other)
    torch.testing.assert_close(before[:, :, :changed], after[:, :, :changed], rtol=0, atol=1e-6)
    assert (before - after)[:, :, changed:].abs().amax((0, 1, 3)).min() > 0


def test_a_transformer_is_written_out_in_plain_torch():
    network = Transformer(6, 8, 1, 20, heads=2)
    weights, x = drawn(network, 1), tokens(network, 1, 1)
    table, gain, qkv, projection, gain_up, up, down, gain_out, logits = (w[0].double() for w in weights)

    def norm(h, g):
        return h / (h.square().mean(1, keepdim=True) + 1e-6).sqrt() * (1 + g)

    def turned(h):  # the pairs (i, i + 2) as complex numbers
        z = torch.complex(h[:, :2], h[:, 2:])
        rates = torch.tensor([1.0, 10_000.0**-0.5], dtype=torch.float64)
        z = z * torch.exp(1j * torch.arange(6, dtype=torch.float64)[:, None] * rates)
        return torch.cat([z.real, z.imag], 1)

    h = table[x[0, 0].long()]
    qkv = norm(h, gain) @ (8 * qkv).T  # 64 / fan-in
    heads = []
    for k in range(2):
        q, key, v = (qkv[:, 8 * part + 4 * k : 8 * part + 4 * k + 4] for part in range(3))
        score = turned(q) @ turned(key).T / 2
        score = score.masked_fill(torch.ones(6, 6).triu(1).bool(), -torch.inf)
        heads.append(torch.softmax(score, 1) @ v)
    h = h + torch.cat(heads, 1) @ (8 * projection).T / math.sqrt(2)
    h = h + functional.gelu(norm(h, gain_up) @ (8 * up).T) @ (2 * down).T / math.sqrt(2)
    expected = norm(h, gain_out) @ (8 * logits).T
    torch.testing.assert_close(network(weights, x)[0, 0].double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.full
@pytest.mark.parametrize("family", [NeuralNgram, Transformer, LSTM])
def test_adam_moves_logits_as_much_at_every_width_and_more_and_more_without_the_factors(family):
    class Plain(family):
        def multipliers(self):
            return (1.0,) * len(self.shapes())

    growth = []
    for kind in (family, Plain):
        moved = []
        for width in (16, 256):
            network = kind(8, width, 2)
            weights = network.draw([0])
            x, chance = tokens(network, 64), torch.Generator().manual_seed(1)
            y = torch.randint(256, (64, *network.positions), generator=chance)
            recipe = Recipe(learning_rate=1e-2, warmup=0, batch=64, average=0.0, evaluation_interval=1)
            (one,) = train(network, x, y, [Member(np.arange(64), 3, 0)], None, recipe, weights)
            before, after = network(weights, x), network(tuple(w[None] for w in one.weights), x)
            moved.append(float((after - before).std()))
        growth.append(moved[1] / moved[0])
    assert 1 / 4 < growth[0] < 3 < growth[1]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
def test_evaluate_is_the_mean_over_windows_and_positions(network):
    weights, x = drawn(network), tokens(network, 130)
    y = torch.randint(50, (130, *network.positions), generator=torch.Generator().manual_seed(1))
    loss, error = evaluate(network, weights, x, y)
    own, own_error = evaluate(network, weights, x, y, rows=[torch.arange(130)] * 2)
    outputs = network(weights, x)
    for e in range(2):
        torch.testing.assert_close(loss[e], functional.cross_entropy(outputs[e].flatten(0, -2), y.flatten()))
        torch.testing.assert_close(error[e], (outputs[e].argmax(-1) != y).float().mean())
    torch.testing.assert_close(own, loss)
    torch.testing.assert_close(own_error, error)


def test_labels_that_do_not_fit_the_positions_are_refused():
    network = LSTM(8, 4, 1, 50)
    x, y = tokens(network, 9), torch.zeros(9, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"classes \(N, 8\) of int64"):
        train(network, x, y, [Member(np.arange(9), 1, 0)], None, Recipe())
