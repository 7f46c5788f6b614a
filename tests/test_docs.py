"""What the repository shows a reader is run: notebooks, and the examples in README and the user guide."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from errsrc.cli import main

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted((DOCS / "guide").glob("*.md"))]
EXECUTED = [page for page in sorted(DOCS.glob("*/*.md")) if "file_format: mystnb" in page.read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_asserts_its_claim(notebook: Path) -> None:
    text = notebook.read_text()
    assert text.startswith("# ---\n# jupyter:\n#   jupytext:\n")  # as jupytext writes it
    assert "**Claim.**" in text.split("# %%")[1]
    assert "assert " in text.split("# %%")[-1]
    exec(compile(text, str(notebook), "exec"), {"__name__": "__main__"})


def test_notebooks_are_numbered_and_hold_no_outputs() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{k:02}_" for k in range(1, len(NOTEBOOKS) + 1)]
    tracked = subprocess.run(
        ["git", "ls-files", "notebooks"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert all(name.endswith(".py") for name in tracked.stdout.split())


BLOCK = re.compile(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)
EXAMPLES = [(page.stem, *found) for page in PAGES for found in BLOCK.findall(page.read_text())]


@pytest.mark.full
@pytest.mark.parametrize(
    ("code", "shown"),
    [pytest.param(code, shown, id=f"{page}-{k}") for k, (page, code, shown) in enumerate(EXAMPLES)],
)
def test_an_example_prints_what_the_page_shows(
    code: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers agree to two digits: libraries of other versions may round the last ones otherwise."""
    number = re.compile(r"-?\d[\d.]*(?:e[+-]?\d+)?")
    exec(compile(code, "example", "exec"), {})
    printed = capsys.readouterr().out
    assert bool(printed) == bool(shown)
    assert number.sub("#", printed).split() == number.sub("#", shown).split()
    theirs, ours = ([float(x.rstrip(".")) for x in number.findall(text)] for text in (shown, printed))
    assert ours == pytest.approx(theirs, rel=0.02)


CELL = re.compile(r"```\{code-cell\} python\n(:tags:[^\n]*\n\n)?(.*?)```", re.DOTALL)


DEAR = ("exact_at_finite_n", "where_error_comes_from", "wandb")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=pytest.mark.slow if page.stem in DEAR else pytest.mark.full)
        for page in EXECUTED
    ],
)
def test_the_cells_of_an_executed_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order, as a reader types them; hidden cells assert what the text says about the outputs."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    cells = CELL.findall(page.read_text())
    assert len(cells) == page.read_text().count("{code-cell}")
    for tags, cell in cells:
        shell, _, text = cell.partition("%%sh\n")
        if text and not shell:
            for line in text.replace("\\\n", " ").splitlines():
                command, *words = shlex.split(line)
                assert command != "errsrc" or main(words) == 0, (line, capsys.readouterr().err)
        elif "remove-input" not in tags:  # those show files
            exec(compile(cell, page.name, "exec"), names)


def test_the_readme_has_an_example_of_each_job() -> None:
    text = (ROOT / "README.md").read_text()
    assert {"errsrc.fit(", "errsrc.budget(", "errsrc.threshold("} <= set(re.findall(r"errsrc\.\w+\(", text))


@pytest.mark.parametrize(
    "page",
    [*PAGES, *DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md"), ROOT / "CONTRIBUTING.md"],
    ids=lambda page: page.stem,
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.slow
def test_the_commands_of_readme_and_guide_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], one_process: None
) -> None:
    """In their order, on files of the kinds that they name; those for a cluster are tested elsewhere."""
    text = "\n".join(page.read_text() for page in PAGES if page not in EXECUTED)
    named = re.compile(r"errsrc (fit|predict|plan|frontier|design|run|status|export|budget|conjecture) ")
    own = re.compile(r"STUDY\.toml| grid\.toml|--kinds|--modules")  # a study of the reader
    commands = [line for line in text.splitlines() if named.match(line) and not own.search(line)]
    assert len(commands) >= 7
    rows = ["n,m,error"]
    rows += [
        f"{n},{m},{0.05 + 4 * n**-0.5 + 9 * m**-0.4}" for n in (500, 2000, 8000) for m in (1e4, 1e5, 1e6)
    ]
    (tmp_path / "runs.csv").write_text("\n".join(rows))
    (tmp_path / "larger.csv").write_text("n,m\n32000,4e6\n")
    (tmp_path / "sims").mkdir()
    spec = (ROOT / "sims" / "digits_grid.toml").read_text()
    quick = spec.replace("seeds = 3", "seeds = 1").replace("[cell]", "[cell]\nsteps = 400")
    (tmp_path / "sims" / "digits_grid.toml").write_text(quick)
    exact = (ROOT / "sims" / "budget_linear.toml").read_text()
    quicker = exact.replace("[factors]", "cell.draws = 4\n[factors]")
    (tmp_path / "sims" / "budget_linear.toml").write_text(quicker)
    whole = "ratios = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0, 64.0]"
    for name, changed in {
        "nyquist_cliff": (whole, "ratios = [0.5, 2.0]"),
        "nyquist_claims": ("examples = 1000", "examples = 30"),
    }.items():
        head, first, *_ = (ROOT / "sims" / f"{name}.toml").read_text().split("[[factors.case]]")
        spec = f"{head}[[factors.case]]{first}"
        assert changed[0] in spec
        (tmp_path / "sims" / f"{name}.toml").write_text(spec.replace(*changed))
    monkeypatch.chdir(tmp_path)
    for command in commands:
        code = main(command.split("#")[0].split()[1:])
        assert code == 0, (command, capsys.readouterr().err)


def test_the_guides_spec_is_a_study() -> None:
    from errsrc.studies import load, parse

    page = (ROOT / "docs" / "guide" / "studies.md").read_text()
    (text,) = re.findall(r"```toml\n(kind.*?)```", page, re.DOTALL)
    study, whole = parse(text), load(ROOT / "sims" / "digits_grid.toml")
    assert set(study) < set(whole)


def test_contributing_names_every_package_and_no_path_that_is_not_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert len(text.splitlines()) <= 90
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    there = {path.stem for path in (ROOT / "errsrc").glob("[!_]*") if path.suffix in ("", ".py")}
    assert named == there
    paths = [path for path in re.findall(r"`([\w./]+)`", text) if "/" in path]
    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists(), path


def test_the_guide_names_every_law_setting_and_learner() -> None:
    from errsrc import laws, learners, settings

    text = "\n".join(page.read_text() for page in PAGES)
    for room in (laws, learners, settings):
        for name in room.ALL:
            assert f"`{name}`" in text, name
