"""Fits and predictions of tables: by names of columns, without the rows that cannot be used, and said so."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errsrc
from errsrc.cli import main
from errsrc.fitting import auto, fit, fit_csv, holdout, load_fit, predict_csv, save_fit
from errsrc.fitting.directions import rises
from errsrc.laws import ALL, Broken, Chinchilla, Dense, Envelope, Power
from errsrc.tables import read_table, table_of

FILES = Path(__file__).parent / "files"
N = 1000.0 * 2.0 ** np.arange(8)
NOISE = np.exp(0.01 * np.random.default_rng(1).standard_normal(32))
ERROR = Power(c_inf=0.05, a=3.0, alpha=0.45).error(n=N) * NOISE[:8]
GRID = dict(zip("nm", (x.ravel() for x in np.meshgrid(N, [1e5, 1e6, 1e7, 1e8])), strict=True))
JOINT = Chinchilla(E=0.8, A=300.0, B=40.0, alpha=0.5, beta=0.4).error(**GRID) * NOISE
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line: the exit code, what was printed, and what was said on standard error."""

    def call(*argv: object) -> tuple[int, str, str]:
        code = main([str(one) for one in argv])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def csv_of(**columns: Any) -> str:
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"


READ = (
    "blank_rows bom case comment cr_only decimal_comma decimal_comma_tab dup index percent semicolon "
    "sep_line suffix thousands trailing2 underscore utf16"
)


@pytest.mark.parametrize("name", READ.split())
def test_the_command_fits_a_dialect(command: Command, name: str) -> None:
    code, out, said = command("fit", FILES / f"{name}.csv", "--law", "power", "--json")
    assert (code, said) == (0, "")
    found = json.loads(out)
    assert found["params"]["alpha"] == pytest.approx(0.334, abs=5e-4)
    assert "left_out" not in found


@pytest.mark.parametrize(
    ("name", "reason"),
    [("empty_cell", "without an error"), ("nan", "with an error of NaN"), ("inf", "with an infinite error")],
)
def test_the_command_counts_the_rows_that_it_leaves_out(command: Command, name: str, reason: str) -> None:
    code, out, said = command("fit", FILES / f"{name}.csv", "--law", "power")
    sentence = f"1 of 8 rows is left out: 1 {reason} (line 5)."
    assert (code, said) == (0, "")
    assert out.count(sentence) == 1
    code, out, said = command("fit", FILES / f"{name}.csv", "--law", "power", "--strict")
    assert (code, out) == (2, "")
    assert "line 5: the column 'error' must be a finite number > 0. Got " in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("latin1", "is not a CSV file in UTF-8"),
        ("spaces", "Separate the columns by commas"),
        ("wandb", "--melt"),
    ],
)
def test_the_command_refuses_what_has_no_reading(command: Command, name: str, message: str) -> None:
    code, out, said = command("fit", FILES / f"{name}.csv", "--law", "power")
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert message in said


def test_the_command_reads_standard_input(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = (FILES / "utf16.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out, _ = command("fit", "-", "--law", "power", "--json", "--out", tmp_path / "fit.json")
    assert code == 0
    assert json.loads(out)["params"]["alpha"] == pytest.approx(0.334, abs=5e-4)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"n\n1000\n\n2000\n")))
    code, out, _ = command("predict", tmp_path / "fit.json", "-")
    assert (code, out.splitlines()[0], len(out.splitlines())) == (0, "n,predicted,low,high", 3)


def test_predicted_rows_line_up_with_the_file(command: Command, tmp_path: Path) -> None:
    runs = written(tmp_path / "runs.csv", csv_of(tokens=N, error=ERROR))
    command("fit", runs, "--law", "power", "--n", "tokens", "--out", tmp_path / "fit.json")
    new = written(tmp_path / "new.csv", "run;tokens\na;1,5e5\nb;\nc;-3\nd;2e5\n")
    code, out, said = command("predict", tmp_path / "fit.json", new)
    assert code == 0
    assert said.startswith("errsrc: 2 of 4 rows are left out: 1 without n (line 3), 1 with n < 0 (line 4).\n")
    lines = out.splitlines()
    assert lines[0] == "run;tokens;predicted;low;high"
    assert lines[2:4] == ["b;;;;", "c;-3;;;"]
    expected = load_fit(tmp_path / "fit.json").predict(n=[1.5e5, 2e5]).predicted
    assert [float(lines[k].split(";")[2].replace(",", ".")) for k in (1, 4)] == expected.tolist()
    code, out, said = command("predict", tmp_path / "fit.json", new, "--strict")
    assert (code, out) == (2, "")
    assert "Got 2 others: line 3, 'tokens' = ''; line 4, 'tokens' = '-3'" in said


def frames(columns: dict[str, Any]) -> dict[str, Any]:
    """The same columns as data frames of each library that is installed."""
    found: dict[str, Any] = {"dict": columns}
    for library in ("pandas", "polars", "pyarrow"):
        try:
            module = __import__(library)
        except ModuleNotFoundError:
            continue
        found[library] = (module.table if library == "pyarrow" else module.DataFrame)(columns)
    return found


@pytest.mark.full
@pytest.mark.parametrize("library", ["dict", "pandas", "polars", "pyarrow"])
def test_a_fit_of_a_frame_is_the_fit_of_its_arrays(library: str) -> None:
    columns = {"tokens": [*N, 1.0], "w": [*(1 + np.arange(8.0)), 1.0], "loss": [*ERROR, None]}
    if library not in (known := frames(columns)):
        pytest.skip(f"no {library}")
    found = fit(Power, data=known[library], error="loss", n="tokens", weights="w")
    expected = fit(Power, ERROR, n=N, weights=1 + np.arange(8))
    assert found.law == expected.law
    assert [str(one) for one in found.left_out] == ["1 without an error (row 8)"]
    prediction = found.predict(data=known[library])
    np.testing.assert_array_equal(prediction.predicted, expected.predict(n=[*N, 1.0]).predicted)
    frame, table = prediction.to_frame(), found.to_frame()
    assert type(frame) is type(known[library])
    assert type(table) is type(known[library])
    points = table_of(table).numbers
    assert points("residual").values == pytest.approx(ERROR - expected.predict(n=N).predicted)
    if library == "pandas":  # `auto` reads its table as `fit` does, and takes seconds
        assert auto(data=known[library], error="loss", n="tokens").inputs["n"].tolist() == N.tolist()


def test_predictions_keep_the_index_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    found = fit(Power, ERROR, n=N)
    frame = pandas.DataFrame({"n": [1e5, np.nan, 2e5]}, index=["x", "y", "x"])
    predicted = found.predict(data=frame)
    assert predicted.to_frame().index.tolist() == ["x", "y", "x"]
    assert predicted.to_frame()["predicted"].isna().tolist() == [False, True, False]
    assert [str(one) for one in predicted.left_out] == ["1 without n (row y)"]
    assert repr(predicted).count("nan") == 0
    np.testing.assert_array_equal(
        found.predict(data={"size": [1e5]}, n="size").predicted, predicted.predicted[:1]
    )


@pytest.mark.full
def test_results_of_arrays_give_frames_too() -> None:
    pytest.importorskip("pandas")
    found = fit(Power, ERROR, n=N)
    assert list(found.to_frame().columns) == ["n", "error", "predicted", "residual"]
    assert list(auto(ERROR, n=N).to_frame().columns) == ["n", "error", "predicted", "residual"]
    assert len(found.predict(n=[1e5, 2e5]).to_frame()) == 2
    judged = holdout(Power, ERROR, n=N)
    assert list(judged.to_frame()["held_out"]) == list(judged.columns()["held_out"])
    assert len(errsrc.curve_shape(N, ERROR).to_frame()) == 8


@pytest.mark.full
def test_the_functions_of_fits_take_tables() -> None:
    table = {"tokens": GRID["n"], "params": GRID["m"], "loss": JOINT.tolist()}
    names = {"error": "loss", "n": "tokens", "m": "params"}
    assert fit(Chinchilla, data=table, **names).law == fit(Chinchilla, JOINT, **GRID).law
    table["loss"][3] = float("nan")
    judged = holdout(Chinchilla, data=table, **names)
    assert [str(one) for one in judged.left_out] == ["1 without an error (row 3)"]
    assert "1 of 32 rows is left out" in str(judged)
    keep = np.arange(32) != 3
    expected = holdout(Chinchilla, JOINT[keep], n=GRID["n"][keep], m=GRID["m"][keep])
    assert judged.held_out.divergence_mean == expected.held_out.divergence_mean
    shape = errsrc.curve_shape(data={"N": N, "Error": [*ERROR[:7], float("inf")]})
    assert "1 of 8 rows is left out: 1 with an infinite error (row 7)." in str(shape)
    assert len(shape.n) == 7


def test_what_was_left_out_is_saved_with_the_fit(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"n": N, "error": [*ERROR[:7], None]}, index=pandas.date_range("2024-01-01", periods=8)
    )
    found = fit(Power, data=frame)
    save_fit(found, tmp_path / "fit.json")
    again = load_fit(tmp_path / "fit.json")
    assert [str(one) for one in again.left_out] == ["1 without an error (row 2024-01-08 00:00:00)"]
    assert "1 of 8 rows is left out" in str(again)
    assert again.as_dict()["left_out"][0]["reason"] == "without an error"


@pytest.mark.parametrize("call", [lambda **k: fit(Power, **k), auto, lambda **k: holdout(Power, **k)])
def test_names_of_columns_need_a_table(call: Callable[..., Any]) -> None:
    for given in ({"error": "loss", "n": N}, {"error": ERROR, "n": "tokens"}):
        with pytest.raises(
            TypeError, match=r"Names of columns need data=, a data frame or the path of a file"
        ):
            call(**given)
    with pytest.raises(
        TypeError, match=r"'error' parameter of .* an array of numbers, or data= must be given"
    ):
        call(n=N)
    with pytest.raises(TypeError, match=r"'n' parameter of .* must be the name of a column of data"):
        call(data={"n": N, "error": ERROR}, n=N)
    with pytest.raises(ValueError, match=r"data has no column 'loss' \(did you mean 'Loss'\?\)"):
        call(data={"n": N, "Loss": ERROR}, error="loss")


def test_arrays_with_nan_are_refused_as_before() -> None:
    with pytest.raises(ValueError, match="'error' parameter of fit"):
        fit(Power, [*ERROR[:7], np.nan], n=N)
    with pytest.raises(ValueError, match="'n' parameter of"):
        fit(Power, ERROR, n=[*N[:7], np.nan])


ACCURACIES = {
    "shares": (1 - ERROR, {}),
    "percent": (100 * (1 - ERROR), {}),
    "percent signs": ([f"{100 * (1 - e):.9f}%" for e in ERROR], {}),
    "decimal commas": ([f"{1 - e:.12f}".replace(".", ",") for e in ERROR], {}),
    "a missing value": ([*(1 - ERROR), None], {"n": [*N, 1.0]}),
    "an accuracy of 1": ([*(1 - ERROR), 1.0], {"n": [*N, 1e9]}),
    "an accuracy of 100": ([*(100 - 100 * ERROR), 100.0], {"n": [*N, 1e9]}),
    "another order": ((1 - ERROR)[::-1], {"n": N[::-1]}),
    "a constant m": (1 - ERROR, {"m": [8.0] * 8}),
    "a column more": (1 - ERROR, {"seed": range(8)}),
}


@pytest.mark.parametrize("name", ACCURACIES)
def test_accuracies_are_recognised_and_turned_into_errors(name: str) -> None:
    values, more = ACCURACIES[name]
    table = {"n": N, "acc": values, **more}
    with pytest.raises(ValueError, match=r"The values rise with n: are they accuracies\? Pass accuracy=True"):
        fit(Power, data=table, error="acc")
    found = fit(Power, data=table, error="acc", accuracy=True)
    assert found.law.params == pytest.approx(fit(Power, ERROR, n=N).law.params, rel=1e-6)


@pytest.mark.full
def test_accuracies_in_arrays_and_in_curves() -> None:
    with pytest.raises(ValueError, match="The values rise with n"):
        fit(Power, 1 - ERROR, n=N)
    with pytest.raises(ValueError, match="The values rise with n"):
        auto(1 - JOINT / 10, **GRID)
    assert fit(Power, 100 - 100 * ERROR, n=N, accuracy=True).law.alpha == pytest.approx(0.45, rel=0.1)
    assert "rise with n" in errsrc.curve_shape(N, 1 - ERROR).status
    assert errsrc.curve_shape(N, 1 - ERROR, accuracy=True).verdict == errsrc.curve_shape(N, ERROR).verdict
    with pytest.raises(ValueError, match=r"An accuracy must be .* Got 137"):
        fit(Power, [10.0, 20, 30, 40, 50, 60, 70, 137], n=N, accuracy=True)
    with pytest.raises(
        ValueError, match=r"all shares, at most 1, or all percent\. Got 1\.02, and at most 1 for 7"
    ):
        fit(Power, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.02], n=N, accuracy=True)
    with pytest.raises(ValueError, match="1 - accuracy rises with n: these are errors already"):
        fit(Power, data={"n": N, "error": ERROR}, accuracy=True)
    rising = Broken(0.1, 1.0, 0.3, -0.9, 3000.0, 0.3)
    assert fit(Broken, rising.error(n=N), n=N).law.c1 < 0


def test_published_accuracies(command: Command) -> None:
    """OpenCLIP (Cherti et al. 2022, arXiv 2212.07143, figure 1): exponent .11 of LAION-2B over compute."""
    file = FILES / "openclip.csv"
    columns = ("--n", "gmacs_total", "--error", "acc1")
    code, _, said = command("fit", file, *columns)
    assert (code, said.count("\n")) == (2, 1)
    assert "Pass --accuracy, which takes 1 - accuracy as the error." in said
    chosen = ("--accuracy", "--where", "upstream=LAION-2B", "--law", "power", "--fix", "c_inf=0")
    code, out, _ = command("fit", file, *columns, *chosen, "--json")
    assert json.loads(out)["params"]["alpha"] == pytest.approx(0.114, abs=1e-3)


@pytest.mark.parametrize(
    ("error", "inputs", "expected"),
    [
        ([0.2, 0.22, 0.25, 0.27, 0.3], {"n": N[:5]}, True),
        ([0.3, 0.27, 0.25, 0.22, 0.2], {"n": N[:5]}, False),
        ([0.3] * 5, {"n": N[:5]}, False),
        ([0.2, 0.4, 0.3, 0.3] * 2, {"n": N[[0, 0, 1, 1, 2, 2, 3, 3]]}, False),  # equal means
        ([1e308, 1e307, 1e306, 1e305], {"n": N[:4]}, False),
        ([1e305, 1e306, 1e307, 1e308], {"n": N[:4]}, True),
        ([0.2, 0.3, 0.4], {"n": N[:3]}, False),  # too few
        ([0.3, 0.31, 0.29, 0.3, 0.302, 0.301, 0.3, 0.31], {"n": N}, False),  # noise
        ([0.59, 0.4, 0.26, 0.31, 0.79, 1.3, 0.69, 0.22], {"n": N}, False),  # a bump
        (JOINT, GRID, False),
        (1 - JOINT / 10, GRID, True),
        (JOINT[::9], {"n": GRID["n"][::9], "m": GRID["m"][::9][::-1]}, False),
        ([0.2, 0.22, 0.25, 0.27, 0.3], {"density": N[:5]}, False),
    ],
)
def test_what_rises(error: Any, inputs: dict[str, Any], expected: bool) -> None:
    assert rises(np.asarray(error), {name: np.asarray(x) for name, x in inputs.items()}) is expected


def test_errors_at_one_budget_do_not_count_as_rising() -> None:
    """At one budget, n falls where m rises; the errors have a minimum between."""
    m = np.geomspace(1e7, 1e9, 8)
    law = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    for budget in (1e17, 1e19, 1e21):
        n = budget / 6 / m
        assert not rises(law.error(n=n, m=m), {"n": n, "m": m})


CONSTANT = {
    "auto": ({}, "m is 610 in every row: the law in n is fitted."),
    "chinchilla": ({}, "m is 610 in every row: the law in n is fitted, Power instead of Chinchilla."),
    "dense": (
        {"fixed": {"eps0": 0.9}},
        "m is 610 in every row: the law in n is fitted, Envelope instead of Dense.",
    ),
    "coupled": ({}, "m is 610 in every row: the law in n is fitted, Power instead of Coupled."),
}


@pytest.mark.full
@pytest.mark.parametrize("law", CONSTANT)
def test_a_constant_m_gives_the_law_in_n(tmp_path: Path, law: str) -> None:
    options, sentence = CONSTANT[law]
    file = written(tmp_path / "runs.csv", csv_of(n=N, m=[610] * 8, error=ERROR))
    found = fit_csv(file, law, constants={"m_base": 1e3} if law == "dense" else None, **options)
    assert found.warnings[0] == sentence
    assert found.input_names == ("n",)
    expected = {
        "auto": lambda: auto(ERROR, n=N),
        "chinchilla": lambda: fit(Power, ERROR, n=N),
        "dense": lambda: fit(Envelope, ERROR, n=N, fixed={"eps0": 0.9}),
        "coupled": lambda: fit(Power, ERROR, n=N),
    }[law]()
    np.testing.assert_array_equal(found.predict(n=1e6).predicted, expected.predict(n=1e6).predicted)


@pytest.mark.parametrize(
    "m",
    [
        ["610"] * 8,
        ["6.1e2"] * 4 + ["610.0"] * 4,
        ["0.61k"] * 8,
        ["610", "610", "", "610", "610", "610", "610", "610"],
        ["610"] * 7 + ["nan"],
    ],
)
def test_a_constant_m_in_other_dialects(tmp_path: Path, m: list[str]) -> None:
    file = written(tmp_path / "runs.csv", csv_of(tokens=N, params=m, loss=ERROR))
    columns = {"n": "tokens", "m": "params", "error": "loss"}
    found = fit(Chinchilla, data=file, **columns)
    assert "m is 610 in every row" in found.warnings[0]
    with pytest.raises(ValueError, match="Power instead of Chinchilla, which has no E: leave E out"):
        fit(Chinchilla, data=file, **columns, fixed={"E": 0.1})
    assert fit(Chinchilla, data=file, **columns, fixed={"beta": 0.4}).law.params["alpha"] == 0.4


@pytest.mark.full
def test_rows_of_another_m_than_the_constant_one_are_not_predicted(tmp_path: Path) -> None:
    file = written(tmp_path / "runs.csv", csv_of(n=N, m=[610] * 8, error=ERROR))
    save_fit(fit_csv(file), tmp_path / "fit.json")
    new = written(tmp_path / "new.csv", "n,m\n1e6,610\n1e6,1220\n")
    found = predict_csv(load_fit(tmp_path / "fit.json"), new)
    assert np.isnan(found.predicted).tolist() == [False, True]
    assert [str(one) for one in found.left_out] == ["1 with another m than the fit's 610 (line 3)"]
    assert np.isfinite(predict_csv(load_fit(tmp_path / "fit.json"), written(new, "n\n1e6\n")).predicted).all()


DIVERGED = {
    "as in an export": ("diverged", ["false"] * 6 + ["true"] * 2),
    "capitals": ("Diverged", ["FALSE"] * 6 + ["TRUE"] * 2),
    "numbers": ("diverged", ["0"] * 6 + ["1"] * 2),
    "floats": ("diverged", ["0.0"] * 6 + ["1.0"] * 2),
    "words": ("diverged", ["no"] * 6 + ["yes"] * 2),
    "letters": ("DIVERGED", ["f"] * 6 + ["t"] * 2),
    "empty cells": ("diverged", [""] * 6 + ["True"] * 2),
    "blanks": (" diverged ", [" false"] * 6 + [" true "] * 2),
}


@pytest.mark.parametrize("name", DIVERGED)
@pytest.mark.parametrize("error", [["9.21", "nan"], ["", "inf"], ["0.5", "oom"]])
def test_diverged_runs_are_left_out(tmp_path: Path, name: str, error: list[str]) -> None:
    column, cells = DIVERGED[name]
    text = csv_of(n=N, error=[*map(str, ERROR[:6]), *error], **{column: cells})
    found = fit_csv(written(tmp_path / "runs.csv", text), "power")
    assert found.law == fit(Power, ERROR[:6], n=N[:6]).law
    assert [str(one) for one in found.left_out] == ["2 diverged (lines 8, 9)"]
    with pytest.raises(ValueError, match="Got 2 others: line 8 diverged; line 9 diverged"):
        fit_csv(tmp_path / "runs.csv", "power", strict=True)


@pytest.mark.full
@pytest.mark.parametrize("values", [[False] * 6 + [True] * 2, [0] * 6 + [1] * 2, [None] * 6 + [True] * 2])
def test_diverged_runs_of_a_frame_are_left_out(values: list[Any]) -> None:
    for frame in frames({"n": N, "error": ERROR, "diverged": values}).values():
        assert [str(one) for one in fit(Power, data=frame).left_out] == ["2 diverged (rows 6, 7)"]


def test_an_error_of_0_is_left_out_or_censored(tmp_path: Path) -> None:
    file = written(tmp_path / "runs.csv", csv_of(n=[*N, 1e9], error=[*ERROR, 0]))
    found = fit_csv(file, "power")
    assert [str(one) for one in found.left_out] == ["1 with an error of 0 (line 10)"]
    censored = fit_csv(file, "power", test_size=1000)
    assert censored.left_out == ()
    assert censored.warnings[0] == "1 error of 0 is taken as 1 / (2 test_size) = 0.0005 (line 10)."
    assert censored.law == fit(Power, [*ERROR, 5e-4], n=[*N, 1e9]).law
    with pytest.raises(
        ValueError, match=r"test_size needs errors as shares of the test set, at most 1\. Got 47"
    ):
        fit(Power, data={"n": N, "error": [47.0, 35, 26, 20, 16, 12, 10, 0]}, test_size=100)
    shape = errsrc.curve_shape(data={"n": [25, 50, 100, 200], "error": [0.75, 0.49, 0.0, 0.0]})
    assert (shape.verdict, shape.left_out) == ("cliff", ())


def test_copied_rows_are_no_seeds(command: Command, tmp_path: Path) -> None:
    text = csv_of(n=N, error=ERROR)
    file = written(tmp_path / "runs.csv", text + "".join(text.splitlines(keepends=True)[1:4]))
    found = fit_csv(file, "power")
    assert found.law == fit(Power, ERROR, n=N).law
    assert [str(one) for one in found.left_out] == ["3 copied from another row (lines 10, 11, 12)"]
    assert found.warnings[0].startswith("Rows that are equal in all columns count once")
    code, _, said = command("fit", file, "--strict")
    assert (code, said.count("\n")) == (2, 1)
    assert "has copied rows" in said
    seeds = fit_csv(
        written(file, csv_of(n=[*N, *N], seed=[*[1] * 8, *[2] * 8], error=[*ERROR, *ERROR])), "power"
    )
    assert len(seeds.error) == 16


@pytest.mark.full
def test_an_export_with_a_column_for_each_run_is_melted(command: Command, tmp_path: Path) -> None:
    file = FILES / "wandb.csv"
    code, out, _ = command("fit", file, "--melt", "--where", "run=calm-fog-9", "--law", "power", "--json")
    assert code == 0
    table = read_table(file).melted().where({"run": "calm-fog-9"})
    step, loss = (table.numbers(name).values for name in ("Step", "val/loss"))
    assert json.loads(out)["params"] == fit(Power, loss, n=step).law.params
    code, out, _ = command("fit", file, "--melt", "--law", "power", "--json")
    assert "The rows mix 2 experiments" in json.loads(out)["warnings"][0]
    wide = csv_of(n=N, **{"100k": JOINT[:8], "1M": JOINT[8:16], "10M": JOINT[16:24], "100M": JOINT[24:]})
    sizes = fit_csv(written(tmp_path / "sizes.csv", wide), "chinchilla", melt=True, columns={"m": "run"})
    assert sizes.law == fit(Chinchilla, JOINT, **GRID).law


def test_letter_case_of_other_conventions(tmp_path: Path) -> None:
    found = fit(Power, data={"N": N, "Error": ERROR})
    assert found.warnings[0] == "The column 'N' is taken for n, the number of training examples."
    with pytest.raises(ValueError, match="has columns 'N' and 'D', and N is often the model size"):
        fit(Power, data={"N": N, "D": N, "error": ERROR})
    both = fit(Chinchilla, data={"N": GRID["m"], "D": GRID["n"], "error": JOINT}, n="D", m="N")
    assert both.law == fit(Chinchilla, JOINT, **GRID).law


def test_a_failure_counts_the_rows_that_were_left_out() -> None:
    table = {"n": N, "error": [0.5, 0.4, 0.3, *[None] * 5]}
    for call in (
        lambda: fit(Power, data=table),
        lambda: auto(data=table),
        lambda: holdout(Power, data=table),
    ):
        with pytest.raises(
            ValueError, match=r"5 of 8 rows are left out: 5 without an error \(rows 3, 4, 5, 6, 7\)"
        ):
            call()


def test_rows_are_chosen_by_values(tmp_path: Path) -> None:
    file = written(
        tmp_path / "runs.csv", csv_of(n=[*N, *N], arch=["a"] * 8 + ["b"] * 8, error=[*ERROR, *ERROR[::-1]])
    )
    assert fit_csv(file, "power", where={"arch": "a"}).law == fit(Power, ERROR, n=N).law
    with pytest.raises(ValueError, match="has no row with arch = 'c'"):
        fit_csv(file, "power", where={"arch": "c"})


def test_options_are_checked() -> None:
    table = {"n": N, "error": ERROR}
    for options in ({"test_size": 0}, {"strict": 1}, {"accuracy": "yes"}):
        with pytest.raises((TypeError, ValueError), match=f"'{next(iter(options))}' parameter of"):
            fit(Power, data=table, **options)
    assert set(ALL) >= {"chinchilla", "dense"}
    assert Dense.inputs == ("n", "m")


@pytest.mark.full
def test_an_empty_column_m_is_no_input(tmp_path: Path) -> None:
    found = fit_csv(written(tmp_path / "runs.csv", csv_of(n=N, m=[""] * 8, error=ERROR)))
    assert found.warnings[0] == "The column 'm' has no values: the law in n is fitted."
    assert found.input_names == ("n",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n,error\n125m,1\n7M,2\n", "Got '125m' instead. Suffixes are k or K, M, B or G, and T."),
        ("n,accuracy\n1,.5\n", "--error COL (did you mean 'accuracy'?)"),
        ("n,loss\n1,.5\n", "--error COL (did you mean 'loss'?)"),
        ("n,error\n1000,0,3152\n2000,0,257\n", "line 2: the row has another number of cells: 3"),
    ],
)
def test_refusals_name_the_fix(command: Command, tmp_path: Path, text: str, message: str) -> None:
    code, out, said = command("fit", written(tmp_path / "runs.csv", text))
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert message in said


@pytest.mark.parametrize(
    "notes",
    [
        {"left_out": 3},
        {"left_out": {"groups": [{}], "total": 3}},
        {"left_out": {"groups": [], "total": float("inf")}},
        {"left_out": {"groups": [{"reason": "x", "rows": 3, "unit": "line"}], "total": 3}},
        {"constant": {"n": 10**400}},
        {"constant": [1]},
        {"library": 3},
    ],
)
def test_notes_of_others_do_no_harm(notes: dict[str, Any]) -> None:
    found = dataclasses.replace(fit(Power, ERROR, n=N), notes=notes)
    assert found.left_out == ()
    assert "left out" not in str(found)
    assert found.predict(data={"n": [1e5]}).left_out == ()
    assert len(table_of(found.to_frame())) == 8
