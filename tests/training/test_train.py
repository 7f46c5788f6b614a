"""Training follows torch's optimisers, and a member's training does not depend on the other members."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.nn import functional

from errsrc.nets import CNN, MLP
from errsrc.training import Member, Recipe, evaluate, losses, train

torch.set_num_threads(1)


def blobs(n=600, pixels=16, classes=3, seed=0, noise=1.0, device="cpu"):
    """Gaussian classes: easy to learn, but not without errors."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(classes, pixels))
    y = rng.integers(0, classes, n)
    x = centres[y] + noise * rng.normal(size=(n, pixels))
    return torch.from_numpy(x.astype(np.float32)).to(device), torch.from_numpy(y).to(device)


def test_losses_and_evaluate_are_each_members_mean_cross_entropy_and_error(device):
    network = MLP((16, 4, 3))
    weights = tuple(w.to(device) for w in network.draw([0, 1]))
    x, y = blobs(1234, device=device)  # not a multiple of what evaluate takes at once
    loss, error = evaluate(network, weights, x, y)
    outputs = network(weights, x)
    for e in range(2):
        torch.testing.assert_close(loss[e], functional.cross_entropy(outputs[e], y))
        torch.testing.assert_close(error[e], (outputs[e].argmax(1) != y).float().mean())
    torch.testing.assert_close(losses(outputs, y), loss)


MEMBERS = [
    Member(np.arange(40), 90, 11),
    Member(np.arange(100, 400), 230, 12),
    Member(np.arange(5, 65), 137, 13),  # ends between two evaluations
]


@pytest.mark.full
@pytest.mark.parametrize("network", [MLP((16, 8, 3)), CNN(side=4, width=2, classes=3)], ids=str)
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_member_trained_among_others_is_the_member_trained_alone(network, optimiser):
    """In float64, for 230 steps in float32 may carry a rounding of the first ones anywhere."""
    (x, y), held = blobs(), blobs(200, seed=1)
    x, validation = x.double(), (held[0].double(), held[1])
    recipe = Recipe(
        optimiser,
        learning_rate=5e-3,
        batch=16,
        warmup=10,
        decay=0.5,
        evaluation_interval=20,
        validation_metric="loss",
    )
    together = train(network, x, y, MEMBERS, validation, recipe)
    for place in (1, 2):
        (alone,) = train(network, x, y, [MEMBERS[place]], validation, recipe)
        beside = together[place]
        assert (alone.steps, alone.best_step) == (beside.steps, beside.best_step)
        np.testing.assert_array_equal(alone.curve["step"], beside.curve["step"])
        for column in ("train_loss", "loss"):
            np.testing.assert_allclose(alone.curve[column], beside.curve[column], rtol=1e-6, atol=1e-8)
        for one, other in zip(alone.weights, beside.weights, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


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
    """With orthogonal inputs and one step of plain SGD for each row, weights show which rows were used."""
    n = 24
    x, y = torch.eye(n), torch.zeros(n, dtype=torch.int64)
    recipe = Recipe(
        "sgd", learning_rate=0.1, warmup=0, batch=4, momentum=0.0, average=0.0, evaluation_interval=n // 4
    )
    network = MLP((n, 2))
    (once,) = train(network, x, y, [Member(np.arange(n), n // 4, 5)], (x, y), recipe)
    moved = (once.weights[0] - network.draw([5])[0][0]).abs().sum(0)
    assert torch.all(moved > 0)


@pytest.mark.full
def test_sgd_with_momentum_is_torchs(device):
    x, y = blobs(32, device=device)
    network = MLP((16, 4, 3))
    recipe = Recipe(
        "sgd", learning_rate=0.05, warmup=0, batch=32, momentum=0.9, average=0.0, evaluation_interval=15
    )
    (trained,) = train(network, x, y, [Member(np.arange(32), 15, 3)], (x, y), recipe)
    ours = _by_torch(network, 3, x, y, 15, lambda ws: torch.optim.SGD(ws, lr=0.05, momentum=0.9))
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_adam_is_torchs(device):
    x, y = blobs(32, device=device)
    network = MLP((16, 4, 3))
    recipe = Recipe("adam", learning_rate=0.01, warmup=0, batch=32, average=0.0, evaluation_interval=15)
    (trained,) = train(network, x, y, [Member(np.arange(32), 15, 3)], (x, y), recipe)
    ours = _by_torch(network, 3, x, y, 15, lambda ws: torch.optim.Adam(ws, lr=0.01))
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("decay", [1e-4, 0.3])
@pytest.mark.parametrize(
    ("optimiser", "by_torch"),
    [
        ("sgd", lambda ws, decay: torch.optim.SGD(ws, lr=0.05, momentum=0.9, weight_decay=decay)),
        ("adam", lambda ws, decay: torch.optim.AdamW(ws, lr=0.05, weight_decay=decay)),
    ],
)
def test_weight_decay_is_torchs(device, optimiser, by_torch, decay):
    """An L2 penalty for SGD, and decoupled for Adam; a member's rates are those of its own schedule.

    In float64 over 100 steps: they differ by rounding alone.
    """
    x, y = blobs(32, device=device)
    x = x.double()
    network = MLP((16, 4, 3))
    recipe = Recipe(
        optimiser, 0.05, warmup=5, batch=32, average=0.0, evaluation_interval=100, weight_decay=decay
    )
    rows, start = np.arange(32), network.draw([3, 4], dtype=torch.float64)
    members = [Member(rows, 100, 3), Member(rows, 110, 4)]
    start = tuple(w.to(device) for w in start)
    trained, _ = train(network, x, y, members, (x, y), recipe, start, rewind_step=100)

    def rate(t):
        return min(1, (t + 1) / 5)

    ours = _by_torch(network, 3, x, y, 100, lambda ws: by_torch(ws, decay), rate)
    for one, other in zip(trained.rewind_weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_no_weight_decay_is_the_default_to_the_last_bit(optimiser):
    x, y = blobs(32)
    plain, same, other = (
        train(MLP((16, 4, 3)), x, y, [Member(np.arange(32), 15, 3)], (x, y), Recipe(optimiser, **options))[0]
        for options in ({}, {"weight_decay": 0.0}, {"weight_decay": 0.1})
    )
    assert all(map(torch.equal, plain.weights, same.weights))
    assert sum(float(w.square().sum()) for w in other.weights) < sum(
        float(w.square().sum()) for w in plain.weights
    )


def test_weight_decay_that_cannot_be_is_refused():
    for value, message in ((-1e-4, "must be a finite number >= 0"), (math.inf, "must be a finite number")):
        with pytest.raises(ValueError, match=f"'weight_decay' parameter of Recipe {message}"):
            Recipe("sgd", weight_decay=value)
    with pytest.raises(ValueError, match=r"'weight_decay' .* must be 0\.0 with the optimiser 'lbfgs'"):
        Recipe("lbfgs", weight_decay=1e-4)


def test_the_rate_rises_over_the_warmup_and_falls_to_zero_over_the_decay():
    x, y = blobs(32)
    network = MLP((16, 4, 3))
    recipe = Recipe(
        "sgd", learning_rate=0.1, warmup=5, decay=0.5, batch=32, average=0.0, evaluation_interval=20
    )
    (trained,) = train(network, x, y, [Member(np.arange(32), 20, 3)], (x, y), recipe)

    def rate(t):
        return min(1, (t + 1) / 5) * min(1, (20 - t) / 10)

    ours = _by_torch(network, 3, x, y, 20, lambda ws: torch.optim.SGD(ws, lr=0.1, momentum=0.9), rate)
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_cosine_falls_over_the_decay():
    x, y = blobs(32)
    network = MLP((16, 4, 3))
    recipe = Recipe(
        "sgd", 0.1, warmup=5, decay=0.5, batch=32, average=0.0, evaluation_interval=20, decay_shape="cosine"
    )
    (trained,) = train(network, x, y, [Member(np.arange(32), 20, 3)], (x, y), recipe)

    def rate(t):
        return min(1, (t + 1) / 5) * (1 - np.cos(np.pi * min(1, (20 - t) / 10))) / 2

    ours = _by_torch(network, 3, x, y, 20, lambda ws: torch.optim.SGD(ws, lr=0.1, momentum=0.9), rate)
    for one, other in zip(trained.weights, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def _by_torch(network, seed, x, y, steps, optimiser, rate=lambda t: 1.0):
    """Full-batch training with torch's own optimiser; the order of the rows does not matter."""
    drawn = network.draw([seed], dtype=x.dtype)
    weights = [w.to(x.device, copy=True).requires_grad_() for w in drawn]
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
    recipe = Recipe(
        learning_rate=0.02, batch=20, evaluation_interval=10, validation_metric="loss", patience=100
    )
    (trained,) = train(MLP((16, 32, 3)), x, y, [Member(np.arange(60), 600, 0)], (x_val, y_val), recipe)
    curve = trained.curve["loss"]
    assert trained.best_step == trained.curve["step"][curve.argmin()] < trained.steps == 600
    loss, _ = evaluate(MLP((16, 32, 3)), tuple(w[None] for w in trained.weights), x_val, y_val)
    assert float(loss[0]) == pytest.approx(curve.min(), rel=1e-5)
    assert curve[-1] > 1.2 * curve.min()


def test_patience_stops_a_member_that_no_longer_improves():
    x, y = blobs(60, noise=2.0)
    recipe = Recipe(
        learning_rate=0.02,
        batch=20,
        evaluation_interval=10,
        validation_metric="loss",
        patience=3,
        min_steps=50,
    )
    (trained,) = train(
        MLP((16, 32, 3)), x, y, [Member(np.arange(60), 5000, 0)], blobs(500, seed=1, noise=2.0), recipe
    )
    assert 3 * trained.best_step <= trained.steps < 4 * trained.best_step + 50 < 5000


def test_a_diverged_member_is_flagged_and_spoils_no_other(device):
    x, y = blobs(device=device)
    x = x.clone()
    x[:40] *= 1e25  # overflows in this member only
    members = [Member(np.arange(40), 100, 1), Member(np.arange(100, 300), 100, 2)]
    recipe = Recipe("sgd", learning_rate=0.05, batch=16, evaluation_interval=10)
    bad, good = train(MLP((16, 8, 3)), x, y, members, blobs(200, seed=1, device=device), recipe)
    assert bad.diverged
    assert bad.steps < 100
    assert not good.diverged
    assert good.steps == 100
    assert all(torch.isfinite(w).all() for w in (*bad.weights, *good.weights))


def test_a_loss_that_only_grows_is_divergence_too():
    x, y = blobs(noise=3.0)
    recipe = Recipe("sgd", learning_rate=50.0, warmup=0, batch=16, evaluation_interval=10)
    (trained,) = train(MLP((16, 8, 3)), x, y, [Member(np.arange(200), 200, 1)], blobs(200, seed=1), recipe)
    assert trained.diverged


@pytest.mark.full
def test_the_averaged_weights_are_better_than_the_last_at_a_constant_rate():
    x, y = blobs(400, noise=2.0)
    validation = blobs(2000, seed=1, noise=2.0)
    members = [Member(np.arange(400), 400, seed) for seed in range(8)]
    common = {"learning_rate": 0.02, "batch": 8, "validation_metric": "loss", "patience": 100}
    averaged, last = (
        np.mean([one.curve["loss"][-1] for one in train(MLP((16, 3)), x, y, members, validation, recipe)])
        for recipe in (Recipe(average=0.2, **common), Recipe(average=0.0, **common))
    )
    assert averaged < last - 0.01


def test_refusals_name_the_field():
    with pytest.raises(ValueError, match="'validation_metric' parameter of Recipe"):
        Recipe(validation_metric="test")
    with pytest.raises(ValueError, match="'sizes' parameter of MLP"):
        MLP((784,))
    with pytest.raises(ValueError, match="'activation' parameter of MLP"):
        MLP((784, 8, 10), "rellu")
    with pytest.raises(ValueError, match="'rows' parameter of Member"):
        Member(np.arange(0), 10, 0)
    for rows in (np.arange(3.0), np.array([True, False]), np.array([-1, 2]), np.zeros((2, 1), dtype=int), 3):
        with pytest.raises(ValueError, match=r"'rows' parameter of Member must be one row or more, integers"):
            Member(rows, 10, 0)
    with pytest.raises(ValueError, match="'validation' parameter of Member"):
        Member(np.arange(3), 10, 0, np.arange(3.0))
    x, y = blobs()
    with pytest.raises(ValueError, match=rf"among the {len(x)} rows of x\. Got <row {len(x)}>"):
        train(MLP((16, 3)), x, y, [Member(np.arange(len(x) + 1), 10, 0)], blobs(), Recipe())
    with pytest.raises(TypeError, match="'network' parameter of train must be a network"):
        train(3, x, y, [Member(np.arange(9), 10, 0)], blobs(), Recipe())
    with pytest.raises(TypeError, match="'recipe' parameter of train must be a Recipe"):
        train(MLP((16, 3)), x, y, [Member(np.arange(9), 10, 0)], blobs(), {"learning_rate": 0.1})
    with pytest.raises(ValueError, match="'members' parameter of train"):
        train(MLP((16, 3)), *blobs(), [], blobs(), Recipe())


def own_data(members=5, inputs=6, outputs=None, classes=None, dtype=torch.float64, seed=0):
    """Members with their own inputs, labels, n, number of steps and validation rows, concatenated."""
    rng = np.random.default_rng(seed)
    xs, ys, specs, start = [], [], [], 0
    for e in range(members):
        n, held = 10 + 17 * e, 5 + 3 * e
        x = rng.normal(size=(n + held, inputs)) * (1 + e / 5)
        f = x @ rng.normal(size=(inputs, outputs or classes or 1))
        xs.append(x)
        ys.append(f.argmax(1) if classes else (f if outputs else f[:, 0]) / 2)
        rows = start + rng.permutation(n + held)
        specs.append((rows[:n], 40 + 31 * e, e, rows[n:]))
        start += n + held
    x = torch.from_numpy(np.concatenate(xs)).to(dtype)
    y = torch.from_numpy(np.concatenate(ys))
    return x, y if classes else y.to(dtype), specs


OWN = [
    ("adam", MLP((6, 5, 1), "tanh"), {}),
    ("sgd", MLP((6, 5, 4, 2), "sine"), {"outputs": 2}),
    ("lbfgs", MLP((6, 5, 1), "gelu"), {}),
    ("lbfgs", MLP((6, 4, 3), "tanh"), {"classes": 3}),
    ("sgd", MLP((6, 3), "linear"), {"classes": 3}),
]


@pytest.mark.parametrize("validated", [True, False], ids=["validated", "not validated"])
@pytest.mark.parametrize(("optimiser", "network", "labels"), OWN, ids=str)
def test_members_with_data_of_their_own_are_those_trained_alone(
    optimiser, network, labels, validated, device
):
    x, y, specs = own_data(**labels)
    x, y = x.to(device), y.to(device)
    if optimiser == "lbfgs":  # few steps: at a minimum, rounding decides when it stalls
        specs = [(rows, 4 + steps // 10, seed, held) for rows, steps, seed, held in specs]
    members = [Member(*spec[: 4 if validated else 3]) for spec in specs]
    loss = "log" if "classes" in labels else "squared"
    recipe = Recipe(
        optimiser,
        loss=loss,
        batch=16,
        warmup=10,
        decay=0.3,
        evaluation_interval=7,
        min_steps=20,
        momentum=0.8,
    )
    together = train(network, x, y, members, None, recipe)
    for (rows, steps, seed, held), beside in zip(specs, together, strict=True):
        shared = (x[held], y[held]) if validated else None  # the same rows, as one set for all members
        (alone,) = train(
            network, x[rows], y[rows], [Member(np.arange(len(rows)), steps, seed)], shared, recipe
        )
        assert (alone.steps, alone.best_step) == (beside.steps, beside.best_step)
        assert not beside.diverged
        for column in alone.curve:
            np.testing.assert_allclose(alone.curve[column], beside.curve[column], rtol=1e-5, atol=1e-12)
        assert alone.train_loss == pytest.approx(beside.train_loss, rel=1e-5)
        for one, other in zip(alone.weights, beside.weights, strict=True):
            assert one.dtype == torch.float64
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
        stacked = tuple(w[None] for w in beside.weights)
        risk, error = evaluate(network, stacked, x[rows], y[rows], loss)
        assert float(risk[0]) == pytest.approx(beside.train_loss)
        assert float(error[0]) == pytest.approx(beside.train_error)
    assert len({one.steps for one in together}) > 1


def test_evaluate_on_rows_of_their_own_and_squared_loss():
    network = MLP((6, 4, 2), "tanh")
    weights = network.draw([0, 1], dtype=torch.float64)
    x = torch.randn(1300, 6, dtype=torch.float64)
    y = torch.randn(1300, 2, dtype=torch.float64)
    rows = [torch.arange(3, 20), torch.arange(1200)]  # the second is longer than what evaluate takes at once
    loss, error = evaluate(network, weights, x, y, "squared", rows)
    for e, own in enumerate(rows):
        expected = (network(weights, x[own])[e] - y[own]).square().sum(1).mean()
        torch.testing.assert_close(loss[e], expected)
        torch.testing.assert_close(error[e], expected.sqrt())
    torch.testing.assert_close(evaluate(network, weights, x, y, "squared")[0][1:],
                               losses(network(weights, x), y[None], "squared")[1:])  # fmt: skip


@pytest.mark.full
def test_full_batch_lbfgs_goes_as_low_as_scipys():
    network = MLP((6, 2, 1), "tanh")
    x, y, _ = own_data(6)
    y = y + 0.5 * torch.from_numpy(np.random.default_rng(1).normal(size=len(y)))
    members = [Member(np.arange(150), 60, seed) for seed in range(8)]

    def risk(flat):
        point = torch.from_numpy(flat)[None].requires_grad_()
        value = losses(network(network.unflatten(point), x[:150]), y[:150], "squared")[0]
        (slope,) = torch.autograd.grad(value, point)
        return float(value.detach()), slope[0].numpy()

    ratios = []
    for trained in train(network, x, y, members, None, Recipe("lbfgs", loss="squared")):
        assert np.all(np.diff(trained.curve["loss"]) <= 0)
        first = network.flatten(network.draw([len(ratios)], dtype=torch.float64))[0].numpy()
        assert trained.train_loss < 0.9 * risk(first)[0]
        reference = minimize(risk, first, jac=True, method="L-BFGS-B", options={"maxiter": 60, "maxcor": 20})
        ratios.append(trained.train_loss / reference.fun)
    assert 0.9 < np.exp(np.mean(np.log(ratios))) < 1.1  # a single start may end at another minimum


def test_lbfgs_ends_at_a_minimum_with_the_closed_forms_weights():
    x, y, specs = own_data(4)
    y = y + torch.from_numpy(np.random.default_rng(1).normal(size=len(y)))
    members = [Member(rows, 500, seed) for rows, _, seed, _ in specs]
    trained = train(MLP((6, 1)), x, y, members, None, Recipe("lbfgs", loss="squared"))
    deep = train(MLP((6, 4, 1), "linear"), x, y, members, None, Recipe("lbfgs", loss="squared"))
    for member, one, two in zip(members, trained, deep, strict=True):
        design = torch.cat([x[member.rows], torch.ones(len(member.rows), 1, dtype=torch.float64)], 1)
        exact = torch.linalg.lstsq(design, y[member.rows] + 0.0).solution
        torch.testing.assert_close(torch.cat([one.weights[0][0], one.weights[1]]), exact, rtol=0, atol=1e-6)
        least = float((design @ exact - y[member.rows]).square().mean())
        assert one.train_loss == pytest.approx(least, rel=1e-9, abs=1e-15)
        assert two.train_loss == pytest.approx(least, rel=1e-9, abs=1e-15)  # all minima are global
        assert max(one.steps, two.steps) < 500  # it ends early: no step lowers the loss


def test_a_member_without_validation_trains_to_its_floor_or_budget_and_keeps_its_lowest_loss():
    x, y, specs = own_data(4)
    members = [Member(rows, 3000, seed) for rows, _, seed, _ in specs]
    recipe = Recipe(
        loss="squared", batch=16, evaluation_interval=10, target_training_loss=0.02, learning_rate=0.02
    )
    for member, one in zip(members, train(MLP((6, 8, 1)), x, y, members, None, recipe), strict=True):
        curve = one.curve["loss"]
        assert one.steps == member.steps or curve[-1] <= 0.02 < curve[-2]
        assert one.train_loss == pytest.approx(curve.min())
        assert one.best_step == one.curve["step"][curve.argmin()]
        np.testing.assert_allclose(one.curve["error"], np.sqrt(curve))


def test_training_goes_on_from_given_weights():
    x, y, specs = own_data(3)
    network = MLP((6, 5, 1), "tanh")
    members = [Member(rows, 50, seed) for rows, _, seed, _ in specs]
    first = train(network, x, y, members, None, Recipe(loss="squared", batch=16))
    start = tuple(torch.stack(layer) for layer in zip(*(one.weights for one in first), strict=True))
    second = train(network, x, y, members, None, Recipe("lbfgs", loss="squared"), start)
    for before, after in zip(first, second, strict=True):
        assert after.train_loss < 0.5 * before.train_loss


def test_a_diverged_member_of_squared_loss_is_reported_and_a_luckily_small_first_batch_is_not():
    x, y, specs = own_data(3)
    y = y.clone()
    y[specs[1][0]] *= 1e200  # its square overflows
    members = [Member(rows, 100, seed) for rows, _, seed, _ in specs]
    for optimiser in ("sgd", "adam", "lbfgs"):
        recipe = Recipe(optimiser, loss="squared", batch=8, learning_rate=0.01)
        assert [one.diverged for one in train(MLP((6, 4, 1)), x, y, members, None, recipe)] == [0, 1, 0]
    x, y = torch.zeros(64, 6, dtype=torch.float64), torch.zeros(64, dtype=torch.float64)
    drawn = torch.Generator().manual_seed(0)
    x[1:], y[1:] = torch.randn(63, 6, generator=drawn), torch.randn(63, generator=drawn) * 3
    start = tuple(torch.zeros_like(w) for w in MLP((6, 1)).draw([0], dtype=torch.float64))
    seeds = range(40)  # some start with the row whose loss is 0
    members = [Member(np.arange(64), 60, seed) for seed in seeds]
    start = tuple(w.expand(40, *w.shape[1:]).contiguous() for w in start)
    recipe = Recipe("sgd", loss="squared", batch=1, warmup=50, learning_rate=1e-3, evaluation_interval=20)
    assert not any(one.diverged for one in train(MLP((6, 1)), x, y, members, None, recipe, start))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(10, 5)}, "'x' parameter of train must be inputs \\(N, 6\\)"),
        ({"y": torch.zeros(10, dtype=torch.int64)}, "'y' parameter of train must be labels"),
        ({"y": torch.zeros(10, 2)}, "'y' parameter of train"),
        ({"recipe": Recipe()}, "'y' parameter of train must be classes"),
        ({"validation": (torch.zeros(3, 6), torch.zeros(4))}, "'y' parameter of train must be validation"),
        ({"initial_weights": MLP((6, 2)).draw([0])}, "'initial_weights' parameter of train"),
        ({"members": [Member(np.arange(3), 5, 0), Member(np.arange(3), 5, 0, np.arange(2))]}, "<1 of 2 own>"),
    ],
)
def test_train_refuses_what_does_not_fit(change, message):
    arguments = {
        "x": torch.zeros(10, 6), "y": torch.zeros(10), "members": [Member(np.arange(3), 5, 0)],
        "validation": None, "recipe": Recipe(loss="squared"),
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        train(MLP((6, 1)), **{**arguments, **change})
