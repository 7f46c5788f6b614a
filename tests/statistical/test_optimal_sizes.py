"""Intervals of compute-optimal exponents and sizes hold the truth as often as they say.

The runs are drawn from a known law.  The counts that a test accepts have a false-alarm rate of 1e-4 in all,
for an interval that holds the truth in 90% of the repetitions.  Parabolas are an approximation and the draws
of a fit are, too, so the tests accept a true coverage of 86% to 94% as well.  With ``--full-power`` there are
400 repetitions of fits and 2,000 of parabolas, without it 40 and 100.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from errsrc.fitting import fit, frontier, isoflop
from errsrc.laws import Chinchilla
from errsrc.results import Interval

FALSE_ALARM = 1e-4
LAW = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
A = LAW.beta / (LAW.alpha + LAW.beta)
G = (LAW.alpha * LAW.A / (LAW.beta * LAW.B)) ** (1 / (LAW.alpha + LAW.beta))
FLOPS = np.repeat([1e18, 3e18, 1e19, 3e19], 6)
M = G * (FLOPS / 6) ** A * np.tile(np.geomspace(0.25, 4.0, 6), 4)
N = FLOPS / (6 * M)
AHEAD = 1e21


def held(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def accepted(repeats: int, tests: int) -> tuple[int, int]:
    """Smallest and largest number of hits of an interval with a true coverage of 86 to 94%."""
    tail = FALSE_ALARM / (2 * tests)
    return int(stats.binom.ppf(tail, repeats, 0.86)), int(stats.binom.isf(tail, repeats, 0.94))


def noisy_errors(repeats: int) -> np.ndarray:
    noise = 0.003 * np.random.default_rng(21).standard_normal((repeats, len(M)))
    return LAW.error(n=N, m=M) * np.exp(noise)


@pytest.mark.slow
def test_intervals_of_a_fitted_law_hold_its_exponent_and_its_optimum(full_power: bool) -> None:
    repeats = 400 if full_power else 40
    count = np.zeros(2, dtype=int)
    for error in noisy_errors(repeats):
        found = frontier(fit(Chinchilla, error, n=N, m=M, starts=8), AHEAD)
        count += [held(found.a, A), held(found.m[0], G * (AHEAD / 6) ** A)]
    least, most = accepted(repeats, 2)
    assert ((least <= count) & (count <= most)).all(), count


@pytest.mark.full
def test_intervals_of_parabolas_hold_the_exponent_and_the_optimum(full_power: bool) -> None:
    repeats = 2000 if full_power else 100
    count = np.zeros(3, dtype=int)
    for error in noisy_errors(repeats):
        found = isoflop(error, n=N, m=M)
        ahead = found.frontier(AHEAD)
        inside = held(found.groups[1].m_optimal, G * (3e18 / 6) ** A)
        count += [held(found.a, A), held(ahead.m[0], G * (AHEAD / 6) ** A), inside]
    least, _ = accepted(repeats, 3)
    assert (least <= count).all(), count


@pytest.mark.slow
def test_intervals_that_claim_too_much_are_caught() -> None:
    """Control: 60% intervals judged as if they claimed 90%."""
    count = sum(held(isoflop(error, n=N, m=M, level=0.6).a, A) for error in noisy_errors(100))
    assert count < accepted(100, 3)[0]


@pytest.mark.slow
def test_few_tables_without_outliers_lose_a_run(full_power: bool) -> None:
    """At most 1% of the tables with normal noise have a run 8 robust standard deviations off."""
    repeats = 2000 if full_power else 100
    lost = sum(
        any(not group.used.all() for group in isoflop(e, n=N, m=M).groups) for e in noisy_errors(repeats)
    )
    assert lost <= stats.binom.isf(FALSE_ALARM, repeats, 0.01)
