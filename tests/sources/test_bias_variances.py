"""Bias and variance over samples and initialisations, against closed forms and a planted decomposition."""

from dataclasses import dataclass

import numpy as np
import pytest

from errsrc.learners import Forest, Learner, Ridge
from errsrc.settings import Gaussian, LinearTeacher, TableTeacher
from errsrc.sources import bias_variance, budget
from errsrc.sources.bias_variances import COMPONENTS


@dataclass(frozen=True)
class Planted(Learner):
    """Predicts offset + a sum of a number of the sample, one of the initialisation, one of both."""

    offset: float = 0.5
    stds: tuple[float, float, float] = (1.0, 2.0, 3.0)

    def _fit(self, x, y, rng):
        start = rng.integers(2**62)
        parts = [np.random.default_rng(seed).standard_normal() for seed in (
            [int(1e6 * abs(x[0, 0]))], [start], [int(1e6 * abs(x[0, 0])), start],
        )]  # fmt: skip
        value = self.offset + float(np.dot(self.stds, parts))
        return lambda at: np.full(len(at), value)


@pytest.mark.full
def test_planted_variances_are_found():
    """4.5 standard errors over teachers: p < 1e-5 each; values of teachers have variance 1."""
    found = bias_variance(LinearTeacher(1), Planted(), 1, teachers=400, seed=3)
    truth = {"bias": 1 + 0.25, "samples": 1.0, "initialisations": 4.0, "both": 9.0}
    for name, value in truth.items():
        error = found.draws[name].std() / np.sqrt(len(found.draws[name]))
        assert getattr(found, name).estimate == pytest.approx(value, abs=4.5 * error)
        assert error < 0.2 * value + 0.3


def test_the_total_is_the_excess_risk_of_the_budget():
    setting, learner = LinearTeacher(5, channel=Gaussian(0.5)), Ridge(2.0)
    found = bias_variance(setting, learner, 8, teachers=200, samples=2, initialisations=2)
    exact = budget(setting, learner, 8, draws=400)
    error = np.hypot((found.total.high - found.total.low) / 4, (exact.total.high - exact.total.low) / 4)
    assert found.total.estimate == pytest.approx(exact.total.estimate - setting.noise, abs=4.5 * error)
    assert found.initialisations.estimate == pytest.approx(0, abs=1e-20)
    assert found.samples.low > 0


@pytest.mark.full
def test_parts_sum_to_the_total_and_are_the_same_again():
    found, again = (
        bias_variance(LinearTeacher(3), Forest(trees=5), 10, teachers=4, samples=2, initialisations=3)
        for _ in range(2)
    )
    assert sum(getattr(found, name).estimate for name in COMPONENTS) == pytest.approx(found.total.estimate)
    assert found.columns()["estimate"].tolist() == again.columns()["estimate"].tolist()
    assert "initialisations" in str(found)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n": 0}, "'n' parameter of bias_variance must be an integer >= 1. Got 0"),
        ({"teachers": 1}, "'teachers' parameter"),
        ({"samples": 1}, "'samples' parameter"),
        ({"setting": TableTeacher(4)}, "'setting' parameter of bias_variance must be a setting of squared"),
    ],
)
def test_what_cannot_be_is_refused(changed, message):
    arguments = {"setting": LinearTeacher(2), "learner": Ridge(), "n": 4} | changed
    with pytest.raises(ValueError, match=message):
        bias_variance(**arguments)
