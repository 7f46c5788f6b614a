"""errsrc frontier: tables of runs and saved fits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from errsrc.cli import main
from errsrc.cli.frontier import budget_range
from errsrc.fitting import compute_optimal, fit_csv, save_fit

CLEAN = Path(__file__).parents[1] / "fixtures" / "isoflop_clean.csv"
ONLY_C = CLEAN.with_name("isoflop_only_c.csv")


def test_a_table_gives_all_its_approaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frontier", str(ONLY_C), "--budget", "1e19", "1e21"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines()[0].startswith("compute-optimal sizes; C as given, n = C / (6 m)")
    assert main(["frontier", str(ONLY_C), "--budgets", "1e19:1e21:3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["method"] for one in found["frontiers"]] == ["isoFLOP parabolas", "law chinchilla"]
    assert found["frontiers"][0]["budgets"] == pytest.approx([1e19, 1e20, 1e21])


def test_columns_have_other_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ONLY_C.read_text().replace("flops,m,error", "compute,params,loss")
    (tmp_path / "runs.csv").write_text(text)
    names = ["--flops", "compute", "--m", "params", "--error", "loss"]
    assert main(["frontier", str(tmp_path / "runs.csv"), *names, "--budget", "1e21"]) == 0
    assert "1e+21" in capsys.readouterr().out
    assert main(["frontier", str(tmp_path / "runs.csv")]) == 2
    assert "has no column 'error'" in capsys.readouterr().err


def test_a_fit_gives_its_frontier_and_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_fit(fit_csv(CLEAN, "chinchilla"), tmp_path / "fit.json")
    figure = tmp_path / "figure.png"
    assert main(["frontier", str(tmp_path / "fit.json"), "--budget", "1e21", "--plot", str(figure)]) == 0
    assert capsys.readouterr().out.startswith("law chinchilla; C = 6 n m; 90% intervals\nm* ~ C^a   a = 0.51")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert main(["frontier", str(tmp_path / "fit.json")]) == 0
    budgets = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("1e+")]
    assert budgets == ["1e+18", "1e+19", "1e+20", "1e+21"]


def test_runs_of_one_data_size_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"4.4e9,{m}e7,{3 - m / 100}" for m in range(5, 12))
    (tmp_path / "runs.csv").write_text(f"n,m,error\n{rows}\n")
    assert main(["frontier", str(tmp_path / "runs.csv")]) == 1
    assert "must be at least two different sizes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--delta", "1e-3"], "--delta must be left out unless objective is 'huber'"),
        (["--n", "m"], "m and n are the same column 'm'"),
        (["--strict"], "has copied rows: 1 copied from another row (line 26)"),
    ],
)
def test_wrong_options_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    file = tmp_path / "runs.csv"
    file.write_text(CLEAN.read_text().rstrip("\n") + "\n" + CLEAN.read_text().splitlines()[-1] + "\n")
    assert main(["frontier", str(file), *options]) == 2
    assert message in capsys.readouterr().err


def test_sizes_in_other_units_and_far_budgets_are_noticed() -> None:
    lines = [line.split(",") for line in ONLY_C.read_text().split()][1:]
    flops, m, error = (np.array(column, float) for column in zip(*lines, strict=True))
    found = compute_optimal(flops=flops, m=m / 1e6, error=error, budgets=[1e21, 1e29])
    (far, unit) = found.warnings[::-1]
    assert "the column of m may have lost a suffix such as M" in unit
    assert "budget up to 3,330,000,000 times the largest measured (3e+19). Is a size in another unit?" in far
    assert str(found).count("Beyond the measured range") == 1


def test_a_range_of_budgets() -> None:
    assert budget_range("1e18:1e20:3") == pytest.approx([1e18, 1e19, 1e20])
    assert budget_range("1e18:1e18:1") == [1e18]
    for text in ("1e18", "1e20:1e18:3", "0:1:2", "1:2:0", "1:inf:3", "a:b:c"):
        assert main(["frontier", str(CLEAN), "--budgets", text]) == 2


@pytest.mark.full
def test_plans_of_several_budgets_are_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_fit(fit_csv(CLEAN, "chinchilla"), tmp_path / "fit.json")
    assert main(["plan", str(tmp_path / "fit.json"), "--budget", "1e18", "1e19", "1e20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("90% intervals, for one new run; floor 1.8")
    assert lines[1].split() == ["n", "m", "cost", "error"]
    assert [line.split()[-4] for line in lines[2:5]] == ["1e+18", "1e+19", "1e+20"]
    assert main(["plan", str(tmp_path / "fit.json"), "--error", "2.5", "3", "--json"]) == 0
    assert [one["error"]["estimate"] for one in json.loads(capsys.readouterr().out)] == pytest.approx(
        [2.5, 3]
    )


def test_some_rows_of_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = ONLY_C.read_text().split()
    both = [f"{row},ours" for row in rows] + [f"{row.replace(',3.', ',4.')},theirs" for row in rows]
    (tmp_path / "runs.csv").write_text("\n".join([f"{header},who", *both]))
    assert main(["frontier", str(tmp_path / "runs.csv"), "--where", "who=ours", "--budget", "1e21"]) == 0
    said = capsys.readouterr().out
    assert "isoFLOP parabolas  0.509 [0.490, 0.528]" in said
    assert said.splitlines()[1] == "24 runs at 4 budgets; --where kept 24 of 48 rows"


def test_accuracies_and_wide_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = (line.split(",") for line in ONLY_C.read_text().split())
    place = header.index("error")
    for row in rows:
        row[place] = f"{100 - 20 * float(row[place]):.4f}"
    (tmp_path / "acc.csv").write_text("\n".join(map(",".join, [header, *rows])))
    arguments = ["frontier", str(tmp_path / "acc.csv"), "--budget", "1e21"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("errsrc: The values rise with n: are they accuracies? Pass --accuracy, which")
    assert main([*arguments, "--accuracy", "--test-size", "100"]) == 0
    assert "law chinchilla" in capsys.readouterr().out

    steps, sizes = range(1, 31), [1e6, 2e6, 4e6, 8e6, 16e6, 32e6]
    names = [name for k in range(6) for name in (f"r{k} - val/loss", f"r{k} - m")]
    lines = [",".join(["Step", *names])]
    for step in steps:
        n = 1e6 * 1.4**step
        cells = [x for m in sizes for x in (f"{1.8 + 400 * m**-0.35 + 2000 * n**-0.36:.6g}", f"{m:g}")]
        lines.append(",".join([f"{n:.8g}", *cells]))
    (tmp_path / "wide.csv").write_text("\n".join(lines))
    assert main(["frontier", str(tmp_path / "wide.csv"), "--error", "val/loss"]) == 2
    assert "pass --melt." in capsys.readouterr().err
    assert main(["frontier", str(tmp_path / "wide.csv"), "--melt", "--error", "val/loss"]) == 0
    assert "envelope of training curves  0.5" in capsys.readouterr().out


def test_a_table_in_json_is_no_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = (line.split(",") for line in ONLY_C.read_text().split())
    records = [dict(zip(header, map(float, row), strict=True)) for row in rows]
    (tmp_path / "runs.json").write_text(json.dumps(records))
    assert main(["frontier", str(tmp_path / "runs.json"), "--budget", "1e21"]) == 0
    assert "isoFLOP parabolas  0.509 [0.490, 0.528]" in capsys.readouterr().out
    assert main(["frontier", str(tmp_path / "none.json")]) == 2
    assert "none.json: No such file" in capsys.readouterr().err
