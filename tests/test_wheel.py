"""The built wheel, alone in an environment of its own, is a working errsrc: no repository beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

import errsrc
from errsrc import extras
from errsrc.cli import COMMANDS

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
    done = finished(*command, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def finished(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command after it has ended; it sees nothing of this process's Python."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


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


def built_wheel(where: Path) -> Path:
    """Build the wheel in a folder."""
    source = where / "source"
    shutil.copytree(ROOT / "errsrc", source / "errsrc", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('..'))"
    wheel = where / ran(sys.executable, "-c", build, cwd=source).split()[-1]
    shutil.rmtree(source)
    return wheel


def install(where: Path) -> Path:
    """Install the wheel in an environment of its own, with the dependencies of this one."""
    wheel = built_wheel(where)
    ran(sys.executable, "-m", "venv", "--without-pip", where / "env", cwd=where)
    python = where / "env" / "bin" / "python"
    quiet = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    ran(sys.executable, "-m", "pip", "--python", python, "install", *quiet, wheel, cwd=where)
    (packages,) = (where / "env" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
    return python.parent


@pytest.mark.slow
def test_the_package_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    shown = (
        "import errsrc; from errsrc.datasets import published_curves; errsrc.budget  # the stub is in it\n"
        "print(errsrc.__file__, len(list(published_curves('curves_vision'))))"
    )
    where, count = ran(installed / "python", "-c", shown, cwd=tmp_path).split()
    assert Path(where).is_relative_to(installed.parent)
    assert int(count) == 35  # the tables are in it


@pytest.mark.slow
def test_its_commands_work_in_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "errsrc fit runs.csv" in ran(installed / "errsrc", "--help", cwd=tmp_path)
    assert "errsrc run grid.toml --kinds experiment" in ran(
        installed / "errsrc", "new", "own", "mine", cwd=tmp_path
    )
    rows = [f"{n},{0.1 + 3 * n**-0.5!r}" for n in (100, 300, 1000, 3000, 10_000, 30_000)]
    (tmp_path / "runs.csv").write_text("\n".join(["n,error", *rows]))
    assert "power" in ran(installed / "errsrc", "fit", "runs.csv", "--out", "fit.json", cwd=tmp_path)
    (tmp_path / "setting.toml").write_text(SPEC)
    table = ran(installed / "errsrc", "budget", "setting.toml", "--workers", "1", cwd=tmp_path)
    for term in ("noise", "realizability", "uncertainty", "deficiency"):
        assert term in table


RESULTS = """
import json, sys
import numpy as np, errsrc
n = 1000.0 * 2 ** np.arange(12)
error = (0.1 + 3 * n**-0.4) * np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
law = errsrc.laws.Power
results = {
    "fit": errsrc.fit(law, data={"n": n, "error": error}, error="error", n="n"),
    "average": errsrc.auto(error, n=n),
    "holdout": errsrc.holdout(law, error, share=0.5, n=n),
    "shape": errsrc.curve_shape(n, error),
    "loaded": errsrc.load_fit("fit.json"),
}
for name, result in results.items():
    assert "<" in result._repr_html_() and len(repr(result)) <= 200
    json.dumps(result.as_dict(), allow_nan=False)
    result.plot().figure.savefig(f"{name}.png")
assert not {"torch", "sklearn", "hypothesis", "sympy"} & set(sys.modules)
"""


@pytest.mark.slow
def test_laws_are_fitted_without_optional_packages(tmp_path: Path) -> None:
    """In an environment with the wheel and the packages that pip installs with it, and no others."""
    wheel = built_wheel(tmp_path)
    ran(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    options = ("--quiet", "--disable-pip-version-check", "--constraint", ROOT / "constraints.txt")
    ran(python, "-m", "pip", "install", *options, wheel, cwd=tmp_path)
    listed = json.loads(ran(python, "-m", "pip", "list", "--format", "json", cwd=tmp_path))
    packages = {one["name"].lower() for one in listed}
    assert {"errsrc", "numpy", "scipy", "matplotlib"} <= packages
    optional = {package for package, _ in extras.EXTRAS.values()} | {"pandas", "polars"}
    assert not optional & packages

    errsrc_command = tmp_path / "env" / "bin" / "errsrc"
    rows = [
        f"{n},{m},{1.8 + 400 * m**-0.34 + 400 * n**-0.28!r}"
        for n in (1e8, 3e8, 1e9, 3e9) for m in (1e6, 4e6, 16e6, 64e6)
    ]  # fmt: skip
    (tmp_path / "runs.csv").write_text("\n".join(["n,m,error", *rows]))
    for law in ("auto", "chinchilla"):
        options = ("--law", law, "--out", "fit.json", "--plot", f"{law}.png")
        assert "alpha" in ran(errsrc_command, "fit", "runs.csv", *options, cwd=tmp_path)
    for command, shown in {
        ("predict", "fit.json", "runs.csv"): "n,m,error,predicted,low,high\n",
        ("plan", "fit.json", "--budget", "1e18", "--plot", "plan.png"): "cost   1e+18",
        ("frontier", "fit.json", "--budget", "1e18", "1e20", "--plot", "frontier.png"): "1e+20",
        ("frontier", "runs.csv", "--budget", "1e18", "1e20"): "1e+20",
        ("fit", "runs.csv", "--law", "chinchilla", "--json"): '"law"',
    }.items():
        assert shown in ran(errsrc_command, *command, cwd=tmp_path), command
    ran(python, "-c", RESULTS, cwd=tmp_path)
    figures = {file.stem: file.stat().st_size for file in tmp_path.glob("*.png")}
    assert len(figures) == 9
    assert min(figures.values()) > 5000
    for command in COMMANDS:
        assert ran(errsrc_command, command, "--help", cwd=tmp_path).startswith(f"usage: errsrc {command}")
    (tmp_path / "setting.toml").write_text(SPEC)
    done = finished(errsrc_command, "budget", "setting.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"errsrc: .*errsrc budget needs torch: pip install 'errsrc\[torch\]'\.\n", done.stderr
    )


def test_the_version_is_one_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert errsrc.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text()
