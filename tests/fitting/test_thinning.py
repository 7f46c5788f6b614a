"""Large tables: a fit uses rows that are evenly spread over all rows, and says so."""

from __future__ import annotations

import numpy as np
import pytest

from errsrc.errors import NoFit
from errsrc.fitting import auto, fit
from errsrc.fitting.thinning import MOST_ROWS, kept_rows
from errsrc.laws import Envelope, Power

RISING = [0.3, 0.31, 0.29, 0.32, 0.33, 0.31, 0.34, 0.33]
SIZES = 1000.0 * 2.0 ** np.arange(8)


def test_small_tables_are_used_whole() -> None:
    n = np.arange(1.0, MOST_ROWS + 1)
    keep, said = kept_rows(1 / n, {"n": n})
    assert keep.tolist() == list(range(MOST_ROWS))
    assert said == ()


def test_a_large_table_keeps_its_ends_and_its_spread() -> None:
    n = np.random.default_rng(0).permutation(np.arange(1.0, 50_001))
    keep, (said,) = kept_rows(1 / n, {"n": n})
    assert len(keep) == MOST_ROWS
    assert {1.0, 50_000.0} <= set(n[keep])
    assert np.diff(np.sort(n[keep])).max() <= 6
    assert said.startswith("50000 rows: the fit uses 10000 of them")


@pytest.mark.full
def test_a_fit_of_a_large_table_finds_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("errsrc.fitting.thinning.MOST_ROWS", 200)
    n = np.linspace(1e3, 1e6, 2000)
    noise = np.exp(0.02 * np.random.default_rng(0).standard_normal(2000))
    found = fit(Power, Power(c_inf=0.05, a=3.0, alpha=0.45).error(n=n) * noise, n=n, weights=np.ones(2000))
    assert found.law.alpha == pytest.approx(0.45, abs=0.03)
    assert len(found.error) == 200
    assert found.warnings[0].startswith("2000 rows")


def test_a_noisy_rise_is_told_with_the_hint_at_accuracies() -> None:
    for call in (lambda: auto(RISING, n=SIZES), lambda: fit(Power, RISING, n=SIZES)):
        with pytest.raises(NoFit, match=r"does not measurably fall with n.* If the values are accuracies"):
            call()


def test_an_error_slightly_above_chance_is_kept_by_every_function() -> None:
    error = [0.905, 0.88, 0.8, 0.7, 0.6, 0.5, 0.42, 0.35]
    for found in (
        fit(Envelope, error, n=SIZES, fixed={"eps0": 0.9}),
        auto(error, n=SIZES, fixed={"eps0": 0.9}),
    ):
        assert any("above eps0 = 0.9" in text for text in found.warnings)
    with pytest.raises(ValueError, match=r"parameter of auto must be numbers <= eps0 = 0\.85"):
        auto(error, n=SIZES, fixed={"eps0": 0.85})
