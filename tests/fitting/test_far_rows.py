"""Rows of a table that are far from every law: left out or discounted, and named with their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.errors import NoFit
from errsrc.fitting import auto, compare, compute_optimal, fit, fit_csv, holdout
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


@pytest.mark.parametrize(
    ("options", "done"),
    [
        ({}, "was left out of the fit"),
        ({"objective": "huber"}, "was discounted"),
        ({"keep_far": True}, "pulls the fit (leave wrong rows out, or discount"),
    ],
)
def test_a_fit_of_one_law_names_the_line(diverged: Path, options: dict[str, Any], done: str) -> None:
    if "keep_far" in options:  # least squares fail at 9.731
        diverged.write_text(diverged.read_text().replace("9.731", "3.731"))
    found = fit(Chinchilla, data=diverged, **options)
    (sentence,) = (text for text in found.warnings if "far from" in text)
    assert sentence.startswith(f"1 of 24 rows is far from the law, and {done}")
    assert ": line 21 (n = " in sentence
    if not options:  # nothing of the row is left
        clean = fit(Chinchilla, np.delete(GOOD, 19), n=np.delete(N, 19), m=np.delete(M, 19))
        assert found.law == clean.law
        assert found.intervals == clean.intervals


@pytest.mark.slow
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


def test_a_failed_fit_names_the_line(diverged: Path) -> None:
    with pytest.raises(NoFit, match=r"1 of 24 rows is far from the law, .*: line 21 \(n = "):
        fit_csv(diverged, "chinchilla", keep_far=True)


def test_the_last_row_of_a_curve_stays_if_it_may_be_the_first_of_a_cliff() -> None:
    n, error = [50, 100, 200, 400, 800, 1600], [0.4, 0.2, 0.1, 0.05, 0.025, 0.001]
    with pytest.raises(NoFit, match="1 of 6 rows is far from the law, and pulls the fit"):
        fit("power", error, n=n, fixed={"c_inf": 0.0})


def test_a_last_row_that_stays_keeps_no_other_row() -> None:
    n = 100 * 2.0 ** np.arange(12)
    error = 5 * n**-0.5 * np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
    error[[3, -1]] *= 4.0, 0.6
    found = fit("power", error, n=n)
    assert found.inputs["n"].tolist() == np.delete(n, 3).tolist()
    assert "far from the law, and was left out of the fit: n = 800, " in found.warnings[0]
    assert f"n = {n[-1]:.6g}, error" in found.warnings[1]


@pytest.mark.full
def test_an_average_names_the_rows_that_it_keeps() -> None:
    n = 100 * 2.0 ** np.arange(12)
    error = 5 * n**-0.5 * np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
    error[3] *= 4
    found = auto(error, n=n, keep_far=True)
    assert found.members[0].inputs["n"].size == 12
    assert (
        sum("1 of 12 rows is far from the law, and was discounted: n = 800" in w for w in found.warnings) == 1
    )


def test_a_held_out_judgement_leaves_the_row_out(diverged: Path) -> None:
    found = holdout("chinchilla", data=diverged, share=0.6)
    clean = holdout("chinchilla", np.delete(GOOD, 19), n=np.delete(N, 19), m=np.delete(M, 19), share=0.6)
    assert found.held_out.divergence_mean == clean.held_out.divergence_mean
    assert "far from the law, and was left out: line 21 (n = " in str(found)
    assert "far from" not in str(clean)


def test_a_wrong_run_at_every_budget_is_left_out_of_all_approaches(tmp_path: Path) -> None:
    """The parabolas of approach 2 alone do not show them: wrong runs hide each other."""
    clean = CLEAN.with_name("isoflop_only_c.csv")
    header, *rows = (line.split(",") for line in clean.read_text().split())
    wrong: dict[str, int] = {}
    for k, row in enumerate(rows):
        wrong.setdefault(row[0], k + len(wrong) % 3)  # another place at each budget
    for k in wrong.values():
        rows[k][2] = f"{7 + 0.1 * k:g}"
    (tmp_path / "runs.csv").write_text("\n".join(map(",".join, [header, *rows])))
    found, other = (compute_optimal(data=file, budgets=1e21) for file in (tmp_path / "runs.csv", clean))
    for one, expected in zip(found.frontiers, other.frontiers, strict=True):
        assert one.a.estimate == pytest.approx(expected.a.estimate, abs=0.02)
    (sentence,) = found.warnings
    assert sentence.startswith("4 of 24 rows are far from the law and from the other runs")
    assert all(f"line {k + 2} (" in sentence for k in wrong.values())


def test_a_judgement_without_small_cells_is_refused_in_words() -> None:
    with pytest.raises(
        ValueError, match=r"'share' parameter of holdout must be so large that cells are left"
    ):
        holdout("power", [0.5, 0.4, 0.3], n=[100, 110, 120])
