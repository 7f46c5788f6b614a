"""The learner that is told the network's architecture, and the second-order fits it is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from errsrc.learners import NetworkClass
from errsrc.learners.levenberg_marquardt import LevenbergMarquardt
from errsrc.learners.recovered_network import (
    ZERO_ERROR,
    in_separate_flats,
    mirrored_pairs,
    on_grid,
    products_are_dependent,
    subsets_are_dependent,
)
from errsrc.nets import CNN, MLP, QuadraticNetwork, jacobian
from errsrc.nets.layers import ACTIVATIONS
from errsrc.settings import NetworkFunctions, NetworkTeacher
from errsrc.sources import budget
from errsrc.studies import parse

SMALL = MLP((2, 2, 1), "tanh")  # P = 9


def world(architecture: MLP, n: int, seed: int = 0):
    """Examples, fresh inputs and a teacher's values there."""
    rng, setting = np.random.default_rng(seed), NetworkTeacher(architecture)
    teacher, x, fresh = setting.teacher(rng), setting.inputs(n, rng), setting.inputs(500, rng)
    return x, teacher(x), fresh, teacher(fresh), rng


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_jacobian_by_hand_is_the_graphs(activation: str) -> None:
    network = MLP((3, 4, 5, 2), activation)
    weights = network.draw([0, 1], network.prior_stds(1.0, 0.5), torch.float64)
    x = torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = jacobian(network, weights, x)
    flat = network.flatten(weights).requires_grad_()
    for member in range(2):
        graph = torch.autograd.functional.jacobian(
            lambda w, member=member: network(network.unflatten(w[None]), x[member : member + 1])[0].flatten(),
            flat[member],
        )
        torch.testing.assert_close(found[member], graph, rtol=1e-12, atol=1e-14)


def test_each_problem_of_many_ends_where_scipy_ends_alone() -> None:
    """At minima with residuals left, and as it would without the others."""
    rng = np.random.default_rng(1)
    t, y = np.linspace(0, 1, 12), rng.standard_normal(12)
    times, targets = torch.from_numpy(t), torch.from_numpy(y)

    def residuals(p):
        return targets - p[:, :1] * torch.exp(p[:, 1:] * times)

    def linearised(p):
        e = torch.exp(p[:, 1:] * times)
        return torch.stack([e, p[:, :1] * times * e], 2)

    starts = torch.tensor([[1.0, 0.0], [-1.0, -1.0], [0.5, 1.0]], dtype=torch.float64)
    run = LevenbergMarquardt(residuals, linearised, starts)
    alone = LevenbergMarquardt(residuals, linearised, starts[1:2])
    for _ in range(60):
        run.step()
        alone.step()
    torch.testing.assert_close(run.point[1:2], alone.point, rtol=1e-9, atol=1e-9)
    for start, loss in zip(starts, run.loss, strict=True):
        known = least_squares(lambda p: y - p[0] * np.exp(p[1] * t), start.numpy(), method="lm")
        assert float(loss) == pytest.approx(2 * known.cost / 12, rel=1e-8)


@pytest.mark.parametrize(
    ("n", "certificate"), [(10, "almost every teacher"), (18, "almost every teacher"), (19, "every teacher")]
)
def test_a_certified_function_is_the_teacher_within_its_bound(n: int, certificate: str) -> None:
    for seed in range(3):
        x, y, fresh, values, rng = world(SMALL, n, seed)
        found = NetworkClass(SMALL, starts=256).fit(x, y, rng)
        function = found.function
        assert function.certificate == certificate
        assert function.certified
        assert function.training_error <= 1e-24
        assert np.square(found(fresh) - values).mean() <= 1e-12 * values.var()
        assert (np.abs(found(fresh) - values) <= function.error_bound(fresh)).all()
        assert function.solved_share.low > 0
        assert "the teacher" in function.status


def test_zero_training_error_with_too_few_inputs_is_no_certificate() -> None:
    """Nor do repeated inputs count: a wrong function fits the P - 1 of them exactly."""
    x, y, fresh, values, rng = world(SMALL, 8)
    found = NetworkClass(SMALL, starts=64).fit(np.tile(x, (3, 1)), np.tile(y, 3), rng)
    assert found.function.training_error <= 1e-24
    assert np.square(found(fresh) - values).mean() > 1e-6 * values.var()
    assert found.function.certificate == "none"
    assert "many functions" in found.function.status


DEGENERATE = {
    "equal columns": (SMALL, lambda rng: np.repeat(rng.standard_normal((19, 1)), 2, axis=1), 2.0),
    "a line": (SMALL, lambda rng: rng.standard_normal((19, 1)) * [[1.0, -0.3]] + [[0.2, 1.0]], 2.0),
    "a constant column": (SMALL, lambda rng: np.c_[rng.standard_normal(19), np.full(19, 0.7)], 2.0),
    "sines on a grid": (MLP((1, 2, 1), "sine"), lambda rng: np.arange(15.0)[:, None], 5.0),
    "linear on a line": (
        MLP((2, 1), "linear"),
        lambda rng: np.repeat(np.arange(9.0)[:, None], 2, axis=1),
        1.0,
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_inputs_that_do_not_identify_the_parameters_give_no_certificate(name: str) -> None:
    """Zero training error is reached, with a wrong function elsewhere."""
    architecture, inputs, weight_std = DEGENERATE[name]
    solved = 0
    for seed in range(3, 5):
        rng = np.random.default_rng(seed)
        teacher, x = NetworkTeacher(architecture, weight_std).teacher(rng), inputs(rng)
        function = NetworkClass(architecture, starts=64, steps=400).fit(x, teacher(x), rng).function
        assert not function.certified
        solved += function.training_error <= 1e-24
        if function.training_error <= 1e-24:
            assert "no certificate" in function.status
    assert solved > 0 or name == "a constant column"  # of which the fit is singular


def test_of_two_mirrored_inputs_one_counts() -> None:
    """At three pairs x, -x, other weights of a 2-1-1 network of 5 parameters give the same 6 labels."""
    rng = np.random.default_rng(0)
    half = rng.standard_normal((8, 2))
    assert mirrored_pairs(half) == 0
    assert mirrored_pairs(np.concatenate([half, 3 - half])) == 8
    network = MLP((2, 1, 1), "tanh")
    for n, certificate in ((3, "none"), (6, "almost every teacher")):
        x = np.concatenate([half[:n], -half[:n]])
        teacher = NetworkTeacher(network).teacher(np.random.default_rng(1))
        function = NetworkClass(network, starts=64).fit(x, teacher(x), rng).function
        assert function.training_error <= 1e-24
        assert function.certificate == certificate


def test_inputs_on_a_grid_are_found_in_any_orientation() -> None:
    rng = np.random.default_rng(0)
    for dim in (1, 2, 3):
        steps, turn = rng.integers(-5, 6, (40, dim)), rng.standard_normal((dim, dim))
        assert on_grid(steps @ turn + rng.standard_normal(dim))
        assert not on_grid(rng.standard_normal((40, dim)))
    assert on_grid(np.c_[rng.standard_normal((40, 4)), rng.integers(3, size=40)])


def test_labels_that_no_network_of_the_class_has_are_never_certified() -> None:
    x, _, _, _, rng = world(SMALL, 30)
    function = NetworkClass(SMALL, starts=40).fit(x, rng.standard_normal(30), rng).function
    assert not function.certified
    assert (function.starts_solved, function.starts_ended, function.starts_begun) == (0, 40, 40)
    assert function.solved_share.high == pytest.approx(1 - 0.05 ** (1 / 40))
    assert "None of 40 starts" in function.status


def test_units_and_offsets_do_not_matter() -> None:
    x, y, fresh, values, rng = world(SMALL, 19)
    state = rng.bit_generator.state
    plain = NetworkClass(SMALL).fit(x, y, rng)
    rng.bit_generator.state = state
    other = NetworkClass(SMALL).fit(1000 * x - 5000, 1e-3 * y + 1, rng)
    assert other.function.certified
    np.testing.assert_allclose(other(1000 * fresh - 5000), 1e-3 * values + 1, rtol=1e-9)
    np.testing.assert_allclose(plain(fresh), values, rtol=1e-9, atol=1e-9)


def test_several_outputs_and_layers() -> None:
    network = MLP((2, 2, 2, 2), "sine")
    x, y, fresh, values, rng = world(network, 40)
    found = NetworkClass(network, starts=512).fit(x, y, rng)
    assert found.function.certified
    np.testing.assert_allclose(found(fresh), values, atol=1e-8)
    assert (np.linalg.norm(found(fresh) - values, axis=1) <= found.function.error_bound(fresh)).all()
    assert NetworkClass(network).function_class == NetworkFunctions(network)


def test_what_the_theorem_is_not_about_is_refused() -> None:
    for architecture in (MLP((2, 2, 1), "relu"), CNN(8, 2, 1)):
        with pytest.raises(ValueError, match="'architecture' parameter of NetworkClass must be an MLP whose"):
            NetworkClass(architecture)
    with pytest.raises(ValueError, match="'x' parameter of NetworkClass"):
        NetworkClass(SMALL).fit(np.zeros((4, 3)), np.zeros(4), np.random.default_rng(0))
    with pytest.raises(ValueError, match="'y' parameter of NetworkClass"):
        NetworkClass(SMALL).fit(np.zeros((4, 2)), np.zeros((4, 2)), np.random.default_rng(0))


SPEC = """
kind = "budget"
[cell]
draws = 3
setting = {kind = "network-teacher", architecture = {kind = "mlp", sizes = [2, 2, 1], activation = "tanh"}}
learner = {kind = "network-class", architecture = {kind = "mlp", sizes = [2, 2, 1], activation = "tanh"}}
[factors]
n = [19]
"""


def test_a_budget_of_it_has_no_deficiency_from_2_p_plus_1_on() -> None:
    """By a spec, as it is written for other network students."""
    (cell,) = parse(SPEC)
    found = budget(cell.setting, cell.learner, 19, draws=3)
    assert found.total.estimate < 1e-20
    assert abs(found.deficiency.upper.high) < 1e-20


def quadratic(inputs, n, width=2, seed=1):
    """The function that the search finds from the labels of a quadratic teacher at some inputs."""
    network, rng = QuadraticNetwork(6, width), np.random.default_rng(seed)
    teacher, x = NetworkTeacher(network, 1.0).teacher(rng), inputs(rng, n)
    found = NetworkClass(network, starts=64, together=8).fit(x, 3 * teacher(x), rng).function
    return teacher, found


@pytest.mark.parametrize(
    ("n", "certificate"),
    [(11, "none"), (12, "almost every teacher"), (17, "almost every teacher"), (18, "every teacher")],
)
def test_quadratic_networks_are_certified_by_their_degrees_of_freedom(n, certificate):
    teacher, found = quadratic(lambda rng, n: rng.standard_normal((n, 6)), n)
    assert found.training_error <= ZERO_ERROR
    assert found.certificate == certificate
    if found.certified:
        fresh = np.random.default_rng(0).standard_normal((100, 6))
        assert (np.abs(found(fresh) - 3 * teacher(fresh)) <= found.error_bound(fresh)).all()
        assert found.condition < 1e4


def test_quadratic_networks_have_no_certificate_on_the_boolean_cube():
    _, found = quadratic(lambda rng, n: 1.0 - 2 * rng.integers(2, size=(n, 6)), 40)
    assert found.training_error <= ZERO_ERROR
    assert not found.certified


def test_inputs_in_two_orthogonal_subspaces_certify_no_quadratic_network():
    """The labels do not depend on the sign of one of the two parts of the weights."""
    rng, network = np.random.default_rng(2), QuadraticNetwork(4, 1)
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    x = rng.standard_normal((6, 4)) * np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 3, axis=0) @ turn
    first = turn[:2].T @ turn[:2]  # projects on the first subspace
    w = torch.from_numpy(rng.standard_normal(4))
    teacher, other = ((part[None, None],) for part in (w, w @ torch.from_numpy(2 * first - np.eye(4))))
    y = network(teacher, torch.from_numpy(x))[0, :, 0].numpy()
    np.testing.assert_allclose(network(other, torch.from_numpy(x))[0, :, 0], y, atol=1e-12)
    found = NetworkClass(network, starts=8).fit(x, y, rng).function
    assert found.training_error < 1e-24
    assert not found.certified
    assert "linear relations" in found.status
    assert not subsets_are_dependent(rng.standard_normal((6, 4)))


def test_inputs_in_separate_lines_certify_no_network():
    """The labels of a square do not depend on the sign of its argument in one of two skew lines."""
    rng, network = np.random.default_rng(7), MLP((3, 1, 1), "square")
    places, directions = rng.standard_normal((2, 2, 3))
    side = np.arange(14) % 2
    x = places[side] + rng.standard_normal((14, 1)) * directions[side]
    teacher = NetworkTeacher(network, 2.0).teacher(rng)
    found = NetworkClass(network, starts=8, steps=200).fit(x, teacher(x), rng).function
    assert found.training_error < 1e-24
    assert not found.certified
    assert "separate points, lines or planes" in found.status
    assert in_separate_flats(x)
    assert not in_separate_flats(rng.standard_normal((5, 3)))
    assert not in_separate_flats(rng.standard_normal((2000, 1)))


def test_inputs_with_linear_relations_of_their_products_are_seen():
    rng = np.random.default_rng(0)
    assert not products_are_dependent(rng.standard_normal((40, 6)))
    mirrored = rng.standard_normal((10, 6))
    assert products_are_dependent(np.concatenate([mirrored, -mirrored]))
    assert products_are_dependent(
        np.column_stack([rng.standard_normal((20, 5)), rng.choice([-2.0, 2.0], 20)])
    )
    equal = rng.standard_normal((9, 6))  # fewer than the products, which are independent
    equal[:, 1] = equal[:, 0]
    assert products_are_dependent(equal)
    blocks = rng.standard_normal((9, 6)) * (np.arange(6) < 3)
    blocks[::2] = blocks[::2, ::-1]
    assert products_are_dependent(blocks)
    assert products_are_dependent(rng.choice([-1.0, 0.0, 1.0], (60, 1)) * np.ones((1, 6)))
