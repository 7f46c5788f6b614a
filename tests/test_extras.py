"""What needs an optional package says so in one sentence; laws are fitted without optional packages."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from errsrc import extras
from errsrc.cli import main

ROOT = Path(__file__).parents[1]
OPTIONAL = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

ALL_MODULES = """
import importlib, json, pkgutil, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))  # None: Python raises ModuleNotFoundError
import errsrc

def message(importing, *arguments):
    try:
        importing(*arguments)
    except ModuleNotFoundError as error:
        return str(error)

names = [part.name for part in pkgutil.walk_packages(errsrc.__path__, "errsrc.", onerror=lambda name: None)]
doors = {name: message(getattr, errsrc, name) for name in errsrc.__all__}
print(json.dumps([doors, {name: message(importlib.import_module, name) for name in names}]))
"""
NEED_TORCH = {
    *("bias_variance", "budget", "search", "threshold"),
    *("conjecture", "learners", "nets", "settings", "sources", "tasks", "testing", "training"),
}
"""The names of the front door that need the extra "torch"."""


def python(code: str, *arguments: str, cwd: Path | None = None) -> str:
    """What a program prints, which must succeed."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("extra", sorted({extra for _, extra in extras.EXTRAS.values()}))
def test_the_extra_that_a_message_names_installs_the_package(extra: str) -> None:
    installed = {Requirement(line).name for line in OPTIONAL[extra]}
    packages = {package for package, own in extras.EXTRAS.values() if own == extra}
    assert packages - {"dask"} <= installed  # which distributed needs
    (full,) = OPTIONAL["full"]
    assert extra in Requirement(full).extras
    assert Requirement(OPTIONAL["test"][0]) == Requirement("errsrc[full]")


@pytest.mark.full
def test_without_optional_packages_each_module_is_imported_or_names_the_extra() -> None:
    """A figure of a fit must not import the package of another result, such as errsrc.sources."""
    doors, modules = json.loads(python(ALL_MODULES, json.dumps([*extras.EXTRAS, "pandas", "polars"])))
    assert {name for name, message in doors.items() if message} == NEED_TORCH
    for name in NEED_TORCH:
        assert doors[name] == f"errsrc.{name} needs torch: pip install 'errsrc[torch]'."
    assert "torch" in modules.pop("errsrc.studies.torchrun")  # only errsrc run imports it, and names itself
    failed = {name: message for name, message in modules.items() if message}
    for name, message in failed.items():
        assert message.endswith(" needs torch: pip install 'errsrc[torch]'."), f"{name}: {message}"
    rooms = {name.split(".")[1] for name in failed} - NEED_TORCH
    assert rooms == {"demo", "explore", "plots", "report", "studies"}  # bases, fitting and all others work
    for room in ("errsrc.plots", "errsrc.report", "errsrc.studies"):
        assert room not in failed  # but for modules about results of packages that need torch


STUDIES = {
    "budget": 'kind = "budget"\n[cell]\nlearner = {kind = "ridge"}\n',
    "conjecture": 'kind = "threshold"\n[cell]\nlearner = {kind = "ridge"}\n',
    "run": 'kind = "vision"\n[cell]\nn = 90\n',
    "status": 'kind = "pruning"\n[cell]\nn = 90\n',
    "export": 'kind = "language"\n[cell]\nn = 90\n',
    "report": 'kind = "vision"\n[cell]\nn = 90\n',
}
COMMANDS = """
import json, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
from errsrc.cli import main
for arguments in json.loads(sys.argv[2]):
    print(main(arguments), file=sys.stderr)
"""


@pytest.mark.full
def test_a_command_that_needs_an_optional_package_says_so(tmp_path: Path) -> None:
    calls = [["demo"]]
    for command, spec in STUDIES.items():
        (tmp_path / f"{command}.toml").write_text(spec)
        calls.append([command, f"{command}.toml"])
    command = [sys.executable, "-c", COMMANDS, json.dumps([*extras.EXTRAS]), json.dumps(calls)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert lines[1::2] == ["2"] * len(calls)
    for (name, *_), line in zip(calls, lines[::2], strict=True):
        assert line.startswith("errsrc: ")
        assert line.endswith(f"errsrc {name} needs torch: pip install 'errsrc[torch]'.")
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            "f needs torch: pip install 'errsrc[torch]'.",
        ),
        (
            ModuleNotFoundError("No module named 'sklearn.base'", name="sklearn.base"),
            "f needs scikit-learn: pip install 'errsrc[torch]'.",
        ),
        (extras.MissingPackage("errsrc.nets", "torch"), "f needs torch: pip install 'errsrc[torch]'."),
        (extras.MissingPackage("A file", "pyarrow"), "A file needs pyarrow: pip install 'errsrc[parquet]'."),
        (ModuleNotFoundError("No module named 'mine'", name="mine"), "No module named 'mine'"),
        (ModuleNotFoundError("no name"), "no name"),
        (ImportError("cannot import name 'Tensor' from 'torch'"), "cannot import name 'Tensor' from 'torch'"),
    ],
)
def test_the_error_names_what_was_called_unless_it_already_names_a_user(
    raised: ImportError, message: str
) -> None:
    with pytest.raises(ImportError) as caught, extras.required_by("f"):
        raise raised
    assert str(caught.value) == message
    assert caught.value.name == (raised.name and raised.name.partition(".")[0])


@pytest.mark.parametrize("module", extras.EXTRAS)
def test_require_accepts_what_is_installed_and_refuses_what_is_not(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    package, extra = extras.EXTRAS[module]
    with pytest.raises(extras.MissingPackage) as caught:
        extras.require("errsrc.thing", module)
    assert str(caught.value) == f"errsrc.thing needs {package}: pip install 'errsrc[{extra}]'."
    monkeypatch.undo()
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: make the environment again")
    extras.require("errsrc.thing", module)


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        ("sklearn", "errsrc.datasets.images('digits')", "The image set 'digits' needs scikit-learn"),
        ("sklearn", "errsrc.bases.kernel([[0.0]], [[0.0]], 'rbf', 1.0)", "A kernel needs scikit-learn"),
    ],
)
def test_a_function_that_needs_an_optional_package_says_so(
    module: str, call: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errsrc.bases
    import errsrc.datasets

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(extras.MissingPackage, match=message):
        eval(call, {"errsrc": errsrc})


def test_a_missing_package_is_bad_input_for_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "errsrc.cli.stores", None)  # an installation that lacks a file
    assert main(["export", str(tmp_path / "runs.db")]) == 2
    assert "errsrc.cli.stores" in capsys.readouterr().err
