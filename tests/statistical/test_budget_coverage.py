"""Intervals of budgets over random inputs hold the true mean as often as their level says, or are withheld.

The false-alarm rate of the test is 1e-4.  The control is a total with a heavy tail: its intervals fail, and
the budget states none.  ``python benchmarks/budget_coverage.py`` is the same test at full size.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from errsrc.bases import Torus
from errsrc.learners import BandLeastSquares
from errsrc.results import mean_ends
from errsrc.settings import BandTeacher, Gaussian
from errsrc.sources.further_designs import judged_terms, terms_at

DRAWS = 64
FALSE_ALARM = 1e-4


@pytest.mark.full
@pytest.mark.parametrize(("n", "stated"), [(70, True), (14, False)])
def test_intervals_of_a_total_hold_or_are_withheld(n: int, stated: bool, full_power: bool) -> None:
    repeats = 1000 if full_power else 200
    setting = BandTeacher(Torus(3), channel=Gaussian(0.3))
    learner, rng = BandLeastSquares(Torus(3)), np.random.default_rng(5)
    quadrature = setting.quadrature(learner.function_class, rng, DRAWS)
    xs = setting.inputs(repeats * DRAWS * n, rng).reshape(repeats * DRAWS, n, 1)
    totals = terms_at(setting, learner, quadrature, xs)["total"].reshape(repeats, DRAWS)
    tail = judged_terms(setting, learner, n, DRAWS, 0.95)["total"]
    low, high = mean_ends(totals, 0.95, tail.stretch)
    held = int(((low <= totals.mean()) & (totals.mean() <= high)).sum())
    least = stats.binom.ppf(FALSE_ALARM, repeats, 0.935)
    assert tail.holds == stated
    assert (held >= least) == stated
