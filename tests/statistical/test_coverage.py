"""Intervals contain the true value as often as their level says, on grids drawn from the law itself.

Each test states its false-alarm rate, and has a control that must fail.  With ``--full-power`` there are
1,000 repetitions, and a 90% interval passes with a coverage of 86 to 94%.  Without it there are 50
repetitions, of which 34 must hold the true value: intervals that are grossly too narrow fail.  The studies
`sims/law_coverage.toml` and `sims/average_coverage.toml` are the same tests at full size.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from errsrc.fitting import fit
from errsrc.laws import M4, Chinchilla, Dense, Law, Power
from errsrc.studies.recovery import RecoveryCell, compute_recoveries, coverages

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


@pytest.mark.parametrize(
    ("law", "sizes", "noise", "kind"),
    [
        pytest.param(
            *case,
            kind,
            marks=pytest.mark.full if case is CASES[0] and kind != "equal" else pytest.mark.slow,
        )
        for case in CASES
        for kind in ("equal", "falling", "t3")
    ],
    ids=[f"{law}-{kind}" for law in ("power", "chinchilla") for kind in ("equal", "falling", "t3")],
)
def test_parameter_intervals_cover(
    law: Law, sizes: dict[str, np.ndarray], noise: float, kind: str, repeats: int
) -> None:
    """Intervals may be somewhat wide where noise falls with n: there c_inf of power is covered in 95%."""
    count = hits(law, sizes, noise, 0.9, repeats, kind)
    least, _ = accepted(0.9, len(count), repeats)
    _, most = accepted(0.95 if kind == "falling" else 0.9, len(count), repeats)
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


def average_hits(
    law: Law, sizes: dict[str, tuple[float, float]], noise: float, kind: str, repeats: int
) -> Any:
    """Return how often each interval of an average contains the truth, on grids of 12 points."""
    held = ("eps0",) if "eps0" in law.params else ()
    cell = RecoveryCell(law, noise, **sizes, held=held, noise_kind=kind, points=12, estimator="auto")  # type: ignore[arg-type]
    cells = [dataclasses.replace(cell, seed=500 + seed) for seed in range(repeats)]
    return coverages(zip(cells, compute_recoveries(cells), strict=True))


AVERAGED: list[tuple[Law, dict[str, tuple[float, float]], float]] = [
    (Power(0.1, 2.0, 0.5), {"n": (1e2, 1e5)}, 0.02),
    (M4(0.9, 0.1, 30.0, 0.6, 1.5), {"n": (10.0, 1e6)}, 0.01),
    (Chinchilla(1.8, 480.0, 2100.0, 0.35, 0.37), {"n": (6.25e9, 2e11), "m": (6.8e6, 7e9)}, 0.005),
    (Dense(0.9, 0.66, 0.53, 0.3, 0.8, 4.0, 5e4, 7e5), {"n": (1562.5, 5e4), "m": (684.0, 7e5)}, 0.02),
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["falling", "t3"])
@pytest.mark.parametrize(("law", "sizes", "noise"), AVERAGED, ids=["power", "m4", "chinchilla", "dense"])
def test_intervals_of_an_average_cover(
    law: Law, sizes: dict[str, tuple[float, float]], noise: float, kind: str, full_power: bool
) -> None:
    """One-sided: where 12 points show little of the noise, intervals of an average cover more than 90%."""
    for one in average_hits(law, sizes, noise, kind, 300 if full_power else 20):
        least, _ = accepted(0.87, 3, one.cells)
        assert one.given == one.cells
        assert one.covered >= least, one


@pytest.mark.full
def test_intervals_of_an_average_are_not_grossly_too_narrow() -> None:
    """Eight repetitions on falling noise, of which each quantity must be covered in five or more."""
    law, sizes, noise = AVERAGED[2]
    assert all(one.covered >= 5 for one in average_hits(law, sizes, noise, "falling", 8))
