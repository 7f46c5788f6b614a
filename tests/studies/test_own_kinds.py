"""Kinds and classes of a user's own modules: a command names the module, and no file can import one."""

from __future__ import annotations

import functools
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from errsrc import load_study, run_study, studies
from errsrc.cli import main
from errsrc.records import own_modules
from errsrc.records.own_modules import WithModules
from errsrc.studies import import_own, trained
from errsrc.sweeps import serial

EXPERIMENTS = """
from dataclasses import dataclass
from errsrc.fields import Checked, integer
from errsrc.sweeps import Kind

@dataclass(frozen=True)
class Cell(Checked):
    n: int = integer(at_least=1)
    units: int = integer(64, at_least=1)
    optimiser: str = "adam"
    seed: int = integer(0, at_least=0)

def compute(cells):
    out = []
    for cell in cells:
        m, factor = 10 * cell.units, {"adam": 1.0, "sgd": 1.5}[cell.optimiser]
        out.append({"m": m, "error": factor * (0.05 + 3 * cell.n**-0.5 + 5 * m**-0.7)})
    return out

FEATURES = Kind("features", Cell, compute)
"""
SETTINGS = '''
from dataclasses import dataclass
from errsrc.settings import Clean, Setting

@dataclass(frozen=True)
class Uniform(Setting):
    """f(x) = x + shift."""
    width: float = 1.0
    channel = Clean()
    noise = 0.0
    target_variance = 1 / 12

    def inputs(self, count, rng):
        return self.width * rng.random((count, 1))

    def teacher(self, rng):
        shift = rng.random()
        return lambda x: x[:, 0] + shift
'''
SPEC = """
kind = "features"
[factors]
n = [100, 200, 400, 800, 1600]
units = [1, 2, 4, 8, 16]
optimiser = ["adam", "sgd"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder with modules and a spec as a user has them, in which commands run in this process."""
    (tmp_path / "ownlab").mkdir()
    (tmp_path / "ownlab" / "experiments.py").write_text(EXPERIMENTS)
    (tmp_path / "ownlab" / "settings.py").write_text(SETTINGS)
    (tmp_path / "grid.toml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    monkeypatch.setattr(own_modules, "_MODULES", {})
    monkeypatch.setattr(studies.ALL, "_kinds", dict(studies.ALL._kinds))
    monkeypatch.setattr(studies.ALL, "_modules", {})
    monkeypatch.setattr("errsrc.sweeps.local", lambda function, batches, **_: serial(function, batches))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "ownlab"]:
        del sys.modules[name]


def says(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 2
    return capsys.readouterr().err


def test_a_module_is_imported_only_if_the_command_names_it(folder, capsys):
    said = says(capsys, "run", "grid.toml")
    assert (
        "Got 'features' instead. A kind of your own is in a module that you name: --kinds MODULE.\n" in said
    )
    (folder / "bad.toml").write_text('kind = "ownlab.experiments:FEATURES"')
    assert "must be one of 'vision'" in says(capsys, "run", "bad.toml")
    assert not any(name.startswith("ownlab") for name in sys.modules)
    assert main(["run", "grid.toml", "--kinds", "ownlab.experiments"]) == 0
    assert "50 of 50 cells are finished" in capsys.readouterr().out
    for command in ("status", "export"):
        assert main([command, "grid.toml", "--kinds", "ownlab.experiments"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"made with .*, ownlab\.experiments [0-9a-f]{12} \(50 cells\)", shown)
    assert "100,1,adam,0,10,1.34" in shown
    assert says(capsys, "report", "grid.toml", "--modules", "ownlab.nothing")


def test_a_module_that_is_no_module_of_kinds_is_refused(folder, capsys):
    (folder / "broken.py").write_text("x = 1\nprint(y)\n")
    (folder / "syntax.py").write_text("x = = 1\n")
    (folder / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    (folder / "needs.py").write_text("import package_that_is_nowhere\n")
    (folder / "taken.py").write_text(EXPERIMENTS.replace('"features"', '"vision"'))
    (folder / "twice.py").write_text(EXPERIMENTS + 'SECOND = Kind("features", Cell, compute, version=2)\n')
    (folder / "seedless.py").write_text(EXPERIMENTS.replace("seed: int", "sead: int"))
    (folder / "thawed.py").write_text(EXPERIMENTS.replace("(frozen=True)", "").replace("(Checked)", ""))
    (folder / "hidden.py").write_text(EXPERIMENTS.replace("Cell, compute)", "Cell, lambda cells: [])"))
    for name, text in {
        "ownlab/experiments.py": "must be the name of a module, such as mylab.experiments. "
        "Got 'ownlab/experiments.py' instead. Write ownlab.experiments.",
        "ownlab.other": f"There is no module 'ownlab.other' in {folder} or among the installed packages",
        "": "must be the name of a module",
        "json": "defines no kind of study: assign errsrc.sweeps.Kind",
        "broken": f"cannot be imported ({folder}/broken.py, line 2): NameError: name 'y' is not defined.",
        "syntax": f"cannot be imported ({folder}/syntax.py, line 1): SyntaxError: invalid syntax.",
        "leaves": f"cannot be imported ({folder}/leaves.py, line 2): SystemExit: 3.",
        "needs": f"({folder}/needs.py, line 1): ModuleNotFoundError: No module named",
        "taken": "The 'name' parameter of a Kind in taken must be another name, because there is a kind",
        "twice": "The 'name' parameter of a Kind in twice must be another name",
        "seedless": f"({folder}/seedless.py, line 20): TypeError: The 'cell' parameter of Kind must be a",
        "thawed": "The 'cell' parameter of Kind must be a frozen dataclass. Got <Cell> instead.",
        "hidden": "The 'compute' parameter of the Kind 'features' in hidden must be defined at the top level",
    }.items():
        assert text in says(capsys, "status", "grid.toml", "--kinds", name), name
    with pytest.raises(TypeError, match="must be names of modules"):
        import_own([3])


@pytest.mark.full
def test_a_report_of_an_own_kind_has_a_law_for_each_family(folder):
    finished = run_study("grid.toml", engine=serial, progress=False, modules="ownlab.experiments")
    found = trained.families(finished)
    assert [(one.label, one.inputs.keys()) for one in found] == [
        ("optimiser adam", {"n", "m"}),
        ("optimiser sgd", {"n", "m"}),
    ]
    assert all(abs(one.result.held_out.divergence_mean) < 0.01 for one in found)
    assert load_study("grid.toml", modules=["ownlab.experiments"]).rows == finished.rows


@pytest.mark.full
def test_the_page_of_an_own_kind_names_the_module(folder, capsys):
    assert main(["run", "grid.toml", "--kinds", "ownlab.experiments"]) == 0
    assert main(["report", "grid.toml", "--kinds", "ownlab.experiments"]) == 0
    page = (folder / "grid.html").read_text()
    assert "optimiser adam: n = 1,600, m = 160: predicted" in page
    assert "Against the limits" in page
    assert page.count("data:image") >= 6
    assert "errsrc run grid.toml --kinds ownlab.experiments" in page
    assert "load_study(&#39;grid.toml&#39;, modules=[&#39;ownlab.experiments&#39;])" in page


def test_a_spec_can_name_classes_of_a_module(folder, capsys):
    spec = 'kind = "budget"\n[cell]\nlearner.kind = "ridge"\nsetting = {kind = "uniform", width = 2}\nn = 4\n'
    (folder / "own.toml").write_text(spec)
    assert "must be one of 'linear-teacher'" in says(capsys, "status", "own.toml")
    import_own("ownlab.settings")
    (cell,) = studies.load("own.toml")
    assert (type(cell.setting).__name__, cell.setting.width) == ("Uniform", 2.0)
    assert studies.kinds.own_modules_of(studies.load("own.toml")) == ((), ("ownlab.settings",))
    (folder / "clash.py").write_text(SETTINGS.replace("Uniform", "LinearTeacher"))
    import_own("clash")
    with pytest.raises(
        ValueError, match="LinearTeacher of the module 'clash' needs another name: specs use 'linear"
    ):
        studies.load("own.toml")


def test_a_function_for_other_processes_brings_its_modules(folder, tmp_path_factory, monkeypatch):
    import_own(kinds="ownlab.experiments")
    kind = studies.ALL["features"]
    pickled = pickle.dumps(functools.partial(WithModules(kind.compute), [kind.cell(n=100)]))
    for name in ("ownlab", "ownlab.experiments"):  # as in a process that has not imported them
        del sys.modules[name]
    own_modules._MODULES.clear()
    sys.path.remove(str(folder))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (outcome,) = pickle.loads(pickled)()
    assert outcome["m"] == 640
    assert set(own_modules.imported_modules()) == {"ownlab.experiments"}
    (folder / "ownlab" / "experiments.py").unlink()
    del sys.modules["ownlab.experiments"]
    with pytest.raises(ValueError, match=r"There is no module 'ownlab\.experiments' in"):
        pickle.loads(pickled)


@pytest.mark.full
def test_processes_import_the_module_from_the_folder_of_the_command(folder):
    script = Path(sys.executable).with_name("errsrc")
    command = [str(script), "run", "grid.toml", "--kinds", "ownlab.experiments", "--workers", "2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("50 of 50 cells are finished"), done.stderr
