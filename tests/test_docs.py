"""What the repository shows a reader is run: notebooks, and the examples in README and CONTRIBUTING."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


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


def test_the_readmes_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers agree to two digits: libraries of other versions may round the last ones otherwise."""
    blocks = re.findall(
        r"```python\n(.*?)```\s*```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert blocks
    number = re.compile(r"-?\d[\d.]*(?:e[+-]?\d+)?")
    for code, shown in blocks:
        exec(compile(code, "README.md", "exec"), {})
        printed = capsys.readouterr().out
        assert number.sub("#", printed).split() == number.sub("#", shown).split()
        theirs, ours = ([float(x.rstrip(".")) for x in number.findall(text)] for text in (shown, printed))
        assert ours == pytest.approx(theirs, rel=0.02)


def test_the_readmes_commands_run(tmp_path: Path) -> None:
    """In their order, on files of the kinds that they name; those for a cluster are tested elsewhere."""
    text = (ROOT / "README.md").read_text()
    named = re.compile(r"errsrc (fit|predict|plan|run|status|export|budget|conjecture) ")
    commands = [line for line in text.splitlines() if named.match(line) and "--engine" not in line]
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
    for command in commands:
        words = command.split("#")[0].split()
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stderr)


def test_the_readmes_spec_is_a_study() -> None:
    from errsrc.studies import load, parse

    (text,) = re.findall(r"```toml\n(kind.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    study, whole = parse(text), load(ROOT / "sims" / "digits_grid.toml")
    assert set(study) < set(whole)


def contributed(heading: str, where: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module in CONTRIBUTING's section of that heading, taken from the text as a newcomer would."""
    (section,) = (
        part for part in (ROOT / "CONTRIBUTING.md").read_text().split("\n## ") if part.startswith(heading)
    )
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    name = heading.lower().replace(" ", "_")
    (where / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(where)
    return importlib.import_module(name)


def test_a_law_added_as_contributing_says_is_fitted_by_the_one_fitter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from errsrc.laws import fit

    law = contributed("Add a law", tmp_path, monkeypatch).Exponential
    n = np.linspace(1, 50, 20)
    truth = law(c_inf=0.1, a=0.8, rate=12.0)
    found = fit(law, truth.error(n=n), n=n)
    assert found.law.params == pytest.approx(truth.params, rel=1e-6)


def test_a_learner_added_as_contributing_says_has_an_exact_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np
    from sklearn.utils.estimator_checks import check_estimator

    from errsrc.learners import as_estimator
    from errsrc.settings import GaussianProcessTeacher
    from errsrc.sources import budget

    kind = contributed("Add a learner", tmp_path, monkeypatch).KernelSmoother
    x, y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    found = kind(0.5).fit(x, y, np.random.default_rng(0))(np.array([[0.25]]))
    assert found == pytest.approx(1 / (1 + np.exp(1.0)))  # exp((0.25^2 - 0.75^2) / (2 x 0.5^2))
    setting, x = GaussianProcessTeacher(1, "rbf", 0.3), np.linspace(0, 1, 6)[:, None]
    exact, estimated = (budget(setting, kind(0.1), 6, x=x, exact=exact) for exact in (True, False))
    assert exact.total.estimate == pytest.approx(estimated.total.estimate, rel=0.5)
    check_estimator(as_estimator(kind(3.0)), on_skip=None)
