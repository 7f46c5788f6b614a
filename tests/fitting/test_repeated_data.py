"""Fits of tables of models that saw their data several times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.fitting import fit, fit_csv, predict_csv
from errsrc.fitting.table_columns import SIZES
from errsrc.laws import ALL, FiniteData
from errsrc.studies.recovery import AXES, RecoveryCell, compute_recoveries

TRUTH = FiniteData(E=1.87, A=521, B=1488, alpha=0.353, beta=0.353, r_n=15.4, r_m=5.31, P=2e-3)


def grid() -> dict[str, np.ndarray]:
    """Four sizes of data, 1 to 30 epochs, five models."""
    u, epochs, m = np.meshgrid(np.geomspace(1e8, 1e10, 4), [1, 2, 4, 10, 30], np.geomspace(2e7, 4e9, 5))
    return {"n": (u * epochs).ravel(), "u": u.ravel(), "m": m.ravel()}


def noisy(law: FiniteData, sizes: dict[str, np.ndarray], seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(sizes["n"].size)
    return law.error(**sizes) * np.exp(0.003 * noise)


def test_all_parameters_are_recovered_from_a_grid_with_repetitions() -> None:
    sizes = grid()
    found = fit(FiniteData, noisy(TRUTH, sizes, 0), **sizes)
    for name, interval in found.intervals.items():
        width = interval.high - interval.low
        assert interval.low - width < TRUTH.params[name] < interval.high + width, name
        assert width < 0.25 * interval.estimate, name
    assert found.divergence_std < 0.0035


@pytest.mark.full
def test_overfitting_is_zero_where_the_errors_show_none() -> None:
    sizes = grid()
    plain = FiniteData(**{**TRUTH.params, "P": 0.0})
    found = fit(FiniteData, noisy(plain, sizes, 1), **sizes)
    assert found.intervals["P"].low == 0
    assert found.intervals["P"].high < 5e-5
    held = fit(FiniteData, noisy(plain, sizes, 1), fixed={"P": 0}, **sizes)
    assert held.law.r_n == pytest.approx(found.law.r_n, rel=0.1)


def test_a_grid_without_repetitions_says_that_it_does_not_determine_them() -> None:
    sizes = grid()
    once = {name: x[sizes["n"] == sizes["u"]] for name, x in sizes.items()}
    found = fit(FiniteData, noisy(TRUTH, once, 2), **once)
    for name in ("r_n", "P"):
        assert any(said.startswith(f"{name} is not determined") for said in found.warnings), found.warnings


def test_errors_that_rise_with_n_by_overfitting_are_no_accuracies() -> None:
    epochs, m = (x.ravel() for x in np.meshgrid(np.geomspace(40, 4000, 8), [3e8, 1e9, 3e9, 1e10]))
    sizes = {"n": 1e8 * epochs, "u": np.full(epochs.size, 1e8), "m": m}
    error = TRUTH.error(**sizes)
    found = fit(FiniteData, error, fixed={k: v for k, v in TRUTH.params.items() if k != "P"}, **sizes)
    assert found.law.params["P"] == pytest.approx(0.002, rel=1e-6)


@pytest.mark.full
def test_the_columns_of_a_table_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = grid()
    file = tmp_path / "runs.csv"
    columns = (sizes["n"], sizes["u"], sizes["m"], noisy(TRUTH, sizes, 0))
    rows = [",".join(f"{float(x)!r}" for x in row) for row in zip(*columns, strict=True)]
    file.write_text("\n".join(["tokens,unique,m,loss", *rows]))
    found = fit_csv(file, "finite-data", columns={"n": "tokens", "u": "unique", "error": "loss"})
    assert found.law == fit(FiniteData, columns[3], **sizes).law
    assert predict_csv(found, file).predicted[0] == pytest.approx(columns[3][0], rel=0.02)
    out = str(tmp_path / "fit.json")
    where = ["--n", "tokens", "--u", "unique", "--error", "loss", "--fix", "P=0.002", "--out", out]
    assert main(["fit", str(file), "--law", "finite-data", *where]) == 0
    assert "0.002 (held)" in capsys.readouterr().out
    assert main(["predict", out, str(file)]) == 0


def test_every_size_of_a_law_can_be_named_by_command() -> None:
    sizes = {name for law in ALL.values() for name in law.inputs if name not in law.error_inputs}
    assert sizes == set(SIZES)
    assert set(AXES) == sizes - {"layers", "remaining"}  # of a law that also needs an error


def test_the_recovery_of_the_law_is_a_study() -> None:
    cell = RecoveryCell(
        law=TRUTH, noise=0.003, n=(1e9, 4e9, 2e10, 6e10), u=(2e8, 1e9, 4e9), m=(1e7, 1e8, 1e9, 4e9)
    )
    (row,) = compute_recoveries([cell])
    assert row["r_n"] == pytest.approx(15.4, rel=0.2)
