"""Intervals contain the true value as often as their level says, on grids drawn from the law itself.

Each test states its false-alarm rate, and has a control that must fail.  With ``--full-power`` there are
1,000 repetitions, and a 90% interval passes with a coverage of 86 to 94%.  Without it there are 50
repetitions, of which 34 must hold the true value: intervals that are grossly too narrow fail.  The study
`sims/law_coverage.toml` is the same test at full size.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from errsrc.fitting import fit
from errsrc.laws import Chinchilla, Law, Power

FALSE_ALARM = 1e-4


@pytest.fixture
def repeats(full_power: bool) -> int:
    return 1000 if full_power else 50


def accepted(level: float, tests: int, repeats: int) -> tuple[int, int]:
    """Least and most hits of a calibrated interval, `tests` of them sharing the false-alarm rate."""
    tail = FALSE_ALARM / (2 * tests)
    return int(stats.binom.ppf(tail, repeats, level)), int(stats.binom.isf(tail, repeats, level))


def deviates(kind: str, sizes: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return noise of mean variance 1: equal at all points, falling with n, or of Student's t."""
    points = len(sizes["n"])
    if kind == "t3":
        return rng.standard_t(3, points) / np.sqrt(3)
    fall = sizes["n"] ** -0.5 if kind == "falling" else np.ones(points)
    return fall / np.sqrt(np.mean(fall**2)) * rng.standard_normal(points)


def hits(
    law: Law, sizes: dict[str, np.ndarray], noise: float, level: float, repeats: int, kind: str = "equal"
) -> dict[str, int]:
    rng = np.random.default_rng(11)
    truth = law.error(**sizes)
    count: dict[str, int] = {}
    for _ in range(repeats):
        error = truth * np.exp(noise * deviates(kind, sizes, rng))
        found = fit(type(law), error, objective="log", level=level, **sizes)
        for name, interval in found.intervals.items():
            count[name] = count.get(name, 0) + (interval.low <= getattr(law, name) <= interval.high)
    return count


CASES = [
    (Power(0.1, 2.0, 0.5), {"n": np.geomspace(100, 1e5, 15)}, 0.02),
    (
        Chinchilla(1.8, 480.0, 2100.0, 0.35, 0.37),
        dict(
            zip(
                "nm",
                (x.ravel() for x in np.meshgrid(3.0 ** np.arange(20, 25), 3.0 ** np.arange(16, 21))),
                strict=True,
            )
        ),
        0.005,
    ),
]


@pytest.mark.full
@pytest.mark.parametrize("kind", ["equal", "falling", "t3"])
@pytest.mark.parametrize(("law", "sizes", "noise"), CASES, ids=["power", "chinchilla"])
def test_parameter_intervals_cover(
    law: Law, sizes: dict[str, np.ndarray], noise: float, kind: str, repeats: int
) -> None:
    count = hits(law, sizes, noise, 0.9, repeats, kind)
    least, most = accepted(0.9, len(count), repeats)
    assert all(least <= k <= most for k in count.values()), count


@pytest.mark.full
def test_intervals_that_claim_too_much_are_caught(repeats: int) -> None:
    """Control: 50% intervals judged as if they claimed 90%."""
    law, sizes, noise = CASES[0]
    count = hits(law, sizes, noise, 0.5, repeats)
    least, _ = accepted(0.9, len(count), repeats)
    assert all(k < least for k in count.values()), count


@pytest.mark.full
def test_predictions_of_a_new_run_cover_at_least_as_often_as_they_say(repeats: int) -> None:
    """Doubt about the form only widens them: one-sided, on a law that is right, 4x beyond the points."""
    law, sizes, noise = CASES[0]
    rng = np.random.default_rng(12)
    truth, ahead = law.error(**sizes), float(law.error(n=4e5))
    inside = 0
    for _ in range(repeats):
        found = fit(Power, truth * np.exp(noise * rng.standard_normal(truth.shape)), objective="log", **sizes)
        p = found.predict(n=4e5)
        inside += bool(p.low <= ahead * np.exp(noise * rng.standard_normal()) <= p.high)
    assert inside >= stats.binom.ppf(FALSE_ALARM, repeats, 0.9)
