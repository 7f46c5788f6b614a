"""Rows of equal sizes: the best of each, and whether they differ by more than seeds do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from errsrc.cli import main
from errsrc.fitting import auto, best_rows, fit, fit_csv
from errsrc.fitting.repeats import excess_spread
from errsrc.laws import Power

LAW = Power(c_inf=0.1, a=2.0, alpha=0.5)
N = np.repeat([100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0], 3)
BEST = LAW.error(n=N)
RATES = np.tile([1.0, 1.08, 1.25], 6)
"""What three learning rates multiply the error by."""
NOISE = 0.005 * np.random.default_rng(0).standard_normal(len(N))


def line(seed: int, heavy: bool = False) -> str:
    """The sentence on a table of seeds around a straight line in ln error, fitted by least squares."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_t(4, len(N)) if heavy else rng.standard_normal(len(N))
    x = np.stack([np.ones(len(N)), np.log(N)], axis=1)
    y = 1.0 - 0.3 * x[:, 1] + 0.02 * noise
    coefficients, *_ = np.linalg.lstsq(x, y, rcond=None)
    return excess_spread({"n": N}, np.exp(y), x @ coefficients, 2)


def test_best_rows_keep_one_row_of_each_size() -> None:
    assert best_rows(BEST * RATES, n=N).tolist() == [True, False, False] * 6
    assert best_rows([1.0, 1.0], n=[5, 5]).tolist() == [True, False]
    assert best_rows([3.0, 2.0, 1.0], n=[5, 5, 5], m=[1, 2, 1]).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="'n' parameter of best_rows"):
        best_rows([1.0, 2.0], n=[1.0])


@pytest.mark.full
def test_trials_of_one_size_are_said_to_and_the_best_of_them_can_be_kept(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},{e}" for n, e in zip(N, BEST * RATES * np.exp(NOISE), strict=True))
    (tmp_path / "runs.csv").write_text(f"n,error\n{rows}\n")
    found = fit_csv(tmp_path / "runs.csv", "power")
    (sentence,) = (text for text in found.warnings if "Rows of equal sizes" in text)
    assert sentence.startswith("Rows of equal sizes differ by 1")
    assert "--best-of" in sentence
    best = fit_csv(tmp_path / "runs.csv", "power", best_of=True)
    assert len(best.error) == 6
    assert [(len(one), one.reason) for one in best.left_out] == [(12, "not the best of their size")]
    assert not any("Rows of equal sizes" in text for text in best.warnings)
    assert best.predict(n=1000).predicted == pytest.approx(LAW.error(n=1000), rel=0.02)
    data = {"n": N, "error": BEST * RATES}
    assert len(fit(Power, data=data, best_of=True).error) == 6
    assert len(auto(data=data, best_of=True).members[0].error) == 6


def test_the_command_keeps_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{n},{e}" for n, e in zip(N, BEST * RATES * np.exp(NOISE), strict=True))
    (tmp_path / "runs.csv").write_text(f"n,error\n{rows}\n")
    assert main(["fit", str(tmp_path / "runs.csv"), "--law", "power", "--best-of"]) == 0
    shown = capsys.readouterr()
    assert "12 of 18 rows are left out: 12 not the best of their size" in shown.out
    assert "predictions are for the best of as many trials" in shown.out


def test_one_size_that_scatters_more_than_the_others_is_named() -> None:
    noise = 0.02 * np.random.default_rng(1).standard_normal(len(N))
    noise[3:6] = [-0.3, 0.0, 0.3]
    sentence = excess_spread({"n": N}, BEST * np.exp(noise), np.log(BEST), 3)
    assert sentence.startswith("The 3 rows with n = 200 differ by 30%, rows of other sizes by 0.79%")


def test_seeds_are_not_said_to() -> None:
    found = fit(Power, data={"n": N, "error": BEST * np.exp(4 * NOISE)})
    assert not any("--best-of" in sentence for sentence in found.warnings)
    assert excess_spread({"n": N[::3]}, BEST[::3], np.log(BEST[::3]), 3) == ""
    assert excess_spread({"n": N}, BEST, np.log(BEST), 3) == ""


@pytest.mark.full
def test_false_alarms_are_as_rare_as_stated() -> None:
    """At most 2 in 1,000 tables of normal noise; the test's own rate of false alarms is 1e-4."""
    alarms = sum(line(seed) != "" for seed in range(2000))
    assert alarms <= stats.binom.isf(1e-4, 2000, 2e-3)
    heavy = sum(line(seed, heavy=True) != "" for seed in range(500))
    assert heavy <= 25
