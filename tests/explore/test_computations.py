"""What the explorer computes is what errsrc's functions return, and its errors are those of the commands."""

from __future__ import annotations

import ast
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errsrc
from errsrc.cli import main
from errsrc.cli.explore import table_sentence
from errsrc.errors import NoAnswer
from errsrc.explore import BandProblem, FittedTable, band_curve, computations, explorer_page, panels
from errsrc.explore.computations import BAND_SIZES, N
from errsrc.explore.drawings import RISK, budget_texts
from errsrc.explore.server import notebook
from errsrc.explore.uploads import fit_upload
from errsrc.tables.frames import table_of

COLUMNS = {"n": "tokens", "m": "params", "error": "loss"}


@pytest.mark.parametrize("size", [5, 13])
def test_without_noise_ridge_and_tail_the_error_falls_to_zero_at_m(size: int) -> None:
    curve = band_curve(BandProblem(size=size, noise=0.0, ridge=0.0, tail=0.0), (size - 1, size, 2 * size))
    assert curve.exact_from == size
    assert curve.excess[0] > 1e-3
    assert "from n = " in curve.cliff_sentence()


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"noise": 0.1}, "the noise."), ({"tail": 0.1, "ridge": 1.0}, "the tail and the ridge.")],
)
def test_noise_tail_and_ridge_each_end_the_cliff(change: dict[str, float], cause: str) -> None:
    curve = band_curve(BandProblem(**{"size": 5, "noise": 0.0, "tail": 0.0, **change}), (5, 10))
    assert curve.exact_from is None
    assert curve.cliff_sentence().endswith(cause)


def test_the_terms_sum_to_the_total_and_agree_with_theory_at_large_n() -> None:
    problem = BandProblem(size=13, noise=0.3, ridge=1.0, tail=0.01)
    curve = band_curve(problem, (200,))
    (found,) = curve.budgets
    assert found.status == "Fixed inputs: exact."
    assert curve.excess[0] + 0.09 == pytest.approx(found.total.estimate, rel=1e-12)
    assert curve.theory[0] == pytest.approx(found.total.estimate, rel=0.02)
    assert curve.term("realizability")[0] == pytest.approx(0.01)


def test_more_examples_extend_the_same_sequence_of_inputs() -> None:
    problem = BandProblem()
    assert (problem.inputs(50)[:20] == problem.inputs(20)).all()
    assert set(BAND_SIZES) - {5, 13, 25, 41, 61} == set()
    assert {5, 13, 25, 41, 61} <= set(N)
    with pytest.raises(ValueError, match="'size' parameter of BandProblem must be among 5, 13, 25, 41, 61"):
        BandProblem(size=6)


@pytest.fixture(scope="module")
def table(runs: bytes) -> FittedTable:
    """The law of the runs."""
    found = fit_upload("runs.csv", runs, "chinchilla", COLUMNS)
    assert isinstance(found, FittedTable)
    return found


def test_a_dropped_table_gets_the_answers_of_fit_and_frontier(
    table: FittedTable, runs: bytes, tmp_path: Path
) -> None:
    (tmp_path / "runs.csv").write_bytes(runs)
    again = errsrc.fit_csv(tmp_path / "runs.csv", "chinchilla", columns=COLUMNS)
    assert str(table.fit) == str(again)
    place = table.start
    budget = table.frontier.budgets[place]
    assert errsrc.frontier(again, budget).m[0].estimate == pytest.approx(table.frontier.m[place].estimate)
    assert table.frontier.budgets[-1] == 2e24 <= 1e4 * 6 * 64e9 * 64e7 < 5e24
    assert table.goals == tuple(sorted(table.goals, reverse=True))


WRONG = {
    "empty.csv": b"",
    "header.csv": b"tokens,params,loss\n",
    "text.csv": b"tokens,params,loss\n1e9,1e7,high\n2e9,1e7,low\n",
    "few.csv": b"tokens,params,loss\n1e9,1e7,3.1\n2e9,1e7,3.0\n",
    "binary.csv": b"\x00\x01\x02",
    "sheet.csv": b"PK\x03\x04rest",
    "names.csv": b"a,b,c\n1,2,3\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_table_gets_the_sentence_of_the_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(WRONG[name])
    columns = [word for role, column in COLUMNS.items() for word in (f"--{role}", column)]
    assert main(["fit", name, "--law", "chinchilla", *columns]) in (1, 2)
    said = capsys.readouterr().err.removeprefix("errsrc: ").rstrip("\n")
    assert fit_upload(name, WRONG[name], "chinchilla", COLUMNS, table_sentence) == said
    assert said in panels.error_panel(said) or "&" in panels.error_panel(said)


def test_a_table_without_model_sizes_is_refused() -> None:
    rows = [f"{n},{0.1 + n**-0.5:.4f}" for n in (100, 200, 400, 800, 1600, 3200)]
    said = fit_upload("curve.csv", "\n".join(["n,error", *rows]).encode(), "power", {})
    assert said.startswith("The law of this table has the inputs n: a table with n, m and error, or m, flops")


class Page(HTMLParser):
    """The texts of the elements with an id, and all addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.addresses: list[str] = []
        self.last = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.last = given.get("id") or ("" if tag == "script" else self.last)
        self.addresses += [str(given[name]) for name in ("src", "href", "action") if name in given]

    def handle_data(self, data: str) -> None:
        self.texts[self.last] = self.texts.get(self.last, "") + data


def test_the_page_holds_each_position_and_loads_nothing(
    table: FittedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_plan(fit: Any, error: float, cost: Any) -> None:
        raise NoAnswer(f"No size reaches {error:g}.")

    monkeypatch.setattr(computations, "plan", no_plan)
    fresh = FittedTable("</script><b>runs", table.fit, table.frontier, table.largest)
    positions = {"size": (25,), "noise": (0.0, 0.3), "ridge": (0.0,), "tail": (0.01,)}
    text = explorer_page(fresh, positions, "errsrc explore --html <page>.html")
    assert "</script><b>" not in text
    assert not re.search(r"url\(|@import|<link|fetch\(|XMLHttp", text)
    page = Page(text)
    assert page.addresses == []
    data: dict[str, Any] = json.loads(page.texts["data"])
    assert len(data["curves"]) == 2
    curve = band_curve(BandProblem(size=25, noise=0.3, ridge=0.0, tail=0.01))
    for place in range(len(N)):
        assert data["curves"][1]["texts"][place] == budget_texts(curve, place)
    texts = budget_texts(curve, N.index(33))
    assert (page.texts["value-uncertainty"], page.texts["value-total"].split()[0]) == (texts[2], texts[4])
    assert sum(map(float, texts[6:10])) == pytest.approx(100, abs=0.3)
    assert data["law"]["plans"][0] == ["", "", "", "", f"No size reaches {table.goals[0]:g}."]


def test_values_beyond_the_axis_are_drawn_at_its_ends() -> None:
    assert RISK.up(1e9) == RISK.up(100.0) < RISK.up(1e-5) == RISK.up(1e-17) < RISK.up(1e-25)
    assert RISK.points((3, 10, 30, 100), (1, math.inf, 1, 1)).count("M") == 2
    assert RISK.points((3, 10), np.array([math.nan, math.inf])) == ""


def test_the_notebook_is_python_and_asks_for_names_that_exist() -> None:
    tree = ast.parse(notebook())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in imported:
        module = __import__(str(node.module), fromlist=["any"])
        assert all(hasattr(module, alias.name) for alias in node.names)
    assert len(imported) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "errsrc explore needs marimo: pip install 'errsrc[explore]'."),
        ("- --html page.html", "FILE must be the name of a file"),
        ("none.csv --html page.html", "none.csv: No such file or directory."),
        ("--html nowhere/page.html", "there is no folder"),
        ("--port 70000", "'70000' is not a port from 0 to 65535"),
    ],
)
def test_the_command_says_in_one_sentence_what_is_wrong(
    words: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "marimo", None)
    assert main(["explore", *words.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def with_compute(runs: bytes, tmp_path: Path) -> str:
    """A file of runs with their compute, and with a column of tokens that holds steps of 50 tokens."""
    rows = [tuple(map(float, row.split(","))) for row in runs.decode().split()[1:]]
    lines = [f"{n / 50:g},{m:g},{6 * n * m:g},{loss}" for n, m, loss in rows]
    (tmp_path / "runs.csv").write_text("\n".join(["tokens,params,train_flops,loss", *lines]))
    return str(tmp_path / "runs.csv")


def page_table(monkeypatch: pytest.MonkeyPatch, *words: str) -> FittedTable:
    """Return the table of the page that the command writes."""
    written: list[FittedTable] = []
    monkeypatch.setattr("errsrc.explore.explorer_page", lambda table, **_: written.append(table) or "")
    assert main(["explore", *words, "--html", f"{words[0]}.html"]) == 0
    return written[0]


@pytest.mark.full
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"flops": "train_flops", "m": "params"}, ("train_flops / (6 params)", "C = 6 n m")),
        ({"flops": "train_flops", "m": "params", "n": "tokens"}, ("tokens", "C = 300 n m")),
    ],
)
def test_the_page_takes_the_columns_of_frontier(
    with_compute: str, given: dict[str, str], shown: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = given | {"error": "loss"}
    monkeypatch.setattr(computations, "STEPS", (1,))
    words = [word for name, column in columns.items() for word in (f"--{name}", column)]
    table = page_table(monkeypatch, with_compute, *words, "--where", "loss<9", "--budget", "3e21")
    assert (table.columns["n"], table.cost_model) == shown
    found = errsrc.compute_optimal(data=with_compute, **columns, budgets=table.frontier.budgets[-1])
    assert found.fit is not None
    assert table.fit.inputs["n"] == pytest.approx(found.fit.inputs["n"])
    wanted = found.frontiers[-1]
    for name in ("m", "n"):
        estimate = getattr(table.frontier, name)[-1].estimate
        assert estimate == pytest.approx(getattr(wanted, name)[0].estimate, rel=1e-3)
    assert table.largest == pytest.approx(6 * 64e9 * 64e7)
    assert table.frontier.budgets[table.start] == 3e21
    shown = panels.law_panel(table, table.start, 0)
    assert "Table: runs.csv --where loss&lt;9." in shown
    assert '<span id="budget">3e+21</span>' in shown


@pytest.mark.parametrize("words", ["", "--error loss", "--error loss --flops train_flops"])
def test_the_page_refuses_a_table_with_the_sentence_of_frontier(
    with_compute: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for command in (["frontier"], ["explore", "--html", f"{with_compute}.html"]):
        assert main([*command, with_compute, *words.split()]) == 2
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]
    assert "id you mean" in said[0]


def test_no_column_is_guessed_for_n_if_the_compute_is_known() -> None:
    table = table_of({"tokens": [1e9], "params": [1e6], "flops": [6e15], "C": [6e15]}, "runs.csv")
    assert computations.named_columns(table) == {"flops": "flops", "m": "params"}
    assert "n" not in computations.named_columns(table, {"flops": "C"})


def test_a_missing_column_of_compute_and_a_constant_m_are_named(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    file.write_text("n,lr,loss\n" + "".join(f"{n},3e-4,{1 + n**-0.5}\n" for n in (10, 40, 160, 640)))
    columns = {"n": "n", "m": "lr", "error": "loss"}
    with pytest.raises(ValueError, match=r"m is the same in all rows \(lr = 0\.0003\)"):
        computations.fitted_table(file, columns=columns)
    with pytest.raises(ValueError, match="has no column 'none'"):
        computations.fitted_table(file, columns=columns | {"flops": "none"})
