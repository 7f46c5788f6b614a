"""Masks are exact, the right number of weights is pruned, and a killed run continues to the same bits."""

import itertools
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from errsrc.nets import CNN, MLP, Resnet
from errsrc.training import (  # fmt: skip
    Member,
    PruningLevel,
    Recipe,
    Rounds,
    evaluate,
    magnitude_masks,
    prunable,
    prune,
    pruning,
    train,
)
from errsrc.training.risk import has_constant_outputs

torch.set_num_threads(1)

X = torch.from_numpy(np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32))
Y = (X @ torch.from_numpy(np.random.default_rng(1).normal(size=(16, 3)).astype(np.float32))).argmax(1)
HELD, TEST = (X[300:350], Y[300:350]), (X[350:], Y[350:])
MEMBERS = [Member(np.arange(100), 90, 1), Member(np.arange(50, 300), 140, 2), Member(np.arange(80), 61, 3)]
NETWORK = MLP((16, 6, 3))


def all_equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def random_masks(network, members, density, seed):
    drawn = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(members, *shape, generator=drawn) < density for shape in network.shapes())


# Masks


@pytest.mark.full
@settings(max_examples=16, deadline=None)
@given(
    st.sampled_from([NETWORK, MLP((16, 5, 4, 3), "tanh"), CNN(4, 2, 3, blocks=1)]),
    st.sampled_from(["adam", "sgd", "lbfgs"]),
    st.sampled_from([0.0, 0.3]),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
def test_pruned_weights_are_0_at_every_step(device, network, optimiser, average, density, seed):
    masks = random_masks(network, 3, density, seed)
    members = [replace(member, steps=15 + 9 * i) for i, member in enumerate(MEMBERS)]
    recipe = Recipe(optimiser, 0.02, warmup=0, average=average, batch=8, evaluation_interval=7)
    gradients, seen = type(network).gradients, []

    def spy(self, weights, *rest):
        seen.append(tuple(w.cpu().clone() for w in weights))
        return gradients(self, weights, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(network), "gradients", spy)
        trained = train(
            network, X.to(device), Y.to(device), members, None, recipe, masks=masks, rewind_step=4
        )
    assert len(seen) >= (1 if optimiser == "lbfgs" else 15)
    for i, one in enumerate(trained):
        own = tuple(mask[i] for mask in masks)
        for w, early, mask in zip(one.weights, one.rewind_weights, own, strict=True):
            assert torch.all(w.cpu()[~mask] == 0)
            assert torch.all(early.cpu()[~mask] == 0)
        for weights in (weights for weights in seen if len(weights[0]) == 3):
            for w, mask in zip(weights, own, strict=True):
                assert torch.all(w[i][~mask] == 0)
        diverse = torch.cat([w.cpu()[mask] for w, mask in zip(one.weights, own, strict=True)])
        assert diverse.count_nonzero() >= 0.5 * len(diverse) - len(one.weights[-1])


def test_masks_that_prune_nothing_change_nothing():
    masks = tuple(torch.ones(3, *shape, dtype=torch.bool) for shape in NETWORK.shapes())
    with_, without = (train(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), masks=m) for m in (masks, None))
    for one, other in zip(with_, without, strict=True):
        assert all_equal(one.weights, other.weights)


def test_a_masked_member_among_others_is_the_member_alone(device):
    masks = random_masks(NETWORK, 3, 0.5, 0)
    x, y = X.double().to(device), Y.to(device)  # float32 may carry roundings of the first steps anywhere
    held = (x[300:350], y[300:350])
    together = train(NETWORK, x, y, MEMBERS, held, Recipe(batch=8), masks=masks)
    (alone,) = train(
        NETWORK, x, y, MEMBERS[1:2], held, Recipe(batch=8), masks=tuple(mask[1:2] for mask in masks)
    )
    for one, other in zip(together[1].weights, alone.weights, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


# Which weights go


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.floats(0.05, 0.6), st.integers(0, 2**32), st.integers(1, 6))
def test_the_density_is_exact_within_one_weight_whatever_the_ties(levels, share, seed, values):
    network = MLP((7, 9, 4))
    rounds = Rounds(pruned_fraction=share)
    drawn = torch.Generator().manual_seed(seed)
    masks = None
    for level in range(1, levels + 1):
        weights = tuple(
            torch.randint(-values, values + 1, (2, *shape), generator=drawn).float()
            for shape in network.shapes()
        )
        density = rounds.density(level)
        before, masks = masks, magnitude_masks(network, weights, density, masks)
        for i in range(2):
            matrices = [k for k, mask in enumerate(masks) if mask.dim() > 2]
            kept = torch.cat([masks[k][i].flatten() for k in matrices])
            sizes = torch.cat([weights[k][i].abs().flatten() for k in matrices])
            assert abs(int(kept.sum()) - (1 - share) ** level * prunable(network)) <= 1
            there = kept.new_ones(len(kept))
            if before is not None:
                there = torch.cat([before[k][i].flatten() for k in matrices])
                assert not (kept & ~there).any()
            gone = there & ~kept
            if gone.any():
                assert sizes[kept].min() >= sizes[gone].max()
        assert all(mask.all() for mask in masks if mask.dim() == 2)


# Rewinding


def test_training_from_the_early_weights_and_step_is_the_same_training(device):
    x, y = X.to(device), Y.to(device)
    recipe = Recipe("sgd", 0.05, warmup=40, decay=0.5, batch=8, momentum=0.0, average=0.0, patience=100)
    whole = train(NETWORK, x, y, MEMBERS, None, recipe, rewind_step=23)
    start = tuple(torch.stack(same) for same in zip(*(one.rewind_weights for one in whole), strict=True))
    again = train(NETWORK, x, y, MEMBERS, None, recipe, start, start_step=23)
    for one, other in zip(whole, again, strict=True):
        assert one.steps == other.steps
        assert not all_equal(one.rewind_weights, one.weights)
        for w, same in zip(one.weights, other.weights, strict=True):
            torch.testing.assert_close(w, same, rtol=1e-5, atol=1e-6)


def test_early_weights_are_the_first_ones_by_default_and_the_last_ones_of_who_ends_before():
    first = NETWORK.draw([member.seed for member in MEMBERS])
    recipe = Recipe("sgd", 0.01, batch=8, average=0.0, evaluation_interval=1)
    for i, one in enumerate(train(NETWORK, X, Y, MEMBERS, None, recipe)):
        assert all_equal(one.rewind_weights, tuple(w[i] for w in first))
    late = train(NETWORK, X, Y, MEMBERS, None, recipe, rewind_step=100)
    for one, member in zip(late, MEMBERS, strict=True):
        if one.best_step == member.steps < 100:
            assert all_equal(one.rewind_weights, one.weights)
    assert sum(one.best_step == member.steps < 100 for one, member in zip(late, MEMBERS, strict=True))


@pytest.mark.parametrize("rewinding", ["weights", "rate"])
def test_each_round_prunes_the_kept_weights_and_begins_from_the_rewound(rewinding, monkeypatch):
    calls, real = [], pruning.train

    def spy(*args, **kwargs):
        found = real(*args, **kwargs)
        calls.append((args[6], kwargs, found))
        return found

    monkeypatch.setattr(pruning, "train", spy)
    rounds = Rounds(max_rounds=3, error_factor=100.0, rewind_step=20, rewinding=rewinding)
    found = prune(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), rounds, TEST)
    assert [len(one.levels) for one in found] == [4] * 3
    before = calls[0][2]
    for level, (start, kwargs, trained) in enumerate(calls[1:], start=1):
        assert kwargs["start_step"] == 20
        kept = tuple(torch.stack(same) for same in zip(*(one.weights for one in before), strict=True))
        expected = magnitude_masks(NETWORK, kept, 0.8**level)  # pruned weights are 0, so the smallest
        assert all_equal(kwargs["masks"], expected)
        early = tuple(
            torch.stack(same) for same in zip(*(one.rewind_weights for one in calls[0][2]), strict=True)
        )
        assert all_equal(start, early if rewinding == "weights" else kept)
        before = trained
    for i, one in enumerate(found):
        assert all_equal(one.weights, before[i].weights)
        _, error = evaluate(NETWORK, tuple(w[None] for w in one.weights), *TEST)
        assert one.levels[-1].error == pytest.approx(float(error[0]))
        assert [level.remaining for level in one.levels] == [114, 91, 73, 58]


@pytest.mark.full
def test_pruning_ends_once_the_error_has_risen_enough():
    members = [replace(member, steps=300) for member in MEMBERS[:2]]
    rounds = Rounds(pruned_fraction=0.5, max_rounds=9, error_factor=1.5, rewind_step=5)
    recipe = Recipe(learning_rate=0.03, warmup=5, batch=16)
    for one in prune(NETWORK, X, Y, members, HELD, recipe, rounds, TEST):
        errors = [level.error for level in one.levels]
        assert errors[-1] >= 1.5 * errors[0] > max(errors[1:-1], default=0.0)


def kept_by_layer(network, masks):
    return [int(mask.sum()) for mask in masks if mask.dim() > 1]


@pytest.mark.full
@pytest.mark.parametrize("network", [MLP((16, 2, 3)), MLP((16, 3, 2, 3)), CNN(4, 2, 3, blocks=1)])
def test_a_network_that_pruning_has_cut_is_marked(network):
    """Its outputs are constant; a layer without weights cuts the network, but is not the only way to."""
    rounds = Rounds(pruned_fraction=0.4, max_rounds=12, error_factor=100.0, rewind_step=5, rewinding="rate")
    recipe = Recipe(learning_rate=0.02, warmup=0, batch=16)
    members = [Member(np.arange(300), 30, seed) for seed in range(4)]
    found, levels = prune(network, X, Y, members, HELD, recipe, rounds, TEST), 0
    for one in found:
        last = one.levels[-1]
        assert last.remaining == sum(kept_by_layer(network, one.masks)) <= 3
        assert last.dead_layers == kept_by_layer(network, one.masks).count(0)
        outputs = network(tuple(w[None] for w in one.weights), TEST[0])[0]
        assert last.constant == bool((outputs == outputs[0]).all())
        assert last.constant or not last.dead_layers
        assert not one.levels[0].constant
        assert one.levels[0].dead_layers == 0
        for before, after in itertools.pairwise(one.levels):
            assert after.constant >= before.constant
            assert after.dead_layers >= before.dead_layers
        levels += sum(level.constant for level in one.levels)
    assert levels  # some networks are cut


def test_a_network_without_a_path_is_constant_though_no_layer_is_dead():
    first = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])  # unit 0 sees the inputs, unit 1 does not
    last = torch.tensor([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])  # what the outputs see
    weights = (first.repeat(2, 1, 1), torch.ones(2, 2), last, torch.ones(2, 2))
    assert has_constant_outputs(MLP((3, 2, 2)), weights, torch.rand(50, 3)).tolist() == [True, False]


@pytest.mark.parametrize(("dead", "is_cut"), [([0], True), ([-2], True), ([3], False), ([3, 6, 9], False)])
def test_a_dead_layer_of_a_block_does_not_cut_a_residual_network(dead, is_cut):
    """The shortcut passes by the layer; the first and the last layer have no shortcut."""
    network = Resnet(8, 2, 3, 8, 1)
    weights = list(network.draw([0]))
    for place in dead:
        assert weights[place].dim() > 2
        weights[place] = torch.zeros_like(weights[place])
    assert has_constant_outputs(network, tuple(weights), torch.rand(9, 64)).tolist() == [is_cut]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_small_differences_between_outputs_are_no_constant(scale):
    weights = tuple(w * scale for w in NETWORK.draw([0, 1]))
    assert not has_constant_outputs(NETWORK, weights, X).any()
    assert has_constant_outputs(NETWORK, tuple(w * 0 for w in weights), X).all()


def test_a_checkpoint_of_a_version_without_the_marks_is_read():
    level = asdict(PruningLevel(0, 9, 1.0, 0.1, 0.2, 0.1, 0.2, 0.0, 0.1, 90, False))
    del level["dead_layers"], level["constant"]
    assert PruningLevel(**level) == PruningLevel(0, 9, 1.0, 0.1, 0.2, 0.1, 0.2, 0.0, 0.1, 90, False, 0, False)


# Checkpoints


class Killed(BaseException):
    """Ends a run in a test."""


def train_killed_at(call, *args, **kwargs):
    """Train, but raise Killed at the `call`-th computation of gradients; return what was trained."""
    gradients, calls = MLP.gradients, []

    def spy(*args):
        calls.append(1)
        if len(calls) == call:
            raise Killed
        return gradients(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MLP, "gradients", spy)
        try:
            return train(*args, **kwargs)
        except Killed:
            return ()


@pytest.mark.full
@pytest.mark.parametrize("optimiser", ["adam", "sgd", "lbfgs"])
def test_an_interrupted_training_goes_on_to_the_same_bits(optimiser, tmp_path, device):
    x, y, held = X.to(device), Y.to(device), tuple(part.to(device) for part in HELD)
    masks = random_masks(NETWORK, 3, 0.6, 0)
    recipe = Recipe(optimiser, batch=8, warmup=20, decay=0.3)
    call = (NETWORK, x, y, MEMBERS, None if optimiser == "lbfgs" else held, recipe)
    whole = train(*call, masks=masks, rewind_step=25)
    state, again, tries, rng = tmp_path / "a" / "state.pt", (), 0, np.random.default_rng(0)
    while not again:
        last = int(rng.integers(40, 70))
        again = train_killed_at(
            last, *call, masks=masks, rewind_step=25, checkpoint_path=state, checkpoint_seconds=0.0
        )
        tries += 1
    assert tries > 1
    assert not state.exists()
    off = 0.0 if device.type == "cpu" else 1e-3
    for one, other in zip(whole, again, strict=True):
        for w, same in zip(
            one.weights + one.rewind_weights, other.weights + other.rewind_weights, strict=True
        ):
            torch.testing.assert_close(w, same, rtol=off, atol=off)
        assert one.steps == other.steps
        for column in one.curve:
            np.testing.assert_allclose(one.curve[column], other.curve[column], rtol=off, atol=off)


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_pruning import MEMBERS, MLP, NETWORK, X, Y, HELD, Recipe, train
gradients, calls = MLP.gradients, []
def dying(*args):
    calls.append(1)
    if len(calls) == {last}:
        os.kill(os.getpid(), signal.SIGKILL)
    return gradients(*args)
MLP.gradients = dying
train(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), checkpoint_path=Path({state!r}), checkpoint_seconds=0.0)
"""


@pytest.mark.full
def test_a_process_killed_at_a_random_step_is_gone_on_from_to_the_same_bits(tmp_path):
    state = tmp_path / "state.pt"
    last = int(np.random.default_rng(0).integers(12, 120))
    code = CHILD.format(tests=str(Path(__file__).parent), last=last, state=str(state))
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert state.exists()
    again = train(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), checkpoint_path=state)
    for one, other in zip(train(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8)), again, strict=True):
        assert all_equal(one.weights, other.weights)


@pytest.mark.full
def test_an_interrupted_pruning_goes_on_level_by_level(tmp_path, monkeypatch):
    arguments = (NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), Rounds(max_rounds=4, rewind_step=10), TEST)
    whole = prune(*arguments)
    state = tmp_path / "levels.pt"
    real, calls = pruning.train, []

    def interrupted(*args, **kwargs):
        calls.append(kwargs["start_step"])
        if len(calls) == 3:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(pruning, "train", interrupted)
    with pytest.raises(Killed):
        prune(*arguments, state)
    again = prune(*arguments, state)
    assert calls[:3] == [0, 10, 10]
    assert 0 not in calls[3:]
    assert not list(tmp_path.iterdir())
    for one, other in zip(whole, again, strict=True):
        assert one.levels == other.levels
        assert all_equal(one.weights, other.weights)
        assert all_equal(one.masks, other.masks)


def test_a_file_that_is_not_this_calls_checkpoint_is_refused(tmp_path):
    state = tmp_path / "state.pt"
    assert not train_killed_at(
        60, NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), checkpoint_path=state, checkpoint_seconds=0.0
    )
    with pytest.raises(
        ValueError, match=r"'checkpoint_path' parameter of train must be a checkpoint.*of another call"
    ):
        train(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=9), checkpoint_path=state)
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(
        ValueError, match=r"'checkpoint_path' parameter of train must be a checkpoint.*no checkpoint"
    ):
        train(NETWORK, X, Y, MEMBERS, HELD, Recipe(batch=8), checkpoint_path=state)


@pytest.mark.parametrize("density", [0.0, -0.5, 1.5, float("nan")])
def test_a_density_outside_0_to_1_is_refused(density):
    with pytest.raises(ValueError, match="'density' parameter of magnitude_masks must be a finite"):
        magnitude_masks(NETWORK, NETWORK.draw([0]), density)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Rounds(pruned_fraction=1.0), "'pruned_fraction' parameter of Rounds"),
        (lambda: Rounds(error_factor=0.5), "'error_factor' parameter of Rounds"),
        (lambda: Rounds(rewinding="weight"), "did you mean 'weights'"),
        (
            lambda: train(NETWORK, X, Y, MEMBERS, HELD, Recipe(), start_step=61),
            "'start_step' parameter of train",
        ),
        (
            lambda: train(NETWORK, X, Y, MEMBERS, HELD, Recipe(), masks=NETWORK.draw([0, 1, 2])),
            "'masks' parameter of train must be masks .E, .... of 3 members of the network, of bool",
        ),
        (
            lambda: prune(NETWORK, X, Y, MEMBERS, HELD, Recipe(), Rounds(rewind_step=61), TEST),
            "'rewind_step' parameter of Rounds must be an integer < 61",
        ),
        (
            lambda: magnitude_masks(
                NETWORK, NETWORK.draw([0]), 0.5, magnitude_masks(NETWORK, NETWORK.draw([0]), 0.25)
            ),
            "'density' parameter of magnitude_masks must be at most 0.245614",
        ),
        (lambda: Recipe(decay_shape="cosin"), "did you mean 'cosine'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
