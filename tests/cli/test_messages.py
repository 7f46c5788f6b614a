"""What commands say on standard error about tables and options: named as the user typed them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from errsrc.cli import main
from errsrc.cli.frontier import budgets
from errsrc.fitting import compute_optimal

ONLY_C = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"


def test_a_frontier_says_which_rows_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ONLY_C.read_text().split()
    lines[3] = lines[3].rpartition(",")[0] + ","
    (tmp_path / "gap.csv").write_text("\n".join(lines))
    assert main(["frontier", str(tmp_path / "gap.csv"), "--budget", "1e21"]) == 0
    shown, sentence = capsys.readouterr(), "1 of 24 rows is left out: 1 without an error (line 4)."
    assert (shown.err, shown.out.count(sentence)) == ("", 1)
    assert main(["frontier", str(tmp_path / "gap.csv"), "--budget", "1e21", "--json"]) == 0
    assert capsys.readouterr().err == f"errsrc: {sentence}\n"  # standard output holds JSON only


def test_a_frontier_of_losses_below_zero_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *rows = ONLY_C.read_text().split()
    below = [f"{row.rpartition(',')[0]},-{k / 10:g}" for k, row in enumerate(rows)]
    (tmp_path / "below.csv").write_text("\n".join([header, *below]))
    assert main(["frontier", str(tmp_path / "below.csv")]) == 2
    assert "Add one constant to all losses that makes them > 0" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Add one constant"):
        compute_optimal([-0.5, -0.6, -0.7], n=[1, 2, 3], m=[1, 2, 3])


ROWS = [f"{n},{0.15 + 3.2 * n**-0.48:.4f},c{k}" for k, n in enumerate((100, 200, 400, 800, 1600, 3200))]
CURVE = "\n".join(["n,error,run", *ROWS])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--law power --fix alpha=-1", "--fix alpha must be a finite number >= 0. Got -1.0 instead."),
        (
            "--law power --delta -1 --objective huber",
            "--delta must be a finite number > 0. Got -1.0 instead.",
        ),
        ("--test-size 0", "--test-size must be an integer >= 1. Got 0 instead."),
        ("--fix E=1", "--fix must be among a, alpha, c_inf, eps0, eta, gamma. Got 'E' instead."),
        ("--eps0 0.3", "The values of error must be numbers <= eps0 = 0.3."),
        (
            "--fix a=3",
            "a = 3 does not mean the same in all averaged laws: in power its unit depends on alpha",
        ),
        ("--law power --fix c_inf=0.1 --fix alpha=1 --fix a=3", "--fix must be only some of the law's"),
        ("--m run", "the column 'run' holds text, such as 'c0'. The columns with numbers are 'n, error'."),
    ],
)
def test_messages_name_options_and_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    (tmp_path / "runs.csv").write_text(CURVE)
    assert main(["fit", str(tmp_path / "runs.csv"), *options.split()]) == 2
    assert message in capsys.readouterr().err


def test_a_frontier_refuses_wrong_options_and_laws_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, message in {
        "--fix foo=1": "errsrc: --fix must be among E, A, B, alpha, beta. Got 'foo' instead.\n",
        "--delta -1": "errsrc: --delta must be a finite number > 0. Got -1.0 instead.\n",
    }.items():
        assert main(["frontier", str(ONLY_C), *options.split()]) == 2
        assert capsys.readouterr().err == message
    (tmp_path / "runs.csv").write_text(CURVE)
    saved = str(tmp_path / "fit.json")
    assert main(["fit", str(tmp_path / "runs.csv"), "--law", "power", "--out", saved]) == 0
    assert main(["frontier", saved]) == 2
    assert "errsrc: The file must be a fit of a law in n and m. Got <a law in n>" in capsys.readouterr().err


def test_a_comparison_takes_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row of weight 1e-6 counts as little as a row that is not there."""
    header, *rows = CURVE.replace("run", "w").split("\n")
    rows = [row.rpartition(",")[0] + ",1" for row in rows]
    (tmp_path / "runs.csv").write_text("\n".join([header, *rows, "1600,0.26,1e-6"]))
    (tmp_path / "less.csv").write_text("\n".join([header, *rows]))
    shown = []
    for file in ("runs.csv", "less.csv"):
        assert main(["compare", str(tmp_path / file), "--laws", "power", "--weight", "w", "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out)["laws"][0]["params"]["alpha"])
    assert shown[0] == pytest.approx(shown[1], rel=1e-3)
    assert main(["compare", str(tmp_path / "runs.csv"), "--laws", "power", "--json"]) == 0
    equal = json.loads(capsys.readouterr().out)["laws"][0]["params"]["alpha"]
    assert equal != pytest.approx(shown[1], rel=1e-2)


def test_ranges_of_budgets_and_wrong_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert budgets("1T:1e14:3") == pytest.approx([1e12, 1e13, 1e14])
    assert budgets("1e12,2e12") == [1e12, 2e12]
    for text, message in {
        "1e21:1e24": "'1e21:1e24' is not LOW:HIGH:COUNT, such as 1e18:1e24:7",
        "x:1e24:3": "'x' is not a number, such as 1e21 or 70B",
        "1e21:1e24:7.5": "COUNT must be an integer from 1 to 10,000 in '1e21:1e24:7.5', got '7.5'",
        "1e24:1e21:3": "LOW must be > 0 and HIGH finite and at least LOW in '1e24:1e21:3'",
    }.items():
        assert main(["frontier", str(ONLY_C), "--budgets", text]) == 2
        assert message in capsys.readouterr().err
