"""Random hierarchies: grammars that derive and parse, the counts of grammars, and the learners' budgets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from errsrc.learners import Memory, NetworkStudent, SynonymClustering
from errsrc.nets import MLP, PatchNetwork
from errsrc.settings import Flips, NetworkFunctions, RandomHierarchy
from errsrc.sources import budget
from errsrc.training import Recipe

SMALL = RandomHierarchy(3, vocabulary=4, synonyms=2, levels=2)


def test_a_grammar_parses_each_string_that_it_derives_and_no_other():
    """All strings of a small grammar, derived here by hand, are its classes' and nobody else's."""
    teacher = RandomHierarchy(3, vocabulary=3, synonyms=2, levels=2).teacher(np.random.default_rng(0))
    derived = {}
    for label, rules in enumerate(teacher.rules[0]):
        for left, right in rules:
            for one, two in itertools.product(teacher.rules[1][left], teacher.rules[1][right]):
                derived[*one, *two] = label
    assert len(derived) == RandomHierarchy(3, vocabulary=3, synonyms=2, levels=2).strings == 24
    strings = np.array(list(itertools.product(range(3), repeat=4)))
    assert [derived.get(tuple(one), -1) for one in strings.tolist()] == teacher.parse(strings).tolist()
    seen = {tuple(one) for one in teacher.draw(2000, np.random.default_rng(1)).tolist()}
    assert seen == set(derived)


def test_bits_of_grammars_are_those_of_all_choices_of_rules():
    """For 4 tuples: 3 ways to give two classes 2 tuples each, times 2 for their names; and so below."""
    assert RandomHierarchy(2, 2, 2, levels=1).grammar_bits == pytest.approx(math.log2(6))
    assert RandomHierarchy(2, 2, 2, levels=2).grammar_bits == pytest.approx(math.log2(6 * 6 / 2))
    assert RandomHierarchy(2, 2, 2, levels=2).information_examples == pytest.approx(math.log2(18))


def test_a_network_of_patches_with_a_unit_for_each_rule_is_the_grammar():
    """The network of the realizability's argument, with weights written down from the rules."""
    setting = RandomHierarchy(3, vocabulary=4, synonyms=2, children=2, levels=2)
    teacher, rng = setting.teacher(np.random.default_rng(0)), np.random.default_rng(1)
    network = PatchNetwork(4, patch=2, levels=2, width=8, classes=3)
    weights = [torch.zeros(1, *shape, dtype=torch.float64) for shape in network.shapes()]
    features = np.eye(4)  # of each unit below: which feature it stands for
    for layer, rules in enumerate(reversed(teacher.rules)):
        flat = rules.reshape(-1, 2)
        weights[2 * layer][0, : len(flat)] = torch.from_numpy(features.T[flat].reshape(len(flat), -1))
        weights[2 * layer + 1][0, : len(flat)] = -1.0
        features = np.zeros((8, len(rules)))
        features[np.arange(len(flat)), np.arange(len(flat)) // 2] = 1
    weights[4][0] = torch.from_numpy(features.T)
    x = setting.inputs_of(teacher, 200, rng)
    np.testing.assert_array_equal(network(tuple(weights), torch.from_numpy(x))[0].numpy(), teacher(x))
    assert setting.realizability(NetworkFunctions(network)).high == 0
    for other in (PatchNetwork(4, 2, 2, 7, 3), PatchNetwork(4, 2, 2, 8, 3, "tanh"), MLP((16, 99, 3))):
        with pytest.raises(ValueError, match=r"'function_class' .* RandomHierarchy can measure"):
            setting.realizability(NetworkFunctions(other))


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_clustering_finds_the_synonyms_and_so_the_classes(rate):
    setting, rng = RandomHierarchy(4, 5, 4, levels=3, channel=Flips(rate)), np.random.default_rng(0)
    teacher = setting.teacher(rng)
    x, fresh = setting.inputs_of(teacher, 3000, rng), setting.inputs_of(teacher, 500, rng)
    f = SynonymClustering(5).fit(x, setting.channel.label(teacher(x), rng), rng)
    assert (f(fresh).argmax(1) == teacher(fresh).argmax(1)).mean() > (0.99 if rate == 0 else 0.95)
    lowest = f.function.clusters[0]
    for synonyms in teacher.rules[2]:
        assert len(set(lowest[synonyms @ [5, 1]])) == 1
    assert not np.isin(-1, f.function.clusters[0][teacher.rules[2].reshape(-1, 2) @ [5, 1]])


def test_budget_brackets_the_uncertainty_by_the_clustering():
    """The inputs of each draw are those of its teacher: with enough examples clustering is exact."""
    student = NetworkStudent(PatchNetwork(4, 2, 2, 12, 3), Recipe(learning_rate=0.01), 20, validation=0.0)
    found = budget(RandomHierarchy(3, 4, 2, loss="log"), student, 100, draws=4)
    assert found.realizability.upper.estimate == found.uncertainty.lower.estimate == 0
    exact = budget(SMALL, SynonymClustering(4), 400, draws=4)
    assert exact.total.estimate == 0
    assert "smaller of those of the learner and of synonym clustering" in exact.status
    with pytest.raises(ValueError, match=r"'x' .* None, because the inputs of RandomHierarchy depend"):
        budget(SMALL, SynonymClustering(4), 2, x=np.zeros((2, 16)))


def test_log_losses_are_finite_before_all_classes_were_seen():
    """One example has one class; the bracket's own clustering and the learner know that there are three."""
    setting, memory = RandomHierarchy(3, 4, 2, loss="log"), Memory(classes=3)
    found = [budget(setting, one, 1, draws=2) for one in (memory, SynonymClustering(4, classes=3))]
    assert all(0 < one.total.estimate < 9 for one in found)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomHierarchy(2, 4, 5), "'synonyms' .* from 1 to 4, because rules are distinct"),
        (lambda: RandomHierarchy(5, 2, 1), r"'classes' .* at most vocabulary\^children, 4, because"),
        (lambda: RandomHierarchy(2, 2000, 1), r"'vocabulary' .* vocabulary\^children is at most 1,048,576"),
        (lambda: RandomHierarchy(2, 2, 1, levels=10**999), "'levels' .* at most 65,536 coordinates"),
        (lambda: RandomHierarchy(2, 2, 1, children=10**999), "'vocabulary' .* at most 1,048,576"),
        (lambda: RandomHierarchy(2, 2, 1, levels=16), "'levels' .* at most 65,536 coordinates"),
        (lambda: RandomHierarchy(2, 2, 1, channel=Flips(0.6)), "'channel' .* rate of at most 0.5"),
        (lambda: SMALL.check_inputs(np.ones((1, 16)), "budget"), "'x' .* one-hot vectors of 4"),
        (lambda: SynonymClustering(3).fit(np.ones((1, 4)), [0], None), "'x' .* <shape"),
        (lambda: SynonymClustering(2).fit([[1.0, 0] * 3], [0], None), "'x' .* <3 vectors>"),
        (lambda: SynonymClustering(2).fit([[1.0, 0] * 2], [0.5], None), "'y' .* classes"),
        (lambda: SynonymClustering(2, classes=2).fit([[1.0, 0] * 2], [2], None), "'y' .* from 0 to 1"),
        (lambda: SynonymClustering(50, 8), r"'vocabulary' .* vocabulary\^children is at most 1,048,576"),
    ],
)
def test_bad_values_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
