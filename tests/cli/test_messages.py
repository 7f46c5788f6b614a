"""What commands say on standard error about tables and options: named as the user typed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from errsrc.cli import main
from errsrc.fitting import compute_optimal

ONLY_C = Path(__file__).parents[1] / "fixtures" / "isoflop_only_c.csv"


def test_a_frontier_says_which_rows_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ONLY_C.read_text().split()
    lines[3] = lines[3].rpartition(",")[0] + ","
    (tmp_path / "gap.csv").write_text("\n".join(lines))
    assert main(["frontier", str(tmp_path / "gap.csv"), "--budget", "1e21"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "errsrc: 1 of 24 rows is left out: 1 without an error (line 4).\n"
    assert shown.err.removeprefix("errsrc: ") in shown.out


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
