"""The files around the package agree with each other: workflow, Makefile, hooks, versions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile, and fail where there is no such target."""
    found = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found, f"the Makefile has no target {target!r}"
    return [line.strip() for line in found[1].splitlines()]


def requirements() -> list[Requirement]:
    """Return what errsrc and its extras require, except errsrc itself."""
    project = PYPROJECT["project"]
    lists = (project["dependencies"], *project["optional-dependencies"].values())
    return [one for lines in lists for one in map(Requirement, lines) if one.name != "errsrc"]


def pins(name: str) -> dict[str, Version]:
    """Return the version of each package in a file of constraints."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(text) for name, text in (line.split("==") for line in lines)}


def test_the_workflow_runs_targets_of_the_makefile() -> None:
    (job,) = WORKFLOW["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make check", "make test"]
    for command in commands:
        assert recipe(command.removeprefix("make "))


def test_the_workflow_runs_on_the_oldest_and_the_newest_supported_python() -> None:
    (job,) = WORKFLOW["jobs"].values()
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PYPROJECT["project"]["classifiers"]))
    assert job["strategy"]["matrix"]["python"] == [named[0], named[-1]]
    assert PYPROJECT["project"]["requires-python"] == f">={named[0]}"


def test_hooks_run_the_commands_of_make_lint() -> None:
    hooks: list[dict[str, Any]] = [hook for repo in HOOKS["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in HOOKS["repos"]} == {"local"}
    commands = {command.removesuffix(" --check") for command in recipe("lint")}
    assert {hook["entry"] for hook in hooks} == commands
    assert all(not hook["pass_filenames"] for hook in hooks)


def test_uv_installs_the_extra_test_by_default() -> None:
    assert PYPROJECT["dependency-groups"]["dev"] == ["errsrc[test]"]


@pytest.mark.parametrize("one", requirements(), ids=lambda one: one.name)
def test_the_lowest_version_of_a_requirement_is_the_one_that_is_run(one: Requirement) -> None:
    name = canonicalize_name(one.name)
    (bound,) = one.specifier
    assert bound.operator == ">="
    newest = pins("constraints.txt")
    assert newest[name] >= Version(bound.version)
    if name != "torch":  # old CPU builds are hard to come by
        assert pins("constraints-lowest.txt")[name] == Version(bound.version)
