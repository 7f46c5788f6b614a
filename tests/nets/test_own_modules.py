"""A user's torch.nn.Module trains in the loop as errsrc's networks do, or is refused with one sentence."""

from __future__ import annotations

import functools
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import own_models
import pytest
import torch
from torch import nn

from errsrc.learners import NetworkStudent
from errsrc.nets import ModuleNetwork, from_module
from errsrc.records import own_modules
from errsrc.training import Member, Recipe, Rounds, evaluate, prune, train

torch.set_num_threads(1)

DRAWN = torch.Generator().manual_seed(0)
X = torch.randn(160, 64, generator=DRAWN, dtype=torch.float64)
Y = X[:, :3].argmax(1)
MEMBERS = [Member(np.arange(20 * i, 20 * i + 100), steps, i) for i, steps in enumerate((40, 25, 40))]
RECIPE = Recipe(batch=16, learning_rate=0.01, evaluation_interval=5)
IMAGE = (1, 8, 8)
FACTORIES = [own_models.SmallViT, own_models.ConvNet, own_models.Recurrent]
BY_NAME = {"argvalues": FACTORIES, "ids": lambda factory: factory.__name__}


def network_of(factory) -> ModuleNetwork:
    return from_module(factory, outputs=3, width=4, image_shape=IMAGE)


@pytest.mark.full
@pytest.mark.parametrize("factory", **BY_NAME)
def test_members_together_are_as_alone_and_as_in_a_plain_loop(factory):
    network = network_of(factory)
    assert network._plan.at_once == (factory is not own_models.Recurrent)
    together = train(network, X, Y, MEMBERS, None, RECIPE)
    for member, one in zip(MEMBERS, together, strict=True):
        (alone,) = train(network, X, Y, [member], None, RECIPE)
        assert one.steps == alone.steps
        for a, b in zip(one.weights, alone.weights, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    assert together[0].curve["loss"][-1] < together[0].curve["loss"][0]


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_step_is_one_graph_and_warns_of_nothing(monkeypatch):
    """Compiled without a compiler; a second graph, or a warning of torch's, would be an error."""
    whole = functools.partial(torch.compile, backend="eager", fullgraph=True, dynamic=False)
    monkeypatch.setattr(torch, "compile", lambda f, **_: whole(f))
    network = network_of(own_models.ConvNet)
    plain, compiled = (
        train(network, X, Y, MEMBERS[::2], None, replace(RECIPE, compile=on)) for on in (False, True)
    )
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(one.curve["loss"], other.curve["loss"], rtol=1e-9)


def test_a_pickled_network_is_equal_and_without_the_module():
    network = network_of(own_models.ConvNet)
    kept = pickle.dumps(network)
    assert pickle.loads(kept) == network
    assert len(kept) < 500


@pytest.mark.parametrize("factory", **BY_NAME)
def test_weights_and_outputs_are_those_of_the_module(factory):
    network = network_of(factory)
    weights = network.draw([7, 8], dtype=torch.float64)
    outputs = network(weights, X[:5])
    assert torch.equal(network(weights, X[:5].expand(2, 5, 64)), outputs)
    for i in (0, 1):
        module = network._plan.template.double()
        with torch.no_grad():
            for parameter, w in zip(module.parameters(), weights, strict=True):
                parameter.copy_(w[i])
            torch.testing.assert_close(module(X[:5].view(5, *IMAGE)), outputs[i])
    assert network.parameters == sum(p.numel() for p in module.parameters())
    assert torch.equal(network.draw([8])[0][0], network.draw([7, 8])[0][1])
    before = torch.get_rng_state()
    network.draw([1])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.full
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_killed_training_resumes_bit_for_bit(optimiser, tmp_path, monkeypatch):
    from errsrc.training import loop

    network = network_of(own_models.SmallViT)
    recipe = Recipe(optimiser, 0.01, batch=16, evaluation_interval=5)
    x = X.float()
    whole = train(network, x, Y, MEMBERS, None, recipe)
    real, path = loop.write_checkpoint, tmp_path / "state.pt"

    def killed(*arguments):
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "write_checkpoint", killed)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            train(network, x, Y, MEMBERS, None, recipe, checkpoint_path=path, checkpoint_seconds=0.0)
    monkeypatch.setattr(loop, "write_checkpoint", real)
    resumed = train(network, x, Y, MEMBERS, None, recipe, checkpoint_path=path)
    for one, other in zip(whole, resumed, strict=True):
        assert all(map(torch.equal, one.weights, other.weights))
        assert one.curve["loss"].tolist() == other.curve["loss"].tolist()


@pytest.mark.full
def test_pruning_has_exact_masks():
    network = network_of(own_models.ConvNet)
    rounds = Rounds(pruned_fraction=0.5, max_rounds=3, error_factor=100.0, rewind_step=2)
    (pruned, _) = prune(network, X, Y, MEMBERS[::2], (X[:60], Y[:60]), RECIPE, rounds, (X[100:], Y[100:]))
    total = 9 * 4 + 4 * 8 * 9 + 32 * 3
    assert [level.remaining for level in pruned.levels] == [round(total * 0.5**k) for k in range(4)]
    masks = tuple(torch.rand(2, *shape, generator=DRAWN) < 0.5 for shape in network.shapes())
    for i, one in enumerate(train(network, X, Y, MEMBERS[:2], None, RECIPE, masks=masks)):
        for w, mask in zip(one.weights, masks, strict=True):
            assert not w[~mask[i]].any()


@pytest.mark.full
def test_a_student_and_a_scalar_parameter():
    network = from_module(own_models.Regression, inputs=4)
    assert network.shapes() == ((1,), (1, 4), (1,))
    x = np.random.default_rng(0).standard_normal((40, 4))
    student = NetworkStudent(network, Recipe("lbfgs", loss="squared"), steps=60, validation=0.0)
    y = x @ [1.0, -2.0, 0.5, 3.0]
    predictor = student.fit(x, y, np.random.default_rng(0))
    np.testing.assert_allclose(predictor(x), y, atol=1e-2)
    assert student.resized(7, None).architecture.inputs == 7


REFUSED = {
    "batch_normalised": "its part '1' (BatchNorm2d) has batch statistics. Use GroupNorm or LayerNorm instead",
    "dropped": "its part '1' (Dropout) has dropout. Use GroupNorm",
    "DropsByHand": "its outputs depend on the other examples of the batch, on random numbers or on the mode",
    "CentredByHand": "its outputs depend on the other examples of the batch",
    "Idle": "its parameter 'idle' does not change the outputs.",
    "frozen": "its parameter 'bias' is not trained: register it as a buffer.",
    "needs_heads": "its parameter 'heads' has no default and is none of inputs, outputs, classes",
    "no_module": "it makes a int, and not a torch.nn.Module.",
    "too_wide": "for inputs (3, 64) it returns (3, 4), and not (3, 3).",
    "wrong_inputs": "it cannot compute inputs of shape (3, 64): RuntimeError: mat1 and mat2 shapes",
}


def test_lazy_layers_get_their_shapes_and_seeded_weights():
    network = from_module(own_models.lazy, outputs=3, width=4, image_shape=IMAGE)
    assert network.shapes() == ((4, 1, 3, 3), (4,), (3, 144), (3,))
    first, again, other = network.draw([0, 0, 1])[2]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_loop_cannot_train_is_refused_with_one_sentence(name):
    shape, width = (IMAGE, 4) if name == "batch_normalised" else ((), None)
    with pytest.raises(ValueError, match="errsrc cannot train own_models:") as caught:
        from_module(getattr(own_models, name), inputs=64, outputs=3, width=width, image_shape=shape)
    assert REFUSED[name] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_for_one_channel_is_told_that_pictures_of_a_folder_have_three():
    with pytest.raises(
        ValueError, match="Pictures of a folder always have 3 channels, grey ones too"
    ) as caught:
        from_module(own_models.one_channel, outputs=3, width=4, image_shape=(3, 8, 8))
    assert str(caught.value).endswith(
        "give the first layer the argument `channels` of the function that makes the module."
    )


def test_a_name_alone_imports_nothing(monkeypatch):
    monkeypatch.setattr(own_modules, "_MODULES", {})
    for module in ("os:system", "own_models:SmallViT"):
        with pytest.raises(ValueError, match=r"must be in a module that the command names.*\(--modules "):
            ModuleNetwork(module, 3, 3)
    own_modules.import_modules("own_models")
    with pytest.raises(ValueError, match=r"a name that own_models defines.*did you mean 'SmallViT'"):
        ModuleNetwork("own_models:SmallVit", 3, 3)
    with pytest.raises(TypeError, match="must be a class or function that makes"):
        ModuleNetwork("own_models:SIZE", 3, 3)
    with pytest.raises(ValueError, match="a module and a name in it"):
        ModuleNetwork("own_models.SmallViT", 3, 3)
    with pytest.raises(ValueError, match="at the top level of a module"):
        from_module(lambda inputs, outputs: nn.Linear(inputs, outputs))


SPEC = """
kind = "{}"
[cell]
dataset = "digits"
family = "module"
module = "own_models:SmallViT"
n = 90
validation = 200
steps = 20
recipe = {{batch = 16, evaluation_interval = 10}}
[factors]
width = [2, 4]
"""


@pytest.mark.full
@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("kind", ["vision", "pruning"])
def test_a_study_trains_a_module_that_the_command_names(kind, tmp_path, monkeypatch, capsys):
    from errsrc.cli import main

    monkeypatch.setattr(own_modules, "_MODULES", {})
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(own_models.__file__).parent)])
    spec = tmp_path / "own.toml"
    spec.write_text(
        SPEC.format(kind) + ("" if kind == "vision" else "rounds = [{max_rounds = 1, rewind_step = 5}]\n")
    )
    assert main(["run", str(spec)]) == 2
    assert "Pass --modules own_models" in capsys.readouterr().err
    assert main(["run", str(spec), "--modules", "own_models"]) == 0
    assert main(["report", str(spec), "--modules", "own_models"]) == 0
    assert f"errsrc run {spec} --modules own_models" in spec.with_suffix(".html").read_text()
    text = spec.read_text().replace("own_models:SmallViT", "own_models:batch_normalised")
    spec.with_name("bad.toml").write_text(text)
    capsys.readouterr()
    assert main(["run", str(spec.with_name("bad.toml")), "--modules", "own_models"]) == 2
    assert "has batch statistics" in capsys.readouterr().err


def test_measured_as_trained():
    network = network_of(own_models.ConvNet)
    (one, *_) = train(network, X, Y, MEMBERS, None, RECIPE)
    rows = torch.from_numpy(MEMBERS[0].rows)
    loss, _ = evaluate(network, tuple(w[None] for w in one.weights), X[rows], Y[rows])
    assert one.train_loss == pytest.approx(float(loss[0]), rel=1e-9)
