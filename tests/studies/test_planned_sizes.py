"""m of each width before any training, and warnings about sizes of which too few are small."""

from __future__ import annotations

from errsrc.cli import main
from errsrc.fitting import few_small_sizes
from errsrc.studies import parse
from errsrc.studies.planned_sizes import planned_sizes

SPEC = """
kind = "vision"
seeds = 2
cell = {dataset = "digits", family = "mlp", validation = 397}
[factors]
n = [45, 90, 180, 360, 720]
width = [4, 8, 32, 16]
"""


def test_the_status_before_a_run_has_m_and_warns_of_few_small_sizes(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text(SPEC)
    assert main(["status", "grid.toml"]) == 0
    shown = capsys.readouterr().out
    assert "finished   0\nmissing    40\n" in shown
    assert (
        "\nm          310 (width 4), 610 (width 8), 1,210 (width 16), 2,410 (width 32) parameters\n" in shown
    )
    assert (
        "warning    Only 1 value of m is at most a quarter of the largest (2,410): choose at least" in shown
    )
    assert not (tmp_path / "grid.db").exists()
    assert "refused" not in shown
    (tmp_path / "grid.toml").write_text(SPEC.replace("720", "1200"))
    assert main(["status", "grid.toml"]) == 0
    refused = (
        "warning    8 of 40 cells are refused, and not computed. The first: The 'n' parameter of VisionCell"
    )
    assert f"{refused} must be an integer <=" in capsys.readouterr().out


def test_sizes_of_each_law_are_judged_apart() -> None:
    both = SPEC.replace("mlp", "cnn").replace("width = [4,", "depth = [2, 1]\nwidth = [1, 2, 4,")
    found = planned_sizes(parse(both))
    assert list(found.m) == sorted(found.m, key=lambda text: found.m[text])
    assert found.few == ()
    sets = SPEC.replace('dataset = "digits", ', "").replace(
        "[factors]", '[factors]\ndataset = ["digits", "fashion-mnist"]'
    )
    said = [sentence.partition(":")[0] for sentence in planned_sizes(parse(sets)).few]
    assert said == ["dataset digits", "dataset fashion-mnist"]
    law = '{kind = "power", c_inf = 0.1, a = 2.0, alpha = 0.5}'
    recovery = f'kind = "recovery"\ncell = {{law = {law}, noise = 0.02, n = [100, 200, 400, 800, 1600]}}'
    assert planned_sizes(parse(recovery)) == ({}, ())


def test_at_least_three_values_must_be_small() -> None:
    assert few_small_sizes(n=[1, 2, 3, 12], m=[1, 2, 3, 12]) == ()
    for m, said in ([6, 7, 20, 21], "No value of m is"), ([5, 20, 21, 5], "Only 1 value of m is"):
        (sentence,) = few_small_sizes(n=[1, 2, 3, 12], m=m)
        assert sentence.startswith(f"{said} at most a quarter of the largest (21): choose at least 3 such")
    (sentence,) = few_small_sizes(m=[159, 459, 1491, 3000])
    assert "(3,000): choose at least 3 such values of m, or a largest m >= 5,964. With" in sentence
