"""Stacked networks compute what single ones do; a member's training does not depend on its neighbours."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from errsrc.nets import CNN, MLP, Member, Recipe, evaluate, losses, train

torch.set_num_threads(1)


def blobs(n=600, pixels=16, classes=3, seed=0, noise=1.0):
    """Gaussian classes: easy, and never perfectly."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(classes, pixels))
    y = rng.integers(0, classes, n)
    x = centres[y] + noise * rng.normal(size=(n, pixels))
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y)


NETWORKS = [MLP((64, 5, 3)), MLP((64, 6, 4, 3), "tanh"), MLP((64, 3)), CNN(side=8, width=2, classes=3)]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_weights_have_the_counted_size_and_one_row_a_member(network):
    weights = network.draw([1, 2])
    assert sum(w[0].numel() for w in weights) == network.parameters
    assert all(w.shape == (2, *shape) for w, shape in zip(weights, network.shapes(), strict=True))


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
def test_a_cnn_is_torchs_strided_convolutions(side):
    network = CNN(side=side, width=3, classes=4)
    weights = tuple(w + 0.1 * torch.randn_like(w) for w in network.draw([3, 4]))
    x = torch.randn(2, 5, side * side)
    for e in range(2):
        w1, b1, w2, b2, w3, b3 = (w[e] for w in weights)
        h = torch.relu(functional.conv2d(x[e].view(5, 1, side, side), w1.view(3, 1, 3, 3), b1, 2, 1))
        h = torch.relu(functional.conv2d(h, w2.view(6, 3, 3, 3), b2, 2, 1))
        expected = functional.linear(h.reshape(5, -1), w3, b3)
        torch.testing.assert_close(network(weights, x)[e], expected)


def test_losses_and_evaluate_are_each_members_mean_cross_entropy_and_error():
    network = MLP((16, 4, 3))
    weights = network.draw([0, 1])
    x, y = blobs(1234)  # not a whole number of the parts that evaluate takes
    loss, error = evaluate(network, weights, x, y)
    outputs = network(weights, x)
    for e in range(2):
        torch.testing.assert_close(loss[e], functional.cross_entropy(outputs[e], y))
        torch.testing.assert_close(error[e], (outputs[e].argmax(1) != y).float().mean())
    torch.testing.assert_close(losses(outputs, y), loss)


MEMBERS = [
    Member(np.arange(40), 90, 11),
    Member(np.arange(100, 400), 230, 12),
    Member(np.arange(5, 65), 137, 13),  # ends between two looks
]


@pytest.mark.parametrize("network", [MLP((16, 8, 3)), CNN(side=4, width=2, classes=3)], ids=str)
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_member_trained_among_others_is_the_member_trained_alone(network, optimiser):
    x, y = blobs()
    validation = blobs(200, seed=1)
    recipe = Recipe(optimiser, learning_rate=5e-3, batch=16, warmup=10, decay=0.5, look=20, watch="loss")
    together = train(network, x, y, MEMBERS, validation, recipe)
    for place in (1, 2):
        (alone,) = train(network, x, y, [MEMBERS[place]], validation, recipe)
        beside = together[place]
        assert (alone.steps, alone.best_step) == (beside.steps, beside.best_step)
        np.testing.assert_array_equal(alone.curve["step"], beside.curve["step"])
        for column in ("train_loss", "loss"):
            np.testing.assert_allclose(alone.curve[column], beside.curve[column], rtol=1e-3, atol=1e-5)
        for one, other in zip(alone.weights, beside.weights, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_members_of_other_seeds_differ_and_the_same_seed_repeats():
    x, y = blobs()
    rows = np.arange(50)
    one, same, other = train(
        MLP((16, 8, 3)), x, y, [Member(rows, 60, s) for s in (1, 1, 2)], blobs(200, seed=1), Recipe(batch=16)
    )
    np.testing.assert_allclose(one.curve["loss"], same.curve["loss"], rtol=1e-5)
    assert np.abs(one.curve["loss"] / other.curve["loss"] - 1).max() > 0.01


def test_training_uses_a_members_own_rows_alone():
    x, y = blobs()
    members = [Member(np.arange(30), 60, 1), Member(np.arange(30, 60), 60, 1)]
    before = train(MLP((16, 8, 3)), x, y, members, blobs(200, seed=1), Recipe(batch=16))
    x = x.clone()
    x[60:] = torch.nan
    x[30:60] += 1.0
    after = train(MLP((16, 8, 3)), x, y, members, blobs(200, seed=1), Recipe(batch=16))
    np.testing.assert_array_equal(before[0].curve["loss"], after[0].curve["loss"])
    assert not np.array_equal(before[1].curve["loss"], after[1].curve["loss"])


def test_every_row_is_seen_once_before_any_is_seen_twice():
    """With orthogonal inputs and one plain step of SGD a row, each row leaves its mark on the weights."""
    n = 24
    x, y = torch.eye(n), torch.zeros(n, dtype=torch.int64)
    recipe = Recipe("sgd", learning_rate=0.1, warmup=0, batch=4, momentum=0.0, average=0.0, look=n // 4)
    network = MLP((n, 2))
    (once,) = train(network, x, y, [Member(np.arange(n), n // 4, 5)], (x, y), recipe)
    moved = (once.weights[0] - network.draw([5])[0][0]).abs().sum(0)
    assert torch.all(moved > 0)


def test_sgd_with_momentum_is_torchs():
    x, y = blobs(32)
    network = MLP((16, 4, 3))
    recipe = Recipe("sgd", learning_rate=0.05, warmup=0, batch=32, momentum=0.9, average=0.0, look=15)
    (trained,) = train(network, x, y, [Member(np.arange(32), 15, 3)], (x, y), recipe)
    ours = _by_torch(network, 3, x, y, 15, lambda ws: torch.optim.SGD(ws, lr=0.05, momentum=0.9))
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_adam_is_torchs():
    x, y = blobs(32)
    network = MLP((16, 4, 3))
    recipe = Recipe("adam", learning_rate=0.01, warmup=0, batch=32, average=0.0, look=15)
    (trained,) = train(network, x, y, [Member(np.arange(32), 15, 3)], (x, y), recipe)
    ours = _by_torch(network, 3, x, y, 15, lambda ws: torch.optim.Adam(ws, lr=0.01))
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_rate_rises_over_the_warmup_and_falls_to_zero_over_the_decay():
    x, y = blobs(32)
    network = MLP((16, 4, 3))
    recipe = Recipe("sgd", learning_rate=0.1, warmup=5, decay=0.5, batch=32, average=0.0, look=20)
    (trained,) = train(network, x, y, [Member(np.arange(32), 20, 3)], (x, y), recipe)

    def rate(t):
        return min(1, (t + 1) / 5) * min(1, (20 - t) / 10)

    ours = _by_torch(network, 3, x, y, 20, lambda ws: torch.optim.SGD(ws, lr=0.1, momentum=0.9), rate)
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def _by_torch(network, seed, x, y, steps, optimiser, rate=lambda t: 1.0):
    """Full-batch training with torch's own optimiser; the order of the rows does not matter."""
    weights = [w.clone().requires_grad_() for w in network.draw([seed])]
    stepper = optimiser(weights)
    schedule = torch.optim.lr_scheduler.LambdaLR(stepper, rate)
    for _ in range(steps):
        stepper.zero_grad()
        functional.cross_entropy(network(tuple(weights), x)[0], y).backward()
        stepper.step()
        schedule.step()
    return [w.detach()[0] for w in weights]


def test_the_best_weights_are_kept_and_not_the_last():
    x, y = blobs(60, noise=2.0)
    x_val, y_val = blobs(500, seed=1, noise=2.0)
    recipe = Recipe(learning_rate=0.02, batch=20, look=10, watch="loss", patience=100)
    (trained,) = train(MLP((16, 32, 3)), x, y, [Member(np.arange(60), 600, 0)], (x_val, y_val), recipe)
    curve = trained.curve["loss"]
    assert trained.best_step == trained.curve["step"][curve.argmin()] < trained.steps == 600
    loss, _ = evaluate(MLP((16, 32, 3)), tuple(w[None] for w in trained.weights), x_val, y_val)
    assert float(loss[0]) == pytest.approx(curve.min(), rel=1e-5)
    assert curve[-1] > 1.2 * curve.min()


def test_patience_stops_a_member_that_no_longer_improves():
    x, y = blobs(60, noise=2.0)
    recipe = Recipe(learning_rate=0.02, batch=20, look=10, watch="loss", patience=3, least=50)
    (trained,) = train(
        MLP((16, 32, 3)), x, y, [Member(np.arange(60), 5000, 0)], blobs(500, seed=1, noise=2.0), recipe
    )
    assert 3 * trained.best_step <= trained.steps < 4 * trained.best_step + 50 < 5000


def test_a_diverged_member_is_flagged_and_spoils_no_other():
    x, y = blobs()
    x = x.clone()
    x[:40] *= 1e25  # overflows in this member only
    members = [Member(np.arange(40), 100, 1), Member(np.arange(100, 300), 100, 2)]
    recipe = Recipe("sgd", learning_rate=0.05, batch=16, look=10)
    bad, good = train(MLP((16, 8, 3)), x, y, members, blobs(200, seed=1), recipe)
    assert bad.diverged
    assert bad.steps < 100
    assert not good.diverged
    assert good.steps == 100
    assert all(torch.isfinite(w).all() for w in (*bad.weights, *good.weights))


def test_a_loss_that_only_grows_is_divergence_too():
    x, y = blobs(noise=3.0)
    recipe = Recipe("sgd", learning_rate=50.0, warmup=0, batch=16, look=10)
    (trained,) = train(MLP((16, 8, 3)), x, y, [Member(np.arange(200), 200, 1)], blobs(200, seed=1), recipe)
    assert trained.diverged


def test_the_averaged_weights_are_better_than_the_last_at_a_constant_rate():
    x, y = blobs(400, noise=2.0)
    validation = blobs(2000, seed=1, noise=2.0)
    members = [Member(np.arange(400), 400, seed) for seed in range(8)]
    common = {"learning_rate": 0.02, "batch": 8, "watch": "loss", "patience": 100}
    averaged, last = (
        np.mean([one.curve["loss"][-1] for one in train(MLP((16, 3)), x, y, members, validation, recipe)])
        for recipe in (Recipe(average=0.2, **common), Recipe(average=0.0, **common))
    )
    assert averaged < last - 0.01


def test_refusals_name_the_field():
    with pytest.raises(ValueError, match="'watch' parameter of Recipe"):
        Recipe(watch="test")
    with pytest.raises(ValueError, match="'sizes' parameter of MLP"):
        MLP((784,))
    with pytest.raises(ValueError, match="'activation' parameter of MLP"):
        MLP((784, 8, 10), "rellu")
    with pytest.raises(ValueError, match="'rows' parameter of Member"):
        Member(np.arange(0), 10, 0)
    with pytest.raises(ValueError, match="'members' parameter of train"):
        train(MLP((16, 3)), *blobs(), [], blobs(), Recipe())
