"""SynFlow's scores are those of a direct sum over paths, and a user's own scores decide what is pruned."""

import itertools
import math

import numpy as np
import pytest
import torch

from errsrc.nets import CNN, MLP, Resnet
from errsrc.records import own_modules
from errsrc.training import (  # fmt: skip
    Member,
    Recipe,
    Rounds,
    magnitude_masks,
    masks_of_scores,
    prune,
    synflow_masks,
)
from errsrc.training.criteria import check_criterion, next_masks, own_scores, synaptic_flow

torch.set_num_threads(1)

NETWORK = MLP((3, 4, 2, 2))
WEIGHTS = NETWORK.draw([0, 1])
X = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32))
Y = (X[:, :2]).argmax(1)
MEMBERS = [Member(np.arange(100), 30, 1), Member(np.arange(50, 150), 30, 2)]
CALL = (NETWORK, X, Y, MEMBERS, None, Recipe(batch=16, warmup=0))


def test_the_flow_of_a_weight_is_the_sum_of_the_paths_through_it():
    scores = synaptic_flow(NETWORK, WEIGHTS)
    for member in range(2):
        a, b, c = (WEIGHTS[k][member].abs().double() for k in (0, 2, 4))
        for i, j in itertools.product(range(4), range(2)):
            paths = sum(c[k, j] * b[j, i] * a[i, h] for h in range(3) for k in range(2))
            assert float(scores[2][member, j, i]) == pytest.approx(float(paths))
    assert not any(scores[k].any() for k in (1, 3, 5))


def test_synflow_prunes_the_smallest_flow_and_keeps_what_is_pruned():
    once = synflow_masks(NETWORK, WEIGHTS, 0.5, iterations=1)
    scores = synaptic_flow(NETWORK, WEIGHTS)
    for one, other in zip(once, masks_of_scores(NETWORK, scores, 0.5), strict=True):
        assert torch.equal(one, other)
    further = synflow_masks(NETWORK, WEIGHTS, 0.2, once)
    assert sum(int(mask[0].sum()) for mask in further if mask.dim() > 2) == round(0.2 * 24)
    for before, after in zip(once, further, strict=True):
        assert not (after & ~before).any()
    flow = synaptic_flow(NETWORK, tuple(w * mask for w, mask in zip(WEIGHTS, further, strict=True)))
    assert (flow[0].flatten(1).sum(1) > 0).all()  # no layer is lost while another has many weights


@pytest.mark.parametrize("network", [MLP((3, 4, 2), "tanh"), Resnet(8, 1, 10, 8, 1)])
def test_networks_whose_layers_have_different_flows_are_refused(network):
    with pytest.raises(ValueError, match=r"'network' parameter of synaptic_flow must be .* without normali"):
        synaptic_flow(network, network.draw([0]))


@pytest.mark.slow
def test_kernels_have_the_flow_of_the_last_layer():
    network = CNN(4, 2, 3, blocks=1)
    scores = synaptic_flow(network, network.draw([0, 1]))
    sums = torch.stack([score.flatten(1).sum(1) for score in scores if score.dim() > 2])
    torch.testing.assert_close(sums, sums[:1].expand_as(sums))


def masks_at_the_end(criterion, rewind_step=0):
    rounds = Rounds(0.5, 2, 100.0, rewind_step=rewind_step, criterion=criterion)
    return [one.masks for one in prune(*CALL, rounds, (X[150:], Y[150:]))]


def test_synflow_prunes_initial_weights_without_data():
    masks = None
    for level in (1, 2):
        masks = synflow_masks(NETWORK, NETWORK.draw([1, 2]), 0.5**level, masks)
    for i, found in enumerate(masks_at_the_end("synflow")):
        for mask, expected in zip(found, masks, strict=True):
            assert torch.equal(mask, expected[i])


def test_scores_of_your_own_decide_which_weights_are_pruned(tmp_path, monkeypatch):
    (tmp_path / "scores_of_mine.py").write_text(
        "def small(network, weights):\n    return [-w.abs() for w in weights]\n"
        "def large(network, weights):\n    return [w.abs() for w in weights]\n"
        "def short(network, weights):\n    return [w.abs() for w in weights[:1]]\n"
        "def undefined(network, weights):\n    return [w * float('nan') for w in weights]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(own_modules, "_MODULES", {})
    with pytest.raises(ValueError, match="Pass modules='scores_of_mine'"):
        check_criterion("scores_of_mine:large", NETWORK)
    own_modules.import_modules("scores_of_mine")
    largest, smallest = masks_at_the_end("scores_of_mine:large"), masks_at_the_end("scores_of_mine:small")
    for own, other, usual in zip(largest, smallest, masks_at_the_end("magnitude"), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(own, usual, strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(other, usual, strict=True))
    with pytest.raises(ValueError, match="tensors of the shapes of the weights"):
        masks_at_the_end("scores_of_mine:short")
    with pytest.raises(ValueError, match="a score that is not a finite number"):
        masks_at_the_end("scores_of_mine:undefined")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda network, weights: None, "tensors of the shapes of the weights"),
        (lambda network, weights: [w.numpy() for w in weights], "tensors of the shapes of the weights"),
        (lambda network, weights: [w + 0j for w in weights], "tensors of the shapes of the weights"),
        (lambda network, weights: [w - float("inf") for w in weights], "a score that is not a finite number"),
    ],
)
def test_scores_that_rank_no_weights_are_refused(monkeypatch, function, message):
    monkeypatch.setattr(own_modules, "find", lambda *reference: function)
    with pytest.raises(ValueError, match=message):
        own_scores("mine:scores", NETWORK, WEIGHTS)


def test_scores_of_bools_keep_what_is_pruned(monkeypatch):
    monkeypatch.setattr(own_modules, "find", lambda *reference: lambda network, ws: [w < -9 for w in ws])
    before = magnitude_masks(NETWORK, WEIGHTS, 0.5)
    after = next_masks("mine:signs", NETWORK, WEIGHTS, WEIGHTS, 0.3, before)
    assert not any(bool((new & ~old).any()) for new, old in zip(after, before, strict=True))


def test_a_criterion_without_meaning_is_refused_before_training(monkeypatch):
    monkeypatch.setattr("errsrc.training.pruning.train", None)
    network = MLP((3, 4, 2), "tanh")
    with pytest.raises(ValueError, match="without normalisation"):
        prune(network, *CALL[1:], Rounds(0.5, 2, rewind_step=0, criterion="synflow"), (X[150:], Y[150:]))
    with pytest.raises(ValueError, match="Pass modules='nothere'"):
        prune(*CALL, Rounds(0.5, 2, rewind_step=0, criterion="nothere:f"), (X[150:], Y[150:]))


@pytest.mark.parametrize(("criterion", "error"), [("synflw", ValueError), (3, TypeError)])
def test_an_unknown_criterion_is_refused(criterion, error):
    with pytest.raises(
        error, match="'criterion' parameter of Rounds must be one of 'magnitude', 'synflow', or"
    ):
        Rounds(criterion=criterion)


def test_masks_of_magnitudes_are_magnitude_masks():
    scores = tuple(w.abs() for w in WEIGHTS)
    for one, other in zip(
        masks_of_scores(NETWORK, scores, 0.4), magnitude_masks(NETWORK, WEIGHTS, 0.4), strict=True
    ):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match=r"parameter of masks_of_scores must be at most 0\.4"):
        masks_of_scores(NETWORK, scores, 0.6, magnitude_masks(NETWORK, WEIGHTS, 0.4))


def test_scores_may_be_bool_but_not_infinite():
    network = MLP((2, 1, 1), "relu")
    scores = tuple(torch.zeros(1, *shape, dtype=torch.bool) for shape in network.shapes())
    left = masks_of_scores(network, scores, 1 / 3)
    assert masks_of_scores(network, scores, 1 / 3, left)[0].equal(left[0])
    with pytest.raises(ValueError, match="'scores' parameter of masks_of_scores must be finite"):
        masks_of_scores(network, tuple(torch.full(s.shape, -math.inf) for s in scores), 1 / 3)
