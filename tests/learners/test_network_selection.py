"""The learner that is given a bound on the network's size: what it accepts, and what it says about it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from errsrc import budget
from errsrc.conjecture import Example, examine
from errsrc.learners import NetworkSelection
from errsrc.learners.wide_starts import _rank_one
from errsrc.nets import MLP, QuadraticNetwork
from errsrc.settings import NetworkFunctions, NetworkTeacher

torch.set_num_threads(1)

TANH = MLP((2, 4, 1), "tanh")  # P = 17, and 5 and 9 for the sizes 1 and 2
QUADRATIC = QuadraticNetwork(6, 6)


def selected(teacher, largest, n, seed=0, **changed):
    """The teacher of a network, and the function that is selected from n labels."""
    rng, setting = np.random.default_rng(seed), NetworkTeacher(teacher, 1.0)
    function, x = setting.teacher(rng), setting.inputs(n, rng)
    return function, NetworkSelection(largest, **changed).fit(x, function(x), rng).function


@pytest.mark.parametrize(
    ("teacher", "largest", "n", "certificate"),
    [
        (QuadraticNetwork(6, 2), QUADRATIC, 12, "almost every teacher"),
        (QuadraticNetwork(6, 2), QUADRATIC, 20, "almost every teacher"),
        (QuadraticNetwork(6, 2), QUADRATIC, 21, "every teacher"),  # d (d + 1) / 2
        (QuadraticNetwork(6, 1), QuadraticNetwork(6, 2), 15, "every teacher"),  # rank 3 in d = 6
        (MLP((2, 2, 1), "tanh"), TANH, 26, "almost every teacher"),
        (MLP((2, 2, 1), "tanh"), TANH, 27, "every teacher"),  # 9 + 17 + 1
    ],
)
def test_the_size_is_found_with_the_certificate_of_n(teacher, largest, n, certificate):
    function, found = selected(teacher, largest, n)
    assert found.size == teacher.size
    assert found.certificate == certificate
    assert found.certified
    fresh = np.random.default_rng(1).standard_normal((200, teacher.inputs))
    assert (np.abs(found(fresh) - function(fresh)) <= found.error_bound(fresh)).all()
    assert found.scan[-1].certificate == certificate
    assert [one.size for one in found.scan] == list(range(1, len(found.scan) + 1))


@pytest.mark.parametrize("seed", range(2))
def test_no_size_is_accepted_below_the_degrees_of_freedom_or_for_other_functions(seed):
    _, found = selected(
        QuadraticNetwork(6, 3), QUADRATIC, 15, seed, starts=8
    )  # dof 15: sizes 1 and 2 can be tried
    assert found.size is None
    assert found.certificate == "none"
    assert "For size 3 there are too few examples." in found.status
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, 6))
    found = NetworkSelection(QUADRATIC, starts=1).fit(x, rng.standard_normal(40), rng).function
    assert not found.certified
    assert "No size up to 6 was accepted.  The smallest training error" in found.status


@pytest.mark.parametrize("start_from", ["random", "pruned"])
def test_other_starts_find_the_same_function(start_from):
    function, found = selected(
        QuadraticNetwork(4, 2), QuadraticNetwork(4, 2), 9, starts=8, start_from=start_from
    )
    assert found.size == 2
    assert function.squared_distance(found) < 1e-20


@pytest.mark.parametrize("start_from", ["pruned", "hessian"])
def test_starts_from_wide_tanh_networks_find_the_teacher_of_many_inputs(start_from):
    teacher, largest = MLP((12, 2, 1), "tanh"), MLP((12, 4, 1), "tanh")
    function, found = selected(teacher, largest, 44, starts=16, start_from=start_from)
    assert found.size == 2
    assert found.scan[-1].starts <= 2  # the first starts reach it
    fresh = np.random.default_rng(1).standard_normal((200, 12))
    assert np.abs(found(fresh) - function(fresh)).max() < 1e-9


def test_directions_of_the_weights_come_from_second_derivatives():
    rng = np.random.default_rng(0)
    true = torch.from_numpy(np.linalg.qr(rng.standard_normal((6, 4)))[0].T) * torch.arange(1.0, 5.0)[:, None]
    values = torch.from_numpy(rng.standard_normal((20, 4)))
    found = _rank_one(torch.einsum("nk,ki,kj->nij", values, true, true), 4, rng)
    cosines = (torch.nn.functional.normalize(true) @ found.mT).abs()
    assert cosines.amax(1).min() > 1 - 1e-6


def test_a_scan_is_repeated_with_the_same_seed():
    first, again = (selected(QuadraticNetwork(6, 2), QUADRATIC, 14)[1] for _ in range(2))
    assert torch.equal(first.weights[0], again.weights[0])
    assert first.scan == again.scan


def test_it_works_in_budgets_and_claims():
    setting = NetworkTeacher(QuadraticNetwork(4, 1), 1.0)
    learner = NetworkSelection(QuadraticNetwork(4, 4))
    found = budget(setting, learner, 10, draws=3)
    assert found.total.estimate < 1e-20
    assert "the class embeds the teacher" in found.status
    assert examine(Example(setting, learner, 10)).verdict == "holds"


def test_what_is_refused():
    with pytest.raises(
        ValueError, match="must be 'auto', 'random', 'pruned' or 'hessian' for one hidden layer of tanh"
    ):
        NetworkSelection(TANH, start_from="spectral")
    with pytest.raises(
        ValueError, match="'start_from' parameter of NetworkSelection must be 'auto' or 'random'"
    ):
        NetworkSelection(MLP((2, 2, 2, 1), "tanh"), start_from="hessian")
    with pytest.raises(ValueError, match="'largest' parameter of NetworkSelection must be an MLP whose"):
        NetworkSelection(MLP((2, 2, 1)))
    with pytest.raises(ValueError, match="'x' parameter of NetworkSelection"):
        NetworkSelection(TANH).fit(np.zeros((4, 3)), np.zeros(4), np.random.default_rng(0))
    assert NetworkSelection(TANH).function_class == NetworkFunctions(TANH)
    assert NetworkSelection(QUADRATIC).resized(3, 1).largest == QuadraticNetwork(3, 6)
