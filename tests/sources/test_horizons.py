"""The split of the deficiency in time: not yet learned, and never learned."""

import dataclasses

import numpy as np
import pytest

from errsrc.learners import GradientDescent, MinimumNorm, NetworkStudent, RandomFeatures, Ridge
from errsrc.nets import MLP
from errsrc.settings import Gaussian, GaussianProcessTeacher, LinearTeacher
from errsrc.sources import budget
from errsrc.studies.budgets import BudgetCell, budget_from_row, budget_table, compute_budgets
from errsrc.training import Recipe

SETTING = LinearTeacher(10, input_decay=1.0, channel=Gaussian(0.3))
LEARNERS = [GradientDescent(5, 0.3), RandomFeatures(6, steps=40, ridge=0.1, learning_rate=0.05)]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda one: type(one).__name__)
def test_the_parts_are_those_of_separate_budgets(learner):
    found, limit = (budget(SETTING, one, 24, draws=6) for one in (learner, learner.at_horizon()))
    assert limit.not_yet is None
    deficiency = found.deficiency.lower.estimate
    assert found.not_yet.estimate + found.never.lower.estimate == pytest.approx(deficiency, rel=1e-12)
    if isinstance(learner, RandomFeatures):  # for least squares the exact total moves the deficiency
        assert found.never.lower.estimate == pytest.approx(limit.deficiency.lower.estimate, rel=1e-12)
    relative = found.relative
    assert relative.not_yet.estimate * found.scale == pytest.approx(found.not_yet.estimate)
    assert "of the deficiency: not yet learned" in str(found)


@pytest.mark.full
@pytest.mark.parametrize("learner", LEARNERS, ids=lambda one: type(one).__name__)
def test_the_measured_split_is_the_exact_one(learner):
    """4.5 standard errors: p < 1e-4 for all four comparisons."""
    exact = budget(SETTING, learner, 24, draws=200)
    measured = budget(SETTING, learner, 24, draws=150, seed=1, exact=False)
    pairs = [(exact.not_yet, measured.not_yet), (exact.never.lower, measured.never.lower)]
    for known, seen in pairs:
        error = np.hypot(known.high - known.low, seen.high - seen.low) / 4
        assert seen.estimate == pytest.approx(known.estimate, abs=4.5 * error)


def test_if_more_steps_do_harm_the_part_is_negative_and_an_infinite_limit_has_no_interval():
    late = budget(SETTING, RandomFeatures(6, steps=30), 9, draws=8)
    assert late.not_yet.high < 0
    diverging = budget(SETTING, RandomFeatures(6, steps=30), 7, draws=8)
    assert diverging.never.lower.high == np.inf
    assert "After infinitely many steps the mean risk" in diverging.status
    assert budget(SETTING, Ridge(1.0), 9, draws=4).not_yet is None


def test_a_row_keeps_the_parts_and_rows_without_them_are_read():
    cell = BudgetCell(SETTING, LEARNERS[1], 12, draws=4)
    row = compute_budgets([cell])[0] | {"n": 12, "level": 0.95}
    found = budget_from_row(row)
    alone = budget(SETTING, LEARNERS[1], 12, draws=4)
    assert (found.not_yet, found.never.lower) == (alone.not_yet, alone.never.lower)
    assert "not yet" in budget_table([found]).splitlines()[0]
    without = {key: value for key, value in row.items() if not key.startswith(("not_yet", "never"))}
    assert budget_from_row(without).never is None


@pytest.mark.full
def test_a_network_is_compared_with_its_longer_training():
    recipe = Recipe("adam", 0.02, loss="squared", warmup=0)
    student = NetworkStudent(MLP((2, 6, 1), "tanh"), recipe, steps=20, validation=0.0, horizon=200)
    setting = GaussianProcessTeacher(2, kernel="rbf", length=1.0)
    found, short, long = (
        budget(setting, one, 20, draws=3)
        for one in (student, dataclasses.replace(student, horizon=None), student.at_horizon())
    )
    assert found.total == short.total
    assert found.not_yet.estimate == pytest.approx(short.total.estimate - long.total.estimate, rel=1e-5)
    assert found.never.upper.estimate == pytest.approx(
        found.deficiency.upper.estimate - found.not_yet.estimate, rel=1e-9
    )
    assert MinimumNorm().at_horizon() is None
