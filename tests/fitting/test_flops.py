"""Tables with the compute of each run instead of its data size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.fitting import auto, fit, fit_csv, predict_csv
from errsrc.fitting.flops import completed_sizes
from errsrc.fitting.table_points import table_points
from errsrc.laws import Chinchilla, Power
from errsrc.tables import table_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
ONLY_C, CLEAN = (FIXTURES / f"isoflop_{name}.csv" for name in ("only_c", "clean"))


def test_any_of_the_three_follows_from_the_other_two() -> None:
    sizes = {"n": np.array([1e9, 2e9]), "m": np.array([1e7, 3e7]), "flops": np.array([6e16, 36e16])}
    for missing in sizes:
        completed, cost = completed_sizes({name: x for name, x in sizes.items() if name != missing})
        np.testing.assert_allclose(completed[missing], sizes[missing])
        assert cost.startswith("C = 6 n m" if missing == "flops" else "C as given")
    assert completed_sizes(sizes)[1] == "C, n and m as given"
    with pytest.raises(ValueError, match=r"Two of n, m and flops are needed\. Got no flops and no m"):
        completed_sizes({"n": sizes["n"]})


def test_n_follows_from_the_compute_and_the_fit_says_so() -> None:
    found = fit_csv(ONLY_C, "chinchilla")
    same = fit_csv(CLEAN, "chinchilla")
    assert found.remarks[0] == (
        "The table has no column n: n = flops / (6 m), from the columns 'flops' and 'm'."
    )
    assert not any("flops" in sentence for sentence in (*same.remarks, *found.warnings))
    assert found.law.alpha == pytest.approx(same.law.alpha, rel=1e-3)
    again = predict_csv(found, ONLY_C)
    np.testing.assert_allclose(again.predicted, predict_csv(same, CLEAN).predicted, rtol=1e-3)


@pytest.mark.full
def test_columns_have_other_names_and_the_average_takes_them_too() -> None:
    rows = np.genfromtxt(ONLY_C, delimiter=",", names=True)
    data = {"C": rows["flops"], "params": rows["m"], "loss": rows["error"]}
    found = fit(Chinchilla, data=data, error="loss", m="params", flops="C")
    assert "from the columns 'C' and 'params'" in found.remarks[0]
    assert found.predict(data=data).predicted.shape == (24,)
    average = auto(data=data, error="loss", m="params", flops="C")
    assert average.input_names == ("n", "m")
    assert fit(Power, data=data, error="loss", n="C").input_names == ("n",)


def test_compute_that_is_empty_leaves_the_row_out_and_text_is_refused(tmp_path: Path) -> None:
    text = ONLY_C.read_text()
    (tmp_path / "runs.csv").write_text(text + ",1e9,2.5\n")
    assert len(fit_csv(tmp_path / "runs.csv", "chinchilla").left_out) == 1
    (tmp_path / "runs.csv").write_text(text + "lots,1e9,2.5\n")
    with pytest.raises(ValueError, match=r"column 'flops' must be a finite number > 0\. Got 'lots'"):
        fit_csv(tmp_path / "runs.csv", "chinchilla")


def test_the_command_takes_the_column_of_the_compute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs.csv").write_text(ONLY_C.read_text().replace("flops,m,error", "C,P,loss"))
    names = ["--m", "P", "--error", "loss", "--law", "chinchilla"]
    assert main(["fit", str(tmp_path / "runs.csv"), *names, "--flops", "C"]) == 0
    assert "n = flops / (6 m), from the columns 'C' and 'P'" in capsys.readouterr().out
    assert main(["fit", str(tmp_path / "runs.csv"), *names]) == 2
    assert "no column 'n'" in capsys.readouterr().err


@pytest.mark.parametrize(("unit", "count"), [(1.0, 0), (5e5, 1)])
def test_steps_instead_of_tokens_do_not_suit_the_compute(unit: float, count: int) -> None:
    m, n = np.array([1e7, 2e7, 4e7, 8e7]), np.array([1e10, 2e10, 3e10, 4e10])
    table = table_of({"m": m, "n": n / unit, "flops": 6 * n * m, "error": 3 - 0.1 * np.arange(4)})
    said = [one for one in table_points(table, "chinchilla", {}).warnings if "'flops'" in one]
    assert len(said) == count
    assert all("is 5e+05 times 6 n m" in one for one in said)
