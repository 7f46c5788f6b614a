"""Networks of sines stay in their band, start as published and train as others do."""

import numpy as np
import pytest
import torch

from errsrc.bases import Torus
from errsrc.learners import BandLeastSquares, LowPass, NetworkStudent
from errsrc.nets import (
    MLP,
    FilterNetwork,
    FourierFeatures,
    Network,
    SineNetwork,
    embed,
    embeds,
    identifiable_dimension,
    same_function,
)
from errsrc.settings import BandTeacher, NetworkFunctions
from errsrc.training import Recipe, losses
from errsrc.training.objectives import SquaredError

torch.set_num_threads(1)

NETWORKS = [
    FourierFeatures(2, 2, (5, 3), "tanh"),
    FourierFeatures(2, 2, (3,)),
    FilterNetwork(2, (1, 2, 1), (5, 4, 6, 3)),
    FilterNetwork(2, (3,), (5, 3)),
    SineNetwork((2, 5, 4, 3), 7.0),
]
EVERY = pytest.mark.parametrize("network", NETWORKS, ids=str)


def rng(seed=0):
    return np.random.default_rng(seed)


def moved(network, members=3, seed=0):
    """Initial weights plus noise, so that biases are not 0."""
    noise = torch.Generator().manual_seed(seed)
    drawn = network.draw(range(members), dtype=torch.float64)
    return tuple(w + 0.3 * torch.randn(w.shape, generator=noise, dtype=w.dtype) for w in drawn)


@EVERY
def test_weights_have_the_counted_size_and_shared_inputs_are_repeated_ones(network):
    weights, x = moved(network), 6 * torch.rand(7, 2, dtype=torch.float64)
    assert sum(w[0].numel() for w in weights) == network.parameters
    assert network(weights, x).shape == (3, 7, 3)
    assert (network.inputs, network.outputs) == (2, 3)
    torch.testing.assert_close(network(weights, x), network(weights, x.expand(3, -1, -1).contiguous()))
    alone = tuple(w[1:2] for w in weights)
    torch.testing.assert_close(network(weights, x)[1:2], network(alone, x))


@EVERY
def test_slopes_by_hand_are_those_of_the_graph(network):
    weights = tuple(w.requires_grad_() for w in moved(network))
    x, y = 6 * torch.rand(3, 7, 2, dtype=torch.float64), torch.randn(3, 7, 3, dtype=torch.float64)
    expected = torch.autograd.grad(losses(network(weights, x), y, "squared").sum(), weights)
    share = torch.full((1, 1), 1 / 7, dtype=torch.float64)
    for slopes in (type(network).gradients, Network.gradients):
        out = tuple(torch.full_like(w, torch.nan).detach() for w in weights)
        slopes(network, weights, x, lambda outputs: SquaredError().loss_and_gradient(outputs, y, share), out)
        for one, other in zip(out, expected, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("network", "degree"),
    [
        (FilterNetwork(1, (3, 2, 4), (6, 7, 5, 1)), 9),
        (FilterNetwork(2, (1, 1, 1), (9, 8, 7, 1)), 3),
        (FilterNetwork(2, (2, 2), (9, 8, 1)), 4),
        (FilterNetwork(3, (1, 1), (9, 8, 1)), 2),
        (FourierFeatures(2, 3, (1,)), 3),
    ],
    ids=str,
)
def test_all_energy_lies_in_the_band_and_up_to_its_edge(network, degree):
    """By FFT on a grid of 4 degree + 4 points a side, without aliasing up to twice the band."""
    side = 4 * degree + 4
    axis = torch.arange(side, dtype=torch.float64) * (2 * torch.pi / side)
    grid = torch.cartesian_prod(*[axis] * network.inputs).view(-1, network.inputs)
    values = network(moved(network), grid)[:, :, 0].view(3, *[side] * network.inputs)
    axes = tuple(range(1, network.inputs + 1))
    energy = torch.fft.fftn(values, dim=axes, norm="forward").abs().square()
    k = torch.fft.fftfreq(side, 1 / side).abs().round()
    largest = torch.cartesian_prod(*[k] * network.inputs).view(-1, network.inputs).amax(1)
    energy = energy.flatten(1) / energy.flatten(1).sum(1, keepdim=True)
    assert (energy[:, largest > degree].sum(1) < 1e-27).all()
    assert (energy[:, largest == degree].sum(1) > 1e-6).all()


def test_the_functions_of_a_wide_filter_network_have_the_dimension_of_the_band():
    grid = torch.from_numpy(Torus(3, 2).quadrature(4)[0])
    network = FilterNetwork(2, (1, 2), (12, 12, 1))
    assert identifiable_dimension(network, moved(network), grid).dimension.tolist() == [49] * 3


def test_a_hidden_layer_leaves_the_band():
    network = FourierFeatures(1, 2, (8, 1), "tanh")
    grid = torch.from_numpy(Torus(20).quadrature(20)[0])
    spectrum = torch.fft.rfft(network(moved(network), grid)[:, :, 0]).abs()
    assert (spectrum[:, 3:].amax(1) > 1e-3 * spectrum.amax(1)).all()


def test_fourier_features_are_an_mlp_on_the_fourier_basis():
    """Features of degree 1 in two dimensions by hand."""
    network, x = FourierFeatures(2, 1, (4, 1), "tanh"), 6 * torch.rand(9, 2, dtype=torch.float64)
    a, b = x.unbind(1)
    angle = torch.stack([b, a - b, a, a + b], 1)
    features = 2**0.5 * torch.cat([angle.cos(), angle.sin()], 1)
    weights = moved(network)
    torch.testing.assert_close(network(weights, x), MLP((8, 4, 1), "tanh")(weights, features))


def test_a_filter_network_is_what_its_paper_says():
    network, x = FilterNetwork(2, (1, 2, 1), (5, 5, 5, 1)), 6 * torch.rand(9, 2, dtype=torch.float64)
    weights = [w[0] for w in moved(network, 1)]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    phi = {d: _basis(x, d) for d in (1, 2)}
    g = [phi[d] @ a.T + c for d, (a, c) in zip((1, 2, 1), pairs[:3], strict=True)]
    z = (g[0] @ pairs[3][0].T + pairs[3][1]) * g[1]
    z = (z @ pairs[4][0].T + pairs[4][1]) * g[2]
    expected = z @ pairs[5][0].T + pairs[5][1]
    torch.testing.assert_close(network(tuple(w[None] for w in weights), x)[0], expected)


def _basis(x, degree):
    """The Fourier basis without 1, in the networks' order of features."""
    one = FourierFeatures(2, degree, (1,))
    count = one.parameters - 1
    identity = torch.eye(count, dtype=x.dtype)[:, None]  # a member for each feature
    return one((identity, torch.zeros(count, 1, dtype=x.dtype)), x)[:, :, 0].T


def test_features_are_the_basis_in_another_order():
    x = rng().uniform(0, 2 * np.pi, (11, 2))
    ours, theirs = _basis(torch.from_numpy(x), 2).numpy(), Torus(2, 2)(x)[:, 1:]
    match = np.abs(ours[:, :, None] - theirs[:, None]).max(0) < 1e-12
    match |= np.abs(ours[:, :, None] + theirs[:, None]).max(0) < 1e-12  # sines of -k
    assert (match.sum(0) == 1).all()
    assert (match.sum(1) == 1).all()


@pytest.mark.full
def test_a_start_gives_units_of_mean_square_one():
    x = 2 * torch.pi * torch.rand(400, 2, dtype=torch.float64)
    network = FilterNetwork(2, (1, 1, 1), (64, 64, 64, 1))
    outputs = network(network.draw(range(200), dtype=torch.float64), x)
    assert float(outputs.square().mean()) == pytest.approx(1, rel=0.3)


def test_a_sine_network_starts_with_the_published_variances():
    network = SineNetwork((2, 300, 400, 1), 10.0)
    weights = network.draw([0, 1], dtype=torch.float64)
    stds = [3**-0.5 / 2, 6**-0.5, (2 / 300) ** 0.5 / 10, 900**-0.5, (2 / 400) ** 0.5 / 10, 1200**-0.5]
    for w, std in zip(weights[:5], stds[:5], strict=True):
        assert float(w.square().mean().sqrt()) == pytest.approx(std, rel=4 / np.sqrt(2 * w.numel()))
    assert network.initial_stds() == pytest.approx(stds)
    x = torch.rand(7, 2, dtype=torch.float64)
    scaled = (*(10 * w for w in weights[:4]), *weights[4:])
    torch.testing.assert_close(network(weights, x), MLP((2, 300, 400, 1), "sine")(scaled, x))


@EVERY
def test_a_network_of_other_sizes_is_the_same_but_for_them(network):
    other = network.resized(1, 2)
    assert (other.inputs, other.outputs) == (1, 2)
    assert other.resized(2, 3) == network
    student = NetworkStudent(network, Recipe(loss="squared"))
    assert student.resized(1, None).architecture == network.resized(1, 1)


@EVERY
def test_embeddings_are_refused_in_one_sentence(network):
    weights = moved(network)
    assert not embeds(network, network)
    with pytest.raises(ValueError, match="'large' parameter of embed"):
        embed(network, weights, network)
    with pytest.raises(
        TypeError, match="'small' parameter of same_function must be an MLP, a QuadraticNetwork or a CNN"
    ):
        same_function(network, weights, network, weights, torch.rand(4, 2))


@EVERY
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_students_trained_together_are_those_trained_alone(network, optimiser):
    recipe = Recipe(
        optimiser, learning_rate=0.003, loss="squared", batch=16, evaluation_interval=5, min_steps=10
    )
    student = NetworkStudent(network, recipe, steps=8, precision="float64")
    assert student.function_class == NetworkFunctions(network)
    world = BandTeacher(Torus(1, 2), outputs=3)
    xs = [world.inputs(n, rng(n)) for n in (12, 30, 21)]
    ys = [world.teacher(rng(len(x)))(x) for x in xs]
    together = student.fit_many(xs, ys, [rng(k) for k in range(3)])
    at = world.inputs(20, rng(9))
    for k, one in enumerate(together):
        np.testing.assert_allclose(one(at), student.fit(xs[k], ys[k], rng(k))(at), rtol=1e-6, atol=1e-8)


@pytest.mark.full
def test_a_filter_network_without_training_error_is_the_teacher():
    """L-BFGS finds the teacher from n = 2 M examples, and does not from n < M."""
    world = BandTeacher(Torus(2, 2))
    network = FilterNetwork(2, (1, 1), (24, 24, 1))
    student = NetworkStudent(
        network,
        Recipe("lbfgs", loss="squared", evaluation_interval=100),
        steps=600,
        validation=0.0,
        precision="float64",
    )
    teachers = [world.teacher(rng(k)) for k in range(2)]
    xs = [world.inputs(n, rng(n)) for n in (50, 20)]
    fitted = student.fit_many(xs, [f(x) for f, x in zip(teachers, xs, strict=True)], [rng(0), rng(1)])
    points, _ = world.basis.quadrature(4)
    enough, few = (
        float(((g(points) - f(points)) ** 2).mean() / (f(points) ** 2).mean())
        for g, f in zip(fitted, teachers, strict=True)
    )
    assert all(one.function.trained[0].train_loss < 1e-11 for one in fitted)
    assert enough < 1e-9
    assert few > 1e-2


def test_descent_reaches_the_same_linear_head_as_least_squares():
    world = BandTeacher(Torus(1, 2))
    x = world.inputs(40, rng())
    y = world.teacher(rng(1))(x)
    exact = BandLeastSquares(world.basis).fit(x, y, rng())
    recipe = Recipe("lbfgs", loss="squared")
    student = NetworkStudent(FourierFeatures(2, 1, (1,)), recipe, 300, 0.0, precision="float64")
    at = world.inputs(30, rng(2))
    np.testing.assert_allclose(student.fit(x, y, rng())(at), exact(at), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FourierFeatures(0, 1, (1,)), "'dim' parameter of FourierFeatures"),
        (lambda: FourierFeatures(1, 0, (1,)), "'degree' parameter of FourierFeatures"),
        (lambda: FourierFeatures(10, 3, (1,)), "'degree' .* at most 1,048,576 frequencies in 10 dimensions"),
        (lambda: FourierFeatures(1, 1, ()), "'sizes' parameter of FourierFeatures"),
        (lambda: FourierFeatures(1, 1, (1,), "cos"), "'activation'"),
        (lambda: FilterNetwork(1, (), (1,)), "'degrees' parameter of FilterNetwork"),
        (lambda: FilterNetwork(1, (1, 0), (4, 4, 1)), "'degrees' parameter of FilterNetwork"),
        (lambda: FilterNetwork(1, (1, 1), (4, 1)), "'sizes' .* 2 widths, one for each degree"),
        (lambda: FilterNetwork(1, (1,), (0, 1)), "'sizes' parameter of FilterNetwork"),
        (lambda: SineNetwork((2, 4, 1), 0.0), "'w0' parameter of SineNetwork"),
        (lambda: LowPass("mlp"), "'learner' parameter of LowPass"),
        (lambda: LowPass(basis=3), "'basis' parameter of LowPass"),
        (lambda: LowPass(oversampling=0), "'oversampling' parameter of LowPass"),
        (lambda: LowPass(basis=Torus(3), sample=6), "'sample' .* 0, or an integer >= M = 7"),
        (lambda: LowPass().fit(np.zeros((4, 2)), np.zeros(4), rng()), r"angles in radians of shape \(N, 1\)"),
    ],
)
def test_refusals_name_the_field(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
