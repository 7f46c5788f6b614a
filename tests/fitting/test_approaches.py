"""The approaches to compute-optimal sizes, side by side on the same runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errsrc.errors import NoAnswer
from errsrc.fitting import compute_optimal, training_envelope
from errsrc.fitting.approaches import _far_budgets
from errsrc.laws import Chinchilla

FIXTURES = Path(__file__).parents[1] / "fixtures"
LAW = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
A = LAW.beta / (LAW.alpha + LAW.beta)


@pytest.fixture(scope="module")
def curves() -> dict[str, np.ndarray]:
    """Evaluations of seven trainings, with a little noise."""
    m, n = (x.ravel() for x in np.meshgrid(1e8 * 2.0 ** np.arange(7), np.geomspace(1e8, 1e12, 60)))
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(n))
    return {"m": m, "n": n, "error": LAW.error(n=n, m=m) * np.exp(noise), "run": m}


def test_runs_that_share_budgets_have_two_approaches_that_agree() -> None:
    found = compute_optimal(data=FIXTURES / "isoflop_only_c.csv", budgets=1e21)
    assert [one.method for one in found.frontiers] == ["isoFLOP parabolas", "law chinchilla"]
    assert found.cost == "C as given, n = C / (6 m)"
    assert found.warnings == ()
    for one in found.frontiers:
        assert one.a.low < A < one.a.high
        for size, truth in ((one.m[0], 2.554e9), (one.n[0], 6.52e10)):
            assert size.low < truth < size.high
    error = found.frontiers[1].error
    assert error is not None
    assert error[0].low < 2.2993 < error[0].high


def test_the_table_has_the_exponents_first_then_a_row_for_each_budget_and_approach() -> None:
    lines = str(compute_optimal(data=FIXTURES / "isoflop_only_c.csv", budgets=[1e19, 1e21])).splitlines()
    assert lines[0] == "compute-optimal sizes; C as given, n = C / (6 m); 90% intervals"
    assert lines[1] == "24 runs at 4 budgets"
    assert lines[3].startswith("isoFLOP parabolas  0.50")
    assert lines[4].startswith("law chinchilla     0.51")
    assert lines[7].startswith("1e+19     isoFLOP parabolas")
    assert lines[9].startswith("1e+21     isoFLOP parabolas")


def test_training_curves_have_an_envelope_and_the_others_use_the_ends_of_runs(
    curves: dict[str, np.ndarray],
) -> None:
    found = compute_optimal(data=curves, budgets=1e22)
    assert [one.method for one in found.frontiers] == ["envelope of training curves"]
    assert found.missing[0].startswith("No isoFLOP parabolas: No budget of the table")
    assert "No fit of a law: The 'n' parameter of fit(Chinchilla)" in found.missing[1]
    assert found.frontiers[0].a.estimate == pytest.approx(A, abs=0.03)
    assert found.envelope is not None
    assert found.envelope.used.sum() == len(found.envelope.m) - 2


def test_the_envelope_has_each_run_at_the_compute_at_which_it_is_the_best(
    curves: dict[str, np.ndarray],
) -> None:
    error = LAW.error(n=curves["n"], m=curves["m"])
    found = training_envelope(error, m=curves["m"], n=curves["n"], run=curves["run"])
    g = (LAW.alpha * LAW.A / (LAW.beta * LAW.B)) ** (1 / (LAW.alpha + LAW.beta))
    best = g * (found.budgets / 6) ** A
    np.testing.assert_allclose(found.m[found.used], best[found.used], rtol=0.05)
    np.testing.assert_allclose(6 * found.n * found.m, found.budgets)
    assert found.a.estimate == pytest.approx(A, abs=0.005)
    few = curves["m"] < 5e8
    with pytest.raises(NoAnswer, match="Fewer than two runs"):
        training_envelope(error[few], **{name: curves[name][few] for name in ("m", "n", "run")})


def test_a_column_run_that_counts_seeds_names_no_training_curves() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_only_c.csv", delimiter=",", names=True)
    data = {name: np.repeat(rows[name], 2) for name in ("flops", "m", "error")}
    data["error"] *= np.tile([0.999, 1.001], 24)
    data["run"] = np.tile([1.0, 2.0], 24)
    found = compute_optimal(data=data, budgets=1e21)
    assert len(found.frontiers) == 2
    assert found.fit is not None
    assert len(found.fit.inputs["n"]) == 48
    with pytest.raises(ValueError, match="'run' parameter of compute_optimal must be the run of each row"):
        compute_optimal(data=data, run="run")


def test_diverged_runs_are_left_out_of_both_approaches() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_clean.csv", delimiter=",", names=True)
    error = rows["error"].copy()
    error[[19, 22]] = [7.6, 9.9]
    found = compute_optimal(error, m=rows["m"], n=rows["n"], flops=rows["flops"], budgets=1e21)
    assert len(found.frontiers) == 2
    assert found.fit is not None
    assert len(found.fit.inputs["n"]) == 22
    assert found.frontiers[1].a.low < A < found.frontiers[1].a.high
    assert sum("lies far off the parabola" in sentence for sentence in found.warnings) == 2
    assert all("left out of all approaches." in sentence for sentence in found.warnings)


def test_far_runs_are_kept_if_the_caller_asks() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_clean.csv", delimiter=",", names=True)
    error = rows["error"].copy()
    error[19] *= 1.04
    runs = {"m": rows["m"], "n": rows["n"], "flops": rows["flops"], "budgets": 1e21}
    (left_out, kept) = (compute_optimal(error, **runs, keep_far=keep) for keep in (False, True))
    for found, count in ((left_out, 23), (kept, 24)):
        assert found.fit is not None
        assert len(found.fit.inputs["n"]) == count
        assert any("left out" in sentence for sentence in found.warnings) == (count == 23)


def test_a_run_that_is_left_out_is_named_by_each_approach(tmp_path: Path) -> None:
    header, *rows = (FIXTURES / "isoflop_only_c.csv").read_text().split()
    rows[20] = f"{rows[20].rsplit(',', 1)[0]},9.7"
    rows.insert(3, f"{rows[2].rsplit(',', 1)[0]},nan")
    lines = [f"{header},Name", *(f"{row},run-{k:02}" for k, row in enumerate(rows))]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    found = compute_optimal(data=tmp_path / "runs.csv", budgets=1e21).as_dict()
    place = [line.split(",")[2] for line in lines].index("9.7") + 1
    for one in (found["isoflop"], *found["frontiers"], found):
        (said,) = (sentence for sentence in one["warnings"] if "lies far off" in sentence)
        assert said.startswith(f"The run (line {place}, 'run-21') with m = ")
        assert said.endswith("lies far off the parabola of its budget: left out of all approaches.")
    assert found["frontiers"][1]["cost"] == found["isoflop"]["cost"] == "C as given, n = C / (6 m)"


def test_all_approaches_have_one_label_of_the_cost(curves: dict[str, np.ndarray]) -> None:
    found = compute_optimal(data=FIXTURES / "isoflop_only_c.csv", budgets=1e21)
    assert found.isoflop is not None
    labels = {one.cost for one in (found, found.isoflop, *found.frontiers)}
    assert labels == {"C as given, n = C / (6 m)"}
    assert str(found.frontiers[0]).startswith("isoFLOP parabolas; C as given, n = C / (6 m); 90%")
    sizes = {name: curves[name] for name in ("n", "m", "error", "run")}
    assert {one.cost for one in compute_optimal(data=sizes).frontiers} == {"C = 6 n m"}


def test_rows_that_cannot_be_used_are_left_out_and_counted(tmp_path: Path) -> None:
    text = (FIXTURES / "isoflop_only_c.csv").read_text()
    (tmp_path / "runs.csv").write_text(text + "1e+20,1e9,\n1e+20,2e9,nan\n")
    found = compute_optimal(data=tmp_path / "runs.csv")
    assert found.warnings[0].startswith("2 of 26 rows are left out:")
    assert sum(map(len, found.left_out)) == 2
    with pytest.raises(ValueError, match="line 26"):
        compute_optimal(data=tmp_path / "runs.csv", strict=True)


def test_the_best_of_each_size_is_kept_on_request_and_trials_are_said_to() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_only_c.csv", delimiter=",", names=True)
    data = {name: np.repeat(rows[name], 3) for name in ("flops", "m", "error")}
    data["error"] *= np.tile([1.0, 1.04, 1.1], 24)
    data["rate"] = np.tile([1.0, 2.0, 3.0], 24)
    every = compute_optimal(data=data, budgets=1e21)
    assert any("--best-of" in sentence for sentence in every.warnings)
    best = compute_optimal(data=data, budgets=1e21, best_of=True)
    assert best.warnings == ()
    assert best.frontiers[0].a == compute_optimal(data=FIXTURES / "isoflop_only_c.csv").frontiers[0].a


def test_a_single_budget_has_its_own_sizes_but_leaves_the_exponents_open() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_only_c.csv", delimiter=",", names=True)[:6]
    found = compute_optimal(rows["error"], m=rows["m"], flops=3 * rows["flops"])
    assert [str(one.a) for one in found.frontiers] == ["not determined"] * 2
    parabolas = found.frontiers[0]
    assert parabolas.budgets == pytest.approx([1e18, 3e18, 1e19, 1e20])
    assert found.isoflop is not None
    (group,) = found.isoflop.groups
    assert parabolas.m[1] == group.m_optimal
    assert parabolas.n[1] == group.n_optimal
    ratio = parabolas.ratio[1]
    assert ratio.low < group.n_optimal.estimate / group.m_optimal.estimate < ratio.high
    assert str(parabolas.m[0]) == str(parabolas.n[2]) == "not determined"
    assert found.warnings[0].endswith("are not determined. Train at a second budget.")
    with pytest.raises(ValueError, match="The compute must be a number of operations, at least 6 m"):
        compute_optimal(rows["error"], m=rows["m"], flops=rows["flops"] / 1e18)


@pytest.mark.parametrize("n", [np.full(6, 4.4e9), 20 * np.geomspace(5e7, 5e8, 6)])
def test_sizes_that_do_not_vary_independently_have_no_optimum(n: np.ndarray) -> None:
    m = np.geomspace(5e7, 5e8, 6)
    with pytest.raises(NoAnswer, match=r"fewer than three sizes\. No fit of a law: The 'n' parameter"):
        compute_optimal(LAW.error(n=n, m=m), m=m, n=n)


def test_too_few_runs_for_a_law_are_counted() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_only_c.csv", delimiter=",", names=True)[:5]
    found = compute_optimal(rows["error"], m=rows["m"], flops=rows["flops"])
    expected = "chinchilla has 5 parameters and needs at least 6 runs of different sizes; the table has 5."
    assert found.missing == (f"No fit of a law: {expected}",)
    fixed = compute_optimal(rows["error"], m=rows["m"], flops=rows["flops"], fixed={"E": 1.8})
    assert fixed.missing == ()


def test_columns_of_two_sizes_are_asked_for_with_the_nearest_names() -> None:
    rows = {"val/loss": [3.0, 2.9], "compute_flops": [1e18, 1e19], "model/n params": ["1M", "2M"]}
    with pytest.raises(ValueError, match="Two of flops, n and m are needed") as refused:
        compute_optimal("val/loss", data=rows | {"train/tokens": ["", ""]})
    message = str(refused.value)
    assert "has no columns flops, m and n." in message
    assert "flops='compute_flops', m='model/n params' (--flops compute_flops --m 'model/n params')" in message
    with pytest.raises(ValueError, match=r"\(--flops compute_flops --n train/tokens\)"):
        compute_optimal("val/loss", data=rows | {"train/tokens": ["1B", "2B"]}, m="model/n params", n=None)


def test_accuracies_are_named_first_and_taken_on_request() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_only_c.csv", delimiter=",", names=True)
    sizes = {"m": rows["m"], "flops": rows["flops"], "budgets": 1e21}
    accuracy = 1 - rows["error"] / 5
    with pytest.raises(ValueError, match=r"^The values rise with n: are they accuracies\?"):
        compute_optimal(accuracy, **sizes)
    expected = compute_optimal(rows["error"] / 5, **sizes).frontiers[1].a
    for values in (accuracy, 100 * accuracy):
        found = compute_optimal(values, **sizes, accuracy=True)
        assert found.frontiers[1].a.estimate == pytest.approx(expected.estimate, abs=1e-6)
    data = {"flops": rows["flops"], "m": rows["m"], "acc": accuracy}
    table = compute_optimal("acc", data=data, budgets=1e21, accuracy=True)
    assert table.frontiers[1].a.estimate == pytest.approx(expected.estimate, abs=1e-6)
    assert table.column_names["error"] == "1 − acc"
    with pytest.raises(ValueError, match="these are errors already"):
        compute_optimal(rows["error"] / 5, **sizes, accuracy=True)


def test_errors_of_0_are_taken_as_half_a_test_example() -> None:
    rows = np.genfromtxt(FIXTURES / "isoflop_only_c.csv", delimiter=",", names=True)
    error = rows["error"] / 5
    error[-1] = 0
    data = {"flops": rows["flops"], "m": rows["m"], "error": error}
    assert sum(map(len, compute_optimal(data=data).left_out)) == 1
    found = compute_optimal(data=data, test_size=10)
    assert found.left_out == ()
    assert any("1 / (2 test_size) = 0.05" in sentence for sentence in found.warnings)


def test_what_is_no_table_of_runs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Two of n, m and flops are needed\. Got no flops and no n"):
        compute_optimal([3.0, 2.0], m=[1e8, 2e8])
    with pytest.raises(TypeError, match=r"Names of columns need data="):
        compute_optimal("loss", m=[1e8, 2e8])
    with pytest.raises(TypeError, match="'m' parameter of compute_optimal must be the name of a column"):
        compute_optimal(data={"m": [1e8], "error": [1.0]}, m=[1e8])
    with pytest.raises(ValueError, match="has no column 'loss'"):
        compute_optimal("loss", data={"m": [1e8], "error": [1.0]})
    with pytest.raises(
        ValueError, match=r"'m' parameter of compute_optimal must be .* as long as the others"
    ):
        compute_optimal([3.0, 2.0], m=[1e8], n=[1e8, 1e9])


def test_a_law_has_the_cost_that_the_table_states() -> None:
    """Flops of 2 n m: all approaches agree about the sizes at a budget."""
    n, m = (x.ravel() for x in np.meshgrid(np.geomspace(1e8, 1e11, 8), np.geomspace(1e7, 1e10, 8)))
    law = Chinchilla(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
    error = law.error(n=n, m=m) * np.exp(0.001 * np.random.default_rng(0).standard_normal(len(n)))
    stated = compute_optimal(error, n=n, m=m, flops=2 * n * m, budgets=[1e21])
    usual = compute_optimal(error, n=n, m=m, budgets=[3e21])
    (one,), (other,) = (
        [f for f in found.frontiers if f.method.startswith("law")] for found in (stated, usual)
    )
    assert one.m[0].estimate == pytest.approx(other.m[0].estimate, rel=0.01)
    with pytest.raises(
        ValueError, match="'flops' parameter of compute_optimal must be numbers of operations"
    ):
        compute_optimal(error, n=n, m=m, flops=6e-15 * n * m, budgets=[1e6])


def test_factors_of_far_budgets_are_written_in_full() -> None:
    (text,) = _far_budgets(np.array([3e21]), np.array([1e18, 1e19]))
    assert text.startswith("Beyond the measured range: budget up to 300 times the largest measured (1e+19). ")
    (text,) = _far_budgets(np.array([3e11, 1e15]), np.array([1e15, 1e19]))
    assert "budget down to 1/3,330 of the smallest measured (1e+15)" in text
