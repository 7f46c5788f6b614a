"""A true power law is called something else no oftener than stated, and what isn't one is found out.

False-alarm rates of these tests: 1e-4 each (`FALSE_ALARM`), the count being binomial, however many are drawn:
with ``--full-power`` 1,000 p-values and 60 verdicts, without it 300 and 20.  The large version, with rates
of every verdict, is `benchmarks/shape.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from errsrc.curves import curve_shape
from errsrc.curves.cells import CurveCells, cells_of, sorted_curve
from errsrc.curves.rises import not_falling
from errsrc.curves.statistics import power_law_p_value
from errsrc.laws import Broken, Cliff, Law, Power

FALSE_ALARM = 1e-4
N = 100 * 2.0 ** np.arange(8)
LAW = Power(0.0, 2.0, 0.5)


@pytest.fixture
def repeats(full_power: bool) -> int:
    return 1000 if full_power else 300


@pytest.fixture
def count(full_power: bool) -> int:
    return 60 if full_power else 20


def p_values(noise: float, seeds: int, repeats: int, understated: float = 1.0) -> np.ndarray:
    """P-values of the straight line over draws of 8 sizes."""
    rng = np.random.default_rng(5)
    x, group = np.log(N), np.repeat(np.arange(8), seeds)
    basis = np.vander(x, 2)
    out = np.empty(repeats)
    for k in range(repeats):
        logs = np.log(LAW.error(n=N))[group] + noise * rng.standard_normal(len(group))
        cells = cells_of(x, group, logs, None)
        cells = CurveCells(cells.x, cells.y, cells.variance, cells.scale / understated**2, cells.df)
        weight = 1 / cells.noise[:, None]
        line = np.linalg.solve(basis.T @ (weight * basis), basis.T @ (weight[:, 0] * cells.y))
        out[k] = power_law_p_value(cells, basis, cells.y - basis @ line, seed=0)
    return out


@pytest.mark.full
@pytest.mark.parametrize(("noise", "seeds"), [(0.3, 3), (0.3, 1)], ids=["three seeds", "one seed"])
def test_power_laws_are_missed_as_often_as_the_p_value_says(noise: float, seeds: int, repeats: int) -> None:
    """Where the noise leaves the tolerance far behind the p-value is exact: 5% lie under 0.05."""
    rejected = int((p_values(noise, seeds, repeats) < 0.05).sum())
    tail = FALSE_ALARM / 2
    assert stats.binom.ppf(tail, repeats, 0.05) <= rejected <= stats.binom.isf(tail, repeats, 0.05)


@pytest.mark.full
def test_understated_noise_is_caught(repeats: int) -> None:
    """Control: with half the noise claimed, more are missed than the first test accepts."""
    rejected = int((p_values(0.3, 3, repeats, understated=2.0) < 0.05).sum())
    assert rejected > stats.binom.isf(FALSE_ALARM / 2, repeats, 0.05)


@pytest.mark.full
def test_a_true_power_law_is_called_something_else_at_most_one_time_in_twenty(count: int) -> None:
    """Whole verdicts, 8 sizes x 3 seeds at noise 10%; the bend below is the control."""
    verdicts = drawn(LAW, count)
    assert sum(v in ("bend", "cliff") for v in verdicts) <= stats.binom.isf(FALSE_ALARM, count, 0.05)
    assert verdicts.count("power law") >= stats.binom.ppf(FALSE_ALARM, count, 0.9)


@pytest.mark.slow
def test_a_bend_is_not_called_a_power_law(count: int) -> None:
    """Control: judged as if it were one, it fails the test above."""
    verdicts = drawn(Broken(0.0, 1.0, 0.2, 0.6, 1000.0, 0.4), count)
    assert sum(v in ("bend", "cliff") for v in verdicts) > stats.binom.isf(FALSE_ALARM, count, 0.05)
    assert verdicts.count("power law") < stats.binom.ppf(FALSE_ALARM, count, 0.9)


@pytest.mark.full
@pytest.mark.parametrize("known", ["standard errors", "three seeds", "one run"])
def test_a_constant_rises_at_most_one_time_in_twenty(known: str, repeats: int) -> None:
    """The curve without a rise that is nearest to one; one that rises by a factor 2 is the control."""
    drawn = repeats // 5
    most = stats.binom.isf(FALSE_ALARM, drawn, 0.05)
    assert rising(0.0, known, drawn) <= most < rising(1 / 7, known, drawn)


def rising(slope: float, known: str, count: int) -> int:
    """Count curves (n / 100)^slope, at 8 sizes with noise 5%, that rise significantly."""
    rng, n = np.random.default_rng(8), np.repeat(N, 3 if known == "three seeds" else 1)
    true, found = (n / 100) ** slope, 0
    for _ in range(count):
        error = true * np.exp(0.05 * rng.standard_normal(len(n)))
        by_run = (n, error, 0.05 * true) if known == "standard errors" else None
        curve = sorted_curve(n, error, None if by_run is None else by_run[2], None, 0.95)
        seen = not_falling(curve, by_run, 0.95, 0)
        found += seen is not None and np.isnan(seen.lone_n)
    return found


@pytest.mark.slow
def test_a_slow_bend_is_not_called_a_cliff(count: int) -> None:
    """Slower than the candidate's width, 20 seeds at noise 5%; a stretched exponential is the control."""
    slow = drawn(Broken(0.0, 1.0, 0.1, 0.5, 1500.0, 1.5), count, 0.05, 20).count("cliff")
    most = stats.binom.isf(FALSE_ALARM, count, 0.05)
    assert slow <= most < drawn(Cliff(0.0, 2.0, 0.5, 4000.0, 0.8), count, 0.05, 20).count("cliff")


def drawn(law: Law, count: int, noise: float = 0.1, seeds: int = 3) -> list[str]:
    rng, n = np.random.default_rng(6), np.repeat(N, seeds)
    return [
        curve_shape(n, law.error(n=n) * np.exp(noise * rng.standard_normal(len(n)))).verdict
        for _ in range(count)
    ]
