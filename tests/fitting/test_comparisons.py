"""Comparisons of laws on the same points."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outside.law import Onset

import errsrc
from errsrc.cli import main
from errsrc.fitting import compare, fit
from errsrc.laws import Broken, Chinchilla, Dense, Law, Power, Pruning
from fitting.cases import grid, noisy

N = 100 * 2.0 ** np.arange(10)
CURVE = noisy(Power(0.1, 2.0, 0.5), {"n": N}, 0.01)
LAWS = (
    (Power(0.1, 2.0, 0.5), "broken"),
    (Power(0.02, 8.0, 0.3), "cliff"),
    (Power(0.0, 1.0, 0.2), "envelope"),
)


@pytest.mark.full
@pytest.mark.parametrize(("law", "other"), LAWS)
def test_the_law_of_the_points_comes_first(law: Law, other: str) -> None:
    found = compare(["power", other], noisy(law, {"n": N}, 0.01), n=N)
    assert found.best.name == "power"
    assert found.best.miss < 0.05
    assert found.best.weight > 0.5
    assert found.splits == ((7, 3), (8, 2)) if other in ("broken", "cliff") else ((5, 5), (7, 3), (8, 2))


@pytest.mark.full
def test_a_bend_is_told_from_a_power_law() -> None:
    n = 100 * 2.0 ** np.arange(16)
    law = Broken(a=0.0, b=3.0, c0=0.1, c1=0.5, d1=3000.0, f1=0.3)
    found = compare([Power, Broken], noisy(law, {"n": n}, 0.01), n=n)
    assert {one.name: round(one.weight, 3) for one in found.laws} == {"power": 0.0, "broken": 1.0}


def test_the_numbers_are_those_of_the_fits() -> None:
    found = compare(["power"], CURVE, n=N)
    whole = fit(Power, CURVE, n=N, objective="log")
    assert found.best.fit is not None
    assert found.best.fit.law == whole.law
    residual = np.log(whole.law.error(n=N) / CURVE)
    expected = 10 * math.log(np.mean(residual**2)) + 2 * 4 + 2 * 4 * 5 / (10 - 4 - 1)
    assert found.best.aicc == pytest.approx(expected, rel=1e-6)
    assert found.best.weight == 1
    squares = []
    for held_out in (5, 3, 2):
        part = fit(Power, CURVE[:-held_out], n=N[:-held_out], objective="log")
        squares.append(np.log(part.predict(n=N[-held_out:]).predicted / CURVE[-held_out:]) ** 2)
    assert found.best.miss == pytest.approx(math.sqrt(np.concatenate(squares).mean()), rel=1e-6)


@pytest.mark.full
def test_laws_of_ones_own_are_compared() -> None:
    n = 2.0 ** np.arange(20)
    error = noisy(Onset(a=0.9, onset=300.0, alpha=0.4), {"n": n}, 0.01)
    found = errsrc.compare([Onset, "power"], error, n=n)
    assert [one.name for one in found.laws] == ["onset", "power"]


@pytest.mark.slow
def test_by_default_all_laws_in_the_inputs_are_compared() -> None:
    found = compare(None, noisy(Chinchilla(1.8, 9.0, 20.0, 0.35, 0.5), grid(), 0.005), **grid())
    assert {one.name for one in found.laws} >= {"chinchilla", "dense"}
    assert found.best.name in ("chinchilla", "dense")  # which one depends on the processor's last bits
    density = 0.8 ** np.arange(26)
    error = Pruning(0.07, 0.9, 1.2, 0.01).error(density=density) * np.exp(0.01 * np.sin(np.arange(26)))
    assert compare(None, error, density=density).best.name == "pruning"


def test_seeds_of_one_size_are_held_out_together() -> None:
    found = compare(["power"], np.repeat(CURVE, 3) * np.tile([0.99, 1.0, 1.01], 10), n=np.repeat(N, 3))
    assert found.splits == ((5, 5), (7, 3), (8, 2))


@pytest.mark.full
def test_too_few_points_leave_a_reason_instead_of_a_number() -> None:
    found = compare(["power", "broken", "m4"], CURVE[:6], n=N[:6])
    by_name = {one.name: one for one in found.laws}
    assert found.best.name == "power"
    assert by_name["broken"].fit is None
    assert "at more points than the 6 free parameters" in by_name["broken"].reason
    assert math.isnan(by_name["m4"].miss)
    assert by_name[
        "m4"
    ].reason == "5 free parameters are too many for the 3 sizes that are not held out." or (
        by_name["m4"].reason.startswith("5 free parameters are too many for the ")
    )
    assert "broken: The 'error' parameter" in str(found)


@pytest.mark.full
@pytest.mark.parametrize("objective", ["divergence", "absolute", "huber"])
def test_every_objective_can_be_compared(objective: str) -> None:
    found = compare(["power", "envelope"], CURVE, n=N, objective=objective)
    assert found.best.miss < 0.1
    assert math.isnan(found.best.aicc) == (objective == "huber")


@pytest.mark.slow
def test_a_parameter_is_held_in_every_law_that_has_it() -> None:
    found = compare(["power", "envelope"], CURVE, n=N, fixed={"c_inf": 0.0})
    assert all(one.fit is not None and one.fit.law.params["c_inf"] == 0 for one in found.laws)
    grid_error = noisy(Dense(0.9, 0.5, 0.6, 0.3, 0.5, 4.0), grid(), 0.01)
    dense = compare(["dense", "chinchilla"], grid_error, fixed={"eps0": 0.9}, **grid())
    assert {one.fit.law.params.get("eps0") for one in dense.laws if one.fit} == {None, 0.9}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"laws": "power"}, "'laws' parameter of compare must be a list of laws"),
        ({"laws": []}, "a list of laws"),
        ({"laws": ["powr"]}, "did you mean 'power'"),
        ({"laws": [int]}, "must be a subclass of errsrc.laws.Law"),
        ({"laws": ["power", "power"]}, "must be different laws"),
        ({"laws": ["power", "dense"]}, "must be laws in the same inputs, n"),
        ({"fixed": {"zz": 1.0}}, "'fixed' parameter of compare must be among a, "),
        ({"constants": {"zz": 1.0}}, "'constants' parameter of compare must be among none"),
        ({"n": N[:-1]}, "as long as error"),
        ({"laws": ["chinchilla"]}, "exactly n, m"),
        ({"laws": None, "k": N}, "one of these sets"),
        ({"error": CURVE[:2], "n": N[:2]}, "at more points than"),
        ({"error": CURVE[::-1]}, "are they accuracies"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict[str, Any], message: str) -> None:
    call = {"laws": ["power"], "error": CURVE, "n": N} | arguments
    with pytest.raises((TypeError, ValueError), match=message):
        compare(**call)


@pytest.mark.full
def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{n!r},{e!r}" for n, e in zip(N.tolist(), CURVE.tolist(), strict=True)]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["tokens,loss", *rows, "5000,"]) + "\n")
    arguments = ["compare", str(file), "--laws", "power,envelope", "--n", "tokens", "--error", "loss"]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    found = compare(["power", "envelope"], data=file, n="tokens", error="loss")
    assert shown.out == f"{found}\n"
    assert shown.out.splitlines()[0].split()[:4] == ["law", "miss", "in", "90%"]
    assert "1 of 11 rows" in shown.out
    assert main([*arguments, "--json", "--fix", "c_inf=0.1"]) == 0
    laws = json.loads(capsys.readouterr().out)["laws"]
    assert laws[0]["params"]["c_inf"] == 0.1 or laws[0]["fit"] is None
    assert len(repr(found)) <= 200


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ([0.5, 0.35, 0.25, 0.18, 1e-28, 1e-28], "a cliff at n = 1600."),
        ([0.5, 0.4, 0.3, 0.29, 0.9, 1.1, 0.7, 0.4, 0.2, 0.1], "The error rises from n = 800 to n = 3200"),
    ],
)
def test_a_cliff_and_a_peak_are_named(error: list[float], said: str) -> None:
    found = compare(["power"], error, n=100 * 2.0 ** np.arange(len(error)))
    assert sum(said in sentence for sentence in found.warnings) == 1
    assert said in str(found)


def test_a_constant_m_leaves_the_laws_in_n() -> None:
    n, error = np.array([100, 200, 400, 800, 1600.0]), np.array([0.5, 0.4, 0.33, 0.28, 0.25])
    table = {"n": n, "m": np.full(5, 610.0), "error": error}
    found = compare(["chinchilla", "coupled"], data=table)
    assert [one.name for one in found.laws] == ["power"]
    assert found.warnings[0] == "m is 610 in every row: the law in n is fitted, Power instead of Chinchilla."
