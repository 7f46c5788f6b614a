"""The commands: listed with a line each, imported only when they are named, and short."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import errsrc.cli
from errsrc.cli import COMMANDS, main


def test_every_module_is_a_command() -> None:
    modules = {part.name for part in pkgutil.iter_modules(errsrc.cli.__path__)}
    assert modules - set(COMMANDS) == {"numbers", "outputs", "stores", "tables"}
    assert set(COMMANDS) <= modules


def test_the_help_and_the_version_import_neither_numpy_nor_a_command() -> None:
    code = (
        "import sys; from errsrc.cli import main\n"
        "for option in ('--help', '--version'):\n"
        "    try: main([option])\n"
        "    except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name == 'numpy' or name.startswith('errsrc.')))"
    )
    env = os.environ | {"COLUMNS": "120"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    shown = done.stdout
    assert shown.splitlines()[-1] == "['errsrc.cli', 'errsrc.errors', 'errsrc.exports', 'errsrc.extras']"
    assert shown.splitlines()[-2] == f"errsrc {errsrc.__version__}"
    for name, line in COMMANDS.items():
        assert f"    {name}" in shown
        assert line in shown


RECOVERY = """
kind = "recovery"
[cell]
law = {kind = "power", c_inf = 0.1, a = 2.0, alpha = 0.5}
noise = 0.02
n = [100, 200, 400, 800, 1600, 3200]
"""


@pytest.mark.full
def test_the_status_of_a_study_of_laws_imports_no_networks(tmp_path: Path) -> None:
    (tmp_path / "laws.toml").write_text(RECOVERY)
    code = (
        "import sys; from errsrc.cli import main; main(['run', 'laws.toml', '--workers', '1'])\n"
        "main(['status', 'laws.toml'])\n"
        "print([name for name in ('torch', 'sklearn', 'matplotlib', 'sympy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "finished   1" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    module = importlib.import_module(f"errsrc.cli.{command}")
    assert shown.startswith(f"usage: errsrc {command} ")
    assert module.DESCRIPTION in shown
    assert getattr(module, "EXAMPLES", "") in shown
    assert "  --debug " in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_parses_calls_and_prints_in_30_lines(command: str) -> None:
    """What is longer than that belongs into the library."""
    module = importlib.import_module(f"errsrc.cli.{command}")
    (run,) = (
        node
        for node in ast.parse(Path(str(module.__file__)).read_text()).body
        if getattr(node, "name", "") == "run"
    )
    assert isinstance(run, ast.FunctionDef)
    assert run.end_lineno is not None
    assert run.end_lineno - run.lineno < 30
