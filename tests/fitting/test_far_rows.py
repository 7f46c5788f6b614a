"""Rows of a table that are far from every law: left out or discounted, and named with their lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.fitting import auto, compare, fit, fit_csv
from errsrc.fitting.anomalies import FAR
from errsrc.laws import Chinchilla

CLEAN = Path(__file__).parents[1] / "fixtures" / "isoflop_clean.csv"
_, N, M, GOOD = np.loadtxt(CLEAN, delimiter=",", skiprows=1).T


@pytest.fixture
def diverged(tmp_path: Path) -> Path:
    error = GOOD.copy()
    error[19] = 9.731
    rows = zip(N.tolist(), M.tolist(), error.tolist(), strict=True)
    lines = ["n,m,error", *(f"{n!r},{m!r},{e!r}" for n, m, e in rows)]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(lines))
    return file


@pytest.mark.full
def test_the_average_names_the_line_and_fits_the_other_rows(diverged: Path) -> None:
    found = fit_csv(diverged)
    assert found.warnings[-1].startswith(
        "1 of 24 rows is far from the law, and was left out of the fit: line 21 (n = "
    )
    assert found.warnings[-1].endswith("error = 9.731).")
    clean = auto(np.delete(GOOD, 19), n=np.delete(N, 19), m=np.delete(M, 19))
    assert found.members[0].law == clean.members[0].law


@pytest.mark.parametrize("objective", ["divergence", "huber"])
def test_a_fit_of_one_law_names_the_line(diverged: Path, objective: str) -> None:
    value = "3.731" if objective == "divergence" else "9.731"  # least squares fail at 9.731
    diverged.write_text(diverged.read_text().replace("9.731", value))
    found = fit(Chinchilla, data=diverged, objective=objective)
    done = "was discounted" if objective == "huber" else "pulls the fit (leave wrong rows out, or discount"
    (sentence,) = (text for text in found.warnings if "far from" in text)
    assert sentence.startswith(f"1 of 24 rows is far from the law, and {done}")
    assert ": line 21 (n = " in sentence


@pytest.mark.full
def test_a_comparison_leaves_the_row_out(diverged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laws = ["chinchilla", "coupled"]
    found = compare(laws, data=diverged)
    clean = compare(laws, np.delete(GOOD, 19), n=np.delete(N, 19), m=np.delete(M, 19))
    assert found.best.miss == clean.best.miss < 0.02
    assert "1 of 24 rows is far from every law, and was left out: line 21 (n = " in found.warnings[0]
    assert not clean.warnings
    assert main(["compare", str(diverged), "--laws", "chinchilla"]) == 0
    assert "far from the law, and was left out: line 21" in capsys.readouterr().out


def test_heavy_tails_seldom_reach_the_limit() -> None:
    """Of samples of 60 residuals under Student's t of 3 degrees of freedom, 4% have a far one."""
    residual = np.abs(np.random.default_rng(0).standard_t(3, (20_000, 60)))
    far = residual > FAR * (1 + 4 / 55) * np.median(residual, axis=1, keepdims=True) / 0.6745
    assert 0.03 < far.any(axis=1).mean() < 0.05
    normal = np.abs(np.random.default_rng(0).standard_normal((20_000, 60)))
    assert not (normal > FAR * np.median(normal, axis=1, keepdims=True) / 0.6745).any()
