"""Fits and predictions of CSV files: the same as of the arrays in their columns."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from outside.law import Onset

import errsrc
from errsrc.fitting import AveragedFit, Fit, auto, fit, fit_csv, load_fit, predict_csv, save_fit
from errsrc.laws import Chinchilla, Power, Pruning
from errsrc.tables import read_table

N, M = (x.ravel() for x in np.meshgrid(2.0 ** np.arange(9, 15), 4.0 ** np.arange(4, 9)))
ERROR = Chinchilla(E=1.8, A=9.0, B=20.0, alpha=0.35, beta=0.37).error(n=N, m=M)
NOISY = ERROR * np.exp(0.02 * np.random.default_rng(0).standard_normal(len(ERROR)))


def written(path: Path, **columns: np.ndarray) -> Path:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(repr, row)) for row in rows)]) + "\n")
    return path


def the_same(one: Fit | AveragedFit, other: Fit | AveragedFit) -> None:
    for found, expected in zip(one.curves(**one.inputs), other.curves(**other.inputs), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.full
def test_a_fit_of_a_file_is_the_fit_of_its_columns(tmp_path: Path) -> None:
    file = written(tmp_path / "runs.csv", tokens=N, m=M, loss=NOISY, seeds=1 + N % 3)
    columns = {"n": "tokens", "error": "loss"}
    found = errsrc.fit_csv(file, "chinchilla", columns=columns, weights="seeds", fixed={"E": 1.8}, seed=3)
    the_same(found, fit(Chinchilla, NOISY, n=N, m=M, weights=1 + N % 3, fixed={"E": 1.8}, seed=3))
    averaged = fit_csv(str(file), columns=columns, level=0.5)
    the_same(averaged, auto(NOISY, n=N, m=M, level=0.5))
    assert averaged.remarks[0].startswith("The dense law is left out of the average: it needs eps0")


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "log"},
        {"objective": "absolute", "fixed": {"E": 1.8}},
        {"objective": "huber", "huber_delta": 1e-3, "fixed": {"alpha": 0.35, "beta": 0.37}},
    ],
)
def test_the_options_of_a_fit_reach_the_fit_of_a_file(tmp_path: Path, options: dict) -> None:
    file = written(tmp_path / "runs.csv", n=N, m=M, error=NOISY)
    the_same(fit_csv(file, "chinchilla", **options), fit(Chinchilla, NOISY, n=N, m=M, **options))


def test_the_pruning_law_takes_an_objective(tmp_path: Path) -> None:
    density = 0.8 ** np.arange(26)
    error = Pruning(eps_np=0.07, eps_up=0.9, gamma=1.2, p=0.01).error(density=density)
    file = written(tmp_path / "pruned.csv", density=density, error=error)
    found = fit_csv(file, "pruning", objective="log")
    assert isinstance(found, Fit)
    the_same(found, fit(Pruning, error, density=density, objective="log"))


def test_a_law_of_ones_own_is_fitted_to_a_file(tmp_path: Path) -> None:
    n = 2.0 ** np.arange(20)
    error = Onset(a=0.9, onset=300.0, alpha=0.4).error(n=n)
    found = fit_csv(written(tmp_path / "runs.csv", n=n, error=error), Onset)
    assert found.law.params == pytest.approx({"a": 0.9, "onset": 300.0, "alpha": 0.4}, rel=1e-6)
    with pytest.raises(ValueError, match="The Onset law has no eps0"):
        fit_csv(tmp_path / "runs.csv", Onset, fixed={"eps0": 1.0})


def test_rows_are_predicted_by_the_columns_of_the_fit(tmp_path: Path) -> None:
    small = written(tmp_path / "small.csv", tokens=N, m=M, error=NOISY)
    found = fit_csv(small, "chinchilla", columns={"n": "tokens"})
    save_fit(found, tmp_path / "fit.json")
    large = written(tmp_path / "large.csv", m=M[-3:], tokens=4 * N[-3:])
    prediction = predict_csv(load_fit(tmp_path / "fit.json"), large, level=0.8)
    expected = found.predict(level=0.8, n=4 * N[-3:], m=M[-3:])
    for name, column in expected.columns().items():
        np.testing.assert_array_equal(prediction.columns()[name], column)
    lines = list(prediction.lines())
    assert lines[0] == "m,tokens,predicted,low,high"
    assert [float(line.split(",")[2]) for line in lines[1:]] == expected.predicted.tolist()


@pytest.mark.full
def test_a_fit_of_arrays_predicts_columns_that_have_the_names_of_its_inputs(tmp_path: Path) -> None:
    found = auto(Power(0.1, 8.0, 0.45).error(n=N), n=N)
    prediction = predict_csv(found, written(tmp_path / "sizes.csv", n=N))
    np.testing.assert_array_equal(prediction.predicted, found.predict(n=N).predicted)


def test_a_density_that_varies_is_a_pruning_law(tmp_path: Path) -> None:
    density = 0.8 ** np.arange(26)
    error = Pruning(eps_np=0.07, eps_up=0.9, gamma=1.2, p=0.01).error(density=density)
    found = fit_csv(written(tmp_path / "pruned.csv", density=density, error=error))
    assert isinstance(found, AveragedFit)
    assert isinstance(found.members[0].law, Pruning)
    several = written(tmp_path / "several.csv", density=density, e0=0 * density + 0.07, error=error)
    joint = fit_csv(several, "pruning", columns={"eps_np": "e0"})
    assert joint.input_names == ("density", "depth", "width", "eps_np")
    assert "phi is held at 0: the depth never varies." in joint.warnings


def test_a_fit_is_shown_as_a_table(tmp_path: Path) -> None:
    found = fit(Chinchilla, NOISY, n=N, m=M, fixed={"E": 1.8})
    lines = str(found).splitlines()
    assert lines[0] == "law         chinchilla: error = A/m**alpha + B/n**beta + E"
    assert "            90% intervals:" in lines
    assert "E           1.8 (held)" in lines
    assert f"alpha       {found.intervals['alpha']}" in lines
    average = auto(NOISY, n=N, m=M)
    averaged = str(average).splitlines()
    assert [line.split()[0] for line in averaged[:2]] == ["exponents", "floor"]
    (members,) = (line for line in averaged if line.startswith("average of"))
    assert re.fullmatch(r"average of  (coupled|chinchilla) \d+%, .*; the first is shown", members)
    first, shown = average.members[0], average.as_dict()
    for name, (low, high) in shown["intervals"].items():
        value = shown["params"][name]  # of the fit that has the interval, inside of it
        assert low < value < (math.inf if high is None else high)
        assert f"{name:10}  {first.intervals[name]}" in averaged
    assert shown["forecast_params"] == first.law.params  # of the fit that predicts
    (line,) = (line for line in averaged if line.startswith("forecasts   from a fit that gives large"))
    assert f"alpha {first.law.params['alpha']:.4g}" in line


def test_what_a_table_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n, m ,name\n1,2,a\n1,3,b\n")
    table = read_table(tmp_path / "a.csv")
    assert table.header == ("n", "m", "name")
    assert table.varying == {"m"}
    np.testing.assert_array_equal(table.numbers("name").values, [np.nan, np.nan])
    with pytest.raises(ValueError, match=r"a\.csv: each cell .* Got 2 others: line 2, 'name' = 'a'; line 3"):
        table.usable({"n": "name"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": "chinchila"}, r"'law' parameter of fit_csv must be one of .*did you mean 'chinchilla'\?"),
        ({"level": 1.5}, "'level' parameter of fit_csv"),
        ({"law": "power", "columns": {"m": "m"}}, "The power law takes n: leave the column of m out"),
        ({"law": "power", "fixed": {"eps0": 0.9}}, "The power law has no eps0: leave it out"),
        ({"law": "power", "constants": {"n_full": 9.0}}, "The power law has no n_full: leave it out"),
        ({"columns": {"error": "loss"}}, "has no column 'loss'"),
    ],
)
def test_what_cannot_be_fitted_is_refused(tmp_path: Path, options: dict, message: str) -> None:
    file = written(tmp_path / "runs.csv", n=N, m=M, error=NOISY)
    with pytest.raises(ValueError, match=message):
        fit_csv(file, **options)
