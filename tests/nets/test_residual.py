"""Residual networks are those published, by group normalisation, and train as other stacked networks do."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from errsrc.nets import CNN, MLP, WRN, NeuralNgram, Resnet, Transformer
from errsrc.training import Member, Recipe, magnitude_masks, prunable, train
from errsrc.training.objectives import CrossEntropy

torch.set_num_threads(1)

SMALL = [Resnet(8, 4, 3, 8, channels=1), WRN(8, 4, 3, 10, channels=1), WRN(9, 16, 5, 16), Resnet(9, 6, 5, 14)]


def drawn(network, members=2, dtype=torch.float64):
    """Initial weights plus noise, so that no vector is 0."""
    weights = network.draw(list(range(members)), dtype=dtype)
    return tuple(w + 0.1 * torch.randn_like(w) for w in weights)


@pytest.mark.parametrize(
    ("network", "millions"),
    [
        (Resnet(32, 16, 10, 20), 0.27),  # He et al. 2016, table 6
        (Resnet(32, 16, 10, 32), 0.46),
        (Resnet(32, 16, 10, 44), 0.66),
        (Resnet(32, 16, 10, 56), 0.85),
        (Resnet(32, 16, 10, 110), 1.7),
        (WRN(32, 16, 10, 40), 0.6),  # Zagoruyko and Komodakis 2016, table 5
        (WRN(32, 32, 10, 40), 2.2),
        (WRN(32, 64, 10, 40), 8.9),
        (WRN(32, 128, 10, 16), 11.0),
        (WRN(32, 128, 10, 22), 17.2),
        (WRN(32, 160, 10, 28), 36.5),
    ],
    ids=str,
)
def test_networks_have_as_many_parameters_as_published(network, millions):
    assert abs(network.parameters / 1e6 - millions) < (0.05 if millions != 0.85 and millions < 2 else 0.1)


class Normed(torch.nn.GroupNorm):
    """Group normalisation in at most 4 groups."""

    def __init__(self, channels):
        super().__init__(max(g for g in (1, 2, 4) if channels % g == 0), channels)


class Block(torch.nn.Module):
    """He et al.'s block, with option A; the modules are in the order of the tensors."""

    def __init__(self, inside, out, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.norm1 = Normed(out)
        self.conv2 = torch.nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = Normed(out)
        self.stride, self.new = stride, out - inside

    def forward(self, x):
        branch = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        new = torch.zeros(len(x), self.new, *branch.shape[2:], dtype=x.dtype)
        return torch.relu(torch.cat([x[:, :, :: self.stride, :: self.stride], new], 1) + branch)


class WideBlock(torch.nn.Module):
    """Zagoruyko and Komodakis's basic block."""

    def __init__(self, inside, out, stride):
        super().__init__()
        self.norm1 = Normed(inside)
        self.conv1 = torch.nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.norm2 = Normed(out)
        self.conv2 = torch.nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.short = torch.nn.Conv2d(inside, out, 1, stride, bias=False) if inside != out else None

    def forward(self, x):
        ready = torch.relu(self.norm1(x))
        branch = self.conv2(torch.relu(self.norm2(self.conv1(ready))))
        return branch + (x if self.short is None else self.short(ready))


def by_torch(network):
    """The same network of torch's own modules."""
    wide = isinstance(network, WRN)
    count = (network.depth - (4 if wide else 2)) // 6
    inside = 16 if wide else network.width
    parts = [torch.nn.Conv2d(network.channels, inside, 3, 1, 1, bias=False)]
    parts += [] if wide else [Normed(inside), torch.nn.ReLU()]
    for stage, out in enumerate((network.width, 2 * network.width, 4 * network.width)):
        for block in range(count):
            stride = 2 if stage and not block else 1
            parts.append((WideBlock if wide else Block)(inside, out, stride))
            inside = out
    parts += [Normed(inside), torch.nn.ReLU()] if wide else []
    parts += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(inside, network.classes)]
    return torch.nn.Sequential(*parts)


@pytest.mark.parametrize("network", SMALL, ids=str)
def test_a_member_is_the_network_of_torchs_modules(network):
    weights = drawn(network)
    x = torch.randn(2, 3, network.inputs, dtype=torch.float64)
    for e in range(2):
        module = by_torch(network).double()
        norms = {id(part.weight) for part in module.modules() if isinstance(part, Normed)}
        with torch.no_grad():
            for parameter, w in zip(module.parameters(), weights, strict=True):
                parameter.copy_(w[e].view(parameter.shape) + (id(parameter) in norms))
        expected = module(x[e].view(3, *network.image_shape))
        torch.testing.assert_close(network(weights, x)[e], expected)


@pytest.mark.parametrize("network", SMALL, ids=str)
def test_a_member_does_not_see_others_nor_an_image_other_images(network):
    weights = tuple(w.requires_grad_() for w in drawn(network))
    x = torch.randn(2, 4, network.inputs, dtype=torch.float64, requires_grad=True)
    slopes = torch.autograd.grad(network(weights, x)[0, 1].square().sum(), (*weights, x))
    for slope in slopes[:-1]:
        assert slope[0].count_nonzero() > 0
        assert slope[1].count_nonzero() == 0
    seen = slopes[-1].abs().sum(2) > 0
    assert seen.nonzero().tolist() == [[0, 1]]


@pytest.mark.parametrize("network", [Resnet(8, 4, 10, 110, 1), WRN(8, 4, 10, 40, 1)], ids=str)
def test_gradients_reach_the_first_layer_of_deep_networks(network):
    weights = network.draw([0])
    x = torch.randn(1, 32, 64, generator=torch.Generator().manual_seed(1))
    y = torch.arange(32)[None] % 10
    gradients = tuple(torch.empty_like(w) for w in weights)
    output_loss = partial(CrossEntropy().loss_and_gradient, y=y, weights=torch.full((1, 32), 1 / 32))
    network.gradients(weights, x, output_loss, gradients)
    sizes = [float(s.norm() / w.norm()) for s, w in zip(gradients, weights, strict=True) if s.dim() > 2]
    assert 1e-3 < max(sizes) < 300 * min(sizes)


@pytest.mark.parametrize("network", SMALL, ids=str)
def test_first_scales_are_1_and_shifts_0_as_torchs_are(network):
    weights = network.draw([3], dtype=torch.float64)
    module = by_torch(network).double()
    with torch.no_grad():
        for parameter, w in zip(module.parameters(), weights, strict=True):
            if w.dim() > 2:
                parameter.copy_(w[0].view(parameter.shape))
        module[-1].bias.zero_()
    x = torch.randn(3, network.inputs, dtype=torch.float64)
    torch.testing.assert_close(network(weights, x)[0], module(x.view(3, *network.image_shape)))


def images(n, seed):
    """Two classes of 8 x 8 images, rows or columns of light and dark, shifted at random, in noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    waves = np.sin(np.arange(8) * np.pi / 2 + rng.uniform(0, 2 * np.pi, n)[:, None])
    x = np.where((y == 0)[:, None, None], waves[:, :, None], waves[:, None, :])
    x = (x + rng.normal(0, 0.7, (n, 8, 8))).reshape(n, 64).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(y)


@pytest.mark.full
@pytest.mark.parametrize("network", [Resnet(8, 2, 2, 8, 1), WRN(8, 2, 2, 10, 1)], ids=str)
def test_members_trained_together_are_those_trained_alone_masked_or_not(network):
    """In float64: in float32 sixty steps carry roundings, which differ between machines, to a few percent."""
    x, y = images(400, 0)
    held = images(300, 1)
    x, held = x.double(), (held[0].double(), held[1])
    members = [Member(np.arange(60), 40, 1), Member(np.arange(400), 60, 2)]
    recipe = Recipe(learning_rate=0.02, batch=32, warmup=10, evaluation_interval=20)
    masks = magnitude_masks(network, network.draw([1, 2]), 0.5)
    for own in (None, masks):
        together = train(network, x, y, members, held, recipe, masks=own)
        alone = train(network, x, y, members[1:], held, recipe, masks=own and tuple(mask[1:] for mask in own))
        assert together[1].curve["error"][-1] < 0.15
        np.testing.assert_allclose(together[1].curve["loss"], alone[0].curve["loss"], rtol=1e-6)
        if own is not None:
            for w, mask in zip(together[1].weights, own, strict=True):
                assert torch.all(w[~mask[1]] == 0)


@pytest.mark.full
@pytest.mark.parametrize("network", [Resnet(8, 2, 2, 8, 1), WRN(8, 2, 2, 10, 1)], ids=str)
@pytest.mark.parametrize("how", [{"precision": "bf16"}, {"augment": "crop-flip", "padding": 1}], ids=str)
def test_they_learn_in_half_precision_and_from_moved_images(network, how):
    x, y = images(400, 0)
    recipe = Recipe(learning_rate=0.02, batch=32, warmup=10, evaluation_interval=20, **how)
    (trained,) = train(network, x, y, [Member(np.arange(400), 60, 2)], images(300, 1), recipe)
    assert trained.curve["error"][-1] < 0.15


@pytest.mark.parametrize("network", SMALL, ids=str)
def test_scales_and_shifts_are_never_pruned(network):
    weights = drawn(network)
    masks = magnitude_masks(network, weights, 0.1)
    assert all(mask.all() for mask in masks if mask.dim() == 2)
    left = sum(int(mask[0].sum()) for mask in masks if mask.dim() > 2)
    assert left == round(0.1 * prunable(network))


@pytest.mark.parametrize("cls", [Resnet, WRN])
@pytest.mark.parametrize("depth", [1, 2, 9, 11, 28, 20])
def test_depths_are_those_of_whole_blocks(cls, depth):
    if depth == (20 if cls is Resnet else 28):
        assert cls(32, 16, 10, depth).blocks == (3 if cls is Resnet else 4)
    else:
        with pytest.raises(
            ValueError, match=r"'depth' parameter of .* must be 6 k \+ [24] for an integer k >= 1"
        ):
            cls(32, 16, 10, depth)


@pytest.mark.full
@pytest.mark.parametrize(
    "network",
    [*SMALL, CNN(9, 3, 4, blocks=2, channels=3), MLP((7, 5, 3)), NeuralNgram(5, 8, 2), Transformer(8, 16, 2)],
    ids=str,
)
def test_multiply_adds_are_what_torch_counts(network):
    weights = network.draw([0], dtype=torch.float32)
    with FlopCounterMode(display=False) as counter:
        network(weights, torch.zeros(1, 1, network.inputs))
    extra = counter.get_total_flops() - 2 * network.multiply_adds
    attention = 0
    if isinstance(network, Transformer):  # torch counts attention with some kernels only
        attention = 4 * network.depth * network.context**2 * network.width
    assert extra in (0, attention)
