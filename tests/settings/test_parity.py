"""Sparse parities: the posterior by enumeration, the exact uncertainty, and elimination."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from errsrc.learners import NetworkStudent, ParityElimination
from errsrc.nets import MLP
from errsrc.settings import AllFunctions, Flips, MultitaskParity, NetworkFunctions, SparseParity
from errsrc.sources import budget
from errsrc.theory import memorising
from errsrc.training import Recipe


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_the_posterior_is_bayes_rule_over_all_sets(size, rate):
    setting, rng = SparseParity(6, size, channel=Flips(rate)), np.random.default_rng(size)
    teacher, x, at = setting.teacher(rng), setting.inputs(7, rng), setting.inputs(20, rng)
    y = setting.channel.label(teacher(x), rng).astype(np.uint8)
    likelihoods, predicted = {}, np.zeros((20, 2))
    for chosen in itertools.combinations(range(6), size):
        signs, new = x[:, chosen].prod(1), at[:, chosen].prod(1)
        likelihoods[chosen] = np.where((signs < 0) == y, 1 - rate, rate).prod()
        truth = np.where(new[:, None] == [1, -1], 1 - rate, rate)
        predicted += likelihoods[chosen] * truth
    total = sum(likelihoods.values())
    found = {tuple(one.tolist()): p for one, p in zip(*setting.posterior(x, y), strict=True)}
    assert found == pytest.approx({one: p / total for one, p in likelihoods.items() if p}, abs=1e-12)
    np.testing.assert_allclose(setting.predictive(x, y, at), predicted / total, atol=1e-12)


def test_budget_of_elimination_before_and_after_it_knows_the_teacher():
    """At n = 8 of d = 12, many of the 220 sets agree.  At n = 40 only the teacher does, and is found."""
    early, late = (budget(SparseParity(12), ParityElimination(), n, draws=30) for n in (8, 40))
    assert early.uncertainty.lower == early.uncertainty.upper
    assert 0.1 < early.uncertainty.lower.estimate < 0.5
    assert early.deficiency.lower.low > 0
    assert late.total.estimate == late.uncertainty.upper.estimate == 0


def test_elimination_fails_with_flips_where_the_posterior_knows_the_teacher():
    found = budget(SparseParity(12, channel=Flips(0.1)), ParityElimination(), 120, draws=20)
    assert found.uncertainty.upper.estimate < 1e-3
    assert found.deficiency.lower.estimate > 0.1


def test_students_are_realizable_and_their_terms_sum():
    student = NetworkStudent(MLP((6, 8, 2)), Recipe("adam", learning_rate=0.01), steps=50, validation=0.0)
    found = budget(SparseParity(6, 2, loss="log"), student, 40, draws=4)
    assert found.realizability.upper.estimate == found.uncertainty.upper.estimate == 0
    assert found.deficiency.lower.estimate == pytest.approx(found.total.estimate)


def test_bounds_of_the_log_loss_are_finite_while_several_sets_agree():
    student = NetworkStudent(MLP((6, 8, 2)), Recipe("adam", learning_rate=0.01), steps=5, validation=0.0)
    found = budget(SparseParity(6, 1, loss="log"), student, 1, draws=6)
    assert 0 < found.uncertainty.lower.estimate < found.uncertainty.upper.estimate < 0.7


@pytest.mark.parametrize(
    ("network", "known"), [(MLP((6, 4, 2)), True), (MLP((6, 3, 2)), False), (MLP((6, 9, 2), "tanh"), False)]
)
def test_realizability_is_known_for_wide_rectified_networks(network, known):
    setting = SparseParity(6, 3)
    assert setting.realizability(AllFunctions()).high == 0
    if known:
        assert setting.realizability(NetworkFunctions(network)).high == 0
    else:
        with pytest.raises(ValueError, match=r"'function_class' .* SparseParity can measure"):
            setting.realizability(NetworkFunctions(network))


def test_a_rectified_network_of_k_plus_1_units_expresses_a_parity():
    """The network of the realizability's argument: each kink turns the slope between two sums of 3 signs."""
    x = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    total = x.sum(1)
    units = np.maximum(np.stack([total + 3, total + 1, total - 1, np.zeros(len(x))], 1), 0)
    np.testing.assert_allclose(units @ [1.0, -2.0, 2.0, 0.0] - 1, x.prod(1))


@pytest.mark.parametrize(("dim", "more"), [(7, 0), (8, 1)])
def test_log2_of_the_number_of_sets_is_a_lower_bound_of_the_labels(dim, more):
    """Some n inputs tell all pairs apart if the sums of two of dim columns in F2^n differ.

    A change of basis and origin makes the first four columns 0 and three unit vectors.
    """

    def widest(columns, sums, n):
        best = len(columns)
        for new in range(columns[-1] + 1, 2**n):
            fresh = {new ^ old for old in columns}
            if best < dim and not fresh & sums:
                best = max(best, widest([*columns, new], sums | fresh, n))
        return best

    n = SparseParity(dim, 2).n_nyquist
    found = [widest([0, 1, 2, 4], {1, 2, 3, 4, 5, 6}, n + k) >= dim for k in (-1, 0, 1)]
    assert found == [False, more == 0, True]


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_the_posterior_of_many_tasks_is_that_of_each_task(rate):
    setting, rng = MultitaskParity(3, 5, 2, channel=Flips(rate)), np.random.default_rng(1)
    teacher, x, at = setting.teacher(rng), setting.inputs(12, rng), setting.inputs(30, rng)
    y = setting.channel.label(teacher(x), rng)
    found = setting.predictive(x, y, at)
    for task in range(3):
        own, new = x[:, task] == 1, at[:, task] == 1
        alone = SparseParity(5, 2, channel=Flips(rate)).predictive(x[own, 3:], y[own], at[new, 3:])
        np.testing.assert_array_equal(found[new], alone)


def test_budget_of_many_tasks_knows_the_frequent_tasks_first():
    setting = MultitaskParity(8, 6, 2, decay=1.0)
    student = NetworkStudent(MLP((14, 24, 2)), Recipe("adam", learning_rate=0.01), steps=5, validation=0.0)
    found = budget(setting, student, 60, draws=8)
    uncertainty = found.uncertainty.lower.estimate
    assert found.realizability.upper.estimate == 0
    assert 0 < uncertainty < found.total.estimate
    few, many = (memorising(60, setting.frequencies, examples) / 2 for examples in (1, 12))
    assert few < uncertainty < many
    with pytest.raises(ValueError, match=r"'function_class' .* MultitaskParity can measure"):
        setting.realizability(NetworkFunctions(MLP((14, 23, 2))))


def test_a_rectified_network_expresses_all_tasks():
    """Units of other tasks are 0: the weight of the one-hot vector is larger than any sum of the others."""
    setting, rng = MultitaskParity(3, 6, 2), np.random.default_rng(0)
    sets = np.stack([rng.choice(6, 2, replace=False) for _ in range(3)])
    teacher, x = setting.teacher(np.random.default_rng(0)), setting.inputs(200, rng)
    out = np.zeros(len(x))
    for task, chosen in enumerate(sets):
        total = x[:, 3 + chosen].sum(1) - 10 * (1 - x[:, task])
        out += np.maximum(total + 2, 0) - 2 * np.maximum(total, 0)
    np.testing.assert_allclose(1 - out, 2 * teacher(x)[:, 0] - 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SparseParity(2, 3), "'size' .* from 1 to the number of coordinates, 2"),
        (lambda: SparseParity(10**6, 5 * 10**5), "'size' .* at most 1,048,576 sets"),
        (lambda: SparseParity(500, 3), "'size' .* at most 1,048,576 sets .* 20,708,500 sets"),
        (lambda: SparseParity(5, 2, channel=Flips(0.5)), "'channel' .* rate < 0.5"),
        (lambda: MultitaskParity(2, 2, 3), "'size' parameter of MultitaskParity .* coordinates, 2"),
        (
            lambda: MultitaskParity(2, 2, 1).check_inputs(np.ones((1, 4)), "budget"),
            "'x' .* one-hot vector of 2",
        ),
        (lambda: MultitaskParity(2, 2, 1, decay=-1.5), "'decay' .* >= -1"),
        (lambda: MultitaskParity(10**6, 2, 1), "'tasks' .* <= 65536"),
        (
            lambda: MultitaskParity(1, 1, 1).predictive([[1, 1]], [2], [[1, -1]]),
            "'y' .* 0 or 1 for each input",
        ),
        (lambda: MultitaskParity(1, 1, 1).predictive([[1]], [1], [[1, -1]]), r"'x' .* shape \(n, 2\)"),
        (lambda: MultitaskParity(1, 1, 1).check_inputs(np.array([[1.0, 0]]), "budget"), "'x' .* -1 or 1"),
        (lambda: SparseParity(3, 2).check_inputs(np.array([[0.0, 1, 1]]), "budget"), "'x' .* -1 or 1"),
        (lambda: SparseParity(2, 2).posterior(np.ones((1, 2)), np.array([1])), "'y' .* labels of a parity"),
        (lambda: SparseParity(2, 2).posterior(np.ones((1, 3)), [0]), r"'x' .* shape \(n, 2\)"),
        (lambda: SparseParity(2, 2).posterior(np.ones((1, 2)), [0, 1]), "'y' .* 0 or 1 for each input"),
        (lambda: ParityElimination().fit([[2.0]], [1], np.random.default_rng(0)), "'x' .* -1 or 1"),
        (lambda: ParityElimination().fit([[1.0]], [2], np.random.default_rng(0)), "'y' .* classes 0 and 1"),
    ],
)
def test_bad_values_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
