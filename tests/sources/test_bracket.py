"""Jacobians, chains and the bracket of a network teacher's uncertainty, where no chance is involved."""

import functools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from network_draws import draws

from errsrc.nets import CNN, MLP, identifiable_dimension, jacobian
from errsrc.settings import Clean, Flips, Gaussian, NetworkTeacher
from errsrc.sources import Effort, uncertainty_bracket
from errsrc.sources.bracket.upper import choose
from errsrc.training.hamiltonian import (
    NetworkPosterior,
    lagged_distance,
    run_chains,
    run_constrained_chains,
    two_sided_path,
)

torch.set_num_threads(1)

TINY = Effort(starts=2, steps=8, chains=2, transitions=4, leaps=8)


def target(network, chains=3, n=4, noise_std=0.3, bias_std=1.0, seed=0):
    """A target, its teachers' z, and points."""
    rng = torch.Generator().manual_seed(seed)
    stds = network.prior_stds(1.0, bias_std)
    weights = network.draw(range(chains), stds, torch.float64)
    x, points = torch.randn(2, chains, n, network.inputs, generator=rng, dtype=torch.float64)
    y = network(weights, x)
    out = NetworkPosterior(network, stds, x, y, noise_std)
    return out, out.whitened(weights), points


@pytest.mark.parametrize("network", [MLP((2, 3, 2), "tanh"), MLP((3, 1)), CNN(4, 2, 2)])
def test_a_jacobian_holds_the_differences_of_outputs(network):
    weights = network.draw([0, 1], network.prior_stds(1.0, 0.5), torch.float64)
    x = torch.randn(5, network.inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    flat, found = network.flatten(weights), jacobian(network, weights, x)
    assert found.shape == (2, 5 * network.outputs, network.parameters)
    assert found.dtype == torch.float64
    for p in range(network.parameters):
        move = torch.zeros_like(flat)
        move[:, p] = 1e-6
        ends = [network(network.unflatten(flat + sign * move), x).flatten(1) for sign in (1, -1)]
        torch.testing.assert_close(found[:, :, p], (ends[0] - ends[1]) / 2e-6, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize(
    ("network", "n", "dimension"),
    [
        (MLP((3, 1)), 50, 4),
        (MLP((3, 1)), 2, 2),
        (MLP((2, 2, 1), "linear"), 50, 3),  # the functions are affine, whatever the 9 parameters
        (MLP((3, 3, 1), "tanh"), 50, 16),
        (MLP((3, 3, 1), "tanh"), 10, 10),
        (MLP((3, 3, 1), "relu"), 2000, 13),  # each unit's gain can be moved to the weight behind it
    ],
)
def test_the_identifiable_dimension_of_known_classes(network, n, dimension):
    weights = network.draw([3, 4], network.prior_stds(1.0, 0.3), torch.float64)
    x = torch.randn(n, network.inputs, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = identifiable_dimension(network, weights, x)
    assert found.dimension.tolist() == [dimension, dimension]
    assert (found.condition >= 1).all()
    assert (found.margin > 1e3).all()


def test_equal_units_and_fixed_parameters_lower_the_dimension():
    network = MLP((2, 2, 1), "tanh")
    weights = network.draw([0], network.prior_stds(1.0, 1.0), torch.float64)
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    free = torch.ones(9, dtype=torch.bool)
    free[4:6] = False
    assert identifiable_dimension(network, weights, x, free).dimension.tolist() == [7]
    for w in weights[:2]:
        w[:, 1] = w[:, 0]
    assert identifiable_dimension(network, weights, x).dimension.tolist() == [5]
    with pytest.raises(ValueError, match="'free' parameter of identifiable_dimension must be bool"):
        identifiable_dimension(network, weights, x, free[:3])


@pytest.mark.parametrize("network", [MLP((2, 3, 2), "tanh"), CNN(4, 1, 2)])
def test_a_target_is_prior_times_likelihood(network):
    own, z, _ = target(network)
    z = z + 0.1
    energy, slope = own(z)
    torch.testing.assert_close(energy, (own.misfit(z) + z.square().sum(1)) / 2)
    for p in range(network.parameters):
        move = torch.zeros_like(z)
        move[:, p] = 1e-5
        torch.testing.assert_close(
            slope[:, p], (own(z + move)[0] - own(z - move)[0]) / 2e-5, rtol=1e-5, atol=1e-5
        )
    numbers = torch.tensor([2, 0])
    torch.testing.assert_close(own(z[numbers], numbers)[0], energy[numbers])
    torch.testing.assert_close(own.repeated(2)(z.repeat_interleave(2, 0))[0][1::2], energy)


def test_parameters_that_the_prior_fixes_stay():
    own, z, points = target(MLP((2, 3, 1), "tanh"), bias_std=0.0)
    path = run_chains(own, z, torch.full((3,), 0.1).double(), 4, 3, torch.Generator().manual_seed(0), points)
    for place, moved in zip(own.weights(path.state), (True, False, True, False), strict=True):
        assert bool((place != 0).all()) == moved
    torch.testing.assert_close(own.whitened(own.weights(z)), z)


def test_a_walk_is_its_seed_and_keeps_its_energy_at_small_steps():
    own, z, points = target(MLP((2, 3, 1), "tanh"))
    step = torch.full((3,), 0.02).double()
    paths = [run_chains(own, z, step, 5, 4, torch.Generator().manual_seed(1), points) for _ in range(2)]
    assert torch.equal(paths[0].values, paths[1].values)
    assert paths[0].values.shape == (4, 3, 4, 1)
    assert (paths[0].acceptance == 1).all()
    torch.testing.assert_close(paths[0].values[-1], own.values(paths[0].state, points))
    torch.testing.assert_close(paths[0].energy, own(paths[0].state)[0])
    wild = run_chains(own, z, 1e3 * step, 5, 4, torch.Generator().manual_seed(1))
    assert torch.equal(wild.state, z)
    assert (wild.acceptance == 0).all()


def test_a_slide_stays_on_the_solutions():
    own, z, points = target(MLP((2, 3, 1), "tanh"), chains=8)
    path = run_constrained_chains(
        own, z, torch.full((8,), 0.3).double(), 4, 6, torch.Generator().manual_seed(0), points
    )
    assert path.values.shape == (6, 8, 4, 1)
    assert float(path.acceptance.mean()) > 0.3
    assert float((path.state - z).norm(dim=1).mean()) > 0.5
    assert float((own.values(path.state, own.x) - own.y).abs().max()) < 1e-9


def test_distances_are_read_at_even_lags_alone():
    values = torch.arange(7.0)[:, None, None, None] ** 2
    assert lagged_distance(values, 6).tolist() == [36**2 / 2]
    assert lagged_distance(values, 4).tolist() == pytest.approx([np.mean([16**2, 24**2, 32**2]) / 2])
    for lag, what in ((3, "an even number. Got 3"), (0, ">= 1"), (8, "<= 6")):
        with pytest.raises(ValueError, match=what):
            lagged_distance(values, lag)


def test_two_chains_from_one_start_are_one_path():
    path = torch.tensor([[1.0, -1.0], [2.0, -2.0]])
    assert two_sided_path(path, torch.zeros(1)).tolist() == [[2.0], [1.0], [0.0], [-1.0], [-2.0]]


def test_no_draw_chooses_its_own_candidate():
    portfolio = {"even": np.array([1.0, 9.0, 1.0, 9.0]), "odd": np.array([8.0, 2.0, 8.0, 2.0])}
    values, name = choose(portfolio)
    assert values.tolist() == [8.0, 9.0, 8.0, 9.0]  # what is best where it is not judged
    assert name == "even"
    assert choose({"a": np.array([1.0]), "b": np.array([2.0])})[1] == "b"


@pytest.mark.parametrize("activation", ["tanh", "sine", "gelu"])
def test_noiseless_labels_determine_an_analytic_network(activation):
    setting = NetworkTeacher(MLP((2, 2, 1), activation), 1.0, 1.0)
    found = uncertainty_bracket(setting, *draws(setting, 19), seed=0)
    assert not found.lower.any()
    assert not found.upper.any()
    assert found.determined
    assert "2P + 1" in found.status
    assert "rank 9 " in found.status
    assert found.samples.shape == (4, 1, 16, 1)


@dataclass(frozen=True)
class OnALine(NetworkTeacher):
    """Labelled inputs with two equal columns, or only two different ones; fresh inputs are normal."""

    line: bool = True

    def inputs(self, count, rng):
        if self.line:
            return np.repeat(rng.standard_normal((count, 1)), 2, axis=1)
        return rng.integers(2, size=(count, 2)) * 1.0

    def fresh(self, count, rng):
        return rng.standard_normal((count, 2))


@pytest.mark.parametrize("line", [True, False])
def test_inputs_of_a_users_setting_that_are_not_generic_determine_nothing(line):
    setting = OnALine(MLP((2, 1, 1), "tanh"), 1.0, 1.0, line=line)
    found = uncertainty_bracket(setting, *draws(setting, 11), seed=0, effort=TINY)
    assert not found.determined


@pytest.mark.full
def test_below_that_and_for_relu_there_are_bounds():
    tanh = NetworkTeacher(MLP((2, 2, 1), "tanh"), 1.0, 1.0)
    few = uncertainty_bracket(tanh, *draws(tanh, 4), seed=0, effort=TINY)
    assert (few.lower > 0).all()
    assert not few.determined
    assert "constrained" in few.status
    between = uncertainty_bracket(tanh, *draws(tanh, 12), seed=0, effort=TINY)
    assert not between.lower.any()
    assert (between.upper > 0).all()
    relu = NetworkTeacher(MLP((2, 2, 1), "relu"), 1.0, 1.0)
    found = uncertainty_bracket(relu, *draws(relu, 40), seed=0, effort=TINY)
    assert not found.lower.any()
    assert "a smooth set" in found.status


@pytest.mark.full
def test_members_are_single_students_of_the_architecture():
    setting = NetworkTeacher(MLP((2, 2, 1), "tanh"), 1.0, 1.0, channel=Gaussian(0.1))
    data = draws(setting, 10)
    same, wider, narrower = (
        uncertainty_bracket(setting, *data, seed=0, student=MLP((2, width, 1), "tanh"), effort=TINY)
        for width in (2, 4, 1)
    )
    assert same.members == wider.members == ("best student", "most probable", "distilled")
    assert narrower.members == ("distilled",)
    assert np.array_equal(same.lower, narrower.lower)
    assert np.array_equal(narrower.upper_member, narrower.portfolio["distilled"])
    assert same.samples.shape == (4, 3, 16, 1)
    taught = np.stack([teacher(at) for teacher, at in zip(data[0], data[3], strict=True)])
    np.testing.assert_allclose(same.samples[:, 0, :, 0], taught)
    assert same.distance(np.zeros((4, 16))) == pytest.approx((same.samples**2).mean((1, 2, 3)))


def test_what_a_bracket_is_given_must_fit():
    setting = NetworkTeacher(MLP((2, 2, 1), "tanh"), 1.0, 1.0, channel=Gaussian(0.1))
    teachers, xs, ys, at = draws(setting, 10)
    run = functools.partial(uncertainty_bracket, seed=0, effort=TINY)
    with pytest.raises(ValueError, match="'xs' parameter of uncertainty_bracket must be 4 arrays"):
        run(setting, teachers, xs[:3], ys, at)
    with pytest.raises(ValueError, match="'ys' parameter of uncertainty_bracket must be"):
        run(setting, teachers, xs, [ys[0][:5], *ys[1:]], at)
    other = NetworkTeacher(MLP((2, 3, 1), "tanh"))
    with pytest.raises(ValueError, match="'teachers' parameter of uncertainty_bracket must be networks of"):
        run(other, teachers, xs, ys, at)
    with pytest.raises(TypeError, match="must be a NetworkTeacher"):
        run(3, teachers, xs, ys, at)
    classes = NetworkTeacher(MLP((2, 2, 2)), loss="zero-one", channel=Flips(0.1))
    with pytest.raises(ValueError, match="a setting of the squared loss"):
        run(classes, *draws(classes, 10))
    clean = NetworkTeacher(MLP((2, 2, 1), "tanh"), 1.0, 1.0, channel=Clean())
    with pytest.raises(ValueError, match="'ys' parameter of uncertainty_bracket must be the teachers'"):
        run(clean, teachers, xs, ys, at)
    with pytest.raises(ValueError, match="'chains' parameter of Effort must be an even number"):
        Effort(chains=3)
