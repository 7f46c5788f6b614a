"""What the commands share to read tables: columns, rows, lists of numbers, and messages that name the fix."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.fitting import fit, fit_csv, load_fit
from errsrc.laws import Power
from errsrc.tables import read_table

LAW = Power(1.5, 20.0, 0.4)
N = 1e6 * 2.0 ** np.arange(8)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    noise = 1 + 0.002 * np.array([1, -1, 1, 1, -1, 1, -1, -1])
    rows = [f"r{k},{n:g},{e:.6g}" for k, (n, e) in enumerate(zip(N, LAW.error(n=N) * noise, strict=True))]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["name,train/tokens,val/loss", *rows, "r8,1e6,nan", "bad,2e6,9.5"]))
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(a) for a in arguments]) == 2
    return capsys.readouterr().err


def test_rows_are_chosen_by_conditions(runs: Path) -> None:
    table = read_table(runs)
    assert len(table) == 10
    assert table.where("val/loss<5").text("name") == tuple(f"r{k}" for k in range(8))
    assert len(table.where("name!=bad")) == 9
    assert len(table.where(["name!=bad", "train/tokens >= 4e6"])) == 6
    assert len(table.where({"train/tokens": 1e6})) == len(table.where("train/tokens=1000000")) == 2
    with pytest.raises(ValueError, match=r"no row with val/loss > '100'"):
        table.where("val/loss>100")
    for text, message in (
        ("loss", "not COL=VALUE, COL!=VALUE or"),
        ("loss<low", "'low', which is not a number"),
    ):
        with pytest.raises(ValueError, match=message):
            table.where(text)
    with pytest.raises(TypeError, match="or conditions such as 'loss<5'"):
        table.where(5)  # type: ignore[arg-type]
    columns = {"n": "train/tokens", "error": "val/loss"}
    assert len(fit_csv(runs, "power", columns=columns, where="name!=bad").error) == 8


@pytest.mark.full
@pytest.mark.parametrize("command", [["fit"], ["compare", "--laws", "power"]])
def test_commands_share_the_options_of_tables(
    runs: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ["--n", "train/tokens", "--error", "val/loss", "--where", "val/loss<5", "--where", "name != r8"]
    assert main([*command, str(runs), *columns]) == 0
    capsys.readouterr()
    assert "'errsrc " + command[0] + " --help' shows the usage" in said(capsys, *command, runs, "--nothing")
    assert "'x' is not COL=VALUE, COL!=VALUE or COL<VALUE" in said(capsys, *command, runs, "--where", "x")


def test_compare_takes_the_compute(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"
    assert main(["compare", str(file), "--laws", "chinchilla", "--flops", "flops", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["laws"][0]["law"] == "chinchilla"


def test_a_missing_column_names_the_option(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "fit", runs, "--n", "train/tokens")
    assert "Name the column by --error COL (did you mean 'val/loss'?)." in shown
    shown = said(capsys, "fit", runs)  # all missing columns at once
    assert (
        "has no columns 'n' (did you mean 'train/tokens'?) and 'error' (did you mean 'val/loss'?);" in shown
    )
    assert "Name the columns by --n COL --error COL." in shown


def test_a_missing_file_names_the_nearest(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    near = runs.with_name("rums.csv")
    for command in ("fit", "frontier", "compare"):
        assert "No such file or directory (did you mean 'runs.csv'?)." in said(capsys, command, near)
    with pytest.raises(FileNotFoundError, match=r"did you mean 'runs\.csv'"):
        fit(Power, data=near)
    with pytest.raises(FileNotFoundError, match=r"did you mean 'runs\.csv'"):
        load_fit(near)


def test_cells_with_unknown_suffixes_are_listed_shortly(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("\n".join(["n,error", *(f"{k}.5 mil,0.{k}" for k in range(1, 10))]))
    with pytest.raises(ValueError, match=r"Got 9 others: (.*'; ){5}and 4 more\. Suffixes are k or K, M, B"):
        fit_csv(file, "power")


def test_predictions_at_sizes_of_the_command_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = runs.with_name("fit.json")
    columns = ["--n", "train/tokens", "--error", "val/loss", "--where", "name!=bad"]
    assert main(["fit", str(runs), "--law", "power", *columns, "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["predict", str(out), "--n", "1B,2e9", "4G"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "n,predicted,low,high"
    assert [line.split(",")[0] for line in lines[1:]] == ["1000000000.0", "2000000000.0", "4000000000.0"]
    assert float(lines[1].split(",")[1]) == pytest.approx(LAW.error(n=1e9), rel=0.02)
    new = runs.with_name("new.csv")
    new.write_text("tokens\n1e9\n")
    needs = "The fit needs the column 'train/tokens'; --column n=COL names another."
    assert needs in said(capsys, "predict", out, new)
    assert main(["predict", str(out), str(new), "--column", "n=tokens"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split(",")[1:] == lines[1].split(",")[1:]
    assert "This fit needs --n. Got --n, --m." in said(capsys, "predict", out, "--n", "1B", "--m", "7B")
    assert "Name either a file of new runs, or their sizes" in said(capsys, "predict", out)
    assert "leave --column out" in said(capsys, "predict", out, "--n", "1B", "--column", "n=x")
    assert "'7Q' is not a number, such as 1e21 or 70B" in said(capsys, "predict", out, "--n", "7Q")


def test_a_fit_from_compute_says_which_columns_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv", tmp_path / "fit.json"
    assert main(["fit", str(file), "--law", "chinchilla", "--out", str(out)]) == 0
    new = tmp_path / "new.csv"
    new.write_text("C,params\n1e21,1e9\n")
    capsys.readouterr()
    assert "The fit needs the columns 'm', and 'flops' or 'n'; --column" in said(capsys, "predict", out, new)
    assert main(["predict", str(out), str(new), "--column", "flops=C", "--column", "m=params"]) == 0


def test_budgets_may_be_separated_by_commas(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = runs.with_name("fit.json")
    columns = ["--n", "train/tokens", "--error", "val/loss", "--where", "name!=bad"]
    assert main(["fit", str(runs), "--law", "power", *columns, "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["plan", str(out), "--budget", "1e9,1e10", "1T", "--json"]) == 0
    costs = [one["cost"]["estimate"] for one in json.loads(capsys.readouterr().out)]
    assert costs == pytest.approx([1e9, 1e10, 1e12])


def test_predictions_of_several_runs_have_a_mean_and_joint_intervals(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, new = runs.with_name("fit.json"), runs.with_name("new.csv")
    columns = ["--n", "train/tokens", "--error", "val/loss", "--where", "name!=bad"]
    assert main(["fit", str(runs), "--law", "power", *columns, "--out", str(out)]) == 0
    new.write_text("train/tokens\n1e9\n2e9\nnan\n4e9\n")
    capsys.readouterr()
    one = [str(out), "--n", "1e9,2e9,4e9"]
    expected = load_fit(out).predict(n=[1e9, 2e9, 4e9])
    for options in ([*one, "--mean"], [one[0], str(new), "--mean"]):
        assert main(["predict", *options]) == 0
        printed, err = capsys.readouterr()
        assert printed == f"geometric mean of the errors of 3 runs: {expected.mean()} (90% interval)\n"
        assert "variance" not in err  # a mean has less noise than its runs
        assert main(["predict", *options, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["mean"]["low"] == pytest.approx(expected.mean().low)
        assert shown["runs"] == 3
        assert shown["measured"] == expected.as_dict()["measured"]
    assert main(["predict", *one, "--joint", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["high"] == pytest.approx(expected.joint().high.tolist())
    assert shown["simultaneous"]
    assert "for all runs at once" in str(expected.joint())
    assert main(["predict", one[0], str(new), "--joint"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert float(last.split(",")[-1]) == pytest.approx(shown["high"][-1])
    assert "not allowed with argument --mean" in said(capsys, "predict", *one, "--mean", "--joint")
