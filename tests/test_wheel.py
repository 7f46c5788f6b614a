"""The built wheel, alone in an environment of its own, is a working errsrc: no repository beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

import errsrc

ROOT = Path(__file__).parents[1]
SPEC = """
kind = "budget"
[cell]
setting = {kind = "linear-teacher", dim = 4}
learner = {kind = "ridge"}
draws = 4
[factors]
n = [2, 8]
"""


def ran(*command: str | Path, cwd: Path) -> str:
    """What a command prints, which must succeed; it sees nothing of this process's Python."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of programs of an environment with the wheel, one for all workers of pytest-xdist."""
    if worker_id == "master":
        return install(tmp_path_factory.mktemp("wheel"))
    where = tmp_path_factory.getbasetemp().parent / "wheel"  # of all workers of this run
    with FileLock(where.with_suffix(".lock")):
        if not (where / "programs").exists():
            where.mkdir()
            (where / "programs").write_text(str(install(where)))
    return Path((where / "programs").read_text())


def install(where: Path) -> Path:
    """Install the wheel in an environment of its own, with the dependencies of this one."""
    source = where / "source"
    shutil.copytree(ROOT / "errsrc", source / "errsrc", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('..'))"
    wheel = where / ran(sys.executable, "-c", build, cwd=source).split()[-1]
    shutil.rmtree(source)
    ran(sys.executable, "-m", "venv", "--without-pip", where / "env", cwd=where)
    python = where / "env" / "bin" / "python"
    quiet = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    ran(sys.executable, "-m", "pip", "--python", python, "install", *quiet, wheel, cwd=where)
    (packages,) = (where / "env" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
    return python.parent


@pytest.mark.full
def test_the_package_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    shown = (
        "import errsrc; from errsrc.datasets import published_curves; errsrc.budget  # the stub is in it\n"
        "print(errsrc.__file__, len(list(published_curves('curves_vision'))))"
    )
    where, count = ran(installed / "python", "-c", shown, cwd=tmp_path).split()
    assert Path(where).is_relative_to(installed.parent)
    assert int(count) == 35  # the tables are in it


@pytest.mark.full
def test_its_commands_work_in_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "errsrc fit runs.csv" in ran(installed / "errsrc", "--help", cwd=tmp_path)
    rows = [f"{n},{0.1 + 3 * n**-0.5!r}" for n in (100, 300, 1000, 3000, 10_000, 30_000)]
    (tmp_path / "runs.csv").write_text("\n".join(["n,error", *rows]))
    assert "power" in ran(installed / "errsrc", "fit", "runs.csv", "--out", "fit.json", cwd=tmp_path)
    (tmp_path / "setting.toml").write_text(SPEC)
    table = ran(installed / "errsrc", "budget", "setting.toml", "--workers", "1", cwd=tmp_path)
    for term in ("noise", "realizability", "uncertainty", "deficiency"):
        assert term in table


def test_the_version_is_one_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert errsrc.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text()
